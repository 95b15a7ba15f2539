#include "admmnn/compress.h"
#include "commands.h"
#include "fail.h"
#include "run_result.h"
#include "session.h"

static const cli_option options[] = {
    {.name = "out",
     .letter = 'o',
     .kind = CLI_TEXT,
     .required = true,
     .offset = offsetof(cli_arguments, out),
     .value = "DIR",
     .help = "Folder of the results; made when absent."},
    {.name = "resume",
     .kind = CLI_FLAG,
     .offset = offsetof(cli_arguments, resume),
     .help = "Go on from the checkpoint in DIR, begin when there is none, and only show the table "
             "when the run is finished and its files are there. The recipe, its model file, the "
             "training "
             "images, the seed and the number of threads must be those it was begun with."},
    {.name = "seed",
     .kind = CLI_NUMBER,
     .offset = offsetof(cli_arguments, seed),
     .value = "N",
     .greatest = ADMMNN_SEED_MAX,
     .fallback = "the recipe's",
     .help = "Seed of every random number."},
    {.name = NULL},
};

static const cli_example examples[] = {
    {"admmnn compress recipes/lenet5-mnist.yaml --out out/lenet5-mnist",
     "The main job, after 'admmnn data fetch mnist'."},
    {"admmnn compress recipes/lenet5-mnist.yaml --out out/lenet5-mnist --resume",
     "Goes on after Ctrl-C, a crash or a power cut, to the same bytes."},
    {"admmnn compress mine.yaml --out out/mine --seed 7 --json > mine.json",
     "Another seed, and the figures for a program."},
    {NULL, NULL},
};

static admmnn_status run(const cli_arguments *arguments, admmnn_error *err) {
    cli_session session;
    admmnn_compress_settings settings = {.recipe = arguments->operands[0],
                                         .out = arguments->out,
                                         .resume = arguments->resume,
                                         .has_seed = arguments->seed.given,
                                         .seed = arguments->seed.value};
    cli_session_begin(&session, arguments);
    cli_session_catch_signals();
    admmnn_status status = admmnn_compress_run(&settings, &session.context, err);
    cli_session_end(&session);
    CLI_TRY(status);
    return cli_print_run_result(arguments, arguments->out, err);
}

const cli_command cli_compress = {
    .name = "compress",
    .operands = "RECIPE",
    .operands_least = 1,
    .operands_most = 1,
    .summary = "Train, prune, quantize, pack and measure by a recipe.",
    .description =
        "Reads RECIPE (YAML; docs/recipe.md lists its keys), trains the network or takes it from "
        "the model file that the recipe names ('model: network.onnx'), prunes and quantizes it by "
        "ADMM, packs it, measures the packed file on the test set, and prints the "
        "final table.\n\n"
        "Leaves in DIR: model.admm (packed), model.onnx, small.onnx, result.json, report.html, "
        "log.jsonl and "
        "checkpoint/. Each file is written whole or not at all. A folder that holds a run is not "
        "written to without --resume.",
    .options = options,
    .examples = examples,
    .run = run,
};
