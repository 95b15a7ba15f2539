/* A program of somebody else: every public header, and calls that reach the
 * library's lowest and highest floors. Also built as C++. */
#include <stdio.h>
#include <string.h>

#include <admmnn/compress.h>
#include <admmnn/context.h>
#include <admmnn/data.h>
#include <admmnn/error.h>
#include <admmnn/model.h>

int main(void) {
    admmnn_error err;
    admmnn_context context;
    admmnn_model *model = NULL;
    char *text = NULL;
    memset(&err, 0, sizeof err);
    memset(&context, 0, sizeof context);
    if (strcmp(admmnn_status_name(ADMMNN_INPUT), "INPUT") != 0)
        return 1;
    if (admmnn_model_open("/nonexistent/model.admm", &context, &model, &err) != ADMMNN_NOT_FOUND)
        return 2;
    if (admmnn_result_table("/nonexistent", &text, &err) != ADMMNN_NOT_FOUND)
        return 3;
    printf("%s\n", err.message);
    return 0;
}
