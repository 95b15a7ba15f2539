#include <stdio.h>

#include "help.h"
#include "options.h"
#include "print.h"

/* Text as roff: a backslash, a hyphen, a quote and a dot at a line's start mean
 * something there; an empty line becomes a new paragraph. */
static void put_text(const char *text) {
    bool fresh = true;
    for (const char *c = text; *c != 0; c++) {
        if (c[0] == '\n' && c[1] == '\n') {
            cli_print("\n.PP\n");
            fresh = true;
            c++;
            continue;
        }
        if (fresh && (*c == '.' || *c == '\''))
            cli_print("\\&");
        if (*c == '\\')
            cli_print("\\e");
        else if (*c == '-')
            cli_print("\\-");
        else if (*c == '\'')
            cli_print("\\(aq");
        else
            cli_print("%c", *c);
        fresh = *c == '\n';
    }
    cli_print("\n");
}

static void put_options(const cli_option *options) {
    for (; options != NULL && options->name != NULL; options++) {
        char heading[64];
        cli_option_heading(options, heading, sizeof heading);
        cli_print(".TP\n.B ");
        put_text(heading);
        put_text(options->help);
        if (options->fallback != NULL) {
            char fallback[128];
            snprintf(fallback, sizeof fallback, "Default: %s.", options->fallback);
            put_text(fallback);
        }
    }
}

static void put_terms(const char *heading, const cli_term *terms) {
    cli_print(".SH %s\n", heading);
    for (; terms->name != NULL; terms++) {
        cli_print(".TP\n.B ");
        put_text(terms->name);
        put_text(terms->text);
    }
}

static void put_command(const cli_command *command) {
    char usage[256];
    char line[320];
    cli_usage(command, usage, sizeof usage);
    snprintf(line, sizeof line, "admmnn %s %s", command->name, usage);
    cli_print(".SS ");
    put_text(line);
    put_text(command->description);
    put_options(command->options);
    for (const cli_example *e = command->examples; e->command != NULL; e++) {
        cli_print(".PP\n");
        put_text(e->what);
        cli_print(".IP\n.nf\n");
        put_text(e->command);
        cli_print(".fi\n");
    }
}

void cli_manual_print(void) {
    cli_print(".TH ADMMNN 1 \"\" \"admmnn %s\" \"User Commands\"\n", ADMMNN_VERSION);
    cli_print(".SH NAME\nadmmnn \\- compression of neural networks by ADMM\n");
    cli_print(".SH SYNOPSIS\n.B admmnn\n.I COMMAND\n[arguments] [options]\n");
    cli_print(".SH DESCRIPTION\n");
    put_text(cli_purpose);
    cli_print(".SH COMMANDS\n");
    for (const cli_command *const *c = cli_commands; *c != NULL; c++)
        put_command(*c);
    cli_print(".SH COMMON OPTIONS\n");
    put_options(cli_common_options);
    put_terms("EXIT STATUS", cli_exit_statuses);
    put_terms("ENVIRONMENT", cli_environment);
    put_terms("FILES", cli_files);
}
