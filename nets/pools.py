"""Pooling layers: the functions of `minitensor.pool` with their settings.  They have nothing to learn.

What you can do here: `MaxPool AvgPool LPPool WeightedAvgPool`, each 1d and 2d, and `Maxout`, which pools over channels.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from minitensor import (
    Tensor,
    avg_pool1d,
    avg_pool2d,
    lp_pool1d,
    lp_pool2d,
    max_pool1d,
    max_pool2d,
    maxout,
    weighted_avg_pool1d,
    weighted_avg_pool2d,
)
from minitensor.windows import Ints, per_axis

from .layers import check_windows, positive
from .module import Cost, Module, Shape


class _Pool(Module):
    """What all pools have in common."""

    axes: int
    pool: Callable[..., Tensor]
    kernel_size: Ints

    def _check(self, stride: Ints | None, **settings: Ints) -> None:
        """ValueError for windows that cannot be."""
        stride = self.kernel_size if stride is None else stride
        check_windows(self.axes, kernel_size=self.kernel_size, stride=stride, **settings)

    def cost(self, x: Shape, y: Shape) -> Cost:
        return Cost(connections=math.prod(y) * math.prod(per_axis("kernel_size", self.kernel_size, len(x) - 1)))


class _MaxPool(_Pool):
    def __init__(
        self,
        kernel_size: Ints,
        stride: Ints | None = None,
        padding: Ints = 0,
        dilation: Ints = 1,
        ceil_mode: bool = False,
    ) -> None:
        self.kernel_size, self.stride, self.padding = kernel_size, stride, padding
        self.dilation, self.ceil_mode = dilation, ceil_mode
        self._check(stride, padding=padding, dilation=dilation)

    def forward(self, x: Tensor) -> Tensor:
        return self.pool(
            x,
            self.kernel_size,
            stride=self.stride,
            padding=self.padding,
            dilation=self.dilation,
            ceil_mode=self.ceil_mode,
        )


class MaxPool2d(_MaxPool):
    """The largest value in each window: `minitensor.max_pool2d`.

    >>> pool = MaxPool2d(3, stride=2)
    >>> pool, pool([[[[1.0, 2.0, 3.0], [4.0, 9.0, 6.0], [7.0, 8.0, 5.0]]]]).item()
    (MaxPool2d(3, stride=2), 9.0)
    """

    axes = 2
    pool = staticmethod(max_pool2d)


class MaxPool1d(_MaxPool):
    """As `MaxPool2d`, along one axis.

    >>> MaxPool1d(2)([[[1.0, 2.0, 4.0, 3.0]]]).data
    array([[[2., 4.]]])
    """

    axes = 1
    pool = staticmethod(max_pool1d)


class _AvgPool(_Pool):
    def __init__(
        self,
        kernel_size: Ints,
        stride: Ints | None = None,
        padding: Ints = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        self.kernel_size, self.stride, self.padding = kernel_size, stride, padding
        self.ceil_mode, self.count_include_pad = ceil_mode, count_include_pad
        self._check(stride, padding=padding)

    def forward(self, x: Tensor) -> Tensor:
        return self.pool(
            x,
            self.kernel_size,
            stride=self.stride,
            padding=self.padding,
            ceil_mode=self.ceil_mode,
            count_include_pad=self.count_include_pad,
        )


class AvgPool2d(_AvgPool):
    """The mean of each window: `minitensor.avg_pool2d`.

    >>> AvgPool2d(2)([[[[1.0, 2.0], [3.0, 6.0]]]]).item()
    3.0
    """

    axes = 2
    pool = staticmethod(avg_pool2d)


class AvgPool1d(_AvgPool):
    """As `AvgPool2d`, along one axis.

    >>> AvgPool1d(2)([[[1.0, 2.0, 4.0, 8.0]]]).data
    array([[[1.5, 6. ]]])
    """

    axes = 1
    pool = staticmethod(avg_pool1d)


class _LPPool(_Pool):
    def __init__(self, kernel_size: Ints, stride: Ints | None = None, *, norm: float = 2) -> None:
        self.kernel_size, self.stride, self.norm = kernel_size, stride, norm
        self._check(stride)

    def forward(self, x: Tensor) -> Tensor:
        return self.pool(x, self.kernel_size, norm=self.norm, stride=self.stride)


class LPPool2d(_LPPool):
    """The norm of each window, (sum |x|^q)^(1/q) for q = norm: `minitensor.lp_pool2d`.

    >>> LPPool2d(2)([[[[3.0, 0.0], [0.0, 4.0]]]]).item()
    5.0
    """

    axes = 2
    pool = staticmethod(lp_pool2d)


class LPPool1d(_LPPool):
    """As `LPPool2d`, along one axis.

    >>> LPPool1d(2, norm=1)([[[3.0, 4.0]]]).item()
    7.0
    """

    axes = 1
    pool = staticmethod(lp_pool1d)


class _WeightedAvgPool(_Pool):
    def __init__(self, kernel_size: Ints, stride: Ints | None = None, *, sigma: float = 1.0) -> None:
        self.kernel_size, self.stride, self.sigma = kernel_size, stride, sigma
        self._check(stride)

    def forward(self, x: Tensor) -> Tensor:
        return self.pool(x, self.kernel_size, stride=self.stride, sigma=self.sigma)


class WeightedAvgPool2d(_WeightedAvgPool):
    """The mean of each window, weighted by the distance from its centre: `minitensor.weighted_avg_pool2d`.

    >>> WeightedAvgPool2d(2)([[[[1.0, 2.0], [3.0, 6.0]]]]).item()  # all four are as far from the centre
    3.0
    """

    axes = 2
    pool = staticmethod(weighted_avg_pool2d)


class WeightedAvgPool1d(_WeightedAvgPool):
    """As `WeightedAvgPool2d`, along one axis.

    >>> round(WeightedAvgPool1d(3)([[[0.0, 1.0, 0.0]]]).item(), 3)
    0.452
    """

    axes = 1
    pool = staticmethod(weighted_avg_pool1d)


class Maxout(Module):
    """The largest of each run of `pieces` channels, which are learnt separately: `minitensor.maxout`.

    >>> Maxout(2)([[1.0, 5.0, 2.0, 0.0]]).data
    array([[5., 2.]])
    """

    def __init__(self, pieces: int, axis: int = 1) -> None:
        positive(pieces=pieces)
        self.pieces, self.axis = pieces, axis

    def forward(self, x: Tensor) -> Tensor:
        return maxout(x, self.pieces, self.axis)

    def cost(self, x: Shape, y: Shape) -> Cost:
        return Cost(connections=math.prod(x))
