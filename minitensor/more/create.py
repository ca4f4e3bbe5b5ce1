"""New Tensors: zeros, ones, numbers in a row, random numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ..checks import check_generator, lengths, real, sequence
from ..tensor import Tensor

# fmt: off

def zeros(shape: int | Sequence[int], name: str | None = None, *, dtype: npt.DTypeLike | None = None) -> Tensor:
    """A Tensor of zeros.

    >>> zeros(2), zeros((1, 2), dtype="float32").dtype
    (Tensor([0., 0.]), dtype('float32'))
    """
    return full(shape, 0, name, dtype=dtype)


def ones(shape: int | Sequence[int], name: str | None = None, *, dtype: npt.DTypeLike | None = None) -> Tensor:
    """A Tensor of ones.

    >>> ones((1, 2))
    Tensor([[1., 1.]])
    """
    return full(shape, 1, name, dtype=dtype)


def full(
    shape: int | Sequence[int], value: float, name: str | None = None, *, dtype: npt.DTypeLike | None = None
) -> Tensor:
    """A Tensor that is one number all over; TypeError for anything else as its value.

    >>> full(2, 0.5)
    Tensor([0.5, 0.5])
    """
    sizes = lengths(shape)
    if isinstance(value, Tensor):
        raise TypeError(f"full takes a number, and the value is a Tensor: write broadcast_to(value, {sizes})")
    real("value", value)
    return Tensor(np.full(sizes, value), name, dtype=dtype)


def arange(*limits: float, name: str | None = None, dtype: npt.DTypeLike | None = None) -> Tensor:
    """The numbers from 0, or from a start, up to a limit that is not reached, in steps of 1 or of a third number.

    Raises ValueError for a step of 0.

    >>> arange(3), arange(1, 2, 0.5)
    (Tensor([0., 1., 2.]), Tensor([1. , 1.5]))
    """
    if len(limits) == 3 and limits[2] == 0:
        raise ValueError(f"step (={limits[2]}) must not be 0")
    return Tensor(np.arange(*limits), name, dtype=dtype)


def randn(*shape: int | Sequence[int], rng: np.random.Generator | None = None, name: str | None = None,
          dtype: npt.DTypeLike | None = None) -> Tensor:
    """Numbers from the standard normal distribution, drawn from rng, or anew each time.

    >>> randn(2, 3).shape, randn((2, 3), rng=np.random.default_rng(0)).shape
    ((2, 3), (2, 3))
    """
    if rng is not None:
        check_generator(rng)
    return Tensor((rng or np.random.default_rng()).standard_normal(lengths(sequence(shape))), name, dtype=dtype)
