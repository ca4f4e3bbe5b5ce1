"""The worker process as the runner sees it: verdicts one by one; what stops is cut off, and the rest goes on."""

from __future__ import annotations

import json
import os
import queue
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .folder import Folder, Trouble

AT_WORK = 0.05  # seconds of computing between two signs of life, one second apart: on a machine that is very busy
ROOT = Path(__file__).parent.parent.parent


def stream(folder: Folder, command: str, file: Path, chapter: str, **request: Any) -> Iterator[dict[str, Any]]:
    """The worker's verdicts.  A test that takes too long or ends the process is cut off; the others go on."""
    finished: list[str] = []
    current: dict[str, str] = {}
    again = True
    more = [str(path.resolve()) for path in folder.more]
    while again:
        again = False
        asked = {"command": command, "file": str(file), "chapter": chapter, "more": more, "skip": finished, **request}
        for told in lines_of(asked, folder.limit):
            if "mistake" in told:
                raise Trouble(told["mistake"])
            if "begin" in told:
                if current and current["test"] != told["begin"]:
                    finished.append(current["test"])
                current = {"test": told["begin"], "against": told["against"]}
                working(told["begin"])
            elif "end" in told and current:
                yield {**current, "late": told["end"], "passed": False}
                finished.append(current["test"])
                again, current = command != "explain", {}
            elif "end" in told:
                if command != "explain":
                    raise Trouble(f"{file.name} {told['end']}")
                yield {"late": told["end"]}
            elif "done" not in told:
                yield told
    working("")


def working(on: str) -> None:
    """What is being graded, on the terminal's last line, as long as it takes."""
    if sys.stdout.isatty():
        width = shutil.get_terminal_size().columns - 1
        print(f"\r{f'  ... {on}' if on else '':<{width}.{width}}\r", end="", flush=True)


def lines_of(request: dict[str, Any], limit: float) -> Iterator[dict[str, Any]]:
    """What a worker says, line by line; {"end": why} if it computes for too long, or stops before it is done.

    What counts is its own time, since other programs may take the processor.  A worker that does not compute, since it
    sleeps, is waited for five times as long.
    """
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    environment |= {"OPENBLAS_NUM_THREADS": "1", "PYTHONUTF8": "1"}
    command = [sys.executable, "-m", "tests.exercises.worker", json.dumps(request)]
    worker = subprocess.Popen(
        command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, env=environment, encoding="utf-8"
    )
    lines: queue.Queue[str | None] = queue.Queue()

    def read() -> None:
        assert worker.stdout is not None
        for line in worker.stdout:
            lines.put(line)
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    late = {"end": f"was cut off after {limit:g} seconds: does it loop?"}
    since, before, deadline = 0.0, 0.0, time.monotonic() + 60  # for the imports; then it is the student's code
    try:
        while True:
            try:
                line = lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                yield late
                return
            if line is None:
                yield {"end": "ended the program: is there an exit in it?"}
                return
            told = json.loads(line)
            seconds = told.pop("seconds")
            if not told:
                if seconds - since > limit:
                    yield late
                    return
                if seconds - before > AT_WORK:
                    before, deadline = seconds, time.monotonic() + 5 * limit
                continue
            since, before, deadline = seconds, seconds, time.monotonic() + 5 * limit
            if "ready" not in told:
                yield told
            if "done" in told or "mistake" in told:
                return
    finally:
        worker.kill()
        worker.wait()
        if worker.stdout is not None:
            worker.stdout.close()
