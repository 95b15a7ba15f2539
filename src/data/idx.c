#include "data/idx.h"

#include <string.h>

#include "base/memory.h"
#include "data/formats.h"
#include "data/gunzip.h"

#define IMAGES_MAGIC 0x00000803U
#define LABELS_MAGIC 0x00000801U
#define SIDE_MAX 4096U

const char *data_idx_images_name(data_part part) {
    return part == DATA_TRAIN ? "train-images-idx3-ubyte" : "t10k-images-idx3-ubyte";
}

const char *data_idx_labels_name(data_part part) {
    return part == DATA_TRAIN ? "train-labels-idx1-ubyte" : "t10k-labels-idx1-ubyte";
}

static uint32_t big_endian(const uint8_t *bytes) {
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* Reads `words` header words and checks the magic and that exactly the announced
 * bytes follow. */
static admmnn_status check_header(const char *name, const uint8_t *bytes, size_t size,
                                  uint32_t magic, uint32_t *sizes, size_t words,
                                  admmnn_error *err) {
    size_t header = 4 * (words + 1);
    if (size < header)
        return base_fail(err, ADMMNN_CORRUPT, "%s: %zu bytes; an IDX header alone has %zu", name,
                         size, header);
    if (big_endian(bytes) != magic)
        return base_fail(err, ADMMNN_CORRUPT, "%s: magic number 0x%08x at byte 0, expected 0x%08x",
                         name, big_endian(bytes), magic);
    size_t announced = 1;
    for (size_t i = 0; i < words; i++) {
        sizes[i] = big_endian(bytes + 4 * (i + 1));
        uint32_t most = i == 0 ? UINT32_MAX : SIDE_MAX;
        if (sizes[i] == 0 || sizes[i] > most)
            return base_fail(err, ADMMNN_CORRUPT, "%s: dimension %zu is %u; it must be 1 to %u",
                             name, i, sizes[i], most);
        if (!base_multiply(announced, sizes[i], &announced))
            return base_fail(err, ADMMNN_CORRUPT, "%s: dimensions overflow", name);
    }
    if (size - header != announced)
        return base_fail(err, ADMMNN_CORRUPT,
                         "%s: the header announces %zu bytes after it, the file has %zu", name,
                         announced, size - header);
    return ADMMNN_OK;
}

admmnn_status data_idx_parse(const char *images_name, const uint8_t *images, size_t images_size,
                             const char *labels_name, const uint8_t *labels, size_t labels_size,
                             data_set *out, admmnn_error *err) {
    uint32_t sizes[3];
    uint32_t label_count = 0;
    BASE_TRY(check_header(images_name, images, images_size, IMAGES_MAGIC, sizes, 3, err));
    BASE_TRY(check_header(labels_name, labels, labels_size, LABELS_MAGIC, &label_count, 1, err));
    if (label_count != sizes[0])
        return base_fail(err, ADMMNN_CORRUPT, "%s has %u labels for the %u images of %s",
                         labels_name, label_count, sizes[0], images_name);
    data_set set = {
        .count = sizes[0], .shape = graph_shape_image(1, sizes[1], sizes[2]), .classes = 2};
    set.pixels = base_array_copy(images + 16, images_size - 16, 1);
    set.labels = base_array(label_count, sizeof *set.labels);
    if (set.pixels == NULL || set.labels == NULL) {
        data_set_free(&set);
        return base_fail_memory(err, images_name);
    }
    for (size_t i = 0; i < set.count; i++) {
        set.labels[i] = labels[8 + i];
        if (set.labels[i] >= set.classes)
            set.classes = set.labels[i] + 1U;
    }
    *out = set;
    return ADMMNN_OK;
}

admmnn_status data_idx_read(const char *folder, const char *name, size_t limit,
                            char path[BASE_PATH_MAX], uint8_t **bytes, size_t *count,
                            admmnn_error *err) {
    BASE_TRY(base_path_join(path, BASE_PATH_MAX, folder, name, err));
    if (base_file_exists(path))
        return base_file_read(path, limit, bytes, count, err);
    size_t length = strlen(path);
    if (length + 4 > BASE_PATH_MAX)
        return base_fail(err, ADMMNN_INPUT, "%s: path too long", path);
    memcpy(path + length, ".gz", 4);
    if (!base_file_exists(path))
        return base_fail(err, ADMMNN_NOT_FOUND, "%s: holds neither %s nor %s.gz", folder, name,
                         name);
    uint8_t *packed;
    size_t packed_count;
    BASE_TRY(base_file_read(path, DATA_IDX_LIMIT, &packed, &packed_count, err));
    admmnn_status status = data_gunzip(path, packed, packed_count, limit, bytes, count, err);
    base_free(packed);
    return status;
}

admmnn_status data_idx_open(const char *folder, data_part part, data_set *out, admmnn_error *err) {
    char images_path[BASE_PATH_MAX];
    char labels_path[BASE_PATH_MAX];
    uint8_t *images = NULL;
    uint8_t *labels = NULL;
    size_t images_size;
    size_t labels_size;
    data_set set = {0};
    if (base_file_exists(folder))
        return base_fail(err, ADMMNN_INPUT,
                         "%s: is a file; the folder that holds the dataset's files is wanted "
                         "of format idx",
                         folder);
    if (!base_folder_exists(folder))
        return base_fail(err, ADMMNN_NOT_FOUND,
                         "%s: no such folder; 'admmnn data fetch mnist' gets MNIST", folder);
    admmnn_status status = data_idx_read(folder, data_idx_images_name(part), DATA_IDX_LIMIT,
                                         images_path, &images, &images_size, err);
    if (status == ADMMNN_OK)
        status = data_idx_read(folder, data_idx_labels_name(part), DATA_IDX_LIMIT, labels_path,
                               &labels, &labels_size, err);
    if (status == ADMMNN_OK)
        status = data_idx_parse(images_path, images, images_size, labels_path, labels, labels_size,
                                &set, err);
    base_free(images);
    base_free(labels);
    if (status == ADMMNN_OK && part == DATA_TRAIN)
        status = data_check_classes(labels_path, &set, err);
    if (status != ADMMNN_OK) {
        data_set_free(&set);
        return status == ADMMNN_NOT_FOUND ? base_fail_within(err, status, "format idx") : status;
    }
    *out = set;
    return ADMMNN_OK;
}
