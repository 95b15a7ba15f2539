#include "graph/zoo.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "base/words.h"

static graph_conv plain_conv(uint32_t kernel, uint32_t stride, uint32_t pad) {
    return graph_conv_of(graph_window_of(kernel, stride, pad));
}

static graph_pool plain_pool(uint32_t kernel, uint32_t stride, uint32_t pad) {
    return graph_pool_of(graph_window_of(kernel, stride, pad));
}

static admmnn_status build_lenet5(graph *g, uint32_t classes, uint32_t width, admmnn_error *err) {
    (void)width;
    uint32_t v = g->input;
    BASE_TRY(graph_add_conv(g, "conv1", v, 20, plain_conv(5, 1, 0), &v, err));
    BASE_TRY(graph_add_maxpool(g, "pool1", v, plain_pool(2, 2, 0), &v, err));
    BASE_TRY(graph_add_conv(g, "conv2", v, 50, plain_conv(5, 1, 0), &v, err));
    BASE_TRY(graph_add_maxpool(g, "pool2", v, plain_pool(2, 2, 0), &v, err));
    BASE_TRY(graph_add_inner_product(g, "fc1", v, 500, true, &v, err));
    BASE_TRY(graph_add_relu(g, "relu1", v, &v, err));
    return graph_add_inner_product(g, "fc2", v, classes, true, &v, err);
}

static admmnn_status build_lenet300(graph *g, uint32_t classes, uint32_t width, admmnn_error *err) {
    (void)width;
    uint32_t v = g->input;
    BASE_TRY(graph_add_inner_product(g, "fc1", v, 300, true, &v, err));
    BASE_TRY(graph_add_relu(g, "relu1", v, &v, err));
    BASE_TRY(graph_add_inner_product(g, "fc2", v, 100, true, &v, err));
    BASE_TRY(graph_add_relu(g, "relu2", v, &v, err));
    return graph_add_inner_product(g, "fc3", v, classes, true, &v, err);
}

/* Batch normalization number i, and a rectifier unless it is the network's last. */
static admmnn_status add_normalized(graph *g, unsigned i, bool last, uint32_t *v,
                                    admmnn_error *err) {
    char name[GRAPH_NAME_MAX];
    snprintf(name, sizeof name, "bn%u", i);
    BASE_TRY(graph_add_batch_normalization(g, name, *v, GRAPH_EPSILON, GRAPH_MOMENTUM, v, err));
    snprintf(name, sizeof name, "relu%u", i);
    return last ? ADMMNN_OK : graph_add_relu(g, name, *v, v, err);
}

static admmnn_status build_lenet5_bn(graph *g, uint32_t classes, uint32_t width,
                                     admmnn_error *err) {
    (void)width;
    uint32_t v = g->input;
    BASE_TRY(graph_add_conv(g, "conv1", v, 20, plain_conv(5, 1, 0), &v, err));
    BASE_TRY(add_normalized(g, 1, false, &v, err));
    BASE_TRY(graph_add_maxpool(g, "pool1", v, plain_pool(2, 2, 0), &v, err));
    BASE_TRY(graph_add_conv(g, "conv2", v, 50, plain_conv(5, 1, 0), &v, err));
    BASE_TRY(add_normalized(g, 2, false, &v, err));
    BASE_TRY(graph_add_maxpool(g, "pool2", v, plain_pool(2, 2, 0), &v, err));
    BASE_TRY(graph_add_inner_product(g, "fc1", v, 500, true, &v, err));
    BASE_TRY(add_normalized(g, 3, false, &v, err));
    BASE_TRY(graph_add_inner_product(g, "fc2", v, classes, true, &v, err));
    return add_normalized(g, 4, true, &v, err);
}

static admmnn_status build_mlp_bn(graph *g, uint32_t classes, uint32_t width, admmnn_error *err) {
    enum { LAYERS = 4 };
    uint32_t v = g->input;
    for (unsigned i = 1; i <= LAYERS; i++) {
        const bool last = i == LAYERS;
        char name[GRAPH_NAME_MAX];
        snprintf(name, sizeof name, "dropout%u", i);
        BASE_TRY(graph_add_dropout(g, name, v, i == 1 ? 0.2F : 0.5F, &v, err));
        snprintf(name, sizeof name, "fc%u", i);
        BASE_TRY(graph_add_inner_product(g, name, v, last ? classes : width, true, &v, err));
        BASE_TRY(add_normalized(g, i, last, &v, err));
    }
    return ADMMNN_OK;
}

#define WIDTH_TEXT "WIDTH"

typedef struct zoo_entry {
    const char *name; /* WIDTH_TEXT at its end stands for a number */
    admmnn_status (*build)(graph *, uint32_t classes, uint32_t width, admmnn_error *);
} zoo_entry;

static const zoo_entry zoo[] = {
    {"lenet-5", build_lenet5},
    {"lenet-5-bn", build_lenet5_bn},
    {"lenet-300-100", build_lenet300},
    {"mlp-bn-" WIDTH_TEXT, build_mlp_bn},
};

/* A width in plain decimal digits; 0: none. */
static uint32_t parse_width(const char *text) {
    const size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 4 || text[digits] != 0 || text[0] == '0')
        return 0;
    const unsigned long width = strtoul(text, NULL, 10);
    return width <= GRAPH_ZOO_WIDTH_MAX ? (uint32_t)width : 0;
}

static bool is_named(const zoo_entry *entry, const char *name, uint32_t *width) {
    const char *variable = strstr(entry->name, WIDTH_TEXT);
    if (variable == NULL)
        return strcmp(entry->name, name) == 0;
    const size_t fixed = (size_t)(variable - entry->name);
    *width = strncmp(entry->name, name, fixed) == 0 ? parse_width(name + fixed) : 0;
    return *width > 0;
}

static const zoo_entry *find(const char *name, uint32_t *width) {
    *width = 0;
    for (size_t i = 0; i < sizeof zoo / sizeof zoo[0]; i++)
        if (is_named(&zoo[i], name, width))
            return &zoo[i];
    return NULL;
}

static admmnn_status fail_unknown(const char *name, admmnn_error *err) {
    base_words names = {0};
    for (size_t i = 0; i < sizeof zoo / sizeof zoo[0]; i++)
        base_words_add(&names, zoo[i].name);
    return base_fail(err, ADMMNN_INPUT,
                     "no network named '%.40s'; there are %s (" WIDTH_TEXT " from 1 to %d)", name,
                     names.text, GRAPH_ZOO_WIDTH_MAX);
}

bool graph_zoo_has(const char *name) {
    uint32_t width;
    return find(name, &width) != NULL;
}

admmnn_status graph_zoo_create(const char *name, graph_shape input, uint32_t classes, graph **out,
                               admmnn_error *err) {
    uint32_t width;
    const zoo_entry *entry = find(name, &width);
    if (entry == NULL)
        return fail_unknown(name, err);
    graph *g;
    BASE_TRY(graph_create(name, input, &g, err));
    admmnn_status status = entry->build(g, classes, width, err);
    if (status != ADMMNN_OK) {
        graph_free(g);
        return base_fail_within(err, status, "%s on images of %ux%u", name,
                                graph_shape_height(input), graph_shape_width(input));
    }
    *out = g;
    return ADMMNN_OK;
}

static uint32_t fan_out(const graph *g, const graph_parameter *weight) {
    const graph_window *w = graph_node_window(&g->nodes[weight->node]);
    return w == NULL ? weight->rows : weight->rows * w->kernel[0] * w->kernel[1];
}

void graph_initialise(const graph *g, uint64_t seed, float *params) {
    memset(params, 0, g->flat_count * sizeof *params);
    for (uint32_t p = 0; p < g->parameter_count; p++) {
        const graph_parameter *parameter = &g->parameters[p];
        if (parameter->kind == GRAPH_SCALE || parameter->kind == GRAPH_VARIANCE)
            for (size_t i = 0; i < parameter->count; i++)
                params[parameter->offset + i] = 1.0F;
        if (parameter->kind != GRAPH_WEIGHT)
            continue;
        base_random random = base_random_at(seed, 0x696e6974, p);
        double fans = (double)parameter->columns + fan_out(g, parameter);
        float limit = (float)sqrt(6.0 / fans);
        for (size_t i = 0; i < parameter->count; i++)
            params[parameter->offset + i] = limit * (2.0F * base_random_uniform(&random) - 1.0F);
    }
}
