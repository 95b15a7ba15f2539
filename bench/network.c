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

admmnn_status bench_network_make(const char *name, graph **out, admmnn_error *err) {
    const shape s = shape_of(name);
    return graph_zoo_create(name, graph_shape_image(s.channels, s.side, s.side), s.classes, out,
                            err);
}
