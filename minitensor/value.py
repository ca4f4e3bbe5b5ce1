"""The value of a Tensor: an array of floats that nobody can change, and what Python and NumPy ask of it.

`Value` is the part of a Tensor that has no derivative: its array, its name, and how Python and NumPy read them.
Who asks NumPy for the value gets it; a NumPy function that would compute with it, and lose the recipe, is refused where
NumPy says that it is one (`Value.__array__` tells where it does not).
"""

from __future__ import annotations

import reprlib
from collections.abc import Sequence
from contextvars import ContextVar
from numbers import Number
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from .checks import DEFAULT_FLOAT, FLOATS, holds
from .checks.operators import ASK_FOR_THE_VALUE, way_out

Array: TypeAlias = npt.NDArray[Any]
FLOAT_SCALARS = (np.float32, np.float64)
TRACED_FROM: ContextVar[int | None] = ContextVar("traced_from", default=None)  # the birth where `compiled` began
LOOKS: ContextVar[tuple[LookedAt, ...]] = ContextVar("looks", default=())  # since then, also those that f has caught


class Value:
    """A read-only array with a name."""

    __slots__ = ("__weakref__", "_name", "_value")

    _value: Any  # a read-only array; of a single number mostly NumPy's scalar, whose arithmetic is seven times faster

    @property
    def data(self) -> Array:
        """The value, as an array that cannot be written to."""
        if TRACED_FROM.get() is not None:
            _check_constant(self)
        value = self._value
        return value.view() if isinstance(value, np.ndarray) else frozen(np.asarray(value))

    def item(self) -> float:
        """The only element, as a Python number; ValueError if there are more."""
        if self.size != 1:
            raise ValueError(f"item() needs a Tensor with one element, and this one has shape {self.shape}")
        if TRACED_FROM.get() is not None:
            _check_constant(self)
        return self._value.item()

    @property
    def name(self) -> str | None:
        """What formulas and drawings call it; TypeError unless it is text."""
        return self._name

    @name.setter
    def name(self, name: str | None) -> None:
        if not isinstance(name, str | None):
            raise TypeError(f"a name is text, got {name!r}")
        self._name = name

    @property
    def shape(self) -> tuple[int, ...]:
        """The length of each axis."""
        return self._value.shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self._value.ndim

    @property
    def size(self) -> int:
        """The number of elements."""
        return self._value.size

    @property
    def dtype(self) -> np.dtype[Any]:
        """float32 or float64."""
        return self._value.dtype

    # -- Python --------------------------------------------------------------------------------------------------------

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __round__(self, digits: int | None = None) -> float:
        return round(self.item(), digits)

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec else repr(self)

    def __len__(self) -> int:
        if self.ndim == 0:
            raise TypeError("a Tensor with no axes has no length")
        return self.shape[0]

    def __bool__(self) -> bool:
        if self.size != 1:
            raise ValueError(
                f"a Tensor of shape {self.shape} is not true or false as a whole: ask x.data.any() or x.data.all(), "
                "or choose element by element with where(condition, x, y)"
            )
        return bool(self.item())

    def __eq__(self, other: object) -> bool:
        """Whether the two are the same object; TypeError for numbers, which compare as `x.data == 0`."""
        if isinstance(other, Number | np.generic | np.ndarray):
            raise TypeError("== asks whether two Tensors are the same object; numbers compare as x.data == 0")
        return self is other

    __hash__ = object.__hash__

    def __contains__(self, number: object) -> bool:
        raise TypeError("whether a number is in a Tensor is a question to its value: 0.0 in x.data")

    def __copy__(self: Any) -> Any:
        twin = self.detach()
        twin.primitive, twin.inputs, twin._params = self.primitive, self.inputs, self._params
        twin.name, twin.grad = self.name, self.grad
        return twin

    def __reduce__(self: Any) -> tuple[Any, ...]:
        """A pickled Tensor is born anew where it is unpickled; TypeError for one with a recipe."""
        if self.primitive is not None:
            raise TypeError("the recipe of a Tensor cannot be pickled: detach() it, and pickle the value alone")
        return type(self), (np.asarray(self._value), self.name)

    # -- NumPy ---------------------------------------------------------------------------------------------------------

    __array_priority__ = 1000  # so that `array * x` is x.__rmul__(array), and not an array of Tensors

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> Array:
        """The value, for NumPy; what is made of that has no recipe.

        NumPy asks for it in silence where it writes to an array (`a[...] = x`, `np.full(3, x)`, `np.add.at(a, i, x)`,
        `np.exp(x, out=a)`), in `np.add.outer`, and in methods of arrays, as `a.dot(x)`.  `__array_ufunc__ = None` would
        refuse those that are ufuncs, but `a *= x` too, and without a word on the way out.
        """
        return np.array(self.data, dtype=dtype, copy=copy)

    def __array_wrap__(self, array: Array, context: tuple[Any, ...] | None = None, return_scalar: bool = False) -> Any:
        raise way_out(context[0].__name__ if context else None)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if function.__name__ not in ASK_FOR_THE_VALUE:
            raise way_out(function.__name__)

        def value(x: Any) -> Any:
            return x.data if isinstance(x, Value) else type(x)(map(value, x)) if type(x) in (list, tuple) else x

        return function(*map(value, args), **{name: value(x) for name, x in kwargs.items()})


def deep_copy(newest_first: Sequence[Any], memo: dict[int, Any]) -> Any:
    """The first of these Tensors, the newest, with a copy of the recipe; values are shared: nobody can change them."""
    for t in reversed(newest_first):
        if id(t) not in memo:
            memo[id(t)] = twin = t.__copy__()
            twin.inputs = tuple([memo[id(x)] for x in t.inputs])
    return memo[id(newest_first[0])]


# -- what becomes a value ----------------------------------------------------------------------------------------------


def frozen(array: Array) -> Array:
    """The same array, now read-only."""
    array.setflags(write=False)
    return array


def own_floats(data: npt.ArrayLike, dtype: np.dtype[Any], asked: np.dtype[Any] | None = None) -> Any:
    """The data as a float array of its own, or a NumPy scalar; dtype is what numbers without a float dtype become."""
    if isinstance(data, Value):
        raise TypeError("this is a Tensor already; use it as it is, or detach() it from its history")
    if holds(data, Value):
        raise TypeError("a Tensor cannot be made of Tensors without losing their history; use stack or concatenate")
    if holds(data, np.ma.MaskedArray):
        raise TypeError("a Tensor has no mask, and would show what this one hides; fill it first, as data.filled(0)")
    try:
        array = np.array(data)  # always a copy; memory order is kept
    except ValueError as error:
        raise ValueError(f"a Tensor needs a rectangular array of numbers, got {reprlib.repr(data)}") from error
    if array.dtype.kind in ("iub" if asked is None else "iubf"):
        array = array.astype(asked or dtype)
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    if array.dtype in FLOATS:
        return frozen(array) if array.ndim else array[()]
    raise TypeError(f"a Tensor holds float32 or float64, got {array.dtype}: {reprlib.repr(data)}")


def as_floats(name: str, value: Any, inputs: Sequence[Value]) -> Any:
    """What the function of an operator returned, as read-only floats; it may be a Python number, integers, booleans."""
    if type(value) is np.ndarray and value.dtype in FLOATS:
        value.setflags(write=False)
        owner: Any = value.base
        while isinstance(owner, np.ndarray):  # nor may what it is a view of be written to
            owner.setflags(write=False)
            owner = owner.base
        return value
    if value is None:
        raise TypeError(f"{name} returned None: is a return missing?")
    if isinstance(value, Value):
        raise TypeError(f"{name} returned a Tensor: its function takes and returns arrays, its rules Tensors")
    dtype = np.result_type(*[x.dtype for x in inputs]) if inputs else DEFAULT_FLOAT
    return dtype.type(value) if type(value) in (float, int, bool) else own_floats(value, dtype)


class LookedAt(ValueError):
    """A value was asked for while only the recipe counts."""


def refuse_tracing(why: str) -> None:
    """LookedAt, for this reason, while a function is traced: what comes next depends on values."""
    if TRACED_FROM.get() is not None:
        error = LookedAt(why)
        LOOKS.set((*LOOKS.get(), error))
        raise error


def _check_constant(x: Any) -> None:
    """LookedAt, unless x is a constant that was made since tracing began: the same whatever the inputs are."""
    if x.primitive is not None or x.birth < TRACED_FROM.get():
        what = x.name or (x.primitive.name if x.primitive else "a Tensor")
        refuse_tracing(
            f"the value of {what}, shape {x.shape}, is looked at, and a program cannot follow it: write "
            "where(condition, x, y) for `if`, and hand in what else is known before"
        )
