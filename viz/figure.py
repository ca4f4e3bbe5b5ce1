"""A picture that has been described and can be drawn.

What you can do here: read a `Figure`'s `.dot`, take its `.svg()`, `.save` it, or leave it as the last line of a
notebook cell, where it shows itself.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

from .dot import visible
from .render import RenderError, render

try:
    import resvg_py  # type: ignore[import-not-found, unused-ignore]
except ImportError:  # optional: a renderer's own png is good enough for a figure of plain text
    resvg_py = None  # type: ignore[assignment, unused-ignore]


@dataclass(frozen=True)
class Figure:
    """DOT text, the images that it names, and a sentence for those who cannot see it.

    Equal figures have equal text, byte for byte.
    """

    dot: str
    images: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    title: str = "figure"

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
        # A shift of the baseline is not drawn by all that read SVG; lowering the text by so much of its size is.
        text = text.replace('baseline-shift="sub"', 'dy="0.25em"')
        text = text.replace("Helvetica,sans-Serif", "Helvetica,Arial,'Liberation Sans',sans-serif")
        return text.replace("<svg ", f'<svg role="img" aria-label="{escape(visible(self.title))}" ', 1)

    def png(self, renderer: str | None = None) -> bytes:
        """The picture as PNG, made from the SVG by resvg-py; where that is not installed, by the renderer itself.

        A renderer's own may have subscripts on the line.  Raises RenderError where there is no renderer, or without
        resvg-py for a figure with images, which would be left out.
        """
        if resvg_py is not None:
            return bytes(resvg_py.svg_to_bytes(svg_string=self.svg(renderer), dpi=96.0, zoom=2, background="white"))
        if self.images:
            raise RenderError("png of a figure with images needs resvg-py: pip install resvg-py, or save it as svg")
        return render(self.dot, "png", renderer=renderer)

    def save(self, path: str | Path, renderer: str | None = None) -> Path:
        """Write the picture and return the path; the suffix chooses svg, png, pdf or dot (whose images are not in it).

        Raises ValueError for another suffix, RenderError as `svg`.
        """
        path = Path(path)
        kind = path.suffix.lower()
        if kind == ".dot":
            content = self.dot.encode()
        elif kind == ".svg":
            content = self.svg(renderer).encode()
        elif kind == ".png":
            content = self.png(renderer)
        elif kind == ".pdf":
            content = render(self.dot, "pdf", renderer=renderer, images=self.images)
        else:
            raise ValueError(f"a figure is saved as .svg, .png, .pdf or .dot, got {path.name!r}")
        path.write_bytes(content)
        return path

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """What a notebook shows: the picture, or where it cannot be drawn the reason and the DOT text."""
        try:
            return {"image/svg+xml": self.svg(), "text/plain": self.title}
        except RenderError as error:
            text = f"<details><summary>DOT text</summary><pre>{escape(self.dot)}</pre></details>"
            return {"text/html": f"<p>{escape(str(error))}</p>{text}", "text/plain": f"{error}\n\n{self.dot}"}
