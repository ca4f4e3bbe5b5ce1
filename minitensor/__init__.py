# ruff: noqa: I001  (tensor first: the others are made of it)
"""minitensor: a tensor engine to read, with reverse-mode derivatives of any order, on NumPy alone.

Read the chapters in this order: tensor, backprop, windows, conv, pool, ops (elementwise, shape, reduce, contract),
activations, losses, normalize, finite.  Beside that path: local, geometry, sizes, more, value, checks, recording,
formula, program, fast.

`from minitensor import *` brings all but `abs`, `max`, `min` and `sum`, which would replace Python's own.
"""

import os

from .tensor import Primitive, Tensor, as_tensor, primitive

from . import fast, finite, sizes
from .activations import log_softmax, relu, sigmoid, softmax
from .backprop import backward, gradients, history
from .conv import conv1d, conv2d, conv3d, conv_transpose1d, conv_transpose2d, conv_transpose3d, dense
from .formula import formula
from .local import locally_connected1d, locally_connected2d, tiled_conv1d, tiled_conv2d
from .losses import cross_entropy, mean_squared_error
from .more import (
    arange, argmax, clip, cos, cumsum, diag, dot, erf, expand_dims, expm1, flatten, flip, float_power, full, gelu,
    isnan, leaky_relu, log1p, logaddexp, logsumexp, minimum, moveaxis, ones, outer, power, prod, randn, repeat,
    roll, sin, softplus, split, square, squeeze, stack, std, swapaxes, tensordot, tile, trace, tril, triu, var,
    zeros
)  # fmt: skip
from .more import min as min
from .more.derivatives import hessian, jacobian
from .more.normalize import local_response_norm
from .more.pools import lp_pool1d, lp_pool2d, maxout, weighted_avg_pool1d, weighted_avg_pool2d
from .normalize import batch_norm, dropout
from .ops import (
    add, astype, broadcast_to, concatenate, divide, einsum, exp, greater, greater_equal, index, log, matmul,
    maximum, mean, multiply, negative, pad, reshape, sign, sqrt, subtract, tanh, transpose, where
)  # fmt: skip
from .ops import abs as abs, max as max, sum as sum
from .pool import avg_pool1d, avg_pool2d, avg_pool3d, max_pool1d, max_pool2d, max_pool3d
from .program import compiled, program
from .recording import no_grad
from .windows import Windows, fold, windows

__version__ = "0.2.0"
__all__ = [
    "Primitive", "Tensor", "Windows", "add", "arange", "argmax", "as_tensor", "astype", "avg_pool1d", "avg_pool2d",
    "avg_pool3d", "backward", "batch_norm", "broadcast_to", "clip", "compiled", "concatenate", "conv1d", "conv2d",
    "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "cos", "cross_entropy", "cumsum", "dense",
    "diag", "divide", "dot", "dropout", "einsum", "erf", "exp", "expand_dims", "expm1", "finite", "flatten", "flip",
    "float_power", "fold", "formula", "full", "gelu", "gradients", "greater", "greater_equal", "hessian", "history",
    "index", "isnan", "jacobian", "leaky_relu", "local_response_norm", "locally_connected1d", "locally_connected2d",
    "log", "log1p", "log_softmax", "logaddexp", "logsumexp", "lp_pool1d", "lp_pool2d", "matmul", "max_pool1d",
    "max_pool2d", "max_pool3d", "maximum", "maxout", "mean", "mean_squared_error", "minimum", "moveaxis",
    "multiply", "negative", "no_grad", "ones", "outer", "pad", "power", "primitive", "prod", "program", "randn",
    "relu", "repeat", "reshape", "roll", "sigmoid", "sign", "sin", "sizes", "softmax", "softplus", "split", "sqrt",
    "square", "squeeze", "stack", "std", "subtract", "swapaxes", "tanh", "tensordot", "tile", "tiled_conv1d",
    "tiled_conv2d", "trace", "transpose", "tril", "triu", "var", "weighted_avg_pool1d", "weighted_avg_pool2d",
    "where", "windows", "zeros",
]  # fmt: skip

fast.install(os.environ.get("MINITENSOR_PLAIN") != "1")
