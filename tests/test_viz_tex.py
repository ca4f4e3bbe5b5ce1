"""A TikZ picture says of each shape and each wire what the drawing says: its place, its size, its looks, its words."""

from __future__ import annotations

import math
import re
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nets.training.png import encode
from viz.drawing import tex
from viz.drawing.dot import UNIT, WIRE, plain, subscripted
from viz.drawing.sheet import UNCLIPPED, Drawing, Shape, Wire
from viz.drawing.style import Style


class Said(NamedTuple):
    """What a line of TikZ says: its looks, its name, its place, its words."""

    looks: set[str]
    name: str
    x: float
    y: float
    words: str


def read(text: str) -> tuple[list[Said], list[tuple[set[str], str]]]:
    """The nodes and the wires of a picture, with their styles and colours written out."""
    colours = dict(re.findall(r"\\definecolor\{(c\d+)\}\{HTML\}\{(\w+)\}", text))
    styles = dict(re.findall(r"(s\d+)/\.style=\{(.*)\},$", text, re.MULTILINE))

    def looks(name: str) -> set[str]:
        parts = re.split(r", (?![^[{]*[\]}])", styles[name])
        return {re.sub(r"=(c\d+)$", lambda found: "=#" + colours[found[1]], part) for part in parts}

    nodes = [
        Said(looks(style), name, float(x), float(y), words)
        for style, name, x, y, words in re.findall(
            r"^\\node\[(s\d+)\](?: \((n\d+)\))? at \(([-\d.]+),([-\d.]+)\) \{(.*)\};$", text, re.MULTILINE
        )
    ]
    wires = [(looks(style), path) for style, path in re.findall(r"^\\draw\[(s\d+)\] (.*);$", text, re.MULTILINE)]
    return nodes, wires


colours = st.sampled_from(["#E69F00", "#CFE8F7", "#0072B2"])
places = st.tuples(st.integers(-300, 300), st.integers(-300, 300))
pens = st.fixed_dictionaries({
    "color": colours,
    "penwidth": st.sampled_from(["0.5", "1", "2.25"]),
    "style": st.sampled_from(["filled", "dashed", "filled,dotted", "filled,rounded", "solid", ""]),
    "fillcolor": colours,
    "fontcolor": colours,
    "fontsize": st.sampled_from(["10", "14.5"]),
    "fontname": st.sampled_from(["Times-Roman", "Times-Italic", "Helvetica", "Helvetica-Bold", "Courier",
                                 "Courier-BoldOblique", "Georgia"]),
})  # fmt: skip
FACES = {
    "Times-Roman": r"\rmfamily", "Times-Italic": r"\rmfamily\itshape", "Helvetica": r"\sffamily",
    "Helvetica-Bold": r"\sffamily\bfseries", "Courier": r"\ttfamily", "Georgia": r"\sffamily",
    "Courier-BoldOblique": r"\ttfamily\bfseries\itshape",
}  # fmt: skip


@st.composite
def drawings(draw: st.DrawFn) -> Drawing:
    """Units, boxes, words and pictures, and wires between some of them."""
    drawing = Drawing()
    for n in range(draw(st.integers(2, 5))):
        kind, (x, y), looks = draw(st.sampled_from(["unit", "box", "text", "image"])), draw(places), draw(pens)
        if kind == "unit":
            drawing.unit(x, y, draw(st.sampled_from([plain(f"u{n}"), subscripted("x", n)])), looks)
        elif kind == "box":
            drawing.box(x, y, draw(st.integers(20, 90)), draw(st.integers(20, 90)), plain(f"b{n}\nline"), looks)
        elif kind == "text":
            align = draw(st.sampled_from("clr"))
            font = {key: looks[key] for key in ("fontname", "fontcolor")}
            drawing.text(x, y, f"words {n}\nand more", draw(st.sampled_from([12.0, 17.5])), align, **font)
        else:
            drawing.image(x, y, draw(st.integers(20, 90)), 30, encode(np.eye(3)), {"penwidth": looks["penwidth"]})
    last = len(drawing.shapes) - 1
    joined = set[frozenset[int]]()
    for _ in range(draw(st.integers(0, 4))):
        looks = draw(pens)
        wire = {
            "color": looks["color"],
            "penwidth": looks["penwidth"],
            "arrowsize": draw(st.sampled_from(["0.5", "1"])),
        }
        wire |= draw(st.sampled_from([{}, {"style": "dashed"}, {"arrowhead": "none"}, UNCLIPPED]))
        tail, head = draw(st.integers(0, last)), draw(st.integers(0, last))
        a, b = drawing.shapes[tail], drawing.shapes[head]
        apart = max(abs(a.x - b.x), abs(a.y - b.y)) > 150  # so that there is a line
        if apart and frozenset([tail, head]) not in joined:  # a second one would be bent
            joined.add(frozenset([tail, head]))
            drawing.wire(tail, head, wire, draw(st.booleans()))
    return drawing


def pen(looks: dict[str, str]) -> set[str]:
    style = looks["style"]
    said = {f"draw={looks['color']}", f"line width={looks['penwidth']}bp"}
    said |= {word for word in ("dashed", "dotted") if word in style}
    return said | ({"rounded corners=6bp"} if "rounded" in style else set())


def expected(s: Shape) -> set[str]:
    """The looks of a node, from those of its shape."""
    looks = {**UNIT, **s.looks}
    fill = {f"fill={looks['fillcolor']}"} if "filled" in looks["style"] else set()
    size = {"inner sep=0", "outer sep=0", f"minimum width={s.width:.2f}bp", f"minimum height={s.height:.2f}bp"}
    points = float(looks["fontsize"])
    face = FACES[looks["fontname"]]
    if s.label.startswith("<") and "itshape" not in face:
        face += r"\itshape"  # a letter with its number
    words = {rf"font=\fontsize{{{points:g}}}{{{1.2 * points:g}}}\selectfont{face}"}
    words |= {f"text={looks.get('fontcolor', '#000000')}"}
    if "image" in looks:
        return pen(looks) | fill | size
    if looks["shape"] == "plaintext":
        side = {"l": "left", "r": "right"}.get(s.label[-1], "center")
        anchored = {"anchor=west", "anchor=east"} if side != "center" else set()
        return (
            size | words | {f"align={side}"}
            if not anchored
            else {"inner sep=0", f"anchor={WEST[side]}", *words, f"align={side}"}
        )
    left = "left" if s.label.startswith("<") else "center"
    return pen(looks) | fill | size | words | {f"align={left}"} | ({"circle"} if looks["shape"] == "circle" else set())


WEST = {"left": "west", "right": "east"}


@given(drawings())
@settings(max_examples=25)
def test_nodes_have_the_places_sizes_looks_and_words_of_their_shapes(drawing: Drawing) -> None:
    nodes, _ = read(drawing.figure("t").tex(document=False))
    assert len(nodes) == len(drawing.shapes)
    moved = set()  # all of them by the same way: the renderer chooses where 0 is
    for n, (said, s) in enumerate(zip(nodes, drawing.shapes, strict=True)):
        assert said.name == f"n{n}"
        assert said.looks == expected(s)
        beside = {"anchor=west": -s.width / 2, "anchor=east": s.width / 2}
        shift = sum(way for anchor, way in beside.items() if anchor in said.looks)
        moved.add((round(said.x - shift - s.x, 0), round(said.y - s.y, 0)))
        if "image" in s.looks:
            inner = [f"{side - float(s.looks['penwidth']):.2f}bp" for side in (s.width, s.height)]
            assert said.words == rf"\includegraphics[width={inner[0]}, height={inner[1]}]{{image0.png}}"
        elif s.label.startswith("<"):
            assert said.words == f"$x_{{{n}}}$"
        else:
            assert said.words.split("\\\\") == re.split(r"\\[nlr]", re.sub(r"\\[lr]$", "", s.label))
    assert max(x for x, _ in moved) - min(x for x, _ in moved) <= 1
    assert max(y for _, y in moved) - min(y for _, y in moved) <= 1


@given(drawings())
@settings(max_examples=25)
def test_wires_join_the_names_with_the_looks_of_the_wires(drawing: Drawing) -> None:
    _, lines = read(drawing.figure("t").tex(document=False))
    found, wanted = [], []
    for wire in drawing.wires:
        looks = {**WIRE, **wire.looks}
        width, size = float(looks["penwidth"]), float(looks["arrowsize"])
        said = {f"draw={looks['color']}", f"line width={width:g}bp"} | ({"dashed"} if "style" in looks else set())
        if looks.get("arrowhead") != "none":
            said |= {f"-{{Triangle[length={10 * size + 1.6 * width:g}bp, width={7 * size + 1.6 * width:g}bp]}}"}
        centre = ".center" if "headclip" in looks and not wire.front else ".center" if "headclip" in looks else ""
        wanted.append((sorted(said), f"(n{wire.tail}{centre}) -- (n{wire.head}{centre})"))
    found = [(sorted(looks), path) for looks, path in lines]
    assert sorted(found) == sorted(wanted)


@given(drawings(), st.booleans(), st.sampled_from([1.0, 1.5, 0.5]))
@settings(max_examples=12)
def test_the_sheet_is_as_large_as_the_drawing_and_its_margin(drawing: Drawing, transparent: bool, scale: float) -> None:
    figure = drawing.figure("a\n  title €").styled(Style(transparent=transparent, size=scale))
    text = figure.tex(document=False)
    assert text.startswith("% a title ?\n")
    fill, *corners = re.findall(
        r"\\path\[(.*)\] \(([-\d.]+),([-\d.]+)\) rectangle \(([-\d.]+),([-\d.]+)\);", text
    )[0]  # fmt: skip
    left, low, right, high = map(float, corners)
    assert (fill == "") == transparent
    grounds = [color for _, color in re.findall(r"\\pagecolor(\[HTML\])?\{(\w+)\}", figure.tex())]
    assert grounds == ([] if transparent else ["FFFFFF"])  # the page around the sheet has its colour
    x0, y0, x1, y1 = drawing.extent()
    assert right - left == pytest.approx(x1 - x0 + 14.4, abs=3)  # as the renderer measures words, and its pens
    assert high - low == pytest.approx(y1 - y0 + 14.4, abs=3)
    page = figure.tex()
    found = re.search(r"paperwidth=([\d.]+)bp, paperheight=([\d.]+)bp, margin=1bp", page)
    assert found
    assert float(found[1]) == pytest.approx(scale * (right - left) + 2, abs=0.02)
    assert float(found[2]) == pytest.approx(scale * (high - low) + 2, abs=0.02)
    assert (f"scale={scale:g}, transform shape" in text) == (scale != 1)
    assert text.strip() in page
    assert "\\usepackage{lmodern}" in page  # other fonts do not have all sizes
    assert "\\usepackage{tikz}" in page and "\\pagestyle{empty}" in page


def test_wires_lie_below_nodes_and_the_paper_below_wires() -> None:
    drawing = Drawing()
    drawing.wire(drawing.unit(0, 0, "a"), drawing.unit(200, 0, "b"))
    text = drawing.figure("t").tex(document=False)
    marks = [text.index(part) for part in ("rectangle", "\\node", "\\draw")]
    layers = [text.rindex("\\begin{scope}[on background layer]", 0, mark) for mark in (marks[0], marks[2])]
    assert marks == sorted(marks) and layers[0] < marks[0] < marks[1] < layers[1] < marks[2]
    assert text.count("\\begin{scope}") == text.count("\\end{scope}") == 2


@given(st.lists(places, min_size=5, max_size=5, unique=True))
def test_a_curve_goes_through_its_points_to_its_tip(points: list[tuple[int, int]]) -> None:
    """Where it is no straight line; the tip is a piece of its own."""
    drawing = Drawing()
    ends = drawing.point(*points[0]), drawing.point(*points[-1])
    drawing.wires.append(Wire(*ends, {**WIRE}, False, tuple((float(x), float(y)) for x, y in points)))
    _, [(looks, path)] = read(drawing.figure("t").tex(document=False))
    assert any(part.startswith("-{Triangle") for part in looks)
    places_ = [(float(x), float(y)) for x, y in re.findall(r"\(([-\d.e]+),([-\d.e]+)\)", path)]
    if ".center" in path or re.search(r"\(n\d", path):  # straight
        (x0, y0), (x1, y1) = points[0], points[3]
        assert all(
            abs((x - x0) * (y1 - y0) - (y - y0) * (x1 - x0)) <= 0.6 * max(abs(x1 - x0), abs(y1 - y0))
            for x, y in points[:4]
        )
        return
    assert re.fullmatch(r"\S+ \.\. controls \S+ and \S+ \.\. \S+ -- \S+", path)
    shift = places_[0][0] - points[0][0], places_[0][1] - points[0][1]
    for (x, y), (a, b) in zip(places_, points, strict=True):
        assert (x - a, y - b) == pytest.approx(shift, abs=0.02)


# -- words -------------------------------------------------------------------------------------------------------------

BACK = {latex: c for c, latex in tex.WRITTEN.items()}
SPECIAL = "".join(tex.WRITTEN) + "- ,~"


@given(st.text(st.sampled_from(SPECIAL + "aZ09ÀÿŁ中") | st.characters(exclude_characters="["), max_size=12))
@example(" a,,b--c---d  e ")
def test_what_latex_prints_is_what_was_written(text: str) -> None:
    """Read back sign by sign; what pdfLaTeX does not know is there as its number."""
    written, read_back = tex.escaped(text), ""
    for pair in ("--", ",,", "  "):  # two of these become another sign, or one
        assert pair not in written
    assert not re.match(" ", written)
    while written:
        number = re.match(r"\[U\+([0-9A-F]{4,6})\]", written)
        known = next((latex for latex in BACK if written.startswith(latex)), "")
        if number:
            read_back, written = read_back + chr(int(number[1], 16)), written[number.end() :]
        elif known:
            read_back, written = read_back + BACK[known], written[len(known) :]
        else:
            assert written[0] == "~" or written.startswith("{}") or written[0] not in "\\{}$&#_%^"
            read_back += {"~": " "}.get(written[0], written[0]) * (not written.startswith("{}"))
            written = written[2 if written.startswith("{}") else 1 :]
    assert read_back == text


def test_letters_of_western_europe_are_written_as_they_are() -> None:
    letters = [chr(n) for n in range(0xC0, 0x100) if chr(n) not in tex.WRITTEN]
    assert len(letters) > 60 and all(tex.escaped(c) == c for c in letters)


@given(st.floats(1, 4000), st.floats(1, 4000))
def test_a_figure_of_any_shape_has_room_below_a_title(width: float, height: float) -> None:
    """On a Beamer slide of 16:9, whose text is 14 cm wide and 8.5 cm high, which it fills, and of 4:3, 10.8 and 9."""
    found = re.search(r"{(.*)\\textwidth}", tex._fitted(width, height))
    for text_width, text_height in ((14, 8.5), (10.8, 9)):
        across = float(found[1] or 1) * text_width if found else 0.75 * text_height * width / height
        upwards = across * height / width
        assert across <= 1.01 * text_width and upwards <= 0.77 * text_height
        assert across >= 13.8 or upwards >= 6.3 or text_width < 14


# -- what Graphviz lays out --------------------------------------------------------------------------------------------

Ops = list[dict[str, Any]]


def copied(monkeypatch: pytest.MonkeyPatch, ops: Ops, **more: Any) -> list[str]:
    """The lines that these drawing operations of a node become, styles and colours written out."""
    node = {"_gvid": 0, "name": "n0", "pos": "10,20", "width": "1", "height": "0.5", "shape": "plain", "_ldraw_": ops}
    found = {"bb": "0,0,100,50", "objects": [node], **more}
    monkeypatch.setattr(tex, "layout", lambda dot, renderer=None: found)
    text = tex.picture("", "t")
    styles = dict(re.findall(r"(s\d+)/\.style=\{(.*)\},$", text, re.MULTILINE))
    colours = dict(re.findall(r"\\definecolor\{(c\d+)\}\{HTML\}\{(\w+)\}", text))
    lines = [line for line in text.splitlines() if line.startswith(("\\path[s", "\\node[s", "\\draw[s"))]
    full = [re.sub(r"\[(s\d+)\]", lambda m: f"[{styles[m[1]]}]", line) for line in lines]
    return [re.sub(r"=(c\d+)", lambda m: "=#" + colours[m[1]], line) for line in full]


def test_what_a_renderer_draws_by_itself_is_copied_operation_by_operation(monkeypatch: pytest.MonkeyPatch) -> None:
    square, curve = [[0, 0], [10, 0], [10, 10]], [[0, 0], [1, 2], [3, 4], [5, 6]]
    lines = copied(monkeypatch, [
        {"op": "C", "color": "#CFE8F7"}, {"op": "c", "color": "#0072B2"}, {"op": "S", "style": "setlinewidth(2.5)"},
        {"op": "P", "points": square}, {"op": "p", "points": square}, {"op": "L", "points": square},
        {"op": "b", "points": curve}, {"op": "B", "points": curve},
        {"op": "F", "size": 11.0, "face": "Courier"}, {"op": "t", "fontchar": 3},
        {"op": "T", "pt": [4.5, 6], "align": "l", "width": 9, "text": "a_b"},
        {"op": "t", "fontchar": 0},
        {"op": "T", "pt": [4, 6], "align": "r", "width": 9, "text": "c"},
        {"op": "T", "pt": [4, 6], "align": "n", "width": 9, "text": "d"},
        {"op": "S", "style": "solid"}, {"op": "c", "color": "black"}, {"op": "L", "points": square[:2]},
    ])  # fmt: skip
    stroke, font = "draw=#0072B2, line width=2.5bp", r"font=\fontsize{11}{13.2}\selectfont\ttfamily"
    assert lines == [
        r"\node[inner sep=0, outer sep=0, minimum width=72.00bp, minimum height=36.00bp] (n0) at (10,20) {};",
        r"\path[fill=#CFE8F7] (0,0) -- (10,0) -- (10,10) -- cycle;",
        rf"\path[{stroke}] (0,0) -- (10,0) -- (10,10) -- cycle;",
        rf"\path[{stroke}] (0,0) -- (10,0) -- (10,10);",
        rf"\path[{stroke}] (0,0) .. controls (1,2) and (3,4) .. (5,6);",
        r"\path[fill=#CFE8F7] (0,0) .. controls (1,2) and (3,4) .. (5,6);",
        rf"\node[inner sep=0, anchor=base west, {font}\bfseries\itshape, text=#0072B2] at (4.5,6) {{a\_b}};",
        rf"\node[inner sep=0, anchor=base east, {font}, text=#0072B2] at (4,6) {{c}};",
        rf"\node[inner sep=0, anchor=base, {font}, text=#0072B2] at (4,6) {{d}};",
        r"\path[draw=black, line width=2.5bp] (0,0) -- (10,0);",
    ]


@pytest.mark.parametrize("kind", tex.LINES)
def test_a_label_with_a_line_in_it_is_copied_word_for_word(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    line = {"op": kind, "points": [[0, 0], [1, 2], [3, 4], [5, 6]]}
    node, drawn, word = copied(monkeypatch, [line, {"op": "T", "pt": [7, 8], "align": "n", "width": 9, "text": "a"}])
    assert node.endswith("{};") and drawn.startswith("\\path[") and word.endswith("at (7,8) {a};")


def test_lines_of_a_label_are_lines_and_parts_of_a_line_are_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def text(words: str, y: float, bits: int = 0) -> Ops:
        return [{"op": "t", "fontchar": bits}, {"op": "T", "pt": [0, y], "align": "n", "width": 9, "text": words}]

    ops = [{"op": "c", "color": "#0072B2"}, {"op": "F", "size": 20.0, "face": "Times-Roman"}]
    ops += text("a", 30, 2) + text("b", 31) + text("3", 28, 16) + text("c", 10)
    [line] = copied(monkeypatch, ops)
    assert line.endswith(r"{a$b_{3}$\\c};")
    assert r"font=\fontsize{20}{24}\selectfont\rmfamily, text=#0072B2, align=center" in line
    assert copied(monkeypatch, [])[0].endswith("{};")


def test_frames_are_drawn_first_with_their_names(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = {
        "_gvid": 1, "name": "cluster_0", "bb": "1,2,30.5,40", "nodes": [0], "style": "rounded", "color": "#8A8F98",
        "_ldraw_": [{"op": "F", "size": 12.0, "face": "Helvetica"},
                    {"op": "T", "pt": [5, 30], "align": "l", "width": 9, "text": "C1"}],
    }  # fmt: skip
    hidden = {"_gvid": 2, "name": "cluster_1", "bb": "0,0,9,9", "nodes": [0], "peripheries": "0"}
    node = {"_gvid": 0, "name": "n0", "pos": "10,20", "width": "1", "height": "0.5", "shape": "plain"}
    lines = copied(monkeypatch, [], objects=[frame, hidden, node])
    assert lines[0] == r"\draw[draw=#8A8F98, line width=1bp, rounded corners=6bp] (1,2) rectangle (30.5,40);"
    assert lines[1].endswith(r"at (5,30) {C1};")
    assert lines[2].startswith(r"\node[inner sep=0, outer sep=0") and len(lines) == 3


def test_an_ellipse_is_one_and_its_label_stands_in_its_middle(monkeypatch: pytest.MonkeyPatch) -> None:
    ops: Ops = [{"op": "F", "size": 14.0, "face": "Helvetica"}]
    ops += [{"op": "T", "pt": [10, 17], "align": "n", "width": 9, "text": "long"}]
    for shape in ({"shape": "ellipse"}, {"shape": "oval"}, {}):
        node = {"_gvid": 0, "name": "n0", "pos": "10,20", "width": "1", "height": "0.5", "style": "filled", **shape}
        ellipse, label = copied(monkeypatch, [], objects=[{**node, "_ldraw_": ops}])
        assert ellipse == r"\path[draw=#000000, line width=1bp, fill=#D3D3D3] (10,20) ellipse (36 and 18);"
        assert label.startswith(r"\node[inner sep=0, outer sep=0, minimum width=72.00bp") and label.endswith("{long};")
    circle = {"_gvid": 0, "name": "n0", "pos": "10,20", "width": "1", "height": "1", "shape": "circle"}
    [line] = copied(monkeypatch, [], objects=[circle])
    assert ", circle, " in line


def test_labels_of_wires_are_written_where_they_stand(monkeypatch: pytest.MonkeyPatch) -> None:
    node = {"_gvid": 0, "name": "n0", "pos": "10,20", "width": "1", "height": "0.5", "shape": "plain"}
    said = [[{"op": "T", "pt": [n, n], "align": "n", "width": 9, "text": f"at {n}"}] for n in (1, 2, 3)]
    edge = {"tail": 0, "head": 0, "pos": "s,7,7 e,9,9 0,0 1,2 3,4 5,6", "color": "#464646",
            "_ldraw_": said[0], "_hldraw_": said[1], "_tldraw_": said[2]}  # fmt: skip
    invisible = {"tail": 0, "head": 0, "pos": "0,0 1,2 3,4 5,6", "style": "invis"}
    lines = copied(monkeypatch, [], objects=[node], edges=[edge, invisible])
    assert [line.rpartition("] ")[2] for line in lines[1:4]] == [f"at ({n},{n}) {{at {n}}};" for n in (1, 2, 3)]
    assert [line for line in lines if line.startswith("\\draw")] == [
        r"\draw[draw=#464646, line width=1bp, -{Triangle[length=11.6bp, width=8.6bp]}] "
        r"(0,0) .. controls (1,2) and (3,4) .. (5,6) -- (9,9);"
    ]


@given(st.floats(0, 360), st.floats(20, 400), st.floats(-0.35, 0.35) | st.floats(0.75, 30) | st.floats(-30, -0.75))
def test_a_line_is_straight_in_any_direction_up_to_half_a_point(angle: float, length: float, off: float) -> None:
    along = np.array([math.cos(math.radians(angle)), math.sin(math.radians(angle))])
    aside = along[::-1] * [-1, 1]
    points = [0 * along, length / 3 * along + off * aside, length / 2 * along, length * along]
    assert tex._is_straight([point.tolist() for point in points]) == (abs(off) < 0.5)


@pytest.mark.parametrize("engine", ["dot", "neato"])
def test_a_straight_wire_joins_names_only_where_places_are_ours(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Graphviz lays out, a wire need not lead from middle to middle."""
    node = {"pos": "10,20", "width": "1", "height": "0.5", "shape": "plain"}
    nodes = [{**node, "_gvid": n, "name": f"n{n}"} for n in (0, 1)]
    edge = {"tail": 0, "head": 1, "pos": "e,9,9 0,0 2,2 4,4 6,6"}
    lines = copied(monkeypatch, [], objects=nodes, edges=[edge], layout=engine)
    [path] = [line.rpartition("] ")[2] for line in lines if line.startswith("\\draw")]
    assert path == {"neato": "(n0) -- (n1);", "dot": "(0,0) .. controls (2,2) and (4,4) .. (6,6) -- (9,9);"}[engine]


def test_images_are_looked_for_under_their_prefix(tmp_path: Any) -> None:
    drawing = Drawing()
    drawing.image(0, 0, 40, 40, encode(np.eye(4)))
    path = drawing.figure("t").save(tmp_path / "my figure.tex")
    assert "{my figure-image0.png}" in path.read_text()
    assert (tmp_path / "my figure-image0.png").read_bytes() == encode(np.eye(4))
