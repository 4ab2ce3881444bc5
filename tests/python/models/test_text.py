# SPDX-License-Identifier: Apache-2.0
import json

import numpy as np
import onnx
import pytest
import text_config
import text_greedy
from text_corpus import Tokenizer, learn_vocabulary


@pytest.fixture(scope="module")
def session(samples):
    return text_greedy.TextSession(str(samples / "text.onnx"))


@pytest.fixture(scope="module")
def expected(samples):
    return json.loads((samples / "text_expected.json").read_text())


@pytest.fixture(scope="module")
def tokenizer(session):
    return Tokenizer.from_metadata(session.tokenizer_text)


def test_text_passes_the_checker_and_is_small(samples):
    onnx.checker.check_model(onnx.load(samples / "text.onnx"), full_check=True)
    assert (samples / "text.onnx").stat().st_size <= 3_000_000


def test_text_expects_a_long_continuation_for_every_prompt(samples, expected):
    assert [e["prompt"] for e in expected] == (samples / "text_prompts.txt").read_text().splitlines()
    assert len(expected) == 3 and all(len(e["tokens"]) >= 40 for e in expected)


def test_text_continues_as_expected_by_recomputation(session, expected):
    for entry in expected:
        found = text_greedy.by_recomputation(session, entry["prompt_tokens"], len(entry["tokens"]))[0]
        assert found == entry["tokens"]


def test_text_continues_as_expected_by_its_state(session, expected):
    for entry in expected:
        assert text_greedy.by_state(session, entry["prompt_tokens"], len(entry["tokens"])) == entry["tokens"]


def test_text_chooses_no_expected_token_by_a_hair(expected):
    """Another order of summation must not turn a choice: logits of this model differ by about 1e-5 then."""
    assert all(entry["smallest_lead"] > 0.01 for entry in expected)


def test_text_state_in_pieces_equals_the_whole(session):
    tokens = list(np.random.default_rng(5).integers(0, text_config.VOCABULARY, 19))
    whole, state = session.run(tokens, 0, session.empty)
    first, part = session.run(tokens[:7], 0, session.empty)
    second, part = session.run(tokens[7:], 7, part)
    np.testing.assert_allclose(np.concatenate([first, second]), whole, rtol=1e-4, atol=1e-4)
    for name in state:
        np.testing.assert_allclose(part[name], state[name], rtol=1e-4, atol=1e-5)


def test_text_metadata_pairs_every_past_with_its_present(samples):
    model = onnx.load(samples / "text.onnx")
    properties = {p.key: p.value for p in model.metadata_props}
    pairs = [pair.split(":") for pair in properties["opmux.state"].split(",")]
    inputs, outputs = {v.name for v in model.graph.input}, {v.name for v in model.graph.output}
    assert inputs == {"tokens", "positions"} | {past for past, _ in pairs}
    assert outputs == {"logits"} | {present for _, present in pairs}
    assert properties["opmux.state.capacity"] == str(text_config.CONTEXT)


def test_expected_text_is_what_its_tokens_say(tokenizer, expected):
    for entry in expected:
        assert tokenizer.encode(entry["prompt"]) == entry["prompt_tokens"]
        assert tokenizer.decode(entry["tokens"]) == entry["text"]


def test_tokenizer_gives_back_any_printable_text(tokenizer):
    text = "".join(chr(c) for c in range(32, 127)) + "\nThe 3 sailboats, at 10:45, weren't there."
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_tokenizer_takes_the_longest_entry():
    assert Tokenizer(["a", "b", "ab", "abb"]).encode("abbab") == [3, 2]


def test_tokenizer_names_a_character_it_does_not_know(tokenizer):
    with pytest.raises(ValueError, match="'é' at 0"):
        tokenizer.encode("é")


def test_vocabulary_merges_the_most_frequent_pair_first():
    assert learn_vocabulary("ac\n" * 4 + "ab\n" * 5, 98)[96:] == ["ab", "ac"]
