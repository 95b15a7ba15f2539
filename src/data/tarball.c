#include "data/tarball.h"

#include <archive.h>
#include <archive_entry.h>
#include <string.h>

#include "base/memory.h"

#define BLOCK_BYTES ((size_t)1 << 16)

struct tarball {
    const char *path;
    struct archive *archive;
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

admmnn_status tarball_open(const char *path, tarball **out, admmnn_error *err) {
    if (!base_file_exists(path))
        return base_fail(err, ADMMNN_NOT_FOUND, "%s: no such file", path);
    tarball *t = base_array(1, sizeof *t);
    if (t == NULL)
        return base_fail_memory(err, path);
    *t = (tarball){.path = path, .archive = archive_read_new()};
    if (t->archive == NULL) {
        tarball_close(t);
        return base_fail_memory(err, path);
    }
    archive_read_support_filter_gzip(t->archive);
    archive_read_support_filter_zstd(t->archive);
    archive_read_support_format_tar(t->archive);
    if (archive_read_open_filename(t->archive, path, BLOCK_BYTES) != ARCHIVE_OK) {
        const admmnn_status status = fail(t, err);
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
    base_free(t);
}

/* The last of libarchive's filters is the file itself. */
bool tarball_is_compressed(const tarball *t) {
    return archive_filter_code(t->archive, 0) != ARCHIVE_FILTER_NONE;
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
