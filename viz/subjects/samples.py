"""The code of a figure as a program that runs when it is pasted.

What you can do here: get the `sample` of a function that draws: its body, and all that it needs from its file.
"""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterator
from functools import cache
from importlib.util import resolve_name

Statement = tuple[str, ast.stmt]  # of a module


def sample(draw: Callable[..., object], suffix: str = ".svg") -> str:
    """A program that makes the figure and saves it: imports, the helpers that draw uses, and the lines of draw itself.

    Helpers stand in the module of draw, or in one of its folder.

    >>> from viz.subjects.lecture.variants import one_filter_through_three_channels
    >>> print(sample(one_filter_through_three_channels).splitlines()[-1])
    figure.save("one_filter_through_three_channels.svg")
    """
    here = draw.__module__
    function = _owners(here)[draw.__name__]
    assert isinstance(function, ast.FunctionDef)
    needed: dict[Statement, set[str]] = {}
    _collect((here, function), needed)
    in_order = sorted(needed, key=lambda each: (each[0] == here, each[1].lineno))  # what others need comes first
    imports: dict[str, set[str]] = {}  # of each module the names, or none where it is imported itself
    helpers = []
    for module, node in in_order:
        if isinstance(node, ast.Import | ast.ImportFrom):
            for source, said in _imported(node, needed[module, node], sys.modules[module].__package__):
                imports.setdefault(source, set()).update(said)
        elif node is not function:
            helpers.append(ast.get_source_segment(_text(module), node) or "")
    lines = ["from __future__ import annotations", ""] if helpers else []
    lines += [
        f"from {m} import {', '.join(sorted(names))}" if names else f"import {m}"
        for m, names in sorted(imports.items())
    ]
    parts = ["\n".join(lines), *helpers, _body(_text(here), function, draw.__name__ + suffix)]
    return "\n\n".join(parts).strip() + "\n"


@cache
def _text(module: str) -> str:
    return inspect.getsource(sys.modules[module])


@cache
def _owners(module: str) -> dict[str, ast.stmt]:
    """The statement of a module that defines each name."""
    return {name: node for node in ast.parse(_text(module)).body for name in _names(node)}


def _names(node: ast.stmt) -> Iterator[str]:
    """What a statement of a module defines."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Import | ast.ImportFrom):
        yield from (alias.asname or alias.name for alias in node.names)
    elif isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        yield from (name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name))


def _collect(used: Statement, needed: dict[Statement, set[str]]) -> None:
    """Find every statement that a statement needs, and which of its names are used."""
    module, node = used
    owners = _owners(module)
    for name in {n.id for n in ast.walk(node) if isinstance(n, ast.Name)} & owners.keys():
        owner = module, owners[name]
        while isinstance(owner[1], ast.ImportFrom) and owner[1].level == 1:  # of the same folder: what it says there
            place = resolve_name(f".{owner[1].module}", sys.modules[owner[0]].__package__)
            owner = place, _owners(place)[name]
        known = owner in needed
        needed.setdefault(owner, set()).add(name)
        if not known and owner != used:
            _collect(owner, needed)


def _imported(
    node: ast.Import | ast.ImportFrom, used: set[str], package: str | None
) -> Iterator[tuple[str, list[str]]]:
    """The modules that are imported here, and the names from each, as an import says them."""
    aliases = [a for a in node.names if (a.asname or a.name) in used]
    said = [f"{a.name} as {a.asname}" if a.asname else a.name for a in aliases]
    if isinstance(node, ast.Import):
        yield from ((module, []) for module in said)
    else:
        yield resolve_name("." * node.level + (node.module or ""), package), said


def _body(text: str, function: ast.FunctionDef, name: str) -> str:
    """The lines of a function without its name and its caption; what it returns is saved."""
    lines = text.splitlines()
    first = function.body[1] if ast.get_docstring(function) else function.body[0]
    last = function.body[-1]
    kept = [line.split("  # type: ignore")[0] for line in lines[first.lineno - 1 : last.end_lineno]]
    at = last.lineno - first.lineno
    kept[at] = kept[at].replace("return ", "figure = ", 1)
    return textwrap.dedent("\n".join(kept)) + f'\nfigure.save("{name}")'
