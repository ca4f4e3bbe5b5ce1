"""How wrong an answer is, as one number to make smaller.

What you can do here: `cross_entropy` for classes, also with weights, ignored and soft labels; `mean_squared_error` for
numbers.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .activations import log_softmax
from .checks import class_weights, soft_labels, whole_labels
from .tensor import Array, Operand, Tensor, as_tensor, as_tensors, primitive
from .value import refuse_tracing

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
    weights = None if weight is None else class_weights(logits.shape, logits.dtype, weight)
    if (labels.ndim if isinstance(labels, Tensor) else np.ndim(labels)) == 2:
        soft = as_tensors(logits, labels)[1]
        soft_labels(logits.shape, soft.shape, ignore_index)
        soft = _distributions(soft if soft.dtype == logits.dtype else soft.astype(logits.dtype))
        return -((soft if weights is None else soft * weights) * log_softmax(logits, axis=1)).sum() / logits.shape[0]
    classes = whole_labels(logits.shape, labels, ignore_index)
    if ignore_index is not None:
        refuse_tracing(f"which rows count with ignore_index (={ignore_index}) depends on labels: leave rows out before")
    rows = np.arange(len(classes)) if ignore_index is None else np.flatnonzero(classes != ignore_index)
    chosen = log_softmax(logits, axis=1)[rows, classes[rows]]
    if not len(rows) or (weights is not None and not weights[classes[rows]].any()):
        raise ValueError(f"no row counts: labels {classes}, weight {weight!r}, ignore_index {ignore_index}")
    if weights is None:
        return -chosen.mean()
    times = as_tensor(weights)[classes[rows]]
    return -(chosen * times).sum() / times.sum()

@primitive
def _distributions(q: Array) -> Array:
    """Soft labels as they are; ValueError unless each row is a distribution (an operator: so programs check it too)."""
    if not (q >= 0).all() or not np.allclose(q.sum(axis=1), 1, rtol=0, atol=1e-3):
        raise ValueError(f"each row of soft labels {q.shape} must be positive and add up to 1, got {q}")
    return q
_distributions.defvjp(lambda g, out, q: g)

def mean_squared_error(a: Operand, b: Operand) -> Tensor:
    """The average of (a - b)^2 over all elements; ValueError unless both have the same shape.

    >>> mean_squared_error(Tensor([1.0, 2.0]), Tensor([1.0, 4.0])).item()
    2.0
    """
    a, b = as_tensors(a, b)
    if a.shape != b.shape:
        raise ValueError(f"mean_squared_error compares equal shapes, got {a.shape} and {b.shape}")
    return ((a - b) ** 2).mean()
