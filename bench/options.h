/* What a benchmark reads and leaves: options, a sample, an exit status. */
#ifndef BENCH_OPTIONS_H
#define BENCH_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* An option and where its value goes: one of the three. */
typedef struct bench_option {
    const char *name; /* "--batch" */
    unsigned *number;
    double *real;
    const char **text;
} bench_option;

/* Reads `--name value` for each of options[count], and --json, which has no value.
 * False for an option that is unknown, or whose value is absent or no number. */
bool bench_options_read(int argc, char **argv, const bench_option *options, size_t count,
                        bool *json);

/* For a peer to compare with: a sample and what was made of it, as floats, in input.f32 and
 * output.f32 of the folder. */
admmnn_status bench_leave(const char *folder, const float *input, size_t inputs,
                          const float *output, size_t outputs, admmnn_error *err);

/* The exit status, with the error on standard error when there is one. */
int bench_exit(const char *program, admmnn_status status, const admmnn_error *err);

#endif
