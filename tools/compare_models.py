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


def cells(row: compare.Row) -> list[str]:
    verdict = "agrees" if row.passed else "**differs**" if not row.problem else f"**failed**: {row.problem}"
    if row.left_out:
        verdict = f"not run: {row.left_out}"
    numbers = [row.absolute, row.relative, row.elementwise]
    shown = ["-"] * 3 if row.problem or row.left_out else [f"{v:.1e}" for v in numbers]
    return [row.model, row.device, str(row.case), row.output, row.shape, *shown, verdict]


def markdown(rows: list[compare.Row], command: str) -> str:
    passed = compare.models_passed(rows)
    rows = sorted(rows, key=lambda row: (row.model, row.device, row.case))
    head = ["model", "device", "case", "output", "shape", "max abs", "max rel", "elementwise rel", "verdict"]
    lines = [f"Written by `{command}` after `build/venv/bin/python tools/fetch_models.py`.", "",
             "# Models against onnxruntime", "",
             f"{sum(passed.values())} of {len(passed)} models agree within {compare.BOUND:g} relative (f32) with "
             f"onnxruntime {onnxruntime.__version__}, on {processor()}.", "",
             "max rel is max |a-b| / max |b|; elementwise rel takes each element by its own size, those below "
             f"{compare.FLOOR:.0%} of the largest by that {compare.FLOOR:.0%}. `light_*` are the networks of the "
             "onnx wheel with their constant weights, `*_random` the same with seeded random weights. Outputs that are "
             "state (metadata `opmux.state`) stay in the run context and are not compared.", "",
             f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    lines += [f"| {' | '.join(c.replace('|', chr(92) + '|') for c in cells(row))} |" for row in rows]
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
            for row in found:
                print("  ".join(cells(row)), flush=True)
    if args.output:
        args.output.parent.mkdir(parents=True, exist_ok=True)
        command = shlex.join(["build/venv/bin/python", "tools/compare_models.py", *sys.argv[1:]])
        args.output.write_text(markdown(rows, command))
    passed = compare.models_passed(rows)
    bad = sorted(name for name, good in passed.items() if not good)
    good = len(passed) - len(bad)
    print(f"{good} models agree, {len(bad)} do not" + (f": {', '.join(bad)}" if bad else ""))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
