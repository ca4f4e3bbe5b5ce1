"""All figures on one page, each a link to where the book speaks of it.

What you can do here: make the `contact_sheet` of a site.
"""

from __future__ import annotations

import re
from pathlib import Path

from ..drawing.export import adaptive

PAGE = re.compile(r'<li class="toctree-l1"><a class="reference internal" href="([^"#]+)">(.*?)</a>')
SHOWN = re.compile(r'<span class="picture" id="([^"]+)"><img [^>]*?src="[^"]*/([^"/]+\.svg)" alt="([^"]*)"')
IN_THE_GALLERY = re.compile(r'<figure id="([^"]+)">\s*<h3>(.*?)</h3>')
MOVES = re.compile(r"<style>@media \(prefers-reduced-motion.*?</style>", re.S)


def contact_sheet(site: Path) -> str:
    """The figures of each page, in the order of the book, then those that only the gallery has; each of them once.

    A picture that moves stands still here.
    """
    gallery = site / "gallery"
    titles = dict(IN_THE_GALLERY.findall((gallery / "index.html").read_text(encoding="utf-8")))
    named = {_still(gallery / f"{name}.svg"): (name, title) for name, title in titles.items()}
    rows: list[str] = []
    seen: set[str] = set()
    for address, page in dict.fromkeys(PAGE.findall((site / "index.html").read_text(encoding="utf-8"))):
        fresh = []
        for place, file, words in SHOWN.findall((site / address).read_text(encoding="utf-8")):
            svg = (site / "_images" / file).read_text(encoding="utf-8").strip()
            if svg not in seen:
                fresh.append((f"{address}#{place}", file, named.get(svg, ("", words[:1].upper() + words[1:]))[1]))
                seen.add(svg)
        rows += _row(page, fresh)
    others = []
    for svg, (name, title) in named.items():
        if svg not in seen:
            (site / "_images" / f"{name}.svg").write_text(svg, encoding="utf-8")
            others.append((f"gallery/index.html#{name}", f"{name}.svg", title))
    return "\n".join(rows + _row("In the gallery", others))


def _still(path: Path) -> str:
    return adaptive(MOVES.sub("", path.read_text(encoding="utf-8"))).strip()


def _row(title: str, figures: list[tuple[str, str, str]]) -> list[str]:
    """A heading and thumbnails, each with where it leads, its file and its words; nothing where there are none."""
    thumbnails = [
        f'<li><a href="{address}"><img src="_images/{file}" alt="" loading="lazy"> {said}</a></li>'
        for address, file, said in figures
    ]
    return [f'<h2>{title}</h2>\n<ul class="thumbnails">', *thumbnails, "</ul>"] if figures else []
