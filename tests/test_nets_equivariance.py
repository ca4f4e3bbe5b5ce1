"""The tool that says where f(g(x)) = g(f(x)) holds is right about layers of which that is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minitensor as mt
from nets.equivariance import equivariance_error

from .checks import raises
from .strategies import rngs, whole


def right(shift):
    return lambda x: np.roll(x, shift, axis=-1)


@given(rngs, st.integers(1, 6), st.integers(1, 3), st.integers(0, 6))
def test_an_equivariant_layer_has_no_error(rng, n, k, shift):
    """On a ring a convolution moves with the picture: the law holds in every cell, and there is no counterexample."""
    x, w = whole(rng, [(1, 1, n), (1, 1, k)])

    def f(x):
        return mt.conv1d(mt.pad(x, [(0, 0), (0, 0), (0, k - 1)], "wrap"), w)

    error = equivariance_error(f, right(shift), x)
    assert error.holds.all()
    assert error.holds.shape == (1, 1, n)
    assert error.deviation == 0
    assert error.counterexample is None
    assert str(error) == f"f(g(x)) = g(f(x)) in all {n} output cells"


@given(st.integers(1, 2), st.integers(1, 3), st.integers(0, 4))
def test_the_domain_is_exact(p, shift, more):
    """With a margin of zeros the law holds just where the window sees only what came along, or only what came round."""
    n = shift + 2 * p + 1 + more
    x = np.arange(1.0, n + 1).reshape(1, 1, n)

    def f(x):
        return mt.conv1d(x, np.ones((1, 1, 2 * p + 1)), padding=p)

    error = equivariance_error(f, right(shift), x)
    along = [shift <= w - p and w + p < n for w in range(n)]
    round_the_border = [w - p >= 0 and w + p < shift for w in range(n)]
    assert error.holds[0, 0].tolist() == [a or b for a, b in zip(along, round_the_border, strict=True)]


@given(rngs, st.sampled_from([(1, 1, 5), (1, 2, 3, 4)]))
def test_the_counterexample_is_one_and_is_small(rng, shape):
    """It breaks the law, and nothing in it can be left out; for a linear layer it is a single 1."""
    x, w = whole(rng, [shape, shape[2:]])

    def f(x):
        return mt.as_tensor(x) * w  # a locally connected layer with 1 x 1 kernels

    error = equivariance_error(f, right(1), x)
    if (np.roll(w, 1, axis=-1) == w).all():
        assert error.counterexample is None
        return
    smallest = error.counterexample
    assert sorted(smallest[smallest != 0]) == [1]
    assert (f(right(1)(smallest)).data != right(1)(f(smallest).data)).any()
    assert "A small picture" in str(error)


@given(rngs)
def test_the_deviation_is_that_of_the_picture(rng):
    """It is the largest difference between the two sides, for the x that was given."""
    x, w = whole(rng, [(1, 1, 6), (1, 1, 6)])
    error = equivariance_error(lambda x: mt.as_tensor(x) * w, right(1), x)
    assert error.deviation == np.abs(right(1)(x) * w - right(1)(x * w)).max()


def test_a_nonlinear_layer_may_need_two_numbers():
    """A product of two pixels is not homogeneous, and it takes both to see it: the pair is found."""

    def f(x):
        return mt.as_tensor(x)[..., :1] * mt.as_tensor(x)[..., 1:]

    error = equivariance_error(f, lambda x: 2 * np.asarray(x), np.array([3.0, -2.0]))
    assert error.counterexample.tolist() == [1, 1]
    assert error.deviation == 12


def test_rounding_can_be_allowed_for():
    """A tolerance makes equal what differs in its last digits."""

    def f(x):
        return mt.as_tensor(x) * 0.1

    x = np.array([0.1, 0.2, 0.7])
    assert equivariance_error(f, lambda x: np.asarray(x) * 3, x, tolerance=1e-12).counterexample is None


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_a_number_on_both_sides_agrees(value):
    """nan and nan, or inf and inf, are the same answer; a number and nan are not, and a picture shows it."""
    assert equivariance_error(lambda x: np.full(3, value), lambda x: x[::-1], np.arange(3.0)).holds.all()
    error = equivariance_error(lambda x: np.where(np.arange(3) == 0, value, x), np.flip, np.arange(3.0))
    assert error.holds.tolist() == [False, True, False]
    assert error.counterexample is not None and "in 1 of 3 output cells" in str(error)


def test_something_else_may_stand_behind_f():
    """after is g's stand-in on the other side: the sum of a moved picture is the sum."""
    error = equivariance_error(np.sum, right(1), np.arange(4.0), after=lambda y: y)
    assert error.holds.all()


def test_a_number_of_tries_is_not_negative():
    with raises(ValueError, "tries (=-1)"):
        equivariance_error(np.sin, np.cos, np.zeros(3), tries=-1)


def test_shapes_must_agree():
    """Both shapes are shown."""
    with pytest.raises(ValueError, match=r"\(2,\) and g\(f\(x\)\) \(3,\)"):
        equivariance_error(
            lambda x: x, lambda x: np.resize(x, 2 if len(x) == 4 else 3), np.arange(4.0), after=lambda x: x[:3]
        )
