"""What a figure shows is what the layer computes; and equal figures are equal byte for byte."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

import viz
from viz import Figure
from viz.__main__ import main
from viz.gallery import caption, code
from viz.lecture import FIGURES

GOLDEN = Path(__file__).parent / "golden"
# Whole numbers and small fractions only: the rest depends on the last bit of a sum, so on the machine.
EXACT = [
    draw
    for _, _, draw in FIGURES
    if draw.__name__
    in [
        "convolution_in_letters",
        "one_step_of_a_convolution",
        "sparse_and_dense_from_below",
        "sparse_and_dense_from_above",
        "growing_receptive_field",
        "parameter_sharing",
        "weights_with_letters",
        "max_pooling_invariance",
        "pooling_with_stride",
        "down_sampling",
        "no_zero_padding",
        "zero_padding",
        "channels_that_see_some_channels",
        "padding_on_a_grid",
        "local_tiled_and_convolutional",
        "strides_and_dilation",
        "a_window_on_a_grid",
        "graph_of_a_gradient",
    ]
]


@pytest.mark.parametrize("draw", EXACT, ids=lambda draw: draw.__name__)
def test_the_figure_is_the_golden_one(draw: Callable[[], Figure]) -> None:
    """After a change that is meant: REFRESH_GOLDEN=1 pytest tests/test_viz_figures.py, and look at what changed."""
    path = GOLDEN / f"{draw.__name__}.dot"
    if os.environ.get("REFRESH_GOLDEN"):
        draw().save(path)
    assert draw().dot == path.read_text(encoding="utf-8")


def test_every_golden_file_belongs_to_a_figure() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == {draw.__name__ for draw in EXACT}


@pytest.mark.parametrize(("section", "title", "draw"), FIGURES, ids=lambda part: getattr(part, "__name__", ""))
def test_every_figure_of_the_lecture_has_a_section_a_title_a_caption_and_code(
    section: str, title: str, draw: Callable[[], Figure]
) -> None:
    assert re.match(r"[69]\.\d+ [A-Z]", section)
    assert re.match(r"[A-Z][^_]+\Z", title)
    assert caption(draw).endswith((".", "?"))
    assert "return " not in code(draw).rsplit("\n\n", 1)[-1].splitlines()[-1]


@pytest.mark.parametrize(("section", "title", "draw"), FIGURES, ids=lambda part: getattr(part, "__name__", ""))
def test_the_code_of_a_figure_draws_it_when_it_is_pasted(
    section: str, title: str, draw: Callable[[], Figure], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(code(draw), names)
    figure = names["figure"]
    assert isinstance(figure, Figure)
    assert figure.dot == draw().dot
    assert (tmp_path / f"{draw.__name__}.svg").stat().st_size > 1000


def test_an_animation_has_every_frame_once(tmp_path: Path) -> None:
    figures = [viz.convolution_steps([[1, 2, 3]], [[1, -1]], position=i) for i in range(2)]
    text = viz.animate(figures, tmp_path / "moving.svg").read_text(encoding="utf-8")
    assert text.count('class="f"') == 2
    with pytest.raises(ValueError, match="needs figures"):
        viz.animate([], tmp_path / "moving.svg")


# -- the command line ------------------------------------------------------------------------------------------------


def test_figures_refreshed_twice_are_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    contents = []
    for _ in range(2):
        assert main(["figures", "--out", str(tmp_path)]) == 0
        contents.append({path.name: path.read_bytes() for path in tmp_path.iterdir()})
    assert contents[0] == contents[1]
    assert len(contents[0]) >= 4
    assert "svg" in capsys.readouterr().out


def test_the_command_line_says_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MINITENSOR_RENDERER", "no-such-program")
    assert main(["gallery", "--out", str(tmp_path)]) == 1
    assert "viz: the renderer 'no-such-program' was not found" in capsys.readouterr().err
