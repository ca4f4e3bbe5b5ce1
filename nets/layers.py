"""Layers with weights, and the small ones between them: each a function of minitensor that keeps its own parameters.

What you can do here: `Dense Conv1d Conv2d ConvTranspose2d LocallyConnected1d/2d TiledConv1d/2d`; `ReLU Tanh Sigmoid
Flatten`.

Every layer with weights takes `init`, a function of `init.py` that draws the weights, and `rng`, the generator that it
draws from; without an rng the weights are different each time.  Biases begin at 0.  Parameters are float32.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from minitensor import (
    Tensor,
    conv1d,
    conv2d,
    conv_transpose2d,
    dense,
    locally_connected1d,
    locally_connected2d,
    relu,
    sigmoid,
    tanh,
    tiled_conv1d,
    tiled_conv2d,
)
from minitensor.conv import check_padding_mode
from minitensor.sizes import conv_output_size
from minitensor.tensor import whole
from minitensor.windows import Ints, margins, per_axis

from .init import Initializer, generator, he_normal
from .module import Cost, Module, Shape


class Dense(Module):
    """Every output a weighted sum of every input, y = x W^T + b: `minitensor.dense` with weight (O, C) and bias (O).

    >>> layer = Dense(3, 2)
    >>> layer, layer.weight.shape, layer(np.ones((5, 3), np.float32)).shape
    (Dense(3, 2), (2, 3), (5, 2))
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        init: Initializer = he_normal,
        rng: np.random.Generator | None = None,
    ) -> None:
        self.in_features, self.out_features = positive(in_features=in_features, out_features=out_features)
        self.weight = drawn_weight(init, rng, (out_features, in_features), in_features, out_features)
        self.bias = zero_bias((out_features,)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        return dense(x, self.weight, self.bias)

    def cost(self, x: Shape, y: Shape) -> Cost:
        return cost_of_units(y, self.in_features, self.bias)


# -- convolution -------------------------------------------------------------------------------------------------------


class _Conv(Module):
    """What `Conv1d` and `Conv2d` have in common."""

    axes: int
    convolve: Callable[..., Tensor]

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Ints,
        stride: Ints = 1,
        padding: Ints | str = 0,
        dilation: Ints = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        *,
        init: Initializer = he_normal,
        rng: np.random.Generator | None = None,
    ) -> None:
        _check_groups(in_channels, out_channels, groups)
        taps = _taps(kernel_size, self.axes)
        check_windows(self.axes, stride=stride, dilation=dilation)
        margins(padding, taps, per_axis("stride", stride, self.axes), per_axis("dilation", dilation, self.axes))
        check_padding_mode(padding_mode)
        self.in_channels, self.out_channels, self.kernel_size = in_channels, out_channels, kernel_size
        self.stride, self.padding, self.dilation = stride, padding, dilation
        self.groups, self.padding_mode = groups, padding_mode
        shape = (out_channels, in_channels // groups, *taps)
        fan_in, fan_out = (channels // groups * math.prod(taps) for channels in (in_channels, out_channels))
        self.weight = drawn_weight(init, rng, shape, fan_in, fan_out)
        self.bias = zero_bias((out_channels,)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        return self.convolve(
            x,
            self.weight,
            self.bias,
            stride=self.stride,
            padding=self.padding,
            dilation=self.dilation,
            groups=self.groups,
            padding_mode=self.padding_mode,
        )

    def cost(self, x: Shape, y: Shape) -> Cost:
        return cost_of_units(y, math.prod(self.weight.shape[1:]), self.bias)


class Conv2d(_Conv):
    """Slide kernels over an image: `minitensor.conv2d` with weight (O, C/groups, kH, kW) and bias (O).

    Raises ValueError for settings that do not fit each other, or later the input.

    >>> layer = Conv2d(1, 6, 5, padding=2)
    >>> layer, layer(np.zeros((2, 1, 32, 32), np.float32)).shape
    (Conv2d(1, 6, 5, padding=2), (2, 6, 32, 32))
    """

    axes = 2
    convolve = staticmethod(conv2d)


class Conv1d(_Conv):
    """As `Conv2d`, along one axis: `minitensor.conv1d` with weight (O, C/groups, kW) and bias (O).

    >>> Conv1d(1, 4, 3, stride=2)(np.zeros((2, 1, 9), np.float32)).shape
    (2, 4, 4)
    """

    axes = 1
    convolve = staticmethod(conv1d)


class ConvTranspose2d(Module):
    """Stamp kernels onto an image: `minitensor.conv_transpose2d` with weight (C, O/groups, kH, kW) and bias (O).

    Raises ValueError for settings that do not fit each other, or later the input.

    >>> ConvTranspose2d(4, 2, 2, stride=2)(np.zeros((1, 4, 7, 7), np.float32)).shape
    (1, 2, 14, 14)
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Ints,
        stride: Ints = 1,
        padding: Ints = 0,
        output_padding: Ints = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Ints = 1,
        *,
        init: Initializer = he_normal,
        rng: np.random.Generator | None = None,
    ) -> None:
        _check_groups(in_channels, out_channels, groups)
        taps = _taps(kernel_size, 2)
        check_windows(2, stride=stride, padding=padding, output_padding=output_padding, dilation=dilation)
        self.in_channels, self.out_channels, self.kernel_size = in_channels, out_channels, kernel_size
        self.stride, self.padding, self.output_padding = stride, padding, output_padding
        self.groups, self.dilation = groups, dilation
        shape = (in_channels, out_channels // groups, *taps)
        fan_in, fan_out = (channels // groups * math.prod(taps) for channels in (in_channels, out_channels))
        self.weight = drawn_weight(init, rng, shape, fan_in, fan_out)
        self.bias = zero_bias((out_channels,)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        return conv_transpose2d(
            x,
            self.weight,
            self.bias,
            stride=self.stride,
            padding=self.padding,
            output_padding=self.output_padding,
            dilation=self.dilation,
            groups=self.groups,
        )

    def cost(self, x: Shape, y: Shape) -> Cost:
        macs = math.prod(x) * math.prod(self.weight.shape[1:])  # each *input* meets each tap of its kernels once
        return Cost(macs + (math.prod(y) if self.bias is not None else 0), macs)


# -- windows with kernels of their own ---------------------------------------------------------------------------------


class _LocallyConnected(Module):
    """What `LocallyConnected1d` and `LocallyConnected2d` have in common."""

    axes: int
    connect: Callable[..., Tensor]

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        input_size: Ints,
        kernel_size: Ints,
        stride: Ints = 1,
        padding: Ints = 0,
        dilation: Ints = 1,
        bias: bool = True,
        *,
        init: Initializer = he_normal,
        rng: np.random.Generator | None = None,
    ) -> None:
        positive(in_channels=in_channels, out_channels=out_channels)
        self.in_channels, self.out_channels = in_channels, out_channels
        self.input_size, self.kernel_size = input_size, kernel_size
        self.stride, self.padding, self.dilation = stride, padding, dilation
        taps = _taps(kernel_size, self.axes)
        settings = zip(
            per_axis("input_size", input_size, self.axes),
            taps,
            per_axis("stride", stride, self.axes),
            per_axis("padding", padding, self.axes),
            per_axis("dilation", dilation, self.axes),
            strict=True,
        )
        places = tuple(conv_output_size(*setting) for setting in settings)
        fan_in, fan_out = (channels * math.prod(taps) for channels in (in_channels, out_channels))
        self.weight = drawn_weight(init, rng, (out_channels, in_channels, *places, *taps), fan_in, fan_out)
        self.bias = zero_bias((out_channels, *places)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        return self.connect(x, self.weight, self.bias, stride=self.stride, padding=self.padding, dilation=self.dilation)

    def cost(self, x: Shape, y: Shape) -> Cost:
        return cost_of_units(y, self.in_channels * math.prod(_taps(self.kernel_size, self.axes)), self.bias)


class LocallyConnected2d(_LocallyConnected):
    """Windows as in a convolution with a kernel of its own at each place: `minitensor.locally_connected2d`.

    The weight is (O, C, H', W', kH, kW) and the bias (O, H', W'), for the H' x W' places of an input of `input_size`.
    Raises ValueError for settings that do not fit each other, or later the input.

    >>> layer = LocallyConnected2d(1, 2, input_size=5, kernel_size=3)
    >>> layer, layer.weight.shape, layer.bias.shape
    (LocallyConnected2d(1, 2, 5, 3), (2, 1, 3, 3, 3, 3), (2, 3, 3))
    """

    axes = 2
    connect = staticmethod(locally_connected2d)


class LocallyConnected1d(_LocallyConnected):
    """As `LocallyConnected2d`, along one axis: weight (O, C, W', kW), bias (O, W').

    >>> LocallyConnected1d(1, 2, input_size=5, kernel_size=3)(np.zeros((4, 1, 5), np.float32)).shape
    (4, 2, 3)
    """

    axes = 1
    connect = staticmethod(locally_connected1d)


class _TiledConv(Module):
    """What `TiledConv1d` and `TiledConv2d` have in common."""

    axes: int
    convolve: Callable[..., Tensor]

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Ints,
        stride: Ints = 1,
        padding: Ints = 0,
        dilation: Ints = 1,
        bias: bool = True,
        *,
        tiles: Ints = 2,
        init: Initializer = he_normal,
        rng: np.random.Generator | None = None,
    ) -> None:
        positive(in_channels=in_channels, out_channels=out_channels)
        self.in_channels, self.out_channels, self.kernel_size = in_channels, out_channels, kernel_size
        self.stride, self.padding, self.dilation, self.tiles = stride, padding, dilation, tiles
        taps = _taps(kernel_size, self.axes)
        check_windows(self.axes, stride=stride, padding=padding, dilation=dilation)
        turns = per_axis("tiles", tiles, self.axes)
        positive(tiles=min(turns))
        fan_in, fan_out = (channels * math.prod(taps) for channels in (in_channels, out_channels))
        self.weight = drawn_weight(init, rng, (out_channels, in_channels, *turns, *taps), fan_in, fan_out)
        self.bias = zero_bias((out_channels, *turns)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        return self.convolve(
            x, self.weight, self.bias, stride=self.stride, padding=self.padding, dilation=self.dilation
        )

    def cost(self, x: Shape, y: Shape) -> Cost:
        return cost_of_units(y, self.in_channels * math.prod(_taps(self.kernel_size, self.axes)), self.bias)


class TiledConv2d(_TiledConv):
    """Windows as in a convolution, with tH x tW kernels that take turns: `minitensor.tiled_conv2d`.

    The weight is (O, C, tH, tW, kH, kW) and the bias (O, tH, tW), for tiles (tH, tW).
    Raises ValueError for settings that do not fit each other, or later the input.

    >>> layer = TiledConv2d(1, 2, 3, tiles=(2, 1))
    >>> layer, layer.weight.shape, layer.bias.shape
    (TiledConv2d(1, 2, 3, tiles=(2, 1)), (2, 1, 2, 1, 3, 3), (2, 2, 1))
    """

    axes = 2
    convolve = staticmethod(tiled_conv2d)


class TiledConv1d(_TiledConv):
    """As `TiledConv2d`, along one axis: weight (O, C, tW, kW), bias (O, tW).

    >>> TiledConv1d(1, 2, 3, tiles=2)(np.zeros((4, 1, 7), np.float32)).shape
    (4, 2, 5)
    """

    axes = 1
    convolve = staticmethod(tiled_conv1d)


# -- without weights ---------------------------------------------------------------------------------------------------


class ReLU(Module):
    """max(x, 0), element by element: `minitensor.relu`.

    >>> ReLU()([-1.0, 2.0]).data
    array([0., 2.])
    """

    def forward(self, x: Tensor) -> Tensor:
        return relu(x)


class Tanh(Module):
    """amplitude * tanh(slope * x), element by element; the paper of 1998 has 1.7159 tanh(2x/3), about 1 at 1.

    Source: LeCun, Bottou, Bengio and Haffner, Gradient-based learning applied to document recognition, 1998, app. A.

    >>> Tanh()([0.0, 100.0]).data, round(Tanh(1.7159, 2 / 3)(1.0).item(), 3)
    (array([0., 1.]), 1.0)
    """

    def __init__(self, amplitude: float = 1.0, slope: float = 1.0) -> None:
        self.amplitude, self.slope = amplitude, slope

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = tanh(x if self.slope == 1 else self.slope * x)
        return y if self.amplitude == 1 else self.amplitude * y


class Sigmoid(Module):
    """1 / (1 + exp(-x)), element by element: `minitensor.sigmoid`.

    >>> Sigmoid()(0.0).item()
    0.5
    """

    def forward(self, x: Tensor) -> Tensor:
        return sigmoid(x)


class Flatten(Module):
    """Each image of a batch as one long vector: (N, C, H, W) gives (N, C H W).

    >>> Flatten()(np.zeros((2, 3, 4, 5))).shape
    (2, 60)
    """

    def forward(self, x: Tensor) -> Tensor:
        return x.reshape(x.shape[0], math.prod(x.shape[1:]))


# -- what fits ---------------------------------------------------------------------------------------------------------


def positive(**settings: int) -> tuple[int, ...]:
    """The settings as whole numbers; ValueError, with name and value, for one that is less than 1.

    >>> positive(in_features=3, out_features=2)
    (3, 2)
    """
    numbers = tuple(whole(name, value) for name, value in settings.items())
    for name, number in zip(settings, numbers, strict=True):
        if number < 1:
            raise ValueError(f"{name} (={number}) must be at least 1")
    return numbers


def check_windows(axes: int, **settings: Ints) -> None:
    """ValueError, with name and value, for a padding less than 0 or another setting less than 1, on any axis.

    >>> check_windows(2, stride=(1, 0))
    Traceback (most recent call last):
    ValueError: stride (=(1, 0)) must be at least 1
    """
    for name, value in settings.items():
        least = 0 if "padding" in name else 1
        if min(per_axis(name, value, axes)) < least:
            raise ValueError(f"{name} (={value}) must be at least {least}")


def _check_groups(in_channels: int, out_channels: int, groups: int) -> None:
    positive(in_channels=in_channels, out_channels=out_channels, groups=groups)
    for name, channels in ("in_channels", in_channels), ("out_channels", out_channels):
        if channels % groups:
            raise ValueError(f"{name} (={channels}) must be divisible by groups (={groups})")


def cost_of_units(y: Shape, fan_in: int, bias: Tensor | None) -> Cost:
    """That of units which each add up fan_in products, and their bias if they have one."""
    units = math.prod(y)
    return Cost(units * (fan_in + (bias is not None)), units * fan_in)


def _taps(kernel_size: Ints, axes: int) -> tuple[int, ...]:
    taps = per_axis("kernel_size", kernel_size, axes)
    positive(kernel_size=min(taps))
    return taps


def drawn_weight(
    init: Initializer, rng: np.random.Generator | None, shape: Sequence[int], fan_in: int, fan_out: int
) -> Tensor:
    """A weight as `init` draws it; TypeError for an rng that is no numpy.random.Generator.

    >>> drawn_weight(he_normal, None, (2, 3), fan_in=3, fan_out=2).shape
    (2, 3)
    """
    return Tensor(init(generator(rng), shape, fan_in, fan_out), name="weight")


def zero_bias(shape: Sequence[int]) -> Tensor:
    """A bias as it begins.

    >>> zero_bias((2,))
    Tensor([0., 0.], dtype=float32, name='bias')
    """
    return Tensor(np.zeros(shape, np.float32), name="bias")
