#include <string.h>

#include "base/memory.h"
#include "base/words.h"
#include "data/formats.h"
#include "data/idx.h"
#include "data/stock.h"

static const char *const format_names[] = {
#define FORMAT_TEXT(name, text) text,
    DATA_FORMAT_MAP(FORMAT_TEXT)
#undef FORMAT_TEXT
};

const char *data_format_text(data_format format) {
    return format_names[format];
}

admmnn_status data_format_find(const char *name, data_format *format, admmnn_error *err) {
    unsigned found;
    *format = DATA_IDX;
    if (name == NULL)
        return ADMMNN_OK;
    BASE_TRY(base_words_find("--format", format_names, sizeof format_names / sizeof *format_names,
                             name, &found, err));
    *format = (data_format)found;
    return ADMMNN_OK;
}

static admmnn_status open_idx(const data_settings *settings, data_part part, data_set *out,
                              admmnn_error *err) {
    data_set set;
    BASE_TRY(data_idx_open(settings->path, part, &set, err));
    const size_t bytes = set.count * graph_shape_count(set.shape);
    const admmnn_status status = data_check_memory(settings, settings->path, bytes, err);
    if (status != ADMMNN_OK) {
        data_set_free(&set);
        return status;
    }
    *out = set;
    return ADMMNN_OK;
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
    return open_idx(settings, part, out, err);
}

void data_set_free(data_set *set) {
    base_free(set->pixels);
    base_free(set->values);
    base_free(set->labels);
    stock_close(set->stock);
    memset(set, 0, sizeof *set);
}

bool data_set_suits(const data_set *set, graph_shape input) {
    const bool row = input.rank == 1 && graph_shape_channels(set->shape) == 1 &&
                     input.dims[0] == graph_shape_count(set->shape);
    return row || graph_shape_equal(input, set->shape);
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

admmnn_status data_check_classes(const char *name, const data_set *set, admmnn_error *err) {
    bool *seen = base_array(set->classes, sizeof *seen);
    if (seen == NULL)
        return base_fail_memory(err, name);
    for (size_t i = 0; i < set->count; i++)
        seen[set->labels[i]] = true;
    uint32_t absent = 1;
    while (absent < set->classes && seen[absent])
        absent++;
    base_free(seen);
    size_t place = 0;
    while (place < set->count && set->labels[place] <= absent)
        place++;
    if (absent >= set->classes || place == set->count) /* a lone class 0 makes two */
        return ADMMNN_OK;
    return base_fail(err, ADMMNN_CORRUPT,
                     "%s: label %u, of image %zu, is out of range: no image has label %u", name,
                     set->labels[place], place, absent);
}
