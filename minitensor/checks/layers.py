"""What a layer may be handed: windows that fit, kernels that read the channels there are, labels that name classes.

What you can do here: work out `margins` and how many places there are, give a layer its rank with `of_rank`, and check
kernels, labels and weights.
"""

from __future__ import annotations

import reprlib
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import numpy as np
import numpy.typing as npt

from . import Ints, Margin, Sizes, check_least, is_tensor, per_axis, whole

P = ParamSpec("P")
T = TypeVar("T")

# -- windows -----------------------------------------------------------------------------------------------------------


def margins(padding: Ints | str, kernel: Sizes, stride: Sizes, dilation: Sizes) -> Margin:
    """The padding before and after, on each axis."""
    if not isinstance(padding, str):
        numbers = per_axis("padding", padding, len(kernel))
        if min(numbers) < 0:
            raise ValueError(f"padding (={padding}) must not be negative")
        return tuple([(p, p) for p in numbers])
    if padding == "valid":
        return ((0, 0),) * len(kernel)
    if padding != "same":
        raise ValueError(f'padding (={padding!r}) must be a number, one for each axis, "same" or "valid"')
    if any(s != 1 for s in stride):
        raise ValueError(f'padding="same" keeps the size at stride 1 only, got stride {stride}')
    totals = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
    return tuple([(total // 2, total - total // 2) for total in totals])


def number_of_places(n: int, k: int, s: int, margin: tuple[int, int], d: int, ceil_mode: bool = False) -> int:
    """Along one axis: floor((n + margin - d(k - 1) - 1) / s) + 1, with ceil_mode rounded up (`sizes` says more)."""
    before, after = margin
    check_least(n=n, kernel_size=k, stride=s, padding=before, dilation=d)
    room = before + n + after - (d * (k - 1) + 1)
    if room < 0:
        sides = f"2 * {before}" if before == after else f"{before} + {after}"
        padded = f"{n} + {sides} = {before + n + after}" if before or after else f"{n}"
        raise ValueError(
            f"kernel (={k}) with dilation (={d}) covers {d * (k - 1) + 1}, more than the input (={padded})"
        )
    if not ceil_mode:
        return room // s + 1
    m = -(-room // s) + 1
    return m if (m - 1) * s < before + n else m - 1  # a window starts within the input or the margin before it


def transposed_size(m: int, k: int, s: int, p: int, extra: int, d: int) -> int:
    """Along one axis: (m - 1) s - 2p + d(k - 1) + 1 + output_padding (`sizes` says more)."""
    check_least(n=m, kernel_size=k, stride=s, padding=p, dilation=d, output_padding=extra)
    if extra and extra >= max(s, d):
        raise ValueError(f"output_padding (={extra}) must be smaller than stride (={s}) or dilation (={d})")
    size = (m - 1) * s - 2 * p + d * (k - 1) + 1 + extra
    if size < 1:
        raise ValueError(f"nothing is left: input (={m}), kernel (={k}), padding (={p}) give an output of {size}")
    return size


def shape_of(x: Any) -> Sizes:
    """The shape of a Tensor, or of what one can be made of; ValueError where rows differ in length."""
    try:
        return tuple(x.shape) if is_tensor(x) else np.shape(x)
    except ValueError:
        raise ValueError(f"a Tensor needs a rectangular array of numbers, got {reprlib.repr(x)}") from None


def of_rank(axes: int, layer: Callable[P, T]) -> Callable[P, T]:
    """`conv2d`, of a `conv` for images with any number of axes: one that asks for two.

    >>> of_rank(2, np.sum)(np.zeros(1))
    Traceback (most recent call last):
        ...
    ValueError: the input must be (N, C, H, W), got shape (1,)
    """

    @wraps(layer)
    def ranked(*args: P.args, **settings: P.kwargs) -> T:
        shape = shape_of(args[0] if args else settings.get("x"))
        if len(shape) != axes + 2:
            raise ValueError(f"the input must be (N, C, {', '.join('DHW'[-axes:])}), got shape {shape}")
        return layer(*args, **settings)

    ranked.__name__ = ranked.__qualname__ = f"{layer.__name__}{axes}d"
    return ranked


def check_half(margin: Margin, kernel: Sizes) -> None:
    """ValueError where a window of a pool could lie in the margin altogether."""
    for k, (_, p) in zip(kernel, margin, strict=True):
        if 2 * p > k:
            raise ValueError(f"padding (={p}) must be at most half of the kernel (={k}), or a window may see no input")


# -- layers ------------------------------------------------------------------------------------------------------------

PADDING_MODES = {"zeros": "constant", "circular": "wrap", "reflect": "reflect", "replicate": "edge"}


def padding_fill(mode: str) -> str:
    """What `pad` calls this padding_mode; ValueError, with the modes that there are, for another one."""
    if mode not in tuple(PADDING_MODES):  # not in the dict: a list as mode would be an error without the modes
        raise ValueError(f"padding_mode (={mode!r}) must be one of {', '.join(map(repr, PADDING_MODES))}")
    return PADDING_MODES[mode]


def check_dense(x: Sizes, w: Sizes) -> None:
    """Whether a matrix of weights (O, C) reads what x (..., C) has."""
    if len(w) != 2 or not x or x[-1] != w[1]:
        raise ValueError(f"dense needs x (..., C) and w (O, C), got {x} and {w}")


def check_layer(x: Sizes, w: Sizes, *, groups: int = 1, transposed: bool = False, own_kernels: bool = False) -> None:
    """Whether a kernel fits an image: nothing is empty but the batch, and it reads the channels that there are.

    A kernel is (O, C/groups, kH, kW), transposed (C, O/groups, kH, kW), one of its own for each place
    (O, C, H', W', kH, kW).
    """
    if len(x) < 3 or 0 in x[1:]:
        raise ValueError(f"the input must be (N, C, {', '.join('DHW'[2 - len(x) :])}), not empty, got shape {x}")
    axes = 2 * len(x) - 2 if own_kernels else len(x)
    if len(w) != axes or 0 in w:
        raise ValueError(f"the kernel must have {axes} axes, none of them empty, got shape {w}")
    if whole("groups", groups) < 1:
        raise ValueError(f"groups (={groups}) must be at least 1")
    if x[1] % groups:
        raise ValueError(f"channels (={x[1]}) must be divisible by groups (={groups})")
    if not transposed and w[0] % groups:
        raise ValueError(f"output channels (={w[0]}) must be divisible by groups (={groups})")
    if x[1] != (w[0] if transposed else w[1] * groups):
        each = f" in each of {groups} groups" if groups > 1 and not transposed else ""
        reads = w[0] if transposed else w[1]
        raise ValueError(f"the kernel reads {reads} channels{each}, the input has {x[1]} (x {x}, w {w})")


def check_batch_norm(x: Sizes, scale: Sizes, shift: Sizes, eps: float) -> None:
    """ValueError unless there is a scale and a shift for each channel, and eps is at least 0."""
    if not eps >= 0:
        raise ValueError(f"eps (={eps}) must be at least 0")
    if len(x) < 2 or not scale == shift == x[1:2]:
        raise ValueError(f"batch_norm needs x (N, C, ...) with scale and shift (C), got {x}, {scale}, {shift}")


def check_bias(b: Sizes, expected: Sizes) -> None:
    """A bias never broadcasts."""
    if b != expected:
        raise ValueError(f"b must have shape {expected}, got {b}")


def whole_labels(scores: Sizes, labels: Any, ignore_index: int | None = None) -> npt.NDArray[Any]:
    """The labels as an array, one for each row of scores (N, K).

    Raises ValueError where the shapes do not fit, TypeError for other than whole numbers, IndexError out of range.
    """
    if is_tensor(labels):
        raise TypeError("labels must be whole numbers in a list or an array; got a Tensor, which holds floats")
    classes = np.array(labels)
    if len(scores) != 2 or 0 in scores or classes.shape != scores[:1]:
        raise ValueError(
            f"N labels need scores (N, K), N > 0 and K > 0; got {classes.shape} labels and scores {scores}"
        )
    if classes.dtype.kind not in "iu":
        raise TypeError(f"labels must be whole numbers, got {classes.dtype}")
    if wrong := sorted(set(classes[(classes < 0) | (classes >= scores[1])].tolist()) - {ignore_index}):
        raise IndexError(f"labels must be from 0 to {scores[1] - 1}, got {', '.join(map(str, wrong))}")
    return classes


def soft_labels(scores: Sizes, labels: Sizes, ignore_index: int | None) -> None:
    """ValueError unless labels of this shape are a distribution for each row of scores (N, K)."""
    if len(scores) != 2 or 0 in scores or labels != scores or ignore_index is not None:
        raise ValueError(
            f"soft labels need scores of their shape (N, K), N > 0 and K > 0, no ignore_index; got {labels} labels, "
            f"scores {scores} and ignore_index {ignore_index}"
        )


def class_weights(scores: Sizes, dtype: np.dtype[Any], weight: npt.ArrayLike) -> npt.NDArray[Any]:
    """A weight for each class of scores (N, K); ValueError unless they are finite numbers from 0 on."""
    weights = np.array(weight, dtype)
    if weights.shape != scores[1:] or not ((weights >= 0) & (weights < np.inf)).all():
        raise ValueError(f"weight must hold {scores[1:]} finite numbers from 0 on, one for each class: {weights}")
    return weights
