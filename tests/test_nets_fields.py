"""What a unit sees, as a summary says it, is what its wires say."""

from __future__ import annotations

import inspect
from fractions import Fraction
from math import prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nets
from minitensor import Tensor, concatenate, conv1d, conv2d, conv_transpose1d, dense, fold, pad, softmax, windows
from nets import Module, Sequential, summary
from viz import connections


@st.composite
def sliding(draw, kind, *names: str, axes: int):
    """A layer with windows, which knows these settings, and an input so large that four windows lie within it."""
    k = [draw(st.integers(1, 2 if axes == 3 else 3)) for _ in range(axes)]
    s, d = ([draw(st.integers(1, 2 if name in names else 1)) for _ in k] for name in ("stride", "dilation"))
    p = [draw(st.integers(0, one // 2 if "padding" in names else 0)) for one in k]
    lines = zip(k, s, d, p, strict=True)
    size = tuple((3 + 2 * p) * s + d * (k - 1) + 1 for k, s, d, p in lines)
    chosen = {"stride": s, "dilation": d, "padding": p}
    given = {"kernel_size": k, **{name: chosen[name] for name in names}}
    if kind in (nets.LocallyConnected1d, nets.LocallyConnected2d):
        given["input_size"] = size
    channels = () if "Pool" in kind.__name__ else (1, 1)
    return kind(*channels, **{name: tuple(numbers) for name, numbers in given.items()}), (1, *size)


@st.composite
def stamping(draw, kind, axes: int):
    """A transposed convolution and an input for it."""
    k, s, d = (tuple(draw(st.integers(1, most)) for _ in range(axes)) for most in (3, 3, 2))
    p = tuple(draw(st.integers(0, span // 2)) for span in (d * (k - 1) for k, d in zip(k, d, strict=True)))
    return kind(1, 1, k, s, p, dilation=d), (1, *[draw(st.integers(5, 6)) for _ in range(axes)])


def turning(kind, *inputs: int):
    return st.builds(
        lambda k, p, mirrors: (kind(1, 1, k, padding=p, reflections=mirrors), (*inputs, 7, 7) if inputs else (1, 7, 7)),
        st.integers(1, 3),
        st.integers(0, 1),
        st.just(False) if inputs else st.booleans(),
    )


def always(layer: Module, *shapes: tuple[int, ...]):
    return st.sampled_from([(layer, shape) for shape in shapes])


ROW, PLANE = (2, 5), (2, 4, 3)
convolution, pool = ("stride", "padding", "dilation"), ("stride",)
LAYERS = {
    "Dense": always(nets.Dense(5, 3), ROW, (1, 2, 5)),
    "Conv1d": sliding(nets.Conv1d, *convolution, axes=1),
    "Conv2d": sliding(nets.Conv2d, *convolution, axes=2),
    "Conv3d": sliding(nets.Conv3d, "stride", axes=3),
    "ConvTranspose1d": stamping(nets.ConvTranspose1d, 1),
    "ConvTranspose2d": stamping(nets.ConvTranspose2d, 2),
    "LocallyConnected1d": sliding(nets.LocallyConnected1d, *convolution, axes=1),
    "LocallyConnected2d": sliding(nets.LocallyConnected2d, *convolution, axes=2),
    "TiledConv1d": sliding(nets.TiledConv1d, *convolution, axes=1),
    "TiledConv2d": sliding(nets.TiledConv2d, *convolution, axes=2),
    "MaxPool1d": sliding(nets.MaxPool1d, *convolution, axes=1),
    "MaxPool2d": sliding(nets.MaxPool2d, *convolution, axes=2),
    "MaxPool3d": sliding(nets.MaxPool3d, *pool, axes=3),
    "AvgPool1d": sliding(nets.AvgPool1d, "stride", "padding", axes=1),
    "AvgPool2d": sliding(nets.AvgPool2d, "stride", "padding", axes=2),
    "AvgPool3d": sliding(nets.AvgPool3d, *pool, axes=3),
    "LPPool1d": sliding(nets.LPPool1d, *pool, axes=1),
    "LPPool2d": sliding(nets.LPPool2d, *pool, axes=2),
    "WeightedAvgPool1d": sliding(nets.WeightedAvgPool1d, *pool, axes=1),
    "WeightedAvgPool2d": sliding(nets.WeightedAvgPool2d, *pool, axes=2),
    "Subsampling": st.integers(1, 2).map(lambda k: (nets.Subsampling(1, k), (1, 4 * k, 4 * k))),
    "TableConv2d": st.integers(1, 3).map(lambda k: (nets.TableConv2d(2, [(0,), (0, 1)], k), (2, 7, 7))),
    "LiftingConv2d": turning(nets.LiftingConv2d),
    "GroupConv2d": turning(nets.GroupConv2d, 1, 4),
    "GroupMaxPool": always(nets.GroupMaxPool(), (1, 4, 3, 3)),
    "Residual": always(nets.Residual(nets.Conv1d(2, 2, 3, padding=1), nets.ReLU()), (2, 9)),
    "GlobalAvgPool": always(nets.GlobalAvgPool(), ROW, PLANE),
    "RadialBasis": always(nets.RadialBasis(np.ones((3, 4))), (4,)),
    "Softmax": always(nets.Softmax(), ROW, PLANE) | always(nets.Softmax(1), ROW, PLANE),
    "LogSoftmax": always(nets.LogSoftmax(), ROW, PLANE) | always(nets.LogSoftmax(1), ROW, PLANE),
    "LayerNorm": always(nets.LayerNorm(3), PLANE) | always(nets.LayerNorm(PLANE), PLANE),
    "Maxout": always(nets.Maxout(2), ROW, PLANE),
    "LocalResponseNorm": always(nets.LocalResponseNorm(3), ROW, PLANE),
    "BatchNorm1d": always(nets.BatchNorm1d(2), ROW),
    "BatchNorm2d": always(nets.BatchNorm2d(2), PLANE),
    "Flatten": always(nets.Flatten(), ROW, PLANE),
    **{
        name: always(getattr(nets, name)(), ROW, PLANE)
        for name in ("ReLU", "LeakyReLU", "GELU", "Softplus", "Sigmoid", "Tanh", "Identity", "Dropout")
    },
}


def test_every_layer_of_nets_is_here():
    kinds = {name for name, kind in vars(nets).items() if inspect.isclass(kind) and issubclass(kind, Module)}
    assert kinds - {"Module", "Sequential", "Function"} == set(LAYERS)


def spans(layer, shape, axes: int) -> list[dict[tuple[int, ...], tuple[int, int]]]:
    """Along each of the last axes: for each place of the output the first and the last input that reach it."""
    model = Sequential(layer)
    made = summary(model, shape).rows[-1].output_shape
    seen: list[dict[tuple[int, ...], tuple[int, int]]] = [{} for _ in range(axes)]
    for j, i in connections(model, shape, weights=False):
        source, place = np.unravel_index(j, shape)[-axes:], np.unravel_index(i, made)
        for axis, one in enumerate(source):
            low, high = seen[axis].get(tuple(map(int, place)), (one, one))
            seen[axis][tuple(map(int, place))] = (min(low, int(one)), max(high, int(one)))
    return seen


def each(value, axes: int):
    return value if isinstance(value, tuple) else (value,) * axes


@pytest.mark.parametrize("name", LAYERS)
@settings(max_examples=10)
@given(st.data())
def test_field_and_jump_are_those_of_the_wires(name, data):
    """Some unit sees as many inputs as the field says and none sees more; from one to the next it goes by the jump.

    Where no jump is said, some unit sees from one border to the other, along each axis whose field is the whole.
    """
    layer, shape = data.draw(LAYERS[name])
    row = summary(Sequential(layer, nets.Tanh()), shape, explain=True).rows[
        -1
    ]  # behind it, so that a sum at its end counts too
    axes = len(shape[1:]) - (name in ("GroupConv2d", "GroupMaxPool"))
    if not axes:
        assert (row.receptive_field, row.jump) == (None, None)
        return
    all_seen = spans(layer, shape, axes)
    holed = name.startswith("ConvTranspose") and any(d > 1 for d in layer.dilation)  # then r is an upper limit
    for axis, field in enumerate(each(row.receptive_field, axes)):
        n, seen = shape[-axes:][axis], all_seen[axis]
        if row.jump is None:
            assert field in (1, n) and max(high - low + 1 for low, high in seen.values()) == field
            continue
        jump = Fraction(each(row.jump, axes)[axis]).limit_denominator(9)
        widest = max(high - low + 1 for low, high in seen.values())
        assert widest <= field if holed else widest == field
        if len(row.output_shape) < axes + 1:
            continue  # behind a Flatten, neighbours are no neighbours any more
        at = len(row.output_shape) - axes + axis
        for place, (low, high) in seen.items():
            neighbour = seen.get((*place[:at], place[at] + jump.denominator, *place[at + 1 :]), (0, -1))
            if neighbour[1] - neighbour[0] == high - low:  # else one of them is cut off by the border
                assert (neighbour[0] - low, neighbour[1] - high) == (jump.numerator,) * 2


class Own(Module):
    """A layer of somebody's own: a function of its input, with a weight of zeros, and no setting called kernel_size."""

    def __init__(self, function, *shape: int) -> None:
        self.weight, self.call = Tensor(np.zeros(shape)), function

    def forward(self, x, *others):
        return self.call(x, self.weight, *others)


def smoothed(x, w):
    return (x[:, :, :-2] + x[:, :, 1:-1] + x[:, :, 2:]) * w


OWN = {  # the function, the shape of its weight, and the field and jump in a row of ten
    "a convolution": (lambda x, w: conv1d(x, w, stride=2), (1, 1, 3), 3, 2),
    "two of them": (lambda x, w: conv1d(conv1d(x, w, padding=1), w, padding=1, dilation=2), (1, 1, 3), 7, 1),
    "a transposed one": (lambda x, w: conv_transpose1d(x, w, stride=2), (1, 1, 3), 2, 0.5),
    "windows": (lambda x, w: (windows(x, 3, 2) * w).sum(-1), (3,), 3, 2),
    "windows and back": (lambda x, w: fold(windows(x, 3).sum(-1, keepdims=True) * w, 10), (3,), 5, 1),
    "slices": (smoothed, (1,), 3, 1),
    "slices with a step": (lambda x, w: x[..., ::2] + x[..., 1::2] * w, (1,), 2, 2),
    "a margin": (lambda x, w: pad(x, ((0, 0), (0, 0), (2, 0)))[:, :, :10] + x, (1,), 3, 1),
    "places turned round": (lambda x, w: x[..., ::-1], (1,), 1, 1),
    "a dense layer": (lambda x, w: dense(x, w), (10, 10), 10, None),
    "a mean": (lambda x, w: x - x.mean(2, keepdims=True), (1,), 10, None),
    "attention": (lambda x, w: softmax(x.reshape(-1, 10, 1) * x, 2) @ x.reshape(-1, 10, 1), (1,), 10, None),
    "gates": (lambda x, w: x * (x.mean((1, 2), keepdims=True) * w), (1,), 10, None),
    "a number of its own": (lambda x, w: x * w + w, (1,), 1, 1),
}


@pytest.mark.parametrize("name", OWN)
@pytest.mark.parametrize("between", [False, True])
def test_of_other_layers_and_between_the_layers_the_operators_tell(name, between):
    function, shape, field, jump = OWN[name]
    own = Own(function, *shape)
    if between:  # what is computed in a module that holds others belongs to none of them
        model = Module()
        model.last, model.weight = nets.Tanh(), own.weight
        model.forward = lambda x: model.last(own.call(x, model.weight))
    else:
        model = Sequential(own)
    row = summary(model, (1, 10)).rows[-1]
    assert (row.receptive_field, row.jump) == (field, jump)


@pytest.mark.parametrize("kernel_size", [3, (3,), 12, "three", None])
def test_a_kernel_size_that_does_not_lead_to_the_output_is_no_word_to_take(kernel_size):
    """This one pads its input itself; the row is as that of a layer without the setting."""
    own = Own(lambda x, w: conv1d(pad(x, ((0, 0), (0, 0), (2, 2))), w), 1, 1, 5)
    own.kernel_size = kernel_size
    row = summary(Sequential(own), (1, 10), explain=True).rows[0]
    assert (row.output_shape, row.receptive_field, row.jump) == ((1, 10), 5, 1)


def test_along_each_axis_by_itself():
    """A mean along the width joins the width alone."""
    row = summary(Sequential(Own(lambda x, w: x - x.mean(3, keepdims=True), 1)), (1, 4, 6)).rows[0]
    assert (row.receptive_field, row.jump) == ((1, 6), None)
    row = summary(Sequential(Own(lambda x, w: conv2d(x, w, stride=2), 1, 1, 3, 1)), (1, 9, 6)).rows[0]
    assert (row.receptive_field, row.jump) == ((3, 1), 2)


@given(st.integers(1, 5), st.integers(1, 5))
def test_a_layer_of_several_inputs_sees_what_they_see(a, b):
    model = Module()
    model.a, model.b, model.join = nets.Conv1d(1, 1, a), nets.Conv1d(1, 1, b), Own(lambda x, w, y: x + y, 1)
    model.forward = lambda x: model.join(model.a(x)[..., :5], model.b(x)[..., :5])
    rows = {row.name: row.receptive_field for row in summary(model, (1, 12)).rows}
    assert rows == {"a": a, "b": b, "join": max(a, b)}


def test_a_layer_with_a_concatenation_sees_both_parts():
    model = Sequential(Own(lambda x, w: concatenate([x[..., 1:], x[..., :-1]], axis=1), 1))
    row = summary(model, (1, 8)).rows[0]
    assert (row.output_shape, row.receptive_field, row.jump) == ((2, 7), 2, 1)
    assert prod(row.output_shape) == 14
