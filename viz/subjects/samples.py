"""The code of a figure as a program that runs when it is pasted.

What you can do here: get the `sample` of a function that draws: its body, and all that it needs from its file.
"""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterator
from importlib.util import resolve_name


def sample(draw: Callable[..., object], suffix: str = ".svg") -> str:
    """A program that makes the figure and saves it: imports, the helpers that draw uses, and the lines of draw itself.

    >>> def draw():
    ...     return abs(-1)
    >>> import inspect; inspect.getsource(sample).startswith("def sample")
    True
    """
    module = sys.modules[draw.__module__]
    text = inspect.getsource(module)
    tree = ast.parse(text)
    owners = {name: node for node in tree.body for name in _names(node)}
    function = owners[draw.__name__]
    assert isinstance(function, ast.FunctionDef)
    needed: dict[ast.stmt, set[str]] = {}
    _collect(function, owners, needed)
    imports = [node for node in tree.body if node in needed and isinstance(node, ast.Import | ast.ImportFrom)]
    helpers = [node for node in tree.body if node in needed and node not in imports and node is not function]
    lines = ["from __future__ import annotations", ""] if helpers else []
    lines += [line for node in imports for line in _import(node, needed[node], module.__package__)]
    parts = ["\n".join(lines), *(ast.get_source_segment(text, node) or "" for node in helpers)]
    return "\n\n".join([*parts, _body(text, function, draw.__name__ + suffix)]).strip() + "\n"


def _names(node: ast.stmt) -> Iterator[str]:
    """What a statement of a module defines."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Import | ast.ImportFrom):
        yield from (alias.asname or alias.name for alias in node.names)
    elif isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        yield from (name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name))


def _collect(node: ast.stmt, owners: dict[str, ast.stmt], needed: dict[ast.stmt, set[str]]) -> None:
    """Find every statement of the module that a statement needs, and which of its names are used."""
    for name in {n.id for n in ast.walk(node) if isinstance(n, ast.Name)} & owners.keys():
        owner = owners[name]
        known = owner in needed
        needed.setdefault(owner, set()).add(name)
        if not known and owner is not node:
            _collect(owner, owners, needed)


def _import(node: ast.Import | ast.ImportFrom, used: set[str], package: str | None) -> Iterator[str]:
    aliases = [a for a in node.names if (a.asname or a.name) in used]
    said = ", ".join(f"{a.name} as {a.asname}" if a.asname else a.name for a in aliases)
    if isinstance(node, ast.Import):
        yield f"import {said}"
    else:
        yield f"from {resolve_name('.' * node.level + (node.module or ''), package)} import {said}"


def _body(text: str, function: ast.FunctionDef, name: str) -> str:
    """The lines of a function without its name and its caption; what it returns is saved."""
    lines = text.splitlines()
    first = function.body[1] if ast.get_docstring(function) else function.body[0]
    last = function.body[-1]
    kept = [line.split("  # type: ignore")[0] for line in lines[first.lineno - 1 : last.end_lineno]]
    at = last.lineno - first.lineno
    kept[at] = kept[at].replace("return ", "figure = ", 1)
    return textwrap.dedent("\n".join(kept)) + f'\nfigure.save("{name}")'
