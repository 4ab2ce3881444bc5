# SPDX-License-Identifier: Apache-2.0
"""What `opmux run` takes as input, and what it says of what it does not take."""

import numpy as np
import pytest

RUN = ("run", "scale.onnx", "--device", "reference")
FACTORS = np.array([1, 2, 3], np.float32)


@pytest.fixture
def scaled(answer, folder):
    def run(file):
        answer(*RUN, "--input", f"x={file}", "--output", "y.npy")
        return np.load(folder / "y.npy")

    return run


def test_arrays_come_in_c_order_and_in_fortran_order(scaled, folder):
    values = np.random.default_rng(1).standard_normal((4, 3)).astype(np.float32)
    np.save(folder / "c.npy", values)
    np.save(folder / "fortran.npy", np.asfortranarray(values))
    for file in ("c.npy", "fortran.npy"):
        np.testing.assert_array_equal(scaled(file), values * FACTORS)


@pytest.mark.parametrize("pack", [np.savez, np.savez_compressed])
def test_a_npz_file_gives_the_array_with_the_inputs_name(scaled, folder, pack):
    pack(folder / "both.npz", other=np.zeros(9), x=np.ones((2, 3), np.float32))
    np.testing.assert_array_equal(scaled("both.npz"), [FACTORS] * 2)


def test_an_empty_batch_gives_an_empty_result(scaled, folder):
    np.save(folder / "empty.npy", np.zeros((0, 3), np.float32))
    assert scaled("empty.npy").shape == (0, 3)


def test_what_is_not_finite_is_computed_with_and_counted(answer, folder):
    np.save(folder / "odd.npy", np.array([[np.nan, 1, np.inf]], np.float32))
    assert "min 2  max 2 at 1  mean 2  not finite: 2" in answer(*RUN, "--input", "x=odd.npy")


def test_a_file_name_may_have_an_equals_sign(scaled, folder):
    np.save(folder / "a=b.npy", np.ones((1, 3), np.float32))
    np.testing.assert_array_equal(scaled("a=b.npy"), [FACTORS])


@pytest.mark.parametrize("words, part", [
    ([], "input 'x' is missing: give --input x=FILE, or --random-inputs SEED"),
    (["--input", "x"], "--input wants NAME=FILE, not 'x'"), (["--input", "x="], "--input wants NAME=FILE"),
    (["--input", "=x.npy"], "--input wants NAME=FILE"),
    (["--input", "z=x.npy"], "the model has no input 'z'; it has x"),
    (["--input", "x=x.npy", "--input", "x=x.npy"], "--input gives 'x' twice"),
    (["--input", "x=x.npy", "--shape", "N=2"], "--shape is for --random-inputs"),
    (["--random-inputs", "1", "--shape", "M=2"], "--shape M: no input and no symbolic dim"),
    (["--random-inputs", "1", "--shape", "N=-2"], "'-2' is no list of extents")])
def test_options_that_make_no_sense_are_wrong_use(refused, words, part):
    assert part in refused(2, *RUN, *words)


@pytest.mark.parametrize("file, part", [
    ("missing.npy", "missing.npy: No such file"), ("missing.npz", "missing.npz: No such file"),
    ("missing.pb", "missing.pb: cannot open it: No such file"), ("folder.npy", "folder.npy: is a folder"),
    ("x.txt", "x.txt: is none of .npy, .npz, .pb, .png, .jpg"), ("words.npy", "words.npy: is not a .npy file"),
    ("words.npz", "words.npz: is not a .npz file, or damaged"), ("words.pb", "words.pb: not an ONNX tensor"),
    ("words.png", "an image fits f32 inputs of rank 4 only, which 'x' is not"),
    ("short.npy", "shape and type need 24 bytes, the file holds 19"), ("header.npy", "ends within the .npy header"),
    ("short.npz", "short.npz: is not a .npz file, or damaged"), ("other.npz", "has no array 'x'; it has foo, bar"),
    ("big_endian.npy", "elements of type '>f4' are not supported"),
    ("double.npy", "input 'x' is f64, the model wants f32"), ("flat.npy", "input 'x' has rank 1, the model wants 2"),
    ("wide.npy", "input 'x': dim 1 is 4, the model wants 3")])
def test_a_file_that_cannot_serve_is_told_in_one_sentence(refused, folder, file, part):
    whole = (folder / "x.npy").read_bytes()
    np.savez(folder / "other.npz", foo=np.zeros(2), bar=np.zeros(2))
    for name, array in {"big_endian": np.zeros((2, 3), ">f4"), "double": np.zeros((2, 3)),
                        "flat": np.zeros(3, np.float32), "wide": np.zeros((2, 4), np.float32)}.items():
        np.save(folder / f"{name}.npy", array)
    (folder / "short.npy").write_bytes(whole[:-5])
    (folder / "header.npy").write_bytes(whole[:40])
    (folder / "short.npz").write_bytes((folder / "other.npz").read_bytes()[:200])
    (folder / "folder.npy").mkdir()
    for ending in ("npy", "npz", "pb", "png"):
        (folder / f"words.{ending}").write_text("these are words")
    assert part in refused(1, *RUN, "--input", f"x={file}")


@pytest.mark.parametrize("model, shape, part", [
    ("scale", "N=999999999999999", "no memory for f32[999999999999999, 3], 11999999999999988 bytes"),
    ("scale", "x=999999999999999999x3", "no memory for f32[999999999999999999, 3]"),
    ("noshape", "x=99999999x99999999x99999999", "more than 2^63 - 1 elements"),
    ("noshape", "x=1x1x1x1x1x1x1x1x1", "rank is beyond the limit of 8"),
    ("scale", "x=2x3x4", "input 'x' has rank 3, the model wants 2")])
def test_absurd_shapes_are_refused(refused, model, shape, part):
    assert part in refused(1, "run", f"{model}.onnx", "--device", "reference", "--random-inputs", "1", "--shape", shape)


def test_random_inputs_are_the_same_for_the_same_seed(answer, folder):
    def outputs(seed):
        answer(*RUN, "--random-inputs", seed, "--shape", "N=5", "--output", "y.npy")
        return np.load(folder / "y.npy")

    first = outputs("7")
    np.testing.assert_array_equal(first, outputs("7"))
    assert first.shape == (5, 3) and (first != outputs("8")).any()
    assert (np.abs(first) < FACTORS).all()


def test_a_picture_is_read_as_the_network_was_trained(answer, digits, root, folder):
    picture = root / "samples/models/digit_2_is_7.png"
    answer("run", digits, "--device", "reference", "--input", f"image={picture}", "--output", "p.npy")
    # 8-bit pixels instead of 17 grey levels: near the expected values, not equal
    want = np.load(root / "samples/models/digits_expected.npy")[2]
    np.testing.assert_allclose(np.load(folder / "p.npy")[0], want, atol=5e-3)
    (folder / "copy.PNG").write_bytes(picture.read_bytes())
    assert "at 7" in answer("run", digits, "--device", "reference", "--input", "image=copy.PNG")


@pytest.mark.parametrize("status, file, words, part", [
    (2, "digit_2_is_7.png", ["--std", "0"], "--std has a 0"),
    (2, "digit_2_is_7.png", ["--mean", "0.1,0.2,0.3"], "--mean has 3 values, the image has 1 channel"),
    (1, "digit_2_is_7.png", ["--layout", "nhwc"], "the input has 8 channels, images have 1 or 3"),
    (1, "digits.onnx.png", [], "digits.onnx.png: No such file"),
    (1, "words.png", [], "words.png: is not a PNG or JPEG image")])
def test_a_picture_that_cannot_serve_is_told_in_one_sentence(refused, digits, root, folder, status, file, words, part):
    (folder / "words.png").write_text("these are words")
    path = root / "samples/models" / file if file.startswith("digit_") else file
    assert part in refused(status, "run", digits, "--device", "reference", "--input", f"image={path}", *words)
