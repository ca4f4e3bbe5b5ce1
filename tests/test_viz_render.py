"""Figures are drawn by whatever renderer there is, safely, or say clearly why not."""

import importlib
import os
import re
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minitensor import Tensor
from nets.png import _restore, decode, encode
from viz import Figure, RenderError, computation_graph, connectivity, render
from viz.drawing import Drawing
from viz.render import EMBEDDED, VARIABLE, find_renderer

SIMPLE = Figure("digraph { a -> b }", title="two nodes")


def program(folder: Path, body: str) -> str:
    """A renderer that we write ourselves."""
    path = folder / "renderer"
    path.write_text(f"#!{sys.executable}\nimport sys, time\n{body}\n")
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv(VARIABLE, raising=False)
    module = importlib.import_module("viz.render")  # viz.render itself is the function of that name
    monkeypatch.setattr(module, "embedded_renderer", lambda: None)


# -- which program draws -----------------------------------------------------------------------------------------------


def test_the_embedded_renderer_is_found_without_a_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv(VARIABLE, raising=False)
    assert find_renderer().stem == EMBEDDED
    assert "<svg" in SIMPLE.svg()


def test_the_system_renderer_comes_before_the_embedded_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    system = tmp_path / "dot"
    system.write_text(f"#!{sys.executable}\nprint('<svg >of the system</svg>')\n")
    system.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv(VARIABLE, raising=False)
    assert "of the system" in SIMPLE.svg()
    monkeypatch.setenv(VARIABLE, EMBEDDED)
    assert "of the system" not in SIMPLE.svg()


def test_without_a_renderer_the_error_names_both_remedies(nothing_installed: None) -> None:
    with pytest.raises(RenderError, match=r"pip install graphviz-pure.*apt install graphviz"):
        SIMPLE.svg()


def test_a_missing_choice_is_never_silently_replaced(tmp_path: Path) -> None:
    with pytest.raises(RenderError, match="'no-such-program' was not found"):
        SIMPLE.svg(renderer="no-such-program")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("time.sleep(60)", "stopped after 0.5 s"),
        ("pass", r"drew nothing \(exit status 0\): it gave no reason"),
        ("sys.exit('no such layout')", r"drew nothing \(exit status 1\): no such layout"),
    ],
)
def test_a_renderer_that_fails_is_an_error_with_its_reason(tmp_path: Path, body: str, message: str) -> None:
    with pytest.raises(RenderError, match=message):
        render(SIMPLE.dot, renderer=program(tmp_path, body), timeout=0.5)


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    picture = Drawing()
    picture.image(0, 0, 20, 20, encode(np.eye(4)))
    picture.figure("image").svg(renderer=EMBEDDED)
    with pytest.raises(RenderError):
        render("this is not DOT", renderer=EMBEDDED)
    assert os.listdir(tmp_path) == []


# -- what a figure does ------------------------------------------------------------------------------------------------


def test_a_notebook_shows_the_reason_and_the_text_where_nothing_can_be_drawn(nothing_installed: None) -> None:
    shown = SIMPLE._repr_mimebundle_()
    assert "pip install graphviz-pure" in shown["text/html"]
    assert "a -&gt; b" in shown["text/html"]


def test_the_suffix_chooses_the_form(tmp_path: Path) -> None:
    for suffix, beginning in {".svg": b"<svg", ".png": b"\x89PNG", ".dot": b"digraph", ".SVG": b"<svg"}.items():
        assert SIMPLE.save(tmp_path / f"figure{suffix}", renderer=EMBEDDED).read_bytes().startswith(beginning)
    with pytest.raises(ValueError, match=r"\.svg, \.png, \.pdf or \.dot, got 'figure.bmp'"):
        SIMPLE.save(tmp_path / "figure.bmp")
    with pytest.raises(RenderError, match="does not write pdf: save the figure as svg"):
        SIMPLE.save(tmp_path / "figure.pdf", renderer=EMBEDDED)
    assert not (tmp_path / "figure.pdf").exists()


def test_images_are_inside_the_svg() -> None:
    picture = Drawing()
    picture.image(0, 0, 20, 20, encode(np.eye(4)))
    picture.image(40, 0, 20, 20, encode(1 - np.eye(4)))
    text = picture.figure("images").svg(renderer=EMBEDDED)
    assert len(re.findall(r'xlink:href="data:image/png;base64,', text)) == len(re.findall("<image", text)) == 2


def test_subscripts_are_lowered_in_a_way_that_every_reader_of_svg_knows() -> None:
    text = connectivity(lambda x: 2 * x, 2).svg(renderer=EMBEDDED)
    assert "baseline-shift" not in text
    assert len(re.findall(r'<text [^>]*dy="0.25em"[^>]*>[12]</text>', text)) == 4


def test_without_resvg_a_png_that_would_lack_its_images_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("viz.figure.resvg_py", None)
    picture = Drawing()
    picture.image(0, 0, 20, 20, encode(np.eye(4)))
    with pytest.raises(RenderError, match=r"needs resvg-py: pip install resvg-py, or save it as svg"):
        picture.figure("image").png(renderer=EMBEDDED)
    assert SIMPLE.png(renderer=EMBEDDED).startswith(b"\x89PNG")


def test_drawing_twice_gives_the_same_bytes() -> None:
    x = Tensor([1.0, 2.0], name="x")
    first, second = (computation_graph((x * x).sum(), gradients=True) for _ in range(2))
    assert first == second
    assert first.svg(renderer=EMBEDDED) == second.svg(renderer=EMBEDDED)


# -- hostile text ------------------------------------------------------------------------------------------------------

NASTY = [
    '"',
    "\\",
    "\\N\\G\\l",
    "<b>x</b>",
    "&amp;",
    "a\nb",
    "\x00\x1b[31m",
    "\u202egnp",
    "\ud800",
    "<<",
    ">",
    "]];",
    "-->",
]
names = st.one_of(st.sampled_from(NASTY), st.text(max_size=12), st.lists(st.sampled_from(NASTY)).map("".join))


@given(names)
@settings(max_examples=40)
def test_a_name_is_only_ever_text(name: str) -> None:
    x = Tensor(2.0, name=name)
    root = ET.fromstring(computation_graph(x * x, layers={name: [x]}).svg(renderer=EMBEDDED))
    groups = [g.get("class") for g in root.iter("{http://www.w3.org/2000/svg}g")]
    assert (groups.count("node"), groups.count("edge"), groups.count("cluster")) == (2, 2, 1)
    assert {g.tag.split("}")[1] for g in root.iter()} <= {"svg", "g", "title", "polygon", "path", "text", "polyline"}


@given(names)
@settings(max_examples=40)
def test_a_title_is_only_ever_text(title: str) -> None:
    figure = connectivity(lambda x: 2 * x, 2, title=title, rows=[title], letters="x" + (title or "y")[-1])
    root = ET.fromstring(figure.svg(renderer=EMBEDDED))
    assert not [g for g in root.iter() if g.tag.endswith(("script", "}a", "image"))]


@pytest.mark.parametrize("text", ['R&D "<b>" \\N', "&amp; &lt; &#65;", "<i>", "\\", "a -> b; }"])
def test_names_and_titles_arrive_as_they_were_written(text: str) -> None:
    drawn = [
        computation_graph(Tensor(2.0, name=text) * 1),
        connectivity(lambda x: 2 * x, 2, title=text),
        connectivity(lambda x: 2 * x, 2, rows=[text]),
    ]
    for figure in drawn:
        root = ET.fromstring(figure.svg(renderer=EMBEDDED))
        assert text in ["".join(t.itertext()) for t in root.iter("{http://www.w3.org/2000/svg}text")]


# -- png ---------------------------------------------------------------------------------------------------------------


@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_png_gives_back_what_it_was_given(height: int, width: int, seed: int) -> None:
    levels = np.random.default_rng(seed).integers(0, 256, (height, width))
    assert (decode(encode(levels / 255)) * 255 == levels).all()


@given(st.lists(st.integers(0, 4), min_size=1, max_size=8), st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_every_prediction_of_a_row_is_undone(predictions: list[int], width: int, seed: int) -> None:
    levels = np.random.default_rng(seed).integers(0, 256, (len(predictions), width))
    assert (_restore(predicted(levels, predictions)) == levels).all()


def predicted(levels: Any, predictions: list[int]) -> Any:
    """The rows of a PNG file with these predictions, as the specification (section 9.2) has them."""
    rows = []
    for y, prediction in enumerate(predictions):
        row = [prediction]
        for x in range(levels.shape[1]):
            a = int(levels[y, x - 1]) if x else 0
            b = int(levels[y - 1, x]) if y else 0
            c = int(levels[y - 1, x - 1]) if x and y else 0
            p = a + b - c
            nearest = a if abs(p - a) <= min(abs(p - b), abs(p - c)) else b if abs(p - b) <= abs(p - c) else c
            row.append((int(levels[y, x]) - [0, a, b, (a + b) // 2, nearest][prediction]) % 256)
        rows.append(row)
    return np.array(rows, np.uint8)


@given(st.data())
def test_a_damaged_png_is_a_clear_error(data: st.DataObject) -> None:
    file = encode(np.eye(5))
    at = data.draw(st.integers(8, len(file) - 1))
    damaged = bytearray(file)
    damaged[at] ^= data.draw(st.integers(1, 255))
    for broken in (bytes(damaged), file[:at]):
        pixels = readable(broken)
        assert pixels is None or (pixels == np.eye(5)).all()  # or what was lost is the end, which says nothing


def readable(file: bytes) -> Any:
    """The pixels, or None where the file is refused for a reason that names it."""
    try:
        return decode(file)
    except ValueError as error:
        return None if "PNG" in str(error) else pytest.fail(f"not a clear error: {error}")
