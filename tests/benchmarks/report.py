"""What was measured, as tables in Markdown and as a picture in SVG; plain text, made here."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from math import ceil, floor, log10

NAMES = {
    "minitensor": "minitensor", "compiled": "minitensor, compiled", "by_hand": "NumPy by hand",
    "pytorch": "PyTorch", "jax": "JAX (jit)",
    "tinygrad": "tinygrad (jit)", "mygrad": "MyGrad", "autograd": "autograd", "dezero": "DeZero",
    "micrograd": "micrograd",
}  # fmt: skip
COLOURS = {
    "minitensor": "#0072B2", "compiled": "#332288", "by_hand": "#999933",
    "pytorch": "#D55E00", "jax": "#009E73", "tinygrad": "#CC79A7",
    "mygrad": "#E69F00", "autograd": "#56B4E9", "dezero": "#8A8F98", "micrograd": "#222222",
}  # fmt: skip

Values = Mapping[str, Mapping[str, float]]  # {row: {column: number}}, with gaps


def table(corner: str, rows: Mapping[str, str], columns: Mapping[str, str], values: Values) -> str:
    """A Markdown table; rows and columns are {key: heading}, and a gap shows as a dash."""
    lines = [[corner, *columns.values()], ["---", *["---:"] * len(columns)]]
    for key, heading in rows.items():
        found = values.get(key, {})
        lines.append([heading, *(short(found[c]) if c in found else "-" for c in columns)])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def short(x: float) -> str:
    """Two significant digits, three from 100 on, without exponents.

    >>> [short(x) for x in (0.0123, 0.75, 1.0, 9.96, 12.3, 161.4, 12345.6)]
    ['0.012', '0.75', '1.0', '10', '12', '161', '12,346']
    """
    if x <= 0:
        return "0"
    decimals = max(0, 1 - floor(log10(x)))
    text = f"{x:,.{decimals}f}"
    return f"{x:,.0f}" if float(text.replace(",", "")) >= 10 else text


def relative(seconds: Values, reference: str) -> dict[str, dict[str, float]]:
    """Each row divided by what the reference needed; rows that it lacks are left out.

    >>> relative({"lenet": {"a": 6.0, "b": 8.0}, "chain": {"a": 1.0}}, "b")
    {'lenet': {'a': 0.75, 'b': 1.0}}
    """
    return {
        task: {engine: t / row[reference] for engine, t in row.items()}
        for task, row in seconds.items()
        if reference in row
    }


BAR, GAP, LEFT, WIDTH, TOP = 13, 14, 250, 760, 64  # pixels
FONT = 'font-family="Helvetica, Arial, sans-serif"'


def bar_chart(title: str, tasks: Mapping[str, str], ratios: Values, reference: str) -> str:
    """Bars from 1 to each ratio on a logarithmic axis: left is faster than the reference, right is slower."""
    drawn = {task: [e for e in NAMES if e in ratios[task] and e != reference] for task in tasks if task in ratios}
    numbers = [ratios[task][engine] for task, engines in drawn.items() for engine in engines]
    low, high = floor(log10(min(numbers, default=1.0))), ceil(log10(max(numbers, default=1.0)))
    low, high = min(low, -1), max(high, 1)

    def across(ratio: float) -> float:
        return LEFT + (WIDTH - LEFT - 60) * (log10(ratio) - low) / (high - low)

    height = TOP + 30 + sum(BAR * len(engines) + GAP for engines in drawn.values())
    marks = [_text(LEFT, 20, title, size=15, weight="bold")]
    for power in range(low, high + 1):
        x = across(10.0**power)
        marks.append(_line(x, TOP - 6, x, height - 24, "#111111" if power == 0 else "#DEDEDE"))
        label = NAMES[reference] if power == 0 else f"{10.0**power:g}"
        marks.append(_text(x, height - 8, label, anchor="middle"))
    x = float(LEFT)
    for engine in [e for e in NAMES if any(e in engines for engines in drawn.values())]:
        marks += [_bar(x, 34, 10, 10, COLOURS[engine]), _text(x + 14, 43, NAMES[engine])]
        x += 28 + 6.2 * len(NAMES[engine])
    y = TOP
    for task, engines in drawn.items():
        marks.append(_text(LEFT - 12, y + BAR * len(engines) / 2 + 4, tasks[task], anchor="end"))
        for engine in engines:
            ratio = ratios[task][engine]
            begin, end = sorted((across(1.0), across(ratio)))
            marks.append(_bar(begin, y + 1, max(end - begin, 1), BAR - 2, COLOURS[engine]))
            side = {"anchor": "end", "x": begin - 4} if ratio < 1 else {"anchor": "start", "x": end + 4}
            marks.append(_text(y=y + BAR - 3, text=short(ratio), size=10, **side))
            y += BAR
        y += GAP
    size = f'width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}"'
    background = f'<rect width="{WIDTH}" height="{height}" fill="white"/>'
    return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" {size} {FONT}>', background, *marks, "</svg>\n"])


def _text(x: float, y: float, text: str, size: int = 12, anchor: str = "start", weight: str = "normal") -> str:
    where = f'x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" font-weight="{weight}"'
    return f"<text {where}>{escape(text)}</text>"


def _bar(x: float, y: float, width: float, height: float, colour: str) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}"/>'


def _line(x1: float, y1: float, x2: float, y2: float, colour: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"/>'
