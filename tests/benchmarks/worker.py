"""A process that computes one task with one engine: `python -m tests.benchmarks.worker TASK ENGINE RESULTS`.

It sets up, computes the first step, writes what is to be compared to the file RESULTS, and then answers each line that
it reads with one line of JSON:

    step      {"seconds": the time of one step}
    memory    {"bytes": the most memory that the process has ever held}
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np

# Every engine gets what minitensor gives itself when it is imported: glibc keeps large blocks, once one of 32 MB has
# been freed, and the second one lies on huge pages (see minitensor/memory.py).  It helps PyTorch too.
np.empty((1 << 25) - 8192, np.uint8)
np.empty((1 << 25) - 8192, np.uint8)

from .tasks import TASKS  # noqa: E402

COMPARED = 10_000  # elements of each result
TURN = 0.1  # seconds of steps: a single brief one would mostly measure how cold the other engines left the caches


def main() -> None:
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints must not mix with the answers

    def answer(**facts: Any) -> None:
        print(json.dumps(facts), file=answers)

    task, name, file = sys.argv[1:]
    try:
        step = set_up(task, name, file)
        warm_up(step)
    except Exception as error:
        kind = "" if isinstance(error, NotImplementedError) else f"{type(error).__name__}: "
        answer(error=kind + str(error).strip().partition("\n")[0])
        raise
    answer(ready=True)
    for line in sys.stdin:
        if line == "step\n":
            answer(seconds=turn(step))
        else:
            answer(bytes=peak_memory())


def set_up(task: str, name: str, file: str) -> Callable[[], Any]:
    engine = importlib.import_module(f".engines.{name}", __package__)
    step, compared = TASKS[task].set_up(engine)
    results = compared([engine.array(result) for result in step()])
    np.savez(file, *(part for result in results for part in sample(result)))
    return step


def sample(array: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The shape of an array; its root mean square and some of its elements, enough to tell two results apart."""
    flat = np.ravel(array)  # in the order of the shape, whatever the order in memory
    size = np.linalg.norm(flat) / np.sqrt(flat.size)
    return np.array(array.shape), np.append(size, flat[:: 1 + flat.size // COMPARED]).astype(np.float64)


def duration(step: Callable[[], Any]) -> float:
    begin = time.perf_counter()
    step()
    return time.perf_counter() - begin


def turn(step: Callable[[], Any]) -> float:
    """The time of a step: of as many as fill a turn, the median of the later half."""
    seconds = [duration(step)]
    while sum(seconds) < TURN:
        seconds.append(duration(step))
    return median(seconds[len(seconds) // 2 :])


def warm_up(step: Callable[[], Any]) -> None:
    """Some more steps, since compilers look at the first few."""
    seconds = [duration(step)]
    while len(seconds) < 10 and sum(seconds) < (2.0 if len(seconds) < 3 else 0.5):
        seconds.append(duration(step))


def peak_memory() -> int:
    """In bytes.  On Linux ru_maxrss would begin with what the parent held, so the kernel is asked for our own."""
    if os.path.exists("/proc/self/status"):
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    main()
