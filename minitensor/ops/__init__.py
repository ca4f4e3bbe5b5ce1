"""The operators, one chapter a kind: elementwise, shape, reduce, contract."""

from .contract import einsum, matmul
from .elementwise import (
    abs,
    add,
    astype,
    clip,
    divide,
    exp,
    float_power,
    greater,
    greater_equal,
    log,
    maximum,
    minimum,
    multiply,
    negative,
    power,
    sign,
    sqrt,
    subtract,
    tanh,
    where,
)
from .reduce import logsumexp, max, mean, min, sum, var
from .shape import (
    broadcast_to,
    concatenate,
    index,
    pad,
    reshape,
    stack,
    transpose,
)

__all__ = [
    "abs", "add", "astype", "broadcast_to", "clip", "concatenate", "divide", "einsum", "exp", "float_power",
    "greater", "greater_equal", "index", "log", "logsumexp", "matmul", "max", "maximum", "mean", "min", "minimum",
    "multiply", "negative", "pad", "power", "reshape", "sign", "sqrt", "stack", "subtract", "sum", "tanh",
    "transpose", "var", "where",
]  # fmt: skip
