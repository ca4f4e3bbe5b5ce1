"""The runner: `python -m tests.exercises` says what there is to do."""

from __future__ import annotations

import argparse
import ast
import os
import re
import shlex
import shutil
import sys
import textwrap
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from . import classroom, report, starting
from .building import track
from .building.steps import STEPS
from .folder import DEFAULT, ENGINE_FILE, Folder, Trouble, names
from .process import stream, working
from .session import Graded, explain, fewest, grade_chapter, indent, law_in_words
from .tasks import TASKS

DONE, NOT_DONE, TROUBLE = 0, 1, 2  # the exit codes: all that was asked is done; not yet; it could not be judged
Command = Callable[[argparse.Namespace, Folder], "int | None"]


# -- commands ----------------------------------------------------------------------------------------------------------


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code."""
    options = parser().parse_args(arguments)
    for out in (sys.stdout, sys.stderr):
        if hasattr(out, "reconfigure"):
            out.reconfigure(errors="replace")  # a terminal that has no ■ shows a ?
    try:
        return options.command(options, folder_of(options)) or DONE
    except BrokenPipeError:  # as in `... | head`: nobody reads on
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return NOT_DONE
    except (Trouble, OSError) as trouble:
        working("")
        print(f"exercises: {trouble}")
        return TROUBLE
    except KeyboardInterrupt:
        working("")
        print("Stopped.")
        return DONE if options.command is watch else NOT_DONE  # to stop is how a watch ends


def folder_of(options: argparse.Namespace) -> Folder:
    """The folder that was named; unnamed, ./exercises, or this folder if we are inside of it."""
    path = options.folder or DEFAULT
    inside = Path("conftest.py").is_file() and Path(ENGINE_FILE).is_file()
    if options.folder is None and not DEFAULT.is_dir() and inside:
        print("(You are inside the folder with your exercises: this one is used.)")
        path = Path()
    return Folder(path, options.limit, tuple(options.more))


def parser() -> argparse.ArgumentParser:
    def anywhere(**defaults: Any) -> argparse.ArgumentParser:
        """The options that may stand before a command and behind it; there, a default must not undo what was said."""
        options = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
        options.add_argument("--folder", type=Path, help="where your copy is (default: ./exercises)")
        options.add_argument(
            "--limit", type=float, metavar="SECONDS", help="of computing, for one property on one engine (default: 20)"
        )
        options.add_argument("--more", type=Path, action="append", metavar="FILE", help="with bugs or a chapter to add")
        options.set_defaults(**defaults)
        return options

    top = argparse.ArgumentParser(
        prog="python -m tests.exercises",
        description="Write properties that see planted bugs, or build an engine. Begin with `start`, then read "
        "tests/exercises/README.md. The exit code is 0 when all that was asked is done, 1 when not, 2 when it could "
        "not be judged.",
        parents=[anywhere(folder=None, limit=20.0, more=[], command=overview)],
    )
    commands = top.add_subparsers(metavar="command")
    added: dict[Command, argparse.ArgumentParser] = {}
    for function, what, text in [
        (start, "", "put the starters into your folder; what is there already stays as it is"),
        (overview, "", "the chapters, and how far you are"),
        (read, "step", "the text of the next step of `build`, or of the step with this number"),
        (cards, "chapter", "the bugs of a chapter, each with its source and the example test that it survives"),
        (run, "chapter?", "grade a chapter: your properties against the right engine, legal variants and the bugs"),
        (show, "chapter", "the smallest case in which your properties see this bug, as a drawing, and why"),
        (watch, "chapter?", "grade again whenever you save"),
        (hint, "chapter", "the next hint for the first exercise that is not done"),
        (solution, "chapter", "a reference solution"),
        (compare, "chapter", "the reference solution beside yours"),
        (reset, "chapter", "begin a chapter again, or `build` from before a step; your file is kept as .old"),
        (grade, "folders", "judge whole folders anew, for a class"),
    ]:
        name = {overview: "list", cards: "bugs"}.get(function, function.__name__)
        command = added[function] = commands.add_parser(name, help=text, description=text, parents=[anywhere()])
        command.set_defaults(command=function)
        if what.startswith("chapter"):
            number = "?" if what.endswith("?") else None
            command.add_argument("chapter", nargs=number, help=f"1 to 7, a name, or build: {', '.join(starting.NAMES)}")
    added[read].add_argument("step", nargs="*", help="1 to 16")
    added[show].add_argument("bug", nargs="+", help="the bug's name, or its letter in the matrix")
    for function in (hint, solution, compare):
        added[function].add_argument("exercise", nargs="*", help="its name, or part of it; of build, the step's number")
    added[reset].add_argument("step", nargs="*", help="of build: the step to begin again")
    added[run].add_argument(
        "--own", action="store_true", help="your properties of this chapter on the engine you built"
    )
    for function in (start, reset):
        added[function].add_argument("--unguided", action="store_true", help="without the names of what to look for")
        added[function].add_argument("--notebook", action="store_true", help="as notebooks")
    classroom.add_options(added[grade])
    return top


def start(options: argparse.Namespace, folder: Folder) -> None:
    starting.start(folder, options.notebook, options.unguided)
    first = folder.file(next(iter(folder.chapters)))
    print(f"Your exercises are in {folder.path}. Open {first}, write, and then:")
    print(f"    python -m tests.exercises run 1{asking(folder)}")
    print("Or build an engine from an empty file; its first step is told by:")
    print(f"    python -m tests.exercises read{asking(folder)}")


def asking(folder: Folder) -> str:
    return "" if folder.path == DEFAULT else f" --folder {shlex.quote(str(folder.path))}"


def overview(options: argparse.Namespace, folder: Folder) -> None:
    print("Write properties that hold for the right engine and see the bugs.\n")
    parts = parts_done(folder)
    for number_, name, seen, of, what, about in parts:
        print(f"  {number_:>1} {name:<13} {bar(seen, of)} {seen:>2} of {of} {what:<10} {about}")
    print(f"\n  {sum(part[2] for part in parts)} of {sum(part[3] for part in parts)} in all.")
    if folder.path.is_dir():
        print(f"  The same as a picture: {draw_progress(folder)}")
    else:
        print("\nBegin with: python -m tests.exercises start")


def parts_done(folder: Folder) -> list[tuple[str, str, int, int, str, str]]:
    """Of each chapter its number, its name, how much is done of how many of what, and what it is about."""
    done = folder.progress()
    parts = []
    for number, (name, chapter) in enumerate(folder.chapters.items(), start=1):
        of, what = (len(TASKS), "operators") if name == "operators" else (len(chapter.bugs), "bugs")
        parts.append((str(number), name, len(names(done.get(name, {}).get("done"))), of, what, chapter.about))
    steps = len(names(done.get("build", {}).get("done")))
    return [*parts, ("", "build", steps, len(STEPS), "steps", "an engine, from an empty file")]


def draw_progress(folder: Folder) -> Path:
    image = folder.path / "progress.svg"
    parts = [part[1:5] for part in parts_done(folder)]
    image.write_text(report.milestones(parts, [step.title for step in STEPS]), encoding="utf-8")
    return image


def read(options: argparse.Namespace, folder: Folder) -> None:
    print(track.step_of(options.step, folder).text())


def cards(options: argparse.Namespace, folder: Folder) -> None:
    name = folder.chapter(options.chapter)
    if name == "build":
        for step in STEPS:
            print(f"  {step.number} {step.title}: {', '.join(step.adds)}")
            for law in step.laws:
                print(f"    {law.__name__.replace('_', ' ')}: {' '.join((law.__doc__ or '').split())}")
    elif name == "operators":
        for task in TASKS:
            print(f"  {task.signature}")
            for name in task.laws:
                print(f"    {name.replace('_', ' ')}: {law_in_words(name)}")
    else:
        bugs = folder.chapters[name].bugs
        for bug in bugs:
            print(report.card(bugs, bug) + "\n")


def run(options: argparse.Namespace, folder: Folder) -> int:
    if options.own:
        return own(folder, folder.chapter(options.chapter or "engine"))
    if options.chapter:
        return DONE if graded(folder, folder.chapter(options.chapter)).complete else NOT_DONE
    code = DONE
    for name in folder.chapters:
        try:
            if not graded(folder, name).complete:
                code = max(code, NOT_DONE)
        except Trouble as trouble:
            print(f"  {trouble}")
            code = TROUBLE
    return code


def own(folder: Folder, name: str) -> int:
    """The student's properties on the student's engine."""
    print(f"\nYour properties of chapter {name} on {folder.file('build')}:\n")
    code = DONE
    with folder.snapshot(name) as properties, folder.snapshot("build") as file:
        for verdict in stream(folder, "own", file, "build", properties=str(properties)):
            told = verdict.get("late") or verdict.get("message", "").splitlines()
            lacks = verdict.get("lacks")
            state = "holds" if verdict["passed"] else "asks for what it does not have" if lacks else "fails"
            print(f"  {verdict['test']:<50} {state}")
            if not verdict["passed"]:
                print(indent(indent("\n".join([told] if isinstance(told, str) else told))))
            code = max(code, DONE if verdict["passed"] or lacks else NOT_DONE)
    return code


def show(options: argparse.Namespace, folder: Folder) -> int:
    name, wanted = folder.chapter(options.chapter), " ".join(options.bug)
    if name in ("operators", "build"):
        raise Trouble(f"{name} has no bugs to show; `run {name}` shows the cases in which a law is broken")
    bugs = folder.chapters[name].bugs
    bug = report.named(bugs, wanted)
    if bug is None:
        raise Trouble(f"chapter {name} has no bug {wanted!r}; it has {', '.join(b.name for b in bugs)}")
    print(report.card(bugs, bug) + "\n")
    with folder.snapshot(name) as file:
        told = stream(folder, "find", file, name, against=bug.name)
        found = next((verdict["test"] for verdict in told if "late" not in verdict), None)
        if found is None:
            print("None of your properties that hold for the right engine and the legal variants sees it yet.")
            return NOT_DONE
        print(f"{found} sees it. The smallest case:")
        print(explain(folder, file, name, found, bug.name))
    return DONE


def watch(options: argparse.Namespace, folder: Folder) -> None:
    chapters = [folder.chapter(options.chapter)] if options.chapter else list(folder.chapters)
    files = {name: folder.existing(name) for name in chapters}
    print(f"Watching {', '.join(str(f) for f in files.values())}; Ctrl-C ends it.")
    seen: dict[str, float] = {} if options.chapter else {c: f.stat().st_mtime for c, f in files.items()}
    while True:
        for name, file in files.items():
            saved = file.stat().st_mtime if file.exists() else 0.0
            if saved and seen.get(name) != saved:
                seen[name] = saved
                try:
                    graded(folder, name)
                except Trouble as trouble:
                    print(f"  {trouble}")
        time.sleep(0.3)


def hint(options: argparse.Namespace, folder: Folder) -> None:
    name = folder.chapter(options.chapter)
    mine = folder.of_chapter(name)
    if name == "build":
        step = track.step_of(options.exercise, folder)
        give(folder, name, f"{step.number}", f"Step {step.number}, {step.title}", step.hints())
        return
    chapter = folder.chapters[name]
    if not options.exercise and set(chapter.hints) <= set(names(mine.get("properties"))):
        print(f"Each exercise works already. For a hint all the same, name it: hint {options.chapter} WORDS")
        left = [bug for bug in chapter.bugs if bug.name not in names(mine.get("done"))]
        if left:
            print("Not seen yet, for example (what do your cases never draw, or your comparison never see?):")
            print(report.card(chapter.bugs, left[0]))
        return
    exercise = exercise_of(options, folder, name)
    give(folder, name, exercise, exercise, chapter.hints[exercise])


def give(folder: Folder, name: str, key: str, title: str, hints: tuple[str, str]) -> None:
    """The first hint, and when asked again the second; how many were asked for is remembered."""
    asked = folder.of_chapter(name).get("hints")
    asked = dict(asked) if isinstance(asked, dict) else {}
    before = asked.get(key, 0) if isinstance(asked.get(key, 0), int) else 0
    print(f"{title}\n  {hints[min(before, 1)]}")
    if before == 0:
        print("  (Ask again for more.)")
    folder.remember(name, hints={**asked, key: before + 1})


def solution(options: argparse.Namespace, folder: Folder) -> None:
    name = folder.chapter(options.chapter)
    if name == "build":
        step = track.step_of(options.exercise, folder)
        exercise, text = str(step.number), step.our_lines()
    else:
        exercise = exercise_of(options, folder, name)
        text = reference(folder, name, exercise)
    print(text)
    given = names(folder.of_chapter(name).get("solutions"))
    folder.remember(name, solutions=sorted({*given, exercise}))


def reference(folder: Folder, name: str, exercise: str) -> str:
    path = folder.chapters[name].solution
    if path is None:
        raise Trouble(f"chapter {name} has no reference solutions")
    return source_of(path.read_text(encoding="utf-8"), exercise)


def source_of(text: str, name: str, helpers: bool = True) -> str:
    """A definition as it stands in a file, after the helpers that it uses; empty if it is not there."""
    found: dict[str, str] = {}
    for node in ast.parse(text).body:
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
        code = "\n".join(text.splitlines()[first - 1 : node.end_lineno])
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found[node.name] = code
        elif word := re.match(r"\w+", code):  # `layers = ...`, or `leaky.defvjp(...)`
            found[word[0]] = f"{found[word[0]]}\n\n\n{code}" if word[0] in found else code
    if name not in found:
        return ""
    used = [h for h in found if helpers and h != name and re.search(rf"\b{h}\b", found[name])]
    return "\n\n\n".join(found[part] for part in [*used, name] if part not in ("from", "import"))


def compare(options: argparse.Namespace, folder: Folder) -> None:
    """Yours and the reference, side by side where the terminal is wide enough; for what is done already."""
    name = folder.chapter(options.chapter)
    mine = folder.of_chapter(name)
    if name == "build":
        step = track.step_of(options.exercise or [str(max(map(int, names(mine.get("done"))), default=1))], folder)
        if str(step.number) not in names(mine.get("done")):
            raise Trouble(
                f"step {step.number} is not done yet; `solution build {step.number}` shows our lines all the same"
            )
        with folder.snapshot(name) as file:
            text = file.read_text(encoding="utf-8-sig")
        mine = [source_of(text, added, helpers=False) for added in step.adds]
        print(f"Step {step.number}, {step.title}. {step.afterwards()}\n")
        print(side_by_side("\n\n\n".join(mine), step.our_lines()))
        return
    exercises = [exercise_of(options, folder, name)] if options.exercise else list(folder.chapters[name].hints)
    done = [e for e in exercises if e in names(mine.get("properties"))]
    if not done:
        raise Trouble("there is nothing to compare yet: only what works already is shown beside the reference")
    with folder.snapshot(name) as file:
        text = file.read_text(encoding="utf-8-sig")
    for exercise in done:
        print(
            side_by_side(source_of(text, exercise) or "(under another name)", reference(folder, name, exercise)) + "\n"
        )


def side_by_side(left: str, right: str) -> str:
    width = (shutil.get_terminal_size().columns - 3) // 2
    a, b = left.splitlines(), right.splitlines()
    if max(map(len, a + b), default=0) > width:
        return f"-- yours\n{left}\n-- the reference\n{right}"
    rows = [("yours", "the reference"), *zip(a + [""] * (len(b) - len(a)), b + [""] * (len(a) - len(b)), strict=True)]
    return "\n".join(f"{x:<{width}} | {y}".rstrip() for x, y in rows)


def reset(options: argparse.Namespace, folder: Folder) -> None:
    name = folder.chapter(options.chapter)
    if name == "build":
        print(track.reset(folder, track.step_of(options.step or ["1"], folder).number))
        folder.forget(name)
        return
    file = folder.file(name)
    if file.exists():
        old = file.with_name(file.name + ".old")
        file.replace(old)
        print(f"Your file is now {old}.")
    folder.path.mkdir(parents=True, exist_ok=True)
    file = starting.place(folder, name, options.notebook, options.unguided)
    folder.forget(name)
    print(f"{file} is as it was in the beginning.")


def grade(options: argparse.Namespace, folder: Folder) -> int:
    return classroom.grade(options, folder)


# -- grading -----------------------------------------------------------------------------------------------------------


def graded(folder: Folder, name: str) -> Graded:
    """Grade one chapter, print what came of it, and remember it; the pictures are those of this time."""
    folder.existing(name)
    (folder.path / "counterexample.svg").unlink(missing_ok=True)
    result = graded_build(folder) if name == "build" else graded_properties(folder, name)
    draw_progress(folder)
    return result


def graded_properties(folder: Folder, name: str) -> Graded:
    chapter, number = folder.chapters[name], folder.number(name)
    print(f"\n{number} {name}: {chapter.about}   ({folder.file(name)})\n")
    result = grade_chapter(folder, name, tell=print)
    before = folder.of_chapter(name)
    if name == "operators":
        print(f"\n  {result.points} of {result.most} operators done.")
        folder.remember(name, done=result.done, properties=result.properties)
        return result
    print(report.matrix(result.rows, chapter.bugs))
    image = folder.path / f"{name}.svg"
    title = f"{number} {name}: {result.points} of {result.most} bugs"
    image.write_text(report.picture(title, result.rows, chapter.bugs), encoding="utf-8")
    print(f"\n  {result.points} of {result.most} bugs seen; the same as a picture: {image}")
    few = fewest(result.rows)
    folder.remember(name, done=result.done, properties=result.properties, fewest=len(few) if result.complete else None)
    left = [bug for bug in chapter.bugs if bug.name not in result.done]
    if left:
        print("\nNot seen yet, for example:\n" + report.card(chapter.bugs, left[0]))
    else:
        print("\nAll of them: this chapter is done.")
        print(after(folder, name, result, few, before))
    return result


def after(folder: Folder, name: str, result: Graded, few: Sequence[str], before: dict[str, Any]) -> str:
    """What a chapter that is done has shown, and what may come next."""
    lines = []
    spare = [p for p in result.properties if p not in few]
    if spare:
        lines.append(f"{len(few)} of your {len(result.properties)} properties see everything: {', '.join(few)}.")
        lines.append(f"Without them nothing would be lost: {', '.join(spare)}.")
    reference = starting.FEWEST.get(name)
    if reference and len(few) > reference:
        lines.append(f"The reference solutions need {reference} properties. Can you do with fewer?")
    elif reference:
        lines.append(f"That is {len(few)} properties; the reference solutions need {reference}.")
    best = before.get("fewest")
    if isinstance(best, int) and best > len(few):
        lines.append(f"(You needed {best} before.)")
    if starting.guided(folder, name):
        lines.append(
            f"Harder: `reset {name} --unguided` gives no names. `compare {name}` shows the reference beside yours."
        )
    else:
        lines.append(f"`compare {name}` shows the reference beside yours.")
    lines.append(f"`show {name} A` says why your property sees bug A, and its example could not.")
    chapters = list(folder.chapters)
    nxt = chapters[chapters.index(name) + 1 :][:1]
    lines.append(f"Next: `run {nxt[0]}`." if nxt else "Next: build an engine, `read`.")
    return "\n".join(part for line in lines for part in textwrap.wrap(line, 100))


def graded_build(folder: Folder) -> Graded:
    print(f"\nbuild: an engine, from an empty file   ({folder.existing('build')})\n")
    held, before = track.most_kept(folder), names(folder.of_chapter("build").get("done"))
    result = track.grade(folder, tell=print)
    folder.remember("build", done=result.done, properties=result.properties)
    print(f"\n  {result.points} of {result.most} steps done.")
    done = [step for step in STEPS if str(step.number) in result.done]
    new = [step for step in done if step.number > held and str(step.number) not in before]  # told once
    for step in new:
        print(f"\nStep {step.number} holds. {step.afterwards()}")
        print(f"(`compare build {step.number}` shows our lines.)")
    left = [step for step in STEPS if str(step.number) not in result.done]
    if not left:
        track.reward(folder, print)
        print("\nYour own properties of chapter 6 judge it too: python -m tests.exercises run engine --own")
    elif new or not result.done:
        print(
            f"\nNext: step {left[0].number}, {left[0].title}. Its text: python -m tests.exercises read{asking(folder)}"
        )
    return result


def exercise_of(options: argparse.Namespace, folder: Folder, name: str) -> str:
    """The exercise that was named, or the first that has not seen anything yet."""
    known = list(folder.chapters[name].hints)
    if not known:
        raise Trouble(f"chapter {name} has no hints and no reference solutions")
    if options.exercise:
        wanted = "_".join(options.exercise).replace(" ", "_").removesuffix("()")
        found = [n for n in known if wanted in (n, n.removeprefix("test_"))]
        found = found or [n for n in known if wanted in n]
        if not found:
            raise Trouble(f"chapter {name} has no exercise {wanted!r}; it has\n" + "\n".join("  " + n for n in known))
        return found[0]
    works = names(folder.of_chapter(name).get("properties"))
    return next((n for n in known if n not in works), known[0])


def bar(part: int, whole: int, width: int = 10) -> str:
    full = width * min(part, whole) // max(whole, 1)
    return "█" * full + "░" * (width - full)


if __name__ == "__main__":
    sys.exit(main())
