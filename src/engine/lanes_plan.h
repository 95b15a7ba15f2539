/* What the lanes back end decides before a pass: when it is created, which nodes run
 * together and where every thread's buffers lie; with each support, which layers run on
 * coordinate lists. */
#ifndef ENGINE_LANES_PLAN_H
#define ENGINE_LANES_PLAN_H

#include "engine/backend.h"
#include "engine/lanes_kernels.h"

typedef enum lanes_kind { LANES_CONV, LANES_POOL, LANES_PRODUCT, LANES_RELU } lanes_kind;

/* One step of the pass: a node, or a convolution with the pooling after it.
 * Offsets are in floats from the start of a thread's arena. */
typedef struct lanes_step {
    lanes_kind kind;
    uint32_t node;
    size_t in_count, out_count; /* elements of one image */
    size_t in, out;             /* activations [blocks][count][lanes] */
    size_t in_gradient, out_gradient;
    bool wants_data; /* the input's gradient is needed */
    size_t winner;   /* elements from the start of the thread's winners */
    lanes_conv conv; /* of an inner product too: one position */
    lanes_pool pool;

    /* Parameters. Without a support these are offsets into the flat vector; with
     * one, places in the compact vector. */
    size_t weight_first, weight_count, bias_first, bias_count;
    size_t rows, columns;
    bool listed;          /* coordinate lists */
    lanes_sparse list;    /* when listed */
    size_t *weight_index; /* support and not listed: place in the layer of each weight */
    size_t *bias_index;   /* support: place in the layer of each bias */
    float *weight_dense;  /* support and not listed: scattered weights */
    float *bias_dense;    /* support: scattered biases */
} lanes_step;

typedef struct lanes_plan {
    const lanes_kernels *kernels;
    lanes_step *steps;
    size_t step_count;
    size_t max_blocks;  /* a thread's, at most */
    float list_density; /* as in engine_settings */
    /* A thread's arena, in floats, and its parts. */
    size_t input, output, output_gradient;
    size_t scratch;                     /* of the kernels */
    size_t expanded;                    /* gradients before pooling */
    size_t sums;                        /* of a listed convolution's gradient */
    size_t dense_weights, dense_biases; /* gradients to be gathered */
    size_t arena_floats, winner_count;
    size_t input_count, classes;
} lanes_plan;

admmnn_status lanes_plan_create(const graph *g, const engine_settings *settings, unsigned threads,
                                lanes_plan **out, admmnn_error *err);
void lanes_plan_free(lanes_plan *plan);

/* The node's ranges in the flat vector. */
void lanes_step_parameters(const graph *g, const graph_node *node, lanes_step *step);
/* The share of nonzeros below which the step runs on coordinate lists. */
double lanes_list_density(const lanes_plan *plan, const lanes_step *step);

/* ---- lanes_support.c ---- */

void lanes_steps_free(lanes_step *steps, size_t count);

/* Chooses lists or scattering layer by layer; NULL goes back to flat vectors. When
 * memory is short the plan stays as it was. */
admmnn_status lanes_plan_support(lanes_plan *plan, const graph *g, const size_t *index,
                                 size_t count, admmnn_error *err);

#endif
