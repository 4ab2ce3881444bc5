# SPDX-License-Identifier: Apache-2.0
"""The file type model of the magika wheel, on files that pinned wheels carry."""

from __future__ import annotations

import importlib.util
import json
import pathlib

import numpy as np

from tools.models import store

# (package, file inside it): kinds that the model tells apart; the wheels are pinned, so are the bytes.
FILES = (
    ("sklearn", "datasets/images/china.jpg"),
    ("sklearn", "datasets/data/iris.csv"),
    ("sklearn", "datasets/descr/iris.rst"),
    ("numpy", "__init__.py"),
    ("onnx", "onnx.proto"),
    ("onnx", "backend/test/data/light/light_resnet50.onnx"),
    ("magika", "config/content_types_kb.min.json"),
    ("onnxruntime", "LICENSE"),
)


def package_folder(package: str) -> pathlib.Path:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise FileNotFoundError(f"Python package {package} is not installed (tools/requirements.txt lists it)")
    return pathlib.Path(spec.origin).parent


def files() -> list[pathlib.Path]:
    return [package_folder(package) / name for package, name in FILES]


def model_folder() -> pathlib.Path:
    (folder,) = (package_folder("magika") / "models").glob("standard_*")
    return folder


def recipes() -> list[store.Recipe]:
    made_from = (pathlib.Path(__file__), model_folder() / "model.onnx", *files())
    return [store.Recipe("magika", "magika wheel", make, made_from, small=True)]


def features(content: bytes, config: dict) -> list[int]:
    """The first and the last bytes without surrounding white space, padded to fixed sizes."""
    begin, end, pad = config["beg_size"], config["end_size"], config["padding_token"]
    first = list(content[:config["block_size"]].lstrip()[:begin])
    last = list(content[-config["block_size"]:].rstrip()[-end:])
    return first + [pad] * (begin - len(first)) + [pad] * (end - len(last)) + last


def make(folder: pathlib.Path) -> None:
    source = model_folder()
    (folder / "model.onnx").write_bytes((source / "model.onnx").read_bytes())
    config = json.loads((source / "config.min.json").read_text())
    rows = np.array([features(path.read_bytes(), config) for path in files()], np.int32)
    cases = [{"bytes": rows[:1]}, {"bytes": rows}]
    scores = store.save_reference_cases(folder, cases)[1]["target_label"]
    labels = [config["target_labels_space"][i] for i in scores.argmax(1)]
    answers = [{"file": f"{package}/{name}", "label": label, "score": round(float(score.max()), 4)}
               for (package, name), label, score in zip(FILES, labels, scores)]
    (folder / "answers.json").write_text(json.dumps(answers, indent=1) + "\n")
