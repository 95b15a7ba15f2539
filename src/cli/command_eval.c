#include <inttypes.h>

#include "admmnn/data.h"
#include "admmnn/model.h"
#include "commands.h"
#include "data_folder.h"
#include "fail.h"
#include "print.h"
#include "session.h"

static const cli_option options[] = {
    {.name = "data",
     .kind = CLI_TEXT,
     .offset = offsetof(cli_arguments, data),
     .value = "PATH",
     .fallback = "the fetched one",
     .help = "Folder or archive of a data set, as in recipes."},
    {.name = "format",
     .kind = CLI_TEXT,
     .offset = offsetof(cli_arguments, format),
     .value = "NAME",
     .fallback = "mnist, of PATH idx",
     .help = "What it holds: mnist, idx, cifar10, cifar100, folder or npy."},
    {.name = "resize",
     .kind = CLI_NUMBER,
     .offset = offsetof(cli_arguments, resize),
     .value = "N",
     .least = 1,
     .greatest = 4096,
     .fallback = "the input's",
     .help = "Of folder: the images' shorter side before the network's input is cut from the "
             "middle."},
    {.name = NULL},
};

static const cli_example examples[] = {
    {"admmnn eval out/lenet5-mnist/model.admm", "Accuracy on MNIST's test images."},
    {"admmnn eval model.onnx --data ~/fashion --json", "Another data set of the same layout."},
    {"admmnn eval model.admm --data images.tar --format folder --resize 256",
     "Images by class, test/CLASS/FILE."},
    {NULL, NULL},
};

static admmnn_status evaluate(const cli_arguments *arguments, const char *path,
                              admmnn_evaluation *evaluation, admmnn_error *err) {
    cli_session session;
    admmnn_model *model;
    const admmnn_images images = {.path = path,
                                  .format = arguments->format,
                                  .resize = (uint32_t)cli_number_or(arguments->resize, 0)};
    cli_session_begin(&session, arguments);
    CLI_TRY(admmnn_model_open(arguments->operands[0], &session.context, &model, err));
    admmnn_status status = admmnn_model_evaluate(model, &images, evaluation, err);
    admmnn_model_close(model);
    cli_session_end(&session);
    return status;
}

static admmnn_status run(const cli_arguments *arguments, admmnn_error *err) {
    char fetched[CLI_PATH_MAX];
    const char *path = arguments->data;
    const char *format = arguments->format;
    admmnn_evaluation evaluation;
    if (path == NULL) {
        CLI_TRY(
            admmnn_data_folder(format == NULL ? "mnist" : format, fetched, sizeof fetched, err));
        path = fetched;
    }
    CLI_TRY(evaluate(arguments, path, &evaluation, err));
    if (!arguments->json) {
        cli_print("accuracy %.2f %% (%" PRIu64 " of %" PRIu64 "), loss %.4f\n",
                  100 * evaluation.accuracy, evaluation.correct, evaluation.count, evaluation.loss);
        return ADMMNN_OK;
    }
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "model", arguments->operands[0]);
    cJSON_AddStringToObject(object, "data", path);
    cJSON_AddNumberToObject(object, "count", (double)evaluation.count);
    cJSON_AddNumberToObject(object, "correct", (double)evaluation.correct);
    cJSON_AddNumberToObject(object, "accuracy", evaluation.accuracy);
    cJSON_AddNumberToObject(object, "loss", evaluation.loss);
    return cli_print_json(object, err);
}

const cli_command cli_eval = {
    .name = "eval",
    .operands = "MODEL",
    .operands_least = 1,
    .operands_most = 1,
    .summary = "Measure a model's accuracy on a data set's test images.",
    .description =
        "Runs a packed or ONNX model on every test image of a data set and prints the "
        "accuracy and the mean cross-entropy.",
    .options = options,
    .examples = examples,
    .run = run,
};
