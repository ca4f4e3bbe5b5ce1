"""What the users of every engine ask: reuse, repeats, depth, memory, threads, arrays that change, NumPy on the left."""

from __future__ import annotations

import array
import copy
import gc
import inspect
import sys
import threading
import weakref
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import minitensor as mt
from minitensor import Primitive, Tensor, gradients, hessian, history, jacobian, no_grad, primitive
from minitensor.finite import check_gradients
from minitensor.tensor import owned

from .checks import raises, same
from .operators import OPERATORS
from .strategies import few, reals, rngs, shapes, whole_numbers

vectors = shapes(max_dims=2).flatmap(whole_numbers)


@contextmanager
def without_collector():
    """What is freed in here is freed by reference counts alone: at once."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@st.composite
def programs(draw, steps: int = 6):
    """A straight-line program on numbers: each line adds or multiplies two earlier values, as (op, i, j)."""
    return [
        (draw(st.sampled_from("+*-")), draw(st.integers(0, line)), draw(st.integers(0, line)))
        for line in range(draw(st.integers(1, steps)))
    ]


def run(program, x):
    values = [x]
    for op, i, j in program:
        a, b = values[i], values[j]
        values.append(a + b if op == "+" else a * b if op == "*" else a - b)
    return values


class Dual:
    """A value and its derivative, forwards: dual numbers, which have no notion of order, reuse or accumulation."""

    def __init__(self, value, slope):
        self.value, self.slope = value, slope

    def __add__(self, other):
        return Dual(self.value + other.value, self.slope + other.slope)

    def __sub__(self, other):
        return Dual(self.value - other.value, self.slope - other.slope)

    def __mul__(self, other):
        return Dual(self.value * other.value, self.value * other.slope + self.slope * other.value)


# -- accumulation and order --------------------------------------------------------------------------------------------


@given(programs(), st.integers(-2, 2))
def test_a_value_used_many_times_gets_every_share(program, x):
    """Whatever is used how often in what order: reverse mode gives what dual numbers give, exactly."""
    t = Tensor(float(x))
    (slope,) = gradients(run(program, t)[-1], [t])
    assert slope.item() == run(program, Dual(x, 1))[-1].slope


@given(programs(4), st.integers(-2, 2))
def test_gradients_of_gradients_get_every_share(program, x):
    """Second derivatives are those of dual numbers of dual numbers, exactly."""
    t = Tensor(float(x))
    (slope,) = gradients(run(program, t)[-1], [t])
    (bend,) = gradients(slope, [t])
    assert bend.item() == run(program, Dual(Dual(x, 1), Dual(1, 0)))[-1].slope.slope


def test_diamonds_accumulate():
    """b = a + a; c = b + b: dc/da is 4, and through b * b as well as b + a it is 2b * 2 + 2 + 1."""
    a = Tensor(3.0)
    b = a + a
    assert gradients(b + b, [a, b])[0].item() == 4
    assert [g.item() for g in gradients(b * b + (b + a), [a, b])] == [27, 13]


@given(programs())
def test_history_is_everything_once_newest_first(program):
    """history holds what was computed from, each once, and everything before what it was made of."""
    values = run(program, Tensor(1.0))
    ordered = history(values[-1])
    assert len(set(ordered)) == len(ordered)
    assert ordered[0] is values[-1]
    place = {t: i for i, t in enumerate(ordered)}
    assert all(place[x] > place[t] for t in ordered for x in t.inputs)
    needed = {len(program)}
    for line in range(len(program), 0, -1):
        needed |= {*program[line - 1][1:]} if line in needed else set()
    assert set(ordered) == {values[i] for i in needed}


@given(programs(), st.integers(-2, 2))
def test_a_second_backward_gives_the_same(program, x):
    """backward fills .grad afresh: not twice the gradient, and not that of another output."""
    t = Tensor(float(x))
    values = run(program, t)
    values[-1].backward()
    first = [v.grad.item() for v in history(values[-1])]
    values[-1].backward()
    assert [v.grad.item() for v in history(values[-1])] == first
    values[1].backward()
    assert t.grad.item() == gradients(values[1], [t])[0].item()


@given(programs())
def test_backward_fills_what_gradients_returns(program):
    """.grad of everything in the history is gradients' answer, as a plain value without a recipe."""
    t = Tensor(2.0)
    y = run(program, t)[-1]
    y.backward()
    everything = history(y)
    for v, g in zip(everything, gradients(y, everything), strict=True):
        assert v.grad.item() == g.item()
        assert v.grad.primitive is None
        assert v.grad.inputs == ()


def test_gradients_leave_no_trace_on_the_tensors():
    """gradients fills no .grad; only backward does."""
    x = Tensor(2.0)
    gradients(x * x, [x])
    assert x.grad is None


@given(vectors)
def test_no_path_means_zeros(x):
    """What the output does not depend on, or only detached, has gradient 0, in its own shape and dtype."""
    t, other = Tensor(x), Tensor(np.float32([1, 2]))
    y = t * t.detach()
    assert [(g.data == 0).all() for g in gradients(y, [other])] == [True]
    assert gradients(y, [other])[0].shape == (2,)
    assert gradients(y, [other])[0].dtype == np.float32
    assert np.array_equal(gradients(y, [t])[0].data, x)


@given(vectors)
def test_an_output_is_its_own_input(x):
    """dy/dy is the seed; also where y is asked for together with what it was made of."""
    t = Tensor(x)
    y = 2 * t
    dy, dt, again = gradients(y, [y, t, y], seed=3 * np.ones(x.shape))
    assert (dy.data == 3).all()
    assert (dt.data == 6).all()
    assert (again.data == 3).all()
    assert (gradients(t, [t])[0].data == 1).all()


@given(vectors, rngs)
def test_the_seed_weighs_the_outputs(x, rng):
    """The gradient is that of sum(seed * y); without a seed, of the sum."""
    t, seed = Tensor(x), rng.integers(-3, 4, x.shape).astype(float)
    weighted = gradients((t * t * Tensor(seed)).sum(), [t])[0].data
    assert np.array_equal(gradients(t * t, [t], seed)[0].data, weighted)
    assert np.array_equal(gradients(t * t, [t], seed=Tensor(seed))[0].data, weighted)
    assert np.array_equal(gradients(t * t, [t])[0].data, gradients((t * t).sum(), [t])[0].data)


def test_derivatives_flow_through_the_seed():
    """A gradient is a Tensor with a recipe, in the seed too: d(seed * f') / d seed is f'."""
    x, seed = Tensor([1.0, 2.0]), Tensor([5.0, 7.0])
    (g,) = gradients(x * x, [x], seed)
    assert np.array_equal(gradients(g, [seed])[0].data, [2.0, 4.0])


# -- depth -------------------------------------------------------------------------------------------------------------


def test_depth_needs_no_recursion():
    """A chain of 100,000 operators: value, gradients, backward and deletion, without Python's own stack."""
    depth = 100_000
    assert depth > 10 * sys.getrecursionlimit()
    x = Tensor(1.0)
    y = x
    for _ in range(depth // 2):
        y = y * 1.0 + x
    assert len(history(y)) > depth
    (slope,) = gradients(y, [x])
    assert slope.item() == depth / 2 + 1
    del slope
    y.backward()
    assert x.grad.item() == depth / 2 + 1
    del y


def test_gradients_of_gradients_need_no_recursion():
    """The second derivative of 10,001 squares, added one after the other, is walked like any other."""
    x = Tensor(1.0)
    y = x * x
    for _ in range(10_000):
        y = y + x * x
    (slope,) = gradients(y, [x])
    assert gradients(slope, [x])[0].item() == 2 * 10_001


# -- memory ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", OPERATORS)
@few
@given(data=st.data())
def test_nothing_is_freed_late(name, data):
    """No reference cycles: what backward and gradients of gradients leave behind dies with its last name."""
    row = OPERATORS[name]
    f, shapes_ = data.draw(row.cases)
    arrays = row.values(np.random.default_rng(0), shapes_)
    with without_collector():
        xs = [Tensor(x) for x in arrays]
        y = f(*xs)
        y.backward(seed=np.ones(y.shape))
        first = gradients(y * y, xs)
        second = gradients(sum(g.sum() for g in first), xs)
        alive = [weakref.ref(t) for t in {*history(y), *xs, *first, *second, *history(first[0])}]
        del xs, y, first, second
        assert [r() for r in alive if r() is not None] == []


def test_a_seed_is_no_way_back():
    """.grad keeps nothing alive, even where the seed is the input itself or was computed from it."""
    with without_collector():
        x = Tensor(1.0)
        y = x + 0.0
        for seed in (x, 2 * x):
            y.backward(seed)
        alive = weakref.ref(x)
        del x, y, seed
        assert alive() is None


def test_no_grad_keeps_nothing():
    """Within no_grad an input dies as soon as its last name does, and the value is the same."""
    with without_collector(), no_grad():
        x = Tensor([1.0, 2.0])
        y = x * x
        alive = weakref.ref(x)
        del x
        assert alive() is None
        assert y.inputs == ()
        assert y.primitive is None
        assert list(y.data) == [1, 4]


# -- no_grad -----------------------------------------------------------------------------------------------------------


def recording() -> bool:
    return bool((Tensor(1.0) + 1).inputs)


def test_no_grad_nests():
    """The inner block's end does not end the outer one."""
    with no_grad():
        with no_grad():
            assert not recording()
        assert not recording()
    assert recording()


def test_no_grad_ends_with_an_exception():
    """Recording goes on after a block that failed."""
    with pytest.raises(ZeroDivisionError), no_grad():
        raise ZeroDivisionError
    assert recording()


def test_no_grad_decorates():
    """As a decorator it covers each call, also a recursive one, and nothing else."""

    @no_grad()
    def depth(n: int) -> list[bool]:
        return [recording(), *(depth(n - 1) if n else []), recording()]

    assert not any(depth(3))
    assert recording()
    assert not any(depth(1))
    assert recording()


def test_values_made_outside_no_grad_keep_their_recipes():
    """gradients within no_grad differentiates what was recorded before, and returns plain values."""
    x = Tensor(3.0)
    y = x * x
    with no_grad():
        (slope,) = gradients(y, [x])
    assert slope.item() == 6
    assert slope.inputs == ()


# -- threads -----------------------------------------------------------------------------------------------------------


def test_no_grad_is_of_one_thread():
    """While one thread is inside no_grad, another records; and a thread begins by recording."""
    inside, done = threading.Event(), threading.Event()
    seen = []

    def quiet():
        with no_grad():
            inside.set()
            done.wait(10)
            seen.append(recording())

    thread = threading.Thread(target=quiet)
    thread.start()
    assert inside.wait(10)
    seen.append(recording())
    done.set()
    thread.join(10)
    assert seen == [True, False]
    with no_grad():
        other = threading.Thread(target=lambda: seen.append(recording()))
        other.start()
        other.join(10)
    assert seen == [True, False, True]


def test_threads_share_no_state():
    """Many threads on one shared Tensor get the numbers that one thread gets."""
    x = Tensor(np.linspace(-1, 1, 50))

    def work(i: int) -> float:
        y = x
        for _ in range(30):
            y = (y * x).tanh() + i
        (slope,) = gradients(y.sum(), [x])
        return gradients((slope * slope).sum(), [x])[0].sum().item()

    results: dict[int, float] = {}
    threads = [threading.Thread(target=lambda i=i: results.update({i: work(i)})) for i in range(8)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    finally:
        sys.setswitchinterval(interval)
    assert results == {i: work(i) for i in range(8)}


# -- arrays that change ------------------------------------------------------------------------------------------------


@given(vectors)
def test_a_tensor_does_not_follow_its_array(x):
    """A later change of the caller's array reaches neither value nor gradient; nor is the array frozen."""
    array = x.copy()
    t = Tensor(array)
    y = t * t + array
    array[...] = 99
    assert np.array_equal(t.data, x)
    assert np.array_equal(gradients(y, [t])[0].data, 2 * x)
    assert np.array_equal(y.data, x * x + x)


@given(hnp.arrays(st.sampled_from([np.float32, np.float64]), shapes(), elements=st.integers(-9, 9)))
def test_an_array_that_is_handed_over_is_not_copied(x):
    """`owned` makes a Tensor of the very array, which then cannot be written to any more; of one number, a scalar."""
    array = x.copy()
    t = owned(array)
    same(t, x)
    assert t.inputs == () and gradients(t * t, [t])[0].dtype == x.dtype
    if array.ndim:
        assert np.shares_memory(t.data, array)
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 99
    else:
        assert type(t._value) is x.dtype.type


def test_a_view_of_the_callers_array_is_a_copy():
    """Also through a view, a base, or a read-only view of what the caller may still write to."""
    base = np.zeros(4)
    view = base[::2]
    view.setflags(write=False)
    t = Tensor(view)
    base[...] = 1
    assert np.array_equal(t.data, [0, 0])


@given(st.sampled_from([np.array, list]))
def test_indices_and_labels_may_change_afterwards(kind):
    """The index arrays, masks, labels, widths and shapes that a recipe needs are its own."""
    x = Tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    rows, mask, labels, shape = kind([0, 0]), kind([True, False, True]), kind([2, 0]), [3, 2]
    taken, chosen, loss, shaped = x[rows], x[0][mask], mt.cross_entropy(x, labels), x.reshape(shape)
    widths = [[1, 0], [0, 1]]
    padded = mt.pad(x, widths)
    before = [gradients(y, [x])[0].data.copy() for y in (taken, chosen, loss, shaped, padded)]
    rows[0], mask[1], labels[0], shape[0], widths[0][0] = 1, True, 1, 99, 0
    after = [gradients(y, [x])[0].data for y in (taken, chosen, loss, shaped, padded)]
    assert all(map(np.array_equal, before, after))
    assert np.array_equal(before[0], [[2, 2, 2], [0, 0, 0]])
    assert np.array_equal(before[1], [[1, 0, 1], [0, 0, 0]])


@given(st.lists(st.integers(-3, 2), min_size=1, max_size=6))
def test_a_sequence_of_any_kind_is_an_index_array(places):
    """However it is written, an element that is taken twice gets both gradients."""
    x = Tensor([1.0, 2.0, 3.0])
    counts = np.bincount(np.array(places) % 3, minlength=3)
    for key in (places, tuple(places), np.array(places), array.array("i", places)):
        y = x[key,] if isinstance(key, tuple) else x[key]
        assert np.array_equal(gradients(y, [x])[0].data, counts)
    assert np.array_equal(x[range(2)].data, x.data[:2])
    assert x[np.int64(1)].item() == 2 and x[True].shape == (1, 3) and x[None, ...].shape == (1, 3)


@pytest.mark.parametrize("name", OPERATORS)
@few
@given(data=st.data(), rng=rngs)
def test_nothing_that_a_user_sees_can_be_written(name, data, rng):
    """.data of every value and gradient is read-only, and so cannot be changed under a recipe that needs it."""
    row = OPERATORS[name]
    f, shapes_ = data.draw(row.cases)
    xs = [Tensor(x) for x in row.values(rng, shapes_)]
    y = f(*xs)
    for t in {*history(y), *xs, *gradients(y, xs)}:
        assert not t.data.flags.writeable
        with pytest.raises(ValueError, match="read-only"):
            t.data[...] = 0


@pytest.mark.parametrize("name", OPERATORS)
@few
@given(data=st.data(), rng=rngs)
def test_an_operator_changes_none_of_its_inputs(name, data, rng):
    """After value, gradients and gradients of gradients, every Tensor holds what it held."""
    row = OPERATORS[name]
    f, shapes_ = data.draw(row.cases)
    arrays = row.values(rng, shapes_)
    xs = [Tensor(x) for x in arrays]
    y = f(*xs)
    value = y.data.copy()
    gradients(sum((g * g).sum() for g in gradients(y, xs)), xs)
    assert np.array_equal(y.data, value)
    assert all(np.array_equal(t.data, x) for t, x in zip(xs, arrays, strict=True))


# -- NumPy on the left -------------------------------------------------------------------------------------------------


@given(st.data(), vectors)
def test_numpy_on_the_left_keeps_the_graph(data, x):
    """array op Tensor is a Tensor with a recipe, with the value that NumPy gives; so is np.float64 op Tensor."""
    t = Tensor(np.abs(x) + 1)
    for left in (x, np.float64(3), np.int64(3), np.float32(2), 3, 2.0):
        both = [(left + t, left + t.data), (left - t, left - t.data), (left * t, left * t.data)]
        both += [(left / t, left / t.data), (np.abs(left) ** t, np.abs(left) ** t.data)]
        for ours, numpys in both:
            assert isinstance(ours, Tensor)
            assert ours.inputs[1] is t
            np.testing.assert_allclose(ours.data, numpys, rtol=1e-15)
    matrix = np.ones((2, 3))
    assert isinstance(matrix @ Tensor(np.ones(3)), Tensor)


@pytest.mark.parametrize("ufunc", [np.add, np.multiply, np.exp, np.maximum, np.matmul])
def test_numpys_functions_refuse_tensors(ufunc):
    """np.add(array, Tensor) is a TypeError, and not an array without a history."""
    with pytest.raises(TypeError):
        ufunc(*[np.ones(2), Tensor([1.0, 2.0])][-ufunc.nin :])


@given(vectors)
def test_comparisons_are_ones_and_zeros(x):
    """>, >=, <, <= of a Tensor give 1 and 0 in its dtype, on either side, with no gradient."""
    t, one = Tensor(x), 1
    for ours, numpys in (
        (t > 1, x > 1), (t >= 1, x >= 1), (t < 1, x < 1), (t <= 1, x <= 1),
        (one > t, one > x), (one >= t, one >= x), (one < t, one < x), (one <= t, one <= x),
    ):  # fmt: skip
        assert np.array_equal(ours.data, numpys)
        assert ours.dtype == t.dtype
        assert not gradients(ours, [t])[0].data.any()


# -- jacobian and hessian ----------------------------------------------------------------------------------------------


@given(shapes(max_dims=2), shapes(max_dims=2), rngs)
def test_the_jacobian_of_a_linear_map_is_its_matrix(inner, outer, rng):
    """f(x) = A x has J = A, in the shape of f(x) followed by that of x."""
    a = rng.integers(-3, 4, (*outer, *inner)).astype(float)
    rows, columns = "ab"[: len(outer)], "cd"[: len(inner)]
    j = jacobian(lambda x: mt.einsum(f"{rows}{columns},{columns}->{rows}", a, x), np.ones(inner))
    assert np.array_equal(j.data, a)
    assert j.shape == a.shape


@given(st.integers(1, 4), rngs)
def test_the_hessian_of_a_quadratic_form_is_symmetric(n, rng):
    """f(x) = x A x / 2 has H = (A + A^T) / 2, exactly, and H is its own transpose."""
    a = 2.0 * rng.integers(-3, 4, (n, n))
    h = hessian(lambda x: (x @ Tensor(a) @ x) / 2, rng.integers(-3, 4, n).astype(float)).data
    assert np.array_equal(h, (a + a.T) / 2)
    assert np.array_equal(h, h.T)


@given(shapes(min_dims=1, max_dims=2), rngs)
def test_the_hessian_of_logsumexp_is_the_covariance_of_the_softmax(shape, rng):
    """H = diag(p) - p p^T, for p = softmax(x)."""
    (x,) = reals(rng, [shape])
    p = np.exp(x.ravel()) / np.exp(x).sum()
    h = hessian(mt.logsumexp, x).data
    assert h.shape == shape + shape
    np.testing.assert_allclose(h.reshape(x.size, x.size), np.diag(p) - np.outer(p, p), atol=1e-14)


@given(shapes(max_dims=2), rngs)
def test_jacobians_chain(shape, rng):
    """J of g(f(x)) is the product of J of g at f(x) and J of f at x."""
    (x,) = reals(rng, [shape])
    f, g = (lambda x: x * x.sum()), (lambda y: (y * 2).tanh().reshape(-1))
    whole = jacobian(lambda x: g(f(x)), x).data.reshape(x.size, x.size)
    outer, inner = jacobian(g, f(Tensor(x))).data, jacobian(f, x).data
    np.testing.assert_allclose(whole, outer.reshape(x.size, x.size) @ inner.reshape(x.size, x.size), atol=1e-12)


def test_jacobians_of_constants_and_of_nothing():
    """A function that does not look at x has J = 0; one that returns no elements has an empty J."""
    assert np.array_equal(jacobian(lambda x: Tensor([3.0]), [1.0, 2.0]).data, [[0, 0]])
    assert jacobian(lambda x: x[:0], np.float32([1, 2])).shape == (0, 2)
    assert jacobian(lambda x: x[:0], np.float32([1, 2])).dtype == np.float32


@given(shapes(max_dims=2), rngs)
def test_derivatives_of_functions_need_no_recording_around_them(shape, rng):
    """Within no_grad, jacobian, hessian and check_gradients record what they differentiate, and return plain values."""
    (x,) = reals(rng, [shape])
    f, g = (lambda x: x * x.tanh()), (lambda x: (x * x.tanh()).sum())
    recorded = [jacobian(f, x), hessian(g, x)]
    with no_grad():
        plain = [jacobian(f, x), hessian(g, x)]
        assert check_gradients(f, x) < 1e-6
        assert not recording()
    for a, b in zip(plain, recorded, strict=True):
        assert np.array_equal(a.data, b.data)
        assert not a.inputs
    assert all(t.inputs for t in recorded if t.size)


# -- what a user gets wrong --------------------------------------------------------------------------------------------


@given(shapes(max_dims=2))
def test_a_seed_has_the_outputs_shape(output):
    """Any other shape is a ValueError that shows both, also one with as many elements, or one that would broadcast."""
    y = Tensor(np.zeros(output)) * 1
    gradients(y, [y], np.zeros(output))
    for seed in {(), (1,), (1, *output), (*output, 1), output[::-1], output[1:]} - {output}:
        with raises(ValueError, output, seed):
            gradients(y, [y], np.zeros(seed))
        with raises(ValueError, output, seed):
            y.backward(np.zeros(seed))


@given(st.integers(0, 3))
def test_wrt_may_be_gone_through_only_once(n):
    """A generator of Tensors is as good as a list of them."""
    xs = [Tensor(float(i)) for i in range(n)]
    y = sum(xs, Tensor(0.0))
    assert [g.item() for g in gradients(y, (x for x in xs))] == [1.0] * n


@pytest.mark.parametrize("wrt", [Tensor(1.0), [1.0], [Tensor(1.0), np.ones(2)], 1.0, None])
def test_gradients_are_by_a_list_of_tensors(wrt):
    """A bare Tensor, a number or an array in wrt is a TypeError that shows what is wanted."""
    with pytest.raises(TypeError, match="list of Tensors"):
        gradients(Tensor(1.0), wrt)


@pytest.mark.parametrize("output", [1.0, np.ones(2), None])
def test_gradients_are_of_a_tensor(output):
    """Anything else is a TypeError that names its type."""
    with pytest.raises(TypeError, match=type(output).__name__):
        gradients(output, [Tensor(1.0)])
    for function in (mt.backward, history):
        with pytest.raises(TypeError, match=type(output).__name__):
            function(output)
    for derivative in (jacobian, hessian):
        with pytest.raises(TypeError, match=type(output).__name__):
            derivative(lambda x: output, 1.0)


@given(shapes(max_dims=2), rngs)
def test_a_seed_adopts_the_outputs_dtype(shape, rng):
    """float32 stays float32, whatever the seed is made of."""
    x = Tensor(rng.normal(size=shape).astype(np.float32))
    for seed in (np.ones(shape), np.ones(shape).tolist(), Tensor(np.ones(shape))):
        for y in (x, x * 2):
            assert all(g.dtype == np.float32 for g in gradients(y, [x, y], seed))


@given(rngs)
def test_a_deep_copy_has_a_life_of_its_own(rng):
    """Equal values that nobody can change, the same operator, and a recipe that leads to the copies of the inputs."""
    x = Tensor(rng.normal(size=2), name="x")
    y = mt.exp(x)
    y.backward(np.ones(2))
    its_x, its_y = copy.deepcopy((x, y))
    assert its_x is not x and its_x.name == "x" and not its_x.data.flags.writeable
    same(its_y, y)
    same(its_x.grad, x.grad)
    assert its_y.primitive is mt.exp and its_y.inputs == (its_x,)
    same(gradients(its_y, [its_x])[0], y)


def test_a_long_recipe_can_be_copied():
    """Far more operators than Python's stack has room for; each Tensor is copied once, however often it is used."""
    x = y = Tensor(1.0, name="x")
    for _ in range(5000):
        y = (y + y) / 2
    twin = copy.deepcopy(y)
    assert len(history(twin)) == len(history(y)) and not set(history(twin)) & set(history(y))
    (its_x,) = [t for t in history(twin) if t.name == "x"]
    assert gradients(twin, [its_x])[0].item() == gradients(y, [x])[0].item() == 1


@given(shapes(min_dims=1).filter(lambda s: np.prod(s) > 1))
def test_a_hessian_is_of_a_scalar(shape):
    """A function with more outputs is a ValueError that shows their shape."""
    with raises(ValueError, "scalar", shape):
        hessian(lambda x: x * x, np.ones(shape))


@pytest.mark.parametrize("op", [f for f in vars(mt).values() if isinstance(f, Primitive)], ids=lambda f: f.name)
def test_operators_take_tensors_by_position(op):
    """A Tensor by keyword, which would leave no trace in the recipe, is a TypeError that names operator and keyword."""
    names = [name for name, p in inspect.signature(op).parameters.items() if p.kind is p.POSITIONAL_OR_KEYWORD]
    for first in range(len(names)):
        arrays = [Tensor(1.0)] * len(names)
        with raises(TypeError, op.name, f"{', '.join(names[first:])}="):
            op(*arrays[:first], **dict(zip(names[first:], arrays, strict=False)))


def operator(*rules):
    @primitive
    def product(x, y):
        return x * y

    if rules:
        product.defvjp(*rules)
    return product


def test_a_missing_rule_is_named():
    """One rule, or three, for two inputs: a ValueError that names the operator, as soon as they are given."""
    for count in (1, 3):
        with pytest.raises(ValueError, match=f"product has 2 inputs, and was given {count} rules"):
            operator(*[lambda g, out, x, y: g] * count)


def test_an_operator_without_rules_says_so():
    """It has values; asked for a derivative, it names itself and the way to give it one."""
    product, x = operator(), Tensor(2.0)
    assert product(x, x).item() == 4
    with pytest.raises(NotImplementedError, match=r"product.*product\.defvjp"):
        gradients(product(x, x), [x])


def test_a_rule_of_none_is_zero():
    """None as a rule says that the derivative is zero."""
    x, y = Tensor(2.0), Tensor(3.0)
    product = operator(lambda g, out, x, y: g * y, None)
    assert [g.item() for g in gradients(product(x, y), [x, y])] == [3, 0]


def test_a_rule_is_asked_only_on_the_way_to_wrt():
    """The rule for an input that does not lead to wrt is not called."""
    product = operator(lambda g, out, x, y: g * y, lambda g, out, x, y: 1 / 0)
    x, y = Tensor(2.0), Tensor(3.0)
    assert gradients(product(x, y), [x])[0].item() == 3


@given(shapes(max_dims=2), shapes(max_dims=2))
def test_a_rule_returns_its_inputs_shape_or_one_that_sums_to_it(shape, wrong):
    """What broadcasting may have made of the input is summed back; any other shape is a ValueError with both."""
    product = operator(lambda g, out, x, y: Tensor(np.ones(wrong)), None)
    x = Tensor(np.ones(shape))
    try:
        broadcasts = np.broadcast_shapes(shape, wrong) == wrong
    except ValueError:
        broadcasts = False
    if broadcasts:
        (g,) = gradients(product(x, x), [x])
        assert g.shape == shape
        assert g.data.sum() == np.prod(wrong)
    else:
        with raises(ValueError, shape, wrong):
            gradients(product(x, x), [x])


@pytest.mark.parametrize("share", [3.0, np.ones(2), [1.0], None])
def test_a_rule_returns_a_tensor(share):
    """A rule that drops the graph, or forgets to return, is a TypeError that says what came back."""
    product = operator(lambda g, out, x, y: share, None)
    x = Tensor(2.0)
    with pytest.raises(TypeError, match=f"returned {type(share).__name__}"):
        gradients(product(x, x), [x])


def test_an_operator_from_outside_is_like_any_other():
    """Rules written in Tensors give derivatives of any order; x^4 to the fifth."""

    @primitive
    def fourth(x):
        return x * x * x * x

    fourth.defvjp(lambda g, out, x: g * 4 * x**3)
    x = Tensor(2.0)
    y, found = fourth(x), []
    for _ in range(5):
        (y,) = gradients(y, [x])
        found.append(y.item())
    assert found == [32, 48, 48, 24, 0]


@pytest.mark.parametrize("value", [3, 0.5, True, [1, 2], np.arange(2), np.array([True]), np.float32(3), np.float64(3)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_an_operator_from_outside_may_return_any_number(value, dtype):
    """Python's numbers, and where a comparison holds, become floats like the inputs; NumPy's floats are kept."""
    made = primitive(lambda x: value)(Tensor(dtype(1)))
    assert np.array_equal(made.data, value)
    assert made.dtype == (value.dtype if isinstance(value, np.floating) else dtype)
    assert not made.data.flags.writeable


def test_an_operator_that_returns_nothing_is_named():
    """A forgotten return is a TypeError that asks for it."""

    @primitive
    def forgetful(x):
        x + 1

    with pytest.raises(TypeError, match="forgetful returned None: is a return missing"):
        forgetful(1.0)
    assert repr(forgetful) == "<primitive forgetful>"


def test_operators_of_any_number_of_inputs():
    """defvjp_each gives one rule for all inputs, told which; a rule for each is a ValueError."""

    @primitive
    def total(*xs):
        return sum(xs)

    total.defvjp_each(lambda i, g, out, *xs: g * (i + 1))
    xs = [Tensor(1.0) for _ in range(4)]
    assert [g.item() for g in gradients(total(*xs), xs)] == [1, 2, 3, 4]
    with pytest.raises(ValueError, match=r"total takes any number of inputs.*defvjp_each"):
        total.defvjp(lambda g, out, *xs: g)


def test_a_tensor_knows_its_recipe():
    """(primitive, inputs, params) make the value again; a leaf and a detached Tensor have none."""
    x = Tensor([[1.0, 2.0]], name="x")
    y = x.sum(axis=1)
    assert np.array_equal(y.primitive(*y.inputs, **y.params).data, y.data)
    assert y.inputs == (x,)
    assert x.primitive is None
    assert y.detach().primitive is None
    assert x.name == "x"
    assert y.name is None
    assert "name='x'" in repr(x)
    assert "sum" in repr(y)


@given(shapes(max_dims=2))
def test_only_one_element_is_an_item(shape):
    """item, float and bool need exactly one element; ValueError shows the shape."""
    x = Tensor(np.full(shape, 3.0))
    if x.size == 1:
        assert x.item() == float(x) == 3.0
        assert bool(x)
        assert f"{x:.1f}" == "3.0"
    else:
        for call in (x.item, x.__float__, x.__bool__):
            with raises(ValueError, shape):
                call()


@given(shapes(min_dims=1))
def test_a_tensor_is_a_sequence_of_its_rows(shape):
    """len and iteration are those of the first axis, and the rows keep the graph; a number has neither."""
    x = Tensor(np.arange(np.prod(shape), dtype=float).reshape(shape))
    assert len(x) == shape[0]
    assert all(np.array_equal(a.data, b) for a, b in zip(x, x.data, strict=True))
    assert all(row.inputs[0] is x for row in x)
    with pytest.raises(TypeError, match="no axes"):
        len(Tensor(1.0))
    with pytest.raises(TypeError, match="no axes"):
        list(Tensor(1.0))


def test_methods_are_the_functions():
    """x.f(...) is f(x, ...), for every function that is also a method."""
    x = Tensor([[0.5, 1.5], [2.5, 3.0]])
    arguments = {"clip": (1, 2), "broadcast_to": (2, 2, 2), "reshape": (4,), "matmul": (x,), "astype": ("float32",)}
    arguments |= {"expand_dims": (0,), "swapaxes": (0, 1)}
    shared = {name for name in mt.__all__ if callable(getattr(Tensor, name, None))} | {"abs", "max", "min", "sum"}
    shared -= {"argmax", "backward"}  # which make no Tensor
    assert {"sum", "mean", "max", "reshape", "transpose", "exp", "relu"} <= shared
    for name in shared:
        given_ = arguments.get(name, ())
        expected = getattr(mt, name)(x, *given_)
        result = getattr(x, name)(*given_)
        assert np.array_equal(result.data, expected.data), name
        assert result.primitive is expected.primitive, name
        method, function = (inspect.signature(getattr(of, name)) for of in (Tensor, mt))
        (_, *settings), (_, *expected_settings) = method.parameters.values(), function.parameters.values()
        assert [(p.name, p.kind, p.default) for p in settings] == [
            (p.name, p.kind, p.default) for p in expected_settings
        ], name
        assert name in inspect.getdoc(getattr(Tensor, name))
    assert x.argmax(1).tolist() == mt.argmax(x, 1).tolist() == [1, 1] and x.argmax() == 3
    assert np.array_equal(x.T.data, x.data.T)
    assert np.array_equal((-x).data, -x.data)
    assert np.array_equal(abs(-x).data, x.data)
