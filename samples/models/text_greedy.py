# SPDX-License-Identifier: Apache-2.0
"""Greedy generation with the text sample in onnxruntime: by full re-computation and by its key/value state."""

from __future__ import annotations

import numpy as np
import onnxruntime


class TextSession:
    """Runs the model; the state pairs are read from its metadata."""

    def __init__(self, model: bytes | str) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        metadata = self._session.get_modelmeta().custom_metadata_map
        self.tokenizer_text = metadata["opmux.tokenizer"]
        self.capacity = int(metadata["opmux.state.capacity"])
        self._pairs = [pair.split(":") for pair in metadata["opmux.state"].split(",")]
        self._outputs = [o.name for o in self._session.get_outputs()]
        shapes = {i.name: i.shape for i in self._session.get_inputs()}
        self.empty = {past: np.zeros([d if isinstance(d, int) else 0 for d in shapes[past]], np.float32)
                      for past, _ in self._pairs}

    def run(self, tokens: list[int], start: int, state: dict[str, np.ndarray]) -> tuple[np.ndarray, dict]:
        """Logits [tokens, vocabulary] of `tokens` at places start, start + 1, ... and the state after them."""
        feeds = {"tokens": np.array([tokens], np.int64),
                 "positions": np.arange(start, start + len(tokens), dtype=np.int64)[None], **state}
        values = dict(zip(self._outputs, self._session.run(None, feeds)))
        return values["logits"][0], {past: values[present] for past, present in self._pairs}


def by_recomputation(session: TextSession, prompt: list[int], count: int) -> tuple[list[int], float]:
    """The continuation, and the smallest lead of a chosen token's logit over the second best."""
    tokens, lead = list(prompt), float("inf")
    for _ in range(count):
        last = session.run(tokens, 0, session.empty)[0][-1]
        second, first = np.partition(last, -2)[-2:]
        lead = min(lead, float(first - second))
        tokens.append(int(last.argmax()))
    return tokens[len(prompt):], lead


def by_state(session: TextSession, prompt: list[int], count: int) -> list[int]:
    logits, state = session.run(prompt, 0, session.empty)
    tokens = [int(logits[-1].argmax())]
    while len(tokens) < count:
        logits, state = session.run(tokens[-1:], len(prompt) + len(tokens) - 1, state)
        tokens.append(int(logits[-1].argmax()))
    return tokens
