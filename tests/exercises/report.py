"""The score: a kill matrix, properties by bugs, on the terminal and as a picture."""

from __future__ import annotations

import inspect
import shutil
import string
import textwrap
from collections.abc import Mapping, Sequence
from html import escape
from typing import NamedTuple

from .draw import page
from .engine import Bug

LETTERS = string.ascii_uppercase

KILLED, SURVIVED, NOT_SEEN = "■", "·", " "
MEANINGS = {KILLED: "seen", SURVIVED: "not seen", NOT_SEEN: "the property uses nothing that the bug changes"}


class Row(NamedTuple):
    """What one property did: its marks, one for each bug, and a remark."""

    name: str
    marks: Sequence[str]
    remark: str = ""


def matrix(rows: Sequence[Row], bugs: Sequence[Bug]) -> str:
    """The matrix as text, with the bugs' names below it."""
    width = shutil.get_terminal_size().columns
    killed = killers(rows, bugs)
    lines = ["  " + " ".join(letter(i)[-1] for i in range(len(bugs)))]
    for row in rows:
        marks = "  " + " ".join(row.marks or " " * len(bugs)) + "  "
        remark = f"   <- {row.remark}" if row.remark else ""
        if len(marks + row.name + remark) <= width:
            lines.append(marks + row.name + remark)
        else:
            lines.append(marks + shortened(row.name, width - len(marks)))
            lines += [" " * len(marks) + remark.strip()] if remark else []
    lines.append("")
    for i, bug in enumerate(bugs):
        lines.append(f"  {KILLED if bug.name in killed else SURVIVED} {letter(i)}  {bug.name}")
    lines.append("")
    lines.append(
        "  " + "   ".join(f"{'blank:' if mark == NOT_SEEN else mark} {text}" for mark, text in MEANINGS.items())
    )
    return "\n".join(lines)


def shortened(name: str, width: int) -> str:
    """A name that is too long, without a part of its middle."""
    return name if len(name) <= width else f"{name[: width - 13]}…{name[-12:]}"


def killers(rows: Sequence[Row], bugs: Sequence[Bug]) -> Mapping[str, list[str]]:
    """For each bug that was seen, the properties that saw it."""
    seen: dict[str, list[str]] = {}
    for row in rows:
        for mark, bug in zip(row.marks, bugs, strict=False):
            if mark == KILLED:
                seen.setdefault(bug.name, []).append(row.name)
    return seen


SIDE, LEFT, TOP = 24, 16, 180
FILLS = {KILLED: "#009E73", SURVIVED: "#FFFFFF", NOT_SEEN: "#EEEEEE"}


def picture(title: str, rows: Sequence[Row], bugs: Sequence[Bug]) -> str:
    """The matrix as SVG: a row for each property, a column for each bug."""
    parts = [f'<text x="{LEFT}" y="24" font-size="16">{escape(title)}</text>']
    width = LEFT + len(bugs) * SIDE + 100.0  # the last names lean over the border
    for j, bug in enumerate(bugs):
        x = LEFT + (j + 0.5) * SIDE
        parts.append(
            f'<text transform="translate({x + 4:g},{TOP - 8}) rotate(-60)" font-size="12">'
            f"{letter(j)}&#160; {escape(bug.name)}</text>"
        )
    for i, row in enumerate(rows):
        y = TOP + i * SIDE
        marks = row.marks or [NOT_SEEN] * len(bugs)
        for j, mark in enumerate(marks):
            x = LEFT + j * SIDE
            parts.append(
                f'<rect x="{x}" y="{y}" width="{SIDE}" height="{SIDE}" fill="{FILLS[mark]}" stroke="#8A8F98"/>'
            )
        label = row.name.removeprefix("test_").replace("_", " ") + (f" ({row.remark})" if row.remark else "")
        width = max(width, LEFT + len(bugs) * SIDE + 20 + 6.5 * len(label))
        parts.append(f'<text x="{LEFT + len(bugs) * SIDE + 8}" y="{y + 16}" font-size="12">{escape(label)}</text>')
    y = TOP + len(rows) * SIDE + 30
    for x, (mark, meaning) in zip((LEFT, LEFT + 70, LEFT + 160), MEANINGS.items(), strict=True):
        parts.append(f'<rect x="{x}" y="{y - 10}" width="12" height="12" fill="{FILLS[mark]}" stroke="#8A8F98"/>')
        parts.append(f'<text x="{x + 18}" y="{y}" font-size="12">{meaning}</text>')
    return page(max(width, LEFT + 480.0), y + 20, parts)


def named(bugs: Sequence[Bug], wanted: str) -> Bug | None:
    """A bug by its letter in the matrix, or by its name."""
    found = [b for i, b in enumerate(bugs) if wanted.lower() in (b.name.lower(), letter(i).lower())]
    return found[0] if found else None


def letter(number: int) -> str:
    """A, B, ..., Z, and for more bugs AA, AB, ..."""
    return (
        LETTERS[number] if number < len(LETTERS) else letter(number // len(LETTERS) - 1) + letter(number % len(LETTERS))
    )


def card(bugs: Sequence[Bug], bug: Bug) -> str:
    """A bug as it is presented: what is wrong, where it was made, and the example test that does not see it."""
    i = bugs.index(bug)
    lines = textwrap.wrap(f"{letter(i)}  {bug.name}: {bug.wrong}", 78, initial_indent="  ", subsequent_indent="     ")
    lines += ["     " + part for part in textwrap.wrap(f"made in {bug.source}", 73, break_on_hyphens=False)]
    lines.append("     and this example passes:")
    lines += ["       " + line for line in inspect.getsource(bug.survives).rstrip().splitlines()]
    return "\n".join(lines)


def milestones(chapters: Sequence[tuple[str, int, int, str]], steps: Sequence[str]) -> str:
    """Everything in one picture: a box for each bug, operator or step, filled if it is done."""
    parts = ['<text x="16" y="24" font-size="16">What is done</text>']
    y, most = 40, 0
    for name, done, of, what in chapters:
        parts.append(f'<text x="16" y="{y + 14}" font-size="13">{escape(name)}</text>')
        for i in range(of):
            fill = FILLS[KILLED] if i < done else FILLS[SURVIVED]
            title = f"<title>{escape(steps[i])}</title>" if what == "steps" else ""
            parts.append(
                f'<rect x="{130 + 20 * i}" y="{y}" width="18" height="18" fill="{fill}" stroke="#8A8F98">{title}</rect>'
            )
        most = max(most, of)
        parts.append(f'<text x="{140 + 20 * of}" y="{y + 14}" font-size="12">{done} of {of} {escape(what)}</text>')
        y += 26
    return page(260 + 20 * most, y + 10, parts)
