/* The C code of whole networks, of every kind of levels and of floats; what its sizes tell. */
#include "support.h"

static graph *zoo_of(const char *name, uint32_t channels, uint32_t side) {
    graph *g;
    MUST(graph_zoo_create(name, graph_shape_image(channels, side, side), 10, &g, err));
    return g;
}

static void networks_of_the_zoo_are_as_the_engine_has_them(void **state) {
    const filling f = {ADMM_LEVELS_EQUAL, 4, 0.1};
    batch b;
    (void)state;
    batch_open(&b);
    (void)batch_add(&b, random_model(zoo_of("lenet-5", 1, 28), f, 3));
    (void)batch_add(&b, random_model(zoo_of("lenet-300-100", 1, 28), f, 3));
    (void)batch_add(&b, random_model(zoo_of("resnet-20", 3, 32), f, 3));
    (void)batch_add(&b, random_model(zoo_of("mobilenet-v2", 3, 32), f, 3));
    (void)batch_add(&b, random_model(zoo_of("transformer-small", 3, 32), f, 3));
    (void)batch_add(&b, random_model(any_network(), f, 3));
    (void)batch_add(&b, random_model(normalized_network(), f, 3));
    batch_close(&b);
}

/* From one bit to sixteen; few and all of the weights. */
static void weights_of_every_kind(void **state) {
    const double densities[] = {0.0, 0.004, 0.3, 1.0};
    batch b;
    (void)state;
    batch_open(&b);
    for (int kind = 0; kind <= ADMM_LEVELS_LAST; kind++)
        for (unsigned bits = admm_levels_least_bits((admm_levels)kind);
             bits <= admm_levels_most_bits((admm_levels)kind); bits += 5)
            for (size_t i = 0; i < 4; i++) {
                const filling f = {(admm_levels)kind, bits, densities[i]};
                (void)batch_add(&b, random_model(small_network(), f, i));
            }
    batch_close(&b);
}

static void floats_as_they_are(void **state) {
    batch b;
    (void)state;
    batch_open(&b);
    for (int i = 0; i < 3; i++) {
        base_random random = base_random_at(3, 3, 3);
        pack_model *packed = random_model(any_network(), (filling){ADMM_LEVELS_EQUAL, 2, 1.0}, 3);
        for (uint32_t p = 0; p < packed->g->parameter_count; p++) {
            if (packed->tensors[p].form != PACK_LEVELS)
                continue;
            base_free(packed->tensors[p].codes);
            fill_floats(&packed->tensors[p], packed->g->parameters[p].count, 0.5 * i, &random);
        }
        (void)batch_add(&b, packed);
    }
    batch_close(&b);
}

/* LeNet-5 in numbers that can be counted by hand. */
static void sizes_are_those_of_the_arrays(void **state) {
    batch b;
    (void)state;
    batch_open(&b);
    pack_model *packed = random_model(zoo("lenet-5"), (filling){ADMM_LEVELS_EQUAL, 3, 1.0}, 1);
    const admmnn_export_sizes sizes = batch_add(&b, packed);
    assert_string_equal(sizes.name, "net0");
    assert_int_equal(sizes.weight_count, 430500);
    assert_int_equal(sizes.kept, 430500);
    /* Every place has a number: three bits each, by layer in whole bytes. */
    assert_int_equal(sizes.weights,
                     (500 * 3 + 7) / 8 + 25000 * 3 / 8 + 400000 * 3 / 8 + 5000 * 3 / 8);
    assert_int_equal(sizes.constants, 0);
    /* The first pooling's result, what is pooled of the second, a plane of its convolution. */
    assert_int_equal(sizes.buffer, 4 * (20 * 144 + 50 * 16 + 64));
    assert_int_equal(sizes.input, 4 * 784);
    assert_int_equal(sizes.output, 4 * 10);
    batch_close(&b);
}

/* ---- what is refused ---- */

static void a_network_without_operations_is_refused(void **state) {
    admmnn_export_sizes sizes;
    (void)state;
    const admmnn_export_settings absent = {.input = "/nonexistent.admm", .folder = "/tmp"};
    assert_int_equal(admmnn_model_export_c(&absent, &sizes, NULL), ADMMNN_NOT_FOUND);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(networks_of_the_zoo_are_as_the_engine_has_them),
        cmocka_unit_test(weights_of_every_kind),
        cmocka_unit_test(floats_as_they_are),
        cmocka_unit_test(sizes_are_those_of_the_arrays),
        cmocka_unit_test(a_network_without_operations_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
