#include <string.h>

#include "base/context.h"
#include "base/hash.h"
#include "base/memory.h"
#include "pack/format.h"
#include "pack/report.h"
#include "pack/tensor.h"
#include "pack/topology.h"

typedef struct encoding {
    const pack_model *model;
    base_writer file;
    bits_writer plain;
    base_writer ranged;
    coder range;
    pack_report *report;
    bool short_steps;
} encoding;

static uint32_t step_bits(const pack_tensor *tensor) {
    uint32_t bits;
    memcpy(&bits, &tensor->step, sizeof bits);
    return bits;
}

static bool all_steps_are_short(const pack_model *model) {
    for (uint32_t p = 0; p < model->g->parameter_count; p++)
        if (model->tensors[p].form == PACK_LEVELS && (step_bits(&model->tensors[p]) & 0xffffU) != 0)
            return false;
    return true;
}

static unsigned input_flag(const data_tones *tones) {
    const data_tones plain = data_tones_of(0.0F, 1.0F);
    if (data_tones_same(tones, &plain))
        return 0;
    return data_tones_are_one(tones) ? PACK_FLAG_INPUT : PACK_FLAG_INPUTS;
}

static void write_tones(const data_tones *tones, base_writer *out) {
    const unsigned flag = input_flag(tones);
    const size_t count = flag == PACK_FLAG_INPUTS ? DATA_TONES : flag == PACK_FLAG_INPUT ? 1 : 0;
    for (size_t c = 0; c < count; c++)
        base_write_f32(out, tones->mean[c]);
    for (size_t c = 0; c < count; c++)
        base_write_f32(out, tones->scale[c]);
}

static void write_head(encoding *e) {
    const pack_model *m = e->model;
    base_write_bytes(&e->file, PACK_MAGIC, 4);
    base_write_u8(&e->file, PACK_VERSION);
    topology_write_text(m->g->name, &e->file);
    base_write_varint(&e->file, m->original_weights);
    base_write_varint(&e->file, m->original_biases);
    base_write_u8(&e->file,
                  (uint8_t)(input_flag(&m->tones) | (e->short_steps ? PACK_FLAG_SHORT_STEPS : 0)));
    write_tones(&m->tones, &e->file);
    topology_write(m->g, &e->file);
}

/* A tensor whose best plan is sought. */
typedef struct search {
    const pack_tensor *tensor;
    const admmnn_context *context;
    tensor_shape shape;
    unsigned width;
    bool ordered;
    tensor_plan best;
    uint64_t least; /* bits under it */
} search;

/* Codes the tensor on its own; the plan is kept when it takes the least bits. */
static admmnn_status consider(search *s, tensor_plan plan, admmnn_error *err) {
    bits_writer plain = {0};
    base_writer ranged = {0};
    coder range;
    pack_tensor_report report;
    if (!tensor_plan_fits(s->tensor, s->shape.count, plan))
        return ADMMNN_OK;
    if (base_cancelled(s->context))
        return base_fail(err, ADMMNN_CANCELLED, "stopped on request during packing");
    coder_encode_start(&range, &ranged);
    admmnn_status status = tensor_write(s->tensor, s->shape, plan, &plain, &range, &report, err);
    base_writer_free(&plain.bytes);
    base_writer_free(&ranged);
    if (status == ADMMNN_OK && report.position_bits + report.value_bits < s->least) {
        s->least = report.position_bits + report.value_bits;
        s->best = plan;
    }
    return status;
}

/* The best coder of the values for a plan's positions. */
static admmnn_status consider_values(search *s, tensor_plan plan, pack_coder_id wanted,
                                     admmnn_error *err) {
    for (pack_coder_id v = PACK_CODER_FIXED; v <= PACK_CODER_RANGE; v++) {
        plan.values = v;
        if (wanted == PACK_CODER_AUTO || wanted == v || s->tensor->form == PACK_FLOAT32)
            BASE_TRY(consider(s, plan, err));
    }
    return ADMMNN_OK;
}

/* What values take depends on whether positions are dense, on nothing else of
 * them: the best of the others is found first. */
static admmnn_status choose(search *s, const pack_settings *settings, admmnn_error *err) {
    const bool any = settings->positions == PACK_POSITION_AUTO;
    bool coded = s->tensor->form == PACK_LEVELS && settings->values != PACK_CODER_AUTO;
    s->least = UINT64_MAX;
    for (pack_position_id p = PACK_POSITION_RELATIVE; p <= PACK_POSITION_ENTROPY; p++) {
        tensor_plan plan = {.positions = p,
                            .values = coded ? settings->values : PACK_CODER_FIXED,
                            .width = s->width};
        if (!any && settings->positions != p)
            continue;
        BASE_TRY(consider(s, plan, err));
        plan.ordered = true;
        if (p == PACK_POSITION_ENTROPY && s->ordered)
            BASE_TRY(consider(s, plan, err));
    }
    if (s->least < UINT64_MAX)
        BASE_TRY(consider_values(s, s->best, settings->values, err));
    if (any || settings->positions == PACK_POSITION_DENSE)
        BASE_TRY(consider_values(s, (tensor_plan){.positions = PACK_POSITION_DENSE},
                                 settings->values, err));
    return ADMMNN_OK;
}

/* Some tensors cannot be held by the wished-for coders (a dense one with zeros
 * between levels that have none): they are coded as well as can be. */
static admmnn_status plan_tensor(const pack_tensor *tensor, tensor_shape shape,
                                 const pack_settings *settings, tensor_plan *plan,
                                 admmnn_error *err) {
    static const pack_settings any = {.positions = PACK_POSITION_AUTO, .values = PACK_CODER_AUTO};
    uint8_t *mask = base_array(shape.count, 1);
    if (mask == NULL)
        return base_fail_memory(err, "a tensor's plan");
    uint64_t entries;
    tensor_mask(tensor, shape.count, mask);
    search s = {.tensor = tensor,
                .context = settings->context,
                .shape = shape,
                .width = tensor_relative_width(mask, shape.count, 0, &entries),
                .ordered = positions_are_ordered(shape.matrix, mask)};
    base_free(mask);
    BASE_TRY(choose(&s, settings, err));
    if (s.least == UINT64_MAX)
        BASE_TRY(choose(&s, &any, err));
    *plan = s.best;
    return ADMMNN_OK;
}

/* Four bits about the positions. */
static unsigned position_detail(tensor_plan plan) {
    if (plan.positions == PACK_POSITION_RELATIVE)
        return plan.width - 1;
    return plan.ordered ? PACK_ORDERED : 0;
}

static void write_descriptor(const pack_tensor *tensor, tensor_plan plan, bool short_steps,
                             base_writer *file) {
    bool coded = tensor->form == PACK_LEVELS;
    unsigned head =
        coded ? PACK_TENSOR_LEVELS | (unsigned)tensor->levels << PACK_TENSOR_KIND_SHIFT : 0U;
    head |= ((unsigned)plan.positions - PACK_POSITION_DENSE) << PACK_TENSOR_POSITION_SHIFT;
    head |= ((unsigned)plan.values - PACK_CODER_FIXED) << PACK_TENSOR_VALUE_SHIFT;
    base_write_u8(file, (uint8_t)head);
    if (coded || plan.positions == PACK_POSITION_RELATIVE ||
        plan.positions == PACK_POSITION_ENTROPY)
        base_write_u8(file, (uint8_t)((coded ? tensor->bits - 1 : 0) | position_detail(plan) << 4));
    if (coded && short_steps)
        base_write_u16(file, (uint16_t)(step_bits(tensor) >> 16));
    else if (coded)
        base_write_f32(file, tensor->step);
}

static admmnn_status check_tensor(const graph *g, uint32_t p, const pack_tensor *tensor,
                                  admmnn_error *err) {
    const char *name = g->nodes[g->parameters[p].node].name;
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

static admmnn_status write_tensors(encoding *e, const pack_settings *settings, admmnn_error *err) {
    const graph *g = e->model->g;
    for (uint32_t p = 0; p < g->parameter_count; p++) {
        const pack_tensor *tensor = &e->model->tensors[p];
        tensor_shape shape = tensor_shape_of(g, p);
        tensor_plan plan;
        BASE_TRY(check_tensor(g, p, tensor, err));
        BASE_TRY(plan_tensor(tensor, shape, settings, &plan, err));
        write_descriptor(tensor, plan, e->short_steps, &e->file);
        BASE_TRY(
            tensor_write(tensor, shape, plan, &e->plain, &e->range, &e->report->tensors[p], err));
    }
    return ADMMNN_OK;
}

static admmnn_status encode(encoding *e, const pack_settings *settings, admmnn_error *err) {
    BASE_TRY(topology_check(e->model->g, err));
    e->short_steps = all_steps_are_short(e->model);
    write_head(e);
    coder_encode_start(&e->range, &e->ranged);
    BASE_TRY(write_tensors(e, settings, err));
    coder_encode_end(&e->range);
    base_write_varint(&e->file, e->plain.bytes.count);
    base_write_bytes(&e->file, e->plain.bytes.bytes, e->plain.bytes.count);
    base_write_bytes(&e->file, e->ranged.bytes, e->ranged.count);
    if (!e->file.failed)
        base_write_u32(&e->file, base_crc32(e->file.bytes, e->file.count));
    if (e->file.failed || e->plain.bytes.failed || e->ranged.failed)
        return base_fail_memory(err, "the packed file");
    pack_report_add_up(e->report, e->model, e->short_steps ? 2 : 4, e->file.count);
    return ADMMNN_OK;
}

admmnn_status pack_encode(const pack_model *model, const pack_settings *settings, uint8_t **bytes,
                          size_t *count, pack_report *report, admmnn_error *err) {
    pack_report own = {0};
    encoding e = {.model = model, .report = report == NULL ? &own : report};
    memset(e.report, 0, sizeof *e.report);
    e.report->tensors = base_array(model->g->parameter_count, sizeof *e.report->tensors);
    admmnn_status status = e.report->tensors == NULL ? base_fail_memory(err, "the packing report")
                                                     : encode(&e, settings, err);
    base_writer_free(&e.plain.bytes);
    base_writer_free(&e.ranged);
    pack_report_free(&own);
    if (status != ADMMNN_OK) {
        base_writer_free(&e.file);
        if (report != NULL)
            pack_report_free(report);
        return status;
    }
    *bytes = e.file.bytes;
    *count = e.file.count;
    return ADMMNN_OK;
}
