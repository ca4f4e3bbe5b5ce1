"""Keep activations in a useful range, and keep a network from relying on single units.

What you can do here: `batch_norm`, `local_response_norm`, `dropout`.  (What a layer remembers between batches is in
`nets`.)
"""

from __future__ import annotations

import numpy as np

from .checks import check_generator, real, whole
from .ops.reduce import mean
from .ops.shape import pad, transpose
from .tensor import Array, Operand, Tensor, as_tensor, as_tensors, primitive
from .windows import windows

# fmt: off

def batch_norm(x: Operand, scale: Operand, shift: Operand, eps: float = 1e-5) -> Tensor:
    """Each channel with mean 0 and variance 1 over the batch, then scaled and shifted.

    y = scale (x - mean) / sqrt(var + eps) + shift, with mean and variance over all axes but axis 1.
    x (N, C, ...), scale and shift (C).  Raises ValueError where the shapes do not fit.
    Source: Ioffe and Szegedy, Batch normalization, ICML 2015, algorithm 1.

    >>> batch_norm(Tensor([[1.0], [3.0]]), Tensor([1.0]), Tensor([5.0]), eps=0.0).data
    array([[4.],
           [6.]])
    """
    x, scale, shift = as_tensors(x, scale, shift)
    if x.ndim < 2 or not scale.shape == shift.shape == x.shape[1:2]:
        got = f"{x.shape}, {scale.shape}, {shift.shape}"
        raise ValueError(f"batch_norm needs x (N, C, ...) with scale and shift (C), got {got}")
    others = (0, *range(2, x.ndim))
    centred = x - mean(x, others, keepdims=True)
    deviation = (mean(centred**2, others, keepdims=True) + eps).sqrt()
    per_channel = (-1, *(1,) * (x.ndim - 2))
    return centred / deviation * scale.reshape(per_channel) + shift.reshape(per_channel)

def local_response_norm(x: Operand, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Tensor:
    """Each value held down by those in neighbouring channels: y = x / (k + alpha mean(x^2 over size channels))^beta.

    The mean is over `size` channels, size // 2 of them before the value's own; those beyond the border count as 0.
    (The paper multiplies alpha by the *sum*: its alpha is ours divided by size.)
    x (N, C, ...).  Raises ValueError for a size < 1.
    Source: Krizhevsky, Sutskever and Hinton, ImageNet classification ..., NIPS 2012, section 3.3.

    >>> local_response_norm(Tensor([[3.0]]), size=1, alpha=1.0, beta=0.5, k=7.0).data
    array([[0.75]])
    """
    x = as_tensor(x)
    if whole("size", size) < 1 or x.ndim < 2:
        raise ValueError(f"local_response_norm needs size (={size}) >= 1 and x (N, C, ...), got shape {x.shape}")
    last = (0, *range(2, x.ndim), 1)
    squares = pad(transpose(x * x, last), [(0, 0)] * (x.ndim - 1) + [(size // 2, (size - 1) // 2)])
    neighbours = windows(squares, size).sum(axis=-1) / size  # (n, h, w, c)
    return x / (k + alpha * transpose(neighbours, (0, x.ndim - 1, *range(1, x.ndim - 1)))) ** beta

def dropout(x: Operand, p: float, rng: np.random.Generator) -> Tensor:
    """Each value is left out with probability p, and the others are divided by 1 - p, so that the mean stays.

    y = x m / (1 - p), with m 0 or 1, drawn from rng anew at each call.  (In the paper p is the probability to stay, and
    nothing is divided; after learning each value is multiplied by p instead, for the same mean.)
    Raises ValueError unless 0 <= p < 1, TypeError for an rng that is no numpy.random.Generator.
    Source: Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov, Dropout, JMLR 2014.

    >>> dropout(Tensor([1.0, 1.0, 1.0, 1.0]), 0.5, np.random.default_rng(0)).data
    array([2., 0., 0., 0.])
    """
    x = as_tensor(x)
    if not 0 <= real("p", p) < 1:
        raise ValueError(f"p (={p}) must be at least 0 and less than 1")
    check_generator(rng)
    return x * kept(rng=rng, p=p, shape=x.shape, dtype=x.dtype)

@primitive
def kept(*, rng: np.random.Generator, p: float, shape: tuple[int, ...], dtype: np.dtype) -> Array:
    """1 / (1 - p) where a value stays, 0 where it is left out: made of nothing, and drawn anew each time."""
    return ((rng.random(shape) >= p) / (1 - p)).astype(dtype)
