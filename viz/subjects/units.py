"""What stands in the units of a picture, and how they and their wires look.

What you can do here: ask `Units` for the label and the looks of each unit, and for those of the wires.

Letters:   r row of units, counted from below    j unit of one row    i unit of the row above (flat numbers)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from minitensor.checks import whole
from minitensor.tensor import Array

from ..drawing.dot import ACTIVE, CHANGED, FIELD, FOCUS, NODE, NUMBER, TRACE, Attributes, number, plain, subscripted
from ..drawing.sheet import CHARACTER
from ..drawing.style import LIGHT, Style, mixed
from .stack import Path, Stack, Wire

ROOM = 33.0  # for a number in a unit, in points
LETTERS = "xhgfedcbazywvutsrqponmlkji"  # of the units of each row, from below
Place = int | tuple[int, ...]
Followed = Place | Iterable[Place] | Mapping[Place, str] | None


@dataclass(frozen=True)
class Units:
    """The units of a stack: those that are followed, what these meet, what has changed.

    x, other: an input, and one to compare it with.  letters: one for each row, or "" for the usual ones.
    Raises ValueError for letters and labels of what is not there, and other only where there is no x.
    """

    stack: Stack
    highlight: Followed
    direction: str
    letters: str
    labels: Mapping[tuple[int, int], str]
    x: npt.ArrayLike | None
    other: npt.ArrayLike | None
    style: Style

    def __post_init__(self) -> None:
        count, sizes = len(self.stack.shapes), self.stack.sizes
        if len(self.names) < count or (self.letters and len(self.letters) != count):
            raise ValueError(f"letters (={self.names!r}) must name each of the {count} rows")
        for place, words in self.labels.items():
            if not isinstance(place, tuple) or len(place) != 2 or not isinstance(words, str):
                raise TypeError(f"labels are words by (row, unit), got {place!r}: {words!r}")
            r, i = (whole("labels", n) for n in place)
            if not (0 <= r < count and 0 <= i < sizes[r]):
                raise ValueError(f"labels: there is no unit {i} in row {r} (rows of {sizes} units)")
        if self.direction not in ("below", "above"):
            raise ValueError(f"direction (={self.direction!r}) must be 'below' or 'above'")
        if self.x is None and self.other is not None:
            raise ValueError("compare is another input: it needs an x to be compared with")

    @property
    def names(self) -> str:
        """The letter of each row."""
        return self.letters or ("xs" if len(self.stack.shapes) == 2 else LETTERS)

    @property
    def start(self) -> int:
        """The row of those that are followed."""
        return 0 if self.direction == "below" else len(self.stack.shapes) - 1

    @cached_property
    def followed(self) -> dict[int, str]:
        """The units that are followed, and their colours, "" the usual one."""
        return self.stack.places(self.highlight, self.start)

    @cached_property
    def met(self) -> Path:
        """What they meet."""
        return self.stack.follow(set(self.followed), self.direction)

    @cached_property
    def paths(self) -> dict[int, Path]:
        """What each of them alone meets."""
        return {u: self.stack.follow({u}, self.direction) for u in self.followed}

    @cached_property
    def values(self) -> list[Array]:
        """The values of all units for x, if there is one."""
        return [] if self.x is None else self.stack.values(self.x)

    @cached_property
    def changed(self) -> set[tuple[int, int]]:
        """The units (row, unit) that have another value for the other input."""
        others = [] if self.other is None else self.stack.values(self.other)
        pairs = enumerate(zip(self.values, others, strict=False))
        return {(r, int(i)) for r, (one, two) in pairs for i in np.flatnonzero(one != two)}

    @cached_property
    def active(self) -> list[set[tuple[int, int]]]:
        """The wires along which a change of x would pass, if that is true of some only."""
        return [] if self.x is None else self.stack.active(self.x)

    @cached_property
    def numbers(self) -> list[list[str]]:
        """The values as they are written."""
        decimals = _decimals(self.values) if self.values else 0
        return [[number(v, decimals) for v in row.flat] for row in self.values]

    @cached_property
    def number_looks(self) -> Attributes:
        """How units with numbers look: the longest has room."""
        longest = max((len(text) for row in self.numbers for text in row), default=0)
        return {**NUMBER, "fontsize": f"{min(13, ROOM / CHARACTER / longest):.3g}"} if longest else {}

    def label(self, r: int, i: int) -> str:
        """What stands in a unit of a row, as DOT text: words, its value, or the letter of its row with its number."""
        if words := self.labels.get((r, i)):
            return plain(words)
        return plain(self.numbers[r][i]) if self.numbers else subscripted(self.names[r], i + 1)

    def looks(self, r: int, i: int) -> Attributes:
        """How a unit looks."""
        looks = dict(self.number_looks)
        looks |= CHANGED if (r, i) in self.changed else {}
        asked = r == self.start and i in self.followed
        if i in self.met.units[r]:
            looks |= FOCUS if asked else FIELD
        if colours := [self.followed[u] for u, path in self.paths.items() if self.followed[u] and i in path.units[r]]:
            paper = self.style.color("paper")
            tints = [mixed(colour, paper, 0.8 if asked else 0.35) for colour in colours]
            filled = "filled" if len(tints) == 1 else "striped" if self.stack.has_grids else "wedged"
            looks |= {"style": filled, "fillcolor": ":".join(tints), "color": colours[0]}
            looks |= {"fontcolor": LIGHT["paper"]} if self.style.words_on(*tints) == "paper" else {}
        return looks

    def wires(self) -> dict[Wire, Attributes]:
        """How the wires look on which something is followed, or along which a change at x would pass."""
        usual = ACTIVE if self.values else TRACE
        looks: dict[Wire, Attributes] = {wire: usual for some in (self.met.wires, self.active) for wire in _wires(some)}
        for u, colour in self.followed.items():
            if colour:
                looks |= {wire: {**TRACE, "color": colour} for wire in _wires(self.paths[u].wires)}
        return looks

    def links(self) -> dict[Wire, Attributes]:
        """How the wires within rows look, as (row, from, to): those on which something is followed are marked."""
        looks: dict[Wire, Attributes] = {}
        for r, found in enumerate(self.stack.links, start=1):
            for s, i in found:
                looks[r, s, i] = TRACE if {s, i} <= self.met.units[r] else {}
                for u, colour in self.followed.items():
                    if colour and {s, i} <= self.paths[u].units[r]:
                        looks[r, s, i] = {**TRACE, "color": colour}
        return looks

    def winners(self) -> set[tuple[int, int]]:
        """The units (row, unit) that pass a change on to what is followed from above, where not all of the layer do."""
        units = self.met.units
        seen = ((r, j) for r, j, i in _wires(self.active) if j in units[r] and i in units[r + 1])
        return set(seen) if self.start else set()

    def node(self, large: bool) -> Attributes:
        """How a node of many units looks, with room for the longest label; of one unit, nothing more."""
        return {**NODE, "width": f"{max(57.6, self._room) / 72:.3g}"} if large else {}

    def check_labels(self) -> None:
        """ValueError for a label that is too long for a unit."""
        if self._room > 44:
            longest = max(self.labels.values(), key=len)
            raise ValueError(f"labels have room for two or three characters in a unit, got {longest!r}")

    @property
    def _room(self) -> float:
        """What the longest label needs, in points."""
        return max(map(len, self.labels.values()), default=0) * 19 * CHARACTER + 10


def _wires(found: Sequence[set[tuple[int, int]]]) -> Iterator[Wire]:
    """The wires between each two rows as wires of the whole."""
    return ((r, j, i) for r, some in enumerate(found) for j, i in some)


def _decimals(values: Sequence[Array]) -> int:
    """How many decimals all of these need: two at most, and fewer where numbers have more than two digits before."""
    everything = np.concatenate([v.ravel() for v in values])
    digits = len(f"{np.abs(everything).max():.0f}")
    most = min(2, max(0, 4 - digits))
    return next((d for d in range(most) if np.allclose(everything, np.round(everything, d), atol=1e-9)), most)
