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

/* What is left is compiled with the last group. */
static int close_batch(void **state) {
    (void)state;
    batch_close(&all);
    return 0;
}

int main(void) {
    return cmocka_run_group_tests(operations_tests, open_batch, close_batch);
}
