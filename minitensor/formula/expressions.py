"""The algebra of formulas: numbers, sums, products, powers and calls, as text and LaTeX, tidied as they are built.

What you can do here: `number`, `add`, `negative`, `multiply`, `divide`, `power` and `function` make an `Expression` of
others, which has the text and the LaTeX of one Tensor's mathematics.

Numbers are worked out; products and sums are flat lists in which equal factors and equal terms are counted (x * x is
x ** 2, x + x is 2 * x).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from math import gcd
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from ..checks import Sizes
from ..tensor import NO_SETTINGS

# How tightly an expression holds together: what is inside another one needs brackets if it holds less tightly.
SUM, PRODUCT, POWER, ATOM = range(4)


class Expression(NamedTuple):
    """Text, LaTeX, and what is needed to tidy a larger expression that has this one as a part.

    `shape` is that of the text's value, which may be smaller than the Tensor's where broadcasting makes up for it.
    """

    text: str
    latex: str
    level: int = ATOM
    shape: Sizes = ()
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


def number(value: float) -> Expression:
    """A number with all its digits; a whole one without a point, and 0 without a sign."""
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


def multiply(a: Expression, b: Expression) -> Expression:
    """a b; powers of the same base are counted together."""
    return _times(_as_product(a), _as_product(b))


def divide(a: Expression, b: Expression) -> Expression:
    """a / b"""
    over, under, factors = _as_product(b)
    return _times(_as_product(a), Product(under, over, tuple((base, -n) for base, n in factors)))


def negative(x: Expression) -> Expression:
    """-x"""
    return multiply(number(-1), x)


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
        return number(float(np.float64(over) / np.float64(under)))
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
        top.insert(0, number(size).text)
    bottom = [_power_text(*f, first=i == 0 and under == 1 and len(below) > 1) for i, f in enumerate(below)]
    if under != 1:
        bottom.insert(0, number(under).text)
    if not bottom:
        return " * ".join(top)
    return f"{' * '.join(top)} / " + (bottom[0] if len(bottom) == 1 else f"({' * '.join(bottom)})")


def _fraction_latex(size: float, under: float, above: Sequence[Factor], below: Sequence[Factor]) -> str:
    top = _side_by_side(size, above)
    if not below and under == 1:
        return top
    if len(above) == size == above[0][1] == 1:
        top = above[0][0].latex  # alone above the bar, it needs no brackets
    return f"\\frac{{{top}}}{{{_side_by_side(under, below)}}}"


def _side_by_side(size: float, factors: Sequence[Factor]) -> str:
    """LaTeX factors in a row, with a dot before one that starts with a digit.

    Two arrays have a ring between them, since side by side they would be a product of matrices.
    """
    several = sum(base.shape != () for base, _ in factors) > 1
    row, arrays = number(size).latex if size != 1 or not factors else "", 0
    for base, n in factors:
        latex = base.latex_within(POWER if several else PRODUCT) if n == 1 else _power_latex(base, n)
        arrays += base.shape != ()
        sign = " \\odot " if base.shape and arrays > 1 else " \\cdot " if latex[0].isdigit() else " "
        row += sign + latex if row else latex
    return row


def _power_text(base: Expression, n: float, first: bool) -> str:
    if n == 1:
        return base.within(PRODUCT if first else POWER)
    return f"{base.within(ATOM)} ** {number(n).within(POWER)}"


def _power_latex(base: Expression, n: float) -> str:
    return f"{base.latex_within(ATOM)}^{{{number(n).latex}}}"


def power(base: Expression, n: float) -> Expression:
    """base ** n; a whole power of a product of whole powers is multiplied out."""
    if base.number is not None:
        return number(float(np.float64(base.number) ** n))
    if n in (0, 1):
        return base if n else number(1)
    p = _as_product(base)
    if _whole(n) and p.over == p.under == 1 and all(_whole(m) for _, m in p.factors):
        return _product(1, 1, tuple((b, m * n) for b, m in p.factors))
    return _product(1, 1, ((base, n),))


def _terms(e: Expression) -> Sequence[Expression]:
    """What e is the sum of; those of -(x - y) are -x and y."""
    return [negative(term) for term in negative(e).terms] or e.terms or (e,)


def add(a: Expression, b: Expression) -> Expression:
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
        return kept[0] if kept else number(0)
    text, latex = kept[0].text, kept[0].latex
    for term in kept[1:]:
        positive, minus = (negative(term), "-") if term.text.startswith("-") else (term, "+")
        text += f" {minus} {positive.within(PRODUCT)}"
        latex += f" {minus} {positive.latex_within(PRODUCT)}"
    return Expression(text, latex, SUM, shape, terms=kept)


# -- calls -------------------------------------------------------------------------------------------------------------

NAMED_IN_LATEX = {"exp", "log", "sin", "cos", "tanh", "max", "min"}
TEX = str.maketrans({c: f"\\{c}" for c in "#$%&_{}"} | {"\\": "\\textbackslash{}"})  # what means something to TeX


def function(
    name: str, args: Sequence[Expression], settings: Mapping[str, Any] = NO_SETTINGS, shape: Sizes | None = None
) -> Expression:
    """name(args, settings); in LaTeX the settings stand below the name.  The shape is that of args, if not given."""
    said = [f"{key}={setting(value)}" for key, value in settings.items()]
    text = f"{name}({', '.join([*(e.text for e in args), *said])})"
    symbol = f"\\{name}" if name in NAMED_IN_LATEX else f"\\operatorname{{{name.translate(TEX)}}}"
    below = f"_{{{', '.join(map(latex_setting, said))}}}" if said else ""
    latex = f"{symbol}{below}\\left({', '.join(e.latex for e in args)}\\right)"
    return Expression(text, latex, ATOM, np.broadcast_shapes(*[e.shape for e in args]) if shape is None else shape)


def literal(value: Any) -> Expression:
    """A setting that is passed by position."""
    return Expression(setting(value), latex_setting(setting(value)))


def setting(value: Any) -> str:
    """A setting as Python that evaluates to it.

    >>> setting((np.int64(2), slice(None), np.array([0, 1]))), setting(np.zeros((2, 0), bool))
    ('(2, slice(None, None, None), array([0, 1]))', 'zeros((2, 0), bool)')
    """
    if isinstance(value, np.ndarray):  # an empty one would be read as one of floats
        return f"array({value.tolist()})" if value.size else f"zeros({value.shape}, {value.dtype})"
    if isinstance(value, tuple):
        return f"({', '.join(map(setting, value))}{',' * (len(value) == 1)})"
    if isinstance(value, list):
        return f"[{', '.join(map(setting, value))}]"
    if isinstance(value, slice):
        return f"slice{setting((value.start, value.stop, value.step))}"
    return repr(value.item() if isinstance(value, np.generic) else value)


def latex_setting(said: str) -> str:
    """A setting in LaTeX: numbers as they are, words upright.

    >>> latex_setting("(2, 1)"), latex_setting("constant_values")
    ('(2, 1)', '\\\\text{constant\\\\_values}')
    """
    return said if re.fullmatch(r"[-\d.,:() \[\]]*", said) else f"\\text{{{said.translate(TEX)}}}"
