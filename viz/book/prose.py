"""Docstrings and comments as paragraphs, formulas and doctests.

What you can do here: take a text apart into `blocks`, and a line of it into `spans`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

COLUMNS = re.compile(r"\S {3,}\S")  # a legend, whose spaces count
SENTENCE = re.compile(r"\n(?=(?:Raises|Source|Letters)\b)")  # begins a paragraph, where a docstring has no room for one
SPAN = re.compile(r"`([^`\n]+(?:\n[^`\n]+)?)`|(?<![\w*])\*(\w(?:[^*\n]*\w)?)\*(?![\w*])")


class Block(NamedTuple):
    """A paragraph ("words"), something indented ("formula"), or a doctest ("doctest")."""

    kind: str
    text: str


def blocks(text: str) -> list[Block]:
    """The blocks of a docstring or of a comment.

    >>> blocks("Twice.\\n\\n    2 x\\n\\n>>> 2 * 3\\n6\\n")
    [Block(kind='words', text='Twice.'), Block(kind='formula', text='2 x'), Block(kind='doctest', text='>>> 2 * 3\\n6')]
    """
    found: list[Block] = []
    for kind, lines in _runs(SENTENCE.sub(r"\n\n", text).splitlines()):
        width = min(len(line) - len(line.lstrip()) for line in lines if line.strip())
        content = "\n".join(line[width:].rstrip() for line in lines).strip("\n")
        if kind == "formula" and found and found[-1].kind == "formula":
            found[-1] = Block(kind, f"{found[-1].text}\n\n{content}")
        else:
            found.append(Block(kind, content))
    return found


def _runs(lines: list[str]) -> Iterator[tuple[str, list[str]]]:
    kind, run = "", list[str]()
    for line in [*lines, ""]:
        here = _kind(line, kind)
        if here != kind and run:
            yield kind, run
            run = []
        kind = here
        if kind:
            run.append(line)


def _kind(line: str, before: str) -> str:
    if not line.strip():
        return ""
    if line.lstrip().startswith(">>>") or before == "doctest":
        return "doctest"
    if line.startswith("    ") or COLUMNS.search(line) or (before == "formula" and line.startswith(" ")):
        return "formula"
    return "words"


def spans(text: str) -> Iterator[tuple[str, str]]:
    """A paragraph as ("code", ...), ("emphasis", ...) and ("text", ...).

    >>> list(spans("The *adjoint* of `fold`: f*(g)"))
    [('text', 'The '), ('emphasis', 'adjoint'), ('text', ' of '), ('code', 'fold'), ('text', ': f*(g)')]
    """
    at = 0
    for found in SPAN.finditer(text):
        if found.start() > at:
            yield "text", text[at : found.start()]
        yield ("code", " ".join(found[1].split("\n"))) if found[1] else ("emphasis", found[2])
        at = found.end()
    if at < len(text):
        yield "text", text[at:]
