/* What moves elements, resizing among it. */
#include <stdio.h>

#include "base/memory.h"
#include "export/axes.h"
#include "graph/resize.h"

/* Of a table, where pointers have four bytes. */
#define GRID_BYTES 16U

static uint32_t stride_of(graph_shape shape, uint32_t axis) {
    return (uint32_t)graph_shape_extent(shape, axis + 1, shape.rank);
}

/* The axes of the result, all by their strides; joined and freed. */
static void write_move(export_job *job, uint32_t n, export_axes *axes, float fill) {
    const graph_node *node = &job->g->nodes[n];
    const export_name name = export_name_of("axes", n);
    export_axes_join(axes, 1);
    export_axes_write(job, name.text, axes);
    export_parts_use(&job->parts, "move");
    base_write_text(&job->calls, "        move(%s, %uU, %zuU, ", name.text, axes->rank,
                    graph_value_count(job->g, node->output));
    export_write_float(&job->calls, fill);
    base_write_text(&job->calls, ", %s, %s);\n", export_operand(job, node, 0).text,
                    export_result(job, node, 0).text);
}

/* ---- where an output index of an axis finds its element ---- */

static uint32_t sliced(const graph_node *node, uint32_t axis, uint32_t index) {
    return (uint32_t)((int64_t)node->slice.first[axis] + (int64_t)index * node->slice.step[axis]);
}

/* EXPORT_NOWHERE: on constant padding. */
static uint32_t unpadded(const graph_node *node, uint32_t axis, uint32_t index, uint32_t size) {
    const uint32_t begin = node->pad.begin[axis];
    const uint32_t end = begin + size;
    if (index >= begin && index < end)
        return index - begin;
    if (node->pad.kind == GRAPH_PAD_CONSTANT)
        return EXPORT_NOWHERE;
    if (node->pad.kind == GRAPH_PAD_EDGE)
        return index < begin ? 0 : size - 1;
    return index < begin ? begin - index : size - 2 - (index - end);
}

static uint32_t element_of(const export_job *job, const graph_node *node, uint32_t axis,
                           uint32_t index) {
    const uint32_t in = graph_operand_shape(job->g, node, 0).dims[axis];
    const uint32_t made = job->g->values[node->output].shape.dims[axis];
    switch (node->op) {
    case GRAPH_SLICE:
        return sliced(node, axis, index);
    case GRAPH_PAD:
        return unpadded(node, axis, index, in);
    default: /* GRAPH_RESIZE */
        return graph_resize_near(&node->resize, axis, index, in, made).low;
    }
}

/* ---- slices, pads, resizes to the nearest: each axis by itself ---- */

static admmnn_status find_places(export_job *job, const graph_node *node, export_axes *axes,
                                 uint32_t axis) {
    export_axis *a = &axes->axes[axis];
    bool is_whole = a->count == graph_operand_shape(job->g, node, 0).dims[axis];
    for (uint32_t i = 0; i < a->count && is_whole; i++)
        is_whole = element_of(job, node, axis, i) == i;
    if (is_whole)
        return ADMMNN_OK;
    uint32_t *places = export_axes_places(axes, axis);
    if (places == NULL)
        return base_fail_memory(job->err, "the tables of the C code");
    for (uint32_t i = 0; i < a->count; i++) {
        const uint32_t element = element_of(job, node, axis, i);
        places[i] = element == EXPORT_NOWHERE ? EXPORT_NOWHERE : element * a->stride;
    }
    return ADMMNN_OK;
}

static admmnn_status write_axes(export_job *job, uint32_t n) {
    const graph_node *node = &job->g->nodes[n];
    const graph_shape in = graph_operand_shape(job->g, node, 0);
    const graph_shape made = job->g->values[node->output].shape;
    export_axes axes = {.rank = made.rank};
    admmnn_status status = ADMMNN_OK;
    for (uint32_t i = 0; i < made.rank && status == ADMMNN_OK; i++) {
        axes.axes[i] = (export_axis){made.dims[i], stride_of(in, i), NULL};
        status = find_places(job, node, &axes, i);
    }
    if (status == ADMMNN_OK)
        write_move(job, n, &axes, node->op == GRAPH_PAD ? node->pad.value : 0.0F);
    export_axes_free(&axes);
    return status;
}

/* ---- transposes and gathers ---- */

static void write_transpose(export_job *job, uint32_t n) {
    const graph_node *node = &job->g->nodes[n];
    const graph_shape in = graph_operand_shape(job->g, node, 0);
    const graph_shape made = job->g->values[node->output].shape;
    export_axes axes = {.rank = made.rank};
    for (uint32_t i = 0; i < made.rank; i++)
        axes.axes[i] = (export_axis){made.dims[i], stride_of(in, node->order[i]), NULL};
    write_move(job, n, &axes, 0.0F);
}

/* The axis that is gathered has the indices' places, whatever their shape. */
static admmnn_status write_gather(export_job *job, uint32_t n) {
    const graph_node *node = &job->g->nodes[n];
    const graph_shape in = graph_operand_shape(job->g, node, 0);
    const uint32_t indices = graph_operand(job->g, node, 1);
    const float *picked = export_fixed(job->g, job->params, indices);
    export_axes axes = {.rank = in.rank};
    for (uint32_t i = 0; i < in.rank; i++)
        axes.axes[i] = (export_axis){in.dims[i], stride_of(in, i), NULL};
    axes.axes[node->axis].count = (uint32_t)graph_value_count(job->g, indices);
    uint32_t *places = export_axes_places(&axes, node->axis);
    if (places == NULL)
        return base_fail_memory(job->err, "the tables of the C code");
    for (uint32_t i = 0; i < axes.axes[node->axis].count; i++)
        places[i] = (uint32_t)picked[i] * axes.axes[node->axis].stride;
    write_move(job, n, &axes, 0.0F);
    export_axes_free(&axes);
    return ADMMNN_OK;
}

/* ---- linear resizing ---- */

typedef struct grid {
    uint32_t *low, *high;
    float *share;
} grid;

static void write_grid(export_job *job, uint32_t n, uint32_t axis, const grid *of,
                       base_writer *table) {
    static const char *const parts[] = {"low", "high", "share"};
    const uint32_t count = job->g->values[job->g->nodes[n].output].shape.dims[axis];
    char names[3][EXPORT_TEXT_MAX];
    for (int i = 0; i < 3; i++)
        snprintf(names[i], sizeof names[i], "%s_%u_%u", parts[i], n, axis);
    export_write_places(&job->data, names[0], of->low, count);
    export_write_places(&job->data, names[1], of->high, count);
    export_write_floats(&job->data, names[2], of->share, count);
    base_write_text(table, "%s{%uU, %s, %s, %s}", axis == 0 ? "" : ", ", count, names[0], names[1],
                    names[2]);
    job->sizes.tables += GRID_BYTES + 3 * sizeof(float) * (uint64_t)count;
}

static admmnn_status write_grid_of(export_job *job, uint32_t n, uint32_t axis, base_writer *table) {
    const graph_node *node = &job->g->nodes[n];
    const graph_shape in = graph_operand_shape(job->g, node, 0);
    const uint32_t count = job->g->values[node->output].shape.dims[axis];
    grid of = {base_array(count, sizeof *of.low), base_array(count, sizeof *of.high),
               base_array(count, sizeof *of.share)};
    const bool made = of.low != NULL && of.high != NULL && of.share != NULL;
    for (uint32_t i = 0; i < count && made; i++) {
        const graph_near near = graph_resize_near(&node->resize, axis, i, in.dims[axis], count);
        of.low[i] = near.low * stride_of(in, axis);
        of.high[i] = near.high * stride_of(in, axis);
        of.share[i] = (float)near.share;
    }
    if (made)
        write_grid(job, n, axis, &of, table);
    base_free(of.low);
    base_free(of.high);
    base_free(of.share);
    return made ? ADMMNN_OK : base_fail_memory(job->err, "the tables of the C code");
}

static admmnn_status write_linear(export_job *job, uint32_t n) {
    const graph_node *node = &job->g->nodes[n];
    const graph_shape made = job->g->values[node->output].shape;
    base_writer table = {0};
    admmnn_status status = ADMMNN_OK;
    for (uint32_t i = 0; i < made.rank && status == ADMMNN_OK; i++)
        status = write_grid_of(job, n, i, &table);
    base_write_text(&job->data, "static const grid grid_%u[] = {", n);
    base_write_bytes(&job->data, table.bytes, table.count);
    base_write_text(&job->data, "};\n");
    job->data.failed |= table.failed;
    base_writer_free(&table);
    export_parts_use(&job->parts, "resize");
    base_write_text(&job->calls, "        resize(grid_%u, %uU, %zuU, %s, %s);\n", n, made.rank,
                    graph_shape_count(made), export_operand(job, node, 0).text,
                    export_result(job, node, 0).text);
    return status;
}

/* ---- concatenations ---- */

static void write_concat(export_job *job, uint32_t n) {
    const graph_node *node = &job->g->nodes[n];
    const graph_shape made = job->g->values[node->output].shape;
    const size_t stride = graph_shape_extent(made, node->axis, made.rank);
    size_t first = 0;
    export_parts_use(&job->parts, "copy");
    for (uint32_t i = 0; i < node->operand_count; i++) {
        const graph_shape in = graph_operand_shape(job->g, node, i);
        const size_t length = graph_shape_extent(in, node->axis, in.rank);
        const export_name x = export_operand(job, node, i);
        base_write_text(&job->calls, "        copy_rows(%s, %zuU, %zuU, %zuU, %s);\n", x.text,
                        graph_shape_extent(in, 0, node->axis), length, stride,
                        export_result(job, node, first).text);
        first += length;
    }
}

admmnn_status export_move_write(export_job *job, uint32_t n) {
    const graph_node *node = &job->g->nodes[n];
    switch (node->op) {
    case GRAPH_CONCAT:
        write_concat(job, n);
        return ADMMNN_OK;
    case GRAPH_TRANSPOSE:
        write_transpose(job, n);
        return ADMMNN_OK;
    case GRAPH_GATHER:
        return write_gather(job, n);
    case GRAPH_RESIZE:
        return node->resize.mode == GRAPH_RESIZE_LINEAR ? write_linear(job, n) : write_axes(job, n);
    default: /* GRAPH_SLICE, GRAPH_PAD */
        return write_axes(job, n);
    }
}
