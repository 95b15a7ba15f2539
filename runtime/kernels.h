/* What runs a layer's weights on floats: in portable C, and by AVX2 and FMA where the processor
 * has them. All give the same numbers but for the order of sums. */
#ifndef RT_KERNELS_H
#define RT_KERNELS_H

#include "network.h"

/* Vectors at the end of a row read up to so many floats more than there are. */
#define RT_SLACK 8U

/* Rows [first, last) of a list's outputs, each a plane of height x width: output (y, x) is the
 * sum over the row's weights of weight * in[place + y * line + x]. */
typedef struct rt_planes {
    const rt_layer *layer;
    uint32_t first, last;
    const float *in;
    float *out; /* [last - first][height][width] */
    size_t height, width, line;
} rt_planes;

typedef struct rt_kernels {
    const char *name;
    /* Reads up to RT_SLACK floats beyond what the sums need. */
    void (*planes)(const rt_planes *p);
    /* Row r of [first, last) into out[r - first]: of a list at in[place], or dense. */
    void (*product)(const rt_layer *layer, uint32_t first, uint32_t last, const float *in,
                    float *out);
    /* The largest of every 2 x 2 of [channels][height][width], both even. */
    void (*pool2)(const float *in, size_t channels, size_t height, size_t width, float *out);
    /* What a weight of an inner product takes, of a list and of a dense row, relative to each
     * other: measured by bench_runtime. */
    double list_cost, dense_cost;
} rt_kernels;

extern const rt_kernels rt_kernels_portable;

/* The fastest that the processor runs; portable: the portable ones. */
const rt_kernels *rt_kernels_find(bool portable);

/* The list of a row, all its parts: from the first to before the last. */
static inline size_t rt_row_first(const rt_layer *layer, size_t row) {
    return layer->starts[row * layer->parts];
}

static inline size_t rt_row_last(const rt_layer *layer, size_t row) {
    return layer->starts[(row + 1) * layer->parts];
}

/* Of a list: where weight i finds its input, and its value. */
static inline size_t rt_layer_place(const rt_layer *layer, size_t i) {
    return layer->wide_places ? ((const uint32_t *)layer->places)[i]
                              : ((const uint16_t *)layer->places)[i];
}

static inline float rt_layer_value(const rt_layer *layer, size_t i) {
    return layer->float_values ? ((const float *)layer->values)[i]
                               : layer->table[((const uint8_t *)layer->values)[i]];
}

/* A row's result from its sum. */
static inline float rt_finish(const rt_layer *layer, size_t row, float sum) {
    if (layer->scale != NULL)
        sum *= layer->scale[row];
    if (layer->bias != NULL)
        sum += layer->bias[row];
    sum = sum < layer->low ? layer->low : sum; /* a NaN passes */
    return sum > layer->high ? layer->high : sum;
}

#endif
