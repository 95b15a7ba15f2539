/* The engine itself: the choice of a back end, wrong use, supports that are
 * refused. */
#include "support.h"

static graph *lenet300(void) {
    graph *g;
    assert_int_equal(graph_zoo_create("lenet-300-100", graph_shape_image(1, 28, 28), 10, &g, NULL),
                     ADMMNN_OK);
    return g;
}

/* A network of one convolution of that stride and, maybe, an inner product below
 * it. */
static graph *small_network(uint32_t stride, bool product_first) {
    graph *g;
    assert_int_equal(graph_create("small", graph_shape_image(1, 6, 6), &g, NULL), ADMMNN_OK);
    uint32_t v = g->input;
    graph_window window = {{2, 2}, {stride, stride}, {0, 0}, {0, 0}, {1, 1}};
    if (product_first) {
        window = (graph_window){{1, 1}, {stride, stride}, {0, 0}, {0, 0}, {1, 1}};
        assert_int_equal(graph_add_inner_product(g, "p", v, 5, true, &v, NULL), ADMMNN_OK);
    }
    assert_int_equal(graph_add_conv(g, "c", v, 2, graph_conv_of(window), &v, NULL), ADMMNN_OK);
    return g;
}

static void names(void **state) {
    (void)state;
    engine_backend_id id;
#define FIND(name, text)                                                                           \
    assert_int_equal(engine_backend_find(text, &id, NULL), ADMMNN_OK);                             \
    assert_int_equal(id, ENGINE_##name);
    ENGINE_BACKEND_MAP(FIND)
#undef FIND
    EXPECT(engine_backend_find("cuda", &id, err), ADMMNN_USAGE, "'cuda'");
    EXPECT(engine_backend_find("", &id, err), ADMMNN_USAGE, "lanes");
}

static void expect_chosen(graph *g, engine_backend_id backend, const char *name) {
    base_pool *pool = pool_make(1);
    const engine_settings settings = {.backend = backend, .max_batch = 4, .training = true};
    engine *e;
    admmnn_error err = {0};
    assert_int_equal(engine_create(g, &settings, pool, &e, &err), ADMMNN_OK);
    assert_int_equal(err.status, ADMMNN_OK);
    assert_string_equal(engine_backend_name(e), name);
    engine_destroy(e);
    base_pool_destroy(pool);
    graph_free(g);
}

static void auto_takes_the_fastest_that_holds_the_graph(void **state) {
    (void)state;
    expect_chosen(lenet300(), ENGINE_AUTO, "lanes");
    expect_chosen(small_network(2, false), ENGINE_AUTO, "dnnl");
    expect_chosen(small_network(2, true), ENGINE_AUTO, "dnnl");
    expect_chosen(lenet300(), ENGINE_DNNL, "dnnl");
    expect_chosen(lenet300(), ENGINE_REFERENCE, "reference");
}

static void lanes_name_the_node_they_lack(void **state) {
    (void)state;
    base_pool *pool = pool_make(1);
    engine *e = NULL;
    graph *strided = small_network(2, false);
    engine_settings settings = {.backend = ENGINE_LANES, .max_batch = 4, .training = true};
    EXPECT(engine_create(strided, &settings, pool, &e, err), ADMMNN_UNSUPPORTED, "node c");
    assert_null(e);
    graph_free(strided);
    base_pool_destroy(pool);
}

/* Chains that differ from what lanes hold in one thing. */
static graph *unusual_network(unsigned k) {
    graph *g;
    graph_conv conv = graph_conv_of(graph_window_of(2, 1, 0));
    graph_pool pool = graph_pool_of(graph_window_of(2, 2, 0));
    uint32_t v;
    uint32_t z;
    assert_int_equal(graph_create("unusual", graph_shape_image(2, 7, 7), &g, NULL), ADMMNN_OK);
    v = g->input;
    conv.groups = k == 0 ? 2 : 1;
    conv.biased = k != 1;
    conv.window.dilation[1] = k == 2 ? 2 : 1;
    conv.window.pad_end[0] = k == 3 ? 1 : 0;
    pool.ceil = k == 4;
    pool.window.dilation[0] = k == 5 ? 2 : 1;
    pool.window.pad_end[1] = k == 6 ? 1 : 0;
    assert_int_equal(graph_add_conv(g, "c", v, 4, conv, &v, NULL), ADMMNN_OK);
    if (k == 7)
        assert_int_equal(graph_add_average_pool(g, "p", v, pool, &v, NULL), ADMMNN_OK);
    else
        assert_int_equal(graph_add_maxpool(g, "p", v, pool, &v, NULL), ADMMNN_OK);
    if (k == 8)
        assert_int_equal(graph_add_binary(g, "b", GRAPH_ADD, v, v, &v, NULL), ADMMNN_OK);
    assert_int_equal(graph_add_inner_product(g, "f", v, 3, k != 9, &v, NULL), ADMMNN_OK);
    if (k == 10) { /* a chain, but not from the input */
        assert_int_equal(graph_add_parameter(g, "z", GRAPH_TENSOR, graph_shape_vector(3), &z, NULL),
                         ADMMNN_OK);
        assert_int_equal(graph_add_inner_product(g, "g", z, 3, true, &v, NULL), ADMMNN_OK);
    }
    return g;
}

static void lanes_refuse_what_they_would_get_wrong(void **state) {
    (void)state;
    base_pool *pool = pool_make(1);
    const engine_settings settings = {.backend = ENGINE_LANES, .max_batch = 4, .training = true};
    for (unsigned k = 0; k <= 10; k++) {
        graph *g = unusual_network(k);
        engine *e = NULL;
        EXPECT(engine_create(g, &settings, pool, &e, err), ADMMNN_UNSUPPORTED, "back end");
        assert_null(e);
        graph_free(g);
        expect_chosen(unusual_network(k), ENGINE_AUTO, "dnnl");
    }
    graph *usual = unusual_network(11);
    expect_chosen(usual, ENGINE_AUTO, "lanes");
    base_pool_destroy(pool);
}

static void creation_checks_its_arguments(void **state) {
    (void)state;
    base_pool *pool = pool_make(1);
    graph *g = lenet300();
    graph *empty;
    assert_int_equal(graph_create("bare", graph_shape_image(1, 2, 2), &empty, NULL), ADMMNN_OK);
    engine *e = NULL;
    engine_settings settings = {.backend = ENGINE_AUTO, .training = true};
    EXPECT(engine_create(g, &settings, pool, &e, err), ADMMNN_USAGE, "at least 1");
    settings.max_batch = 4;
    EXPECT(engine_create(empty, &settings, pool, &e, err), ADMMNN_USAGE, "bare");
    const float one = 1.0F;
    const uint32_t output = g->output;
    assert_int_equal(graph_add_constant(g, graph_shape_vector(1), &one, &g->output, NULL),
                     ADMMNN_OK);
    EXPECT(engine_create(g, &settings, pool, &e, err), ADMMNN_USAGE, "alike");
    g->output = output;
    settings.backend = (engine_backend_id)17;
    EXPECT(engine_create(g, &settings, pool, &e, err), ADMMNN_USAGE, "17");
    assert_int_equal(engine_create(g, &settings, pool, &e, NULL), ADMMNN_USAGE);
    assert_null(e);
    engine_destroy(NULL);
    graph_free(empty);
    graph_free(g);
    base_pool_destroy(pool);
}

typedef struct bench {
    graph *g;
    base_pool *pool;
    samples s;
    float *params;
    engine *e;
} bench;

static bench bench_make(engine_backend_id backend, bool training) {
    bench b = {.g = lenet300(), .pool = pool_make(2)};
    const engine_settings settings = {.backend = backend, .max_batch = 4, .training = training};
    b.s = samples_make(b.g, 4);
    b.params = floats(b.g->flat_count);
    assert_int_equal(engine_create(b.g, &settings, b.pool, &b.e, NULL), ADMMNN_OK);
    return b;
}

static void bench_free(bench *b) {
    engine_destroy(b->e);
    samples_free(&b->s);
    base_free(b->params);
    base_pool_destroy(b->pool);
    graph_free(b->g);
}

static void passes_check_their_arguments(void **state) {
    (void)state;
    bench b = bench_make(ENGINE_REFERENCE, true);
    float logits[40];
    engine_result result;
    engine_batch batch = batch_of(&b.s, 0);
    EXPECT(engine_forward(b.e, b.params, &batch, logits, err), ADMMNN_USAGE, "0 samples");
    EXPECT(engine_step(b.e, b.params, &batch, &result, err), ADMMNN_USAGE, "0 samples");
    batch.count = 5;
    EXPECT(engine_step(b.e, b.params, &batch, &result, err), ADMMNN_USAGE, "1 to 4");
    EXPECT(engine_forward(b.e, b.params, &batch, logits, err), ADMMNN_USAGE, "1 to 4");
    batch.count = 4;
    EXPECT(engine_forward(b.e, NULL, &batch, logits, err), ADMMNN_USAGE, "parameters");
    batch.fill = NULL;
    EXPECT(engine_step(b.e, b.params, &batch, &result, err), ADMMNN_USAGE, "fills");
    batch.fill = fill_sample;
    batch.labels = NULL;
    EXPECT(engine_step(b.e, b.params, &batch, &result, err), ADMMNN_USAGE, "labels");
    assert_int_equal(engine_forward(b.e, b.params, &batch, logits, NULL), ADMMNN_OK);
    batch.labels = b.s.labels;
    b.s.labels[2] = 10;
    EXPECT(engine_step(b.e, b.params, &batch, &result, err), ADMMNN_INPUT, "sample 2");
    b.s.labels[2] = 9;
    assert_int_equal(engine_step(b.e, b.params, &batch, &result, NULL), ADMMNN_OK);
    bench_free(&b);
}

static void an_engine_for_inference_takes_no_step(void **state) {
    (void)state;
    static const engine_backend_id ids[] = {ENGINE_LANES, ENGINE_REFERENCE, ENGINE_DNNL};
    for (size_t i = 0; i < 3; i++) {
        bench b = bench_make(ids[i], false);
        bench trained = bench_make(ids[i], true);
        float logits[40];
        float expected[40];
        engine_result result;
        engine_batch batch = batch_of(&b.s, 3);
        graph_initialise(b.g, 1, b.params);
        EXPECT(engine_step(b.e, b.params, &batch, &result, err), ADMMNN_USAGE, "forward");
        assert_int_equal(engine_forward(b.e, b.params, &batch, logits, NULL), ADMMNN_OK);
        assert_int_equal(engine_forward(trained.e, b.params, &batch, expected, NULL), ADMMNN_OK);
        assert_true(distance(logits, expected, 30) < 1e-6);
        bench_free(&b);
        bench_free(&trained);
    }
}

static void supports_are_checked(void **state) {
    (void)state;
    static const engine_backend_id ids[] = {ENGINE_LANES, ENGINE_REFERENCE};
    for (size_t i = 0; i < 2; i++) {
        bench b = bench_make(ids[i], true);
        const size_t good[] = {0, 5, b.g->parameters[1].offset};
        const size_t twice[] = {4, 4};
        const size_t falling[] = {9, 3};
        const size_t beyond[] = {1, b.g->flat_count};
        /* After the last layer's 10 biases up to the next multiple of 16. */
        const size_t padding[] = {b.g->flat_count - 1};
        assert_int_equal(engine_set_support(b.e, good, 3, NULL), ADMMNN_OK);
        EXPECT(engine_set_support(b.e, twice, 2, err), ADMMNN_USAGE, "place 1");
        EXPECT(engine_set_support(b.e, falling, 2, err), ADMMNN_USAGE, "ascend");
        EXPECT(engine_set_support(b.e, beyond, 2, err), ADMMNN_USAGE, "no parameter");
        EXPECT(engine_set_support(b.e, padding, 1, err), ADMMNN_USAGE, "no parameter");
        EXPECT(engine_set_support(b.e, NULL, 2, err), ADMMNN_USAGE, "none given");
        /* The support before the refused ones stands. */
        assert_int_equal(engine_parameter_count(b.e), 3);
        engine_batch batch = batch_of(&b.s, 4);
        engine_result result;
        assert_int_equal(engine_step(b.e, b.params, &batch, &result, NULL), ADMMNN_OK);
        bench_free(&b);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(auto_takes_the_fastest_that_holds_the_graph),
        cmocka_unit_test(lanes_name_the_node_they_lack),
        cmocka_unit_test(lanes_refuse_what_they_would_get_wrong),
        cmocka_unit_test(creation_checks_its_arguments),
        cmocka_unit_test(passes_check_their_arguments),
        cmocka_unit_test(an_engine_for_inference_takes_no_step),
        cmocka_unit_test(supports_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
