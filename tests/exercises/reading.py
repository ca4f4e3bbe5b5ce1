"""What can be read off a student's file before it runs.

    sheet = read(path)                    its tree, or Mistake in words
    remarks(sheet)                        what Python accepts and nobody means
    taken_from(sheet, name, ...)          functions of minitensor that a property calls beside the engine
    parts_used(function)                  which arguments, and which of their parts, take part

A property is followed into the helpers of its file, by their names.
"""

from __future__ import annotations

import ast
import codecs
import sys
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple

SPOILERS = ("engine", "bugs", "variants", "solutions", "held_out", "building")  # modules of the exercises themselves


class Mistake(Exception):
    """Something is wrong with the student's file, told in words for the student."""


class Sheet(NamedTuple):
    """A file that was read: its name, its lines and its tree."""

    path: Path
    lines: list[str]
    tree: ast.Module


def read(path: Path) -> Sheet:
    """The file as a tree; Mistake if it is not there, not text in UTF-8, or not Python."""
    if not path.is_file():
        raise Mistake(f"there is no file {path}; `start` puts it there")
    data = path.read_bytes()
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in data:
        raise Mistake(f"{path.name} is saved as UTF-16: save it again as UTF-8")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Mistake(f"{path.name} is not saved as UTF-8 (byte {error.start}): save it again as UTF-8") from None
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")  # as Python counts; a page break ends no line
    try:
        return Sheet(path, lines, ast.parse(text))
    except SyntaxError as error:
        place = place_of(lines, error.lineno or 0)
        raise Mistake(f"{path.name}, {place}: this is not Python yet: {error.msg}") from None


CELL = "# %% cell "  # what stands above each cell of a notebook that was read as one file


def place_of(lines: list[str], number: int) -> str:
    """A line by its number, or by its cell and its number there if the file was a notebook."""
    for above in range(min(number, len(lines)) - 1, -1, -1):
        if lines[above].startswith(CELL):
            return f"cell {lines[above].removeprefix(CELL)}, line {number - above - 1}"
    return f"line {number}"


# -- what nobody means -------------------------------------------------------------------------------------------------


def remarks(sheet: Sheet) -> Iterator[str]:
    """A sentence for each thing that Python accepts and nobody means: each would let a property go ungraded."""
    place = lambda node: f"{sheet.path.name}, {place_of(sheet.lines, node.lineno)}"  # noqa: E731
    first: dict[str, ast.AST] = {}
    for node in sheet.tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            if node.name in first:
                yield (
                    f"{place(node)}: a second {node.name} hides the first, in "
                    f"{place_of(sheet.lines, first[node.name].lineno)}: give one of them another name"
                )
            first[node.name] = node
        elif isinstance(node, ast.ClassDef):
            inside = [f.name for f in node.body if isinstance(f, ast.FunctionDef) and f.name.startswith("test_")]
            if inside:
                yield (
                    f"{place(node)}: what is in class {node.name} is not graded ({', '.join(inside)}): write "
                    "properties outside of classes, as def test_...(engine, ...)"
                )
    for node in ast.walk(sheet.tree):
        for inner in never_met(node):
            yield f"{place(inner)}: {inner.name} stands inside of something, and is not graded: begin its line with def"
        told = meaningless(node)
        if told:
            yield f"{place(node)}: {told}"


def never_met(node: ast.AST) -> list[ast.FunctionDef]:
    """The properties that stand in a function, or in what runs only when the file itself is a program."""
    program = isinstance(node, ast.If) and "__name__" in ast.unparse(node.test)
    if not program and not isinstance(node, ast.FunctionDef):
        return []
    inside = [n for n in ast.walk(node) if n is not node and isinstance(n, ast.FunctionDef)]
    return [n for n in inside if n.name.startswith("test_")]


def unnamed(node: ast.AST) -> bool:
    """Whether this is a property under a name that is not graded: it is drawn for, and asks an engine."""
    return (
        isinstance(node, ast.FunctionDef)
        and not node.name.startswith("test_")
        and bool(node.args.args)
        and node.args.args[0].arg == "engine"
        and any("given" in ast.unparse(d).partition("(")[0] for d in node.decorator_list)
    )


RAISING = ("same", "close")


def meaningless(node: ast.AST) -> str:
    """What is wrong with a statement that checks nothing, or that fails whatever the engine does; or an empty text."""
    match node:
        case ast.Assert(test=ast.Tuple(elts=[_, *_])):
            return "a pair in brackets is always true: write assert a, b without the brackets"
        case ast.Assert(test=ast.GeneratorExp() | ast.ListComp()):
            return "a row of answers is always true: write assert all(... for ...)"
        case ast.Assert(test=ast.Attribute(attr="all" | "any" as name)):
            return f".{name} is a function, and so always true: write .{name}()"
        case ast.Assert(test=ast.Call(func=ast.Name(id=name))) if name in RAISING:
            return f"{name}(a, b) raises by itself and gives nothing, which is never true: write it without assert"
        case ast.FunctionDef(decorator_list=[*_, ast.Name(id="given")] | [ast.Name(id="given"), *_]):
            return "@given stands there without brackets: write @given(...), with what is to be drawn"
        case ast.Expr(value=ast.Compare()):
            return "nobody looks at what this comparison says: write assert before it"
        case ast.Try(body=body, handlers=handlers) if any(isinstance(n, ast.Assert) for s in body for n in ast.walk(s)):
            for handler in handlers:
                names = (
                    {n.id for n in ast.walk(handler.type) if isinstance(n, ast.Name)} if handler.type else {"except"}
                )
                raised = any(isinstance(n, ast.Raise | ast.Assert) for s in handler.body for n in ast.walk(s))
                if names & {"except", "Exception", "BaseException", "AssertionError"} and not raised:
                    return "what an assert in this try says is caught, and nobody hears it: put it outside of the try"
    return "it is a property, and is not graded: let its name begin with test_" if unnamed(node) else ""


def borrowed(sheet: Sheet) -> str:
    """The first import of an engine that is built which is neither NumPy nor comes with Python, or an empty text."""
    for node in ast.walk(sheet.tree):
        roots = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            roots = ["." * node.level + (node.module or "")]
        for name in roots:
            if name.partition(".")[0] not in {"numpy", "__future__", *sys.stdlib_module_names}:
                place = place_of(sheet.lines, node.lineno)
                return f"{sheet.path.name}, {place}: it imports {name}; this engine is built with NumPy alone"
    return ""


def broken_form(function: ast.AST) -> str:
    """Why calling this function would check nothing, or an empty text."""
    if isinstance(function, ast.AsyncFunctionDef):
        return "it is an async function, and nobody waits for it: write def in place of async def"
    if any(isinstance(node, ast.Yield | ast.YieldFrom) for node in own(function)):
        return "it has a yield, so that calling it only makes a generator: write assert in place of yield"
    return ""


def own(function: ast.AST) -> Iterator[ast.AST]:
    """All nodes of a function, without those of functions within it."""
    for child in ast.iter_child_nodes(function):
        yield child
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from own(child)


def property_of(sheet: Sheet, name: str) -> ast.AST:
    """The last function of this name, which is the one that counts."""
    functions = [node for node in sheet.tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return next((node for node in reversed(functions) if node.name == name), ast.Pass())


# -- what is used ------------------------------------------------------------------------------------------------------


def reached(sheet: Sheet, name: str) -> list[ast.AST]:
    """The definition of this name, and all definitions of the file that it needs, whatever their order."""
    binds: dict[str, list[ast.AST]] = {}
    for node in sheet.tree.body:
        for bound in bound_by(node):
            binds.setdefault(bound, []).append(node)
    found: list[ast.AST] = []
    todo = list(binds.get(name, []))
    while todo:
        node = todo.pop()
        if node not in found:
            found.append(node)
            todo += [d for n in ast.walk(node) if isinstance(n, ast.Name) for d in binds.get(n.id, []) if d is not node]
    return found


def bound_by(node: ast.AST) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    return [n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]


def origins(tree: ast.AST) -> dict[str, str]:
    """What each imported name stands for: {"mt": "minitensor", "conv": "minitensor.conv1d"}."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                found[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                found[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return found


def dotted(node: ast.AST, names: dict[str, str]) -> str:
    """`mt.nn.conv1d` in full, "" for what does not begin with an imported name."""
    if isinstance(node, ast.Attribute):
        front = dotted(node.value, names)
        return f"{front}.{node.attr}" if front else ""
    return names.get(node.id, "") if isinstance(node, ast.Name) else ""


def imported_names(sheet: Sheet, name: str) -> set[str]:
    """Everything imported that a property or operator mentions, in full: {"minitensor.conv1d", "numpy.abs"}."""
    names = origins(sheet.tree)
    return {dotted(n, names) for part in reached(sheet, name) for n in ast.walk(part)} - {""}


class Beside(NamedTuple):
    """A sentence about what a property calls beside its engine, and whether that is the answer itself."""

    told: str
    answer: bool


def taken_from(sheet: Sheet, name: str, offered: Collection[str], asked: Collection[str]) -> Beside | None:
    """Whether a property calls minitensor where it should ask the engine, or looks into the exercises or the engine.

    offered are the names of all functions that an engine has, asked those that the property asked it for.
    """
    found = sorted(imported_names(sheet, name))
    for full in found:
        if full.startswith("tests.exercises.") and full.split(".")[2] in SPOILERS:
            return Beside(f"looks into {full}, where the answers are", True)
    hidden = behind(sheet, name)
    if hidden:
        return Beside(f"looks behind the engine with {hidden}: ask it for numbers, as engine.f(x)", True)
    for full in found:
        root, _, function = full.rpartition(".")
        if full.partition(".")[0] == "minitensor" and root and function in offered and function != "tensor":
            if function in asked:
                return Beside(f"compares engine.{function} with {full}: that is the answer, and no property", True)
            return Beside(f"calls {full}, which is right beside every engine: ask engine.{function}", False)
    return None


LOOKING = ("vars", "dir", "globals", "locals", "eval", "exec")
TOOLS = ("inspect", "gc", "ctypes", "traceback", "dis")
OPEN = ("__name__", "_replace", "_asdict", "_fields", "_make")  # private in name only


def behind(sheet: Sheet, name: str) -> str:
    """What a property uses to look at the engine itself and not at what it computes, or an empty text."""
    for part in reached(sheet, name):
        for node in ast.walk(part):
            match node:
                case ast.Attribute(value=value, attr=attr) if attr.startswith("_") and attr not in OPEN:
                    if not (isinstance(value, ast.Name) and value.id == "self"):
                        return f".{attr}"
                case ast.Call(func=ast.Name(id=function)) if function in LOOKING:
                    return f"{function}(...)"
                case ast.Call(func=ast.Name(id="getattr"), args=[_, ast.Constant(value=str(attr)), *_]):
                    if attr.startswith("_"):
                        return f"getattr(..., {attr!r})"
    return next((full for full in sorted(imported_names(sheet, name)) if full.partition(".")[0] in TOOLS), "")


def parts_used(function: ast.AST) -> dict[str, set[str] | None]:
    """The arguments that a function mentions: None if as a whole, else the attributes that it takes of them.

    >>> parts_used(ast.parse("def test(engine, case, x): engine.f(case.w, case.b)").body[0])["case"] == {"w", "b"}
    True
    """
    used: dict[str, set[str] | None] = {}
    whole = {id(n.value): n for n in ast.walk(function) if isinstance(n, ast.Attribute)}
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            attribute = whole.get(id(node))
            before = used.get(node.id, set())
            used[node.id] = None if attribute is None or before is None else before | {attribute.attr}
    return used


def names_at(function: ast.AST, number: int) -> list[str]:
    """The names that the innermost statement at this line reads, and the loops around it count with, in their order."""
    best: ast.AST | None = None
    loops: list[str] = []
    for node in ast.walk(function):
        if isinstance(node, ast.stmt) and node.lineno <= number <= (node.end_lineno or node.lineno):
            best = node
            if isinstance(node, ast.For):
                loops += [n.id for n in ast.walk(node.target) if isinstance(n, ast.Name)]
    if best is None:
        return []
    inner = (
        best.items if isinstance(best, ast.With) else [best.test] if isinstance(best, ast.If | ast.While) else [best]
    )
    if isinstance(best, ast.For):
        inner = [best.iter]
    read = [n.id for part in inner for n in ast.walk(part) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)]
    return list(dict.fromkeys([*loops, *read]))
