"""Several processes that learn one model together: data-parallel training over MPI.

What you can do here: `mpiexec -n 4 python -m nets train`, or hand `mpi_workers()` to `fit`.

The loss of a batch is a mean over its images, and the derivative of a mean is the mean of the derivatives.  So each
process computes the gradient for its part of the batch alone; MPI adds them up, weighted by the sizes of the parts; and
every process takes the same step.  They begin with the same parameters, from the same seed, so they keep the same ones,
and never send them.  (What is not a mean over images differs: batch normalization sees its own part of the batch only,
and dropout leaves out other units.)

Sums in another order round differently, and learning magnifies that.  In float64 one and several processes agree to
1e-13 after hundreds of steps.  In float32 they agree to 1e-7 for some dozens of steps; then a relu or a maximum decides
otherwise somewhere, and after some hundreds the parameters are as far apart as those of two seeds, and as good.

An error in one process must not leave the others waiting for it.  So what a process does by itself stands in a block
`with workers.together():`; at its end the processes tell each other whether it went well, and if not, all raise.

Each process distorts the whole batch before it takes its part, since the random numbers are drawn for a batch.

MPI is `mpi4py`, an optional extra.  It is imported only in a process that mpiexec has started.
Source: MPI, a message-passing interface standard, version 4.0, section 6.9.6 (all-reduce).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from types import TracebackType
from typing import Any

import numpy as np

from minitensor import Tensor
from minitensor.fast.cores import available_cores, use_cores
from minitensor.tensor import Array

STARTED_BY_MPIEXEC = any(name in os.environ for name in ("PMI_RANK", "PMIX_RANK", "OMPI_COMM_WORLD_RANK"))

MPI4PY_IS_THERE = find_spec("mpi4py") is not None

if STARTED_BY_MPIEXEC and MPI4PY_IS_THERE:
    from mpi4py import MPI  # type: ignore[import-not-found, unused-ignore]


class WorkerError(RuntimeError):
    """What the other processes raise where one has failed."""


class Workers:
    """One process and those that it learns with: here, none.

    >>> ALONE.size, ALONE.shard(np.arange(3)).tolist(), ALONE.any(False)
    (1, [0, 1, 2], False)
    """

    rank: int = 0
    size: int = 1

    def shard(self, batch: Array) -> Array:
        """The part of a batch that this process computes."""
        return batch[self.rank :: self.size]

    def sum(self, numbers: Sequence[float]) -> Sequence[float]:
        """For each number, the sum over all processes."""
        return numbers

    def mean(self, gradients: Sequence[Tensor], part: float) -> Sequence[Tensor]:
        """The mean over all processes, weighted with the part of the batch that each has computed."""
        return gradients

    def any(self, flag: bool) -> bool:
        """Whether the flag is set in any process."""
        return flag

    @contextmanager
    def together(self) -> Iterator[None]:
        """A block that ends well in all processes, or with an error in each: its own, or else a WorkerError."""
        yield


ALONE = Workers()


class MPIWorkers(Workers):
    """The processes of an MPI communicator."""

    def __init__(self, communicator: Any) -> None:
        self.communicator = communicator
        self.rank, self.size = communicator.Get_rank(), communicator.Get_size()

    def sum(self, numbers: Sequence[float]) -> Sequence[float]:
        total: list[float] = self._total(np.array(numbers, np.float64)).tolist()
        return total

    def mean(self, gradients: Sequence[Tensor], part: float) -> Sequence[Tensor]:
        flat = np.concatenate([g.data.ravel() for g in gradients])  # in one piece: a message costs more than its bytes
        pieces = np.split(self._total(part * flat), np.cumsum([g.size for g in gradients])[:-1])
        return [Tensor(piece.reshape(g.shape)) for piece, g in zip(pieces, gradients, strict=True)]

    def any(self, flag: bool) -> bool:
        return self.sum([flag])[0] > 0

    @contextmanager
    def together(self) -> Iterator[None]:
        error: BaseException | None = None
        try:
            yield
        except BaseException as own:
            error = own
        failed = np.zeros(self.size)
        failed[self.rank] = error is not None
        failures = np.flatnonzero(self._total(failed))
        if len(failures):
            texts = np.zeros((self.size, 1000), np.uint8)  # each process writes its own row
            text = f"{type(error).__name__}: {error}".encode()[: texts.shape[1]]
            texts[self.rank, : len(text)] = np.frombuffer(text, np.uint8)
            first = failures[0]
            text = self._total(texts)[first].tobytes().rstrip(b"\0")
            if error is None:
                raise WorkerError(f"process {first} of {self.size} failed: {text.decode(errors='replace')}")
            raise error

    def _total(self, array: Array) -> Array:
        total = np.empty_like(array)
        self.communicator.Allreduce(array, total)
        return total


def mpi_workers() -> Workers:
    """All processes that mpiexec has started with this one; `ALONE` if it was not mpiexec.

    Those on one machine divide among them the cores that each would spread its sums over.  From now on, an error that
    nobody catches ends all of them: MPI would wait for ever for a process that has left.

    Raises ImportError if it was, and mpi4py is not installed.
    """
    if not STARTED_BY_MPIEXEC:
        return ALONE
    if not MPI4PY_IS_THERE:
        raise ImportError("mpiexec has started this process, but it cannot join the others: pip install mpi4py")
    neighbours = MPI.COMM_WORLD.Split_type(MPI.COMM_TYPE_SHARED).Get_size()  # processes on the same machine
    use_cores(max(1, available_cores() // neighbours))
    sys.excepthook = _end_with
    return MPIWorkers(MPI.COMM_WORLD)


def _end_with(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    sys.__excepthook__(kind, error, trace)
    end_all(error)


def end_all(error: BaseException) -> None:
    """End all processes that mpiexec has started, because of an error in this one, which has been told.

    After a WorkerError nothing is done: the process that failed ends them, when it has told its error.
    """
    if STARTED_BY_MPIEXEC and MPI4PY_IS_THERE and not isinstance(error, WorkerError):
        sys.stderr.flush()
        MPI.COMM_WORLD.Abort(1)
