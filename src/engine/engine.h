/* Runs a graph forward and backward over batches.
 *
 * A step is data parallel: each thread of the pool takes its share of the
 * batch through the whole network and leaves its own part of the gradient; the
 * optimiser adds the parts in thread order while it reads them. Results depend
 * on the seed and the number of threads, never on timing.
 *
 * Sparse training: engine_set_support names the parameters that exist. From
 * then on every parameter and gradient vector given to or taken from the engine
 * is compact (one float for each index of the support, in order); the others
 * are zero and cost nothing where a layer is sparse enough. */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "base/pool.h"
#include "engine/loss.h"
#include "graph/graph.h"

typedef struct engine engine;

/* X(name, text) */
#define ENGINE_BACKEND_MAP(X)                                                                      \
    X(AUTO, "auto")           /* the fastest that holds the graph */                               \
    X(LANES, "lanes")         /* own kernels: one SIMD lane an image; dense and sparse */          \
    X(DNNL, "dnnl")           /* oneDNN */                                                         \
    X(REFERENCE, "reference") /* plain scalar loops: what the others are tested against */

typedef enum engine_backend_id {
#define ENGINE_BACKEND_ENUM(name, text) ENGINE_##name,
    ENGINE_BACKEND_MAP(ENGINE_BACKEND_ENUM)
#undef ENGINE_BACKEND_ENUM
} engine_backend_id;

/* How the dnnl back end divides a step among threads. */
typedef enum engine_division {
    ENGINE_DIVIDE_BY_SIZE, /* by its parameters and what it makes of a batch */
    ENGINE_DIVIDE_SAMPLES, /* a share of them each */
    ENGINE_DIVIDE_CALLS    /* each of oneDNN's calls */
} engine_division;

typedef struct engine_settings {
    engine_backend_id backend;
    uint32_t max_batch; /* samples of the largest batch */
    bool training;      /* plan memory for the backward pass */
    uint32_t lanes;     /* SIMD width of the lanes back end: 4, 8, 16; 0: the widest there is */
    /* The lanes back end runs a layer on coordinate lists below this share of nonzeros, and the
     * dnnl back end all layers where it is 1; 0: those that are faster so. */
    float list_density;
    engine_division division;
    uint64_t memory; /* bytes that it may take; 0: what the machine has */
} engine_settings;

/* Writes one sample's input, element i (channel, row, column order) to
 * input[i * stride]. Called from the pool's threads, each sample once a pass. */
typedef void (*engine_fill)(void *user, size_t sample, float *input, size_t stride);

typedef struct engine_batch {
    size_t count; /* samples, at most max_batch */
    engine_fill fill;
    void *user;
    const uint16_t *labels; /* [count]; needed by engine_step */
    const float *targets;   /* [count][classes] probabilities; NULL: one-hot of labels. Those of
                               the squared hinge are the labels' */
    engine_loss_id loss;    /* of engine_step */
    uint64_t seed, step;    /* name the random numbers of a step's dropouts */
} engine_batch;

typedef struct engine_result {
    double loss;               /* the batch's, against the targets, summed */
    size_t correct;            /* samples whose largest output is their label */
    uint32_t part_count;       /* gradient parts, to be added */
    const float *const *parts; /* [part_count][engine_parameter_count]; gradient of the SUM of
                                  the samples' losses; the engine's, until the next call.
                                  At the places of running statistics the parts add up to
                                  the batch's own */
} engine_result;

/* The pool must outlive the engine; the graph is copied. ADMMNN_MEMORY, before they are taken,
 * where its values, gradients and copies of parameters are more than the memory. */
admmnn_status engine_create(const graph *g, const engine_settings *settings, base_pool *pool,
                            engine **out, admmnn_error *err);
void engine_destroy(engine *e);

/* index[count]: ascending places in the flat parameter vector; NULL ends sparse
 * mode. The indices are copied. After an error the engine is as it was. */
admmnn_status engine_set_support(engine *e, const size_t *index, size_t count, admmnn_error *err);

/* Whether a support saves arithmetic: true of back ends with kernels for it. */
bool engine_gains_by_support(const engine *e);

/* Length of the parameter and gradient vectors: flat_count of the graph, or the
 * support's count. */
size_t engine_parameter_count(const engine *e);

/* Parameters that stay as they are, in their place, until others are held or the support
 * changes; NULL: none. engine_forward without parameters runs on them, and makes what it
 * needs of them (other formats, normalizations folded into weights) once. */
void engine_hold(engine *e, const float *params);

/* params NULL: those held. logits[count][outputs]: the graph's output values, no softmax.
 * Normalization is by the running statistics, and nothing is dropped out. */
admmnn_status engine_forward(engine *e, const float *params, const engine_batch *batch,
                             float *logits, admmnn_error *err);

/* Forward, loss, backward. Normalization is by the batch's statistics. */
admmnn_status engine_step(engine *e, const float *params, const engine_batch *batch,
                          engine_result *result, admmnn_error *err);

const char *engine_backend_name(const engine *e);
admmnn_status engine_backend_find(const char *text, engine_backend_id *id, admmnn_error *err);

#endif
