"""A picture that has been described and can be drawn.

What you can do here: read a `Figure`'s `.dot`, take its `.svg()`, `.save` it, or leave it as the last line of a
notebook cell, where it shows itself.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from html import escape
from pathlib import Path
from typing import Any

from . import export, tex
from .dot import visible
from .render import RenderError, render, write_whole
from .style import Style

SUFFIXES = (".svg", ".png", ".pdf", ".tex", ".dot")
IMAGE = re.compile(r'((?i:\b(?:image|src)\s*=\s*))"([^"]*)"')  # the name of a file, in DOT text


@dataclass(frozen=True)
class Figure:
    """DOT text, the images that it names, a sentence for those who cannot see it, and how it looks.

    Equal figures have equal text, byte for byte.  source is the text in light colours, where another style is on.
    parts: of a large figure, what it is made of, each a figure that fits a slide.
    Raises TypeError for a dot that is not text.
    """

    dot: str
    images: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    title: str = "figure"
    style: Style = field(default_factory=Style)
    source: str = field(default="", repr=False)
    parts: tuple[Figure, ...] = field(default=(), repr=False, compare=False)

    def __post_init__(self) -> None:
        if not isinstance(self.dot, str):
            raise TypeError(f"a figure is described by DOT text, got {self.dot!r}")
        object.__setattr__(self, "images", dict(self.images))  # what the caller does with theirs later is not drawn

    def styled(self, style: str | Style) -> Figure:
        """The same figure in another style: "light", "dark", "print" (greys alone), or a `Style`.

        It goes on growing to where it grows, unless the style says where to.

        >>> "#14171C" in Figure('digraph { graph [bgcolor="#FFFFFF"] a }').styled("dark").dot
        True
        """
        source, style = self.source or self.dot, Style.of(style)
        style = replace(style, orientation=style.orientation or self.style.orientation)
        return replace(self, dot=style.dot(source), source=source, style=style, parts=self.styled_parts(style))

    def styled_parts(self, style: Style) -> tuple[Figure, ...]:
        """The parts in another style; each goes on growing to where it grows."""
        return tuple(part.styled(replace(style, orientation=part.style.orientation)) for part in self.parts)

    def svg(self, renderer: str | None = None) -> str:
        """The picture as SVG text, whole in itself: images are inside, and it can stand in a file or an HTML page.

        Raises RenderError where there is no renderer.
        """
        drawn = render(self.dot, "svg", renderer=renderer, images=self.images).decode()
        # Comments say the renderer's version, and titles would show our node names wherever the mouse rests.
        text = re.sub(r"<!--.*?-->\n?|<title>[^<]*</title>\n?", "", drawn[drawn.index("<svg") :], flags=re.DOTALL)
        for name, content in self.images.items():
            data = f"data:image/png;base64,{base64.b64encode(content).decode()}"
            text = text.replace(f'xlink:href="{name}"', f'xlink:href="{data}"')
        text = re.sub(
            r'(<text [^>]*? y=")([\d.-]+)("[^>]*?) baseline-shift="sub"([^>]*font-size="([\d.]+)")', _lowered, text
        )
        for name, families in export.FALLBACKS.items():
            text = re.sub(rf'font-family="{name}[^"]*"', f'font-family="{families}"', text)
        text = re.sub(r'font-family="([^"]*) (Bold|Oblique|Italic)"((?: font-[a-z]+="\w+")*)', _faced, text)
        if self.style.size != 1:
            text = re.sub(r'([\d.]+)pt"', lambda n: f'{float(n[1]) * self.style.size:g}pt"', text, count=2)
        text = text.replace('fill="transparent"', 'fill="none"')  # the same, in words that office programs know
        return text.replace("<svg ", f'<svg role="img" aria-label="{escape(visible(self.title))}" ', 1)

    def png(self, renderer: str | None = None, *, dpi: float = 192) -> bytes:
        """The picture as PNG, with so many dots per inch; the file says how many, and the title.

        It brings the fonts that it needs.  Raises ValueError for a dpi that makes no picture, RenderError where there
        is no renderer, or no resvg-py.
        """
        return export.png(self.svg(renderer), self.title, dpi)

    def pdf(self, renderer: str | None = None) -> bytes:
        """The picture as PDF: text is text, its fonts are inside, and it carries the title.

        Raises RenderError where there is no renderer, or where typst is not installed (pip install '.[export]').
        """
        return export.pdf(self.svg(renderer), self.title)

    def tex(self, *, document: bool = True) -> str:
        r"""The picture as TikZ: a whole LaTeX document, or with document=False a tikzpicture, to be read with \input.

        It needs the packages tikz and, as a document, geometry.  A figure with images also needs their png files, which
        `save` alone writes.  Raises RenderError where there is no renderer.
        """
        return (tex.document if document else tex.picture)(self.dot, self.title, scale=self.style.size)

    def save(
        self,
        path: str | Path,
        renderer: str | None = None,
        *,
        dpi: float = 192,
        transparent: bool = False,
        document: bool = True,
    ) -> Path:
        r"""Write the picture and return the path; the suffix chooses svg, png, pdf, tex or dot.

        dpi: dots per inch of a png.  transparent: without the background.  document: as in `tex`; the images of a tex
        or dot file are written beside it.  A file is written whole or not at all.
        Raises ValueError for another suffix, RenderError where a format needs what is not installed.
        """
        path = Path(path)
        kind = path.suffix.lower()
        figure = self.styled(replace(self.style, transparent=True)) if transparent else self
        if kind not in SUFFIXES:
            raise ValueError(f"a figure is saved as {', '.join(SUFFIXES)}, got {path.name!r} (`animate` writes gif)")
        if kind == ".svg":
            return write_whole(path, figure.svg(renderer))
        if kind == ".png":
            return write_whole(path, figure.png(renderer, dpi=dpi))
        if kind == ".pdf":
            return write_whole(path, figure.pdf(renderer))
        if kind == ".dot":
            content = IMAGE.sub(lambda m: f'{m[1]}"{path.stem}-{m[2]}"' if m[2] in self.images else m[0], figure.dot)
        else:
            write = tex.document if document else tex.picture
            content = write(figure.dot, figure.title, f"{path.stem}-", self.style.size, renderer)
        for name, png in self.images.items():
            write_whole(path.with_name(f"{path.stem}-{name}"), png)
        return write_whole(path, content)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """What a notebook shows: the picture, or where it cannot be drawn the reason and the DOT text."""
        try:
            return {"image/svg+xml": self.svg(), "text/plain": self.title}
        except RenderError as error:
            text = f"<details><summary>DOT text</summary><pre>{escape(self.dot)}</pre></details>"
            return {"text/html": f"<p>{escape(str(error))}</p>{text}", "text/plain": f"{error}\n\n{self.dot}"}


def _lowered(found: re.Match[str]) -> str:
    """A subscript, lowered by its place: a shift of the baseline is not drawn by all that read SVG."""
    before, y, between, after, size = found.groups()
    return f"{before}{float(y) + 0.25 * float(size):.2f}{between}{after}"


def _faced(found: re.Match[str]) -> str:
    """A face of a reader's own font: Graphviz knows those of the usual fonts alone."""
    family, face, said = found.groups()
    own = ' font-weight="bold"' if face == "Bold" else ' font-style="italic"'
    return f'font-family="{family}"{said}{"" if own.split("=")[0] in said else own}'
