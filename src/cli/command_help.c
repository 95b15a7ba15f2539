#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "fail.h"
#include "help.h"
#include "print.h"
#include "suggest.h"

static const cli_option options[] = {
    {.name = "man",
     .kind = CLI_FLAG,
     .offset = offsetof(cli_arguments, man),
     .help = "Print the man page admmnn(1) as roff."},
    {.name = "completion",
     .kind = CLI_FLAG,
     .offset = offsetof(cli_arguments, completion),
     .help = "Print the completion for bash."},
    {.name = NULL},
};

static const cli_example examples[] = {
    {"admmnn help compress", "What compress takes and does."},
    {"admmnn help --completion > ~/.local/share/bash-completion/completions/admmnn",
     "Completion for the present user."},
    {NULL, NULL},
};

static cJSON *option_object(const cli_option *option) {
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "name", option->name);
    if (option->value != NULL)
        cJSON_AddStringToObject(object, "value", option->value);
    if (option->fallback != NULL)
        cJSON_AddStringToObject(object, "default", option->fallback);
    cJSON_AddBoolToObject(object, "required", option->required);
    cJSON_AddStringToObject(object, "help", option->help);
    return object;
}

static void add_options(cJSON *array, const cli_option *list) {
    for (; list != NULL && list->name != NULL; list++)
        cJSON_AddItemToArray(array, option_object(list));
}

static cJSON *command_object(const cli_command *command) {
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "name", command->name);
    cJSON_AddStringToObject(object, "operands", command->operands);
    cJSON_AddStringToObject(object, "summary", command->summary);
    cJSON_AddStringToObject(object, "description", command->description);
    add_options(cJSON_AddArrayToObject(object, "options"), command->options);
    return object;
}

/* The commands that word (all when NULL) names or begins. */
static cJSON *help_object(const char *word) {
    cJSON *object = cJSON_CreateObject();
    cJSON *list = cJSON_AddArrayToObject(object, "commands");
    for (const cli_command *const *c = cli_commands; *c != NULL; c++)
        if (word == NULL || strncmp((*c)->name, word, strlen(word)) == 0)
            cJSON_AddItemToArray(list, command_object(*c));
    add_options(cJSON_AddArrayToObject(object, "common_options"), cli_common_options);
    return object;
}

/* "compress", "data", or "data fetch" as two words. */
static admmnn_status help_on(const cli_arguments *arguments, admmnn_error *err) {
    char name[128];
    bool two = arguments->operand_count == 2;
    snprintf(name, sizeof name, "%.60s%s%.60s", arguments->operands[0], two ? " " : "",
             two ? arguments->operands[1] : "");
    size_t length = strlen(name);
    for (const cli_command *const *c = cli_commands; *c != NULL; c++) {
        bool exact = strcmp((*c)->name, name) == 0;
        if (!exact && (strncmp((*c)->name, name, length) != 0 || (*c)->name[length] != ' '))
            continue;
        if (arguments->json)
            return cli_print_json(help_object(name), err);
        if (exact)
            cli_help_command(*c);
        else
            cli_help_group(name);
        return ADMMNN_OK;
    }
    cli_suggestion best = cli_suggest_command(name);
    if (best.word[0] != 0)
        return cli_fail(err, ADMMNN_USAGE, "help: unknown command '%s'; did you mean '%s'?", name,
                        best.word);
    return cli_fail(err, ADMMNN_USAGE, "help: unknown command '%s'; 'admmnn help' lists them",
                    name);
}

/* The forms of the whole program, one at a time. */
static admmnn_status check_forms(const cli_arguments *arguments, admmnn_error *err) {
    const char *form = arguments->man ? "--man" : "--completion";
    if (!arguments->man && !arguments->completion)
        return ADMMNN_OK;
    if (arguments->operand_count > 0)
        return cli_fail(err, ADMMNN_USAGE, "help: %s is of the whole program; leave out '%s'", form,
                        arguments->operands[0]);
    if (arguments->json || (arguments->man && arguments->completion))
        return cli_fail(err, ADMMNN_USAGE, "help: %s and %s: give one of them", form,
                        arguments->json ? "--json" : "--completion");
    return ADMMNN_OK;
}

static admmnn_status run(const cli_arguments *arguments, admmnn_error *err) {
    admmnn_status status = check_forms(arguments, err);
    if (status != ADMMNN_OK)
        return status;
    if (arguments->operand_count > 0)
        return help_on(arguments, err);
    if (arguments->json)
        return cli_print_json(help_object(NULL), err);
    if (arguments->man)
        cli_manual_print();
    else if (arguments->completion)
        cli_completion_print();
    else
        cli_help_all();
    return ADMMNN_OK;
}

const cli_command cli_help = {
    .name = "help",
    .operands = "[COMMAND]",
    .operands_most = 2,
    .summary = "Show the commands, or what one of them takes and does.",
    .description =
        "Without COMMAND, lists the commands. With one, shows the same as "
        "'admmnn COMMAND --help'.",
    .options = options,
    .examples = examples,
    .run = run,
};
