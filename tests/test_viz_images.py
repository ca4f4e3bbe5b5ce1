"""What layers do to pictures, and networks as pictures: the words are true, and nothing is in the way of another."""

import re
from collections.abc import Callable
from functools import partial
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import minitensor
import nets
import viz
from minitensor import Tensor, conv2d, max_pool2d, relu
from minitensor.tensor import Array
from nets.training.png import decode, encode
from viz.drawing.check import SMALLEST, measure
from viz.drawing.sheet import Pinned, Shape
from viz.subjects.images import KERNELS, halve, quarter_turn, shown, translate, verdict
from viz.subjects.lecture.networks import GRADIENT, _plot

ImageFunction = Callable[[Tensor], Tensor]


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


@given(st.integers(1, 1500), st.integers(1, 1500), st.integers(0, 2**32 - 1))
@settings(max_examples=10)
def test_a_photograph_of_ones_own_is_as_bright_as_it_was_and_small_enough(height: int, width: int, seed: int) -> None:
    image = np.random.default_rng(seed).integers(0, 256, (height, width)).astype(np.uint8)
    with TemporaryDirectory() as folder:
        path = Path(folder, "photo.png")
        Image.fromarray(image).save(path)
        small = viz.photograph(path)
    assert max(small.shape) <= 512 or min(height, width) < 3
    if max(height, width) <= 512:
        np.testing.assert_array_equal(small * 255, image)
    else:
        side = height // small.shape[0]
        assert small[0, 0] == pytest.approx(image[:side, :side].mean() / 255)


def test_filters_and_squares_take_the_name_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    Image.new("RGB", (24, 16), (200, 30, 30)).save(path)
    assert "Sobel" in viz.filters(str(path)).dot
    assert "16 × 24" in viz.commuting_square(relu, quarter_turn, path).dot
    assert viz.filters(path, kernels={"mine": [[1, -1], [0.5, 2]]}).dot.count("1/2 ·") == 1
    path.write_bytes(b"no picture at all")
    for draw in (viz.filters, partial(viz.commuting_square, relu, relu)):
        with pytest.raises(ValueError, match="not a picture that can be read"):
            draw(path)
    with pytest.raises(FileNotFoundError):
        viz.filters(tmp_path / "none.png")
    for kernels in ({}, {"flat": [1, 2]}):
        with pytest.raises(ValueError, match="kernel"):
            viz.filters(kernels=kernels)


# -- does the order matter? --------------------------------------------------------------------------------------------


def sobel(x: Tensor) -> Tensor:
    return conv2d(x, Tensor([[KERNELS["Sobel"]]]), padding=1)


def text(figure: Pinned) -> str:
    """All that is written, whether its lines are centred or not."""
    return "\n\n".join(s.label for s in figure.drawing.shapes).replace("\\l", "\n").replace("\\n", "\n")


def translate_right(x: Tensor) -> Tensor:
    return translate(x, right=1)


@pytest.mark.parametrize(
    ("f", "g", "sign", "said"),
    [
        (relu, translate_right, "=", "they agree at 144 of 144 places,\nand so for every image:"),
        (relu, translate_right, "=", "the order makes no difference"),
        (
            sobel,
            translate_right,
            "≠",
            "places: for every image\neverywhere but within 1 pixel of the left and right edges",
        ),
        (lambda x: max_pool2d(x, 2), translate_right, "≠", "and differ far from the border, too"),
        (sobel, quarter_turn, "≠", "and differ far from the border, too"),
        (lambda x: conv2d(x, np.ones((1, 1, 3, 3))), lambda x: max_pool2d(x, 2), "≠", "the order matters"),
        (lambda x: conv2d(x, np.ones((1, 1, 3, 3))), lambda x: max_pool2d(x, 2), "≠", "(sizes 4 × 4 and 5 × 5: they"),
        (halve, lambda x: max_pool2d(x, 2), "≠", "differ far from"),
    ],
)
def test_the_square_says_whether_and_where_the_order_matters(
    f: ImageFunction, g: ImageFunction, sign: str, said: str
) -> None:
    image = np.random.default_rng(0).integers(1, 9, (12, 12)) / 8.0
    figure = viz.commuting_square(f, g, image, names=("first", "second"))
    assert said in text(figure)
    signs = [s.label for s in figure.drawing.shapes if s.label in ("=", "≠")]
    assert signs == [sign]
    assert "no difference" not in figure.dot or sign == "="
    labels = [s.label.split("\\n")[0] for s in figure.drawing.shapes]
    for name in ("x", "g(x)", "f(x)", "f(g(x))", "g(f(x))", "first", "second"):
        assert name in labels
    assert "f: first, g: second" in text(figure)
    upper, lower = (
        next(s for s in figure.drawing.shapes if s.label.startswith(name)) for name in ("f(g(x))", "g(f(x))")
    )
    [middle] = [s for s in figure.drawing.shapes if s.label == sign]
    assert lower.y < middle.y < upper.y and middle.x == upper.x == lower.x


@given(st.integers(0, 2**32 - 1), st.sampled_from([0, 1]))
@settings(max_examples=15)
def test_pictures_of_a_square_share_a_scale_and_0_is_black_or_where_there_are_negative_ones_grey(
    seed: int, signed: int
) -> None:
    """x and g(x) on one scale, what f makes of both on another; the difference on that one, always about grey."""
    rng = np.random.default_rng(seed)
    image = rng.integers(-9 * signed, 10, (6, 6)).astype(float)
    image[0, 0], image[5, 5] = 9, -9 * signed

    def twice(x: Tensor) -> Tensor:
        return 2 * x

    def shift(x: Tensor) -> Tensor:
        return x + 1 - signed  # no longer the same, and not negative where x is not

    figure = viz.commuting_square(twice, shift, image)
    found = [pixels_of(figure, s)[::26, ::26] for s in figure.drawing.shapes if "image" in s.looks]
    x, gx, fx = image, image + 1 - signed, 2 * image
    fgx, gfx = 2 * gx, fx + 1 - signed
    before, after = np.abs([x, gx]).max(), np.abs([*fx.ravel(), *fgx.ravel(), *gfx.ravel()]).max()
    for picture, v, span in zip(found[:5], (x, gx, fx, fgx, gfx), (before, before, after, after, after), strict=True):
        expected = v / (2 * span) + 0.5 if v.min() < 0 else v / span
        np.testing.assert_allclose(picture, expected, atol=1 / 254)
    np.testing.assert_allclose(found[5], (fgx - gfx) / (2 * after) + 0.5, atol=1 / 254)
    np.testing.assert_allclose(found[6], fgx == gfx)


@given(st.floats(0.1, 10), st.floats(0.1, 10), st.booleans())
@settings(max_examples=15)
def test_no_picture_of_a_square_is_darker_than_half_and_the_results_share_a_scale(f: float, g: float, up: bool) -> None:
    """Whatever f and g do to the range; which of them adds decides whether the results differ."""
    step = 1.0 * up
    figure = viz.commuting_square(lambda x: x * f, lambda x: x * g + step, np.eye(4))
    x, gx, fx, fgx, gfx, *_ = (pixels_of(figure, s) for s in figure.drawing.shapes if "image" in s.looks)
    assert min(v.max() for v in (x, gx, fx)) >= 0.5 - 1 / 254 and max(fgx.max(), gfx.max()) >= 0.5 - 1 / 254
    spans = f * (g + step), f * g + step
    assert fgx.max() * spans[1] == pytest.approx(gfx.max() * spans[0], abs=max(spans) / 127)


@given(st.integers(0, 2**32 - 1), st.booleans(), st.sampled_from([0.5, 1.0, 40.0]))
def test_a_picture_is_black_at_0_or_grey_there(seed: int, signed: bool, largest: float) -> None:
    """What is beyond 1 is made less bright as a whole; with signs, the contrast is what most pixels leave."""
    pixels = np.random.default_rng(seed).uniform(-largest if signed else 0, largest, (20, 20))
    picture = decode(shown(pixels, signed))[::8, ::8]
    if signed:
        expected = np.clip(0.5 + pixels / np.percentile(np.abs(pixels), 99) / 2, 0, 1)
    else:
        expected = pixels / max(1, pixels.max())
    np.testing.assert_allclose(picture, expected, atol=1 / 254)


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5)), min_size=1, max_size=6), st.integers(1, 4))
@settings(max_examples=15)
def test_pictures_that_filters_make_stand_in_rows_whatever_the_sizes_of_the_kernels(
    sizes: list[tuple[int, int]], across: int
) -> None:
    figure = viz.filters(np.eye(6), across, kernels={f"k{n}": np.ones(size) for n, size in enumerate(sizes)})
    heights = [round(s.y, 3) for s in figure.drawing.shapes if "image" in s.looks]
    assert [heights.index(y) // across * across for y in heights] == [n // across * across for n in range(len(sizes))]
    assert in_the_way(figure) == []


@given(st.integers(1, 9), st.integers(1, 9), st.integers(20, 400))
@settings(max_examples=10)
def test_pictures_of_filters_are_as_large_as_asked_and_their_words_as_they_were(h: int, w: int, side: int) -> None:
    figure, usual = (viz.filters(np.ones((h, w)), kernels={"a": [[1]]}, **more) for more in ({"side": side}, {}))
    [picture] = [s for s in figure.drawing.shapes if "image" in s.looks]
    assert max(picture.width, picture.height) == pytest.approx(side, rel=1e-3)
    assert picture.width * h == pytest.approx(picture.height * w, rel=1e-2)
    sizes = [[s.looks["fontsize"] for s in drawn.drawing.shapes if s.label] for drawn in (figure, usual)]
    assert sizes[0] == sizes[1] and in_the_way(figure) == []
    for wrong in (0, -3, 9.99, 2000.01, 1e6, float("nan")):
        with pytest.raises(ValueError, match=r"side \(=.*must be from 10 to 2000"):
            viz.filters(np.eye(3), side=wrong)
    for extreme in (10, 2000):
        viz.filters(np.eye(3), side=extreme)


@given(st.integers(1, 5), st.integers(1, 5))
@settings(max_examples=5)
def test_a_position_that_is_not_there_is_told_which_there_are(height: int, width: int) -> None:
    """The last that the message names is drawn, and the next is refused."""
    for draw in (
        partial(viz.convolution_steps, np.ones((height, width)), [[1]]),
        partial(viz.convolution_arithmetic, (height, width), 1),
    ):
        with pytest.raises(ValueError, match="must be from 0 to ") as refused:
            draw(position=height * width)
        last = int(str(refused.value).split()[-1])
        assert last == height * width - 1
        draw(position=last)


@pytest.mark.parametrize(
    ("draw", "error", "said"),
    [
        (partial(viz.convolution_steps, np.ones((3, 3)), [[1]], position=1.5), TypeError, r"position \(=1\.5\)"),
        (partial(viz.convolution_arithmetic, 5, 3, position=1.5), TypeError, r"position \(=1\.5\)"),
        (partial(viz.convolution_arithmetic, 5, 3, side=0), ValueError, r"side \(=0\) must be more than 0"),
        (partial(viz.convolution_arithmetic, 5, 3, side=-5), ValueError, r"side \(=-5\)"),
        (partial(viz.convolution_arithmetic, 5, 3, side=float("nan")), ValueError, r"side \(=nan\)"),
        (partial(viz.convolution_arithmetic, 5, 3, channels=(1,)), ValueError, r"channels \(=\(1,\)\) must be two"),
        (partial(viz.convolution_arithmetic, 5, 3, channels=(1, 0)), ValueError, r"channels \(=\(1, 0\)\) must be two"),
        (partial(viz.convolution_arithmetic, 5, 3, channels=2), TypeError, r"channels \(=2\)"),
        (partial(viz.convolution_arithmetic, 5, 3, channels=(1, 1.5)), TypeError, r"channels \(=1\.5\)"),
        (partial(viz.computation_graph, Tensor(1.0), last=0), ValueError, r"last \(=0\) must be at least 1"),
        (partial(viz.computation_graph, Tensor(1.0), last=-1), ValueError, r"last \(=-1\)"),
        (partial(viz.computation_graph, Tensor(1.0), last=1.5), TypeError, r"last \(=1\.5\)"),
        (partial(viz.computation_graph, Tensor(1.0), columns=0), ValueError, r"columns \(=0\)"),
        (partial(viz.computation_graph, Tensor(1.0), columns=1.5), TypeError, r"columns \(=1\.5\)"),
        (partial(viz.filters, np.eye(3), across=1.5), TypeError, r"across \(=1\.5\)"),
    ],
)
def test_a_number_that_is_not_whole_or_too_small_is_said(
    draw: Callable[[], object], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        draw()


@given(st.integers(1, 3).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, 255))))
def test_a_picture_of_0_to_255_is_filtered_as_one_of_0_to_1(drawn: tuple[int, int]) -> None:
    n, seed = drawn
    image = np.random.default_rng(seed).integers(0, 256, (n + 3, n + 4))
    image[0, 0] = 255
    one, other = viz.filters(image / 255), viz.filters(image)
    for a, b in zip(one.images.values(), other.images.values(), strict=True):
        np.testing.assert_allclose(decode(a), decode(b), atol=1.5 / 255)


def test_a_photograph_without_a_name_is_none() -> None:
    with pytest.raises(OSError, match="directory"):
        viz.photograph("")


def test_a_curve_that_jumps_has_no_wire_across_the_jump() -> None:
    """The slope of relu is 0 or 1, and nothing between: each piece of its curve lies flat, at one of these heights."""
    drawing = _plot("relu", relu)
    ends = [(drawing.shapes[w.tail], drawing.shapes[w.head]) for w in drawing.wires if w.looks.get("color") == GRADIENT]
    assert {tail.y == head.y for tail, head in ends} == {True} and {tail.y for tail, _ in ends} == {0.0, 26.0}


@pytest.mark.parametrize(
    ("kernel", "texts", "factor"),
    [
        ([[1, 2], [0, -1]], ["1", "2", "0", "\N{MINUS SIGN}1"], ""),
        ([[1 / 9, 2 / 9]], ["1", "2"], "1/9 ·"),
        ([[0.5, 0.25]], ["2", "1"], "1/4 ·"),
        ([[1 / 3, 1 / 2]], ["2", "3"], "1/6 ·"),
        ([[0.3, np.pi]], ["0.3", "3.14"], ""),
        *(
            ([[1 / n, 2 / n, -1 / n]], ["1", "2", "\N{MINUS SIGN}1"], f"1/{n} ·")
            for n in (2, 3, 4, 5, 6, 8, 9, 16, 25, 256)
        ),
    ],
)
def test_a_kernel_is_written_in_whole_numbers_where_a_fraction_before_it_allows(
    kernel: list[list[float]], texts: list[str], factor: str
) -> None:
    figure = viz.filters(np.eye(6), kernels={"mine": kernel})
    said = [s.label for s in figure.drawing.shapes if s.label and s.label != "mine"]
    assert said == ([factor] if factor else []) + texts


def test_what_holds_for_this_image_alone_is_not_said_of_every_image() -> None:
    """A picture of nothing cannot tell two orders apart, a constant one cannot tell a blur from its move."""
    blank, flat = np.zeros((8, 8)), np.ones((8, 8))
    figure = viz.commuting_square(sobel, quarter_turn, blank)
    assert "they agree at 64 of 64 places,\nfor this image, and not for every image" in text(figure)
    assert "no difference" not in figure.dot
    turned = viz.commuting_square(lambda x: max_pool2d(x, 2), halve, flat).dot
    assert "for this image, and not for every image" in turned


@pytest.mark.parametrize(
    "f",
    [minitensor.sqrt, minitensor.log, lambda x: minitensor.exp(minitensor.exp(x)), lambda x: x / minitensor.relu(x)],
)
def test_a_function_that_is_not_defined_everywhere_commutes_with_a_turn(f: ImageFunction) -> None:
    figure = viz.commuting_square(f, quarter_turn, np.arange(1, 17.0).reshape(4, 4) / 8)
    assert "they agree at 16 of 16 places,\nand so for every image" in text(figure)


@given(st.integers(0, 15), st.sampled_from([np.nan, np.inf, -np.inf]))
@settings(max_examples=10)
def test_what_is_no_number_cannot_be_shown_and_is_said(place: int, value: float) -> None:
    image = np.ones((4, 4))
    image.flat[place] = value
    for draw in partial(viz.filters, image), partial(viz.commuting_square, relu, relu, image):
        with pytest.raises(ValueError, match="finite numbers, and 1 of 16 are not"):
            draw()
    with pytest.raises(ValueError, match="must give finite numbers for x, and 3 of the 5 images"):
        viz.commuting_square(lambda x: x + image, lambda x: 2 * x, np.ones((4, 4)))


def test_a_picture_of_another_shape_and_one_that_is_not_of_numbers_are_told_apart() -> None:
    with pytest.raises(ValueError, match=r"a picture is an \(H, W\) or .*, got shape \(2,\)"):
        encode([0.0, np.nan])
    with pytest.raises(ValueError, match="a picture is made of numbers, and 1 of 2 values are NaN"):
        encode([[np.nan, np.inf]])


def test_what_is_no_tensor_is_no_image() -> None:
    functions: list[Any] = [(relu, lambda x: x.data), (lambda x: x.data, relu)]
    for f, g in functions:
        with pytest.raises(TypeError, match="must return a Tensor, and one returned "):
            viz.commuting_square(f, g, np.ones((4, 4)))


def test_rounding_is_no_difference() -> None:
    """A blur of thirds, before and after a quarter turn: the same sums in another order."""
    image = np.random.default_rng(1).normal(size=(9, 9))
    blur = Tensor(np.full((1, 1, 3, 3), 1 / 3))
    assert "the order makes no difference" in viz.commuting_square(
        lambda x: conv2d(x, blur, padding=1), quarter_turn, image
    ).dot  # fmt: skip


@pytest.mark.parametrize("shape", [(4,), (0, 3), (2, 3, 4), ()])
def test_a_square_of_what_is_no_image_is_refused_with_its_shape(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=re.escape(f"an image (H, W), got shape {shape}")):
        viz.commuting_square(relu, relu, np.zeros(shape))
    with pytest.raises(ValueError, match=r"must give images \(1, 1, H, W\), got shape \(1, 16\)"):
        viz.commuting_square(relu, lambda x: x.reshape(1, -1), np.zeros((4, 4)))


STRIPS = {"left": np.s_[:, :1], "right": np.s_[:, -1:], "upper": np.s_[:1], "lower": np.s_[-1:]}


@pytest.mark.parametrize("size", [3, 4])
def test_the_edges_of_a_small_image_are_named_too(size: int) -> None:
    agree = np.arange(size) > np.zeros((size, 1))
    assert verdict(agree, (size, size), (size, size)).endswith("within 1 pixel of the left edge")


@given(st.sets(st.sampled_from(list(STRIPS)), min_size=1))
def test_the_edges_that_are_named_are_those_where_the_images_differ(sides: set[str]) -> None:
    agree = np.ones((6, 9), bool)
    for side in sides:
        agree[STRIPS[side]] = False
    which, where = verdict(agree, (6, 9), (6, 9)).splitlines()
    assert which.endswith("for this image")
    assert verdict(agree, (6, 9), (6, 9), agree) == verdict(agree, (6, 9), (6, 9)).replace("this", "every")
    where = where.removeprefix("everywhere but within 1 pixel of the ")
    named = where.removesuffix("s").removesuffix(" edge").split(" and ")
    assert named == ["border"] if len(sides) == 4 else set(named) == sides


# -- nothing stands in the way -----------------------------------------------------------------------------------------


def in_the_way(figure: Pinned) -> list[tuple[str, str]]:
    """Words that meet an image, other words or an arrow."""
    shapes = figure.drawing.shapes
    texts = [s for s in shapes if s.looks["shape"] == "plaintext"]
    solid = [s for s in shapes if s.looks["shape"] == "box"]
    found = [(a.label, b.label) for a, b in combinations(texts, 2) if overlap(a, b)]
    found += [(a.label, b.looks.get("image", b.label)) for a in texts for b in solid if overlap(a, b)]
    found += [("two pictures", "") for a, b in combinations(solid, 2) if overlap(a, b)]
    for wire in figure.drawing.wires:
        a, b = shapes[wire.tail], shapes[wire.head]
        for along in np.linspace(0, 1, 101):
            point = Shape(a.x + along * (b.x - a.x), a.y + along * (b.y - a.y), 0, 0, "", {})
            found += [(s.label, "an arrow") for s in [*texts, *solid] if overlap(s, point)]
    return found


def overlap(a: Shape, b: Shape) -> bool:
    across, along = (a.width + b.width) / 2, (a.height + b.height) / 2
    return abs(a.x - b.x) < across - 0.01 and abs(a.y - b.y) < along - 0.01


@given(
    st.tuples(st.integers(8, 40), st.integers(8, 40)),
    st.sampled_from([relu, sobel, translate_right, quarter_turn, halve]),
    st.sampled_from([relu, sobel, translate_right, quarter_turn, halve]),
    st.tuples(st.text("w ,", min_size=1, max_size=30), st.text("w ,", min_size=1, max_size=30)),
)
@settings(max_examples=40)
def test_no_words_of_a_square_meet_an_image_an_arrow_or_other_words(
    shape: tuple[int, int], f: ImageFunction, g: ImageFunction, names: tuple[str, str]
) -> None:
    assert in_the_way(viz.commuting_square(f, g, np.ones(shape), names=names, title="a title")) == []


@given(st.lists(st.tuples(st.integers(1, 20), st.integers(1, 3)), min_size=1, max_size=8), st.integers(20, 40))
@settings(max_examples=15)
def test_no_words_of_an_architecture_meet_a_picture_and_all_can_be_read_on_a_slide(
    layers: list[tuple[int, int]], size: int
) -> None:
    channels = [1, *(c for c, _ in layers)]
    model = nets.Sequential(**{f"conv{n}": nets.Conv2d(channels[n], c, k) for n, (c, k) in enumerate(layers)})
    figure = viz.architecture(model, np.eye(size, size + 3, dtype=np.float32), title="a title")
    assert in_the_way(figure) == []
    shown = figure.parts or [figure]
    assert all(measure(part).slide >= SMALLEST for part in shown)
    named = [s.label for part in shown for s in part.drawing.shapes if s.label.startswith("conv")]  # type: ignore[attr-defined]
    assert named == [f"conv{n}" for n in range(len(layers))]


# -- a network as a picture --------------------------------------------------------------------------------------------


def test_an_architecture_shows_each_layers_size_and_counts() -> None:
    figure = viz.architecture(nets.lenet5(), np.zeros((1, 1, 32, 32), np.float32))
    assert in_the_way(figure) == []
    for fact in "6 @ 28 × 28", "156 parameters", "122,304 connections", "151,600 connections", "48,120 parameters":
        assert fact in figure.dot


@given(st.integers(1, 20), st.integers(1, 70), st.integers(1, 70), st.integers(0, 2**32 - 1))
@settings(max_examples=20)
def test_every_pixel_of_every_map_is_a_square(channels: int, height: int, width: int, seed: int) -> None:
    x = np.random.default_rng(seed).normal(size=(channels, height, width))
    figure = viz.architecture(nets.Sequential(act=nets.ReLU()), x)
    for shape in figure.drawing.shapes:
        if "image" in shape.looks:
            rows, columns = pixels_of(figure, shape).shape
            assert shape.width / columns == pytest.approx(shape.height / rows, rel=1e-3)


@given(st.integers(2, 5))
@settings(max_examples=4)
def test_equal_channels_are_drawn_once(channels: int) -> None:
    model = nets.Sequential(conv=nets.Conv2d(channels, 2, 3))
    image = np.random.default_rng(0).normal(size=(8, 8)).astype(np.float32)
    same, other = (viz.architecture(model, np.stack([image] * (channels - 1) + [last])) for last in (image, -image))
    assert pixels_of(same, same.drawing.shapes[0]).shape == (64, 64)
    assert pixels_of(other, other.drawing.shapes[0]).size > 64 * 64
    assert (same.dot.count("(all equal)"), other.dot.count("(all equal)")) == (1, 0)


def pixels_of(figure: Pinned, shape: Shape) -> Array:
    return decode(figure.images[shape.looks["image"]])
