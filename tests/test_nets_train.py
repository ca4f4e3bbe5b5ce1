"""Training: repeatable, interruptible, resumable, parallel; and files that cannot do harm."""

from __future__ import annotations

import copy
import functools
import itertools
import math
import os
import shutil
import signal
import subprocess
import sys
import threading
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minitensor as mt
import nets
from minitensor import Tensor, no_grad
from nets import (
    SGD,
    Adam,
    Dense,
    Examples,
    Flatten,
    Module,
    Sequential,
    digits,
    effort,
    evaluate,
    fit,
    learn,
    load,
    predict,
    save,
)
from nets.__main__ import RECIPES, main
from nets.parallel import MPIWorkers, WorkerError
from nets.runs import described

from .checks import raises, same
from .test_nets_data import write_set


def small_model(seed: int = 0) -> Sequential:
    rng = np.random.default_rng(seed)
    layers = [nets.Conv2d(1, 2, 3, rng=rng), nets.BatchNorm2d(2), nets.ReLU(), Flatten(), nets.Dropout(0.2)]
    return Sequential(*layers, Dense(72, 10, rng=rng))


def small_data(n: int = 20) -> Examples:
    train, _ = digits()
    return Examples(train.images[:n], train.labels[:n])


def same_state(a, b) -> None:
    for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True):
        same(x, y)


# -- learning ----------------------------------------------------------------------------------------------------------


def test_lenet_learns_to_read():
    train, test = digits(size=32)
    model = nets.lenet()
    fit(model, train, epochs=6, progress=False)
    assert evaluate(model, test).accuracy > 0.95


def test_lenet5_learns_with_its_own_loss():
    train, test = digits(size=32)
    model = nets.lenet5()
    optimizer = SGD(model, 0.004, momentum=0.9, nesterov=True)
    fit(model, train, epochs=8, optimizer=optimizer, loss=nets.map_criterion, decide=np.argmin, progress=False)
    assert evaluate(model, test, loss=nets.map_criterion, decide=np.argmin).accuracy > 0.9


@given(st.integers(1, 8), st.integers(0, 3))
def test_the_same_seed_gives_the_same_numbers_to_the_last_bit(batch_size, seed):
    models, histories = [small_model(), small_model()], []
    for model in models:
        options = {"batch_size": batch_size, "seed": seed, "distort": nets.distort, "progress": False}
        histories.append(fit(model, small_data(), epochs=2, **options))
    same_state(*models)
    assert [epoch.train for epoch in histories[0]] == [epoch.train for epoch in histories[1]]


@given(st.integers(0, 9))
def test_an_error_in_a_distortion_reaches_the_user_as_itself(step):
    """Those before it have been learnt from, and Ctrl-C does what it did."""
    calls, error, learnt = itertools.count(), ArithmeticError("of the user's own"), []

    def distort(images, rng):
        if next(calls) == step:
            raise error
        return images

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(ArithmeticError) as caught:
        fit(small_model(), small_data(), epochs=2, batch_size=4, schedule=lambda p: learnt.append(p) or 1.0,
            distort=distort, progress=False)  # fmt: skip
    assert caught.value is error and len(learnt) == step
    assert signal.getsignal(signal.SIGINT) is before


@given(st.integers(1, 4), st.integers(1, 30))
def test_a_schedule_is_asked_once_a_step_from_0_on(epochs, batch_size):
    asked = []

    def schedule(progress):
        asked.append(progress)
        return 1.0

    fit(small_model(), small_data(), epochs=epochs, batch_size=batch_size, schedule=schedule, progress=False)
    steps = epochs * math.ceil(20 / batch_size)
    assert asked == [step / steps for step in range(steps)]


@given(st.integers(1, 30), st.integers(1, 12))
def test_the_score_does_not_depend_on_the_batches(n, batch_size):
    data, model = small_data(n), small_model().eval()
    score, whole = evaluate(model, data, batch_size=batch_size), evaluate(model, data, batch_size=n)
    assert math.isclose(score.loss, whole.loss, rel_tol=1e-5) and score.accuracy == whole.accuracy
    assert score.accuracy == np.mean(predict(model, data.images, batch_size=batch_size) == data.labels)


def test_a_loss_that_is_not_finite_stops_and_changes_nothing():
    """One error that says what to do, and no warnings (which are errors in tests) on the way there."""
    model, data = Sequential(Flatten(), Dense(64, 10)), small_data()
    before = model.state_dict()
    for loss in (lambda y, labels: (y * y).sum() * math.inf, lambda y, labels: (abs(y) * 1e30 * 1e30).sum()):
        with raises(ValueError, "inf", "0.5", "smaller"):
            learn(model, SGD(model, 0.5), *data, loss=loss)
    for name, array in model.state_dict().items():
        same(array, before[name])


def test_a_step_that_is_refused_leaves_the_running_means_alone():
    """What batch normalization has seen of a batch whose loss is not finite is forgotten."""
    model = Sequential(nets.BatchNorm2d(1), Flatten(), Dense(64, 10))
    images, labels = small_data()
    before = {name: array.copy() for name, array in model.state_dict().items()}
    with raises(ValueError, "nan"):
        learn(model, SGD(model, 0.5), np.full_like(images, np.nan), labels)
    for name, array in model.state_dict().items():
        same(array, before[name])


def test_a_gradient_that_is_not_finite_stops_and_changes_nothing():
    """The loss is finite here, and its derivative at 0 is not: one error, without a warning."""
    model, data = Sequential(Flatten(), Dense(64, 10)), small_data()
    before = model.state_dict()
    model.load_state_dict({name: array * 0 for name, array in before.items()})
    with raises(ValueError, "1.weight", "smaller rate"):
        learn(model, SGD(model, 0.5), *data, loss=lambda y, labels: (y * y).sum().sqrt())
    assert not any(array.any() for array in model.state_dict().values())


class Breaks(Module):
    """Something that is learnt becomes nan at some step, or what is computed in use does from then on."""

    def __init__(self, what: str, step: int) -> None:
        self.dense = Dense(64, 10, rng=np.random.default_rng(0))
        self.mask, self.mean = np.array([-np.inf, 0.0]), np.zeros(1)  # the first is a constant
        self._what, self._left, self._broken = what, step, False

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            self._left -= 1
            self._broken = self._broken or self._left < 0
        if self._broken and self._what == "mean":
            self.mean = np.array([np.nan])
        y = self.dense(x.reshape(x.shape[0], -1))
        return y * np.float32(np.nan) if self._broken and self._what == "test" and not self.training else y


@pytest.mark.parametrize("what", ["mean", "test"])
@given(st.integers(0, 11))
def test_an_epoch_that_is_not_finite_is_never_saved(tmp_path_factory, what, step):
    """The checkpoint is that of the epoch before, as if it had been the last; and the error says what is wrong."""
    file = tmp_path_factory.mktemp("run") / "model.npz"
    options = {"batch_size": 6, "test": small_data(7), "schedule": nets.constant, "progress": False}  # 4 steps an epoch
    with pytest.raises(ValueError, match="mean" if what == "mean" else "test loss of nan"):
        fit(Breaks(what, step), small_data(), epochs=3, checkpoint=file, **options)
    if step < 4:
        assert not file.exists()
    else:
        expected, saved = Breaks(what, 99), Breaks(what, 99)
        fit(expected, small_data(), epochs=step // 4, **options)
        load(file, saved)
        same_state(saved, expected)


def test_a_run_that_diverges_is_an_error_and_keeps_what_was_good(tmp_path):
    """At a rate that rises until nothing is finite: the checkpoint is that of the last epoch, and can be resumed."""
    file, rates = tmp_path / "model.npz", itertools.count()
    options = {"epochs": 3, "batch_size": 10, "checkpoint": file, "progress": False}

    @functools.wraps(nets.constant)
    def schedule(progress):
        return 1.0 if next(rates) < 2 else 1e38

    with raises(ValueError, "smaller"):
        fit(small_model(), small_data(), schedule=schedule, **options)
    assert len(fit(small_model(1), small_data(), schedule=nets.constant, resume=True, **options)) == 3


@given(st.integers(0, 19), st.sampled_from([np.nan, np.inf, -np.inf]), st.integers(0, 63))
def test_an_image_that_is_not_finite_is_named(number, value, pixel):
    """Before anything is learnt, in the examples and in the test; and in a batch, when a distortion has made it so."""
    data, model = small_data(), small_model()
    data.images.reshape(20, -1)[number, pixel] = value
    for name, options in (("learn from", {"data": data}), ("test with", {"data": small_data(3), "test": data})):
        with raises(ValueError, f"image {number} ", name, value):
            fit(model, **options, progress=False)
    with raises(ValueError, f"image {number} ", "evaluate with", value):
        evaluate(model, data)
    with raises(ValueError, f"image {number} of the batch", value):
        learn(model, SGD(model, 0.1), *data)
    same_state(model, small_model())


def test_a_model_with_nothing_to_learn_is_refused():
    with raises(ValueError, "nothing to learn"):
        fit(Sequential(Flatten()), small_data(), progress=False)


def test_learning_needs_the_optimizer_of_the_model():
    """That of a twin would change the twin; that of a model around the same parameters is as good."""
    model, twin, data = small_model(), small_model(), small_data()
    with raises(ValueError, "another model"):
        fit(model, data, optimizer=SGD(twin, 0.5), progress=False)
    same_state(model, small_model())
    same_state(twin, small_model())
    fit(model, data, epochs=1, optimizer=SGD(Sequential(model), 0.5), progress=False)
    assert any((a.data != b.data).any() for a, b in zip(model.parameters(), twin.parameters(), strict=True))


def test_learning_records_what_it_needs():
    """Within no_grad it learns the same."""
    model, twin, data = small_model(), small_model(), small_data()
    fit(model, data, epochs=1, progress=False)
    with no_grad():
        fit(twin, data, epochs=1, progress=False)
    same_state(model, twin)


def test_impossible_fits_are_refused():
    model, data = small_model(), small_data()
    with raises(ValueError, "seed (=-1)"):
        fit(model, data, seed=-1)
    with raises(TypeError, "seed (=None)"):
        fit(model, data, seed=None)
    with raises(ValueError, "no examples to test"):
        fit(model, data, test=small_data(0))
    with raises(ValueError, "epochs (=0)"):
        fit(model, data, epochs=0)
    with raises(ValueError, "batch_size (=0)"):
        fit(model, data, batch_size=0)
    with raises(ValueError, "no examples"):
        fit(model, small_data(0))
    with raises(ValueError, "checkpoint"):
        fit(model, data, resume=True)
    with raises(ValueError, "no examples"):
        evaluate(model, small_data(0))


class Unreadable:
    """Standard error whose reader has gone."""

    def write(self, *text: str) -> None:
        raise BrokenPipeError("nobody reads this")

    flush = fileno = write


@pytest.mark.parametrize("stream", [None, Unreadable(), "closed"], ids=["none", "unreadable", "closed"])
def test_a_progress_bar_never_ends_a_fit(stream, monkeypatch, tmp_path):
    if stream == "closed":
        stream = (tmp_path / "closed").open("w")
        stream.close()
    monkeypatch.setattr(sys, "stderr", stream)
    assert len(fit(small_model(), small_data(), epochs=2)) == 2


def test_a_training_whose_output_nobody_reads_ends_well(tmp_path):
    """Its reader is gone before the first word."""
    command = [sys.executable, "-m", "nets", "train", "--epochs", "2", "--no-distort", "--checkpoint"]
    with subprocess.Popen([*command, tmp_path / "model.npz"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as run:
        run.stderr.close()
        assert run.wait() == 0
    assert (tmp_path / "model.confusion.svg").exists()


# -- interrupting and going on -----------------------------------------------------------------------------------------


def interrupt_at(step, times=1, number=signal.SIGINT):
    """The usual schedule, which presses Ctrl-C, or sends another signal, when it is asked for some step."""
    asked = itertools.count()

    @functools.wraps(nets.one_cycle)
    def schedule(progress):
        if next(asked) == step:
            for _ in range(times):
                signal.raise_signal(number)
        return nets.one_cycle(progress)

    return schedule


@pytest.mark.parametrize("make", [lambda m: SGD(m, 0.05, momentum=0.9), Adam], ids=["sgd", "adam"])
@given(st.integers(0, 10), st.sampled_from([signal.SIGINT, signal.SIGTERM]))
def test_a_fit_that_was_interrupted_at_any_step_ends_in_the_same_numbers(tmp_path_factory, make, step, number):
    """20 examples in batches of 6 are 4 steps; the eleventh step is the third of the third epoch."""
    file = tmp_path_factory.mktemp("run") / "model.npz"
    options = {"epochs": 3, "batch_size": 6, "progress": False, "test": small_data(7), "distort": nets.distort}
    through = small_model()
    expected = fit(through, small_data(), optimizer=make(through), **options)

    first = small_model()
    some = fit(
        first, small_data(), optimizer=make(first), schedule=interrupt_at(step, 1, number), checkpoint=file, **options
    )
    assert len(some) == (step + 1) // 4
    second = small_model(seed=1)
    rest = fit(second, small_data(), optimizer=make(second), checkpoint=file, resume=True, **options)
    same_state(second, through)
    assert [epoch[:2] for epoch in rest] == [epoch[:2] for epoch in expected]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_belong_to_python_again_after_a_fit(number):
    before = signal.getsignal(number)
    fit(small_model(), small_data(), epochs=1, schedule=interrupt_at(1, 1, number), progress=False)
    assert signal.getsignal(number) is before


def test_a_second_ctrl_c_stops_at_once():
    with pytest.raises(KeyboardInterrupt):
        fit(small_model(), small_data(), epochs=1, batch_size=4, schedule=interrupt_at(2, times=2), progress=False)


def test_a_second_ctrl_c_on_the_command_line_has_no_traceback(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("nets.__main__.fit", lambda *_, **__: signal.raise_signal(signal.SIGINT))
    assert main(["train", "--checkpoint", str(tmp_path / "model.npz")]) == 130
    assert capsys.readouterr().err == "nets: stopped\n"


def test_a_finished_fit_has_nothing_to_go_on_with(tmp_path):
    options = {"epochs": 1, "progress": False, "checkpoint": tmp_path / "model.npz"}
    model, again = small_model(), small_model(1)
    fit(model, small_data(), **options)
    assert len(fit(again, small_data(), resume=True, **options)) == 1
    same_state(model, again)


def test_going_on_with_other_settings_is_refused(tmp_path):
    file = tmp_path / "model.npz"
    fit(small_model(), small_data(), epochs=1, checkpoint=file, progress=False)
    model, data = small_model(seed=1), small_data()
    for change in (
        {"epochs": 2},
        {"seed": 1},
        {"batch_size": 3},
        {"schedule": nets.cosine},
        {"distort": nets.distort},
        {"decide": np.argmin},
        {"data": Examples(data.images, data.labels[::-1])},
        {"data": Examples(data.images + np.float32(1e-3), data.labels)},
        {"test": small_data(7)},
        {"optimizer": SGD(model, 0.05, momentum=0.9, nesterov=True)},
    ):
        options = {"data": data, "epochs": 1, **change}
        with pytest.raises(ValueError, match="other settings") as told:
            fit(model, **options, checkpoint=file, resume=True, progress=False)
        text, (name,) = str(told.value), change
        assert text.count(" was ") == 1 and f"{name} was " in text  # what has not changed is left out
    same_state(model, small_model(seed=1))
    nets.save(file, model)
    with raises(ValueError, "not resumed"):
        fit(model, small_data(), epochs=1, checkpoint=file, resume=True, progress=False)
    with raises(FileNotFoundError, "none.npz"):
        fit(model, small_data(), checkpoint=tmp_path / "none.npz", resume=True)
    with raises(IsADirectoryError, str(tmp_path)):
        fit(model, small_data(), checkpoint=tmp_path, progress=False)


def closes_over(value):
    def schedule(progress):
        return value

    return schedule


DIFFERENT = {  # pairs of functions, the second of which makes another run
    "partial": (functools.partial(nets.step_decay, falls=1), functools.partial(nets.step_decay, falls=3)),
    "argument": (functools.partial(nets.step_decay, factor=0.5), functools.partial(nets.step_decay, factor=0.25)),
    "lambda": (lambda p: 1.0, lambda p: 0.5),
    "lambda inside": (lambda p: (lambda q: 1.0)(p), lambda p: (lambda q: 0.5)(p)),
    "closure": (closes_over(1.0), closes_over(0.5)),
    "closure of a function": (closes_over(nets.cosine), closes_over(nets.one_cycle)),
    "array": (functools.partial(np.interp, fp=np.ones(2)), functools.partial(np.interp, fp=np.zeros(2))),
}


@pytest.mark.parametrize("name", DIFFERENT)
def test_functions_with_other_settings_are_told_apart_and_a_twin_is_not(name):
    """Every number of NumPy's is the same as Python's, and nothing depends on where an object lies in memory."""
    one, other = DIFFERENT[name]
    assert described(one) != described(other) and " at 0x" not in described(one)
    assert described(one) == described(copy.deepcopy(one))
    assert described(functools.partial(max, np.float64(1.5))) == described(functools.partial(max, 1.5))


def test_the_description_of_a_function_is_the_same_in_another_process():
    program = (
        "from nets.runs import described; print(described(lambda p: (1.0, {p: None}, max(map(lambda q: q, [p])))))"
    )
    runs = [subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout for _ in range(2)]
    assert runs[0] == runs[1] and b"<lambda>" in runs[0]


def test_a_model_with_other_settings_is_another_run(tmp_path):
    """Of the same parameters: the error shows the line of its repr that differs."""
    file, options = tmp_path / "model.npz", {"epochs": 1, "progress": False}
    models = [Sequential(Flatten(), nets.Dropout(p), Dense(64, 10)) for p in (0.25, 0.5)]
    fit(models[0], small_data(), checkpoint=file, **options)
    with raises(ValueError, "model was (1): Dropout(p=0.25), is (1): Dropout()"):
        fit(models[1], small_data(), checkpoint=file, resume=True, **options)


junk = (
    st.none() | st.booleans() | st.sampled_from([-1, 0, 0.5, 7, 10**400, 1e300, math.nan, math.inf, "7", [], {}, [0]])
)


@given(st.data())
def test_notes_that_say_what_cannot_be_are_refused(run_to_resume, tmp_path_factory, data):
    """Any part of them exchanged for something else: a ValueError that names the file's notes, or the same run."""
    _, model, notes = run_to_resume
    notes, crafted = copy.deepcopy(notes), tmp_path_factory.mktemp("crafted") / "model.npz"
    place, key = notes, data.draw(st.sampled_from(["epochs", "sums"]))
    while isinstance(place[key], list) and place[key] and data.draw(st.integers(0, 3)):
        place, key = place[key], data.draw(st.integers(0, len(place[key]) - 1))
    old, place[key] = place[key], data.draw(junk)
    save(crafted, model, SGD(model, 0.5), notes)
    options = {"epochs": 3, "batch_size": 6, "progress": False, "test": small_data(7)}
    again = small_model(1)
    try:
        done = fit(again, small_data(), optimizer=SGD(again, 0.5), checkpoint=crafted, resume=True, **options)
    except ValueError as error:
        assert "notes of the checkpoint are damaged" in str(error)
        same_state(again, small_model(1))
    else:
        assert len(done) == 3 and (place[key] == old or np.isfinite(done[0].train).all())


@pytest.fixture(scope="module")
def run_to_resume(tmp_path_factory):
    """A run that was interrupted in its second epoch, and its notes."""
    file, model = tmp_path_factory.mktemp("run") / "model.npz", small_model()
    options = {"epochs": 3, "batch_size": 6, "progress": False, "test": small_data(7)}
    fit(model, small_data(), optimizer=SGD(model, 0.5), schedule=interrupt_at(5), checkpoint=file, **options)
    return file, model, load(file, model)


def test_evaluating_leaves_the_model_as_it_was():
    model = small_model()
    evaluate(model, small_data(3))
    predict(model, small_data(3).images)
    assert all(module.training for _, module in model.modules())
    with raises(ValueError, "batch_size (=0)"):
        predict(model, small_data(3).images, batch_size=0)


def test_examples_are_any_pair_of_images_and_labels():
    images, labels = small_data(5)
    model, again = small_model(), small_model()
    fit(model, Examples(images, labels), epochs=1, progress=False)
    fit(again, (images.tolist(), labels.tolist()), epochs=np.int64(1), progress=False)
    assert evaluate(model, (images, labels.tolist())) == evaluate(model, Examples(images, labels))
    with raises(TypeError, "train, test = digits()"):
        fit(model, digits(), progress=False)


# -- checkpoints -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    file = tmp_path_factory.mktemp("checkpoint") / "model.npz"
    model = small_model()
    save(file, model, SGD(model, momentum=0.9), {"epoch": 3})
    return file


def test_a_checkpoint_gives_back_model_optimizer_and_notes(checkpoint):
    model, other = small_model(), small_model(seed=1)
    optimizer = SGD(other, momentum=0.9)
    assert load(checkpoint, other, optimizer) == {"epoch": 3}
    same_state(model, other)
    assert load(checkpoint, other) == {"epoch": 3}


def test_a_checkpoint_is_an_ordinary_npz_without_pickle(checkpoint):
    with np.load(checkpoint, allow_pickle=False) as arrays:
        same(arrays["model.5.weight"], small_model()[5].weight)


def test_a_checkpoint_of_another_model_is_refused_and_changes_nothing(checkpoint):
    for other, parts in [
        (Sequential(Flatten(), Dense(64, 10)), ["another model", "model.0.weight"]),
        (small_model(), ["another model", "optimizer.mean.0"]),
        (small_model().astype(np.float64), ["float64"]),
    ]:
        before = other.state_dict()
        optimizer = Adam(other) if "optimizer.mean.0" in parts else None
        with raises(ValueError, str(checkpoint), *parts):
            load(checkpoint, other, optimizer)
        for name, array in other.state_dict().items():
            same(array, before[name])


@given(st.data())
def test_a_checkpoint_with_any_damage_is_refused_and_changes_nothing(checkpoint, tmp_path_factory, data):
    content = bytearray(checkpoint.read_bytes())
    damaged = tmp_path_factory.mktemp("damaged") / "model.npz"
    if data.draw(st.booleans()):
        content = content[: data.draw(st.integers(0, len(content) - 1))]
    else:
        content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    damaged.write_bytes(content)
    model, untouched = small_model(seed=1), small_model(seed=1)
    try:
        load(damaged, model)
    except ValueError as error:
        assert str(damaged) in str(error)
        same_state(model, untouched)
    else:
        same_state(model, small_model())  # the damage was in what nobody reads, such as a date


@pytest.mark.parametrize("content", [lambda data: data + b"x", lambda data: data[:-1]], ids=["long", "short"])
def test_an_array_of_another_length_than_its_header_says_is_refused(tmp_path, content):
    model, file = Dense(2, 2), tmp_path / "model.npz"
    save(file, model)
    with zipfile.ZipFile(file) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["model.bias.npy"] = content(parts["model.bias.npy"])
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    with raises(ValueError, str(file), "model.bias should have 8 bytes"):
        load(file, model)


def test_a_checkpoint_that_unpacks_to_gigabytes_is_refused_without_reading_them(tmp_path):
    model = Dense(2, 2)
    file = tmp_path / "bomb.npz"
    save(file, model)
    with zipfile.ZipFile(file) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["notes.npy"] += bytes(1 << 27)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    with raises(ValueError, str(file), "notes"):
        load(file, model)


def test_a_checkpoint_that_cannot_be_written_leaves_the_old_one(tmp_path, monkeypatch):
    file = tmp_path / "model.npz"
    save(file, small_model())
    before = file.read_bytes()

    def full(descriptor):
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with raises(OSError, "no space"):
        save(file, small_model(seed=1))
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]


def test_threads_and_processes_that_save_at_once_lose_nothing(tmp_path):
    """Whoever loads meanwhile finds one of the files that were saved, and no other file is left over."""
    file, model, errors = tmp_path / "model.npz", small_model(), []
    save(file, model)
    program = "import sys, nets; [nets.save(sys.argv[1], nets.Dense(1, 1)) for _ in range(30)]"
    others = [subprocess.Popen([sys.executable, "-c", program, tmp_path / "other.npz"]) for _ in range(2)]

    def work(rank: int) -> None:
        try:
            for i in range(30):
                save(file, model, notes={"rank": rank, "i": i})
                load(file, small_model())
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(rank,)) for rank in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors and [other.wait() for other in others] == [0, 0]
    load(tmp_path / "other.npz", Dense(1, 1))
    assert sorted(os.listdir(tmp_path)) == ["model.npz", "other.npz"]


def test_a_process_that_is_killed_while_it_saves_leaves_the_old_file_and_no_other(tmp_path):
    if not hasattr(os, "O_TMPFILE"):
        pytest.skip("this system has no files without a name")
    file = tmp_path / "model.npz"
    program = (
        "import os, sys, nets\n"
        "model = nets.Dense(1, 1)\n"
        "nets.save(sys.argv[1], model)\n"
        "os.fsync = lambda file: os.kill(os.getpid(), 9)\n"
        "nets.save(sys.argv[1], model, notes={'second': True})\n"
    )
    assert subprocess.run([sys.executable, "-c", program, file]).returncode == -signal.SIGKILL
    assert load(file, Dense(1, 1)) == {} and os.listdir(tmp_path) == ["model.npz"]


@pytest.mark.parametrize("nameless", [True, False])
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644, 0o660])
def test_a_file_that_is_replaced_keeps_its_permissions(tmp_path, monkeypatch, nameless, mode):
    if not nameless:
        monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    file, new = tmp_path / "model.npz", tmp_path / "new.npz"
    save(new, Dense(1, 1))
    new.with_name("usual").touch()
    assert new.stat().st_mode == new.with_name("usual").stat().st_mode
    save(file, Dense(1, 1))
    file.chmod(mode)
    save(file, Dense(1, 1))
    assert file.stat().st_mode & 0o777 == mode


def test_a_link_stays_a_link(tmp_path):
    """To a file that is there, or not there yet."""
    (tmp_path / "folder").mkdir()
    file, link = tmp_path / "folder" / "model.npz", tmp_path / "link.npz"
    link.symlink_to(file)
    for i in range(2):
        save(link, Dense(1, 1), notes={"i": i})
        assert link.is_symlink() and load(file, Dense(1, 1)) == {"i": i}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with a name")
def test_what_is_no_file_is_neither_read_nor_replaced(tmp_path):
    """A pipe would wait for ever, and a device or a pipe would become a file."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in pipe, os.devnull:
        for use in save, load:
            with raises(ValueError, str(path), "no file"):
                use(path, Dense(1, 1))
    assert pipe.is_fifo()
    with raises(IsADirectoryError, str(tmp_path)):
        save(tmp_path, Dense(1, 1))


def test_a_checkpoint_that_cannot_be_written_is_told_before_the_first_epoch(tmp_path):
    """With its path, and without a trace."""
    (tmp_path / "file").touch()
    for path in tmp_path / "file" / "model.npz", tmp_path:
        learnt = []
        with raises(OSError, str(path)):
            fit(small_model(), small_data(), checkpoint=path, schedule=learnt.append, progress=False)
        assert not learnt
    assert os.listdir(tmp_path) == ["file"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), json_values))
def test_notes_that_were_saved_are_given_back(tmp_path_factory, notes):
    file = tmp_path_factory.mktemp("notes") / "model.npz"
    save(file, Dense(1, 1), notes=notes)
    assert load(file, Dense(1, 1)) == notes


def test_notes_that_would_not_be_given_back_are_refused(tmp_path):
    file = tmp_path / "model.npz"
    with raises(ValueError, "bytes", "notes"):
        save(file, Dense(1, 1), notes={"long": "x" * (1 << 24)})
    with raises(ValueError, "two keys", '"1": 2'):
        save(file, Dense(1, 1), notes={"1": 1, 1: 2})
    with raises(TypeError, "set"):
        save(file, Dense(1, 1), notes={"a set": {1}})
    assert not file.exists()


# -- in parallel -------------------------------------------------------------------------------------------------------


class Threads:
    """A communicator of MPI's kind between threads of one process: what MPIWorkers asks of mpi4py, and no more."""

    def __init__(self, size: int) -> None:
        self.size, self.arrays, self.barrier = size, [None] * size, threading.Barrier(size, timeout=60)
        self.local = threading.local()

    def Get_size(self) -> int:
        return self.size

    def Get_rank(self) -> int:
        return self.local.rank

    def Allreduce(self, mine: np.ndarray, total: np.ndarray) -> None:
        self.arrays[self.local.rank] = mine
        self.barrier.wait()
        total[...] = sum(self.arrays[1:], self.arrays[0])
        self.barrier.wait()


def fit_in_parallel(size: int, **options) -> list:
    communicator, results = Threads(size), [None] * size

    def run(rank: int) -> None:
        communicator.local.rank = rank
        model = Sequential(Flatten(), Dense(64, 10, rng=np.random.default_rng(0))).astype(np.float64)
        workers = MPIWorkers(communicator)
        epochs = fit(model, small_data(17), test=small_data(7), workers=workers, progress=False, **options)
        results[rank] = (model, epochs)

    threads = [threading.Thread(target=run, args=(rank,)) for rank in range(size)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@given(st.integers(2, 4), st.integers(1, 8))
def test_the_gradient_of_a_mean_is_the_mean_of_the_gradients(size, batch_size):
    """Any number of workers and one alone learn the same, to rounding, whatever the batches leave over."""
    options = {"epochs": 2, "batch_size": batch_size, "distort": nets.distort}
    [(alone, expected)] = fit_in_parallel(1, **options)
    for model, epochs in fit_in_parallel(size, **options):
        for a, b in zip(model.parameters(), alone.parameters(), strict=True):
            np.testing.assert_allclose(a.data, b.data, atol=1e-12)
        for epoch, one in zip(epochs, expected, strict=True):
            for score, its in (epoch.train, one.train), (epoch.test, one.test):
                assert score.accuracy == its.accuracy
                assert math.isclose(score.loss, its.loss, rel_tol=1e-12)


STAGES = ["load", "distort", "schedule", "loss", "gradient", "step", "evaluate", "save"]


@pytest.mark.parametrize("stage", STAGES)
@given(st.integers(2, 3), st.data())
def test_an_error_in_one_worker_ends_all(stage, tmp_path_factory, size, data):
    """It raises its own error there, and in all others one that says whose it is and what it says."""
    failing = 0 if stage == "save" else data.draw(st.integers(0, size - 1))
    when = data.draw(st.integers(0, 5)) if stage in ("distort", "schedule", "loss", "step") else 0
    folder, communicator, results = tmp_path_factory.mktemp("run"), Threads(size), [None] * size

    def run(rank: int) -> None:
        communicator.local.rank = rank
        calls = itertools.count()

        def fail(here: str, n: int = when) -> None:
            if here == stage and rank == failing and next(calls) == n:
                raise ArithmeticError(f"in the {here} of {rank}")

        class Failing(SGD):
            def update(self, i, w, g, rate):
                fail("step")
                return super().update(i, w, g, rate)

            def state_dict(self):
                if sys._getframe(1).f_code.co_name == "_state":  # to be saved
                    fail("save")
                return super().state_dict()

        def loss(y, labels):
            fail("loss" if model.training else "evaluate")
            return without_rule(y) if stage == "gradient" and rank == failing else (y * y).mean()

        without_rule = mt.primitive(lambda y: y.sum())
        without_rule.defvjp(lambda g, out, y: fail("gradient"))
        model = Sequential(Flatten(), Dense(64, 10, rng=np.random.default_rng(0)))
        try:
            fit(
                model,
                small_data(20),
                test=small_data(7),
                epochs=2,
                batch_size=6,
                optimizer=Failing(model, 0.1),
                loss=loss,
                distort=lambda images, rng: fail("distort") or images,
                schedule=lambda p: fail("schedule") or 1.0,
                checkpoint=folder / ("none.npz" if stage == "load" and rank == failing else "model.npz"),
                resume=stage == "load",
                workers=MPIWorkers(communicator),
                progress=False,
            )
        except BaseException as error:
            results[rank] = error

    threads = [threading.Thread(target=run, args=(rank,)) for rank in range(size)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for rank, error in enumerate(results):
        assert error is not None
        if stage == "load":
            assert isinstance(error, FileNotFoundError)
        elif rank != failing:
            assert isinstance(error, WorkerError) and f"process {failing} of {size}" in str(error)
            assert f"in the {stage} of {failing}" in str(error)
        else:
            assert isinstance(error, ArithmeticError)


@pytest.mark.skipif(not shutil.which("mpiexec"), reason="needs an MPI, and mpi4py")
@pytest.mark.parametrize("when", ["at once", "in fit", "after fit"])
def test_an_error_in_one_process_ends_the_run(when):
    """Within seconds, with its message, whether the others wait for it in fit or at their end."""
    pytest.importorskip("mpi4py.MPI", exc_type=ImportError)
    program = (
        "import sys, numpy as np, nets\n"
        "workers, when = nets.mpi_workers(), sys.argv[1]\n"
        "def fail(here, *_):\n"
        "    if workers.rank == 1 and here == when:\n"
        "        raise ArithmeticError('of process 1, ' + when)\n"
        "    return 1.0\n"
        "fail('at once')\n"
        "model = nets.Dense(2, 2)\n"
        "data = np.ones((4, 2), np.float32), np.zeros(4, int)\n"
        "nets.fit(model, data, schedule=lambda p: fail('in fit'), workers=workers, progress=False)\n"
        "fail('after fit')\n"
    )
    command = ["mpiexec", "-n", "2", sys.executable, "-c", program, when]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert run.returncode != 0 and f"of process 1, {when}" in run.stderr


@pytest.mark.skipif(not shutil.which("mpiexec"), reason="needs an MPI, and mpi4py")
def test_two_processes_learn_what_one_learns(tmp_path):
    pytest.importorskip("mpi4py.MPI", exc_type=ImportError)
    command = [sys.executable, "-m", "nets", "train", "--epochs", "1", "--checkpoint"]
    subprocess.run([*command, tmp_path / "one.npz"], check=True, capture_output=True)
    subprocess.run(["mpiexec", "-n", "2", *command, tmp_path / "two.npz"], check=True, capture_output=True)
    one, two = nets.lenet(), nets.lenet()
    load(tmp_path / "one.npz", one)
    load(tmp_path / "two.npz", two)
    for a, b in zip(one.parameters(), two.parameters(), strict=True):
        np.testing.assert_allclose(a.data, b.data, atol=1e-4)


# -- the command line and the pictures ---------------------------------------------------------------------------------


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


@pytest.mark.parametrize("batch_size", [64, 512, 1438, 99999])
def test_batches_of_any_size_learn_something(tmp_path, capsys, batch_size):
    """In 23 steps: a batch that is larger than what there is counts as what there is."""
    steps_each = math.ceil(1438 / min(batch_size, 1438))
    options = ["--batch-size", str(batch_size), "--epochs", str(math.ceil(23 / steps_each)), "--no-distort"]
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
