"""Cross entropy where not each row has one right answer, or not each counts the same.

What you can do here: nothing by name; `cross_entropy` comes here for soft labels, weights and rows to ignore.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..activations import log_softmax
from ..checks import whole
from ..checks.layers import class_weights, soft_labels, whole_labels
from ..tensor import Array, Tensor, as_tensor, as_tensors, primitive
from ..value import refuse_tracing

# fmt: off

def weighted_cross_entropy(
    logits: Tensor, labels: npt.ArrayLike, weight: npt.ArrayLike | None, ignore_index: int | None
) -> Tensor:
    """`cross_entropy` where rows count as much as their class does, or not at all."""
    weights = None if weight is None else class_weights(logits.shape, logits.dtype, weight)
    if ignore_index is not None:
        ignore_index = whole("ignore_index", ignore_index)
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

def soft_cross_entropy(
    logits: Tensor, labels: npt.ArrayLike | Tensor, weight: npt.ArrayLike | None, ignore_index: int | None
) -> Tensor:
    """`cross_entropy` with a distribution for each row."""
    weights = None if weight is None else class_weights(logits.shape, logits.dtype, weight)
    soft = as_tensors(logits, labels)[1]
    soft_labels(logits.shape, soft.shape, ignore_index)
    soft = _distributions(soft if soft.dtype == logits.dtype else soft.astype(logits.dtype))
    return -((soft if weights is None else soft * weights) * log_softmax(logits, axis=1)).sum() / logits.shape[0]

@primitive
def _distributions(q: Array) -> Array:
    """Soft labels as they are; ValueError unless each row is a distribution (an operator: so programs check it too)."""
    if not (q >= 0).all() or not np.allclose(q.sum(axis=1), 1, rtol=0, atol=1e-3):
        raise ValueError(f"each row of soft labels {q.shape} must have numbers from 0 on that add up to 1, got {q}")
    return q
_distributions.defvjp(lambda g, out, q: g)
