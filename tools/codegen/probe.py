# SPDX-License-Identifier: Apache-2.0
"""Writes C sources that make a compiler tell how it lays the interface out.

probe: every size, offset and constant as 64-bit numbers in one array, to be read back from the object file, so that
cross compilers need no machine to run on. witness: one function that takes a pointer to every structure, for tools
that read debug information. sizes: one use of sizeof for each structure, because clang lays out lazily and would
otherwise never look for padding."""

SYMBOL = "opmux_layout_numbers"
_HEAD = """/* SPDX-License-Identifier: Apache-2.0 */
/* Generated from schemas/ by tools/codegen; do not edit. */
#include "opmux/ops.h"
#include "opmux/plugin.h"
"""


def constants(model):
    """Names of all integer constants, in the order of their definition, with the types among them."""
    names = [n for n in model.constants]
    names += ["OPMUX_NONE"] + ["OPMUX_" + t["name"].upper() for t in model.dtypes["dtypes"]]
    names += [f"OPMUX_OP_{op.name.upper()}" for op in model.ops]
    return names


def structures(model):
    """name -> facts, without the aliases that typedefs make."""
    return {n: s for n, s in model.types.structs.items() if n != "opmux_hdr"}


def numbers(model):
    """The C expressions of the array, in order."""
    rows = []
    for name, s in structures(model).items():
        rows.append(f"sizeof({name})")
        for member, *_ in s["members"]:
            rows += [f"offsetof({name}, {member})", f"sizeof((({name}*)0)->{member})"]
    return rows + constants(model)


def probe(model):
    rows = "".join(f"    (uint64_t)({row}),\n" for row in numbers(model))
    return f"{_HEAD}const uint64_t {SYMBOL}[] = {{\n{rows}}};\n"


def layout(model, values):
    """The layout as data, from the numbers that a compiler gave."""
    it = iter(values)
    structs = {}
    for name, s in structures(model).items():
        kind = "table" if s["table"] else "open" if s["open"] and not s["frozen"] else "frozen"
        size = next(it)
        members = [[member, text, next(it), next(it)] for member, text, *_ in s["members"]]
        structs[name] = {"kind": kind, "size": size, "members": members}
    result = {"structs": structs, "constants": {name: next(it) for name in constants(model)}}
    if next(it, None) is not None:
        raise ValueError("the compiler gave more numbers than were asked for")
    result["ops"] = {op.name: {"id": op.id, "rev": op.rev, "opset": op.data["opset"]} for op in model.ops}
    result["retired"] = model.families["retired"]
    groups = [h["constants"] for x in model.headers for h in x["items"] if "constants" in h]
    groups += [g for op in model.ops for g in op.data.get("constants", [])]
    unique = [g["prefix"] for g in groups if g.get("unique", True) and g["prefix"] != "OPMUX_"]
    result["unique"] = sorted(set(unique) | {model.functions["prefix"], "OPMUX_OP_"})
    return result


def sizes(model):
    rows = "".join(f"OPMUX_STATIC_ASSERT(sizeof({n}) == {s['size']}, \"{n}\");\n" for n, s in structures(model).items())
    return _HEAD + rows


def witness(model):
    names = list(structures(model))
    params = ",\n    ".join(f"const {n}* a{i}" for i, n in enumerate(names))
    body = " ".join(f"(void)a{i};" for i in range(len(names)))
    return (f"{_HEAD}OPMUX_EXPORT void opmux_abi_witness(\n    {params});\nvoid opmux_abi_witness(\n    {params}) {{\n"
            f"  {body}\n}}\n")


def files(model):
    return {"abi/probe.c": probe(model), "abi/sizes.c": sizes(model), "abi/witness.c": witness(model)}
