"""Bugs that nobody is shown: `grade` counts how many of them a property sees that was written against the others.

They are of the same kinds as the bugs of their chapter, at another place; the reference solutions see them all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import minitensor as mt
import nets
from minitensor import Tensor, sizes
from minitensor.tensor import as_tensors

from ..engine import Bug, Engine, Function
from .rules import with_rules

OURS = "none: held out"


def nothing(engine: Engine) -> None:
    """No example is shown."""


def held_out(name: str, wrong: str, changes: dict[str, Function]) -> Bug:
    return Bug(name, wrong, OURS, nothing, changes)


def one_margin(n: int, k: int, stride: int = 1, padding: int = 0, dilation: int = 1, ceil_mode: bool = False) -> int:
    return sizes.conv_output_size(n + padding, k, stride, 0, dilation, ceil_mode)


def transpose_keeps_margin(
    n: int, k: int, stride: int = 1, padding: int = 0, output_padding: int = 0, dilation: int = 1
) -> int:
    return sizes.conv_transpose_output_size(n, k, stride, 0, output_padding, dilation)


def last_stride_counts(layers: Sequence[Sequence[int]]) -> int:
    """The stride of a layer widens its own kernel, where it widens those behind it."""
    field, jump = 1, 1
    for k, stride, *rest in layers:
        jump *= stride
        field += (k - 1) * (rest or [1])[0] * jump
    return field


def flipped_in_dw(right: Tensor, g: Tensor, x: Tensor, w: Tensor, b: Any = None, **settings: Any) -> Tensor:
    return right[:, :, ::-1]


def first_image_dx(right: Tensor, g: Tensor, x: Tensor, w: Tensor, b: Any = None, **settings: Any) -> Tensor:
    return right * (np.arange(x.shape[0]) == 0).astype(float).reshape(-1, 1, 1)


def turned(x: Any, w: Any, b: Any = None, **settings: Any) -> Tensor:
    x, w = as_tensors(x, w)
    return mt.conv2d(x, w[:, :, ::-1], b, **settings)


def channels_in_a_ring(x: Any, w: Any, b: Any = None, **settings: Any) -> Tensor:
    y = mt.conv2d(x, w, b, **settings)
    return y[:, [*range(1, y.shape[1]), 0]]


def last_row_lost(x: Any, w: Any, b: Any = None, **settings: Any) -> Tensor:
    y = mt.conv2d(x, w, b, **settings)
    rows = y.shape[2]
    return y * (np.arange(rows) < max(rows - 1, 1)).astype(float).reshape(-1, 1)


def bias_twice(x: Any, w: Any, b: Any = None, **settings: Any) -> Tensor:
    return mt.conv1d(x, w, None if b is None else 2 * mt.as_tensor(b), **settings)


def neighbours_kernel(x: Any, w: Any, b: Any = None, **settings: Any) -> Tensor:
    x, w = as_tensors(x, w)
    places = w.shape[2]
    return mt.locally_connected1d(x, w[:, :, [*range(1, places), 0]], b, **settings)


def no_bias_counted(c: int, o: int, k: int, groups: int = 1, bias: bool = True) -> int:
    return o * (c // groups) * k


def step_uphill(model: nets.Module, gradients: Sequence[Tensor], rate: float) -> None:
    model.replace({p: (p + rate * g).detach() for p, g in zip(model.parameters(), gradients, strict=True)})


def smallest(x: Any, k: Any, **settings: Any) -> Tensor:
    return -mt.max_pool1d(-mt.as_tensor(x), k, **settings)


def mean_not_divided(x: Any, k: int, **settings: Any) -> Tensor:
    return k * mt.avg_pool1d(x, k, **settings)


def last_of_the_run(x: Any, pieces: int, axis: int = 1) -> Tensor:
    return mt.as_tensor(x)[:, pieces - 1 :: pieces]


def twice_at_the_output(output: Tensor, wrt: Sequence[Tensor], seed: Any = None) -> list[Tensor]:
    return [2 * g if x in output.inputs else g for x, g in zip(wrt, mt.gradients(output, wrt, seed), strict=True)]


def product_rule_exchanged(right: Tensor, g: Tensor, x: Tensor, y: Tensor) -> Tensor:
    return g * x


HELD_OUT: dict[str, list[Bug]] = {
    "sizes": [
        held_out("one margin", "The padding is added once, not on both sides.", {"conv_output_size": one_margin}),
        held_out("margin kept", "padding makes no difference.", {"conv_transpose_output_size": transpose_keeps_margin}),
        held_out("stride too early", "A stride widens its own layer.", {"receptive_field": last_stride_counts}),
    ],
    "gradients": [
        held_out("dw flipped", "dw is flipped.", {"conv1d": with_rules(mt.conv1d, {1: flipped_in_dw})}),
        held_out("dx of one image", "Only one image gets dx.", {"conv1d": with_rules(mt.conv1d, {0: first_image_dx})}),
        held_out(
            "tanh without the square",
            "The rule is g (1 - tanh x).",
            {"tanh": with_rules(mt.tanh, {0: lambda right, g, x: g * (1 - mt.tanh(x))})},
        ),
    ],
    "equivariance": [
        held_out("upside down", "The kernel's rows are reversed.", {"conv2d": turned}),
        held_out("channels moved", "Each output channel is its neighbour.", {"conv2d": channels_in_a_ring}),
        held_out("last row lost", "The last row of the output is 0.", {"conv2d": last_row_lost}),
    ],
    "sharing": [
        held_out("bias twice", "The bias is added twice.", {"conv1d": bias_twice}),
        held_out(
            "the neighbour's kernel", "A place has its neighbour's kernel.", {"locally_connected1d": neighbours_kernel}
        ),
        held_out("no bias counted", "Biases are not counted.", {"conv_parameters": no_bias_counted}),
        held_out("uphill", "A step goes uphill.", {"sgd_step": step_uphill}),
    ],
    "pooling": [
        held_out("the smallest", "It takes the smallest.", {"max_pool1d": smallest}),
        held_out("not divided", "A mean that is a sum.", {"avg_pool1d": mean_not_divided}),
        held_out("the last of the run", "maxout takes the last of each run.", {"maxout": last_of_the_run}),
    ],
    "engine": [
        held_out(
            "twice at the output", "The inputs of the output get twice their share.", {"gradients": twice_at_the_output}
        ),
        held_out(
            "the other factor",
            "The rule of a product takes the wrong factor.",
            {"multiply": with_rules(mt.multiply, {0: product_rule_exchanged})},
        ),
    ],
}
