# SPDX-License-Identifier: Apache-2.0
"""Files that are no models, models that cannot run, and what inspect, why and onnx-test say."""

import json
import shutil

import numpy as np
import pytest
from conftest import save
from onnx import TensorProto, helper, numpy_helper

BAD = {
    "text.onnx": (b"this is no model\n" * 9, "text.onnx: not an ONNX model, or damaged or cut off"),
    "empty.onnx": (b"", "empty.onnx: the model is empty"),
    "gone.onnx": (None, "gone.onnx: cannot open it: No such file or directory"),
}


@pytest.mark.parametrize("command", ["run", "why", "inspect"])
@pytest.mark.parametrize("name", BAD)
def test_what_is_no_model_is_told_in_one_sentence(refused, folder, command, name):
    content, part = BAD[name]
    if content is not None:
        (folder / name).write_bytes(content)
    assert part in refused(1, command, name)


def test_a_model_cut_off_anywhere_is_refused(refused, folder):
    whole = (folder / "scale.onnx").read_bytes()
    for size in range(0, len(whole), 16):
        (folder / "cut.onnx").write_bytes(whole[:size])
        assert "cut.onnx: " in refused(1, "inspect", "cut.onnx")


@pytest.mark.parametrize("path", [".", "/dev/null"])
def test_a_model_that_is_no_file_is_refused(refused, path):
    assert "not a regular file" in refused(1, "inspect", path)


def test_inspect_shows_what_it_can_of_a_model_that_has_no_plan(answer):
    shown = answer("inspect", "unknown.onnx")
    assert "no plan: node of 'y' (Frobnicate): operator Frobnicate is not supported" in shown
    told = json.loads(answer("inspect", "noshape.onnx", "--json"))
    assert told["plan"] is None and "--shape x=" in told["no_plan"]
    assert told["inputs"] == [{"name": "x", "type": "f32 of unstated shape"}]


def test_inspect_of_a_plan_that_was_asked_for_must_have_one(refused):
    assert "Frobnicate" in refused(1, "inspect", "unknown.onnx", "--device", "reference")


def test_inspect_counts_by_hand(answer):
    told = json.loads(answer("inspect", "scale.onnx", "--device", "reference", "--shape", "N=7", "--json"))
    assert (told["nodes"], told["parameters"], told["parameter_bytes"]) == (1, 3, 12)
    assert told["plan"]["flops"] == 21 and told["operators"] == {"Mul": 1}


@pytest.fixture
def case(folder):
    """A test folder for scale.onnx; `expected` may be wrong."""

    def write(expected, outputs=1):
        data = folder / "case/test_data_set_0"
        shutil.rmtree(folder / "case", ignore_errors=True)
        data.mkdir(parents=True)
        shutil.copy(folder / "scale.onnx", folder / "case/model.onnx")
        x = numpy_helper.from_array(np.ones((1, 3), np.float32), "x")
        (data / "input_0.pb").write_bytes(x.SerializeToString())
        for i in range(outputs):
            y = numpy_helper.from_array(np.array([expected], np.float32), "y")
            (data / f"output_{i}.pb").write_bytes(y.SerializeToString())

    return write


def test_onnx_test_compares(opmux, case):
    case([1, 2, 3])
    good = opmux("onnx-test", "case", "--device", "reference")
    assert (good.status, good.out) == (0, "1 passed, 0 failed, 0 unsupported\n")
    case([1, 2, 4])
    bad = opmux("onnx-test", "case", "--device", "reference")
    assert bad.status == 1 and "worst at [0, 2]: 3, expected 4" in bad.out


@pytest.mark.parametrize("outputs", [0, 2])
def test_onnx_test_fails_when_there_is_nothing_or_too_much_to_compare_with(opmux, case, outputs):
    case([1, 2, 3], outputs)
    got = opmux("onnx-test", "case", "--device", "reference")
    assert got.status == 1 and f"the model has 1 output, the folder {outputs}" in got.out


def test_onnx_test_does_not_judge_a_model_with_state(answer, folder, text):
    (folder / "state").mkdir()
    shutil.copy(text, folder / "state/model.onnx")
    assert "1 unsupported" in answer("onnx-test", "state", "--device", "reference")


def test_onnx_test_compares_drawn_values_by_type_and_shape(opmux, folder):
    data = folder / "drawn/test_data_set_0"
    data.mkdir(parents=True)
    nodes = [helper.make_node("RandomUniform", [], ["y"], shape=[4])]
    save(folder / "drawn", "model", nodes, [], [helper.make_tensor_value_info("y", TensorProto.FLOAT, [4])])
    for expected, status, line in [
        (np.full(4, 9, np.float32), 0, "0 passed, 0 failed, 0 unsupported, 1 drawn at random"),
        (np.full(5, 9, np.float32), 1, "output 'y' is f32[4], expected f32[5]"),
    ]:
        (data / "output_0.pb").write_bytes(numpy_helper.from_array(expected, "y").SerializeToString())
        got = opmux("onnx-test", "drawn", "--device", "reference")
        assert got.status == status and line in got.out
