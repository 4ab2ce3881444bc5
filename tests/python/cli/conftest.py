# SPDX-License-Identifier: Apache-2.0
"""The built program, started as a user would, in a folder of its own with small models and arrays."""

import os
import subprocess
from dataclasses import dataclass

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

LIMIT_S = 120


@dataclass
class Answer:
    status: int
    out: str
    err: str


def save(folder, name, nodes, inputs, outputs, constants=()):
    graph = helper.make_graph(nodes, name, inputs, outputs, list(constants))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    (folder / f"{name}.onnx").write_bytes(model.SerializeToString())


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """scale.onnx is y[N, 3] = x * (1, 2, 3); two.onnx has two outputs; noshape.onnx does not say its input's shape."""
    value, node = helper.make_tensor_value_info, helper.make_node
    factors = numpy_helper.from_array(np.array([1, 2, 3], np.float32), "factors")
    x = value("x", TensorProto.FLOAT, ["N", 3])
    save(tmp_path, "scale", [node("Mul", ["x", "factors"], ["y"])], [x],
         [value("y", TensorProto.FLOAT, ["N", 3])], [factors])
    save(tmp_path, "two", [node("Neg", ["x"], ["a"]), node("Abs", ["x"], ["b"])], [x],
         [value(name, TensorProto.FLOAT, ["N", 3]) for name in "ab"])
    save(tmp_path, "noshape", [node("Relu", ["x"], ["y"])], [value("x", TensorProto.FLOAT, None)],
         [value("y", TensorProto.FLOAT, None)])
    save(tmp_path, "unknown", [node("Frobnicate", ["x"], ["y"])], [value("x", TensorProto.FLOAT, [2])],
         [value("y", TensorProto.FLOAT, [2])])
    np.save(tmp_path / "x.npy", np.arange(6, dtype=np.float32).reshape(2, 3))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    """One for all tests, so that GPU drivers are probed once."""
    path = tmp_path_factory.mktemp("cache")
    path.chmod(0o700)
    return path


@pytest.fixture
def opmux(build_dir, folder, cache):
    program = build_dir / "bin/opmux"
    assert program.exists(), f"there is no {program}; run tools/dev build first"
    clean = {key: value for key, value in os.environ.items() if not key.startswith("OPMUX_")}

    def run(*words, out=subprocess.PIPE, **environment):
        done = subprocess.run([program, *words], stdout=out, stderr=subprocess.PIPE, timeout=LIMIT_S,
                              env={**clean, "OPMUX_CACHE_DIR": str(cache), **environment})
        return Answer(done.returncode, (done.stdout or b"").decode(), done.stderr.decode())

    return run


@pytest.fixture
def answer(opmux):
    """What a command that must work prints."""

    def run(*words, **environment):
        got = opmux(*words, **environment)
        assert got.status == 0, got
        return got.out

    return run


@pytest.fixture
def refused(opmux, folder):
    """Runs a command that must fail: one sentence to stderr, nothing to stdout, no file made or changed."""

    def run(status, *words, **environment):
        before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
        got = opmux(*words, **environment)
        assert got.status == status and got.out == "", got
        assert got.err.startswith("opmux: ") and got.err.count("\n") == 1, got.err
        assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
        return got.err.removeprefix("opmux: ").rstrip("\n")

    return run


@pytest.fixture
def digits(root):
    return root / "samples/models/digits.onnx"


@pytest.fixture
def text(root):
    return root / "samples/models/text.onnx"


@pytest.fixture
def mock(build_dir, tmp_path_factory):
    """A folder for OPMUX_PLUGIN_PATH with these mocks of the tests."""

    def only(*names):
        plugins = tmp_path_factory.mktemp("plugins")
        for name in names:
            path = build_dir / f"tests-bin/plugins/opmux_{name}.so"
            assert path.exists(), f"there is no {path}; a build with the tests has it (tools/dev build)"
            (plugins / path.name).symlink_to(path)
        return str(plugins)

    return only
