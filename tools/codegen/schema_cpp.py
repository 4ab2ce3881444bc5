# SPDX-License-Identifier: Apache-2.0
"""Writes the build-tree part of the schema library: tables and the checks that are expressions."""

import re

from .expr import Translator

HEAD = """// SPDX-License-Identifier: Apache-2.0
// Generated from schemas/ by tools/codegen; do not edit.
"""
_TYPE = {"u32": "kU32", "i32": "kI32", "f32": "kF32", "slice": "kSlice"}


def quote(text):
    return '"' + " ".join(str(text).split()).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _type_bits(model, names):
    return " | ".join(f"type_bit(OPMUX_{n.upper()})" for n in names)


def _attr(model, op, a):
    check, low, high, group, axis = "kNone", 0, 0, "nullptr", 0
    if a.get("reserved"):
        check = "kReserved"
    elif "enum" in a:
        g = model.groups[a["enum"]]
        values = [v["value"] for v in g["values"]]
        check, low, high = "kEnum", min(values), max(values)
        group = quote(g["prefix"] if a["enum"] == "flag" else g["prefix"] + "*")
    elif "range" in a:
        check, (low, high) = "kRange", a["range"]
    elif "axis_of" in a:
        check, axis = "kAxis", op.input_index(a["axis_of"])
    elif a.get("dtype"):
        check = "kDtype"
    elif a.get("finite"):
        check = "kFinite"
    return (f'    {{"{a["name"]}", offsetof({op.struct}, {a["name"]}), AttrType::{_TYPE[a["type"]]}, '
            f"AttrCheck::{check}, {float(low)!r}, {float(high)!r}, {group}, {axis}}},")


def _operand(model, op, o):
    types = _type_bits(model, model.type_set(o["types"])) if "types" in o else "0"
    ref = [f"{op.input_index(o[k])}" if k in o else "kNoOperand" for k in ("same_type", "broadcast_to")]
    optional = "true" if o.get("optional") else "false"
    return f'    {{"{o["name"]}", {types}, {o["rank"][0]}, {o["rank"][1]}, {optional}, {ref[0]}, {ref[1]}}},'


def _output(model, op, o):
    if op.input_index(o["dtype"]) is not None:
        source, dtype = "kInput", op.input_index(o["dtype"])
    elif o["dtype"] in ("rule", "open"):
        source, dtype = "k" + o["dtype"].capitalize(), 0
    else:
        source, dtype = "kFixed", f"OPMUX_{o['dtype'].upper()}"
    if op.input_index(o["shape"]) is not None:
        shape_from, shape = "kInput", op.input_index(o["shape"])
    else:
        shape_from, shape = "k" + o["shape"].capitalize(), 0
    low, high = o.get("rank", [0, 8])
    optional = "true" if o.get("optional") else "false"
    return (f'    {{"{o["name"]}", Source::{source}, {dtype}, Source::{shape_from}, {shape}, {low}, {high}, '
            f"{optional}}},")


def _message(op, translate, text):
    """printf format and arguments of a message with {expressions}."""
    args = []

    def one(match):
        expr, _, form = match.group(1).partition(":")
        if form == "dtype":
            args.append(f"dtype_name(static_cast<uint32_t>({translate(expr)}))")
            return "%s"
        args.append(f"static_cast<long long>({translate(expr)})")
        return "%lld"

    pattern = re.sub(r"\{([^{}]+)\}", one, text.replace("%", "%%"))
    return quote(pattern), args


def _at(op, c):
    attr = op.attribute(c["at"])
    if attr is not None:
        return f"View::at_attr(offsetof({op.struct}, {c['at']}))"
    side, index = op.operand(c["at"])
    return f"v.at_{side}(OPMUX_WHY_{c.get('why', 'INVALID')}, {index}, {c.get('axis', 0)})"


def _checks(model, op):
    rows = op.data.get("checks", [])
    if not rows:
        return []
    lines = [f"bool check_{op.name}(const View& v, Problem& p) {{",
             f"  [[maybe_unused]] const auto& a = v.attr<{op.struct}>();"]
    for i, c in enumerate(rows):
        t = Translator(op, model, op.file, f"checks[{i}]").translate
        form, args = _message(op, t, c["message"])
        tail = "".join(f",\n                {a}" for a in args)
        lines.append(f"  if (!{t(c['expr'])})\n    return fail(p, v.name(), {_at(op, c)}, {t(c['have'])}, "
                     f"{t(c['limit'])},\n                {form}{tail});")
    return lines + ["  return true;", "}", ""]


def _formula(model, op, key):
    text = Translator(op, model, op.file, key, "sat").translate(op.data[key])
    return [f"Sat {key}_{op.name}([[maybe_unused]] const View& v) {{",
            f"  [[maybe_unused]] const auto& a = v.attr<{op.struct}>();", f"  return {text};", "}", ""]


def _epilogue(op):
    rows = op.data.get("programs", {}).get("epilogue", [])
    if not rows:
        return []
    value = rows[0]["value"]
    call = re.fullmatch(r"compute\((\w+)\)", value)
    text = f"compute_dtype(v.in({op.input_index(call.group(1))}).dtype)" if call else \
        f"v.attr<{op.struct}>().{value}"
    return [f"uint32_t epilogue_{op.name}(const View& v) {{ return {text}; }}", ""]


def _definition(op, i):
    programs = op.data.get("programs", {})
    mask = sum(1 << e["output"] for e in programs.get("epilogue", []))
    name = op.name
    span = [f"kIn_{name}", f"kOut_{name}", f"kAttr_{name}" if op.attributes else "std::span<const Attr>()"]
    variadic = ["true" if "variadic" in rows[-1] else "false" for rows in (op.inputs, op.outputs)]
    fields = [f"&kInfoTable[{i}]", *span, *variadic, "true" if programs.get("main") else "false", f"{mask}u",
              f"epilogue_{name}" if mask else "nullptr", f"check_{name}" if op.data.get("checks") else "nullptr",
              f"rules::{op.data['rule']}" if "rule" in op.data else "nullptr", f"flops_{name}",
              f"bytes_{name}" if "bytes" in op.data else "nullptr"]
    return "    {" + ", ".join(fields) + "},"


def _info(op):
    low_in, high_in = op.counts("in")
    low_out, high_out = op.counts("out")
    return (f'    {{0x{op.id:08x}u, {op.rev}, "{op.name}", "{op.family}",\n     {quote(op.data["doc"])},\n'
            f"     sizeof({op.struct}), {low_in}, {high_in}, {low_out}, {high_out}}},")


def tables(model):
    lines = [HEAD, '#include "kit/schema/table.hpp"', "", "namespace opmux::schema {", "namespace {", ""]
    for op in model.ops:
        lines += [f"static_assert(sizeof({op.struct}) == {op.size} && {op.size} <= kMaxDescSize);"]
        lines += [f"constexpr Operand kIn_{op.name}[] = {{"] + [_operand(model, op, o) for o in op.inputs] + ["};"]
        lines += [f"constexpr Output kOut_{op.name}[] = {{"] + [_output(model, op, o) for o in op.outputs] + ["};"]
        if op.attributes:
            lines += [f"constexpr Attr kAttr_{op.name}[] = {{"] + [_attr(model, op, a) for a in op.attributes]
            lines += ["};"]
        lines += ["", *_checks(model, op), *_formula(model, op, "flops"), *_epilogue(op)]
        if "bytes" in op.data:
            lines += _formula(model, op, "bytes")
    lines += ["constexpr OpInfo kInfoTable[] = {", *[_info(op) for op in model.ops], "};", ""]
    lines += ["constexpr OpDef kDefTable[] = {", *[_definition(op, i) for i, op in enumerate(model.ops)], "};", ""]
    lines += ["}  // namespace", "", "const std::span<const OpInfo> kOpInfos = kInfoTable;",
              "const std::span<const OpDef> kOpDefs = kDefTable;", "", "}  // namespace opmux::schema", ""]
    return "\n".join(lines)


def names(model):
    lines = [HEAD, '#include "kit/schema/table.hpp"', "", "namespace opmux::schema {", "namespace {", ""]
    lines += ["constexpr DtypeDef kDtypeTable[] = {"]
    lines += [f'    {{OPMUX_{t["name"].upper()}, "{t["name"]}"}},' for t in model.dtypes["dtypes"]] + ["};", ""]
    lines += ["constexpr FnDef kFnTable[] = {"]
    for f in sorted(model.functions["functions"], key=lambda f: f["value"]):
        types = _type_bits(model, model.type_set(f["types"]))
        lines.append(f'    {{OPMUX_FN_{f["name"]}, "{f["name"]}", {f["arity"]}, {types}, '
                     f"FnResult::k{f['result'].capitalize()}}},")
    lines += ["};", ""]
    for table, groups in (("kWhyTable", ["why"]), ("kStatusTable", ["status"])):
        rows = [(v["value"], v["name"]) for g in groups for v in model.groups[g]["values"]]
        rows += [(0, "OK")] if groups == ["status"] else []
        lines += [f"constexpr NumberName {table}[] = {{"]
        lines += [f'    {{{n}u, "{name}"}},' for n, name in sorted(rows)] + ["};", ""]
    lines += ["}  // namespace", "", "const std::span<const DtypeDef> kDtypes = kDtypeTable;",
              "const std::span<const FnDef> kFns = kFnTable;",
              "const std::span<const NumberName> kWhys = kWhyTable, kStatuses = kStatusTable;",
              f"const TypeSet kAnyType = {_type_bits(model, model.type_set('any'))};",
              "const uint32_t kMathBits = OPMUX_MATH_STRICT | OPMUX_MATH_DETERMINISTIC | OPMUX_MATH_ALLOW_TF32 |"
              " OPMUX_MATH_ALLOW_F16_ACC;",
              "const uint32_t kTensorFlags = OPMUX_T_CONST | OPMUX_T_STATE | OPMUX_T_HOST_SCALAR;",
              "const uint32_t kInsnFlags = OPMUX_INSN_SATURATE | OPMUX_INSN_ROUND_UP |"
              " OPMUX_INSN_ROUND_DOWN;", "", "}  // namespace opmux::schema", ""]
    return "\n".join(lines)


def files(model):
    return {"schema_ops.gen.cpp": tables(model), "schema_names.gen.cpp": names(model)}
