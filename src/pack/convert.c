#include "pack/convert.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/words.h"
#include "pack/format.h"
#include "pack/range.h"

#define KEY_OURS "admmnn."
#define KEY_ORIGINAL KEY_OURS "original"
#define KEY_INPUT KEY_OURS "input"
#define KEY_LEVELS KEY_OURS "levels"
#define KEY_RANGE KEY_OURS "range"

/* Levels are looked for among the multiples of the smallest value's 1/1 to 1/n. */
#define DIVISORS 8
#define FOUND_BITS_MOST 8U

typedef struct line {
    char key[96], value[96];
} line;

static void levels_key(const graph *g, uint32_t p, char *key, size_t size) {
    char name[GRAPH_PARAMETER_NAME_MAX];
    graph_parameter_name(g, p, name);
    snprintf(key, size, KEY_LEVELS ".%s", name);
}

/* Of what a node makes. */
static void range_key(const graph *g, uint32_t n, char *key, size_t size) {
    snprintf(key, size, KEY_RANGE ".%s", g->nodes[n].name);
}

static uint32_t bits_of(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* ---- to ONNX ---- */

/* The mean and the scale, or, where the channels have their own, the means and then the
 * scales. */
static void tell_tones(const data_tones *tones, char *text, size_t size) {
    const float *m = tones->mean;
    const float *s = tones->scale;
    if (data_tones_are_one(tones))
        snprintf(text, size, "%08" PRIx32 " %08" PRIx32, bits_of(m[0]), bits_of(s[0]));
    else
        snprintf(text, size,
                 "%08" PRIx32 " %08" PRIx32 " %08" PRIx32 " %08" PRIx32 " %08" PRIx32 " %08" PRIx32,
                 bits_of(m[0]), bits_of(m[1]), bits_of(m[2]), bits_of(s[0]), bits_of(s[1]),
                 bits_of(s[2]));
}

onnx_property pack_tones_property(const data_tones *tones, char text[PACK_TONES_TEXT]) {
    tell_tones(tones, text, PACK_TONES_TEXT);
    return (onnx_property){KEY_INPUT, text};
}

static size_t describe_ranges(const pack_model *model, line *lines) {
    const graph *g = model->g;
    size_t count = 0;
    line *l = &lines[count++];
    snprintf(l->key, sizeof l->key, KEY_RANGE);
    snprintf(l->value, sizeof l->value, "%04x", range_bits(model->ranges[g->input]));
    for (uint32_t n = 0; n < g->node_count; n++) {
        l = &lines[count++];
        range_key(g, n, l->key, sizeof l->key);
        snprintf(l->value, sizeof l->value, "%04x", range_bits(model->ranges[g->nodes[n].output]));
    }
    return count;
}

static size_t describe(const pack_model *model, line *lines) {
    const graph *g = model->g;
    size_t count = 0;
    line *l = &lines[count++];
    snprintf(l->key, sizeof l->key, KEY_ORIGINAL);
    snprintf(l->value, sizeof l->value, "%" PRIu64 " %" PRIu64, model->original_weights,
             model->original_biases);
    if (model->tones_told) {
        l = &lines[count++];
        snprintf(l->key, sizeof l->key, KEY_INPUT);
        tell_tones(&model->tones, l->value, sizeof l->value);
    }
    for (uint32_t p = 0; p < g->parameter_count; p++) {
        const pack_tensor *tensor = &model->tensors[p];
        if (tensor->form != PACK_LEVELS)
            continue;
        l = &lines[count++];
        levels_key(g, p, l->key, sizeof l->key);
        snprintf(l->value, sizeof l->value, "%s %u %08" PRIx32, admm_levels_text(tensor->levels),
                 tensor->bits, bits_of(tensor->step));
    }
    if (model->ranges != NULL)
        count += describe_ranges(model, &lines[count]);
    return count;
}

size_t pack_keep_properties(const onnx_labels *labels, onnx_property *properties, size_t count) {
    for (size_t i = 0; labels != NULL && i < labels->property_count; i++)
        if (strncmp(labels->properties[i].key, KEY_OURS, sizeof KEY_OURS - 1) != 0)
            properties[count++] = labels->properties[i];
    return count;
}

static float code_of(const pack_tensor *tensor, float value) {
    return value == 0.0F ? 0.0F : roundf(value / tensor->step);
}

/* The largest size of the values' codes; infinite where they are no whole multiples of an
 * interval. */
static float furthest_code(const pack_tensor *tensor, const float *values, size_t count) {
    float furthest = 0.0F;
    for (size_t i = 0; i < count; i++) {
        const float code = code_of(tensor, values[i]);
        if (tensor->form != PACK_LEVELS || !(code * tensor->step == values[i]))
            return INFINITY;
        furthest = fmaxf(furthest, fabsf(code));
    }
    return furthest;
}

static float most_code(unsigned bits) {
    return (float)((1U << (bits - 1)) - 1);
}

/* Nothing is rounded: that would be another network. */
static admmnn_status check_codes(const char *name, const pack_tensor *tensor, float furthest,
                                 unsigned bits, admmnn_error *err) {
    if (furthest <= most_code(bits))
        return ADMMNN_OK;
    if (isinf(furthest))
        return base_fail(err, ADMMNN_UNSUPPORTED,
                         "%s: its values are no whole multiples of an interval, as int%u wants "
                         "them; nothing is written: quantize the network, or write float32",
                         name, bits);
    return base_fail(err, ADMMNN_UNSUPPORTED,
                     "%s: its levels of %u bits reach %g times their interval, and int%u holds "
                     "%g; nothing is written: write %s",
                     name, tensor->bits, (double)furthest, bits, (double)most_code(bits),
                     furthest <= most_code(8) ? "int8" : "float32");
}

/* The layer's values as whole numbers times the interval of its levels. */
static admmnn_status code_weights(const pack_model *model, uint32_t p, const float *values,
                                  unsigned bits, onnx_codes *out, admmnn_error *err) {
    const size_t count = model->g->parameters[p].count;
    const pack_tensor *tensor = &model->tensors[p];
    char name[GRAPH_PARAMETER_NAME_MAX];
    graph_parameter_name(model->g, p, name);
    BASE_TRY(check_codes(name, tensor, furthest_code(tensor, values, count), bits, err));
    *out = (onnx_codes){
        .codes = base_array(count, sizeof *out->codes), .scale = tensor->step, .bits = bits};
    if (out->codes == NULL)
        return base_fail_memory(err, "an ONNX model");
    for (size_t i = 0; i < count; i++)
        out->codes[i] = (int8_t)code_of(tensor, values[i]);
    return ADMMNN_OK;
}

static admmnn_status code_all(const pack_model *model, const float *params, pack_weights weights,
                              onnx_codes *codes, admmnn_error *err) {
    const unsigned bits = weights == PACK_WEIGHTS_INT4 ? 4 : 8;
    for (uint32_t p = 0; p < model->g->parameter_count; p++) {
        const graph_parameter *parameter = &model->g->parameters[p];
        if (weights != PACK_WEIGHTS_FLOAT32 && parameter->kind == GRAPH_WEIGHT)
            BASE_TRY(code_weights(model, p, params + parameter->offset, bits, &codes[p], err));
    }
    return ADMMNN_OK;
}

/* A file and what it is made of: lines for all that describe writes, properties for what is
 * kept, too. */
typedef struct writing {
    line *lines;
    onnx_property *properties;
    float *params;
    onnx_codes *codes;
    onnx_writing file;
} writing;

static bool make_room(const pack_model *model, writing *w) {
    const size_t parameters = model->g->parameter_count;
    const size_t ranges = model->ranges == NULL ? 0 : (size_t)model->g->node_count + 1;
    const size_t most = parameters + ranges + 2;
    const size_t kept = model->labels == NULL ? 0 : model->labels->property_count;
    *w = (writing){.lines = base_array(most, sizeof *w->lines),
                   .properties = base_array(most + kept, sizeof *w->properties),
                   .params = base_array(model->g->flat_count, sizeof *w->params),
                   .codes = base_array(parameters, sizeof *w->codes)};
    return w->lines != NULL && w->properties != NULL && w->params != NULL && w->codes != NULL;
}

/* To be closed, whatever comes of it. */
static admmnn_status open_writing(const pack_model *model, pack_weights weights, writing *w,
                                  admmnn_error *err) {
    if (!make_room(model, w))
        return base_fail_memory(err, "an ONNX model");
    const size_t used = describe(model, w->lines);
    for (size_t i = 0; i < used; i++)
        w->properties[i] = (onnx_property){w->lines[i].key, w->lines[i].value};
    pack_model_values(model, w->params);
    BASE_TRY(code_all(model, w->params, weights, w->codes, err));
    w->file =
        (onnx_writing){.g = model->g,
                       .params = w->params,
                       .codes = w->codes,
                       .labels = model->labels,
                       .properties = w->properties,
                       .property_count = pack_keep_properties(model->labels, w->properties, used)};
    return ADMMNN_OK;
}

static void close_writing(const pack_model *model, writing *w) {
    for (uint32_t p = 0; w->codes != NULL && p < model->g->parameter_count; p++)
        base_free(w->codes[p].codes);
    base_free(w->lines);
    base_free(w->properties);
    base_free(w->params);
    base_free(w->codes);
}

admmnn_status pack_to_onnx(const pack_model *model, pack_weights weights, const onnx_target *target,
                           uint64_t *data_bytes, admmnn_error *err) {
    writing w;
    admmnn_status status = open_writing(model, weights, &w, err);
    if (status == ADMMNN_OK)
        status = onnx_write(&w.file, target, data_bytes, err);
    close_writing(model, &w);
    return status;
}

admmnn_status pack_check_onnx(const pack_model *model, const onnx_target *target,
                              admmnn_error *err) {
    writing w;
    admmnn_status status = open_writing(model, PACK_WEIGHTS_FLOAT32, &w, err);
    if (status == ADMMNN_OK)
        status = onnx_check_write(&w.file, target, err);
    close_writing(model, &w);
    return status;
}

static void add_to_digest(void *digest, const void *bytes, size_t count) {
    base_digest_add(digest, bytes, count);
}

static admmnn_status digest_file(const onnx_writing *file, char digest[65], admmnn_error *err) {
    const onnx_target target = {.data = ONNX_DATA_INSIDE};
    onnx_message *message;
    BASE_TRY(onnx_message_create(file, &target, &message, err));
    base_digest *sum = base_digest_open();
    if (sum != NULL)
        onnx_message_append(message, add_to_digest, sum);
    onnx_message_free(message);
    if (sum == NULL)
        return base_fail_memory(err, "a digest");
    base_digest_close(sum, digest);
    return ADMMNN_OK;
}

admmnn_status pack_digest_onnx(const pack_model *model, char digest[65], admmnn_error *err) {
    writing w;
    admmnn_status status = open_writing(model, PACK_WEIGHTS_FLOAT32, &w, err);
    if (status == ADMMNN_OK)
        status = digest_file(&w.file, digest, err);
    close_writing(model, &w);
    return status;
}

admmnn_status pack_weights_find(const char *name, pack_weights *out, admmnn_error *err) {
    static const char *const names[] = {
#define WEIGHTS_NAME(name, text) text,
        PACK_WEIGHTS_MAP(WEIGHTS_NAME)
#undef WEIGHTS_NAME
    };
    unsigned found = 0;
    BASE_TRY(base_words_find("--weights", names, sizeof names / sizeof *names, name, &found, err));
    *out = (pack_weights)found;
    return ADMMNN_OK;
}

/* ---- from ONNX ---- */

static const char *property(const onnx_model *from, const char *key) {
    for (size_t i = 0; i < from->labels->property_count; i++)
        if (strcmp(from->labels->properties[i].key, key) == 0)
            return from->labels->properties[i].value;
    return NULL;
}

static bool next_integer(const char **at, uint64_t most, uint64_t *out) {
    char *end;
    errno = 0;
    while (**at == ' ')
        (*at)++;
    if (**at < '0' || **at > '9')
        return false;
    *out = strtoull(*at, &end, 10);
    *at = end;
    return errno == 0 && *out <= most;
}

/* So many hexadecimal digits. */
static bool next_bits(const char **at, int digits, uint32_t *bits) {
    *bits = 0;
    for (int i = 0; i < digits; i++, (*at)++) {
        char c = **at;
        if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f'))
            return false;
        *bits = *bits << 4 | (uint32_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    return true;
}

/* The bits of a finite float. */
static bool next_float(const char **at, float *out) {
    uint32_t bits;
    while (**at == ' ')
        (*at)++;
    if (!next_bits(at, 8, &bits))
        return false;
    memcpy(out, &bits, sizeof *out);
    return isfinite(*out);
}

/* "equal 3 3dcccccd" */
static bool parse_levels(const char *text, pack_tensor *tensor) {
    for (admm_levels kind = 0; kind <= ADMM_LEVELS_LAST; kind++) {
        size_t length = strlen(admm_levels_text(kind));
        uint64_t bits = 0;
        if (strncmp(text, admm_levels_text(kind), length) != 0 || text[length] != ' ')
            continue;
        const char *at = text + length;
        bool read = next_integer(&at, PACK_BITS_MAX, &bits) && next_float(&at, &tensor->step);
        tensor->levels = kind;
        tensor->bits = (unsigned)bits;
        return read && *at == 0;
    }
    return false;
}

static bool parse_tones(const char *at, data_tones *tones) {
    float floats[2 * DATA_TONES];
    size_t count = 0;
    while (count < 2 * DATA_TONES && *at != 0)
        if (!next_float(&at, &floats[count++]))
            return false;
    if (*at != 0 || (count != 2 && count != 2 * DATA_TONES))
        return false;
    for (size_t c = 0; c < DATA_TONES; c++) {
        tones->mean[c] = floats[count == 2 ? 0 : c];
        tones->scale[c] = floats[count == 2 ? 1 : DATA_TONES + c];
    }
    return true;
}

static bool parse_head(const onnx_model *from, pack_model *model) {
    const char *original = property(from, KEY_ORIGINAL);
    const char *input = property(from, KEY_INPUT);
    if (original != NULL &&
        (!next_integer(&original, PACK_ORIGINAL_MAX, &model->original_weights) ||
         !next_integer(&original, PACK_ORIGINAL_MAX, &model->original_biases) || *original != 0))
        return false;
    model->tones_told = input != NULL;
    return input == NULL || parse_tones(input, &model->tones);
}

/* The codes of values[count]; false where a value is no level, to the bit. */
static bool encode_values(pack_tensor *tensor, const float *values, size_t count) {
    for (size_t i = 0; i < count; i++) {
        int32_t code = 0;
        float back = 0.0F;
        if (bits_of(values[i]) != 0) {
            if (!(tensor->step > 0) || !isfinite(values[i]))
                return false;
            code = admm_level_code(tensor->levels, tensor->bits, tensor->step, values[i]);
            back = code == 0 ? 0.0F : admm_level_value(tensor->levels, tensor->step, code);
        }
        if (bits_of(back) != bits_of(values[i]))
            return false;
        tensor->codes[i] = code;
    }
    return true;
}

/* The fewest bits that hold codes up to `largest`; with zero as a level where
 * that costs no bit, since a full tensor needs no positions then. */
static void fewest_bits(uint32_t largest, pack_tensor *tensor) {
    unsigned bits = 1;
    while ((UINT32_C(1) << (bits - 1)) < largest)
        bits++;
    bool zero = (UINT32_C(1) << (bits - 1)) > largest;
    tensor->levels = zero ? ADMM_LEVELS_EQUAL_ZERO : ADMM_LEVELS_EQUAL;
    tensor->bits = bits;
}

/* Equal levels with interval `step`, if the values lie on them. */
static bool try_levels(pack_tensor *tensor, const float *values, size_t count, float step) {
    tensor->form = PACK_LEVELS;
    tensor->levels = ADMM_LEVELS_EQUAL_ZERO;
    tensor->bits = FOUND_BITS_MOST;
    tensor->step = step;
    if (!pack_levels_are_sound(tensor->levels, tensor->bits, step) ||
        !encode_values(tensor, values, count))
        return false;
    uint32_t largest = 0;
    for (size_t i = 0; i < count; i++)
        largest =
            (uint32_t)abs(tensor->codes[i]) > largest ? (uint32_t)abs(tensor->codes[i]) : largest;
    fewest_bits(largest, tensor);
    return true;
}

static bool find_levels(pack_tensor *tensor, const float *values, size_t count) {
    float smallest = 0.0F;
    for (size_t i = 0; i < count; i++) {
        float size = fabsf(values[i]);
        if (size > 0 && (smallest == 0.0F || size < smallest))
            smallest = size;
    }
    for (int divisor = 1; smallest > 0 && divisor <= DIVISORS; divisor++)
        if (try_levels(tensor, values, count, smallest / (float)divisor))
            return true;
    return false;
}

static admmnn_status fill_tensor(const onnx_model *from, uint32_t p, pack_tensor *tensor,
                                 bool *described, admmnn_error *err) {
    const graph_parameter *parameter = &from->g->parameters[p];
    const float *values = from->params + parameter->offset;
    char key[96];
    levels_key(from->g, p, key, sizeof key);
    const char *levels = property(from, key);
    tensor->codes = base_array(parameter->count, sizeof *tensor->codes);
    if (tensor->codes == NULL)
        return base_fail_memory(err, "a packed model");
    if (levels != NULL) {
        *described = true;
        tensor->form = PACK_LEVELS;
        if (parse_levels(levels, tensor) &&
            pack_levels_are_sound(tensor->levels, tensor->bits, tensor->step) &&
            encode_values(tensor, values, parameter->count))
            return ADMMNN_OK;
        return base_fail(err, ADMMNN_CORRUPT, "the values are not those of %s = '%.60s'", key,
                         levels);
    }
    if (!*described && find_levels(tensor, values, parameter->count))
        return ADMMNN_OK;
    base_free(tensor->codes);
    *tensor = (pack_tensor){.form = PACK_FLOAT32};
    tensor->values = base_array_copy(values, parameter->count, sizeof *values);
    return tensor->values != NULL ? ADMMNN_OK : base_fail_memory(err, "a packed model");
}

static admmnn_status parse_range(const onnx_model *from, const char *key, pack_range *range,
                                 admmnn_error *err) {
    const char *text = property(from, key);
    const char *at = text;
    uint32_t bits;
    if (text == NULL || (next_bits(&at, 4, &bits) && *at == 0 && range_from_bits(bits, range)))
        return ADMMNN_OK;
    return base_fail(err, ADMMNN_CORRUPT, "metadata %s = '%.60s' makes no sense", key, text);
}

/* Where there is one of the input, there may be some of the nodes. */
static admmnn_status parse_ranges(const onnx_model *from, pack_model *model, admmnn_error *err) {
    const graph *g = model->g;
    char key[96];
    if (property(from, KEY_RANGE) == NULL)
        return ADMMNN_OK;
    model->ranges = base_array(g->value_count, sizeof *model->ranges);
    if (model->ranges == NULL)
        return base_fail_memory(err, "a packed model");
    BASE_TRY(parse_range(from, KEY_RANGE, &model->ranges[g->input], err));
    for (uint32_t n = 0; n < g->node_count; n++) {
        range_key(g, n, key, sizeof key);
        BASE_TRY(parse_range(from, key, &model->ranges[g->nodes[n].output], err));
    }
    return ADMMNN_OK;
}

admmnn_status pack_from_onnx(onnx_model *from, pack_model **out, bool *described,
                             admmnn_error *err) {
    pack_model *model;
    BASE_TRY(pack_model_create(from->g, &model, err));
    model->original_weights = graph_weight_count(from->g);
    model->original_biases = graph_trainable_count(from->g) - model->original_weights;
    *described = property(from, KEY_ORIGINAL) != NULL;
    admmnn_status status = parse_head(from, model) ? ADMMNN_OK
                                                   : base_fail(err, ADMMNN_CORRUPT,
                                                               "metadata " KEY_ORIGINAL
                                                               " or " KEY_INPUT " make no sense");
    if (status == ADMMNN_OK)
        status = parse_ranges(from, model, err);
    for (uint32_t p = 0; p < from->g->parameter_count && status == ADMMNN_OK; p++)
        status = fill_tensor(from, p, &model->tensors[p], described, err);
    if (status != ADMMNN_OK) {
        pack_model_free(model);
        return status;
    }
    model->labels = from->labels;
    from->labels = NULL;
    *out = model;
    return ADMMNN_OK;
}
