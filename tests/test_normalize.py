"""Losses, normalisation and dropout: what they promise about their outputs."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import minitensor as mt
from minitensor import Tensor, gradients

from .checks import same
from .strategies import dtypes, reals, rngs, shapes

images = shapes(min_dims=2, max_dims=4, min_side=2, max_side=4)


@given(st.integers(1, 5), st.integers(1, 5), rngs)
def test_cross_entropy_is_the_mean_surprise(n, k, rng):
    """-log of the probability of the right class, averaged over the batch."""
    (logits,) = reals(rng, [(n, k)])
    labels = rng.integers(0, k, n)
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    expected = np.mean([-np.log(p[i, label]) for i, label in enumerate(labels)])
    np.testing.assert_allclose(mt.cross_entropy(logits, labels).item(), expected, atol=1e-12)


@given(st.integers(1, 5), st.integers(1, 5), rngs)
def test_the_gradient_of_cross_entropy_is_softmax_minus_one_hot(n, k, rng):
    """d loss / d logits = (p - y) / n: the error, as one reads it off."""
    logits = Tensor(reals(rng, [(n, k)])[0])
    labels = rng.integers(0, k, n)
    (g,) = gradients(mt.cross_entropy(logits, labels), [logits])
    np.testing.assert_allclose(g.data, (mt.softmax(logits, axis=1).data - np.eye(k)[labels]) / n, atol=1e-14)


@given(shapes(), rngs)
def test_mean_squared_error_is_numpys(shape, rng):
    """The mean of (a - b)^2; its gradient is 2 (a - b) / size."""
    a, b = map(Tensor, reals(rng, [shape, shape]))
    loss = mt.mean_squared_error(a, b)
    np.testing.assert_allclose(loss.item(), np.mean((a.data - b.data) ** 2))
    for g, sign in zip(gradients(loss, [a, b]), (1, -1), strict=True):
        np.testing.assert_allclose(g.data, sign * 2 * (a.data - b.data) / a.size, atol=1e-15)


@given(images, rngs)
def test_batch_norm_gives_each_channel_its_mean_and_variance(shape, rng):
    """Each channel has mean = shift and variance = scale^2, over the batch and all places."""
    x, scale, shift = reals(rng, [shape, shape[1:2], shape[1:2]])
    y = mt.batch_norm(x, scale, shift, eps=0.0).data
    others = (0, *range(2, len(shape)))
    np.testing.assert_allclose(y.mean(axis=others), shift, atol=1e-9)
    np.testing.assert_allclose(y.var(axis=others), scale**2, atol=1e-9)


@given(images, rngs, st.sampled_from([0.5, 2.0]), st.sampled_from([0, 5]))
def test_batch_norm_does_not_see_scale_and_shift_of_its_input(shape, rng, a, b):
    """Without eps, batch_norm(a x + b) = batch_norm(x), for a > 0."""
    (x,) = reals(rng, [shape])
    ones = np.ones(shape[1])
    both = [mt.batch_norm(t, ones, 0 * ones, eps=0.0).data for t in (x, a * x + b)]
    np.testing.assert_allclose(*both, atol=1e-9)


@given(images, rngs)
def test_eps_is_added_to_the_variance(shape, rng):
    """y = (x - mean) / sqrt(var + eps)."""
    (x,) = reals(rng, [shape])
    others = (0, *range(2, len(shape)))
    expected = (x - x.mean(axis=others, keepdims=True)) / np.sqrt(x.var(axis=others, keepdims=True) + 0.25)
    ones = np.ones(shape[1])
    np.testing.assert_allclose(mt.batch_norm(x, ones, 0 * ones, eps=0.25).data, expected, atol=1e-12)
    flat = mt.batch_norm(0 * x + 3, ones, ones).data  # nothing to divide by but eps
    np.testing.assert_array_equal(flat, np.ones(shape))


@given(images, st.integers(1, 5), rngs)
def test_settings_left_out_are_the_usual_ones(shape, size, rng):
    """eps = 1e-5, alpha = 1e-4, beta = 0.75, k = 1."""
    x, scale, shift = reals(rng, [shape, shape[1:2], shape[1:2]])
    same(mt.batch_norm(x, scale, shift), mt.batch_norm(x, scale, shift, eps=1e-5))
    same(mt.local_response_norm(x, size), mt.local_response_norm(x, size, alpha=1e-4, beta=0.75, k=1.0))


@given(images, st.integers(1, 5), rngs, st.sampled_from([0.5, 0.75, 1.0]), st.sampled_from([1.0, 2.0]))
def test_local_response_norm_is_its_formula(shape, size, rng, beta, k):
    """y = x / (k + alpha / size * sum of x^2 over size channels around)^beta, size // 2 of them before."""
    (x,) = reals(rng, [shape])
    y = mt.local_response_norm(x, size, alpha=0.5, beta=beta, k=k).data
    for c in range(shape[1]):
        first = c - size // 2
        near = [i for i in range(first, first + size) if 0 <= i < shape[1]]
        total = (x[:, near] ** 2).sum(axis=1)
        np.testing.assert_allclose(y[:, c], x[:, c] / (k + 0.5 * total / size) ** beta, rtol=1e-12)


@given(shapes(), rngs, st.sampled_from([0.0, 0.25, 0.5, 0.75]), st.integers(0, 99), dtypes)
def test_dropout_leaves_a_value_out_or_divides_it(shape, rng, p, seed, dtype):
    """Each value is 0 or x / (1 - p); the gradient takes the same ones; the generator decides which."""
    x = Tensor((reals(rng, [shape])[0] + 3).astype(dtype))
    y = mt.dropout(x, p, np.random.default_rng(seed))
    kept = y.data != 0
    np.testing.assert_array_equal(y.data, x.data * (kept / dtype(1 - p)).astype(dtype))
    np.testing.assert_array_equal(gradients(y, [x])[0].data, (kept / (1 - p)).astype(dtype))
    np.testing.assert_array_equal(mt.dropout(x, p, np.random.default_rng(seed)).data, y.data)
    assert kept.all() or p > 0


def test_dropout_keeps_the_mean_and_draws_anew():
    """Over many values a share of p is left out, the mean stays, and each row and each call leaves out others."""
    generator = np.random.default_rng(0)
    x = np.ones((2, 50_000))
    y, z = (mt.dropout(x, 0.3, generator).data for _ in range(2))
    assert abs((y == 0).mean() - 0.3) < 0.01
    assert abs(y.mean() - 1) < 0.01
    assert 0.3 < (y != z).mean() < 0.5
    assert 0.3 < (y[0] != y[1]).mean() < 0.5
