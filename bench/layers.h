/* Convolutions of known networks, of one image, each to be run by itself. */
#ifndef BENCH_LAYERS_H
#define BENCH_LAYERS_H

#include "hardware/single.h"

typedef struct bench_layer {
    const char *name;
    uint32_t channels, side, filters, kernel, groups;
} bench_layer;

/* alexnet: conv2 to conv5 at 1/13.4 of their weights, the published ratio of the model that was
 * pruned for its convolutions (Ren et al. 2018). What that model keeps of each layer is in its file
 * alone, so all keep the same share. layers: those of 3x3 of VGG-16 and ResNet-50 at 5 to 100 %.
 * pointwise: those of 1x1 of ResNet-50 and MobileNet-V2, likewise. */
typedef struct bench_layer_set {
    const char *name;
    const bench_layer *layers;
    size_t count;
    const double *shares; /* of the weights that are kept, ascending */
    size_t share_count;
} bench_layer_set;

#define BENCH_SHARES_MOST 9
#define BENCH_LAYER_SETS "alexnet|layers|pointwise"

/* NULL: there is none of that name. */
const bench_layer_set *bench_layer_set_find(const char *name);

/* *out is the caller's. */
admmnn_status bench_layer_make(const bench_layer *l, unsigned threads, single **out,
                               admmnn_error *err);

#endif
