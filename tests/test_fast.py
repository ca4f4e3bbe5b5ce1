"""Speed changes nothing: each quicker function has the value of its definition, and so have all derivatives.

With whole numbers every sum is exact, in any order of summation, so the two must agree to the last bit.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tracemalloc
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minitensor as mt
from minitensor import Tensor, fast, gradients
from minitensor.fast import cores, elements
from minitensor.fast.products import contract_two, is_skinny

from .checks import same
from .operators import OPERATORS
from .strategies import contractions, divisible, dtypes, laid_out, many, rngs, whole

ROOT = Path(mt.__file__).parents[1]

# by the quicker functions that they reach, with values that keep all sums and quotients exact
REACHED = {
    "where": whole, "relu": whole, "maximum": whole, "sum": whole, "matmul": whole, "dense": whole, "einsum": whole,
    "conv1d": whole, "conv2d": whole, "conv3d": whole, "conv_transpose1d": whole, "conv_transpose2d": whole,
    "locally_connected2d": whole, "tiled_conv1d": whole, "max_pool1d": whole, "max_pool2d": whole, "max_pool3d": whole,
    "avg_pool1d": divisible, "avg_pool2d": divisible, "avg_pool3d": divisible,
}  # fmt: skip


@contextmanager
def plain():
    """The definitions alone."""
    quick = {primitive: primitive.function for primitive in fast.QUICKER}
    fast.install(False)
    try:
        yield
    finally:
        fast.install(any(function is not primitive.definition for primitive, function in quick.items()))


@contextmanager
def quick():
    """The quicker functions, also where the environment left them out."""
    with plain():
        fast.install()
        yield


def derivatives(f, xs, seed, directions):
    """The value, the gradients, and the gradients of these."""
    y = f(*xs)
    first = gradients(y, xs, seed)
    along = [(g * v).sum() for g, v in zip(first, directions, strict=True)]
    return y, *first, *[g for total in along for g in gradients(total, [*xs, seed])]


@pytest.mark.parametrize("name", REACHED)
@many
@given(data=st.data(), dtype=dtypes, long=st.sampled_from([cores.LONG, 300, 30, 1]))
def test_the_quicker_function_agrees_with_the_definition(name, data, dtype, long):
    """Value, gradients and gradients of gradients, exactly, in any memory order, ties included.

    So they do where the sums count as long, and are computed in blocks of several rows or of one, on several cores.
    """
    f, shapes = data.draw(OPERATORS[name].cases)
    rng = data.draw(rngs)

    def drawn(shapes):
        return [data.draw(laid_out(x.astype(dtype))) for x in REACHED[name](rng, shapes)]

    xs = drawn(shapes)
    with plain():
        seed, directions = drawn([f(*xs).shape])[0], drawn(shapes)
        expected = derivatives(f, xs, seed, directions)
    with quick(), mock.patch.multiple(cores, LONG=long, _cores=3):
        computed = derivatives(f, xs, seed, directions)
    for a, b in zip(computed, expected, strict=True):
        same(a, b)


@pytest.mark.parametrize("threads, n_cores, is_whole", [("2", None, True), ("1", None, False), ("2", 2, False)])
def test_a_long_product_is_left_to_a_blas_with_threads_of_its_own(threads, n_cores, is_whole):
    """Else it comes in blocks, whatever the number of cores."""
    in_blocks = mock.Mock(side_effect=cores.in_blocks)
    x, y = Tensor(np.ones((3, 4))), Tensor(np.ones((4, 5)))
    with (
        quick(),
        mock.patch.dict("os.environ", OPENBLAS_NUM_THREADS=threads),
        mock.patch.multiple(cores, LONG=1, _cores=n_cores, in_blocks=in_blocks),
    ):
        same(mt.matmul(x, y), np.full((3, 5), 4.0))
    assert in_blocks.called != is_whole


@given(rngs, dtypes, st.sampled_from([0.0, -0.0, 1.0, np.inf, np.nan]), st.booleans(), st.sampled_from([bool, float]))
def test_the_quicker_where_agrees_for_each_single_number(rng, dtype, number, is_first, kind):
    """On either side; to the last bit, so the sign of 0 too."""
    condition, array = rng.integers(0, 2, 9).astype(kind), rng.normal(size=9).astype(dtype)
    sides = (dtype(number), array) if is_first else (array, dtype(number))
    assert elements.where(condition, *sides).tobytes() == np.where(condition, *sides).tobytes()


@pytest.mark.parametrize("pool", [mt.max_pool1d, mt.max_pool2d], ids=["1d", "2d"])
@given(data=st.data(), rng=rngs)
def test_the_quicker_pools_agree_where_values_are_not_finite(pool, data, rng):
    """-inf, inf and nan in the image: the same cells win, and get their gradients."""
    name = pool.__name__
    f, [shape] = data.draw(OPERATORS[name].cases)
    x = Tensor(rng.choice([-np.inf, np.inf, np.nan, 0.0, 1.0], shape))
    with plain():
        y = f(x)
        expected = gradients(y, [x])
    with quick():
        same(f(x), y)
        same(gradients(f(x), [x])[0], expected[0])


def test_every_quicker_function_is_reached():
    """No function of the folder is left out above."""
    reached = set()

    def noted(primitive, function):
        def note(*args, **settings):
            reached.add(primitive)
            return function(*args, **settings)

        return note

    @given(data=st.data())
    def run_all(data):
        for name in REACHED:
            f, shapes = data.draw(OPERATORS[name].cases)
            xs = [Tensor(x) for x in REACHED[name](np.random.default_rng(0), shapes)]
            derivatives(f, xs, f(*xs).detach(), xs)

    with quick():
        for primitive, function in fast.QUICKER.items():
            primitive.function = noted(primitive, function)
        run_all()
    assert reached == set(fast.QUICKER)


@pytest.mark.parametrize("plainly", ["0", "1"])
def test_the_environment_leaves_speed_out(plainly):
    """MINITENSOR_PLAIN=1: every function is its definition; else those of the folder run in their place."""
    code = (
        "from minitensor import fast; print(sum(p.function is p.definition for p in fast.QUICKER), len(fast.QUICKER))"
    )
    environment = {**os.environ, "MINITENSOR_PLAIN": plainly}
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)
    same_, all_ = map(int, ran.stdout.split())
    assert same_ == (all_ if plainly == "1" else 0)


@given(st.data(), rngs, dtypes, st.permutations([1, 2, 3]), st.sampled_from([cores.LONG, 1]))
def test_a_skinny_product_is_a_product(data, rng, dtype, order, long):
    """Few rows, few columns or few terms, in any memory order, in pieces and blocks: the sums are those of x @ y."""
    few, more, rest = data.draw(st.integers(1, 16)), data.draw(st.integers(1, 300)), data.draw(st.integers(1, 100))
    many = 1_000_000 // (few * more) + rest
    m, k, n = [length for _, length in sorted(zip(order, [few, more, many], strict=True))]
    assert is_skinny((m, k), (k, n))
    x, y = (rng.integers(-3, 4, shape).astype(dtype) for shape in ((m, k), (k, n)))
    expected = x @ y
    x, y = (np.asfortranarray(a) if data.draw(st.booleans()) else a for a in (x, y))
    with quick(), mock.patch.multiple(cores, LONG=long, _cores=3):
        same(mt.matmul(Tensor(x), Tensor(y)), expected)


@given(st.tuples(*[st.sampled_from([1, 15, 16, 17, 250, 10**4, 62500])] * 3))
def test_a_product_is_skinny_if_it_is_long_and_one_of_its_lengths_is_not(lengths):
    """At least 10^6 products to add up, over matrices of which one length is 16 or less; vectors are something else."""
    m, k, n = lengths
    assert is_skinny((m, k), (k, n)) == (min(lengths) <= 16 and m * k * n >= 10**6)
    assert not is_skinny((9, m, 10**6), (9, 10**6, n)) and not is_skinny((10**6,), (10**6, n))


@given(st.data(), contractions(inputs=2, repeats=False), dtypes)
def test_contract_two_is_einsum(data, contraction, dtype):
    """One matrix product does what np.einsum of two inputs does, in any memory order."""
    spec, shapes_ = contraction
    x, y = (data.draw(laid_out(a.astype(dtype))).data for a in whole(data.draw(rngs), shapes_))
    left, output = spec.split("->")
    same(
        np.asarray(contract_two(left.split(",")[0], x, left.split(",")[1], y, output)),
        np.asarray(np.einsum(spec, x, y)),
    )


def test_a_chain_of_matrices_has_gradients_without_an_outer_product():
    """Two factors at a time in a good order: nothing on the way has n^3 numbers, let alone the n^4 of abcd."""
    n = 40
    a, b, c = (Tensor(np.ones((n, n))) for _ in range(3))
    with quick():
        y = mt.einsum("ab,bc,cd->ad", a, b, c).sum()
        tracemalloc.start()
        try:
            gradients(y, [a, b, c])
            assert tracemalloc.get_traced_memory()[1] < n**3 * 8
        finally:
            tracemalloc.stop()
