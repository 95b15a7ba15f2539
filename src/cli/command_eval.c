#include <inttypes.h>

#include "admmnn/model.h"
#include "commands.h"
#include "data_folder.h"
#include "evaluation.h"
#include "fail.h"
#include "print.h"
#include "session.h"

static const cli_option options[] = {
    CLI_IMAGES_OPTIONS,
    CLI_ACTIVATIONS_OPTION("Measure a packed file as the runtime runs it with the values between "
                           "layers in 8 bits, too."),
    {.name = NULL},
};

static const cli_example examples[] = {
    {"admmnn eval out/lenet5-mnist/model.admm", "Accuracy on MNIST's test images."},
    {"admmnn eval model.onnx --data ~/fashion --json", "Another data set of the same layout."},
    {"admmnn eval net.onnx --data images --format folder --mean 0.5 --deviation 0.25",
     "Another tool's export, given the pixels that it was trained on."},
    {"admmnn eval model.admm --data images.tar --format folder --resize 256",
     "Images by class, test/CLASS/FILE."},
    {"admmnn eval model.admm --activations 8", "In 8 bits too, of a file packed with them."},
    {NULL, NULL},
};

static double share(uint64_t part, uint64_t count) {
    return count == 0 ? 0.0 : (double)part / (double)count;
}

static void print_int8(const admmnn_int8_evaluation *e) {
    cli_print("runtime, floats: accuracy %.2f %% (%" PRIu64 " of %" PRIu64 "), %" PRIu64
              " bytes of workspace\n",
              100 * share(e->correct_float, e->count), e->correct_float, e->count,
              e->workspace_float);
    cli_print("runtime, 8 bits: accuracy %.2f %% (%" PRIu64 " of %" PRIu64 "), %" PRIu64
              " bytes of workspace, %u of %u values in 8 bits, %" PRIu64 " answers the same\n",
              100 * share(e->correct, e->count), e->correct, e->count, e->workspace, e->codes,
              e->values, e->same);
}

static void add_int8(cJSON *object, const admmnn_int8_evaluation *e) {
    cJSON *part = cJSON_AddObjectToObject(object, "int8");
    cJSON_AddNumberToObject(part, "correct", (double)e->correct);
    cJSON_AddNumberToObject(part, "accuracy", share(e->correct, e->count));
    cJSON_AddNumberToObject(part, "correct_float", (double)e->correct_float);
    cJSON_AddNumberToObject(part, "accuracy_float", share(e->correct_float, e->count));
    cJSON_AddNumberToObject(part, "same", (double)e->same);
    cJSON_AddNumberToObject(part, "values", (double)e->values);
    cJSON_AddNumberToObject(part, "codes", (double)e->codes);
    cJSON_AddNumberToObject(part, "workspace", (double)e->workspace);
    cJSON_AddNumberToObject(part, "workspace_float", (double)e->workspace_float);
}

static admmnn_status run(const cli_arguments *arguments, admmnn_error *err) {
    char fetched[CLI_PATH_MAX];
    admmnn_images images;
    cli_session session;
    admmnn_evaluation evaluation;
    admmnn_int8_evaluation int8;
    CLI_TRY(cli_images(arguments, fetched, sizeof fetched, &images, err));
    cli_session_begin(&session, arguments);
    admmnn_status status = ADMMNN_OK;
    if (arguments->activations.given) /* first: a file without ranges is refused at once */
        status = admmnn_model_evaluate_int8(arguments->operands[0], &images, &session.context,
                                            &int8, err);
    if (status == ADMMNN_OK)
        status = cli_evaluate(arguments->operands[0], &images, &session.context, &evaluation, err);
    cli_session_end(&session);
    CLI_TRY(status);
    if (!arguments->json) {
        cli_print_evaluation(&evaluation);
        if (arguments->activations.given)
            print_int8(&int8);
        return ADMMNN_OK;
    }
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "model", arguments->operands[0]);
    cJSON_AddStringToObject(object, "data", images.path);
    cli_add_evaluation(object, &evaluation);
    if (arguments->activations.given)
        add_int8(object, &int8);
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
        "accuracy and the mean cross-entropy. With --activations 8 the runtime runs a packed "
        "file, too, with floats between layers and in 8 bits.",
    .options = options,
    .examples = examples,
    .run = run,
};
