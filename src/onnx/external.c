/* realpath. */
#define _XOPEN_SOURCE 700
#include "onnx/external.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "onnx/array.h"

#define READ_MOST ((size_t)1 << 30)

/* What external_data says. */
typedef struct place {
    const char *location;
    uint64_t offset, length;
    bool has_length;
} place;

bool onnx_tensor_is_external(const Onnx__TensorProto *tensor) {
    return tensor->n_external_data > 0 ||
           (tensor->has_data_location &&
            tensor->data_location != ONNX__TENSOR_PROTO__DATA_LOCATION__DEFAULT);
}

static bool parse_number(const char *text, uint64_t *out) {
    char *end;
    errno = 0;
    if (text[0] < '0' || text[0] > '9')
        return false;
    *out = strtoull(text, &end, 10);
    return errno == 0 && *end == 0 && *out <= INT64_MAX;
}

static admmnn_status parse_place(const Onnx__TensorProto *tensor, place *out, admmnn_error *err) {
    *out = (place){0};
    for (size_t i = 0; i < tensor->n_external_data; i++) {
        const Onnx__StringStringEntryProto *entry = tensor->external_data[i];
        const char *key = entry->key == NULL ? "" : entry->key;
        const char *value = entry->value == NULL ? "" : entry->value;
        bool sound = true;
        if (strcmp(key, "location") == 0)
            out->location = value;
        else if (strcmp(key, "offset") == 0)
            sound = parse_number(value, &out->offset);
        else if (strcmp(key, "length") == 0)
            sound = out->has_length = parse_number(value, &out->length);
        if (!sound)
            return base_fail(err, ADMMNN_CORRUPT, "tensor '%.60s': external %s '%.40s'",
                             onnx_tensor_name(tensor), key, value);
    }
    if (out->location == NULL || out->location[0] == 0)
        return base_fail(err, ADMMNN_CORRUPT, "tensor '%.60s' lies in a file without a name",
                         onnx_tensor_name(tensor));
    return ADMMNN_OK;
}

/* No absolute path, no part that leads upwards. */
static bool stays_below(const char *location) {
    if (location[0] == '/' || strchr(location, '\\') != NULL)
        return false;
    for (const char *part = location; part != NULL; part = strchr(part, '/')) {
        part += part[0] == '/';
        if (strncmp(part, "..", 2) == 0 && (part[2] == 0 || part[2] == '/'))
            return false;
    }
    return true;
}

/* Where the file's links lead, relative to where the folder's do: the caller's to free. NULL:
 * out of it. */
static char *real_path_within(const char *folder, const char *path) {
    char *real_folder = realpath(folder, NULL);
    char *real_path = realpath(path, NULL);
    const size_t length = real_folder == NULL ? 0 : strlen(real_folder);
    const bool inside = real_folder != NULL && real_path != NULL &&
                        strncmp(real_path, real_folder, length) == 0 &&
                        (real_path[length] == '/' || real_folder[length - 1] == '/');
    char *within = inside ? strdup(real_path + length + (real_path[length] == '/')) : NULL;
    free(real_folder);
    free(real_path);
    return within;
}

static admmnn_status fail_escape(const Onnx__TensorProto *tensor, const place *at,
                                 admmnn_error *err) {
    return base_fail(err, ADMMNN_CORRUPT,
                     "tensor '%.60s' lies in '%.80s', outside the model's folder",
                     onnx_tensor_name(tensor), at->location);
}

/* Whether what is written to `output` may replace the file. */
static bool is_output(const char *path, const char *output) {
    char data[BASE_PATH_MAX];
    if (output == NULL)
        return false;
    const int used = snprintf(data, sizeof data, "%s" ONNX_DATA_SUFFIX, output);
    return base_file_same(path, output) ||
           (used > 0 && used < BASE_PATH_MAX && base_file_same(path, data));
}

static admmnn_status open_file(const Onnx__TensorProto *tensor, const onnx_file *from,
                               const place *at, int *file, admmnn_error *err) {
    char path[BASE_PATH_MAX];
    BASE_TRY(base_path_join(path, sizeof path, from->folder, at->location, err));
    if (!base_file_exists(path))
        return base_fail(err, ADMMNN_NOT_FOUND, "tensor '%.60s': its file %s is absent",
                         onnx_tensor_name(tensor), path);
    if (is_output(path, from->output))
        return base_fail(err, ADMMNN_USAGE, "the output would replace its data, %s", path);
    char *within = real_path_within(from->folder, path);
    if (within == NULL)
        return fail_escape(tensor, at, err);
    *file = base_file_open_below(from->folder, within);
    free(within);
    if (*file < 0)
        return base_fail(err, ADMMNN_IO, "%s: %s", path, strerror(errno));
    return ADMMNN_OK;
}

/* What is wrong; NULL: nothing. */
static const char *read_all(int file, uint8_t *to, size_t count, uint64_t from) {
    while (count > 0) {
        const ssize_t got = pread(file, to, count < READ_MOST ? count : READ_MOST, (off_t)from);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return strerror(errno);
        if (got == 0)
            return "it became shorter while it was read";
        to += got;
        count -= (size_t)got;
        from += (uint64_t)got;
    }
    return NULL;
}

static admmnn_status read_file(Onnx__TensorProto *tensor, int file, const place *at,
                               onnx_arena *arena, admmnn_error *err) {
    struct stat info;
    size_t bytes;
    if (!onnx_tensor_bytes(tensor, &bytes) || (at->has_length && at->length != bytes))
        return base_fail(err, ADMMNN_CORRUPT,
                         "tensor '%.60s': its external data is not what its dimensions ask for",
                         onnx_tensor_name(tensor));
    if (fstat(file, &info) != 0 || !S_ISREG(info.st_mode) || at->offset > (uint64_t)info.st_size ||
        bytes > (uint64_t)info.st_size - at->offset)
        return base_fail(err, ADMMNN_CORRUPT,
                         "tensor '%.60s': '%.80s' does not hold %zu bytes from %" PRIu64 " on",
                         onnx_tensor_name(tensor), at->location, bytes, at->offset);
    uint8_t *data = onnx_arena_take(arena, bytes, 1);
    if (data == NULL)
        return base_fail_memory(err, "an ONNX model's external data");
    const char *wrong = read_all(file, data, bytes, at->offset);
    if (wrong != NULL)
        return base_fail(err, ADMMNN_IO, "%.200s: %s", at->location, wrong);
    tensor->has_raw_data = 1;
    tensor->raw_data = (ProtobufCBinaryData){.len = bytes, .data = data};
    return ADMMNN_OK;
}

admmnn_status onnx_external_fetch(Onnx__TensorProto *tensor, const onnx_file *from,
                                  onnx_arena *arena, admmnn_error *err) {
    place at;
    int file;
    BASE_TRY(parse_place(tensor, &at, err));
    if (from->folder == NULL)
        return base_fail(err, ADMMNN_UNSUPPORTED, "tensor '%.60s' lies in another file, '%.80s'",
                         onnx_tensor_name(tensor), at.location);
    if (!stays_below(at.location))
        return fail_escape(tensor, &at, err);
    BASE_TRY(open_file(tensor, from, &at, &file, err));
    admmnn_status status = read_file(tensor, file, &at, arena, err);
    close(file);
    return status;
}
