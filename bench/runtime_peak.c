/* A program that opens a packed model by the runtime, runs one sample and does nothing else: what
 * it has resident at most. It links the runtime and libc alone, so that nothing else counts.
 *
 *   runtime_peak FILE [--json]
 *
 * Bytes, from Linux's /proc/self/status: before opening, at the peak until the model is open, at
 * the peak until the sample is run; and the last over the weights as dense floats. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admmnn/runtime.h"

#define LINE_BYTES 256

/* The most that was resident so far; 0 where the system does not tell. */
static size_t peak_bytes(void) {
    char line[LINE_BYTES];
    unsigned long kibibytes = 0;
    FILE *file = fopen("/proc/self/status", "r");
    if (file == NULL)
        return 0;
    while (kibibytes == 0 && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, "VmHWM:", 6) == 0)
            kibibytes = strtoul(line + 6, NULL, 10);
    fclose(file);
    return (size_t)kibibytes * 1024;
}

static int run_sample(const admmnn_runtime *model, const admmnn_runtime_info *info) {
    void *workspace = malloc(info->workspace_bytes);
    float *input = malloc(info->inputs * sizeof *input);
    float *output = malloc(info->outputs * sizeof *output);
    int status = 1;
    if (workspace != NULL && input != NULL && output != NULL) {
        for (size_t i = 0; i < info->inputs; i++)
            input[i] = (float)(i % 17) / 17.0F;
        status = admmnn_runtime_run(model, workspace, input, 1, output) != ADMMNN_RUNTIME_OK;
    }
    free(workspace);
    free(input);
    free(output);
    return status;
}

int main(int argc, char **argv) {
    const int json = argc == 3 && strcmp(argv[2], "--json") == 0;
    admmnn_runtime *model;
    admmnn_runtime_error err;
    admmnn_runtime_info info;
    if (argc != 2 + json) {
        fputs("usage: runtime_peak FILE [--json]\n", stderr);
        return 2;
    }
    const size_t before = peak_bytes();
    if (admmnn_runtime_open(argv[1], NULL, &model, &err) != ADMMNN_RUNTIME_OK) {
        fprintf(stderr, "runtime_peak: %s: %s at byte %zu\n", argv[1], err.reason, err.at);
        return 1;
    }
    const size_t open = peak_bytes();
    admmnn_runtime_get_info(model, &info);
    const int status = run_sample(model, &info);
    const size_t peak = peak_bytes();
    const double dense = (double)info.weights * sizeof(float);
    printf(json ? "{\"network\": \"%s\", \"weights\": %.0f, \"kept\": %.0f, \"model_bytes\": %zu, "
                  "\"workspace_bytes\": %zu, \"before_bytes\": %zu, \"open_peak_bytes\": %zu, "
                  "\"peak_bytes\": %zu, \"of_dense\": %.5f}\n"
                : "%s: %.0f weights, %.0f kept\n"
                  "held %zu, workspace %zu\n"
                  "resident before %zu, until open %zu, until run %zu\n"
                  "1/%.2f of the dense weights\n",
           info.name, (double)info.weights, (double)info.kept, info.model_bytes,
           info.workspace_bytes, before, open, peak,
           json ? (double)peak / dense : dense / (double)peak);
    admmnn_runtime_close(model);
    return status;
}
