# SPDX-License-Identifier: Apache-2.0
"""Writes the headers as they might look in another version, for tests of forward and backward compatibility.

A grown variant appends 64 bytes to every open structure and eight functions to every table: whatever a later minor
version may append, something of that size is appended here already."""

import re

from . import abi_h, ops_h, probe

_TAIL = "  uint64_t future_[8];\n"
_FUNCTIONS = "".join(f"  opmux_status(OPMUX_CALL* future_{i})(uint64_t);\n" for i in range(8))

# Folder -> (major, minor, grown). Major 1, because major 0 accepts no other minor version.
VARIANTS = {"v1_0": (1, 0, False), "v1_999": (1, 999, True), "v2_0": (2, 0, False)}


def _version(text, major, minor):
    text = text.replace("#define OPMUX_ABI_MAJOR 0u", f"#define OPMUX_ABI_MAJOR {major}u")
    return re.sub(r"#define OPMUX_ABI_MINOR \d+u", f"#define OPMUX_ABI_MINOR {minor}u", text)


def _grow(text, structs):
    def end(match):
        s = structs.get(match.group(1))
        if s is None or s["frozen"] or not s["open"]:
            return match.group(0)
        return (_FUNCTIONS if s["table"] else _TAIL) + match.group(0)

    return re.sub(r"^\} (opmux_\w+);$", end, text, flags=re.MULTILINE)


def files(model):
    structs = probe.structures(model)
    out = {}
    for folder, (major, minor, grown) in VARIANTS.items():
        for path, text in {**abi_h.files(model), **ops_h.files(model)}.items():
            text = _version(text, major, minor)
            name = path.removeprefix("sdk/include/")
            out[f"variants/{folder}/{name}"] = _grow(text, structs) if grown else text
    return out
