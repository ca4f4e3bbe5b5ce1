"""Training: repeatable, interruptible, resumable; and never wrong in silence."""

from __future__ import annotations

import copy
import functools
import itertools
import json
import math
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

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
    evaluate,
    fit,
    learn,
    load,
    predict,
    save,
)
from nets.__main__ import main
from nets.training.runs import Epoch, Score, Sums, described, stand
from nets.training.terminal import interruptible

from .checks import raises, same


def small_model(seed: int = 0) -> Sequential:
    rng = np.random.default_rng(seed)
    layers = [nets.Conv2d(1, 2, 3, rng=rng), nets.BatchNorm2d(2), nets.ReLU(), Flatten(), nets.Dropout(0.2)]
    return Sequential(*layers, Dense(72, 10, rng=rng))


digits_once = functools.cache(digits)


def small_data(n: int = 20) -> Examples:
    train, _ = digits_once()
    return Examples(train.images[:n].copy(), train.labels[:n])  # of its own: a test may write to it


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


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("n", [10, 12])
def test_one_label_for_each_image(n, compiled):
    """Not one for each class: from such labels one can learn, but they are not what `decide` answers."""
    data = small_data(n)
    one_hot, model = Examples(data.images, np.eye(10)[data.labels]), Sequential(Flatten(), Dense(64, 10))
    for use in (fit, evaluate):
        with raises(ValueError, f"({n},)", f"({n}, 10)", "one label"):
            use(model, one_hot, compiled=compiled, batch_size=n, **({"epochs": 1} if use is fit else {}))


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize(
    "loss, got", [(lambda scores, labels: 1.0, "float"), (lambda scores, labels: scores, "shape (12, 10)")]
)
def test_a_loss_is_one_number(loss, got, compiled):
    model = Sequential(Flatten(), Dense(64, 10))
    for use in (fit, evaluate):
        with raises(ValueError, "a loss is one number", got):
            use(model, small_data(12), loss=loss, compiled=compiled, **({"epochs": 1} if use is fit else {}))


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


def fit_small(make, seed=0, **options):
    """A model after three epochs, and what they achieved; 20 examples in batches of 6 are 4 steps."""
    model = small_model(seed=seed)
    options |= {"epochs": 3, "batch_size": 6, "progress": False, "test": small_data(7), "distort": nets.distort}
    return model, fit(model, small_data(), optimizer=make(model), **options)


@pytest.fixture(scope="module", params=[lambda m: SGD(m, 0.05, momentum=0.9), Adam], ids=["sgd", "adam"])
def uninterrupted(request):
    return request.param, *fit_small(request.param)


@given(st.integers(0, 10), st.sampled_from([signal.SIGINT, signal.SIGTERM]), st.booleans(), st.booleans())
def test_a_fit_that_was_interrupted_at_any_step_ends_in_the_same_numbers(
    uninterrupted, tmp_path_factory, step, number, program, later
):
    """As a program or not, before and later.  The eleventh step is the third of the third epoch."""
    make, through, expected = uninterrupted
    file = tmp_path_factory.mktemp("run") / "model.npz"
    _, some = fit_small(make, schedule=interrupt_at(step, 1, number), checkpoint=file, compiled=program)
    assert len(some) == (step + 1) // 4
    second, rest = fit_small(make, seed=1, checkpoint=file, resume=True, compiled=later)
    same_state(second, through)
    assert [epoch[:2] for epoch in rest] == [epoch[:2] for epoch in expected]


@pytest.mark.parametrize("name", ["0.weight", "1.running_mean"])
def test_a_checkpoint_that_is_not_finite_is_not_resumed_and_changes_nothing(tmp_path, name):
    file, model, options = tmp_path / "model.npz", small_model(), {"epochs": 2, "batch_size": 10, "progress": False}
    optimizer = SGD(model, 0.05, momentum=0.9)
    fit(model, small_data(), optimizer=optimizer, checkpoint=file, **options)
    notes = load(file, model)
    model.load_state_dict({**model.state_dict(), name: np.full_like(model.state_dict()[name], np.nan)})
    save(file, model, optimizer, notes)
    other = small_model(1)
    its = SGD(other, 0.05, momentum=0.9)
    with raises(ValueError, name, "finite"):
        fit(other, small_data(), optimizer=its, checkpoint=file, resume=True, **options)
    same_state(other, small_model(1))
    assert its.steps == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_belong_to_python_again_after_a_fit(number):
    before = signal.getsignal(number)
    fit(small_model(), small_data(), epochs=1, schedule=interrupt_at(1, 1, number), progress=False)
    assert signal.getsignal(number) is before


@pytest.fixture
def ctrl_c():
    """Ctrl-C as in a terminal, whatever the tests were started from: a job in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c")
def test_a_second_ctrl_c_stops_at_once():
    with pytest.raises(KeyboardInterrupt):
        fit(small_model(), small_data(), epochs=1, batch_size=4, schedule=interrupt_at(2, times=2), progress=False)


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="this system cannot hold signals back")
def test_two_signals_at_the_same_time_are_a_first_and_a_second():
    """Python sees both when a long operator has ended; neither is lost, and none prints a traceback."""
    both, seen = {signal.SIGINT, signal.SIGTERM}, []
    before = {number: signal.signal(number, lambda number, frame: seen.append(number)) for number in both}
    try:
        with interruptible() as interrupted:
            signal.pthread_sigmask(signal.SIG_BLOCK, both)
            for number in both:
                os.kill(os.getpid(), number)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, both)
            assert interrupted() and seen in ([signal.SIGINT], [signal.SIGTERM])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@pytest.mark.usefixtures("ctrl_c")
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
        "from nets.training import runs; print(runs.described(lambda p: (1.0, {p: None}, max(map(lambda q: q, [p])))))"
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


finite, parts = st.floats(0, 1e6), st.floats(0, 1)
scores = st.tuples(finite, parts).map(lambda pair: Score(*pair))
pasts = st.lists(st.builds(Epoch, scores, st.none() | scores, st.floats(1e-6, 1e6)), max_size=3)


@given(pasts, st.integers(0, 3), st.integers(1, 30), st.integers(1, 8), st.data())
def test_where_a_run_stood_is_known_again_and_nothing_else_is_taken_for_it(done, left, examples, batch_size, data):
    """From the first step to the last, with any score there can be; not with one step more than there are, or fewer."""
    steps = math.ceil(examples / batch_size)
    settings = {"epochs": len(done) + left, "batch_size": batch_size}
    taken = data.draw(st.integers(0, steps - 1 if left else 0))
    seen, seconds = taken * batch_size, taken * data.draw(st.floats(1e-3, 10))
    sums = Sums(data.draw(finite), data.draw(st.integers(0, seen)), seen, taken, seconds)

    def noted(**changed):
        return json.loads(json.dumps({"settings": settings, "epochs": done, "sums": sums, **changed}))

    assert stand(noted(), settings, examples) == (done, sums)
    perfect = [epoch._replace(train=Score(0.0, 1.0)) for epoch in done]
    assert stand(noted(epochs=perfect), settings, examples) == (perfect, sums)
    further = steps if left else 1
    for wrong in (
        noted(sums=sums._replace(steps=further, seen=further * batch_size, seconds=1.0)),  # one epoch, or step, too far
        noted(sums=sums._replace(seen=seen + 1)),
        noted(sums=sums._replace(right=seen + 1)),
        noted(sums=sums._replace(seconds=0.0 if taken else 1.0)),
        noted(epochs=[*done, *[Epoch(Score(1.0, 1.0), None, 1.0)] * (left + 1)]),
        noted(epochs=[Epoch(Score(1.0, 1.1), None, 1.0), *done[1:]]),
        noted(epochs=[Epoch(Score(1.0, 1.0), None, 0.0), *done[1:]]),
    ):
        with raises(ValueError, "notes of the checkpoint are damaged"):
            stand(wrong, settings, examples)


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
