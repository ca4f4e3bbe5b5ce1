"""How windows lie over an image, and the one map behind convolution and pooling.

What you can do here: describe a setting with `Windows`, look at an image through `windows`, and `fold` patches back
onto it.

Letters, along one axis:   n input length    k kernel (tap count)    s stride    p padding    d dilation    m places
                           span = d (k - 1) + 1, what a dilated kernel covers
In shapes:                 h w place of the window (one for each output cell)    i j tap (position inside the window)

    windows(x)[..., h, w, i, j] = x[..., h s + i d - p, w s + j d - p]     the same pixel in every window that covers it
    fold(g)[..., y, v]          = the sum of g[..., h, w, i, j] over all that came from the pixel y v

Elsewhere they are called unfold (or im2col) and fold (or col2im).  Both are linear, and `fold` is the *adjoint* of
`windows`: the sum of windows(x) * g is the sum of x * fold(g), for all x and g.  (Written as matrices, one is the
transpose of the other; `ops/shape.py` has an example, and says why the gradient goes back through the adjoint.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache, wraps
from itertools import product
from typing import Any, ParamSpec, TypeAlias

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from .checks import Ints, Sizes, check_least, per_axis, whole
from .tensor import Array, Operand, Tensor, as_tensor, primitive

Margin: TypeAlias = tuple[tuple[int, int], ...]  # before and after, on each axis

# -- windows over an image ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, repr=False)
class Windows:
    """How windows lie over an image: checked once, in `over`, and asked by everything that slides.

    Each field has an entry for each spatial axis; `margin` has one before and one after.

    >>> windows = Windows.over((5, 6), 3, stride=2, padding=1)
    >>> windows, windows.places, windows.margin
    (3x3 stride 2 padding 1, (3, 3), ((1, 1), (1, 1)))
    """

    size: Sizes
    kernel: Sizes
    stride: Sizes
    dilation: Sizes
    margin: Margin
    places: Sizes

    @classmethod
    def over(
        cls,
        size: Sequence[int],
        kernel: Ints,
        *,
        stride: Ints | None = 1,
        padding: Ints | str = 0,
        dilation: Ints = 1,
        ceil_mode: bool = False,
    ) -> Windows:
        """Windows over an image of this size.

        A number stands for the same on each axis.  stride None is the kernel; padding is a number, one for each axis,
        "valid" (none), or "same" (as many places as pixels, at stride 1; of an odd margin the larger part comes last).
        Raises ValueError, TypeError, with the values, where it does not fit.

        >>> Windows.over((6,), 4, padding="same").margin
        ((1, 2),)
        """
        size, axes = per_axis("size", size, len(size)), len(size)
        kernel = per_axis("kernel_size", kernel, axes)
        stride = kernel if stride is None else per_axis("stride", stride, axes)
        dilation = per_axis("dilation", dilation, axes)
        return _over(size, kernel, stride, dilation, margins(padding, kernel, stride, dilation), bool(ceil_mode))

    @cached_property
    def span(self) -> Sizes:
        """What a dilated kernel covers, d (k - 1) + 1."""
        return tuple([d * (k - 1) + 1 for k, d in zip(self.kernel, self.dilation, strict=True)])

    @cached_property
    def reach(self) -> Margin:
        """The margin that the windows need: the one asked for, and with ceil_mode more at the end.

        >>> Windows.over((6,), 3, stride=2, ceil_mode=True).reach
        ((0, 1),)
        """
        ends = [(m - 1) * s + span for m, s, span in zip(self.places, self.stride, self.span, strict=True)]
        lines = zip(self.size, self.margin, ends, strict=True)
        return tuple([(before, max(after, end - n - before)) for n, (before, after), end in lines])

    @cached_property
    def padded(self) -> Sizes:
        """The size of the image with this margin."""
        return tuple([a + n + b for n, (a, b) in zip(self.size, self.reach, strict=True)])

    def positions(self, axis: int) -> Array:
        """The pixel that each tap reads from each place along an axis, h s + i d - p: shape (places, taps).

        >>> Windows.over((4,), 3, padding=1).positions(0)
        array([[-1,  0,  1],
               [ 0,  1,  2],
               [ 1,  2,  3],
               [ 2,  3,  4]])
        """
        h, i = np.arange(self.places[axis])[:, None], np.arange(self.kernel[axis])
        return h * self.stride[axis] + i * self.dilation[axis] - self.margin[axis][0]

    def unread(self, axis: int) -> list[int]:
        """The pixels along an axis that no window reads.

        >>> Windows.over((8,), 3, stride=3).unread(0)
        [6, 7]
        """
        return sorted(set(range(self.size[axis])) - set(self.positions(axis).ravel().tolist()))

    def lattice(self, tap: Sequence[int]) -> tuple[Any, ...]:
        """The index of what one tap of the kernel touches in padded images, over all places: a pixel every s.

        >>> Windows.over((6,), 2, stride=2).lattice((1,))
        (Ellipsis, slice(1, 6, 2))
        """
        lines = zip(tap, self.places, self.stride, self.dilation, strict=True)
        return (..., *[slice(i * d, i * d + (m - 1) * s + 1, s) for i, m, s, d in lines])

    @cached_property
    def inside(self) -> tuple[Any, ...]:
        """The index of the images within the padded ones."""
        return (..., *[slice(before, before + n) for n, (before, _) in zip(self.size, self.reach, strict=True)])

    def __repr__(self) -> str:
        sides = [a if a == b else (a, b) for a, b in self.margin]
        said = [("stride", self.stride, 1), ("dilation", self.dilation, 1), ("padding", sides, 0)]
        return " ".join(
            ["x".join(map(str, self.kernel))]
            + [f"{name} {_shortly(values)}" for name, values, usual in said if any(v != usual for v in values)]
        )

    @classmethod
    def onto(
        cls,
        places: Sequence[int],
        kernel: Ints,
        *,
        stride: Ints = 1,
        padding: Ints = 0,
        output_padding: Ints = 0,
        dilation: Ints = 1,
    ) -> Windows:
        """Windows with this many places, through which a transposed convolution writes: the size follows from them.

        n = (m - 1) s - 2p + d(k - 1) + 1 + output_padding along each axis.  Several n have m places, if s > 1, and
        output_padding chooses among them.  Raises ValueError, TypeError, with the values, where it does not fit.

        >>> Windows.onto((3,), 3, stride=2).size, Windows.onto((3,), 3, stride=2, output_padding=1).size
        ((7,), (8,))
        """
        places, axes = per_axis("places", places, len(places)), len(places)
        kernel, stride = per_axis("kernel_size", kernel, axes), per_axis("stride", stride, axes)
        padding, dilation = per_axis("padding", padding, axes), per_axis("dilation", dilation, axes)
        extra = per_axis("output_padding", output_padding, axes)
        lines = zip(places, kernel, stride, padding, extra, dilation, strict=True)
        size = tuple([transposed_size(*line) for line in lines])
        margin = tuple([(p, max(p - e, 0)) for p, e in zip(padding, extra, strict=True)])
        return cls(size, kernel, stride, dilation, margin, places)


# -- the map and its adjoint, on arrays --------------------------------------------------------------------------------


def patches(x: Array, windows: Windows, fill: float = 0) -> Array:
    """What each window sees, (..., H, W) -> (..., H', W', kH, kW): a view of x, or of x with a margin of `fill`."""
    front, axes = x.ndim - len(windows.size), range(x.ndim - len(windows.size), x.ndim)
    if any(before or after for before, after in windows.reach):
        x = np.pad(x, ((0, 0),) * front + windows.reach, constant_values=fill)
    every = sliding_window_view(x, windows.span, axis=tuple(axes))  # at stride 1, with all that a span covers
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

    A sequence as kernel_size says how many axes slide, counted from the last; a single number slides the last axis.
    A single number as stride or dilation is that of each axis that slides.
    Raises ValueError for a kernel larger than the input.
    Source: Goodfellow, Bengio and Courville, Deep Learning, section 9.1.

    >>> windows(Tensor([1.0, 2.0, 3.0, 4.0]), 2).data
    array([[1., 2.],
           [2., 3.],
           [3., 4.]])
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


# By either of two adjoint maps the gradient goes back through the other.
_windows.defvjp(lambda g, out, x, *, windows: _fold(g, windows=windows))
_fold.defvjp(lambda x, out, g, *, windows: _windows(x, windows=windows))  # what arrives is shaped like x

# -- along one axis ---------------------------------------------------------------------------------------------------


@lru_cache(4096)  # the same for every batch
def _over(size: Sizes, kernel: Sizes, stride: Sizes, dilation: Sizes, margin: Margin, ceil_mode: bool) -> Windows:
    lines = zip(size, kernel, stride, margin, dilation, strict=True)
    places = tuple([number_of_places(*line, ceil_mode) for line in lines])
    return Windows(size, kernel, stride, dilation, margin, places)


def number_of_places(n: int, k: int, s: int, margin: tuple[int, int], d: int, ceil_mode: bool = False) -> int:
    """Along one axis: floor((n + margin - d(k - 1) - 1) / s) + 1, with ceil_mode rounded up (`sizes` says more)."""
    before, after = margin
    check_least(n=n, kernel_size=k, stride=s, padding=before, dilation=d)
    room = before + n + after - (d * (k - 1) + 1)
    if room < 0:
        sides = f"2 * {before}" if before == after else f"{before} + {after}"
        padded = f"{n} + {sides} = {before + n + after}" if before or after else f"{n}"
        raise ValueError(
            f"kernel (={k}) with dilation (={d}) covers {d * (k - 1) + 1}, more than the input (={padded})"
        )
    if not ceil_mode:
        return room // s + 1
    m = -(-room // s) + 1
    return m if (m - 1) * s < before + n else m - 1  # a window starts within the input or the margin before it


def transposed_size(m: int, k: int, s: int, p: int, extra: int, d: int) -> int:
    """Along one axis: (m - 1) s - 2p + d(k - 1) + 1 + output_padding (`sizes` says more)."""
    check_least(n=m, kernel_size=k, stride=s, padding=p, dilation=d, output_padding=extra)
    if extra and extra >= max(s, d):
        raise ValueError(f"output_padding (={extra}) must be smaller than stride (={s}) or dilation (={d})")
    size = (m - 1) * s - 2 * p + d * (k - 1) + 1 + extra
    if size < 1:
        raise ValueError(f"nothing is left: input (={m}), kernel (={k}), padding (={p}) give an output of {size}")
    return size


def _shortly(values: Sequence[object]) -> str:
    return str(values[0]) if len(set(values)) == 1 else "x".join(map(str, values))


def margins(padding: Ints | str, kernel: Sizes, stride: Sizes, dilation: Sizes) -> Margin:
    """The padding before and after, on each axis."""
    if not isinstance(padding, str):
        numbers = per_axis("padding", padding, len(kernel))
        if min(numbers) < 0:
            raise ValueError(f"padding (={padding}) must not be negative")
        return tuple([(p, p) for p in numbers])
    if padding == "valid":
        return ((0, 0),) * len(kernel)
    if padding != "same":
        raise ValueError(f'padding (={padding!r}) must be a number, one for each axis, "same" or "valid"')
    if any(s != 1 for s in stride):
        raise ValueError(f'padding="same" keeps the size at stride 1 only, got stride {stride}')
    totals = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
    return tuple([(total // 2, total - total // 2) for total in totals])


# -- ranks -------------------------------------------------------------------------------------------------------------

P = ParamSpec("P")


def of_rank(axes: int, layer: Callable[P, Tensor]) -> Callable[P, Tensor]:
    """`conv2d`, of a `conv` for images with any number of axes: one that asks for two.

    >>> of_rank(2, windows)(Tensor([1.0]), 1)
    Traceback (most recent call last):
        ...
    ValueError: the input must be (N, C, H, W), got shape (1,)
    """

    @wraps(layer)
    def ranked(*args: P.args, **settings: P.kwargs) -> Tensor:
        x: Any = args[0] if args else settings.get("x")
        shape = x.shape if isinstance(x, Tensor) else np.shape(x)
        if len(shape) != axes + 2:
            raise ValueError(f"the input must be (N, C, {', '.join('DHW'[-axes:])}), got shape {shape}")
        return layer(*args, **settings)

    ranked.__name__ = ranked.__qualname__ = f"{layer.__name__}{axes}d"
    return ranked
