"""Training as a program: the same numbers, and a network to take away."""

from __future__ import annotations

import re
import runpy
from copy import deepcopy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minitensor as mt
import nets
from minitensor import Tensor, cross_entropy, gradients
from minitensor.fast import cores
from nets import (
    Conv2d,
    Dense,
    Dropout,
    Flatten,
    GlobalAvgPool,
    Module,
    ReLU,
    Sequential,
    digits,
    evaluate,
    export,
    fit,
    save,
)
from nets.__main__ import MODELS, RECIPES, main
from nets.models.lecture import lenet

from .checks import raises, same
from .strategies import dtypes, rngs
from .test_cores import all_of, blas_with, on
from .test_program import near

LINE, IMAGE, BLOCK = (2, 6), (2, 6, 6), (2, 3, 4, 4)  # inputs, without the batch axis
LAYERS = [
    *[(layer, IMAGE) for layer in (
        nets.Conv2d(2, 4, 3, padding=1, groups=2), nets.ConvTranspose2d(2, 3, 3, stride=2, output_padding=1),
        nets.LocallyConnected2d(2, 3, 6, 3), nets.TiledConv2d(2, 3, 3, tiles=2), nets.LiftingConv2d(2, 2, 3),
        nets.Subsampling(2, 2), nets.TableConv2d(2, [(0,), (0, 1)], 3), nets.Residual(nets.Conv2d(2, 2, 1)),
        nets.MaxPool2d(2), nets.AvgPool2d(3, 1), nets.LPPool2d(2), nets.WeightedAvgPool2d(3), nets.GlobalAvgPool(),
        nets.BatchNorm2d(2), nets.LayerNorm((6, 6)), nets.LocalResponseNorm(2), nets.Maxout(2), nets.Flatten(),
    )],
    *[(layer, LINE) for layer in (
        nets.Conv1d(2, 4, 3, padding="same"), nets.ConvTranspose1d(2, 3, 3, stride=2), nets.Dense(6, 3),
        nets.LocallyConnected1d(2, 3, 6, 3), nets.TiledConv1d(2, 3, 3, tiles=2),
        nets.MaxPool1d(2), nets.AvgPool1d(3, 1), nets.LPPool1d(2), nets.WeightedAvgPool1d(3),
        nets.BatchNorm1d(2, momentum=0.5), nets.Dropout(0.25), nets.ReLU(), nets.LeakyReLU(), nets.GELU(),
        nets.Softplus(), nets.Sigmoid(), nets.Tanh(), nets.Identity(), nets.Softmax(), nets.LogSoftmax(),
    )],
    *[(layer, BLOCK) for layer in (nets.Conv3d(2, 3, 2), nets.MaxPool3d(2), nets.AvgPool3d(2))],
    *[(layer, (2, 4, 6, 6)) for layer in (nets.GroupConv2d(2, 2, 3), nets.GroupMaxPool())],
    (nets.RadialBasis(np.ones((3, 6))), (6,)),
]  # fmt: skip
GENERAL = {nets.Module, nets.Sequential, nets.Function}


def test_every_layer_is_tried():
    """The list above has one of each kind."""
    kinds = {kind for kind in vars(nets).values() if isinstance(kind, type) and issubclass(kind, Module)}
    assert {type(layer) for layer, _ in LAYERS} == kinds - GENERAL


@pytest.mark.parametrize("layer, shape", LAYERS, ids=lambda part: type(part).__name__)
@settings(max_examples=5)
@given(rngs, dtypes, st.booleans())
def test_a_layer_and_its_program_agree(layer, shape, rng, dtype, training):
    """In training and in use: the output, the gradients, and what the layer remembers, step after step."""

    def step_of(model):
        def step(x, seed):
            y = model(x)
            return [y, *gradients(y, [x, *model.parameters()], seed)]

        return step

    models = [deepcopy(layer).astype(dtype).train(training) for _ in range(2)]
    if isinstance(layer, Dropout):
        for model in models:
            model.reseed(np.random.default_rng(7))
    engine, program = step_of(models[0]), mt.compiled(step_of(models[1]))
    for n in (3, 4, 3):
        x = Tensor(rng.normal(size=(n, *shape)).astype(dtype))
        with models[0].in_use():
            seed = rng.normal(size=models[0](x).shape).astype(dtype)
        for found, expected in zip(program(x, seed), engine(x, Tensor(seed)), strict=True):
            near(found, expected.data)
        for found, expected in zip(*[model.state_dict().values() for model in models], strict=True):
            near(found, expected)
    assert len(program.programs) == 2  # one for each size of the batch, whatever is remembered


def small(seed=0):
    rng = np.random.default_rng(seed)
    return Sequential(C1=Conv2d(1, 3, 3, stride=2, rng=rng), relu=ReLU(), flat=Flatten(), drop=Dropout(0.25, rng=rng),
                      out=Dense(27, 10, rng=rng))  # fmt: skip


def examples(n=100):
    train, test = digits()
    return train._replace(images=train.images[:n], labels=train.labels[:n]), test


def test_a_fit_as_a_program_has_the_same_numbers():
    """Bit for bit, dropout included, and so has an evaluation."""
    train, test = examples()
    models = [small(), small()]
    scores = []
    for model, compiled in zip(models, (True, False), strict=True):
        epochs = fit(model, train, epochs=2, batch_size=32, test=test, progress=False, compiled=compiled)
        scores.append(([(e.train, e.test) for e in epochs], evaluate(model, test, batch_size=20, compiled=compiled)))
    assert scores[0] == scores[1]
    for a, b in zip(*[model.parameters() for model in models], strict=True):
        same(a, b)


def test_a_residual_network_learns_as_a_program(capsys):
    """Batch normalization remembers the same, and nothing is left to the engine."""
    rng = np.random.default_rng(0)
    data = nets.Examples(rng.normal(size=(20, 3, 32, 32)).astype(np.float32), rng.integers(0, 10, 20))
    models = [nets.resnet(blocks=1), nets.resnet(blocks=1)]
    for model, compiled in zip(models, (True, False), strict=True):
        fit(model, data, epochs=2, batch_size=10, test=data, compiled=compiled)
        assert "not as a program" not in capsys.readouterr().err
    for a, b in zip(*[model.state_dict().values() for model in models], strict=True):
        same(a, b)


@pytest.mark.parametrize("compiled", [True, False])
def test_training_needs_no_variable_to_use_all_cores(compiled):
    """While it runs BLAS keeps to one thread, and long sums are spread over the cores; afterwards all is as before."""
    train, _ = examples(20)
    threads, seen = [4], set()

    def loss(output, labels):
        seen.add((threads[0], cores._cores))
        return cross_entropy(output, labels)

    with blas_with(threads), on(None), all_of(3):
        for learning in (lambda m: fit(m, train, epochs=1, progress=False, loss=loss, compiled=compiled),
                         lambda m: evaluate(m, train, loss=loss, batch_size=1, compiled=compiled)):  # fmt: skip
            learning(small())
            assert seen == {(1, 3)} and threads == [4] and cores._cores is None
            seen.clear()


@pytest.mark.parametrize("name", RECIPES)
def test_every_network_of_the_command_learns_as_a_program(name, capsys):
    """With its own loss, and the same numbers as in the engine."""
    (build, image), recipe = MODELS[name], RECIPES[name]
    rng = np.random.default_rng(0)
    data = nets.Examples(rng.normal(size=(6, *image)).astype(np.float32), rng.integers(0, 10, 6))
    how = {"loss": recipe.loss, "decide": recipe.decide, "batch_size": 3, "epochs": 1}
    models = [build(seed=0), build(seed=0)]
    for model, compiled in zip(models, (True, False), strict=True):
        fit(model, data, optimizer=nets.SGD(model, recipe.rate(3)), compiled=compiled, **how)
        assert "not as a program" not in capsys.readouterr().err
    for a, b in zip(*[model.state_dict().values() for model in models], strict=True):
        same(a, b)


class Counting(Module):
    """Counts its calls, which no program does."""

    def __init__(self):
        self.calls, self.dense = 0, Dense(64, 10, rng=np.random.default_rng(0))

    def forward(self, x):
        self.calls += 1
        return self.dense(x.reshape(len(x), 64))


def test_a_model_without_a_program_is_left_to_the_engine(capsys):
    """As if it had never been asked for one, and the progress bar says so."""
    train, _ = examples()
    models = [Counting(), Counting()]
    for model, compiled in zip(models, (True, False), strict=True):
        fit(model, train, epochs=1, batch_size=50, compiled=compiled)
        assert ("not as a program: step cannot be compiled" in capsys.readouterr().err) == compiled
    assert models[0].calls == models[1].calls == 2
    same(models[0].dense.weight, models[1].dense.weight)


def test_a_fit_with_too_many_shapes_goes_on_in_the_engine(capsys):
    """With the same numbers, and the progress bar says so."""
    train, _ = examples(70)
    models = [Sequential(GlobalAvgPool(), Dense(1, 10, rng=np.random.default_rng(0))) for _ in range(2)]
    for model, compiled in zip(models, (True, False), strict=True):
        fit(
            model,
            train,
            epochs=1,
            batch_size=1,
            compiled=compiled,
            distort=lambda images, rng: np.resize(images, (1, 1, 8, int(rng.integers(1, 10**6)) % 1000 + 1)),
        )
        assert ("not as a program: step was traced 64 times" in capsys.readouterr().err) == compiled
    same(models[0].parameters()[0], models[1].parameters()[0])


@pytest.mark.parametrize("training", [False, True])
def test_an_exported_network_is_the_network(tmp_path, training):
    """The file and its weights, executed without the engine; layers have their names in it."""
    model, rng = small(), np.random.default_rng(1)
    text = str(export(model, tmp_path / "net.py", (1, 8, 8), training=training, batch_size=4))
    assert "C1 = conv(images, C1_weight, C1_bias" in text and " @ out_weight.T + out_bias" in text
    assert bool(re.search(r"d_out_weight = d_out\.T @ drop|= drop\.T @ d_out", text)) == training  # the second: plainly
    assert model.training
    taken = runpy.run_path(str(tmp_path / "net.py"))
    images, labels = rng.normal(size=(4, 1, 8, 8)).astype(np.float32), np.arange(4)
    model.eval()
    if not training:
        found = taken["program"](images, **taken["load"]())
        np.testing.assert_allclose(found, model(images).data, rtol=1e-4, atol=1e-5)
        return
    loss, *new = taken["program"](images, labels, np.float32(0.01), **taken["load"]())
    assert len(new) == len(model.parameters()) and np.isfinite(loss)
    model.load_state_dict(dict(zip(model.state_dict(), new, strict=True)))
    assert cross_entropy(model(images), labels).item() < cross_entropy(small().eval()(images), labels).item()


def test_an_exported_step_moves_what_batch_normalization_remembers(tmp_path):
    """It is among the weights, after those that are learnt."""
    model, rng = Sequential(Flatten(), norm=nets.BatchNorm1d(4), out=Dense(4, 3)), np.random.default_rng(1)
    text = str(export(model, tmp_path / "net.py", (1, 2, 2), training=True, batch_size=5, classes=3))
    *_, beside, update = text.split("\n    # ")
    assert beside.startswith("beside the loss") and "new_norm_running_var = " in beside
    assert update.startswith("update") and "new_norm_scale = norm_scale - rate * d_norm_scale " in update
    taken = runpy.run_path(str(tmp_path / "net.py"))
    weights, images = taken["load"](), rng.normal(size=(5, 1, 2, 2)).astype(np.float32)
    assert list(weights)[-2:] == ["norm_running_mean", "norm_running_var"]
    for _ in range(2):
        _, *new = taken["program"](images, np.arange(5) % 3, np.float32(0), **weights)
        weights = dict(zip(weights, new, strict=True))
        model(images)
    near(weights["norm_running_mean"], model.norm.running_mean)
    near(weights["norm_running_var"], model.norm.running_var)


def test_the_command_exports_what_train_has_kept(tmp_path, capsys):
    """python -m nets export FILE.npz --out net.py"""
    model = lenet(seed=3)
    save(tmp_path / "lenet.npz", model)
    assert main(["export", str(tmp_path / "lenet.npz"), "--out", str(tmp_path / "net.py")]) == 0
    assert "its weights are beside it" in capsys.readouterr().out
    taken = runpy.run_path(str(tmp_path / "net.py"))
    image = np.random.default_rng(0).normal(size=(1, 1, 32, 32)).astype(np.float32)
    np.testing.assert_allclose(taken["program"](image, **taken["load"]()), model(image).data, rtol=1e-4, atol=1e-5)
    assert main(["export", str(tmp_path / "lenet.npz"), "--out", str(tmp_path / "net.txt")]) == 1
    with raises(ValueError, ".py"):
        export(model, tmp_path / "net.txt", (1, 32, 32))


class Colliding(Module):
    """Parameters whose names are one and the same in Python, or those of what the program is handed."""

    def __init__(self):
        self.a, self.a_b, self.images, self.labels, self.rate = Dense(4, 3), *[Tensor(np.full(3, n)) for n in range(4)]
        self.a.b = Tensor(np.full(3, 0.5))

    def forward(self, x):
        return self.a(x.reshape(-1, 4)) + (self.a.b - self.a_b) * self.images + self.labels * self.rate


@pytest.mark.parametrize("training", [False, True])
def test_names_that_collide_are_told_apart_in_an_exported_network(tmp_path, training):
    """And the weights beside it have the names that its program asks for."""
    model, images, labels = Colliding(), np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32), np.arange(3)
    export(model, tmp_path / "net.py", (4,), training=training, batch_size=3, classes=3)
    taken = runpy.run_path(str(tmp_path / "net.py"))
    others = (labels, np.float32(0.1)) if training else ()
    result = taken["program"](images, *others, **taken["load"]())
    scores = model(images)
    near(result[0] if training else result, (cross_entropy(scores, labels) if training else scores).data)


def test_the_classes_of_an_exported_network_are_those_it_learnt(tmp_path, capsys):
    """lenet5 has codes for ten."""
    save(tmp_path / "kept.npz", lenet(3))
    options = ["export", str(tmp_path / "kept.npz"), "--out", str(tmp_path / "net.py"), "--classes", "3"]
    assert main(options) == 0
    taken = runpy.run_path(str(tmp_path / "net.py"))
    assert taken["program"](np.zeros((1, 1, 32, 32), np.float32), **taken["load"]()).shape == (1, 3)
    save(tmp_path / "kept.npz", nets.lenet5())
    capsys.readouterr()
    assert main([*options, "--model", "lenet5"]) == 1 and "not for 3 classes" in capsys.readouterr().err


@pytest.mark.parametrize("name", RECIPES)
def test_a_step_of_every_network_of_the_command_is_exported(name, tmp_path):
    """python -m nets export FILE.npz --model NAME --training: the loss that the network learns by."""
    build, image = MODELS[name]
    model, rng = build(seed=2), np.random.default_rng(0)
    save(tmp_path / "kept.npz", model)
    out = str(tmp_path / "net.py")
    options = ["--model", name, "--training", "--batch-size", "2", "--out", out]
    assert main(["export", str(tmp_path / "kept.npz"), *options]) == 0
    images, labels = rng.normal(size=(2, *image)).astype(np.float32), np.array([3, 7])
    taken = runpy.run_path(out)
    loss = taken["program"](images, labels, np.float32(0.01), **taken["load"]())[0]
    np.testing.assert_allclose(loss, RECIPES[name].loss(model(images), labels).item(), rtol=1e-4)
