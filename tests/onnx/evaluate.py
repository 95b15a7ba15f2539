"""Checks an ONNX model by the onnx package and evaluates it by NumPy.

usage: evaluate.py MODEL INPUT OUTPUT
INPUT: float32, samples of the model's input one after another; OUTPUT: float32.
Exit status 77: the packages are absent.
"""
import sys

try:
    import numpy as np
    import onnx
    from onnx import checker, numpy_helper, shape_inference
except ImportError:
    sys.exit(77)


def windows(x, kernel, strides, pads, fill):
    x = np.pad(x, ((0, 0), (0, 0), (pads[0], pads[2]), (pads[1], pads[3])), constant_values=fill)
    view = np.lib.stride_tricks.sliding_window_view(x, kernel, axis=(2, 3))
    return view[:, :, :: strides[0], :: strides[1]]


def conv(x, w, b, kernel_shape, strides, pads):
    assert tuple(kernel_shape) == w.shape[2:]
    patches = windows(x, kernel_shape, strides, pads, 0.0)
    return np.einsum("nchwij,ocij->nohw", patches, w) + b[None, :, None, None]


def max_pool(x, kernel_shape, strides, pads):
    return windows(x, kernel_shape, strides, pads, -np.inf).max(axis=(4, 5))


def batch_normalization(x, scale, shift, mean, variance, epsilon, momentum):
    def per_channel(v):
        return v.reshape([1, -1] + [1] * (x.ndim - 2))

    normalized = (x - per_channel(mean)) / np.sqrt(per_channel(variance) + epsilon)
    return normalized * per_channel(scale) + per_channel(shift)


OPS = {
    "Conv": conv,
    "MaxPool": max_pool,
    "BatchNormalization": batch_normalization,
    "Dropout": lambda x, ratio: x,
    "Relu": lambda x: np.maximum(x, 0),
    "Gemm": lambda x, w, b, transB: x @ (w.T if transB else w) + b,
    "Flatten": lambda x, axis: x.reshape(x.shape[0] if axis == 1 else -1, -1),
    "Reshape": lambda x, to: x.reshape([x.shape[i] if d == 0 else d for i, d in enumerate(to)]),
}


def sides(value):
    return [d.dim_value or d.dim_param for d in value.type.tensor_type.shape.dim]


def evaluate(model, x):
    graph = model.graph
    tensors = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    tensors = {k: v.astype(np.float64) if v.dtype == np.float32 else v for k, v in tensors.items()}
    tensors[graph.input[0].name] = x.astype(np.float64)
    for node in graph.node:
        attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        tensors[node.output[0]] = OPS[node.op_type](*[tensors[i] for i in node.input], **attributes)
    return tensors[graph.output[0].name].astype(np.float32)


def main():
    model = onnx.load(sys.argv[1])
    checker.check_model(model, full_check=True)
    inferred = shape_inference.infer_shapes(model, strict_mode=True).graph
    assert [v.name for v in inferred.input] == ["input"]
    assert [v.name for v in inferred.output] == ["logits"]
    assert sides(inferred.input[0])[0] == "N" and sides(inferred.output[0])[0] == "N"
    x = np.fromfile(sys.argv[2], np.float32).reshape([-1] + sides(inferred.input[0])[1:])
    y = evaluate(model, x)
    assert list(y.shape[1:]) == sides(inferred.output[0])[1:], y.shape
    y.tofile(sys.argv[3])


main()
