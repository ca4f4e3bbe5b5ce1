"""What the operators have in common with NumPy: values, broadcasting, indexing, reductions, dtypes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import minitensor as mt
from minitensor import Tensor, gradients
from minitensor.tensor import as_tensors

from .checks import raises, same
from .operators import OPERATORS
from .strategies import (
    axes_of,
    dtypes,
    few,
    keys,
    laid_out,
    rngs,
    shapes,
    shapes_that_broadcast,
    whole,
    whole_numbers,
)

# -- elementwise -------------------------------------------------------------------------------------------------------

BINARY = {
    "add": (mt.add, np.add),
    "subtract": (mt.subtract, np.subtract),
    "multiply": (mt.multiply, np.multiply),
    "divide": (mt.divide, np.divide),
    "maximum": (mt.maximum, np.maximum),
    "minimum": (mt.minimum, np.minimum),
    "power": (lambda x, y: x**y, np.power),
    "greater": (mt.greater, lambda x, y: np.greater(x, y).astype(x.dtype)),
    "greater_equal": (mt.greater_equal, lambda x, y: np.greater_equal(x, y).astype(x.dtype)),
}
UNARY = {
    "negative": (mt.negative, np.negative),
    "abs": (mt.abs, np.abs),
    "sign": (mt.sign, np.sign),
    "exp": (mt.exp, np.exp),
    "tanh": (mt.tanh, np.tanh),
    "relu": (mt.relu, lambda x: np.maximum(x, 0)),
    "leaky_relu": (mt.leaky_relu, lambda x: np.where(x > 0, x, x * x.dtype.type(0.01))),
    "log": (lambda x: mt.log(mt.abs(x) + 1), lambda x: np.log(np.abs(x) + 1)),
    "sqrt": (lambda x: mt.sqrt(mt.abs(x)), lambda x: np.sqrt(np.abs(x))),
    "square": (lambda x: x**2, lambda x: x**2),
    "clip": (lambda x: mt.clip(x, -1, 2), lambda x: np.clip(x, -1, 2)),
    "clip from below": (lambda x: mt.clip(x, low=-1), lambda x: np.maximum(x, -1)),
    "clip from above": (lambda x: mt.clip(x, high=2), lambda x: np.minimum(x, 2)),
    "no clip": (mt.clip, lambda x: x),
    "transpose": (mt.transpose, np.transpose),
}


@pytest.mark.parametrize("name", BINARY)
@given(data=st.data(), both=shapes_that_broadcast(), rng=rngs, dtype=dtypes)
def test_binary_operators_broadcast_as_numpy_does(name, data, both, rng, dtype):
    """f(x, y) is NumPy's, for all shapes that broadcast, in any memory order."""
    f, g = BINARY[name]
    x, y = (
        data.draw(laid_out((abs(a) + 1 if name in ("power", "divide") else a).astype(dtype))) for a in whole(rng, both)
    )
    same(f(x, y), g(x.data, y.data))


@given(shapes(max_dims=3), shapes(max_dims=3))
def test_shapes_that_do_not_broadcast_are_an_error(a, b):
    """What NumPy refuses to broadcast is a ValueError that shows both shapes; nothing else is."""
    x, y = Tensor(np.zeros(a)), Tensor(np.zeros(b))
    try:
        expected = np.broadcast_shapes(a, b)
    except ValueError:
        with raises(ValueError, *[str(shape).replace(" ", "") for shape in (a, b)]):
            mt.add(x, y)
    else:
        assert mt.add(x, y).shape == expected


@given(shapes_that_broadcast(), rngs)
def test_a_gradient_sums_over_what_was_broadcast(both, rng):
    """d sum(seed * (x + y)) / dx is the seed, summed over the axes along which x was repeated; exactly."""
    x, y = map(Tensor, whole(rng, both))
    z = x + y
    (seed,) = whole(rng, [z.shape])
    for t, g in zip((x, y), gradients(z, [x, y], seed), strict=True):
        expected = np.zeros(t.shape)
        for at in np.ndindex(z.shape):
            own = at[len(at) - t.ndim :]
            expected[tuple(i if n > 1 else 0 for i, n in zip(own, t.shape, strict=True))] += seed[at]
        same(g, expected)


@pytest.mark.parametrize("name", UNARY)
@given(data=st.data(), shape=shapes(), dtype=dtypes)
def test_unary_operators_are_numpys(name, data, shape, dtype):
    """f(x) is NumPy's, to the last bit, in any memory order."""
    f, g = UNARY[name]
    x = data.draw(laid_out(data.draw(whole_numbers(shape, dtype=dtype))))
    same(f(x), g(x.data))


@given(shapes(), rngs, dtypes)
def test_sigmoid_and_softplus_are_their_formulas(shape, rng, dtype):
    """1 / (1 + exp(-x)) and log(1 + exp(x)), where these do not overflow; and sigmoid(x) + sigmoid(-x) = 1."""
    x = (10 * rng.uniform(-1, 1, shape)).astype(dtype)
    accuracy = 20 * np.finfo(dtype).eps
    np.testing.assert_allclose(mt.sigmoid(x).data, 1 / (1 + np.exp(-x)), rtol=accuracy)
    np.testing.assert_allclose(mt.softplus(x).data, np.log1p(np.exp(x)), rtol=accuracy)
    np.testing.assert_allclose((mt.sigmoid(x) + mt.sigmoid(-x)).data, 1, rtol=accuracy)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_nothing_overflows(dtype):
    """sigmoid, softplus, logsumexp, softmax, log_softmax and their gradients are finite for +-1000 and exact there."""
    x = Tensor(np.array([-1000, 0, 1000], dtype))
    assert np.array_equal(mt.sigmoid(x).data, [0, 0.5, 1])
    assert np.array_equal(mt.softplus(x).data[[0, 2]], [0, 1000])
    assert mt.logsumexp(x).item() == 1000
    assert np.array_equal(mt.softmax(x).data, [0, 0, 1])
    assert np.array_equal(mt.log_softmax(x).data, [-2000, -1000, 0])
    for f in (mt.sigmoid, mt.softplus, mt.logsumexp, mt.softmax, mt.log_softmax):
        (g,) = gradients(f(x), [x])
        assert np.isfinite(g.data).all()
        assert np.isfinite(gradients(g, [x])[0].data).all()
    assert mt.cross_entropy(x.reshape(1, 3), [0]).item() == 2000


def test_logsumexp_of_nothing_possible():
    """log 0 = -inf is a legal log-probability: it adds nothing, and all of them together are -inf."""
    assert mt.logsumexp([-np.inf, 0.0]).item() == 0
    assert mt.logsumexp([-np.inf, -np.inf]).item() == -np.inf


@given(st.data(), shapes_that_broadcast(3), rngs)
def test_where_is_numpys(data, three, rng):
    """x where the condition is not 0, else y; the condition may be booleans, numbers or a Tensor."""
    condition, x, y = whole(rng, three)
    kind = data.draw(st.sampled_from([Tensor, lambda c: c, lambda c: c.astype(bool)]))
    same(mt.where(kind(condition), Tensor(x), y), np.where(condition, x, y))


# -- indexing ----------------------------------------------------------------------------------------------------------


@given(st.data(), shapes(), dtypes)
def test_indexing_is_numpys(data, shape, dtype):
    """x[key] for numbers, slices, newaxis, ..., integer arrays and masks, and any mixture, in any memory order."""
    x = data.draw(laid_out(data.draw(whole_numbers(shape, dtype=dtype))))
    key = data.draw(keys(shape))
    same(x[key], x.data[key])


@given(st.data(), shapes(), dtypes)
def test_indexing_gives_each_element_all_its_gradients(data, shape, dtype):
    """Each element's gradient is the sum over all places where it was taken, counted one by one."""
    x = data.draw(laid_out(data.draw(whole_numbers(shape, dtype=dtype))))
    key = data.draw(keys(shape))
    y = x[key]
    seed = data.draw(whole_numbers(y.shape, dtype=dtype))
    origin = np.arange(x.size).reshape(shape)[key]
    expected = np.zeros(x.size, dtype)
    for i, g in zip(np.ravel(origin), np.ravel(seed), strict=True):
        expected[i] += g
    same(gradients(y, [x], seed)[0], expected.reshape(shape))


@given(st.data(), shapes(min_dims=1))
def test_an_index_out_of_range_is_an_error(data, shape):
    """IndexError, and so is one index too many; a Tensor as an index is a TypeError that says what to write."""
    x = Tensor(np.zeros(shape))
    n = shape[0]
    for key in (n, -n - 1, [n], np.array([-n - 1]), (0,) * (len(shape) + 1)):
        with pytest.raises(IndexError):
            x[key]
    with pytest.raises(TypeError, match=r"astype\(int\)"):
        x[Tensor([0.0])]


# -- shape -------------------------------------------------------------------------------------------------------------


@given(st.data(), shapes(), dtypes)
def test_transpose_is_numpys(data, shape, dtype):
    """Axes as separate numbers, a tuple or none, counted from either end."""
    x = data.draw(laid_out(data.draw(whole_numbers(shape, dtype=dtype))))
    axes = [a - data.draw(st.sampled_from([0, x.ndim])) for a in data.draw(st.permutations(range(x.ndim)))]
    same(x.transpose(axes), x.data.transpose(axes))
    same(x.transpose(*axes), x.data.transpose(*axes))
    same(x.T, x.data.T)


@given(st.data(), st.lists(st.integers(1, 3), max_size=4))
def test_reshape_is_numpys(data, lengths):
    """The elements stay in C order in any memory order; one length may be left open; the rest must fit."""
    size = int(np.prod(lengths))
    shape = data.draw(st.sampled_from([(size,), (1, size), (size, 1), tuple(reversed(lengths))]))
    x = data.draw(laid_out(data.draw(whole_numbers(shape))))
    same(x.reshape(lengths), x.data.reshape(lengths))
    if lengths:
        same(x.reshape(*lengths), x.data.reshape(*lengths))
    for i in range(len(lengths)):
        open_ = [*lengths[:i], -1, *lengths[i + 1 :]]
        same(x.reshape(open_), x.data.reshape(open_))
    for wrong in ([*lengths, 2], [*lengths, -1, -1], [size + 1, -1], [-2, *lengths], [0, -1]):
        with raises(ValueError, "cannot reshape", x.shape, tuple(wrong)):
            x.reshape(wrong)


@given(shapes(), shapes())
def test_broadcast_to_is_numpys(shape, target):
    """As np.broadcast_to; what it refuses is a ValueError that shows both shapes."""
    x = np.arange(np.prod(shape), dtype=float).reshape(shape)
    try:
        expected = np.broadcast_to(x, target)
    except ValueError:
        with raises(ValueError, shape, target):
            mt.broadcast_to(x, target)
    else:
        same(mt.broadcast_to(x, target), expected)
        if target:
            same(mt.broadcast_to(x, *target), expected)


@given(st.data(), shapes(min_dims=1, max_dims=3, min_side=2), dtypes, st.sampled_from(mt.checks.PAD_MODES))
def test_pad_is_numpys(data, shape, dtype, mode):
    """Every form of widths and each mode, wrapping and mirroring more than once around included."""
    x = data.draw(laid_out(data.draw(whole_numbers(shape, dtype=dtype))))
    pair = st.tuples(st.integers(0, 5), st.integers(0, 5))
    widths = data.draw(st.integers(0, 3) | pair | st.lists(pair, min_size=x.ndim, max_size=x.ndim))
    extra = {"constant_values": data.draw(st.integers(-2, 2))} if mode == "constant" else {}
    same(mt.pad(x, widths, mode, **extra), np.pad(x.data, widths, mode, **extra))


@given(st.data(), shapes(min_dims=1), dtypes)
def test_concatenate_and_stack_are_numpys(data, shape, dtype):
    """Any number of Tensors and arrays, along any axis."""
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    parts = [(*shape[: axis % len(shape)], n, *shape[axis % len(shape) + 1 :]) for n in (1, 2, 3)]
    xs = [data.draw(laid_out(data.draw(whole_numbers(part, dtype=dtype)))) for part in parts]
    same(mt.concatenate(xs, axis), np.concatenate([x.data for x in xs], axis))
    same(mt.concatenate([xs[0], xs[1].data], axis), np.concatenate([x.data for x in xs[:2]], axis))
    new = data.draw(st.integers(-len(shape) - 1, len(shape)))
    equal = data.draw(whole_numbers(shape, shape, dtype=dtype))
    same(mt.stack(list(map(Tensor, equal)), new), np.stack(equal, new))


# -- reductions --------------------------------------------------------------------------------------------------------

REDUCTIONS = {
    "sum": (mt.sum, np.sum),
    "mean": (mt.mean, np.mean),
    "max": (mt.max, np.max),
    "min": (mt.min, np.min),
    "var": (mt.var, np.var),
    "logsumexp": (mt.logsumexp, lambda x, **how: np.log(np.sum(np.exp(x), **how))),
}


@pytest.mark.parametrize("name", REDUCTIONS)
@given(data=st.data(), shape=shapes(), dtype=dtypes, keepdims=st.booleans())
def test_reductions_are_numpys(name, data, shape, dtype, keepdims):
    """Over None, one axis from either end, or several, with and without keepdims, in any memory order."""
    ours, numpys = REDUCTIONS[name]
    x = data.draw(laid_out(data.draw(whole_numbers(shape, dtype=dtype))))
    axis = data.draw(axes_of(x.ndim))
    y = ours(x, axis=axis, keepdims=keepdims)
    expected = np.asarray(numpys(x.data, axis=axis, keepdims=keepdims))
    assert y.shape == expected.shape
    assert y.dtype == expected.dtype
    np.testing.assert_allclose(y.data, expected, rtol=0 if name in ("sum", "max", "min") else 1e-5, atol=1e-6)
    same(ours(x, axis, keepdims), y.data)
    same(ours(x, axis), ours(x, axis, keepdims=False))
    same(ours(x), ours(x, axis=None))


@pytest.mark.parametrize("name", REDUCTIONS)
@given(data=st.data(), shape=shapes())
def test_a_reduction_names_axes_that_exist(name, data, shape):
    """An axis out of range or named twice is a ValueError that shows the axis and how many there are."""
    ours, _ = REDUCTIONS[name]
    n = len(shape)
    if n == 0:  # NumPy takes the first axis of a single number all the same
        assert ours(Tensor(3.0), axis=0).item() == ours(Tensor(3.0), axis=-1).item() == ours(Tensor(3.0)).item()
    for axis in (max(n, 1), -n - 1 - (n == 0), (0, max(n, 1)), *([(0, 0), (0, -n)] if n else [])):
        with raises(ValueError, f"{n} axes", axis):
            ours(Tensor(np.zeros(shape)), axis=axis)


@pytest.mark.parametrize("axis", [0.7, (0.7,), "0", ["0"], np.array([0])], ids=str)
@pytest.mark.parametrize("name", REDUCTIONS)
def test_an_axis_is_a_whole_number(name, axis):
    """A fraction, a word or an array is a TypeError that shows it, and is never rounded."""
    with raises(TypeError, "axis", "must be a whole number"):
        REDUCTIONS[name][0](Tensor(np.zeros((2, 2))), axis=axis)


@pytest.mark.parametrize("name", REDUCTIONS)
@given(n=st.integers(1, 3))
def test_no_groups_have_no_results(name, n):
    """Over an axis that has elements, of a Tensor that has none, there is nothing to reduce, and no gradient."""
    x = Tensor(np.zeros((0, n)))
    y = REDUCTIONS[name][0](x, axis=1)
    same(y, np.zeros(0))
    same(gradients(y, [x])[0], x)


@given(st.integers(1, 3), st.integers(1, 3))
def test_no_matrices_have_no_products(m, n):
    """An empty stack of matrices, times a vector or a matrix: nothing, and no gradient."""
    x = Tensor(np.zeros((0, m, n)))
    for shape in ((n,), (n, 2)):
        y = Tensor(np.ones(shape))
        product = x @ y
        assert product.shape == (0, m, *shape[1:])
        for t, g in zip((x, y), gradients(product, [x, y]), strict=True):
            same(g, np.zeros(t.shape))


@pytest.mark.parametrize("name", [name for name in REDUCTIONS if name != "sum"])
@given(data=st.data(), shape=shapes(min_dims=1))
def test_nothing_has_no_average_and_no_largest(name, data, shape):
    """A reduction of no elements is a ValueError that shows the shape, where NumPy has none or nan; a sum is 0."""
    axis = data.draw(st.integers(0, len(shape) - 1))
    empty = np.zeros((*shape[:axis], 0, *shape[axis + 1 :]))
    for over in (axis, None):
        with raises(ValueError, empty.shape):
            REDUCTIONS[name][0](empty, axis=over)
        same(mt.sum(empty, axis=over), np.sum(empty, axis=over))


@given(st.data(), shapes(min_dims=1), dtypes)
def test_softmax_is_a_distribution(data, shape, dtype):
    """exp(x) / sum exp(x): positive, adds up to 1, unchanged when all x move by one number; log_softmax is its log."""
    x = data.draw(whole_numbers(shape, dtype=dtype))
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    p = mt.softmax(x, axis)
    accuracy = {"rtol": 20 * np.finfo(dtype).eps, "atol": 20 * np.finfo(dtype).eps}
    np.testing.assert_allclose(p.data, np.exp(x) / np.exp(x).sum(axis=axis, keepdims=True), **accuracy)
    np.testing.assert_allclose(p.data.sum(axis=axis), 1, **accuracy)
    np.testing.assert_allclose(mt.softmax(x + 64, axis).data, p.data, **accuracy)
    np.testing.assert_allclose(mt.log_softmax(x, axis).data, np.log(p.data), **accuracy)
    same(mt.softmax(x), mt.softmax(x, axis=-1))
    same(mt.log_softmax(x), mt.log_softmax(x, axis=-1))


# -- dtypes ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", OPERATORS)
@few
@given(data=st.data(), rng=rngs)
def test_float32_stays_float32(name, data, rng):
    """Values, gradients and gradients of gradients have the dtype of the inputs; only astype changes it."""
    row = OPERATORS[name]
    f, shapes_ = data.draw(row.cases)
    xs = [Tensor(x.astype(np.float32)) for x in row.values(rng, shapes_)]
    y = f(*xs)
    assert y.dtype == (np.float64 if name == "astype" else np.float32)
    first = gradients(y * y, xs)
    assert {g.dtype for g in first} == {np.dtype(np.float32)}
    assert {g.dtype for g in gradients(sum((g * g).sum() for g in first), xs)} == {np.dtype(np.float32)}


@pytest.mark.parametrize("name", [name for name in OPERATORS if name != "astype"])
@few
@given(data=st.data(), rng=rngs)
def test_float32_and_float64_give_the_same_numbers(name, data, rng):
    """Values and gradients in float32 are those in float64, as closely as float32 can tell."""
    row = OPERATORS[name]
    f, shapes_ = data.draw(row.cases)
    arrays = [x.astype(np.float32) for x in row.values(rng, shapes_)]
    answers = []
    for dtype in (np.float32, np.float64):
        xs = [Tensor(x.astype(dtype)) for x in arrays]
        y = f(*xs)
        answers.append([y, *gradients(y, xs)])
    for a, b in zip(*answers, strict=True):
        np.testing.assert_allclose(a.data, b.data, rtol=1e-5, atol=1e-5)  # its eps is 1e-7, float16's 1e-3


@given(shapes_that_broadcast(), st.sampled_from(["+", "-", "*", "/", "max", "where"]))
def test_a_gradient_has_the_dtype_of_its_input(both, op):
    """float32 with float64 is float64, as in NumPy; but the gradient by the float32 input is float32."""
    x, y = Tensor(np.ones(both[0], np.float32)), Tensor(np.ones(both[1]))
    f = {"+": mt.add, "-": mt.subtract, "*": mt.multiply, "/": mt.divide, "max": mt.maximum,
         "where": lambda x, y: mt.where(x, x, y)}[op]  # fmt: skip
    for z in (f(x, y), f(y, x)):
        assert z.dtype == np.float64
        assert [g.dtype for g in gradients(z, [x, y])] == [np.float32, np.float64]


@given(dtypes, st.sampled_from([2, 2.0, True, np.int8(2), np.arange(2), np.array([True, False]), [1, 2], (3, 4)]))
def test_numbers_and_integer_arrays_adopt_the_dtype(dtype, number):
    """Python numbers, integers and booleans beside a Tensor become its dtype, on both sides of every operator."""
    x = Tensor(np.ones(2, dtype))
    results = [x + number, number + x, x * number, number - x, x / 3, mt.maximum(number, x)]
    results += [mt.where(x > 0, x, number), mt.where(number, x, 0), mt.concatenate([x, np.arange(2)]), x**number]
    results += [x ** np.float64(2), x ** np.float32(2), x ** np.int64(2)]  # an exponent is a setting, and no input
    results += [mt.where(Tensor([1.0, 0.0]), x, number), mt.where(Tensor([1.0, 0.0]), number, x)]
    results += [mt.matmul(x, [1, 2]), mt.einsum("a,a->a", [1, 2], x), mt.clip(x, 0, 1.5), number > x]
    assert {y.dtype for y in results} == {np.dtype(dtype)}


@pytest.mark.parametrize("f", [
    lambda x, n: mt.batch_norm(x, x[0, :, 0], x[0, :, 0], eps=n), lambda x, n: mt.local_response_norm(x, 1, alpha=n),
    lambda x, n: mt.local_response_norm(x, 1, beta=n), lambda x, n: mt.local_response_norm(x, 1, k=n),
    lambda x, n: mt.var(x, ddof=n), lambda x, n: mt.std(x, 2, ddof=n), lambda x, n: mt.leaky_relu(x, n),
    lambda x, n: mt.lp_pool1d(x, 2, norm=n), lambda x, n: mt.weighted_avg_pool1d(x, 2, sigma=n),
    lambda x, n: mt.dropout(x, n / 2, np.random.default_rng(0)), lambda x, n: mt.pad(x, 1, constant_values=n),
    lambda x, n: x**n,
])  # fmt: skip
@given(st.sampled_from([1, 1.0, np.float32(1), np.float64(1), np.int64(1)]), dtypes)
def test_a_setting_does_not_change_the_dtype(f, n, dtype):
    """A setting is a number whatever its type, so a value has the dtype of its inputs; and so has its gradient."""
    x = Tensor(np.arange(1, 13).reshape(2, 2, 3), dtype=dtype)
    y = f(x, n)
    assert y.dtype == x.dtype == gradients(y, [x])[0].dtype


@given(st.permutations([np.float32, np.float64, None]))
def test_numbers_adopt_the_widest_dtype(kinds):
    """Between Tensors of both dtypes, in whatever order they stand, a number becomes float64."""
    mixed = as_tensors(*[3 if kind is None else Tensor(kind(3)) for kind in kinds])
    assert [x.dtype for x in mixed] == [np.float64 if kind is None else kind for kind in kinds]


@given(hnp.arrays(st.sampled_from(["int8", "uint16", "int64", "bool"]), shapes(), elements=st.integers(0, 1)))
def test_integers_become_the_default_float(x):
    """A Tensor of integers or booleans holds float64, with the same values; so do lists and numbers."""
    assert Tensor(x).dtype == np.float64
    assert np.array_equal(Tensor(x).data, x)
    assert Tensor(x.tolist()).dtype == np.float64
    assert np.array_equal(Tensor(x.tolist()).data, x)
    assert mt.sum(x).dtype == np.float64


@given(dtypes, shapes())
def test_floats_are_kept(dtype, shape):
    """A float array keeps its dtype, values and shape, whatever its memory order."""
    x = np.arange(np.prod(shape), dtype=dtype).reshape(shape)
    for array in (x, x.T, x[::-1] if x.ndim else x, np.asfortranarray(x)):
        same(Tensor(array), array)


@pytest.mark.parametrize("data", [
    None, "1.0", ["a"], b"1", 1j, [1 + 2j], {1: 2.0}, {1.0}, object(), [None, 1.0], np.array(["1"]), [10**30],
    np.array([1.0], object), np.array([1.0], np.float16), np.datetime64("2020-01-01"), (x for x in [1.0]),
], ids=lambda data: type(data).__name__)  # fmt: skip
def test_only_real_numbers_make_a_tensor(data):
    """Anything else is a TypeError that shows what came, as a Tensor and as an operand."""
    for use in (Tensor, lambda data: Tensor(1.0) + data, lambda data: mt.sum(data)):
        with pytest.raises(TypeError, match="a Tensor holds float32 or float64, got"):
            use(data)


@pytest.mark.parametrize("data", [[[1.0], [1.0, 2.0]], [1.0, [2.0]], [np.ones(2), np.ones(3)]])
def test_ragged_data_is_an_error(data):
    """Rows of different lengths are a ValueError that shows them."""
    with pytest.raises(ValueError, match=r"rectangular array of numbers, got \["):
        Tensor(data)


@pytest.mark.parametrize("data", [
    [Tensor(1.0), 2.0], [[1.0, Tensor(2.0)]], [Tensor([1.0, 2.0]), Tensor([3.0, 4.0])], (Tensor([1.0]), [2.0]),
    np.array([Tensor(1.0)], object),
])  # fmt: skip
def test_tensors_in_lists_are_an_error(data):
    """A list of Tensors would lose their history: TypeError, and it names stack and concatenate."""
    with pytest.raises(TypeError, match="stack or concatenate"):
        Tensor(data)


def test_a_tensor_of_a_tensor_is_an_error():
    """It would lose the history: TypeError, and it names detach."""
    with pytest.raises(TypeError, match=r"detach\(\)"):
        Tensor(Tensor(1.0))


@pytest.mark.parametrize("dtype", [int, "int64", np.float16, complex, bool])
def test_astype_is_to_float32_or_float64(dtype):
    """Another dtype is a TypeError that names it."""
    with pytest.raises(TypeError, match=f"not {np.dtype(dtype)}"):
        Tensor(1.0).astype(dtype)


@given(shapes(), dtypes, dtypes)
def test_astype_is_numpys(shape, before, after):
    """The values change their dtype, and the gradient changes back."""
    x = Tensor(np.ones(shape, before))
    y = x.astype(after)
    same(y, x.data.astype(after))
    same(gradients(y, [x])[0], np.ones(shape, before))
