# SPDX-License-Identifier: Apache-2.0
"""The nine `light_*` networks of the onnx wheel, as they are and with seeded random weights.

The wheel keeps them small by making each weight a ConstantOfShape: every element of a tensor is equal, so a
swapped axis changes nothing. The `_random` variants put real tensors in their place.
"""

from __future__ import annotations

import pathlib
import zlib

import numpy as np
import onnx
from onnx import numpy_helper

from tools.models import store

DATA = pathlib.Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"
NAMES = ("bvlc_alexnet", "densenet121", "inception_v1", "inception_v2", "resnet50", "shufflenet", "squeezenet",
         "vgg19", "zfnet512")
SMALL = ("shufflenet", "squeezenet")
LOGIT_DEVIATION = 2.0
# Operators that only change a tensor's shape on its way to the one that uses it.
RESHAPING = {"Reshape", "Unsqueeze"}
# What an input of an operator is, by (operator, input index).
ROLES = {
    ("Conv", 1): "weight", ("Conv", 2): "bias", ("Gemm", 1): "weight", ("Gemm", 2): "bias",
    ("BatchNormalization", 1): "scale", ("BatchNormalization", 2): "bias",
    ("BatchNormalization", 3): "mean", ("BatchNormalization", 4): "variance",
    ("Mul", 1): "scale", ("Add", 1): "bias",
}


def recipes() -> list[store.Recipe]:
    found = []
    for name in NAMES:
        path, small = DATA / f"light_{name}.onnx", name in SMALL
        expected = DATA / f"light_{name}_output_0.pb"
        own = pathlib.Path(__file__)
        found.append(store.Recipe(f"light_{name}", "onnx wheel", lambda f, p=path, e=expected: make_light(p, e, f),
                                  (own, path, expected), small))
        found.append(store.Recipe(f"light_{name}_random", "onnx wheel, weights random",
                                  lambda f, p=path: make_random(p, f), (own, path), small))
    return found


def make_light(path: pathlib.Path, expected: pathlib.Path, folder: pathlib.Path) -> None:
    model = onnx.load(path)
    (folder / "model.onnx").write_bytes(path.read_bytes())
    output = store.load_tensor(expected)[1]
    store.save_case(folder, 0, ramp_input(model), {store.output_names(model)[0]: output})


def input_shape(model: onnx.ModelProto) -> tuple[str, list[int]]:
    (name,) = store.input_names(model)
    value = next(v for v in model.graph.input if v.name == name)
    return name, [d.dim_value for d in value.type.tensor_type.shape.dim]


def ramp_input(model: onnx.ModelProto) -> store.Feeds:
    """The input that the wheel's outputs belong to: 0, 1/n, 2/n, ... (onnx.backend.test.runner)."""
    name, shape = input_shape(model)
    count = int(np.prod(shape))
    return {name: (np.arange(count).reshape(shape) / count).astype(np.float32)}


def make_random(path: pathlib.Path, folder: pathlib.Path) -> None:
    model = onnx.load(path)
    seed = zlib.crc32(path.stem.encode())
    randomize(model, seed)
    name, shape = input_shape(model)
    image = np.random.default_rng([seed, 1]).standard_normal(shape, np.float32)
    scale_logits(model, folder, {name: image})
    store.save_model(model, folder)
    store.save_reference_cases(folder, [{name: image}])


def randomize(model: onnx.ModelProto, seed: int) -> None:
    """Replaces every float constant by seeded random numbers; the result is a model of IR version 8."""
    graph = model.graph
    shapes = {t.name: t for t in graph.initializer}
    used = {name for node in graph.node for name in node.input}
    parameters: dict[str, list[int]] = {}
    for tensor in graph.initializer:
        if tensor.data_type == onnx.TensorProto.FLOAT and tensor.name in used:
            parameters[tensor.name] = list(tensor.dims)
    made = [n for n in graph.node if n.op_type == "ConstantOfShape"]
    for node in made:
        parameters[node.output[0]] = numpy_helper.to_array(shapes[node.input[0]]).tolist()
    given = store.input_names(model)
    kept = [t for t in graph.initializer if t.name not in parameters and t.name not in {n.input[0] for n in made}]
    kept = [t for t in kept if t.name in used]
    rng = np.random.default_rng(seed)
    random = [numpy_helper.from_array(random_tensor(rng, *role_of(graph, name), shape), name)
              for name, shape in parameters.items()]
    replace(graph.node, [n for n in graph.node if n.op_type != "ConstantOfShape"])
    replace(graph.input, [v for v in graph.input if v.name in given])
    replace(graph.initializer, kept + random)
    model.ir_version = 8


def replace(field, values: list) -> None:
    copies = [type(v).FromString(v.SerializeToString()) for v in values]
    del field[:]
    field.extend(copies)


def role_of(graph: onnx.GraphProto, name: str) -> tuple[str, str]:
    """(role, operator) of the one operator that ends up using the constant."""
    for node in graph.node:
        if name in node.input:
            if node.op_type in RESHAPING:
                return role_of(graph, node.output[0])
            return ROLES[(node.op_type, list(node.input).index(name))], node.op_type
    raise ValueError(f"{name}: no operator uses it")


def random_tensor(rng: np.random.Generator, role: str, operator: str, shape: list[int]) -> np.ndarray:
    """Activations keep their size through the network: He et al. 2015 for weights, near one for scales."""
    if role == "weight":
        # Conv [out, in / group, ...] and Gemm with transB [out, in] both have the fan-in behind the first axis.
        return rng.standard_normal(shape, np.float32) * np.float32(np.sqrt(2 / np.prod(shape[1:])))
    low, high = {"bias": (-0.2, 0.2), "mean": (-0.2, 0.2), "scale": (0.6, 1.2), "variance": (0.6, 1.4)}[role]
    return rng.uniform(low, high, shape).astype(np.float32)


def scale_logits(model: onnx.ModelProto, folder: pathlib.Path, feeds: store.Feeds) -> None:
    """Scales the last weights by a power of two so that softmax neither saturates nor flattens."""
    graph = model.graph
    # densenet121 ends with the logits themselves.
    logits = next((n.input[0] for n in graph.node if n.op_type == "Softmax"), graph.output[0].name)
    probe = onnx.ModelProto.FromString(model.SerializeToString())
    del probe.graph.output[:]
    probe.graph.output.append(onnx.helper.make_tensor_value_info(logits, onnx.TensorProto.FLOAT, None))
    store.save_model(probe, folder)
    deviation = float(store.reference(folder / "model.onnx", feeds)[logits].std())
    for path in folder.iterdir():
        path.unlink()
    # A power of two, so that another machine's rounding of `deviation` leaves the weights as they are.
    factor = np.float32(2.0 ** round(np.log2(LOGIT_DEVIATION / deviation)))
    last = [n for n in graph.node if n.op_type in ("Conv", "Gemm")][-1]
    sources = {n.output[0]: n.input[0] for n in graph.node if n.op_type in RESHAPING}
    names = {sources.get(name, name) for name in last.input[1:]}
    for tensor in graph.initializer:
        if tensor.name in names:
            scaled = numpy_helper.from_array(numpy_helper.to_array(tensor) * factor, tensor.name)
            tensor.CopyFrom(scaled)
