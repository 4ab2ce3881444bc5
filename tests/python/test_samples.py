# SPDX-License-Identifier: Apache-2.0
"""The numbered samples build alone against an installed SDK and do what their pages say."""

import os
import re
import subprocess

import pytest

SAMPLES = {"02-run-model": "run_model", "03-eager-operator": "eager_operator", "04-build-model": "build_model"}


def call(*command):
    environment = {key: value for key, value in os.environ.items() if key not in ("CC", "CXX")}
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, env=environment)


def need(*command):
    done = call(*command)
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def prefix(build_dir, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sdk")
    need("cmake", "--install", build_dir, "--prefix", folder)
    return folder


@pytest.fixture(scope="module")
def program(root, prefix, tmp_path_factory):
    """Builds a sample once, in a folder far from the source tree, with warnings as errors."""
    made = {}

    def build(name):
        if name not in made:
            out = tmp_path_factory.mktemp(name)
            need("cmake", "-G", "Ninja", "-S", root / "samples" / name, "-B", out, f"-DCMAKE_PREFIX_PATH={prefix}",
                 "-DCMAKE_CXX_FLAGS=-Wall -Wextra -Werror", "-DCMAKE_C_FLAGS=-Wall -Wextra -Werror")
            need("cmake", "--build", out)
            made[name] = out / SAMPLES[name]
        return made[name]

    return build


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_is_short_and_has_a_page(root, name):
    for path in (root / "samples" / name).iterdir():
        assert len(path.read_text().splitlines()) < 120, path
    assert SAMPLES[name] in (root / "samples" / name / "README.md").read_text()


@pytest.mark.parametrize("device, route", [("reference", "cpu0/reference"), ("auto", r"\S+/\S+")])
def test_run_model_reads_the_digit_and_says_where_and_why(program, root, device, route):
    out = need(program("02-run-model"), root / "samples/models/digits.onnx", device).splitlines()
    assert re.fullmatch(r"reads 7 with probability (0\.\d+|1\.000)", out[0]), out
    nodes = out[1:]
    assert nodes and all(re.match(rf"  \S+ +on {route} +\S", node) for node in nodes), out


def test_run_model_says_in_one_sentence_what_is_missing(program, tmp_path):
    done = call(program("02-run-model"), tmp_path / "no.onnx")
    assert done.returncode == 1 and done.stdout == "" and len(done.stderr.splitlines()) == 1, done.stderr
    assert "no.onnx" in done.stderr


@pytest.mark.parametrize("device", ["reference", "cpu"])
def test_eager_operator_multiplies_adds_and_clamps(program, device):
    # [1 2 3; 4 5 6] [1 -1; 0 2; 1 -3] + [0.5 1] = [4.5 -5; 10.5 -11], below 0 becomes 0
    assert need(program("03-eager-operator"), device) == "4.5 0\n10.5 0\n"


def test_eager_operator_names_the_devices_that_there_are(program):
    done = call(program("03-eager-operator"), "gpu9")
    assert done.returncode == 1 and done.stdout == ""
    assert "there is no device 'gpu9'; there are: " in done.stderr and "cpu" in done.stderr


@pytest.mark.parametrize("device", ["reference", "cpu"])
def test_build_model_prints_the_exclusive_or(program, device):
    assert need(program("04-build-model"), device).splitlines() == [
        "0 xor 0 = 0.000", "0 xor 1 = 1.000", "1 xor 0 = 1.000", "1 xor 1 = 0.000"]
