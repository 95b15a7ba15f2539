#include "help.h"

#include <stdio.h>
#include <string.h>

#include "options.h"
#include "print.h"

#define LINE_WIDTH 79
#define TEXT_INDENT 24

const char cli_purpose[] =
    "Compresses neural networks with the Alternating Direction Method of Multipliers (ADMM): "
    "trains, "
    "prunes, quantizes, packs, and measures what was packed.";

const cli_term cli_exit_statuses[] = {
    {"0", "Success."},
    {"1", "The run failed: a full disk, no memory, a computation that diverged."},
    {"2", "Wrong usage or bad input: nothing was changed."},
    {"130",
     "Stopped by Ctrl-C, SIGTERM or SIGHUP; a second signal kills at once. compress, compare and "
     "admmq bench recipes leave a checkpoint first and go on from it (the first two with "
     "--resume)."},
    {NULL, NULL},
};

const cli_term cli_environment[] = {
    {"ADMMNN_DATA", "A folder that 'admmnn data fetch' looks into before the network."},
    {"XDG_CACHE_HOME", "Fetched data sets are kept in its folder admmnn (default: ~/.cache)."},
    {"TMPDIR", "Where archives of data sets lie while they are fetched (default: /tmp)."},
    {"TERM", "Of dumb or none, progress is lines and no bar."},
    {NULL, NULL},
};

const cli_term cli_files[] = {
    {"model.admm", "In a run's folder: the packed model without dead units, complete in itself."},
    {"model.onnx", "The compressed network on its full graph, as dense tensors, for other tools."},
    {"small.onnx", "The same without its dead units."},
    {"result.json", "Every figure of the run, by layer and in total."},
    {"report.html", "Curves and bars, to be opened in a browser."},
    {"log.jsonl",
     "One JSON object an epoch, an ADMM iteration and an event; as far as the checkpoint while the "
     "run goes on."},
    {"checkpoint/", "Where --resume goes on from."},
    {NULL, NULL},
};

/* Prints text from column `at` on, lines wrapped and indented by `indent`. An
 * empty line in text stays one. */
static void print_wrapped(const char *text, size_t at, size_t indent) {
    size_t column = at;
    while (*text != 0) {
        size_t length = strcspn(text, " \n");
        if (column > indent && column + 1 + length > LINE_WIDTH) {
            cli_print("\n%*s", (int)indent, "");
            column = indent;
        } else if (column > indent && length > 0) {
            cli_print(" ");
            column++;
        }
        cli_print("%.*s", (int)length, text);
        column += length;
        text += length;
        bool paragraph = strncmp(text, "\n\n", 2) == 0;
        if (paragraph) {
            cli_print("\n\n%*s", (int)indent, "");
            column = indent;
        }
        text += strspn(text, " \n");
    }
    cli_print("\n");
}

static void print_term(const char *name, const char *text) {
    size_t used = (size_t)snprintf(NULL, 0, "  %s  ", name);
    cli_print("  %s", name);
    if (used > TEXT_INDENT)
        cli_print("\n%*s", TEXT_INDENT, "");
    else
        cli_print("%*s", (int)(TEXT_INDENT + 2 - used), "");
    print_wrapped(text, TEXT_INDENT, TEXT_INDENT);
}

static void print_terms(const char *heading, const cli_term *terms) {
    cli_print("\n%s:\n", heading);
    for (; terms->name != NULL; terms++)
        print_term(terms->name, terms->text);
}

void cli_option_heading(const cli_option *option, char *text, size_t size) {
    char letter[8] = "";
    if (option->letter != 0)
        snprintf(letter, sizeof letter, "-%c, ", option->letter);
    snprintf(text, size, "%s--%s%s%s", letter, option->name, option->value == NULL ? "" : " ",
             option->value == NULL ? "" : option->value);
}

static void print_options(const char *heading, const cli_option *options) {
    if (options == NULL)
        return;
    cli_print("\n%s:\n", heading);
    for (; options->name != NULL; options++) {
        char name[64];
        char text[512];
        cli_option_heading(options, name, sizeof name);
        snprintf(text, sizeof text, "%s%s%s%s", options->help,
                 options->fallback == NULL ? "" : " (default: ",
                 options->fallback == NULL ? "" : options->fallback,
                 options->fallback == NULL ? "" : ")");
        print_term(name, text);
    }
}

void cli_help_command(const cli_command *command) {
    char usage[256];
    cli_usage(command, usage, sizeof usage);
    cli_print("Usage: admmnn %s %s\n\n", command->name, usage);
    print_wrapped(command->description, 0, 0);
    print_options("Options", command->options);
    print_options("Common options", cli_common_options);
    cli_print("\nExamples:\n");
    for (const cli_example *e = command->examples; e->command != NULL; e++)
        cli_print("  %s\n      %s\n", e->command, e->what);
    print_terms("Exit status", cli_exit_statuses);
}

void cli_help_group(const char *word) {
    size_t length = strlen(word);
    cli_print("Usage: admmnn %s COMMAND [options]\n\nCommands:\n", word);
    for (const cli_command *const *c = cli_commands; *c != NULL; c++)
        if (strncmp((*c)->name, word, length) == 0 && (*c)->name[length] == ' ')
            print_term((*c)->name, (*c)->summary);
    cli_print("\n'admmnn %s COMMAND --help' tells more.\n", word);
}

void cli_help_all(void) {
    cli_print("Usage: admmnn COMMAND [arguments] [options]\n\n");
    print_wrapped(cli_purpose, 0, 0);
    cli_print("\nCommands:\n");
    for (const cli_command *const *c = cli_commands; *c != NULL; c++)
        print_term((*c)->name, (*c)->summary);
    print_options("Options of every command", cli_common_options);
    print_terms("Exit status", cli_exit_statuses);
    print_terms("Environment", cli_environment);
    cli_print(
        "\n'admmnn COMMAND --help' tells more. The main job, from nothing:\n"
        "  admmnn data fetch mnist\n"
        "  admmnn compress recipes/lenet5-mnist.yaml --out out/lenet5-mnist\n");
}
