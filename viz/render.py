"""From DOT text to a picture: find a renderer, feed it on stdin, take the bytes from stdout.

What you can do here: `render` DOT text as svg, png or pdf; `find_renderer` says which program would do it.

The renderer is, in this order: the one that you name (argument, or the environment variable MINITENSOR_RENDERER; a
program, or "graphviz-pure"), the system's `dot`, the program inside the package graphviz-pure.
No shell, a time limit always, and images lie in a folder that is gone when the call returns.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory

FORMATS = ("svg", "png", "pdf")
VARIABLE = "MINITENSOR_RENDERER"
EMBEDDED = "graphviz-pure"
REMEDIES = (
    "install the package graphviz-pure (pip install graphviz-pure), "
    "or Graphviz for the system (apt install graphviz, brew install graphviz, https://graphviz.org/download)"
)


class RenderError(RuntimeError):
    """A figure could not be drawn; the message says why and what helps.  Its DOT text is there all the same."""


def render(
    dot: str,
    form: str = "svg",
    *,
    renderer: str | None = None,
    images: Mapping[str, bytes] | None = None,
    timeout: float = 60.0,
) -> bytes:
    """Draw DOT text; form is svg, png or pdf.

    images are the files that the text names.  Raises ValueError for another form, RenderError where there is no
    renderer, it fails, it takes longer than timeout (in seconds), or it cannot write this form.

    >>> render("digraph { a -> b }")[-7:]
    b'</svg>\\n'
    """
    if form not in FORMATS:
        raise ValueError(f"form (={form!r}) must be one of {', '.join(FORMATS)}")
    program = find_renderer(renderer)
    if form == "pdf" and program.stem == EMBEDDED:
        raise RenderError(
            "graphviz-pure does not write pdf: save the figure as svg, "
            "or install Graphviz for the system (apt install graphviz, brew install graphviz)"
        )
    command = [str(program), f"-T{form}", *(["-Gdpi=144"] if form == "png" else [])]  # dpi would scale svg too
    with TemporaryDirectory(prefix="minitensor-") as folder:
        for name, content in (images or {}).items():
            Path(folder, name).write_bytes(content)
        try:
            done = subprocess.run(command, input=dot.encode(), capture_output=True, timeout=timeout, cwd=folder)
        except subprocess.TimeoutExpired:
            raise RenderError(
                f"{program.name} was stopped after {timeout:g} s: the graph is too large to lay out ({len(dot):,} "
                "characters of DOT); draw a part of it"
            ) from None
        except OSError as error:
            raise RenderError(f"{program} does not run ({error}): {REMEDIES}") from error
    if done.returncode or not done.stdout:
        said = done.stderr.decode(errors="replace").strip()[-500:]
        raise RenderError(f"{program.name} drew nothing (exit status {done.returncode}): {said or 'it gave no reason'}")
    return done.stdout


def find_renderer(choice: str | None = None) -> Path:
    """The program that draws: the chosen one, else the system's dot, else that of graphviz-pure.

    Raises RenderError where there is none, or where the chosen one is missing: it is never silently replaced.
    """
    choice = choice or os.environ.get(VARIABLE)
    if choice == EMBEDDED:
        program = embedded_renderer()
    else:
        found = shutil.which(choice or "dot")
        program = Path(found).absolute() if found else None if choice else embedded_renderer()
    if program is None:
        missing = f"the renderer {choice!r} was not found" if choice else "no renderer was found"
        raise RenderError(f"{missing}: {REMEDIES}")
    return program


def embedded_renderer() -> Path | None:
    """The program that the package graphviz-pure brings, wherever pip put it; None if the package is not there."""
    try:
        files = metadata.distribution(EMBEDDED).files or []
    except metadata.PackageNotFoundError:
        return None
    programs = [Path(str(file.locate())).resolve() for file in files if Path(file).stem == EMBEDDED]
    return next((p for p in programs if p.is_file() and p.suffix in ("", ".exe")), None)
