"""Normalization across channels, as AlexNet had it.

What you can do here: `local_response_norm`.
"""

from __future__ import annotations

from ..checks import real, whole
from ..ops.shape import pad, transpose
from ..tensor import Operand, Tensor, as_tensor
from ..windows import windows

# fmt: off

def local_response_norm(x: Operand, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Tensor:
    """Each value held down by those in neighbouring channels: y = x / (k + alpha mean(x^2 over size channels))^beta.

    The mean is over `size` channels, size // 2 of them before the value's own; those beyond the border count as 0.
    (The paper multiplies alpha by the *sum*: its alpha is ours divided by size.)
    x (N, C, ...).  Raises ValueError for a size < 1.
    Source: Krizhevsky, Sutskever and Hinton, ImageNet classification ..., NIPS 2012, section 3.3.

    >>> local_response_norm(Tensor([[3.0]]), size=1, alpha=1.0, beta=0.5, k=7.0).data
    array([[0.75]])
    """
    x, alpha, beta, k = as_tensor(x), real("alpha", alpha), real("beta", beta), real("k", k)
    if whole("size", size) < 1 or x.ndim < 2:
        raise ValueError(f"local_response_norm needs size (={size}) >= 1 and x (N, C, ...), got shape {x.shape}")
    last = (0, *range(2, x.ndim), 1)
    squares = pad(transpose(x * x, last), [(0, 0)] * (x.ndim - 1) + [(size // 2, (size - 1) // 2)])
    neighbours = windows(squares, size).sum(axis=-1) / size  # (n, h, w, c)
    return x / (k + alpha * transpose(neighbours, (0, x.ndim - 1, *range(1, x.ndim - 1)))) ** beta
