/* run_cases FILE KERNELS: the networks of make_cases by the runtime of this processor, whose
 * fastest kernels are to be those, and by the portable ones. Of the runtime and libc alone. */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admmnn/runtime.h"
#include "case.h"

static const admmnn_runtime_settings ways[] = {
    {.weights = ADMMNN_RUNTIME_LISTS},
    {.weights = ADMMNN_RUNTIME_DENSE},
    {.kernels = ADMMNN_RUNTIME_KERNELS_PORTABLE},
};
#define WAYS (sizeof ways / sizeof ways[0])

static void *take(size_t bytes) {
    void *memory = malloc(bytes == 0 ? 1 : bytes);
    if (memory == NULL)
        exit(3);
    return memory;
}

static void *get(FILE *from, size_t size, size_t count) {
    void *memory = take(size * count);
    if (fread(memory, size, count, from) != count)
        exit(3);
    return memory;
}

/* The largest difference over the largest number. */
static double apart(const float *a, const float *b, size_t count) {
    double most = 0.0;
    double size = 0.0;
    for (size_t i = 0; i < count; i++) {
        const double difference = fabs((double)a[i] - (double)b[i]);
        most = difference > most || isnan(difference) ? difference : most;
        size = fmax(size, fabs((double)b[i]));
    }
    return size > 0.0 ? most / size : most;
}

/* By kernels of that name, into memory that holds NaNs before. */
static bool run(const case_head *head, const void *file, const float *input,
                const admmnn_runtime_settings *settings, const char *kernels, float *output) {
    admmnn_runtime *model;
    admmnn_runtime_info info;
    admmnn_runtime_error err;
    if (admmnn_runtime_open_memory(file, head->bytes, settings, &model, &err) !=
        ADMMNN_RUNTIME_OK) {
        printf("%s: %s at byte %zu\n", head->name, err.reason, err.at);
        return false;
    }
    admmnn_runtime_get_info(model, &info);
    void *workspace = take(info.workspace_bytes);
    memset(workspace, 0xff, info.workspace_bytes);
    bool is_right = strcmp(info.kernels, kernels) == 0 && info.outputs == head->outputs;
    is_right =
        is_right && admmnn_runtime_run(model, workspace, input, 1, output) == ADMMNN_RUNTIME_OK;
    if (!is_right)
        printf("%s: %s kernels, not %s, or another output\n", head->name, info.kernels, kernels);
    free(workspace);
    admmnn_runtime_close(model);
    return is_right;
}

static bool run_way(const case_head *head, const void *file, const float *input,
                    const float *expected, const char *fastest, size_t way) {
    admmnn_runtime_settings settings = ways[way];
    const bool is_portable = settings.kernels == ADMMNN_RUNTIME_KERNELS_PORTABLE;
    float *output = take(head->outputs * sizeof *output);
    settings.activations = head->activations;
    bool is_right = run(head, file, input, &settings, is_portable ? "portable" : fastest, output);
    const double difference = is_right ? apart(output, expected, head->outputs) : 0.0;
    if (!(difference <= (double)head->bound)) {
        printf("%s: %g apart, way %zu\n", head->name, difference, way);
        is_right = false;
    }
    free(output);
    return is_right;
}

/* What is asked for and not there is the fastest; threads change no byte. */
static bool run_again(const case_head *head, const void *file, const float *input,
                      const char *fastest) {
    const admmnn_runtime_settings alone = {.activations = head->activations};
    const admmnn_runtime_settings together = {.kernels = ADMMNN_RUNTIME_KERNELS_AVX2,
                                              .activations = head->activations,
                                              .threads = head->threads};
    const size_t bytes = head->outputs * sizeof(float);
    float *output = take(bytes);
    float *again = take(bytes);
    const bool is_right = run(head, file, input, &alone, fastest, output) &&
                          run(head, file, input, &together, fastest, again) &&
                          memcmp(output, again, bytes) == 0;
    if (!is_right)
        printf("%s: other bytes on %u threads\n", head->name, (unsigned)head->threads);
    free(output);
    free(again);
    return is_right;
}

int main(int argc, char **argv) {
    FILE *from = argc == 3 ? fopen(argv[1], "rb") : NULL;
    case_head head;
    size_t wrong = 0;
    size_t count = 0;
    if (from == NULL) {
        fputs("usage: run_cases FILE KERNELS\n", stderr);
        return 2;
    }
    for (; fread(&head, sizeof head, 1, from) == 1; count++) {
        void *file = get(from, 1, head.bytes);
        float *input = get(from, sizeof *input, head.inputs);
        float *expected = get(from, sizeof *expected, head.outputs);
        for (size_t way = 0; way < WAYS; way++)
            wrong += !run_way(&head, file, input, expected, argv[2], way);
        wrong += head.threads > 1 && !run_again(&head, file, input, argv[2]);
        free(file);
        free(input);
        free(expected);
    }
    fclose(from);
    printf("%zu networks in %zu ways, %zu wrong\n", count, WAYS, wrong);
    return count == 0 || wrong != 0;
}
