"""The words and looks of every picture: text that Graphviz reads as it was written, and what is drawn how.

What you can do here: make a user's text harmless with `plain` (ordinary labels) or `html` (labels that are tables), and
write a `number` short enough for a unit, or count by `letter`.

A name can hold anything: quotes, <b>, \\N, a newline, marks that turn the writing direction.  Graphviz gives a meaning
to `\\` and `&` in every label and to `<` in some, so text is made harmless here, once.  No node is named after it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from html import escape

import graphviz  # type: ignore[import-untyped]

from .style import LIGHT, WEIGHT_COLORS

Attributes = Mapping[str, str]
Digraph = graphviz.Digraph

LONGEST_TEXT = 1_000

PAPER, WORDS, NOTE, GREY = (LIGHT[meaning] for meaning in ("paper", "words", "note", "wire"))
BLUE, VERMILION = LIGHT["field, line"], LIGHT["gradient"]

PINNED = {  # units, grids and images: we compute the places, and neato draws lines between them
    "layout": "neato",
    "inputscale": "72",  # places are given in points
    "splines": "line",
    "outputorder": "edgesfirst",
    "pad": "0.1",
    "bgcolor": PAPER,
}
LAYERED = {  # operators: dot computes the places
    "layout": "dot",
    "rankdir": "TB",
    "nodesep": "0.25",
    "ranksep": "0.3",
    "nslimit": "2",  # large graphs are laid out well enough, and not for minutes
    "nslimit1": "2",
    "pad": "0.1",
    "bgcolor": PAPER,
    "fontname": "Helvetica",
    "fontsize": "12",
}

UNIT = {
    "shape": "circle",
    "fixedsize": "true",
    "width": "0.53",
    "height": "0.53",
    "penwidth": "1.3",
    "style": "filled",
    "fillcolor": PAPER,
    "color": LIGHT["unit"],
    "fontname": "Times-Italic",
    "fontsize": "19",
}
NUMBER = {"fontname": "Helvetica", "fontsize": "13"}
CELL = {**UNIT, **NUMBER, "shape": "box", "width": "0.5", "height": "0.5", "penwidth": "1", "color": LIGHT["cell"]}
TEXT = {
    "shape": "plaintext",
    "style": "",
    "margin": "0",
    "fixedsize": "true",
    "fontname": "Helvetica",
    "fontsize": "14",
}
WIRE = {"color": GREY, "penwidth": "0.9", "arrowsize": "0.55"}

FOCUS = {"style": "filled", "fillcolor": LIGHT["followed"], "penwidth": "2.2"}
FIELD = {"style": "filled", "fillcolor": LIGHT["field"], "color": LIGHT["field, line"], "penwidth": "2"}
TRACE = {"color": LIGHT["field, line"], "penwidth": "2", "arrowsize": "0.65"}
ACTIVE = {"color": LIGHT["marked"], "penwidth": "2", "arrowsize": "0.65"}
SHARED = {"color": LIGHT["marked"], "penwidth": "3", "arrowsize": "0.65"}  # wires with one and the same weight
ARROW = {"color": LIGHT["arrow"], "penwidth": "1.4", "arrowsize": "0.7"}  # from one image to the next
WEIGHTS = tuple(  # wires with the first weight, the second, ...: first the colours change, then the strokes
    {**TRACE, "penwidth": "2.2", "color": color, **stroke}
    for stroke in ({}, {"style": "dashed"}, {"style": "dotted", "penwidth": "3"})
    for color in WEIGHT_COLORS
)
CHANGED = {
    "fillcolor": LIGHT["changed"],
    "color": LIGHT["changed, line"],
    "penwidth": "2",
    "fontname": "Helvetica-Bold",
}
NODE = {"shape": "box", "style": "filled,rounded", "width": "0.8", "height": "0.56"}  # of more than one unit
WINNER = {"color": LIGHT["marked"], "penwidth": "3.5", "fontname": "Helvetica-Bold"}  # of a maximum
BIAS = {"style": "filled,dashed", "fillcolor": LIGHT["parameter"], "color": LIGHT["parameter, line"]}
SIGNED = {1: {"color": LIGHT["above 0"]}, -1: {"color": LIGHT["below 0"], "style": "dashed"}}  # a weight above, below 0
KERNEL = {"fillcolor": LIGHT["parameter"], "color": LIGHT["parameter, line"], "penwidth": "2"}
RESULT = {"fillcolor": LIGHT["output"], "color": LIGHT["output, line"], "penwidth": "2"}
PADDING = {
    "style": "filled,dashed",
    "fillcolor": LIGHT["padding"],
    "color": GREY,
    "fontcolor": LIGHT["padding, words"],
}

OPERATOR, ACTIVATION, PARAMETER, RESULT_BOX = (  # fill, border
    (LIGHT[meaning], LIGHT[f"{meaning}, line"]) for meaning in ("operator", "activation", "parameter", "output")
)
LEAF = (PAPER, LIGHT["cell"])


def visible(text: str) -> str:
    """The text without characters that act instead of showing: control and format characters, lone surrogates.

    >>> visible("a\\tb\\u202ec\\nd")
    'a\\ufffdb\\ufffdc\\nd'
    """
    shown = text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"
    return "".join(c if c == "\n" or unicodedata.category(c)[0] != "C" else "\N{REPLACEMENT CHARACTER}" for c in shown)


def plain(text: str, align: str = "n") -> str:
    """The text as an ordinary label, whatever it holds; lines are centred ("n"), or aligned left ("l") or right ("r").

    >>> plain("R&D <b> \\\\N")
    'R&amp;D <b> \\\\\\\\N'
    """
    safe = visible(text).replace("&", "&amp;").replace("\\", "\\\\").replace("\n", f"\\{align}")
    label: str = graphviz.nohtml(safe if align == "n" else f"{safe}\\{align}")  # never read as a table, for all its <b>
    return label


def html(text: str) -> str:
    """The text inside an HTML-like label, whatever it holds.

    >>> html("a < b\\n\\\\N")
    'a &lt; b<BR/>\\\\\\\\N'
    """
    return escape(visible(text)).replace("\\", "\\\\").replace("\n", "<BR/>")


def subscripted(letter: str, number: int) -> str:
    """A unit's name, as x with a small 3 below.

    >>> subscripted("x", 3)
    '<<I>x</I><FONT POINT-SIZE="15"><SUB>3</SUB></FONT>>'
    """
    return f'<<I>{html(letter)}</I><FONT POINT-SIZE="15"><SUB>{number}</SUB></FONT>>'


def number(value: float, decimals: int | None = None) -> str:
    """A value short enough for a unit, with so many decimals or as few as it needs, and a true minus sign.

    Whole numbers are whole, up to a thousand million.

    >>> number(1.0), number(1.0, 1), number(-0.5), number(12.3456), number(1020.0), number(-126.5)
    ('1', '1.0', '\u22120.5', '12.3', '1020', '\u2212126.5')
    """
    if decimals is not None:
        text = f"{round(value, decimals) + 0.0:.{decimals}f}"
    elif 100 <= abs(value) < 1e9:
        text = f"{value:.1f}".removesuffix(".0")
    else:
        text = f"{value + 0.0:.3g}"
    return text.replace("-", "\N{MINUS SIGN}")


def letter(n: int) -> str:
    """a, b, ..., z, aa, ab, ... for 0, 1, ...

    >>> letter(0), letter(25), letter(26), letter(26 * 27)
    ('a', 'z', 'aa', 'aaa')
    """
    return (letter(n // 26 - 1) if n >= 26 else "") + chr(ord("a") + n % 26)
