"""What the exercises are written with: cases to draw, and comparisons that can be drawn when they fail.

    from tests.exercises.kit import given, lines, same, st, whole

Arrays hold small whole numbers as floats: their sums and products are exact in any order, so both sides of a law about
a linear layer must agree to the last bit (`same`).  Where a law is about smooth functions, use `reals` and `close`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ..strategies import Line, lines, pool_lines

__all__ = [
    "Case", "Differs", "Line", "assume", "close", "convolutions", "given", "inner", "lines", "np", "numeric_gradient",
    "pool_lines", "reals", "refuses", "same", "settings", "st", "values", "whole",
]  # fmt: skip

# -- cases -------------------------------------------------------------------------------------------------------------


def whole(*shape: int, low: int = -3, high: int = 3) -> st.SearchStrategy[np.ndarray]:
    """Arrays of this shape, of whole numbers from low to high (as floats); they shrink towards zeros.

    (One byte for each element: ten times faster than drawing numbers one by one.)
    """
    if not all(isinstance(size, int | np.integer) for size in shape):
        raise TypeError(f"sizes are written one by one, as in whole(2, 3) or whole(*y.shape), got {shape}")
    table = np.array(sorted(range(low, high + 1), key=lambda number: (abs(number), number < 0)), dtype=float)
    size = math.prod(shape)
    return st.binary(min_size=size, max_size=size).map(
        lambda raw: table[np.frombuffer(raw, np.uint8) % len(table)].reshape(shape)
    )


def reals(*shape: int) -> st.SearchStrategy[np.ndarray]:
    """Arrays of this shape, of numbers from -2 to 2 in steps of 1/63."""
    return whole(*shape, low=-126, high=126).map(lambda x: x / 63)


class Case(NamedTuple):
    """A convolution that fits: x (N, C, W), w (O, C/groups, k), b (O), and the window's way along each axis."""

    x: np.ndarray
    w: np.ndarray
    b: np.ndarray
    settings: dict[str, Any]
    lines: tuple[Line, ...]


MOST: ContextVar[tuple[int, int, int]] = ContextVar("MOST", default=(999, 999, 999))


@contextmanager
def small(batch: int, channels: int, groups: int) -> Iterator[None]:
    """Within the block, `convolutions` draws at most so many of each."""
    before = MOST.set((batch, channels, groups))
    try:
        yield
    finally:
        MOST.reset(before)


@st.composite
def convolutions(draw: Any, axes: int = 1, groups: int = 1, batch: int = 2, channels: int = 2) -> Case:
    """A case for conv1d or conv2d, called as `conv1d(case.x, case.w, case.b, **case.settings)`, up to these numbers.

    The number of places is drawn first and the input's size worked out from it, so every case fits.
    """
    batch, channels, most = map(min, (batch, channels, groups), MOST.get())
    along = tuple(draw(lines(places=3, kernel=3, stride=2, padding=2, dilation=2)) for _ in range(axes))
    n, c, o = draw(st.integers(1, batch)), draw(st.integers(1, channels)), draw(st.integers(1, channels))
    g = draw(st.integers(1, most))
    x = draw(whole(n, g * c, *(line.n for line in along)))
    w = draw(whole(g * o, c, *(line.k for line in along)))
    b = draw(whole(g * o))
    names = ("stride", "padding", "dilation")
    setting: dict[str, Any] = {name: tuple(getattr(line, name) for line in along) for name in names}
    return Case(x, w, b, setting | ({"groups": g} if groups > 1 else {}), along)


# -- comparisons -------------------------------------------------------------------------------------------------------


class Differs(AssertionError):
    """Two arrays that should be equal, and the first cell where they are not."""

    def __init__(self, found: np.ndarray, expected: np.ndarray, cell: tuple[int, ...] | None) -> None:
        if cell is None:
            text = f"shape {found.shape}, expected {expected.shape}"
        else:
            a, b, place = found[cell] + 0.0, expected[cell] + 0.0, f" at {list(cell)}" if cell else ""  # -0 is 0
            text = f"{a:g}{place}, expected {b:g}"
            if nearly(a, b):
                text = f"{float(a)!r}{place}, expected {float(b)!r} ({ROUNDING})"
        super().__init__(text)
        self.found, self.expected, self.cell = found, expected, cell


ROUNDING = "equal but for rounding: compare with close(a, b)"


def nearly(a: Any, b: Any) -> bool:
    """Whether two numbers differ by no more than rounding."""
    numbers = int | float | np.number
    return isinstance(a, numbers) and isinstance(b, numbers) and math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9)


def values(x: Any) -> np.ndarray:
    """The numbers of a Tensor, an array or a number, as an array."""
    return np.asarray(x if isinstance(x, np.ndarray | float | int) else getattr(x, "data", x), dtype=float)


def same(found: Any, expected: Any) -> None:
    """Both have the same shape and exactly the same values (NaN equals NaN)."""
    close(found, expected, tolerance=0.0)


def close(found: Any, expected: Any, tolerance: float = 1e-6) -> None:
    """Both have the same shape, and values that differ by at most tolerance, relative to 1 and to their size."""
    a, b = values(found), values(expected)
    if a.shape != b.shape:
        raise Differs(a, b, None)
    with np.errstate(invalid="ignore"):
        near = (a == b) | (np.isnan(a) & np.isnan(b))
        finite = np.isfinite(a) & np.isfinite(b)  # else infinity would be near to everything, relative to its size
        near |= finite & (np.abs(a - b) <= tolerance * np.maximum(1, np.maximum(np.abs(a), np.abs(b))))
    if not near.all():
        raise Differs(a, b, tuple(int(i) for i in np.argwhere(~near)[0]))


def refuses(function: Callable[..., Any], *args: Any, **settings: Any) -> bool:
    """Whether calling the function with these arguments is a ValueError."""
    try:
        function(*args, **settings)
    except ValueError:
        return True
    return False


def inner(a: Any, b: Any) -> float:
    """<a, b>: the sum of the products of all elements."""
    a, b = values(a), values(b)
    if a.shape != b.shape:
        raise Differs(a, b, None)
    return float((a * b).sum())


def numeric_gradient(f: Callable[[np.ndarray], Any], x: np.ndarray, seed: Any = 1.0, step: float = 1e-3) -> np.ndarray:
    """What a derivative is: how much <seed, f(x)> moves when one element of x moves a little, for each element.

    f is a function of x alone: lambda x: engine.dense(x, w).

    >>> numeric_gradient(lambda x: x**2, np.array([1.0, 3.0])).round(6)
    array([2., 6.])
    """
    if not callable(f):
        raise TypeError(f"f must be a function of x, as in numeric_gradient(engine.tanh, x), got a {type(f).__name__}")
    x = values(x)
    gradient = np.zeros_like(x)
    for cell in np.ndindex(x.shape):
        for factor, steps in (8, 1), (-8, -1), (-1, 2), (1, -2):
            moved = x.copy()
            moved[cell] += steps * step
            gradient[cell] += factor * (values(f(moved)) * values(seed)).sum()
    return gradient / (12 * step)
