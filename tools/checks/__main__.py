# SPDX-License-Identifier: Apache-2.0
"""Runs every check, prints one line each and the problems below it; exit status 1 when there are any."""

import sys
import time
from pathlib import Path

from tools.checks import drift, exports, formatting, kernels, layers, names, sizes, spdx
from tools.checks.tree import Tree

CHECKS = {
    "layers": layers,
    "sizes": sizes,
    "spdx": spdx,
    "names": names,
    "format": formatting,
    "drift": drift,
    "exports": exports,
    "kernels": kernels,
}


def main(arguments):
    unknown = [name for name in arguments if name not in CHECKS]
    if unknown:
        print(f"unknown check '{unknown[0]}', there are: {' '.join(CHECKS)}", file=sys.stderr)
        return 2
    tree = Tree(Path(__file__).resolve().parents[2])
    failed = 0
    for name in arguments or CHECKS:
        start = time.monotonic()
        problems = CHECKS[name].run(tree)
        verdict = f"{len(problems)} problems" if problems else "ok"
        print(f"{name:8} {verdict} ({time.monotonic() - start:.1f} s)")
        for problem in problems:
            print(f"  {problem}")
        failed += bool(problems)
    return 1 if failed else 0


sys.exit(main(sys.argv[1:]))
