# SPDX-License-Identifier: Apache-2.0
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from raw_plugin import Plugin  # noqa: E402


@pytest.fixture(scope="session", params=["reference", "cpu"])
def plugin(request, build_dir):
    return Plugin(build_dir / f"lib/opmux/opmux_{request.param}.so")
