"""The non-linearity between two linear layers, without which they would be one.

What you can do here: `relu sigmoid softmax log_softmax`; `tanh` is in `ops`, `leaky_relu softplus gelu` are in `more`.
"""

from __future__ import annotations

import numpy as np

from .checks import Sizes, normal_axes
from .ops.elementwise import where
from .tensor import Array, Operand, Tensor, as_tensor, primitive

# fmt: off

@primitive
def relu(x: Array) -> Array:
    """The rectified linear unit, max(x, 0); its derivative at 0 is taken as 0.

    Source: Goodfellow, Bengio and Courville, Deep Learning, section 6.3.1.

    >>> relu(Tensor([-1.0, 0.0, 2.0])).data
    array([0., 0., 2.])
    """
    return np.maximum(x, 0)
relu.defvjp(lambda g, out, x: where(x > 0, g, 0))

@primitive
def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)), the derivative of softplus; d sigmoid / dx = sigmoid (1 - sigmoid).

    >>> sigmoid(Tensor([-1000.0, 0.0, 1000.0])).data
    array([0. , 0.5, 1. ])
    """
    return np.exp(-np.logaddexp(0, -x))  # exp(-x) alone would overflow
sigmoid.defvjp(lambda g, out, x: g * out * (1 - out))

def log_softmax(x: Operand, axis: int = -1) -> Tensor:
    """The logarithm of the softmax, x - log(sum(exp(x))), without overflow: x - max(x) has the same, so that is taken.

    d out_i / d x_j is 1 - softmax(x)_j for i = j, and -softmax(x)_j otherwise; so dL/dx = g - softmax(x) sum(g).

    >>> log_softmax(Tensor([1000.0, 0.0])).data
    array([    0., -1000.])
    """
    x = as_tensor(x)
    return _log_softmax(x, axis=normal_axes(axis, x.ndim))

@primitive
def _log_softmax(x: Array, *, axis: Sizes) -> Array:
    largest = x.max(axis=axis, keepdims=True, initial=-np.inf)
    shifted = x - np.where(np.isfinite(largest), largest, 0)  # inf - inf is not a number
    with np.errstate(divide="ignore", over="ignore"):  # the log of no probability at all is -inf
        return shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))
_log_softmax.defvjp(lambda g, out, x, *, axis: g - out.exp() * g.sum(axis=axis, keepdims=True))

def softmax(x: Operand, axis: int = -1) -> Tensor:
    """exp(x) / sum(exp(x)) along axis: positive numbers that add up to 1.

    Source: Goodfellow, Bengio and Courville, Deep Learning, section 6.2.2.3.

    >>> softmax(Tensor([0.0, 0.0])).data
    array([0.5, 0.5])
    """
    return log_softmax(x, axis).exp()
