"""How each operator is written: one rule for each that has a notation of its own.

What you can do here: `leaf` gives a Tensor its name, `operation` writes an operator with the expressions of its inputs.

A rule says what a person would write for NumPy and minitensor: what is only there to make shapes fit is left out where
NumPy broadcasts anyway, and a setting where it is the usual.  What has no rule is written as a call with its settings.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable, Sequence
from functools import partial
from math import prod
from typing import Any, TypeAlias
from unicodedata import normalize

import numpy as np

from .. import activations, conv, more, pool
from ..checks import Sizes
from ..more import functions, losses, pools, rearrange, reductions
from ..ops import contract, elementwise, reduce
from ..ops import shape as shapes
from ..tensor import Primitive, Tensor
from ..windows import Windows, _fold, _windows
from .expressions import (
    ATOM,
    POWER,
    PRODUCT,
    SUM,
    TEX,
    Expression,
    add,
    divide,
    function,
    literal,
    multiply,
    negative,
    number,
    power,
    setting,
)


def leaf(t: Tensor, symbols: dict[str, Tensor], scripts: set[str], functions: set[str]) -> Expression:
    """A Tensor that is not taken apart: its number or its name, made to differ from functions and earlier names.

    The name is added to the symbols and its LaTeX to the scripts; where two would look the same, as x1 and x_1, the
    second is written as in the text.
    """
    if t.name is None and t.size and not t.inputs:
        first = t.data.flat[0]
        if not (t.data != first).any():
            return number(float(str(first)))  # in float32, 0.1 as written and not 0.10000000149
    words = re.sub(r"\W", "_", normalize("NFKC", t.name or ""))  # as Python reads it: x1 for x₁
    name = "".join([c if f"_{c}".isidentifier() else "_" for c in words]) or f"x{len(symbols) + 1}"
    name = name if name.isidentifier() else f"_{name}"
    called = callable(getattr(np, name, None)) or re.sub(r"[123]d$", "", name) in functions
    name += "_" if called or keyword.iskeyword(name) else ""
    stem, count = name, 1
    while name in symbols:
        count += 1
        name = f"{stem}_{count}"
    latex = _script(name) if _script(name) not in scripts else f"\\mathrm{{{name.translate(TEX)}}}"
    symbols[name] = t
    scripts.add(latex)
    return Expression(name, latex, ATOM, t.shape)


def _script(name: str) -> str:
    """A name in LaTeX: a letter is a symbol, a word is upright, and what follows is an index."""
    letter, *rest = name.replace("_", " ").split() or ["x"]
    match = re.fullmatch(r"([A-Za-z])(\d+)", letter)
    stem, subscript = (match[1], match[2]) if match else (letter, "")
    subscript = ",".join([*([subscript] if subscript else []), *rest])
    latex = stem if len(stem) == 1 else f"\\mathrm{{{stem}}}"
    return f"{latex}_{{{subscript}}}" if subscript else latex


def operation(t: Tensor, args: list[Expression]) -> Expression:
    """A Tensor that is taken apart: its operator, with the expressions of its inputs."""
    assert t.primitive is not None
    if t.primitive in ELEMENTWISE:
        return ELEMENTWISE[t.primitive](*args, **t.params)
    if t.primitive in SHAPES:
        return SHAPES[t.primitive](t, *args)
    full = [_of_shape(e, x.shape) for e, x in zip(args, t.inputs, strict=True)]
    if t.primitive in NOTATION:
        return NOTATION[t.primitive](t, *full)
    return function(t.primitive.name, full, t.params, t.shape)


def _unusual(**settings: tuple[Any, Any]) -> dict[str, Any]:
    """Of settings, each given with the usual value behind its own, those that differ from it."""
    return {name: value for name, (value, usual) in settings.items() if value != usual}


# -- element by element: these take texts of a smaller shape -----------------------------------------------------------


def _call(name: str, latex: Callable[..., str] | None = None, level: int = ATOM) -> Callable[..., Expression]:
    """A function with LaTeX of its own, or none."""

    def build(*args: Expression) -> Expression:
        call = function(name, args)
        return call._replace(latex=latex(*args), level_of_latex=level) if latex else call

    return build


_exp = _call("exp", lambda x: f"e^{{{x.latex}}}", POWER)


def _log(x: Expression) -> str:
    return function("log", [x]).latex


def _if(text: str, latex: str, shape: Sizes) -> Expression:
    """1 where it holds, else 0."""
    return Expression(f"where({text}, 1, 0)", f"\\left[{latex}\\right]", ATOM, shape, condition=(text, latex))


def _compare(symbol: str, latex: str, x: Expression, y: Expression) -> Expression:
    if x.number is not None and y.number is not None:
        return number(x.number > y.number if symbol == ">" else x.number >= y.number)
    shape = np.broadcast_shapes(x.shape, y.shape)
    return _if(f"{x.text} {symbol} {y.text}", f"{x.latex} {latex} {y.latex}", shape)


def _isnan(x: Expression) -> Expression:
    call = function("isnan", [x])
    return _if(call.text, call.latex, x.shape)


def _where(condition: Expression, x: Expression, y: Expression) -> Expression:
    if condition.number is not None:
        return x if condition.number else y
    text, latex = condition.condition or (f"{condition.text} != 0", f"{condition.latex} \\neq 0")
    cases = f"\\begin{{cases}} {x.latex} & {latex} \\\\ {y.latex} & \\text{{otherwise}} \\end{{cases}}"
    shape = np.broadcast_shapes(condition.shape, x.shape, y.shape)
    return Expression(f"where({text}, {x.text}, {y.text})", cases, ATOM, shape, level_of_latex=PRODUCT)


def _sigmoid(x: Expression) -> Expression:
    text = f"1 / (1 + exp({negative(x).text}))"
    return Expression(text, f"\\sigma\\left({x.latex}\\right)", PRODUCT, x.shape, level_of_latex=ATOM)


def _leaky_relu(x: Expression, slope: float) -> Expression:
    return _where(_compare(">", ">", x, number(0)), x, multiply(number(slope), x))


def _float_power(x: Expression, y: Expression) -> Expression:
    if y.number is not None:
        return power(x, y.number)
    text = f"{x.within(ATOM)} ** {y.within(POWER)}"
    return Expression(text, f"{x.latex_within(ATOM)}^{{{y.latex}}}", POWER, np.broadcast_shapes(x.shape, y.shape))


PLAIN = (elementwise.log, elementwise.tanh, elementwise.sign, elementwise.maximum, more.minimum, more.sin, more.cos,
         more.erf)  # fmt: skip
ELEMENTWISE: dict[Primitive, Callable[..., Expression]] = {
    **{primitive: _call(primitive.name) for primitive in PLAIN},
    elementwise.add: add,
    elementwise.subtract: lambda x, y: add(x, negative(y)),
    elementwise.multiply: multiply,
    elementwise.divide: divide,
    elementwise.negative: negative,
    elementwise._power: lambda x, exponent: power(x, exponent),
    functions.float_power: _float_power,
    elementwise.exp: _exp,
    elementwise.sqrt: _call("sqrt", lambda x: f"\\sqrt{{{x.latex}}}"),
    elementwise.abs: _call("abs", lambda x: f"\\left|{x.latex}\\right|"),
    elementwise.greater: partial(_compare, ">", ">"),
    elementwise.greater_equal: partial(_compare, ">=", "\\geq"),
    elementwise._where: _where,
    elementwise._astype: lambda x, dtype: x if dtype == np.float64 else function("float32", [x]),
    activations.relu: lambda x: function("relu", [x])._replace(text=f"maximum({x.text}, 0)"),
    functions._leaky_relu: _leaky_relu,
    activations.sigmoid: _sigmoid,
    functions.softplus: lambda x: function("softplus", [x])._replace(text=f"logaddexp(0, {x.text})"),
    more.log1p: _call("log1p", lambda x: _log(add(number(1), x))),
    more.expm1: _call("expm1", lambda x: add(_exp(x), number(-1)).latex, SUM),
    more.logaddexp: _call("logaddexp", lambda x, y: _log(add(_exp(x), _exp(y)))),
    more.isnan: _isnan,
    functions._not_below: lambda high, low: high,  # these only check
    losses._distributions: lambda labels: labels,
}

# -- shapes ------------------------------------------------------------------------------------------------------------


def _of_shape(e: Expression, shape: Sizes) -> Expression:
    """The expression with the very shape of its Tensor, for an operator that looks at shapes."""
    if e.number is not None:
        return function("full", [literal(shape), e], shape=shape)
    return e if e.shape == shape else function("broadcast_to", [e, literal(shape)], shape=shape)


def _reshaped(e: Expression, shape: Sizes) -> Expression:
    return function("reshape", [e, literal(shape)], shape=shape)


def _reshape(t: Tensor, e: Expression) -> Expression:
    def without_ones_in_front(shape: Sizes) -> Sizes:
        return without_ones_in_front(shape[1:]) if shape and shape[0] == 1 else shape

    if len(e.shape) <= t.ndim and without_ones_in_front(e.shape) == without_ones_in_front(t.shape):
        return e  # NumPy puts axes of length 1 in front by itself
    if e.shape == ():
        return e  # one number, in whatever shape
    return _reshaped(_of_shape(e, t.inputs[0].shape), t.shape)


def _transpose(t: Tensor, e: Expression) -> Expression:
    axes = t.params["axes"]
    if e.shape == () or axes == tuple(range(t.ndim)):
        return e
    e = _of_shape(e, t.inputs[0].shape)
    if axes != (1, 0):
        return function("transpose", [e, literal(axes)], shape=t.shape)
    latex = f"{e.latex_within(ATOM)}^\\top"
    matrix = Expression(f"{e.within(ATOM)}.T", latex, ATOM, t.shape, level_of_latex=POWER, transposed=e)
    return e.transposed or matrix


def _indexed(e: Expression, key: Sequence[Any], shape: Sizes) -> Expression:
    parts = ", ".join(map(_part, key))
    below = re.sub(r"array\((.*?\])\)", r"\1", parts).replace("...", "\\ldots")
    return Expression(f"{e.within(ATOM)}[{parts or '()'}]", f"{{{e.latex_within(ATOM)}}}_{{[{below}]}}", ATOM, shape)


def _part(part: Any) -> str:
    """One part of an index, as it is written between square brackets."""
    if part is Ellipsis:
        return "..."
    if not isinstance(part, slice):
        return setting(part)
    start, stop = ("" if n is None else str(n) for n in (part.start, part.stop))
    return f"{start}:{stop}" + (f":{part.step}" if part.step not in (None, 1) else "")


def _padded(e: Expression, widths: Sequence[tuple[int, int]], fill: float, shape: Sizes) -> Expression:
    return function("pad", [e, literal(tuple(widths))], _unusual(constant_values=(fill, 0)), shape)


def _joined(name: str, t: Tensor, *args: Expression) -> Expression:
    parts = f"({', '.join(e.text for e in args)}{',' * (len(args) == 1)})"
    together = Expression(parts, ", ".join(e.latex for e in args))
    return function(name, [together], _unusual(axis=(t.params["axis"], 0)), t.shape)


# -- reductions and contractions ---------------------------------------------------------------------------------------


def _sum(t: Tensor, e: Expression) -> Expression:
    """A sum over axes along which all terms are the same is a product with their number."""
    before, axes, keepdims = t.inputs[0].shape, t.params["axis"], t.params["keepdims"]
    missing = len(before) - len(e.shape)  # axes in front that the text leaves to broadcasting
    own = tuple(a - missing for a in axes if a >= missing)  # the axes of the text that are summed over
    long = tuple(a for a in own if e.shape[a] != 1)
    count = prod(before[a] for a in axes if a - missing not in long)
    if long:
        e = _reduction("sum", e, long if keepdims else own, keepdims)
    elif own and not keepdims:
        e = _reshaped(e, tuple(n for a, n in enumerate(e.shape) if a not in own))
    return multiply(number(count), e)


def _reduction(name: str, e: Expression, axis: Sizes, keepdims: bool) -> Expression:
    settings: dict[str, Any] = {}
    below = []
    if len(axis) < len(e.shape):
        settings["axis"] = axis[0] if len(axis) == 1 else axis
        below.append(",".join(map(str, axis)) or "()")
    if keepdims:
        settings["keepdims"] = True
        below.append("\\text{keepdims}")
    shape = tuple(1 if a in axis else n for a, n in enumerate(e.shape) if keepdims or a not in axis)
    script = f"_{{{', '.join(below)}}}" if below else ""
    latex = f"\\{name}{script} {e.latex_within(PRODUCT)}"
    return function(name, [e], settings, shape)._replace(latex=latex, level_of_latex=SUM)


def _logsumexp(t: Tensor, e: Expression) -> Expression:
    return function("log", [_reduction("sum", _exp(e), **t.params)], shape=t.shape)


def _matmul(t: Tensor, x: Expression, y: Expression) -> Expression:
    latex = " ".join(e.latex_within(POWER if e.product else PRODUCT) for e in (x, y))
    return Expression(f"{x.within(PRODUCT)} @ {y.within(POWER)}", latex, PRODUCT, t.shape)


# -- windows -----------------------------------------------------------------------------------------------------------
#
# An operator knows its windows.  Here they are said with the settings from which a user gets them: a single number
# where all axes agree, and only what is not the usual.

USUAL = {"groups": 1, "norm": 2, "count_include_pad": True}


def _sliding(name: str, t: Tensor, *args: Expression) -> Expression:
    """A layer, with the rank behind its name, and the kernel where no weight has it.

    A pool has the stride of its kernel if none is given, and its size may be rounded up.
    """
    windows, pooling = t.params["windows"], "groups" not in t.params
    kernel, padding = _short(windows.kernel), _padding(windows)
    rounded = pooling and padding is None
    if rounded:
        padding = _short(_before(windows))
    elif padding is None:
        padding, args = 0, (_as_read(args[0], windows), *args[1:])
    settings = _unusual(
        stride=(_short(windows.stride), kernel if pooling else 1),
        padding=(padding, 0),
        dilation=(_short(windows.dilation), 1),
        ceil_mode=(rounded, False),
        **{key: (value, USUAL[key]) for key, value in t.params.items() if key in USUAL},
    )
    extra = [] if name == "conv" else [literal(kernel)]
    return function(f"{name}{len(windows.size)}d", [*args, *extra], settings, t.shape)


def _short(values: Sequence[int]) -> int | Sizes:
    """One number, where all are the same."""
    return values[0] if len(set(values)) == 1 else tuple(values)


def _before(windows: Windows) -> list[int]:
    return [before for before, _ in windows.margin]


def _ends(windows: Windows) -> list[int]:
    """Along each axis the pixel behind the last one that is read."""
    lines = zip(windows.places, windows.stride, windows.span, _before(windows), strict=True)
    return [(m - 1) * s + span - before for m, s, span, before in lines]


def _padding(windows: Windows) -> int | Sizes | str | None:
    """The padding that gives these windows, with no rounding up; None if there is none."""
    lines = zip(windows.size, _before(windows), _ends(windows), windows.stride, strict=True)
    if all(0 <= n + before - end < s for n, before, end, s in lines):
        return _short(_before(windows))
    same = Windows.over(windows.size, windows.kernel, padding="same", dilation=windows.dilation)
    return "same" if windows == same else None


def _as_read(x: Expression, windows: Windows) -> Expression:
    """An image cut to what is read of it, and with the margin that is read: windows over it need no padding."""
    lines = list(zip(windows.size, _before(windows), _ends(windows), strict=True))
    widths = [(0, 0)] * (len(x.shape) - len(lines)) + [(min(a, a + end), max(end - n, 0)) for n, a, end in lines]
    if any(end < n for n, _, end in lines):
        x = _indexed(x, (..., *[slice(max(end, 0) if end < n else None) for n, _, end in lines]), ())
    return _padded(x, widths, 0, ()) if any(map(any, widths)) else x


def _cut(image: Expression, starts: Sequence[int], shape: Sizes) -> Expression:
    """The part of an image that begins at these starts and has this shape."""
    if image.shape == shape:
        return image
    lines = list(zip(starts, shape[-len(starts) :], image.shape[-len(starts) :], strict=True))
    return _indexed(image, (..., *[slice(a or None, a + n if a + n < end else None) for a, n, end in lines]), shape)


def _conv_transpose(t: Tensor, g: Expression, w: Expression) -> Expression:
    """A transposed convolution; where output_padding would be negative, the front of a larger image."""
    windows = t.params["windows"]
    lines = zip(windows.size, _before(windows), _ends(windows), strict=True)
    extra = [n + before - end for n, before, end in lines]
    settings = _unusual(
        stride=(_short(windows.stride), 1),
        padding=(_short(_before(windows)), 0),
        output_padding=(_short([max(e, 0) for e in extra]), 0),
        groups=(t.params.get("groups", t.shape[1]), 1),
        dilation=(_short(windows.dilation), 1),
    )
    size = [n - min(e, 0) for n, e in zip(windows.size, extra, strict=True)]
    image = function(f"conv_transpose{len(size)}d", [g, w], settings, (*t.shape[:2], *size))
    return _cut(image, [0] * len(size), t.shape)


def _avg_unpool(t: Tensor, g: Expression) -> Expression:
    """Each g, divided by the count of its window, stamps a kernel of ones, channel by channel."""
    windows, kernels = t.params["windows"], (t.shape[1], 1, *t.params["windows"].kernel)
    counts = windows.counts(t.params["count_include_pad"]).astype(float)
    share = divide(g, literal(counts)._replace(shape=counts.shape) if np.ptp(counts) else number(counts.flat[0]))
    return _conv_transpose(t, _of_shape(share, t.inputs[0].shape), _of_shape(number(1), kernels))


def _windows_of(t: Tensor, x: Expression) -> Expression:
    windows = t.params["windows"]
    return _patches("windows", x if _padding(windows) == 0 else _as_read(x, windows), windows.kernel, t)


def _folded(t: Tensor, g: Expression) -> Expression:
    """With a margin, what lies within a larger image."""
    windows = t.params["windows"]
    starts = _before(windows)
    size = tuple(a + max(n, end) for n, a, end in zip(windows.size, starts, _ends(windows), strict=True))
    image = _patches("fold", g, size, t)
    return _cut(image._replace(shape=(*t.shape[: -len(size)], *size)), starts, t.shape)


def _patches(name: str, e: Expression, lengths: Sizes, t: Tensor) -> Expression:
    """windows or fold, to which the lengths say how many axes slide."""
    stride, dilation = (_short(getattr(t.params["windows"], name)) for name in ("stride", "dilation"))
    first = literal(lengths if len(lengths) > 1 else lengths[0])
    return function(name, [e, first], _unusual(stride=(stride, 1), dilation=(dilation, 1)), t.shape)


Rule: TypeAlias = Callable[..., Expression]

SHAPES: dict[Primitive, Rule] = {  # these take texts of a smaller shape
    shapes._broadcast_to: lambda t, x: x,
    shapes._reshape: _reshape,
    shapes._transpose: _transpose,
    reduce._sum: _sum,
    pool._avg_unpool: _avg_unpool,
}
NOTATION: dict[Primitive, Rule] = {
    shapes._index: lambda t, x: _indexed(x, t.params["key"], t.shape),
    shapes._pad: lambda t, x: _padded(x, t.params["widths"], t.params["constant_values"], t.shape),
    shapes._concatenate: partial(_joined, "concatenate"),
    rearrange._stack: partial(_joined, "stack"),
    reduce._max: lambda t, x: _reduction("max", x, **t.params),
    reductions._min: lambda t, x: _reduction("min", x, **t.params),
    reductions._logsumexp: _logsumexp,
    contract._matmul: _matmul,
    contract._einsum: lambda t, *xs: function("einsum", [literal(t.params["spec"]), *xs], shape=t.shape),
    **{p: partial(_sliding, p.name) for p in (conv._conv, conv._conv_weight, pool._max_pool, pool._max_unpool,
                                              pool._at_maxima, pool._avg_pool, pools._lp_pool)},
    conv._conv_transpose: _conv_transpose,
    _windows: _windows_of,
    _fold: _folded,
}  # fmt: skip
OURS = {p.name for p in (*ELEMENTWISE, *SHAPES, *NOTATION)} | {"inf", "nan"}  # no Tensor's name may hide these
