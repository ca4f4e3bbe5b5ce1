"""From DOT text to TikZ: a picture that a LaTeX document can hold, and a lecturer can go on writing.

What you can do here: write a drawing's `picture` (a tikzpicture, to be read with \\input) and a `document` around it.

Places come from the renderer's own layout (json).  A node becomes a \\node with a name, a wire a \\draw between two
names; what Graphviz lays out itself (tables in computation graphs, frames, curves) is copied line by line.
Looks that are used are collected into styles s1, s2, ... and colours c1, c2, ... in front of the picture.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from .render import layout

Json = dict[str, Any]

PACKAGES = "\\usepackage{tikz}\n\\usetikzlibrary{arrows.meta, backgrounds}\n"
WIDE, NARROW = 2.2, 1.6  # times as wide as high: what a title leaves of a slide of 16:9, and of 4:3
BOLD, ITALIC, SUBSCRIPT = 1, 2, 16  # bits of a font, as Graphviz counts them
ROUND = ("circle", "ellipse", "oval", None)
LABELS = ("_ldraw_", "_hldraw_", "_tldraw_")  # of a wire: in its middle, at its head, at its tail
LINES = ("P", "B", "L", "p", "b")  # what Graphviz draws itself: polygons and curves, filled or not, and broken lines
FAMILIES = {"Times": "\\rmfamily", "Courier": "\\ttfamily"}
NAMED = r"""\ \textbackslash{} ^ \textasciicircum{} ~ \textasciitilde{} < \textless{} > \textgreater{} | \textbar{}
    " \textquotedbl{} ' \textquotesingle{} ` \textasciigrave{} … \ldots{} – \textendash{} — \textemdash{}"""
MATHEMATICS = r"""− - × \times · \cdot ° ^\circ ′ ' ± \pm ∇ \nabla ∂ \partial ⊙ \odot ⊗ \otimes ⊕ \oplus ∘ \circ
    ≡ \equiv → \to ← \leftarrow ≠ \neq ≤ \leq ≥ \geq ≈ \approx ∞ \infty √ \surd ∈ \in ⌊ \lfloor ⌋ \rfloor ⌈ \lceil ⌉
    \rceil α \alpha β \beta γ \gamma δ \delta ε \varepsilon η \eta θ \theta λ \lambda μ \mu π \pi ρ \rho σ \sigma τ \tau
    φ \varphi ω \omega Δ \Delta Σ \Sigma Π \Pi Ω \Omega ⁻ ^- ⁰ ^0 ¹ ^1 ² ^2 ³ ^3 ⁴ ^4 ⁵ ^5 ⁶ ^6 ⁷ ^7 ⁸ ^8 ⁹ ^9
    ₀ _0 ₁ _1 ₂ _2 ₃ _3 ₄ _4 ₅ _5 ₆ _6 ₇ _7 ₈ _8 ₉ _9"""


def _pairs(text: str) -> dict[str, str]:
    """What stands first, by what stands second."""
    words = text.split()
    return dict(zip(words[::2], words[1::2], strict=True))


WRITTEN = (  # a character, as LaTeX writes it
    {c: f"\\{c}" for c in "{}$&#_%"} | _pairs(NAMED) | {c: f"${symbol}$" for c, symbol in _pairs(MATHEMATICS).items()}
)


def escaped(text: str) -> str:
    r"""The text for LaTeX, whatever it holds; a character that pdfLaTeX does not know is written as its number.

    >>> escaped("50% of R&D_1 − \\N 中")
    '50\\% of R\\&D\\_1 $-$ \\textbackslash{}N [U+4E2D]'
    """
    known = {c for c in text if " " <= c <= "~" or "À" <= c <= "ÿ"}
    written = "".join(WRITTEN.get(c) or (c if c in known else f"[U+{ord(c):04X}]") for c in text)
    written = re.sub(r"([-,])(?=\1)", r"\1{}", written)  # two hyphens would become a dash, two commas a quote,
    return re.sub(r"^ | (?= )|(?<= ) ", "~", written)  # and several spaces one


def document(dot: str, title: str, prefix: str = "", scale: float = 1.0, renderer: str | None = None) -> str:
    """A whole LaTeX document of one page, as large as the picture; it needs nothing but TikZ and geometry."""
    found = layout(dot, renderer=renderer)
    drawn = _picture(found, title, prefix, scale)
    left, low, right, high = _corners(found)
    ground = found.get("bgcolor", "transparent")
    color = f"[HTML]{{{ground[1:7].upper()}}}" if ground.startswith("#") else f"{{{ground}}}"
    page = "" if ground == "transparent" else f"\\pagecolor{color}"  # as the picture: no white edge around it
    width, height = scale * (right - left) + 2, scale * (high - low) + 2
    paper = f"paperwidth={width:.2f}bp, paperheight={height:.2f}bp, margin=1bp, noheadfoot"
    return (
        "\\documentclass{article}\n\\usepackage[T1]{fontenc}\n\\usepackage{textcomp}\n"
        "\\IfFileExists{lmodern.sty}{\\usepackage{lmodern}}{}\n"
        f"{PACKAGES}\\usepackage[{paper}]{{geometry}}\n"
        "\\pagestyle{empty}\\parindent=0pt\\topskip=0pt\\hfuzz=\\maxdimen\\vfuzz=\\maxdimen\n"
        f"\\begin{{document}}{page}\n\\vbox to 0pt{{{drawn}\\vss}}\n\\end{{document}}\n"
    )


def picture(dot: str, title: str, prefix: str = "", scale: float = 1.0, renderer: str | None = None) -> str:
    """A tikzpicture; what must be in the preamble stands above it, as a comment.

    The files of images are looked for with the prefix before their names.
    Raises RenderError where there is no renderer.
    """
    return _picture(layout(dot, renderer=renderer), title, prefix, scale)


def _picture(found: Json, title: str, prefix: str, scale: float) -> str:
    """A tikzpicture of what has been laid out."""
    sheet = _Sheet(prefix)
    objects = found.get("objects", [])
    names = {o["_gvid"]: re.sub(r"\At(\d+)\Z", r"n\1", o["name"]) for o in objects}  # a twin is drawn at its node
    frames = [line for o in objects if "nodes" in o or "subgraphs" in o for line in sheet.frame(o)]
    nodes = [line for o in objects if "pos" in o for line in sheet.node(o, names[o["_gvid"]])]
    straight = found.get("layout") == "neato"
    wires = [sheet.wire(e, names, straight) for e in found.get("edges", []) if e.get("style") != "invis"]
    labels = [op for e in found.get("edges", []) for at in LABELS for op in e.get(at, [])]
    nodes += sheet.copied(labels)
    background = f"fill={sheet.color(found['bgcolor'])}" if found.get("bgcolor", "transparent") != "transparent" else ""
    left, low, right, high = _corners(found)
    options = ["x=1bp, y=1bp", *(f"{name}/.style={{{looks}}}" for looks, name in sheet.styles.items())]
    options += [f"scale={scale:g}, transform shape"] if scale != 1 else []
    lines = [
        f"% {' '.join(title.split()).encode('ascii', 'replace').decode()}",
        "% in the preamble: \\usepackage{tikz} \\usetikzlibrary{arrows.meta, backgrounds}; fonts of all sizes: lmodern",
        f"% on a slide, with the name of this file: {_fitted(right - left, high - low)}",
        *(f"\\definecolor{{{name}}}{{HTML}}{{{value}}}" for value, name in sheet.colors.items()),
        "\\begin{tikzpicture}[",
        *(f"  {option}," for option in options),
        "]",
        "\\begin{scope}[on background layer]",
        f"\\path[{background}] ({left:g},{low:g}) rectangle ({right:g},{high:g});",
        *frames,
        "\\end{scope}",
        *nodes,
        "\\begin{scope}[on background layer]",
        *wires,
        "\\end{scope}",
        "\\end{tikzpicture}",
    ]
    return "\n".join(lines) + "\n"


def _fitted(width: float, height: float) -> str:
    """How a picture is made as large as a slide of 16:9 allows, and fits one of 4:3 too: by its width or its height."""
    wide = width / height
    part = "" if wide > WIDE else f"{wide / WIDE:.2f}"
    side = f"{{{part}\\textwidth}}{{!}}" if wide > NARROW else "{!}{0.75\\textheight}"
    return f"\\resizebox{side}{{\\input{{...}}}}"


def _corners(found: Json) -> tuple[float, float, float, float]:
    """The left, lower, right and upper end of the sheet: those of the layout, and a margin."""
    left, low, right, high = (float(n) for n in found["bb"].split(","))
    margin = 72 * float(found.get("pad", 0))
    return left - margin, low - margin, right + margin, high + margin


@dataclass
class _Sheet:
    """The lines of a picture; colours and styles get their names as they are used."""

    prefix: str
    colors: dict[str, str] = field(default_factory=dict)
    styles: dict[str, str] = field(default_factory=dict)

    def color(self, value: str) -> str:
        """The name of a colour: #RRGGBB, or a word that TikZ knows too."""
        if not value.startswith("#"):
            return value
        return self.colors.setdefault(value[1:7].upper(), f"c{len(self.colors) + 1}")

    def style(self, *looks: str) -> str:
        return self.styles.setdefault(", ".join(part for part in looks if part), f"s{len(self.styles) + 1}")

    def pen(self, o: Json) -> list[str]:
        """The outline: its colour, width and strokes."""
        dashes = [word for word in ("dashed", "dotted") if word in o.get("style", "")]
        rounded = ["rounded corners=6bp"] if "rounded" in o.get("style", "") else []
        width = float(o.get("penwidth", 1))
        color = self.color(o.get("color", "#000000"))
        return [f"draw={color}, line width={width:g}bp" if width else "", *dashes, *rounded]

    def fill(self, o: Json) -> str:
        return f"fill={self.color(o.get('fillcolor', '#D3D3D3'))}" if "filled" in o.get("style", "") else ""

    def frame(self, o: Json) -> Iterator[str]:
        """A frame around nodes, and its name."""
        if o.get("peripheries") != "0" and "bb" in o:
            x0, y0, x1, y1 = o["bb"].split(",")
            yield f"\\draw[{self.style(*self.pen(o), self.fill(o))}] ({x0},{y0}) rectangle ({x1},{y1});"
            yield from self.copied(o.get("_ldraw_", []))

    def node(self, o: Json, name: str) -> Iterator[str]:
        x, y = (f"{float(n):g}" for n in o["pos"].rstrip("!").split(","))
        if o.get("shape") == "point":
            yield f"\\coordinate ({name}) at ({x},{y});"
        elif o.get("style") != "invis":
            width, height = (72 * float(o[side]) for side in ("width", "height"))
            size = f"inner sep=0, outer sep=0, minimum width={width:.2f}bp, minimum height={height:.2f}bp"
            texts = o.get("_ldraw_", [])
            if o.get("shape") in ("plain", "plaintext", "none"):
                outline = [self.fill(o)]
            else:
                outline = [*self.pen(o), self.fill(o), "circle" if o.get("shape") in ROUND else ""]
            if "circle" in outline and o["width"] != o["height"]:  # TikZ itself knows circles only
                yield f"\\path[{self.style(*outline[:-1])}] ({x},{y}) ellipse ({width / 2:g} and {height / 2:g});"
                outline = []
            if "image" in o:
                pen = float(o.get("penwidth", 1))  # the frame is drawn first, and would be covered
                inner = f"width={width - pen:.2f}bp, height={height - pen:.2f}bp"
                inside = f"\\includegraphics[{inner}]{{{self.prefix}{o['image']}}}"
                yield f"\\node[{self.style(size, *outline)}] ({name}) at ({x},{y}) {{{inside}}};"
            elif any(op.get("op") in LINES for op in texts):  # a table
                yield f"\\node[{self.style(size)}] ({name}) at ({x},{y}) {{}};"
                yield from self.copied(texts)
            else:
                font, align, text = self.text(texts)
                if o.get("shape") == "plaintext" and align != "align=center" and text:  # from its end, in any font
                    sign, anchor = (-1, "west") if align == "align=left" else (1, "east")
                    x = f"{float(x) + sign * width / 2:g}"
                    size = f"inner sep=0, anchor={anchor}"
                yield f"\\node[{self.style(*outline, size, font, align)}] ({name}) at ({x},{y}) {{{text}}};"

    def text(self, ops: Sequence[Json]) -> tuple[str, str, str]:
        """The font of a label, how its lines are aligned, and the label in LaTeX."""
        font, align, bits, color, lines = Json(), "", 0, "black", list[list[str]]()
        height: float | None = None
        for op in ops:
            if op.get("op") == "F":
                font = op
            elif op.get("op") == "c":
                color = self.color(op["color"])
            elif op.get("op") == "t":
                bits = op["fontchar"]
            elif op.get("op") == "T":
                text = escaped(op["text"])
                if bits & SUBSCRIPT and lines:
                    lines[-1][-1] = f"${lines[-1][-1].strip('$')}_{{{text}}}$"
                elif height is not None and abs(op["pt"][1] - height) < 2:
                    lines[-1].append(text)
                else:
                    lines.append([text])
                    height = op["pt"][1]
                    size, face, align = font.get("size", 14), self.face(font, bits), op["align"]
        if not lines:
            return "", "", ""
        full = f"font=\\fontsize{{{size:g}}}{{{1.2 * size:g}}}\\selectfont{face}, text={color}"
        return (
            full,
            {"l": "align=left", "r": "align=right"}.get(align, "align=center"),
            "\\\\".join(map("".join, lines)),
        )

    def face(self, font: Json, bits: int) -> str:
        name = font.get("face", "Times")
        family = next((f for start, f in FAMILIES.items() if name.startswith(start)), "\\sffamily")
        bold = "\\bfseries" if "Bold" in name or bits & BOLD else ""
        return family + bold + ("\\itshape" if "Italic" in name or "Oblique" in name or bits & ITALIC else "")

    def copied(self, ops: Sequence[Json]) -> Iterator[str]:
        """What Graphviz draws by itself, each line and each text at its place."""
        pen, fill, width, bits, font = "black", "white", 1.0, 0, Json()
        for op in ops:
            kind = op.get("op", "")
            if kind == "c":
                pen = self.color(op["color"])
            elif kind == "C":
                fill = self.color(op["color"])
            elif kind == "S" and (said := re.match(r"setlinewidth\(([\d.]+)\)", op["style"])):
                width = float(said[1])
            elif kind == "F":
                font = op
            elif kind == "t":
                bits = op["fontchar"]
            elif kind in LINES:
                looks = f"fill={fill}" if kind in "PB" else f"draw={pen}, line width={width:g}bp"
                yield f"\\path[{self.style(looks)}] {_path(op['points'], kind in 'Bb')}{' -- cycle' * (kind in 'Pp')};"
            elif kind == "T":
                size = font.get("size", 14)
                place = {"l": "base west", "r": "base east"}.get(op["align"], "base")
                looks = f"font=\\fontsize{{{size:g}}}{{{1.2 * size:g}}}\\selectfont{self.face(font, bits)}, text={pen}"
                x, y = op["pt"]
                style = self.style(f"inner sep=0, anchor={place}", looks)
                yield f"\\node[{style}] at ({x:g},{y:g}) {{{escaped(op['text'])}}};"

    def wire(self, edge: Json, names: dict[int, str], straight: bool) -> str:
        width, size = float(edge.get("penwidth", 1)), float(edge.get("arrowsize", 1))
        looks = self.pen(edge)
        if (
            edge.get("arrowhead") != "none"
        ):  # a tip is drawn with the pen too, which makes it longer by 1.6 of its width
            tip = f"length={10 * size + 1.6 * width:g}bp, width={7 * size + 1.6 * width:g}bp"
            looks.append(f"-{{Triangle[{tip}]}}")
        ends = [names[edge[end]] for end in ("tail", "head")]
        if straight and "pos" in edge and _is_straight(_points(edge)):
            clips = [edge.get(f"{end}clip") == "false" for end in ("tail", "head")]
            tail, head = (f"({name}.center)" if clip else f"({name})" for name, clip in zip(ends, clips, strict=True))
            return f"\\draw[{self.style(*looks)}] {tail} -- {head};"
        point = re.findall(r"e,([\d.e+-]+),([\d.e+-]+)", edge["pos"])
        return (
            f"\\draw[{self.style(*looks)}] {_path(_points(edge), True)}{''.join(f' -- ({x},{y})' for x, y in point)};"
        )


def _points(edge: Json) -> list[list[float]]:
    return [[float(n) for n in point.split(",")] for point in edge["pos"].split() if point[0] not in "es"]


def _is_straight(points: Sequence[Sequence[float]]) -> bool:
    (x0, y0), (x1, y1) = points[0], points[-1]
    length = max(abs(x1 - x0), abs(y1 - y0), 1e-9)
    return all(abs((x - x0) * (y1 - y0) - (y - y0) * (x1 - x0)) / length < 0.5 for x, y in points)


def _path(points: Sequence[Sequence[float]], curved: bool) -> str:
    places = [f"({x:g},{y:g})" for x, y in points]
    if not curved:
        return " -- ".join(places)
    parts = [
        f" .. controls {a} and {b} .. {c}" for a, b, c in zip(places[1::3], places[2::3], places[3::3], strict=True)
    ]
    return places[0] + "".join(parts)
