# SPDX-License-Identifier: Apache-2.0
"""Kernels and calls of the GPU plugins under tools that watch: oclgrind for races, Vulkan's validation layer."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from programs import need  # noqa: E402

# A part of the suite for every commit; the rest by `-m slow`.
PARTS = [pytest.param(150, id="part"), pytest.param(4, id="most", marks=pytest.mark.slow)]

LAYER_SETTINGS = """khronos_validation.debug_action = VK_DBG_LAYER_ACTION_LOG_MSG
khronos_validation.report_flags = error,warn,perf,info
khronos_validation.log_filename = {log}
khronos_validation.enables = VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT
"""


def suite(build_dir, plugin, every, before=(), **environment):
    words = [*before, str(build_dir / "bin/opmux-cts"), str(build_dir / f"lib/opmux/opmux_{plugin}.so"), "--jobs", "1",
             "--every", str(every)]
    return subprocess.run(words, capture_output=True, text=True, timeout=3600, env={**os.environ, **environment},
                          check=False)


@pytest.mark.parametrize("every", PARTS)
def test_no_kernel_has_a_data_race(build_dir, every):
    """oclgrind runs every lane by itself and compares what lanes touch between barriers. Its own arithmetic is not
    judged: it makes numbers of NaN in 16 bits."""
    got = suite(build_dir, "opencl", every, before=[need("oclgrind"), "--data-races"])
    assert " passed, " in got.stdout, got.stdout[-2000:] + got.stderr[-2000:]
    said = got.stdout + got.stderr
    for complaint in ("data race at", "Invalid read", "Invalid write", "divergent"):
        assert complaint not in said, said[said.index(complaint):][:3000]


@pytest.mark.parametrize("every", PARTS)
def test_the_validation_layer_has_nothing_to_say(build_dir, tmp_path, every):
    log = tmp_path / "layer.txt"
    (tmp_path / "vk_layer_settings.txt").write_text(LAYER_SETTINGS.format(log=log), encoding="utf-8")
    got = suite(build_dir, "vulkan", every, VK_INSTANCE_LAYERS="VK_LAYER_KHRONOS_validation",
                VK_LAYER_SETTINGS_PATH=str(tmp_path))
    assert got.returncode == 0, got.stdout[-2000:] + got.stderr[-2000:]
    said = log.read_text(encoding="utf-8")
    assert "Khronos Validation Layer Active" in said, "the layer was not loaded; `tools/dev setup` installs it"
    lines = [x for x in said.splitlines() if "MessageID" in x and "createinstance-status-message" not in x]
    assert lines == []
