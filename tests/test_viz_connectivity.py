"""Units, wires, letters and grids: a picture says what the layer does, and everything in it can be read."""

import re
from collections.abc import Callable
from functools import partial
from itertools import combinations, product
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import nets
import viz
from minitensor import Tensor, batch_norm, concatenate, conv1d, conv2d, dense, max_pool1d, max_pool2d, tiled_conv1d
from minitensor.sizes import receptive_field
from viz import connections, connectivity
from viz.drawing.dot import FIELD, number
from viz.drawing.sheet import CHARACTER, Drawing, Pinned, Shape

Layer = Callable[[Tensor], Tensor]
Size = tuple[int, int, int]
numbers = st.builds(lambda n, scale: n * scale, st.integers(-(10**6), 10**6), st.sampled_from([1.0, 0.1, 1 / 3, 1e-4]))


def weights(*shape: int) -> Tensor:
    return Tensor(np.linspace(1, 2, int(np.prod(shape))).reshape(shape), name="w")


@st.composite
def sharing_layers(draw: st.DrawFn) -> tuple[Layer, Size]:
    """A convolution of any geometry, dense, or tiled, with at most 26 weights and few wires; and its input's shape."""
    s, d, m, k = (draw(st.integers(low, high)) for low, high in ((1, 3), (1, 2), (3, 4), (2, 5)))
    p = draw(st.sampled_from([d * (k - 1) // 2, 0]))  # as many zeros as keep the size, or none
    n = (m - 1) * s + d * (k - 1) + 1 - 2 * p
    kind = draw(st.sampled_from(["convolution", "groups", "tiled", "dense"]))
    options = {"stride": s, "dilation": d, "padding": p}
    if kind == "dense":
        matrix = weights(k, m)
        return lambda x: dense(x.reshape(1, m), matrix), (1, 1, m)
    if kind == "tiled":
        kernels = weights(1, 1, 3, k)
        return lambda x: tiled_conv1d(x, kernels, **options), (1, 1, n)
    groups = 2 if kind == "groups" else 1
    kernel = weights(groups, 1, k)
    return lambda x: conv1d(x, kernel, groups=groups, **options), (1, groups, n)


def shapes(figure: Pinned, *fonts: str) -> list[Shape]:
    """The shapes whose labels are in these fonts."""
    return [s for s in figure.drawing.shapes if s.label and s.looks["fontname"] in fonts]


def on_wires(figure: Pinned) -> list[Shape]:
    """The letters on the wires, in the order of the wires."""
    return [s for s in shapes(figure, "Times-Italic") if s.looks["shape"] == "plaintext"]


def meet(one: Shape, other: Shape) -> bool:
    return (
        abs(one.x - other.x) < (one.width + other.width) / 2 and abs(one.y - other.y) < (one.height + other.height) / 2
    )


# -- units and wires ---------------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize(("outputs", "inputs"), [(4, 1250), (3, 1667)])
def test_so_many_wires_are_drawn_and_no_more(outputs: int, inputs: int) -> None:
    w = weights(outputs, inputs)
    if outputs * inputs <= 5000:
        assert len(connectivity(lambda x: dense(x, w), inputs).drawing.wires) == 5000
    else:
        with pytest.raises(ValueError, match=r"5,001 wires are no picture \(more than 5,000\).*smaller input_shape"):
            connectivity(lambda x: dense(x, w), inputs)


@pytest.mark.parametrize(
    ("layers", "shape", "options", "said"),
    [
        ([], 3, {}, "list is empty"),
        (nets.Conv1d(1, 1, 3), 0, {}, r"input_shape \(=0\) has no units"),
        (nets.Conv1d(1, 1, 3), (1, 0), {}, "has no units"),
        (nets.Conv1d(1, 1, 3), 5, {"rows": ["one", "two"] * 2}, r"rows \(=\[.*\]\) must name at most the 2 rows"),
        (nets.Conv1d(1, 1, 3), 5, {"letters": "abc"}, r"letters \(='abc'\) must name each of the 2 rows"),
        (nets.Conv1d(1, 1, 3), 5, {"ends": -1}, r"ends \(=-1\) must be at least 0"),
        (nets.Conv1d(1, 1, 3), 5, {"compare": [1, 2, 3, 4, 5]}, "it needs an x to be compared with"),
        (nets.Conv1d(1, 1, 3), 5, {"x": [1, 2, 3]}, r"the 5 inputs of \(1, 1, 5\), got \(3,\)"),
        (lambda x: x[5:], 3, {}, r"a row of shape \(0,\) has no units"),
    ],
)
def test_shapes_that_cannot_be_drawn_are_refused_in_words(
    layers: Layer, shape: int, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        connectivity(layers, shape, **options)


def test_a_layer_is_drawn_as_it_computes_in_use() -> None:
    """Dropout leaves nothing out, and a batch normalization does not learn from being drawn."""
    model = nets.Sequential(nets.Dropout(0.9), nets.BatchNorm2d(1))
    before = model.state_dict()
    figure = connectivity(model, x=np.ones((1, 1, 1, 3)))
    assert [s.label for s in shapes(figure, "Helvetica")] == ["1"] * 6
    assert all((model.state_dict()[name] == value).all() for name, value in before.items()) and model.training


def test_all_images_of_a_batch_are_drawn_and_those_that_meet_are_joined() -> None:
    scale, shift = Tensor([1.0], name="scale"), Tensor([0.0], name="shift")
    figure = connectivity(lambda x: batch_norm(x, scale, shift), (3, 1, 2, 2), highlight=0, direction="above")
    cells = [s for s in figure.drawing.shapes if s.looks["shape"] == "box"]
    assert len(cells) == 24
    assert [s.label for s in shapes(figure, "Helvetica") if "images" in s.label] == ["3 images\\n1 × 2 × 2"] * 2
    assert len([s for s in cells if s.looks["fillcolor"] == FIELD["fillcolor"]]) == 12  # all that unit 0 sees
    apart = connectivity(lambda x: 2 * x, (3, 1, 2))
    assert apart.dot.count("->") == 6 and len([s for s in apart.drawing.shapes if s.looks["shape"] == "circle"]) == 12


def test_a_pruned_layer_is_drawn_as_pruned() -> None:
    w = Tensor([[1.0, 0.0], [0.0, 1.0]], name="w")
    assert connectivity(lambda x: dense(x, w), 2).dot.count("->") == 4
    assert connectivity(lambda x: dense(x, w), 2, zeros=False).dot.count("->") == 2


def test_a_layer_that_a_student_invents_is_drawn_like_any_other() -> None:
    figure = connectivity(lambda x: x[1:] * x[:-1], 4)
    assert figure.dot.count("->") == 6


def test_a_dense_layer_and_a_convolution_differ_in_their_wires_alone() -> None:
    w = Tensor(np.ones((1, 1, 3)))
    sparse = connectivity(lambda x: conv1d(x, w, padding=1), 5)
    assert sparse.dot.count("->") == 13


@pytest.mark.parametrize("grey", [False, True])
def test_changed_units_followed_units_and_their_field_look_different(grey: bool) -> None:
    pool = partial(max_pool1d, kernel_size=1)
    followed = connectivity(pool, x=[1, 2, 3], highlight=0, grey=grey)
    changed = connectivity(pool, x=[1, 2, 3], compare=[1, 5, 3], grey=grey)
    [focus, _, _, field, *_] = followed.drawing.shapes
    [plain, other, *_] = changed.drawing.shapes
    looks = [{**s.looks, "fontsize": ""} for s in (focus, field, plain, other)]
    assert not [pair for pair in combinations(looks, 2) if pair[0] == pair[1]]


def test_a_title_stands_over_the_units_whatever_the_rows_are_called() -> None:
    titles = [
        connectivity(nets.Conv1d(1, 1, 3), 7, title="t", rows=rows, ends=ends).drawing.shapes[12]
        for ends in (0, 1)
        for rows in ([], ["a very long name", "b"])
    ]
    assert {(s.label, s.x) for s in titles} == {("t", 216.0)}


def test_each_of_26_rows_has_a_letter_of_its_own() -> None:
    figure = connectivity([lambda x: 2 * x] * 25, 1)
    assert len(set(re.findall("<I>([a-z])</I>", figure.dot))) == 26
    with pytest.raises(ValueError, match="must name each of the 27 rows"):
        connectivity([lambda x: 2 * x] * 26, 1)


# -- letters on wires --------------------------------------------------------------------------------------------------


@given(sharing_layers())
def test_no_letter_covers_another_or_a_unit(made: tuple[Layer, Size]) -> None:
    figure = connectivity(*made, share=True)
    letters, units = on_wires(figure), [s for s in figure.drawing.shapes if s.looks["shape"] == "circle"]
    assert len(letters) == len(figure.drawing.wires)
    assert not [pair for pair in combinations(letters, 2) if meet(*pair)]
    assert not [pair for pair in product(letters, units) if meet(*pair)]


@given(
    st.integers(2, 6).flatmap(
        lambda n: st.lists(st.sets(st.integers(0, n - 1), min_size=1), min_size=1, max_size=6).map(
            lambda seen: (n, seen)
        )
    )
)
@example((6, [{0, i} for i in range(1, 6)]))
def test_no_unit_covers_another_whatever_sees_what(made: tuple[int, list[set[int]]]) -> None:
    """And they stand in the order of their numbers."""
    n, seen = made
    table = np.array([[j in some for j in range(n)] for some in seen], dtype=float)
    figure = connectivity(lambda x: table @ x, n)
    units = [s for s in figure.drawing.shapes if s.looks["shape"] == "circle"]
    assert not [pair for pair in combinations(units, 2) if meet(*pair)]
    for row in units[:n], units[n:]:
        assert [s.x for s in row] == sorted(s.x for s in row)


@given(sharing_layers())
def test_equal_letters_are_equal_weights_and_equal_lines(made: tuple[Layer, Size]) -> None:
    figure = connectivity(*made, share=True)
    wires = zip(connections(*made).values(), on_wires(figure), figure.drawing.wires, strict=True)
    found = {(weight, letter.label, str(wire.looks)) for weight, letter, wire in wires}
    for kind in zip(*found, strict=True):
        assert len(set(kind)) == len(found)


@given(sharing_layers())
def test_letters_come_in_the_order_of_the_elements(made: tuple[Layer, Size]) -> None:
    figure = connectivity(*made, share=True)
    weights = [cast(tuple[str, int], weight) for weight in connections(*made).values()]
    letters = [s.label for s in on_wires(figure)]
    assert sorted(letters) == [letter for _, letter in sorted(zip(weights, letters, strict=True))]


def test_two_layers_share_letters_only_where_they_share_a_parameter() -> None:
    one, other = nets.Conv1d(1, 1, 2), nets.Conv1d(1, 1, 2)
    apart = connectivity([one, other], 3, share=True)
    again = connectivity([one, one], 3, share=True)
    assert set(re.findall(r"label=([a-z]) ", apart.dot)) == set("abcd")
    assert set(re.findall(r"label=([a-z]) ", again.dot)) == set("ab")


def test_more_weights_than_letters_have_two_letters() -> None:
    matrix = weights(6, 6)
    figure = connectivity(lambda x: dense(x, matrix), 6, share=True)
    said = [shape.label for shape in on_wires(figure)]
    assert len(set(said)) == 36 and {"a", "z", "aa", "aj"} <= set(said)


def test_weights_that_cannot_be_shown_are_refused_with_a_way_out() -> None:
    w = weights(1, 1, 3)
    a, ones = Tensor(2.0, name="a"), np.ones((20, 20))
    with pytest.raises(ValueError, match="make the weight outside of the function"):
        connectivity(lambda x: conv1d(x, weights(1, 1, 3)), 5, share=True)
    with pytest.raises(ValueError, match="no weight 'd': the weights are a to c"):
        connectivity(lambda x: conv1d(x, w), 5, share="ad")
    with pytest.raises(ValueError, match=r"400 wires leave no room.*share='abc'"):
        connectivity(lambda x: x @ ones * a, 20, share=True)
    for asked in {}, {"highlight": [0, 1], "direction": "above"}, {"highlight": 7, "direction": "below"}:
        with pytest.raises(ValueError, match=r"highlight one unit, seen from above"):
            connectivity(nets.Conv2d(1, 1, 3), (6, 6), share=True, **asked)  # type: ignore[arg-type]


# -- grids and numbers -------------------------------------------------------------------------------------------------


@given(st.integers(-(10**9) + 1, 10**9 - 1))
def test_whole_numbers_are_written_in_full(value: int) -> None:
    assert number(value) == number(float(value)) == str(value).replace("-", "\N{MINUS SIGN}")


@pytest.mark.parametrize("decimals", [None, 0, 2])
def test_zero_has_no_sign(decimals: int | None) -> None:
    assert number(-0.0, decimals) == number(0.0, decimals) == number(-1e-9, decimals or 0)


@given(st.floats(-1e8, 1e8).filter(bool))
def test_other_numbers_have_three_digits_or_one_decimal(value: float) -> None:
    assert abs(float(number(value).replace("\N{MINUS SIGN}", "-")) / value - 1) <= 0.005 + 1e-12


@given(st.lists(numbers, min_size=6, max_size=6), st.lists(numbers, min_size=2, max_size=2))
def test_every_number_fits_its_cell(image: list[float], kernel: list[float]) -> None:
    w = Tensor([[kernel]])
    row = connectivity(lambda x: conv1d(x, w), x=[[image]], compare=[[image[::-1]]])
    images = connectivity(lambda x: max_pool2d(x, 2), x=np.reshape(image, (1, 1, 2, 3)))
    for figure in row, images, viz.convolution_steps(np.reshape(image, (2, 3)), [kernel]):
        for s in shapes(figure, "Helvetica", "Helvetica-Bold"):
            longest = max(map(len, s.label.split("\\n")))
            assert longest * float(s.looks["fontsize"]) * CHARACTER <= s.width


@given(st.integers(1, 4), st.lists(st.booleans(), min_size=1, max_size=12))
def test_no_cell_paints_over_a_heavier_border(width: int, marked: list[bool]) -> None:
    drawing = Drawing()
    texts = [str(n) for n in range(len(marked) * width)]
    cells = drawing.grid(0, 0, (len(marked), width), texts, [FIELD if m else {} for m in marked * width])
    assert [drawing.shapes[n].label for n in cells] == texts
    widths = [float(s.looks["penwidth"]) for s in drawing.shapes]
    assert widths == sorted(widths)


@given(st.sets(st.integers(0, 15), min_size=1, max_size=3), st.integers(1, 2))
def test_each_unit_is_joined_to_its_own_window_from_corner_to_corner(units: set[int], depth: int) -> None:
    """The lines end at what is marked, not at the border of a grid; cells that they pass behind are seen through."""
    w = weights(1, 1, 3, 3)
    layer = partial(conv2d, w=w, padding=1)
    drawing = connectivity([layer] * depth, (4, 4), highlight=units, direction="above").drawing
    cells = [[s for s in drawing.shapes if s.looks["shape"] == "box"][16 * r : 16 * r + 16] for r in range(depth + 1)]
    for row in cells:
        row.sort(key=lambda s: (-s.y, s.x))  # in reading order
    expected = []
    for unit in units:
        after = {unit}
        for r in reversed(range(depth)):
            before = {
                h * 4 + x
                for i in after
                for h, x in product(range(i // 4 - 1, i // 4 + 2), range(i % 4 - 1, i % 4 + 2))
                if 0 <= h < 4 and 0 <= x < 4
            }
            one, two = [cells[r][j] for j in before], [cells[r + 1][i] for i in after]
            right, left = max(s.x + s.width / 2 for s in one), min(s.x - s.width / 2 for s in two)
            for pick, side in ((max, 0.5), (min, -0.5)):
                tail = pick(s.y + side * s.height for s in one)
                expected.append(((right, tail), (left, pick(s.y + side * s.height for s in two))))
            after = before
    ends = [[(drawing.shapes[n].x, drawing.shapes[n].y) for n in (w.tail, w.head)] for w in drawing.wires]
    assert sorted(map(tuple, ends)) == sorted(expected)
    assert all(
        ("filled" in s.looks["style"]) == ("fillcolor" in s.looks and s.looks["fillcolor"] != "#FFFFFF")
        for row in cells
        for s in row
    )


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


@given(st.integers(0, 8))
def test_the_output_fills_up_as_the_window_slides(position: int) -> None:
    image, kernel = np.arange(25).reshape(5, 5), np.ones((3, 3))
    for whole, expected in (True, 9), (False, position + 1):
        figure = viz.convolution_steps(image, kernel, position=position, whole_output=whole)
        cells = [s for s in figure.drawing.shapes if s.looks["shape"] == "box"][-9:]
        assert len([s for s in cells if s.label.strip()]) == expected


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        (lambda x, w: max_pool2d(x, 2), "pixel a must be multiplied by one weight .* output 0, and it is by none"),
        (lambda x, w: conv2d(conv2d(x, w), w), "must be multiplied by one weight"),
        (lambda x, w: conv2d(x, weights(1, 1, 2, 2) + 1), "must be multiplied by one weight"),
        (lambda x, w: conv2d(x, concatenate([w, w])), r"must make an image \(1, 1, H, W\), got shape \(1, 2, 2, 2\)"),
        (lambda x, w: conv2d(x, w).reshape(-1), r"must make an image .*, got shape \(4,\)"),
    ],
)
def test_what_is_no_sum_of_pixels_times_weights_has_no_letters(
    layer: Callable[[Tensor, Tensor], Tensor], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        viz.convolution_letters(layer, (3, 3), (2, 2))
    assert viz.convolution_letters(conv2d, 3, 2).dot == viz.convolution_letters(conv2d, (3, 3), (2, 2)).dot


def test_padded_cells_stay_dashed_inside_the_window() -> None:
    figure = viz.convolution_steps(np.ones((3, 3)), np.ones((3, 3)), position=0, padding=1)
    window = [s for s in figure.drawing.shapes if s.looks.get("fillcolor") == FIELD["fillcolor"]]
    assert sorted("dashed" in s.looks["style"] for s in window) == [False] * 4 + [True] * 5
