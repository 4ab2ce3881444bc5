# SPDX-License-Identifier: Apache-2.0
"""sample and speculative against their definition in NumPy, and their statistics."""

import numpy as np
import pytest
from raw_plugin import OpError


def uniform(ref, seed, offset, n):
    scalars = [np.array(seed, np.uint64), np.array(offset, np.uint64), np.array(0.0), np.array(1.0)]
    return ref.run("random", scalars, [("f64", (n,))], kind=1)


def expected(row, u, temperature=1.0, top_k=0, top_p=1.0, min_p=0.0, penalty=1.0, history=()):
    row = row.astype(np.float64)
    for t in {t for t in history if 0 <= t < len(row)}:
        row[t] = row[t] / penalty if row[t] > 0 else row[t] * penalty
    if temperature == 0:
        return int(np.argmax(row)), 1.0
    w = np.exp((row - row.max()) / temperature)
    order = np.lexsort((np.arange(len(row)), -row))
    kept = order[:top_k] if top_k else order
    if top_p < 1:
        run = np.concatenate([[0], np.cumsum(w[kept])[:-1]])
        kept = kept[(run < top_p * w[kept].sum()) | (np.arange(len(kept)) == 0)]
    kept = np.sort(kept[w[kept] >= min_p])
    run, total = np.cumsum(w[kept]), w[kept].sum()
    at = kept[min(np.searchsorted(run, u * total, side="right"), len(kept) - 1)]
    return int(at), w[at] / total


def run(ref, logits, seed=5, offset=0, history=None, **given):
    settings = dict(temperature=1.0, top_k=0, top_p=1.0, min_p=0.0, penalty=1.0) | given
    inputs = [logits]
    inputs += [np.array(v, np.int64 if k == "top_k" else np.float32) for k, v in settings.items()]
    inputs += [np.array(seed, np.uint64), np.array(offset, np.uint64), history]
    rows = logits.shape[0]
    return ref.run("sample", inputs, [("i64", (rows,)), ("f32", (rows,))])


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"temperature": 0.0},
        {"temperature": 0.5, "top_k": 7},
        {"temperature": 2.0, "top_p": 0.75},
        {"min_p": 0.25},
        {"temperature": 1.5, "top_k": 20, "top_p": 0.5, "min_p": 0.125, "penalty": 1.5},
        {"top_p": 2.0**-20},
    ],
)
def test_tokens_are_those_of_the_definition(ref, rng, settings):
    logits = (rng.standard_normal((200, 33)) * 3).astype(np.float32)
    history = rng.integers(-1, 40, (200, 5))
    token, probability = run(ref, logits, history=history, **settings)
    u = uniform(ref, 5, 0, 200)
    want = [expected(logits[r], u[r], history=history[r], **settings) for r in range(200)]
    np.testing.assert_array_equal(token, [w[0] for w in want])
    np.testing.assert_allclose(probability, [w[1] for w in want], rtol=1e-6)


def test_equal_seeds_give_equal_tokens_and_others_do_not(ref, rng):
    logits = rng.standard_normal((64, 100)).astype(np.float32)
    first = run(ref, logits)[0]
    np.testing.assert_array_equal(run(ref, logits)[0], first)
    assert (run(ref, logits, seed=6)[0] != first).any() and (run(ref, logits, offset=1)[0] != first).any()


def test_tokens_come_as_often_as_their_probability_says(ref):
    p = np.array([0.5, 0.2, 0.15, 0.1, 0.05])
    token, _ = run(ref, np.tile(np.log(p), (20000, 1)))
    counts = np.bincount(token, minlength=5)
    assert ((counts - 20000 * p) ** 2 / (20000 * p)).sum() < 23.5  # chi-square with 4 degrees: 1e-4 lies there


@pytest.mark.parametrize(
    "settings, sentence",
    [
        ({"temperature": -0.5}, "temperature is -0.5, must be 0 or more"),
        ({"top_k": -1}, "top_k is -1, must be 0 or more"),
        ({"top_p": 1.5}, "top_p is 1.5, must be above 0 and at most 1"),
        ({"min_p": -1}, "min_p is -1, must be 0 to 1"),
        ({"penalty": float("nan")}, "penalty is nan, must be above 0"),
    ],
)
def test_settings_that_make_no_sense_are_faults(ref, settings, sentence):
    with pytest.raises(OpError, match=sentence):
        run(ref, np.zeros((1, 3), np.float32), **settings)


def speculate(ref, draft, q, p, seed, offset=0):
    rows, drafted = draft.shape
    inputs = [draft, q, p, np.array(seed, np.uint64), np.array(offset, np.uint64)]
    return ref.run("speculative", inputs, [("i64", (rows, drafted + 1)), ("i64", (rows,))])


def test_accepted_tokens_come_first_then_one_and_nothing(ref, rng):
    rows, drafted, n = 300, 4, 9
    q, p = rng.dirichlet(np.ones(n), (rows, drafted)), rng.dirichlet(np.ones(n), (rows, drafted + 1))
    draft = rng.integers(0, n, (rows, drafted))
    token, count = speculate(ref, draft, q, p, 11)
    u = uniform(ref, 11, 0, rows * (2 * drafted + 2)).reshape(rows, -1)
    for r in range(rows):
        n_ok = 0
        while n_ok < drafted and u[r, n_ok] * q[r, n_ok, draft[r, n_ok]] < p[r, n_ok, draft[r, n_ok]]:
            n_ok += 1
        weight = np.maximum(p[r, n_ok] - q[r, n_ok], 0) if n_ok < drafted else p[r, n_ok]
        drawn = np.searchsorted(np.cumsum(weight), u[r, drafted + 1 + n_ok] * weight.sum(), side="right")
        want = [*draft[r, :n_ok], drawn] + [-1] * (drafted - n_ok)
        np.testing.assert_array_equal(token[r], want)
        assert count[r] == n_ok + 1


def test_the_first_token_keeps_the_distribution_of_the_target(ref, rng):
    """Chi-square over 40000 rows whose drafts follow q, quite another distribution than p."""
    rows, p, q = 40000, np.array([0.1, 0.4, 0.3, 0.2, 0.0]), np.array([0.5, 0.1, 0.1, 0.1, 0.2])
    draft = rng.choice(5, (rows, 1), p=q)
    token, count = speculate(ref, draft, np.tile(q, (rows, 1, 1)), np.tile(p, (rows, 2, 1)), 17)
    first = np.bincount(token[:, 0], minlength=5)
    assert first[4] == 0
    assert ((first[:4] - rows * p[:4]) ** 2 / (rows * p[:4])).sum() < 21.1  # 3 degrees: 1e-4 lies there
    second = np.bincount(token[count == 2, 1], minlength=5)
    total = second.sum()
    assert abs(total / rows - np.minimum(p, q).sum()) < 0.01
    assert ((second[:4] - total * p[:4]) ** 2 / (total * p[:4])).sum() < 21.1


def test_speculative_reports_a_draft_out_of_range(ref):
    with pytest.raises(OpError, match=r"draft token 3 of row 0 is outside \[0, 2\]"):
        speculate(ref, np.array([[3]]), np.ones((1, 1, 3)), np.ones((1, 2, 3)), 1)
