# SPDX-License-Identifier: Apache-2.0
"""sort, top_k, non_zero and unique against NumPy."""

import numpy as np
import pytest
from raw_plugin import OpError

NAN, INF = np.nan, np.inf
TYPES = {"f64": np.float64, "f32": np.float32, "f16": np.float16, "i64": np.int64, "i8": np.int8, "u64": np.uint64}


def values(rng, name, shape):
    """Few different numbers, so that there are ties; the extremes of the type among them."""
    kind = TYPES[name]
    if np.issubdtype(kind, np.floating):
        x = rng.integers(-4, 5, shape).astype(kind)
        return np.where(rng.random(shape) < 0.2, rng.choice([NAN, INF, -INF, -0.0], shape), x).astype(kind)
    x = rng.integers(0, 5, shape).astype(kind)
    return np.where(rng.random(shape) < 0.2, np.iinfo(kind).max, np.where(x == 4, np.iinfo(kind).min, x))


def order(x, axis, descending):
    """Stable positions: ranks by NumPy's order, whose complement sorts the other way."""
    rank = np.unique(x, return_inverse=True)[1].reshape(x.shape)
    return np.argsort(-rank if descending else rank, axis=axis, kind="stable")


@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize("descending", [0, 1])
@pytest.mark.parametrize(
    "shape, axis", [((50,), 0), ((7, 9), 0), ((7, 9), 1), ((2, 11, 3), 1), ((3, 0), 1), ((0, 3), 1)]
)
def test_sort_is_stable_and_gives_the_positions(ref, rng, name, descending, shape, axis):
    x = values(rng, name, shape)
    at = order(x, axis, descending)
    y, index = ref.run("sort", [x], [(name, shape), ("i64", shape)], axis=axis, descending=descending)
    np.testing.assert_array_equal(index, at)
    np.testing.assert_array_equal(y, np.take_along_axis(x, at, axis))


def test_sort_ends_with_nan_and_keeps_the_bits(ref):
    x = np.array([0x7FC00001, 0x80000000, 0xFFC00002, 0x7F800000, 0x00000000], np.uint32).view(np.float32)
    y = ref.run("sort", [x], [("f32", (5,))], axis=0)
    np.testing.assert_array_equal(
        y.view(np.uint32), [0x80000000, 0x00000000, 0x7F800000, 0x7FC00001, 0xFFC00002]
    )


@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize("largest", [0, 1])
@pytest.mark.parametrize(
    "shape, axis, k", [((50,), 0, 7), ((7, 9), 0, 7), ((7, 9), 1, 1), ((2, 11, 3), 1, 4), ((4, 3), 1, 0)]
)
def test_top_k_takes_the_lowest_of_equal_elements(ref, rng, name, largest, shape, axis, k):
    x = values(rng, name, shape)
    at = np.take(order(x, axis, largest), np.arange(k), axis)
    outputs = [(name, at.shape), ("i64", at.shape)]
    y, index = ref.run("top_k", [x], outputs, axis=axis, k=k, largest=largest, sorted=1)
    np.testing.assert_array_equal(index, at)
    np.testing.assert_array_equal(y, np.take_along_axis(x, at, axis))
    y, index = ref.run("top_k", [x], outputs, axis=axis, k=k, largest=largest, sorted=0)
    np.testing.assert_array_equal(index, np.sort(at, axis))
    np.testing.assert_array_equal(y, np.take_along_axis(x, np.sort(at, axis), axis))


def test_top_k_refuses_more_than_there_is(ref):
    with pytest.raises(OpError, match="top_k: k is 6, but dim 0 of x is 5"):
        ref.run("top_k", [np.zeros(5)], [("f64", (6,)), ("i64", (6,))], axis=0, k=6, largest=1, sorted=1)


@pytest.mark.parametrize("shape", [(9,), (3, 4), (2, 3, 4), (0, 3), (1,), (2, 1, 2, 1, 2, 1, 2, 2)])
def test_non_zero_gives_coordinates_and_their_number(ref, rng, shape):
    x = rng.choice([0.0, -0.0, 1.0, NAN], shape).astype(np.float32)
    want = np.array(np.nonzero(x))
    y, count = ref.run("non_zero", [x], [("i64", (x.ndim, x.size)), ("i64", ())])
    assert count == want.shape[1]
    np.testing.assert_array_equal(y[:, :count], want)
    np.testing.assert_array_equal(y[:, count:], 0)


def run_unique(ref, name, x, axis, is_sorted):
    n = (x.shape[axis],)
    outputs = [(name, x.shape), ("i64", n), ("i64", n), ("i64", n), ("i64", ())]
    y, first, inverse, counts, count = ref.run("unique", [x], outputs, axis=axis, sorted=is_sorted)
    taken = np.take(y, np.arange(count), axis)
    assert not np.take(y, np.arange(count, n[0]), axis).any()
    assert not first[count:].any() and not counts[count:].any()
    return taken, first[:count], inverse, counts[:count]


@pytest.mark.parametrize("name", ["f32", "f64", "i8", "u64"])
@pytest.mark.parametrize("shape, axis", [((60,), 0), ((9, 2), 0), ((2, 9), 1), ((2, 7, 2), 1), ((0,), 0), ((1,), 0)])
def test_unique_agrees_with_numpy(ref, rng, name, shape, axis):
    x = values(rng, name, shape)
    if len(shape) > 1:  # of slices with NaN NumPy keeps each
        x = np.nan_to_num(x)
    got = run_unique(ref, name, x, axis, 1)
    want = np.unique(x, True, True, True, axis=axis if len(shape) > 1 else None)
    for have, expected in zip(got, want):
        np.testing.assert_array_equal(have, expected.reshape(have.shape))
    by_first = np.argsort(want[1])
    got = run_unique(ref, name, x, axis, 0)
    np.testing.assert_array_equal(got[0], np.take(want[0], by_first, axis))
    np.testing.assert_array_equal(got[1], want[1][by_first])
    np.testing.assert_array_equal(np.take(got[0], got[2], axis), x)
    np.testing.assert_array_equal(got[3], want[3][by_first])
