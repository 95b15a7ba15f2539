/* How a layer of planes is run: a tile of its outputs at a time, which stays in registers. What
 * the tile reads of some of the channels is copied first into a panel, where what a column of
 * the kernel reads has a copy of its own: there the whole tile is one run of aligned vectors for
 * every weight, and the panel stays in the first cache for all rows of the layer. Where two short
 * rows of outputs share a vector, each row of the input stands there twice, below the one before it
 * and above the next. */
#ifndef RT_TILING_H
#define RT_TILING_H

#include "crew.h"
#include "kernels.h"

/* in, out: height and width. Of the kernels, or of their narrow ones. pooled: out are even, and
 * tiles may pool. False where a panel would take more floats than a network may have. */
bool rt_tiling_find(const rt_kernels *kernels, const rt_window *window, const uint32_t in[2],
                    const uint32_t out[2], bool pooled, rt_tiling *tiling);
/* Where the input of column `column` of the weights stands in the panel of its part. */
size_t rt_tiling_place(const rt_tiling *tiling, uint32_t column);
/* Which part of a row's list it belongs to. */
uint32_t rt_tiling_part(const rt_tiling *tiling, uint32_t column);
/* Chooses how many channels a part has, for rows of so many channels with `kept` weights in all:
 * the number of parts. */
uint32_t rt_tiling_cut(rt_tiling *tiling, uint32_t channels, uint64_t rows, uint64_t kept,
                       rt_form form);
/* Floats of working memory of a thread, for so many rows of the layer and an input of such numbers;
 * a multiple of a vector. */
uint64_t rt_tiling_memory(const rt_tiling *tiling, const rt_layer *layer, const rt_numbers *in,
                          uint32_t rows);

/* A layer from in[groups][channels][in height][in width] into out[rows][out height][out width], of
 * which each group makes as many; tiles that pool make half the height and half the width. */
typedef struct rt_planes {
    const rt_tiling *tiling;
    const rt_layer *layer;
    uint32_t groups, channels;
    const rt_numbers *numbers; /* of the input; the output's are codes where the layer's are */
    const void *in;
    void *out;
    float *memory; /* [threads][rt_tiling_memory] */
} rt_planes;
void rt_planes_run(const rt_planes *p, rt_crew *crew, unsigned threads);

#endif
