"""What is tested: an `Engine` is a bag of functions, and a `Bug` or a `Variant` is one with some of them replaced.

A property gets its engine as an argument and uses nothing else of minitensor, so the right engine, a legal variant and
a wrong one can stand in for each other:

    def test_tanh_is_odd(engine, x):
        same(engine.tanh(-x), -engine.tanh(x).data)
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import minitensor as mt
import nets
from minitensor import Tensor, sizes

Function = Callable[..., Any]


def conv_parameters(in_channels: int, out_channels: int, kernel_size: int, groups: int = 1, bias: bool = True) -> int:
    """How many numbers a 1-d convolution learns: O (C / groups) k, and O more with a bias."""
    return out_channels * (in_channels // groups) * kernel_size + (out_channels if bias else 0)


def count_parameters(model: nets.Module) -> int:
    """How many numbers a model learns; what two layers share is learnt once."""
    return sum(parameter.size for parameter in model.parameters())


def sgd_step(model: nets.Module, gradients: Sequence[Tensor], rate: float) -> None:
    """One step of gradient descent: p - rate * g for each of model.parameters(), each of which stays shared."""
    model.replace({p: (p - rate * g).detach() for p, g in zip(model.parameters(), gradients, strict=True)})


@dataclass(frozen=True)
class Engine:
    """The functions that a property may use; the arguments and meaning are those of minitensor."""

    # 1 sizes
    conv_output_size: Function = sizes.conv_output_size  # (n, k, stride=1, padding=0, dilation=1, ceil_mode=False)
    conv_transpose_output_size: Function = sizes.conv_transpose_output_size  # (n, k, s, p, output_padding=0, dilation)
    same_padding: Function = sizes.same_padding  # (k, dilation=1)
    receptive_field: Function = sizes.receptive_field  # ([(k, stride, dilation), ...])
    # Tensors and their derivatives
    tensor: Function = Tensor  # (array)
    gradients: Function = mt.gradients  # (output, [x, ...], seed=None) -> [Tensor, ...]
    # operators
    add: Function = mt.add
    subtract: Function = lambda a, b: a - b
    multiply: Function = mt.multiply
    maximum: Function = mt.maximum
    mean: Function = mt.mean
    tanh: Function = mt.tanh
    take: Function = mt.index  # (x, [i, j, ...]): x[[i, j, ...]]
    softmax: Function = mt.softmax  # (x, axis=-1)
    cross_entropy: Function = mt.cross_entropy  # (logits, labels)
    batch_norm: Function = mt.batch_norm  # (x, scale, shift)
    dropout: Function = mt.dropout  # (x, p, rng)
    # layers
    dense: Function = mt.dense  # (x, w, b=None)
    conv1d: Function = mt.conv1d  # (x, w, b=None, *, stride, padding, dilation, groups, padding_mode)
    conv2d: Function = mt.conv2d
    locally_connected1d: Function = mt.locally_connected1d  # w (O, C, places, k)
    tiled_conv1d: Function = mt.tiled_conv1d  # w (O, C, tiles, k)
    # pooling
    max_pool1d: Function = mt.max_pool1d  # (x, k, *, stride=None, padding=0, dilation=1, ceil_mode=False)
    max_pool2d: Function = mt.max_pool2d
    avg_pool1d: Function = mt.avg_pool1d  # (x, k, *, stride=None, padding=0, ceil_mode, count_include_pad=True)
    lp_pool1d: Function = mt.lp_pool1d  # (x, k, *, norm=2, stride=None)
    maxout: Function = mt.maxout  # (x, pieces)
    # parameters
    conv_parameters: Function = conv_parameters  # (in_channels, out_channels, kernel_size, groups=1, bias=True)
    count_parameters: Function = count_parameters  # (model)
    sgd_step: Function = sgd_step  # (model, gradients, rate)


ENGINE = Engine()


def changed(changes: Mapping[str, Function]) -> Engine:
    """The right engine with some functions replaced, or with new ones."""
    engine = replace(ENGINE)
    vars(engine).update({**vars(ENGINE), **changes})
    return engine


@dataclass(frozen=True)
class Variant:
    """An engine that differs where nobody promised anything: a property that fails here asks for too much."""

    name: str
    why: str
    changes: Mapping[str, Function]

    @property
    def engine(self) -> Engine:
        return changed(self.changes)


@dataclass(frozen=True)
class Bug:
    """An engine with one mistake that was really made, and an example test that does not see it."""

    name: str
    wrong: str  # what is wrong, in a sentence
    source: str  # where it was made
    survives: Callable[[Engine], None]
    changes: Mapping[str, Function] = field(default_factory=dict)

    @property
    def engine(self) -> Engine:
        return changed(self.changes)


class Watched:
    """An engine as a property gets it: it notes what is asked for, and hides where a function comes from.

    Every engine stands behind the same functions, made anew for each Watched; nothing about them but what they compute
    tells a right engine from a wrong one.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine, self.used = engine, set[str]()

    def __getattr__(self, name: str) -> Any:
        function = vars(self._engine).get(name)
        if function is None:
            near = difflib.get_close_matches(name, vars(self._engine), cutoff=0.4)
            raise AttributeError(f"the engine has no {name}" + (f"; do you mean {' or '.join(near)}?" if near else ""))
        self.used.add(name)
        return self._answer(name, function)

    def _answer(self, name: str, function: Function) -> Function:
        def ask(*args: Any, **settings: Any) -> Any:
            return function(*args, **settings)

        ask.__name__, ask.__qualname__ = name, f"engine.{name}"
        return ask

    def __repr__(self) -> str:
        return "the engine"


class Asked(NamedTuple):
    """A call of an engine's function, and what it answered."""

    name: str
    args: tuple[Any, ...]
    settings: dict[str, Any]
    answer: Any


class Recorded(Watched):
    """An engine that keeps what it was asked, and its answers."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self.asked: list[Asked] = []

    def _answer(self, name: str, function: Function) -> Function:
        def ask(*args: Any, **settings: Any) -> Any:
            try:
                answer = function(*args, **settings)
            except Exception as error:
                answer = error
            self.asked.append(Asked(name, args, settings, answer))
            if isinstance(answer, Exception):
                raise answer
            return answer

        return ask
