# SPDX-License-Identifier: Apache-2.0
"""The comparison, with a program in opmux's place that answers by onnxruntime, changed as each test wants."""

import stat
import sys

import numpy as np
import pytest

from tools import compare_models, fetch_models
from tools.models import compare, store

PROGRAM = """#!{python}
import sys
import numpy as np, onnxruntime
sys.path.insert(0, {root!r})
from tools.models import store
words = sys.argv[2:]
given = dict(words[i + 1].split("=", 1) for i, word in enumerate(words) if word == "--input")
feeds = {{name: store.load_tensor(__import__("pathlib").Path(path))[1] for name, path in given.items()}}
answers = store.reference(__import__("pathlib").Path(words[0]), feeds)
{change}
np.savez(words[words.index("--output") + 1], **answers)
"""


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    store.build(next(r for r in fetch_models.all_recipes() if r.name == "digits"), folder)
    return folder


@pytest.fixture
def program(tmp_path):
    def make(change=""):
        path = tmp_path / "opmux"
        path.write_text(PROGRAM.format(python=sys.executable, root=str(store.ROOT), change=change))
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return [str(path)]

    return make


def rows(command, models):
    return compare.compare_model(command, models / "digits", "cpu")


def test_equal_answers_agree(program, models):
    found = rows(program(), models)
    assert [row.case for row in found] == [0, 1] and all(row.passed and row.relative == 0 for row in found)


def test_an_answer_two_thousandths_off_differs(program, models):
    found = rows(program("answers['probabilities'][0, 0] += 2e-3"), models)
    assert not any(row.passed for row in found)
    assert found[0].absolute == pytest.approx(2e-3, rel=1e-3)


def test_an_answer_that_is_not_a_number_differs(program, models):
    assert not any(row.passed for row in rows(program("answers['probabilities'][0, 0] = np.nan"), models))


def test_a_missing_output_is_a_failure(program, models):
    found = rows(program("answers = {'other': np.zeros(3)}"), models)
    assert [row.problem for row in found] == ["the output is missing"] * 2


def test_an_output_of_another_shape_is_a_failure(program, models):
    found = rows(program("answers['probabilities'] = answers['probabilities'].T"), models)
    assert "shape (10, 1)" in found[0].problem


def test_the_programs_own_words_are_shown_when_it_fails(program, models):
    found = rows(program("sys.exit('conv: weight has 3 channels, input 4')"), models)
    assert found[0].problem == "exit status 1: conv: weight has 3 channels, input 4"


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    folder = tmp_path_factory.mktemp("text")
    store.build(next(r for r in fetch_models.all_recipes() if r.name == "text"), folder)
    return folder


# Plays a program that keeps the state itself: what has no port must not be given, and comes empty.
WITHOUT_STATES = """assert set(given) == {'tokens', 'positions'}, sorted(given)
answers = {'logits': answers['logits']}"""
EMPTY_PAST = """feeds.update((f'past_{kind}_{i}', np.zeros((1, 2, 0, 32), np.float32))
             for kind in ('key', 'value') for i in range(4))
"""


@pytest.fixture
def keeper(program):
    """The stand-in program, which adds the empty past before it asks onnxruntime."""
    command = program(WITHOUT_STATES)
    path = command[0]
    text = open(path).read().replace("answers = store.reference", EMPTY_PAST + "answers = store.reference")
    open(path, "w").write(text)
    return command


def test_states_are_neither_given_nor_compared_and_a_case_with_a_past_is_left_out(keeper, text):
    found = compare.compare_model(keeper, text / "text", "cpu")
    assert [(row.case, row.output) for row in found] == [(0, "logits"), (1, ""), (2, "")]
    assert found[0].passed, found[0]
    assert all("past is not empty" in row.left_out and not row.passed for row in found[1:])
    assert compare.models_passed(found) == {"text": True}


def test_a_model_of_which_nothing_was_compared_does_not_agree():
    assert compare.models_passed([compare.Row("m", "cpu", 0, left_out="reason")]) == {"m": False}


def test_small_elements_are_measured_by_their_own_size():
    absolute, relative, elementwise = compare.distance(np.array([1.0, 0.0202]), np.array([1.0, 0.02]))
    assert (absolute, relative, elementwise) == pytest.approx((2e-4, 2e-4, 1e-2), rel=1e-6)


def test_integers_must_be_equal():
    row = compare.judge(compare.Row("m", "cpu", 0), np.array([1, 2, 4]), np.array([1, 2, 3]))
    assert row.problem == "1 of 3 elements differ" and not row.passed


@pytest.mark.parametrize(("change", "status", "line"), [
    ("", 0, "1 of 1 models agree"), ("answers['probabilities'] *= 1.01", 1, "0 of 1 models agree")])
def test_the_table_counts_the_models_that_agree(program, models, tmp_path, monkeypatch, change, status, line):
    table = tmp_path / "models.md"
    monkeypatch.setattr("sys.argv", ["compare_models", *program(change), "--models", str(models),
                                     "--output", str(table)])
    assert compare_models.main() == status
    text = table.read_text()
    assert line in text and text.startswith("Written by `build/venv/bin/python tools/compare_models.py")


def test_an_unknown_model_name_is_refused(models, monkeypatch):
    monkeypatch.setattr("sys.argv", ["compare_models", "opmux", "--models", str(models), "--only", "resnet9000"])
    with pytest.raises(SystemExit, match="resnet9000"):
        compare_models.main()
