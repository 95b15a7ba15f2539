#include "commands.h"

const cli_command *const cli_commands[] = {
    &cli_data_fetch,  &cli_data_path, &cli_compress, &cli_compare,  &cli_show,
    &cli_import,      &cli_pack,      &cli_unpack,   &cli_inspect,  &cli_eval,
    &cli_run,         &cli_finetune,  &cli_bench,    &cli_export_c, &cli_admmq_solve,
    &cli_admmq_bench, &cli_version,   &cli_help,     NULL,
};

const cli_option cli_common_options[] = {
    {.name = "threads",
     .kind = CLI_NUMBER,
     .offset = offsetof(cli_arguments, threads),
     .value = "N",
     .greatest = 1024,
     .fallback = "0, one a core",
     .help = "Threads to compute with. Results have the same bytes only for the same number."},
    {.name = "json",
     .kind = CLI_FLAG,
     .offset = offsetof(cli_arguments, json),
     .help = "Print the result as JSON on standard output."},
    {.name = "quiet",
     .letter = 'q',
     .kind = CLI_FLAG,
     .offset = offsetof(cli_arguments, quiet),
     .help = "No progress and no notes on standard error: warnings and errors only."},
    {.name = "help",
     .letter = 'h',
     .kind = CLI_FLAG,
     .offset = offsetof(cli_arguments, help),
     .help = "Show this help."},
    {.name = NULL},
};
