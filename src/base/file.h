/* Files, written whole or not at all. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Opens a file to read it; the descriptor is the caller's to close. What is no regular
 * file (a folder, pipe, device) is ADMMNN_INPUT, absent is ADMMNN_NOT_FOUND;
 * *descriptor is then -1. */
admmnn_status base_file_open(const char *path, int *descriptor, size_t *size, admmnn_error *err);

/* Opens what lies below the folder to read it, by a path whose names are neither links nor "..":
 * one that becomes a link after a caller's look at it is refused all the same. The descriptor is
 * the caller's to close; -1 with errno. */
int base_file_open_below(const char *folder, const char *path);

/* Reads a whole file, opened by base_file_open. *bytes is the caller's, freed with base_free; one
 * zero byte stands after the last, so that text may be read as a string. Larger than limit bytes is
 * ADMMNN_INPUT. */
admmnn_status base_file_read(const char *path, size_t limit, uint8_t **bytes, size_t *count,
                             admmnn_error *err);

/* Temporary file in the same folder, fsync, rename, fsync of the folder: after
 * a kill at any moment path holds either its old content or all of the new.
 * Through links; what exists and is no regular file is refused. */
admmnn_status base_file_write(const char *path, const void *bytes, size_t count, admmnn_error *err);

/* Fails as base_file_write would for what stands under the name now. */
admmnn_status base_file_check_write(const char *path, admmnn_error *err);
/* And that its folder takes files: of what is written after long work, and of its one folder. */
admmnn_status base_file_probe_write(const char *path, admmnn_error *err);
/* Makes and removes a file in the folder: permissions alone do not tell whether that can be. */
admmnn_status base_folder_check_write(const char *path, admmnn_error *err);

/* Makes path and the folders above it. */
admmnn_status base_folder_make(const char *path, admmnn_error *err);
/* Fails where it could not, or what it makes would take no file: of a folder that is made after
 * long work. Makes nothing that stays. */
admmnn_status base_folder_check_make(const char *path, admmnn_error *err);

/* Keeps other processes that ask for it out of a folder until base_folder_unlock
 * or the process's end; a second one is ADMMNN_USAGE. Nothing is left in it. */
admmnn_status base_folder_lock(const char *path, int *lock, admmnn_error *err);
void base_folder_unlock(int lock); /* below 0: nothing to do */

/* Removes what writers of the folder's names[count] that are no more left unfinished. */
void base_folder_sweep(const char *path, const char *const *names, size_t count);

/* Whether both names lead to one existing file. */
bool base_file_same(const char *a, const char *b);
bool base_file_exists(const char *path);
bool base_file_filled(const char *path); /* exists and is not empty */
bool base_name_taken(const char *path);  /* by anything, a link that leads nowhere too */
bool base_folder_exists(const char *path);

/* Joins with one slash into out[size]; ADMMNN_INPUT when it does not fit. */
admmnn_status base_path_join(char *out, size_t size, const char *folder, const char *name,
                             admmnn_error *err);

/* The folder of a file's path, "." where it names none, in the same way. */
admmnn_status base_path_folder(char *out, size_t size, const char *path, admmnn_error *err);

#define BASE_PATH_MAX 4096

#endif
