# SPDX-License-Identifier: Apache-2.0
"""The generator: what is committed is what the schemas say, and faulty schemas are refused by name."""

import re
import shutil
from pathlib import Path

import pytest

from tools.codegen import __main__ as codegen
from tools.codegen import cases_cpp, operands_hpp
from tools.codegen.load import SchemaError
from tools.codegen.model import Model

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(name="schemas")
def copy_of_schemas(tmp_path):
    shutil.copytree(ROOT / "schemas", tmp_path / "schemas")
    return tmp_path / "schemas"


def refusal(schemas):
    with pytest.raises(SchemaError) as caught:
        Model(schemas)
    return str(caught.value)


def edit(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_regenerating_changes_nothing(capsys):
    assert codegen.main(["--check"]) == 0, capsys.readouterr().err


def test_check_names_a_product_that_differs(tmp_path, capsys):
    shutil.copytree(ROOT / "schemas", tmp_path / "schemas")
    for name, text in codegen.committed(Model(tmp_path / "schemas")).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert codegen.main(["--root", str(tmp_path), "--check"]) == 0
    edit(tmp_path / "sdk/include/opmux/abi.h", "uint32_t size", "uint32_t sise")
    assert codegen.main(["--root", str(tmp_path), "--check"]) == 1
    assert capsys.readouterr().err.startswith("sdk/include/opmux/abi.h: differs")


def test_a_product_of_a_removed_schema_is_reported(tmp_path, capsys):
    shutil.copytree(ROOT / "schemas", tmp_path / "schemas")
    codegen.main(["--root", str(tmp_path)])
    capsys.readouterr()
    shutil.rmtree(tmp_path / "schemas/ops/image")
    assert codegen.main(["--root", str(tmp_path), "--check"]) == 1
    assert "sdk/include/opmux/ops/image.gen.h: comes from no schema" in capsys.readouterr().err


@pytest.mark.parametrize("file, old, new, said", [
    ("ops/normalise/softmax.yaml", "rev: 1", "rev: 1\ncolour: red", "softmax.yaml: .*'colour' was unexpected"),
    ("ops/normalise/softmax.yaml", "axis_of: x}", "axis_of: x, unit: m}",
     r"attributes\[1\]: .*'unit' was unexpected"),
    ("ops/normalise/softmax.yaml", "rev: 1", "rev: 1\nrev: 1", "softmax.yaml: .*key 'rev' appears twice"),
    ("ops/normalise/softmax.yaml", "id: 0x00080001", "id: 0x00080002",
     "(layer_norm|softmax).yaml: id: 0x00080002 is that of"),
    ("ops/normalise/softmax.yaml", "id: 0x00080001", "id: 0x00090009",
     "softmax.yaml: id: 0x00090009 is not in family normalise"),
    ("ops/normalise/softmax.yaml", "op: softmax", "op: softmix",
     "softmax.yaml: op: is 'softmix', but the file is named"),
    ("ops/normalise/softmax.yaml", "types: float", "types: floot",
     r"inputs\[0\].types: there is no type set 'floot'"),
    ("ops/normalise/softmax.yaml", "axis_of: x}", "axis_of: z}", r"attributes\[1\].axis_of: 'z' is no input"),
    ("ops/normalise/softmax.yaml", "enum: softmax_kind", "enum: kinds", "there is no group of constants 'kinds'"),
    ("ops/normalise/softmax.yaml", "dtype: x, shape: x", "dtype: x, shape: z",
     r"outputs\[0\].shape: 'z' is no input"),
    ("ops/normalise/softmax.yaml", "flops: 5 * numel(x)", "flops: 5 * numel(z)", "flops: 'z' is no operand"),
    ("ops/normalise/softmax.yaml", "flops: 5 * numel(x)", "flops: 5 *", "flops: '5 \\*' is no expression"),
    ("ops/normalise/softmax.yaml", "flops: 5 * numel(x)", "flops: open('x')", "flops: there is no function 'open'"),
    ("ops/normalise/softmax.yaml", "  - {name: kind, type: u32, enum: softmax_kind}\n", "", "end at byte 108"),
    ("ops/normalise/group_norm.yaml", "expr: x.dim[1] % groups == 0", "expr: x.dim[1] % group == 0",
     r"group_norm.yaml: checks\[0\].expr: 'group' is no attribute"),
    ("ops/pool/pool.yaml", "rule: pool\n", "", "pool.yaml: outputs.*names none"),
    ("abi/dtypes.yaml", "serial: 2,", "serial: 1,", "dtypes.yaml: dtypes: serial 1 appears twice"),
    ("abi/functions.yaml", "value: 17,", "value: 16,", "functions.yaml: functions: value 16 appears twice"),
    ("abi/functions.yaml", "types: signed", "types: sined", "functions.NEG.types: there is no type set 'sined'"),
    ("abi/families.yaml", "retired: []", "retired: [0x00080001]", "softmax.yaml: id: 0x00080001 is retired"),
    ("abi/plugin.h.yaml", "name: FORK_SAFE, value: 2", "name: UNLOADABLE, value: 2",
     "OPMUX_PF_UNLOADABLE: is defined already"),
    ("abi/plugin.h.yaml", "name: SHARE, value: 0x4f500007", "name: SHARE, value: 0x4f500006",
     "OPMUX_I_: value 0x4f500006 appears twice"),
    ("abi/plugin.h.yaml", "name: subgroup_max", "name: subgroup_min",
     "opmux_devinfo: member 'subgroup_min' appears twice"),
    ("abi/plugin.h.yaml", "type: opmux_bind}", "type: opmux_bond}", "opmux_.*: there is no type 'opmux_bond'"),
    ("abi/plugin.h.yaml", "frozen: 16", "frozen: 24", "opmux_wait: is 16 bytes, not 24"),
    ("abi/types.h.yaml", "kind: header", "kind: heador", "schemas/meta/heador.json: there is no such"),
])
def test_faulty_schemas_are_refused_with_file_and_key(schemas, file, old, new, said):
    edit(schemas / file, old, new)
    assert re.search(said, refusal(schemas))


def test_a_file_that_is_no_yaml_is_named(schemas):
    (schemas / "ops/pool/pool.yaml").write_text("op: [1, 2", encoding="utf-8")
    assert refusal(schemas).startswith("schemas/ops/pool/pool.yaml: ")


def test_exit_status_is_one_and_nothing_is_written_after_a_fault(tmp_path, capsys):
    shutil.copytree(ROOT / "schemas", tmp_path / "schemas")
    edit(tmp_path / "schemas/ops/pool/pool.yaml", "rev: 1", "rev: one")
    assert codegen.main(["--root", str(tmp_path)]) == 1
    assert "schemas/ops/pool/pool.yaml: rev: 'one' is not of type 'integer'" in capsys.readouterr().err
    assert not (tmp_path / "sdk").exists()


@pytest.mark.parametrize("file, old, new, said", [
    ("ops/index/gather.yaml", "kind: index, of: x", "kind: index, of: z", r"inputs\[1\].values.of: 'z' is no input"),
    ("ops/index/gather.yaml", "of: x, axis: axis", "axis: axis", "kind 'index' needs the key 'of'"),
    ("ops/index/gather.yaml", "axis: axis}}", "axis: axes}}", "'axes' is no integer attribute"),
    ("ops/index/one_hot.yaml", "low: -12, ", "", "kind 'range' needs 'low' and 'high'"),
    ("ops/attention/attention.yaml", "past_k.dim[2] - k.dim[2]", "past_k.dim[2] - z.dim[2]", "'z' is no operand"),
    ("ops/attention/attention.yaml", "alias: {present_k:", "alias: {present_q:", "'present_q: past_k' is no output"),
    ("ops/reduce/reduce.yaml", "kind: all", "kind: AVERAGE", "'AVERAGE' is no value of it"),
    ("ops/index/gather.yaml", "in: [[17], []]", "in: [[17], [], []]", "has 3 operands, there are 2"),
])
def test_faulty_cases_are_refused_with_file_and_key(schemas, file, old, new, said):
    edit(schemas / file, old, new)
    assert re.search(said, refusal(schemas))


def test_alternatives_of_attributes_and_every_value_of_an_enum_reach_the_tables(schemas):
    edit(schemas / "ops/normalise/softmax.yaml", "{kind: 1, axis: 0}", "{kind: all, axis: [0, 1]}")
    text = cases_cpp.text(Model(schemas))
    assert re.search(r"CaseValue k_softmax_\d+\[\] = \{\{1.0, \{\}\}, \{2.0, \{\}\}\};", text)
    assert re.search(r"CaseValue k_softmax_\d+\[\] = \{\{0.0, \{\}\}, \{1.0, \{\}\}\};", text)


def test_every_operand_has_its_name_and_place_in_the_header_of_its_family():
    model = Model(ROOT / "schemas")
    headers = operands_hpp.files(model)
    for op in model.ops:
        text = headers[f"kit/operands/{op.family}.gen.hpp"]
        start = text.index(f"namespace {op.name} {{\n")
        own = text[start:text.index(f"}}  // namespace {op.name}\n", start)]
        for kind, rows in (("Input", op.inputs), ("Output", op.outputs)):
            body = re.search(rf"enum {kind} : uint32_t \{{\n(.*?)\}};", own, re.DOTALL).group(1)
            found = {name: int(place) for name, place in re.findall(r"(\w+) = (\d+),", body)}
            assert found == {operands_hpp.enumerator(o["name"]): i for i, o in enumerate(rows)}
        names = re.search(r"kInputName\[\] = \{(.*?)\};", own).group(1)
        assert names == ", ".join(f'"{o["name"]}"' for o in op.inputs)
    assert operands_hpp.enumerator("past_len") == "kPastLen"


def test_an_operand_put_first_changes_the_header_of_its_family_alone(schemas):
    before = operands_hpp.files(Model(schemas))
    edit(schemas / "ops/position/rotary.yaml", "inputs:\n", "inputs:\n  - {name: turn, types: [f32], rank: [0, 0]}\n")
    after = operands_hpp.files(Model(schemas))
    assert {name for name in after if after[name] != before[name]} == {"kit/operands/position.gen.hpp"}
    assert "  kTurn = 0,\n  kX = 1,\n" in after["kit/operands/position.gen.hpp"]


def test_operands_whose_names_in_code_would_be_the_same_are_refused(schemas):
    edit(schemas / "ops/attention/attention.yaml", "{name: slopes,", "{name: past__len,")
    assert "operands: 'past__len' is kPastLen in code, as is 'past_len'" in refusal(schemas)
