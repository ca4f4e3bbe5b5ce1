"""A function as a program.

What you can do here: `compiled` runs a function's program in its place.

How is the recipe of a function found?  The function is called with Tensors, and its result has a recipe.  That recipe
is right for other data only if it does not depend on the data, so:

    it is traced twice, on different data, and the two recipes must be the same
    a value that is looked at, as `if x > 0` does, is an error that names the line
    whole numbers, as labels are, reach the function as they are; where they come back as an index, in both recipes and
    in a third one with numbers from all over the axis, the index is an argument of the program.  Any other whole
    numbers, and those without axes, belong to the program: for others there is another one, unless the function does
    the same with something in their place that can do nothing.  Another use of labels, as in `if labels.max() > 2`, is
    noticed where it makes a difference between the three recipes
    shapes, dtypes, the order of memory, what the Modules that the function uses are made of, and the numbers and arrays
    that it finds by name (`outside` tells where) belong to the program: for others there is another one
    a parameter of such a Module is an argument too, and read anew at each call; so is an array that the Module says
    is `moving`, as a running mean is: while it is traced it is a Tensor, and what then stands in its place is one more
    output, which each call puts there.  Any other Tensor from outside is refused, and so is a function that changes
    what is outside
"""

from __future__ import annotations

import inspect
import random
import traceback
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import update_wrapper
from operator import attrgetter
from pathlib import Path
from threading import RLock
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..recording import recording
from ..tensor import Array, Tensor
from ..value import LOOKS, TRACED_FROM, LookedAt
from .definitions import free_name
from .outside import Holdings, Outside, Place, is_module
from .programs import Program, program_of
from .values import reached

MANY = 64  # programs; more of them mean that something is different at every call
ROOT = Path(__file__).parents[1]
ONE_AT_A_TIME = RLock()  # since tracing puts Tensors into Modules, and sets generators back


class Compiled:
    """A function that runs as a program; made by `compiled`."""

    def __init__(self, function: Callable[..., Any]) -> None:
        update_wrapper(self, function, updated=())
        self.function = function
        self.programs: dict[Any, Traced] = {}
        self._fixed: dict[Any, set[int]] = {}  # the inputs whose numbers belong to the program
        self._outside: Outside | None = None
        self._traces = 0

    def program(self, *arrays: npt.ArrayLike) -> Program:
        """The program for such arrays; the parameters of Modules are its last inputs.

        >>> print(compiled(lambda x: x * x).program(3.0))
        def program(x):
            y = x * x
            return y
        """
        return self._traced([as_array(a) for a in arrays])[0].program

    def weights(self, *arrays: npt.ArrayLike) -> dict[str, Tensor]:
        """What the last inputs of that program are now, by their names in its text: the parameters of Modules."""
        given = [as_array(a) for a in arrays]
        traced, parameters = self._traced(given)
        names = traced.program.parameters[len(given) :]
        return dict(zip(names, [parameters[i] for i in traced.parameters], strict=True))

    def __call__(self, *arrays: npt.ArrayLike) -> Any:
        given: list[Array] = [a if type(a) is np.ndarray and a.dtype.isnative else as_array(a) for a in arrays]
        traced, parameters = self._traced(given)
        for i, n in traced.limits:
            if given[i].size and not 0 <= given[i].min() <= given[i].max() < n:  # the engine says what is wrong with it
                return traced.form([t.data for t in flat(self.function(*map(as_argument, given)))[0]])
        values = [a if a.ndim else a[()] for a in given]
        results = traced.program.run(*values, *[parameters[i]._value for i in traced.parameters])
        computed = [np.asarray(r) for r in (results if type(results) is tuple else (results,))]
        if traced.moved:
            with ONE_AT_A_TIME:
                for place in reversed(traced.moved):
                    place.put(computed.pop())
        return traced.form(computed)

    def _traced(self, given: Sequence[Array]) -> tuple[Traced, list[Tensor]]:
        """What runs for such arrays, and the parameters as they are now; while one thread traces, others wait."""
        with ONE_AT_A_TIME:
            return self._found(given)

    def _found(self, given: Sequence[Array]) -> tuple[Traced, list[Tensor]]:
        holdings = self._outside.now() if self._outside is not None else None
        if self._outside is None or holdings is None or not self._outside.is_still_so(holdings):
            self._outside = Outside(self.function)
            holdings = self._outside.now()
            self.programs.clear()
            self._fixed.clear()
        arrays = [(a.shape, a.dtype, order_of(a)) for a in given]
        key = (*arrays, *holdings.state)
        traced = self.programs.get((key, numbers_of(given, self._fixed.get(key, ()))))
        if traced is None:
            self._count(given)
            self._outside = Outside(self.function, self._outside)  # afresh, since a Module may hold something new
            traced = trace(self.function, given, self._outside)
            key = (*arrays, *self._outside.now().state)  # without the notes that the function takes
            fixed = self._fixed.setdefault(key, set())
            fixed |= traced.fixed
            self.programs[key, numbers_of(given, fixed)] = traced
        return traced, list(holdings.parameters)

    def _count(self, given: Sequence[Array]) -> None:
        """Notes that a program is made; CannotCompile after many."""
        self._traces += 1
        if self._traces > MANY:
            raise CannotCompile(
                f"{name_of(self.function)} was traced {MANY} times: once for each set of shapes, dtypes and orders of "
                "memory, of whole numbers that are no index, of what its Modules are made of, and of what it reads "
                "from outside.  Now it got "
                f"{', '.join([f'{a.dtype} {a.shape}' for a in given])}.  Pad what it gets to a few sizes, keep the "
                "rest as it is, or call the function itself, without `compiled` (in `fit`, compiled=False)"
            )

    def __repr__(self) -> str:
        return f"compiled({name_of(self.function)})"


def compiled(f: Callable[..., Any]) -> Compiled:
    """A function that does what f does, without the engine: arrays in, arrays out.

    f takes Tensors and returns a Tensor, or several in a tuple or a list.  At its first call for some shapes, dtypes
    and orders of memory it is traced, from two to four times, and from then on its `program` runs.
    Python's numbers count as arrays without axes; whole numbers reach f as they are.
    Limits.  What f works out of labels beside the index that they are, as `labels % 1000` or `7 in labels`, is not
    noticed where it makes no difference on the labels of three calls: the first, others like them, and the whole axis.
    A number outside that f itself changes counts its calls, which a program does not, and f may not look at it.
    What f asks the system, as the time or a file, is not noticed where the calls that trace f get the same; nor is what
    it reads of an `array.array`, a `bytearray`, a weak reference, or by a name that is put together as it runs.
    Raises CannotCompile, a ValueError, with the place, where the recipe depends on data or on Tensors from outside of
    f, and after 64 programs; TypeError where f returns something else.

    >>> from minitensor import gradients
    >>> step = compiled(lambda x, w: gradients(((x * w) ** 2).sum(), [w])[0])
    >>> step([1.0, 2.0], 3.0)
    array(30.)
    >>> compiled(lambda x: x if x > 0 else -x)(1.0)
    Traceback (most recent call last):
        ...
    minitensor.program.tracing.CannotCompile: <lambda> cannot be compiled: the value of greater, shape (), is looked at,
    and a program cannot follow it: write where(condition, x, y) for `if`, and hand in what else is known before ...
    """
    if not callable(f):
        raise TypeError(f"compiled takes a function of Tensors, got {type(f).__name__}")
    return Compiled(f)


class CannotCompile(ValueError):
    """A function has no program, since its recipe depends on data or on what is not handed in; or it has too many."""


class Traced(NamedTuple):
    """A program, and what it takes to run it."""

    program: Program
    parameters: list[int]  # of the Modules, those that are its last inputs
    limits: list[tuple[int, int]]  # which inputs are an index, and how many places there are
    fixed: set[int]  # the inputs whose numbers belong to the program
    form: Callable[[Sequence[Array]], Any]  # the outputs as the function returns them
    moved: list[Place]  # where the last outputs belong


# -- tracing -----------------------------------------------------------------------------------------------------------


def trace(function: Callable[..., Any], given: Sequence[Array], outside: Outside) -> Traced:
    """The program of a function of such arrays."""
    generators = [(g, g.bit_generator.state) for g in outside.held(np.random.Generator)]
    modules = [(module, dict(vars(module))) for module in outside.held(object) if is_module(module)]
    try:
        first = Run(function, given, outside)
        second = second_run(function, given, outside)
        comparison = Comparison(first, second, [g for g, _ in generators])
        labels, limits = comparison.result()
        if limits:
            comparison.hold_for(run_of(function, [all_over(given, limits)], outside))
        if outside.counts:
            with outside.far_counts():
                comparison.hold_for(Run(function, given, outside))
        fixed = {i for i, a in enumerate(given) if a.dtype.kind in "iub" and (i not in labels.values() or not a.ndim)}
        fixed -= {i for i in fixed.difference(labels.values()) if is_ignored(i, function, given, outside, comparison)}
    except LookedAt as error:
        raise CannotCompile(f"{name_of(function)} cannot be compiled: {error} ({line_of(error)})") from error
    finally:
        for generator, state in generators:
            generator.bit_generator.state = state
        for module, attributes in modules:  # also where it has counted, or remembered, that it was called
            vars(module).clear()
            vars(module).update(attributes)
    taken: set[str] = set()
    names = [free_name(name, taken) for name in argument_names(function, len(given))]
    inputs: dict[str, Tensor | Array] = dict(zip(names, first.inputs, strict=True))
    used = set(first.history)
    parameters = [i for i, t in enumerate(first.parameters) if t in used]
    for i in parameters:
        inputs[free_name(first.paths[i], taken)] = first.parameters[i]
    returned = first.outputs[: len(first.outputs) - len(first.moved)]
    one = len(returned) == 1
    outputs = {free_name(t.name or ("y" if one else f"y{i}"), taken): t for i, t in enumerate(returned, start=1)}
    given_names = {name for name, t in outputs.items() if t.name}
    for (path, _), t in zip(first.moved.items(), first.outputs[len(returned) :], strict=True):
        name = free_name(f"new {path}", taken)
        outputs[name] = t
        given_names.add(name)
    program = program_of(outputs, inputs, {i: names[k] for i, k in labels.items()}, given_names)
    return Traced(program, parameters, limits, fixed, first.form, list(first.moved.values()))


class Run:
    """A call of the function: its inputs, and its outputs with their history, the oldest first.

    The last outputs are what has been moved: by path, the places where it belongs.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        given: Sequence[Array],
        outside: Outside,
        in_place: Mapping[int, Any] = MappingProxyType({}),  # of some inputs
    ) -> None:
        self.name = name_of(function)
        self.inputs: list[Any] = list(map(as_argument, given, argument_names(function, len(given))))
        for i, stand_in in in_place.items():
            self.inputs[i] = stand_in
        modules = Holdings(outside.modules)
        self.parameters, self.paths = list(modules.parameters), list(modules.parameters.values())
        self.moved: dict[str, Place] = {}
        begin, dice = Tensor(0.0).birth, dice_now()
        tracing, looking = TRACED_FROM.set(begin), LOOKS.set(())
        try:
            with recording(True), np.errstate(all="ignore"), standing_in(modules.places):
                self.outputs, self.form = flat(function(*self.inputs))
                for t, place in modules.places.items():
                    if place.get() is not t:
                        self.moved[modules.parameters[t]] = place
                        self.outputs += flat(place.get())[0]
        finally:
            looks = LOOKS.get()
            TRACED_FROM.reset(tracing)
            LOOKS.reset(looking)
        if looks:
            raise looks[0]  # though the function has caught it
        if not outside.settle() or Holdings(outside.modules).state != modules.state:
            raise CannotCompile(
                f"{self.name} cannot be compiled: it changes a Module, or what it finds outside, and a program does not"
            )
        if dice_now() != dice:
            raise CannotCompile(f"{self.name} cannot be compiled: it draws from np.random or random, and not from a "
                                "generator that is kept")  # fmt: skip
        for i, a in enumerate(given):
            if a.dtype.kind in "iub" and i not in in_place and self.inputs[i].tobytes() != a.tobytes():
                raise CannotCompile(f"{self.name} cannot be compiled: it writes to what it was handed, {a}")
        self.known = {*self.parameters, *[t for t, a in zip(self.inputs, given, strict=True) if a.dtype.kind == "f"]}
        self.history = sorted(reached(self.outputs, attrgetter("inputs")), key=attrgetter("birth"))
        if foreign := [t for t in self.history if t.birth < begin and t not in self.known]:
            raise CannotCompile(
                f"{self.name} cannot be compiled: it reads {', '.join([outside.name_of(t) for t in foreign])} from "
                "outside: hand it in as an argument, keep it in a Module, or take its value before, as array = x.data"
            )
        self._forget()

    def _forget(self) -> None:
        """Free the memory of all that depends on the inputs: of that only the recipe counts, and nan stands there.

        A view of an input takes no memory, and stays: a rule may look at how it lies there.
        """
        moves, kept = set(self.known), {id(owner(t._value)) for t in self.known}
        for t in self.history:
            if t.primitive is not None and (not t.inputs or not moves.isdisjoint(t.inputs)):
                moves.add(t)
                if id(owner(t._value)) not in kept:
                    t._value = np.broadcast_to(t.dtype.type(np.nan), t.shape) if t.ndim else t.dtype.type(np.nan)


@contextmanager
def standing_in(places: Mapping[Tensor, Place]) -> Iterator[None]:
    """Within the block these Tensors stand where Modules keep arrays."""
    before = [(place, place.get()) for place in places.values()]
    try:
        for t, place in places.items():
            place.put(t)
        yield
    finally:
        for place, array in before:
            place.put(array)


def second_run(function: Callable[..., Any], given: Sequence[Array], outside: Outside) -> Run:
    """A run on other data; where such data are refused, as an index out of range is, on data that differ less."""
    changed = others(given)
    with_same_numbers = [b if a.dtype.kind == "f" else a for a, b in zip(given, changed, strict=True)]
    turned = [np.flip(a) * a.dtype.type(1 if a.ndim else 1.25) if a.dtype.kind == "f" else a for a in given]
    return run_of(function, [changed, with_same_numbers, turned], outside)


def run_of(function: Callable[..., Any], candidates: Sequence[Sequence[Array]], outside: Outside) -> Run:
    """A run on the first of these data that the function takes."""
    for candidate in candidates:
        try:
            return Run(function, candidate, outside)
        except (LookedAt, CannotCompile):
            raise
        except (IndexError, ValueError) as error:
            refused = error
    raise CannotCompile(f"{name_of(function)} cannot be compiled: it refuses other data of the same shapes: {refused}")


def is_ignored(
    i: int, function: Callable[..., Any], given: Sequence[Array], outside: Outside, comparison: Comparison
) -> bool:
    """Whether the recipe is the same without the numbers of this input, and nothing is done with what stands there."""
    touches: list[str] = []

    def touch(*args: Any, **settings: Any) -> Any:
        touches.append("")
        raise CannotCompile(f"{name_of(function)} uses its input {i}")

    names = {*dir(np.ndarray)} - {"__class__", "__new__", "__init__", "__init_subclass__", "__subclasshook__"}
    stand_in = type("Untouched", (), dict.fromkeys(names, touch))()
    try:
        comparison.hold_for(Run(function, given, outside, {i: stand_in}))
    except Exception:  # whatever the function makes of it
        return False
    return not touches


class Comparison:
    """Whether two runs have the same recipe, except for whole numbers that were handed in."""

    def __init__(self, first: Run, second: Run, generators: Sequence[np.random.Generator]) -> None:
        self.first, self.second, self.generators = first, second, generators
        pairs = [*zip(first.inputs, second.inputs, strict=True), *zip(first.parameters, second.parameters, strict=True)]
        self.pairs = {a: b for a, b in pairs if isinstance(a, Tensor)}
        self.whole = [(i, a, b) for i, (a, b) in enumerate(pairs) if isinstance(a, np.ndarray) and a.size]
        self.labels: dict[int, int] = {}

    def result(self) -> tuple[dict[int, int], list[tuple[int, int]]]:
        """Which settings are which inputs, by id, and below which number these must stay; ValueError if they differ."""
        self._compare_all()
        limits = [pair for t in self.first.history if self.labels for pair in self._limits(t)]
        for i, a, b in self.whole:
            if i in self.labels.values() and (a == b).all() and any(n > 1 for k, n in limits if k == i):
                raise CannotCompile(
                    f"{self.first.name} cannot be compiled with {a}: which index is it?  Begin with other numbers"
                )
        return self.labels, sorted(set(limits))

    def hold_for(self, third: Run) -> None:
        """ValueError unless a third recipe is the same, and has the inputs in the same settings."""
        again = Comparison(self.first, third, self.generators)
        again.labels = self.labels
        again._compare_all()

    def _compare_all(self) -> None:
        first, second = self.first, self.second
        if len(first.outputs) != len(second.outputs) or len(first.history) != len(second.history):
            raise CannotCompile(
                f"{first.name} cannot be compiled: with other data of the same shapes, its recipe has "
                f"{len(second.history)} values, and not {len(first.history)}"
            )
        for t, u in zip(first.history, second.history, strict=True):
            self._compare(t, u)
        for t, u in zip(first.outputs, second.outputs, strict=True):
            if self.pairs[t] is not u:
                raise self._error("its outputs are others", t)

    def _compare(self, t: Tensor, u: Tensor) -> None:
        if (
            self.pairs.setdefault(t, u) is not u
            or t.primitive is not u.primitive
            or (t.shape, t.dtype) != (u.shape, u.dtype)
        ):
            raise self._error(f"{u.primitive.name if u.primitive else 'a constant'} of shape {u.shape} stands there", t)
        if any(self.pairs.get(x) is not y for x, y in zip(t.inputs, u.inputs, strict=True)):
            raise self._error("it has other inputs", t)
        is_constant = t.primitive is None and t not in self.first.known
        if is_constant and np.asarray(t._value).tobytes() != np.asarray(u._value).tobytes():
            raise self._error("it is another one: was it computed by NumPy, in no_grad, by backward(), or detached?", t)
        for name, value in t._params.items():
            self._compare_settings(name, value, u._params[name], t)

    def _compare_settings(self, name: str, a: Any, b: Any, t: Tensor) -> None:
        if type(a) is tuple and type(b) is tuple and len(a) == len(b):
            for one, other in zip(a, b, strict=True):
                self._compare_settings(name, one, other, t)
        elif isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
            known = self.labels.get(id(a))
            is_input = [i for i, x, y in self.whole if np.array_equal(a, x) and np.array_equal(b, y)]
            if known in is_input:
                is_input = [known]
            same = np.array_equal(a, b) and known is None
            if len(is_input) > 1 or (not is_input and not same) or (is_input and a.dtype.kind == "b"):
                raise self._error(f"its {name} is another one, worked out by NumPy, or not to be told from others", t)
            if is_input:
                self.labels[id(a)] = is_input[0]
        elif isinstance(a, np.random.Generator):
            if a is not b or not any(a is g for g in self.generators):
                raise self._error("it draws from another generator: keep one outside, or in a Module", t)
        elif a is not b and (type(a) is not type(b) or repr(a) != repr(b)):
            raise self._error(f"its {name} is {b!r}, and not {a!r}", t)

    def _error(self, what: str, t: Tensor) -> CannotCompile:
        recipe = "a constant" if t.primitive is None else t.primitive.name
        number = (
            f"value {self.first.history.index(t) + 1} of {len(self.first.history)}" if t in self.first.history else ""
        )
        return CannotCompile(
            f"{self.first.name} cannot be compiled, since its recipe depends on the data: with other data of the same "
            f"shapes, in the place of {recipe} of shape {t.shape} ({number}), {what}"
        )

    def _limits(self, t: Tensor) -> Iterator[tuple[int, int]]:
        """For each input in an index, the length of the axis that it is an index of."""
        key = t._params.get("key")
        if t.primitive is None or not isinstance(key, tuple):
            return
        shape = t._params.get("shape", t.inputs[0].shape)
        taken = sum([part.ndim if isinstance(part, np.ndarray) and part.dtype == bool else 1
                     for part in key if part is not None and part is not Ellipsis])  # fmt: skip
        axis = 0
        for part in key:
            if part is Ellipsis:
                axis += len(shape) - taken
            elif part is not None:
                if id(part) in self.labels:
                    yield self.labels[id(part)], shape[axis]
                axis += part.ndim if isinstance(part, np.ndarray) and part.dtype == bool else 1


def others(given: Sequence[Array]) -> list[Array]:
    """Other data of the same shapes: floats of the same signs, in another order; whole numbers in the same range."""
    rng = np.random.default_rng(0)
    changed = []
    for a in given:
        if a.dtype.kind == "f":
            factors = rng.uniform(0.5, 1.5, a.shape).astype(a.dtype)
            values = rng.permutation(a.ravel()).reshape(a.shape)
            values = np.where((values == 0) | ~np.isfinite(values), factors, values * factors).astype(a.dtype)
            other = np.empty_like(a)
            other[...] = values
        elif a.dtype.kind == "b":
            other = ~a
        else:
            low, high = (int(a.min()), int(a.max())) if a.size else (0, 0)
            if low == high:
                other = np.full_like(a, low - 1 if low > 0 else low + 1)
            else:  # another one in each place, so that no part of them is the same
                span = high - low + 1
                other = (low + (a - low + rng.integers(1, span, a.shape)) % span).astype(a.dtype)
        changed.append(other)
    return changed


def all_over(given: Sequence[Array], limits: Sequence[tuple[int, int]]) -> list[Array]:
    """The data with each index running down its whole axis, as far as it is long enough."""
    changed = list(given)
    for i, n in sorted(limits, reverse=True):  # the shortest axis last
        changed[i] = ((n - 1 - np.arange(given[i].size)) % n).astype(given[i].dtype).reshape(given[i].shape)
    return changed


def dice_now() -> Any:
    """What the numbers that NumPy and Python draw for everybody depend on."""
    state: Any = np.random.get_state()
    return random.getstate(), state[1].tobytes(), state[2:]


# -- in and out --------------------------------------------------------------------------------------------------------


def as_array(x: Any) -> Array:
    """What may be handed in, as an array; whatever a Tensor refuses is refused."""
    if isinstance(x, Tensor):
        return x.data
    if isinstance(x, np.ndarray) and not x.dtype.isnative:
        x = x.astype(x.dtype.newbyteorder("="))
    if isinstance(x, np.ndarray | np.generic | int | float | bool) and not isinstance(x, np.ma.MaskedArray):
        return np.asarray(x)
    array = np.asarray(x) if isinstance(x, list | tuple) and not any(isinstance(y, Tensor) for y in x) else None
    return array if array is not None and array.dtype.kind in "iubf" else Tensor(x).data


def as_argument(a: Array, name: str | None = None) -> Tensor | Array:
    """What the function gets: floats as a Tensor, whole numbers as they are."""
    return a.copy() if a.dtype.kind in "iub" else Tensor(a, name)


def numbers_of(given: Sequence[Array], fixed: Collection[int]) -> tuple[bytes, ...]:
    """The numbers of some of the inputs, to compare them."""
    return tuple([given[i].tobytes() for i in sorted(fixed)])


def owner(a: Any) -> Any:
    """The array whose memory this is."""
    while isinstance(base := getattr(a, "base", None), np.ndarray):
        a = base
    return a


def order_of(a: Array) -> tuple[int, ...] | None:
    """The axes as they lie in memory, the slowest first; None for the usual order."""
    if a.flags.c_contiguous:
        return None
    return tuple(sorted(range(a.ndim), key=lambda axis: -a.strides[axis]))


def flat(result: Any) -> tuple[list[Tensor], Callable[[Sequence[Array]], Any]]:
    """The Tensors that a function has returned, and how to put arrays in their form; TypeError for anything else."""
    if isinstance(result, Tensor):
        return [result], lambda arrays: arrays[0]
    if type(result) in (tuple, list) and result and all(isinstance(t, Tensor) for t in result):
        return list(result), type(result)
    kinds = [type(t).__name__ for t in result] if type(result) in (tuple, list) else type(result).__name__
    raise TypeError(f"what is compiled returns a Tensor, or a tuple or a list of Tensors, got {kinds}")


def name_of(function: Any) -> str:
    """What a function is called in errors."""
    return getattr(function, "__name__", None) or type(function).__name__


def argument_names(function: Callable[..., Any], count: int) -> list[str]:
    """The names of the arguments, where the function has names for them."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (ValueError, TypeError):
        parameters = []
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)][:count]
    every = next((p.name for p in parameters if p.kind is p.VAR_POSITIONAL), "x")
    return names + [f"{every}{i}" for i in range(1, count - len(names) + 1)]


def line_of(error: BaseException) -> str:
    """The last line outside of the engine that led to an error."""
    frames = traceback.extract_tb(error.__traceback__)
    outside = [f for f in frames if not Path(f.filename).is_relative_to(ROOT)] or frames
    return f"{Path(outside[-1].filename).name}, line {outside[-1].lineno}: {outside[-1].line}"
