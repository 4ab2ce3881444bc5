# SPDX-License-Identifier: Apache-2.0
"""Writes the build-tree tables that drive the conformance suite: domains of inputs, cases and accuracy bounds."""

from .expr import Translator
from .load import SchemaError
from .schema_cpp import HEAD, quote

# Kinds of values that need an operand to be valid for, and those that need bounds.
_OF = {"index", "coordinates", "lengths", "offsets"}
_VIEWS = ["contiguous", "transposed", "reversed", "broadcast", "sliced", "channels_last"]
_USUAL_VIEWS = ["contiguous", "transposed", "reversed", "broadcast", "sliced"]


def primary(op):
    """The operand that takes the types of `cases`: the first output's dtype if that is an input's, else input 0."""
    cases = op.data["cases"]
    if "dtype_of" in cases:
        return op.input_index(cases["dtype_of"])
    return op.input_index(op.outputs[0]["dtype"]) or 0


def check(model, op):
    """Faults of `values` and `cases` that JSON Schema cannot see."""
    for i, o in enumerate(op.inputs):
        _check_values(model, op, i, o)
    cases = op.data["cases"]
    if "dtype_of" in cases and op.input_index(cases["dtype_of"]) is None:
        raise SchemaError(op.file, "cases.dtype_of", f"'{cases['dtype_of']}' is no input")
    for i, c in enumerate(cases["shapes"]):
        _check_line(model, op, c, f"cases.shapes[{i}]")


def _check_values(model, op, i, o):
    v = o.get("values")
    if v is None:
        return
    where = f"inputs[{i}].values"
    if (v["kind"] in _OF) != ("of" in v):
        raise SchemaError(op.file, where, f"kind '{v['kind']}' and key 'of' do not go together"
                          if "of" in v else f"kind '{v['kind']}' needs the key 'of'")
    if "of" in v and op.input_index(v["of"]) is None:
        raise SchemaError(op.file, where + ".of", f"'{v['of']}' is no input")
    if v["kind"] == "range" and not ("low" in v and "high" in v):
        raise SchemaError(op.file, where, "kind 'range' needs 'low' and 'high'")
    axis = v.get("axis")
    if isinstance(axis, str) and (op.attribute(axis) or {}).get("type") not in ("u32", "i32"):
        raise SchemaError(op.file, where + ".axis", f"'{axis}' is no integer attribute")
    for key in ("low", "high"):
        if isinstance(v.get(key), str):
            Translator(op, model, op.file, f"{where}.{key}").translate(v[key])


def _check_line(model, op, c, where):
    for side, rows in (("in", op.inputs), ("out", op.outputs)):
        if len(c.get(side, [])) > len(rows) and "variadic" not in rows[-1]:
            raise SchemaError(op.file, f"{where}.{side}", f"has {len(c[side])} operands, there are {len(rows)}")
    for name in c.get("types", {}):
        if op.input_index(name) is None:
            raise SchemaError(op.file, f"{where}.types", f"'{name}' is no input")
        types = c["types"][name]
        for t in model.type_set(types) if isinstance(types, str) and types in model.dtypes["sets"] else _listed(types):
            if t not in model.dtype:
                raise SchemaError(op.file, f"{where}.types.{name}", f"there is no dtype '{t}'")
    for out, source in c.get("alias", {}).items():
        if (op.operand(out) or ("",))[0] != "out" or op.input_index(source) is None:
            raise SchemaError(op.file, f"{where}.alias", f"'{out}: {source}' is no output and input")
    for name, value in c.get("attributes", {}).items():
        a = op.attribute(name)
        if a is None:
            raise SchemaError(op.file, f"{where}.attributes", f"there is no attribute '{name}'")
        _alternatives(model, op, a, value, f"{where}.attributes.{name}")


def _listed(value):
    return value if isinstance(value, list) else [value]


def _alternatives(model, op, a, value, where):
    """Every value that a case gives an attribute: numbers, or lists of numbers for a slice."""
    if a["type"] == "slice":
        if not isinstance(value, list):
            raise SchemaError(op.file, where, "is no list")
        lists = value if value and all(isinstance(v, list) for v in value) else [value]
        if any(not isinstance(n, int) for v in lists for n in v):
            raise SchemaError(op.file, where, "has an entry that is no integer")
        return lists
    group = model.groups.get(a.get("enum"))
    if value == "all" and group:
        return [v["value"] for v in group["values"]]
    return [_number(model, op, a, group, v, where) for v in _listed(value)]


def _number(model, op, a, group, value, where):
    if not isinstance(value, str):
        return value
    if a.get("dtype") and value in model.dtype:
        return f"OPMUX_{value.upper()}"
    for v in group["values"] if group else []:
        if v.get("name") == value:
            return v["value"]
    raise SchemaError(op.file, where, f"'{value}' is no value of it")


class _Tables:
    """C++ text of one operator's tables; arrays get names as they come."""

    def __init__(self, model, op):
        self.model, self.op, self.lines, self.count = model, op, [], 0

    def array(self, ctype, items):
        if not items:
            return "{}"
        self.count += 1
        name = f"k_{self.op.name}_{self.count}"
        self.lines.append(f"constexpr {ctype} {name}[] = {{{', '.join(items)}}};")
        return name

    def function(self, result, text):
        self.count += 1
        name = f"f_{self.op.name}_{self.count}"
        self.lines += [f"{result} {name}([[maybe_unused]] const View& v) {{",
                       f"  [[maybe_unused]] const auto& a = v.attr<{self.op.struct}>();", f"  return {text};", "}"]
        return name

    def limit(self, v, key):
        value = v.get(key)
        if isinstance(value, str):
            text = Translator(self.op, self.model, self.op.file, key).translate(value)
            return "0", self.function("int64_t", text)
        return repr(float(value or 0)), "nullptr"

    def values(self, o):
        v = o.get("values", {"kind": "mixed"})
        low, low_of = self.limit(v, "low")
        high, high_of = self.limit(v, "high")
        axis = v.get("axis", 0)
        attr = f"offsetof({self.op.struct}, {axis})" if isinstance(axis, str) else "kNoAttr"
        fault = v.get("fault", v["kind"] in ("index", "coordinates"))
        flags = [str(bool(b)).lower() for b in (v.get("negative", True), v.get("unique"), v.get("sorted"), fault)]
        of = self.op.input_index(v["of"]) if "of" in v else "kNoOperand"
        return (f"{{ValueKind::k{v['kind'].capitalize()}, {of}, {0 if isinstance(axis, str) else axis}, {attr}, "
                f"{low}, {high}, {low_of}, {high_of}, {', '.join(flags)}}}")

    def dims(self, rows):
        items = []
        for d in rows:
            items.append("{-1, {}}" if d is None else f"{{{len(d)}, {{{', '.join(map(str, d))}}}}}")
        return self.array("CaseDims", items)

    def attribute(self, a, value):
        values = []
        for v in _alternatives(self.model, self.op, a, value, "cases"):
            if a["type"] == "slice":
                values.append(f"{{0, {self.array('int64_t', [str(n) for n in v])}}}")
            else:
                values.append(f"{{{v if isinstance(v, str) else repr(float(v))}, {{}}}}")
        return (f'{{"{a["name"]}", offsetof({self.op.struct}, {a["name"]}), '
                f"AttrType::k{a['type'].capitalize()}, {self.array('CaseValue', values)}}}")

    def line(self, c):
        types = []
        for name, t in c.get("types", {}).items():
            t = self.model.type_set(t) if isinstance(t, str) and t in self.model.dtypes["sets"] else _listed(t)
            types.append(f"{{{self.op.input_index(name)}, "
                         f"{self.array('uint32_t', ['OPMUX_' + n.upper() for n in t])}}}")
        alias = [f"{{{self.op.operand(o)[1]}, {self.op.input_index(i)}}}" for o, i in c.get("alias", {}).items()]
        attrs = [self.attribute(self.op.attribute(n), v) for n, v in c.get("attributes", {}).items()]
        return ("{" + ", ".join([self.dims(c.get("in", [])), self.dims(c.get("out", [])),
                                 self.array("CaseAttr", attrs), self.array("CaseTypes", types),
                                 self.array("CaseAlias", alias), "true" if "out" in c else "false"]) + "}")

    def bound(self, key):
        b = self.op.data["accuracy"].get(key, self.op.data["accuracy"]["strict"])
        length = Translator(self.op, self.model, self.op.file, key, "sat").translate(b.get("length", 1))
        inexact = Translator(self.op, self.model, self.op.file, key).translate(b.get("inexact", "0 == 1"))
        return (f"{{BoundForm::k{b['form'].capitalize()}, {float(b.get('c', 1))!r}, {self.function('Sat', length)}, "
                f"{self.function('bool', inexact)}}}")

    def op_cases(self):
        cases = self.op.data["cases"]
        views = sum(1 << _VIEWS.index(v) for v in cases.get("views", _USUAL_VIEWS))
        values = self.array("Values", [self.values(o) for o in self.op.inputs])
        dtypes = self.array("uint32_t", ["OPMUX_" + t.upper() for t in cases["dtypes"]])
        lines = self.array("CaseLine", [self.line(c) for c in cases["shapes"]])
        strict, algebraic = self.bound("strict"), self.bound("algebraic")
        return (f"    {{0x{self.op.id:08x}u, {values}, {dtypes}, {views}u, {primary(self.op)}, {lines},\n"
                f"     {strict}, {algebraic}}},")


def text(model):
    lines = [HEAD, '#include "kit/schema/cases.hpp"', "", "namespace opmux::schema {", "namespace {", ""]
    rows = []
    for op in model.ops:
        tables = _Tables(model, op)
        rows.append(tables.op_cases())
        lines += tables.lines + [""]
    lines += ["const OpCases kTable[] = {", *rows, "};", "", "}  // namespace", "",
              "std::span<const OpCases> all_cases() { return kTable; }", "", "}  // namespace opmux::schema", ""]
    return "\n".join(lines)


def files(model):
    return {"schema_cases.gen.cpp": text(model)}
