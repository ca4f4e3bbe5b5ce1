"""Learning, and how well it went.

What you can do here: `fit` a model to examples, `predict` what images show, and `evaluate` how often that is right.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any, TypeAlias

import numpy as np

from minitensor import Tensor, cross_entropy, gradients, no_grad
from minitensor.checks import whole
from minitensor.fast.cores import all_cores
from minitensor.program import CannotCompile, Compiled
from minitensor.recording import recording
from minitensor.tensor import Array, owned

from ..data.examples import Examples, batches, not_finite, usable
from ..files import check_writable
from ..layers.module import Module, check_kind
from ..layers.regular import Dropout
from .checkpoint import load, load_notes, save
from .optim import SGD, Optimizer, Schedule, check_number, one_cycle
from .parallel import ALONE, Workers
from .runs import Epoch, Score, Sums, settings_of, stand
from .terminal import Bar, interruptible

Loss: TypeAlias = Callable[[Tensor, Array], Tensor]  # of the model's output and the labels
Decide: TypeAlias = Callable[..., Any]  # np.argmax where the largest output wins, np.argmin where the smallest does
Distort: TypeAlias = Callable[[Array, np.random.Generator], Array]


@all_cores()
def fit(
    model: Module,
    data: Examples,
    *,
    epochs: int = 10,
    batch_size: int = 64,
    optimizer: Optimizer | None = None,
    schedule: Schedule = one_cycle,
    loss: Loss = cross_entropy,
    decide: Decide = np.argmax,
    distort: Distort | None = None,
    test: Examples | None = None,
    seed: int = 0,
    progress: bool = True,
    checkpoint: str | os.PathLike[str] | None = None,
    resume: bool = False,
    workers: Workers = ALONE,
    compiled: bool = True,
) -> list[Epoch]:
    """Let the model learn from examples, and return what each epoch achieved.

    For each batch: the loss, its gradients, and a step of the optimizer, at a rate that follows the schedule.  Without
    an optimizer it is SGD with Nesterov momentum 0.9, learning rate 0.05 and weight decay 5e-4.  distort(images, rng)
    may change the images of each batch.  The same seed and the same model give the same numbers, bit for bit.
    If compiled, steps run as a program (`minitensor.compiled`), with the same numbers in less time; a model that has
    none, as one that looks at values, is left to the engine, and the progress bar says so.  A program calls neither
    model nor loss: what these do beside computing, as to print, is then done only while it is made.

    Ctrl-C, and SIGTERM, end the fit after the current step, and the list then has fewer epochs.  With a checkpoint, the
    state is saved there after each epoch and at the end; with resume, a fit goes on from there, and ends in the same
    numbers as one that was never interrupted.  With several workers, each learns from a part of every batch (see
    `parallel.py`, also for what rounding does), and an error in one ends the fit in all.

    Raises ValueError for less than one epoch, without examples, for an image that is not finite, for an optimizer of
    another model, and for a checkpoint of another run (`runs.settings_of` says how runs are told apart); OSError if
    there is nothing to resume, or where the checkpoint cannot be written: all this before the first epoch.  Raises
    ValueError, too, where the loss, in training or in the test, or what has been learnt is not finite; the checkpoint
    is then that of the last epoch that was.

    >>> from nets import Dense, Flatten, Sequential, digits
    >>> train, test = digits()
    >>> model = Sequential(Flatten(), Dense(64, 10, rng=np.random.default_rng(0)))
    >>> epochs = fit(model, train, epochs=5, progress=False)
    >>> epochs[1].train.loss < epochs[0].train.loss, evaluate(model, test).accuracy > 0.9
    (True, True)
    """
    epochs, batch_size, seed = (
        whole(*pair) for pair in (("epochs", epochs), ("batch_size", batch_size), ("seed", seed))
    )
    if epochs < 1 or batch_size < 1 or seed < 0:
        raise ValueError(
            f"epochs (={epochs}) and batch_size (={batch_size}) must be at least 1, and seed (={seed}) at least 0"
        )
    check_kind("model", model, Module)
    if optimizer is None:
        optimizer = SGD(model, 0.05, momentum=0.9, nesterov=True, weight_decay=5e-4)
    check_kind("optimizer", optimizer, Optimizer)
    with workers.together():
        data, test = usable(data, "learn from"), None if test is None else usable(test, "test with")
        kept = _Kept(checkpoint, model, optimizer, workers.rank == 0)
        functions = {"schedule": schedule, "loss": loss, "decide": decide, "distort": distort}
        done, sums = kept.begin(resume, data, test, epochs=epochs, batch_size=batch_size, seed=seed, **functions)
    images, steps = len(data.labels), math.ceil(len(data.labels) / batch_size)  # in one epoch

    bar = Bar(epochs * images, len(done) * images + int(sums.seen), shown=progress and workers.rank == 0)
    program = Step(model, loss, with_gradients=True, say=bar.say) if compiled else None
    in_use = Step(model, loss, with_gradients=False, say=bar.say) if compiled else None
    how: dict[str, Any] = {"loss": loss, "decide": decide, "workers": workers}

    def learn_from(batch: Examples, step: int) -> Sums:
        """One step of the fit."""
        with workers.together():
            changed = batch.images if distort is None else distort(batch.images, _rng(seed, DISTORTION, step))
            _reseed(model, seed, step)
            scale = schedule(step / (epochs * steps))
        return learn(model, optimizer, changed, batch.labels, scale=scale, step=program, **how)

    def tested() -> Score | None:
        """What the model achieves with the examples that it does not learn from."""
        score = None if test is None else evaluate(model, test, step=in_use, compiled=compiled, **how)
        if score is not None and not math.isfinite(score.loss):
            raise ValueError(f"epoch {len(done) + 1} ended with a test loss of {score.loss}, and is not kept")
        return score

    stop = False
    with interruptible() as interrupted, bar:
        while len(done) < epochs and not stop:
            model.train()
            bar.begin(len(done) + 1, epochs)
            numbered = enumerate(batches(data, batch_size, _rng(seed, ORDER, len(done))), start=len(done) * steps)
            begin = time.perf_counter()
            for step, batch in islice(numbered, sums.steps, None):  # a checkpoint has the first behind it
                new, end = learn_from(batch, step), time.perf_counter()
                sums, begin = sums.plus(new._replace(seconds=end - begin)), end
                bar.learnt(len(batch.labels), sums)
                stop = workers.any(interrupted())
                if stop:
                    break
            if sums.steps == steps:
                done.append(Epoch(sums.score, tested(), sums.seen / sums.seconds))
                sums = Sums()
            with workers.together():
                kept.save(done, sums)
    return done


class _Kept:
    """What is kept of a fit, in its checkpoint if it has one: nothing that is not finite."""

    def __init__(self, path: str | os.PathLike[str] | None, model: Module, optimizer: Optimizer, writes: bool) -> None:
        self.path, self.model, self.optimizer, self.writes = path, model, optimizer, writes
        self.settings: dict[str, Any] = {}  # by which the file knows the run again
        learnt = {name for name, _ in model.named_parameters()}
        self.constants = _infinite(model.state_dict()) - learnt  # what was not finite from the start, as a mask may be
        self.check()

    def begin(self, resume: bool, data: Examples, test: Examples | None, **others: Any) -> tuple[list[Epoch], Sums]:
        """The epochs done, and the sums of the one under way: those of the file, which is loaded, if resumed."""
        done: list[Epoch] = []
        sums = Sums()
        if self.path is not None:
            self.settings = settings_of(self.model, self.optimizer, data, test, **others)
            if resume:
                done, sums = stand(load_notes(self.path), self.settings, len(data.labels))
                self.load(self.path)
            if self.writes:
                check_writable(self.path)
        elif resume:
            raise ValueError("resume=True needs a checkpoint: the path of the file to go on from")
        return done, sums

    def load(self, path: str | os.PathLike[str]) -> None:
        """Take over what is in the file; ValueError, and nothing changes, where it is not finite."""
        before = self.model.state_dict(), self.optimizer.state_dict()
        load(path, self.model, self.optimizer)
        try:
            self.check()
        except ValueError:
            self.model.load_state_dict(before[0])
            self.optimizer.load_state_dict(before[1])
            raise

    def save(self, done: list[Epoch], sums: Sums) -> None:
        """Write down where the fit stands; ValueError where what has been learnt is not finite."""
        self.check()
        if self.path is not None and self.writes:
            notes = {"settings": self.settings, "epochs": done, "sums": sums}
            save(self.path, self.model, self.optimizer, notes)

    def check(self) -> None:
        """ValueError where something is infinite or nan that has been learnt."""
        memory = {f"optimizer.{name}": array for name, array in self.optimizer.state_dict().items()}
        if names := sorted(_infinite({**self.model.state_dict(), **memory}) - self.constants):
            raise ValueError(
                f"what the model has learnt is not finite any more: {', '.join(names)}; try a smaller rate"
            )


def _infinite(state: Mapping[str, Array]) -> set[str]:
    """The names of the arrays that hold something infinite or nan."""
    return {name for name, array in state.items() if array.dtype.kind == "f" and not np.isfinite(array).all()}


ORDER, DISTORTION, DROPOUT = range(3)  # what is random in a fit; each has its own numbers


def _rng(seed: int, what: int, *when: int) -> np.random.Generator:
    """Random numbers that depend on the seed and the step alone, not on how the fit got there."""
    return np.random.default_rng([seed, what, *when])


def _reseed(model: Module, seed: int, step: int) -> None:
    for number, (_, module) in enumerate(model.modules()):
        if isinstance(module, Dropout):
            module.reseed(_rng(seed, DROPOUT, step, number))


@all_cores()
def learn(
    model: Module,
    optimizer: Optimizer,
    images: Array,
    labels: Array,
    *,
    loss: Loss = cross_entropy,
    decide: Decide = np.argmax,
    scale: float = 1.0,
    workers: Workers = ALONE,
    step: Step | None = None,
) -> Sums:
    """One step: the loss of a batch, its gradients, and better parameters; returns the sums behind its `score`.

    scale multiplies the learning rate; step is a program, used if it is given.  Raises ValueError where the loss or a
    new parameter is not finite, or the optimizer is that of another model.  After an error nothing has changed.
    """
    check_kind("model", model, Module)
    check_kind("optimizer", optimizer, Optimizer)
    parameters, before = model.parameters(), model.state_dict()
    if optimizer.model is not model and optimizer.model.parameters() != parameters:
        raise ValueError("the optimizer was made for another model, and would change that one")
    its_images, its_labels = workers.shard(images), workers.shard(labels)
    try:
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # what is not finite is found below
            with workers.together(), recording(True):
                slopes, results = None, step and step(its_images, its_labels)
                if results:
                    sums = _sums(results[0].item(), results[1], its_labels, decide)
                    slopes = [owned(g) for g in results[2:]]
                else:
                    value, sums = _measure(model, its_images, its_labels, loss, decide)
            total, right, seen = workers.sum(sums[:3])
            if not math.isfinite(total):
                if fault := not_finite(np.asarray(images)):
                    raise ValueError(f"{fault[0]} of the batch holds {fault[1]}, so the loss is {total / seen}")
                rate = optimizer.learning_rate
                raise ValueError(f"the loss is {total / seen} at learning rate {rate}: try a smaller one")
            with workers.together(), no_grad():  # so that the gradients keep no recipes of their own
                slopes = slopes or gradients(value, parameters)
        mean = workers.mean(slopes, len(its_labels) / len(labels))
        with workers.together():
            optimizer.step(mean, scale)
    except BaseException:
        now = model.state_dict()
        if any(now[name].tobytes() != array.tobytes() for name, array in before.items()):
            model.load_state_dict(before)  # what batch normalization remembers has changed
        raise
    return Sums(total, right, seen, steps=1)


@all_cores()
def evaluate(
    model: Module,
    data: Examples,
    *,
    loss: Loss = cross_entropy,
    decide: Decide = np.argmax,
    batch_size: int = 128,
    workers: Workers = ALONE,
    compiled: bool = True,
    step: Step | None = None,
) -> Score:
    """The mean loss of a model in use, and the part of its answers that are right.

    With several workers, each looks at a part of every batch, and all get the same score.  If compiled, and there are
    enough batches for that, they run through a program, that of `step` if it is given (see `fit`).
    Raises ValueError without examples, and for an image that is not finite.

    >>> from nets import Flatten
    >>> evaluate(Flatten(), Examples(np.zeros((4, 1, 1, 2)), np.array([0, 0, 0, 1])))
    Score(loss=0.693..., accuracy=0.75)
    """
    check_kind("model", model, Module)
    sums = Sums()
    with workers.together(), model.in_use(), no_grad():
        data = usable(data, "evaluate with")
        if step is None and compiled and len(data.labels) >= ENOUGH * batch_size:
            step = Step(model, loss, with_gradients=False)
        for images, labels in batches(data, batch_size):
            its_images, its_labels = workers.shard(images), workers.shard(labels)
            if results := step and step(its_images, its_labels):
                sums = sums.plus(_sums(results[0].item(), results[1], its_labels, decide))
            else:
                sums = sums.plus(_measure(model, its_images, its_labels, loss, decide)[1])
    total, right, seen = workers.sum(sums[:3])
    return Sums(total, right, seen).score


@all_cores()
def predict(model: Module, images: Array, *, decide: Decide = np.argmax, batch_size: int = 128) -> Array:
    """The class of each image: the number of the largest output (with decide=np.argmin, of the smallest).

    >>> from nets import Flatten
    >>> predict(Flatten(), np.array([[[[0.0, 2.0, 1.0]]]]))
    array([1])
    """
    check_kind("model", model, Module)
    if whole("batch_size", batch_size) < 1:
        raise ValueError(f"batch_size (={batch_size}) must be at least 1")
    with model.in_use(), no_grad():
        parts = [model(images[i : i + batch_size]).data for i in range(0, len(images), batch_size)]
    return np.concatenate([np.zeros(0, np.intp), *(decide(part, axis=1) for part in parts)])


def _measure(model: Module, images: Array, labels: Array, loss: Loss, decide: Decide) -> tuple[Tensor, Sums]:
    """The loss of a batch, as a Tensor to take gradients of, and the numbers."""
    if not len(labels):  # a small batch may leave a worker without images
        return Tensor(0.0), Sums()
    output = model(images)
    value = loss(output, labels)
    check_number("a loss is one number", value)
    return value, _sums(value.item(), output.data, labels, decide)


def _sums(loss: float, output: Array, labels: Array, decide: Decide) -> Sums:
    answers = decide(output, axis=1)
    if answers.shape != labels.shape:
        raise ValueError(
            f"there are answers of shape {answers.shape} to labels of shape {labels.shape}: each image needs one "
            "label, the number of its class"
        )
    return Sums(loss * len(labels), float((answers == labels).sum()), len(labels))


class Step:
    """The loss of a batch, the output of the model, and the gradients by its parameters, as a program.

    Called with images and labels it returns the arrays, or nothing where there is no program: for no images, and for a
    model that cannot be compiled, which `say` is told.
    """

    def __init__(
        self, model: Module, loss: Loss, *, with_gradients: bool, say: Callable[[str], object] | None = None
    ) -> None:
        def step(images: Tensor, labels: Array) -> list[Tensor]:
            output = model(images)
            value = loss(output, labels)
            check_number("a loss is one number", value)
            return [value, output, *(gradients(value, model.parameters()) if with_gradients else [])]

        self.say = say
        self.program: Compiled | None = Compiled(step)

    def __call__(self, images: Array, labels: Array) -> list[Array]:
        if self.program is None or not len(labels):
            return []
        try:
            results: list[Array] = self.program(images, labels)
            return results
        except CannotCompile as error:
            self.program = None
            if self.say:
                self.say(f"not as a program: {error}")
            return []


ENOUGH = 8  # batches; to make a program takes as long as some three of them
