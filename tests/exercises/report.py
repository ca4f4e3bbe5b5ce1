"""The score: a kill matrix, properties by bugs, on the terminal and as a picture."""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from html import escape
from typing import NamedTuple

from .draw import page
from .engine import Bug

LETTERS = string.ascii_uppercase

KILLED, SURVIVED, NOT_SEEN = "■", "·", " "


class Row(NamedTuple):
    """What one property did: its marks, one for each bug, and a remark."""

    name: str
    marks: Sequence[str]
    remark: str = ""


def matrix(rows: Sequence[Row], bugs: Sequence[Bug]) -> str:
    """The matrix as text, with the bugs' names below it."""
    killed = killers(rows, bugs)
    lines = ["  " + " ".join(LETTERS[: len(bugs)])]
    for row in rows:
        marks = " ".join(row.marks) if row.marks else " " * (2 * len(bugs) - 1)
        lines.append(f"  {marks}  {row.name}{f'   <- {row.remark}' if row.remark else ''}")
    lines.append("")
    for letter, bug in zip(LETTERS, bugs, strict=False):
        lines.append(f"  {KILLED if bug.name in killed else SURVIVED} {letter}  {bug.name}")
    lines.append("")
    lines.append(f"  {KILLED} seen   {SURVIVED} not seen   blank: the property uses nothing that the bug changes")
    return "\n".join(lines)


def killers(rows: Sequence[Row], bugs: Sequence[Bug]) -> Mapping[str, list[str]]:
    """For each bug that was seen, the properties that saw it."""
    seen: dict[str, list[str]] = {}
    for row in rows:
        for mark, bug in zip(row.marks, bugs, strict=False):
            if mark == KILLED:
                seen.setdefault(bug.name, []).append(row.name)
    return seen


SIDE, LEFT, TOP = 24, 16, 170


def picture(title: str, rows: Sequence[Row], bugs: Sequence[Bug]) -> str:
    """The matrix as SVG: a row for each property, a column for each bug."""
    parts = [f'<text x="{LEFT}" y="24" font-size="16">{escape(title)}</text>']
    width = LEFT + len(bugs) * SIDE + 100.0  # the last names lean over the border
    for j, bug in enumerate(bugs):
        x = LEFT + (j + 0.5) * SIDE
        parts.append(
            f'<text transform="translate({x + 4:g},{TOP - 8}) rotate(-60)" font-size="12">{escape(bug.name)}</text>'
        )
    for i, row in enumerate(rows):
        y = TOP + i * SIDE
        marks = row.marks or [NOT_SEEN] * len(bugs)
        for j, mark in enumerate(marks):
            fill = {KILLED: "#009E73", SURVIVED: "#FFFFFF", NOT_SEEN: "#EEEEEE"}[mark]
            parts.append(
                f'<rect x="{LEFT + j * SIDE}" y="{y}" width="{SIDE}" height="{SIDE}" fill="{fill}" stroke="#8A8F98"/>'
            )
        label = row.name.removeprefix("test_").replace("_", " ") + (f" ({row.remark})" if row.remark else "")
        width = max(width, LEFT + len(bugs) * SIDE + 20 + 6.5 * len(label))
        parts.append(f'<text x="{LEFT + len(bugs) * SIDE + 8}" y="{y + 16}" font-size="12">{escape(label)}</text>')
    return page(width, TOP + len(rows) * SIDE + 20, parts)


def card(bug: Bug, source: str) -> str:
    """A bug as it is presented: what is wrong, where it was made, and the example test that does not see it."""
    example = "\n".join("      " + line for line in source.rstrip().splitlines())
    return f"  {bug.name}: {bug.wrong}\n    made in {bug.source}\n    and this example passes:\n{example}"
