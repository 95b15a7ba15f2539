#include "data/idx.h"
#include "data/source.h"

static admmnn_status folder_open(const char *where, const data_watch *watch, void **state,
                                 admmnn_error *err) {
    (void)watch;
    if (base_file_exists(where))
        return base_fail(err, ADMMNN_INPUT, "%s: is a file, not a folder", where);
    if (!base_folder_exists(where))
        return base_fail(err, ADMMNN_NOT_FOUND, "%s: no such folder", where);
    *state = (void *)(uintptr_t)where;
    return ADMMNN_OK;
}

static admmnn_status folder_take(void *state, const data_file *file, uint8_t **bytes, size_t *count,
                                 admmnn_error *err) {
    char path[BASE_PATH_MAX];
    return data_idx_read(state, file->name, file->size, path, bytes, count, err);
}

static void folder_close(void *state) {
    (void)state;
}

const data_source_kind data_source_folder = {"folder", folder_open, folder_take, folder_close};
