"""The figures that many tests look at, each drawn once in a run."""

from collections.abc import Callable
from functools import cache

from viz import Figure


@cache
def drawn_once(draw: Callable[[], Figure]) -> Figure:
    """The figure that this function draws.

    >>> drawn_once(lambda: Figure("digraph {}")).dot
    'digraph {}'
    """
    return draw()
