/* Opening from a file: by itself, so that who has no files links no stdio. */
#include <errno.h>
#include <stdio.h>

#include "runtime.h"

/* The rest of the file, in scratch: *count bytes. */
static admmnn_runtime_status read_all(FILE *file, rt_memory *memory, uint8_t **bytes, size_t *count,
                                      admmnn_runtime_error *err) {
    const bool arena = memory->bottom != NULL;
    /* A folder is noticed by reading it. */
    if ((fgetc(file) == EOF && ferror(file) != 0) || fseek(file, 0, SEEK_END) != 0)
        return rt_fail(err, ADMMNN_RUNTIME_IO, "the file cannot be read", 0);
    const long size = ftell(file);
    if (size < 0 || fseek(file, 0, SEEK_SET) != 0)
        return rt_fail(err, ADMMNN_RUNTIME_IO, "the file cannot be read", 0);
    *bytes = rt_scratch(memory, (size_t)size, 1);
    if (*bytes == NULL)
        return rt_fail(err, arena ? ADMMNN_RUNTIME_ARENA : ADMMNN_RUNTIME_MEMORY,
                       "no memory for the file", 0);
    *count = fread(*bytes, 1, (size_t)size, file);
    if (*count != (size_t)size)
        return rt_fail(err, ADMMNN_RUNTIME_IO, "the file cannot be read", *count);
    return ADMMNN_RUNTIME_OK;
}

admmnn_runtime_status admmnn_runtime_open(const char *path, const admmnn_runtime_settings *settings,
                                          admmnn_runtime **model, admmnn_runtime_error *err) {
    rt_memory memory;
    uint8_t *bytes = NULL;
    size_t count = 0;
    if (path == NULL || model == NULL)
        return rt_fail(err, ADMMNN_RUNTIME_USAGE, "no path, or no place for the model", 0);
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return rt_fail(err, errno == ENOENT ? ADMMNN_RUNTIME_NOT_FOUND : ADMMNN_RUNTIME_IO,
                       "the file cannot be opened", 0);
    rt_memory_open(&memory, settings == NULL ? NULL : settings->arena,
                   settings == NULL ? 0 : settings->arena_bytes);
    const admmnn_runtime_status status = read_all(file, &memory, &bytes, &count, err);
    fclose(file);
    if (status != ADMMNN_RUNTIME_OK) {
        rt_memory_close(&memory);
        return status;
    }
    RT_TRY(rt_model_open(bytes, count, &memory, settings, model, err));
    rt_scratch_release(&(*model)->memory, 0);
    return ADMMNN_RUNTIME_OK;
}
