"""Work on several cores: the blocks, the numbers of cores, and what happens when a block fails."""

from __future__ import annotations

import os
import threading
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitensor import Tensor, conv2d, gradients
from minitensor.fast import cores

from .strategies import rngs

counts = st.integers(1, 5)


def on(n):
    return mock.patch.object(cores, "_cores", n)


@given(counts, st.integers(0, 20), st.integers(0, 200 * cores.LONG), st.integers(1, 50))
def test_blocks_follow_each_other_and_leave_nothing_out(n_cores, n, products, at_most):
    """Whoever computes them: they come back in order, none is empty (unless all is), and together they are all."""
    with on(n_cores):
        blocks = cores.in_blocks(lambda a, b: list(range(a, b)), n, products, at_most)
    assert [i for block in blocks for i in block] == list(range(n))
    assert all(blocks) or n == 0
    assert len(blocks) == max(1, min(n, at_most, 2 * max(products >= cores.LONG, products // (16 * cores.LONG))))


@given(counts, counts, rngs)
def test_the_number_of_cores_changes_no_bit(few, many, rng):
    """A convolution in blocks, and its gradients, are the same on any number of cores, to the last bit."""
    x, w = (Tensor(rng.normal(size=shape).astype(np.float32)) for shape in ((2, 3, 9, 6), (4, 3, 3, 2)))

    def derivatives(n):
        with on(n), mock.patch.object(cores, "LONG", 100):
            y = conv2d(x, w, stride=2, padding=1)
            return [t.data.tobytes() for t in (y, *gradients(y, [x, w], rng.normal(size=1) * y.detach()))]

    state = rng.bit_generator.state
    first = derivatives(few)
    rng.bit_generator.state = state
    assert derivatives(many) == first


@given(counts, st.integers(1, 8), st.data())
def test_a_failure_reaches_the_caller_from_any_thread(n_cores, pairs, data):
    """What a block raises, the caller gets, and those who help go on helping."""
    bad = data.draw(st.integers(0, 2 * pairs - 1))

    def block(a, b):
        if a <= bad < b:
            raise MemoryError(f"block {bad}")

    with on(n_cores):
        with pytest.raises(MemoryError, match=f"^block {bad}$"):
            cores.in_blocks(block, 2 * pairs, 16 * pairs * cores.LONG)
        assert cores.in_blocks(lambda a, b: b - a, 4, 32 * cores.LONG) == [1, 1, 1, 1]


@given(counts, counts)
def test_as_many_threads_work_as_can_help(n_cores, n_blocks):
    """One on each core, the caller being one, and none without a block: the first blocks wait for each other."""
    threads = min(n_cores, n_blocks)
    everyone = threading.Barrier(threads, timeout=30)  # fewer threads would never get past it

    def block(a, b):
        if a < threads:
            everyone.wait()
        return threading.get_ident()

    with on(n_cores):
        assert len(set(cores.in_blocks(block, n_blocks, 16 * n_blocks * cores.LONG))) == threads
        before = threading.active_count()
        cores.in_blocks(block, n_blocks, 16 * n_blocks * cores.LONG)
    assert threading.active_count() == before  # those who are there help with the next sum


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a system without fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_process_that_is_forked_finds_helpers_of_its_own():
    """It has none of the threads of the first one, and asks for new ones."""
    everyone = threading.Barrier(2, timeout=30)
    with on(2):
        for _ in range(2):
            cores.in_blocks(lambda a, b: everyone.wait(), 2, cores.LONG)
        child = os.fork()
        if not child:  # pragma: no cover
            try:
                everyone = threading.Barrier(2, timeout=30)
                cores.in_blocks(lambda a, b: everyone.wait(), 2, cores.LONG)
                os._exit(0)
            finally:
                os._exit(1)
        assert os.waitpid(child, 0)[1] == 0
        cores._forget_helpers()  # as in the child, where nobody counts the lines
        cores.in_blocks(lambda a, b: everyone.wait(), 2, cores.LONG)


def test_use_cores_says_how_many():
    """Any number from one; at first all that there are if BLAS starts no threads of its own, else one."""
    with on(7), blas_with([1]):
        for n in (3, 1):
            cores.use_cores(n)
            assert cores._cores == n
        with pytest.raises(ValueError, match="at least one core, got 0"):
            cores.use_cores(0)
        with pytest.raises(TypeError, match=r"1\.5"):
            cores.use_cores(1.5)
    for threads, expected in (("1", 7), ("2", 1)):
        with mock.patch.dict("os.environ", OPENBLAS_NUM_THREADS=threads), all_of(7):
            assert cores.default_cores() == expected


def blas_with(threads):
    """A BLAS that has so many, in a list of one number."""
    return mock.patch.object(cores, "_blas_functions", lambda: (lambda: threads[0], partial(threads.__setitem__, 0)))


def test_all_cores_are_ours_for_a_while():
    """BLAS keeps to one thread within, and has its own again behind; unless someone has said how many are ours."""
    threads = [4]
    with all_of(3), blas_with(threads), on(None):
        with pytest.raises(KeyError), cores.all_cores():
            assert (cores._cores, threads) == (3, [1])
            with cores.all_cores():
                assert (cores._cores, threads) == (3, [1])
            raise KeyError
        assert (cores._cores, threads) == (None, [4])
        with on(2), cores.all_cores():
            assert (cores._cores, threads) == (2, [4])


def test_the_blas_of_numpy_is_told_or_left_alone():
    """Where there is none that can be told, its threads are as many as ever, and so are ours."""
    before = cores.set_blas_threads(1)
    if before is not None:
        assert cores.set_blas_threads(before) == 1
    with mock.patch.object(cores, "_blas_functions", lambda: None), on(None), cores.all_cores():
        assert cores._cores is None
    with mock.patch.object(cores, "Path", side_effect=lambda file: Path("/nowhere/numpy")):
        assert cores._blas_functions.__wrapped__() is None


def test_the_last_of_several_blocks_puts_back_what_the_first_has_found():
    """Threads may be in such blocks at the same time, and end in any order."""
    threads = [4]
    with all_of(3), blas_with(threads), on(None):
        blocks = [cores.all_cores() for _ in range(3)]
        for block in blocks:
            block.__enter__()
        for block in blocks[:2]:
            block.__exit__(None, None, None)
            assert (cores._cores, threads) == (3, [1])
        blocks[2].__exit__(None, None, None)
        assert (cores._cores, threads) == (None, [4])


def all_of(n):
    return mock.patch.object(cores, "available_cores", lambda: n)


@given(st.integers(1, 64), st.integers(1, 64))
def test_available_cores_are_those_the_process_may_use(some, more):
    """As the system says of this process (number 0 to itself), else all of the machine, else one."""
    knows = SimpleNamespace(sched_getaffinity={0: set(range(some))}.__getitem__, cpu_count=lambda: some + more)
    for system, expected in (
        (knows, some),
        (SimpleNamespace(cpu_count=lambda: more), more),
        (SimpleNamespace(cpu_count=lambda: None), 1),
    ):
        with mock.patch.object(cores, "os", system):
            assert cores.available_cores() == expected
