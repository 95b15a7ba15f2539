#include "admmnn/compress.h"
#include "admmnn/model.h"
#include "commands.h"
#include "data_folder.h"
#include "evaluation.h"
#include "fail.h"
#include "print.h"
#include "session.h"

static const cli_option options[] = {
    {.name = "out",
     .letter = 'o',
     .kind = CLI_TEXT,
     .required = true,
     .offset = offsetof(cli_arguments, out),
     .value = "FILE",
     .help = "The ONNX model to write."},
    CLI_IMAGES_OPTIONS,
    {.name = "epochs",
     .kind = CLI_NUMBER,
     .offset = offsetof(cli_arguments, epochs),
     .value = "N",
     .least = 1,
     .greatest = 100000,
     .fallback = "1",
     .help = "Times that every training image is seen."},
    {.name = "batch",
     .kind = CLI_NUMBER,
     .offset = offsetof(cli_arguments, batch),
     .value = "N",
     .least = 1,
     .greatest = 4096,
     .fallback = "64",
     .help = "Images a step."},
    {.name = "learning-rate",
     .kind = CLI_REAL,
     .offset = offsetof(cli_arguments, learning_rate),
     .value = "R",
     .fallback = "0.001",
     .help = "Adam's, at first; it falls to 0 along a cosine."},
    {.name = "seed",
     .kind = CLI_NUMBER,
     .offset = offsetof(cli_arguments, seed),
     .value = "N",
     .greatest = ADMMNN_SEED_MAX,
     .fallback = "1",
     .help = "Of the images' order and of what is dropped out."},
    {.name = "force",
     .letter = 'f',
     .kind = CLI_FLAG,
     .offset = offsetof(cli_arguments, force),
     .help = "Replace FILE when it exists."},
    {.name = NULL},
};

static const cli_example examples[] = {
    {"admmnn finetune network.onnx --out tuned.onnx --epochs 3", "On MNIST's training images."},
    {"admmnn finetune network.onnx --out tuned.onnx --data cifar10 --format cifar10",
     "On another data set."},
    {NULL, NULL},
};

static admmnn_status tune(const cli_arguments *arguments, const admmnn_images *images,
                          admmnn_evaluation *evaluation, admmnn_error *err) {
    cli_session session;
    const admmnn_finetune_settings settings = {
        .input = arguments->operands[0],
        .output = arguments->out,
        .images = *images,
        .epochs = (uint32_t)cli_number_or(arguments->epochs, 1),
        .batch = (uint32_t)cli_number_or(arguments->batch, 64),
        .learning_rate = cli_real_or(arguments->learning_rate, 0.001),
        .seed = cli_number_or(arguments->seed, 1),
        .force = arguments->force ? 1 : 0};
    cli_session_begin(&session, arguments);
    cli_session_catch_signals();
    admmnn_status status = admmnn_model_finetune(&settings, &session.context, err);
    if (status == ADMMNN_OK)
        status = cli_evaluate(arguments->out, images, &session.context, evaluation, err);
    cli_session_end(&session);
    return status;
}

static admmnn_status run(const cli_arguments *arguments, admmnn_error *err) {
    char fetched[CLI_PATH_MAX];
    admmnn_images images;
    admmnn_evaluation evaluation;
    CLI_TRY(cli_images(arguments, fetched, sizeof fetched, &images, err));
    CLI_TRY(tune(arguments, &images, &evaluation, err));
    if (!arguments->json) {
        cli_print("%s: ", arguments->out);
        cli_print_evaluation(&evaluation);
        return ADMMNN_OK;
    }
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "model", arguments->operands[0]);
    cJSON_AddStringToObject(object, "data", images.path);
    cJSON_AddStringToObject(object, "output", arguments->out);
    cli_add_evaluation(object, &evaluation);
    return cli_print_json(object, err);
}

const cli_command cli_finetune = {
    .name = "finetune",
    .operands = "MODEL",
    .operands_least = 1,
    .operands_most = 1,
    .summary = "Train a model further on a data set.",
    .description =
        "Trains a packed or ONNX classifier on the training images of a data set, writes it as "
        "an ONNX model and measures that on the test images. Weights that are 0 stay 0; weights "
        "on levels leave them.",
    .options = options,
    .examples = examples,
    .run = run,
};
