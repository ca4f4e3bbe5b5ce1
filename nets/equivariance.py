"""How far a layer is from moving with the picture.

What you can do here: `equivariance_error` of any function f under any change g of the picture.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from minitensor import Tensor, no_grad
from minitensor.checks import whole
from minitensor.tensor import Array

Function = Callable[[Any], Any]  # of arrays or Tensors


class EquivarianceError(NamedTuple):
    """Where f(g(x)) = g(f(x)) holds, by how much it fails for x, and a small picture for which it fails."""

    holds: Array  # True for each output cell where both sides agreed for every picture that was tried
    deviation: float
    counterexample: Array | None

    def __str__(self) -> str:
        cells = f"{self.holds.size} output cells"
        if self.counterexample is None:
            return f"f(g(x)) = g(f(x)) in all {cells}"
        return (
            f"f(g(x)) = g(f(x)) in {int(self.holds.sum())} of {cells}; "
            f"elsewhere they differ by up to {self.deviation:g}.  "
            f"A small picture for which they differ:\n{self.counterexample}"
        )


def equivariance_error(
    f: Function,
    g: Function,
    x: npt.ArrayLike,
    *,
    after: Function | None = None,
    tries: int = 20,
    tolerance: float = 0.0,
) -> EquivarianceError:
    """Compare f(g(x)) with g(f(x)): the domain where they agree, the largest deviation, a small counterexample.

    `after` is what stands for g behind f, if that is another function (as `nets.group_conv.act`).
    The domain is that of x and of `tries` further pictures of its shape, always the same, of small whole numbers: where
    the arithmetic is exact, so is the answer.  The deviation is that for x.  In the counterexample, cell after cell has
    been made 0, or else 1, for as long as it still fails.  tolerance allows for rounding, where x or the weights are
    not whole numbers.
    Raises ValueError where the two sides have different shapes, and for a negative number of tries.

    >>> from minitensor import conv1d
    >>> def blur(x):
    ...     return conv1d(x, np.ones((1, 1, 3)), padding=1)
    >>> error = equivariance_error(blur, lambda x: np.roll(x, 1), np.arange(6.0).reshape(1, 1, 6))
    >>> error.holds[0, 0].tolist(), error.counterexample.tolist()
    ([False, False, True, True, True, False], [[[0.0, 0.0, 0.0, 0.0, 0.0, 1.0]]])
    """
    if whole("tries", tries) < 0:
        raise ValueError(f"tries (={tries}) must be at least 0")
    x = np.array(x, dtype=float)
    rng = np.random.default_rng(0)
    holds: Any = True
    failing = None
    deviation = 0.0
    for number in range(tries + 1):
        picture = x if number == 0 else rng.integers(-3, 4, x.shape).astype(float)
        difference = _difference(f, g, after or g, picture)
        deviation = float(difference.max(initial=0)) if number == 0 else deviation
        holds = holds & (difference <= tolerance)
        if failing is None and not (difference <= tolerance).all():
            failing = picture

    def fails(picture: Array) -> bool:
        return not (_difference(f, g, after or g, picture) <= tolerance).all()

    return EquivarianceError(holds, deviation, None if failing is None else _smallest(fails, failing))


def _difference(f: Function, g: Function, after: Function, x: Array) -> Array:
    """|f(g(x)) - g(f(x))|, cell by cell."""
    with no_grad():
        left, right = (_array(y) for y in (f(_array(g(x))), after(_array(f(x)))))
    if left.shape != right.shape:
        raise ValueError(f"f(g(x)) has shape {left.shape} and g(f(x)) {right.shape}, so they cannot be compared")
    same = (left == right) | (np.isnan(left) & np.isnan(right))
    with np.errstate(invalid="ignore"):
        return np.where(same, 0, np.abs(left - right))


def _array(y: Any) -> Array:
    return np.asarray(y.data if isinstance(y, Tensor) else y)


def _smallest(fails: Callable[[Array], bool], x: Array) -> Array:
    """Zeros in ever smaller blocks, then ones, for as long as it still fails."""
    size, shrunk = x.size, True
    while size > 1 or shrunk:
        shrunk = False
        for start in range(0, x.size, size):
            fewer = x.copy()
            fewer.reshape(-1)[start : start + size] = 0
            if (fewer != x).any() and fails(fewer):
                x, shrunk = fewer, True
        size = max(1, size // 2)
    for cell in np.argwhere(x):
        simple = x.copy()
        simple[tuple(cell)] = 1
        x = simple if fails(simple) else x
    return x
