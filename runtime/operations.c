#include "operations.h"

void rt_operation_run(const rt_call *c) {
    static rt_operation *const operations[PACK_OP_COUNT] = {
        [PACK_OP_CONV] = rt_run_conv,
        [PACK_OP_MAXPOOL] = rt_run_pool,
        [PACK_OP_INNER_PRODUCT] = rt_run_product,
        [PACK_OP_RELU] = rt_run_relu,
        [PACK_OP_BATCH_NORMALIZATION] = rt_run_batch,
        [PACK_OP_DROPOUT] = rt_run_copy,
        [PACK_OP_TRANSPOSED_CONV] = rt_run_transposed,
        [PACK_OP_AVERAGE_POOL] = rt_run_pool,
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

/* ---- stretches ---- */

void rt_stretch_start(rt_stretch *s, size_t first, size_t last) {
    s->first = first;
    s->count = 0;
    s->last = last;
}

static bool has_codes(const rt_call *c) {
    bool coded = c->value->numbers.coded;
    for (uint32_t i = 0; i < c->node->operand_count; i++)
        coded |= rt_operand(c, i)->numbers.coded;
    return coded;
}

static const float *stretch_of(const rt_call *c, rt_stretch *s, uint32_t operand) {
    const rt_numbers *n = &rt_operand(c, operand)->numbers;
    if (!n->coded)
        return rt_x(c, operand) + s->first;
    rt_read_numbers(n, rt_x(c, operand), s->first, s->count, s->buffers[operand]);
    return s->buffers[operand];
}

bool rt_stretch_next(const rt_call *c, rt_stretch *s) {
    const rt_numbers *made = &c->value->numbers;
    if (s->count > 0 && made->coded)
        rt_write_numbers(made, s->y, s->count, rt_y(c), s->first);
    s->first += s->count;
    s->count = s->last - s->first;
    if (s->count > RT_STRETCH && has_codes(c))
        s->count = RT_STRETCH;
    for (uint32_t i = 0; i < RT_STRETCH_OPERANDS && i < c->node->operand_count; i++)
        s->x[i] = stretch_of(c, s, i);
    s->y = made->coded ? s->buffers[RT_STRETCH_OPERANDS] : rt_y(c) + s->first;
    return s->count > 0;
}
