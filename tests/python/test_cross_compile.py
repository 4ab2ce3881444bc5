# SPDX-License-Identifier: Apache-2.0
"""The CPU plugin's sources compile for 64-bit Arm, where Highway chooses NEON and AES instructions at run time."""

import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

COMPILER = "aarch64-linux-gnu-g++"
# As in plugins/cpu/CMakeLists.txt.
LEFT_OUT = "-DHWY_DISABLED_TARGETS=(HWY_SSSE3|HWY_SVE|HWY_SVE2|HWY_SVE_256|HWY_SVE2_128)"


@pytest.mark.slow
def test_cpu_plugin_compiles_for_aarch64(root, build_dir, tmp_path):
    if shutil.which(COMPILER) is None:
        pytest.skip(f"{COMPILER} is not installed")
    sources = sorted((root / "plugins/cpu").rglob("*.cpp"))
    folders = (root, root / "plugins", root / "sdk", root / "sdk/include", build_dir / "generated")
    include = [f"-I{folder}" for folder in folders]

    def compile_one(source):
        out = tmp_path / f"{source.relative_to(root / 'plugins/cpu')}.o".replace("/", "_")
        command = [COMPILER, "-std=c++20", "-O1", "-fno-math-errno", "-c", "-o", out, *include, LEFT_OUT, source]
        done = subprocess.run(command, capture_output=True, text=True)
        return None if done.returncode == 0 else f"{source}:\n{done.stderr[:2000]}"

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        failures = [f for f in pool.map(compile_one, sources) if f]
    assert not failures, "\n".join(failures)
