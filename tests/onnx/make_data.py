"""Makes tests/onnx/data: models as exporters write them, with what they compute.

usage: make_data.py FOLDER     (Debian's python3-onnx and python3-torch)
NAME.onnx stands beside NAME.bin: float32, two samples of input, then of output.
"""
import sys

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

FOLDER = sys.argv[1]
RANDOM = np.random.default_rng(1)


def save_values(name, x, y):
    np.concatenate([x.ravel(), y.ravel()]).astype(np.float32).tofile(f"{FOLDER}/{name}.bin")


def from_torch(name, module, shape, **options):
    """The file is PyTorch's own, its outputs too."""
    module = module.eval()
    x = torch.from_numpy(RANDOM.standard_normal([2] + shape).astype(np.float32))
    torch.onnx.export(module, x, f"{FOLDER}/{name}.onnx", input_names=["x"], output_names=["y"],
                      **options)
    save_values(name, x.numpy(), module(x).detach().numpy())


class Viewed(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(2, 3, (3, 2), stride=(2, 1), padding=(1, 0), bias=False)
        self.fc = torch.nn.Linear(3 * 2 * 3, 4)

    def forward(self, x):
        x = torch.nn.functional.max_pool2d(torch.relu(self.conv(x)), 2)
        return self.fc(x.view(x.size(0), -1))


def dense_layers():
    """MatMul and Add, as Keras exports them; typed data instead of raw; a constant."""
    w1, b1 = RANDOM.standard_normal((6, 5)), RANDOM.standard_normal(5)
    w2, b2 = RANDOM.standard_normal((5, 3)), RANDOM.standard_normal((1, 3))
    tensors = {"w1": w1, "b1": b1, "w2": w2, "b2": b2}
    nodes = [
        helper.make_node("Constant", [], ["shape"], value=numpy_helper.from_array(np.array([-1, 6]))),
        helper.make_node("Reshape", ["x", "shape"], ["flat"]),
        helper.make_node("MatMul", ["flat", "w1"], ["m1"], name="dense/MatMul"),
        helper.make_node("Add", ["m1", "b1"], ["a1"], name="dense/BiasAdd"),
        helper.make_node("Relu", ["a1"], ["r1"], name="a name of more than thirty-one characters"),
        helper.make_node("Identity", ["r1"], ["i1"]),
        helper.make_node("MatMul", ["i1", "w2"], ["m2"]),
        helper.make_node("Add", ["b2", "m2"], ["y"]),
    ]
    initializers = [helper.make_tensor(k, TensorProto.FLOAT, v.shape, v.ravel().astype(np.float32))
                    for k, v in tensors.items()]
    graph = helper.make_graph(
        nodes, "dense", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 1, 2, 3])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, 3])], initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)])
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, f"{FOLDER}/dense.onnx")
    x = RANDOM.standard_normal((2, 6)).astype(np.float32)
    save_values("dense", x, np.maximum(x @ w1 + b1, 0) @ w2 + b2)


torch.manual_seed(1)
from_torch("sequence", torch.nn.Sequential(
    torch.nn.Conv2d(1, 2, 3), torch.nn.ReLU(), torch.nn.MaxPool2d(2), torch.nn.Flatten(),
    torch.nn.Dropout(), torch.nn.Linear(18, 5), torch.nn.ReLU(), torch.nn.Linear(5, 3)), [1, 8, 8],
           dynamic_axes={"x": {0: "batch"}, "y": {0: "batch"}})
from_torch("viewed", Viewed(), [2, 8, 7], opset_version=9)
dense_layers()
