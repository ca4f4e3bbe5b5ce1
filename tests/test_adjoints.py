"""<f(x), y> = <x, f*(y)>, exactly: for a linear map, the rule *is* the adjoint.

This one law sees every mistake in a gradient of a linear map (a wrong stride, a share lost, an axis swapped) without a
tolerance, because the values are whole numbers.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minitensor as mt
from minitensor import Tensor, gradients

from .operators import LAYERS, OPERATORS
from .strategies import SETTINGS, convolutions, dtypes, pools, rngs, transposed_convolutions, whole, whole_numbers

LINEAR = {name: row for name, row in OPERATORS.items() if row.linear}


def inner(a, b) -> float:
    return float((a.data * b.data).sum())


def assert_adjoint(f, xs, i, y):
    """f is linear in its i-th input: the gradient by it, for the seed y, is the adjoint at y."""
    xs = [Tensor(x) for x in xs]
    y = Tensor(y)
    out = f(*xs)
    (back,) = gradients(out, [xs[i]], y)
    assert inner(out, y) == inner(xs[i], back)
    (forth,) = gradients(back, [y], xs[i])  # the adjoint is linear in y, and its own adjoint is f
    np.testing.assert_array_equal(forth.data, out.data, strict=True)


@pytest.mark.parametrize("name", LINEAR)
@given(data=st.data(), rng=rngs)
def test_the_rule_of_a_linear_map_is_its_adjoint(name, data, rng):
    """<f(x), y> = <x, f*(y)>, and f** = f, for each input in which f is linear."""
    row = LINEAR[name]
    f, shapes = data.draw(row.cases)
    xs = [7560 * x for x in whole(rng, shapes)]  # so that a mean over 2, 3, ... elements leaves no rest
    (y,) = whole(rng, [f(*map(Tensor, xs)).shape])
    for i in row.linear:
        assert_adjoint(f, xs, i, 7560 * y)


@pytest.mark.parametrize("name", LAYERS)
@given(data=st.data(), rng=rngs)
def test_a_layer_is_linear_in_its_input_and_in_its_kernel(name, data, rng):
    """Without its bias a layer is linear in x and in w, and both rules are adjoints."""
    f, shapes = data.draw(OPERATORS[name].cases)
    xs = whole(rng, shapes[:2])
    (y,) = whole(rng, [f(*map(Tensor, xs)).shape])
    for i in (0, 1):
        assert_adjoint(f, xs, i, y)


@given(st.data(), rngs, st.sampled_from([np.concatenate, np.stack]))
def test_joining_and_cutting_up_are_adjoint(data, rng, joined):
    """<concatenate(a, b, ...), y> = <a, part of y> + <b, part of y> + ..., and so for stack."""
    f, shapes = data.draw(OPERATORS[joined.__name__].cases)
    xs = [Tensor(x) for x in whole(rng, shapes)]
    out = f(*xs)
    y = Tensor(whole(rng, [out.shape])[0])
    backs = gradients(out, xs, y)
    assert inner(out, y) == sum(inner(x, back) for x, back in zip(xs, backs, strict=True))


@given(pools(2, ("stride", "padding", "dilation", "ceil_mode")), rngs)
def test_routing_and_picking_are_adjoint(pool, rng):
    """For given x, max pooling's rule writes to the cells it chose and that one's rule reads them: adjoint maps."""
    shape, k, settings = pool
    (x,) = whole(rng, [shape])
    x = Tensor(x)
    y = mt.max_pool2d(x, k, **settings)
    v, g = map(Tensor, whole(rng, [shape, y.shape]))
    (routed,) = gradients(y, [x], g)
    (picked,) = gradients(routed, [g], v)
    assert inner(picked, g) == inner(v, routed)
    finite = np.where(np.isfinite(y.data), y.data, 0)  # a window that sees no input picks from the margin: nothing
    np.testing.assert_array_equal(gradients(routed, [g], x)[0].data, finite, strict=True)
    (again,) = gradients(picked, [v], g)  # and reading's own rule is writing
    np.testing.assert_array_equal(again.data, routed.data, strict=True)


@given(convolutions(2), rngs, dtypes)
def test_transposed_convolution_is_the_adjoint_of_convolution(g, rng, dtype):
    """<conv(x, w), y> = <x, conv_transpose(y, w)>: the same kernel and settings, read the other way."""
    x, w, y = (Tensor(a.astype(dtype)) for a in whole(rng, [g.x, g.w, g.y]))
    lines = zip(g.x[2:], g.y[2:], g.w[2:], *(g.settings[name] for name in SETTINGS), strict=True)
    extra = tuple(n - ((m - 1) * s - 2 * p + d * (k - 1) + 1) for n, m, k, s, p, d in lines)
    back = mt.conv_transpose2d(y, w, **g.settings, output_padding=extra)
    assert back.shape == g.x
    assert inner(mt.conv2d(x, w, **g.settings), y) == inner(x, back)
    np.testing.assert_array_equal(gradients(mt.conv2d(x, w, **g.settings), [x], y)[0].data, back.data, strict=True)


@given(transposed_convolutions(undoing=True), rngs)
def test_convolution_is_the_adjoint_of_transposed_convolution(g, rng):
    """The gradient of a transposed convolution by its input is the convolution."""
    x, w, y = (Tensor(a) for a in whole(rng, [g.x, g.w, g.y]))
    settings = {name: value for name, value in g.settings.items() if name != "output_padding"}
    (back,) = gradients(mt.conv_transpose2d(x, w, **g.settings), [x], y)
    np.testing.assert_array_equal(back.data, mt.conv2d(y, w, **settings).data, strict=True)


@given(st.data())
def test_broadcasting_and_summing_are_adjoint(data):
    """Repeating along an axis and summing over it: <broadcast(x), y> = <x, sum(y)>."""
    x, y = data.draw(whole_numbers((2, 1, 3), (4, 2, 5, 3)))
    assert inner(mt.broadcast_to(x, y.shape), Tensor(y)) == inner(Tensor(x), mt.sum(y, axis=(0, 2)).reshape(2, 1, 3))
