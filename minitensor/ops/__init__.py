# ruff: noqa: I001  (a list as short as a list can be)
"""The operators, one chapter a kind: elementwise, shape, reduce, contract."""

from .contract import einsum, matmul
from .elementwise import (
    abs, add, astype, divide, exp, greater, greater_equal, log, maximum, multiply, negative,
    sign, sqrt, subtract, tanh, where
)  # fmt: skip
from .reduce import max, mean, sum
from .shape import broadcast_to, concatenate, index, pad, reshape, transpose

__all__ = [
    "abs", "add", "astype", "broadcast_to", "concatenate", "divide", "einsum", "exp", "greater",
    "greater_equal", "index", "log", "matmul", "max", "maximum", "mean", "multiply", "negative", "pad",
    "reshape", "sign", "sqrt", "subtract", "sum", "tanh", "transpose", "where",
]  # fmt: skip
