#include "commands.h"
#include "run_result.h"

static const cli_example examples[] = {
    {"admmnn show out/lenet5-mnist", "The table once more."},
    {"admmnn show out/lenet5-mnist --json", "Its result.json."},
    {NULL, NULL},
};

static admmnn_status run(const cli_arguments *arguments, admmnn_error *err) {
    return cli_print_run_result(arguments, arguments->operands[0], err);
}

const cli_command cli_show = {
    .name = "show",
    .operands = "DIR",
    .operands_least = 1,
    .operands_most = 1,
    .summary = "Show the table of a finished run.",
    .description =
        "Prints the final table of the run that 'admmnn compress' left in DIR: accuracy, "
        "compression and bytes, by layer and in total, beside the published figures.",
    .examples = examples,
    .run = run,
};
