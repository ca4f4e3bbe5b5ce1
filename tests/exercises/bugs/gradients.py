"""Chapter 2: right values, wrong derivatives."""

from __future__ import annotations

from typing import Any

import numpy as np

import minitensor as mt
from minitensor import Tensor, fold, pad, primitive
from minitensor.checks import per_axis
from minitensor.tensor import Array

from ..engine import Bug, Engine
from .rules import with_rules


def one_window_after_the_other(engine: Engine) -> None:
    x, w = engine.tensor([[[1.0, 2.0, 3.0, 4.0]]]), engine.tensor([[[1.0, 10.0]]])
    dx, dw = engine.gradients(engine.conv1d(x, w), [x, w])
    assert dx.data.tolist() == [[[1, 11, 11, 10]]]
    assert dw.data.tolist() == [[[6, 9]]]


def a_square_kernel(engine: Engine) -> None:
    x, w = engine.tensor(np.arange(9.0).reshape(1, 1, 3, 3)), engine.tensor(np.ones((1, 1, 2, 2)))
    (dw,) = engine.gradients(engine.conv2d(x, w), [w])
    assert dw.data.tolist() == [[[[8, 12], [20, 24]]]]


def a_bias_of_one_image(engine: Engine) -> None:
    x, w, b = engine.tensor([[[5.0]]]), engine.tensor([[[1.0]]]), engine.tensor([0.0])
    (db,) = engine.gradients(engine.conv1d(x, w, b), [b])
    assert db.data.tolist() == [1]


def softmax_of_equals(engine: Engine) -> None:
    x = engine.tensor([0.0, 0.0])
    y = engine.softmax(x)
    assert y.data.tolist() == [0.5, 0.5]
    (dx,) = engine.gradients(y[0], [x])
    assert dx.data[0] == 0.25


def take_two(engine: Engine) -> None:
    x = engine.tensor([1.0, 2.0, 3.0])
    (dx,) = engine.gradients(engine.take(x, [0, 2]), [x])
    assert dx.data.tolist() == [1, 0, 1]


def tanh_at_0(engine: Engine) -> None:
    x = engine.tensor([0.0, 1.0])
    (dx,) = engine.gradients(engine.tanh(x), [x])
    assert dx.data[0] == 1
    assert abs(dx.data[1] - (1 - np.tanh(1) ** 2)) < 1e-12


def a_batch_of_vectors(engine: Engine) -> None:
    x, w = engine.tensor([[1.0, 2.0]]), engine.tensor([[1.0, 1.0], [0.0, 1.0]])
    (dw,) = engine.gradients(engine.dense(x, w), [w])
    assert dw.data.tolist() == [[1, 2], [1, 2]]


def one_image_and_its_label(engine: Engine) -> None:
    x = engine.tensor([[0.0, 0.0]])
    (dx,) = engine.gradients(engine.cross_entropy(x, [1]), [x])
    assert dx.data.tolist() == [[0.5, -0.5]]


def normalized_is_normal(engine: Engine) -> None:
    y = engine.batch_norm([[1.0], [3.0]], [1.0], [5.0])
    assert abs(y.data.mean() - 5) < 1e-12


def only_the_first_plane(right: Tensor, g: Tensor, x: Tensor, w: Tensor, b: Any = None, **settings: Any) -> Tensor:
    return right * (np.arange(x.shape[1]) == 0).astype(float).reshape(-1, 1)


def col2im_with_stride_1(right: Tensor, g: Tensor, x: Tensor, w: Tensor, b: Any = None, **settings: Any) -> Tensor:
    """Lays the patches back one beside the other, however far apart they were taken."""
    (p,), (d,) = (
        per_axis("padding", settings.get("padding", 0), 1),
        per_axis("dilation", settings.get("dilation", 1), 1),
    )
    patches = mt.einsum("now,oci->ncwi", g, w)
    span = g.shape[2] - 1 + d * (w.shape[2] - 1) + 1
    laid = fold(patches, span, stride=1, dilation=d)
    return pad(laid, ((0, 0), (0, 0), (0, x.shape[2] + 2 * p - span)))[:, :, p : p + x.shape[2]]


def padding_stays_on(right: Tensor, g: Tensor, x: Tensor, w: Tensor, b: Any = None, **settings: Any) -> Tensor:
    """The gradient of the padded input, cut to length at its end."""
    (p,) = per_axis("padding", settings.get("padding", 0), 1)
    padded = pad(x, ((0, 0), (0, 0), (p, p)))
    (whole,) = mt.gradients(mt.conv1d(padded, w, **{**settings, "padding": 0}), [padded], g)
    return whole[:, :, : x.shape[2]]


def the_rest_in_front(right: Tensor, g: Tensor, x: Tensor, w: Tensor, b: Any = None, **settings: Any) -> Tensor:
    """What no window reached is put before the gradient, not behind it."""
    one = {name: per_axis(name, settings.get(name, 0 if name == "padding" else 1), 1)[0] for name in SETTINGS}
    rest = (x.shape[2] + 2 * one["padding"] - one["dilation"] * (w.shape[2] - 1) - 1) % one["stride"]
    n = x.shape[2]
    return pad(right, ((0, 0), (0, 0), (rest, 0)))[:, :, :n] if rest else right


SETTINGS = ("stride", "padding", "dilation")


def height_for_width(right: Tensor, g: Tensor, x: Tensor, w: Tensor, b: Any = None, **settings: Any) -> Tensor:
    """Loops over kH columns, however many there are."""
    return right * (np.arange(w.shape[3]) < w.shape[2]).astype(float)


def without_groups(right: Tensor, g: Tensor, x: Tensor, w: Tensor, b: Any = None, **settings: Any) -> Tensor:
    """Every kernel is compared with the channels of the first group."""
    groups, c = settings.get("groups", 1), w.shape[1]
    first = mt.concatenate([x[:, :c]] * groups, axis=1)
    return mt.gradients(mt.conv2d(first, w, **settings), [w], g)[0]


@primitive
def take(x: Array, *, places: tuple[int, ...]) -> Array:
    return x[list(places)]


@primitive
def put(g: Array, *, size: int, places: tuple[int, ...]) -> Array:
    total = np.zeros((size, *g.shape[1:]), g.dtype)
    total[list(places)] = g  # the last one wins
    return total


take.defvjp(lambda g, out, x, *, places: put(g, size=x.shape[0], places=places))
put.defvjp(lambda h, out, g, *, size, places: take(h, places=places))


def dot_for_outer(right: Tensor, g: Tensor, x: Tensor, w: Tensor, b: Any = None) -> Tensor:
    """The product g.T @ x, which for a single vector is one number."""
    return right if x.ndim > 1 else mt.broadcast_to(mt.matmul(g, x), w.shape)


def variance_as_constant(x: Any, scale: Any, shift: Any, eps: float = 1e-5) -> Tensor:
    x = mt.as_tensor(x)
    others = (0, *range(2, x.ndim))
    centred = x - x.mean(others, keepdims=True)
    deviation = (x.var(others, keepdims=True) + eps).sqrt().detach()
    per_channel = (-1, *(1,) * (x.ndim - 2))
    return centred / deviation * mt.as_tensor(scale).reshape(per_channel) + mt.as_tensor(shift).reshape(per_channel)


BUGS = [
    Bug(
        "last index wins",
        "An element that is taken twice gets one of its gradients.",
        "HIPS/autograd pull request 136; pymc-devs/pytensor pull request 2242",
        take_two,
        {"take": lambda x, places: take(x, places=tuple(places))},
    ),
    Bug(
        "bias of the first image",
        "The gradient of the bias is that of the first image, not the sum over the batch.",
        "mlpack/mlpack pull request 3679",
        a_bias_of_one_image,
        {"conv1d": with_rules(mt.conv1d, {2: lambda right, g, *xs, **s: g[0].sum(axis=1)})},
    ),
    Bug(
        "bias averaged",
        "The gradient of the bias is a mean where it is a sum.",
        "kvfrans/notes issue 5",
        a_bias_of_one_image,
        {"conv1d": with_rules(mt.conv1d, {2: lambda right, g, *xs, **s: g.mean(axis=(0, 2))})},
    ),
    Bug(
        "dW averaged",
        "The gradient of the kernel is divided by the number of images, which is the loss's business.",
        "sebgao/cTensor issue 3",
        one_window_after_the_other,
        {"conv1d": with_rules(mt.conv1d, {1: lambda right, g, x, *xs, **s: right / x.shape[0]})},
    ),
    Bug(
        "first plane only",
        "Only the first input channel gets a gradient; the others get 0.",
        "soumith/cudnn.torch issue 28",
        one_window_after_the_other,
        {"conv1d": with_rules(mt.conv1d, {0: only_the_first_plane})},
    ),
    Bug(
        "stride left out",
        "On the way back the windows lie one beside the other, whatever the stride.",
        "Kulbear/deep-learning-coursera pull request 34; enggen/Deep-Learning-Coursera issue 7",
        one_window_after_the_other,
        {"conv1d": with_rules(mt.conv1d, {0: col2im_with_stride_1})},
    ),
    Bug(
        "padding not cropped",
        "The gradient of the padded input is cut to the input's length at the wrong end.",
        "PKUFlyingPig/CMU10-714 issue 6: a gradient of 17 x 17 for an image of 16 x 16",
        one_window_after_the_other,
        {"conv1d": with_rules(mt.conv1d, {0: padding_stays_on})},
    ),
    Bug(
        "rest in front",
        "Where the stride leaves a rest, the gradient of the input is moved by it.",
        "flagos-ai/FlagGems pull request 1576",
        one_window_after_the_other,
        {"conv1d": with_rules(mt.conv1d, {0: the_rest_in_front})},
    ),
    Bug(
        "height for width",
        "The gradient of the kernel has zeros beyond a square.",
        "Maratyszcza/NNPACK issue 15; mlpack/mlpack pull request 3376",
        a_square_kernel,
        {"conv2d": with_rules(mt.conv2d, {1: height_for_width})},
    ),
    Bug(
        "dW without groups",
        "The gradient of the kernel compares every group with the channels of the first.",
        "pytorch/pytorch issue 51430",
        a_square_kernel,
        {"conv2d": with_rules(mt.conv2d, {1: without_groups})},
    ),
    Bug(
        "diagonal of softmax",
        "The rule is s (1 - s), as if each output knew of its own input alone.",
        "deeplearning4j/libnd4j issue 440",
        softmax_of_equals,
        {
            "softmax": lambda x, axis=-1: with_rules(
                lambda x: mt.softmax(x, axis),
                {0: lambda right, g, x: g * mt.softmax(x, axis) * (1 - mt.softmax(x, axis))},
            )(x)
        },
    ),
    Bug(
        "arriving gradient forgotten",
        "The rule returns the derivative and does not multiply by the gradient that arrived: right if tanh comes last.",
        "pytorch/pytorch issue 995",
        tanh_at_0,
        {"tanh": with_rules(mt.tanh, {0: lambda right, g, x: 1 - mt.tanh(x) ** 2})},
    ),
    Bug(
        "divided twice",
        "The loss is a mean over the batch, and its gradient is divided by the batch once more.",
        "fetchai/ledger pull request 1580; TreB1eN/InsightFace_Pytorch issue 22",
        one_image_and_its_label,
        {
            "cross_entropy": lambda x, labels: with_rules(
                lambda x: mt.cross_entropy(x, labels), {0: lambda right, g, x: right / x.shape[0]}
            )(x)
        },
    ),
    Bug(
        "dot for outer",
        "For a vector instead of a batch, the gradient of the weights is one number.",
        "harvard-edge/cs249r_book pull request 1781; facebookresearch/CrypTen pull request 140",
        a_batch_of_vectors,
        {"dense": with_rules(mt.dense, {1: dot_for_outer})},
    ),
    Bug(
        "variance as a constant",
        "Batch normalization does not differentiate the variance that it divides by.",
        "abhiskk/ladder issue 2; pjreddie/darknet issue 1723",
        normalized_is_normal,
        {"batch_norm": variance_as_constant},
    ),
    Bug(
        "cut at order 2",
        "The rule is right and has no recipe: the second derivative comes out as 0.",
        "pytorch/pytorch issue 99523",
        tanh_at_0,
        {"tanh": with_rules(mt.tanh, {0: lambda right, g, x: g * (1 - mt.tanh(x) ** 2).detach()})},
    ),
]
