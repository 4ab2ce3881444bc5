# SPDX-License-Identifier: Apache-2.0
"""Programs that tests need besides the build."""

import shutil


def need(program):
    """The program; a test without it fails, since it comes with tools/setup-packages.txt."""
    assert shutil.which(program), f"{program} is not installed; `tools/dev setup` installs it"
    return program
