# SPDX-License-Identifier: Apache-2.0
"""The sample scripts import each other as neighbours; the tests import them the same way."""

import sys
from pathlib import Path

import pytest

SAMPLES = Path(__file__).resolve().parents[3] / "samples" / "models"
sys.path.insert(0, str(SAMPLES))


@pytest.fixture(scope="session")
def samples():
    return SAMPLES
