"""Chapter 3: layers that do not move with the picture, or move it to another place."""

from __future__ import annotations

from typing import Any

import numpy as np

import minitensor as mt
from minitensor import Tensor
from minitensor.checks import per_axis
from minitensor.tensor import as_tensors

from ..engine import Bug, Engine


def a_blur(engine: Engine) -> None:
    y = engine.conv2d(np.arange(16.0).reshape(1, 1, 4, 4), np.ones((1, 1, 3, 3)))
    assert y.data.tolist() == [[[[45, 54], [81, 90]]]]


def a_blur_with_a_margin(engine: Engine) -> None:
    y = engine.conv2d(np.ones((1, 1, 3, 3)), np.ones((1, 1, 3, 3)), padding=1)
    assert y.data.tolist() == [[[[4, 6, 4], [6, 9, 6], [4, 6, 4]]]]


def every_second_pixel(engine: Engine) -> None:
    y = engine.conv2d(np.arange(16.0).reshape(1, 1, 4, 4), np.ones((1, 1, 1, 1)), stride=2)
    assert y.data.tolist() == [[[[0, 2], [8, 10]]]]


def a_ring(engine: Engine) -> None:
    y = engine.conv1d([[[0.0, 1.0, 0.0]]], [[[1.0, 1.0, 1.0]]], padding=1, padding_mode="circular")
    assert y.data.tolist() == [[[1, 1, 1]]]


def a_torus(engine: Engine) -> None:
    y = engine.conv2d(np.ones((1, 1, 3, 3)), np.ones((1, 1, 3, 3)), padding=1, padding_mode="circular")
    assert y.data.tolist() == [[[[9, 9, 9]] * 3]]


def two_kernels_take_turns(engine: Engine) -> None:
    y = engine.tiled_conv1d([[[1.0, 2.0]]], np.array([1.0, 10.0]).reshape(1, 1, 2, 1))
    assert y.data.tolist() == [[[1, 20]]]


def flipped(x: Any, w: Any, b: Any = None, **settings: Any) -> Tensor:
    """Convolution as mathematics has it."""
    x, w = as_tensors(x, w)
    return mt.conv2d(x, w[:, :, ::-1, ::-1], b, **settings)


def transposed(x: Any, w: Any, b: Any = None, **settings: Any) -> Tensor:
    """The kernel's rows read as columns, where that fits."""
    x, w = as_tensors(x, w)
    return mt.conv2d(x, w.transpose(0, 1, 3, 2) if w.shape[2] == w.shape[3] else w, b, **settings)


def strides_exchanged(x: Any, w: Any, b: Any = None, *, stride: Any = 1, **settings: Any) -> Tensor:
    return mt.conv2d(x, w, b, stride=per_axis("stride", stride, 2)[::-1], **settings)


def dilation_of_the_rows(x: Any, w: Any, b: Any = None, *, dilation: Any = 1, **settings: Any) -> Tensor:
    return mt.conv2d(x, w, b, dilation=per_axis("dilation", dilation, 2)[0], **settings)


def margin_at_the_end(x: Any, w: Any, b: Any = None, *, padding: Any = 0, **settings: Any) -> Tensor:
    """At most one cell in front, the others behind: the usual padding of 1 is still right."""
    x, w = as_tensors(x, w)
    if settings.get("padding_mode", "zeros") != "zeros":
        return mt.conv2d(x, w, b, padding=padding, **settings)
    widths = [(min(p, 1), 2 * p - min(p, 1)) for p in per_axis("padding", padding, 2)]
    return mt.conv2d(mt.pad(x, [(0, 0), (0, 0), *widths]), w, b, **settings)


def no_circle(x: Any, w: Any, b: Any = None, *, padding_mode: str = "zeros", **settings: Any) -> Tensor:
    return mt.conv1d(x, w, b, **settings)


def circle_on_the_other_axis(x: Any, w: Any, b: Any = None, *, padding_mode: str = "zeros", **settings: Any) -> Tensor:
    if padding_mode == "circular":
        settings["padding"] = per_axis("padding", settings.get("padding", 0), 2)[::-1]
    return mt.conv2d(x, w, b, padding_mode=padding_mode, **settings)


def capped_by_channels(x: Any, w: Any, b: Any = None, **settings: Any) -> Tensor:
    """The loop over the columns ends at the number of channels plus one: the rest stays 0."""
    y = mt.conv2d(x, w, b, **settings)
    return y * (np.arange(y.shape[3]) <= y.shape[1]).astype(float)


def margin_of_the_first_image(x: Any, w: Any, b: Any = None, **settings: Any) -> Tensor:
    """The last column of the first image is put into all images."""
    x, w = as_tensors(x, w)
    first = mt.concatenate([x[:1, :, :, -1:]] * x.shape[0])
    return mt.conv2d(mt.concatenate([x[:, :, :, :-1], first], axis=3), w, b, **settings)


def reshaped_for_transposed(x: Any, w: Any, b: Any = None, **settings: Any) -> Tensor:
    """(n, places, channels) made into (n, channels, places) by reshape, which keeps the order of the numbers."""
    y = mt.conv2d(x, w, b, **settings)
    return y.transpose(0, 2, 3, 1).reshape(y.shape)


def repeated_for_tiled(x: Any, w: Any, b: Any = None, **settings: Any) -> Tensor:
    """Kernels a b over four places: a a b b instead of a b a b."""
    x, w = as_tensors(x, w)
    t = w.shape[2]
    places = mt.tiled_conv1d(x, w, **settings).shape[2]
    order = np.arange(places) * t // max(places, t)
    b = None if b is None else mt.as_tensor(b)[:, order]
    return mt.locally_connected1d(x, w[:, :, order], b, **settings)


BUGS = [
    Bug(
        "no circle",
        'padding_mode="circular" is accepted, and the margin is filled with zeros.',
        "pytorch/pytorch issue 29712",
        a_ring,
        {"conv1d": no_circle},
    ),
    Bug(
        "flipped",
        "The kernel is flipped before it slides.",
        "keras-team/keras issue 3015; hi-abhi/tensorflow-value-iteration-networks issue 2",
        a_blur,
        {"conv2d": flipped},
    ),
    Bug(
        "transposed kernel",
        "A square kernel is read with rows and columns exchanged.",
        "torch/cunn pull request 470; apple/tensorflow_macos issue 230",
        a_blur,
        {"conv2d": transposed},
    ),
    Bug(
        "circle on the other axis",
        "A circular margin (a, b) goes round b rows and a columns.",
        "pytorch/pytorch issue 37844",
        a_torus,
        {"conv2d": circle_on_the_other_axis},
    ),
    Bug(
        "strides exchanged",
        "A stride (a, b) takes steps of b rows and a columns.",
        "mlpack/mlpack issue 4050; pytorch/pytorch pull request 187760",
        every_second_pixel,
        {"conv2d": strides_exchanged},
    ),
    Bug(
        "dilation of the rows",
        "The columns are dilated as far as the rows.",
        "tenstorrent/tt-metal pull request 19542; uxlfoundation/oneDNN issue 205",
        a_blur,
        {"conv2d": dilation_of_the_rows},
    ),
    Bug(
        "margin at the end",
        "A margin of more than one cell is put behind the image, so that the result is moved.",
        "taehoonlee/tensornets issue 25; vtjeng/MIPVerify.jl pull request 23",
        a_blur_with_a_margin,
        {"conv2d": margin_at_the_end},
    ),
    Bug(
        "first image in all",
        "The last column of every image in the batch is that of the first.",
        "hiroharu-kato/neural_renderer pull request 15",
        a_blur,
        {"conv2d": margin_of_the_first_image},
    ),
    Bug(
        "reshape for transpose",
        "Channels and places are exchanged with reshape, which mixes them as soon as there are two of each.",
        "leaderj1001/Attention-Augmented-Conv2d issue 21; zhouhaoyi/Informer2020 issue 59",
        a_blur,
        {"conv2d": reshaped_for_transposed},
    ),
    Bug(
        "capped by channels",
        "A loop over the columns has the number of channels in its bound; beyond it all is 0.",
        "neuronika/neuronika issue 86",
        a_blur,
        {"conv2d": capped_by_channels},
    ),
    Bug(
        "repeat for tile",
        "Two kernels over four places go a a b b where they should take turns, a b a b.",
        "Theano/Theano issue 6297",
        two_kernels_take_turns,
        {"tiled_conv1d": repeated_for_tiled},
    ),
]
