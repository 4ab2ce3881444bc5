# SPDX-License-Identifier: Apache-2.0
"""Writes the build-tree headers that name each operator's operands: one a family, so that a new operand compiles
its own family again and no other."""

from .schema_cpp import HEAD, quote


def enumerator(name):
    """kPastLen for past_len."""
    return "k" + "".join(word[:1].upper() + word[1:] for word in name.split("_"))


def _enum(kind, rows):
    # Each by its number: the position in a descriptor is what a reader of an error message has.
    return [f"enum {kind} : uint32_t {{", *(f"  {enumerator(o['name'])} = {i}," for i, o in enumerate(rows)), "};"]


def text(ops):
    lines = [HEAD + "#pragma once", "", "#include <cstdint>", "", "namespace opmux::operands {"]
    for op in ops:
        names = ", ".join(quote(o["name"]) for o in op.inputs)
        lines += ["", f"namespace {op.name} {{", *_enum("Input", op.inputs), *_enum("Output", op.outputs),
                  f"inline constexpr const char* kInputName[] = {{{names}}};", f"}}  // namespace {op.name}"]
    return "\n".join(lines + ["", "}  // namespace opmux::operands", ""])


def files(model):
    return {f"kit/operands/{family}.gen.hpp": text(model.family_ops(family))
            for family in sorted({op.family for op in model.ops})}
