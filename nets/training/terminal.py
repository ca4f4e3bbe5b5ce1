"""What a fit shares with the terminal: a progress bar that may be missed, and Ctrl-C.

What you can do here: show a `Bar`, write to the `Console`, and be `interruptible`.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

from tqdm import tqdm

from .runs import Sums


class Bar:
    """How far a fit is, in images; if not shown, nothing happens."""

    def __init__(self, total: int, done: int, shown: bool) -> None:
        self._tqdm = tqdm(total=total, initial=done, unit=" images", disable=not shown, file=Console())
        # what a message is given to, if there is a bar
        self.say: Callable[[str], object] | None = partial(self._tqdm.write, file=Console()) if shown else None

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *error: object) -> None:
        self._tqdm.close()

    def begin(self, epoch: int, epochs: int) -> None:
        """Name the epoch."""
        self._tqdm.set_description(f"epoch {epoch}/{epochs}")

    def learnt(self, images: int, sums: Sums) -> None:
        """Go on by so many images, and show the score of the epoch so far."""
        score = sums.score
        self._tqdm.set_postfix(loss=f"{score.loss:.4f}", accuracy=f"{score.accuracy:.2%}", refresh=False)
        self._tqdm.update(images)


class Console:
    """Standard error for what may be missed: where it is closed, or nobody reads it any more, nothing happens."""

    def __getattr__(self, name: str) -> Any:  # its encoding, and whether it is a terminal
        return getattr(sys.stderr, name)

    def write(self, text: str) -> None:
        """Write if possible."""
        self._try("write", text)

    def flush(self) -> None:
        """Write what has been kept back, if possible."""
        self._try("flush")

    def _try(self, method: str, *arguments: str) -> None:
        with suppress(Exception):  # there is none, it is closed, or whatever may stand in its place
            try:
                getattr(sys.stderr, method)(*arguments)
            except OSError:  # nobody reads it: what it keeps back goes where it can be written, and so does the rest
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


@contextmanager
def interruptible() -> Iterator[Callable[[], bool]]:
    """Within the block Ctrl-C and SIGTERM are only noted, so that no step is cut in half; a second one acts at once.

    Gives a function that says whether one came.  In a thread other than the first, which signals do not reach, nothing
    changes.

    >>> with interruptible() as interrupted:
    ...     signal.raise_signal(signal.SIGINT)
    ...     interrupted()
    True
    """
    came = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield came.is_set
        return
    before = {number: signal.getsignal(number) or signal.SIG_DFL for number in (signal.SIGINT, signal.SIGTERM)}

    def as_before() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def note(number: int, frame: object) -> None:
        if came.is_set():
            as_before()
            signal.raise_signal(number)
        came.set()

    for number in before:
        signal.signal(number, note)
    try:
        yield came.is_set
    finally:
        as_before()
