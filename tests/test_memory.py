"""Where elements lie in memory: the order that one array takes over from another."""

from __future__ import annotations

import weakref

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from minitensor.fast.memory import batch_first, batch_last, in_order_of

from .strategies import rngs, shapes


@given(shapes(min_dims=1, max_dims=4, min_side=2), rngs, st.data())
def test_an_array_takes_over_the_memory_order_of_another(shape, rng, data):
    """The same numbers, laid out as NumPy would lay out a new array like the other; itself if it is so already."""

    def laid_out():
        order = data.draw(st.permutations(range(len(shape))))
        return rng.normal(size=[shape[axis] for axis in order]).transpose(np.argsort(order))

    x, like = laid_out(), laid_out()
    y = in_order_of(x, like)
    assert np.array_equal(y, x) and y.strides == np.empty_like(like).strides
    assert (y is x) == (x.strides == y.strides)


@given(shapes(min_dims=4, max_dims=4), rngs)
def test_batch_last_is_copied_once(shape, rng):
    """(n, c, h, w) becomes (h, c, w, n) without gaps, and back and forth from there nothing moves."""
    x = rng.normal(size=shape)
    y = batch_last(x)
    assert y.flags.c_contiguous and np.array_equal(y, x.transpose(2, 1, 3, 0))
    assert np.array_equal(batch_first(y), x) and np.shares_memory(batch_last(batch_first(y)), y)


@given(shapes(min_dims=4, max_dims=4, min_side=2), rngs, st.integers(2, 5))
def test_a_copy_is_kept_for_the_second_time(shape, rng, times):
    """What nobody can change is copied once for two readers; the copy dies with it, and another array gets its own."""
    for _ in range(times):  # a new array may have the id of one that is gone
        x = rng.normal(size=shape)
        x.setflags(write=False)
        first, second = batch_last(x), batch_last(x)
        assert first is second and np.array_equal(first, x.transpose(2, 1, 3, 0))
        third = batch_last(x)
        assert third is not first and np.array_equal(third, first)
        alive = weakref.ref(third)
        del x, first, second, third
        assert alive() is None


@given(shapes(min_dims=4, max_dims=4, min_side=2), rngs)
def test_what_may_change_is_copied_anew(shape, rng):
    """An array that can be written to is read as it is now."""
    x = rng.normal(size=shape)
    batch_last(x)
    x += 1
    assert np.array_equal(batch_last(x), x.transpose(2, 1, 3, 0))
