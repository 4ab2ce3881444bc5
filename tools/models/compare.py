# SPDX-License-Identifier: Apache-2.0
"""Runs one model folder through the opmux command line and measures the distance to onnxruntime."""

from __future__ import annotations

import dataclasses
import pathlib
import subprocess
import tempfile

import numpy as np
import onnx

from tools.models import store

BOUND = 1e-3
# Elements below this share of the largest are measured against it: their own size is rounding noise.
FLOOR = 1e-2
TIME_LIMIT_S = 580


@dataclasses.dataclass
class Row:
    """One output of one case on one device; `problem` says what went wrong before there were numbers."""

    model: str
    device: str
    case: int
    output: str = ""
    shape: str = ""
    absolute: float = float("nan")
    relative: float = float("nan")
    elementwise: float = float("nan")
    problem: str = ""
    left_out: str = ""  # why the case was not run; it counts neither for nor against the model

    @property
    def passed(self) -> bool:
        # Written so that NaN fails.
        return not self.problem and not self.left_out and self.relative <= BOUND and self.elementwise <= BOUND


def models_passed(rows: list[Row]) -> dict[str, bool]:
    """A model agrees when something of it was compared and all that was agrees."""
    passed = {}
    for name in {row.model for row in rows}:
        judged = [row.passed for row in rows if row.model == name and not row.left_out]
        passed[name] = bool(judged) and all(judged)
    return passed


def state_pairs(model: onnx.ModelProto) -> dict[str, str]:
    """State inputs and outputs by the metadata `opmux.state` (samples/models/README.md)."""
    text = next((p.value for p in model.metadata_props if p.key == "opmux.state"), "")
    return dict(pair.split(":") for pair in text.split(",") if pair)


def distance(found: np.ndarray, wanted: np.ndarray) -> tuple[float, float, float]:
    """max |a-b|, max |a-b| / max |b|, and max over elements of |a-b| / max(|b|, FLOOR max |b|)."""
    if wanted.size == 0:
        return 0.0, 0.0, 0.0
    a, b = found.astype(np.float64), wanted.astype(np.float64)
    difference, largest = np.abs(a - b), np.abs(b).max()
    if difference.max() == 0:
        return 0.0, 0.0, 0.0
    if not largest > 0:
        return float(difference.max()), float("inf"), float("inf")
    floored = np.maximum(np.abs(b), FLOOR * largest)
    return float(difference.max()), float(difference.max() / largest), float((difference / floored).max())


def judge(row: Row, found: np.ndarray | None, wanted: np.ndarray) -> Row:
    row.shape = "x".join(map(str, wanted.shape))
    if found is None:
        row.problem = "the output is missing"
    elif found.shape != wanted.shape:
        row.problem = f"shape {found.shape}, onnxruntime has {wanted.shape}"
    elif found.dtype != wanted.dtype:
        row.problem = f"type {found.dtype}, onnxruntime has {wanted.dtype}"
    elif not np.issubdtype(wanted.dtype, np.floating):
        row.absolute = row.relative = row.elementwise = 0.0
        if not np.array_equal(found, wanted):
            row.problem = f"{int((found != wanted).sum())} of {wanted.size} elements differ"
    else:
        row.absolute, row.relative, row.elementwise = distance(found, wanted)
    return row


def run_opmux(command: list[str], options: list[str], model: pathlib.Path, inputs: dict[str, pathlib.Path],
              output: pathlib.Path) -> str:
    """Runs one case; returns the reason when that fails."""
    words = [*command, "run", str(model)]
    for name, path in inputs.items():
        words += ["--input", f"{name}={path}"]
    words += ["--output", str(output), *options]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=TIME_LIMIT_S, check=False)
    except subprocess.TimeoutExpired:
        return f"no answer within {TIME_LIMIT_S} s"
    if done.returncode == 0:
        return "" if output.exists() else "exit status 0, but no output file"
    said = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1]
    return f"exit status {done.returncode}: {said}"


def compare_case(command: list[str], folder: pathlib.Path, case: pathlib.Path, device: str,
                 fallback: str) -> list[Row]:
    model = onnx.load(folder / "model.onnx", load_external_data=False)
    names, index = store.input_names(model), int(case.name.rsplit("_", 1)[1])
    feeds = store.load_tensors(case, "input", names)
    # opmux keeps a model's state itself, so it has no ports for it, and a new run starts with an empty past.
    states = state_pairs(model)
    if any(feeds[name].size for name in states if name in feeds):
        return [Row(folder.name, device, index, left_out="its past is not empty, and opmux keeps the past itself")]
    inputs = {name: case / f"input_{i}.pb" for i, name in enumerate(names) if name not in states}
    with tempfile.TemporaryDirectory() as temporary:
        output = pathlib.Path(temporary) / "out.npz"
        options = ["--device", device, "--fallback", fallback]
        problem = run_opmux(command, options, folder / "model.onnx", inputs, output)
        if problem:
            return [Row(folder.name, device, index, problem=problem)]
        with np.load(output) as archive:
            found = {name: archive[name] for name in archive.files}
    wanted = store.reference(folder / "model.onnx", feeds)
    return [judge(Row(folder.name, device, index, name), found.get(name), value)
            for name, value in wanted.items() if name not in states.values()]


def compare_model(command: list[str], folder: pathlib.Path, device: str, fallback: str = "forbid") -> list[Row]:
    cases = sorted(folder.glob("test_data_set_*"))
    if not cases:
        return [Row(folder.name, device, 0, problem="the folder has no test_data_set_0")]
    return [row for case in cases for row in compare_case(command, folder, case, device, fallback)]
