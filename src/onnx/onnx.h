/* ONNX model files: the graph and its dense parameters, written and read through
 * protobuf-c and Debian's ONNX schema. docs/onnx.md lists the operators. */
#ifndef ONNX_ONNX_H
#define ONNX_ONNX_H

#include "graph/graph.h"

/* A line of the model's metadata_props; the strings are the caller's. */
typedef struct onnx_property {
    const char *key, *value;
} onnx_property;

/* What a file calls things by other names than the graph, whose names are short and plain.
 * The strings are its own. */
typedef struct onnx_labels {
    struct onnx_arena *arena;
    const char *input, *output, *batch; /* batch: the name of its dimension */
    const char *graph, *documentation;
    const char **nodes;      /* [node_count]; NULL: the graph's name */
    const char **parameters; /* [parameter_count]; NULL: made from the node's */
    uint32_t *shared;        /* [parameter_count]: the first parameter of the same tensor */
    uint32_t node_count, parameter_count;
    onnx_property *properties; /* the model's metadata_props */
    size_t property_count;
} onnx_labels;

void onnx_labels_free(onnx_labels *labels);

/* How a parameter is written as whole numbers: value = code scale. */
typedef struct onnx_codes {
    int8_t *codes; /* [count]; NULL: as floats */
    float scale;
    unsigned bits; /* 8, or 4 */
} onnx_codes;

typedef struct onnx_writing {
    const graph *g;
    const float *params;       /* [g->flat_count] */
    const onnx_codes *codes;   /* [g->parameter_count]; NULL: all as floats */
    const onnx_labels *labels; /* NULL: the graph's names */
    const onnx_property *properties;
    size_t property_count;
} onnx_writing;

/* Behind the model's name: that of the file of its tensors' data. */
#define ONNX_DATA_SUFFIX ".data"

/* Where the numbers of the tensors go: into the model's file, or into a file beside
 * it, PATH.data. */
typedef enum onnx_data {
    ONNX_DATA_BY_SIZE, /* inside, as long as one file holds it all */
    ONNX_DATA_INSIDE,
    ONNX_DATA_OUTSIDE /* all but small tensors (onnx/external.h) */
} onnx_data;

typedef struct onnx_target {
    const char *path;
    onnx_data data;
    bool force;       /* PATH.data may be replaced; PATH itself is the caller's matter */
    size_t file_most; /* bytes of the model's file; 0: as many as protobuf has, 2 GiB */
} onnx_target;

/* A model about to be written: its sizes are known, its bytes are made by the appends below. It
 * reads the writing's numbers until it is freed. */
typedef struct onnx_message onnx_message;
/* Takes the next bytes of a file. */
typedef void onnx_append(void *to, const void *bytes, size_t count);

/* A model of the least operator set from 13 on that has the graph's operations; the input is
 * N x the sample's dimensions. ADMMNN_USAGE: two nodes of one name, or a graph without nodes;
 * ADMMNN_UNSUPPORTED: larger than one file is. */
admmnn_status onnx_message_create(const onnx_writing *writing, const onnx_target *target,
                                  onnx_message **out, admmnn_error *err);
void onnx_message_free(onnx_message *message);
/* Of PATH.data; 0: there is none. */
uint64_t onnx_message_data_bytes(const onnx_message *message);
void onnx_message_append(const onnx_message *message, onnx_append *append, void *to);
void onnx_message_append_data(const onnx_message *message, onnx_append *append, void *to);

/* Writes target->path and, where there is one, its data file: both or neither. *data_bytes: of
 * the latter, 0: none. The errors of onnx_message_create; ADMMNN_USAGE: the data file exists and
 * `force` is not set; ADMMNN_IO. */
admmnn_status onnx_write(const onnx_writing *writing, const onnx_target *target,
                         uint64_t *data_bytes, admmnn_error *err);

/* What onnx_write would refuse, without writing: for a model that takes long to make. */
admmnn_status onnx_check_write(const onnx_writing *writing, const onnx_target *target,
                               admmnn_error *err);

typedef struct onnx_file {
    const char *name;   /* in errors */
    const char *folder; /* of data outside the file; NULL: such data is refused */
    const char *output; /* it, or its data file, is about to be replaced: data there are refused;
                           NULL: nothing is */
    const uint8_t *bytes;
    size_t count;
    bool taken;      /* bytes are onnx_read's to free, once they are unpacked */
    uint64_t memory; /* bytes that the model may take; 0: what the machine has */
} onnx_file;

/* What onnx_read found; free with onnx_model_free. All is the model's. */
typedef struct onnx_model {
    graph *g;
    float *params; /* [g->flat_count] */
    onnx_labels *labels;
} onnx_model;

/* An operator, attribute or shape that the graph cannot hold is ADMMNN_UNSUPPORTED with the
 * node's name and the operator set; damage is ADMMNN_CORRUPT; ADMMNN_MEMORY, before it is
 * taken, for a model that is larger than the memory; ADMMNN_NOT_FOUND and ADMMNN_IO for data
 * outside the file; ADMMNN_USAGE: that lie in what is about to be replaced. */
admmnn_status onnx_read(const onnx_file *file, onnx_model *out, admmnn_error *err);
void onnx_model_free(onnx_model *model);

#endif
