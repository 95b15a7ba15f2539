/* What runs an operation on one sample. Values and working memory lie in the workspace, at
 * places that plan.c chose. */
#ifndef RT_OPERATIONS_H
#define RT_OPERATIONS_H

#include "kernels.h"

typedef struct rt_call {
    const rt_network *network;
    const rt_value *value; /* what is made */
    const rt_node *node;
    float *workspace;
    const float *input;
    float *output;
} rt_call;

static inline const rt_value *rt_operand(const rt_call *c, uint32_t i) {
    return &c->network->values[c->node->operands[i]];
}

static inline const float *rt_x(const rt_call *c, uint32_t i) {
    const rt_value *x = rt_operand(c, i);
    if (x->data != NULL)
        return x->data;
    if (x->home == RT_IN_WORKSPACE)
        return c->workspace + x->place;
    return x->home == RT_IN_INPUT ? c->input : c->output;
}

/* No operation makes what lies in the input. */
static inline float *rt_y(const rt_call *c) {
    return c->value->home == RT_IN_WORKSPACE ? c->workspace + c->value->place : c->output;
}

static inline size_t rt_count(const rt_call *c) {
    return rt_shape_count(&c->value->shape);
}

/* Floats of working memory that the value's operation takes; rt_temporary is where. */
uint64_t rt_temporary_count(const rt_network *network, const rt_value *value);

static inline float *rt_temporary(const rt_call *c) {
    return c->workspace + c->node->temporary;
}

typedef void rt_operation(const rt_call *c);

rt_operation rt_run_conv, rt_run_transposed, rt_run_product, rt_run_matmul; /* run_layer.c */
rt_operation rt_run_maxpool, rt_run_average;                                /* run_window.c */
rt_operation rt_run_relu, rt_run_unary, rt_run_binary, rt_run_copy;         /* run_element.c */
rt_operation rt_run_batch, rt_run_instance, rt_run_norm_layer, rt_run_lrn;  /* run_norm.c */
rt_operation rt_run_softmax, rt_run_log_softmax, rt_run_reduce;             /* run_axis.c */
rt_operation rt_run_concat, rt_run_slice, rt_run_pad, rt_run_transpose, rt_run_gather;
rt_operation rt_run_resize;

/* Makes the value. */
void rt_operation_run(const rt_call *c);

#endif
