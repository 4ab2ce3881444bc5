# SPDX-License-Identifier: Apache-2.0
"""grid_sample, col2im and roi_align against onnx's own reference and their definitions."""

import numpy as np
import pytest
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator
from raw_plugin import C, OpError

NAN, INF = float("nan"), float("inf")
ZEROS, BORDER, REFLECTION = 1, 2, 3
NEAREST, LINEAR, CUBIC = 1, 2, 3
MODE = {NEAREST: "nearest", LINEAR: "linear", CUBIC: "cubic"}
OUTSIDE = {ZEROS: "zeros", BORDER: "border", REFLECTION: "reflection"}


def onnx_run(op, inputs, opset=22, **attributes):
    names = [f"i{k}" for k in range(len(inputs))]
    node = helper.make_node(op, names, ["y"], **attributes)
    value = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT, None)  # noqa: E731
    graph = helper.make_graph([node], "g", [value(n) for n in names], [value("y")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    return ReferenceEvaluator(model).run(None, dict(zip(names, inputs)))[0]


@pytest.mark.parametrize("mode", MODE)
@pytest.mark.parametrize("outside", OUTSIDE)
@pytest.mark.parametrize("align", [0, 1])
@pytest.mark.parametrize("x, points", [((2, 2, 4, 5), (3, 7)), ((1, 1, 3, 4, 2), (2, 2, 3)), ((1, 2, 6), (9,))])
def test_grid_sample_agrees_with_onnx(ref, rng, mode, outside, align, x, points):
    x = rng.standard_normal(x).astype(np.float32)
    # onnx keeps positions in f32; these quarters are exact in both, and never halfway between two elements.
    grid = (rng.integers(-13, 14, (x.shape[0], *points, x.ndim - 2)) / 8 + 1 / 64).astype(np.float32)
    want = onnx_run("GridSample", [x, grid], mode=MODE[mode], padding_mode=OUTSIDE[outside], align_corners=align)
    got = ref.run("grid_sample", [x, grid], [("f32", want.shape)], mode=mode, outside=outside, align_corners=align)
    np.testing.assert_allclose(got, want, rtol=2e-5, atol=2e-5)


def test_grid_sample_reads_views_and_other_types(ref, rng):
    x = rng.standard_normal((5, 4, 2, 3)).astype(np.float16).transpose(3, 2, 1, 0)[:, :, ::-1]
    grid = rng.uniform(-1.2, 1.2, (3, 2, 6, 2))[:, :, ::-1]
    want = ref.run("grid_sample", [x.astype(np.float64), grid.copy()], [("f64", (3, 2, 2, 6))], mode=2, outside=1)
    got = ref.run("grid_sample", [x, grid], [("f16", (3, 2, 2, 6))], mode=2, outside=1)
    np.testing.assert_array_equal(got, want.astype(np.float16))


def test_grid_sample_takes_the_even_one_of_two_neighbours(ref):
    x = np.arange(4, dtype=np.float32).reshape(1, 1, 4)
    # With align_corners position = (g + 1) / 2 * 3.
    grid = ((np.array([0.5, 1.5, 2.5], np.float64) / 3 * 2) - 1).reshape(1, 3, 1)
    got = ref.run("grid_sample", [x, grid], [("f32", (1, 1, 3))], mode=NEAREST, outside=ZEROS, align_corners=1)
    assert got.ravel().tolist() == [0, 2, 2]


def test_grid_sample_knows_what_has_no_value(ref):
    x = np.array([[[1, 2, NAN]]], np.float32)
    grid = np.array([NAN, INF, -INF, 1e30, -1 / 3], np.float32).reshape(1, 5, 1)
    run = lambda mode, outside: ref.run(  # noqa: E731
        "grid_sample", [x[..., :2] if outside == 0 else x, grid], [("f32", (1, 1, 5))], mode=mode, outside=outside
    ).ravel()
    np.testing.assert_array_equal(run(LINEAR, ZEROS)[:4], [NAN, 0, 0, 0])
    np.testing.assert_array_equal(run(NEAREST, BORDER)[:4], [NAN, NAN, 1, NAN])
    np.testing.assert_array_equal(run(CUBIC, REFLECTION)[:3], [NAN, NAN, NAN])
    # Exactly on element 1: the NaN beside it has no weight.
    centre = np.zeros((1, 1, 1), np.float32)
    got = ref.run("grid_sample", [x, centre], [("f32", (1, 1, 1))], mode=CUBIC, outside=ZEROS)
    assert got.item() == 2


COL2IM = [
    ((1, 5, 5), [5, 5], [1, 5], [1, 1], [1, 1], [0, 0, 0, 0]),
    ((2, 18, 20), [6, 7], [3, 3], [1, 1], [1, 1], [0, 0, 0, 0]),
    ((1, 9, 4), [6, 6], [3, 3], [2, 2], [1, 1], [0, 0, 0, 0]),
    ((1, 4, 16), [5, 5], [2, 2], [1, 1], [1, 2], [0, 0, 0, 1]),
    ((2, 16, 12), [3, 4, 3], [2, 2, 2], [1, 1, 1], [1, 1, 1], [0] * 6),
]


@pytest.mark.parametrize("x, image, kernel, stride, dilation, pad", COL2IM)
def test_col2im_agrees_with_onnx(ref, rng, x, image, kernel, stride, dilation, pad):
    x = rng.standard_normal(x).astype(np.float32)
    shapes = [np.array(image, np.int64), np.array(kernel, np.int64)]
    want = onnx_run("Col2Im", [x, *shapes], opset=18, strides=stride, dilations=dilation, pads=pad)
    got = ref.run("col2im", [x], [("f32", want.shape)], image=image, kernel=kernel, stride=stride,
                  dilation=dilation, pad=pad)  # fmt: skip
    np.testing.assert_allclose(got, want, rtol=1e-6, atol=1e-6)


def test_col2im_drops_what_falls_on_the_padding(ref):
    x = np.arange(1, 10, dtype=np.float64).reshape(1, 3, 3)
    got = ref.run("col2im", [x], [("f64", (1, 1, 3))], image=[3], kernel=[3], stride=[1], dilation=[1], pad=[1, 1])
    # Block b puts row k at b + k - 1: pixel 0 gets x[0, 1] and x[1, 0], and so on.
    assert got.ravel().tolist() == [4 + 2, 7 + 5 + 3, 8 + 6]


ROI = np.array([[0, 0, 9, 9], [0, 5, 4, 9], [5, 5, 9, 9], [-3, 2, 30, 4], [6, 6, 2, 3]], np.float32)


@pytest.mark.parametrize("mode, kind", [("avg", 1), ("max", 2)])
@pytest.mark.parametrize("half_pixel", [0, 1])
@pytest.mark.parametrize("samples, scale", [(0, 1.0), (2, 1.0), (3, 0.5), (0, 0.25)])
def test_roi_align_agrees_with_onnx(ref, rng, mode, kind, half_pixel, samples, scale):
    roi = ROI if samples or not half_pixel else ROI[:4]  # onnx cannot sample a region of negative extent
    x = rng.standard_normal((2, 3, 10, 12)).astype(np.float32)
    image = np.array([0, 1, 1, 0, 1], np.int64)[: len(roi)]
    want = onnx_run("RoiAlign", [x, roi, image], mode=mode, output_height=3, output_width=2, sampling_ratio=samples,
                    spatial_scale=scale, coordinate_transformation_mode="half_pixel" if half_pixel
                    else "output_half_pixel")  # fmt: skip
    got = ref.run("roi_align", [x, roi, image], [("f32", (len(roi), 3, 3, 2))], kind=kind, half_pixel=half_pixel,
                  samples=samples, height=3, width=2, spatial_scale=scale)  # fmt: skip
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5)


def bins(x, roi, image, height, width, scale):
    y = np.zeros((len(roi), x.shape[1], height, width))
    away = lambda v: int(np.sign(v) * np.floor(abs(v) + 0.5))  # noqa: E731
    for r, i in np.ndindex(len(roi), height):
        x1, y1, x2, y2 = (away(v * scale) for v in roi[r])
        h, w = max(y2 - y1 + 1, 1), max(x2 - x1 + 1, 1)
        for j in range(width):
            rows = range(y1 + i * h // height, y1 - (-(i + 1) * h // height))
            columns = range(x1 + j * w // width, x1 - (-(j + 1) * w // width))
            part = [x[image[r], :, a, b] for a in rows for b in columns
                    if 0 <= a < x.shape[2] and 0 <= b < x.shape[3]]  # fmt: skip
            if part:
                y[r, :, i, j] = np.max(part, axis=0)
    return y


@pytest.mark.parametrize("scale", [1.0, 0.5, 0.0625])
def test_bins_of_a_region_take_the_largest_element(ref, rng, scale):
    x = rng.standard_normal((2, 3, 10, 12))
    image = np.array([0, 1, 1, 0, 1], np.int32)
    got = ref.run("roi_align", [x, ROI, image], [("f64", (5, 3, 3, 4))], kind=3, height=3, width=4,
                  spatial_scale=scale)  # fmt: skip
    np.testing.assert_array_equal(got, bins(x, ROI, image, 3, 4, scale))


@pytest.mark.parametrize(
    "roi, image, text",
    [
        ([0, 0, 1, 1], 2, "image 2 of region 0 is outside \\[0, 1\\]"),
        ([0, 0, 1, 1], -1, "image -1 of region 0"),
        ([0, NAN, 1, 1], 0, "corner 1 of region 0 is nan"),
        ([0, 0, 3e9, 1], 0, "corner 2 of region 0 is 3e\\+09"),
        ([0, 0, 1e7, 1e7], 0, "region 0 needs 25000000000000 points a bin"),
    ],
)
def test_roi_align_reports_regions_that_make_no_sense(ref, roi, image, text):
    x = np.zeros((2, 1, 4, 4), np.float32)
    with pytest.raises(OpError, match=text) as e:
        ref.run("roi_align", [x, np.array([roi], np.float32), np.array([image], np.int64)], [("f32", (1, 1, 2, 2))],
                kind=1, height=2, width=2, spatial_scale=1.0)  # fmt: skip
    assert e.value.status == C["E_FAULT"] & 0xFFFF


def test_roi_align_keeps_nan_and_gives_0_outside(ref):
    x = np.full((1, 1, 4, 4), -1, np.float32)
    x[0, 0, 1, 1] = NAN
    roi = np.array([[1, 1, 1, 1], [8, 8, 9, 9]], np.float32)
    for kind in (1, 2, 3):
        got = ref.run("roi_align", [x, roi, np.zeros(2, np.int64)], [("f32", (2, 1, 1, 1))], kind=kind,
                      height=1, width=1, spatial_scale=1.0).ravel()  # fmt: skip
        assert np.isnan(got[0]) and got[1] == 0
