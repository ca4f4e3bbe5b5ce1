"""A recipe is a program: the engine, the program and its text executed by itself agree, in value and in derivatives."""

from __future__ import annotations

import math
import operator
import random
import re
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache, partial, reduce, wraps
from math import prod as math_prod
from threading import Barrier
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minitensor as mt
from minitensor import Tensor, compiled, gradients, primitive, program
from minitensor.backprop import unbroadcast
from minitensor.fast import cores
from minitensor.program import CannotCompile, origins, programs
from nets import BatchNorm1d, Dense, Dropout, Flatten, Module, ReLU, Sequential, lenet

from . import strategies
from .checks import raises, same
from .operators import OPERATORS, RULES
from .strategies import dtypes, few, laid_out, rngs
from .test_cores import all_of, blas_with, on

ROWS = {name: row for name, row in {**OPERATORS, **RULES}.items() if name != "dropout"}  # which differs at each run


def executed(made):
    """The function of the text, in a namespace that has nothing else."""
    space = {}
    exec(made.source, space)
    return space["program"]


def near(a, b):
    """The same shape and dtype, and the same numbers, to rounding."""
    a, b = np.asarray(a), np.asarray(b)
    assert (a.shape, a.dtype) == (b.shape, b.dtype)
    precision = 1e4 * np.finfo(b.dtype).eps
    np.testing.assert_allclose(a, b, rtol=precision, atol=precision * max(1, np.abs(b[np.isfinite(b)]).max(initial=0)))


def recipe(f, xs, rng, order):
    """y = f(xs), and as named outputs the derivatives up to an order, along random directions."""
    outputs = {"y": f(*xs)}
    total = outputs["y"]
    for n in range(order):
        seed = Tensor(rng.normal(size=total.shape).astype(total.dtype))
        slopes = gradients((total * seed).sum(), xs)
        outputs |= {f"d{n + 1}_x{i}": slope for i, slope in enumerate(slopes)}
        total = sum([(slope * Tensor(rng.normal(size=slope.shape).astype(slope.dtype))).sum() for slope in slopes])
    return outputs


@pytest.mark.parametrize("name", ROWS)
@few
@given(data=st.data(), rng=rngs, order=st.integers(0, 2), dtype=dtypes)
def test_engine_program_and_text_agree(name, data, rng, order, dtype):
    """For every operator, its gradients and the gradients of these, in any order of memory."""
    f, shapes = data.draw(ROWS[name].cases)
    arrays = [x.astype(dtype) for x in ROWS[name].values(rng, shapes)]
    xs = [data.draw(laid_out(x)) for x in arrays]
    with np.errstate(all="ignore"):
        outputs = recipe(f, xs, rng, order)
        made = program(outputs, {f"x{i}": x for i, x in enumerate(xs)})
        ran, text = (function(*[x.data for x in xs]) for function in (made, executed(made)))
    for expected, *found in zip(outputs.values(), *[r if type(r) is tuple else (r,) for r in (ran, text)], strict=True):
        for array in found:
            near(array, expected.data)


@pytest.mark.parametrize("name", ROWS)
@few
@given(data=st.data(), rng=rngs)
def test_a_compiled_function_is_the_function(name, data, rng):
    """For every operator and its gradients, on data that it has not been traced with."""
    f, shapes = data.draw(ROWS[name].cases)

    def both(*xs):
        y = f(*xs)
        return [y, *gradients(y, xs)]

    fast = compiled(both)
    for _ in range(2):
        arrays = ROWS[name].values(rng, shapes)
        with np.errstate(all="ignore"):
            found, expected = fast(*arrays), both(*map(Tensor, arrays))
        assert type(found) is list
        for a, b in zip(found, expected, strict=True):
            near(a, b.data)


# -- what the text reads like ------------------------------------------------------------------------------------------


def lines(made):
    return [line.partition("#")[0].strip() for line in str(made).splitlines()[1:]]


def test_the_text_is_what_a_student_would_write():
    """Constants are worked out, no line is there twice or for nothing, gradients are named by what they belong to."""
    x, w, y = Tensor(np.ones((4, 3))), Tensor(np.ones((3, 2))), Tensor(np.ones((4, 2)))
    loss = mt.mean_squared_error((x @ w).tanh(), y)
    made = program({"loss": loss, "d_w": gradients(loss, [w])[0]}, {"x": x, "w": w, "y": y})
    assert lines(made) == [
        "t1 = x @ w", "t2 = np.tanh(t1)", "t3 = t2 - y", "t4 = t3 ** 2", "t5 = t4.sum()", "loss = t5 / 8",
        "d_t3 = 0.25 * t3", "t6 = t2 * t2", "t7 = 1 - t6", "d_t1 = d_t3 * t7", "d_w = x.T @ d_t1", "return loss, d_w",
    ]  # fmt: skip


def steps(made):
    """Each line of a program: the name, its value, and the comment behind it."""
    space = {}
    exec(made.source, space)
    body = [line.strip().partition("  # ") for line in str(made).splitlines()[1:]]

    def run(*arrays):
        local = dict(zip(made.inputs, arrays, strict=True))
        for text, _, comment in body:
            name = text.partition(" = ")[0]
            if text and not text.startswith(("#", "return", "del ")):
                exec(text, {**space, **local}, local)
                yield name, local[name], comment

    return run


def shares(loss):
    """A backward pass in the test's own words: what each rule has made on its way, and what has come back where."""
    everything = mt.history(loss)
    made, back = {}, {}
    for t, g in zip(everything, gradients(loss, everything), strict=True):
        for i, x in enumerate(t.inputs):
            if (rule := t.primitive.vjp(i)) is not None:
                begin = Tensor(0.0).birth
                share = unbroadcast(rule(g, t, *t.inputs, **t.params), x)
                of_rule = made.setdefault(f"rule {i} of {t.primitive.name}", [])
                of_rule += [u.data for u in mt.history(share) if u.birth > begin] + [share.data]
                back.setdefault(x, []).append(share.data)
    return made, [sum(b[1:n], b[0]) for b in back.values() for n in range(2, len(b) + 1)]


@pytest.mark.parametrize("name", ROWS)
@few
@given(data=st.data(), rng=rngs)
def test_every_line_of_a_backward_part_says_which_rule_made_it(name, data, rng):
    """And it is true: that rule, of that operator, makes this number on its way."""
    f, shapes = data.draw(ROWS[name].cases)
    xs = [Tensor(x) for x in ROWS[name].values(rng, shapes)]
    with np.errstate(all="ignore"):
        y = f(*xs)
        loss = (y * y * Tensor(rng.normal(size=y.shape))).sum()
        slopes = {f"d_x{i}": slope for i, slope in enumerate(gradients(loss, xs))}
        by_rules, sums = shares(loss)
        made = program({"loss": loss, **slopes}, {f"x{i}": x for i, x in enumerate(xs)})
        found = list(steps(made)(*[x.data for x in xs]))
    names = [name for name, _, _ in found]
    assert not any("rule" in comment or "sum of" in comment for _, _, comment in found[: names.index("loss") + 1])
    for _, value, comment in found[names.index("loss") + 1 :]:
        said = re.search("rule [0-9]+ of [a-z_0-9]+|sum of what comes back", comment)
        candidates = by_rules[said[0]] if said[0].startswith("rule") else sums
        assert any(c.shape == np.shape(value) and np.allclose(c, value, equal_nan=True) for c in candidates), comment


WRITTEN = {"tanh": "np.tanh(", "power": " ** ", "negative": "= -", "multiply": " * ", "divide": " / ", "exp": "np.exp("}
VANISHING = {
    "x ** 1": lambda y: y**1, "x ** 0": lambda y: y**0 + y, "-(-x)": lambda y: operator.neg(-y),
    "x * 1": lambda y: y * 1, "x / 1": lambda y: y / 1, "x.reshape(2)": lambda y: y.reshape(2),
}  # fmt: skip


@pytest.mark.parametrize("what", VANISHING)
def test_a_rule_is_in_a_line_of_its_operator(what):
    """What vanishes has no line, and none is said."""
    x = Tensor(np.array([1.0, 2.0]))
    loss = (VANISHING[what](x.tanh()) * x).exp().sum()
    text = str(program({"loss": loss, "slope": gradients(loss, [x])[0]}, {"x": x}))
    made_by = dict(re.findall(r"^ +(\w+) = (.*)$", text, re.MULTILINE))
    for operator_name, line in re.findall(r"rule . of (\w+) in (\w+)", text):
        assert WRITTEN[operator_name] in f"= {made_by[line]}"
    near(program({"loss": loss}, {"x": x})(x.data), loss.data)


def test_a_long_text_has_sections():
    """What a layer computes is the way forward, then comes the loss, and what rules make is the way backward."""
    model = lenet()

    def step(images, labels, rate):
        scores = model(images)
        scores.name = "scores"
        loss = mt.cross_entropy(scores, labels)
        loss.name = "loss"
        new = [w - rate * g for w, g in zip(model.parameters(), gradients(loss, model.parameters()), strict=True)]
        for (name, _), t in zip(model.named_parameters(), new, strict=True):
            t.name = f"new {name}"
        return [loss, *new]

    text = str(compiled(step).program(np.ones((2, 1, 32, 32), np.float32), np.array([1, 2]), np.float32(0.1)))
    sections = [part.splitlines() for part in re.split("\n    # ", text)[1:]]
    parts = {title: [line.strip() for line in part if " = " in line] for title, *part in sections}
    assert list(parts) == ["forward", "loss", "backward: d_x is the derivative of loss by x", "update"]
    assert parts["forward"][-1].startswith("scores = ") and parts["loss"][-1].startswith("loss = ")
    assert "log_softmax" in parts["loss"][0]
    assert "new_C3_weight = C3_weight - rate * d_C3_weight " in "".join(parts["update"])
    for title, part in parts.items():
        for line in part:
            assert ("rule " in line) == title.startswith("backward"), line
    assert len(text.splitlines()) < 70


def test_a_product_stands_where_it_is_added_unless_it_has_a_name():
    """As a dense layer is written; what a rule makes, or somebody has named, has a line of its own."""
    x, w, b = Tensor(np.ones((4, 3))), Tensor(np.ones((3, 2))), Tensor(np.ones(2))
    inputs = {"x": x, "w": w, "b": b}
    product = x @ w
    assert lines(program({"y": product + b}, inputs)) == ["y = x @ w + b", "return y"]
    assert lines(program({"y": product + b, "product": product}, inputs))[0] == "product = x @ w"
    product.name = "hidden"
    assert lines(program({"y": product + b}, inputs)) == ["hidden = x @ w", "y = hidden + b", "return y"]


def test_names_are_those_of_inputs_outputs_and_tensors():
    """Also where Python could not read them, and where a name is there twice."""
    x, w = Tensor([1.0]), Tensor([2.0])
    h = x * w
    h.name = "hidden.unit"
    made = program({"lambda": h + 1, "x": h * h}, {"x": x, "C1.weight": w})
    assert str(made).startswith("def program(x, C1_weight):")
    assert lines(made) == [
        "hidden_unit = x * C1_weight", "lambda_ = hidden_unit + 1", "x_2 = hidden_unit * hidden_unit",
        "return lambda_, x_2",
    ]  # fmt: skip
    same(executed(made)(C1_weight=np.array([2.0]), x=np.array([1.0]))[1], np.array([4.0]))


@given(st.lists(st.text(max_size=3) | st.sampled_from(["ﬁ", "fi", "ª", "a", "x₁", "__debug__", "৴"]), unique=True))
def test_any_text_is_a_name(names):
    """Each is one that Python reads, and none is another's."""
    x, y = Tensor([1.0]), Tensor([2.0])
    outputs = {name: x * float(i + 2) for i, name in enumerate(names)} | {"last": x * y}
    found = executed(program(outputs, {"x": x, "№": y}))(np.array([3.0]), np.array([5.0]))
    for expected, array in zip(
        [3.0 * (i + 2) for i in range(len(names))] + [15.0], [*np.atleast_2d(found)], strict=True
    ):
        same(array, np.array([expected]))


@pytest.mark.parametrize("name", ["t1", "t2", "t3", "y"])
def test_an_output_has_its_name_and_no_other_value_takes_it(name):
    x = Tensor([1.0, 2.0])
    made = program({name: mt.tanh(x * 2 + 1) + x, "other": mt.exp(x) * mt.exp(-x * x)}, {"x": x})
    assert (
        lines(made)[-1] == f"return {name}, other" and sum(line.startswith(f"{name} = ") for line in lines(made)) == 1
    )


@given(rngs)
def test_the_text_of_a_network_is_complete(rng):
    """A training step of a convolutional network, executed from its text alone."""
    model, images, labels = lenet().astype(np.float64), Tensor(rng.normal(size=(2, 1, 32, 32))), rng.integers(0, 10, 2)
    loss = mt.cross_entropy(model(images), labels)
    named = dict(model.named_parameters())
    slopes = {f"d_{name}": slope for name, slope in zip(named, gradients(loss, named.values()), strict=True)}
    made = program({"loss": loss, **slopes}, {"images": images, **named})
    assert "minitensor" not in made.source
    found = executed(made)(images.data, *[w.data for w in named.values()])
    for a, b in zip(found, [loss, *slopes.values()], strict=True):
        near(a, b.data)


def test_what_a_reader_adds_is_printed_too():
    """An operator from outside, with a helper of its own."""

    @primitive
    def cubed(x, *, times=1):
        return times_three(x) * times

    cubed.defvjp(lambda g, out, x, *, times: g * 3 * times * x * x)
    x = Tensor([1.0, 2.0])
    made = program({"y": cubed(x, times=2)}, {"x": x})
    same(executed(made)(x.data), made(x.data))
    same(made(x.data), np.array([2.0, 16.0]))


def times_three(x):
    return x * x * x


LIMIT, FAR = 2.0, np.inf


def bent(x: np.ndarray, *, by: float = 1.0) -> np.ndarray:
    """With all that a definition may have: types, settings with defaults, names from outside, an empty subscript."""
    limits: list[float] = [-LIMIT, LIMIT]
    whole = reduce(np.add, [np.clip(x[...], *limits), np.full_like(x, math.floor(by))])
    return _held(np.minimum(whole, FAR))


def _held(x):
    return np.maximum(x, -LIMIT - 1)


def turned(x):
    return x[::-1]


def quiet(x):
    with np.errstate(all="ignore"):
        return np.log(np.abs(x))


def shifted(x, up=1):
    return x + up


def doubling(function):
    @wraps(function)
    def twice(x):
        return function(x) * 2

    return twice


@doubling
def decorated(x):
    return x + 1


def with_a_lambda(x, y):
    return (lambda x: x * 2)(y) + x


def with_a_walrus(x, y):
    return (x := y) + x


def with_a_comprehension(x, y):
    return sum([x * 2 for x in (y, x)])


def scaled(x, *, k):
    return x * np.power(10, -k)


def scaled_longer(x, *, k):
    """The same, called by its name."""
    power = np.power(10, -k)
    return x * power


def kind_of(x, *, k):
    return x + len(type(k).__name__)


def prod(x):
    return x + 1


def with_a_name_of_pythons(x):
    return prod(x) * math_prod((2, 3)) + _half(x) * abs(_sum(x))


def _sum(x):
    return x + 2


def _half(x):
    return x / 2


def with_a_local_name(x):
    half = _half(x)
    return half + _half(half)


UP = 1.0


def with_a_default(x, up=UP, *, down=-UP / 2):
    up = x + up
    return up + down


UP = 5.0


def naïve(Δx, *, 新=1):
    """Δ, with types: ε."""
    δ: float = 2.0
    return _half(Δx) * δ + len("é  # noqa: E501") + 新


def with_its_dtype(x):
    return x * x.dtype.type(2) + x.dtype.itemsize + np.zeros(3, x.dtype) + np.ones(3, dtype=x.dtype)


def adding_the_sign_of(zero):
    def added(x):
        return x + np.copysign(1.0, zero)

    return added


PLUS, MINUS = adding_the_sign_of(0.0), adding_the_sign_of(-0.0)


def with_equal_constants(x):
    return PLUS(x) * MINUS(x)


def with_several_defaults(x, parts=(2.0, 1.0)):
    return x * parts[0] + parts[1]


def rounded_up(x):
    return x + math.ceil(1.5)


def with_a_module_twice(x):
    return rounded_up(x) * math.floor(2.5)


OWN = {
    "several numbers as a default": (primitive(with_several_defaults), lambda x: x * 2 + 1),
    "a module twice": (primitive(with_a_module_twice), lambda x: (x + 2) * 2),
    "bent": (primitive(bent), lambda x: np.clip(x, -2, 2) + 1),
    "a default": (primitive(shifted), lambda x: x + 1),
    "a subscript": (primitive(turned), lambda x: x[::-1]),
    "a block": (primitive(quiet), lambda x: np.log(np.abs(x))),
    "NumPy's": (primitive(np.cbrt), np.cbrt),
    "a builtin": (primitive(abs), np.abs),
    "Python's": (primitive(math.fsum), math.fsum),
    "names of Python's": (primitive(with_a_name_of_pythons), lambda x: (x + 1) * 6 + x / 2 * np.abs(x + 2)),
    "a local name": (primitive(with_a_local_name), lambda x: x / 2 + x / 4),
    "a default that has changed": (primitive(with_a_default), lambda x: x + 1 - 0.5),
    "letters of the world": (primitive(naïve), lambda x: x / 2 * 2.0 + 16),
    "its dtype": (primitive(with_its_dtype), lambda x: x * 2 + 9),
    "equal constants": (primitive(with_equal_constants), lambda x: (x + 1) * (x - 1)),
    "decorated": (primitive(decorated), lambda x: (x + 1) * 2),
    "a lambda within": (partial(primitive(with_a_lambda), np.ones(3)), lambda x: 2 * x + 1),
    "a walrus": (partial(primitive(with_a_walrus), np.ones(3)), lambda x: 2 * x),
    "a comprehension": (partial(primitive(with_a_comprehension), np.ones(3)), lambda x: 2 * x + 2),
}


@pytest.mark.parametrize("what", OWN)
def test_functions_of_a_reader_are_printed_with_what_they_call(what):
    """Also where they are NumPy's or Python's own."""
    function, expected = OWN[what]
    x = Tensor(np.array([0.5, -3.0, 9.0]))
    made = program({"y": function(x)}, {"x": x})
    same(made(x.data), np.asarray(expected(x.data)))
    same(np.asarray(executed(made)(x.data)), np.asarray(expected(x.data)))


TABLE, DOUBLED = np.arange(3.0), primitive(times_three)


def with_a_table(x):
    return x + TABLE


def with_an_operator(x):
    return DOUBLED.function(DOUBLED(x).data)


def with_the_tests(x):
    return strategies.whole(np.random.default_rng(0), [x.shape])[0]


def with_a_function(x, *, f):
    return f(x)


def with_an_object(x):
    return MAKER(x)


def with_a_partial(x):
    return PARTIAL(x)


PARTIAL = partial(times_three)


class Maker:
    def __call__(self, x):
        return x


MAKER = Maker()
UNPRINTABLE = {
    "a partial function": (with_a_partial, {}, "no function that Python has the text of"),
    "a kind of number": (kind_of, {"k": IntEnum("Side", "LEFT").LEFT}, "the setting <Side.LEFT: 1> cannot be printed"),
    "a table": (with_a_table, {}, "make TABLE a setting"),
    "an operator": (with_an_operator, {}, "calls the operator times_three on arrays"),
    "a module": (with_the_tests, {}, "make strategies a setting"),
    "a function": (with_a_function, {"f": np.tanh}, "the setting <ufunc 'tanh'> cannot be printed"),
    "an object": (with_an_object, {}, "no function that Python has the text of"),
    "a lambda": (lambda x: times_three(x), {}, "write it with def"),
}


@pytest.mark.parametrize("function", [scaled, scaled_longer, kind_of])
@pytest.mark.parametrize(
    "k", [2.0, -0.0, np.nan, -np.inf, np.float64(2.0), np.float32(0.1), np.float64(-np.inf)], ids=repr
)
def test_a_number_that_is_a_setting_keeps_its_kind(function, k):
    """A float stays one, and NumPy's stay NumPy's."""
    x = Tensor(np.array([0.5, 2.0]))
    with np.errstate(all="ignore"):
        y = primitive(function)(x, k=k)
        made = program({"y": y}, {"x": x})
        same(made(x.data), y)
        same(np.asarray(executed(made)(x.data)), y)


@pytest.mark.parametrize("key", [np.zeros((0, 3), int), np.zeros((0, 3), bool), np.zeros((2, 0, 1), int)], ids=repr)
def test_constants_without_elements_keep_their_shape(key):
    """As an index does."""
    x = Tensor(np.zeros((0, 3)) if key.dtype == bool else np.arange(3.0))
    made = program({"y": x[key]}, {"x": x})
    same(executed(made)(x.data), x[key])


@pytest.mark.parametrize("name", ["len", "abs", "prod", "math", "_half", "half", "np", "slice", "float"])
@pytest.mark.parametrize("what", OWN)
def test_an_input_may_have_any_name(what, name):
    """Also that of something that the text calls."""
    function, expected = OWN[what]
    x = Tensor(np.array([0.5, -3.0, 9.0]))
    made = program({"y": function(x)}, {name: x})
    same(np.asarray(executed(made)(x.data)), np.asarray(expected(x.data)))


@pytest.mark.parametrize("what", UNPRINTABLE)
def test_what_has_no_text_is_refused_and_runs_all_the_same(what):
    """With what stands in the way."""
    function, settings, why = UNPRINTABLE[what]
    x = Tensor(np.ones(3))
    y = primitive(function)(x, **settings)
    made = program({"y": y}, {"x": x})
    same(made(x.data), y)
    with raises(ValueError, why):
        _ = made.source


def test_a_mask_is_no_list_of_places():
    """Though False and True equal 0 and 1, and these are the numbers of the first rows."""
    x = Tensor(np.array([2.0, 3.0]))
    for key in (np.array([False, True]), np.array([0, 1])):
        made = program({"y": x[key]}, {"x": x})
        same(made(x.data), x.data[key])
        same(executed(made)(x.data), x.data[key])


@pytest.mark.parametrize(
    "key", [np.s_[1:], np.s_[:1], np.s_[::2], np.s_[1::2], np.s_[:], np.s_[:2, None, 1:]], ids=repr
)
def test_a_slice_is_written_as_it_is(key):
    """Between brackets, and as a setting of what puts the gradient back."""
    x = Tensor(np.arange(9.0).reshape(3, 3))
    slope = gradients((x[key] ** 2).sum(), [x])[0]
    made = program({"slope": slope}, {"x": x})
    same(executed(made)(x.data), slope)


def test_operators_that_return_no_floats_do_so_in_a_program():
    """What the engine turns into floats, a program does too."""
    is_large, count = primitive(lambda x: x > 1), primitive(lambda x: int(x.size))
    x = Tensor(np.array([0.5, 2.0], np.float32))
    made = program({"a": is_large(x), "b": mt.isnan(x), "c": count(x)}, {"x": x})
    for found, expected in zip(made(x.data), [[0, 1], [0, 0], 2], strict=True):
        same(found, np.array(expected, np.float32))


@given(dtypes)
def test_nobody_elses_memory_is_handed_out(dtype):
    """Outputs that are views of inputs, of constants or of each other are copies; inputs stay what they were."""
    x = Tensor(np.arange(6, dtype=dtype).reshape(2, 3))
    y = x * 2
    constant = Tensor(np.arange(3, dtype=dtype))
    outputs = {
        "a": x,
        "b": x.T,
        "c": x[0],
        "d": y,
        "e": y.reshape(6),
        "f": constant,
        "g": y,
        "h": mt.broadcast_to(y, 2, 2, 3),
        "i": mt.einsum("ij->ji", x),
        "j": mt.max_pool1d(x.reshape(1, 2, 3), 1),
    }
    made = program(outputs, {"x": x})
    array = x.data.copy()
    results = made(array)
    for _ in range(2):
        for i, result in enumerate(results):
            same(result, list(outputs.values())[i])
        for result in results:
            result += 1
        same(array, x)
        results = made(array)


def test_a_program_is_for_its_shapes_and_dtypes():
    """Other arrays are refused, with their shape or dtype; so is another number of them."""
    x = Tensor(np.ones(3, np.float32))
    made = program({"y": x * 2}, {"x": x})
    with raises(ValueError, "x has shape (2,)", "(3,)"):
        made(np.ones(2, np.float32))
    with raises(TypeError, "float64", "float32"):
        made(np.ones(3))
    for arrays, named in (((), {}), ((1, 2), {}), ((1,), {"x": 1}), ((), {"z": 1})):
        with raises(TypeError, "takes x"):
            made(*arrays, **named)
    same(made(x=[1, 2, 3]), np.array([2, 4, 6], np.float32))


def test_what_is_no_recipe_is_refused():
    """Outputs and inputs are Tensors by name."""
    x = Tensor(1.0)
    for outputs, inputs in (({"y": 1.0}, {}), ({"y": x}, {"x": np.ones(1)}), ([x], {}), ({1: x}, {})):
        with pytest.raises(TypeError):
            program(outputs, inputs)
    for outputs, inputs in (({}, {"x": x}), ({"y": x}, {"a": x, "b": x})):
        with pytest.raises(ValueError):
            program(outputs, inputs)


@pytest.mark.parametrize("n", [10, 1000])
def test_a_long_chain_is_a_long_text(n):
    """One line an operator, at any length."""
    x = y = Tensor(1.0)
    for _ in range(n):
        y = y.tanh()
    made = program({"y": y}, {"x": x})
    assert len(lines(made)) == n + 1
    same(made(1.0), y)


@given(st.integers(0, 9))
def test_what_is_turned_round_twice_is_not_written(n):
    """And once where it is turned round an odd number of times."""
    x = y = Tensor([1.0, -2.0])
    for _ in range(n):
        y = -y
    made = program({"y": y * x}, {"x": x})
    assert sum("-" in line for line in lines(made)) == n % 2
    same(made(x.data), (y * x).data)


def test_of_a_very_long_recipe_the_lines_are_written_but_not_their_rules(monkeypatch):
    x = Tensor(0.5)
    y = x.tanh().exp() * x
    outputs, inputs = {"y": y, "slope": gradients(y, [x])[0]}, {"x": x}
    long = str(program(outputs, inputs))
    monkeypatch.setattr(origins, "LONG", 2)
    made = program(outputs, inputs)
    assert "rule" in long and "rule" not in str(made)
    near(made(0.5)[1], outputs["slope"].data)


# -- compiled ----------------------------------------------------------------------------------------------------------


def test_a_new_shape_dtype_or_order_of_memory_is_a_new_program():
    """And the same ones are not."""
    calls = []

    def f(x):
        calls.append(x.shape)
        return x * 2

    fast = compiled(f)
    for x in (np.ones((2, 3)), np.ones((3, 2)), np.ones((2, 3), np.float32), np.asfortranarray(np.ones((2, 3)))):
        for _ in range(3):
            same(fast(x), 2 * x)
    assert len(calls) == 8  # twice for each


def test_too_many_programs_are_an_error():
    """With what was handed in, and what to do about it."""
    fast = compiled(lambda x: x + 1)
    with raises(CannotCompile, "traced 64 times", "(65,)", "without `compiled`"):
        for n in range(1, 100):
            fast(np.ones(n))


@given(st.data(), st.integers(1, 5), st.integers(1, 4), rngs)
def test_labels_are_arguments(data, n, classes, rng):
    """Also where they equal the numbers of the rows, or each other, when the function is traced."""
    labels = st.lists(st.integers(0, classes - 1), min_size=n, max_size=n).map(np.array)
    first = np.minimum(np.arange(n), classes - 1) if data.draw(st.booleans()) else data.draw(labels)
    fast = compiled(lambda x, labels: mt.cross_entropy(x, labels))
    for chosen in (first, data.draw(labels), data.draw(labels)):
        x = rng.normal(size=(n, classes))
        near(fast(x, chosen), mt.cross_entropy(x, chosen).data)
    for wrong in (-1, classes):
        with raises(IndexError, f"from 0 to {classes - 1}", wrong):
            fast(x, np.full(n, wrong))


@given(st.integers(1, 5), st.integers(1, 4), rngs)
def test_losses_with_weights_and_soft_labels_are_compiled(n, classes, rng):
    """What they check is checked by the program too."""
    weight = rng.uniform(0.5, 2, classes)
    fast = compiled(lambda x, labels: mt.cross_entropy(x, labels, weight=weight))
    soft = compiled(lambda x, labels: [mt.cross_entropy(x, labels), mt.cross_entropy(x, labels, weight=weight)])
    for _ in range(3):
        x, labels = rng.normal(size=(n, classes)), rng.integers(0, classes, n)
        near(fast(x, labels), mt.cross_entropy(x, labels, weight=weight).data)
        likely = rng.dirichlet(np.ones(classes), n)
        for found, expected in zip(soft(x, likely), soft.function(x, Tensor(likely)), strict=True):
            near(found, expected.data)
    with raises(ValueError, "add up to 1"):
        soft(x, likely + 0.1)


@given(dtypes, rngs)
def test_a_clip_between_tensors_is_compiled(dtype, rng):
    """And its limits are compared at each call."""
    fast = compiled(lambda x, low, high: [y := mt.clip(x, low, high), *gradients(y, [x, low, high])])
    for _ in range(3):
        x, low = rng.normal(size=(2, 5, 4)).astype(dtype)
        high = low + rng.uniform(0, 1, low.shape).astype(dtype)
        for found, expected in zip(fast(x, low, high), fast.function(*map(Tensor, (x, low, high))), strict=True):
            same(found, expected)
    with raises(ValueError, "must not exceed high"):
        fast(x, high + 1, low)


PRODUCTS = {
    "a convolution": (lambda x, w: mt.conv2d(x, w), True), "transposed": (lambda x, w: mt.conv_transpose2d(x, w), True),
    "a short one": (lambda x, w: mt.conv2d(x, w[:, :, :3]), False), "a matrix": (lambda x, w: w @ w, False),
}  # fmt: skip


@pytest.mark.parametrize("what", PRODUCTS)
def test_long_convolutions_share_the_cores_and_other_products_are_left_to_blas(what):
    """Whatever is set: while such a program runs, BLAS keeps to one thread, and afterwards all is as before."""
    product, is_ours = PRODUCTS[what]
    threads, seen = [4], []

    @primitive
    def look(x):
        seen.append((threads[0], cores._cores))
        return x + 0

    look.defvjp(lambda g, out, x: g)
    with blas_with(threads), on(None), all_of(3):
        fast = compiled(lambda x, w: look(product(x, w)))
        for _ in range(2):
            fast(np.ones((1, 1, 100, 100)), np.ones((1, 1, 30, 30)))
            assert seen[-1] == ((1, 3) if is_ours else (4, None))
            assert (threads, cores._cores) == ([4], None)


PAIRS = primitive(lambda x: np.lib.stride_tricks.sliding_window_view(x, 2))
RETURNS = {
    "as it is": lambda x: x, "repeated": lambda x: mt.broadcast_to(x * 2, 2, *x.shape),
    "a part": lambda x: mt.broadcast_to(x * 2, 2, *x.shape)[0].T, "a constant": lambda x: Tensor(np.ones(3)),
    "windows": lambda x: PAIRS(x.reshape(6) * 2),
}  # fmt: skip


@pytest.mark.parametrize("what", RETURNS)
@pytest.mark.parametrize("dtype", ["<f8", ">f8", "<f4", ">f4"])
def test_what_is_returned_can_be_written_to(what, dtype):
    """It is the caller's alone, in the order of bytes that the machine has, whatever was handed in."""
    x = np.arange(6, dtype=dtype).reshape(2, 3)
    fast = compiled(RETURNS[what])
    expected = RETURNS[what](Tensor(x)).data.copy()
    for _ in range(2):
        result = fast(x)
        same(result, expected)
        assert result.dtype.isnative and not np.shares_memory(result, x)
        result[0] = 7
        assert (result[1:] == expected[1:]).all() and (x == np.arange(6).reshape(2, 3)).all()


def test_python_numbers_are_arrays_without_axes():
    """Of floats they reach the function as Tensors."""
    fast = compiled(lambda x, y: x * y + x)
    same(fast(2.0, 3.0), np.array(8.0))
    same(fast(4.0, 3.0), np.array(16.0))


OUTSIDE = Tensor(2.0)


class Holder(Module):
    def __init__(self):
        self.weight = Tensor([2.0, 3.0])
        self.layers = [Dense(2, 2)]

    def forward(self, x):
        return self.layers[0](x * self.weight)


def caught(f):
    try:
        return f()
    except ValueError:
        return 4.0


REFUSED = {
    "if": (lambda x: x if x > 0 else -x, "looked at"),
    "float": (lambda x: x * float(x), "looked at"),
    "an if whose error is caught": (lambda x: x * caught(lambda: 2.0 if x > 0 else 3.0), "looked at"),
    "item": (lambda x: x * x.item(), "looked at"),
    "data": (lambda x: x * x.data, "looked at"),
    "NumPy": (lambda x: x * np.asarray(x), "looked at"),
    "detach": (lambda x: x * x.detach(), "detached"),
    "no_grad": (mt.no_grad()(lambda x: x * x), "recipe"),
    "outside": (lambda x: x * OUTSIDE, "OUTSIDE"),
    "ignored labels": (
        lambda x: mt.cross_entropy(x.reshape(1, 1), [0], ignore_index=1),
        "depends on labels: leave rows out",
    ),
    "only these": (lambda x: x if (x.inputs or x._value == 2) else [][0], "refuses other data"),
    "rng": (lambda x: mt.dropout(x, 0.5, np.random.default_rng()), "generator"),
}


DEPENDS = {  # on whole numbers, which the function may look at
    "more": (lambda x, n: x * x if n[0] > 2 else x, "values, and not"),
    "another operator": (lambda x, n: x.tanh() if n[0] > 2 else x.exp(), "stands there"),
    "another shape": (lambda x, n: x.sum(axis=0 if n[0] > 2 else 1), "its axis is"),
    "other inputs": (lambda x, n: [y := x * 2, z := x * 3, y / z if n[0] > 2 else z / y], "other inputs"),
    "other outputs": (lambda x, n: [x * 2, x * 3][:: 1 if n[0] > 2 else -1], "its outputs are others"),
    "a setting": (lambda x, n: x ** int(n[0]), "its exponent is"),
    "an index": (lambda x, n: x[n - 1], "worked out by NumPy"),
    "a look": (lambda x, n: x * x if n[0] > 2 else x * x.data, "looked at"),
    "a part of it": (lambda x, n: x[n[:1] - 1], "worked out by NumPy"),
    "one number": (lambda x, n: x[n] if n[0] == 2 else [][0], "Begin with other"),
}


@pytest.mark.parametrize("what", DEPENDS)
def test_a_recipe_that_depends_on_whole_numbers_is_refused(what):
    """Unless they come back as an index as they are."""
    f, why = DEPENDS[what]
    with raises(ValueError, "cannot be compiled", why):
        compiled(f)(np.ones((3, 3)), np.array([3, 1]) if what != "one number" else np.array([2, 2]))


@pytest.mark.parametrize("key", [
    lambda n: (n,), lambda n: (..., n), lambda n: (slice(None), n), lambda n: (None, 1, n), lambda n: (n, ..., None),
    lambda n: (np.array([True, True, True]), n), lambda n: (np.eye(3, 4) > 0, n), lambda n: ([0, 1, 2], n, 0),
])  # fmt: skip
def test_whole_numbers_are_an_index_of_any_axis(key):
    """And what is out of range on it is an error that the engine has."""
    fast = compiled(lambda x, n: x[key(n)])
    x = np.arange(60.0).reshape(3, 4, 5)
    for n in ([0, 1, 2], [2, 1, 0], [1, 1, 2]):
        same(fast(x, n), x[key(np.array(n))])
    with pytest.raises(IndexError):
        fast(x, [5, 5, 5])


LOOKS = {  # with the numbers whose neighbour has another recipe, so that they may be refused
    "if": (lambda x, n: x * 2 if n > 5 else x * 3, {6}),
    "an index, too": (lambda x, n: x[n] * 2 if n == 2 else x[n] * 3, {2, 3}),
    "a number": (lambda x, n: x * max(int(n), 9), set()),
    "all of them": (lambda x, n: x * 2 if n.any() else x * 3, {0, 1}),
    "a mask": (lambda x, n: x * 2 if (n == 0).any() else x * 3, {0, 1}),
    "two": (lambda x, n: x * 3 if n > 5 else x * 2 if n == 0 else x, {0, 1, 6}),
}


@pytest.mark.parametrize("what", LOOKS)
@given(st.lists(st.integers(0, 8), min_size=1, max_size=9), rngs)
def test_whole_numbers_that_are_looked_at_belong_to_the_program(what, numbers, rng):
    """Each call is right, whatever numbers the function has been traced with; or it is refused, at a border alone."""
    f, borders = LOOKS[what]
    fast, x = compiled(f), rng.normal(size=9)
    for n in numbers:
        try:
            found = fast(x, n)
        except CannotCompile:
            assert n in borders
            continue
        same(found, f(Tensor(x), np.array(n)))


MAPPED = {
    "modulo": lambda x, n: x[n % 3],
    "at most": lambda x, n: x[np.minimum(n, 3)],
    "a table": lambda x, n: x[np.array([0, 1, 2, 4, 3])[n]],
    "a look": lambda x, n: x[n] if n.max() < 4 else x[n] * 2,
    "back to the first": lambda x, n: x[np.where(n.max() == 4, [0, 1, 2], n)],
}


@pytest.mark.parametrize("what", MAPPED)
def test_what_merely_equals_the_labels_is_refused(what):
    """As a map that leaves alone all numbers that the function is traced with."""
    with raises(CannotCompile, "other data"):
        compiled(MAPPED[what])(np.arange(5.0), np.array([0, 1, 2]))


def test_of_several_labels_each_stays_where_it_belongs():
    """Also where they are equal, and where there are none."""
    fast = compiled(lambda x, i, j: x[i, j])
    x = np.arange(12.0).reshape(3, 4)
    for i, j in (([0, 1], [0, 2]), ([2, 0], [3, 1]), ([1, 1], [2, 0])):
        same(fast(x, i, j), x[i, j])
    none = np.zeros((0,), int)
    same(fast(x, none, none), x[none, none])


def test_masks_are_arguments_where_they_change_no_shape():
    """Boolean arrays are told apart as other whole numbers are."""
    fast = compiled(lambda x, mask: x[mask])
    with raises(ValueError, "cannot be compiled"):
        fast(np.ones(3), np.array([True, False, False]))


@pytest.mark.parametrize("what", REFUSED)
def test_a_recipe_that_depends_on_data_is_refused(what):
    """With the line, or with what differs."""
    f, why = REFUSED[what]
    with raises(ValueError, "cannot be compiled", why):
        compiled(f)(2.0)


def test_the_line_of_a_python_if_is_named():
    """The last one outside of the engine."""
    with raises(ValueError, "test_program.py", "x if x > 0 else -x"):
        compiled(REFUSED["if"][0])(2.0)


@pytest.mark.parametrize("result", [1.0, np.ones(2), (), None, [1.0]])
def test_what_is_compiled_returns_tensors(result):
    """Anything else is a TypeError."""
    with raises(TypeError, "returns a Tensor"):
        compiled(lambda x: result)(1.0)


@given(rngs)
def test_parameters_are_read_anew_at_each_call(rng):
    """Also those in lists; a layer that is exchanged, a setting that is changed and another mode are seen."""
    model = Holder()
    fast = compiled(lambda x: model(x))
    x = rng.normal(size=(3, 2))
    near(fast(x), model(x).data)
    for _ in range(3):
        model.replace({w: Tensor(rng.normal(size=w.shape).astype(w.dtype)) for w in model.parameters()})
        near(fast(x), model(x).data)
    model.layers[0] = Sequential(Dense(2, 3), ReLU())
    near(fast(x), model(x).data)


class Setting(Module):
    def __init__(self, value):
        self.value = value

    def forward(self, x):
        return x * len(repr(vars(self)))


@pytest.mark.parametrize("before, after", [(1, True), (1, 1.0), (0.0, -0.0), ("1", 1)], ids=repr)
def test_a_setting_of_another_kind_is_another_one(before, after):
    """Though Python says that they are equal; and one with another name is another one too."""
    model = Setting(before)
    fast = compiled(model)
    for _ in range(2):
        same(fast(1.0), model(Tensor(1.0)))
        model.value = after
    del model.value
    model.other_value = after
    same(fast(1.0), model(Tensor(1.0)))


def test_what_is_not_a_number_stays_the_same():
    fast = compiled(Setting(np.nan))
    for _ in range(3):
        fast.function.value = float("nan")
        fast(1.0)
    assert len(fast.programs) == 1


def test_what_layers_share_is_one_parameter():
    """A layer that is there twice, and a Tensor in two layers; wherever the function keeps them."""
    first, second = Dense(2, 2), Dense(2, 2)
    second.replace({second.weight: first.weight})
    model = Sequential(first, ReLU(), second, first)

    def f(x, model=model):
        return model(x)

    x = np.ones((1, 2))
    fast = compiled(f)
    for _ in range(2):
        near(fast(x), model(x).data)
        model.replace({w: Tensor(w.data + 1, dtype=w.dtype) for w in model.parameters()})
    assert next(iter(fast.programs.values())).program.inputs == ("x", "0.weight", "0.bias", "2.bias")


def test_functions_without_a_signature_are_compiled():
    """Their arguments get names of their own."""
    made = compiled(operator.itemgetter(0)).program(np.ones(3))
    assert made.inputs == ("x1",)


def test_a_name_that_stands_for_something_else_is_seen():
    """A Module or a number that a function reads by name is looked up again."""
    model, factor = Dense(2, 2), 2.0
    fast = compiled(lambda x: model(x) * factor)
    x = np.ones((1, 2))
    near(fast(x), model(x).data * 2)
    model, factor = Dense(2, 3), 3.0
    near(fast(x), model(x).data * 3)


LIST, DICT, ARRAY, NUMBER = [1.0], {"factor": 1.0}, np.ones(3), np.array(1.0)
FACTOR, MODELS, BY_NAME = 1.0, [Dense(3, 3)], {"model": Dense(3, 3)}
BESIDE, SPACE, VARIABLE = ModuleType("beside"), SimpleNamespace(factor=1.0), ContextVar("factor", default=1.0)
BESIDE.factor = 1.0


class Scale:
    factor = 1.0

    def __init__(self):
        self.own = 1.0

    def __call__(self, x):
        return x * self.own

    def by_all(self, x):
        return x * self.factor


class Scaling(Module):
    factor = 1.0

    def __init__(self):
        self.space = SimpleNamespace(factor=1.0)

    def forward(self, x):
        return x * self.factor * self.space.factor * FACTOR


def doubled(x, by=2.0, among=[1.0]):  # noqa: B006
    return x * by * among[0]


def tripled(x):
    return x * 3


@lru_cache
def kept():
    return FACTOR


def set_global(value):
    globals()["FACTOR"] = value


def set_items(place, *values):
    place[:] = values


@dataclass(slots=True)
class Slots:
    factor: float = 1.0
    n: int = 0


class MoreSlots(Slots):
    __slots__ = "__own"

    def __call__(self, x):
        return x * self.__own

    def set_own(self, value):
        self.__own = value


SCALE, SCALING, SLOTS, MORE_SLOTS, DEQUE = Scale(), Scaling(), Slots(), MoreSlots(), deque([1.0])
CHANGES = {  # what a function reads, and how that becomes another number
    "a list": (lambda x: x * LIST[0], lambda n: set_items(LIST, n)),
    "a dict": (lambda x: x * DICT["factor"], lambda n: DICT.update(factor=n)),
    "an array, written to": (lambda x: x * ARRAY, lambda n: ARRAY.fill(n)),
    "an array without axes": (lambda x: x * NUMBER, lambda n: NUMBER.fill(n)),
    "a global": (lambda x: x * FACTOR, set_global),
    "a global, in a helper": (lambda x: x * kept.__wrapped__(), set_global),
    "an object": (lambda x: x * SPACE.factor, lambda n: setattr(SPACE, "factor", n)),
    "an object with slots": (lambda x: x * SLOTS.factor, lambda n: setattr(SLOTS, "factor", n)),
    "a slot that is inherited": (lambda x: x * MORE_SLOTS.factor, lambda n: setattr(MORE_SLOTS, "factor", n)),
    "a private slot, empty at first": (MORE_SLOTS, MORE_SLOTS.set_own),
    "a deque": (lambda x: x * DEQUE[0], lambda n: DEQUE.__setitem__(0, n)),
    "an attribute by its name": (lambda x: x * getattr(SPACE, "factor"), lambda n: setattr(SPACE, "factor", n)),  # noqa: B009
    "a class": (lambda x: x * Scale.factor, lambda n: setattr(Scale, "factor", n)),
    "a module": (lambda x: x * BESIDE.factor, lambda n: setattr(BESIDE, "factor", n)),
    "what is called": (SCALE, lambda n: setattr(SCALE, "own", n)),
    "the class of a method": (SCALE.by_all, lambda n: setattr(Scale, "factor", n)),
    "a default": (doubled, lambda n: setattr(doubled, "__defaults__", (n, [1.0]))),
    "in a default": (doubled, lambda n: set_items(doubled.__defaults__[1], n)),
    "the code": (doubled, lambda n: setattr(doubled, "__code__", (doubled if n % 2 else tripled).__code__)),
    "an argument kept": (partial(lambda by, x: x * by[0], LIST), lambda n: set_items(LIST, n)),
    "a context": (lambda x: x * VARIABLE.get(), VARIABLE.set),
    "what is kept": (lambda x: x * kept(), lambda n: (set_global(n), kept.cache_clear())),
    "a Module in a list": (lambda x: MODELS[0](x), lambda n: set_items(MODELS, Dense(3, 3))),
    "a Module in a dict": (lambda x: BY_NAME["model"](x), lambda n: BY_NAME.update(model=Dense(3, 3))),
    "the class of a Module": (SCALING, lambda n: setattr(Scaling, "factor", n)),
    "an object in a Module": (SCALING, lambda n: setattr(SCALING.space, "factor", n)),
    "a global of a Module": (SCALING, set_global),
}  # fmt: skip


@pytest.mark.parametrize("what", CHANGES)
def test_what_a_function_reads_may_change_between_calls(what):
    """Each call is that of the function as it then is; and what was there once is not traced again."""
    f, change = CHANGES[what]
    fast, x = compiled(f), np.arange(3.0, dtype=np.float32)
    for n in (1.0, 2.0, 3.0):
        change(n)
        near(fast(x), np.asarray(f(Tensor(x)).data))
    made = fast._traces
    near(fast(x), np.asarray(f(Tensor(x)).data))
    assert fast._traces == made


def test_what_is_gone_is_an_error_of_the_function(monkeypatch):
    """And no answer of before; once it is there again, it counts."""
    fast = compiled(lambda x: x * GONE)  # noqa: F821
    monkeypatch.setitem(globals(), "GONE", 2.0)
    same(fast(1.0), np.array(2.0))
    monkeypatch.delitem(globals(), "GONE")
    with raises(NameError, "GONE"):
        fast(1.0)
    monkeypatch.setitem(globals(), "GONE", 3.0)
    same(fast(1.0), np.array(3.0))


def counting(look):
    count = 0

    def f(x):
        nonlocal count
        count += 1
        return x * look(count)

    return f


def noting(place, write, look=lambda place: 2.0):
    def f(x):
        write(place)
        return x * look(place)

    return f


class Counter:
    n = 0

    def __call__(self, x):
        self.n += 1
        return 2.0 * x


COUNTING = {
    "a name": lambda: counting(lambda count: 2.0),
    "a list": lambda: noting([0.5, 0], lambda notes: notes.__setitem__(1, notes[1] + 1)),
    "a dict": lambda: noting(
        {"n": 0, "m": 2.0}, lambda notes: notes.update(n=notes["n"] + 1), lambda notes: notes["m"]
    ),
    "an object": lambda: noting(SimpleNamespace(n=0), lambda notes: setattr(notes, "n", notes.n + 1)),
    "an object with slots": lambda: noting(Slots(), lambda notes: setattr(notes, "n", notes.n + 1)),
    "a deque": lambda: noting(deque([0]), lambda notes: notes.__setitem__(0, notes[0] + 1)),
    "an object that begins to": Counter,
    "a class": lambda: noting(type("Counts", (), {"n": 0}), lambda notes: setattr(notes, "n", notes.n + 1)),
}


@pytest.mark.parametrize("what", COUNTING)
def test_a_function_may_count_its_calls(what):
    """It is traced once for each shape, and the count is nothing to its program."""
    f = COUNTING[what]()
    fast = compiled(f)
    for n in (3, 4, 3, 4):
        same(fast(np.ones(n)), np.full(n, 2.0))
        f(Tensor(1.0))
    assert fast._traces == 2


WRITING = {
    "a count that is looked at": counting(lambda count: 1.0 if count < 9 else 2.0),
    "a count that is looked at much later": counting(lambda count: 1.0 if count < 10**6 else 2.0),
    "a count that is used": noting([0.0], lambda notes: notes.__setitem__(0, notes[0] + 1), lambda notes: notes[0]),
    "a text": noting([""], lambda notes: notes.__setitem__(0, notes[0] + "x")),
    "an array": noting(np.zeros(1), lambda notes: notes.__iadd__(1)),
    "an object": noting(SimpleNamespace(n=()), lambda notes: setattr(notes, "n", object())),
    "NumPy's numbers": lambda x: x * (1.0 if np.random.rand() < 2 else 2.0),
    "Python's numbers": lambda x: x * (1.0 if random.random() < 2 else 2.0),
}


@pytest.mark.parametrize("what", WRITING)
def test_a_function_that_changes_what_is_outside_is_refused(what):
    """For a program would not."""
    why = "changes a Module" if "'s numbers" not in what else "draws from np.random or random"
    with raises(CannotCompile, "it is another one" if "count" in what else why):
        compiled(WRITING[what])(1.0)


@pytest.mark.parametrize("kind", [list, deque])
def test_a_function_may_take_notes(kind):
    """What is added to a list, a deque or a dict is not what the recipe depends on."""
    notes, results = kind(), {}

    def f(x):
        notes.append(x.shape)
        return x * results.setdefault("factor", 2.0)

    fast = compiled(f)
    for n in (3, 4, 3, 4):
        same(fast(np.ones(n)), np.full(n, 2.0))
    assert len(notes) == 4 and len(fast.programs) == 2


def test_labels_are_not_written_to():
    """A program would not, so that is refused; the caller's stay what they are."""

    def f(x, n):
        n[0] = 0
        return x[n]

    labels = np.array([1, 2])
    with raises(CannotCompile, "writes to what it was handed"):
        compiled(f)(np.ones(3), labels)
    same(labels, np.array([1, 2]))


IGNORING = {  # whether the numbers are ignored, and whether some may be refused
    "a loss": (lambda x, n: (x * x).sum(), True, False),
    "handed on": (lambda x, n: IGNORING["a loss"][0](x, [n, None]), True, False),
    "beside one that is used": (lambda x, n: x[np.array([2, 0])], True, False),
    "its length": (lambda x, n: x * len(n), False, False),
    "its kind": (lambda x, n: x * 2 if isinstance(n, np.ndarray) else x, False, False),
    "a text": (lambda x, n: x * len(f"{n}"), False, True),
    "a comparison": (lambda x, n: x * 2 if (n == 77).any() else x, False, True),
    "an error caught": (lambda x, n: x * caught(lambda: 2.0 if n.max() > 40 else 4.0), False, True),
}


@pytest.mark.parametrize("what", IGNORING)
@given(st.lists(st.lists(st.integers(0, 80), min_size=2, max_size=2), min_size=2, max_size=4, unique_by=tuple))
def test_labels_that_nobody_looks_at_make_no_new_program(what, labels):
    """And those that are looked at do, so that each call is right."""
    f, is_ignored, may_be_refused = IGNORING[what]
    fast, x = compiled(f), np.arange(3.0)
    for n in labels:
        try:
            same(fast(x, n), f(Tensor(x), np.array(n)))
        except CannotCompile:
            assert may_be_refused
    if is_ignored:
        assert len(fast.programs) == 1


@pytest.mark.parametrize("piece", [1, 2, 7, 100])
def test_a_long_program_is_compiled_in_pieces(monkeypatch, piece):
    """Of so many lines each; what runs is the same."""
    model, images, labels = lenet(), np.ones((2, 1, 32, 32), np.float32), np.array([1, 2])

    def step(images, labels):
        loss = mt.cross_entropy(model(images), labels)
        return [loss, *gradients(loss, model.parameters())]

    expected = compiled(step)(images, labels)
    monkeypatch.setattr(programs, "PIECE", piece)
    fast = compiled(step)
    for _ in range(2):
        for found, array in zip(fast(images, labels), expected, strict=True):
            same(found, array)


def test_dropout_draws_anew_at_each_run():
    """The same numbers as the engine, from the same generator; in use none are drawn."""
    x = np.ones((4, 50))
    rng, before = np.random.default_rng(1), np.random.default_rng(1)
    own = compiled(lambda x: mt.dropout(x, 0.5, rng))
    for _ in range(2):
        same(own(x), mt.dropout(x, 0.5, before))
    models = [Sequential(Dropout(0.5, rng=np.random.default_rng(0)), Flatten()) for _ in range(2)]
    fast = compiled(models[0])
    results = [fast(x) for _ in range(3)]
    for result in results:
        same(result, models[1](x))
    assert (results[0] != results[1]).any()
    models[0].eval()
    same(fast(x), x)
    made = next(iter(fast.programs.values())).program
    assert "rng = np.random.default_rng()" in made.source
    assert (executed(made)(x) != executed(made)(x)).any()


def noise(x, *, rng):
    drawn = [g.normal(size=x.shape) for g in (rng if isinstance(rng, tuple) else (rng,))]
    return x + sum(drawn)


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("constant", [False, True])
def test_operators_of_a_reader_draw_anew_each_time(several, constant):
    """At each place and at each run, also of what does not change, and with a generator among others."""

    def drawing():
        rng, noisy = np.random.default_rng(0), primitive(noise)

        def f(x):
            operand = Tensor(np.ones(3)) if constant else x
            setting = (rng, rng) if several else rng
            return x + noisy(operand, rng=setting) - 2 * noisy(operand, rng=setting)

        return f

    fast, slow = compiled(drawing()), drawing()
    for x in (np.arange(3.0), np.ones(3)):
        same(fast(x), slow(Tensor(x)))


def test_threads_wait_for_the_one_that_traces():
    """A Module that is traced holds Tensors meanwhile, and the others do not see them."""
    fast, together = compiled(BatchNorm1d(2)), Barrier(6)

    def call(n):
        together.wait()
        return [fast(np.ones((n * 6 + i + 2, 2))).shape for i in range(6)]

    with ThreadPoolExecutor(6) as threads:
        assert len([shape for shapes in threads.map(call, range(6)) for shape in shapes]) == 36


def test_a_function_that_changes_a_module_is_refused():
    """But for what it says is moving."""

    class Counting(Module):
        count = 0

        def forward(self, x):
            self.count += 1
            return x * 2

    with raises(ValueError, "changes a Module"):
        compiled(Counting())(1.0)


def test_partial_functions_methods_and_modules_are_compiled():
    """Whatever is called."""
    model = Dense(2, 2)
    x = np.ones((1, 2))
    for f in (model, model.forward, partial(model), compiled(model).function):
        near(compiled(f)(x), model(x).data)
    with raises(TypeError, "int"):
        compiled(3)


def test_an_error_of_the_function_is_the_engines_own():
    """While it is traced, and once it runs."""
    fast = compiled(lambda x, y: x @ y)
    with raises(ValueError, "inner lengths must agree"):
        fast(np.ones((2, 3)), np.ones((2, 3)))
    assert re.match(r"compiled\(<lambda>\)", repr(fast))


def test_a_constant_that_is_made_within_may_be_looked_at():
    """Its value is the same whatever the inputs are."""
    twice = compiled(lambda x: x * Tensor([2.0, 3.0]).data)
    same(twice([1.0, 2.0]), np.array([2.0, 6.0]))
