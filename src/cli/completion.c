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
        cli_print("\"");
        if ((*c)->operand_words != NULL)
            cli_print(" words=\"%s\"", (*c)->operand_words);
        cli_print(" ;;\n");
    }
}

/* What may stand behind an option; an option's value is no operand. */
static void put_values(const char *command, const cli_option *options) {
    for (; options != NULL && options->name != NULL; options++)
        if (options->kind != CLI_FLAG)
            cli_print("        %s --%s\") words=\"%s\"%s ;;\n", command, options->name,
                      options->words == NULL ? "" : options->words,
                      options->list ? " list=yes" : "");
}

static void put_all_values(void) {
    for (const cli_command *const *c = cli_commands; *c != NULL; c++) {
        char quoted[64];
        snprintf(quoted, sizeof quoted, "\"%s", (*c)->name);
        put_values(quoted, (*c)->options);
    }
    put_values("*\"", cli_common_options);
}

/* Words complete to words and only files to names of files, of which a folder's ends in
 * a slash: -o filenames for all would make a folder "data" of the command. Readline
 * takes "=" for a word of its own. What follows help is a command, named as after
 * admmnn itself. */
void cli_completion_print(void) {
    cli_print(
        "# bash completion for admmnn, printed by 'admmnn help --completion'.\n"
        "_admmnn_words() {\n"
        "    mapfile -t COMPREPLY < <(compgen -W \"$1\" -P \"${3-}\" -- \"$2\")\n"
        "}\n"
        "_admmnn() {\n"
        "    local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}\n"
        "    local at=1 flags=\"--help --version\" command second=\"\" options=\"\" words=\"\" "
        "list=\"\"\n"
        "    COMPREPLY=()\n"
        "    if [[ $word == \"=\" ]]; then\n"
        "        word=\"\"\n"
        "    elif [[ $previous == \"=\" ]] && ((COMP_CWORD > 2)); then\n"
        "        previous=${COMP_WORDS[COMP_CWORD - 2]}\n"
        "    fi\n"
        "    if ((COMP_CWORD > 1)) && [[ ${COMP_WORDS[1]} == help && $word != -* ]]; then\n"
        "        at=2 flags=\"\"\n"
        "    fi\n"
        "    if ((COMP_CWORD == at)); then\n"
        "        _admmnn_words \"$flags");
    put_first_words();
    cli_print(
        "\" \"$word\"\n"
        "        return\n"
        "    fi\n"
        "    command=${COMP_WORDS[at]}\n"
        "    case $command in\n");
    put_second_words();
    cli_print(
        "    esac\n"
        "    if [[ -n $second ]]; then\n"
        "        if ((COMP_CWORD == at + 1)); then\n"
        "            _admmnn_words \"${flags:+--help}$second\" \"$word\"\n"
        "            return\n"
        "        fi\n"
        "        command+=\" ${COMP_WORDS[at + 1]}\"\n"
        "    fi\n"
        "    ((at == 1)) || return 0\n"
        "    case $command in\n");
    put_cases();
    cli_print(
        "    esac\n"
        "    case \"$command $previous\" in\n");
    put_all_values();
    cli_print(
        "    esac\n"
        "    if [[ $word == -* ]]; then\n"
        "        _admmnn_words \"$options\" \"$word\"\n"
        "    elif [[ -n $list ]]; then\n"
        "        local before=${word%%\"${word##*,}\"}\n"
        "        _admmnn_words \"$words\" \"${word##*,}\" \"$before\"\n"
        "        compopt -o nospace\n"
        "    elif [[ -n $words ]]; then\n"
        "        _admmnn_words \"$words\" \"$word\"\n"
        "    else\n"
        "        compopt -o filenames\n"
        "        mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n"
        "    fi\n"
        "}\n"
        "complete -F _admmnn admmnn\n");
}
