# ruff: noqa: I001  (a list as short as a list can be)
"""More of what NumPy has, most of it composed of what there is already, and what the chapters leave to it: whole
Jacobians (`derivatives`), weighted and soft labels (`losses`), further pools and AlexNet's normalization.
"""

from .create import arange, full, ones, randn, zeros
from .functions import (
    clip, cos, erf, expm1, float_power, gelu, isnan, leaky_relu, log1p, logaddexp, minimum, power, sin, softplus,
    square
)  # fmt: skip
from .products import dot, outer, tensordot, trace
from .rearrange import (
    diag, expand_dims, flatten, flip, moveaxis, repeat, roll, split, squeeze, stack, swapaxes, tile, tril, triu
)  # fmt: skip
from .reductions import argmax, cumsum, logsumexp, min, prod, std, var

__all__ = [
    "arange", "argmax", "clip", "cos", "cumsum", "diag", "dot", "erf", "expand_dims", "expm1", "flatten", "flip",
    "float_power", "full", "gelu", "isnan", "leaky_relu", "log1p", "logaddexp", "logsumexp", "min", "minimum",
    "moveaxis", "ones", "outer", "power", "prod", "randn", "repeat", "roll", "sin", "softplus", "split", "square",
    "squeeze", "stack", "std", "swapaxes", "tensordot", "tile", "trace", "tril", "triu", "var", "zeros",
]  # fmt: skip
