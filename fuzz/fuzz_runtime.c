/* The runtime's reader beside that of pack/: what one accepts the other does, and what is
 * accepted runs. */
#include <stdlib.h>

#include "admmnn/runtime.h"
#include "base/memory.h"
#include "pack/pack.h"
#include "packed.h"

/* Larger networks only take time: bytes of a workspace, multiply-accumulates, and windows'
 * places. */
#define WORKSPACE_MOST ((size_t)1 << 20)
#define MACS_MOST ((uint64_t)1 << 22)

static void must_agree(admmnn_status theirs, admmnn_runtime_status own) {
    const int refused = own != ADMMNN_RUNTIME_OK;
    if (theirs == ADMMNN_MEMORY || own == ADMMNN_RUNTIME_MEMORY ||
        own == ADMMNN_RUNTIME_UNSUPPORTED) /* panels that are too large, beside versions */
        return;
    if ((theirs != ADMMNN_OK) != refused || (refused && own != ADMMNN_RUNTIME_CORRUPT))
        abort();
}

static uint64_t work_of(const graph *g) {
    uint64_t work = graph_macs(g);
    for (uint32_t n = 0; n < g->node_count; n++) {
        const graph_window *w = graph_node_window(&g->nodes[n]);
        if (w != NULL)
            work +=
                (uint64_t)w->kernel[0] * w->kernel[1] * graph_value_count(g, g->nodes[n].output);
        work += g->nodes[n].op == GRAPH_LRN ? g->nodes[n].lrn.size : 0;
    }
    return work;
}

static void must_run(const admmnn_runtime *model) {
    admmnn_runtime_info info;
    admmnn_runtime_get_info(model, &info);
    float *input = base_array(info.inputs, sizeof *input);
    float *output = base_array(info.outputs, sizeof *output);
    void *workspace = malloc(info.workspace_bytes);
    if (input == NULL || output == NULL || workspace == NULL ||
        admmnn_runtime_run(model, workspace, input, 1, output) != ADMMNN_RUNTIME_OK)
        abort();
    base_free(input);
    base_free(output);
    free(workspace);
}

/* What fits an arena is what was measured. */
static void must_fit_arena(const uint8_t *bytes, size_t count, admmnn_runtime_settings settings) {
    admmnn_runtime *model = NULL;
    if (admmnn_runtime_measure(bytes, count, &settings, &settings.arena_bytes, NULL) !=
        ADMMNN_RUNTIME_OK)
        abort();
    settings.arena = malloc(settings.arena_bytes);
    if (settings.arena == NULL ||
        admmnn_runtime_open_memory(bytes, count, &settings, &model, NULL) != ADMMNN_RUNTIME_OK)
        abort();
    admmnn_runtime_close(model);
    free(settings.arena);
}

static void try_open(const uint8_t *bytes, size_t count, const pack_model *packed,
                     admmnn_status theirs) {
    const bool ranges = packed != NULL && packed->ranges != NULL;
    const admmnn_runtime_settings settings = {.kernels = (admmnn_runtime_kernels)(count % 3),
                                              .weights = (admmnn_runtime_weights)(count / 3 % 3),
                                              .activations = ranges ? 8 : 32};
    admmnn_runtime *model = NULL;
    admmnn_runtime_info info;
    const admmnn_runtime_status own =
        admmnn_runtime_open_memory(bytes, count, &settings, &model, NULL);
    must_agree(theirs, own);
    if (own != ADMMNN_RUNTIME_OK)
        return;
    admmnn_runtime_get_info(model, &info);
    if (packed != NULL && info.workspace_bytes <= WORKSPACE_MOST && work_of(packed->g) <= MACS_MOST)
        must_run(model);
    admmnn_runtime_close(model);
    if (count / 9 % 4 == 0 && packed != NULL && packed_is_small(packed->g))
        must_fit_arena(bytes, count, settings);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    pack_model *packed = NULL;
    const admmnn_status theirs = pack_decode(data, size, &packed, NULL, NULL);
    /* One kind of kernels and of weights at a time: a large matrix in few bytes takes long enough
     * twice. */
    try_open(data, size, packed, theirs);
    pack_model_free(packed);
    return 0;
}
