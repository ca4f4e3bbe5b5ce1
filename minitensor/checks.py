"""What may be handed in, and what is said where it may not: an error that echoes the values.

What you can do here: check whole numbers, dtypes, axes, shapes and words.  The chapters begin with their ideas, so
their guards stand here together.
"""

from __future__ import annotations

import inspect
import reprlib
import string
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from math import prod
from numbers import Real
from typing import Any, ParamSpec, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

Ints: TypeAlias = int | Sequence[int]
Sizes: TypeAlias = tuple[int, ...]
Axis: TypeAlias = int | Sequence[int] | None
Margin: TypeAlias = tuple[tuple[int, int], ...]  # before and after, on each axis
P = ParamSpec("P")
T = TypeVar("T")

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


def real(name: str, value: Any) -> Any:
    """The value itself; TypeError if it is not a real number."""
    if not isinstance(value, Real):
        raise TypeError(f"{name} (={value!r}) must be a number")
    return value


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


def _is_tensor(x: Any) -> bool:
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


# -- windows -----------------------------------------------------------------------------------------------------------


def margins(padding: Ints | str, kernel: Sizes, stride: Sizes, dilation: Sizes) -> Margin:
    """The padding before and after, on each axis."""
    if not isinstance(padding, str):
        numbers = per_axis("padding", padding, len(kernel))
        if min(numbers) < 0:
            raise ValueError(f"padding (={padding}) must not be negative")
        return tuple([(p, p) for p in numbers])
    if padding == "valid":
        return ((0, 0),) * len(kernel)
    if padding != "same":
        raise ValueError(f'padding (={padding!r}) must be a number, one for each axis, "same" or "valid"')
    if any(s != 1 for s in stride):
        raise ValueError(f'padding="same" keeps the size at stride 1 only, got stride {stride}')
    totals = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
    return tuple([(total // 2, total - total // 2) for total in totals])


def number_of_places(n: int, k: int, s: int, margin: tuple[int, int], d: int, ceil_mode: bool = False) -> int:
    """Along one axis: floor((n + margin - d(k - 1) - 1) / s) + 1, with ceil_mode rounded up (`sizes` says more)."""
    before, after = margin
    check_least(n=n, kernel_size=k, stride=s, padding=before, dilation=d)
    room = before + n + after - (d * (k - 1) + 1)
    if room < 0:
        sides = f"2 * {before}" if before == after else f"{before} + {after}"
        padded = f"{n} + {sides} = {before + n + after}" if before or after else f"{n}"
        raise ValueError(
            f"kernel (={k}) with dilation (={d}) covers {d * (k - 1) + 1}, more than the input (={padded})"
        )
    if not ceil_mode:
        return room // s + 1
    m = -(-room // s) + 1
    return m if (m - 1) * s < before + n else m - 1  # a window starts within the input or the margin before it


def transposed_size(m: int, k: int, s: int, p: int, extra: int, d: int) -> int:
    """Along one axis: (m - 1) s - 2p + d(k - 1) + 1 + output_padding (`sizes` says more)."""
    check_least(n=m, kernel_size=k, stride=s, padding=p, dilation=d, output_padding=extra)
    if extra and extra >= max(s, d):
        raise ValueError(f"output_padding (={extra}) must be smaller than stride (={s}) or dilation (={d})")
    size = (m - 1) * s - 2 * p + d * (k - 1) + 1 + extra
    if size < 1:
        raise ValueError(f"nothing is left: input (={m}), kernel (={k}), padding (={p}) give an output of {size}")
    return size


def of_rank(axes: int, layer: Callable[P, T]) -> Callable[P, T]:
    """`conv2d`, of a `conv` for images with any number of axes: one that asks for two.

    >>> of_rank(2, np.sum)(np.zeros(1))
    Traceback (most recent call last):
        ...
    ValueError: the input must be (N, C, H, W), got shape (1,)
    """

    @wraps(layer)
    def ranked(*args: P.args, **settings: P.kwargs) -> T:
        x: Any = args[0] if args else settings.get("x")
        try:
            shape = x.shape if _is_tensor(x) else np.shape(x)
        except ValueError:
            raise ValueError(f"a Tensor needs a rectangular array of numbers, got {reprlib.repr(x)}") from None
        if len(shape) != axes + 2:
            raise ValueError(f"the input must be (N, C, {', '.join('DHW'[-axes:])}), got shape {shape}")
        return layer(*args, **settings)

    ranked.__name__ = ranked.__qualname__ = f"{layer.__name__}{axes}d"
    return ranked


def check_half(margin: Margin, kernel: Sizes) -> None:
    """ValueError where a window of a pool could lie in the margin altogether."""
    for k, (_, p) in zip(kernel, margin, strict=True):
        if 2 * p > k:
            raise ValueError(f"padding (={p}) must be at most half of the kernel (={k}), or a window may see no input")


# -- layers ------------------------------------------------------------------------------------------------------------

PADDING_MODES = {"zeros": "constant", "circular": "wrap", "reflect": "reflect", "replicate": "edge"}


def padding_fill(mode: str) -> str:
    """What `pad` calls this padding_mode; ValueError, with the modes that there are, for another one."""
    if mode not in tuple(PADDING_MODES):  # not in the dict: a list as mode would be an error without the modes
        raise ValueError(f"padding_mode (={mode!r}) must be one of {', '.join(map(repr, PADDING_MODES))}")
    return PADDING_MODES[mode]


def check_dense(x: Sizes, w: Sizes) -> None:
    """Whether a matrix of weights (O, C) reads what x (..., C) has."""
    if len(w) != 2 or not x or x[-1] != w[1]:
        raise ValueError(f"dense needs x (..., C) and w (O, C), got {x} and {w}")


def check_layer(x: Sizes, w: Sizes, *, groups: int = 1, transposed: bool = False, own_kernels: bool = False) -> None:
    """Whether a kernel fits an image: nothing is empty but the batch, and it reads the channels that there are.

    A kernel is (O, C/groups, kH, kW), transposed (C, O/groups, kH, kW), one of its own for each place
    (O, C, H', W', kH, kW).
    """
    if len(x) < 3 or 0 in x[1:]:
        raise ValueError(f"the input must be (N, C, {', '.join('DHW'[2 - len(x) :])}), not empty, got shape {x}")
    axes = 2 * len(x) - 2 if own_kernels else len(x)
    if len(w) != axes or 0 in w:
        raise ValueError(f"the kernel must have {axes} axes, none of them empty, got shape {w}")
    if whole("groups", groups) < 1:
        raise ValueError(f"groups (={groups}) must be at least 1")
    if x[1] % groups:
        raise ValueError(f"channels (={x[1]}) must be divisible by groups (={groups})")
    if not transposed and w[0] % groups:
        raise ValueError(f"output channels (={w[0]}) must be divisible by groups (={groups})")
    if x[1] != (w[0] if transposed else w[1] * groups):
        each = f" in each of {groups} groups" if groups > 1 and not transposed else ""
        reads = w[0] if transposed else w[1]
        raise ValueError(f"the kernel reads {reads} channels{each}, the input has {x[1]} (x {x}, w {w})")


def check_batch_norm(x: Sizes, scale: Sizes, shift: Sizes) -> None:
    """ValueError unless there is a scale and a shift for each channel."""
    if len(x) < 2 or not scale == shift == x[1:2]:
        raise ValueError(f"batch_norm needs x (N, C, ...) with scale and shift (C), got {x}, {scale}, {shift}")


def check_bias(b: Sizes, expected: Sizes) -> None:
    """A bias never broadcasts."""
    if b != expected:
        raise ValueError(f"b must have shape {expected}, got {b}")


def whole_labels(scores: Sizes, labels: Any, ignore_index: int | None = None) -> npt.NDArray[Any]:
    """The labels as an array, one for each row of scores (N, K).

    Raises ValueError where the shapes do not fit, TypeError for other than whole numbers, IndexError out of range.
    """
    if _is_tensor(labels):
        raise TypeError("labels must be whole numbers in a list or an array; got a Tensor, which holds floats")
    classes = np.array(labels)
    if len(scores) != 2 or 0 in scores or classes.shape != scores[:1]:
        raise ValueError(
            f"N labels need scores (N, K), N > 0 and K > 0; got {classes.shape} labels and scores {scores}"
        )
    if classes.dtype.kind not in "iu":
        raise TypeError(f"labels must be whole numbers, got {classes.dtype}")
    if wrong := sorted(set(classes[(classes < 0) | (classes >= scores[1])].tolist()) - {ignore_index}):
        raise IndexError(f"labels must be from 0 to {scores[1] - 1}, got {', '.join(map(str, wrong))}")
    return classes


def soft_labels(scores: Sizes, labels: Sizes, ignore_index: int | None) -> None:
    """ValueError unless labels of this shape are a distribution for each row of scores (N, K)."""
    if len(scores) != 2 or 0 in scores or labels != scores or ignore_index is not None:
        raise ValueError(
            f"soft labels need scores of their shape (N, K), N > 0 and K > 0, no ignore_index; got {labels} labels, "
            f"scores {scores} and ignore_index {ignore_index}"
        )


def class_weights(scores: Sizes, dtype: np.dtype[Any], weight: npt.ArrayLike) -> npt.NDArray[Any]:
    """A weight for each class of scores (N, K); ValueError unless they are finite numbers from 0 on."""
    weights = np.array(weight, dtype)
    if weights.shape != scores[1:] or not ((weights >= 0) & (weights < np.inf)).all():
        raise ValueError(f"weight must hold {scores[1:]} finite numbers from 0 on, one for each class: {weights}")
    return weights


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
    """The names of a function's inputs, which are given by position; TypeError if it is no function."""
    if not callable(function):
        raise TypeError(f"an operator is made of a NumPy function, got {function!r}")
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


def check_tensor(x: Any, what: str) -> None:
    """TypeError unless x is a Tensor; what says so, with {} for the type that it is of."""
    if not _is_tensor(x):
        raise TypeError(what.format(type(x).__name__))


def tensors_in(wrt: Any) -> list[Any]:
    """The Tensors by which to differentiate, as a list; TypeError for anything else."""
    xs = list(wrt) if isinstance(wrt, Iterable) and not _is_tensor(wrt) else [None]
    if not all(map(_is_tensor, xs)):
        raise TypeError(f"wrt must be a list of Tensors, as in gradients(y, [x]), got {reprlib.repr(wrt)}")
    return xs


def check_seed(seed: Sizes, output: Sizes) -> None:
    """ValueError unless a seed has the shape of the output."""
    if seed != output:
        raise ValueError(f"the seed has shape {seed}, the output {output}; they must be the same")


def check_fits(share: Sizes, x: Sizes) -> None:
    """ValueError unless an input of shape x broadcasts to the shape of its gradient."""
    new = len(share) - len(x)
    if new < 0 or any(n not in (1, m) for n, m in zip(x, share[new:], strict=True)):
        raise ValueError(f"a gradient of shape {share} does not fit an input of shape {x}")


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
