"""A page that steps forward and backward through a computation, one operator at a time.

What you can do here: write a `stepper`, one HTML file that needs nothing else, and open it in a browser.

Everything on the page has been computed here: the value of each Tensor, the rule of each operator as a formula, what it
adds to the gradient of each input, and through which elements.  The page (data/stepper.js) only shows it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from minitensor import Tensor, formula, gradients, history, program
from minitensor.backprop import unbroadcast
from minitensor.formula import Formula
from minitensor.program.programs import as_identifier
from minitensor.tensor import Array

from ..drawing.dot import GREY, LAYERED, Digraph, plain, visible
from ..drawing.figure import Figure
from ..drawing.render import write_whole
from ..subjects.computation import SPINE, UNSAID, in_one_line, spine, uniform
from .page import Back, as_json, body_of, check_title, colors, json_number, link_back, page, script_of, text_of

MOST_OPERATORS = 150
MOST_CELLS = 400  # of an array that is written out
MOST_PARTS = 4_000  # of a sum that is taken apart, element by element

SETTING = re.compile(r", (\w+)=(\((?:[^()]|\([^()]*\))*\)|\w+)")
POWER = re.compile(r" \*\* (?:\((-\d+)\)|(\d+))(?![\w.])")
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

Json = dict[str, Any]


def stepper(
    output: Tensor, path: str | Path, *, title: str = "Backpropagation, step by step", back: Back = None
) -> Path:
    """Write an HTML page that steps through the computation of output, and through backpropagation; returns the path.

    The formula of the whole stands above. Forward, each step is an operator, its inputs and its value. Backward,
    each step is an operator t with the gradient g that has arrived at it, its rule for each input as a formula, with
    numbers and as a line of NumPy, what it passes on, and the sum so far. Point at an element of what is passed on to
    see which elements of g are added into it: for a convolution, the windows that have read it. Where output has
    several elements, their sum is differentiated.
    back: the address of a page that this one links back to, or (address, words).
    Keys: left and right arrow, home, end, space.  The page asks nothing of the network.
    Raises TypeError for what is not a Tensor or a title that is not text, ValueError for more than 150 operators.

    >>> import tempfile
    >>> x = Tensor(2.0, name="x")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     page = stepper(x * x, Path(folder, "square.html")).read_text(encoding="utf-8")
    >>> "multiply" in page, "http://" in page.replace("http://www.w3.org/", "")
    (True, False)
    """
    if not isinstance(output, Tensor):
        raise TypeError(f"a Tensor's computation can be stepped through, got {type(output).__name__}")
    check_title(title)
    tensors = history(output)[::-1]
    operators = [t for t in tensors if t.inputs]  # what has none is given, also what was drawn at random
    if len(operators) > MOST_OPERATORS:
        raise ValueError(
            f"{len(operators):,} operators are too many to step through (more than {MOST_OPERATORS}): "
            "use fewer layers, or step through a part"
        )
    number = {t: n for n, t in enumerate(tensors)}
    names = _names(tensors)
    drawing = _drawing(tensors, number, names).svg()
    data = {
        "nodes": [{"name": names[t], "value": _array(t.data), "made": bool(t.inputs)} for t in tensors],
        "steps": _steps(output, tensors, number, names),
    }
    whole = f"{names[output]} = {_whole_formula(tensors, names)}" if operators else names[output]
    return write_whole(path, _page(visible(title), visible(whole), drawing, data, back))


def _whole_formula(tensors: Sequence[Tensor], names: Mapping[Tensor, str]) -> str:
    """The formula of the newest of these, with the names that the page has for what is given."""
    copies: dict[Tensor, Tensor] = {}
    for t in tensors:
        if t.primitive and t.inputs:
            copies[t] = t.primitive(*(copies[x] for x in t.inputs), **t.params)
        else:
            copies[t] = Tensor(t.data, name=None if _is_constant(t) else names[t])
    try:
        return as_written(formula(copies[tensors[-1]]))
    except ValueError:
        return "(a formula too long to be read)"


def _names(tensors: Sequence[Tensor]) -> dict[Tensor, str]:
    """Names for Tensors: their own as formulas and programs write them, else v1, v2, ..., of a constant its number."""
    names: dict[Tensor, str] = {}
    taken = {"g"}  # the gradient that has arrived at an operator
    for t in tensors:
        own = str(formula(Tensor(0.0, name=as_identifier(t.name[:20])))) if t.name else ""
        if _is_constant(t):
            names[t] = _short(t.item())
            continue
        name, n = own or "v1", 1
        while name in taken:
            n += 1
            name = f"{own or 'v'}{n}"
        taken.add(name)
        names[t] = name
    return names


# -- what happens at each step -----------------------------------------------------------------------------------------


def _steps(
    output: Tensor, tensors: Sequence[Tensor], number: Mapping[Tensor, int], names: Mapping[Tensor, str]
) -> list[Json]:
    steps: list[Json] = [{"kind": "start", "text": "The inputs have their values; nothing is computed yet."}]
    for t in tensors:
        if t.inputs:
            y, inputs = _again(t, names)
            made = formula(y)
            text = f"Forward: {names[t]} = {as_written(made + _with_numbers(made, t))}"
            facts = {"python": _python(names[t], y, inputs), "inputs": _given(t, number)}
            steps.append({"kind": "forward", "node": number[t], "text": text, **facts})
    sums: dict[Tensor, Array] = {output: np.ones(output.shape)}
    what = names[output] if output.size == 1 else f"the sum of {names[output]}"
    steps.append(
        {
            "kind": "seed",
            "node": number[output],
            "text": f"Backward begins: the derivative of {what} by itself is 1",
            "sum": _array(sums[output]),
        }
    )
    for t in reversed(tensors):
        if t.inputs and t in sums:
            steps.append(_backward_step(t, sums, number, names))
    return steps


def _backward_step(
    t: Tensor, sums: dict[Tensor, Array], number: Mapping[Tensor, int], names: Mapping[Tensor, str]
) -> Json:
    assert t.primitive is not None
    y, inputs = _again(t, names)
    g = Tensor(sums[t].astype(t.dtype), name="g")
    parts = []
    for slot, x in enumerate(t.inputs):
        rule = t.primitive.vjp(slot)
        share = rule(g, y, *inputs, **t.params) if rule else None
        if share is None:
            continue
        said = formula(share, given=[y, g, *inputs])
        passed, sources = _passed_on(t, slot, sums[t])
        before = sums.get(x)
        sums[x] = passed if before is None else before + passed
        parts.append(
            {
                "to": number[x],
                "name": names[x],
                "slot": slot,
                "rule": as_written(said + _with_numbers(said, share)),
                "python": _python(f"d_{names[x]}", unbroadcast(share, x), [g, y, *inputs]),
                "share": _array(passed),
                "before": None if before is None else _array(before),
                "sum": _array(sums[x]),
                "sources": sources,
            }
        )
    text = f"Backward through {names[t]} = {as_written(formula(y))}"
    g_and_parts = {"g": _array(sums[t]), "parts": parts, "inputs": _given(t, number)}
    return {"kind": "backward", "node": number[t], "text": text, **g_and_parts}


def _python(name: str, made: Tensor, given: Sequence[Tensor]) -> str:
    """The lines of NumPy that compute a Tensor from those that are given, and how the windows lie that they name."""
    known = {t.name: t for t in given if t.name is not None}
    if made in known.values():
        return f"{name} = {made.name}"
    try:
        written = program({name: made}, known)
    except ValueError:  # an operator that cannot be printed
        return ""
    _, _, body = str(written).partition("):\n")
    lines = [line.partition("  # ")[0].removeprefix("    ").rstrip() for line in body.splitlines()]
    for windows, lie in re.findall(r"^(\w+) = Windows\(.*\)  # (.+)$", written.source, re.MULTILINE):
        lines = [line + f"  # {windows}: {lie}" * line.endswith(f"={windows})") for line in lines]
    return visible("\n".join(line for line in lines if not line.startswith("return ")))


def _given(t: Tensor, number: Mapping[Tensor, int]) -> list[int]:
    """The inputs of an operator that are no mere numbers, each once."""
    return [number[x] for x in dict.fromkeys(t.inputs) if not _is_constant(x)]


def _again(t: Tensor, names: Mapping[Tensor, str]) -> tuple[Tensor, list[Tensor]]:
    """The operator once more, on inputs that have names and no history: so its formula is that of one step."""
    assert t.primitive is not None
    copies = {x: Tensor(x.data, name=None if _is_constant(x) else names[x]) for x in t.inputs}
    inputs = [copies[x] for x in t.inputs]
    y = t.primitive(*inputs, **t.params)
    y.name = names[t]
    return y, inputs


def _is_constant(t: Tensor) -> bool:
    return not t.inputs and not t.name and t.size == 1


def _passed_on(t: Tensor, slot: int, g: Array) -> tuple[Array, list[list[list[Any]]] | None]:
    """What t passes on to one input, and for each of its elements j the terms [i, g_i, dy_i/dx_j] that it sums."""
    assert t.primitive is not None
    inputs = [x.detach() for x in t.inputs]
    x = inputs[slot]
    y = t.primitive(*inputs, **t.params)
    [passed] = gradients(y, [x], g.astype(y.dtype))
    if max(x.size, y.size) > MOST_CELLS or y.size == 1:
        return passed.data, None
    # A window reads all of its cells, whatever the kernel holds: where another input is 0, a term has the factor 0.
    filled = [x if other is x else Tensor(np.where(other.data == 0, 1, other.data)) for other in inputs]
    wired = t.primitive(*filled, **t.params)
    terms: list[list[list[Any]]] = [[] for _ in range(x.size)]
    for i in range(y.size):
        seed = np.eye(1, y.size, i, dtype=y.dtype).reshape(y.shape)
        [slope], [there] = gradients(y, [x], seed), gradients(wired, [x], seed)
        for j in np.flatnonzero((slope.data != 0) | (there.data != 0)):
            terms[j].append([i, json_number(g.flat[i]), json_number(slope.data.flat[j])])
    return passed.data, terms if sum(map(len, terms)) <= MOST_PARTS else None


def _with_numbers(said: Formula, result: Tensor) -> str:
    """The formula once more with numbers for its names, and what comes out, where all of them are single numbers."""
    if result.size != 1 or any(t.size != 1 for t in said.symbols.values()):
        return ""
    text = str(said)
    if text in said.symbols:
        return f" = {result.item():.4g}"
    values = {name: t.item() for name, t in said.symbols.items()}
    numbers = re.sub(r"\b[A-Za-z_]\w*\b", lambda m: _bracketed(values[m[0]]) if m[0] in values else m[0], text)
    outcome = f"{result.item():.4g}"
    return "".join(f" = {part}" for part in dict.fromkeys([numbers, outcome]) if part != text)


def _bracketed(value: float) -> str:
    return f"({value:.4g})" if value < 0 else f"{value:.4g}"


def _short(value: float) -> str:
    return f"{value:.4g}".replace("-", "\N{MINUS SIGN}")


def as_written(text: str) -> str:
    """A formula as it is written by hand, and not in Python; settings that change nothing are left out.

    >>> as_written("(-2) * tanh(x) ** 2")
    '(\N{MINUS SIGN}2) · tanh(x)²'
    >>> as_written("sum(x, axis=0, keepdims=False)")
    'sum(x, axis=0)'
    """

    def said(found: re.Match[str]) -> str:
        name, value = found.groups()
        return "" if name in UNSAID and uniform(ast.literal_eval(value)) == UNSAID[name] else found[0]

    text = POWER.sub(lambda m: (m[1] or m[2]).translate(SUPERSCRIPTS), SETTING.sub(said, text))
    return text.replace(" ** ", "^").replace(" * ", " · ").replace("-", "\N{MINUS SIGN}")


def _array(array: Array) -> Json:
    """An array for the page: its shape, and its numbers or, where they are too many, a summary."""
    if array.size > MOST_CELLS:
        return {"shape": list(array.shape), "summary": in_one_line(array)}
    finite = [float(f"{v:.6g}") if np.isfinite(v) else str(v) for v in np.ravel(array).tolist()]
    return {"shape": list(array.shape), "data": finite}


# -- the page ----------------------------------------------------------------------------------------------------------


def _drawing(tensors: Sequence[Tensor], number: Mapping[Tensor, int], names: Mapping[Tensor, str]) -> Figure:
    looks = {"shape": "box", "style": "rounded", "fontname": "Helvetica", "fontsize": "13", "margin": "0.12,0.06"}
    wide = {**LAYERED, "rankdir": "LR", "bgcolor": "transparent", "ranksep": "0.4"}
    picture = Digraph("computation", graph_attr=wide, node_attr=looks)
    for t in tensors:
        head = names[t] if t.primitive is None else f"{names[t]} = {t.primitive.name}"
        room = "value -0.123456" if t.size == 1 else f"value {t.shape}"  # the page writes over these two lines
        picture.node(f"n{number[t]}", plain(f"{head}\n{room}\n{room}"), id=f"node-{number[t]}")
    for t in tensors:
        for slot, x in enumerate(t.inputs):
            looks = {"color": GREY, "arrowsize": "0.7"} | (SPINE if x is spine(t) else {})
            picture.edge(f"n{number[x]}", f"n{number[t]}", id=f"edge-{number[t]}-{slot}", **looks)
    return Figure(picture.source, title="graph of the computation")


def _written_out(step: Json) -> str:
    """A step in a list of all, for those who print the page: with what each input gets, and its sum if it had some."""
    lines = [step["text"]]
    for part in step.get("parts", []):
        total = part["sum"].get("data", [])
        so_far = f", {_short(float(total[0]))} in all" if part["before"] is not None and len(total) == 1 else ""
        lines.append(f"{part['name']} gets {part['rule']}{so_far}")
    return "<br>".join(escape(visible(line)) for line in lines)


def _page(title: str, whole: str, drawing: str, data: Json, back: Back) -> str:
    body = body_of(
        "stepper.html",
        back=link_back(back),
        title=escape(title),
        whole=escape(whole),
        drawing=drawing,
        last=len(data["steps"]) - 1,
        steps="".join(f"<li>{_written_out(step)}</li>" for step in data["steps"]),
        data=as_json(data),
    )
    return page(title, body, colors() + text_of("stepper.css"), script_of(text_of("player.js"), text_of("stepper.js")))
