"""Layers that are a function of minitensor and its settings, with nothing to learn.

What you can do here: `ReLU LeakyReLU GELU Softplus Sigmoid Tanh Softmax LogSoftmax Maxout`, which bend; `Identity
Flatten GlobalAvgPool`, which pass on; `LocalResponseNorm`; and write such a layer of your own as a `Function`.

Each is a row of a table: its settings, which are the fields of a dataclass, and the function that gets them by name.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from minitensor import (
    Tensor,
    gelu,
    leaky_relu,
    local_response_norm,
    log_softmax,
    maxout,
    mean,
    relu,
    reshape,
    sigmoid,
    softmax,
    softplus,
    tanh,
)

from .module import Cost, Module, Shape
from .settings import numbers, positive


@dataclass(eq=False, repr=False)
class Function(Module):
    """A layer that calls `function` with its input and its fields, by their names.

    >>> from minitensor import clip
    >>> @dataclass(eq=False, repr=False)
    ... class Clip(Function):
    ...     low: float
    ...     high: float = 1.0
    ...     function = staticmethod(clip)
    >>> Clip(0.0), Clip(-1.0, high=2.0)([-5.0, 0.0, 5.0]).data
    (Clip(0.0), array([-1.,  0.,  2.]))
    """

    function: ClassVar[Callable[..., Tensor]]

    def __post_init__(self) -> None:
        numbers(self)

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x, **self.settings())

    def settings(self) -> dict[str, Any]:
        """The fields, by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


# -- element by element ------------------------------------------------------------------------------------------------


class ReLU(Function):
    """max(x, 0), element by element: `minitensor.relu`.

    >>> ReLU()([-1.0, 2.0]).data
    array([0., 2.])
    """

    function = staticmethod(relu)


@dataclass(eq=False, repr=False)
class LeakyReLU(Function):
    """x where x > 0, else slope * x, element by element: `minitensor.leaky_relu`.

    >>> LeakyReLU(0.1)([-1.0, 2.0]).data
    array([-0.1,  2. ])
    """

    slope: float = 0.01
    function = staticmethod(leaky_relu)


class GELU(Function):
    """x times the part of a normal distribution that lies below x, element by element: `minitensor.gelu`.

    Source: Hendrycks and Gimpel, Gaussian error linear units (GELUs), 2016.

    >>> GELU()([-100.0, 0.0, 100.0]).data
    array([ -0.,   0., 100.])
    """

    function = staticmethod(gelu)


class Softplus(Function):
    """log(1 + exp(x)), element by element: `minitensor.softplus`.

    >>> Softplus()([-1000.0, 1000.0]).data
    array([   0., 1000.])
    """

    function = staticmethod(softplus)


class Sigmoid(Function):
    """1 / (1 + exp(-x)), element by element: `minitensor.sigmoid`.

    >>> Sigmoid()(0.0).item()
    0.5
    """

    function = staticmethod(sigmoid)


@dataclass(eq=False, repr=False)
class Tanh(Module):
    """amplitude * tanh(slope * x), element by element; the paper of 1998 has 1.7159 tanh(2x/3), about 1 at 1.

    Source: LeCun, Bottou, Bengio and Haffner, Gradient-based learning applied to document recognition, 1998, app. A.

    >>> Tanh()([0.0, 100.0]).data, round(Tanh(1.7159, 2 / 3)(1.0).item(), 3)
    (array([0., 1.]), 1.0)
    """

    amplitude: float = 1.0
    slope: float = 1.0

    def __post_init__(self) -> None:
        numbers(self)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = tanh(x if self.slope == 1 else self.slope * x)
        return y if self.amplitude == 1 else self.amplitude * y


class Identity(Function):
    """x itself, as in the shortcut of a `Residual`.

    >>> Identity()([1.0, 2.0]).data
    array([1., 2.])
    """

    @staticmethod
    def function(x: Tensor) -> Tensor:
        return x


# -- over several elements ---------------------------------------------------------------------------------------------


@dataclass(eq=False, repr=False)
class Softmax(Function):
    """exp(x) / sum(exp(x)) along an axis: `minitensor.softmax`.

    Not before `cross_entropy`, which takes the scores themselves.

    >>> Softmax()([[0.0, 0.0]]).data
    array([[0.5, 0.5]])
    """

    axis: int = -1
    function = staticmethod(softmax)


@dataclass(eq=False, repr=False)
class LogSoftmax(Function):
    """The logarithm of the softmax along an axis: `minitensor.log_softmax`.

    >>> LogSoftmax()([[1000.0, 0.0]]).data
    array([[    0., -1000.]])
    """

    axis: int = -1
    function = staticmethod(log_softmax)


@dataclass(eq=False, repr=False)
class Maxout(Function):
    """The largest of each run of `pieces` channels, which are learnt separately: `minitensor.maxout`.

    >>> Maxout(2)([[1.0, 5.0, 2.0, 0.0]]).data
    array([[5., 2.]])
    """

    pieces: int
    axis: int = 1
    function = staticmethod(maxout)

    def __post_init__(self) -> None:
        super().__post_init__()
        (self.pieces,) = positive(pieces=self.pieces)

    def cost(self, x: Shape, y: Shape) -> Cost:
        return Cost(connections=math.prod(x))


@dataclass(eq=False, repr=False)
class LocalResponseNorm(Function):
    """Each value held down by its neighbours in the next channels: `minitensor.local_response_norm`.

    >>> LocalResponseNorm(1, alpha=1.0, beta=0.5, k=7.0)([[3.0]]).item()
    0.75
    """

    size: int
    alpha: float = 1e-4
    beta: float = 0.75
    k: float = 1.0
    function = staticmethod(local_response_norm)

    def __post_init__(self) -> None:
        super().__post_init__()
        (self.size,) = positive(size=self.size)


class Flatten(Function):
    """Each image of a batch as one long vector: (N, C, H, W) gives (N, C H W).

    >>> Flatten()([[[1.0, 2.0], [3.0, 4.0]]]).data
    array([[1., 2., 3., 4.]])
    """

    @staticmethod
    def function(x: Tensor) -> Tensor:
        if not x.ndim:
            raise ValueError(f"the input must be (N, ...), got shape {x.shape}")
        return reshape(x, (x.shape[0], math.prod(x.shape[1:])))


class GlobalAvgPool(Function):
    """The mean of each channel over all places: (N, C, ...) gives (N, C), for images of any size and rank.

    Source: Lin, Chen and Yan, Network in network, ICLR 2014, section 3.2.

    >>> GlobalAvgPool()([[[[1.0, 2.0], [3.0, 6.0]]]]).data
    array([[3.]])
    """

    @staticmethod
    def function(x: Tensor) -> Tensor:
        if x.ndim < 3 or not x.size:
            raise ValueError(f"the input must be (N, C, ...) with at least one place, got shape {x.shape}")
        return mean(x, tuple(range(2, x.ndim)))

    def cost(self, x: Shape, y: Shape) -> Cost:
        return Cost(connections=math.prod(x))
