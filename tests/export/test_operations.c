/* The C code of every operation against the engine's reference. */
#include "support.h"

#include "../operations.h"

static batch all;

/* Of the many, one in three: each takes a compiler's time. */
static void expect_model(pack_model *packed) {
    static uint32_t seen;
    if (seen++ % 3 == 0)
        (void)batch_add(&all, packed);
    else
        pack_model_free(packed);
}

static int open_batch(void **state) {
    (void)state;
    batch_open(&all);
    return 0;
}

/* What the tests of all operations left, fewer than a batch. */
static void the_last_batch(void **state) {
    (void)state;
    batch_close(&all);
}

int main(void) {
    const struct CMUnitTest last[] = {cmocka_unit_test(the_last_batch)};
    return cmocka_run_group_tests(operations_tests, open_batch, NULL) +
           cmocka_run_group_tests(last, NULL, NULL);
}
