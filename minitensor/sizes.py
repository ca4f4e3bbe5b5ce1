"""How large the output of a layer is, and how much of the input it sees, in plain numbers.

What you can do here: `conv_output_size` (for pooling too), `conv_transpose_output_size`, `same_padding`,
`receptive_field`, and have each of these four `explain` itself; `receptive_field_and_jump`; which positions stay
`unreached`.

Letters, along one axis:   n input length    k kernel (tap count)    s stride    p padding on each side
                           d dilation        m output length         span = d (k - 1) + 1, what a dilated kernel covers
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from .checks import check_least, listed, whole
from .checks.layers import number_of_places, transposed_size
from .geometry import Windows


def conv_output_size(
    n: int, k: int, stride: int = 1, padding: int = 0, dilation: int = 1, ceil_mode: bool = False
) -> int:
    """How many places a window has along one axis, for convolution and pooling.

    m = floor((n + 2p - d(k - 1) - 1) / s) + 1.  With ceil_mode the division rounds up, so that a last window may reach
    beyond the input; it must still start inside the input or its left padding.
    Raises ValueError for k, s or d < 1, p < 0, n < 1, or a kernel larger than the padded input.
    Source: Dumoulin and Visin, A guide to convolution arithmetic for deep learning (2016), relationships 6 and 15.

    >>> conv_output_size(32, 5), conv_output_size(32, 5, padding=2), conv_output_size(6, 3, stride=2, ceil_mode=True)
    (28, 32, 3)
    """
    n, k, stride, padding, dilation = _whole(n=n, k=k, stride=stride, padding=padding, dilation=dilation)
    return number_of_places(n, k, stride, (padding, padding), dilation, ceil_mode)


def conv_transpose_output_size(
    n: int, k: int, stride: int = 1, padding: int = 0, output_padding: int = 0, dilation: int = 1
) -> int:
    """The length of the image that a transposed convolution makes along one axis.

    m = (n - 1) s - 2p + d(k - 1) + 1 + output_padding: an image of length m gives n places to a convolution with the
    same settings.  Several lengths do, if s > 1, and output_padding < s chooses among them; a larger one adds zeros.
    Raises ValueError as `conv_output_size`, for output_padding >= max(s, d), or where nothing is left of the image.
    Source: Dumoulin and Visin (2016), relationship 14.

    >>> conv_transpose_output_size(14, 2, stride=2), conv_output_size(28, 2, stride=2)
    (28, 14)
    """
    n, k, stride, padding = _whole(n=n, k=k, stride=stride, padding=padding)
    return transposed_size(n, k, stride, padding, *_whole(output_padding=output_padding, dilation=dilation))


def same_padding(k: int, dilation: int = 1) -> int:
    """The padding on each side that keeps the size, at stride 1: d(k - 1) / 2.

    Raises ValueError where d(k - 1) is odd (an even kernel): then the two sides differ, as with padding="same".
    Source: Goodfellow, Bengio and Courville, Deep Learning, section 9.5.

    >>> same_padding(5), conv_output_size(32, 5, padding=same_padding(5))
    (2, 32)
    """
    k, dilation = _whole(k=k, dilation=dilation)
    total = dilation * (k - 1)
    if total % 2:
        raise ValueError(
            f"kernel (={k}) with dilation (={dilation}) needs {total} cells of padding, which two equal sides cannot "
            f'give: pad {total // 2} before and {total - total // 2} after, as padding="same" does'
        )
    return total // 2


def receptive_field(layers: Iterable[Sequence[int]]) -> int:
    """How long the stretch of input is, along one axis, from the first to the last position that one output can see.

    Between the two, dilation, or a stride longer than its kernel, may leave gaps that it does not see.
    Each layer is (kernel, stride) or (kernel, stride, dilation), the first layer first.  The field is
    r = 1 + sum over layers of d(k - 1) j, where the jump j is the distance of two neighbouring inputs of the layer,
    measured in inputs of the first; behind the layer it is s j.
    Raises ValueError for a kernel, stride or dilation < 1.
    Source: Araujo, Norris and Sim, Computing receptive fields of convolutional neural networks, Distill (2019).

    >>> receptive_field([(3, 1), (3, 1)]), receptive_field([(5, 1), (2, 2), (5, 1), (2, 2)])
    (5, 16)
    """
    return receptive_field_and_jump(layers)[0]


def receptive_field_and_jump(layers: Iterable[Sequence[int]]) -> tuple[int, int]:
    """The receptive field of a stack of layers, and its jump: the product of the strides.

    >>> receptive_field_and_jump([(5, 1), (2, 2), (5, 1), (2, 2)])
    (16, 4)
    """
    field, jump = 1, 1
    for layer in layers:
        if len(listed("layer", layer)) not in (2, 3):
            raise ValueError(f"a layer is (kernel, stride) or (kernel, stride, dilation), got {layer!r}")
        k, stride, dilation = (*layer, 1)[:3]
        k, stride, dilation = _whole(k=k, stride=stride, dilation=dilation)
        field += dilation * (k - 1) * jump
        jump *= stride
    return field, jump


def unreached(
    n: int, k: int, stride: int = 1, padding: int = 0, dilation: int = 1, ceil_mode: bool = False
) -> list[int]:
    """The input positions along one axis that no window reads.

    >>> unreached(8, 3, stride=3), unreached(5, 2, stride=1, dilation=3)
    ([6, 7], [2])
    """
    n, k, stride, padding, dilation = _whole(n=n, k=k, stride=stride, padding=padding, dilation=dilation)
    return Windows.over((n,), k, stride=stride, padding=padding, dilation=dilation, ceil_mode=ceil_mode).unread(0)


def explain(function: Callable[..., int] | int, *args: Any, **settings: Any) -> str:
    """A size worked out on the board: the formula, the numbers put in, and what the division leaves over.

    Takes a function and its arguments; without a function, the arguments of `conv_output_size`, n by position.
    Raises what the function raises.

    >>> print(explain(conv_output_size, 8, 3, stride=2))
    output = floor((n + 2p - d(k - 1) - 1) / s) + 1
           = floor((8 + 2*0 - 1*(3 - 1) - 1) / 2) + 1
           = floor(5 / 2) + 1
           = 3
    5 / 2 leaves a rest of 1; no window reads input 7 (counted from 0).
    >>> print(explain(same_padding, 5))
    padding = d(k - 1) / 2
            = 1*(5 - 1) / 2
            = 2
    """
    if not callable(function):
        function, args = conv_output_size, (function, *args)
    if function not in _EXPLANATIONS:
        names = ", ".join(f.__name__ for f in _EXPLANATIONS)
        raise ValueError(f"can explain {names}; got {getattr(function, '__name__', function)!r}")
    args = tuple(list(a) if isinstance(a, Iterable) else a for a in args)  # the layers, which are gone through twice
    settings = {name: list(a) if isinstance(a, Iterable) else a for name, a in settings.items()}
    return _EXPLANATIONS[function](function(*args, **settings), *args, **settings)


def _explain_conv(
    m: int, n: int, k: int, stride: int = 1, padding: int = 0, dilation: int = 1, ceil_mode: bool = False
) -> str:
    room = n + 2 * padding - dilation * (k - 1) - 1
    rounding = "ceil" if ceil_mode else "floor"
    places = -(-room // stride) + 1 if ceil_mode else m
    lines = _board(
        "output",
        f"{rounding}((n + 2p - d(k - 1) - 1) / s) + 1",
        f"{rounding}(({n} + 2*{padding} - {dilation}*({k} - 1) - 1) / {stride}) + 1",
        f"{rounding}({room} / {stride}) + 1",
        f"{places}",
    )
    if places != m:
        lines.append(f"The last of these windows would start beyond the input, so it is left out: {m}.")
    missed = unreached(n, k, stride, padding, dilation, ceil_mode)
    if rest := room % stride:
        over = (m - 1) * stride + dilation * (k - 1) + 1 - (n + 2 * padding)
        left_over = "a partial window covers what is left over" if over > 0 else "only padding is left over"
        fate = _missed(missed) or f"every input is read, {left_over}"
        lines.append(f"{room} / {stride} leaves a rest of {rest}; {fate}.")
        if over > 0:
            lines.append(f"The last window is partial: it reaches {over} beyond the padded input.")
    elif missed:
        lines.append(f"The division leaves no rest, yet {_missed(missed)}.")
    return "\n".join(lines)


def _missed(positions: list[int]) -> str:
    if not positions:
        return ""
    plural = "s" if len(positions) > 1 else ""
    return f"no window reads input{plural} {', '.join(map(str, positions))} (counted from 0)"


def _explain_transpose(
    m: int, n: int, k: int, stride: int = 1, padding: int = 0, output_padding: int = 0, dilation: int = 1
) -> str:
    lines = _board(
        "output",
        "(n - 1)s - 2p + d(k - 1) + 1 + output_padding",
        f"({n} - 1)*{stride} - 2*{padding} + {dilation}*({k} - 1) + 1 + {output_padding}",
        f"{m}",
    )
    shortest = m - output_padding
    first, last = max(shortest, 1), shortest + stride - 1
    if first < last:
        lines.append(f"A convolution with these settings makes {n} of any length from {first} to {last}.")
    return "\n".join(lines)


def _explain_same(p: int, k: int, dilation: int = 1) -> str:
    return "\n".join(_board("padding", "d(k - 1) / 2", f"{dilation}*({k} - 1) / 2", f"{p}"))


def _explain_field(field: int, layers: Iterable[Sequence[int]]) -> str:
    lines = ["r = 1, j = 1 at the input; each layer adds d(k - 1) j to r and multiplies j by s"]
    r, j = 1, 1
    for number, layer in enumerate(layers, start=1):
        k, s, d = (*layer, 1)[:3]
        grown = r + d * (k - 1) * j
        lines.append(f"layer {number}: r = {r} + {d}*({k} - 1)*{j} = {grown}, j = {j}*{s} = {j * s}")
        r, j = grown, j * s
    return "\n".join(lines)


_EXPLANATIONS: dict[Callable[..., int], Callable[..., str]] = {
    conv_output_size: _explain_conv,
    conv_transpose_output_size: _explain_transpose,
    same_padding: _explain_same,
    receptive_field: _explain_field,
}


def _board(name: str, *steps: str) -> list[str]:
    return [f"{name if i == 0 else ' ' * len(name)} = {step}" for i, step in enumerate(steps)]


def _whole(**settings: int) -> list[int]:
    """The settings as Python's whole numbers, which have no largest one; ValueError for one that is too small."""
    numbers = {name: whole(name, value) for name, value in settings.items()}
    check_least(**numbers)
    return list(numbers.values())
