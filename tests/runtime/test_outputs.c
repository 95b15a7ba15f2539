/* What the runtime makes of networks is what the engine makes of them. */
#include "support.h"

/* Of the largest output: sums of 32 bits, of which the reference has none. */
#define BOUND 1e-5

static void expect_network(graph *g, filling f) {
    pack_model *packed = random_model(g, f, 3);
    bytes file = encode(packed, PACK_POSITION_AUTO, PACK_CODER_AUTO, NULL);
    expect_as_engine(packed, file, BOUND);
    base_free(file.at);
    pack_model_free(packed);
}

static graph *zoo_of(const char *name, uint32_t channels, uint32_t side) {
    graph *g;
    MUST(graph_zoo_create(name, graph_shape_image(channels, side, side), 10, &g, err));
    return g;
}

static void networks_of_the_zoo_are_as_the_engine_has_them(void **state) {
    (void)state;
    const filling f = {ADMM_LEVELS_EQUAL, 4, 0.1};
    expect_network(zoo_of("lenet-5", 1, 28), f);
    expect_network(zoo_of("lenet-300-100", 1, 28), f);
    expect_network(zoo_of("resnet-20", 3, 32), f);
    expect_network(zoo_of("mobilenet-v2", 3, 32), f);
    expect_network(zoo_of("transformer-small", 3, 32), f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(networks_of_the_zoo_are_as_the_engine_has_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
