"""Keep activations in a useful range, and keep a network from relying on single units.

What you can do here: `batch_norm` and `dropout`; `local_response_norm` is in `more`.  (What a layer remembers between
batches is in `nets`.)
"""

from __future__ import annotations

import numpy as np

from .checks import check_generator, real
from .checks.layers import check_batch_norm
from .ops.reduce import mean
from .tensor import Array, Operand, Tensor, as_tensor, as_tensors, primitive

# fmt: off

def batch_norm(x: Operand, scale: Operand, shift: Operand, eps: float = 1e-5) -> Tensor:
    """Each channel with mean 0 and variance 1 over the batch, then scaled and shifted.

    y = scale (x - mean) / sqrt(var + eps) + shift, with mean and variance over all axes but axis 1.
    x (N, C, ...), scale and shift (C).  Raises ValueError where the shapes do not fit, and for eps < 0.
    Source: Ioffe and Szegedy, Batch normalization, ICML 2015, algorithm 1.

    >>> batch_norm(Tensor([[1.0], [3.0]]), Tensor([1.0]), Tensor([5.0]), eps=0.0).data
    array([[4.],
           [6.]])
    """
    x, scale, shift, eps = *as_tensors(x, scale, shift), real("eps", eps)
    check_batch_norm(x.shape, scale.shape, shift.shape, eps)
    others = (0, *range(2, x.ndim))
    centred = x - mean(x, others, keepdims=True)
    deviation = (mean(centred**2, others, keepdims=True) + eps).sqrt()
    per_channel = (-1, *(1,) * (x.ndim - 2))
    return centred / deviation * scale.reshape(per_channel) + shift.reshape(per_channel)

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
    if not 0 <= (p := real("p", p)) < 1:
        raise ValueError(f"p (={p}) must be at least 0 and less than 1")
    check_generator(rng)
    return x * kept(rng=rng, p=p, shape=x.shape, dtype=x.dtype)

@primitive
def kept(*, rng: np.random.Generator, p: float, shape: tuple[int, ...], dtype: np.dtype) -> Array:
    """1 / (1 - p) where a value stays, 0 where it is left out: made of nothing, and drawn anew each time."""
    return ((rng.random(shape) >= p) / (1 - p)).astype(dtype)
