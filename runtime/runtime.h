/* The model that a caller holds. */
#ifndef RT_RUNTIME_H
#define RT_RUNTIME_H

#include "network.h"
#include "reader.h"

struct admmnn_runtime {
    rt_memory memory; /* of all that is here, this too */
    rt_network network;
};

/* A file's bytes, with a view for each of the two places that are read in turns. */
typedef struct rt_file {
    rt_view bytes, plain;
    size_t count;
} rt_file;

/* Reads the file with what is in *memory, which becomes the model's; frees it on failure. Of the
 * model's threads there is all but they themselves, which rt_model_open starts. */
admmnn_runtime_status rt_model_read(rt_file *file, rt_memory *memory,
                                    const admmnn_runtime_settings *settings, admmnn_runtime **model,
                                    admmnn_runtime_error *err);
admmnn_runtime_status rt_model_open(rt_file *file, rt_memory *memory,
                                    const admmnn_runtime_settings *settings, admmnn_runtime **model,
                                    admmnn_runtime_error *err);

#endif
