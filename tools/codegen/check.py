# SPDX-License-Identifier: Apache-2.0
"""Checks that reach across schema files, beyond what JSON Schema can say."""

from .expr import Translator
from .load import SchemaError
from .operands_hpp import enumerator


def _unique(rows, key, file, what):
    seen = {}
    for row in rows:
        value = row[key]
        if value in seen:
            raise SchemaError(file, what, f"{key} {value!r} appears twice ('{seen[value]}' and '{row['name']}')")
        seen[value] = row["name"]


def _dtypes(model):
    file = "schemas/abi/dtypes.yaml"
    rows = model.dtypes["dtypes"]
    for key in ("name", "serial"):
        _unique(rows, key, file, "dtypes")
    for name, members in model.dtypes["sets"].items():
        for t in members:
            if t not in model.dtype:
                raise SchemaError(file, f"sets.{name}", f"there is no dtype '{t}'")


def _functions(model):
    file = "schemas/abi/functions.yaml"
    rows = model.functions["functions"]
    for key in ("name", "value"):
        _unique(rows, key, file, "functions")
    for f in rows:
        if f["types"] not in model.dtypes["sets"]:
            raise SchemaError(file, f"functions.{f['name']}.types", f"there is no type set '{f['types']}'")


def _families(model):
    file = "schemas/abi/families.yaml"
    families = model.families["families"]
    for key in ("name", "id"):
        _unique(families, key, file, "families")
    by_name = {f["name"]: f["id"] for f in families}
    seen, names = {}, {}
    for op in model.ops:
        if op.family not in by_name:
            raise SchemaError(op.file, "", f"family '{op.family}' is not in {file}")
        if op.id >> 16 != by_name[op.family]:
            raise SchemaError(op.file, "id", f"0x{op.id:08x} is not in family {op.family} (0x{by_name[op.family]:04x})")
        if op.id in seen:
            raise SchemaError(op.file, "id", f"0x{op.id:08x} is that of '{seen[op.id]}' already")
        if op.id in model.families["retired"]:
            raise SchemaError(op.file, "id", f"0x{op.id:08x} is retired and must not be used again")
        if op.name in names:
            raise SchemaError(op.file, "op", f"'{op.name}' is in {names[op.name]} already")
        if not op.file.endswith(f"/{op.name}.yaml"):
            raise SchemaError(op.file, "op", f"is '{op.name}', but the file is named otherwise")
        seen[op.id], names[op.name] = op.name, op.file


def _types(model, op, where, types):
    if isinstance(types, str):
        if types not in model.dtypes["sets"]:
            raise SchemaError(op.file, where, f"there is no type set '{types}'")
        return
    for t in types:
        if t not in model.dtype:
            raise SchemaError(op.file, where, f"there is no dtype '{t}'")


def _operands(model, op):
    _unique(op.inputs + op.outputs, "name", op.file, "operands")
    in_code = {}
    for o in op.inputs + op.outputs:
        other = in_code.setdefault(enumerator(o["name"]), o["name"])
        if other != o["name"]:
            raise SchemaError(op.file, "operands", f"'{o['name']}' is {enumerator(o['name'])} in code, "
                              f"as is '{other}'")
    for i, o in enumerate(op.inputs):
        where = f"inputs[{i}]"
        if "types" in o:
            _types(model, op, where + ".types", o["types"])
        for key in ("same_type", "broadcast_to"):
            if key in o and (op.input_index(o[key]) is None or op.input_index(o[key]) >= i):
                raise SchemaError(op.file, f"{where}.{key}", f"'{o[key]}' is no input before '{o['name']}'")
    for i, o in enumerate(op.outputs):
        where = f"outputs[{i}]"
        if o["dtype"] not in ("rule", "open") and o["dtype"] not in model.dtype and \
                op.input_index(o["dtype"]) is None:
            raise SchemaError(op.file, where + ".dtype", f"'{o['dtype']}' is no input, dtype, 'open' or 'rule'")
        if o["shape"] not in ("rule", "open") and op.input_index(o["shape"]) is None:
            raise SchemaError(op.file, where + ".shape", f"'{o['shape']}' is no input, 'open' or 'rule'")
        if "rule" in (o["dtype"], o["shape"]) and "rule" not in op.data:
            raise SchemaError(op.file, where, "says 'rule', but the operator names none")


def _attributes(model, op):
    _unique(op.attributes, "name", op.file, "attributes")
    for i, a in enumerate(op.attributes):
        where = f"attributes[{i}]"
        if "enum" in a and a["enum"] not in model.groups:
            raise SchemaError(op.file, where + ".enum", f"there is no group of constants '{a['enum']}'")
        if "axis_of" in a and op.input_index(a["axis_of"]) is None:
            raise SchemaError(op.file, where + ".axis_of", f"'{a['axis_of']}' is no input")
        if a["type"] == "slice" and op.offsets[a["name"]] % 4:
            raise SchemaError(op.file, where, "is not aligned")
    if op.size % 8:
        raise SchemaError(op.file, "attributes",
                          f"end at byte {op.size}, which is no multiple of 8: add a reserved word")


def _expressions(model, op):
    for i, c in enumerate(op.data.get("checks", [])):
        for key in ("expr", "have", "limit"):
            Translator(op, model, op.file, f"checks[{i}].{key}").translate(c[key])
        if op.attribute(c["at"]) is None and op.operand(c["at"]) is None:
            raise SchemaError(op.file, f"checks[{i}].at", f"'{c['at']}' is no attribute or operand")
    for key in ("flops", "bytes"):
        if key in op.data:
            Translator(op, model, op.file, key, "sat").translate(op.data[key])


def _cases(model, op):
    for t in op.data["cases"]["dtypes"]:
        if t not in model.dtype:
            raise SchemaError(op.file, "cases.dtypes", f"there is no dtype '{t}'")


def _headers(model):
    for h in model.headers:
        file = f"schemas/abi/{h['header']}.h.yaml"
        for item in h["items"]:
            group = item.get("constants", {})
            seen = {}
            for v in group.get("values", []) if group.get("unique", True) else []:
                if v["value"] in seen:
                    raise SchemaError(file, group["prefix"], f"value {v['value']:#x} appears twice "
                                      f"('{seen[v['value']]}' and '{v['name']}')")
                seen[v["value"]] = v["name"]


def check(model):
    _headers(model)
    _dtypes(model)
    _functions(model)
    _families(model)
    for op in model.ops:
        _attributes(model, op)
        _operands(model, op)
        _expressions(model, op)
        _cases(model, op)
