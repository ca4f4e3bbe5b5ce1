"""What a figure shows is what the layer computes; and equal figures are equal byte for byte."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nets
import viz
from minitensor import Tensor, conv1d, conv2d, gradients, history, max_pool2d, no_grad, relu, tanh
from minitensor.sizes import receptive_field
from viz import Figure, computation_graph, connectivity
from viz.__main__ import main
from viz.gallery import caption, code
from viz.images import KERNELS, quarter_turn, translate, why_not
from viz.lecture import FIGURES
from viz.stepper import _names, _steps

GOLDEN = Path(__file__).parent / "golden"
# Whole numbers and small fractions only: the rest depends on the last bit of a sum, so on the machine.
EXACT = [
    draw
    for _, draw in FIGURES
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
        "zero_padding",
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


@pytest.mark.parametrize(("section", "draw"), FIGURES, ids=lambda part: getattr(part, "__name__", ""))
def test_every_figure_of_the_lecture_has_a_section_a_caption_and_code(section: str, draw: Callable[[], Figure]) -> None:
    assert re.match(r"[69]\.\d+ [A-Z]", section)
    assert caption(draw).endswith(".")
    assert "return " in code(draw)
    assert '"""' not in code(draw)


# -- computation graphs ------------------------------------------------------------------------------------------------


def counted(figure: Figure) -> tuple[int, int]:
    """The boxes and the wires of a computation graph."""
    return len(re.findall(r"^\t+n\d+ \[", figure.dot, re.MULTILINE)), figure.dot.count("->")


@st.composite
def expressions(draw: st.DrawFn) -> Tensor:
    made = [Tensor(1.0, name="x"), Tensor(2.0, name="y")]
    for _ in range(draw(st.integers(1, 12))):
        a, b = (made[draw(st.integers(0, len(made) - 1))] for _ in range(2))
        made.append(draw(st.sampled_from([lambda a, b: a + b, lambda a, b: a * b, lambda a, b: tanh(a)]))(a, b))
    return made[-1]


@given(expressions(), st.integers(0, 2), st.booleans())
def test_every_tensor_is_a_box_and_every_input_a_wire_in_a_gradient_of_any_order(
    output: Tensor, order: int, with_gradients: bool
) -> None:
    for _ in range(order):
        leaf = history(output)[-1]
        [output] = gradients(output, [leaf])
    tensors = history(output)
    wires = sum(len(t.inputs) for t in tensors)
    assert counted(computation_graph(output, gradients=with_gradients)) == (len(tensors), wires)


@given(expressions(), st.integers(1, 5))
def test_the_end_of_a_graph_has_its_newest_tensors(output: Tensor, last: int) -> None:
    assert counted(computation_graph(output, last=last))[0] == min(last, len(history(output)))


def test_gradients_are_those_of_the_engine() -> None:
    x = Tensor(3.0, name="x")
    assert re.search(r"<B>x</B>.*?grad.*?>6<", computation_graph(x * x, gradients=True).dot)


def test_a_collapsed_layer_is_one_box() -> None:
    model = nets.Sequential(first=nets.Dense(2, 3), squash=nets.Tanh(), second=nets.Dense(3, 1))
    output, layers = viz.by_layer(model, Tensor([[1.0, 2.0]], name="x"))
    assert counted(computation_graph(output, layers=layers, collapse=True)) == (4, 3)
    open_graph = computation_graph(output, layers=layers)
    assert counted(open_graph)[0] == len(history(output))
    assert len(re.findall("subgraph cluster_", open_graph.dot)) == 3


def test_a_graph_of_100_000_operators_is_refused_at_once_with_the_number_and_a_way_out() -> None:
    x = y = Tensor(1.0, name="x")
    for _ in range(100_000):
        y = y * 1.0
    with pytest.raises(ValueError, match=r"this graph has 200,001 boxes.*last=50"):
        computation_graph(y, gradients=True)
    assert x in history(y)
    assert "n49" in computation_graph(y, last=50).dot


# -- connectivity ------------------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(1, 2)), min_size=1, max_size=3))
@settings(max_examples=10)
def test_seen_from_above_a_unit_sees_its_receptive_field_from_end_to_end(layers: list[tuple[int, int]]) -> None:
    field = receptive_field(layers)
    stack = [nets.Conv1d(1, 1, k, stride=s) for k, s in layers]
    figure = connectivity(stack, field, highlight=0, direction="above")
    bottom = [line for line in figure.dot.splitlines() if ",0!" in line and "invis" not in line]
    marked = ["#CFE8F7" in line for line in bottom]
    assert len(marked) == field
    assert marked[0]
    assert marked[-1]
    assert all(marked) or any(k < s for k, s in layers)  # a stride beyond the kernel leaves gaps


def test_equal_letters_are_equal_weights() -> None:
    figure = connectivity(nets.Conv1d(1, 1, 2), 4, share=True)
    assert sorted(re.findall(r"label=([a-z]) ", figure.dot)) == ["a", "a", "a", "b", "b", "b"]


def test_two_layers_share_letters_only_where_they_share_a_parameter() -> None:
    one, other = nets.Conv1d(1, 1, 2), nets.Conv1d(1, 1, 2)
    apart = connectivity([one, other], 3, share=True)
    again = connectivity([one, one], 3, share=True)
    assert set(re.findall(r"label=([a-z]) ", apart.dot)) == set("abcd")
    assert set(re.findall(r"label=([a-z]) ", again.dot)) == set("ab")


def test_units_show_the_numbers_that_the_layer_computes() -> None:
    figure = connectivity(lambda x: 2 * x, x=[0.5, 1.0])
    assert re.findall(r"label=([\d.]+)", figure.dot) == ["0.5", "1.0", "1.0", "2.0"]


def test_what_is_not_there_or_too_large_is_said() -> None:
    with pytest.raises(ValueError, match="there is no unit 7: the row has units 0 to 4"):
        connectivity(nets.Conv1d(1, 1, 3), 5, highlight=7)
    with pytest.raises(ValueError, match=r"direction \(='sideways'\)"):
        connectivity(nets.Conv1d(1, 1, 3), 5, direction="sideways")
    with pytest.raises(ValueError, match=r"units are no picture.*smaller input_shape"):
        connectivity(lambda x: x * 2, 1000)
    with pytest.raises(ValueError, match="needs an input_shape"):
        connectivity(nets.Conv1d(1, 1, 3))


def test_a_layer_that_a_student_invents_is_drawn_like_any_other() -> None:
    figure = connectivity(lambda x: x[1:] * x[:-1], 4)
    assert figure.dot.count("->") == 6


# -- images ------------------------------------------------------------------------------------------------------------


@given(st.integers(1, 3), st.integers(1, 3), st.integers(0, 2), st.integers(0, 2**32 - 1))
def test_the_sum_written_below_each_position_is_the_output_there(kh: int, kw: int, padding: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    image, kernel = rng.integers(-3, 4, (3, 3)), rng.integers(-3, 4, (kh, kw))
    y = conv2d(Tensor(image[None, None]), Tensor(kernel[None, None]), padding=padding).data.ravel()
    i = int(rng.integers(len(y)))
    figure = viz.convolution_steps(image, kernel, position=i, padding=padding)
    [text] = re.findall(r'label="?([^"]* = [^"\s]*)', figure.dot)
    left, right = text.replace("\\n", "").replace("·", "*").replace("−", "-").split(" = ")
    assert eval(left) == float(right) == y[i]


def test_sobel_alone_can_tell_a_convolution_from_a_sliding_sum() -> None:
    turned = {name for name, k in KERNELS.items() if (np.array(k) != np.array(k)[::-1, ::-1]).any()}
    assert turned == {"Sobel"}
    assert len(KERNELS) == 8


@given(st.integers(-2, 2), st.integers(-2, 2), st.integers(0, 2**32 - 1))
def test_moving_an_image_moves_its_pixels(down: int, right: int, seed: int) -> None:
    x = np.random.default_rng(seed).integers(1, 9, (1, 1, 4, 5)).astype(float)
    moved = translate(Tensor(x), down, right).data
    expected = np.zeros_like(x)
    for h in range(4):
        for w in range(5):
            if 0 <= h + down < 4 and 0 <= w + right < 5:
                expected[0, 0, h + down, w + right] = x[0, 0, h, w]
    assert (moved == expected).all()


def test_the_square_says_where_and_why_the_order_matters() -> None:
    image = np.random.default_rng(0).integers(0, 9, (12, 12)) / 8.0
    kernel = Tensor([[KERNELS["Sobel"]]])
    said = {
        "all": viz.commuting_square(relu, translate_right, image),
        "border": viz.commuting_square(lambda x: conv2d(x, kernel, padding=1), translate_right, image),
        "stride": viz.commuting_square(lambda x: max_pool2d(x, 2), translate_right, image),
        "turn": viz.commuting_square(lambda x: conv2d(x, kernel, padding=1), quarter_turn, image),
    }
    assert "144 of 144 places: the order is all the same" in said["all"].dot
    assert "everywhere but within 1 of the border" in said["border"].dot
    assert "one step of the output is 2 of the input" in said["stride"].dot
    assert "not the border alone" in said["turn"].dot
    assert "(sizes 2 × 2 and 3 × 3" in why_not(np.ones((2, 2), bool), (2, 2), (3, 3), (2, 2), (2, 2))


def translate_right(x: Tensor) -> Tensor:
    return translate(x, right=1)


def test_an_architecture_shows_each_layers_size_and_counts() -> None:
    dot = viz.architecture(nets.lenet5(), np.zeros((1, 1, 32, 32), np.float32)).dot
    for fact in "6 @ 28 × 28", "156 parameters", "122,304 connections", "151,600 connections", "48,120 parameters":
        assert fact in dot


def test_an_animation_has_every_frame_once(tmp_path: Path) -> None:
    figures = [viz.convolution_steps([[1, 2, 3]], [[1, -1]], position=i) for i in range(2)]
    text = viz.animate(figures, tmp_path / "moving.svg").read_text(encoding="utf-8")
    assert text.count('class="f"') == 2
    with pytest.raises(ValueError, match="needs figures"):
        viz.animate([], tmp_path / "moving.svg")


# -- the stepper and the command line ----------------------------------------------------------------------------------


@given(expressions())
@settings(max_examples=10)
def test_the_steppers_last_sums_are_the_gradients(output: Tensor) -> None:
    tensors = history(output)[::-1]
    number = {t: n for n, t in enumerate(tensors)}
    sums: dict[int, list[float]] = {}
    for step in _steps(output, tensors, number, _names(tensors)):
        sums |= {part["to"]: part["sum"]["data"] for part in step.get("parts", [])}
        sums |= {step["node"]: step["sum"]["data"]} if step["kind"] == "seed" else {}
    with no_grad():
        expected = gradients(output, tensors)
    for n, g in enumerate(expected):
        if n in sums:
            assert sums[n] == [pytest.approx(g.item(), rel=1e-5)]
        else:
            assert g.item() == 0


def test_a_computation_too_long_to_step_through_is_refused(tmp_path: Path) -> None:
    y = Tensor(1.0)
    for _ in range(151):
        y = y * 1.0
    with pytest.raises(ValueError, match="151 operators are too many"):
        viz.stepper(y, tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()


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


def test_a_dense_layer_and_a_convolution_differ_in_their_wires_alone() -> None:
    w = Tensor(np.ones((1, 1, 3)))
    sparse = connectivity(lambda x: conv1d(x, w, padding=1), 5)
    assert sparse.dot.count("->") == 13
