# SPDX-License-Identifier: Apache-2.0
"""Sinusoidal positions are a composition of operators that are there: no kernel of their own is needed."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper


def test_sinusoidal_positions_are_composed(answer, folder):
    """Vaswani et al. 2017, section 3.5: sin and cos of position / 10000^(2 i / d), side by side."""
    width, n = 12, 9
    rate = (1 / 10000 ** (np.arange(0, width, 2) / width)).astype(np.float32)
    node = helper.make_node
    nodes = [
        node("Mul", ["position", "rate"], ["angle"]),
        node("Sin", ["angle"], ["sine"]),
        node("Cos", ["angle"], ["cosine"]),
        node("Unsqueeze", ["sine", "last"], ["s"]),
        node("Unsqueeze", ["cosine", "last"], ["c"]),
        node("Concat", ["s", "c"], ["pairs"], axis=2),
        node("Reshape", ["pairs", "dims"], ["y"]),
    ]
    constants = [
        numpy_helper.from_array(rate, "rate"),
        numpy_helper.from_array(np.array([2]), "last"),
        numpy_helper.from_array(np.array([-1, width]), "dims"),
    ]
    graph = helper.make_graph(
        nodes,
        "positions",
        [helper.make_tensor_value_info("position", TensorProto.FLOAT, ["N", 1])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", width])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    (folder / "positions.onnx").write_bytes(model.SerializeToString())
    place = np.arange(n, dtype=np.float32)[:, None]
    np.save(folder / "place.npy", place)
    answer("run", "positions.onnx", "--device", "cpu", "--input", "position=place.npy", "--output", "y.npz")
    angle = (place * rate).astype(np.float64)
    want = np.stack([np.sin(angle), np.cos(angle)], axis=2).reshape(n, width)
    np.testing.assert_allclose(np.load(folder / "y.npz")["y"], want, atol=1e-6)
