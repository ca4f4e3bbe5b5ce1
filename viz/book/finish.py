"""What is made of the pages that Sphinx has built: pictures that turn dark, a sheet of them, notebooks, slides.

What you can do here: `finish` a site.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
from collections.abc import Iterator
from html import escape, unescape
from itertools import count
from pathlib import Path
from typing import Any

from ..drawing.export import adaptive, size_of
from ..pages.gallery import smallest_width
from .chapters import figure_of
from .contact import contact_sheet

INSTALL = "%pip install --quiet minitensor-lecture"
PICTURE = re.compile(r'<img ([^>]*?)src="([^"]*_images/[^"]+\.svg)"([^>]*?)/?>')
LABEL = re.compile(r'aria-label="([^"]*)"')
ALTERNATIVE = re.compile(r'\balt="([^"]*)(?<!\.svg)"')  # without one, Sphinx writes the name of the file
ALL_FIGURES = '<div id="all-figures"></div>'
SLIDES = re.compile(r",\s*<a href=\"[^\"]*-slides\.html\">[^<]*</a>")
ADDRESS = re.compile(r" at 0x[0-9a-f]+")


def finish(source: Path, site: Path, executed: Path) -> None:
    """Complete a site that has its gallery: pages that cells wrote, pictures, notebooks, slides."""
    for page in sorted((source / "course").glob("*.html")):
        shutil.copy(page, site / "course" / page.name)
    pictures = {path.name: path.read_text(encoding="utf-8") for path in sorted((site / "_images").glob("*.svg"))}
    for name, svg in pictures.items():
        (site / "_images" / name).write_text(adaptive(svg), encoding="utf-8")
    for path in sorted(site.rglob("*.html")):
        text = path.read_text(encoding="utf-8")
        changed = _framed(text, pictures)
        if changed != text:
            path.write_text(changed, encoding="utf-8")
    sheet = site / "figures.html"
    sheet.write_text(sheet.read_text(encoding="utf-8").replace(ALL_FIGURES, contact_sheet(site)), encoding="utf-8")
    for path in sorted((executed / "course").glob("*.ipynb")):
        notebook = json.loads(path.read_text(encoding="utf-8"))
        slides = list(_figures(notebook, site / "gallery"))
        write_notebook(notebook, site / "course" / path.name)
        page = site / "course" / f"{path.stem}.html"
        if slides:
            page.with_stem(f"{path.stem}-slides").write_text(_slides(notebook, slides), encoding="utf-8")
        else:
            page.write_text(SLIDES.sub("", page.read_text(encoding="utf-8")), encoding="utf-8")


def _framed(page: str, pictures: dict[str, str]) -> str:
    """A page with its pictures in boxes, numbered from 1 on."""
    numbers = count(1)
    return PICTURE.sub(lambda found: _picture(found, pictures, next(numbers)), page)


def _picture(found: re.Match[str], pictures: dict[str, str], number: int) -> str:
    """The same picture in a box that scrolls, so wide that its text can be read, and with words for who cannot see."""
    before, address, after = found.groups()
    svg = pictures[address.rsplit("/", 1)[1]]
    label, said = LABEL.search(svg), ALTERNATIVE.search(f"{before} {after}")
    words = unescape(said[1] if said else label[1] if label else "figure")
    kept = re.sub(r'\s*\b(alt|class|style|width)="[^"]*"', "", f"{before} {after}").strip()
    width = size_of(svg)[0] * 4 / 3
    sized = f"min-width: {smallest_width(svg):.0f}px; width: {width:.0f}px"
    image = f'<img {kept} src="{address}" alt="{escape(words)}" style="{sized}">'
    return f'<span class="picture" id="figure-{number}">{image}</span>'


# -- notebooks ---------------------------------------------------------------------------------------------------------


def write_notebook(notebook: dict[str, Any], path: Path) -> None:
    """A chapter as a notebook: what it needs comes first, links lead to notebooks, and every build writes the same."""
    install: dict[str, Any] = {
        "cell_type": "code",
        "execution_count": None,
        "metadata": {},
        "outputs": [],
        "source": INSTALL,
    }
    notebook["cells"].insert(0, install)
    for n, cell in enumerate(notebook["cells"]):
        text = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            text = re.sub(r'<p class="caption-line.*</p>\n*|^\{\.[\w-]+\}\n', "", text, flags=re.M)
            text = re.sub(r"\]\((?!https?:)([\w-]+)\.md\)", r"](\1.ipynb)", text)
            text = re.sub(r"\]\((?!https?:|[\w-]+\.ipynb)[^)]*\)", "]()", text).replace("]()", "]")
        cell["source"] = text
        cell["id"] = hashlib.sha256(f"{path.stem} {n} {text}".encode()).hexdigest()[:12]
        if cell["cell_type"] == "code":
            cell["outputs"] = [_lasting(output) for output in cell["outputs"]]
        cell["metadata"] = {key: value for key, value in cell["metadata"].items() if key == "tags"}
    notebook["metadata"] = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    notebook["nbformat"], notebook["nbformat_minor"] = 4, 5
    path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")


def _lasting(output: dict[str, Any]) -> dict[str, Any]:
    """An output without the place in memory of what it shows."""
    data = {kind: ADDRESS.sub("", "".join(text)) for kind, text in output.get("data", {}).items()}
    return {**output, "data": data} if data else output


# -- slides ------------------------------------------------------------------------------------------------------------


def _figures(notebook: dict[str, Any], gallery: Path) -> Iterator[tuple[str, str]]:
    """Each figure of a chapter with the heading that it stands under; in parts, if the gallery has it in parts."""
    heading = ""
    for cell in notebook["cells"]:
        text = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            headings = re.findall(r"^#+ (.*)$", text, re.M)
            heading = headings[-1] if headings else heading
        for output in cell.get("outputs", ()):
            svg = output.get("data", {}).get("image/svg+xml")
            files = gallery.glob(f"{figure_of(text)}_[0-9]*.svg") if svg else ()
            parts = sorted(files, key=lambda path: int(path.stem.rpartition("_")[2]))
            for n, part in enumerate(parts, start=1):
                yield f"{heading} ({n} of {len(parts)})", part.read_text(encoding="utf-8")
            if svg and not parts:
                yield heading, "".join(svg)


def _slides(notebook: dict[str, Any], figures: list[tuple[str, str]]) -> str:
    """One figure on each screen of 16:9, on one page that scrolls from one to the next."""
    title = re.findall(r"^# (.*)$", "".join(notebook["cells"][1]["source"]), re.M)[0]
    screens = []
    for heading, svg in figures:
        data = base64.b64encode(adaptive(svg).encode()).decode()
        label = LABEL.search(svg)
        words = label[1] if label else "figure"
        image = f'<img src="data:image/svg+xml;base64,{data}" alt="{words}">'
        screens.append(f"<section><h2>{escape(heading)}</h2>{image}</section>")
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}, slides</title>
<link rel="stylesheet" href="../_static/slides.css">
</head>
<body>
<h1>{escape(title)}</h1>
{"".join(screens)}
</body>
</html>
"""
