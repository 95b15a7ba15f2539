/* What runs an operation on one sample. Values and working memory lie in the workspace, at
 * places that plan.c chose. */
#ifndef RT_OPERATIONS_H
#define RT_OPERATIONS_H

#include "codes.h"
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

/* Number i of an operand, and of what is made, be they floats or codes. */
static inline float rt_x_at(const rt_call *c, uint32_t operand, size_t i) {
    return rt_get(&rt_operand(c, operand)->numbers, rt_x(c, operand), i);
}

static inline void rt_y_put(const rt_call *c, size_t i, float y) {
    rt_put(&c->value->numbers, rt_y(c), i, y);
}

static inline size_t rt_count(const rt_call *c) {
    return rt_shape_count(&c->value->shape);
}

/* Floats of working memory that the value's operation takes; rt_temporary is where. */
uint64_t rt_temporary_count(const rt_network *network, const rt_value *value);
uint64_t rt_pool_temporary(const rt_network *network, const rt_value *value); /* of a pooling */
/* Whether it is the largest of windows of two by two, side by side, on an input of whole ones. */
bool rt_is_pool2(const rt_network *network, const rt_node *node);

static inline float *rt_temporary(const rt_call *c) {
    return c->workspace + c->node->temporary;
}

/* Positions of one axis, half open. */
typedef struct rt_span {
    size_t first, last;
} rt_span;

/* Of `most` places of a padded axis that are `step` apart, the first at `shift`, those on its `in`
 * positions (run_window.c). */
rt_span rt_steps_on(size_t shift, size_t step, size_t most, size_t pad, size_t in);

/* Element by element from the same ones of up to two operands, as floats: all at once where they
 * lie so, else in stretches by way of buffers.
 *
 *     rt_stretch_start(&s, first, last);
 *     while (rt_stretch_next(c, &s)) ... */
#define RT_STRETCH 128U
#define RT_STRETCH_OPERANDS 2U
typedef struct rt_stretch {
    size_t first, count, last;
    const float *x[RT_STRETCH_OPERANDS];
    float *y;
    float buffers[RT_STRETCH_OPERANDS + 1][RT_STRETCH];
} rt_stretch;

void rt_stretch_start(rt_stretch *s, size_t first, size_t last);
/* False where all is done, which is then written. */
bool rt_stretch_next(const rt_call *c, rt_stretch *s);

typedef void rt_operation(const rt_call *c);

rt_operation rt_run_conv, rt_run_transposed, rt_run_product, rt_run_matmul; /* run_layer.c */
rt_operation rt_run_pool;                                                   /* run_window.c */
rt_operation rt_run_relu, rt_run_unary, rt_run_binary, rt_run_copy;         /* run_element.c */
rt_operation rt_run_batch, rt_run_instance, rt_run_norm_layer, rt_run_lrn;  /* run_norm.c */
rt_operation rt_run_softmax, rt_run_log_softmax, rt_run_reduce;             /* run_axis.c */
rt_operation rt_run_concat, rt_run_slice, rt_run_pad, rt_run_transpose, rt_run_gather;
rt_operation rt_run_resize;

/* Makes the value. */
void rt_operation_run(const rt_call *c);

#endif
