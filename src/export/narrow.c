/* The function of 8 bits. A value's numbers are whole multiples of its scale, from -127 to 127;
 * products are summed in 32 bits and brought to the scale of what they make. */
#include <math.h>

#include "base/memory.h"
#include "export/job.h"
#include "pack/model_calibrate.h"

/* Of a sum of numbers of 8 bits, so many at most. */
#define ADDENDS_MOST ((size_t)1 << 24)

/* ---- what has a form in 8 bits ---- */

/* Its numbers are some of its operand's, or bounded, or 0, and have their scale. */
static bool passes_on(const graph_node *node) {
    switch (node->op) {
    case GRAPH_RELU:
    case GRAPH_DROPOUT:
    case GRAPH_RESHAPE:
    case GRAPH_MAXPOOL:
    case GRAPH_SLICE:
    case GRAPH_TRANSPOSE:
    case GRAPH_GATHER:
        return true;
    case GRAPH_UNARY:
        return node->unary.kind == GRAPH_CLIP;
    case GRAPH_PAD:
        return node->pad.kind != GRAPH_PAD_CONSTANT || node->pad.value == 0.0F;
    case GRAPH_RESIZE:
        return node->resize.mode != GRAPH_RESIZE_LINEAR;
    default:
        return false;
    }
}

static admmnn_status refuse(const export_job *job, const char *path, uint32_t n,
                            const char *reason) {
    return base_fail(job->err, ADMMNN_UNSUPPORTED,
                     "%s: node %s: %s; leave --int8 out, and the code is of floats", path,
                     job->g->nodes[n].name, reason);
}

/* The sum of a row, at most: codes by numbers of 8 bits, of which a caller's sample may have -128.
 */
static bool fits_sum(const export_job *job, const export_layer *layer, uint32_t weight) {
    const pack_tensor *tensor = &job->model->tensors[weight];
    const uint32_t levels = admm_level_count(tensor->levels, tensor->bits);
    const double most =
        tensor->levels == ADMM_LEVELS_POWER_OF_TWO ? ldexp(1.0, (int)levels - 1) : (double)levels;
    return most * 128.0 * (double)layer->columns < 2147483647.0;
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

/* An operation without weights that makes numbers of a scale of its own. */
static admmnn_status check_other(const export_job *job, const char *path, uint32_t n) {
    const graph *g = job->g;
    const graph_node *node = &g->nodes[n];
    const graph_shape made = g->values[node->output].shape;
    switch (node->op) {
    case GRAPH_CONCAT:
        return ADMMNN_OK;
    case GRAPH_AVERAGE_POOL:
        if ((size_t)node->pool.window.kernel[0] * node->pool.window.kernel[1] <= ADDENDS_MOST)
            return ADMMNN_OK;
        return refuse(job, path, n, "its sums do not fit 32 bits");
    case GRAPH_REDUCE:
        if (graph_value_count(g, graph_operand(g, node, 0)) / graph_shape_count(made) <=
            ADDENDS_MOST)
            return ADMMNN_OK;
        return refuse(job, path, n, "its sums do not fit 32 bits");
    case GRAPH_BINARY:
        if (node->binary != GRAPH_ADD)
            break;
        if (graph_shape_equal(graph_operand_shape(g, node, 0), made) &&
            graph_shape_equal(graph_operand_shape(g, node, 1), made))
            return ADMMNN_OK;
        return refuse(job, path, n, "a sum of values of different shapes has no form in 8 bits");
    default:
        break;
    }
    const char *name = node->op == GRAPH_UNARY    ? graph_unary_name(node->unary.kind)
                       : node->op == GRAPH_BINARY ? graph_binary_name(node->binary)
                                                  : graph_op_name(node->op);
    return base_fail(job->err, ADMMNN_UNSUPPORTED,
                     "%s: node %s: %s has no form in 8 bits here; leave --int8 out, and the code "
                     "is of floats",
                     path, node->name, name);
}

/* What a layer does on the way may have operands that are constant, and a gather has indices. */
static bool all_vary(const export_job *job, uint32_t n) {
    const graph_node *node = &job->g->nodes[n];
    const export_step *step = &job->plan->steps[n];
    const bool reads_one = step->layer != NULL || step->done || passes_on(node);
    const uint32_t count = reads_one ? 1 : node->operand_count;
    bool vary = true;
    for (uint32_t i = 0; i < count; i++)
        vary &= graph_value_varies(job->g, graph_operand(job->g, node, i));
    return vary;
}

static admmnn_status check_step(const export_job *job, const char *path, uint32_t n) {
    const export_step *step = &job->plan->steps[n];
    if (!all_vary(job, n))
        return refuse(job, path, n, "an operation on constants has no form in 8 bits");
    if (step->layer != NULL)
        return check_layer(job, path, n);
    if (step->done || passes_on(&job->g->nodes[n]))
        return ADMMNN_OK;
    return check_other(job, path, n);
}

/* ---- scales ---- */

/* Another has its operand's. */
static bool has_own_scale(const export_job *job, uint32_t n) {
    const export_step *step = &job->plan->steps[n];
    return step->layer != NULL || !(step->done || passes_on(&job->g->nodes[n]));
}

/* The value that is kept of what a node makes: behind what passes it on. */
static uint32_t kept_of(const export_job *job, uint32_t n) {
    uint32_t next = job->plan->only[job->g->nodes[n].output];
    while (next != GRAPH_NONE && job->plan->steps[next].needed && !has_own_scale(job, next)) {
        n = next;
        next = job->plan->only[job->g->nodes[n].output];
    }
    return job->g->nodes[n].output;
}

static float scale_of(float range) {
    const float scale = range / EXPORT_NARROW_MOST;
    return range > 0.0F && isnormal(scale) ? scale : 1.0F / EXPORT_NARROW_MOST;
}

static void find_scales(export_job *job, const float *ranges) {
    const graph *g = job->g;
    float *scales = job->narrow.scales;
    scales[g->input] = scale_of(ranges[g->input]);
    for (uint32_t n = 0; n < g->node_count; n++) {
        const graph_node *node = &g->nodes[n];
        if (job->plan->steps[n].needed)
            scales[node->output] = has_own_scale(job, n) ? scale_of(ranges[kept_of(job, n)])
                                                         : scales[graph_operand(g, node, 0)];
    }
}

static admmnn_status calibrate(export_job *job, const export_code_settings *settings) {
    const uint32_t count = job->g->value_count;
    model_range *found = base_array(count, sizeof *found);
    float *ranges = base_array(count, sizeof *ranges);
    admmnn_status status = found != NULL && ranges != NULL
                               ? model_calibrate_on(job->model, job->params, settings->path,
                                                    settings->images, job->context, found, job->err)
                               : base_fail_memory(job->err, settings->path);
    if (status == ADMMNN_OK) {
        for (uint32_t v = 0; v < count; v++)
            ranges[v] = fmaxf(-found[v].low, found[v].high);
        find_scales(job, ranges);
    }
    base_free(found);
    base_free(ranges);
    return status;
}

/* ---- all of it ---- */

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
    if (settings->ranges != NULL)
        find_scales(job, settings->ranges);
    else
        BASE_TRY(calibrate(job, settings));
    for (uint32_t n = 0; n < job->g->node_count; n++)
        if (job->plan->steps[n].needed && !job->plan->steps[n].done)
            export_narrow_write_step(job, n);
    job->plan = plan;
    return ADMMNN_OK;
}
