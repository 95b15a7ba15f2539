#include "options.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "suggest.h"

typedef struct reader {
    const cli_command *command;
    int count, at;
    char *const *words;
    cli_arguments *arguments;
} reader;

static const cli_option *find_in(const cli_option *options, const char *name, size_t length,
                                 char letter) {
    for (; options != NULL && options->name != NULL; options++) {
        if (letter != 0 && options->letter == letter)
            return options;
        if (letter == 0 && strlen(options->name) == length &&
            memcmp(options->name, name, length) == 0)
            return options;
    }
    return NULL;
}

static const cli_option *find(const cli_command *command, const char *name, size_t length,
                              char letter) {
    const cli_option *found = find_in(command->options, name, length, letter);
    return found != NULL ? found : find_in(cli_common_options, name, length, letter);
}

static admmnn_status unknown_option(const cli_command *command, const char *word, size_t length,
                                    admmnn_error *err) {
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)(length < 63 ? length : 63), word);
    const cli_option *const tables[] = {command->options, cli_common_options};
    cli_suggestion best = cli_suggest_begin(name);
    for (size_t t = 0; t < 2; t++)
        for (const cli_option *o = tables[t]; o != NULL && o->name != NULL; o++)
            cli_suggest_try(&best, name, o->name);
    if (best.word[0] != 0)
        return cli_fail(err, ADMMNN_USAGE, "%s: unknown option '--%s'; did you mean '--%s'?",
                        command->name, name, best.word);
    return cli_fail(err, ADMMNN_USAGE, "%s: unknown option '--%s'; see 'admmnn %s --help'",
                    command->name, name, command->name);
}

static admmnn_status read_number(const reader *r, const cli_option *option, const char *text,
                                 cli_number *number, admmnn_error *err) {
    uint64_t value = 0;
    bool fits = *text != 0;
    for (const char *c = text; *c != 0 && fits; c++) {
        uint64_t digit = (uint64_t)(*c - '0');
        fits = *c >= '0' && *c <= '9' && value <= (UINT64_MAX - digit) / 10;
        value = fits ? value * 10 + digit : value;
    }
    if (option->least == option->greatest && (!fits || value != option->least))
        return cli_fail(err, ADMMNN_USAGE, "%s: --%s: '%.40s'; there is %" PRIu64 " alone",
                        r->command->name, option->name, text, option->least);
    if (!fits || value < option->least || value > option->greatest)
        return cli_fail(err, ADMMNN_USAGE,
                        "%s: --%s: '%.40s' is not a whole number from %" PRIu64 " to %" PRIu64,
                        r->command->name, option->name, text, option->least, option->greatest);
    *number = (cli_number){.given = true, .value = value};
    return ADMMNN_OK;
}

static admmnn_status read_real(const reader *r, const cli_option *option, const char *text,
                               cli_real *real, admmnn_error *err) {
    char *end;
    const bool plain = text[strspn(text, "0123456789+-.eE")] == 0 || strcmp(text, "inf") == 0;
    real->given = true;
    real->value = strtod(text, &end);
    if (!plain || end == text || *end != 0)
        return cli_fail(err, ADMMNN_USAGE, "%s: --%s: '%.40s' is not a number", r->command->name,
                        option->name, text);
    return ADMMNN_OK;
}

static admmnn_status read_text(const reader *r, const cli_option *option, const char *value,
                               const char **text, admmnn_error *err) {
    if (option->once && *text != NULL)
        return cli_fail(err, ADMMNN_USAGE, "%s: --%s is given twice, as '%.80s' and as '%.80s'",
                        r->command->name, option->name, *text, value);
    *text = value;
    return ADMMNN_OK;
}

/* value: what stood after "=", or NULL. */
static admmnn_status store(reader *r, const cli_option *option, const char *value,
                           admmnn_error *err) {
    char *place = (char *)r->arguments + option->offset;
    if (option->kind == CLI_FLAG) {
        if (value != NULL)
            return cli_fail(err, ADMMNN_USAGE, "%s: --%s takes no value", r->command->name,
                            option->name);
        *(bool *)(void *)place = true;
        return ADMMNN_OK;
    }
    if (value == NULL && r->at < r->count) {
        value = r->words[r->at++];
        if (strncmp(value, "--", 2) == 0)
            return cli_fail(err, ADMMNN_USAGE,
                            "%s: --%s: %s is missing before '%.40s'; what begins so is given as "
                            "--%s=%.40s",
                            r->command->name, option->name, option->value, value, option->name,
                            value);
    }
    if (value == NULL || *value == 0)
        return cli_fail(err, ADMMNN_USAGE, "%s: --%s: %s is missing", r->command->name,
                        option->name, option->value);
    if (option->kind == CLI_NUMBER)
        return read_number(r, option, value, (cli_number *)(void *)place, err);
    if (option->kind == CLI_REAL)
        return read_real(r, option, value, (cli_real *)(void *)place, err);
    return read_text(r, option, value, (const char **)(void *)place, err);
}

static admmnn_status read_long(reader *r, const char *word, admmnn_error *err) {
    const char *equals = strchr(word, '=');
    size_t length = equals == NULL ? strlen(word) : (size_t)(equals - word);
    const cli_option *option = find(r->command, word, length, 0);
    if (option == NULL)
        return unknown_option(r->command, word, length, err);
    return store(r, option, equals == NULL ? NULL : equals + 1, err);
}

/* word: "o", "oVALUE". Flags are not written in one ("-qf"), and "-o=VALUE" could
 * mean either of two values. */
static admmnn_status read_short(reader *r, const char *word, admmnn_error *err) {
    const cli_option *option = find(r->command, NULL, 0, word[0]);
    const char *rest = word[1] == 0 ? NULL : word + 1;
    if (option == NULL)
        return cli_fail(err, ADMMNN_USAGE, "%s: unknown option '-%.40s'; see 'admmnn %s --help'",
                        r->command->name, word, r->command->name);
    if (rest != NULL && option->kind == CLI_FLAG)
        return cli_fail(err, ADMMNN_USAGE,
                        "%s: -%c takes no value: '-%.40s'; one dash is for one option",
                        r->command->name, word[0], word);
    if (rest != NULL && *rest == '=')
        return cli_fail(err, ADMMNN_USAGE, "%s: '-%.40s': give it as -%c VALUE or --%s=VALUE",
                        r->command->name, word, word[0], option->name);
    return store(r, option, rest, err);
}

static admmnn_status read_operand(reader *r, const char *word, admmnn_error *err) {
    if (r->arguments->operand_count == r->command->operands_most)
        return cli_fail(err, ADMMNN_USAGE,
                        "%s: '%.80s' is one argument too many; see 'admmnn %s "
                        "--help'",
                        r->command->name, word, r->command->name);
    r->arguments->operands[r->arguments->operand_count++] = word;
    return ADMMNN_OK;
}

static admmnn_status check_complete(const reader *r, admmnn_error *err) {
    const cli_command *command = r->command;
    char usage[256];
    cli_usage(command, usage, sizeof usage);
    if (r->arguments->operand_count < command->operands_least)
        return cli_fail(err, ADMMNN_USAGE, "%s: %s is missing; usage: admmnn %s %s", command->name,
                        command->operands, command->name, usage);
    for (const cli_option *o = command->options; o != NULL && o->name != NULL; o++) {
        const char *const *place =
            (const char *const *)(const void *)((const char *)r->arguments + o->offset);
        if (o->required && *place == NULL)
            return cli_fail(err, ADMMNN_USAGE, "%s: --%s %s is missing; usage: admmnn %s %s",
                            command->name, o->name, o->value, command->name, usage);
    }
    return ADMMNN_OK;
}

admmnn_status cli_options_read(const cli_command *command, int count, char *const *words,
                               cli_arguments *arguments, admmnn_error *err) {
    reader r = {.command = command, .count = count, .words = words, .arguments = arguments};
    bool options = true;
    while (r.at < count) {
        const char *word = words[r.at++];
        if (options && strcmp(word, "--") == 0)
            options = false;
        else if (options && word[0] == '-' && word[1] == '-')
            CLI_TRY(read_long(&r, word + 2, err));
        else if (options && word[0] == '-' && word[1] != 0)
            CLI_TRY(read_short(&r, word + 1, err));
        else
            CLI_TRY(read_operand(&r, word, err));
        if (arguments->help)
            return ADMMNN_OK;
    }
    return check_complete(&r, err);
}

void cli_usage(const cli_command *command, char *text, size_t size) {
    size_t used = (size_t)snprintf(text, size, "%s", command->operands);
    for (const cli_option *o = command->options; o != NULL && o->name != NULL; o++)
        if (o->required && used < size)
            used += (size_t)snprintf(text + used, size - used, "%s--%s %s", used == 0 ? "" : " ",
                                     o->name, o->value);
    if (used < size)
        snprintf(text + used, size - used, "%s[options]", used == 0 ? "" : " ");
}
