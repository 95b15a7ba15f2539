/* An ONNX model of ours as other exporters write them: make_foreign IN OUT ENDING. Weights are
 * Constant nodes, inner products a MatMul and an Add, whose tensors lie the other way round,
 * nodes stand in reverse order under long names, and the batch is fixed at one sample. ENDING:
 *   none          the outputs are what they were
 *   softmax       a Softmax makes them
 *   folded        a Softmax makes them, and a Reshape folds them into two rows
 *   shared        none, and of weights of one shape all nodes read the first
 * It computes the same, but for the last. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "onnx_schema/onnx.pb-c.h"

#define PREFIX "/classifier/with/a/long/path/"

/* All that is made lives until the program ends: a chain of it. */
typedef union piece {
    union piece *next;
    max_align_t aligned;
} piece;

static piece *pieces;

static void *take(size_t bytes) {
    piece *made = calloc(1, sizeof *made + bytes + 1);
    if (made == NULL)
        exit(1);
    made->next = pieces;
    pieces = made;
    return made + 1;
}

static void free_all(void) {
    while (pieces != NULL) {
        piece *next = pieces->next;
        free(pieces);
        pieces = next;
    }
}

static void *take_for(void *user, size_t bytes) {
    (void)user;
    return take(bytes);
}

static void keep(void *user, void *made) {
    (void)user;
    (void)made;
}

static char *join(const char *a, const char *b, const char *c) {
    char *text = take(strlen(a) + strlen(b) + strlen(c));
    return strcat(strcat(strcpy(text, a), b), c);
}

typedef struct foreign {
    Onnx__GraphProto *graph;
    Onnx__NodeProto **nodes;
    size_t count;
} foreign;

static Onnx__NodeProto *add_node(foreign *f, const char *op, const char *name) {
    Onnx__NodeProto *node = take(sizeof *node);
    onnx__node_proto__init(node);
    node->op_type = join(op, "", "");
    node->name = join(PREFIX, name, "");
    node->input = take(2 * sizeof *node->input);
    node->output = take(sizeof *node->output);
    node->attribute = take(sizeof *node->attribute);
    return f->nodes[f->count++] = node;
}

static void add_input(Onnx__NodeProto *node, const char *name) {
    node->input[node->n_input++] = join(name, "", "");
}

static void set_output(Onnx__NodeProto *node, const char *name) {
    node->n_output = 1;
    node->output[0] = join(name, "", "");
}

static void add_constant(foreign *f, Onnx__TensorProto *tensor) {
    Onnx__NodeProto *node = add_node(f, "Constant", join("constant/", tensor->name, ""));
    Onnx__AttributeProto *value = take(sizeof *value);
    onnx__attribute_proto__init(value);
    value->name = join("value", "", "");
    value->has_type = 1;
    value->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR;
    value->t = tensor;
    node->n_attribute = 1;
    node->attribute[0] = value;
    set_output(node, tensor->name);
}

static Onnx__TensorProto *find_tensor(const foreign *f, const char *name) {
    for (size_t i = 0; i < f->graph->n_initializer; i++)
        if (strcmp(f->graph->initializer[i]->name, name) == 0)
            return f->graph->initializer[i];
    fprintf(stderr, "no tensor %s\n", name);
    exit(1);
}

static void transpose(Onnx__TensorProto *tensor) {
    const size_t rows = (size_t)tensor->dims[0];
    const size_t columns = (size_t)tensor->dims[1];
    float *turned = take(rows * columns * sizeof *turned);
    for (size_t i = 0; i < rows * columns; i++)
        memcpy(turned + i % columns * rows + i / columns, tensor->raw_data.data + i * sizeof(float),
               sizeof(float));
    tensor->raw_data.data = (uint8_t *)turned;
    tensor->dims[0] = (int64_t)columns;
    tensor->dims[1] = (int64_t)rows;
}

static void split_gemm(foreign *f, const Onnx__NodeProto *gemm) {
    const char *product = join(gemm->name, ".product", "");
    Onnx__NodeProto *multiply = add_node(f, "MatMul", join(gemm->name, "/MatMul", ""));
    Onnx__NodeProto *add = add_node(f, "Add", join(gemm->name, "/Add", ""));
    transpose(find_tensor(f, gemm->input[1]));
    add_input(multiply, gemm->input[0]);
    add_input(multiply, gemm->input[1]);
    set_output(multiply, product);
    add_input(add, gemm->input[2]);
    add_input(add, product);
    set_output(add, gemm->output[0]);
}

static void keep_node(foreign *f, Onnx__NodeProto *node) {
    node->name = join(PREFIX, node->name, "");
    f->nodes[f->count++] = node;
}

/* The second input of MatMul nodes becomes the first one of its shape. */
static void share_weights(foreign *f) {
    for (size_t i = 0; i < f->count; i++)
        for (size_t j = 0; j < i && strcmp(f->nodes[i]->op_type, "MatMul") == 0; j++) {
            if (strcmp(f->nodes[j]->op_type, "MatMul") != 0)
                continue;
            const Onnx__TensorProto *a = find_tensor(f, f->nodes[i]->input[1]);
            const Onnx__TensorProto *b = find_tensor(f, f->nodes[j]->input[1]);
            if (a->dims[0] == b->dims[0] && a->dims[1] == b->dims[1])
                f->nodes[i]->input[1] = b->name;
        }
}

/* What made the output makes `inner` instead, and the new node the output of it. */
static Onnx__NodeProto *end_in(foreign *f, const char *op, const char *inner) {
    const char *name = f->graph->output[0]->name;
    for (size_t i = 0; i < f->count; i++)
        if (strcmp(f->nodes[i]->output[0], name) == 0)
            set_output(f->nodes[i], inner);
    Onnx__NodeProto *node = add_node(f, op, op);
    add_input(node, inner);
    set_output(node, name);
    return node;
}

static void fold_output(foreign *f) {
    static const int64_t dims[] = {1, 2, -1};
    static int64_t count = 3;
    Onnx__TensorProto *shape = take(sizeof *shape);
    onnx__tensor_proto__init(shape);
    shape->name = join("folded", "", "");
    shape->n_dims = 1;
    shape->dims = &count;
    shape->has_data_type = 1;
    shape->data_type = ONNX__TENSOR_PROTO__DATA_TYPE__INT64;
    shape->has_raw_data = 1;
    shape->raw_data = (ProtobufCBinaryData){.len = sizeof dims, .data = (uint8_t *)dims};
    add_input(end_in(f, "Reshape", "probabilities"), shape->name);
    add_constant(f, shape);
}

static void fix_batch(Onnx__ValueInfoProto *info) {
    Onnx__TensorShapeProto__Dimension *batch = info->type->tensor_type->shape->dim[0];
    batch->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
    batch->dim_value = 1;
}

static void make(Onnx__ModelProto *model, const char *ending) {
    Onnx__GraphProto *graph = model->graph;
    foreign f = {.graph = graph};
    f.nodes = take((2 * graph->n_node + graph->n_initializer + 4) * sizeof *f.nodes);
    for (size_t i = 0; i < graph->n_node; i++)
        if (strcmp(graph->node[i]->op_type, "Gemm") == 0)
            split_gemm(&f, graph->node[i]);
        else
            keep_node(&f, graph->node[i]);
    if (strcmp(ending, "shared") == 0)
        share_weights(&f);
    if (strcmp(ending, "softmax") == 0 || strcmp(ending, "folded") == 0)
        end_in(&f, "Softmax", "logits before softmax");
    if (strcmp(ending, "folded") == 0)
        fold_output(&f);
    for (size_t i = 0; i < graph->n_initializer; i++)
        add_constant(&f, graph->initializer[i]);
    for (size_t i = 0; i < f.count / 2; i++) {
        Onnx__NodeProto *node = f.nodes[i];
        f.nodes[i] = f.nodes[f.count - 1 - i];
        f.nodes[f.count - 1 - i] = node;
    }
    graph->n_initializer = 0;
    graph->n_node = f.count;
    graph->node = f.nodes;
    fix_batch(graph->input[0]);
    fix_batch(graph->output[0]);
}

static uint8_t *read_file(const char *path, size_t *count) {
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        perror(path);
        exit(1);
    }
    *count = (size_t)ftell(file);
    rewind(file);
    uint8_t *bytes = take(*count);
    *count = fread(bytes, 1, *count, file);
    fclose(file);
    return bytes;
}

int main(int argc, char **argv) {
    size_t count;
    ProtobufCAllocator allocator = {.alloc = take_for, .free = keep};
    if (argc != 4) {
        fputs("usage: make_foreign IN OUT none|softmax|folded|shared\n", stderr);
        return 2;
    }
    (void)atexit(free_all);
    const uint8_t *bytes = read_file(argv[1], &count);
    Onnx__ModelProto *model = onnx__model_proto__unpack(&allocator, count, bytes);
    if (model == NULL)
        return 1;
    make(model, argv[3]);
    count = onnx__model_proto__get_packed_size(model);
    uint8_t *out = take(count);
    onnx__model_proto__pack(model, out);
    FILE *file = fopen(argv[2], "wb");
    if (file == NULL || fwrite(out, 1, count, file) != count || fclose(file) != 0) {
        perror(argv[2]);
        return 1;
    }
    return 0;
}
