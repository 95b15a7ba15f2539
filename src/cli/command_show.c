#include "commands.h"
#include "comparison.h"
#include "run_result.h"

static const cli_example examples[] = {
    {"admmnn show out/lenet5-mnist", "The table once more."},
    {"admmnn show out/lenet5-mnist --json", "Its result.json."},
    {NULL, NULL},
};

static admmnn_status run(const cli_arguments *arguments, admmnn_error *err) {
    if (cli_is_comparison(arguments->operands[0]))
        return cli_print_comparison(arguments, arguments->operands[0], err);
    return cli_print_run_result(arguments, arguments->operands[0], err);
}

const cli_command cli_show = {
    .name = "show",
    .operands = "DIR",
    .operands_least = 1,
    .operands_most = 1,
    .summary = "Show the table of a finished run or comparison.",
    .description =
        "Prints the final table of what 'admmnn compress' or 'admmnn compare' left in DIR: "
        "accuracy, "
        "compression and bytes, by layer and in total, beside the published figures; or each "
        "method "
        "and ratio with its mean and standard deviation over seeds. What is unfinished has no "
        "table yet; with --resume, compress and compare go on with it.",
    .examples = examples,
    .run = run,
};
