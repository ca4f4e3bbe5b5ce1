"""Which rule made which line of a program.

What you can do here: tell gradients among other Values, with `differentiated`.

A recipe does not say that it is a gradient: rules are written in Tensors, and what they make are Tensors like others.
But a backward pass, done once more, makes the same operators of the same values with the same settings.  These are the
same Values, and this time it is written down which rule was at work.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from contextlib import suppress

from ..backprop import _on_path, _seed, _share, history
from ..recording import recording
from ..tensor import Tensor
from .values import Origin, Value, Values


def differentiated(
    outputs: Mapping[str, Tensor], inputs: Set[Tensor], values: Values
) -> dict[Value, tuple[str, Value]]:
    """Which Value is the gradient of which output by which Value, for all outputs that are one number.

    It comes before other Values are made, so that each is noted when it first appears: what a loss needs as its own,
    and what its rules make as theirs.
    """
    found: dict[Value, tuple[str, Value]] = {}
    youngest = max(output.birth for output in outputs.values())
    for name, output in sorted(outputs.items(), key=lambda pair: pair[1].birth):
        if output.size == 1 and output.birth < youngest and output not in inputs:
            values.of([output])
            for t, g in _backward(output, inputs, values):
                [slope] = values.of([g])
                if slope.origin is not None:
                    found.setdefault(slope, (name, values.known[t]))
    return found


def _backward(output: Tensor, inputs: Set[Tensor], values: Values) -> list[tuple[Tensor, Tensor]]:
    """Each Tensor with its gradient, the newest first, as `gradients` computes them; what rules make gets its origin."""
    newest_first = history(output)
    on_path = _on_path(newest_first, {*inputs})
    sums = {output: _seed(output, None)}
    for t in newest_first:
        if t in sums and t not in inputs:  # how an input was made is of no interest
            at = values.known[t]
            for i, x in enumerate(t.inputs):
                with recording(True), suppress(NotImplementedError):
                    if x in on_path and (share := _share(sums[t], t, i)) is not None:
                        values.note(share, Origin(t.primitive, i, at))
                        if x in sums:
                            share = sums[x] + share
                            values.note(share, Origin(None, 0, values.known[x]))
                        sums[x] = share
    return [(t, sums[t]) for t in newest_first if t in sums]
