# SPDX-License-Identifier: Apache-2.0
"""The composer of GPU kernel texts."""

import subprocess
import sys
from pathlib import Path

import pytest

KERNELS = Path(__file__).resolve().parents[2] / "plugins/gpu/kernels"
sys.path.insert(0, str(KERNELS))
import compose  # noqa: E402  (a script beside the texts, not a package)

FILES = ["body/matmul.h", "body/pointwise.h"]


def test_opencl_holds_all_kernels_in_one_source():
    text = compose.compose("opencl", FILES)
    assert text.count("__kernel") == 2
    assert "void matmul(" in text and "void pointwise(" in text
    assert text.count("GK_FN float gk_exp(") == 1


def test_glsl_begins_with_its_version_and_has_one_entry():
    text = compose.compose("glsl", FILES[:1])
    assert text.startswith("#version 450\n")
    assert text.count("void main()") == 1
    with pytest.raises(ValueError, match="one kernel a source, got 2"):
        compose.compose("glsl", FILES)


def test_includes_are_replaced_by_their_text():
    text = compose.compose("glsl", ["body/pointwise.h"])
    assert "//@" not in text
    assert "#define OPMUX_FN_GELU 54u\n" in text
    assert "case OPMUX_FN_GELU: v = gk_gelu(va)" in text


def test_a_kernel_without_a_body_or_a_macro_is_refused_by_name(tmp_path, monkeypatch):
    monkeypatch.setattr(compose, "HERE", tmp_path)
    (tmp_path / "a.h").write_text("//@interface\n#define GK_GROUP_SIZE 1\n", encoding="utf-8")
    with pytest.raises(ValueError, match="a.h: wants one //@interface and then one //@body"):
        compose.split("a.h")
    (tmp_path / "b.h").write_text("//@interface\n#define GK_GROUP_SIZE 1\n//@body\n", encoding="utf-8")
    with pytest.raises(ValueError, match="b.h: its interface does not define GK_BUFFERS"):
        compose.split("b.h")


def test_the_embedded_text_is_the_text(tmp_path):
    """Compiled and printed again, the constant gives back what went in."""
    text = compose.compose("opencl", FILES)
    (tmp_path / "k.h").write_text(compose.embed("kText", text), encoding="utf-8")
    (tmp_path / "k.cpp").write_text('#include <cstdio>\n#include "k.h"\nint main() { std::fputs(kText, stdout); }\n',
                                    encoding="utf-8")
    subprocess.run(["c++", "-std=c++20", "k.cpp", "-o", "k"], cwd=tmp_path, check=True)
    assert subprocess.run(["./k"], cwd=tmp_path, check=True, capture_output=True, text=True).stdout == text
