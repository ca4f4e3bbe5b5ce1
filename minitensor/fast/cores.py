"""Long sums, on all cores.

What you can do here: compute independent blocks of a sum side by side, and say with `use_cores` on how many cores.

NumPy lets go of Python's lock while it computes, so threads that spend their time in NumPy run at the same time.  The
blocks are the same whatever the number of cores: it changes the time, and no bit of the result.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextvars import copy_context
from threading import Thread
from typing import TypeVar

from ..checks import whole

Result = TypeVar("Result")

LONG = 1 << 27  # products; they take some 3 ms, and to start a thread takes 0.1 ms


def available_cores() -> int:
    """The number of cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def default_cores() -> int:
    """All of them if NumPy's BLAS has been told to keep to one; else it spreads long products itself, and one is ours.

    (Threads that start threads wait for each other more than they compute: with both, a step takes up to ten times as
    long as with either.)
    """
    return available_cores() if os.environ.get("OPENBLAS_NUM_THREADS") == "1" else 1


_cores = default_cores()


def use_cores(n: int) -> None:
    """Spread long sums over n cores; without this call, over all if OPENBLAS_NUM_THREADS=1 is set, else over one.

    >>> use_cores(0)
    Traceback (most recent call last):
    ValueError: a sum needs at least one core, got 0
    """
    global _cores
    if whole("n", n) < 1:
        raise ValueError(f"a sum needs at least one core, got {n}")
    _cores = n


def in_blocks(block: Callable[[int, int], Result], n: int, products: int, at_most: int = sys.maxsize) -> list[Result]:
    """[block(0, a), block(a, b), ..., block(z, n)]: two for every LONG products, at most n or at_most, else one.

    >>> in_blocks(lambda a, b: (a, b), n=10, products=1000)
    [(0, 10)]
    >>> in_blocks(lambda a, b: (a, b), n=10, products=2 * LONG)
    [(0, 2), (2, 5), (5, 7), (7, 10)]
    >>> in_blocks(lambda a, b: (a, b), n=10, products=2 * LONG, at_most=2)
    [(0, 5), (5, 10)]
    """
    count = max(1, min(n, at_most, 2 * (products // LONG)))
    if count == 1:
        return [block(0, n)]
    edges = [n * i // count for i in range(count + 1)]
    results: dict[int, Result] = {}
    failures: list[BaseException] = []
    todo = iter(range(count))  # the threads take their next block from here

    def work() -> None:
        try:
            for i in todo:
                results[i] = block(edges[i], edges[i + 1])
        except BaseException as failure:  # for the caller, whichever thread it happens in
            failures.append(failure)

    # each in a copy of the caller's context, which holds np.errstate
    helpers = [Thread(target=copy_context().run, args=(work,)) for _ in range(min(_cores, count) - 1)]
    for helper in helpers:
        helper.start()
    work()
    for helper in helpers:
        helper.join()
    if failures:
        raise failures[0]
    return [results[i] for i in range(count)]
