#include "convert.h"

#include <sys/stat.h>

#include "fail.h"
#include "print.h"

static double size_of_file(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 ? (double)info.st_size : 0;
}

admmnn_status cli_convert(const cli_arguments *arguments, cli_converter convert,
                          admmnn_error *err) {
    const char *input = arguments->operands[0];
    admmnn_pack_settings settings = {.input = input,
                                     .output = arguments->out,
                                     .positions = arguments->positions,
                                     .values = arguments->values,
                                     .weights = arguments->weights,
                                     .force = arguments->force};
    CLI_TRY(convert(&settings, err));
    double before = size_of_file(input);
    double after = size_of_file(arguments->out);
    if (!arguments->json) {
        cli_print("%s: %.0f bytes; %s: %.0f bytes\n", input, before, arguments->out, after);
        return ADMMNN_OK;
    }
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "input", input);
    cJSON_AddNumberToObject(object, "input_bytes", before);
    cJSON_AddStringToObject(object, "output", arguments->out);
    cJSON_AddNumberToObject(object, "output_bytes", after);
    return cli_print_json(object, err);
}
