"""A counterexample as a small drawing: which window, which cell; as text, and as SVG.

A picture is a title and rows of cells; a cell has a text and a kind:

    plain     a number                    window    a cell that a window reads
    margin    a cell of padding           hit       the window or cell where both sides differ
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any, NamedTuple

import numpy as np

from minitensor import Tensor

from .grade import Part, Verdict
from .kit import Case, Differs, Line

MOST_ROWS = 24
FEW = 12  # numbers: more are not drawn where the message is about shapes alone


class Cell(NamedTuple):
    text: str
    kind: str = "plain"


class Picture(NamedTuple):
    title: str
    rows: Sequence[Sequence[Cell]] = ()
    wires: Sequence[tuple[tuple[int, int], tuple[int, int]]] = ()  # pairs of cells (row, column): a graph


def counterexample(case: Mapping[str, Any], error: BaseException | None) -> list[Picture]:
    """The arguments of the failing call, the windows that they describe, and where both sides differ."""
    differs = error if isinstance(error, Differs) else None
    drawn: list[Picture] = getattr(error, "pictures", [])
    place = differs.cell[-1] if differs is not None and differs.cell else None
    pictures: list[Picture] = []
    for name, value in case.items():
        pictures += argument(name, value, place)
    if differs is not None and (differs.cell is not None or max(differs.found.size, differs.expected.size) <= FEW):
        pictures += array("found", differs.found, differs.cell)
        pictures += array("expected", differs.expected, differs.cell)
    return pictures + drawn


MOST_LINES = 20  # of what is printed


def of_verdict(name: str, verdict: Verdict) -> tuple[str, str]:
    """The smallest case of what does not hold, as text, with what was printed; and as SVG, under the name."""
    pictures = counterexample(verdict.case or {}, verdict.error)
    parts = [as_text(pictures)] if pictures else []
    if verdict.printed:
        printed = verdict.printed.splitlines()
        shown = [*printed[:MOST_LINES], *(["..."] if len(printed) > MOST_LINES else [])]
        parts += ["printed:", *("    " + line for line in shown)]
    return "\n".join(parts), as_svg(pictures, [name, *verdict.message.splitlines()])


def argument(name: str, value: Any, place: int | None) -> Iterator[Picture]:
    value, parts = value if isinstance(value, Part) else (value, None)
    if isinstance(value, Line):
        yield windows(name, value, place)
    elif isinstance(value, Case):
        for part in ("x", "w", "b"):
            if parts is None or part in parts:
                yield from array(f"{name}.{part}", getattr(value, part))
        if parts is None or parts & {"settings", "lines"}:
            for axis, line in enumerate(value.lines):
                if line.n == line.k == 1 and len(value.lines) > 1:
                    continue  # a single cell
                yield windows(f"{name}, axis {axis + 2}", line, place if axis == len(value.lines) - 1 else None)
            if value.settings.get("groups", 1) > 1:
                yield Picture(f"groups = {value.settings['groups']}")
    elif hasattr(value, "pictures"):
        yield from value.pictures(name)
    elif hasattr(value, "_fields"):
        drawn = [f for f in value._fields if isinstance(getattr(value, f), np.ndarray)]
        for part in drawn:
            if parts is None or part in parts:
                yield from array(f"{name}.{part}", getattr(value, part))
        settings = [f"{f} = {getattr(value, f)}" for f in value._fields if f not in drawn]
        if settings:
            yield Picture(f"{name}: {', '.join(settings)}")
    elif isinstance(value, Tensor):
        yield from array(name, value.data)
    elif isinstance(value, np.ndarray):
        yield from array(name, value)
    elif type(value).__name__ != "DataObject":  # what st.data() drew stands beside it
        text = repr(value)
        yield Picture(f"{name} = {text if len(text) < 100 else text[:97] + '...'}")


def windows(name: str, line: Line, place: int | None = None) -> Picture:
    """The padded input along one axis, and below it what each window reads; window number `place` is the hit."""
    positions = range(-line.padding, line.n + line.padding)
    rows = [[Cell(str(i) if 0 <= i < line.n else "·", "plain" if 0 <= i < line.n else "margin") for i in positions]]
    for h in range(line.m):
        reads = {h * line.stride - line.padding + i * line.dilation for i in range(line.k)}
        kind = "hit" if h == place else "window"
        rows.append(
            [
                Cell(("■" if h == place else "#") if i in reads else "", kind if i in reads else "blank")
                for i in positions
            ]
        )
    settings = f"n={line.n} k={line.k} stride={line.stride} padding={line.padding} dilation={line.dilation}"
    return Picture(f"{name}: {settings}", rows[:MOST_ROWS])


def array(name: str, x: np.ndarray, hit: tuple[int, ...] | None = None) -> Iterator[Picture]:
    """A grid of numbers, for each channel of each image below each other; the hit is put in brackets."""
    if x.size > FEW and not hit and not x.any():
        yield Picture(f"{name}, shape {list(x.shape)}: zeros")
        return
    if x.ndim < 2:
        values = np.atleast_1d(x)
        yield Picture(f"{name}, shape {list(x.shape)}", [[number(v, hit in ((i,), ())) for i, v in enumerate(values)]])
        return
    rows: list[list[Cell]] = []
    for front in np.ndindex(x.shape[:-2]):
        rows += [[]] if rows else []
        rows += [[number(v, hit == (*front, i, j)) for j, v in enumerate(row)] for i, row in enumerate(x[front])]
    yield Picture(f"{name}, shape {list(x.shape)}", rows[:MOST_ROWS])


def number(value: float, hit: bool) -> Cell:
    value += 0.0  # -0 is shown as 0
    return Cell(f"[{value:g}]" if hit else f"{value:g}", "hit" if hit else "plain")


def as_text(pictures: Sequence[Picture]) -> str:
    lines = []
    for title, rows, wires in pictures:
        lines.append(title)
        width = max((len(cell.text) for row in rows for cell in row), default=0)
        place = str.ljust if wires else str.rjust  # sentences in boxes, or numbers
        lines += ["    " + " ".join(place(cell.text, width) for cell in row).rstrip() for row in rows]
    return "\n".join(lines)


FILLS = {"plain": "#FFFFFF", "margin": "#EEEEEE", "window": "#CFE8F7", "hit": "#E69F00", "blank": "none"}
SIDE = 26


def as_svg(pictures: Sequence[Picture], heading: Sequence[str] = ()) -> str:
    """The same as a self-contained SVG; above it the heading, line by line."""
    parts, y, width = [], 24, 0
    for number, line in enumerate(heading):
        parts.append(
            f'<text x="10" y="{y}" font-size="13" font-weight="{400 if number else 700}">{escape(line)}</text>'
        )
        width = max(width, 20 + 8 * len(line))
        y += 20
    for title, rows, wires in pictures:
        parts.append(f'<text x="10" y="{y}" font-size="13">{escape(title)}</text>')
        width = max(width, 20 + 8 * len(title))
        y += 8
        cell_width = max([SIDE, *(9 * len(cell.text) + 8 for row in rows for cell in row)])
        if wires:
            drawn, y = graph(rows, wires, cell_width, y)
            parts += drawn
            width = max(width, 20 + max(map(len, rows)) * (cell_width + GAP))
            continue
        for row in rows:
            for i, cell in enumerate(row):
                x = 10 + i * cell_width
                if cell.kind != "blank":
                    parts.append(
                        f'<rect x="{x}" y="{y}" width="{cell_width}" height="{SIDE}" '
                        f'fill="{FILLS[cell.kind]}" stroke="#8A8F98"/>'
                    )
                text = "" if cell.text in "#■" else escape(cell.text)
                parts.append(
                    f'<text x="{x + cell_width / 2}" y="{y + 18}" font-size="13" text-anchor="middle">{text}</text>'
                )
            width = max(width, 20 + len(row) * cell_width)
            y += SIDE
        y += 26
    return page(width, y, parts)


GAP = 30


def graph(rows: Any, wires: Any, width: int, top: float) -> tuple[list[str], float]:
    """Boxes in rows, with an arrow for each wire, from below to above; two wires between the same boxes bend."""
    step = SIDE + GAP

    def corner(cell: tuple[int, int]) -> tuple[float, float]:
        return 10 + cell[1] * (width + GAP), top + cell[0] * step

    parts = []
    for number, (above, below) in enumerate(wires):
        (x1, y1), (x2, y2) = corner(below), corner(above)
        side = 12 * (2 * wires[:number].count((above, below)) - 1) if wires.count((above, below)) > 1 else 0
        bend = width + 40 if below[0] - above[0] > 1 else 2 * side  # round the boxes between
        parts.append(
            f'<path d="M{x1 + width / 2} {y1} Q{(x1 + x2 + width) / 2 + bend} {(y1 + y2 + SIDE) / 2} '
            f'{x2 + width / 2 + side} {y2 + SIDE}" fill="none" stroke="#8A8F98"/>'
        )
    for i, row in enumerate(rows):
        for j, cell in enumerate(row):
            x, y = corner((i, j))
            parts.append(
                f'<rect x="{x}" y="{y}" width="{width}" height="{SIDE}" rx="4" fill="{FILLS[cell.kind]}" '
                f'stroke="#8A8F98"/><text x="{x + width / 2}" y="{y + 18}" font-size="13" text-anchor="middle">'
                f"{escape(cell.text)}</text>"
            )
    return parts, top + len(rows) * step + 20


def page(width: float, height: float, parts: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}" '
        f'font-family="Helvetica, Arial, sans-serif">\n<rect width="100%" height="100%" fill="white"/>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )
