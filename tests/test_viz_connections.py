"""Wires found by differentiation are those of index arithmetic, for every kind of layer and any geometry."""

from collections.abc import Callable, Iterable
from itertools import product
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nets
from minitensor import (
    Tensor,
    avg_pool1d,
    avg_pool2d,
    conv1d,
    conv2d,
    conv_transpose2d,
    dense,
    locally_connected1d,
    locally_connected2d,
    lp_pool1d,
    lp_pool2d,
    max_pool1d,
    max_pool2d,
    maxout,
    relu,
    tiled_conv1d,
    tiled_conv2d,
    weighted_avg_pool1d,
    weighted_avg_pool2d,
)
from minitensor.sizes import conv_output_size
from viz import connections
from viz.connections import Wires

CONVOLUTIONS = {1: conv1d, 2: conv2d}
LOCAL = {1: locally_connected1d, 2: locally_connected2d}
TILED = {1: tiled_conv1d, 2: tiled_conv2d}
MAX_POOLS = {1: max_pool1d, 2: max_pool2d}
MEANS = {1: (avg_pool1d, lp_pool1d, weighted_avg_pool1d), 2: (avg_pool2d, lp_pool2d, weighted_avg_pool2d)}


class Axis(NamedTuple):
    """Sizes along one axis: input n, kernel k, stride s, padding p, dilation d, output m."""

    n: int
    k: int
    s: int
    p: int
    d: int
    m: int

    def reads(self) -> list[tuple[int, int, int]]:
        """All (place h, tap i, input x) with x = h s + i d - p inside the input."""
        every = ((h, i, h * self.s + i * self.d - self.p) for h, i in product(range(self.m), range(self.k)))
        return [(h, i, x) for h, i, x in every if 0 <= x < self.n]


@st.composite
def axes(draw: st.DrawFn, pool: bool = False, padded: bool = True) -> Axis:
    """The output is drawn and the input worked out, so every draw is valid; rest is what the division leaves over."""
    k, s, d, m = (draw(st.integers(1, high)) for high in (3, 3, 1 if pool else 2, 3))
    rest = draw(st.integers(0, s - 1))
    length = (m - 1) * s + d * (k - 1) + 1 + rest
    most = min(k // 2 if pool else d * (k - 1), (length - 1) // 2) if padded else 0
    p = draw(st.integers(0, most))
    return Axis(length - 2 * p, k, s, p, d, m)


def geometries(pool: bool = False, padded: bool = True) -> st.SearchStrategy[list[Axis]]:
    return st.lists(axes(pool, padded), min_size=1, max_size=2)


def setting(axes: list[Axis], *names: str) -> dict[str, tuple[int, ...]]:
    """The settings of these names, one number for each axis."""
    of = {"stride": "s", "padding": "p", "dilation": "d"}
    return {name: tuple(getattr(a, of[name]) for a in axes) for name in names}


def taps(axes: list[Axis]) -> Iterable[tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]]:
    """All (place, tap, input) over all axes together."""
    for read in product(*(a.reads() for a in axes)):
        h, i, x = zip(*read, strict=True)
        yield h, i, x


def flat(position: tuple[int, ...], shape: tuple[int, ...]) -> int:
    return int(np.ravel_multi_index(position, shape))


def nonzero(*shape: int) -> Tensor:
    """Weights of which none is 0, and no two sums of a few of them cancel."""
    return Tensor(np.random.default_rng(1).uniform(0.5, 1.5, shape), name="w")


def found(layer: Callable[[Tensor], Tensor], shape: tuple[int, ...]) -> Wires:
    return connections(layer, shape)


channel_counts = st.integers(1, 2)


@given(geometries(), st.integers(1, 2), channel_counts, channel_counts)
def test_convolution(axes: list[Axis], groups: int, c_each: int, o_each: int) -> None:
    n, k, m = (tuple(getattr(a, letter) for a in axes) for letter in "nkm")
    x, w = (1, groups * c_each, *n), (groups * o_each, c_each, *k)
    y = (1, groups * o_each, *m)
    expected = {
        (flat((0, g * c_each + c, *at), x), flat((0, o, *h), y)): ("w", flat((o, c, *i), w))
        for g, c, r in product(range(groups), range(c_each), range(o_each))
        for o in [g * o_each + r]
        for h, i, at in taps(axes)
    }
    weight, options = nonzero(*w), setting(axes, "stride", "padding", "dilation")
    convolve = CONVOLUTIONS[len(axes)]
    assert found(lambda t: convolve(t, weight, groups=groups, **options), x) == expected


@given(st.integers(1, 4).flatmap(lambda n: st.tuples(st.just(n), st.integers(1, min(5, 2 * n + 1)))))
def test_circular_convolution_where_several_weights_may_meet_in_one_wire(sizes: tuple[int, int]) -> None:
    n, k = sizes
    expected: dict[tuple[int, int], list[tuple[str, int]]] = {}
    before = k // 2
    for h, i in product(range(n + 2 * before - k + 1), range(k)):
        expected.setdefault(((h + i - before) % n, h), []).append(("w", i))
    weight = nonzero(1, 1, k)
    wires = found(lambda t: conv1d(t, weight, padding=before, padding_mode="circular"), (1, 1, n))
    assert wires == {wire: ws[0] if len(ws) == 1 else tuple(ws) for wire, ws in expected.items()}


@given(st.lists(axes(), min_size=2, max_size=2), channel_counts, channel_counts)
def test_transposed_convolution_has_the_wires_of_convolution_turned_round(
    axes: list[Axis], channels: int, out: int
) -> None:
    n, k, m = (tuple(getattr(a, letter) for a in axes) for letter in "nkm")
    y, x, w = (1, out, *n), (1, channels, *m), (channels, out, *k)
    rest = tuple((a.n + 2 * a.p - a.d * (a.k - 1) - 1) % a.s for a in axes)
    options = setting(axes, "stride", "padding", "dilation")
    weight = nonzero(*w)
    expected = {
        (flat((0, c, *h), x), flat((0, o, *at), y)): ("w", flat((c, o, *i), w))
        for c, o in product(range(channels), range(out))
        for h, i, at in taps(axes)
    }
    assert found(lambda t: conv_transpose2d(t, weight, output_padding=rest, **options), x) == expected


@given(geometries(), channel_counts, channel_counts)
def test_locally_connected(axes: list[Axis], channels: int, out: int) -> None:
    n, k, m = (tuple(getattr(a, letter) for a in axes) for letter in "nkm")
    x, y, w = (1, channels, *n), (1, out, *m), (out, channels, *m, *k)
    expected = {
        (flat((0, c, *at), x), flat((0, o, *h), y)): ("w", flat((o, c, *h, *i), w))
        for c, o in product(range(channels), range(out))
        for h, i, at in taps(axes)
    }
    weight, options = nonzero(*w), setting(axes, "stride", "padding", "dilation")
    assert found(lambda t: LOCAL[len(axes)](t, weight, **options), x) == expected


@given(geometries(), channel_counts, st.integers(1, 3))
def test_tiled(axes: list[Axis], out: int, tile: int) -> None:
    n, k, m = (tuple(getattr(a, letter) for a in axes) for letter in "nkm")
    x, y, w = (1, 1, *n), (1, out, *m), (out, 1, *[tile] * len(axes), *k)
    expected = {
        (flat((0, 0, *at), x), flat((0, o, *h), y)): ("w", flat((o, 0, *(a % tile for a in h), *i), w))
        for o in range(out)
        for h, i, at in taps(axes)
    }
    weight, options = nonzero(*w), setting(axes, "stride", "padding", "dilation")
    assert found(lambda t: TILED[len(axes)](t, weight, **options), x) == expected


def pooled(axes: list[Axis], channels: int) -> Wires:
    x, y = ((1, channels, *(getattr(a, letter) for a in axes)) for letter in "nm")
    return {(flat((0, c, *at), x), flat((0, c, *h), y)): None for c in range(channels) for h, _, at in taps(axes)}


@given(geometries(pool=True), channel_counts, st.booleans())
def test_max_pooling_has_all_its_wires_and_none_carries_a_weight(
    axes: list[Axis], channels: int, ceil_mode: bool
) -> None:
    axes = [a._replace(m=conv_output_size(a.n, a.k, a.s, a.p, 1, ceil_mode)) for a in axes]
    options = setting(axes, "stride", "padding")
    pool = MAX_POOLS[len(axes)]
    wires = found(
        lambda t: pool(t, tuple(a.k for a in axes), ceil_mode=ceil_mode, **options), (1, channels, *(a.n for a in axes))
    )
    assert wires == pooled(axes, channels)


@given(geometries(pool=True, padded=False), channel_counts, st.integers(0, 2))
def test_average_norm_and_weighted_pooling(axes: list[Axis], channels: int, kind: int) -> None:
    pool = MEANS[len(axes)][kind]
    wires = found(
        lambda t: pool(t, tuple(a.k for a in axes), **setting(axes, "stride")), (1, channels, *(a.n for a in axes))
    )
    assert wires == pooled(axes, channels)


@given(st.integers(1, 4), st.integers(1, 4))
def test_dense_and_its_bias_is_no_wire(channels: int, out: int) -> None:
    weight, bias = nonzero(out, channels), Tensor(np.ones(out), name="b")
    expected = {(c, o): ("w", o * channels + c) for c, o in product(range(channels), range(out))}
    assert found(lambda t: dense(t, weight, bias), (1, channels)) == expected


@given(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3))
def test_maxout(out: int, pieces: int, width: int) -> None:
    expected = {
        (((o * pieces + k) * width) + h, o * width + h): None
        for o, k, h in product(range(out), range(pieces), range(width))
    }
    assert found(lambda t: maxout(t, pieces), (1, out * pieces, width)) == expected


def test_a_weight_of_zero_still_is_a_wire() -> None:
    weight = Tensor(np.zeros((1, 1, 2)), name="w")
    assert found(lambda t: conv1d(t, weight), (1, 1, 3)) == {
        (0, 0): ("w", 0), (1, 0): ("w", 1), (1, 1): ("w", 0), (2, 1): ("w", 1),
    }  # fmt: skip


def test_constants_that_a_layer_makes_itself_are_no_parameters() -> None:
    assert found(lambda t: 2 * t + 1, (2,)) == {(0, 0): None, (1, 1): None}


def test_dead_units_and_smaller_ones_are_found_too() -> None:
    weight = Tensor([[[-1.0, -1.0]]], name="w")
    assert set(found(lambda t: relu(conv1d(t, weight)), (1, 1, 3))) == {(0, 0), (1, 0), (1, 1), (2, 1)}
    assert set(found(lambda t: t.min(), (20,))) == {(j, 0) for j in range(20)}


@given(st.integers(5, 8))
@settings(max_examples=4)
def test_a_network_reaches_what_its_layers_reach_one_after_the_other(n: int) -> None:
    rng = np.random.default_rng(0)
    layers = [nets.Conv1d(1, 2, 3, rng=rng), nets.ReLU(), nets.MaxPool1d(2, stride=1), nets.Flatten()]
    reached = {(j, j) for j in range(n)}
    shape: tuple[int, ...] = (1, n)
    for layer in layers:
        wires = connections(layer, shape, weights=False)
        reached = {(j, i) for j, middle in reached for k, i in wires if k == middle}
        shape = layer(np.zeros((1, *shape))).shape[1:]
    assert set(connections(nets.Sequential(*layers), (1, n), weights=False)) == reached


def test_a_module_is_asked_in_use_and_left_as_it_was() -> None:
    """Dropout has all its wires, and a batch normalization neither joins pixels nor learns from the questions."""
    model = nets.Sequential(nets.BatchNorm2d(1), nets.Dropout(0.9))
    before = model.state_dict()
    assert connections(model, (1, 2, 2), weights=False) == dict.fromkeys((i, i) for i in range(4))
    assert all((array == before[name]).all() for name, array in model.state_dict().items())
    assert all(module.training for _, module in model.modules())


def test_a_shape_is_made_of_whole_numbers() -> None:
    """NumPy's are as good as Python's; a fraction is refused, not rounded."""
    layer = nets.Conv1d(1, 1, 3)
    assert connections(layer, np.int64(5)) == connections(layer, (1, np.int64(5))) == connections(layer, 5)
    with pytest.raises(TypeError, match=r"1\.5"):
        connections(layer, (1, 1.5))  # type: ignore[list-item]


def test_the_batch_axis_may_be_left_out_or_not() -> None:
    layer = nets.Conv2d(1, 1, 2)
    assert connections(layer, (1, 3, 3)) == connections(layer, (1, 1, 3, 3)) == connections(layer, (3, 3))


def test_a_layer_of_a_million_wires_is_refused_with_the_number_and_a_way_out() -> None:
    with pytest.raises(ValueError, match=r"more than 20,000 wires.*smaller input_shape"):
        connections(nets.Dense(1000, 1000), 1000)
    with pytest.raises(ValueError, match=r"150,528 inputs.*smaller input_shape"):
        connections(nets.Conv2d(3, 1, 3), (3, 224, 224))


def test_a_shape_that_the_layer_rejects_is_said_with_the_layers_own_words() -> None:
    with pytest.raises(ValueError, match=r"none of these shapes: \(1, 4\): dense needs"):
        connections(nets.Dense(3, 2), 4)
