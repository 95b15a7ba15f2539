/* Files into one another: what `pack` and `unpack` do. */
#include <stdio.h>

#include "base/file.h"
#include "base/memory.h"
#include "onnx/onnx.h"
#include "pack/convert.h"
#include "pack/model_calibrate.h"
#include "pack/model_file.h"
#include "pack/reorder.h"
#include "pack/topology.h"

admmnn_status model_check_output(const char *input, const char *output, int force,
                                 admmnn_error *err) {
    if (base_file_same(input, output))
        return base_fail(err, ADMMNN_USAGE, "%s: the output would replace the input", output);
    if (force == 0 && base_file_exists(output))
        return base_fail(err, ADMMNN_USAGE, "%s: exists already; --force replaces it", output);
    return base_file_check_write(output, err);
}

admmnn_status model_check_data(const char *input, const char *output, admmnn_error *err) {
    char data[BASE_PATH_MAX];
    const int used = snprintf(data, sizeof data, "%s" ONNX_DATA_SUFFIX, output);
    if (used < 0 || used >= BASE_PATH_MAX || !base_file_same(input, data))
        return ADMMNN_OK; /* too long a path is said when it is needed */
    return base_fail(err, ADMMNN_USAGE, "%s: the output's data would replace the input", data);
}

/* A network that was never packed may have its hidden units in a better order. */
static admmnn_status encode_file(const admmnn_pack_settings *settings, pack_model *model,
                                 bool described, uint8_t **bytes, size_t *count,
                                 admmnn_error *err) {
    pack_settings coders;
    BASE_TRY(pack_settings_find(settings->positions, settings->values, &coders, err));
    BASE_TRY(topology_check(model->g, err));
    if (!described)
        BASE_TRY(pack_reorder(model, NULL, err));
    return pack_encode(model, &coders, bytes, count, NULL, err);
}

static admmnn_status write_packed(const admmnn_pack_settings *settings, pack_model *model,
                                  bool described, admmnn_error *err) {
    uint8_t *bytes = NULL;
    size_t count = 0;
    admmnn_status status = encode_file(settings, model, described, &bytes, &count, err);
    if (status != ADMMNN_OK)
        base_fail_within(err, status, "%s", settings->input);
    else
        status = base_file_write(settings->output, bytes, count, err);
    base_free(bytes);
    return status;
}

static admmnn_status write_onnx(const admmnn_pack_settings *settings, const pack_model *model,
                                uint64_t *data_bytes, admmnn_error *err) {
    pack_weights weights;
    const onnx_target target = {.path = settings->output,
                                .data = settings->external_data != 0 ? ONNX_DATA_OUTSIDE
                                                                     : ONNX_DATA_BY_SIZE,
                                .force = settings->force != 0};
    BASE_TRY(pack_weights_find(settings->weights, &weights, err));
    const admmnn_status status = pack_to_onnx(model, weights, &target, data_bytes, err);
    /* What else fails is the output's matter. */
    return status == ADMMNN_UNSUPPORTED ? base_fail_within(err, status, "%s", settings->input)
                                        : status;
}

static admmnn_status open_input(const admmnn_pack_settings *settings, pack_model **model,
                                bool *described, admmnn_error *err) {
    uint64_t file_bytes;
    BASE_TRY(model_check_output(settings->input, settings->output, settings->force, err));
    return model_file_read(settings->input, settings->force != 0 ? settings->output : NULL, model,
                           NULL, &file_bytes, described, err);
}

admmnn_status admmnn_model_pack(const admmnn_pack_settings *settings, const admmnn_context *context,
                                admmnn_error *err) {
    pack_model *model;
    bool described;
    BASE_TRY(open_input(settings, &model, &described, err));
    admmnn_status status;
    if (settings->images != NULL)
        status = model_find_ranges(model, settings->input, settings->images, context, err);
    else
        status = model_tell_tones(model, settings->input, settings->mean, settings->deviation,
                                  "so says the packed file; --mean and --deviation say otherwise",
                                  context, err);
    if (status == ADMMNN_OK)
        status = write_packed(settings, model, described, err);
    pack_model_free(model);
    return status;
}

admmnn_status admmnn_model_unpack(const admmnn_pack_settings *settings, uint64_t *data_bytes,
                                  admmnn_error *err) {
    pack_model *model;
    bool described;
    uint64_t written;
    BASE_TRY(model_check_data(settings->input, settings->output, err));
    BASE_TRY(open_input(settings, &model, &described, err));
    const admmnn_status status = write_onnx(settings, model, &written, err);
    pack_model_free(model);
    if (status == ADMMNN_OK && data_bytes != NULL)
        *data_bytes = written;
    return status;
}
