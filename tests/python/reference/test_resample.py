# SPDX-License-Identifier: Apache-2.0
"""resize, non_max_suppression and deform_conv against onnx's own reference."""

import numpy as np
import pytest
from onnx import helper
from onnx.reference import ReferenceEvaluator
from raw_plugin import C, DTYPE, OpError

NAN = float("nan")
COORDINATES = {
    "half_pixel": 1,
    "half_pixel_symmetric": 2,
    "pytorch_half_pixel": 3,
    "align_corners": 4,
    "asymmetric": 5,
    "tf_crop_and_resize": 6,
}
ROUNDING = {"round_prefer_floor": 1, "round_prefer_ceil": 2, "floor": 3, "ceil": 4}
MODE = {"nearest": 1, "linear": 2, "cubic": 3}


def onnx_run(op, inputs, opset=22, **attributes):
    names = ["" if v is None else f"i{k}" for k, v in enumerate(inputs)]
    given = {n: v for n, v in zip(names, inputs) if n}
    node = helper.make_node(op, names, ["y"], **attributes)
    values = [
        helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(v.dtype), None) for n, v in given.items()
    ]
    out = helper.make_tensor_value_info("y", values[0].type.tensor_type.elem_type, None)
    model = helper.make_model(
        helper.make_graph([node], "g", values, [out]), opset_imports=[helper.make_opsetid("", opset)]
    )
    return ReferenceEvaluator(model).run(None, given)[0]


def resize_both(ref, x, scale, mode, coordinates, rounding="round_prefer_floor", roi=None, axes=None, **more):
    axes = axes or list(range(x.ndim))
    scale = np.array(scale, np.float32)
    want = onnx_run(
        "Resize", [x, roi, scale], mode=mode, coordinate_transformation_mode=coordinates, nearest_mode=rounding,
        cubic_coeff_a=-0.5, extrapolation_value=7.0, axes=axes, **more,
    )  # fmt: skip
    got = ref.run(
        "resize", [x, scale] + ([] if roi is None else [roi]), [("f32", want.shape)], mode=MODE[mode],
        coordinates=COORDINATES[coordinates], rounding=ROUNDING[rounding], cubic=-0.5, extrapolation=7.0, axes=axes,
        **more,
    )  # fmt: skip
    return got, want


@pytest.mark.parametrize("mode", ["linear", "cubic"])
@pytest.mark.parametrize("coordinates", [c for c in COORDINATES if c != "tf_crop_and_resize"])
@pytest.mark.parametrize("scale", [(1.0, 2.3), (0.6, 0.4), (3.0, 0.55)])
@pytest.mark.parametrize("exclude", [0, 1])
def test_resize_interpolates_as_onnx_does(ref, rng, mode, coordinates, scale, exclude):
    x = rng.standard_normal((5, 7)).astype(np.float32)
    got, want = resize_both(ref, x, scale, mode, coordinates, exclude_outside=exclude)
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("mode", ["linear", "cubic"])
@pytest.mark.parametrize("scale", [(0.6, 0.4), (0.3, 1.5), (0.125, 0.2)])
@pytest.mark.parametrize("exclude", [0, 1])
def test_resize_widens_its_window_against_aliasing(ref, rng, mode, scale, exclude):
    x = rng.standard_normal((11, 16)).astype(np.float32)
    got, want = resize_both(ref, x, scale, mode, "half_pixel", antialias=1, exclude_outside=exclude)
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("coordinates", [c for c in COORDINATES if c != "tf_crop_and_resize"])
@pytest.mark.parametrize("rounding", ROUNDING)
@pytest.mark.parametrize("scale", [(2.0, 2.5), (0.5, 0.7)])
def test_resize_takes_the_element_that_onnx_takes(ref, rng, coordinates, rounding, scale):
    x = rng.standard_normal((4, 6)).astype(np.float32)
    got, want = resize_both(ref, x, scale, "nearest", coordinates, rounding)
    np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("mode", MODE)
def test_resize_extrapolates_outside_of_a_crop(ref, rng, mode):
    x = rng.standard_normal((1, 6, 5)).astype(np.float32)
    roi = np.array([-0.3, 0.2, 0.8, 1.4], np.float32)
    got, want = resize_both(ref, x, [1.5, 1.0], mode, "tf_crop_and_resize", roi=roi, axes=[1, 2])
    assert (want == 7).any() and (want != 7).any()
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5)


def test_resize_moves_any_type_and_lets_zero_weights_out(ref):
    x = np.array([True, False, True])
    got = ref.run("resize", [x], [("bool", (6,))], mode=1, coordinates=5, rounding=3, axes=[0])
    assert got.tolist() == [1, 1, 0, 0, 1, 1]
    x = np.array([1, NAN, 3], np.float32)
    # align_corners to the same extent: each position is exact, and its neighbours have no weight.
    got = ref.run("resize", [x], [("f32", (3,))], mode=3, coordinates=4, rounding=1, cubic=-0.75, axes=[0])
    np.testing.assert_array_equal(got, x)


@pytest.mark.parametrize(
    "scale, antialias, text",
    [
        (0.0, 0, "the scale of axis 0 is 0, must be in \\[1e-9, 1e9\\]"),
        (NAN, 0, "the scale of axis 0 is nan"),
        (0.9, 1, "the scale of axis 0 is 0.9, less than half of 8 / 4 elements"),
    ],
)
def test_resize_reports_scales_that_make_no_sense(ref, scale, antialias, text):
    with pytest.raises(OpError, match=text) as e:
        ref.run("resize", [np.zeros(4, np.float32), np.array([scale])], [("f32", (8,))], mode=2, coordinates=1,
                rounding=1, antialias=antialias, axes=[0])  # fmt: skip
    assert e.value.status == C["E_FAULT"] & 0xFFFF


@pytest.mark.parametrize("center", [0, 1])
@pytest.mark.parametrize("most, iou, score", [(100, 0.5, 0.3), (3, 0.2, 0.0), (2, 0.0, 0.9), (0, 0.5, 0.1)])
def test_suppression_agrees_with_onnx(ref, rng, center, most, iou, score):
    boxes = rng.uniform(0, 3, (2, 30, 4)).astype(np.float32)
    scores = (rng.integers(0, 12, (2, 3, 30)) / 12).astype(np.float32)  # with ties
    limits = [np.array(most, np.int64), np.array(iou, np.float32), np.array(score, np.float32)]
    want = onnx_run("NonMaxSuppression", [boxes, scores, *[v.reshape(1) for v in limits]], 11, center_point_box=center)
    rows, count = ref.run("non_max_suppression", [boxes, scores, *limits], [("i64", (180, 3)), ("i64", ())],
                          center=center)  # fmt: skip
    assert count == len(want)
    np.testing.assert_array_equal(rows[:count], want)
    assert (rows[count:] == -1).all()


def test_suppression_never_takes_nan_and_says_when_there_is_no_room(ref):
    boxes = np.array([[[0, 0, 1, 1], [2, 2, 3, 3], [4, 4, 5, 5]]], np.float32)
    scores = np.array([[[0.5, NAN, 0.7]]], np.float32)
    most = np.array(9, np.int64)
    rows, count = ref.run("non_max_suppression", [boxes, scores, most], [("i64", (3, 3)), ("i64", ())])
    assert count == 2 and rows.tolist() == [[0, 0, 2], [0, 0, 0], [-1, -1, -1]]
    with pytest.raises(OpError, match="2 boxes are selected, but output selected has 1 rows"):
        ref.run("non_max_suppression", [boxes, scores, most], [("i64", (1, 3)), ("i64", ())])


DEFORM = [
    ((1, 1, 3, 3), (1, 1, 2, 2), 1, 1, [1, 1], [1, 1], [1, 1, 1, 1]),
    ((2, 4, 6, 5), (6, 2, 3, 3), 2, 2, [2, 1], [1, 1], [0, 1, 1, 0]),
    ((1, 4, 7, 6), (2, 4, 2, 3), 1, 4, [1, 2], [2, 1], [1, 1, 2, 1]),
]


@pytest.mark.parametrize("x, w, group, offset_group, stride, dilation, pad", DEFORM)
@pytest.mark.parametrize("masked", [False, True])
def test_deform_conv_agrees_with_onnx(ref, rng, x, w, group, offset_group, stride, dilation, pad, masked):
    spatial = [
        (x[2 + i] + pad[i] + pad[2 + i] - dilation[i] * (w[2 + i] - 1) - 1) // stride[i] + 1 for i in range(2)
    ]
    taps = offset_group * w[2] * w[3]
    make = lambda *shape: rng.standard_normal(shape).astype(np.float32)  # noqa: E731
    inputs = [make(*x), make(*w), make(x[0], 2 * taps, *spatial)]
    mask = make(x[0], taps, *spatial) if masked else None
    want = onnx_run("DeformConv", [*inputs, None, mask] if masked else inputs, group=group, offset_group=offset_group,
                    strides=stride, dilations=dilation, pads=pad)  # fmt: skip
    got = ref.run("deform_conv", [*inputs, mask] if masked else inputs, [("f32", want.shape)], group=group,
                  offset_group=offset_group, acc_dtype=DTYPE["f32"], stride=stride, dilation=dilation,
                  pad=pad)  # fmt: skip
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-4)


def test_deform_conv_without_offsets_is_conv(ref, rng):
    x, w = rng.standard_normal((2, 4, 9, 8)), rng.standard_normal((6, 4, 3, 3))
    window = dict(group=1, acc_dtype=DTYPE["f64"], stride=[2, 1], dilation=[1, 2], pad=[1, 2, 1, 2])
    want = ref.run("conv", [x, w], [("f64", (2, 6, 5, 8))], **window)
    got = ref.run("deform_conv", [x, w, np.zeros((2, 18, 5, 8))], [("f64", (2, 6, 5, 8))], offset_group=1, **window)
    np.testing.assert_allclose(got, want, rtol=1e-13, atol=1e-13)


def test_deform_conv_knows_what_has_no_value(ref):
    x, w = np.ones((1, 1, 2, 2), np.float32), np.ones((1, 1, 1, 1), np.float32)
    offset = np.zeros((1, 2, 2, 2), np.float32)
    offset[0, 0] = [[NAN, np.inf], [-1e30, 0]]
    mask = np.array([[[[1, 1], [1, np.inf]]]], np.float32)
    got = ref.run("deform_conv", [x, w, offset, mask], [("f32", (1, 1, 2, 2))], group=1, offset_group=1,
                  acc_dtype=DTYPE["f32"], stride=[1, 1], dilation=[1, 1], pad=[0] * 4)  # fmt: skip
    np.testing.assert_array_equal(got.ravel(), [NAN, 0, 0, NAN])
