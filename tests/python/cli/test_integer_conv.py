# SPDX-License-Identifier: Apache-2.0
"""ConvInteger and QLinearConv: sums are exact at any length, with and without zero points, padding and groups."""

import numpy as np
import pytest
from conftest import save
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

TYPES = {np.dtype(np.uint8): TensorProto.UINT8, np.dtype(np.int8): TensorProto.INT8}
# channels, outputs, kernel, groups: below and above the length up to which f32 is exact
SIZES = [(8, 4, 3, 1), (8, 6, 3, 2), (40, 4, 3, 1), (80, 6, 3, 2), (33, 3, 5, 1)]
ATTRIBUTES = [dict(), dict(pads=[1, 0, 2, 1]), dict(pads=[1, 1, 1, 1], strides=[2, 1]), dict(auto_pad="SAME_UPPER")]


def exact(x, zx, w, zw, attributes):
    """The sum of products in f64, where it is exact."""
    info = [helper.make_tensor_value_info(n, TensorProto.DOUBLE, None) for n in "xwy"]
    graph = helper.make_graph([helper.make_node("Conv", ["x", "w"], ["y"], **attributes)], "g", info[:2], info[2:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)])
    feed = {"x": x.astype(np.float64) - float(zx), "w": w.astype(np.float64) - zw.reshape(-1, 1, 1, 1)}
    return ReferenceEvaluator(model).run(None, feed)[0].astype(np.int64)


def draw(rng, dtype, shape):
    limits = np.iinfo(dtype)
    return rng.integers(limits.min, limits.max + 1, shape).astype(dtype)


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("attributes", ATTRIBUTES, ids=str)
@pytest.mark.parametrize("types", [(np.uint8, np.int8), (np.uint8, np.uint8), (np.int8, np.int8)], ids=str)
@pytest.mark.parametrize("zeros", ["none", "x", "both", "per channel"])
def test_integer_sums_are_exact(answer, folder, size, attributes, types, zeros):
    channels, outputs, kernel, groups = size
    attributes = {**attributes, "group": groups, "kernel_shape": [kernel, kernel]}
    rng = np.random.default_rng(3)
    x = draw(rng, types[0], (2, channels, 7, 6))
    w = draw(rng, types[1], (outputs, channels // groups, kernel, kernel))
    zx = draw(rng, types[0], ()) if zeros != "none" else np.zeros((), types[0])
    zw = {"both": draw(rng, types[1], (1,)), "per channel": draw(rng, types[1], (outputs,))}.get(
        zeros, np.zeros(1, types[1]))
    constants, names = [numpy_helper.from_array(w, "w")], ["x", "w"]
    if zeros != "none":
        constants.append(numpy_helper.from_array(zx, "zx"))
        names.append("zx")
    if zeros in ("both", "per channel"):
        constants.append(numpy_helper.from_array(zw if zeros == "per channel" else zw.reshape(()), "zw"))
        names.append("zw")
    inputs = [helper.make_tensor_value_info("x", TYPES[x.dtype], x.shape)]
    save(folder, "conv", [helper.make_node("ConvInteger", names, ["y"], **attributes)], inputs,
         [helper.make_tensor_value_info("y", TensorProto.INT32, None)], constants)
    np.save(folder / "x.npy", x)
    answer("run", "conv.onnx", "--input", "x=x.npy", "--output", "out.npz")
    np.testing.assert_array_equal(np.load(folder / "out.npz")["y"], exact(x, zx, w, zw.astype(np.float64), attributes))


@pytest.mark.parametrize("channels", [8, 64])
def test_a_quantised_convolution_rounds_the_exact_sum_once(answer, folder, channels):
    rng = np.random.default_rng(5)
    x, w = draw(rng, np.uint8, (1, channels, 9, 9)), draw(rng, np.int8, (5, channels, 3, 3))
    bias = rng.integers(-(2**20), 2**20, 5).astype(np.int32)
    given = dict(sx=np.float32(0.02), zx=np.uint8(117), w=w, sw=rng.uniform(0.001, 0.01, 5).astype(np.float32),
                 zw=np.zeros(5, np.int8), sy=np.float32(0.5), zy=np.uint8(128), b=bias)
    names = ["x", "sx", "zx", "w", "sw", "zw", "sy", "zy", "b"]
    save(folder, "qconv", [helper.make_node("QLinearConv", names, ["y"], pads=[1, 1, 1, 1])],
         [helper.make_tensor_value_info("x", TensorProto.UINT8, x.shape)],
         [helper.make_tensor_value_info("y", TensorProto.UINT8, None)],
         [numpy_helper.from_array(np.asarray(v), n) for n, v in given.items()])
    np.save(folder / "x.npy", x)
    answer("run", "qconv.onnx", "--input", "x=x.npy", "--output", "out.npz")
    sums = exact(x, given["zx"], w, np.zeros(5), dict(pads=[1, 1, 1, 1])) + bias.reshape(1, -1, 1, 1)
    real = sums * (np.float64(given["sx"]) * given["sw"].astype(np.float64).reshape(1, -1, 1, 1)) / 0.5
    got = np.load(folder / "out.npz")["y"].astype(np.float64)
    want = np.clip(np.rint(real) + 128, 0, 255)
    # The scales are multiplied in f32, so only what lies next to a tie may fall to the other side.
    tie = np.abs(real - np.floor(real) - 0.5) < 1e-3
    assert (got == want)[~tie].all() and (np.abs(got - want) <= 1).all() and 0 < (got < 255).mean() < 1
