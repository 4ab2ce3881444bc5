# SPDX-License-Identifier: Apache-2.0
"""Models that draw random numbers: their statistics, and that a new run of the program draws the same."""

import numpy as np
import pytest
from conftest import save
from onnx import TensorProto, helper


@pytest.fixture
def drawn(answer, folder):
    """The output of one node over an input of ones [N, 3]."""

    def run(op, ones=np.ones((2, 3), np.float32), more=(), constants=(), **attributes):
        inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3])]
        takes = [] if op in ("RandomNormal", "RandomUniform") else ["x", *more]
        nodes = [helper.make_node(op, takes, ["z"], **attributes), helper.make_node("Identity", ["z"], ["y"])]
        kept = helper.make_node("Identity", ["x"], ["same"])
        outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)]
        outputs.append(helper.make_tensor_value_info("same", TensorProto.FLOAT, ["N", 3]))
        if op == "Multinomial":
            outputs[0] = helper.make_tensor_value_info("y", TensorProto.INT32, None)
        save(folder, "random", [*nodes, kept], inputs, outputs, constants)
        np.save(folder / "ones.npy", ones)
        answer("run", "random.onnx", "--input", "x=ones.npy", "--output", "out.npz")
        return np.load(folder / "out.npz")["y"]

    return run


def test_random_normal_has_the_mean_and_deviation_that_it_is_given(drawn):
    z = drawn("RandomNormal", shape=[200, 100], mean=3.0, scale=0.5, seed=7.0)
    assert z.shape == (200, 100) and z.dtype == np.float32
    assert abs(z.mean() - 3) < 0.02 and abs(z.std() - 0.5) < 0.02
    np.testing.assert_array_equal(drawn("RandomNormal", shape=[200, 100], mean=3.0, scale=0.5, seed=7.0), z)
    assert (drawn("RandomNormal", shape=[200, 100], mean=3.0, scale=0.5, seed=8.0) != z).any()


def test_random_uniform_like_fills_the_shape_of_its_input(drawn):
    u = drawn("RandomUniformLike", np.ones((5000, 3), np.float32), low=-2.0, high=4.0)
    assert u.shape == (5000, 3) and u.min() >= -2 and u.max() < 4
    assert abs(u.mean() - 1) < 0.1


def test_bernoulli_is_one_as_often_as_its_input_says(drawn):
    y = drawn("Bernoulli", np.tile(np.array([0, 0.25, 1], np.float32), (4000, 1)))
    assert (y[:, 0] == 0).all() and (y[:, 2] == 1).all()
    assert abs(y[:, 1].mean() - 0.25) < 0.03


def test_multinomial_draws_classes_by_their_logarithms(drawn):
    y = drawn("Multinomial", np.log(np.array([[1, 2, 5], [8, 1e-30, 0.1]], np.float32)), sample_size=4000)
    share = np.bincount(y[0], minlength=3) / 4000
    np.testing.assert_allclose(share, [0.125, 0.25, 0.625], atol=0.03)
    assert (y[1] != 1).all()


def test_dropout_in_training_keeps_the_mean(drawn):
    ratio = helper.make_tensor("ratio", TensorProto.FLOAT, [], [0.25])
    training = helper.make_tensor("training", TensorProto.BOOL, [], [True])
    y = drawn("Dropout", np.ones((4000, 3), np.float32), ["ratio", "training"], [ratio, training])
    assert set(np.unique(y)) == {0, np.float32(1 / 0.75)}
    assert abs(y.mean() - 1) < 0.03
