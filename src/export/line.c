/* What sums up: matmuls of values, normalizations, softmaxes, sums along axes. */
#include <math.h>

#include "base/memory.h"
#include "export/axes.h"

static const float *parameter_of(const export_job *job, uint32_t p) {
    return job->params + job->g->parameters[p].offset;
}

/* A normalization's scales or shifts. */
static void write_parameter(export_job *job, export_name name, uint32_t p) {
    const size_t count = job->g->parameters[p].count;
    export_write_floats(&job->data, name.text, parameter_of(job, p), count);
    job->sizes.constants += count * sizeof(float);
}

/* ---- normalizations ---- */

/* (x - mean) / sqrt(variance + epsilon) * scale + shift, as a product and a sum. */
static admmnn_status write_batch(export_job *job, uint32_t n) {
    const graph_node *node = &job->g->nodes[n];
    const graph_normalization *norm = &node->normalization;
    const graph_shape shape = job->g->values[node->output].shape;
    const size_t count = job->g->parameters[norm->scale].count;
    float *scales = base_array(2 * count, sizeof *scales);
    if (scales == NULL)
        return base_fail_memory(job->err, "the tables of the C code");
    for (size_t i = 0; i < count; i++) {
        const double variance = (double)parameter_of(job, norm->variance)[i];
        const double factor =
            (double)parameter_of(job, norm->scale)[i] / sqrt(variance + (double)norm->epsilon);
        scales[i] = (float)factor;
        scales[count + i] = (float)((double)parameter_of(job, norm->shift)[i] -
                                    (double)parameter_of(job, norm->mean)[i] * factor);
    }
    export_write_floats(&job->data, export_name_of("scales", n).text, scales, count);
    export_write_floats(&job->data, export_name_of("shifts", n).text, scales + count, count);
    base_free(scales);
    job->sizes.constants += 2 * count * sizeof(float);
    export_parts_use(&job->parts, "affine");
    base_write_text(
        &job->calls, "        scale_channels(%s, %zuU, %zuU, scales_%u, shifts_%u, %s);\n",
        export_operand(job, node, 0).text, count, graph_shape_extent(shape, 1, shape.rank), n, n,
        export_result(job, node, 0).text);
    return ADMMNN_OK;
}

/* Of each channel, or of each sample's axes from one on. */
static void write_normalization(export_job *job, uint32_t n) {
    const graph_node *node = &job->g->nodes[n];
    const graph_shape shape = job->g->values[node->output].shape;
    const bool each = node->op == GRAPH_LAYER_NORMALIZATION;
    const size_t lines =
        each ? graph_shape_extent(shape, 0, node->normalization.axis) : graph_shape_channels(shape);
    write_parameter(job, export_name_of("scales", n), node->normalization.scale);
    write_parameter(job, export_name_of("shifts", n), node->normalization.shift);
    export_parts_use(&job->parts, "normalize");
    base_write_text(&job->calls, "        normalize(%s, %zuU, %zuU, ",
                    export_operand(job, node, 0).text, lines, graph_shape_count(shape) / lines);
    export_write_float(&job->calls, node->normalization.epsilon);
    base_write_text(&job->calls, ", %uU, scales_%u, shifts_%u, %s);\n", each ? 1U : 0U, n, n,
                    export_result(job, node, 0).text);
}

static void write_lrn(export_job *job, uint32_t n) {
    const graph_node *node = &job->g->nodes[n];
    const graph_shape shape = job->g->values[node->output].shape;
    const uint32_t channels = graph_shape_channels(shape);
    export_parts_use(&job->parts, "lrn");
    base_write_text(&job->calls, "        normalize_responses(%s, %uU, %zuU, %uU, %uU, ",
                    export_operand(job, node, 0).text, channels,
                    graph_shape_count(shape) / channels, (node->lrn.size - 1) / 2,
                    node->lrn.size / 2);
    export_write_float(&job->calls, node->lrn.alpha / (float)node->lrn.size);
    base_write_text(&job->calls, ", ");
    export_write_float(&job->calls, node->lrn.beta);
    base_write_text(&job->calls, ", ");
    export_write_float(&job->calls, node->lrn.bias);
    base_write_text(&job->calls, ", %s);\n", export_result(job, node, 0).text);
}

/* ---- along axes ---- */

static void write_softmax(export_job *job, uint32_t n) {
    const graph_node *node = &job->g->nodes[n];
    const graph_shape shape = job->g->values[node->output].shape;
    const uint32_t count = shape.dims[node->axis];
    const bool is_log = node->op == GRAPH_LOG_SOFTMAX;
    export_parts_use(&job->parts, is_log ? "log-softmax" : "softmax");
    base_write_text(
        &job->calls, "        %s(%s, %zuU, %uU, %zuU, %s);\n", is_log ? "log_softmax" : "softmax",
        export_operand(job, node, 0).text, graph_shape_count(shape) / count, count,
        graph_shape_extent(shape, node->axis + 1, shape.rank), export_result(job, node, 0).text);
}

/* The operand's axes that stay, or those that are summed. */
static export_axes axes_of(graph_shape in, uint32_t summed, bool are_summed) {
    export_axes axes = {0};
    for (uint32_t i = 0; i < in.rank; i++)
        if ((summed >> i & 1U) == (are_summed ? 1U : 0U))
            axes.axes[axes.rank++] =
                (export_axis){in.dims[i], (uint32_t)graph_shape_extent(in, i + 1, in.rank), NULL};
    export_axes_join(&axes, 1);
    return axes;
}

static void write_reduce(export_job *job, uint32_t n) {
    const graph_node *node = &job->g->nodes[n];
    const graph_shape in = graph_operand_shape(job->g, node, 0);
    const size_t made = graph_value_count(job->g, node->output);
    const size_t count = graph_shape_count(in) / made;
    const export_axes kept = axes_of(in, node->reduce.axes, false);
    const export_axes summed = axes_of(in, node->reduce.axes, true);
    export_axes_write(job, export_name_of("kept", n).text, &kept);
    export_axes_write(job, export_name_of("summed", n).text, &summed);
    export_parts_use(&job->parts, "reduce");
    base_write_text(&job->calls, "        reduce(kept_%u, %uU, %zuU, summed_%u, %uU, %zuU, ", n,
                    kept.rank, made, n, summed.rank, count);
    export_write_float(&job->calls,
                       node->reduce.kind == GRAPH_REDUCE_MEAN ? 1.0F / (float)count : 1.0F);
    base_write_text(&job->calls, ", %s, %s);\n", export_operand(job, node, 0).text,
                    export_result(job, node, 0).text);
}

/* ---- matmuls ---- */

/* Where the matrices of a stack stand: the axes before the last of a shape, broadcast. */
static export_axes stack_of(graph_shape shape, graph_shape stack) {
    const uint32_t axes = shape.rank < 2 ? shape.rank : 2;
    const uint32_t size = (uint32_t)graph_shape_extent(shape, shape.rank - axes, shape.rank);
    shape.rank -= axes;
    export_axes made = export_axes_broadcast(shape, stack);
    for (uint32_t i = 0; i < made.rank; i++)
        made.axes[i].stride *= size;
    return made;
}

static void write_matmul(export_job *job, uint32_t n) {
    const graph_node *node = &job->g->nodes[n];
    const graph_shape left = graph_operand_shape(job->g, node, 0);
    const graph_shape right = graph_operand_shape(job->g, node, 1);
    graph_shape stack = job->g->values[node->output].shape;
    stack.rank -= (left.rank > 1 ? 1U : 0U) + (right.rank > 1 ? 1U : 0U);
    export_axes axes[] = {stack_of(left, stack), stack_of(right, stack)};
    export_axes_join(axes, 2);
    export_axes_write(job, export_name_of("left", n).text, &axes[0]);
    export_axes_write(job, export_name_of("right", n).text, &axes[1]);
    export_parts_use(&job->parts, "matmul");
    const export_name a = export_operand(job, node, 0);
    const export_name b = export_operand(job, node, 1);
    base_write_text(
        &job->calls, "        multiply(left_%u, right_%u, %uU, %zuU, %uU, %uU, %uU, %s, %s, %s);\n",
        n, n, axes[0].rank, graph_shape_count(stack), left.rank > 1 ? left.dims[left.rank - 2] : 1,
        left.dims[left.rank - 1], right.rank > 1 ? right.dims[right.rank - 1] : 1, a.text, b.text,
        export_result(job, node, 0).text);
}

admmnn_status export_line_write(export_job *job, uint32_t n) {
    switch (job->g->nodes[n].op) {
    case GRAPH_BATCH_NORMALIZATION:
        return write_batch(job, n);
    case GRAPH_LRN:
        write_lrn(job, n);
        break;
    case GRAPH_SOFTMAX:
    case GRAPH_LOG_SOFTMAX:
        write_softmax(job, n);
        break;
    case GRAPH_REDUCE:
        write_reduce(job, n);
        break;
    case GRAPH_MATMUL:
        write_matmul(job, n);
        break;
    default: /* GRAPH_INSTANCE_NORMALIZATION, GRAPH_LAYER_NORMALIZATION */
        write_normalization(job, n);
    }
    return ADMMNN_OK;
}
