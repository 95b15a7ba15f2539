#include "layers.h"

#include <string.h>

static const bench_layer alexnet[] = {{"AlexNet conv2", 96, 27, 256, 5, 2},
                                      {"AlexNet conv3", 256, 13, 384, 3, 1},
                                      {"AlexNet conv4", 384, 13, 384, 3, 2},
                                      {"AlexNet conv5", 384, 13, 256, 3, 2}};
static const bench_layer layers[] = {
    {"VGG-16 conv1_2", 64, 224, 64, 3, 1},     {"VGG-16 conv2_2", 128, 112, 128, 3, 1},
    {"VGG-16 conv3_2", 256, 56, 256, 3, 1},    {"VGG-16 conv4_2", 512, 28, 512, 3, 1},
    {"VGG-16 conv5_2", 512, 14, 512, 3, 1},    {"ResNet-50 3x3, 56", 64, 56, 64, 3, 1},
    {"ResNet-50 3x3, 28", 128, 28, 128, 3, 1}, {"ResNet-50 3x3, 14", 256, 14, 256, 3, 1},
    {"ResNet-50 3x3, 7", 512, 7, 512, 3, 1}};
/* The narrow and the wide ones of the blocks of each stage, of stride 1. */
static const bench_layer pointwise[] = {{"ResNet-50 256-64, 56", 256, 56, 64, 1, 1},
                                        {"ResNet-50 64-256, 56", 64, 56, 256, 1, 1},
                                        {"ResNet-50 512-128, 28", 512, 28, 128, 1, 1},
                                        {"ResNet-50 128-512, 28", 128, 28, 512, 1, 1},
                                        {"ResNet-50 1024-256, 14", 1024, 14, 256, 1, 1},
                                        {"ResNet-50 256-1024, 14", 256, 14, 1024, 1, 1},
                                        {"ResNet-50 2048-512, 7", 2048, 7, 512, 1, 1},
                                        {"ResNet-50 512-2048, 7", 512, 7, 2048, 1, 1},
                                        {"MobileNet-V2 16-96, 112", 16, 112, 96, 1, 1},
                                        {"MobileNet-V2 144-24, 56", 144, 56, 24, 1, 1},
                                        {"MobileNet-V2 24-144, 56", 24, 56, 144, 1, 1},
                                        {"MobileNet-V2 192-32, 28", 192, 28, 32, 1, 1},
                                        {"MobileNet-V2 32-192, 28", 32, 28, 192, 1, 1},
                                        {"MobileNet-V2 384-64, 14", 384, 14, 64, 1, 1},
                                        {"MobileNet-V2 64-384, 14", 64, 14, 384, 1, 1},
                                        {"MobileNet-V2 576-96, 14", 576, 14, 96, 1, 1},
                                        {"MobileNet-V2 960-160, 7", 960, 7, 160, 1, 1},
                                        {"MobileNet-V2 160-960, 7", 160, 7, 960, 1, 1},
                                        {"MobileNet-V2 320-1280, 7", 320, 7, 1280, 1, 1}};

static const double published[] = {1.0 / 13.4};
static const double shares[BENCH_SHARES_MOST] = {0.05, 0.1, 0.2, 0.3, 0.35, 0.4, 0.5, 0.7, 1.0};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
static const bench_layer_set sets[] = {
    {"alexnet", alexnet, COUNT(alexnet), published, COUNT(published)},
    {"layers", layers, COUNT(layers), shares, COUNT(shares)},
    {"pointwise", pointwise, COUNT(pointwise), shares, COUNT(shares)}};

const bench_layer_set *bench_layer_set_find(const char *name) {
    for (size_t i = 0; i < COUNT(sets); i++)
        if (strcmp(sets[i].name, name) == 0)
            return &sets[i];
    return NULL;
}

admmnn_status bench_layer_make(const bench_layer *l, unsigned threads, single **out,
                               admmnn_error *err) {
    graph_conv conv = graph_conv_of(graph_window_of(l->kernel, 1, l->kernel / 2));
    graph *g;
    uint32_t v;
    conv.groups = l->groups;
    BASE_TRY(graph_create("one", graph_shape_image(l->channels, l->side, l->side), &g, err));
    admmnn_status status = graph_add_conv(g, "conv1", g->input, l->filters, conv, &v, err);
    if (status == ADMMNN_OK)
        status = single_create(g, 0, threads, out, err);
    graph_free(g);
    return status;
}
