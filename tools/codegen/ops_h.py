# SPDX-License-Identifier: Apache-2.0
"""Writes opmux/ops.h and opmux/ops/<family>.gen.h."""

from . import ctext

_C_TYPE = {"u32": "uint32_t", "i32": "int32_t", "f32": "float", "slice": "opmux_slice"}


def _constants(prefix, values, doc=None):
    lines = ctext.comment(doc) if doc else []
    return lines + ctext.aligned((f"#define {prefix}{v['name']} {v['value']}u", v.get("doc")) for v in values)


def _attribute_doc(model, a):
    if "doc" in a:
        return a["doc"]
    if a.get("enum") == "flag":
        return None
    return model.groups[a["enum"]]["prefix"] + "*" if "enum" in a else None


def operator(model, op):
    lines = []
    for g in op.data.get("constants", []):
        lines += _constants(g["prefix"], g["values"], g.get("doc")) + [""]
    onnx = op.data.get("onnx", [])
    doc = f"{op.name}: {op.data['doc']}"
    if 0 < len(onnx) <= 6:
        doc += f" ONNX {', '.join(onnx)}."
    lines += ctext.comment(doc)
    lines += [f"#define OPMUX_OP_{op.name.upper()} 0x{op.id:08x}u", f"typedef struct {op.struct} {{"]
    rows = [("opmux_opd o;", None)]
    rows += [(f"{_C_TYPE[a['type']]} {a['name']};", _attribute_doc(model, a)) for a in op.attributes]
    lines += ctext.aligned(rows, "  ")
    return lines + [f"}} {op.struct};"]


def family(model, name):
    guard = f"OPMUX_OPS_{name.upper()}_GEN_H"
    lines = ["/* SPDX-License-Identifier: Apache-2.0",
             f" * Generated from schemas/ops/{name} by tools/codegen; do not edit. */",
             f"#ifndef {guard}", f"#define {guard}", "", '#include "opmux/types.h"', "",
             "#ifdef __cplusplus", 'extern "C" {', "#endif", ""]
    if name == "pointwise":
        f = model.functions
        lines += _constants(f["prefix"], f["functions"], f["doc"]) + [""]
    for op in model.family_ops(name):
        lines += operator(model, op) + [""]
    lines += ["#ifdef __cplusplus", "}", "#endif", "#endif", ""]
    return "\n".join(lines)


def umbrella(model):
    lines = ["/* SPDX-License-Identifier: Apache-2.0", " * Generated from schemas/ops by tools/codegen; do not edit.",
             " * All operator descriptors. Operator id = family << 16 | number, never reused. */",
             "#ifndef OPMUX_OPS_H", "#define OPMUX_OPS_H", ""]
    families = sorted({op.family for op in model.ops})
    lines += [f'#include "opmux/ops/{f}.gen.h"' for f in families]
    return "\n".join(lines + ["", "#endif", ""])


def files(model):
    out = {f"sdk/include/opmux/ops/{f}.gen.h": family(model, f) for f in sorted({o.family for o in model.ops})}
    out["sdk/include/opmux/ops.h"] = umbrella(model)
    return out
