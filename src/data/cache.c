#include "data/cache.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "admmnn/data.h"
#include "base/file.h"

admmnn_status data_cache_path(const char *dataset, char *path, size_t size, admmnn_error *err) {
    const char *home = getenv("HOME");
    const char *cache = getenv("XDG_CACHE_HOME");
    char folder[BASE_PATH_MAX];
    /* The specification: a relative path is invalid and ignored. */
    if (cache != NULL && cache[0] == '/')
        BASE_TRY(base_path_join(folder, sizeof folder, cache, "admmnn", err));
    else if (home != NULL && home[0] == '/')
        BASE_TRY(base_path_join(folder, sizeof folder, home, ".cache/admmnn", err));
    else
        return base_fail(err, ADMMNN_INPUT,
                         "no cache folder: set XDG_CACHE_HOME or HOME to an absolute path");
    return base_path_join(path, size, folder, dataset, err);
}

/* By its size: a fetch looks at its bytes. */
static bool is_there(const char *folder, const data_file *file) {
    char path[BASE_PATH_MAX];
    struct stat info;
    return base_path_join(path, sizeof path, folder, file->name, NULL) == ADMMNN_OK &&
           stat(path, &info) == 0 && S_ISREG(info.st_mode) && (size_t)info.st_size == file->size;
}

admmnn_status admmnn_data_folder(const char *dataset, char *path, size_t size, admmnn_error *err) {
    const data_manifest *manifest;
    BASE_TRY(data_manifest_find(dataset, &manifest, err));
    BASE_TRY(data_cache_path(dataset, path, size, err));
    size_t whole = 0;
    while (whole < manifest->count && is_there(path, &manifest->files[whole]))
        whole++;
    if (whole == manifest->count)
        return ADMMNN_OK;
    if (manifest->archive != NULL && is_there(path, &manifest->archive->file))
        return ADMMNN_OK; /* as former versions kept it */
    return base_fail(err, ADMMNN_NOT_FOUND,
                     "%s: %s is absent or not whole; run 'admmnn data fetch %s'", path,
                     manifest->files[whole].name, dataset);
}
