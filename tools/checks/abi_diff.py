# SPDX-License-Identifier: Apache-2.0
"""python3 -m tools.checks.abi_diff OLD.json NEW.json: says whether NEW may follow OLD within one major version.

Legal: new structures, members appended to the tail of open structures and tables, new constants, new operators, a
higher revision. Everything else is listed and the exit status is 1."""

import argparse
import json
import sys
from pathlib import Path

_VERSION = ("OPMUX_ABI_MAJOR", "OPMUX_ABI_MINOR")


def _member(m):
    return f"'{m[0]}' ({m[1]}, byte {m[2]})"


def _members(name, old, new):
    """Problems of the members that both sides should have; new may go on beyond old."""
    if [m[0] for m in old] != [m[0] for m in new[:len(old)]]:
        before, after = [m[0] for m in old], [m[0] for m in new]
        gone = [n for n in before if n not in after]
        if gone:
            yield f"{name}: member '{gone[0]}' was removed"
        elif [n for n in after if n in before] != before:
            yield f"{name}: members were put into another order"
        else:
            inserted = next(n for i, n in enumerate(after) if n not in before and i < len(before))
            yield f"{name}: member '{inserted}' was inserted before the end"
        return
    for a, b in zip(old, new):
        if a[1] != b[1]:
            yield f"{name}: member '{a[0]}' changed its type from {a[1]} to {b[1]}"
        elif a[2:] != b[2:]:
            yield f"{name}: member {_member(a)} moved or changed its size: now {_member(b)}"


def _structs(old, new):
    for name, a in old.items():
        b = new.get(name)
        if b is None:
            yield f"{name}: was removed"
            continue
        if a["kind"] != b["kind"]:
            yield f"{name}: was {a['kind']} and is {b['kind']} now"
        problems = list(_members(name, a["members"], b["members"]))
        yield from problems
        if not problems and a["kind"] == "frozen" and len(b["members"]) > len(a["members"]):
            yield f"{name}: is frozen, but got member '{b['members'][len(a['members'])][0]}'"
        if not problems and b["size"] < a["size"]:
            yield f"{name}: shrank from {a['size']} to {b['size']} bytes"
        end = sum(b["members"][-1][2:])
        if end != b["size"]:
            yield f"{name}: ends at byte {end}, but has {b['size']} bytes: implicit padding could hide a member"


def _prefix(name, unique):
    return max((p for p in unique if name.startswith(p)), key=len, default=None)


def _constants(old, new, unique):
    for name, value in old.items():
        if name in _VERSION:
            continue
        if name not in new:
            yield f"{name}: was removed"
        elif new[name] != value:
            yield f"{name}: changed from {value} to {new[name]}"
    taken = {}
    for name, value in list(old.items()) + list(new.items()):
        prefix = _prefix(name, unique)
        if prefix is None or name in _VERSION:
            continue
        other = taken.setdefault((prefix, value), name)
        if other != name:
            yield f"{name}: uses the value {value} of {other} again"


def _ops(old, new, retired):
    by_id = {v["id"]: k for k, v in old.items()}
    for name, a in old.items():
        b = new.get(name)
        if b is None:
            yield f"operator {name}: was removed"
            continue
        if a["id"] != b["id"]:
            yield f"operator {name}: was renumbered from {a['id']:#010x} to {b['id']:#010x}"
        if b["rev"] < a["rev"]:
            yield f"operator {name}: went back from revision {a['rev']} to {b['rev']}"
        if b["opset"] != a["opset"]:
            yield f"operator {name}: moved from op-set {a['opset']} to {b['opset']}"
    for name, b in new.items():
        if by_id.get(b["id"], name) != name:
            yield f"operator {name}: uses the id {b['id']:#010x} of {by_id[b['id']]} again"
        if b["id"] in retired:
            yield f"operator {name}: uses the retired id {b['id']:#010x}"


def compare(old, new):
    """Sentences about everything that must not change; empty when NEW may follow OLD."""
    problems = list(_structs(old["structs"], new["structs"]))
    problems += _constants(old["constants"], new["constants"], set(old["unique"]) | set(new["unique"]))
    problems += _ops(old["ops"], new["ops"], old["retired"])
    problems += [f"retired id {i:#010x}: is no longer listed" for i in old["retired"] if i not in new["retired"]]
    a, b = old["abi"], new["abi"]
    if b["major"] != a["major"]:
        problems.append(f"major version {a['major']} became {b['major']}: these two are not comparable")
    elif b["minor"] < a["minor"]:
        problems.append(f"minor version went back from {a['minor']} to {b['minor']}")
    elif a["major"] >= 1 and b["minor"] == a["minor"] and not problems and _additions(old, new):
        problems.append(f"{_additions(old, new)[0]} is new, but the minor version is still {b['minor']}")
    return problems


def _additions(old, new):
    found = [n for key in ("structs", "constants", "ops") for n in new[key] if n not in old[key]]
    for name, s in old["structs"].items():
        found += [f"{name}.{m[0]}" for m in new["structs"].get(name, s)["members"][len(s["members"]):]]
    return found


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    args = parser.parse_args(argv)
    old, new = (json.loads(p.read_text(encoding="utf-8")) for p in (args.old, args.new))
    problems = compare(old, new)
    for text in problems:
        print(text)
    if not problems:
        print(f"legal; new: {', '.join(_additions(old, new)) or 'nothing'}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
