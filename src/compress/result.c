#include "compress/result.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "compress/run.h"
#include "report/papers.h"

static const char *const stage_keys[] = {
#define STAGE_KEY(name, text) #name,
    RUN_STAGE_MAP(STAGE_KEY)
#undef STAGE_KEY
};

_Static_assert(sizeof stage_keys / sizeof *stage_keys <=
                   sizeof((compress_result *)0)->seconds_stages / sizeof(double) + 1,
               "a place for the seconds of every stage but the last, DONE");

/* A double with enough digits to come back the same, and no more noise than
 * that. JSON has no word for one that is not finite. */
static void write_number(base_writer *out, const char *key, double value, const char *end) {
    char text[32] = "null";
    if (isfinite(value))
        snprintf(text, sizeof text, "%.15g", value);
    if (isfinite(value) && strtod(text, NULL) != value)
        snprintf(text, sizeof text, "%.17g", value);
    base_write_text(out, "\"%s\": %s%s", key, text, end);
}

static void write_count(base_writer *out, const char *key, uint64_t value, const char *end) {
    base_write_text(out, "\"%s\": %llu%s", key, (unsigned long long)value, end);
}

static void write_string(base_writer *out, const char *key, const char *value, const char *end) {
    base_write_text(out, "\"%s\": ", key);
    base_write_json_string(out, value);
    base_write_text(out, "%s", end);
}

static void write_layer(const result_layer *layer, base_writer *out, const char *end) {
    base_write_text(out, "    {");
    write_string(out, "name", layer->name, ", ");
    write_count(out, "weights", layer->weights, ", ");
    write_count(out, "kept", layer->kept, ", ");
    write_count(out, "rows", layer->rows, ", ");
    write_count(out, "columns", layer->columns, ", ");
    write_count(out, "bits", layer->bits, ", ");
    write_count(out, "index_bits", layer->index_bits, ", ");
    write_count(out, "index_entries", layer->index_entries, ", ");
    write_count(out, "bytes", layer->bytes, ", ");
    write_string(out, "positions", layer->positions, ", ");
    write_string(out, "values", layer->values, "");
    base_write_text(out, "}%s\n", end);
}

static void write_bytes(const compress_result *r, base_writer *out) {
    base_write_text(out, "  \"bytes\": {");
    write_count(out, "dense_fp32", r->bytes.dense_fp32, ", ");
    write_count(out, "dense_fp32_biases", r->bytes.dense_fp32_biases, ",\n    ");
    write_count(out, "data", r->bytes.data, ", ");
    write_count(out, "relative_indices", r->bytes.relative_indices, ", ");
    write_count(out, "with_indices", r->bytes.with_indices, ", ");
    write_count(out, "file", r->bytes.file, ",\n    ");
    write_count(out, "values", r->bytes.values, ", ");
    write_count(out, "indices", r->bytes.indices, ", ");
    write_count(out, "codebooks", r->bytes.codebooks, ", ");
    write_count(out, "scales", r->bytes.scales, ", ");
    write_count(out, "biases", r->bytes.biases, ", ");
    write_count(out, "header", r->bytes.header, ",\n    ");
    write_count(out, "dense_zstd", r->bytes.dense_zstd, ", ");
    write_count(out, "int8_zstd", r->bytes.int8_zstd, "},\n");
}

void compress_result_json(const compress_result *r, base_writer *out) {
    base_write_text(out, "{\n  ");
    write_string(out, "recipe", r->recipe, ",\n  ");
    write_string(out, "recipe_sha256", r->recipe_sha256, ",\n  ");
    write_string(out, "data_sha256", r->data_sha256, ",\n  ");
    write_string(out, "model", r->model, ",\n  ");
    write_count(out, "seed", r->seed, ",\n  ");
    write_count(out, "threads", r->threads, ",\n");
    base_write_text(out, "  \"accuracy\": {");
    write_number(out, "dense", r->accuracy.dense, ", ");
    write_number(out, "pruned", r->accuracy.pruned, ", ");
    write_number(out, "compressed", r->accuracy.compressed, ", ");
    write_number(out, "packed", r->accuracy.packed, "},\n");
    base_write_text(out, "  \"validation_accuracy\": {");
    write_number(out, "dense", r->validation.dense, ", ");
    write_number(out, "pruned", r->validation.pruned, ", ");
    write_number(out, "compressed", r->validation.compressed, "},\n");
    base_write_text(out, "  \"validation_accuracy_of_projection\": {");
    write_number(out, "before", r->projection.before, ", ");
    write_number(out, "after", r->projection.after, ", ");
    write_number(out, "levels", r->projection.levels, "},\n");
    base_write_text(out, "  \"ratio\": {");
    write_number(out, "pruning", r->ratio.pruning, ", ");
    write_number(out, "data_only", r->ratio.data_only, ", ");
    write_number(out, "relative_indices", r->ratio.relative_indices, ", ");
    write_number(out, "with_indices", r->ratio.with_indices, ", ");
    write_number(out, "file", r->ratio.file, "},\n");
    write_bytes(r, out);
    base_write_text(out, "  \"seconds\": {");
    for (int s = 0; s < RUN_DONE; s++)
        write_number(out, stage_keys[s], r->seconds_stages[s], ", ");
    write_number(out, "total", r->seconds_total, "},\n");
    base_write_text(out, "  \"layers\": [\n");
    for (uint32_t l = 0; l < r->layer_count; l++)
        write_layer(&r->layers[l], out, l + 1 < r->layer_count ? "," : "");
    base_write_text(out, "  ]\n}\n");
}

/* ---- reading back ---- */

/* `missing` keeps the first key that is absent or of another kind. */
static void note(const char **missing, const char *key) {
    if (*missing == NULL)
        *missing = key;
}

static double number_at(const cJSON *object, const char *key, const char **missing) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    if (!cJSON_IsNumber(item)) {
        note(missing, key);
        return 0;
    }
    return item->valuedouble;
}

static uint64_t count_at(const cJSON *object, const char *key, const char **missing) {
    double value = number_at(object, key, missing);
    if (!(value >= 0 && value < 0x1p53)) {
        note(missing, key);
        return 0;
    }
    return (uint64_t)value;
}

static uint32_t small_count_at(const cJSON *object, const char *key, const char **missing) {
    uint64_t value = count_at(object, key, missing);
    if (value > UINT32_MAX)
        note(missing, key);
    return (uint32_t)value;
}

static void string_at(const cJSON *object, const char *key, char *out, size_t size,
                      const char **missing) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    if (!cJSON_IsString(item) || strlen(item->valuestring) >= size) {
        note(missing, key);
        return;
    }
    memcpy(out, item->valuestring, strlen(item->valuestring) + 1);
}

/* The start of a text that may be longer than its place: a path's bytes that are no
 * UTF-8 were written as U+FFFD, which has three. */
static void start_of_string_at(const cJSON *object, const char *key, char *out, size_t size,
                               const char **missing) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    if (!cJSON_IsString(item)) {
        note(missing, key);
        return;
    }
    size_t length = strlen(item->valuestring);
    if (length >= size)
        for (length = size - 1; length > 0 && (item->valuestring[length] & 0xc0) == 0x80;)
            length--; /* not within a character */
    memcpy(out, item->valuestring, length);
    out[length] = 0;
}

static void parse_layer(const cJSON *object, result_layer *layer, const char **missing) {
    string_at(object, "name", layer->name, sizeof layer->name, missing);
    layer->weights = count_at(object, "weights", missing);
    layer->kept = count_at(object, "kept", missing);
    layer->rows = small_count_at(object, "rows", missing);
    layer->columns = small_count_at(object, "columns", missing);
    layer->bits = small_count_at(object, "bits", missing);
    layer->index_bits = small_count_at(object, "index_bits", missing);
    layer->index_entries = count_at(object, "index_entries", missing);
    layer->bytes = count_at(object, "bytes", missing);
    string_at(object, "positions", layer->positions, sizeof layer->positions, missing);
    string_at(object, "values", layer->values, sizeof layer->values, missing);
    if (layer->weights == 0 || layer->kept > layer->weights)
        note(missing, "kept");
}

static void parse_bytes(const cJSON *bytes, compress_result *r, const char **missing) {
    r->bytes.dense_fp32 = count_at(bytes, "dense_fp32", missing);
    r->bytes.dense_fp32_biases = count_at(bytes, "dense_fp32_biases", missing);
    r->bytes.data = count_at(bytes, "data", missing);
    r->bytes.relative_indices = count_at(bytes, "relative_indices", missing);
    r->bytes.with_indices = count_at(bytes, "with_indices", missing);
    r->bytes.file = count_at(bytes, "file", missing);
    r->bytes.values = count_at(bytes, "values", missing);
    r->bytes.indices = count_at(bytes, "indices", missing);
    r->bytes.codebooks = count_at(bytes, "codebooks", missing);
    r->bytes.scales = count_at(bytes, "scales", missing);
    r->bytes.biases = count_at(bytes, "biases", missing);
    r->bytes.header = count_at(bytes, "header", missing);
    r->bytes.dense_zstd = count_at(bytes, "dense_zstd", missing);
    r->bytes.int8_zstd = count_at(bytes, "int8_zstd", missing);
}

/* NULL when all is there, else the key that is not. */
static const char *parse_all(const cJSON *root, compress_result *r) {
    const char *missing = NULL;
    start_of_string_at(root, "recipe", r->recipe, sizeof r->recipe, &missing);
    string_at(root, "recipe_sha256", r->recipe_sha256, sizeof r->recipe_sha256, &missing);
    string_at(root, "data_sha256", r->data_sha256, sizeof r->data_sha256, &missing);
    string_at(root, "model", r->model, sizeof r->model, &missing);
    r->seed = count_at(root, "seed", &missing);
    r->threads = small_count_at(root, "threads", &missing);
    const cJSON *part = cJSON_GetObjectItemCaseSensitive(root, "accuracy");
    r->accuracy.dense = number_at(part, "dense", &missing);
    r->accuracy.pruned = number_at(part, "pruned", &missing);
    r->accuracy.compressed = number_at(part, "compressed", &missing);
    r->accuracy.packed = number_at(part, "packed", &missing);
    part = cJSON_GetObjectItemCaseSensitive(root, "validation_accuracy");
    r->validation.dense = number_at(part, "dense", &missing);
    r->validation.pruned = number_at(part, "pruned", &missing);
    r->validation.compressed = number_at(part, "compressed", &missing);
    part = cJSON_GetObjectItemCaseSensitive(root, "validation_accuracy_of_projection");
    r->projection.before = number_at(part, "before", &missing);
    r->projection.after = number_at(part, "after", &missing);
    r->projection.levels = number_at(part, "levels", &missing);
    part = cJSON_GetObjectItemCaseSensitive(root, "ratio");
    r->ratio.pruning = number_at(part, "pruning", &missing);
    r->ratio.data_only = number_at(part, "data_only", &missing);
    r->ratio.relative_indices = number_at(part, "relative_indices", &missing);
    r->ratio.with_indices = number_at(part, "with_indices", &missing);
    r->ratio.file = number_at(part, "file", &missing);
    parse_bytes(cJSON_GetObjectItemCaseSensitive(root, "bytes"), r, &missing);
    part = cJSON_GetObjectItemCaseSensitive(root, "seconds");
    for (int s = 0; s < RUN_DONE; s++)
        r->seconds_stages[s] = number_at(part, stage_keys[s], &missing);
    r->seconds_total = number_at(part, "total", &missing);
    const cJSON *layer;
    cJSON_ArrayForEach(layer, cJSON_GetObjectItemCaseSensitive(root, "layers")) {
        if (r->layer_count == RECIPE_LAYERS_MAX)
            return "layers";
        parse_layer(layer, &r->layers[r->layer_count++], &missing);
    }
    return missing == NULL && r->layer_count == 0 ? "layers" : missing;
}

admmnn_status compress_result_parse(const char *path, const char *text, compress_result *result,
                                    admmnn_error *err) {
    memset(result, 0, sizeof *result);
    cJSON *root = cJSON_Parse(text);
    if (root == NULL)
        return base_fail(err, ADMMNN_CORRUPT, "%s: not a result of admmnn: not JSON", path);
    const char *missing = parse_all(root, result);
    cJSON_Delete(root);
    if (missing != NULL)
        return base_fail(err, ADMMNN_CORRUPT,
                         "%s: not a result of admmnn, or not whole: %s is missing or wrong", path,
                         missing);
    return ADMMNN_OK;
}

/* ---- the table ---- */

static void table_layers(const compress_result *r, base_writer *out) {
    base_write_text(out, "  %-10s %9s %8s %8s  %4s %6s %8s  %s\n", "layer", "weights", "kept",
                    "share", "bits", "index", "bytes", "matrix; coders of indices and values");
    for (uint32_t l = 0; l < r->layer_count; l++) {
        const result_layer *layer = &r->layers[l];
        base_write_text(out, "  %-10s %9llu %8llu %7.2f%%  %4u %6u %8llu  %ux%u; %s and %s\n",
                        layer->name, (unsigned long long)layer->weights,
                        (unsigned long long)layer->kept,
                        100.0 * (double)layer->kept / (double)layer->weights, layer->bits,
                        layer->index_bits, (unsigned long long)layer->bytes, layer->rows,
                        layer->columns, layer->positions, layer->values);
    }
    base_write_text(out,
                    "  bits: of a value; index: bits of a relative index; matrix: what is left "
                    "without dead units\n");
}

static void table_cell(base_writer *out, const char *what, double here, double paper,
                       const char *format, const char *note) {
    base_write_text(out, "  %-38s", what);
    base_write_text(out, format, here);
    if (paper > 0)
        base_write_text(out, format, paper);
    else
        base_write_text(out, "%10s", "");
    base_write_text(out, "  %s\n", note);
}

/* Negative accuracies: the stage did not run. */
static void table_projections(const compress_result *r, base_writer *out) {
    if (r->projection.after >= 0)
        base_write_text(out,
                        "\n  validation accuracy (%%): %.2f before the last hard pruning, %.2f "
                        "after it, %.2f retrained",
                        100 * r->projection.before, 100 * r->projection.after,
                        100 * r->validation.pruned);
    if (r->projection.levels >= 0)
        base_write_text(out,
                        "\n  validation accuracy (%%): %.2f after the projection to levels, %.2f "
                        "retrained",
                        100 * r->projection.levels, 100 * r->validation.compressed);
    base_write_text(out, "\n");
}

static void table_figures(const compress_result *r, const report_paper *paper, base_writer *out) {
    table_cell(out, "test accuracy, dense (%)", 100 * r->accuracy.dense, paper->accuracy.dense,
               "%10.2f", "");
    table_cell(out, "test accuracy, pruned (%)", 100 * r->accuracy.pruned, paper->accuracy.pruned,
               "%10.2f", "");
    table_cell(out, "test accuracy, pruned + quantized (%)", 100 * r->accuracy.compressed,
               paper->accuracy.quantized, "%10.2f", "");
    table_cell(out, "test accuracy, packed file (%)", 100 * r->accuracy.packed, 0, "%10.2f",
               "read back from model.admm");
    table_cell(out, "weights, dense / kept", r->ratio.pruning, paper->pruning, "%9.1fx",
               "weights only");
    table_cell(out, "data only", r->ratio.data_only, paper->data_only, "%9.0fx",
               "kept weights at their bits");
    table_cell(out, "data with relative indices", r->ratio.relative_indices,
               paper->relative_indices, "%9.0fx",
               "the papers' accounting: at each layer's best width, escapes counted");
    table_cell(out, "data with indices, as stored", r->ratio.with_indices, 0, "%9.0fx",
               "as the file stores them, scales and codebooks too");
    table_cell(out, "the real file", r->ratio.file, 0, "%9.0fx",
               "biases, scales, header, checksum and all");
}

static void table_bytes(const compress_result *r, base_writer *out) {
    base_write_text(
        out, "\n  bytes: dense fp32 %llu, its biases %llu; dense + zstd %llu; int8 + zstd %llu\n",
        (unsigned long long)r->bytes.dense_fp32, (unsigned long long)r->bytes.dense_fp32_biases,
        (unsigned long long)r->bytes.dense_zstd, (unsigned long long)r->bytes.int8_zstd);
    base_write_text(
        out, "  data only %llu; with relative indices %llu; with indices, as stored %llu\n",
        (unsigned long long)r->bytes.data, (unsigned long long)r->bytes.relative_indices,
        (unsigned long long)r->bytes.with_indices);
    base_write_text(out,
                    "  model.admm %llu = values %llu + indices %llu + codebooks %llu + scales %llu "
                    "+ biases %llu + header %llu\n",
                    (unsigned long long)r->bytes.file, (unsigned long long)r->bytes.values,
                    (unsigned long long)r->bytes.indices, (unsigned long long)r->bytes.codebooks,
                    (unsigned long long)r->bytes.scales, (unsigned long long)r->bytes.biases,
                    (unsigned long long)r->bytes.header);
}

void compress_result_table(const compress_result *r, base_writer *out) {
    static const report_paper none = {.source = ""};
    char data[REPORT_DATA_LABEL_MAX];
    const report_paper *paper = report_paper_find(r->data_sha256, r->model, r->ratio.pruning);
    if (paper == NULL)
        paper = &none;
    base_write_text(out, "\n%s on %s, seed %llu, %.0f s on %u threads\n\n", r->model,
                    report_data_label(data, r->data_sha256), (unsigned long long)r->seed,
                    r->seconds_total, r->threads);
    table_layers(r, out);
    base_write_text(out, "\n  %-38s%10s%10s\n", "", "this run", paper == &none ? "" : "paper");
    table_figures(r, paper, out);
    table_projections(r, out);
    table_bytes(r, out);
    if (paper != &none)
        base_write_text(out, "  paper: %s, pruned %gx", paper->source, paper->pruning);
    if (paper->data_kib > 0)
        base_write_text(out, "; data only %.2f KB, with relative indices %.2f KB", paper->data_kib,
                        paper->relative_indices_kib);
    if (paper != &none)
        base_write_text(out, "\n");
}
