"""The command line, and the pictures and tables that it makes."""

from __future__ import annotations

import base64
import io
import math
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import nets
from minitensor import Tensor
from nets import (
    Dense,
    Examples,
    Flatten,
    Module,
    Sequential,
    save,
)
from nets.__main__ import RECIPES, main
from nets.data.examples import INK, PAPER
from nets.training import effort
from nets.training.png import decode, encode

from .checks import raises, same
from .strategies import rngs
from .test_nets_data import write_set
from .test_nets_train import small_data


def test_the_command_line_trains_resumes_and_evaluates(tmp_path, capsys):
    file = tmp_path / "model.npz"
    options = ["train", "--epochs", "1", "--no-distort", "--checkpoint", str(file)]
    assert main(options) == 0
    trained = capsys.readouterr().out
    assert main([*options, "--resume"]) == 0
    assert capsys.readouterr().out == trained
    assert main(["evaluate", "--checkpoint", str(file)]) == 0
    assert capsys.readouterr().out == trained.splitlines(keepends=True)[0]
    for picture in ("model.curve.svg", "model.confusion.svg"):
        assert (tmp_path / picture).read_text(encoding="utf-8").startswith("<svg")


def test_the_command_line_says_what_is_wrong(tmp_path, capsys):
    file = tmp_path / "model.npz"
    file.write_bytes(b"nothing of the kind")
    assert main(["evaluate", "--checkpoint", str(file)]) == 1
    assert f"cannot load {file}" in capsys.readouterr().err
    assert main(["train", "--data", str(tmp_path / "none")]) == 1
    assert "train-images" in capsys.readouterr().err
    for option, value in ("--epochs", "0"), ("--batch-size", "-1"), ("--seed", "-2"), ("--seed", "x"):
        with raises(SystemExit, "2"):
            main(["train", option, value])
        error = capsys.readouterr().err
        assert option in error and value in error


@pytest.mark.parametrize("classes", [3, 27])
def test_the_command_line_learns_as_many_classes_as_there_are(tmp_path, capsys, classes):
    """lenet gets an output for each label, as in EMNIST's letters; lenet5 has codes for ten, and says so."""
    rng = np.random.default_rng(0)
    folder = tmp_path / "letters"
    write_set(folder, rng.integers(0, 256, (30, 4, 4), np.uint8), np.arange(30, dtype=np.uint8) % classes)
    options = ["--data", str(folder), "--checkpoint", str(tmp_path / "model.npz")]
    assert main(["train", "--epochs", "1", *options]) == 0
    assert main(["evaluate", *options]) == 0
    capsys.readouterr()
    status = main(["train", "--epochs", "1", "--model", "lenet5", *options])
    assert status == (classes > 10) and ("27 classes" in capsys.readouterr().err) == (classes > 10)


@pytest.mark.parametrize("name", RECIPES)
@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_the_learning_rate_grows_with_the_batch_up_to_a_limit(name, one, other):
    """In proportion, where the limit is not reached; 64 images have the rate that the recipe names."""
    recipe = RECIPES[name]
    fewer, more = sorted((one, other))
    assert recipe.rate(fewer) <= recipe.rate(more) <= recipe.most and recipe.rate(64) == recipe.learning_rate
    if recipe.rate(more) < recipe.most:
        assert math.isclose(recipe.rate(more) / recipe.rate(fewer), more / fewer)


@pytest.mark.parametrize("batch_size", [64, 128, 99999])
def test_batches_of_any_size_learn_something(tmp_path, capsys, batch_size):
    """In 23 steps, the largest at the limit of the rate; more than the 256 images that there are count as these."""
    train, _ = nets.digits(size=28)
    write_set(
        tmp_path / "some", (200 * train.images[:256, 0] + 20).astype(np.uint8), train.labels[:256].astype(np.uint8)
    )
    epochs = math.ceil(23 * min(batch_size, 256) / 256)
    options = [
        "--batch-size",
        str(batch_size),
        "--epochs",
        str(epochs),
        "--no-distort",
        "--data",
        str(tmp_path / "some"),
    ]
    assert main(["train", *options, "--checkpoint", str(tmp_path / "model.npz")]) == 0
    assert float(capsys.readouterr().out.split("%")[0].split()[-1]) > 30


def test_a_training_that_diverges_is_an_error_and_leaves_no_checkpoint(tmp_path, capsys):
    file = tmp_path / "model.npz"
    assert main(["train", "--epochs", "1", "--checkpoint", str(file), "--learning-rate", "1e30"]) == 1
    assert "try a smaller" in capsys.readouterr().err and not file.exists()


def test_a_network_that_has_learnt_nothing_is_told(tmp_path, capsys):
    """With zeros as weights, it takes every image for a 0."""
    model, file = nets.lenet(), tmp_path / "model.npz"
    model.replace({p: Tensor(p.data * 0) for p in model.parameters()})
    save(file, model)
    assert main(["evaluate", "--checkpoint", str(file)]) == 0
    assert "learnt nothing" in capsys.readouterr().err


def test_a_network_that_is_not_finite_is_not_reported_as_one(tmp_path, capsys):
    model, file = nets.lenet(), tmp_path / "model.npz"
    model.replace({p: Tensor(p.data * np.float32(np.nan)) for p in model.parameters()})
    save(file, model)
    assert main(["evaluate", "--checkpoint", str(file)]) == 1
    assert "diverged" in capsys.readouterr().err


@given(st.lists(st.integers(1, 20), min_size=1, max_size=2, unique=True), st.integers(1, 2))
def test_efforts_are_trainings_from_the_beginning(counts, epochs):
    """Each is what it would be by itself, and has a row and a place in the picture."""
    train, test = small_data(20), small_data(7)

    def build() -> Module:
        return Sequential(Flatten(), Dense(64, 10, rng=np.random.default_rng(0)))

    together = nets.efforts(build, train, test, counts, [epochs, epochs + 1])
    alone = [nets.efforts(build, train, test, [count], [n])[0] for count in counts for n in (epochs, epochs + 1)]
    assert [e._replace(seconds=0) for e in together] == [e._replace(seconds=0) for e in alone]
    assert len(effort.table(together).splitlines()) == 2 + 2 * len(counts)
    assert effort.picture(together).count("<polyline") == 2
    for wrong in 0, 21:
        with raises(ValueError, f"counts (=[{wrong}])", "20"):
            nets.efforts(build, train, test, [wrong])


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=5), st.booleans())
def test_a_learning_curve_stays_inside_its_picture(errors, tested):
    epochs = [nets.Epoch(nets.Score(1.0, a), nets.Score(1.0, b) if tested else None, 1.0) for a, b in errors]
    picture = nets.learning_curve(epochs)
    lines = [line for line in picture.splitlines() if line.startswith("<polyline")]
    assert len(lines) == 1 + tested
    for line in lines:
        points = [tuple(map(float, point.split(","))) for point in line.split('"')[1].split()]
        assert len(points) == len(errors)
        assert all(60 <= x <= 540 and 20 <= y <= 280 for x, y in points)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=20), st.integers(0, 5))
def test_a_confusion_shows_each_mistake_with_its_image(pairs, most):
    labels, answers = (np.array([pair[i] for pair in pairs], int) for i in (0, 1))
    picture = nets.confusion(Examples(np.zeros((len(pairs), 1, 4, 4), np.float32), labels), answers, most=most)
    wrong = int((labels != answers).sum())
    assert f"{wrong} of {len(pairs)} wrong" in picture
    assert picture.count("<image") == min(wrong, most)


def shown(picture):
    """The pixels of the images in a picture, as Pillow reads them."""
    files = re.findall(r"base64,([^\"]*)", picture)
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(file)))) for file in files]


@given(rngs)
def test_a_confusion_shows_photographs_in_their_colours_and_digits_as_ink_on_paper(rng):
    """Colours are stretched to what the screen can show, ink is black."""
    pixels = rng.integers(0, 256, (1, 3, 4, 5)).astype(np.uint8)
    pixels[0, :, 0, 0], pixels[0, :, 0, 1] = 0, 255
    labels, answers = np.array([1]), [2]
    (photograph,) = shown(nets.confusion(Examples(pixels / 63 - 2, labels), answers))
    same(photograph, pixels[0].transpose(1, 2, 0))
    (digit,) = shown(nets.confusion((pixels[:, :1] / 255 * (INK - PAPER) + PAPER, labels), answers))
    same(digit, 255 - pixels[0, 0])
    (plain,) = shown(nets.confusion((np.full((1, 3, 2, 2), rng.normal()), labels), answers))
    assert not plain.any()
    with raises(ValueError, (1, 2, 4, 5)):
        nets.confusion(Examples(pixels[:, :2], labels), answers)


@given(st.integers(1, 20), st.integers(1, 12))
def test_all_of_a_confusion_lies_on_its_sheet(wrong, classes):
    labels, answers = np.zeros(wrong, int), np.full(wrong, classes)
    root = ET.fromstring(nets.confusion(Examples(np.zeros((wrong, 1, 4, 4), np.float32), labels), answers))
    width, height = float(root.get("width")), float(root.get("height"))
    for part in root:
        if part.get("width") != "100%":
            right, low = (float(part.get(name, 0)) for name in ("width", "height"))
            assert 0 <= float(part.get("x")) <= width - right and 0 <= float(part.get("y")) <= height - low


@given(rngs, st.integers(1, 40), st.integers(1, 40), st.integers(1, 3), st.booleans())
def test_a_picture_is_read_as_it_was_written(rng, height, width, scale, colour):
    """In 256 greys, colours as bright as they are."""
    grey = rng.integers(0, 256, (height, width)) / 255
    read = decode(encode(np.stack([grey] * 3, axis=-1) if colour else grey, scale))
    np.testing.assert_allclose(read, grey.repeat(scale, 0).repeat(scale, 1), atol=1e-12)


def test_what_is_reported_is_what_is_right(tmp_path, capsys):
    model, (_, test) = nets.lenet(seed=4), nets.digits(size=32)
    save(tmp_path / "model.npz", model)
    assert main(["evaluate", "--checkpoint", str(tmp_path / "model.npz")]) == 0
    right = int((nets.predict(model, test.images) == test.labels).sum())
    assert f"{right / 359:.2%} right ({right} of 359 held-out images)" in capsys.readouterr().out


@given(st.integers(0, 30), st.integers(0, 30))
def test_a_confusion_has_as_many_classes_as_are_named(label, answer):
    """And ten at least; with fewer than are named it is refused."""
    data, answers = Examples(np.zeros((1, 1, 4, 4), np.float32), np.array([label])), np.array([answer])
    largest = max(label, answer)
    assert nets.confusion(data, answers).count("<rect") == 1 + max(10, largest + 1) ** 2
    with raises(ValueError, f"up to {largest}", f"{largest} classes"):
        nets.confusion(data, answers, classes=largest)
    for labels, taken in ((data.labels, -1 - answers), (-1 - data.labels, answers)):
        with raises(ValueError, "begin at 0", -1 - (answer if taken is not answers else label)):
            nets.confusion(Examples(data.images, labels), taken)
