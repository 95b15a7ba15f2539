/* A program of somebody else that runs a packed model, in C99 and with a function of its own
 * that is named like one of the runtime's within. */
#include <math.h>
#include <stdlib.h>

#include <admmnn/runtime.h>

#ifndef FROM_SOURCES /* whose names are not hidden */
void *rt_take(void *memory, size_t count, size_t size);

void *rt_take(void *memory, size_t count, size_t size) {
    (void)memory;
    (void)count;
    (void)size;
    abort();
}
#endif

/* Whether the model gives finite numbers for zeros. */
static int runs(const admmnn_runtime *model, const admmnn_runtime_info *info) {
    float *input = calloc(info->inputs, sizeof *input);
    float *output = calloc(info->outputs, sizeof *output);
    void *workspace = malloc(info->workspace_bytes);
    int finite = input != NULL && output != NULL && workspace != NULL &&
                 admmnn_runtime_run(model, workspace, input, 1, output) == ADMMNN_RUNTIME_OK;
    for (size_t i = 0; finite && i < info->outputs; i++)
        finite = isfinite(output[i]);
    free(input);
    free(output);
    free(workspace);
    return finite;
}

int main(int argc, char **argv) {
    admmnn_runtime *model;
    admmnn_runtime_error err;
    admmnn_runtime_info info;
    if (argc < 2 ||
        admmnn_runtime_open("/nonexistent", NULL, &model, &err) != ADMMNN_RUNTIME_NOT_FOUND)
        return 1;
    if (admmnn_runtime_open(argv[1], NULL, &model, &err) != ADMMNN_RUNTIME_OK)
        return 2;
    admmnn_runtime_get_info(model, &info);
    const int finite = runs(model, &info);
    admmnn_runtime_close(model);
    return finite ? 0 : 3;
}
