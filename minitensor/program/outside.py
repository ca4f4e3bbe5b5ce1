"""What a function can reach without being given it.

What you can do here: find the Modules, generators and Tensors that a function uses, with `Outside`, and ask at each
call what they hold `now`, and what the function finds by name.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dis import get_instructions
from functools import partial
from itertools import chain
from operator import attrgetter, is_, itemgetter
from pathlib import Path
from types import CodeType, FunctionType, MemberDescriptorType, MethodType, ModuleType
from typing import Any, NamedTuple, TypeAlias, TypeVar

import numpy as np

from ..tensor import Array, Primitive, Tensor, owned

Held = TypeVar("Held")
Key: TypeAlias = "tuple[int, Any]"  # the id of what has a part, and how this is called
METHODS = {"__call__", "__wrapped__", "__getattr__", "__getitem__", "__iter__", "__len__"}  # used by no name
SIMPLE = (int, float, str, bool, type(None))
FAR = 10**9  # a count that no function reaches here


def nothing(where: Any) -> Sequence[Any]:
    """No names: what has none is no count."""
    return ()


def names_of_cell(where: Any) -> Sequence[str]:
    """That of what a variable of an outer function holds, twice: of one name alone, attrgetter makes no tuple."""
    return "cell_contents", "cell_contents"


class Place(NamedTuple):
    """Where something is kept: an attribute, or an item of a list, a deque or a dict."""

    where: Any
    name: Any

    def get(self) -> Any:
        """What is there."""
        return self.where[self.name] if isinstance(self.where, list | deque | dict) else getattr(*self)

    def put(self, value: Any) -> None:
        """Keep this, and not what was there."""
        if isinstance(self.where, list | deque | dict):
            self.where[self.name] = value
        else:
            setattr(*self, value)


class Spot(NamedTuple):
    """A place where the function finds something: how to look again, and what the parts are called that are seen."""

    look: Callable[[Any], Sequence[Any]]
    where: Any
    names: Callable[[Any], Iterable[Any]] = nothing


class Holdings:
    """What Modules hold: parameters, and a key of everything else.

    An array that its Module says is `moving` has a Tensor that stands for it among the parameters.
    """

    def __init__(self, modules: Sequence[tuple[str, Any]]) -> None:
        self.parameters: dict[Tensor, str] = {}  # with their paths
        self.places: dict[Tensor, Place] = {}  # of those that stand for an array
        self.state: list[Any] = []
        self.objects: list[Same] = []  # what else a function finds, beside numbers
        self._seen: set[int] = set()
        for name, module in modules:
            self._add(module, "" if len(modules) == 1 else name)

    def held(self) -> list[Any]:
        """The Modules, with those within them, and what they hold that has no parts here."""
        return [part.what for part in self.state if type(part) is Same]

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
    """What a function can reach without being given it: Modules, generators, Tensors, and what it finds by name.

    A name leads to what it stands for; a list, a dict or an object to its parts; a function to what its code names.  Of
    objects, classes and modules those attributes count that are named in some code that is reached.  What belongs to
    the engine, to Python or to an installed package stays what it is; so do objects of Python's own types, but for
    lists, dicts, sets and deques.
    """

    def __init__(self, function: Callable[..., Any], before: Outside | None = None) -> None:
        self.notes: list[Any] = list(before.notes) if before else []  # what the function has added to: not looked at
        self.unseen: dict[Key, Spot] = dict(before.unseen) if before else {}  # nor these parts
        self.counts: set[Key] = set(before.counts) if before else set()  # those of them that it changes
        self._function = function
        self._find()

    def _find(self) -> None:
        self._words = set(METHODS)  # what is named in the code that is reached
        known = 0
        while known < len(self._words):  # the words of one method lead to others
            known = len(self._words)
            self.modules: list[tuple[str, Any]] = []
            self._generators: list[np.random.Generator] = []
            self._tensors: dict[Tensor, str] = {}
            self._spots: list[Spot] = []
            self._visit(self._function, "", set())
        self._remember()

    def _visit(self, value: Any, name: str, seen: set[int]) -> None:
        if id(value) in seen or isinstance(value, (*SIMPLE, Primitive, np.ndarray, np.generic)):
            return
        if any(value is note for note in self.notes):
            return
        seen.add(id(value))
        parts: Mapping[Any, Any] = {}
        if is_module(value):
            self.modules.append((name, value))
            held = Holdings(self.modules[-1:]).held()
            seen |= set(map(id, filter(is_module, held)))
            parts = {"": [type(part) if is_module(part) else part for part in held]}
        elif isinstance(value, Tensor):
            self._tensors[value] = name
        elif isinstance(value, np.random.Generator):
            self._generators.append(value)
        elif isinstance(value, FunctionType):
            if not is_elsewhere(value.__module__):
                parts = self._visit_function(value)
        elif isinstance(value, MethodType):
            parts = {"": (value.__self__, value.__func__)}
        elif isinstance(value, staticmethod | classmethod):
            parts = {name: value.__func__}
        elif isinstance(value, property | partial):
            parts = {"": value.fget if isinstance(value, property) else (value.func, value.args, value.keywords)}
        elif isinstance(value, ContextVar):
            self._spots.append(Spot(lambda variable: (variable.get(None),), value))
        elif isinstance(value, dict):
            parts = value
            self._watch(value, dict.items)
        elif isinstance(value, list | deque | tuple | set | frozenset):
            parts = dict(enumerate(value))
            if isinstance(value, list | deque):
                unseen = self._unseen_in(value)
                look = (lambda parts: [x for i, x in enumerate(parts) if i not in unseen]) if unseen else tuple
                self._spots.append(Spot(look, value, lambda parts: [i for i in range(len(parts)) if i not in unseen]))
            elif isinstance(value, set):
                self._spots.append(Spot(tuple, value))
        elif isinstance(value, type | ModuleType):
            for kind in value.__mro__ if isinstance(value, type) else [value]:
                if not is_elsewhere(kind.__module__ if isinstance(kind, type) else kind.__name__):
                    parts = {**self._named(kind, self._words), **parts}
        elif hasattr(value, "__dict__") or not is_elsewhere(type(value).__module__):
            slots = slots_of(type(value))
            parts = {**dict(self._attributes(value, slots)), "": type(value)}
            self._watch(value, partial(self._attributes, slots=slots))
        for key, part in parts.items():
            self._visit(part, f"{name}.{key}".strip("."), seen)

    def _visit_function(self, function: FunctionType) -> dict[str, Any]:
        """Its parts, by what it calls them; an empty cell is not looked at."""
        code, cells = function.__code__, {}
        self._words |= words_in(code)
        self._spots.append(Spot(attrgetter("__code__", "__defaults__", "__kwdefaults__"), function))
        for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
            with suppress(ValueError):
                cells[name] = cell.cell_contents
                if not self._unseen_in(cell):
                    self._spots.append(Spot(attrgetter(*names_of_cell(cell)), cell, names_of_cell))
        defaults = {"": (function.__defaults__, function.__kwdefaults__)}
        return {**self._named(function.__globals__, globals_in(code)), **cells, **defaults}

    def _named(self, where: Any, names: Set[str]) -> dict[str, Any]:
        """What these names stand for in a dict, a class or a module."""
        space = where if isinstance(where, dict) else vars(where)
        there, unseen = sorted(names & space.keys()), self._unseen_in(where)
        if watched := [name for name in there if name not in unseen]:
            watched = [watched[0], *watched]  # of one name alone, itemgetter makes no tuple
            get = itemgetter(*watched)
            look = get if space is where else lambda where: get(vars(where))
            self._spots.append(Spot(look, where, lambda _: watched))
        return {name: space[name] for name in there}

    def _watch(self, where: Any, items: Callable[[Any], Iterable[tuple[Any, Any]]]) -> None:
        """Look at these items, at names and at what they stand for, but those unseen."""
        unseen = self._unseen_in(where)
        self._spots.append(
            Spot(
                lambda where: [part for item in items(where) if item[0] not in unseen for part in item],
                where,
                lambda where: [name for name, _ in items(where) if name not in unseen for _ in range(2)],
            )
        )

    def _unseen_in(self, where: Any) -> set[Any]:
        """The names of what is not looked at there."""
        return {name for place, name in self.unseen if place == id(where)}

    def _attributes(self, value: Any, slots: Sequence[str]) -> list[tuple[str, Any]]:
        """The attributes of an object that some code names, with what they are."""
        held = {name: getattr(value, name) for name in slots if name in self._words and hasattr(value, name)}
        return [pair for pair in {**held, **getattr(value, "__dict__", {})}.items() if pair[0] in self._words]

    def _look(self) -> list[Sequence[Any]]:
        try:
            return [look(where) for look, where, _ in self._spots]
        except (KeyError, ValueError):  # a name that is gone
            return []

    def _remember(self) -> None:
        self._before = self._look()
        self._facts = parted(chain(*self._before))
        self._bytes = [a.tobytes() for a in self._facts.arrays]

    def settle(self) -> bool:
        """Whether the function, called once, has changed nothing here.

        A list, a dict or an object may have grown, where it takes notes or keeps results, and a number may have
        changed, where it counts; from now on these are not looked at.
        """
        now, grown, unseen, counts = self._look(), list[Any](), dict[Key, Spot](), set[Key]()
        is_fine = len(now) == len(self._spots) and self._bytes == [a.tobytes() for a in self._facts.arrays]
        for spot, before, after in zip(self._spots, self._before, now, strict=False):
            keys = [(id(spot.where), name) for name in spot.names(spot.where)]
            changed = [i for i, (a, b) in enumerate(zip(before, after, strict=False)) if a is not b]
            if len(keys) == len(before) == len(after) and all(
                type(part[i]) in (int, float) for i in changed for part in (before, after)
            ):
                counts |= {keys[i] for i in changed}
                unseen |= {keys[i]: spot for i in changed}
            elif changed or len(after) < len(before):
                is_fine = False
            elif type(spot.where) in (list, deque, dict) and type(spot.look) is not itemgetter:  # as that of globals
                grown.append(spot.where)
            else:
                is_fine &= len(before) == len(after) or len(keys) == len(after)
                unseen |= dict.fromkeys(keys[len(before) :], spot)
        self.notes += grown
        self.unseen |= unseen
        self.counts |= counts
        if unseen or grown:
            self._find()
        else:
            self._remember()
        return is_fine

    @contextmanager
    def far_counts(self) -> Iterator[None]:
        """Within the block the counts stand where no call of the function has brought them."""
        places = [Place(self.unseen[key].where, key[1]) for key in self.counts]
        before = [place.get() for place in places]
        try:
            for place in places:
                place.put(FAR)
            yield
        finally:
            for place, number in zip(places, before, strict=True):
                place.put(number)

    def now(self) -> Holdings:
        """What the Modules hold at this moment, and the function itself."""
        found = self._look()
        facts = self._facts if is_same(found, self._before) else parted(chain(*found))
        holdings = Holdings(self.modules)
        holdings.objects = facts.objects
        holdings.state += [*facts.simple, *[(a.shape, a.dtype, a.tobytes()) for a in facts.arrays]]
        return holdings

    def is_still_so(self, now: Holdings) -> bool:
        """Whether all that is no number stands where it stood."""
        return now.objects == self._facts.objects

    def held(self, kind: type[Held]) -> list[Held]:
        """All generators, or whatever else of a kind, those in Modules too."""
        return [part for part in [*self._generators, *self.now().held()] if isinstance(part, kind)]

    def name_of(self, t: Tensor) -> str:
        """What a Tensor from outside is called."""
        return t.name or self._tensors.get(t) or f"a Tensor of shape {t.shape}"


def is_same(found: Sequence[Sequence[Any]], before: Sequence[Sequence[Any]]) -> bool:
    """Whether the very same things stand in the same places."""
    return list(map(len, found)) == list(map(len, before)) and all(map(is_, chain(*found), chain(*before)))


class Facts(NamedTuple):
    """What a function finds, by kind: numbers and text, arrays, anything else."""

    simple: list[tuple[type, str]]
    arrays: list[Array]
    objects: list[Same]


def parted(found: Iterable[Any]) -> Facts:
    """What was found, by kind."""
    facts = Facts([], [], [])
    for part in found:
        if isinstance(part, SIMPLE):
            facts.simple.append((type(part), repr(part)))
        elif isinstance(part, np.ndarray | np.generic):
            facts.arrays.append(np.asarray(part))
        else:
            facts.objects.append(Same(part))
    return facts


def globals_in(code: CodeType) -> set[str]:
    """The names that code looks up outside, that of the functions within it too."""
    names = {i.argval for i in get_instructions(code) if i.opname == "LOAD_GLOBAL"}
    return names.union(*[globals_in(part) for part in code.co_consts if isinstance(part, CodeType)])


def words_in(code: CodeType) -> set[str]:
    """What may be the name of an attribute in code, as text for `getattr` may, and in the functions within it."""
    words = {*code.co_names, *[part for part in code.co_consts if isinstance(part, str)]}
    return words.union(*[words_in(part) for part in code.co_consts if isinstance(part, CodeType)])


def slots_of(kind: type) -> list[str]:
    """What the objects of a class hold without a `__dict__`: the names in `__slots__`, its own and those inherited."""
    return [name for base in kind.__mro__ for name, part in vars(base).items() if type(part) is MemberDescriptorType]


def is_elsewhere(module: str | None) -> bool:
    """Whether it is the engine's, Python's own or that of a package, which stay what they are."""
    root = (module or "").split(".")[0]
    file = getattr(sys.modules.get(root), "__file__", None) or ""
    return root in {__name__.split(".")[0], "numpy", *sys.stdlib_module_names} or "site-packages" in Path(file).parts


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
