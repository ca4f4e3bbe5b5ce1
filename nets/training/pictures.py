"""Two pictures of a training: how it went, and what is still confused.  SVG, written as text.

What you can do here: draw the `learning_curve` of a fit, and the `confusion` of a model.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence

import numpy as np

from minitensor.tensor import Array

from ..data.examples import INK, PAPER, Examples, as_examples
from .png import encode
from .train import Epoch

BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#8A8F98"  # can be told apart by all (Okabe and Ito)
COLOURS = BLUE, ORANGE, GREEN
TINY = 1e-9  # a smaller range of numbers is one colour


def learning_curve(epochs: Sequence[Epoch]) -> str:
    """The part of wrong answers after each epoch, in training and, where it was measured, in the test: an SVG.

    The errors have a logarithmic scale, since going from 2 % to 1 % is as hard as from 20 % to 10 %.
    Raises ValueError if there are no epochs.

    >>> from nets.training.train import Score
    >>> picture = learning_curve([Epoch(Score(1.0, 0.6), None, 1.0), Epoch(Score(0.5, 0.9), None, 1.0)])
    >>> picture.startswith("<svg"), "10.00 % wrong" in picture
    (True, True)
    """
    if not epochs:
        raise ValueError("there are no epochs to draw")
    errors = {"training": [1 - e.train.accuracy for e in epochs]}
    if all(e.test is not None for e in epochs):
        errors["test"] = [1 - e.test.accuracy for e in epochs if e.test is not None]
    places = [i / max(len(epochs) - 1, 1) for i in range(len(epochs))]
    step = math.ceil(len(epochs) / 10)
    ticks = [(places[i], str(i + 1)) for i in range(0, len(epochs), step)]
    curves = [
        (f"{name}: {wrong[-1] * 100:.2f} % wrong after {len(epochs)} epochs", list(zip(places, wrong, strict=True)))
        for name, wrong in errors.items()
    ]
    return error_chart(curves, ticks, "epoch")


def error_chart(
    curves: Sequence[tuple[str, Sequence[tuple[float, float]]]], ticks: Sequence[tuple[float, str]], caption: str
) -> str:
    """Curves of errors, on a logarithmic scale, each with a label: an SVG.

    A curve is points (place, error), and a tick (place, text), where a place is from 0 on the left to 1 on the right.

    >>> error_chart([("of some", [(0.0, 0.5), (1.0, 0.01)])], [(0.0, "few")], "images").count("<polyline")
    1
    """
    width, height, left, top = 480, 260, 60, 20
    smallest = min((error for _, points in curves for _, error in points if error > 0), default=0.01)
    bottom = 10.0 ** math.floor(math.log10(smallest))  # an error of 0 is drawn here
    decades = -round(math.log10(bottom)) or 1

    def x(place: float) -> float:
        return left + width * place

    def y(error: float) -> float:
        return top - height * math.log10(max(error, bottom)) / decades

    parts = []
    for decade in range(decades + 1):
        level = 10.0**-decade
        parts.append(_line(left, y(level), left + width, y(level), "#DEDEDE"))
        parts.append(_text(left - 8, y(level) + 4, f"{level * 100:g} %", "end"))
    parts += [_text(x(place), top + height + 20, text, "middle") for place, text in ticks]
    for row, (label, points) in enumerate(curves):
        colour = COLOURS[row % len(COLOURS)]
        path = " ".join(f"{x(place):.1f},{y(error):.1f}" for place, error in points)
        place, error = points[-1]
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(f'<circle cx="{x(place):.1f}" cy="{y(error):.1f}" r="3" fill="{colour}"/>')
        parts.append(_text(left + width, top + 14 + 18 * row, label, "end", colour))
    parts.append(_text(left + width / 2, top + height + 38, caption, "middle"))
    return _svg(left + width + 20, top + height + 50, parts)


def confusion(data: Examples, answers: Array, classes: int | None = None, most: int = 30) -> str:
    """How often each class (row) was taken for each other (column), and below, images that were misread: an SVG.

    answers are those of `predict`; classes are as many as labels and answers name, and ten at least, if not given.
    At most `most` of the misread images are shown, each with "label > answer": those of one channel as ink on paper,
    those of three in colour, from the least number in the image to the largest.
    Raises ValueError where data and answers are not equally many, or name a class that there is not.

    >>> data = Examples(np.zeros((2, 1, 8, 8), np.float32), np.array([3, 4]))
    >>> picture = confusion(data, np.array([3, 9]))
    >>> "4 &gt; 9" in picture, "1 of 2 wrong" in picture
    (True, True)
    """
    data, answers = as_examples(data), np.asarray(answers)
    if len(answers) != len(data.labels):
        raise ValueError(f"there are {len(answers)} answers to {len(data.labels)} examples")
    if data.images.ndim != 4 or data.images.shape[1] not in (1, 3):
        raise ValueError(f"images must be (N, C, H, W) with one channel or three, got {data.images.shape}")
    named = 1 + max(int(numbers.max(initial=-1)) for numbers in (data.labels, answers))
    classes = max(named, 10) if classes is None else classes
    if named > classes:
        raise ValueError(f"labels and answers go up to {named - 1}, too far for {classes} classes")
    least = min(int(numbers.min(initial=0)) for numbers in (data.labels, answers))
    if least < 0:
        raise ValueError(f"labels and answers begin at 0, and one of these is {least}")
    counts = np.zeros((classes, classes), int)
    np.add.at(counts, (data.labels, answers), 1)
    wrong = np.flatnonzero(data.labels != answers)
    cell, left, top = 34, 60, 60
    parts = [_text(left, 20, f"{len(wrong)} of {len(answers)} wrong; rows: what it is, columns: the answer", "start")]
    worst = max(int((counts - np.diag(np.diag(counts))).max()), 1)
    for row in range(classes):
        parts.append(_text(left - 12, top + cell * row + 22, str(row), "end"))
        parts.append(_text(left + cell * (row + 0.5), top - 10, str(row), "middle"))
        for column in range(classes):
            count = int(counts[row, column])
            strength = 0.15 if row == column else 0.85 * count / worst
            colour = GREY if row == column else ORANGE
            parts.append(
                f'<rect x="{left + cell * column}" y="{top + cell * row}" width="{cell - 2}" height="{cell - 2}" '
                f'fill="{colour}" fill-opacity="{strength:.2f}" stroke="#DEDEDE"/>'
            )
            if count:
                parts.append(_text(left + cell * column + cell / 2 - 1, top + cell * row + 21, str(count), "middle"))
    columns, bottom = 8, top + cell * classes + 16
    for i, n in enumerate(wrong[:most]):
        x, y = 20 + 48 * (i % columns), bottom + 62 * (i // columns)
        parts.append(
            f'<image x="{x}" y="{y}" width="40" height="40" href="data:image/png;base64,{_png(data.images[n])}"/>'
        )
        parts.append(_text(x + 20, y + 53, f"{data.labels[n]} &gt; {answers[n]}", "middle"))
    rows = math.ceil(min(len(wrong), most) / columns)
    return _svg(left + cell * classes + 20, bottom + 62 * rows + 4, parts)


def _svg(width: float, height: float, parts: Sequence[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}" font-family="Helvetica, Arial"'
    )
    return "\n".join([f'{head} font-size="13">', '<rect width="100%" height="100%" fill="white"/>', *parts, "</svg>\n"])


def _line(x1: float, y1: float, x2: float, y2: float, colour: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"/>'


def _text(x: float, y: float, text: str, anchor: str, colour: str = "#222222") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{text}</text>'


def _png(image: Array) -> str:
    """An image (C, H, W) as a PNG file in base64: grey from paper to ink, or in colours."""
    if len(image) == 1:
        return base64.b64encode(encode(1 - (image[0] - PAPER) / (INK - PAPER))).decode()
    least = image.min()
    return base64.b64encode(encode(((image - least) / max(np.ptp(image), TINY)).transpose(1, 2, 0))).decode()
