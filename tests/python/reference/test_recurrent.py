# SPDX-License-Identifier: Apache-2.0
"""RNN, GRU and LSTM of the reference against onnxruntime, and what that lacks against NumPy."""

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper
from raw_plugin import C, OpError

KIND = {"RNN": (1, 1), "GRU": (2, 3), "LSTM": (3, 4)}
ACTIVATIONS = {"RNN": ["Tanh"], "GRU": ["Sigmoid", "Tanh"], "LSTM": ["Sigmoid", "Tanh", "Tanh"]}
CODE = {
    "Tanh": "TANH",
    "Sigmoid": "SIGMOID",
    "Relu": "RELU",
    "Affine": "AFFINE",
    "LeakyRelu": "LEAKY_RELU",
    "ScaledTanh": "SCALED_TANH",
    "HardSigmoid": "HARD_SIGMOID",
    "Elu": "ELU",
    "Softsign": "SOFTSIGN",
    "Softplus": "SOFTPLUS",
}
DIRECTION = {"forward": 1, "reverse": 2, "bidirectional": 3}


def by_onnxruntime(op, inputs, hidden, **attributes):
    names = "X W R B sequence_lens initial_h initial_c P".split()[: len(inputs)]
    used = [n if v is not None else "" for n, v in zip(names, inputs)]
    outputs = ["Y", "Y_h", "Y_c"][: 3 if op == "LSTM" else 2]
    node = helper.make_node(op, used, outputs, hidden_size=hidden, **attributes)
    infos = [
        helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(v.dtype), v.shape)
        for n, v in zip(names, inputs)
        if v is not None
    ]
    graph = helper.make_graph(
        [node], "g", infos, [helper.make_tensor_value_info(o, TensorProto.FLOAT, None) for o in outputs]
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=10)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {n: v for n, v in zip(names, inputs) if v is not None})


def operands(rng, op, sizes, directions, bias=True, lengths=None, initial=True, peepholes=False):
    steps, batch, width, hidden = sizes
    gates = KIND[op][1]
    draw = lambda *shape: rng.uniform(-0.8, 0.8, shape).astype(np.float32)  # noqa: E731
    values = [draw(steps, batch, width), draw(directions, gates * hidden, width)]
    values.append(draw(directions, gates * hidden, hidden))
    values.append(draw(directions, 2 * gates * hidden) if bias else None)
    values.append(np.array(lengths, np.int32) if lengths is not None else None)
    values.append(draw(directions, batch, hidden) if initial else None)
    if op == "LSTM":
        values.append(draw(directions, batch, hidden) if initial else None)
        values.append(draw(directions, 3 * hidden) if peepholes else None)
    return values


def by_opmux(plugin, op, inputs, direction="forward", activations=None, alpha=(), beta=(), **attributes):
    directions = 2 if direction == "bidirectional" else 1
    given = activations or ACTIVATIONS[op] * directions
    per = len(given) // directions
    for i, name in enumerate(given):
        at = 3 * (i // per) + i % per
        attributes[f"activation{at}"] = C["ACT_" + CODE[name]]
        attributes[f"alpha{at}"] = alpha[i] if i < len(alpha) else 0
        attributes[f"beta{at}"] = beta[i] if i < len(beta) else 0
    steps, batch, _ = inputs[0].shape
    hidden = inputs[2].shape[2]
    dtype = {4: "f32", 8: "f64"}[inputs[0].itemsize]
    outputs = [(dtype, (steps, directions, batch, hidden))] + [(dtype, (directions, batch, hidden))] * (
        2 if op == "LSTM" else 1
    )
    padded = inputs + [None] * (8 - len(inputs))
    return plugin.run(
        "recurrent", padded, outputs, kind=KIND[op][0], direction=DIRECTION[direction], **attributes
    )


@pytest.mark.parametrize("op", ["RNN", "GRU", "LSTM"])
@pytest.mark.parametrize("direction", ["forward", "reverse", "bidirectional"])
@pytest.mark.parametrize(
    "sizes, options",
    [
        ((5, 3, 4, 7), {}),
        ((4, 2, 3, 5), {"bias": False, "initial": False}),
        ((6, 4, 2, 3), {"lengths": [6, 1, 3, 2]}),
        ((1, 1, 1, 1), {}),
    ],
)
def test_layers_agree_with_onnxruntime(ref, rng, op, direction, sizes, options):
    inputs = operands(rng, op, sizes, 2 if direction == "bidirectional" else 1, **options)
    want = by_onnxruntime(op, inputs, sizes[3], direction=direction)
    for a, b in zip(by_opmux(ref, op, inputs, direction), want):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("linear", [0, 1])
def test_gru_resets_before_or_after_its_product(ref, rng, linear):
    inputs = operands(rng, "GRU", (4, 3, 5, 6), 1, lengths=[4, 2, 3])
    want = by_onnxruntime("GRU", inputs, 6, linear_before_reset=linear)
    for a, b in zip(by_opmux(ref, "GRU", inputs, linear_before_reset=linear), want):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-6)


def test_lstm_with_peepholes_agrees_with_onnxruntime(ref, rng):
    inputs = operands(rng, "LSTM", (4, 3, 5, 6), 2, peepholes=True)
    want = by_onnxruntime("LSTM", inputs, 6, direction="bidirectional")
    for a, b in zip(by_opmux(ref, "LSTM", inputs, "bidirectional"), want):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize(
    "name, alpha, beta",
    [
        ("Relu", 0, 0),
        ("Affine", 0.5, 0.25),
        ("LeakyRelu", 0.1, 0),
        ("ScaledTanh", 0.7, 1.5),
        ("HardSigmoid", 0.3, 0.4),
        ("Elu", 0.8, 0),
        ("Softsign", 0, 0),
        ("Softplus", 0, 0),
    ],
)
def test_activations_agree_with_onnxruntime(ref, rng, name, alpha, beta):
    inputs = operands(rng, "RNN", (3, 2, 4, 5), 1)
    want = by_onnxruntime(
        "RNN", inputs, 5, activations=[name], activation_alpha=[float(alpha)], activation_beta=[float(beta)]
    )
    got = by_opmux(ref, "RNN", inputs, activations=[name], alpha=[alpha], beta=[beta])
    for a, b in zip(got, want):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-6)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


@pytest.mark.parametrize("coupled", [0, 1])
def test_lstm_clips_every_argument_of_an_activation(ref, rng, coupled):
    x, w, r, b, _, h, c, p = operands(rng, "LSTM", (3, 2, 4, 5), 1, peepholes=True)
    values = [v if v is None else 3 * v.astype(np.float64) for v in (x, w, r, b, None, h, c, p)]
    y, y_h, y_c = by_opmux(ref, "LSTM", values, clip=0.75, input_forget=coupled)
    x, w, r, b, _, h, c, p = (v if v is None else v if v is values[0] else v[0] for v in values)
    cut = lambda v: np.clip(v, -0.75, 0.75)  # noqa: E731
    for t in range(3):
        pre = x[t] @ w.T + h @ r.T + b[:20] + b[20:]
        i, o, f, g = np.split(pre, 4, axis=1)
        i = sigmoid(cut(i + p[:5] * c))
        f = 1 - i if coupled else sigmoid(cut(f + p[10:] * c))
        c = f * c + i * np.tanh(cut(g))
        h = sigmoid(cut(o + p[5:10] * c)) * np.tanh(cut(c))
        np.testing.assert_allclose(y[t, 0], h, rtol=1e-12)
    np.testing.assert_allclose(y_h[0], h, rtol=1e-12)
    np.testing.assert_allclose(y_c[0], c, rtol=1e-12)


def test_an_entry_of_no_steps_keeps_its_state(ref, rng):
    inputs = operands(rng, "LSTM", (3, 2, 4, 5), 1, lengths=[0, 3])
    y, y_h, y_c = by_opmux(ref, "LSTM", inputs)
    assert (y[:, 0, 0] == 0).all()
    np.testing.assert_array_equal(y_h[0, 0], inputs[5][0, 0])
    np.testing.assert_array_equal(y_c[0, 0], inputs[6][0, 0])


@pytest.mark.parametrize("bad", [4, -1])
def test_a_length_out_of_range_is_a_fault(ref, rng, bad):
    inputs = operands(rng, "RNN", (3, 2, 4, 5), 1, lengths=[1, bad])
    with pytest.raises(OpError, match=rf"recurrent: length {bad} at position 1 is outside \[0, 3\]") as e:
        by_opmux(ref, "RNN", inputs)
    assert e.value.status == C["E_FAULT"] and e.value.arg == 4
