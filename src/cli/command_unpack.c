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
    {.name = "weights",
     .kind = CLI_TEXT,
     .offset = offsetof(cli_arguments, weights),
     .value = "NAME",
     .fallback = "float32",
     .words = "float32 int8 int4",
     .help = "How weights are written: float32, or int8 or int4 with a scale for each layer."},
    {.name = "external-data",
     .kind = CLI_FLAG,
     .offset = offsetof(cli_arguments, external_data),
     .help = "Write the tensors' data to a file of their own beside FILE, FILE.data."},
    {.name = "force",
     .letter = 'f',
     .kind = CLI_FLAG,
     .offset = offsetof(cli_arguments, force),
     .help = "Replace FILE and FILE.data when they exist."},
    {.name = NULL},
};

static const cli_example examples[] = {
    {"admmnn unpack out/lenet5-mnist/model.admm --out lenet5.onnx", "For any ONNX tool."},
    {"admmnn unpack out/lenet5-mnist/model.onnx --out lenet5-int8.onnx --weights int8",
     "A quarter of the size, the same values."},
    {NULL, NULL},
};

static admmnn_status run(const cli_arguments *arguments, admmnn_error *err) {
    return cli_convert_unpack(arguments, err);
}

const cli_command cli_unpack = {
    .name = "unpack",
    .operands = "MODEL",
    .operands_least = 1,
    .operands_most = 1,
    .summary = "Write a packed or ONNX model as an ONNX model.",
    .description =
        "Writes the model as an ONNX model with dense tensors that hold exactly its values, and "
        "the levels they lie on in its metadata. As int8 or int4 each layer's weights are whole "
        "numbers, a scale and a DequantizeLinear, and give the same values: a layer that does "
        "not lie on so few equal levels is refused.",
    .options = options,
    .examples = examples,
    .run = run,
};
