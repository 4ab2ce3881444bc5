#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the ONNX node tests and compares with the list of those that are known not to pass.

usage: node_suite.py PROGRAM CASES_FOLDER

PROGRAM is onnx_node_suite; CASES_FOLDER is written when it is missing or of another onnx version. The list is
node_suite_excluded.txt: "PATTERN  # reason" a line, "!PATTERN  # reason" takes cases out again, later lines win.
A case that does not pass and is not excluded, one that is excluded and passes, and a line that fits no case are
errors.
"""

from __future__ import annotations

import fnmatch
import shutil
import subprocess
import sys
from pathlib import Path

import onnx

HERE = Path(__file__).parent


def prepare(folder: Path) -> None:
    stamp = folder / "version"
    if stamp.exists() and stamp.read_text() == onnx.__version__:
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    subprocess.run([sys.executable, str(HERE / "write_node_cases.py"), str(folder)], check=True,
                   stderr=subprocess.DEVNULL)
    stamp.write_text(onnx.__version__)


def run(program: str, folder: Path) -> dict[str, tuple[str, str]]:
    cases = sorted(str(p) for p in folder.iterdir() if p.is_dir())
    output = subprocess.run([program, *cases], check=True, capture_output=True, text=True).stdout.splitlines()
    results = {}
    for line in output[:-1]:
        verdict, rest = line.split(" ", 1)
        name, _, why = rest.partition(": ")
        results[name] = (verdict, why)
    assert len(results) == len(cases), f"{len(cases)} cases gave {len(results)} results"
    print(output[-1])
    return results


def patterns() -> list[str]:
    lines = (HERE / "node_suite_excluded.txt").read_text().splitlines()
    for line in lines:
        assert not line or line.startswith("#") or "  # " in line, f"no reason in '{line}'"
    return [line.split("  # ")[0] for line in lines if line and not line.startswith("#")]


def main() -> int:
    program, folder = sys.argv[1], Path(sys.argv[2])
    prepare(folder)
    results = run(program, folder)
    problems = []
    excluded = set()
    for pattern in patterns():
        names = fnmatch.filter(results, pattern.removeprefix("!"))
        if not names:
            problems.append(f"'{pattern}' fits no case")
        if pattern.startswith("!"):
            excluded.difference_update(names)
        else:
            excluded.update(names)
    problems += [f"excluded {n} passes" for n in sorted(excluded) if results[n][0] == "pass"]
    problems += [f"{n} {v}: {why}" for n, (v, why) in results.items() if v != "pass" and n not in excluded]
    print(f"{len(excluded)} of {len(results)} cases are excluded, {len(problems)} problems")
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
