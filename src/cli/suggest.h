/* The nearest of several words: what a mistyped one was meant to be. */
#ifndef CLI_SUGGEST_H
#define CLI_SUGGEST_H

#include <stddef.h>

#define CLI_WORD_MAX 32

typedef struct cli_suggestion {
    char word[CLI_WORD_MAX + 1]; /* empty: none is near */
    size_t distance;
} cli_suggestion;

/* Begins a search for what is near `typed`: nothing found yet. */
cli_suggestion cli_suggest_begin(const char *typed);
/* Keeps candidate when it is nearer than what was found so far. */
void cli_suggest_try(cli_suggestion *best, const char *typed, const char *candidate);

/* The nearest command, or first word of one: "data" of "data fetch". */
cli_suggestion cli_suggest_command(const char *typed);

#endif
