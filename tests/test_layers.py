"""Values of the layers: the fast forms against their formulas, exactly, in any memory order, in float32 and float64."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import mutually_broadcastable_shapes

import minitensor as mt
from minitensor import Tensor, gradients

from . import naive
from .checks import same
from .strategies import (
    contractions,
    convolutions,
    divisible,
    dtypes,
    laid_out,
    local_layers,
    pools,
    rngs,
    shapes,
    transposed_convolutions,
    whole,
    whole_numbers,
)


@st.composite
def filled(draw, geometries, values=whole):
    """A geometry, and whole numbers for its x, w and b, in one dtype, each in a memory order of its own."""
    g, dtype = draw(geometries), draw(dtypes)
    return g, *[draw(laid_out(a.astype(dtype))) for a in values(draw(rngs), [g.x, g.w, g.b])]


def pairs(padding):
    return tuple((p, p) for p in padding)


def per_channel(b, axes):
    return b.data.reshape(-1, *(1,) * axes)


# -- convolution -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("axes", [1, 2, 3])
@given(data=st.data())
def test_conv_is_its_formula(axes, data):
    """y[n, o, h, w] = b[o] + sum_cij x[n, c, h s + i d - p, w s + j d - p] w[o, c, i, j], exactly."""
    g, x, w, b = data.draw(filled(convolutions(axes)))
    conv = getattr(mt, f"conv{axes}d")
    expected = naive.conv(x.data, w.data, g.y[2:], **g.settings)
    same(conv(x, w, **g.settings), expected)
    same(conv(x, w, b, **g.settings), expected + per_channel(b, axes))


@pytest.mark.parametrize("axes", [1, 2])
@given(data=st.data(), kinds=st.tuples(dtypes, dtypes, dtypes))
def test_a_bias_keeps_its_digits(axes, data, kinds):
    """conv(x, w, b) = conv(x, w) + b in the widest dtype of the three; that of x and w, if b is a list of integers."""
    g, *inputs = data.draw(filled(convolutions(axes)))
    x, w, b = (Tensor(t.data.astype(kind) / 3) for t, kind in zip(inputs, kinds, strict=True))
    conv = partial(mt.conv1d if axes == 1 else mt.conv2d, **g.settings)
    y = conv(x, w).data
    same(conv(x, w, b), y + per_channel(b, axes))
    integers = inputs[2].data.astype(int).tolist()
    same(conv(x, w, integers), y + per_channel(Tensor(integers), axes).astype(y.dtype))


@given(st.data(), st.sampled_from([("circular", "wrap"), ("reflect", "reflect")]))
def test_padding_modes_are_numpys(data, modes):
    """padding_mode fills the margin as np.pad does, then convolves without one."""
    ours, numpys = modes
    g, x, w, _ = data.draw(filled(convolutions(2)))
    if ours == "reflect" and 1 in x.shape[2:]:
        x = Tensor(np.concatenate([x.data] * 2, axis=2))
        x = Tensor(np.concatenate([x.data] * 2, axis=3))
    padded = np.pad(x.data, [(0, 0), (0, 0), *pairs(g.settings["padding"])], numpys)
    same(
        mt.conv2d(x, w, **g.settings, padding_mode=ours),
        mt.conv2d(padded, w, **{**g.settings, "padding": 0}),
    )


@given(st.data(), st.integers(1, 4), st.integers(1, 4))
def test_same_padding_is_a_margin(data, kh, kw):
    """padding="same" adds d(k - 1) cells to each axis, the odd one behind; "valid" adds none."""
    dtype, d = data.draw(dtypes), data.draw(st.integers(1, 2))
    x, w = data.draw(whole_numbers((2, 1, 5, 8), (2, 1, kh, kw), dtype=dtype))
    margin = [(d * (k - 1) // 2, d * (k - 1) - d * (k - 1) // 2) for k in (kh, kw)]
    padded = np.pad(x, [(0, 0), (0, 0), *margin])
    same(mt.conv2d(x, w, padding="same", dilation=d), mt.conv2d(padded, w, padding="valid", dilation=d))
    tx, tw = Tensor(x), Tensor(w)
    for a, b in zip(
        gradients(mt.conv2d(tx, tw, padding="same", dilation=d), [tx, tw]),
        gradients(mt.conv2d(mt.pad(tx, [(0, 0), (0, 0), *margin]), tw, dilation=d), [tx, tw]),
        strict=True,
    ):
        same(a, b)


@pytest.mark.parametrize("axes", [1, 2])
@given(data=st.data())
def test_conv_transpose_is_its_formula(axes, data):
    """y[n, o, h s + i d - p, w s + j d - p] += x[n, c, h, w] w[c, o, i, j], exactly."""
    g, x, w, b = data.draw(filled(transposed_convolutions(axes)))
    conv_transpose = getattr(mt, f"conv_transpose{axes}d")
    settings = {name: value for name, value in g.settings.items() if name != "output_padding"}
    expected = naive.conv_transpose(x.data, w.data, g.y[2:], **settings)
    same(conv_transpose(x, w, **g.settings), expected)
    same(conv_transpose(x, w, b, **g.settings), expected + per_channel(b, axes))


@pytest.mark.parametrize("tiled", [False, True])
@pytest.mark.parametrize("axes", [1, 2])
@given(data=st.data())
def test_local_layers_are_their_formulas(axes, tiled, data):
    """Locally connected: a kernel and a bias for each place.  Tiled: those of place h are number h % t."""
    g, x, w, b = data.draw(filled(local_layers(axes, tiled)))
    layer = getattr(mt, ("tiled_conv" if tiled else "locally_connected") + f"{axes}d")
    expected = naive.local(x.data, w.data, g.y[2:], **g.settings)
    same(layer(x, w, **g.settings), expected)
    bias = b.data[np.ix_(range(b.shape[0]), *[np.arange(m) % t for m, t in zip(g.y[2:], b.shape[1:], strict=True)])]
    same(layer(x, w, b, **g.settings), expected + bias)


@given(st.data(), shapes(max_dims=3), st.integers(1, 3), st.integers(1, 3), dtypes)
def test_dense_is_a_matrix_product(data, front, c, o, dtype):
    """y[..., o] = sum_c x[..., c] w[o, c] + b[o], for any axes in front."""
    x, w, b = (data.draw(laid_out(a)) for a in data.draw(whole_numbers((*front, c), (o, c), (o,), dtype=dtype)))
    same(mt.dense(x, w), x.data @ w.data.T)
    same(mt.dense(x, w, b), x.data @ w.data.T + b.data)


# -- pools -------------------------------------------------------------------------------------------------------------

ALL = ("stride", "padding", "dilation", "ceil_mode")
MEAN = ("stride", "padding", "ceil_mode", "count_include_pad")


@st.composite
def pooled(draw, axes, names, values=whole):
    """An image with ties, in any memory order, a kernel and settings; and the settings as the loops take them."""
    shape, k, settings = draw(pools(axes, names))
    (x,) = values(draw(rngs), [shape])
    line = {"stride": settings["stride"], "padding": (0,) * axes, "dilation": (1,) * axes, **settings}
    return draw(laid_out(x.astype(draw(dtypes)))), k, settings, {name: line[name] for name in ALL if name in line}


@pytest.mark.parametrize("axes", [1, 2, 3])
@given(data=st.data())
def test_max_pool_is_the_largest_in_each_window(axes, data):
    """y = max over the window's cells of x, exactly; a window that sees no cell of x gives -infinity."""
    x, k, settings, line = data.draw(pooled(axes, ALL))
    pool = getattr(mt, f"max_pool{axes}d")

    def largest(values, *_):
        return np.max([np.full(x.shape[:2], -np.inf), *values], axis=0)

    same(pool(x, k, **settings), naive.pool(x.data, largest, k, **line))


@pytest.mark.parametrize("axes", [1, 2, 3])
@given(data=st.data())
def test_max_pool_gives_each_gradient_to_the_first_largest(axes, data):
    """Every window adds its gradient to the first of its largest cells in reading order, and to no other."""
    x, k, settings, line = data.draw(pooled(axes, ALL))
    pool = getattr(mt, f"max_pool{axes}d")
    y = pool(x, k, **settings)
    seed = data.draw(laid_out(data.draw(whole_numbers(y.shape, dtype=x.dtype))))
    expected = np.zeros(x.shape, x.dtype)
    ceil_mode = line.pop("ceil_mode")
    for place, reads in naive.cells(x.shape[2:], k, *line.values(), ceil_mode=ceil_mode):
        seen = [at for _, at in reads if naive.inside(at, x.shape[2:])]
        for nc in np.ndindex(x.shape[:2]):
            if seen:
                expected[(*nc, *max(seen, key=lambda at: x.data[(*nc, *at)]))] += seed.data[(*nc, *place)]
    same(gradients(y, [x], seed)[0], expected)


@given(st.integers(2, 5), dtypes)
def test_the_maximum_of_nothing_is_minus_infinity(dilation, dtype):
    """Two taps so far apart that one falls before the input and one behind it."""
    x = Tensor(np.zeros((1, 1, dilation - 1), dtype))
    same(mt.max_pool1d(x, 2, padding=1, dilation=dilation), np.full((1, 1, 1), -np.inf, dtype))


@pytest.mark.parametrize("axes", [1, 2, 3])
@given(data=st.data())
def test_avg_pool_is_the_mean_of_each_window(axes, data):
    """y = sum / count; the count is that of the cells of x and, if so set, of the margin, but of none beyond."""
    x, k, settings, line = data.draw(pooled(axes, MEAN, divisible))
    pool = getattr(mt, f"avg_pool{axes}d")

    def mean(values, cells, with_margin):
        return np.sum(values, axis=0) / (with_margin if settings["count_include_pad"] else cells)

    same(pool(x, k, **settings), naive.pool(x.data, mean, k, **line))


@pytest.mark.parametrize("axes", [1, 2])
@pytest.mark.parametrize("margin", [True, False])
@given(data=st.data())
def test_the_mean_of_a_constant_is_that_constant(axes, margin, data):
    """Whatever a last window reaches beyond; with a margin, if that does not count."""
    names = ("stride", "ceil_mode", "padding")[: 2 + margin]
    shape, k, settings = data.draw(pools(axes, names))
    pool = getattr(mt, f"avg_pool{axes}d")
    y = pool(np.full(shape, 5.0), k, **settings, count_include_pad=not margin)
    same(y, np.full(y.shape, 5.0))


@pytest.mark.parametrize("axes", [1, 2])
@given(data=st.data(), norm=st.sampled_from([1, 2, 3, 4, 1.5]))
def test_lp_pool_is_the_norm_of_each_window(axes, data, norm):
    """y = (sum |x|^p)^(1/p), of numbers larger and smaller than 1; at p = 1 exactly."""
    x, k, settings, line = data.draw(pooled(axes, ("stride",)))
    x = x * data.draw(st.sampled_from([1.0, 0.125]))
    pool = mt.lp_pool1d if axes == 1 else mt.lp_pool2d

    def length(values, *_):
        return np.sum(np.abs(values) ** norm, axis=0) ** (1 / norm)

    y = pool(x, k, **settings, norm=norm)
    assert y.dtype == x.dtype
    np.testing.assert_allclose(y.data, naive.pool(x.data, length, k, **line), rtol=0 if norm == 1 else 1e-5)


@pytest.mark.parametrize("axes", [1, 2])
@given(data=st.data(), sigma=st.sampled_from([0.3, 1.0, 5.0]))
def test_weighted_avg_pool_weighs_by_the_distance_from_the_centre(axes, data, sigma):
    """The weight of a cell is proportional to exp(-r^2 / 2 sigma^2), and all weights add up to 1."""
    x, k, settings, line = data.draw(pooled(axes, ("stride",)))
    pool = mt.weighted_avg_pool1d if axes == 1 else mt.weighted_avg_pool2d
    centre = [(n - 1) / 2 for n in k]
    weights = [
        np.exp(-sum((i - c) ** 2 for i, c in zip(tap, centre, strict=True)) / (2 * sigma**2)) for tap in np.ndindex(k)
    ]

    def weighted(values, *_):
        return np.tensordot(weights, values, 1) / sum(weights)

    expected = naive.pool(x.data, weighted, k, **line)
    np.testing.assert_allclose(pool(x, k, **settings, sigma=sigma).data, expected, rtol=1e-5, atol=1e-5)


@given(st.data(), st.integers(1, 3), shapes(min_dims=1))
def test_maxout_is_the_largest_of_each_run_of_channels(data, pieces, shape):
    """y[n, o] = max_k x[n, o pieces + k], along any axis."""
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    full = list(shape)
    full[axis] *= pieces
    x = data.draw(laid_out(data.draw(whole_numbers(tuple(full)))))
    runs = np.split(x.data, shape[axis], axis)
    same(mt.maxout(x, pieces, axis), np.concatenate([run.max(axis=axis, keepdims=True) for run in runs], axis))


# -- settings ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("axes", [1, 2])
@given(data=st.data(), m=st.integers(2, 4), k=st.integers(2, 3))
def test_settings_left_out_are_the_usual_ones(axes, data, m, k):
    """Stride and dilation 1, no padding, one group; pools step by their kernel, round down, count the margin."""
    n, taps, places = (m + k - 1,) * axes, (k,) * axes, (m,) * axes
    x, w, own = data.draw(whole_numbers((2, 2, *n), (2, 2, *taps), (2, 2, *places, *taps)))
    line = {"stride": 1, "padding": 0, "dilation": 1}
    more = {"conv": {"groups": 1, "padding_mode": "zeros"}, "conv_transpose": {"groups": 1, "output_padding": 0}}
    for name, kernel in (("conv", w), ("conv_transpose", w), ("locally_connected", own), ("tiled_conv", own)):
        if layer := getattr(mt, f"{name}{axes}d", None):
            same(layer(x, kernel), layer(x, kernel, **line, **more.get(name, {})))
    line["stride"] = k
    for name, usual in (
        ("max", {**line, "ceil_mode": False}),
        ("avg", {"stride": k, "padding": 0, "ceil_mode": False, "count_include_pad": True}),
        ("lp", {"stride": k, "norm": 2}),
        ("weighted_avg", {"stride": k, "sigma": 1.0}),
    ):
        pool = getattr(mt, f"{name}_pool{axes}d")
        same(pool(x, k), pool(x, k, **usual))
        if "padding" in usual:
            same(pool(x, k, padding=1), pool(x, k, **{**usual, "padding": 1}))
    same(mt.maxout(x, 2), mt.maxout(x, 2, axis=1))
    same(mt.windows(x, k), mt.windows(x, k, stride=1, dilation=1))
    same(mt.fold(mt.windows(x, k), n[-1]), mt.fold(mt.windows(x, k), n[-1], stride=1, dilation=1))


# -- contraction -------------------------------------------------------------------------------------------------------


@given(st.data(), contractions(), dtypes)
def test_einsum_is_numpys(data, contraction, dtype):
    """Any letters, also one twice in an input, in any memory order: np.einsum, exactly."""
    spec, shapes_ = contraction
    drawn = whole(data.draw(rngs), shapes_)
    xs = [data.draw(laid_out(x.astype(dtype))) for x in drawn]
    same(mt.einsum(spec, *xs), np.einsum(spec, *[x.data for x in xs]))


@pytest.mark.parametrize(("spec", "shapes"), [
    ("...ij,...jk->...ik", [(2, 1, 2, 3), (3, 3, 2)]),
    ("i...,...i", [(2, 3), (1, 2)]),
    ("...,...", [(2, 3), (3,)]),
    ("...a->a...", [(2, 3, 4)]),
    ("a...b->...", [(2, 3, 4)]),
    ("ba,ca", [(2, 3), (2, 3)]),
    ("ba", [(2, 3)]),
    ("ii", [(3, 3)]),
    (" i j , j -> i ", [(2, 3), (3,)]),
    ("ij,jk->ik", [(2, 1), (3, 2)]),
    (",a->a", [(), (2,)]),
    ("Ab,bA->A", [(2, 3), (3, 2)]),
    ("->", [()]),
])  # fmt: skip
@given(rng=rngs)
def test_einsum_reads_dots_and_missing_outputs_as_numpy_does(spec, shapes, rng):
    """ "..." broadcasts, a missing output is worked out, and a length of 1 stretches."""
    xs = whole(rng, shapes)
    same(mt.einsum(spec, *xs), np.einsum(spec, *xs))


@given(st.data(), dtypes)
def test_matmul_is_numpys(data, dtype):
    """Stacks of matrices broadcast, and vectors are rows or columns, as in x @ y of arrays."""
    drawn = data.draw(mutually_broadcastable_shapes(signature="(m?,n),(n,p?)->(m?,p?)", max_dims=2, max_side=3))
    x, y = (data.draw(laid_out(a.astype(dtype))) for a in whole(data.draw(rngs), drawn.input_shapes))
    same(x @ y, x.data @ y.data)
    same(x.data @ y, x.data @ y.data)


# -- windows and fold --------------------------------------------------------------------------------------------------


@given(st.data(), convolutions(2))
def test_windows_holds_every_element_that_a_window_reads(data, g):
    """windows(x)[..., h, w, i, j] = x[..., h s + i d, w s + j d], as a view."""
    s, d = g.settings["stride"], g.settings["dilation"]
    x = data.draw(laid_out(data.draw(whole_numbers((*g.x[:2], *[n + 6 for n in g.x[2:]])))))
    y = mt.windows(x, g.w[2:], s, d)
    for h, w, i, j in np.ndindex(y.shape[2:]):
        same(y.data[:, :, h, w, i, j], x.data[:, :, h * s[0] + i * d[0], w * s[1] + j * d[1]])
    assert np.shares_memory(y.data, x.data)


@given(st.data(), shapes(max_dims=1), st.integers(1, 3), st.integers(1, 3))
def test_fold_of_windows_counts_the_windows_over_each_element(data, front, k, stride):
    """fold(windows(x)) is x times the number of windows that cover it."""
    n = data.draw(st.integers(k, 7))
    x = data.draw(whole_numbers((*front, n)))
    count = sum(np.isin(np.arange(n), at).astype(float) for at in naive.window_positions(n, k, stride, 0, 1))
    same(mt.fold(mt.windows(x, k, stride), n, stride), x * count)
