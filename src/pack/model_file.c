#include "pack/model_file.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "onnx/onnx.h"
#include "pack/convert.h"
#include "pack/format.h"

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
