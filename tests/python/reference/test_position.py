# SPDX-License-Identifier: Apache-2.0
"""Rotary embedding against its definition by complex numbers."""

import numpy as np
import pytest
from raw_plugin import C, OpError


def caches(places, pairs):
    angle = np.arange(places)[:, None] / 10000 ** (np.arange(pairs) / max(pairs, 1))
    return np.cos(angle), np.sin(angle)


def turned(x, cosine, sine, interleaved):
    """x [B, H, S, D], cosine and sine [B, S, R]."""
    r = cosine.shape[-1]
    pair = (slice(0, 2 * r, 2), slice(1, 2 * r, 2)) if interleaved else (slice(0, r), slice(r, 2 * r))
    z = (x[..., pair[0]] + 1j * x[..., pair[1]]) * (cosine + 1j * sine)[:, None]
    y = x.copy()
    y[..., pair[0]], y[..., pair[1]] = z.real, z.imag
    return y


@pytest.mark.parametrize("interleaved", [0, 1])
@pytest.mark.parametrize(
    "shape, pairs", [((2, 3, 5, 8), 4), ((1, 2, 3, 7), 3), ((1, 2, 3, 10), 2), ((1, 1, 1, 1), 0), ((2, 2, 0, 8), 4)]
)
def test_rotary_turns_pairs_as_complex_numbers(ref, rng, shape, pairs, interleaved):
    x = rng.standard_normal(shape)
    positions = rng.integers(0, 9, (shape[0], shape[2]))
    cosine, sine = caches(9, pairs)
    want = turned(x, cosine[positions], sine[positions], interleaved)
    for index in (np.int32, np.int64):
        y = ref.run("rotary", [x, cosine, sine, positions.astype(index)], [("f64", shape)], interleaved=interleaved)
        np.testing.assert_allclose(y, want, rtol=1e-14, atol=1e-15)
    y = ref.run("rotary", [x, cosine[positions], sine[positions]], [("f64", shape)], interleaved=interleaved)
    np.testing.assert_allclose(y, want, rtol=1e-14, atol=1e-15)


def test_rotary_keeps_lengths_and_angles_between_tokens(ref, rng):
    """The product of two turned vectors depends on the distance of their positions alone."""
    q, k = rng.standard_normal((1, 1, 1, 8)), rng.standard_normal((1, 1, 1, 8))
    cosine, sine = caches(64, 4)

    def at(x, position):
        return ref.run("rotary", [x, cosine, sine, np.array([[position]])], [("f64", x.shape)]).ravel()

    np.testing.assert_allclose(at(q, 5) @ at(k, 2), at(q, 43) @ at(k, 40), rtol=1e-12)
    np.testing.assert_allclose(at(q, 63) @ at(q, 63), np.sum(q * q), rtol=1e-12)


@pytest.mark.parametrize("bad", [9, -1])
def test_rotary_names_the_position_that_is_out_of_range(ref, bad):
    x, (cosine, sine) = np.zeros((1, 1, 2, 8)), caches(9, 4)
    with pytest.raises(OpError, match=rf"rotary: position {bad} of token 1 is outside \[0, 8\]") as e:
        ref.run("rotary", [x, cosine, sine, np.array([[0, bad]])], [("f64", x.shape)])
    assert e.value.status == C["E_FAULT"]
