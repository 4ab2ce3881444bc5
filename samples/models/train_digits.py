#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains and exports the digits sample: a small convolution network on scikit-learn's handwritten digits.

usage: train_digits.py [--output FOLDER]

Writes digits.onnx, digits_input.npy (held-out images, NCHW in [0, 1]), digits_labels.npy (their true
digits), digits_expected.npy (probabilities by onnxruntime) and three of the images as PNG. Takes about a
minute on one core; the seed is fixed.
"""

from __future__ import annotations

import argparse
import pathlib
import struct
import zlib

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from sklearn.datasets import load_digits

import digits_net

SEED = 7
HELD_OUT = 360
SAMPLES = 20
EPOCHS = 40
BATCH = 64


def data() -> tuple[np.ndarray, np.ndarray]:
    digits = load_digits()
    images = (digits.images[:, None] / 16).astype(np.float32)
    order = np.random.default_rng(SEED).permutation(len(images))
    return images[order], digits.target[order].astype(np.int64)


class Adam:
    """Kingma & Ba 2015."""

    def __init__(self, layers: list) -> None:
        self.layers, self.step = layers, 0
        self.moments = [{k: (np.zeros_like(v), np.zeros_like(v)) for k, v in la.parameters.items()} for la in layers]

    def update(self, gradients: list[dict[str, np.ndarray]], rate: float) -> None:
        self.step += 1
        for layer, moments, own in zip(self.layers, self.moments, gradients):
            for name, g in own.items():
                first, second = moments[name]
                first += 0.1 * (g - first)
                second += 0.001 * (g * g - second)
                unbiased = first / (1 - 0.9 ** self.step), second / (1 - 0.999 ** self.step)
                layer.parameters[name] -= (rate * unbiased[0] / (np.sqrt(unbiased[1]) + 1e-8)).astype(np.float32)


def train(layers: list, images: np.ndarray, labels: np.ndarray) -> None:
    rng = np.random.default_rng(SEED + 1)
    adam = Adam(layers)
    for epoch in range(EPOCHS):
        order = rng.permutation(len(images))
        losses = []
        for at in range(0, len(order), BATCH):
            chosen = order[at:at + BATCH]
            # Shifting by up to one pixel sideways is the only augmentation that 8x8 pixels bear.
            batch = np.roll(images[chosen], rng.integers(-1, 2), axis=3)
            loss, gradients = digits_net.gradients(layers, batch, labels[chosen])
            adam.update(gradients, 3e-3 * 0.5 * (1 + np.cos(np.pi * epoch / EPOCHS)))
            losses.append(loss)
        if epoch % 10 == 9:
            print(f"epoch {epoch + 1}/{EPOCHS} loss {np.mean(losses):.4f}", flush=True)


def export(layers: list, accuracy: float) -> onnx.ModelProto:
    """Conv and BatchNormalization stay separate nodes: joining them is the runtime's work."""
    nodes, constants, value = [], [], "image"

    def constant(name: str, array: np.ndarray) -> str:
        constants.append(numpy_helper.from_array(np.ascontiguousarray(array, np.float32), name))
        return name

    def add(operator: str, inputs: list[str], output: str, **attributes) -> str:
        nodes.append(helper.make_node(operator, inputs, [output], name=output, **attributes))
        return output

    for i, layer in enumerate(layers):
        kind = type(layer).__name__
        if kind == "Conv3x3":
            weight = constant(f"conv{i}.weight", layer.weight)
            value = add("Conv", [value, weight], f"conv{i}", kernel_shape=[3, 3], pads=[1, 1, 1, 1])
        elif kind == "BatchNorm":
            arrays = {**layer.parameters, "mean": layer.mean, "variance": layer.variance}
            names = [constant(f"norm{i}.{k}", v) for k, v in arrays.items()]
            value = add("BatchNormalization", [value, *names], f"norm{i}", epsilon=digits_net.EPSILON)
        elif kind == "Relu":
            value = add("Relu", [value], f"relu{i}")
        elif kind == "MaxPool2x2":
            value = add("MaxPool", [value], f"pool{i}", kernel_shape=[2, 2], strides=[2, 2])
        else:
            value = add("Flatten", [value], "flat")
            names = [constant(f"gemm.{k}", layer.parameters[k]) for k in ("weight", "bias")]
            value = add("Gemm", [value, *names], "logits", transB=1)
    add("Softmax", [value], "probabilities", axis=-1)
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 1, 8, 8])
    output = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["N", 10])
    graph = helper.make_graph(nodes, "digits", [image], [output], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8,
                              producer_name="opmux-samples")
    helper.set_model_props(model, {"opmux.data": "scikit-learn load_digits (UCI, CC BY 4.0)",
                                   "opmux.held_out_accuracy": f"{accuracy:.4f}"})
    onnx.checker.check_model(model, full_check=True)
    return model


def png(image: np.ndarray) -> bytes:
    """A grey 8-bit PNG; the digit's ink is white, as in the input tensor."""
    height, width = image.shape
    rows = b"".join(b"\0" + row.tobytes() for row in np.rint(image * 255).astype(np.uint8))

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=pathlib.Path, default=pathlib.Path(__file__).parent)
    output = parser.parse_args().output
    images, labels = data()
    layers = digits_net.build(np.random.default_rng(SEED))
    train(layers, images[HELD_OUT:], labels[HELD_OUT:])
    answers = digits_net.forward(layers, images[:HELD_OUT]).argmax(1)
    accuracy = float((answers == labels[:HELD_OUT]).mean())
    print(f"held-out accuracy {accuracy:.4f} on {HELD_OUT} images")
    model = export(layers, accuracy)
    onnx.save(model, output / "digits.onnx")
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    expected = session.run(None, {"image": images[:SAMPLES]})[0]
    np.save(output / "digits_input.npy", images[:SAMPLES])
    np.save(output / "digits_labels.npy", labels[:SAMPLES])
    np.save(output / "digits_expected.npy", expected)
    for i in range(3):
        (output / f"digit_{i}_is_{labels[i]}.png").write_bytes(png(images[i, 0]))


if __name__ == "__main__":
    main()
