# SPDX-License-Identifier: Apache-2.0
"""scan, histogram, tensor_stats, segment and embedding_bag against NumPy."""

import numpy as np
import pytest
from raw_plugin import C, OpError

NAN, INF = np.nan, np.inf
SCAN = {"SUM": np.add, "PROD": np.multiply, "MAX": np.maximum, "MIN": np.minimum}
START = {"SUM": 0, "PROD": 1, "MAX": -INF, "MIN": INF}


def scanned(x, kind, axis, exclusive, reverse):
    x = np.flip(x, axis) if reverse else x
    if exclusive:
        start = START[kind]
        if not np.issubdtype(x.dtype, np.floating) and kind in ("MAX", "MIN"):
            start = np.iinfo(x.dtype).min if kind == "MAX" else np.iinfo(x.dtype).max
        first = np.full_like(np.take(x, [0], axis), start)
        x = np.concatenate([first, np.take(x, np.arange(x.shape[axis] - 1), axis)], axis)
    y = SCAN[kind].accumulate(x, axis=axis, dtype=x.dtype)
    return np.flip(y, axis) if reverse else y


@pytest.mark.parametrize("kind", SCAN)
@pytest.mark.parametrize("exclusive", [0, 1])
@pytest.mark.parametrize("reverse", [0, 1])
@pytest.mark.parametrize("name, np_type", [("f64", np.float64), ("i8", np.int8), ("u32", np.uint32), ("i64", np.int64)])
@pytest.mark.parametrize("shape, axis", [((9,), 0), ((4, 5), 0), ((4, 5), 1), ((2, 6, 3), 1)])
def test_scan_agrees_with_accumulate(ref, rng, kind, exclusive, reverse, name, np_type, shape, axis):
    x = rng.standard_normal(shape) if name == "f64" else rng.integers(0, 100, shape).astype(np_type)
    got = ref.run(
        "scan", [x], [(name, shape)], kind=C["SCAN_" + kind], axis=axis, exclusive=exclusive, reverse=reverse
    )
    want = scanned(x, kind, axis, exclusive, reverse)
    np.testing.assert_allclose(got, want, rtol=1e-13) if name == "f64" else np.testing.assert_array_equal(got, want)


def test_scan_of_f16_does_not_stop_where_f16_would(ref):
    got = ref.run("scan", [np.ones(4096, np.float16)], [("f16", (4096,))], kind=1, axis=0)
    assert got[-1] == 4096


def test_scan_carries_nan(ref):
    x = np.array([1, NAN, 3], np.float32)
    for kind in range(1, 5):
        got = ref.run("scan", [x], [("f32", (3,))], kind=kind, axis=0)
        np.testing.assert_array_equal(got, [1, NAN, NAN])


@pytest.mark.parametrize("name, np_type", [("f64", np.float64), ("f32", np.float32), ("u8", np.uint8)])
@pytest.mark.parametrize("bins", [1, 4, 10])
def test_histogram_agrees_with_numpy(ref, rng, name, np_type, bins):
    x = rng.integers(0, 40, (7, 30)).astype(np_type)
    got = ref.run("histogram", [x, np.array(4, np_type), np.array(24, np_type)], [("i64", (bins,))], bins=bins)
    np.testing.assert_array_equal(got, np.histogram(x, bins, (4, 24))[0])


def test_histogram_counts_both_ends_but_nothing_outside(ref):
    x = np.array([0, 1, 2, NAN, -0.1, 2.1, INF], np.float32)
    got = ref.run("histogram", [x, np.array(0, np.float32), np.array(2, np.float32)], [("i64", (2,))], bins=2)
    assert got.tolist() == [1, 2]
    with pytest.raises(OpError, match="histogram: low 2 and high 2 must be finite and rise") as e:
        ref.run("histogram", [x, np.array(2, np.float32), np.array(2, np.float32)], [("i64", (2,))], bins=2)
    assert e.value.status == C["E_FAULT"]


@pytest.mark.parametrize(
    "name, np_type", [("f64", np.float64), ("f32", np.float32), ("f16", np.float16), ("i8", np.int8)]
)
def test_tensor_stats_agrees_with_numpy(ref, rng, name, np_type):
    x = (rng.standard_normal((5, 40)) * 20).astype(np_type)
    counts, y = ref.run("tensor_stats", [x], [("i64", (3,)), ("f64", (5,))])
    assert counts.tolist() == [0, 0, (x == 0).sum()]
    wide = x.astype(np.float64)
    want = [np.abs(wide).max(), wide.min(), wide.max(), wide.mean(), wide.var()]
    np.testing.assert_allclose(y, want, rtol=1e-12)


def test_tensor_stats_describes_what_is_finite(ref):
    x = np.array([NAN, 3, -INF, INF, -5, 0, -0.0, NAN], np.float32)
    counts, y = ref.run("tensor_stats", [x], [("i64", (3,)), ("f64", (5,))])
    assert counts.tolist() == [2, 2, 2]
    np.testing.assert_allclose(y, [5, -5, 3, -0.5, np.var([3, -5, 0, 0])])
    counts, y = ref.run("tensor_stats", [x[:0]], [("i64", (3,)), ("f64", (5,))])
    np.testing.assert_array_equal(y, [0, INF, -INF, NAN, NAN])


def softmax(rows):
    e = np.exp(rows - rows.max(axis=0))
    return e / e.sum(axis=0)


@pytest.mark.parametrize("shape", [(20,), (20, 3), (20, 2, 3)])
def test_segments_agree_with_numpy(ref, rng, shape):
    x, ids = rng.standard_normal(shape), rng.integers(0, 6, shape[0])
    ids[ids == 3] = 2  # nobody is in segment 3
    reduce = {"SUM": np.sum, "MEAN": np.mean, "MAX": np.max, "MIN": np.min, "PROD": np.prod}
    none = {"SUM": 0, "MEAN": NAN, "MAX": -INF, "MIN": INF, "PROD": 1}
    for kind, f in reduce.items():
        got = ref.run("segment", [x, ids], [("f64", (6,) + shape[1:])], kind=C["SEGMENT_" + kind], segments=6)
        for s in range(6):
            rows = x[ids == s]
            want = f(rows, axis=0) if len(rows) else np.full(shape[1:], none[kind])
            np.testing.assert_allclose(got[s], want, rtol=1e-13)
    got = ref.run("segment", [x, ids], [("f64", shape)], kind=C["SEGMENT_SOFTMAX"], segments=6)
    for s in set(ids):
        np.testing.assert_allclose(got[ids == s], softmax(x[ids == s]), rtol=1e-13)


def test_segment_of_integers_wraps_and_truncates(ref):
    x, ids = np.array([100, 100, -7, -8, 127], np.int8), np.array([0, 0, 1, 1, 3])
    run = lambda kind: ref.run("segment", [x, ids], [("i8", (4,))], kind=C["SEGMENT_" + kind], segments=4)  # noqa: E731
    assert run("SUM").tolist() == [-56, -15, 0, 127]
    assert run("MEAN").tolist() == [100, -7, 0, 127]
    assert run("MAX").tolist() == [100, -7, -128, 127]
    assert run("PROD").tolist() == [(10000 + 128) % 256 - 128, 56, 1, 127]


@pytest.mark.parametrize("bad", [4, -1])
def test_segment_reports_an_id_out_of_range(ref, bad):
    with pytest.raises(OpError, match=rf"segment: id {bad} at position 1 is outside \[0, 3\]") as e:
        ref.run("segment", [np.zeros(2), np.array([0, bad])], [("f64", (4,))], kind=1, segments=4)
    assert e.value.status == C["E_FAULT"] and e.value.arg == 1


@pytest.mark.parametrize("weighted", [False, True])
def test_embedding_bags_agree_with_numpy(ref, rng, weighted):
    table, index = rng.standard_normal((9, 4)), rng.integers(-9, 9, 15)
    offsets, weights = np.array([1, 4, 4, 15]), rng.standard_normal(15)
    inputs = [table, index, offsets] + ([weights] if weighted else [])
    rows = table[index] * (weights[:, None] if weighted else 1)
    bags = [rows[1:4], rows[4:4], rows[4:15]]
    kinds = {"SUM": np.sum, "MEAN": np.mean} if weighted else {"SUM": np.sum, "MEAN": np.mean, "MAX": np.max}
    for kind, f in kinds.items():
        got = ref.run("embedding_bag", inputs, [("f64", (3, 4))], kind=C["BAG_" + kind])
        want = [f(b, axis=0) if len(b) else np.zeros(4) for b in bags]
        np.testing.assert_allclose(got, want, rtol=1e-13)


def test_embedding_bag_reports_what_is_out_of_range(ref):
    table = np.zeros((3, 2))
    run = lambda index, offsets: ref.run(  # noqa: E731
        "embedding_bag", [table, np.array(index), np.array(offsets)], [("f64", (2, 2))], kind=1
    )
    with pytest.raises(OpError, match=r"embedding_bag: index -4 at position 1 is outside \[-3, 2\]"):
        run([0, -4], [0, 1, 2])
    with pytest.raises(OpError, match=r"embedding_bag: offset 0 at position 2 is outside \[1, 2\]") as e:
        run([0, 1], [0, 1, 0])
    assert e.value.status == C["E_FAULT"] and e.value.arg == 2
