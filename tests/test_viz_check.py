"""The measures of a figure are what a reader meets."""

import importlib
import math
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from viz import Drawing, Figure
from viz.drawing.check import LEAST_CONTRAST, SMALLEST, measure, report
from viz.drawing.export import size_of
from viz.drawing.sheet import words
from viz.drawing.style import contrast
from viz.pages.gallery import figures
from viz.subjects.samples import sample

from .drawn import drawn_once


def picture(fill: str, color: str, size: float) -> Drawing:
    """A word on a box, beside a larger black one."""
    drawing = Drawing()
    drawing.box(0, 0, 90, 60, "word", {"fillcolor": fill, "fontcolor": color, "fontsize": f"{size:g}"})
    drawing.text(300, 0, "large", 40)
    return drawing


@given(st.one_of(st.integers(0, 10), st.integers(11, 255)), st.sampled_from([0, 1, 2]))
def test_contrast_is_that_of_wcag(level: int, part: int) -> None:
    """Of red, green and blue against black: dark colours are proportional to their number, others to a power."""
    color = "#" + "".join(f"{level if n == part else 0:02X}" for n in range(3))
    linear = level / 255 / 12.92 if level <= 10 else ((level / 255 + 0.055) / 1.055) ** 2.4
    assert contrast(color, "#000000") == pytest.approx(1 + 20 * (0.2126, 0.7152, 0.0722)[part] * linear)


@given(st.sampled_from(["#FFFFFF", "#E69F00", "#14171C"]), st.sampled_from(["#000000", "#777777"]), st.integers(5, 30))
def test_the_smallest_text_is_measured_with_what_is_below_it(fill: str, color: str, size: int) -> None:
    figure = picture(fill, color, size).figure()
    found = measure(figure)
    width, height = size_of(figure.svg())
    assert found.contrast == pytest.approx(min(contrast(fill, color), 21))
    assert found.slide == pytest.approx(size * min(880 / width, 450 / height))
    assert found.phone == pytest.approx(size * 4 / 3 * min(1, 390 / (width * 4 / 3)))
    assert found.bytes == len(figure.svg().encode())


@given(st.sampled_from(["unit", "box"]), st.integers(8, 30), st.integers(-40, 40), st.sampled_from("clr"))
def test_words_are_measured_against_what_lies_below_their_own_middle(kind: str, size: int, x: int, align: str) -> None:
    """Dark shapes beside the word, and one that is painted over, make no difference."""
    drawing = Drawing()
    drawing.box(x - 300, 0, 60, 60, "", {"fillcolor": "#000000"})
    drawing.box(x, 300, 60, 60, "", {"fillcolor": "#000000"})
    place = {"fillcolor": "#CFE8F7", "width": "4", "height": "1"}
    if kind == "unit":
        drawing.unit(x, 0, "", {**place, "shape": "ellipse"})
    else:
        drawing.box(x, 0, 288, 72, "", place)
    drawing.text(x, 0, "word", size, align, fontcolor="#555555")
    assert measure(drawing.figure()).contrast == pytest.approx(contrast("#CFE8F7", "#555555"))


def test_parts_follow_a_figure_that_is_too_large_and_that_alone() -> None:
    small, good = (picture("#FFFFFF", "#000000", n).figure() for n in (3, 20))
    for whole, there in ((small, True), (good, False)):
        lines = report([("whole", replace(whole, parts=(good, small)))]).splitlines()[1:]
        assert [line.split("  ")[0] for line in lines] == ["whole", *["", ""] * there]
        assert ["part 1" in line for line in lines] == [False, *[True, False] * there]
        assert ["< 12 pt" in line for line in lines] == [there, *[False, True] * there]


def test_what_falls_short_is_marked() -> None:
    good, small, pale = (
        picture(*looks).figure()
        for looks in (("#FFFFFF", "#000000", 20), ("#FFFFFF", "#000000", 3), ("#FFFFFF", "#AAAAAA", 20))
    )
    lines = report([("good", good), ("small", small), ("pale", pale)]).splitlines()[1:]
    assert [("< 12 pt" in line, "contrast" in line) for line in lines] == [(False, False), (True, False), (False, True)]


@pytest.mark.parametrize("name", figures())
def test_each_figure_of_the_gallery_can_be_read_on_a_slide_or_its_parts_can(name: str) -> None:
    """And has contrast."""
    figure = drawn_once(figures()[name])
    found = [measure(figure)]
    assert found[0].contrast >= LEAST_CONTRAST
    if found[0].slide < SMALLEST:
        assert figure.parts
        found = [measure(part) for part in figure.parts]
    assert min(m.slide for m in found) >= SMALLEST
    assert min(m.contrast for m in found) >= LEAST_CONTRAST


@given(st.integers(1, 3000))
@settings(max_examples=5)
def test_a_figure_without_words_can_be_read(size: int) -> None:
    drawing = Drawing()
    drawing.box(0, 0, size, size, "")
    assert measure(drawing.figure())[:3] == (math.inf, math.inf, 21)
    assert "<" not in report([("wordless", drawing.figure())])


@pytest.mark.parametrize(("name", "color"), [("red", "#FF0000"), ("white", "#FFFFFF"), ("darkgreen", "#006400")])
def test_a_colour_may_be_a_name(name: str, color: str) -> None:
    for fill, ink in (name, color), (color, name):
        drawing = Drawing()
        drawing.box(0, 0, 90, 40, "")
        drawing.text(0, 0, "words", fontcolor=ink, style="filled", fillcolor=fill)
        assert measure(drawing.figure()).contrast == pytest.approx(1)
    assert measure(words("words", fontcolor=name).figure()).contrast == contrast(color, "#FFFFFF")
    assert measure(Figure("digraph { a [fontcolor=transparent] }")).contrast == 1
    assert measure(Figure('digraph { a [style=filled, fillcolor="red:blue"] }')).contrast == 21


def helper(text: str) -> Drawing:
    return words(text * TWICE)


TWICE, NEVER_USED = 2, 3


def drawn() -> Drawing:
    """A caption."""
    return helper("return ab")  # why


def test_a_sample_has_all_that_a_figure_needs_and_nothing_else() -> None:
    text = sample(drawn)
    assert "from viz.drawing.sheet import words" in text
    assert "def helper" in text and "TWICE" in text
    assert "hypothesis" not in text and "A caption" not in text
    assert text.rstrip().endswith('figure.save("drawn.svg")')
    assert 'figure = helper("return ab")' in text


def test_in_a_sample_what_others_need_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even where it stands further down, in another file of the folder."""
    folder = tmp_path / "drawn_in_two_files"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "parts.py").write_text("\n" * 30 + "SIDE = 7\n")
    (folder / "whole.py").write_text(
        "from pathlib import Path\nfrom .parts import SIDE\nTWICE = 2 * SIDE\n\n"
        "class Drawn:\n    save = staticmethod(lambda name: Path(name).write_text(str(TWICE)))\n\n"
        "def drawn():\n    return Drawn\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    text = sample(importlib.import_module("drawn_in_two_files.whole").drawn)
    exec(text, {})
    assert (tmp_path / "drawn.svg").read_text() == "14"
