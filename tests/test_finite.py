"""The measuring instrument itself: finite differences, and the check that is built on them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitensor import Tensor, primitive
from minitensor.finite import check_gradients, slope

from .strategies import reals, rngs, shapes


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=5), st.integers(-2, 2))
def test_slope_is_right_for_polynomials_of_degree_4(coefficients, at):
    """The formula's error begins with the fifth derivative."""
    p = np.polynomial.Polynomial(coefficients)

    def f(x):
        y = Tensor(0.0)
        for c in reversed(coefficients):
            y = y * x + c
        return y

    found = slope(f, [np.array(float(at))], [np.array(1.0)], step=0.125)
    np.testing.assert_allclose(found, p.deriv()(at), atol=1e-9)


@given(shapes(), rngs)
def test_slope_is_along_a_direction(shape, rng):
    """The slope of sum(a x) along v is <a, v>, over several inputs the sum."""
    a, b, x, y, v, w = reals(rng, [shape] * 6)
    found = slope(lambda x, y: (a * x).sum() + (b * y).sum(), [x, y], [v, w])
    np.testing.assert_allclose(found, (a * v).sum() + (b * w).sum(), atol=1e-9)


@given(st.floats(-1, 1))
def test_the_error_of_slope_is_its_formula(at):
    """h^4 f^(5) / 30, which for exp is known; with the step that is the default it is less than rounding."""
    x, one = [np.array(at)], [np.array(1.0)]
    for h in (0.1, 0.05):
        error = np.exp(at) - slope(Tensor.exp, x, one, step=h)
        np.testing.assert_allclose(error, h**4 * np.exp(at) / 30, rtol=h)
    np.testing.assert_allclose(slope(Tensor.exp, x, one), np.exp(at), rtol=1e-10)


def square(*rules):
    @primitive
    def square(x):
        return x * x

    square.defvjp(*rules)
    return square


@given(shapes(), rngs)
def test_right_rules_pass(shape, rng):
    """And the largest deviation is returned, far below the tolerance."""
    (x,) = reals(rng, [shape])
    assert check_gradients(square(lambda g, out, x: 2 * g * x), x, order=3) < 1e-8


@pytest.mark.parametrize(("rule", "order"), [
    (lambda g, out, x: g * x, 1),  # a factor is missing
    (lambda g, out, x: 2 * g * x + 1e-4, 1),  # a little too much
    (lambda g, out, x: 2 * g * Tensor(x.data), 2),  # drops the graph
    (lambda g, out, x: 2 * g.detach() * x, 2),  # drops that of the gradient that arrives
], ids=["factor", "offset", "graph of x", "graph of g"])  # fmt: skip
def test_a_wrong_rule_is_found_at_its_order(rule, order):
    """AssertionError that names the order and both numbers; one order below, nothing is wrong yet."""
    f, x = square(rule), np.array([0.5, -1.0, 2.0])

    def bent(x):
        y = f(x)
        return y + y * y

    if order == 2:
        check_gradients(bent, x, order=1)
    with pytest.raises(AssertionError, match=rf"order {order}: the rules give .*, finite differences give .*"):
        check_gradients(bent, x, order=2)


def test_two_orders_are_checked_unless_told():
    """x^2 whose second derivative is lost is found; x^3 whose third is lost is found only by who asks for it."""
    dropped = square(lambda g, out, x: 2 * g * Tensor(x.data))
    check_gradients(dropped, np.array(1.5), order=1)
    with pytest.raises(AssertionError, match="order 2"):
        check_gradients(dropped, np.array(1.5))

    @primitive
    def stuck(x):
        return x + 0

    stuck.defvjp(None)

    @primitive
    def cube(x):
        return x * x * x

    cube.defvjp(lambda g, out, x: 3 * g * square(lambda g, out, x: 2 * g * stuck(x))(x))
    check_gradients(cube, np.array(1.5))
    with pytest.raises(AssertionError, match="order 3"):
        check_gradients(cube, np.array(1.5), order=3)


@given(rngs, st.floats(0.1, 0.5))
def test_the_deviation_is_relative_to_the_larger_of_1_and_both_sides(rng, excess):
    """A rule that gives 1 + e times the derivative s deviates by e |s| / max(1, (1 + e) |s|)."""

    @primitive
    def same(x):
        return x + 0

    same.defvjp(lambda g, out, x: (1 + excess) * g)
    seed = rng.integers(2**32)

    def deviation(scale, tolerance=1):
        rng = np.random.default_rng(seed)
        return check_gradients(lambda x: same(x) * scale, 0.0, order=1, tolerance=tolerance, rng=rng)

    with pytest.raises(AssertionError) as error:
        deviation(scale=1, tolerance=0)
    s = abs(float(str(error.value).split()[-1]))  # the derivative along the direction that is drawn
    for wanted in (0.5, 0.9, 1.5, 4.0):
        expected = excess * wanted / max(1, (1 + excess) * wanted)
        np.testing.assert_allclose(deviation(wanted / s), expected, rtol=1e-4)


def test_what_agrees_exactly_passes_without_tolerance():
    """A function that does not move, under rules that say so."""
    assert check_gradients(lambda x: 0 * x, np.ones(3), tolerance=0) == 0


def test_errors_that_cancel_are_found():
    """Too much here and as much too little there: a random direction sees it, that of all ones would not."""
    f = square(lambda g, out, x: 2 * g * x + Tensor([0.1, -0.1]))
    with pytest.raises(AssertionError, match="order 1"):
        check_gradients(lambda x: f(x).sum(), np.array([1.0, 2.0]))


def test_a_derivative_that_is_not_a_number_is_found():
    """nan is no agreement."""
    f = square(lambda g, out, x: g * float("nan"))
    with pytest.raises(AssertionError, match="nan"):
        check_gradients(f, np.array(1.0))


@pytest.mark.parametrize("order", [0, -1, 1.5])
def test_there_is_an_order_to_check(order):
    """Less than the first derivative, or a part of one, is an error with the value, and no agreement."""
    with pytest.raises((TypeError, ValueError), match=rf"order \(={order}\)"):
        check_gradients(lambda x: x, np.ones(3), order=order)


@pytest.mark.parametrize("value", [3.0, np.ones(2), None])
def test_only_functions_of_tensors_are_checked(value):
    """What returns something else has lost its recipe: a TypeError that names it."""
    with pytest.raises(TypeError, match=type(value).__name__):
        check_gradients(lambda x: value, np.ones(2))


def test_every_input_is_checked():
    """A rule that is wrong for the second input only is found; integers and float32 are checked as float64."""

    @primitive
    def product(x, y):
        return x * y

    product.defvjp(lambda g, out, x, y: g * y, lambda g, out, x, y: g * x)
    check_gradients(product, np.float32(2), 3)
    product.defvjp(lambda g, out, x, y: g * y, lambda g, out, x, y: g * y)
    with pytest.raises(AssertionError):
        check_gradients(product, np.float32(2), 3)
