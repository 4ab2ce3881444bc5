# SPDX-License-Identifier: Apache-2.0
"""Layers with a state and Fourier transforms against NumPy and ONNX's reference evaluator."""

import numpy as np
import pytest
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator
from raw_plugin import OpError


def by_onnx(op, names, values, outputs, **attributes):
    node = helper.make_node(op, [n if v is not None else "" for n, v in zip(names, values)], outputs, **attributes)
    infos = [
        helper.make_tensor_value_info(n, TensorProto.FLOAT, v.shape) for n, v in zip(names, values) if v is not None
    ]
    results = [helper.make_tensor_value_info(o, TensorProto.FLOAT, None) for o in outputs]
    graph = helper.make_graph([node], "g", infos, results)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 27)])
    return ReferenceEvaluator(model).run(None, {n: v for n, v in zip(names, values) if v is not None})


def packed(x):
    return x.transpose(0, 2, 1, 3).reshape(x.shape[0], x.shape[2], -1)


@pytest.mark.parametrize("rule", ["linear", "gated", "delta", "gated_delta"])
@pytest.mark.parametrize("past", [False, True])
@pytest.mark.parametrize("whole", [False, True])
def test_linear_attention_agrees_with_onnx(ref, rng, rule, past, whole):
    b, hq, hkv, t, k, v = 2, 4, 2, 5, 6, 3
    draw = lambda *shape: rng.uniform(-0.6, 0.6, shape).astype(np.float32)  # noqa: E731
    q, key, value = draw(b, hq, t, k), draw(b, hkv, t, k), draw(b, hkv, t, v)
    state = draw(b, hkv, k, v) if past else None
    decay = -np.abs(draw(b, hkv, t, k if whole else 1)) if "gated" in rule else None
    beta = np.abs(draw(b, hkv if whole else 1, t, 1)) if "delta" in rule else None
    unpacked = [q, key, value, state, decay, beta]
    values = [v if v is None or i == 3 else packed(v) for i, v in enumerate(unpacked)]
    names = ["query", "key", "value", "past_state", "decay", "beta"]
    want, present = by_onnx(
        "LinearAttention", names, values, ["output", "present"], q_num_heads=hq, kv_num_heads=hkv, update_rule=rule
    )
    y, got = ref.run("linear_attention", unpacked, [("f32", (b, hq, t, v)), ("f32", (b, hkv, k, v))])
    np.testing.assert_allclose(packed(y), want, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(got, present, rtol=1e-4, atol=1e-5)


def test_linear_attention_by_steps_is_linear_attention_at_once(ref, rng):
    q, k, v = (rng.standard_normal((1, 2, 6, 4)) for _ in range(3))
    whole, last = ref.run("linear_attention", [q, k, v], [("f64", q.shape), ("f64", (1, 2, 4, 4))], scale=1)
    state = np.zeros((1, 2, 4, 4))
    for t in range(6):
        cut = [x[:, :, t : t + 1] for x in (q, k, v)]
        y, _ = ref.run("linear_attention", cut + [state], [("f64", (1, 2, 1, 4)), state], alias=[0, 4], scale=1)
        np.testing.assert_allclose(y[:, :, 0], whole[:, :, t], rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(state, last, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("groups, skip, past", [(1, True, True), (2, False, False), (4, True, False)])
def test_selective_scan_agrees_with_its_definition(ref, rng, groups, skip, past):
    batch, steps, channels, n = 2, 5, 8, 3
    x, delta = rng.standard_normal((batch, steps, channels)), rng.random((batch, steps, channels))
    a = -rng.random((channels, n))
    b, c = (rng.standard_normal((batch, steps, groups, n)) for _ in range(2))
    d = rng.standard_normal(channels) if skip else None
    h = rng.standard_normal((batch, channels, n)) if past else None
    y, present = ref.run("selective_scan", [x, delta, a, b, c, d, h], [("f64", x.shape), ("f64", (batch, channels, n))])
    state = h.copy() if past else np.zeros((batch, channels, n))
    for t in range(steps):
        rows = [np.repeat(v[:, t], channels // groups, axis=1) for v in (b, c)]
        state = np.exp(delta[:, t, :, None] * a) * state + (delta[:, t] * x[:, t])[..., None] * rows[0]
        want = (state * rows[1]).sum(axis=2) + (d * x[:, t] if skip else 0)
        np.testing.assert_allclose(y[:, t], want, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(present, state, rtol=1e-12, atol=1e-13)


def pairs(z):
    return np.stack([z.real, z.imag], axis=-1)


@pytest.mark.parametrize("length", [1, 2, 3, 7, 16, 17, 30, 37, 64, 121])
@pytest.mark.parametrize("given", [16, 30])
def test_dft_agrees_with_numpy(ref, rng, length, given):
    x = rng.standard_normal((2, given, 3)) + 1j * rng.standard_normal((2, given, 3))
    close = dict(rtol=1e-10, atol=1e-11)
    y = ref.run("dft", [pairs(x)], [("f64", (2, length, 3, 2))], axis=1, length=length)
    np.testing.assert_allclose(y, pairs(np.fft.fft(x, length, axis=1)), **close)
    y = ref.run("dft", [pairs(x)], [("f64", (2, length, 3, 2))], axis=1, length=length, inverse=1)
    np.testing.assert_allclose(y, pairs(np.fft.ifft(x, length, axis=1)), **close)
    real, half = x.real[..., None], length // 2 + 1
    y = ref.run("dft", [real], [("f64", (2, half, 3, 2))], axis=1, length=length, onesided=1)
    np.testing.assert_allclose(y, pairs(np.fft.rfft(x.real, length, axis=1)), **close)
    y = ref.run("dft", [pairs(x)], [("f64", (2, length, 3, 1))], axis=1, length=length, onesided=1, inverse=1)
    np.testing.assert_allclose(y[..., 0], np.fft.irfft(x, length, axis=1), **close)


def test_dft_reads_reversed_views_and_any_axis(ref, rng):
    x = rng.standard_normal((4, 5, 6, 2))[::-1, :, ::2]
    y = ref.run("dft", [x], [("f64", (4, 5, 3, 2))], axis=0, length=4)
    np.testing.assert_allclose(y, pairs(np.fft.fft(x[..., 0] + 1j * x[..., 1], axis=0)), rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize(
    "shape, args, sentence",
    [
        ((4, 2), dict(axis=1, length=2), r"axis 1 is the pair \(real, imaginary\), it must be in \[0, 0\]"),
        ((4, 3), dict(axis=0, length=4), "dim 1 of x is 3, must be 1 or 2"),
        ((4, 2), dict(axis=0, length=4, onesided=1), "dim 1 of x is 2, must be 1, as a onesided transform"),
        ((4, 2), dict(axis=0, length=0), "length is 0, must be in"),
    ],
)
def test_dft_refuses_what_makes_no_sense(ref, shape, args, sentence):
    with pytest.raises(OpError, match=sentence):
        ref.run("dft", [np.zeros(shape)], [("f64", (4, 2))], **args)
