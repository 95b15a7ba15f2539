#include "admmnn/model.h"
#include "commands.h"
#include "fail.h"
#include "print.h"
#include "session.h"

static const cli_option options[] = {
    {.name = "input",
     .letter = 'i',
     .kind = CLI_TEXT,
     .required = true,
     .once = true,
     .offset = offsetof(cli_arguments, input),
     .value = "[NAME=]X.npy",
     .help = "Samples as a NumPy array, the first axis counting them: float32 or float64 as the "
             "network wants them, or uint8 pixels, which are normalised as the model says, else "
             "only divided by 255. NAME: what an ONNX model calls its input."},
    {.name = "output",
     .letter = 'o',
     .kind = CLI_TEXT,
     .required = true,
     .once = true,
     .offset = offsetof(cli_arguments, out),
     .value = "[NAME=]Y.npy",
     .help = "Where the logits go: float32, samples by the output's dimensions. NAME: what an ONNX "
             "model calls its output."},
    {.name = "force",
     .letter = 'f',
     .kind = CLI_FLAG,
     .offset = offsetof(cli_arguments, force),
     .help = "Replace Y.npy when it exists."},
    {.name = NULL},
};

static const cli_example examples[] = {
    {"admmnn run model.admm --input x.npy --output y.npy",
     "x of shape (N, 1, 28, 28) for LeNet-5."},
    {NULL, NULL},
};

static admmnn_status run(const cli_arguments *arguments, admmnn_error *err) {
    cli_session session;
    admmnn_model *model;
    admmnn_model_info info;
    cli_session_begin(&session, arguments);
    CLI_TRY(admmnn_model_open(arguments->operands[0], &session.context, &model, err));
    admmnn_model_get_info(model, &info);
    admmnn_status status = admmnn_model_run_file(model, arguments->input, arguments->out,
                                                 arguments->force ? 1 : 0, err);
    admmnn_model_close(model);
    CLI_TRY(status);
    if (!arguments->json) {
        cli_print("%s: %u outputs a sample\n", arguments->out, info.outputs);
        return ADMMNN_OK;
    }
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "model", arguments->operands[0]);
    cJSON_AddStringToObject(object, "input", arguments->input);
    cJSON_AddStringToObject(object, "output", arguments->out);
    cJSON_AddNumberToObject(object, "outputs", info.outputs);
    return cli_print_json(object, err);
}

const cli_command cli_run = {
    .name = "run",
    .operands = "MODEL",
    .operands_least = 1,
    .operands_most = 1,
    .summary = "Run a model on a NumPy array.",
    .description =
        "Gives the outputs (logits) of a packed or ONNX model for the samples of a NumPy "
        "array file.",
    .options = options,
    .examples = examples,
    .run = run,
};
