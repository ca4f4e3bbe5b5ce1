"""Several processes that learn one model: what one learns, and an end for all where one fails."""

from __future__ import annotations

import itertools
import math
import shutil
import subprocess
import sys
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minitensor as mt
import nets
from nets import (
    SGD,
    Dense,
    Flatten,
    Sequential,
    fit,
    load,
)
from nets.training import parallel
from nets.training.parallel import MPIWorkers, WorkerError

from .checks import raises
from .test_nets_train import small_data


def test_a_process_of_mpiexec_without_mpi4py_says_what_is_missing(monkeypatch):
    """And does not learn alone, beside the others."""
    monkeypatch.setattr(parallel, "MPI4PY_IS_THERE", False)
    monkeypatch.setattr(parallel, "STARTED_BY_MPIEXEC", True)
    with raises(ImportError, "pip install mpi4py"):
        nets.mpi_workers()
    monkeypatch.setattr(parallel, "STARTED_BY_MPIEXEC", False)
    assert nets.mpi_workers() is parallel.ALONE


class Threads:
    """A communicator of MPI's kind between threads of one process: what MPIWorkers asks of mpi4py, and no more."""

    def __init__(self, size: int) -> None:
        self.size, self.arrays, self.barrier = size, [None] * size, threading.Barrier(size, timeout=60)
        self.local = threading.local()

    def Get_size(self) -> int:
        return self.size

    def Get_rank(self) -> int:
        return self.local.rank

    def Allreduce(self, mine: np.ndarray, total: np.ndarray) -> None:
        self.arrays[self.local.rank] = mine
        self.barrier.wait()
        total[...] = sum(self.arrays[1:], self.arrays[0])
        self.barrier.wait()


def fit_in_parallel(size: int, **options) -> list:
    communicator, results = Threads(size), [None] * size

    def run(rank: int) -> None:
        communicator.local.rank = rank
        model = Sequential(Flatten(), Dense(64, 10, rng=np.random.default_rng(0))).astype(np.float64)
        workers = MPIWorkers(communicator)
        epochs = fit(model, small_data(9), test=small_data(5), workers=workers, progress=False, **options)
        results[rank] = (model, epochs)

    threads = [threading.Thread(target=run, args=(rank,)) for rank in range(size)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@given(st.integers(2, 4), st.integers(1, 8))
def test_the_gradient_of_a_mean_is_the_mean_of_the_gradients(size, batch_size):
    """Any number of workers and one alone learn the same, to rounding, whatever the batches leave over."""
    options = {"epochs": 2, "batch_size": batch_size, "distort": nets.distort}
    [(alone, expected)] = fit_in_parallel(1, **options)
    for model, epochs in fit_in_parallel(size, **options):
        for a, b in zip(model.parameters(), alone.parameters(), strict=True):
            np.testing.assert_allclose(a.data, b.data, atol=1e-12)
        for epoch, one in zip(epochs, expected, strict=True):
            for score, its in (epoch.train, one.train), (epoch.test, one.test):
                assert score.accuracy == its.accuracy
                assert math.isclose(score.loss, its.loss, rel_tol=1e-12)


STAGES = ["load", "distort", "schedule", "loss", "gradient", "step", "evaluate", "save"]


@pytest.mark.parametrize("stage", STAGES)
@given(st.integers(2, 3), st.data())
def test_an_error_in_one_worker_ends_all(stage, tmp_path_factory, size, data):
    """It raises its own error there, and in all others one that says whose it is and what it says."""
    failing = 0 if stage == "save" else data.draw(st.integers(0, size - 1))
    when = data.draw(st.integers(0, 5)) if stage in ("distort", "schedule", "loss", "step") else 0
    folder, communicator, results = tmp_path_factory.mktemp("run"), Threads(size), [None] * size

    def run(rank: int) -> None:
        communicator.local.rank = rank
        calls = itertools.count()

        def fail(here: str, n: int = when) -> None:
            if here == stage and rank == failing and next(calls) == n:
                raise ArithmeticError(f"in the {here} of {rank}")

        class Failing(SGD):
            def update(self, i, w, g, rate):
                fail("step")
                return super().update(i, w, g, rate)

            def state_dict(self):
                if sys._getframe(1).f_code.co_name == "_state":  # to be saved
                    fail("save")
                return super().state_dict()

        def loss(y, labels):
            fail("loss" if model.training else "evaluate")
            return without_rule(y) if stage == "gradient" and rank == failing else (y * y).mean()

        without_rule = mt.primitive(lambda y: y.sum())
        without_rule.defvjp(lambda g, out, y: fail("gradient"))
        model = Sequential(Flatten(), Dense(64, 10, rng=np.random.default_rng(0)))
        try:
            fit(
                model,
                small_data(20),
                test=small_data(7),
                epochs=2,
                batch_size=6,
                optimizer=Failing(model, 0.1),
                loss=loss,
                distort=lambda images, rng: fail("distort") or images,
                schedule=lambda p: fail("schedule") or 1.0,
                checkpoint=folder / ("none.npz" if stage == "load" and rank == failing else "model.npz"),
                resume=stage == "load",
                workers=MPIWorkers(communicator),
                progress=False,
                compiled=stage != "loss",  # a program calls no loss, so it cannot count the calls
            )
        except BaseException as error:
            results[rank] = error

    threads = [threading.Thread(target=run, args=(rank,)) for rank in range(size)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for rank, error in enumerate(results):
        assert error is not None
        if stage == "load":
            assert isinstance(error, FileNotFoundError)
        elif rank != failing:
            assert isinstance(error, WorkerError) and f"process {failing} of {size}" in str(error)
            assert f"in the {stage} of {failing}" in str(error)
        else:
            assert isinstance(error, ArithmeticError)


@pytest.mark.skipif(not shutil.which("mpiexec"), reason="needs an MPI, and mpi4py")
@pytest.mark.parametrize("when", ["at once", "in fit", "after fit"])
def test_an_error_in_one_process_ends_the_run(when):
    """Within seconds, with its message, whether the others wait for it in fit or at their end."""
    pytest.importorskip("mpi4py.MPI", exc_type=ImportError)
    program = (
        "import sys, numpy as np, nets\n"
        "workers, when = nets.mpi_workers(), sys.argv[1]\n"
        "def fail(here, *_):\n"
        "    if workers.rank == 1 and here == when:\n"
        "        raise ArithmeticError('of process 1, ' + when)\n"
        "    return 1.0\n"
        "fail('at once')\n"
        "model = nets.Dense(2, 2)\n"
        "data = np.ones((4, 2), np.float32), np.zeros(4, int)\n"
        "nets.fit(model, data, schedule=lambda p: fail('in fit'), workers=workers, progress=False)\n"
        "fail('after fit')\n"
    )
    command = ["mpiexec", "-n", "2", sys.executable, "-c", program, when]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert run.returncode != 0 and f"of process 1, {when}" in run.stderr


@pytest.mark.skipif(not shutil.which("mpiexec"), reason="needs an MPI, and mpi4py")
def test_two_processes_learn_what_one_learns(tmp_path):
    pytest.importorskip("mpi4py.MPI", exc_type=ImportError)
    command = [sys.executable, "-m", "nets", "train", "--epochs", "1", "--checkpoint"]
    subprocess.run([*command, tmp_path / "one.npz"], check=True, capture_output=True)
    subprocess.run(["mpiexec", "-n", "2", *command, tmp_path / "two.npz"], check=True, capture_output=True)
    one, two = nets.lenet(), nets.lenet()
    load(tmp_path / "one.npz", one)
    load(tmp_path / "two.npz", two)
    for a, b in zip(one.parameters(), two.parameters(), strict=True):
        np.testing.assert_allclose(a.data, b.data, atol=1e-4)
