# SPDX-License-Identifier: Apache-2.0
"""The project's own sample models in the layout of the others, so that one loop checks all."""

from __future__ import annotations

import json
import pathlib

import numpy as np

from tools.models import store

SAMPLES = store.ROOT / "samples" / "models"


def recipes() -> list[store.Recipe]:
    own = pathlib.Path(__file__)
    digits = tuple(SAMPLES / name for name in ("digits.onnx", "digits_input.npy", "digits_expected.npy"))
    text = tuple(SAMPLES / name for name in ("text.onnx", "text_expected.json"))
    found = []
    for name, make, files in (("digits", make_digits, digits), ("text", make_text, text)):
        if all(path.exists() for path in files):
            found.append(store.Recipe(name, "this repository", make, (own, *files), small=True))
    return found


def make_digits(folder: pathlib.Path) -> None:
    """One image, then all of them: the batch is a dynamic dim."""
    (folder / "model.onnx").write_bytes((SAMPLES / "digits.onnx").read_bytes())
    images, expected = (np.load(SAMPLES / f"digits_{kind}.npy") for kind in ("input", "expected"))
    for index, count in enumerate((1, len(images))):
        store.save_case(folder, index, {"image": images[:count]}, {"probabilities": expected[:count]})


def make_text(folder: pathlib.Path) -> None:
    """A prompt with no past, then three tokens and then one token behind the past that the steps before made."""
    model = SAMPLES / "text.onnx"
    (folder / "model.onnx").write_bytes(model.read_bytes())
    running = store.session(model)
    names = [o.name for o in running.get_outputs()]
    pairs = [pair.split(":") for pair in running.get_modelmeta().custom_metadata_map["opmux.state"].split(",")]
    shapes = {i.name: i.shape for i in running.get_inputs()}
    state = {past: np.zeros([d if isinstance(d, int) else 0 for d in shapes[past]], np.float32) for past, _ in pairs}
    entry = json.loads((SAMPLES / "text_expected.json").read_text())[0]
    tokens, start = entry["prompt_tokens"] + entry["tokens"], 0
    for index, count in enumerate((len(entry["prompt_tokens"]), 3, 1)):
        feeds = {"tokens": np.array([tokens[start:start + count]], np.int64),
                 "positions": np.arange(start, start + count, dtype=np.int64)[None], **state}
        outputs = dict(zip(names, running.run(names, feeds)))
        store.save_case(folder, index, feeds, outputs)
        state, start = {past: outputs[present] for past, present in pairs}, start + count
