"""Steps 12 to 14: images (n, c, height, width), and what slides over them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from .common import Array, close, demand, for_all, linear, same, told, upto, values, whole


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
    n, c, stride = draw(upto(2)), draw(upto(2)), draw(st.integers(1, 3))
    pair = st.tuples(upto(3), upto(3))
    rest = st.integers(0, stride - 1)
    return Slide(n, c, draw(pair), draw(pair), stride, draw(st.tuples(rest, rest)))


# 12 windows and fold


@for_all(case=slides(), data=st.data())
def windows_show_each_place(e: Any, case: Slide, data: Any) -> None:
    """windows(x)[n, c, h, w, i, j] = x[n, c, h s + i, w s + j], for all windows that fit."""
    x = data.draw(whole(*case.image), "x")
    expected = np.zeros(case.seen)
    for n, c, h, w, i, j in np.ndindex(case.seen):
        expected[n, c, h, w, i, j] = x[n, c, h * case.stride + i, w * case.stride + j]
    same(e.windows(x, case.size, case.stride).data, expected)


@for_all(case=slides(), data=st.data())
def fold_adds_each_window_where_it_was_read(e: Any, case: Slide, data: Any) -> None:
    """Overlaps add up, and what no window reads gets 0."""
    g = data.draw(whole(*case.seen), "x")
    expected = np.zeros(case.image)
    for n, c, h, w, i, j in np.ndindex(case.seen):
        expected[n, c, h * case.stride + i, w * case.stride + j] += g[n, c, h, w, i, j]
    same(e.fold(g, case.image, case.stride).data, expected)


@for_all(case=slides(), data=st.data())
def windows_and_fold_are_adjoints(e: Any, case: Slide, data: Any) -> None:
    """<windows(x), g> = <x, fold(g)>, exactly: what flows back through either is the other, and so on."""
    x, g = data.draw(whole(*case.image), "x"), data.draw(whole(*case.seen), "g")
    linear(e, lambda x: e.windows(x, case.size, case.stride), x, g)
    linear(e, lambda g: e.fold(g, case.image, case.stride), g, x)


# 13 convolution


@for_all(size=st.tuples(upto(2), upto(2), upto(2), upto(3)), p=st.integers(0, 2), data=st.data())
def pad_puts_a_margin_around(e: Any, size: tuple[int, ...], p: int, data: Any) -> None:
    """p zeros on each side of each image; on the way back the margin is cut off."""
    x = data.draw(whole(*size), "x")
    expected = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
    told(lambda: same(e.pad(x, p).data, expected), f"pad(x, {p})")
    t = e.Tensor(x)
    g = data.draw(whole(*expected.shape), "g")
    cut = g[:, :, p : p + size[2], p : p + size[3]]
    told(lambda: same(e.gradients(e.pad(t, p), [t], g)[0].data, cut), f"what flows back through pad(x, {p})")


class Conv(NamedTuple):
    x: Array
    w: Array
    b: Array
    stride: int
    padding: int


@st.composite
def convolutions(draw: Any) -> Conv:
    """x (n, c, h, w), w (o, c, i, j), b (o), with all that is usually 1 drawn too."""
    n, c, o = draw(upto(2)), draw(upto(2)), draw(upto(3))
    k = draw(st.tuples(upto(3), upto(3)))
    padding, stride = draw(st.integers(0, 2)), draw(st.integers(1, 2))
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
    if not np.array_equal(found.data, expected):
        told(lambda: same(found.data, expected), guess(e))


# All numbers are different, and nothing is 1 or square: what a result equals here is no accident.
TELLING = Conv(
    np.arange(1.0, 81).reshape(2, 2, 4, 5), np.arange(1.0, 37).reshape(3, 2, 2, 3), np.array([500.0, 600, 700]), 2, 1
)


def guess(e: Any) -> str:
    """What conv2d computes, if it is one of the usual mistakes."""
    case = TELLING
    try:
        found = values(e.conv2d(case.x, e.Tensor(case.w), e.Tensor(case.b), case.stride, case.padding))
    except Exception:
        return "conv2d"  # it is not even computed: what the law says is enough
    for told_, other in (
        ("your result is that of the flipped kernel", case._replace(w=case.w[:, :, ::-1, ::-1])),
        ("your result is that without the bias", case._replace(b=0 * case.b)),
        ("your result has the first bias everywhere", case._replace(b=0 * case.b + case.b[0])),
        ("your result is that without the padding", case._replace(padding=0)),
        ("your result is that of stride 1", case._replace(stride=1)),
    ):
        if np.array_equal(found, slowly(other)):
            return told_
    return "conv2d"


def backwards(case: Conv, g: Array) -> tuple[Array, Array, Array]:
    """What flows back to x, to w and to b, cell by cell: each product of the sum, by either factor."""
    p, s = case.padding, case.stride
    x = np.pad(case.x, ((0, 0), (0, 0), (p, p), (p, p)))
    dx, dw = np.zeros_like(x), np.zeros_like(case.w)
    _, _, k, m = case.w.shape
    for n, q, h, w in np.ndindex(g.shape):
        seen = np.s_[n, :, h * s : h * s + k, w * s : w * s + m]
        dx[seen] += g[n, q, h, w] * case.w[q]
        dw[q] += g[n, q, h, w] * x[seen]
    return dx[:, :, p : x.shape[2] - p, p : x.shape[3] - p], dw, g.sum(axis=(0, 2, 3))


@for_all(case=convolutions(), data=st.data())
def conv2d_has_three_gradients(e: Any, case: Conv, data: Any) -> None:
    """What flows back to x is g times the kernels that read a cell; to w, g times the cells; to b, g by channel."""
    x, w, b = e.Tensor(case.x), e.Tensor(case.w), e.Tensor(case.b)
    y = e.conv2d(x, w, b, stride=case.stride, padding=case.padding)
    g = data.draw(whole(*y.shape), "g")
    dx, dw, db = e.gradients(y, [x, w, b], g)
    right = backwards(case, g)
    for name, found, expected in zip("xwb", (dx, dw, db), right, strict=True):
        told(lambda found=found, expected=expected: same(found.data, expected), f"the gradient of {name}")
    (again,) = e.gradients(dw, [x], case.w)
    told(lambda: same(again.data, dx.data), "the gradient of <dw, w> by x is not dx, so the second derivative")


# 14 max pooling


@for_all(
    n=upto(2),
    c=upto(2),
    size=upto(3),
    places=st.tuples(upto(2), upto(2)),
    data=st.data(),
)
def a_pool_takes_the_largest_and_pays_it(e: Any, n: int, c: int, size: int, places: tuple[int, int], data: Any) -> None:
    """Each output is the largest of its size x size cells; all of its gradient goes to the largest."""
    x = data.draw(whole(n, c, places[0] * size, places[1] * size), "x")
    cells = x.reshape(n, c, places[0], size, places[1], size)
    most = cells.max(axis=(3, 5))
    t = e.Tensor(x)
    y = e.max_pool2d(t, size)
    told(lambda: same(y.data, most), f"max_pool2d(x, {size})")
    g = data.draw(whole(*most.shape, low=1, high=4), "g")
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
