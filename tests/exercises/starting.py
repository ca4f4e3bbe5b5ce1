"""What `start` places: starters, guided or not, as files or as notebooks; the empty engine; and a conftest.py.

Nothing that is there already is written over, except our own conftest.py: this folder may have moved.
"""

from __future__ import annotations

import ast
from pathlib import Path

from .building.steps import EMPTY
from .chapters import ABOUT
from .folder import ENGINE_FILE, Folder
from .notebook import notebook_of

ROOT = Path(__file__).parent.parent.parent
NAMES = list(ABOUT)
# of the reference solutions, as many as see all bugs of their chapter together
FEWEST = {"sizes": 5, "gradients": 9, "equivariance": 6, "sharing": 5, "pooling": 9, "engine": 10}

CONFTEST = '''"""Lets pytest, an editor's test button and a debugger run your properties; `start` writes this file.

    python -m pytest exercises/sizes.py             on the right engine
    python -m pytest exercises/sizes.py --bug F     on bug F of the chapter (a letter, or its name)
"""

import sys

sys.path.insert(0, {root!r})

from tests.exercises.fixture import *  # noqa: E402, F403
'''


OURS = "from tests.exercises.fixture import"


def start(folder: Folder, notebook: bool = False, unguided: bool = False) -> None:
    """Place what is not there yet."""
    folder.path.mkdir(parents=True, exist_ok=True)
    for name in folder.chapters:
        if not folder.file(name).exists():
            place(folder, name, notebook, unguided)
    engine = folder.path / ENGINE_FILE
    if not engine.exists():
        engine.parent.mkdir(exist_ok=True)
        engine.write_text(EMPTY, encoding="utf-8")
    conftest = folder.path / "conftest.py"
    if not conftest.exists() or OURS in conftest.read_text(encoding="utf-8", errors="replace"):
        conftest.write_text(CONFTEST.format(root=str(ROOT)), encoding="utf-8")


def place(folder: Folder, name: str, notebook: bool = False, unguided: bool = False) -> Path:
    text = folder.chapters[name].starter
    if unguided and name != "operators":
        text = without_names(text, name)
    file = folder.path / f"{name}{'.ipynb' if notebook else '.py'}"
    file.write_text(notebook_of(text) if notebook else text, encoding="utf-8")
    return file


def guided(folder: Folder, name: str) -> bool:
    """Whether the chapter's file has the names of the exercises in it."""
    file = folder.file(name)
    return file.is_file() and UNGUIDED not in file.read_text(encoding="utf-8", errors="replace")


NAMING = ("Each function", "The first is", "    assert ", "You may write", "    python -m")
UNGUIDED = "Unguided: find properties of your own"


def without_names(starter: str, name: str) -> str:
    """A starter without its exercises: what the engine offers, and no word of what to say about it."""
    tree = ast.parse(starter)
    title, *paragraphs = (ast.get_docstring(tree) or "").split("\n\n")
    kept = [p for p in paragraphs if not p.startswith(NAMING)]
    told = f"{UNGUIDED}, def test_...(engine, ...), that see the bugs of `bugs {name}`."
    imports = [ast.unparse(node) for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    text = "\n\n".join([title, told, *kept])
    return f'"""{text}\n"""\n\n# ruff: noqa: F401 (you will need these)\n' + "\n".join(imports) + "\n"
