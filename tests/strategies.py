"""How shapes, settings and values are drawn.

Two habits make these laws sharp.  A geometry is valid *by construction*: the output size, kernel, stride, dilation and
padding are drawn, and the input size is worked out from them, so no draw is thrown away.  And where a law is linear,
the values are small whole numbers stored as floats: their sums and products are exact, in any order of summation, so
both sides must agree to the last bit.

What shrinks is the shape and the settings.  The values come from a seed, which is a hundred times faster than drawing
every number, and a smaller array says more than a rounder number.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from minitensor import Tensor
from minitensor.ops.shape import broadcast_to, index, transpose

Shape = tuple[int, ...]
Arrays = list[np.ndarray]

few = settings(max_examples=max(3, settings().max_examples // 5))  # where each of some hundred cases is tried
many = settings(max_examples=4 * settings().max_examples)

rngs = st.integers(0, 2**32 - 1).map(np.random.default_rng)
dtypes = st.sampled_from([np.float32, np.float64])

# -- values: (rng, shapes) -> arrays -----------------------------------------------------------------------------------


def reals(rng: np.random.Generator, shapes: Sequence[Shape]) -> Arrays:
    """Numbers from -2 to 2."""
    return [rng.uniform(-2, 2, shape) for shape in shapes]


def positive(rng: np.random.Generator, shapes: Sequence[Shape]) -> Arrays:
    """Numbers from 0.5 to 2."""
    return [rng.uniform(0.5, 2, shape) for shape in shapes]


def signed(rng: np.random.Generator, shapes: Sequence[Shape]) -> Arrays:
    """Numbers from 1 to 2 of either sign: far from 0, near which a norm bends too sharply for a finite difference."""
    return [rng.uniform(1, 2, shape) * rng.choice([-1, 1], shape) for shape in shapes]


def distinct(rng: np.random.Generator, shapes: Sequence[Shape]) -> Arrays:
    """Odd multiples of 0.05 in random order: no two are closer than 0.1, none is closer than 0.05 to a multiple of 0.1.

    So none lies within reach of a finite difference from a kink: neither of abs and relu (at 0), nor of a maximum.
    """
    sizes = [math.prod(shape) for shape in shapes]
    numbers = 0.1 * (rng.permutation(sum(sizes)) - sum(sizes) // 2) + 0.05
    parts = np.split(numbers, np.cumsum(sizes)[:-1])
    return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]


def whole(rng: np.random.Generator, shapes: Sequence[Shape]) -> Arrays:
    """Whole numbers from -3 to 3, with many ties."""
    return [rng.integers(-3, 4, shape).astype(float) for shape in shapes]


def divisible(rng: np.random.Generator, shapes: Sequence[Shape]) -> Arrays:
    """Whole multiples of 7560 = 2^3 3^3 5 7, which leave no rest when a mean divides them by a count."""
    return [7560.0 * rng.integers(-3, 4, shape) for shape in shapes]


@st.composite
def whole_numbers(draw, *shapes: Shape, dtype=np.float64) -> Any:
    """An array of whole numbers for each shape."""
    drawn = [x.astype(dtype) for x in whole(draw(rngs), shapes)]
    return drawn if len(shapes) > 1 else drawn[0]


# -- shapes and indices ------------------------------------------------------------------------------------------------


def shapes(min_dims: int = 0, max_dims: int = 3, min_side: int = 1, max_side: int = 3) -> st.SearchStrategy[Shape]:
    return hnp.array_shapes(min_dims=min_dims, max_dims=max_dims, min_side=min_side, max_side=max_side)


def shapes_that_broadcast(count: int = 2, max_dims: int = 3) -> st.SearchStrategy[tuple[Shape, ...]]:
    drawn = hnp.mutually_broadcastable_shapes(num_shapes=count, max_dims=max_dims, max_side=3)
    return drawn.map(lambda both: both.input_shapes)


def axes_of(ndim: int) -> st.SearchStrategy[Any]:
    """Each form in which a reduction takes its axes: None, a number from either end, a tuple."""
    if ndim == 0:
        return st.sampled_from([None, ()])
    number = st.integers(-ndim, ndim - 1)
    several = st.lists(number, unique_by=lambda a: a % ndim, max_size=ndim).map(tuple)
    return st.none() | number | several


@st.composite
def keys(draw, shape: Shape) -> Any:
    """An index of any kind: numbers, slices with steps of either sign, newaxis, ..., integer and boolean arrays."""
    kind = draw(st.sampled_from(["basic", "arrays", "mixed", "mask"]))
    if kind == "basic" or not shape:
        return draw(hnp.basic_indices(shape, allow_newaxis=True, max_dims=6))
    if kind == "arrays":
        return draw(hnp.integer_array_indices(shape, result_shape=shapes(max_dims=2)))
    if kind == "mask":
        axes = draw(st.integers(1, len(shape)))
        return draw(hnp.arrays(bool, shape[:axes], fill=st.nothing()))
    count = draw(st.integers(1, 3))
    positions = {n: st.lists(st.integers(-n, n - 1), min_size=count, max_size=count) for n in set(shape)}
    parts = [draw(st.slices(n) | positions[n] | positions[n].map(np.array) | st.integers(-n, n - 1)) for n in shape]
    return tuple(parts[: draw(st.integers(1, len(parts)))])


class Contraction(NamedTuple):
    spec: str
    shapes: list[Shape]


@st.composite
def contractions(draw, inputs: int | None = None, repeats: bool = True) -> Contraction:
    """An einsum: for each input some letters (perhaps one of them twice), and some of all these for the output."""
    sizes = {letter: draw(st.integers(1, 3)) for letter in "abcd"}
    terms = []
    for _ in range(inputs or draw(st.integers(1, 3))):
        letters = draw(st.lists(st.sampled_from("abcd"), unique=True, max_size=3))
        if repeats and letters and draw(st.booleans()):
            letters.insert(draw(st.integers(0, len(letters))), letters[0])
        terms.append("".join(letters))
    known = sorted(set("".join(terms)))
    output = "".join(draw(st.permutations(known)))[: draw(st.integers(0, len(known)))]
    return Contraction(f"{','.join(terms)}->{output}", [tuple(sizes[c] for c in term) for term in terms])


# -- geometry ----------------------------------------------------------------------------------------------------------


class Line(NamedTuple):
    """A window along one axis: n inputs, m places (rounded down), and a rest that the last window leaves over."""

    n: int
    k: int
    stride: int
    padding: int
    dilation: int
    m: int
    rest: int


@st.composite
def lines(draw, places: int = 4, kernel: int = 3, stride: int = 3, padding: int = 2, dilation: int = 3) -> Line:
    """n = (m - 1) s + d (k - 1) + 1 + rest - 2p, from all the others; the numbers given are upper limits."""
    m, k, s = draw(st.integers(1, places)), draw(st.integers(1, kernel)), draw(st.integers(1, stride))
    d = draw(st.integers(1, dilation))
    rest = draw(st.integers(0, s - 1))
    padded = (m - 1) * s + d * (k - 1) + 1 + rest
    p = draw(st.integers(0, min(padding, (padded - 1) // 2)))
    return Line(padded - 2 * p, k, s, p, d, m, rest)


@st.composite
def pool_lines(draw, dilation: int = 1) -> Line:
    """As `lines`, with padding of at most half a kernel, as pooling asks for."""
    line = draw(lines(dilation=dilation))
    p = min(line.padding, line.k // 2)
    return line._replace(padding=p, n=line.n + 2 * (line.padding - p))


class Geometry(NamedTuple):
    """A layer with windows: the shapes of its arrays and its settings."""

    x: Shape
    w: Shape
    b: Shape
    y: Shape
    settings: dict[str, Any]


SETTINGS = ("stride", "padding", "dilation")


def _per_axis(drawn: list[Line]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(getattr(line, name) for line in drawn) for name in SETTINGS}


@st.composite
def convolutions(draw, axes: int = 2, groups: int = 2, **limits: int) -> Geometry:
    """x (N, C, ...), w (O, C/g, ...), b (O) and what they give."""
    drawn = [draw(lines(places=3, **limits)) for _ in range(axes)]
    n, c, o, g = draw(st.tuples(*[st.integers(1, 2)] * 3, st.integers(1, groups)))
    return Geometry(
        x=(n, g * c, *(line.n for line in drawn)),
        w=(g * o, c, *(line.k for line in drawn)),
        b=(g * o,),
        y=(n, g * o, *(line.m for line in drawn)),
        settings={**_per_axis(drawn), "groups": g},
    )


@st.composite
def transposed_convolutions(draw, axes: int = 2, undoing: bool = False) -> Geometry:
    """As `convolutions`, the other way round: what was the output is the input.

    If undoing, a convolution with the same settings leads back to the input's size: output_padding is the rest that its
    division leaves, and so less than the stride.  If not, it is any number that is allowed.
    """
    g = draw(convolutions(axes))
    size, extra = [], []
    for n, m, k, *line in zip(g.x[2:], g.y[2:], g.w[2:], *(g.settings[name] for name in SETTINGS), strict=True):
        s, p, d = line
        shortest = (m - 1) * s - 2 * p + d * (k - 1) + 1
        e = n - shortest if undoing else draw(st.integers(max(0, 1 - shortest), max(s, d) - 1))
        size.append(shortest + e)
        extra.append(e)
    return Geometry(g.y, g.w, (g.x[1],), (*g.x[:2], *size), {**g.settings, "output_padding": tuple(extra)})


@st.composite
def local_layers(draw, axes: int = 2, tiled: bool = False) -> Geometry:
    """x (N, C, ...), w (O, C, places or tiles, taps), b (O, places or tiles)."""
    drawn = [draw(lines(places=3, kernel=2, dilation=2)) for _ in range(axes)]
    n, c, o = draw(st.tuples(*[st.integers(1, 2)] * 3))
    places = tuple(draw(st.integers(1, 3)) if tiled else line.m for line in drawn)
    return Geometry(
        x=(n, c, *(line.n for line in drawn)),
        w=(o, c, *places, *(line.k for line in drawn)),
        b=(o, *places),
        y=(n, o, *(line.m for line in drawn)),
        settings=_per_axis(drawn),
    )


class Pool(NamedTuple):
    x: Shape
    kernel_size: tuple[int, ...]
    settings: dict[str, Any]


@st.composite
def pools(draw, axes: int = 2, names: Sequence[str] = ("stride",), blind: bool = True) -> Pool:
    """The input shape, kernel and the settings that this pool knows, by name.

    If not blind, every window sees some input: where the taps are further apart than the input is long, they may all
    fall into the margin, and the largest is -infinity.
    """
    drawn = [draw(pool_lines(dilation=2 if "dilation" in names else 1)) for _ in range(axes)]
    drawn = [
        line._replace(padding=0, n=line.n + 2 * line.padding)
        if "padding" not in names or (not blind and line.n < line.dilation)
        else line
        for line in drawn
    ]
    known = {**_per_axis(drawn), "ceil_mode": draw(st.booleans()), "count_include_pad": draw(st.booleans())}
    n, c = draw(st.tuples(st.integers(1, 2), st.integers(1, 2)))
    x = (n, c, *(line.n for line in drawn))
    return Pool(x, tuple(line.k for line in drawn), {name: known[name] for name in names})


# -- memory ------------------------------------------------------------------------------------------------------------


@st.composite
def laid_out(draw, x: np.ndarray) -> Tensor:
    """A Tensor of x's shape and dtype in some memory order, as other operators leave it behind.

    Read the values from the Tensor: with "zero strides" they are those of the first element along an axis, repeated.
    """
    order = draw(st.sampled_from(["c", "batch last", "any", "backwards", "every other", "zero strides"]))
    if order == "c" or x.ndim == 0:
        return Tensor(x)
    if order == "batch last" and x.ndim > 2:
        axes = (*range(2, x.ndim - 1), 1, x.ndim - 1, 0)  # (h, c, w, n)
    else:
        axes = tuple(draw(st.permutations(range(x.ndim))))
    if order in ("batch last", "any"):
        return transpose(Tensor(np.ascontiguousarray(x.transpose(axes))), np.argsort(axes).tolist())
    axis = draw(st.integers(0, x.ndim - 1))
    along = (slice(None),) * axis
    if order == "backwards":
        return index(Tensor(np.flip(x, axis)), (*along, slice(None, None, -1)))
    if order == "every other":
        return index(Tensor(np.repeat(x, 2, axis)), (*along, slice(None, None, 2)))
    return broadcast_to(Tensor(x[(*along, slice(1))]), x.shape)
