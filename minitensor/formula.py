"""Print a recipe as mathematics.

What you can do here: `formula(t)`, text that Python can evaluate with NumPy's functions, as far as NumPy has them, and
LaTeX beside it.  A gradient is a Tensor with a recipe, so `formula(gradients(y, [x])[0])` is the derivative of y.

An `Expression` is one Tensor's mathematics.  Expressions are built from the oldest Tensor to the newest, and tidied as
they are built: numbers are worked out, products and sums are flat lists in which equal factors and equal terms are
counted (x * x is x ** 2, x + x is 2 * x), and what is only there to make shapes fit is left out where NumPy broadcasts
anyway.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from math import gcd, prod
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from .backprop import history
from .tensor import Tensor
from .windows import Windows

LONGEST = 20_000  # characters; nobody reads a longer one

# How tightly an expression holds together: what is inside another one needs brackets if it holds less tightly.
SUM, PRODUCT, POWER, ATOM = range(4)


class Formula(str):
    """A formula as text; `latex` is the same in LaTeX, `symbols` says which Tensor each name in it stands for."""

    latex: str
    symbols: dict[str, Tensor]

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex}$"


def formula(t: Tensor, given: Sequence[Tensor] = ()) -> Formula:
    """The recipe of t as text and LaTeX; Tensors in `given` are printed by name and not taken apart.

    Names are those of the Tensors, made into identifiers that differ; a Tensor without a recipe or a name is printed as
    its number if all its elements are equal, else as x1, x2, ...  The text has the value of t, except that it may
    leave NumPy to broadcast it to t's shape.
    Raises ValueError for a formula of more than 20,000 characters, which `given` can shorten.

    >>> from minitensor import gradients, tanh
    >>> x = Tensor(0.5, name="x")
    >>> y = x * tanh(x)
    >>> formula(gradients(y, [x])[0])
    'tanh(x) + x * (1 - tanh(x) ** 2)'
    >>> formula(y / 3).latex
    '\\\\frac{x \\\\tanh\\\\left(x\\\\right)}{3}'
    >>> bool(eval(formula(y), {"tanh": np.tanh, "x": 0.5}) == y.item())
    True
    """
    known: dict[Tensor, Expression] = {}
    symbols: dict[str, Tensor] = {}
    stops = set(given)
    for tensor in _needed(t, stops):
        if tensor.primitive is None or tensor in stops:
            known[tensor] = _leaf(tensor, symbols)
        else:
            known[tensor] = _operation(tensor, [known[x] for x in tensor.inputs])
        if len(known[tensor].text) > LONGEST:
            raise ValueError(
                f"the formula is longer than {LONGEST} characters; name some Tensors on the way and pass them "
                "as given=[...], to be printed by their names"
            )
    result = Formula(known[t].text)
    result.latex = known[t].latex
    result.symbols = {name: x for name, x in symbols.items() if re.search(rf"\b{name}\b", result)}
    return result


def _needed(t: Tensor, stops: set[Tensor]) -> list[Tensor]:
    """The history of t without what lies behind the given Tensors, oldest first."""
    needed = {t}
    for tensor in history(t):
        if tensor in needed and tensor not in stops:
            needed.update(tensor.inputs)
    return sorted(needed, key=lambda x: x.birth)


# -- expressions -------------------------------------------------------------------------------------------------------


class Expression(NamedTuple):
    """Text, LaTeX, and what is needed to tidy a larger expression that has this one as a part.

    `shape` is that of the text's value, which may be smaller than the Tensor's where broadcasting makes up for it.
    """

    text: str
    latex: str
    level: int = ATOM
    shape: tuple[int, ...] = ()
    number: float | None = None  # of a constant
    product: Product | None = None
    terms: tuple[Expression, ...] = ()  # of a sum
    condition: tuple[str, str] | None = None  # of something that is 1 where a condition holds and else 0
    level_of_latex: int | None = None  # where it is not the level of the text
    transposed: Expression | None = None  # what was transposed

    def within(self, level: int) -> str:
        """The text, in brackets if it holds together less tightly than its surroundings."""
        return self.text if self.level >= level else f"({self.text})"

    def latex_within(self, level: int) -> str:
        """The LaTeX, in brackets likewise."""
        return self.latex if self.latex_level >= level else f"\\left({self.latex}\\right)"

    @property
    def latex_level(self) -> int:
        return self.level if self.level_of_latex is None else self.level_of_latex


class Product(NamedTuple):
    """coefficient * base ** exponent * ..., the coefficient as a fraction."""

    over: float
    under: float
    factors: tuple[Factor, ...]


Factor: TypeAlias = tuple[Expression, float]  # base and exponent


def _number(value: float) -> Expression:
    value = float(value) + 0.0  # and -0.0 becomes 0.0
    text = repr(value).removesuffix(".0")
    latex = re.sub(r"e([+-]\d+)", lambda m: f" \\cdot 10^{{{int(m[1])}}}", text).replace("inf", "\\infty")
    level = SUM if value < 0 else ATOM
    return Expression(text, latex, level, number=value, level_of_latex=min(level, PRODUCT) if "^" in latex else None)


def _as_product(e: Expression) -> Product:
    if e.product is not None:
        return e.product
    return Product(1, 1, ((e, 1),)) if e.number is None else Product(e.number, 1, ())


def _whole(n: float) -> bool:
    return float(n).is_integer()


def _multiply(a: Expression, b: Expression) -> Expression:
    return _times(_as_product(a), _as_product(b))


def _divide(a: Expression, b: Expression) -> Expression:
    over, under, factors = _as_product(b)
    return _times(_as_product(a), Product(under, over, tuple((base, -n) for base, n in factors)))


def _negative(x: Expression) -> Expression:
    return _multiply(_number(-1), x)


def _times(p: Product, q: Product) -> Expression:
    factors = list(p.factors)
    for base, n in q.factors:
        twins = [i for i, (other, m) in enumerate(factors) if other.text == base.text and _whole(m) and _whole(n)]
        if twins:  # x ** m * x ** n, for whole m and n: roots are left alone, they are not defined everywhere
            m = factors[twins[0]][1]
            both_hold = base.condition and m == n == 1  # a condition holds or not: 1 * 1 is 1
            factors[twins[0]] = (base, 1 if both_hold else m + n)
        else:
            factors.append((base, n))
    return _product(p.over * q.over, p.under * q.under, tuple((base, n) for base, n in factors if n))


def _product(over: float, under: float, factors: tuple[Factor, ...]) -> Expression:
    shape = np.broadcast_shapes(*[base.shape for base, _ in factors])
    if under < 0:
        over, under = -over, -under
    if _whole(over) and _whole(under) and under:
        common = gcd(int(over), int(under))
        over, under = over / common, under / common
    if over == 0 or (not factors and under in (0, 1)):
        return _number(float(np.float64(over) / np.float64(under)))
    if over == under == 1 and len(factors) == 1 and factors[0][1] == 1:
        return factors[0][0]
    factors = tuple(sorted(factors, key=_names_first))
    product = Product(over, under, factors)

    held = tuple(f for f in factors if f[0].condition and f[1] > 0)
    if held:
        rest = _product(over, under, tuple(f for f in factors if f not in held))
        return _conditional([base for base, _ in held], rest)._replace(shape=shape, product=product)
    above = [(base, n) for base, n in factors if not n < 0]  # also where n is not a number
    below = [(base, -n) for base, n in factors if n < 0]
    sign, size = ("-", -over) if over < 0 else ("", over)
    return Expression(
        sign + _fraction_text(size, under, above, below),
        sign + _fraction_latex(size, under, above, below),
        SUM if sign else PRODUCT,
        shape,
        number=None if factors else over / under,
        product=product,
    )


def _names_first(factor: Factor) -> tuple[bool, str]:
    name = factor[0].text
    return (False, name) if name.isidentifier() else (True, "")


def _conditional(conditions: Sequence[Expression], rest: Expression) -> Expression:
    """rest where all conditions hold, else 0."""
    pairs = [e.condition for e in conditions if e.condition]
    text = " & ".join(f"({c})" for c, _ in pairs) if len(pairs) > 1 else pairs[0][0]
    latex = "".join(f"\\left[{c}\\right]" for _, c in pairs)
    latex = latex if rest.number == 1 else f"{rest.latex_within(PRODUCT)} \\, {latex}"
    return Expression(f"where({text}, {rest.text}, 0)", latex, ATOM, level_of_latex=PRODUCT)


def _fraction_text(size: float, under: float, above: Sequence[Factor], below: Sequence[Factor]) -> str:
    top = [_power_text(base, n, first=i == 0 and size == 1) for i, (base, n) in enumerate(above)]
    if size != 1 or not above:
        top.insert(0, _number(size).text)
    bottom = [_power_text(*f, first=i == 0 and under == 1 and len(below) > 1) for i, f in enumerate(below)]
    if under != 1:
        bottom.insert(0, _number(under).text)
    if not bottom:
        return " * ".join(top)
    return f"{' * '.join(top)} / " + (bottom[0] if len(bottom) == 1 else f"({' * '.join(bottom)})")


def _fraction_latex(size: float, under: float, above: Sequence[Factor], below: Sequence[Factor]) -> str:
    top = ([_number(size).latex] if size != 1 or not above else []) + [_power_latex(*f) for f in above]
    bottom = ([_number(under).latex] if under != 1 else []) + [_power_latex(*f) for f in below]
    if not bottom:
        return _juxtaposed(top)
    if len(top) == len(above) == 1 and above[0][1] == 1:
        top = [above[0][0].latex]  # alone above the bar, it needs no brackets
    return f"\\frac{{{_juxtaposed(top)}}}{{{_juxtaposed(bottom)}}}"


def _juxtaposed(factors: list[str]) -> str:
    """LaTeX factors side by side, with a dot before one that starts with a digit."""
    joined = factors[0]
    for factor in factors[1:]:
        joined += (" \\cdot " if factor[0].isdigit() else " ") + factor
    return joined


def _power_text(base: Expression, n: float, first: bool) -> str:
    if n == 1:
        return base.within(PRODUCT if first else POWER)
    return f"{base.within(ATOM)} ** {_number(n).within(POWER)}"


def _power_latex(base: Expression, n: float) -> str:
    return base.latex_within(PRODUCT) if n == 1 else f"{base.latex_within(ATOM)}^{{{_number(n).latex}}}"


def _power(base: Expression, n: float) -> Expression:
    if base.number is not None:
        return _number(float(np.float64(base.number) ** n))
    if n in (0, 1):
        return base if n else _number(1)
    p = _as_product(base)
    if _whole(n) and p.over == p.under == 1 and all(_whole(m) for _, m in p.factors):
        return _product(1, 1, tuple((b, m * n) for b, m in p.factors))
    return _product(1, 1, ((base, n),))


def _terms(e: Expression) -> Sequence[Expression]:
    """What e is the sum of; those of -(x - y) are -x and y."""
    return [_negative(term) for term in _negative(e).terms] or e.terms or (e,)


def _add(a: Expression, b: Expression) -> Expression:
    """a + b; terms with the same factors are counted together."""
    shape = np.broadcast_shapes(a.shape, b.shape)
    terms: dict[tuple[tuple[str, float], ...], Expression] = {}
    for term in (*_terms(a), *_terms(b)):
        over, under, factors = _as_product(term)
        key = tuple(sorted((base.text, n) for base, n in factors))
        if key in terms:
            old = _as_product(terms[key])
            over, under = over * old.under + old.over * under, under * old.under
        terms[key] = _product(over, under, factors)
    kept = tuple(term for term in terms.values() if term.number != 0)
    lead = next((i for i, term in enumerate(kept) if not term.text.startswith("-")), 0)
    kept = (*kept[lead : lead + 1], *kept[:lead], *kept[lead + 1 :])  # b - a reads better than -a + b
    if len(kept) < 2:
        return kept[0] if kept else _number(0)
    text, latex = kept[0].text, kept[0].latex
    for term in kept[1:]:
        positive, minus = (_negative(term), "-") if term.text.startswith("-") else (term, "+")
        text += f" {minus} {positive.within(PRODUCT)}"
        latex += f" {minus} {positive.latex_within(PRODUCT)}"
    return Expression(text, latex, SUM, shape, terms=kept)


def _call(name: str, args: Iterable[str], latex: str, shape: tuple[int, ...]) -> Expression:
    return Expression(f"{name}({', '.join(args)})", latex, ATOM, shape)


# -- one rule for each operator that has a notation of its own ---------------------------------------------------------


def _leaf(t: Tensor, symbols: dict[str, Tensor]) -> Expression:
    if t.name is None and t.size and t.primitive is None:
        first = t.data.flat[0]
        if not (t.data != first).any():
            return _number(float(str(first)))  # in float32, 0.1 as written and not 0.10000000149
    name = re.sub(r"\W", "_", t.name or "") or f"x{len(symbols) + 1}"
    name = f"_{name}" if name[0].isdigit() else name
    name += "_" if keyword.iskeyword(name) or callable(getattr(np, name, None)) else ""
    stem, count = name, 1
    while name in symbols:
        count += 1
        name = f"{stem}_{count}"
    symbols[name] = t
    letter, *rest = name.replace("_", " ").split() or ["x"]
    match = re.fullmatch(r"([A-Za-z])(\d+)", letter)
    stem, subscript = (match[1], match[2]) if match else (letter, "")
    subscript = ",".join([*([subscript] if subscript else []), *rest])
    latex = stem if len(stem) == 1 else f"\\mathrm{{{stem}}}"
    return Expression(name, f"{latex}_{{{subscript}}}" if subscript else latex, ATOM, t.shape)


def _operation(t: Tensor, args: list[Expression]) -> Expression:
    assert t.primitive is not None
    ours = t.primitive.__module__.startswith("minitensor.")  # an operator of the reader's may be called relu, too
    name = t.primitive.name
    if ours and name in ELEMENTWISE:
        return ELEMENTWISE[name](*args, **t.params)
    if ours and name in SHAPES:
        return SHAPES[name](t, args)
    full = [_of_shape(e, x.shape) for e, x in zip(args, t.inputs, strict=True)]
    if ours and name in NOTATION:
        return NOTATION[name](t, full)
    settings = [f"{key}={_setting(value)}" for key, value in t.params.items()]
    return _function(name, full, settings, t.shape)


def _function(name: str, args: Sequence[Expression], settings: Sequence[str], shape: tuple[int, ...]) -> Expression:
    known = {"exp", "log", "tanh", "max", "min"}
    symbol = f"\\{name}" if name in known else "\\operatorname{" + name.replace("_", "\\_") + "}"
    latex = f"{symbol}\\left({', '.join(e.latex for e in args)}\\right)"
    return _call(name, [*(e.text for e in args), *settings], latex, shape)


def _setting(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"array({value.tolist()})"
    if isinstance(value, Windows):
        fields = (value.size, value.kernel, value.stride, value.dilation, value.margin, value.places)
        return f"Windows{_setting(fields)}"
    if isinstance(value, tuple):
        return f"({', '.join(map(_setting, value))}{',' * (len(value) == 1)})"
    return repr(value)


def _elementwise(name: str) -> Callable[..., Expression]:
    return lambda *args: _function(name, args, (), np.broadcast_shapes(*[e.shape for e in args]))


def _compare(symbol: str, latex: str) -> Callable[..., Expression]:
    def build(x: Expression, y: Expression) -> Expression:
        if x.number is not None and y.number is not None:
            return _number(x.number > y.number if symbol == ">" else x.number >= y.number)
        condition = (f"{x.text} {symbol} {y.text}", f"{x.latex} {latex} {y.latex}")
        shape = np.broadcast_shapes(x.shape, y.shape)
        text = f"where({condition[0]}, 1, 0)"
        return Expression(text, f"\\left[{condition[1]}\\right]", ATOM, shape, condition=condition)

    return build


def _where(condition: Expression, x: Expression, y: Expression) -> Expression:
    if condition.number is not None:
        return x if condition.number else y
    text, latex = condition.condition or (f"{condition.text} != 0", f"{condition.latex} \\neq 0")
    shape = np.broadcast_shapes(condition.shape, x.shape, y.shape)
    cases = f"\\begin{{cases}} {x.latex} & {latex} \\\\ {y.latex} & \\text{{otherwise}} \\end{{cases}}"
    return _call("where", (text, x.text, y.text), cases, shape)._replace(level_of_latex=PRODUCT)


def _exp(x: Expression) -> Expression:
    return Expression(f"exp({x.text})", f"e^{{{x.latex}}}", ATOM, x.shape, level_of_latex=POWER)


def _sqrt(x: Expression) -> Expression:
    return _call("sqrt", [x.text], f"\\sqrt{{{x.latex}}}", x.shape)


def _abs(x: Expression) -> Expression:
    return _call("abs", [x.text], f"\\left|{x.latex}\\right|", x.shape)


def _relu(x: Expression) -> Expression:
    return _function("relu", [x], (), x.shape)._replace(text=f"maximum({x.text}, 0)")


def _leaky_relu(x: Expression, slope: float) -> Expression:
    inner = _multiply(_number(slope), x)
    return _function("leaky_relu", [x], (), x.shape)._replace(text=f"where({x.text} > 0, {x.text}, {inner.text})")


def _sigmoid(x: Expression) -> Expression:
    text = f"1 / (1 + exp({_negative(x).text}))"
    return Expression(text, f"\\sigma\\left({x.latex}\\right)", PRODUCT, x.shape, level_of_latex=ATOM)


def _softplus(x: Expression) -> Expression:
    return _function("softplus", [x], (), x.shape)._replace(text=f"logaddexp(0, {x.text})")


def _float_power(x: Expression, y: Expression) -> Expression:
    if y.number is not None:
        return _power(x, y.number)
    text = f"{x.within(ATOM)} ** {y.within(POWER)}"
    shape = np.broadcast_shapes(x.shape, y.shape)
    return Expression(text, f"{x.latex_within(ATOM)}^{{{y.latex}}}", POWER, shape)


ELEMENTWISE: dict[str, Callable[..., Expression]] = {
    "add": _add,
    "subtract": lambda x, y: _add(x, _negative(y)),
    "multiply": _multiply,
    "divide": _divide,
    "negative": _negative,
    "power": lambda x, exponent: _power(x, exponent),
    "float_power": _float_power,
    "exp": _exp,
    "log": _elementwise("log"),
    "sqrt": _sqrt,
    "tanh": _elementwise("tanh"),
    "abs": _abs,
    "sign": _elementwise("sign"),
    "maximum": _elementwise("maximum"),
    "minimum": _elementwise("minimum"),
    "relu": _relu,
    "leaky_relu": _leaky_relu,
    "sigmoid": _sigmoid,
    "softplus": _softplus,
    "greater": _compare(">", ">"),
    "greater_equal": _compare(">=", "\\geq"),
    "where": _where,
    "astype": lambda x, dtype: x,
}


# -- shapes ------------------------------------------------------------------------------------------------------------


def _of_shape(e: Expression, shape: tuple[int, ...]) -> Expression:
    """The expression with the very shape of its Tensor, for an operator that looks at shapes."""
    if e.shape == shape and e.number is None:
        return e
    lengths = _setting(shape)
    if e.number is not None:
        return _same_latex(e, f"full({lengths}, {e.text})", shape)
    return _same_latex(e, f"broadcast_to({e.text}, {lengths})", shape)


def _same_latex(e: Expression, text: str, shape: tuple[int, ...]) -> Expression:
    """An expression that only its shape tells from e: mathematics does not write that down."""
    return Expression(text, e.latex, ATOM, shape, level_of_latex=e.latex_level)


def _reshape(t: Tensor, args: list[Expression]) -> Expression:
    (e,), after = args, t.shape

    def without_ones_in_front(shape: tuple[int, ...]) -> tuple[int, ...]:
        return without_ones_in_front(shape[1:]) if shape and shape[0] == 1 else shape

    if len(e.shape) <= len(after) and without_ones_in_front(e.shape) == without_ones_in_front(after):
        return e  # NumPy puts axes of length 1 in front by itself
    if e.shape == ():
        return e  # one number, in whatever shape
    e = _of_shape(e, t.inputs[0].shape)
    return _same_latex(e, f"reshape({e.text}, {_setting(after)})", after)


def _sum(t: Tensor, args: list[Expression]) -> Expression:
    """A sum over axes along which all terms are the same is a product with their number."""
    e = args[0]
    before, axes, keepdims = t.inputs[0].shape, t.params["axis"], t.params["keepdims"]
    missing = len(before) - len(e.shape)  # axes in front that the text leaves to broadcasting
    own = tuple(a - missing for a in axes if a >= missing)  # the axes of the text that are summed over
    long = tuple(a for a in own if e.shape[a] != 1)
    count = prod(before[a] for a in axes if a - missing not in long)
    if long:
        e = _reduction("sum", e, long if keepdims else own, keepdims)
    elif own and not keepdims:
        shape = tuple(n for a, n in enumerate(e.shape) if a not in own)
        e = _same_latex(e, f"reshape({e.text}, {_setting(shape)})", shape)
    return _multiply(_number(count), e)


def _reduction(name: str, e: Expression, axes: tuple[int, ...], keepdims: bool) -> Expression:
    settings = []
    if len(axes) < len(e.shape):
        settings.append(f"axis={_setting(axes[0] if len(axes) == 1 else axes)}")
    if keepdims:
        settings.append("keepdims=True")
    subscript = f"_{{{','.join(map(str, axes))}}}" if len(axes) < len(e.shape) else ""
    latex = f"\\{name}{subscript} {e.latex_within(PRODUCT)}"
    shape = tuple(1 if a in axes else n for a, n in enumerate(e.shape) if keepdims or a not in axes)
    return Expression(f"{name}({', '.join([e.text, *settings])})", latex, ATOM, shape, level_of_latex=SUM)


def _extremum(name: str) -> Callable[[Tensor, list[Expression]], Expression]:
    return lambda t, args: _reduction(name, args[0], t.params["axis"], t.params["keepdims"])


def _logsumexp(t: Tensor, args: list[Expression]) -> Expression:
    inner = _reduction("sum", _exp(args[0]), t.params["axis"], t.params["keepdims"])
    return _function("log", [inner], (), t.shape)


def _transpose(t: Tensor, args: list[Expression]) -> Expression:
    (e,), axes = args, t.params["axes"]
    if e.shape == ():
        return e
    e = _of_shape(e, t.inputs[0].shape)
    latex = f"{e.latex_within(ATOM)}^\\top"
    if axes == (1, 0):
        text = f"{e.within(ATOM)}.T"
        return e.transposed or Expression(text, latex, ATOM, t.shape, level_of_latex=POWER, transposed=e)
    return _call("transpose", (e.text, _setting(axes)), latex, t.shape)


def _matmul(t: Tensor, args: list[Expression]) -> Expression:
    x, y = args
    latex = f"{x.latex_within(PRODUCT)} {y.latex_within(PRODUCT)}"
    return Expression(f"{x.within(PRODUCT)} @ {y.within(POWER)}", latex, PRODUCT, t.shape)


def _einsum(t: Tensor, args: list[Expression]) -> Expression:
    spec = t.params["spec"]
    latex = f"\\operatorname{{einsum}}_{{{spec}}}\\left({', '.join(e.latex for e in args)}\\right)"
    return _call("einsum", (repr(spec), *(e.text for e in args)), latex.replace("->", " \\to "), t.shape)


def _index(t: Tensor, args: list[Expression]) -> Expression:
    (e,), key = args, t.params["key"]
    subscript = ", ".join("\\ldots" if isinstance(part, np.ndarray | type(...)) else _part(part) for part in key)
    text = f"{e.within(ATOM)}[{', '.join(map(_part, key)) or '()'}]"
    return Expression(text, f"{{{e.latex_within(ATOM)}}}_{{[{subscript}]}}", ATOM, t.shape)


def _part(part: Any) -> str:
    """One part of an index, as it is written between square brackets."""
    if part is Ellipsis:
        return "..."
    if not isinstance(part, slice):
        return _setting(part)
    start, stop = ("" if n is None else str(n) for n in (part.start, part.stop))
    return f"{start}:{stop}" + (f":{part.step}" if part.step not in (None, 1) else "")


def _joined(name: str, t: Tensor, args: list[Expression]) -> Expression:
    joined = f"({', '.join(e.text for e in args)},)"
    latex = f"\\left[{', '.join(e.latex for e in args)}\\right]"
    return _call(name, (joined, f"axis={t.params['axis']}"), latex, t.shape)


def _pad(t: Tensor, args: list[Expression]) -> Expression:
    (e,), fill = args, t.params["constant_values"]
    more = [f"constant_values={fill!r}"] if fill else []
    return _call(
        "pad", (e.text, _setting(t.params["widths"]), *more), f"\\operatorname{{pad}}{e.latex_within(ATOM)}", t.shape
    )


SHAPES: dict[str, Callable[[Tensor, list[Expression]], Expression]] = {  # these take texts of a smaller shape
    "broadcast_to": lambda t, args: args[0],
    "sum": _sum,
    "reshape": _reshape,
    "transpose": _transpose,
}
NOTATION: dict[str, Callable[[Tensor, list[Expression]], Expression]] = {
    "max": _extremum("max"),
    "min": _extremum("min"),
    "logsumexp": _logsumexp,
    "matmul": _matmul,
    "einsum": _einsum,
    "index": _index,
    "concatenate": partial(_joined, "concatenate"),
    "stack": partial(_joined, "stack"),
    "pad": _pad,
}
