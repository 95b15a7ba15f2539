#define _XOPEN_SOURCE 700 /* realpath */

#include "base/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"

#define BUFFER_BYTES ((size_t)1 << 16)

struct base_output {
    char path[BASE_PATH_MAX];      /* as the caller calls it */
    char target[BASE_PATH_MAX];    /* where its links lead */
    char temporary[BASE_PATH_MAX]; /* beside the target; "" once it is in its place */
    char aside[BASE_PATH_MAX];     /* where the old file waits; "": nowhere */
    int descriptor;                /* below 0: closed */
    int reason;                    /* errno of what failed first; 0: nothing */
    size_t held;                   /* bytes in the buffer */
    uint8_t buffer[BUFFER_BYTES];
};

/* ---- names ---- */

static void sync_folder_of(const char *path) {
    char folder[BASE_PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t length = slash == NULL ? 0 : (size_t)(slash - path);
    if (length >= sizeof folder)
        return;
    memcpy(folder, path, length);
    folder[length] = 0;
    int descriptor = open(slash == NULL ? "." : length == 0 ? "/" : folder, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return;
    /* Some filesystems refuse fsync of a folder; the rename is atomic all the same. */
    (void)fsync(descriptor);
    close(descriptor);
}

/* Opens a file of a name not yet taken beside path. open() applies the umask,
 * which a library cannot read without changing it for every thread. */
static int open_temporary(const char *path, char temporary[BASE_PATH_MAX], admmnn_error *err) {
    for (unsigned attempt = 0; attempt < 10000; attempt++) {
        int used =
            snprintf(temporary, BASE_PATH_MAX, "%s.%ld-%u.part", path, (long)getpid(), attempt);
        if (used < 0 || used >= BASE_PATH_MAX) {
            base_fail(err, ADMMNN_INPUT, "%.64s: path too long", path);
            return -1;
        }
        int descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (descriptor >= 0 || errno != EEXIST) {
            if (descriptor < 0)
                base_fail(err, ADMMNN_IO, "%s: cannot write: %s", path, strerror(errno));
            return descriptor;
        }
    }
    base_fail(err, ADMMNN_IO,
              "%s: cannot write: its folder is full of unfinished files; "
              "remove those that end in .part",
              path);
    return -1;
}

/* Where the bytes go: through links, to a regular file or a new name. Renaming
 * would put a file in the place of a device or a link. */
static admmnn_status resolve_target(const char *path, char target[BASE_PATH_MAX],
                                    admmnn_error *err) {
    struct stat info;
    if (strlen(path) >= BASE_PATH_MAX)
        return base_fail(err, ADMMNN_INPUT, "%.64s...: the path is too long", path);
    memcpy(target, path, strlen(path) + 1);
    if (lstat(path, &info) != 0)
        return ADMMNN_OK;
    bool link = S_ISLNK(info.st_mode);
    if (link && stat(path, &info) != 0)
        return base_fail(err, ADMMNN_IO, "%s: cannot write: the link leads nowhere", path);
    if (S_ISDIR(info.st_mode))
        return base_fail(err, ADMMNN_IO, "%s: cannot write: is a folder", path);
    if (!S_ISREG(info.st_mode))
        return base_fail(err, ADMMNN_IO, "%s: cannot write: exists and is no regular file", path);
    if (link && realpath(path, target) == NULL)
        return base_fail(err, ADMMNN_IO, "%s: cannot write: %s", path, strerror(errno));
    return ADMMNN_OK;
}

admmnn_status base_file_check_write(const char *path, admmnn_error *err) {
    char target[BASE_PATH_MAX];
    return resolve_target(path, target, err);
}

admmnn_status base_file_probe_write(const char *path, admmnn_error *err) {
    char target[BASE_PATH_MAX];
    char temporary[BASE_PATH_MAX];
    admmnn_error failure = {ADMMNN_OK, ""};
    BASE_TRY(resolve_target(path, target, err));
    const int descriptor = open_temporary(target, temporary, &failure);
    if (descriptor < 0)
        return base_fail(err, failure.status, "%s", failure.message);
    close(descriptor);
    unlink(temporary);
    return ADMMNN_OK;
}

admmnn_status base_folder_check_write(const char *path, admmnn_error *err) {
    char probe[BASE_PATH_MAX];
    BASE_TRY(base_path_join(probe, sizeof probe, path, "a file", err));
    return base_file_probe_write(probe, err);
}

admmnn_status base_folder_check_make(const char *path, admmnn_error *err) {
    char there[BASE_PATH_MAX];
    char above[BASE_PATH_MAX];
    const size_t length = strlen(path);
    if (length == 0 || length >= sizeof there)
        return base_folder_make(path, err); /* says so */
    memcpy(there, path, length + 1);
    while (!base_name_taken(there)) {
        BASE_TRY(base_path_folder(above, sizeof above, there, err));
        memcpy(there, above, sizeof there);
    }
    BASE_TRY(base_folder_make(there, err)); /* fails where it is no folder */
    return base_folder_check_write(there, err);
}

/* ---- one file ---- */

static bool write_all(int descriptor, const uint8_t *bytes, size_t count) {
    while (count > 0) {
        ssize_t written = write(descriptor, bytes, count);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return false;
        bytes += written;
        count -= (size_t)written;
    }
    return true;
}

/* What is done once something failed is done in vain, and its errno is not the reason. */
static void keep_reason(base_output *out, bool done) {
    if (!done && out->reason == 0)
        out->reason = errno == 0 ? EIO : errno;
}

static void flush(base_output *out) {
    if (out->reason == 0)
        keep_reason(out, write_all(out->descriptor, out->buffer, out->held));
    out->held = 0;
}

void base_output_write(base_output *out, const void *bytes, size_t count) {
    if (count > BUFFER_BYTES - out->held)
        flush(out);
    if (count > BUFFER_BYTES) {
        if (out->reason == 0)
            keep_reason(out, write_all(out->descriptor, bytes, count));
    } else if (count > 0) {
        memcpy(out->buffer + out->held, bytes, count);
        out->held += count;
    }
}

static void close_file(base_output *out) {
    flush(out);
    if (out->reason == 0)
        keep_reason(out, fsync(out->descriptor) == 0);
    keep_reason(out, close(out->descriptor) == 0);
    out->descriptor = -1;
}

admmnn_status base_output_open(const char *path, base_output **out, admmnn_error *err) {
    base_output *made = base_array(1, sizeof *made);
    admmnn_error failure = {ADMMNN_OK, ""};
    if (made == NULL)
        return base_fail_memory(err, path);
    made->descriptor = -1;
    if (resolve_target(path, made->target, &failure) == ADMMNN_OK) {
        snprintf(made->path, sizeof made->path, "%s", path);
        made->descriptor = open_temporary(made->target, made->temporary, &failure);
    }
    if (made->descriptor < 0) {
        base_free(made);
        return base_fail(err, failure.status, "%s", failure.message);
    }
    *out = made;
    return ADMMNN_OK;
}

void base_output_drop(base_output *out) {
    if (out == NULL)
        return;
    if (out->descriptor >= 0)
        close(out->descriptor);
    if (out->temporary[0] != 0)
        unlink(out->temporary);
    base_free(out);
}

/* ---- into their places ---- */

static const base_output *find_failed(base_output *const *outs, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (outs[i]->reason != 0)
            return outs[i];
    return NULL;
}

/* Whether the old last file could be seen beside a new one of the others. */
static bool could_mix(base_output *const *outs, size_t count) {
    for (size_t i = 0; i + 1 < count; i++)
        if (base_name_taken(outs[i]->target))
            return true;
    return false;
}

static void move_aside(base_output *out) {
    const int descriptor = open_temporary(out->target, out->aside, NULL);
    if (descriptor >= 0)
        close(descriptor);
    if (descriptor >= 0 && rename(out->target, out->aside) == 0)
        return;
    keep_reason(out, false);
    if (descriptor >= 0)
        unlink(out->aside);
    out->aside[0] = 0;
}

static void put_in_place(base_output *out) {
    if (rename(out->temporary, out->target) == 0)
        out->temporary[0] = 0;
    else
        keep_reason(out, false);
    sync_folder_of(out->target);
}

/* As it was before. */
static void put_back(base_output *out) {
    if (out->temporary[0] == 0 && out->aside[0] == 0)
        unlink(out->target);
    if (out->aside[0] != 0)
        rename(out->aside, out->target);
}

/* The last goes first and comes last. */
static void replace(base_output *const *outs, size_t count) {
    const bool mixes = could_mix(outs, count);
    for (size_t i = count; mixes && i-- > 0 && find_failed(outs, count) == NULL;)
        if (base_name_taken(outs[i]->target))
            move_aside(outs[i]);
    for (size_t i = 0; i < count && find_failed(outs, count) == NULL; i++)
        put_in_place(outs[i]);
    const bool failed = find_failed(outs, count) != NULL;
    for (size_t i = 0; i < count; i++) {
        if (failed)
            put_back(outs[i]);
        else if (outs[i]->aside[0] != 0)
            unlink(outs[i]->aside);
    }
}

admmnn_status base_output_publish(base_output *const *outs, size_t count, admmnn_error *err) {
    admmnn_status status = ADMMNN_OK;
    for (size_t i = 0; i < count; i++)
        close_file(outs[i]);
    if (find_failed(outs, count) == NULL)
        replace(outs, count);
    const base_output *failed = find_failed(outs, count);
    if (failed != NULL)
        status = base_fail(err, ADMMNN_IO, "%s: cannot write: %s", failed->path,
                           strerror(failed->reason));
    for (size_t i = 0; i < count; i++)
        base_output_drop(outs[i]);
    return status;
}

admmnn_status base_file_write(const char *path, const void *bytes, size_t count,
                              admmnn_error *err) {
    base_output *out;
    BASE_TRY(base_output_open(path, &out, err));
    base_output_write(out, bytes, count);
    return base_output_publish(&out, 1, err);
}
