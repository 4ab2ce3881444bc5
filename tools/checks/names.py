# SPDX-License-Identifier: Apache-2.0
"""Tracked text speaks of the product alone: no path of one machine, no registry, no unfinished work."""

import re
from pathlib import Path

EVERYWHERE = {
    r"(?<![\w./-])/(?:work|root|home)/": "an absolute path of one machine",
    r"\b(?:deb\.debian\.org|pypi\.org|pythonhosted\.org|registry\.npmjs|crates\.io)": "a registry host",
    r"(?i)\bassistants?\b": "a word about how it was written",
    r"\b(?:TODO|FIXME|XXX)\b": "a note of unfinished work",
}
# A "session" is a common name in code (onnxruntime has one), but not in our texts.
PROSE = {r"(?i)\bsessions?\b": "a word about how it was written"}
PROSE_SUFFIXES = {".md", ".txt", ".yaml"}
# These must spell what they look for.
EXEMPT = {"tools/checks/names.py", "tests/python/checks/test_names.py", "LICENSE"}


def run(tree):
    problems = []
    for name in tree.files:
        text = None if name in EXEMPT else tree.text(name)
        if text is None:
            continue
        patterns = {**EVERYWHERE, **(PROSE if Path(name).suffix in PROSE_SUFFIXES else {})}
        for pattern, what in patterns.items():
            for match in re.finditer(pattern, text):
                line = text.count("\n", 0, match.start()) + 1
                problems.append(f"{name}:{line}: '{match.group()}' is {what}")
    return problems
