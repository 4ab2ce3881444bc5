# SPDX-License-Identifier: Apache-2.0
"""Joins the texts of a kernel into one source.

    python3 compose.py --language opencl|glsl --out FILE KERNEL...

A kernel file has its interface after `//@interface` (group size, buffers and shared arrays as macros) and its
statements after `//@body`; `//@include FILE` stands for a file of this folder. The entry around them comes from
here, once for each language. glslang refuses #include of a macro's name, hence texts are joined instead.
--embed writes a C++ header with the text as a constant in place of the text.
"""
import argparse
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
FUNCTIONS = HERE.parents[2] / "sdk/include/opmux/ops/pointwise.gen.h"
MACROS = ("GK_GROUP_SIZE", "GK_BUFFERS", "GK_SHARED")

OPENCL = """\
__kernel __attribute__((reqd_work_group_size(GK_GROUP_SIZE, 1, 1)))
void {name}(GK_BUFFERS(GK_B_IN, GK_B_OUT) const gk_params p) {{
GK_SHARED(GK_S_ARRAY)
{body}}}
"""
GLSL = """\
GK_BUFFERS(GK_B_IN, GK_B_OUT)
layout(push_constant) uniform GkParams {{ GK_PARAMS }} p;
GK_SHARED(GK_S_ARRAY)
layout(local_size_x = GK_GROUP_SIZE) in;
void main() {{
{body}}}
"""
PROLOGUE = {"opencl": "", "glsl": "#version 450\n#define GK_GLSL 1\n"}
COMMON = ("layout.h", "dialect.h", "functions.h")


def read(name):
    """Text of a file of this folder with its `//@include` lines replaced."""
    def included(match):
        return read(match.group(1))
    text = (HERE / name).read_text(encoding="utf-8")
    return re.sub(r"^[ \t]*//@include (\S+)\n", included, text, flags=re.M)


def split(name):
    """Interface and body of a kernel file."""
    parts = re.split(r"^//@(interface|body)\n", read(name), flags=re.M)
    if len(parts) != 5 or parts[1::2] != ["interface", "body"]:
        raise ValueError(f"{name}: wants one //@interface and then one //@body")
    for macro in MACROS:
        if not re.search(rf"#define {macro}\b", parts[2]):
            raise ValueError(f"{name}: its interface does not define {macro}")
    return parts[2], parts[4]


def function_numbers():
    """The OPMUX_FN_* of the plugin interface as the kernels' own macros."""
    lines = re.findall(r"^#define OPMUX_FN_\w+ \d+u", FUNCTIONS.read_text(encoding="utf-8"), flags=re.M)
    return "".join(f"{line}\n" for line in lines)


def compose(language, kernels):
    """One source with all kernels; GLSL has one entry point a source."""
    if language == "glsl" and len(kernels) != 1:
        raise ValueError(f"glsl: one kernel a source, got {len(kernels)}")
    text = PROLOGUE[language] + function_numbers() + "".join(read(name) for name in COMMON)
    if language == "opencl":
        text += "typedef struct { GK_PARAMS } gk_params;\n"
    for name in kernels:
        interface, body = split(name)
        entry = OPENCL if language == "opencl" else GLSL
        text += interface + entry.format(name=pathlib.Path(name).stem, body=body)
        text += "".join(f"#undef {macro}\n" for macro in MACROS)
    return text


def embed(variable, text):
    """The text as a C++ constant, in pieces below the length that every compiler takes."""
    lines = text.splitlines(keepends=True)
    pieces = ['R"gk(' + "".join(lines[i:i + 40]) + ')gk"' for i in range(0, len(lines), 40)]
    return f"#pragma once\ninline constexpr char {variable}[] =\n" + "\n".join(pieces) + ";\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--language", choices=sorted(PROLOGUE), required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--embed", metavar="VARIABLE")
    parser.add_argument("kernels", nargs="+", help="for example body/matmul.h")
    args = parser.parse_args()
    try:
        text = compose(args.language, args.kernels)
    except (OSError, ValueError) as e:
        sys.exit(f"compose: {e}")
    args.out.write_text(embed(args.embed, text) if args.embed else text, encoding="utf-8")


if __name__ == "__main__":
    main()
