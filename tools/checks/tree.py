# SPDX-License-Identifier: Apache-2.0
"""The files that the checks read: what git tracks or would track, or every file where there is no git."""

import subprocess
from functools import cached_property
from pathlib import Path

CXX_SUFFIXES = {".c", ".cc", ".cpp", ".cu", ".cuh", ".h", ".hpp"}
DEVICE_SUFFIXES = {".cl", ".comp", ".glsl"}


class Tree:
    def __init__(self, root):
        self.root = Path(root)

    @cached_property
    def files(self):
        """Paths relative to the root, with forward slashes, sorted."""
        command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        if (self.root / ".git").exists():
            listing = subprocess.run(command, cwd=self.root, check=True, capture_output=True, text=True)
            names = listing.stdout.split("\0")
        else:
            names = [p.relative_to(self.root).as_posix() for p in self.root.rglob("*")]
        return sorted(name for name in set(names) if name and (self.root / name).is_file())

    def with_suffix(self, suffixes):
        return [name for name in self.files if Path(name).suffix in suffixes]

    def text(self, name):
        """The file's text, or None for a binary file."""
        data = (self.root / name).read_bytes()
        if b"\0" in data:
            return None
        try:
            return data.decode()
        except UnicodeDecodeError:
            return None


def is_generated(name):
    return ".gen." in name
