#include "pack/model_file.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "onnx/onnx.h"
#include "pack/convert.h"
#include "pack/format.h"
#include "pack/npy.h"
#include "pack/reorder.h"
#include "train/network.h"

#define MODEL_BYTES_MOST ((size_t)2 << 30)
#define ARRAY_BYTES_MOST ((size_t)8 << 30)
/* Samples a pass of the engine. */
#define BATCH 256U

/* ---- files ---- */

static admmnn_status read_onnx(const char *path, const uint8_t *bytes, size_t count,
                               pack_model **out, bool *described, admmnn_error *err) {
    onnx_model model;
    BASE_TRY(onnx_read(path, bytes, count, &model, err));
    admmnn_status status = pack_from_onnx(&model, out, described, err);
    onnx_model_free(&model);
    return status == ADMMNN_OK ? status : base_fail_within(err, status, "%s", path);
}

admmnn_status model_file_read(const char *path, pack_model **out, pack_report *report,
                              uint64_t *file_bytes, bool *described, admmnn_error *err) {
    uint8_t *bytes;
    size_t count;
    BASE_TRY(base_file_read(path, MODEL_BYTES_MOST, &bytes, &count, err));
    admmnn_status status;
    *file_bytes = count;
    *described = true;
    if (count >= 4 && memcmp(bytes, PACK_MAGIC, 4) == 0) {
        status = pack_decode(bytes, count, out, report, err);
        if (status != ADMMNN_OK)
            base_fail_within(err, status, "%s", path);
    } else {
        status = read_onnx(path, bytes, count, out, described, err);
    }
    base_free(bytes);
    return status;
}

static admmnn_status open_parts(admmnn_model *model, const char *path,
                                const admmnn_context *context, admmnn_error *err) {
    bool described;
    model->path = base_array_copy(path, strlen(path) + 1, 1);
    if (model->path == NULL)
        return base_fail_memory(err, path);
    BASE_TRY(
        model_file_read(path, &model->packed, &model->report, &model->file_bytes, &described, err));
    model->params = base_array(model->packed->g->flat_count, sizeof *model->params);
    if (model->params == NULL)
        return base_fail_memory(err, path);
    pack_model_values(model->packed, model->params);
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
    base_free(model->active);
    engine_destroy(model->engine);
    base_pool_destroy(model->pool);
    base_free(model);
}

static uint64_t kept_weights(const admmnn_model *model) {
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
    *info = (admmnn_model_info){.input = {shape.channels, shape.height, shape.width},
                                .outputs = (uint32_t)graph_value_count(g, g->output),
                                .mean = model->packed->mean,
                                .scale = model->packed->scale,
                                .weights = graph_weight_count(g),
                                .kept = kept_weights(model),
                                .original_weights = model->packed->original_weights,
                                .file_bytes = model->file_bytes};
    snprintf(info->name, sizeof info->name, "%s", g->name);
}

/* ---- running ---- */

typedef struct samples {
    const float *from;
    size_t elements;
} samples;

static void fill(void *user, size_t sample, float *input, size_t stride) {
    const samples *s = user;
    const float *from = s->from + sample * s->elements;
    for (size_t i = 0; i < s->elements; i++)
        input[i * stride] = from[i];
}

/* The places of the parameters that are not 0; active gets their values. */
static size_t find_support(const admmnn_model *model, size_t *index, float *active) {
    const graph *g = model->packed->g;
    size_t count = 0;
    for (uint32_t p = 0; p < g->parameter_count; p++) {
        const size_t first = g->parameters[p].offset;
        for (size_t i = first; i < first + g->parameters[p].count; i++) {
            if (model->params[i] != 0.0F) {
                active[count] = model->params[i];
                index[count++] = i;
            }
        }
    }
    return count;
}

static admmnn_status run_on_support(admmnn_model *model, engine *e, admmnn_error *err) {
    const size_t most = model->packed->g->flat_count;
    size_t *index = base_array(most, sizeof *index);
    float *active = base_array(most, sizeof *active);
    admmnn_status status = ADMMNN_OK;
    if (index == NULL || active == NULL)
        status = base_fail_memory(err, model->path);
    if (status == ADMMNN_OK)
        status = engine_set_support(e, index, find_support(model, index, active), err);
    base_free(index);
    if (status == ADMMNN_OK)
        model->active = active;
    else
        base_free(active);
    return status;
}

/* The engine of the model's runs, on the weights that are not 0 where those are few:
 * a layer that keeps many is copied before each run. */
static admmnn_status open_engine(admmnn_model *model, admmnn_error *err) {
    const engine_settings settings = {.backend = ENGINE_AUTO, .max_batch = BATCH};
    engine *e;
    if (model->engine != NULL)
        return ADMMNN_OK;
    BASE_TRY(engine_create(model->packed->g, &settings, model->pool, &e, err));
    admmnn_status status = ADMMNN_OK;
    if (engine_gains_by_support(e) &&
        kept_weights(model) < graph_weight_count(model->packed->g) / 2)
        status = run_on_support(model, e, err);
    if (status == ADMMNN_OK)
        model->engine = e;
    else
        engine_destroy(e);
    return status;
}

admmnn_status admmnn_model_run(admmnn_model *model, const float *input, size_t count, float *output,
                               admmnn_error *err) {
    const graph *g = model->packed->g;
    samples from = {input, graph_value_count(g, g->input)};
    size_t outputs = graph_value_count(g, g->output);
    BASE_TRY(open_engine(model, err));
    const float *params = model->active == NULL ? model->params : model->active;
    for (size_t done = 0; done < count; done += BATCH) {
        engine_batch batch = {
            .count = count - done < BATCH ? count - done : BATCH, .fill = fill, .user = &from};
        BASE_TRY(engine_forward(model->engine, params, &batch, output, err));
        from.from += batch.count * from.elements;
        output += batch.count * outputs;
    }
    return ADMMNN_OK;
}

admmnn_status admmnn_model_evaluate(admmnn_model *model, const char *folder,
                                    admmnn_evaluation *evaluation, admmnn_error *err) {
    const graph *g = model->packed->g;
    graph_shape shape = g->values[g->input].shape;
    data_set test;
    BASE_TRY(data_idx_open(folder, DATA_TEST, &test, err));
    train_network *network = NULL;
    admmnn_status status = ADMMNN_OK;
    if (memcmp(&shape, &test.shape, sizeof shape) != 0 ||
        graph_value_count(g, g->output) < test.classes)
        status = base_fail(err, ADMMNN_INPUT,
                           "%s: images of %ux%ux%u in %u classes; %s wants %ux%ux%u and tells %zu "
                           "apart",
                           folder, test.shape.channels, test.shape.height, test.shape.width,
                           test.classes, model->path, shape.channels, shape.height, shape.width,
                           graph_value_count(g, g->output));
    if (status == ADMMNN_OK)
        status =
            train_network_create(g, model->params, model->pool, ENGINE_AUTO, BATCH, &network, err);
    train_score score = {0};
    train_input how = {model->packed->mean, model->packed->scale};
    if (status == ADMMNN_OK)
        status = train_network_evaluate(network, network->params, &test, NULL, test.count, how,
                                        &score, err);
    train_network_free(network);
    data_set_free(&test);
    *evaluation = (admmnn_evaluation){score.count, score.correct, score.accuracy, score.loss};
    return status;
}

/* ---- arrays ---- */

/* Samples in an array of one or many: a sample's shape, its channels left out
 * where there is one, or its elements in a row. */
static bool count_samples(const npy_array *array, graph_shape shape, size_t *count) {
    const size_t sides[3] = {shape.channels, shape.height, shape.width};
    for (uint32_t from = 0; from < (shape.channels == 1 ? 2U : 1U); from++) {
        uint32_t own = 3 - from;
        if (array->rank != own && array->rank != own + 1)
            continue;
        if (memcmp(array->dims + (array->rank - own), sides + from, own * sizeof *sides) != 0)
            continue;
        *count = array->rank == own ? 1 : array->dims[0];
        return true;
    }
    *count = array->rank == 2 ? array->dims[0] : 1;
    return (array->rank == 1 || array->rank == 2) &&
           array->dims[array->rank - 1] == graph_shape_count(shape);
}

/* Pixels are normalised as the network wants them. */
static float *network_input(const admmnn_model *model, const npy_array *array) {
    float *input = base_array(array->count, sizeof *input);
    for (size_t i = 0; input != NULL && i < array->count; i++) {
        float value = npy_float(array, i);
        input[i] = array->type == NPY_UINT8
                       ? (value / 255.0F - model->packed->mean) * model->packed->scale
                       : value;
    }
    return input;
}

static admmnn_status run_array(admmnn_model *model, const char *name, const npy_array *array,
                               base_writer *out, admmnn_error *err) {
    const graph *g = model->packed->g;
    graph_shape shape = g->values[g->input].shape;
    size_t dims[2] = {0, graph_value_count(g, g->output)};
    if (!count_samples(array, shape, &dims[0]))
        return base_fail(err, ADMMNN_INPUT,
                         "%s: its shape is not (samples, %u, %u, %u), what %s wants", name,
                         shape.channels, shape.height, shape.width, model->path);
    size_t outputs;
    float *input = network_input(model, array);
    float *output =
        base_multiply(dims[0], dims[1], &outputs) ? base_array(outputs, sizeof *output) : NULL;
    admmnn_status status = input == NULL || output == NULL
                               ? base_fail_memory(err, name)
                               : admmnn_model_run(model, input, dims[0], output, err);
    if (status == ADMMNN_OK)
        npy_write(out, output, dims, 2);
    base_free(input);
    base_free(output);
    return status == ADMMNN_OK && out->failed ? base_fail_memory(err, name) : status;
}

/* An output that exists is replaced only when force is not 0. */
static admmnn_status check_output(const char *input, const char *output, int force,
                                  admmnn_error *err) {
    if (base_file_same(input, output))
        return base_fail(err, ADMMNN_USAGE, "%s: the output would replace the input", output);
    if (force == 0 && base_file_exists(output))
        return base_fail(err, ADMMNN_USAGE, "%s: exists already; --force replaces it", output);
    return base_file_check_write(output, err);
}

admmnn_status admmnn_model_run_file(admmnn_model *model, const char *input, const char *output,
                                    int force, admmnn_error *err) {
    BASE_TRY(check_output(input, output, force, err));
    if (base_file_same(model->path, output))
        return base_fail(err, ADMMNN_USAGE, "%s: the output would replace the model", output);
    uint8_t *bytes;
    size_t count;
    BASE_TRY(base_file_read(input, ARRAY_BYTES_MOST, &bytes, &count, err));
    npy_array array;
    base_writer out = {0};
    admmnn_status status = npy_parse(input, bytes, count, &array, err);
    if (status == ADMMNN_OK)
        status = run_array(model, input, &array, &out, err);
    if (status == ADMMNN_OK)
        status = base_file_write(output, out.bytes, out.count, err);
    base_writer_free(&out);
    base_free(bytes);
    return status;
}

/* ---- converting ---- */

/* A network that was never packed may have its hidden units in a better order. */
static admmnn_status encode_file(const admmnn_pack_settings *settings, pack_model *model,
                                 bool described, uint8_t **bytes, size_t *count,
                                 admmnn_error *err) {
    pack_settings coders;
    BASE_TRY(pack_settings_find(settings->positions, settings->values, &coders, err));
    if (!described)
        BASE_TRY(pack_reorder(model, NULL, err));
    return pack_encode(model, &coders, bytes, count, NULL, err);
}

static admmnn_status convert(const admmnn_pack_settings *settings, bool pack, admmnn_error *err) {
    pack_model *model;
    uint64_t file_bytes;
    bool described;
    uint8_t *bytes = NULL;
    size_t count = 0;
    BASE_TRY(check_output(settings->input, settings->output, settings->force, err));
    BASE_TRY(model_file_read(settings->input, &model, NULL, &file_bytes, &described, err));
    admmnn_status status = pack ? encode_file(settings, model, described, &bytes, &count, err)
                                : pack_to_onnx(model, &bytes, &count, err);
    if (status == ADMMNN_OK)
        status = base_file_write(settings->output, bytes, count, err);
    base_free(bytes);
    pack_model_free(model);
    return status;
}

admmnn_status admmnn_model_pack(const admmnn_pack_settings *settings, admmnn_error *err) {
    return convert(settings, true, err);
}

admmnn_status admmnn_model_unpack(const admmnn_pack_settings *settings, admmnn_error *err) {
    return convert(settings, false, err);
}
