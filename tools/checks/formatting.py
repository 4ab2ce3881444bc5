# SPDX-License-Identifier: Apache-2.0
"""clang-format-19 has nothing to change.

Files found clean are not looked at again until they or .clang-format change.
"""

import hashlib
import json
import os
import shutil
import subprocess

from tools.checks.tree import CXX_SUFFIXES

TOOL = "clang-format-19"
CHUNK = 40  # files per process: the start of clang-format costs as much as a few files


def digest(tree, name, style):
    return hashlib.sha256(style + (tree.root / name).read_bytes()).hexdigest()


def unformatted(tree, names):
    """Runs clang-format over chunks side by side; returns its first complaint per file."""
    chunks = [names[i : i + CHUNK] for i in range(0, len(names), CHUNK)]
    width = os.cpu_count() or 1
    complaints = {}
    for start in range(0, len(chunks), width):
        running = [
            subprocess.Popen(
                [TOOL, "--dry-run", "--ferror-limit=0", *chunk],
                cwd=tree.root,
                stderr=subprocess.PIPE,
                text=True,
            )
            for chunk in chunks[start : start + width]
        ]
        for process in running:
            for line in process.communicate()[1].splitlines():
                name, _, rest = line.partition(":")
                if "[-Wclang-format-violations]" in line and name not in complaints:
                    complaints[name] = f"{name}:{rest.split(':')[0]}: not formatted ({TOOL} -i {name})"
    return complaints


def run(tree):
    if not shutil.which(TOOL):
        return [f"{TOOL} is not installed (tools/dev setup)"]
    style_file = tree.root / ".clang-format"
    style = style_file.read_bytes() if style_file.exists() else b""
    memory = tree.root / "build/checks/formatted.json"
    known = set(json.loads(memory.read_text())) if memory.exists() else set()
    digests = {name: digest(tree, name, style) for name in tree.with_suffix(CXX_SUFFIXES)}
    complaints = unformatted(tree, [name for name, value in digests.items() if value not in known])
    memory.parent.mkdir(parents=True, exist_ok=True)
    memory.write_text(json.dumps(sorted(value for name, value in digests.items() if name not in complaints)))
    return sorted(complaints.values())
