#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/output.h"
#include "onnx/onnx.h"

static void to_output(void *to, const void *bytes, size_t count) {
    base_output_write(to, bytes, count);
}

static admmnn_status write_model(const onnx_message *message, const char *path, admmnn_error *err) {
    base_output *out;
    BASE_TRY(base_output_open(path, &out, err));
    onnx_message_append(message, to_output, out);
    return base_output_publish(&out, 1, err);
}

/* A reader takes the name of the data file for a path, and a backslash for its separator. */
static admmnn_status name_data(const onnx_target *target, char path[BASE_PATH_MAX],
                               admmnn_error *err) {
    const char *slash = strrchr(target->path, '/');
    if (strchr(slash == NULL ? target->path : slash, '\\') != NULL)
        return base_fail(err, ADMMNN_USAGE,
                         "%s: its data go to a file of that name, which no backslash may be in",
                         target->path);
    const int used = snprintf(path, BASE_PATH_MAX, "%s" ONNX_DATA_SUFFIX, target->path);
    if (used < 0 || used >= BASE_PATH_MAX)
        return base_fail(err, ADMMNN_INPUT, "%.64s: path too long", target->path);
    if (!target->force && base_name_taken(path))
        return base_fail(err, ADMMNN_USAGE, "%s: exists already; --force replaces it", path);
    return base_file_check_write(path, err);
}

static admmnn_status write_both(const onnx_message *message, const onnx_target *target,
                                admmnn_error *err) {
    char path[BASE_PATH_MAX];
    base_output *outs[2]; /* the data, and the model that names them */
    BASE_TRY(name_data(target, path, err));
    BASE_TRY(base_output_open(path, &outs[0], err));
    const admmnn_status status = base_output_open(target->path, &outs[1], err);
    if (status != ADMMNN_OK) {
        base_output_drop(outs[0]);
        return status;
    }
    onnx_message_append_data(message, to_output, outs[0]);
    onnx_message_append(message, to_output, outs[1]);
    return base_output_publish(outs, 2, err);
}

admmnn_status onnx_check_write(const onnx_writing *writing, const onnx_target *target,
                               admmnn_error *err) {
    onnx_message *message;
    char path[BASE_PATH_MAX];
    BASE_TRY(onnx_message_create(writing, target, &message, err));
    const uint64_t data_bytes = onnx_message_data_bytes(message);
    onnx_message_free(message);
    return data_bytes > 0 ? name_data(target, path, err) : ADMMNN_OK;
}

admmnn_status onnx_write(const onnx_writing *writing, const onnx_target *target,
                         uint64_t *data_bytes, admmnn_error *err) {
    onnx_message *message;
    BASE_TRY(onnx_message_create(writing, target, &message, err));
    *data_bytes = onnx_message_data_bytes(message);
    const admmnn_status status = *data_bytes > 0 ? write_both(message, target, err)
                                                 : write_model(message, target->path, err);
    onnx_message_free(message);
    return status;
}
