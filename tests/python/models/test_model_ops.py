# SPDX-License-Identifier: Apache-2.0
from tools import model_ops


def test_operators_are_counted_with_attributes_and_input_kinds(samples):
    described = model_ops.describe(samples / "digits.onnx")
    found = {u["op"]: u for u in described["uses"]}
    assert found["Conv"]["count"] == 3 and found["Conv"]["inputs"] == "vc"
    assert found["Conv"]["attributes"] == "kernel_shape=[3, 3], pads=[1, 1, 1, 1]"
    assert found["BatchNormalization"]["inputs"] == "vcccc"
    assert described["opsets"] == {"ai.onnx": 17}
    assert sum(u["count"] for u in described["uses"]) == described["nodes"] == 14


def test_table_has_one_line_for_each_way_an_operator_is_used(samples):
    described = model_ops.describe(samples / "digits.onnx")
    assert model_ops.markdown([described]).count("\n| Conv |") == 1
