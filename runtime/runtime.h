/* The model that a caller holds. */
#ifndef RT_RUNTIME_H
#define RT_RUNTIME_H

#include "network.h"

struct admmnn_runtime {
    rt_memory memory; /* of all that is here, this too */
    rt_network network;
};

/* Reads the bytes with what is in *memory, which becomes the model's; frees it on failure. */
admmnn_runtime_status rt_model_open(const uint8_t *bytes, size_t count, rt_memory *memory,
                                    const admmnn_runtime_settings *settings, admmnn_runtime **model,
                                    admmnn_runtime_error *err);

#endif
