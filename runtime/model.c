/* Opening: the file's head, its network, its parameters, the plan. */
#include <math.h>
#include <string.h>

#include "crew.h"
#include "kernels.h"
#include "layer.h"
#include "plan.h"
#include "runtime.h"
#include "topology.h"

#define CHECKSUM_BYTES 4U
#define MAGIC_BYTES 4U
#define TONES 3

static bool has_magic(rt_view *bytes) {
    for (size_t i = 0; i < MAGIC_BYTES; i++)
        if (rt_view_byte(bytes, i) != (unsigned char)PACK_MAGIC[i])
            return false;
    return true;
}

static admmnn_runtime_status check_bytes(rt_file *file, admmnn_runtime_error *err) {
    rt_reader tail = {&file->bytes, file->count, file->count - CHECKSUM_BYTES, false};
    if (file->count < MAGIC_BYTES + 1 + CHECKSUM_BYTES)
        return rt_fail(err, ADMMNN_RUNTIME_CORRUPT, "too few bytes for an .admm file", 0);
    if (!has_magic(&file->bytes))
        return rt_fail(err, ADMMNN_RUNTIME_CORRUPT, "not an .admm file", 0);
    const uint32_t crc = rt_crc32(&file->bytes, tail.at);
    if (rt_read_u32(&tail) != crc)
        return rt_fail(err, ADMMNN_RUNTIME_CORRUPT, "damaged: the checksum does not match",
                       file->count - CHECKSUM_BYTES);
    return ADMMNN_RUNTIME_OK;
}

/* ---- the head ---- */

static void read_tones(rt_reader *in, unsigned flags, rt_network *network) {
    const bool one = (flags & PACK_FLAG_INPUT) != 0;
    const bool three = (flags & PACK_FLAG_INPUTS) != 0;
    for (int c = 0; c < TONES; c++)
        network->mean[c] =
            three || (one && c == 0) ? rt_read_f32(in) : (one ? network->mean[0] : 0.0F);
    for (int c = 0; c < TONES; c++)
        network->scale[c] =
            three || (one && c == 0) ? rt_read_f32(in) : (one ? network->scale[0] : 1.0F);
}

static bool head_makes_sense(const rt_network *network, unsigned flags, uint64_t weights,
                             uint64_t biases) {
    const unsigned inputs = PACK_FLAG_INPUT | PACK_FLAG_INPUTS;
    for (int c = 0; c < TONES; c++)
        if (!isfinite(network->mean[c]) || !isfinite(network->scale[c]))
            return false;
    return (flags & ~(inputs | PACK_FLAG_SHORT_STEPS | PACK_FLAG_RANGES)) == 0 &&
           (flags & inputs) != inputs && weights <= PACK_ORIGINAL_MAX &&
           biases <= PACK_ORIGINAL_MAX;
}

static bool range_makes_sense(unsigned range) {
    const unsigned scale = range & ~PACK_RANGE_UNSIGNED;
    return range == 0 || (scale >= PACK_RANGE_LEAST && scale <= PACK_RANGE_MOST);
}

/* Of the input, and of what operations make. */
static admmnn_runtime_status read_ranges(const rt_opening *opening, rt_reader *in) {
    rt_network *network = opening->network;
    bool sound = true;
    for (uint32_t v = 0; v < network->value_count; v++) {
        rt_value *value = &network->values[v];
        if (v > 0 && value->node == NULL)
            continue;
        value->range = (uint16_t)rt_read_u16(in);
        sound &= range_makes_sense(value->range);
    }
    if (in->failed || !sound)
        return rt_fail(opening->err, ADMMNN_RUNTIME_CORRUPT, "ranges of values that make no sense",
                       in->at);
    return ADMMNN_RUNTIME_OK;
}

static admmnn_runtime_status read_head(rt_opening *opening, rt_reader *in, bool *half_steps) {
    rt_network *network = opening->network;
    rt_skip_bytes(in, MAGIC_BYTES);
    const unsigned version = rt_read_u8(in);
    if (version != PACK_VERSION_CHAIN && version != PACK_VERSION_ANY)
        return rt_fail(opening->err, ADMMNN_RUNTIME_UNSUPPORTED,
                       "a version of the format that this runtime does not read", in->at);
    if (!rt_topology_read_text(in, network->name))
        return rt_fail(opening->err, ADMMNN_RUNTIME_CORRUPT, "a name that makes no sense", in->at);
    const uint64_t weights = rt_read_varint(in);
    const uint64_t biases = rt_read_varint(in);
    const unsigned flags = rt_read_u8(in);
    read_tones(in, flags, network);
    *half_steps = (flags & PACK_FLAG_SHORT_STEPS) != 0;
    if (in->failed || !head_makes_sense(network, flags, weights, biases))
        return rt_fail(opening->err, ADMMNN_RUNTIME_CORRUPT, "a head that makes no sense", in->at);
    RT_TRY(rt_topology_read(opening, in, version));
    if ((flags & PACK_FLAG_RANGES) != 0)
        RT_TRY(read_ranges(opening, in));
    else if (network->coded)
        return rt_fail(opening->err, ADMMNN_RUNTIME_UNSUPPORTED,
                       "a file without ranges of values for 8 bits", in->at);
    return rt_plan_layers(opening);
}

/* ---- the parameters ---- */

static bool is_whole(rt_sources *from) {
    const uint64_t rest = from->plain.count - from->plain.at; /* zeros to the end of a byte */
    return rest < 8 && rt_read_bits(&from->plain, (unsigned)rest) == 0 &&
           rt_coder_is_whole(&from->range);
}

static admmnn_runtime_status read_parameters(rt_opening *opening, rt_reader *in, rt_view *plain,
                                             bool half_steps) {
    rt_sources from = {opening, {plain, 0, 0, 0, false}, {0}};
    rt_tensor *tensor;
    for (tensor = opening->network->tensors; tensor != NULL; tensor = tensor->next)
        RT_TRY(rt_tensor_describe(opening, in, half_steps, tensor));
    const uint64_t bytes = rt_read_varint(in);
    from.plain.start = in->at;
    rt_skip_bytes(in, bytes);
    if (in->failed)
        return rt_fail(opening->err, ADMMNN_RUNTIME_CORRUPT, "the plain bits end early", in->at);
    from.plain.count = bytes * 8;
    rt_coder_start(&from.range, in);
    for (tensor = opening->network->tensors; tensor != NULL; tensor = tensor->next)
        RT_TRY(rt_layer_read(&from, tensor));
    if (!is_whole(&from))
        return rt_sources_corrupt(&from, "bytes are missing or left over at the end");
    return ADMMNN_RUNTIME_OK;
}

static const admmnn_runtime_settings by_default = {
    NULL, 0, ADMMNN_RUNTIME_KERNELS_FASTEST, ADMMNN_RUNTIME_FASTEST, 1, 0};

/* Before the file is read: a number that stands for nothing is the caller's mistake. */
static admmnn_runtime_status check_settings(const admmnn_runtime_settings *settings,
                                            admmnn_runtime_error *err) {
    if ((unsigned)settings->kernels > ADMMNN_RUNTIME_KERNELS_AVX2)
        return rt_fail(err, ADMMNN_RUNTIME_USAGE, "no such kernels", 0);
    if ((unsigned)settings->weights > ADMMNN_RUNTIME_DENSE)
        return rt_fail(err, ADMMNN_RUNTIME_USAGE, "no such form of the weights", 0);
    if (settings->activations != 0 && settings->activations != 8 && settings->activations != 32)
        return rt_fail(err, ADMMNN_RUNTIME_USAGE, "activations of neither 8 nor 32 bits", 0);
    return ADMMNN_RUNTIME_OK;
}

static admmnn_runtime_status read_file(rt_opening *opening, rt_file *file) {
    rt_reader in = {&file->bytes, file->count - CHECKSUM_BYTES, 0, false};
    bool half_steps = false;
    RT_TRY(read_head(opening, &in, &half_steps));
    RT_TRY(read_parameters(opening, &in, &file->plain, half_steps));
    return rt_plan(opening);
}

admmnn_runtime_status rt_model_read(rt_file *file, rt_memory *memory,
                                    const admmnn_runtime_settings *asked, admmnn_runtime **model,
                                    admmnn_runtime_error *err) {
    const admmnn_runtime_settings *settings = asked == NULL ? &by_default : asked;
    admmnn_runtime *made = NULL;
    admmnn_runtime_status status = check_settings(settings, err);
    if (status == ADMMNN_RUNTIME_OK)
        status = check_bytes(file, err);
    if (status == ADMMNN_RUNTIME_OK) {
        made = rt_take(memory, 1, sizeof *made);
        if (made == NULL)
            status = rt_fail(err, rt_memory_status(memory), "no memory for the model", 0);
    }
    if (status == ADMMNN_RUNTIME_OK) {
        rt_opening opening = {memory, &made->network, settings->weights, err};
        made->network.kernels = rt_kernels_find(settings->kernels);
        made->network.coded = settings->activations == 8;
        made->network.threads = rt_crew_threads(settings->threads);
        status = read_file(&opening, file);
    }
    if (status == ADMMNN_RUNTIME_OK)
        status = rt_crew_open(memory, made->network.threads, &made->network.crew, err);
    if (status != ADMMNN_RUNTIME_OK) {
        rt_memory_close(memory);
        return status;
    }
    made->memory = *memory;
    *model = made;
    return ADMMNN_RUNTIME_OK;
}

admmnn_runtime_status rt_model_open(rt_file *file, rt_memory *memory,
                                    const admmnn_runtime_settings *settings, admmnn_runtime **model,
                                    admmnn_runtime_error *err) {
    admmnn_runtime *made;
    RT_TRY(rt_model_read(file, memory, settings, &made, err));
    const admmnn_runtime_status status = rt_crew_start(made->network.crew, err);
    if (status == ADMMNN_RUNTIME_OK)
        *model = made;
    else
        rt_memory_close(memory);
    return status;
}
