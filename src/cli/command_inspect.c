#include "admmnn/model.h"
#include "commands.h"
#include "fail.h"
#include "print.h"
#include "session.h"

static const cli_example examples[] = {
    {"admmnn inspect out/lenet5-mnist/model.admm", "Layers, coders, and where the bytes went."},
    {NULL, NULL},
};

static admmnn_status run(const cli_arguments *arguments, admmnn_error *err) {
    cli_session session;
    admmnn_model *model;
    char *text;
    cli_session_begin(&session, arguments);
    CLI_TRY(admmnn_model_open(arguments->operands[0], &session.context, &model, err));
    admmnn_status status = admmnn_model_inspect(model, arguments->json, &text, err);
    admmnn_model_close(model);
    CLI_TRY(status);
    cli_print_text(text);
    admmnn_text_free(text);
    return ADMMNN_OK;
}

const cli_command cli_inspect = {
    .name = "inspect",
    .operands = "MODEL",
    .operands_least = 1,
    .operands_most = 1,
    .summary = "Show what a model holds and where its bytes went.",
    .description =
        "Prints the layers of a packed model: shapes, weights kept, bits, coders, "
        "and the file's size split into values, indices, codebooks, scales, biases and "
        "header. Of an ONNX model, its operations: output shapes, weights, those not 0, their "
        "range, "
        "multiply-accumulates and activations.",
    .examples = examples,
    .run = run,
};
