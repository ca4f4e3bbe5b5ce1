"""How wrong an answer is, as one number to make smaller.

What you can do here: `cross_entropy` for classes, also with weights, ignored and soft labels; `mean_squared_error` for
numbers.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .activations import log_softmax
from .checks.layers import shape_of, whole_labels
from .more.losses import soft_cross_entropy, weighted_cross_entropy
from .tensor import Operand, Tensor, as_tensor, as_tensors

# fmt: off

def cross_entropy(
    logits: Operand, labels: npt.ArrayLike | Tensor, *, weight: npt.ArrayLike | None = None,
    ignore_index: int | None = None,
) -> Tensor:
    """The average of -log softmax(logits)[label]: how surprised the network is by the right answers.

    logits (N, K), labels N integers from 0 to K - 1.  Its gradient is (softmax(logits) - one_hot(labels)) / N: what was
    predicted, less what is right.  Rows whose label is ignore_index do not count.  With a weight (K) the average is
    weighted: a row counts weight[label] times.
    Soft labels (N, K) have a distribution in each row: the average over N of -sum_k labels[k] log softmax(logits)[k],
    each term times weight[k], as in PyTorch.
    Raises ValueError where the shapes do not fit, no row counts, a weight is negative or soft labels are no
    distributions; TypeError for labels that are not whole numbers, IndexError for one out of range.
    Source: Goodfellow, Bengio and Courville, Deep Learning, section 6.2.2.3.

    >>> logits = Tensor([[0.0, 0.0]])
    >>> loss = cross_entropy(logits, [1])
    >>> loss.backward()
    >>> round(loss.item(), 4), logits.grad.data  # log 2, and [0.5, 0.5] - [0, 1]
    (0.6931, array([[ 0.5, -0.5]]))
    >>> round(cross_entropy([[0.0, 0.0], [0.0, 9.0]], [[0.5, 0.5], [0.0, 1.0]]).item(), 4)
    0.3466
    """
    logits = as_tensor(logits)
    if len(shape_of(labels)) == 2:
        return soft_cross_entropy(logits, labels, weight, ignore_index)
    if weight is not None or ignore_index is not None:
        return weighted_cross_entropy(logits, labels, weight, ignore_index)
    classes = whole_labels(logits.shape, labels)
    return -log_softmax(logits, axis=1)[np.arange(len(classes)), classes].mean()

def mean_squared_error(a: Operand, b: Operand) -> Tensor:
    """The average of (a - b)^2 over all elements; ValueError unless both have the same shape.

    >>> mean_squared_error(Tensor([1.0, 2.0]), Tensor([1.0, 4.0])).item()
    2.0
    """
    a, b = as_tensors(a, b)
    if a.shape != b.shape:
        raise ValueError(f"mean_squared_error compares equal shapes, got {a.shape} and {b.shape}")
    return ((a - b) ** 2).mean()
