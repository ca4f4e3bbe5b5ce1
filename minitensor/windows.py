"""How windows lie over an image, and the one map behind convolution and pooling.

What you can do here: look at an image through `windows`, `fold` patches back onto it, and describe with `Windows` how
they lie.

Letters, along one axis:   n input length    k kernel (tap count)    s stride    p padding    d dilation    m places
                           span = d (k - 1) + 1, what a dilated kernel covers
In shapes:                 h w place of the window (one for each output cell)    i j tap (position inside the window)

    windows(x)[..., h, w, i, j] = x[..., h s + i d - p, w s + j d - p]     the same pixel in every window that covers it
    fold(g)[..., y, v]          = the sum of g[..., h, w, i, j] over all that came from the pixel y v

Others call them unfold (or im2col) and fold (or col2im).  Both are linear, and fold is the *adjoint* of windows.  The
adjoint f* of a linear map f is the map with <f(x), g> = <x, f*(g)> for all x and g, where <a, b> is the sum of all
a_i b_i; if f multiplies by a matrix, f* multiplies by its transpose.  By hand, for 3 pixels and windows of 2:

    windows(x) = (x_0, x_1), (x_1, x_2)            as a matrix  A = [[1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 1]]
    fold(g)    = (g_00, g_01 + g_10, g_11)         its transpose, A^T

Why it matters: let out = f(x) and g = dL/d out.  If x moves by dx, out moves by f(dx), and hence L by <g, f(dx)> =
<f*(g), dx>.  What stands beside dx is dL/dx, so *the rule of a linear map is its adjoint*: the gradient of windows goes
back through fold, and that of fold through windows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import product
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from .checks import Ints, Margin, Sizes, listed, margins, number_of_places, per_axis, transposed_size, whole
from .tensor import Array, Operand, Tensor, as_tensor, primitive

# fmt: off

# -- the map and its adjoint, on arrays --------------------------------------------------------------------------------

def patches(x: Array, windows: Windows, fill: float = 0) -> Array:
    """What each window sees, (..., H, W) -> (..., H', W', kH, kW): a view of x, or of x with a margin of `fill`."""
    axes = len(windows.size)
    if any(map(any, windows.reach)):
        x = np.pad(x, ((0, 0),) * (x.ndim - axes) + windows.reach, constant_values=fill)
    every = sliding_window_view(x, windows.span, axis=tuple(range(-axes, 0)))  # at stride 1, no gaps between the taps
    places = [slice(0, (m - 1) * s + 1, s) for m, s in zip(windows.places, windows.stride, strict=True)]
    taps = [slice(None, None, d) for d in windows.dilation]
    seen: Array = every[(..., *places, *taps)]  # type: ignore[arg-type]
    return seen

def fold_patches(g: Array, windows: Windows) -> Array:
    """What each window holds, added where it was read, (..., H', W', kH, kW) -> (..., H, W); the margin is cut off."""
    axes = len(windows.size)
    image = np.zeros((*g.shape[: g.ndim - 2 * axes], *windows.padded), g.dtype)
    for tap in product(*map(range, windows.kernel)):  # one tap of all windows at once
        values: tuple[Any, ...] = (..., *tap)
        image[windows.lattice(tap)] += g[values]
    return image[windows.inside]

# -- and on Tensors ----------------------------------------------------------------------------------------------------

def windows(x: Operand, kernel_size: Ints, stride: Ints = 1, dilation: Ints = 1) -> Tensor:
    """Every patch of x, as a view that copies nothing; (..., H, W) becomes (..., H', W', kH, kW).

    Windows slide along as many of the last axes as kernel_size has numbers; a single number is one for the last axis.
    stride and dilation are a number, or one for each of these axes.
    Raises ValueError for a kernel larger than the input.
    Source: Goodfellow, Bengio and Courville, Deep Learning, section 9.1.

    >>> windows(Tensor([1.0, 2.0, 3.0, 4.0]), 2).data.tolist()
    [[1.0, 2.0], [2.0, 3.0], [3.0, 4.0]]
    """
    x, axes = as_tensor(x), len(kernel_size) if isinstance(kernel_size, Sequence) else 1
    if x.ndim < axes:
        raise ValueError(f"a window with {axes} axes (={kernel_size}) needs an input with as many, got {x.shape}")
    return _windows(x, windows=Windows.over(x.shape[x.ndim - axes :], kernel_size, stride=stride, dilation=dilation))

def fold(patches: Operand, size: Ints, stride: Ints = 1, dilation: Ints = 1) -> Tensor:
    """Patches laid back onto an image of this size, added where they overlap; the adjoint of `windows`.

    (..., H', W', kH, kW) becomes (..., H, W), for size (H, W).
    Raises ValueError where the patches are not those that `windows` takes from such an image.

    >>> fold(Tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), size=4).data
    array([1., 5., 9., 6.])
    """
    patches, size = as_tensor(patches), tuple(size) if isinstance(size, Sequence) else (whole("size", size),)
    axes = len(size)
    front = patches.ndim - 2 * axes
    if front < 0:
        raise ValueError(f"patches of shape {patches.shape} must end in {axes} axes of places and {axes} of taps")
    places, taps = patches.shape[front : front + axes], patches.shape[front + axes :]
    windows = Windows.over(size, taps, stride=stride, dilation=dilation)
    if places != windows.places:
        raise ValueError(f"an image of size {size} has {windows.places} windows of {taps}, the patches have {places}")
    return _fold(patches, windows=windows)

@primitive
def _windows(x: Array, *, windows: Windows) -> Array:
    return patches(x, windows)

@primitive
def _fold(g: Array, *, windows: Windows) -> Array:
    return fold_patches(g, windows)

_windows.defvjp(lambda g, out, x, *, windows: _fold(g, windows=windows))
_fold.defvjp(lambda x, out, g, *, windows: _windows(x, windows=windows))  # the gradient of an image is shaped like x

# That is the idea: go on to `conv.py`.  The rest of this file is how many places there are, and where.

# -- how windows lie ---------------------------------------------------------------------------------------------------

@dataclass(frozen=True, repr=False)
class Windows:
    """How windows lie over an image: checked once, in `over` or `onto`, and asked by everything that slides.

    Each field has an entry for each spatial axis.

    >>> windows = Windows.over((5, 6), 3, stride=2, padding=1)
    >>> windows, windows.places, windows.margin
    (3x3 stride 2 padding 1, (3, 3), ((1, 1), (1, 1)))
    """

    size: Sizes  # n
    kernel: Sizes  # k
    stride: Sizes  # s
    dilation: Sizes  # d
    margin: Margin  # p, before and after
    places: Sizes  # m

    @classmethod
    def over(
        cls, size: Sequence[int], kernel: Ints, *, stride: Ints | None = 1, padding: Ints | str = 0, dilation: Ints = 1,
        ceil_mode: bool = False,
    ) -> Windows:
        """Windows over an image of this size: along each axis m = floor((n + margin - span) / s) + 1 places.

        A number stands for the same on each axis.  stride None is the kernel; padding is a number, one for each axis,
        "valid" (none), or "same" (as many places as pixels, at stride 1; of an odd margin the larger part comes last).
        Raises ValueError, TypeError, with the values, where it does not fit.
        """
        axes = len(listed("size", size))
        size = per_axis("size", size, axes)
        kernel = per_axis("kernel_size", kernel, axes)
        stride = kernel if stride is None else per_axis("stride", stride, axes)
        dilation = per_axis("dilation", dilation, axes)
        return _over(size, kernel, stride, dilation, margins(padding, kernel, stride, dilation), bool(ceil_mode))

    @classmethod
    def onto(
        cls, places: Sequence[int], kernel: Ints, *, stride: Ints = 1, padding: Ints = 0, output_padding: Ints = 0,
        dilation: Ints = 1,
    ) -> Windows:
        """Windows with this many places, through which a transposed convolution writes: the size follows from them.

        n = (m - 1) s - 2p + span + output_padding along each axis.  Several n have m places, if s > 1, and
        output_padding chooses among them.  Raises ValueError, TypeError, with the values, where it does not fit.

        >>> Windows.onto((3,), 3, stride=2).size, Windows.onto((3,), 3, stride=2, output_padding=1).size
        ((7,), (8,))
        """
        names = ("places", "kernel_size", "stride", "padding", "output_padding", "dilation")
        given = zip(names, (places, kernel, stride, padding, output_padding, dilation), strict=True)
        m, k, s, p, extra, d = [per_axis(name, value, len(listed("places", places))) for name, value in given]
        size = tuple([transposed_size(*line) for line in zip(m, k, s, p, extra, d, strict=True)])
        margin = tuple([(a, max(a - e, 0)) for a, e in zip(p, extra, strict=True)])  # at the end a part becomes image
        return cls(size, k, s, d, margin, m)

    @cached_property
    def span(self) -> Sizes:
        """What a dilated kernel covers, d (k - 1) + 1."""
        return tuple([d * (k - 1) + 1 for k, d in zip(self.kernel, self.dilation, strict=True)])

    @cached_property
    def reach(self) -> Margin:
        """The margin that the windows need: the one asked for, and with ceil_mode more at the end."""
        ends = [(m - 1) * s + span for m, s, span in zip(self.places, self.stride, self.span, strict=True)]
        lines = zip(self.size, self.margin, ends, strict=True)
        return tuple([(before, max(after, end - n - before)) for n, (before, after), end in lines])

    @cached_property
    def padded(self) -> Sizes:
        """The size of the image with this margin."""
        return tuple([a + n + b for n, (a, b) in zip(self.size, self.reach, strict=True)])

    @cached_property
    def inside(self) -> tuple[Any, ...]:
        """The index of the images within the padded ones."""
        return (..., *[slice(before, before + n) for n, (before, _) in zip(self.size, self.reach, strict=True)])

    def lattice(self, tap: Sequence[int]) -> tuple[Any, ...]:
        """The index of what one tap of the kernel touches in padded images, over all places: a pixel every s.

        >>> Windows.over((6,), 2, stride=2).lattice((1,))
        (Ellipsis, slice(1, 6, 2))
        """
        lines = zip(tap, self.places, self.stride, self.dilation, strict=True)
        return (..., *[slice(i * d, i * d + (m - 1) * s + 1, s) for i, m, s, d in lines])

    def positions(self, axis: int) -> Array:
        """The pixel that each tap reads from each place along an axis, h s + i d - p: shape (places, taps).

        >>> Windows.over((4,), 3, padding=1).positions(0).tolist()
        [[-1, 0, 1], [0, 1, 2], [1, 2, 3], [2, 3, 4]]
        """
        h, i = np.arange(self.places[axis])[:, None], np.arange(self.kernel[axis])
        return h * self.stride[axis] + i * self.dilation[axis] - self.margin[axis][0]

    def unread(self, axis: int) -> list[int]:
        """The pixels along an axis that no window reads.

        >>> Windows.over((8,), 3, stride=3).unread(0)
        [6, 7]
        """
        return sorted(set(range(self.size[axis])) - set(self.positions(axis).ravel().tolist()))

    def __repr__(self) -> str:
        sides = [a if a == b else (a, b) for a, b in self.margin]
        said = [("stride", self.stride, 1), ("dilation", self.dilation, 1), ("padding", sides, 0)]
        shortly = [f"{name} {values[0] if len(set(values)) == 1 else 'x'.join(map(str, values))}"
                   for name, values, usual in said if any(v != usual for v in values)]
        return " ".join(["x".join(map(str, self.kernel)), *shortly])

@lru_cache(4096)  # the same for every batch
def _over(size: Sizes, kernel: Sizes, stride: Sizes, dilation: Sizes, margin: Margin, ceil_mode: bool) -> Windows:
    lines = zip(size, kernel, stride, margin, dilation, strict=True)
    places = tuple([number_of_places(*line, ceil_mode) for line in lines])
    return Windows(size, kernel, stride, dilation, margin, places)
