#include "commands.h"
#include "convert.h"

static const cli_option options[] = {
    {.name = "out",
     .letter = 'o',
     .kind = CLI_TEXT,
     .required = true,
     .offset = offsetof(cli_arguments, out),
     .value = "FILE",
     .help = "The packed model to write."},
    {.name = "positions",
     .kind = CLI_TEXT,
     .offset = offsetof(cli_arguments, positions),
     .value = "NAME",
     .fallback = "auto, the smallest by layer",
     .words = "auto dense relative bitmap entropy",
     .help = "How indices are coded: auto, dense, relative, bitmap or entropy."},
    {.name = "values",
     .kind = CLI_TEXT,
     .offset = offsetof(cli_arguments, values),
     .value = "NAME",
     .fallback = "auto, the smallest by layer",
     .words = "auto fixed huffman range",
     .help = "How values are coded: auto, fixed, huffman or range."},
    {.name = "force",
     .letter = 'f',
     .kind = CLI_FLAG,
     .offset = offsetof(cli_arguments, force),
     .help = "Replace FILE when it exists."},
    {.name = NULL},
};

static const cli_example examples[] = {
    {"admmnn pack model.onnx --out model.admm", "The smallest file."},
    {"admmnn pack model.onnx --out model.admm --positions relative --values huffman --force",
     "With the coders of Han et al. 2016."},
    {NULL, NULL},
};

static admmnn_status run(const cli_arguments *arguments, admmnn_error *err) {
    return cli_convert_pack(arguments, err);
}

const cli_command cli_pack = {
    .name = "pack",
    .operands = "MODEL.onnx",
    .operands_least = 1,
    .operands_most = 1,
    .summary = "Pack an ONNX model into a .admm file.",
    .description =
        "Packs an ONNX model. Weights that lie on few levels are stored as codes, others "
        "as float32; both without loss. Packing what 'admmnn unpack' wrote gives the "
        "same bytes, but for a file whose coders were chosen by hand: there the same choice does.",
    .options = options,
    .examples = examples,
    .run = run,
};
