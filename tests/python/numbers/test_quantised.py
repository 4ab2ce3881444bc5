# SPDX-License-Identifier: Apache-2.0
"""quant_matmul and dynamic_quantise against NumPy, on the reference and on the CPU."""

import ml_dtypes
import numpy as np
import pytest
from raw_plugin import C, DTYPE, SERIAL, OpError, Packed, Typed

NP = {
    "i8": np.int8,
    "u8": np.uint8,
    "e4m3fn": ml_dtypes.float8_e4m3fn,
    "e5m2": ml_dtypes.float8_e5m2,
    "e2m1": ml_dtypes.float4_e2m1fn,
}
F32, I32 = DTYPE["f32"], DTYPE["i32"]


def codes_of(rng, name, shape):
    """Random codes as an operand, and their values."""
    bits = SERIAL[name][1]
    codes = rng.integers(0, 2**bits, shape).astype(np.uint8)
    if name in ("e4m3fn", "e5m2"):
        codes &= 0xBB  # no NaN, no infinity
    if name in NP:
        values = codes.view(NP[name]).astype(np.float64)
    else:
        values = codes.astype(np.float64)
        if name[0] == "i":
            values -= (codes >> (bits - 1)).astype(np.float64) * 2**bits
    if bits < 8:
        return Packed(codes, name), values
    return (codes.view(NP[name]) if name in ("i8", "u8") else Typed(codes, name)), values


def spread(x, group, k, axis):
    return np.repeat(x, group, axis).take(range(k), axis)


def near(got, want, magnitude, k):
    np.testing.assert_array_less(np.abs(got - want), 2.0**-23 * (k + 4) * magnitude + 1e-30)


INTS, FLOATS = ["i8", "u8", "i4", "u4", "i2", "u2"], ["e4m3fn", "e5m2", "e2m1"]


# Only integers have zeros.
@pytest.mark.parametrize("name, zeros", [(n, False) for n in INTS + FLOATS] + [(n, True) for n in INTS])
@pytest.mark.parametrize("m, k, n, group", [(1, 64, 17, 32), (3, 70, 9, 16), (40, 33, 65, 33), (2, 5, 3, 3)])
def test_weights_by_groups(plugin, name, m, k, n, group, zeros):
    rng = np.random.default_rng(m * k + n)
    a = rng.standard_normal((m, k)).astype(np.float32)
    b, values = codes_of(rng, name, (k, n))
    n_groups = -(-k // group)
    scale = rng.uniform(0.1, 1, (n_groups, n)).astype(np.float32)
    zero = rng.integers(0, 3, (n_groups, n)).astype(np.uint8)
    if zeros:
        values = values - spread(zero.astype(float), group, k, 0)
    plain = values * spread(scale, group, k, 0).astype(float)
    inputs = [a, b, None, None, scale, zero if zeros else None]
    got = plugin.run("quant_matmul", inputs, [("f32", (m, n))], acc_dtype=F32, b_group=group)
    near(got, a.astype(float) @ plain, np.abs(a).astype(float) @ np.abs(plain), k)


def test_nf4_codes_are_the_numbers_of_qlora(plugin):
    table = [-1.0, -0.6961928, -0.52507305, -0.39491749, -0.28444138, -0.18477343, -0.09105004, 0.0]
    table += [0.0795803, 0.1609302, 0.2461123, 0.33791524, 0.44070983, 0.562617, 0.72295684, 1.0]
    b = Packed(np.arange(16, dtype=np.uint8).reshape(1, 16), "u4")
    one = np.ones((1, 1), np.float32)
    got = plugin.run("quant_matmul", [one, b, None, None, None, None], [("f32", (1, 16))], acc_dtype=F32,
                     b_code=C["WEIGHT_NF4"])
    np.testing.assert_allclose(got[0], table, rtol=0, atol=5e-9)
    # They are the quantiles that the paper's construction gives.
    from statistics import NormalDist

    offset = 0.5 * ((1 - 1 / 30) + (1 - 1 / 32))
    positive = [NormalDist().inv_cdf(p) for p in np.linspace(offset, 0.5, 9)[:-1]]
    negative = [-NormalDist().inv_cdf(p) for p in np.linspace(offset, 0.5, 8)[:-1]]
    want = np.sort(positive + [0.0] + negative) / max(positive)
    np.testing.assert_allclose(got[0], want, atol=2e-3)


@pytest.mark.parametrize("a_name, b_name", [("u8", "i8"), ("i8", "i8"), ("u8", "u8"), ("i8", "i4")])
def test_integer_sums_with_zeros_are_exact(plugin, a_name, b_name):
    rng = np.random.default_rng(2)
    (a, x), (b, y) = codes_of(rng, a_name, (7, 301)), codes_of(rng, b_name, (301, 35))
    za = np.array([[3], [7], [0], [100], [1], [2], [5]], NP[a_name])
    zb = rng.integers(0, 8, (1, 35)).astype(np.int8)
    got = plugin.run("quant_matmul", [a, b, None, za, None, zb], [("i32", (7, 35))], acc_dtype=I32)
    np.testing.assert_array_equal(got, (x - za) @ (y - zb))
    got = plugin.run("quant_matmul", [a, b, None, None, None, None], [("i32", (7, 35))], acc_dtype=I32)
    np.testing.assert_array_equal(got, x @ y)


def test_activations_and_weights_with_scales(plugin):
    rng = np.random.default_rng(5)
    for names in (("i8", "i8"), ("e4m3fn", "e4m3fn"), ("i8", "i4"), ("e5m2", "e2m1")):
        (a, x), (b, y) = codes_of(rng, names[0], (2, 9, 40)), codes_of(rng, names[1], (40, 33))
        sa = rng.uniform(0.1, 1, (2, 9, 1)).astype(np.float32)
        sb = rng.uniform(0.1, 1, (1, 33)).astype(np.float16)
        got = plugin.run("quant_matmul", [a, b, sa, None, sb, None], [("f32", (2, 9, 33))], acc_dtype=F32)
        left, right = x * sa, y * sb.astype(float)
        near(got, left @ right, np.abs(left) @ np.abs(right), 40)


@pytest.mark.parametrize(
    "change, text",
    [
        (dict(acc_dtype=I32), "acc_dtype i32 needs integers with integer zeros and no scales"),
        (dict(b_group=16), "dim 0 of b_scale is 2, must be the number of groups, 4"),
        (dict(b_code=C["WEIGHT_NF4"]), "b_code NF4 needs b in u4 without b_zero, b is i8"),
        (dict(acc_dtype=DTYPE["f64"]), "acc_dtype is f64, must be f32 or i32"),
    ],
)
def test_descriptors_without_sense_are_refused(plugin, change, text):
    a, b, scale = np.zeros((2, 64), np.float32), np.zeros((64, 3), np.int8), np.zeros((2, 3), np.float32)
    with pytest.raises(OpError, match="quant_matmul") as e:
        plugin.run("quant_matmul", [a, b, None, None, scale, None], [("f32", (2, 3))],
                   **{**dict(acc_dtype=F32, b_group=32), **change})
    assert text in e.value.text


def dynamic(plugin, x, dtype, axis, block=0, zero=True):
    groups = 1 if block == 0 else -(-x.shape[axis] // block)
    shape = tuple(groups if i == axis else d for i, d in enumerate(x.shape))
    kind = NP[dtype] if dtype in ("i8", "u8") else np.uint8
    y, scale, offset = np.empty(x.shape, kind), np.empty(shape, np.float32), np.empty(shape, kind)
    outs = [Typed(y, dtype), scale] + ([Typed(offset, dtype)] if zero else [])
    plugin.run("dynamic_quantise", [x], outs, axis=axis, block=block, dtype=DTYPE[dtype])
    return y, scale, offset


def test_dynamic_u8_is_that_of_onnx(plugin):
    """DynamicQuantizeLinear of onnx's own reference."""
    import onnx
    from onnx.reference import ReferenceEvaluator

    model = onnx.parser.parse_model(
        '<ir_version: 8, opset_import: ["": 18]> g (float[N] x) => (uint8[N] y, float s, uint8 z)'
        " { y, s, z = DynamicQuantizeLinear(x) }"
    )
    rng = np.random.default_rng(8)
    for n in (1, 7, 1000, 40000):
        x = (rng.standard_normal(n) * 3).astype(np.float32)
        y, s, z = ReferenceEvaluator(model).run(None, {"x": x})
        got = dynamic(plugin, x, "u8", 0)
        np.testing.assert_array_equal(got[1][0], s)
        assert got[2][0] == z
        np.testing.assert_array_equal(got[0], y)


@pytest.mark.parametrize("block", [0, 32])
def test_dynamic_i8_rows_have_their_own_scale(plugin, block):
    rng = np.random.default_rng(1)
    x = (rng.standard_normal((5, 100)) * [[1], [10], [1e-3], [0], [1e6]]).astype(np.float32)
    y, scale, _ = dynamic(plugin, x, "i8", 1, block, zero=False)
    width = block or 100
    for g in range(scale.shape[1]):
        part = x[:, g * width : (g + 1) * width]
        top = np.abs(part).max(1)
        want = np.where(top == 0, np.float32(1), top / np.float32(127)).astype(np.float32)
        np.testing.assert_array_equal(scale[:, g], want)
        np.testing.assert_array_equal(y[:, g * width : (g + 1) * width], np.rint(part / want[:, None]))


def test_dynamic_e4m3_uses_its_whole_range(plugin):
    rng = np.random.default_rng(4)
    x = rng.standard_normal((3, 64)).astype(np.float32)
    y, scale, _ = dynamic(plugin, x, "e4m3fn", 1, zero=False)
    np.testing.assert_array_equal(scale[:, 0], np.abs(x).max(1) / np.float32(448))
    want = (x / scale).astype(ml_dtypes.float8_e4m3fn).view(np.uint8)
    np.testing.assert_array_equal(y, want)


def test_dynamic_refuses_what_needs_a_zero(plugin):
    with pytest.raises(OpError) as e:
        dynamic(plugin, np.zeros((2, 2), np.float32), "u8", 1, zero=False)
    assert "y is u8, which needs an output zero" in e.value.text
