#include "commands.h"
#include "convert.h"

static const cli_option options[] = {
    {.name = "out",
     .letter = 'o',
     .kind = CLI_TEXT,
     .required = true,
     .offset = offsetof(cli_arguments, out),
     .value = "FILE",
     .help = "The ONNX model to write."},
    {.name = "force",
     .letter = 'f',
     .kind = CLI_FLAG,
     .offset = offsetof(cli_arguments, force),
     .help = "Replace FILE when it exists."},
    {.name = NULL},
};

static const cli_example examples[] = {
    {"admmnn unpack out/lenet5-mnist/model.admm --out lenet5.onnx", "For any ONNX tool."},
    {NULL, NULL},
};

static admmnn_status run(const cli_arguments *arguments, admmnn_error *err) {
    return cli_convert(arguments, admmnn_model_unpack, err);
}

const cli_command cli_unpack = {
    .name = "unpack",
    .operands = "MODEL.admm",
    .operands_least = 1,
    .operands_most = 1,
    .summary = "Unpack a .admm file into an ONNX model.",
    .description =
        "Writes the packed model as an ONNX model with dense float32 tensors that hold "
        "exactly the packed values, and the levels they lie on in its metadata.",
    .options = options,
    .examples = examples,
    .run = run,
};
