# SPDX-License-Identifier: Apache-2.0
"""Writes the kernel files of a folder, with what their heads state, as one C++ source.

    python3 embed.py --out FILE

A kernel file has a head of lines `//@KEY ...` and its statements after `//@body`:

    //@group N             lanes of a group
    //@in NAME ...         buffers that are read; likewise out (written) and rw (both)
    //@type NAME ...       element types of no buffer, such as that of a sum
    //@shared NAME TYPE COUNT
    //@params NAME NAME[8] ...   words of its code
    //@program             has a program at the line `//@program` of its body
    //@faults              reports faults in the data
    //@use FILE            functions from a file of the folder above

`//@include FILE` in a body stands for the text of a file of its folder.
"""
import argparse
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
BODY = HERE / "body"
ACCESS = {"in": "Access::kIn", "out": "Access::kOut", "rw": "Access::kBoth"}


def text_of(path):
    """Text of a file with its `//@include` lines replaced."""
    def included(match):
        return text_of(path.parent / match.group(1))
    text = path.read_text(encoding="utf-8")
    return re.sub(r"^[ \t]*//@include (\S+)\n", included, text, flags=re.M)


class Kernel:
    """What a kernel file says."""

    def __init__(self, path):
        head, mark, self.body = text_of(path).partition("//@body\n")
        if not mark:
            raise ValueError(f"{path.name}: has no //@body")
        self.name, self.group = path.stem, 0
        self.buffers, self.types, self.shared, self.params, self.used = [], [], [], [], []
        self.program = self.faults = False
        for key, rest in re.findall(r"^//@(\w+) *(.*)$", head, flags=re.M):
            self.take(path.name, key, rest.split())
        if self.group <= 0:
            raise ValueError(f"{path.name}: states no group size")

    def take(self, file, key, words):
        """One line of the head."""
        if key in ACCESS:
            self.buffers += [(name, ACCESS[key]) for name in words]
        elif key == "group":
            self.group = int(words[0])
        elif key == "type":
            self.types += words
        elif key == "shared":
            self.shared.append((words[0], words[1], " ".join(words[2:])))
        elif key == "params":
            self.params += [re.fullmatch(r"(\w+)(?:\[(\d+)\])?", w).groups("1") for w in words]
        elif key == "use":
            self.used += words
        elif key in ("program", "faults"):
            setattr(self, key, True)
        else:
            raise ValueError(f"{file}: //@{key} means nothing")

    def literal(self):
        """The C++ initialiser."""
        def listed(items):
            return "{" + ", ".join("{" + ", ".join(i) + "}" for i in items) + "}"
        buffers = listed((f'"{n}"', a) for n, a in self.buffers)
        shared = listed(tuple(f'"{w}"' for w in s) for s in self.shared)
        params = listed((f'"{n}"', c) for n, c in self.params)
        types, used = (", ".join(f'"{w}"' for w in ws) for ws in (self.types, self.used))
        flags = ("true" if f else "false" for f in (self.program, self.faults))
        return (f'{{"{self.name}", {self.group}, {buffers}, {{{types}}}, {shared}, {params}, {{{used}}}, '
                f"{', '.join(flags)},\n{raw(self.body)}}}")


def raw(text):
    """A C++ string literal, in pieces below the length that every compiler takes."""
    lines = text.splitlines(keepends=True)
    return "\n".join('R"gk(' + "".join(lines[i:i + 40]) + ')gk"' for i in range(0, len(lines), 40))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path, required=True)
    args = parser.parse_args()
    try:
        kernels = [Kernel(p) for p in sorted(BODY.glob("*.h")) if "//@body\n" in p.read_text(encoding="utf-8")]
    except (OSError, ValueError, AttributeError, IndexError) as e:
        sys.exit(f"embed: {e}")
    parts = ",\n".join(f'{{"{p.name}", {raw(p.read_text(encoding="utf-8"))}}}' for p in sorted(HERE.glob("*.h")))
    args.out.write_text(
        '#include "gpu/source.hpp"\nnamespace opmux::gpu {\n'
        "const std::vector<KernelFile>& kernel_files() {\n  static const std::vector<KernelFile> all = {\n"
        + ",\n".join(k.literal() for k in kernels) + "};\n  return all;\n}\n"
        "const std::vector<TextPart>& text_parts() {\n  static const std::vector<TextPart> all = {\n" + parts
        + "};\n  return all;\n}\n}  // namespace opmux::gpu\n", encoding="utf-8")


if __name__ == "__main__":
    main()
