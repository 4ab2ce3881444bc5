# SPDX-License-Identifier: Apache-2.0
"""What the built libraries export: a plugin one symbol, libopmux.so what its map lists and opmux.h declares.

Only builds without instrumentation are looked at: sanitizers and coverage export symbols of their own.
"""

import re
import subprocess

BUILDS = ("build/release", "build/dev")
PLUGIN_SYMBOL = "opmux_plugin_query"
HEADER = "sdk/include/opmux/opmux.h"
DECLARATION = re.compile(r"\b(opmux_\w+)\s*\([^;{}@]*\)\s*;")


def exported(library):
    """{name: nm letter} of the defined dynamic symbols, without versions and version nodes."""
    command = ["nm", "-D", "--defined-only", str(library)]
    symbols = {}
    for line in subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines():
        *_, letter, name = line.split()
        if letter != "A":
            symbols[name.split("@")[0]] = letter
    return symbols


def plugin_problems(name, symbols):
    problems = []
    if PLUGIN_SYMBOL not in symbols:
        problems.append(f"{name}: does not export {PLUGIN_SYMBOL}")
    more = sorted(set(symbols) - {PLUGIN_SYMBOL})
    if more:
        problems.append(f"{name}: exports {len(more)} symbols beside {PLUGIN_SYMBOL}, the first is {more[0]}")
    return problems


def mapped(text):
    """The names that a linker map file makes global."""
    text = re.sub(r"/\*.*?\*/|#[^\n]*", " ", text, flags=re.DOTALL)
    names = set()
    for section in re.findall(r"global\s*:(.*?)(?:local\s*:|\})", text, flags=re.DOTALL):
        names |= {name.strip() for name in section.split(";") if name.strip()}
    return names


def declared(text):
    """The functions that a header declares; not function types, nor what inline bodies call."""
    text = re.sub(r"/\*.*?\*/|//[^\n]*", " ", text, flags=re.DOTALL)
    text = re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", " ", text, flags=re.MULTILINE)
    text = re.sub(r'\bextern\s+"C"\s*\{', " ", text)
    while re.search(r"\{[^{}]*\}", text):
        text = re.sub(r"\{[^{}]*\}", "@", text)  # a mark that no declaration spans
    text = re.sub(r"\btypedef\b[^;]*;", " ", text)
    return set(DECLARATION.findall(text))


def host_problems(name, symbols, map_names, header_names):
    problems = []
    for word, names in (
        ("exports, but the map file does not list,", set(symbols) - map_names),
        ("does not define what the map file lists:", map_names - set(symbols)),
        (f"does not export what {HEADER} declares:", header_names - set(symbols)),
    ):
        if names:
            some = ", ".join(sorted(names)[:5]) + (" ..." if len(names) > 5 else "")
            problems.append(f"{name}: {word} {some}")
    return problems


def run(tree):
    problems = []
    maps = [name for name in tree.with_suffix({".map"}) if name.startswith("host/") and "onnx" not in name]
    map_names = set().union(*(mapped(tree.text(name)) for name in maps))
    header_names = declared(tree.text(HEADER)) if HEADER in tree.files else set()
    for build in BUILDS:
        for path in sorted((tree.root / build / "lib/opmux").glob("*.so")):
            problems += plugin_problems(path.relative_to(tree.root), exported(path))
        host = tree.root / build / "lib/libopmux.so"
        if host.exists():
            problems += host_problems(host.relative_to(tree.root), exported(host), map_names, header_names)
    return problems
