/* Slots of a graph's values, what is known of them, and which live. */
#ifndef GRAPH_SHRINK_SLOTS_H
#define GRAPH_SHRINK_SLOTS_H

#include "graph/graph.h"

/* Slots of a value stand axis by axis, and after them one for the whole value. */
typedef struct shrink_slots {
    const graph *g;
    const uint8_t *mask;
    const float *params; /* NULL: of parameters only the zeros of the mask are known */
    size_t *first;       /* [value_count + 1] */
    float *constant;     /* the number that all elements are for all samples; NAN: there is none */
    float *lasting;      /* the same by the parameters that are 0 alone, whatever the others
                          * become: it stays when what is dead is cleared */
    bool zeros;          /* of the parameters only these are known, as `lasting` is found */
    bool *live;
    size_t *changed; /* [value_count] when a slot of the value last came to life */
    size_t clock;
} shrink_slots;

/* freed with shrink_slots_close, which also takes what an open that failed left. */
admmnn_status shrink_slots_open(const graph *g, const uint8_t *mask, const float *params,
                                shrink_slots *s, admmnn_error *err);
void shrink_slots_close(shrink_slots *s);

/* The first slot of an axis; of the axis beyond the last, that of the whole value. */
static inline size_t shrink_axis(const shrink_slots *s, uint32_t value, uint32_t axis) {
    size_t slot = s->first[value];
    for (uint32_t i = 0; i < axis; i++)
        slot += s->g->values[value].shape.dims[i];
    return slot;
}

/* How many live in [first, first + count). */
static inline uint32_t shrink_living(const shrink_slots *s, size_t first, size_t count) {
    uint32_t living = 0;
    for (size_t i = first; i < first + count; i++)
        living += s->live[i];
    return living;
}

/* Whether all slots of element i live. */
bool shrink_element_lives(const shrink_slots *s, uint32_t value, size_t i);
/* Whether any of mask[count] is not 0. */
bool shrink_any(const uint8_t *mask, size_t count);
/* Elements of the layer's input that one index of its axis 0 has, as columns of a row. */
size_t shrink_block(const graph *g, const graph_node *node);
/* 1 of an inner product. */
uint32_t shrink_groups(const graph_node *node);
/* A convolution, transposed or not, or an inner product. */
bool shrink_is_layer(const graph_node *node);
bool shrink_is_padded(const graph_node *node);
/* Whether a resize leaves the axis as it is. */
bool shrink_resize_keeps(const graph *g, const graph_node *node, uint32_t axis);

/* Axes of a reshape's input and output that hold the same elements. */
typedef struct shrink_group {
    uint32_t in, in_count, out, out_count;
} shrink_group;

/* From {0} on; false after the last. */
bool shrink_next_group(graph_shape in, graph_shape out, shrink_group *group);

/* shrink_constant.c: what is constant, and lasting, from the input on. */
void shrink_find_constants(shrink_slots *s);

/* shrink_live.c: what lives, from the output back. With `whole`, and what a graph must have
 * to be one. */
void shrink_find_living(shrink_slots *s, bool whole);

/* shrink_build.c: the smaller graph of what lives, and its parameters' places. */
admmnn_status shrink_build(const shrink_slots *s, graph **small, admmnn_error *err);
void shrink_fill_origin(const shrink_slots *s, const graph *small, size_t *origin);

#endif
