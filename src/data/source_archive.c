#include "base/output.h"
#include "data/download.h"
#include "data/packed.h"

static bool put(void *user, const void *bytes, size_t count) {
    base_output_write(user, bytes, count);
    return true; /* what fails is told when the file is published */
}

static admmnn_status receive(download *d, const data_source *source, base_output *out,
                             admmnn_error *err) {
    const data_file *file = &source->archive->file;
    base_writer writer = {.drain = put, .user = out};
    const admmnn_status status =
        download_get(d, source->where, file->name, file->size, &writer, err);
    base_writer_flush(&writer);
    base_writer_free(&writer);
    return status;
}

static admmnn_status bring(const data_source *source, data_watch *watch, const char *folder,
                           char path[BASE_PATH_MAX], admmnn_error *err) {
    download *d;
    base_output *out;
    BASE_TRY(base_path_join(path, BASE_PATH_MAX, folder, source->archive->file.name, err));
    BASE_TRY(base_output_open(path, &out, err));
    admmnn_status status = download_open(watch, &d, err);
    if (status == ADMMNN_OK) {
        status = receive(d, source, out, err);
        download_close(d);
    }
    if (status == ADMMNN_OK)
        return base_output_publish(&out, 1, err);
    base_output_drop(out);
    return status;
}

static admmnn_status archive_open(const data_source *source, data_watch *watch, void **state,
                                  admmnn_error *err) {
    return packed_open(bring, source, watch, state, err);
}

const data_source_kind data_source_archive = {"mirror", archive_open, packed_get, packed_close};
