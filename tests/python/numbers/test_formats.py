# SPDX-License-Identifier: Apache-2.0
"""Every code of every small number format, and every rounding to it, against ml_dtypes and NumPy."""

import ml_dtypes
import numpy as np
import pytest
from raw_plugin import C, SERIAL, Descriptor, Packed, Plugin, Program, Typed

FLOATS = {
    "f16": np.float16,
    "bf16": ml_dtypes.bfloat16,
    "e4m3fn": ml_dtypes.float8_e4m3fn,
    "e5m2": ml_dtypes.float8_e5m2,
    "e8m0": ml_dtypes.float8_e8m0fnu,
    "e4m3fnuz": ml_dtypes.float8_e4m3fnuz,
    "e5m2fnuz": ml_dtypes.float8_e5m2fnuz,
    "e2m1": ml_dtypes.float4_e2m1fn,
}
INTS = ["i8", "u8", "i16", "u16", "i4", "u4", "i2", "u2"]
SATURATE, UP, DOWN = C["INSN_SATURATE"], C["INSN_ROUND_UP"], C["INSN_ROUND_DOWN"]


def bits_of(name):
    return SERIAL[name][1]


def operand(codes, name):
    codes = np.asarray(codes)
    if bits_of(name) < 8:
        return Packed(codes, name)
    plain = {8: np.uint8, 16: np.uint16, 32: np.uint32, 64: np.uint64}[bits_of(name)]
    return Typed(np.ascontiguousarray(codes.astype(plain)), name)


def cast(plugin, x, name, to, flags=0):
    """Codes of `to` for the codes or values x of `name`."""
    x = x if isinstance(x, Typed) else Typed(x, name)
    count = x.codes().size if isinstance(x, Packed) else x.bits.size
    y = operand(np.zeros(count, np.uint64), to)
    p = Program(0, 1, [("CAST", to, 0, {"flags": flags})], [1])
    plugin.run("pointwise", [x], [y], [p])
    return y.codes() if isinstance(y, Packed) else y.bits


def all_codes(name):
    return np.arange(2 ** bits_of(name))


def decoded(name):
    """Values of all codes as double, by an independent implementation."""
    kind = np.uint16 if bits_of(name) == 16 else np.uint8
    with np.errstate(invalid="ignore"):
        return all_codes(name).astype(kind).view(FLOATS[name]).astype(np.float64)


@pytest.mark.parametrize("name", FLOATS)
@pytest.mark.parametrize("to, kind", [("f64", np.float64), ("f32", np.float32)])
def test_every_code_has_the_value_of_ml_dtypes(plugin, name, to, kind):
    with np.errstate(invalid="ignore"):
        got = cast(plugin, operand(all_codes(name), name), name, to).view(kind).astype(np.float64)
    want = decoded(name)
    np.testing.assert_array_equal(got, want)
    numbers = ~np.isnan(want)
    np.testing.assert_array_equal(np.signbit(got)[numbers], np.signbit(want)[numbers])


def probes(name):
    """All numbers of the format, the middles between neighbours, both sides of each, and what lies outside."""
    values = np.unique(decoded(name)[np.isfinite(decoded(name))])
    middle = (values[1:] + values[:-1]) / 2
    beyond = values[-1] + (values[-1] - values[-2]) * np.array([0.5, 0.75, 1, 4])
    points = np.concatenate([values, middle, beyond, -beyond, values / 3, [1e30, -1e30, 1e-45, -1e-45]])
    points = np.concatenate([points, np.nextafter(points, np.inf), np.nextafter(points, -np.inf)])
    specials = [0.0, -0.0, np.inf, -np.inf, np.nan, -np.nan]
    return np.concatenate([points, specials])


def same_codes(name, got, want, x):
    """NaN may have any code of the format."""
    value = decoded(name)
    nan = np.isnan(value[got]) & np.isnan(value[want])
    bad = np.flatnonzero((got != want) & ~nan)
    assert bad.size == 0, f"{x[bad[0]]!r} becomes {got[bad[0]]:#x}, not {want[bad[0]]:#x}, and {bad.size - 1} more"


@pytest.mark.parametrize("name", FLOATS)
def test_every_rounding_from_f32_is_that_of_ml_dtypes(plugin, name):
    with np.errstate(over="ignore", invalid="ignore"):
        x = probes(name).astype(np.float32)
        x = np.concatenate([x, np.nextafter(x, np.float32(np.inf)), np.nextafter(x, np.float32(-np.inf))])
        want = x.astype(FLOATS[name]).view(np.uint16 if bits_of(name) == 16 else np.uint8)
    if name == "e2m1":
        want[np.isnan(x)] = 8  # ml_dtypes gives the zero of the other sign; here it is -0 for both
    if name == "e8m0":  # ml_dtypes does not round subnormal numbers to the nearest, and makes -0 NaN
        known = (np.abs(x) >= 2.0**-126) | np.isnan(x)
        x, want = x[known], want[known]
    same_codes(name, cast(plugin, x, "f32", name), want, x)


@pytest.mark.parametrize("name", FLOATS)
def test_rounding_from_f64_is_done_once(plugin, name):
    """The middles and their f64 neighbours, which rounding to f32 first would make ties."""
    value = decoded(name)
    finite = np.isfinite(value)
    order = np.flatnonzero(finite)[np.argsort(value[finite], kind="stable")]
    numbers, first = np.unique(value[order], return_index=True)
    codes = order[first]
    middle, low, high = (numbers[1:] + numbers[:-1]) / 2, codes[:-1], codes[1:]
    x = np.concatenate([np.nextafter(middle, -np.inf), np.nextafter(middle, np.inf)])
    got, want = cast(plugin, x, "f64", name), np.concatenate([low, high])
    np.testing.assert_array_equal(value[got], value[want])


# The flag is for integers and 8-bit floats.
@pytest.mark.parametrize("name", [n for n in FLOATS if n not in ("f16", "bf16")])
def test_saturation_gives_the_greatest_number(plugin, name):
    value = decoded(name)
    top = np.nanmax(value[np.isfinite(value)])
    x = np.array([1e30, np.inf, -1e30, -np.inf, 1.0, np.nan], np.float32)
    got = value[cast(plugin, x, "f32", name, SATURATE)]
    if name == "e8m0":  # 1e30 is within
        np.testing.assert_array_equal(got, [2.0**100, top, np.nan, np.nan, 1.0, np.nan])
    else:
        nan = np.nan if np.isnan(value).any() else -0.0
        np.testing.assert_array_equal(got, [top, top, -top, -top, 1.0, nan])


@pytest.mark.parametrize("flags", [UP, DOWN])
def test_e8m0_takes_the_power_on_the_side_that_is_asked_for(plugin, flags):
    rng = np.random.default_rng(3)
    x = np.abs(rng.integers(1, 0x7F800000, 20000, dtype=np.uint32).view(np.float32))
    powers = np.ldexp(1.0, np.arange(-127, 128)).astype(np.float32)
    x = np.concatenate([x, powers, np.nextafter(powers, np.float32(np.inf)), np.nextafter(powers, np.float32(0))])
    exponent = np.log2(x.astype(np.float64))
    mantissa, e = np.frexp(x.astype(np.float64))
    want = np.where((mantissa > 0.5) & (flags == UP), e, e - 1)
    assert np.all(np.abs(want - exponent) <= 1)
    want = np.clip(want + 127, 0, 254)
    np.testing.assert_array_equal(cast(plugin, x, "f32", "e8m0", flags | SATURATE), want)


def int_range(name):
    bits = bits_of(name)
    return (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if name[0] == "i" else (0, 2**bits - 1)


def int_values(name):
    codes = all_codes(name)
    return np.where(codes > int_range(name)[1], codes - 2 ** bits_of(name), codes)


@pytest.mark.parametrize("name", INTS)
def test_every_integer_code_has_its_value(plugin, name):
    got = cast(plugin, operand(all_codes(name), name), name, "f32").view(np.float32)
    np.testing.assert_array_equal(got, int_values(name))
    wide = cast(plugin, operand(all_codes(name), name), name, "i64").view(np.int64)
    np.testing.assert_array_equal(wide, int_values(name))


@pytest.mark.parametrize("name", INTS)
@pytest.mark.parametrize("source", ["f32", "f64", "i64", "i32"])
def test_casts_to_integers_wrap_or_saturate(plugin, name, source):
    low, high = int_range(name)
    kind = {"f32": np.float32, "f64": np.float64, "i64": np.int64, "i32": np.int32}[source]
    x = np.concatenate([np.arange(low - 40, high + 41), [10**6, -(10**6)]]).astype(kind)
    if source[0] == "f":
        x = np.concatenate([x, x + kind(0.75), x - kind(0.75)])
    whole = np.trunc(x.astype(np.float64)).astype(np.int64)
    mask = 2 ** bits_of(name) - 1
    np.testing.assert_array_equal(cast(plugin, x, source, name), whole & mask)
    np.testing.assert_array_equal(cast(plugin, x, source, name, SATURATE), np.clip(whole, low, high) & mask)


@pytest.mark.parametrize("name", INTS)
def test_nan_becomes_zero_and_infinities_saturate(plugin, name):
    low, high = int_range(name)
    x = np.array([np.nan, np.inf, -np.inf, 1e30, -1e30], np.float32)
    want = np.array([0, high, low, high, low]) & (2 ** bits_of(name) - 1)
    np.testing.assert_array_equal(cast(plugin, x, "f32", name, SATURATE), want)
    assert cast(plugin, x, "f32", name)[0] == 0


@pytest.mark.parametrize("name", list(FLOATS) + INTS)
@pytest.mark.parametrize("to", ["e4m3fn", "e2m1", "i4", "u2", "e8m0"])
def test_both_plugins_agree_on_casts_between_small_types(build_dir, name, to):
    ref, cpu = (Plugin(build_dir / f"lib/opmux/opmux_{n}.so") for n in ("reference", "cpu"))
    x = operand(all_codes(name), name)
    for flags in (0, SATURATE):
        np.testing.assert_array_equal(cast(ref, x, name, to, flags), cast(cpu, x, name, to, flags))


@pytest.mark.parametrize("name", ["i4", "u4", "i2", "u2", "e2m1"])
@pytest.mark.parametrize("n", [1, 2, 3, 7, 64, 129, 70001])
def test_elements_of_less_than_a_byte_leave_the_rest_of_the_last_byte(plugin, name, n):
    rng = np.random.default_rng(n)
    values = rng.integers(0, 2, n).astype(np.float32)
    y = Packed(np.zeros(n, np.uint8), name)
    y.bits[:] = 0xFF
    p = Program(0, 1, [("CAST", name, 0)], [1])
    plugin.run("pointwise", [values], [y], [p])
    back = np.empty(n, np.float32)
    plugin.run("pointwise", [y], [back], [Program(0, 1, [("CAST", "f32", 0)], [1])])
    np.testing.assert_array_equal(back, values)
    spare = y.bits.size * 8 - n * bits_of(name)
    assert int(y.bits[-1]) >> (8 - spare) == 2**spare - 1


@pytest.mark.parametrize("name", ["i4", "u2", "e2m1"])
def test_small_elements_are_read_and_written_through_odd_strides(plugin, name):
    """A transposed source and a reversed, gapped target: single elements of shared bytes move."""
    rng = np.random.default_rng(5)
    codes = rng.integers(0, 2 ** bits_of(name), (37, 11)).astype(np.uint8)
    x, y = Packed(codes, name), Packed(np.zeros((37, 22), np.uint8), name)
    d = Descriptor("pointwise", [x], [y], [Program(0, 1, [("CAST", name, 0)], [1])])
    t = d.struct.outputs[0]
    t.dim[0], t.dim[1], t.stride[0], t.stride[1] = 37, 11, 22, 2
    plugin.execute(d)
    np.testing.assert_array_equal(y.codes()[:, ::2], codes)
    assert not y.codes()[:, 1::2].any()
