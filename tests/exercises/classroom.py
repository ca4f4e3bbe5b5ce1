"""`grade FOLDER...`: a class.  Every folder is judged anew from its files; what progress.json says is not believed.

Hints and solutions that were asked for are read from progress.json and reported: they are no part of the score.
A folder stands for a student and is called by its name.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from .building import track
from .folder import Folder, Trouble, names
from .session import Graded, grade_chapter

DONE, NOT_DONE, TROUBLE = 0, 1, 2


class Part(NamedTuple):
    """One chapter of one student."""

    chapter: str
    points: int
    most: int
    held_out: int
    of_held_out: int
    hints: int
    solutions: int
    trouble: str = ""


class Student(NamedTuple):
    name: str
    parts: list[Part]

    @property
    def points(self) -> int:
        return sum(part.points for part in self.parts)

    @property
    def most(self) -> int:
        return sum(part.most for part in self.parts)


def add_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("folders", nargs="+", type=Path, metavar="FOLDER", help="one for each student")
    command.add_argument("--chapters", nargs="+", metavar="CHAPTER", help="which ones (default: 1 to 7, and build)")
    command.add_argument("--csv", type=Path, metavar="FILE", help="write a row for each student and chapter")
    command.add_argument("--gradescope", type=Path, metavar="FILE", help="write a results.json (one folder)")
    command.add_argument("--classroom", type=Path, metavar="FILE", help="write GitHub Classroom's JSON (one folder)")
    command.add_argument(
        "--require", type=float, default=0.0, metavar="PERCENT", help="exit with 1 if a student has less (default: 0)"
    )


def grade(options: argparse.Namespace, base: Folder) -> int:
    """Judge the folders, print the table, write the files.  2 if a file could not be judged, 1 if below --require."""
    if len(options.folders) > 1 and (options.gradescope or options.classroom):
        raise Trouble("--gradescope and --classroom are for one folder; use --csv for a class")
    chapters = [base.chapter(text) for text in options.chapters or [*base.chapters, "build"]]
    missing = [path for path in options.folders if not path.is_dir()]
    if missing:
        raise Trouble(f"there is no folder {missing[0]}")
    students = [judged(Folder(path, base.limit, base.more), chapters) for path in options.folders]
    print(table(students, chapters))
    for path, text in (
        (options.csv, as_csv(students)),
        (options.gradescope, json.dumps(as_gradescope(students[0]), indent=1)),
        (options.classroom, json.dumps(as_classroom(students[0]), indent=1)),
    ):
        if path:
            path.write_text(text, encoding="utf-8", newline="")
            print(f"Written: {path}")
    if any(part.trouble for student in students for part in student.parts):
        return TROUBLE
    return NOT_DONE if any(100 * s.points < options.require * s.most for s in students) else DONE


def judged(folder: Folder, chapters: Sequence[str]) -> Student:
    return Student(folder.path.resolve().name, [part_of(folder, name) for name in chapters])


def part_of(folder: Folder, name: str) -> Part:
    asked = remembered(folder, name)
    hints = asked.get("hints")
    used = sum(n for n in hints.values() if isinstance(n, int)) if isinstance(hints, dict) else 0
    solutions = len(names(asked.get("solutions")))
    most, held_out = (16, 0) if name == "build" else sizes(folder, name)
    if not folder.file(name).is_file():
        return Part(name, 0, most, 0, held_out, used, solutions)  # not begun
    try:
        result: Graded = track.grade(folder) if name == "build" else grade_chapter(folder, name)
    except (Trouble, OSError) as trouble:
        return Part(name, 0, most, 0, held_out, used, solutions, str(trouble))
    return Part(name, result.points, most, result.held_out, held_out, used, solutions)


def sizes(folder: Folder, name: str) -> tuple[int, int]:
    chapter = folder.chapters[name]
    return (len(chapter.hints), 0) if name == "operators" else (len(chapter.bugs), len(chapter.held_out))


def remembered(folder: Folder, name: str) -> dict[str, Any]:
    """What the student's progress.json says of a chapter; nothing is written into a student's folder."""
    try:
        progress = json.loads(folder.progress_file.read_text(encoding="utf-8"))
        mine = progress.get(name, {})
        return mine if isinstance(mine, dict) else {}
    except (OSError, ValueError, AttributeError):
        return {}


def table(students: Sequence[Student], chapters: Sequence[str]) -> str:
    """A row for each student: points by chapter, all together, held-out bugs, hints and solutions."""
    head = ["", *chapters, "together", "held out", "hints", "solutions"]
    rows = [head]
    for student in students:
        held = f"{sum(p.held_out for p in student.parts)} of {sum(p.of_held_out for p in student.parts)}"
        shown = ["!" if part.trouble else f"{part.points}/{part.most}" for part in student.parts]
        counts = [str(sum(p.hints for p in student.parts)), str(sum(p.solutions for p in student.parts))]
        rows.append([student.name, *shown, f"{student.points} of {student.most}", held, *counts])
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    lines = [
        "  ".join(
            f"{cell:<{w}}" if i == 0 else f"{cell:>{w}}" for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    for student in students:
        lines += [f"! {student.name}, {part.chapter}: {part.trouble}" for part in student.parts if part.trouble]
    return "\n".join(lines)


def as_csv(students: Sequence[Student]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["student", *Part._fields])
    for student in students:
        for part in student.parts:
            writer.writerow([student.name, *part])
    return out.getvalue()


def as_gradescope(student: Student) -> dict[str, Any]:
    """The results.json that Gradescope reads: points, and a test for each chapter."""
    tests = [
        {
            "name": p.chapter,
            "score": p.points,
            "max_score": p.most,
            "status": "passed" if p.points == p.most else "failed",
            "output": said(p),
            "visibility": "visible",
        }
        for p in student.parts
    ]
    return {"score": student.points, "output": f"{student.points} of {student.most}", "tests": tests}


def as_classroom(student: Student) -> dict[str, Any]:
    """What a grader reports to GitHub Classroom's reporter (it is handed on in base64, as the output `result`)."""
    tests = [
        {
            "name": part.chapter,
            "status": "error" if part.trouble else "pass" if part.points == part.most else "fail",
            "score": part.points,
            "message": said(part),
            "test_code": f"python -m tests.exercises run {part.chapter}",
            "filename": "",
            "line_no": 0,
            "execution_time": 0,
        }
        for part in student.parts
    ]
    states = {test["status"] for test in tests}
    status = "error" if "error" in states else "fail" if "fail" in states else "pass"
    return {"version": 1, "status": status, "max_score": student.most, "tests": tests}


def said(part: Part) -> str:
    held = f"; {part.held_out} of {part.of_held_out} held out" if part.of_held_out else ""
    return part.trouble or f"{part.points} of {part.most}{held}; hints: {part.hints}, solutions: {part.solutions}"
