# SPDX-License-Identifier: Apache-2.0
"""Sizes and offsets of the interface structures, as every 64-bit ABI lays them out (no implicit padding is allowed,
so there is only one way)."""

import re

from .load import SchemaError

_SCALARS = {"char": 1, "int8_t": 1, "uint8_t": 1, "int16_t": 2, "uint16_t": 2, "int32_t": 4, "uint32_t": 4,
            "float": 4, "double": 8, "int64_t": 8, "uint64_t": 8}


class Types:
    """Every type that a header of the schemas defines: name -> (size, alignment)."""

    def __init__(self, model):
        self.size = {name: (n, n) for name, n in _SCALARS.items()}
        self.structs = {}  # name -> {"members": [(name, type text, offset, size)], "size", "open", "table", "frozen"}
        for h in model.headers:
            file = f"schemas/abi/{h['header']}.h.yaml"
            for item in h["items"]:
                if "raw" in item:
                    self._typedefs(item["raw"]["text"])
                for kind in ("struct", "table"):
                    if kind in item:
                        self._struct(item[kind], kind == "table", file)
        for op in model.ops:
            rows = [{"name": "o", "type": "opmux_opd"}]
            rows += [{"name": a["name"], "type": _C_TYPE[a["type"]]} for a in op.attributes]
            self._struct({"name": op.struct, "fields": rows}, False, op.file)

    def _typedefs(self, text):
        for pointer in re.findall(r"typedef [^;]*?\* ?(\w+)(?:\)\([^;]*)?;", text):
            self.size[pointer] = (8, 8)
        for base, name in re.findall(r"typedef (\w+) (\w+);", text):
            if base in self.size:
                self.size[name] = self.size[base]
                if base in self.structs:
                    self.structs[name] = self.structs[base]

    def measure(self, member, where, file):
        if "params" in member or member["type"].endswith("*"):
            return 8, 8
        name = member["type"].removeprefix("const ")
        if name not in self.size:
            raise SchemaError(file, where, f"there is no type '{name}'")
        size, align = self.size[name]
        return size * member.get("count", 1), align

    def _struct(self, body, table, file):
        where, offset, widest, members = body["name"], 0, 1, []
        seen = set()
        if body["name"] in self.size:
            raise SchemaError(file, where, "is defined twice")
        for m in body["members" if table else "fields"]:
            if m["name"] in seen:
                raise SchemaError(file, where, f"member '{m['name']}' appears twice")
            seen.add(m["name"])
            size, align = self.measure(m, where, file)
            if offset % align:
                raise SchemaError(file, where, f"member '{m['name']}' at byte {offset} would need padding")
            members.append((m["name"], type_text(m), offset, size))
            offset, widest = offset + size, max(widest, align)
        if offset % widest:
            raise SchemaError(file, where, f"ends at byte {offset} and would need padding to a multiple of {widest}")
        if body.get("frozen", offset) != offset:
            raise SchemaError(file, where, f"is {offset} bytes, not {body['frozen']} as frozen")
        self.size[body["name"]] = (offset, widest)
        head = members[0][1]
        self.structs[body["name"]] = {
            "members": members, "size": offset, "table": table, "frozen": "frozen" in body,
            "open": head in ("opmux_hdr", "opmux_opd")}


_C_TYPE = {"u32": "uint32_t", "i32": "int32_t", "f32": "float", "slice": "opmux_slice"}


def type_text(member):
    """The type of a member as one text, so that a change of signature is a change of text."""
    if "params" in member:
        return f"{member['returns']} (*)({', '.join(map(_unnamed, member['params']))})"
    return member["type"] + (f"[{member['count']}]" if "count" in member else "")


def _unnamed(param):
    """A parameter without its name: 'const opmux_opd* d' -> 'const opmux_opd*'."""
    words = param.split()
    return " ".join(words[:-1]) if len(words) > 1 and re.fullmatch(r"[a-z_0-9]+", words[-1]) and \
        words[:-1] != ["const"] else param
