# SPDX-License-Identifier: Apache-2.0
import json
import struct
import zlib

import digits_net
import numpy as np
import onnx
import onnxruntime
import pytest


@pytest.fixture(scope="module")
def model(samples):
    return onnx.load(samples / "digits.onnx")


@pytest.fixture(scope="module")
def session(samples):
    return onnxruntime.InferenceSession(samples / "digits.onnx", providers=["CPUExecutionProvider"])


def test_digits_passes_the_checker_and_is_small(model, samples):
    onnx.checker.check_model(model, full_check=True)
    assert (samples / "digits.onnx").stat().st_size < 200_000


def test_digits_keeps_convolution_and_normalization_apart(model):
    operators = [n.op_type for n in model.graph.node]
    assert operators.count("Conv") == operators.count("BatchNormalization") == 3


def test_digits_expected_output_is_what_onnxruntime_answers(session, samples):
    found = session.run(None, {"image": np.load(samples / "digits_input.npy")})[0]
    np.testing.assert_allclose(found, np.load(samples / "digits_expected.npy"), rtol=1e-4, atol=1e-6)


def test_digits_reads_every_sample_image_right(session, samples):
    found = session.run(None, {"image": np.load(samples / "digits_input.npy")})[0]
    assert found.argmax(1).tolist() == np.load(samples / "digits_labels.npy").tolist()


def test_digits_is_right_on_more_than_97_percent_of_the_held_out_images(session):
    from train_digits import HELD_OUT, data

    images, labels = data()
    found = session.run(None, {"image": images[:HELD_OUT]})[0].argmax(1)
    assert (found == labels[:HELD_OUT]).mean() > 0.97


def test_digit_pictures_hold_the_sample_images(samples):
    images, labels = np.load(samples / "digits_input.npy"), np.load(samples / "digits_labels.npy")
    for i in range(3):
        data = (samples / f"digit_{i}_is_{labels[i]}.png").read_bytes()
        at, pixels = 8, b""
        while at < len(data):
            length, kind = struct.unpack_from(">I4s", data, at)
            pixels += data[at + 8:at + 8 + length] if kind == b"IDAT" else b""
            at += 12 + length
        rows = np.frombuffer(zlib.decompress(pixels), np.uint8).reshape(8, 9)[:, 1:]
        np.testing.assert_allclose(rows / 255, images[i, 0], atol=0.5 / 255 + 1e-6)


def test_gradients_of_the_digits_network_are_those_of_its_loss():
    """Central differences in double precision along one random direction per parameter."""
    rng = np.random.default_rng(3)
    layers = digits_net.build(rng)
    images, labels = rng.standard_normal((4, 1, 8, 8)), np.array([1, 7, 2, 9])
    for layer in layers:
        for name, value in layer.parameters.items():
            layer.parameters[name] = value.astype(np.float64)
        if isinstance(layer, digits_net.Conv3x3):
            layer.weight = layer.parameters["weight"]
    found = digits_net.gradients(layers, images, labels)[1]
    checked = 0
    for layer, own in zip(layers, found):
        for name, gradient in own.items():
            direction = rng.standard_normal(gradient.shape)
            losses = []
            for step in (1e-5, -1e-5):
                layer.parameters[name] += step * direction
                losses.append(digits_net.gradients(layers, images, labels)[0])
                layer.parameters[name] -= step * direction
            assert (losses[0] - losses[1]) / 2e-5 == pytest.approx(float((gradient * direction).sum()), rel=1e-3,
                                                                   abs=1e-6)
            checked += 1
    assert checked == 3 * 3 + 2


def test_digits_names_the_accuracy_that_was_measured(model):
    properties = {p.key: p.value for p in model.metadata_props}
    assert json.loads(properties["opmux.held_out_accuracy"]) > 0.97
