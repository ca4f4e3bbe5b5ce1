"""More functions of each element by itself."""

from __future__ import annotations

import math

import numpy as np

from ..activations import sigmoid
from ..checks import real
from ..ops.elementwise import _power, abs, log, maximum, where
from ..tensor import Array, Operand, Tensor, as_tensor, primitive

# fmt: off

@primitive
def sin(x: Array) -> Array:
    """The sine of x, in radians."""
    return np.sin(x)


@primitive
def cos(x: Array) -> Array:
    """The cosine of x, in radians."""
    return np.cos(x)
sin.defvjp(lambda g, out, x: g * cos(x))
cos.defvjp(lambda g, out, x: -g * sin(x))


@primitive
def log1p(x: Array) -> Array:
    """log(1 + x), accurate for small x too.

    >>> log1p(Tensor(1e-20)).item()
    1e-20
    """
    return np.log1p(x)
log1p.defvjp(lambda g, out, x: g / (1 + x))


@primitive
def expm1(x: Array) -> Array:
    """exp(x) - 1, accurate for small x too.

    >>> expm1(Tensor(1e-20)).item()
    1e-20
    """
    return np.expm1(x)
expm1.defvjp(lambda g, out, x: g * (out + 1))


def power(x: Operand, exponent: Operand) -> Tensor:
    """x ** exponent; a number is a setting of the operator, anything else an input of `float_power`"""
    if isinstance(exponent, int | float | np.number):
        return _power(as_tensor(x), exponent=exponent if isinstance(exponent, int) else float(exponent))
    return float_power(x, exponent)


@primitive
def float_power(x: Array, y: Array) -> Array:
    """x ** y, for Tensors; a plain number as exponent is `power`

    The derivative by x is y x^(y - 1), taken as 0 at x = y = 0; that by y needs x >= 0, and is taken as 0 elsewhere.

    >>> (2 ** Tensor([1.0, 2.0, 3.0])).data
    array([2., 4., 8.])
    """
    return x**y

def _base_rule(g: Tensor, out: Tensor, x: Tensor, y: Tensor) -> Tensor:
    smallest = np.finfo(x.dtype).tiny  # below it, as at 0, 1 / x may be infinite, and 0 * (1 / x) no number
    flat = (y >= 0) * (y <= 0) * (abs(x) < smallest)
    return g * y * x ** where(flat, 1, y - 1)

def _exponent_rule(g: Tensor, out: Tensor, x: Tensor, y: Tensor) -> Tensor:
    base = where(x > 0, x, 1)  # elsewhere log(1) = 0
    return g * base**y * log(base)

float_power.defvjp(_base_rule, _exponent_rule)


def square(x: Operand) -> Tensor:
    """x ** 2

    >>> square(Tensor([3.0]))
    Tensor([9.], power)
    """
    return power(x, 2)


@primitive
def logaddexp(x: Array, y: Array) -> Array:
    """log(exp(x) + exp(y)), without overflow.

    >>> round(logaddexp(Tensor(1000.0), 1000.0).item(), 4)
    1000.6931
    """
    return np.logaddexp(x, y)
logaddexp.defvjp(lambda g, out, x, y: g * sigmoid(x - y),
                 lambda g, out, x, y: g * sigmoid(y - x))


@primitive
def softplus(x: Array) -> Array:
    """log(1 + exp(x)), a smooth form of relu.

    Source: Dugas, Bengio, Belisle, Nadeau and Garcia, NIPS 2000.

    >>> softplus(Tensor([-1000.0, 1000.0])).data
    array([   0., 1000.])
    """
    return np.logaddexp(0, x)
softplus.defvjp(lambda g, out, x: g * sigmoid(x))


def leaky_relu(x: Operand, slope: float = 0.01) -> Tensor:
    """x where x > 0, else slope * x; its derivative at 0 is the slope.

    >>> leaky_relu(Tensor([-1.0, 2.0]), slope=0.1).data
    array([-0.1,  2. ])
    """
    if isinstance(slope, Tensor):
        raise TypeError("the slope of leaky_relu is a number; to learn it, write maximum(x, 0) + slope * minimum(x, 0)")
    return _leaky_relu(as_tensor(x), slope=float(real("slope", slope)))


@primitive
def _leaky_relu(x: Array, *, slope: float) -> Array:
    return np.where(x > 0, x, x * slope)
_leaky_relu.defvjp(lambda g, out, x, *, slope: g * where(x > 0, 1, slope))


@primitive
def erf(x: Array) -> Array:
    """The error function, 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x.

    >>> round(erf(Tensor(1.0)).item(), 6)
    0.842701
    """
    return np.array([math.erf(v) for v in x.ravel().tolist()], x.dtype).reshape(x.shape)
erf.defvjp(lambda g, out, x: g * (2 / math.sqrt(math.pi)) * (-x * x).exp())


def gelu(x: Operand) -> Tensor:
    """x times the probability that a standard normal number is less than x: x (1 + erf(x / sqrt(2))) / 2.

    Source: Hendrycks and Gimpel, Gaussian error linear units (2016).

    >>> gelu(Tensor([-100.0, 0.0, 100.0])).data.tolist()
    [-0.0, 0.0, 100.0]
    """
    x = as_tensor(x)
    return x * (1 + erf(x / math.sqrt(2))) / 2


@primitive
def minimum(x: Array, y: Array) -> Array:
    """The smaller of two, element by element; a tie sends the gradient to the first, x"""
    return np.minimum(x, y)
minimum.defvjp(lambda g, out, x, y: where(x <= y, g, 0),
               lambda g, out, x, y: where(x <= y, 0, g))


def clip(x: Operand, low: Operand | None = None, high: Operand | None = None) -> Tensor:
    """x held between two limits, either of which may be left out; on the limits the gradient passes to x

    Raises ValueError if low > high.

    >>> clip(Tensor([-2.0, 0.5, 2.0]), 0, 1).data
    array([0. , 0.5, 1. ])
    """
    if isinstance(low, Tensor) or isinstance(high, Tensor):
        high = high if low is None or high is None else _not_below(high, low)
    elif low is not None and high is not None:
        _not_below.function(np.asarray(high), np.asarray(low))
    x = as_tensor(x) if low is None else maximum(x, low)
    return x if high is None else minimum(x, high)


@primitive
def _not_below(high: Array, low: Array) -> Array:
    """The upper limits as they are; ValueError for one below the lower (an operator: so programs check it too)."""
    if np.greater(low, high).any():
        raise ValueError(f"low (={low}) must not exceed high (={high})")
    return high
_not_below.defvjp(lambda g, out, high, low: g, None)


@primitive
def isnan(x: Array) -> Array:
    """1 where x is not a number, else 0."""
    return np.isnan(x)
isnan.defvjp(None)
