#include "graph/zoo.h"

#include <math.h>
#include <string.h>

#include "base/random.h"
#include "base/words.h"

static const graph_window conv5 = {{5, 5}, {1, 1}, {0, 0}};
static const graph_window pool2 = {{2, 2}, {2, 2}, {0, 0}};

static admmnn_status build_lenet5(graph *g, uint32_t classes, admmnn_error *err) {
    uint32_t v = g->input;
    BASE_TRY(graph_add_conv(g, "conv1", v, 20, conv5, &v, err));
    BASE_TRY(graph_add_maxpool(g, "pool1", v, pool2, &v, err));
    BASE_TRY(graph_add_conv(g, "conv2", v, 50, conv5, &v, err));
    BASE_TRY(graph_add_maxpool(g, "pool2", v, pool2, &v, err));
    BASE_TRY(graph_add_inner_product(g, "fc1", v, 500, &v, err));
    BASE_TRY(graph_add_relu(g, "relu1", v, &v, err));
    return graph_add_inner_product(g, "fc2", v, classes, &v, err);
}

static admmnn_status build_lenet300(graph *g, uint32_t classes, admmnn_error *err) {
    uint32_t v = g->input;
    BASE_TRY(graph_add_inner_product(g, "fc1", v, 300, &v, err));
    BASE_TRY(graph_add_relu(g, "relu1", v, &v, err));
    BASE_TRY(graph_add_inner_product(g, "fc2", v, 100, &v, err));
    BASE_TRY(graph_add_relu(g, "relu2", v, &v, err));
    return graph_add_inner_product(g, "fc3", v, classes, &v, err);
}

typedef struct zoo_entry {
    const char *name;
    admmnn_status (*build)(graph *, uint32_t, admmnn_error *);
} zoo_entry;

static const zoo_entry zoo[] = {
    {"lenet-5", build_lenet5},
    {"lenet-300-100", build_lenet300},
};

static const zoo_entry *find(const char *name) {
    for (size_t i = 0; i < sizeof zoo / sizeof zoo[0]; i++)
        if (strcmp(zoo[i].name, name) == 0)
            return &zoo[i];
    return NULL;
}

static admmnn_status fail_unknown(const char *name, admmnn_error *err) {
    base_words names = {0};
    for (size_t i = 0; i < sizeof zoo / sizeof zoo[0]; i++)
        base_words_add(&names, zoo[i].name);
    return base_fail(err, ADMMNN_INPUT, "no network named '%.40s'; there are %s", name, names.text);
}

bool graph_zoo_has(const char *name) {
    return find(name) != NULL;
}

admmnn_status graph_zoo_create(const char *name, graph_shape input, uint32_t classes, graph **out,
                               admmnn_error *err) {
    const zoo_entry *entry = find(name);
    if (entry == NULL)
        return fail_unknown(name, err);
    graph *g;
    BASE_TRY(graph_create(name, input, &g, err));
    admmnn_status status = entry->build(g, classes, err);
    if (status != ADMMNN_OK) {
        graph_free(g);
        return base_fail_within(err, status, "%s on images of %ux%u", name, input.height,
                                input.width);
    }
    *out = g;
    return ADMMNN_OK;
}

static uint32_t fan_out(const graph *g, const graph_parameter *weight) {
    const graph_node *node = &g->nodes[weight->node];
    return weight->rows * node->window.kernel[0] * node->window.kernel[1];
}

void graph_initialise(const graph *g, uint64_t seed, float *params) {
    memset(params, 0, g->flat_count * sizeof *params);
    for (uint32_t p = 0; p < g->parameter_count; p++) {
        const graph_parameter *parameter = &g->parameters[p];
        if (parameter->kind != GRAPH_WEIGHT)
            continue;
        base_random random = base_random_at(seed, 0x696e6974, p);
        double fans = (double)parameter->columns + fan_out(g, parameter);
        float limit = (float)sqrt(6.0 / fans);
        for (size_t i = 0; i < parameter->count; i++)
            params[parameter->offset + i] = limit * (2.0F * base_random_uniform(&random) - 1.0F);
    }
}
