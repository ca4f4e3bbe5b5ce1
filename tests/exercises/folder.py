"""The student's folder: the files, as they were when the grading began, and what is remembered.

A chapter is NAME.py or, begun with `start --notebook`, NAME.ipynb; of both, the one that was saved last.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from .chapters import Chapter, chapters
from .notebook import text_of
from .reading import Mistake

ENGINE_FILE = Path("build", "engine.py")
DEFAULT = Path("exercises")


class Trouble(Exception):
    """Something that the student can mend, in words."""


@dataclass(frozen=True)
class Folder:
    """Where a student works; limit: the seconds of computing that one property has on one engine."""

    path: Path
    limit: float = 20.0
    more: tuple[Path, ...] = ()

    @cached_property
    def chapters(self) -> dict[str, Chapter]:
        try:
            return chapters(self.more)
        except Mistake as mistake:
            raise Trouble(str(mistake)) from None

    def chapter(self, text: str) -> str:
        """A chapter by number, or by name or its beginning; "build" for the engine that is built."""
        names = list(self.chapters)
        if text.isdigit() and 1 <= int(text) <= len(names):
            return names[int(text) - 1]
        found = [name for name in [*names, "build"] if text and name.startswith(text.lower())]
        if len(found) != 1:
            listed = ", ".join(f"{i} {c}" for i, c in enumerate(names, 1))
            raise Trouble(f"there is no chapter {text!r}; there are {listed}, and build")
        return found[0]

    def number(self, chapter: str) -> int:
        return list(self.chapters).index(chapter) + 1

    def file(self, chapter: str) -> Path:
        """The file that is graded, which need not be there."""
        if chapter == "build":
            return self.path / ENGINE_FILE
        python, notebook = self.path / f"{chapter}.py", self.path / f"{chapter}.ipynb"
        there = [file for file in (python, notebook) if file.is_file()]
        return max(there, key=lambda file: file.stat().st_mtime) if there else python

    def existing(self, chapter: str) -> Path:
        file = self.file(chapter)
        if not file.is_file():
            near = [f.name for f in file.parent.glob("*") if f.name.lower().startswith(file.stem.lower())]
            told = f" (but there is {', '.join(sorted(near))})" if near else ""
            raise Trouble(f"there is no file {file}{told}; begin with: python -m tests.exercises start")
        return file

    @contextmanager
    def snapshot(self, chapter: str) -> Iterator[Path]:
        """A copy of the chapter's file as it is now: what is saved or deleted while it is graded changes nothing."""
        file = self.existing(chapter)
        data = file.read_bytes()
        if file.suffix == ".ipynb":
            try:
                data = text_of(data).encode()
            except ValueError as error:
                raise Trouble(f"{file.name} is not a notebook: {error}") from None
        with tempfile.TemporaryDirectory(prefix="exercises-") as folder:
            copy = Path(folder, file.name)
            copy.write_bytes(data)
            yield copy

    # -- what is remembered --------------------------------------------------------------------------------------------

    @property
    def progress_file(self) -> Path:
        return self.path / "progress.json"

    def progress(self) -> dict[str, Any]:
        """What is remembered, by chapter; a file that cannot be read is put aside, with a sentence."""
        try:
            text = self.progress_file.read_text(encoding="utf-8")
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except (OSError, UnicodeDecodeError):
            text = ""
        try:
            progress = json.loads(text)
            if isinstance(progress, dict) and all(isinstance(mine, dict) for mine in progress.values()):
                return progress
        except ValueError:
            pass
        aside = self.progress_file.with_suffix(".json.damaged")
        self.progress_file.replace(aside)
        print(f"What was remembered cannot be read; the file is now {aside}, and `run` counts anew.")
        return {}

    def of_chapter(self, chapter: str) -> dict[str, Any]:
        return self.progress().get(chapter, {})

    def remember(self, chapter: str, **news: Any) -> None:
        progress = self.progress()
        progress.setdefault(chapter, {}).update(news)
        self.write_progress(progress)

    def forget(self, chapter: str) -> None:
        progress = self.progress()
        progress.pop(chapter, None)
        self.write_progress(progress)

    def write_progress(self, progress: dict[str, Any]) -> None:
        self.path.mkdir(parents=True, exist_ok=True)
        new = self.progress_file.with_suffix(".json.new")
        new.write_text(json.dumps(progress, indent=1), encoding="utf-8")
        new.replace(self.progress_file)


def names(found: Any) -> list[str]:
    """A list of names from progress.json, which anybody may have edited."""
    return [name for name in found if isinstance(name, str)] if isinstance(found, list) else []
