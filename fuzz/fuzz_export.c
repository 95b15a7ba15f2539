/* Packed models as C code, in floats and in 8 bits: text of whatever is accepted, or a failure
 * that says why. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "export/code.h"
#include "packed.h"

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
    pack_model *model;
    if (pack_decode(data, size, &model, NULL, NULL) == ADMMNN_OK) {
        float *ranges = make_ranges(model->g->value_count, size);
        if (packed_is_small(model->g)) {
            must_export(model, NULL);
            must_export(model, ranges);
        }
        base_free(ranges);
        pack_model_free(model);
    }
    return 0;
}
