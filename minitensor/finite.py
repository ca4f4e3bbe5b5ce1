"""What a derivative *is*: how much the output moves when the input moves a little.

What you can do here: `slope` along a direction by finite differences, and `check_gradients` of any function with it.

The *central difference* is the definition, with an h that is small and not yet 0:

    F'(0)  =  (F(h) - F(-h)) / 2h,  up to an error of h^2 F^(3) / 6

For F(t) = (2 + t)^3 and h = 0.1: (9.261 - 6.859) / 0.2 = 12.01, where 3 * 2^2 = 12.  With 2h in place of h the error is
four times as large, 12.04; so (4 * 12.01 - 12.04) / 3 has none of this kind.  `slope` does that.  At a *kink*, as |x|
has at 0, the two sides have different slopes, and a difference across it is the slope of neither.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from .backprop import gradients, tensor_of
from .checks import check_generator, whole
from .ops.elementwise import multiply
from .ops.shape import concatenate
from .recording import recording
from .tensor import Array, Operand, Tensor, as_tensor

# fmt: off

def slope(f: Callable[..., Tensor], xs: Sequence[Array], direction: Sequence[Array], step: float = 1e-3) -> float:
    """The derivative of a scalar f at xs along a direction v, from values alone.

    With F(t) = f(x + t v), h = step and D(h) = (F(h) - F(-h)) / 2h: (4 D(h) - D(2h)) / 3, up to h^4 F^(5) / 30.
    Source: Fornberg, Generation of finite difference formulas on arbitrarily spaced grids, Math. Comp. 1988, table 1.

    >>> abs(slope(lambda x: x ** 3, [np.array(2.0)], [np.array(1.0)]) - 12) < 1e-10
    True
    """

    def at(t: float) -> float:
        return tensor_of(f, *[Tensor(x + t * v) for x, v in zip(xs, direction, strict=True)]).item()

    def central(h: float) -> float:
        return (at(h) - at(-h)) / (2 * h)

    return (4 * central(step) - central(2 * step)) / 3

@recording(True)
def check_gradients(
    f: Callable[..., Tensor], *xs: Operand, order: int = 2, step: float = 1e-3, tolerance: float = 1e-6,
    rng: np.random.Generator | None = None,
) -> float:
    """Compare the gradients of f at xs, and theirs in turn, with finite differences, in float64.

    f is made a scalar L, the sum of u * f(x) with random weights u; then the sum of v * dL/dx must be the slope of L
    along a random direction v.  Order 2 adds the same check on the function x -> dL/dx, and so on.  Returns the largest
    deviation, relative to the largest of 1 and the two slopes.
    The direction is the same at each call unless you give an rng.  Keep xs at least 2 step away from kinks.
    Raises AssertionError, with the numbers, where the deviation is more than tolerance, ValueError for no xs, an
    order less than 1 or a step of 0, TypeError unless f returns a Tensor.

    >>> from minitensor import primitive
    >>> @primitive
    ... def square(x):
    ...     return x * x
    >>> square.defvjp(lambda g, out, x: g * x)  # wrong: the 2 is missing
    >>> check_gradients(square, np.array(3.0))
    Traceback (most recent call last):
        ...
    AssertionError: order 1: the rules give -0.1..., finite differences give -0.3...
    """
    if whole("order", order) < 1 or not step > 0:
        raise ValueError(f"order (={order}) must be at least 1, and step (={step}) more than 0")
    if not xs:
        raise ValueError("there is nothing to check: give at least one input, as in check_gradients(f, x)")
    rng = np.random.default_rng(0) if rng is None else rng
    check_generator(rng)
    arrays = [np.array(as_tensor(x).data, dtype=np.float64) for x in xs]
    worst, function = 0.0, f
    for current in range(1, order + 1):  # function is f, then x -> dL/dx of that, and so on
        y = tensor_of(function, *map(Tensor, arrays))
        function = _scalar(function, rng.normal(size=y.shape))
        direction = [rng.uniform(-1, 1, size=x.shape) for x in arrays]
        tensors = [Tensor(x) for x in arrays]
        slopes = gradients(function(*tensors), tensors)
        by_rules = float(sum((g.data * v).sum() for g, v in zip(slopes, direction, strict=True)))
        by_values = slope(function, arrays, direction, step)
        deviation = abs(by_rules - by_values) / max(1.0, abs(by_rules), abs(by_values))
        if not deviation <= tolerance:
            numbers = f"the rules give {by_rules:.10g}, finite differences give {by_values:.10g}"
            raise AssertionError(f"order {current}: {numbers}")
        worst = max(worst, deviation)
        function = _gradient(function)
    return worst

def _scalar(f: Callable[..., Tensor], weights: Array) -> Callable[..., Tensor]:
    return lambda *xs: multiply(f(*xs), weights).sum()

def _gradient(f: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """x -> all gradients of a scalar f at x, laid end to end."""
    return lambda *xs: concatenate([g.reshape(-1) for g in gradients(f(*xs), xs)])
