/* What a back end provides to the engine. Parameters here are always those of
 * the support the back end accepted last, or the flat vector. */
#ifndef ENGINE_BACKEND_H
#define ENGINE_BACKEND_H

#include "engine/engine.h"

typedef struct engine_backend {
    const char *name;
    /* ADMMNN_UNSUPPORTED when the graph holds an operation the back end lacks. */
    admmnn_status (*create)(const graph *g, const engine_settings *settings, base_pool *pool,
                            void **state, admmnn_error *err);
    void (*destroy)(void *state);
    /* After an error the state is as it was. NULL when the back end knows dense parameters only:
     * the engine then scatters the compact vector before a pass and gathers gradients after. */
    admmnn_status (*set_support)(void *state, const size_t *index, size_t count, admmnn_error *err);
    bool lists_in_training_alone; /* so does one that takes a support, in an engine for inference */
    /* The forward passes on these parameters may keep what they make of them, until the next
     * call; NULL when there is nothing to keep. */
    void (*hold)(void *state, const float *params);
    admmnn_status (*forward)(void *state, const float *params, const engine_batch *batch,
                             float *logits, admmnn_error *err);
    admmnn_status (*step)(void *state, const float *params, const engine_batch *batch,
                          engine_result *result, admmnn_error *err);
} engine_backend;

/* ADMMNN_MEMORY, with both figures, where the bytes are more than there are. */
admmnn_status engine_check_memory(const graph *g, const engine_settings *settings, uint64_t bytes,
                                  admmnn_error *err);

extern const engine_backend engine_backend_lanes;
extern const engine_backend engine_backend_dnnl;
extern const engine_backend engine_backend_reference;

#endif
