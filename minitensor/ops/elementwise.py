"""Operators that treat each element by itself.

What you can do here: arithmetic, powers, `exp log sqrt abs sign tanh`, compare, choose (`where maximum`).

Each is a NumPy expression and, right below it, a line of calculus for each input.  Letters: x, y inputs, out the
output, g = dL/d out.  Shapes broadcast as in NumPy; `gradients` sums back to the shape of the input, so no rule speaks
of shapes.  A *kink* is a point where a function has no derivative, as |x| at 0; each says what is taken there.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..checks import float_dtype
from ..tensor import Array, Operand, Tensor, as_tensor, as_tensors, primitive

# fmt: off

# -- arithmetic --------------------------------------------------------------------------------------------------------

@primitive
def add(x: Array, y: Array) -> Array:
    """x + y"""
    return x + y
add.defvjp(lambda g, out, x, y: g,
           lambda g, out, x, y: g)

@primitive
def subtract(x: Array, y: Array) -> Array:
    """x - y"""
    return x - y
subtract.defvjp(lambda g, out, x, y: g,
                lambda g, out, x, y: -g)

@primitive
def multiply(x: Array, y: Array) -> Array:
    """x * y"""
    return x * y
multiply.defvjp(lambda g, out, x, y: g * y,
                lambda g, out, x, y: g * x)

@primitive
def divide(x: Array, y: Array) -> Array:
    """x / y"""
    return x / y
divide.defvjp(lambda g, out, x, y: g / y,
              lambda g, out, x, y: -g * out / y)

@primitive
def negative(x: Array) -> Array:
    """-x"""
    return -x
negative.defvjp(lambda g, out, x: -g)

@primitive
def _power(x: Array, *, exponent: float) -> Array:
    """x ** exponent, where the exponent is a number; `more.power` takes Tensors too"""
    return x**exponent
_power.defvjp(  # x ** 0 is flat; left to the formula it would be 0 * x ** -1, not a number at x = 0
    lambda g, out, x, *, exponent: g * 0 if exponent == 0 else g * exponent * x ** (exponent - 1)
)

# -- functions ---------------------------------------------------------------------------------------------------------

@primitive
def exp(x: Array) -> Array:
    """e ** x"""
    return np.exp(x)
exp.defvjp(lambda g, out, x: g * out)

@primitive
def log(x: Array) -> Array:
    """The natural logarithm."""
    return np.log(x)
log.defvjp(lambda g, out, x: g / x)

@primitive
def sqrt(x: Array) -> Array:
    """The square root."""
    return np.sqrt(x)
sqrt.defvjp(lambda g, out, x: g / (2 * out))

@primitive
def tanh(x: Array) -> Array:
    """The hyperbolic tangent, d tanh(x) / dx = 1 - tanh(x)^2."""
    return np.tanh(x)
tanh.defvjp(lambda g, out, x: g * (1 - out * out))

@primitive
def sign(x: Array) -> Array:
    """-1, 0 or 1; flat, so its derivative is 0 (at the step too, where it has none)"""
    return np.sign(x)
sign.defvjp(None)

@primitive
def abs(x: Array) -> Array:
    """|x|; its derivative at 0 is taken as 0

    >>> x = Tensor([-2.0, 0.0, 2.0])
    >>> abs(x).backward()
    >>> x.grad.data
    array([-1.,  0.,  1.])
    """
    return np.abs(x)
abs.defvjp(lambda g, out, x: g * sign(x))

# -- comparing: 1 where it holds, else 0 -------------------------------------------------------------------------------

@primitive
def greater(x: Array, y: Array) -> Array:
    """1 where x > y, else 0

    >>> (Tensor([1.0, 2.0, 3.0]) > 2).data
    array([0., 0., 1.])
    """
    return (x > y).astype(np.result_type(x, y))
greater.defvjp(None, None)

@primitive
def greater_equal(x: Array, y: Array) -> Array:
    """1 where x >= y, else 0"""
    return (x >= y).astype(np.result_type(x, y))
greater_equal.defvjp(None, None)

# -- choosing ----------------------------------------------------------------------------------------------------------

def where(condition: Operand, x: Operand, y: Operand) -> Tensor:
    """x where condition is not 0, else y; the condition has no derivative

    >>> x = Tensor([-1.0, 4.0])
    >>> where(x > 0, x, 0).data
    array([0., 4.])
    """
    if isinstance(x, Tensor) or isinstance(y, Tensor):
        x, y = as_tensors(x, y)  # numbers adopt the dtype of x or y, not that of the condition
    return _where(condition, x, y)

@primitive
def _where(condition: Array, x: Array, y: Array) -> Array:
    return np.where(condition, x, y)
_where.defvjp(None,
              lambda g, out, condition, x, y: where(condition, g, 0),
              lambda g, out, condition, x, y: where(condition, 0, g))

@primitive
def maximum(x: Array, y: Array) -> Array:
    """The larger of two, element by element; a tie sends the gradient to the first, x

    >>> x, y = Tensor(1.0), Tensor(1.0)
    >>> maximum(x, y).backward()
    >>> x.grad.item(), y.grad.item()
    (1.0, 0.0)
    """
    return np.maximum(x, y)
maximum.defvjp(lambda g, out, x, y: where(x >= y, g, 0),
               lambda g, out, x, y: where(x >= y, 0, g))

def astype(x: Operand, dtype: npt.DTypeLike) -> Tensor:
    """The same values as float32 or float64; TypeError for any other dtype

    >>> astype(Tensor([1.0]), "float32").dtype
    dtype('float32')
    """
    return _astype(as_tensor(x), dtype=float_dtype(dtype))

@primitive
def _astype(x: Array, *, dtype: np.dtype[Any]) -> Array:
    return x.astype(dtype)
_astype.defvjp(lambda g, out, x, *, dtype: _astype(g, dtype=x.dtype))
