"""The edges of a Tensor: NumPy's functions, Python's conversions, copies, pickles, names, and what an operator's author
gets wrong."""

from __future__ import annotations

import asyncio
import copy
import inspect
import math
import pickle
import threading
import warnings
from functools import partial
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minitensor as mt
from minitensor import Primitive, Tensor, gradients, no_grad, primitive
from minitensor.fast import cores

from .checks import raises, same
from .strategies import dtypes, rngs, shapes, shapes_that_broadcast, whole, whole_numbers

vectors = shapes(max_dims=2).flatmap(whole_numbers)

# -- NumPy -------------------------------------------------------------------------------------------------------------

UFUNCS = [f for f in vars(np).values() if isinstance(f, np.ufunc) and f.nin <= 2 and f.signature is None]
COMPUTES = {
    "sum": lambda x: np.sum(x), "mean": np.mean, "max": np.max, "reshape": lambda x: np.reshape(x, -1),
    "transpose": np.transpose, "stack": lambda x: np.stack([x, x]), "concatenate": lambda x: np.concatenate([x, x]),
    "where": lambda x: np.where(True, x, 0), "clip": lambda x: np.clip(x, 0, 1), "cumsum": np.cumsum,
    "einsum": lambda x: np.einsum("...->...", x), "dot": lambda x: np.dot(x, 2.0), "std": np.std, "round": np.round,
    "pad": lambda x: np.pad(x, 1), "expand_dims": lambda x: np.expand_dims(x, 0), "argmax": np.argmax,
}  # fmt: skip


@pytest.mark.parametrize("name", COMPUTES)
@given(shapes(min_dims=1).flatmap(whole_numbers))
def test_a_numpy_function_names_the_way_out(name, x):
    """What would compute with a Tensor and lose its graph is a TypeError with ours of that name, and with .data."""
    with raises(TypeError, f"minitensor.{name}" if hasattr(mt, name) else name, ".data"):
        COMPUTES[name](Tensor(x))


@pytest.mark.parametrize("ufunc", UFUNCS, ids=lambda f: f.__name__)
@given(shapes(min_dims=1).flatmap(whole_numbers), st.integers(0, 1))
def test_no_ufunc_computes_with_a_tensor(ufunc, x, place):
    """With one input or two, the Tensor in either place: a TypeError, never an array without a history."""
    inputs = [x] * ufunc.nin
    inputs[place % ufunc.nin] = Tensor(x)
    with np.errstate(all="ignore"), pytest.raises(TypeError) as caught:
        ufunc(*inputs)
    said = str(caught.value)
    assert "no function of this name" not in said or not hasattr(mt, ufunc.__name__)
    assert ".data" in said or "ufunc" in said  # NumPy itself refuses floats where it wants whole numbers


@given(vectors)
def test_what_asks_for_the_value_gets_it(x):
    """asarray, comparisons, shapes, printing and saving see the value, which cannot be written to."""
    t = Tensor(x)
    same(np.asarray(t), x)
    assert not np.asarray(t).flags.writeable and np.array(t).flags.writeable
    assert np.asarray(t, np.float32).dtype == np.float32
    assert np.shape(t) == x.shape and np.ndim(t) == x.ndim and np.size(t) == x.size
    np.testing.assert_array_equal(t, x)
    np.testing.assert_allclose(t, x)
    assert np.array_equal(t, x) and np.array_equal([t], [x]) and np.allclose(t, x) and np.isclose(x, t).all()
    assert np.array2string(t) == np.array2string(x)


INTO_ARRAYS = {
    "a[...] = x": lambda a, x: a.__setitem__(..., x),
    "out=": lambda a, x: np.positive(x, out=a),
    "add.at": lambda a, x: np.add.at(a, np.arange(len(a)), x),
}


@pytest.mark.parametrize("write", INTO_ARRAYS.values(), ids=INTO_ARRAYS)
@given(shapes(min_dims=1, max_dims=1).flatmap(whole_numbers))
def test_what_numpy_writes_to_an_array_is_the_value(write, x):
    """So it is where it makes one to write to: `full`, `outer` and the methods of arrays."""
    t, written = Tensor(x), np.zeros_like(x)
    write(written, t)
    same(written, x)
    for made, of_values in (
        (np.full(x.shape, t), x),
        (np.add.outer(t, x), np.add.outer(x, x)),
        (x.dot(t), x.dot(x)),
    ):
        assert not isinstance(made, Tensor)
        same(made, of_values)


@given(vectors, vectors)
def test_numpy_on_the_left_keeps_the_graph(x, y):
    """array * Tensor, and NumPy's scalars on the left, are Tensors that lead back to their inputs; also with +=."""
    t = Tensor(x)
    for left in (x, np.float64(3.0), np.float32(3.0), np.int64(3)):
        for value, slope in ((left + t, 1), (left - t, -1), (left * t, left)):
            assert isinstance(value, Tensor)
            np.testing.assert_array_equal(gradients(value.sum(), [t])[0].data, np.broadcast_to(slope, x.shape))
        assert isinstance(left > t, Tensor) and isinstance(left / (t * t + 1), Tensor)
    grown = x.copy()
    grown += t
    assert isinstance(grown, Tensor)


@pytest.mark.parametrize("data", [[Tensor(1.0), 2.0], (Tensor([1.0]), Tensor([2.0])), [[Tensor(1.0)]]])
def test_tensors_are_not_made_of_tensors(data):
    """A list of Tensors would lose their histories: TypeError, also where it is an operand or an array of objects."""
    array = np.empty(len(data), object)
    array[:] = data
    for given_ in (data, array):
        for make in (Tensor, mt.as_tensor, lambda given_: Tensor(1.0) + given_):
            with pytest.raises(TypeError, match="stack or concatenate"):
                make(given_)


@given(vectors, st.booleans())
def test_a_mask_is_not_dropped(x, hidden):
    """NumPy's masked arrays are a TypeError: a Tensor would show what they hide."""
    with raises(TypeError, "mask", "filled"):
        Tensor(np.ma.array(x, mask=hidden))


@given(vectors, st.sampled_from([">f4", "<f4", ">f8", "<f8"]))
def test_any_byte_order_is_taken(x, kind):
    """Floats from a file of another machine are floats."""
    t = Tensor(x.astype(kind))
    assert t.dtype.isnative and t.dtype.itemsize == np.dtype(kind).itemsize
    np.testing.assert_array_equal((t * 1).data, x)


@given(vectors)
def test_nothing_reaches_the_value_through_data(x):
    """Neither by writing to it, nor by giving it another shape."""
    t = Tensor(x)
    seen = t.data
    with pytest.raises(ValueError, match=r"read-only|WRITEABLE"):
        seen[...] = 9
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        seen.shape = (1, *seen.shape)
    assert t.shape == x.shape and t.data.shape == x.shape
    if x.ndim:
        with pytest.raises(ValueError, match="WRITEABLE"):
            t.data.setflags(write=True)


# -- Python ------------------------------------------------------------------------------------------------------------


@given(vectors, st.sampled_from([0, 1.0, True, np.float32(2), np.ones(2), 1j]))
def test_equality_is_identity_and_asks_no_number(x, number):
    """== of Tensors asks for the same object; with a number it is a TypeError, with anything else False."""
    t, other = Tensor(x), Tensor(x)
    assert t == t and t != other and t in [other, t] and t not in [other] and len({t, other, t}) == 2
    for question in (lambda: t == number, lambda: number == t, lambda: t != number, lambda: number in t):
        with raises(TypeError, "data"):
            question()
    assert all(t != stranger for stranger in (None, "x", (1,), {}, object()))


@given(st.integers(-9, 9), st.integers(0, 3))
def test_numbers_are_pythons(n, digits):
    """float, int, round and +x of one element, in any shape; of more elements it is a ValueError with the shape."""
    for t in (Tensor(n + 0.456), Tensor([[n + 0.456]])):
        assert (float(t), int(t), round(t), round(t, digits)) == (
            n + 0.456, int(n + 0.456), round(n + 0.456), round(n + 0.456, digits),
        )  # fmt: skip
        assert +t is t
    for convert in (float, int, round, bool):
        with raises(ValueError, (2,)):
            convert(Tensor([1.0, 2.0]))


def test_the_truth_of_many_says_what_to_ask():
    """`if x > 0` of a vector names any, all and where."""
    with raises(ValueError, "any()", "all()", "where"):
        bool(Tensor([1.0, 2.0]) > 0)


@given(vectors)
def test_a_pickled_tensor_is_born_anew(x):
    """Read-only, younger than all that exists, its name kept; one with a recipe is a TypeError that says detach()."""
    text = pickle.dumps(Tensor(x, name="w"))
    newest = Tensor(0.0)
    for twin in (pickle.loads(text), pickle.loads(pickle.dumps(newest.detach()))):
        assert twin.birth > newest.birth and not twin.data.flags.writeable
    twin = pickle.loads(text)
    same(twin, x)
    assert twin.name == "w" and str(mt.formula(twin * twin))
    with raises(TypeError, "detach()"):
        pickle.dumps(twin * 2)
    same(pickle.loads(pickle.dumps((twin * 2).detach())), 2 * x)


@given(vectors)
def test_a_copied_tensor_has_the_same_recipe(x):
    """copy.copy is another Tensor of the same value and inputs; copy.deepcopy copies the inputs too."""
    t = Tensor(x, name="x")
    y = t * t
    y.name, y.grad = "y", t
    for twin in (copy.copy(y), copy.deepcopy(y)):
        assert twin is not y and twin.birth > y.birth and twin.primitive is y.primitive
        assert twin.name == "y" and not twin.data.flags.writeable
        same(gradients(twin, [twin.inputs[0]])[0], 2 * x)
    assert copy.copy(y).inputs == (t, t) and copy.copy(y).grad is t


@pytest.mark.parametrize("name", [5, b"x", ["x"], np.array("x")])
def test_a_name_is_text(name):
    """At birth and later; None is none."""
    with raises(TypeError, "a name is text"):
        Tensor(1.0, name=name)
    t = Tensor(1.0, name="x")
    with raises(TypeError, "a name is text"):
        t.name = name
    assert t.name == "x"
    t.name = None
    assert t.name is None


@given(vectors, dtypes)
def test_a_dtype_may_be_asked_for(x, dtype):
    """float32 or float64, of any data; another is a TypeError."""
    same(Tensor(x, dtype=dtype), x.astype(dtype))
    same(Tensor(x.tolist(), "x", dtype=np.dtype(dtype).name), x.astype(dtype))
    for wrong in (int, np.float16, "complex64"):
        with raises(TypeError, "float32 or float64"):
            Tensor(x, dtype=wrong)


def test_params_cannot_be_changed():
    """Not those of an operator with settings, nor those that all others share."""
    x = Tensor([1.0])
    for t in (x, x * x, x.sum(axis=0)):
        with pytest.raises(TypeError):
            t.params["k"] = 2
    assert not (x * x).params


@pytest.mark.parametrize("index", [1.0, 1.5, np.array([]), np.array([0.0]), [0.0], "0"])
def test_an_index_is_made_of_whole_numbers(index):
    """Floats, also none of them, are an IndexError; an empty list is no elements."""
    with pytest.raises(IndexError):
        Tensor([1.0, 2.0])[index]
    assert Tensor([1.0, 2.0])[[]].shape == (0,)


@given(st.data(), shapes(min_dims=1, min_side=0))
def test_a_mask_may_be_empty(data, shape):
    """x[mask] has NumPy's shape, also where there is nothing to choose from."""
    mask = np.zeros(shape[: data.draw(st.integers(1, len(shape)))], bool)
    assert Tensor(np.zeros(shape))[mask].shape == np.zeros(shape)[mask].shape


# -- recording ---------------------------------------------------------------------------------------------------------


def records(x):
    return bool((x * 2).inputs)


@given(st.integers(1, 5))
def test_no_grad_decorates_generators(n):
    """It holds while the generator runs and not while it waits; sending, throwing and closing reach what is within."""
    x, seen = Tensor(1.0), []

    @no_grad()
    def values():
        try:
            for i in range(n):
                seen.append(records(x))
                got = yield i
                seen.append(got)
        except KeyError:
            yield "caught"
        finally:
            seen.append(records(x))

    assert inspect.isgeneratorfunction(values)
    steps = values()
    assert next(steps) == 0 and records(x)
    assert steps.throw(KeyError()) == "caught" and records(x)
    steps.close()
    assert seen == [False, False]
    seen.clear()
    assert [i for i in values() if records(x)] == list(range(n))
    assert seen == [False, None] * n + [False]
    sending = values()
    next(sending)
    if n > 1:
        assert sending.send("hello") == 1 and "hello" in seen


def test_no_grad_decorates_coroutines():
    """A coroutine records nothing while others that run meanwhile do; asynchronous generators likewise."""
    x = Tensor(1.0)

    @no_grad()
    async def quiet():
        first = records(x)
        await asyncio.sleep(0)
        return [first, records(x)]

    @no_grad()
    async def several():
        for _ in range(2):
            yield records(x)
            await asyncio.sleep(0)

    async def loud():
        seen = []
        for _ in range(3):
            seen.append(records(x))
            await asyncio.sleep(0)
        return seen

    async def both():
        return await asyncio.gather(quiet(), loud(), gather(several()))

    async def gather(steps):
        return [(value, records(x)) async for value in steps]

    assert asyncio.run(both()) == [[False, False], [True] * 3, [(False, True)] * 2]


# -- numbers at their limits -------------------------------------------------------------------------------------------


@given(st.sampled_from([-2.5, -1.0, 0.0, 2.0]), st.sampled_from([0.0, 5e-324, 1e-310, 1.0]), dtypes)
def test_powers_at_the_edge_have_derivatives(y, x, dtype):
    """By y it is 0 where x is 0; by x it is 0 where y is 0, however small x is: never nan."""
    with np.errstate(all="ignore"):
        tx, ty = Tensor(x, dtype=dtype), Tensor(y, dtype=dtype)
        dx, dy = (g.item() for g in gradients(tx**ty, [tx, ty]))
    assert not math.isnan(dx) and not math.isnan(dy)
    assert dy == 0 or tx.item() > 0
    assert dx == 0 or y != 0


@given(st.integers(1, 3), st.permutations([np.inf, 1e4, -1e4, -np.inf]))
def test_logsumexp_beside_infinity_is_quiet(n, x):
    """inf is the answer, and no warning is given."""
    assert mt.logsumexp(np.array([*x[:n], np.inf])).item() == np.inf


@given(st.integers(-44, 38), st.sampled_from([1, 2, 3, 4]), rngs)
def test_lp_pool_is_of_any_size(exponent, norm, rng):
    """|x|^q may be too large or too small for float32; the norm, and its gradient, are not."""
    x = rng.uniform(0.3, 0.9, (1, 1, 6)).astype(np.float32)
    scale = np.float32(10.0**exponent)
    with np.errstate(under="ignore"):
        t, unit = Tensor(x * scale), Tensor(x)
        if exponent < -37:
            unit = Tensor((t.data / np.float32(10.0**-37)).astype(np.float32))
            scale = np.float32(10.0**-37)
        y, reference = (mt.lp_pool1d(each, 3, norm=norm) for each in (t, unit))
        np.testing.assert_allclose(y.data, reference.data * scale, rtol=1e-5)
        np.testing.assert_allclose(gradients(y, [t])[0].data, gradients(reference, [unit])[0].data, rtol=1e-5)


@given(st.integers(500, 4000), st.integers(1, 4), rngs)
def test_long_sums_of_float32_lose_no_digits(rows, columns, rng):
    """The gradient of a bias over many rows, and a sum along any axis, are right to float32's own accuracy."""
    g = rng.uniform(0, 1, (rows, columns)).astype(np.float32)
    b = Tensor(np.zeros(columns, np.float32))
    y = mt.dense(np.zeros((rows, 1), np.float32), np.zeros((columns, 1), np.float32), b)
    np.testing.assert_allclose(gradients(y, [b], g)[0].data, g.sum(axis=0, dtype=np.float64), rtol=1e-6)
    for axis in (0, 1, None):
        np.testing.assert_allclose(mt.sum(g, axis).data, g.sum(axis, dtype=np.float64), rtol=1e-6)
    taken = gradients(Tensor(np.zeros(1, np.float32))[np.zeros(rows, int)], [])  # nothing is asked for
    assert taken == []
    x = Tensor(np.zeros(1, np.float32))
    np.testing.assert_allclose(
        gradients(x[np.zeros(rows, int)], [x], g[:, 0])[0].data, [g[:, 0].sum(dtype=np.float64)], rtol=1e-6
    )


@given(shapes_that_broadcast(3), rngs)
def test_clip_takes_tensors_as_limits(three, rng):
    """Both limits may be Tensors, and get the gradient where they hold x."""
    x, low, width = (Tensor(a) for a in whole(rng, three))
    high = low + abs(width) + 1
    y = mt.clip(x, low, high)
    same(y, np.clip(x.data, low.data, high.data))
    total = sum(g.sum().item() for g in gradients(y, [x, low]))
    assert total == y.size
    with raises(ValueError, "low"):
        mt.clip(x, high, low)


def test_off_the_diagonal_nothing_counts():
    """A letter twice in one input is its diagonal, whatever stands beside it."""
    x = Tensor([[1.0, np.inf], [np.nan, 2.0]])
    same(mt.einsum("ii->i", x), np.array([1.0, 2.0]))
    same(gradients(mt.einsum("ii->", x), [x])[0], np.eye(2))


@pytest.mark.parametrize("spec", [Tensor(1.0), 1.0, None])
def test_einsum_begins_with_letters(spec):
    """Without them it is a TypeError that shows how it is called."""
    with raises(TypeError, "letters", "ij,jk->ik"):
        mt.einsum(spec, Tensor(1.0))


def test_a_helper_thread_sees_the_errstate_of_its_caller():
    """Long sums on several cores are as quiet, or as loud, as on one."""

    everyone = threading.Barrier(3, timeout=30)  # so that each of three threads has a block

    def block(a, b):
        everyone.wait()
        return np.geterr()["over"]

    for over in ("ignore", "raise"):
        with np.errstate(over=over), mock.patch.object(cores, "_cores", 3):
            assert set(cores.in_blocks(block, 6, 48 * cores.LONG)) == {over}


# -- what an operator's author gets wrong ------------------------------------------------------------------------------


def operator(*rules, function=None):
    def product(x, y, *, k=1):
        return x * y * k

    made = Primitive(function or product)
    made.defvjp(*rules or [lambda g, out, x, y, *, k: g * y * k, lambda g, out, x, y, *, k: g * x * k])
    return made


def test_a_default_of_a_setting_is_in_the_recipe():
    """So the rules need not repeat it."""
    product, x = operator(), Tensor(3.0)
    assert dict(product(x, x).params) == {"k": 1} and dict(product(x, x, k=2).params) == {"k": 2}
    assert gradients(product(x, x), [x])[0].item() == 6


@pytest.mark.parametrize("wrong", [
    lambda g, out, x, y, *, k: np.exp(g),  # NumPy's function in a rule
    lambda g, out, x, y, *, k: np.sum(g),
    lambda g, out, x, y: g,  # without the setting
    lambda g, x, *, k: g,  # too few arguments
    lambda g, out, x, y, *, k: 2.0,  # not a Tensor
    lambda g, out, x, y, *, k: g.nonsense,
    lambda g, out, x, y, *, k: g[5],
])  # fmt: skip
def test_an_error_in_a_rule_names_the_rule(wrong):
    """Operator and input are in the message, or in a note under it; the kind of error stays."""
    right = lambda g, out, x, y, *, k: g  # noqa: E731
    x = Tensor([1.0, 2.0])
    with pytest.raises((TypeError, AttributeError, IndexError)) as caught:
        gradients(operator(right, wrong)(x, x), [x])
    said = [str(caught.value), *getattr(caught.value, "__notes__", [])]
    assert any("rule 1 of product" in text for text in said), said


@given(vectors)
def test_a_function_takes_and_returns_arrays(x):
    """A primitive whose function returns a Tensor is a TypeError that says so."""

    @primitive
    def confused(x):
        return Tensor(x)

    with raises(TypeError, "confused returned a Tensor", "arrays"):
        confused(x)


@pytest.mark.parametrize("function", [lambda x: x + "a", lambda *xs: xs[0] + "a", np.sin])
def test_an_error_of_the_function_itself_is_left_as_it_is(function):
    """A TypeError that has nothing to do with the call stays, also of functions without a text or with any inputs."""
    with pytest.raises(TypeError):
        primitive(function)(*[1.0] * (3 if function is np.sin else 1))


def test_a_setting_by_position_is_named():
    """TypeError with the number of inputs and the names of the settings."""
    with raises(TypeError, "product has 2 inputs, and was given 3", "by name (k)"):
        operator()(1.0, 2.0, 3.0)


def test_only_the_setting_that_is_a_tensor_is_named():
    """Settings have no derivative, so it would be lost; of several, the message has those that it is about."""

    @primitive
    def scaled(x, y, *, by, shift):
        return x * y * by + shift

    with raises(TypeError, "scaled: the setting by is a Tensor", "no derivative", "t.item()"):
        scaled(1.0, 2.0, by=Tensor(2.0), shift=0)
    with pytest.raises(TypeError, match=r"scaled takes Tensors by position, not as y=\.\.\.$"):
        scaled(1.0, y=2.0, by=Tensor(2.0), shift=0)


def test_an_operator_has_a_name():
    """A partial function has none, so it is a TypeError that says what to write."""
    with raises(TypeError, "an operator needs a name", "def", "functools.partial"):
        primitive(partial(np.add, 1.0))


@pytest.mark.parametrize(("ufunc", "count"), [(np.sin, 1), (np.add, 2)])
def test_a_ufunc_has_as_many_rules_as_inputs(ufunc, count):
    """ValueError with both numbers."""
    rule = lambda g, out, *xs: g  # noqa: E731
    primitive(ufunc).defvjp(*[rule] * count)
    with raises(ValueError, f"{ufunc.__name__} has {count} inputs, and was given 3 rules"):
        primitive(ufunc).defvjp(rule, rule, rule)


def test_operators_have_signatures():
    """help, and an editor, see the inputs and settings of each; in a class an operator is a method."""
    for function in (mt.relu, mt.exp, mt.add, mt.conv2d, mt.max_pool2d, Tensor.sum):
        assert inspect.signature(function).parameters
        assert inspect.isroutine(function)

    class Curve:
        twice = primitive(lambda self, x: 2 * x)

    assert isinstance(Curve.twice, Primitive)
    assert callable(Curve().twice) and not isinstance(Curve().twice, partial)


@given(st.integers(100, 400))
def test_the_gradient_of_many_parts_is_linear(n):
    """Each part is cut out by numbers that are known: no rule looks at the parts before it."""
    xs = [Tensor([float(i)]) for i in range(n)]
    y = mt.concatenate(xs)
    assert y.params["ends"] == tuple(range(1, n + 1))
    for i, g in enumerate(gradients(y * np.arange(n), xs)):
        assert g.item() == i


# -- what was once wrong -----------------------------------------------------------------------------------------------


@given(st.sampled_from(["broadcast", "backwards", "a length of one"]), st.integers(2000, 9000), rngs)
def test_long_sums_lose_no_digits_in_any_memory_order(kind, rows, rng):
    """Also of an array that is repeated, read backwards, or has an axis with one element: float32's own accuracy."""
    x = rng.uniform(0, 1, (rows, 3)).astype(np.float32)
    t = Tensor(x)
    if kind == "broadcast":
        t = mt.broadcast_to(Tensor(x[0]), rows, 3)
    elif kind == "backwards":
        t = t[::-1]
    else:
        t = t.reshape(rows, 1, 3).transpose(1, 0, 2)
    for axis in range(t.ndim):
        expected = t.data.sum(axis=axis, dtype=np.float64)
        np.testing.assert_allclose(mt.sum(t, axis).data, expected, rtol=1e-6)


@given(st.integers(1, 4), st.sampled_from([0.0, 1e3, 1e5, 1e7]), rngs)
def test_scores_that_are_all_larger_are_as_good(n, shift, rng):
    """softmax and the gradient of cross_entropy see differences alone: whole numbers, moved exactly, change nothing."""
    scores, labels = rng.integers(-4, 5, (n, 5)).astype(np.float32), rng.integers(0, 5, n)
    plain, moved = Tensor(scores), Tensor(scores + np.float32(shift))
    same(mt.softmax(moved), mt.softmax(plain))
    for x, y in ((plain, moved), (moved, plain)):
        a, b = (gradients(mt.cross_entropy(t, labels), [t])[0] for t in (x, y))
        same(a, b)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(st.sampled_from([1, 1.5, 2, 3, 4]), rngs)
def test_lp_pool_is_right_up_to_the_largest_number(dtype, norm, rng):
    """Of one number it is that number, however large; windows of zeros have no slope and no bend."""
    largest = np.finfo(dtype).max
    x = np.zeros((1, 1, 4), dtype)
    x[0, 0, rng.integers(0, 2)] = largest
    np.testing.assert_allclose(mt.lp_pool1d(x, 2, norm=norm).data, [[[largest, 0]]], rtol=1e-5)
    zeros = Tensor(np.zeros((1, 1, 2), dtype))
    (slope,) = gradients(mt.lp_pool1d(zeros, 2, norm=norm), [zeros])
    same(slope, zeros)
    same(gradients(slope, [zeros])[0], zeros)


@given(vectors)
def test_inputs_are_given_by_position(x):
    """An array by keyword, which the caller may change later, is refused as a Tensor is."""
    with raises(TypeError, "multiply", "y="):
        mt.multiply(Tensor(x), y=x)


@given(st.integers(0, 3), st.integers(1, 3))
def test_limits_of_a_slice_may_change_afterwards(start, step):
    """They are numbers of the recipe's own, whatever they were given as."""
    x = Tensor(np.arange(6.0))
    limits = [np.array(n) for n in (start, 6, step)]
    y = x[slice(*limits)]
    for n in limits:
        n += 1
    expected = np.zeros(6)
    expected[start:6:step] = 1
    same(gradients(y, [x])[0], expected)


@pytest.mark.parametrize("data", [[np.ma.array([1.0, 2.0], mask=[0, 1])], [1.0, np.ma.masked]])
def test_no_mask_within_is_dropped(data):
    """Nor inside a list, nor as an index."""
    with raises(TypeError, "mask"):
        Tensor(data)
    with raises(TypeError, "mask"):
        Tensor([1.0, 2.0])[np.ma.array([0, 1], mask=[0, 1])]


def test_an_operator_is_pickled_by_its_name():
    """It is the same operator afterwards; copies are the operator itself."""
    for op in (mt.relu, mt.conv._conv, mt.exp):
        assert pickle.loads(pickle.dumps(op)) is op and copy.deepcopy(op) is op


def test_one_no_grad_serves_many_threads():
    """Entered in two at once, each leaves it as it was."""
    quiet, inside, done, seen = no_grad(), threading.Event(), threading.Event(), []

    def work():
        with quiet:
            inside.set()
            done.wait(10)
        seen.append(records(Tensor(1.0)))

    thread = threading.Thread(target=work)
    thread.start()
    assert inside.wait(10)
    with quiet, quiet:
        assert not records(Tensor(1.0))
    assert records(Tensor(1.0))
    done.set()
    thread.join(10)
    assert seen == [True]


def test_what_is_sent_to_an_asynchronous_generator_arrives():
    """Values, errors and the end, as without no_grad."""

    @no_grad()
    async def echo():
        got = None
        try:
            while True:
                try:
                    got = yield got
                except KeyError:
                    got = "caught"
        finally:
            seen.append("closed")

    seen = []

    async def talk():
        steps = echo()
        answers = [await steps.asend(None), await steps.asend(1), await steps.athrow(KeyError()), await steps.asend(2)]
        await steps.aclose()
        return answers

    assert asyncio.run(talk()) == [None, 1, "caught", 2] and seen == ["closed"]


@given(st.integers(1, 3), st.integers(2, 4))
def test_a_diagonal_has_one_length(a, b):
    """A letter twice in one input does not stretch, and tensordot's axes are there, each once."""
    with raises(ValueError, (a, a + b)):
        mt.einsum("ii->", np.ones((a, a + b)))
    for axes in (3, ([0, 0], [0, 1])):
        with pytest.raises(ValueError, match="axes"):
            mt.tensordot(np.ones((b, b)), np.ones((b, b)), axes)


@given(vectors)
def test_no_value_can_be_made_writeable_again(x):
    """Neither that of an operator, nor that of a view of what it made."""
    t = Tensor(np.ones((1, 1, 3, 3)))
    values = (mt.conv2d(t, np.ones((1, 1, 2, 2))), mt.logsumexp(t, 0), mt.max_pool2d(t, 2), mt.where(t > 0, t, 0), t.T)
    for y in values:
        if y.ndim:
            with pytest.raises(ValueError, match="WRITEABLE"):
                y.data.setflags(write=True)
