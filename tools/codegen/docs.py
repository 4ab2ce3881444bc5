# SPDX-License-Identifier: Apache-2.0
"""Writes the reference pages: one per operator, their index, and the functions of programs."""

import textwrap

_MARK = "<!-- SPDX-License-Identifier: Apache-2.0. Generated from {} by tools/codegen; do not edit. -->\n"
_BOUND = {
    "exact": "exact", "ulp": "at most {c} units in the last place",
    "sum": "|y - ref| <= {c} eps sum |terms|, over {n} terms",
    "dot": "|y - ref| <= {c} eps f(K) sum |a b| + 0.5 ulp, K = {n}",
    "statistic": "|y - ref| <= {c} eps (|y| + spread), statistics over {n} elements",
    "tile": "|y - ref| <= {c} eps max |tile| sum |w|, over {n} products",
}


def _wrap(text):
    return "\n".join(textwrap.wrap(" ".join(text.split()), 112, break_on_hyphens=False, break_long_words=False))


def _cell(text):
    return str(text).replace("|", "\\|")


def _table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(_cell(c) for c in row) + " |" for row in rows]) + "\n"


def _types(o):
    parts = []
    if "types" in o:
        parts.append(o["types"] if isinstance(o["types"], str) else " ".join(o["types"]))
    if "same_type" in o:
        parts.append(f"as {o['same_type']}")
    return ", ".join(parts)


def _presence(o):
    if "variadic" in o:
        return f"{o['variadic'][0]} to {o['variadic'][1]}"
    return "may be absent" if o.get("optional") else "1"


def _rank(o):
    low, high = o.get("rank", [0, 8])
    return str(low) if low == high else f"{low} to {high}"


def _attribute(model, a):
    if "enum" in a:
        group = model.groups[a["enum"]]
        return "0 or 1" if a["enum"] == "flag" else f"`{group['prefix']}*`"
    if "range" in a:
        low, high = (f"{v:g}" if isinstance(v, float) else str(v) for v in a["range"])
        return f"[{low}, {high}]"
    if "axis_of" in a:
        return f"[0, rank of {a['axis_of']})"
    if a.get("dtype"):
        return "a type"
    if a.get("finite"):
        return "finite"
    return "(first, count) in `list`" if a["type"] == "slice" else "any"


def _bound(b):
    return _BOUND[b["form"]].format(c=f"{b.get('c', 1):g}", n=b.get("length", "1"))


def _programs(op):
    p = op.data.get("programs", {})
    if p.get("main"):
        return "One program in slot MAIN, over the inputs; see [programs](../programs.md)."
    rows = [f"Epilogue at output {e['output']} (value 0: `{e['value']}`)" for e in p.get("epilogue", [])]
    return "; ".join(rows) + "; see [programs](../programs.md)." if rows else "None."


def _shape_rule(op):
    rows = []
    for o in op.outputs:
        shape = {"open": "as the descriptor says", "rule": "see above"}.get(o["shape"], f"that of {o['shape']}")
        dtype = {"open": "as the descriptor says", "rule": "see above"}.get(o["dtype"], o["dtype"])
        if op.input_index(o["dtype"]) is not None:
            dtype = f"that of {o['dtype']}"
        rows.append((o["name"], _presence(o), dtype, shape))
    return _table(("output", "count", "type", "shape"), rows)


def operator(model, op):
    doc = op.data["doc"]
    parts = [_MARK.format(op.file), f"# {op.name}\n", _wrap(doc[0].upper() + doc[1:]) + "\n"]
    parts.append(_table(("id", "revision", "op-set", "family", "structure"),
                        [(f"`0x{op.id:08x}`", op.rev, op.data["opset"], op.family, f"`{op.struct}`, {op.size} bytes")]))
    if op.data.get("onnx"):
        parts.append(_wrap("ONNX: " + ", ".join(op.data["onnx"]) + ".") + "\n")
    parts.append("## Operands\n")
    parts.append(_table(("input", "count", "types", "rank"),
                        [(o["name"], _presence(o), _types(o), _rank(o)) for o in op.inputs]))
    parts.append(_shape_rule(op))
    shown = [a for a in op.attributes if not a.get("reserved")]
    if shown:
        parts.append("## Attributes\n")
        parts.append(_table(("attribute", "type", "values", "meaning"),
                            [(f"`{a['name']}`", a["type"], _attribute(model, a), a.get("doc", "")) for a in shown]))
    for g in op.data.get("constants", []):
        parts += [_wrap(g["doc"]) + "\n"] if "doc" in g else []
        parts.append(_table(("constant", "value", "meaning"),
                            [(f"`{g['prefix']}{v['name']}`", v["value"], v.get("doc", "")) for v in g["values"]]))
    parts += ["## Programs\n", _programs(op) + "\n", "## Cost and accuracy\n"]
    accuracy = op.data["accuracy"]
    rows = [("operations", f"`{op.data['flops']}`"), ("bytes", f"`{op.data.get('bytes', 'every operand once')}`"),
            ("STRICT", _bound(accuracy["strict"]))]
    rows += [("ALGEBRAIC", _bound(accuracy["algebraic"]))] if "algebraic" in accuracy else []
    parts.append(_table(("", ""), rows))
    return "\n".join(parts)


def index(model):
    rows = []
    for f in model.families["families"]:
        for op in model.family_ops(f["name"]):
            rows.append((f"[{op.name}](ops/{op.name}.md)", f["name"], f"`0x{op.id:08x}`", op.data["brief"]))
    sets = [(f"`{name}`", " ".join(members)) for name, members in model.dtypes["sets"].items()]
    return "\n".join([_MARK.format("schemas/"), "# Operators\n", _table(("operator", "family", "id", "what"), rows),
                      "## Sets of types\n", _table(("set", "types"), sets)])


def programs(model):
    f = model.functions
    rows = [(f"`{x['name']}`", x["value"], x["arity"], x["types"], x["result"], f"`{x['formula']}`", x.get("doc", ""))
            for x in f["functions"]]
    return "\n".join([_MARK.format("schemas/abi/functions.yaml"), "# Functions of programs\n", _wrap(f["doc"]) + "\n",
                      _table(("function", "value", "operands", "types", "result", "formula", "edge cases"), rows)])


def files(model):
    out = {f"docs/reference/ops/{op.name}.md": operator(model, op) for op in model.ops}
    out["docs/reference/operators.md"] = index(model)
    out["docs/reference/programs.md"] = programs(model)
    return out
