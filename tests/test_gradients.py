"""Derivatives of every operator, against what a derivative is: how much the value moves."""

from __future__ import annotations

import pkgutil
from importlib import import_module

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minitensor as mt
from minitensor import Primitive, Tensor, gradients, history
from minitensor.finite import check_gradients

from .operators import OPERATORS, RULES
from .strategies import few, rngs

NOT_OPERATORS = {
    "Primitive", "Tensor", "Windows", "as_tensor", "backward", "formula", "gradients", "hessian", "history", "jacobian",
    "no_grad", "primitive", "zeros", "ones", "full", "arange", "randn", "argmax", "program",
    "compiled",
}  # fmt: skip
EVERYTHING = {**OPERATORS, **RULES}


def bent(f):
    """f + f^2 / 2: where f is linear or flat its second derivative says nothing, and that of this says all."""

    def g(*xs):
        y = f(*xs)
        return y + y * y / 2

    return g


@pytest.mark.parametrize("name", EVERYTHING)
@given(data=st.data(), rng=rngs)
def test_gradients_of_order_1_and_2_are_slopes(name, data, rng):
    """v^T df/dx is the slope of f along v, and the same holds for df/dx itself."""
    row = EVERYTHING[name]
    f, shapes = data.draw(row.cases)
    check_gradients(bent(f), *row.values(rng, shapes), order=2, rng=rng)


def test_every_exported_operator_has_a_row():
    """No operator without a row in the table."""
    exported = {name for name, thing in vars(mt).items() if callable(thing) and not name.startswith("_")}
    assert exported - NOT_OPERATORS <= set(OPERATORS)


def primitives():
    names = [module.name for module in pkgutil.walk_packages(mt.__path__, "minitensor.")]
    return {p for name in names for p in vars(import_module(name)).values() if isinstance(p, Primitive)}


def test_every_primitive_is_differentiated_by_some_row():
    """The derivatives that are checked above pass through the rules of every primitive there is."""
    used = set()

    @settings(max_examples=5)
    @given(st.data(), rngs)
    def differentiate(data, rng):
        for row in EVERYTHING.values():
            f, shapes = data.draw(row.cases)
            xs = [Tensor(x) for x in row.values(rng, shapes)]
            first = sum(g.sum() for g in gradients(bent(f)(*xs), xs))
            used.update(t.primitive for t in history(first))

    differentiate()
    assert {p.name for p in primitives() - used if p.vjp(0) is not None} == set()


@pytest.mark.parametrize("name", OPERATORS)
@few
@given(data=st.data(), rng=rngs)
def test_gradients_add_up_in_the_shape_of_their_input(name, data, rng):
    """d(f + 2 f)/dx = 3 df/dx, with every input used twice; and it has x's shape, whatever was broadcast."""
    row = OPERATORS[name]
    f, shapes = data.draw(row.cases)
    xs = [Tensor(x) for x in row.values(rng, shapes)]
    once = gradients(f(*xs), xs)
    thrice = gradients(f(*xs) + 2 * f(*xs), xs)
    assert [g.shape for g in once] == [g.shape for g in thrice] == list(shapes)
    for a, b in zip(once, thrice, strict=True):
        np.testing.assert_allclose(3 * a.data, b.data, rtol=1e-12, atol=1e-12)
