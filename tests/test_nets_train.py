"""Training: repeatable, interruptible, resumable, parallel; and files that cannot do harm."""

from __future__ import annotations

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

import nets
from minitensor import no_grad
from nets import SGD, Adam, Dense, Examples, Flatten, Sequential, digits, evaluate, fit, learn, load, predict, save
from nets.__main__ import main
from nets.parallel import MPIWorkers

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


# -- interrupting and going on -----------------------------------------------------------------------------------------


def interrupt_at(step, times=1):
    """The usual schedule, which presses Ctrl-C when it is asked for some step."""
    asked = itertools.count()

    @functools.wraps(nets.one_cycle)
    def schedule(progress):
        if next(asked) == step:
            for _ in range(times):
                signal.raise_signal(signal.SIGINT)
        return nets.one_cycle(progress)

    return schedule


@pytest.mark.parametrize("make", [lambda m: SGD(m, 0.05, momentum=0.9), Adam], ids=["sgd", "adam"])
@given(st.integers(0, 10))
def test_a_fit_that_was_interrupted_at_any_step_ends_in_the_same_numbers(tmp_path_factory, make, step):
    """20 examples in batches of 6 are 4 steps; the eleventh step is the third of the third epoch."""
    file = tmp_path_factory.mktemp("run") / "model.npz"
    options = {"epochs": 3, "batch_size": 6, "progress": False, "test": small_data(7), "distort": nets.distort}
    through = small_model()
    expected = fit(through, small_data(), optimizer=make(through), **options)

    first = small_model()
    some = fit(first, small_data(), optimizer=make(first), schedule=interrupt_at(step), checkpoint=file, **options)
    assert len(some) == (step + 1) // 4
    second = small_model(seed=1)
    rest = fit(second, small_data(), optimizer=make(second), checkpoint=file, resume=True, **options)
    same_state(second, through)
    assert [epoch[:2] for epoch in rest] == [epoch[:2] for epoch in expected]


def test_ctrl_c_belongs_to_python_again_after_a_fit():
    before = signal.getsignal(signal.SIGINT)
    fit(small_model(), small_data(), epochs=1, schedule=interrupt_at(1), progress=False)
    assert signal.getsignal(signal.SIGINT) is before


def test_a_second_ctrl_c_stops_at_once():
    with pytest.raises(KeyboardInterrupt):
        fit(small_model(), small_data(), epochs=1, batch_size=4, schedule=interrupt_at(2, times=2), progress=False)


def test_a_finished_fit_has_nothing_to_go_on_with(tmp_path):
    options = {"epochs": 1, "progress": False, "checkpoint": tmp_path / "model.npz"}
    model, again = small_model(), small_model(1)
    fit(model, small_data(), **options)
    assert len(fit(again, small_data(), resume=True, **options)) == 1
    same_state(model, again)


def test_going_on_with_other_settings_is_refused(tmp_path):
    file = tmp_path / "model.npz"
    fit(small_model(), small_data(), epochs=1, checkpoint=file, progress=False)
    model = small_model(seed=1)
    for change in ({"epochs": 2}, {"seed": 1}, {"batch_size": 3}, {"schedule": nets.cosine}, {"distort": nets.distort}):
        with pytest.raises(ValueError, match="other settings") as told:
            fit(model, small_data(), **{"epochs": 1, **change}, checkpoint=file, resume=True, progress=False)
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


@pytest.mark.skipif(not shutil.which("mpiexec"), reason="needs an MPI, and mpi4py")
def test_two_processes_learn_what_one_learns(tmp_path):
    pytest.importorskip("mpi4py")
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
