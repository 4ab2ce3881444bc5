# SPDX-License-Identifier: Apache-2.0
"""run_samples.py against a stand-in for the opmux program, so that a wrong answer can be planted."""

import json
import subprocess
import sys

import numpy as np
import pytest

STAND_IN = """#!{python}
import json, sys
plan = json.load(open({plan!r}))
command, arguments = sys.argv[1], sys.argv[2:]
device = arguments[arguments.index("--device") + 1] if "--device" in arguments else ""
if device == plan.get("failing"):
    print("opmux: the device was lost", file=sys.stderr)
    sys.exit(1)
if command == "devices":
    routes = [{{"name": name}} for name in plan["routes"]]
    print(json.dumps({{"devices": [{{"name": "cpu0", "routes": routes}}],
                       "unused": [{{"name": "vulkan", "reason": "no driver"}}]}}))
elif command == "why":
    route = plan["routes"][0] if device == "auto" else device
    print(json.dumps({{"nodes": [{{"route": route, "reason": "cheapest"}}]}}))
elif "--prompt" in arguments:
    tokens = [1, 2, 3] if device != plan.get("wrong_text") else [1, 2, 4]
    print(json.dumps({{"text": "a boat", "tokens": tokens}}))
else:
    import numpy as np  # only here: the other commands start ten times faster without
    values = np.eye(10, dtype=np.float32)
    if device == plan.get("wrong_digits"):
        values = values[:, ::-1]
    np.savez(arguments[arguments.index("--output") + 1], probabilities=values)
    print("{{}}")
"""


@pytest.fixture
def run(root, tmp_path):
    models = tmp_path / "models"
    models.mkdir()
    values = np.eye(10, dtype=np.float32)
    np.save(models / "digits_input.npy", np.zeros((10, 1, 8, 8), np.float32))
    np.save(models / "digits_labels.npy", np.arange(10))
    np.save(models / "digits_expected.npy", values)
    (models / "text_expected.json").write_text(
        json.dumps([{"prompt": "sailboat:", "tokens": [1, 2, 3], "text": "a boat"}])
    )

    def start(**plan):
        (tmp_path / "plan.json").write_text(json.dumps({"routes": ["cpu0/reference", "cpu0/cpu"], **plan}))
        program = tmp_path / "bin/opmux"
        program.parent.mkdir(exist_ok=True)
        program.write_text(STAND_IN.format(python=sys.executable, plan=str(tmp_path / "plan.json")))
        program.chmod(0o755)
        command = [sys.executable, root / "tools/run_samples.py", "--build", tmp_path, "--models", models]
        return subprocess.run(command, capture_output=True, text=True)

    return start


def test_right_answers_on_every_route_end_with_status_0(run):
    done = run()
    assert done.returncode == 0, done.stderr
    assert "6 of 6 answers right" in done.stdout
    assert "not used: vulkan: no driver" in done.stdout
    assert "1 on cpu0/reference of 1 nodes; cheapest" in done.stdout
    assert "all routes give the same tokens" in done.stdout


@pytest.mark.parametrize("plan", [{"wrong_digits": "cpu0/cpu"}, {"wrong_text": "cpu0/cpu"}])
def test_one_wrong_answer_ends_with_status_1_and_names_its_route(run, plan):
    done = run(**plan)
    assert done.returncode == 1
    assert "5 of 6 answers right" in done.stdout
    assert [line.split()[0] for line in done.stdout.splitlines() if "WRONG" in line] == ["cpu0/cpu"]


def test_a_failing_route_is_reported_in_its_own_words_and_the_others_still_run(run):
    done = run(failing="cpu0/cpu")
    assert done.returncode == 1
    assert "4 of 6 answers right" in done.stdout
    assert "exit status 1: opmux: the device was lost" in done.stdout


def test_a_machine_without_routes_is_an_error(run):
    done = run(routes=[])
    assert done.returncode == 1 and "no route" in done.stderr


def test_a_missing_model_is_one_sentence(run, tmp_path):
    (tmp_path / "models/text_expected.json").unlink()
    done = run()
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1, done.stderr
    assert "text_expected.json" in done.stderr


def test_a_missing_program_is_one_sentence(root, tmp_path):
    command = [sys.executable, root / "tools/run_samples.py", "--build", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1, done.stderr
