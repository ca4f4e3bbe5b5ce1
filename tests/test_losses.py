"""Cross-entropy with weights, ignored and soft labels: each form is told by another."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitensor import Tensor, cross_entropy, gradients, log_softmax, softmax
from minitensor.finite import check_gradients

from .checks import raises, same
from .strategies import rngs

sizes = st.tuples(st.integers(1, 5), st.integers(1, 4))


@given(sizes, rngs)
def test_soft_labels_of_one_class_are_labels(size, rng):
    logits, labels = rng.normal(size=size), rng.integers(0, size[1], size[0])
    one_hot = np.eye(size[1])[labels]
    np.testing.assert_allclose(cross_entropy(logits, one_hot).item(), cross_entropy(logits, labels).item(), atol=1e-12)


@given(sizes, rngs)
def test_soft_labels_are_a_mean_over_labels(size, rng):
    """The loss is linear in them: -sum_k q_k log p_k, averaged over the rows; and its gradient is softmax - q."""
    logits, soft = Tensor(rng.normal(size=size)), rng.dirichlet(np.ones(size[1]), size[0])
    loss = cross_entropy(logits, soft)
    expected = -(soft * log_softmax(logits, axis=1).data).sum(axis=1).mean()
    np.testing.assert_allclose(loss.item(), expected, atol=1e-12)
    (slope,) = gradients(loss, [logits])
    np.testing.assert_allclose(slope.data, (softmax(logits, axis=1).data - soft) / size[0], atol=1e-12)


@given(sizes, rngs)
def test_a_weight_counts_a_row_so_many_times(size, rng):
    """Whole weights: the loss of rows that are repeated so often."""
    logits, labels = rng.normal(size=size), rng.integers(0, size[1], size[0])
    weight = rng.integers(1, 4, size[1])
    repeated = np.repeat(np.arange(size[0]), weight[labels])
    weighted, plain = cross_entropy(logits, labels, weight=weight), cross_entropy(logits[repeated], labels[repeated])
    np.testing.assert_allclose(weighted.item(), plain.item(), atol=1e-12)


@given(sizes, st.sampled_from([-100, -1, 0, 7]), st.booleans(), rngs)
def test_ignored_rows_are_as_if_they_were_not_there(size, ignored, weighted, rng):
    """Their gradient is 0, and nothing counts them."""
    n, k = size
    logits, labels = Tensor(rng.normal(size=(n + 1, k))), rng.integers(0, k, n + 1)
    labels[rng.random(n + 1) < 0.5] = ignored
    labels[0] = k - 1 if ignored != k - 1 else 0
    options = {"weight": rng.uniform(0.5, 2, k) if weighted else None}
    stays = np.flatnonzero(labels != ignored)
    if not len(stays):
        return
    loss = cross_entropy(logits, labels, ignore_index=ignored, **options)
    same(loss, cross_entropy(logits.data[stays], labels[stays], **options))
    (slope,) = gradients(loss, [logits])
    assert not slope.data[labels == ignored].any()


@given(sizes, st.sampled_from(["weight", "ignored", "soft", "soft and weight"]), st.sampled_from([4, 8]), rngs)
def test_every_form_has_exact_derivatives_and_keeps_its_dtype(size, form, width, rng):
    n, k = size
    labels = rng.integers(0, k, n + 1)
    options = {"weight": rng.uniform(0.5, 2, k)} if "weight" in form else {}
    if form == "ignored":
        labels[1:][rng.random(n) < 0.5] = -1
        options = {"ignore_index": -1}
    if "soft" in form:
        labels = rng.dirichlet(np.ones(k), n + 1)
    logits = rng.normal(size=(n + 1, k))
    check_gradients(lambda x: cross_entropy(x, labels, **options), logits)
    assert cross_entropy(logits.astype(f"f{width}"), labels, **options).dtype == np.dtype(f"f{width}")


@given(sizes, rngs)
def test_soft_labels_may_be_tensors_and_have_a_gradient(size, rng):
    """As those of a teacher, which is learnt as well."""
    logits, teacher = rng.normal(size=size), Tensor(rng.normal(size=size))
    loss = cross_entropy(logits, softmax(teacher, axis=1))
    (slope,) = gradients(loss, [teacher])
    assert slope.shape == teacher.shape and (slope.data.any() or size[1] == 1)


@pytest.mark.parametrize(
    "labels, options, parts",
    [
        ([-1, -1], {"ignore_index": -1}, ["no row counts", "ignore_index -1"]),
        ([0, 0], {"weight": [0.0, 1.0]}, ["no row counts", "[0.0, 1.0]"]),
        ([0, 1], {"weight": [1.0]}, ["(2,)", "[1.]"]),
        ([0, 1], {"weight": [1.0, -1.0]}, ["from 0 on", "-1."]),
        ([0, 1], {"weight": [1.0, np.nan]}, ["finite", "nan"]),
        ([[0.5, 0.6], [0.5, 0.5]], {}, ["add up to 1", "0.6"]),
        ([[1.5, -0.5], [0.5, 0.5]], {}, ["from 0 on", "-0.5"]),
        ([[0.5, 0.5]], {}, [(1, 2), (2, 2)]),
        ([[0.5, 0.5], [1.0, 0.0]], {"ignore_index": 0}, ["no ignore_index"]),
    ],
)
def test_what_does_not_fit_is_refused(labels, options, parts):
    with raises(ValueError, *parts):
        cross_entropy(np.zeros((2, 2)), labels, **options)


def test_a_label_that_is_ignored_is_the_only_one_that_may_be_out_of_range():
    with raises(IndexError, "from 0 to 1", "got -2"):
        cross_entropy(np.zeros((3, 2)), [-1, -2, 0], ignore_index=-1)
