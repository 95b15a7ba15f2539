#include "run_result.h"

#include "admmnn/compress.h"
#include "fail.h"
#include "print.h"

admmnn_status cli_print_run_result(const cli_arguments *arguments, const char *folder,
                                   admmnn_error *err) {
    char *text;
    if (arguments->json)
        CLI_TRY(admmnn_result_json(folder, &text, err));
    else
        CLI_TRY(admmnn_result_table(folder, &text, err));
    cli_print_text(text);
    admmnn_text_free(text);
    return ADMMNN_OK;
}
