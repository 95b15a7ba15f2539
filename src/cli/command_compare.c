#include "admmnn/compress.h"
#include "commands.h"
#include "comparison.h"
#include "fail.h"
#include "session.h"

static const cli_option options[] = {
    {.name = "out",
     .letter = 'o',
     .kind = CLI_TEXT,
     .required = true,
     .offset = offsetof(cli_arguments, out),
     .value = "DIR",
     .help = "Folder of the results; made when absent."},
    {.name = "seeds",
     .kind = CLI_NUMBER,
     .offset = offsetof(cli_arguments, seeds),
     .value = "N",
     .least = 1,
     .greatest = 1000,
     .fallback = "5",
     .help = "Runs a point: each with a seed of its own."},
    {.name = "first-seed",
     .kind = CLI_NUMBER,
     .offset = offsetof(cli_arguments, seed),
     .value = "N",
     .greatest = ADMMNN_SEED_MAX,
     .fallback = "1",
     .help = "The first of these seeds; the others follow it."},
    {.name = "seed",
     .kind = CLI_NUMBER,
     .offset = offsetof(cli_arguments, seed),
     .value = "N",
     .greatest = ADMMNN_SEED_MAX,
     .help = "The same as --first-seed."},
    {.name = "methods",
     .kind = CLI_TEXT,
     .offset = offsetof(cli_arguments, methods),
     .value = "LIST",
     .fallback = "all",
     .words = "admm gradual gradual-per-layer one-shot one-shot-per-layer random dense",
     .list = true,
     .help = "Some of admm, gradual, gradual-per-layer, one-shot, one-shot-per-layer, random, "
             "dense, each once, with commas between."},
    {.name = "ratios",
     .kind = CLI_TEXT,
     .offset = offsetof(cli_arguments, ratios),
     .value = "LIST",
     .fallback = "the recipe's rounds",
     .help = "Pruning ratios to reach, rising, with commas between."},
    {.name = "resume",
     .kind = CLI_FLAG,
     .offset = offsetof(cli_arguments, resume),
     .help =
         "Go on with the comparison in DIR; finished runs are not repeated. Methods, ratios and "
         "seeds may be added, none left out; the recipe, the training images and the number of "
         "threads must be those it was begun with."},
    {.name = NULL},
};

static const cli_example examples[] = {
    {"admmnn compare recipes/lenet5-mnist.yaml --out out/compare", "Every method, five seeds."},
    {"admmnn compare mine.yaml --out out/few --seeds 2 --methods admm,random --ratios 20,80",
     "A quick look."},
    {NULL, NULL},
};

static admmnn_status run(const cli_arguments *arguments, admmnn_error *err) {
    cli_session session;
    admmnn_compare_settings settings = {.recipe = arguments->operands[0],
                                        .out = arguments->out,
                                        .resume = arguments->resume,
                                        .seeds = (uint32_t)cli_number_or(arguments->seeds, 5),
                                        .first_seed = cli_number_or(arguments->seed, 1),
                                        .methods = arguments->methods,
                                        .ratios = arguments->ratios};
    cli_session_begin(&session, arguments);
    cli_session_catch_signals();
    admmnn_status status = admmnn_compare_run(&settings, &session.context, err);
    cli_session_end(&session);
    CLI_TRY(status);
    return cli_print_comparison(arguments, arguments->out, err);
}

const cli_command cli_compare = {
    .name = "compare",
    .operands = "RECIPE",
    .operands_least = 1,
    .operands_most = 1,
    .summary = "Run a recipe's pruning beside its controls, over seeds.",
    .description =
        "Runs the pruning of RECIPE and its controls with the same data and number of epochs, over "
        "seeds and ratios, without quantization: ADMM, one-shot and gradual magnitude pruning (by "
        "one global rank, and by layer), random pruning, and the dense network trained on for as "
        "long. Random pruning and those by layer keep ADMM's shares of the layers and need admm in "
        "the list of methods.\n\n"
        "Leaves in DIR: comparison.json, comparison.svg (accuracy against compression, with bands "
        "of one standard deviation) and one folder a run, in comparison-runs/.",
    .options = options,
    .examples = examples,
    .run = run,
};
