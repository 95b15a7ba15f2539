#include <stdio.h>
#include <sys/stat.h>

#include "commands.h"
#include "comparison.h"
#include "fail.h"
#include "run_result.h"

static const cli_example examples[] = {
    {"admmnn show out/lenet5-mnist", "The table once more."},
    {"admmnn show out/lenet5-mnist --json", "Its result.json."},
    {NULL, NULL},
};

static bool holds(const char *folder, const char *name) {
    char path[4096];
    struct stat info;
    int used = snprintf(path, sizeof path, "%s/%s", folder, name);
    return used > 0 && (size_t)used < sizeof path && stat(path, &info) == 0;
}

/* There is no result: because of an unfinished run or comparison? */
static admmnn_status explain(const char *folder, admmnn_error *err) {
    bool compress = holds(folder, "checkpoint/run.ckpt");
    if (!compress && !holds(folder, "runs"))
        return err->status;
    return cli_fail(err, ADMMNN_NOT_FOUND,
                    "%s: its %s is not finished; 'admmnn %s RECIPE --out DIR --resume' goes on "
                    "with it",
                    folder, compress ? "run" : "comparison", compress ? "compress" : "compare");
}

static admmnn_status run(const cli_arguments *arguments, admmnn_error *err) {
    if (cli_is_comparison(arguments->operands[0]))
        return cli_print_comparison(arguments, arguments->operands[0], err);
    admmnn_status status = cli_print_run_result(arguments, arguments->operands[0], err);
    return status == ADMMNN_NOT_FOUND ? explain(arguments->operands[0], err) : status;
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
