# SPDX-License-Identifier: Apache-2.0
"""Moves of elements: gather forms, one_hot, pad, fill, iota, copy."""

import numpy as np
import pytest
from raw_plugin import C, OpError

NAN = float("nan")


@pytest.mark.parametrize("index_type", [np.int32, np.int64])
@pytest.mark.parametrize(
    "shape, axis, index",
    [((7,), 0, (3,)), ((4, 5, 6), 1, (2, 3)), ((4, 5), 1, ()), ((4, 0), 0, (2,)), ((4, 5), 0, (0,))],
)
def test_gather_takes_along_an_axis_also_from_the_end(ref, rng, index_type, shape, axis, index):
    x = rng.standard_normal(shape).astype(np.float32)
    at = rng.integers(-shape[axis], shape[axis], index).astype(index_type)
    want = np.take(x, at, axis=axis)
    np.testing.assert_array_equal(
        ref.run("gather", [x, np.asarray(at)], [("f32", want.shape)], axis=axis), want
    )


@pytest.mark.parametrize("bad", [4, -5, 2**40])
def test_gather_reports_an_index_out_of_range(ref, bad):
    x, at = np.zeros((4, 2), np.float32), np.array([0, bad], np.int64)
    with pytest.raises(OpError, match=rf"gather: index {bad} at position 1 is outside \[-4, 3\]") as e:
        ref.run("gather", [x, at], [("f32", (2, 2))], axis=0)
    assert e.value.status == C["E_FAULT"] and e.value.arg == 1


def test_gather_of_nothing_faults_on_any_index(ref):
    with pytest.raises(OpError, match=r"outside \[0, -1\]"):
        ref.run("gather", [np.zeros((0, 2), np.float32), np.array([0])], [("f32", (1, 2))], axis=0)


def test_gather_keeps_every_bit(ref):
    bits = np.array([0x7F800001, 0xFFC12345, 0x80000000, 1], np.uint32)  # a signalling NaN among them
    got = ref.run("gather", [bits.view(np.float32), np.array([3, 0, 1, 2])], [("f32", (4,))], axis=0)
    np.testing.assert_array_equal(got.view(np.uint32), bits[[3, 0, 1, 2]])


def test_gather_reads_reversed_views(ref, rng):
    x = rng.standard_normal((5, 6))[::-1, ::2]
    at = np.array([[4, 0], [-1, 2]])
    np.testing.assert_array_equal(
        ref.run("gather", [x, at[:, ::-1]], [("f64", (2, 2, 3))], axis=0), x[at[:, ::-1]]
    )


@pytest.mark.parametrize("axis", [0, 1])
def test_gather_elements_agrees_with_numpy(ref, rng, axis):
    x = rng.integers(-9, 9, (4, 6)).astype(np.int16)
    at = rng.integers(-x.shape[axis], x.shape[axis], (3, 5))
    want = np.take_along_axis(x[:3] if axis else x[:, :5], at % x.shape[axis], axis=axis)
    np.testing.assert_array_equal(ref.run("gather_elements", [x, at], [("i16", at.shape)], axis=axis), want)
    at[1, 2] = x.shape[axis]
    with pytest.raises(OpError, match=f"gather_elements: index {x.shape[axis]} at position 7"):
        ref.run("gather_elements", [x, at], [("i16", at.shape)], axis=axis)


def test_gather_nd_agrees_with_numpy(ref, rng):
    x = rng.standard_normal((4, 5, 3)).astype(np.float32)
    at = np.stack([rng.integers(-4, 4, (2, 6)), rng.integers(-5, 5, (2, 6))], axis=2)
    np.testing.assert_array_equal(
        ref.run("gather_nd", [x, at], [("f32", (2, 6, 3))], batch_dims=0), x[at[..., 0], at[..., 1]]
    )
    at = rng.integers(-5, 5, (4, 2, 1))
    want = np.stack([x[b][at[b, :, 0]] for b in range(4)])
    np.testing.assert_array_equal(ref.run("gather_nd", [x, at], [("f32", (4, 2, 3))], batch_dims=1), want)
    at[3, 1, 0] = -6
    with pytest.raises(OpError, match=r"gather_nd: index -6 at position 7 is outside \[-5, 4\]"):
        ref.run("gather_nd", [x, at], [("f32", (4, 2, 3))], batch_dims=1)


def test_one_hot_wraps_negatives_and_ignores_what_is_outside(ref):
    values = np.array([5, 9], np.int8)
    got = ref.run("one_hot", [np.array([0, -1, 3, -4, 2]), values], [("i8", (5, 3))], axis=1)
    np.testing.assert_array_equal(got, [[9, 5, 5], [5, 5, 9], [5, 5, 5], [5, 5, 5], [5, 5, 9]])
    got = ref.run("one_hot", [np.array([1.0, NAN, 0.9, -1.5], np.float32), values], [("i8", (2, 4))], axis=0)
    np.testing.assert_array_equal(got, [[5, 5, 9, 5], [9, 5, 5, 9]])
    got = ref.run("one_hot", [np.array([0, 255], np.uint8), values], [("i8", (2, 2))], axis=1)
    np.testing.assert_array_equal(got, [[9, 5], [5, 5]])


@pytest.mark.parametrize(
    "mode, numpy_mode", [("CONSTANT", "constant"), ("REFLECT", "reflect"), ("EDGE", "edge"), ("WRAP", "wrap")]
)
def test_pad_agrees_with_numpy(ref, rng, mode, numpy_mode):
    x = rng.integers(0, 99, (4, 5)).astype(np.int32)
    want = np.pad(x, ((1, 3), (4, 0)), mode=numpy_mode)
    got = ref.run("pad", [x], [("i32", want.shape)], mode=C["PAD_" + mode], pad=[1, 4, 3, 0])
    np.testing.assert_array_equal(got, want)


def test_pad_crops_and_takes_a_value(ref):
    x = np.arange(12, dtype=np.float16).reshape(3, 4)
    got = ref.run("pad", [x, np.array(NAN, np.float16)], [("f16", (3, 3))], mode=1, pad=[-1, -2, 1, 1])
    np.testing.assert_array_equal(got, [[6, 7, NAN], [10, 11, NAN], [NAN, NAN, NAN]])
    assert ref.run("pad", [np.zeros((0, 2))], [("f64", (1, 2))], mode=1, pad=[1, 0, 0, 0]).tolist() == [
        [0, 0]
    ]


def test_fill_and_copy_move_bits_through_any_view(ref):
    out = np.zeros((3, 4), np.uint16)
    ref.run("fill", [np.array(0x7C01, np.uint16).view(np.float16)], [out.view(np.float16)[:, ::-2]])
    np.testing.assert_array_equal(out, [[0, 0x7C01, 0, 0x7C01]] * 3)
    x = np.arange(24, dtype=np.int64).reshape(2, 3, 4)
    back = np.zeros((4, 2, 3), np.int64)
    ref.run("copy", [x], [back.transpose(1, 2, 0)])
    np.testing.assert_array_equal(back, x.transpose(2, 0, 1))
    eight = np.arange(256, dtype=np.uint8).reshape((2,) * 8)
    turned = np.zeros_like(eight)
    ref.run("copy", [eight.transpose()], [turned])
    np.testing.assert_array_equal(turned, eight.transpose())


def test_iota_steps_and_wraps(ref):
    assert ref.run("iota", [np.array(250, np.uint8), np.array(3, np.uint8)], [("u8", (4,))]).tolist() == [
        250,
        253,
        0,
        3,
    ]
    got = ref.run("iota", [np.array(0.1, np.float32), np.array(0.1, np.float32)], [("f32", (1000,))])
    tenth = float(np.float32(0.1))
    np.testing.assert_array_equal(got, (tenth + np.arange(1000) * tenth).astype(np.float32))
    assert ref.run("iota", [np.array(5), np.array(-2)], [("i64", (3,))]).tolist() == [5, 3, 1]
    assert ref.run("iota", [np.array(5), np.array(-2)], [("i64", (0,))]).tolist() == []
