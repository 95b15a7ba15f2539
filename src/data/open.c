#include <string.h>

#include "base/memory.h"
#include "data/formats.h"
#include "data/idx.h"
#include "data/stock.h"

const char *data_format_text(data_format format) {
    static const char *const text[] = {
#define FORMAT_TEXT(name, text) text,
        DATA_FORMAT_MAP(FORMAT_TEXT)
#undef FORMAT_TEXT
    };
    return text[format];
}

admmnn_status data_open(const data_settings *settings, data_part part, data_set *out,
                        admmnn_error *err) {
    switch (settings->format) {
    case DATA_CIFAR10:
    case DATA_CIFAR100:
        return cifar_open(settings, part, out, err);
    case DATA_FOLDER:
        return folder_open(settings, part, out, err);
    case DATA_NPY:
        return npy_open(settings, part, out, err);
    case DATA_MNIST:
    case DATA_IDX:
        break;
    }
    return data_idx_open(settings->path, part, out, err);
}

void data_set_free(data_set *set) {
    base_free(set->pixels);
    base_free(set->values);
    base_free(set->labels);
    stock_close(set->stock);
    memset(set, 0, sizeof *set);
}

admmnn_status data_check_memory(const data_settings *settings, const char *name, size_t bytes,
                                admmnn_error *err) {
    if (bytes <= settings->memory)
        return ADMMNN_OK;
    return base_fail(err, ADMMNN_INPUT,
                     "%s: takes %zu MiB of memory, and dataset.memory is %zu; raise it where there "
                     "is as much",
                     name, (bytes >> 20) + 1, settings->memory >> 20);
}
