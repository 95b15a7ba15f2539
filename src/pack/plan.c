#include "pack/plan.h"

#include <string.h>

#include "base/context.h"
#include "base/memory.h"
#include "pack/format.h"
#include "pack/topology.h"

/* A tensor whose best plan is sought. */
typedef struct search {
    const pack_tensor *tensor;
    const pack_settings *settings;
    tensor_shape shape;
    uint8_t *mask;
    unsigned width;
    bool ordered;
    plan_choice best;
    coder after;            /* the coder behind the best plan's positions */
    uint64_t position_bits; /* of the best plan */
} search;

/* The plan is kept when it takes the fewest bits. `after`: the coder behind its positions,
 * which take position_bits. */
static admmnn_status consider_coder(search *s, tensor_plan plan, const coder *after,
                                    uint64_t position_bits, admmnn_error *err) {
    base_writer ranged = {0};
    bits_writer plain = {0};
    coder range = *after;
    if (!tensor_plan_fits(s->tensor, s->shape.count, plan))
        return ADMMNN_OK;
    if (base_cancelled(s->settings->context))
        return base_fail(err, ADMMNN_CANCELLED, "stopped on request during packing");
    range.out = &ranged;
    admmnn_status status =
        tensor_write_values(s->tensor, s->shape, plan, s->mask, &plain, &range, err);
    const uint64_t bits = position_bits + plain.count + coder_bits(&range) - coder_bits(after);
    base_writer_free(&plain.bytes);
    base_writer_free(&ranged);
    if (status != ADMMNN_OK || bits >= s->best.bits)
        return status;
    s->best = (plan_choice){plan, bits};
    s->after = *after;
    s->position_bits = position_bits;
    return ADMMNN_OK;
}

/* Codes the plan's positions, and values by its coder. */
static admmnn_status consider(search *s, tensor_plan plan, admmnn_error *err) {
    base_writer ranged = {0};
    bits_writer plain = {0};
    coder range;
    if (!tensor_plan_fits(s->tensor, s->shape.count, plan))
        return ADMMNN_OK;
    coder_encode_start(&range, &ranged);
    const uint64_t start = coder_bits(&range);
    admmnn_status status = tensor_write_positions(s->shape, plan, s->mask, &plain, &range, err);
    if (status == ADMMNN_OK)
        status = consider_coder(s, plan, &range, plain.count + coder_bits(&range) - start, err);
    base_writer_free(&plain.bytes);
    base_writer_free(&ranged);
    return status;
}

/* Every coder of values behind the best plan's positions. */
static admmnn_status consider_values(search *s, pack_coder_id wanted, admmnn_error *err) {
    tensor_plan plan = s->best.plan;
    const coder after = s->after;
    const uint64_t position_bits = s->position_bits;
    for (pack_coder_id v = PACK_CODER_FIXED; v <= PACK_CODER_RANGE; v++) {
        plan.values = v;
        if (wanted == PACK_CODER_AUTO || wanted == v || s->tensor->form == PACK_FLOAT32)
            BASE_TRY(consider_coder(s, plan, &after, position_bits, err));
    }
    return ADMMNN_OK;
}

/* All places have a value then. */
static admmnn_status consider_dense(search *s, pack_coder_id wanted, admmnn_error *err) {
    base_writer none = {0};
    coder start;
    coder_encode_start(&start, &none);
    memset(s->mask, 1, s->shape.count);
    for (pack_coder_id v = PACK_CODER_FIXED; v <= PACK_CODER_RANGE; v++) {
        const tensor_plan plan = {.positions = PACK_POSITION_DENSE, .values = v};
        if (wanted == PACK_CODER_AUTO || wanted == v || s->tensor->form == PACK_FLOAT32)
            BASE_TRY(consider_coder(s, plan, &start, 0, err));
    }
    return ADMMNN_OK;
}

/* What values take depends on whether positions are dense, on nothing else of
 * them: the best of the others is found first. */
static admmnn_status choose(search *s, pack_position_id positions, pack_coder_id values,
                            admmnn_error *err) {
    const bool any = positions == PACK_POSITION_AUTO;
    const bool coded = s->tensor->form == PACK_LEVELS && values != PACK_CODER_AUTO;
    tensor_mask(s->tensor, s->shape.count, s->mask);
    s->best.bits = UINT64_MAX;
    for (pack_position_id p = PACK_POSITION_RELATIVE; p <= PACK_POSITION_ENTROPY; p++) {
        tensor_plan plan = {
            .positions = p, .values = coded ? values : PACK_CODER_FIXED, .width = s->width};
        if (!any && positions != p)
            continue;
        BASE_TRY(consider(s, plan, err));
        plan.ordered = true;
        if (p == PACK_POSITION_ENTROPY && s->ordered)
            BASE_TRY(consider(s, plan, err));
    }
    if (s->best.bits < UINT64_MAX)
        BASE_TRY(consider_values(s, values, err));
    if (any || positions == PACK_POSITION_DENSE)
        BASE_TRY(consider_dense(s, values, err));
    return ADMMNN_OK;
}

static admmnn_status look_for(search *s, admmnn_error *err) {
    uint64_t entries;
    tensor_mask(s->tensor, s->shape.count, s->mask);
    s->width = tensor_relative_width(s->mask, s->shape.count, 0, &entries);
    s->ordered = positions_are_ordered(s->shape.matrix, s->mask);
    BASE_TRY(choose(s, s->settings->positions, s->settings->values, err));
    if (s->best.bits < UINT64_MAX)
        return ADMMNN_OK;
    return choose(s, PACK_POSITION_AUTO, PACK_CODER_AUTO, err);
}

admmnn_status plan_tensor(const pack_model *model, uint32_t p, const pack_settings *settings,
                          plan_choice *choice, admmnn_error *err) {
    search s = {
        .tensor = &model->tensors[p], .settings = settings, .shape = tensor_shape_of(model->g, p)};
    s.mask = base_array(s.shape.count, 1);
    if (s.mask == NULL)
        return base_fail_memory(err, "a tensor's plan");
    admmnn_status status = look_for(&s, err);
    base_free(s.mask);
    *choice = s.best;
    return status;
}

/* ---- whole models ---- */

static admmnn_status check_tensor(const graph *g, uint32_t p, const pack_tensor *tensor,
                                  admmnn_error *err) {
    char name[GRAPH_PARAMETER_NAME_MAX];
    graph_parameter_name(g, p, name);
    if (tensor->form == PACK_FLOAT32)
        return tensor->values != NULL ? ADMMNN_OK
                                      : base_fail(err, ADMMNN_USAGE, "%s has no values", name);
    if (tensor->codes == NULL || !pack_levels_are_sound(tensor->levels, tensor->bits, tensor->step))
        return base_fail(
            err, ADMMNN_USAGE,
            "%s: levels of %u bits, interval %g, cannot be packed: a file holds 1 to %u bits and "
            "an interval of 0, or a normal number whose largest level is finite",
            name, tensor->bits, (double)tensor->step, PACK_BITS_MAX);
    uint32_t levels = admm_level_count(tensor->levels, tensor->bits);
    for (size_t i = 0; i < g->parameters[p].count; i++)
        if (tensor->codes[i] > (int32_t)levels || tensor->codes[i] < -(int32_t)levels ||
            (tensor->codes[i] != 0 && tensor->step == 0.0F))
            return base_fail(err, ADMMNN_USAGE, "%s: code %d lies beyond %u levels of interval %g",
                             name, (int)tensor->codes[i], levels, (double)tensor->step);
    return ADMMNN_OK;
}

static admmnn_status check_model(const pack_model *model, admmnn_error *err) {
    BASE_TRY(topology_check(model->g, err));
    for (uint32_t p = 0; p < model->g->parameter_count; p++)
        BASE_TRY(check_tensor(model->g, p, &model->tensors[p], err));
    return ADMMNN_OK;
}

admmnn_status plan_model(const pack_model *model, const pack_settings *settings,
                         plan_choice **choices, admmnn_error *err) {
    const uint32_t count = model->g->parameter_count;
    BASE_TRY(check_model(model, err));
    plan_choice *all = base_array(count, sizeof *all);
    admmnn_status status = all == NULL ? base_fail_memory(err, "the tensors' plans") : ADMMNN_OK;
    for (uint32_t p = 0; p < count && status == ADMMNN_OK; p++)
        status = plan_tensor(model, p, settings, &all[p], err);
    if (status != ADMMNN_OK) {
        base_free(all);
        return status;
    }
    *choices = all;
    return ADMMNN_OK;
}
