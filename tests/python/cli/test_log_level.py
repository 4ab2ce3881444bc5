# SPDX-License-Identifier: Apache-2.0
"""OPMUX_LOG: a level that does not exist is said, not passed over."""

import os
import subprocess


def devices(build_dir, level):
    return subprocess.run([build_dir / "bin/opmux", "devices"], env={**os.environ, "OPMUX_LOG": level},
                          capture_output=True, text=True, check=True)


def test_an_unknown_level_is_said_once(build_dir):
    said = devices(build_dir, "loud").stderr
    assert said.count("OPMUX_LOG is 'loud', must be error, warning, info or debug") == 1


def test_info_tells_how_many_routes_were_found(build_dir):
    assert "routes of" in devices(build_dir, "info").stderr
    assert devices(build_dir, "error").stderr == ""
