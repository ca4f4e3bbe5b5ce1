"""Steps 7 to 11: arrays with axes.  Most maps here are linear, and one law says all of them: <f(x), g> = <x, dx>."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from ...kit import reals
from .common import (
    Array,
    close,
    demand,
    for_all,
    has_slopes,
    is_tensor,
    linear,
    rule,
    same,
    slopes,
    told,
    upto,
    values,
    whole,
)

shapes = st.lists(upto(3), min_size=1, max_size=3).map(tuple)

# 7 sums and their adjoint


@for_all(data=st.data(), shape=shapes)
def reshape_keeps_the_numbers_in_their_order(e: Any, data: Any, shape: tuple[int, ...]) -> None:
    """As NumPy does it; and <reshape(x), g> = <x, dx>, exactly."""
    x = data.draw(whole(*shape), "x")
    for new in (x.size,), (1, x.size), (x.size, 1), (*shape, 1):
        told(lambda new=new: same(e.reshape(x, new).data, x.reshape(new)), f"reshape(x, {new})")
        linear(e, lambda x, new=new: e.reshape(x, new), x, data.draw(whole(*new), "g"))


@for_all(data=st.data(), shape=shapes)
def total_sums_along_axes(e: Any, data: Any, shape: tuple[int, ...]) -> None:
    """The axes stay, with length 1; any number of them, in a list or another row; and <total(x), g> = <x, dx>."""
    x = data.draw(whole(*shape), "x")
    axes = data.draw(st.lists(st.integers(0, len(shape) - 1), unique=True), "axes")
    expected = x.sum(axis=tuple(axes), keepdims=True)
    told(lambda: same(e.total(x, axes).data, expected), f"total(x, {axes})")
    told(lambda: same(e.total(x, tuple(axes)).data, expected), f"total(x, {tuple(axes)})")
    linear(e, lambda x: e.total(x, axes), x, data.draw(whole(*expected.shape), "g"))


@for_all(data=st.data(), shape=shapes)
def spread_repeats_along_axes(e: Any, data: Any, shape: tuple[int, ...]) -> None:
    """Axes of length 1 are repeated; it is the adjoint of total, so <spread(x), g> = <x, total of g>."""
    axes = data.draw(st.lists(st.integers(0, len(shape) - 1), unique=True), "axes of length 1")
    x = data.draw(whole(*[1 if i in axes else n for i, n in enumerate(shape)]), "x")
    told(lambda: same(e.spread(x, shape).data, np.broadcast_to(x, shape)), f"spread(x, {shape})")
    linear(e, lambda x: e.spread(x, shape), x, data.draw(whole(*shape), "g"))


@for_all(data=st.data(), shape=shapes)
def mean_is_a_single_number(e: Any, data: Any, shape: tuple[int, ...]) -> None:
    """Of shape (), and each element has the slope 1 / size."""
    x = data.draw(whole(*shape), "x")
    t = e.Tensor(x)
    y = e.mean(t)
    demand(tuple(y.shape) == (), f"mean has shape {y.shape}, and should have ()")
    told(lambda: close(y.data, x.mean(), 1e-12), "mean(x)")
    told(lambda: close(e.gradients(y, [t])[0].data, np.full(shape, 1 / x.size), 1e-12), "the gradient of mean(x)")


@for_all(x=reals(2, 3), seed=whole(2, 1), second=whole(2, 3))
def sums_inside_a_function_have_slopes(e: Any, x: Array, seed: Array, second: Array) -> None:
    """total(tanh(x) * x) is no linear map: its first and second derivatives are what finite differences say."""
    has_slopes(e, lambda x: e.total(e.tanh(x) * x, [1]) * e.total(x, [1]), x, seed, second, "a product of sums")


# 8 broadcasting

PAIRS = [
    ((2, 3), (3,)), ((2, 3), (1, 3)), ((2, 3), (2, 1)), ((2, 1), (1, 3)), ((), (2, 3)), ((1,), (2, 2)), ((3,), (2, 1)),
    ((2, 3), (2, 3)), ((3,), (1, 3)), ((2, 1, 2), (3, 1)), ((1, 1), (2, 2)), ((), ()), ((1, 3), (1, 3)),
]  # fmt: skip


@for_all(data=st.data(), pair=st.sampled_from(PAIRS), turned=st.booleans())
def a_gradient_has_the_shape_of_its_input(e: Any, data: Any, pair: Any, turned: bool) -> None:
    """Whatever was repeated on the way is summed on the way back: of a + b and of a * b, exactly."""
    shapes_ = pair[::-1] if turned else pair
    x, y = (data.draw(whole(*shape), name) for name, shape in zip("ab", shapes_, strict=True))
    a, b = e.Tensor(x), e.Tensor(y)
    seed = data.draw(whole(*np.broadcast_shapes(*shapes_)), "seed")
    for sign, t, shares in ("a + b", a + b, (seed, seed)), ("a * b", a * b, (seed * y, seed * x)):
        for name, found, share, input_ in zip("ab", e.gradients(t, [a, b], seed), shares, (x, y), strict=True):
            told(
                lambda found=found, share=share, input_=input_: same(found.data, summed_to(share, input_.shape)),
                f"the gradient of {name} in {sign}",
            )


def summed_to(x: Array, shape: tuple[int, ...]) -> Array:
    """Each element of the small shape collects what was repeated from it: slowly, by counting."""
    source = np.broadcast_to(np.arange(int(np.prod(shape))).reshape(shape), x.shape)
    return np.bincount(source.ravel(), weights=x.ravel(), minlength=int(np.prod(shape))).reshape(shape)


@for_all(data=st.data(), pair=st.sampled_from(PAIRS))
def fit_sums_what_was_repeated(e: Any, data: Any, pair: Any) -> None:
    """fit(g, shape) has this shape, and the sum of each group of repeated elements."""
    shape = pair[0]
    g = data.draw(whole(*np.broadcast_shapes(*pair)), "g")
    found = e.fit(e.Tensor(g), shape)
    is_tensor(e, found, f"fit(g, {shape})")
    told(lambda: same(found.data, summed_to(g, shape)), f"fit(g, {shape})")


@for_all(x=reals(2, 1), y=reals(3), seed=whole(2, 3), second=whole(2, 1))
def broadcasting_has_second_derivatives(e: Any, x: Array, y: Array, seed: Array, second: Array) -> None:
    """Of exp(x y) for a column x and a row y."""
    has_slopes(e, lambda x: e.exp(x * y), x, seed, second, "exp(x * y)")
    t, u = e.Tensor(x), e.Tensor(y)
    (slope,) = e.gradients(t * u * t, [t], seed)
    expected = slopes(lambda y: e.gradients(t * e.Tensor(y) * t, [t], seed)[0], y, second)
    told(
        lambda: close(e.gradients(slope, [u], second)[0].data, expected, 1e-5),
        "of x * y * x, the gradient by x, and of that the gradient by y (a share that lost its recipe has none)",
    )


# 9 transpose and matmul


@for_all(x=whole(2, 3, 4), axes=st.permutations([0, 1, 2]), data=st.data())
def transpose_exchanges_axes(e: Any, x: Array, axes: list[int], data: Any) -> None:
    """As NumPy does it; the way back is the inverse permutation, which for three axes is another one."""
    expected = x.transpose(axes)
    told(lambda: same(e.transpose(x, axes).data, expected), f"transpose(x, {axes})")
    linear(e, lambda x: e.transpose(x, axes), x, data.draw(whole(*expected.shape), "g"))


@for_all(
    data=st.data(),
    n=upto(3),
    k=upto(3),
    m=upto(3),
    batch=st.sampled_from([(), (2,), (2, 1)]),
)
def a_product_of_matrices_is_linear_in_both(e: Any, data: Any, n: int, k: int, m: int, batch: tuple[int, ...]) -> None:
    """Values as NumPy's; <a @ b, g> = <a, da> = <b, db>, exactly; also for a batch of a's with one b."""
    x, y = data.draw(whole(*batch, n, k), "a"), data.draw(whole(k, m), "b")
    a, b = e.Tensor(x), e.Tensor(y)
    t = e.matmul(a, b)
    told(lambda: same(t.data, x @ y), "a @ b")
    g = data.draw(whole(*t.shape), "g")
    da, db = e.gradients(t, [a, b], g)
    demand(
        da.shape == a.shape and db.shape == b.shape,
        f"gradients have shapes {da.shape} and {db.shape} for {a.shape} and {b.shape}",
    )
    inner = (t.data * g).sum()
    told(lambda: same(inner, (x * da.data).sum()), "<a @ b, g> is not <a, da>")
    told(lambda: same(inner, (y * db.data).sum()), "<a @ b, g> is not <b, db>")
    if not batch:
        for i, shape in (0, a), (1, b):
            rule(t, i, e.Tensor(g), shape)
        told(lambda: same(da.data, g @ y.T), "the gradient of a")
        told(lambda: same(db.data, x.T @ g), "the gradient of b")


@for_all(x=whole(2, 3), y=whole(3, 2), z=whole(3))
def the_at_sign_works_on_both_sides(e: Any, x: Array, y: Array, z: Array) -> None:
    """a @ b, array @ Tensor and Tensor @ array; a.mT has its last two axes exchanged."""
    for what, found in (
        ("Tensor @ Tensor", e.Tensor(x) @ e.Tensor(y)),
        ("array @ Tensor", x @ e.Tensor(y)),
        ("Tensor @ array", e.Tensor(x) @ y),
    ):
        is_tensor(e, found, what)
        told(lambda found=found: same(found.data, x @ y), what)
    told(lambda: same(e.Tensor(x).mT.data, x.T), "a.mT")
    told(
        lambda: same(e.Tensor(np.stack([x, 2 * x])).mT.data, np.stack([x.T, 2 * x.T])), "a.mT for two matrices in a row"
    )


@for_all(x=reals(2, 2), seed=whole(2, 2), second=whole(2, 2))
def products_of_matrices_have_second_derivatives(e: Any, x: Array, seed: Array, second: Array) -> None:
    """Of tanh(x @ x) @ x."""
    has_slopes(e, lambda x: e.tanh(x @ x) @ x, x, seed, second, "tanh(x @ x) @ x")


# 10 take and put

rows = upto(5).flatmap(lambda n: st.lists(st.integers(0, 3), min_size=n, max_size=n))


@for_all(x=whole(4, 2), index=rows, data=st.data())
def taking_twice_brings_two_shares(e: Any, x: Array, index: list[int], data: Any) -> None:
    """take(x, index) is x[index]; on the way back, what was taken twice gets the sum of both."""
    told(lambda: same(e.take(x, index).data, x[index]), f"take(x, {index})")
    g = data.draw(whole(len(index), 2), "g")
    t = e.Tensor(x)
    (dx,) = e.gradients(t[index], [t], g)
    expected = np.zeros_like(x)
    for place, share in zip(index, g, strict=True):
        expected[place] += share
    told(lambda: same(dx.data, expected), f"what flows back through x[{index}]")


INDICES = [
    np.s_[1:],
    np.s_[:, 1],
    np.s_[::2, ::-1],
    np.s_[1:3, :2],
    np.s_[..., 0],
    np.s_[[0, 0, 1], [1, 1, 0]],
    np.s_[2],
]


@for_all(x=whole(4, 3), which=st.integers(0, len(INDICES) - 1), data=st.data())
def take_and_put_are_adjoints(e: Any, x: Array, which: int, data: Any) -> None:
    """For slices, lists and both: <take(x), g> = <x, put(g)>, and the rule of put is take."""
    index = INDICES[which]
    g = data.draw(whole(*x[index].shape), "g")
    expected = np.zeros((4, 3))
    np.add.at(expected, index, g)
    told(lambda: same(e.take(x, index).data, x[index]), "take(x, index)")
    told(lambda: same(e.put(g, index, (4, 3)).data, expected), "put(g, index, (4, 3))")
    linear(e, lambda x: e.take(x, index), x, g)
    linear(e, lambda g: e.put(g, index, (4, 3)), g, x)


# 11 a loss


@for_all(x=reals(2, 3), shift=st.sampled_from([0.0, 1.0, -1000.0, 1000.0]))
def log_softmax_has_its_values(e: Any, x: Array, shift: float) -> None:
    """log(exp(x) / sum exp(x)) along the last axis; it knows differences only, so a shift of 1000 changes nothing."""
    expected = x - np.log(np.exp(x).sum(axis=-1, keepdims=True))
    with np.errstate(all="ignore"):
        told(lambda: close(e.log_softmax(x + shift).data, expected, 1e-9), "log_softmax(x + shift)")
        told(lambda: close(e.log_softmax(e.Tensor(x + shift)).data, expected, 1e-9), "of a Tensor")


def log_softmax_of_scores_far_apart(e: Any) -> None:
    """[0, -2000] gives [0, -2000]; and each row has a largest score of its own, so that no row underflows to zeros."""
    far = np.array([[0.0, 0.0], [-2000.0, -2000.0]])
    with np.errstate(all="ignore"):
        told(lambda: close(e.log_softmax(np.array([0.0, -2000.0])).data, [0.0, -2000.0], 1e-9), "of [0, -2000]")
        told(
            lambda: close(e.log_softmax(far).data, np.full((2, 2), -np.log(2)), 1e-9),
            "of the rows [0, 0] and [-2000, -2000]",
        )


@for_all(x=reals(2, 3), seed=whole(2, 3), second=whole(2, 3), one=reals(3))
def log_softmax_has_its_slopes(e: Any, x: Array, seed: Array, second: Array, one: Array) -> None:
    """First and second derivatives are what finite differences say; also for a single row."""
    has_slopes(e, e.log_softmax, x, seed, second, "log_softmax")
    has_slopes(e, e.log_softmax, one, seed[0], second[0], "log_softmax of one row")


@for_all(x=reals(3, 4), labels=st.lists(st.integers(0, 3), min_size=3, max_size=3))
def cross_entropy_is_the_mean_loss(e: Any, x: Array, labels: list[int]) -> None:
    """Minus the mean of log_softmax(x) at the labels; its gradient is (softmax(x) - 1 at the label) / n."""
    labels_ = np.array(labels)
    softmax = np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)
    t = e.Tensor(x)
    loss = e.cross_entropy(t, labels_)
    demand(tuple(loss.shape) == (), f"the loss has shape {loss.shape}, and should be a single number, of shape ()")
    told(lambda: close(loss.data, -np.log(softmax[range(3), labels]).mean(), 1e-9), "the loss")
    slope = (softmax - np.eye(4)[labels]) / 3
    told(lambda: close(e.gradients(loss, [t])[0].data, slope, 1e-9), "its gradient")
    told(lambda: close(values(e.cross_entropy(x, labels_)), loss.data, 1e-9), "the loss of an array")
