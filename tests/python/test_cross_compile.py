# SPDX-License-Identifier: Apache-2.0
"""The CPU plugin's sources compile for 64-bit Arm, where Highway chooses NEON and AES instructions at run time."""

import json
import os
import shlex
import subprocess
from concurrent.futures import ThreadPoolExecutor

from programs import need


def test_cpu_plugin_compiles_for_aarch64(root, build_dir, tmp_path):
    compiler = need("aarch64-linux-gnu-g++")
    commands = json.loads((build_dir / "compile_commands.json").read_text(encoding="utf-8"))
    ours = [c for c in commands if c["file"].startswith(str(root / "plugins/cpu/"))]
    assert len(ours) == len(list((root / "plugins/cpu").rglob("*.cpp")))

    def compile_one(entry):
        # As the build does, definitions and warnings included, but for another machine and without debug information.
        parts = shlex.split(entry["command"])
        options = parts[next(i for i, part in enumerate(parts) if part.startswith("-")):]
        out = options.index("-o") + 1
        options[out] = str(tmp_path / options[out].replace("/", "_"))
        command = [compiler, *options, "-g0", "-O1"]
        done = subprocess.run(command, cwd=entry["directory"], capture_output=True, text=True, check=False)
        return None if done.returncode == 0 else f"{entry['file']}:\n{done.stderr[:2000]}"

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        failures = [f for f in pool.map(compile_one, ours) if f]
    assert not failures, "\n".join(failures)
