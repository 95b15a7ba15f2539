#include "network.h"

#include <string.h>

#include "graph/zoo.h"

typedef struct shape {
    const char *network;
    uint32_t channels, side, classes;
} shape;

static const shape shapes[] = {{"alexnet", 3, 227, 1000},      {"vgg-16", 3, 224, 1000},
                               {"resnet-18", 3, 224, 1000},    {"resnet-50", 3, 224, 1000},
                               {"mobilenet-v1", 3, 224, 1000}, {"mobilenet-v2", 3, 224, 1000},
                               {"resnet-20", 3, 32, 10},       {"resnet-56", 3, 32, 10},
                               {"vgg-small", 3, 32, 10},       {"transformer-small", 3, 32, 10}};

static shape shape_of(const char *network) {
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        if (strcmp(shapes[i].network, network) == 0)
            return shapes[i];
    return (shape){network, 1, 28, 10};
}

static admmnn_status add_smallest(graph *g, const shape *s, admmnn_error *err) {
    uint32_t v;
    const graph_pool mean = {.window = graph_window_of(s->side, 1, 0)};
    BASE_TRY(graph_add_average_pool(g, "mean", g->input, mean, &v, err));
    return graph_add_inner_product(g, "fc1", v, s->classes, true, &v, err);
}

static admmnn_status make_smallest(const shape *s, graph **out, admmnn_error *err) {
    BASE_TRY(graph_create(s->network, graph_shape_image(s->channels, s->side, s->side), out, err));
    const admmnn_status status = add_smallest(*out, s, err);
    if (status != ADMMNN_OK)
        graph_free(*out);
    return status;
}

admmnn_status bench_network_make(const char *name, graph **out, admmnn_error *err) {
    const shape s = shape_of(name);
    if (strcmp(name, "smallest") == 0)
        return make_smallest(&s, out, err);
    return graph_zoo_create(name, graph_shape_image(s.channels, s.side, s.side), s.classes, out,
                            err);
}
