#include "train/curvature.h"

#include <lapacke.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "engine/product.h"

/* Share of the mean of a factor's diagonal that is added to all of it: what a finite number of
 * gradients has not seen is not flat. */
#define DAMPING 1e-3
/* Of a layer that no gradient reaches. */
#define LEAST_MEAN 1e-30

/* One of a layer's two factors. */
typedef struct side {
    size_t count;
    float *factor; /* [count][count], or its diagonal alone; in the end the eigenvectors, a row
                      each, or, of a diagonal, NULL */
    float *values; /* [count] eigenvalues */
    bool diagonal;
} side;

typedef struct layer {
    const graph_parameter *weight;
    side left, right;
    float *w0; /* [rows][columns] W0 by the eigenvectors */
    double mean;
    unsigned thread; /* that has it */
    admmnn_status status;
} layer;

/* Each layer is one thread's, so that the threads wait for each other once a step alone. */
struct train_curvature {
    base_pool *pool;
    layer *layers;
    size_t layer_count, largest; /* weights of a layer */
    float *work;                 /* [threads][2][largest] */
};

static bool is_diagonal(size_t count) {
    return count > TRAIN_CURVATURE_SIDE_MAX;
}

static size_t factor_size(size_t count) {
    return is_diagonal(count) ? count : count * count;
}

static const graph_parameter *weight_of(const graph *g, uint32_t layer) {
    return &g->parameters[g->nodes[graph_layer(g, layer)].weight];
}

/* Doubles that the eigenvectors of a side are found in: the matrix and what LAPACK's dsyevd asks
 * for. */
static uint64_t splitting_size(size_t count) {
    const uint64_t n = count;
    return is_diagonal(count) ? 0 : 3 * n * n + 7 * n + 1;
}

static uint64_t larger(uint64_t a, uint64_t b) {
    return a > b ? a : b;
}

uint64_t train_curvature_size(const graph *g, unsigned threads) {
    uint64_t floats = 0;
    uint64_t largest = 0;
    uint64_t doubles = 0;
    for (uint32_t l = 0; l < graph_layer_count(g); l++) {
        const graph_parameter *w = weight_of(g, l);
        floats += factor_size(w->rows) + w->rows + factor_size(w->columns) + w->columns + w->count;
        largest = larger(largest, w->count);
        doubles = larger(doubles, larger(splitting_size(w->rows), splitting_size(w->columns)));
    }
    return (floats + 2 * threads * largest) * sizeof(float) + threads * doubles * sizeof(double);
}

static bool make_side(size_t count, side *s) {
    *s = (side){.count = count, .diagonal = is_diagonal(count)};
    s->factor = base_array(factor_size(count), sizeof *s->factor);
    s->values = base_array(count, sizeof *s->values);
    return s->factor != NULL && s->values != NULL;
}

static bool make_layer(const graph_parameter *weight, layer *l) {
    l->weight = weight;
    l->w0 = base_array(weight->count, sizeof *l->w0);
    return l->w0 != NULL && make_side(weight->rows, &l->left) &&
           make_side(weight->columns, &l->right);
}

static bool make_layers(const graph *g, train_curvature *c) {
    for (uint32_t l = 0; l < c->layer_count; l++) {
        const graph_parameter *weight = weight_of(g, l);
        if (!make_layer(weight, &c->layers[l]))
            return false;
        c->largest = weight->count > c->largest ? weight->count : c->largest;
    }
    c->work = base_array(base_pool_threads(c->pool) * 2 * c->largest, sizeof *c->work);
    return c->work != NULL;
}

/* Of a step, up to a factor. */
static double work_of(const layer *l) {
    return (double)l->weight->count * (l->weight->rows + l->weight->columns);
}

static layer *largest_without_thread(const train_curvature *c, unsigned none) {
    layer *largest = NULL;
    for (size_t i = 0; i < c->layer_count; i++) {
        layer *l = &c->layers[i];
        if (l->thread == none && (largest == NULL || work_of(l) > work_of(largest)))
            largest = l;
    }
    return largest;
}

/* The largest first, each to the thread that has least. */
static bool divide_layers(train_curvature *c) {
    const unsigned threads = base_pool_threads(c->pool);
    double *load = base_array(threads, sizeof *load);
    if (load == NULL)
        return false;
    for (size_t i = 0; i < c->layer_count; i++)
        c->layers[i].thread = threads;
    for (size_t i = 0; i < c->layer_count; i++) {
        layer *l = largest_without_thread(c, threads);
        l->thread = 0;
        for (unsigned t = 1; t < threads; t++)
            l->thread = load[t] < load[l->thread] ? t : l->thread;
        load[l->thread] += work_of(l);
    }
    base_free(load);
    return true;
}

admmnn_status train_curvature_create(const graph *g, base_pool *pool, train_curvature **out,
                                     admmnn_error *err) {
    train_curvature *c = base_array(1, sizeof *c);
    if (c == NULL)
        return base_fail_memory(err, "the curvature");
    *c = (train_curvature){.pool = pool, .layer_count = graph_layer_count(g)};
    c->layers = base_array(c->layer_count, sizeof *c->layers);
    if (c->layers == NULL || !make_layers(g, c) || !divide_layers(c)) {
        train_curvature_free(c);
        return base_fail_memory(err, "the curvature");
    }
    *out = c;
    return ADMMNN_OK;
}

static void free_side(side *s) {
    base_free(s->factor);
    base_free(s->values);
}

void train_curvature_free(train_curvature *c) {
    if (c == NULL)
        return;
    for (size_t l = 0; c->layers != NULL && l < c->layer_count; l++) {
        free_side(&c->layers[l].left);
        free_side(&c->layers[l].right);
        base_free(c->layers[l].w0);
    }
    base_free(c->layers);
    base_free(c->work);
    base_free(c);
}

/* What is done to a layer, with room for two of its size. */
typedef admmnn_status layer_task(layer *l, float *const work[2], const void *argument);

typedef struct turn {
    const train_curvature *c;
    layer_task *task;
    const void *argument;
} turn;

static void take_turn(void *argument, unsigned thread, unsigned threads) {
    (void)threads;
    const turn *t = argument;
    float *first = t->c->work + 2 * thread * t->c->largest;
    float *const work[2] = {first, first + t->c->largest};
    for (size_t i = 0; i < t->c->layer_count; i++)
        if (t->c->layers[i].thread == thread)
            t->c->layers[i].status = t->task(&t->c->layers[i], work, t->argument);
}

static admmnn_status each_layer(const train_curvature *c, layer_task *task, const void *argument,
                                admmnn_error *err) {
    turn t = {c, task, argument};
    base_pool_run(c->pool, take_turn, &t);
    for (size_t i = 0; i < c->layer_count; i++) {
        if (c->layers[i].status == ADMMNN_DIVERGED)
            return base_fail(err, ADMMNN_DIVERGED, "the loss's curvature is not finite");
        if (c->layers[i].status != ADMMNN_OK)
            return base_fail_memory(err, "the loss's curvature");
    }
    return ADMMNN_OK;
}

/* ---- adding ---- */

static void add_diagonals(layer *l, const float *gradient) {
    for (size_t i = 0; i < l->weight->rows; i++)
        for (size_t j = 0; j < l->weight->columns; j++) {
            const float g = gradient[i * l->weight->columns + j];
            if (l->left.diagonal)
                l->left.factor[i] += g * g;
            if (l->right.diagonal)
                l->right.factor[j] += g * g;
        }
}

static admmnn_status add_to_layer(layer *l, float *const work[2], const void *argument) {
    (void)work;
    const float *gradient = (const float *)argument + l->weight->offset;
    const size_t rows = l->weight->rows;
    const size_t columns = l->weight->columns;
    const engine_factor g = {gradient, false};
    const engine_factor turned = {gradient, true};
    if (l->left.diagonal || l->right.diagonal)
        add_diagonals(l, gradient);
    if (!l->left.diagonal)
        BASE_TRY(engine_product(rows, rows, columns, g, turned, true, l->left.factor, NULL));
    if (!l->right.diagonal)
        BASE_TRY(engine_product(columns, columns, rows, turned, g, true, l->right.factor, NULL));
    return ADMMNN_OK;
}

admmnn_status train_curvature_add(train_curvature *c, const float *gradient, admmnn_error *err) {
    return each_layer(c, add_to_layer, gradient, err);
}

/* ---- settling ---- */

static double trace_of(const side *s) {
    double trace = 0;
    for (size_t i = 0; i < s->count; i++)
        trace += s->factor[s->diagonal ? i : i * s->count + i];
    return trace;
}

/* By `scale`, then damped. */
static void scale_side(side *s, double scale, double trace) {
    const size_t size = factor_size(s->count);
    const float damping = (float)(DAMPING * trace * scale / (double)s->count);
    for (size_t i = 0; i < size; i++)
        s->factor[i] *= (float)scale;
    for (size_t i = 0; i < s->count; i++)
        s->factor[s->diagonal ? i : i * s->count + i] += damping;
}

/* Rounding makes of the least ones what is below 0. */
static float not_below_0(double value) {
    return value > 0 ? (float)value : 0.0F;
}

static admmnn_status status_of(lapack_int info) {
    if (info == 0)
        return ADMMNN_OK;
    return info == LAPACK_WORK_MEMORY_ERROR ? ADMMNN_MEMORY : ADMMNN_DIVERGED;
}

static admmnn_status split_matrix(side *s) {
    const size_t size = s->count * s->count;
    const lapack_int n = (lapack_int)s->count;
    double *matrix = base_array(size, sizeof *matrix);
    double *values = base_array(s->count, sizeof *values);
    admmnn_status status = matrix != NULL && values != NULL ? ADMMNN_OK : ADMMNN_MEMORY;
    for (size_t i = 0; status == ADMMNN_OK && i < size; i++)
        matrix[i] = s->factor[i];
    if (status == ADMMNN_OK)
        status = status_of(LAPACKE_dsyevd(LAPACK_COL_MAJOR, 'V', 'L', n, matrix, n, values));
    for (size_t i = 0; status == ADMMNN_OK && i < size; i++)
        s->factor[i] = (float)matrix[i];
    for (size_t i = 0; status == ADMMNN_OK && i < s->count; i++)
        s->values[i] = not_below_0(values[i]);
    base_free(matrix);
    base_free(values);
    return status;
}

static admmnn_status split_side(side *s) {
    if (!s->diagonal)
        return split_matrix(s);
    memcpy(s->values, s->factor, s->count * sizeof *s->values);
    base_free(s->factor);
    s->factor = NULL;
    return ADMMNN_OK;
}

static bool scale_layer(layer *l) {
    const double trace = trace_of(&l->left);
    const double other = trace_of(&l->right);
    if (!isfinite(trace) || !isfinite(other))
        return false;
    const double mean = other / (double)l->weight->count;
    l->mean = mean > LEAST_MEAN ? mean : LEAST_MEAN;
    if (trace > 0)
        scale_side(&l->left, 1 / trace, trace);
    scale_side(&l->right, 1, other);
    return true;
}

/* ---- by the eigenvectors, and back ---- */

/* out = V in for the left side, in V' for the right one, V having an eigenvector a row; `back`: by
 * V' and V. */
static admmnn_status turn_left(const layer *l, bool back, const float *in, float *out) {
    const size_t rows = l->weight->rows;
    const size_t columns = l->weight->columns;
    if (l->left.diagonal) {
        memcpy(out, in, l->weight->count * sizeof *out);
        return ADMMNN_OK;
    }
    return engine_product(rows, columns, rows, (engine_factor){l->left.factor, back},
                          (engine_factor){in, false}, false, out, NULL);
}

static admmnn_status turn_right(const layer *l, bool back, const float *in, float *out) {
    const size_t rows = l->weight->rows;
    const size_t columns = l->weight->columns;
    if (l->right.diagonal) {
        memcpy(out, in, l->weight->count * sizeof *out);
        return ADMMNN_OK;
    }
    return engine_product(rows, columns, columns, (engine_factor){in, false},
                          (engine_factor){l->right.factor, !back}, false, out, NULL);
}

static admmnn_status settle_layer(layer *l, float *const work[2], const void *argument) {
    const float *w0 = (const float *)argument + l->weight->offset;
    if (!scale_layer(l))
        return ADMMNN_DIVERGED;
    BASE_TRY(split_side(&l->left));
    BASE_TRY(split_side(&l->right));
    BASE_TRY(turn_left(l, false, w0, work[0]));
    return turn_right(l, false, work[0], l->w0);
}

admmnn_status train_curvature_settle(train_curvature *c, const float *w0, admmnn_error *err) {
    return each_layer(c, settle_layer, w0, err);
}

double train_curvature_mean(const train_curvature *c, uint32_t i) {
    return c->layers[i].mean;
}

/* ---- steps ---- */

/* By the eigenvectors each weight is alone: its best is between w0 and the anchor. */
static void step_apart(const layer *l, float rho, float *anchor) {
    const size_t columns = l->weight->columns;
    for (size_t i = 0; i < l->weight->rows; i++)
        for (size_t j = 0; j < columns; j++) {
            const size_t at = i * columns + j;
            const float h = l->left.values[i] * l->right.values[j];
            anchor[at] = (h * l->w0[at] + rho * anchor[at]) / (h + rho);
        }
}

typedef struct step {
    const layer *first;
    const float *rho, *anchor;
    float *x;
} step;

static admmnn_status step_layer(layer *l, float *const work[2], const void *argument) {
    const step *s = argument;
    const size_t offset = l->weight->offset;
    BASE_TRY(turn_left(l, false, s->anchor + offset, work[0]));
    BASE_TRY(turn_right(l, false, work[0], work[1]));
    step_apart(l, (float)((double)s->rho[l - s->first] * l->mean), work[1]);
    BASE_TRY(turn_left(l, true, work[1], work[0]));
    return turn_right(l, true, work[0], s->x + offset);
}

admmnn_status train_curvature_step(train_curvature *c, const float *rho, const float *anchor,
                                   float *x, admmnn_error *err) {
    const step s = {c->layers, rho, anchor, x};
    return each_layer(c, step_layer, &s, err);
}
