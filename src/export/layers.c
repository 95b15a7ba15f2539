/* What has weights: convolutions, inner products, matmuls; and poolings, which convolutions may
 * be run with. */
#include <stdio.h>

#include "export/job.h"
#include "export/stream.h"

/* Of the tables, where pointers have four bytes. */
#define FILTER_BYTES 112U
#define LAYER_BYTES 52U
#define WINDOW_BYTES 48U
#define AVERAGE_BYTES 56U

/* ---- numbers ---- */

/* The arrays of a stream, and what begins the table that tells of them. */
static void write_stream(export_job *job, const export_stream *s, export_name name,
                         base_writer *table) {
    const size_t bytes = s->bits.bytes.count;
    char text[2][EXPORT_TEXT_MAX + 8];
    snprintf(text[0], sizeof text[0], "%s_bits", name.text);
    snprintf(text[1], sizeof text[1], "%s_floats", name.text);
    export_write_bytes(&job->data, text[0], s->bits.bytes.bytes, bytes);
    if (s->floats != NULL)
        export_write_floats(&job->data, text[1], s->floats, s->count);
    base_write_text(table, "{%s, %s, ", bytes == 0 ? "NULL" : text[0],
                    s->floats == NULL || s->count == 0 ? "NULL" : text[1]);
    export_write_float(table, s->step);
    base_write_text(table, ", %uU, %uU, %uU, %uU}", s->count, s->gap_bits, s->magnitude_bits,
                    s->doubles ? 1U : 0U);
}

static admmnn_status write_numbers(export_job *job, const pack_tensor *tensor, uint32_t rows,
                                   uint32_t columns, bool turned, export_name name,
                                   base_writer *table, uint64_t *bytes) {
    export_stream stream;
    const admmnn_status status =
        export_stream_make(tensor, rows, columns, turned, &stream, job->err);
    if (status == ADMMNN_OK) {
        write_stream(job, &stream, name, table);
        *bytes += stream.bits.bytes.count;
        *bytes += stream.floats == NULL ? 0 : stream.count * sizeof(float);
    }
    export_stream_free(&stream);
    return status;
}

static admmnn_status write_biases(export_job *job, const export_layer *layer, uint32_t n,
                                  base_writer *table) {
    const pack_tensor own = {.form = PACK_FLOAT32, .values = layer->biases};
    const export_name name = export_name_of("biases", n);
    const pack_tensor *tensor = &own;
    if (layer->bias != GRAPH_NONE)
        tensor = &job->model->tensors[layer->bias];
    return write_numbers(job, tensor, tensor == &own && layer->biases == NULL ? 0 : layer->rows, 1,
                         false, name, table, &job->sizes.biases);
}

/* The table of the type `layer`. */
static admmnn_status write_layer(export_job *job, uint32_t n, base_writer *table) {
    const export_layer *layer = job->plan->steps[n].layer;
    const export_name scales = export_name_of("scales", n);
    const pack_tensor *weights = &job->model->tensors[job->g->nodes[n].weight];
    base_write_text(table, "{");
    BASE_TRY(write_numbers(job, weights, layer->rows, layer->columns, layer->turned,
                           export_name_of("weights", n), table, &job->sizes.weights));
    base_write_text(table, ",\n     ");
    BASE_TRY(write_biases(job, layer, n, table));
    if (layer->scales != NULL) {
        export_write_floats(&job->data, scales.text, layer->scales, layer->rows);
        job->sizes.biases += layer->rows * sizeof(float);
    }
    base_write_text(table, ",\n     %s, ", layer->scales == NULL ? "NULL" : scales.text);
    export_write_float(table, layer->low);
    base_write_text(table, ", ");
    export_write_float(table, layer->high);
    base_write_text(table, "}");
    return ADMMNN_OK;
}

/* ---- windows ---- */

static void write_side(base_writer *out, const graph_window *w, int axis, uint32_t in,
                       uint32_t made) {
    base_write_text(out, "{%uU, %uU, %uU, %uU, %uU, %uU}", in, made, w->kernel[axis],
                    w->stride[axis], w->pad[axis], w->dilation[axis]);
}

/* The table of the type `window`. */
static void write_sides(base_writer *out, const graph_window *w, graph_shape in, graph_shape made) {
    base_write_text(out, "{");
    write_side(out, w, 0, graph_shape_height(in), graph_shape_height(made));
    base_write_text(out, ", ");
    write_side(out, w, 1, graph_shape_width(in), graph_shape_width(made));
    base_write_text(out, "}");
}

/* ---- layers ---- */

/* Of a convolution; transposed, its window is that of the convolution the other way. */
static admmnn_status write_filter(export_job *job, uint32_t n, base_writer *table) {
    const graph_node *node = &job->g->nodes[n];
    const graph_shape in = graph_operand_shape(job->g, node, 0);
    const graph_shape made = job->g->values[node->output].shape;
    const uint32_t rows = job->plan->steps[n].layer->rows;
    const bool transposed = node->op == GRAPH_TRANSPOSED_CONV;
    base_write_text(table, "static const filter layer_%u = {\n    ", n);
    BASE_TRY(write_layer(job, n, table));
    base_write_text(table, ",\n    %uU, %uU, %uU,\n    ", rows, rows / node->conv.groups,
                    graph_shape_channels(in) / node->conv.groups);
    write_sides(table, &node->conv.window, transposed ? made : in, transposed ? in : made);
    base_write_text(table, "};\n");
    job->sizes.tables += FILTER_BYTES;
    return ADMMNN_OK;
}

static admmnn_status write_product(export_job *job, uint32_t n, base_writer *table) {
    base_write_text(table, "static const layer layer_%u =\n    ", n);
    BASE_TRY(write_layer(job, n, table));
    base_write_text(table, ";\n");
    job->sizes.tables += LAYER_BYTES;
    return ADMMNN_OK;
}

/* Its arrays, and behind them its table. */
static admmnn_status write_table(export_job *job, uint32_t n) {
    const graph_op op = job->g->nodes[n].op;
    base_writer table = {0};
    const admmnn_status status = op == GRAPH_CONV || op == GRAPH_TRANSPOSED_CONV
                                     ? write_filter(job, n, &table)
                                     : write_product(job, n, &table);
    base_write_bytes(&job->data, table.bytes, table.count);
    job->data.failed |= table.failed;
    base_writer_free(&table);
    return status;
}

static void count_weights(export_job *job, uint32_t n) {
    const graph_parameter *weight = &job->g->parameters[job->g->nodes[n].weight];
    job->sizes.weight_count += weight->count;
    for (size_t i = 0; i < weight->count; i++)
        job->sizes.kept += job->params[weight->offset + i] != 0.0F;
}

/* An inner product, or a matmul by weights: of one row of inputs, or of several. */
static void write_products(export_job *job, uint32_t n, export_name x, export_name y) {
    const export_layer *layer = job->plan->steps[n].layer;
    const size_t count = graph_value_count(job->g, job->g->nodes[n].output) / layer->rows;
    export_parts_use(&job->parts, count == 1 ? "product" : "products");
    base_write_text(&job->calls, "        %s(&layer_%u, %uU, %uU, ",
                    count == 1 ? "multiply_vector" : "multiply_rows", n, layer->rows,
                    layer->columns);
    if (count > 1)
        base_write_text(&job->calls, "%zuU, ", count);
    base_write_text(&job->calls, "%s, %s);\n", x.text, y.text);
}

admmnn_status export_layer_write(export_job *job, uint32_t n) {
    const graph_node *node = &job->g->nodes[n];
    const export_name x = export_operand(job, node, 0);
    const export_name y = export_result(job, node, 0);
    BASE_TRY(write_table(job, n));
    count_weights(job, n);
    if (node->op == GRAPH_CONV || node->op == GRAPH_TRANSPOSED_CONV) {
        const bool transposed = node->op == GRAPH_TRANSPOSED_CONV;
        export_parts_use(&job->parts, transposed ? "transposed" : "convolve");
        base_write_text(&job->calls, "        %s(&layer_%u, %s, %s);\n",
                        transposed ? "convolve_transposed" : "convolve", n, x.text, y.text);
        return ADMMNN_OK;
    }
    write_products(job, n, x, y);
    return ADMMNN_OK;
}

/* ---- poolings ---- */

/* Windows of more places lose too much in one sum. */
#define FEW_PLACES 64U

/* The section with the function that averages a plane: one for all of the network. */
static const char *average_section(const graph *g) {
    for (uint32_t n = 0; n < g->node_count; n++) {
        const graph_node *node = &g->nodes[n];
        const uint32_t *kernel = node->pool.window.kernel;
        if (node->op == GRAPH_AVERAGE_POOL && (uint64_t)kernel[0] * kernel[1] > FEW_PLACES)
            return "average-of-many";
    }
    return "average-of-few";
}

static void write_pool(export_job *job, uint32_t n) {
    const graph_node *node = &job->g->nodes[n];
    const graph_window *w = &node->pool.window;
    const graph_shape in = graph_operand_shape(job->g, node, 0);
    const bool is_max = node->op == GRAPH_MAXPOOL;
    const bool counts = node->pool.counts_padding;
    base_writer *out = &job->data;
    base_write_text(out, "static const %s window_%u = %s", is_max ? "window" : "average", n,
                    is_max ? "" : "{");
    write_sides(out, w, in, job->g->values[node->output].shape);
    if (!is_max)
        export_parts_use(&job->parts, average_section(job->g));
    if (!is_max)
        base_write_text(out, ", %uU, %uU",
                        counts ? w->pad[0] + graph_shape_height(in) + w->pad_end[0] : 0,
                        counts ? w->pad[1] + graph_shape_width(in) + w->pad_end[1] : 0);
    base_write_text(out, "%s;\n", is_max ? "" : "}");
    job->sizes.tables += is_max ? WINDOW_BYTES : AVERAGE_BYTES;
}

/* With the convolution whose planes it pools. */
static admmnn_status write_pooled(export_job *job, uint32_t n) {
    const export_step *step = &job->plan->steps[n];
    const graph_node *node = &job->g->nodes[n];
    const export_name x = export_operand(job, &job->g->nodes[step->pooled], 0);
    const export_name y = export_result(job, node, 0);
    const bool is_max = node->op == GRAPH_MAXPOOL;
    BASE_TRY(write_table(job, step->pooled));
    count_weights(job, step->pooled);
    write_pool(job, n);
    export_parts_use(&job->parts, is_max ? "convolve-max" : "convolve-average");
    base_write_text(&job->calls, "        %s(&layer_%u, &window_%u, %s, &values[%zu], %s);\n",
                    is_max ? "convolve_max" : "convolve_average", step->pooled, n, x.text,
                    step->plane, y.text);
    return ADMMNN_OK;
}

admmnn_status export_pool_write(export_job *job, uint32_t n) {
    const graph_node *node = &job->g->nodes[n];
    const bool is_max = node->op == GRAPH_MAXPOOL;
    if (job->plan->steps[n].pooled != GRAPH_NONE)
        return write_pooled(job, n);
    const export_name x = export_operand(job, node, 0);
    const export_name y = export_result(job, node, 0);
    write_pool(job, n);
    export_parts_use(&job->parts, is_max ? "max-pool" : "average-pool");
    base_write_text(&job->calls, "        %s(&window_%u, %uU, %s, %s);\n",
                    is_max ? "max_pool" : "average_pool", n,
                    graph_shape_channels(job->g->values[node->output].shape), x.text, y.text);
    return ADMMNN_OK;
}
