#include "admmnn/admmq.h"

#include "commands.h"
#include "comparison.h"
#include "fail.h"
#include "print.h"
#include "run_result.h"

static const cli_example examples[] = {
    {"admmnn show out/lenet5-mnist", "The table once more."},
    {"admmnn show out/lenet5-mnist --json", "Its result.json."},
    {NULL, NULL},
};

/* Of `admmq bench`; ADMMNN_NOT_FOUND: there is none. */
static admmnn_status print_experiment(const cli_arguments *a, const char *folder,
                                      admmnn_error *err) {
    static const struct {
        admmnn_status (*json)(const char *out, char **text, admmnn_error *err);
        admmnn_status (*table)(const char *out, char **text, admmnn_error *err);
    } experiments[] = {{admmnn_recipes_json, admmnn_recipes_table},
                       {admmnn_quadratics_json, admmnn_quadratics_table}};
    admmnn_status status = ADMMNN_NOT_FOUND;
    for (size_t e = 0; status == ADMMNN_NOT_FOUND && e < 2; e++) {
        char *text;
        status = a->json ? experiments[e].json(folder, &text, err)
                         : experiments[e].table(folder, &text, err);
        if (status != ADMMNN_OK)
            continue;
        cli_print_text(text);
        admmnn_text_free(text);
    }
    return status;
}

static admmnn_status run(const cli_arguments *arguments, admmnn_error *err) {
    if (cli_is_comparison(arguments->operands[0]))
        return cli_print_comparison(arguments, arguments->operands[0], err);
    const admmnn_status status = cli_print_run_result(arguments, arguments->operands[0], err);
    if (status != ADMMNN_NOT_FOUND)
        return status;
    admmnn_error why; /* that there is no run is what is said where there is nothing */
    const admmnn_status found = print_experiment(arguments, arguments->operands[0], &why);
    if (found == ADMMNN_NOT_FOUND)
        return cli_fail(err, status,
                        "%s; DIR is a folder that 'admmnn compress', 'admmnn compare' or 'admmnn "
                        "admmq bench' has finished",
                        err->message);
    if (found != ADMMNN_OK)
        *err = why;
    return found;
}

const cli_command cli_show = {
    .name = "show",
    .operands = "DIR",
    .operands_least = 1,
    .operands_most = 1,
    .summary = "Show the table of a finished run, comparison or experiment.",
    .description =
        "Prints the final table of what 'admmnn compress', 'admmnn compare' or 'admmnn admmq "
        "bench' left in DIR: accuracy, compression and bytes, by layer and in total, beside the "
        "published figures; or each method and ratio, or each recipe, with its mean and standard "
        "deviation over seeds; or the figures of the quadratics. What is unfinished has no "
        "table yet; with --resume, compress and compare go on with it.",
    .examples = examples,
    .run = run,
};
