/* What an engine is after memory ran short. The tests' CMakeLists.txt leads every
 * allocation through __wrap_aligned_alloc. */
#include "support.h"

#define SAMPLES 11

void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);

/* Allocations that succeed before one fails; SIZE_MAX: all do. */
static size_t left = SIZE_MAX;
static size_t most_bytes; /* of one of them so far */

void *__wrap_aligned_alloc(size_t alignment, size_t size) {
    if (left == 0)
        return NULL;
    left -= left != SIZE_MAX;
    most_bytes = size > most_bytes ? size : most_bytes;
    return __real_aligned_alloc(alignment, size);
}

static graph *network(void) {
    graph *g;
    uint32_t v;
    assert_int_equal(graph_create("small", graph_shape_image(1, 9, 9), &g, NULL), ADMMNN_OK);
    const graph_window conv = {{4, 4}, {1, 1}, {0, 0}, {0, 0}, {1, 1}};
    const graph_window pool = {{2, 2}, {2, 2}, {0, 0}, {0, 0}, {1, 1}};
    assert_int_equal(graph_add_conv(g, "a", g->input, 5, graph_conv_of(conv), &v, NULL), ADMMNN_OK);
    assert_int_equal(graph_add_maxpool(g, "p", v, graph_pool_of(pool), &v, NULL), ADMMNN_OK);
    assert_int_equal(graph_add_inner_product(g, "b", v, 20, true, &v, NULL), ADMMNN_OK);
    assert_int_equal(graph_add_relu(g, "r", v, &v, NULL), ADMMNN_OK);
    assert_int_equal(graph_add_inner_product(g, "c", v, 10, true, &v, NULL), ADMMNN_OK);
    return g;
}

#define LARGE 300000

/* The output of one element: gathered many times from two, or a part of a function that oneDNN
 * lacks, by a constant of so many. */
static graph *graph_of_large_constant(bool gathered) {
    graph *g;
    uint32_t v;
    float *numbers = floats(LARGE);
    assert_int_equal(graph_create("large", graph_shape_vector(2), &g, NULL), ADMMNN_OK);
    const graph_shape shape = gathered ? graph_shape_vector(LARGE) : (graph_shape){2, {LARGE, 1}};
    assert_int_equal(graph_add_constant(g, shape, numbers, &v, NULL), ADMMNN_OK);
    if (gathered)
        assert_int_equal(graph_add_gather(g, "y", g->input, v, 0, &v, NULL), ADMMNN_OK);
    else
        assert_int_equal(graph_add_binary(g, "y", GRAPH_POW, g->input, v, &v, NULL), ADMMNN_OK);
    base_free(numbers);
    return g;
}

/* Every `step`th parameter from place `first` of each tensor. */
static size_t choose(const graph *g, size_t first, size_t step, size_t *index) {
    size_t count = 0;
    for (uint32_t p = 0; p < g->parameter_count; p++)
        for (size_t i = first; i < g->parameters[p].count; i += step)
            index[count++] = g->parameters[p].offset + i;
    return count;
}

static void step_once(engine *e, const float *params, samples *s, float *gradient) {
    engine_batch batch = batch_of(s, SAMPLES);
    engine_result result;
    assert_int_equal(engine_step(e, params, &batch, &result, NULL), ADMMNN_OK);
    add_parts(&result, engine_parameter_count(e), gradient);
}

/* Whichever allocation of a change fails, the engine goes on with the parameters it
 * had, and the change can be made later. */
static void expect_unchanged(engine *e, const float *params, samples *s, const size_t *index,
                             size_t count) {
    const size_t before = engine_parameter_count(e);
    float *expected = floats(before);
    float *gradient = floats(before);
    step_once(e, params, s, expected);
    admmnn_status status = ADMMNN_MEMORY;
    for (size_t allowed = 0; status != ADMMNN_OK; allowed++) {
        admmnn_error err = {0};
        left = allowed;
        status = engine_set_support(e, index, count, &err);
        left = SIZE_MAX;
        if (status == ADMMNN_OK) {
            assert_true(allowed > 2 || index == NULL);
            break;
        }
        assert_int_equal(status, ADMMNN_MEMORY);
        assert_int_equal(engine_parameter_count(e), before);
        step_once(e, params, s, gradient);
        assert_memory_equal(gradient, expected, before * sizeof *gradient);
    }
    base_free(expected);
    base_free(gradient);
}

static void a_support_that_has_no_room_changes_nothing(void **state) {
    (void)state;
    static const engine_backend_id ids[] = {ENGINE_LANES, ENGINE_DNNL, ENGINE_REFERENCE};
    graph *g = network();
    base_pool *pool = pool_make(2);
    samples s = samples_make(g, SAMPLES);
    float *params = floats(g->flat_count);
    size_t *index = base_array(g->flat_count, sizeof *index);
    assert_non_null(index);
    base_random random = base_random_at(1, 2, 3);
    for (size_t i = 0; i < s.count * s.elements; i++)
        s.pixels[i] = base_random_uniform(&random);
    graph_initialise(g, 3, params);
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        engine *e = engine_make(g, ids[i], 0, SAMPLES, pool);
        assert_non_null(e);
        size_t some = choose(g, 1, 7, index);
        expect_unchanged(e, params, &s, index, some); /* from all parameters to lists */
        assert_int_equal(engine_parameter_count(e), some);
        size_t most = choose(g, 0, 2, index);
        expect_unchanged(e, params, &s, index, most); /* from lists to scattered weights */
        expect_unchanged(e, params, &s, NULL, 0);     /* and back to all */
        assert_int_equal(engine_parameter_count(e), g->flat_count);
        engine_destroy(e);
    }
    base_free(index);
    base_free(params);
    samples_free(&s);
    base_pool_destroy(pool);
    graph_free(g);
}

/* Before anything large is taken, whatever the back end, and however it divides the work. */
static void more_than_the_memory_is_refused(void **state) {
    (void)state;
    static const engine_backend_id ids[] = {ENGINE_LANES, ENGINE_DNNL, ENGINE_DNNL,
                                            ENGINE_REFERENCE};
    graph *g = network();
    base_pool *pool = pool_make(2);
    for (unsigned i = 0; i < 8; i++) {
        engine_settings settings = {.backend = ids[i % 4],
                                    .max_batch = 20000,
                                    .training = i >= 4,
                                    .division =
                                        i % 4 == 1 ? ENGINE_DIVIDE_CALLS : ENGINE_DIVIDE_SAMPLES,
                                    .memory = 6 << 20};
        engine *e = NULL;
        most_bytes = 0;
        EXPECT(engine_create(g, &settings, pool, &e, err), ADMMNN_MEMORY, "small in batches of");
        EXPECT(engine_create(g, &settings, pool, &e, err), ADMMNN_MEMORY, "there are 6: ");
        assert_true(e == NULL && most_bytes < 1 << 20);
        settings.memory = 1 << 30;
        assert_int_equal(engine_create(g, &settings, pool, &e, NULL), ADMMNN_OK);
        engine_destroy(e);
        settings.max_batch = UINT32_MAX;
        EXPECT(engine_create(g, &settings, pool, &e, err), ADMMNN_MEMORY, "there are 1024: ");
    }
    base_pool_destroy(pool);
    graph_free(g);
}

/* A gather's table, and what an operation that oneDNN lacks has for itself. */
static void what_stands_beside_the_values_counts(void **state) {
    (void)state;
    base_pool *pool = pool_make(1);
    for (unsigned i = 0; i < 2; i++) {
        graph *g = graph_of_large_constant(i == 0);
        engine_settings settings = {.backend = ENGINE_DNNL, .max_batch = 1, .memory = 3 << 20};
        engine *e = NULL;
        EXPECT(engine_create(g, &settings, pool, &e, err), ADMMNN_MEMORY, "there are 3: ");
        settings.memory = 0;
        assert_int_equal(engine_create(g, &settings, pool, &e, NULL), ADMMNN_OK);
        engine_destroy(e);
        graph_free(g);
    }
    base_pool_destroy(pool);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_support_that_has_no_room_changes_nothing),
        cmocka_unit_test(more_than_the_memory_is_refused),
        cmocka_unit_test(what_stands_beside_the_values_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
