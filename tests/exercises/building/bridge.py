"""All that `viz` needs to draw an engine that it has never seen.

Of a Tensor: `data`, `op` and `inputs`, and `history(y)`, for the graph; `gradients(y, xs, seed)` and `Tensor(array)`
for the wires.  Nothing else is asked for, and nothing has to be registered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import minitensor as mt
import viz
from minitensor import primitive
from viz import Figure

Function = Callable[..., Any]


def lifted(e: Any, f: Function) -> Function:
    """f, a function of the foreign engine's Tensors, as an operator of minitensor, with all of its derivatives.

    The rule of input i is the foreign engine's gradient by it, which is a function of Tensors again, and so is lifted
    in its turn when it is asked for.
    """

    @primitive
    def operator(*arrays: np.ndarray) -> np.ndarray:
        return np.array(f(*map(e.Tensor, arrays)).data)

    def rule(i: int, g: Any, out: Any, *xs: Any) -> Any:
        def share(*inputs: Any) -> Any:
            *ts, seed = inputs
            return e.gradients(f(*ts), [ts[i]], seed)[0]

        return lifted(e, share)(*xs, g)

    operator.defvjp_each(rule)
    return operator


def recorded(e: Any, y: Any, names: dict[Any, str] | None = None) -> mt.Tensor:
    """The recipe of a foreign Tensor as one of minitensor, with the same operators, values and inputs."""
    names = names or {}
    twins: dict[Any, mt.Tensor] = {}
    for t in reversed(list(e.history(y))):
        if not t.inputs:
            twins[t] = mt.Tensor(t.data, names.get(t))
            continue
        twins[t] = primitive(stored(t.op or "operator", t.data))(*[twins[x] for x in t.inputs])
    return twins[y]


def stored(name: str, value: np.ndarray) -> Function:
    """An operator of this name whose value is known."""

    def operator(*arrays: np.ndarray) -> np.ndarray:
        return np.array(value)

    operator.__name__ = name
    return operator


def figures(e: Any, model: Any, image: np.ndarray, label: np.ndarray) -> Iterator[tuple[str, Figure]]:
    """The graph of the loss of one image, and the wires of a small convolution of this engine."""
    loss = e.cross_entropy(model(image), label)
    called = dict(reversed(list(named(e, model))))
    called |= {t: "image" for t in e.history(loss) if not t.inputs and np.array_equal(t.data, image)}
    yield "graph.svg", viz.computation_graph(recorded(e, loss, called))
    yield "wires.svg", wires(e)


def named(e: Any, module: Any, path: str = "") -> Iterator[tuple[Any, str]]:
    """Each Tensor in a Module's attributes and lists, and its name: `first.w`, `layers.0.b`."""
    for name, part in [*enumerate(module)] if isinstance(module, list) else vars(module).items():
        if isinstance(part, e.Tensor):
            yield part, f"{path}{name}"
        elif isinstance(part, e.Module | list):
            yield from named(e, part, f"{path}{name}.")


def wires(e: Any) -> Figure:
    """A kernel of three over five pixels: the same three weights at each place."""
    w = mt.Tensor(np.array([2.0, 3.0, 5.0]).reshape(1, 1, 1, 3), "w")
    convolve = lifted(e, lambda x, w: e.conv2d(x, w, np.zeros(1)))
    return viz.connectivity(lambda x: convolve(x, w), (1, 1, 1, 5), share=True)
