"""The runner: `python -m tests.exercises` says what there is to do."""

from __future__ import annotations

import argparse
import ast
import json
import os
import queue
import re
import shlex
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from . import grade, report
from .bugs import BUGS
from .hints import HINTS
from .tasks import LAWS, TASKS
from .variants import VARIANTS
from .worker import RIGHT

HERE = Path(__file__).parent
CHAPTERS = [*BUGS, "operators"]
ABOUT = {
    "sizes": "of outputs, and what they see",
    "gradients": "right values, wrong derivatives",
    "equivariance": "what moves with the picture",
    "sharing": "which parameters are one",
    "pooling": "windows, maxima and means",
    "engine": "backpropagation itself",
    "operators": "write them, under given laws",
}


class Trouble(Exception):
    """Something that the student can mend, in words."""


# -- commands ----------------------------------------------------------------------------------------------------------


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status: 0 unless something is in the way."""
    options = parser().parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that has no ■ shows a ?
    try:
        options.command(options)
    except BrokenPipeError:  # as in `... | head`: nobody reads on
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (Trouble, OSError) as trouble:
        working("")
        print(f"exercises: {trouble}")
        return 1
    except KeyboardInterrupt:
        working("")
        print("Stopped.")
    return 0


def parser() -> argparse.ArgumentParser:
    def anywhere(**defaults: Any) -> argparse.ArgumentParser:
        """The options that may stand before a command and behind it; there, a default must not undo what was said."""
        options = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
        options.add_argument("--folder", type=Path, help="where your copy is (default: ./exercises)")
        options.add_argument(
            "--limit", type=float, metavar="SECONDS", help="of computing, for one property on one engine (default: 20)"
        )
        options.set_defaults(**defaults)
        return options

    top = argparse.ArgumentParser(
        prog="python -m tests.exercises",
        description="Write properties that see planted bugs. Begin with `start`, then read tests/exercises/README.md.",
        parents=[anywhere(folder=Path("exercises"), limit=20.0, command=overview)],
    )
    commands = top.add_subparsers(metavar="command")
    for function, chapter, text in [
        (start, None, "put the starters into your folder; what is there already stays as it is"),
        (overview, None, "the chapters, and how far you are"),
        (cards, "chapter", "the bugs of a chapter, each with its source and the example test that it survives"),
        (run, "chapter", "grade a chapter: your properties against the right engine, legal variants and the bugs"),
        (show, "bug", "the smallest case in which your properties see this bug, as a drawing"),
        (watch, "chapter", "grade again whenever you save"),
        (hint, "chapter", "the next hint for the first exercise that is not done"),
        (solution, "chapter", "a reference solution"),
        (reset, "chapter", "begin a chapter again; your file is kept beside it as .old"),
    ]:
        name = {overview: "list", cards: "bugs"}.get(function, function.__name__)
        command = commands.add_parser(name, help=text, description=text, parents=[anywhere()])
        command.set_defaults(command=function)
        if chapter:
            optional = function in (run, watch)
            command.add_argument("chapter", nargs="?" if optional else None, help=f"1 to 7, or: {', '.join(CHAPTERS)}")
        if function is show:
            command.add_argument("bug", nargs="+", help="the bug's name, or its letter in the matrix")
        if function in (hint, solution):
            command.add_argument("exercise", nargs="*", help="its name, or part of it")
    return top


def start(options: argparse.Namespace) -> None:
    options.folder.mkdir(parents=True, exist_ok=True)
    for chapter in CHAPTERS:
        if not file_of(options, chapter).exists():
            copy_starter(options, chapter)
    print(f"Your exercises are in {options.folder}. Open {file_of(options, CHAPTERS[0])}, write, and then:")
    folder = "" if options.folder == Path("exercises") else f" --folder {shlex.quote(str(options.folder))}"
    print(f"    python -m tests.exercises run 1{folder}")


def overview(options: argparse.Namespace) -> None:
    done = read_progress(options)
    print("Write properties that hold for the right engine and see the bugs.\n")
    total = 0
    for number, chapter in enumerate(CHAPTERS, start=1):
        seen = len(done.get(chapter, {}).get("done", []))
        of, what = (len(TASKS), "operators") if chapter == "operators" else (len(BUGS[chapter]), "bugs")
        total += seen
        print(f"  {number} {chapter:<13} {bar(seen, of)} {seen:>2} of {of} {what:<10} {ABOUT[chapter]}")
    print(f"\n  {total} of {sum(map(len, BUGS.values())) + len(TASKS)} in all.")
    if not options.folder.is_dir():
        print("\nBegin with: python -m tests.exercises start")


def cards(options: argparse.Namespace) -> None:
    chapter = chapter_of(options.chapter)
    if chapter == "operators":
        for task in TASKS:
            print(f"  {task.signature}")
            for law in task.laws:
                print(f"    {law.replace('_', ' ')}: {law_in_words(law)}")
        return
    for bug in BUGS[chapter]:
        print(report.card(BUGS[chapter], bug) + "\n")


def run(options: argparse.Namespace) -> None:
    if options.chapter:
        grade_chapter(options, chapter_of(options.chapter))
        return
    for chapter in CHAPTERS:
        try:
            grade_chapter(options, chapter)
        except Trouble as trouble:
            print(f"  {trouble}")


def show(options: argparse.Namespace) -> None:
    chapter = chapter_of(options.chapter)
    wanted = " ".join(options.bug)
    if chapter == "operators":
        raise Trouble("chapter 7 has no bugs to show; `run 7` shows the cases in which a law is broken")
    bugs = BUGS[chapter]
    found = [
        b for letter, b in zip(report.LETTERS, bugs, strict=False) if wanted.lower() in (b.name.lower(), letter.lower())
    ]
    if not found:
        raise Trouble(f"chapter {chapter} has no bug {wanted!r}; it has {', '.join(b.name for b in bugs)}")
    (bug,) = found
    print(report.card(bugs, bug) + "\n")
    told = stream(options, "find", existing(options, chapter), chapter, bug.name)
    name = next((verdict["test"] for verdict in told if "late" not in verdict), None)
    if name is None:
        print("None of your properties that hold for the right engine and the legal variants sees it yet.")
        return
    print(f"{name} sees it. The smallest case:")
    print(explain(options, chapter, name, bug.name))


def watch(options: argparse.Namespace) -> None:
    chapters = [chapter_of(options.chapter)] if options.chapter else CHAPTERS
    files = {chapter: existing(options, chapter) for chapter in chapters}
    print(f"Watching {', '.join(str(f) for f in files.values())}; Ctrl-C ends it.")
    seen: dict[str, float] = {} if options.chapter else {c: f.stat().st_mtime for c, f in files.items()}
    while True:
        for chapter, file in files.items():
            saved = file.stat().st_mtime if file.exists() else 0.0
            if saved and seen.get(chapter) != saved:
                seen[chapter] = saved
                try:
                    grade_chapter(options, chapter)
                except Trouble as trouble:
                    print(f"  {trouble}")
        time.sleep(0.3)


def hint(options: argparse.Namespace) -> None:
    chapter = chapter_of(options.chapter)
    progress = read_progress(options)
    mine = progress.setdefault(chapter, {})
    if not options.exercise and set(HINTS[chapter]) <= set(mine.get("properties", [])):
        print(f"Each exercise works already. For a hint all the same, name it: hint {options.chapter} WORDS")
        left = [bug for bug in BUGS.get(chapter, []) if bug.name not in mine.get("done", [])]
        if left:
            print("Not seen yet, for example (what do your cases never draw, or your comparison never see?):")
            print(report.card(BUGS[chapter], left[0]))
        return
    name = exercise_of(options, chapter, mine)
    given = mine.setdefault("hints", {})
    level = min(given.get(name, 0), 1)
    print(f"{name}\n  {HINTS[chapter][name][level]}")
    if level == 0:
        print("  (Ask again for more.)")
    given[name] = level + 1
    write_progress(options, progress)


def solution(options: argparse.Namespace) -> None:
    chapter = chapter_of(options.chapter)
    name = exercise_of(options, chapter, read_progress(options).get(chapter, {}))
    print(source_of(HERE / "solutions" / f"{chapter}.py", name))


def source_of(path: Path, name: str) -> str:
    """A definition as it stands in a file, after the helpers that it uses."""
    text = path.read_text(encoding="utf-8")
    found: dict[str, str] = {}
    for node in ast.parse(text).body:
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
        code = "\n".join(text.splitlines()[first - 1 : node.end_lineno])
        if isinstance(node, ast.FunctionDef):
            found[node.name] = code
        elif word := re.match(r"\w+", code):  # `layers = ...`, or `leaky.defvjp(...)`
            found[word[0]] = f"{found[word[0]]}\n\n\n{code}" if word[0] in found else code
    used = [helper for helper in found if helper != name and re.search(rf"\b{helper}\b", found[name])]
    return "\n\n\n".join(found[part] for part in [*used, name] if part not in ("from", "import"))


def reset(options: argparse.Namespace) -> None:
    chapter = chapter_of(options.chapter)
    file = file_of(options, chapter)
    if file.exists():
        old = file.with_suffix(".py.old")
        file.replace(old)
        print(f"Your file is now {old}.")
    options.folder.mkdir(parents=True, exist_ok=True)
    copy_starter(options, chapter)
    progress = read_progress(options)
    progress.pop(chapter, None)
    write_progress(options, progress)
    print(f"{file} is as it was in the beginning.")


# -- grading -----------------------------------------------------------------------------------------------------------


def grade_chapter(options: argparse.Namespace, chapter: str) -> None:
    """Grade one chapter, print what came of it, and remember it."""
    number = CHAPTERS.index(chapter) + 1
    print(f"\n{number} {chapter}: {ABOUT[chapter]}   ({file_of(options, chapter)})\n")
    if chapter == "operators":
        grade_tasks(options)
        return
    bugs = BUGS[chapter]
    rows = verdicts(options, chapter)
    print(report.matrix(rows, bugs))
    killed = report.killers(rows, bugs)
    image = options.folder / f"{chapter}.svg"
    title = f"{number} {chapter}: {len(killed)} of {len(bugs)} bugs"
    image.write_text(report.picture(title, rows, bugs), encoding="utf-8")
    print(f"\n  {len(killed)} of {len(bugs)} bugs seen; the same as a picture: {image}")
    remember(
        options,
        chapter,
        [bug.name for bug in bugs if bug.name in killed],
        [r.name for r in rows if report.KILLED in r.marks],
    )
    left = [bug for bug in bugs if bug.name not in killed]
    if left:
        print("\nNot seen yet, for example:\n" + report.card(bugs, left[0]))
    else:
        print("\nAll of them: this chapter is done.")


def verdicts(options: argparse.Namespace, chapter: str) -> list[report.Row]:
    """A row for each property.  What fails on the right engine or a variant is shown, and its marks do not count."""
    file = existing(options, chapter)
    bugs = BUGS[chapter]
    legal = {variant.name: variant.why for variant in VARIANTS}
    marks: dict[str, dict[str, str]] = {}
    remarks: dict[str, str] = {}
    bare: set[str] = set()  # without an assert
    for verdict in stream(options, "grade", file, chapter):
        name, against = verdict["test"], verdict["against"]
        mine = marks.setdefault(name, {})
        if "late" in verdict:
            remarks[name] = verdict["late"]
            if against == RIGHT or against in legal:
                mine.clear()
        elif against == RIGHT and not verdict["passed"]:
            remarks[name] = "fails on the right engine"
            print(f"{name} fails on the right engine:\n{indent(explain(options, chapter, name, RIGHT))}\n")
        elif against == RIGHT and not verdict["used"]:
            remarks[name] = "uses no function of the engine" if verdict["asserts"] else "to do"
        elif against == RIGHT and not verdict["asserts"]:
            bare.add(name)
        elif against in legal and not verdict["passed"]:
            mine.clear()
            remarks[name] = f"asks too much: {against}"
            told = indent(explain(options, chapter, name, against))
            print(f"{name} fails on a legal variant, {against}: {legal[against]}\n{told}\n")
        elif against not in legal and against != RIGHT:
            mine[against] = report.SURVIVED if verdict["passed"] else report.KILLED
    for name in bare:
        if report.KILLED not in marks[name].values():
            remarks.setdefault(name, "it has no assert, same or close")
    return [
        report.Row(name, [mine.get(bug.name, report.NOT_SEEN) for bug in bugs] if mine else [], remarks.get(name, ""))
        for name, mine in marks.items()
    ]


def grade_tasks(options: argparse.Namespace) -> None:
    file = existing(options, "operators")
    broken: dict[str, list[dict[str, Any]]] = {task.name: [] for task in TASKS}
    for verdict in stream(options, "grade", file, "operators"):
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
        print(f"  {number:>2} {task.signature:<46} {state}")
    for task in TASKS:
        failures = [f for f in broken[task.name] if not f.get("unwritten")]
        if failures:
            law, late = failures[0]["test"], failures[0].get("late")
            print(f"\n{task.name} breaks a law: {law_in_words(law)}")
            print(indent(late or explain(options, "operators", law, task.name)))
    print(f"\n  {len(done)} of {len(TASKS)} operators done.")
    remember(options, "operators", done, done)


def law_in_words(name: str) -> str:
    return " ".join((getattr(grade.load(LAWS), name).__doc__ or "").split())


def explain(options: argparse.Namespace, chapter: str, name: str, against: str) -> str:
    """The shrunk counterexample as text; the drawing goes into the folder too."""
    rest = [name] if chapter == "operators" else [name, against]
    try:
        told = list(stream(options, "explain", existing(options, chapter), chapter, *rest))
    except Trouble as trouble:
        return str(trouble)
    if not told or "late" in told[0]:
        return "(it takes too long to find its smallest case)"
    image = options.folder / "counterexample.svg"
    image.write_text(told[0]["svg"], encoding="utf-8")
    return "\n".join(part for part in (told[0]["message"], told[0]["text"]) if part)


def stream(options: argparse.Namespace, command: str, file: Path, chapter: str, *rest: str) -> Iterator[dict[str, Any]]:
    """The worker's verdicts, one by one.  A test that takes too long or ends the process is cut off; others go on."""
    finished: list[str] = []
    current: dict[str, str] = {}
    again = True
    while again:
        again = False
        for told in lines_of([command, str(file), chapter, *rest, *finished], options.limit):
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


def lines_of(arguments: Sequence[str], limit: float) -> Iterator[dict[str, Any]]:
    """What a worker says, line by line; {"end": why} if it computes for too long, or stops before it is done.

    What counts is its own time, since other programs may take the processor; a worker that sleeps is waited for longer.
    """
    root = HERE.parent.parent
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(root), os.environ.get("PYTHONPATH", "")])}
    environment |= {"OPENBLAS_NUM_THREADS": "1", "PYTHONUTF8": "1"}
    command = [sys.executable, "-m", "tests.exercises.worker", *arguments]
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
    since, deadline = 0.0, time.monotonic() + 60  # for the imports; then what is waited for is the student's code
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
                continue
            since, deadline = seconds, time.monotonic() + 5 * limit
            if "ready" not in told:
                yield told
            if "done" in told or "mistake" in told:
                return
    finally:
        worker.kill()
        worker.wait()
        if worker.stdout is not None:
            worker.stdout.close()


# -- the student's folder ----------------------------------------------------------------------------------------------


def chapter_of(text: str) -> str:
    """A chapter by number, or by name or its beginning."""
    if text.isdigit() and 1 <= int(text) <= len(CHAPTERS):
        return CHAPTERS[int(text) - 1]
    found = [chapter for chapter in CHAPTERS if text and chapter.startswith(text.lower())]
    if len(found) != 1:
        raise Trouble(
            f"there is no chapter {text!r}; there are {', '.join(f'{i} {c}' for i, c in enumerate(CHAPTERS, 1))}"
        )
    return found[0]


def exercise_of(options: argparse.Namespace, chapter: str, mine: dict[str, Any]) -> str:
    """The exercise that was named, or the first that has not seen anything yet."""
    names = list(HINTS[chapter])
    if options.exercise:
        wanted = "_".join(options.exercise).replace(" ", "_").removesuffix("()")
        found = [name for name in names if wanted in (name, name.removeprefix("test_"))]
        found = found or [name for name in names if wanted in name]
        if not found:
            raise Trouble(
                f"chapter {chapter} has no exercise {wanted!r}; it has\n" + "\n".join("  " + n for n in names)
            )
        return found[0]
    return next((name for name in names if name not in mine.get("properties", [])), names[0])


def file_of(options: argparse.Namespace, chapter: str) -> Path:
    return options.folder / f"{chapter}.py"


def existing(options: argparse.Namespace, chapter: str) -> Path:
    file = file_of(options, chapter)
    if not file.is_file():
        raise Trouble(f"there is no file {file}; begin with: python -m tests.exercises start")
    return file


def copy_starter(options: argparse.Namespace, chapter: str) -> None:
    starter = HERE / "starters" / f"{chapter}.py"
    file_of(options, chapter).write_text(starter.read_text(encoding="utf-8"), encoding="utf-8")


def read_progress(options: argparse.Namespace) -> dict[str, Any]:
    """What is remembered; a file that cannot be read is as good as none."""
    try:
        progress = json.loads((options.folder / "progress.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {c: p for c, p in progress.items() if isinstance(p, dict)} if isinstance(progress, dict) else {}


def write_progress(options: argparse.Namespace, progress: dict[str, Any]) -> None:
    options.folder.mkdir(parents=True, exist_ok=True)
    new = options.folder / "progress.json.new"
    new.write_text(json.dumps(progress, indent=1), encoding="utf-8")
    new.replace(options.folder / "progress.json")


def remember(options: argparse.Namespace, chapter: str, done: list[str], properties: list[str]) -> None:
    progress = read_progress(options)
    progress.setdefault(chapter, {}).update(done=done, properties=properties)
    write_progress(options, progress)


def bar(part: int, whole: int, width: int = 10) -> str:
    full = width * part // whole
    return "█" * full + "░" * (width - full)


def indent(text: str) -> str:
    return "\n".join("  " + line for line in text.splitlines())


if __name__ == "__main__":
    sys.exit(main())
