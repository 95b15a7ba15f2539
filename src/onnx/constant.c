#include "onnx/constant.h"

#include <stdbool.h>
#include <string.h>

#include "base/memory.h"

static const char *name_of(const Onnx__TensorProto *tensor) {
    return tensor->name == NULL ? "" : tensor->name;
}

static size_t element_size(const Onnx__TensorProto *tensor) {
    switch (tensor->data_type) {
    case ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT:
        return sizeof(float);
    case ONNX__TENSOR_PROTO__DATA_TYPE__INT64:
        return sizeof(int64_t);
    default:
        return 0;
    }
}

admmnn_status onnx_constant_count(const Onnx__TensorProto *tensor, size_t *count,
                                  admmnn_error *err) {
    size_t size = element_size(tensor);
    if (size == 0)
        return base_fail(err, ADMMNN_UNSUPPORTED, "tensor '%.60s': type %d; float is read",
                         name_of(tensor), (int)tensor->data_type);
    if (tensor->n_external_data > 0 ||
        (tensor->has_data_location &&
         tensor->data_location != ONNX__TENSOR_PROTO__DATA_LOCATION__DEFAULT))
        return base_fail(err, ADMMNN_UNSUPPORTED, "tensor '%.60s' lies in another file",
                         name_of(tensor));
    size_t elements = 1;
    bool sound = tensor->n_dims <= ONNX_RANK_MAX && tensor->segment == NULL;
    for (size_t i = 0; sound && i < tensor->n_dims; i++)
        sound = tensor->dims[i] > 0 && base_multiply(elements, (size_t)tensor->dims[i], &elements);
    size_t typed = size == sizeof(float) ? tensor->n_float_data : tensor->n_int64_data;
    size_t bytes;
    sound = sound && base_multiply(elements, size, &bytes) &&
            (tensor->has_raw_data ? tensor->raw_data.len == bytes : typed == elements);
    if (!sound)
        return base_fail(err, ADMMNN_CORRUPT,
                         "tensor '%.60s': its data is not what its dimensions ask for",
                         name_of(tensor));
    *count = elements;
    return ADMMNN_OK;
}

void onnx_constant_floats(const Onnx__TensorProto *tensor, size_t rows, size_t columns,
                          bool transposed, float *to) {
    const uint8_t *from =
        tensor->has_raw_data ? tensor->raw_data.data : (const uint8_t *)tensor->float_data;
    if (!transposed) {
        memcpy(to, from, rows * columns * sizeof *to);
        return;
    }
    for (size_t row = 0; row < rows; row++)
        for (size_t column = 0; column < columns; column++)
            memcpy(&to[row * columns + column], from + (column * rows + row) * sizeof *to,
                   sizeof *to);
}

int64_t onnx_constant_integer(const Onnx__TensorProto *tensor, size_t i) {
    if (!tensor->has_raw_data)
        return tensor->int64_data[i];
    int64_t value;
    memcpy(&value, tensor->raw_data.data + i * sizeof value, sizeof value);
    return value;
}
