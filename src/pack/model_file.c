#include "pack/model_file.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "onnx/onnx.h"
#include "pack/convert.h"
#include "pack/format.h"
#include "pack/model_calibrate.h"
#include "pack/reorder.h"
#include "pack/topology.h"

#define MODEL_BYTES_MOST ((size_t)2 << 30)

/* ---- files ---- */

static admmnn_status read_onnx(const onnx_file *file, pack_model **out, bool *described,
                               admmnn_error *err) {
    onnx_model model;
    BASE_TRY(onnx_read(file, &model, err));
    admmnn_status status = pack_from_onnx(&model, out, described, err);
    onnx_model_free(&model);
    return status == ADMMNN_OK ? status : base_fail_within(err, status, "%s", file->name);
}

static admmnn_status read_packed(const char *path, uint8_t *bytes, size_t count, pack_model **out,
                                 pack_report *report, admmnn_error *err) {
    const admmnn_status status = pack_decode(bytes, count, out, report, err);
    base_free(bytes);
    return status == ADMMNN_OK ? status : base_fail_within(err, status, "%s", path);
}

admmnn_status model_file_read(const char *path, const char *output, pack_model **out,
                              pack_report *report, uint64_t *file_bytes, bool *described,
                              admmnn_error *err) {
    char folder[BASE_PATH_MAX];
    uint8_t *bytes;
    size_t count;
    BASE_TRY(base_path_folder(folder, sizeof folder, path, err));
    BASE_TRY(base_file_read(path, MODEL_BYTES_MOST, &bytes, &count, err));
    *file_bytes = count;
    *described = true;
    const onnx_file file = {.name = path,
                            .folder = folder,
                            .output = output,
                            .bytes = bytes,
                            .count = count,
                            .taken = true};
    if (count < 4 || memcmp(bytes, PACK_MAGIC, 4) != 0)
        return read_onnx(&file, out, described, err);
    return read_packed(path, bytes, count, out, report, err);
}

static admmnn_status open_parts(admmnn_model *model, const char *path,
                                const admmnn_context *context, admmnn_error *err) {
    bool described;
    model->path = base_array_copy(path, strlen(path) + 1, 1);
    if (model->path == NULL)
        return base_fail_memory(err, path);
    BASE_TRY(model_file_read(path, NULL, &model->packed, &model->report, &model->file_bytes,
                             &described, err));
    model->params = base_array(model->packed->g->flat_count, sizeof *model->params);
    if (model->params == NULL)
        return base_fail_memory(err, path);
    pack_model_values(model->packed, model->params);
    if (context != NULL)
        model->log = (admmnn_context){.log = context->log, .user = context->user};
    return base_pool_create(context == NULL ? 0 : context->threads, &model->pool, err);
}

admmnn_status admmnn_model_open(const char *path, const admmnn_context *context, admmnn_model **out,
                                admmnn_error *err) {
    admmnn_model *model = base_array(1, sizeof *model);
    if (model == NULL)
        return base_fail_memory(err, path);
    admmnn_status status = open_parts(model, path, context, err);
    if (status != ADMMNN_OK) {
        admmnn_model_close(model);
        return status;
    }
    *out = model;
    return ADMMNN_OK;
}

void admmnn_model_close(admmnn_model *model) {
    if (model == NULL)
        return;
    base_free(model->path);
    pack_model_free(model->packed);
    pack_report_free(&model->report);
    base_free(model->params);
    train_network_free(model->network);
    base_pool_destroy(model->pool);
    base_free(model);
}

uint64_t model_kept_weights(const admmnn_model *model) {
    const graph *g = model->packed->g;
    uint64_t kept = 0;
    for (uint32_t p = 0; p < g->parameter_count; p++)
        for (size_t i = 0; g->parameters[p].kind == GRAPH_WEIGHT && i < g->parameters[p].count; i++)
            kept += model->params[g->parameters[p].offset + i] != 0.0F;
    return kept;
}

void admmnn_model_get_info(const admmnn_model *model, admmnn_model_info *info) {
    const graph *g = model->packed->g;
    graph_shape shape = g->values[g->input].shape;
    *info = (admmnn_model_info){
        .input = {graph_shape_channels(shape), graph_shape_height(shape), graph_shape_width(shape)},
        .outputs = (uint32_t)graph_value_count(g, g->output),
        .weights = graph_weight_count(g),
        .kept = model_kept_weights(model),
        .original_weights = model->packed->original_weights,
        .file_bytes = model->file_bytes};
    memcpy(info->mean, model->packed->tones.mean, sizeof info->mean);
    memcpy(info->scale, model->packed->tones.scale, sizeof info->scale);
    snprintf(info->name, sizeof info->name, "%s", g->name);
}

/* ---- training ---- */

admmnn_status model_open_logits(const graph *g, const char *path, graph **logits,
                                graph_ending *ending, admmnn_error *err) {
    BASE_TRY(graph_clone(g, logits, err));
    *ending = graph_cut_ending(*logits);
    const uint32_t n = graph_find_softmax(*logits);
    if (n == GRAPH_NONE)
        return ADMMNN_OK;
    graph_free(*logits);
    *logits = NULL;
    return base_fail(err, ADMMNN_UNSUPPORTED,
                     "%s: node %s: a softmax that is not the last node, over all classes, makes "
                     "the outputs; training wants what it reads: export the network without",
                     path, g->nodes[n].name);
}

/* ---- converting ---- */

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

/* A packed file always says how its pixels are normalised. */
static void note_pixels(const pack_model *model, const char *path, const admmnn_context *context) {
    const graph_shape shape = model->g->values[model->g->input].shape;
    if (!model->tones_told && shape.rank == 3) /* else it reads no images */
        model_note_untold(
            path, "so says the packed file; --mean and --deviation of eval say otherwise", context);
}

admmnn_status admmnn_model_pack(const admmnn_pack_settings *settings, const admmnn_context *context,
                                admmnn_error *err) {
    pack_model *model;
    bool described;
    BASE_TRY(open_input(settings, &model, &described, err));
    note_pixels(model, settings->input, context);
    admmnn_status status = ADMMNN_OK;
    if (settings->images != NULL)
        status = model_find_ranges(model, settings->input, settings->images, context, err);
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
