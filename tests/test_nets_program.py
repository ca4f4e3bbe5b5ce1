"""Training as a program: the same numbers, and a network to take away."""

from __future__ import annotations

import runpy

import numpy as np
import pytest

from minitensor import cross_entropy
from nets import Conv2d, Dense, Dropout, Flatten, Module, ReLU, Sequential, digits, evaluate, export, fit, save
from nets.__main__ import main
from nets.models.lecture import lenet

from .checks import raises, same


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


@pytest.mark.parametrize("training", [False, True])
def test_an_exported_network_is_the_network(tmp_path, training):
    """The file and its weights, executed without the engine; layers have their names in it."""
    model, rng = small(), np.random.default_rng(1)
    text = str(export(model, tmp_path / "net.py", (1, 8, 8), training=training, batch_size=4))
    assert "C1 = conv(images, C1_weight, C1_bias" in text
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
