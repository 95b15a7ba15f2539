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

admmnn_status admmnn_data_folder(const char *dataset, char *path, size_t size, admmnn_error *err) {
    const data_manifest *manifest;
    BASE_TRY(data_manifest_find(dataset, &manifest, err));
    BASE_TRY(data_cache_path(dataset, path, size, err));
    for (size_t i = 0; i < manifest->count; i++) {
        const data_file *file = &manifest->files[i];
        char name[BASE_PATH_MAX];
        struct stat info;
        BASE_TRY(base_path_join(name, sizeof name, path, file->name, err));
        if (stat(name, &info) != 0 || !S_ISREG(info.st_mode) || (size_t)info.st_size != file->size)
            return base_fail(err, ADMMNN_NOT_FOUND,
                             "%s: %s is absent or not whole; run 'admmnn data fetch %s'", path,
                             file->name, dataset);
    }
    return ADMMNN_OK;
}
