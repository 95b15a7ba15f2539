#define _GNU_SOURCE /* O_PATH */

#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

static admmnn_status fail_large(const char *path, size_t limit, admmnn_error *err) {
    return base_fail(err, ADMMNN_INPUT,
                     "%s: larger than the %zu bytes that such a file has at most", path, limit);
}

/* size is what the file system says; in /proc it says 0, and a file may grow. */
static admmnn_status read_all(int descriptor, const char *path, size_t size, size_t limit,
                              uint8_t **bytes, size_t *count, admmnn_error *err) {
    size_t capacity = size + 2; /* the zero, and one more to see the end */
    size_t used = 0;
    uint8_t *buffer = base_array(capacity, 1);
    while (buffer != NULL) {
        if (used + 1 == capacity) {
            uint8_t *grown = base_array_resize(buffer, capacity, capacity * 2, 1);
            if (grown == NULL)
                break;
            buffer = grown;
            capacity *= 2;
        }
        ssize_t got = read(descriptor, buffer + used, capacity - used - 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            base_free(buffer);
            return base_fail(err, ADMMNN_IO, "%s: cannot read: %s", path, strerror(errno));
        }
        if (got == 0) {
            buffer[used] = 0;
            *bytes = buffer;
            *count = used;
            return ADMMNN_OK;
        }
        used += (size_t)got;
        if (used > limit) {
            base_free(buffer);
            return fail_large(path, limit, err);
        }
    }
    base_free(buffer);
    return base_fail_memory(err, path);
}

static admmnn_status check_regular(int descriptor, const char *path, size_t *size,
                                   admmnn_error *err) {
    struct stat info;
    if (fstat(descriptor, &info) != 0)
        return base_fail(err, ADMMNN_IO, "%s: cannot read: %s", path, strerror(errno));
    if (S_ISDIR(info.st_mode))
        return base_fail(err, ADMMNN_INPUT, "%s: is a folder, a file was expected", path);
    if (!S_ISREG(info.st_mode))
        return base_fail(err, ADMMNN_INPUT,
                         "%s: is no regular file; pipes and devices are not read", path);
    *size = (size_t)info.st_size;
    return ADMMNN_OK;
}

admmnn_status base_file_open(const char *path, int *descriptor, size_t *size, admmnn_error *err) {
    /* Without O_NONBLOCK a fifo would keep open() waiting for its writer. */
    *descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (*descriptor < 0) {
        admmnn_status status = errno == ENOENT ? ADMMNN_NOT_FOUND : ADMMNN_INPUT;
        return base_fail(err, status, "%s: cannot open: %s", path, strerror(errno));
    }
    admmnn_status status = check_regular(*descriptor, path, size, err);
    if (status != ADMMNN_OK) {
        close(*descriptor);
        *descriptor = -1;
    }
    return status;
}

#define LOOK_ONLY (O_PATH | O_DIRECTORY | O_CLOEXEC) /* a folder that may be unreadable */
#define NAME_ROOM 256

/* Takes the first of the path's names off it; false: none that can be there, or one that leads
 * upwards. */
static bool take_name(const char **path, char name[NAME_ROOM]) {
    const size_t length = strcspn(*path, "/");
    if (length == 0 || length >= NAME_ROOM)
        return false;
    memcpy(name, *path, length);
    name[length] = 0;
    *path += length + strspn(*path + length, "/");
    return strcmp(name, "..") != 0;
}

/* Closes the folder; -1 with errno. */
static int open_in(int folder, const char *name, int flags) {
    const int opened = openat(folder, name, flags | O_NOFOLLOW);
    const int reason = errno;
    close(folder);
    errno = reason;
    return opened;
}

int base_file_open_below(const char *folder, const char *path) {
    char name[NAME_ROOM];
    int at = open(folder, LOOK_ONLY);
    while (at >= 0 && take_name(&path, name)) {
        if (*path == 0)
            return open_in(at, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        at = open_in(at, name, LOOK_ONLY);
    }
    if (at < 0)
        return -1;
    close(at);
    errno = EINVAL;
    return -1;
}

admmnn_status base_file_read(const char *path, size_t limit, uint8_t **bytes, size_t *count,
                             admmnn_error *err) {
    int descriptor;
    size_t size;
    BASE_TRY(base_file_open(path, &descriptor, &size, err));
    admmnn_status status = size > limit
                               ? fail_large(path, limit, err)
                               : read_all(descriptor, path, size, limit, bytes, count, err);
    close(descriptor);
    return status;
}

bool base_file_same(const char *a, const char *b) {
    struct stat left;
    struct stat right;
    return stat(a, &left) == 0 && stat(b, &right) == 0 && left.st_dev == right.st_dev &&
           left.st_ino == right.st_ino;
}

admmnn_status base_folder_lock(const char *path, int *lock, admmnn_error *err) {
    *lock = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*lock < 0)
        return base_fail(err, ADMMNN_IO, "%s: cannot open: %s", path, strerror(errno));
    if (flock(*lock, LOCK_EX | LOCK_NB) == 0)
        return ADMMNN_OK;
    int reason = errno;
    base_folder_unlock(*lock);
    *lock = -1;
    if (reason != EWOULDBLOCK)
        return base_fail(err, ADMMNN_IO, "%s: cannot lock: %s", path, strerror(reason));
    return base_fail(err, ADMMNN_USAGE, "%s: another run is writing here; choose another folder",
                     path);
}

void base_folder_unlock(int lock) {
    if (lock >= 0)
        close(lock);
}

static admmnn_status make_one(const char *path, admmnn_error *err) {
    struct stat info;
    if (mkdir(path, 0777) == 0)
        return ADMMNN_OK;
    if (errno != EEXIST)
        return base_fail(err, ADMMNN_IO, "%s: cannot make the folder: %s", path, strerror(errno));
    if (stat(path, &info) != 0)
        return base_fail(err, ADMMNN_IO, "%s: cannot make the folder: the link leads nowhere",
                         path);
    if (S_ISDIR(info.st_mode))
        return ADMMNN_OK;
    return base_fail(err, ADMMNN_IO, "%s: exists and is not a folder", path);
}

admmnn_status base_folder_make(const char *path, admmnn_error *err) {
    char partial[BASE_PATH_MAX];
    size_t length = strlen(path);
    if (length == 0 || length >= sizeof partial)
        return base_fail(err, ADMMNN_INPUT, "'%.64s': not a usable folder name", path);
    memcpy(partial, path, length + 1);
    for (size_t i = 1; i <= length; i++) {
        if (partial[i] != '/' && partial[i] != 0)
            continue;
        char kept = partial[i];
        partial[i] = 0;
        BASE_TRY(make_one(partial, err));
        partial[i] = kept;
    }
    return ADMMNN_OK;
}

static bool is_running(pid_t process) {
    return kill(process, 0) == 0 || errno == EPERM;
}

/* The digits that text begins with; NULL when there are none or something else than
 * `after` follows them. */
static const char *pass_digits(const char *text, const char *after) {
    const size_t digits = strspn(text, "0123456789");
    const size_t length = strlen(after);
    return digits > 0 && strncmp(text + digits, after, length) == 0 ? text + digits + length : NULL;
}

/* "NAME.123-4.part", as open_temporary makes them, of a process 123 that is no more. */
static bool is_unfinished(const char *entry, const char *name) {
    const size_t length = strlen(name);
    if (strncmp(entry, name, length) != 0 || entry[length] != '.')
        return false;
    const char *process = entry + length + 1;
    const char *at = pass_digits(process, "-");
    at = at == NULL ? NULL : pass_digits(at, ".part");
    return at != NULL && *at == 0 && !is_running((pid_t)strtol(process, NULL, 10));
}

static bool any_unfinished(const char *entry, const char *const *names, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (is_unfinished(entry, names[i]))
            return true;
    return false;
}

void base_folder_sweep(const char *path, const char *const *names, size_t count) {
    DIR *folder = opendir(path);
    struct stat info;
    for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;)
        if (any_unfinished(entry->d_name, names, count) &&
            fstatat(dirfd(folder), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISREG(info.st_mode))
            (void)unlinkat(dirfd(folder), entry->d_name, 0);
    if (folder != NULL)
        closedir(folder);
}

bool base_file_exists(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 && S_ISREG(info.st_mode);
}

bool base_file_filled(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 0;
}

bool base_name_taken(const char *path) {
    struct stat info;
    return lstat(path, &info) == 0;
}

bool base_folder_exists(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

admmnn_status base_path_join(char *out, size_t size, const char *folder, const char *name,
                             admmnn_error *err) {
    size_t length = strlen(folder);
    const char *slash = length > 0 && folder[length - 1] == '/' ? "" : "/";
    int used = snprintf(out, size, "%s%s%s", folder, slash, name);
    if (used < 0 || (size_t)used >= size)
        return base_fail(err, ADMMNN_INPUT, "%.64s/%.64s: path too long", folder, name);
    return ADMMNN_OK;
}

admmnn_status base_path_folder(char *out, size_t size, const char *path, admmnn_error *err) {
    const char *slash = strrchr(path, '/');
    const size_t length = slash == NULL || slash == path ? 1 : (size_t)(slash - path);
    if (length >= size)
        return base_fail(err, ADMMNN_INPUT, "%.128s: path too long", path);
    memcpy(out, slash == NULL ? "." : path, length);
    out[length] = 0;
    return ADMMNN_OK;
}
