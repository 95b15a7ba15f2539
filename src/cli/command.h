/* A subcommand is a table: what it takes, what its help says, what it does. The
 * reader of options, --help, the man page and the completion all read it. */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "admmnn/error.h"

#define CLI_OPERANDS_MAX 2

typedef struct cli_number {
    bool given;
    uint64_t value;
} cli_number;

typedef struct cli_real {
    bool given;
    double value;
} cli_real;

static inline uint64_t cli_number_or(cli_number given, uint64_t fallback) {
    return given.given ? given.value : fallback;
}

static inline double cli_real_or(cli_real given, double fallback) {
    return given.given ? given.value : fallback;
}

/* What the words after the subcommand said; strings are argv's or a table's. */
typedef struct cli_arguments {
    bool help, json, quiet;
    bool resume, force, man, completion, external_data, int8, break_even;
    cli_number threads, seed, seeds, starts, iterations, last, gradient_steps, nodes;
    cli_number dimension, instances, pgd_iterations, epochs, batch, resize, max_damaged,
        activations;
    cli_real rho, rho_relative, beta, probability, tolerance, start_scale, condition, spacing;
    cli_real learning_rate, seconds;
    const char *out, *from, *data, *format, *mean, *deviation, *input, *name;
    const char *methods, *ratios, *positions, *values, *weights;
    const char *plot, *q, *b, *set, *start, *method, *x_step, *recipes;
    const char *operands[CLI_OPERANDS_MAX];
    size_t operand_count;
} cli_arguments;

typedef enum cli_kind {
    CLI_FLAG,   /* a bool */
    CLI_TEXT,   /* a const char * */
    CLI_NUMBER, /* a cli_number from least to greatest */
    CLI_REAL    /* a cli_real; which values make sense is the library's to say */
} cli_kind;

typedef struct cli_option {
    const char *name; /* without the dashes; NULL ends a table */
    char letter;      /* the short form; 0: none */
    cli_kind kind;
    bool required;
    bool once;     /* of a CLI_TEXT: a second one would be lost; of all others the last counts */
    size_t offset; /* in cli_arguments */
    const char *value; /* how the help calls the value; NULL: a flag */
    uint64_t least, greatest;
    const char *fallback; /* the default as the help gives it; NULL: none */
    const char *words;    /* that the value may be, spaces between; NULL: any text */
    bool list;            /* several of them, with commas between */
    const char *help;
} cli_option;

typedef struct cli_example {
    const char *command; /* NULL ends a list */
    const char *what;
} cli_example;

typedef struct cli_command {
    const char *name;     /* one word, or two as in "data fetch" */
    const char *operands; /* as the usage line gives them: "RECIPE" */
    size_t operands_least, operands_most;
    const char *operand_words; /* that an operand may be, spaces between; NULL: any text */
    const char *summary;       /* one line */
    const char *description;   /* paragraphs with an empty line between */
    const cli_option *options;
    const cli_example *examples;
    admmnn_status (*run)(const cli_arguments *arguments, admmnn_error *err);
} cli_command;

/* All subcommands in the order of the help, NULL-terminated. */
extern const cli_command *const cli_commands[];
/* --threads, --json, --quiet, --help: every subcommand takes them. */
extern const cli_option cli_common_options[];

#endif
