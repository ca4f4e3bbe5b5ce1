"""Pooling: one number for each window.

What you can do here: `max_pool`, `avg_pool`, `lp_pool`, `weighted_avg_pool` (each 1d and 2d), and `maxout`, which pools
over channels instead of places.

By definition a pool is a reduction of `windows(x)` over the taps i j: the largest, the mean, the L2 norm, a weighted
mean.  Maximum and sum over a rectangle are *separable*: the maximum of the maxima of its rows.  So the fast form pools
along w first and then along h, two operators that take k + k elements for each window instead of k * k, and need no
windows at all.  (The weighted mean stays with the definition.)
Letters as in `conv.py`.  Source: Goodfellow, Bengio and Courville, Deep Learning, section 9.3.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from math import prod
from typing import Any, TypeAlias

import numpy as np

from .conv import Pairs
from .memory import bits, in_order_of, inside, margin
from .ops.contract import einsum
from .ops.elementwise import abs as absolute
from .ops.elementwise import where
from .ops.reduce import max as maximum_over
from .ops.shape import pad
from .ops.windows import windows
from .sizes import Ints, conv_output_size, per_axis, whole
from .tensor import Array, Operand, Tensor, as_tensor, primitive

Sizes: TypeAlias = tuple[int, ...]
Pair: TypeAlias = tuple[int, int]

# -- the largest -------------------------------------------------------------------------------------------------------


def max_pool2d(
    x: Operand,
    kernel_size: Ints,
    *,
    stride: Ints | None = None,
    padding: Ints = 0,
    dilation: Ints = 1,
    ceil_mode: bool = False,
) -> Tensor:
    """The largest value in each window: y[n, c, h, w] = max_ij x[n, c, h s + i d - p, w s + j d - p].

    x (N, C, H, W) gives (N, C, H', W'), with H' of `sizes.conv_output_size`; the stride is the kernel size if not
    given.  The margin is -infinity, so it never wins (unless a window sees nothing larger, as with dilation it can).
    A tie sends the gradient to the first maximum, in reading order; where the maximum is nan, it goes to the last tap.
    Raises ValueError where the settings do not fit, and for padding of more than half a kernel.

    >>> x = Tensor([[[[1.0, 2.0, 0.0, 0.0], [3.0, 4.0, 0.0, 5.0]]]])
    >>> max_pool2d(x, 2).data
    array([[[[4., 5.]]]])
    """
    return _max_pooling(2, x, kernel_size, stride, padding, dilation, ceil_mode)


def max_pool1d(
    x: Operand,
    kernel_size: Ints,
    *,
    stride: Ints | None = None,
    padding: Ints = 0,
    dilation: Ints = 1,
    ceil_mode: bool = False,
) -> Tensor:
    """As `max_pool2d`, along one axis: x (N, C, W) gives (N, C, W').

    >>> max_pool1d(Tensor([[[0.1, 1.0, 0.2, 0.1, 0.0]]]), 3, stride=2).data
    array([[[1. , 0.2]]])
    """
    return _max_pooling(1, x, kernel_size, stride, padding, dilation, ceil_mode)


def _max_pooling(
    axes: int, x: Operand, kernel_size: Ints, stride: Ints | None, padding: Ints, dilation: Ints, ceil_mode: bool
) -> Tensor:
    x, k, s, d, pairs = _geometry(axes, x, kernel_size, stride, padding, dilation, ceil_mode)
    # Along w first: then the first largest of the first largest is the first in reading order.
    for axis, ki, si, di, pi in _last_axis_first(k, s, d, pairs):
        x = _max_pool(x, axis=axis, kernel_size=ki, stride=si, dilation=di, padding=pi)
    return x


def max_pool_by_definition(x: Tensor, *, kernel_size: Sizes, stride: Sizes, padding: Pairs, dilation: Sizes) -> Tensor:
    """What `max_pool2d` computes: the maximum over the taps of each window of the padded input."""
    x = pad(x, ((0, 0), (0, 0), *padding), constant_values=-np.inf)
    return maximum_over(windows(x, kernel_size, stride, dilation), axis=tuple(range(-len(kernel_size), 0)))


# Along one axis.  For a given x, max pooling chooses one pixel for each window.  `pick` reads *any* array at the chosen
# places, and `route` writes back to them; the two are linear and adjoint, and since the choice does not change when x
# moves a little, they have no derivative by x.  max_pool(x) is pick(x; x), and its rule is route.


@primitive
def _max_pool(x: Array, *, axis: int, kernel_size: int, stride: int, dilation: int, padding: Pair) -> Array:
    x = margin(x, _widths(x, axis, padding), -np.inf)
    return reduce(np.maximum, _taps(x, axis, kernel_size, stride, dilation))


@primitive
def _max_route(
    g: Array, x: Array, y: Array, *, axis: int, kernel_size: int, stride: int, dilation: int, padding: Pair
) -> Array:
    """Each window's g added to the first of its largest elements; y are the maxima."""
    k, widths = kernel_size, _widths(x, axis, padding)
    x, size = margin(x, widths, -np.inf), x.shape
    g = in_order_of(g, y)
    tiled = stride == k and x.shape[axis] == k * g.shape[axis]  # then every pixel is written below
    total = np.empty_like(x, g.dtype) if tiled else np.zeros_like(x, g.dtype)
    g = bits(g)
    taps, shares = (_taps(each, axis, k, stride, dilation) for each in (x, total))

    def give(i: int, operation: Callable[..., Array], *operands: Array) -> Array:
        """Add the result to the pixels of tap i; or write it there at once, if no tap before has."""
        if all((i - j) * dilation % stride for j in range(i)):
            return operation(*operands, out=bits(shares[i]))
        share = operation(*operands)
        shares[i] += share.view(total.dtype)
        return share

    rest, taken = g, np.zeros((), g.dtype)
    for i in range(k - 1):
        rest = rest ^ taken if i else g  # what no tap before has taken, as each takes all or nothing
        taken = give(i, np.multiply, rest, taps[i] == y)
    give(k - 1, np.bitwise_xor, rest, taken)
    return total[inside(widths, size)]


@primitive
def _max_pick(
    v: Array, x: Array, y: Array, *, axis: int, kernel_size: int, stride: int, dilation: int, padding: Pair
) -> Array:
    """v at the first of the largest elements of x in each window; y are the maxima."""
    widths = _widths(x, axis, padding)
    taps = _taps(margin(x, widths, -np.inf), axis, kernel_size, stride, dilation)
    values = _taps(margin(v, widths), axis, kernel_size, stride, dilation)
    picked = values.pop()
    for tap, value in zip(taps[-2::-1], values[::-1], strict=True):
        picked = np.where(tap == y, value, picked)
    return picked


_max_pool.defvjp(lambda g, out, x, **settings: _max_route(g, x, out, **settings))
_max_route.defvjp(lambda v, out, g, x, y, **settings: _max_pick(v, x, y, **settings), None, None)
_max_pick.defvjp(lambda g, out, v, x, y, **settings: _max_route(g, x, y, **settings), None, None)


# -- the sum and what is made of it ------------------------------------------------------------------------------------


def _window_sum(x: Tensor, kernel_size: Sizes, stride: Sizes, padding: Pairs) -> Tensor:
    """The sum over each window of the input, padded with zeros."""
    for axis, ki, si, pi in _last_axis_first(kernel_size, stride, padding):
        x = _sum_pool(x, axis=axis, kernel_size=ki, stride=si, padding=pi)
    return x


@primitive
def _sum_pool(x: Array, *, axis: int, kernel_size: int, stride: int, padding: Pair) -> Array:
    return reduce(np.add, _taps(margin(x, _widths(x, axis, padding)), axis, kernel_size, stride, 1))


@primitive
def _sum_spread(g: Array, *, size: Sizes, axis: int, kernel_size: int, stride: int, padding: Pair) -> Array:
    """Each window's g added to all of its elements: the adjoint of the sum."""
    total = np.zeros_like(g, shape=(*size[:axis], sum((size[axis], *padding)), *size[axis + 1 :]))
    for tap in _taps(total, axis, kernel_size, stride, 1):
        tap += g
    return total[inside(_widths(g, axis, padding), size)]


_sum_pool.defvjp(lambda g, out, x, **settings: _sum_spread(g, size=x.shape, **settings))
_sum_spread.defvjp(lambda x, out, g, *, size, **settings: _sum_pool(x, **settings))


def avg_pool2d(
    x: Operand,
    kernel_size: Ints,
    *,
    stride: Ints | None = None,
    padding: Ints = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """The mean of each window: y[n, c, h, w] = sum_ij x[n, c, h s + i - p, w s + j - p] / count.

    The count is that of all cells in the window, margin included; of the cells of x alone if not count_include_pad.
    What a last window with ceil_mode reaches beyond the margin never counts.
    x (N, C, H, W) gives (N, C, H', W').  Raises ValueError as `max_pool2d`.

    >>> avg_pool2d(Tensor([[[[1.0, 2.0], [3.0, 6.0]]]]), 2).data
    array([[[[3.]]]])
    """
    return _avg_pooling(2, x, kernel_size, stride, padding, ceil_mode, count_include_pad)


def avg_pool1d(
    x: Operand,
    kernel_size: Ints,
    *,
    stride: Ints | None = None,
    padding: Ints = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """As `avg_pool2d`, along one axis: x (N, C, W) gives (N, C, W').

    >>> avg_pool1d(Tensor([[[1.0, 3.0]]]), 2, padding=1, count_include_pad=False).data
    array([[[1., 3.]]])
    """
    return _avg_pooling(1, x, kernel_size, stride, padding, ceil_mode, count_include_pad)


def _avg_pooling(
    axes: int, x: Operand, kernel_size: Ints, stride: Ints | None, padding: Ints, ceil_mode: bool, include: bool
) -> Tensor:
    x, k, s, _, pairs = _geometry(axes, x, kernel_size, stride, padding, 1, ceil_mode)
    total = _window_sum(x, k, s, pairs)
    if not any(a or b for a, b in pairs):
        return total / prod(k)
    inner = tuple((p, p) if include else (0, 0) for p in per_axis("padding", padding, axes))
    counted = np.ones([a + n + b for n, (a, b) in zip(x.shape[2:], inner, strict=True)], x.dtype)[None, None]
    rest = tuple((max(p - a, 0), max(q - b, 0)) for (p, q), (a, b) in zip(pairs, inner, strict=True))
    return total / _window_sum(Tensor(counted), k, s, rest).detach()


def lp_pool2d(x: Operand, kernel_size: Ints, *, norm: float = 2, stride: Ints | None = None) -> Tensor:
    """The q-norm of each window, q = norm: y[n, c, h, w] = (sum_ij |x[n, c, h s + i, w s + j]|^q)^(1/q).

    Its derivative at 0 is taken as 0.

    x (N, C, H, W) gives (N, C, H', W').  Raises ValueError where the settings do not fit, and for norm < 1.

    >>> lp_pool2d(Tensor([[[[3.0, 0.0], [0.0, 4.0]]]]), 2).data
    array([[[[5.]]]])
    """
    return _lp_pooling(2, x, kernel_size, norm, stride)


def lp_pool1d(x: Operand, kernel_size: Ints, *, norm: float = 2, stride: Ints | None = None) -> Tensor:
    """As `lp_pool2d`, along one axis: x (N, C, W) gives (N, C, W').

    >>> lp_pool1d(Tensor([[[3.0, 4.0]]]), 2, norm=1).data
    array([[[7.]]])
    """
    return _lp_pooling(1, x, kernel_size, norm, stride)


def _lp_pooling(axes: int, x: Operand, kernel_size: Ints, norm: float, stride: Ints | None) -> Tensor:
    if not 1 <= norm < np.inf:
        raise ValueError(
            f"norm (={norm}) must be a number from 1; max pooling is the limit for larger and larger norms"
        )
    x, k, s, _, pairs = _geometry(axes, x, kernel_size, stride, 0, 1, ceil_mode=False)
    total = _window_sum(absolute(x) ** norm if norm % 2 else x**norm, k, s, pairs)
    if norm == 1:
        return total
    # The root is infinitely steep at 0.  Taken of 1 there, and then left out, it has the derivative 0 at all orders.
    return where(total > 0, where(total > 0, total, 1) ** (1 / norm), 0)


def weighted_avg_pool2d(x: Operand, kernel_size: Ints, *, stride: Ints | None = None, sigma: float = 1.0) -> Tensor:
    """The mean of each window, weighted by the distance from its centre.

    y[n, c, h, w] = sum_ij a[i, j] x[n, c, h s + i, w s + j], where a[i, j] is proportional to exp(-r^2 / (2 sigma^2)),
    with r the distance in pixels from the centre of the window, and adds up to 1.
    x (N, C, H, W) gives (N, C, H', W').
    Raises ValueError where the settings do not fit, and unless sigma > 0.

    >>> y = weighted_avg_pool2d(Tensor([[[[0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]]]), 3)
    >>> round(y.item(), 4)
    0.2042
    """
    return _weighted_pooling(2, x, kernel_size, stride, sigma)


def weighted_avg_pool1d(x: Operand, kernel_size: Ints, *, stride: Ints | None = None, sigma: float = 1.0) -> Tensor:
    """As `weighted_avg_pool2d`, along one axis: x (N, C, W) gives (N, C, W').

    >>> y = weighted_avg_pool1d(Tensor([[[0.0, 1.0, 0.0]]]), 3)
    >>> round(y.item(), 4) == round(1 / (1 + 2 * float(np.exp(-1 / 2))), 4)
    True
    """
    return _weighted_pooling(1, x, kernel_size, stride, sigma)


def _weighted_pooling(axes: int, x: Operand, kernel_size: Ints, stride: Ints | None, sigma: float) -> Tensor:
    if not sigma > 0:
        raise ValueError(f"sigma (={sigma}) must be positive")
    x, k, s, _, _ = _geometry(axes, x, kernel_size, stride, 0, 1, ceil_mode=False)
    weights = reduce(np.multiply.outer, [_bell(n, sigma) for n in k]).astype(x.dtype)
    hw, ij = "hw"[-axes:], "ij"[-axes:]
    return einsum(f"nc{hw}{ij},{ij}->nc{hw}", windows(x, k, s), weights)


def _bell(k: int, sigma: float) -> Array:
    squares = (np.arange(k) - (k - 1) / 2) ** 2
    with np.errstate(over="ignore"):  # however small sigma is, the taps nearest to the centre keep their height
        heights = np.exp(-(squares - squares.min()) / 2 / sigma / sigma)
    return heights / heights.sum()


def maxout(x: Operand, pieces: int, axis: int = 1) -> Tensor:
    """The largest of each run of `pieces` channels: y[n, o, ...] = max_k x[n, o pieces + k, ...].

    Pooling over filters that are learnt separately: the layer can learn what to be invariant to.
    x (N, O pieces, ...) gives (N, O, ...).  A tie sends the gradient to the first maximum.
    Raises ValueError unless pieces divides the channels.
    Source: Goodfellow, Warde-Farley, Mirza, Courville and Bengio, Maxout networks, ICML 2013.

    >>> maxout(Tensor([[1.0, 5.0, 2.0, 0.0]]), pieces=2).data
    array([[5., 2.]])
    """
    x, axis = as_tensor(x), whole("axis", axis)
    if not -x.ndim <= axis < x.ndim:
        raise ValueError(f"axis (={axis}) is not an axis of shape {x.shape}")
    axis %= x.ndim
    if whole("pieces", pieces) < 1 or x.shape[axis] % pieces:
        raise ValueError(f"channels (={x.shape[axis]}) must be divisible by pieces (={pieces})")
    before, channels, after = x.shape[:axis], x.shape[axis], x.shape[axis + 1 :]
    return maximum_over(x.reshape(*before, channels // pieces, pieces, *after), axis=axis + 1)


# -- geometry ----------------------------------------------------------------------------------------------------------


def _geometry(
    axes: int, x: Operand, kernel_size: Ints, stride: Ints | None, padding: Ints, dilation: Ints, ceil_mode: bool
) -> tuple[Tensor, Sizes, Sizes, Sizes, Pairs]:
    """The checked input and settings, with the padding before and after that all windows together need."""
    x = as_tensor(x)
    if x.ndim != axes + 2:
        raise ValueError(f"the input must be (N, C, {'H, W' if axes == 2 else 'W'}), got shape {x.shape}")
    k = per_axis("kernel_size", kernel_size, axes)
    s = k if stride is None else per_axis("stride", stride, axes)
    p, d = per_axis("padding", padding, axes), per_axis("dilation", dilation, axes)
    pairs = []
    for n, ki, si, pi, di in zip(x.shape[2:], k, s, p, d, strict=True):
        m = conv_output_size(n, ki, si, pi, di, ceil_mode)
        if 2 * pi > ki:
            raise ValueError(
                f"padding (={pi}) must be at most half of the kernel (={ki}), or a window may see no input"
            )
        reach = (m - 1) * si + di * (ki - 1) + 1  # from the start of the first window to the end of the last
        pairs.append((pi, max(pi, reach - n - pi)))
    return x, k, s, d, tuple(pairs)


def _last_axis_first(*settings: Sequence[Any]) -> list[tuple[Any, ...]]:
    """For each spatial axis its number and its settings, w before h."""
    return [(axis, *its) for axis, its in enumerate(zip(*settings, strict=True), start=2)][::-1]


def _taps(x: Array, axis: int, k: int, stride: int, dilation: int) -> list[Array]:
    """For each tap of the kernel along one axis, what it sees from all places: k strided views of x."""
    last = (conv_output_size(x.shape[axis], k, stride, 0, dilation) - 1) * stride
    before = (slice(None),) * axis
    return [x[(*before, slice(i * dilation, i * dilation + last + 1, stride))] for i in range(k)]


def _widths(x: Array, axis: int, padding: Pair) -> Pairs:
    """The margin of an image that has one along this axis only."""
    return tuple([padding if i == axis else (0, 0) for i in range(x.ndim)])
