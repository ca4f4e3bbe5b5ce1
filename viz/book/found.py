"""The figures and the laws that belong to a function of minitensor: those whose own code uses it by its name.

A name counts where it means something of minitensor: in `mt.sqrt(x)` and `x.sqrt()`, and not in `np.sqrt(x)`, nor where
a variable or another function is called so.  Whose method `x.sum()` is, a Tensor's or an array's, cannot be seen: it
counts in a law whose name speaks of it.

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

import numpy as np

from minitensor import Tensor

from ..drawing.figure import Figure
from ..subjects.lecture import FIGURES


class Law(NamedTuple):
    """A test: where it is, what it is called, what it says, its text, and the names and methods that it uses."""

    file: str
    name: str
    said: str
    code: str
    uses: frozenset[str]
    methods: frozenset[str]


def figures_of(name: str) -> list[tuple[str, Callable[[], Figure]]]:
    """Title and function of each figure of the lecture that calls a function of this name, with or without its rank.

    >>> [title for title, _ in figures_of("maxout")]
    ['Learned invariance']
    """
    return [(title, draw) for _, title, draw in FIGURES if _means(name) & _drawn_with(draw)]


def laws_of(name: str, tests: Path) -> list[Law]:
    """The laws in a folder of tests that use a function of this name; first those that speak of it and use little."""
    called = _means(name)
    spoken = re.compile(rf"(?<![a-z]){name.strip('_')}")
    found = []
    for law in laws(tests):
        speaks = spoken.search(f"{law.name} {law.said}") is not None
        if called & law.uses or (spoken.search(law.name) and called & law.methods):
            found.append((not speaks, len(law.uses), law))
    return [law for *_, law in sorted(found, key=lambda row: row[:2])]


@cache
def laws(tests: Path) -> list[Law]:
    """Every test function in the files test_*.py of a folder, in their order."""
    found = []
    for path in sorted(tests.glob("test_*.py")):
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text)
        ours = _ours(tree)
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                first = min([node.lineno, *[d.lineno for d in node.decorator_list]])
                code = "\n".join(text.splitlines()[first - 1 : node.end_lineno])
                said = " ".join((ast.get_docstring(node) or "").split())
                found.append(Law(path.name, node.name, said, code, *used(code, ours)))
    return found


def used(code: str, ours: frozenset[str]) -> tuple[frozenset[str], frozenset[str]]:
    """What a function uses of minitensor: names of `ours` that are not its variables, and x of mt.x; then methods.

    A method is among the first if Tensors have it and arrays do not.

    >>> code = "def f(x, row): return row, relu(x), mt.sum(x), np.sqrt(x), x.max(), x.tanh(), x.shape"
    >>> uses, methods = used(code, frozenset(["row", "relu"]))
    >>> sorted(uses), sorted(methods)
    (['relu', 'sum', 'tanh'], ['max', 'tanh'])
    """
    tree = list(ast.walk(ast.parse(code)))
    own = {n.id for n in tree if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    own |= {n.arg for n in tree if isinstance(n, ast.arg)}
    called = {id(n.func) for n in tree if isinstance(n, ast.Call)}
    found = {n.id for n in tree if isinstance(n, ast.Name) and n.id in ours - own}
    methods = set()
    for n in tree:
        if isinstance(n, ast.Attribute):
            whose = ast.unparse(n.value)
            if whose == "mt":
                found.add(n.attr)
            elif id(n) in called and whose not in ("np", "math") and hasattr(Tensor, n.attr):
                methods.add(n.attr)
    return frozenset(found | {name for name in methods if not hasattr(np.ndarray, name)}), frozenset(methods)


@cache
def _drawn_with(draw: Callable[[], Figure]) -> frozenset[str]:
    module = inspect.getmodule(draw)
    assert module is not None
    return used(inspect.getsource(draw), _ours(ast.parse(inspect.getsource(module))))[0]


def _ours(tree: ast.Module) -> frozenset[str]:
    """The names that a file imports from minitensor."""
    nodes = [n for n in tree.body if isinstance(n, ast.ImportFrom) and (n.module or "").split(".")[0] == "minitensor"]
    return frozenset(alias.asname or alias.name for n in nodes for alias in n.names)


@cache
def _means(name: str) -> frozenset[str]:
    """A name, and with each rank behind it: conv is called as conv1d, conv2d, conv3d."""
    bare = re.sub(r"\dd$", "", name.strip("_"))
    return frozenset([name.strip("_"), bare, *[f"{bare}{n}d" for n in (1, 2, 3)]])
