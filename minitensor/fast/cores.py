"""Long sums, on all cores.

What you can do here: compute independent blocks of a sum side by side with `in_blocks`, and say on how many cores, with
`use_cores` for good or `all_cores` for a while.

NumPy lets go of Python's lock while it computes, so threads that spend their time in NumPy run at the same time.  The
blocks are the same whatever the number of cores: it changes the time, and no bit of the result.

NumPy's matrix products come from OpenBLAS, which has threads of its own.  They wait for each other by spinning, and
threads that start threads wait more than they compute: with both, a step takes up to ten times as long as with either.
So either OpenBLAS keeps to one thread, as `OPENBLAS_NUM_THREADS=1` or `set_blas_threads` tell it, or we do.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import copy_context
from functools import cache, partial
from pathlib import Path
from queue import SimpleQueue
from threading import Lock, Thread
from typing import TypeVar

import numpy as np

from ..checks import whole

Result = TypeVar("Result")

LONG = 1 << 24  # products; they take some 0.3 ms, and to wake another thread, and wait for it, takes up to 0.1 ms


def available_cores() -> int:
    """The number of cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def is_left_to_blas() -> bool:
    """Whether BLAS spreads long products itself: nobody has said otherwise."""
    return _cores is None and os.environ.get("OPENBLAS_NUM_THREADS") != "1"


def default_cores() -> int:
    """All of them if BLAS has been told to keep to one; else one is ours."""
    return available_cores() if os.environ.get("OPENBLAS_NUM_THREADS") == "1" else 1


_cores: int | None = None  # as many as someone has asked for
_lock, _blocks, _blas_before = Lock(), 0, None  # how many blocks of `all_cores` there are; BLAS's threads before them


def use_cores(n: int) -> None:
    """Spread long sums over n cores, and let BLAS keep to one thread if it can be told.

    Without this call it is all cores if OPENBLAS_NUM_THREADS=1 is set, else one.

    >>> use_cores(0)
    Traceback (most recent call last):
    ValueError: a sum needs at least one core, got 0
    """
    global _cores, _blas_before
    if whole("n", n) < 1:
        raise ValueError(f"a sum needs at least one core, got {n}")
    _cores, _blas_before = n, None
    set_blas_threads(1)


@contextmanager
def all_cores() -> Iterator[None]:
    """Within the block, as if OPENBLAS_NUM_THREADS=1 had been set: long sums use all cores, BLAS one thread.

    Nothing changes where `use_cores` has said how many, or where BLAS cannot be told.  Blocks may be within each other,
    and in several threads at a time: the first to begin changes it, the last to end puts it back.
    """
    global _cores, _blocks, _blas_before
    with _lock:
        _blocks += 1
        if _cores is None and (before := set_blas_threads(1)) is not None:
            _cores, _blas_before = available_cores(), before
    try:
        yield
    finally:
        with _lock:
            _blocks -= 1
            if not _blocks and _blas_before is not None:
                set_blas_threads(_blas_before)
                _cores = _blas_before = None


def set_blas_threads(n: int) -> int | None:
    """Let the OpenBLAS that came with NumPy use n threads, and return how many it did; None for another BLAS."""
    functions = _blas_functions()
    if functions is None:
        return None
    get, set_to = functions
    before: int = get()
    set_to(n)
    return before


@cache
def _blas_functions() -> tuple[Callable[[], int], Callable[[int], None]] | None:
    package = Path(np.__file__).parent
    files = [*package.parent.glob("numpy.libs/*openblas*"), *package.glob(".dylibs/*openblas*")]
    libraries = [ctypes.CDLL(str(file)) for file in files]  # NumPy has loaded them, so nothing is loaded
    names = ("scipy_openblas_{}_num_threads64_", "scipy_openblas_{}_num_threads", "openblas_{}_num_threads")
    pairs = [(x, name) for x in libraries for name in names if hasattr(x, name.format("set"))]
    return next(((getattr(x, name.format("get")), getattr(x, name.format("set"))) for x, name in pairs), None)


def in_blocks(block: Callable[[int, int], Result], n: int, products: int, at_most: int = sys.maxsize) -> list[Result]:
    """[block(0, a), block(a, b), ..., block(z, n)], which the cores compute side by side.

    How many there are depends on the work: one block for less than LONG products, two from LONG on, and from 32 LONG on
    two for each full 16 LONG.  They are at most n, and at most at_most.

    >>> in_blocks(lambda a, b: (a, b), n=10, products=1000)
    [(0, 10)]
    >>> in_blocks(lambda a, b: (a, b), n=10, products=LONG)
    [(0, 5), (5, 10)]
    >>> in_blocks(lambda a, b: (a, b), n=10, products=32 * LONG)
    [(0, 2), (2, 5), (5, 7), (7, 10)]
    """
    count = max(1, min(n, at_most, 2 * max(products >= LONG, products // (16 * LONG))))
    if count == 1:
        return [block(0, n)]
    edges = [n * i // count for i in range(count + 1)]
    todo = iter(range(count))  # the threads take their next block from here
    done: SimpleQueue[tuple[int, Result | BaseException]] = SimpleQueue()

    def work() -> None:
        for i in todo:
            try:
                done.put((i, block(edges[i], edges[i + 1])))
            except BaseException as failure:  # for the caller, whichever thread it happens in
                done.put((i, failure))

    ask_for_help(work, min(_cores or default_cores(), count) - 1)
    work()
    results = dict([done.get() for _ in range(count)])  # whoever comes too late finds nothing to do, and goes
    for result in results.values():
        if isinstance(result, BaseException):
            raise result
    return [results[i] for i in range(count)]  # type: ignore[misc]


# -- helpers: threads that stay, since to wake one takes a fifth of the time that it takes to start one ---------------

_jobs: SimpleQueue[Callable[[], object]] = SimpleQueue()
_helpers = 0


def ask_for_help(job: Callable[[], object], n: int) -> None:
    """Let n other threads do this job, in a context like ours, which holds np.errstate; and do not wait for them."""
    global _helpers
    while _helpers < n:
        _helpers += 1
        Thread(target=_help, name="minitensor", daemon=True).start()
    for _ in range(n):
        _jobs.put(partial(copy_context().run, job))


def _help() -> None:
    while True:
        _jobs.get()()


def _forget_helpers() -> None:
    """A process that has been forked has none of these threads."""
    global _jobs, _helpers
    _jobs, _helpers = SimpleQueue(), 0


with suppress(AttributeError):  # not every system can fork
    os.register_at_fork(after_in_child=_forget_helpers)
