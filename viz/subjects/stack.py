"""Rows of units, one above the other, and the wires between them: what a picture of layers has to show.

What you can do here: make a `Stack` of layers, and ask it what a unit reaches or sees, which letter a wire carries, and
what the units hold.

The wires come from `connections`, so from derivatives; nothing here knows one kind of layer from another.

Letters:   r row of units, counted from below    j unit of one row    i unit of the row above (flat numbers)
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from minitensor import Tensor, gradients
from minitensor.checks import whole
from minitensor.tensor import Array

from ..drawing.dot import SIGNED, Attributes, letter
from ..drawing.style import checked_color
from .connections import Layer, Recipe, Wires, accepted_shape, computed, in_use

Wire = tuple[int, int, int]  # the row below, j, i

BLOCKS = ("#CFE8F7", "#FBE3B5", "#BFE5DA", "#F6DCEA", "#E8E3F4", "#F4F5F7")  # of windows side by side
MOST_UNITS = 1_900
MOST_WIRES, MOST_WIRES_BEHIND = 50_000, 1_000_000  # to be found: where all are drawn, and where some are


class Path(NamedTuple):
    """What is met on a way through all rows: the units of each row, and the wires from each row to the next."""

    units: list[set[int]]
    wires: list[set[tuple[int, int]]]


@dataclass(frozen=True)
class Stack:
    """Layers, the shape of each row of units (the batch axis in front), and the wires between each two rows.

    links: the wires within each row above the first, from unit to unit, where these are asked for.
    """

    layers: Sequence[Layer]
    shapes: Sequence[tuple[int, ...]]
    wires: Sequence[Wires]
    parameters: Sequence[dict[str, Tensor]]
    links: Sequence[Wires] = ()

    @staticmethod
    def of(
        layers: Sequence[Layer],
        input_shape: int | Sequence[int],
        zeros: bool | None = None,
        all_drawn: bool = True,
        chain: bool = False,
    ) -> Stack:
        """Follow a shape through the layers; with chain=True units of a row may be wired to others of it.

        Raises ValueError where a row has too many units, if all are drawn, and where none is wired to another.
        """
        if not layers:
            raise ValueError("a layer, or a list of layers, can be drawn; this list is empty")
        shapes, recipes = [accepted_shape(layers[0], input_shape)], list[Recipe]()
        for layer in layers:
            recipes.append(Recipe(layer, shapes[-1], zeros, MOST_WIRES if all_drawn else MOST_WIRES_BEHIND))
            shapes.append(recipes[-1].output.shape)
            if not recipes[-1].output.size:
                raise ValueError(f"a row of shape {shapes[-1]} has no units to draw")
            units = sum(math.prod(shape) for shape in shapes)
            if units > MOST_UNITS and all_drawn:
                raise ValueError(
                    f"{units:,} units are no picture (more than {MOST_UNITS:,}): draw a smaller input_shape; the "
                    "pattern is the same"
                )
        parameters = [{name: t for t, name in recipe.parameters.items()} for recipe in recipes]
        if not chain:
            return Stack(layers, shapes, [recipe.wires() for recipe in recipes], parameters)
        wires, links = zip(*(recipe.chained() for recipe in recipes), strict=True)
        if not any(links):
            raise ValueError("a chain has outputs that are computed from one another, and this layer has none")
        return Stack(layers, shapes, wires, parameters, links)

    def width(self, r: int) -> int:
        """The number of units that stand side by side in a row: those of one channel."""
        return self.shapes[r][-1] if self.shapes[r] else 1

    @property
    def sizes(self) -> list[int]:
        """The number of units in each row."""
        return [int(np.prod(shape)) for shape in self.shapes]

    def is_grid(self, r: int) -> bool:
        """Whether a row holds images."""
        return len(self.shapes[r]) == 4 and self.shapes[r][2] > 1

    @property
    def has_grids(self) -> bool:
        """Whether any row holds images: then all rows are drawn as grids, and wires are left out."""
        return any(map(self.is_grid, range(len(self.shapes))))

    def merged(self, axis: int, rank: int) -> Stack:
        """The same rows with all that lies at one index of an axis as one node; rank: the axes that the input has.

        Batch and channel axes that were put in front are not counted.  A row without this axis keeps its units.
        """
        counted = whole("unit", axis) if -rank <= axis < rank else None
        if counted is None:
            raise ValueError(f"unit (={axis}) must be an axis of the input, which has {rank}")
        place = counted % rank + len(self.shapes[0]) - rank
        node = [
            np.indices(s)[place].ravel() if place < len(s) else np.arange(math.prod(s))  # of each unit of a row
            for s in self.shapes
        ]

        def between(found: Wires, one: Array, other: Array) -> Wires:
            nodes = {(int(one[j]), int(other[i])) for j, i in found}
            return dict.fromkeys(sorted(nodes, key=lambda w: (w[1], w[0])))

        wires = [between(found, node[r], node[r + 1]) for r, found in enumerate(self.wires)]
        links = [between(found, node[r], node[r]) for r, found in enumerate(self.links, start=1)]
        links = [{(s, i): None for s, i in found if s != i} for found in links]
        return Stack(self.layers, [(1, int(n.max()) + 1) for n in node], wires, [{} for _ in self.layers], links)

    def places(self, highlight: Any, r: int) -> dict[int, str]:
        """The flat number of each unit of a row that is to be followed, and its colour ("" the usual one)."""
        shape, several = self.shapes[r], highlight
        if highlight is None:
            return {}
        if not isinstance(highlight, Iterable) or (isinstance(highlight, tuple) and self.is_grid(r)):
            several = [highlight]
        colours = {k: checked_color(c) for k, c in highlight.items()} if isinstance(highlight, Mapping) else {}
        found = {}
        for unit in several:
            if isinstance(unit, tuple):
                place = tuple(whole("highlight", n) for n in unit)
                inside = shape[len(shape) - len(place) :]
                if not 2 <= len(place) <= len(shape) or any(not 0 <= n < m for n, m in zip(place, inside, strict=True)):
                    raise ValueError(f"there is no unit {unit}: the row has the shape {shape}")
                number_ = int(np.ravel_multi_index((0,) * (len(shape) - len(place)) + place, shape))
            else:
                number_ = whole("highlight", unit)
            found[number_] = colours.get(unit, "")
        return found

    def kept(self, most: int | None) -> list[list[int]]:
        """The units of each row that are drawn: all, or so many of a longer one, from both ends."""
        if most is None:
            return [list(range(n)) for n in self.sizes]
        half = most // 2
        return [list(range(n)) if n <= most else [*range(most - half), *range(n - half, n)] for n in self.sizes]

    def weighed(self) -> dict[Wire, Attributes]:
        """How a wire looks that carries one number: as thick as that is large, dashed where it is below 0."""
        values = {}
        for r, wires in enumerate(self.wires):
            for (j, i), carried in wires.items():
                if carried is not None and isinstance(carried[0], str):
                    name, k = carried
                    values[r, j, i] = float(self.parameters[r][name].data.flat[k])
        if not values:
            raise ValueError("weigh shows weights, and no wire of this layer carries a single one")
        largest = max(map(abs, values.values())) or 1.0
        return {
            wire: {**SIGNED[-1 if v < 0 else 1], "penwidth": f"{0.4 + 3.6 * abs(v) / largest:.2f}", "arrowsize": "0.65"}
            for wire, v in values.items()
        }

    def biased(self) -> dict[int, list[int]]:
        """The units of the row above each row that have a bias: a parameter that multiplies no input."""
        found: dict[int, list[int]] = {}
        rng = np.random.default_rng(0)
        for r, (layer, wires) in enumerate(zip(self.layers, self.wires, strict=True)):
            found_on = [[c] if isinstance(c[0], str) else c for c in wires.values() if c is not None]
            carried = {name for parameters in found_on for name, _ in parameters}
            alone = [p for name, p in self.parameters[r].items() if name not in carried]
            moved = set()
            for sign in (1, -1):
                with in_use(layer):
                    y = computed(layer, Tensor(sign * rng.uniform(1, 2, self.shapes[r])))
                for i in range(y.size):
                    slopes = gradients(y, alone, np.eye(1, y.size, i).reshape(y.shape)) if alone else []
                    moved |= {i} if any(s.data.any() for s in slopes) else set()
            if moved:
                found[r] = sorted(moved)
        if not found:
            raise ValueError("bias draws biases, and no layer has one")
        return found

    def blocks(self) -> dict[tuple[int, int], str]:
        """A colour for each window of the first layer, as (row, unit); ValueError where two windows overlap."""
        reader: dict[int, int] = {}
        for j, i in self.wires[0]:
            if reader.setdefault(j, i) != i:
                raise ValueError(f"blocks are windows that do not overlap, and input {j} is read by two of them")
        tints = {i: BLOCKS[n % len(BLOCKS)] for n, i in enumerate(dict.fromkeys(reader.values()))}
        return {(0, j): tints[i] for j, i in reader.items()} | {(1, i): tint for i, tint in tints.items()}

    def letters(self) -> dict[Wire, str]:
        """A letter for each wire (row below, j, i) that carries a weight; equal letters are one element of one Tensor.

        a, b, ..., z, aa, ab, ..., in the order of the rows, of the parameters, and of the elements of each.
        """
        names: dict[object, str] = {}
        found = {}
        for r, wires in enumerate(self.wires):
            order = list(self.parameters[r])
            places = {
                wire: [(order.index(name), k) for name, k in ([carried] if isinstance(carried[0], str) else carried)]
                for wire, carried in wires.items()
                if carried is not None
            }
            for j, i in sorted(places, key=places.__getitem__):
                weight = tuple((self.parameters[r][order[n]], k) for n, k in places[j, i])
                found[r, j, i] = names.setdefault(weight, letter(len(names)))
        return found

    def shared(self, share: bool | str) -> dict[Wire, str]:
        """The letters that share asks for; ValueError where there are none, or not these."""
        letters = self.letters()
        known = list(dict.fromkeys(letters.values()))
        if not known:
            raise ValueError(
                f"share (={share!r}) shows weights, and no wire of this layer carries one: make the weight outside of "
                "the function, so that every call reads the same one"
            )
        if share is True:
            return letters
        if unknown := [letter for letter in str(share) if letter not in known]:
            raise ValueError(f"there is no weight {unknown[0]!r}: the weights are {known[0]} to {known[-1]}")
        return {wire: letter for wire, letter in letters.items() if letter in set(str(share))}

    def values(self, x: npt.ArrayLike) -> list[Array]:
        """The values of all units for an input x."""
        value = np.asarray(x, dtype=float)
        if value.size != self.sizes[0]:
            raise ValueError(
                f"x and compare must have the {self.sizes[0]} inputs of {self.shapes[0]}, got {value.shape}"
            )
        rows = [Tensor(value.reshape(self.shapes[0]))]
        for layer in self.layers:
            with in_use(layer):
                rows.append(computed(layer, rows[-1]))
        return [row.data for row in rows]

    def active(self, x: npt.ArrayLike) -> list[set[tuple[int, int]]]:
        """The wires whose derivative at x is not zero, where that is true of some only."""
        found = []
        for layer, wires, before in zip(self.layers, self.wires, self.values(x), strict=False):
            point = Tensor(before)
            with in_use(layer):
                y = computed(layer, point)
            slopes = [gradients(y, [point], np.eye(1, y.size, i).reshape(y.shape))[0].data for i in range(y.size)]
            active = {(j, i) for j, i in wires if slopes[i].flat[j]}
            found.append(active if len(active) < len(wires) else set[tuple[int, int]]())
        return found

    def follow(self, units: set[int], direction: str) -> Path:
        """From these units, seen from "below" or from "above", through all rows."""
        start, down = (len(self.shapes) - 1, True) if direction == "above" else (0, False)
        if wrong := [u for u in sorted(units) if not 0 <= u < self.sizes[start]]:
            raise ValueError(f"there is no unit {wrong[0]}: the row has units 0 to {self.sizes[start] - 1}")
        links = [{}, *self.links] if self.links else [Wires()] * len(self.shapes)
        marks, traced = [_closed(units, links[start], down)], []
        for r, wires in reversed([*enumerate(self.wires)]) if down else enumerate(self.wires, start=1):
            traced.append({(j, i) for j, i in wires if (i if down else j) in marks[-1]})
            marks.append(_closed({(j if down else i) for j, i in traced[-1]}, links[r], down))
        return Path(marks[::-1], traced[::-1]) if down else Path(marks, traced)


def _closed(units: set[int], links: Wires, down: bool) -> set[int]:
    """These units, and all that they reach along the wires within their row, or are reached by."""
    found, new = set(units), set(units)
    while new:
        new = {(s if down else i) for s, i in links if (i if down else s) in new} - found
        found |= new
    return found
