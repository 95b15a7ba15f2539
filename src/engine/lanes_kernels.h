/* Kernels of the lanes back end: one SIMD lane an image.
 *
 * A block is `lanes` images. A value of C x H x W elements is stored as
 * [block][C * H * W][lanes]; "vector" below is one such group of lanes. With a
 * lane an image, every weight is a scalar broadcast, every shift of a window is
 * an aligned load, and a single nonzero weight costs one multiply-add a
 * position: dense and sparse layers run at the same rate per weight.
 *
 * The template is compiled once per instruction set; lanes_kernels_best picks
 * by what the processor has. */
#ifndef ENGINE_LANES_KERNELS_H
#define ENGINE_LANES_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Stride 1, no padding. When pooled, a 2x2 maximum of stride 2 follows and only
 * its result is stored, with the winner (0..3, row-major) of each maximum. */
typedef struct lanes_conv {
    size_t channels, height, width; /* input */
    size_t filters, kernel_height, kernel_width;
    size_t out_height, out_width; /* before pooling */
    size_t planes;                /* of an input channel, one after another; else 1 */
    size_t out_plane;             /* vectors from a filter's output to the next, or 0: they follow
                                     one another, as they do where it is pooled */
    int pooled;
} lanes_conv;

/* How images stand in memory: one after another, row-major or in blocks of channels, of
 * [channels / block][rows][columns][block] with zeros where channels is no multiple; or as many
 * together as there are lanes, of [channels][rows][columns][lanes]. */
typedef struct lanes_layout {
    size_t block;  /* 1 where there are none */
    bool in_lanes; /* of whole groups of images alone */
} lanes_layout;

typedef struct lanes_image {
    size_t channels, size[2];
    lanes_layout layout;
} lanes_image;

/* Floats of a sample. */
static inline size_t lanes_image_floats(const lanes_image *image) {
    const size_t block = image->layout.block;
    return (image->channels + block - 1) / block * block * image->size[0] * image->size[1];
}

/* Vectors that stand for some of an image's pixels: of each channel phases[0] x phases[1]
 * planes, each of count[0] x count[1] vectors `step` apart. Along an axis pixel i is in plane
 * (i + pad) mod phases, at (i + pad) / phases - first: what a window of such a stride reads is
 * then side by side. */
typedef struct lanes_grid {
    size_t phases[2], pad[2], count[2];
    ptrdiff_t first[2];
    size_t there; /* rows of vectors, the first of each plane, that are to stay as they are; the
                     others then hold what was brought in for rows before them */
    size_t step;
} lanes_grid;

/* The nonzeros of an inner product, row by row, each row cut into panels of columns: those of
 * row r in panel p are [start[r * panels + p], start[r * panels + p + 1]). */
typedef struct lanes_panels {
    size_t rows, panels, width; /* columns of a panel */
    uint32_t *start;            /* [rows * panels + 1] */
    uint32_t *offset;           /* [nonzeros]: the column */
} lanes_panels;

/* The nonzeros of a weight matrix, by row and by column. Entry e of row r
 * (row_start[r] <= e < row_start[r + 1]) is compact weight e. For a convolution
 * offset[e] is the input vector its tap reads for output position (0, 0); for an
 * inner product it is the column. by_column lists entries column by column, those of a
 * convolution by (channel, kx, ky). source is in its order: the row of an inner product;
 * for a convolution the vector of dy, of (filter, -ky, 0), that entry adds to row 0 of dx. */
typedef struct lanes_sparse {
    size_t rows, columns;
    uint32_t *row_start;     /* [rows + 1] */
    uint32_t *channel_start; /* [rows * channels + 1]; NULL for an inner product */
    uint32_t *offset;        /* [nonzeros] */
    uint32_t *column_start;  /* [columns + 1] */
    uint32_t *by_column;     /* [nonzeros] */
    int32_t *source;         /* [nonzeros] */
} lanes_sparse;

/* Channels of a block, at most. */
#define LANES_BLOCK_MAX 16

/* y = (x - center) factor + shift, 0 where it is not above that if rectified;
 * dx = factor dy - lift - (x - center) slope. */
typedef struct lanes_norm {
    size_t plane, block; /* of 8 or 16 channels; in lanes of one */
    bool rectified;
    const float *center, *factor, *shift; /* [block] */
    const float *lift, *slope;            /* [block], for gradients alone */
} lanes_norm;

/* What is brought into lanes: x; or, of an image that is not row-major, y of its normalization; or,
 * dy being there too, dx of that. The arrays of the normalization are of all channels, to a whole
 * block, which is the image's. */
typedef struct lanes_source {
    const float *x, *dy;
    const lanes_norm *norm; /* or NULL */
} lanes_source;

typedef struct lanes_unrectify {
    const float *dy, *z, *x, *y;
    float *dx;
} lanes_unrectify;

typedef struct lanes_pool {
    size_t channels, height, width; /* input */
    size_t kernel[2], stride[2];
    size_t out_height, out_width;
} lanes_pool;

typedef struct lanes_kernels {
    size_t lanes;
    size_t filter_tile; /* filters the caller expands at a time for conv_weights */

    /* y = conv(x), pooled or not. w[filters][channels*kh*kw], b[filters]. winner is
     * written when pooled, and may be NULL when not. */
    void (*conv_forward)(const lanes_conv *c, const float *w, const float *b, const float *x,
                         float *y, int32_t *winner);
    /* Without a bias where b is NULL. */
    void (*conv_forward_sparse)(const lanes_conv *c, const lanes_sparse *s, const float *w,
                                const float *b, const float *x, float *y, int32_t *winner);
    /* The gradient before pooling of filters [first, first + count):
     * dy[count][out_height][out_width]. */
    void (*conv_expand)(const lanes_conv *c, const float *pooled_dy, const int32_t *winner,
                        size_t first, size_t count, float *dy);
    /* dw of filters [first, first + count) (rows of dw), summed over `blocks`
     * blocks; dy[block][count][oh][ow] at dy_stride floats, x at x_stride. db too. */
    void (*conv_weights)(const lanes_conv *c, size_t first, size_t count, size_t blocks,
                         const float *dy, size_t dy_stride, const float *x, size_t x_stride,
                         float *dw, float *db);
    /* Adds one block's part to sums[nonzeros], vectors that reduce() makes dw of. dy's rows
     * are dy_width vectors apart, its filters dy_plane. */
    void (*conv_weights_sparse)(const lanes_conv *c, const lanes_sparse *s, size_t first,
                                size_t count, const float *dy, size_t dy_width, size_t dy_plane,
                                const float *x, float *sums);
    /* The same for db: sums[f] += the `count` vectors at dy + f * dy_plane. */
    void (*conv_bias_sparse)(size_t filters, size_t count, const float *dy, size_t dy_plane,
                             float *sums);
    /* sums[count]: each of count vectors, its lanes added up. */
    void (*reduce)(size_t count, const float *vectors, float *sums);
    /* dx (overwritten) of one block; dy[filters][oh][ow]. */
    void (*conv_data)(const lanes_conv *c, const float *w, const float *dy, float *dx);
    void (*conv_data_sparse)(const lanes_conv *c, const lanes_sparse *s, const float *w,
                             const float *dy, float *dx);

    /* Inner product over `blocks` blocks: x[block][columns], y[block][rows]. */
    void (*product_forward)(size_t rows, size_t columns, size_t blocks, const float *w,
                            const float *b, const float *x, float *y);
    void (*product_forward_sparse)(const lanes_sparse *s, size_t blocks, const float *w,
                                   const float *b, const float *x, float *y);
    /* scratch: lanes_product_scratch floats. */
    void (*product_weights)(size_t rows, size_t columns, size_t blocks, const float *dy,
                            const float *x, float *dw, float *scratch);
    void (*product_weights_sparse)(const lanes_sparse *s, size_t blocks, const float *dy,
                                   const float *x, float *dw);
    void (*product_bias)(size_t rows, size_t blocks, const float *dy, float *db);
    void (*product_data)(size_t rows, size_t columns, size_t blocks, const float *w,
                         const float *dy, float *dx);
    void (*product_data_sparse)(const lanes_sparse *s, size_t blocks, const float *w,
                                const float *dy, float *dx);

    /* Vectors of `samples` images, at most as many as lanes, zero where there is no pixel or no
     * image; and back: pixels without a vector stay as they are. */
    void (*stage)(const lanes_image *image, const lanes_grid *grid, const lanes_source *from,
                  size_t samples, float *to);
    void (*unstage)(const lanes_image *image, const lanes_grid *grid, const float *from,
                    size_t samples, float *y);
    /* Inner product on panels, of one or two blocks: x[columns][blocks], y[rows][blocks].
     * y += W x of the rows [first, first + count). */
    void (*panels_forward)(const lanes_panels *s, size_t blocks, size_t first, size_t count,
                           const float *w, const float *x, float *y);
    /* dw and dx of the panels [first, first + count), each unless it is NULL, added to what is
     * there. */
    void (*panels_weights)(const lanes_panels *s, size_t blocks, size_t first, size_t count,
                           const float *dy, const float *x, float *dw);
    void (*panels_data)(const lanes_panels *s, size_t blocks, size_t first, size_t count,
                        const float *w, const float *dy, float *dx);

    /* Batch normalization of a plane in a block of channels. Sums by channel, overwritten: of x
     * and of x * x; and of dy and of dy * x, dy being 0 where the rectifier passed nothing. */
    void (*norm_sums)(const lanes_norm *n, const float *x, double *first, double *second);
    /* z, unless it is NULL, is added before the rectifier. */
    void (*norm_forward)(const lanes_norm *n, const float *x, const float *z, float *y);
    void (*norm_backward_sums)(const lanes_norm *n, const float *x, const float *dy, double *first,
                               double *second);
    /* dx may be dy. */
    void (*norm_backward)(const lanes_norm *n, const float *x, const float *dy, float *dx);
    /* Of a plane of `count` vectors, one channel of images in lanes: the sums of the first
     * `samples` lanes are added to what is there. */
    void (*norm_lane_sums)(size_t count, size_t samples, const float *x, double *first,
                           double *second);
    void (*norm_lane_backward_sums)(const lanes_norm *n, size_t count, size_t samples,
                                    const float *x, const float *dy, double *first, double *second);
    void (*norm_lane_forward)(const lanes_norm *n, size_t count, const float *x, const float *z,
                              float *y);
    /* A gradient through the rectifier that made y of a normalization of x: dx = dy + z where y is
     * above 0, else 0; z may be NULL, and dx may be dy or z. Its sums with x, as above. */
    void (*norm_lane_unrectify)(const lanes_unrectify *u, size_t count, size_t samples,
                                double *first, double *second);

    /* Maximum pooling without a convolution before it; one block. */
    void (*pool_forward)(const lanes_pool *p, const float *x, float *y);
    void (*pool_backward)(const lanes_pool *p, const float *x, const float *y, const float *dy,
                          float *dx);
    /* Element-wise over `count` vectors. */
    void (*relu_forward)(size_t count, const float *x, float *y);
    void (*relu_backward)(size_t count, const float *y, const float *dy, float *dx);
} lanes_kernels;

/* Kernel widths the register tiles are instantiated for. */
#define LANES_KERNEL_WIDTH_MAX 7

/* Kernels of that many lanes (4, 8 or 16), or of the widest kind this processor
 * runs when lanes is 0; NULL when it has none of that width. */
const lanes_kernels *lanes_kernels_get(size_t lanes);

/* Floats of scratch for one inner product. */
size_t lanes_product_scratch(size_t rows, size_t columns, size_t samples);

extern const lanes_kernels lanes_kernels_4;
#if defined(__x86_64__)
extern const lanes_kernels lanes_kernels_8;
extern const lanes_kernels lanes_kernels_16;
#endif

#endif
