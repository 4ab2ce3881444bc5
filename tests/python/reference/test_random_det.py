# SPDX-License-Identifier: Apache-2.0
"""random against the published words of Philox and its own definition, det against NumPy."""

import numpy as np
import pytest
from raw_plugin import C, NUMPY, OpError, Plugin


@pytest.fixture(scope="session")
def cpu(build_dir):
    return Plugin(build_dir / "lib/opmux/opmux_cpu.so")


def philox(counter, key):
    """Words of blocks, from Salmon et al. (2011); counter [4, n]."""
    c, k = [np.array(v, np.uint64) for v in counter], [np.uint64(v) for v in key]
    mask = np.uint64(0xFFFFFFFF)
    for _ in range(10):
        p, q = c[0] * np.uint64(0xD2511F53), c[2] * np.uint64(0xCD9E8D57)
        c = [(q >> np.uint64(32)) ^ c[1] ^ k[0], q & mask, (p >> np.uint64(32)) ^ c[3] ^ k[1], p & mask]
        k = [(k[0] + np.uint64(0x9E3779B9)) & mask, (k[1] + np.uint64(0xBB67AE85)) & mask]
    return np.stack(c, axis=-1)


def words(seed, offset, n):
    block = np.uint64(offset) + np.arange((n + 3) // 4, dtype=np.uint64)
    zero = np.zeros_like(block)
    counter = [block & np.uint64(0xFFFFFFFF), block >> np.uint64(32), zero, zero]
    return philox(counter, [seed & 0xFFFFFFFF, seed >> 32]).reshape(-1)[:n]


def test_the_generator_of_this_test_gives_the_published_words():
    """kat_vectors of Random123."""
    found = philox([[0], [0], [0], [0]], [0, 0])[0]
    np.testing.assert_array_equal(found, [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8])
    found = philox([[0x243F6A88], [0x85A308D3], [0x13198A2E], [0x03707344]], [0xA4093822, 0x299F31D0])[0]
    np.testing.assert_array_equal(found, [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1])


def draw(plugin, kind, seed, offset, a, b, dtype, shape, out=None):
    bounds = [np.array(v, NUMPY[dtype]) for v in (a, b)]
    outputs = [out if out is not None else (dtype, shape)]
    return plugin.run(
        "random", [np.array(seed, np.uint64), np.array(offset, np.uint64), *bounds], outputs, kind=C["RANDOM_" + kind]
    )


SEEDS = [(0, 0), (0x0123456789ABCDEF, 5), (2**64 - 1, 2**32 - 2)]


@pytest.mark.parametrize("plugin", ["ref", "cpu"])
@pytest.mark.parametrize("seed, offset", SEEDS)
def test_uniform_numbers_are_the_top_bits_of_the_words(request, plugin, seed, offset):
    plugin, n = request.getfixturevalue(plugin), 1001
    w = words(seed, offset, 2 * n)
    np.testing.assert_array_equal(
        draw(plugin, "UNIFORM", seed, offset, 0, 1, "f32", (7, 11, 13)).ravel(), (w[:n] >> np.uint64(8)) / 2.0**24
    )
    np.testing.assert_array_equal(
        draw(plugin, "UNIFORM", seed, offset, 0, 1, "f16", (n,)), (w[:n] >> np.uint64(21)) / 2.0**11
    )
    wide = w[::2] | w[1::2] << np.uint64(32)
    np.testing.assert_array_equal(
        draw(plugin, "UNIFORM", seed, offset, 0, 1, "f64", (n,)), (wide >> np.uint64(11)) / 2.0**53
    )


INTEGERS = {"i64": (-(2**63), 2**63 - 1), "u64": (3, 2**64 - 1), "i32": (-(2**31), 2**31 - 1), "u32": (7, 19)}
INTEGERS |= {"i16": (-300, 300), "u16": (0, 65535), "i8": (-128, 127), "u8": (0, 2)}


@pytest.mark.parametrize("plugin", ["ref", "cpu"])
@pytest.mark.parametrize("dtype", INTEGERS)
def test_integers_are_scaled_words(request, plugin, dtype):
    plugin, n, (a, b) = request.getfixturevalue(plugin), 1001, INTEGERS[dtype]
    w = [int(v) for v in words(9, 2, 2 * n)]
    if dtype.endswith("64"):
        want = [a + ((b - a) * (w[2 * i] | w[2 * i + 1] << 32) >> 64) for i in range(n)]
    else:
        want = [a + ((b - a) * w[i] >> 32) for i in range(n)]
    np.testing.assert_array_equal(draw(plugin, "UNIFORM", 9, 2, a, b, dtype, (n,)), np.array(want, NUMPY[dtype]))
    assert (draw(plugin, "UNIFORM", 9, 2, b, a, dtype, (5,)) == NUMPY[dtype](b)).all()


@pytest.mark.parametrize("plugin", ["ref", "cpu"])
@pytest.mark.parametrize("seed, offset", SEEDS)
def test_normal_numbers_are_those_of_box_and_muller(request, plugin, seed, offset):
    plugin, n = request.getfixturevalue(plugin), 1000
    w = words(seed, offset, 2 * n).astype(np.float64)
    m, turn = np.sqrt(-2 * np.log((w[:n:2] + 1) / 2**32)), 2 * np.pi * w[1:n:2] / 2**32
    want = np.stack([m * np.cos(turn), m * np.sin(turn)], axis=-1).ravel()
    got = draw(plugin, "NORMAL", seed, offset, -3, 0.5, "f32", (n,))
    np.testing.assert_allclose(got, -3 + 0.5 * want, rtol=1e-6, atol=1e-7)
    wide = words(seed, offset, 2 * n)
    wide = ((wide[::2] | wide[1::2] << np.uint64(32)) >> np.uint64(11)).astype(np.float64)
    m, turn = np.sqrt(-2 * np.log((wide[::2] + 1) / 2**53)), 2 * np.pi * wide[1::2] / 2**53
    want = np.stack([m * np.cos(turn), m * np.sin(turn)], axis=-1).ravel()
    np.testing.assert_allclose(
        draw(plugin, "NORMAL", seed, offset, 0, 1, "f64", (n,)), want, rtol=1e-12, atol=1e-13
    )


def test_a_million_normal_numbers_have_the_moments_of_the_distribution(cpu):
    z = draw(cpu, "NORMAL", 1, 0, 0, 1, "f32", (1 << 20,)).astype(np.float64)
    assert abs(z.mean()) < 5e-3 and abs(z.var() - 1) < 1e-2
    assert abs((z**3).mean()) < 2e-2 and abs((z**4).mean() - 3) < 5e-2
    u = draw(cpu, "UNIFORM", 1, 0, 0, 1, "f32", (1 << 20,)).astype(np.float64)
    counts = np.histogram(u, 64, (0, 1))[0]
    assert ((counts - 16384) ** 2 / 16384).sum() < 120  # chi-square with 63 degrees: 1e-5 lies at 119


@pytest.mark.parametrize("plugin", ["ref", "cpu"])
def test_an_offset_continues_the_stream_and_views_do_not_matter(request, plugin):
    plugin = request.getfixturevalue(plugin)
    whole = draw(plugin, "NORMAL", 3, 10, 0, 1, "f32", (64,))
    np.testing.assert_array_equal(draw(plugin, "NORMAL", 3, 12, 0, 1, "f32", (56,)), whole[8:])
    memory = np.zeros((4, 9, 16), np.float32)
    draw(plugin, "NORMAL", 3, 10, 0, 1, "f32", None, out=memory[::-1, 1::2, ::4].transpose(2, 0, 1)[:, :, :4])
    np.testing.assert_array_equal(memory[::-1, 1::2, ::4].transpose(2, 0, 1), whole.reshape(4, 4, 4))
    assert not memory[:, ::2].any()


def test_integers_have_no_normal_distribution(ref):
    with pytest.raises(OpError, match="the normal distribution is one of floats"):
        draw(ref, "NORMAL", 0, 0, 0, 1, "i32", (4,))


@pytest.mark.parametrize("plugin", ["ref", "cpu"])
@pytest.mark.parametrize("shape", [(1, 1), (2, 2), (5, 5), (2, 3, 4, 4), (40, 40), (3, 0, 0), (0, 2, 2)])
def test_det_agrees_with_numpy(request, rng, plugin, shape):
    x = rng.standard_normal(shape)
    got = request.getfixturevalue(plugin).run("det", [x], [("f64", shape[:-2])])
    np.testing.assert_allclose(got, np.linalg.det(x) if x.size else np.ones(shape[:-2]), rtol=1e-11)


def test_det_refuses_what_is_not_square(ref):
    with pytest.raises(OpError, match="det: dim 1 of x is 3, but dim 0 is 2: no square matrix"):
        ref.run("det", [np.zeros((2, 3))], [("f64", ())])
