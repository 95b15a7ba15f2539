/* The reference back end: every operation of the graph as plain loops, one
 * sample at a time. It is what the fast back ends are tested against, and what
 * AUTO falls back to. A thread takes a contiguous share of the batch and has
 * its own values, value gradients and parameter gradient. */
#include <string.h>

#include "base/memory.h"
#include "engine/backend.h"
#include "engine/loss.h"

typedef struct worker {
    float *values;    /* one sample's values, value v from place[v] */
    float *gradients; /* of the values; training only */
    float *part;      /* [flat_count] parameter gradient; training only */
    engine_loss_sum loss;
} worker;

typedef struct reference {
    const graph *graph;
    base_pool *pool;
    size_t *place; /* [value_count + 1] where each value starts */
    unsigned threads;
    worker *workers;
    const float **parts; /* [threads] */
} reference;

/* One pass, handed to every thread. */
typedef struct pass {
    reference *r;
    const float *params;
    const engine_batch *batch;
    float *logits; /* NULL: a training step */
} pass;

/* ---- windows: convolution and pooling ---- */

typedef struct field {
    graph_shape in, out;
    graph_window window;
} field;

typedef struct span {
    uint32_t first, last; /* half open */
} span;

/* The kernel places of one axis that fall on the input and not on its padding,
 * for output position `at`; kernel place k reads input at * stride + k - pad. */
static span inside(uint32_t at, uint32_t stride, uint32_t pad, uint32_t kernel, uint32_t in) {
    size_t origin = (size_t)at * stride;
    size_t first = origin < pad ? pad - origin : 0;
    size_t last = (size_t)in + pad - origin;
    return (span){(uint32_t)first, (uint32_t)(last < kernel ? last : kernel)};
}

static span inside_rows(const field *f, uint32_t oy) {
    return inside(oy, f->window.stride[0], f->window.pad[0], f->window.kernel[0], f->in.height);
}

static span inside_columns(const field *f, uint32_t ox) {
    return inside(ox, f->window.stride[1], f->window.pad[1], f->window.kernel[1], f->in.width);
}

/* The input element that kernel place (ky, kx) reads in channel c for output
 * position (oy, ox). */
static size_t input_at(const field *f, uint32_t c, uint32_t oy, uint32_t ky, uint32_t ox,
                       uint32_t kx) {
    size_t y = (size_t)oy * f->window.stride[0] + ky - f->window.pad[0];
    size_t x = (size_t)ox * f->window.stride[1] + kx - f->window.pad[1];
    return ((size_t)c * f->in.height + y) * f->in.width + x;
}

static size_t weight_at(const field *f, uint32_t o, uint32_t c, uint32_t ky, uint32_t kx) {
    size_t matrix = (size_t)o * f->in.channels + c;
    return (matrix * f->window.kernel[0] + ky) * f->window.kernel[1] + kx;
}

static size_t output_at(const field *f, uint32_t o, uint32_t oy, uint32_t ox) {
    return ((size_t)o * f->out.height + oy) * f->out.width + ox;
}

/* x[C][H][W], w[O][C][kh][kw], b[O]: the output at (o, oy, ox). */
static float conv_point(const field *f, const float *w, const float *b, const float *x, uint32_t o,
                        uint32_t oy, uint32_t ox) {
    span rows = inside_rows(f, oy);
    span columns = inside_columns(f, ox);
    float sum = b[o];
    for (uint32_t c = 0; c < f->in.channels; c++)
        for (uint32_t ky = rows.first; ky < rows.last; ky++)
            for (uint32_t kx = columns.first; kx < columns.last; kx++)
                sum += w[weight_at(f, o, c, ky, kx)] * x[input_at(f, c, oy, ky, ox, kx)];
    return sum;
}

static void conv_forward(const field *f, const float *w, const float *b, const float *x, float *y) {
    for (uint32_t o = 0; o < f->out.channels; o++)
        for (uint32_t oy = 0; oy < f->out.height; oy++)
            for (uint32_t ox = 0; ox < f->out.width; ox++)
                y[output_at(f, o, oy, ox)] = conv_point(f, w, b, x, o, oy, ox);
}

/* Adds what the output gradient g at (o, oy, ox) gives to dw and dx. */
static void conv_point_backward(const field *f, const float *w, const float *x, float g, uint32_t o,
                                uint32_t oy, uint32_t ox, float *dw, float *dx) {
    span rows = inside_rows(f, oy);
    span columns = inside_columns(f, ox);
    for (uint32_t c = 0; c < f->in.channels; c++) {
        for (uint32_t ky = rows.first; ky < rows.last; ky++) {
            for (uint32_t kx = columns.first; kx < columns.last; kx++) {
                size_t weight = weight_at(f, o, c, ky, kx);
                size_t input = input_at(f, c, oy, ky, ox, kx);
                dw[weight] += g * x[input];
                dx[input] += g * w[weight];
            }
        }
    }
}

static void conv_backward(const field *f, const float *w, const float *x, const float *dy,
                          float *dw, float *db, float *dx) {
    for (uint32_t o = 0; o < f->out.channels; o++) {
        for (uint32_t oy = 0; oy < f->out.height; oy++) {
            for (uint32_t ox = 0; ox < f->out.width; ox++) {
                float g = dy[output_at(f, o, oy, ox)];
                db[o] += g;
                conv_point_backward(f, w, x, g, o, oy, ox, dw, dx);
            }
        }
    }
}

/* The first largest element of the window, in row order; padding never wins. */
static size_t pool_winner(const field *f, const float *x, uint32_t c, uint32_t oy, uint32_t ox) {
    span rows = inside_rows(f, oy);
    span columns = inside_columns(f, ox);
    size_t best = input_at(f, c, oy, rows.first, ox, columns.first);
    for (uint32_t ky = rows.first; ky < rows.last; ky++) {
        for (uint32_t kx = columns.first; kx < columns.last; kx++) {
            size_t candidate = input_at(f, c, oy, ky, ox, kx);
            if (x[candidate] > x[best])
                best = candidate;
        }
    }
    return best;
}

static void pool_forward(const field *f, const float *x, float *y) {
    for (uint32_t c = 0; c < f->out.channels; c++)
        for (uint32_t oy = 0; oy < f->out.height; oy++)
            for (uint32_t ox = 0; ox < f->out.width; ox++)
                y[output_at(f, c, oy, ox)] = x[pool_winner(f, x, c, oy, ox)];
}

static void pool_backward(const field *f, const float *x, const float *dy, float *dx) {
    for (uint32_t c = 0; c < f->out.channels; c++)
        for (uint32_t oy = 0; oy < f->out.height; oy++)
            for (uint32_t ox = 0; ox < f->out.width; ox++)
                dx[pool_winner(f, x, c, oy, ox)] += dy[output_at(f, c, oy, ox)];
}

/* ---- inner product and rectifier ---- */

/* x[columns], w[rows][columns], b[rows] -> y[rows]. */
static void product_forward(size_t rows, size_t columns, const float *w, const float *b,
                            const float *x, float *y) {
    for (size_t r = 0; r < rows; r++) {
        float sum = b[r];
        for (size_t c = 0; c < columns; c++)
            sum += w[r * columns + c] * x[c];
        y[r] = sum;
    }
}

static void product_backward(size_t rows, size_t columns, const float *w, const float *x,
                             const float *dy, float *dw, float *db, float *dx) {
    for (size_t r = 0; r < rows; r++) {
        db[r] += dy[r];
        for (size_t c = 0; c < columns; c++) {
            dw[r * columns + c] += dy[r] * x[c];
            dx[c] += dy[r] * w[r * columns + c];
        }
    }
}

static void relu_forward(size_t count, const float *x, float *y) {
    for (size_t i = 0; i < count; i++)
        y[i] = x[i] <= 0.0F ? 0.0F : x[i]; /* a NaN passes and is noticed in the loss */
}

static void relu_backward(size_t count, const float *x, const float *dy, float *dx) {
    for (size_t i = 0; i < count; i++)
        if (x[i] > 0.0F)
            dx[i] += dy[i];
}

/* ---- nodes ---- */

static field field_of(const graph *g, const graph_node *node) {
    return (field){g->values[node->inputs[0]].shape, g->values[node->output].shape, node->window};
}

/* Operations without weights get a place they do not look at. */
static size_t offset_of(const graph *g, uint32_t parameter) {
    return parameter == GRAPH_NONE ? 0 : g->parameters[parameter].offset;
}

static void node_forward(const reference *r, const graph_node *node, const float *params,
                         float *values) {
    const graph *g = r->graph;
    const field f = field_of(g, node);
    const float *w = params + offset_of(g, node->weight);
    const float *b = params + offset_of(g, node->bias);
    const float *x = values + r->place[node->inputs[0]];
    float *y = values + r->place[node->output];
    switch (node->op) {
    case GRAPH_CONV:
        conv_forward(&f, w, b, x, y);
        break;
    case GRAPH_MAXPOOL:
        pool_forward(&f, x, y);
        break;
    case GRAPH_INNER_PRODUCT:
        product_forward(f.out.channels, graph_shape_count(f.in), w, b, x, y);
        break;
    case GRAPH_RELU:
        relu_forward(graph_shape_count(f.in), x, y);
        break;
    case GRAPH_OP_COUNT:
        break;
    }
}

/* Every gradient is added to what other readers of the value have left. */
static void node_backward(const reference *r, const graph_node *node, const float *params,
                          worker *own) {
    const graph *g = r->graph;
    const field f = field_of(g, node);
    const float *w = params + offset_of(g, node->weight);
    const float *x = own->values + r->place[node->inputs[0]];
    const float *dy = own->gradients + r->place[node->output];
    float *dx = own->gradients + r->place[node->inputs[0]];
    float *dw = own->part + offset_of(g, node->weight);
    float *db = own->part + offset_of(g, node->bias);
    switch (node->op) {
    case GRAPH_CONV:
        conv_backward(&f, w, x, dy, dw, db, dx);
        break;
    case GRAPH_MAXPOOL:
        pool_backward(&f, x, dy, dx);
        break;
    case GRAPH_INNER_PRODUCT:
        product_backward(f.out.channels, graph_shape_count(f.in), w, x, dy, dw, db, dx);
        break;
    case GRAPH_RELU:
        relu_backward(graph_shape_count(f.in), x, dy, dx);
        break;
    case GRAPH_OP_COUNT:
        break;
    }
}

/* ---- passes ---- */

static void sample_forward(const pass *p, size_t sample, float *values) {
    const graph *g = p->r->graph;
    p->batch->fill(p->batch->user, sample, values + p->r->place[g->input], 1);
    for (uint32_t n = 0; n < g->node_count; n++)
        node_forward(p->r, &g->nodes[n], p->params, values);
}

static void sample_backward(const pass *p, size_t sample, worker *own) {
    const reference *r = p->r;
    const graph *g = r->graph;
    const engine_batch *batch = p->batch;
    size_t classes = graph_value_count(g, g->output);
    size_t output = r->place[g->output];
    const engine_loss_layout layout = {1, classes, classes, 1};
    memset(own->gradients, 0, r->place[g->value_count] * sizeof *own->gradients);
    engine_loss_softmax(&layout, own->values + output, batch->labels + sample,
                        batch->targets != NULL ? batch->targets + sample * classes : NULL,
                        own->gradients + output, &own->loss);
    for (uint32_t n = g->node_count; n-- > 0;)
        node_backward(r, &g->nodes[n], p->params, own);
}

static void run_share(void *argument, unsigned thread, unsigned threads) {
    const pass *p = argument;
    const graph *g = p->r->graph;
    worker *own = &p->r->workers[thread];
    size_t classes = graph_value_count(g, g->output);
    const base_share share = base_pool_share(p->batch->count, 1, thread, threads);
    own->loss = (engine_loss_sum){0.0, 0};
    if (p->logits == NULL)
        memset(own->part, 0, g->flat_count * sizeof *own->part);
    for (size_t s = share.first; s < share.first + share.count; s++) {
        sample_forward(p, s, own->values);
        if (p->logits == NULL)
            sample_backward(p, s, own);
        else
            memcpy(p->logits + s * classes, own->values + p->r->place[g->output],
                   classes * sizeof *p->logits);
    }
}

static admmnn_status reference_forward(void *state, const float *params, const engine_batch *batch,
                                       float *logits, admmnn_error *err) {
    (void)err;
    reference *r = state;
    pass p = {r, params, batch, logits};
    base_pool_run(r->pool, run_share, &p);
    return ADMMNN_OK;
}

static admmnn_status reference_step(void *state, const float *params, const engine_batch *batch,
                                    engine_result *result, admmnn_error *err) {
    (void)err;
    reference *r = state;
    pass p = {r, params, batch, NULL};
    base_pool_run(r->pool, run_share, &p);
    *result = (engine_result){.part_count = r->threads, .parts = r->parts};
    for (unsigned t = 0; t < r->threads; t++) {
        result->loss += r->workers[t].loss.loss;
        result->correct += r->workers[t].loss.correct;
    }
    return ADMMNN_OK;
}

/* ---- creation ---- */

static void reference_destroy(void *state) {
    reference *r = state;
    for (unsigned t = 0; r->workers != NULL && t < r->threads; t++) {
        base_free(r->workers[t].values);
        base_free(r->workers[t].gradients);
        base_free(r->workers[t].part);
    }
    base_free(r->workers);
    base_free(r->parts);
    base_free(r->place);
    base_free(r);
}

static bool open_workers(reference *r, bool training) {
    size_t floats = r->place[r->graph->value_count];
    for (unsigned t = 0; t < r->threads; t++) {
        worker *own = &r->workers[t];
        own->values = base_array(floats, sizeof(float));
        if (own->values == NULL)
            return false;
        if (!training)
            continue;
        own->gradients = base_array(floats, sizeof(float));
        own->part = base_array(r->graph->flat_count, sizeof(float));
        if (own->gradients == NULL || own->part == NULL)
            return false;
        r->parts[t] = own->part;
    }
    return true;
}

static bool open_reference(reference *r, bool training) {
    const graph *g = r->graph;
    r->place = base_array(g->value_count + 1U, sizeof *r->place);
    r->workers = base_array(r->threads, sizeof *r->workers);
    r->parts = base_array(r->threads, sizeof *r->parts);
    if (r->place == NULL || r->workers == NULL || r->parts == NULL)
        return false;
    for (uint32_t v = 0; v < g->value_count; v++)
        r->place[v + 1] = r->place[v] + graph_value_count(g, v);
    return open_workers(r, training);
}

static admmnn_status reference_create(const graph *g, const engine_settings *settings,
                                      base_pool *pool, void **state, admmnn_error *err) {
    reference *r = base_array(1, sizeof *r);
    if (r == NULL)
        return base_fail_memory(err, "the reference back end");
    r->graph = g;
    r->pool = pool;
    r->threads = base_pool_threads(pool);
    if (!open_reference(r, settings->training)) {
        reference_destroy(r);
        return base_fail_memory(err, "the reference back end");
    }
    *state = r;
    return ADMMNN_OK;
}

const engine_backend engine_backend_reference = {
    .name = "reference",
    .create = reference_create,
    .destroy = reference_destroy,
    .set_support = NULL,
    .forward = reference_forward,
    .step = reference_step,
};
