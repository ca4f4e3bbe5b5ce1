"""A run: what it achieved, which run it is, and where it stood when it was interrupted.

What you can do here: read the `Score` and the `Epoch`s of a fit.  The rest is what `fit` needs to go on with a run: a
text for each of its settings, by which two runs are told apart, and a check of what a checkpoint says of it.
"""

from __future__ import annotations

import inspect
import math
import re
import zlib
from collections.abc import Iterator, Mapping
from functools import partial
from itertools import zip_longest
from operator import add
from types import CodeType, FunctionType, MethodType
from typing import Any, NamedTuple

import numpy as np

from ..data.examples import Examples


class Score(NamedTuple):
    """The mean loss, and the part of the answers that are right."""

    loss: float
    accuracy: float


class Epoch(NamedTuple):
    """What one pass through the examples achieved."""

    train: Score  # taken while learning, so of a model that gets better
    test: Score | None
    images_per_second: float


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


# -- which run it is ---------------------------------------------------------------------------------------------------


def settings_of(
    model: object, optimizer: object, data: Examples, test: Examples | None, **others: Any
) -> dict[str, Any]:
    """What tells a run from others, by name: a text for each, and whole numbers as they are.

    The model and the optimizer are told by their reprs, so by their settings; examples by all that they hold; functions
    as `described` says.  Not told apart are functions that were edited and kept their names.
    """
    return {
        "model": without_addresses(repr(model)),
        "optimizer": without_addresses(repr(optimizer)),
        "data": fingerprint(data),
        "test": None if test is None else fingerprint(test),
        **{name: value if isinstance(value, int) else described(value) for name, value in others.items()},
    }


def fingerprint(data: Examples) -> str:
    """A text that is another one for other examples: their number, shape and type, and a checksum.

    >>> fingerprint(Examples(np.zeros((2, 1, 3, 3)), np.array([0, 1])))
    '2 images 1x3x3 of float64, checksum 66ad53fd'
    """
    checksum = 0
    for array in data:
        checksum = zlib.crc32(np.ascontiguousarray(array).data, checksum)
    n, *shape = data.images.shape
    return f"{n} images {'x'.join(map(str, shape))} of {data.images.dtype}, checksum {checksum:08x}"


def described(value: Any) -> str:
    """A text that tells a function or another setting from others, and is the same in every process.

    A function is told by its name, the values that it has closed over, and the arguments that a `partial` gives it; a
    lambda, which has no name, by its code.  Not told apart are two versions of a function with the same name, and
    other objects of one class.

    >>> described(partial(round, ndigits=2)), described(lambda p: 1.0) == described(lambda p: 0.5)
    ('partial(builtins.round, ndigits=2)', False)
    """
    if isinstance(value, partial):
        arguments = [*map(described, value.args), *(f"{k}={described(v)}" for k, v in sorted(value.keywords.items()))]
        return f"partial({', '.join([described(value.func), *arguments])})"
    if isinstance(value, MethodType):
        return f"{described(value.__self__)}.{value.__name__}"
    if isinstance(value, FunctionType):
        function = inspect.unwrap(value)  # a decorator is not what a function is
        name = f"{function.__module__}.{function.__qualname__}"
        if function.__name__ == "<lambda>":
            name += f" {zlib.crc32('; '.join(_code(function.__code__)).encode()):08x}"
        closed_over = [described(cell.cell_contents) for cell in function.__closure__ or ()]
        return f"{name}({', '.join(closed_over)})" if closed_over else name
    if isinstance(value, np.ndarray):
        return f"array {zlib.crc32(np.ascontiguousarray(value).data):08x}"
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, (list, tuple)):
        return f"({', '.join(map(described, value))})"
    if value is None or isinstance(value, (bool, int, float, str)):
        return repr(value)
    named = value if hasattr(value, "__qualname__") else type(value)
    return f"{getattr(named, '__module__', None)}.{named.__qualname__}"


def _code(code: CodeType) -> Iterator[str]:
    """What a function does, in all detail, without its place in a file."""
    yield f"{code.co_code.hex()} {code.co_names}"
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _code(constant)
        else:
            yield repr(constant)


def without_addresses(text: str) -> str:
    """A repr without the places in memory that it may name, which are others in each process.

    >>> without_addresses(repr(object()))
    '<object object>'
    """
    return re.sub(r" at 0x[0-9A-Fa-f]+", "", text)


# -- where it stood ----------------------------------------------------------------------------------------------------


def stand(notes: Mapping[str, Any], settings: Mapping[str, Any], examples: int) -> tuple[list[Epoch], Sums]:
    """Where a run with these settings stood when it was saved: the epochs done, and the sums of the one under way.

    Raises ValueError where the notes are those of another run, or say what cannot be.
    """
    saved = notes.get("settings")
    if not isinstance(saved, dict):
        raise ValueError("the checkpoint does not say which run it is of: it can be loaded, but not resumed")
    names = [name for name in sorted(saved.keys() | settings.keys()) if saved.get(name) != settings.get(name)]
    if differences := [_difference(name, saved.get(name), settings.get(name)) for name in names]:
        raise ValueError(f"the checkpoint is of a run with other settings: {'; '.join(differences)}")
    steps, batch_size = math.ceil(examples / settings["batch_size"]), settings["batch_size"]
    try:
        epochs = [_epoch(*epoch) for epoch in notes["epochs"]]
        sums = Sums(*_numbers(notes["sums"], 5))
        left = settings["epochs"] - len(epochs)  # epochs to go, one of which may be under way
        if left < 0 or sums.steps not in range(steps if left else 1) or sums.seen != sums.steps * batch_size:
            raise ValueError(f"{len(epochs)} epochs are done, and {sums}")
        if not 0 <= sums.right <= sums.seen or (sums.seconds <= 0) != (sums.steps == 0):
            raise ValueError(f"{sums} cannot be")
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"the notes of the checkpoint are damaged: {error}") from error
    return epochs, sums._replace(steps=int(sums.steps))


def _difference(name: str, old: Any, new: Any) -> str:
    """The first line in which they differ."""
    lines = zip_longest(str(old).splitlines(), str(new).splitlines(), fillvalue="without this line")
    was, now = next(((a, b) for a, b in lines if a != b), (repr(old), repr(new)))
    return f"{name} was {was.strip()}, is {now.strip()}"


def _epoch(train: Any, test: Any, images_per_second: Any) -> Epoch:
    if _numbers([images_per_second], 1)[0] <= 0:
        raise ValueError(f"{images_per_second} images a second cannot be")
    return Epoch(_score(train), None if test is None else _score(test), images_per_second)


def _score(values: Any) -> Score:
    score = Score(*_numbers(values, 2))
    if not 0 <= score.accuracy <= 1:
        raise ValueError(f"{score.accuracy} is no part of the answers")
    return score


def _numbers(values: Any, count: int) -> list[Any]:
    if not isinstance(values, list) or len(values) != count:
        raise ValueError(f"{values!r:.100} should be {count} numbers")
    if not all(type(value) in (int, float) and math.isfinite(value) for value in values):
        raise ValueError(f"{values!r:.100} should be finite numbers")
    return values
