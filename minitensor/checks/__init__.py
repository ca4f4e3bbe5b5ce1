"""What may be handed in, and what is said where it may not: an error that echoes the values.

What you can do here: check whole numbers, dtypes, axes, shapes and letters; `layers` checks windows, kernels and
labels, `operators` who makes an operator and who asks for derivatives.  The chapters begin with their ideas, so their
guards stand here together.
"""

from __future__ import annotations

import string
from collections.abc import Sequence
from math import prod
from numbers import Real
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Ints: TypeAlias = int | Sequence[int]
Sizes: TypeAlias = tuple[int, ...]
Axis: TypeAlias = int | Sequence[int] | None
Margin: TypeAlias = tuple[tuple[int, int], ...]  # before and after, on each axis

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


def real(name: str, value: Any) -> float:
    """The value as a number of Python's, beside which float32 stays float32; TypeError if it is not a real number."""
    if not isinstance(value, Real):
        raise TypeError(f"{name} (={value!r}) must be a number")
    return value if isinstance(value, int) else float(value)


def listed(name: str, values: Any) -> Any:
    """The values themselves; TypeError unless there are several, in a list, a tuple or an array."""
    if not hasattr(values, "__len__") or isinstance(values, str):
        raise TypeError(f"{name} (={values!r}) must be a list or a tuple")
    return values


def lengths(shape: int | Sequence[int]) -> Sizes:
    """A shape as a tuple; ValueError for a negative length."""
    sizes = sequence((shape,))
    if min(sizes, default=0) < 0:
        raise ValueError(f"shape (={shape}) must not have negative lengths")
    return sizes


def holds(data: Any, kind: type, depth: int = 64) -> bool:
    """Whether data is of this kind, or a list, a tuple or an array of objects in which something is.

    64 lists within each other are as many as NumPy takes.
    """
    parts = data.flat if isinstance(data, np.ndarray) and data.dtype == object else data
    return isinstance(data, kind) or (
        isinstance(parts, list | tuple | np.flatiter) and depth > 0 and any(holds(x, kind, depth - 1) for x in parts)
    )


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
    value = value.tolist() if isinstance(value, np.ndarray) else value
    values = tuple(value) if isinstance(value, Sequence) and not isinstance(value, str) else (value,) * axes
    if not axes:
        raise ValueError(f"{name} (={value}) must have a number for at least one spatial axis")
    if len(values) != axes:
        raise ValueError(f"{name} (={value}) must be a number, or one for each of the {axes} spatial axes")
    return tuple([whole(name, v) for v in values])


def check_least(**settings: int) -> None:
    """ValueError for a padding below 0, and for anything else below 1."""
    for name, number in settings.items():
        if number < (least := 0 if "padding" in name else 1):
            raise ValueError(f"{name} (={number}) must be at least {least}")


def is_tensor(x: Any) -> bool:
    """Whether x is a Tensor; the class is made with these checks, so they cannot name it."""
    return hasattr(type(x), "birth")


def check_generator(rng: Any) -> None:
    """TypeError unless rng is a numpy.random.Generator."""
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"rng must be a numpy.random.Generator, as from default_rng(seed), got {type(rng).__name__}")


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
    if axis is None:
        return tuple(range(ndim))
    numbers = [whole("axis", a) for a in (axis if isinstance(axis, Sequence) else (axis,))]
    if ndim == 0 and numbers in ([0], [-1]):  # a single number has no axes, and NumPy takes the first all the same
        return ()
    axes = tuple(sorted([a + ndim if a < 0 else a for a in numbers]))
    if axes and (axes[0] < 0 or axes[-1] >= ndim or len({*axes}) != len(axes)):
        raise ValueError(f"axis (={axis}) must name axes of a Tensor with {ndim} axes, each once")
    return axes


def count_or_raise(shape: Sizes, axis: Axis, ddof: float = 0) -> float:
    """How many elements go into each result, less ddof; ValueError if that leaves none."""
    count, ddof = prod(shape[a] for a in normal_axes(axis, len(shape))), real("ddof", ddof)
    if not count > ddof:
        less = f" beyond ddof (={ddof})" if ddof else ""
        raise ValueError(f"a Tensor of shape {shape} has no elements along axis {axis}{less}")
    return count - ddof


def sequence(numbers: Sequence[Any], named: int | Sequence[int] | None = None) -> Sizes:
    """(2, 3) for f(2, 3), for f((2, 3)) and for f(shape=(2, 3)); TypeError for two of these."""
    if numbers and named is not None:
        raise TypeError(f"lengths or axes are given by position or by name, not both: got {numbers} and {named}")
    if named is not None:
        numbers = (named,)
    inner = numbers[0] if len(numbers) == 1 and isinstance(numbers[0], Sequence | np.ndarray) else numbers
    return tuple([whole("a length or an axis", n) for n in inner])


def new_shape(shape: Sizes, asked: Sizes) -> Sizes:
    """The lengths asked for, with a single -1 worked out; ValueError unless the number of elements stays.

    >>> new_shape((2, 6), (3, -1))
    (3, 4)
    """
    size, known = prod(shape), prod(m for m in asked if m != -1)
    after = asked
    if asked.count(-1) == 1 and known > 0 and size % known == 0:
        after = tuple([size // known if m == -1 else m for m in asked])
    if prod(after) != size or (after and min(after) < 0):
        raise ValueError(f"cannot reshape {shape}, {size} elements, to {asked}")
    return after


def axis_order(shape: Sizes, order: Sequence[int]) -> Sizes:
    """An order of all axes, counted from the first; ValueError unless each is named once."""
    after = tuple([a + len(shape) if a < 0 else a for a in order])
    if sorted(after) != list(range(len(shape))):
        raise ValueError(f"axes (={(*order,)}) must name each of the {len(shape)} axes of shape {shape} once")
    return after


def index_key(key: Any) -> tuple[Any, ...]:
    """An index as a tuple of parts that nobody can change later; IndexError unless it is one of NumPy's."""
    return tuple([_own(part) for part in (key if isinstance(key, tuple) else (key,))])


def _own(part: Any) -> Any:
    if isinstance(part, slice):
        limits = (part.start, part.stop, part.step)
        return slice(*[n if n is None else index_number(n) for n in limits])
    if part is None or part is Ellipsis or isinstance(part, bool):
        return part
    if hasattr(part, "__index__") and not isinstance(part, np.ndarray):
        return index_number(part)
    if holds(part, np.ma.MaskedArray):
        raise TypeError(f"an index has no mask of NumPy's: {part!r}")
    if isinstance(part, range):
        part = list(part)
    array = np.array(part)
    if isinstance(part, list | tuple) and not array.size:
        array = array.astype(int)  # NumPy makes floats of an empty list
    if array.dtype.kind not in "iub":
        raise IndexError(f"an index is made of whole numbers or booleans, got {part!r}")
    array.setflags(write=False)
    return array


PAD_MODES = ("constant", "wrap", "reflect", "edge", "symmetric")


def pad_widths(shape: Sizes, widths: Any, mode: str) -> tuple[tuple[int, int], ...]:
    """The margin before and after on each axis; ValueError where it is negative or the mode has nothing to repeat.

    >>> pad_widths((4, 5), (1, 2), "wrap")
    ((1, 2), (1, 2))
    """
    if mode not in PAD_MODES:
        raise ValueError(f"mode (={mode!r}) must be one of {', '.join(map(repr, PAD_MODES))}")
    try:
        each = np.broadcast_to(np.array(widths), (len(shape), 2))
        pairs = tuple([(whole("width", before), whole("width", after)) for before, after in each])
    except ValueError:
        raise ValueError(
            f"widths (={widths}) must be a number, one (before, after), or one for each axis of shape {shape}"
        ) from None
    if any(w < 0 for pair in pairs for w in pair):
        raise ValueError(f"padding widths must not be negative, got {widths}")
    for axis, (pair, n) in enumerate(zip(pairs, shape, strict=True)):
        if mode != "constant" and any(pair) and (n == 0 or (mode == "reflect" and n == 1)):
            raise ValueError(f"axis {axis} of shape {shape} is too short for mode {mode!r}")
    return pairs


# -- letters -----------------------------------------------------------------------------------------------------------


def matmul_or_raise(x: Sizes, y: Sizes) -> None:
    """ValueError unless matrices of these shapes can be multiplied; a vector is a row or a column."""
    if not x or not y:
        raise ValueError(f"cannot multiply matrices of shapes {x} and {y}: for a number write x * y")
    if x[-1] != y[-2:][0]:  # a vector y has one length only
        raise ValueError(f"cannot multiply matrices of shapes {x} and {y}: the inner lengths must agree")
    if len(x) > 2 < len(y) and any(n != m and 1 not in (n, m) for n, m in zip(x[-3::-1], y[-3::-1], strict=False)):
        raise ValueError(f"cannot multiply matrices of shapes {x} and {y}: the axes in front must broadcast")


def letters_of(spec: str, shapes: Sequence[Sizes]) -> tuple[list[str], str, dict[str, int]]:
    """The letters of each input and of the output, "..." and a missing output written out, and the length of each."""
    if not isinstance(spec, str):
        raise TypeError(f'einsum begins with letters, as in einsum("ij,jk->ik", x, y), got {type(spec).__name__}')
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
    return inputs, output, _lengths(spec, inputs, shapes)


def _lengths(spec: str, inputs: Sequence[str], shapes: Sequence[Sizes]) -> dict[str, int]:
    """The length of each letter; a length of 1 stretches."""
    sizes: dict[str, int] = {}
    for letters, shape in zip(inputs, shapes, strict=True):
        for letter, n in zip(letters, shape, strict=True):
            if n != shape[letters.index(letter)]:
                raise ValueError(f"{spec}: {letter} has two lengths in shape {shape}, and a diagonal has one")
            if sizes.setdefault(letter, n) in (1, n):
                sizes[letter] = n
            elif n != 1:
                raise ValueError(f"{spec}: {letter} has length {sizes[letter]} and {n} in shapes {[*shapes]}")
    return sizes
