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

/* Names come from files, and stand in comments; numbers that are none in C have words. */
static void names_and_numbers_cannot_break_the_code(void **state) {
    batch b;
    graph *g;
    uint32_t v;
    (void)state;
    batch_open(&b);
    MUST(graph_create("*/ #error \\", graph_shape_vector(4), &g, err));
    MUST(graph_add_unary(g, "*/ int x; /* \\", g->input, (graph_unary){GRAPH_CLIP, -INFINITY, 1.0F},
                         &v, err));
    MUST(graph_add_inner_product(g, "\"%s%n\"", v, 3, true, &v, err));
    (void)batch_add(&b, random_model(g, (filling){ADMM_LEVELS_EQUAL, 3, 1.0}, 1));
    batch_close(&b);
}

/* Without a name it is the network's, as far as C allows. */
static void the_usual_name_is_the_networks(void **state) {
    const char *const names[][2] = {
        {"lenet-5", "lenet_5"},
        {"5 of them", "model_5_of_them"},
        {"features", "model_features"}, /* which glibc's stdint.h includes */
        {"Math", "model_Math"},
        {"a name of thirty-one characters", "a_name_of_thirty_one_char"}};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        batch b;
        graph *g;
        uint32_t v;
        char path[64];
        admmnn_export_sizes sizes;
        batch_open(&b);
        MUST(graph_create(names[i][0], graph_shape_vector(4), &g, err));
        MUST(graph_add_relu(g, "relu1", g->input, &v, err));
        pack_model *packed = random_model(g, (filling){ADMM_LEVELS_EQUAL, 3, 1.0}, 1);
        bytes file = encode(packed, PACK_POSITION_AUTO, PACK_CODER_AUTO, NULL);
        snprintf(path, sizeof path, "%s/x.admm", b.folder);
        MUST(base_file_write(path, file.at, file.count, err));
        const admmnn_export_settings settings = {.input = path, .folder = b.folder};
        MUST(admmnn_model_export_c(&settings, NULL, &sizes, err));
        assert_string_equal(sizes.name, names[i][1]);
        run_command("rm %s/*", b.folder);
        base_free(file.at);
        pack_model_free(packed);
        batch_close(&b);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(networks_of_the_zoo_are_as_the_engine_has_them),
        cmocka_unit_test(weights_of_every_kind),
        cmocka_unit_test(floats_as_they_are),
        cmocka_unit_test(sizes_are_those_of_the_arrays),
        cmocka_unit_test(names_and_numbers_cannot_break_the_code),
        cmocka_unit_test(the_usual_name_is_the_networks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
