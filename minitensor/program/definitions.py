"""Functions as text that needs NumPy alone.

What you can do here: print functions, and all that they call, with `Definitions`; or take one apart that is a single
expression, with `expression_of`.

The text is that of the chapters, without decorators and types.  `Windows` is printed as plain data, with those of its
methods that are asked for.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import math
import re
import sys
from collections.abc import Callable, Collection
from functools import cache, cached_property
from io import StringIO
from textwrap import dedent, indent
from tokenize import COMMENT, generate_tokens
from types import FunctionType, ModuleType
from typing import Any, NamedTuple

import numpy as np

from ..tensor import Primitive
from ..windows import Windows

FIELDS = ("size", "kernel", "stride", "dilation", "margin", "places")
METHODS: dict[str, Any] = {
    name: method.func if isinstance(method, cached_property) else method
    for name, method in vars(Windows).items()
    if isinstance(method, cached_property | FunctionType) and not name.startswith("_")
}


class Expression(NamedTuple):
    """A function that is one expression of its arguments and NumPy."""

    inputs: list[str]
    every: str | None  # the name of those that are as many as one likes
    settings: list[str]
    text: str


@cache
def expression_of(function: Callable[..., Any]) -> Expression | None:
    """The function as one expression; None if it is longer, or calls what is not NumPy's."""
    if isinstance(function, np.ufunc):
        call = f"np.{function.__name__}(*xs)"
        return Expression([], "xs", [], call) if getattr(np, function.__name__, None) is function else None
    try:
        definition = _parsed(function)[1]
    except (OSError, TypeError, ValueError):
        return None
    last, arguments = definition.body[-1], definition.args
    if len(definition.body) > 1 + (ast.get_docstring(definition) is not None):
        return None
    if not isinstance(last, ast.Return) or last.value is None:
        return None
    if arguments.defaults or arguments.kwarg or getattr(function, "__globals__", {}).get("np") is not np:
        return None
    inputs, settings = ([a.arg for a in some] for some in (arguments.args, arguments.kwonlyargs))
    every = arguments.vararg.arg if arguments.vararg else None
    scopes = ast.Lambda | ast.NamedExpr | ast.comprehension  # in them a name may stand for something else
    if any(isinstance(n, scopes) for n in ast.walk(last.value)):
        return None
    if {n.id for n in ast.walk(last.value) if isinstance(n, ast.Name)} - {*inputs, *settings, every, "np", "len"}:
        return None
    return Expression(inputs, every, settings, ast.unparse(last.value))


class Definitions:
    """The text of some functions and of all that they need.

    >>> definitions = Definitions({"free_name"})
    >>> print(definitions.name_of(free_name), definitions.printed[0].partition(":")[0])
    free_name_2 def free_name_2(name, taken)
    """

    def __init__(self, taken: set[str], shadowed: Collection[str] = ()) -> None:
        self.taken = taken  # the names that cannot be used any more
        self.shadowed = shadowed  # by values: a builtin of this name is imported under another
        self.names: dict[Any, str] = {}  # of what is printed, or imported
        self.imports: set[str] = set()
        self.printed: list[str] = []
        self.asked: set[str] = set()  # what functions ask Windows

    def name_of(self, function: Any) -> str:
        """What the text calls this function; it is printed, with what it calls, if it has not been yet."""
        if function not in self.names:
            module = (getattr(function, "__module__", None) or "").lstrip("_")  # reduce is one of `_functools`
            name = getattr(function, "__name__", "")
            if _is_at_hand(module) and name and getattr(sys.modules.get(module), name, None) is function:
                if getattr(builtins, name, None) is function and name not in self.shadowed:
                    self.names[function] = name
                else:
                    self.names[function] = self._imported(f"from {module} import {name}", name, name)
            elif isinstance(function, FunctionType):
                self.names[function] = free_name(name.lstrip("_"), self.taken)
                self.printed.append(self._text(function))
            else:
                raise ValueError(f"{function!r} cannot be printed: it is no function that Python has the text of")
        return self.names[function]

    def _imported(self, statement: str, name: str, wanted: str) -> str:
        """The name, as near to the wanted one as may be, of what this statement imports under its own."""
        found = free_name(wanted, self.taken)
        self.imports.add(statement + f" as {found}" * (found != name))
        return found

    def windows(self) -> str:
        """The class Windows, as far as it is used."""
        todo = set(self.asked)
        known: set[str] = set()
        while todo - known:
            name = (todo - known).pop()
            known.add(name)
            if name in METHODS:
                todo |= _attributes(_parsed(METHODS[name])[1])
        self.imports.add("from typing import NamedTuple")
        methods = []
        for name in METHODS:
            if name in known:
                decorator = "@property\n" if isinstance(vars(Windows)[name], cached_property) else ""
                methods.append(decorator + self._text(METHODS[name]))
        doc = '"""How windows lie over an image: an entry for each of its axes."""'
        fields = "\n".join([f"{name}: tuple" for name in FIELDS])
        body = "\n\n".join([doc, fields, *methods])
        return "class Windows(NamedTuple):\n" + indent(body, "    ")

    def _text(self, function: FunctionType) -> str:
        """The function without decorators and types, with the names that the text has for what it calls."""
        text, definition = _parsed(function)
        self.asked |= _attributes(definition)
        cell_values = [cell.cell_contents for cell in function.__closure__ or ()]
        outside = {**function.__globals__, **dict(zip(function.__code__.co_freevars, cell_values, strict=True))}
        own = {a.arg for a in ast.walk(definition) if isinstance(a, ast.arg)}
        own |= {n.id for n in ast.walk(definition) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        own |= {n.name for n in ast.walk(definition) if isinstance(n, ast.FunctionDef) and n is not definition}
        changes: list[tuple[int, int, str]] = []
        written = text.encode()  # the places in a syntax tree are counted in bytes
        starts = [0]
        for line in written.split(b"\n"):
            starts.append(starts[-1] + len(line) + 1)

        def change(begin: tuple[int, int], end: tuple[int, int], new: str) -> None:
            changes.append((starts[begin[0] - 1] + begin[1], starts[end[0] - 1] + end[1], new))

        for token in generate_tokens(StringIO(text).readline):
            if token.type == COMMENT and re.match("# (type: ignore|noqa)", token.string):
                row, column = token.start
                code = token.line[:column].rstrip()
                change((row, len(code.encode())), (row, len(f"{token.line[:column]}{token.string}".encode())), "")
        unseen = set()  # parts of types, and of what is replaced as a whole
        for node in ast.walk(definition):
            if isinstance(node, ast.arguments):
                positional = [*node.posonlyargs, *node.args]
                pairs = [*zip(positional[len(positional) - len(node.defaults) :], node.defaults, strict=True)]
                pairs += [(a, d) for a, d in zip(node.kwonlyargs, node.kw_defaults, strict=True) if d is not None]
                defaults = dict(pairs)
                if node is definition.args:  # a default is what it was when the function was defined
                    values = [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]
                    for (_, default), value in zip(pairs, values, strict=True):
                        if type(value) in (bool, int, float, str, type(None)):
                            unseen |= set(ast.walk(default))
                            change(_begin(default), _end(default), _parsable(value))
                for a in [*positional, *node.kwonlyargs, *filter(None, [node.vararg, node.kwarg])]:
                    if a.annotation is not None:
                        unseen |= set(ast.walk(a.annotation))
                        after = _begin(defaults[a]) if a in defaults else _end(a)
                        change(_begin(a), after, a.arg + "=" * (a in defaults))
            elif isinstance(node, ast.FunctionDef) and node.returns is not None:
                unseen |= set(ast.walk(node.returns))
                end = starts[node.returns.end_lineno - 1] + node.returns.end_col_offset  # type: ignore[operator]
                begin = written.rindex(b")", 0, starts[node.returns.lineno - 1] + node.returns.col_offset) + 1
                changes.append((begin, end, ""))
            elif isinstance(node, ast.AnnAssign) and node.value is not None:
                unseen |= set(ast.walk(node.annotation))
                change(_end(node.target), _begin(node.value), " = ")
        for node in ast.walk(definition):
            if node in unseen:
                continue
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id not in own:
                owner = outside.get(node.value.id)
                if isinstance(owner, Primitive) and node.attr in ("function", "definition"):
                    unseen.add(node.value)
                    change(_begin(node), _end(node), self.name_of(owner.definition))
            elif isinstance(node, ast.Name) and node.id in outside and node.id not in own:
                name = self._name_outside(node.id, outside[node.id], function)
                if name in own:  # as in `half = _half(x)`, since names lose their underscores
                    alias = free_name(name, self.taken | own)
                    self.taken.add(alias)
                    self.printed.append(f"{alias} = {name}")
                    name = alias
                if name != node.id:
                    change(_begin(node), _end(node), name)
        for begin, end, new in sorted(changes, reverse=True):
            written = written[:begin] + new.encode() + written[end:]
        text = written.decode().replace(
            f"def {definition.name}(", f"def {self.names.get(function, definition.name)}(", 1
        )
        text = re.sub(r'\n+ *>>> .*?(?=\n *""")', "", text, flags=re.DOTALL)  # examples are for the chapter
        return re.sub(r'("""[^\n"]+)\n *"""', r'\1"""', text).rstrip()

    def _name_outside(self, name: str, value: Any, function: FunctionType) -> str:
        """The name of what a function finds outside of itself."""
        if value is np:
            return "np"
        if isinstance(value, ModuleType) and _is_at_hand(value.__name__):
            if value not in self.names:
                self.names[value] = self._imported(f"import {value.__name__}", value.__name__, name)
            return self.names[value]
        if isinstance(value, Primitive):
            raise ValueError(f"{function.__name__} cannot be printed: it calls the operator {value.name} on arrays")
        if type(value) in (bool, int, float, str):
            key = (name, type(value), repr(value))  # 0.0 == -0.0, and 1 == True
            if key not in self.names:
                self.names[key] = free_name(name, self.taken)
                self.printed.append(f"{self.names[key]} = {_parsable(value)}")
            return self.names[key]
        if not callable(value):
            raise ValueError(f"{function.__name__} cannot be printed: make {name} a setting of the operator")
        return self.name_of(value)


def free_name(name: str, taken: set[str]) -> str:
    """This name, with a number behind it if it is taken; from now on it is.

    >>> taken = {"x"}
    >>> free_name("x", taken), free_name("x", taken)
    ('x_2', 'x_3')
    """
    if name in taken:
        last, number = 1, 2
        while f"{name}_{number}" in taken:
            last, number = number, 2 * number
        while number > last + 1:  # halfway, so that of a thousand equal names each takes ten steps
            between = (last + number) // 2
            last, number = (between, number) if f"{name}_{between}" in taken else (last, between)
        name = f"{name}_{number}"
    taken.add(name)
    return name


@cache
def _parsed(function: Any) -> tuple[str, ast.FunctionDef]:
    """The text of a function from its `def` on, and its syntax; ValueError for a lambda."""
    try:
        code = getattr(function, "__code__", function)  # a wrapper's own: a function knows the one that it wraps
        text = dedent(inspect.getsource(code))
    except (OSError, TypeError) as error:
        raise ValueError(f"{function!r} cannot be printed: {error}") from error
    begin = re.search(r"^def ", text, re.MULTILINE)
    if begin is None:
        raise ValueError(f"{function!r} cannot be printed: write it with def")
    text = text[begin.start() :]
    [definition] = ast.parse(text).body
    assert isinstance(definition, ast.FunctionDef)
    return text, definition


def _is_at_hand(module: str) -> bool:
    """Whether it is in NumPy or in Python's own library."""
    return module.split(".")[0] in {"numpy", *sys.stdlib_module_names}


def _parsable(value: Any) -> str:
    return repr(value) if type(value) is not float or math.isfinite(value) else f'float("{value}")'


def _attributes(node: ast.AST) -> set[str]:
    return {n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)}


def _begin(node: Any) -> tuple[int, int]:
    return node.lineno, node.col_offset


def _end(node: Any) -> tuple[int, int]:
    return node.end_lineno, node.end_col_offset
