/* The zoo's builders, and what several of them share. */
#ifndef GRAPH_ZOO_BUILD_H
#define GRAPH_ZOO_BUILD_H

#include "graph/graph.h"

/* Each adds its nodes from the input on; width is of those that have one in their name. */
typedef admmnn_status zoo_builder(graph *g, uint32_t classes, uint32_t width, admmnn_error *err);

zoo_builder zoo_build_lenet5, zoo_build_lenet5_bn, zoo_build_lenet300, zoo_build_mlp_bn;
zoo_builder zoo_build_alexnet, zoo_build_vgg16, zoo_build_vgg_small;
zoo_builder zoo_build_resnet18, zoo_build_resnet50, zoo_build_resnet20, zoo_build_resnet56;
zoo_builder zoo_build_mobilenet1, zoo_build_mobilenet2;
zoo_builder zoo_build_transformer;

/* Each reads value *v and sets it to what the node makes. */

/* One group, with a bias. */
admmnn_status zoo_add_conv(graph *g, const char *name, uint32_t filters, graph_window window,
                           uint32_t *v, admmnn_error *err);
admmnn_status zoo_add_maxpool(graph *g, const char *name, graph_window window, uint32_t *v,
                              admmnn_error *err);

/* What follows a normalized convolution. */
typedef enum zoo_activation { ZOO_NONE, ZOO_RELU, ZOO_RELU6 } zoo_activation;

/* A convolution without a bias, batch normalization ("NAME.bn") and an activation
 * ("NAME.relu"). */
admmnn_status zoo_add_normalized_conv(graph *g, const char *name, uint32_t filters,
                                      graph_window window, uint32_t groups,
                                      zoo_activation activation, uint32_t *v, admmnn_error *err);
/* The mean of every channel ("pool") and the classes ("fc"). */
admmnn_status zoo_add_head(graph *g, uint32_t classes, uint32_t *v, admmnn_error *err);

/* Writes a name as snprintf does, cut to its room. */
__attribute__((format(printf, 2, 3))) void zoo_name(char name[GRAPH_NAME_MAX], const char *format,
                                                    ...);

#endif
