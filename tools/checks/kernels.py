# SPDX-License-Identifier: Apache-2.0
"""Device code is written once: kernel files of two plugins share no 20 lines in a row (blank ones not counted)."""

from itertools import combinations
from pathlib import Path

from tools.checks.tree import DEVICE_SUFFIXES

SHARED_LINES = 20


def is_kernel(name):
    path = Path(name)
    return path.parts[0] == "plugins" and ("kernels" in path.parts or path.suffix in DEVICE_SUFFIXES | {".cu", ".cuh"})


def lines_of(text):
    """(number, line) of what is neither blank nor a licence line."""
    lines = ((number, " ".join(line.split())) for number, line in enumerate(text.splitlines(), 1))
    return [(number, line) for number, line in lines if line and "SPDX" not in line]


def runs_of(lines):
    """Each run of SHARED_LINES with the number of its first line."""
    for at in range(len(lines) - SHARED_LINES + 1):
        yield tuple(line for _, line in lines[at:at + SHARED_LINES]), lines[at][0]


def run(tree):
    runs = {}
    for name in sorted(filter(is_kernel, tree.files)):
        if Path(name).suffix != ".py":
            runs[name] = dict(runs_of(lines_of(tree.text(name))))
    problems = []
    for a, b in combinations(runs, 2):
        if a.split("/")[1] == b.split("/")[1]:
            continue
        common = runs[a].keys() & runs[b].keys()
        if common:
            first = min(common, key=runs[a].get)
            problems.append(f"{a}:{runs[a][first]}: {SHARED_LINES} lines that {b}:{runs[b][first]} has, too; "
                            "kernels are written once, in plugins/gpu/kernels")
    return problems
