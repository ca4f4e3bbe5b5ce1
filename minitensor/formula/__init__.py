"""Print a recipe as mathematics.

What you can do here: `formula(t)`, text that Python can evaluate with NumPy's functions, and minitensor's where NumPy
has none, and LaTeX beside it.  A gradient is a Tensor with a recipe, so `formula(gradients(y, [x])[0])` is the
derivative of y.

Read `expressions` first, the algebra that tidies sums and products; `notations` has one rule for each operator.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..backprop import history
from ..checks.operators import tensors_in
from ..tensor import Tensor
from .expressions import Expression
from .notations import OURS, leaf, operation

LONGEST = 20_000  # characters; nobody reads a longer one


class Formula(str):
    """A formula as text; `latex` is the same in LaTeX, `symbols` says which Tensor each name in it stands for."""

    latex: str
    symbols: dict[str, Tensor]

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex}$"


def formula(t: Tensor, given: Iterable[Tensor] = ()) -> Formula:
    """The recipe of t as text and LaTeX; Tensors in `given` are printed by name and not taken apart.

    Names are those of the Tensors, made into identifiers that differ; a Tensor without a recipe or a name is printed as
    its number if all its elements are equal, else as x1, x2, ...  The text has the value of t up to rounding, with
    three exceptions: it may leave NumPy to broadcast it to t's shape; `logsumexp` is written as it is defined, and may
    then overflow; and equal factors are cancelled, so that x / x is 1, at 0 too.
    Raises ValueError for a formula of more than 20,000 characters, which `given` can shorten, TypeError where `given`
    is no list of Tensors.

    >>> import numpy as np
    >>> from minitensor import gradients, tanh
    >>> x = Tensor(0.5, name="x")
    >>> y = x * tanh(x)
    >>> formula(gradients(y, [x])[0])
    'tanh(x) + x * (1 - tanh(x) ** 2)'
    >>> formula(y / 3).latex
    '\\\\frac{x \\\\tanh\\\\left(x\\\\right)}{3}'
    >>> bool(eval(formula(y), {"tanh": np.tanh, "x": 0.5}) == y.item())
    True
    """
    stops: set[Tensor] = set(tensors_in(given, "given", "formula(y, given=[h])"))
    needed = _needed(t, stops)
    functions = OURS | {x.primitive.name for x in needed if x.primitive}
    known: dict[Tensor, Expression] = {}
    symbols: dict[str, Tensor] = {}
    scripts: set[str] = set()
    for tensor in needed:
        if not tensor.inputs or tensor in stops:
            known[tensor] = leaf(tensor, symbols, scripts, functions)
        else:
            known[tensor] = operation(tensor, [known[x] for x in tensor.inputs])
        if len(known[tensor].text) > LONGEST:
            raise ValueError(
                f"the formula is longer than {LONGEST} characters; name some Tensors on the way and pass them "
                "as given=[...], to be printed by their names"
            )
    result = Formula(known[t].text)
    result.latex = known[t].latex
    result.symbols = {name: x for name, x in symbols.items() if re.search(rf"\b{name}\b", result)}
    return result


def _needed(t: Tensor, stops: set[Tensor]) -> list[Tensor]:
    """The history of t without what lies behind the given Tensors, oldest first."""
    needed = {t}
    for tensor in history(t):
        if tensor in needed and tensor not in stops:
            needed.update(tensor.inputs)
    return sorted(needed, key=lambda x: x.birth)
