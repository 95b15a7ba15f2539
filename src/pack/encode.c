#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "pack/format.h"
#include "pack/tensor.h"
#include "pack/topology.h"

typedef struct encoding {
    const pack_model *model;
    base_writer file;
    bits_writer plain;
    base_writer ranged;
    coder range;
    pack_report *report;
} encoding;

static void write_head(encoding *e) {
    const pack_model *m = e->model;
    bool input = m->mean != 0.0F || m->scale != 1.0F;
    base_write_bytes(&e->file, PACK_MAGIC, 4);
    base_write_u8(&e->file, PACK_VERSION);
    topology_write_text(m->g->name, &e->file);
    base_write_varint(&e->file, m->original_weights);
    base_write_varint(&e->file, m->original_biases);
    base_write_u8(&e->file, input ? PACK_FLAG_INPUT : 0);
    if (input) {
        base_write_f32(&e->file, m->mean);
        base_write_f32(&e->file, m->scale);
    }
    topology_write(m->g, &e->file);
}

/* Bits the tensor takes under a plan, by coding it on its own. */
static admmnn_status trial(const pack_tensor *tensor, tensor_shape shape, tensor_plan plan,
                           uint64_t *position_bits, uint64_t *value_bits, admmnn_error *err) {
    bits_writer plain = {0};
    base_writer ranged = {0};
    coder range;
    pack_tensor_report report;
    coder_encode_start(&range, &ranged);
    admmnn_status status = tensor_write(tensor, shape, plan, &plain, &range, &report, err);
    *position_bits = report.position_bits;
    *value_bits = report.value_bits;
    base_writer_free(&plain.bytes);
    base_writer_free(&ranged);
    return status;
}

/* The least bits among the plans that settings leave open. */
static admmnn_status choose(const pack_tensor *tensor, tensor_shape shape,
                            const pack_settings *settings, unsigned width, tensor_plan *best,
                            admmnn_error *err) {
    uint64_t least = UINT64_MAX;
    for (pack_position_id p = PACK_POSITION_DENSE; p <= PACK_POSITION_ENTROPY; p++) {
        if (settings->positions != PACK_POSITION_AUTO && settings->positions != p)
            continue;
        for (pack_coder_id v = PACK_CODER_FIXED; v <= PACK_CODER_RANGE; v++) {
            tensor_plan plan = {.positions = p, .values = v, .width = width};
            bool wanted = settings->values == PACK_CODER_AUTO || settings->values == v ||
                          tensor->form == PACK_FLOAT32;
            if (!wanted || !tensor_plan_fits(tensor, shape.count, plan))
                continue;
            uint64_t positions;
            uint64_t values;
            BASE_TRY(trial(tensor, shape, plan, &positions, &values, err));
            if (positions + values >= least)
                continue;
            least = positions + values;
            *best = plan;
        }
    }
    return ADMMNN_OK;
}

/* Some tensors cannot be held by the wished-for coders (a dense one with zeros
 * between levels that have none): they are coded as well as can be. */
static admmnn_status plan_tensor(const pack_tensor *tensor, tensor_shape shape,
                                 const pack_settings *settings, tensor_plan *plan,
                                 admmnn_error *err) {
    static const pack_settings any = {PACK_POSITION_AUTO, PACK_CODER_AUTO};
    uint8_t *mask = base_array(shape.count, 1);
    if (mask == NULL)
        return base_fail_memory(err, "a tensor's plan");
    uint64_t entries;
    tensor_mask(tensor, shape.count, mask);
    unsigned width = tensor_relative_width(mask, shape.count, &entries);
    base_free(mask);
    *plan = (tensor_plan){0};
    BASE_TRY(choose(tensor, shape, settings, width, plan, err));
    if (plan->values == PACK_CODER_AUTO)
        BASE_TRY(choose(tensor, shape, &any, width, plan, err));
    return ADMMNN_OK;
}

static void write_descriptor(const pack_tensor *tensor, tensor_plan plan, base_writer *file) {
    unsigned head = tensor->form == PACK_LEVELS ? PACK_TENSOR_LEVELS : 0U;
    head |= (unsigned)tensor->levels << PACK_TENSOR_KIND_SHIFT;
    head |= ((unsigned)plan.positions - PACK_POSITION_DENSE) << PACK_TENSOR_POSITION_SHIFT;
    head |= ((unsigned)plan.values - PACK_CODER_FIXED) << PACK_TENSOR_VALUE_SHIFT;
    unsigned bits = tensor->form == PACK_LEVELS ? tensor->bits - 1 : 0;
    base_write_u8(file, (uint8_t)head);
    base_write_u8(file, (uint8_t)(bits | (plan.width - 1) << 4));
    if (tensor->form == PACK_LEVELS)
        base_write_f32(file, tensor->step);
}

static admmnn_status check_tensor(const graph *g, uint32_t p, const pack_tensor *tensor,
                                  admmnn_error *err) {
    const char *name = g->nodes[g->parameters[p].node].name;
    if (tensor->form == PACK_FLOAT32)
        return tensor->values != NULL ? ADMMNN_OK
                                      : base_fail(err, ADMMNN_USAGE, "%s has no values", name);
    if (tensor->codes == NULL || tensor->bits == 0 || tensor->bits > PACK_BITS_MAX)
        return base_fail(err, ADMMNN_USAGE, "%s: codes of %u bits cannot be packed", name,
                         tensor->bits);
    uint32_t levels = admm_level_count(tensor->levels, tensor->bits);
    for (size_t i = 0; i < g->parameters[p].count; i++)
        if (tensor->codes[i] > (int32_t)levels || tensor->codes[i] < -(int32_t)levels)
            return base_fail(err, ADMMNN_USAGE, "%s: code %d lies beyond %u levels", name,
                             (int)tensor->codes[i], levels);
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
        write_descriptor(tensor, plan, &e->file);
        BASE_TRY(tensor_write(tensor, shape, plan, &e->plain, &e->range,
                              &e->report->tensors[p], err));
    }
    return ADMMNN_OK;
}

/* Whole bytes of each kind; what the bits leave over belongs to the header, so
 * that the parts are the file. */
static void add_up(encoding *e) {
    const graph *g = e->model->g;
    pack_report *r = e->report;
    uint64_t values = 0;
    uint64_t positions = 0;
    uint64_t biases = 0;
    uint64_t codebooks = 0;
    for (uint32_t p = 0; p < g->parameter_count; p++) {
        const pack_tensor *tensor = &e->model->tensors[p];
        pack_tensor_report *t = &r->tensors[p];
        if (tensor->form == PACK_LEVELS)
            r->bytes_scales += 4;
        if (g->parameters[p].kind == GRAPH_BIAS) {
            biases += t->value_bits + t->position_bits;
            continue;
        }
        values += t->value_bits;
        positions += t->position_bits;
        if (t->values == PACK_CODER_HUFFMAN)
            codebooks += UINT64_C(8) * admm_level_count(tensor->levels, tensor->bits);
    }
    r->bytes_values = (values - codebooks) / 8;
    r->bytes_positions = positions / 8;
    r->bytes_codebooks = codebooks / 8;
    r->bytes_biases = biases / 8;
    r->bytes_total = e->file.count;
    r->bytes_header = r->bytes_total - r->bytes_values - r->bytes_positions - r->bytes_codebooks -
                      r->bytes_biases - r->bytes_scales;
}

static admmnn_status encode(encoding *e, const pack_settings *settings, admmnn_error *err) {
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
    add_up(e);
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
