"""From SVG to what a talk or a paper takes: PNG, PDF, GIF, and an SVG that moves.

What you can do here: turn SVG text into `png` or `pdf` bytes, and frames into a `gif` or a `moving_svg`.

Text needs fonts, and a machine may have none: then a renderer leaves all text out without a word.  So viz brings those
that its figures use (Liberation, which have the widths of Helvetica, Times and Courier); the system's own are asked for
what these lack.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections import Counter
from collections.abc import Sequence
from functools import cache
from html import escape, unescape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from PIL import Image, ImageFont, PngImagePlugin

from minitensor.tensor import Array

from .dot import visible
from .render import RenderError
from .style import LIGHT, Style

try:
    import resvg_py  # type: ignore[import-not-found, unused-ignore]
except ImportError:  # has no wheel for some machines
    resvg_py = None  # type: ignore[assignment, unused-ignore]
try:
    import typst  # type: ignore[import-not-found, unused-ignore]
except ImportError:  # large, and so an extra
    typst = None  # type: ignore[assignment, unused-ignore]

FONTS = Path(__file__).parents[1] / "data" / "fonts"
FAMILIES = {"Helvetica": "Liberation Sans", "Times": "Liberation Serif", "Courier": "Liberation Mono"}
FALLBACKS = {  # for readers that have neither the font nor a rule which other is like it
    "Helvetica": "Helvetica,Arial,'Liberation Sans',sans-serif",
    "Times": "Times,'Times New Roman','Liberation Serif',serif",
    "Courier": "Courier,'Courier New','Liberation Mono',monospace",
}
MOST_PIXELS = 200_000_000
MOST_EXACT = 128  # colours of a gif, which has 256
CODE = np.array([1 << 16, 1 << 8, 1])  # red, green and blue as one number
TYPST = """
#set document(title: sys.inputs.title, date: none)
#set page(width: float(sys.inputs.width) * 1pt, height: float(sys.inputs.height) * 1pt, margin: 0pt, fill: none)
#image("figure.svg", alt: sys.inputs.title, width: 100%, height: 100%)
"""


def size_of(svg: str) -> tuple[float, float]:
    """The width and height of a figure in points, as its first tag says.

    >>> size_of('<svg width="20pt" height="10.5pt"></svg>')
    (20.0, 10.5)
    """
    found = re.match(r'<svg [^>]*?width="([\d.]+)pt" height="([\d.]+)pt"', svg)
    if not found:
        raise RenderError(f"the figure has no size in points, it begins {svg[:80]!r}")
    return float(found[1]), float(found[2])


@cache
def _draws(character: str) -> bool:
    """Whether the fonts that viz brings have this character; what a font lacks it draws as a box."""
    font = ImageFont.truetype(str(FONTS / "LiberationSans-Regular.ttf"), 20)
    drawn, box = font.getmask(character), font.getmask("\U0010ffff")
    return character.isspace() or (drawn.size, bytes(drawn)) != (box.size, bytes(box))


def _own_are_enough(svg: str) -> bool:
    """Whether the fonts that viz brings have all that a text asks for.

    Then no other is looked at: another version of them on the machine would give other bytes.
    """
    families = {name.strip("' ") for names in re.findall(r'font-family="([^"]*)"', svg) for name in names.split(",")}
    characters = {c for text in re.findall(r"<text[^>]*>([^<]*)</text>", svg) for c in unescape(text)}
    return families <= set(FAMILIES.values()) and all(map(_draws, characters))


def _own_fonts(svg: str) -> str:
    """The same text, in the fonts that viz brings; a font of the reader's own comes first."""

    def own(found: re.Match[str]) -> str:
        names = found[1].split(",")
        first = names[0].strip("' ")
        ours = FAMILIES.get(first, FAMILIES["Helvetica"])
        return f'font-family="{ours if first in FAMILIES else f"{first}, {ours}"}"'

    return re.sub(r'font-family="([^"]*)"', own, svg)


def png(svg: str, title: str, dpi: float = 192) -> bytes:
    """The figure as PNG with so many dots per inch, which the file says, as it says the title.

    Raises ValueError for a dpi that makes no picture, RenderError where resvg-py is missing or cannot read the SVG.
    """
    if resvg_py is None:
        raise RenderError("png needs resvg-py: pip install resvg-py, or save the figure as svg")
    width, height = (n * dpi / 72 for n in size_of(svg))
    if not (dpi > 0 and width >= 0.5 and height >= 0.5 and width * height <= MOST_PIXELS):
        raise ValueError(f"dpi (={dpi}) gives a picture of {width:.0f} x {height:.0f} pixels")
    text, fonts = _own_fonts(svg), [str(path) for path in sorted(FONTS.glob("*.ttf"))]
    alone = _own_are_enough(text)
    try:
        drawn = resvg_py.svg_to_bytes(svg_string=text, dpi=float(dpi), font_files=fonts, skip_system_fonts=alone)
    except ValueError as error:
        raise RenderError(f"resvg-py cannot draw the figure: {error}") from error
    said, file = PngImagePlugin.PngInfo(), io.BytesIO()
    said.add_itxt("Title", visible(title))
    said.add_itxt("Software", "minitensor")
    with Image.open(io.BytesIO(bytes(drawn))) as loaded:
        image = _opaque(loaded)
        image.save(file, "png", dpi=(dpi, dpi), pnginfo=said, optimize=True)
    return file.getvalue()


def _opaque(image: Image.Image) -> Image.Image:
    """A picture with a background without the pixels at its edge that are half covered; one without it, as it is."""
    corner = image.convert("RGBA").getpixel((0, 0))
    if not isinstance(corner, tuple) or corner[3] < 255:
        return image.copy()
    sheet = Image.new("RGBA", image.size, corner)
    return Image.alpha_composite(sheet, image.convert("RGBA")).convert("RGB")


def pdf(svg: str, title: str) -> bytes:
    """The figure as a PDF page of its own size: text stays text, its fonts are inside, and it carries the title.

    Equal figures give equal bytes.  Raises RenderError where typst is missing or cannot read the SVG.
    """
    if typst is None:
        raise RenderError("pdf needs typst: pip install 'minitensor-lecture[export]', or save the figure as svg or tex")
    width, height = size_of(svg)
    inputs = {"title": visible(title), "width": str(width), "height": str(height)}
    text = _own_fonts(svg)
    with TemporaryDirectory(prefix="minitensor-") as folder:
        Path(folder, "figure.svg").write_text(text, encoding="utf-8")
        Path(folder, "page.typ").write_text(TYPST, encoding="utf-8")
        try:
            page = typst.compile(
                str(Path(folder, "page.typ")),
                root=folder,
                format="pdf",
                font_paths=[str(FONTS)],
                ignore_system_fonts=_own_are_enough(text),
                pdf_standards="1.5",  # a later one is more than pdfLaTeX takes without a warning
                sys_inputs=inputs,
            )
        except (RuntimeError, ValueError) as error:  # TypstError is a RuntimeError
            raise RenderError(f"typst cannot draw the figure: {error}") from error
    return bytes(page)


def adaptive(svg: str) -> str:
    """A figure in light colours that turns dark where its reader prefers dark pages."""
    dark = Style("dark")
    rules = [f"text:not([fill]){{fill:{dark.color('words')}}}"]
    for meaning, light in LIGHT.items():
        color = dark.color(meaning)
        rules += [f'[{paint}="{light.lower()}" i]{{{paint}:{color}}}' for paint in ("fill", "stroke")]
    rules += [
        f'[{paint}="{name}"]{{{paint}:{dark.color(meaning)}}}'
        for paint in ("fill", "stroke")
        for name, meaning in (("white", "paper"), ("black", "words"))
    ]
    style = f"<style>@media screen and (prefers-color-scheme:dark){{{''.join(rules)}}}</style>"
    end = svg.index(">") + 1
    return svg[:end] + style + svg[end:]


def times(seconds: float | Sequence[float], frames: int) -> list[float]:
    """How long each frame is shown: one number for all, or one for each; ValueError for other than 0.02 to 600 s."""
    each = [seconds] * frames if isinstance(seconds, int | float) else list(seconds)
    if len(each) != frames or not all(0.02 <= s <= 600 for s in each):
        raise ValueError(f"seconds (={seconds}) must be from 0.02 to 600, for all {frames} frames or for each of them")
    return each


def gif(frames: Sequence[bytes], seconds: float | Sequence[float], bar: str = "") -> bytes:
    """PNG frames one after the other, for so many seconds each, for ever; each is as large as the largest.

    bar: the colour of a bar below, as long as the part that has been shown; "" for none.
    """
    images = [Image.open(io.BytesIO(frame)).convert("RGB") for frame in frames]
    width, height = (max(image.size[axis] for image in images) for axis in (0, 1))
    grounds: list[Any] = [image.getpixel((0, 0)) for image in images]
    sheets = []
    for n, (image, ground) in enumerate(zip(images, grounds, strict=True), start=1):
        sheet = Image.new("RGB", (width, height), ground)
        sheet.paste(image, ((width - image.width) // 2, (height - image.height) // 2))
        if bar:
            sheet.paste(bar, (0, height - max(2, height // 120), width * n // len(images), height))
        sheets.append(sheet)
    # One palette for all, so that nothing that stands still changes its colour.
    counts: Counter[tuple[int, ...]] = Counter()
    for sheet in sheets:
        counts.update({color: n for n, color in sheet.getcolors(width * height) or ()})  # type: ignore[misc]
    colors = np.array(list(dict.fromkeys([*grounds, *(color for color, _ in counts.most_common())])), np.uint8)
    palette = _palette(colors)
    nearest = np.zeros(1 << 24, np.uint8)  # of each colour that there is, its place in the palette
    nearest[colors @ CODE] = [np.abs(palette - color).sum(axis=1).argmin() for color in colors.astype(int)]
    flat = [Image.fromarray(nearest[np.asarray(sheet) @ CODE]) for sheet in sheets]
    for image in flat:
        image.putpalette(palette.astype(np.uint8).tobytes())
    file = io.BytesIO()
    flat[0].save(
        file,
        "gif",
        save_all=True,
        append_images=flat[1:],
        duration=[round(s * 1000) for s in times(seconds, len(flat))],
        loop=0,
        disposal=1,
    )
    return file.getvalue()


def _palette(colors: Array) -> Array:
    """At most 255 colours for these, the most frequent first, which stay as they are: paper, lines and fills.

    The rest are mostly shades at the edges of lines and letters.
    """
    frequent, rest = colors[:MOST_EXACT], colors[MOST_EXACT:]
    if len(colors) > 255:
        shades = Image.fromarray(rest[None]).quantize(255 - MOST_EXACT, dither=Image.Dither.NONE)
        rest = np.array(shades.getpalette(), np.uint8).reshape(-1, 3)[: 255 - MOST_EXACT]
    return np.concatenate([frequent, rest]).astype(int)


def moving_svg(frames: Sequence[str], seconds: float | Sequence[float], title: str, bar: str = "") -> str:
    """SVG frames one after the other, for so many seconds each, for ever; bar: as of a gif.

    Where animation is not known, or the reader asks for less motion, the last frame stands still; it stops under the
    mouse.
    """
    sizes = [[float(n) for n in re.findall(r'viewBox="[\d.-]+ [\d.-]+ ([\d.]+) ([\d.]+)"', svg)[0]] for svg in frames]
    width, height = max(s[0] for s in sizes), max(s[1] for s in sizes)
    enlarged = size_of(frames[0])[0] / sizes[0][0]
    n, each = len(frames), times(seconds, len(frames))
    total = sum(each)
    own = "f" + hashlib.sha256(repr([frames, each, bar]).encode()).hexdigest()[:8]  # others may move on the same page
    shows = {s: f"{own}_{k}" for k, s in enumerate(dict.fromkeys(each))}  # for each length of time
    keys = (
        f"@keyframes {name}{{0%{{visibility:visible}}{100 * s / total:.4f}%,100%{{visibility:hidden}}}}"
        for s, name in shows.items()
    )
    style = (
        "@media (prefers-reduced-motion:no-preference){"
        f".{own}{{animation:{total:g}s step-end infinite}}svg:hover .{own}{{animation-play-state:paused}}"
        f"{''.join(keys)}}}"
    )
    groups = []
    for i, svg in enumerate(frames):
        hidden = "" if i == n - 1 else ' visibility="hidden"'
        inside = re.sub(r' id="[^"]*"', "", svg[svg.index(">") + 1 : svg.rindex("</svg>")])  # each only once on a page
        if bar:
            high = height / 120
            end = f'width="{width * (i + 1) / n:g}" height="{high:g}" fill="{bar}"'
            inside += f'<rect x="0" y="{height - high:g}" {end}/>'
        # A frame begins late, that is early by what is left: so each shows at its time from the very first round on.
        timed = f"animation-delay:{-sum(each[i:]):g}s;animation-name:{shows[each[i]]}"
        groups.append(f'<g class="{own}"{hidden} style="{timed}">{inside}</g>')
    spaces = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    size = f'width="{width * enlarged:g}pt" height="{height * enlarged:g}pt" viewBox="0 0 {width:g} {height:g}"'
    label = escape(visible(title))
    return f'<svg {size} {spaces} role="img" aria-label="{label}"><style>{style}</style>{"".join(groups)}</svg>\n'
