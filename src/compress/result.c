#include "compress/result.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "compress/json_read.h"
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
static void write_number(base_writer *out, const char *key, double value) {
    char text[32] = "null";
    if (isfinite(value))
        snprintf(text, sizeof text, "%.15g", value);
    if (isfinite(value) && strtod(text, NULL) != value)
        snprintf(text, sizeof text, "%.17g", value);
    base_write_text(out, "\"%s\": %s", key, text);
}

/* ---- what stands in the file ---- */

typedef enum figure_kind {
    COUNT, /* uint64_t */
    SMALL, /* uint32_t */
    BITS,  /* unsigned, at most 32 */
    SHARE, /* double from 0 to 1; -1: not measured */
    NUMBER,
    NAME,
    LATER, /* a NAME that files of before do not have; then empty */
    PATH
} figure_kind;

/* A member of a structure, by its key in a part of the JSON; "": in none. */
typedef struct figure {
    figure_kind kind;
    const char *part, *key;
    size_t offset, size;
} figure;

#define FIGURE(structure, kind, part, key, member)                                                 \
    { kind, part, key, offsetof(structure, member), sizeof((structure *)0)->member }
#define OF_RUN(kind, member) FIGURE(compress_result, kind, "", #member, member)
#define OF_PART(kind, part, of, member) FIGURE(compress_result, kind, part, #member, of.member)
#define OF_LAYER(kind, member) FIGURE(result_layer, kind, "", #member, member)
#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

static const figure of_run[] = {
    OF_RUN(PATH, recipe),
    OF_RUN(NAME, recipe_sha256),
    OF_RUN(NAME, data_sha256),
    OF_RUN(NAME, model),
    OF_RUN(LATER, model_sha256),
    OF_RUN(COUNT, seed),
    OF_RUN(SMALL, threads),
    OF_PART(SHARE, "accuracy", accuracy, dense),
    OF_PART(SHARE, "accuracy", accuracy, pruned),
    OF_PART(SHARE, "accuracy", accuracy, compressed),
    OF_PART(SHARE, "accuracy", accuracy, packed),
    OF_PART(SHARE, "validation_accuracy", validation, dense),
    OF_PART(SHARE, "validation_accuracy", validation, pruned),
    OF_PART(SHARE, "validation_accuracy", validation, compressed),
    OF_PART(SHARE, "validation_accuracy_of_projection", projection, before),
    OF_PART(SHARE, "validation_accuracy_of_projection", projection, after),
    OF_PART(SHARE, "validation_accuracy_of_projection", projection, levels),
    OF_PART(COUNT, "size", size, parameters),
    OF_PART(COUNT, "size", size, parameters_left),
    OF_PART(COUNT, "size", size, macs),
    OF_PART(COUNT, "size", size, macs_left),
    OF_PART(NUMBER, "ratio", ratio, pruning),
    OF_PART(NUMBER, "ratio", ratio, data_only),
    OF_PART(NUMBER, "ratio", ratio, relative_indices),
    OF_PART(NUMBER, "ratio", ratio, with_indices),
    OF_PART(NUMBER, "ratio", ratio, file),
    OF_PART(COUNT, "bytes", bytes, dense_fp32),
    OF_PART(COUNT, "bytes", bytes, dense_fp32_biases),
    OF_PART(COUNT, "bytes", bytes, data),
    OF_PART(COUNT, "bytes", bytes, relative_indices),
    OF_PART(COUNT, "bytes", bytes, with_indices),
    OF_PART(COUNT, "bytes", bytes, file),
    OF_PART(COUNT, "bytes", bytes, values),
    OF_PART(COUNT, "bytes", bytes, indices),
    OF_PART(COUNT, "bytes", bytes, codebooks),
    OF_PART(COUNT, "bytes", bytes, scales),
    OF_PART(COUNT, "bytes", bytes, biases),
    OF_PART(COUNT, "bytes", bytes, header),
    OF_PART(COUNT, "bytes", bytes, dense_zstd),
    OF_PART(COUNT, "bytes", bytes, int8_zstd),
};

static const figure of_layer[] = {
    OF_LAYER(NAME, name),       OF_LAYER(COUNT, weights),       OF_LAYER(COUNT, kept),
    OF_LAYER(SMALL, rows),      OF_LAYER(SMALL, columns),       OF_LAYER(BITS, bits),
    OF_LAYER(BITS, index_bits), OF_LAYER(COUNT, index_entries), OF_LAYER(COUNT, bytes),
    OF_LAYER(NAME, positions),  OF_LAYER(NAME, values),
};

/* ---- writing ---- */

static void write_string(base_writer *out, const char *key, const char *value) {
    base_write_text(out, "\"%s\": ", key);
    base_write_json_string(out, value);
}

static void write_figure(const figure *f, const void *from, base_writer *out) {
    const void *place = (const char *)from + f->offset;
    switch (f->kind) {
    case COUNT:
        base_write_text(out, "\"%s\": %llu", f->key, (unsigned long long)*(const uint64_t *)place);
        break;
    case SMALL:
    case BITS:
        base_write_text(out, "\"%s\": %u", f->key, *(const uint32_t *)place);
        break;
    case SHARE:
    case NUMBER:
        write_number(out, f->key, *(const double *)place);
        break;
    case NAME:
    case LATER:
    case PATH:
        write_string(out, f->key, place);
    }
}

/* A line a part. */
static void write_figures(const figure *figures, size_t count, const void *from, base_writer *out) {
    const char *part = "";
    for (size_t i = 0; i < count; i++) {
        if (strcmp(part, figures[i].part) == 0)
            base_write_text(out, i == 0 ? "" : ", ");
        else
            base_write_text(out, "%s,\n  \"%s\": {", part[0] == 0 ? "" : "}", figures[i].part);
        part = figures[i].part;
        write_figure(&figures[i], from, out);
    }
    base_write_text(out, "}");
}

void compress_result_json(const compress_result *r, base_writer *out) {
    base_write_text(out, "{\n  ");
    write_figures(of_run, COUNT_OF(of_run), r, out);
    base_write_text(out, ",\n  \"seconds\": {");
    for (int s = 0; s < RUN_DONE; s++) {
        write_number(out, stage_keys[s], r->seconds_stages[s]);
        base_write_text(out, ", ");
    }
    write_number(out, "total", r->seconds_total);
    base_write_text(out, "},\n  \"layers\": [");
    for (uint32_t l = 0; l < r->layer_count; l++) {
        base_write_text(out, "%s\n    {", l == 0 ? "" : ",");
        write_figures(of_layer, COUNT_OF(of_layer), &r->layers[l], out);
    }
    base_write_text(out, "\n  ]\n}\n");
}

/* ---- reading back ---- */

/* The start of a text that may be longer than its place: a path's bytes that are no
 * UTF-8 were written as U+FFFD, which has three. */
static bool read_path(const cJSON *object, const char *key, char *out, size_t size) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    if (!cJSON_IsString(item))
        return false;
    size_t length = strlen(item->valuestring);
    if (length >= size)
        for (length = size - 1; length > 0 && (item->valuestring[length] & 0xc0) == 0x80;)
            length--; /* not within a character */
    memcpy(out, item->valuestring, length);
    out[length] = 0;
    return true;
}

static bool read_small(const cJSON *object, const char *key, uint32_t most, uint32_t *value) {
    uint64_t count = 0;
    bool right = json_read_count(object, key, most, &count);
    *value = (uint32_t)count;
    return right;
}

static bool read_share(const cJSON *object, const char *key, double *value) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    *value = -1;
    return (cJSON_IsNumber(item) && item->valuedouble == -1) || json_read_share(object, key, value);
}

static bool read_figure(const figure *f, const cJSON *from, void *to) {
    void *place = (char *)to + f->offset;
    switch (f->kind) {
    case COUNT:
        return json_read_count(from, f->key, UINT64_MAX, place);
    case SMALL:
        return read_small(from, f->key, UINT32_MAX, place);
    case BITS:
        return read_small(from, f->key, 32, place);
    case SHARE:
        return read_share(from, f->key, place);
    case NUMBER:
        return json_read_number(from, f->key, place);
    case NAME:
        return json_read_name(from, f->key, place, f->size);
    case LATER:
        return !cJSON_HasObjectItem(from, f->key) || json_read_name(from, f->key, place, f->size);
    case PATH:
        break;
    }
    return read_path(from, f->key, place, f->size);
}

/* NULL when all are there, else the key of one that is not. */
static const char *read_figures(const figure *figures, size_t count, const cJSON *object,
                                void *to) {
    for (size_t i = 0; i < count; i++) {
        const char *part = figures[i].part;
        const cJSON *from = part[0] == 0 ? object : cJSON_GetObjectItemCaseSensitive(object, part);
        if (!read_figure(&figures[i], from, to))
            return figures[i].key;
    }
    return NULL;
}

static const char *read_seconds(const cJSON *seconds, compress_result *r) {
    for (int s = 0; s < RUN_DONE; s++)
        if (!json_read_number(seconds, stage_keys[s], &r->seconds_stages[s]))
            return stage_keys[s];
    return json_read_number(seconds, "total", &r->seconds_total) ? NULL : "total";
}

static const char *read_layers(const cJSON *layers, compress_result *r) {
    const cJSON *object;
    if (!cJSON_IsArray(layers))
        return "layers";
    cJSON_ArrayForEach(object, layers) {
        if (r->layer_count == RECIPE_LAYERS_MAX)
            return "layers";
        result_layer *layer = &r->layers[r->layer_count++];
        const char *wrong = read_figures(of_layer, COUNT_OF(of_layer), object, layer);
        if (wrong != NULL)
            return wrong;
        if (layer->weights == 0 || layer->kept > layer->weights)
            return "kept";
    }
    return r->layer_count == 0 ? "layers" : NULL;
}

static const char *read_all(const cJSON *root, compress_result *r) {
    const char *wrong = read_figures(of_run, COUNT_OF(of_run), root, r);
    if (wrong == NULL)
        wrong = read_seconds(cJSON_GetObjectItemCaseSensitive(root, "seconds"), r);
    if (wrong == NULL)
        wrong = read_layers(cJSON_GetObjectItemCaseSensitive(root, "layers"), r);
    return wrong;
}

admmnn_status compress_result_parse(const char *path, const char *text, size_t count,
                                    compress_result *result, admmnn_error *err) {
    memset(result, 0, sizeof *result);
    cJSON *root = json_read(text, count);
    if (root == NULL)
        return base_fail(err, ADMMNN_CORRUPT, "%s: not a result of admmnn: not JSON", path);
    const char *wrong = read_all(root, result);
    cJSON_Delete(root);
    if (wrong != NULL)
        return base_fail(err, ADMMNN_CORRUPT,
                         "%s: not a result of admmnn, or not whole: %s is missing or wrong", path,
                         wrong);
    return ADMMNN_OK;
}

/* ---- the table ---- */

static int longest_name(const compress_result *r) {
    int longest = 10;
    for (uint32_t l = 0; l < r->layer_count; l++)
        longest = base_text_widen(longest, r->layers[l].name);
    return longest;
}

static void table_layers(const compress_result *r, base_writer *out) {
    const int width = longest_name(r);
    base_write_text(out, "  %-*s %9s %8s %8s  %4s %6s %8s  %s\n", width, "layer", "weights", "kept",
                    "share", "bits", "index", "bytes", "matrix; coders of indices and values");
    for (uint32_t l = 0; l < r->layer_count; l++) {
        const result_layer *layer = &r->layers[l];
        base_write_text(out, "  %-*s %9llu %8llu %7.2f%%  %4u %6u %8llu  %ux%u; %s and %s\n", width,
                        layer->name, (unsigned long long)layer->weights,
                        (unsigned long long)layer->kept,
                        100.0 * (double)layer->kept / (double)layer->weights, layer->bits,
                        layer->index_bits, (unsigned long long)layer->bytes, layer->rows,
                        layer->columns, layer->positions, layer->values);
    }
    base_write_text(out,
                    "  bits: of a value; index: bits of a relative index; matrix: what is left "
                    "without dead units\n");
    base_write_text(out,
                    "  without dead units: %llu of %llu parameters, %llu of %llu multiply-adds an "
                    "image\n",
                    (unsigned long long)r->size.parameters_left,
                    (unsigned long long)r->size.parameters, (unsigned long long)r->size.macs_left,
                    (unsigned long long)r->size.macs);
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
