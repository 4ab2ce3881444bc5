# SPDX-License-Identifier: Apache-2.0
"""What `opmux run` writes."""

import json

import numpy as np
import pytest

RUN = ("run", "two.onnx", "--device", "reference", "--input", "x=x.npy")


def test_a_npz_file_has_every_output_by_name(answer, folder):
    answer(*RUN, "--output", "out.npz")
    x = np.load(folder / "x.npy")
    with np.load(folder / "out.npz") as found:
        assert set(found.files) == {"a", "b"}
        np.testing.assert_array_equal(found["a"], -x)
        np.testing.assert_array_equal(found["b"], np.abs(x))
    assert sorted(path.name for path in folder.glob("out*")) == ["out.npz"]


@pytest.mark.parametrize("status, path, part", [
    (2, "out.txt", "outputs are written to .npz files"), (2, "out.npy", "a .npy file holds one array, there are 2"),
    (1, "nowhere/out.npz", "nowhere/out.npz: cannot be written: No such file or directory"),
    (1, "taken.npz", "taken.npz: is a folder")])
def test_a_place_that_cannot_be_written_is_told_before_the_work_is_done(refused, folder, status, path, part):
    (folder / "taken.npz").mkdir()
    assert part in refused(status, *RUN, "--output", path)


def test_a_trace_without_a_folder_is_refused(refused):
    assert "nowhere/t.json: cannot be written" in refused(1, *RUN, "--trace", "nowhere/t.json")


def test_an_earlier_file_stays_when_the_run_fails(refused, folder):
    (folder / "out.npz").write_text("from before")
    refused(1, "run", "scale.onnx", "--device", "reference", "--input", "x=gone.npy", "--output", "out.npz")
    assert (folder / "out.npz").read_text() == "from before"


def test_a_trace_holds_the_kernels_that_ran(answer, folder):
    answer(*RUN, "--trace", "t.json")
    events = json.loads((folder / "t.json").read_text())["traceEvents"]
    assert sum(event["ph"] == "X" for event in events) >= 1


def test_json_says_what_the_text_says(answer):
    told = json.loads(answer(*RUN, "--json"))
    assert [(o["name"], o["type"], o["min"], o["max"]) for o in told["outputs"]] == [
        ("a", "f32[2, 3]", -5.0, -0.0), ("b", "f32[2, 3]", 0.0, 5.0)]
    assert sum(told["run"]["routes"].values()) >= 1 and set(told["run"]["routes"]) == {"cpu0/reference"}


def test_repeated_runs_of_a_model_with_state_each_begin_anew(answer, text, folder):
    def logits(repeat):
        answer("run", text, "--device", "reference", "--random-inputs", "3", "--shape", "S=4", "--repeat", repeat,
               "--output", "l.npy")
        return np.load(folder / "l.npy")

    # 70 runs of 4 rows would not fit into the 256 of the state
    np.testing.assert_array_equal(logits("1"), logits("70"))
