# SPDX-License-Identifier: Apache-2.0
"""Writes opmux/abi.h, types.h and plugin.h from schemas/abi/*.h.yaml."""

from . import ctext


def number(value, group):
    """Hexadecimal for flags in high bits and ids, decimal for the rest; a whole group in one style."""
    return f"0x{value:08x}u" if max(group) > 0xffff else f"{value}u"


def constants(group):
    lines = ctext.comment(group["doc"]) if "doc" in group else []
    values = [v["value"] for v in group["values"]]
    return lines + ctext.aligned((f"#define {group['prefix']}{v['name']} {number(v['value'], values)}", v.get("doc"))
                                 for v in group["values"])


def dtypes(model):
    d = model.dtypes
    lines = ctext.comment(d["doc"])
    lines += ["#define OPMUX_DTYPE(serial, bits, cls) ((uint32_t)(serial) | (uint32_t)(bits) << 8 | "
              "(uint32_t)(cls) << 16)",
              "#define OPMUX_DTYPE_BITS(t) (((t) >> 8) & 0xffu)", "#define OPMUX_DTYPE_CLASS(t) ((t) >> 16)"]
    rows = [(f"#define OPMUX_CLASS_{c['name']} {c['value']}u", None) for c in d["classes"]]
    rows.append(("#define OPMUX_NONE 0u", "an absent operand"))
    for t in d["dtypes"]:
        rows.append((f"#define OPMUX_{t['name'].upper()} OPMUX_DTYPE({t['serial']}, {t['bits']}, {t['class']})",
                     t.get("doc")))
    return lines + ctext.aligned(rows)


def declaration(member):
    """One line of a structure; a function of a table may take several."""
    if "params" not in member:
        count = f"[{member['count']}]" if "count" in member else ""
        return [f"{member['type']} {member['name']}{count};"]
    head = f"{member['returns']}(OPMUX_CALL* {member['name']})("
    lines, line = [], head
    for i, p in enumerate(member["params"]):
        piece = p + (", " if i + 1 < len(member["params"]) else ");")
        if len(line + piece.rstrip()) + 2 > ctext.WIDTH:
            lines.append(line.rstrip())
            line = " " * len(head)
        line += piece
    return lines + [line]


def structure(item, members):
    lines = ctext.comment(item["doc"]) if "doc" in item else []
    lines.append(f"typedef struct {item['name']} {{")
    rows = []

    def flush():
        lines.extend(ctext.aligned(rows, "  "))
        rows.clear()

    for m in members:
        if "params" not in m:
            rows.append((declaration(m)[0], m.get("doc")))
            continue
        flush()
        lines.extend(ctext.comment(m["doc"], "  ") if "doc" in m else [])
        lines.extend("  " + line for line in declaration(m))
    flush()
    return lines + [f"}} {item['name']};"]


def _raw(item):
    return (ctext.comment(item["doc"]) if "doc" in item else []) + item["text"].split("\n")


def _item(model, item):
    (kind, body), = item.items()
    if kind == "section":
        return ctext.comment("---- " + body)
    if kind == "raw":
        return _raw(body)
    if kind == "constants":
        return constants(body)
    if kind == "data":
        return dtypes(model)
    return structure(body, body["fields"] if kind == "struct" else body["members"])


def _frozen(header):
    for item in header["items"]:
        body = item.get("struct", {})
        if "frozen" in body:
            yield f'OPMUX_STATIC_ASSERT(sizeof({body["name"]}) == {body["frozen"]}, "frozen");'


def header(model, h):
    guard = f"OPMUX_{h['header'].upper()}_H"
    extra = [f"Generated from schemas/abi/{h['header']}.h.yaml by tools/codegen; do not edit.", ""]
    lines = ctext.header(h["doc"], extra) + [f"#ifndef {guard}", f"#define {guard}", ""]
    lines += [f"#include {i}" if i.startswith("<") else f'#include "{i}"' for i in h["includes"]]
    lines += ["", "#ifdef __cplusplus", 'extern "C" {', "#endif", ""]
    previous = None
    for item in h["items"]:
        (kind, body), = item.items()
        joined = kind == "raw" and previous == "raw" and "doc" not in body and "#if" not in body["text"]
        if previous and joined:
            lines.pop()
        lines += _item(model, item) + [""]
        previous = kind if kind != "section" else None
    frozen = list(_frozen(h))
    lines += frozen + ([""] if frozen else [])
    lines += ["#ifdef __cplusplus", "}", "#endif", "#endif", ""]
    return "\n".join(line.rstrip() for line in lines)


def files(model):
    return {f"sdk/include/opmux/{h['header']}.h": header(model, h) for h in model.headers}
