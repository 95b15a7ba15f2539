/* Opening from a file: by itself, so that who has no files links no stdio. Of the file no more is
 * in memory than a window for each of the two places that are read in turns. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "runtime.h"

#define WINDOW_BYTES (ADMMNN_RUNTIME_FILE_BYTES / 2)

typedef struct window {
    FILE *file;
    size_t count; /* bytes of the file */
    uint8_t *bytes;
    bool failed;
} window;

/* What cannot be read is zeros until opening has come to its end. */
static void move(rt_view *view, size_t at) {
    window *w = view->file;
    view->first = at;
    view->held = w->count - at < WINDOW_BYTES ? w->count - at : WINDOW_BYTES;
    if (!w->failed && fseek(w->file, (long)at, SEEK_SET) == 0 &&
        fread(w->bytes, 1, view->held, w->file) == view->held)
        return;
    w->failed = true;
    memset(w->bytes, 0, view->held);
}

static admmnn_runtime_status find_size(FILE *file, size_t *count, admmnn_runtime_error *err) {
    /* A folder is noticed by reading it. */
    const bool readable =
        (fgetc(file) != EOF || ferror(file) == 0) && fseek(file, 0, SEEK_END) == 0;
    const long size = readable ? ftell(file) : -1;
    if (size < 0)
        return rt_fail(err, ADMMNN_RUNTIME_IO, "the file cannot be read", 0);
    *count = (size_t)size;
    return ADMMNN_RUNTIME_OK;
}

static admmnn_runtime_status open_window(rt_memory *memory, FILE *file, size_t count, window *w,
                                         rt_view *view, admmnn_runtime_error *err) {
    const window all = {file, count, rt_scratch(memory, WINDOW_BYTES, 1), false};
    const rt_view nothing = {all.bytes, 0, 0, move, w};
    *w = all;
    *view = nothing;
    if (w->bytes == NULL)
        return rt_fail(err, rt_memory_status(memory), "no memory for the file", 0);
    return ADMMNN_RUNTIME_OK;
}

/* Frees the memory where it fails. */
static admmnn_runtime_status open_windows(rt_memory *memory, FILE *file, window windows[2],
                                          rt_file *bytes, admmnn_runtime_error *err) {
    admmnn_runtime_status status = find_size(file, &bytes->count, err);
    if (status == ADMMNN_RUNTIME_OK)
        status = open_window(memory, file, bytes->count, &windows[0], &bytes->bytes, err);
    if (status == ADMMNN_RUNTIME_OK)
        status = open_window(memory, file, bytes->count, &windows[1], &bytes->plain, err);
    if (status != ADMMNN_RUNTIME_OK)
        rt_memory_close(memory);
    return status;
}

/* What was read of a file that could not be read is nothing. */
static admmnn_runtime_status open_model(FILE *file, const admmnn_runtime_settings *settings,
                                        admmnn_runtime **model, admmnn_runtime_error *err) {
    rt_memory memory;
    rt_file bytes;
    window windows[2];
    rt_memory_open(&memory, settings == NULL ? NULL : settings->arena,
                   settings == NULL ? 0 : settings->arena_bytes);
    RT_TRY(open_windows(&memory, file, windows, &bytes, err));
    const admmnn_runtime_status status = rt_model_open(&bytes, &memory, settings, model, err);
    if (status == ADMMNN_RUNTIME_OK)
        rt_scratch_release(&(*model)->memory, 0);
    if (!windows[0].failed && !windows[1].failed)
        return status;
    if (status == ADMMNN_RUNTIME_OK)
        admmnn_runtime_close(*model);
    return rt_fail(err, ADMMNN_RUNTIME_IO, "the file cannot be read", 0);
}

admmnn_runtime_status admmnn_runtime_open(const char *path, const admmnn_runtime_settings *settings,
                                          admmnn_runtime **model, admmnn_runtime_error *err) {
    if (path == NULL || model == NULL)
        return rt_fail(err, ADMMNN_RUNTIME_USAGE, "no path, or no place for the model", 0);
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return rt_fail(err, errno == ENOENT ? ADMMNN_RUNTIME_NOT_FOUND : ADMMNN_RUNTIME_IO,
                       "the file cannot be opened", 0);
    setvbuf(file, NULL, _IONBF, 0); /* the windows are its buffers */
    const admmnn_runtime_status status = open_model(file, settings, model, err);
    fclose(file);
    return status;
}
