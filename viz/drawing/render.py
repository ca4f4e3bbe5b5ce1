"""From DOT text to a picture: find a renderer, feed it on stdin, take the bytes from stdout.

What you can do here: `render` DOT text as svg, png, pdf or json; `find_renderer` says which program would do it;
`write_whole` puts a file in its place at once.

The renderer is, in this order: the one that you name (argument, or the environment variable MINITENSOR_RENDERER; a
program, or "graphviz-pure"), the system's `dot`, the program inside the package graphviz-pure.
No shell, a time limit that ends the renderer and its children, and images lie in a folder that is gone when the call
returns.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import threading
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

FORMATS = ("svg", "png", "pdf", "json")
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
    """Draw DOT text; form is svg, png, pdf, or json (where everything lies).

    images are the files that the text names.  Raises TypeError for what is not text, ValueError for another form or an
    image whose name leads into another folder; RenderError where there is no renderer, it fails, it takes longer than
    timeout (in seconds), it cannot write this form, or what it writes is not a whole file of this form.

    >>> render("digraph { a -> b }")[-7:]
    b'</svg>\\n'
    """
    if not isinstance(dot, str):
        raise TypeError(f"a figure is described by DOT text, got {dot!r}")
    if form not in FORMATS:
        raise ValueError(f"form (={form!r}) must be one of {', '.join(FORMATS)}")
    images = images or {}
    if outside := [name for name in images if Path(name).name != name or name in ("", "..")]:
        raise ValueError(f"an image (={outside[0]!r}) must have the name of a file, without a folder")
    program = find_renderer(renderer)
    if form == "pdf" and program.stem == EMBEDDED:
        raise RenderError(
            "graphviz-pure does not write pdf: save the figure as svg, "
            "or install Graphviz for the system (apt install graphviz, brew install graphviz)"
        )
    # -n2: places are final, and so are curves that have been laid out before; dpi would scale svg too
    command = [str(program), f"-T{form}", "-n2", *(["-Gdpi=144"] if form == "png" else [])]
    with TemporaryDirectory(prefix="minitensor-") as folder:
        for name, content in images.items():
            Path(folder, name).write_bytes(content)
        try:
            status, drawn, errors = _run(command, dot.encode(), folder, timeout)
        except subprocess.TimeoutExpired:
            raise RenderError(
                f"{program.name} was stopped after {timeout:g} s: the graph is too large to lay out ({len(dot):,} "
                "characters of DOT); draw a part of it"
            ) from None
        except OSError as error:
            raise RenderError(f"{program} does not run ({error}): {REMEDIES}") from error
    said = errors.decode(errors="replace").strip()[-500:] or "it gave no reason"
    if status or not drawn:
        raise RenderError(f"{program.name} drew nothing (exit status {status}): {said}")
    if fault := _fault(drawn, form):
        raise RenderError(f"{program.name} did not write {form} ({fault}), it wrote {drawn[:60]!r}: {said}")
    return drawn


def _run(command: Sequence[str], text: bytes, folder: str, timeout: float) -> tuple[int, bytes, bytes]:
    """The exit status, output and errors of a program; it and all that it started end with the call."""
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, cwd=folder, start_new_session=True) as program:
        try:
            drawn, errors = program.communicate(text, timeout=timeout)
        except BaseException:  # the time limit, or Ctrl-C
            if hasattr(os, "killpg"):
                os.killpg(program.pid, signal.SIGKILL)
            program.kill()
            raise
    return program.returncode, drawn, errors


def _fault(drawn: bytes, form: str) -> str:
    """Why these bytes are no whole file of this form; nothing where they are."""
    try:
        if form == "svg" and ET.fromstring(drawn).tag.rpartition("}")[2] != "svg":
            return "its root is not <svg>"
        if form == "json" and not isinstance(json.loads(drawn), dict):
            return "not an object"
    except (ET.ParseError, ValueError) as error:
        return str(error)
    begin, end = {"png": (b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"), "pdf": (b"%PDF-", b"%%EOF")}.get(form, (b"", b""))
    return "" if drawn.startswith(begin) and drawn.rstrip().endswith(end) else "its beginning or its end is missing"


def write_whole(path: str | Path, content: bytes | str) -> Path:
    """Write a file whole or not at all: what was there before stays until all of the new is on the disk.

    A link stays a link, and a file keeps its permissions.  Returns the path.
    Raises OSError where it cannot be written, FileNotFoundError with its name where there is no such folder.
    """
    path, data = Path(path), content.encode() if isinstance(content, str) else content
    target = path.resolve()  # to replace a link would leave what it leads to as it was
    if target.exists() and not target.is_file():  # a device or a pipe, which cannot be replaced
        target.write_bytes(data)
        return path
    if not target.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "there is no such folder", str(path.parent))
    part = target.with_name(f".{target.name[:40]}.{os.getpid()}.{threading.get_ident()}.part")
    try:
        with open(part, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            shutil.copymode(target, part)
        os.replace(part, target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return path


def layout(dot: str, *, renderer: str | None = None, images: Mapping[str, bytes] | None = None) -> dict[str, Any]:
    """Where everything lies: the json of a renderer, by choice the one that viz brings, since versions differ.

    Raises RenderError as `render`.
    """
    choice = renderer or os.environ.get(VARIABLE) or (EMBEDDED if embedded_renderer() else None)
    found: dict[str, Any] = json.loads(render(dot, "json", renderer=choice, images=images))
    if find_renderer(choice).stem == EMBEDDED:  # it doubles backslashes
        for o in found.get("objects", []):
            for op in o.get("_ldraw_", []):
                if "text" in op:
                    op["text"] = op["text"].replace("\\\\", "\\")
    return found


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


@cache
def embedded_renderer() -> Path | None:
    """The program that the package graphviz-pure brings, wherever pip put it; None if the package is not there."""
    try:
        files = metadata.distribution(EMBEDDED).files or []
    except metadata.PackageNotFoundError:
        return None
    programs = [Path(str(file.locate())).resolve() for file in files if Path(file).stem == EMBEDDED]
    return next((p for p in programs if p.is_file() and p.suffix in ("", ".exe")), None)
