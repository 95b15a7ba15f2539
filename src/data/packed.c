#include "data/packed.h"

#include "base/memory.h"
#include "data/process.h"
#include "data/tarball.h"

typedef struct packed {
    char temporary[BASE_PATH_MAX];
    char archive[BASE_PATH_MAX]; /* in it */
} packed;

void packed_close(void *state) {
    packed *p = state;
    data_temporary_remove(p->temporary);
    base_free(p);
}

admmnn_status packed_open(packed_bring *bring, const data_source *source, data_watch *watch,
                          void **state, admmnn_error *err) {
    packed *p = base_array(1, sizeof *p);
    if (p == NULL)
        return base_fail_memory(err, source->where);
    admmnn_status status = data_temporary_make(p->temporary, err);
    if (status != ADMMNN_OK) {
        base_free(p);
        return status;
    }
    status = bring(source, watch, p->temporary, p->archive, err);
    if (status != ADMMNN_OK) {
        packed_close(p);
        return status;
    }
    *state = p;
    return ADMMNN_OK;
}

admmnn_status packed_get(void *state, const char *name, size_t most, uint8_t **bytes, size_t *count,
                         admmnn_error *err) {
    const packed *p = state;
    return tarball_take(p->archive, name, most, bytes, count, err);
}
