/* The tensors of a graph being read, by name. */
#ifndef ONNX_NAMES_H
#define ONNX_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "onnx/arena.h"
#include "onnx_schema/onnx.pb-c.h"

typedef struct onnx_tensor {
    const char *name;
    uint64_t hash;
    const Onnx__TensorProto *constant; /* NULL for a value */
    uint32_t value;                    /* of the graph */
    bool flat;                         /* of two dimensions, (batch, elements) */
    bool open;                         /* a product whose bias may still come */
    bool spent;                        /* that product, once its bias has come */
    uint32_t reads;
} onnx_tensor;

typedef struct onnx_names {
    onnx_tensor *list;
    size_t count, capacity;
} onnx_names;

bool onnx_names_create(onnx_names *names, size_t capacity, onnx_arena *arena);
/* NULL when there is none. */
onnx_tensor *onnx_names_find(const onnx_names *names, const char *name);
/* False when the name is taken, or there are more names than room. */
bool onnx_names_add(onnx_names *names, onnx_tensor tensor);

#endif
