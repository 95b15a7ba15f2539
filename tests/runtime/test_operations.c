/* What the runtime makes of every operation against the engine's reference. */
#include "support.h"

#include "../operations.h"

/* Of the largest output: sums of 32 bits, of which the reference has none. */
#define BOUND 1e-5

static void expect_model(pack_model *packed) {
    bytes file = encode(packed, PACK_POSITION_AUTO, PACK_CODER_AUTO, NULL);
    expect_as_engine(packed, file, BOUND);
    base_free(file.at);
    pack_model_free(packed);
}

int main(void) {
    return cmocka_run_group_tests(operations_tests, NULL, NULL);
}
