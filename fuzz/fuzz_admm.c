/* Packed models: whatever is accepted packs again and is then the same. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "pack/pack.h"

/* Larger networks only take time. */
#define CELLS_MOST 65536U

/* Its graph too: the whole file comes again. */
static void must_be_alike(const pack_model *model, const pack_settings *settings,
                          const uint8_t *bytes, size_t count) {
    uint8_t *more;
    size_t more_count;
    if (pack_encode(model, settings, &more, &more_count, NULL, NULL) != ADMMNN_OK ||
        more_count != count || memcmp(more, bytes, count) != 0)
        abort();
    base_free(more);
}

static void must_round_trip(const pack_model *model) {
    const pack_settings plain = {.positions = PACK_POSITION_RELATIVE, .values = PACK_CODER_HUFFMAN};
    uint8_t *bytes;
    size_t count;
    pack_model *again;
    if (pack_encode(model, &plain, &bytes, &count, NULL, NULL) != ADMMNN_OK)
        abort();
    if (pack_decode(bytes, count, &again, NULL, NULL) != ADMMNN_OK)
        abort();
    for (uint32_t p = 0; p < model->g->parameter_count; p++) {
        const pack_tensor *a = &model->tensors[p];
        const pack_tensor *b = &again->tensors[p];
        size_t size = model->g->parameters[p].count * 4;
        if (a->form != b->form || (a->codes != NULL && memcmp(a->codes, b->codes, size) != 0) ||
            (a->values != NULL && memcmp(a->values, b->values, size) != 0))
            abort();
    }
    must_be_alike(again, &plain, bytes, count);
    pack_model_free(again);
    base_free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    pack_model *model;
    pack_report report;
    if (pack_decode(data, size, &model, &report, NULL) == ADMMNN_OK) {
        if (report.bytes_values + report.bytes_positions + report.bytes_codebooks +
                report.bytes_scales + report.bytes_biases + report.bytes_header !=
            size)
            abort();
        if (graph_trainable_count(model->g) <= CELLS_MOST)
            must_round_trip(model);
        pack_report_free(&report);
        pack_model_free(model);
    }
    return 0;
}
