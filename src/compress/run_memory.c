/* What a run takes of memory at least, from its recipe and network alone. Where the machine
 * has less it is refused before anything of that size is taken: it would be killed hours
 * later, or make its machine crawl. docs/networks.md has what it takes in all. */
#include <inttypes.h>

#include "base/memory.h"
#include "compress/run.h"

/* The vectors of a stage, each a float for every parameter. The engine has one gradient or more. */
static uint64_t training_vectors(const recipe_training *training) {
    const uint64_t moments = training->optimizer == TRAIN_SGD ? 1 : 2;
    return 2 + moments; /* the parameters, their gradient */
}

/* Beside training's: the dense network, z, u and z - u. */
#define ADMM_VECTORS 4

static bool is_on_curvature(const recipe_prune *p) {
    return p->method == RECIPE_PRUNE_ADMM && p->x_step == RECIPE_X_CURVATURE;
}

/* W + U, that a ramp ranks, while there is z - u; after an epoch it takes that one's place. */
static bool ranks_within(const recipe_prune *p) {
    return (p->ramp > 0 || is_on_curvature(p)) && p->scope == RECIPE_SCOPE_GLOBAL &&
           p->admm.updates > 1;
}

/* Of the stages on all weights: those on what pruning left take less. */
static uint64_t most_vectors(const recipe *r) {
    const bool importance = r->training.optimizer != TRAIN_SGD;
    const uint64_t dense = training_vectors(&r->training) + (r->training.average > 0);
    uint64_t later = 0;
    if (r->prune.method == RECIPE_PRUNE_ADMM)
        later = training_vectors(&r->prune.admm.training) + ADMM_VECTORS + importance +
                ranks_within(&r->prune) + is_on_curvature(&r->prune); /* x */
    else if (r->prune.method == RECIPE_PRUNE_NONE && r->quantize.enabled &&
             r->quantize.method == RECIPE_QUANTIZE_ADMM && r->quantize.admm.iterations > 0)
        later = training_vectors(&r->quantize.admm.training) + ADMM_VECTORS;
    return later > dense ? later : dense;
}

static bool is_layer(const graph_node *node) {
    return node->weight != GRAPH_NONE;
}

/* Whether a layer before node n reads the same. */
static bool is_read_before(const graph *g, uint32_t n, uint32_t value) {
    for (uint32_t k = 0; k < n; k++)
        if (is_layer(&g->nodes[k]) && graph_operand(g, &g->nodes[k], 0) == value)
            return true;
    return false;
}

/* What the layers read of a sample: the gradients by their weights want it again. */
static uint64_t kept_elements(const graph *g) {
    uint64_t sum = 0;
    for (uint32_t n = 0; n < g->node_count; n++) {
        if (!is_layer(&g->nodes[n]))
            continue;
        const uint32_t value = graph_operand(g, &g->nodes[n], 0);
        if (graph_value_varies(g, value) && !is_read_before(g, n, value))
            sum += graph_value_count(g, value);
    }
    return sum;
}

/* The teacher's, beside ADMM pruning; later stages, on what is left, are not the largest. */
static uint64_t answers(const compress_run *run) {
    const recipe_prune *p = &run->r->prune;
    const recipe_training *training = &p->admm.training;
    if (p->method != RECIPE_PRUNE_ADMM || training->distill == 0)
        return 0;
    const uint64_t versions = training->versions == 0 ? 1 : training->versions;
    return versions * run->train.count * graph_value_count(run->g, run->g->output);
}

static uint64_t curvature(const compress_run *run) {
    return is_on_curvature(&run->r->prune)
               ? train_curvature_size(run->g, base_pool_threads(run->pool))
               : 0;
}

uint64_t run_least_memory(const compress_run *run) {
    const uint64_t floats = most_vectors(run->r) * run->g->flat_count +
                            kept_elements(run->g) * run->batch + answers(run);
    const bool loose = run->r->prune.penalty == RECIPE_PENALTY_PRUNED;
    return floats * sizeof(float) + curvature(run) + run->g->flat_count * (1U + loose); /* mask */
}

admmnn_status run_check_memory(const compress_run *run, uint64_t memory, admmnn_error *err) {
    const uint64_t needed = run_least_memory(run);
    if (needed <= memory)
        return ADMMNN_OK;
    return base_fail(err, ADMMNN_MEMORY,
                     "%s: %s with %zu parameters, in batches of %u, needs at least %" PRIu64
                     " MiB of memory; there are %" PRIu64
                     ": lower the batch%s, or choose a smaller network or a larger machine",
                     run->r->path, run->r->model, graph_trainable_count(run->g), run->batch,
                     needed >> 20, memory >> 20, answers(run) > 0 ? " or the versions" : "");
}
