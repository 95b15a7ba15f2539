/* The model of the loss and ADMM's x step on it, beside the whole matrix of a small network; and
 * the labels that it is measured by. */
#include "train/curvature.h"

#include "drawn.h"
#include "support.h"

#define GRADIENTS 7
#define LARGEST 36 /* weights of a layer */

static graph *two_layers(uint32_t width, uint32_t hidden) {
    graph *g;
    assert_int_equal(graph_create("two", graph_shape_image(1, 2, width), &g, NULL), ADMMNN_OK);
    uint32_t v = g->input;
    assert_int_equal(graph_add_inner_product(g, "fc1", v, hidden, true, &v, NULL), ADMMNN_OK);
    assert_int_equal(graph_add_relu(g, "relu", v, &v, NULL), ADMMNN_OK);
    assert_int_equal(graph_add_inner_product(g, "fc2", v, 3, true, &v, NULL), ADMMNN_OK);
    return g;
}

/* A model of GRADIENTS gradients around w0. */
typedef struct model {
    graph *g;
    base_pool *pool;
    float *w0, *anchor, *gradients[GRADIENTS];
    train_curvature *c;
} model;

static model model_make(graph *g, unsigned threads) {
    model m = {.g = g, .w0 = drawn(g->flat_count, 1), .anchor = drawn(g->flat_count, 2)};
    assert_int_equal(base_pool_create(threads, &m.pool, NULL), ADMMNN_OK);
    assert_int_equal(train_curvature_create(g, m.pool, &m.c, NULL), ADMMNN_OK);
    for (size_t i = 0; i < GRADIENTS; i++) {
        m.gradients[i] = drawn(g->flat_count, 10 + i);
        assert_int_equal(train_curvature_add(m.c, m.gradients[i], NULL), ADMMNN_OK);
    }
    assert_int_equal(train_curvature_settle(m.c, m.w0, NULL), ADMMNN_OK);
    return m;
}

static void model_free(model *m) {
    train_curvature_free(m->c);
    for (size_t i = 0; i < GRADIENTS; i++)
        base_free(m->gradients[i]);
    base_free(m->w0);
    base_free(m->anchor);
    base_pool_destroy(m->pool);
    graph_free(m->g);
}

static const graph_parameter *weight_at(const model *m, uint32_t layer) {
    return &m->g->parameters[m->g->nodes[graph_layer(m->g, layer)].weight];
}

/* sum G G' (or G' G), entry i, k. */
static double product_of(const model *m, const graph_parameter *w, bool right, size_t i, size_t k) {
    double sum = 0;
    for (size_t t = 0; t < GRADIENTS; t++) {
        const float *g = m->gradients[t] + w->offset;
        for (size_t j = 0; j < (right ? w->rows : w->columns); j++)
            sum += right ? (double)g[j * w->columns + i] * (double)g[j * w->columns + k]
                         : (double)g[i * w->columns + j] * (double)g[k * w->columns + j];
    }
    return sum;
}

static double trace_of(const model *m, const graph_parameter *w) {
    double trace = 0;
    for (size_t i = 0; i < w->rows; i++)
        trace += product_of(m, w, false, i, i);
    return trace;
}

/* A factor's entry: the left one's trace is 1; a thousandth of the diagonal's mean is added. */
static double factor_of(const model *m, const graph_parameter *w, bool right, size_t i, size_t k) {
    const double trace = trace_of(m, w);
    const double scale = right ? 1 : 1 / trace;
    const double count = right ? w->columns : w->rows;
    return scale * (product_of(m, w, right, i, k) + (i == k ? 1e-3 * trace / count : 0));
}

static double entry_of(const model *m, const graph_parameter *w, size_t p, size_t q) {
    return factor_of(m, w, false, p / w->columns, q / w->columns) *
           factor_of(m, w, true, p % w->columns, q % w->columns);
}

/* Gauss's elimination, of what is positive definite. */
static void solve(size_t n, double a[LARGEST][LARGEST + 1]) {
    for (size_t i = 0; i < n; i++)
        for (size_t r = 0; r < n; r++) {
            const double by = a[r][i] / a[i][i];
            for (size_t j = i; r != i && j <= n; j++)
                a[r][j] -= by * a[i][j];
        }
    for (size_t i = 0; i < n; i++)
        a[i][n] /= a[i][i];
}

/* (H + rho I) x = H w0 + rho anchor */
static void expect_minimiser(const model *m, uint32_t layer, double rho, const float *x) {
    static double a[LARGEST][LARGEST + 1];
    const graph_parameter *w = weight_at(m, layer);
    assert_in_range(w->count, 1, LARGEST);
    const double mean = trace_of(m, w) / (double)w->count;
    assert_true(fabs(train_curvature_mean(m->c, layer) / mean - 1) < 1e-5);
    for (size_t p = 0; p < w->count; p++) {
        a[p][w->count] = rho * mean * (double)m->anchor[w->offset + p];
        for (size_t q = 0; q < w->count; q++) {
            const double h = entry_of(m, w, p, q);
            a[p][q] = h + (p == q ? rho * mean : 0);
            a[p][w->count] += h * (double)m->w0[w->offset + q];
        }
    }
    solve(w->count, a);
    for (size_t p = 0; p < w->count; p++)
        assert_true(fabs((double)x[w->offset + p] - a[p][w->count]) < 1e-4);
}

static void steps_are_those_of_the_whole_matrix(void **state) {
    (void)state;
    const float rhos[][2] = {{0.01F, 3}, {1, 1}, {1e-6F, 1e6F}};
    model m = model_make(two_layers(3, 6), 2);
    float *x = drawn(m.g->flat_count, 3);
    float *before = base_array_copy(x, m.g->flat_count, sizeof *x);
    for (size_t r = 0; r < 3; r++) {
        assert_int_equal(train_curvature_step(m.c, rhos[r], m.anchor, x, NULL), ADMMNN_OK);
        for (uint32_t l = 0; l < 2; l++)
            expect_minimiser(&m, l, (double)rhos[r][l], x);
    }
    const graph_parameter *bias = parameter_of(m.g, "fc1", true);
    assert_memory_equal(x + bias->offset, before + bias->offset, bias->count * sizeof *x);
    base_free(x);
    base_free(before);
    model_free(&m);
}

/* A side of too many is its diagonal: each column of the weights is then on its own. */
static void long_sides_are_diagonal(void **state) {
    (void)state;
    const float rho[2] = {0.5F, 0.5F};
    model m = model_make(two_layers(TRAIN_CURVATURE_SIDE_MAX / 2 + 1, 2), 1);
    float *x = drawn(m.g->flat_count, 3);
    assert_int_equal(train_curvature_step(m.c, rho, m.anchor, x, NULL), ADMMNN_OK);
    const graph_parameter *w = weight_at(&m, 0);
    assert_int_equal(w->rows, 2);
    const double pull = 0.5 * trace_of(&m, w) / (double)w->count;
    for (size_t j = 0; j < w->columns; j += 501) {
        static double a[LARGEST][LARGEST + 1];
        for (size_t i = 0; i < 2; i++) {
            a[i][2] = pull * (double)m.anchor[w->offset + i * w->columns + j];
            for (size_t k = 0; k < 2; k++) {
                const double h = factor_of(&m, w, false, i, k) * factor_of(&m, w, true, j, j);
                a[i][k] = h + (i == k ? pull : 0);
                a[i][2] += h * (double)m.w0[w->offset + k * w->columns + j];
            }
        }
        solve(2, a);
        for (size_t i = 0; i < 2; i++)
            assert_true(fabs((double)x[w->offset + i * w->columns + j] - a[i][2]) < 1e-5);
    }
    base_free(x);
    model_free(&m);
}

static void threads_do_not_matter(void **state) {
    (void)state;
    const float rho[2] = {0.1F, 0.2F};
    float *x[3];
    size_t bytes = 0;
    for (unsigned t = 0; t < 3; t++) {
        model m = model_make(two_layers(40, 30), t + 1);
        x[t] = base_array(m.g->flat_count, sizeof *x[t]);
        bytes = m.g->flat_count * sizeof *x[t];
        assert_int_equal(train_curvature_step(m.c, rho, m.anchor, x[t], NULL), ADMMNN_OK);
        model_free(&m);
    }
    assert_memory_equal(x[0], x[1], bytes);
    assert_memory_equal(x[0], x[2], bytes);
    for (unsigned t = 0; t < 3; t++)
        base_free(x[t]);
}

/* Layers that no gradient reaches go where they are drawn; gradients without end are told. */
static void no_gradient_and_too_much(void **state) {
    (void)state;
    const float rho[2] = {1, 1};
    graph *g = two_layers(3, 6);
    base_pool *pool;
    train_curvature *c;
    admmnn_error err = {0};
    float *x = drawn(g->flat_count, 3);
    float *anchor = drawn(g->flat_count, 2);
    assert_int_equal(base_pool_create(1, &pool, NULL), ADMMNN_OK);
    assert_int_equal(train_curvature_create(g, pool, &c, NULL), ADMMNN_OK);
    assert_int_equal(train_curvature_settle(c, x, NULL), ADMMNN_OK);
    assert_true(train_curvature_mean(c, 0) > 0);
    assert_int_equal(train_curvature_step(c, rho, anchor, x, NULL), ADMMNN_OK);
    const graph_parameter *w = parameter_of(g, "fc1", false);
    for (size_t i = w->offset; i < w->offset + w->count; i++)
        assert_true(fabsf(x[i] - anchor[i]) < 1e-5F);
    train_curvature_free(c);
    assert_int_equal(train_curvature_create(g, pool, &c, NULL), ADMMNN_OK);
    x[w->offset] = INFINITY;
    assert_int_equal(train_curvature_add(c, x, NULL), ADMMNN_OK);
    assert_int_equal(train_curvature_settle(c, anchor, &err), ADMMNN_DIVERGED);
    assert_string_equal(err.message, "the loss's curvature is not finite");
    train_curvature_free(c);
    base_free(x);
    base_free(anchor);
    base_pool_destroy(pool);
    graph_free(g);
}

/* ---- the labels ---- */

typedef struct labels {
    const graph_parameter *bias;
    double counts[CLASSES];
    size_t batches;
} labels;

/* The gradient by the last bias is the sum of p - one-hot. */
static admmnn_status count_labels(void *user, const engine_result *result, admmnn_error *err) {
    (void)err;
    labels *l = user;
    for (size_t c = 0; c < CLASSES; c++)
        for (uint32_t part = 0; part < result->part_count; part++)
            l->counts[c] -= (double)result->parts[part][l->bias->offset + c];
    l->batches++;
    return ADMMNN_OK;
}

/* Every image has the same answer, by the last biases alone. */
static void labels_are_drawn_from_the_answers(void **state) {
    (void)state;
    static const float biases[CLASSES] = {0, 1, -1, 2, -9, 0.5F};
    fixture *f = fixture_make(2);
    labels l = {.bias = parameter_of(f->g, "fc2", true)};
    const graph_parameter *w = parameter_of(f->g, "fc2", false);
    memset(f->start + w->offset, 0, w->count * sizeof(float));
    memcpy(f->start + l.bias->offset, biases, sizeof biases);
    double sum = 0;
    for (size_t c = 0; c < CLASSES; c++)
        sum += exp((double)biases[c]);
    train_network *n = network_make(f, f->start);
    train_optimizer *o = optimizer_make(n, (train_optimizer_settings){.kind = TRAIN_SGD});
    const train_hooks hooks = {.step_user = &l, .measure = count_labels};
    const train_settings settings = {.task = "test",
                                     .epochs = 20,
                                     .batch = BATCH,
                                     .learning_rate = 1,
                                     .label_smoothing = 0.5,
                                     .seed = 3};
    admmnn_error err = {0};
    expect_ok(train_run(n, o, &f->samples, &settings, &hooks, NULL, &err), &err);
    assert_memory_equal(n->params, f->start, f->g->flat_count * sizeof(float));
    assert_int_equal(l.batches, 20 * ((IMAGES + BATCH - 1) / BATCH));
    for (size_t c = 0; c < CLASSES; c++) {
        const double all = 20.0 * IMAGES;
        const double p = exp((double)biases[c]) / sum;
        /* counts has the labels less what is expected of them */
        assert_true(fabs(l.counts[c]) < 4 * sqrt(all * p * (1 - p)) + 1e-2);
    }
    assert_true(fabs(l.counts[3]) > 0.01);
    train_optimizer_free(o);
    train_network_free(n);
    fixture_free(f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_are_those_of_the_whole_matrix),
        cmocka_unit_test(long_sides_are_diagonal),
        cmocka_unit_test(threads_do_not_matter),
        cmocka_unit_test(no_gradient_and_too_much),
        cmocka_unit_test(labels_are_drawn_from_the_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
