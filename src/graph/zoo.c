#include "graph/zoo.h"

#include <stdlib.h>
#include <string.h>

#include "base/words.h"
#include "graph/zoo_build.h"

#define WIDTH_TEXT "WIDTH"

typedef struct zoo_entry {
    const char *name; /* WIDTH_TEXT at its end stands for a number */
    zoo_builder *build;
    graph_initialisation initialisation;
} zoo_entry;

static const zoo_entry zoo[] = {
    {"lenet-5", zoo_build_lenet5, GRAPH_GLOROT},
    {"lenet-5-bn", zoo_build_lenet5_bn, GRAPH_GLOROT},
    {"lenet-300-100", zoo_build_lenet300, GRAPH_GLOROT},
    {"mlp-bn-" WIDTH_TEXT, zoo_build_mlp_bn, GRAPH_GLOROT},
    {"alexnet", zoo_build_alexnet, GRAPH_HE},
    {"vgg-16", zoo_build_vgg16, GRAPH_HE},
    {"vgg-small", zoo_build_vgg_small, GRAPH_HE},
    {"resnet-18", zoo_build_resnet18, GRAPH_HE},
    {"resnet-50", zoo_build_resnet50, GRAPH_HE},
    {"resnet-20", zoo_build_resnet20, GRAPH_HE},
    {"resnet-56", zoo_build_resnet56, GRAPH_HE},
    {"mobilenet-v1", zoo_build_mobilenet1, GRAPH_HE},
    {"mobilenet-v2", zoo_build_mobilenet2, GRAPH_HE},
    {"transformer-small", zoo_build_transformer, GRAPH_GLOROT},
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
    char text[GRAPH_SHAPE_TEXT_MAX];
    if (input.rank != 3)
        return base_fail(err, ADMMNN_INPUT, "%s wants images, not samples of shape %s", name,
                         graph_shape_text(input, text));
    graph *g;
    BASE_TRY(graph_create(name, input, &g, err));
    g->initialisation = entry->initialisation;
    admmnn_status status = entry->build(g, classes, width, err);
    if (status != ADMMNN_OK) {
        graph_free(g);
        return base_fail_within(err, status, "%s on images of %ux%u", name,
                                graph_shape_height(input), graph_shape_width(input));
    }
    *out = g;
    return ADMMNN_OK;
}
