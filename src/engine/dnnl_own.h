/* Operations that oneDNN lacks: the reference's, sample by sample, on row-major tensors. */
#ifndef ENGINE_DNNL_OWN_H
#define ENGINE_DNNL_OWN_H

#include "engine/dnnl_record.h"
#include "engine/engine.h"

/* One pass over the samples [first, first + count) of the batch. */
typedef struct dnnl_own_pass {
    const dnnl_own *own;
    const dnnl_network *network;
    const float *params;
    const engine_batch *batch;
    size_t first, count;
    bool training, backward;
} dnnl_own_pass;

/* Backward adds to the network's gradient by parameters, which dnnl_own_clear makes zero. */
void dnnl_own_run(const dnnl_own_pass *pass);
void dnnl_own_clear(const dnnl_own *own, float *gradient);

/* Records a mark's call with the tensors of its node. */
admmnn_status dnnl_own_mark(dnnl_network *d, const dnnl_mark *mark, admmnn_error *err);
void dnnl_own_close(dnnl_own *own);

#endif
