#include "suggest.h"

#include <stdio.h>
#include <string.h>

#include "command.h"

static size_t least_of(size_t a, size_t b, size_t c) {
    size_t least = a < b ? a : b;
    return least < c ? least : c;
}

/* Optimal string alignment: insertions, deletions, substitutions and swaps of
 * neighbours count one each. Words longer than CLI_WORD_MAX are far from all. */
static size_t distance(const char *a, const char *b) {
    size_t rows = strlen(a);
    size_t columns = strlen(b);
    if (rows > CLI_WORD_MAX || columns > CLI_WORD_MAX)
        return (size_t)CLI_WORD_MAX + 1;
    size_t table[CLI_WORD_MAX + 1][CLI_WORD_MAX + 1];
    for (size_t i = 0; i <= rows; i++)
        table[i][0] = i;
    for (size_t j = 0; j <= columns; j++)
        table[0][j] = j;
    for (size_t i = 1; i <= rows; i++)
        for (size_t j = 1; j <= columns; j++) {
            size_t changed = table[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            size_t best = least_of(table[i - 1][j] + 1, table[i][j - 1] + 1, changed);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                table[i - 2][j - 2] + 1 < best)
                best = table[i - 2][j - 2] + 1;
            table[i][j] = best;
        }
    return table[rows][columns];
}

cli_suggestion cli_suggest_begin(const char *typed) {
    /* A third of the letters may differ; more is another word. */
    return (cli_suggestion){.word = "", .distance = strlen(typed) / 3 + 2};
}

void cli_suggest_try(cli_suggestion *best, const char *typed, const char *candidate) {
    size_t far = distance(typed, candidate);
    if (far >= best->distance)
        return;
    snprintf(best->word, sizeof best->word, "%s", candidate);
    best->distance = far;
}

cli_suggestion cli_suggest_command(const char *typed) {
    cli_suggestion best = cli_suggest_begin(typed);
    for (const cli_command *const *c = cli_commands; *c != NULL; c++) {
        char first[CLI_WORD_MAX + 1];
        snprintf(first, sizeof first, "%.*s", (int)strcspn((*c)->name, " "), (*c)->name);
        cli_suggest_try(&best, typed, first);
        cli_suggest_try(&best, typed, (*c)->name);
    }
    return best;
}
