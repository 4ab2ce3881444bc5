# SPDX-License-Identifier: Apache-2.0
"""matmul, conv and conv_transpose against NumPy in double."""

import itertools

import numpy as np
import pytest
from raw_plugin import DTYPE, Typed, epilogue

F32 = DTYPE["f32"]


def close(got, want, eps):
    np.testing.assert_allclose(
        got.astype(np.float64), want, rtol=eps, atol=eps * max(1.0, np.abs(want).max(initial=0))
    )


@pytest.mark.parametrize("name, eps", [("f64", 1e-15), ("f32", 1e-7), ("f16", 1e-3)])
@pytest.mark.parametrize(
    "a, b",
    [
        ((1, 1), (1, 1)),
        ((3, 5), (5, 7)),
        ((2, 3, 4, 5), (3, 5, 6)),
        ((4, 1, 2, 3), (5, 3, 2)),
        ((0, 4), (4, 5)),
        ((2, 0), (0, 3)),
    ],
)
def test_matmul_agrees_with_numpy(ref, rng, name, eps, a, b):
    np_type = {"f64": np.float64, "f32": np.float32, "f16": np.float16}[name]
    x, y = rng.standard_normal(a).astype(np_type), rng.standard_normal(b).astype(np_type)
    want = x.astype(np.float64) @ y.astype(np.float64)
    close(
        ref.run("matmul", [x, y], [(name, want.shape)], acc_dtype=DTYPE["f64"] if name == "f64" else F32),
        want,
        eps,
    )


def test_matmul_reads_transposed_reversed_and_broadcast_views(ref, rng):
    a, b = rng.standard_normal((5, 3)).T, rng.standard_normal((5, 4))[::-1]
    got = ref.run("matmul", [a, b], [("f64", (3, 4))], acc_dtype=DTYPE["f64"])
    np.testing.assert_allclose(got, a @ b, rtol=1e-14)
    row = np.broadcast_to(rng.standard_normal((1, 3)), (4, 3))
    got = ref.run("matmul", [row, np.ascontiguousarray(a)], [("f64", (4, 5))], acc_dtype=DTYPE["f64"])
    np.testing.assert_allclose(got, row @ a, rtol=1e-14)


@pytest.mark.parametrize("a, b", itertools.product(["i8", "u8"], repeat=2))
def test_matmul_of_bytes_is_exact(ref, rng, a, b):
    limits = {"i8": (-128, 128, np.int8), "u8": (0, 256, np.uint8)}
    x = rng.integers(*limits[a][:2], (7, 300)).astype(limits[a][2])
    y = rng.integers(*limits[b][:2], (300, 5)).astype(limits[b][2])
    got = ref.run("matmul", [x, y], [("i32", (7, 5))], acc_dtype=DTYPE["i32"])
    np.testing.assert_array_equal(got, x.astype(np.int64) @ y.astype(np.int64))


def test_matmul_rounds_bf16_once(ref):
    # 1 + 2^-8 is the middle of two bf16 numbers and goes to the even one; 2^-20 more and it must go up.
    one, mid, more = 0x3F80, 0x3B80, 0x3580  # 1, 2^-8, 2^-20 as bf16
    a = Typed(np.array([[one, one, one]], np.uint16), "bf16")
    for last, want in ((0, 0x3F80), (more, 0x3F81)):
        b = Typed(np.array([[one], [mid], [last]], np.uint16), "bf16")
        assert ref.run("matmul", [a, b], [("bf16", (1, 1))], acc_dtype=F32)[0, 0] == want


def test_matmul_epilogue_adds_a_bias_and_clips(ref, rng):
    a, b = rng.standard_normal((4, 8)).astype(np.float32), rng.standard_normal((8, 3)).astype(np.float32)
    bias = rng.standard_normal(3).astype(np.float32)
    prog = epilogue(2, [("ADD", "f32", 0, 1), ("RELU", "f32", 2)], [3])
    got = ref.run("matmul", [a, b, bias], [("f32", (4, 3))], [prog], acc_dtype=F32)
    close(got, np.maximum(a.astype(np.float64) @ b + bias, 0), 1e-6)


def test_matmul_epilogue_requantises(ref):
    a, b = np.array([[100, 100]], np.int8), np.array([[100], [27]], np.int8)
    half = {"imm": int(np.float32(0.015625).view(np.uint32))}
    prog = epilogue(
        1,
        [
            ("CAST", "f32", 0),
            ("CONST", "f32", half),
            ("MUL", "f32", 1, 2),
            ("ROUND", "f32", 3),
            ("CAST", "i8", 4, {"flags": 1}),
        ],
        [5],
    )
    assert (
        ref.run("matmul", [a, b], [("i8", (1, 1))], [prog], acc_dtype=DTYPE["i32"])[0, 0] == 127
    )  # 198 saturates


def conv_by_hand(x, w, stride, dilation, pad, group):
    """The definition, one output at a time."""
    n = x.ndim - 2
    x = np.pad(x.astype(np.float64), [(0, 0), (0, 0)] + list(zip(pad[:n], pad[n:])))
    span = [d * (k - 1) + 1 for d, k in zip(dilation, w.shape[2:])]
    out = [(s - r) // t + 1 for s, r, t in zip(x.shape[2:], span, stride)]
    y = np.zeros((x.shape[0], w.shape[0], *out))
    per_in, per_out = x.shape[1] // group, w.shape[0] // group
    for at in np.ndindex(*out):
        window = (slice(None), slice(None)) + tuple(
            slice(o * t, o * t + r, d) for o, t, r, d in zip(at, stride, span, dilation)
        )
        for m in range(w.shape[0]):
            c = m // per_out * per_in
            part = x[window][:, c : c + per_in].reshape(x.shape[0], w[m].size)
            y[(slice(None), m) + at] = part @ w[m].reshape(-1).astype(np.float64)
    return y


CONVS = [
    ((1, 3, 9), (4, 3, 3), [2], [1], [1, 1], 1),
    ((2, 4, 7, 8), (6, 4, 3, 3), [1, 1], [1, 1], [1, 1, 1, 1], 1),
    ((1, 4, 9, 7), (8, 2, 3, 2), [2, 3], [2, 1], [1, 0, 2, 1], 2),
    ((2, 6, 8, 8), (6, 1, 5, 5), [1, 1], [1, 1], [2, 2, 2, 2], 6),
    ((1, 2, 5, 6, 7), (3, 2, 2, 3, 3), [1, 2, 1], [1, 1, 2], [0, 1, 1, 1, 0, 2], 1),
    ((1, 5, 4, 4), (7, 5, 1, 1), [1, 1], [1, 1], [0, 0, 0, 0], 1),
    ((0, 2, 5), (3, 2, 3), [1], [1], [0, 0], 1),
]


@pytest.mark.parametrize("x, w, stride, dilation, pad, group", CONVS)
def test_conv_agrees_with_its_definition(ref, rng, x, w, stride, dilation, pad, group):
    x, w = rng.standard_normal(x).astype(np.float32), rng.standard_normal(w).astype(np.float32)
    want = conv_by_hand(x, w, stride, dilation, pad, group)
    got = ref.run(
        "conv",
        [x, w],
        [("f32", want.shape)],
        group=group,
        acc_dtype=F32,
        stride=stride,
        dilation=dilation,
        pad=pad,
    )
    close(got, want, 2e-7)


def test_conv_reads_and_writes_channels_last(ref, rng):
    x = rng.standard_normal((2, 6, 5, 3)).transpose(0, 3, 1, 2)
    w = rng.standard_normal((4, 3, 3, 3))
    out = np.zeros((2, 4, 3, 4)).transpose(0, 3, 1, 2)
    got = ref.run(
        "conv", [x, w], [out], group=1, acc_dtype=DTYPE["f64"], stride=[1, 1], dilation=[1, 1], pad=[0] * 4
    )
    np.testing.assert_allclose(got, conv_by_hand(x, w, [1, 1], [1, 1], [0] * 4, 1), rtol=1e-13)


def test_conv_of_bytes_is_exact_and_takes_a_bias(ref, rng):
    x = rng.integers(0, 256, (1, 3, 6, 6)).astype(np.uint8)
    w = rng.integers(-128, 128, (5, 3, 3, 3)).astype(np.int8)
    bias = rng.integers(-1000, 1000, (5, 1, 1)).astype(np.int32)
    got = ref.run(
        "conv",
        [x, w, bias],
        [("i32", (1, 5, 6, 6))],
        [epilogue(2, [("ADD", "i32", 0, 1)], [2])],
        group=1,
        acc_dtype=DTYPE["i32"],
        stride=[1, 1],
        dilation=[1, 1],
        pad=[1] * 4,
    )
    np.testing.assert_array_equal(got, conv_by_hand(x, w, [1, 1], [1, 1], [1] * 4, 1) + bias)


def transpose_by_hand(x, w, stride, dilation, pad, group, out):
    """Spreads each input element over the output, then cuts the pads off."""
    n = x.ndim - 2
    full = [o + a + b for o, a, b in zip(out, pad[:n], pad[n:])]
    y = np.zeros((x.shape[0], w.shape[1] * group, *full))
    per_in, per_out = x.shape[1] // group, w.shape[1]
    for ch in range(x.shape[1]):
        m = ch // per_in * per_out
        for at in np.ndindex(*x.shape[2:]):
            for k in np.ndindex(*w.shape[2:]):
                to = tuple(i * s + j * d for i, s, j, d in zip(at, stride, k, dilation))
                y[(slice(None), slice(m, m + per_out)) + to] += (
                    x[(slice(None), ch) + at][:, None] * w[(ch, slice(None)) + k][None]
                )
    return y[(slice(None), slice(None)) + tuple(slice(a, a + o) for a, o in zip(pad, out))]


@pytest.mark.parametrize(
    "x, w, stride, dilation, pad, group, out",
    [
        ((1, 3, 7), (3, 5, 3), [2], [1], [1, 1], 1, [13]),
        ((1, 3, 7), (3, 5, 3), [2], [1], [1, 1], 1, [14]),
        ((2, 4, 3, 4), (4, 3, 3, 3), [2, 2], [1, 1], [1, 1, 1, 1], 2, [5, 8]),
        ((1, 2, 4, 4), (2, 2, 2, 2), [2, 2], [1, 1], [0] * 4, 1, [8, 8]),
        ((1, 2, 3, 3), (2, 1, 3, 2), [1, 3], [2, 1], [0, 1, 1, 0], 1, [6, 7]),
    ],
)
def test_conv_transpose_agrees_with_its_definition(ref, rng, x, w, stride, dilation, pad, group, out):
    x, w = rng.standard_normal(x), rng.standard_normal(w)
    want = transpose_by_hand(x, w, stride, dilation, pad, group, out)
    got = ref.run(
        "conv_transpose",
        [x, w],
        [("f64", want.shape)],
        group=group,
        acc_dtype=DTYPE["f64"],
        stride=stride,
        dilation=dilation,
        pad=pad,
    )
    np.testing.assert_allclose(got, want, rtol=1e-13, atol=1e-13)


def test_conv_transpose_is_the_adjoint_of_conv(ref, rng):
    """<conv(x), y> = <x, conv_transpose(y)>, whatever the pads and steps."""
    args = dict(group=2, acc_dtype=DTYPE["f64"], stride=[2, 1], dilation=[1, 2], pad=[1, 0, 0, 2])
    x, w = rng.standard_normal((2, 4, 7, 9)), rng.standard_normal((6, 2, 3, 3))
    shape = conv_by_hand(x, w, args["stride"], args["dilation"], args["pad"], 2).shape
    y = rng.standard_normal(shape)
    forward = ref.run("conv", [x, w], [("f64", shape)], **args)
    back = ref.run("conv_transpose", [y, w], [("f64", x.shape)], **args)
    np.testing.assert_allclose((forward * y).sum(), (x * back).sum(), rtol=1e-12)
