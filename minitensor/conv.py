"""Layers with weights: dense, convolution and its transpose.

What you can do here: `dense`; `conv` and `conv_transpose`, each with a rank behind its name, as `conv2d`.

Letters:   n image    c input channel    o output channel    h w place of the window (one for each output cell)
           i j tap of the kernel    y v pixel (row, column)    k group of channels    t tile
           s stride    d dilation    p padding
           in code: x the input, w the weight, g a gradient that is shaped like the output
           (before a bracket w is the weight and y the output; inside one they are indices)

They are one contraction of the weight with `windows` of the input, and differ in the letters of the weight alone.
(Letters name axes, as in `np.einsum`: multiply, and add up over each letter that the result lacks.)

    convolution           nchwij, ocij -> nohw            every output sees one window; all places h w share the weight
    depthwise             nchwij, cij -> nchw             ... each channel has one kernel: a group for each channel
    tiled convolution     nchwij, ochwij -> nohw          ... kernels take turns, h mod t, w mod t (`local.py`)
    locally connected     nchwij, ochwij -> nohw          the weight gained h and w: nothing is shared (`local.py`)
    dense                 nc, oc -> no                    one window, as large as the input

"Convolution" slides the kernel without flipping it, as is usual in this field; mathematics calls that
cross-correlation.  Source: Goodfellow, Bengio and Courville, Deep Learning, sections 9.1 to 9.5.
"""

from __future__ import annotations

from .checks import Ints, Sizes
from .checks.layers import check_bias, check_dense, check_layer, of_rank, padding_fill
from .ops.contract import _einsum, matmul
from .ops.shape import pad
from .tensor import Array, Operand, Tensor, as_tensors, primitive
from .windows import Windows, fold_patches, patches

# fmt: off

def dense(x: Operand, w: Operand, b: Operand | None = None) -> Tensor:
    """Each output is a weighted sum of all inputs: y[n, o] = sum_c x[n, c] w[o, c] + b[o].

    x (..., C), w (O, C), b (O) give (..., O).  Raises ValueError where these do not fit.

    >>> dense(Tensor([[1.0, 2.0]]), Tensor([[1.0, 1.0], [0.0, 1.0]]), Tensor([0.0, 10.0])).data
    array([[ 3., 12.]])
    """
    x, w = as_tensors(x, w)
    check_dense(x.shape, w.shape)
    y = matmul(x, w.T)
    return y if b is None else y + bias_of_shape(b, w.shape[:1], y)

# -- convolution -------------------------------------------------------------------------------------------------------

def conv(
    x: Operand, w: Operand, b: Operand | None = None, stride: Ints = 1, padding: Ints | str = 0, dilation: Ints = 1,
    groups: int = 1, *, padding_mode: str = "zeros",
) -> Tensor:
    """Slide a kernel over an image: y[n, o, h, w] = b[o] + sum_cij x[n, c, h s + i d - p, w s + j d - p] w[o, c, i, j].

    x (N, C, H, W), w (O, C/groups, kH, kW), b (O) give (N, O, H', W'), with H' of `sizes.conv_output_size`; one axis or
    three likewise.  With groups, c runs over the channels of o's group: groups = C is a depthwise convolution.
    padding is a number, one for each axis, "valid" (none) or "same" (the output as large as the input, at stride 1);
    padding_mode fills the margin with "zeros", goes round ("circular"), mirrors ("reflect"), or repeats the border
    ("replicate").
    Raises ValueError, with the values, where shapes or settings do not fit.
    Source: Goodfellow, Bengio and Courville, Deep Learning, section 9.5.

    >>> image, edges = Tensor([[[[1.0, 2.0, 4.0], [3.0, 3.0, 9.0]]]]), Tensor([[[[-1.0, 1.0]]]])
    >>> conv2d(image, edges).data[0, 0].tolist(), conv2d(image, edges, stride=2, padding=(0, 1)).data[0, 0].tolist()
    ([[1.0, 2.0], [0.0, 6.0]], [[1.0, 2.0]])
    """
    x, w = as_tensors(x, w)
    check_layer(x.shape, w.shape, groups=groups)
    windows = Windows.over(x.shape[2:], w.shape[2:], stride=stride, padding=padding, dilation=dilation)
    if (fill := padding_fill(padding_mode)) != "constant":
        x = pad(x, ((0, 0), (0, 0), *windows.margin), fill)
        windows = Windows.over(x.shape[2:], w.shape[2:], stride=stride, dilation=dilation)
    bias = () if b is None else (bias_of_shape(b, w.shape[:1], x, w),)
    return _conv(x, w, *bias, windows=windows, groups=groups)

@primitive
def _conv(x: Array, w: Array, b: Array | None = None, *, windows: Windows, groups: int = 1) -> Array:
    """Contract the kernel with every window."""
    seen, kernels = patches(by_group(x, groups), windows), w.reshape(groups, -1, *w.shape[1:])
    y = contract("nkchwij,kocij->nkohw", seen, kernels).reshape(len(x), len(w), *windows.places)
    return y if b is None else y + b.reshape(-1, *[1] * (y.ndim - 2))

@primitive
def _conv_transpose(g: Array, w: Array, *, windows: Windows, groups: int = 1) -> Array:
    """Multiply the kernel with every g, and fold what that makes of the windows."""
    kernels = w.reshape(groups, -1, *w.shape[1:])
    x = fold_patches(contract("nkohw,kocij->nkchwij", by_group(g, groups), kernels), windows)
    return x.reshape(len(g), groups * w.shape[1], *windows.size)

@primitive
def _conv_weight(x: Array, g: Array, *, windows: Windows, groups: int = 1) -> Array:
    """Contract every window with its g."""
    w = contract("nkchwij,nkohw->kocij", patches(by_group(x, groups), windows), by_group(g, groups))
    return w.reshape(-1, *w.shape[2:])

# Why is convolution's rule for x the transposed convolution?  By hand, 3 pixels and 2 taps:
#
#     y_0 = x_0 w_0 + x_1 w_1        As a matrix, y = A x with A = [[w_0, w_1, 0], [0, w_0, w_1]], so dL/dx = A^T g:
#     y_1 = x_1 w_0 + x_2 w_1        dL/dx = (g_0 w_0,  g_0 w_1 + g_1 w_0,  g_1 w_1)
#
# Each g stamps the kernel, times itself, onto the pixels that its window read: that *is* the transposed convolution of
# g with w, and A^T its name.  For w = (10, 1) and g = (1, 5) it is (10, 51, 5).  In general, a pixel gets the g of each
# output whose window covers it, times the tap that it was read with:
#
#     dL/dx[n, c, y, v] = sum of g[n, o, h, w] w[o, c, i, j]  over all o h w i j with h s + i d - p = y
#                                                                              and w s + j d - p = v.
# In the same way each tap gets the pixels that it has met, times their g: `conv_weight`.  L, the sum of g * conv(x, w),
# is linear in each of x, w and g: so it has three derivatives, and the rules of each operator are the other two.
# (For second derivatives g is an input like the others.)
#
#     dL/dg = conv(x, w)            dL/dx = conv_transpose(g, w)            dL/dw = conv_weight(x, g)
#
# A gradient arrives in the shape of what its operator computes: that of conv_transpose is shaped like x, so it is
# called x, and that of conv_weight is called w.

_conv.defvjp(
    lambda g, out, x, w, b=None, **settings: _conv_transpose(g, w, **settings),
    lambda g, out, x, w, b=None, **settings: _conv_weight(x, g, **settings),
    lambda g, out, x, w, b=None, **settings: g.sum(axis=(0, *range(2, g.ndim))),
)
_conv_transpose.defvjp(
    lambda x, out, g, w, **settings: _conv(x, w, **settings),
    lambda x, out, g, w, **settings: _conv_weight(x, g, **settings),
)
_conv_weight.defvjp(
    lambda w, out, x, g, **settings: _conv_transpose(g, w, **settings),
    lambda w, out, x, g, **settings: _conv(x, w, **settings),
)

def conv_transpose(
    x: Operand, w: Operand, b: Operand | None = None, stride: Ints = 1, padding: Ints = 0, output_padding: Ints = 0,
    groups: int = 1, dilation: Ints = 1,
) -> Tensor:
    """The transpose of `conv`: each input value stamps the kernel, times itself, onto the output.

    y[n, o, h s + i d - p, w s + j d - p] += x[n, c, h, w] w[c, o, i, j].  It undoes the change of size that a
    convolution with the same settings makes (not the change of values); with a stride several sizes are changed to one,
    and output_padding, rows and columns added at the end, chooses among them.
    x (N, C, H, W), w (C, O/groups, kH, kW), b (O) give (N, O, H', W'), with `sizes.conv_transpose_output_size`; one
    axis or three likewise.  Raises ValueError where shapes or settings do not fit.
    Source: Dumoulin and Visin, A guide to convolution arithmetic for deep learning (2016), chapter 4.

    >>> conv_transpose2d(Tensor([[[[1.0, 2.0]]]]), Tensor([[[[1.0, 10.0]]]]), stride=2).data
    array([[[[ 1., 10.,  2., 20.]]]])
    """
    x, w = as_tensors(x, w)
    check_layer(x.shape, w.shape, groups=groups, transposed=True)
    windows = Windows.onto(
        x.shape[2:], w.shape[2:], stride=stride, padding=padding, output_padding=output_padding, dilation=dilation
    )
    y: Tensor = _conv_transpose(x, w, windows=windows, groups=groups)
    return y if b is None else y + bias_of_shape(b, (w.shape[1] * groups,), y).reshape(-1, *[1] * (y.ndim - 2))

# conv2d is conv, and an error for images with other than two axes.
conv1d, conv2d, conv3d = of_rank(1, conv), of_rank(2, conv), of_rank(3, conv)
conv_transpose1d, conv_transpose2d, conv_transpose3d = (of_rank(n, conv_transpose) for n in (1, 2, 3))

# -- how it is said in NumPy -------------------------------------------------------------------------------------------

def by_group(x: Array, groups: int) -> Array:
    """(n, c, h, w) as (n, k, c/k, h, w)."""
    return x.reshape(len(x), groups, x.shape[1] // groups, *x.shape[2:])

def contract(spec: str, x: Array, y: Array) -> Array:
    """The einsum of two arrays by group, (n, k, c, ...); the letters hw and ij stand for one or three axes as well."""
    with_taps = "ij" in spec.partition(",")[0]
    result: Array = _einsum.function(x, y, spec=of_axes(spec, (x.ndim - 3) // (1 + with_taps)))
    return result

def of_axes(spec: str, axes: int) -> str:
    """A contraction along h w, with taps i j, for another number of axes.

    >>> of_axes("nchwij,ochwij->nohw", 1), of_axes("nchwij,ochwij->nohw", 3)
    ('ncwj,ocwj->now', 'nczhwlij,oczhwlij->nozhw')
    """
    return spec.replace("hw", "zhw"[-axes:]).replace("ij", "lij"[-axes:])

def bias_of_shape(b: Operand, shape: Sizes, *like: Tensor) -> Tensor:
    """The bias, in the widest dtype of other Tensors if it has none of its own."""
    bias = as_tensors(*like, b)[-1]
    check_bias(bias.shape, shape)
    return bias
