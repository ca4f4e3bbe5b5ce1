"""Every operator of minitensor in one row: what is called, with what shapes and settings, on which values.

A row draws a `Case`: a function of Tensors with its settings filled in, and the shapes of its inputs.  The laws that
hold for *every* operator read this table: derivatives of order 1 and 2, dtypes, memory order, unchanged inputs, the
adjoint of each linear map.  A new operator needs one row here, and a test fails until it has one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import minitensor as mt
from minitensor import Tensor, gradients

from . import strategies as draw_
from .strategies import Arrays, Shape, distinct, positive, reals, signed


class Case(NamedTuple):
    f: Callable[..., Tensor]
    shapes: Sequence[Shape]


class Row(NamedTuple):
    cases: st.SearchStrategy[Case]
    values: Callable[[np.random.Generator, Sequence[Shape]], Arrays] = reals
    linear: tuple[int, ...] = ()  # the inputs in which it is linear (the others held), with whole numbers throughout


def unary(f: Callable[..., Tensor], **settings: st.SearchStrategy) -> st.SearchStrategy[Case]:
    """f of one Tensor of any shape, with its settings drawn."""
    filled = st.fixed_dictionaries(settings).map(lambda drawn: partial(f, **drawn))
    return st.builds(lambda f, shape: Case(f, [shape]), filled, draw_.shapes())


def binary(f: Callable[..., Tensor]) -> st.SearchStrategy[Case]:
    return draw_.shapes_that_broadcast().map(lambda shapes: Case(f, shapes))


def ternary(f: Callable[..., Tensor]) -> st.SearchStrategy[Case]:
    return draw_.shapes_that_broadcast(3).map(lambda shapes: Case(f, shapes))


@st.composite
def of_shape(draw, f: Callable[..., Tensor], setting: Callable[[Shape], st.SearchStrategy], min_dims: int = 0) -> Case:
    """f(x, setting), where the setting depends on the shape of x."""
    shape = draw(draw_.shapes(min_dims=min_dims))
    value = draw(setting(shape))
    return Case(lambda x: f(x, value), [shape])


@st.composite
def reduction(draw, f: Callable[..., Tensor], max_side: int = 3) -> Case:
    shape = draw(draw_.shapes(max_dims=max_side, max_side=max_side))
    axis, keepdims = draw(draw_.axes_of(len(shape))), draw(st.booleans())
    return Case(lambda x: f(x, axis=axis, keepdims=keepdims), [shape])


@st.composite
def long_reduction(draw, f: Callable[..., Tensor]) -> Case:
    """Over an axis with at least two elements."""
    shape = draw(draw_.shapes(min_dims=1, min_side=2))
    return Case(partial(f, axis=draw(axis_of(shape)), keepdims=draw(st.booleans())), [shape])


def axis_of(shape: Shape) -> st.SearchStrategy[int]:
    return st.integers(-len(shape), len(shape) - 1)


@st.composite
def along_axis(draw, f: Callable[..., Tensor]) -> Case:
    shape = draw(draw_.shapes(min_dims=1))
    return Case(partial(f, axis=draw(st.integers(-len(shape), len(shape) - 1))), [shape])


@st.composite
def refactored(draw, shape: Shape) -> list[int]:
    """Another shape with as many elements, one length perhaps left open."""
    size = int(np.prod(shape))
    first = draw(st.sampled_from([n for n in range(1, size + 1) if size % n == 0]))
    lengths = draw(st.permutations([first, size // first, 1]))
    if draw(st.booleans()):
        lengths[draw(st.integers(0, 2))] = -1
    return lengths


@st.composite
def joined(draw) -> Case:
    shape = list(draw(draw_.shapes(min_dims=1)))
    axis = draw(st.integers(0, len(shape) - 1))
    lengths = draw(st.lists(st.integers(1, 3), min_size=1, max_size=3))
    shapes = [(*shape[:axis], n, *shape[axis + 1 :]) for n in lengths]
    return Case(lambda *xs: mt.concatenate(xs, axis), shapes)


@st.composite
def stacked(draw) -> Case:
    shape, count = draw(draw_.shapes(max_dims=2)), draw(st.integers(1, 3))
    axis = draw(st.integers(-len(shape) - 1, len(shape)))
    return Case(lambda *xs: mt.stack(xs, axis), [shape] * count)


@st.composite
def padded(draw) -> Case:
    shape = draw(draw_.shapes(min_dims=1, max_dims=2, min_side=2))
    widths = draw(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=len(shape), max_size=len(shape)))
    mode = draw(st.sampled_from(["constant", "wrap", "reflect", "edge", "symmetric"]))
    return Case(lambda x: mt.pad(x, widths, mode), [shape])


@st.composite
def matrices(draw) -> Case:
    """Each side a vector, a matrix, or a stack of matrices."""
    m, n, p = (draw(st.integers(1, 3)) for _ in range(3))
    fronts = draw(hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=2, max_side=3)).input_shapes
    left = draw(st.sampled_from([(n,), (m, n), (*fronts[0], m, n)]))
    right = draw(st.sampled_from([(n,), (n, p), (*fronts[1], n, p)]))
    return Case(mt.matmul, [left, right])


@st.composite
def contraction(draw) -> Case:
    spec, shapes = draw(draw_.contractions())
    return Case(partial(mt.einsum, spec), shapes)


@st.composite
def dense(draw) -> Case:
    front, (c, o) = draw(draw_.shapes(max_dims=2)), draw(st.tuples(*[st.integers(1, 3)] * 2))
    return Case(mt.dense, [(*front, c), (o, c), (o,)])


@st.composite
def patches(draw, f: Callable[..., Tensor]) -> Case:
    """windows or fold of an image with one or two axes that slide, and perhaps one in front."""
    drawn = draw(st.lists(draw_.lines(padding=0), min_size=1, max_size=2))
    front = draw(draw_.shapes(max_dims=1))
    size, places, taps = ([getattr(line, name) for line in drawn] for name in ("n", "m", "k"))
    settings = {name: [getattr(line, name) for line in drawn] for name in ("stride", "dilation")}
    if f is mt.windows:
        return Case(lambda x: mt.windows(x, taps, **settings), [(*front, *size)])
    return Case(lambda p: mt.fold(p, size, **settings), [(*front, *places, *taps)])


@st.composite
def layer(draw, f: Callable[..., Tensor], geometries: st.SearchStrategy, **more: st.SearchStrategy) -> Case:
    """A layer with weights, with and without a bias."""
    g = draw(geometries)
    settings = {**g.settings, **draw(st.fixed_dictionaries(more))}
    return Case(partial(f, **settings), [g.x, g.w, g.b][: draw(st.integers(2, 3))])


def convolution(f: Callable[..., Tensor], axes: int) -> st.SearchStrategy[Case]:
    return layer(f, draw_.convolutions(axes), padding_mode=st.sampled_from(["zeros", "circular"]))


@st.composite
def pool(draw, f: Callable[..., Tensor], axes: int, *names: str, **more: st.SearchStrategy) -> Case:
    x, k, settings = draw(draw_.pools(axes, names, blind=False))
    return Case(partial(f, kernel_size=k, **settings, **draw(st.fixed_dictionaries(more))), [x])


@st.composite
def maxout(draw) -> Case:
    shape = list(draw(draw_.shapes(min_dims=2)))
    pieces, axis = draw(st.integers(1, 3)), draw(st.integers(-len(shape), len(shape) - 1))
    shape[axis] *= pieces
    return Case(lambda x: mt.maxout(x, pieces, axis), [tuple(shape)])


@st.composite
def classes(draw) -> Case:
    n, k = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    labels = draw(st.lists(st.integers(0, k - 1), min_size=n, max_size=n))
    return Case(lambda x: mt.cross_entropy(x, labels), [(n, k)])


@st.composite
def soft_classes(draw) -> Case:
    shape = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    return Case(lambda x, z: mt.cross_entropy(x, mt.softmax(z, axis=1)), [shape] * 2)


def in_order(rng: np.random.Generator, shapes: Sequence[Shape]) -> Arrays:
    """x, and perhaps two limits with the lower one first."""
    x, *limits = distinct(rng, shapes)
    return [x, np.minimum(*limits), np.maximum(*limits)] if limits else [x]


@st.composite
def channels(draw, f: Callable[..., Tensor], *per_channel: int) -> Case:
    shape = draw(draw_.shapes(min_dims=2, min_side=2))
    return Case(f, [shape, *[shape[1:2]] * len(per_channel)])


@st.composite
def left_out(draw) -> Case:
    p, seed = draw(st.sampled_from([0.0, 0.25, 0.5])), draw(st.integers(0, 99))
    return Case(lambda x: mt.dropout(x, p, np.random.default_rng(seed)), [draw(draw_.shapes())])


@st.composite
def rule_of(draw, row: Row) -> Case:
    """The rule of an operator is an operator too: the gradient of its first input, as a function of seed and inputs."""
    f, shapes = draw(row.cases)
    out = f(*map(Tensor, row.values(np.random.default_rng(0), shapes)))
    return Case(lambda seed, *xs: gradients(f(*xs), xs, seed)[0], [out.shape, *shapes])


norms = st.sampled_from([1, 2, 3, 4, 2.5])
exponents = st.sampled_from([-2, -1, 0, 0.5, 1, 1.5, 2, 3])
limits = st.sampled_from([(None, 0.3), (-0.2, None), (-0.1, 0.4), (0, 0), (None, None)])
up_to_two = st.integers(0, 2)

OPERATORS: dict[str, Row] = {
    # elementwise
    "add": Row(binary(mt.add)),
    "subtract": Row(binary(mt.subtract)),
    "multiply": Row(binary(mt.multiply), linear=(0, 1)),
    "divide": Row(binary(mt.divide), positive),
    "negative": Row(unary(mt.negative), linear=(0,)),
    "power": Row(unary(mt.power, exponent=exponents), positive),
    "float_power": Row(binary(lambda x, y: x**y), positive),
    "exp": Row(unary(mt.exp)),
    "log": Row(unary(mt.log), positive),
    "sqrt": Row(unary(mt.sqrt), positive),
    "tanh": Row(unary(mt.tanh)),
    "abs": Row(unary(mt.abs), distinct),
    "sin": Row(unary(mt.sin)),
    "cos": Row(unary(mt.cos)),
    "log1p": Row(unary(mt.log1p), positive),
    "expm1": Row(unary(mt.expm1)),
    "square": Row(unary(mt.square)),
    "logaddexp": Row(binary(mt.logaddexp)),
    "erf": Row(unary(mt.erf)),
    "isnan": Row(unary(mt.isnan)),
    "sign": Row(unary(mt.sign), distinct),
    "greater": Row(binary(mt.greater), distinct),
    "greater_equal": Row(binary(mt.greater_equal), distinct),
    "where": Row(ternary(mt.where), distinct),
    "maximum": Row(binary(mt.maximum), distinct),
    "minimum": Row(binary(mt.minimum), distinct),
    "clip": Row(
        limits.flatmap(lambda both: unary(lambda x: mt.clip(x, *both)))
        | draw_.shapes().map(lambda shape: Case(mt.clip, [shape] * 3)),
        in_order,
    ),
    "astype": Row(unary(mt.astype, dtype=st.just(np.float64)), linear=(0,)),
    # shape
    "reshape": Row(of_shape(mt.reshape, refactored), linear=(0,)),
    "transpose": Row(  # of three axes, because every permutation of two is its own inverse
        of_shape(mt.transpose, lambda shape: st.permutations(range(len(shape))), min_dims=3), linear=(0,)
    ),
    "broadcast_to": Row(
        draw_.shapes_that_broadcast().map(
            lambda shapes: Case(lambda x: mt.broadcast_to(x, np.broadcast_shapes(*shapes)), shapes[:1])
        ),
        linear=(0,),
    ),
    "index": Row(of_shape(mt.index, draw_.keys), linear=(0,)),
    "pad": Row(padded(), linear=(0,)),
    "concatenate": Row(joined()),
    "stack": Row(stacked()),
    "flatten": Row(of_shape(mt.flatten, axis_of, min_dims=1), linear=(0,)),
    "squeeze": Row(draw_.shapes(max_dims=2).map(lambda shape: Case(mt.squeeze, [(1, *shape, 1)])), linear=(0,)),
    "expand_dims": Row(of_shape(mt.expand_dims, lambda shape: st.integers(0, len(shape))), linear=(0,)),
    "swapaxes": Row(
        of_shape(lambda x, both: mt.swapaxes(x, *both), lambda s: st.tuples(axis_of(s), axis_of(s)), min_dims=1),
        linear=(0,),
    ),
    "moveaxis": Row(
        of_shape(lambda x, both: mt.moveaxis(x, *both), lambda s: st.tuples(axis_of(s), axis_of(s)), min_dims=1),
        linear=(0,),
    ),
    "flip": Row(of_shape(mt.flip, lambda shape: draw_.axes_of(len(shape))), linear=(0,)),
    "roll": Row(of_shape(mt.roll, lambda shape: st.integers(-4, 4), min_dims=1), linear=(0,)),
    "repeat": Row(of_shape(mt.repeat, lambda shape: st.integers(1, 3), min_dims=1), linear=(0,)),
    "tile": Row(of_shape(mt.tile, lambda shape: st.lists(st.integers(1, 2), min_size=1, max_size=3)), linear=(0,)),
    "split": Row(of_shape(lambda x, n: mt.split(x, [n])[0], lambda s: st.integers(0, s[0]), min_dims=1), linear=(0,)),
    "diag": Row(draw_.shapes(min_dims=1, max_dims=2).map(lambda shape: Case(mt.diag, [shape])), linear=(0,)),
    "tril": Row(of_shape(mt.tril, lambda shape: st.integers(-2, 2), min_dims=2), linear=(0,)),
    "triu": Row(of_shape(mt.triu, lambda shape: st.integers(-2, 2), min_dims=2), linear=(0,)),
    # reductions
    "sum": Row(reduction(mt.sum), linear=(0,)),
    "mean": Row(reduction(mt.mean), linear=(0,)),
    "var": Row(reduction(mt.var)),
    "max": Row(reduction(mt.max), distinct),
    "min": Row(reduction(mt.min), distinct),
    "logsumexp": Row(reduction(mt.logsumexp)),
    "std": Row(long_reduction(mt.std), distinct),
    "prod": Row(reduction(mt.prod, max_side=2)),
    "cumsum": Row(along_axis(mt.cumsum), linear=(0,)),
    # contraction
    "tensordot": Row(
        st.tuples(*[st.integers(1, 3)] * 3).map(lambda n: Case(partial(mt.tensordot, axes=1), [n[:2], n[1:]])),
        linear=(0, 1),
    ),
    "dot": Row(st.tuples(*[st.integers(1, 3)] * 3).map(lambda n: Case(mt.dot, [n[:2], n[1:]])), linear=(0, 1)),
    "outer": Row(st.tuples(*[st.integers(1, 3)] * 2).map(lambda n: Case(mt.outer, [n[:1], n[1:]])), linear=(0, 1)),
    "trace": Row(st.integers(1, 3).map(lambda n: Case(mt.trace, [(n, n)])), linear=(0,)),
    "einsum": Row(contraction(), linear=(0,)),
    "matmul": Row(matrices(), linear=(0, 1)),
    "dense": Row(dense()),
    # windows, and the layers that are made of them
    "windows": Row(patches(mt.windows), linear=(0,)),
    "fold": Row(patches(mt.fold), linear=(0,)),
    "conv1d": Row(convolution(mt.conv1d, 1)),
    "conv2d": Row(convolution(mt.conv2d, 2)),
    "conv3d": Row(convolution(mt.conv3d, 3)),
    "conv_transpose1d": Row(layer(mt.conv_transpose1d, draw_.transposed_convolutions(1))),
    "conv_transpose2d": Row(layer(mt.conv_transpose2d, draw_.transposed_convolutions())),
    "conv_transpose3d": Row(layer(mt.conv_transpose3d, draw_.transposed_convolutions(3))),
    "locally_connected1d": Row(layer(mt.locally_connected1d, draw_.local_layers(1))),
    "locally_connected2d": Row(layer(mt.locally_connected2d, draw_.local_layers(2))),
    "tiled_conv1d": Row(layer(mt.tiled_conv1d, draw_.local_layers(1, tiled=True))),
    "tiled_conv2d": Row(layer(mt.tiled_conv2d, draw_.local_layers(2, tiled=True))),
    # pools
    "max_pool1d": Row(pool(mt.max_pool1d, 1, "stride", "padding", "dilation", "ceil_mode"), distinct),
    "max_pool2d": Row(pool(mt.max_pool2d, 2, "stride", "padding", "dilation", "ceil_mode"), distinct),
    "max_pool3d": Row(pool(mt.max_pool3d, 3, "stride", "padding", "dilation", "ceil_mode"), distinct),
    "avg_pool3d": Row(pool(mt.avg_pool3d, 3, "stride", "padding", "ceil_mode", "count_include_pad"), linear=(0,)),
    "avg_pool1d": Row(pool(mt.avg_pool1d, 1, "stride", "padding", "ceil_mode", "count_include_pad"), linear=(0,)),
    "avg_pool2d": Row(pool(mt.avg_pool2d, 2, "stride", "padding", "ceil_mode", "count_include_pad"), linear=(0,)),
    "lp_pool1d": Row(pool(mt.lp_pool1d, 1, "stride", norm=norms), signed),
    "lp_pool2d": Row(pool(mt.lp_pool2d, 2, "stride", norm=norms), signed),
    "weighted_avg_pool1d": Row(pool(mt.weighted_avg_pool1d, 1, "stride", sigma=st.sampled_from([0.5, 1.0, 3.0]))),
    "weighted_avg_pool2d": Row(pool(mt.weighted_avg_pool2d, 2, "stride", sigma=st.sampled_from([0.5, 1.0, 3.0]))),
    "maxout": Row(maxout(), distinct),
    # activations, losses, normalisation
    "relu": Row(unary(mt.relu), distinct),
    "gelu": Row(unary(mt.gelu)),
    "leaky_relu": Row(unary(mt.leaky_relu, slope=st.sampled_from([0.01, 0.5, -1])), distinct),
    "sigmoid": Row(unary(mt.sigmoid)),
    "softplus": Row(unary(mt.softplus)),
    "softmax": Row(along_axis(mt.softmax)),
    "log_softmax": Row(along_axis(mt.log_softmax)),
    "cross_entropy": Row(classes() | soft_classes()),
    "mean_squared_error": Row(draw_.shapes().map(lambda shape: Case(mt.mean_squared_error, [shape] * 2))),
    "batch_norm": Row(channels(partial(mt.batch_norm, eps=0.1), 1, 1)),
    "local_response_norm": Row(
        st.integers(1, 4).flatmap(lambda size: channels(lambda x: mt.local_response_norm(x, size, alpha=0.5)))
    ),
    "dropout": Row(left_out()),
}
LAYERS = ["conv1d", "conv2d", "conv_transpose2d", "locally_connected1d", "locally_connected2d", "tiled_conv1d",
          "tiled_conv2d", "dense"]  # fmt: skip
RULES: dict[str, Row] = {
    f"rule of {name}": Row(rule_of(OPERATORS[name]), OPERATORS[name].values)
    for name in ("max_pool2d", "avg_pool2d", "conv2d", "conv_transpose2d", "max", "lp_pool2d", "windows", "index")
}
