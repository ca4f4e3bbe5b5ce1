"""What is composed of other operators is NumPy's function of the same name."""

from __future__ import annotations

import builtins
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minitensor as mt
from minitensor import Tensor, gradients

from .checks import raises, same
from .strategies import axes_of, dtypes, laid_out, rngs, shapes, whole_numbers


@st.composite
def shifts_and_axes(draw):
    """One shift or several, along no axis, one, or several: as many of each, or a single one of either."""
    count = draw(st.integers(0, 3))
    one, several = (
        (lambda numbers: numbers),
        lambda numbers: st.lists(numbers, min_size=count, max_size=count).map(tuple),
    )
    of_shift, of_axis = draw(st.sampled_from([(one, one), (one, several), (several, one), (several, several)]))
    axes = of_axis(st.integers(-3, 2))
    return draw(of_shift(st.integers(-5, 5))), draw(axes | st.none())


MOVES = {
    "squeeze": (st.just(()), lambda x: x[None, ..., None]),
    "expand_dims": (st.tuples(st.integers(-4, 3)), lambda x: x),
    "swapaxes": (st.tuples(st.integers(-3, 2), st.integers(-3, 2)), lambda x: x),
    "moveaxis": (st.tuples(st.integers(-3, 2), st.integers(-3, 2)), lambda x: x),
    "flip": (st.tuples(axes_of(3)), lambda x: x),
    "roll": (shifts_and_axes(), lambda x: x),
    "repeat": (st.tuples(st.integers(0, 3), st.none() | st.integers(-3, 2)), lambda x: x),
    "tile": (st.tuples(st.integers(1, 3) | st.lists(st.integers(0, 2), min_size=1, max_size=4)), lambda x: x),
    "tril": (st.tuples(st.integers(-3, 3)), lambda x: x),
    "triu": (st.tuples(st.integers(-3, 3)), lambda x: x),
    "cumsum": (st.tuples(st.none() | st.integers(-3, 2)), lambda x: x),
    "prod": (st.tuples(axes_of(3)), lambda x: x),
    "argmax": (st.tuples(st.none() | st.integers(-3, 2)), lambda x: x),
    "square": (st.just(()), lambda x: x),
    "isnan": (st.just(()), lambda x: x / (x - 1)),
    "outer": (st.just(()), lambda x: x),
}


@pytest.mark.parametrize("name", MOVES)
@given(data=st.data(), shape=shapes(min_dims=3), dtype=dtypes)
def test_values_are_numpys(name, data, shape, dtype):
    """Exactly, for whole numbers, in any memory order and for each setting."""
    settings, prepared = MOVES[name]
    with np.errstate(all="ignore"):
        x = prepared(data.draw(laid_out(data.draw(whole_numbers(shape, dtype=dtype)))).data)
    arguments = (x,) if name == "outer" else data.draw(settings)
    ours, numpys = (getattr(of, name) for of in (mt, np))
    expected = np.asarray(numpys(x, *arguments))
    result = ours(Tensor(x), *arguments)
    same(np.asarray(result.data if isinstance(result, Tensor) else result), expected.astype(result.dtype))


@given(st.data(), st.integers(1, 6), dtypes)
def test_split_cuts_where_numpy_does(data, n, dtype):
    """Into equal parts or before positions, along any axis; parts that cannot be equal are a ValueError."""
    x = data.draw(whole_numbers((2, n), dtype=dtype))
    positions = sorted(data.draw(st.lists(st.integers(0, n), max_size=3)))
    for ours, numpys in zip(mt.split(x, positions, 1), np.split(x, positions, 1), strict=True):
        same(ours, numpys)
    for parts in range(1, n + 1):
        if n % parts:
            with pytest.raises(ValueError, match="equal"):
                mt.split(x, parts, -1)
        else:
            for ours, numpys in zip(mt.split(x, parts, -1), np.split(x, parts, -1), strict=True):
                same(ours, numpys)


@given(st.data(), shapes(min_dims=1, max_dims=2, max_side=4), st.integers(-4, 4), dtypes)
def test_diagonals_are_numpys(data, shape, k, dtype):
    """Of a matrix, and the matrix of a vector; other ranks are a ValueError with the shape."""
    x = data.draw(whole_numbers(shape, dtype=dtype))
    same(mt.diag(x, k), np.diag(x, k))
    if len(shape) == 2 and shape[0] == shape[1]:
        same(mt.trace(x), np.trace(x))
    with raises(ValueError, (1, *shape, 1)):
        mt.diag(x[None, ..., None])


@given(st.data(), shapes(min_dims=1), st.integers(0, 3), shapes(max_dims=1), dtypes)
def test_products_are_numpys(data, left, shared, right, dtype):
    """tensordot over any number of shared axes, and dot of any ranks."""
    shared = min(shared, len(left))
    x, y = data.draw(whole_numbers(left, (*left[len(left) - shared :], *right), dtype=dtype))
    same(mt.tensordot(x, y, shared), np.asarray(np.tensordot(x, y, shared)))
    order = data.draw(st.permutations(range(shared)))
    pairs = [len(left) - shared + a for a in order], list(order)
    same(mt.tensordot(x, y, pairs), np.asarray(np.tensordot(x, y, pairs)))
    z = data.draw(whole_numbers((2, left[-1], 3), dtype=dtype))
    for other in (z, z[0], z[0, :, 0], dtype(2)):
        same(mt.dot(x, other), np.asarray(np.dot(x, other)))


@given(shapes(), rngs, dtypes)
def test_functions_are_numpys(shape, rng, dtype):
    """sin, cos, log1p, expm1, logaddexp and std, to rounding; erf as Python's."""
    x, y = (rng.uniform(-0.9, 3, shape).astype(dtype) for _ in range(2))
    for name in ("sin", "cos", "log1p", "expm1", "std"):
        np.testing.assert_allclose(getattr(mt, name)(x).data, getattr(np, name)(x), rtol=1e-5)
    np.testing.assert_allclose(mt.logaddexp(x, y).data, np.logaddexp(x, y), rtol=1e-6)
    same(mt.erf(x), np.vectorize(math.erf, otypes=[dtype])(x))
    np.testing.assert_allclose(
        mt.gelu(x).data, x * (1 + np.vectorize(math.erf)(x / math.sqrt(2))) / 2, rtol=1e-5, atol=1e-6
    )


@given(st.lists(st.integers(-2, 2), min_size=1, max_size=7))
def test_a_product_with_zeros_has_the_gradient_of_the_others(numbers):
    """d prod / dx_i is the product of all others, exactly, however many of them are 0."""
    x = Tensor(np.array(numbers, float))
    (g,) = gradients(mt.prod(x), [x])
    same(g, np.array([math.prod(numbers[:i] + numbers[i + 1 :]) for i in range(len(numbers))], float))


@given(st.integers(1, 30))
def test_the_recipe_of_a_product_is_short(n):
    """Halves at a time: some three operators for each doubling."""
    assert len(mt.backprop.history(mt.prod(np.ones(n)))) <= 8 * math.ceil(math.log2(n) + 1)


@given(shapes(), dtypes)
def test_new_tensors_are_numpys(shape, dtype):
    """zeros, ones, full and arange have NumPy's values, in the dtype that is asked for; randn has its shape."""
    same(mt.zeros(shape, dtype=dtype), np.zeros(shape, dtype))
    same(mt.ones(shape, dtype=dtype), np.ones(shape, dtype))
    same(mt.full(shape, 2.5, dtype=dtype), np.full(shape, 2.5, dtype))
    same(mt.arange(1, 7, 2, dtype=dtype), np.arange(1, 7, 2).astype(dtype))
    same(
        mt.randn(*shape, rng=np.random.default_rng(0), dtype=dtype),
        np.asarray(np.random.default_rng(0).standard_normal(shape)).astype(dtype),
    )
    assert not np.array_equal(mt.randn(9).data, mt.randn(9).data)
    assert mt.zeros(2, "z").name == "z"


@given(st.lists(st.integers(-9, 9), max_size=4), st.lists(st.integers(-3, 2), max_size=4))
def test_shifts_and_axes_that_do_not_match_are_refused_with_both(shifts, axes):
    if len(shifts) != len(axes) and 1 not in (len(shifts), len(axes)):
        with raises(ValueError, f"shift (={shifts}) and axis (={axes})"):
            mt.roll(Tensor(np.zeros((2, 3, 4))), shifts, axes)


def test_what_is_exported_is_listed():
    """Each callable of the package is in __all__, except four that would replace Python's own."""
    known = {name for name, thing in vars(mt).items() if callable(thing) and not name.startswith("_")}
    assert known - set(mt.__all__) == {"abs", "max", "min", "sum"}


def test_a_star_import_replaces_nothing_of_pythons():
    """`from minitensor import *` brings no name that Python has itself; all four that do exist as attributes."""
    namespace: dict = {}
    exec("from minitensor import *", namespace)
    assert not (set(namespace) - {"__builtins__"}) & set(dir(builtins))
    assert "conv2d" in namespace
    assert all(hasattr(mt, name) for name in ("abs", "max", "min", "sum"))


@pytest.mark.parametrize(("call", "parts"), [
    (lambda: mt.randn(2, rng=3), ["default_rng(seed)", "int"]),
    (lambda: mt.squeeze(np.ones((1, 2)), 1), ["axis (=1)", (1, 2)]),
    (lambda: mt.expand_dims(np.ones(2), (0, 0)), ["axis (=(0, 0))", "3 axes"]),
    (lambda: mt.moveaxis(np.ones((1, 2)), (0, 0), (0, 1)), ["source (=(0, 0))", "destination (=(0, 1))"]),
    (lambda: mt.repeat(np.ones(2), -1), ["times (=-1)"]),
    (lambda: mt.tril(3.0), ["single number"]),
    (lambda: mt.split(np.ones(3), 0), ["parts (=0)", "3"]),
    (lambda: Tensor([1.0, 2.0])[1.0:2], ["1.0"]),
])  # fmt: skip
def test_what_does_not_fit_is_an_error_with_its_values(call, parts):
    """In words, and never from deep inside."""
    with raises((ValueError, TypeError, IndexError), *parts):
        call()


@given(shapes(min_dims=1, max_dims=2), st.booleans())
def test_the_product_of_nothing_is_1(shape, keepdims):
    """Over an axis without elements, as NumPy has it; a shape may be given by name."""
    empty = np.zeros((0, *shape))
    same(mt.prod(empty, 0, keepdims), np.prod(empty, 0, keepdims=keepdims))
    same(mt.reshape(np.ones(shape), shape=-1), np.ones(shape).reshape(-1))
