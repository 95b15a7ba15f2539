/* First parameters. */
#include <math.h>
#include <string.h>

#include "base/random.h"
#include "graph/zoo.h"

/* The deviation of a tensor that is no weight: places of a Transformer's tokens. */
#define TENSOR_DEVIATION 0.02F

typedef struct fans {
    double in, out;
} fans;

/* An operand has inputs by outputs, and so has a matmul's weight. */
static fans fans_of(const graph *g, const graph_parameter *weight) {
    const graph_node *node = weight->node == GRAPH_NONE ? NULL : &g->nodes[weight->node];
    const graph_window *w = node == NULL ? NULL : graph_node_window(node);
    if (node == NULL || node->op == GRAPH_MATMUL)
        return (fans){weight->rows, weight->columns};
    if (w == NULL)
        return (fans){weight->columns, weight->rows};
    return (fans){weight->columns, weight->rows / node->conv.groups * w->kernel[0] * w->kernel[1]};
}

static void draw_uniform(base_random *random, float limit, size_t count, float *out) {
    for (size_t i = 0; i < count; i++)
        out[i] = limit * (2.0F * base_random_uniform(random) - 1.0F);
}

static void draw_normal(base_random *random, float deviation, size_t count, float *out) {
    for (size_t i = 0; i < count; i++)
        out[i] = deviation * base_random_normal(random);
}

static void draw_weight(const graph *g, const graph_parameter *weight, base_random *random,
                        float *out) {
    const fans f = fans_of(g, weight);
    if (g->initialisation == GRAPH_HE)
        draw_normal(random, (float)sqrt(2.0 / f.in), weight->count, out);
    else
        draw_uniform(random, (float)sqrt(6.0 / (f.in + f.out)), weight->count, out);
}

static void fill(float value, size_t count, float *out) {
    for (size_t i = 0; i < count; i++)
        out[i] = value;
}

void graph_initialise(const graph *g, uint64_t seed, float *params) {
    memset(params, 0, g->flat_count * sizeof *params);
    for (uint32_t p = 0; p < g->parameter_count; p++) {
        const graph_parameter *parameter = &g->parameters[p];
        float *out = params + parameter->offset;
        base_random random = base_random_at(seed, 0x696e6974, p);
        if (parameter->kind == GRAPH_SCALE || parameter->kind == GRAPH_VARIANCE)
            fill(1.0F, parameter->count, out);
        else if (parameter->kind == GRAPH_WEIGHT)
            draw_weight(g, parameter, &random, out);
        else if (parameter->kind == GRAPH_TENSOR)
            draw_normal(&random, TENSOR_DEVIATION, parameter->count, out);
    }
}
