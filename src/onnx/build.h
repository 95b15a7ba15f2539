/* An ONNX graph being written, node by node. */
#ifndef ONNX_BUILD_H
#define ONNX_BUILD_H

#include "onnx/names.h"
#include "onnx/onnx.h"

/* All that is written lives in the arena; what fails sets arena.failed, and is told once. */
typedef struct onnx_builder {
    const onnx_writing *from;
    onnx_arena arena;
    onnx_names names; /* of tensors: each is there once */
    Onnx__GraphProto *out;
    size_t node_room, initializer_room;
    const char **values; /* the tensor of each value; NULL: not written yet */
    int64_t opset;
} onnx_builder;

/* The name, with something behind it where a tensor has it already. */
const char *onnx_build_name(onnx_builder *b, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* NULL when memory is short, as all that is made. `inputs`: room for them. */
Onnx__NodeProto *onnx_build_node(onnx_builder *b, const char *op, const char *name, size_t inputs);
/* NULL nodes are left alone by these. */
void onnx_build_input(Onnx__NodeProto *to, const char *tensor);
/* Gives the node its output; its name. */
const char *onnx_build_output(onnx_builder *b, Onnx__NodeProto *to, const char *tensor);

void onnx_build_integer(onnx_builder *b, Onnx__NodeProto *to, const char *name, int64_t value);
void onnx_build_number(onnx_builder *b, Onnx__NodeProto *to, const char *name, float value);
void onnx_build_text(onnx_builder *b, Onnx__NodeProto *to, const char *name, const char *value);
void onnx_build_integers(onnx_builder *b, Onnx__NodeProto *to, const char *name,
                         const int64_t *values, size_t count);

/* An initializer of that name: data must live as long as the builder. */
void onnx_build_tensor(onnx_builder *b, const char *name, int32_t type, const int64_t *dims,
                       size_t rank, const void *data, size_t bytes);
/* "<node's name>.<what>", a row of copied numbers or one number; added to the node's inputs. */
void onnx_build_row(onnx_builder *b, Onnx__NodeProto *to, const char *what, const int64_t *values,
                    size_t count);
void onnx_build_scalar(onnx_builder *b, Onnx__NodeProto *to, const char *what, float value);

/* Writes node n of the graph, with what it needs before it. */
void onnx_build_graph_node(onnx_builder *b, uint32_t n);
/* The least operator set that has it. */
int64_t onnx_node_opset(const graph *g, const graph_node *node);
/* ADMMNN_UNSUPPORTED where there is no form for it. */
admmnn_status onnx_check_node(const graph *g, const graph_node *node, admmnn_error *err);

#endif
