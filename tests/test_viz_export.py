"""Figures that leave the screen: each format holds the whole figure, and equal figures give equal bytes."""

from __future__ import annotations

import io
import math
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFont

import viz
from minitensor import Tensor, conv1d, tanh
from nets.training.png import encode
from viz import Drawing, Figure, RenderError, above, animate, beside, computation_graph, connectivity, table
from viz.drawing import export
from viz.drawing.check import measure
from viz.drawing.sheet import words
from viz.drawing.style import MEANINGS, NAMES, Style, contrast
from viz.drawing.tex import escaped
from viz.subjects.lecture import FIGURES

from .checks import raises
from .drawn import drawn_once

LATEX = shutil.which("pdflatex")
SPARSE = Tensor(np.arange(1.0, 4).reshape(1, 1, 3), name="w")


def layer(x: Tensor) -> Tensor:
    return conv1d(x, SPARSE, padding=1)


def graph() -> Figure:
    x, w = Tensor(0.5, name="x"), Tensor(2.0, name="w")
    return computation_graph(tanh(w * x) - 1.5, gradients=True)  # with numbers at its wires: operands in order


def picture() -> Figure:
    sheet = Drawing()
    sheet.image(0, 0, 40, 40, encode(np.eye(4)))
    return sheet.figure("an image")


def units() -> Figure:
    return connectivity(layer, 5, highlight=2, share=True, title="a & b < 50%")


def pair() -> Drawing:
    sheet = Drawing()
    sheet.wire(sheet.unit(0, 0, "a"), sheet.unit(90, 0, "b"))
    return sheet


FIGURES_OF_EACH_KIND = [graph, picture, units, lambda: above(graph(), units(), picture()).figure("all three")]
# A renderer's own text of arithmetic is the same on one machine; formats that go through it are compared here.
kinds = pytest.mark.parametrize("draw", FIGURES_OF_EACH_KIND, ids=["graph", "image", "units", "all"])


@kinds
@pytest.mark.parametrize("suffix", ["dot", "svg", "tex", "pdf", "png"])
def test_equal_figures_are_equal_byte_for_byte(draw: Any, suffix: str, tmp_path: Path) -> None:
    one, two = (draw().save(tmp_path / f"figure.{suffix}").read_bytes() for _ in range(2))
    assert one == two


@kinds
@pytest.mark.parametrize("style", ["light", "dark", "print", Style("dark", size=1.5, line=2, font="Georgia")])
def test_every_kind_of_figure_is_saved_in_every_format_and_style(draw: Any, style: str | Style, tmp_path: Path) -> None:
    figure = draw().styled(style)
    for suffix in ("dot", "svg", "tex", "pdf", "png"):
        assert figure.save(tmp_path / f"x.{suffix}").stat().st_size > 100


# -- png ---------------------------------------------------------------------------------------------------------------


@given(st.integers(20, 400))
@settings(max_examples=15)
def test_a_png_is_as_large_as_its_dpi_says_and_says_it(dpi: int) -> None:
    figure = units()
    width, height = export.size_of(figure.svg())
    with Image.open(io.BytesIO(figure.png(dpi=dpi))) as image:
        assert image.width == pytest.approx(width * dpi / 72, abs=1)
        assert image.height == pytest.approx(height * dpi / 72, abs=1)
        assert image.info["dpi"] == pytest.approx((dpi, dpi), rel=1e-3)
        assert image.info["Title"] == figure.title


@pytest.mark.parametrize("dpi", [0, -1, 1e9, float("nan")])
def test_a_dpi_that_makes_no_picture_is_a_clear_error(dpi: float) -> None:
    with pytest.raises(ValueError, match="dpi"):
        units().png(dpi=dpi)


def test_a_picture_is_transparent_if_asked_and_only_then(tmp_path: Path) -> None:
    for transparent in (False, True):
        path = units().save(tmp_path / "x.png", transparent=transparent)
        with Image.open(path) as image:
            corner = image.convert("RGBA").getpixel((0, 0))
            assert isinstance(corner, tuple)
            assert corner[3] == (0 if transparent else 255)


def test_text_is_drawn_with_the_fonts_that_viz_brings_and_others_only_for_what_they_lack(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As on a machine that has no font at all: nothing is lost."""
    asked, draw = [], export.resvg_py.svg_to_bytes

    class Listening:
        @staticmethod
        def svg_to_bytes(**given: Any) -> Any:
            asked.append(not given["skip_system_fonts"])
            return draw(**given)

    monkeypatch.setattr(export, "resvg_py", Listening)
    assert units().png() != Figure(re.sub(r'label=(<.*?>|"[^"]*") (?=\w+=)', 'label="" ', units().dot)).png()
    words("ascii − × · é Σ").png()
    assert not any(asked)
    words("名前").png()
    units().styled(Style(font="Georgia")).png()
    assert asked[-2:] == [True, True]


def shown(font: Any, character: str) -> bool:
    missing = font.getmask("\U0010ffff")
    mask = font.getmask(character)
    return character.isspace() or (mask.size, bytes(mask)) != (missing.size, bytes(missing))


def test_the_fonts_have_every_character_that_the_lecture_shows() -> None:
    fonts = {path.stem: ImageFont.truetype(str(path), 24) for path in export.FONTS.glob("*.ttf")}
    characters = {c for _, _, draw in FIGURES if draw.__name__ not in SLOW for c in text_of(drawn_once(draw).svg())}
    for face in ("LiberationSans-Regular", "LiberationSans-Bold"):
        assert [c for c in sorted(characters) if not shown(fonts[face], c)] == []


SLOW = ("alexnet_architecture", "channels_that_see_some_channels")


def texts(svg: str) -> list[str]:
    return ["".join(t.itertext()) for t in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


def text_of(svg: str) -> str:
    return "".join(texts(svg))


# -- pdf ---------------------------------------------------------------------------------------------------------------


def test_a_pdf_holds_its_fonts_its_title_and_a_page_of_its_size() -> None:
    figure = units()
    content = figure.pdf()
    assert content.startswith(b"%PDF-1.5")  # more than that is more than LaTeX takes in
    assert b"LiberationSerif-Italic" in content
    assert b"/FontFile" in content
    assert f"/Alt({figure.title})".encode() in content
    box = re.search(rb"/MediaBox ?\[0 0 ([\d.]+) ([\d.]+)\]", content)
    assert box and [float(n) for n in box.groups()] == pytest.approx(export.size_of(figure.svg()), abs=1)


def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(export, "typst", None)
    monkeypatch.setattr(export, "resvg_py", None)
    with pytest.raises(RenderError, match=r"pdf needs typst: pip install 'minitensor-lecture\[export\]'"):
        units().save(tmp_path / "x.pdf")
    with pytest.raises(RenderError, match="png needs resvg-py: pip install resvg-py"):
        units().save(tmp_path / "x.png")
    assert list(tmp_path.iterdir()) == []


# -- tex ---------------------------------------------------------------------------------------------------------------


def test_units_have_names_places_and_subscripts_and_wires_join_the_names() -> None:
    text = connectivity(layer, 5).tex(document=False)
    assert re.search(r"\\node\[s1\] \(n2\) at \([\d.]+,[\d.]+\) \{\$x_\{3\}\$\};", text)
    assert len(re.findall(r"\\draw\[s\d\] \(n\d\) -- \(n\d\);", text)) == 13
    assert "documentclass" not in text
    assert text.rstrip().endswith("\\end{tikzpicture}")


@given(st.text(max_size=20))
def test_text_for_latex_has_no_character_that_acts(text: str) -> None:
    plain = re.sub(r"\\text\w+\{\}|\\ldots\{\}|\$[^$]*\$|\\[{}$&#_%]|\{\}|\[U\+[0-9A-F]+\]", "", escaped(text))
    assert not set(plain) & set("\\{}$&#_%^~<>|\"'`")


@pytest.mark.skipif(LATEX is None, reason="no LaTeX on this machine")
@pytest.mark.parametrize("document", [True, False])
@kinds
def test_the_tex_compiles(draw: Any, document: bool, tmp_path: Path) -> None:
    draw().save(tmp_path / "figure.tex", document=document)
    if not document:
        preamble = "\\documentclass{article}\\usepackage{tikz}\\usetikzlibrary{arrows.meta, backgrounds}"
        (tmp_path / "main.tex").write_text(f"{preamble}\\begin{{document}}\\input{{figure}}\\end{{document}}")
    command = [LATEX or "", "-interaction=nonstopmode", "-halt-on-error", "figure.tex" if document else "main.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:]
    assert not document or "(1 page" in done.stdout


BEAMER = LATEX and subprocess.run(["kpsewhich", "beamer.cls"], capture_output=True).returncode == 0


@pytest.mark.skipif(not BEAMER, reason="no LaTeX with Beamer on this machine")
@pytest.mark.parametrize("ratio", ["169", "43"])
def test_a_figure_fits_a_slide_by_the_line_that_its_file_says(ratio: str, tmp_path: Path) -> None:
    """Wide, high and square ones, each under a title, with the preamble that the README says."""
    dense = connectivity([layer] * 4, 3, title="high")
    figures = {"wide": units(), "high": dense, "square": picture(), "graph": graph()}
    frames = []
    for name, figure in figures.items():
        text = figure.save(tmp_path / f"{name}.tex", document=False).read_text()
        [fitted] = re.findall(r"^% on a slide, with the name of this file: (.*)$", text, re.MULTILINE)
        frames.append(f"\\begin{{frame}}{{A title}}\\centering {fitted.replace('...', name)}\\end{{frame}}")
    [preamble] = re.findall(
        r"^\\usepackage.*tikz.*$", (Path(viz.__file__).parents[1] / "README.md").read_text(), re.MULTILINE
    )
    begin = f"\\documentclass[aspectratio={ratio}]{{beamer}}\n{preamble}\n\\begin{{document}}"
    (tmp_path / "deck.tex").write_text("\n".join([begin, *frames, "\\end{document}"]))
    done = subprocess.run(
        [LATEX or "", "-interaction=nonstopmode", "deck.tex"], cwd=tmp_path, capture_output=True, text=True
    )
    assert "(4 pages" in done.stdout, done.stdout[-2000:]
    assert "Overfull" not in done.stdout


@pytest.mark.skipif(LATEX is None, reason="no LaTeX on this machine")
def test_hostile_names_compile(tmp_path: Path) -> None:
    names = [
        '"',
        "\\N\\G",
        "<b>x</b>",
        "&amp;",
        "a\nb",
        "\x00\x1b[31m",
        "\u202egnp",
        "50% $x_1^2$ {#}~",
        "名前 ∇ é ₂ ´",
        "]];",
        "---",
    ]
    x = [Tensor(1.0, name=name) for name in names]
    total = x[0]
    for other in x[1:]:
        total = total + other
    above(computation_graph(total), *[words(name) for name in names]).save(tmp_path / "x.tex")
    command = [LATEX or "", "-interaction=nonstopmode", "-halt-on-error", "x.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace")
    assert "(1 page" in done.stdout, done.stdout[-2000:]


# -- one picture of many -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("compose", [above, beside, lambda *parts: table([parts, parts[:1]])])
def test_any_drawings_stand_side_by_side_and_save_themselves(compose: Any, tmp_path: Path) -> None:
    parts = [graph(), units(), picture(), words("a word"), convolutional_drawing()]
    whole = compose(*parts)
    there = texts(whole.svg())
    assert all(text in there for part in parts for text in texts(part.svg()))
    assert "image/svg+xml" in whole._repr_mimebundle_()
    assert whole.save(tmp_path / "x.svg").read_text() == whole.svg()


def convolutional_drawing() -> Drawing:
    return beside(units(), units())


@kinds
def test_what_is_set_in_a_picture_looks_as_it_did_alone(draw: Any) -> None:
    """As many shapes, lines and words; of equal size."""
    alone, within = draw(), above(draw()).figure("one")

    def count(figure: Figure) -> dict[str, int]:
        root = ET.fromstring(figure.svg())
        kinds = [e.tag.split("}")[1] for e in root.iter()]
        return {kind: kinds.count(kind) for kind in ("ellipse", "text", "image")}

    assert count(alone) == count(within)
    assert sorted(text_of(alone.svg())) == sorted(text_of(within.svg()))


def test_a_graph_of_ones_own_is_set_and_compiled_too(tmp_path: Path) -> None:
    own = Figure(
        'digraph { a [label="a long ellipse"] b [shape=box] c [shape=circle] a -> b [label="on it"] b -> c a -> c }'
    )
    line = Figure("graph { a -- b }")
    whole = above(own, line).figure("own")
    assert sorted(texts(whole.svg())) == sorted(texts(own.svg()) + texts(line.svg()))
    assert whole.svg().count("<polygon") == own.svg().count("<polygon")  # the sheet, a box, and the arrows' heads
    assert own.tex(document=False).count(" ellipse (") == 1
    sheet = Drawing()
    sheet.text(0, 0, "on a coloured ground", style="filled", fillcolor="#CFE8F7")
    assert " ellipse (" not in sheet.figure().tex()
    for figure in own, line, whole:
        assert len(re.findall(r"\\draw\[", figure.tex())) == figure.dot.count("->") + figure.dot.count("--")


def test_a_figure_stays_as_it_is_whatever_becomes_of_its_drawing() -> None:
    for change in (
        lambda d: d.unit(9, 9, "b"),
        lambda d: d.wire(0, 0),
        lambda d: d.image(0, 0, 9, 9, b"png"),
        lambda d: d.add(pair()),
    ):
        drawing = pair()
        figure, dark, wide = drawing.figure(), drawing.styled("dark"), drawing.spread(2)
        before = [figure.dot, figure.images, figure.styled("dark").dot, beside(figure).dot, dark.dot, wide.dot]
        change(drawing)
        now = [figure.dot, figure.images, figure.styled("dark").dot, beside(figure).dot, dark.dot, wide.dot]
        assert now == before and drawing.dot != figure.dot
    images = {"a.png": b"png"}
    own = Figure("digraph {}", images)
    images.clear()
    assert own.images == {"a.png": b"png"}


def test_what_cannot_be_put_on_a_drawing_is_a_clear_error() -> None:
    nan, sheet = float("nan"), pair()
    for wrong, kind, parts in (
        (lambda: sheet.wire(0, 99), IndexError, ["shapes", "0 and 99"]),
        (lambda: sheet.wire(-1, 0), IndexError, ["shapes", "-1 and 0"]),
        (lambda: sheet.unit(nan, 0, "a"), ValueError, ["(nan, 0)"]),
        (lambda: sheet.box(0, 0, math.inf, 5, "a"), ValueError, ["inf by 5"]),
        (lambda: sheet.box(0, 0, -4, 5, "a"), ValueError, ["-4 by 5"]),
        (lambda: sheet.unit("1", 0, "a"), TypeError, ["'1'"]),  # type: ignore[arg-type]
        (lambda: sheet.text(0, 0, "a", align="q"), ValueError, ["align (='q')", "c, l, r"]),
        (lambda: words("a", align="cl"), ValueError, ["align (='cl')"]),
        (lambda: above(sheet, align="r"), ValueError, ["align (='r')", "c, l"]),
        (lambda: sheet.text(0, 0, "a", size="big"), TypeError, ["size (='big')"]),  # type: ignore[arg-type]
        (lambda: sheet.grid(0, 0, (2, 3), ["a"], [{}]), ValueError, ["(2, 3)", "1 texts and 1 looks"]),
        (lambda: sheet.grid(0, 0, (-1, -1), ["a"], [{}]), ValueError, ["(-1, -1)", "1 texts and 1 looks"]),
        (lambda: sheet.grid(0, 0, (1,), ["a"], [{}]), ValueError, ["(1,)", "1 texts and 1 looks"]),
        (lambda: sheet.grid(0, 0, (1, 1), ["a"], []), ValueError, ["(1, 1)", "1 texts and 0 looks"]),
        (lambda: sheet.grid(0, 0, (0, 3), [], []), ValueError, ["(0, 3)", "0 texts and 0 looks"]),
    ):
        before = sheet.dot
        with raises(kind, *parts):
            wrong()
        assert sheet.dot == before


@pytest.mark.parametrize("form", ["dot", "svg", "png", "pdf", "tex"])
def test_a_drawing_has_the_forms_of_its_figure(form: str) -> None:
    one, two = (getattr(thing, form) for thing in (pair(), pair().figure()))
    assert one == two if form == "dot" else one() == two()


def test_what_cannot_be_set_side_by_side_is_a_clear_error() -> None:
    for compose in (above, beside):
        with pytest.raises(ValueError, match="give drawings or figures"):
            compose()
        with pytest.raises(TypeError, match="got int"):
            compose(3)  # type: ignore[arg-type]
    for empty in ([], [[]]):
        with pytest.raises(ValueError, match="give drawings or figures"):
            table(empty)
    with pytest.raises(ValueError, match="one style"):
        above(units().styled("dark"), units().styled("print"))
    with pytest.raises(ValueError, match="one style"):
        beside(units(), units().styled("dark"), units().styled(Style("dark", line=2)))


@pytest.mark.parametrize("compose", [above, beside, lambda *parts: table([parts])])
@pytest.mark.parametrize("style", [Style(), Style("dark"), Style("print", size=2)])
def test_what_is_in_the_usual_style_takes_on_that_of_its_neighbours(compose: Any, style: Style) -> None:
    for parts in (units(), units().styled(style)), (units().styled(style), words("a word")):
        assert compose(*parts).style == compose(*parts[::-1]).style == style


@given(st.floats(0.5, 4), st.floats(0.5, 4))
@settings(max_examples=10)
def test_a_figure_of_our_own_places_is_spread_as_its_drawing_is(across: float, upwards: float) -> None:
    figure = units().styled("dark")
    wide = figure.spread(across, upwards)
    assert wide.style == Style("dark")
    assert [(s.x, s.y) for s in wide.shapes] == [(s.x * across, s.y * upwards) for s in figure.drawing.shapes]
    assert wide.figure() == figure.drawing.spread(across, upwards).figure()


# -- style -------------------------------------------------------------------------------------------------------------

COLOURS = re.compile(r"#[0-9A-Fa-f]{6}")
light_colours = {colors[0] for colors in MEANINGS.values()}


def test_the_meanings_can_be_looked_up() -> None:
    said = " ".join((Style.__doc__ or "").split())
    assert viz.MEANINGS is MEANINGS and "`viz.MEANINGS`" in said
    for meaning in MEANINGS:
        listed = "weight 1 to weight 9." if meaning.startswith("weight") else f" {meaning};"
        assert listed in said


def test_each_colour_has_one_meaning() -> None:
    assert len(light_colours) == len(MEANINGS)
    for draw in FIGURES_OF_EACH_KIND:
        assert {c.upper() for c in COLOURS.findall(drawn_once(draw).dot)} <= light_colours | {"#666666"}


@pytest.mark.parametrize(
    "draw", [draw for _, _, draw in FIGURES if draw.__name__ not in SLOW], ids=lambda d: d.__name__
)
def test_every_colour_of_the_lecture_is_in_the_table(draw: Any) -> None:
    assert {c.upper() for c in COLOURS.findall(drawn_once(draw).dot)} <= light_colours


@pytest.mark.parametrize("name", NAMES)
def test_letters_and_words_have_contrast_in_every_style(name: str) -> None:
    style = Style(name)
    paper = style.color("paper")
    letters = [m for m in MEANINGS if m.startswith("weight")]
    assert (
        min(contrast(style.color(m), paper) for m in ("words", "note", "gradient", "padding, words", *letters)) >= 4.5
    )
    filled = ("followed", "field", "changed", "parameter", "output", "operator", "activation", "padding")
    assert min(contrast(style.color("words"), style.color(m)) for m in filled) >= 4.5
    assert contrast(style.color("padding, words"), style.color("padding")) >= 4.5
    assert min(contrast(style.color(m), paper) for m in MEANINGS if m.endswith("line") or m in ("unit", "wire")) >= 3


@kinds
def test_print_is_grey(draw: Any) -> None:
    assert all(c[1:3] == c[3:5] == c[5:7] for c in COLOURS.findall(draw().styled("print").dot))


@kinds
def test_a_style_changes_looks_and_no_words_and_can_be_changed_again(draw: Any) -> None:
    figure = draw()
    dark = figure.styled("dark")
    assert sorted(text_of(dark.svg())) == sorted(text_of(figure.svg()))
    assert dark.styled("light").dot == figure.dot
    assert dark.styled("print").dot == figure.styled("print").dot
    assert not {c.upper() for c in COLOURS.findall(dark.dot)} & {"#FFFFFF", "#CFE8F7"}


def test_words_that_look_like_attributes_stay_words() -> None:
    name = 'color="#0072B2" penwidth=3 fontname=Helvetica color=white <FONT COLOR="#0072B2">'
    dark = (
        above(words(name), connectivity(layer, 3, title=name)).figure("x").styled(Style("dark", line=3, font="Georgia"))
    )
    assert text_of(dark.svg()).count(name) == 2
    graph = computation_graph(Tensor(1.0, name=name[-30:]) * 1).styled("dark")
    assert name[-30:] in texts(graph.svg())


def test_own_colours_lines_sizes_and_directions_are_used() -> None:
    figure = units()
    own = figure.styled(Style(colors={"followed": "#123456"}, line=2, size=2))
    assert "#123456" in own.dot and "#E69F00" not in own.dot
    assert "penwidth=1.8" in own.dot
    assert export.size_of(own.svg()) == pytest.approx([2 * n for n in export.size_of(figure.svg())])
    upright, lying = (export.size_of(graph().styled(s).svg()) for s in (Style(), Style(orientation="right")))
    assert upright[0] < upright[1] and lying[0] > lying[1]


any_rgb = st.tuples(*[st.integers(0, 255)] * 3)
any_colour = st.integers(0, 0xFFFFFF).map(lambda n: f"#{n:06X}")


@given(any_colour, any_colour, st.sampled_from(["light", "dark", "print"]))
@settings(max_examples=20)
def test_letters_can_be_read_on_any_colour_of_ones_own(one: str, other: str, base: str) -> None:
    """Of black and white on a colour, one has a contrast of 4.58 at least, and the dark paper is a little less dark."""
    style = Style(base, colors={"followed": one, "field": other})
    assert measure(connectivity(layer, 3, highlight=1, style=style)).contrast >= 4
    assert measure(connectivity(layer, 3, highlight={1: one}, style=base)).contrast >= 4
    graph = computation_graph(Tensor([1.0, 2.0]).sum() + 1, style=Style(base, colors={"operator": one}))
    title = ET.fromstring(graph.svg()).find(".//{*}text[.='sum']")
    assert title is not None and contrast({"black": "#000000"}.get(said := title.get("fill", "black"), said), one) >= 4


@pytest.mark.parametrize(
    "given",
    [
        {"base": "pink"},
        {"colors": {"sky": "#000000"}},
        {"colors": {"words": "red"}},
        {"font": 'a"b'},
        {"size": 0},
        {"line": -1},
        {"orientation": "north"},
        {"orientation": ["up"]},
        {"font": 3},
    ],
    ids=str,
)
def test_a_style_that_is_none_is_a_clear_error(given: dict[str, Any]) -> None:
    with pytest.raises(
        ValueError, match=re.escape(repr(next(iter(given.values()))) if "colors" not in given else "colo")
    ):
        Style(**given)


@pytest.mark.parametrize("given", [{"size": "big"}, {"line": None}, {"colors": ["a"]}], ids=str)
def test_a_part_of_a_style_that_is_of_another_type_is_a_clear_error(given: dict[str, Any]) -> None:
    with raises(TypeError, *(f"{name} (={value!r})" for name, value in given.items())):
        Style(**given)


def test_a_style_is_asked_for_colours_that_there_are() -> None:
    own = {"words": "#123456"}
    style = Style(colors=own)
    own["words"] = own["sky"] = "blue"
    assert style == Style(colors={"words": "#123456"})
    with raises(ValueError, "no colour means 'sky'"):
        style.color("sky")
    with raises(ValueError, "at least one"):
        style.words_on()
    with raises(ValueError, "'red'"):
        style.words_on("#000000", "red")


@pytest.mark.parametrize("dot", [3, None, b"digraph {}"])
def test_a_figure_is_text(dot: Any) -> None:
    for draw in Figure, viz.render:
        with raises(TypeError, f"DOT text, got {dot!r}"):
            draw(dot)


def test_an_animation_has_frames_of_one_size_in_every_format(tmp_path: Path) -> None:
    frames = [connectivity(layer, n) for n in (3, 5)]
    with Image.open(animate(frames, tmp_path / "x.gif", 0.3)) as image:
        assert image.n_frames == 2  # type: ignore[attr-defined]
    for wrong in ({"path": "x.png"}, {"seconds": 0}):
        with pytest.raises(ValueError, match=r"\.svg or \.gif|seconds"):
            animate(frames, **({"path": tmp_path / "x.gif"} | wrong))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="needs figures"):
        animate([], tmp_path / "x.gif")


def test_a_moving_svg_is_as_large_as_its_largest_frame_and_shows_each_in_turn() -> None:
    frames = [connectivity(layer, n, style=Style(size=1.5)).svg() for n in (3, 5)]
    text = export.moving_svg(frames, 0.4, "a & b")
    sizes = [export.size_of(frame) for frame in frames]
    assert export.size_of(text) == pytest.approx([max(side) for side in zip(*sizes, strict=True)], abs=0.01)
    box = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', text)
    assert box and [1.5 * float(n) for n in box.groups()] == pytest.approx(export.size_of(text), abs=0.1)
    assert 'aria-label="a &amp; b"' in text and "animation:0.8s step-end infinite" in text
    assert re.findall(r"animation-delay:(-?[\d.]+)s", text) == ["-0.8", "-0.4"]  # as early as each is late
    assert "{visibility:visible}50.0000%,100%{visibility:hidden}" in text
    assert text.count(' id="') == 0
    assert [e.get("visibility") for e in ET.fromstring(text) if e.get("class")] == ["hidden", None]


times = st.lists(st.integers(1, 40).map(lambda n: n / 20), min_size=1, max_size=6)


@given(times, st.booleans())
def test_each_frame_is_shown_for_its_own_time_in_both_formats_and_a_bar_grows_below(
    seconds: list[float], bar: bool
) -> None:
    n, color = len(seconds), "#0000FF" if bar else ""
    drawn = [np.full((24, 60, 3), 200 - k, np.uint8) for k in range(n)]
    files = [io.BytesIO() for _ in drawn]
    for file, pixels in zip(files, drawn, strict=True):
        Image.fromarray(pixels).save(file, "png")
    with Image.open(io.BytesIO(export.gif([file.getvalue() for file in files], seconds, color))) as image:
        for k in range(n):
            image.seek(k)
            assert image.info["duration"] == round(1000 * seconds[k])
            below = np.asarray(image.convert("RGB"))[-1]
            assert (below == [0, 0, 255]).all(axis=1).sum() == (60 * (k + 1) // n if bar else 0)
    svg = '<svg width="60pt" height="24pt" viewBox="0 0 60 24"><text>x</text></svg>'
    text, total = export.moving_svg([svg] * n, seconds, "moves", color), sum(seconds)
    parts = dict(re.findall(r"@keyframes (\w+)\{0%\{visibility:visible\}([\d.]+)%", text))
    frames = re.findall(r"animation-delay:(-?[\d.]+)s;animation-name:(\w+)", text)
    for k in range(n):  # in the middle of its time a frame is the only one that shows
        now = sum(seconds[:k]) + seconds[k] / 2
        on = [(now - float(delay)) % total < float(parts[name]) / 100 * total for delay, name in frames]
        assert on == [m == k for m in range(n)]
    bars = [float(width) for width in re.findall(r'<rect [^>]*? width="([\d.]+)"', text)]
    assert bars == pytest.approx([60 * (k + 1) / n for k in range(n)] if bar else [], rel=1e-4)


@given(times, times, st.booleans())
def test_two_animations_on_one_page_keep_their_own_times(one: list[float], two: list[float], bar: bool) -> None:
    svg = '<svg width="60pt" height="24pt" viewBox="0 0 60 24"><text>x</text></svg>'
    moving = [export.moving_svg([svg] * len(s), s, "moves", "#0000FF" * (bar and s is two)) for s in (one, two)]
    known = [set(re.findall(r"@keyframes (\w+)|\.([a-z]\w*)\{", text)) for text in moving]
    assert all(known) and (moving[0] == moving[1] or known[0].isdisjoint(known[1]))


def test_a_long_animation_has_a_bar_and_a_short_one_where_it_is_asked_for(tmp_path: Path) -> None:
    frame = words("a").figure()
    for count, bar, expected in (11, None, 0), (12, None, 12), (2, True, 2), (12, False, 0):
        text = animate([frame] * count, tmp_path / "x.svg", bar=bar).read_text()
        assert text.count("<rect") == expected
    for wrong in ([1.0, 2.0, 3.0], [1.0], [1.0, 0.0]):
        with pytest.raises(ValueError, match="for all 2 frames or for each of them"):
            animate([frame] * 2, tmp_path / "x.gif", wrong)


def test_another_style_lets_a_graph_grow_to_where_it_grew() -> None:
    lying = graph().styled(Style(orientation="right"))
    for style in *NAMES, Style(size=2):
        assert "rankdir=LR" in lying.styled(style).dot
    assert "rankdir=BT" in lying.styled("dark").styled(Style(orientation="up")).dot
    assert lying.styled("dark").styled("light").dot == lying.dot


def test_frames_of_a_gif_stand_in_the_middle_on_their_own_ground() -> None:
    def frame(width: int, height: int, ground: int) -> bytes:
        image, file = Image.new("RGB", (width, height), (ground,) * 3), io.BytesIO()
        image.paste((255, 0, 0), (1, 1, width - 1, height - 1))
        image.save(file, "png")
        return file.getvalue()

    made = export.gif([frame(20, 30, 0), frame(10, 40, 200)], 0.25)
    with Image.open(io.BytesIO(made)) as image:
        assert image.size == (20, 40) and image.info["duration"] == 250 and image.info["loop"] == 0
        for n, (size, ground) in enumerate([((20, 30), 0), ((10, 40), 200)]):
            image.seek(n)
            pixels = np.asarray(image.convert("RGB")).astype(int)
            red = np.argwhere(pixels[:, :, 0] - pixels[:, :, 1] > 128)
            left, top = (20 - size[0]) // 2 + 1, (40 - size[1]) // 2 + 1
            assert red.min(0).tolist() == [top, left]
            assert red.max(0).tolist() == [top + size[1] - 3, left + size[0] - 3]
            assert np.abs(pixels[0, 0] - ground).max() < 8


@given(st.lists(any_rgb, min_size=2, max_size=9), st.integers(1, 50), st.integers(0, 2**32 - 1))
@settings(max_examples=10)
def test_paper_and_fills_keep_their_colours_in_a_gif_of_many_frames_and_shades(
    flat: list[tuple[int, int, int]], count: int, seed: int
) -> None:
    """The ground of each frame, and what fills more than a shade does, whatever else there is to have a place for."""
    rng, frames = np.random.default_rng(seed), []
    for _ in range(count):
        pixels = np.full((40, 60, 3), flat[0], np.uint8)
        ends = np.array(flat)[rng.integers(0, len(flat), (2, 10, 58))]
        pixels[10:20, 1:-1] = ends[0] + rng.random((10, 58, 1)) * (ends[1] - ends[0])  # shades, as at an edge
        for n, color in enumerate(flat):
            pixels[21:38, 1 + 6 * n : 7 + 6 * n] = color
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "png")
        frames.append((pixels, file.getvalue()))
    with Image.open(io.BytesIO(export.gif([png for _, png in frames], 0.1))) as image:
        for n, (pixels, _) in enumerate(frames):
            image.seek(n)
            shown = np.asarray(image.convert("RGB"))
            assert (shown[0] == flat[0]).all() and (shown[20:] == pixels[20:]).all()
            assert np.abs(shown.astype(int) - pixels).max() < 120  # a shade like it


def test_a_figure_that_adapts_has_the_dark_colour_of_each_meaning() -> None:
    text = export.adaptive(units().svg())
    assert text.startswith(units().svg()[: units().svg().index(">") + 1] + "<style>@media screen and (prefers-color-")
    for meaning, (light, dark, _) in MEANINGS.items():
        for paint in ("fill", "stroke"):
            assert f'[{paint}="{light.lower()}" i]{{{paint}:{dark}}}' in text, meaning
    assert f"text:not([fill]){{fill:{MEANINGS['words'][1]}}}" in text
    assert f'[fill="white"]{{fill:{MEANINGS["paper"][1]}}}' in text
    assert f'[stroke="black"]{{stroke:{MEANINGS["words"][1]}}}' in text


@pytest.mark.parametrize(
    ("width", "height", "dpi"), [(72, 72, 0.4), (72, 7200, 0.6), (7200, 72, 0.6), (7200, 7200, 200)]
)
def test_a_picture_of_half_a_pixel_or_of_200_million_is_refused(width: int, height: int, dpi: float) -> None:
    svg = f'<svg width="{width}pt" height="{height}pt" xmlns="http://www.w3.org/2000/svg"></svg>'
    said = rf"dpi \(={dpi}\) gives a picture of {width * dpi / 72:.0f} x {height * dpi / 72:.0f} pixels"
    if min(width, height) * dpi / 72 >= 0.5 and width * height * (dpi / 72) ** 2 <= 200e6:
        return
    with pytest.raises(ValueError, match=said):
        export.png(svg, "t", dpi)


def test_half_a_pixel_is_enough() -> None:
    for width, height in ((72, 720), (720, 72)):
        svg = f'<svg width="{width}pt" height="{height}pt" xmlns="http://www.w3.org/2000/svg"></svg>'
        assert export.png(svg, "t", 0.5).startswith(b"\x89PNG")


@pytest.mark.parametrize("wrong", ["", "<html/>", '<svg width="3" height="4pt">', "x<svg"])
def test_what_has_no_size_in_points_is_refused(wrong: str) -> None:
    with pytest.raises(RenderError, match="has no size in points, it begins"):
        export.size_of(wrong)


@pytest.mark.parametrize("kind", ["png", "pdf"])
def test_what_a_library_cannot_draw_is_a_render_error(kind: str) -> None:
    with pytest.raises(RenderError, match="cannot draw the figure"):
        getattr(export, kind)('<svg width="20pt" height="20pt"><unclosed>', "t")
