"""Group convolutions turn with the picture: f(g(x)) = g(f(x)), exactly, for every element of the group."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitensor import Tensor, as_tensor, gradients
from minitensor.finite import check_gradients
from nets import Conv2d, Module, ReLU
from nets.equivariance import equivariance_error
from nets.layers.group_conv import (
    TURNS_AND_MIRRORS,
    Element,
    GroupConv2d,
    GroupMaxPool,
    LiftingConv2d,
    act,
    group,
    transform,
)

from .checks import raises, same
from .strategies import rngs, whole

elements = st.sampled_from(TURNS_AND_MIRRORS)


def settled(layer: Module, rng: np.random.Generator) -> Module:
    """The layer with whole numbers as parameters, in float64."""
    layer.load_state_dict({n: whole(rng, [a.shape])[0] for n, a in layer.astype(np.float64).state_dict().items()})
    return layer


@st.composite
def cases(draw):
    """A lifting and a group convolution that fit each other, a picture, and an element of their group."""
    rng, reflections = draw(rngs), draw(st.booleans())
    c, m, o, k1, k2 = draw(st.tuples(*[st.integers(1, 2)] * 3, st.integers(1, 3), st.integers(1, 3)))
    p1, p2 = draw(st.integers(0, 1)), draw(st.integers(0, 1))
    lifting = settled(LiftingConv2d(c, m, k1, padding=p1, bias=draw(st.booleans()), reflections=reflections), rng)
    convolution = settled(GroupConv2d(m, o, k2, padding=p2, bias=draw(st.booleans()), reflections=reflections), rng)
    (x,) = whole(rng, [(2, c, draw(st.integers(5, 6)), draw(st.integers(5, 6)))])
    return lifting, convolution, x, draw(st.sampled_from(group(reflections)))


# -- the group ---------------------------------------------------------------------------------------------------------


@given(st.integers(-9, 9), st.booleans(), rngs)
def test_turns_are_quarter_turns_however_many(turns, mirrored, rng):
    """As NumPy's, counter-clockwise, after the mirror; four are none."""
    (x,) = whole(rng, [(2, 3)])
    same(transform(x, Element(turns, mirrored)), np.rot90(x[..., ::-1] if mirrored else x, turns))


@given(elements, elements, rngs)
def test_transforming_is_a_group_action(a, b, rng):
    """(ab)(x) = a(b(x)), and the inverse undoes."""
    (x,) = whole(rng, [(2, 3)])
    same(transform(x, a.after(b)), transform(transform(x, b), a))
    same(transform(transform(x, a), a.inverse()), x)
    assert a.after(a.inverse()) == Element() == a.inverse().after(a)


@given(elements, rngs)
def test_a_transform_is_what_numpy_does(element, rng):
    """Mirror left to right, then turn counter-clockwise."""
    (x,) = whole(rng, [(2, 3, 4)])
    mirrored = x[..., ::-1] if element.mirrored else x
    same(transform(x, element), np.rot90(mirrored, element.turns, axes=(-2, -1)))


@given(st.booleans(), rngs, st.data())
def test_acting_is_a_group_action(reflections, rng, data):
    """act(act(y, b), a) = act(y, ab)."""
    a, b = (data.draw(st.sampled_from(group(reflections))) for _ in range(2))
    (y,) = whole(rng, [(1, 2, len(group(reflections)), 2, 3)])
    same(act(y, a.after(b)), act(act(y, b), a))


@pytest.mark.parametrize("reflections", [False, True])
def test_the_group_is_closed(reflections):
    """Doing one element after another is an element, and each comes up once for each."""
    members = group(reflections)
    for a in members:
        assert {a.after(b) for b in members} == set(members)


# -- the law -----------------------------------------------------------------------------------------------------------


@given(cases())
def test_a_lifting_turns_with_the_picture(case):
    """lift(g(x)) = act(lift(x), g)."""
    lifting, _, x, g = case
    same(lifting(transform(x, g)), act(lifting(x), g))


@given(cases())
def test_a_group_convolution_turns_with_the_picture(case):
    """conv(act(y, g)) = act(conv(y), g), for what a lifting returned."""
    lifting, convolution, x, g = case
    y = lifting(x)
    same(convolution(act(y, g)), act(convolution(y), g))


@given(cases())
def test_a_network_of_them_turns_with_the_picture(case):
    """net(g(x)) = g(net(x)), with the strongest position at the end, and sum(net(g(x))) = sum(net(x))."""
    lifting, convolution, x, g = case

    def net(x):
        return GroupMaxPool()(convolution(ReLU()(lifting(x))))

    same(net(transform(x, g)), transform(net(x), g))
    same(net(transform(x, g)).sum(axis=(2, 3)), net(x).sum(axis=(2, 3)))
    error = equivariance_error(net, lambda x: transform(x, g), x, tries=3)
    assert error.counterexample is None


@given(cases(), st.tuples(st.integers(0, 2), st.integers(0, 2)))
def test_they_still_move_with_the_picture(case, shift):
    """Without a margin, a crop of the picture gives a crop of every map, as for any convolution."""
    lifting, _, x, _ = case
    lifting.padding = 0
    down, to_the_right = shift
    cut = (slice(None), slice(None), slice(None), slice(down, None), slice(to_the_right, None))
    same(lifting(x[:, :, down:, to_the_right:]), lifting(x)[cut])


def test_a_convolution_does_not_turn():
    """The same question asked of Conv2d has a counterexample, a single pixel."""
    layer = settled(Conv2d(1, 1, 2, bias=False), np.random.default_rng(0))
    error = equivariance_error(layer, lambda x: transform(x, Element(1)), np.zeros((1, 1, 3, 3)))
    assert error.counterexample.sum() == 1


# -- what it is made of ------------------------------------------------------------------------------------------------


@given(cases())
def test_the_first_position_is_a_convolution(case):
    """Map 0 of a lifting is the convolution with the kernel as it is."""
    lifting, _, x, _ = case
    plain = Conv2d(lifting.in_channels, lifting.out_channels, lifting.kernel_size, padding=lifting.padding)
    plain.weight, plain.bias = lifting.weight, lifting.bias
    same(lifting(x)[:, :, 0], plain(x))


@given(cases())
def test_all_positions_share_a_kernel(case):
    """The gradient of the kernel is the sum of those of its turned copies, each turned back."""
    lifting, _, x, _ = case
    weight = lifting.weight
    (whole_gradient,) = gradients(lifting(x).sum(), [weight])
    parts = []
    for g in group(lifting.reflections):
        copy = Tensor(transform(weight, g).data)
        plain = Conv2d(lifting.in_channels, lifting.out_channels, lifting.kernel_size, padding=lifting.padding)
        plain.weight, plain.bias = copy, None
        (part,) = gradients(plain(x).sum(), [copy])
        parts.append(transform(part, g.inverse()).data)
    same(whole_gradient, sum(parts))


@pytest.mark.parametrize("reflections", [False, True])
def test_gradients_flow_through_turned_kernels(reflections):
    """First and second derivatives, by the input and by both kernels, are slopes."""
    rng = np.random.default_rng(0)
    lifting = LiftingConv2d(1, 1, 2, reflections=reflections).astype(np.float64)
    convolution = GroupConv2d(1, 1, 2, reflections=reflections).astype(np.float64)

    def f(x, w, v):
        lifting.weight, convolution.weight = as_tensor(w), as_tensor(v)
        return convolution(lifting(as_tensor(x)).tanh())

    check_gradients(f, rng.normal(size=(1, 1, 3, 3)), lifting.weight, convolution.weight)


@pytest.mark.parametrize("act_so", [act, transform])
def test_what_is_no_symmetry_is_told(act_so):
    for wrong in (1, (1, False), None):
        with raises(TypeError, f"element (={wrong})", "no Element"):
            act_so(np.zeros((1, 1, 4, 2, 2)), wrong)
    with raises(ValueError, "G = 4", "mirrored=True"):
        act(np.zeros((1, 1, 4, 2, 2)), Element(mirrored=True))


def test_shapes_that_do_not_fit_are_told():
    """Errors echo the values."""
    with raises(ValueError, "(2, 3)"):
        LiftingConv2d(1, 1, 1)(np.zeros((2, 3)))
    with raises(ValueError, "(N, 2, 4, H, W)", "(1, 2, 8, 3, 3)"):
        GroupConv2d(2, 1, 1)(np.zeros((1, 2, 8, 3, 3)))
    for shape in ((1, 1, 6, 1, 1), (1, 1, 4, 1), (4,)):
        with raises(ValueError, "(N, C, G, H, W)", shape):
            act(np.zeros(shape), Element(turns=1))
    for layer in (LiftingConv2d, GroupConv2d):
        with raises(ValueError, "kernel_size", "0"):
            layer(1, 1, 0)
        with raises(ValueError, "padding", "-1"):
            layer(1, 1, 1, padding=-1)
        with raises(ValueError, "kernel_size (=(2, 3))", "same along both axes"):
            layer(1, 1, (2, 3))
        with raises(TypeError, "rng", "0"):  # a seed is no generator
            layer(1, 1, 1, rng=0)


def test_costs_are_those_of_the_convolution_that_is_done():
    """Each unit of each position has the kernel's inputs, and a bias."""
    layer = GroupConv2d(2, 3, 3)
    x = np.zeros((1, 2, 4, 5, 5), np.float32)
    y = layer(x)
    cost = layer.cost(x.shape[1:], y.shape[1:])
    assert cost.macs == 3 * 4 * 3 * 3 * (2 * 4 * 9)
    assert cost.connections == cost.macs + 3 * 4 * 3 * 3
    assert GroupMaxPool().cost((3, 4, 3, 3), (3, 3, 3)).connections == 4 * 3 * 3 * 3
