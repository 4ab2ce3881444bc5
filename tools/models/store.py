# SPDX-License-Identifier: Apache-2.0
"""Folders in the layout of ONNX's backend tests: model.onnx, test_data_set_N/input_I.pb and output_I.pb.

A folder is built beside its place and moved there whole, so what is there is complete. Its stamp names
everything it was made from; equal stamps mean nothing is to be done.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import pathlib
import shutil
from collections.abc import Callable

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODELS = ROOT / "build" / "models"
# Above this the weights go to a file of their own, as exporters do for models near protobuf's 2 GiB limit.
EXTERNAL_BYTES = 64 << 20

Feeds = dict[str, np.ndarray]


class Unavailable(Exception):
    """A model's source cannot be had here; the message says which and why."""


@dataclasses.dataclass(frozen=True)
class Recipe:
    """One model: `make(folder)` writes it; `made_from` are files and texts whose change makes it stale."""

    name: str
    source: str
    make: Callable[[pathlib.Path], None]
    made_from: tuple[pathlib.Path | str, ...]
    small: bool = False  # part of the quick set that every CI run uses


def stamp(recipe: Recipe) -> str:
    digest = hashlib.sha256()
    versions = f"onnx {onnx.__version__} onnxruntime {onnxruntime.__version__} numpy {np.__version__}"
    for part in (versions, pathlib.Path(__file__), *recipe.made_from):
        digest.update(part.read_bytes() if isinstance(part, pathlib.Path) else part.encode())
        digest.update(b"\0")
    return digest.hexdigest()


def is_current(recipe: Recipe, models: pathlib.Path) -> bool:
    try:
        return json.loads((models / recipe.name / "stamp.json").read_text())["stamp"] == stamp(recipe)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def build(recipe: Recipe, models: pathlib.Path) -> None:
    part = models / f".{recipe.name}.part"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        recipe.make(part)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    (part / "stamp.json").write_text(json.dumps({"stamp": stamp(recipe), "source": recipe.source}) + "\n")
    target = models / recipe.name
    shutil.rmtree(target, ignore_errors=True)
    part.rename(target)


def save_model(model: onnx.ModelProto, folder: pathlib.Path) -> None:
    external = model.ByteSize() > EXTERNAL_BYTES
    onnx.save_model(model, folder / "model.onnx", save_as_external_data=external, all_tensors_to_one_file=True,
                    location="weights.bin", size_threshold=1024)


def save_tensors(folder: pathlib.Path, kind: str, tensors: Feeds) -> None:
    folder.mkdir(exist_ok=True)
    for i, (name, array) in enumerate(tensors.items()):
        (folder / f"{kind}_{i}.pb").write_bytes(numpy_helper.from_array(array, name).SerializeToString())


def load_tensor(path: pathlib.Path) -> tuple[str, np.ndarray]:
    tensor = onnx.TensorProto.FromString(path.read_bytes())
    return tensor.name, numpy_helper.to_array(tensor)


def load_tensors(folder: pathlib.Path, kind: str, names: list[str]) -> Feeds:
    """The tensors of one case; `names` serve where a file carries none, in order."""
    found = {}
    for i, name in enumerate(names):
        path = folder / f"{kind}_{i}.pb"
        if path.exists():
            own, array = load_tensor(path)
            found[own if own in names else name] = array
    return found


def input_names(model: onnx.ModelProto) -> list[str]:
    """Inputs that a caller gives: up to IR version 3 every initializer is listed as an input too."""
    constants = {t.name for t in model.graph.initializer}
    return [v.name for v in model.graph.input if v.name not in constants]


def output_names(model: onnx.ModelProto) -> list[str]:
    return [v.name for v in model.graph.output]


def session(model: pathlib.Path | bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # the light models list unused initializers; not our concern
    options.intra_op_num_threads = 2
    source = model if isinstance(model, bytes) else str(model)
    return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])


def reference(model: pathlib.Path | bytes, feeds: Feeds) -> Feeds:
    """What onnxruntime answers, by output name."""
    running = session(model)
    names = [o.name for o in running.get_outputs()]
    return dict(zip(names, running.run(names, feeds)))


def save_case(folder: pathlib.Path, index: int, feeds: Feeds, outputs: Feeds) -> None:
    case = folder / f"test_data_set_{index}"
    save_tensors(case, "input", feeds)
    save_tensors(case, "output", outputs)


def save_reference_cases(folder: pathlib.Path, cases: list[Feeds]) -> list[Feeds]:
    """Writes each case with onnxruntime's answer for folder/model.onnx and returns the answers."""
    running = session(folder / "model.onnx")
    names = [o.name for o in running.get_outputs()]
    answers = [dict(zip(names, running.run(names, feeds))) for feeds in cases]
    for i, (feeds, outputs) in enumerate(zip(cases, answers)):
        save_case(folder, i, feeds, outputs)
    return answers
