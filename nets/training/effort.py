"""What it takes to learn: how many images, passes and seconds for which error.

What you can do here: train a network on more and more examples with `efforts`, and show what came out as a `table` or
as a `picture`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from ..data.distort import distort
from ..data.examples import Examples, usable
from ..layers.module import Module
from .optim import SGD
from .pictures import error_chart
from .train import evaluate, fit


class Effort(NamedTuple):
    """What a training took, and how many of the answers to the test were wrong after it."""

    images: int
    passes: int
    seconds: float
    wrong: int
    tests: int

    @property
    def error(self) -> float:
        """The part of wrong answers."""
        return self.wrong / self.tests


def efforts(
    build: Callable[[], Module],
    train: Examples,
    test: Examples,
    counts: Sequence[int],
    passes: Sequence[int] = (5, 15, 50),
    seed: int = 0,
) -> list[Effort]:
    """Train a new network for each number of images and of passes, each time from the beginning.

    The images are the first ones in a random order that the seed decides, so a larger number holds the smaller ones;
    they are distorted anew in each pass, and the optimizer is that of `fit`.
    Raises ValueError for a number that is less than 1 or more than there are, and what `fit` raises.

    >>> from nets import Dense, Flatten, Sequential, digits
    >>> def build():
    ...     return Sequential(Flatten(), Dense(64, 10, rng=np.random.default_rng(0)))
    >>> [few, more] = efforts(build, *digits(), counts=[20, 500], passes=[5])
    >>> few.images, more.images, few.error > more.error
    (20, 500, True)
    """
    train = usable(train, "learn from")
    if wrong := [count for count in counts if not 1 <= count <= len(train.labels)]:
        raise ValueError(f"counts (={wrong}) must be from 1 to {len(train.labels)}")
    order = np.random.default_rng(seed).permutation(len(train.labels))
    results = []
    for count in counts:
        part = Examples(*(array[order[:count]] for array in train))
        for epochs in passes:
            model, begin = build(), time.perf_counter()
            optimizer = SGD(model, 0.05, momentum=0.9, nesterov=True, weight_decay=5e-4)
            fit(model, part, epochs=epochs, optimizer=optimizer, distort=distort, seed=seed, progress=False)
            seconds = time.perf_counter() - begin
            right = round(evaluate(model, test).accuracy * len(test.labels))
            results.append(Effort(count, epochs, seconds, len(test.labels) - right, len(test.labels)))
    return results


def table(results: Sequence[Effort]) -> str:
    """A row for each training, in Markdown.

    >>> print(table([Effort(100, 5, 0.25, 90, 359)]))
    | images | passes | seconds | wrong in the test | error |
    |-------:|-------:|--------:|------------------:|------:|
    | 100 | 5 | 0.2 | 90 of 359 | 25.07 % |
    """
    head = [
        "| images | passes | seconds | wrong in the test | error |",
        "|-------:|-------:|--------:|------------------:|------:|",
    ]
    rows = [
        f"| {e.images:,} | {e.passes} | {e.seconds:.1f} | {e.wrong:,} of {e.tests:,} | {e.error:.2%} |".replace(
            "%", " %"
        )
        for e in results
    ]
    return "\n".join([*head, *rows])


def picture(results: Sequence[Effort]) -> str:
    """The error over the number of images, a curve for each number of passes; both scales are logarithmic: an SVG.

    Raises ValueError if there is nothing to draw.

    >>> svg = picture([Effort(100, 5, 0.25, 90, 359), Effort(1000, 5, 2.5, 9, 359)])
    >>> "5 passes: 2.51 % wrong after 2.5 s" in svg
    True
    """
    if not results:
        raise ValueError("there are no trainings to draw")
    counts = sorted({e.images for e in results})
    spread = math.log(counts[-1] / counts[0]) or 1.0
    places = {count: math.log(count / counts[0]) / spread for count in counts}
    curves = []
    for passes in sorted({e.passes for e in results}):
        mine = sorted(e for e in results if e.passes == passes)
        label = f"{passes} passes: {mine[-1].error * 100:.2f} % wrong after {mine[-1].seconds:.1f} s"
        curves.append((label, [(places[e.images], e.error) for e in mine]))
    return error_chart(curves, [(places[count], f"{count:,}") for count in counts], "training images")
