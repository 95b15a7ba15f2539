#include "admmnn/model.h"
#include "commands.h"
#include "data_folder.h"
#include "evaluation.h"
#include "fail.h"
#include "print.h"
#include "session.h"

static const cli_option options[] = {
    CLI_IMAGES_OPTIONS,
    {.name = NULL},
};

static const cli_example examples[] = {
    {"admmnn eval out/lenet5-mnist/model.admm", "Accuracy on MNIST's test images."},
    {"admmnn eval model.onnx --data ~/fashion --json", "Another data set of the same layout."},
    {"admmnn eval net.onnx --data images --format folder --mean 0.5 --deviation 0.25",
     "Another tool's export, given the pixels that it was trained on."},
    {"admmnn eval model.admm --data images.tar --format folder --resize 256",
     "Images by class, test/CLASS/FILE."},
    {NULL, NULL},
};

static admmnn_status run(const cli_arguments *arguments, admmnn_error *err) {
    char fetched[CLI_PATH_MAX];
    admmnn_images images;
    cli_session session;
    admmnn_evaluation evaluation;
    CLI_TRY(cli_images(arguments, fetched, sizeof fetched, &images, err));
    cli_session_begin(&session, arguments);
    const admmnn_status status =
        cli_evaluate(arguments->operands[0], &images, &session.context, &evaluation, err);
    cli_session_end(&session);
    CLI_TRY(status);
    if (!arguments->json) {
        cli_print_evaluation(&evaluation);
        return ADMMNN_OK;
    }
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "model", arguments->operands[0]);
    cJSON_AddStringToObject(object, "data", images.path);
    cli_add_evaluation(object, &evaluation);
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
