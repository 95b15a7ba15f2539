#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "pack/format.h"
#include "pack/range.h"
#include "pack/report.h"
#include "pack/tensor.h"
#include "pack/topology.h"

#define CHECKSUM_BYTES 4U

static data_tones read_tones(base_reader *in, unsigned flags) {
    data_tones tones = data_tones_of(0.0F, 1.0F);
    if ((flags & PACK_FLAG_INPUT) != 0) {
        const float mean = base_read_f32(in);
        return data_tones_of(mean, base_read_f32(in));
    }
    for (size_t c = 0; (flags & PACK_FLAG_INPUTS) != 0 && c < DATA_TONES; c++)
        tones.mean[c] = base_read_f32(in);
    for (size_t c = 0; (flags & PACK_FLAG_INPUTS) != 0 && c < DATA_TONES; c++)
        tones.scale[c] = base_read_f32(in);
    return tones;
}

static bool tones_make_sense(const data_tones *tones) {
    for (size_t c = 0; c < DATA_TONES; c++)
        if (!isfinite(tones->mean[c]) || !isfinite(tones->scale[c]))
            return false;
    return true;
}

static bool flags_make_sense(unsigned flags) {
    const unsigned inputs = PACK_FLAG_INPUT | PACK_FLAG_INPUTS;
    return (flags & ~(inputs | PACK_FLAG_SHORT_STEPS | PACK_FLAG_RANGES)) == 0 &&
           (flags & inputs) != inputs;
}

admmnn_status pack_check_memory(const graph *g, uint64_t memory, admmnn_error *err) {
    const uint64_t needed = g->flat_count * (sizeof(int32_t) + sizeof(float));
    if (needed <= memory)
        return ADMMNN_OK;
    return base_fail(err, ADMMNN_MEMORY,
                     "its %zu parameters need at least %" PRIu64
                     " MiB of memory; there are %" PRIu64,
                     graph_trainable_count(g), needed >> 20, memory >> 20);
}

static admmnn_status read_head(base_reader *in, pack_model **out, bool *short_steps,
                               admmnn_error *err) {
    char name[GRAPH_NAME_MAX];
    (void)base_read_bytes(in, 4); /* the magic, of pack_check */
    unsigned version = base_read_u8(in);
    if (!topology_version_is_known(version))
        return base_fail(err, ADMMNN_UNSUPPORTED,
                         "version %u of the format; this program reads %u and %u", version,
                         PACK_VERSION_CHAIN, PACK_VERSION_ANY);
    if (!topology_read_text(in, name, sizeof name))
        return base_fail(err, ADMMNN_CORRUPT, "the name at byte 5 makes no sense");
    uint64_t weights = base_read_varint(in);
    uint64_t biases = base_read_varint(in);
    unsigned flags = base_read_u8(in);
    data_tones tones = read_tones(in, flags);
    *short_steps = (flags & PACK_FLAG_SHORT_STEPS) != 0;
    if (in->failed || !flags_make_sense(flags) || !tones_make_sense(&tones) ||
        weights > PACK_ORIGINAL_MAX || biases > PACK_ORIGINAL_MAX)
        return base_fail(err, ADMMNN_CORRUPT, "the head makes no sense at byte %zu", in->at);
    graph *g;
    BASE_TRY(topology_read(in, version, name, &g, err));
    admmnn_status status = pack_check_memory(g, base_memory_size(), err);
    if (status == ADMMNN_OK)
        status = pack_model_create(g, out, err);
    graph_free(g);
    BASE_TRY(status);
    (*out)->original_weights = weights;
    (*out)->original_biases = biases;
    (*out)->tones = tones;
    return (flags & PACK_FLAG_RANGES) != 0 ? range_read_all(in, *out, err) : ADMMNN_OK;
}

/* The upper half of a float, or all of it. */
static float read_step(base_reader *in, bool half) {
    if (!half)
        return base_read_f32(in);
    uint32_t bits = (uint32_t)base_read_u16(in) << 16;
    float step;
    memcpy(&step, &bits, sizeof step);
    return step;
}

static admmnn_status read_descriptor(base_reader *in, bool short_steps, pack_tensor *tensor,
                                     tensor_plan *plan, admmnn_error *err) {
    unsigned head = base_read_u8(in);
    bool coded = (head & PACK_TENSOR_LEVELS) != 0;
    unsigned positions = head >> PACK_TENSOR_POSITION_SHIFT & 3U;
    unsigned values = head >> PACK_TENSOR_VALUE_SHIFT & 3U;
    plan->positions = (pack_position_id)(positions + PACK_POSITION_DENSE);
    plan->values = (pack_coder_id)(values + PACK_CODER_FIXED);
    bool relative = plan->positions == PACK_POSITION_RELATIVE;
    bool entropy = plan->positions == PACK_POSITION_ENTROPY;
    unsigned sizes = coded || relative || entropy ? base_read_u8(in) : 0;
    unsigned detail = sizes >> 4;
    plan->width = relative ? detail + 1 : 0;
    plan->ordered = entropy && detail == PACK_ORDERED;
    tensor->form = coded ? PACK_LEVELS : PACK_FLOAT32;
    tensor->levels = (admm_levels)(head >> PACK_TENSOR_KIND_SHIFT & 7U);
    tensor->bits = (sizes & 15U) + 1;
    if (coded)
        tensor->step = read_step(in, short_steps);
    bool known = coded ? pack_levels_are_sound(tensor->levels, tensor->bits, tensor->step)
                       : tensor->levels == 0 && tensor->bits == 1;
    if (in->failed || !known || values > PACK_CODER_RANGE - PACK_CODER_FIXED ||
        (!relative && !plan->ordered && detail != 0) || !tensor_coder_fits(tensor, *plan))
        return base_fail(err, ADMMNN_CORRUPT, "a tensor's description makes no sense at byte %zu",
                         in->at);
    return ADMMNN_OK;
}

static admmnn_status read_tensors(base_reader *in, pack_model *model, bool short_steps,
                                  pack_report *report, admmnn_error *err) {
    const graph *g = model->g;
    char text[GRAPH_PARAMETER_NAME_MAX];
    tensor_plan *plans = base_array(g->parameter_count, sizeof *plans);
    if (plans == NULL)
        return base_fail_memory(err, "the tensors");
    admmnn_status status = ADMMNN_OK;
    for (uint32_t p = 0; p < g->parameter_count && status == ADMMNN_OK; p++)
        status = read_descriptor(in, short_steps, &model->tensors[p], &plans[p], err);
    uint64_t plain_bytes = base_read_varint(in);
    const uint8_t *plain = in->failed || plain_bytes > in->count - in->at
                               ? NULL
                               : base_read_bytes(in, (size_t)plain_bytes);
    if (status == ADMMNN_OK && plain == NULL)
        status = base_fail(err, ADMMNN_CORRUPT, "the plain bits end early");
    bits_reader bits = {.bytes = plain, .count = plain_bytes * 8};
    coder range;
    size_t range_start = in->at;
    if (status == ADMMNN_OK)
        coder_decode_start(&range, in);
    for (uint32_t p = 0; p < g->parameter_count && status == ADMMNN_OK; p++) {
        status = tensor_read(&model->tensors[p], tensor_shape_of(g, p), plans[p], &bits, &range,
                             report == NULL ? NULL : &report->tensors[p], err);
        graph_parameter_name(g, p, text);
        if (status != ADMMNN_OK)
            base_fail_within(err, status, "%s", text);
    }
    uint64_t rest = bits.count - bits.at; /* zeros to the end of a byte */
    if (status == ADMMNN_OK &&
        (rest >= 8 || bits_read(&bits, (unsigned)rest) != 0 ||
         !coder_is_whole(&range, in->bytes + range_start, in->count - range_start)))
        status = base_fail(err, ADMMNN_CORRUPT, "bytes are missing or left over at the end");
    base_free(plans);
    return status;
}

admmnn_status pack_check(const uint8_t *bytes, size_t count, admmnn_error *err) {
    base_reader tail = {
        .bytes = bytes, .count = count, .at = count < CHECKSUM_BYTES ? 0 : count - CHECKSUM_BYTES};
    if (count < CHECKSUM_BYTES + 5)
        return base_fail(err, ADMMNN_CORRUPT, "%zu bytes are too few for an .admm file", count);
    if (memcmp(bytes, PACK_MAGIC, 4) != 0)
        return base_fail(err, ADMMNN_CORRUPT, "not an .admm file (the first bytes are not \"%s\")",
                         PACK_MAGIC);
    if (base_read_u32(&tail) != base_crc32(bytes, count - CHECKSUM_BYTES))
        return base_fail(err, ADMMNN_CORRUPT, "damaged: the checksum at byte %zu does not match",
                         count - CHECKSUM_BYTES);
    return ADMMNN_OK;
}

admmnn_status pack_decode(const uint8_t *bytes, size_t count, pack_model **out, pack_report *report,
                          admmnn_error *err) {
    BASE_TRY(pack_check(bytes, count, err));
    base_reader in = {.bytes = bytes, .count = count - CHECKSUM_BYTES};
    pack_model *model = NULL;
    bool short_steps = false;
    if (report != NULL)
        memset(report, 0, sizeof *report);
    admmnn_status status = read_head(&in, &model, &short_steps, err);
    if (status == ADMMNN_OK && report != NULL) {
        report->tensors = base_array(model->g->parameter_count, sizeof *report->tensors);
        if (report->tensors == NULL)
            status = base_fail_memory(err, "the packing report");
    }
    if (status == ADMMNN_OK)
        status = read_tensors(&in, model, short_steps, report, err);
    if (status != ADMMNN_OK) {
        pack_model_free(model);
        if (report != NULL)
            pack_report_free(report);
        return status;
    }
    if (report != NULL)
        pack_report_add_up(report, model, short_steps ? 2 : 4, count);
    *out = model;
    return ADMMNN_OK;
}
