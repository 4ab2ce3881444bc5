# SPDX-License-Identifier: Apache-2.0
"""scatter_elements and scatter_nd against plain loops over NumPy scalars."""

import itertools

import numpy as np
import pytest
from raw_plugin import C, OpError

JOIN = {
    "SET": lambda a, b: b,
    "ADD": lambda a, b: a + b,
    "MUL": lambda a, b: a * b,
    "MIN": np.minimum,
    "MAX": np.maximum,
}
TYPES = {"f64": np.float64, "f32": np.float32, "i32": np.int32, "i8": np.int8, "u16": np.uint16}


def values(rng, kind, shape):
    if np.issubdtype(kind, np.floating):
        return rng.standard_normal(shape).astype(kind)
    return rng.integers(np.iinfo(kind).min, np.iinfo(kind).max, shape, dtype=kind, endpoint=True)


def assert_near(got, want):
    if np.issubdtype(want.dtype, np.floating):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)
    else:
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("how", JOIN)
@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize(
    "shape, index_shape, axis", [((5,), (17,), 0), ((4, 3), (9, 2), 0), ((2, 3, 4), (2, 2, 11), 2)]
)
def test_scatter_elements_goes_through_the_index_in_order(ref, rng, how, name, shape, index_shape, axis):
    x, u = values(rng, TYPES[name], shape), values(rng, TYPES[name], index_shape)
    at = rng.integers(-shape[axis], shape[axis], index_shape)
    want = x.copy()
    with np.errstate(over="ignore"):
        for i in itertools.product(*map(range, index_shape)):
            place = i[:axis] + (at[i],) + i[axis + 1 :]
            want[place] = JOIN[how](want[place], u[i])
    got = ref.run("scatter_elements", [x, at, u], [(name, shape)], axis=axis, reduction=C["SCATTER_" + how])
    assert_near(got, want)


@pytest.mark.parametrize("how", JOIN)
@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize(
    "shape, lead, n", [((5,), (12,), 1), ((3, 4), (2, 7), 1), ((3, 4), (20,), 2), ((3, 2, 2), (), 2)]
)
def test_scatter_nd_goes_through_the_tuples_in_order(ref, rng, how, name, shape, lead, n):
    x, u = values(rng, TYPES[name], shape), values(rng, TYPES[name], lead + shape[n:])
    at = np.stack([rng.integers(-d, d, lead) for d in shape[:n]], axis=-1).astype(np.int32)
    want = x.copy()
    with np.errstate(over="ignore"):
        for i in itertools.product(*map(range, lead)):
            place = tuple(at[i])
            want[place] = JOIN[how](want[place], u[i])
    got = ref.run("scatter_nd", [x, at, u], [(name, shape)], reduction=C["SCATTER_" + how])
    assert_near(got, want)


def test_scatter_adds_f16_in_more_than_f16(ref):
    x, u = np.zeros(1, np.float16), np.full(4096, 1, np.float16)
    at = np.zeros(4096, np.int64)
    got = ref.run("scatter_elements", [x, at, u], [("f16", (1,))], axis=0, reduction=C["SCATTER_ADD"])
    assert got[0] == 4096  # f16 alone stops at 2048


def test_scatter_keeps_every_bit(ref):
    bits = np.array([0x7F800001, 0xFFC12345, 0x80000000, 1], np.uint32).view(np.float32)
    got = ref.run(
        "scatter_nd", [bits, np.array([[0], [3]]), bits[2:]], [("f32", (4,))], reduction=C["SCATTER_SET"]
    )
    np.testing.assert_array_equal(got.view(np.uint32), [0x80000000, 0xFFC12345, 0x80000000, 1])


def test_scatter_carries_nan_through_extremes(ref):
    nan = np.nan
    x, u = np.array([nan, 1, 2], np.float32), np.array([5, nan, 0], np.float32)
    for how in ("MIN", "MAX"):
        got = ref.run(
            "scatter_elements",
            [x, np.arange(3), u],
            [("f32", (3,))],
            axis=0,
            reduction=C["SCATTER_" + how],
        )
        np.testing.assert_array_equal(got, [nan, nan, JOIN[how](2, 0)])


@pytest.mark.parametrize("bad", [3, -4, 2**40])
def test_scatter_reports_what_is_out_of_range(ref, bad):
    x = np.zeros((3, 2), np.float32)
    with pytest.raises(OpError, match=rf"scatter_nd: index {bad} at position 1 is outside \[-3, 2\]") as e:
        ref.run("scatter_nd", [x, np.array([[0], [bad]]), x[:2]], [("f32", (3, 2))], reduction=1)
    assert e.value.status == C["E_FAULT"] and e.value.arg == 1
