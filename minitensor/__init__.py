"""minitensor: a tensor engine to read, with reverse-mode derivatives of any order, on NumPy alone.

Read the chapters in this order: tensor, backprop, finite, ops (elementwise, shape, reduce, contract, windows), sizes,
conv, pool, activations, losses, normalize, operators, formula.  memory, cores and rowwise can wait.
"""

from . import finite, operators, sizes
from .activations import leaky_relu, log_softmax, relu, sigmoid, softmax, softplus
from .backprop import backward, gradients, hessian, history, jacobian
from .conv import (
    conv1d,
    conv2d,
    conv_transpose2d,
    dense,
    locally_connected1d,
    locally_connected2d,
    tiled_conv1d,
    tiled_conv2d,
)
from .formula import formula
from .losses import cross_entropy, mean_squared_error
from .normalize import batch_norm, dropout, local_response_norm
from .ops.contract import einsum, matmul
from .ops.elementwise import (
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
from .ops.reduce import logsumexp, max, mean, min, sum, var
from .ops.shape import broadcast_to, concatenate, index, pad, reshape, stack, transpose
from .ops.windows import fold, windows
from .pool import (
    avg_pool1d,
    avg_pool2d,
    lp_pool1d,
    lp_pool2d,
    max_pool1d,
    max_pool2d,
    maxout,
    weighted_avg_pool1d,
    weighted_avg_pool2d,
)
from .tensor import Primitive, Tensor, as_tensor, no_grad, primitive
