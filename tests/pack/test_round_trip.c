/* What is packed comes back to the bit, by every pair of coders. */
#include "support.h"

static void by_every_pair(pack_model *model) {
    for (int p = PACK_POSITION_AUTO; p <= PACK_POSITION_ENTROPY; p++)
        for (int v = PACK_CODER_AUTO; v <= PACK_CODER_RANGE; v++)
            round_trip(model, (pack_position_id)p, (pack_coder_id)v);
    pack_model_free(model);
}

static void every_kind_of_levels(void **state) {
    (void)state;
    const filling fillings[] = {
        {ADMM_LEVELS_EQUAL, 1, 0.1},        {ADMM_LEVELS_EQUAL, 2, 0.3},
        {ADMM_LEVELS_EQUAL, 3, 0.02},       {ADMM_LEVELS_EQUAL, 5, 0.5},
        {ADMM_LEVELS_EQUAL, 8, 0.2},        {ADMM_LEVELS_EQUAL, 16, 0.2},
        {ADMM_LEVELS_EQUAL_ZERO, 2, 0.9},   {ADMM_LEVELS_EQUAL_ZERO, 4, 0.1},
        {ADMM_LEVELS_EQUAL_ZERO, 9, 0.7},   {ADMM_LEVELS_EQUAL_ZERO, 16, 0.99},
        {ADMM_LEVELS_POWER_OF_TWO, 1, 0.1}, {ADMM_LEVELS_POWER_OF_TWO, 6, 0.4},
        {ADMM_LEVELS_BINARY, 1, 1.0},       {ADMM_LEVELS_TERNARY, 2, 0.6},
        {ADMM_LEVELS_TERNARY, 1, 0.6},      {ADMM_LEVELS_SIGN, 1, 1.0}};
    for (size_t i = 0; i < sizeof fillings / sizeof fillings[0]; i++)
        by_every_pair(random_model(small_network(), fillings[i], i));
}

static void empty_full_and_one(void **state) {
    (void)state;
    const filling none = {ADMM_LEVELS_EQUAL, 3, 0.0};
    const filling all = {ADMM_LEVELS_EQUAL, 3, 1.0};
    for (int last = 0; last < 2; last++) {
        pack_model *one = random_model(one_product(50, 20), none, 3);
        one->tensors[0].codes[last == 0 ? 0 : 999] = -4;
        by_every_pair(one);
    }
    by_every_pair(random_model(one_product(50, 20), none, 1));
    by_every_pair(random_model(one_product(50, 20), all, 2));
    by_every_pair(random_model(one_product(1, 1), none, 4));
    by_every_pair(random_model(one_product(1, 1), all, 5));
    by_every_pair(random_model(one_product(70000, 2), (filling){ADMM_LEVELS_EQUAL, 2, 5e-5}, 6));
    by_every_pair(random_model(one_product(2, 3000), (filling){ADMM_LEVELS_EQUAL, 4, 0.01}, 7));
}

static void every_code_there_is(void **state) {
    (void)state;
    for (unsigned bits = 1; bits <= 10; bits++) {
        int32_t most = 1 << (bits - 1);
        pack_model *model = random_model(one_product((uint32_t)(2 * most), 1),
                                         (filling){ADMM_LEVELS_EQUAL, bits, 0.0}, 1);
        for (int32_t i = 0; i < 2 * most; i++)
            model->tensors[0].codes[i] = i < most ? i + 1 : most - i - 1;
        by_every_pair(model);
    }
}

static void floats_of_any_bits(void **state) {
    (void)state;
    pack_model *model;
    graph *g = small_network();
    MUST(pack_model_create(g, &model, err));
    base_random random = base_random_at(4, 4, 4);
    for (uint32_t p = 0; p < g->parameter_count; p++)
        fill_floats(&model->tensors[p], g->parameters[p].count, p % 2 == 0 ? 0.2 : 1.0, &random);
    const uint32_t odd[4] = {0x80000000U, 0x7fc12345U, 0xff800000U, 1U};
    memcpy(model->tensors[0].values + 2, odd, sizeof odd);
    const data_tones tones = {{0.1307F, 0.5F, -1.0F}, {3.2456F, 1.0F, 0.25F}};
    model->tones = tones;
    graph_free(g);
    by_every_pair(model);
}

static void normalizations_and_dropouts(void **state) {
    (void)state;
    by_every_pair(random_model(normalized_network(), (filling){ADMM_LEVELS_BINARY, 1, 1.0}, 1));
    by_every_pair(random_model(zoo("mlp-bn-9"), (filling){ADMM_LEVELS_EQUAL, 3, 0.2}, 2));
}

/* Every operation, and networks with branches, groups, depthwise layers and matmuls. */
static void any_network_comes_back(void **state) {
    (void)state;
    const char *const names[] = {"resnet-20", "mobilenet-v2", "transformer-small"};
    by_every_pair(random_model(any_network(), (filling){ADMM_LEVELS_EQUAL, 3, 0.2}, 1));
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        graph *g;
        MUST(graph_zoo_create(names[i], graph_shape_image(3, 32, 32), 10, &g, err));
        pack_model *model = random_model(g, (filling){ADMM_LEVELS_EQUAL_ZERO, 4, 0.05}, i);
        model->tones = (data_tones){{0.485F, 0.456F, 0.406F}, {4.4F, 4.5F, 4.6F}};
        assert_int_equal(topology_version(model->g), PACK_VERSION_ANY);
        round_trip(model, PACK_POSITION_RELATIVE, PACK_CODER_FIXED);
        pack_model_free(model);
    }
}

static void zeros_keep_their_sign(void **state) {
    (void)state;
    graph *g;
    uint32_t v;
    MUST(graph_create("zeros", graph_shape_vector(3), &g, err));
    MUST(graph_add_unary(g, "a", g->input, (graph_unary){GRAPH_LEAKY_RELU, -0.0F, 0.0F}, &v, err));
    MUST(graph_add_unary(g, "b", v, (graph_unary){GRAPH_CLIP, 0.0F, -0.0F}, &v, err));
    MUST(graph_add_inner_product(g, "fc", v, 2, true, &v, err));
    by_every_pair(random_model(g, (filling){ADMM_LEVELS_EQUAL, 3, 0.5}, 1));
}

typedef struct published {
    const char *name;
    uint32_t channels, side, classes;
    size_t bytes; /* that its description takes at most */
} published;

/* At full size, without its parameters. */
static void descriptions_of_the_zoo_come_back(void **state) {
    (void)state;
    const published networks[] = {
        {"lenet-5", 1, 28, 10, 64},           {"lenet-5-bn", 1, 28, 10, 64},
        {"lenet-300-100", 1, 28, 10, 32},     {"mlp-bn-4096", 1, 28, 10, 64},
        {"vgg-16", 3, 224, 1000, 450},        {"alexnet", 3, 227, 1000, 192},
        {"vgg-small", 3, 32, 10, 256},        {"resnet-18", 3, 224, 1000, 1200},
        {"resnet-50", 3, 224, 1000, 2500},    {"resnet-20", 3, 32, 10, 1200},
        {"resnet-56", 3, 32, 10, 3000},       {"mobilenet-v1", 3, 224, 1000, 1200},
        {"mobilenet-v2", 3, 224, 1000, 2500}, {"transformer-small", 3, 32, 10, 3000}};
    for (size_t i = 0; i < sizeof networks / sizeof networks[0]; i++) {
        const published *n = &networks[i];
        const graph_shape shape = graph_shape_image(n->channels, n->side, n->side);
        graph *g;
        graph *back;
        base_writer w = {0};
        MUST(graph_zoo_create(n->name, shape, n->classes, &g, err));
        MUST(topology_check(g, err));
        const unsigned version = topology_version(g);
        assert_int_equal(version, i < 5 ? PACK_VERSION_CHAIN : PACK_VERSION_ANY);
        topology_write(g, version, &w);
        if (w.count > n->bytes)
            fail_msg("%s takes %zu bytes", n->name, w.count);
        base_reader in = {.bytes = w.bytes, .count = w.count};
        MUST(topology_read(&in, version, n->name, &back, err));
        assert_int_equal(in.at, w.count);
        back->initialisation = g->initialisation; /* which a trained network has no use for */
        expect_same_graph(g, back);
        base_writer_free(&w);
        graph_free(g);
        graph_free(back);
    }
}

/* Intervals of which all lower halves are zero take two bytes instead of four. */
static void short_intervals(void **state) {
    (void)state;
    pack_model *model = random_model(small_network(), (filling){ADMM_LEVELS_EQUAL, 3, 0.2}, 1);
    size_t whole = round_trip(model, PACK_POSITION_AUTO, PACK_CODER_AUTO);
    for (uint32_t p = 0; p < model->g->parameter_count; p++)
        model->tensors[p].step = 0.0390625F;
    size_t halved = round_trip(model, PACK_POSITION_AUTO, PACK_CODER_AUTO);
    assert_int_equal(whole - halved, 2 * model->g->parameter_count);
    pack_model_free(model);
}

/* AUTO is never beaten by a pair of coders named by hand. */
static void auto_is_the_smallest(void **state) {
    (void)state;
    const double densities[] = {0.002, 0.05, 0.4, 0.9};
    for (size_t d = 0; d < 4; d++) {
        pack_model *model = random_model(one_product(200, 40),
                                         (filling){ADMM_LEVELS_EQUAL_ZERO, 3, densities[d]}, d);
        size_t best = round_trip(model, PACK_POSITION_AUTO, PACK_CODER_AUTO);
        for (int p = PACK_POSITION_DENSE; p <= PACK_POSITION_ENTROPY; p++)
            for (int v = PACK_CODER_FIXED; v <= PACK_CODER_RANGE; v++)
                assert_true(round_trip(model, (pack_position_id)p, (pack_coder_id)v) + 1 >= best);
        pack_model_free(model);
    }
}

static void what_no_file_holds_is_refused(void **state) {
    (void)state;
    const pack_settings any = {.positions = PACK_POSITION_AUTO, .values = PACK_CODER_AUTO};
    const float steps[] = {-1.0F, NAN, INFINITY, 1e-40F, 3e38F, 0.0F};
    pack_model *model = random_model(small_network(), (filling){ADMM_LEVELS_EQUAL, 4, 0.5}, 1);
    admmnn_error err;
    bytes file;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        model->tensors[0].step = steps[i];
        assert_int_equal(pack_encode(model, &any, &file.at, &file.count, NULL, &err), ADMMNN_USAGE);
        assert_non_null(strstr(err.message, "conv1"));
    }
    model->tensors[0].step = 1.0F;
    model->tensors[0].codes[3] = 9;
    assert_int_equal(pack_encode(model, &any, &file.at, &file.count, NULL, &err), ADMMNN_USAGE);
    model->tensors[0].codes[3] = -8;
    model->tensors[0].bits = 17;
    assert_int_equal(pack_encode(model, &any, &file.at, &file.count, NULL, &err), ADMMNN_USAGE);
    model->tensors[0].bits = 4;
    const char *names[] = {"", "new\nline", "pool1"};
    for (size_t i = 0; i < 3; i++) {
        snprintf(model->g->nodes[0].name, GRAPH_NAME_MAX, "%s", names[i]);
        assert_int_equal(pack_encode(model, &any, &file.at, &file.count, NULL, &err), ADMMNN_USAGE);
    }
    snprintf(model->g->nodes[0].name, GRAPH_NAME_MAX, "conv1");
    round_trip(model, PACK_POSITION_AUTO, PACK_CODER_AUTO);
    pack_model_free(model);
}

/* The same bytes from every compiler and machine: those of the first. */
static void bytes_are_the_same_everywhere(void **state) {
    (void)state;
    pack_model *model = random_model(small_network(), (filling){ADMM_LEVELS_EQUAL, 3, 0.2}, 5);
    bytes file = encode(model, PACK_POSITION_ENTROPY, PACK_CODER_RANGE, NULL);
    assert_int_equal(file.count, 0x91);
    assert_int_equal(base_crc32(file.at, file.count - 4), 0xd64c1b57);
    base_free(file.at);
    pack_model_free(model);
    model = random_model(any_network(), (filling){ADMM_LEVELS_EQUAL, 3, 0.2}, 5);
    file = encode(model, PACK_POSITION_ENTROPY, PACK_CODER_RANGE, NULL);
    assert_int_equal(file.count, 0x246);
    assert_int_equal(base_crc32(file.at, file.count - 4), 0xf39e7917);
    base_free(file.at);
    pack_model_free(model);
}

static bool stop_at_zero(void *user) {
    unsigned *left = user;
    return (*left)-- == 0;
}

/* Between any two trials; nothing is left. */
static void packing_stops_on_request(void **state) {
    (void)state;
    pack_model *model = random_model(small_network(), (filling){ADMM_LEVELS_EQUAL, 3, 0.2}, 5);
    admmnn_status status = ADMMNN_CANCELLED;
    unsigned trials = 0;
    for (; status != ADMMNN_OK; trials++) {
        unsigned left = trials;
        const admmnn_context context = {.cancelled = stop_at_zero, .user = &left};
        const pack_settings settings = {
            .positions = PACK_POSITION_AUTO, .values = PACK_CODER_AUTO, .context = &context};
        admmnn_error err;
        bytes file = {0};
        status = pack_encode(model, &settings, &file.at, &file.count, NULL, &err);
        assert_true(status == ADMMNN_OK || status == ADMMNN_CANCELLED);
        assert_true((file.at != NULL) == (status == ADMMNN_OK));
        base_free(file.at);
    }
    assert_true(trials > model->g->parameter_count);
    pack_model_free(model);
}

static void names_of_coders(void **state) {
    (void)state;
    pack_settings settings;
    MUST(pack_settings_find(NULL, NULL, &settings, err));
    assert_true(settings.positions == PACK_POSITION_AUTO && settings.values == PACK_CODER_AUTO);
    MUST(pack_settings_find("bitmap", "huffman", &settings, err));
    assert_true(settings.positions == PACK_POSITION_BITMAP &&
                settings.values == PACK_CODER_HUFFMAN);
    assert_int_equal(pack_settings_find("bitmaps", NULL, &settings, NULL), ADMMNN_USAGE);
    assert_int_equal(pack_settings_find(NULL, "", &settings, NULL), ADMMNN_USAGE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_levels),
        cmocka_unit_test(empty_full_and_one),
        cmocka_unit_test(every_code_there_is),
        cmocka_unit_test(floats_of_any_bits),
        cmocka_unit_test(normalizations_and_dropouts),
        cmocka_unit_test(any_network_comes_back),
        cmocka_unit_test(zeros_keep_their_sign),
        cmocka_unit_test(descriptions_of_the_zoo_come_back),
        cmocka_unit_test(short_intervals),
        cmocka_unit_test(auto_is_the_smallest),
        cmocka_unit_test(bytes_are_the_same_everywhere),
        cmocka_unit_test(packing_stops_on_request),
        cmocka_unit_test(names_of_coders),
        cmocka_unit_test(what_no_file_holds_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
