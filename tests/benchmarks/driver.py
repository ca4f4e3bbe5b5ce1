"""Who asks: starts a worker for each engine, compares their results, and lets them take turns.

What you can do here: find the engines that an interpreter has, `compare` them on a task, measure an `import`.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np

from .engines import PACKAGES
from .tasks import TASKS

ROOT = Path(__file__).parents[2]
THREADS = 2
PATIENCE = 120.0  # seconds for any answer, setting up and compiling included
SHARE = 5.0  # seconds of steps for one engine in one task; a slow one drops out of later rounds
VALUE_TOLERANCE = 1e-4  # how far values may be apart, as a part of their norm; for gradients each task has its own

Say = Callable[[str], None]


class Failure(Exception):
    """An engine that could not compute a task; the text says why."""


class Result(NamedTuple):
    """What one engine needed for one task."""

    seconds: float  # the median of its steps
    memory: int  # peak, in bytes


class Comparison(NamedTuple):
    results: dict[str, Result]
    failures: dict[str, str]


class Worker:
    """One engine at one task, in a process that stands still except while it answers; `folder` is for its files."""

    def __init__(self, python: str, task: str, engine: str, folder: Path) -> None:
        self.engine = engine
        self.seconds: list[float] = []
        self.results, self.log = folder / f"{engine}.npz", folder / f"{engine}.log"
        command = [python, "-m", "tests.benchmarks.worker", task, engine, str(self.results)]
        pipe = subprocess.PIPE
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(
                command, stdin=pipe, stdout=pipe, stderr=log, text=True, bufsize=1, env=environment(engine), cwd=ROOT
            )

    def stop(self) -> None:
        self.process.kill()  # ends one that stands still too
        self.process.communicate()

    def ask(self, question: str) -> dict[str, Any]:
        self.process.send_signal(signal.SIGCONT)
        self.process.stdin.write(question + "\n")
        return self.answer()

    def answer(self) -> dict[str, Any]:
        """The next line that it prints, after which it stands still; raises Failure if there is none."""
        ready, _, _ = select.select([self.process.stdout], [], [], PATIENCE)
        if not ready:
            raise Failure(f"more than {PATIENCE:.0f} s")
        line = self.process.stdout.readline()
        if not line:
            raise Failure(f"its process ended: {self._last_words()}")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise Failure(answer["error"])
        self.process.send_signal(signal.SIGSTOP)
        return answer

    def _last_words(self) -> str:
        code = self.process.wait()
        lines = self.log.read_text().strip().splitlines()
        return signal.Signals(-code).name if code < 0 else lines[-1] if lines else f"exit status {code}"


def compare(task: str, engines: Sequence[str], python: str, repeats: int, say: Say) -> Comparison:
    """What each engine needs for a task; raises ValueError where two of them disagree about the result."""
    workers: list[Worker] = []
    failures: dict[str, str] = {}
    with ExitStack() as running, tempfile.TemporaryDirectory() as folder:
        for engine in engines:
            say(f"{engine} sets up")
            worker = Worker(python, task, engine, Path(folder))
            running.callback(worker.stop)
            try:
                worker.answer()
                workers.append(worker)
            except Failure as failure:
                failures[engine] = str(failure)
                worker.stop()
        agree(TASKS[task].title, {w.engine: load(w.results) for w in workers}, TASKS[task].tolerance)
        for turn in range(repeats):
            say(f"round {turn + 1} of {repeats}")
            first = turn % max(len(workers), 1)  # so that nobody always follows the same neighbour
            for worker in workers[first:] + workers[:first]:
                if sum(worker.seconds) < SHARE:
                    worker.seconds.append(worker.ask("step")["seconds"])
        results = {w.engine: Result(median(w.seconds), w.ask("memory")["bytes"]) for w in workers}
    return Comparison(results, failures)


def load(path: Path) -> list[np.ndarray]:
    with np.load(path) as arrays:
        return list(arrays.values())


def agree(title: str, samples: dict[str, list[np.ndarray]], tolerance: float) -> None:
    """Raise ValueError, with names and values, unless all engines computed what the first one did.

    Samples are shape and values in turns, of each result; the first result is a value, the others are its gradients.

    >>> agree("sum", {"a": [np.array([2]), np.array([1.0, 5.0])], "b": [np.array([2]), np.array([1.0, 4.0])]}, 0.1)
    Traceback (most recent call last):
    ValueError: sum: a and b disagree about result 0, by 20 % of its norm: 5 and 4
    """
    (reference, expected), *others = samples.items() or [("", [])]
    for engine, found in others:
        for i, (a, b) in enumerate(zip(expected, found, strict=True)):
            about = f"{title}: {reference} and {engine} disagree about"
            if a.shape != b.shape or (i % 2 == 0 and (a != b).any()):
                raise ValueError(f"{about} the shape of result {i // 2}")
            apart = np.linalg.norm(a - b) / max(np.linalg.norm(a), 1e-30)
            if not apart <= (VALUE_TOLERANCE if i == 1 else tolerance):  # this way round for nan
                worst = np.argmax(np.abs(a - b))
                raise ValueError(
                    f"{about} result {i // 2}, by {100 * apart:.2g} % of its norm: {a[worst]:g} and {b[worst]:g}"
                )


IMPORT = """
import os, time, numpy

def resident():
    with open("/proc/self/statm") as sizes:
        return int(sizes.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

before, begin = resident(), time.perf_counter()
import {package}
print(time.perf_counter() - begin, resident() - before)
"""


def import_costs(engine: str, python: str, repeats: int = 5) -> tuple[float, float] | None:
    """Seconds and bytes that an import adds to that of NumPy, medians; None where it fails."""
    command = [python, "-c", IMPORT.format(package=PACKAGES[engine])]
    measured = []
    for _ in range(repeats + 1):  # the first run may have to compile
        run = subprocess.run(
            command, capture_output=True, text=True, env=environment(engine), cwd=ROOT, timeout=PATIENCE
        )
        if run.returncode:
            return None
        measured.append([float(word) for word in run.stdout.split()])
    seconds, size = map(median, zip(*measured[1:], strict=True))
    return seconds, size


def environment(engine: str = "") -> dict[str, str]:
    """The variables of a worker: our root on its path, and two threads, by whatever name a library calls them."""
    names = ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "CPU_COUNT"]
    compiled = {"PYTHONDONTWRITEBYTECODE": ""}  # as Python does by itself: the first import compiles for all others
    threads = dict.fromkeys(names, str(THREADS))
    if engine == "minitensor":
        threads["OPENBLAS_NUM_THREADS"] = "1"  # its two threads are its own, as the README advises
    return {**os.environ, "PYTHONPATH": str(ROOT), **compiled, **threads}


VERSIONS = """
import importlib.metadata, json, sys, numpy

found = {{}}
for package in {packages}:
    try:
        found[package] = importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        pass
print(json.dumps({{"python": sys.version.split()[0], "numpy": numpy.__version__, **found}}))
"""


def versions(python: str) -> dict[str, str]:
    """What an interpreter has of the packages that the engines need; raises ValueError if it has no NumPy."""
    command = [python, "-c", VERSIONS.format(packages=list(PACKAGES.values()))]
    run = subprocess.run(command, capture_output=True, text=True, env=environment(), cwd=ROOT)
    if run.returncode:
        raise ValueError(f"{python} cannot run the benchmarks: {run.stderr.strip().splitlines()[-1]}")
    found: dict[str, str] = json.loads(run.stdout)
    return found


def use_two_cores() -> None:
    """Hold this process and all that it starts to as many cores as there are threads (where the system can)."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])


def default_python() -> str:
    """The interpreter that `make bench-peers` has set up, if it has, else this one."""
    peers = ROOT / ".venv-peers" / "bin" / "python"
    return str(peers) if peers.exists() else sys.executable
