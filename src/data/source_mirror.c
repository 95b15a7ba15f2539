#include <stdio.h>

#include "base/memory.h"
#include "data/download.h"
#include "data/gunzip.h"
#include "data/idx.h"

typedef struct mirror {
    download *download;
    const char *where;
} mirror;

static void mirror_close(void *state) {
    mirror *m = state;
    download_close(m->download);
    base_free(m);
}

static admmnn_status mirror_open(const data_source *source, data_watch *watch, void **state,
                                 admmnn_error *err) {
    mirror *m = base_array(1, sizeof *m);
    if (m == NULL)
        return base_fail_memory(err, "a mirror");
    m->where = source->where;
    const admmnn_status status = download_open(watch, &m->download, err);
    if (status != ADMMNN_OK) {
        base_free(m);
        return status;
    }
    *state = m;
    return ADMMNN_OK;
}

static admmnn_status mirror_get(void *state, const char *name, size_t most, uint8_t **bytes,
                                size_t *count, admmnn_error *err) {
    const mirror *m = state;
    const size_t packed_most = most + most / 64 + 4096; /* gzip adds next to nothing */
    base_writer body = {0};
    char packed[128];
    const int used = snprintf(packed, sizeof packed, "%s.gz", name);
    if (used < 0 || (size_t)used >= sizeof packed)
        return base_fail(err, ADMMNN_INPUT, "%.64s: too long", name);
    admmnn_status status = download_get(m->download, m->where, packed, packed_most, &body, err);
    if (status == ADMMNN_OK)
        status = data_gunzip(packed, body.bytes, body.count, most, bytes, count, err);
    base_writer_free(&body);
    return status;
}

const data_source_kind data_source_mirror = {"mirror", mirror_open, mirror_get, mirror_close};
