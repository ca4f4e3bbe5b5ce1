"""The process in which the student's code runs, so that it can be stopped; it reports a line of JSON for each verdict.

The runner calls it as one of

    python -m tests.exercises.worker grade    FILE CHAPTER [TEST_TO_SKIP ...]
    python -m tests.exercises.worker find     FILE CHAPTER BUG [TEST_TO_SKIP ...]
    python -m tests.exercises.worker explain  FILE CHAPTER TEST ENGINE

Each line carries the seconds of computing so far; one that has nothing else is a sign of life.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from . import draw, grade
from .bugs import BUGS
from .engine import ENGINE, Bug, Engine, Variant, Watched
from .tasks import LAWS, TASKS
from .variants import VARIANTS

RIGHT = "the right engine"
MOST_LINES = 20  # of what a property prints
Report = Callable[..., None]


def main(arguments: Sequence[str]) -> None:
    say = reporter()
    say(ready=True)
    threading.Thread(target=live, args=(say,), daemon=True).start()
    command, file, chapter, *rest = arguments
    grade.use_settings(shrink=command == "explain")
    try:
        module = grade.load(Path(file))
    except grade.Mistake as mistake:
        say(mistake=str(mistake))
        return
    if chapter == "operators":
        grade_operators(say, module, command, rest)
    elif command == "explain":
        explain(say, module, chapter, *rest)
    elif command == "find":
        find(say, module, chapter, *rest)
    else:
        grade_properties(say, module, chapter, rest)
    say(done=True)


def grade_properties(say: Report, module: Any, chapter: str, skip: Sequence[str]) -> None:
    """Each property against the right engine, the legal variants and the bugs, as far as they touch what it uses."""
    for test in grade.properties(module):
        if test.__name__ in skip:
            continue
        watched = Watched(ENGINE)
        say(begin=test.__name__, against=RIGHT)
        verdict = grade.judge(test, watched)
        say(
            test=test.__name__,
            against=RIGHT,
            passed=verdict.passed,
            message=verdict.message,
            used=sorted(watched.used),
            asserts=grade.asserts(test),
        )
        if not verdict.passed:
            continue
        others: list[Variant | Bug] = [*VARIANTS, *BUGS[chapter]]
        for other in others:
            if watched.used.isdisjoint(other.changes):
                continue
            say(begin=test.__name__, against=other.name)
            verdict = grade.judge(test, other.engine)
            say(test=test.__name__, against=other.name, passed=verdict.passed, message=verdict.message)
            if other in VARIANTS and not verdict.passed:
                break


def find(say: Report, module: Any, chapter: str, name: str, *skip: str) -> None:
    """The first property that sees this bug, and holds for the right engine and all legal variants."""
    (bug,) = [bug for bug in BUGS[chapter] if bug.name == name]
    for test in grade.properties(module):
        if test.__name__ in skip:
            continue
        watched = Watched(ENGINE)
        say(begin=test.__name__, against=name)
        if not grade.judge(test, watched).passed or watched.used.isdisjoint(bug.changes):
            continue
        legal = [variant.engine for variant in VARIANTS if not watched.used.isdisjoint(variant.changes)]
        if not grade.judge(test, bug.engine).passed and all(grade.judge(test, engine).passed for engine in legal):
            say(test=test.__name__)
            return


def explain(say: Report, module: Any, chapter: str, name: str, against: str) -> None:
    """The smallest case for which the property fails against this engine, as a drawing."""
    others: list[Variant | Bug] = [*VARIANTS, *BUGS[chapter]]
    engines: dict[str, Engine] = {RIGHT: ENGINE} | {other.name: other.engine for other in others}
    for test in grade.properties(module):
        if test.__name__ == name:
            tell(say, grade.judge(test, Watched(engines[against])))


def grade_operators(say: Report, module: Any, command: str, rest: Sequence[str]) -> None:
    """Each operator that the student wrote, under each of its laws."""
    laws = grade.load(LAWS)
    for task in TASKS:
        operator = getattr(module, task.name, None)
        for name in task.laws:
            if (name in rest) == (command == "grade"):  # what was done before, or what is not asked for
                continue
            say(begin=name, against=task.name)
            if callable(operator):
                verdict = grade.judge(getattr(laws, name), operator, Path(module.__file__))
            else:
                verdict = grade.Verdict(False, f"there is no function {task.name} in your file")
            if command == "explain":
                tell(say, verdict)
            else:
                unwritten = isinstance(verdict.error, NotImplementedError)
                say(test=name, against=task.name, passed=verdict.passed, message=verdict.message, unwritten=unwritten)


def tell(say: Report, verdict: grade.Verdict) -> None:
    pictures = draw.counterexample(verdict.case or {}, verdict.error)
    text = draw.as_text(pictures)
    if verdict.printed:
        printed = verdict.printed.splitlines()
        shown = [*printed[:MOST_LINES], *(["..."] if len(printed) > MOST_LINES else [])]
        text = "\n".join([*([text] if text else []), "printed:", *("    " + line for line in shown)])
    say(message=verdict.message, text=text, svg=draw.as_svg(pictures))


def live(say: Report) -> None:
    """A sign of life each second."""
    while True:
        time.sleep(1)
        say()


def reporter() -> Report:
    """A function that writes to what was stdout; from now on whatever the student prints goes nowhere."""
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)

    lock = threading.Lock()

    def say(**report: Any) -> None:
        with lock:
            channel.write(json.dumps(report | {"seconds": time.process_time()}) + "\n")
            channel.flush()

    return say


if __name__ == "__main__":
    main(sys.argv[1:])
