"""Chapter 5: windows, maxima and means."""

from __future__ import annotations

from typing import Any

import numpy as np

import minitensor as mt
from minitensor import Tensor, as_tensor, windows
from minitensor.checks import per_axis
from minitensor.sizes import conv_output_size

from ..engine import Bug, Engine
from .rules import with_rules


def the_largest_of_two(engine: Engine) -> None:
    x = engine.tensor([[[1.0, 3.0, 2.0, 0.0]]])
    y = engine.max_pool1d(x, 2, stride=2)
    assert y.data.tolist() == [[[3, 2]]]
    assert engine.gradients(y, [x])[0].data.tolist() == [[[0, 1, 1, 0]]]


def with_a_margin(engine: Engine) -> None:
    y = engine.max_pool1d([[[1.0, 2.0, 3.0]]], 3, stride=1, padding=1)
    assert y.data.tolist() == [[[2, 3, 3]]]


def two_by_two(engine: Engine) -> None:
    y = engine.max_pool2d(np.arange(16.0).reshape(1, 1, 4, 4), 2, stride=2)
    assert y.data.tolist() == [[[[5, 7], [13, 15]]]]


def a_mean(engine: Engine) -> None:
    x = engine.tensor([[[1.0, 3.0, 2.0, 0.0]]])
    y = engine.avg_pool1d(x, 2, stride=2)
    assert y.data.tolist() == [[[2, 1]]]
    assert engine.gradients(y, [x])[0].data.tolist() == [[[0.5] * 4]]


def three_four_five(engine: Engine) -> None:
    assert engine.lp_pool1d([[[3.0, 4.0]]], 2).item() == 5


def one_piece(engine: Engine) -> None:
    assert engine.maxout([[1.0, 5.0]], 2).item() == 5


def step_by_one(x: Any, k: int, *, stride: Any = None, **settings: Any) -> Tensor:
    return mt.max_pool1d(x, k, stride=1 if stride is None else stride, **settings)


def margin_of_zeros(x: Any, k: int, *, stride: Any = None, padding: int = 0, **settings: Any) -> Tensor:
    padded = mt.pad(as_tensor(x), [(0, 0), (0, 0), (padding, padding)])
    return mt.max_pool1d(padded, k, stride=stride, **settings)


def axes_exchanged(x: Any, k: Any, **settings: Any) -> Tensor:
    return mt.max_pool2d(x, per_axis("k", k, 2)[::-1], **settings)


def stride_of_the_rows(x: Any, k: Any, *, stride: Any = None, **settings: Any) -> Tensor:
    step = per_axis("stride", k if stride is None else stride, 2)[0]
    return mt.max_pool2d(x, k, stride=step, **settings)


def winners(x: Tensor, k: int, stride: Any = None, padding: int = 0, **settings: Any) -> tuple[Any, int]:
    """1 for each cell of each window (n, c, w, i) that is as large as the largest, and the step between windows."""
    padded = mt.pad(x, [(0, 0), (0, 0), (padding, padding)], constant_values=-np.inf)
    seen = windows(padded, k, k if stride is None else stride).data
    return (seen == seen.max(axis=-1, keepdims=True)).astype(float), k if stride is None else stride


def assigned(right: Tensor, g: Tensor, x: Tensor, k: int, **settings: Any) -> Any:
    """Each window *sets* the gradient of its largest cell, so the last window that has it wins."""
    won, step = winners(x, k, **settings)
    dx = np.zeros((*x.shape[:2], x.shape[2] + 2 * settings.get("padding", 0)))
    for n, c, w in np.ndindex(won.shape[:3]):
        dx[n, c, w * step + won[n, c, w].argmax()] = g.data[n, c, w]
    p = settings.get("padding", 0)
    return dx[:, :, p : p + x.shape[2]]


def paid_twice(right: Tensor, g: Tensor, x: Tensor, k: int, **settings: Any) -> Any:
    """All cells that are as large as the largest get the whole gradient."""
    won, step = winners(x, k, **settings)
    p = settings.get("padding", 0)
    dx = mt.fold(g.data[..., None] * won, x.shape[2] + 2 * p, step)
    return dx[:, :, p : p + x.shape[2]]


def into_the_first_image(right: Tensor, g: Tensor, x: Tensor, *args: Any, **settings: Any) -> Any:
    """The index of the winner does not count the images before it."""
    dx = np.zeros(x.shape)
    dx[0] = right.data.sum(axis=0)
    return dx


def max_pool(rule: Any) -> Any:
    return lambda x, k, **settings: with_rules(
        lambda x: mt.max_pool1d(x, k, **settings), {0: lambda right, g, x: rule(right, g, x, k, **one_axis(settings))}
    )(x)


def one_axis(settings: dict[str, Any]) -> dict[str, Any]:
    return {name: settings[name] for name in ("stride", "padding") if settings.get(name) is not None}


def nan_loses(x: Any, k: int, **settings: Any) -> Tensor:
    """A running maximum `if value > best`, which is never true of NaN."""
    x = as_tensor(x)
    return mt.max_pool1d(mt.where(np.isnan(x.data), -np.inf, x), k, **settings)


def counts_its_margin(x: Any, k: int, *, count_include_pad: bool = True, **settings: Any) -> Tensor:
    return mt.avg_pool1d(x, k, **settings)


def divides_by_the_kernel(x: Any, k: int, *, ceil_mode: bool = False, stride: Any = None, **settings: Any) -> Tensor:
    """What a last window reaches beyond the margin is counted as zeros."""
    x, stride, p = as_tensor(x), k if stride is None else stride, settings.get("padding", 0)
    if not ceil_mode or not settings.get("count_include_pad", True):
        return mt.avg_pool1d(x, k, stride=stride, ceil_mode=ceil_mode, **settings)
    m = conv_output_size(x.shape[2], k, stride, p, ceil_mode=True)
    beyond = max(0, (m - 1) * stride + k - x.shape[2] - p)
    return mt.avg_pool1d(mt.pad(x, [(0, 0), (0, 0), (p, beyond)]), k, stride=stride)[:, :, :m]


def backward_by_the_kernel(x: Any, k: int, **settings: Any) -> Tensor:
    """Right means; on the way back every window divides by the whole kernel."""
    wide = {**settings, "count_include_pad": True}

    def rule(right: Tensor, g: Tensor, x: Tensor) -> Tensor:
        return mt.gradients(divides_by_the_kernel(x, k, **wide), [x], g)[0]

    return with_rules(lambda x: mt.avg_pool1d(x, k, **settings), {0: rule})(x)


def without_the_bars(x: Any, k: int, *, norm: float = 2, stride: Any = None) -> Tensor:
    """(sum of x^p)^(1/p), which is right for positive numbers, or an even p."""
    if norm % 2 == 0:
        return mt.lp_pool1d(x, k, norm=norm, stride=stride)
    total = mt.windows(as_tensor(x), k, k if stride is None else stride).sum(axis=-1) if norm == 1 else None
    powers = windows(as_tensor(x) ** norm, k, k if stride is None else stride).sum(axis=-1)
    return total if total is not None else mt.sign(powers) * mt.abs(powers) ** (1 / norm)


def every_other_channel(x: Any, pieces: int, axis: int = 1) -> Tensor:
    """Channels 0, m, 2m, ... compete, where 0, 1, 2, ... should."""
    x = as_tensor(x)
    return x.reshape(x.shape[0], pieces, -1, *x.shape[2:]).max(axis=1)


BUGS = [
    Bug(
        "steps by one",
        "Without a stride the windows lie one cell apart, not side by side.",
        "nntrainer/nntrainer issue 2144; distdl/distdl issue 203",
        the_largest_of_two,
        {"max_pool1d": step_by_one},
    ),
    Bug(
        "margin of zeros",
        "The margin of a max pool is 0, which wins against negative numbers.",
        "apache/mxnet issue 2753",
        with_a_margin,
        {"max_pool1d": margin_of_zeros},
    ),
    Bug(
        "NaN loses",
        "A NaN in the window is passed over, and the network never learns of it.",
        "pytorch/pytorch issue 7645; tensorflow/tensorflow issue 2501",
        the_largest_of_two,
        {"max_pool1d": nan_loses},
    ),
    Bug(
        "axes exchanged",
        "A window (a, b) is b high and a wide.",
        "dmlc/minerva issue 43; MPolaris/onnx2tflite pull request 57",
        two_by_two,
        {"max_pool2d": axes_exchanged},
    ),
    Bug(
        "stride of the rows",
        "The columns are counted with the stride of the rows.",
        "Maratyszcza/NNPACK issue 16: x * stride_height",
        two_by_two,
        {"max_pool2d": stride_of_the_rows},
    ),
    Bug(
        "assigned",
        "On the way back a window sets the gradient of its largest cell; it should add to it.",
        "FluxML/Flux.jl issue 1197; ahrefs/ocannl issue 512; ghosert/cmd-editor issue 2058",
        the_largest_of_two,
        {"max_pool1d": max_pool(assigned)},
    ),
    Bug(
        "paid twice",
        "Where two cells are the largest, both get the whole gradient.",
        "Theano/Theano issues 5248 and 5404",
        the_largest_of_two,
        {"max_pool1d": max_pool(paid_twice)},
    ),
    Bug(
        "into the first image",
        "The gradients of all images land in the first.",
        "tensorflow/tensorflow issue 2821",
        the_largest_of_two,
        {"max_pool1d": max_pool(into_the_first_image)},
    ),
    Bug(
        "counts its margin",
        "count_include_pad=False makes no difference.",
        "onnx/onnx issue 1384; apache/tvm issue 1144",
        a_mean,
        {"avg_pool1d": counts_its_margin},
    ),
    Bug(
        "divides by the kernel",
        "A last window that reaches beyond the margin is divided by the whole kernel.",
        "sonos/tract pull request 2851; root-project/root issue 22523",
        a_mean,
        {"avg_pool1d": divides_by_the_kernel},
    ),
    Bug(
        "backward by the kernel",
        "The means are right, but on the way back every window is divided by the whole kernel.",
        "pytorch/pytorch issue 198119; tracel-ai/cubek pull request 648",
        a_mean,
        {"avg_pool1d": backward_by_the_kernel},
    ),
    Bug(
        "without the bars",
        "The sum is of x^p, not of |x|^p.",
        "FluxML/NNlib.jl pull request 639; pytorch/pytorch issue 184037",
        three_four_five,
        {"lp_pool1d": without_the_bars},
    ),
    Bug(
        "every other channel",
        "The pieces of a maxout are channels that lie apart.",
        "keras-team/keras pull request 671; tensorflow/tensorflow pull request 5528, on mixing up axes in a reshape",
        one_piece,
        {"maxout": every_other_channel},
    ),
]
