"""Pooling layers: the functions of `minitensor.pool` with their settings.  They have nothing to learn.

What you can do here: `MaxPool AvgPool` (1d, 2d and 3d), `LPPool WeightedAvgPool` (1d and 2d).  (`GlobalAvgPool`, and
`Maxout`, which pools over channels, are in `functions.py`.)
"""

from __future__ import annotations

import math
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar

from minitensor import (
    avg_pool1d,
    avg_pool2d,
    avg_pool3d,
    lp_pool1d,
    lp_pool2d,
    max_pool1d,
    max_pool2d,
    max_pool3d,
    weighted_avg_pool1d,
    weighted_avg_pool2d,
)
from minitensor.checks import Ints

from .functions import Function
from .module import Cost, Shape
from .settings import along_axes, no_images


@dataclass(eq=False, repr=False)
class _Pool(Function):
    """What all pools have in common.  A stride of None is the kernel: windows side by side."""

    axes: ClassVar[int]
    kernel_size: Any
    stride: Ints | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        along_axes(self, self.axes)
        self.function(no_images(self, 1), **self.settings())

    def cost(self, x: Shape, y: Shape) -> Cost:
        return Cost(connections=math.prod(y) * math.prod(self.kernel_size))


@dataclass(eq=False, repr=False)
class _MaxPool(_Pool):
    """What `MaxPool` along any number of axes has in common."""

    padding: Ints | str = 0
    dilation: Ints = 1
    ceil_mode: bool = False


class MaxPool2d(_MaxPool):
    """The largest value in each window: `minitensor.max_pool2d`.

    >>> pool = MaxPool2d(3, stride=2)
    >>> pool, pool([[[[1.0, 2.0, 3.0], [4.0, 9.0, 6.0], [7.0, 8.0, 5.0]]]]).item()
    (MaxPool2d(3, stride=2), 9.0)
    """

    axes = 2
    function = staticmethod(max_pool2d)


class MaxPool1d(_MaxPool):
    """As `MaxPool2d`, along one axis.

    >>> MaxPool1d(2)([[[1.0, 2.0, 4.0, 3.0]]]).data
    array([[[2., 4.]]])
    """

    axes = 1
    function = staticmethod(max_pool1d)


class MaxPool3d(_MaxPool):
    """As `MaxPool2d`, along three axes.

    >>> MaxPool3d(2)([[[[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]]]]]).item()
    8.0
    """

    axes = 3
    function = staticmethod(max_pool3d)


@dataclass(eq=False, repr=False)
class _AvgPool(_Pool):
    """What `AvgPool` along any number of axes has in common."""

    padding: Ints | str = 0
    ceil_mode: bool = False
    count_include_pad: bool = True


class AvgPool2d(_AvgPool):
    """The mean of each window: `minitensor.avg_pool2d`.

    >>> AvgPool2d(2)([[[[1.0, 2.0], [3.0, 6.0]]]]).item()
    3.0
    """

    axes = 2
    function = staticmethod(avg_pool2d)


class AvgPool1d(_AvgPool):
    """As `AvgPool2d`, along one axis.

    >>> AvgPool1d(2)([[[1.0, 2.0, 4.0, 8.0]]]).data
    array([[[1.5, 6. ]]])
    """

    axes = 1
    function = staticmethod(avg_pool1d)


class AvgPool3d(_AvgPool):
    """As `AvgPool2d`, along three axes.

    >>> AvgPool3d(2)([[[[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]]]]]).item()
    4.5
    """

    axes = 3
    function = staticmethod(avg_pool3d)


@dataclass(eq=False, repr=False)
class _LPPool(_Pool):
    """What `LPPool` along any number of axes has in common."""

    _: KW_ONLY
    norm: float = 2


class LPPool2d(_LPPool):
    """The norm of each window, (sum |x|^q)^(1/q) for q = norm: `minitensor.lp_pool2d`.

    >>> LPPool2d(2)([[[[3.0, 0.0], [0.0, 4.0]]]]).item()
    5.0
    """

    axes = 2
    function = staticmethod(lp_pool2d)


class LPPool1d(_LPPool):
    """As `LPPool2d`, along one axis.

    >>> LPPool1d(2, norm=1)([[[3.0, 4.0]]]).item()
    7.0
    """

    axes = 1
    function = staticmethod(lp_pool1d)


@dataclass(eq=False, repr=False)
class _WeightedAvgPool(_Pool):
    """What `WeightedAvgPool` along any number of axes has in common."""

    _: KW_ONLY
    sigma: float = 1.0


class WeightedAvgPool2d(_WeightedAvgPool):
    """The mean of each window, weighted by the distance from its centre: `minitensor.weighted_avg_pool2d`.

    >>> WeightedAvgPool2d(2)([[[[1.0, 2.0], [3.0, 6.0]]]]).item()  # all four are as far from the centre
    3.0
    """

    axes = 2
    function = staticmethod(weighted_avg_pool2d)


class WeightedAvgPool1d(_WeightedAvgPool):
    """As `WeightedAvgPool2d`, along one axis.

    >>> round(WeightedAvgPool1d(3)([[[0.0, 1.0, 0.0]]]).item(), 3)
    0.452
    """

    axes = 1
    function = staticmethod(weighted_avg_pool1d)
