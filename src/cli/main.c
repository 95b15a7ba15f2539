#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "fail.h"
#include "help.h"
#include "options.h"
#include "print.h"
#include "suggest.h"

/* The words of argv[1...] that name the command: 1, or 2 as in "data fetch"; 0 when
 * there is none of that name. */
static int name_words(const cli_command *command, int count, char *const *words) {
    const char *space = strchr(command->name, ' ');
    if (space == NULL)
        return strcmp(words[0], command->name) == 0 ? 1 : 0;
    size_t first = (size_t)(space - command->name);
    if (count < 2 || strlen(words[0]) != first || strncmp(words[0], command->name, first) != 0)
        return 0;
    return strcmp(words[1], space + 1) == 0 ? 2 : 0;
}

static bool is_group(const char *word) {
    size_t length = strlen(word);
    for (const cli_command *const *c = cli_commands; *c != NULL; c++)
        if (strncmp((*c)->name, word, length) == 0 && (*c)->name[length] == ' ')
            return true;
    return false;
}

static admmnn_status unknown_command(int count, char *const *words, admmnn_error *err) {
    char typed[128];
    bool group = is_group(words[0]);
    if (group && count < 2)
        return cli_fail(err, ADMMNN_USAGE, "%s: what to do is missing; see 'admmnn %s --help'",
                        words[0], words[0]);
    snprintf(typed, sizeof typed, "%.60s%s%.60s", words[0], group ? " " : "",
             group ? words[1] : "");
    cli_suggestion best = cli_suggest_command(typed);
    if (best.word[0] != 0)
        return cli_fail(err, ADMMNN_USAGE, "unknown command '%s'; did you mean '%s'?", typed,
                        best.word);
    return cli_fail(err, ADMMNN_USAGE, "unknown command '%s'; 'admmnn help' lists them", typed);
}

static bool is_one_of(const char *word, const char *a, const char *b) {
    return strcmp(word, a) == 0 || strcmp(word, b) == 0;
}

static admmnn_status run_command(const cli_command *command, int count, char *const *words,
                                 admmnn_error *err) {
    cli_arguments arguments = {0};
    CLI_TRY(cli_options_read(command, count, words, &arguments, err));
    if (!arguments.help)
        return command->run(&arguments, err);
    cli_help_command(command);
    return ADMMNN_OK;
}

static admmnn_status option_first(const char *before, const char *word, admmnn_error *err) {
    return cli_fail(err, ADMMNN_USAGE,
                    "%s%s'%.40s' stands before the command; options follow it, as in 'admmnn show "
                    "DIR --json'",
                    before, before[0] == 0 ? "" : ": ", word);
}

static admmnn_status dispatch(int count, char *const *words, admmnn_error *err) {
    if (count == 0)
        return cli_fail(err, ADMMNN_USAGE, "a command is missing; 'admmnn help' lists them");
    if (is_one_of(words[0], "--help", "-h"))
        return run_command(&cli_help, count - 1, words + 1, err);
    if (is_one_of(words[0], "--version", "-V"))
        return run_command(&cli_version, count - 1, words + 1, err);
    if (words[0][0] == '-')
        return option_first("", words[0], err);
    for (const cli_command *const *c = cli_commands; *c != NULL; c++) {
        int used = name_words(*c, count, words);
        if (used > 0)
            return run_command(*c, count - used, words + used, err);
    }
    if (count >= 2 && is_group(words[0]) && is_one_of(words[1], "--help", "-h")) {
        cli_help_group(words[0]);
        return ADMMNN_OK;
    }
    if (count >= 2 && is_group(words[0]) && words[1][0] == '-')
        return option_first(words[0], words[1], err);
    return unknown_command(count, words, err);
}

int main(int argc, char **argv) {
    admmnn_error err = {.status = ADMMNN_OK};
    cli_print_begin();
    admmnn_status status = dispatch(argc > 1 ? argc - 1 : 0, argv + 1, &err);
    /* What was printed before a failure is written out too; the first failure speaks. */
    admmnn_error unwritten = {.status = ADMMNN_OK};
    admmnn_status written = cli_print_end(&unwritten);
    if (status == ADMMNN_OK && written != ADMMNN_OK) {
        status = written;
        err = unwritten;
    }
    if (status != ADMMNN_OK)
        cli_note(status == ADMMNN_CANCELLED ? "" : "error: ",
                 err.message[0] != 0 ? err.message : admmnn_status_text(status));
    return admmnn_status_exit(status);
}
