#include "data_folder.h"

#include "admmnn/data.h"
#include "fail.h"
#include "print.h"

admmnn_status cli_print_data_folder(const cli_arguments *arguments, admmnn_error *err) {
    char folder[CLI_PATH_MAX];
    CLI_TRY(admmnn_data_folder(arguments->operands[0], folder, sizeof folder, err));
    if (!arguments->json) {
        cli_print_text(folder);
        return ADMMNN_OK;
    }
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "dataset", arguments->operands[0]);
    cJSON_AddStringToObject(object, "folder", folder);
    return cli_print_json(object, err);
}
