"""The figures and the laws that belong to a function: those whose own code calls it by its name.

What you can do here: `figures_of` and `laws_of` a name.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

from ..drawing.figure import Figure
from ..subjects.lecture import FIGURES


class Law(NamedTuple):
    """A test: where it is, what it is called, what it says, its text, and the names that it uses."""

    file: str
    name: str
    said: str
    code: str
    uses: frozenset[str]


def figures_of(name: str) -> list[tuple[str, Callable[[], Figure]]]:
    """Title and function of each figure of the lecture that calls a function of this name, with or without its rank.

    >>> [title for title, _ in figures_of("maxout")]
    ['Learned invariance']
    """
    return [(title, draw) for _, title, draw in FIGURES if _means(name) & _used(inspect.getsource(draw))]


def laws_of(name: str, tests: Path) -> list[Law]:
    """The laws in a folder of tests that call a function of this name; first those that speak of it."""
    called = _means(name)
    spoken = name.strip("_")
    using = [law for law in laws(tests) if called & law.uses]
    return sorted(using, key=lambda law: spoken not in f"{law.name} {law.said}")


@cache
def laws(tests: Path) -> list[Law]:
    """Every test function in the files test_*.py of a folder, in their order."""
    found = []
    for path in sorted(tests.glob("test_*.py")):
        text = path.read_text(encoding="utf-8")
        for node in ast.parse(text).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                first = min([node.lineno, *[d.lineno for d in node.decorator_list]])
                code = "\n".join(text.splitlines()[first - 1 : node.end_lineno])
                said = " ".join((ast.get_docstring(node) or "").split())
                found.append(Law(path.name, node.name, said, code, _used(code)))
    return found


def _used(code: str) -> frozenset[str]:
    tree = ast.walk(ast.parse(code))
    return frozenset(
        n.id if isinstance(n, ast.Name) else n.attr for n in tree if isinstance(n, ast.Name | ast.Attribute)
    )


@cache
def _means(name: str) -> frozenset[str]:
    """A name, and with each rank behind it: conv is called as conv1d, conv2d, conv3d."""
    bare = re.sub(r"\dd$", "", name.strip("_"))
    return frozenset([name.strip("_"), bare, *[f"{bare}{n}d" for n in (1, 2, 3)]])
