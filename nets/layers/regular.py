"""Layers that behave differently in training and in use, and normalization: they help a network to learn.

What you can do here: `Dropout BatchNorm1d BatchNorm2d LayerNorm`.  (`LocalResponseNorm` is in `functions.py`.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, InitVar, dataclass
from typing import Any, ClassVar

import numpy as np

from minitensor import Tensor, batch_norm, dropout, mean, var

from .init import generator
from .module import Module
from .settings import numbers, positive


@dataclass(eq=False, repr=False)
class Dropout(Module):
    """In training each value is left out with probability p: `minitensor.dropout`.  In use nothing is.

    `rng` is drawn from at each call; `fit` gives another one to each step, so that a run can be repeated.

    >>> layer = Dropout(0.5, rng=np.random.default_rng(0))
    >>> layer([1.0, 1.0, 1.0, 1.0]).data, layer.eval()([1.0, 1.0]).data
    (array([2., 0., 0., 0.]), array([1., 1.]))
    """

    p: float = 0.5
    _: KW_ONLY
    rng: InitVar[np.random.Generator | None] = None

    def __post_init__(self, rng: np.random.Generator | None) -> None:
        numbers(self)
        if not 0 <= self.p < 1:
            raise ValueError(f"p (={self.p}) must be at least 0 and less than 1")
        self._rng = generator(rng)

    _has_its_own: ClassVar[bool] = False  # the generator that it was made with may be that of others, too

    def reseed(self, rng: np.random.Generator) -> None:
        """Draw the numbers of this generator from now on."""
        if self._has_its_own and type(rng.bit_generator) is type(self._rng.bit_generator):
            self._rng.bit_generator.state = rng.bit_generator.state  # the object stays: a program draws from it
        else:
            self._rng, self._has_its_own = rng, True  # type: ignore[misc]

    def forward(self, x: Tensor) -> Tensor:
        return dropout(x, self.p, self._rng) if self.training else x


@dataclass(eq=False, repr=False)
class _BatchNorm(Module):
    """What `BatchNorm1d` and `BatchNorm2d` have in common."""

    layouts: ClassVar[dict[int, str]]  # of the input, by its number of axes
    moving: ClassVar = ("running_mean", "running_var")
    channels: int
    eps: float = 1e-5
    momentum: float = 0.1

    def __post_init__(self) -> None:
        numbers(self)
        (self.channels,) = positive(channels=self.channels)
        if not self.eps > 0 or not 0 <= self.momentum <= 1:
            raise ValueError(f"eps (={self.eps}) must be greater than 0, and momentum (={self.momentum}) from 0 to 1")
        self.scale = Tensor(np.ones(self.channels, np.float32), name="scale")
        self.shift = Tensor(np.zeros(self.channels, np.float32), name="shift")
        self.running_mean = np.zeros(self.channels, np.float32)
        self.running_var = np.ones(self.channels, np.float32)

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim not in self.layouts or x.shape[1] != self.channels:
            layouts = " or ".join(self.layouts.values()).replace("C", str(self.channels))
            raise ValueError(f"the input must be {layouts}, got shape {x.shape}")
        if not self.training:
            per_channel = (-1, *(1,) * (x.ndim - 2))
            deviation = (self.running_var.reshape(per_channel) + self.eps) ** 0.5
            factor = self.scale.reshape(per_channel) / deviation
            return (x - self.running_mean.reshape(per_channel)) * factor + self.shift.reshape(per_channel)
        n = x.size // self.channels
        if n == 1:
            raise ValueError(f"one value has no variance: {type(self).__name__} learns from more than shape {x.shape}")
        y = batch_norm(x, self.scale, self.shift, self.eps)
        others = (0, *range(2, x.ndim))
        self.running_mean = self._moved(self.running_mean, mean(x, others))
        self.running_var = self._moved(self.running_var, var(x, others) * (n / (n - 1)))
        return y

    def _moved(self, old: Any, new: Tensor) -> Any:
        """A running value, a part of the way to that of this batch; a Tensor only for `compiled`, which follows it."""
        this = new if isinstance(old, Tensor) else new.data
        return ((1 - self.momentum) * old + self.momentum * this).astype(old.dtype)


class BatchNorm2d(_BatchNorm):
    """Each channel with mean 0 and variance 1, then scaled and shifted: `minitensor.batch_norm`.

    In training these are the mean and the variance of the batch.  In use they are running means of those, which each
    batch in training moves by the part `momentum`; the running variance is that of the population, n / (n - 1) times
    the batch's.  x (N, C, H, W), scale and shift (C).
    Raises ValueError for another shape, and in training for one value in a channel, which has no variance.

    >>> layer = BatchNorm2d(1, momentum=1.0)
    >>> layer(np.array([1.0, 3.0]).reshape(2, 1, 1, 1)).data.ravel().round(2)
    array([-1.,  1.])
    >>> layer.running_mean, layer.running_var, layer.eval()(np.array([[[[2.0]]]])).item()
    (array([2.], dtype=float32), array([2.], dtype=float32), 0.0)
    """

    layouts: ClassVar = {4: "(N, C, H, W)"}


class BatchNorm1d(_BatchNorm):
    """As `BatchNorm2d`, for x (N, C) or (N, C, W).

    >>> BatchNorm1d(2)([[1.0, 5.0], [3.0, 5.0]]).data.round(2)
    array([[-1.,  0.],
           [ 1.,  0.]])
    """

    layouts: ClassVar = {2: "(N, C)", 3: "(N, C, W)"}


@dataclass(eq=False, repr=False)
class LayerNorm(Module):
    """Each example by itself with mean 0 and variance 1 over its last axes, then scaled and shifted.

    y = scale (x - mean) / sqrt(var + eps) + shift.  The last axes of x, scale and shift are of `shape`, a number or
    several.  Nothing depends on the batch, so it is the same in training and in use.
    Raises ValueError for an input of another shape.
    Source: Ba, Kiros and Hinton, Layer normalization, 2016.

    >>> LayerNorm(2)([[1.0, 3.0], [10.0, 30.0]]).data.round(2)
    array([[-1.,  1.],
           [-1.,  1.]])
    """

    shape: int | Sequence[int]
    eps: float = 1e-5

    def __post_init__(self) -> None:
        numbers(self)
        sides = tuple(self.shape) if isinstance(self.shape, Sequence) else (self.shape,)
        self.shape = tuple(positive(shape=side)[0] for side in sides)
        if not self.shape or not self.eps > 0:
            raise ValueError(f"shape (={self.shape}) must not be empty, and eps (={self.eps}) greater than 0")
        self.scale = Tensor(np.ones(self.shape, np.float32), name="scale")
        self.shift = Tensor(np.zeros(self.shape, np.float32), name="shift")

    def forward(self, x: Tensor) -> Tensor:
        axes = self.scale.ndim
        if x.ndim <= axes or x.shape[-axes:] != self.scale.shape:
            raise ValueError(f"the input must be (N, ..., {', '.join(map(str, self.scale.shape))}), got {x.shape}")
        last = tuple(range(-axes, 0))
        centred = x - x.mean(last, keepdims=True)
        return centred / ((centred**2).mean(last, keepdims=True) + self.eps).sqrt() * self.scale + self.shift
