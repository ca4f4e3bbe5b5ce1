"""Engines that differ from solution.py where the texts leave the choice: each must pass all laws.

A variant is a replacement of lines, as a mutant is; what is replaced may stand in any step.
"""

from __future__ import annotations

from typing import NamedTuple

from .mutants import WALK, engine
from .steps import sections


class Variant(NamedTuple):
    """A legal choice: these lines became those."""

    name: str
    changes: tuple[tuple[str, str], ...]

    def source(self) -> str:
        text = engine(sections())
        for old, new in self.changes:
            if old not in text:
                raise ValueError(f"the engine has no {old!r}")
            text = text.replace(old, new)
        return text


DEPTH_FIRST = """\
    order, state, todo = [], {}, [(y, False)]
    while todo:
        t, done = todo.pop()
        if done:
            order.append(t)
        elif t not in state:
            state[t] = True
            todo.append((t, True))
            todo += [(x, False) for x in t.inputs]
    return order[::-1]"""

BY_COUNTING = """\
    waits, todo = {y: 0}, [y]
    for t in todo:
        for x in t.inputs:
            if x not in waits:
                todo.append(x)
            waits[x] = waits.get(x, 0) + 1
    ready, order = [y], []
    while ready:
        t = ready.pop()
        order.append(t)
        for x in t.inputs:
            waits[x] -= 1
            if waits[x] == 0:
                ready.append(x)
    return order"""

POOL = """\
    first = cells.data.argmax(axis=-1)
    return cells[(*np.indices(first.shape), first)]"""
LAST = """\
    first = cells.data.shape[-1] - 1 - cells.data[..., ::-1].argmax(axis=-1)
    return cells[(*np.indices(first.shape), first)]"""
SHARED = """\
    most = cells.data == cells.data.max(axis=-1, keepdims=True)
    return total(cells * (most / most.sum(axis=-1, keepdims=True)), [4])[..., 0]"""

DIVIDE = """\
def divide(a, b):
    a, b = tensor(a), tensor(b)
    rules = [lambda g: divide(g, b), lambda g: -divide(g * a, b * b)]
    return Tensor(a.data / b.data, "divide", [a, b], rules)


Tensor.__truediv__ = divide
"""
MATMUL = """\
    def __matmul__(self, other):
        return matmul(self, other)

    def __repr__"""
SEEN = """\
    seen = np.lib.stride_tricks.sliding_window_view(x.data, size, axis=(2, 3))[:, :, ::stride, ::stride]
"""
ONE_BY_ONE = """\
    h, w = ((n - k) // stride + 1 for n, k in zip(x.shape[2:], size))
    seen = np.zeros((*x.shape[:2], h, w, *size))
    for i, j in np.ndindex(*size):
        seen[..., i, j] = x.data[:, :, i : i + h * stride : stride, j : j + w * stride : stride]
"""

WINDOWS = SEEN + '    return Tensor(seen, "windows", [x], [lambda g: fold(g, x.shape, stride)])'
TAKEN = """\
    (h, i), (w, j) = (
        np.ogrid[: (n - k) // stride * stride + 1 : stride, :k] for n, k in zip(x.shape[2:], size)
    )
    return take(x, np.s_[:, :, (h + i)[:, None, :, None], (w + j)[None, :, None, :]])"""
SAME_SHAPE = "    if x.shape == tuple(shape):\n        return x\n"
TANH = '    return Tensor(np.tanh(x.data), "tanh", [x], [lambda g: g * (1 - tanh(x) ** 2)])'
TOTAL = '    return Tensor(x.data.sum(axis=tuple(axes), keepdims=True), "total", [x], [lambda g: spread(g, x.shape)])'
ONE_AXIS_EACH = """\
    for axis in axes:
        x = along(x, axis)
    return x


def along(x, axis):
    return Tensor(x.data.sum(axis=axis, keepdims=True), "along", [x], [lambda g: spread(g, x.shape)])"""

VARIANTS = [
    Variant("depth first", ((WALK, DEPTH_FIRST),)),
    Variant("by counting", ((WALK, BY_COUNTING),)),
    Variant(
        "a tuple of history",
        (
            (
                "return sorted(seen, key=lambda t: t.birth, reverse=True)",
                "return tuple(sorted(seen, key=lambda t: -t.birth))",
            ),
        ),
    ),
    Variant("ties to the last", ((POOL, LAST),)),
    Variant("ties shared", ((POOL, SHARED),)),
    Variant("other names", (('"add"', '"+"'), ('"multiply"', '"times"'), ('"put"', '"scatter"'))),
    Variant(
        "no births", ((WALK, DEPTH_FIRST), ("        self.birth = next(births)  # later than that of its inputs\n", ""))
    ),
    Variant("methods in the class", (("    def __repr__", MATMUL), ("Tensor.__matmul__ = matmul\n", ""))),
    Variant("relu with a slope of 1 at 0", (("x.data > 0", "x.data >= 0"),)),
    Variant(
        "relu by a product",
        (('Tensor(np.maximum(x.data, 0), "relu", [x], [lambda g: g * (x.data > 0)])', "x * (x.data > 0)"),),
    ),
    Variant("a sum in another order", (("sums[x] + share if", "share + sums[x] if"),)),
    Variant(
        "quotients with rules of their own",
        (
            ("Tensor.__truediv__ = lambda a, b: a * tensor(b) ** -1\n", DIVIDE),
            ("lambda a, b: b * a**-1", "lambda a, b: divide(b, a)"),
        ),
    ),
    Variant(
        "a larger network",
        (("Conv(1, 8, 3, rng, padding=1), Conv(8, 16, 3", "Conv(1, 6, 3, rng, padding=1), Conv(6, 16, 3"),),
    ),
    Variant("parameters in another order", (("return list(found)", "return list(found)[::-1]"),)),
    Variant("steps in place", (("p.data = p.data - rate * speeds[p]", "p.data -= rate * speeds[p]"),)),
    Variant("windows one by one", ((SEEN, ONE_BY_ONE),)),
    Variant("windows by taking", ((WINDOWS, TAKEN),)),
    Variant(
        "where nothing changes, nothing is made",
        (
            ('    return Tensor(x.data.reshape(shape), "', SAME_SHAPE + '    return Tensor(x.data.reshape(shape), "'),
            (
                '    return Tensor(np.broadcast_to(x.data, shape), "',
                SAME_SHAPE + '    return Tensor(np.broadcast_to(x.data, shape), "',
            ),
            (
                "    return Tensor(x.data.sum(axis=tuple(axes)",
                "    if len(axes) == 0:\n        return x\n    return Tensor(x.data.sum(axis=tuple(axes)",
            ),
        ),
    ),
    Variant("tanh made of exp", ((TANH, "    return 1 - 2 / (exp(2 * x) + 1)"),)),
    Variant("a sum that is made of reshapes", ((TOTAL, ONE_AXIS_EACH),)),
]
