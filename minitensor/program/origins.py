"""Which rule made which line of a program.

What you can do here: tell gradients among other Values, with `differentiated`, and forward from backward, with
`sections`.

A recipe does not say that it is a gradient: rules are written in Tensors, and what they make are Tensors like others.
But a backward pass, done once more, makes the same operators of the same values with the same settings.  These are the
same Values, and this time it is written down which rule was at work.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Set
from contextlib import suppress

from ..backprop import _on_path, _seed, _share, history
from ..recording import recording
from ..tensor import Tensor
from .values import Origin, Value, Values

SHORT = 20  # lines that are read at a glance, without headings
LONG = 20_000  # operators; a text of so many is run, and not read


def differentiated(
    outputs: Mapping[str, Tensor], inputs: Set[Tensor], values: Values
) -> dict[Value, tuple[str, Value]]:
    """Which Value is the gradient of which output by which Value, for all outputs that are one number.

    It comes before other Values are made, so that each is noted when it first appears: what a loss needs as its own,
    and what its rules make as theirs.
    """
    found: dict[Value, tuple[str, Value]] = {}
    youngest = max(output.birth for output in outputs.values())
    operators = 0
    for name, output in sorted(outputs.items(), key=lambda pair: pair[1].birth):
        if output.size == 1 and output.birth < youngest and output not in inputs:
            newest_first = history(output)
            operators += len(newest_first)
            if operators > LONG:
                break
            values.of([output])
            for t, g in _backward(name, newest_first, inputs, values):
                [slope] = values.of([g])
                if slope.origin is not None:
                    found.setdefault(slope, (name, values.known[t]))
    return found


def _backward(
    name: str, newest_first: list[Tensor], inputs: Set[Tensor], values: Values
) -> list[tuple[Tensor, Tensor]]:
    """Each Tensor with its gradient, newest first, as `gradients` computes them; what rules make gets its origin."""
    on_path = _on_path(newest_first, {*inputs})
    sums = {newest_first[0]: _seed(newest_first[0], None)}
    for t in newest_first:
        if t in sums and t not in inputs:  # how an input was made is of no interest
            at = values.known[t]
            for i, x in enumerate(t.inputs):
                with recording(True), suppress(NotImplementedError):
                    if x in on_path and (share := _share(sums[t], t, i)) is not None:
                        values.note(share, Origin(t.primitive, i, at, name))
                        if x in sums:
                            share = sums[x] + share
                            values.note(share, Origin(None, 0, values.known[x], name))
                        sums[x] = share
    return [(t, sums[t]) for t in newest_first if t in sums]


def made_of_gradients(lines: Iterable[Value], forward: Set[Value]) -> set[Value]:
    """What reads what rules have made, but was made by none, and no loss needs it: new weights, for instance."""
    found: set[Value] = set()
    for x in lines:
        if x.origin is None and x not in forward and any(y.origin is not None or y in found for y in x.reads):
            found.add(x)
    return found


def sections(
    names: Mapping[Value, str],
    losses: Mapping[str, Value],
    forward: Set[Value],
    layers: Set[Value],
    later: Set[Value],
) -> dict[Value, str]:
    """The part of the program that each line belongs to; nothing for a short one, or one without derivatives.

    What a loss needs after the last layer, something with a name, is the loss.  Beside it may stand what it does not
    need, as running means are; later is what is made of gradients.
    """
    computed = [x for x in names if x.primitive is not None]
    if len(computed) <= SHORT or not losses:
        return {}
    last = max([x.order for x in forward if x in layers and x not in losses.values()], default=math.inf)
    loss = {x for x in forward if x.order > last}
    update = "update" if all(names[x].startswith("new_") for x in later & names.keys()) else "from the gradients"

    def section(x: Value) -> str:
        if x.origin is not None:
            d = "d" if len(losses) == 1 else f"d_{x.origin.output}_d"
            return f"backward: {d}_x is the derivative of {x.origin.output} by x"
        if x in later:
            return update
        return "loss" if x in loss else "forward" if x in forward else "beside the loss"

    return {x: section(x) for x in computed}
