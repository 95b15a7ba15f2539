/* A program of somebody else: every public header, calls that reach the library's lowest
 * and highest floors, and functions of its own that are named like some of the library's
 * within. Also built as C++. */
#include <stdio.h>
#include <string.h>

#include <admmnn/compress.h>
#include <admmnn/context.h>
#include <admmnn/data.h>
#include <admmnn/error.h>
#include <admmnn/model.h>

static int own_calls = 0;

void run_free(void *run);
void base_free(void *memory);

void run_free(void *run) {
    (void)run;
    own_calls++;
}

void base_free(void *memory) {
    (void)memory;
    own_calls++;
}

int main(void) {
    admmnn_compress_settings settings;
    admmnn_error err;
    admmnn_context context;
    admmnn_model *model = NULL;
    char *text = NULL;
    memset(&err, 0, sizeof err);
    memset(&context, 0, sizeof context);
    memset(&settings, 0, sizeof settings);
    if (strcmp(admmnn_status_name(ADMMNN_INPUT), "INPUT") != 0)
        return 1;
    if (admmnn_model_open("/nonexistent/model.admm", &context, &model, &err) != ADMMNN_NOT_FOUND)
        return 2;
    if (admmnn_result_table("/nonexistent", &text, &err) != ADMMNN_NOT_FOUND)
        return 3;
    settings.recipe = "/nonexistent/recipe.yaml";
    settings.out = "/nonexistent/out";
    if (admmnn_compress_run(&settings, &context, &err) != ADMMNN_NOT_FOUND)
        return 4;
    if (own_calls != 0)
        return 5;
    printf("%s\n", err.message);
    return 0;
}
