"""Layers with weights: dense, convolution and its transpose, locally connected, tiled.

What you can do here: `dense`, `conv1d conv2d`, `conv_transpose2d`, `locally_connected1d/2d`, `tiled_conv1d/2d`.

Letters:   n image    c input channel    o output channel    h w place of the window (one for each output cell)
           i j tap of the kernel    y v pixel    s stride    d dilation    p padding
           (w[...] and a lone w in code are the weight; g is a gradient, and in lists of axes a group of channels)

They are one contraction of weights with `windows`, and differ in the letters of the weight alone:

    convolution           nchwij, ocij -> nohw            every output sees one window; all places h w share the weights
    tiled convolution     nchwij, ochwij -> nohw          ... with the weights of h mod t, w mod t
    locally connected     nchwij, ochwij -> nohw          the weight gained h and w: nothing is shared
    dense                 nc, oc -> no                    one window, as large as the input

(Groups of channels add a letter g: ngchwij, gocij -> ngohw.)

"Convolution" slides the kernel without flipping it, as all of the field does; mathematics calls that
cross-correlation.  Source: Goodfellow, Bengio and Courville, Deep Learning, sections 9.1 to 9.5.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from . import rowwise
from .ops.contract import einsum, matmul
from .ops.shape import pad
from .ops.windows import windows
from .sizes import Ints, conv_output_size, conv_transpose_output_size, per_axis, whole
from .tensor import Array, Operand, Tensor, as_tensors, primitive

Pairs = tuple[tuple[int, int], ...]  # padding before and after, for each spatial axis


def dense(x: Operand, w: Operand, b: Operand | None = None) -> Tensor:
    """Every output a weighted sum of every input: y[n, o] = sum_c x[n, c] w[o, c] + b[o].

    x (..., C), w (O, C), b (O) give (..., O).  Raises ValueError where these do not fit.

    >>> dense(Tensor([[1.0, 2.0]]), Tensor([[1.0, 1.0], [0.0, 1.0]]), Tensor([0.0, 10.0])).data
    array([[ 3., 12.]])
    """
    x, w = as_tensors(x, w)
    if w.ndim != 2 or not x.ndim or x.shape[-1] != w.shape[1]:
        raise ValueError(f"dense needs x (..., C) and w (O, C), got {x.shape} and {w.shape}")
    y = matmul(x, w.T)
    return y if b is None else y + _of_shape(b, w.shape[:1], y)


# -- convolution -------------------------------------------------------------------------------------------------------


def conv_by_definition(
    x: Tensor, w: Tensor, *, stride: tuple[int, ...], padding: Pairs, dilation: tuple[int, ...], groups: int
) -> Tensor:
    """Convolution by its definition: contract the kernel with every window of the padded input.

    y[n, o, h, w] = sum_c sum_i sum_j x[n, c, h s + i d - p, w s + j d - p] w[o, c, i, j]

    With groups, c runs over the channels of o's group.
    This is what `conv1d` and `conv2d` compute; `rowwise.py` has the same sum in the order that memory likes.

    >>> x, w = Tensor(np.arange(5.0).reshape(1, 1, 5)), Tensor([[[1.0, 10.0]]])
    >>> conv_by_definition(x, w, stride=(1,), padding=((0, 0),), dilation=(1,), groups=1).data
    array([[[10., 21., 32., 43.]]])
    """
    hw, ij = "hw"[-len(stride) :], "ij"[-len(stride) :]
    x = pad(x, ((0, 0), (0, 0), *padding))
    grouped = x.reshape(x.shape[0], groups, w.shape[1], *x.shape[2:])  # (n, g, c, h, w)
    patches = windows(grouped, w.shape[2:], stride, dilation)  # (n, g, c, h, w, i, j)
    kernels = w.reshape(groups, -1, *w.shape[1:])  # (g, o, c, i, j)
    y = einsum(f"ngc{hw}{ij},goc{ij}->ngo{hw}", patches, kernels)
    return y.reshape(x.shape[0], w.shape[0], *y.shape[3:])  # (n, o, h, w)


# L = sum of g * conv(x, w) is linear in each of x, w and g.  So its derivative by any one of the three is linear in
# the other two: three operators, and each one's rules are the other two.  Write "conv" out in L and collect what stands
# beside one pixel: every output whose window covers it, times the tap that it was read with,
#
#     dL/dx[n, c, y, v] = sum of g[n, o, h, w] w[o, c, i, j]  over all o h w i j with h s + i d - p = y
#                                                                              and w s + j d - p = v.
#
# That *is* the transposed convolution of g with w, and the reason why it carries the gradient back.
#
#     conv(x, w)            = dL/dg
#     conv_transpose(g, w)  = dL/dx
#     conv_weight(x, g)     = dL/dw


@primitive
def _conv(x: Array, w: Array, **setting: Any) -> Array:
    return rowwise.conv(x, w, rowwise.Setting(**setting))


@primitive
def _conv_transpose(g: Array, w: Array, *, size: tuple[int, ...], **setting: Any) -> Array:
    return rowwise.conv_transpose(g, w, size, rowwise.Setting(**setting))


@primitive
def _conv_weight(x: Array, g: Array, *, kernel_size: tuple[int, ...], **setting: Any) -> Array:
    return rowwise.conv_weight(x, g, kernel_size, rowwise.Setting(**setting))


# The gradient that arrives at one of the three has the shape of what that operator computes, and so has its name here:
# at the transposed convolution arrives an x, at conv_weight a w.
_conv.defvjp(
    lambda g, out, x, w, **setting: _conv_transpose(g, w, size=x.shape[2:], **setting),
    lambda g, out, x, w, **setting: _conv_weight(x, g, kernel_size=w.shape[2:], **setting),
)
_conv_transpose.defvjp(
    lambda x, out, g, w, *, size, **setting: _conv(x, w, **setting),
    lambda x, out, g, w, *, size, **setting: _conv_weight(x, g, kernel_size=w.shape[2:], **setting),
)
_conv_weight.defvjp(
    lambda w, out, x, g, *, kernel_size, **setting: _conv_transpose(g, w, size=x.shape[2:], **setting),
    lambda w, out, x, g, *, kernel_size, **setting: _conv(x, w, **setting),
)


@primitive
def _conv_with_bias(x: Array, w: Array, b: Array, **setting: Any) -> Array:
    """conv(x, w) + b, a number for each output channel: one array instead of two, as nobody else has the first yet."""
    y, b = rowwise.conv(x, w, rowwise.Setting(**setting)), b.reshape(len(b), *(1,) * (x.ndim - 2))
    return np.add(y, b, out=y) if y.dtype == b.dtype else y + b


_conv_with_bias.defvjp(
    lambda g, out, x, w, b, **setting: _conv_transpose(g, w, size=x.shape[2:], **setting),
    lambda g, out, x, w, b, **setting: _conv_weight(x, g, kernel_size=w.shape[2:], **setting),
    lambda g, out, x, w, b, **setting: g.sum(axis=(0, *range(2, g.ndim))),
)


def conv2d(
    x: Operand,
    w: Operand,
    b: Operand | None = None,
    *,
    stride: Ints = 1,
    padding: Ints | str = 0,
    dilation: Ints = 1,
    groups: int = 1,
    padding_mode: str = "zeros",
) -> Tensor:
    """Slide a kernel over an image: y[n, o, h, w] = b[o] + sum_cij x[n, c, h s + i d - p, w s + j d - p] w[o, c, i, j].

    x (N, C, H, W), w (O, C/groups, kH, kW), b (O) give (N, O, H', W'), with H' of `sizes.conv_output_size`.
    With groups, c runs over the channels of o's group.
    padding is a number, one for each axis, "valid" (none) or "same" (the output as large as the input, at stride 1);
    padding_mode fills the margin with "zeros", goes round ("circular"), or mirrors ("reflect").
    Raises ValueError, with the values, where shapes or settings do not fit.
    Source: Goodfellow, Bengio and Courville, Deep Learning, section 9.5.

    >>> image = Tensor(np.arange(9.0).reshape(1, 1, 3, 3))
    >>> edges = Tensor([[[[-1.0, 1.0]]]])
    >>> conv2d(image, edges).data[0, 0]
    array([[1., 1.],
           [1., 1.],
           [1., 1.]])
    >>> conv2d(image, edges, stride=2, padding=(0, 1)).data[0, 0]
    array([[0., 1.],
           [6., 1.]])
    """
    return _convolution(2, x, w, b, stride, padding, dilation, groups, padding_mode)


def conv1d(
    x: Operand,
    w: Operand,
    b: Operand | None = None,
    *,
    stride: Ints = 1,
    padding: Ints | str = 0,
    dilation: Ints = 1,
    groups: int = 1,
    padding_mode: str = "zeros",
) -> Tensor:
    """As `conv2d`, along one axis: x (N, C, W), w (O, C/groups, kW), b (O) give (N, O, W').

    >>> conv1d(Tensor([[[1.0, 2.0, 4.0]]]), Tensor([[[-1.0, 1.0]]])).data
    array([[[1., 2.]]])
    """
    return _convolution(1, x, w, b, stride, padding, dilation, groups, padding_mode)


def _convolution(
    axes: int,
    x: Operand,
    w: Operand,
    b: Operand | None,
    stride: Ints,
    padding: Ints | str,
    dilation: Ints,
    groups: int,
    padding_mode: str,
) -> Tensor:
    x, w = as_tensors(x, w)
    _check_ranks(axes, x, w, axes + 2)
    _check_groups(groups, x.shape[1], w.shape[0])
    if x.shape[1] != w.shape[1] * groups:
        raise ValueError(
            f"the kernel reads {w.shape[1]} channels in each of {groups} groups, the input has {x.shape[1]} "
            f"(x {x.shape}, w {w.shape})"
        )
    stride, dilation = per_axis("stride", stride, axes), per_axis("dilation", dilation, axes)
    pairs = padding_pairs(padding, w.shape[2:], stride, dilation)
    check_padding_mode(padding_mode)
    if padding_mode != "zeros":
        x, pairs = pad(x, ((0, 0), (0, 0), *pairs), PADDING_MODES[padding_mode]), ((0, 0),) * axes
    for n, k, s, (before, after), d in zip(x.shape[2:], w.shape[2:], stride, pairs, dilation, strict=True):
        conv_output_size(n + after - before, k, s, before, d)  # where padding="same" is uneven, as if x were longer
    setting = {"stride": stride, "padding": pairs, "dilation": dilation, "groups": groups}
    if b is None:
        return _conv(x, w, **setting)
    return _conv_with_bias(x, w, _of_shape(b, w.shape[:1], x, w), **setting)


PADDING_MODES = {"zeros": "constant", "circular": "wrap", "reflect": "reflect"}


def check_padding_mode(mode: str) -> None:
    """ValueError, with the modes that there are, for another one."""
    if mode not in tuple(PADDING_MODES):  # not in the dict: a list as mode would be an error without the modes
        raise ValueError(f"padding_mode (={mode!r}) must be one of {', '.join(map(repr, PADDING_MODES))}")


def padding_pairs(
    padding: Ints | str, kernel_size: Sequence[int], stride: Sequence[int], dilation: Sequence[int]
) -> Pairs:
    """The padding before and after, on each axis, of a number, a sequence, "same" or "valid".

    >>> padding_pairs("same", (3, 4), (1, 1), (1, 1)), padding_pairs(2, (3, 3), (1, 1), (1, 1))
    (((1, 1), (1, 2)), ((2, 2), (2, 2)))
    """
    axes = len(kernel_size)
    if isinstance(padding, str):
        if padding == "valid":
            return ((0, 0),) * axes
        if padding != "same":
            raise ValueError(f'padding (={padding!r}) must be a number, one for each axis, "same" or "valid"')
        if any(s != 1 for s in stride):
            raise ValueError(f'padding="same" keeps the size at stride 1 only, got stride {tuple(stride)}')
        totals = [d * (k - 1) for k, d in zip(kernel_size, dilation, strict=True)]
        return tuple((total // 2, total - total // 2) for total in totals)
    numbers = per_axis("padding", padding, axes)
    if any(p < 0 for p in numbers):
        raise ValueError(f"padding (={padding}) must not be negative")
    return tuple((p, p) for p in numbers)


def conv_transpose2d(
    x: Operand,
    w: Operand,
    b: Operand | None = None,
    *,
    stride: Ints = 1,
    padding: Ints = 0,
    output_padding: Ints = 0,
    dilation: Ints = 1,
    groups: int = 1,
) -> Tensor:
    """The transpose of `conv2d`: each input value stamps the kernel, times itself, onto the output.

    y[n, o, h s + i d - p, w s + j d - p] += x[n, c, h, w] w[c, o, i, j].  It undoes the change of size that a
    convolution with the same settings makes (not the change of values); output_padding adds rows and columns at the
    end, since with a stride several sizes lead to the same one.
    x (N, C, H, W), w (C, O/groups, kH, kW), b (O) give (N, O, H', W'), with `sizes.conv_transpose_output_size`.
    Raises ValueError where shapes or settings do not fit.
    Source: Dumoulin and Visin, A guide to convolution arithmetic for deep learning (2016), chapter 4.

    >>> conv_transpose2d(Tensor([[[[1.0, 2.0]]]]), Tensor([[[[1.0, 10.0]]]]), stride=2).data
    array([[[[ 1., 10.,  2., 20.]]]])
    """
    x, w = as_tensors(x, w)
    _check_ranks(2, x, w, 4)
    if x.shape[1] != w.shape[0]:
        raise ValueError(
            f"the kernel reads {w.shape[0]} channels, the input has {x.shape[1]} (x {x.shape}, w {w.shape})"
        )
    _check_groups(groups, x.shape[1])
    stride, dilation = per_axis("stride", stride, 2), per_axis("dilation", dilation, 2)
    padding, extra = per_axis("padding", padding, 2), per_axis("output_padding", output_padding, 2)
    size = tuple(
        conv_transpose_output_size(*a)
        for a in zip(x.shape[2:], w.shape[2:], stride, padding, extra, dilation, strict=True)
    )
    # output_padding makes the margin at the end smaller, and what is then still missing is zeros.  So a convolution of
    # the part of size `inner` with these margins has exactly the places of x: that is the rule for x.
    margins = tuple((p, max(p - e, 0)) for p, e in zip(padding, extra, strict=True))
    missing = tuple(min(max(e - p, 0), m) for p, e, m in zip(padding, extra, size, strict=True))
    inner = tuple(m - e for m, e in zip(size, missing, strict=True))
    y: Tensor = _conv_transpose(x, w, size=inner, stride=stride, padding=margins, dilation=dilation, groups=groups)
    y = pad(y, ((0, 0), (0, 0), *((0, e) for e in missing))) if any(missing) else y
    if b is None:
        return y
    return y + _of_shape(b, (w.shape[1] * groups,), y).reshape(-1, 1, 1)


# -- weights of its own for each place ---------------------------------------------------------------------------------


def locally_connected2d(
    x: Operand,
    w: Operand,
    b: Operand | None = None,
    *,
    stride: Ints = 1,
    padding: Ints = 0,
    dilation: Ints = 1,
) -> Tensor:
    """Windows as in a convolution, with a kernel of its own at each place ("unshared convolution").

    y[n, o, h, w] = b[o, h, w] + sum_cij x[n, c, h s + i d - p, w s + j d - p] w[o, c, h, w, i, j].
    x (N, C, H, W), w (O, C, H', W', kH, kW), b (O, H', W') give (N, O, H', W').
    Raises ValueError where shapes or settings do not fit.
    Source: Goodfellow, Bengio and Courville, Deep Learning, section 9.5, equation 9.9.

    >>> w = np.array([1.0, 10.0, 100.0, 0.0]).reshape(1, 1, 2, 2, 1, 1)
    >>> locally_connected2d(Tensor([[[[1.0, 2.0], [3.0, 4.0]]]]), w).data[0, 0]
    array([[  1.,  20.],
           [300.,   0.]])
    """
    return _locally_connected(2, x, w, b, stride, padding, dilation, tiled=False)


def locally_connected1d(
    x: Operand,
    w: Operand,
    b: Operand | None = None,
    *,
    stride: Ints = 1,
    padding: Ints = 0,
    dilation: Ints = 1,
) -> Tensor:
    """As `locally_connected2d`, along one axis: x (N, C, W), w (O, C, W', kW), b (O, W') give (N, O, W').

    >>> locally_connected1d(Tensor([[[1.0, 2.0, 3.0]]]), Tensor([[[[1.0, 0.0], [0.0, 1.0]]]])).data
    array([[[1., 3.]]])
    """
    return _locally_connected(1, x, w, b, stride, padding, dilation, tiled=False)


def tiled_conv2d(
    x: Operand,
    w: Operand,
    b: Operand | None = None,
    *,
    stride: Ints = 1,
    padding: Ints = 0,
    dilation: Ints = 1,
) -> Tensor:
    """Windows as in a convolution, with tH x tW kernels that take turns as the window moves.

    y[n, o, h, w] = b[o, h % tH, w % tW] + sum_cij x[n, c, h s + i d - p, w s + j d - p] w[o, c, h % tH, w % tW, i, j].
    x (N, C, H, W), w (O, C, tH, tW, kH, kW), b (O, tH, tW) give (N, O, H', W').  One tile is a convolution, as many as
    there are places a locally connected layer.  Raises ValueError where shapes or settings do not fit.
    Source: Goodfellow, Bengio and Courville, Deep Learning, section 9.5, equation 9.10.

    >>> w = np.array([1.0, 10.0]).reshape(1, 1, 1, 2, 1, 1)
    >>> tiled_conv2d(Tensor([[[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]]]), w).data[0, 0]
    array([[ 1., 20.,  3.],
           [ 4., 50.,  6.]])
    """
    return _locally_connected(2, x, w, b, stride, padding, dilation, tiled=True)


def tiled_conv1d(
    x: Operand,
    w: Operand,
    b: Operand | None = None,
    *,
    stride: Ints = 1,
    padding: Ints = 0,
    dilation: Ints = 1,
) -> Tensor:
    """As `tiled_conv2d`, along one axis: x (N, C, W), w (O, C, tW, kW), b (O, tW) give (N, O, W').

    >>> tiled_conv1d(Tensor([[[1.0, 2.0, 3.0, 4.0]]]), Tensor([[[[1.0], [10.0]]]])).data
    array([[[ 1., 20.,  3., 40.]]])
    """
    return _locally_connected(1, x, w, b, stride, padding, dilation, tiled=True)


def _locally_connected(
    axes: int, x: Operand, w: Operand, b: Operand | None, stride: Ints, padding: Ints, dilation: Ints, tiled: bool
) -> Tensor:
    x, w = as_tensors(x, w)
    _check_ranks(axes, x, w, 2 * axes + 2)
    if x.shape[1] != w.shape[1]:
        raise ValueError(
            f"the kernel reads {w.shape[1]} channels, the input has {x.shape[1]} (x {x.shape}, w {w.shape})"
        )
    kernel_size = w.shape[2 + axes :]
    stride, dilation = per_axis("stride", stride, axes), per_axis("dilation", dilation, axes)
    padding = per_axis("padding", padding, axes)
    places = tuple(conv_output_size(*a) for a in zip(x.shape[2:], kernel_size, stride, padding, dilation, strict=True))
    if tiled:
        b = None if b is None else _repeat_tiles(_of_shape(b, (w.shape[0], *w.shape[2 : 2 + axes]), w), 1, places)
        w = _repeat_tiles(w, 2, places)
    elif w.shape[2 : 2 + axes] != places:
        raise ValueError(f"w (={w.shape}) has kernels for {w.shape[2 : 2 + axes]} places, the input has {places}")
    patches = windows(pad(x, ((0, 0), (0, 0), *((p, p) for p in padding))), kernel_size, stride, dilation)
    hw, ij = "hw"[-axes:], "ij"[-axes:]
    y = einsum(f"nc{hw}{ij},oc{hw}{ij}->no{hw}", patches, w)
    return y if b is None else y + _of_shape(b, (w.shape[0], *places), y)


def _repeat_tiles(w: Tensor, first_axis: int, places: Sequence[int]) -> Tensor:
    """The tile axes, repeated until there is a kernel for each place: kernel h % t for place h."""
    for axis, m in enumerate(places, start=first_axis):
        w = w[(slice(None),) * axis + (np.arange(m) % w.shape[axis],)]
    return w


# -- what fits ---------------------------------------------------------------------------------------------------------


def _check_ranks(axes: int, x: Tensor, w: Tensor, w_ndim: int) -> None:
    if x.ndim != axes + 2 or 0 in x.shape[1:]:
        raise ValueError(f"the input must be (N, C, {'H, W' if axes == 2 else 'W'}), not empty, got shape {x.shape}")
    if w.ndim != w_ndim or 0 in w.shape:
        raise ValueError(f"the kernel must have {w_ndim} axes, none of them empty, got shape {w.shape}")


def _check_groups(groups: int, channels: int, output_channels: int = 0) -> None:
    if whole("groups", groups) < 1:
        raise ValueError(f"groups (={groups}) must be at least 1")
    if channels % groups:
        raise ValueError(f"channels (={channels}) must be divisible by groups (={groups})")
    if output_channels % groups:
        raise ValueError(f"output channels (={output_channels}) must be divisible by groups (={groups})")


def _of_shape(b: Operand, shape: tuple[int, ...], *like: Tensor) -> Tensor:
    """The bias, in the widest dtype of other Tensors if it has none of its own."""
    *_, bias = as_tensors(*like, b)
    if bias.shape != shape:
        raise ValueError(f"b must have shape {shape}, got {bias.shape}")
    return bias
