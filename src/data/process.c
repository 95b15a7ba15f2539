#define _XOPEN_SOURCE 700 /* nftw, mkdtemp */
#include "data/process.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define WAIT_MS 100

extern char **environ;

/* Both ends closed on exec: the child gets copies as its output. */
static bool open_pipe(int ends[2]) {
    if (pipe(ends) != 0)
        return false;
    if (fcntl(ends[0], F_SETFD, FD_CLOEXEC) == 0 && fcntl(ends[1], F_SETFD, FD_CLOEXEC) == 0 &&
        fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0)
        return true;
    close(ends[0]);
    close(ends[1]);
    return false;
}

/* 0 or an errno. */
static int spawn(const char *const *argv, int output, pid_t *child) {
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    int error = posix_spawn_file_actions_init(&files);
    if (error != 0)
        return error;
    error = posix_spawnattr_init(&attributes);
    if (error != 0) {
        posix_spawn_file_actions_destroy(&files);
        return error;
    }
    error = posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    if (error == 0)
        error = posix_spawn_file_actions_adddup2(&files, output, 1);
    if (error == 0)
        error = posix_spawn_file_actions_adddup2(&files, output, 2);
    if (error == 0)
        error = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    if (error == 0)
        error =
            posix_spawnp(child, argv[0], &files, &attributes, (char **)(uintptr_t)argv, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    return error;
}

/* Reads what is there, a bounded part of it, as a child that never stops writing
 * must not hold us; what does not fit is dropped, lest the child wait for us.
 * False at the end of the output. */
static bool drain(int output, char *text, size_t size, size_t *used) {
    char chunk[1024];
    for (int i = 0; i < 64; i++) {
        ssize_t got = read(output, chunk, sizeof chunk);
        if (got <= 0)
            return got < 0 && (errno == EAGAIN || errno == EINTR);
        size_t room = size - 1 - *used;
        size_t kept = (size_t)got < room ? (size_t)got : room;
        memcpy(text + *used, chunk, kept);
        *used += kept;
    }
    return true;
}

static void make_one_line(char *text, size_t used) {
    while (used > 0 && (unsigned char)text[used - 1] <= ' ')
        used--;
    text[used] = 0;
    for (size_t i = 0; i < used; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 127)
            text[i] = ' ';
}

static void kill_group(pid_t child) {
    kill(-child, SIGKILL);
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
        continue;
}

/* Collects output until the child has ended. */
static admmnn_status follow(pid_t child, int output, data_watch *watch, char *text, size_t size,
                            int *ended, admmnn_error *err) {
    size_t used = 0;
    struct pollfd ready = {.fd = output, .events = POLLIN};
    admmnn_status status = ADMMNN_OK;
    pid_t result = 0;
    while (result == 0) {
        status = data_watch_show(watch, 0, err);
        if (status != ADMMNN_OK) {
            kill_group(child);
            break;
        }
        (void)poll(&ready, 1, WAIT_MS);
        if (ready.fd >= 0 && !drain(output, text, size, &used))
            ready.fd = -1; /* poll then only waits */
        result = waitpid(child, ended, WNOHANG);
        if (result < 0 && errno == EINTR)
            result = 0;
    }
    if (ready.fd >= 0)
        (void)drain(output, text, size, &used);
    make_one_line(text, used);
    if (result < 0)
        return base_fail(err, ADMMNN_IO, "cannot wait for it: %s", strerror(errno));
    return status;
}

admmnn_status data_process_run(const char *const *argv, data_watch *watch, char *text, size_t size,
                               admmnn_error *err) {
    int ends[2];
    pid_t child;
    int ended = 0;
    text[0] = 0;
    if (!open_pipe(ends))
        return base_fail(err, ADMMNN_IO, "cannot make a pipe: %s", strerror(errno));
    int error = spawn(argv, ends[1], &child);
    close(ends[1]);
    if (error != 0) {
        close(ends[0]);
        return base_fail(err, error == ENOENT ? ADMMNN_NOT_FOUND : ADMMNN_IO, "cannot run %s: %s",
                         argv[0], strerror(error));
    }
    admmnn_status status = follow(child, ends[0], watch, text, size, &ended, err);
    close(ends[0]);
    BASE_TRY(status);
    if (WIFEXITED(ended) && WEXITSTATUS(ended) == 0)
        return ADMMNN_OK;
    if (WIFEXITED(ended))
        return base_fail(err, ADMMNN_IO, "%s ended with status %d: %s", argv[0], WEXITSTATUS(ended),
                         text);
    return base_fail(err, ADMMNN_IO, "%s was ended by signal %d", argv[0], WTERMSIG(ended));
}

admmnn_status data_temporary_make(char path[BASE_PATH_MAX], admmnn_error *err) {
    const char *base = getenv("TMPDIR");
    if (base == NULL || base[0] == 0)
        base = "/tmp";
    BASE_TRY(base_path_join(path, BASE_PATH_MAX, base, "admmnn-XXXXXX", err));
    if (mkdtemp(path) == NULL)
        return base_fail(err, ADMMNN_IO, "%s: cannot make a temporary folder: %s", base,
                         strerror(errno));
    return ADMMNN_OK;
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *place) {
    (void)info;
    (void)kind;
    (void)place;
    (void)remove(path);
    return 0; /* what cannot be removed keeps nothing else from it */
}

void data_temporary_remove(const char *path) {
    const int descriptors = 16;
    (void)nftw(path, remove_entry, descriptors, FTW_DEPTH | FTW_PHYS);
}
