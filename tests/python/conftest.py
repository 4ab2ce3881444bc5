# SPDX-License-Identifier: Apache-2.0
"""Paths that the Python tests share; `tools/dev test` sets OPMUX_BUILD_DIR to the build that it tests."""

import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: takes more than a few seconds, left out of `tools/dev test`")


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture(scope="session")
def build_dir():
    """The build under test; fails, rather than skips, when there is none."""
    path = Path(os.environ.get("OPMUX_BUILD_DIR", ROOT / "build/dev"))
    assert path.is_dir(), f"there is no build in {path}; run tools/dev build first"
    return path
