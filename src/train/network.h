/* A graph with its parameters and the engine that runs it. Parameters exist in
 * two forms: flat (the graph's vector) and active (the engine's: flat, or
 * compact on a support). Training works on the active form. */
#ifndef TRAIN_NETWORK_H
#define TRAIN_NETWORK_H

#include "data/data.h"
#include "engine/engine.h"
#include "graph/graph.h"

typedef struct train_network {
    const graph *g; /* the caller's */
    base_pool *pool;
    engine *engine;
    uint32_t batch;
    engine_loss_id loss; /* what is trained by and measured; cross-entropy at first */
    size_t *support;     /* places in the flat vector; NULL: all */
    size_t active_count;
    float *params; /* [active_count] */
} train_network;

/* params[g->flat_count] are copied. g and pool must outlive the network, which trains
 * where the settings say so. */
admmnn_status train_network_create(const graph *g, const float *params, base_pool *pool,
                                   const engine_settings *settings, train_network **out,
                                   admmnn_error *err);
void train_network_free(train_network *network);

/* Restricts the network to the parameters whose mask[flat_count] is not 0; the
 * others become zero. NULL: all parameters again, as they are. */
admmnn_status train_network_restrict(train_network *network, const uint8_t *mask,
                                     admmnn_error *err);

/* A parameter's range in the active vector. */
typedef struct train_range {
    size_t first, count;
} train_range;

train_range train_network_range(const train_network *network, const graph_parameter *parameter);

/* Between the two forms. Values outside the support are dropped or zero. */
void train_network_expand(const train_network *network, const float *active, float *flat);
void train_network_compact(const train_network *network, const float *flat, float *active);

typedef struct train_score {
    size_t count, correct;
    double accuracy; /* fraction */
    double loss;     /* the network's, mean */
} train_score;

/* Evaluates active parameters on images order[0..count) of the set (NULL: the
 * first count); damaged ones are not counted. */
admmnn_status train_network_evaluate(train_network *network, const float *params,
                                     const data_set *set, const uint32_t *order, size_t count,
                                     data_tones tones, train_score *score, admmnn_error *err);

/* The network's outputs for the first count images of the view, distorted as it
 * says, into logits[count][classes]; in the place of a damaged one stand those for another. */
admmnn_status train_network_answer(train_network *network, const data_view *view, size_t count,
                                   float *logits, admmnn_error *err);

#endif
