"""The words and colours of every picture: text that Graphviz reads as it was written, and the table of styles.

What you can do here: make a user's text harmless with `plain` (ordinary labels) or `html` (labels that are tables).

A name can hold anything: quotes, <b>, \\N, a newline, marks that turn the writing direction.  Graphviz gives a meaning
to `\\` and `&` in every label and to `<` in some, so text is made harmless here, once.  No node is named after it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from html import escape

import graphviz  # type: ignore[import-untyped]

Attributes = Mapping[str, str]
Digraph = graphviz.Digraph

LONGEST_TEXT = 1_000

# Okabe and Ito's palette, and two darker colours of Tol's: no two are confused by colour-blind eyes.
BLACK, BLUE, VERMILION, GREEN = "#000000", "#0072B2", "#D55E00", "#009E73"
PINK, ORANGE, SKY, GREY = "#CC79A7", "#E69F00", "#56B4E9", "#8A8F98"
WINE, INDIGO = "#882255", "#332288"

PINNED = {  # units, grids and images: we compute the places, and neato draws lines between them
    "layout": "neato",
    "inputscale": "72",  # places are given in points
    "splines": "line",
    "outputorder": "edgesfirst",
    "pad": "0.1",
    "bgcolor": "white",
}
LAYERED = {  # operators: dot computes the places
    "layout": "dot",
    "rankdir": "TB",
    "nodesep": "0.25",
    "ranksep": "0.3",
    "nslimit": "2",  # large graphs are laid out well enough, and not for minutes
    "nslimit1": "2",
    "pad": "0.1",
    "bgcolor": "white",
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
    "fillcolor": "white",
    "color": "#222222",
    "fontname": "Times-Italic",
    "fontsize": "19",
}
NUMBER = {"fontname": "Helvetica", "fontsize": "13"}
CELL = {**UNIT, **NUMBER, "shape": "box", "width": "0.5", "height": "0.5", "penwidth": "1", "color": "#444444"}
TEXT = {
    "shape": "plaintext",
    "style": "",
    "margin": "0",
    "fixedsize": "true",
    "fontname": "Helvetica",
    "fontsize": "14",
}
WIRE = {"color": GREY, "penwidth": "0.9", "arrowsize": "0.55"}

FOCUS = {"style": "filled", "fillcolor": ORANGE, "penwidth": "2.2"}
FIELD = {"style": "filled", "fillcolor": "#CFE8F7", "color": BLUE, "penwidth": "2"}
TRACE = {"color": BLUE, "penwidth": "2", "arrowsize": "0.65"}
SHARED = {"color": BLACK, "penwidth": "3", "arrowsize": "0.65"}  # wires with one and the same weight
ARROW = {"color": "#444444", "penwidth": "1.4", "arrowsize": "0.7"}  # from one image to the next
WEIGHTS = tuple(  # wires with the first weight, the second, ...: first the colours change, then the strokes
    {**TRACE, "penwidth": "2.2", "color": color, **stroke}
    for stroke in ({}, {"style": "dashed"}, {"style": "dotted", "penwidth": "3"})
    for color in (BLUE, VERMILION, GREEN, PINK, ORANGE, SKY, BLACK, WINE, INDIGO)
)
GREY_FOCUS = {"style": "filled", "fillcolor": "#A6A6A6", "penwidth": "2.2"}
GREY_FIELD = {"style": "filled", "fillcolor": "#DEDEDE", "penwidth": "2.2"}
CHANGED = {**FIELD, "fontname": "Helvetica-Bold"}
GREY_CHANGED = {"penwidth": "2.2", "fontname": "Helvetica-Bold"}
GREY_TRACE = {"color": "#111111", "penwidth": "2", "arrowsize": "0.65"}
KERNEL = {"fillcolor": "#FBE3B5", "color": "#B87B00", "penwidth": "2"}
RESULT = {"fillcolor": "#BFE5DA", "color": GREEN, "penwidth": "2"}
PADDING = {"style": "filled,dashed", "fillcolor": "#F4F5F7", "color": GREY, "fontcolor": "#777777"}

OPERATOR = ("#E3EEF6", BLUE)  # fill, border
ACTIVATION = ("#DDF1EA", GREEN)
PARAMETER = ("#FBE3B5", "#B87B00")
RESULT_BOX = ("#F8DED0", VERMILION)
LEAF = ("white", "#444444")


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
    '<<I>x</I><FONT POINT-SIZE="13"><SUB>3</SUB></FONT>>'
    """
    return f'<<I>{html(letter)}</I><FONT POINT-SIZE="13"><SUB>{number}</SUB></FONT>>'
