"""Pictures as files.

What you can do here: `encode` an array as PNG, `decode` the file of a photograph.
"""

from __future__ import annotations

import io
import warnings

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from minitensor.tensor import Array

MOST_PIXELS = 2**26  # a quarter of a gigabyte, with colours


def encode(pixels: npt.ArrayLike, scale: int = 1) -> bytes:
    """The bytes of a PNG file for (H, W) grey values, or (H, W, 3) colours, from 0 (black) to 1, clipped to that range.

    scale repeats each pixel, so that a small picture stays sharp where it is shown large.
    Raises ValueError for an array of another shape, or where a pixel is NaN.

    >>> bool((decode(encode([[0.0, 1.0]], scale=2)) == [[0, 0, 1, 1], [0, 0, 1, 1]]).all())
    True
    """
    values = np.asarray(pixels, dtype=float)
    if values.shape[2:] not in ((), (3,)) or values.ndim < 2 or not values.size:
        raise ValueError(f"a picture is an (H, W) or (H, W, 3) array of numbers, got shape {values.shape}")
    if count := int(np.isnan(values).sum()):
        raise ValueError(f"a picture is made of numbers, and {count} of {values.size} values are NaN")
    levels = np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8).repeat(scale, 0).repeat(scale, 1)
    file = io.BytesIO()
    Image.fromarray(levels).save(file, "png", optimize=True)
    return file.getvalue()


def decode(file: bytes) -> Array:
    """The (H, W) grey values, from 0 to 1, of a photograph in any format that Pillow reads (PNG, JPEG, ...).

    Colours become grey as bright as they are, what is transparent becomes white, and a photograph that a camera has
    marked as turned is turned upright.
    Raises ValueError for another kind of file, a damaged one, or one of more than 67 million pixels.

    >>> decode(b"GIF89a")
    Traceback (most recent call last):
    ...
    ValueError: not a picture that can be read (it begins with b'GIF89a')
    """
    try:
        with warnings.catch_warnings(), Image.open(io.BytesIO(file)) as image:
            warnings.simplefilter("ignore")  # what is odd in a file but can be read, is read
            if image.width * image.height > MOST_PIXELS:
                raise ValueError(
                    f"the picture is {image.width} x {image.height}; up to {MOST_PIXELS:,} pixels can be read"
                )
            upright = ImageOps.exif_transpose(image)
            if upright.mode.startswith(("I", "F")):  # 16 bits or more
                values = np.asarray(upright, dtype=float)
                return values / max(65535.0 if upright.mode.startswith("I") else 1.0, float(values.max()))
            coloured = upright.convert("RGBA")
            paper = Image.new("RGBA", coloured.size, "white")
            grey = upright if upright.mode == "L" else Image.alpha_composite(paper, coloured).convert("L")
            return np.asarray(grey) / 255.0
    except UnidentifiedImageError:
        raise ValueError(f"not a picture that can be read (it begins with {file[:8]!r})") from None
    except (OSError, SyntaxError, EOFError, Image.DecompressionBombError) as error:  # what Pillow raises for damage
        raise ValueError(f"the picture is damaged: {error}") from error
