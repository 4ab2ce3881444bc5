# SPDX-License-Identifier: Apache-2.0
"""Operators of com.microsoft against onnxruntime."""

import numpy as np
import onnxruntime
import pytest
from onnx import helper

CONTRIB = "com.microsoft"


def caches(places, pairs):
    angle = np.arange(places)[:, None] / 10000 ** (np.arange(pairs) / pairs)
    return np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)


@pytest.fixture
def agrees(answer, folder):
    """Runs one node on the CPU and by onnxruntime with the same inputs; n: outputs of the node, of which
    the first `compared` must agree."""

    def run(op, inputs, n=1, compared=None, domain=CONTRIB, constants=(), tolerance=2e-6, **attributes):
        kinds = {name: helper.np_dtype_to_tensor_dtype(v.dtype) for name, v in inputs.items() if v is not None}
        names = [name if v is not None else "" for name, v in inputs.items()]
        outputs = [f"out{i}" for i in range(n)]
        given = {name: v for name, v in inputs.items() if v is not None and name not in constants}
        graph = helper.make_graph(
            [helper.make_node(op, names, outputs, domain=domain, **attributes)],
            op,
            [helper.make_tensor_value_info(k, kinds[k], v.shape) for k, v in given.items()],
            [helper.make_tensor_value_info(o, kinds[names[0]], None) for o in outputs],
            [helper.make_tensor(k, kinds[k], inputs[k].shape, inputs[k].ravel()) for k in constants],
        )
        versions = [helper.make_opsetid("", 17), helper.make_opsetid(CONTRIB, 1)]
        model = helper.make_model(graph, opset_imports=versions, ir_version=8).SerializeToString()
        (folder / "node.onnx").write_bytes(model)
        want = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"]).run(None, given)
        words = []
        for name, value in given.items():
            np.save(folder / f"{name}.npy", value)
            words += ["--input", f"{name}={name}.npy"]
        answer("run", "node.onnx", "--device", "cpu", *words, "--output", "got.npz")
        got = np.load(folder / "got.npz")
        for name, value in list(zip(outputs, want))[:compared]:
            assert got[name].shape == value.shape
            np.testing.assert_allclose(got[name], value, rtol=tolerance, atol=tolerance)

    return run


@pytest.mark.parametrize("bias", [False, True])
def test_layer_norm_adds_its_residual(agrees, bias):
    rng = np.random.default_rng(1)
    x, skip = (rng.standard_normal((2, 5, 16)).astype(np.float32) for _ in range(2))
    gamma, beta, b = (rng.standard_normal(16).astype(np.float32) for _ in range(3))
    inputs = dict(x=x, skip=skip, gamma=gamma, beta=beta)
    agrees("SkipLayerNormalization", {**inputs, "b": b} if bias else inputs, epsilon=1e-5)


@pytest.mark.parametrize("bias", [False, True])
def test_rms_norm_adds_its_residual(agrees, bias):
    rng = np.random.default_rng(2)
    x, skip = (rng.standard_normal((2, 5, 16)).astype(np.float32) for _ in range(2))
    gamma, b = (rng.standard_normal(16).astype(np.float32) for _ in range(2))
    inputs = dict(x=x, skip=skip, gamma=gamma)
    agrees("SkipSimplifiedLayerNormalization", {**inputs, "b": b} if bias else inputs, epsilon=1e-5)


def test_simplified_layer_norm_is_the_rms_norm(agrees):
    rng = np.random.default_rng(3)
    x, gamma = rng.standard_normal((2, 5, 16)).astype(np.float32), rng.standard_normal(16).astype(np.float32)
    agrees("SimplifiedLayerNormalization", dict(x=x, gamma=gamma), domain="", axis=-1, epsilon=1e-5)


@pytest.mark.parametrize("interleaved", [0, 1])
@pytest.mark.parametrize("positions", [np.array([3]), np.array([[0, 5, 2, 7], [1, 1, 6, 0]])])
def test_rotary_embedding_takes_positions_or_the_first_one(agrees, interleaved, positions):
    rng = np.random.default_rng(4)
    cosine, sine = caches(10, 4)
    x = rng.standard_normal((2, 4, 24)).astype(np.float32)
    inputs = dict(x=x, positions=positions.astype(np.int64), cosine=cosine, sine=sine)
    agrees("RotaryEmbedding", inputs, interleaved=interleaved)


def attention_inputs(past, tokens, totals, packed=False, rotary=False):
    rng = np.random.default_rng(5)
    heads, kv_heads, width, batch = 4, 2, 16, len(totals)

    def values(*shape):
        return rng.standard_normal(shape).astype(np.float32)

    inputs = dict(
        q=values(batch, tokens, heads * width),
        k=values(batch, tokens, kv_heads * width),
        v=values(batch, tokens, kv_heads * width),
        old_k=values(batch, kv_heads, past, width),
        old_v=values(batch, kv_heads, past, width),
        lengths=np.array(totals, np.int32) - 1,
        total=np.array(max(totals), np.int32),
    )
    if packed:
        inputs["q"] = np.concatenate([inputs["q"], inputs["k"], inputs["v"]], axis=2)
        inputs["k"] = inputs["v"] = None
    if rotary:
        inputs["cosine"], inputs["sine"] = caches(64, width // 2)
    return inputs


@pytest.mark.parametrize("packed, rotary", [(False, False), (True, True)])
@pytest.mark.parametrize("past, tokens, totals", [(7, 1, [8, 8]), (12, 1, [9, 5]), (0, 6, [6, 6]), (4, 3, [7])])
@pytest.mark.parametrize("window, cap", [(-1, 0.0), (3, 2.0)])
def test_grouped_attention_has_a_length_for_each_batch(agrees, packed, rotary, past, tokens, totals, window, cap):
    """onnxruntime looks at the past only if the present is wanted; its rows behind the lengths are anything."""
    inputs = attention_inputs(past, tokens, totals, packed, rotary)
    agrees(
        "GroupQueryAttention",
        inputs,
        n=3,
        compared=1,
        constants=("total",),
        tolerance=1e-5,
        num_heads=4,
        kv_num_heads=2,
        local_window_size=window,
        softcap=cap,
        do_rotary=int(rotary),
    )


def test_grouped_attention_gives_its_cache(agrees):
    agrees(
        "GroupQueryAttention",
        attention_inputs(5, 1, [6, 6], rotary=True),
        n=3,
        constants=("total",),
        tolerance=1e-5,
        num_heads=4,
        kv_num_heads=2,
        do_rotary=1,
    )
