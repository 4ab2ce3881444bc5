# SPDX-License-Identifier: Apache-2.0
"""`opmux run --prompt`."""

import json

import pytest


@pytest.fixture
def run(text):
    return ("run", text, "--device", "reference")


def test_a_prompt_goes_on_as_onnxruntime_goes_on(answer, run, root):
    case = json.loads((root / "samples/models/text_expected.json").read_text())[0]
    told = json.loads(answer(*run, "--prompt", case["prompt"], "--tokens", "4", "--json"))
    assert (told["prompt_tokens"], told["tokens"]) == (case["prompt_tokens"], case["tokens"][:4])


@pytest.mark.parametrize("prompt, part", [
    ("", "the prompt is empty"),
    ("na\u00efve", "character 3 of the prompt, '\u00ef', is not in the model's vocabulary"),
    ("\u20ac\u20ac", "character 1 of the prompt, '\u20ac',"), ("tab\there", "character 4 of the prompt, byte 0x09,"),
    (b"bad\xff\xfe", "character 4 of the prompt, byte 0xff,"),
    (b"cut\xe2\x82", "character 4 of the prompt, byte 0xe2,"),
    ("a " * 400, "tokens and 2 more do not fit into the model's state of 256")])
def test_a_prompt_that_cannot_be_read_is_told_in_one_sentence(refused, run, prompt, part):
    assert part in refused(1, *run, "--tokens", "2", "--prompt", prompt)


def test_more_tokens_than_the_state_holds_are_refused_before_the_first(refused, run):
    sentence = refused(1, *run, "--prompt", "a", "--tokens", "257")
    assert sentence.startswith("a prompt of 1 token and 257 more do not fit into the model's state of 256")


@pytest.mark.parametrize("words", [["--output", "o.npz"], ["--input", "tokens=x.npy"], ["--repeat", "2"], ["--profile"],
                                   ["--random-inputs", "1"], ["--shape", "S=2"]])
def test_options_that_do_not_go_with_a_prompt_are_wrong_use(refused, run, words):
    assert refused(2, *run, "--prompt", "a", *words) == f"{words[0]} does not go with --prompt"


def test_a_model_without_a_vocabulary_takes_no_prompt(refused):
    assert "no metadata 'opmux.tokenizer'" in refused(1, "run", "scale.onnx", "--prompt", "a")
