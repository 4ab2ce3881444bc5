# SPDX-License-Identifier: Apache-2.0
"""softmax, norms and attention against NumPy."""

import numpy as np
import pytest
from raw_plugin import C, OpError, epilogue

INF = float("inf")


def softmax(x, axis=-1):
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


@pytest.mark.parametrize(
    "shape, axis", [((1,), 0), ((5, 7), 1), ((5, 7), 0), ((2, 3, 4, 5), 2), ((0, 5), 1), ((5, 0), 1)]
)
def test_softmax_agrees_with_numpy(ref, rng, shape, axis):
    x = rng.standard_normal(shape) * 10
    want = softmax(x, axis) if x.size else x
    args = dict(axis=axis)
    np.testing.assert_allclose(
        ref.run("softmax", [x], [("f64", shape)], kind=C["SOFTMAX_PLAIN"], **args), want, rtol=1e-13
    )
    np.testing.assert_allclose(
        ref.run("softmax", [x], [("f64", shape)], kind=C["SOFTMAX_LOG"], **args),
        np.log(want),
        rtol=1e-12,
        atol=1e-12,
    )


def test_softmax_of_extremes(ref):
    x = np.array([[1e4, 0, -1e4], [-INF, 0, -INF], [-INF, -INF, -INF], [INF, 0, 0]], np.float32)
    y = ref.run("softmax", [x], [("f32", (4, 3))], kind=1, axis=1)
    np.testing.assert_array_equal(y[:2], [[1, 0, 0], [0, 1, 0]])
    assert np.isnan(y[2]).all() and np.isnan(y[3, 0])
    log = ref.run("softmax", [x], [("f32", (4, 3))], kind=2, axis=1)
    np.testing.assert_array_equal(log[0], [0, -1e4, -2e4])


def test_softmax_epilogue_casts_to_f16(ref, rng):
    x = rng.standard_normal((3, 4)).astype(np.float32)
    y = ref.run("softmax", [x], [("f16", (3, 4))], [epilogue(1, [("CAST", "f16", 0)], [1])], kind=1, axis=1)
    np.testing.assert_array_equal(y, softmax(x.astype(np.float64)).astype(np.float32).astype(np.float16))


@pytest.mark.parametrize("kind", ["LAYER", "RMS"])
@pytest.mark.parametrize(
    "shape, axis, scaled", [((1,), 0, 0), ((5, 7), 1, 2), ((2, 3, 9), 2, 1), ((2, 3, 5), 1, 2)]
)
def test_layer_norm_agrees_with_numpy(ref, rng, kind, shape, axis, scaled):
    x = rng.standard_normal(shape) * 3 + 1
    axes = tuple(range(axis, len(shape)))
    scale, bias = (rng.standard_normal(shape[axis:]) for _ in range(2))
    mean = x.mean(axis=axes, keepdims=True) if kind == "LAYER" else 0
    inverse = 1 / np.sqrt(
        ((x - mean) ** 2).mean(axis=axes, keepdims=True) + np.float32(1e-5).astype(np.float64)
    )
    want = (x - mean) * inverse
    want = want * scale if scaled > 0 else want
    want = want + bias if scaled > 1 else want
    stat = shape[:axis] + (1,) * len(axes)
    outputs = [("f64", shape), ("f32", stat) if kind == "LAYER" else None, ("f32", stat)]
    y, got_mean, got_inverse = ref.run(
        "layer_norm",
        [x, scale if scaled > 0 else None, bias if scaled > 1 else None],
        outputs,
        kind=C["NORM_" + kind],
        axis=axis,
        epsilon=1e-5,
    )
    np.testing.assert_allclose(y, want, rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(got_inverse, inverse, rtol=1e-6)
    if kind == "LAYER":
        np.testing.assert_allclose(got_mean, mean, rtol=1e-6, atol=1e-7)


def test_layer_norm_of_a_large_mean_keeps_its_variance(ref):
    x = (np.arange(8, dtype=np.float32) + np.float32(1e6)).reshape(1, 8)
    y = ref.run("layer_norm", [x], [("f32", (1, 8))], kind=1, axis=1, epsilon=0)
    np.testing.assert_allclose(y[0], (np.arange(8) - 3.5) / np.sqrt(5.25), rtol=1e-7)


@pytest.mark.parametrize(
    "shape, groups", [((2, 6, 5), 3), ((1, 4, 3, 2), 4), ((2, 4, 3, 3), 1), ((3, 4), 2), ((0, 4, 2), 2)]
)
def test_group_norm_agrees_with_numpy(ref, rng, shape, groups):
    x, scale, bias = rng.standard_normal(shape), rng.standard_normal(shape[1]), rng.standard_normal(shape[1])
    flat = x.reshape(
        shape[0], groups, x[0].size // groups if x.size else 1 * 0 or (int(np.prod(shape[1:])) // groups)
    )
    mean, var = flat.mean(axis=2, keepdims=True), flat.var(axis=2, keepdims=True)
    per_channel = (slice(None),) + (None,) * (len(shape) - 2)
    want = ((flat - mean) / np.sqrt(var + np.float64(np.float32(1e-3)))).reshape(shape) * scale[
        per_channel
    ] + bias[per_channel]
    got = ref.run("group_norm", [x, scale, bias], [("f64", shape)], groups=groups, epsilon=1e-3)
    np.testing.assert_allclose(got, want, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 9])
def test_lrn_agrees_with_its_definition(ref, rng, size):
    x = rng.standard_normal((2, 5, 3))
    want = np.empty_like(x)
    for ch in range(5):
        window = x[:, max(0, ch - (size - 1) // 2) : min(4, ch + -(-(size - 1) // 2)) + 1]
        want[:, ch] = x[:, ch] / (2 + 0.5 / size * (window**2).sum(axis=1)) ** 0.75
    got = ref.run("lrn", [x], [("f64", x.shape)], size=size, alpha=0.5, beta=0.75, bias=2)
    np.testing.assert_allclose(got, want, rtol=1e-13)


def attention(q, k, v, scale=None, causal=False, window=-1, cap=0, past=0, bias=None):
    repeat = q.shape[1] // k.shape[1]
    k, v = np.repeat(k, repeat, axis=1), np.repeat(v, repeat, axis=1)
    s = q @ k.swapaxes(2, 3) * (1 / np.sqrt(q.shape[3]) if scale is None else scale)
    s = cap * np.tanh(s / cap) if cap else s
    s = s + bias if bias is not None else s
    i, j = np.arange(q.shape[2])[:, None] + past, np.arange(k.shape[2])[None, :]
    hidden = ((j > i) if causal else (j < 0)) | ((j < i - window) if window >= 0 else (j < 0))
    s = np.where(hidden, -INF, s)
    top = s.max(axis=3, keepdims=True)
    p = np.exp(s - np.where(np.isfinite(top), top, 0))
    total = p.sum(axis=3, keepdims=True)
    return np.where(total > 0, p / np.where(total > 0, total, 1), 0) @ v


SHAPES = [((1, 2, 5, 8), (1, 2, 5, 8), 8), ((2, 4, 7, 6), (2, 2, 9, 6), 3), ((1, 4, 3, 8), (1, 1, 3, 8), 8)]


@pytest.mark.parametrize("q, k, dv", SHAPES)
@pytest.mark.parametrize(
    "args",
    [
        {},
        {"causal": 1},
        {"causal": 1, "window": 2},
        {"window": 1},
        {"scale": 0.5},
        {"soft_cap": 1.5, "causal": 1},
    ],
)
def test_attention_agrees_with_numpy(ref, rng, q, k, dv, args):
    q, k, v = rng.standard_normal(q), rng.standard_normal(k), rng.standard_normal(k[:3] + (dv,))
    want = attention(
        q, k, v, args.get("scale"), args.get("causal", 0), args.get("window", -1), args.get("soft_cap", 0)
    )
    got = ref.run("attention", [q, k, v], [("f64", want.shape)], **{"window": -1, **args})
    np.testing.assert_allclose(got, want, rtol=1e-11, atol=1e-12)


def test_attention_masks_by_bool_and_by_addition(ref, rng):
    q, k, v = (rng.standard_normal((2, 2, 3, 4)) for _ in range(3))
    seen = rng.random((2, 1, 3, 3)) < 0.6
    want = attention(q, k, v, bias=np.where(seen, 0, -INF))
    np.testing.assert_allclose(
        ref.run("attention", [q, k, v, seen], [("f64", q.shape)], window=-1), want, rtol=1e-12, atol=1e-12
    )
    bias = rng.standard_normal((3, 3))
    got = ref.run("attention", [q, k, v, bias], [("f64", q.shape)], window=-1)
    np.testing.assert_allclose(got, attention(q, k, v, bias=bias), rtol=1e-12, atol=1e-12)


def test_a_query_that_sees_nothing_gives_zero(ref, rng):
    q, k, v = (rng.standard_normal((1, 1, 2, 4)).astype(np.float32) for _ in range(3))
    v[0, 0, 1] = np.nan  # never seen, so never felt
    seen = np.array([[False, False], [True, False]])
    y = ref.run("attention", [q, k, v, seen], [("f32", q.shape)], window=-1)
    assert (y[0, 0, 0] == 0).all()
    np.testing.assert_array_equal(y[0, 0, 1], v[0, 0, 0])


@pytest.mark.parametrize("past, new", [(0, 3), (4, 1), (5, 3)])
def test_attention_appends_to_its_state_in_place(ref, rng, past, new):
    """Decoding by steps gives what one pass over everything gives."""
    total, capacity = past + new, 8
    k, v = rng.standard_normal((2, 2, total, 4)), rng.standard_normal((2, 2, total, 3))
    q = rng.standard_normal((2, 4, new, 4))
    state_k, state_v = np.full((2, 2, capacity, 4), np.nan), np.full((2, 2, capacity, 3), np.nan)
    state_k[:, :, :past], state_v[:, :, :past] = k[:, :, :past], v[:, :, :past]
    inputs = [q, k[:, :, past:], v[:, :, past:], None, state_k, state_v, np.array(past, np.int64)]
    y, _, _ = ref.run(
        "attention", inputs, [("f64", (2, 4, new, 3)), state_k, state_v], alias=[0, 5, 6], causal=1, window=-1
    )
    np.testing.assert_allclose(y, attention(q, k, v, causal=True, past=past), rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(state_k[:, :, :total], k)
    np.testing.assert_array_equal(state_v[:, :, :total], v)
    assert np.isnan(state_k[:, :, total:]).all()


@pytest.mark.parametrize("past", [6, 9, -1])
def test_attention_refuses_a_state_that_overflows(ref, past):
    q, state = np.zeros((1, 1, 3, 4)), np.zeros((1, 1, 8, 4))
    with pytest.raises(OpError, match=f"past_len {past} with 3 new keys is outside the state of 8 rows") as e:
        ref.run(
            "attention",
            [q, q, q, None, state, state.copy(), np.array(past, np.int64)],
            [("f64", q.shape)],
            window=-1,
        )
    assert e.value.status == C["E_FAULT"]
