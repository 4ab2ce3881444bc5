# SPDX-License-Identifier: Apache-2.0
"""The faults that tools/mutants.py plants still fit the sources of the CPU plugin."""

from pathlib import Path

import pytest
import yaml

from tools import mutants

MUTANTS = yaml.safe_load((mutants.ROOT / "tests/conformance/mutants.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: f"{Path(m['file']).stem}: {m['what']}")
def test_each_fault_stands_in_its_file_exactly_once(mutant):
    text = (mutants.ROOT / "plugins/cpu" / mutant["file"]).read_text(encoding="utf-8")
    assert mutants.mutate(text, mutant) != text


def test_a_fault_that_fits_nowhere_or_twice_is_refused():
    for text in ("nothing", "here and here"):
        with pytest.raises(mutants.Fault):
            mutants.mutate(text, {"file": "x.cpp", "old": "here", "new": "there"})


def test_there_are_thirty_of_them():
    assert len(MUTANTS) >= 30
