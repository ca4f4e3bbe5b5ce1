"""Wires by index arithmetic: which inputs reach which outputs, and which letters they meet on the way.

What you can do here: state the relation of a layer, and of layers one after the other (`then`) or side by side
(`joined`), to compare what was found by derivatives with it.
"""

from collections.abc import Iterable
from itertools import product
from typing import cast

from viz.subjects.connections import Wires

Letters = frozenset[tuple[str, int]]
Relation = dict[tuple[int, int], Letters]  # by index arithmetic: the wires (j, i), and the letters met on the way


def same_units(n: int) -> Relation:
    return {(i, i): frozenset() for i in range(n)}


def window(n: int, k: int, name: str = "") -> Relation:
    """One channel, stride 1, as many zeros around it as keep the size; with a name, a kernel of that name."""
    taps = ((h, i, h + i - k // 2) for h, i in product(range(n), range(k)))
    return {(x, h): frozenset({(name, i)} if name else ()) for h, i, x in taps if 0 <= x < n}


def every_unit(n: int, m: int, name: str) -> Relation:
    return {(j, i): frozenset({(name, i * n + j)}) for j, i in product(range(n), range(m))}


def then(*relations: Relation) -> Relation:
    """One after the other: a path goes through a unit between, and collects the letters of both parts."""
    first, *rest = relations
    for second in rest:
        found: Relation = {}
        for (j, middle), (same, i) in product(first, second):
            if middle == same:
                found[j, i] = found.get((j, i), frozenset()) | first[j, middle] | second[same, i]
        first = found
    return first


def joined(*relations: Relation) -> Relation:
    """Side by side, and added up."""
    wires = {wire for relation in relations for wire in relation}
    return {wire: frozenset().union(*(r[wire] for r in relations if wire in r)) for wire in wires}


def as_sets(wires: Wires) -> Relation:
    """The letters of each wire as a set."""
    sets = {}
    for wire, carried in wires.items():
        pairs = () if carried is None else (carried,) if isinstance(carried[0], str) else carried
        sets[wire] = frozenset(cast(Iterable[tuple[str, int]], pairs))
    return sets
