"""What layers do to pictures.

What you can do here: a table of `filters` on a photograph, and the `commuting_square` of two functions of an image:
does it matter which comes first?
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from minitensor import Tensor, conv2d, pad, transpose
from minitensor.tensor import Array

from .connectivity import number
from .dot import TRACE
from .drawing import Drawing, Pinned, above, table, words
from .grids import grid
from .png import encode, photograph

KERNELS: dict[str, list[list[float]]] = {
    "identity": [[0, 0, 0], [0, 1, 0], [0, 0, 0]],
    "edge detection 1": [[1, 0, -1], [0, 0, 0], [-1, 0, 1]],
    "edge detection 2": [[0, 1, 0], [1, -4, 1], [0, 1, 0]],
    "edge detection 3": [[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]],
    "sharpen": [[0, -1, 0], [-1, 5, -1], [0, -1, 0]],
    "box blur": [[1 / 9] * 3] * 3,
    "Gaussian blur": [[1 / 16, 2 / 16, 1 / 16], [2 / 16, 4 / 16, 2 / 16], [1 / 16, 2 / 16, 1 / 16]],
    "Sobel": [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]],
}


def filters(image: npt.ArrayLike | None = None, across: int = 4) -> Pinned:
    """Eight 3 x 3 kernels and what each makes of an (H, W) image, by default the photograph.

    A kernel whose sum is 0 answers to changes alone: there, grey is 0, black negative, white positive.
    All but the last are the same after half a turn, so they cannot tell a convolution, which turns the kernel, from the
    sliding sum that this field calls convolution.  Sobel's can: turned, it changes its sign.
    Raises ValueError where the image is not (H, W).

    >>> "Sobel" in filters(np.eye(5)).dot
    True
    """
    x = photograph() if image is None else np.asarray(image, dtype=float)
    if x.ndim != 2:
        raise ValueError(f"the filters are shown on an (H, W) image, got shape {x.shape}")
    panels = []
    for name, kernel in KERNELS.items():
        y = conv2d(Tensor(x[None, None]), Tensor([[kernel]]), padding="same").data[0, 0]
        signed = abs(np.sum(kernel)) < 1e-9
        y = y if signed else y.clip(0, x.max())  # sharpening goes beyond black and white
        side = 150.0
        drawing = Drawing()
        drawing.image(0, 0, side * x.shape[1] / max(x.shape), side * x.shape[0] / max(x.shape), shown(y, signed))
        panels.append(above(words(name, 15), grid((3, 3), _fractions(kernel), lambda _: {}), drawing, gap=12))
    return table([panels[i : i + across] for i in range(0, len(panels), across)]).figure("eight filters on an image")


def _fractions(kernel: Sequence[Sequence[float]]) -> list[str]:
    """The numbers of a kernel; what is not whole as a fraction of 9 or 16, and not of the smallest of them."""
    flat = [v for row in kernel for v in row]
    for below in (1, 9, 16):
        if all(abs(v * below - round(v * below)) < 1e-9 for v in flat):
            return [number(round(v * below)) + (f"/{below}" if below > 1 else "") for v in flat]
    return [number(v) for v in flat]


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
    x: npt.ArrayLike | None = None,
    *,
    names: tuple[str, str] = ("f", "g"),
    title: str = "",
) -> Pinned:
    """f(g(x)) beside g(f(x)), their difference, and where they agree exactly: is it all the same which comes first?

    f and g take (1, 1, H, W); x is an (H, W) image, by default the photograph.  White is where the two agree.
    Raises ValueError where they do not give images.

    >>> figure = commuting_square(lambda x: x * 2, lambda x: x + 1, np.zeros((4, 4)), names=("double", "add one"))
    >>> "they agree at 0 of 16" in figure.dot
    True
    """
    start = Tensor((photograph() if x is None else np.asarray(x, dtype=float))[None, None])
    after_g, after_f = g(start), f(start)
    one, two = f(after_g), g(after_f)
    images = [t.data[0, 0] for t in (start, after_g, after_f, one, two) if t.ndim == 4]
    if len(images) < 5:
        raise ValueError("both functions must give images (N, C, H, W)")
    x0, gx, fx, fgx, gfx = images
    h, w = (min(a, b) for a, b in zip(fgx.shape, gfx.shape, strict=True))
    difference = fgx[:h, :w] - gfx[:h, :w]
    agree = difference == 0
    zoom = 120 / max(max(v.shape) for v in images)
    before, after = _span(x0, gx), _span(fx, fgx, gfx)

    def picture(v: Array, below: str, span: float, signed: bool = False) -> tuple[bytes, float, float, str]:
        scaled = v / (2 * span) + 0.5 if signed or v.min() < 0 else v / span
        return encode(scaled, max(1, 160 // max(v.shape))), v.shape[1] * zoom, v.shape[0] * zoom, below

    nf, ng = names
    drawing, numbers = Drawing(), []
    for (px, py), (png, width, height, below) in (
        ((0, 0), picture(x0, f"x   {_size(x0)}", before)),
        ((230, 85), picture(gx, f"{ng}   {_size(gx)}", before)),
        ((230, -85), picture(fx, f"{nf}   {_size(fx)}", after)),
        ((460, 85), picture(fgx, f"{nf} of {ng}   {_size(fgx)}", after)),
        ((460, -85), picture(gfx, f"{ng} of {nf}   {_size(gfx)}", after)),
        ((660, 0), picture(difference, "difference", after, signed=True)),
        ((820, 0), picture(agree.astype(float), "white: equal", 1.0)),
    ):
        numbers.append(drawing.image(px, py, width, height, png))
        drawing.text(px, py - height / 2 - 12, below, 12)
    for tail, head, name, dy in (0, 1, ng, 20), (0, 2, nf, -20), (1, 3, nf, 12), (2, 4, ng, 12):
        drawing.wire(numbers[tail], numbers[head], {**TRACE, "color": "#555555"})
        a, b = drawing.shapes[numbers[tail]], drawing.shapes[numbers[head]]
        drawing.text((a.x + b.x) / 2, (a.y + b.y) / 2 + dy, name, 13, fontname="Helvetica-Oblique")
    drawing.text(740, -104, why_not(agree, fgx.shape, gfx.shape, fx.shape, x0.shape), 12)
    return drawing.caption(title).figure(title or f"does {nf} commute with {ng}?")


def why_not(
    agree: Array, one: tuple[int, ...], two: tuple[int, ...], after_f: tuple[int, ...], before: tuple[int, ...]
) -> str:
    """In words, where two images agree and what keeps them from agreeing elsewhere.

    >>> print(why_not(np.pad(np.ones((2, 2), bool), 1), (4, 4), (4, 4), (4, 4), (4, 4)))
    they agree at 4 of 16 places:
    everywhere but within 1 of the border
    """
    text = f"they agree at {int(agree.sum()):,} of {agree.size:,} places"
    if one != two:
        text += f"\n(sizes {_times(one)} and {_times(two)}: compared where both are)"
    if agree.all():
        return text + ": the order is all the same"
    for border in range(1, min(agree.shape) // 4 + 1):
        if agree[border:-border, border:-border].all():
            return text + f":\neverywhere but within {border} of the border"
    shrunk = max(round(b / a) for a, b in zip(after_f, before, strict=True))
    if shrunk > 1:
        return text + f":\none step of the output is {shrunk} of the input,\nand a smaller step falls between"
    return text + ":\nnot the border alone, other values are read"


def _span(*images: Array) -> float:
    """The largest distance from 0, so that several images are shown with the same contrast."""
    return max(float(np.abs(v).max()) for v in images) or 1.0


def _size(v: Array) -> str:
    return _times(v.shape)


def _times(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape))
