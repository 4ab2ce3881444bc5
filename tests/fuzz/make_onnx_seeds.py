#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the seeds of fuzz_onnx: small models that between them use most parts of the format.

usage: make_onnx_seeds.py OUTPUT_FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64


def value(name: str, dims: list, kind: int = FLOAT) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, dims)


def constant(name: str, array: object) -> onnx.TensorProto:
    return numpy_helper.from_array(np.asarray(array), name)


def model(nodes: list, inputs: list, outputs: list, constants: list = [], opset: int = 17, **more: object) -> bytes:
    graph = helper.make_graph(nodes, "g", inputs, outputs, constants)
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid("f", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8, **more).SerializeToString()


def convolution() -> bytes:
    weight = constant("w", np.ones((2, 1, 3, 3), np.float32))
    nodes = [helper.make_node("Conv", ["x", "w"], ["c"], pads=[1, 1, 1, 1], strides=[2, 2]),
             helper.make_node("MaxPool", ["c"], ["m"], kernel_shape=[2, 2], auto_pad="SAME_UPPER"),
             helper.make_node("Flatten", ["m"], ["y"])]
    return model(nodes, [value("x", ["N", 1, 8, 8])], [value("y", None)], [weight])


def branches() -> bytes:
    then = helper.make_graph([helper.make_node("Neg", ["x"], ["r"])], "t", [], [value("r", None)])
    other = helper.make_graph([helper.make_node("Abs", ["x"], ["r"])], "e", [], [value("r", None)])
    node = helper.make_node("If", ["c"], ["y"], then_branch=then, else_branch=other)
    return model([node], [value("x", [2])], [value("y", None)], [constant("c", True)])


def loop() -> bytes:
    body = helper.make_graph(
        [helper.make_node("Add", ["a", "a"], ["b"]), helper.make_node("Identity", ["go"], ["on"])], "b",
        [value("i", [], INT64), value("go", [], TensorProto.BOOL), value("a", [2])],
        [value("on", [], TensorProto.BOOL), value("b", [2])])
    node = helper.make_node("Loop", ["n", "", "x"], ["y"], body=body)
    return model([node], [value("x", [2])], [value("y", None)], [constant("n", np.int64(3))])


def function() -> bytes:
    inner = helper.make_node("LeakyRelu", ["a"], ["b"])
    inner.attribute.append(onnx.AttributeProto(name="alpha", type=onnx.AttributeProto.FLOAT, ref_attr_name="k"))
    f = helper.make_function("f", "Leak", ["a"], ["b"], [inner], [helper.make_opsetid("", 17)], ["k"])
    return model([helper.make_node("Leak", ["x"], ["y"], domain="f", k=0.5)], [value("x", [2])], [value("y", None)],
                 functions=[f])


def attention() -> bytes:
    node = helper.make_node("Attention", ["q", "k", "k", "", "p", "p2"], ["y", "o", "o2"], q_num_heads=2,
                            kv_num_heads=1, is_causal=1)
    past = ["B", 1, "P", 4]
    data = model([node], [value("q", ["B", "S", 8]), value("k", ["B", "S", 4]), value("p", past), value("p2", past)],
                 [value("y", None), value("o", None), value("o2", None)], opset=23)
    m = onnx.load_from_string(data)
    helper.set_model_props(m, {"opmux.state": "p:o,p2:o2", "opmux.state.capacity": "8"})
    return m.SerializeToString()


def slices() -> bytes:
    at = [constant("s", np.array([-3, 1])), constant("e", np.array([9, 4])), constant("a", np.array([0, -1])),
          constant("t", np.array([2, 1])), constant("i", np.array([[0, -1]])), constant("p", np.array([0, 1, 1, 0]))]
    nodes = [helper.make_node("Slice", ["x", "s", "e", "a", "t"], ["b"]), helper.make_node("Pad", ["b", "p"], ["c"]),
             helper.make_node("Gather", ["c", "i"], ["d"], axis=1),
             helper.make_node("Split", ["d"], ["y", "z"], axis=1),
             helper.make_node("Einsum", ["y", "z"], ["u"], equation="abc,abc->ab")]
    return model(nodes, [value("x", [5, 6])], [value("u", None)], at)


def typed_fields() -> bytes:
    tensors = [helper.make_tensor(f"t{k}", k, [2], [1, 0]) for k in (1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 16, 22)]
    nodes = [helper.make_node("Cast", [t.name], [f"c{t.name}"], to=FLOAT) for t in tensors]
    nodes.append(helper.make_node("Sum", [f"c{t.name}" for t in tensors], ["y"]))
    return model(nodes, [], [value("y", None)], tensors, opset=21)


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for make in (convolution, branches, loop, function, attention, slices, typed_fields):
        (folder / f"{make.__name__}.onnx").write_bytes(make())


if __name__ == "__main__":
    main()
