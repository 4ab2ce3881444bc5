#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes text.onnx from the weights that train_text.py made, and the expected continuations.

usage: export_text.py WEIGHTS.npz [--output FOLDER]

text_expected.json holds, for every prompt of text_prompts.txt, the greedy continuation by onnxruntime;
it is written only when full re-computation and the key/value state agree token by token.
"""

from __future__ import annotations

import argparse
import json
import pathlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import text_config as cfg
import text_greedy
from text_corpus import Tokenizer

CONTINUATION = 48
HERE = pathlib.Path(__file__).parent


class Builder:
    def __init__(self, weights: dict[str, np.ndarray]) -> None:
        self.weights, self.nodes, self.constants = weights, [], []

    def weight(self, name: str) -> str:
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(self.weights[name]), name))
        return name

    def add(self, operator: str, inputs: list[str], name: str, extra_outputs: tuple[str, ...] = (), **attributes):
        self.nodes.append(helper.make_node(operator, inputs, [name, *extra_outputs], name=name, **attributes))
        return name

    def norm(self, value: str, name: str, weight: str) -> str:
        return self.add("RMSNormalization", [value, self.weight(weight)], name, axis=-1, epsilon=cfg.EPSILON)


def block(b: Builder, value: str, i: int) -> str:
    source, to = f"blocks.{i}.", f"block{i}."
    normal = b.norm(value, to + "attention_norm", source + "attention_norm.scale")
    q, k, v = (b.add("MatMul", [normal, b.weight(source + part)], to + part) for part in "qkv")
    # No mask: the empty name leaves input 3 out.
    mixed = b.add("Attention", [q, k, v, "", f"past_key_{i}", f"past_value_{i}"], to + "attention",
                  (f"present_key_{i}", f"present_value_{i}"),
                  q_num_heads=cfg.QUERY_HEADS, kv_num_heads=cfg.KV_HEADS, is_causal=1)
    value = b.add("Add", [value, b.add("MatMul", [mixed, b.weight(source + "o")], to + "o")], to + "residual")
    normal = b.norm(value, to + "mlp_norm", source + "mlp_norm.scale")
    hidden = b.add("Gelu", [b.add("MatMul", [normal, b.weight(source + "up")], to + "up")], to + "gelu")
    return b.add("Add", [value, b.add("MatMul", [hidden, b.weight(source + "down")], to + "down")], to + "output")


def state_names() -> list[tuple[str, str]]:
    return [(f"past_{kind}_{i}", f"present_{kind}_{i}") for i in range(cfg.LAYERS) for kind in ("key", "value")]


def export(weights: dict[str, np.ndarray]) -> onnx.ModelProto:
    b = Builder(weights)
    token = b.add("Gather", [b.weight("token"), "tokens"], "token_embedding", axis=0)
    place = b.add("Gather", [b.weight("position"), "positions"], "position_embedding", axis=0)
    value = b.add("Add", [token, place], "embedding")
    for i in range(cfg.LAYERS):
        value = block(b, value, i)
    value = b.norm(value, "norm", "norm.scale")
    # The output projection is the embedding transposed, held once.
    b.add("MatMul", [value, b.add("Transpose", ["token"], "head", perm=[1, 0])], "logits")
    state = state_names()

    def info(name: str, kind: int, shape: list) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, kind, shape)

    def cache(name: str, length: str) -> onnx.ValueInfoProto:
        return info(name, TensorProto.FLOAT, [1, cfg.KV_HEADS, length, cfg.HEAD_SIZE])

    inputs = [info(name, TensorProto.INT64, [1, "S"]) for name in ("tokens", "positions")]
    inputs += [cache(past, "P") for past, _ in state]
    outputs = [info("logits", TensorProto.FLOAT, [1, "S", cfg.VOCABULARY])]
    outputs += [cache(present, "P_plus_S") for _, present in state]
    graph = helper.make_graph(b.nodes, "text", inputs, outputs, b.constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 23)], ir_version=10,
                              producer_name="opmux-samples")
    helper.set_model_props(model, {
        "opmux.state": ",".join(f"{past}:{present}" for past, present in state),
        "opmux.state.capacity": str(cfg.CONTEXT),
        "opmux.tokenizer": str(weights["tokenizer"]),
        "opmux.data": "glosses of WordNet 3.0, Copyright 2006 by Princeton University (see WORDNET-LICENSE)",
        "opmux.held_out_bits_per_character":
            f"{float(weights['held_out_loss']) / np.log(2) / float(weights['characters_per_token']):.3f}",
    })
    onnx.checker.check_model(model, full_check=True)
    return model


def expected(model: onnx.ModelProto, prompts: list[str]) -> list[dict]:
    session = text_greedy.TextSession(model.SerializeToString())
    tokenizer = Tokenizer.from_metadata(session.tokenizer_text)
    found = []
    for prompt in prompts:
        ids = tokenizer.encode(prompt)
        tokens, lead = text_greedy.by_recomputation(session, ids, CONTINUATION)
        if text_greedy.by_state(session, ids, CONTINUATION) != tokens:
            raise SystemExit(f"export_text: prompt {prompt!r} goes on differently with the key/value state")
        found.append({"prompt": prompt, "prompt_tokens": ids, "tokens": tokens, "text": tokenizer.decode(tokens),
                      "smallest_lead": round(lead, 4)})
        print(f"{prompt}|{tokenizer.decode(tokens)!r} lead {lead:.4f}")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights")
    parser.add_argument("--output", type=pathlib.Path, default=HERE)
    args = parser.parse_args()
    with np.load(args.weights) as weights:
        model = export(dict(weights))
    prompts = (HERE / "text_prompts.txt").read_text().splitlines()
    expectation = expected(model, prompts)
    onnx.save(model, args.output / "text.onnx")
    (args.output / "text_expected.json").write_text(json.dumps(expectation, indent=1) + "\n")


if __name__ == "__main__":
    main()
