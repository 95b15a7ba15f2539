#include "operations.h"

void rt_operation_run(const rt_call *c) {
    static rt_operation *const operations[PACK_OP_COUNT] = {
        [PACK_OP_CONV] = rt_run_conv,
        [PACK_OP_MAXPOOL] = rt_run_maxpool,
        [PACK_OP_INNER_PRODUCT] = rt_run_product,
        [PACK_OP_RELU] = rt_run_relu,
        [PACK_OP_BATCH_NORMALIZATION] = rt_run_batch,
        [PACK_OP_DROPOUT] = rt_run_copy,
        [PACK_OP_TRANSPOSED_CONV] = rt_run_transposed,
        [PACK_OP_AVERAGE_POOL] = rt_run_average,
        [PACK_OP_MATMUL] = rt_run_matmul,
        [PACK_OP_LRN] = rt_run_lrn,
        [PACK_OP_INSTANCE_NORMALIZATION] = rt_run_instance,
        [PACK_OP_LAYER_NORMALIZATION] = rt_run_norm_layer,
        [PACK_OP_UNARY] = rt_run_unary,
        [PACK_OP_BINARY] = rt_run_binary,
        [PACK_OP_SOFTMAX] = rt_run_softmax,
        [PACK_OP_LOG_SOFTMAX] = rt_run_log_softmax,
        [PACK_OP_REDUCE] = rt_run_reduce,
        [PACK_OP_CONCAT] = rt_run_concat,
        [PACK_OP_SLICE] = rt_run_slice,
        [PACK_OP_PAD] = rt_run_pad,
        [PACK_OP_RESHAPE] = rt_run_copy,
        [PACK_OP_TRANSPOSE] = rt_run_transpose,
        [PACK_OP_GATHER] = rt_run_gather,
        [PACK_OP_RESIZE] = rt_run_resize,
    };
    operations[c->node->op](c);
}
