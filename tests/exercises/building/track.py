"""The runner's side of the track `build`: where the student is, what is told, and what is kept.

What was built is kept: when a further step holds for the first time, the file goes to build/kept/NN.py, and
`reset build N` takes the one from before step N.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..folder import ENGINE_FILE, Folder, Trouble
from ..process import stream
from ..session import Graded, Tell, indent, silent
from .laws.common import Law
from .steps import EMPTY, STEPS, Step


def grade(folder: Folder, tell: Tell = silent) -> Graded:
    """Each step under its laws, up to the first that is not begun; the first law that fails is drawn."""
    held: dict[str, bool] = {}
    failed: list[dict[str, Any]] = []
    with folder.snapshot("build") as file:
        for verdict in stream(folder, "grade", file, "build"):
            if "remark" in verdict:
                tell(f"{verdict['remark']}.\n")
                continue
            held[verdict["test"]] = verdict["passed"]
            if not verdict["passed"]:
                failed.append(verdict)
        done = [step for step in STEPS if all(held.get(law.__name__, False) for law in step.laws)]
        for step in STEPS:
            tell(f"  {step.number:>2} {step.title:<34} {state(step, held, failed)}")
        if failed and not untouched(failed[0]):
            tell("\n" + story(folder, file, failed[0]))
        source = file.read_text(encoding="utf-8-sig")
    unbroken = next((step.number - 1 for step in STEPS if step not in done), len(STEPS))
    if unbroken and tell is not silent:
        keep(folder, unbroken, source)
    names = [str(step.number) for step in done]
    return Graded("build", len(done), len(STEPS), names, names)


def state(step: Step, held: dict[str, bool], failed: list[dict[str, Any]]) -> str:
    mine = [held[law.__name__] for law in step.laws if law.__name__ in held]
    if len(mine) == len(step.laws) and all(mine):
        return "done"
    if any(f["against"] == str(step.number) and not untouched(f) for f in failed):
        return f"{sum(mine)} of {len(step.laws)} laws hold"
    return "to do"


def untouched(verdict: dict[str, Any]) -> bool:
    return bool(verdict.get("unwritten"))


def law_named(name: str) -> Law:
    return next(law for step in STEPS for law in step.laws if law.__name__ == name)


def story(folder: Folder, file: Path, verdict: dict[str, Any]) -> str:
    """What a broken law says, and the smallest case, which goes into the folder as a picture too."""
    step, law = STEPS[int(verdict["against"]) - 1], law_named(verdict["test"])
    promise = " ".join((law.__doc__ or "").split())
    told: list[str] = [verdict.get("late") or verdict.get("message", "")]
    if "late" not in verdict:
        try:
            found = list(stream(folder, "explain", file, "build", test=law.__name__))
        except Trouble as trouble:
            found = [{"message": str(trouble), "text": "", "svg": ""}]
        if found and "message" in found[0]:
            told = [found[0]["message"], found[0]["text"]]
            (folder.path / "counterexample.svg").write_text(found[0].get("svg", ""), encoding="utf-8")
    words = law.__name__.replace("_", " ")
    if kept(folder, step.number).is_file():
        told.append(f"(This step held once: what was changed since? {kept(folder, step.number)} is the file of then.)")
    return "\n".join([f"Step {step.number}, {step.title}: {words}", f"  {promise}", *(indent(t) for t in told if t)])


def kept(folder: Folder, number: int) -> Path:
    return folder.path / ENGINE_FILE.parent / "kept" / f"{number:02}.py"


def most_kept(folder: Folder) -> int:
    """How many steps have held together, at most: their afterwords were read."""
    return max((n for n in range(1, len(STEPS) + 1) if kept(folder, n).is_file()), default=0)


def keep(folder: Folder, number: int, source: str) -> None:
    """The file, as it is when the first so many steps hold for the first time."""
    if not kept(folder, number).exists():
        kept(folder, number).parent.mkdir(exist_ok=True)
        kept(folder, number).write_text(source, encoding="utf-8")


def reset(folder: Folder, number: int) -> str:
    """engine.py as it was before this step; what it is now is kept beside it."""
    file = folder.file("build")
    before = [n for n in range(number - 1, 0, -1) if kept(folder, n).is_file()]
    if number > 1 and not before:
        raise Trouble(f"nothing was kept from before step {number}: no `run build` found step {number - 1} done")
    text = kept(folder, before[0]).read_text(encoding="utf-8") if number > 1 else EMPTY
    for later in range(number, len(STEPS) + 1):
        kept(folder, later).unlink(missing_ok=True)
    if file.exists():
        file.replace(file.with_suffix(".py.old"))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    held = f"with steps 1 to {before[0]}" if number > 1 else "empty"
    return f"{file} is {held} again; what it was is now {file.with_suffix('.py.old')}."


def step_of(words: list[str], folder: Folder) -> Step:
    """The step that was named by its number, or the first that is not done."""
    done = folder.of_chapter("build").get("done", [])
    if words:
        number = words[0]
        if not number.isdigit() or not 1 <= int(number) <= len(STEPS):
            raise Trouble(f"there is no step {number!r}; there are 1 to {len(STEPS)}")
        return STEPS[int(number) - 1]
    return next((step for step in STEPS if str(step.number) not in done), STEPS[-1])


def reward(folder: Folder, tell: Tell) -> None:
    """The student's LeNet learns the digits; its graph and wires go into the folder."""
    tell("\nYour network learns 1,438 digits, and is tried on 359 that it does not see:")
    with folder.snapshot("build") as file:
        into = folder.path / ENGINE_FILE.parent
        for told in stream(folder, "reward", file, "build", into=str(into.resolve())):
            if "epoch" in told:
                tell(f"  epoch {told['epoch']:>2}   {told['accuracy']:.1%} right   after {told['took']:.1f} seconds")
            elif "drawn" in told:
                tell(f"  drawn with viz: {into / told['drawn']}")
            elif "late" in told or "end" in told:
                tell("  (it takes too long, and was stopped)")
