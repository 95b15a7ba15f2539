/* The nearest of several words: what a mistyped one was meant to be. */
#ifndef CLI_SUGGEST_H
#define CLI_SUGGEST_H

#include <stddef.h>

typedef struct cli_suggestion {
    const char *word;
    size_t distance;
} cli_suggestion;

/* Begins a search for what is near `typed`: nothing found yet. */
cli_suggestion cli_suggest_begin(const char *typed);
/* Keeps candidate when it is nearer than what was found so far. */
void cli_suggest_try(cli_suggestion *best, const char *typed, const char *candidate);

#endif
