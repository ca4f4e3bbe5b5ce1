"""One family: every layer with weights is the same contraction, and each is a special case of another.  All exact."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minitensor as mt
from minitensor import Tensor, gradients, jacobian

from .checks import same
from .operators import LAYERS, OPERATORS
from .strategies import (
    convolutions,
    dtypes,
    lines,
    local_layers,
    pools,
    rngs,
    transposed_convolutions,
    whole,
    whole_numbers,
)


def drawn(rng, *shapes, dtype=np.float64):
    return [Tensor(x.astype(dtype)) for x in whole(rng, shapes)]


@given(rngs, st.tuples(*[st.integers(1, 3)] * 5), dtypes)
def test_a_1x1_convolution_is_a_matrix_product(rng, sizes, dtype):
    """With one tap, each place by itself: the channels times a matrix."""
    n, c, o, h, w = sizes
    x, k = drawn(rng, (n, c, h, w), (o, c), dtype=dtype)
    same(mt.conv2d(x, k.reshape(o, c, 1, 1)), mt.dense(x.transpose(0, 2, 3, 1), k).transpose(0, 3, 1, 2))


@given(convolutions(2), rngs)
def test_a_kernel_as_large_as_the_input_is_a_dense_layer(g, rng):
    """With one place, every output sees every input."""
    n, c, *size = g.x
    x, w, b = drawn(rng, g.x, (3, c, *size), (3,))
    same(mt.conv2d(x, w, b).reshape(n, 3), mt.dense(x.reshape(n, -1), w.reshape(3, -1), b))


@given(convolutions(2), rngs)
def test_a_convolution_is_its_dense_matrix(g, rng):
    """conv(x, w) = A x, where A is the Jacobian at 0: sparse, and with one weight along each diagonal (Toeplitz)."""
    x, w = drawn(rng, (1, *g.x[1:]), g.w)
    a = jacobian(lambda x: mt.conv2d(x, w, **g.settings), np.zeros(x.shape))
    y = mt.conv2d(x, w, **g.settings)
    same(mt.einsum("nohwmcyx,mcyx->nohw", a, x), y)


@given(st.integers(1, 3), st.integers(0, 3), rngs)
def test_the_matrix_of_a_convolution_is_toeplitz(k, more, rng):
    """At stride 1 in one dimension: row h of the matrix is the kernel, moved h to the right, and zeros."""
    (w,) = drawn(rng, (1, 1, k))
    n = k + more
    a = jacobian(lambda x: mt.conv1d(x, w), np.zeros((1, 1, n))).data.reshape(n - k + 1, n)
    for h, row in enumerate(a):
        np.testing.assert_array_equal(row, np.r_[np.zeros(h), w.data.ravel(), np.zeros(n - k - h)])


@given(transposed_convolutions(undoing=True), rngs)
def test_the_matrix_of_a_transposed_convolution_is_the_transpose(g, rng):
    """That is its name: conv_transpose(y, w) = A^T y, for the A of the convolution with the same settings."""
    (w,) = drawn(rng, g.w)
    settings = {name: value for name, value in g.settings.items() if name != "output_padding"}
    big, small = (1, *g.y[1:]), (1, *g.x[1:])
    a = jacobian(lambda x: mt.conv2d(x, w, **settings), np.zeros(big)).data.reshape(-1, int(np.prod(big)))
    b = jacobian(lambda y: mt.conv_transpose2d(y, w, **g.settings), np.zeros(small)).data.reshape(a.T.shape)
    np.testing.assert_array_equal(b, a.T)


@given(convolutions(2, groups=3), rngs)
def test_groups_are_convolutions_side_by_side(g, rng):
    """Each group of output channels sees its own group of input channels, as if the others were not there."""
    x, w, b = drawn(rng, g.x, g.w, g.b)
    groups = g.settings["groups"]
    alone = {**g.settings, "groups": 1}
    c, o = g.x[1] // groups, g.w[0] // groups
    parts = [
        mt.conv2d(x[:, i * c : (i + 1) * c], w[i * o : (i + 1) * o], b[i * o : (i + 1) * o], **alone)
        for i in range(groups)
    ]
    same(mt.conv2d(x, w, b, **g.settings), mt.concatenate(parts, axis=1))


@given(transposed_convolutions(), rngs)
def test_groups_of_a_transposed_convolution_are_side_by_side(g, rng):
    """As for the convolution."""
    x, w = drawn(rng, g.x, g.w)
    groups = g.settings["groups"]
    c = g.x[1] // groups
    parts = [
        mt.conv_transpose2d(x[:, i * c : (i + 1) * c], w[i * c : (i + 1) * c], **{**g.settings, "groups": 1})
        for i in range(groups)
    ]
    same(mt.conv_transpose2d(x, w, **g.settings), mt.concatenate(parts, axis=1))


@given(convolutions(2), rngs)
def test_a_dilated_kernel_is_a_kernel_with_zeros_between(g, rng):
    """Dilation d puts d - 1 zeros between neighbouring taps."""
    x, w = drawn(rng, g.x, g.w)
    dh, dw = g.settings["dilation"]
    kh, kw = g.w[2:]
    stuffed = np.zeros((*g.w[:2], dh * (kh - 1) + 1, dw * (kw - 1) + 1))
    stuffed[:, :, ::dh, ::dw] = w.data
    same(mt.conv2d(x, w, **g.settings), mt.conv2d(x, stuffed, **{**g.settings, "dilation": 1}))


@given(convolutions(2), rngs)
def test_a_stride_leaves_places_out(g, rng):
    """Stride s is stride 1 and then every s-th place: the rest is not computed, nothing else changes."""
    x, w = drawn(rng, g.x, g.w)
    sh, sw = g.settings["stride"]
    same(mt.conv2d(x, w, **g.settings), mt.conv2d(x, w, **{**g.settings, "stride": 1})[:, :, ::sh, ::sw])


@given(transposed_convolutions(), rngs)
def test_a_strided_transposed_convolution_is_a_convolution_of_an_image_with_zeros_between(g, rng):
    """s - 1 zeros between the inputs, a margin around them, and the kernel flipped."""
    x, w = drawn(rng, g.x, g.w)
    (sh, sw), (dh, dw), groups = g.settings["stride"], g.settings["dilation"], g.settings["groups"]
    n, c, h, v = g.x
    spread = np.zeros((n, c, (h - 1) * sh + 1, (v - 1) * sw + 1))
    spread[:, :, ::sh, ::sw] = x.data
    reach = [d * (k - 1) for d, k in zip((dh, dw), g.w[2:], strict=True)]
    wide = np.pad(
        spread, [(0, 0), (0, 0), *[(r, r + e) for r, e in zip(reach, g.settings["output_padding"], strict=True)]]
    )
    flipped = w[:, :, ::-1, ::-1].reshape(groups, c // groups, -1, *g.w[2:]).transpose(0, 2, 1, 3, 4)
    full = mt.conv2d(wide, flipped.reshape(-1, c // groups, *g.w[2:]), dilation=(dh, dw), groups=groups)
    (ph, pw) = g.settings["padding"]
    same(mt.conv_transpose2d(x, w, **g.settings), full[:, :, ph : ph + g.y[2], pw : pw + g.y[3]])


@pytest.mark.parametrize("axes", [1, 2])
@given(data=st.data(), rng=rngs)
def test_a_locally_connected_layer_with_equal_kernels_is_a_convolution(axes, data, rng):
    """Tie the kernels of all places together, and nothing is left but the convolution."""
    g = data.draw(local_layers(axes))
    x, w, b = drawn(rng, g.x, (*g.w[:2], *g.w[2 + axes :]), g.b[:1])
    ones = (1,) * axes
    tied = mt.broadcast_to(w.reshape(*w.shape[:2], *ones, *w.shape[2:]), g.w)
    local, conv = (getattr(mt, f"{kind}{axes}d") for kind in ("locally_connected", "conv"))
    same(local(x, tied, mt.broadcast_to(b.reshape(-1, *ones), g.b), **g.settings), conv(x, w, b, **g.settings))


@pytest.mark.parametrize("axes", [1, 2])
@given(data=st.data(), rng=rngs)
def test_the_gradient_of_a_shared_kernel_is_the_sum_over_its_places(axes, data, rng):
    """Sharing is adding: convolution's dw is locally connected's dw, summed over the places."""
    g = data.draw(local_layers(axes))
    x, w, seed = drawn(rng, g.x, (*g.w[:2], *g.w[2 + axes :]), g.y)
    own = Tensor(np.ones(g.w))
    local, conv = (getattr(mt, f"{kind}{axes}d") for kind in ("locally_connected", "conv"))
    (shared,) = gradients(conv(x, w, **g.settings), [w], seed)
    (unshared,) = gradients(local(x, own, **g.settings), [own], seed)
    same(shared, unshared.sum(axis=tuple(range(2, 2 + axes))))


@pytest.mark.parametrize("axes", [1, 2])
@given(data=st.data(), rng=rngs)
def test_one_tile_is_a_convolution(axes, data, rng):
    """A tiled convolution with a single kernel has nothing to take turns with."""
    g = data.draw(local_layers(axes))
    x, w, b = drawn(rng, g.x, (*g.w[:2], *(1,) * axes, *g.w[2 + axes :]), (g.b[0], *(1,) * axes))
    tiled, conv = (getattr(mt, f"{kind}{axes}d") for kind in ("tiled_conv", "conv"))
    kernel = w.reshape(*w.shape[:2], *w.shape[2 + axes :])
    same(tiled(x, w, b, **g.settings), conv(x, kernel, b.reshape(-1), **g.settings))


@pytest.mark.parametrize("axes", [1, 2])
@given(data=st.data(), rng=rngs)
def test_a_tile_for_each_place_is_locally_connected(axes, data, rng):
    """With as many kernels as places no kernel is used twice."""
    g = data.draw(local_layers(axes))
    x, w, b = drawn(rng, g.x, g.w, g.b)
    tiled, local = (getattr(mt, f"{kind}{axes}d") for kind in ("tiled_conv", "locally_connected"))
    same(tiled(x, w, b, **g.settings), local(x, w, b, **g.settings))


@pytest.mark.parametrize("axes", [1, 2])
@given(data=st.data(), rng=rngs)
def test_an_average_pool_is_a_convolution_with_a_box(axes, data, rng):
    """Each channel by itself (as many groups as channels) with a kernel of ones, divided by their number."""
    shape, k, settings = data.draw(pools(axes, ("stride", "padding")))
    (x,) = drawn(rng, shape)
    pool, conv = (getattr(mt, f"{kind}{axes}d") for kind in ("avg_pool", "conv"))
    box = np.ones((shape[1], 1, *k))
    same(pool(x, k, **settings), conv(x, box, **settings, groups=shape[1]) / int(np.prod(k)))


@pytest.mark.parametrize("axes", [1, 2])
@given(data=st.data(), rng=rngs)
def test_a_weighted_average_pool_is_a_convolution_with_a_bell(axes, data, rng):
    """A wide enough bell is a box; and what it does to any image is convolving with what it does to single pixels."""
    shape, k, settings = data.draw(pools(axes, ("stride",)))
    (x,) = drawn(rng, shape)
    pool, conv, avg = (getattr(mt, f"{kind}{axes}d") for kind in ("weighted_avg_pool", "conv", "avg_pool"))
    np.testing.assert_allclose(pool(x, k, **settings, sigma=1e6).data, avg(x, k, **settings).data, atol=1e-9)
    bell = jacobian(lambda x: pool(x, k, sigma=1.0), np.zeros((1, 1, *k))).data.reshape(1, 1, *k)
    np.testing.assert_array_equal(bell, np.flip(bell))  # the middle is the middle
    stacked = conv(x, np.repeat(bell, shape[1], 0), **settings, groups=shape[1])
    np.testing.assert_allclose(pool(x, k, **settings).data, stacked.data, atol=1e-12)


@given(st.integers(1, 6), st.floats(-200, -3), rngs)
def test_a_narrow_bell_picks_the_middle(k, exponent, rng):
    """However narrow: the tap in the middle, or the mean of the two that are nearest to it."""
    (x,) = drawn(rng, (1, 1, k))
    middle = x[..., (k - 1) // 2 : k // 2 + 1]
    same(mt.weighted_avg_pool1d(x, k, sigma=10.0**exponent), middle.mean(axis=2, keepdims=True))


@pytest.mark.parametrize("axes", [1, 2])
@given(data=st.data(), rng=rngs)
def test_lp_pools_lie_between_the_average_and_the_maximum(axes, data, rng):
    """Of |x|: norm 1 is the average times the count, and the larger the norm the closer to the maximum, from above."""
    shape, k, settings = data.draw(pools(axes, ("stride",)))
    (x,) = drawn(rng, shape)
    lp, avg, largest = (getattr(mt, f"{kind}_pool{axes}d") for kind in ("lp", "avg", "max"))
    size = int(np.prod(k))
    np.testing.assert_allclose(lp(x, k, **settings, norm=1).data, avg(abs(x), k, **settings).data * size, atol=1e-12)
    top = largest(abs(x), k, **settings).data
    for norm in (1, 2, 5, 40):
        y = lp(x, k, **settings, norm=norm).data
        assert (y >= top - 1e-12).all()
        assert (y <= top * size ** (1 / norm) + 1e-12).all()


@pytest.mark.parametrize("name", LAYERS)
@given(data=st.data(), rng=rngs)
def test_layers_are_linear(name, data, rng):
    """f(a x + b y) = a f(x) + b f(y), in the input and in the kernel; the bias is added once."""
    f, shapes = data.draw(OPERATORS[name].cases)
    a, b = rng.integers(-3, 4, 2)
    for i in (0, 1):
        x, y = drawn(rng, shapes[i], shapes[i])
        other = drawn(rng, shapes[1 - i])

        def g(t, i=i, other=other):
            return f(*([t, *other] if i == 0 else [*other, t]))

        same(g(a * x + b * y), a * g(x) + b * g(y))
    if len(shapes) == 3:
        x, w, bias = drawn(rng, *shapes)
        nothing = Tensor(np.zeros(shapes[2]))
        same(f(x, w, bias) - f(x, w, nothing), f(0 * x, w, bias))
        same(f(x, w, nothing), f(x, w))


BATCHED = [name for name in OPERATORS if "conv" in name or "pool" in name or "local" in name]


@pytest.mark.parametrize("name", BATCHED)
@given(data=st.data(), rng=rngs)
def test_images_of_a_batch_do_not_see_each_other(name, data, rng):
    """Permute the batch, and the outputs are permuted; take one image, and its output is the same."""
    f, shapes = data.draw(OPERATORS[name].cases)
    x, *others = drawn(rng, (3, *shapes[0][1:]), *shapes[1:])
    order = rng.permutation(3)
    y = f(x, *others).data
    close = {"rtol": 1e-14, "atol": 1e-14}  # the sums of a bell or a norm may be added up in another order
    np.testing.assert_allclose(f(x[order], *others).data, y[order], **close)
    np.testing.assert_allclose(f(x[1:2], *others).data, y[1:2], **close)


@pytest.mark.parametrize("name", BATCHED)
@given(data=st.data(), rng=rngs)
def test_an_empty_batch_is_a_batch(name, data, rng):
    """No images give no outputs, of the right size, and no gradient."""
    f, shapes = data.draw(OPERATORS[name].cases)
    one = f(*drawn(rng, *shapes))
    xs = drawn(rng, (0, *shapes[0][1:]), *shapes[1:])
    y = f(*xs)
    assert y.shape == (0, *one.shape[1:])
    for x, g in zip(xs, gradients(y * y, xs), strict=True):
        same(g, np.zeros(x.shape))


@given(lines(padding=0), rngs)
def test_a_convolution_of_lines_is_one_of_images_one_pixel_high(line, rng):
    """conv1d is conv2d with kernel, input and output one pixel high."""
    x, w = drawn(rng, (2, 2, line.n), (3, 2, line.k))
    flat = mt.conv1d(x, w, stride=line.stride, dilation=line.dilation)
    high = mt.conv2d(x[:, :, None], w[:, :, None], stride=(1, line.stride), dilation=(1, line.dilation))
    same(flat, high[:, :, 0])


def full(x, w):
    """Mathematics' convolution of two lines: the kernel flipped, the input padded until the last tap leaves it."""
    k = w.shape[-1]
    return mt.conv1d(x, w[:, :, ::-1], padding=k - 1)


@given(whole_numbers((1, 1, 4)), whole_numbers((1, 1, 3)), whole_numbers((1, 1, 2)))
def test_convolution_with_a_flipped_kernel_commutes_and_associates(x, y, z):
    """(x * y) = (y * x) and (x * y) * z = x * (y * z), and it is np.convolve; without the flip neither holds."""
    x, y, z = map(Tensor, (x, y, z))
    same(full(x, y), full(y, x))
    same(full(full(x, y), z), full(x, full(y, z)))
    np.testing.assert_array_equal(full(x, y).data.ravel(), np.convolve(x.data.ravel(), y.data.ravel()))
    assert not np.array_equal(
        mt.conv1d([[[1.0, 2, 0]]], [[[1.0, 0]]]).data, mt.conv1d([[[1.0, 2, 0]]], [[[0, 1.0]]]).data
    )


@given(whole_numbers((2, 2, 5, 4)), whole_numbers((3, 2, 2, 3)))
def test_convolutions_in_a_row_are_one_convolution(x, w):
    """Two convolutions without a non-linearity between are one, whose kernel is the second spread by the first."""
    x, w = Tensor(x), Tensor(w)
    v = Tensor(np.arange(2 * 3 * 2 * 2, dtype=float).reshape(2, 3, 2, 2))
    both = mt.conv_transpose2d(v, w)
    same(mt.conv2d(mt.conv2d(x, w), v), mt.conv2d(x, both))
