"""Convolutions that know quarter turns: what turns the picture turns what they see.

What you can do here: lift a picture with `LiftingConv2d`, go on with `GroupConv2d`, end with `GroupMaxPool`, and check
f(g(x)) = g(f(x)) with `transform` (on pictures) and `act` (on what the layers return).

A convolution moves with the picture, but does not turn with it: it would need its kernel turned as well.  So use all
the turned kernels, and keep the results apart, on an axis of their own.

Letters:   g h k element of the group: a quarter turn, or a mirror and a turn    hg first g, then h
           n image    o output channel    c input channel    w kernel    * convolution (as in `minitensor.conv2d`)

    lifting            y[n, o, g] = sum_c  x[n, c] * g(w[o, c])                    every kernel in every position
    group convolution  y[n, o, g] = sum_ch x[n, c, h] * g(w[o, c, g^-1 h])         ... and relative to every position

Turn the picture x by k.  In the lifting, k(x) * g(w) = k(x * (k^-1 g)(w)), as turning both turns the result: so output
g is now the turned output k^-1 g.  That is how the group *acts* on y, and the group convolution keeps to it:

    act(y, k)[n, o, g] = k(y[n, o, k^-1 g])         f(k(x)) = act(f(x), k), exactly, at stride 1 and with equal margins

Source: Cohen and Welling, Group equivariant convolutional networks, ICML 2016.
"""

from __future__ import annotations

import math
from dataclasses import KW_ONLY, InitVar, dataclass
from typing import Any, NamedTuple

from minitensor import Tensor, as_tensor, conv2d, stack
from minitensor.checks import Ints, per_axis
from minitensor.tensor import Operand

from .module import Cost, Module, Shape, check_kind
from .weighted import Kernels, Shapes, cost_of_units


class Element(NamedTuple):
    """A symmetry of the square: a mirror (left to right) or not, and then quarter turns, counter-clockwise."""

    turns: int = 0
    mirrored: bool = False

    def after(self, first: Element) -> Element:
        """The element that does `first` and then this one.

        >>> quarter, mirror = Element(turns=1), Element(mirrored=True)
        >>> quarter.after(mirror) == mirror.after(quarter), mirror.after(mirror) == Element()
        (False, True)
        """
        turns = first.turns if not self.mirrored else -first.turns  # a turn seen in the mirror goes the other way
        return Element((self.turns + turns) % 4, self.mirrored != first.mirrored)

    def inverse(self) -> Element:
        """The element that undoes this one."""
        return Element(self.turns if self.mirrored else -self.turns % 4, self.mirrored)


TURNS = tuple(Element(turns) for turns in range(4))
TURNS_AND_MIRRORS = (*TURNS, *(Element(turns, mirrored=True) for turns in range(4)))


def group(reflections: bool) -> tuple[Element, ...]:
    """The four quarter turns, or with reflections all eight symmetries of the square."""
    return TURNS_AND_MIRRORS if reflections else TURNS


def transform(x: Operand, element: Element) -> Tensor:
    """x (..., H, W) mirrored and turned.

    >>> transform(Tensor([[1.0, 2.0], [3.0, 4.0]]), Element(turns=1)).data
    array([[2., 4.],
           [1., 3.]])
    """
    check_kind("element", element, Element)
    x, turns = as_tensor(x), element.turns % 4
    if element.mirrored:
        x = x[..., ::-1]
    if turns == 2:
        return x[..., ::-1, ::-1]
    if turns:
        swapped = x.transpose(*range(x.ndim - 2), x.ndim - 1, x.ndim - 2)
        x = swapped[..., ::-1, :] if turns == 1 else swapped[..., ::-1]
    return x


def act(y: Operand, element: Element) -> Tensor:
    """What the element does to y (N, C, G, H, W): turn every map, and hand it to the element that has its place now.

    >>> import numpy as np
    >>> y = Tensor(np.arange(4.0).reshape(1, 1, 4, 1, 1))
    >>> act(y, Element(turns=1)).data.ravel()
    array([3., 0., 1., 2.])
    """
    check_kind("element", element, Element)
    y = as_tensor(y)
    if y.ndim != 5 or y.shape[2] not in (len(TURNS), len(TURNS_AND_MIRRORS)):
        raise ValueError(f"a group acts on maps (N, C, G, H, W) with G = 4 or 8, got shape {y.shape}")
    elements = group(y.shape[2] == len(TURNS_AND_MIRRORS))
    if element.mirrored and elements is TURNS:
        raise ValueError(f"maps with G = 4 are those of quarter turns, and {element} is none")
    order = [elements.index(element.inverse().after(g)) for g in elements]
    return transform(y[:, :, order], element)


@dataclass(eq=False, repr=False)
class _GroupLayer(Kernels):
    """What `LiftingConv2d` and `GroupConv2d` have in common."""

    axes = 2
    kernel_size: Any
    _: KW_ONLY
    padding: Ints = 0
    bias: InitVar[Any] = True
    reflections: bool = False

    def check(self) -> None:
        """ValueError for a kernel or a padding that a quarter turn would change."""
        for name in "kernel_size", "padding":
            numbers = per_axis(name, vars(self)[name], self.axes)
            if numbers[0] != numbers[1]:
                raise ValueError(f"{name} (={numbers}) must be the same along both axes: a quarter turn exchanges them")

    def cost(self, x: Shape, y: Shape) -> Cost:
        return cost_of_units(y, math.prod(self.weight.shape[1:]), self.bias)


class LiftingConv2d(_GroupLayer):
    """From a picture to a map for each position of each kernel: x (N, C, H, W) gives (N, O, G, H', W').

    G is 4, or 8 with reflections.  The weight is (O, C, k, k), the bias (O): one for all positions of a kernel.
    Raises ValueError for settings that do not fit each other, or later the input.

    >>> import numpy as np
    >>> layer = LiftingConv2d(1, 6, 3, padding=1)
    >>> layer, layer(np.zeros((2, 1, 8, 8), np.float32)).shape
    (LiftingConv2d(1, 6, 3, padding=1), (2, 6, 4, 8, 8))
    """

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim != 4:
            raise ValueError(f"a lifting convolution takes pictures (N, C, H, W), got shape {x.shape}")
        kernels = [transform(self.weight, g) for g in group(self.reflections)]
        return _convolve(x, stack(kernels, axis=1), self.bias, self.padding)


class GroupConv2d(_GroupLayer):
    """From maps with positions to maps with positions: x (N, C, G, H, W) gives (N, O, G, H', W').

    The weight is (O, C, G, k, k): a kernel for each position *relative* to that of the output.  The bias is (O).
    Raises ValueError for settings that do not fit each other, or later the input.

    >>> import numpy as np
    >>> layer = GroupConv2d(6, 3, 3)
    >>> layer, layer(np.zeros((2, 6, 4, 8, 8), np.float32)).shape
    (GroupConv2d(6, 3, 3), (2, 3, 4, 6, 6))
    """

    def shapes(self) -> Shapes:
        (o, c, *taps), bias, fan_in, fan_out = super().shapes()
        g = len(group(self.reflections))
        return Shapes((o, c, g, *taps), bias, g * fan_in, g * fan_out)

    def forward(self, x: Tensor) -> Tensor:
        o, c, g, k, _ = self.weight.shape
        if x.ndim != 5 or x.shape[1:3] != (c, g):
            raise ValueError(
                f"this group convolution takes (N, {c}, {g}, H, W), as a lifting returns, got shape {x.shape}"
            )
        kernels = [act(self.weight, element) for element in group(self.reflections)]
        weight = stack(kernels, axis=1).reshape(o, g, c * g, k, k)  # positions of the input count as channels
        return _convolve(x.reshape(x.shape[0], c * g, *x.shape[3:]), weight, self.bias, self.padding)


class GroupMaxPool(Module):
    """The strongest position of each kernel: x (N, C, G, H, W) gives (N, C, H, W), which turns with the picture.

    >>> import numpy as np
    >>> GroupMaxPool()(np.zeros((2, 6, 4, 8, 8), np.float32)).shape
    (2, 6, 8, 8)
    """

    def forward(self, x: Tensor) -> Tensor:
        return x.max(axis=2)

    def cost(self, x: Shape, y: Shape) -> Cost:
        return Cost(connections=math.prod(x))


def _convolve(x: Tensor, weight: Tensor, bias: Tensor | None, padding: Ints) -> Tensor:
    """x (N, C, H, W) with kernels (O, G, C, k, k), all as output channels, and these unpacked again."""
    o, g = weight.shape[:2]
    y = conv2d(x, weight.reshape(o * g, *weight.shape[2:]), padding=padding)
    y = y.reshape(y.shape[0], o, g, *y.shape[2:])
    return y if bias is None else y + bias.reshape(-1, 1, 1, 1)
