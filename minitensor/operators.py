"""Python's syntax on Tensors: `x * y` is `multiply(x, y)`, `x.sum()` is `sum(x)`.  Tables, and no idea of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import activations
from .backprop import backward
from .ops import contract, elementwise, reduce, shape
from .tensor import Operand, Tensor, constant

Function = Callable[..., Tensor]


def _power(x: Operand, y: Operand) -> Tensor:
    """x ** y; a number as exponent is a setting of the operator, anything else is an input of it."""
    if isinstance(y, int | float | np.number):
        return elementwise.power(x, exponent=y if isinstance(y, int) else float(y))
    return elementwise.float_power(x, y)


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
    "__pow__": _power,
    "__rpow__": lambda x, y: elementwise.float_power(y, x),
    "__neg__": elementwise.negative,
    "__abs__": elementwise.abs,
    "__getitem__": shape.index,
    "T": property(lambda x: shape.transpose(x)),
    "backward": backward,
    "astype": lambda x, dtype: elementwise.astype(x, dtype=np.dtype(dtype)),
}
FUNCTIONS: list[Function] = [
    elementwise.abs, elementwise.clip, elementwise.exp, elementwise.log, elementwise.sqrt, elementwise.tanh,
    shape.broadcast_to, shape.reshape, shape.transpose,
    reduce.logsumexp, reduce.max, reduce.mean, reduce.min, reduce.sum, reduce.var,
    contract.matmul,
    activations.log_softmax, activations.relu, activations.sigmoid, activations.softmax,
]  # fmt: skip


def _method(function: Function) -> Function:
    """Python binds only plain functions to an object, and a Primitive is none."""
    return lambda self, *args, **settings: function(self, *args, **settings)


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
