/* Nodes of an ONNX graph, turned into nodes of ours. */
#ifndef ONNX_NODES_H
#define ONNX_NODES_H

#include "graph/graph.h"
#include "onnx/names.h"

/* Where a parameter's numbers are; tensor NULL: zeros. */
typedef struct onnx_source {
    const Onnx__TensorProto *tensor;
    bool transposed;
} onnx_source;

/* sources[parameter], with room for four of every node. */
typedef struct onnx_reader {
    graph *g;
    onnx_names names;
    onnx_source *sources;
    size_t params_most; /* floats: nodes may share weights, but not without end */
    uint32_t unnamed;   /* nodes given a name by us */
} onnx_reader;

/* Errors do not name the node: the caller does. */
admmnn_status onnx_convert_node(onnx_reader *r, const Onnx__NodeProto *node, admmnn_error *err);

#endif
