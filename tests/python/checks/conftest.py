# SPDX-License-Identifier: Apache-2.0
import pytest

from tools.checks.tree import Tree


@pytest.fixture
def plant(tmp_path):
    """Writes files (path -> text) into an empty tree and returns the tree."""

    def write(files):
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return Tree(tmp_path)

    return write
