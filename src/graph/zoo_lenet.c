/* The small networks of 28 x 28 images. */
#include "graph/zoo_build.h"

admmnn_status zoo_build_lenet5(graph *g, uint32_t classes, uint32_t width, admmnn_error *err) {
    (void)width;
    uint32_t v = g->input;
    BASE_TRY(zoo_add_conv(g, "conv1", 20, graph_window_of(5, 1, 0), &v, err));
    BASE_TRY(zoo_add_maxpool(g, "pool1", graph_window_of(2, 2, 0), &v, err));
    BASE_TRY(zoo_add_conv(g, "conv2", 50, graph_window_of(5, 1, 0), &v, err));
    BASE_TRY(zoo_add_maxpool(g, "pool2", graph_window_of(2, 2, 0), &v, err));
    BASE_TRY(graph_add_inner_product(g, "fc1", v, 500, true, &v, err));
    BASE_TRY(graph_add_relu(g, "relu1", v, &v, err));
    return graph_add_inner_product(g, "fc2", v, classes, true, &v, err);
}

admmnn_status zoo_build_lenet300(graph *g, uint32_t classes, uint32_t width, admmnn_error *err) {
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
    zoo_name(name, "bn%u", i);
    BASE_TRY(graph_add_batch_normalization(g, name, *v, GRAPH_EPSILON, GRAPH_MOMENTUM, v, err));
    zoo_name(name, "relu%u", i);
    return last ? ADMMNN_OK : graph_add_relu(g, name, *v, v, err);
}

admmnn_status zoo_build_lenet5_bn(graph *g, uint32_t classes, uint32_t width, admmnn_error *err) {
    (void)width;
    uint32_t v = g->input;
    BASE_TRY(zoo_add_conv(g, "conv1", 20, graph_window_of(5, 1, 0), &v, err));
    BASE_TRY(add_normalized(g, 1, false, &v, err));
    BASE_TRY(zoo_add_maxpool(g, "pool1", graph_window_of(2, 2, 0), &v, err));
    BASE_TRY(zoo_add_conv(g, "conv2", 50, graph_window_of(5, 1, 0), &v, err));
    BASE_TRY(add_normalized(g, 2, false, &v, err));
    BASE_TRY(zoo_add_maxpool(g, "pool2", graph_window_of(2, 2, 0), &v, err));
    BASE_TRY(graph_add_inner_product(g, "fc1", v, 500, true, &v, err));
    BASE_TRY(add_normalized(g, 3, false, &v, err));
    BASE_TRY(graph_add_inner_product(g, "fc2", v, classes, true, &v, err));
    return add_normalized(g, 4, true, &v, err);
}

admmnn_status zoo_build_mlp_bn(graph *g, uint32_t classes, uint32_t width, admmnn_error *err) {
    enum { LAYERS = 4 };
    uint32_t v = g->input;
    for (unsigned i = 1; i <= LAYERS; i++) {
        const bool last = i == LAYERS;
        char name[GRAPH_NAME_MAX];
        zoo_name(name, "dropout%u", i);
        BASE_TRY(graph_add_dropout(g, name, v, i == 1 ? 0.2F : 0.5F, &v, err));
        zoo_name(name, "fc%u", i);
        BASE_TRY(graph_add_inner_product(g, name, v, last ? classes : width, true, &v, err));
        BASE_TRY(add_normalized(g, i, last, &v, err));
    }
    return ADMMNN_OK;
}
