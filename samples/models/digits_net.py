# SPDX-License-Identifier: Apache-2.0
"""Layers of the digits sample with their gradients, in numpy: activations NCHW, float32."""

from __future__ import annotations

import numpy as np

EPSILON = 1e-5
MOMENTUM = 0.9


class Conv3x3:
    """Same-size 3x3 convolution without bias (batch normalization follows and would cancel it)."""

    def __init__(self, rng: np.random.Generator, inputs: int, outputs: int) -> None:
        deviation = np.sqrt(2.0 / (9 * inputs))  # He et al. 2015
        self.weight = (rng.standard_normal((outputs, inputs, 3, 3)) * deviation).astype(np.float32)
        self.parameters = {"weight": self.weight}

    def forward(self, x: np.ndarray, training: bool) -> np.ndarray:
        n, c, h, w = x.shape
        padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (2, 3))
        self.columns = windows.transpose(0, 2, 3, 1, 4, 5).reshape(n * h * w, c * 9)
        self.shape = x.shape
        y = self.columns @ self.weight.reshape(len(self.weight), -1).T
        return y.reshape(n, h, w, -1).transpose(0, 3, 1, 2)

    def backward(self, dy: np.ndarray) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        n, c, h, w = self.shape
        flat = dy.transpose(0, 2, 3, 1).reshape(n * h * w, -1)
        d_weight = (flat.T @ self.columns).reshape(self.weight.shape)
        d_columns = (flat @ self.weight.reshape(len(self.weight), -1)).reshape(n, h, w, c, 3, 3)
        padded = np.zeros((n, c, h + 2, w + 2), np.float32)
        for i in range(3):
            for j in range(3):
                padded[:, :, i:i + h, j:j + w] += d_columns[:, :, :, :, i, j].transpose(0, 3, 1, 2)
        return padded[:, :, 1:-1, 1:-1], {"weight": d_weight}


class BatchNorm:
    """Ioffe & Szegedy 2015; running statistics as ONNX BatchNormalization reads them."""

    def __init__(self, channels: int) -> None:
        self.parameters = {"scale": np.ones(channels, np.float32), "bias": np.zeros(channels, np.float32)}
        self.mean = np.zeros(channels, np.float32)
        self.variance = np.ones(channels, np.float32)

    def forward(self, x: np.ndarray, training: bool) -> np.ndarray:
        mean, variance = self.mean, self.variance
        if training:
            mean, variance = x.mean((0, 2, 3)), x.var((0, 2, 3))
            self.mean = MOMENTUM * self.mean + (1 - MOMENTUM) * mean
            self.variance = MOMENTUM * self.variance + (1 - MOMENTUM) * variance
        self.inverse = 1 / np.sqrt(channelwise(variance) + EPSILON)
        self.normal = (x - channelwise(mean)) * self.inverse
        return self.normal * channelwise(self.parameters["scale"]) + channelwise(self.parameters["bias"])

    def backward(self, dy: np.ndarray) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        d_scale, d_bias = (dy * self.normal).sum((0, 2, 3)), dy.sum((0, 2, 3))
        count = dy.size / dy.shape[1]
        centred = dy - channelwise(d_bias) / count - self.normal * channelwise(d_scale) / count
        return channelwise(self.parameters["scale"]) * self.inverse * centred, {"scale": d_scale, "bias": d_bias}


class Relu:
    parameters: dict[str, np.ndarray] = {}

    def forward(self, x: np.ndarray, training: bool) -> np.ndarray:
        self.positive = x > 0
        return x * self.positive

    def backward(self, dy: np.ndarray) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        return dy * self.positive, {}


class MaxPool2x2:
    parameters: dict[str, np.ndarray] = {}

    def forward(self, x: np.ndarray, training: bool) -> np.ndarray:
        n, c, h, w = x.shape
        self.blocks = x.reshape(n, c, h // 2, 2, w // 2, 2)
        y = self.blocks.max((3, 5), keepdims=True)
        self.chosen = self.blocks == y
        return y[:, :, :, 0, :, 0]

    def backward(self, dy: np.ndarray) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        n, c, h, _, w, _ = self.blocks.shape
        shared = self.chosen / self.chosen.sum((3, 5), keepdims=True)  # ties share the gradient
        return (shared * dy[:, :, :, None, :, None]).reshape(n, c, 2 * h, 2 * w).astype(np.float32), {}


class Linear:
    """Flattens NCHW, then y = x W^T + b."""

    def __init__(self, rng: np.random.Generator, inputs: int, outputs: int) -> None:
        deviation = np.sqrt(1.0 / inputs)
        self.parameters = {"weight": (rng.standard_normal((outputs, inputs)) * deviation).astype(np.float32),
                           "bias": np.zeros(outputs, np.float32)}

    def forward(self, x: np.ndarray, training: bool) -> np.ndarray:
        self.shape, self.flat = x.shape, x.reshape(len(x), -1)
        return self.flat @ self.parameters["weight"].T + self.parameters["bias"]

    def backward(self, dy: np.ndarray) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        gradients = {"weight": dy.T @ self.flat, "bias": dy.sum(0)}
        return (dy @ self.parameters["weight"]).reshape(self.shape), gradients


def channelwise(v: np.ndarray) -> np.ndarray:
    return v[None, :, None, None]


def build(rng: np.random.Generator) -> list:
    layers = []
    for inputs, outputs, pool in ((1, 16, False), (16, 32, True), (32, 32, True)):
        layers += [Conv3x3(rng, inputs, outputs), BatchNorm(outputs), Relu()]
        layers += [MaxPool2x2()] if pool else []
    return layers + [Linear(rng, 32 * 2 * 2, 10)]


def forward(layers: list, x: np.ndarray, training: bool = False) -> np.ndarray:
    for layer in layers:
        x = layer.forward(x, training)
    return x


def gradients(layers: list, x: np.ndarray, labels: np.ndarray) -> tuple[float, list[dict[str, np.ndarray]]]:
    """Mean cross-entropy and the gradient of every parameter, layer by layer."""
    logits = forward(layers, x, training=True)
    shifted = np.exp(logits - logits.max(1, keepdims=True))
    probabilities = shifted / shifted.sum(1, keepdims=True)
    rows = np.arange(len(x))
    loss = float(-np.log(probabilities[rows, labels] + 1e-12).mean())
    d = probabilities.astype(np.float32)
    d[rows, labels] -= 1
    d /= len(x)
    found = []
    for layer in reversed(layers):
        d, own = layer.backward(d)
        found.append(own)
    return loss, found[::-1]
