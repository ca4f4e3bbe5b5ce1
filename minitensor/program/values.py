"""A recipe in its simplest form.

What you can do here: turn Tensors into `Value`s, each computed once and only if it is needed, with `Values`.

What is done to a recipe, and why no bit of a result changes by it:

    constants           what depends on no input is computed once, now
    once                the same operator, of the same values, with the same settings, is one value, unless it draws
    nothing for nothing x * 1, x / 1, x ** 1, x ** 0, -(-x), a sum over no axis, an empty reshape, transpose or cast
    broadcasting        NumPy repeats numbers by itself: `x * broadcast_to(y, x.shape)` is `x * y`
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Set
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from operator import attrgetter
from typing import Any, NamedTuple, TypeVar

import numpy as np

from ..more.functions import _not_below, float_power, isnan, logaddexp, minimum
from ..more.losses import _distributions
from ..ops.contract import _einsum
from ..ops.elementwise import (
    _astype,
    _power,
    _where,
    add,
    divide,
    greater,
    greater_equal,
    maximum,
    multiply,
    negative,
    subtract,
)
from ..ops.reduce import _sum, first_maximum
from ..ops.shape import _broadcast_to, _index, _reshape, _transpose
from ..tensor import Primitive, Tensor
from ..windows import _windows

BROADCASTING = {
    add, subtract, multiply, divide, float_power, greater, greater_equal, _where, maximum, minimum, logaddexp,
}  # fmt: skip
MASKS = {greater, greater_equal, isnan, first_maximum}  # true or false, kept as 1 or 0
VIEWS = {  # their result may lie in the memory of their first input
    _broadcast_to, _index, _reshape, _transpose, _windows, _distributions, _not_below,
}  # fmt: skip

Node = TypeVar("Node", bound=Hashable)
_numbers = count()


class Origin(NamedTuple):
    """Where a Value of a backward pass comes from: the rule of an operator for one of its inputs.

    Without an operator it is the sum of all that came back to a Value from where it was used.
    """

    primitive: Primitive | None
    i: int
    at: Value  # what the operator made; or the Value that was used
    output: str  # whose derivative it serves


@dataclass(eq=False, slots=True)
class Value:
    """A number or an array of a program: an input, a constant, or what an operator makes of others.

    A constant that is one number all over is kept as this number, whatever its shape.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    primitive: Primitive | None = None
    inputs: tuple[Value, ...] = ()
    params: Mapping[str, Any] = field(default_factory=dict)
    constant: Any = None
    cast: bool = False  # whether the engine turns into floats what the function returns
    origin: Origin | None = None  # None where no rule made it
    order: int = field(default_factory=_numbers.__next__)  # a Value is made after its inputs
    reads: tuple[Value, ...] = ()  # all Values that it is made of; an index may be one too

    def __post_init__(self) -> None:
        self.reads = (*self.inputs, *_in_settings(self.params.values())) if self.params else self.inputs

    @property
    def is_uniform(self) -> bool:
        """Whether it is one known number."""
        return self.constant is not None and not np.ndim(self.constant)


class Values:
    """The Values of Tensors, where some Tensors, and some arrays in settings, are the inputs of a program."""

    def __init__(self, inputs: Mapping[Tensor, Value], labels: Mapping[int, Value]) -> None:
        self.known = dict(inputs)
        self.labels = labels  # the arrays in settings that are inputs, by id
        self.made: dict[Any, Value] = {}
        self.origin: Origin | None = None  # of what is made from now on

    def of(self, outputs: Iterable[Tensor]) -> list[Value]:
        """The Value of each Tensor."""
        outputs = list(outputs)
        for t in sorted(reached(outputs, attrgetter("inputs"), self.known.keys()), key=attrgetter("birth")):
            self.known[t] = self._value(t)
        return [self.known[output] for output in outputs]

    def note(self, t: Tensor, origin: Origin) -> None:
        """What t is made of and is not known yet has this origin."""
        self.origin = origin
        self.of([t])
        self.origin = None

    def _value(self, t: Tensor) -> Value:
        if t.primitive is None:
            return self._constant(t._value)
        xs = tuple([self.known[x] for x in t.inputs])
        params = {name: _with_labels(value, self.labels) for name, value in t._params.items()} if t._params else {}
        if (
            xs
            and all(x.constant is not None for x in xs)
            and not (params and (_in_settings(params.values()) or draws(params)))
        ):
            constant = self._constant(t._value)
            if constant.is_uniform or t.size <= sum([np.size(x.constant) for x in xs]):
                return constant
        value = self._simplest(t.primitive, xs, params, t.shape, t.dtype)
        if value.primitive is t.primitive and value.constant is None:
            value.cast = t.primitive in (isnan, first_maximum) or _returns_no_floats(t)
        return value

    def _constant(self, value: Any) -> Value:
        number = _only_number(value)
        return self._once(Value(np.shape(value), value.dtype, constant=value if number is None else number))

    def _simplest(
        self,
        primitive: Primitive,
        xs: tuple[Value, ...],
        params: Mapping[str, Any],
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
    ) -> Value:
        def unchanged(x: Value) -> bool:
            return x.shape == shape and x.dtype == dtype

        def same_as(x: Value) -> Value:
            return x if x.shape == shape else self._simplest(_broadcast_to, (x,), {"shape": shape}, shape, dtype)

        first = xs[0] if xs else None
        if first is not None and first.primitive is primitive and primitive in (_reshape, _transpose):
            if primitive is _transpose:
                params = {"axes": tuple([first.params["axes"][a] for a in params["axes"]])}
            xs = first.inputs
            first = xs[0]
        if primitive in (_reshape, _broadcast_to, _astype) and first is not None and unchanged(first):
            return first
        if primitive is _transpose and first is not None and list(params["axes"]) == list(range(len(shape))):
            return first
        if (primitive is _power and params["exponent"] == 1) or (primitive is _sum and params["axis"] == ()):
            return xs[0]
        if primitive is _power and params["exponent"] == 0:
            return self._once(Value(shape, dtype, constant=dtype.type(1)))
        if primitive is negative and first is not None and first.primitive is negative:
            return first.inputs[0]
        if primitive is multiply or primitive is divide:
            x, y = xs
            if _is_one(y) and x.dtype == dtype:
                return same_as(x)
            if primitive is multiply and _is_one(x) and y.dtype == dtype:
                return same_as(y)
        if primitive in BROADCASTING:
            xs = self._narrow(xs, shape)
        return self._once(Value(shape, dtype, primitive, xs, params))

    def _narrow(self, xs: tuple[Value, ...], shape: tuple[int, ...]) -> tuple[Value, ...]:
        """The inputs of an operator that broadcasts, without what only repeats them."""
        narrow = list(xs)
        for i, x in enumerate(xs):
            less = x
            if x.is_uniform:
                less = self._once(Value((), x.dtype, constant=x.constant))
            elif x.primitive is _broadcast_to:
                less = x.inputs[0]
            if (
                less is not x
                and np.broadcast_shapes(*[y.shape for y in [*narrow[:i], less, *narrow[i + 1 :]]]) == shape
            ):
                narrow[i] = less
        return tuple(narrow)

    def _once(self, value: Value) -> Value:
        value.origin = self.origin
        if value.constant is not None:
            key: Any = ("constant", value.shape, value.dtype, np.asarray(value.constant).tobytes())
        elif value.inputs and not (value.params and draws(value.params)):
            key = (value.primitive, value.inputs, _key(dict(value.params)) if value.params else None)
        else:
            return value  # what is made of nothing, or with a generator, is drawn anew each time
        return self.made.setdefault(key, value)


def needed(outputs: Iterable[Value]) -> list[Value]:
    """The Values that these are computed from, themselves included, in the order in which they are made."""
    return sorted(reached(outputs, attrgetter("reads")), key=attrgetter("order"))


def reached(
    ends: Iterable[Node], inputs_of: Callable[[Node], Iterable[Node]], but: Set[Node] = frozenset()
) -> set[Node]:
    """These and all that they are made of, as far as it is not among the others."""
    seen = {end for end in ends if end not in but}
    todo = list(seen)
    while todo:
        for x in inputs_of(todo.pop()):
            if x not in seen and x not in but:
                seen.add(x)
                todo.append(x)
    return seen


def _only_number(value: Any) -> Any:
    """The number that an array holds in all places, to the last bit, or None."""
    array = np.asarray(value)
    if not array.size:
        return None
    if all(n == 1 or stride == 0 for n, stride in zip(array.shape, array.strides, strict=True)):
        return array[(0,) * array.ndim]
    bits = np.ascontiguousarray(array).view(f"u{array.itemsize}")
    return array[(0,) * array.ndim] if (bits == bits.flat[0]).all() else None


def _returns_no_floats(t: Tensor) -> bool:
    """Whether the function of an operator from elsewhere returns something else than floats of the right dtype."""
    if t.primitive is None or ours(t.primitive) or not t.inputs:
        return False
    settings = deepcopy(t._params) if draws(t._params) else t._params  # so that nobody's generator moves on
    value = t.primitive.function(*[x._value for x in t.inputs], **settings)
    return getattr(value, "dtype", None) != t.dtype


def _is_one(x: Value) -> bool:
    return x.is_uniform and bool(x.constant == 1)


def _with_labels(setting: Any, labels: Mapping[int, Value]) -> Any:
    """A setting with Values in the place of the arrays that are inputs."""
    if id(setting) in labels:
        return labels[id(setting)]
    return tuple([_with_labels(part, labels) for part in setting]) if type(setting) is tuple else setting


def _in_settings(settings: Iterable[Any]) -> list[Value]:
    found = []
    for setting in settings:
        if isinstance(setting, Value):
            found.append(setting)
        elif type(setting) is tuple:
            found += _in_settings(setting)
    return found


def draws(setting: Any) -> bool:
    """Whether there is a generator of random numbers in a setting, or in one of several."""
    if isinstance(setting, Mapping | tuple | list):
        return any(map(draws, setting.values() if isinstance(setting, Mapping) else setting))
    return isinstance(setting, np.random.Generator)


def _key(setting: Any) -> Any:
    """Settings as what a dict can be asked for; equal numbers of different kinds are told apart, as 0 and -0.0 are."""
    if isinstance(setting, dict):
        return tuple([(name, _key(value)) for name, value in setting.items()])
    if isinstance(setting, tuple | list):
        return (type(setting), *[_key(part) for part in setting])
    if isinstance(setting, np.ndarray):
        return (setting.dtype, setting.shape, setting.tobytes())
    if isinstance(setting, slice):
        return (slice, repr(setting))
    if setting is None or isinstance(setting, int | float | str | np.generic | np.dtype):
        return (type(setting), repr(setting))
    return (type(setting), id(setting)) if type(setting).__hash__ is None else setting  # its Tensor keeps it alive


def is_fresh(value: Value) -> bool:
    """Whether nobody else has its memory: neither a caller's array nor that of another value."""
    return value.constant is None and value.primitive is not None and not may_be_view(value)


def may_be_view(value: Value) -> bool:
    """Whether it may lie in the memory of its first input; of operators from elsewhere that is not known."""
    primitive = value.primitive
    alone = primitive is _einsum and len(value.inputs) == 1  # as "ij->ji" is a transpose
    return primitive is not None and (primitive in VIEWS or alone or not ours(primitive))


def may_repeat(value: Value) -> bool:
    """Whether one number in memory may stand in several places of it, so that it cannot be written to."""
    primitive = value.primitive
    return primitive in (_broadcast_to, _windows) or not (primitive is None or ours(primitive))


@cache
def ours(primitive: Primitive) -> bool:
    """Whether an operator is one of the engine's own."""
    return (primitive.__module__ or "").split(".")[0] == __name__.split(".")[0]
