#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the digits and the text model on every route of this machine and judges the answers.

usage: run_samples.py [--build DIR] [--models DIR]

For each model and route it prints the answer, where the nodes ran and why, the time, and the agreement with the
expected values and with the other routes. Exit status 1 when an answer is wrong, a route fails, or there is no route.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
# f32 through ten layers; the same bound that the model tests use against onnxruntime.
RELATIVE_BOUND = 1e-3
SHOWN_DIGITS = 12
TIMEOUT_S = 600


class Failure(Exception):
    """A command that failed, in its own words."""


class Opmux:
    def __init__(self, program):
        self.program = program

    def __call__(self, *arguments):
        """Runs the program with --json; returns what it printed."""
        command = [str(self.program), *map(str, arguments), "--json"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S)
        except subprocess.TimeoutExpired:
            raise Failure(f"no answer within {TIMEOUT_S} s: {' '.join(command)}") from None
        if done.returncode != 0:
            said = done.stderr.strip().splitlines()
            raise Failure(f"exit status {done.returncode}: {said[-1] if said else 'nothing said'}")
        return json.loads(done.stdout)


def routes(opmux):
    """Prints what this machine has; returns the names of its routes."""
    found = opmux("devices")
    names = []
    for device in found["devices"]:
        mine = [route["name"] for route in device["routes"]]
        names += mine
        print(f"{device['name']}  {device.get('description', '')}  routes: {', '.join(mine)}")
    for plugin in found.get("unused", []):
        print(f"not used: {plugin['name']}: {plugin['reason']}")
    return names


def placement(opmux, model, device):
    """Where the nodes run, in one phrase, and why not elsewhere where a node left the device that was asked for."""
    nodes = opmux("why", model, "--device", device)["nodes"]
    counts = Counter(node["route"] for node in nodes)
    text = ", ".join(f"{count} on {route}" for route, count in counts.most_common())
    if device == "auto":
        main_route = counts.most_common(1)[0][0]
        reason = next(
            (node["reason"] for node in nodes if node["route"] == main_route and node.get("reason")), None
        )
    else:
        reason = next(
            (node["reason"] for node in nodes if node["route"] != device and node.get("reason")), None
        )
    return f"{text} of {len(nodes)} nodes" + (f"; {reason}" if reason else "")


class Digits:
    """Twenty held-out handwritten digits; right means every label is right and the values are within the bound."""

    name = "digits"

    def __init__(self, folder):
        self.model = folder / "digits.onnx"
        self.input = folder / "digits_input.npy"
        self.labels = np.load(folder / "digits_labels.npy")
        self.expected = np.load(folder / "digits_expected.npy")
        self.answers = {}

    def run(self, opmux, device):
        with tempfile.TemporaryDirectory() as folder:
            output = Path(folder) / "out.npz"
            opmux("run", self.model, "--input", f"image={self.input}", "--output", output, "--device", device)
            with np.load(output) as values:
                self.answers[device] = values["probabilities"]

    def judge(self, device):
        """(right, sentence)"""
        answer = self.answers[device]
        if answer.shape != self.expected.shape:
            return False, f"shape {answer.shape}, expected {self.expected.shape}"
        labels = answer.argmax(1)
        right = int((labels == self.labels).sum())
        error = worst_relative(answer, self.expected)
        sentence = (
            f"reads {' '.join(map(str, labels[:SHOWN_DIGITS]))} ...: {right} of {len(labels)} right, "
            f"worst difference from onnxruntime {error:.1e} (bound {RELATIVE_BOUND:.0e})"
        )
        return right == len(labels) and error <= RELATIVE_BOUND, sentence

    def agreement(self):
        values = list(self.answers.values())
        worst = max((worst_relative(a, b) for a in values for b in values), default=0.0)
        return f"routes differ by at most {worst:.1e}"


class Text:
    """Greedy continuations; right means the same tokens as onnxruntime gives."""

    name = "text"

    def __init__(self, folder):
        self.model = folder / "text.onnx"
        self.cases = json.loads((folder / "text_expected.json").read_text())
        self.answers = {}

    def run(self, opmux, device):
        self.answers[device] = [
            opmux(
                "run",
                self.model,
                "--prompt",
                case["prompt"],
                "--tokens",
                len(case["tokens"]),
                "--device",
                device,
            )
            for case in self.cases
        ]

    def judge(self, device):
        answers = self.answers[device]
        continuation = " / ".join(answers[0]["text"].strip().splitlines())
        right = sum(answer["tokens"] == case["tokens"] for answer, case in zip(answers, self.cases))
        sentence = (
            f"\"{self.cases[0]['prompt']}\" goes on \"{continuation}\": "
            f"{right} of {len(self.cases)} continuations are onnxruntime's"
        )
        return right == len(self.cases), sentence

    def agreement(self):
        tokens = [[answer["tokens"] for answer in answers] for answers in self.answers.values()]
        same = all(other == tokens[0] for other in tokens)
        return "all routes give the same tokens" if same else "routes give different tokens"


def worst_relative(a, b):
    """Largest difference relative to the largest value; infinite where a value is not finite."""
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return float("inf")
    return float(np.abs(a - b).max() / max(np.abs(b).max(), 1e-30))


def run_sample(opmux, sample, devices):
    """Runs one sample on every device; returns the number of wrong answers."""
    print(f"\n{sample.name} ({sample.model.name})")
    wrong = 0
    for device in devices:
        start = time.monotonic()
        try:
            sample.run(opmux, device)
            right, sentence = sample.judge(device)
            where = placement(opmux, sample.model, device)
        except Failure as failure:
            right, sentence, where = False, str(failure), "nowhere"
        wrong += not right
        print(f"  {device:18} {'right' if right else 'WRONG'}  {time.monotonic() - start:5.1f} s  {sentence}")
        print(f"  {'':18} {where}", flush=True)
    if len(sample.answers) > 1:
        print(f"  agreement: {sample.agreement()}")
    return wrong


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--build", type=Path, default=ROOT / "build/release")
    parser.add_argument("--models", type=Path, default=ROOT / "samples/models")
    options = parser.parse_args()
    opmux = Opmux(options.build / "bin/opmux")
    try:
        devices = routes(opmux)
    except (Failure, OSError) as failure:
        print(f"run_samples: opmux devices: {failure}", file=sys.stderr)
        return 1
    if not devices:
        print("run_samples: this machine has no route", file=sys.stderr)
        return 1
    try:
        samples = (Digits(options.models), Text(options.models))
    except OSError as failure:
        print(f"run_samples: {failure}", file=sys.stderr)
        return 1
    wrong = sum(run_sample(opmux, sample, ["auto", *devices]) for sample in samples)
    total = len(samples) * (len(devices) + 1)
    print(f"\n{total - wrong} of {total} answers right, on {len(devices)} routes and by automatic choice")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
