"""A printed recipe is mathematics: evaluated, it gives the Tensor's value; and so does that of a derivative."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from fractions import Fraction
from math import inf, prod
from pathlib import Path
from unicodedata import normalize

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minitensor as mt
from minitensor import Tensor, Windows, conv, formula, gradients, history, pool
from minitensor.ops.reduce import first_maximum
from minitensor.ops.shape import scatter

from .checks import raises
from .operators import OPERATORS, RULES
from .strategies import distinct, few, many, rngs, shapes, shapes_that_broadcast


def on_arrays(f):
    """A function of minitensor as one of arrays."""
    return lambda *args, **settings: f(*args, **settings).data


def on_windows(p):
    """An operator that only rules need, as a function of arrays, a kernel size, and the settings of a layer.

    The windows lie over its first array, or its second, if that is the image which the first is a pool of.
    """

    def call(*args, **settings):
        *arrays, k = args
        image = arrays[p is pool._max_unpool]
        over = Windows.of_pool if p.__module__ == pool.__name__ else Windows.over
        names = "stride", "padding", "dilation", "ceil_mode"
        windows = over(image.shape[2:], k, **{name: settings.pop(name) for name in names if name in settings})
        groups = {"groups": settings.pop("groups", 1)} if p is conv._conv_weight else {}
        return p.definition(*arrays, windows=windows, **groups, **settings)

    return call


PUBLIC_OPERATORS = [
    name for name in OPERATORS if hasattr(mt, name)
]  # a row may be a case of one, "clip between Tensors"


def public_functions():
    """What a formula may call, by name: NumPy's functions; ours, where NumPy has none; and what only rules call."""
    ours = {name: on_arrays(getattr(mt, name)) for name in PUBLIC_OPERATORS}
    rules = {p.name: p.definition for p in (scatter, first_maximum)}
    ranked = {f"{p.name}{n}d": on_windows(p) for p in (conv._conv_weight, pool._max_unpool, pool._at_maxima)
              for n in (1, 2, 3)}  # fmt: skip
    return ours | rules | ranked | {name: getattr(np, name) for name in dir(np)}


PUBLIC = public_functions()
EVERYTHING = {**OPERATORS, **RULES}


def evaluate(text, symbols, *tensors):
    """The text as Python; an operator of the reader's own is the function it was made of."""
    primitives = {t.primitive for tensor in tensors for t in history(tensor) if t.primitive}
    own = {p.name: p.definition for p in primitives if not p.__module__.startswith("minitensor.")}
    return eval(text, PUBLIC | own | {name: t.data for name, t in symbols.items()})


def assert_evaluates_to(t):
    """The text has the value of t, but for the shape to which NumPy broadcasts it; the LaTeX is well-formed."""
    printed = formula(t)
    value = np.broadcast_to(evaluate(printed, printed.symbols, t), t.shape)
    np.testing.assert_allclose(value, t.data, rtol=1e-9, atol=1e-9, err_msg=printed)
    assert printed._repr_latex_() == f"$\\displaystyle {printed.latex}$"  # what a notebook shows
    assert printed.latex.count("\\left") == printed.latex.count("\\right")
    depth = 0
    for bracket in re.findall(r"(?<!\\)[{}]", printed.latex):
        depth += 1 if bracket == "{" else -1
        assert depth >= 0
    assert depth == 0


def python(latex):
    """The LaTeX of a number as Python: braces are brackets, and a space between two factors multiplies them."""
    flat = r"((?:(?!\\begin)[^&])*)"  # with no other cases in it
    cases = re.compile(rf"\\begin{{cases}} {flat} & {flat} \\\\ {flat} & \\text{{otherwise}} \\end{{cases}}")
    while cases.search(latex):  # from the innermost outwards
        latex = cases.sub(r"where(\2, \1, \3)", latex)
    for pattern, text in (
        (r"\\operatorname\{(\w+)\}", r"\1"), (r"\\sigma", "sigmoid"), (r"\\frac", "divide"), (r"\}\{", ", "),
        (r"\\right\]\\left\[", ", 1, 0) * where("), (r"\\left\[", "where("), (r"\\right\]", ", 1, 0)"),
        (r"\\left\|", "abs("), (r"\\left\(|\{", "("), (r"\\right[|)]|\}", ")"), (r"\^", "**"),
        (r"\\(cdot|,)", "*"), (r"\\geq", ">="), (r"\\", ""), (r"(?<![-+*>=,]) (?![-+*>])", " * "),
    ):  # fmt: skip
        latex = re.sub(pattern, text, latex)
    return latex


ELEMENTWISE = [  # whose LaTeX leaves nothing out
    mt.tanh, mt.sigmoid, mt.softplus, mt.relu, mt.abs, mt.negative, mt.sin, mt.cos, mt.erf, mt.expm1,
    lambda x: mt.leaky_relu(x, 0.1), lambda x: mt.log1p(x * x), lambda x: mt.logaddexp(x, 2 * x),
    lambda x: x**2, lambda x: x**3, lambda x: 1 / (2 + x * x), lambda x: (1 + x * x).sqrt(),
    lambda x: mt.exp(-x * x), lambda x: 3 * x, lambda x: x / 4, lambda x: 1 - x, lambda x: x - 0.5,
    lambda x: x.clip(-0.5, 0.75), lambda x: mt.where(x > 0.25, x, -x),
    lambda x: x / (1 + x * x) ** 0.75, lambda x: 2 ** mt.tanh(x), lambda x: (1 + x * x).log(),
    lambda x: mt.tanh(x) / mt.sigmoid(mt.tanh(x)), lambda x: (x > -0.5) * (x <= 0.5) * x,
]  # fmt: skip
UNARY = [
    *ELEMENTWISE, mt.sum, mt.mean, mt.max, mt.min, mt.logsumexp, mt.transpose, lambda x: x.reshape(-1),
    lambda x: x[...], lambda x: x[None], lambda x: x.sum(axis=0) if x.ndim else x, lambda x: x.var(keepdims=True),
]  # fmt: skip
BINARY = [mt.add, mt.subtract, mt.multiply, mt.maximum, mt.minimum, lambda x, y: x / (2 + y * y)]


def fit(x, y):
    try:
        np.broadcast_shapes(x.shape, y.shape)
    except ValueError:
        return False
    return True


@st.composite
def expressions(draw, steps=4, numbers=False, functions=UNARY):
    """Some values computed one from another, beginning with two named Tensors off all kinks; and these two."""
    two = [(), ()] if numbers else draw(shapes_that_broadcast())
    xs = [Tensor(x, name=name) for x, name in zip(distinct(draw(rngs), two), "xy", strict=True)]
    values = list(xs)
    for _ in range(draw(st.integers(1, steps))):
        x = draw(st.sampled_from(values))
        if draw(st.booleans()):
            values.append(draw(st.sampled_from(functions))(x))
        else:
            y = draw(st.sampled_from([y for y in values if fit(x, y)]))
            values.append(draw(st.sampled_from(BINARY))(x, y))
    return values[-1], xs


@many
@given(expressions())
def test_a_formula_evaluates_to_its_value(drawn):
    """NumPy, given the printed text, arrives at the Tensor's value."""
    assert_evaluates_to(drawn[0])


@many
@given(expressions(steps=3))
def test_the_formula_of_a_derivative_evaluates_to_it(drawn):
    """So for gradients of order 1 and 2, by both inputs."""
    y, xs = drawn
    first = gradients(y, xs)
    for g in first:
        assert_evaluates_to(g)
    for g in gradients(first[0], xs):
        assert_evaluates_to(g)


@pytest.mark.parametrize("name", EVERYTHING)
@few
@given(data=st.data(), rng=rngs)
def test_every_operator_can_be_printed(name, data, rng):
    """Value and gradients of each operator, and of its rule, print as text that evaluates to them."""
    row = EVERYTHING[name]
    f, its = data.draw(row.cases)
    xs = [Tensor(x, name=f"x{i}") for i, x in enumerate(row.values(rng, its))]
    y = f(*xs)
    assert_evaluates_to(y)
    for g in gradients(y, xs):
        assert_evaluates_to(g)


@many
@given(expressions(steps=3, numbers=True, functions=ELEMENTWISE))
def test_the_latex_has_the_same_value(drawn):
    """Read as mathematics, the LaTeX of a number and of its derivatives says what the text says."""
    y, xs = drawn
    for t in (y, *gradients(y, xs)):
        printed = formula(t)
        value = evaluate(python(printed.latex), printed.symbols, t)
        np.testing.assert_allclose(value, t.data, rtol=1e-9, atol=1e-9, err_msg=printed.latex)


@many
@given(expressions())
def test_no_bracket_is_superfluous(drawn):
    """Python writes the text back as it is, with the brackets that it needs and no others."""
    text = formula(drawn[0])
    assert ast.unparse(ast.parse(text)) == text


@pytest.mark.parametrize("n", [1, 2])
def test_a_product_below_begins_as_one_above_does(n):
    """A quotient needs brackets as the whole of a denominator, or behind a number, and none as its first factor."""
    x, y, z = (Tensor(0.5, name=name) for name in "xyz")
    s = mt.sigmoid(y)
    for value in (x / s, x / (s * (z + 2)), x / (n * s), x / (n * s * (z + 2)), x / ((z + 2) * (y + 1) * n)):
        text = formula(value)
        assert ast.unparse(ast.parse(text)) == text
        assert_evaluates_to(value)


@st.composite
def in_any_order(draw, parts, join, undo, unit):
    """The parts, each with a sign, joined or (where it is -1) undone, in any order and with brackets anywhere."""

    def build(parts):
        if len(parts) == 1:
            ((x, sign),) = parts
            return x if sign > 0 else undo(unit, x)
        i = draw(st.integers(1, len(parts) - 1))
        if draw(st.booleans()):
            return join(build(parts[:i]), build(parts[i:]))
        return undo(build(parts[:i]), build([(x, -sign) for x, sign in parts[i:]]))

    return build(draw(st.permutations(parts)))


def with_signs(parts):
    return st.lists(st.tuples(parts, st.sampled_from([1, -1])), min_size=2, max_size=6)


X, Y = Tensor(0.5, name="x"), Tensor(1.5, name="y")


@given(with_signs(st.sampled_from([X, Y]) | st.sampled_from([-6, -4, -1, 2, 3, 9])), st.data())
def test_a_product_has_one_formula(parts, data):
    """Names and numbers, multiplied and divided in whatever order, are powers times a fraction in lowest terms."""
    product = data.draw(in_any_order([(Tensor(1) * x, sign) for x, sign in parts], mt.multiply, mt.divide, 1))
    number = prod((Fraction(x) ** sign for x, sign in parts if isinstance(x, int)), start=Fraction(1))
    m, n = (sum(sign for x, sign in parts if x is name) for name in (X, Y))
    assert formula(product) == formula(Tensor(number.numerator) * X**m * Y**n / number.denominator)
    x, y = Fraction(2, 3), Fraction(-5, 7)
    assert m == n == 0 or eval(formula(product), {"x": x, "y": y}) == number * x**m * y**n


@given(with_signs(st.tuples(st.sampled_from([X, Y, 1]), st.fractions(1, 3, max_denominator=3))), st.data())
def test_a_sum_has_one_term_of_each_kind(parts, data):
    """Terms, added and subtracted in whatever order, are collected; a minus comes first only where all have one."""
    terms = [(Tensor(q.numerator) * x / q.denominator, sign) for (x, q), sign in parts]
    text = formula(data.draw(in_any_order(terms, mt.add, mt.subtract, 0)))
    sums = [sum(q * sign for (x, q), sign in parts if x is kind) for kind in (X, Y, 1)]
    assert len(re.split(" [-+] ", text)) == max(1, np.count_nonzero(sums))
    assert "(" not in text
    assert text.startswith("-") == (min(sums) < 0 and max(sums) <= 0)
    assert eval(text, {"x": 100, "y": 10_000}) == pytest.approx(float(np.dot(sums, [100, 10_000, 1])))


@many
@given(expressions(steps=3, numbers=True))
def test_a_formula_has_nothing_to_tidy_up(drawn):
    """No factor 1, no term 0, no power 1, no double sign: neither in a value nor in its derivatives."""
    y, xs = drawn
    for t in (y, *gradients(y, xs)):
        text = formula(t)
        assert not re.search(r"(?<![\w.])1 \*|\* 1(?![\w.])|\*\* 1(?![\w.])|/ 1(?![\w.])", text), text
        assert not re.search(r"[+-] 0(?![\w.])|(?<![\w.])0 [+*-]|- -|\+ -", text), text


@pytest.mark.parametrize(("build", "text", "latex"), [
    (lambda x: x * x, "x ** 2", "x^{2}"),
    (lambda x: x + x, "2 * x", "2 x"),
    (lambda x: x - x, "0", "0"),
    (lambda x: x**0 + 1, "2", "2"),
    (lambda x: 1 - x.tanh() ** 2, "1 - tanh(x) ** 2", "1 - \\tanh\\left(x\\right)^{2}"),
    (lambda x: x * (x + 1), "x * (x + 1)", "x \\left(x + 1\\right)"),
    (lambda x: -x - 1, "-x - 1", "-x - 1"),
    (lambda x: x * x.tanh() * x.exp() + x * x.exp() * x.tanh(), "2 * x * exp(x) * tanh(x)", None),
    (lambda x: x**0.5 * x**0.5 + x**0.5, "x ** 0.5 * x ** 0.5 + x ** 0.5", None),
    # numbers: whole ones as fractions in lowest terms, others as they are
    (lambda x: 0.5 * x, "0.5 * x", "0.5 x"),
    (lambda x: 2 * x / 4, "x / 2", "\\frac{x}{2}"),
    (lambda x: 0.5 * x / 3, "0.5 * x / 3", "\\frac{0.5 x}{3}"),
    (lambda x: x / 0.5, "x / 0.5", "\\frac{x}{0.5}"),
    (lambda x: Tensor(1) / 2 + x, "1 / 2 + x", "\\frac{1}{2} + x"),
    (lambda x: 2 * Tensor(0.5) ** x, "2 * 0.5 ** x", "2 \\cdot 0.5^{x}"),
    (lambda x: Tensor(0.0) ** x, "0 ** x", "0^{x}"),
    (lambda x: (Tensor(2) * 3) ** x, "6 ** x", "6^{x}"),
    (lambda x: 1e15 * x, "1000000000000000 * x", "1000000000000000 x"),
    (lambda x: 1e20 * x, "1e+20 * x", "1 \\cdot 10^{20} x"),
    (lambda x: Tensor(1e20) ** x, "1e+20 ** x", "\\left(1 \\cdot 10^{20}\\right)^{x}"),
    # above and below the bar
    (lambda x: x * x / 3, "x ** 2 / 3", "\\frac{x^{2}}{3}"),
    (lambda x: (x + 1) / 3, "(x + 1) / 3", "\\frac{x + 1}{3}"),
    (lambda x: x / 3, "x / 3", "\\frac{x}{3}"),
    (lambda x: x / -3, "-x / 3", "-\\frac{x}{3}"),
    (lambda x: 2 * x.sigmoid(), "2 * (1 / (1 + exp(-x)))", "2 \\sigma\\left(x\\right)"),
    (lambda x: x.sigmoid() * x.tanh(), "1 / (1 + exp(-x)) * tanh(x)", None),
    (lambda x: x.tanh() / x.sigmoid(), "tanh(x) / (1 / (1 + exp(-x)))", None),
    (lambda x: x ** Tensor(2.0), "x ** 2", "x^{2}"),
    # conditions
    (lambda x: 2 * (x > 1), "where(x > 1, 2, 0)", "2 \\, \\left[x > 1\\right]"),
    (lambda x: (x > 0) * (x >= 1), "where((x > 0) & (x >= 1), 1, 0)", None),
    (lambda x: mt.where((x > 1) * (x > 1), x, 2) + 1, "where(x > 1, x, 2) + 1", None),
    # derivatives
    (lambda x: gradients(x * x.tanh(), [x])[0], "tanh(x) + x * (1 - tanh(x) ** 2)", None),
    (lambda x: gradients(x**3, [x])[0], "3 * x ** 2", "3 x^{2}"),
    (lambda x: gradients(gradients(x**3, [x])[0], [x])[0], "6 * x", "6 x"),
    (lambda x: gradients(x.exp(), [x])[0], "exp(x)", "e^{x}"),
    (lambda x: gradients(x.log(), [x])[0], "1 / x", "\\frac{1}{x}"),
    (lambda x: gradients(x.sqrt(), [x])[0], "1 / (2 * sqrt(x))", "\\frac{1}{2 \\sqrt{x}}"),
])  # fmt: skip
def test_formulas_read_as_a_person_would_write_them(build, text, latex):
    """A few that every textbook has."""
    printed = formula(build(Tensor(0.5, name="x")))
    assert printed == text
    assert latex is None or printed.latex == latex


@pytest.mark.parametrize(("build", "text"), [
    (lambda v, m: v.reshape(1, 3).sum(0), "v"),
    (lambda v, m: m[:1].sum(0), "reshape(m[:1], (3,))"),
    (lambda v, m: m[:1].sum(0, keepdims=True), "m[:1]"),
    (lambda v, m: mt.broadcast_to(v, (2, 3)).sum(0), "2 * v"),
    (lambda v, m: m @ mt.broadcast_to(v, (3, 3)), "m @ broadcast_to(v, (3, 3))"),
    (lambda v, m: Tensor(np.ones((2, 2))) @ m, "full((2, 2), 1) @ m"),
    (lambda v, m: mt.pad(v, 1), "pad(v, ((1, 1),))"),
    (lambda v, m: mt.transpose(v) @ mt.transpose(m, 0, 1).T, "v @ m.T"),
    (lambda v, m: mt.pad(v, 1, constant_values=2), "pad(v, ((1, 1),), constant_values=2)"),
])  # fmt: skip
def test_shapes_are_written_where_numpy_needs_them(build, text):
    """And so are settings that are not NumPy's own."""
    assert formula(build(Tensor(np.ones(3), name="v"), Tensor(np.ones((2, 3)), name="m"))) == text


@pytest.mark.parametrize(("build", "latex"), [
    (lambda a, b, c: a * b * c, "a \\odot b \\odot c"),
    (lambda a, b, c: 2 * a * b, "2 a \\odot b"),
    (lambda a, b, c: a * b @ c, "\\left(a \\odot b\\right) c"),
    (lambda a, b, c: a * (b @ c), "a \\odot \\left(b c\\right)"),
    (lambda a, b, c: a @ b @ c, "a b c"),
    (lambda a, b, c: 2 * a @ b / 3, "\\frac{\\left(2 a\\right) b}{3}"),
    (lambda a, b, c: a.sum() * (a @ b) + c, "\\left(\\sum a\\right) a b + c"),
])  # fmt: skip
def test_latex_tells_products_of_arrays_apart(build, latex):
    """A ring between elements and nothing between matrices; in either product the other stands in brackets."""
    assert formula(build(*(Tensor(np.eye(2) + 1, name=name) for name in "abc"))).latex == latex


@pytest.mark.parametrize("name", EVERYTHING)
@few
@given(data=st.data(), rng=rngs)
def test_the_latex_tells_settings_apart(name, data, rng):
    """Where two calls of an operator have the same LaTeX, with the same Tensors in it, their texts have one value."""
    row = EVERYTHING[name]
    f, its = data.draw(row.cases)
    g, _ = data.draw(row.cases)
    xs = [Tensor(x, name=f"x{i}") for i, x in enumerate(row.values(rng, its))]
    try:
        y, z = f(*xs), g(*xs)
    except (ValueError, IndexError, TypeError):  # the other settings do not fit
        return
    first, second = formula(y), formula(z)
    values = [{name: t.data.tolist() for name, t in printed.symbols.items()} for printed in (first, second)]
    if first.latex == second.latex and values[0] == values[1]:
        here, there = evaluate(first, first.symbols, y), evaluate(second, second.symbols, z)
        np.testing.assert_array_equal(here, there, err_msg=f"{first} and {second}")


IMAGES = {
    name: Tensor(np.random.default_rng(0).uniform(size=shape), name=name)
    for name, shape in {"x": (2, 2, 6, 6), "w": (4, 2, 3, 3), "v": (4, 1, 3, 3), "b": (4,), "even": (4, 2, 4, 2),
                        "line": (1, 2, 7), "u": (3, 2, 3), "room": (1, 1, 4, 4, 4), "cube": (1, 1, 2, 2, 2),
                        "one": (1, 1, 1), "tap": (1, 1, 1), "local": (2, 2, 6, 6, 3, 3)}.items()
}  # fmt: skip
CALLS = [
    "conv2d(x, w)", "conv2d(x, w, b)", "conv2d(x, w, stride=2)", "conv2d(x, w, padding=1)", "conv2d(x, w, dilation=2)",
    "conv2d(x, v, groups=2)", "conv2d(x, w, b, stride=(2, 1), padding=(0, 1), dilation=(1, 2))",
    "conv2d(x, even, padding='same')", "conv1d(line, u, stride=2)", "conv3d(room, cube, padding=1)",
    "conv_transpose2d(x, v[:2])", "conv_transpose2d(x, v[:2], stride=2)", "conv_transpose2d(x, v[:2], padding=1)",
    "conv_transpose2d(x, v[:2], dilation=2)", "conv_transpose2d(x, v[:2], groups=2)",
    "conv_transpose2d(x, v[:2], stride=2, output_padding=1)", "conv_transpose2d(x, v[:2], stride=2, padding=1)",
    "conv_transpose2d(x, v[:2], stride=(2, 3), padding=1, output_padding=(0, 2))",
    "conv_transpose1d(line, u[:2], stride=2, output_padding=1)", "conv_transpose3d(room, cube, stride=2)",
    "max_pool2d(x, 2)", "max_pool2d(x, 3)", "max_pool2d(x, 2, stride=1)", "max_pool2d(x, (2, 3))",
    "max_pool2d(x, 2, padding=1)", "max_pool2d(x, 2, dilation=2)", "max_pool2d(x, 4, ceil_mode=True)",
    "max_pool2d(x, 2, stride=1, padding='same')", "max_pool2d(x, (2, 3), stride=2)", "max_pool1d(line, 2)",
    "max_pool2d(x, 3, stride=2, padding=1, ceil_mode=True)", "max_pool3d(room, 2)", "avg_pool2d(x, 2)",
    "avg_pool2d(x, 2, stride=1)", "avg_pool2d(x, 2, padding=1)", "avg_pool2d(x, 4, ceil_mode=True)",
    "avg_pool2d(x, 2, padding=1, count_include_pad=False)", "avg_pool1d(line, 2)", "avg_pool3d(room, 2)",
    "lp_pool2d(x, 2)", "lp_pool2d(x, 2, norm=3)", "lp_pool2d(x, 2, stride=1)", "lp_pool1d(line, 3, stride=2, norm=1.5)",
    "windows(x, (3, 3))", "windows(x, (3, 3), stride=2)", "windows(x, (3, 2), stride=(2, 1))", "windows(x, 3)",
    "windows(x, (2, 2), dilation=3)", "fold(windows(x, (3, 3)), (6, 6))", "fold(windows(x, 3), 6)",
    "fold(windows(x, 2, stride=3), 6, stride=3)", "fold(windows(x, 2, stride=3), 5, stride=3)",
    "pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))", "pad(x, ((0, 0), (0, 0), (0, 0), (1, 1)))",
    "pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)), constant_values=2)",
    "pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)), constant_values=-inf)", "transpose(x, (0, 2, 1, 3))",
    "transpose(x, (0, 1, 3, 2))", "reshape(x, (2, 72))", "reshape(x, (72, 2))", "stack((x, x))",
    "stack((x, x), axis=1)", "concatenate((x, x))", "concatenate((x, x), axis=1)", "stack((x,), axis=2)",
    "cumsum(x, axis=0)", "cumsum(x, axis=1)", "sum(x)", "sum(x, axis=1)", "sum(x, axis=(1, 2))",
    "sum(x, keepdims=True)", "sum(x, axis=1, keepdims=True)", "max(x, axis=1, keepdims=True)", "max(x, axis=())",
    "max(x)", "min(x, axis=1)", "x[array([0, 1])]", "x[array([1, 1])]", "x[array([[True, False], [False, True]])]",
    "x[0]", "x[:, 0]", "x[..., 0]", "x[::2]", "x[zeros((0,), int64)]", "x[None]", "log(sum(exp(x), axis=1))",
    "log(sum(exp(x), axis=1, keepdims=True))", "einsum('abcd->bcd', x)", "einsum('abcd->abd', x)", "w[0, 0] @ w[0, 1]",
    "w[0, 0] * w[0, 1]", "w[0, 0] * w[0, 1] @ w[1, 0]", "w[0, 0] * (w[0, 1] @ w[1, 0])", "2 * w[0, 0] @ w[0, 1]",
    "w[0, 0] @ w[0, 1] @ w[1, 0]", "where(x > 0, x, 0.1 * x)", "where(x > 0, x, 0.2 * x)", "float32(x)", "x ** 2",
    "x ** 3", "where(isnan(x), 1, 0)", "sin(x)", "cos(x)", "erf(x)", "log1p(x)", "expm1(x)", "logaddexp(x, 2 * x)",
]  # fmt: skip


def call(text):
    """The call that a text is, of our functions on Tensors."""
    ours = {name: getattr(mt, name) for name in PUBLIC_OPERATORS} | {"float32": lambda x: mt.astype(x, "float32")}
    return eval(text, {name: getattr(np, name) for name in ("array", "zeros", "int64", "inf")} | ours | IMAGES)


@pytest.mark.parametrize("text", CALLS)
def test_an_operator_is_written_as_it_is_called(text):
    """Every setting that is not the usual, a single number where all axes agree, and nothing else."""
    assert formula(call(text)) == text


def test_other_settings_are_another_formula_in_latex_too():
    """All of these calls, which differ in an operator, a setting or a bracket, differ in LaTeX."""
    assert len({formula(call(text)).latex for text in CALLS}) == len(set(CALLS)) == len(CALLS)


@pytest.mark.parametrize(("text", "by", "rule"), [
    ("relu(x)", "x", "where(x > 0, g, 0)"),
    ("leaky_relu(x, 0.1)", "x", "g * where(x > 0, 1, 0.1)"),
    ("conv2d(x, w, stride=2, padding=1)", "x", "conv_transpose2d(g, w, stride=2, padding=1, output_padding=1)"),
    ("conv2d(x, w, stride=2, padding=1)", "w", "conv_weight2d(x, g, 3, stride=2, padding=1)"),
    ("conv2d(x, w, b)", "b", "sum(g, axis=(0, 2, 3))"),
    ("conv2d(x, even, padding='same')", "x", "conv_transpose2d(g, even, padding=(1, 0))[..., :6, :6]"),
    ("conv2d(x, even, padding='same')", "even", "conv_weight2d(x, g, (4, 2), padding='same')"),
    ("conv_transpose2d(x, v[:2], stride=2, output_padding=1)", "x", "conv2d(g, v[:2], stride=2)"),
    ("conv_transpose1d(line, u[:2], dilation=2, output_padding=1)", "line", "conv1d(g[..., :11], u[:2], dilation=2)"),
    ("conv_transpose1d(one, tap, padding=2, dilation=5, output_padding=4)", "one",
     "conv1d(pad(g[..., :0], ((0, 0), (0, 0), (1, 0))), tap, dilation=5)"),
    ("max_pool2d(x, 2)", "x", "max_unpool2d(g, x, max_pool2d(x, 2), 2)"),
    ("avg_pool2d(x, 2)", "x", "conv_transpose2d(g / 4, full((2, 1, 2, 2), 1), stride=2, groups=2)"),
    ("locally_connected2d(x, local, padding=1)", "x",
     "fold(einsum('nohw,ochwij->nchwij', g, local), (8, 8))[..., 1:7, 1:7]"),
    ("locally_connected2d(x, local, padding=1)", "local",
     "einsum('nohw,nchwij->ochwij', g, windows(pad(x, ((0, 0), (0, 0), (1, 1), (1, 1))), (3, 3)))"),
    ("x[:1]", "x", "scatter(g, shape=(2, 2, 6, 6), key=(slice(None, 1, None),))"),
])  # fmt: skip
def test_rules_are_written_as_a_reader_would_call_them(text, by, rule):
    """By the operators that undo a size, with the kernel of the layer and with no setting that is the usual."""
    y = call(text)
    g = Tensor(np.random.default_rng(1).normal(size=y.shape), name="g")
    [share] = gradients(y, [IMAGES[by]], g)
    assert formula(share) == rule
    assert_evaluates_to(share)


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 4), st.integers(1, 3)), min_size=1, max_size=2), rngs)
def test_an_uneven_margin_is_written_so_that_it_can_be_called(lines, rng):
    """With padding="same", an even span has one pixel more behind: in layers, their rules, and the rules of these."""
    size, k, d = zip(*lines, strict=True)
    n = len(size)
    x, w, local = (Tensor(rng.normal(size=shape), name=name) for name, shape in {
        "x": (2, 1, *size), "w": (2, 1, *k), "local": (2, 1, *size, *k)}.items())  # fmt: skip
    layers = [
        (getattr(mt, f"conv{n}d")(x, w, padding="same", dilation=d), [x, w]),
        (getattr(mt, f"locally_connected{n}d")(x, local, padding="same", dilation=d), [x, local]),
    ]
    if all(b // 2 <= a and b - 1 <= 2 * a for a, b in zip(size, k, strict=True)):
        layers += [(getattr(mt, f"{kind}_pool{n}d")(x, k, stride=1, padding="same"), [x]) for kind in ("max", "avg")]
    for y, xs in layers:
        assert_evaluates_to(y)
        for first in gradients(y, xs, Tensor(rng.normal(size=y.shape), name="g")):
            assert_evaluates_to(first)
            for second in gradients(first * first, xs):
                assert_evaluates_to(second)


def test_a_name_hides_no_function_and_looks_like_no_other():
    """Not NumPy's nor ours, nor one of the reader's own; and x_1 does not look like x1."""

    @mt.primitive
    def own(x):
        return 2 * x

    for name in ("conv2d", "conv_transpose1d", "erf", "windows", "fold", "own", "inf"):
        x = Tensor(np.ones((1, 1, 4)), name=name)
        for f in (own, mt.erf, lambda x: mt.conv1d(x, x), lambda x: mt.fold(mt.windows(x, 2), 4), lambda x: x * np.inf,
                  lambda x: mt.avg_pool1d(x, 2)):  # fmt: skip
            assert_evaluates_to(f(x))
    x1, x_1 = Tensor(1.0, name="x1"), Tensor(2.0, name="x_1")
    assert formula(x1 - x_1).latex == "x_{1} - \\mathrm{x\\_1}"


def test_minitensor_formula_is_the_function():
    """Though there is a package of that name, in which Formula is found."""
    code = "import minitensor.formula.notations, minitensor as m; from minitensor.formula import Formula, formula; "
    code += "assert m.formula is formula; assert type(m.formula(m.Tensor(1))) is Formula"
    subprocess.run([sys.executable, "-c", code], cwd=Path(mt.__file__).parents[1], check=True)


def test_nothing_is_lost_in_a_setting():
    """Numbers of NumPy, indices without elements, and truths that are added, are written as Python that evaluates."""

    @mt.primitive
    def own(x, *, weights):
        return x * weights[0] * weights[1]["by"]

    x = Tensor(np.arange(6.0).reshape(2, 3), name="x")
    empty = Tensor(np.ones((0, 3)), name="x")
    for y in (
        gradients(x[np.int64(1) :], [x])[0], own(x, weights=[np.float32(0.5), {"by": 2}]), x[np.int64(1)],
        mt.pad(x, 1, constant_values=np.float64(0.5)), mt.pad(x, 1, constant_values=np.nan),
        x[[]], x[np.zeros((0, 2), int)], x[np.zeros(2, bool)], empty[np.zeros((0, 3), bool)], empty[np.zeros(0, int)],
        mt.isnan(x) - mt.isnan(2 * x), -mt.isnan(x), mt.isnan(Tensor(np.nan)), x.astype("float32"),
    ):  # fmt: skip
        assert_evaluates_to(y)


@pytest.mark.parametrize("a", [0.0, 0.5, -2.0, 3.0, inf, -inf])
@pytest.mark.parametrize("b", [0.0, 0.5, -2.0, 3.0, inf, -inf])
def test_what_is_infinite_is_printed(a, b):
    """A division by 0, an infinite number or exponent, and what they make: inf, -inf or nan."""
    x = Tensor(2.5, name="x")
    with np.errstate(all="ignore"):
        for y in (a * x / b, x**a / b, x ** (Tensor(a) / b), Tensor(a) / b + x, Tensor(a) / b, (x - a) / b):
            assert_evaluates_to(y)


@given(st.floats(allow_nan=False))
def test_numbers_are_printed_in_full(number):
    """With all their digits, and whole ones without a point."""
    text = formula(Tensor(number))
    assert float(text) == number
    assert not text.endswith(".0")


@given(st.integers(-3, 3), st.integers(-3, 3))
def test_whole_powers_of_powers_are_multiplied_out(m, n):
    """(x^m)^n is x^(mn) and (xy)^n is x^n y^n; but a root of a power stays what it is, for x may be negative."""
    x, y = Tensor(-1.5, name="x"), Tensor(2.5, name="y")
    assert formula((x**m) ** n) == formula(x ** (m * n))
    assert formula((x * y) ** n) == formula(x**n * y**n)
    assert_evaluates_to((x ** (2 * m)) ** 0.5)


@pytest.mark.parametrize(("key", "script"), [
    ((0, 1), "0, 1"), ((..., slice(1, None)), "\\ldots, 1:"), (slice(None, None, 2), "::2"), ([0, 2], "[0, 2]"),
    ((None, -1), "None, -1"), (slice(1, 3), "1:3"), (([[0], [2]], [1]), "[[0], [2]], [1]"), (np.int64(2), "2"),
])  # fmt: skip
def test_latex_shows_an_index_as_it_is_written(key, script):
    """Below the line and in brackets."""
    assert formula(Tensor(np.arange(12.0).reshape(3, 4), name="x")[key]).latex == f"{{x}}_{{[{script}]}}"


@pytest.mark.parametrize(("name", "latex"), [
    ("w", "w"), ("x1", "x_{1}"), ("b_2", "b_{2}"), ("loss", "\\mathrm{loss}"), ("W_out", "W_{out}"), ("_", "x"),
    (None, "x_{1}"),
])  # fmt: skip
def test_latex_sets_names_as_mathematics_does(name, latex):
    """A letter is a symbol, a word is upright, and what follows is an index."""
    assert formula(Tensor([1.0, 2.0], name=name)).latex == latex


@given(st.sampled_from(["sum", "max", "min"]), st.sampled_from([None, 0, 1, (0, 2)]))
def test_a_reduction_names_its_axes(name, axis):
    """In LaTeX below the sign; none, where all are reduced."""
    printed = formula(getattr(mt, name)(Tensor(np.arange(12.0).reshape(2, 3, 2), name="x"), axis))
    below = "" if axis is None else f"_{{{','.join(map(str, np.atleast_1d(axis)))}}}"
    assert printed.latex == f"\\{name}{below} x"
    assert printed == (f"{name}(x)" if axis is None else f"{name}(x, axis={axis})")


@given(st.integers(-1, 1), st.integers(-1, 1))
def test_numbers_are_compared_at_once(a, b):
    """A comparison of two numbers is 1 or 0; one with a name is a condition, and so is its product with anything."""
    assert formula(Tensor(float(a)) > b) == str(int(a > b))
    assert formula(Tensor(float(a)) >= b) == str(int(a >= b))
    assert formula(Tensor(float(a)) / 2 > b) == str(int(a / 2 > b))
    x = Tensor(float(a), name="x")
    assert formula(x * (x > b)) == f"where(x > {b}, x, 0)"
    assert formula(x * (x >= b)) == f"where(x >= {b}, x, 0)"
    assert formula(mt.where(Tensor(float(a)) > b, x, 2 * x)) == ("x" if a > b else "2 * x")


@given(shapes(min_dims=1, min_side=2), st.integers(0, 2), st.data())
def test_axes_of_length_one_in_front_are_not_printed(shape, more, data):
    """Broadcasting puts them there by itself: no reshape is written, of a name or of a sum that keeps its axes."""
    x = Tensor(np.ones(shape), name="x")
    for y in (x, x.sum(axis=data.draw(st.integers(0, len(shape) - 1)), keepdims=True)):
        assert formula(y.reshape(*(1,) * more, *y.shape)) == formula(y)
    assert formula(x.reshape(*shape, 1)) == f"reshape(x, {(*shape, 1)})"


def test_zero_has_no_sign():
    """-0.0 is printed as 0."""
    assert formula(Tensor(-0.0)) == formula(Tensor(-0.0) + 0) == formula(Tensor(0.0, name="x") * Tensor(-0.0)) == "0"


@given(st.permutations(["x", "x", "x", "lambda", "tanh", "2 b", "ä-ö", None, ""]))
def test_names_are_made_to_differ(names):
    """Whatever Tensors are called, each symbol is an identifier, means one Tensor, and hides no function."""
    xs = [Tensor([1.0 + i, 2.5], name=name) for i, name in enumerate(names)]
    y = sum((x * x.tanh() for x in xs), Tensor(0.0))
    printed = formula(y)
    assert len(printed.symbols) == len(xs) == len(set(printed.symbols.values()))
    assert all(name.isidentifier() and not hasattr(np, name) for name in printed.symbols)
    assert {"x", "x_2", "x_3"} <= printed.symbols.keys()
    assert_evaluates_to(y)


@given(st.lists(st.text(min_size=1, max_size=3) | st.sampled_from(["σ²", "x₁", "①", "ℎ", "h", "௰", "x·", "e\u0302"])))
def test_any_name_becomes_an_identifier_that_python_reads_as_it_stands(names):
    """Python reads letters such as ℎ as h: the symbols are so already, and the text evaluates."""
    y = sum((Tensor([1.0 + i, 2.5], name=name) for i, name in enumerate(names)), Tensor([0.0, 1.0], name="zero"))
    printed = formula(y)
    assert len(printed.symbols) == len(names) + 1
    assert all(name.isidentifier() and normalize("NFKC", name) == name for name in printed.symbols)
    assert_evaluates_to(y)


def test_given_tensors_are_not_taken_apart():
    """A Tensor in `given` is printed by its name, and its value stands for its recipe."""
    x = Tensor([0.5, 2.0], name="x")
    h = x.tanh()
    h.name = "h"
    printed = formula(h * h + x, given=[h])
    assert set(printed.symbols.values()) == {h, x}
    assert "tanh" not in printed
    np.testing.assert_allclose(evaluate(printed, printed.symbols, h), (h * h + x).data)


@pytest.mark.parametrize("given_", [Tensor([0.5, 2.0], name="h"), 5, ["h"]], ids=["Tensor", "number", "name"])
def test_given_is_a_list_of_tensors(given_):
    """TypeError for anything else: a Tensor by itself too, whose rows are not the Tensors that were meant."""
    h = Tensor([0.5, 2.0], name="h")
    with raises(TypeError, "given", "formula(y, given=[h])"):
        formula(h * h, given=given_)


def test_nobody_reads_a_formula_without_end():
    """More than 20,000 characters are a ValueError that says what to do; a long chain of names is no recursion."""
    x = Tensor(2.0, name="x")
    y = x
    for _ in range(40):
        y = (y * (y + x)).tanh()
    with raises(ValueError, "20000 characters", "given"):
        formula(y)
    y.name = "y"
    assert formula(y * x, given=[y]) == "x * y"
    assert len(formula(Tensor(2.0, name=20_000 * "a"))) == 20_000
    with raises(ValueError, "20000 characters"):
        formula(Tensor(2.0, name=20_001 * "a"))
    z = x
    for _ in range(5000):
        z = z + x
    assert formula(z) == "5001 * x"


@given(st.integers(2, 3), rngs)
def test_products_of_matrices_keep_their_transposes(n, rng):
    """Of two dense layers with square weights, where a transpose too few or too many still has the right shape."""
    x, w, v = (Tensor(rng.normal(size=(n, n)), name=name) for name in "xwv")
    loss = (mt.dense(mt.dense(x, w), v) ** 2).sum()
    for gradient in gradients(loss, [x, w, v]):
        assert_evaluates_to(gradient)


def test_a_readers_own_operator_keeps_its_own_meaning():
    """An operator that is called like one of ours is printed as what it is, with its settings."""

    @mt.primitive
    def relu(x, *, top):
        return np.clip(x, 0, top)

    y = relu(Tensor(9.0, name="x"), top=6)
    assert formula(y) == "relu(x, top=6)"
    assert_evaluates_to(y)


@pytest.mark.parametrize("f", [mt.exp, mt.transpose, mt.sigmoid, lambda x: mt.where(x > 0, x, 1), lambda x: x[0]])
def test_latex_has_no_double_scripts(f):
    """TeX stops at a^b^c and a_b_c: what carries a script is put in braces or brackets before it gets another."""
    printed = formula(f(Tensor([[1.0, 2.0], [3.0, 4.0]], name="x1")) ** 2)
    script = r"(?:\{(?:[^{}]|\{[^{}]*\})*\}|\\?\w+)"
    assert not re.search(rf"(\^|_){script}\1", printed.latex)
