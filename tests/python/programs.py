# SPDX-License-Identifier: Apache-2.0
"""Programs that a test needs and a machine may lack."""

import os
import shutil

import pytest


def need(program):
    """Skips the test where `program` is not installed; fails it under OPMUX_TEST_ALL=1, which tools/dev sets."""
    if not shutil.which(program):
        missing = f"{program} is not installed"
        if os.environ.get("OPMUX_TEST_ALL") == "1":
            pytest.fail(f"{missing}; it comes with tools/setup-packages.txt")
        pytest.skip(missing)
    return program
