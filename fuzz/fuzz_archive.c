/* Archives, as of image folders and of CIFAR's files: whatever they claim, what is opened
 * is consistent, and no more memory is taken than the settings allow. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "data/data.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void open_as(data_format format, const char *path, data_part part) {
    const admmnn_context context = {.threads = 1};
    const data_settings settings = {.format = format,
                                    .path = path,
                                    .size = format == DATA_FOLDER ? 8 : 0,
                                    .memory = (size_t)1 << 20,
                                    .damaged_most = 3,
                                    .context = &context};
    admmnn_error err;
    data_set set;
    if (data_open(&settings, part, &set, &err) != ADMMNN_OK)
        return;
    for (size_t i = 0; i < set.count; i++)
        if (set.labels[i] >= set.classes)
            abort();
    if (set.pixels != NULL && set.count * graph_shape_count(set.shape) > settings.memory)
        abort();
    data_set_free(&set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static char path[64];
    if (path[0] == 0)
        snprintf(path, sizeof path, "/tmp/admmnn-fuzz-%d.tar", (int)getpid());
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(data, 1, size, file) != size || fclose(file) != 0)
        abort();
    open_as(DATA_FOLDER, path, DATA_TRAIN);
    open_as(DATA_FOLDER, path, DATA_TEST);
    open_as(DATA_CIFAR10, path, DATA_TRAIN);
    unlink(path);
    return 0;
}
