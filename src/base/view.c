#define _XOPEN_SOURCE 700 /* pread */

#include "base/view.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/memory.h"

struct base_view {
    int descriptor;
    int reason; /* errno of the first piece that could not be read; 0: none */
    size_t size;
    size_t first, held; /* the file's bytes that stand in room */
    char path[BASE_PATH_MAX];
    uint8_t room[BASE_PIECE];
};

admmnn_status base_view_open(const char *path, base_view **out, size_t *count, admmnn_error *err) {
    base_view *view = base_array(1, sizeof *view);
    if (view == NULL)
        return base_fail_memory(err, path);
    admmnn_status status = base_file_open(path, &view->descriptor, &view->size, err);
    if (status != ADMMNN_OK) {
        base_free(view);
        return status;
    }
    snprintf(view->path, sizeof view->path, "%s", path);
    *count = view->size;
    *out = view;
    return ADMMNN_OK;
}

/* A file that has become shorter is one that cannot be read. */
static void hold(base_view *view, size_t at) {
    const size_t left = view->size - at;
    const size_t wanted = left < BASE_PIECE ? left : BASE_PIECE;
    view->first = at;
    view->held = 0;
    while (view->held < wanted && view->reason == 0) {
        const ssize_t got = pread(view->descriptor, view->room + view->held, wanted - view->held,
                                  (off_t)(at + view->held));
        if (got > 0)
            view->held += (size_t)got;
        else if (got == 0 || errno != EINTR)
            view->reason = got == 0 ? EIO : errno;
    }
}

const uint8_t *base_view_look(void *user, size_t at, size_t count) {
    base_view *view = user;
    if (count > BASE_PIECE || at > view->size || count > view->size - at)
        return NULL;
    if (at < view->first || at + count > view->first + view->held)
        hold(view, at);
    return view->reason == 0 ? view->room + (at - view->first) : NULL;
}

admmnn_status base_view_check(const base_view *view, admmnn_error *err) {
    return view->reason == 0 ? ADMMNN_OK
                             : base_fail(err, ADMMNN_IO, "%s: cannot read: %s", view->path,
                                         strerror(view->reason));
}

void base_view_close(base_view *view) {
    if (view == NULL)
        return;
    close(view->descriptor);
    base_free(view);
}
