/* The function of 8 bits. A value's numbers are whole multiples of its scale, from -127 to 127;
 * products are summed in 32 bits and brought to the scale of what they make. */
#include <math.h>

#include "base/memory.h"
#include "export/calibrate.h"
#include "graph/reader.h"
#include "pack/model_file.h"

#define MOST 127.0F
/* Of a table, where pointers have four bytes. */
#define NARROWING_BYTES 16U

/* ---- what has a form in 8 bits ---- */

static bool passes_on(const graph_node *node) {
    return node->op == GRAPH_RELU || node->op == GRAPH_DROPOUT || node->op == GRAPH_RESHAPE;
}

static admmnn_status refuse(const export_job *job, const char *path, uint32_t n,
                            const char *reason) {
    return base_fail(job->err, ADMMNN_UNSUPPORTED,
                     "%s: node %s: %s; leave --int8 out, and the code is of floats", path,
                     job->g->nodes[n].name, reason);
}

/* The sum of a row, at most: codes by numbers of 8 bits. */
static bool fits_sum(const export_job *job, const export_layer *layer, uint32_t weight) {
    const pack_tensor *tensor = &job->model->tensors[weight];
    const uint32_t levels = admm_level_count(tensor->levels, tensor->bits);
    const double most =
        tensor->levels == ADMM_LEVELS_POWER_OF_TWO ? ldexp(1.0, (int)levels - 1) : (double)levels;
    return most * 127.0 * (double)layer->columns < 2147483647.0;
}

static admmnn_status check_layer(const export_job *job, const char *path, uint32_t n) {
    const graph_node *node = &job->g->nodes[n];
    const export_layer *layer = job->plan->steps[n].layer;
    if (node->op == GRAPH_TRANSPOSED_CONV)
        return refuse(job, path, n, "a transposed convolution has no form in 8 bits");
    if (node->op != GRAPH_CONV && graph_value_count(job->g, node->output) != layer->rows)
        return refuse(job, path, n, "a matmul of several rows has no form in 8 bits");
    if (job->model->tensors[node->weight].form != PACK_LEVELS)
        return refuse(job, path, n, "weights of 32 bits have no form in 8 bits");
    if (!fits_sum(job, layer, node->weight))
        return refuse(job, path, n, "its sums do not fit 32 bits");
    return ADMMNN_OK;
}

static admmnn_status check_step(const export_job *job, const char *path, uint32_t n) {
    const graph_node *node = &job->g->nodes[n];
    const export_step *step = &job->plan->steps[n];
    if (!graph_value_varies(job->g, graph_operand(job->g, node, 0)))
        return refuse(job, path, n, "an operation on constants has no form in 8 bits");
    if (step->layer != NULL)
        return check_layer(job, path, n);
    if (step->done || passes_on(node) || (node->op == GRAPH_MAXPOOL && step->pooled != GRAPH_NONE))
        return ADMMNN_OK;
    return base_fail(job->err, ADMMNN_UNSUPPORTED,
                     "%s: node %s: %s has no form in 8 bits here; leave --int8 out, and the code "
                     "is of floats",
                     path, node->name, graph_op_name(node->op));
}

/* ---- scales ---- */

/* The value that is kept of what a layer makes: behind what it does on the way, and pooled. */
static uint32_t kept_of(const export_job *job, uint32_t layer) {
    uint32_t n = layer;
    uint32_t next = graph_only_reader(job->g, n);
    while (next != GRAPH_NONE &&
           (job->plan->steps[next].done || job->plan->steps[next].pooled == layer)) {
        n = next;
        next = graph_only_reader(job->g, n);
    }
    return job->g->nodes[n].output;
}

/* Where the ranges of values come from. */
typedef struct ranges {
    const float *given; /* [values]; NULL: from images */
    export_calibration images;
} ranges;

static admmnn_status find_scale(export_job *job, const ranges *r, uint32_t value, uint32_t kept) {
    float most = 0.0F;
    if (r->given != NULL)
        most = r->given[kept];
    else
        BASE_TRY(export_calibrate(&r->images, kept, &most));
    job->narrow.scales[value] = most > 0.0F && isfinite(most) ? most / MOST : 1.0F / MOST;
    return ADMMNN_OK;
}

static admmnn_status find_scales(export_job *job, const ranges *r) {
    const graph *g = job->g;
    BASE_TRY(find_scale(job, r, g->input, g->input));
    for (uint32_t n = 0; n < g->node_count; n++) {
        const graph_node *node = &g->nodes[n];
        if (!job->plan->steps[n].needed)
            continue;
        if (job->plan->steps[n].layer != NULL)
            BASE_TRY(find_scale(job, r, node->output, kept_of(job, n)));
        else
            job->narrow.scales[node->output] = job->narrow.scales[graph_operand(g, node, 0)];
    }
    return ADMMNN_OK;
}

/* ---- writing ---- */

static float bounded(float bound, float scale) {
    const float steps = bound / scale;
    return steps < -MOST ? -MOST : steps > MOST ? MOST : steps;
}

static void write_narrowing(export_job *job, uint32_t n) {
    const graph_node *node = &job->g->nodes[n];
    const export_layer *layer = job->plan->steps[n].layer;
    const float in = job->narrow.scales[graph_operand(job->g, node, 0)];
    const float made = job->narrow.scales[node->output];
    const float numbers[] = {job->model->tensors[node->weight].step * in / made, 1.0F / made,
                             bounded(layer->low, made), bounded(layer->high, made)};
    base_write_text(&job->data, "static const narrowing narrow_%u = {", n);
    for (int i = 0; i < 4; i++) {
        base_write_text(&job->data, "%s", i == 0 ? "" : ", ");
        export_write_float(&job->data, numbers[i]);
    }
    base_write_text(&job->data, "};\n");
    job->sizes.tables += NARROWING_BYTES;
}

static void note_plane(export_job *job, uint32_t n) {
    const graph_shape made = job->g->values[job->g->nodes[n].output].shape;
    const size_t count = graph_shape_extent(made, 1, made.rank);
    job->narrow.plane = count > job->narrow.plane ? count : job->narrow.plane;
}

static void write_convolution(export_job *job, uint32_t n, uint32_t pool) {
    const export_name x = export_operand(job, &job->g->nodes[n], 0);
    const uint32_t last = pool == GRAPH_NONE ? n : pool;
    note_plane(job, n);
    write_narrowing(job, n);
    export_parts_use(&job->parts, pool == GRAPH_NONE ? "narrow-convolve" : "narrow-convolve-max");
    base_write_text(&job->narrow.calls, "        %s(&layer_%u, &narrow_%u, ",
                    pool == GRAPH_NONE ? "convolve_int8" : "convolve_max_int8", n, n);
    if (pool != GRAPH_NONE)
        base_write_text(&job->narrow.calls, "&window_%u, ", pool);
    base_write_text(&job->narrow.calls, "%s, plane, %s);\n", x.text,
                    export_result(job, &job->g->nodes[last], 0).text);
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

/* A rectifier, or a copy of the input into the output. */
static void write_passing(export_job *job, uint32_t n) {
    const graph_node *node = &job->g->nodes[n];
    const bool is_copy = node->op != GRAPH_RELU;
    export_parts_use(&job->parts, is_copy ? "narrow-copy" : "narrow-rectify");
    base_write_text(&job->narrow.calls, "        %s(%s, %zuU, %s);\n",
                    is_copy ? "copy_int8" : "rectify_int8", export_operand(job, node, 0).text,
                    graph_value_count(job->g, node->output), export_result(job, node, 0).text);
}

static void write_step(export_job *job, uint32_t n) {
    const export_step *step = &job->plan->steps[n];
    if (step->pooled != GRAPH_NONE)
        write_convolution(job, step->pooled, n);
    else if (job->g->nodes[n].op == GRAPH_CONV)
        write_convolution(job, n, GRAPH_NONE);
    else if (step->layer != NULL)
        write_product(job, n);
    else
        write_passing(job, n);
}

static admmnn_status calibrate(export_job *job, const export_code_settings *settings) {
    ranges r = {.given = settings->ranges};
    admmnn_status status = ADMMNN_OK;
    if (r.given == NULL)
        status = export_calibration_open(job, settings->path, settings->images, &r.images);
    if (status == ADMMNN_OK)
        status = find_scales(job, &r);
    export_calibration_close(&r.images);
    return status;
}

admmnn_status export_narrow_write(export_job *job, const export_code_settings *settings) {
    const export_plan *plan = job->plan;
    BASE_TRY(export_plan_make(job->g, job->params, true, &job->narrow.plan, job->err));
    job->plan = &job->narrow.plan;
    job->narrow.scales = base_array(job->g->value_count, sizeof *job->narrow.scales);
    if (job->narrow.scales == NULL)
        return base_fail_memory(job->err, settings->path);
    for (uint32_t n = 0; n < job->g->node_count; n++)
        if (job->plan->steps[n].needed)
            BASE_TRY(check_step(job, settings->path, n));
    BASE_TRY(calibrate(job, settings));
    for (uint32_t n = 0; n < job->g->node_count; n++)
        if (job->plan->steps[n].needed && !job->plan->steps[n].done)
            write_step(job, n);
    job->plan = plan;
    return ADMMNN_OK;
}
