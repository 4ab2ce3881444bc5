# SPDX-License-Identifier: Apache-2.0
"""Plants faults in copies of the CPU plugin, one at a time, and says which of them the conformance suite finds.

Faults stand in tests/conformance/mutants.yaml. Only the changed file is compiled anew, for two instruction sets;
everything else comes from the build folder, where opmux_cpu, opmux_reference and opmux_cts must be built. Exit status 1
when a fault is not found."""

import argparse
import json
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
# The best set of common machines beside the plain one: which instructions run matters little to these faults.
TARGETS = "HWY_SSSE3|HWY_SSE4|HWY_AVX3|HWY_AVX3_DL|HWY_SVE|HWY_SVE2|HWY_SVE_256|HWY_SVE2_128"


class Fault(Exception):
    """A mutant that cannot be made."""


def mutate(text, mutant):
    if text.count(mutant["old"]) != 1:
        raise Fault(f"{mutant['file']}: {text.count(mutant['old'])} times there, must be once: {mutant['old']!r}")
    return text.replace(mutant["old"], mutant["new"])


class Build:
    """Commands of a build folder, changed to make one plugin from one changed file."""

    def __init__(self, folder):
        self.folder = folder
        commands = json.loads((folder / "compile_commands.json").read_text(encoding="utf-8"))
        self.compile = {Path(c["file"]).resolve(): c["command"] for c in commands}
        listed = subprocess.run(["ninja", "-C", str(folder), "-t", "commands", "opmux_cpu"], check=True,
                                capture_output=True, text=True).stdout.splitlines()
        self.link = re.sub(r"^: && | && :$", "", listed[-1])

    def make(self, source, changed, work):
        """Compiles `changed`, or source with the changed header, in place of `source`; links work/opmux_cpu.so."""
        part = work / "part.o"
        command = shlex.split(self.compile[source])
        at = command.index("-o")
        command[at + 1] = str(part)
        command[command.index("-c") + 1] = str(changed if changed.suffix == ".cpp" else source)
        command = [re.sub(r"^-DHWY_DISABLED_TARGETS=.*", f"-DHWY_DISABLED_TARGETS=({TARGETS})", c) for c in command]
        command = [c for c in command if c not in ("-g", "-Werror")] + ["-O1"]
        first = next(i for i, c in enumerate(command) if c.startswith("-I"))
        command.insert(first, f"-I{work / 'plugins'}")
        self._run(command)
        link = shlex.split(self.link)
        link[link.index("-o") + 1] = str(work / "opmux_cpu.so")
        # Before the library, so that its own part is not wanted any more.
        link.insert(next(i for i, c in enumerate(link) if c.endswith("libopmux_cpu_ops.a")), str(part))
        self._run(link)

    def _run(self, command):
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Fault(done.stderr.strip()[-2000:])


def run_suite(build, plugin, options):
    """The name of the first test that fails, or None."""
    command = [str(build.folder / "bin/opmux-cts"), str(plugin), "--fail-fast",
               "--reference", str(build.folder / "lib/opmux/opmux_reference.so"), *options]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    except subprocess.TimeoutExpired:
        return "(the suite does not end)"
    found = re.search(r"^FAILED (.*)$", done.stdout + done.stderr, re.MULTILINE)
    if found:
        return found.group(1)
    return None if done.returncode == 0 else f"(exit status {done.returncode})"


def try_one(build, mutant, options):
    source = (ROOT / "plugins/cpu" / mutant["file"]).resolve()
    text = mutate(source.read_text(encoding="utf-8"), mutant)
    with tempfile.TemporaryDirectory(prefix="opmux-mutant-") as folder:
        work = Path(folder)
        changed = work / "plugins/cpu" / mutant["file"]
        changed.parent.mkdir(parents=True)
        changed.write_text(text, encoding="utf-8")
        compiled = (ROOT / "plugins/cpu" / mutant.get("compile", mutant["file"])).resolve()
        build.make(compiled, changed, work)
        return run_suite(build, work / "opmux_cpu.so", options)


def report(rows):
    found = sum(1 for _, test in rows if test)
    lines = ["# Mutants", "",
             "Typical faults, planted one at a time in copies of the CPU plugin",
             "(`tests/conformance/mutants.yaml`), and the",
             f"first test of the quick conformance run that finds each: {found} of {len(rows)}. Made by",
             "`python3 -m tools.mutants --report docs/results/mutants.md`.", "",
             "| file | fault | found by |", "| --- | --- | --- |"]
    lines += [f"| {m['file']} | {m['what']} | {'`' + test + '`' if test else 'not found'} |" for m, test in rows]
    return "\n".join(lines) + "\n"


def main(argv=None):
    parser = argparse.ArgumentParser(prog="tools.mutants", description=__doc__)
    parser.add_argument("--build", type=Path, default=ROOT / "build/dev", help="folder with the plugins and the suite")
    parser.add_argument("--only", default="", help="part of a fault's text or file")
    parser.add_argument("--report", type=Path, help="file for the table")
    parser.add_argument("options", nargs="*", help="for opmux-cts, behind --")
    args = parser.parse_args(argv)
    mutants = yaml.safe_load((ROOT / "tests/conformance/mutants.yaml").read_text(encoding="utf-8"))
    build = Build(args.build.resolve())
    rows = []
    for mutant in mutants:
        if args.only not in mutant["file"] + " " + mutant["what"]:
            continue
        try:
            test = try_one(build, mutant, args.options)
        except Fault as e:
            print(f"{mutant['what']}: cannot be made: {e}", file=sys.stderr)
            return 1
        rows.append((mutant, test))
        print(f"{'found  ' if test else 'MISSED '} {mutant['file']}: {mutant['what']}: {test or ''}", flush=True)
    if args.report:
        args.report.write_text(report(rows), encoding="utf-8")
    return 0 if all(test for _, test in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
