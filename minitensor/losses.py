"""How wrong an answer is, as one number to make smaller.

What you can do here: `cross_entropy` for classes, also with weights, ignored and soft labels; `mean_squared_error` for
numbers.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .activations import log_softmax
from .tensor import TRACED_FROM, Array, LookedAt, Operand, Tensor, as_tensor, as_tensors, primitive


def cross_entropy(
    logits: Operand,
    labels: npt.ArrayLike | Tensor,
    *,
    weight: npt.ArrayLike | None = None,
    ignore_index: int | None = None,
) -> Tensor:
    """The average of -log softmax(logits)[label]: how surprised the network is by the right answers, in nats.

    logits (N, K), labels N integers from 0 to K - 1.  Its gradient is (softmax(logits) - one_hot(labels)) / N: what was
    predicted, less what is right.
    Rows whose label is ignore_index do not count.  With a weight (K) the average is weighted: a row counts
    weight[label] times.
    Soft labels are (N, K), each row a distribution: the average of -sum_k labels[k] log softmax(logits)[k], where a
    weight multiplies each term, and the average is over N, as in PyTorch.
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
    if (labels.ndim if isinstance(labels, Tensor) else np.ndim(labels)) == 2:
        soft = _checked_distributions(logits, labels, ignore_index)
        counts = soft if weight is None else soft * _checked_weights(logits, weight)
        return -(counts * log_softmax(logits, axis=1)).sum() / logits.shape[0]
    classes = checked_labels(logits, labels, ignore_index)
    if ignore_index is not None and TRACED_FROM.get() is not None:
        raise LookedAt(
            f"which rows count with ignore_index (={ignore_index}) depends on the labels: leave rows out before"
        )
    rows = np.arange(len(classes)) if ignore_index is None else np.flatnonzero(classes != ignore_index)
    chosen = log_softmax(logits, axis=1)[rows, classes[rows]]
    weights = np.ones(logits.shape[1]) if weight is None else _checked_weights(logits, weight)
    if not weights[classes[rows]].any():
        raise ValueError(f"no row counts: labels {classes}, weight {weight!r}, ignore_index {ignore_index}")
    if weight is None:
        return -chosen.mean()
    times = as_tensor(weights)[classes[rows]]
    return -(chosen * times).sum() / times.sum()


def checked_labels(scores: Tensor, labels: npt.ArrayLike | Tensor, ignore_index: int | None = None) -> Array:
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
    if wrong := sorted(set(classes[(classes < 0) | (classes >= k)].tolist()) - {ignore_index}):
        raise IndexError(f"labels must be from 0 to {k - 1}, got {', '.join(map(str, wrong))}")
    return classes


def _checked_distributions(scores: Tensor, labels: npt.ArrayLike | Tensor, ignore_index: int | None) -> Tensor:
    """Soft labels, in the dtype of scores (N, K)."""
    soft = as_tensor(labels)
    if scores.ndim != 2 or not scores.size or soft.shape != scores.shape or ignore_index is not None:
        raise ValueError(
            f"soft labels need scores of their shape (N, K), N > 0, and no ignore_index; got labels {soft.shape}, "
            f"scores {scores.shape} and ignore_index {ignore_index}"
        )
    soft = _distributions(soft)
    return soft if soft.dtype == scores.dtype else soft.astype(scores.dtype)


@primitive
def _distributions(soft: Array) -> Array:
    """The soft labels themselves, if they are some."""
    if not (soft >= 0).all() or not np.allclose(soft.sum(axis=1), 1, rtol=0, atol=1e-3):
        raise ValueError(f"each row of soft labels {soft.shape} must be positive and add up to 1, got {soft}")
    return soft


_distributions.defvjp(lambda g, out, soft: g)


def _checked_weights(scores: Tensor, weight: npt.ArrayLike) -> Array:
    """A weight for each class, in the dtype of scores (N, K)."""
    weights = np.array(weight, scores.dtype)
    if weights.shape != scores.shape[1:] or not ((weights >= 0) & (weights < np.inf)).all():
        raise ValueError(f"weight must hold {scores.shape[1:]} finite numbers from 0 on, one for each class: {weights}")
    return weights


def mean_squared_error(a: Operand, b: Operand) -> Tensor:
    """The average of (a - b)^2 over all elements; ValueError unless both have the same shape.

    >>> mean_squared_error(Tensor([1.0, 2.0]), Tensor([1.0, 4.0])).item()
    2.0
    """
    a, b = as_tensors(a, b)
    if a.shape != b.shape:
        raise ValueError(f"mean_squared_error compares equal shapes, got {a.shape} and {b.shape}")
    return ((a - b) ** 2).mean()
