#include "base/file.h"
#include "data/idx.h"
#include "data/source.h"
#include "data/tarball.h"

static admmnn_status folder_open(const data_source *source, data_watch *watch, void **state,
                                 admmnn_error *err) {
    (void)watch;
    if (base_file_exists(source->where))
        return base_fail(err, ADMMNN_INPUT, "%s: is a file, not a folder", source->where);
    if (!base_folder_exists(source->where))
        return base_fail(err, ADMMNN_NOT_FOUND, "%s: no such folder", source->where);
    *state = (void *)(uintptr_t)source;
    return ADMMNN_OK;
}

/* Of the archive, unpacked or as it is. */
static admmnn_status get_archived(const data_source *source, const char *name, size_t most,
                                  uint8_t **bytes, size_t *count, admmnn_error *err) {
    const data_archive *archive = source->archive;
    char path[BASE_PATH_MAX];
    char found[BASE_PATH_MAX];
    BASE_TRY(base_path_join(path, sizeof path, source->where, archive->folder, err));
    if (base_folder_exists(path))
        return data_idx_read(path, name, most, found, bytes, count, err);
    BASE_TRY(base_path_join(path, sizeof path, source->where, archive->file.name, err));
    if (base_file_exists(path))
        return tarball_take(path, name, most, bytes, count, err);
    return base_fail(err, ADMMNN_NOT_FOUND, "%s: holds no %s, plain or .gz, no folder %s and no %s",
                     source->where, name, archive->folder, archive->file.name);
}

static admmnn_status folder_get(void *state, const char *name, size_t most, uint8_t **bytes,
                                size_t *count, admmnn_error *err) {
    const data_source *source = state;
    char path[BASE_PATH_MAX];
    const admmnn_status status = data_idx_read(source->where, name, most, path, bytes, count, err);
    if (status != ADMMNN_NOT_FOUND || source->archive == NULL)
        return status;
    return get_archived(source, name, most, bytes, count, err);
}

static void folder_close(void *state) {
    (void)state;
}

const data_source_kind data_source_folder = {"folder", folder_open, folder_get, folder_close};
