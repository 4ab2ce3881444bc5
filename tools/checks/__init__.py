# SPDX-License-Identifier: Apache-2.0
"""Checks of the source tree; `python3 -m tools.checks` runs them.

Each module has run(tree) -> list of problems.
"""
