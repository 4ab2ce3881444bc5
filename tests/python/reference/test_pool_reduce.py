# SPDX-License-Identifier: Apache-2.0
"""pool and reduce against their definitions and NumPy."""

import numpy as np
import pytest
from raw_plugin import C, OpError, Typed

MAX, AVERAGE, LP = C["POOL_MAX"], C["POOL_AVERAGE"], C["POOL_LP"]
NAN, INF = float("nan"), float("inf")


def pool_by_hand(x, kind, kernel, stride, dilation, pad, out, include_pad=False, p=2):
    n = x.ndim - 2
    y = np.zeros(x.shape[:2] + tuple(out))
    for at in np.ndindex(*y.shape):
        values, cells = [], 0
        for k in np.ndindex(*kernel):
            i = [o * s + j * d - b for o, s, j, d, b in zip(at[2:], stride, k, dilation, pad)]
            if all(0 <= v < m for v, m in zip(i, x.shape[2:])):
                values.append(float(x[at[:2] + tuple(i)]))
            cells += all(-b <= v < m + e for v, m, b, e in zip(i, x.shape[2:], pad, pad[n:]))
        if kind == MAX:
            y[at] = max(values)
        elif kind == AVERAGE:
            y[at] = sum(values) / (cells if include_pad else len(values))
        else:
            y[at] = sum(abs(v) ** p for v in values) ** (1 / p)
    return y


POOLS = [
    ((1, 3, 17), [3], [2], [1], [1, 1], 0, [9]),
    ((2, 3, 9, 11), [3, 3], [2, 2], [1, 1], [0, 0, 1, 1], 0, [4, 5]),
    ((1, 2, 7, 7), [3, 2], [2, 3], [2, 1], [1, 0, 1, 1], 0, [3, 3]),
    ((1, 2, 7, 7), [7, 7], [1, 1], [1, 1], [0, 0, 1, 1], 1, [2, 2]),
    ((1, 1, 6, 6), [3, 3], [2, 2], [1, 1], [0, 0, 0, 0], 1, [3, 3]),
    ((1, 1, 5, 5), [2, 2], [3, 3], [1, 1], [1, 1, 1, 1], 1, [2, 2]),
    ((1, 2, 3, 4, 5), [2, 2, 2], [1, 2, 2], [1, 1, 1], [0] * 6, 0, [2, 2, 2]),
]


@pytest.mark.parametrize("x, kernel, stride, dilation, pad, ceil, out", POOLS)
@pytest.mark.parametrize("kind, include_pad", [(MAX, 0), (AVERAGE, 0), (AVERAGE, 1), (LP, 0)])
def test_pool_agrees_with_its_definition(
    ref, rng, x, kernel, stride, dilation, pad, ceil, out, kind, include_pad
):
    x = rng.standard_normal(x)
    want = pool_by_hand(x, kind, kernel, stride, dilation, pad, out, include_pad, 3)
    got = ref.run(
        "pool",
        [x],
        [("f64", want.shape)],
        kind=kind,
        count_include_pad=include_pad,
        p=3 * (kind == LP),
        ceil_mode=ceil,
        kernel=kernel,
        stride=stride,
        dilation=dilation,
        pad=pad,
    )
    np.testing.assert_allclose(got, want, rtol=1e-13)


def test_max_pool_says_where_the_winner_was(ref):
    x = np.array([[[[1, 5, 2], [5, 0, 9]], [[7, 7, 0], [0, 0, 8]]]], np.float32)
    args = dict(kind=MAX, kernel=[2, 2], stride=[1, 1], dilation=[1, 1], pad=[0] * 4)
    y, index = ref.run("pool", [x], [("f32", (1, 2, 1, 2)), ("i64", (1, 2, 1, 2))], **args)
    assert y.ravel().tolist() == [5, 9, 7, 8]
    assert index.ravel().tolist() == [1, 5, 6, 11]  # the first of equals
    _, index = ref.run("pool", [x], [("f32", (1, 2, 1, 2)), ("i64", (1, 2, 1, 2))], column_major=1, **args)
    assert index.ravel().tolist() == [2, 5, 6, 11]


def test_max_pool_keeps_nan_and_integer_types(ref):
    args = dict(kind=MAX, kernel=[2], stride=[1], dilation=[1], pad=[1, 0])
    y, index = ref.run(
        "pool", [np.array([[[NAN, 3, -INF]]], np.float32)], [("f32", (1, 1, 3)), ("i64", (1, 1, 3))], **args
    )
    assert np.isnan(y[0, 0, :2]).all() and y[0, 0, 2] == 3
    assert index.ravel().tolist() == [0, 0, 1]
    assert ref.run(
        "pool", [np.array([[[-7, -128, 5]]], np.int8)], [("i8", (1, 1, 3))], **args
    ).ravel().tolist() == [-7, -7, 5]
    assert ref.run(
        "pool", [np.array([[[200, 100, 255]]], np.uint8)], [("u8", (1, 1, 3))], **args
    ).ravel().tolist() == [200, 200, 255]


def kind(name):
    return C["REDUCE_" + name]


def lse(x, axis, keepdims):
    return np.log(np.sum(np.exp(x), axis=axis, keepdims=keepdims))


REAL = {
    "SUM": np.sum,
    "PROD": np.prod,
    "MEAN": np.mean,
    "MAX": np.max,
    "MIN": np.min,
    "L1": lambda x, **k: np.sum(np.abs(x), **k),
    "L2": lambda x, **k: np.sqrt(np.sum(x * x, **k)),
    "SUM_SQUARE": lambda x, **k: np.sum(x * x, **k),
    "LOG_SUM_EXP": lse,
    "VARIANCE": np.var,
    "ABSMAX": lambda x, **k: np.max(np.abs(x), **k),
}


@pytest.mark.parametrize("name", REAL)
@pytest.mark.parametrize(
    "shape, axes",
    [
        ((7,), (0,)),
        ((5, 6), (1,)),
        ((5, 6), (0,)),
        ((2, 3, 4, 5), (1, 3)),
        ((3, 4), ()),
        ((2, 1, 2, 1, 2, 1, 2, 3), (0, 3, 7)),
    ],
)
def test_reduce_of_reals_agrees_with_numpy(ref, rng, name, shape, axes):
    x = rng.standard_normal(shape)
    want = REAL[name](x, axis=axes, keepdims=True)
    got = ref.run("reduce", [x], [("f64", want.shape)], kind=kind(name), axes=list(axes))
    np.testing.assert_allclose(got, want, rtol=1e-13, atol=1e-13)
    got = ref.run("reduce", [x.astype(np.float16)], [("f16", want.shape)], kind=kind(name), axes=list(axes))
    want = REAL[name](x.astype(np.float16).astype(np.float64), axis=axes, keepdims=True)
    np.testing.assert_allclose(got, want.astype(np.float16), rtol=1.1e-3, atol=1e-6)


def test_reduce_reads_views(ref, rng):
    x = rng.standard_normal((6, 8))[::2, ::-3].T
    got = ref.run("reduce", [x], [("f64", (3, 1))], kind=kind("SUM"), axes=[1])
    np.testing.assert_allclose(got, x.sum(axis=1, keepdims=True), rtol=1e-14)


@pytest.mark.parametrize(
    "name, want",
    [
        ("SUM", 0),
        ("PROD", 1),
        ("MAX", -INF),
        ("MIN", INF),
        ("MEAN", NAN),
        ("L2", 0),
        ("LOG_SUM", -INF),
        ("LOG_SUM_EXP", -INF),
        ("VARIANCE", NAN),
        ("ABSMAX", 0),
    ],
)
def test_reduce_of_nothing_gives_its_neutral_element(ref, name, want):
    got = ref.run("reduce", [np.zeros((0, 2), np.float32)], [("f32", (1, 2))], kind=kind(name), axes=[0])
    np.testing.assert_array_equal(got, np.full((1, 2), want))


def test_reduce_carries_nan_and_infinities(ref):
    x = np.array([[1, NAN, 3], [INF, 1, 2], [-INF, -INF, -INF]], np.float32)
    run = lambda name: ref.run(
        "reduce", [x], [("f32", (3, 1))], kind=kind(name), axes=[1]
    ).ravel()  # noqa: E731
    np.testing.assert_array_equal(run("MAX"), [NAN, INF, -INF])
    np.testing.assert_array_equal(run("MIN"), [NAN, 1, -INF])
    np.testing.assert_array_equal(run("ABSMAX"), [NAN, INF, INF])
    np.testing.assert_array_equal(run("LOG_SUM_EXP"), [NAN, INF, -INF])
    count = ref.run("reduce", [x], [("i64", (3, 1))], kind=kind("FINITE_COUNT"), axes=[1])
    assert count.ravel().tolist() == [2, 2, 0]


def test_arg_forms_choose_among_equals_and_nan(ref):
    x = np.array([[3, 7, 7, 1], [NAN, 9, NAN, 2]], np.float32)
    run = (
        lambda name, last: ref.run(
            "reduce", [x], [("i64", (2, 1))], kind=kind(name), axes=[1], select_last=last  # noqa: E731
        )
        .ravel()
        .tolist()
    )
    assert run("ARGMAX", 0) == [1, 0]
    assert run("ARGMAX", 1) == [2, 2]
    assert run("ARGMIN", 0) == [3, 0]
    big = np.array([2**62, 2**62 + 1, -5], np.int64)
    assert ref.run("reduce", [big], [("i64", (1,))], kind=kind("ARGMAX"), axes=[0])[0] == 1
    assert (
        ref.run("reduce", [np.array([1, 255], np.uint8)], [("i64", (1,))], kind=kind("ARGMIN"), axes=[0])[0]
        == 0
    )


@pytest.mark.parametrize(
    "np_type, name",
    [(np.int8, "i8"), (np.int32, "i32"), (np.int64, "i64"), (np.uint8, "u8"), (np.uint64, "u64")],
)
def test_integer_reductions_wrap_and_stay_exact(ref, rng, np_type, name):
    low, high = np.iinfo(np_type).min, np.iinfo(np_type).max
    x = rng.integers(low, high, (3, 50), dtype=np_type, endpoint=True)
    run = lambda k: ref.run("reduce", [x], [(name, (3, 1))], kind=kind(k), axes=[1])  # noqa: E731
    bits = np.iinfo(np_type).bits
    rows = [[int(v) for v in row] for row in x]

    def wrapped(values):
        span = 1 << bits
        return np.array([[(v - low) % span + low] for v in values], dtype=np_type)

    np.testing.assert_array_equal(run("SUM"), wrapped([sum(r) for r in rows]))
    np.testing.assert_array_equal(run("SUM_SQUARE"), wrapped([sum(v * v for v in r) for r in rows]))
    np.testing.assert_array_equal(run("L1"), wrapped([sum(abs(v) for v in r) for r in rows]))
    np.testing.assert_array_equal(run("MAX"), x.max(axis=1, keepdims=True))
    np.testing.assert_array_equal(run("MIN"), x.min(axis=1, keepdims=True))
    product = [1, 1, 1]
    for i, row in enumerate(rows):
        for v in row:
            product[i] *= v
    np.testing.assert_array_equal(run("PROD"), wrapped(product))
    mean = [abs(sum(r)) // 50 * (1 if sum(r) >= 0 else -1) for r in rows]
    np.testing.assert_array_equal(run("MEAN"), wrapped(mean))


def test_logic_reductions(ref):
    x = np.array([[True, False], [True, True], [False, False]])
    for name, want in (("ANY", [1, 1, 0]), ("ALL", [0, 1, 0])):
        assert ref.run("reduce", [x], [("bool", (3, 1))], kind=kind(name), axes=[1]).ravel().tolist() == want
    with pytest.raises(OpError, match="takes only bool"):
        ref.run("reduce", [np.ones(3, np.float32)], [("f32", (1,))], kind=kind("ANY"), axes=[0])


def test_long_f32_sums_do_not_drift(ref):
    x = np.full((1, 1 << 20), 0.1, np.float32)
    got = ref.run("reduce", [x], [("f32", (1, 1))], kind=kind("SUM"), axes=[1])[0, 0]
    assert got == np.float32(float(np.float32(0.1)) * (1 << 20))


def test_bf16_sums_round_once(ref):
    x = Typed(
        np.array([0x4380] + [0x3F80] * 3, np.uint16), "bf16"
    )  # 256 + 1 + 1 + 1, ulp 2: 260 by ties to even
    assert ref.run("reduce", [x], [("bf16", (1,))], kind=kind("SUM"), axes=[0])[0] == 0x4382
