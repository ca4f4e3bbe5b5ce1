"""Shapes at places that we choose: the sheet of paper under units, grids and images.

What you can do here: put shapes, wires, text and images on a `Drawing`, set drawings and figures `beside` or `above`
one another or in a `table`, and turn the result into a `Figure`.  A Drawing shows and saves itself as a Figure does,
under the title "drawing".

Places are in points, x to the right and y upwards.  Graphviz paints wires in the order of the nodes that they leave, so
a wire that must lie on top leaves from an invisible twin of its node, declared after all others.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from minitensor.checks import real

from .dot import CELL, PAPER, PINNED, TEXT, UNIT, WIRE, WORDS, Attributes, Digraph, plain
from .figure import Figure
from .render import layout
from .style import Style

INCH = 72.0
CELL_SIZE = 36.0
CHARACTER = 0.56  # its width, of a font of size 1: a plain guess, a little too wide for most
KEPT = ("shape", "color", "fillcolor", "fontcolor", "fontname", "fontsize", "penwidth", "arrowsize", "arrowhead")
MOST_SHAPES = 6_000  # pinned shapes are quick to draw; more than these are no picture


UNCLIPPED = {"headclip": "false", "tailclip": "false"}  # lines that meet, without a gap


@dataclass(frozen=True)
class Pinned(Figure):
    """A Figure that keeps its drawing, so that it can stand `beside` or `above` others."""

    drawing: Drawing = field(default_factory=lambda: Drawing(), repr=False, compare=False)

    def styled(self, style: str | Style) -> Pinned:
        """The same figure in another style."""
        style = Style.of(style)
        return replace(replace(self.drawing, style=style).figure(self.title), parts=self.styled_parts(style))

    def spread(self, across: float, upwards: float = 1.0) -> Drawing:
        """Its drawing, as `Drawing.spread`."""
        return self.drawing.spread(across, upwards)


@dataclass(frozen=True)
class Shape:
    """A node of the drawing: its centre, its size in points, its label (DOT text) and its looks."""

    x: float
    y: float
    width: float
    height: float
    label: str
    looks: Attributes


@dataclass(frozen=True)
class Wire:
    """A line between two shapes, given by their numbers; one in front is painted over the others.

    It is straight, or the curve through these points (Bézier's, three for each piece after the first), the last of them
    the tip.
    """

    tail: int
    head: int
    looks: Attributes
    front: bool
    curve: tuple[tuple[float, float], ...] = ()


@dataclass
class Drawing:
    """A list of shapes and of wires between them, in the order in which they were put there.

    What puts something there raises TypeError or ValueError for a place, a size or an alignment that is none,
    IndexError for a wire to a shape that is not there.
    """

    shapes: list[Shape] = field(default_factory=list)
    wires: list[Wire] = field(default_factory=list)
    images: dict[str, bytes] = field(default_factory=dict)
    style: Style = field(default_factory=Style)

    def unit(self, x: float, y: float, label: str, looks: Attributes | None = None) -> int:
        """A circle; label is DOT text, made by `plain` or `subscripted`.  Returns its number."""
        return self._put(x, y, label, {**UNIT, **(looks or {})})

    def grid(
        self,
        x: float,
        y: float,
        shape: Sequence[int],
        texts: Sequence[str],
        looks: Sequence[Attributes],
        side: float = CELL_SIZE,
    ) -> list[int]:
        """An (H, W) grid of cells, each with its text and its looks, the first at (x, y); returns their numbers.

        All are of this side, and wider if the longest text is.
        """
        if len(shape) != 2 or min(shape) < 1 or not len(texts) == len(looks) == math.prod(shape):
            raise ValueError(f"a grid (H, W) = {tuple(shape)} has not {len(texts)} texts and {len(looks)} looks")
        cells = [{**CELL, **own} for own in looks]
        sizes = (len(text) * float(cell["fontsize"]) * CHARACTER for text, cell in zip(texts, cells, strict=True))
        width = max(side, *(math.ceil(size) + 3 for size in sizes))
        numbers = {}
        # Heavy borders come last, and of equal ones those that are not dashed, so that no neighbour paints over them.
        for n in sorted(
            range(len(cells)), key=lambda n: (float(cells[n]["penwidth"]), "dashed" not in cells[n]["style"])
        ):
            h, w = divmod(n, shape[1])
            numbers[n] = self.box(x + w * width, y - h * side, width, side, plain(texts[n]), cells[n])
        return [numbers[n] for n in range(len(cells))]

    def box(self, x: float, y: float, width: float, height: float, label: str, looks: Attributes | None = None) -> int:
        """A rectangle; label is DOT text."""
        size = {"width": _inches(width), "height": _inches(height)}
        return self._put(x, y, label, {**CELL, **(looks or {}), **size})

    def text(self, x: float, y: float, text: str, size: float = 14, align: str = "c", **looks: str) -> int:
        """Words around (x, y), or to the right of it (align="l") or to the left (align="r")."""
        _check_align(align, "clr")
        lines = text.split("\n")
        width = max(map(len, lines)) * real("size", size) * CHARACTER + 4  # a narrower node would cut it off
        x += {"c": 0, "l": width / 2, "r": -width / 2}[align]
        label = plain(text, "n" if align == "c" else align)
        box = {"width": _inches(width), "height": _inches(len(lines) * size * 1.25)}
        return self._put(x, y, label, {**TEXT, "fontsize": f"{size:g}", **box, **looks})

    def point(self, x: float, y: float) -> int:
        """An invisible place for a wire to begin or end."""
        return self._put(x, y, "", {"shape": "point", "width": "0.001", "height": "0.001", "style": "invis"})

    def curve(self, points: Sequence[tuple[float, float]], color: str, width: float = 1.5) -> None:
        """A line through many points."""
        for tail, head in pairwise([self.point(x, y) for x, y in points]):
            self.wire(tail, head, {"color": color, "penwidth": f"{width:g}", "arrowhead": "none", **UNCLIPPED})

    def cuboid(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        depth: float,
        label: str = "",
        looks: Attributes | None = None,
    ) -> int:
        """A box in three dimensions, its front around (x, y), the rest behind it; returns the number of its front."""
        color = {**CELL, **(looks or {})}["color"]
        back = 0.6 * depth
        corners = [(x + side * width / 2, y + up * height / 2) for side, up in ((-1, 1), (1, 1), (1, -1))]
        for a, b in corners:
            self.curve([(a, b), (a + back, b + back)], color, 1)
        self.curve([(a + back, b + back) for a, b in corners], color, 1)
        return self.box(x, y, width, height, label, looks)

    def caption(self, text: str, gap: float = 36, size: float = 14) -> Drawing:
        """Words centred above all that is there; returns the drawing itself."""
        if text:
            left, _, right, top = self.extent()
            size_of_text = size * 1.25 * (text.count("\n") + 1)
            self.text((left + right) / 2, top + gap - 19 + size_of_text / 2, text, size)
        return self

    def image(
        self, x: float, y: float, width: float, height: float, png: bytes, looks: Attributes | None = None
    ) -> int:
        """A picture in a frame; equal pictures are kept once."""
        names = [name for name, content in self.images.items() if content == png]
        name = names[0] if names else f"image{len(self.images)}.png"
        self.images[name] = png
        size = {"width": _inches(width), "height": _inches(height)}
        frame = {**CELL, **size, "style": "", "image": name, "imagescale": "both", "imagepos": "mc"}
        return self._put(x, y, "", {**frame, **(looks or {})})

    def wire(self, tail: int, head: int, looks: Attributes | None = None, front: bool = False) -> None:
        """A line from one shape to another, by their numbers."""
        count = len(self.shapes)
        if not (0 <= tail < count and 0 <= head < count):
            raise IndexError(f"a wire joins two of {count} shapes by their numbers, got {tail} and {head}")
        self.wires.append(Wire(tail, head, {**WIRE, **(looks or {})}, front))

    def _put(self, x: float, y: float, label: str, looks: Mapping[str, str]) -> int:
        width, height = float(looks["width"]) * INCH, float(looks["height"]) * INCH
        if not all(math.isfinite(real("place", n)) for n in (x, y, width, height)) or min(width, height) < 0:
            raise ValueError(f"a shape at ({x}, {y}), {width:.4g} by {height:.4g} points, cannot be drawn")
        self.shapes.append(Shape(x, y, width, height, label, looks))
        return len(self.shapes) - 1

    def extent(self) -> tuple[float, float, float, float]:
        """The left, lower, right and upper end of all that is there."""
        places = [(s.x + side * s.width / 2, s.y + side * s.height / 2) for s in self.shapes for side in (-1, 1)]
        places += [place for w in self.wires for place in w.curve]
        if not places:
            return 0.0, 0.0, 0.0, 0.0
        across, upwards = zip(*places, strict=True)
        return min(across), min(upwards), max(across), max(upwards)

    def spread(self, across: float, upwards: float = 1.0) -> Drawing:
        """The same shapes, each as large as it was, at other distances from one another."""
        apart = [replace(s, x=s.x * across, y=s.y * upwards) for s in self.shapes]
        wires = [replace(w, curve=tuple((x * across, y * upwards) for x, y in w.curve)) for w in self.wires]
        return replace(self, shapes=apart, wires=wires, images=dict(self.images))

    def add(self, other: Drawing, dx: float = 0, dy: float = 0) -> None:
        """Put all of another drawing here too, moved by (dx, dy)."""
        first = len(self.shapes)
        renamed = {}
        for name, png in other.images.items():
            same = [mine for mine, content in self.images.items() if content == png]
            renamed[name] = same[0] if same else f"image{len(self.images)}.png"
            self.images[renamed[name]] = png
        for s in other.shapes:
            looks = {**s.looks, "image": renamed[s.looks["image"]]} if "image" in s.looks else s.looks
            self.shapes.append(replace(s, x=s.x + dx, y=s.y + dy, looks=looks))
        for w in other.wires:
            curve = tuple((x + dx, y + dy) for x, y in w.curve)
            self.wires.append(replace(w, tail=w.tail + first, head=w.head + first, curve=curve))

    def figure(self, title: str = "drawing") -> Pinned:
        """The drawing as DOT text; title is for those who cannot see it.

        Raises ValueError where it has too many shapes to be looked at.
        """
        if max(len(self.shapes), len(self.wires)) > MOST_SHAPES:
            raise ValueError(
                f"a drawing of {len(self.shapes):,} shapes and {len(self.wires):,} wires is no picture (more than "
                f"{MOST_SHAPES:,}): draw a smaller input_shape; the pattern is the same"
            )
        picture = Digraph("drawing", graph_attr=PINNED, node_attr=UNIT, edge_attr=WIRE)
        for number, shape in enumerate(self.shapes):
            picture.node(f"n{number}", shape.label, pos=_pos(shape), **_beyond(UNIT, shape.looks))
        for number in sorted({end for w in self.wires if w.front for end in (w.tail, w.head)}):
            shape = self.shapes[number]
            size = {key: shape.looks[key] for key in ("shape", "width", "height")}
            picture.node(f"t{number}", "", pos=_pos(shape), style="invis", **_beyond(UNIT, size))
        for w in self.wires:
            side = "t" if w.front else "n"
            curve = {"pos": _curve(w.curve)} if w.curve else {}
            picture.edge(f"{side}{w.tail}", f"{side}{w.head}", **_beyond(WIRE, w.looks), **curve)
        return Pinned(self.style.dot(picture.source), self.images, title, self.style, drawing=self.styled(self.style))

    def styled(self, style: str | Style) -> Drawing:
        """The same drawing in another style; what is put on one of them is not on the other."""
        return Drawing(list(self.shapes), list(self.wires), dict(self.images), Style.of(style))

    @property
    def dot(self) -> str:
        """As a Figure's."""
        return self.figure().dot

    def svg(self, renderer: str | None = None) -> str:
        """As a Figure's."""
        return self.figure().svg(renderer)

    def png(self, renderer: str | None = None, *, dpi: float = 192) -> bytes:
        """As a Figure's."""
        return self.figure().png(renderer, dpi=dpi)

    def pdf(self, renderer: str | None = None) -> bytes:
        """As a Figure's."""
        return self.figure().pdf(renderer)

    def tex(self, *, document: bool = True) -> str:
        """As a Figure's."""
        return self.figure().tex(document=document)

    def save(self, path: str | Path, renderer: str | None = None, **options: Any) -> Path:
        """As a Figure's."""
        return self.figure().save(path, renderer, **options)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return self.figure()._repr_mimebundle_()


def beside(*drawings: Drawing | Figure, gap: float = 92) -> Drawing:
    """Drawings and figures from left to right, their middles on one line, all in one style.

    Those in the usual style, light, take on that of the others.
    Raises ValueError where there are none, or where two have different styles other than that; TypeError for anything
    else.

    >>> two = Drawing()
    >>> two.unit(0, 0, "a"), two.unit(100, 0, "b")
    (0, 1)
    >>> len(beside(two, two.figure()).shapes)
    4
    """
    parts, sheet, x = _drawings(drawings), _sheet(drawings), 0.0
    for d in parts:
        left, low, right, high = d.extent()
        sheet.add(d, x - left, -(low + high) / 2)
        x += right - left + gap
    return sheet


def above(*drawings: Drawing | Figure, gap: float = 44, align: str = "c") -> Drawing:
    """Drawings and figures from top to bottom, their middles (or with align="l" their left ends) on one line.

    Their style is that of `beside`, which says what is raised too; ValueError for another align.
    """
    _check_align(align, "cl")
    parts, sheet, y = _drawings(drawings), _sheet(drawings), 0.0
    for d in parts:
        left, low, right, high = d.extent()
        sheet.add(d, -left if align == "l" else -(left + right) / 2, y - high)
        y -= high - low + gap
    return sheet


def table(figures: Sequence[Sequence[Drawing | Figure]], gap: float = 30) -> Drawing:
    """Drawings and figures in rows and columns; a row may be shorter than others.  Otherwise as `beside`."""
    sheet, y = _sheet([d for row in figures for d in row]), 0.0
    rows = [_drawings(row) for row in figures if row] or [_drawings([])]
    widths = [max(_size(row[i])[0] for row in rows if i < len(row)) for i in range(max(map(len, rows)))]
    for row in rows:
        height, x = max(_size(d)[1] for d in row), 0.0
        for width, d in zip(widths, row, strict=False):
            left, low, right, high = d.extent()
            sheet.add(d, x + width / 2 - (left + right) / 2, y - height / 2 - (low + high) / 2)
            x += width + gap
        y -= height + gap
    return sheet


def words(text: str, size: float = 14, align: str = "c", **looks: str) -> Drawing:
    """Text alone, to be set beside or above something."""
    drawing = Drawing()
    drawing.text(0, 0, text, size, align, **looks)
    return drawing


def _sheet(parts: Sequence[Drawing | Figure]) -> Drawing:
    """An empty drawing in the style of these parts; those in the usual one follow the others."""
    styles = [d.style for d in parts if isinstance(d, Drawing | Figure) and d.style != Style()]
    if different := [style for style in styles if style != styles[0]]:
        raise ValueError(f"drawings in one picture have one style, got {styles[0]} and {different[0]}: style the whole")
    return Drawing(style=styles[0] if styles else Style())


def _drawings(parts: Sequence[Drawing | Figure]) -> list[Drawing]:
    """The drawings of these; ValueError where there are none."""
    if not parts:
        raise ValueError("nothing to set side by side: give drawings or figures")
    return [_drawing(d) for d in parts]


def _drawing(d: Drawing | Figure) -> Drawing:
    """A drawing itself, or that of a figure; one that Graphviz lays out is laid out now."""
    if isinstance(d, Drawing):
        return d
    if isinstance(d, Pinned):
        return d.drawing
    if isinstance(d, Figure):
        return laid_out(d)
    raise TypeError(f"drawings and figures can be set side by side, got {type(d).__name__}")


def laid_out(figure: Figure) -> Drawing:
    """A figure whose places Graphviz finds, as a drawing with these places.

    Frames come first, then nodes with the labels that they have, then wires with the curves that were found.
    Raises RenderError where there is no renderer.
    """
    found = layout(figure.source or figure.dot, images=figure.images)
    drawing, numbers = Drawing(images=dict(figure.images), style=figure.style), dict[int, int]()
    objects = found.get("objects", [])
    for o in objects:
        if o.get("bb") and o.get("peripheries") != "0":
            x0, y0, x1, y1 = (float(n) for n in o["bb"].split(","))
            # Not filled: wires lie below all shapes, and would vanish.
            looks = {"style": o.get("style", "solid").replace("filled", "solid"), "color": o.get("color", WORDS)}
            drawing.box((x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0, "", looks)
            _write(drawing, o.get("_ldraw_", []))
    for o in objects:
        if "pos" in o:
            x, y = (float(n) for n in o["pos"].rstrip("!").split(","))
            looks = {key: o[key] for key in KEPT if key in o}
            looks |= {"style": o.get("style", "solid"), "fixedsize": "true", "height": o["height"], "width": o["width"]}
            looks |= {} if "filled" in looks["style"] else {"fillcolor": PAPER}
            text = [op for op in o.get("_ldraw_", []) if op.get("op") == "T"]
            tagged = len(text) < len(o.get("_ldraw_", [])) and o["label"].startswith("<")
            lines = [op["text"] for op in text]
            label = f"<{o['label']}>" if tagged else plain("\n".join(lines))
            looks |= {"fixedsize": "false"} if tagged else {}  # as large as its table, in whatever font
            numbers[o["_gvid"]] = drawing._put(x, y, label, looks)
    for e in found.get("edges", []):
        looks = {key: e[key] for key in KEPT if key in e} | {"style": e.get("style", "solid")}
        looks |= {} if found["directed"] else {"arrowhead": "none"}
        drawing.wires.append(Wire(numbers[e["tail"]], numbers[e["head"]], looks, False, _points(e.get("pos", ""))))
        for label in ("_ldraw_", "_hldraw_", "_tldraw_"):  # in the middle, at the head, at the tail
            _write(drawing, e.get(label, []))
    return drawing


def _points(pos: str) -> tuple[tuple[float, float], ...]:
    """The points of a curve in DOT's words, and its tip behind them.

    >>> _points("e,9,9 0,0 1,2 3,4 5,6")
    ((0.0, 0.0), (1.0, 2.0), (3.0, 4.0), (5.0, 6.0), (9.0, 9.0))
    """
    words = pos.split()
    on_the_way, tips = [w for w in words if w[0] not in "es"], [w[2:] for w in words if w[0] == "e"]
    places = ([float(n) for n in w.split(",")] for w in on_the_way + tips)
    return tuple((x, y) for x, y in places)


def _write(drawing: Drawing, ops: Sequence[Mapping[str, Any]]) -> None:
    """The lines of a label of a frame or a wire, where Graphviz has put them."""
    size, color = 14.0, WORDS
    for op in ops:
        size = op["size"] if op.get("op") == "F" else size
        color = op["color"] if op.get("op") == "c" else color
        if op.get("op") == "T":
            x, y = op["pt"]
            drawing.text(x, y + 0.35 * size, op["text"], size, op["align"].replace("n", "c"), fontcolor=color)


def _check_align(align: str, known: str) -> None:
    if align not in tuple(known):
        raise ValueError(f"align (={align!r}) must be one of {', '.join(known)}")


def _size(d: Drawing) -> tuple[float, float]:
    left, low, right, high = d.extent()
    return right - left, high - low


def _pos(shape: Shape) -> str:
    return f"{_short(shape.x)},{_short(shape.y)}!"


def _curve(points: Sequence[tuple[float, float]]) -> str:
    """A curve as DOT writes it: its tip, if it has one, comes first."""
    places = [f"{_short(x)},{_short(y)}" for x, y in points]
    return " ".join([f"e,{places[-1]}", *places[:-1]] if len(places) % 3 == 2 else places)


def _short(points: float) -> str:
    return f"{math.floor(points * 100 + 0.5) / 100:g}"


def _inches(points: float) -> str:
    return f"{points / INCH:.4g}"


def _beyond(usual: Attributes, looks: Attributes) -> dict[str, str]:
    return {key: value for key, value in looks.items() if usual.get(key) != value}
