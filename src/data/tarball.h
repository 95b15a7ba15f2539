/* Archives of the tar family (ustar, pax, GNU), plain or compressed by gzip or zstd, read by
 * libarchive; several one after another are one. Checksums of gzip and zstd must hold: at the
 * end they are all looked at. Nothing is ever written: names are only compared. */
#ifndef DATA_TARBALL_H
#define DATA_TARBALL_H

#include <stdbool.h>

#include "base/file.h"

typedef struct tarball tarball;

/* A regular file in it; name lives until the next one is asked for. offset: of its bytes in
 * the archive's file, where that is not compressed. */
typedef struct tarball_member {
    const char *name;
    uint64_t size, offset;
} tarball_member;

/* Whether a name ends like such an archive's: .tar, .tar.gz, .tgz, .tar.zst. */
bool tarball_named(const char *path);

/* The archive is the caller's, closed with tarball_close. */
admmnn_status tarball_open(const char *path, tarball **out, admmnn_error *err);
void tarball_close(tarball *t);
bool tarball_is_compressed(const tarball *t); /* known after the first member */

/* The next regular file that is all there (no holes); *found false at the end. Damage:
 * ADMMNN_CORRUPT. */
admmnn_status tarball_next(tarball *t, tarball_member *member, bool *found, admmnn_error *err);
/* The bytes of the member that was told last into to[member->size]. */
admmnn_status tarball_read(tarball *t, const tarball_member *member, uint8_t *to,
                           admmnn_error *err);

const char *tarball_base_name(const tarball_member *member); /* without its folders */

/* The bytes of the first member of this name, in whichever folder, into a new array (base_free).
 * None: ADMMNN_NOT_FOUND; more than limit bytes: ADMMNN_INPUT. The archive is not read beyond it,
 * so that the caller must know the bytes. */
admmnn_status tarball_take(const char *path, const char *name, size_t limit, uint8_t **bytes,
                           size_t *count, admmnn_error *err);

#endif
