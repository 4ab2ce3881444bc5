# SPDX-License-Identifier: Apache-2.0
"""Every source file says its licence in the first three lines."""

from pathlib import Path

from tools.checks.tree import CXX_SUFFIXES, DEVICE_SUFFIXES

LINE = "SPDX-License-Identifier: Apache-2.0"
SCRIPTS_AND_DATA = {".py", ".pyi", ".cmake", ".sh", ".yaml", ".yml", ".map", ".supp", ".j2", ".proto"}
SUFFIXES = CXX_SUFFIXES | DEVICE_SUFFIXES | SCRIPTS_AND_DATA


def needs_line(name, text):
    path = Path(name)
    script = path.suffix == "" and text.startswith("#!")
    return path.suffix in SUFFIXES or path.name == "CMakeLists.txt" or script


def run(tree):
    problems = []
    for name in tree.files:
        text = tree.text(name)
        if text is not None and needs_line(name, text) and LINE not in "\n".join(text.split("\n", 3)[:3]):
            problems.append(f"{name}: has no line '{LINE}' in its first three")
    return problems
