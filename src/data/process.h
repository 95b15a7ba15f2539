/* Another program, run without a shell, and a place for what it writes. */
#ifndef DATA_PROCESS_H
#define DATA_PROCESS_H

#include "base/file.h"
#include "data/source.h"

/* Runs argv[0], found by PATH, in a process group of its own with empty input,
 * and waits for its end. The first bytes of what it prints, made one line, go to
 * text[size]. ADMMNN_NOT_FOUND where there is no such program, ADMMNN_IO where it
 * did not end with status 0; ADMMNN_CANCELLED after the whole group was killed. */
admmnn_status data_process_run(const char *const *argv, data_watch *watch, char *text, size_t size,
                               admmnn_error *err);

/* Makes an empty folder of a new name in $TMPDIR or /tmp. */
admmnn_status data_temporary_make(char path[BASE_PATH_MAX], admmnn_error *err);
/* Removes it and all in it; links are not followed. */
void data_temporary_remove(const char *path);

#endif
