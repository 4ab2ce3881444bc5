# SPDX-License-Identifier: Apache-2.0
"""The optional operands of attention, paged attention and its cache against NumPy."""

import numpy as np
import pytest
from raw_plugin import C, OpError

INF = float("inf")


def attention(q, k, v, causal=False, window=-1, shift=0, slopes=None, seen=None):
    """One sequence: q [Hq, S, D], k [Hkv, T, D], v [Hkv, T, Dv]; result and logarithm of the sum."""
    repeat = q.shape[0] // k.shape[0]
    k, v = np.repeat(k, repeat, axis=0), np.repeat(v, repeat, axis=0)
    s = q @ k.swapaxes(1, 2) / np.sqrt(q.shape[2])
    place, j = np.arange(q.shape[1])[:, None] + shift, np.arange(k.shape[1])[None, :]
    if slopes is not None:
        s = s - slopes[:, None, None] * np.abs(place - j)
    hidden = np.zeros(s.shape, bool) if seen is None else ~np.broadcast_to(seen, s.shape)
    hidden = hidden | (causal and j > place) | (window >= 0 and j < place - window)
    s = np.where(hidden, -INF, s)
    top = s.max(axis=2, keepdims=True, initial=-INF)
    p = np.exp(s - np.where(np.isfinite(top), top, 0))
    total = p.sum(axis=2, keepdims=True)
    with np.errstate(divide="ignore"):
        lse = np.where(np.isfinite(top), top, 0) + np.log(total)
    return np.where(total > 0, p / np.where(total > 0, total, 1), 0) @ v, lse[..., 0]


def run(ref, inputs, y_shape, **args):
    outputs = [("f64", y_shape), None, None, ("f32", y_shape[:3])]
    y, _, _, lse = ref.run("attention", inputs, outputs, **{"window": -1, **args})
    return y, lse


def close(got, want):
    np.testing.assert_allclose(got[0], want[0], rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(got[1], want[1], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("causal", [0, 1])
def test_slopes_bend_the_scores_by_distance(ref, rng, causal):
    q, k, v = (rng.standard_normal((1, h, n, 6)) for h, n in ((4, 5), (2, 9), (2, 9)))
    slopes = np.float32([0.5, 0.25, 0.125, -1])
    got = run(ref, [q, k, v, None, None, None, None, slopes], q.shape, causal=causal)
    y, lse = attention(q[0], k[0], v[0], causal, slopes=slopes.astype(np.float64))
    close(got, (y[None], lse[None]))


@pytest.mark.parametrize("given", ["q", "k", "both"])
@pytest.mark.parametrize("causal, window", [(0, -1), (1, -1), (1, 2)])
def test_lengths_cut_each_batch(ref, rng, given, causal, window):
    q, k, v = (rng.standard_normal((4, h, n, 6)) for h, n in ((4, 5), (2, 9), (2, 9)))
    q_len = np.array([5, 0, 3, 2]) if given != "k" else np.full(4, 5)
    k_len = np.array([9, 4, 0, 7]) if given != "q" else np.full(4, 9)
    inputs = [q, k, v, *[None] * 5, q_len.astype(np.int32) if given != "k" else None]
    got = run(ref, [*inputs, k_len if given != "q" else None], q.shape, causal=causal, window=window)
    y, lse = np.zeros(q.shape), np.full(q.shape[:3], -INF)
    for b, (m, n) in enumerate(zip(q_len, k_len)):
        y[b, :, :m], lse[b, :, :m] = attention(q[b, :, :m], k[b, :, :n], v[b, :, :n], causal, window, n - m)
    close(got, (y, lse))


@pytest.mark.parametrize("causal", [0, 1])
def test_packed_sequences_do_not_see_each_other(ref, rng, causal):
    q, k, v = (rng.standard_normal((1, h, n, 6)) for h, n in ((4, 12), (2, 20), (2, 20)))
    seen = rng.random((12, 20)) < 0.7
    q_start, k_start = np.array([1, 4, 4, 9, 11]), np.array([0, 5, 8, 19, 19], np.int32)
    got = run(ref, [q, k, v, seen, *[None] * 6, q_start, k_start], q.shape, causal=causal)
    y, lse = np.zeros(q.shape), np.full(q.shape[:3], -INF)
    for a, b, c, d in zip(q_start, q_start[1:], k_start, k_start[1:]):
        y[0, :, a:b], lse[0, :, a:b] = attention(
            q[0, :, a:b], k[0, :, c:d], v[0, :, c:d], causal, shift=(d - c) - (b - a), seen=seen[a:b, c:d]
        )
    close(got, (y, lse))


def test_blocks_are_a_coarse_mask(ref, rng):
    q, k, v = (rng.standard_normal((2, h, n, 6)) for h, n in ((4, 7), (2, 10), (2, 10)))
    blocks = rng.random((2, 1, 3, 4)) < 0.5
    seen = np.repeat(np.repeat(blocks, 3, axis=2), 3, axis=3)[:, :, :7, :10]
    got = run(ref, [q, k, v, *[None] * 9, blocks], q.shape, block_q=3, block_k=3)
    want = [attention(q[b], k[b], v[b], seen=seen[b]) for b in range(2)]
    close(got, (np.stack([w[0] for w in want]), np.stack([w[1] for w in want])))


@pytest.mark.parametrize(
    "operand, values, sentence",
    [
        (8, [6], r"attention: q_len\[0\] is 6, outside \[0, 5\]"),
        (9, [-1], r"attention: k_len\[0\] is -1, outside \[0, 9\]"),
        (10, [0, 3, 2], r"attention: q_start\[2\] is 2, outside \[3, 5\]"),
        (11, [0, 3, 10], r"attention: k_start\[2\] is 10, outside \[3, 9\]"),
    ],
)
def test_counts_out_of_range_are_faults(ref, operand, values, sentence):
    inputs = [np.zeros((1, 2, 5, 4)), np.zeros((1, 2, 9, 4)), np.zeros((1, 2, 9, 4)), *[None] * 9]
    if operand > 9:
        inputs[10] = inputs[11] = np.array([0, 3, 5])
    inputs[operand] = np.array(values)
    with pytest.raises(OpError, match=sentence) as e:
        run(ref, inputs, (1, 2, 5, 4))
    assert e.value.status == C["E_FAULT"]


@pytest.mark.parametrize("scaled", [0, 1])
@pytest.mark.parametrize("causal, window, alibi", [(1, -1, 0), (0, 3, 0), (1, 4, 1)])
def test_paged_attention_follows_its_table(ref, rng, scaled, causal, window, alibi):
    pages, page, kv_heads, heads, d, dv = 11, 3, 2, 4, 6, 5
    k = rng.standard_normal((pages, page, kv_heads, d)).astype(np.float32)
    v = rng.standard_normal((pages, page, kv_heads, dv)).astype(np.float32)
    k_scale = rng.random((pages, page, 1)).astype(np.float32) + 0.5
    v_scale = np.float32([0.5, 2])
    table = rng.permutation(pages)[:9].reshape(3, 3).astype(np.int32)
    table[1, 1:] = -77  # not in use
    k_len, q_start = np.array([8, 2, 0], np.int32), np.array([0, 3, 5, 6], np.int32)
    q = rng.standard_normal((7, heads, d)).astype(np.float32)
    slopes = np.float32([0.5, 0.25, 0.125, 1]) if alibi else None
    y, lse = ref.run(
        "paged_attention",
        [q, k, v, table, k_len, q_start, slopes, *([k_scale, v_scale] if scaled else [])],
        [("f32", (7, heads, dv)), ("f32", (7, heads))],
        causal=causal,
        window=window,
    )
    fold_k = (k.astype(np.float64) * (k_scale[..., None] if scaled else 1)).reshape(-1, kv_heads, d)
    fold_v = (v.astype(np.float64) * (v_scale[:, None] if scaled else 1)).reshape(-1, kv_heads, dv)
    want, want_lse = np.zeros((7, heads, dv)), np.full((7, heads), -INF)
    for b, (first, end, n) in enumerate(zip(q_start, q_start[1:], k_len)):
        rows = [table[b, j // page] * page + j % page for j in range(n)]
        got = attention(
            q[first:end].swapaxes(0, 1).astype(np.float64), fold_k[rows].swapaxes(0, 1), fold_v[rows].swapaxes(0, 1),
            causal, window, n - (end - first), slopes if slopes is None else slopes.astype(np.float64),
        )
        want[first:end], want_lse[first:end] = got[0].swapaxes(0, 1), got[1].swapaxes(0, 1)
    np.testing.assert_allclose(y, want, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(lse, want_lse, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    "name, operand, value, sentence",
    [
        ("page", 3, [[1, 4]], r"paged_attention: table\[1\] is 4, outside \[0, 3\]"),
        ("length", 4, [5], r"paged_attention: k_len\[0\] is 5, outside \[0, 4\]"),
        ("start", 5, [1, 0], r"paged_attention: q_start\[1\] is 0, outside \[1, 2\]"),
    ],
)
def test_paged_attention_names_what_is_out_of_range(ref, name, operand, value, sentence):
    pages = np.zeros((4, 2, 1, 4), np.float32)
    inputs = [np.zeros((2, 1, 4), np.float32), pages, pages, np.array([[1, 2]]), np.array([4]), np.array([0, 2])]
    inputs[operand] = np.array(value)
    with pytest.raises(OpError, match=sentence) as e:
        ref.run("paged_attention", inputs, [("f32", (2, 1, 4)), None], window=-1)
    assert e.value.status == C["E_FAULT"]


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_kv_append_puts_rows_into_slots(ref, rng, dtype):
    pages = rng.standard_normal((3, 4, 2, 5)).astype(dtype)
    x, slots = rng.standard_normal((5, 2, 5)).astype(np.float32), np.array([7, -1, 0, 11, 7])
    want = pages.copy()
    for row, slot in zip(x, slots):
        if slot >= 0:
            want[slot // 4, slot % 4] = row.astype(dtype)
    got, _ = ref.run("kv_append", [pages, x, slots], [pages, None], alias=[1, 0])
    np.testing.assert_array_equal(got, want)


def test_kv_append_divides_by_a_given_scale(ref, rng):
    pages = np.zeros((2, 2, 2, 6), np.int8)
    x = np.float32([[[1, -1, 2.5, 3.5, 1000, np.nan], [1, -1, 2.5, 3.5, -1000, 0]]])
    got, _ = ref.run("kv_append", [pages, x, np.array([3]), np.float32([[0.5, 0]])], [pages, None], alias=[1, 0])
    np.testing.assert_array_equal(got[1, 1], [[2, -2, 5, 7, 127, 0], [0] * 6])
    got, _ = ref.run("kv_append", [pages, x / 2, np.array([0])], [pages, None], alias=[1, 0])
    np.testing.assert_array_equal(got[0, 0], [[0, 0, 1, 2, 127, 0], [0, 0, 1, 2, -128, 0]])


def test_kv_append_finds_the_scale_of_each_row(ref, rng):
    pages, scale = np.zeros((2, 3, 2, 8), np.int8), np.full((2, 3, 2), 9, np.float32)
    x, slots = rng.standard_normal((2, 2, 8)).astype(np.float32), np.array([4, 1], np.int32)
    x[1, 1] = 0
    got, found = ref.run("kv_append", [pages, x, slots, scale], [pages, scale], alias=[1, 4])
    want = np.abs(x).max(axis=2) / np.float32(127)
    np.testing.assert_array_equal(found.reshape(6, 2)[slots], want)
    np.testing.assert_array_equal(found.reshape(6, 2)[[0, 2, 3, 5]], 9)
    rows = got.reshape(6, 2, 8)[slots]
    np.testing.assert_allclose(rows * want[..., None], x, atol=want.max() / 2 * 1.001)
    assert np.abs(rows).max(axis=2).ravel().tolist() == [127, 127, 127, 0]


@pytest.mark.parametrize("bad", [-2, 8])
def test_kv_append_refuses_slots_that_are_not_there(ref, bad):
    pages, x = np.zeros((4, 2, 1, 3), np.float32), np.zeros((2, 1, 3), np.float32)
    with pytest.raises(OpError, match=rf"kv_append: slots\[1\] is {bad}, outside \[-1, 7\]") as e:
        ref.run("kv_append", [pages, x, np.array([0, bad])], [pages, None], alias=[1, 0])
    assert e.value.status == C["E_FAULT"]
