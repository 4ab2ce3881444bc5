# SPDX-License-Identifier: Apache-2.0
"""grouped_matmul against NumPy, on the reference and on the CPU."""

import numpy as np
import pytest
from raw_plugin import DTYPE, OpError


@pytest.mark.parametrize(
    "name, kind, eps", [("f32", np.float32, 1e-6), ("f64", np.float64, 1e-14), ("f16", np.float16, 2e-3)]
)
@pytest.mark.parametrize("offsets", [[0, 31], [0, 4, 4, 20, 31], [3, 10, 29], [0, 0, 0], [5]])
def test_each_row_meets_the_matrix_of_its_group(plugin, name, kind, eps, offsets):
    rng = np.random.default_rng(len(offsets))
    a = rng.standard_normal((31, 17)).astype(kind)
    b = rng.standard_normal((len(offsets) - 1, 17, 9)).astype(kind)
    want = np.zeros((31, 9))
    for g, (low, high) in enumerate(zip(offsets, offsets[1:])):
        want[low:high] = a[low:high].astype(np.float64) @ b[g].astype(np.float64)
    acc = DTYPE["f64" if name == "f64" else "f32"]
    got = plugin.run("grouped_matmul", [a, b, np.array(offsets, np.int32)], [(name, (31, 9))], acc_dtype=acc)
    np.testing.assert_allclose(got.astype(np.float64), want, rtol=eps, atol=eps * 10)


@pytest.mark.parametrize("offsets, text", [([0, 5, 4], "offset 4 at position 2 is outside [5, 6]"),
                                           ([-2, 5, 6], "offset -2 at position 0 is outside [0, 6]"),
                                           ([0, 5, 7], "offset 7 at position 2 is outside [5, 6]")])
def test_bad_offsets_are_a_fault_of_the_run(plugin, offsets, text):
    a, b = np.zeros((6, 3), np.float32), np.zeros((2, 3, 4), np.float32)
    with pytest.raises(OpError) as e:
        plugin.run("grouped_matmul", [a, b, np.array(offsets, np.int32)], [("f32", (6, 4))], acc_dtype=DTYPE["f32"])
    assert text in e.value.text


def test_offsets_must_be_one_more_than_the_matrices(plugin):
    a, b = np.zeros((6, 3), np.float32), np.zeros((2, 3, 4), np.float32)
    with pytest.raises(OpError) as e:
        plugin.run("grouped_matmul", [a, b, np.zeros(2, np.int32)], [("f32", (6, 4))], acc_dtype=DTYPE["f32"])
    assert "dim 0 of offsets is 2, must be 3, one more than the matrices of b" in e.value.text
