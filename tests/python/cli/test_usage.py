# SPDX-License-Identifier: Apache-2.0
"""Commands, options and the exit status."""

import json
import os
import subprocess

import pytest

COMMANDS = ["devices", "ops", "run", "why", "inspect", "onnx-test"]


@pytest.mark.parametrize("words", [[], ["frobnicate"]])
def test_a_missing_or_unknown_command_lists_the_commands(refused, words):
    sentence = refused(2, *words)
    assert all(command in sentence for command in COMMANDS), sentence
    assert not words or "'frobnicate'" in sentence


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_and_json(answer, command):
    assert "--json" in answer(command, "--help")


@pytest.mark.parametrize("words, part", [
    (["run"], "MODEL is required; `opmux run --help`"), (["run", "scale.onnx", "--bogus"], "--bogus"),
    (["run", "scale.onnx", "--repeat", "0"], "--repeat"),
    (["run", "scale.onnx", "--fallback", "maybe"], "{forbid,report,allow}"),
    (["run", "scale.onnx", "--random-inputs", "x"], "--random-inputs"), (["devices", "x"], "not expected: x"),
    (["onnx-test", "nowhere"], "nowhere is not a folder"), (["onnx-test", "."], "no folder with a model.onnx")])
def test_wrong_use_is_status_2(refused, words, part):
    assert part in refused(2, *words)


@pytest.mark.parametrize("words", [
    ["run", "scale.onnx", "--random-inputs", "1"], ["why", "scale.onnx"], ["inspect", "scale.onnx"], ["ops"],
    ["ops", "--json"]])
def test_an_unknown_device_lists_the_known_ones(refused, words):
    sentence = refused(1, *words, "--device", "gpu9")
    assert sentence.startswith("there is no device 'gpu9'; there are: ") and "reference" in sentence


@pytest.mark.parametrize("device", ["reference", "cpu0/reference"])
def test_ops_shows_one_route_by_name_or_alias(answer, device):
    listed = json.loads(answer("ops", "--device", device, "--json"))["ops"]
    assert listed and all(op["routes"] == {"reference": True} for op in listed)
    assert answer("ops", "--device", device).splitlines()[0].split() == ["operator", "family", "reference"]


def test_a_full_disk_under_stdout_is_a_failure(opmux):
    with open("/dev/full", "wb") as full:
        got = opmux("devices", out=full)
    assert got.status == 1 and "cannot be written to stdout" in got.err


def test_a_closed_stdout_is_a_failure(build_dir):
    done = subprocess.run(["sh", "-c", '"$0" devices >&-', build_dir / "bin/opmux"], stderr=subprocess.PIPE,
                          env={**os.environ, "OPMUX_LOG": "error"}, check=False)
    assert done.returncode == 1 and b"stdout" in done.stderr


def test_a_file_name_that_is_no_utf8_does_not_harm_json(answer, folder):
    name = os.fsdecode(b"\xff.onnx")
    (folder / name).write_bytes((folder / "scale.onnx").read_bytes())
    assert json.loads(answer("inspect", name, "--json"))["path"] == "\ufffd.onnx"
