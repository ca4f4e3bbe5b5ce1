"""A window that slides over a grid of numbers, with the sum written out.

What you can do here: draw the `convolution_steps` of a small image and kernel, the same in letters
(`convolution_letters`), and play figures one after the other with `animate`.

Which cell of the input meets which cell of the kernel is asked of the layer, by `connections`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from string import ascii_lowercase
from typing import Any

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from minitensor import Tensor, conv2d, pad
from minitensor.checks import per_axis, whole
from minitensor.tensor import Array

from ..drawing import export
from ..drawing.dot import FIELD, KERNEL, PADDING, RESULT, Attributes, number
from ..drawing.figure import Figure
from ..drawing.render import write_whole
from ..drawing.sheet import CELL_SIZE, CHARACTER, Drawing, Pinned, table
from ..drawing.style import Style
from .connections import wires_at

MOST_POSITIONS = 36
LONG_ANIMATION = 12  # frames
HEADING = 15.0


def convolution_steps(
    image: npt.ArrayLike,
    kernel: npt.ArrayLike,
    *,
    position: int | None = None,
    whole_output: bool = True,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    style: str | Style = "light",
) -> Pinned:
    """The window over a small image at one position, and the sum that it stands for; without a position, at all.

    image (H, W) and kernel (kH, kW) are small arrays of numbers; position counts the outputs in reading order.
    whole_output=False leaves out of the output what comes after this position, as on the sheet of all of them, whose
    `parts` are the single positions.
    Raises ValueError for other shapes, a position that is not there, or more than 36 of them; TypeError for a position
    that is not whole.

    >>> convolution_steps([[1, 2, 3]], [[1, -1]], position=1).dot.count("2·1 + 3·(−1)")
    1
    """
    x, w = np.asarray(image, dtype=float), np.asarray(kernel, dtype=float)
    if x.ndim != 2 or w.ndim != 2:
        raise ValueError(f"a step is drawn of an image (H, W) and a kernel (kH, kW), got {x.shape} and {w.shape}")
    margins = per_axis("padding", padding, 2)
    padded = pad(Tensor(x), [(p, p) for p in margins]).data
    weight = Tensor(w[None, None], name="w")

    def layer(image: Tensor) -> Tensor:
        return conv2d(image, weight, stride=stride, dilation=dilation)

    y = layer(Tensor(padded[None, None])).data[0, 0]
    if position is None and y.size > MOST_POSITIONS:
        raise ValueError(f"{y.size} positions are too many for one sheet (more than {MOST_POSITIONS}); choose one")
    if position is not None and not 0 <= whole("position", position) < y.size:
        raise ValueError(f"position (={position}) must be from 0 to {y.size - 1}")

    terms: dict[int, list[tuple[int, int]]] = {}  # of each output: (input cell, kernel cell)
    for (j, i), carried in wires_at(layer, (1, 1, *padded.shape)).items():
        terms.setdefault(i, []).append((j, carried[1]))  # type: ignore[index, arg-type]
    inside = np.zeros(padded.shape, bool)
    inside[margins[0] : margins[0] + x.shape[0], margins[1] : margins[1] + x.shape[1]] = True

    said = f", padding {' × '.join(str(p) for p in dict.fromkeys(margins))}" if any(margins) else ""

    def step(i: int) -> Drawing:
        window = {j for j, _ in terms[i]}
        cells = [number(v) for v in padded.flat]
        shown = position is not None and whole_output
        done = [number(v) if shown or n <= i else " " * len(number(v)) for n, v in enumerate(y.flat)]

        def looks(j: int) -> Attributes:
            if inside.flat[j]:
                return FIELD if j in window else {}
            return {**FIELD, "style": PADDING["style"]} if j in window else PADDING

        drawing = _equation(
            (_size("input", x.shape) + said, grid(padded.shape, cells, looks)),
            (_size("kernel", w.shape), grid(w.shape, [number(v) for v in w.flat], lambda k: KERNEL)),
            (_size("output", y.shape), grid(y.shape, done, lambda n: RESULT if n == i else {})),
        )
        return _with_sum(drawing, terms[i], padded, w, y.flat[i])

    chosen = range(y.size) if position is None else [position]
    steps = [step(i).styled(style).figure(f"convolution, position {i + 1} of {y.size}") for i in chosen]
    if position is not None:
        return steps[0]
    across = min(y.shape[1], 4)
    rows = [steps[n : n + across] for n in range(0, len(steps), across)]
    return replace(table(rows, gap=60).figure(f"convolution, all {y.size} positions"), parts=tuple(steps))


def convolution_letters(
    layer: Callable[[Tensor, Tensor], Tensor],
    image_size: int | Sequence[int],
    kernel_size: int | Sequence[int],
    *,
    style: str | Style = "light",
) -> Pinned:
    """What a layer computes, in letters: a b c ... for the image, the last letters of the alphabet for the kernel.

    layer(x, w) is called with x (1, 1, H, W) and w (1, 1, kH, kW).  Raises ValueError for more cells than letters, and
    for a layer that does not make one image (1, 1, H, W) of sums of pixels times weights of w.

    >>> "aw + bx + dy + ez" in convolution_letters(conv2d, (3, 3), (2, 2)).dot
    True
    """
    image_size, kernel_size = per_axis("image_size", image_size, 2), per_axis("kernel_size", kernel_size, 2)
    pixels, taps = math.prod(image_size), math.prod(kernel_size)
    if pixels + taps > len(ascii_lowercase):
        raise ValueError(f"{pixels} cells of the image and {taps} of the kernel need more letters than there are")
    weight = Tensor(np.ones((1, 1, *kernel_size)), name="w")
    names, weights = ascii_lowercase[:pixels], ascii_lowercase[-taps:]
    sums: dict[int, list[str]] = {}
    wires = wires_at(lambda x: layer(x, weight), (1, 1, *image_size))
    for (j, i), carried in wires.items():
        if carried is None or carried[0] != weight.name:
            raise ValueError(
                f"pixel {names[j]} must be multiplied by one weight of the kernel on its way to output {i}, and it is "
                f"by {carried or 'none'}"
            )
        sums.setdefault(i, []).append(names[j] + weights[carried[1]])
    made = layer(Tensor(np.zeros((1, 1, *image_size))), weight).shape
    if len(made) != 4 or made[:2] != (1, 1):
        raise ValueError(f"the layer must make an image (1, 1, H, W), got shape {made}")
    shape = made[2:]
    italic = {"fontname": "Times-Italic", "fontsize": "17"}
    window = {j for j, i in wires if i == 0}
    texts = [" + ".join(sums.get(i, [])) for i in range(math.prod(shape))]
    drawing = _equation(
        (_size("input", image_size), grid(image_size, names, lambda j: {**italic, **(FIELD if j in window else {})})),
        (_size("kernel", kernel_size), grid(kernel_size, weights, lambda k: {**italic, **KERNEL})),
        (_size("output", shape), grid(shape, texts, lambda i: {**italic, **(RESULT if i == 0 else {})})),
    )
    return drawing.styled(style).figure("convolution in letters")


def grid(
    shape: Sequence[int], texts: Sequence[str], looks: Callable[[int], Attributes], side: float = CELL_SIZE
) -> Drawing:
    """An (H, W) grid of cells with these texts, and the looks of each cell by its number."""
    drawing = Drawing()
    drawing.grid(0, 0, shape, texts, [looks(n) for n in range(len(texts))], side)
    return drawing


def _size(name: str, shape: Sequence[int]) -> str:
    return f"{name} {shape[0]} × {shape[1]}"


def _equation(image: tuple[str, Drawing], kernel: tuple[str, Drawing], output: tuple[str, Drawing]) -> Drawing:
    """image * kernel = output, their middles on one line, and above each its heading."""
    parts = (*image, "*"), (*kernel, "="), (*output, "")
    drawing, x, middles = Drawing(), 0.0, list[float]()
    for heading, part, sign in parts:
        left, low, right, high = part.extent()
        width = max(right - left, len(heading) * HEADING * CHARACTER)
        drawing.add(part, x + (width - left - right) / 2, -(low + high) / 2)
        middles.append(x + width / 2)
        x += width + 22
        if sign:
            drawing.text(x, -6 if sign == "*" else 0, sign, 26)
            x += 22
    top = drawing.extent()[3] + 16
    for middle, (heading, _, _) in zip(middles, parts, strict=True):
        drawing.text(middle, top, heading, HEADING)
    return drawing


def _with_sum(drawing: Drawing, terms: Sequence[tuple[int, int]], x: Array, w: Array, total: float) -> Drawing:
    """The sum below the drawing, one line for each row of the kernel."""
    by_row: dict[int, list[str]] = {}
    for j, k in sorted(terms, key=lambda term: term[1]):
        by_row.setdefault(k // w.shape[1], []).append(f"{_factor(x.flat[j])}·{_factor(w.flat[k])}")
    lines = [" + ".join(row) for row in by_row.values()]
    text = "\n+ ".join(lines) + f" = {number(total)}"
    left, low, right, _ = drawing.extent()
    drawing.text((left + right) / 2, low - 14 - 9 * len(lines), text, 14)
    return drawing


def _factor(value: float) -> str:
    return f"({number(value)})" if value < 0 else number(value)


@dataclass(frozen=True)
class Moving(Pinned):
    """Figures that are shown one after the other; what cannot move shows the last of them."""

    frames: tuple[Figure, ...] = ()

    @staticmethod
    def of(frames: Sequence[Pinned], title: str) -> Moving:
        """The animation of these; ValueError where there are none, TypeError for a figure without a drawing."""
        if not frames:
            raise ValueError(f"an animation needs at least one figure, got {frames}")
        if other := [frame for frame in frames if not isinstance(frame, Pinned)]:
            raise TypeError(f"an animation is made of figures with a drawing, got {type(other[0]).__name__}")
        last = frames[-1]
        return Moving(last.dot, last.images, title, last.style, last.source, drawing=last.drawing, frames=tuple(frames))

    def styled(self, style: str | Style) -> Moving:
        """The same animation in another style."""
        return Moving.of([frame.styled(style) for frame in self.frames], self.title)  # type: ignore[misc]

    def save(
        self,
        path: str | Path,
        renderer: str | None = None,
        *,
        seconds: float | Sequence[float] = 1.2,
        **options: Any,
    ) -> Path:
        """Write it and return the path: as .gif or .svg it moves, in other formats it is the last figure."""
        if Path(path).suffix.lower() in (".gif", ".svg"):
            return animate(self.frames, path, seconds, title=self.title, renderer=renderer, **options)
        return super().save(path, renderer, **options)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        shown = super()._repr_mimebundle_(include, exclude)
        if "image/svg+xml" in shown:
            shown["image/svg+xml"] = export.moving_svg([frame.svg() for frame in self.frames], 1.2, self.title)
        return shown


def animate(
    figures: Sequence[Figure | Drawing],
    path: str | Path,
    seconds: float | Sequence[float] = 1.2,
    *,
    title: str = "",
    bar: bool | None = None,
    dpi: float = 96,
    transparent: bool = False,
    renderer: str | None = None,
) -> Path:
    """Write a file that shows the figures one after the other, for so many seconds each, for ever: .svg or .gif.

    Of one that moves by itself each frame is shown.  seconds: one number for all frames, or one for each.
    bar: a line below that grows with each frame, so that one sees where it begins; without it, from 12 frames on.
    dpi: dots per inch of a gif.  An SVG stops under the mouse, and where its reader knows no animation or asks for less
    motion it shows the last figure.  transparent: without the background, which a gif keeps.
    A file is written whole or not at all.  Returns the path.
    Raises ValueError where there are no figures, no time, or another suffix.
    """
    path = Path(path)
    kind = path.suffix.lower()
    if not figures or kind not in (".svg", ".gif"):
        raise ValueError(
            f"an animation needs figures (got {len(figures)}) and a path that ends in .svg or .gif (got {path.name!r})"
        )
    figures = [frame for figure in figures for frame in (figure.frames if isinstance(figure, Moving) else [figure])]
    export.times(seconds, len(figures))  # wrong ones are refused before anything is drawn
    color = figures[0].style.color("wire") if bar or (bar is None and len(figures) >= LONG_ANIMATION) else ""
    if transparent and kind == ".svg":
        figures = [figure.styled(replace(figure.style, transparent=True)) for figure in figures]
    shown = tqdm(figures, "drawing", unit=" frames", leave=False, delay=2, disable=None)  # in a terminal alone
    if kind == ".gif":
        return write_whole(path, export.gif([figure.png(renderer, dpi=dpi) for figure in shown], seconds, color))
    said = title or f"animation of {len(figures)} figures"
    return write_whole(path, export.moving_svg([figure.svg(renderer) for figure in shown], seconds, said, color))
