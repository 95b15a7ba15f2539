/* The zoo's networks as the benchmarks of one network take them. */
#ifndef BENCH_NETWORK_H
#define BENCH_NETWORK_H

#include "graph/graph.h"

/* Of the input and the classes that the network is made for. "smallest", which is none of the
 * zoo's, has LeNet-5's and next to nothing between them: the mean of the pixels and ten weights.
 * What a program takes for it, it takes for a call. */
admmnn_status bench_network_make(const char *name, graph **out, admmnn_error *err);

#endif
