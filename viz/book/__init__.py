"""The course and the annotated source as a site, built by Sphinx from the files of this folder.

What you can do here: build the `book`; `python -m viz book --out DIR` does it from the command line.

The chapters are in course/, Markdown with cells that run when the book is built.  Read on in this order: annotated
(a source file, cut into parts), prose, names, found, rules (what is said of a part), extension (how Sphinx is told),
finish and contact (pictures, notebooks, slides and a sheet of all figures, made of what Sphinx has built), links
(nothing leads nowhere).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from ..pages.gallery import gallery
from ..pages.playground import playground
from .chapters import prepare
from .finish import finish
from .links import broken

HERE = Path(__file__).parent
PATH_MODULES = tuple(  # the reader's path, in its order, and geometry and local, which the lecture speaks of
    f"minitensor.{name}"
    for name in (
        *("tensor", "backprop", "windows", "geometry", "conv", "local", "pool"),
        *("ops.elementwise", "ops.shape", "ops.reduce", "ops.contract", "activations", "losses", "normalize", "finite"),
    )
)
INVENTORY = b"# Sphinx inventory version 2\n# Project: minitensor\n"  # how objects.inv begins in a book
NEEDED = ("sphinx", "myst_nb", "furo", "sphinx_copybutton", "ipykernel", "math_core")


class BookError(Exception):
    """The book cannot be built: something is not installed, or a chapter, a name or a link is wrong."""


def book(folder: str | Path) -> Path:
    """Build the course and the annotated source into a folder; returns the path of its first page.

    The site needs no network, neither while it is built nor when it is opened.  Beside its pages are each chapter as a
    notebook that has been run, its figures as slides, and all figures of the lecture.  A folder that holds a book
    already is replaced; two builds are equal, byte for byte.
    Raises BookError, with what Sphinx or the check of links says: where a cell fails, a name in a text is nobody's, a
    public name is undocumented, a link leads nowhere, or where what pip install '.[book]' installs is missing;
    FileExistsError where the folder holds something else.
    """
    folder = Path(folder)
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        raise BookError(f"the book needs {', '.join(missing)}: pip install '.[book]'")
    if folder.exists() and any(folder.iterdir()) and not _is_book(folder):
        raise FileExistsError(f"{folder} holds something else than a book")
    with TemporaryDirectory() as work:
        source, site = Path(work, "source"), Path(work, "site")
        shutil.copytree(HERE, source, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
        prepare(source, PATH_MODULES)
        _sphinx(source, site, Path(work, "doctrees"))
        gallery(site / "gallery")
        playground(site / "playground.html", back=("index.html", "Back to the book"))
        finish(source, site, Path(work, "jupyter_execute"))
        if wrong := broken(site):
            raise BookError("links that lead nowhere:\n" + "\n".join(wrong))
        if folder.exists():
            shutil.rmtree(folder)
        shutil.copytree(site, folder, ignore=shutil.ignore_patterns(".buildinfo*", "_sources", "jupyter_execute"))
    return folder / "index.html"


def _is_book(folder: Path) -> bool:
    """Whether a folder holds this book, and not another site that Sphinx has built."""
    inventory = folder / "objects.inv"
    return inventory.is_file() and inventory.read_bytes().startswith(INVENTORY)


def _sphinx(source: Path, site: Path, doctrees: Path) -> None:
    """Run Sphinx in a process of its own, on one core, so that sums are the same each time."""
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html", "-c", str(HERE)]
    settings = {"PYTHONHASHSEED": "0", "OPENBLAS_NUM_THREADS": "1", "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
    done = subprocess.run(
        [*command, "-d", str(doctrees), str(source), str(site)],
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BookError(f"{done.stdout}{done.stderr}".replace(str(source), str(HERE)))
