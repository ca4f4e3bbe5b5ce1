"""Wires found by differentiation are those of index arithmetic, for every kind of layer and any geometry."""

import re
from collections.abc import Callable, Iterable
from functools import partial
from itertools import pairwise, product
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minitensor
import nets
from minitensor import (
    Tensor,
    avg_pool1d,
    avg_pool2d,
    batch_norm,
    concatenate,
    conv1d,
    conv2d,
    conv_transpose2d,
    dense,
    exp,
    locally_connected1d,
    locally_connected2d,
    log,
    lp_pool1d,
    lp_pool2d,
    max_pool1d,
    max_pool2d,
    maximum,
    maxout,
    minimum,
    no_grad,
    primitive,
    relu,
    sigmoid,
    softmax,
    softplus,
    tanh,
    tiled_conv1d,
    tiled_conv2d,
    weighted_avg_pool1d,
    weighted_avg_pool2d,
    where,
)
from minitensor.sizes import conv_output_size
from minitensor.tensor import Array
from viz import connections
from viz.subjects import slopes
from viz.subjects.connections import Wires

from .relations import Relation, as_sets, every_unit, joined, same_units, then, window

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


# -- many operators one after the other --------------------------------------------------------------------------------

ACTIVATIONS: list[Callable[[Tensor], Tensor]] = [
    relu, tanh, sigmoid, softplus, minitensor.abs, lambda x: relu(x - 150), lambda x: tanh(100 * x),
    lambda x: 3 - x * x,
    lambda x: minimum(maximum(x, -1), 1), lambda x: where(x > 2, x, 0.1 * x), lambda x: x * sigmoid(x),
    lambda x: x * (x > 2), lambda x: x * (x.data > 0),
]  # fmt: skip


def one_channel(kind: str, n: int, k: int, name: str) -> tuple[Callable[[Tensor], Tensor], Relation]:
    """A layer from n units to n, and its relation."""
    if kind == "convolution":
        w, b = Tensor(np.ones((1, 1, k)), name=name), Tensor([1.0], name=f"{name}b")
        return lambda x: conv1d(x, w, b, padding=k // 2), window(n, k, name)
    if kind == "dense":
        matrix, bias = Tensor(np.ones((n, n)), name=name), Tensor(np.ones(n), name=f"{name}b")
        return lambda x: dense(x, matrix, bias), every_unit(n, n, name)
    if kind == "local":
        every = Tensor(np.ones((1, 1, n, k)), name=name)
        each = {(h + i - k // 2, h): frozenset({(name, h * k + i)}) for h, i in product(range(n), range(k))}
        inside = {wire: letters for wire, letters in each.items() if 0 <= wire[0] < n}
        return lambda x: locally_connected1d(x, every, padding=k // 2), inside
    if kind == "average":
        return lambda x: avg_pool1d(x, k, stride=1, padding=k // 2), window(n, k)
    return lambda x: max_pool1d(x, k, stride=1, padding=k // 2), window(n, k)


KINDS = ["convolution", "dense", "local", "average", "maximum"]


@given(
    st.integers(3, 7),
    st.lists(
        st.tuples(st.sampled_from(KINDS), st.sampled_from([1, 3]), st.sampled_from(ACTIVATIONS)), min_size=1, max_size=4
    ),
)
@settings(max_examples=12)
def test_a_stack_has_the_wires_and_the_letters_of_its_layers_one_after_the_other(
    n: int, drawn: list[tuple[str, int, Callable[[Tensor], Tensor]]]
) -> None:
    layers = [one_channel(kind, n, k, f"w{number}") for number, (kind, k, _) in enumerate(drawn)]

    def stack(x: Tensor) -> Tensor:
        for (layer, _), (_, _, activation) in zip(layers, drawn, strict=True):
            x = activation(layer(x))
        return x

    assert as_sets(connections(stack, (1, 1, n))) == then(*(relation for _, relation in layers))


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (partial(conv1d, w=nonzero(2, 1, 3), b=nonzero(2), padding=1), (1, 1, 5)),
        (partial(conv2d, w=nonzero(2, 1, 2, 2), b=nonzero(2), groups=2, stride=2), (1, 2, 4, 4)),
        (partial(conv1d, w=nonzero(1, 1, 3), padding=1, padding_mode="circular"), (1, 1, 2)),
        (partial(conv_transpose2d, w=nonzero(1, 1, 2, 2), b=nonzero(1), stride=2), (1, 1, 2, 2)),
        (partial(locally_connected1d, w=nonzero(1, 1, 3, 2), b=nonzero(1, 3)), (1, 1, 4)),
        (partial(tiled_conv1d, w=nonzero(1, 1, 2, 2), b=nonzero(1, 2)), (1, 1, 4)),
        (partial(dense, w=nonzero(3, 4), b=nonzero(3)), (1, 4)),
        (partial(max_pool2d, kernel_size=2), (1, 1, 4, 4)),
    ],
)
def test_an_activation_changes_neither_wires_nor_letters(
    layer: Callable[[Tensor], Tensor], shape: tuple[int, ...], activation: Callable[[Tensor], Tensor]
) -> None:
    assert connections(lambda x: activation(layer(x)), shape) == connections(layer, shape)


def test_the_wires_do_not_depend_on_the_weights() -> None:
    """Two hundred initialisations, of which differentiation at a few points misses wires in more than half."""
    names = {"a": nets.Conv1d, "b": nets.Conv1d, "c": nets.Conv1d}
    expected = then(*(window(5, 3, f"{name}.weight") for name in names))
    for seed in range(200):
        rng = np.random.default_rng(seed)
        layers = {name: kind(1, 1, 3, padding=1, rng=rng) for name, kind in names.items()}
        model = nets.Sequential(a=layers["a"], relu=nets.ReLU(), b=layers["b"], dead=nets.ReLU(), c=layers["c"])
        assert connections(model, (1, 5), weights=False).keys() == expected.keys(), seed
    assert as_sets(connections(model, (1, 5))) == expected


def test_a_residual_block() -> None:
    a, b = (partial(conv1d, w=Tensor(np.ones((1, 1, 3)), name=name), padding=1) for name in "ab")
    block = joined(same_units(6), then(window(6, 3, "a"), window(6, 3, "b")))
    assert as_sets(connections(lambda x: relu(x + b(relu(a(x)))), (1, 1, 6))) == block


def test_parallel_branches() -> None:
    three, five = (partial(conv1d, w=Tensor(np.ones((1, 1, k)), name=f"w{k}"), padding=k // 2) for k in (3, 5))
    side_by_side = {(j, i): letters for (j, i), letters in window(7, 3, "w3").items()}
    side_by_side |= {(j, 7 + i): letters for (j, i), letters in window(7, 5, "w5").items()}
    found = connections(lambda x: concatenate([relu(three(x)), tanh(five(x))], axis=1), (1, 1, 7))
    assert as_sets(found) == side_by_side


def test_a_u_shaped_network() -> None:
    """Down by 2, a convolution, up by 2, and the skip beside it."""
    down, up = Tensor(np.ones((1, 1, 2)), name="down"), Tensor(np.ones((1, 1, 1, 2)), name="up")
    middle, skip = Tensor(np.ones((1, 1, 3)), name="middle"), Tensor(np.ones((1, 1, 1)), name="skip")

    def network(x: Tensor) -> Tensor:
        low = relu(conv1d(x, down, stride=2))
        low = relu(conv1d(low, middle, padding=1))
        high = conv_transpose2d(low.reshape(1, 1, 1, 4), up, stride=(1, 2)).reshape(1, 1, 8)
        return tanh(high + conv1d(x, skip))

    halved: Relation = {(2 * i + k, i): frozenset({("down", k)}) for i, k in product(range(4), range(2))}
    doubled: Relation = {(i, 2 * i + k): frozenset({("up", k)}) for i, k in product(range(4), range(2))}
    expected = joined(then(halved, window(4, 3, "middle"), doubled), window(8, 1, "skip"))
    assert as_sets(connections(network, (1, 1, 8))) == expected


@pytest.mark.parametrize("mask", ["none", "added", "infinite", "chosen"])
def test_attention_over_five_tokens_sees_what_its_mask_lets_it_see(mask: str) -> None:
    """Token a sees token b through its score (the letters of q on a's own way, of k on b's) and by its value (v)."""
    q, k, v = (Tensor(np.random.default_rng(n).normal(size=(2, 2)), name=name) for n, name in enumerate("qkv"))
    later = np.triu(np.ones((5, 5)), 1)

    def attention(x: Tensor) -> Tensor:
        x = x.reshape(5, 2)
        scores = x @ q @ (x @ k).T
        if mask == "chosen":
            scores = where(later, -1e9, scores)
        elif mask != "none":
            scores = scores + np.where(later, -1e9 if mask == "added" else -np.inf, 0)
        return softmax(scores, axis=1) @ (x @ v)

    found = as_sets(connections(attention, 10))
    seen = [(a, b) for a, b in product(range(5), repeat=2) if mask == "none" or b <= a]
    assert found.keys() == {(2 * b + j, 2 * a + i) for a, b in seen for i, j in product(range(2), repeat=2)}
    for (a, b), j, i in product(seen, range(2), range(2)):
        key, value = {("k", 2 * j), ("k", 2 * j + 1)}, {("v", 2 * j + i)}
        query = {("q", 2 * j), ("q", 2 * j + 1)} if a == b and (a > 0 or mask == "none") else set()
        if mask != "none" and a == 0:
            continue  # its one weight is 1, whatever its score
        assert found[2 * b + j, 2 * a + i] == key | value | query


def test_an_unrolled_recurrent_network_carries_the_matrix_on_its_way() -> None:
    u, w, b = Tensor([[1.0]], name="u"), Tensor([[2.0]], name="w"), Tensor([0.5], name="b")

    def unrolled(x: Tensor) -> Tensor:
        state = tanh(dense(x[0:1, None], u, b))
        for t in range(1, 4):
            state = tanh(dense(state, w) + dense(x[t : t + 1, None], u, b))
        return state

    expected = {(t, 0): frozenset([("u", 0), ("w", 0)] if t < 3 else [("u", 0)]) for t in range(4)}
    assert as_sets(connections(unrolled, 4)) == expected


def test_a_gated_unit_carries_on_each_way_what_multiplies_there() -> None:
    """sigmoid(a x) tanh(b x): a multiplies on the way through the gate, b on the other."""
    a, b = Tensor([[1.0, 1.0]], name="a"), Tensor([[1.0, 1.0]], name="b")
    found = connections(lambda x: sigmoid(dense(x[:, :2], a)) * tanh(dense(x[:, 2:], b)), (1, 4))
    assert found == {(j, 0): ("a" if j < 2 else "b", j % 2) for j in range(4)}


def test_batch_normalization_over_a_batch_couples_its_images() -> None:
    scale, shift = Tensor([2.0], name="scale"), Tensor([1.0], name="shift")
    found = connections(lambda x: batch_norm(x, scale, shift, 1e-5), (3, 1, 1, 2))
    assert found == dict.fromkeys(product(range(6), repeat=2), ("scale", 0))


# -- any operator, any program -----------------------------------------------------------------------------------------

Step = Callable[[Tensor, Tensor], Tensor]
M = np.array([[1.0, 0, -1], [0, 2, 0], [1, 1, 0]])
W = Tensor([0.5, -1.0, 2.0], name="w")
STEPS: list[Step] = [
    lambda u, v: u + v, lambda u, v: u - v, lambda u, v: u * v, lambda u, v: u / (v * v + 1),
    lambda u, v: maximum(u, v), lambda u, v: minimum(u, v), lambda u, v: where(u > 0.5, v, u), lambda u, v: v * (u > 3),
    lambda u, v: relu(u - 50), lambda u, v: minitensor.abs(u), lambda u, v: tanh(u), lambda u, v: softplus(u),
    lambda u, v: exp(minimum(u, 3)), lambda u, v: minitensor.clip(u, -2, 0.5), lambda u, v: log(u * u + 1),
    lambda u, v: softmax(u), lambda u, v: u + v.max(), lambda u, v: u - v.min(), lambda u, v: u + v.sum(),
    lambda u, v: (u - u.mean()) / minitensor.sqrt(u.var() + 1), lambda u, v: Tensor(M) @ u, lambda u, v: u[::-1],
    lambda u, v: concatenate([u[1:], v[:1]]),
    lambda u, v: max_pool1d(u.reshape(1, 1, 3), 2, stride=1, padding=1)[0, 0, 1:],
    lambda u, v: u * W, lambda u, v: u + W, lambda u, v: minimum(u, W), lambda u, v: u * np.array([0.0, 1, 2]),
]  # fmt: skip


def felt(f: Callable[[Tensor], Tensor], x: Array) -> set[tuple[int, int]]:
    """The pairs with a slope at x that two central differences agree on: a jump would not let them."""
    found = set()
    for j in range(x.size):
        slopes = []
        for h in (1e-4, 1e-5):
            step = h * max(1, np.abs(x).max() / 10) * np.eye(1, x.size, j)[0]
            slopes.append((f(Tensor(x + step)).data - f(Tensor(x - step)).data) / (2 * step[j]))
        one, two = slopes
        clear = np.abs(two) > 1e-3 * max(1, np.abs(f(Tensor(x)).data).max()) / max(1, np.abs(x).max())
        found |= {(j, int(i)) for i in np.flatnonzero(clear & (np.abs(one - two) < 0.01 * np.abs(two)))}
    return found


@given(
    st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=7),
    st.integers(0, 2**32 - 1),
)
def test_what_a_finite_difference_feels_is_a_wire(steps: list[tuple[Step, int, int]], seed: int) -> None:
    """In any program of operators, at any point where no condition jumps."""

    def program(x: Tensor) -> Tensor:
        made = [x]
        for step, a, b in steps:
            made.append(step(made[a % len(made)], made[b % len(made)]))
        return made[-1]

    wires, rng = set(connections(program, 3)), np.random.default_rng(seed)
    for _ in range(10):
        assert felt(program, rng.normal(size=3) * 10 ** rng.uniform(-1, 2.5)) <= wires


@given(st.lists(st.sampled_from(STEPS), min_size=1, max_size=4))
def test_the_answer_is_the_same_at_every_call(steps: list[Step]) -> None:
    def program(x: Tensor) -> Tensor:
        for step in steps:
            x = step(x, x[::-1])
        return x

    first = connections(program, 3)
    kept = connections(program, 3)
    slopes._found.clear()
    assert first == kept == connections(program, 3)


@given(st.lists(st.tuples(*[st.floats(-1e6, 1e6)] * 2, st.floats(-1e7, 1e7)), min_size=1, max_size=9))
def test_a_point_lies_within_its_range_and_on_neither_end(cases: list[tuple[float, float, float]]) -> None:
    low, width, number = np.array(cases).T
    high = low + np.abs(width) + 1
    found = slopes._inside(low, high, number)
    assert ((low < found) & (found < high)).all()
    within = (low < number) & (number < high)
    assert (found[within] == number[within]).all()


@given(st.integers(1, 8), st.floats(-9, 9), st.sampled_from([1e-6, 1e-9]), st.integers(0, 2**32 - 1))
def test_an_input_is_known_by_what_it_answers_to_two_questions(
    n: int, magnitude: float, precision: float, seed: int
) -> None:
    """However large or small its slope is; what answers one of them otherwise comes from no single input."""
    rng = np.random.default_rng(seed)
    which, slope = rng.integers(0, n, 6), rng.choice([-1, 1], 6) * rng.uniform(1, 10, 6) * 10.0**magnitude
    other = rng.uniform(0.5, 1.5, n)
    b, c = slope * (which + 1), slope * other[which]
    assert slopes._named(slope, b, c, other, precision).tolist() == which.tolist()
    for off in (1 - 5 * precision, 1 + 5 * precision):
        assert (slopes._named(slope, off * b, c, other, precision) == -1).all()
        assert (slopes._named(slope, b, off * c, other, precision) == -1).all()


def test_what_is_kept_of_an_operator_is_for_these_settings_of_this_one_alone() -> None:
    """Settings that compare equal, other rules of one operator, another range: each is asked anew."""
    assert set(found(lambda x: x.sum(axis=0), (2, 2))) == {(j, j % 2) for j in range(4)}
    assert set(found(lambda x: x.sum(axis=1), (2, 2))) == {(j, j // 2) for j in range(4)}

    @primitive
    def passed_on(x: Array) -> Array:
        return x * 1

    for rule, count in ((lambda g, out, x: g, 3), (None, 0), (lambda g, out, x: g * 2, 3)):
        passed_on.defvjp(rule)
        assert len(found(passed_on, (3,))) == count
    assert not found(lambda x: x * np.array([0.0, 0.0]), (2,))
    assert len(found(lambda x: x * np.array([0.0, 1.0]), (2,))) == 1


def test_paths_that_cancel_are_paths_and_what_is_constant_has_none() -> None:
    both = dict.fromkeys([(0, 0), (1, 1)])
    assert found(lambda x: x - x, (2,)) == both
    assert set(found(lambda x: softmax(x).sum().reshape(1), (2,))) == {(0, 0), (1, 0)}
    assert found(lambda x: x * x, (2,)) == both  # the input is no parameter
    for nothing in (lambda x: x * 0, lambda x: x**0, lambda x: x.detach(), lambda x: x > 0, lambda x: Tensor([1.0])):
        assert found(nothing, (2,)) == {}


def test_order_statistics_have_all_their_wires() -> None:
    all_of_three = dict.fromkeys((j, 0) for j in range(3))
    assert found(lambda x: minimum(maximum(x[0:1], x[1:2]), x[2:3]), (3,)) == all_of_three
    assert found(lambda x: (x.sum() - x.max() - x.min()).reshape(1), (3,)) == all_of_three
    opened = found(lambda x: max_pool1d(-max_pool1d(-x, 3, stride=1), 3, stride=1), (1, 1, 7))
    assert set(opened) == {(j, i) for i in range(3) for j in range(i, i + 5)}
    assert set(found(lambda x: x.max().reshape(1), (150,))) == {(j, 0) for j in range(150)}


@pytest.mark.parametrize("bare", [False, True], ids=["in Tensors", "in bare arrays"])
def test_an_operator_of_the_readers_own_is_found_by_its_own_derivative(bare: bool) -> None:
    """Also where its rule computes with arrays, so that it cannot be differentiated once more."""

    @primitive
    def ordered(x: Array) -> Array:
        return np.sort(x)

    @primitive
    def doubled(x: Array) -> Array:
        return np.stack([x, x[::-1]], axis=1)

    @primitive
    def mean_of_three(x: Array, w: Array) -> Array:
        return w * (x + np.roll(x, 1) + np.roll(x, -1))

    def rolled(g: Tensor) -> Tensor:
        if bare:
            return Tensor(g.data + np.roll(g.data, 1) + np.roll(g.data, -1))
        return g + concatenate([g[-1:], g[:-1]]) + concatenate([g[1:], g[:1]])

    ordered.defvjp(lambda g, out, x: g[np.argsort(np.argsort(x.data))])
    doubled.defvjp(lambda g, out, x: Tensor(g.data[:, 0] + g.data[::-1, 1]) if bare else g[:, 0] + g[::-1, 1])
    mean_of_three.defvjp(lambda g, out, x, w: rolled(g * w), lambda g, out, x, w: g * rolled(x))
    assert set(found(ordered, (4,))) == set(product(range(4), repeat=2))
    assert set(found(doubled, (3,))) == {(j, 2 * j) for j in range(3)} | {(j, 2 * (2 - j) + 1) for j in range(3)}
    w = Tensor(np.ones(5), name="w")
    assert found(lambda x: mean_of_three(x, w), (5,)) == {
        (j % 5, i): ("w", i) for i in range(5) for j in (i - 1, i, i + 1)
    }


def test_an_operator_without_a_rule_is_the_engines_error_where_it_is_on_the_way() -> None:
    @primitive
    def mystery(x: Array) -> Array:
        return 2 * x

    with pytest.raises(NotImplementedError, match="mystery has no derivative yet"):
        connections(lambda x: mystery(x), 2)
    assert found(lambda x: x * mystery(Tensor([1.0, 2.0])), (2,)) == {(0, 0): None, (1, 1): None}
    w = Tensor([3.0, 4.0], name="w")
    assert found(lambda x: x * mystery(w), (2,)) == {(i, i): (("w", 0), ("w", 1)) for i in range(2)}


@given(st.sampled_from(["moves", "multiplies", "divides", "bends"]))
def test_a_parameter_is_carried_where_it_multiplies_and_not_where_it_moves(role: str) -> None:
    w = Tensor([0.0, 2.0, -1.0], name="w")
    layers: dict[str, Callable[[Tensor], Tensor]] = {
        "moves": lambda x: tanh(maximum(x + w, w) - w),
        "multiplies": lambda x: exp(w * x),
        "divides": lambda x: x / (1 + w * w),
        "bends": lambda x: (x - w) ** 2,
    }
    carried = role in ("multiplies", "divides")
    assert found(layers[role], (3,)) == {(i, i): ("w", i) if carried else None for i in range(3)}


@given(st.lists(st.sampled_from(["", "p0", "p1", "p2", "pp1", "w"]), min_size=1, max_size=4))
def test_every_parameter_has_a_name_of_its_own_whatever_some_are_called(names: list[str]) -> None:
    parameters = [Tensor([2.0, 3.0], name=name) for name in names]

    def layer(x: Tensor) -> Tensor:
        for parameter in parameters:
            x = x * parameter
        return x

    carried = found(layer, (2,))[0, 0]
    found_names = [carried[0]] if isinstance(carried[0], str) else [name for name, _ in carried]  # type: ignore
    assert len({*found_names}) == len(names)
    assert {name for name in names if name and names.count(name) == 1} <= {*found_names}


def test_what_multiplies_inside_an_operator_of_the_readers_own_is_carried() -> None:
    """Its slope depends on x and on the parameter: it multiplies where nothing is left without it."""

    @primitive
    def swish(x: Array, w: Array, b: Array) -> Array:
        return x * w / (1 + np.exp(-(x * w + b)))

    def slope(g: Tensor, x: Tensor, w: Tensor, b: Tensor, factor: Tensor) -> Tensor:
        s = sigmoid(x * w + b)
        return g * factor * (s + x * w * s * (1 - s))

    swish.defvjp(
        lambda g, out, x, w, b: slope(g, x, w, b, w),
        lambda g, out, x, w, b: slope(g, x, w, b, x),
        lambda g, out, x, w, b: g * x * w * sigmoid(x * w + b) * (1 - sigmoid(x * w + b)),
    )
    w, b = Tensor([1.0, -2.0, 0.0], name="w"), Tensor([0.5, 0.0, 1.0], name="b")
    assert found(lambda x: swish(x, w, b), (3,)) == {(i, i): ("w", i) for i in range(3)}


def test_a_weight_made_of_parameters_carries_them_all() -> None:
    v = Tensor([3.0, 4.0], name="v")
    wires = found(lambda x: x * v / minitensor.sqrt((v * v).sum()), (2,))
    assert wires == {(i, i): (("v", 0), ("v", 1)) for i in range(2)}


def test_zeros_say_which_wires_of_zero_are_there() -> None:
    w, kernel = Tensor([[[0.0, 1.0]]], name="w"), np.array([[[0.0, 1.0]]])
    for zeros in (None, True):
        assert set(connections(lambda x: conv1d(x, w), (1, 1, 3), zeros=zeros)) == {(0, 0), (1, 0), (1, 1), (2, 1)}
    assert connections(lambda x: conv1d(x, w), (1, 1, 3), zeros=False) == {(1, 0): ("w", 1), (2, 1): ("w", 1)}
    for zeros in (None, False):
        assert set(connections(lambda x: conv1d(x, kernel), (1, 1, 3), zeros=zeros)) == {(1, 0), (2, 1)}
    wires = connections(lambda x: conv1d(x, kernel), (1, 1, 3), zeros=True)
    assert wires == dict.fromkeys([(0, 0), (1, 0), (1, 1), (2, 1)])


def test_a_layer_that_computes_something_else_for_another_input_is_refused_with_the_place() -> None:
    with pytest.raises(
        ValueError, match=r"another input: \('index', \{'key'.*\}\), and then \('index', \{'key'.*\}\);"
    ):
        connections(lambda x: x[int(x.data.argmax())], 3)
    with pytest.raises(ValueError, match=r"same for every input.*`if` on a value"):
        connections(lambda x: -x if x.data.sum() > 0 else x, 3)


@pytest.mark.parametrize("shape", [(3,), (1, 1, 3), (1, 3, 1)])
def test_a_layer_that_depends_on_which_input_is_the_larger_in_size_is_refused(shape: tuple[int, ...]) -> None:
    """For x and -x it computes the same, and for multiples of them."""
    with pytest.raises(ValueError, match=r"same for every input.*`if` on a value"):
        connections(lambda x: -x if abs(x.data.flat[0]) > abs(x.data.flat[-1]) else x, shape)


def test_wires_are_found_where_nothing_is_recorded() -> None:
    with no_grad():
        assert found(lambda x: 2 * x, (2,)) == {(0, 0): None, (1, 1): None}


@pytest.mark.parametrize("shape", [0, (1, 0), (0, 3), (1, -2)])
def test_a_shape_without_units_is_refused_with_its_numbers(shape: int | tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=rf"input_shape \(={re.escape(str(shape))}\) has no units"):
        connections(nets.Conv1d(1, 1, 3), shape)


def test_a_layer_without_outputs_has_no_wires() -> None:
    assert found(lambda x: 2 * x[5:], (3,)) == {}


PIECEWISE: list[Callable[[Tensor], Tensor]] = [
    lambda u: u * 2, lambda u: u * u, lambda u: -u, lambda u: u / 3, tanh, relu, softplus, exp, minitensor.abs,
    lambda u: maximum(u, 0), lambda u: minimum(u, u[::-1]), lambda u: where(u > 0, u, 0), minitensor.cumsum,
    lambda u: concatenate([u, u[:0]]), lambda u: u * W[: u.size], lambda u: W[: u.size] + u,
    lambda u: u.reshape(1, -1)[0],
    lambda u: np.ones((u.size, u.size)) @ u, lambda u: minitensor.einsum("i,i->i", u, W[: u.size]),
    lambda u: u.sum() * u, lambda u: minitensor.pad(u, [(1, 1)])[1:-1],
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECEWISE), min_size=1, max_size=3), st.lists(st.integers(0, 3), max_size=4))
@settings(max_examples=12)
def test_what_is_empty_changes_no_wire(steps: list[Callable[[Tensor], Tensor]], cuts: list[int]) -> None:
    """Pieces of a vector, each computed with and joined again: those of no elements may as well be left out."""
    ends = [0, *sorted(cuts), 3, 3]  # at least one piece is empty

    def joined(x: Tensor, empty: bool) -> Tensor:
        pieces = [x[a:b] for a, b in pairwise(ends) if empty or a < b]
        for step in steps:
            pieces = [step(piece) for piece in pieces]
        whole = concatenate(pieces)
        return whole + sum(piece.sum() for piece in pieces if not piece.size) if empty else whole

    assert connections(lambda x: joined(x, True), 3) == connections(lambda x: joined(x, False), 3)


def test_what_is_no_tensor_is_no_output() -> None:
    wrong: list[Any] = [lambda x: (x, x), lambda x: x.data, lambda x: None]
    for layer in wrong:
        with pytest.raises(TypeError, match=r"must return a Tensor, and it returned (tuple|ndarray|NoneType)"):
            connections(layer, 2)
    with pytest.raises(TypeError, match="a layer is a Module, or a function of one Tensor, got int"):
        connections(5, 3)  # type: ignore[arg-type]


def test_a_network_of_sixty_thousand_parameters_is_followed_from_pixels_to_scores() -> None:
    wires = connections(nets.lenet(), (1, 32, 32), weights=False)
    assert set(wires) == set(product(range(1024), range(10)))
    with pytest.raises(ValueError, match=r"too many shared weights.*weights=False"):
        connections(nets.lenet(), (1, 32, 32))
