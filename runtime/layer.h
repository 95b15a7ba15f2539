/* Weights made ready to run, and all other parameters, from the file. */
#ifndef RT_LAYER_H
#define RT_LAYER_H

#include "tensor.h"

/* Plans how the value's layer runs, once it is known whether it is linear; false where a panel
 * takes more floats than a network may have. */
bool rt_layer_plan(const rt_network *network, const rt_value *value);

/* Rows of a matmul's left side, all its matrices'. */
size_t rt_linear_count(const rt_network *network, const rt_node *node);
/* The next parameter of the file: its layer, where its user runs one, else its floats. */
admmnn_runtime_status rt_layer_read(rt_sources *from, rt_tensor *tensor);

/* The layer as it reads and makes numbers of 8 bits, where one of the two is: codes without their
 * scales are multiplied by levels without their interval, and a row's scale has all of these.
 * MEMORY, ARENA. */
admmnn_runtime_status rt_layer_code(const rt_opening *opening, const rt_tensor *tensor,
                                    const rt_numbers *in, const rt_numbers *out);

#endif
