"""What the settings of a layer must be, asked as soon as it is made.

What you can do here: ask for `positive` whole numbers, and for `numbers` where a field is one; give a setting a number
for each axis with `along_axes`, and make a batch of `no_images` on which a function refuses what does not fit.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np

from minitensor import Tensor
from minitensor.checks import check_least, per_axis, real, whole

from .module import Module


def positive(**settings: int) -> tuple[int, ...]:
    """The settings as whole numbers; ValueError, with name and value, for one that is less than 1.

    >>> positive(in_features=3, out_features=2)
    (3, 2)
    """
    numbers = {name: whole(name, value) for name, value in settings.items()}
    check_least(**numbers)
    return tuple(numbers.values())


def numbers(layer: Any) -> None:
    """Make each field of a layer that is a `float` or an `int` such a number of Python's.

    Raises TypeError, with name and value, for one that is no number, or no whole one.

    >>> from nets import LeakyReLU
    >>> LeakyReLU("0.1")
    Traceback (most recent call last):
    TypeError: slope (='0.1') must be a number
    """
    for field in fields(layer):
        for kind, check in ((float, real), (int, whole)):
            if field.type in (kind, kind.__name__):
                setattr(layer, field.name, check(field.name, getattr(layer, field.name)))


ALONG_AXES = ("kernel_size", "stride", "dilation", "padding", "output_padding", "tiles", "input_size")


def along_axes(layer: Module, axes: int) -> None:
    """Make the settings of windows tuples, with a number for each axis, and check them.

    Raises ValueError, with name and value, for a padding less than 0 or another setting less than 1, on any axis.
    A padding in words, as "same", stays as it is.

    >>> from nets import MaxPool2d
    >>> MaxPool2d(2, stride=(1, 2)).kernel_size
    (2, 2)
    >>> MaxPool2d(2, stride=(1, 0))
    Traceback (most recent call last):
    ValueError: stride (=(1, 0)) must be at least 1
    """
    settings = vars(layer)
    for name in ALONG_AXES:
        if name not in settings or (settings[name] is None and getattr(type(layer), name, 0) is None):
            continue  # None is left where it is the default: the stride of a pool
        if name == "padding" and isinstance(settings[name], str):
            continue
        numbers, least = per_axis(name, settings[name], axes), 0 if "padding" in name else 1
        if min(numbers) < least:
            raise ValueError(f"{name} (={settings[name]}) must be at least {least}")
        setattr(layer, name, numbers)


def no_images(layer: Module, channels: int) -> Tensor:
    """A batch without images, as large as the windows of the layer need.

    A layer hands it to its function as soon as it is made: what the function refuses is met there, where it is written.

    >>> from nets import MaxPool2d
    >>> no_images(MaxPool2d(3, padding=1), 6).shape
    (0, 6, 5, 5)
    """
    given = vars(layer)
    taps = given["kernel_size"]
    padding = given.get("padding", 0)
    padding = (0,) * len(taps) if isinstance(padding, str) or not padding else padding
    lines = zip(taps, given.get("dilation", (1,) * len(taps)), padding, strict=True)
    size = given.get("input_size", [d * (k - 1) + 1 + 2 * p for k, d, p in lines])
    return Tensor(np.zeros((0, channels, *size), np.float32))
