"""What may be handed in, and what is said where it may not: an error that echoes the values.

What you can do here: check whole numbers, dtypes, axes, shapes and words.  The chapters begin with their ideas, so
their guards stand here together.
"""

from __future__ import annotations

import inspect
import string
import sys
from collections.abc import Callable, Sequence
from math import prod
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Ints: TypeAlias = int | Sequence[int]
Sizes: TypeAlias = tuple[int, ...]
Axis: TypeAlias = int | Sequence[int] | None

DEFAULT_FLOAT = np.dtype(np.float64)  # what integers and booleans become
FLOATS = (np.dtype(np.float32), DEFAULT_FLOAT)

# -- numbers -----------------------------------------------------------------------------------------------------------


def whole(name: str, value: Any) -> int:
    """The value as an int; TypeError if it is not a whole number."""
    if type(value) is int:  # nearly always, and much the faster question
        return value
    try:
        return int(value.__index__())
    except (AttributeError, TypeError):
        raise TypeError(f"{name} (={value!r}) must be a whole number") from None


def index_number(value: Any) -> int:
    """A position as an int; IndexError if it is not a whole number."""
    try:
        return int(value.__index__())
    except (AttributeError, TypeError):
        raise IndexError(f"an index is made of whole numbers or booleans, got {value!r}") from None


def float_dtype(dtype: npt.DTypeLike) -> np.dtype[Any]:
    """The dtype as one of the two that a Tensor has, or TypeError."""
    if np.dtype(dtype) not in FLOATS:
        raise TypeError(f"a Tensor holds float32 or float64, not {np.dtype(dtype)}")
    return np.dtype(dtype)


def per_axis(name: str, value: Ints, axes: int) -> Sizes:
    """A setting as one number for each spatial axis; a single number stands for the same on each.

    >>> per_axis("stride", 2, 2), per_axis("stride", (1, 2), 2)
    ((2, 2), (1, 2))
    """
    values = tuple(value) if isinstance(value, Sequence) and not isinstance(value, str) else (value,) * axes
    if len(values) != axes:
        raise ValueError(f"{name} (={value}) must be a number, or one for each of the {axes} spatial axes")
    return tuple([whole(name, v) for v in values])


def check_least(**settings: int) -> None:
    """ValueError for a padding below 0, and for anything else below 1."""
    for name, number in settings.items():
        if number < (least := 0 if "padding" in name else 1):
            raise ValueError(f"{name} (={number}) must be at least {least}")


# -- axes and shapes ---------------------------------------------------------------------------------------------------


def axis_of(shape: Sizes, axis: int) -> int:
    """The number of an axis, counted from the first; ValueError if there is none."""
    if not -len(shape) <= whole("axis", axis) < len(shape):
        raise ValueError(f"axis (={axis}) is not an axis of shape {shape}")
    return whole("axis", axis) % len(shape)


def several(axis: int | Sequence[int]) -> list[int]:
    """One axis or several, as a list."""
    return [whole("axis", a) for a in (axis if isinstance(axis, Sequence) else [axis])]


def normal_axes(axis: Axis, ndim: int) -> Sizes:
    """The axes as numbers from 0 to ndim - 1, in ascending order; ValueError for one out of range or named twice.

    >>> normal_axes(None, 3), normal_axes(-1, 3), normal_axes((-1, 0), 3)
    ((0, 1, 2), (2,), (0, 2))
    """
    named = range(ndim) if axis is None else axis if isinstance(axis, Sequence) else (axis,)
    numbers = [whole("axis", a) for a in named]
    if ndim == 0 and numbers in ([0], [-1]):  # a single number has no axes, and NumPy takes the first all the same
        return ()
    axes = tuple(sorted(a + ndim if a < 0 else a for a in numbers))
    if any(not 0 <= a < ndim for a in axes) or len(set(axes)) != len(axes):
        raise ValueError(f"axis (={axis}) must name axes of a Tensor with {ndim} axes, each once")
    return axes


def count_or_raise(shape: Sizes, axis: Axis, ddof: float = 0) -> float:
    """How many elements go into each result, less ddof; ValueError if that leaves none."""
    count = prod(shape[a] for a in normal_axes(axis, len(shape)))
    if not count > ddof:
        less = f" beyond ddof (={ddof})" if ddof else ""
        raise ValueError(f"a Tensor of shape {shape} has no elements along axis {axis}{less}")
    return count - ddof


def sequence(numbers: Sequence[Any], named: int | Sequence[int] | None = None) -> Sizes:
    """(2, 3) for f(2, 3), for f((2, 3)) and for f(shape=(2, 3))."""
    if named is not None:
        numbers = (named,)
    inner = numbers[0] if len(numbers) == 1 and isinstance(numbers[0], Sequence | np.ndarray) else numbers
    return tuple([whole("a length or an axis", n) for n in inner])


# -- letters -----------------------------------------------------------------------------------------------------------


def letters_of(spec: str, shapes: Sequence[Sizes]) -> tuple[list[str], str]:
    """The letters of each input and of the output, with "..." and a missing output written out."""
    left, arrow, output = spec.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(shapes):
        raise ValueError(f"{spec} names {len(terms)} inputs, and {len(shapes)} were given")
    free = [c for c in string.ascii_letters if c not in spec]  # for "...", taken from the right, where shapes align
    longest = 0
    inputs = []
    for term, shape in zip(terms, shapes, strict=True):
        before, dots, after = term.partition("...")
        extra = len(shape) - len(before + after)
        if extra < 0 or (extra and not dots) or (not (before + after).isalpha() and before + after):
            raise ValueError(f"{spec}: {term!r} does not fit an input of shape {shape} (all shapes: {[*shapes]})")
        inputs.append(before + "".join(free[:extra][::-1]) + after)
        longest = max(longest, extra)
    dotted = "".join(free[:longest][::-1])
    if not arrow:
        joined = left.replace("...", "")
        output = dotted + "".join(sorted(c for c in set(joined.replace(",", "")) if joined.count(c) == 1))
    if longest and "..." not in output and arrow:
        raise ValueError(f'{spec}: the axes that "..." stands for must be in the output too')
    output = output.replace("...", dotted)
    if len(set(output)) != len(output) or not set(output) <= set("".join(inputs)):
        raise ValueError(f"{spec}: each letter of the output must occur there once, and in some input")
    return inputs, output


# -- layers ------------------------------------------------------------------------------------------------------------

PADDING_MODES = {"zeros": "constant", "circular": "wrap", "reflect": "reflect", "replicate": "edge"}


def check_padding_mode(mode: str) -> str:
    """The mode itself; ValueError, with the modes that there are, for another one."""
    if mode not in tuple(PADDING_MODES):  # not in the dict: a list as mode would be an error without the modes
        raise ValueError(f"padding_mode (={mode!r}) must be one of {', '.join(map(repr, PADDING_MODES))}")
    return mode


def check_layer(x: Sizes, w: Sizes, w_ndim: int) -> None:
    """The shapes of an image and of a kernel with so many axes: nothing may be empty but the batch."""
    if len(x) < 3 or 0 in x[1:]:
        raise ValueError(f"the input must be (N, C, {', '.join('DHW'[2 - len(x) :])}), not empty, got shape {x}")
    if len(w) != w_ndim or 0 in w:
        raise ValueError(f"the kernel must have {w_ndim} axes, none of them empty, got shape {w}")


def check_channels(x: Sizes, w: Sizes, reads: int, groups: int = 1) -> None:
    """Whether the kernel reads, in each group, the channels that the image has."""
    if x[1] != reads * groups:
        each = f" in each of {groups} groups" if groups > 1 else ""
        raise ValueError(f"the kernel reads {reads} channels{each}, the input has {x[1]} (x {x}, w {w})")


def check_groups(groups: int, channels: int, output_channels: int = 0) -> None:
    """Whether both are divisible by the number of groups."""
    if whole("groups", groups) < 1:
        raise ValueError(f"groups (={groups}) must be at least 1")
    if channels % groups:
        raise ValueError(f"channels (={channels}) must be divisible by groups (={groups})")
    if output_channels % groups:
        raise ValueError(f"output channels (={output_channels}) must be divisible by groups (={groups})")


def check_bias(b: Sizes, expected: Sizes) -> None:
    """A bias never broadcasts."""
    if b != expected:
        raise ValueError(f"b must have shape {expected}, got {b}")


def holds(data: Any, kind: type, depth: int = 64) -> bool:
    """Whether data is of this kind, or a list, a tuple or an array of objects in which something is.

    64 lists within each other are as many as NumPy takes.
    """
    parts = data.flat if isinstance(data, np.ndarray) and data.dtype == object else data
    return isinstance(data, kind) or (
        isinstance(parts, list | tuple | np.flatiter) and depth > 0 and any(holds(x, kind, depth - 1) for x in parts)
    )


# -- operators ---------------------------------------------------------------------------------------------------------


def no_rule(name: str, i: int) -> Callable[..., Any]:
    """What an operator without rules says when it is asked for one."""
    raise NotImplementedError(f"{name} has no derivative yet: give it one with {name}.defvjp(...)")


def input_names(function: Callable[..., Any]) -> frozenset[str]:
    """The names of a function's inputs, which are given by position."""
    code = getattr(function, "__code__", None)
    return frozenset(code.co_varnames[: code.co_argcount]) if code is not None else frozenset()


def check_rules(name: str, function: Callable[..., Any], count: int) -> None:
    """ValueError unless there are as many rules as inputs."""
    code = getattr(function, "__code__", None)  # a NumPy function has none
    if code is not None and code.co_flags & inspect.CO_VARARGS:
        raise ValueError(f"{name} takes any number of inputs: give it one rule for all with defvjp_each")
    if code is not None and count != code.co_argcount:
        raise ValueError(f"{name} has {code.co_argcount} inputs, and was given {count} rules")


def check_call(name: str, function: Callable[..., Any], count: int) -> None:
    """TypeError, in words of ours, for more inputs than the function takes."""
    code = getattr(function, "__code__", None)
    if code is None or count <= code.co_argcount or code.co_flags & inspect.CO_VARARGS:
        return
    names = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    by_name = f"; settings are given by name ({', '.join(names)})" if names else ""
    raise TypeError(f"{name} has {code.co_argcount} inputs, and was given {count}{by_name}") from None


def named_error(error: Exception, where: str) -> Exception:
    """The same kind of error, with the place that it comes from."""
    if type(error) in (TypeError, ValueError):
        return type(error)(f"{where}: {error}")
    error.add_note(f"in {where}")
    return error


def way_out(name: str | None) -> TypeError:
    """What to write in place of a NumPy function, which would lose the graph of a Tensor."""
    if name is None:  # NumPy does not always say which one it was
        return TypeError(
            "NumPy's functions would lose the graph of a Tensor: use minitensor's function of the same name, or x.data "
            "for the value alone"
        )
    ours = {"absolute": "abs"}.get(name, name)
    known = hasattr(sys.modules[__package__], ours)
    instead = f"use minitensor.{ours}" if known else "minitensor has no function of this name"
    return TypeError(f"numpy.{name} would lose the graph of a Tensor: {instead}, or x.data for the value alone")


ASK_FOR_THE_VALUE = {
    "allclose", "array2string", "array_equal", "array_equiv", "array_repr", "array_str", "can_cast", "copy",
    "isclose", "iscomplexobj", "isrealobj", "may_share_memory", "ndim", "result_type", "save", "savetxt", "savez",
    "savez_compressed", "shape", "shares_memory", "size",
}  # fmt: skip
