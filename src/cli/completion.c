#include <stdio.h>
#include <string.h>

#include "help.h"
#include "print.h"

static void put_options(const cli_option *options) {
    for (; options != NULL && options->name != NULL; options++)
        cli_print(" --%s", options->name);
}

/* The first words, each once: "data" stands for "data fetch" and "data path". */
static void put_first_words(void) {
    const char *last = "";
    size_t last_length = 0;
    for (const cli_command *const *c = cli_commands; *c != NULL; c++) {
        size_t length = strcspn((*c)->name, " ");
        if (length != last_length || strncmp((*c)->name, last, length) != 0)
            cli_print(" %.*s", (int)length, (*c)->name);
        last = (*c)->name;
        last_length = length;
    }
}

/* A line for each command of two words. */
static void put_second_words(void) {
    for (const cli_command *const *c = cli_commands; *c != NULL; c++) {
        const char *space = strchr((*c)->name, ' ');
        if (space != NULL)
            cli_print("        %.*s) second+=\" %s\" ;;&\n", (int)(space - (*c)->name), (*c)->name,
                      space + 1);
    }
}

static void put_cases(void) {
    for (const cli_command *const *c = cli_commands; *c != NULL; c++) {
        cli_print("        \"%s\") options=\"", (*c)->name);
        put_options((*c)->options);
        put_options(cli_common_options);
        cli_print("\" ;;\n");
    }
}

void cli_completion_print(void) {
    cli_print(
        "# bash completion for admmnn, printed by 'admmnn help --completion'.\n"
        "_admmnn() {\n"
        "    local word=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]}\n"
        "    local second=\"\" options=\"\"\n"
        "    COMPREPLY=()\n"
        "    if ((COMP_CWORD == 1)); then\n"
        "        mapfile -t COMPREPLY < <(compgen -W \"--help --version");
    put_first_words();
    cli_print(
        "\" -- \"$word\")\n"
        "        return\n"
        "    fi\n"
        "    case $command in\n");
    put_second_words();
    cli_print(
        "    esac\n"
        "    if [[ -n $second ]]; then\n"
        "        if ((COMP_CWORD == 2)); then\n"
        "            mapfile -t COMPREPLY < <(compgen -W \"--help$second\" -- \"$word\")\n"
        "            return\n"
        "        fi\n"
        "        command+=\" ${COMP_WORDS[2]}\"\n"
        "    fi\n"
        "    case $command in\n");
    put_cases();
    cli_print(
        "    esac\n"
        "    if [[ $word == -* ]]; then\n"
        "        mapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$word\")\n"
        "    else\n"
        "        mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n"
        "    fi\n"
        "}\n"
        "complete -o filenames -F _admmnn admmnn\n");
}
