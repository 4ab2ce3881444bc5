# SPDX-License-Identifier: Apache-2.0
import pytest

from tools.checks import names


@pytest.mark.parametrize(
    "name, text, word",
    [
        ("a.cpp", "// see /work/main/x\n", "/work/"),
        ("b.py", "PATH = '/home/me/x'\n", "/home/"),
        ("c.md", "written by an assistant\n", "assistant"),
        ("d.md", "as the last session found\n", "session"),
        ("e.cpp", "// TODO later\n", "TODO"),
        ("f.txt", "from pypi.org\n", "pypi.org"),
    ],
)
def test_a_word_that_does_not_belong_is_found_with_its_line(plant, name, text, word):
    problems = names.run(plant({name: "\n" + text}))
    assert len(problems) == 1 and problems[0].startswith(f"{name}:2: '{word}'"), problems


def test_ordinary_text_is_left_alone(plant):
    tree = plant(
        {"a.py": "session = InferenceSession()\n", "b.cpp": '#include "host/work/x.h"\n', "c.bin": "\0/work/"}
    )
    assert names.run(tree) == []
