/* Nodes of an ONNX graph, turned into nodes of ours. */
#ifndef ONNX_NODES_H
#define ONNX_NODES_H

#include "graph/graph.h"
#include "onnx/names.h"
#include "onnx/onnx.h"

/* How a parameter's numbers lie in the array they come from. */
typedef enum onnx_layout {
    ONNX_AS_IS,
    ONNX_TRANSPOSED,      /* columns by rows */
    ONNX_TRANSPOSED_CONV, /* input channels by filters of a group by the kernel's elements */
    ONNX_REPEATED         /* one number for all */
} onnx_layout;

/* Where a parameter's numbers are; array NULL: zeros. */
typedef struct onnx_source {
    const onnx_array *array;
    const char *name; /* the file's tensor; NULL: none */
    onnx_layout layout;
    uint32_t groups; /* ONNX_TRANSPOSED_CONV */
    float factor;    /* that they are multiplied by */
} onnx_source;

typedef struct onnx_reader {
    graph *g;
    const Onnx__GraphProto *from;
    const onnx_file *file;
    onnx_arena *arena;
    onnx_names names;
    onnx_source *sources;  /* [parameter] */
    const char **origins;  /* [node]: the file's name of it */
    onnx_texts kept;       /* of these */
    onnx_texts file_nodes; /* the names of all of the file's nodes */
    onnx_texts parameters; /* names of the graph's, of the first `named` */
    uint32_t named;
    uint64_t given;     /* elements of the file's constants */
    uint64_t folded;    /* elements that were read to make others of them */
    size_t params_most; /* floats: nodes may share weights, but not without end */
    int64_t opset;
    int64_t batch;   /* samples the file was made for; 0: any */
    uint32_t number; /* the last that was given to a node or a parameter for want of a name */
} onnx_reader;

/* Whether that is the domain of ONNX's own operators. */
bool onnx_is_standard(const char *domain);

/* Room in the sources and the origins that the file's nodes may need. */
#define ONNX_SOURCES_EACH 4U

/* Adds what makes the node's outputs, whose inputs are known. Errors do not name the node:
 * the caller does. */
/* Whether its operator is one that is read. */
admmnn_status onnx_check_operator(const Onnx__NodeProto *node, admmnn_error *err);
admmnn_status onnx_convert_node(onnx_reader *r, const Onnx__NodeProto *node, admmnn_error *err);

/* ---- for the conversions ---- */

typedef admmnn_status onnx_converter(onnx_reader *r, const Onnx__NodeProto *node,
                                     admmnn_error *err);

bool onnx_has_input(const Onnx__NodeProto *node, size_t i);
/* Element i, which must not depend on the batch. */
admmnn_status onnx_plain_number(const onnx_array *array, size_t i, float *out, admmnn_error *err);
/* A value, or a constant. */
admmnn_status onnx_find_input(onnx_reader *r, const Onnx__NodeProto *node, size_t i,
                              onnx_tensor **out, admmnn_error *err);
admmnn_status onnx_find_value(onnx_reader *r, const Onnx__NodeProto *node, size_t i,
                              onnx_tensor **out, admmnn_error *err);
admmnn_status onnx_find_constant(onnx_reader *r, const Onnx__NodeProto *node, size_t i,
                                 const onnx_array **out, admmnn_error *err);
/* The numbers of attribute `name`, or of input i, which took its place in a later operator
 * set: the one that the node has. *out[*count] is the arena's; NULL: absent. */
admmnn_status onnx_find_integers(onnx_reader *r, const Onnx__NodeProto *node, const char *name,
                                 size_t i, const int64_t **out, size_t *count, admmnn_error *err);

/* The same where the batch may stand behind other axes (`before`), which all others refuse. */
admmnn_status onnx_find_moved(onnx_reader *r, const Onnx__NodeProto *node, size_t i,
                              onnx_tensor **out, admmnn_error *err);

/* The value of the tensor's own shape: a view becomes a node here. */
admmnn_status onnx_whole(onnx_reader *r, onnx_tensor *tensor, uint32_t *value, admmnn_error *err);
/* A constant as an operand beside values of `rank` dimensions, the batch's among them:
 * numbers are constants of the graph, all else are its parameters. */
admmnn_status onnx_operand(onnx_reader *r, onnx_tensor *tensor, uint32_t rank,
                           graph_parameter_kind kind, uint32_t *value, admmnn_error *err);

/* Input i as the parameter's numbers: as many, or one for all. */
admmnn_status onnx_take_parameter(onnx_reader *r, const Onnx__NodeProto *node, size_t i,
                                  uint32_t parameter, admmnn_error *err);

/* Whether element i of whole numbers is the number of samples. */
bool onnx_is_batch(const onnx_reader *r, const onnx_array *array, size_t i);

/* What the node's first output is: a value, a view of one, or a constant. */
admmnn_status onnx_add_value(onnx_reader *r, const Onnx__NodeProto *node, uint32_t value,
                             admmnn_error *err);
/* A view of `root`, in itself where the shape is the same; `shown` names the node. */
admmnn_status onnx_add_view(onnx_reader *r, const Onnx__NodeProto *node, uint32_t root,
                            graph_shape shape, const Onnx__NodeProto *shown, admmnn_error *err);
/* Another name of the input. */
admmnn_status onnx_add_alias(onnx_reader *r, const Onnx__NodeProto *node, const onnx_tensor *of,
                             admmnn_error *err);
admmnn_status onnx_add_array(onnx_reader *r, const Onnx__NodeProto *node, const onnx_array *array,
                             admmnn_error *err);
admmnn_status onnx_add_output(onnx_reader *r, const Onnx__NodeProto *node, size_t output,
                              onnx_tensor tensor, admmnn_error *err);

/* The node's name where ours can have it, or its end, or the operation and a number. */
void onnx_name_node(onnx_reader *r, const Onnx__NodeProto *node, char out[GRAPH_NAME_MAX]);
/* The same for a further node made of it. */
void onnx_name_part(onnx_reader *r, const Onnx__NodeProto *node, const char *part,
                    char out[GRAPH_NAME_MAX]);

/* What the graph refuses is not damage of the file, but more than we hold. */
admmnn_status onnx_held(admmnn_status status);

/* Axis `axis`, of `rank` dimensions and counted from the end below 0, as one of a sample. An
 * axis that is none is ADMMNN_CORRUPT, the batch's ADMMNN_UNSUPPORTED. */
admmnn_status onnx_sample_axis(int64_t axis, uint32_t rank, uint32_t *out, admmnn_error *err);
/* ADMMNN_UNSUPPORTED: what is done mixes the samples of a batch. */
admmnn_status onnx_fail_mixing(const char *what, admmnn_error *err);
/* The same of a tensor whose batch was moved, and not moved back. */
admmnn_status onnx_check_batch(const onnx_tensor *tensor, admmnn_error *err);

/* By where they are written. */
onnx_converter onnx_convert_conv, onnx_convert_transposed_conv, onnx_convert_maxpool,
    onnx_convert_average_pool, onnx_convert_global_maxpool, onnx_convert_global_average_pool,
    onnx_convert_gemm, onnx_convert_matmul;
onnx_converter onnx_convert_batch_normalization, onnx_convert_instance_normalization,
    onnx_convert_layer_normalization, onnx_convert_lrn, onnx_convert_softmax,
    onnx_convert_log_softmax;
onnx_converter onnx_convert_relu, onnx_convert_unary, onnx_convert_clip, onnx_convert_binary,
    onnx_convert_pow, onnx_convert_dropout, onnx_convert_cast, onnx_convert_identity;
onnx_converter onnx_convert_reduce, onnx_convert_concat, onnx_convert_split, onnx_convert_slice,
    onnx_convert_pad, onnx_convert_flatten, onnx_convert_reshape, onnx_convert_squeeze,
    onnx_convert_unsqueeze, onnx_convert_expand, onnx_convert_transpose, onnx_convert_gather,
    onnx_convert_resize, onnx_convert_shape;

#endif
