/* ONNX models: whatever is accepted is written, read again, written again and the same. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/memory.h"
#include "onnx/onnx.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* More than this a small file has no use for. */
#define MEMORY ((uint64_t)256 << 20)

static void append(void *to, const void *bytes, size_t count) {
    base_write_bytes(to, bytes, count);
}

static admmnn_status write_again(const onnx_model *model, uint8_t **bytes, size_t *count) {
    const onnx_writing writing = {.g = model->g,
                                  .params = model->params,
                                  .labels = model->labels,
                                  .properties = model->labels->properties,
                                  .property_count = model->labels->property_count};
    const onnx_target target = {.data = ONNX_DATA_INSIDE};
    onnx_message *message;
    base_writer to = {0};
    BASE_TRY(onnx_message_create(&writing, &target, &message, NULL));
    onnx_message_append(message, append, &to);
    onnx_message_free(message);
    *bytes = to.bytes;
    *count = to.count;
    return to.failed ? ADMMNN_MEMORY : ADMMNN_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    onnx_model models[2];
    uint8_t *bytes[2];
    size_t counts[2];
    const onnx_file first = {.name = "fuzz", .bytes = data, .count = size, .memory = MEMORY};
    if (onnx_read(&first, &models[0], NULL) != ADMMNN_OK)
        return 0;
    if (write_again(&models[0], &bytes[0], &counts[0]) != ADMMNN_OK)
        abort();
    const onnx_file again = {.name = "again", .bytes = bytes[0], .count = counts[0]};
    if (onnx_read(&again, &models[1], NULL) != ADMMNN_OK)
        abort();
    if (models[0].g->flat_count != models[1].g->flat_count ||
        memcmp(models[0].params, models[1].params,
               models[0].g->flat_count * sizeof *models[0].params) != 0)
        abort();
    if (write_again(&models[1], &bytes[1], &counts[1]) != ADMMNN_OK)
        abort();
    if (counts[0] != counts[1] || memcmp(bytes[0], bytes[1], counts[0]) != 0)
        abort();
    for (int i = 0; i < 2; i++) {
        onnx_model_free(&models[i]);
        base_free(bytes[i]);
    }
    return 0;
}
