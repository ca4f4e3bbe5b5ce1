"""For each operator of the engine: its formula, its rules as formulas, and the graph of its gradient, all computed.

What you can do here: `rules` of a primitive.

An operator is met where it is used: `CALLS` calls the public functions, and each primitive is looked for in what they
computed, in the gradients of that, and in the gradients of those.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

import numpy as np

import minitensor as mt
from minitensor import Primitive, Tensor, formula, gradients, history

from ..drawing.figure import Figure
from ..subjects.computation import computation_graph

ROW = np.array([[[0.5, 2.0, -1.0, 1.5]]])
TABLE = np.array([[0.5, 2.0], [-1.0, 1.5]])
UNARY = (
    mt.negative,
    mt.exp,
    mt.sqrt,
    mt.log,
    mt.tanh,
    mt.sign,
    mt.abs,
    mt.relu,
    mt.sigmoid,
    mt.softplus,
    mt.leaky_relu,
)
BINARY = (
    mt.add,
    mt.subtract,
    mt.multiply,
    mt.divide,
    mt.float_power,
    mt.greater,
    mt.greater_equal,
    mt.maximum,
    mt.minimum,
)
CALLS: tuple[Callable[[], Tensor], ...] = (
    *[lambda f=f: f(Tensor(2.0)) for f in UNARY],
    *[lambda f=f: f(Tensor(2.0), Tensor(3.0)) for f in BINARY],
    lambda: mt.power(Tensor(2.0), 3),
    lambda: mt.where(Tensor(1.0), Tensor(2.0), Tensor(3.0)),
    lambda: mt.astype(Tensor(2.0), "float32"),
    lambda: mt.reshape(Tensor(TABLE), 4),
    lambda: mt.transpose(Tensor(TABLE)),
    lambda: mt.broadcast_to(Tensor([1.0, 2.0]), 2, 2),
    lambda: mt.index(Tensor([1.0, 2.0, 3.0]), [0, 0, 2]),
    lambda: mt.pad(Tensor([1.0, 2.0]), 1),
    lambda: mt.concatenate([Tensor([1.0, 2.0]), Tensor([3.0])]),
    lambda: mt.stack([Tensor([1.0, 2.0]), Tensor([3.0, 4.0])]),
    lambda: mt.sum(Tensor(TABLE), axis=0),
    lambda: mt.max(Tensor(TABLE), axis=0),
    lambda: mt.min(Tensor(TABLE), axis=0),
    lambda: mt.logsumexp(Tensor(TABLE), axis=1),
    lambda: mt.matmul(Tensor(TABLE), Tensor(TABLE + 1)),
    lambda: mt.einsum("ij,jk->ik", Tensor(TABLE), Tensor(TABLE + 1)),
    lambda: mt.windows(Tensor([1.0, 2.0, 3.0]), 2),
    lambda: mt.fold(Tensor(TABLE), 3),
    lambda: mt.conv1d(Tensor(ROW), Tensor([[[1.0, 2.0]]])),
    lambda: mt.conv_transpose1d(Tensor(ROW), Tensor([[[1.0, 2.0]]])),
    lambda: mt.max_pool1d(Tensor(ROW), 2),
    lambda: mt.avg_pool1d(Tensor(ROW), 2),
    lambda: mt.lp_pool1d(Tensor(ROW), 2),
    lambda: mt.log_softmax(Tensor([[1.0, 2.0]])),
    lambda: mt.cross_entropy(Tensor([[1.0, 2.0]]), Tensor([[0.5, 0.5]])),
    lambda: mt.dropout(Tensor([1.0, 2.0, 3.0]), 0.5, np.random.default_rng(0)),
)


class Rules(NamedTuple):
    """An operator as LaTeX, its rule for each input (None: zero wherever there is a derivative), and a graph."""

    value: str
    inputs: list[tuple[str, str | None]]
    graph: Figure | None


def rules(primitive: Primitive) -> Rules | None:
    """What the page of an operator shows; None for one that no call has met.

    g stands for the gradient that has arrived (v, where an input is called g), out for the value.

    >>> rules(mt.negative).inputs
    [('x', '-g')]
    """
    t = met().get(primitive)
    if t is None:
        return None
    names = _input_names(primitive, len(t.inputs))
    inputs = [Tensor(x.data, name=name) for x, name in zip(t.inputs, names, strict=True)]
    if not inputs:  # made of nothing, as random numbers are: a second call would draw others
        return Rules(formula(t).latex, [], None)
    out = primitive(*inputs, **t.params)
    value = formula(out).latex
    out.name = "out"
    g = Tensor(np.arange(1.0, out.size + 1).reshape(out.shape), name="v" if "g" in names else "g")
    said: list[tuple[str, str | None]] = []
    shares = []
    for i, name in enumerate(names):
        rule = primitive.vjp(i)
        share = rule(g, out, *inputs, **t.params) if rule else None
        if share is not None:
            shares.append(share)
        text = None if share is None else formula(share, given=[out, g, *inputs]).latex
        said.append((name, text and text.replace(r"\mathrm{out}", r"\;\mathrm{out}")))  # g out must not read as gout
    drawn = next((share for share in shares if share.primitive is not None), None)
    return Rules(value, said, computation_graph(drawn) if drawn is not None else None)


@cache
def met() -> dict[Primitive, Tensor]:
    """For each primitive a Tensor that it made: one that was asked for if there is one, else one on a way back."""
    found: dict[Primitive, Tensor] = {}
    made = [call() for call in CALLS]
    for t in [*made, *_on_the_way(made)]:
        if t.primitive is not None:
            found.setdefault(t.primitive, t)
    return found


def _on_the_way(made: list[Tensor]) -> Iterator[Tensor]:
    for y in made:
        slopes = gradients(y, list(y.inputs), seed=Tensor(np.ones(y.shape))) if y.inputs else []
        for t in [y, *slopes]:
            yield from history(t)
            for bend in gradients(t, [x for x in history(t) if x.primitive is None]):
                yield from history(bend)


def _input_names(primitive: Primitive, count: int) -> list[str]:
    """The names of the arguments, as the function has them; numbered where it takes any number of them."""
    own = primitive.definition.__code__.co_varnames[: primitive.definition.__code__.co_argcount]
    names = [name for name in own if name not in ("self",)][:count]
    return names if len(names) == count else [f"x_{i + 1}" for i in range(count)]
