/* Packed models as C code, in floats and in 8 bits: text of whatever is accepted, or a failure
 * that says why. The checksum is mended first, so that the fuzzer gets beyond it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "export/code.h"

/* Larger networks only take time. */
#define NUMBERS_MOST ((size_t)1 << 16)

static bool is_small(const graph *g) {
    size_t numbers = g->flat_count;
    for (uint32_t v = 0; v < g->value_count && numbers <= NUMBERS_MOST; v++)
        numbers += graph_value_count(g, v);
    return numbers <= NUMBERS_MOST;
}

/* What images give, and what they cannot give. */
static float *make_ranges(uint32_t count, size_t seed) {
    static const float some[] = {1.0F, 0.0F, 0.03F, 1e-44F, 7.0F, INFINITY, 3e38F, NAN, 250.0F};
    float *ranges = base_array(count, sizeof *ranges);
    if (ranges == NULL)
        abort();
    for (uint32_t v = 0; v < count; v++)
        ranges[v] = some[(seed + v) % (sizeof some / sizeof some[0])];
    return ranges;
}

static bool is_text(const base_writer *file) {
    static const char begin[] = "/* Made by admmnn export-c ";
    return file->count > sizeof begin && memcmp(file->bytes, begin, sizeof begin - 1) == 0 &&
           memchr(file->bytes, 0, file->count) == NULL && file->bytes[file->count - 1] == '\n';
}

static void must_export(const pack_model *model, const float *ranges) {
    const export_code_settings settings = {.path = "fuzz", .name = "net", .ranges = ranges};
    export_code code = {0};
    admmnn_error err = {0};
    admmnn_status status = export_code_check(model->g, "fuzz", &err);
    if (status == ADMMNN_OK)
        status = export_code_make(model, &settings, &code, &err);
    if (status == ADMMNN_OK && (!is_text(&code.source) || !is_text(&code.header)))
        abort();
    if (status != ADMMNN_OK && (status != ADMMNN_UNSUPPORTED || err.message[0] == 0))
        abort();
    export_code_free(&code);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t *copy = base_array_copy(data, size, 1);
    pack_model *model;
    if (size >= 4) {
        const uint32_t crc = base_crc32(copy, size - 4);
        memcpy(copy + size - 4, &crc, sizeof crc);
    }
    if (pack_decode(copy, size, &model, NULL, NULL) == ADMMNN_OK) {
        float *ranges = make_ranges(model->g->value_count, size);
        if (is_small(model->g)) {
            must_export(model, NULL);
            must_export(model, ranges);
        }
        base_free(ranges);
        pack_model_free(model);
    }
    base_free(copy);
    return 0;
}
