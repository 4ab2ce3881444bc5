# SPDX-License-Identifier: Apache-2.0
"""At most 500 lines a file, 60 a function, 300 a generator module; at most 120 columns in Python.

Exceptions stand in sizes_allow.txt, one a line: PATH or PATH:FUNCTION, the lines allowed, the reason.
One that is no longer needed is a problem too.
"""

import ast
from pathlib import Path

from tools.checks.cxx_functions import functions as cxx_functions
from tools.checks.tree import CXX_SUFFIXES, DEVICE_SUFFIXES, is_generated

FILE_LINES = 500
GENERATOR_LINES = 300
FUNCTION_LINES = 60
PYTHON_COLUMNS = 120
ALLOW_FILE = "tools/checks/sizes_allow.txt"


def python_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name, node.lineno, node.end_lineno - node.lineno + 1


def is_source(name, text):
    path = Path(name)
    known = CXX_SUFFIXES | DEVICE_SUFFIXES | {".py", ".cmake", ".sh"}
    script = path.suffix == "" and text.startswith("#!")
    return path.suffix in known or path.name == "CMakeLists.txt" or script


def read_allowances(tree):
    """{key: (lines, where)} and the problems of the file itself."""
    allowances, problems = {}, []
    if ALLOW_FILE not in tree.files:
        return allowances, problems
    for number, line in enumerate(tree.text(ALLOW_FILE).splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        parts = line.split(maxsplit=2)
        if len(parts) < 3 or not parts[1].isdigit():
            problems.append(f"{ALLOW_FILE}:{number}: wants PATH[:FUNCTION] LINES REASON")
        else:
            allowances[parts[0]] = (int(parts[1]), f"{ALLOW_FILE}:{number}")
    return allowances, problems


def measure(name, text):
    """(key, place, lines, limit) of the file and of each of its functions."""
    generator = name.startswith("tools/codegen/") and name.endswith(".py")
    limit = GENERATOR_LINES if generator else FILE_LINES
    yield name, name, len(text.splitlines()), limit
    suffix = Path(name).suffix
    read = {".py": python_functions}.get(suffix, cxx_functions if suffix in CXX_SUFFIXES else None)
    found = read(text) if read else ()
    for function, line, lines in found:
        yield f"{name}:{function}", f"{name}:{line}: {function}", lines, FUNCTION_LINES


def run(tree):
    allowances, problems = read_allowances(tree)
    unused = set(allowances)
    for name in tree.files:
        text = None if is_generated(name) else tree.text(name)
        if text is None or not is_source(name, text):
            continue
        for key, place, lines, limit in measure(name, text):
            if lines > limit and key in allowances:
                unused.discard(key)
                limit = max(limit, allowances[key][0])
            if lines > limit:
                problems.append(f"{place} has {lines} lines, the limit is {limit}")
        if name.endswith(".py"):
            problems += [
                f"{name}:{number}: {len(line)} columns, the limit is {PYTHON_COLUMNS}"
                for number, line in enumerate(text.splitlines(), 1)
                if len(line) > PYTHON_COLUMNS
            ]
    return problems + [f"{allowances[key][1]}: {key} needs no exception any more" for key in sorted(unused)]
