#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the ONNX backend suite of the onnx package as an application would, with inputs given at run time.

usage: backend_suite.py OPMUX CASES_FOLDER [--device NAME] [--suite NAME]... [--markdown FILE]

OPMUX is the program; CASES_FOLDER is written when it is missing or of another onnx version, a folder a suite. A case
that fails is an error; so is one that is unsupported and in neither list of exclusions (node_suite_excluded.txt,
run_excluded.txt), and a line of run_excluded.txt all of whose cases pass. --markdown writes docs/results/onnx.md.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.backend.test.case.node import collect_testcases
from write_node_cases import has_tensors_only, write_case

HERE = Path(__file__).parent
DATA = Path(onnx.__file__).parent / "backend/test/data"
SUITES = ["node", "simple", "pytorch-operator", "pytorch-converted", "light"]


def left_out(model: onnx.ModelProto) -> str | None:
    """Why a case is not of the kind that Opmux is for; None: it is."""
    if not has_tensors_only(model):
        return "sequences, optionals or maps"
    nodes = list(model.graph.node)
    if any(n.op_type.startswith(("Sequence", "Optional", "SplitToSequence", "ConcatFromSequence")) for n in nodes):
        return "sequences, optionals or maps"
    if any(v.type.tensor_type.elem_type == onnx.TensorProto.STRING for v in [*model.graph.input, *model.graph.output]):
        return "strings"
    domains = {n.domain for n in nodes}
    if "ai.onnx.ml" in domains:
        return "ai.onnx.ml"
    if any("training" in d for d in domains):
        return "training"
    if any(n.op_type in ("Gradient", "Adam", "Adagrad", "Momentum") for n in nodes):
        return "training"
    return None


def write_light(folder: Path) -> None:
    """The models whose inputs the suite makes by a ramp; their expected outputs lie beside them."""
    for file in sorted((DATA / "light").glob("light_*.onnx")):
        case = folder / file.stem
        data = case / "test_data_set_0"
        data.mkdir(parents=True)
        shutil.copy(file, case / "model.onnx")
        graph = onnx.load(file).graph
        constants = {t.name for t in graph.initializer}
        inputs = [v for v in graph.input if v.name not in constants]
        for i, v in enumerate(inputs):
            dims = [d.dim_value or 1 for d in v.type.tensor_type.shape.dim]
            n = int(np.prod(dims))
            value = (np.arange(n).reshape(dims) / n).astype(np.float32)
            (data / f"input_{i}.pb").write_bytes(numpy_helper.from_array(value, v.name).SerializeToString())
        for i in range(len(graph.output)):
            shutil.copy(file.with_name(f"{file.stem}_output_{i}.pb"), data / f"output_{i}.pb")


def prepare(folder: Path) -> None:
    stamp = folder / "version"
    if stamp.exists() and stamp.read_text() == f"{onnx.__version__} 1":
        return
    shutil.rmtree(folder, ignore_errors=True)
    skipped = {}
    for case in collect_testcases(None):
        reason = left_out(case.model)
        if reason:
            skipped[f"node/{case.name}"] = (reason, sorted({n.op_type for n in case.model.graph.node}))
        else:
            write_case(folder / "node" / case.name, case)
    for suite in ("simple", "pytorch-operator", "pytorch-converted"):
        for model in sorted((DATA / suite).glob("*/model.onnx")):
            proto = onnx.load(model)
            reason = left_out(proto)
            if reason:
                skipped[f"{suite}/{model.parent.name}"] = (reason, sorted({n.op_type for n in proto.graph.node}))
            else:
                shutil.copytree(model.parent, folder / suite / model.parent.name)
    write_light(folder / "light")
    (folder / "left_out.json").write_text(json.dumps(skipped))
    stamp.write_text(f"{onnx.__version__} 1")


@dataclass
class Case:
    suite: str
    name: str
    verdict: str  # passed, failed, unsupported, drawn, left out
    reason: str
    operators: list[str]


def run(program: str, folder: Path, device: str, suites: list[str]) -> list[Case]:
    cases = []
    for suite in suites:
        words = [program, "onnx-test", str(folder / suite), "--device", device, "--fallback", "forbid", "--json"]
        done = subprocess.run(words, capture_output=True, text=True)
        assert done.returncode in (0, 1) and done.stdout, done.stderr
        cases += [Case(suite, c["name"], c["verdict"], c["reason"], list(c["operators"] or {}))
                  for c in json.loads(done.stdout)["cases"]]
    for name, (reason, operators) in json.loads((folder / "left_out.json").read_text()).items():
        suite, _, short = name.partition("/")
        if suite in suites:
            cases.append(Case(suite, short, "left out", reason, operators))
    return cases


def excluded(file: str, names: list[str], open_cases: set[str] | None) -> tuple[set[str], list[str]]:
    out: set[str] = set()
    problems = []
    for line in (HERE / file).read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        pattern = line.split("  # ")[0]
        assert "  # " in line, f"no reason in '{line}'"
        found = fnmatch.filter(names, pattern.removeprefix("!"))
        if open_cases is not None and not open_cases.intersection(found):
            problems.append(f"'{pattern}' of {file} fits no case that does not pass")
        if pattern.startswith("!"):
            out.difference_update(found)
        else:
            out.update(found)
    return out, problems


def judge(cases: list[Case], has_node: bool) -> list[str]:
    names = [c.name for c in cases if c.verdict != "left out"]
    unsupported = {c.name for c in cases if c.verdict == "unsupported"}
    anywhere, _ = excluded("node_suite_excluded.txt", names, None)
    here, problems = excluded("run_excluded.txt", names, unsupported if has_node else None)
    for c in cases:
        if c.verdict == "failed" and c.name not in anywhere:
            problems.append(f"{c.suite}/{c.name} failed: {c.reason}")
        if c.verdict == "unsupported" and c.name not in anywhere | here:
            problems.append(f"{c.suite}/{c.name} is unsupported: {c.reason}")
    return problems


def operator_of(case: Case, by_name: dict[str, Case]) -> str:
    """What a node case tests; the other suites have models."""
    if case.suite != "node":
        return f"({case.suite})"
    base = by_name.get(case.name.split("_expanded")[0], case)
    return base.operators[0] if len(base.operators) == 1 else " + ".join(base.operators[:3]) or "(unreadable)"


VERDICTS = ["passed", "failed", "unsupported", "drawn", "left out"]


def table(head: str, rows: dict[str, Counter]) -> list[str]:
    lines = [f"| {head} | {' | '.join(VERDICTS)} |", "|---" + "|---:" * len(VERDICTS) + "|"]
    for name, counts in rows.items():
        lines.append(f"| {name} | " + " | ".join(str(counts[v] or "") for v in VERDICTS) + " |")
    return lines


def markdown(cases: list[Case], device: str) -> str:
    by_name = {c.name: c for c in cases if c.suite == "node"}
    suites: dict[str, Counter] = defaultdict(Counter)
    operators: dict[str, Counter] = defaultdict(Counter)
    for c in cases:
        suites[c.suite][c.verdict] += 1
        suites["all"][c.verdict] += 1
        operators[operator_of(c, by_name)][c.verdict] += 1
    suites["all"] = suites.pop("all")
    total = suites["all"]
    numeric = sum(total.values()) - total["left out"]
    commit = subprocess.run(["git", "-C", str(HERE), "rev-parse", "--short", "HEAD"], capture_output=True,
                            text=True).stdout.strip()
    share = 100 * total["passed"] / max(numeric, 1)
    lines = [
        "# The ONNX backend suite",
        f"Written by `tests/onnx/backend_suite.py OPMUX FOLDER --device {device} --markdown FILE`, "
        f"onnx {onnx.__version__}, device {device}, commit {commit}.",
        "Inputs are given at run time, nothing is folded ahead. Left out, case by case at the end: sequences, "
        "optionals, maps, strings, training and ai.onnx.ml.",
        "",
        f"Of {numeric} cases with numeric tensors {total['passed']} pass ({share:.1f} %), "
        f"{total['failed']} fail, {total['unsupported']} are unsupported; {total['drawn']} draw other random "
        "values of the right type and shape.",
        "", *table("suite", suites), "", "## By operator", *table("operator", dict(sorted(operators.items()))),
    ]
    for verdict in ("failed", "unsupported", "drawn", "left out"):
        reasons: dict[str, list[str]] = defaultdict(list)
        for c in cases:
            if c.verdict == verdict:
                reasons[short_reason(c)].append(c.name)
        lines += ["", f"## {verdict.capitalize()}"]
        lines += [f"- {reason}: {', '.join(sorted(names))}" for reason, names in sorted(reasons.items())] or ["None."]
    return "\n".join(lines) + "\n"


def short_reason(case: Case) -> str:
    """Without the node's name and the refusals of other devices."""
    text = case.reason.split("): ")[-1] if case.verdict == "unsupported" else case.reason
    text = text.split("test_data_set_0: ")[-1].split("_0.pb: ")[-1].split("_1.pb: ")[-1]
    return text.split(", opencl")[0].split(", vulkan")[0]


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--suite", action="append", choices=SUITES)
    parser.add_argument("--markdown", type=Path)
    options = parser.parse_args()
    prepare(options.folder)
    suites = options.suite or SUITES
    cases = run(options.program, options.folder, options.device, suites)
    counts = Counter(c.verdict for c in cases)
    print(", ".join(f"{counts[v]} {v}" for v in VERDICTS))
    if options.markdown:
        options.markdown.write_text(markdown(cases, options.device))
    problems = judge(cases, "node" in suites)
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
