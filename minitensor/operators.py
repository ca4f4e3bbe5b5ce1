"""Python's syntax on Tensors: `x * y` is `multiply(x, y)`, `x.sum()` is `sum(x)`.  Tables, and no idea of their own."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from . import activations
from .backprop import backward
from .ops import contract, elementwise, reduce, shape
from .tensor import Tensor, constant

Function = Callable[..., Tensor]


ARITHMETIC: dict[str, Function] = {  # __add__ for x + y, and __radd__ where only y is a Tensor
    "add": elementwise.add,
    "sub": elementwise.subtract,
    "mul": elementwise.multiply,
    "truediv": elementwise.divide,
    "matmul": contract.matmul,
}
COMPARISONS: dict[str, Function] = {
    "__gt__": elementwise.greater,
    "__ge__": elementwise.greater_equal,
    "__lt__": lambda x, y: elementwise.greater(y, x),
    "__le__": lambda x, y: elementwise.greater_equal(y, x),
}
METHODS: dict[str, Any] = {
    "__pow__": elementwise.power,
    "__rpow__": lambda x, y: elementwise.float_power(y, x),
    "__neg__": elementwise.negative,
    "__abs__": elementwise.abs,
    "__getitem__": shape.index,
    "T": property(lambda x: shape.transpose(x)),
    "backward": backward,
}
FUNCTIONS: list[Function] = [
    elementwise.abs, elementwise.astype, elementwise.clip, elementwise.exp, elementwise.log, elementwise.sqrt,
    elementwise.tanh,
    shape.broadcast_to, shape.reshape, shape.transpose,
    reduce.logsumexp, reduce.max, reduce.mean, reduce.min, reduce.sum, reduce.var,
    contract.matmul,
    activations.log_softmax, activations.relu, activations.sigmoid, activations.softmax,
]  # fmt: skip


def _method(function: Function) -> Function:
    """A function of its own, with the same signature and help: Python binds no Primitive to an object."""

    @wraps(function, updated=())
    def method(self: Tensor, *args: Any, **settings: Any) -> Tensor:
        return function(self, *args, **settings)

    return method


def _operator(function: Function) -> Function:
    return lambda x, y: function(x, y if isinstance(y, Tensor) else constant(y, x._value.dtype))


def _reflected(function: Function) -> Function:
    return lambda x, y: function(constant(y, x._value.dtype), x)


for name, function in ARITHMETIC.items():
    setattr(Tensor, f"__{name}__", _operator(function))
    setattr(Tensor, f"__r{name}__", _reflected(function))
for name, function in COMPARISONS.items():
    setattr(Tensor, name, _operator(function))
for name, function in METHODS.items():
    setattr(Tensor, name, function if isinstance(function, property) else _method(function))
for function in FUNCTIONS:
    setattr(Tensor, function.__name__, _method(function))
