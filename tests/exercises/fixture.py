"""For pytest: properties as tests, with an `engine` that is right unless --bug says otherwise.

The conftest.py in the student's folder imports everything here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .chapters import chapters
from .engine import ENGINE, Watched
from .report import named

__all__ = ["engine", "pytest_addoption", "pytest_collect_file"]

NAMES = [name for name in chapters() if name != "operators"]


def pytest_addoption(parser: Any) -> None:
    parser.addoption("--bug", default=None, help="run the properties on this bug of their chapter: a letter or a name")


def pytest_collect_file(file_path: Path, parent: Any) -> Any:
    """The chapters are tests, though their names do not begin with test_."""
    asked = {Path(arg.partition("::")[0]).resolve() for arg in parent.config.args}
    if file_path.suffix == ".py" and file_path.stem in NAMES and file_path.resolve() not in asked:
        return pytest.Module.from_parent(parent, path=file_path)
    return None


@pytest.fixture(scope="module")
def engine(request: Any) -> Watched:
    """The right engine, or that of --bug."""
    wanted = request.config.getoption("--bug")
    if wanted is None:
        return Watched(ENGINE)
    chapter = chapters().get(request.path.stem)
    bug = named(chapter.bugs, wanted) if chapter else None
    if bug is None:
        raise pytest.UsageError(f"{request.path.name} has no bug {wanted!r}")
    return Watched(bug.engine)
