"""How windows lie over an image: how many places there are, and where.

What you can do here: describe windows with `Windows`, checked once and asked by everything that slides.  In plain
numbers, and explained, the same sums are in `sizes.py`.

Letters, along one axis:   n input length    k kernel (tap count)    s stride    p padding    d dilation    m places
                           span = d (k - 1) + 1, what a dilated kernel covers
                           h place of the window    i tap, which reads the pixel h s + i d - p
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache, reduce
from typing import Any

import numpy as np
import numpy.typing as npt

from .checks import Ints, Margin, Sizes, listed, per_axis
from .checks.layers import check_half, margins, number_of_places, transposed_size

# fmt: off

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
        cls, size: Sequence[int], kernel: Ints, *, stride: Ints = 1, padding: Ints | str = 0, dilation: Ints = 1,
        ceil_mode: bool = False,
    ) -> Windows:
        """Windows over an image of this size: along each axis m = floor((n + margin - span) / s) + 1 places.

        A number stands for the same on each axis.  padding is a number, one for each axis, "valid" (none), or "same"
        (as many places as pixels, at stride 1; of an odd margin the larger part comes last).
        Raises ValueError, TypeError, with the values, where it does not fit.
        """
        axes = len(listed("size", size))
        size = per_axis("size", size, axes)
        kernel = per_axis("kernel_size", kernel, axes)
        stride = per_axis("stride", stride, axes)
        dilation = per_axis("dilation", dilation, axes)
        return _over(size, kernel, stride, dilation, margins(padding, kernel, stride, dilation), bool(ceil_mode))

    @classmethod
    def of_pool(
        cls, size: Sequence[int], kernel: Ints, stride: Ints | None = None, padding: Ints | str = 0, dilation: Ints = 1,
        ceil_mode: bool = False,
    ) -> Windows:
        """Those of a pool: as in `over`; stride None is the kernel, and a margin is at most half of it, or "same"."""
        stride = kernel if stride is None else stride
        windows = cls.over(size, kernel, stride=stride, padding=padding, dilation=dilation, ceil_mode=ceil_mode)
        if padding != "same":
            check_half(windows.margin, windows.kernel)
        return windows

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

    def positions(self, axis: int) -> npt.NDArray[Any]:
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

    def counts(self, margin_too: bool) -> npt.NDArray[Any]:
        """How many cells of the image, and of its margin if that is included, each window has.

        >>> Windows.over((3,), 2, padding=1).counts(False).tolist()
        [1, 2, 2, 1]
        """
        margin = self.margin if margin_too else [(0, 0)] * len(self.size)
        lines = zip(self.size, margin, range(len(self.size)), strict=True)
        along = [((p := self.positions(axis)) >= -a) & (p < n + b) for n, (a, b), axis in lines]
        return reduce(np.multiply.outer, [cells.sum(axis=1) for cells in along])

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
