# SPDX-License-Identifier: Apache-2.0
"""docs/cli.md speaks of the program that was built."""

import re

import pytest

COMMANDS = ["devices", "ops", "run", "why", "inspect", "onnx-test"]


@pytest.fixture
def page(root):
    return (root / "docs/cli.md").read_text()


def test_every_command_has_a_section_with_an_example(answer, page):
    listed = re.findall(r"^  ([a-z-]+)  ", answer("--help").split("Subcommands:")[1], re.MULTILINE)
    assert sorted(listed) == sorted(COMMANDS)
    for command in COMMANDS:
        section = page.split(f"\n## {command}\n")[1].split("\n## ")[0]
        assert re.search(rf"^    \$ .*opmux {command}\b", section, re.MULTILINE), command


def test_every_option_on_the_page_exists_and_every_option_is_on_the_page(answer, page):
    there = {option for command in COMMANDS for option in re.findall(r"--[a-z-]+", answer(command, "--help"))}
    assert set(re.findall(r"--[a-z-]+", page)) == there


def test_the_shown_refusal_is_what_the_program_says(refused, digits):
    sentence = refused(1, "run", digits, "--input", "image=batch.npz", "--device", "gpu0/vulkan")
    assert sentence.startswith("there is no device 'gpu0/vulkan'; there are: ")
