"""How a wrong derivative is planted: the right values, and another gradient for some of the inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from minitensor import Tensor, as_tensor, gradients, primitive
from minitensor.tensor import Array


def with_rules(function: Callable[..., Tensor], wrong: Mapping[int, Callable[..., Any]]) -> Callable[..., Tensor]:
    """function with a wrong rule for some inputs: `wrong[i](right, g, *inputs, **settings)` is returned for input i.

    `right` is the gradient that should be returned, g the gradient that has arrived, both Tensors.

    >>> double = with_rules(lambda x: 2 * x, {0: lambda right, g, x: right / 2})
    >>> x = Tensor([1.0, 2.0])
    >>> gradients(double(x), [x])[0].data
    array([1., 1.])
    """

    def spoilt(*inputs: Any, **settings: Any) -> Tensor:
        @primitive
        def value(*arrays: Array) -> Array:
            return function(*map(Tensor, arrays), **settings).data

        def rule(i: int, g: Tensor, out: Tensor, *xs: Tensor) -> Tensor:
            (right,) = gradients(function(*xs, **settings), [xs[i]], g)
            return as_tensor(wrong[i](right, g, *xs, **settings)) if i in wrong else right

        value.defvjp_each(rule)
        return value(*[x for x in inputs if x is not None])

    return spoilt


@primitive
def passed_on(x: Array) -> Array:
    """The values as they are."""
    return x.copy()


passed_on.defvjp(lambda g, out, x: g)
