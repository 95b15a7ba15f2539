#include "compress/finish.h"

#include <stdio.h>
#include <string.h>
#include <zstd.h>

#include "base/file.h"
#include "base/memory.h"
#include "compress/rank.h"
#include "graph/shrink.h"
#include "onnx/onnx.h"
#include "pack/convert.h"
#include "pack/reorder.h"

/* zstd's level 19 takes half a second a megabyte, minutes of a large network; of weights level 9
 * makes as much. */
#define ZSTD_CAREFUL_BYTES ((size_t)1 << 24)

static admmnn_status write_in(const char *folder, const char *name, const void *bytes, size_t count,
                              admmnn_error *err) {
    char path[BASE_PATH_MAX];
    BASE_TRY(base_path_join(path, sizeof path, folder, name, err));
    return base_file_write(path, bytes, count, err);
}

/* What a run ends with; the graphs have the ending that the training did without. */
typedef struct outcome {
    graph *full;
    float *flat;   /* [full->flat_count] the compressed network on its full graph */
    graph *small;  /* without its dead structure */
    float *params; /* [small->flat_count] */
    uint8_t *mask; /* [small->flat_count] */
} outcome;

static void outcome_free(outcome *o) {
    graph_free(o->full);
    base_free(o->flat);
    graph_free(o->small);
    base_free(o->params);
    base_free(o->mask);
}

static admmnn_status fill_small(const compress_run *run, const size_t *origin, outcome *o,
                                admmnn_error *err) {
    const size_t count = o->small->flat_count;
    o->params = base_array(count, sizeof *o->params);
    o->mask = base_array(count, 1);
    if (o->params == NULL || o->mask == NULL)
        return base_fail_memory(err, "the finished network");
    for (size_t i = 0; i < count; i++) {
        if (origin[i] == SIZE_MAX)
            continue;
        o->params[i] = o->flat[origin[i]];
        o->mask[i] = run->mask[origin[i]];
    }
    return ADMMNN_OK;
}

/* What has trained makes room for what packs and tests. */
static void end_training(compress_run *run) {
    train_optimizer_free(run->optimizer);
    train_network_free(run->network);
    base_free(run->fixed);
    run->optimizer = NULL;
    run->network = NULL;
    run->fixed = NULL;
}

static admmnn_status outcome_open(compress_run *run, outcome *o, admmnn_error *err) {
    size_t *origin;
    BASE_TRY(graph_clone(run->g, &o->full, err));
    BASE_TRY(graph_put_ending(o->full, &run->ending, err));
    BASE_TRY(run_flat_params(run, &o->flat, err));
    end_training(run);
    BASE_TRY(shrink_network(run->g, run->mask, &o->small, &origin, err));
    admmnn_status status = graph_put_ending(o->small, &run->ending, err);
    if (status == ADMMNN_OK)
        status = fill_small(run, origin, o, err);
    base_free(origin);
    return status;
}

/* Of layers alone: weights, which pruning is of too, and biases where they have levels. Floats
 * are what normalizations own and operands that are no layer's weights. */
static bool is_coded(const recipe_quantize *q, const graph_parameter *parameter) {
    const bool bias = parameter->kind == GRAPH_BIAS && q->bias_bits > 0;
    return q->enabled && parameter->node != GRAPH_NONE && (parameter->kind == GRAPH_WEIGHT || bias);
}

/* Layers stand in one order in both graphs. */
static pack_tensor coded_tensor(const compress_run *run, const graph *small,
                                const graph_parameter *parameter) {
    const recipe_quantize *q = &run->r->quantize;
    const run_layer *layer = &run->layers[graph_layer_index(small, parameter->node)];
    bool weight = parameter->kind == GRAPH_WEIGHT;
    return (pack_tensor){.form = PACK_LEVELS,
                         .levels = weight ? q->levels : ADMM_LEVELS_EQUAL_ZERO,
                         .bits = weight ? layer->bits : q->bias_bits,
                         .step = weight ? layer->step : layer->bias_step};
}

/* One parameter of the small network: codes where it is quantized, else floats. */
static admmnn_status fill_tensor(const compress_run *run, const outcome *o, uint32_t p,
                                 pack_tensor *tensor, admmnn_error *err) {
    const graph_parameter *parameter = &o->small->parameters[p];
    bool coded = is_coded(&run->r->quantize, parameter);
    *tensor = coded ? coded_tensor(run, o->small, parameter) : (pack_tensor){.form = PACK_FLOAT32};
    if (coded)
        tensor->codes = base_array(parameter->count, sizeof *tensor->codes);
    else
        tensor->values = base_array(parameter->count, sizeof *tensor->values);
    if (tensor->codes == NULL && tensor->values == NULL)
        return base_fail_memory(err, "the packed model");
    for (size_t i = 0; i < parameter->count; i++) {
        const size_t at = parameter->offset + i;
        const float value = o->params[at];
        if (!coded)
            tensor->values[i] = value;
        else if (o->mask[at] != 0 && tensor->step > 0)
            tensor->codes[i] = admm_level_code(tensor->levels, tensor->bits, tensor->step, value);
    }
    return ADMMNN_OK;
}

static admmnn_status make_packed(const compress_run *run, const outcome *o, pack_model **out,
                                 admmnn_error *err) {
    pack_model *model;
    BASE_TRY(pack_model_create(o->small, &model, err));
    model->original_weights = graph_weight_count(run->g);
    model->original_biases = graph_trainable_count(run->g) - graph_weight_count(run->g);
    model->tones = run->tones;
    admmnn_status status = ADMMNN_OK;
    for (uint32_t p = 0; p < o->small->parameter_count && status == ADMMNN_OK; p++)
        status = fill_tensor(run, o, p, &model->tensors[p], err);
    if (status == ADMMNN_OK)
        status = pack_reorder(model, run->context, err);
    if (status != ADMMNN_OK) {
        pack_model_free(model);
        return status;
    }
    *out = model;
    return ADMMNN_OK;
}

static admmnn_status zstd_size(const void *bytes, size_t count, uint64_t *size, admmnn_error *err) {
    size_t bound = ZSTD_compressBound(count);
    void *packed = base_array(bound, 1);
    if (packed == NULL)
        return base_fail_memory(err, "zstd");
    const int level = count <= ZSTD_CAREFUL_BYTES ? 19 : 9;
    size_t used = ZSTD_compress(packed, bound, bytes, count, level);
    base_free(packed);
    if (ZSTD_isError(used))
        return base_fail(err, ADMMNN_BACKEND, "zstd: %s", ZSTD_getErrorName(used));
    *size = used;
    return ADMMNN_OK;
}

/* The dense network's bytes with a general compressor: what compression costs
 * nothing. int8: each parameter scaled to its largest magnitude. */
static admmnn_status dense_controls(const compress_run *run, compress_result *result,
                                    admmnn_error *err) {
    const graph *g = run->g;
    BASE_TRY(
        zstd_size(run->dense, g->flat_count * sizeof *run->dense, &result->bytes.dense_zstd, err));
    int8_t *small = base_array(g->flat_count, 1);
    if (small == NULL)
        return base_fail_memory(err, "the int8 control");
    for (uint32_t p = 0; p < g->parameter_count; p++) {
        const float *from = run->dense + g->parameters[p].offset;
        float largest = 0.0F;
        for (size_t i = 0; i < g->parameters[p].count; i++) {
            float size = from[i] < 0 ? -from[i] : from[i];
            largest = size > largest ? size : largest;
        }
        for (size_t i = 0; largest > 0 && i < g->parameters[p].count; i++) {
            float scaled = 127.0F * (from[i] / largest);
            small[g->parameters[p].offset + i] =
                (int8_t)(scaled < 0 ? scaled - 0.5F : scaled + 0.5F);
        }
    }
    admmnn_status status = zstd_size(small, g->flat_count, &result->bytes.int8_zstd, err);
    base_free(small);
    return status;
}

static admmnn_status test_flat(const compress_run *run, const graph *g, const float *params,
                               const data_set *test, double *accuracy, admmnn_error *err) {
    const engine_settings settings = {.backend = run->r->backend, .max_batch = run->batch};
    train_network *network;
    BASE_TRY(train_network_create(g, params, run->pool, &settings, &network, err));
    train_score score = {0};
    admmnn_status status = train_network_evaluate(network, network->params, test, NULL, test->count,
                                                  run->tones, &score, err);
    train_network_free(network);
    *accuracy = score.accuracy;
    return status;
}

static admmnn_status test_packed(const compress_run *run, const pack_model *model,
                                 const data_set *test, double *accuracy, admmnn_error *err) {
    float *params = base_array(model->g->flat_count, sizeof *params);
    if (params == NULL)
        return base_fail_memory(err, "the packed network");
    pack_model_values(model, params);
    admmnn_status status = test_flat(run, model->g, params, test, accuracy, err);
    base_free(params);
    return status;
}

static admmnn_status test_all(const compress_run *run, const float *flat, const pack_model *packed,
                              compress_result *result, admmnn_error *err) {
    data_set test;
    BASE_TRY(run_open_test(run, &test, err));
    admmnn_status status = ADMMNN_OK;
    const struct {
        const float *params;
        double *accuracy;
    } networks[] = {{run->dense, &result->accuracy.dense},
                    {run_pruned(run), &result->accuracy.pruned},
                    {flat, &result->accuracy.compressed}};
    for (size_t i = 0; i < 3 && status == ADMMNN_OK; i++)
        status = test_flat(run, run->g, networks[i].params, &test, networks[i].accuracy, err);
    if (status == ADMMNN_OK)
        status = test_packed(run, packed, &test, &result->accuracy.packed, err);
    data_set_free(&test);
    return status;
}

static void layer_figures(const compress_run *run, const graph *small, const pack_report *report,
                          uint32_t l, result_layer *out) {
    const graph_node *node = &run->g->nodes[run->layers[l].node];
    const uint32_t p = small->nodes[graph_layer(small, l)].weight;
    const pack_tensor_report *packed = &report->tensors[p];
    snprintf(out->name, sizeof out->name, "%s", node->name);
    out->weights = run->g->parameters[node->weight].count;
    out->kept = packed->kept;
    out->rows = small->parameters[p].rows;
    out->columns = small->parameters[p].columns;
    out->bits = packed->bits;
    out->index_bits = packed->relative_bits;
    out->index_entries = packed->relative_entries;
    out->bytes = (packed->value_bits + packed->position_bits + 7) / 8;
    snprintf(out->positions, sizeof out->positions, "%s", pack_position_name(packed->positions));
    snprintf(out->values, sizeof out->values, "%s", pack_coder_name(packed->values));
}

/* Of the network whose accuracy is `pruned`: a level of zero takes more afterwards. */
static uint64_t kept_by_pruning(const compress_run *run) {
    const float *pruned = run_pruned(run);
    uint64_t kept = 0;
    for (uint32_t l = 0; l < run->layer_count; l++) {
        const graph_parameter *weight = run_weight(run, l);
        for (size_t i = 0; i < weight->count; i++)
            kept += pruned[weight->offset + i] != 0.0F;
    }
    return kept;
}

/* The papers' accounting: kept weights at their bits; with indices, every entry
 * (escapes included) carries an index and a value. */
static void ratios(const compress_run *run, compress_result *result) {
    const uint64_t kept = kept_by_pruning(run);
    uint64_t data_bits = 0;
    uint64_t indexed_bits = 0;
    for (uint32_t l = 0; l < result->layer_count; l++) {
        const result_layer *layer = &result->layers[l];
        data_bits += layer->kept * layer->bits;
        indexed_bits += layer->index_entries * (layer->bits + layer->index_bits);
    }
    const double weights = (double)graph_weight_count(run->g);
    result->bytes.dense_fp32 = graph_weight_count(run->g) * 4;
    result->bytes.dense_fp32_biases =
        (graph_trainable_count(run->g) - graph_weight_count(run->g)) * 4;
    result->bytes.data = (data_bits + 7) / 8;
    result->bytes.relative_indices = (indexed_bits + 7) / 8;
    result->ratio.pruning = kept > 0 ? weights / (double)kept : 0;
    result->ratio.data_only = data_bits > 0 ? weights * 32.0 / (double)data_bits : 0;
    result->ratio.relative_indices = indexed_bits > 0 ? weights * 32.0 / (double)indexed_bits : 0;
}

/* The real file's, after the ratios. */
static void file_figures(const pack_report *report, compress_result *result) {
    result->bytes.with_indices = report->bytes_values + report->bytes_positions +
                                 report->bytes_codebooks + report->bytes_scales;
    result->bytes.file = report->bytes_total;
    result->bytes.values = report->bytes_values;
    result->bytes.indices = report->bytes_positions;
    result->bytes.codebooks = report->bytes_codebooks;
    result->bytes.scales = report->bytes_scales;
    result->bytes.biases = report->bytes_biases;
    result->bytes.header = report->bytes_header;
    result->ratio.with_indices =
        result->bytes.with_indices > 0
            ? (double)result->bytes.dense_fp32 / (double)result->bytes.with_indices
            : 0;
    result->ratio.file = (double)(result->bytes.dense_fp32 + result->bytes.dense_fp32_biases) /
                         (double)report->bytes_total;
}

static void fill_result(const compress_run *run, const outcome *o, const pack_report *report,
                        compress_result *result) {
    snprintf(result->recipe, sizeof result->recipe, "%s", run->r->path);
    snprintf(result->recipe_sha256, sizeof result->recipe_sha256, "%s", run->r->sha256);
    snprintf(result->data_sha256, sizeof result->data_sha256, "%s", run->data_sha256);
    snprintf(result->model, sizeof result->model, "%s", run->r->model);
    snprintf(result->model_sha256, sizeof result->model_sha256, "%s", run->model_sha256);
    result->seed = run->r->seed;
    result->threads = base_pool_threads(run->pool);
    result->layer_count = run->layer_count;
    result->projection.before = run->scores.before_projection;
    result->projection.after = run->scores.after_projection;
    result->projection.levels = run->scores.quantized_projection;
    result->validation.dense = run->scores.dense;
    result->validation.pruned = run->scores.pruned;
    result->validation.compressed = run->scores.quantized;
    result->size.parameters = graph_trainable_count(run->g);
    result->size.parameters_left = graph_trainable_count(o->small);
    result->size.macs = graph_macs(run->g);
    result->size.macs_left = graph_macs(o->small);
    for (uint32_t l = 0; l < run->layer_count; l++)
        layer_figures(run, o->small, report, l, &result->layers[l]);
    ratios(run, result);
    file_figures(report, result);
    for (int s = 0; s < RUN_DONE; s++)
        result->seconds_stages[s] = run->stage_seconds[s];
}

/* It says how its pixels are normalised. What an ONNX file called its parts, and said of itself,
 * stays. */
static admmnn_status write_onnx(const compress_run *run, const graph *g, const float *params,
                                const char *folder, const char *name, admmnn_error *err) {
    char path[BASE_PATH_MAX];
    char text[PACK_TONES_TEXT];
    uint64_t data_bytes;
    const size_t kept = run->labels == NULL ? 0 : run->labels->property_count;
    BASE_TRY(base_path_join(path, sizeof path, folder, name, err));
    onnx_property *properties = base_array(1 + kept, sizeof *properties);
    if (properties == NULL)
        return base_fail_memory(err, name);
    properties[0] = pack_tones_property(&run->tones, text);
    const onnx_writing writing = {.g = g,
                                  .params = params,
                                  .labels = run->labels,
                                  .properties = properties,
                                  .property_count =
                                      pack_keep_properties(run->labels, properties, 1)};
    const onnx_target target = {.path = path, .data = ONNX_DATA_INSIDE};
    const admmnn_status status = onnx_write(&writing, &target, &data_bytes, err);
    base_free(properties);
    return status;
}

static void show_progress(const compress_run *run, const char *task) {
    admmnn_progress progress = {.task = task, .unit = "", .run_done = 1.0};
    base_progress(run->context, &progress);
}

static admmnn_status encode(const compress_run *run, const outcome *o, uint8_t **bytes,
                            size_t *count, pack_report *report, admmnn_error *err) {
    pack_settings settings = run->r->pack;
    settings.context = run->context;
    pack_model *model;
    BASE_TRY(make_packed(run, o, &model, err));
    const admmnn_status status = pack_encode(model, &settings, bytes, count, report, err);
    pack_model_free(model);
    return status;
}

/* Reads the bytes back and tests what was read. */
static admmnn_status test_bytes(const compress_run *run, const outcome *o, const uint8_t *bytes,
                                size_t count, compress_result *result, admmnn_error *err) {
    pack_model *packed;
    BASE_TRY(pack_decode(bytes, count, &packed, NULL, err));
    const admmnn_status status = test_all(run, o->flat, packed, result, err);
    pack_model_free(packed);
    return status;
}

static admmnn_status pack_and_test(const compress_run *run, const outcome *o, const char *folder,
                                   compress_result *result, admmnn_error *err) {
    uint8_t *bytes;
    size_t count;
    pack_report report = {0};
    BASE_TRY(encode(run, o, &bytes, &count, &report, err));
    fill_result(run, o, &report, result);
    admmnn_status status = test_bytes(run, o, bytes, count, result, err);
    if (status == ADMMNN_OK)
        status = write_in(folder, "model.admm", bytes, count, err);
    pack_report_free(&report);
    base_free(bytes);
    return status;
}

static admmnn_status finish(compress_run *run, const outcome *o, const char *folder,
                            compress_result *result, admmnn_error *err) {
    BASE_TRY(pack_and_test(run, o, folder, result, err));
    BASE_TRY(dense_controls(run, result, err));
    BASE_TRY(write_onnx(run, o->full, o->flat, folder, "model.onnx", err));
    BASE_TRY(write_onnx(run, o->small, o->params, folder, "small.onnx", err));
    return write_in(folder, "log.jsonl", run->log.bytes, run->log.count, err);
}

admmnn_status run_finish(compress_run *run, const char *folder, compress_result *result,
                         admmnn_error *err) {
    outcome o = {0};
    memset(result, 0, sizeof *result);
    show_progress(run, "packing and testing");
    admmnn_status status = outcome_open(run, &o, err);
    if (status == ADMMNN_OK)
        status = finish(run, &o, folder, result, err);
    result->seconds_total = run_seconds(run);
    outcome_free(&o);
    return status;
}
