"""Learning, and how well it went.

What you can do here: `fit` a model to examples, `predict` what images show, and `evaluate` how often that is right.
"""

from __future__ import annotations

import math
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from operator import add
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from tqdm import tqdm

from minitensor import Tensor, cross_entropy, gradients, no_grad
from minitensor.tensor import Array, recording, whole

from .checkpoint import load, load_notes, save
from .data import Examples, as_examples, batches
from .module import Module
from .optim import SGD, Optimizer, Schedule, one_cycle
from .parallel import ALONE, Workers
from .regular import Dropout

Loss: TypeAlias = Callable[[Tensor, Array], Tensor]  # of the model's output and the labels
Decide: TypeAlias = Callable[..., Any]  # np.argmax where the largest output wins, np.argmin where the smallest does
Distort: TypeAlias = Callable[[Array, np.random.Generator], Array]


class Score(NamedTuple):
    """The mean loss, and the part of the answers that are right."""

    loss: float
    accuracy: float


class Epoch(NamedTuple):
    """What one pass through the examples achieved."""

    train: Score  # taken while learning, so of a model that gets better
    test: Score | None
    images_per_second: float


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
) -> list[Epoch]:
    """Let the model learn from examples, and return what each epoch achieved.

    For each batch: the loss, its gradients, and a step of the optimizer, at a rate that follows the schedule.  Without
    an optimizer it is SGD with Nesterov momentum 0.9, learning rate 0.05 and weight decay 5e-4.  distort(images, rng)
    may change the images of each batch.  The same seed and the same model give the same numbers, bit for bit.

    Ctrl-C ends the fit after the current step, and the list then has fewer epochs.  With a checkpoint, the state is
    saved there after each epoch and at the end; with resume, a fit goes on from there, and ends in the same numbers as
    one that was never interrupted.  With several workers, each learns from a part of every batch (see `parallel.py`),
    and the result is the same, to rounding, as with one.

    Raises ValueError for less than one epoch, without examples, where the loss is not finite, for an optimizer of
    another model, and for a checkpoint of another model or other settings; FileNotFoundError if there is nothing to
    resume.

    >>> from nets import Dense, Flatten, Sequential, digits
    >>> train, test = digits()
    >>> model = Sequential(Flatten(), Dense(64, 10, rng=np.random.default_rng(0)))
    >>> epochs = fit(model, train, epochs=5, progress=False)
    >>> epochs[1].train.loss < epochs[0].train.loss, evaluate(model, test).accuracy > 0.9
    (True, True)
    """
    data, test = as_examples(data), None if test is None else as_examples(test)
    epochs, batch_size, seed = (
        whole(*pair) for pair in (("epochs", epochs), ("batch_size", batch_size), ("seed", seed))
    )
    if epochs < 1 or batch_size < 1 or seed < 0:
        raise ValueError(f"epochs (={epochs}) and batch_size (={batch_size}) must be at least 1, seed (={seed}) 0")
    if not len(data.labels):
        raise ValueError("there are no examples to learn from")
    if test is not None and not len(test.labels):
        raise ValueError("there are no examples to test with")
    if resume and checkpoint is None:
        raise ValueError("resume=True needs a checkpoint: the path of the file to go on from")
    if checkpoint is not None and Path(checkpoint).is_dir():  # to be told after an epoch would be late
        raise IsADirectoryError(f"the checkpoint must be a file, and {checkpoint} is a folder")
    if optimizer is None:
        optimizer = SGD(model, 0.05, momentum=0.9, nesterov=True, weight_decay=5e-4)
    settings: dict[str, Any] = {"examples": len(data.labels), "epochs": epochs, "batch_size": batch_size, "seed": seed}
    functions = {"schedule": schedule, "loss": loss, "distort": distort}
    settings |= {"optimizer": repr(optimizer), **{name: _name_of(function) for name, function in functions.items()}}
    done: list[Epoch] = []
    sums = Sums()  # of the epoch that is under way
    if resume and checkpoint is not None:
        done, sums = _stand(load_notes(checkpoint), settings)
        load(checkpoint, model, optimizer)
    steps = math.ceil(len(data.labels) / batch_size)  # in one epoch

    bar = tqdm(
        total=epochs * len(data.labels),
        initial=len(done) * len(data.labels) + int(sums.seen),
        unit=" images",
        disable=not progress or workers.rank > 0,
    )
    stop = False
    with interruptible() as interrupted, bar:
        while len(done) < epochs and not stop:
            model.train()
            bar.set_description(f"epoch {len(done) + 1}/{epochs}")
            shuffled = batches(data, batch_size, _rng(seed, ORDER, len(done)))
            numbered = enumerate(shuffled, start=len(done) * steps)
            begin = time.perf_counter()
            for step, (images, labels) in islice(numbered, sums.steps, None):  # a checkpoint has the first behind it
                if distort is not None:
                    images = distort(images, _rng(seed, DISTORTION, step))
                _reseed(model, seed, step)
                scale = schedule(step / (epochs * steps))
                new = learn(model, optimizer, images, labels, loss=loss, decide=decide, scale=scale, workers=workers)
                end = time.perf_counter()
                sums, begin = sums.plus(new._replace(seconds=end - begin)), end
                bar.set_postfix(loss=f"{sums.score.loss:.4f}", accuracy=f"{sums.score.accuracy:.2%}", refresh=False)
                bar.update(len(labels))
                stop = workers.any(interrupted())
                if stop:
                    break
            if sums.steps == steps:
                score = None if test is None else evaluate(model, test, loss=loss, decide=decide, workers=workers)
                done.append(Epoch(sums.score, score, sums.seen / sums.seconds))
                sums = Sums()
            if checkpoint is not None and workers.rank == 0:
                save(checkpoint, model, optimizer, {"settings": settings, "epochs": done, "sums": sums})
    return done


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
) -> Sums:
    """One step: the loss of a batch, its gradients, and better parameters; returns the sums behind its `score`.

    scale multiplies the learning rate.  Raises ValueError where the loss is not finite, or the optimizer is that of
    another model; then nothing has changed.
    """
    parameters, before = model.parameters(), model.state_dict()
    if optimizer.model is not model and optimizer.model.parameters() != parameters:
        raise ValueError("the optimizer was made for another model, and would change that one")
    its_images, its_labels = workers.shard(images), workers.shard(labels)
    with recording(True), np.errstate(over="ignore", invalid="ignore"):  # the loss tells where numbers grow too large
        value, sums = _measure(model, its_images, its_labels, loss, decide)
    total, right, seen = workers.sum(sums[:3])
    if not math.isfinite(total):
        model.load_state_dict(before)  # what batch normalization remembers has changed
        raise ValueError(f"the loss is {total / seen} at learning rate {optimizer.learning_rate}: try a smaller one")
    with no_grad():  # so that the gradients keep no recipes of their own
        slopes = gradients(value, parameters)
    optimizer.step(workers.mean(slopes, len(its_labels) / len(labels)), scale)
    return Sums(total, right, seen, steps=1)


def evaluate(
    model: Module,
    data: Examples,
    *,
    loss: Loss = cross_entropy,
    decide: Decide = np.argmax,
    batch_size: int = 128,
    workers: Workers = ALONE,
) -> Score:
    """The mean loss of a model in use, and the part of its answers that are right; ValueError without examples.

    With several workers, each looks at a part of every batch, and all get the same score.

    >>> from nets import Flatten
    >>> evaluate(Flatten(), Examples(np.zeros((4, 1, 1, 2)), np.array([0, 0, 0, 1])))
    Score(loss=0.693..., accuracy=0.75)
    """
    data = as_examples(data)
    if not len(data.labels):
        raise ValueError("there are no examples to evaluate with")
    sums = Sums()
    with model.in_use(), no_grad():
        for images, labels in batches(data, batch_size):
            sums = sums.plus(_measure(model, workers.shard(images), workers.shard(labels), loss, decide)[1])
    total, right, seen = workers.sum(sums[:3])
    return Sums(total, right, seen).score


def predict(model: Module, images: Array, *, decide: Decide = np.argmax, batch_size: int = 128) -> Array:
    """The class of each image: the number of the largest output (with decide=np.argmin, of the smallest).

    >>> from nets import Flatten
    >>> predict(Flatten(), np.array([[[[0.0, 2.0, 1.0]]]]))
    array([1])
    """
    if whole("batch_size", batch_size) < 1:
        raise ValueError(f"batch_size (={batch_size}) must be at least 1")
    with model.in_use(), no_grad():
        parts = [model(images[i : i + batch_size]).data for i in range(0, len(images), batch_size)]
    return np.concatenate([np.zeros(0, np.intp), *(decide(part, axis=1) for part in parts)])


class Sums(NamedTuple):
    """What becomes a `Score` when it is divided by the number of examples seen."""

    loss: float = 0.0
    right: float = 0
    seen: float = 0
    steps: int = 0
    seconds: float = 0.0

    def plus(self, other: Sums) -> Sums:
        """Both together."""
        return Sums(*map(add, self, other))

    @property
    def score(self) -> Score:
        """The mean over the examples."""
        return Score(self.loss / self.seen, self.right / self.seen)


def _measure(model: Module, images: Array, labels: Array, loss: Loss, decide: Decide) -> tuple[Tensor, Sums]:
    """The loss of a batch, as a Tensor to take gradients of, and the numbers."""
    if not len(labels):  # a small batch may leave a worker without images
        return Tensor(0.0), Sums()
    output = model(images)
    value = loss(output, labels)
    right = float((decide(output.data, axis=1) == labels).sum())
    return value, Sums(value.item() * len(labels), right, len(labels))


ORDER, DISTORTION, DROPOUT = range(3)  # what is random in a fit; each has its own numbers


def _rng(seed: int, what: int, *when: int) -> np.random.Generator:
    """Random numbers that depend on the seed and the step alone, not on how the fit got there."""
    return np.random.default_rng([seed, what, *when])


def _name_of(function: Any) -> str:
    """What tells a function from others, in any process."""
    return getattr(getattr(function, "func", function), "__name__", type(function).__name__)


def _reseed(model: Module, seed: int, step: int) -> None:
    for number, (_, module) in enumerate(model.modules()):
        if isinstance(module, Dropout):
            module.reseed(_rng(seed, DROPOUT, step, number))


def _stand(notes: dict[str, Any], settings: dict[str, Any]) -> tuple[list[Epoch], Sums]:
    """Where a fit with these settings stood when it was saved: the epochs done, and the sums of the one under way."""
    saved = notes.get("settings")
    if not isinstance(saved, dict):
        raise ValueError("the checkpoint does not say which run it is of: it can be loaded, but not resumed")
    if differences := [
        f"{name} was {saved.get(name)}, is {settings.get(name)}"
        for name in sorted(saved.keys() | settings.keys())
        if saved.get(name) != settings.get(name)
    ]:
        raise ValueError(f"the checkpoint is of a run with other settings: {'; '.join(differences)}")
    try:
        epochs = [Epoch(Score(*train), test and Score(*test), speed) for train, test, speed in notes["epochs"]]
        return epochs, Sums(*notes["sums"])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"the notes of the checkpoint are damaged: {error}") from error


@contextmanager
def interruptible() -> Iterator[Callable[[], bool]]:
    """Within the block Ctrl-C is only noted, so that no step is cut in half; a second Ctrl-C stops at once.

    Gives a function that says whether it was pressed.  In a thread other than the first, which Ctrl-C does not reach,
    nothing changes.

    >>> with interruptible() as interrupted:
    ...     signal.raise_signal(signal.SIGINT)
    ...     interrupted()
    True
    """
    pressed = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield pressed.is_set
        return
    before = signal.getsignal(signal.SIGINT)

    def note(number: int, frame: object) -> None:
        pressed.set()
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, note)
    try:
        yield pressed.is_set
    finally:
        signal.signal(signal.SIGINT, before)
