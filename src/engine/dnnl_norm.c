/* Batch normalization: as a whole oneDNN's, with a rectifier in it where one follows; as a
 * share between its calls, by the sums of all shares. */
#include "engine/dnnl_record.h"

static uint32_t input_of(const dnnl_network *d, const dnnl_node *n) {
    return graph_operand(d->graph, n->node, 0);
}

/* ---- as a share ---- */

static admmnn_status add_mark(dnnl_network *d, const dnnl_node *n, dnnl_work work, uint32_t x,
                              uint32_t y, uint32_t z, admmnn_error *err) {
    dnnl_mark mark = dnnl_mark_of(d, n, work, x, y);
    mark.z = z;
    mark.layout = dnnl_layout(d, n->src);
    mark.rectified = n->act != NULL;
    return dnnl_add_mark(d, mark, err);
}

/* With what is added to what the normalization makes, before a rectifier that follows. */
admmnn_status dnnl_norm_sum(dnnl_network *d, dnnl_node *sum, admmnn_error *err) {
    const dnnl_node *n = sum->by;
    dnnl_mark mark = dnnl_mark_of(d, n, DNNL_NORM, n->src, n->dst);
    BASE_TRY(tape_reorder(&d->tape, d->tensor[n->added], dnnl_format(d, n->src), &mark.z, err));
    mark.layout = dnnl_layout(d, n->src);
    mark.rectified = sum->act != NULL;
    sum->made = true;
    sum->dst = n->dst;
    return dnnl_add_mark(d, mark, err);
}

/* Not in place: the backward pass reads the input again. */
static admmnn_status share_forward(dnnl_network *d, dnnl_node *n, admmnn_error *err) {
    const unsigned when = d->tape.when;
    n->norm_number = d->norm_count++;
    n->src = d->tensor[input_of(d, n)];
    if (!d->plan.fuses || dnnl_layout(d, n->src).block == 0)
        BASE_TRY(dnnl_plain(d, input_of(d, n), n->src, &n->src, err));
    n->dst = TAPE_NONE;
    if (n->reader != NULL && dnnl_is_grouped(d, n->src))
        n->reader->before = n;
    else
        BASE_TRY(tape_tensor_add(&d->tape, dnnl_format(d, n->src), TAPE_ARENA, 0, &n->dst, err));
    if (d->plan.training) {
        const uint32_t x = n->summed ? TAPE_NONE : n->src;
        d->tape.when = TAPE_TRAIN;
        BASE_TRY(add_mark(d, n, DNNL_NORM_SUMS, x, TAPE_NONE, TAPE_NONE, err));
        d->tape.when = when;
    }
    dnnl_keep(d, n->src, TAPE_KEPT);
    d->tensor[n->tail->output] = n->dst == TAPE_NONE ? n->src : n->dst;
    if (n->sum != NULL && dnnl_is_grouped(d, n->src))
        return n->later ? ADMMNN_OK : dnnl_norm_sum(d, n->sum, err);
    if (n->sum != NULL)
        n->sum->by = NULL; /* oneDNN makes it */
    return add_mark(d, n, DNNL_NORM, n->src, n->dst, TAPE_NONE, err);
}

static admmnn_status share_backward(dnnl_network *d, dnnl_node *n, uint32_t dy, admmnn_error *err) {
    uint32_t dx;
    BASE_TRY(tape_reorder(&d->tape, dy, dnnl_format(d, n->src), &dy, err));
    BASE_TRY(
        add_mark(d, n, DNNL_UNNORM_SUMS, n->unsummed ? TAPE_NONE : n->src, TAPE_NONE, dy, err));
    if (n->turned)
        return dnnl_add_gradient(d, input_of(d, n), dy, err);
    BASE_TRY(dnnl_gradient_beside(d, dy, &dx, err));
    tape_overwrite(&d->tape, dx);
    BASE_TRY(add_mark(d, n, DNNL_UNNORM, n->src, dx, dy, err));
    return dnnl_add_gradient(d, input_of(d, n), dx, err);
}

/* ---- as a whole ---- */

/* One number a channel, of the parameter vector or the gradient. */
static admmnn_status add_channels(dnnl_network *d, uint32_t parameter, tape_home home,
                                  uint32_t *out, admmnn_error *err) {
    const graph_parameter *p = &d->graph->parameters[parameter];
    const dnnl_dims_t dims = {p->rows};
    return dnnl_add_plain(d, 1, dims, home, p->offset, out, err);
}

static dnnl_api_shapes shapes_of(const dnnl_network *d, const dnnl_node *n) {
    const unsigned rectified = n->act != NULL ? dnnl_fuse_norm_relu : 0;
    return (dnnl_api_shapes){.src = dnnl_format(d, n->src),
                             .dst = dnnl_format(d, n->src),
                             .epsilon = n->node->normalization.epsilon,
                             .flags = dnnl_use_scale | dnnl_use_shift | rectified,
                             .forward = n->forward};
}

/* By the batch's statistics, which are left in the places of the running ones. */
static admmnn_status call_training(dnnl_network *d, dnnl_node *n, const tape_argument *common,
                                   admmnn_error *err) {
    const graph_normalization *g = &n->node->normalization;
    tape *t = &d->tape;
    const dnnl_api_shapes shapes = shapes_of(d, n);
    dnnl_status_t made = dnnl_api_batch_norm_forward(&t->api, &shapes, true, &n->forward);
    if (made != dnnl_success)
        return tape_fail(err, made, n->node->name);
    BASE_TRY(add_channels(d, g->mean, TAPE_GRADIENT, &n->mean, err));
    BASE_TRY(add_channels(d, g->variance, TAPE_GRADIENT, &n->variance, err));
    int count = 6;
    tape_argument arguments[7] = {common[0],
                                  common[1],
                                  common[2],
                                  common[3],
                                  {DNNL_ARG_MEAN, n->mean},
                                  {DNNL_ARG_VARIANCE, n->variance}};
    if (n->act != NULL) {
        BASE_TRY(tape_tensor_add(t, dnnl_asked(n->forward, dnnl_query_workspace_md), TAPE_ARENA, 0,
                                 &n->workspace, err));
        arguments[count++] = (tape_argument){DNNL_ARG_WORKSPACE, n->workspace};
    }
    dnnl_keep(d, n->src, TAPE_KEPT);
    return tape_call_add(t, n->forward, arguments, count, err);
}

/* By the running statistics. */
static admmnn_status call_evaluation(dnnl_network *d, dnnl_node *n, const tape_argument *common,
                                     admmnn_error *err) {
    const graph_normalization *g = &n->node->normalization;
    uint32_t mean;
    uint32_t variance;
    BASE_TRY(add_channels(d, g->mean, TAPE_PARAMETER, &mean, err));
    BASE_TRY(add_channels(d, g->variance, TAPE_PARAMETER, &variance, err));
    dnnl_api_shapes shapes = shapes_of(d, n);
    shapes.flags |= dnnl_use_global_stats;
    dnnl_primitive_desc_t what;
    dnnl_status_t made = dnnl_api_batch_norm_forward(&d->tape.api, &shapes, false, &what);
    if (made != dnnl_success)
        return tape_fail(err, made, n->node->name);
    const tape_argument arguments[] = {common[0],
                                       common[1],
                                       common[2],
                                       common[3],
                                       {DNNL_ARG_MEAN, mean},
                                       {DNNL_ARG_VARIANCE, variance}};
    return dnnl_call_once(d, what, arguments, 6, err);
}

static admmnn_status whole_forward(dnnl_network *d, dnnl_node *n, admmnn_error *err) {
    const graph_normalization *g = &n->node->normalization;
    tape *t = &d->tape;
    const unsigned when = t->when;
    uint32_t scale;
    uint32_t shift;
    n->src = d->tensor[input_of(d, n)];
    n->dst = n->src;
    if (d->plan.training || !dnnl_may_overwrite(d, input_of(d, n), TAPE_FORGOTTEN))
        BASE_TRY(tape_tensor_add(t, dnnl_format(d, n->src), TAPE_ARENA, 0, &n->dst, err));
    BASE_TRY(add_channels(d, g->scale, TAPE_PARAMETER, &scale, err));
    BASE_TRY(add_channels(d, g->shift, TAPE_PARAMETER, &shift, err));
    const tape_argument common[] = {{DNNL_ARG_SRC, n->src},
                                    {DNNL_ARG_DST, n->dst},
                                    {DNNL_ARG_SCALE, scale},
                                    {DNNL_ARG_SHIFT, shift}};
    tape_overwrite(t, n->dst);
    if (d->plan.training) {
        t->when = TAPE_TRAIN;
        BASE_TRY(call_training(d, n, common, err));
    }
    t->when = TAPE_EVALUATE;
    BASE_TRY(call_evaluation(d, n, common, err));
    t->when = when;
    d->tensor[n->tail->output] = n->dst;
    return ADMMNN_OK;
}

static admmnn_status whole_backward(dnnl_network *d, dnnl_node *n, uint32_t dy, admmnn_error *err) {
    const graph_normalization *g = &n->node->normalization;
    tape *t = &d->tape;
    uint32_t dx;
    uint32_t scale;
    uint32_t shift; /* oneDNN 2 wants it here too */
    uint32_t d_scale;
    uint32_t d_shift;
    BASE_TRY(tape_reorder(t, dy, dnnl_format(d, n->src), &dy, err));
    BASE_TRY(dnnl_gradient_beside(d, dy, &dx, err));
    BASE_TRY(add_channels(d, g->scale, TAPE_PARAMETER, &scale, err));
    BASE_TRY(add_channels(d, g->shift, TAPE_PARAMETER, &shift, err));
    BASE_TRY(add_channels(d, g->scale, TAPE_GRADIENT, &d_scale, err));
    BASE_TRY(add_channels(d, g->shift, TAPE_GRADIENT, &d_shift, err));
    const dnnl_api_shapes shapes = shapes_of(d, n);
    dnnl_primitive_desc_t what;
    dnnl_status_t made = dnnl_api_batch_norm_backward(&t->api, &shapes, true, &what);
    if (made != dnnl_success)
        return tape_fail(err, made, n->node->name);
    int count = 9;
    tape_argument arguments[10] = {
        {DNNL_ARG_SRC, n->src},  {DNNL_ARG_MEAN, n->mean},       {DNNL_ARG_VARIANCE, n->variance},
        {DNNL_ARG_SCALE, scale}, {DNNL_ARG_SHIFT, shift},        {DNNL_ARG_DIFF_DST, dy},
        {DNNL_ARG_DIFF_SRC, dx}, {DNNL_ARG_DIFF_SCALE, d_scale}, {DNNL_ARG_DIFF_SHIFT, d_shift}};
    if (n->act != NULL)
        arguments[count++] = (tape_argument){DNNL_ARG_WORKSPACE, n->workspace};
    tape_overwrite(t, dx);
    BASE_TRY(dnnl_call_once(d, what, arguments, count, err));
    return dnnl_add_gradient(d, input_of(d, n), dx, err);
}

/* ---- */

admmnn_status dnnl_norm_forward(dnnl_network *d, dnnl_node *n, admmnn_error *err) {
    return d->plan.whole ? whole_forward(d, n, err) : share_forward(d, n, err);
}

admmnn_status dnnl_norm_backward(dnnl_network *d, dnnl_node *n, admmnn_error *err) {
    uint32_t dy;
    BASE_TRY(dnnl_take_gradient(d, n->tail->output, &dy, err));
    return d->plan.whole ? whole_backward(d, n, dy, err) : share_backward(d, n, dy, err);
}
