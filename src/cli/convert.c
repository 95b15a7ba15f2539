#include "convert.h"

#include <inttypes.h>
#include <sys/stat.h>

#include "data_folder.h"
#include "evaluation.h"
#include "fail.h"
#include "print.h"
#include "session.h"

static double size_of_file(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 ? (double)info.st_size : 0;
}

static admmnn_pack_settings settings_of(const cli_arguments *arguments) {
    return (admmnn_pack_settings){.input = arguments->operands[0],
                                  .output = arguments->out,
                                  .positions = arguments->positions,
                                  .values = arguments->values,
                                  .weights = arguments->weights,
                                  .external_data = arguments->external_data,
                                  .mean = arguments->mean,
                                  .deviation = arguments->deviation,
                                  .force = arguments->force};
}

/* data_bytes: of the file of data beside the output; 0: there is none. */
static admmnn_status print_sizes(const cli_arguments *arguments, uint64_t data_bytes,
                                 admmnn_error *err) {
    const char *input = arguments->operands[0];
    double before = size_of_file(input);
    double after = size_of_file(arguments->out);
    if (!arguments->json) {
        cli_print("%s: %.0f bytes; %s: %.0f bytes", input, before, arguments->out, after);
        if (data_bytes > 0)
            cli_print("; %s.data: %" PRIu64 " bytes", arguments->out, data_bytes);
        cli_print("\n");
        return ADMMNN_OK;
    }
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "input", input);
    cJSON_AddNumberToObject(object, "input_bytes", before);
    cJSON_AddStringToObject(object, "output", arguments->out);
    cJSON_AddNumberToObject(object, "output_bytes", after);
    cJSON_AddNumberToObject(object, "data_bytes", (double)data_bytes);
    return cli_print_json(object, err);
}

admmnn_status cli_convert_pack(const cli_arguments *arguments, admmnn_error *err) {
    char fetched[CLI_PATH_MAX];
    admmnn_images images;
    cli_session session;
    admmnn_pack_settings settings = settings_of(arguments);
    if (!arguments->activations.given)
        CLI_TRY(cli_refuse_images(arguments, "--activations 8", err));
    else {
        CLI_TRY(cli_images(arguments, fetched, sizeof fetched, &images, err));
        settings.images = &images;
    }
    cli_session_begin(&session, arguments);
    const admmnn_status status = admmnn_model_pack(&settings, &session.context, err);
    cli_session_end(&session);
    CLI_TRY(status);
    return print_sizes(arguments, 0, err);
}

admmnn_status cli_convert_unpack(const cli_arguments *arguments, admmnn_error *err) {
    const admmnn_pack_settings settings = settings_of(arguments);
    uint64_t data_bytes;
    CLI_TRY(admmnn_model_unpack(&settings, &data_bytes, err));
    return print_sizes(arguments, data_bytes, err);
}
