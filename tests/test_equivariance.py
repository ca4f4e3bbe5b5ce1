"""f(g(x)) = g(f(x)): what moves with the picture, exactly, and on which domain."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import find, given
from hypothesis import strategies as st

import minitensor as mt
from minitensor import Tensor

from .checks import same
from .strategies import rngs, whole


def roll(x, *shift):
    return np.roll(x.data, shift, axis=(-2, -1))


shifts = st.tuples(st.integers(-4, 4), st.integers(-4, 4))
kernels = st.tuples(st.integers(1, 3), st.integers(1, 3))


@st.composite
def tori(draw, steps=1):
    """An image whose sides are multiples of the steps, a kernel and a dilation."""
    rng = draw(rngs)
    steps = (steps, steps) if isinstance(steps, int) else steps
    sides = [s * draw(st.integers(1, 3)) for s in steps]
    k = draw(kernels)
    d = draw(st.integers(1, 2))
    x, w = whole(rng, [(2, 2, *sides), (2, 2, *k)])
    return x, w, d


def around(x, k, d):
    """x on a torus: as many cells as the kernel reaches, d (k - 1), come round from the other side.

    So each pixel is a place, and at stride s each s-th.
    """
    return mt.pad(x, [(0, 0), (0, 0), *((0, d * (n - 1)) for n in k)], "wrap")


@given(tori(), shifts)
def test_circular_convolution_commutes_with_every_shift(drawn, shift):
    """On a torus there is no border: conv(shift(x)) = shift(conv(x)), everywhere and exactly."""
    x, w, d = drawn

    def f(x):
        return mt.conv2d(around(x, w.shape[2:], d), w, dilation=d)

    same(f(roll(x, *shift)), roll(f(x), *shift))


@given(tori(), shifts)
def test_padding_mode_circular_commutes_with_every_shift(drawn, shift):
    """The layer's own circular padding, with an odd kernel and the same size."""
    x, w, d = drawn
    w = np.pad(w, [(0, 0), (0, 0), *((0, 1 - k % 2) for k in w.shape[2:])])

    def f(x):
        return mt.conv2d(x, w, dilation=d, padding="same", padding_mode="circular")

    assert f(x).shape == x.shape
    same(f(roll(x, *shift)), roll(f(x), *shift))


@given(st.data(), st.tuples(st.integers(1, 3), st.integers(1, 3)), shifts)
def test_stride_s_commutes_with_shifts_by_s(data, steps, shift):
    """A strided convolution moves by one place when the image moves by s pixels."""
    x, w, d = data.draw(tori(steps))

    def f(x):
        return mt.conv2d(around(x, w.shape[2:], d), w, stride=steps, dilation=d)

    far = [a * s for a, s in zip(shift, steps, strict=True)]
    same(f(roll(x, *far)), roll(f(x), *shift))


@given(st.data(), st.tuples(st.integers(1, 3), st.integers(1, 3)), shifts, rngs)
def test_a_tiled_convolution_commutes_with_shifts_by_its_period(data, tiles, shift, rng):
    """t kernels that take turns are back at the first after t places."""
    x, w, d = data.draw(tori(tiles))
    (w,) = whole(rng, [(*w.shape[:2], *tiles, *w.shape[2:])])

    def f(x):
        return mt.tiled_conv2d(around(x, w.shape[4:], d), w, dilation=d)

    far = [a * t for a, t in zip(shift, tiles, strict=True)]
    same(f(roll(x, *far)), roll(f(x), *far))


@pytest.mark.parametrize("pool", [mt.max_pool2d, mt.avg_pool2d, mt.lp_pool2d])
@given(data=st.data(), steps=st.tuples(st.integers(1, 3), st.integers(1, 3)), shift=shifts)
def test_pools_commute_with_shifts_by_their_stride(pool, data, steps, shift):
    """Pooling on a torus moves by one place when the image moves by a stride."""
    x, w, _ = data.draw(tori(steps))
    k = w.shape[2:]

    def f(x):
        return pool(around(x, k, 1), k, stride=steps)

    far = [a * s for a, s in zip(shift, steps, strict=True)]
    same(f(roll(x, *far)), roll(f(x), *shift))


@given(tori(), st.tuples(st.integers(0, 2), st.integers(0, 2)), st.integers(0, 2))
def test_zero_padding_commutes_with_shifts_in_the_interior(drawn, shift, padding):
    """A picture on a wide black ground may move: where it stays on the ground, so does its output."""
    x, w, d = drawn
    room = 2 + padding + d * 2
    ground = np.pad(x, [(0, 0), (0, 0), (room, room), (room, room)])

    def f(x):
        return mt.conv2d(x, w, padding=padding, dilation=d)

    same(f(roll(ground, *shift)), roll(f(ground), *shift))


@given(tori(), st.permutations(range(4)))
def test_elementwise_operators_commute_with_everything_that_moves_pixels(drawn, order):
    """relu knows nothing of places: it commutes with every permutation of the axes, and of the elements."""
    x, _, _ = drawn
    same(mt.relu(x.transpose(order)), mt.relu(x).transpose(order))
    same(mt.relu(x.ravel()[::-1]), mt.relu(x).reshape(-1)[::-1])


@given(tori())
def test_a_symmetric_kernel_commutes_with_the_mirror(drawn):
    """Where the kernel is its own mirror image, so is what the layer does; valid padding, anywhere."""
    x, w, d = drawn
    w = w + w[..., ::-1]
    x = np.pad(x, [(0, 0), (0, 0), (4, 4), (4, 4)])
    same(mt.conv2d(x[..., ::-1], w, dilation=d), mt.conv2d(x, w, dilation=d).data[..., ::-1])


@given(tori(), st.integers(0, 3))
def test_turning_the_image_and_the_kernel_turns_the_output(drawn, quarters):
    """What a convolution does not do by itself it does with its kernel turned too: conv(Rx, Rw) = R conv(x, w)."""
    x, w, d = drawn
    x = np.pad(x, [(0, 0), (0, 0), (4, 4), (4, 4)])

    def turn(a):
        return np.rot90(a.data if isinstance(a, Tensor) else a, quarters, axes=(2, 3)).copy()

    same(mt.conv2d(turn(x), turn(w), dilation=d), turn(mt.conv2d(x, w, dilation=d)))


small = rngs.map(lambda rng: whole(rng, [(1, 1, 4, 4)])[0])
CORNER = np.array([[[[1.0, 0.0], [0.0, 0.0]]]])
BOX = np.ones((1, 1, 3, 3))
TWO_TILES = np.reshape([1.0, 2.0], (1, 1, 1, 2, 1, 1))


def once_around(x):
    return np.roll(x, 1, axis=3)


DIFFER = {  # f, g, and an image is to be found for which f(g(x)) and g(f(x)) are not the same
    "convolution and a quarter turn": (lambda x: mt.conv2d(x, CORNER), lambda x: np.rot90(x, axes=(2, 3))),
    "convolution and the mirror": (lambda x: mt.conv2d(x, CORNER), lambda x: x[..., ::-1]),
    "convolution and scaling up": (lambda x: mt.conv2d(x, BOX, padding=1), lambda x: x.repeat(2, 2).repeat(2, 3)),
    "zero padding and a shift around the border": (lambda x: mt.conv2d(x, BOX, padding=1), once_around),
    "stride 2 and a shift by 1": (lambda x: mt.conv2d(x, BOX[..., :1, :1], stride=2), once_around),
    "two tiles and a shift by 1": (lambda x: mt.tiled_conv2d(x, TWO_TILES), once_around),
    "a locally connected layer and a shift": (
        lambda x: mt.locally_connected2d(x, np.arange(16.0).reshape(1, 1, 4, 4, 1, 1)), once_around),
    "max pooling and a shift by less than its stride": (lambda x: mt.max_pool2d(x, 2), once_around),
}  # fmt: skip


@pytest.mark.parametrize("name", DIFFER)
def test_what_does_not_commute_has_a_counterexample(name):
    """Equivariance has limits: Hypothesis finds an image for which f(g(x)) and g(f(x)) differ."""
    f, g = DIFFER[name]
    find(small, lambda x: not np.array_equal(f(g(x)).data, g(f(x).data)))


@given(small, st.integers(0, 3), st.integers(0, 3), st.integers(1, 3))
def test_one_pixel_changes_only_the_windows_that_cover_it(x, row, column, k):
    """Pooling is nearly invariant: at stride s, one pixel can change at most ceil(k / s)^2 outputs."""
    moved = x.copy()
    moved[0, 0, row, column] += 5
    for pool in (mt.max_pool2d, mt.avg_pool2d):
        for stride in range(1, k + 1):
            changed = (pool(x, k, stride=stride).data != pool(moved, k, stride=stride).data).sum()
            assert changed <= (-(-k // stride)) ** 2
