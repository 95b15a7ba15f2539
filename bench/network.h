/* The zoo's networks as the benchmarks of one network take them. */
#ifndef BENCH_NETWORK_H
#define BENCH_NETWORK_H

#include "graph/graph.h"

/* Of the input and the classes that the network is made for. */
admmnn_status bench_network_make(const char *name, graph **out, admmnn_error *err);

#endif
