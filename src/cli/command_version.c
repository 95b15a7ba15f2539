#include "commands.h"
#include "print.h"

static const cli_example examples[] = {
    {"admmnn version", "For instance: admmnn 0.1.0."},
    {NULL, NULL},
};

static admmnn_status run(const cli_arguments *arguments, admmnn_error *err) {
    if (!arguments->json) {
        cli_print("admmnn %s\n", ADMMNN_VERSION);
        return ADMMNN_OK;
    }
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "version", ADMMNN_VERSION);
    return cli_print_json(object, err);
}

const cli_command cli_version = {
    .name = "version",
    .operands = "",
    .summary = "Show the version.",
    .description = "Prints the version of the program and of the library in it.",
    .examples = examples,
    .run = run,
};
