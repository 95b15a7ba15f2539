#include "data/fetch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admmnn/data.h"
#include "base/context.h"
#include "base/file.h"
#include "base/memory.h"
#include "data/cache.h"

/* A folder and the public ones. */
#define SOURCES_MAX (1 + DATA_SOURCES_MAX)

typedef struct fetch {
    const data_manifest *manifest;
    const char *folder;
    bool whole[DATA_FILES_MAX];
    data_watch watch;
} fetch;

admmnn_status data_watch_show(data_watch *watch, uint64_t more, admmnn_error *err) {
    if (watch->shown < watch->done + more)
        watch->shown = watch->done + more;
    const admmnn_progress progress = {.task = watch->task,
                                      .unit = "bytes",
                                      .done = watch->shown,
                                      .total = watch->total,
                                      .run_done = -1.0};
    if (base_cancelled(watch->context))
        return base_fail(err, ADMMNN_CANCELLED, "stopped while %s was fetched", watch->task);
    base_progress(watch->context, &progress);
    return ADMMNN_OK;
}

/* Whether the folder holds a file whole. A damaged one is as good as none. */
static admmnn_status inspect_file(const fetch *f, const data_file *file, bool *whole,
                                  admmnn_error *err) {
    char path[BASE_PATH_MAX];
    uint8_t *bytes;
    size_t count;
    admmnn_error reason;
    BASE_TRY(base_path_join(path, sizeof path, f->folder, file->name, err));
    admmnn_status status = base_file_read(path, file->size, &bytes, &count, &reason);
    if (status == ADMMNN_OK) {
        status = data_file_check(file, path, bytes, count, &reason);
        base_free(bytes);
    }
    if (status == ADMMNN_MEMORY)
        return base_fail_memory(err, path);
    *whole = status == ADMMNN_OK;
    if (status != ADMMNN_OK && status != ADMMNN_NOT_FOUND)
        base_log(f->watch.context, ADMMNN_LOG_WARNING, "fetched again: %s", reason.message);
    return ADMMNN_OK;
}

/* *complete: nothing is to be fetched. Former versions kept the archive instead of its files. */
static admmnn_status inspect(fetch *f, bool *complete, admmnn_error *err) {
    const data_manifest *manifest = f->manifest;
    for (size_t i = 0; i < manifest->count; i++) {
        BASE_TRY(inspect_file(f, &manifest->files[i], &f->whole[i], err));
        f->watch.total += f->whole[i] ? 0 : manifest->files[i].size;
    }
    *complete = f->watch.total == 0;
    if (*complete || manifest->archive == NULL)
        return ADMMNN_OK;
    return inspect_file(f, &manifest->archive->file, complete, err);
}

/* Fails early, before a download, where nothing could be written. */
static admmnn_status open_folder(const char *folder, admmnn_error *err) {
    BASE_TRY(base_folder_make(folder, err));
    if (access(folder, W_OK | X_OK) != 0)
        return base_fail(err, ADMMNN_IO, "%s: cannot write: %s", folder, strerror(errno));
    return ADMMNN_OK;
}

static admmnn_status get_file(const data_source *source, void *state, const data_file *file,
                              uint8_t **bytes, size_t *count, admmnn_error *err) {
    const data_opened from = {source->kind, state};
    if (source->convert != NULL)
        return source->convert(&from, file, bytes, count, err);
    return source->kind->get(state, file->name, file->size, bytes, count, err);
}

/* Takes, checks and stores one file. *ours tells a failure to store it, which no
 * other source would mend. */
static admmnn_status take_file(fetch *f, const data_source *source, void *state, size_t i,
                               bool *ours, admmnn_error *err) {
    const data_file *file = &f->manifest->files[i];
    char path[BASE_PATH_MAX];
    uint8_t *bytes;
    size_t count;
    BASE_TRY(data_watch_show(&f->watch, 0, err));
    BASE_TRY(base_path_join(path, sizeof path, source->where, file->name, err));
    BASE_TRY(get_file(source, state, file, &bytes, &count, err));
    admmnn_status status = data_file_check(file, path, bytes, count, err);
    if (status == ADMMNN_OK) {
        status = base_path_join(path, sizeof path, f->folder, file->name, err);
        if (status == ADMMNN_OK) /* another fetch that failed may have removed it */
            status = base_folder_make(f->folder, err);
        if (status == ADMMNN_OK)
            status = base_file_write(path, bytes, count, err);
        *ours = *ours || status != ADMMNN_OK;
    }
    base_free(bytes);
    BASE_TRY(status);
    f->whole[i] = true;
    f->watch.done += file->size;
    return data_watch_show(&f->watch, 0, err);
}

/* Takes what is missing from one source. *last: another must not be asked. */
static admmnn_status use_source(fetch *f, const data_source *source, bool *last,
                                admmnn_error *err) {
    void *state;
    admmnn_status status = source->kind->open(source, &f->watch, &state, err);
    if (status == ADMMNN_OK) {
        for (size_t i = 0; i < f->manifest->count && status == ADMMNN_OK; i++)
            if (!f->whole[i])
                status = take_file(f, source, state, i, last, err);
        source->kind->close(state);
    }
    if (status == ADMMNN_CANCELLED || status == ADMMNN_MEMORY)
        *last = true;
    return status;
}

static admmnn_status fail_all(const fetch *f, const data_source *sources, size_t count,
                              admmnn_error *err) {
    const char *dataset = f->manifest->dataset;
    char tried[320] = "";
    size_t used = 0;
    for (size_t i = 0; i < count && used < sizeof tried; i++) {
        int more = snprintf(tried + used, sizeof tried - used, "%s%s %s", i == 0 ? "" : ", ",
                            sources[i].kind->label, sources[i].where);
        used += more < 0 ? 0 : (size_t)more;
    }
    return base_fail(err, ADMMNN_IO,
                     "%s: none of its sources gave it whole (%s); get its files and run "
                     "'admmnn data fetch %s --from DIR'",
                     dataset, tried, dataset);
}

static admmnn_status use_sources(fetch *f, const data_source *sources, size_t count,
                                 admmnn_error *err) {
    for (size_t i = 0; i < count; i++) {
        bool last = count == 1;
        admmnn_error reason = {ADMMNN_OK, ""};
        admmnn_status status = use_source(f, &sources[i], &last, &reason);
        if (status == ADMMNN_OK) {
            base_log(f->watch.context, ADMMNN_LOG_INFO, "%s: from %s %s into %s",
                     f->manifest->dataset, sources[i].kind->label, sources[i].where, f->folder);
            return ADMMNN_OK;
        }
        if (last)
            return base_fail(err, status, "%s", reason.message);
        base_log(f->watch.context, ADMMNN_LOG_WARNING, "%s %s: %s", sources[i].kind->label,
                 sources[i].where, reason.message);
    }
    return fail_all(f, sources, count, err);
}

admmnn_status data_fetch_into(const char *folder, const data_manifest *manifest,
                              const data_source *sources, size_t source_count,
                              const admmnn_context *context, admmnn_error *err) {
    fetch f = {.manifest = manifest,
               .folder = folder,
               .watch = {.context = context, .task = manifest->dataset}};
    bool complete;
    BASE_TRY(inspect(&f, &complete, err));
    if (complete)
        return ADMMNN_OK;
    bool found = base_folder_exists(folder);
    BASE_TRY(open_folder(folder, err));
    admmnn_status status = use_sources(&f, sources, source_count, err);
    if (status != ADMMNN_OK && !found)
        (void)rmdir(folder); /* unless something came into it */
    return status;
}

/* The order of the header's comment. Returns how many. */
static size_t list_sources(const data_manifest *manifest, const char *from,
                           data_source sources[SOURCES_MAX]) {
    const char *folder = from != NULL ? from : getenv("ADMMNN_DATA");
    size_t count = 0;
    if (folder != NULL && (from != NULL || folder[0] != 0))
        sources[count++] = (data_source){
            .kind = &data_source_folder, .where = folder, .archive = manifest->archive};
    for (size_t i = 0; from == NULL && i < manifest->source_count; i++)
        sources[count++] = manifest->sources[i];
    return count;
}

admmnn_status admmnn_data_fetch(const admmnn_data_fetch_settings *settings,
                                const admmnn_context *context, admmnn_error *err) {
    const data_manifest *manifest;
    char folder[BASE_PATH_MAX];
    data_source sources[SOURCES_MAX];
    BASE_TRY(data_manifest_find(settings->dataset, &manifest, err));
    BASE_TRY(data_cache_path(settings->dataset, folder, sizeof folder, err));
    size_t count = list_sources(manifest, settings->from, sources);
    char cache[BASE_PATH_MAX]; /* of all data sets */
    snprintf(cache, sizeof cache, "%.*s", (int)(strrchr(folder, '/') - folder), folder);
    bool found = base_folder_exists(cache);
    admmnn_status status = data_fetch_into(folder, manifest, sources, count, context, err);
    if (status != ADMMNN_OK && !found)
        (void)rmdir(cache);
    return status;
}
