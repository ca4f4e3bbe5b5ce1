"""Shapes at places that we choose: the sheet of paper under units, grids and images.

What you can do here: put shapes, wires, text and images on a `Drawing`, set drawings `beside` or `above` one another,
and turn the result into a `Figure`.

Places are in points, x to the right and y upwards.  Graphviz paints wires in the order of the nodes that they leave, so
a wire that must lie on top leaves from an invisible twin of its node, declared after all others.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from .dot import CELL, PINNED, TEXT, UNIT, WIRE, Attributes, Digraph, plain
from .figure import Figure

INCH = 72.0
CELL_SIZE = 36.0
CHARACTER = 0.56  # its width, of a font of size 1: a plain guess, a little too wide for most
MOST_SHAPES = 6_000  # pinned shapes are quick to draw; more than these are no picture


UNCLIPPED = {"headclip": "false", "tailclip": "false"}  # lines that meet, without a gap


@dataclass(frozen=True)
class Pinned(Figure):
    """A Figure that keeps its drawing, so that it can stand `beside` or `above` others."""

    drawing: Drawing = field(default_factory=lambda: Drawing(), repr=False, compare=False)


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
    """A line between two shapes, given by their numbers; one in front is painted over the others."""

    tail: int
    head: int
    looks: Attributes
    front: bool


@dataclass
class Drawing:
    """A list of shapes and of wires between them, in the order in which they were put there."""

    shapes: list[Shape] = field(default_factory=list)
    wires: list[Wire] = field(default_factory=list)
    images: dict[str, bytes] = field(default_factory=dict)

    def unit(self, x: float, y: float, label: str, looks: Attributes | None = None) -> int:
        """A circle; label is DOT text, made by `plain` or `subscripted`.  Returns its number."""
        return self._put(x, y, label, {**UNIT, **(looks or {})})

    def grid(
        self, x: float, y: float, shape: Sequence[int], texts: Sequence[str], looks: Sequence[Attributes]
    ) -> list[int]:
        """An (H, W) grid of cells, each with its text and its looks, the first at (x, y); returns their numbers.

        All are as wide as the longest text.
        """
        cells = [{**CELL, **own} for own in looks]
        sizes = (len(text) * float(cell["fontsize"]) * CHARACTER for text, cell in zip(texts, cells, strict=True))
        width = max(CELL_SIZE, *(math.ceil(size) + 3 for size in sizes))
        numbers = {}
        # Heavy borders come last, so that no neighbour paints over them.
        for n in sorted(range(len(cells)), key=lambda n: float(cells[n]["penwidth"])):
            h, w = divmod(n, shape[1])
            numbers[n] = self.box(x + w * width, y - h * CELL_SIZE, width, CELL_SIZE, plain(texts[n]), cells[n])
        return [numbers[n] for n in range(len(cells))]

    def box(self, x: float, y: float, width: float, height: float, label: str, looks: Attributes | None = None) -> int:
        """A rectangle; label is DOT text."""
        size = {"width": _inches(width), "height": _inches(height)}
        return self._put(x, y, label, {**CELL, **(looks or {}), **size})

    def text(self, x: float, y: float, text: str, size: float = 14, align: str = "c", **looks: str) -> int:
        """Words around (x, y), or to the right of it (align="l") or to the left (align="r")."""
        lines = text.split("\n")
        width = max(map(len, lines)) * size * CHARACTER + 4  # a narrower node would cut it off
        x += {"c": 0, "l": width / 2, "r": -width / 2}[align]
        label = plain(text, "n" if align == "c" else align)
        box = {"width": _inches(width), "height": _inches(len(lines) * size * 1.25)}
        return self._put(x, y, label, {**TEXT, "fontsize": f"{size:g}", **box, **looks})

    def point(self, x: float, y: float) -> int:
        """An invisible place for a wire to begin or end."""
        return self._put(x, y, "", {"shape": "point", "width": "0.001", "height": "0.001", "style": "invis"})

    def curve(self, points: Sequence[tuple[float, float]], color: str) -> None:
        """A line through many points."""
        for tail, head in pairwise([self.point(x, y) for x, y in points]):
            self.wire(tail, head, {"color": color, "penwidth": "1.5", "arrowhead": "none", **UNCLIPPED})

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
        self.wires.append(Wire(tail, head, {**WIRE, **(looks or {})}, front))

    def _put(self, x: float, y: float, label: str, looks: Mapping[str, str]) -> int:
        width, height = float(looks["width"]) * INCH, float(looks["height"]) * INCH
        self.shapes.append(Shape(x, y, width, height, label, looks))
        return len(self.shapes) - 1

    def extent(self) -> tuple[float, float, float, float]:
        """The left, lower, right and upper end of all that is there."""
        if not self.shapes:
            return 0.0, 0.0, 0.0, 0.0
        return (
            min(s.x - s.width / 2 for s in self.shapes),
            min(s.y - s.height / 2 for s in self.shapes),
            max(s.x + s.width / 2 for s in self.shapes),
            max(s.y + s.height / 2 for s in self.shapes),
        )

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
        self.wires += [replace(w, tail=w.tail + first, head=w.head + first) for w in other.wires]

    def figure(self, title: str) -> Pinned:
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
            picture.edge(f"{side}{w.tail}", f"{side}{w.head}", **_beyond(WIRE, w.looks))
        return Pinned(picture.source, self.images, title, self)


def beside(*drawings: Drawing | Pinned, gap: float = 92) -> Drawing:
    """Drawings from left to right, their middles on one line."""
    sheet, x = Drawing(), 0.0
    for d in map(_drawing, drawings):
        left, low, right, high = d.extent()
        sheet.add(d, x - left, -(low + high) / 2)
        x += right - left + gap
    return sheet


def above(*drawings: Drawing | Pinned, gap: float = 44, align: str = "c") -> Drawing:
    """Drawings from top to bottom, their middles (or with align="l" their left ends) on one line."""
    sheet, y = Drawing(), 0.0
    for d in map(_drawing, drawings):
        left, low, right, high = d.extent()
        sheet.add(d, -left if align == "l" else -(left + right) / 2, y - high)
        y -= high - low + gap
    return sheet


def table(figures: Sequence[Sequence[Drawing | Pinned]], gap: float = 30) -> Drawing:
    """Drawings in rows and columns."""
    rows = [[_drawing(d) for d in row] for row in figures]
    widths = [max(_size(row[i])[0] for row in rows if i < len(row)) for i in range(max(map(len, rows)))]
    sheet, y = Drawing(), 0.0
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


def _drawing(d: Drawing | Pinned) -> Drawing:
    return d.drawing if isinstance(d, Pinned) else d


def _size(d: Drawing) -> tuple[float, float]:
    left, low, right, high = d.extent()
    return right - left, high - low


def _pos(shape: Shape) -> str:
    return f"{_short(shape.x)},{_short(shape.y)}!"


def _short(points: float) -> str:
    return f"{math.floor(points * 100 + 0.5) / 100:g}"


def _inches(points: float) -> str:
    return f"{points / INCH:.4g}"


def _beyond(usual: Attributes, looks: Attributes) -> dict[str, str]:
    return {key: value for key, value in looks.items() if usual.get(key) != value}
