/* The reference back end: every operation of the graph as plain loops, node by
 * node through all samples of the batch. It is what the fast back ends are tested
 * against, and what AUTO falls back to. A thread takes a contiguous share of the
 * batch through a node and has its own parameter gradient; a batch normalization,
 * which looks at all samples, is left to one thread. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "engine/backend.h"
#include "engine/dropout.h"

typedef struct worker {
    float *part; /* [flat_count] parameter gradient; training only */
    engine_loss_sum loss;
} worker;

typedef struct reference {
    const graph *graph;
    base_pool *pool;
    size_t *place;    /* [value_count + 1] where each value starts within a sample */
    float *values;    /* [max_batch] samples */
    float *gradients; /* of the values; training only */
    unsigned threads;
    worker *workers;
    const float **parts; /* [threads] */
} reference;

/* One pass, handed to every thread. */
typedef struct pass {
    reference *r;
    const float *params;
    const engine_batch *batch;
    float *logits;          /* NULL: a training step */
    const graph_node *node; /* that the threads are at */
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
    return inside(oy, f->window.stride[0], f->window.pad[0], f->window.kernel[0],
                  graph_shape_height(f->in));
}

static span inside_columns(const field *f, uint32_t ox) {
    return inside(ox, f->window.stride[1], f->window.pad[1], f->window.kernel[1],
                  graph_shape_width(f->in));
}

/* The input element that kernel place (ky, kx) reads in channel c for output
 * position (oy, ox). */
static size_t input_at(const field *f, uint32_t c, uint32_t oy, uint32_t ky, uint32_t ox,
                       uint32_t kx) {
    size_t y = (size_t)oy * f->window.stride[0] + ky - f->window.pad[0];
    size_t x = (size_t)ox * f->window.stride[1] + kx - f->window.pad[1];
    return ((size_t)c * graph_shape_height(f->in) + y) * graph_shape_width(f->in) + x;
}

static size_t weight_at(const field *f, uint32_t o, uint32_t c, uint32_t ky, uint32_t kx) {
    size_t matrix = (size_t)o * graph_shape_channels(f->in) + c;
    return (matrix * f->window.kernel[0] + ky) * f->window.kernel[1] + kx;
}

static size_t output_at(const field *f, uint32_t o, uint32_t oy, uint32_t ox) {
    return ((size_t)o * graph_shape_height(f->out) + oy) * graph_shape_width(f->out) + ox;
}

/* x[C][H][W], w[O][C][kh][kw], b[O]: the output at (o, oy, ox). */
static float conv_point(const field *f, const float *w, const float *b, const float *x, uint32_t o,
                        uint32_t oy, uint32_t ox) {
    span rows = inside_rows(f, oy);
    span columns = inside_columns(f, ox);
    float sum = b[o];
    for (uint32_t c = 0; c < graph_shape_channels(f->in); c++)
        for (uint32_t ky = rows.first; ky < rows.last; ky++)
            for (uint32_t kx = columns.first; kx < columns.last; kx++)
                sum += w[weight_at(f, o, c, ky, kx)] * x[input_at(f, c, oy, ky, ox, kx)];
    return sum;
}

static void conv_forward(const field *f, const float *w, const float *b, const float *x, float *y) {
    for (uint32_t o = 0; o < graph_shape_channels(f->out); o++)
        for (uint32_t oy = 0; oy < graph_shape_height(f->out); oy++)
            for (uint32_t ox = 0; ox < graph_shape_width(f->out); ox++)
                y[output_at(f, o, oy, ox)] = conv_point(f, w, b, x, o, oy, ox);
}

/* Adds what the output gradient g at (o, oy, ox) gives to dw and dx. */
static void conv_point_backward(const field *f, const float *w, const float *x, float g, uint32_t o,
                                uint32_t oy, uint32_t ox, float *dw, float *dx) {
    span rows = inside_rows(f, oy);
    span columns = inside_columns(f, ox);
    for (uint32_t c = 0; c < graph_shape_channels(f->in); c++) {
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
    for (uint32_t o = 0; o < graph_shape_channels(f->out); o++) {
        for (uint32_t oy = 0; oy < graph_shape_height(f->out); oy++) {
            for (uint32_t ox = 0; ox < graph_shape_width(f->out); ox++) {
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
    for (uint32_t c = 0; c < graph_shape_channels(f->out); c++)
        for (uint32_t oy = 0; oy < graph_shape_height(f->out); oy++)
            for (uint32_t ox = 0; ox < graph_shape_width(f->out); ox++)
                y[output_at(f, c, oy, ox)] = x[pool_winner(f, x, c, oy, ox)];
}

static void pool_backward(const field *f, const float *x, const float *dy, float *dx) {
    for (uint32_t c = 0; c < graph_shape_channels(f->out); c++)
        for (uint32_t oy = 0; oy < graph_shape_height(f->out); oy++)
            for (uint32_t ox = 0; ox < graph_shape_width(f->out); ox++)
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

/* ---- places ---- */

static float *value_of(const reference *r, size_t sample, uint32_t value) {
    return r->values + sample * r->place[r->graph->value_count] + r->place[value];
}

static float *gradient_of(const reference *r, size_t sample, uint32_t value) {
    return r->gradients + sample * r->place[r->graph->value_count] + r->place[value];
}

/* Operations without weights get a place they do not look at. */
static size_t offset_of(const graph *g, uint32_t parameter) {
    return parameter == GRAPH_NONE ? 0 : g->parameters[parameter].offset;
}

/* ---- batch normalization ---- */

/* A channel of a batch normalization: its elements are [batch][plane], and what it
 * normalizes them by. */
typedef struct channel {
    const graph_node *node;
    size_t first, plane; /* its first element in a sample's value, and how many they are */
    double mean, variance, inverse;
} channel;

static void measure_batch(const pass *p, channel *c) {
    const double count = (double)(p->batch->count * c->plane);
    c->mean = 0.0;
    c->variance = 0.0;
    for (size_t s = 0; s < p->batch->count; s++)
        for (size_t i = c->first; i < c->first + c->plane; i++)
            c->mean += (double)value_of(p->r, s, graph_operand(p->r->graph, c->node, 0))[i] / count;
    for (size_t s = 0; s < p->batch->count; s++) {
        for (size_t i = c->first; i < c->first + c->plane; i++) {
            double apart =
                (double)value_of(p->r, s, graph_operand(p->r->graph, c->node, 0))[i] - c->mean;
            c->variance += apart * apart / count;
        }
    }
}

static channel channel_of(const pass *p, const graph_node *node, uint32_t number) {
    const graph *g = p->r->graph;
    const graph_normalization *n = &node->normalization;
    const graph_shape shape = g->values[node->output].shape;
    channel c = {.node = node, .plane = graph_shape_extent(shape, 1, shape.rank)};
    c.first = number * c.plane;
    c.mean = (double)p->params[offset_of(g, n->mean) + number];
    c.variance = (double)p->params[offset_of(g, n->variance) + number];
    if (p->logits == NULL)
        measure_batch(p, &c);
    c.inverse = 1.0 / sqrt(c.variance + (double)n->epsilon);
    return c;
}

static double normalized(const pass *p, const channel *c, size_t sample, size_t element) {
    const double x =
        (double)value_of(p->r, sample, graph_operand(p->r->graph, c->node, 0))[element];
    return (x - c->mean) * c->inverse;
}

static void norm_forward(const pass *p, const graph_node *node) {
    const graph *g = p->r->graph;
    const graph_normalization *n = &node->normalization;
    for (uint32_t k = 0; k < graph_shape_channels(g->values[node->output].shape); k++) {
        const channel c = channel_of(p, node, k);
        const double scale = (double)p->params[offset_of(g, n->scale) + k];
        const double shift = (double)p->params[offset_of(g, n->shift) + k];
        for (size_t s = 0; s < p->batch->count; s++)
            for (size_t i = c.first; i < c.first + c.plane; i++)
                value_of(p->r, s, node->output)[i] =
                    (float)(normalized(p, &c, s, i) * scale + shift);
        if (p->logits != NULL)
            continue;
        p->r->workers[0].part[offset_of(g, n->mean) + k] = (float)c.mean;
        p->r->workers[0].part[offset_of(g, n->variance) + k] = (float)c.variance;
    }
}

/* dx = scale / sqrt(variance + epsilon) (dy - mean of dy - x^ mean of dy x^), where x^ is
 * the normalized x, and mean and variance depend on x too. */
static void channel_backward(const pass *p, const channel *c, double scale, double *d_scale,
                             double *d_shift) {
    const graph_node *node = c->node;
    const double count = (double)(p->batch->count * c->plane);
    for (size_t s = 0; s < p->batch->count; s++) {
        for (size_t i = c->first; i < c->first + c->plane; i++) {
            const double dy = (double)gradient_of(p->r, s, node->output)[i];
            *d_shift += dy;
            *d_scale += dy * normalized(p, c, s, i);
        }
    }
    for (size_t s = 0; s < p->batch->count; s++) {
        for (size_t i = c->first; i < c->first + c->plane; i++) {
            const double dy = (double)gradient_of(p->r, s, node->output)[i];
            gradient_of(p->r, s, graph_operand(p->r->graph, node, 0))[i] +=
                (float)(scale * c->inverse *
                        (dy - *d_shift / count - normalized(p, c, s, i) * *d_scale / count));
        }
    }
}

static void norm_backward(const pass *p, const graph_node *node) {
    const graph *g = p->r->graph;
    const graph_normalization *n = &node->normalization;
    float *part = p->r->workers[0].part;
    for (uint32_t k = 0; k < graph_shape_channels(g->values[node->output].shape); k++) {
        const channel c = channel_of(p, node, k);
        double d_scale = 0.0;
        double d_shift = 0.0;
        channel_backward(p, &c, (double)p->params[offset_of(g, n->scale) + k], &d_scale, &d_shift);
        part[offset_of(g, n->scale) + k] = (float)d_scale;
        part[offset_of(g, n->shift) + k] = (float)d_shift;
    }
}

/* ---- dropout ---- */

static void dropout_forward(const pass *p, const graph_node *node, size_t sample, size_t count,
                            const float *x, float *y) {
    const graph *g = p->r->graph;
    memcpy(y, x, count * sizeof *y);
    if (p->logits == NULL)
        engine_dropout_apply(g, (uint32_t)(node - g->nodes), p->batch, sample, count, y);
}

/* What comes to dy is no one else's. */
static void dropout_backward(const pass *p, const graph_node *node, size_t sample, size_t count,
                             float *dy, float *dx) {
    const graph *g = p->r->graph;
    engine_dropout_apply(g, (uint32_t)(node - g->nodes), p->batch, sample, count, dy);
    for (size_t i = 0; i < count; i++)
        dx[i] += dy[i];
}

/* ---- nodes ---- */

static field field_of(const graph *g, const graph_node *node) {
    const graph_window *w = graph_node_window(node);
    return (field){graph_operand_shape(g, node, 0), g->values[node->output].shape,
                   w == NULL ? graph_window_of(1, 1, 0) : *w};
}

static void node_forward(const pass *p, const graph_node *node, size_t sample) {
    const graph *g = p->r->graph;
    const field f = field_of(g, node);
    const float *w = p->params + offset_of(g, node->weight);
    const float *b = p->params + offset_of(g, node->bias);
    const float *x = value_of(p->r, sample, graph_operand(g, node, 0));
    float *y = value_of(p->r, sample, node->output);
    switch (node->op) {
    case GRAPH_CONV:
        conv_forward(&f, w, b, x, y);
        break;
    case GRAPH_MAXPOOL:
        pool_forward(&f, x, y);
        break;
    case GRAPH_INNER_PRODUCT:
        product_forward(graph_shape_channels(f.out), graph_shape_count(f.in), w, b, x, y);
        break;
    case GRAPH_RELU:
        relu_forward(graph_shape_count(f.in), x, y);
        break;
    case GRAPH_DROPOUT:
        dropout_forward(p, node, sample, graph_shape_count(f.in), x, y);
        break;
    case GRAPH_BATCH_NORMALIZATION: /* norm_forward */
    default:
        break;
    }
}

/* Every gradient is added to what other readers of the value have left. */
static void node_backward(const pass *p, const graph_node *node, size_t sample, float *part) {
    const graph *g = p->r->graph;
    const field f = field_of(g, node);
    const float *w = p->params + offset_of(g, node->weight);
    const float *x = value_of(p->r, sample, graph_operand(g, node, 0));
    float *dy = gradient_of(p->r, sample, node->output);
    float *dx = gradient_of(p->r, sample, graph_operand(g, node, 0));
    float *dw = part + offset_of(g, node->weight);
    float *db = part + offset_of(g, node->bias);
    switch (node->op) {
    case GRAPH_CONV:
        conv_backward(&f, w, x, dy, dw, db, dx);
        break;
    case GRAPH_MAXPOOL:
        pool_backward(&f, x, dy, dx);
        break;
    case GRAPH_INNER_PRODUCT:
        product_backward(graph_shape_channels(f.out), graph_shape_count(f.in), w, x, dy, dw, db,
                         dx);
        break;
    case GRAPH_RELU:
        relu_backward(graph_shape_count(f.in), x, dy, dx);
        break;
    case GRAPH_DROPOUT:
        dropout_backward(p, node, sample, graph_shape_count(f.in), dy, dx);
        break;
    case GRAPH_BATCH_NORMALIZATION: /* norm_backward */
    default:
        break;
    }
}

/* ---- passes ---- */

/* What each thread does with its share of the samples. */
static void fill_share(void *argument, unsigned thread, unsigned threads) {
    const pass *p = argument;
    const base_share share = base_pool_share(p->batch->count, 1, thread, threads);
    for (size_t s = share.first; s < share.first + share.count; s++)
        p->batch->fill(p->batch->user, s, value_of(p->r, s, p->r->graph->input), 1);
}

static void forward_share(void *argument, unsigned thread, unsigned threads) {
    const pass *p = argument;
    const base_share share = base_pool_share(p->batch->count, 1, thread, threads);
    for (size_t s = share.first; s < share.first + share.count; s++)
        node_forward(p, p->node, s);
}

static void loss_share(void *argument, unsigned thread, unsigned threads) {
    const pass *p = argument;
    const graph *g = p->r->graph;
    const engine_batch *batch = p->batch;
    worker *own = &p->r->workers[thread];
    const size_t classes = graph_value_count(g, g->output);
    const engine_loss_layout layout = {1, classes, classes, 1};
    const base_share share = base_pool_share(batch->count, 1, thread, threads);
    own->loss = (engine_loss_sum){0.0, 0};
    for (size_t s = share.first; s < share.first + share.count; s++) {
        memset(gradient_of(p->r, s, 0), 0, p->r->place[g->value_count] * sizeof(float));
        engine_loss_add(batch->loss, &layout, value_of(p->r, s, g->output), batch->labels + s,
                        batch->targets != NULL ? batch->targets + s * classes : NULL,
                        gradient_of(p->r, s, g->output), &own->loss);
    }
}

static void backward_share(void *argument, unsigned thread, unsigned threads) {
    const pass *p = argument;
    const base_share share = base_pool_share(p->batch->count, 1, thread, threads);
    for (size_t s = share.first; s < share.first + share.count; s++)
        node_backward(p, p->node, s, p->r->workers[thread].part);
}

static void forward_nodes(pass *p) {
    const reference *r = p->r;
    base_pool_run(r->pool, fill_share, p);
    for (uint32_t n = 0; n < r->graph->node_count; n++) {
        p->node = &r->graph->nodes[n];
        if (p->node->op == GRAPH_BATCH_NORMALIZATION)
            norm_forward(p, p->node);
        else
            base_pool_run(r->pool, forward_share, p);
    }
}

static void backward_nodes(pass *p) {
    const reference *r = p->r;
    base_pool_run(r->pool, loss_share, p);
    for (uint32_t n = r->graph->node_count; n-- > 0;) {
        p->node = &r->graph->nodes[n];
        if (p->node->op == GRAPH_BATCH_NORMALIZATION)
            norm_backward(p, p->node);
        else
            base_pool_run(r->pool, backward_share, p);
    }
}

static admmnn_status reference_forward(void *state, const float *params, const engine_batch *batch,
                                       float *logits, admmnn_error *err) {
    (void)err;
    reference *r = state;
    pass p = {.r = r, .params = params, .batch = batch, .logits = logits};
    const size_t classes = graph_value_count(r->graph, r->graph->output);
    forward_nodes(&p);
    for (size_t s = 0; s < batch->count; s++)
        memcpy(logits + s * classes, value_of(r, s, r->graph->output), classes * sizeof *logits);
    return ADMMNN_OK;
}

static admmnn_status reference_step(void *state, const float *params, const engine_batch *batch,
                                    engine_result *result, admmnn_error *err) {
    (void)err;
    reference *r = state;
    pass p = {.r = r, .params = params, .batch = batch};
    for (unsigned t = 0; t < r->threads; t++)
        memset(r->workers[t].part, 0, r->graph->flat_count * sizeof(float));
    forward_nodes(&p);
    backward_nodes(&p);
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
    for (unsigned t = 0; r->workers != NULL && t < r->threads; t++)
        base_free(r->workers[t].part);
    base_free(r->workers);
    base_free(r->parts);
    base_free(r->values);
    base_free(r->gradients);
    base_free(r->place);
    base_free(r);
}

static bool open_values(reference *r, const engine_settings *settings) {
    size_t floats;
    if (!base_multiply(r->place[r->graph->value_count], settings->max_batch, &floats))
        return false;
    r->values = base_array(floats, sizeof(float));
    r->gradients = base_array(settings->training ? floats : 0, sizeof(float));
    return r->values != NULL && r->gradients != NULL;
}

static bool open_workers(reference *r) {
    for (unsigned t = 0; t < r->threads; t++) {
        r->workers[t].part = base_array(r->graph->flat_count, sizeof(float));
        if (r->workers[t].part == NULL)
            return false;
        r->parts[t] = r->workers[t].part;
    }
    return true;
}

static bool open_reference(reference *r, const engine_settings *settings) {
    const graph *g = r->graph;
    r->place = base_array(g->value_count + 1U, sizeof *r->place);
    r->workers = base_array(r->threads, sizeof *r->workers);
    r->parts = base_array(r->threads, sizeof *r->parts);
    if (r->place == NULL || r->workers == NULL || r->parts == NULL)
        return false;
    for (uint32_t v = 0; v < g->value_count; v++)
        r->place[v + 1] = r->place[v] + graph_value_count(g, v);
    return open_values(r, settings) && (!settings->training || open_workers(r));
}

static admmnn_status reference_create(const graph *g, const engine_settings *settings,
                                      base_pool *pool, void **state, admmnn_error *err) {
    reference *r = base_array(1, sizeof *r);
    if (r == NULL)
        return base_fail_memory(err, "the reference back end");
    r->graph = g;
    r->pool = pool;
    r->threads = base_pool_threads(pool);
    if (!open_reference(r, settings)) {
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
