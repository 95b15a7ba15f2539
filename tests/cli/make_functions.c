/* A packed model of all that any_network has not, so that the C code of each is there to be read:
 * every function of one number and of two, a batch normalization of its own, a product of values,
 * an average pooling of a large window. make_functions OUT. */
#include <stdio.h>

#include "../pack/support.h"

static uint32_t add_unaries(graph *g, uint32_t v) {
    char name[32];
    for (uint32_t kind = 0; kind < GRAPH_UNARY_COUNT; kind++) {
        const graph_unary unary = {(graph_unary_kind)kind, 0.5F, 0.75F};
        snprintf(name, sizeof name, "unary%u", kind);
        MUST(graph_add_unary(g, name, v, unary, &v, err));
    }
    return v;
}

static uint32_t add_binaries(graph *g, uint32_t v) {
    char name[32];
    uint32_t other;
    MUST(graph_add_parameter(g, "other", GRAPH_TENSOR, (graph_shape){3, {4, 1, 1}}, &other, err));
    for (uint32_t kind = 0; kind < GRAPH_BINARY_COUNT; kind++) {
        snprintf(name, sizeof name, "binary%u", kind);
        MUST(graph_add_binary(g, name, (graph_binary_kind)kind, v, other, &v, err));
    }
    return v;
}

static graph *functions_network(void) {
    graph *g;
    uint32_t v;
    MUST(graph_create("functions", graph_shape_image(4, 9, 9), &g, err));
    v = add_binaries(g, add_unaries(g, g->input));
    MUST(graph_add_relu(g, "relu", v, &v, err));
    MUST(graph_add_batch_normalization(g, "norm", v, GRAPH_EPSILON, 0.5F, &v, err));
    MUST(graph_add_matmul(g, "product", v, v, &v, err));
    MUST(graph_add_average_pool(g, "pool", v, graph_pool_of(graph_window_of(9, 1, 4)), &v, err));
    return g;
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fputs("usage: make_functions OUT\n", stderr);
        return 2;
    }
    pack_model *model = random_model(functions_network(), (filling){ADMM_LEVELS_EQUAL, 4, 0.5}, 1);
    const bytes file = encode(model, PACK_POSITION_AUTO, PACK_CODER_AUTO, NULL);
    MUST(base_file_write(argv[1], file.at, file.count, err));
    base_free(file.at);
    pack_model_free(model);
    return 0;
}
