"""What a function can reach without being given it.

What you can do here: find the Modules, generators and Tensors that a function uses, with `Outside`, and ask at each
call which parameters they hold `now`, and whether anything else has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple, TypeVar

import numpy as np

from ..tensor import Primitive, Tensor, owned

Held = TypeVar("Held")
SIMPLE = (int, float, str, bool, type(None))


class Place(NamedTuple):
    """Where a Module keeps an array."""

    module: Any
    name: str

    def get(self) -> Any:
        """What is there."""
        return getattr(self.module, self.name)

    def put(self, value: Any) -> None:
        """Keep this, and not what was there."""
        setattr(self.module, self.name, value)


class Holdings:
    """What Modules hold: parameters, and a key of everything else.

    An array that its Module says is `moving` has a Tensor that stands for it among the parameters.
    """

    def __init__(self, modules: Sequence[tuple[str, Any]]) -> None:
        self.parameters: dict[Tensor, str] = {}  # with their paths
        self.places: dict[Tensor, Place] = {}  # of those that stand for an array
        self.state: list[Any] = []
        self._seen: set[int] = set()
        for name, module in modules:
            self._add(module, "" if len(modules) == 1 else name)

    def _add(self, value: Any, path: str) -> None:
        kind = type(value)
        if kind in SIMPLE:
            self.state.append((kind, repr(value)))  # 1, 1.0 and True differ, as 0.0 and -0.0 do; nan is nan
        elif kind is Tensor:
            if value not in self.parameters:
                self.parameters[value] = path
                self.state.append((value._value.shape, value._value.dtype))
            else:
                self.state.append(list(self.parameters).index(value))  # one that several share
        elif kind is np.ndarray:
            self.state.append((value.shape, value.dtype, value.tobytes()))
        elif kind in (list, tuple, dict):
            self.state.append(len(value))
            self._add_parts(value, value.items() if kind is dict else enumerate(value), path)
        elif is_module(value):
            self.state += [Same(value), getattr(value, "training", None)]
            self._add_parts(value, vars(value).items(), path)
        else:
            self.state.append(Same(value))

    def _add_parts(self, whole: Any, parts: Iterable[tuple[Any, Any]], path: str) -> None:
        if id(whole) in self._seen:
            return
        self._seen.add(id(whole))
        moving = getattr(whole, "moving", ())
        for name, part in parts:
            inner = f"{path}.{name}" if path else str(name)
            if name in moving and type(part) is np.ndarray:
                part = owned(part.view())
                self.places[part] = Place(whole, name)
            self.state.append(name)
            self._add(part, inner)


class Outside:
    """What a function can reach without being given it: Modules, generators, Tensors, and all that it calls by name."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.modules: list[tuple[str, Any]] = []
        self._generators: list[np.random.Generator] = []
        self._tensors: dict[Tensor, str] = {}
        self._read: list[tuple[Callable[[], Any], Any]] = []  # how to look again, and what was there
        self._visit(function, "", set())

    def _visit(self, value: Any, name: str, seen: set[int]) -> None:
        if id(value) in seen or isinstance(value, type | ModuleType):
            return
        seen.add(id(value))
        if is_module(value):
            self.modules.append((name, value))
        elif isinstance(value, Tensor):
            self._tensors[value] = name
        elif isinstance(value, np.random.Generator):
            self._generators.append(value)
        elif isinstance(value, FunctionType):
            if (value.__module__ or "").split(".")[0] not in (__name__.split(".")[0], "numpy"):
                self._visit_function(value, seen)
        elif isinstance(value, partial):
            for part in [value.func, *value.args, *value.keywords.values()]:
                self._visit(part, "", seen)
        elif isinstance(value, MethodType):
            self._visit(value.__self__, "", seen)
            self._visit(value.__func__, name, seen)
        elif isinstance(value, list | tuple):
            for i, part in enumerate(value):
                self._visit(part, f"{name}.{i}", seen)
        elif isinstance(value, dict) or (
            callable(value) and not isinstance(value, Primitive) and hasattr(value, "__dict__")
        ):
            for key, part in (value if isinstance(value, dict) else vars(value)).items():
                self._visit(part, f"{name}.{key}" if name else str(key), seen)

    def _visit_function(self, function: FunctionType, seen: set[int]) -> None:
        cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
        for name, cell in cells.items():
            with suppress(ValueError):  # a cell that is empty as yet
                self._read.append((partial(getattr, cell, "cell_contents"), cell.cell_contents))
                self._visit(cell.cell_contents, name, seen)
        for name in names_in(function.__code__) & function.__globals__.keys():
            self._read.append((partial(function.__globals__.get, name), function.__globals__[name]))
            self._visit(function.__globals__[name], name, seen)
        for part in [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]:
            self._visit(part, "", seen)

    def is_still_so(self) -> bool:
        """Whether each name still stands for the same thing."""
        return all(look() is what for look, what in self._read)

    def now(self) -> Holdings:
        """What the Modules hold at this moment."""
        return Holdings(self.modules)

    def held(self, kind: type[Held]) -> list[Held]:
        """All generators, or whatever else of a kind, those in Modules too."""
        held = [part.what for part in self.now().state if type(part) is Same]
        return [part for part in [*self._generators, *held] if isinstance(part, kind)]

    def name_of(self, t: Tensor) -> str:
        """What a Tensor from outside is called."""
        return t.name or self._tensors.get(t) or f"a Tensor of shape {t.shape}"


def names_in(code: CodeType) -> set[str]:
    """The names that code looks up outside, that of the functions within it too."""
    return set(code.co_names).union(*[names_in(part) for part in code.co_consts if isinstance(part, CodeType)])


class Same:
    """A part of a key that is equal to itself alone."""

    __slots__ = ("what",)

    def __init__(self, what: Any) -> None:
        self.what = what

    def __hash__(self) -> int:
        return id(self.what)

    def __eq__(self, other: object) -> bool:
        return type(other) is Same and self.what is other.what


def is_module(value: Any) -> bool:
    """Whether it is a Module: it has parameters with names."""
    return hasattr(type(value), "named_parameters") and hasattr(value, "__dict__")
