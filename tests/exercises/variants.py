"""Legal variants: engines that differ from minitensor where its contract leaves the choice.

Properties are written for all of them.  What the contract promises, for the exercises: sums and products of small whole
numbers are exact; other results may differ in their last digits; a tie in a max pool may send its gradient to any of
the largest cells, or share it among them; errors are ValueErrors, in any words; random numbers may be used in any
order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import minitensor as mt
from minitensor import Tensor, as_tensor, sizes, windows
from minitensor.tensor import Array, as_tensors

from .bugs.rules import passed_on, with_rules
from .engine import ENGINE, Function, Variant


def max_pool_with(share: Callable[[Array], Array]) -> Function:
    """max_pool1d, with a rule that splits a window's gradient as `share` says of the mask of its largest cells."""

    def pool(x: Any, k: int, *, stride: int | None = None, padding: int = 0, **settings: Any) -> Tensor:
        step = k if stride is None else stride

        def rule(right: Tensor, g: Tensor, x: Tensor) -> Tensor:
            padded = mt.pad(x, [(0, 0), (0, 0), (padding, padding)], constant_values=-np.inf)
            seen = windows(padded, k, step).data
            parts = share(seen == seen.max(axis=-1, keepdims=True))
            return mt.fold(g.reshape(*g.shape, 1) * parts, padded.shape[2], step)[:, :, padding : padding + x.shape[2]]

        rules = {} if settings else {0: rule}  # with a dilation or ceil_mode: as it is
        return with_rules(lambda x: mt.max_pool1d(x, k, stride=stride, padding=padding, **settings), rules)(x)

    return pool


def last(mask: Array) -> Array:
    """Only the last 1 along the last axis."""
    return (mask & (mask[..., ::-1].cumsum(axis=-1)[..., ::-1] == 1)).astype(float)


def equally(mask: Array) -> Array:
    return mask / mask.sum(axis=-1, keepdims=True)


def channels_backwards(convolution: Function) -> Function:
    def convolve(x: Any, w: Any, b: Any = None, **settings: Any) -> Tensor:
        x, w = as_tensors(x, w)
        if settings.get("groups", 1) == 1:
            x, w = x[:, ::-1], w[:, ::-1]
        return convolution(x, w, b, **settings)

    return convolve


def numpy_number(function: Function) -> Function:
    return lambda *args, **settings: np.int64(function(*args, **settings))


class DoesNotFit(ValueError):
    """An error of another engine."""


def in_other_words(function: Function) -> Function:
    def complain(*args: Any, **settings: Any) -> Any:
        try:
            return function(*args, **settings)
        except ValueError:
            raise DoesNotFit("no.") from None

    return complain


def mean_by_reciprocal(x: Any, k: int, **settings: Any) -> Tensor:
    return mt.avg_pool1d(as_tensor(x) * (1 / 3), k, **settings) * 3.0


def dropout_from_behind(x: Any, p: float, rng: np.random.Generator) -> Tensor:
    return mt.dropout(as_tensor(x)[::-1], p, rng)[::-1]


def one_more_operator(function: Function) -> Function:
    """function, and an operator behind it that passes everything on."""
    return lambda *args, **settings: passed_on(function(*args, **settings))


OF_TENSORS = (
    "add", "subtract", "multiply", "maximum", "mean", "tanh", "take", "softmax", "cross_entropy", "batch_norm",
    "dropout", "dense", "conv1d", "conv2d", "locally_connected1d", "tiled_conv1d", "max_pool1d", "max_pool2d",
    "avg_pool1d", "lp_pool1d", "maxout",
)  # fmt: skip
SIZES = ("conv_output_size", "conv_transpose_output_size", "same_padding", "receptive_field")

VARIANTS = [
    Variant(
        "ties to the last",
        "Which of two largest cells gets the gradient is a choice.",
        {"max_pool1d": max_pool_with(last)},
    ),
    Variant("ties shared", "Two largest cells may share the gradient.", {"max_pool1d": max_pool_with(equally)}),
    Variant(
        "another order of sums",
        "A sum of products may be taken in any order; its last digits may differ.",
        {"conv1d": channels_backwards(mt.conv1d), "conv2d": channels_backwards(mt.conv2d)},
    ),
    Variant(
        "other last digits",
        "A function of real numbers may be computed by another formula.",
        {
            "tanh": lambda x: 2 / (1 + (-2 * as_tensor(x)).exp()) - 1,
            "softmax": lambda x, axis=-1: mt.softmax(as_tensor(x) - 1.0, axis),
            "mean": lambda x, axis=None, keepdims=False: mt.mean(as_tensor(x) * (1 / 3), axis, keepdims) * 3.0,
            "avg_pool1d": mean_by_reciprocal,
            "lp_pool1d": lambda x, k, **settings: mt.lp_pool1d(as_tensor(x) * (1 / 3), k, **settings) * 3.0,
        },
    ),
    Variant(
        "NumPy numbers", "A size may be any kind of whole number.", {n: numpy_number(getattr(sizes, n)) for n in SIZES}
    ),
    Variant(
        "other words",
        "An error may be a special ValueError, and say what it likes.",
        {n: in_other_words(getattr(sizes, n)) for n in SIZES},
    ),
    Variant(
        "another recipe",
        "How an operator is put together is nobody's business: its recipe may have other parts, and other names.",
        {name: one_more_operator(getattr(ENGINE, name)) for name in OF_TENSORS},
    ),
    Variant(
        "another random order", "Dropout may use its random numbers in any order.", {"dropout": dropout_from_behind}
    ),
]
