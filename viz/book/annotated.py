"""A source file cut into parts: what is said beside what is done.

What you can do here: `cut` a file into a list of `Part`, whose lines together are the file; find where a name is
defined (`Sources.find`).

Python's own parser finds the parts: nothing here knows a line number, or the name of anything that it cuts.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
COMMENT = re.compile(r"\s*#")
RULER = re.compile(r"# -- (.*?) -*$")  # a heading between two groups of functions
SWITCH = re.compile(r"\s*# fmt: (on|off)\s*$")  # said to a formatter


@dataclass
class Part:
    """Lines of a file that belong together; `code` and `said` are numbers of lines, counted from 1.

    `names` are what the part defines, `docstring` and `comment` what it says, `heading` the ruler above it.
    """

    names: list[str] = field(default_factory=list)
    heading: str = ""
    docstring: str = ""
    comment: str = ""
    said: list[int] = field(default_factory=list)
    code: list[int] = field(default_factory=list)
    node: ast.stmt | None = None
    owner: str = ""  # the class that a method is of
    hidden: set[str] = field(default_factory=set)  # names that are local here, whatever they mean in the file

    @property
    def name(self) -> str:
        """The first name that it defines, behind that of its class."""
        return ".".join(filter(None, [self.owner, self.names[0] if self.names else ""]))


def cut(text: str) -> list[Part]:
    """The parts of a file: its docstring, then functions, classes, methods, and what stands between them.

    Every line that is not blank is in one part, in order.

    >>> parts = cut('"Squares."\\n\\nTWO = 2\\n\\n\\ndef square(x):\\n    "x^2"\\n    return x**TWO\\n')
    >>> [(part.name, part.docstring, part.said, part.code) for part in parts]
    [('', 'Squares.', [1], []), ('TWO', '', [], [3]), ('square', 'x^2', [7], [6, 8])]
    """
    lines, parts = text.splitlines(), [Part()]
    body = ast.parse(text).body
    for node, begin, end in _spans(body, 1, lines):
        part = Part(node=node)
        _take(part, node, begin, end, lines)
        if isinstance(node, ast.ClassDef):
            parts += [part, *_methods(node, part, lines)]
        elif part.heading or part.comment or part.docstring or isinstance(node, Definition) or _apart(parts[-1], begin):
            parts.append(part)
        else:
            _join(parts[-1], part)
    rest = Part()
    _take(rest, None, max([body[-1].end_lineno or 0] if body else [0]) + 1, len(lines) + 1, lines)
    return [part for part in [*parts, rest] if part.said or part.code]


def _spans(body: Sequence[ast.stmt], first: int, lines: Sequence[str]) -> Iterator[tuple[ast.stmt, int, int]]:
    """Each statement with its first line, the comments above it included, and the line after its last."""
    at = first
    for node in body:
        end = (node.end_lineno or node.lineno) + 1
        if end > at:  # several statements may share a line
            yield node, at, end
            at = end


def _take(part: Part, node: ast.stmt | None, begin: int, end: int, lines: Sequence[str]) -> None:
    """Share out lines begin to end - 1: comments above and the docstring are said, the rest is code."""
    first = _first(node) if node else end
    words = []
    for n in range(begin, first):
        line = lines[n - 1]
        if ruler := RULER.match(line):
            part.heading = ruler[1]
        elif COMMENT.match(line) and not SWITCH.match(line):
            words.append(line.strip().removeprefix("#").removeprefix(" "))
        elif not line.strip() and words:
            words.append("")
        if line.strip():
            part.said.append(n)
    part.comment = "\n".join(words).strip("\n")
    body = _docstring(node) if node else None
    if node:
        part.names = _names(node)
        part.hidden = _locals(node)
    spoken = range(body.lineno, (body.end_lineno or 0) + 1) if body else range(0)
    if body:
        part.docstring = inspect.cleandoc(str(body.value.value))  # type: ignore[attr-defined]
        if body.lineno == first and isinstance(node, Definition):  # on the line of its def: it stays code
            spoken = range(0)
    for n in range(first, end):
        if lines[n - 1].strip():
            (part.said if n in spoken else part.code).append(n)


def _first(node: ast.stmt) -> int:
    """The first line of a statement: that of its decorators."""
    return min([node.lineno, *[d.lineno for d in getattr(node, "decorator_list", [])]])


def _docstring(node: ast.stmt) -> ast.Expr | None:
    """The statement that is the docstring of a definition, or of the file."""
    inside = node.body[0] if isinstance(node, Definition) else node
    text = (
        isinstance(inside, ast.Expr) and isinstance(inside.value, ast.Constant) and isinstance(inside.value.value, str)
    )
    return inside if text else None  # type: ignore[return-value]


def _methods(node: ast.ClassDef, head: Part, lines: Sequence[str]) -> list[Part]:
    """The head keeps all up to the first method; each method with a docstring is a part, the others join."""
    found: list[Part] = []
    spoken, inside = _docstring(node), _first(node.body[0])
    while not spoken and COMMENT.match(lines[inside - 2]):  # what is said above the first
        inside -= 1
    head.code = [n for n in head.code if n < inside]
    for statement, begin, end in _spans(node.body, inside, lines):
        if statement is spoken:
            continue
        part = Part(node=statement, owner=node.name)
        _take(part, statement, begin, end, lines)
        written_out = isinstance(statement, ast.FunctionDef) and bool(part.docstring)
        if written_out or part.comment:
            found.append(part)
        else:
            _join(found[-1] if found else head, part, named=False)
    return found


def _join(part: Part, more: Part, named: bool = True) -> None:
    part.names += more.names if named else []
    part.said += more.said
    part.code += more.code
    part.hidden |= more.hidden


def _apart(before: Part, begin: int) -> bool:
    """Whether a statement stands by itself: it defines a name, and what is above it does, or is not right above."""
    return not before.code or begin - before.code[-1] > 1 or bool(before.owner) or isinstance(before.node, ast.ClassDef)


def _names(node: ast.stmt) -> list[str]:
    if isinstance(node, Definition):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [n.id for target in targets for n in ast.walk(target) if isinstance(n, ast.Name)]


def _locals(node: ast.stmt) -> set[str]:
    """The names of arguments and variables anywhere in a statement, except those that it defines for the file."""
    names = {a.arg for a in ast.walk(node) if isinstance(a, ast.arg)}
    if isinstance(node, Definition):
        names |= {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return names


class Sources:
    """The modules of some packages, read and not run: which names they define, and which they import."""

    def __init__(self, root: Path, packages: Sequence[str]) -> None:
        self.paths = {
            _module(root, path): path for package in packages for path in sorted((root / package).rglob("*.py"))
        }
        self.trees = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in self.paths.items()}
        self.defined = {name: {n for node in tree.body for n in _names(node)} for name, tree in self.trees.items()}

    def find(self, module: str, name: str) -> tuple[str, str] | None:
        """The module that defines what a name means in another module, and its name there; None if it is not ours."""
        if module not in self.trees:
            return None
        for node in self.trees[module].body:
            if isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    if (alias.asname or alias.name) == name:
                        source = self._source(module, node)
                        inner = f"{source}.{alias.name}"
                        return (self.find(source, alias.name) if source != module else None) or self.find(inner, "")
        return (module, name) if name in self.defined[module] or not name else None

    def _source(self, module: str, node: ast.ImportFrom) -> str:
        package = module.split(".") if self.paths[module].name == "__init__.py" else module.split(".")[:-1]
        base = package[: len(package) - node.level + 1] if node.level else []
        return ".".join([*base, *([node.module] if node.module else [])])

    def meanings(self, module: str) -> dict[str, tuple[str, str]]:
        """What each name of a module that is ours means."""
        names = set(self.defined[module])
        for node in self.trees[module].body:
            if isinstance(node, ast.ImportFrom):
                names |= {alias.asname or alias.name for alias in node.names}
        found = {name: self.find(module, name) for name in names}
        return {name: place for name, place in found.items() if place is not None}


def _module(root: Path, path: Path) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
