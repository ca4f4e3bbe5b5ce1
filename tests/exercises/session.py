"""Grading one chapter: the student's properties against the right engine, the legal variants and the bugs."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from . import grade, report
from .folder import Folder, Trouble
from .process import stream
from .tasks import LAWS, TASKS
from .variants import VARIANTS
from .worker import RIGHT

LEGAL = {variant.name: variant.why for variant in VARIANTS}
Tell = Callable[[str], None]


class Graded(NamedTuple):
    """What came of a chapter: points of most; the names of what was done, and of the properties that did it."""

    chapter: str
    points: int
    most: int
    done: list[str]
    properties: list[str]
    held_out: int = 0  # of the bugs that nobody is shown
    rows: Sequence[report.Row] = ()

    @property
    def complete(self) -> bool:
        return self.points == self.most


def silent(_: str) -> None:
    """Tells nothing."""


def grade_chapter(folder: Folder, chapter: str, tell: Tell = silent) -> Graded:
    """Grade one chapter as its file is now; what is found on the way is told, with drawings unless told to nobody."""
    with folder.snapshot(chapter) as file:
        if chapter == "operators":
            return grade_tasks(folder, file, tell)
        rows, held_out = verdicts(folder, file, chapter, tell)
    bugs = folder.chapters[chapter].bugs
    killed = report.killers(rows, bugs)
    done = [bug.name for bug in bugs if bug.name in killed]
    properties = [row.name for row in rows if report.KILLED in row.marks]
    return Graded(chapter, len(done), len(bugs), done, properties, held_out, rows)


def verdicts(folder: Folder, file: Path, chapter: str, tell: Tell) -> tuple[list[report.Row], int]:
    """A row for each property, and how many held-out bugs were seen.

    What fails on the right engine or a variant is shown, and its marks do not count.
    """
    part = folder.chapters[chapter]
    marks: dict[str, dict[str, str]] = {}
    remarks: dict[str, str] = {}
    void: set[str] = set()  # properties whose marks do not count, whatever follows
    bare: set[str] = set()  # without an assert

    def shown(name: str, against: str, title: str, message: str) -> None:
        drawn = message if tell is silent else explain(folder, file, chapter, name, against)
        tell(f"{title}:\n{indent(drawn)}\n")

    for verdict in stream(folder, "grade", file, chapter):
        if "remark" in verdict:
            tell(f"{verdict['remark']}.\n")
            continue
        name, against = verdict["test"], verdict["against"]
        mine = marks.setdefault(name, {})
        if "late" in verdict:
            remarks[name] = verdict["late"]
            if against == RIGHT or against in LEGAL:
                void.add(name)
        elif verdict.get("kept"):
            void.add(name)
            remarks[name] = "fails on the right engine after the bugs: it keeps something"
            tell(f"{name} fails on the right engine, after it met the bugs:\n{indent(verdict['message'])}\n")
        elif against == RIGHT and not verdict["passed"]:
            remarks[name] = "fails on the right engine"
            if "It held before" in verdict["message"]:
                tell(f"{name} fails on the right engine:\n{indent(verdict['message'])}\n")
            else:
                shown(name, RIGHT, f"{name} fails on the right engine", verdict["message"])
        elif against == RIGHT and verdict["beside"]:
            remarks[name] = verdict["beside"]["told"]
        elif against == RIGHT and not verdict["used"]:
            remarks[name] = "uses no function of the engine" if verdict["asserts"] else "to do"
        elif against == RIGHT and not verdict["asserts"]:
            bare.add(name)
        elif against in LEGAL and not verdict["passed"]:
            void.add(name)
            remarks[name] = f"asks too much: {against}"
            shown(
                name,
                against,
                f"{name} fails on a legal variant, {against}: {LEGAL[against].rstrip('.')}",
                verdict["message"],
            )
        elif against not in LEGAL and against != RIGHT:
            mine[against] = report.SURVIVED if verdict["passed"] else report.KILLED
    for name in void:
        marks[name].clear()
    for name in bare:
        if not any(marks[name].get(bug.name) == report.KILLED for bug in part.bugs):
            remarks.setdefault(name, "it has no assert, same or close")
    rows = [
        report.Row(
            name, [mine.get(bug.name, report.NOT_SEEN) for bug in part.bugs] if mine else [], remarks.get(name, "")
        )
        for name, mine in marks.items()
    ]
    seen = {bug.name for bug in part.held_out if any(mine.get(bug.name) == report.KILLED for mine in marks.values())}
    return rows, len(seen)


def grade_tasks(folder: Folder, file: Path, tell: Tell) -> Graded:
    broken: dict[str, list[dict[str, Any]]] = {task.name: [] for task in TASKS}
    for verdict in stream(folder, "grade", file, "operators"):
        if "late" in verdict or not verdict["passed"]:
            broken[verdict["against"]].append(verdict)
    done = [task.name for task in TASKS if not broken[task.name]]
    for number, task in enumerate(TASKS, start=1):
        failures = broken[task.name]
        if not failures:
            state = "done"
        elif any(f.get("unwritten") for f in failures):
            state = "to do"
        else:
            state = f"{len(task.laws) - len(failures)} of {len(task.laws)} laws hold"
        tell(f"  {number:>2} {task.signature:<46} {state}")
    for task in TASKS:
        failures = [f for f in broken[task.name] if not f.get("unwritten")]
        if failures:
            law, late = failures[0]["test"], failures[0].get("late")
            drawn = failures[0].get("message", "")
            if tell is not silent and not late:
                drawn = explain(folder, file, "operators", law, task.name)
            tell(f"\n{task.name} breaks a law: {law_in_words(law)}\n{indent(late or drawn)}")
    return Graded("operators", len(done), len(TASKS), done, done)


def law_in_words(name: str) -> str:
    return " ".join((getattr(grade.load(LAWS), name).__doc__ or "").split())


def explain(folder: Folder, file: Path, chapter: str, name: str, against: str) -> str:
    """The smallest case as text, and of a bug why it is seen; the drawing goes into the folder too."""
    try:
        told = list(stream(folder, "explain", file, chapter, test=name, against=against))
    except Trouble as trouble:
        return str(trouble)
    if not told or "late" in told[0]:
        return "(it takes too long to find its smallest case)"
    if folder.path.is_dir():
        (folder.path / "counterexample.svg").write_text(told[0]["svg"], encoding="utf-8")
    return "\n".join(part for part in (told[0]["message"], told[0]["text"], told[0]["why"]) if part)


def fewest(rows: Sequence[report.Row]) -> list[str]:
    """The fewest properties that together see everything that all of them see (the first such set of the rows).

    >>> rows = [report.Row("a", "■··"), report.Row("b", "■■·"), report.Row("c", "··■"), report.Row("d", "·■·")]
    >>> fewest(rows)
    ['b', 'c']
    """
    sees = {row.name: {i for i, mark in enumerate(row.marks) if mark == report.KILLED} for row in rows}
    sees = {name: seen for name, seen in sees.items() if seen}
    everything = set().union(*sees.values())
    for size in range(len(sees) + 1):
        if size > 3 and len(sees) > 20:
            return greedy(sees, everything)
        for some in itertools.combinations(sees, size):
            if set().union(*(sees[name] for name in some)) == everything:
                return list(some)
    return list(sees)


def greedy(sees: dict[str, set[int]], everything: set[int]) -> list[str]:
    """A small set, for more properties than can be tried in all combinations."""
    found: list[str] = []
    while everything:
        best = max(sees, key=lambda name: len(sees[name] & everything))
        found.append(best)
        everything = everything - sees[best]
    return found


def indent(text: str) -> str:
    return "\n".join("  " + line for line in text.splitlines())
