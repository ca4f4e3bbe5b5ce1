"""How wrong an answer is, as one number to make smaller.

What you can do here: `cross_entropy` for classes, `mean_squared_error` for numbers.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .activations import log_softmax
from .tensor import Array, Operand, Tensor, as_tensor, as_tensors


def cross_entropy(logits: Operand, labels: npt.ArrayLike) -> Tensor:
    """The average of -log softmax(logits)[label]: how surprised the network is by the right answers, in nats.

    logits (N, K), labels N integers from 0 to K - 1.  Its gradient is (softmax(logits) - one_hot(labels)) / N: what was
    predicted, less what is right.
    Raises ValueError where the shapes do not fit, TypeError for labels that are not whole numbers, IndexError for one
    out of range.
    Source: Goodfellow, Bengio and Courville, Deep Learning, section 6.2.2.3.

    >>> logits = Tensor([[0.0, 0.0]])
    >>> loss = cross_entropy(logits, [1])
    >>> loss.backward()
    >>> round(loss.item(), 4), logits.grad.data  # log 2, and [0.5, 0.5] - [0, 1]
    (0.6931, array([[ 0.5, -0.5]]))
    """
    logits = as_tensor(logits)
    classes = checked_labels(logits, labels)
    return -log_softmax(logits, axis=1)[np.arange(len(classes)), classes].mean()


def checked_labels(scores: Tensor, labels: npt.ArrayLike) -> Array:
    """The labels as an array, one for each row of scores (N, K); raises what `cross_entropy` raises."""
    if isinstance(labels, Tensor):
        raise TypeError("labels must be whole numbers in a list or an array; got a Tensor, which holds floats")
    classes = np.array(labels)
    if scores.ndim != 2 or not scores.size or classes.shape != scores.shape[:1]:
        raise ValueError(
            f"N labels need scores (N, K), and N > 0; got {classes.shape} labels and scores {scores.shape}"
        )
    if classes.dtype.kind not in "iu":
        raise TypeError(f"labels must be whole numbers, got {classes.dtype}")
    k = scores.shape[1]
    if wrong := sorted(set(classes[(classes < 0) | (classes >= k)].tolist())):
        raise IndexError(f"labels must be from 0 to {k - 1}, got {', '.join(map(str, wrong))}")
    return classes


def mean_squared_error(a: Operand, b: Operand) -> Tensor:
    """The average of (a - b)^2 over all elements; ValueError unless both have the same shape.

    >>> mean_squared_error(Tensor([1.0, 2.0]), Tensor([1.0, 4.0])).item()
    2.0
    """
    a, b = as_tensors(a, b)
    if a.shape != b.shape:
        raise ValueError(f"mean_squared_error compares equal shapes, got {a.shape} and {b.shape}")
    return ((a - b) ** 2).mean()
