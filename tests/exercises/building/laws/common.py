"""What the laws share: an adjoint's law, slopes by finite differences, and random programs with their exact slopes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ...draw import Cell, Picture
from ...kit import close, same, values, whole

Array = np.ndarray
Law = Callable[..., None]


def for_all(examples: int | None = None, **drawn: Any) -> Callable[[Law], Law]:
    """Says what a law is tried on; `ready` makes it a test of Hypothesis, with the settings of that moment."""

    def keep(law: Law) -> Law:
        vars(law).update(drawn=drawn, examples=examples)
        return law

    return keep


def ready(law: Law) -> Law:
    drawn, examples = vars(law).get("drawn"), vars(law).get("examples")
    test = law if drawn is None else given(**drawn)(law)
    return test if examples is None else settings(max_examples=examples)(test)


class Broken(AssertionError):
    """A law that does not hold, with a picture of what was found."""

    def __init__(self, text: str, pictures: Sequence[Picture] = ()) -> None:
        super().__init__(text)
        self.pictures = list(pictures)


def demand(holds: bool, text: str, *pictures: Picture) -> None:
    if not holds:
        raise Broken(text, pictures)


def is_tensor(e: Any, x: Any, what: str) -> None:
    demand(isinstance(x, e.Tensor), f"{what} should be a Tensor, and is {type(x).__name__}")


def rule(t: Any, i: int, g: Any, x: Any) -> Any:
    """The share of input i, as its rule gives it for g; it has the shape of the input, or something was hidden."""
    share = t.rules[i](g)
    found = values(share).shape
    demand(found == x.shape, f"rule {i} of {t.op!r} gives shape {found} for an input of shape {x.shape}")
    return share


def shared(e: Any, y: Any, x: Any, g: Any) -> Any:
    """What flows back from y to x for g, by the rules alone: the sum over all paths, or None if there is none.

    (For the few operators of one step.  An operator may be made of others, or give back what it got.)
    """
    if y is x:
        return g
    found = None
    for i, t in enumerate(y.inputs):
        if t is not x and not t.inputs:
            continue
        share = rule(y, i, g, t)
        is_tensor(e, share, f"what rule {i} of {y.op!r} gives")
        part = shared(e, t, x, share)
        if part is not None:
            found = part if found is None else found + part
    return found


def linear(e: Any, f: Callable[[Any], Any], x: Array, g: Array) -> None:
    """<f(x), g> = <x, dx> for what flows back, dx; and what flows back through that, given x, is f(x) again."""
    t, seed = e.Tensor(x), e.Tensor(g)
    y = f(t)
    demand(y.shape == g.shape, f"the result has shape {y.shape}, where {g.shape} is right")
    dx = shared(e, y, t, seed)
    demand(dx is not None, "the result has no recipe that leads to x: nothing flows back")
    demand(dx.shape == t.shape, f"what flows back to x has shape {dx.shape}, where {t.shape} is right")
    if inner(y, seed) != inner(t, dx):
        what = f"<f(x), g> = {inner(y, seed):g}, but <x, dx> = {inner(t, dx):g} for what flows back, dx"
        told(lambda: same(dx, adjoint(e, f, x, g)), what)
        demand(False, what)
    back = shared(e, dx, seed, t)
    demand(back is not None, f"what the rule of {y.op!r} gives has no recipe, so it has no derivative")
    what = f"the rule of what flows back through {y.op!r}, given x, should be f(x) again"
    demand(back.shape == y.shape, f"{what}: it has shape {back.shape}, and not {y.shape}")
    told(lambda: same(back, y), what)


def adjoint(e: Any, f: Callable[[Any], Any], x: Array, g: Array) -> Array:
    """What should flow back through a linear f, from its values alone: <f(a single 1), g> for each place of the 1."""
    found = np.zeros_like(x)
    for cell in np.ndindex(x.shape):
        single = np.zeros_like(x)
        single[cell] = 1
        found[cell] = (values(f(e.Tensor(single))) * g).sum()
    return found


def inner(a: Any, b: Any) -> float:
    return float((values(a) * values(b)).sum())


def slopes(f: Callable[[Array], Any], x: Array, seed: Array, step: float = 1e-3) -> Array:
    """By central differences of fourth order: how much <seed, f(x)> moves when one element of x does."""
    found = np.zeros_like(x)
    for cell in np.ndindex(x.shape):
        for factor, steps in (8, 1), (-8, -1), (-1, 2), (1, -2):
            moved = x.copy()
            moved[cell] += steps * step
            found[cell] += factor * (values(f(moved)) * seed).sum()
    return found / (12 * step)


def has_slopes(e: Any, f: Callable[[Any], Any], x: Array, seed: Array, second: Array, what: str) -> None:
    """Through `gradients`, to second order: the first derivative is the slope of f, the second that of the first."""

    def first(x: Any) -> Any:
        t = x if isinstance(x, e.Tensor) else e.Tensor(x)
        return e.gradients(f(t), [t], seed)[0]

    t = e.Tensor(x)
    told(lambda: close(first(t), slopes(lambda x: f(e.Tensor(x)), x, seed), 1e-5), f"the derivative of {what}")
    (bend,) = e.gradients(first(t), [t], second)
    told(lambda: close(bend, slopes(first, x, second), 1e-4), f"the second derivative of {what}")


def told(comparison: Callable[[], None], what: str) -> None:
    """A comparison that says what was compared when it fails."""
    try:
        comparison()
    except AssertionError as error:
        error.args = (f"{what}: {error}",)
        raise


# -- sizes -------------------------------------------------------------------------------------------------------------

MOST: ContextVar[int] = ContextVar("MOST", default=99)


@contextmanager
def at_most(number: int) -> Iterator[None]:
    """Within the block, `upto` draws at most this number: the smallest case is looked for among small ones first."""
    before = MOST.set(number)
    try:
        yield
    finally:
        MOST.reset(before)


@st.composite
def upto(draw: Any, most: int) -> int:
    """A size from 1 to most."""
    return draw(st.integers(1, min(most, MOST.get())))


# -- programs ----------------------------------------------------------------------------------------------------------


class Program(NamedTuple):
    """Steps (name, i, j): each adds or multiplies two earlier values; value 0 is x, value 1 is y."""

    steps: tuple[tuple[str, int, int], ...]

    def run(self, e: Any, *leaves: Any) -> list[Any]:
        made = list(leaves)
        for name, i, j in self.steps:
            made.append(getattr(e, name)(made[i], made[j]))
        return made

    def slope(self, x: Array, y: Array, dx: Array, dy: Array) -> Array:
        """How the last value moves when x moves by dx and y by dy, exactly: the rules of sum and product, forwards."""
        made = [(x, dx), (y, dy)]
        for name, i, j in self.steps:
            (a, da), (b, db) = made[i], made[j]
            made.append((a + b, da + db) if name == "add" else (a * b, da * b + a * db))
        return made[-1][1]

    def __repr__(self) -> str:
        return "; ".join(self.lines()[2:])

    def pictures(self, name: str) -> Iterator[Picture]:
        yield Picture(f"{name}:  {self!r}")

    def names(self) -> list[str]:
        return [*"xyabcdefghij"][: 2 + len(self.steps)]

    def lines(self) -> list[str]:
        names = self.names()
        sign = {"add": "+", "multiply": "*"}
        made = [f"{names[k + 2]} = {names[i]} {sign[op]} {names[j]}" for k, (op, i, j) in enumerate(self.steps)]
        return ["x", "y", *made]

    def picture(self, title: str, visits: Sequence[int] = ()) -> Picture:
        """The graph: the last value on top, each row nearer to the leaves, with the number of the visit."""
        depth = [0, 0]
        for _, i, j in self.steps:
            depth.append(1 + max(depth[i], depth[j]))
        reached = self.reached()
        text = [
            line
            + (f"  ({', '.join(f'{n + 1}.' for n, v in enumerate(visits) if v == k) or 'no visit'})" if visits else "")
            for k, line in enumerate(self.lines())
        ]
        rows, places = [], {}
        for level in range(max(depth), -1, -1):
            here = [k for k in range(len(depth)) if depth[k] == level and k in reached]
            for column, k in enumerate(here):
                places[k] = (len(rows), column)
            rows.append([Cell(text[k], "hit" if visits and k not in visits else "plain") for k in here])
        wires = [
            (places[k + 2], places[source])
            for k, (_, *sources) in enumerate(self.steps)
            for source in sources
            if k + 2 in places
        ]
        return Picture(title, rows, wires)

    def reached(self) -> set[int]:
        """The values that the last one was computed from, itself included."""
        found = {len(self.steps) + 1}
        for k in range(len(self.steps) - 1, -1, -1):
            if k + 2 in found:
                found |= set(self.steps[k][1:])
        return found


CLASSICS = [
    Program((("add", 0, 0), ("add", 2, 2))),  # a + a; b + b
    Program((("multiply", 0, 0), ("multiply", 2, 0), ("add", 0, 3))),  # x + x * x * x
    Program((("add", 0, 1), ("multiply", 0, 1), ("add", 2, 3))),  # (x + y) + x * y
    Program((("add", 0, 1), ("add", 2, 0), ("multiply", 3, 2))),
    Program((("multiply", 0, 1), ("add", 2, 0), ("multiply", 3, 3), ("add", 2, 4))),
]


@st.composite
def random_programs(draw: Any) -> Program:
    """Up to eight steps, each most often from one of the last three values, so that values are used again."""
    steps = []
    for k in range(draw(st.integers(1, 8))):
        recent = st.integers(max(0, k - 1), k + 1)
        name = draw(st.sampled_from(["add", "add", "multiply"]))
        steps.append((name, draw(recent), draw(st.one_of(recent, st.integers(0, k + 1)))))
    return Program(tuple(steps))


programs = st.one_of(st.sampled_from(CLASSICS), random_programs())
units = whole(2, low=-2, high=2)

__all__ = [
    "Array", "Broken", "Law", "Program", "at_most", "close", "demand", "for_all", "has_slopes", "is_tensor", "linear",
    "programs", "ready", "rule", "same", "slopes", "told", "units", "upto", "values", "whole",
]  # fmt: skip
