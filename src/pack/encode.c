#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "pack/format.h"
#include "pack/plan.h"
#include "pack/range.h"
#include "pack/report.h"
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
    const unsigned version = topology_version(m->g);
    base_write_u8(&e->file, (uint8_t)version);
    topology_write_text(m->g->name, &e->file);
    base_write_varint(&e->file, m->original_weights);
    base_write_varint(&e->file, m->original_biases);
    base_write_u8(&e->file,
                  (uint8_t)(input_flag(&m->tones) | (e->short_steps ? PACK_FLAG_SHORT_STEPS : 0) |
                            (m->ranges != NULL ? PACK_FLAG_RANGES : 0)));
    write_tones(&m->tones, &e->file);
    topology_write(m->g, version, &e->file);
    if (m->ranges != NULL)
        range_write_all(m, &e->file);
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

static admmnn_status write_tensors(encoding *e, const plan_choice *choices, admmnn_error *err) {
    const graph *g = e->model->g;
    for (uint32_t p = 0; p < g->parameter_count; p++) {
        const pack_tensor *tensor = &e->model->tensors[p];
        const tensor_plan plan = choices[p].plan;
        write_descriptor(tensor, plan, e->short_steps, &e->file);
        BASE_TRY(tensor_write(tensor, tensor_shape_of(g, p), plan, &e->plain, &e->range,
                              &e->report->tensors[p], err));
    }
    return ADMMNN_OK;
}

static admmnn_status encode(encoding *e, const plan_choice *choices, admmnn_error *err) {
    e->short_steps = all_steps_are_short(e->model);
    write_head(e);
    coder_encode_start(&e->range, &e->ranged);
    BASE_TRY(write_tensors(e, choices, err));
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

admmnn_status plan_encode(const pack_model *model, const plan_choice *choices, uint8_t **bytes,
                          size_t *count, pack_report *report, admmnn_error *err) {
    pack_report own = {0};
    encoding e = {.model = model, .report = report == NULL ? &own : report};
    memset(e.report, 0, sizeof *e.report);
    e.report->tensors = base_array(model->g->parameter_count, sizeof *e.report->tensors);
    admmnn_status status = e.report->tensors == NULL ? base_fail_memory(err, "the packing report")
                                                     : encode(&e, choices, err);
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

admmnn_status pack_encode(const pack_model *model, const pack_settings *settings, uint8_t **bytes,
                          size_t *count, pack_report *report, admmnn_error *err) {
    plan_choice *choices;
    if (report != NULL)
        memset(report, 0, sizeof *report);
    BASE_TRY(plan_model(model, settings, &choices, err));
    admmnn_status status = plan_encode(model, choices, bytes, count, report, err);
    base_free(choices);
    return status;
}
