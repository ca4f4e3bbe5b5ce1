"""The chapters: those that come with the exercises, and those that a teacher adds with --more FILE.

Such a file is Python, and defines

    CHAPTER = "norms"               a new name, or that of a chapter which gets more bugs
    BUGS = [Bug(...), ...]          as in bugs/sizes.py
    HELD_OUT = [Bug(...), ...]      bugs that `grade` counts and nobody is shown; may be left out
    ABOUT = "..."                   and for a new chapter: a few words,
    STARTER = "..."                 the file that `start` places,
    HINTS = {"test_...": ("where to look", "how to write it")}
    FUNCTIONS = {"name": function}  and what `engine` offers beyond engine.py, as the right engine has it
"""

from __future__ import annotations

import runpy
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from .bugs import BUGS
from .bugs.held_out import HELD_OUT
from .engine import ENGINE, Bug
from .hints import HINTS
from .reading import Mistake

HERE = Path(__file__).parent
ABOUT = {
    "sizes": "of outputs, and what they see",
    "gradients": "right values, wrong derivatives",
    "equivariance": "what moves with the picture",
    "sharing": "which parameters are one",
    "pooling": "windows, maxima and means",
    "engine": "backpropagation itself",
    "operators": "write them, under given laws",
}


class Chapter(NamedTuple):
    """A chapter: its bugs, those that nobody is shown, its hints, and the file that it begins with."""

    name: str
    about: str
    bugs: list[Bug]
    held_out: list[Bug]
    hints: Mapping[str, tuple[str, str]]
    starter: str
    solution: Path | None = None


def chapters(more: Iterable[Path] = ()) -> dict[str, Chapter]:
    """All chapters by name, in their order; Mistake for a file of --more that is not as described above."""
    found = {name: own(name) for name in ABOUT}
    for path in more:
        added = read_more(path)
        name = added["CHAPTER"]
        bugs, held_out = list(added["BUGS"]), list(added.get("HELD_OUT", []))
        vars(ENGINE).update(added.get("FUNCTIONS", {}))
        if name in found:
            old = found[name]
            found[name] = old._replace(bugs=old.bugs + bugs, held_out=old.held_out + held_out)
        else:
            found[name] = Chapter(name, added["ABOUT"], bugs, held_out, added.get("HINTS", {}), added["STARTER"])
    return found


def own(name: str) -> Chapter:
    starter = (HERE / "starters" / f"{name}.py").read_text(encoding="utf-8")
    solution = HERE / "solutions" / f"{name}.py"
    return Chapter(name, ABOUT[name], BUGS.get(name, []), HELD_OUT.get(name, []), HINTS[name], starter, solution)


def read_more(path: Path) -> dict[str, Any]:
    try:
        added = runpy.run_path(str(path))
    except Exception as error:
        raise Mistake(f"--more {path}: {type(error).__name__}: {error}") from None
    needed = ["CHAPTER", "BUGS"] + ([] if added.get("CHAPTER") in ABOUT else ["ABOUT", "STARTER"])
    missing = [name for name in needed if name not in added]
    if missing:
        raise Mistake(f"--more {path} does not define {', '.join(missing)}")
    wrong = [bug for bug in added["BUGS"] if not isinstance(bug, Bug)]
    if wrong:
        raise Mistake(f"--more {path}: BUGS holds {type(wrong[0]).__name__}, where it should hold Bug(...)")
    return added
