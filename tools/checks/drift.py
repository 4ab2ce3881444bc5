# SPDX-License-Identifier: Apache-2.0
"""Generated files are what the generator makes of the schemas today."""

import subprocess
import sys


def run(tree):
    if not (tree.root / "tools/codegen/__main__.py").exists():
        return []
    command = [sys.executable, "-m", "tools.codegen", "--check"]
    result = subprocess.run(command, cwd=tree.root, capture_output=True, text=True)
    if result.returncode == 0:
        return []
    said = (result.stdout + result.stderr).strip().splitlines()
    return said or [f"tools.codegen --check ended with {result.returncode}"]
