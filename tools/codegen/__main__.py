# SPDX-License-Identifier: Apache-2.0
"""python3 -m tools.codegen [--check] [--build DIR]: writes everything that comes from schemas/."""

import argparse
import sys
from pathlib import Path

from . import abi_h, cases_cpp, docs, operands_hpp, ops_h, probe, schema_cpp, variant
from .load import SchemaError
from .model import Model


def committed(model):
    """Path in the repository -> text of every committed product."""
    return {**abi_h.files(model), **ops_h.files(model), **docs.files(model)}


def _write(path, text):
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return True


def _check(root, products):
    bad = [name for name, text in products.items()
           if not (root / name).is_file() or (root / name).read_text(encoding="utf-8") != text]
    for name in bad:
        print(f"{name}: differs from what schemas/ says; run python3 -m tools.codegen", file=sys.stderr)
    orphans = _orphans(root, products)
    for name in orphans:
        print(f"{name}: comes from no schema; remove it", file=sys.stderr)
    return 1 if bad or orphans else 0


def _orphans(root, products):
    """Files in the folders of products that no schema makes any more."""
    found = [*root.glob("sdk/include/opmux/ops/*.gen.h"), *root.glob("docs/reference/ops/*.md")]
    return sorted(name for name in (str(p.relative_to(root)) for p in found) if name not in products)


def main(argv=None):
    here = Path(__file__).resolve().parents[2]
    parser = argparse.ArgumentParser(prog="tools.codegen", description=__doc__)
    parser.add_argument("--root", type=Path, default=here, help="checkout whose schemas/ is read")
    parser.add_argument("--check", action="store_true", help="compare the committed products, write nothing")
    parser.add_argument("--build", type=Path, help="write only the build-tree part, into this folder")
    args = parser.parse_args(argv)
    try:
        model = Model(args.root / "schemas")
        if args.build:
            parts = (schema_cpp, operands_hpp, cases_cpp, probe, variant)
            for name, text in {n: t for part in parts for n, t in part.files(model).items()}.items():
                _write(args.build / name, text)
            return 0
        products = committed(model)
        if args.check:
            return _check(args.root, products)
        for name, text in products.items():
            if _write(args.root / name, text):
                print(name)
        return 0
    except SchemaError as e:
        print(e, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
