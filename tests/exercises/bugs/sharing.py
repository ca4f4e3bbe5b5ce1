"""Chapter 4: parameters shared wrongly, and wires that should not be there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import minitensor as mt
import nets
from minitensor import Tensor
from minitensor.tensor import as_tensors

from ..engine import Bug, Engine
from .rules import with_rules


def one_channel_with_a_bias(engine: Engine) -> None:
    y = engine.conv1d([[[1.0, 2.0]]], [[[3.0]]], [10.0])
    assert y.data.tolist() == [[[13, 16]]]


def a_kernel_for_each_place(engine: Engine) -> None:
    y = engine.locally_connected1d([[[1.0, 2.0, 3.0]]], [[[[1.0, 0.0], [0.0, 1.0]]]])
    assert y.data.tolist() == [[[1, 3]]]


def one_image(engine: Engine) -> None:
    x, w = engine.tensor([[[1.0, 2.0, 3.0]]]), engine.tensor([[[1.0, 1.0]]])
    (dw,) = engine.gradients(engine.conv1d(x, w), [w])
    assert dw.data.tolist() == [[[3, 5]]]


def each_channel_by_itself(engine: Engine) -> None:
    y = engine.conv1d([[[1.0], [2.0]]], [[[3.0]], [[5.0]]], groups=2)
    assert y.data.tolist() == [[[3], [10]]]


def a_layer_of_lenet(engine: Engine) -> None:
    assert engine.conv_parameters(1, 6, 5) == 36
    assert engine.conv_parameters(6, 16, 5, bias=False) == 480


def two_layers(engine: Engine) -> None:
    assert engine.count_parameters(nets.Sequential(nets.Dense(3, 2), nets.Dense(2, 1))) == 11


def one_step_downhill(engine: Engine) -> None:
    layer = nets.Dense(1, 1).astype(np.float64)
    before = layer.weight.item()
    engine.sgd_step(layer, [Tensor([[2.0]]), Tensor([0.0])], 0.5)
    assert layer.weight.item() == before - 1


def first_bias_for_all(x: Any, w: Any, b: Any = None, **settings: Any) -> Tensor:
    """A bias of one number, stretched over all channels."""
    y = mt.conv1d(x, w, **settings)
    return y if b is None else y + mt.as_tensor(b)[0]


def bias_of_the_image(x: Any, w: Any, b: Any = None, **settings: Any) -> Tensor:
    """b[n] for b[o]: the wrong loop variable in the brackets."""
    y = mt.conv1d(x, w, **settings)
    return y if b is None else y + mt.as_tensor(b)[np.arange(y.shape[0]) % y.shape[1]].reshape(-1, 1, 1)


def bias_left_out_with_groups(x: Any, w: Any, b: Any = None, *, groups: int = 1, **settings: Any) -> Tensor:
    return mt.conv1d(x, w, b if groups == 1 else None, groups=groups, **settings)


def groups_interleaved(x: Any, w: Any, b: Any = None, *, groups: int = 1, **settings: Any) -> Tensor:
    """The outputs come as first of each group, second of each group, ..., not group by group."""
    y = mt.conv1d(x, w, b, groups=groups, **settings)
    return y[:, np.arange(y.shape[1]).reshape(groups, -1).T.ravel()]


def channels_read_as_places(x: Any, w: Any, b: Any = None, **settings: Any) -> Tensor:
    """The kernels (O, C, W', k) read as if they had been laid down as (O, W', C, k)."""
    x, w = as_tensors(x, w)
    o, c, places, k = w.shape
    return mt.locally_connected1d(x, w.reshape(o, places, c, k).transpose(0, 2, 1, 3), b, **settings)


def last_image_only(right: Tensor, g: Tensor, x: Tensor, w: Tensor, b: Any = None, **settings: Any) -> Tensor:
    """The buffer for dw is begun anew for each image."""
    return mt.gradients(mt.conv1d(x[-1:], w, **settings), [w], g[-1:])[0]


def parameters_without_groups(c: int, o: int, k: int, groups: int = 1, bias: bool = True) -> int:
    return o * c * k + (o if bias else 0)


def parameters_divided_twice(c: int, o: int, k: int, groups: int = 1, bias: bool = True) -> int:
    return o * (c // groups) * k // groups + (o if bias else 0)


def count_each_use(model: nets.Module) -> int:
    return sum(
        value.size for _, module in model.modules() for value in vars(module).values() if isinstance(value, Tensor)
    )


def step_for_each_use(model: nets.Module, gradients: Sequence[Tensor], rate: float) -> None:
    """Every module moves its own parameters; what two of them hold moves twice."""
    slope = dict(zip(model.parameters(), gradients, strict=True))
    uses = [v for _, module in model.modules() for v in vars(module).values() if isinstance(v, Tensor)]
    model.replace({p: (p - rate * uses.count(p) * g).detach() for p, g in slope.items()})


def step_unties(model: nets.Module, gradients: Sequence[Tensor], rate: float) -> None:
    """Every module gets a new Tensor of its own."""
    slope = dict(zip(model.parameters(), gradients, strict=True))
    for _, module in list(model.modules()):
        for name, value in list(vars(module).items()):
            if isinstance(value, Tensor):
                setattr(module, name, (value - rate * slope[value]).detach())


BUGS = [
    Bug(
        "first bias for all",
        "The first number of the bias is added to every channel.",
        "sonots/cumo pull request 443",
        one_channel_with_a_bias,
        {"conv1d": first_bias_for_all},
    ),
    Bug(
        "bias of the image",
        "The bias is looked up by the number of the image where it should be that of the channel.",
        "kraiskil/onnx2c issue 7",
        one_channel_with_a_bias,
        {"conv1d": bias_of_the_image},
    ),
    Bug(
        "bias dropped",
        "A grouped convolution leaves its bias out.",
        "soumith/cudnn.torch pull request 36",
        one_channel_with_a_bias,
        {"conv1d": bias_left_out_with_groups},
    ),
    Bug(
        "channels read as places",
        "The kernels of a locally connected layer are read with the axes of channel and place exchanged.",
        "keras-team/keras issue 14485",
        a_kernel_for_each_place,
        {"locally_connected1d": channels_read_as_places},
    ),
    Bug(
        "groups interleaved",
        "The output channels of the groups are shuffled into each other.",
        "uxlfoundation/oneDNN issue 352",
        each_channel_by_itself,
        {"conv1d": groups_interleaved},
    ),
    Bug(
        "last image only",
        "The gradient of the shared kernel has the share of the last image only, as = does for +=.",
        "LBANN/lbann pull request 1022",
        one_image,
        {"conv1d": with_rules(mt.conv1d, {1: last_image_only})},
    ),
    Bug(
        "count without groups",
        "A kernel of a grouped convolution is counted as if it read all channels.",
        "openvinotoolkit/nncf pull request 964",
        a_layer_of_lenet,
        {"conv_parameters": parameters_without_groups},
    ),
    Bug(
        "count divided twice",
        "The number of weights, which knows of the groups already, is divided by them once more.",
        "Ldpe2G/DeepLearningForFun issue 4; pytorch/pytorch pull request 105613",
        a_layer_of_lenet,
        {"conv_parameters": parameters_divided_twice},
    ),
    Bug(
        "shared counted twice",
        "A layer that is used in two places is counted in both.",
        "sksq96/pytorch-summary issues 37 and 201; TylerYep/torchinfo pull request 397",
        two_layers,
        {"count_parameters": count_each_use},
    ),
    Bug(
        "shared moved twice",
        "A step of gradient descent moves a shared parameter once for each of its places.",
        "torch/torch7 issue 716; torch/nn issue 395",
        one_step_downhill,
        {"sgd_step": step_for_each_use},
    ),
    Bug(
        "untied",
        "After a step the two places have equal parameters, which are no longer one.",
        "huggingface/accelerate pull request 1204",
        one_step_downhill,
        {"sgd_step": step_unties},
    ),
]
