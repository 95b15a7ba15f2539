/* Operations that only move elements: slices, pads, transposes, gathers, and the parts of a
 * concatenation, on row-major tensors; slices and pads of images on those in lanes, too. Where an
 * output element comes from is a sum over its axes, so a table an axis tells it. */
#ifndef ENGINE_DNNL_MOVE_H
#define ENGINE_DNNL_MOVE_H

#include "engine/dnnl_record.h"

#define DNNL_NOWHERE SIZE_MAX

struct dnnl_move {
    uint32_t rank; /* at least 1 */
    size_t dims[GRAPH_RANK_MAX];
    size_t *from[GRAPH_RANK_MAX]; /* [dims[i]] elements of the input, or DNNL_NOWHERE */
    float fill;                   /* what comes from nowhere */
    size_t in_count, out_count;   /* elements of a sample */
    bool in_rows;                 /* along the last axis the input's elements lie in a row */
    size_t width;                 /* samples that are moved together, side by side: 1 or lanes */
};

/* So many samples: y[out_count][width] from x[in_count][width]. */
void dnnl_move_run(const dnnl_move *m, const float *x, float *y);
/* dx[in_count][width] = where dy[out_count][width] went to, added up. */
void dnnl_move_back(const dnnl_move *m, const float *dy, float *dx);

/* moves[count]; the array too. */
void dnnl_move_close(dnnl_move *moves, uint32_t count);

#endif
