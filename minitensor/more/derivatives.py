"""Whole matrices of derivatives, a pass backwards for each row.

What you can do here: stack gradients into a `jacobian` or a `hessian`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..backprop import gradients, tensor_of
from ..ops.shape import concatenate
from ..recording import recording
from ..tensor import Operand, Tensor, as_tensor

# fmt: off

def jacobian(f: Callable[[Tensor], Tensor], x: Operand) -> Tensor:
    """All first derivatives of f at x, J[i, j] = df_i / dx_j; the shape is that of f(x) followed by that of x.

    One pass backwards for each element of f(x).  It works within `no_grad` too.
    Raises TypeError unless f returns a Tensor.

    >>> jacobian(lambda x: x * x, Tensor([1.0, 2.0])).data.tolist()
    [[2.0, 0.0], [0.0, 4.0]]
    """
    x = as_tensor(x)
    with recording(True):
        y = tensor_of(f, x)
    one_hots = np.eye(y.size, dtype=y.dtype).reshape(y.size, *y.shape)
    rows = [gradients(y, [x], seed=one_hot)[0].reshape(-1) for one_hot in one_hots]
    return concatenate(rows or [np.zeros(0, y.dtype)]).reshape(y.shape + x.shape)

def hessian(f: Callable[[Tensor], Tensor], x: Operand) -> Tensor:
    """All second derivatives of a scalar f at x, H[i, j] = d2f / dx_i dx_j: the Jacobian of the gradient.

    Raises ValueError unless f returns one number.

    >>> hessian(lambda x: (x ** 3).sum(), Tensor([1.0, 2.0])).data.tolist()
    [[6.0, 0.0], [0.0, 12.0]]
    """

    def gradient(x: Tensor) -> Tensor:
        y = tensor_of(f, x)
        if y.size != 1:
            raise ValueError(f"a Hessian is taken of a scalar function, and this one returned shape {y.shape}")
        return gradients(y, [x])[0]

    return jacobian(gradient, x)
