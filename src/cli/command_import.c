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
    {"admmnn import resnet18.onnx --out network.onnx", "One file, as every command reads it."},
    {NULL, NULL},
};

static admmnn_status run(const cli_arguments *arguments, admmnn_error *err) {
    return cli_convert_unpack(arguments, err);
}

const cli_command cli_import = {
    .name = "import",
    .operands = "MODEL.onnx",
    .operands_least = 1,
    .operands_most = 1,
    .summary = "Read a network that another tool wrote, and write what was understood.",
    .description =
        "Reads an ONNX model of operator sets 7 to 22 and writes it anew: data from other files "
        "taken in, shapes computed, every weight an initializer, the names kept. Importing what "
        "was imported changes nothing. What cannot be read is named with its operator, node and "
        "operator set. The data of a model above 2 GiB, which one file does not hold, go to "
        "FILE.data unasked.",
    .options = options,
    .examples = examples,
    .run = run,
};
