#include "commands.h"
#include "convert.h"
#include "evaluation.h"

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
    CLI_ACTIVATIONS_OPTION("Write ranges of the values between layers, those of training images, "
                           "so that they can be kept in 8 bits."),
    CLI_IMAGES_OPTIONS,
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
    {"admmnn pack model.onnx --out model.admm --activations 8 --data ~/fashion",
     "With ranges for 8-bit activations."},
    {NULL, NULL},
};

static admmnn_status run(const cli_arguments *arguments, admmnn_error *err) {
    return cli_convert_pack(arguments, err);
}

const cli_command cli_pack = {
    .name = "pack",
    .operands = "MODEL",
    .operands_least = 1,
    .operands_most = 1,
    .summary = "Pack an ONNX model into a .admm file.",
    .description =
        "Packs an ONNX model. Weights that lie on few levels are stored as codes, others "
        "as float32; both without loss. Packing what 'admmnn unpack' wrote gives the "
        "same bytes, but for a file whose coders were chosen by hand: there the same choice does. "
        "A .admm file may be packed again; with --activations 8 it is written with ranges for "
        "8-bit activations.",
    .options = options,
    .examples = examples,
    .run = run,
};
