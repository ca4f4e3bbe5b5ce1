"""The process in which the student's code runs, so that it can be stopped; it reports a line of JSON for each verdict.

The runner calls it as `python -m tests.exercises.worker REQUEST`, where REQUEST is JSON:

    {"command": "grade" | "find" | "explain" | "build", "file": ..., "chapter": ..., "more": [...], "skip": [...], ...}

Each line carries the seconds of computing so far; one that has nothing else is a sign of life.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from . import draw, grade, reading
from .building import bench
from .chapters import Chapter, chapters
from .engine import ENGINE, Bug, Engine, Variant, Watched
from .tasks import LAWS, TASKS, Task
from .trace import why
from .variants import VARIANTS

RIGHT = "the right engine"
Report = Callable[..., None]
Request = dict[str, Any]


def main(arguments: Sequence[str]) -> None:
    say = reporter()
    say(ready=True)
    threading.Thread(target=live, args=(say,), daemon=True).start()
    request: Request = {"skip": [], "more": [], **json.loads(arguments[0])}
    command, name = request["command"], request["chapter"]
    grade.use_settings(shrink=command == "explain")
    try:
        if name == "build":
            bench.work(say, request)
        elif name == "operators":
            grade_operators(say, request)
        else:
            chapter = chapters(map(Path, request["more"]))[name]
            {"grade": grade_properties, "find": find, "explain": explain}[command](say, request, chapter)
    except grade.Mistake as mistake:
        say(mistake=str(mistake))
        return
    say(done=True)


def fresh(request: Request) -> list[grade.Property]:
    """The properties of the file, run anew: nothing is left of what they kept when they met another engine."""
    return grade.properties(grade.load(Path(request["file"])))


def one(request: Request, name: str) -> grade.Property:
    return next(test for test in fresh(request) if test.__name__ == name)


def asked(request: Request) -> Iterator[str]:
    for test in fresh(request):
        if test.__name__ not in request["skip"]:
            yield test.__name__


def grade_properties(say: Report, request: Request, chapter: Chapter) -> None:
    """Each property against the right engine, the legal variants and the bugs, as far as they touch what it uses."""
    sheet = reading.read(Path(request["file"]))
    if not request["skip"]:
        for remark in reading.remarks(sheet):
            say(remark=remark)
    for name in asked(request):
        say(begin=name, against=RIGHT)
        test, watched = one(request, name), Watched(ENGINE)
        verdict = grade.judge(test, watched, seeds=grade.SEEDS)
        if verdict.passed:
            verdict = again(grade.judge(test, Watched(ENGINE)), "something is kept from one call to the next")
        beside = reading.taken_from(sheet, name, vars(ENGINE), watched.used)
        say(
            test=name,
            against=RIGHT,
            passed=verdict.passed,
            message=verdict.message,
            used=sorted(watched.used),
            asserts=grade.asserts(test),
            beside=beside._asdict() if beside else None,
        )
        if not verdict.passed or (beside and beside.answer):
            continue
        if legal(say, request, name, watched.used):
            against_bugs(say, request, name, chapter.bugs + chapter.held_out, watched.used)


def legal(say: Report, request: Request, name: str, used: set[str]) -> bool:
    """Whether the property holds for each legal variant; the first for which it does not is told."""
    for variant in VARIANTS:
        if not used.isdisjoint(variant.changes):
            say(begin=name, against=variant.name)
            verdict = grade.judge(one(request, name), Watched(variant.engine), seeds=grade.SEEDS)
            say(test=name, against=variant.name, passed=verdict.passed, message=verdict.message)
            if not verdict.passed:
                return False
    return True


def against_bugs(say: Report, request: Request, name: str, bugs: Sequence[Bug], used: set[str]) -> None:
    """Each bug that touches what the property uses; then the right engine again, for which it must still hold."""
    touched = [bug for bug in bugs if not used.isdisjoint(bug.changes)]
    for bug in touched:
        say(begin=name, against=bug.name)
        verdict = grade.judge(one(request, name), Watched(bug.engine))
        seen = (
            not verdict.passed and verdict.message not in grade.NO_CASES
        )  # to throw every case away is to see nothing
        say(test=name, against=bug.name, passed=not seen, message=verdict.message)
    if touched:
        say(begin=name, against=RIGHT)
        verdict = grade.judge(one(request, name), Watched(ENGINE))
        verdict = again(verdict, "something is kept from one engine to the next")
        if not verdict.passed:
            say(test=name, against=RIGHT, passed=False, message=verdict.message, kept=True)


def again(verdict: grade.Verdict, told: str) -> grade.Verdict:
    """A verdict on what held before, for the same cases."""
    return verdict if verdict.passed else verdict._replace(message=f"{verdict.message}\nIt held before: {told}")


def find(say: Report, request: Request, chapter: Chapter) -> None:
    """The first property that sees this bug, and holds for the right engine and all legal variants."""
    (bug,) = [bug for bug in chapter.bugs if bug.name == request["against"]]
    silent: Report = lambda **_: None  # noqa: E731
    for name in asked(request):
        watched = Watched(ENGINE)
        say(begin=name, against=bug.name)
        if not grade.judge(one(request, name), watched, seeds=grade.SEEDS).passed:
            continue
        if watched.used.isdisjoint(bug.changes) or grade.judge(one(request, name), Watched(bug.engine)).passed:
            continue
        if legal(silent, request, name, watched.used):
            say(test=name)
            return


def explain(say: Report, request: Request, chapter: Chapter) -> None:
    """The smallest case for which the property fails against this engine, as a drawing; of a bug, why it is seen."""
    name, against = request["test"], request["against"]
    others: list[Variant | Bug] = [*VARIANTS, *chapter.bugs]
    engine: Engine = next((other.engine for other in others if other.name == against), ENGINE)
    verdict = grade.smallest(one(request, name), Watched(engine))
    bug = next((bug for bug in chapter.bugs if bug.name == against), None)
    seen = bug is not None and verdict.arguments is not None
    reason = why(one(request, name), bug, verdict.arguments) if seen else ""
    tell(say, name, verdict, reason)


def grade_operators(say: Report, request: Request) -> None:
    """Each operator that the student wrote, under each of its laws."""
    file, command = Path(request["file"]), request["command"]
    module, laws, sheet = grade.load(file), grade.load(LAWS), reading.read(file)
    for task in TASKS:
        operator = getattr(module, task.name, None)
        for name in task.laws:
            if command == "explain" and (name, task.name) != (request["test"], request["against"]):
                continue
            if command == "grade" and name in request["skip"]:
                continue
            say(begin=name, against=task.name)
            verdict = verdict_on(task, operator, getattr(laws, name), sheet, shrink=command == "explain")
            if command == "explain":
                tell(say, task.name, verdict)
            else:
                unwritten = isinstance(verdict.error, NotImplementedError)
                say(test=name, against=task.name, passed=verdict.passed, message=verdict.message, unwritten=unwritten)


def verdict_on(task: Task, operator: Any, law: grade.Property, sheet: reading.Sheet, shrink: bool) -> grade.Verdict:
    if not callable(operator):
        return grade.Verdict(False, f"there is no function {task.name} in your file")
    spared = sorted(
        full for full in reading.imported_names(sheet, task.name) if full.rpartition(".")[2] in task.without
    )
    if spared:
        return grade.Verdict(False, f"it calls {', '.join(spared)}: write it without")
    if shrink:
        return grade.smallest(law, operator, sheet.path)
    return grade.judge(law, operator, sheet.path, grade.SEEDS)


def tell(say: Report, name: str, verdict: grade.Verdict, reason: str = "") -> None:
    text, svg = draw.of_verdict(name, verdict)
    say(message=verdict.message, text=text, svg=svg, why=reason)


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
