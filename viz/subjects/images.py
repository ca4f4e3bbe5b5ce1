"""What layers do to pictures.

What you can do here: look at the `photograph` that comes with the package, at a table of `filters` on it, and at the
`commuting_square` of two functions of an image: does it matter which comes first?
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from minitensor import Tensor, conv2d, pad, transpose
from minitensor.checks import whole
from minitensor.tensor import Array
from nets.training.png import decode, encode

from ..drawing.dot import ARROW, KERNEL, number
from ..drawing.sheet import CELL_SIZE, Drawing, Pinned, Shape, above, beside, table, words
from ..drawing.style import Style
from .grids import grid

KERNELS: dict[str, list[list[float]]] = {
    "Identity": [[0, 0, 0], [0, 1, 0], [0, 0, 0]],
    "Edge detection 1": [[1, 0, -1], [0, 0, 0], [-1, 0, 1]],
    "Edge detection 2": [[0, 1, 0], [1, -4, 1], [0, 1, 0]],
    "Edge detection 3": [[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]],
    "Sharpen": [[0, -1, 0], [-1, 5, -1], [0, -1, 0]],
    "Box blur": [[1 / 9] * 3] * 3,
    "Gaussian blur": [[1 / 16, 2 / 16, 1 / 16], [2 / 16, 4 / 16, 2 / 16], [1 / 16, 2 / 16, 1 / 16]],
    "Sobel": [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]],
}


MOST_TAPS, LONGEST = 121, 512
MIN_SIDE, MAX_SIDE = 10, 2000  # points, of a picture that can be seen, and drawn
SIDE, SIZE = 190.0, 19.0  # of the largest image in a square, and of its words, in points
PHOTOGRAPH = Path(__file__).parents[1] / "data" / "photo.png"


def photograph(path: str | Path | None = None) -> Array:
    """The (H, W) grey values, from 0 to 1, of a photograph: a file of yours, or the one that comes with the package.

    That one is Rear Admiral Grace Hopper, 192 x 192, photographed by James S. Davis for the United States Navy, 1984;
    in the public domain.  Colours become grey.  One that is longer than 512 pixels is made smaller, each pixel the mean
    of a square.  Raises ValueError for a file that is no picture, OSError for none.

    >>> photograph().shape
    (192, 192)
    """
    pixels = decode(Path(PHOTOGRAPH if path is None else path).read_bytes())
    height, width = pixels.shape
    side = min(-(-max(height, width) // LONGEST), height, width)
    cropped = pixels[: height // side * side, : width // side * side]
    return cropped.reshape(height // side, side, width // side, side).mean(axis=(1, 3))


def pixels_of(image: npt.ArrayLike | str | Path | None) -> Array:
    """The (H, W) grey values of an array, of the file with this name, or of the photograph that comes with the package.

    Raises ValueError for an array that is not (H, W), or empty, or where a value is not finite.
    """
    if image is None or isinstance(image, str | Path):
        return photograph(image)
    pixels = np.asarray(image, dtype=float)
    if pixels.ndim != 2 or not pixels.size:
        raise ValueError(f"what is shown is an image (H, W), got shape {pixels.shape}")
    if count := int((~np.isfinite(pixels)).sum()):
        raise ValueError(f"an image is made of finite numbers, and {count} of {pixels.size} are not")
    return pixels


def filters(
    image: npt.ArrayLike | str | Path | None = None,
    across: int = 4,
    *,
    kernels: Mapping[str, npt.ArrayLike] | None = None,
    side: float = 150.0,
    style: str | Style = "light",
) -> Pinned:
    """Small kernels, with their numbers, and what each makes of an image: an (H, W) array, or the name of a file.

    image: by default the photograph.  kernels: your own, (kH, kW) by name; by default the eight in `KERNELS`.
    across: so many side by side.  side: the longer side of each picture, in points; words and numbers stay as they are.
    Values beyond 1, as in an image of 0 to 255, are divided by the largest.
    A kernel whose sum is 0 answers to changes alone: there, and where it is below 0, grey is 0 and black negative.
    All of the eight but the last are the same after half a turn, so they cannot tell a convolution, which turns the
    kernel, from the sliding sum that this field calls convolution.  Sobel's can: turned, it changes its sign.
    Raises ValueError where an image or a kernel is not (H, W), where there are no kernels, or no such side.

    >>> "Sobel" in filters(np.eye(5)).dot
    True
    >>> filters(np.eye(5), kernels={"mine": [[1, -1]]}).dot.count("mine")
    1
    """
    x = pixels_of(image)
    x = x / max(1.0, x.max())
    bank = {name: np.asarray(k, dtype=float) for name, k in (KERNELS if kernels is None else kernels).items()}
    if not bank or whole("across", across) < 1:
        raise ValueError(f"there must be kernels (got {len(bank)}), and at least one across (={across})")
    if not MIN_SIDE <= side <= MAX_SIDE:
        raise ValueError(f"side (={side}) must be from {MIN_SIDE} to {MAX_SIDE} points")
    if wrong := {name: k.shape for name, k in bank.items() if k.ndim != 2 or not k.size or k.size > MOST_TAPS}:
        raise ValueError(f"a kernel is (kH, kW), of at most {MOST_TAPS} numbers, got {wrong}")
    panels, tallest = [], CELL_SIZE * max(len(kernel) for kernel in bank.values())
    for name, kernel in bank.items():
        margins = [((k - 1) // 2, k // 2) for k in kernel.shape]  # of zeros: the result is as large as the image
        y = conv2d(pad(Tensor(x[None, None]), [(0, 0), (0, 0), *margins]), Tensor(kernel[None, None])).data[0, 0]
        signed = np.sum(kernel) < 1e-9
        y = y if signed else y.clip(0, x.max() * np.sum(kernel))  # sharpening goes beyond black and white
        drawing = Drawing()
        drawing.image(0, 0, side * x.shape[1] / max(x.shape), side * x.shape[0] / max(x.shape), shown(y, signed))
        texts, factor = _fractions(kernel)
        cells = grid(kernel.shape, texts, lambda _: {**KERNEL, "fontsize": "19"})
        numbers = beside(words(factor, 19), cells, gap=6) if factor else cells
        _, low, _, high = numbers.extent()
        for end in (low + high - tallest) / 2, (low + high + tallest) / 2:  # as high as the others, whose pictures
            numbers.point(numbers.shapes[0].x, end)  # then stand in line
        panels.append(above(words(name, 19), numbers, drawing, gap=10))
    rows = [panels[i : i + across] for i in range(0, len(panels), across)]
    return table(rows, gap=24).styled(style).figure(f"{len(bank)} filters on an image")


def _fractions(kernel: Array) -> tuple[list[str], str]:
    """The numbers of a kernel, and what stands before it: a fraction that all are whole multiples of, as 1/9."""
    flat = kernel.ravel().tolist()
    for below in (1, 2, 3, 4, 5, 6, 8, 9, 16, 25, 256):
        if all(abs(v * below - round(v * below)) < 1e-9 for v in flat):
            return [number(round(v * below)) for v in flat], f"1/{below} ·" if below > 1 else ""
    return [number(v) for v in flat], ""


def shown(pixels: Array, signed: bool = False) -> bytes:
    """An array as a PNG: from black at 0, or where signed with 0 as grey and the contrast that most pixels leave."""
    if signed:
        largest = float(np.percentile(np.abs(pixels), 99)) or float(np.abs(pixels).max()) or 1.0
        pixels = 0.5 + pixels / largest / 2
    elif pixels.max() > 1:
        pixels = pixels / pixels.max()
    return encode(pixels, scale=max(1, 160 // max(pixels.shape)))


# -- does the order matter? --------------------------------------------------------------------------------------------


def translate(x: Tensor, down: int = 0, right: int = 0) -> Tensor:
    """Move an image (N, C, H, W) by whole pixels; what leaves is lost, what enters is 0.

    >>> translate(Tensor([[[[1.0, 2.0, 3.0]]]]), right=1).data
    array([[[[0., 1., 2.]]]])
    """
    margins = [(max(n, 0), max(-n, 0)) for n in (down, right)]
    moved = pad(x, [(0, 0), (0, 0), *margins])
    h, w = x.shape[2:]
    return moved[:, :, max(-down, 0) : max(-down, 0) + h, max(-right, 0) : max(-right, 0) + w]


def quarter_turn(x: Tensor) -> Tensor:
    """Turn an image (N, C, H, W) by 90 degrees to the left."""
    return transpose(x, (0, 1, 3, 2))[:, :, ::-1]


def halve(x: Tensor) -> Tensor:
    """Every second pixel of an image (N, C, H, W) on both axes."""
    return x[:, :, ::2, ::2]


def commuting_square(
    f: Callable[[Tensor], Tensor],
    g: Callable[[Tensor], Tensor],
    x: npt.ArrayLike | str | Path | None = None,
    *,
    names: tuple[str, str] = ("f", "g"),
    title: str = "",
    style: str | Style = "light",
) -> Pinned:
    """f(g(x)) above, g(f(x)) below, and between them = or ≠: does the order make a difference?

    On the right is the difference of the two, where they agree (up to rounding), and in words whether that is so for
    this image or for every image: for that it is tried on eight more, of random whole numbers.
    0 is black, or grey in an image that has negative numbers; white is the largest distance from 0.  The two results
    and their difference have one scale.  x and g(x) have one, and so have f(x) and the results, unless the distance of
    one is more than twice that of the other: then each has its own, and none is nearly black.
    f and g take (1, 1, H, W); x is an (H, W) image or the name of a file, by default the photograph.
    style: as `Style`.  Raises ValueError where x is none, or what they give, or where a value of x or of theirs is not
    finite; TypeError where they give no Tensor.

    >>> figure = commuting_square(lambda x: x * 2, lambda x: x + 1, np.zeros((4, 4)), names=("double", "add one"))
    >>> "≠" in figure.dot and "they agree at 0 of 16 places" in figure.dot
    True
    """
    x0, gx, fx, fgx, gfx = found = _both_ways(f, g, pixels_of(x))
    if wrong := sum(not np.isfinite(v).all() for v in found):
        raise ValueError(f"f and g must give finite numbers for x, and {wrong} of the 5 images have others")
    zoom = SIDE / max(max(v.shape) for v in (x0, gx, fx, fgx, gfx))
    of_x, of_gx = _scales(_span(x0), _span(gx))
    of_fx, after = _scales(_span(fx), _span(fgx, gfx))

    def card(v: Array, said: str, span: float, side: int = -1, align: str = "c", signed: bool = False) -> Drawing:
        """An image around (0, 0) with words above it (side 1) or below it (side -1)."""
        scaled = v / (2 * span) + 0.5 if signed or v.min() < 0 else v / span
        width, height, lines = v.shape[1] * zoom, v.shape[0] * zoom, said.count("\n") + 1
        drawing = Drawing()
        drawing.image(0, 0, width, height, encode(scaled, max(1, 160 // max(v.shape))))
        drawing.text(
            -width / 2 if align == "l" else 0, side * (height / 2 + 6 + 0.625 * SIZE * lines), said, SIZE, align
        )
        return drawing

    nf, ng = names
    columns = [
        [card(x0, f"x\n{_times(x0.shape)}", of_x)],
        [card(gx, f"g(x)\n{_times(gx.shape)}", of_gx, 1), card(fx, f"f(x)\n{_times(fx.shape)}", of_fx)],
        [card(fgx, f"f(g(x))\n{_times(fgx.shape)}", after, 1), card(gfx, f"g(f(x))\n{_times(gfx.shape)}", after)],
    ]
    always, agree = None, np.zeros(1, bool)
    if fgx.shape == gfx.shape:
        agree, always = _equal(fgx, gfx), _agree_always(f, g, x0.shape)
        less = card(fgx - gfx, "f(g(x)) − g(f(x))", after, 1, signed=True)
        columns.append([less, card(agree.astype(float), "white: equal", 1.0)])

    longest = max(words(name, SIZE).shapes[0].width for name in names)
    up = (max(len(gx), len(fgx)) + max(len(fx), len(gfx))) * zoom / 4 + 24
    drawing, placed = _in_columns(columns, [longest / 0.6 + 12, longest + 24, 60][: len(columns) - 1], up)
    arrows = [(0, 1, ng), (0, 2, nf), (1, 3, nf), (2, 4, ng), *([(3, 5, ""), (4, 5, "")] if len(placed) == 7 else [])]
    for tail, head, name in arrows:
        _named_arrow(drawing, placed[tail], placed[head], name)
    drawing.text(placed[3].x, 0, "=" if agree.all() else "≠", 32)
    said = words(f"f: {nf}, g: {ng}\n{verdict(agree, fgx.shape, gfx.shape, always)}", SIZE)
    return (
        above(drawing, said, gap=16)
        .caption(title, size=SIZE)
        .styled(style)
        .figure(title or f"does {nf} commute with {ng}?")
    )


def _both_ways(f: Callable[[Tensor], Tensor], g: Callable[[Tensor], Tensor], image: Array) -> list[Array]:
    """x, g(x), f(x), f(g(x)) and g(f(x)), each an (H, W) image; TypeError for no Tensor, ValueError for no image."""

    def checked(t: Tensor) -> Tensor:
        if not isinstance(t, Tensor):
            raise TypeError(f"both functions must return a Tensor, and one returned {type(t).__name__}")
        if t.ndim != 4 or t.shape[:2] != (1, 1) or not t.size:
            raise ValueError(f"both functions must give images (1, 1, H, W), got shape {t.shape}")
        return t

    x = Tensor(image[None, None])
    with np.errstate(all="ignore"):  # a function need not be defined everywhere
        gx, fx = checked(g(x)), checked(f(x))
        return [t.data[0, 0] for t in (x, gx, fx, checked(f(gx)), checked(g(fx)))]


def _equal(one: Array, two: Array) -> Array:
    """Where two images are equal, up to rounding, or both are no number."""
    largest = max(np.abs(v).max(initial=0, where=np.isfinite(v)) for v in (one, two))
    return np.isclose(one, two, rtol=0, atol=1e-9 * largest, equal_nan=True)


def _agree_always(f: Callable[[Tensor], Tensor], g: Callable[[Tensor], Tensor], shape: tuple[int, ...]) -> Array:
    """Where f(g(x)) and g(f(x)) are equal for each of eight images of random whole numbers."""
    rng = np.random.default_rng(0)
    both = [_both_ways(f, g, rng.integers(-9, 10, shape).astype(float))[3:] for _ in range(8)]
    return np.logical_and.reduce([_equal(one, two) for one, two in both])


def _in_columns(columns: Sequence[list[Drawing]], gaps: Sequence[float], up: float) -> tuple[Drawing, list[Shape]]:
    """One drawing of many, and the first shape of each; two in a column stand as far above as below the middle."""
    drawing, left, placed = Drawing(), 0.0, []
    for cards, gap in zip(columns, [*gaps, 0.0], strict=True):
        ends = [c.extent() for c in cards]
        middle = left - min(e[0] for e in ends)
        for c, y in zip(cards, (up, -up) if len(cards) == 2 else (0.0,), strict=True):
            drawing.add(c, middle, y)
            placed.append(drawing.shapes[-len(c.shapes)])
        left = middle + max(e[2] for e in ends) + gap
    return drawing, placed


def _named_arrow(drawing: Drawing, a: Shape, b: Shape, name: str) -> None:
    """From the right side of one shape to the left side of another, the name away from the line."""
    start, end = a.x + a.width / 2 + 3, b.x - b.width / 2 - 3
    drawing.wire(drawing.point(start, a.y), drawing.point(end, b.y), ARROW)
    if name:
        along, align = (0.5, "c") if a.y == b.y else (0.6, "r")  # to the left of a line that rises or falls
        y = a.y + along * (b.y - a.y) + (-1 if b.y < a.y else 1) * 0.9 * SIZE
        drawing.text(start + along * (end - start), y, name, SIZE, align, fontname="Times-Italic")


def verdict(agree: Array, one: tuple[int, ...], two: tuple[int, ...], always: Array | None = None) -> str:
    """In words, where two images of these sizes agree; always: where they do so for every image, if that is known.

    >>> most = np.array([[False, True, True, True]] * 4)
    >>> print(verdict(most, (4, 4), (4, 4), most))
    they agree at 12 of 16 places: for every image
    everywhere but within 1 pixel of the left edge
    >>> print(verdict(most | True, (4, 4), (4, 4), most))
    they agree at 16 of 16 places,
    for this image, and not for every image
    """
    if one != two:
        return f"the order matters\n(sizes {_times(one)} and {_times(two)}: they cannot be equal)"
    count = f"they agree at {int(agree.sum()):,} of {agree.size:,} places"
    if agree.all():
        if always is not None and always.all():
            return f"{count},\nand so for every image:\nthe order makes no difference"
        return f"{count},\nfor this image" + ("" if always is None else ", and not for every image")
    for differ, which in ((agree if always is None else agree & always), "every image"), (agree, "this image"):
        for border in range(1, max(1, min(agree.shape) // 4) + 1):
            if edges := _edges(~differ, border):
                which = "this image" if always is None else which
                pixels = f"{border} pixel{'s' * (border > 1)}"
                return f"{count}: for {which}\neverywhere but within {pixels} of the {edges}"
    return f"{count},\nand differ far from the border, too"


def _edges(differ: Array, border: int) -> str:
    """The edges of the image that have all differences within so many pixels; nothing where they have not all."""
    y, x = np.indices(differ.shape)
    height, width = differ.shape
    strips = {"left": x < border, "right": x >= width - border, "upper": y < border, "lower": y >= height - border}

    def outside(sides: Sequence[str]) -> bool:
        return bool((differ & ~np.logical_or.reduce([strips[side] for side in sides])).any())

    needed = list(strips)
    for side in strips:
        if not outside(others := [s for s in needed if s != side]):
            needed = others
    if outside(needed):
        return ""
    if len(needed) == len(strips):
        return "border"
    return " and ".join(needed) + (" edges" if len(needed) > 1 else " edge")


def _span(*images: Array) -> float:
    """The largest distance from 0, so that several images are shown with the same contrast."""
    return max(float(np.abs(v).max()) for v in images) or 1.0


def _scales(one: float, other: float) -> tuple[float, float]:
    """The distance from 0 that is white for each of two: the same, unless one is more than twice the other."""
    largest = max(one, other)
    return (one, other) if largest > 2 * min(one, other) else (largest, largest)


def _times(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape))
