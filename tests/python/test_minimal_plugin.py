# SPDX-License-Identifier: Apache-2.0
"""samples/01-minimal-plugin is built with one plain command and works."""

import subprocess

import numpy as np
import pytest
from raw_plugin import C, DTYPE, Descriptor, OpError, Plugin


@pytest.fixture(scope="module")
def library(root, tmp_path_factory):
    out = tmp_path_factory.mktemp("minimal") / "x.so"
    source = root / "samples/01-minimal-plugin/plugin.c"
    command = ["cc", "-shared", "-fPIC", "-I", "sdk/include", "-I", "sdk", str(source), "-o", str(out)]
    made = subprocess.run(command, cwd=root, capture_output=True, text=True)
    assert made.returncode == 0 and made.stderr == "", made.stderr
    return out


def test_the_sample_is_short(root):
    assert len((root / "samples/01-minimal-plugin/plugin.c").read_text().splitlines()) < 120


def test_the_library_exports_one_symbol(library):
    listing = subprocess.run(["nm", "-D", "--defined-only", library], capture_output=True, text=True, check=True)
    assert [line.split()[-1] for line in listing.stdout.splitlines()] == ["opmux_plugin_query"]


def test_the_library_carries_its_manifest(library):
    notes = subprocess.run(["readelf", "-n", library], capture_output=True, text=True, check=True).stdout
    assert "Opmux" in notes and b"minimal\0".hex(" ") in notes


@pytest.mark.parametrize("m, k, n", [(1, 1, 1), (3, 5, 4), (0, 2, 3), (2, 0, 3)])
def test_it_multiplies(library, m, k, n):
    rng = np.random.default_rng(1)
    a, b = rng.standard_normal((m, k)).astype(np.float32), rng.standard_normal((n, k)).astype(np.float32).T
    got = Plugin(library).run("matmul", [a, b], [("f32", (m, n))], acc_dtype=DTYPE["f32"])
    np.testing.assert_allclose(got, a @ b, rtol=1e-5, atol=1e-6)


def test_it_refuses_with_operand_and_both_numbers(library):
    plugin = Plugin(library)
    a, b, y = np.zeros((2, 3), np.float32), np.zeros((4, 2), np.float32), np.zeros((2, 2), np.float32)
    d = Descriptor("matmul", [a, b], [y], acc_dtype=DTYPE["f32"])
    cap = plugin.query(d)
    assert (cap.verdict, cap.why, cap.why_arg, cap.why_have, cap.why_limit) == (C["NO"], C["WHY_DIM"], 1, 4, 3)
    with pytest.raises(OpError, match="extent not supported: operand 1, axis 0 is 4, limit 3"):
        plugin.execute(d)
    with pytest.raises(OpError, match="operator unknown here"):
        plugin.run("copy", [a], [("f32", (2, 3))])
