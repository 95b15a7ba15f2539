/* The kernels of lanes_kernels.h, compiled once per instruction set by
 * lanes_4.c, lanes_8.c and lanes_16.c, which define
 *   LANES      images in a vector
 *   TILE_F     filters of a register tile of the dense convolution, times 2x2 positions
 *   TILE_SPARSE_X  columns of a tile of the sparse one that is pooled, times two rows
 *   TILE_SPARSE_WIDE  the same of one that is not
 *   TILE_DW_F  filters of the weight gradient's tile, times the kernel width
 *   TILE_DX_C  input channels of the data gradient's tile
 *   TILE_P     rows of the inner product's tile, times two blocks
 *   TILE_OUTER rows of the tile of its weight gradient, times four vectors of columns
 *   TABLE      the table's name
 * Loops whose bounds are tile constants unroll completely and keep their
 * accumulators in registers. */
#include "engine/lanes_kernels.h"

#include <string.h>

typedef float vec __attribute__((vector_size(LANES * 4)));
typedef float vec_unaligned __attribute__((vector_size(LANES * 4), aligned(4)));
typedef int32_t veci __attribute__((vector_size(LANES * 4)));

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 16")
/* A tile fills the registers: iterations unrolled around it would spill them. */
#define ROLL _Pragma("GCC unroll 1")
/* Makes the compiler hold this pointer, and neither the sums of its parts with every
 * offset it will be read at nor what the last iteration read: it would spill them. */
#define PIN(pointer) __asm__("" : "+r"(pointer))

INLINE const vec *vec_of(const float *p) {
    return (const vec *)(const void *)p;
}

INLINE vec *vec_at(float *p) {
    return (vec *)(void *)p;
}

INLINE vec splat(float value) {
    return (vec){0} + value;
}

INLINE float sum_lanes(vec v) {
    float lane[LANES];
    memcpy(lane, &v, sizeof lane);
    UNROLL for (int half = LANES / 2; half > 0; half /= 2) {
        UNROLL for (int i = 0; i < half; i++) lane[i] += lane[i + half];
    }
    return lane[0];
}

INLINE vec select_vec(veci mask, vec a, vec b) {
    return (vec)((mask & (veci)a) | (~mask & (veci)b));
}

#include "engine/lanes_template_stage.h" /* the others use it */

#include "engine/lanes_template_conv.h"
#include "engine/lanes_template_norm.h"
#include "engine/lanes_template_panels.h"
#include "engine/lanes_template_product.h"

static void pool_forward(const lanes_pool *p, const float *x, float *y) {
    vec *to = vec_at(y);
    for (size_t channel = 0; channel < p->channels; channel++) {
        const vec *plane = vec_of(x) + channel * p->height * p->width;
        for (size_t i = 0; i < p->out_height * p->out_width; i++) {
            const vec *window = plane + i / p->out_width * p->stride[0] * p->width +
                                i % p->out_width * p->stride[1];
            vec best = window[0];
            for (size_t ky = 0; ky < p->kernel[0]; ky++) {
                for (size_t kx = 0; kx < p->kernel[1]; kx++) {
                    vec candidate = window[ky * p->width + kx];
                    best = select_vec(candidate > best, candidate, best);
                }
            }
            *to++ = best;
        }
    }
}

static void pool_backward(const lanes_pool *p, const float *x, const float *y, const float *dy,
                          float *dx) {
    const vec *best = vec_of(y);
    const vec *gradient = vec_of(dy);
    memset(dx, 0, p->channels * p->height * p->width * LANES * sizeof *dx);
    for (size_t channel = 0; channel < p->channels; channel++) {
        size_t plane = channel * p->height * p->width;
        for (size_t i = 0; i < p->out_height * p->out_width; i++, best++, gradient++) {
            size_t at = plane + i / p->out_width * p->stride[0] * p->width +
                        i % p->out_width * p->stride[1];
            veci open = ~(veci){0};
            for (size_t ky = 0; ky < p->kernel[0]; ky++) {
                for (size_t kx = 0; kx < p->kernel[1]; kx++) {
                    size_t place = at + ky * p->width + kx;
                    veci wins = (vec_of(x)[place] == *best) & open;
                    vec_at(dx)[place] += (vec)((veci)*gradient & wins);
                    open &= ~wins;
                }
            }
        }
    }
}

static void relu_forward(size_t count, const float *x, float *y) {
    for (size_t i = 0; i < count; i++) {
        vec value = vec_of(x)[i];
        /* A NaN passes: it must reach the loss to be noticed. */
        vec_at(y)[i] = (vec)((veci)value & ~(value <= 0));
    }
}

static void relu_backward(size_t count, const float *y, const float *dy, float *dx) {
    for (size_t i = 0; i < count; i++)
        vec_at(dx)[i] = (vec)((veci)vec_of(dy)[i] & (vec_of(y)[i] > 0));
}

const lanes_kernels TABLE = {
    .lanes = LANES,
    .filter_tile = TILE_DW_F,
    .conv_forward = conv_forward,
    .conv_forward_sparse = conv_forward_sparse,
    .conv_expand = conv_expand,
    .conv_weights = conv_weights,
    .conv_weights_sparse = conv_weights_sparse,
    .conv_bias_sparse = conv_bias_sparse,
    .reduce = reduce,
    .conv_data = conv_data,
    .conv_data_sparse = conv_data_sparse,
    .product_forward = product_forward,
    .product_forward_sparse = product_forward_sparse,
    .product_weights = product_weights,
    .product_weights_sparse = product_weights_sparse,
    .product_bias = product_bias,
    .product_data = product_data,
    .product_data_sparse = product_data_sparse,
    .stage = stage,
    .unstage = unstage,
    .panels_forward = panels_forward,
    .panels_weights = panels_weights,
    .panels_data = panels_data,
    .norm_sums = norm_sums,
    .norm_forward = norm_forward,
    .norm_backward_sums = norm_backward_sums,
    .norm_backward = norm_backward,
    .norm_lane_sums = norm_lane_sums,
    .norm_lane_backward_sums = norm_lane_backward_sums,
    .norm_lane_forward = norm_lane_forward,
    .norm_lane_unrectify = norm_lane_unrectify,
    .pool_forward = pool_forward,
    .pool_backward = pool_backward,
    .relu_forward = relu_forward,
    .relu_backward = relu_backward,
};
