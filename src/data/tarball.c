#include "data/tarball.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/memory.h"

#define BLOCK_BYTES ((size_t)1 << 16)

struct tarball {
    const char *path;
    struct archive *archive;
    gzFile file;
    uint8_t block[BLOCK_BYTES];
};

static bool ends_with(const char *text, const char *end) {
    const size_t length = strlen(text);
    const size_t end_length = strlen(end);
    return length > end_length && strcmp(text + length - end_length, end) == 0;
}

bool tarball_named(const char *path) {
    static const char *const ends[] = {".tar", ".tar.gz", ".tgz", ".tar.zst"};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        if (ends_with(path, ends[i]))
            return true;
    return false;
}

static admmnn_status fail(const tarball *t, admmnn_error *err) {
    const char *reason = archive_error_string(t->archive);
    return base_fail(err, ADMMNN_CORRUPT, "%s: damaged archive: %s", t->path,
                     reason == NULL ? "it cannot be read" : reason);
}

/* ---- what libarchive reads: the bytes of a file, out of gzip where they are in it ----
 * libarchive's own filter for gzip does not look at the checksum. */

static la_ssize_t read_block(struct archive *archive, void *user, const void **block) {
    tarball *t = user;
    int code = Z_OK;
    const int got = gzread(t->file, t->block, BLOCK_BYTES);
    if (got <= 0)
        (void)gzerror(t->file, &code);
    *block = t->block;
    if (code == Z_OK)
        return got;
    archive_set_error(archive, EINVAL, "%s",
                      code == Z_ERRNO       ? "it cannot be read"
                      : code == Z_BUF_ERROR ? "the gzip data ends too early"
                                            : "the gzip data is not what was packed");
    return ARCHIVE_FATAL;
}

/* All but the last byte: the end of a file that was cut off is seen by reading there. */
static la_int64_t skip_bytes(struct archive *archive, void *user, la_int64_t count) {
    tarball *t = user;
    (void)archive;
    if (count < (la_int64_t)BLOCK_BYTES || gzdirect(t->file) == 0)
        return 0;
    return gzseek(t->file, (z_off_t)(count - 1), SEEK_CUR) < 0 ? 0 : count - 1;
}

static admmnn_status open_file(tarball *t, admmnn_error *err) {
    int descriptor;
    size_t size;
    BASE_TRY(base_file_open(t->path, &descriptor, &size, err));
    t->file = gzdopen(descriptor, "rb");
    if (t->file != NULL && gzbuffer(t->file, (unsigned)BLOCK_BYTES) == 0)
        return ADMMNN_OK;
    if (t->file == NULL)
        close(descriptor);
    return base_fail_memory(err, t->path);
}

/* Archives one after another are one, for then all is read to the end of the file: there
 * the checksums are. */
static admmnn_status open_archive(tarball *t, admmnn_error *err) {
    t->archive = archive_read_new();
    if (t->archive == NULL)
        return base_fail_memory(err, t->path);
    archive_read_support_filter_zstd(t->archive);
    archive_read_support_format_tar(t->archive);
    archive_read_set_format_option(t->archive, "tar", "read_concatenated_archives", "1");
    archive_read_set_read_callback(t->archive, read_block);
    archive_read_set_skip_callback(t->archive, skip_bytes);
    archive_read_set_callback_data(t->archive, t);
    return archive_read_open1(t->archive) == ARCHIVE_OK ? ADMMNN_OK : fail(t, err);
}

admmnn_status tarball_open(const char *path, tarball **out, admmnn_error *err) {
    tarball *t = base_array(1, sizeof *t);
    if (t == NULL)
        return base_fail_memory(err, path);
    t->path = path;
    admmnn_status status = open_file(t, err);
    if (status == ADMMNN_OK)
        status = open_archive(t, err);
    if (status != ADMMNN_OK) {
        tarball_close(t);
        return status;
    }
    *out = t;
    return ADMMNN_OK;
}

void tarball_close(tarball *t) {
    if (t == NULL)
        return;
    archive_read_free(t->archive);
    if (t->file != NULL)
        gzclose(t->file);
    base_free(t);
}

/* The last of libarchive's filters is the file itself. */
bool tarball_is_compressed(const tarball *t) {
    return gzdirect(t->file) == 0 || archive_filter_code(t->archive, 0) != ARCHIVE_FILTER_NONE;
}

/* ---- members ---- */

const char *tarball_base_name(const tarball_member *member) {
    const char *slash = strrchr(member->name, '/');
    return slash == NULL ? member->name : slash + 1;
}

static bool is_whole_file(struct archive_entry *entry) {
    return archive_entry_filetype(entry) == AE_IFREG && archive_entry_hardlink(entry) == NULL &&
           archive_entry_sparse_count(entry) == 0 && archive_entry_size_is_set(entry) &&
           archive_entry_size(entry) >= 0 && archive_entry_pathname(entry) != NULL;
}

admmnn_status tarball_next(tarball *t, tarball_member *member, bool *found, admmnn_error *err) {
    struct archive_entry *entry;
    int result = archive_read_next_header(t->archive, &entry);
    while ((result == ARCHIVE_OK || result == ARCHIVE_WARN) && !is_whole_file(entry))
        result = archive_read_next_header(t->archive, &entry);
    *found = result != ARCHIVE_EOF;
    if (!*found)
        return ADMMNN_OK;
    if (result != ARCHIVE_OK && result != ARCHIVE_WARN)
        return fail(t, err);
    *member = (tarball_member){.name = archive_entry_pathname(entry),
                               .size = (uint64_t)archive_entry_size(entry),
                               .offset = (uint64_t)archive_filter_bytes(t->archive, 0)};
    return ADMMNN_OK;
}

admmnn_status tarball_read(tarball *t, const tarball_member *member, uint8_t *to,
                           admmnn_error *err) {
    size_t done = 0;
    while (done < member->size) {
        const la_ssize_t got = archive_read_data(t->archive, to + done, member->size - done);
        if (got < 0)
            return fail(t, err);
        if (got == 0)
            return base_fail(err, ADMMNN_CORRUPT, "%s: %s ends too early", t->path, member->name);
        done += (size_t)got;
    }
    return ADMMNN_OK;
}

static admmnn_status read_found(tarball *t, const tarball_member *member, size_t limit,
                                uint8_t **bytes, size_t *count, admmnn_error *err) {
    if (member->size > limit)
        return base_fail(err, ADMMNN_INPUT, "%s: %s is larger than the %zu bytes that it may have",
                         t->path, member->name, limit);
    uint8_t *taken = base_array((size_t)member->size, 1);
    if (taken == NULL)
        return base_fail_memory(err, t->path);
    const admmnn_status status = tarball_read(t, member, taken, err);
    if (status != ADMMNN_OK) {
        base_free(taken);
        return status;
    }
    *bytes = taken;
    *count = (size_t)member->size;
    return ADMMNN_OK;
}

static admmnn_status find_and_read(tarball *t, const char *name, size_t limit, uint8_t **bytes,
                                   size_t *count, admmnn_error *err) {
    tarball_member member;
    bool found;
    BASE_TRY(tarball_next(t, &member, &found, err));
    while (found && strcmp(tarball_base_name(&member), name) != 0)
        BASE_TRY(tarball_next(t, &member, &found, err));
    if (found)
        return read_found(t, &member, limit, bytes, count, err);
    return base_fail(err, ADMMNN_NOT_FOUND, "%s: holds no %s", t->path, name);
}

admmnn_status tarball_take(const char *path, const char *name, size_t limit, uint8_t **bytes,
                           size_t *count, admmnn_error *err) {
    tarball *t;
    BASE_TRY(tarball_open(path, &t, err));
    const admmnn_status status = find_and_read(t, name, limit, bytes, count, err);
    tarball_close(t);
    return status;
}
