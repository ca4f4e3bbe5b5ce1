"""Speed: the same values up to rounding, computed in the order that memory likes and on all cores.

What you can do here: `install` puts a quicker function in the place of some definitions, which importing `minitensor`
does unless the environment says `MINITENSOR_PLAIN=1`.  The chapters do not know this folder; the programs that
`program` writes borrow its memory order and its cores.
"""

from collections.abc import Callable
from typing import Any

from .. import conv, pool
from ..ops import contract, elementwise, reduce
from ..tensor import Primitive
from . import convolution, elements, pools, products

QUICKER: dict[Primitive, Callable[..., Any]] = {
    elementwise._where: elements.where,
    reduce._sum: elements.sum,
    contract._matmul: products.matmul,
    contract._einsum: products.einsum,
    conv._conv: convolution.conv,
    conv._conv_transpose: convolution.conv_transpose,
    conv._conv_weight: convolution.conv_weight,
    pool._max_pool: pools.max_pool,
    pool._max_unpool: pools.max_unpool,
    pool._at_maxima: pools.at_maxima,
    pool._avg_pool: pools.avg_pool,
    pool._avg_unpool: pools.avg_unpool,
}


def install(on: bool = True) -> None:
    """Let the quicker functions run, and one rule that minds the order of memory; or the definitions."""
    for primitive, function in QUICKER.items():
        primitive.function = function if on else primitive.definition
    contract._matmul.defvjp(contract.left_rule, products.right_rule if on else contract.right_rule)
