/* A set of NumPy's arrays. */
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "data/formats.h"
#include "data/npy.h"

#define SIDE_MAX 4096U
#define CLASSES_MAX 65536U

/* A file and the array in it. */
typedef struct file {
    char name[BASE_PATH_MAX];
    uint8_t *bytes;
    npy_array array;
} file;

static admmnn_status read_array(const data_settings *settings, const char *part, const char *name,
                                file *f, admmnn_error *err) {
    char folder[BASE_PATH_MAX];
    int descriptor;
    size_t count;
    BASE_TRY(base_path_join(folder, sizeof folder, settings->path, part, err));
    BASE_TRY(base_path_join(f->name, sizeof f->name, folder, name, err));
    BASE_TRY(base_file_open(f->name, &descriptor, &count, err));
    close(descriptor);
    BASE_TRY(data_check_memory(settings, f->name, count, err));
    BASE_TRY(base_file_read(f->name, settings->memory, &f->bytes, &count, err));
    return npy_parse(f->name, f->bytes, count, &f->array, err);
}

static admmnn_status take_shape(const file *x, data_set *set, admmnn_error *err) {
    const npy_array *a = &x->array;
    bool right = (a->rank == 3 || a->rank == 4) && a->dims[0] > 0;
    for (uint32_t i = 1; right && i < a->rank; i++)
        right = a->dims[i] >= 1 && a->dims[i] <= SIDE_MAX;
    if (!right)
        return base_fail(err, ADMMNN_INPUT,
                         "%s: images are (count, height, width) or (count, channels, height, "
                         "width), of 1 to %u each",
                         x->name, SIDE_MAX);
    const size_t *sides = a->dims + (a->rank - 2);
    set->count = a->dims[0];
    set->shape = graph_shape_image(a->rank == 4 ? (uint32_t)a->dims[1] : 1, (uint32_t)sides[0],
                                   (uint32_t)sides[1]);
    return ADMMNN_OK;
}

static admmnn_status take_images(const file *x, data_set *set, admmnn_error *err) {
    const npy_array *a = &x->array;
    if (a->type == NPY_UINT8) {
        set->pixels = base_array_copy(a->elements, a->count, 1);
        return set->pixels == NULL ? base_fail_memory(err, x->name) : ADMMNN_OK;
    }
    if (a->type != NPY_FLOAT32 && a->type != NPY_FLOAT64)
        return base_fail(err, ADMMNN_UNSUPPORTED,
                         "%s: images are bytes (uint8) or floats (float32, float64)", x->name);
    set->values = base_array(a->count, sizeof *set->values);
    if (set->values == NULL)
        return base_fail_memory(err, x->name);
    for (size_t i = 0; i < a->count; i++) {
        set->values[i] = npy_float(a, i);
        if (!isfinite(set->values[i]))
            return base_fail(err, ADMMNN_CORRUPT, "%s: element %zu is not finite", x->name, i);
    }
    return ADMMNN_OK;
}

static admmnn_status take_labels(const file *y, data_set *set, admmnn_error *err) {
    if (y->array.rank != 1 || y->array.dims[0] != set->count)
        return base_fail(err, ADMMNN_INPUT, "%s: one label for each of the %zu images is wanted",
                         y->name, set->count);
    set->labels = base_array(set->count, sizeof *set->labels);
    if (set->labels == NULL)
        return base_fail_memory(err, y->name);
    set->classes = 2;
    for (size_t i = 0; i < set->count; i++) {
        const double label = npy_double(&y->array, i);
        if (!(label >= 0 && label < CLASSES_MAX) || floor(label) != label)
            return base_fail(err, ADMMNN_CORRUPT, "%s: label %zu is %g; it must be whole, 0 to %u",
                             y->name, i, label, CLASSES_MAX - 1);
        set->labels[i] = (uint16_t)label;
        if (set->labels[i] >= set->classes)
            set->classes = set->labels[i] + 1U;
    }
    return ADMMNN_OK;
}

static admmnn_status read_set(const data_settings *settings, data_part part, file *x, file *y,
                              data_set *set, admmnn_error *err) {
    const char *folder = part == DATA_TRAIN ? "train" : "test";
    BASE_TRY(read_array(settings, folder, "x.npy", x, err));
    BASE_TRY(read_array(settings, folder, "y.npy", y, err));
    BASE_TRY(take_shape(x, set, err));
    BASE_TRY(take_labels(y, set, err));
    if (part == DATA_TRAIN)
        BASE_TRY(data_check_classes(y->name, set, err));
    return take_images(x, set, err);
}

admmnn_status npy_open(const data_settings *settings, data_part part, data_set *out,
                       admmnn_error *err) {
    file *files = base_array(2, sizeof *files);
    if (files == NULL)
        return base_fail_memory(err, settings->path);
    data_set set = {0};
    const admmnn_status status = read_set(settings, part, &files[0], &files[1], &set, err);
    base_free(files[0].bytes);
    base_free(files[1].bytes);
    base_free(files);
    if (status != ADMMNN_OK) {
        data_set_free(&set);
        return status;
    }
    *out = set;
    return ADMMNN_OK;
}
