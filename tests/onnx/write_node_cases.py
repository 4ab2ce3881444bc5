#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the ONNX node tests, which the onnx package makes from code, as backend test folders.

usage: write_node_cases.py OUTPUT_FOLDER

Cases with sequence, optional or map inputs or outputs are left out: only tensors have files.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.backend.test.case.node import collect_testcases


def has_tensors_only(model: onnx.ModelProto) -> bool:
    values = list(model.graph.input) + list(model.graph.output)
    return all(v.type.HasField("tensor_type") for v in values)


def write_value(path: Path, value: object, name: str) -> None:
    if isinstance(value, onnx.TensorProto):
        path.write_bytes(value.SerializeToString())
    else:
        path.write_bytes(numpy_helper.from_array(np.asarray(value), name).SerializeToString())


def write_case(folder: Path, case: object) -> None:
    model = case.model
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    for i, (inputs, outputs) in enumerate(case.data_sets):
        data = folder / f"test_data_set_{i}"
        data.mkdir(exist_ok=True)
        for kind, values, ports in (("input", inputs, model.graph.input), ("output", outputs, model.graph.output)):
            for j, value in enumerate(values):
                write_value(data / f"{kind}_{j}.pb", value, ports[j].name)


def main() -> None:
    output = Path(sys.argv[1])
    count = 0
    for case in collect_testcases(None):
        if case.model is not None and has_tensors_only(case.model):
            write_case(output / case.name, case)
            count += 1
    print(f"{count} cases")


if __name__ == "__main__":
    main()
