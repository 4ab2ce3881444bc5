# SPDX-License-Identifier: Apache-2.0
"""Writes C headers, run-time schema tables and reference pages from the data in schemas/."""
