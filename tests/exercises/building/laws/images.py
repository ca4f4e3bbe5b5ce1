"""Steps 12 to 14: images (n, c, height, width), and what slides over them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from .common import Array, close, demand, for_all, linear, same, told, values, whole


class Slide(NamedTuple):
    """Windows that fit: the sizes of images, of windows, and how they lie."""

    n: int
    c: int
    size: tuple[int, int]
    places: tuple[int, int]
    stride: int
    rest: tuple[int, int]

    @property
    def image(self) -> tuple[int, int, int, int]:
        along = zip(self.places, self.size, self.rest, strict=True)
        h, w = ((m - 1) * self.stride + k + rest for m, k, rest in along)
        return self.n, self.c, h, w

    @property
    def seen(self) -> tuple[int, ...]:
        return self.n, self.c, *self.places, *self.size


@st.composite
def slides(draw: Any) -> Slide:
    """The number of places is drawn first, and the image's size worked out from it."""
    few = st.integers(1, 2)
    n, c, stride = draw(few), draw(few), draw(st.integers(1, 3))
    pair = st.tuples(st.integers(1, 3), st.integers(1, 3))
    rest = st.integers(0, stride - 1)
    return Slide(n, c, draw(pair), draw(pair), stride, draw(st.tuples(rest, rest)))


# 12 windows and fold


@for_all(case=slides(), data=st.data())
def windows_show_each_place(e: Any, case: Slide, data: Any) -> None:
    """windows(x)[n, c, h, w, i, j] = x[n, c, h s + i, w s + j], and <windows(x), g> = <x, dx>, exactly."""
    x = data.draw(whole(*case.image))
    expected = np.zeros(case.seen)
    for n, c, h, w, i, j in np.ndindex(case.seen):
        expected[n, c, h, w, i, j] = x[n, c, h * case.stride + i, w * case.stride + j]
    same(e.windows(x, case.size, case.stride).data, expected)
    linear(e, lambda x: e.windows(x, case.size, case.stride), x, data.draw(whole(*case.seen)))


@for_all(case=slides(), data=st.data())
def fold_adds_each_window_where_it_was_read(e: Any, case: Slide, data: Any) -> None:
    """It is the adjoint of windows: overlaps add up, and what no window reads gets 0."""
    g = data.draw(whole(*case.seen))
    expected = np.zeros(case.image)
    for n, c, h, w, i, j in np.ndindex(case.seen):
        expected[n, c, h * case.stride + i, w * case.stride + j] += g[n, c, h, w, i, j]
    same(e.fold(g, case.image, case.stride).data, expected)
    linear(e, lambda g: e.fold(g, case.image, case.stride), g, data.draw(whole(*case.image)))


# 13 convolution


@for_all(x=whole(2, 2, 2, 3), p=st.integers(0, 2), data=st.data())
def pad_puts_a_margin_around(e: Any, x: Array, p: int, data: Any) -> None:
    """p zeros on each side of each image; on the way back the margin is cut off."""
    expected = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
    same(e.pad(x, p).data, expected)
    t = e.Tensor(x)
    g = data.draw(whole(*expected.shape))
    same(e.gradients(e.pad(t, p), [t], g)[0].data, g[:, :, p : p + 2, p : p + 3])


class Conv(NamedTuple):
    x: Array
    w: Array
    b: Array
    stride: int
    padding: int


@st.composite
def convolutions(draw: Any) -> Conv:
    """x (n, c, h, w), w (o, c, i, j), b (o), with all that is usually 1 drawn too."""
    few = st.integers(1, 2)
    n, c, o = draw(few), draw(few), draw(st.integers(1, 3))
    k = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    padding, stride = draw(st.integers(0, 2)), draw(few)
    size = [max(1, kk - 2 * padding) + draw(st.integers(0, 2)) for kk in k]
    return Conv(draw(whole(n, c, *size)), draw(whole(o, c, *k)), draw(whole(o)), stride, padding)


def slowly(case: Conv) -> Array:
    """The sum as it is written, cell by cell."""
    p, s = case.padding, case.stride
    x = np.pad(case.x, ((0, 0), (0, 0), (p, p), (p, p)))
    o, _, k, m = case.w.shape
    y = np.zeros((len(x), o, (x.shape[2] - k) // s + 1, (x.shape[3] - m) // s + 1))
    for n, q, h, w in np.ndindex(y.shape):
        y[n, q, h, w] = (x[n, :, h * s : h * s + k, w * s : w * s + m] * case.w[q]).sum() + case.b[q]
    return y


@for_all(case=convolutions())
def conv2d_is_the_sum_over_a_window(e: Any, case: Conv) -> None:
    """y[n, o, h, w] = sum over c, i, j of x[n, c, h s + i - p, w s + j - p] * w[o, c, i, j] + b[o]."""
    found = e.conv2d(case.x, e.Tensor(case.w), e.Tensor(case.b), case.stride, case.padding)
    expected = slowly(case)
    demand(found.shape == expected.shape, f"the result has shape {found.shape}, where {expected.shape} is right")
    flipped = slowly(case._replace(w=case.w[:, :, ::-1, ::-1]))
    if not np.array_equal(found.data, expected):
        guess = guesses(case, found.data, flipped)
        told(lambda: same(found.data, expected), guess or "conv2d")


def guesses(case: Conv, found: Array, flipped: Array) -> str:
    """What the result equals, if that is known."""
    if np.array_equal(found, flipped):
        return "your result is that of the flipped kernel"
    if np.array_equal(found, slowly(case._replace(b=0 * case.b))):
        return "your result is that without the bias"
    if np.array_equal(found, slowly(case._replace(b=0 * case.b + case.b[0]))):
        return "your result has the first bias everywhere"
    return ""


@for_all(case=convolutions(), data=st.data())
def conv2d_has_three_gradients(e: Any, case: Conv, data: Any) -> None:
    """It is linear in x, in w and in b: <y, g> = <x, dx> = <w, dw> without a bias; db is the sum of g by channel."""
    x, w, b = e.Tensor(case.x), e.Tensor(case.w), e.Tensor(case.b)
    y = e.conv2d(x, w, b, stride=case.stride, padding=case.padding)
    g = data.draw(whole(*y.shape))
    dx, dw, db = e.gradients(y, [x, w, b], g)
    inner = (slowly(case._replace(b=0 * case.b)) * g).sum()
    told(lambda: same(inner, (case.x * values(dx)).sum()), "<y, g> is not <x, dx>")
    told(lambda: same(inner, (case.w * values(dw)).sum()), "<y, g> is not <w, dw>")
    told(lambda: same(db.data, g.sum(axis=(0, 2, 3))), "db")
    demand(dx.shape == x.shape and dw.shape == w.shape, f"gradients have shapes {dx.shape} and {dw.shape}")
    (again,) = e.gradients(dw, [x], case.w)
    told(lambda: same(again.data, dx.data), "the gradient of <dw, w> by x is not dx, so the second derivative")


# 14 max pooling


@for_all(
    n=st.integers(1, 2),
    c=st.integers(1, 2),
    size=st.integers(1, 3),
    places=st.tuples(st.integers(1, 2), st.integers(1, 2)),
    data=st.data(),
)
def a_pool_takes_the_largest_and_pays_it(e: Any, n: int, c: int, size: int, places: tuple[int, int], data: Any) -> None:
    """Each output is the largest of its size x size cells; all of its gradient goes to the largest."""
    x = data.draw(whole(n, c, places[0] * size, places[1] * size))
    cells = x.reshape(n, c, places[0], size, places[1], size)
    most = cells.max(axis=(3, 5))
    t = e.Tensor(x)
    y = e.max_pool2d(t, size)
    same(y.data, most)
    g = data.draw(whole(*most.shape, low=1, high=4))
    (dx,) = e.gradients(y, [t], g)
    told(lambda: close(dx.data.reshape(cells.shape).sum(axis=(3, 5)), g, 1e-9), "what a window gets back")
    smaller = cells < most[:, :, :, None, :, None]
    demand(not dx.data.reshape(cells.shape)[smaller].any(), "a cell that is not the largest of its window got a share")


@for_all(x=whole(1, 1, 4, 4), y=whole(1, 1, 4, 4), g=whole(1, 1, 2, 2))
def a_pool_in_the_middle_has_gradients(e: Any, x: Array, y: Array, g: Array) -> None:
    """Behind another operator, and differentiated twice: the largest of x * y, by x and then by y."""
    x = x + np.arange(16.0).reshape(1, 1, 4, 4) / 32  # no ties
    a, b = e.Tensor(x), e.Tensor(y * 2 + 1)
    (da,) = e.gradients(e.max_pool2d(a * b, 2), [a], g)
    product = x * (y * 2 + 1)
    won = product == np.repeat(np.repeat(product.reshape(1, 1, 2, 2, 2, 2).max(axis=(3, 5)), 2, 2), 2, 3)
    seed = np.repeat(np.repeat(g, 2, 2), 2, 3)
    close(da.data, won * seed * (y * 2 + 1), 1e-9)
    close(e.gradients(da, [b])[0].data, won * seed, 1e-9)
    (da,) = e.gradients(e.max_pool2d(a, 2) * e.max_pool2d(a * 2, 2), [a], g)
    largest = np.repeat(np.repeat(x.reshape(1, 1, 2, 2, 2, 2).max(axis=(3, 5)), 2, 2), 2, 3)
    close(da.data, (x == largest) * seed * 4 * largest, 1e-9)
    told(lambda: close(e.gradients(da, [a])[0].data, (x == largest) * seed * 4, 1e-9), "the second derivative")
