# SPDX-License-Identifier: Apache-2.0
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from raw_plugin import Plugin  # noqa: E402


@pytest.fixture(scope="session")
def ref(build_dir):
    return Plugin(build_dir / "lib/opmux/opmux_reference.so")


@pytest.fixture
def rng():
    return np.random.default_rng(7)
