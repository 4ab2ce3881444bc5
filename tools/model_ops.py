#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Lists every operator that a set of ONNX models uses, with attribute values, input kinds and op-set.

usage: model_ops.py MODEL.onnx... [--json]

Input kinds, one letter per input: c constant (initializer), v computed or graph input, - left out.
Integer constants that shape the result (the shape of a Reshape, the bounds of a Slice) are printed.
"""

from __future__ import annotations

import argparse
import collections
import json
import pathlib

import numpy as np
import onnx
from onnx import helper, numpy_helper

# Operators whose trailing integer inputs decide the output's shape.
SHAPE_INPUT_OPS = {"Reshape", "Slice", "Unsqueeze", "Squeeze", "Expand", "ReduceSum", "ReduceL2", "Gather"}
MAX_PRINTED_ELEMENTS = 8


def attribute_text(attribute: onnx.AttributeProto) -> str:
    value = helper.get_attribute_value(attribute)
    if isinstance(value, onnx.TensorProto):
        array = numpy_helper.to_array(value)
        return f"{array.dtype}{list(array.shape)}"
    if isinstance(value, float):
        return f"{value:.9g}"
    if isinstance(value, bytes):
        return value.decode()
    return str(list(value)) if isinstance(value, collections.abc.Sequence) else str(value)


def input_kinds(node: onnx.NodeProto, constants: dict[str, np.ndarray]) -> str:
    kinds = "".join("-" if not name else "c" if name in constants else "v" for name in node.input)
    return kinds if len(kinds) <= 8 else f"{len(kinds)} inputs"


def shape_constants(node: onnx.NodeProto, constants: dict[str, np.ndarray]) -> str:
    if node.op_type not in SHAPE_INPUT_OPS:
        return ""
    values = [constants[name] for name in node.input[1:] if name in constants]
    small = [v.tolist() for v in values if v.dtype == np.int64 and v.size <= MAX_PRINTED_ELEMENTS]
    return " ".join(str(v) for v in small)


def uses(model: onnx.ModelProto) -> collections.Counter:
    """Counts (operator, attributes, input kinds, outputs, shape constants) over the main graph."""
    constants = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    counted = collections.Counter()
    for node in model.graph.node:
        attributes = ", ".join(f"{a.name}={attribute_text(a)}" for a in sorted(node.attribute, key=lambda a: a.name))
        name = f"{node.domain}.{node.op_type}" if node.domain else node.op_type
        outputs = sum(1 for o in node.output if o)
        counted[(name, attributes, input_kinds(node, constants), outputs, shape_constants(node, constants))] += 1
    return counted


def signature(values) -> str:
    def one(value):
        dims = [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim]
        return f"{value.name}: {onnx.TensorProto.DataType.Name(value.type.tensor_type.elem_type).lower()}{dims}"

    return "; ".join(one(v) for v in values)


def describe(path: pathlib.Path) -> dict:
    model = onnx.load(path)
    constants = {t.name for t in model.graph.initializer}
    inputs = [v for v in model.graph.input if v.name not in constants]
    return {
        "model": path.parent.name if path.name == "model.onnx" else path.stem,
        "ir_version": model.ir_version,
        "opsets": {o.domain or "ai.onnx": o.version for o in model.opset_import},
        "inputs": signature(inputs),
        "outputs": signature(model.graph.output),
        "nodes": len(model.graph.node),
        "initializers_that_are_also_inputs": len(model.graph.input) - len(inputs),
        "uses": [dict(zip(("op", "attributes", "inputs", "outputs", "constants"), k), count=n)
                 for k, n in sorted(uses(model).items())],
    }


def markdown(models: list[dict]) -> str:
    by_op = collections.defaultdict(lambda: collections.defaultdict(set))
    for m in models:
        for u in m["uses"]:
            by_op[u["op"]][(u["attributes"], u["inputs"], u["outputs"], u["constants"])].add(m["model"])
    lines = ["| model | IR | op-sets | nodes | inputs | outputs | initializers that are also inputs |",
             "| --- | --- | --- | --- | --- | --- | --- |"]
    for m in models:
        opsets = ", ".join(f"{d} {v}" for d, v in m["opsets"].items())
        lines.append(f"| {m['model']} | {m['ir_version']} | {opsets} | {m['nodes']} | {m['inputs']} | {m['outputs']} | "
                     f"{m['initializers_that_are_also_inputs']} |")
    lines += ["", "| operator | attributes | input kinds | outputs | integer constants | models |",
              "| --- | --- | --- | --- | --- | --- |"]
    for op in sorted(by_op):
        for (attributes, kinds, outputs, constants), names in sorted(by_op[op].items()):
            lines.append(f"| {op} | {attributes} | {kinds} | {outputs} | {constants} | {', '.join(sorted(names))} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", type=pathlib.Path)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    models = [describe(path) for path in args.models]
    print(json.dumps(models, indent=1) if args.json else markdown(models), end="")


if __name__ == "__main__":
    main()
