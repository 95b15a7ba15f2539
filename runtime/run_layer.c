/* What has weights: convolutions, inner products, matmuls. */
#include <string.h>

#include "layer.h"
#include "operations.h"
#include "tiling.h"

static const rt_value *input_of(const rt_network *network, const rt_node *node) {
    return &network->values[node->operands[0]];
}

/* Of products that read codes, as floats. */
static uint64_t widened_count(const rt_value *input) {
    return input->numbers.coded ? rt_shape_count(&input->shape) : 0;
}

static uint64_t product_temporary(const rt_network *network, const rt_value *value) {
    return widened_count(input_of(network, value->node)) +
           (value->numbers.coded ? rt_shape_count(&value->shape) : 0);
}

/* Of each thread's tile; behind them, of a matmul, its left side and what is made of it, turned. */
uint64_t rt_temporary_count(const rt_network *network, const rt_value *value) {
    const rt_node *node = value->node;
    if (node->op == PACK_OP_MAXPOOL || node->op == PACK_OP_AVERAGE_POOL)
        return rt_pool_temporary(network, value);
    if (node->op == PACK_OP_TRANSPOSED_CONV || node->weight == NULL || node->weight->layer == NULL)
        return 0;
    if (!node->tiled)
        return product_temporary(network, value);
    const rt_layer *layer = node->weight->layer;
    if (node->op == PACK_OP_CONV)
        return network->threads * rt_tiling_memory(&node->tiling, layer,
                                                   &input_of(network, node)->numbers,
                                                   layer->rows / node->as.conv.groups);
    return network->threads * rt_tiling_memory(&node->tiling, layer,
                                               &input_of(network, node)->numbers, layer->rows) +
           (uint64_t)rt_linear_count(network, node) * ((uint64_t)layer->rows + layer->columns);
}

/* ---- convolutions ---- */

static void run_planes(const rt_call *c) {
    const uint32_t groups = c->node->as.conv.groups;
    const rt_value *input = rt_operand(c, 0);
    const rt_planes p = {&c->node->tiling, c->node->weight->layer,
                         groups,           rt_shape_channels(&input->shape) / groups,
                         &input->numbers,  rt_x(c, 0),
                         rt_y(c),          rt_temporary(c)};
    rt_planes_run(&p, c->network->crew, c->network->threads);
}

/* What products read and write: floats, which are in the working memory where values are codes. */
static const float *product_input(const rt_call *c) {
    const rt_value *input = rt_operand(c, 0);
    if (!input->numbers.coded)
        return rt_x(c, 0);
    rt_widen((const uint8_t *)(const void *)rt_x(c, 0), rt_shape_count(&input->shape),
             input->numbers.zero, rt_temporary(c));
    return rt_temporary(c);
}

static float *product_output(const rt_call *c) {
    return c->value->numbers.coded ? rt_temporary(c) + widened_count(rt_operand(c, 0)) : rt_y(c);
}

static void end_product(const rt_call *c) {
    if (c->value->numbers.coded)
        c->network->kernels->cut(product_output(c), rt_count(c), (uint8_t *)(void *)rt_y(c));
}

/* A window over all of the input: an inner product of each group. */
static void run_whole(const rt_call *c) {
    const uint32_t groups = c->node->as.conv.groups;
    const rt_layer *layer = c->node->weight->layer;
    const uint32_t rows = layer->rows / groups;
    const float *in = product_input(c);
    float *out = product_output(c);
    for (uint32_t g = 0; g < groups; g++)
        c->network->kernels->product(layer, g * rows, (g + 1) * rows, in + g * layer->columns,
                                     out + g * rows);
    end_product(c);
}

void rt_run_conv(const rt_call *c) {
    (c->node->tiled ? run_planes : run_whole)(c);
}

/* Positions of the input, one axis: those whose result by the kernel's place lies on the output. */
static rt_span inputs_of(const rt_window *w, int axis, size_t tap, size_t in, size_t out) {
    return rt_steps_on(tap * w->dilation[axis], w->stride[axis], in, w->pad[axis], out);
}

/* What one weight adds to a plane of outputs: column (ky, kx) of its channel. */
static void scatter(const rt_call *c, float weight, size_t tap, const float *in, float *out) {
    const rt_window *w = &c->node->as.conv.window;
    const rt_shape *from = &rt_operand(c, 0)->shape;
    const size_t width = rt_shape_width(&c->value->shape);
    const size_t ky = tap / w->kernel[1];
    const size_t kx = tap % w->kernel[1];
    const rt_span rows =
        inputs_of(w, 0, ky, rt_shape_height(from), rt_shape_height(&c->value->shape));
    const rt_span columns = inputs_of(w, 1, kx, rt_shape_width(from), width);
    for (size_t y = rows.first; y < rows.last; y++) {
        float *line = out + (y * w->stride[0] + ky * w->dilation[0] - w->pad[0]) * width;
        for (size_t x = columns.first; x < columns.last; x++)
            line[x * w->stride[1] + kx * w->dilation[1] - w->pad[1]] +=
                weight * in[y * rt_shape_width(from) + x];
    }
}

void rt_run_transposed(const rt_call *c) {
    const rt_conv *conv = &c->node->as.conv;
    const rt_layer *layer = c->node->weight->layer;
    const rt_shape *in = &rt_operand(c, 0)->shape;
    const size_t block = (size_t)conv->window.kernel[0] * conv->window.kernel[1];
    const size_t channels = rt_shape_channels(in) / conv->groups;
    const size_t from_plane = rt_shape_count(in) / rt_shape_channels(in);
    const size_t plane = rt_count(c) / layer->rows;
    memset(rt_y(c), 0, rt_count(c) * sizeof(float));
    for (size_t row = 0; row < layer->rows; row++) {
        const size_t group = row / (layer->rows / conv->groups);
        const float *x = rt_x(c, 0) + group * channels * from_plane;
        float *y = rt_y(c) + row * plane;
        for (size_t i = rt_row_first(layer, row); i < rt_row_last(layer, row); i++) {
            const size_t column = rt_layer_place(layer, i);
            scatter(c, rt_layer_value(layer, i), column % block, x + column / block * from_plane,
                    y);
        }
        for (size_t i = 0; i < plane; i++)
            y[i] = rt_finish(layer, row, y[i]);
    }
}

/* ---- products ---- */

/* Rows that a thread takes at a time, and weights below which it is not worth a wake-up. */
#define PRODUCT_ROWS 32U
#define PRODUCT_LEAST 100000U

typedef struct product {
    const rt_kernels *kernels;
    const rt_layer *layer;
    const float *in;
    float *out;
} product;

static void run_rows(void *argument, unsigned thread, size_t unit) {
    const product *p = argument;
    const uint32_t rows = p->layer->rows;
    const uint32_t first = (uint32_t)unit * PRODUCT_ROWS;
    const uint32_t last = rows - first > PRODUCT_ROWS ? first + PRODUCT_ROWS : rows;
    (void)thread;
    p->kernels->product(p->layer, first, last, p->in, p->out + first);
}

void rt_run_product(const rt_call *c) {
    const rt_layer *layer = c->node->weight->layer;
    const uint64_t weights =
        layer->form == RT_DENSE ? (uint64_t)layer->rows * layer->columns : layer->kept;
    product p = {c->network->kernels, layer, product_input(c), product_output(c)};
    rt_crew_run(weights < PRODUCT_LEAST ? NULL : c->network->crew, run_rows, &p,
                (layer->rows + PRODUCT_ROWS - 1) / PRODUCT_ROWS);
    end_product(c);
}

/* from[rows][columns] to[columns][rows] */
static void turn(const float *from, size_t rows, size_t columns, float *to) {
    for (size_t r = 0; r < rows; r++)
        for (size_t k = 0; k < columns; k++)
            to[k * rows + r] = from[r * columns + k];
}

/* By weights: all rows of the left side are a row of outputs each weight is used for. */
static void run_linear(const rt_call *c) {
    const rt_layer *layer = c->node->weight->layer;
    const size_t count = rt_linear_count(c->network, c->node);
    float *turned = rt_temporary(c) +
                    c->network->threads * rt_tiling_memory(&c->node->tiling, layer,
                                                           &rt_operand(c, 0)->numbers, layer->rows);
    float *made = turned + count * layer->columns;
    const rt_planes p = {&c->node->tiling,           layer,  1,    layer->columns,
                         &rt_operand(c, 0)->numbers, turned, made, rt_temporary(c)};
    turn(rt_x(c, 0), count, layer->columns, turned);
    rt_planes_run(&p, c->network->crew, c->network->threads);
    turn(made, layer->rows, count, rt_y(c));
}

typedef struct matrices {
    size_t rows, inner, columns;
    rt_shape stack, left, right; /* the axes before the matrices */
} matrices;

static rt_shape without_last(const rt_shape *shape, uint32_t axes) {
    rt_shape rest = *shape;
    rest.rank -= axes;
    return rest;
}

static matrices matrices_of(const rt_call *c) {
    const rt_shape *left = &rt_operand(c, 0)->shape;
    const rt_shape *right = &rt_operand(c, 1)->shape;
    const bool row = left->rank == 1;
    const bool column = right->rank == 1;
    const matrices m = {
        row ? 1 : left->dims[left->rank - 2],
        left->dims[left->rank - 1],
        column ? 1 : right->dims[right->rank - 1],
        without_last(&c->value->shape, (row ? 0U : 1U) + (column ? 0U : 1U)),
        without_last(left, row ? 1 : 2),
        without_last(right, column ? 1 : 2),
    };
    return m;
}

static void multiply(const matrices *m, const float *a, const float *b, float *y) {
    memset(y, 0, m->rows * m->columns * sizeof *y);
    for (size_t r = 0; r < m->rows; r++)
        for (size_t i = 0; i < m->inner; i++)
            for (size_t k = 0; k < m->columns; k++)
                y[r * m->columns + k] += a[r * m->inner + i] * b[i * m->columns + k];
}

void rt_run_matmul(const rt_call *c) {
    if (c->node->tiled) {
        run_linear(c);
        return;
    }
    if (c->node->linear) { /* of one row */
        rt_run_product(c);
        return;
    }
    const matrices m = matrices_of(c);
    for (size_t s = 0; s < rt_shape_count(&m.stack); s++)
        multiply(&m, rt_x(c, 0) + rt_broadcast(&m.stack, &m.left, s) * m.rows * m.inner,
                 rt_x(c, 1) + rt_broadcast(&m.stack, &m.right, s) * m.inner * m.columns,
                 rt_y(c) + s * m.rows * m.columns);
}
