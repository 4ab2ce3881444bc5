#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares `opmux run` with onnxruntime on every model that tools/fetch_models.py gathered.

An output agrees when max |a-b| / max |b| and the largest elementwise relative difference (elements below 1 % of
the largest are measured against that 1 %) are both at most 1e-3. Writes a table in Markdown; exit status 1 when
anything disagrees. Run it with the Python of build/venv.
"""

from __future__ import annotations

import argparse
import pathlib
import platform
import shlex
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import onnxruntime  # noqa: E402

from tools.models import compare, store  # noqa: E402


def cells(row: compare.Row, worst: bool) -> list[str]:
    verdict = "agrees" if row.passed else "**differs**" if not row.problem else f"**failed**: {row.problem}"
    numbers = ["-"] * 3 if row.problem else [f"{v:.1e}" for v in (row.absolute, row.relative, row.elementwise)]
    where = row.output + (" (worst of the states)" if worst else "")
    return [row.model, row.device, str(row.case), where, row.shape, *numbers, verdict]


def condensed(rows: list[compare.Row]) -> list[tuple[compare.Row, bool]]:
    """Of the many state outputs of one case only the worst gets a line, unless one fails."""
    lines, states = [], {}
    for row in rows:
        if row.output.startswith("present_") and row.passed:
            key = (row.model, row.device, row.case)
            if key not in states or row.elementwise > states[key].elementwise:
                states[key] = row
        else:
            lines.append((row, False))
    return sorted(lines + [(row, True) for row in states.values()],
                  key=lambda line: (line[0].model, line[0].device, line[0].case, line[1]))


def markdown(rows: list[compare.Row], command: str) -> str:
    passed = {name: all(r.passed for r in rows if r.model == name) for name in {r.model for r in rows}}
    head = ["model", "device", "case", "output", "shape", "max abs", "max rel", "elementwise rel", "verdict"]
    lines = [f"Written by `{command}` after `build/venv/bin/python tools/fetch_models.py`.", "",
             "# Models against onnxruntime", "",
             f"{sum(passed.values())} of {len(passed)} models agree within {compare.BOUND:g} relative (f32) with "
             f"onnxruntime {onnxruntime.__version__}, on {processor()}.", "",
             "max rel is max |a-b| / max |b|; elementwise rel takes each element by its own size, those below "
             f"{compare.FLOOR:.0%} of the largest by that {compare.FLOOR:.0%}. `light_*` are the networks of the "
             "onnx wheel with their constant weights, `*_random` the same with seeded random weights.", "",
             f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    lines += [f"| {' | '.join(c.replace('|', chr(92) + '|') for c in cells(*line))} |" for line in condensed(rows)]
    return "\n".join(lines) + "\n"


def processor() -> str:
    try:
        info = pathlib.Path("/proc/cpuinfo").read_text()
        return next(line.split(":", 1)[1].strip() for line in info.splitlines() if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.machine()


def folders(models: pathlib.Path, only: list[str]) -> list[pathlib.Path]:
    present = sorted(path.parent for path in models.glob("*/model.onnx") if not path.parent.name.startswith("."))
    for name in only:
        if name not in {p.name for p in present}:
            raise SystemExit(f"compare_models: {models} has no model {name!r}; tools/fetch_models.py gathers them")
    if not present:
        raise SystemExit(f"compare_models: {models} holds no model; tools/fetch_models.py gathers them")
    return [p for p in present if not only or p.name in only]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("opmux", help="the opmux program, for instance build/release/bin/opmux")
    parser.add_argument("--device", action="append", default=[],
                        help="route to run on; may be repeated (default: cpu)")
    parser.add_argument("--fallback", choices=("forbid", "report", "allow"), default="forbid",
                        help="what opmux may do with operators that the device lacks (default: forbid)")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="this model; may be repeated")
    parser.add_argument("--models", type=pathlib.Path, default=store.MODELS, metavar="FOLDER")
    parser.add_argument("--output", type=pathlib.Path, metavar="FILE.md",
                        help="write the table here, docs/results/models.md for the one in the repository")
    args = parser.parse_args()
    rows = []
    for device in args.device or ["cpu"]:
        for folder in folders(args.models, args.only):
            found = compare.compare_model([args.opmux], folder, device, args.fallback)
            rows += found
            for line in condensed(found):
                print("  ".join(cells(*line)), flush=True)
    if args.output:
        args.output.parent.mkdir(parents=True, exist_ok=True)
        command = shlex.join(["build/venv/bin/python", "tools/compare_models.py", *sys.argv[1:]])
        args.output.write_text(markdown(rows, command))
    bad = sorted({row.model for row in rows if not row.passed})
    good = len({row.model for row in rows}) - len(bad)
    print(f"{good} models agree, {len(bad)} do not" + (f": {', '.join(bad)}" if bad else ""))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
