#include "commands.h"
#include "data_folder.h"

static const cli_example examples[] = {
    {"admmnn data path mnist", "For instance: /home/ada/.cache/admmnn/mnist."},
    {NULL, NULL},
};

const cli_command cli_data_path = {
    .name = "data path",
    .operands = "NAME",
    .operands_least = 1,
    .operands_most = 1,
    .operand_words = "mnist cifar10",
    .summary = "Show the folder of a fetched data set.",
    .description =
        "Prints the cache folder of a data set that was fetched; an error when it was "
        "not.",
    .examples = examples,
    .run = cli_print_data_folder,
};
