# SPDX-License-Identifier: Apache-2.0
"""python3 -m tools.checks.abi_layout [--write]: lays the interface out with every compiler that is here and compares
it with the golden file tests/abi/layout-<major>.json; --write makes that file."""

import argparse
import json
import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.codegen import probe
from tools.codegen.model import Model

ROOT = Path(__file__).resolve().parents[2]
# Target -> compilers that can lay out for it; freestanding, so that no C library of the target is needed.
COMPILERS = {
    "x86_64": [["gcc"], ["clang-19", "--target=x86_64-linux-gnu"]],
    "aarch64": [["aarch64-linux-gnu-gcc"], ["clang-19", "--target=aarch64-linux-gnu"]],
}


def _sections(data):
    """(name offset, type, file offset, size, link, entry size) of each section of a 64-bit little-endian ELF file."""
    if data[:6] != b"\x7fELF\x02\x01":
        raise ValueError("no 64-bit little-endian ELF object")
    start, = struct.unpack_from("<Q", data, 0x28)
    size, count = struct.unpack_from("<HH", data, 0x3A)
    for i in range(count):
        name, kind, _, _, offset, length, link, _, _, entry = struct.unpack_from("<IIQQQQIIQQ", data, start + i * size)
        yield name, kind, offset, length, link, entry


def read_numbers(data, symbol):
    """The 64-bit numbers of an array in an object file."""
    sections = list(_sections(data))
    for _, kind, offset, length, link, entry in sections:
        if kind != 2:  # SHT_SYMTAB
            continue
        names = sections[link][2]
        for at in range(offset, offset + length, entry):
            name, _, _, section, value, size = struct.unpack_from("<IBBHQQ", data, at)
            end = data.index(b"\0", names + name)
            if data[names + name:end].decode() == symbol:
                return struct.unpack_from(f"<{size // 8}Q", data, sections[section][2] + value)
    raise ValueError(f"there is no symbol {symbol}")


def compile_layout(model, command, include):
    with tempfile.TemporaryDirectory() as folder:
        source, obj = Path(folder) / "probe.c", Path(folder) / "probe.o"
        source.write_text(probe.probe(model), encoding="utf-8")
        subprocess.run([*command, "-std=c11", "-ffreestanding", "-c", f"-I{include}", source, "-o", obj], check=True)
        return probe.layout(model, read_numbers(obj.read_bytes(), probe.SYMBOL))


def all_layouts(root=ROOT):
    """(target, compiler, layout) for every compiler that is installed."""
    model = Model(root / "schemas")
    for target, commands in COMPILERS.items():
        for command in commands:
            if shutil.which(command[0]):
                yield target, command[0], compile_layout(model, command, root / "sdk/include")


def text_of(layout, targets):
    """One member, constant or operator a line, so that a change reads well in a diff."""
    c = layout["constants"]
    lines = ["{", f' "abi": {{"major": {c["OPMUX_ABI_MAJOR"]}, "minor": {c["OPMUX_ABI_MINOR"]}}},',
             f' "targets": {json.dumps(targets)},', ' "structs": {']
    structs = []
    for name, s in layout["structs"].items():
        members = ",\n".join("   " + json.dumps(m) for m in s["members"])
        structs.append(f'  "{name}": {{"kind": "{s["kind"]}", "size": {s["size"]}, "members": [\n{members}]}}')
    lines += [",\n".join(structs), " },"]
    for key in ("constants", "ops"):
        rows = ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in layout[key].items())
        lines += [f' "{key}": {{', rows, " },"]
    lines += [f' "retired": {json.dumps(layout["retired"])},', f' "unique": {json.dumps(layout["unique"])}', "}", ""]
    return "\n".join(lines)


def golden_path(layout, root=ROOT):
    return root / f"tests/abi/layout-{layout['constants']['OPMUX_ABI_MAJOR']}.json"


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args(argv)
    found, bad = list(all_layouts()), 0
    targets = sorted({t for t, _, _ in found})
    first = found[0][2]
    for target, compiler, layout in found:
        if layout != first:
            print(f"{compiler} for {target} lays out otherwise than {found[0][1]} for {found[0][0]}", file=sys.stderr)
            bad = 1
    path = golden_path(first)
    if args.write and not bad:
        path.write_text(text_of(first, targets), encoding="utf-8")
    elif not path.is_file() or path.read_text(encoding="utf-8") != text_of(first, targets):
        print(f"{path.relative_to(ROOT)}: differs from the headers; if that is meant, run python3 -m "
              "tools.checks.abi_layout --write and review the difference", file=sys.stderr)
        bad = 1
    return bad


if __name__ == "__main__":
    sys.exit(main())
