"""Values at the points where a derivative is a choice: ties, corners and limits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minitensor as mt
from minitensor import Tensor, gradients

from .strategies import axes_of, rngs, shapes, shapes_that_broadcast, whole, whole_numbers


def slopes(f, *xs):
    xs = [Tensor(x) for x in xs]
    return [g.data for g in gradients(f(*xs), xs)]


def bends(f, x):
    x = Tensor(x)
    return gradients(gradients(f(x), [x])[0], [x])[0].data


# -- what does not pass ------------------------------------------------------------------------------------------------

CHOICES = {
    "relu": mt.relu,
    "clip": lambda x: mt.clip(x, -1, 1),
    "maximum": lambda x: mt.maximum(x, 0) + mt.maximum(0, x),
    "minimum": lambda x: mt.minimum(x, 0) + mt.minimum(0, x),
    "max": lambda x: mt.max(x, axis=-1),
    "min": lambda x: mt.min(x, axis=-1),
    "max_pool1d": lambda x: mt.max_pool1d(x, 2, stride=1, padding=1),
    "max_pool2d": lambda x: mt.max_pool2d(x[..., None], (3, 1), stride=2),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", CHOICES)
@given(st.integers(3, 6), rngs)
def test_where_nothing_passes_an_infinite_gradient_does_not_either(name, dtype, n, rng):
    """Not chosen means 0, and not g * 0: an infinite g passes where g = 1 does, and nowhere is it not a number."""
    x = Tensor(whole(rng, [(1, 2, n)])[0].astype(dtype))
    y = CHOICES[name](x)
    given_ = rng.integers(0, 2, y.shape).astype(dtype)
    (passed,) = gradients(y, [x], given_)
    (infinite,) = gradients(y, [x], np.where(given_ > 0, np.inf, 0).astype(dtype))
    np.testing.assert_array_equal(infinite.data, np.where(passed.data > 0, np.inf, 0))


@given(rngs)
def test_a_power_of_0_has_the_derivatives_that_it_has_for_a_plain_exponent(rng):
    """For whole numbers in y, x ** y is x ** n for each: two derivatives too, at 0 too."""
    x, exponents = np.where(rng.random(4) < 0.5, 0, rng.integers(1, 4, 4)).astype(float), rng.integers(0, 4, 4)

    def plain(x):
        return mt.stack([x[i] ** int(n) for i, n in enumerate(exponents)])

    for of in (slopes, lambda f, x: [bends(f, x)]):
        np.testing.assert_array_equal(of(lambda x: x ** exponents.astype(float), x)[0], of(plain, x)[0])


# -- corners -----------------------------------------------------------------------------------------------------------


@given(shapes().flatmap(whole_numbers))
def test_relu_is_flat_at_0(x):
    """Its derivative is 1 for x > 0, else 0."""
    np.testing.assert_array_equal(slopes(mt.relu, x)[0], x > 0)


@given(shapes().flatmap(whole_numbers), st.sampled_from([0.5, 0.0, -1.0]))
def test_leaky_relu_has_its_slope_at_0(x, slope):
    """Its derivative is 1 for x > 0, else the slope."""
    np.testing.assert_array_equal(slopes(lambda x: mt.leaky_relu(x, slope), x)[0], np.where(x > 0, 1, slope))


@given(shapes().flatmap(whole_numbers))
def test_abs_is_flat_at_0(x):
    """Its derivative is the sign, which is 0 at 0, and whose own derivative is 0."""
    np.testing.assert_array_equal(slopes(mt.abs, x)[0], np.sign(x))
    np.testing.assert_array_equal(bends(mt.abs, x), 0 * x)


@given(shapes().flatmap(whole_numbers), st.integers(-2, 2), st.integers(0, 2))
def test_clip_lets_the_gradient_pass_on_its_limits(x, low, width):
    """Its derivative is 1 from low to high, both included, else 0; where low = high it passes there."""
    inside = (x >= low) & (x <= low + width)
    np.testing.assert_array_equal(slopes(lambda x: mt.clip(x, low, low + width), x)[0], inside)


@pytest.mark.parametrize("norm", [1, 2, 2.5, 3, 4])
@given(rng=rngs)
def test_lp_pool_is_flat_where_all_is_0(norm, rng):
    """A window of zeros has value 0 and derivative 0, of order 1 and 2; beside it nothing changes."""
    (x,) = whole(rng, [(1, 1, 6)])
    x[..., 2:4] = 0
    y = Tensor(x)
    first, second = (
        slopes(lambda x: mt.lp_pool1d(x, 2, norm=norm), x)[0],
        bends(lambda x: mt.lp_pool1d(x, 2, norm=norm), x),
    )
    assert mt.lp_pool1d(y, 2, norm=norm).data[..., 1] == 0
    assert np.isfinite(first).all()
    assert np.isfinite(second).all()
    assert not first[..., 2:4].any()
    assert not second[..., 2:4].any()


@pytest.mark.parametrize("exponent", [0, 1, 2, 3, 2.0, 3.0])
def test_powers_have_derivatives_at_0(exponent):
    """x ** n is a polynomial, at 0 too: all its derivatives there are numbers, and the n-th is n!."""
    x = Tensor([0.0, 1.0, -2.0])
    y, factor = x**exponent, 1.0
    for order in range(1, 5):
        (y,) = gradients(y, [x])
        factor *= exponent - order + 1
        expected = factor * x.data ** max(exponent - order, 0) if factor else np.zeros(3)
        np.testing.assert_array_equal(y.data, expected)


def test_the_derivative_by_the_exponent_is_0_where_the_base_is_0():
    """0 ** y is flat in y > 0."""
    by_base, by_exponent = slopes(lambda x, y: x**y, np.array([0.0, 2.0]), np.array([2.0, 3.0]))
    np.testing.assert_array_equal(by_base, [0.0, 12.0])
    np.testing.assert_array_equal(by_exponent, [0.0, 8 * np.log(2.0)])


@given(st.integers(-4, 4))
def test_the_derivative_by_the_exponent_is_0_where_the_base_is_negative(y):
    """(-2) ** y is a number at whole y only, so 0 is taken for its derivative by y; that by the base is the usual."""
    by_base, by_exponent = slopes(lambda x, y: x**y, np.array(-2.0), np.array(float(y)))
    assert by_base == y * (-2.0) ** (y - 1)
    assert by_exponent == 0


# -- ties --------------------------------------------------------------------------------------------------------------


@given(shapes_that_broadcast(), rngs)
def test_maximum_and_minimum_give_a_tie_to_the_first(both, rng):
    """Where x = y, x gets all of the gradient and y none; nothing is lost or paid twice."""
    x, y = whole(rng, both)
    for f, x_wins in ((mt.maximum, x >= y), (mt.minimum, x <= y)):
        for g, taken in zip(slopes(f, x, y), (x_wins, ~x_wins), strict=True):
            extra = tuple(range(taken.ndim - g.ndim))
            stretched = tuple(i + len(extra) for i, n in enumerate(g.shape) if n == 1)
            np.testing.assert_array_equal(g, taken.sum(axis=extra + stretched, keepdims=True).reshape(g.shape))


@given(st.data(), shapes(), st.booleans())
def test_max_and_min_give_a_tie_to_the_first(data, shape, keepdims):
    """Over any axes: the first largest in reading order gets all of the gradient."""
    x = data.draw(whole_numbers(shape))
    axis = data.draw(axes_of(len(shape)))
    axes = tuple(range(len(shape))) if axis is None else tuple(a % len(shape) for a in np.atleast_1d(axis).astype(int))
    for f, sign in ((mt.max, 1), (mt.min, -1)):
        expected, seen = np.zeros(shape), {}
        for at in np.ndindex(shape):  # reading order, so a later one replaces only a smaller one
            group = tuple(i for a, i in enumerate(at) if a not in axes)
            if group not in seen or sign * x[at] > sign * x[seen[group]]:
                seen[group] = at
        for at in seen.values():
            expected[at] = 1
        for order in (axis, axes, axes[::-1]):
            np.testing.assert_array_equal(slopes(lambda x, f=f, o=order: f(x, o, keepdims), x)[0], expected)


@given(st.integers(1, 3), st.integers(1, 3), rngs)
def test_maxout_gives_a_tie_to_the_first_piece(o, pieces, rng):
    """Of equal pieces the first gets the gradient, and the others none."""
    (x,) = whole(rng, [(2, o * pieces, 2)])
    expected = np.zeros((2, o, pieces, 2))
    first = x.reshape(2, o, pieces, 2).argmax(axis=2)
    np.put_along_axis(expected, first[:, :, None], 1, axis=2)
    np.testing.assert_array_equal(slopes(lambda x: mt.maxout(x, pieces), x)[0], expected.reshape(x.shape))


@given(shapes(min_dims=1).flatmap(whole_numbers))
def test_a_gradient_is_neither_lost_nor_paid_twice(x):
    """With ties everywhere: the gradients of any maximum add up to the number of its outputs."""
    image = np.zeros((1, 1, 4, 4)) + x.sum()
    for f, at in (
        (mt.max, x * 0),
        (lambda x: mt.max_pool2d(x, 2), image),
        (lambda x: mt.max_pool2d(x, 3, stride=1), image),
    ):
        y = f(Tensor(at))
        assert slopes(f, at)[0].sum() == y.size
