"""Layers with weights: each a function of minitensor that keeps its own parameters.

What you can do here: `Dense Conv1d/2d/3d ConvTranspose1d/2d LocallyConnected1d/2d TiledConv1d/2d`, and `Residual`,
which adds what layers make of their input to it.

Every layer with weights takes `init`, a function of `init.py` that draws the weights, and `rng`, the generator that it
draws from; without an rng the weights are different each time.  Biases begin at 0.  Parameters are float32.

Settings are fields of dataclasses, and those of windows are tuples, with a number for each spatial axis.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, InitVar, dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from minitensor import (
    Tensor,
    conv1d,
    conv2d,
    conv3d,
    conv_transpose1d,
    conv_transpose2d,
    dense,
    locally_connected1d,
    locally_connected2d,
    tiled_conv1d,
    tiled_conv2d,
)
from minitensor.checks import Ints
from minitensor.windows import Windows

from .functions import Identity
from .init import Initializer, generator, he_normal
from .module import Cost, Module, Sequential, Shape, check_kind
from .settings import along_axes, no_images, positive

Rng = np.random.Generator | None


class Shapes(NamedTuple):
    """Of a weight and a bias; fan_in products are added up in each output, and each input is in fan_out of them."""

    weight: Shape
    bias: Shape
    fan_in: int
    fan_out: int


@dataclass(eq=False, repr=False)
class Weighted(Module):
    """What has a weight, which `init` draws with `rng`, and a bias that begins at 0, or None.

    A subclass says in `shapes` of which shapes they are, and has a field `bias`, at its place among the others.
    """

    _: KW_ONLY
    init: InitVar[Initializer] = he_normal
    rng: InitVar[Rng] = None

    def __post_init__(self, init: Initializer, rng: Rng, bias: Any = True) -> None:  # noqa: RUF033  (not a field here)
        shapes = self.shapes()
        self.weight = Tensor(init(generator(rng), shapes.weight, shapes.fan_in, shapes.fan_out), name="weight")
        if self.weight.shape != shapes.weight:
            raise ValueError(f"init must draw a weight of shape {shapes.weight}, and drew {self.weight.shape}")
        self.bias: Any = zero_bias(shapes.bias) if bias else None
        self.check()

    def shapes(self) -> Shapes:
        """Those of the parameters; raises ValueError for settings that cannot be."""
        raise NotImplementedError(f"{type(self).__name__} must define shapes(self)")

    def check(self) -> None:
        """Raise ValueError for settings that do not fit each other."""


@dataclass(eq=False, repr=False)
class Dense(Weighted):
    """Every output a weighted sum of every input, y = x W^T + b: `minitensor.dense` with weight (O, C) and bias (O).

    >>> layer = Dense(3, 2)
    >>> layer, layer.weight.shape, layer(np.ones((5, 3), np.float32)).shape
    (Dense(3, 2), (2, 3), (5, 2))
    """

    in_features: int
    out_features: int
    bias: InitVar[Any] = True

    def shapes(self) -> Shapes:
        c, o = self.in_features, self.out_features = positive(
            in_features=self.in_features, out_features=self.out_features
        )
        return Shapes((o, c), (o,), c, o)

    def forward(self, x: Tensor) -> Tensor:
        return dense(x, self.weight, self.bias)

    def cost(self, x: Shape, y: Shape) -> Cost:
        return cost_of_units(y, self.in_features, self.bias)


# -- with kernels ------------------------------------------------------------------------------------------------------


@dataclass(eq=False, repr=False)
class Kernels(Weighted):
    """What layers have in common that slide kernels over an image; a subclass says which `function` does.

    Its other fields, kernel_size and what the function takes, have the order of its own signature.
    """

    axes: ClassVar[int]
    function: ClassVar[Callable[..., Tensor]]
    settings: ClassVar[tuple[str, ...]] = ("stride", "padding", "dilation")  # the fields that the function takes
    in_channels: int
    out_channels: int

    def shapes(self) -> Shapes:
        c, o = self.in_channels, self.out_channels = positive(
            in_channels=self.in_channels, out_channels=self.out_channels
        )
        (groups,) = positive(groups=vars(self).get("groups", 1))
        for name, channels in ("in_channels", c), ("out_channels", o):
            if channels % groups:
                raise ValueError(f"{name} (={channels}) must be divisible by groups (={groups})")
        along_axes(self, self.axes)
        taps, places = vars(self)["kernel_size"], self.places()
        products = math.prod(taps)
        return Shapes((o, c // groups, *places, *taps), (o, *places), c // groups * products, o // groups * products)

    def places(self) -> Shape:
        """How many kernels there are along each axis, if not one for all places."""
        return ()

    def check(self) -> None:
        """Raise ValueError, TypeError for settings that the function refuses."""
        Kernels.forward(self, no_images(self, self.in_channels))

    def forward(self, x: Tensor) -> Tensor:
        settings = {name: getattr(self, name) for name in self.settings}
        return self.function(x, self.weight, self.bias, **settings)

    def cost(self, x: Shape, y: Shape) -> Cost:
        taps = self.weight.shape[-self.axes :]
        return cost_of_units(y, self.weight.shape[1] * math.prod(taps), self.bias)


@dataclass(eq=False, repr=False)
class Conv(Kernels):
    """What convolutions along one, two and three axes have in common."""

    kernel_size: Any
    stride: Ints = 1
    padding: Ints | str = 0
    dilation: Ints = 1
    groups: int = 1
    bias: InitVar[Any] = True
    padding_mode: str = "zeros"
    settings = ("stride", "padding", "dilation", "groups", "padding_mode")


class Conv2d(Conv):
    """Slide kernels over an image: `minitensor.conv2d` with weight (O, C/groups, kH, kW) and bias (O).

    Raises ValueError for settings that do not fit each other, or later the input.

    >>> layer = Conv2d(1, 6, 5, padding=2)
    >>> layer, layer(np.zeros((2, 1, 32, 32), np.float32)).shape
    (Conv2d(1, 6, 5, padding=2), (2, 6, 32, 32))
    """

    axes = 2
    function = staticmethod(conv2d)


class Conv1d(Conv):
    """As `Conv2d`, along one axis: `minitensor.conv1d` with weight (O, C/groups, kW) and bias (O).

    >>> Conv1d(1, 4, 3, stride=2)(np.zeros((2, 1, 9), np.float32)).shape
    (2, 4, 4)
    """

    axes = 1
    function = staticmethod(conv1d)


class Conv3d(Conv):
    """As `Conv2d`, along three axes: `minitensor.conv3d` with weight (O, C/groups, kD, kH, kW) and bias (O).

    >>> Conv3d(1, 4, 3)(np.zeros((2, 1, 5, 5, 5), np.float32)).shape
    (2, 4, 3, 3, 3)
    """

    axes = 3
    function = staticmethod(conv3d)


@dataclass(eq=False, repr=False)
class ConvTranspose(Kernels):
    """What transposed convolutions have in common."""

    kernel_size: Any
    stride: Ints = 1
    padding: Ints = 0
    output_padding: Ints = 0
    groups: int = 1
    bias: InitVar[Any] = True
    dilation: Ints = 1
    settings = ("stride", "padding", "output_padding", "dilation", "groups")

    def shapes(self) -> Shapes:
        shapes = super().shapes()
        return shapes._replace(weight=(self.in_channels, self.out_channels // self.groups, *self.kernel_size))

    def cost(self, x: Shape, y: Shape) -> Cost:
        macs = math.prod(x) * math.prod(self.weight.shape[1:])  # each *input* meets each tap of its kernels once
        return Cost(macs + (math.prod(y) if self.bias is not None else 0), macs)


class ConvTranspose2d(ConvTranspose):
    """Stamp kernels onto an image: `minitensor.conv_transpose2d` with weight (C, O/groups, kH, kW) and bias (O).

    Raises ValueError for settings that do not fit each other, or later the input.

    >>> ConvTranspose2d(4, 2, 2, stride=2)(np.zeros((1, 4, 7, 7), np.float32)).shape
    (1, 2, 14, 14)
    """

    axes = 2
    function = staticmethod(conv_transpose2d)


class ConvTranspose1d(ConvTranspose):
    """As `ConvTranspose2d`, along one axis: `minitensor.conv_transpose1d` with weight (C, O/groups, kW) and bias (O).

    >>> ConvTranspose1d(4, 2, 2, stride=2)(np.zeros((1, 4, 7), np.float32)).shape
    (1, 2, 14)
    """

    axes = 1
    function = staticmethod(conv_transpose1d)


# -- windows with kernels of their own ---------------------------------------------------------------------------------


@dataclass(eq=False, repr=False)
class _LocallyConnected(Kernels):
    """What `LocallyConnected1d` and `LocallyConnected2d` have in common."""

    input_size: Any
    kernel_size: Any
    stride: Ints = 1
    padding: Ints | str = 0
    dilation: Ints = 1
    bias: InitVar[Any] = True

    def places(self) -> Shape:
        return Windows.over(
            self.input_size, self.kernel_size, stride=self.stride, padding=self.padding, dilation=self.dilation
        ).places


class LocallyConnected2d(_LocallyConnected):
    """Windows as in a convolution with a kernel of its own at each place: `minitensor.locally_connected2d`.

    The weight is (O, C, H', W', kH, kW) and the bias (O, H', W'), for the H' x W' places of an input of `input_size`.
    Raises ValueError for settings that do not fit each other, or later the input.

    >>> layer = LocallyConnected2d(1, 2, input_size=5, kernel_size=3)
    >>> layer, layer.weight.shape, layer.bias.shape
    (LocallyConnected2d(1, 2, 5, 3), (2, 1, 3, 3, 3, 3), (2, 3, 3))
    """

    axes = 2
    function = staticmethod(locally_connected2d)


class LocallyConnected1d(_LocallyConnected):
    """As `LocallyConnected2d`, along one axis: weight (O, C, W', kW), bias (O, W').

    >>> LocallyConnected1d(1, 2, input_size=5, kernel_size=3)(np.zeros((4, 1, 5), np.float32)).shape
    (4, 2, 3)
    """

    axes = 1
    function = staticmethod(locally_connected1d)


@dataclass(eq=False, repr=False)
class _TiledConv(Kernels):
    """What `TiledConv1d` and `TiledConv2d` have in common."""

    kernel_size: Any
    stride: Ints = 1
    padding: Ints | str = 0
    dilation: Ints = 1
    bias: InitVar[Any] = True
    _: KW_ONLY
    tiles: Any = 2

    def places(self) -> Shape:
        return tuple(self.tiles)


class TiledConv2d(_TiledConv):
    """Windows as in a convolution, with tH x tW kernels that take turns: `minitensor.tiled_conv2d`.

    The weight is (O, C, tH, tW, kH, kW) and the bias (O, tH, tW), for tiles (tH, tW).
    Raises ValueError for settings that do not fit each other, or later the input.

    >>> layer = TiledConv2d(1, 2, 3, tiles=(2, 1))
    >>> layer, layer.weight.shape, layer.bias.shape
    (TiledConv2d(1, 2, 3, tiles=(2, 1)), (2, 1, 2, 1, 3, 3), (2, 2, 1))
    """

    axes = 2
    function = staticmethod(tiled_conv2d)


class TiledConv1d(_TiledConv):
    """As `TiledConv2d`, along one axis: weight (O, C, tW, kW), bias (O, tW).

    >>> TiledConv1d(1, 2, 3, tiles=2)(np.zeros((4, 1, 7), np.float32)).shape
    (4, 2, 5)
    """

    axes = 1
    function = staticmethod(tiled_conv1d)


# -- beside each other -------------------------------------------------------------------------------------------------


class Residual(Module):
    """What layers make of the input, and the input itself: body(x) + shortcut(x).

    The body is the `Sequential` of the layers.  The shortcut passes x on, or is another layer, where the body changes
    the shape; both outputs must have the same shape.
    Source: He, Zhang, Ren and Sun, Deep residual learning for image recognition, CVPR 2016.

    >>> block = Residual(Dense(2, 2))
    >>> block.replace({block.body[0].weight: Tensor([[0.0, 1.0], [1.0, 0.0]])})
    >>> block([[1.0, 10.0]]).data
    array([[11., 11.]])
    """

    def __init__(self, *layers: Module, shortcut: Module | None = None, **named: Module) -> None:
        self.body = Sequential(*layers, **named)
        self.shortcut = Identity() if shortcut is None else shortcut
        check_kind("shortcut", self.shortcut, Module)

    def forward(self, x: Tensor) -> Tensor:
        """The sum of both; raises ValueError unless they have the same shape."""
        y, passed_on = self.body(x), self.shortcut(x)
        if y.shape != passed_on.shape:
            raise ValueError(
                f"the body makes shape {y.shape}, and the shortcut {passed_on.shape}: they cannot be added"
            )
        return y + passed_on


# -- what they share --------------------------------------------------------------------------------------------------


def cost_of_units(y: Shape, fan_in: int, bias: Tensor | None) -> Cost:
    """That of units which each add up fan_in products, and their bias if they have one."""
    units = math.prod(y)
    return Cost(units * (fan_in + (bias is not None)), units * fan_in)


def zero_bias(shape: Sequence[int]) -> Tensor:
    """A bias as it begins.

    >>> zero_bias((2,))
    Tensor([0., 0.], dtype=float32, name='bias')
    """
    return Tensor(np.zeros(shape, np.float32), name="bias")
