# SPDX-License-Identifier: Apache-2.0
"""pointwise programs over special values, and the oracle's unrounded results."""

import math

import numpy as np
import pytest
from raw_plugin import C, DTYPE, Descriptor, OpError, Program

SPECIAL = np.array(
    [0.0, -0.0, 1, -1, 0.5, -0.5, 2.5, -2.5, 3, 1e-30, -1e-30, 1e30, 88, -88, 1e-40, np.inf, -np.inf, np.nan],
    np.float32,
)
vector = np.vectorize


def main(n_in, insns, outs):
    return Program(0, n_in, insns, outs)


def quiet(f):
    """math functions raise where IEEE 754 gives NaN or infinity."""

    def g(x):
        try:
            return f(x)
        except ValueError:
            return math.nan
        except OverflowError:
            return math.inf

    return vector(g, otypes=[np.float64])


def stable_sigmoid(x):
    return 0.0 if x < -700 else 1 / (1 + np.exp(-x))


UNARY = {
    "NEG": np.negative,
    "ABS": np.abs,
    "RECIPROCAL": lambda x: 1 / x,
    "SQRT": np.sqrt,
    "RSQRT": lambda x: 1 / np.sqrt(x),
    "EXP": np.exp,
    "EXPM1": np.expm1,
    "EXP2": np.exp2,
    "LOG": np.log,
    "LOG1P": np.log1p,
    "LOG2": np.log2,
    "SIN": np.sin,
    "COS": np.cos,
    "TAN": np.tan,
    "ASIN": np.arcsin,
    "ACOS": np.arccos,
    "ATAN": np.arctan,
    "SINH": np.sinh,
    "COSH": np.cosh,
    "TANH": np.tanh,
    "ASINH": np.arcsinh,
    "ACOSH": np.arccosh,
    "ATANH": np.arctanh,
    "ERF": quiet(math.erf),
    "ERFC": quiet(math.erfc),
    "FLOOR": np.floor,
    "CEIL": np.ceil,
    "ROUND": np.rint,
    "TRUNC": np.trunc,
    "SIGN": np.sign,
    "SIGMOID": vector(stable_sigmoid, otypes=[np.float64]),
    "RELU": lambda x: np.maximum(x, 0),
    "SOFTSIGN": lambda x: x / (1 + np.abs(x)),
    "SOFTPLUS": lambda x: np.logaddexp(x, 0),
    "SILU": lambda x: x * vector(stable_sigmoid, otypes=[np.float64])(x),
}


@pytest.mark.filterwarnings("ignore:.*:RuntimeWarning")
@pytest.mark.parametrize("fn", UNARY)
def test_unary_functions_over_special_values(ref, fn):
    got = ref.run("pointwise", [SPECIAL], [("f32", SPECIAL.shape)], [main(1, [(fn, "f32", 0)], [1])])
    want = UNARY[fn](SPECIAL.astype(np.float64)).astype(np.float32)
    np.testing.assert_allclose(got, want, rtol=1.2e-7, atol=1.5e-45)


@pytest.mark.filterwarnings("ignore:.*:RuntimeWarning")
@pytest.mark.parametrize(
    "fn, want",
    [
        ("ADD", np.add),
        ("SUB", np.subtract),
        ("MUL", np.multiply),
        ("DIV", np.divide),
        ("MOD", np.mod),
        ("FMOD", np.fmod),
        ("POW", np.power),
        ("MIN", np.minimum),
        ("MAX", np.maximum),
        ("ATAN2", np.arctan2),
    ],
)
def test_binary_functions_over_all_pairs_of_special_values(ref, fn, want):
    a, b = SPECIAL[:, None], SPECIAL[None, :]
    shape = (SPECIAL.size, SPECIAL.size)
    got = ref.run("pointwise", [a, b], [("f32", shape)], [main(2, [(fn, "f32", 0, 1)], [2])])
    wide = want(a.astype(np.float64), b.astype(np.float64))
    if fn == "MOD":  # NumPy leaves a finite dividend alone under an infinite divisor of the other sign
        wide = np.where(np.isinf(b) & np.isfinite(a) & (a != 0) & (np.signbit(a) != np.signbit(b)), b, wide)
    np.testing.assert_allclose(got, wide.astype(np.float32), rtol=1.2e-7, atol=1.5e-45)


@pytest.mark.parametrize(
    "fn, want",
    [
        ("EQ", np.equal),
        ("NE", np.not_equal),
        ("LT", np.less),
        ("LE", np.less_equal),
        ("GT", np.greater),
        ("GE", np.greater_equal),
    ],
)
def test_comparisons_over_all_pairs_of_special_values(ref, fn, want):
    a, b = SPECIAL[:, None], SPECIAL[None, :]
    got = ref.run("pointwise", [a, b], [("bool", (SPECIAL.size,) * 2)], [main(2, [(fn, "bool", 0, 1)], [2])])
    np.testing.assert_array_equal(got, want(a, b))


def test_a_program_has_several_outputs_of_several_types(ref, rng):
    x, y = rng.standard_normal((2, 3)).astype(np.float32), rng.standard_normal(3).astype(np.float32)
    prog = main(
        2,
        [("ADD", "f32", 0, 1), ("GT", "bool", 0, 1), ("SELECT", "f32", 3, 0, 1), ("CAST", "i64", 2)],
        [2, 3, 4, 5],
    )
    total, greater, larger, whole = ref.run(
        "pointwise", [x, y], [(t, (2, 3)) for t in ("f32", "bool", "f32", "i64")], [prog]
    )
    np.testing.assert_array_equal(total, x + y)
    np.testing.assert_array_equal(greater, x > y)
    np.testing.assert_array_equal(larger, np.maximum(x, y))
    np.testing.assert_array_equal(whole, np.trunc(x + y).astype(np.int64))


def test_every_value_of_a_program_rounds_to_its_type(ref):
    big, one = np.array([2048], np.float16), np.array([1], np.float16)
    prog = main(2, [("ADD", "f16", 0, 1), ("ADD", "f16", 2, 1)], [3])
    assert ref.run("pointwise", [big, one], [("f16", (1,))], [prog])[0] == 2048


def test_a_constant_program_has_no_inputs(ref):
    prog = main(0, [("CONST", "i32", {"imm": 0xFFFFFFFF})], [0])
    assert ref.run("pointwise", [], [("i32", (2, 2))], [prog]).tolist() == [[-1, -1], [-1, -1]]


def test_in_place_is_offered_for_equal_views_only(ref):
    x, prog = np.ones((2, 3), np.float32), main(2, [("ADD", "f32", 0, 1)], [2])
    d = Descriptor("pointwise", [x, np.ones((1, 3), np.float32)], [np.empty_like(x)], [prog])
    assert ref.query(d).inplace_mask == 1
    y = ref.run("pointwise", [x, np.ones((1, 3), np.float32)], [x], [prog], alias=[1])
    assert (y == 2).all()


def test_the_oracle_gives_matmul_before_rounding_and_its_magnitude(ref, rng):
    a, b = rng.standard_normal((3, 40)).astype(np.float32), rng.standard_normal((40, 2)).astype(np.float32)
    hi, lo, magnitude = ref.unrounded("matmul", [a, b], [("f32", (3, 2))], acc_dtype=DTYPE["f32"])
    np.testing.assert_allclose(hi + lo, a.astype(np.float64) @ b.astype(np.float64), rtol=1e-13, atol=1e-14)
    assert (hi != hi.astype(np.float32)).all()
    np.testing.assert_allclose(
        magnitude, np.abs(a.astype(np.float64)) @ np.abs(b.astype(np.float64)), rtol=1e-13
    )


def test_the_oracle_is_finer_than_f64(ref):
    a, b = np.array([[1.0, 2.0**-60]]), np.ones((2, 1))
    hi, lo, _ = ref.unrounded("matmul", [a, b], [("f64", (1, 1))], acc_dtype=DTYPE["f64"])
    assert hi[0, 0] == 1 and lo[0, 0] == 2.0**-60


def test_the_oracle_is_exact_for_integers(ref):
    x = np.array([2**62, 2**61, 1])
    hi, lo, magnitude = ref.unrounded("reduce", [x], [("i64", (1,))], kind=C["REDUCE_SUM"], axes=[0])
    assert int(hi[0]) + int(lo[0]) == 2**62 + 2**61 + 1


def test_the_oracle_leaves_the_last_instruction_of_a_program_unrounded(ref):
    x = np.array([1], np.float32)
    third = {"imm": int(np.float32(3).view(np.uint32))}
    prog = main(1, [("CONST", "f32", third), ("DIV", "f32", 0, 1)], [2])
    hi, _, magnitude = ref.unrounded("pointwise", [x], [("f32", (1,))], programs=[prog])
    assert hi[0] == 1 / 3 and magnitude[0] == 1 / 3


def test_the_oracle_wants_room_for_its_answer(ref):
    with pytest.raises(OpError, match="output 1 is not there"):
        ref.unrounded("copy", [np.zeros(3)], [("f64", (3,))], output=1)
