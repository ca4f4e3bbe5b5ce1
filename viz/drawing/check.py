"""Can the figures be read?  Measured on each, as it is drawn.

What you can do here: `measure` a figure, and print the `report` on all figures of the gallery
(`python -m viz check-figures`).
"""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from PIL import ImageColor

from .export import size_of
from .figure import Figure
from .style import contrast

SLIDE = (880.0, 450.0)  # points: what a title leaves of a slide of 960 x 540, which is 16:9
PHONE = 390.0  # CSS pixels
SMALLEST = 12.0  # points on a slide
LEAST_CONTRAST = 4.5
BLACK, WHITE = "#000000", "#FFFFFF"
NO_COLOR = ("none", "transparent", "url")  # how a fill begins that is none, or is a gradient


class Measures(NamedTuple):
    """The smallest text on a slide (points) and on a phone (CSS pixels), the least contrast of a text, and the size."""

    slide: float
    phone: float
    contrast: float
    bytes: int


def measure(figure: Figure) -> Measures:
    """The measures of a figure; without text, its text counts as infinitely large and black.

    >>> from viz.drawing.sheet import words
    >>> found = measure(words("some words", 20).figure())
    >>> found.slide > 20, found.contrast
    (True, 21.0)
    """
    svg = figure.svg()
    width, height = size_of(svg)
    texts = list(_texts(ET.fromstring(svg)))
    smallest = min((size for size, _ in texts), default=math.inf)
    on_slide = min(SLIDE[0] / width, SLIDE[1] / height)
    on_phone = min(1.0, PHONE / (width * 4 / 3)) * 4 / 3
    return Measures(
        smallest * on_slide, smallest * on_phone, min((c for _, c in texts), default=21.0), len(svg.encode())
    )


def _texts(root: ET.Element) -> Iterator[tuple[float, float]]:
    """The size of each text, and its contrast with what was painted last below its middle."""
    painted: list[tuple[tuple[float, float, float, float], str]] = []
    for e in root.iter():
        kind, fill = e.tag.rpartition("}")[2], e.get("fill", BLACK)
        if kind in ("polygon", "path", "ellipse") and not fill.startswith(NO_COLOR):
            painted.append((_box(kind, e), _hexadecimal(fill)))
        elif kind == "text" and "".join(e.itertext()).strip():
            size = float(e.get("font-size", 14))
            x, y = float(e.attrib["x"]), float(e.attrib["y"]) - size / 3
            x += size / 4 * (e.get("text-anchor", "start") == "start")
            under = [WHITE, *(c for (x0, y0, x1, y1), c in painted if x0 <= x <= x1 and y0 <= y <= y1)][-1]
            yield size, contrast(under if fill.startswith(NO_COLOR) else _hexadecimal(fill), under)


def _hexadecimal(color: str) -> str:
    """A colour of SVG, which may be a name, as #RRGGBB."""
    return "#{:02X}{:02X}{:02X}".format(*ImageColor.getrgb(color))


def _box(kind: str, e: ET.Element) -> tuple[float, float, float, float]:
    if kind == "ellipse":
        cx, cy, rx, ry = (float(e.get(name, 0)) for name in ("cx", "cy", "rx", "ry"))
        return cx - rx, cy - ry, cx + rx, cy + ry
    numbers = [float(n) for n in re.findall(r"-?[\d.]+", e.get("points") or e.get("d") or "")]
    across, down = numbers[::2], numbers[1::2]
    return min(across), min(down), max(across), max(down)


def report(figures: Iterable[tuple[str, Figure]]) -> str:
    """A table of the measures; what falls short is marked, and the parts of a figure too large for a slide follow it.

    >>> from viz.drawing.sheet import words
    >>> print(report([("words", words("some words", 20).figure())]))
    figure                                       slide, pt  390 px, px  contrast     kB
    words                                            135.4        26.7      21.0    0.6
    """
    lines = [f"{'figure':42} {'slide, pt':>11} {'390 px, px':>11} {'contrast':>9} {'kB':>6}"]
    for name, figure in figures:
        found = measure(figure)
        lines.append(_line(name, found))
        if found.slide < SMALLEST:
            lines += [_line(f"    part {n}", measure(part)) for n, part in enumerate(figure.parts, start=1)]
    return "\n".join(lines)


def _line(name: str, m: Measures) -> str:
    faults = "  < 12 pt" * (m.slide < SMALLEST) + "  contrast" * (m.contrast < LEAST_CONTRAST)
    return f"{name:42} {m.slide:11.1f} {m.phone:11.1f} {m.contrast:9.1f} {m.bytes / 1000:6.1f}{faults}"
