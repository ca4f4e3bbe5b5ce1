"""What a unit sees: receptive fields, followed along the recipe of a model.

What you can do here: `fields`, for a run of a model.

Letters, along one axis:   r receptive field, how many inputs a unit can see
                           b where the field of the first unit begins, which padding moves to the left
                           j jump, the distance of two neighbouring units, measured in inputs
                           k kernel    s stride    d dilation    p padding before the first input

    windows                     r + d(k - 1) j            b - p j                       j s
    a transposed convolution    r + d(k - 1) j / s        b - (d(k - 1) - p) j / s      j / s      r is an upper limit
    x[..., start::step]         r                         b + start j                   j step
    where branches meet         from the first begin to the last end, since a unit sees what it sees through any of them

A layer that stores a kernel_size is taken at its word, if its output has the size that follows.  Of anything else the
operators tell, those between the layers too: how windows slide, what an index leaves out; and of the others it is tried
out whether they join the places of an image, as a mean over all does.  A unit then sees the whole axis.
Source: Araujo, Norris and Sim, Computing receptive fields of convolutional neural networks, Distill (2019).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from minitensor import Tensor, history
from minitensor.tensor import Array
from minitensor.windows import Windows

from .layers.module import Module, Shape
from .layers.weighted import ConvTranspose
from .trace import Call, Trace

FOLDING = {"fold", "conv_transpose", "avg_unpool", "max_unpool"}  # they go from the places of windows to the image


class Sees(NamedTuple):
    """What a unit sees along one axis: r inputs, of which the first unit's begin at b; j from one unit to the next."""

    r: Fraction
    b: Fraction
    j: Fraction


Along: TypeAlias = tuple[Sees | None, ...]  # for each spatial axis; None where each unit can see all of it
Number: TypeAlias = float | tuple[float, ...] | None


def fields(run: Trace) -> list[tuple[Number, Number]]:
    """The receptive field and the jump of each of the run's `layers`: numbers, or tuples where the axes differ.

    None for both where the input is no image; the size of the image and None where a unit sees all of an axis.

    >>> from nets import Conv2d, MaxPool2d, Sequential
    >>> from nets.trace import trace
    >>> fields(trace(Sequential(Conv2d(1, 1, 3), MaxPool2d(2)), np.zeros((1, 1, 8, 8))))
    [(3, 1), (4, 2)]
    """
    spatial, layers = run.inputs[0].shape[2:], run.layers()
    if not spatial:
        return [(None, None)] * len(layers)
    sees: dict[Tensor, Along] = dict.fromkeys(run.inputs, (Sees(Fraction(1), Fraction(0), Fraction(1)),) * len(spatial))
    ended = {call.outputs[0]: call for call in reversed(layers) if call.outputs[0] not in call.inputs}
    varying = {*run.inputs, *(p for call in layers for p in call.module.parameters())}  # the rest are constants
    todo = {*history(run.output), *(t for call in layers for t in history(call.outputs[0]))}
    for t in sorted(todo, key=lambda t: t.birth):
        if not varying.isdisjoint(t.inputs):
            varying.add(t)
        if t in ended and (along := _behind_layer(ended[t], sees)) is not None:
            sees[t] = along
        elif known := [x for x in t.inputs if x in sees]:
            sees[t] = _behind(t, _joined(sees[x] for x in known), known, varying)
    return [_numbers(sees.get(call.outputs[0], ()), spatial) for call in layers]


def windows_of(layer: Module, x: Shape, y: Shape) -> Windows | None:
    """How the windows of a layer lie over an image of shape x (without the batch axis), over the last of its axes.

    Of a transposed convolution, how they lie over the image y that it makes.  None for a layer that stores no
    kernel_size, or one with which the output would have another size than y has.
    """
    settings, back = vars(layer), isinstance(layer, ConvTranspose)
    kernel = settings.get("kernel_size", ())
    axes = len(kernel) if isinstance(kernel, Sequence) else len(x) - 1
    names = ("stride", "padding", "dilation", "output_padding" if back else "ceil_mode")
    given = {name: settings[name] for name in names if name in settings}
    if given.get("stride", 1) is None:  # as in a pool
        given["stride"] = kernel
    try:
        windows = (Windows.onto if back else Windows.over)(x[len(x) - axes :], kernel, **given)
    except (TypeError, ValueError):  # it means something else by that name
        return None
    made = windows.size if back else windows.places
    return windows if axes and made == y[len(y) - axes :] else None


# -- one step ----------------------------------------------------------------------------------------------------------


def _joined(branches: Iterable[Along]) -> Along:
    """What a unit sees that is computed from several."""
    ways = list(branches)
    axes = max(map(len, ways))
    if any(len(way) != axes for way in ways):
        return (None,) * axes
    return tuple(map(_together, zip(*ways, strict=True)))


def _together(axis: Sequence[Sees | None]) -> Sees | None:
    known = [one for one in axis if one is not None]
    if len(known) < len(axis):
        return None
    b = min(one.b for one in known)
    return Sees(max(one.b + one.r for one in known) - b, b, max(one.j for one in known))


def _slid(before: Along, windows: Windows, back: bool) -> Along:
    """What a unit sees behind windows; axes before those that slide have become channels."""
    axes = len(windows.kernel)
    if axes > len(before):
        return (None,) * axes
    settings = zip(windows.kernel, windows.stride, windows.dilation, windows.margin, strict=True)
    found: list[Sees | None] = []
    for one, (k, s, d, (p, _)) in zip(before[len(before) - axes :], settings, strict=True):
        if one is None:
            found.append(None)
        elif back:
            j = one.j / s
            found.append(Sees(one.r + d * (k - 1) * j, one.b - (d * (k - 1) - p) * j, j))
        else:
            found.append(Sees(one.r + d * (k - 1) * one.j, one.b - p * one.j, one.j * s))
    return tuple(found)


def _behind_layer(call: Call, sees: Mapping[Tensor, Along]) -> Along | None:
    """What a unit sees behind a layer with windows, or one that treats each place by itself; None behind another."""
    before = [sees[x] for x in call.inputs if x in sees]
    if before and (windows := windows_of(call.module, call.inputs[0].shape[1:], call.outputs[0].shape[1:])):
        return _slid(_joined(before), windows, isinstance(call.module, ConvTranspose))
    return _joined(before) if before and _keeps_places(call) else None


def _behind(t: Tensor, before: Along, known: Sequence[Tensor], varying: set[Tensor]) -> Along:
    """What a unit sees behind an operator."""
    name, x, axes = t.primitive.name if t.primitive else "", known[0], len(before)
    windows = t.params.get("windows")
    if isinstance(windows, Windows) and len(windows.kernel) == axes:
        return _slid(before, windows, name in FOLDING)
    if name == "pad" and x.ndim == axes + 2:
        starts = [(-width, 1) for width, _ in t.params["widths"][2:]]
        return tuple(map(_cut, before, starts))
    if name == "index" and x.ndim == axes + 2 and (slices := _slices(t.params["key"], x.ndim)):
        return tuple(map(_cut, before, [part.indices(n)[::2] for part, n in zip(slices[2:], x.shape[2:], strict=True)]))
    if name == "index" and x.ndim == axes + 2 > t.ndim:  # single places: put together again, they may be any
        return (None,) * axes
    given = {x: _drawn(x) for x in t.inputs if x in varying}
    for one in known:
        before = _without_joined(before, _joined_axes(t, one, given, axes))
    return before


def _slices(key: tuple[object, ...], axes: int) -> list[slice]:
    """An index as a slice for each axis; empty for one of another kind."""
    at = next((i for i, part in enumerate(key) if part is Ellipsis), len(key))
    parts = [*key[:at], *[slice(None)] * (axes - len(key) + (at < len(key))), *key[at + 1 :]]
    slices = [part for part in parts if isinstance(part, slice)]
    return slices if len(slices) == len(parts) else []


def _cut(one: Sees | None, start_and_step: tuple[int, int]) -> Sees | None:
    """Behind x[start::step]; a negative start is a margin, and a negative step leaves the field as it is."""
    start, step = start_and_step
    return one if one is None or step < 0 else Sees(one.r, one.b + start * one.j, one.j * step)


def _without_joined(before: Along, joined: Sequence[bool]) -> Along:
    return tuple(None if all_seen else one for one, all_seen in zip(before, joined, strict=True))


# -- tried out ---------------------------------------------------------------------------------------------------------


def _keeps_places(call: Call) -> bool:
    """Whether a layer treats each place of an image by itself, whatever its parameters are."""
    y = call.outputs[0]
    if y.ndim < 3 or any(x.shape[2:] != y.shape[2:] for x in call.inputs):
        return False
    given = {t: _drawn(t) for t in (*call.inputs, *call.module.parameters())}
    first: tuple[Any, ...] = (slice(None), slice(None), *[0] * (y.ndim - 2))
    for x in call.inputs:
        moved = _moved(y, x, given, first)
        moved[first] = False
        if moved.any():
            return False
    return True


def _joined_axes(t: Tensor, x: Tensor, given: Mapping[Tensor, Array], axes: int) -> list[bool]:
    """Along which of the axes some element of t depends on both ends of x.

    Where x or t is no image with so many axes, all count as joined if one depends on the first and the last place.
    """
    if x.ndim < 2:
        return [False] * axes
    places = list(range(2, x.ndim)) or [1]
    if x.ndim == axes + 2 == t.ndim:
        return [_reaches_both_ends(t, x, given, [axis]) for axis in places]
    return [_reaches_both_ends(t, x, given, places)] * axes


def _reaches_both_ends(t: Tensor, x: Tensor, given: Mapping[Tensor, Array], axes: Sequence[int]) -> bool:
    if all(x.shape[axis] == 1 for axis in axes):
        return False
    first, last = ([slice(None)] * x.ndim for _ in range(2))
    for axis in axes:
        first[axis], last[axis] = slice(0, 1), slice(-1, None)
    return bool((_moved(t, x, given, tuple(first)) & _moved(t, x, given, tuple(last))).any())


def _drawn(t: Tensor) -> Array:
    return np.asarray(1 + np.random.default_rng(t.ndim).random(t.shape, t.dtype))


def _moved(y: Tensor, x: Tensor, given: Mapping[Tensor, Array], where: Any) -> Array:
    """Which elements of y change where x becomes larger, or smaller, in some places."""
    found = np.zeros(y.shape, bool)
    usual = _computed(y, given)
    for change in 3, -3:
        other = given[x].copy()
        other[where] += change
        value = _computed(y, {**given, x: other})
        found |= (value != usual) & ~(np.isnan(value) & np.isnan(usual))
    return found


def _computed(y: Tensor, given: Mapping[Tensor, Array]) -> Array:
    """The value of y where some Tensors of its recipe have other values."""
    values = dict(given)
    with np.errstate(all="ignore"):
        for t in reversed(history(y)):
            if t not in values and any(x in values for x in t.inputs):
                assert t.primitive is not None
                inputs = [values.get(x, x.data) for x in t.inputs]
                values[t] = np.asarray(t.primitive.function(*inputs, **t.params))
    return values.get(y, y.data)


# -- as numbers --------------------------------------------------------------------------------------------------------


def _numbers(along: Along, spatial: Shape) -> tuple[Number, Number]:
    size = spatial[len(spatial) - len(along) :] if along else spatial
    if not along or len(size) != len(along):
        return _number(spatial), None
    field = _number([n if one is None else math.floor(one.r) for one, n in zip(along, size, strict=True)])
    known = [one.j for one in along if one is not None]
    return field, _number(known) if len(known) == len(along) else None


def _number(numbers: Sequence[Fraction | int]) -> Number:
    """The same number on each axis as one number; a whole one as an int."""
    found = tuple(int(n) if n == int(n) else float(n) for n in numbers)
    return found[0] if len(set(found)) == 1 else found
