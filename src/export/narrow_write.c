/* The function of 8 bits: the call of each operation, and tables of its own. */
#include <math.h>

#include "export/job.h"

/* Of a table, where pointers have four bytes. */
#define NARROWING_BYTES 16U

static float scale_of(const export_job *job, const graph_node *node) {
    return job->narrow.scales[node->output];
}

/* What brings the i-th operand's numbers to the result's scale. */
static float factor_of(const export_job *job, const graph_node *node, uint32_t i) {
    return job->narrow.scales[graph_operand(job->g, node, i)] / scale_of(job, node);
}

static float bounded(float bound, float scale) {
    return fminf(fmaxf(bound / scale, -EXPORT_NARROW_MOST), EXPORT_NARROW_MOST);
}

/* A plane of 32-bit numbers of that shape is worked in. */
static void note_plane(export_job *job, graph_shape shape) {
    const size_t count = graph_shape_extent(shape, 1, shape.rank);
    job->narrow.plane = count > job->narrow.plane ? count : job->narrow.plane;
}

/* ---- layers ---- */

static void write_narrowing(export_job *job, uint32_t n) {
    const graph_node *node = &job->g->nodes[n];
    const export_layer *layer = job->plan->steps[n].layer;
    const float made = scale_of(job, node);
    const float numbers[] = {job->model->tensors[node->weight].step * factor_of(job, node, 0),
                             1.0F / made, bounded(layer->low, made), bounded(layer->high, made)};
    base_write_text(&job->data, "static const narrowing narrow_%u = {", n);
    for (int i = 0; i < 4; i++) {
        base_write_text(&job->data, "%s", i == 0 ? "" : ", ");
        export_write_float(&job->data, numbers[i]);
    }
    base_write_text(&job->data, "};\n");
    job->sizes.tables += NARROWING_BYTES;
}

static void write_convolution(export_job *job, uint32_t n) {
    const graph_node *node = &job->g->nodes[n];
    note_plane(job, job->g->values[node->output].shape);
    write_narrowing(job, n);
    export_parts_use(&job->parts, "narrow-convolve");
    base_write_text(&job->narrow.calls,
                    "        convolve_int8(&layer_%u, &narrow_%u, %s, plane, %s);\n", n, n,
                    export_operand(job, node, 0).text, export_result(job, node, 0).text);
}

static void write_product(export_job *job, uint32_t n) {
    const export_layer *layer = job->plan->steps[n].layer;
    const graph_node *node = &job->g->nodes[n];
    write_narrowing(job, n);
    export_parts_use(&job->parts, "narrow-product");
    base_write_text(&job->narrow.calls,
                    "        multiply_vector_int8(&layer_%u, &narrow_%u, %uU, %uU, %s, %s);\n", n,
                    n, layer->rows, layer->columns, export_operand(job, node, 0).text,
                    export_result(job, node, 0).text);
}

/* ---- poolings ---- */

/* Of an average the factor, then the arrays. */
static void write_pool_arrays(export_job *job, uint32_t n, export_name x) {
    const graph_node *node = &job->g->nodes[n];
    if (node->op == GRAPH_AVERAGE_POOL) {
        export_write_float(&job->narrow.calls, factor_of(job, node, 0));
        base_write_text(&job->narrow.calls, ", ");
    }
    base_write_text(&job->narrow.calls, "%s, plane, %s);\n", x.text,
                    export_result(job, node, 0).text);
    note_plane(job, graph_operand_shape(job->g, node, 0));
}

/* With the convolution whose planes it pools. */
static void write_pooled(export_job *job, uint32_t n) {
    const uint32_t layer = job->plan->steps[n].pooled;
    const bool is_max = job->g->nodes[n].op == GRAPH_MAXPOOL;
    write_narrowing(job, layer);
    export_parts_use(&job->parts, is_max ? "narrow-convolve-max" : "narrow-convolve-average");
    base_write_text(&job->narrow.calls, "        %s(&layer_%u, &narrow_%u, &window_%u, ",
                    is_max ? "convolve_max_int8" : "convolve_average_int8", layer, layer, n);
    write_pool_arrays(job, n, export_operand(job, &job->g->nodes[layer], 0));
}

static void write_pool(export_job *job, uint32_t n) {
    const graph_node *node = &job->g->nodes[n];
    const bool is_max = node->op == GRAPH_MAXPOOL;
    export_parts_use(&job->parts, is_max ? "narrow-max-pool" : "narrow-average-pool");
    base_write_text(&job->narrow.calls, "        %s(&window_%u, %uU, ",
                    is_max ? "max_pool_int8" : "average_pool_int8", n,
                    graph_shape_channels(graph_operand_shape(job->g, node, 0)));
    write_pool_arrays(job, n, export_operand(job, node, 0));
}

/* ---- sums ---- */

/* A table of the function of floats, and how many axes it has. */
static void write_axes(export_job *job, const char *kind, uint32_t n) {
    const export_name name = export_name_of(kind, n);
    base_write_text(&job->narrow.calls, "%s, (uint32_t)(sizeof(%s) / sizeof(%s[0])), ", name.text,
                    name.text, name.text);
}

static void write_reduce(export_job *job, uint32_t n) {
    const graph_node *node = &job->g->nodes[n];
    const size_t made = graph_value_count(job->g, node->output);
    const size_t count = graph_value_count(job->g, graph_operand(job->g, node, 0)) / made;
    const bool is_mean = node->reduce.kind == GRAPH_REDUCE_MEAN;
    export_parts_use(&job->parts, "narrow-reduce");
    base_write_text(&job->narrow.calls, "        reduce_int8(");
    write_axes(job, "kept", n);
    base_write_text(&job->narrow.calls, "%zuU, ", made);
    write_axes(job, "summed", n);
    base_write_text(&job->narrow.calls, "%zuU, ", count);
    export_write_float(&job->narrow.calls,
                       factor_of(job, node, 0) / (is_mean ? (float)count : 1.0F));
    base_write_text(&job->narrow.calls, ", %s, %s);\n", export_operand(job, node, 0).text,
                    export_result(job, node, 0).text);
}

static void write_add(export_job *job, uint32_t n) {
    const graph_node *node = &job->g->nodes[n];
    export_parts_use(&job->parts, "narrow-add");
    base_write_text(&job->narrow.calls, "        add_int8(");
    for (uint32_t i = 0; i < 2; i++) {
        base_write_text(&job->narrow.calls, "%s, ", export_operand(job, node, i).text);
        export_write_float(&job->narrow.calls, factor_of(job, node, i));
        base_write_text(&job->narrow.calls, ", ");
    }
    base_write_text(&job->narrow.calls, "%zuU, %s);\n", graph_value_count(job->g, node->output),
                    export_result(job, node, 0).text);
}

/* ---- what moves and what bounds ---- */

/* The i-th operand, of rows of `length`, to the result from an element on. */
static void write_copy(export_job *job, uint32_t n, uint32_t i, size_t length, size_t stride,
                       size_t first) {
    const graph_node *node = &job->g->nodes[n];
    const size_t count = graph_value_count(job->g, graph_operand(job->g, node, i));
    export_parts_use(&job->parts, "narrow-copy");
    base_write_text(&job->narrow.calls, "        copy_rows_int8(%s, %zuU, %zuU, %zuU, ",
                    export_operand(job, node, i).text, count / length, length, stride);
    export_write_float(&job->narrow.calls, factor_of(job, node, i));
    base_write_text(&job->narrow.calls, ", %s);\n", export_result(job, node, first).text);
}

static void write_concat(export_job *job, uint32_t n) {
    const graph_node *node = &job->g->nodes[n];
    const graph_shape made = job->g->values[node->output].shape;
    size_t first = 0;
    for (uint32_t i = 0; i < node->operand_count; i++) {
        const graph_shape in = graph_operand_shape(job->g, node, i);
        const size_t length = graph_shape_extent(in, node->axis, in.rank);
        write_copy(job, n, i, length, graph_shape_extent(made, node->axis, made.rank), first);
        first += length;
    }
}

/* What is padded is 0. */
static void write_move(export_job *job, uint32_t n) {
    const graph_node *node = &job->g->nodes[n];
    export_parts_use(&job->parts, "narrow-move");
    base_write_text(&job->narrow.calls, "        move_int8(");
    write_axes(job, "axes", n);
    base_write_text(&job->narrow.calls, "%zuU, %s, %s);\n", graph_value_count(job->g, node->output),
                    export_operand(job, node, 0).text, export_result(job, node, 0).text);
}

/* A rectifier, or a clip. */
static void write_bounds(export_job *job, uint32_t n) {
    const graph_node *node = &job->g->nodes[n];
    const float scale = scale_of(job, node);
    const bool is_clip = node->op == GRAPH_UNARY;
    const float low = is_clip ? bounded(node->unary.a, scale) : 0.0F;
    const float high = is_clip ? bounded(node->unary.b, scale) : EXPORT_NARROW_MOST;
    export_parts_use(&job->parts, "narrow-clamp");
    base_write_text(&job->narrow.calls, "        clamp_int8(%s, %zuU, %ld, %ld, %s);\n",
                    export_operand(job, node, 0).text, graph_value_count(job->g, node->output),
                    lroundf(low), lroundf(high), export_result(job, node, 0).text);
}

/* ---- all of them ---- */

static void write_layer(export_job *job, uint32_t n) {
    if (job->g->nodes[n].op == GRAPH_CONV)
        write_convolution(job, n);
    else
        write_product(job, n);
}

void export_narrow_write_step(export_job *job, uint32_t n) {
    const graph_node *node = &job->g->nodes[n];
    const size_t count = graph_value_count(job->g, node->output);
    if (job->plan->steps[n].layer != NULL) {
        write_layer(job, n);
        return;
    }
    switch (node->op) {
    case GRAPH_MAXPOOL:
    case GRAPH_AVERAGE_POOL:
        if (job->plan->steps[n].pooled != GRAPH_NONE)
            write_pooled(job, n);
        else
            write_pool(job, n);
        break;
    case GRAPH_REDUCE:
        write_reduce(job, n);
        break;
    case GRAPH_BINARY:
        write_add(job, n);
        break;
    case GRAPH_CONCAT:
        write_concat(job, n);
        break;
    case GRAPH_SLICE:
    case GRAPH_PAD:
    case GRAPH_TRANSPOSE:
    case GRAPH_GATHER:
    case GRAPH_RESIZE:
        write_move(job, n);
        break;
    case GRAPH_RELU:
    case GRAPH_UNARY:
        write_bounds(job, n);
        break;
    default: /* a dropout or a reshape of the input that is the output */
        write_copy(job, n, 0, count, count, 0);
    }
}
