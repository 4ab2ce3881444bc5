# SPDX-License-Identifier: Apache-2.0
"""The reader of GPU kernel files."""

import subprocess
import sys
from pathlib import Path

import pytest

KERNELS = Path(__file__).resolve().parents[3] / "plugins/gpu/kernels"
sys.path.insert(0, str(KERNELS))
import embed  # noqa: E402  (a script beside the texts, not a package)

HEAD = """// A comment.
//@group 64
//@in a b
//@rw c
//@type sum
//@shared t T_sum GK_BK * 2
//@params rows dims[8]
//@program
//@use tile.h
//@body
"""


def kernel(folder, text):
    path = folder / "k.h"
    path.write_text(text, encoding="utf-8")
    return embed.Kernel(path)


def test_a_head_says_what_the_kernel_has(tmp_path):
    k = kernel(tmp_path, HEAD + "x;\n")
    assert (k.name, k.group) == ("k", 64)
    assert k.buffers == [("a", "Access::kIn"), ("b", "Access::kIn"), ("c", "Access::kBoth")]
    assert (k.types, k.used) == (["sum"], ["tile.h"])
    assert k.shared == [("t", "T_sum", "GK_BK * 2")]
    assert k.params == [("rows", "1"), ("dims", "8")]
    assert k.program and not k.faults
    assert k.body == "x;\n"


def test_included_files_stand_where_their_line_was(tmp_path):
    (tmp_path / "piece.h").write_text("y;\n//@include inner.h\n", encoding="utf-8")
    (tmp_path / "inner.h").write_text("z;\n", encoding="utf-8")
    assert kernel(tmp_path, "//@group 1\n//@body\nx;\n  //@include piece.h\n").body == "x;\ny;\nz;\n"


@pytest.mark.parametrize(("text", "sentence"), [
    ("//@group 1\n", "has no //@body"),
    ("//@in x\n//@body\n", "states no group size"),
    ("//@group 1\n//@colour red\n//@body\n", "//@colour means nothing"),
])
def test_a_head_that_is_wrong_is_refused_with_its_file(tmp_path, text, sentence):
    with pytest.raises(ValueError, match=f"k.h: .*{sentence}"):
        kernel(tmp_path, text)


def test_every_kernel_of_the_project_is_read():
    for path in sorted((KERNELS / "body").glob("*.h")):
        if "//@body\n" in path.read_text(encoding="utf-8"):
            k = embed.Kernel(path)
            assert k.buffers or k.program, path
            assert "//@include" not in k.body, path


def test_the_literal_is_the_text(tmp_path):
    """Compiled and printed again, a text gives back what went in."""
    text = "".join(f'line {i} "quoted" \\n\n' for i in range(100))
    (tmp_path / "k.cpp").write_text(f"#include <cstdio>\nint main() {{ std::fputs({embed.raw(text)}, stdout); }}\n",
                                    encoding="utf-8")
    subprocess.run(["c++", "-std=c++20", "k.cpp", "-o", "k"], cwd=tmp_path, check=True)
    assert subprocess.run(["./k"], cwd=tmp_path, check=True, capture_output=True, text=True).stdout == text
