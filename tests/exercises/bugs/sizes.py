"""Chapter 1: output sizes and receptive fields, off by one or by a factor."""

from __future__ import annotations

from collections.abc import Sequence

from minitensor import sizes

from ..engine import Bug, Engine


def the_sizes_of_lenet(engine: Engine) -> None:
    assert engine.conv_output_size(32, 5) == 28
    assert engine.conv_output_size(28, 2, stride=2) == 14


def the_usual_layer(engine: Engine) -> None:
    assert engine.conv_output_size(32, 3, padding=1) == 32


def every_overlap(engine: Engine) -> None:
    assert engine.conv_output_size(10, 3, padding=2) == 12


def two_windows_side_by_side(engine: Engine) -> None:
    assert engine.conv_output_size(4, 2, stride=2, ceil_mode=True) == 2


def a_pool_that_rounds_up(engine: Engine) -> None:
    assert engine.conv_output_size(6, 3, stride=2, ceil_mode=True) == 3


def twice_as_large(engine: Engine) -> None:
    assert engine.conv_transpose_output_size(14, 2, stride=2) == 28


def same_for_3_and_5(engine: Engine) -> None:
    assert (engine.same_padding(3), engine.same_padding(5)) == (1, 2)


def two_3x3_see_5x5(engine: Engine) -> None:
    assert engine.receptive_field([(3, 1), (3, 1)]) == 5


def rounds_up(n: int, k: int, stride: int = 1, padding: int = 0, dilation: int = 1, ceil_mode: bool = False) -> int:
    return -(-(n + 2 * padding - dilation * (k - 1) - 1) // stride) + 1


def full_only_without_stride(
    n: int, k: int, stride: int = 1, padding: int = 0, dilation: int = 1, ceil_mode: bool = False
) -> int:
    if padding == dilation * (k - 1) > 0 and not ceil_mode:
        return (n + padding + 1) // stride - 1 if stride > 1 else n + padding
    return sizes.conv_output_size(n, k, stride, padding, dilation, ceil_mode)


def forgets_dilation(
    n: int, k: int, stride: int = 1, padding: int = 0, dilation: int = 1, ceil_mode: bool = False
) -> int:
    return sizes.conv_output_size(n, k, stride, padding, 1, ceil_mode)


def fits_everywhere(
    n: int, k: int, stride: int = 1, padding: int = 0, dilation: int = 1, ceil_mode: bool = False
) -> int:
    room = n + 2 * padding - dilation * (k - 1) - 1
    if room < 0:
        return int(room / stride) + 1  # rounds towards 0, so with a stride a little too large a kernel has a place
    return sizes.conv_output_size(n, k, stride, padding, dilation, ceil_mode)


def never_rounds_up(
    n: int, k: int, stride: int = 1, padding: int = 0, dilation: int = 1, ceil_mode: bool = False
) -> int:
    return sizes.conv_output_size(n, k, stride, padding, dilation)


def starts_in_the_margin(
    n: int, k: int, stride: int = 1, padding: int = 0, dilation: int = 1, ceil_mode: bool = False
) -> int:
    room = n + 2 * padding - dilation * (k - 1) - 1
    return -(-room // stride) + 1 if ceil_mode else sizes.conv_output_size(n, k, stride, padding, dilation)


def transpose_without_output_padding(
    n: int, k: int, stride: int = 1, padding: int = 0, output_padding: int = 0, dilation: int = 1
) -> int:
    return sizes.conv_transpose_output_size(n, k, stride, padding, 0, dilation)


def transpose_without_dilation(
    n: int, k: int, stride: int = 1, padding: int = 0, output_padding: int = 0, dilation: int = 1
) -> int:
    return (n - 1) * stride - 2 * padding + k + output_padding


def half_a_kernel(k: int, dilation: int = 1) -> int:
    return dilation * (k // 2)


def same_without_dilation(k: int, dilation: int = 1) -> int:
    return sizes.same_padding(k)


def field_without_dilation(layers: Sequence[Sequence[int]]) -> int:
    return sizes.receptive_field([layer[:2] for layer in layers])


def field_walked_forwards(layers: Sequence[Sequence[int]]) -> int:
    field = 1
    for k, stride, *rest in layers:  # this step goes from a layer's output to its input, so the last layer comes first
        field = (field - 1) * stride + (rest or [1])[0] * (k - 1) + 1
    return field


BUGS = [
    Bug(
        "rounds up",
        "What the division leaves over makes room for another window.",
        "BVLC/caffe issue 4252",
        the_sizes_of_lenet,
        {"conv_output_size": rounds_up},
    ),
    Bug(
        "forgets dilation",
        "A dilated kernel is counted as if its taps were neighbours.",
        "PaddlePaddle/Paddle issue 5242; webmachinelearning/webnn issue 222",
        the_usual_layer,
        {"conv_output_size": forgets_dilation},
    ),
    Bug(
        "full padding",
        "With a margin of k - 1 (every overlap counts) the size is (n + k) // s - 1, which is right without a stride.",
        "Lasagne/Lasagne issue 154",
        every_overlap,
        {"conv_output_size": full_only_without_stride},
    ),
    Bug(
        "fits everywhere",
        "A kernel larger than the input is no error: with a stride it has a place, without one the size is 0 or less.",
        "pytorch/pytorch issue 9592; keras-team/keras issue 6649",
        the_sizes_of_lenet,
        {"conv_output_size": fits_everywhere},
    ),
    Bug(
        "never rounds up",
        "ceil_mode makes no difference.",
        "ethereon/netscope issue 25",
        two_windows_side_by_side,
        {"conv_output_size": never_rounds_up},
    ),
    Bug(
        "starts in the margin",
        "With ceil_mode a last window may start in the margin behind the input, where there is nothing to see.",
        "tracel-ai/burn issue 5791; pytorch/pytorch issue 45357",
        a_pool_that_rounds_up,
        {"conv_output_size": starts_in_the_margin},
    ),
    Bug(
        "no output padding",
        "output_padding is accepted and not added.",
        "pytorch/pytorch issue 98129",
        twice_as_large,
        {"conv_transpose_output_size": transpose_without_output_padding},
    ),
    Bug(
        "transpose forgets dilation",
        "The size of a transposed convolution has k for d(k - 1) + 1.",
        "pytorch/pytorch issue 14099; microsoft/onnxruntime issue 2518",
        twice_as_large,
        {"conv_transpose_output_size": transpose_without_dilation},
    ),
    Bug(
        "half a kernel",
        "The same padding of an even kernel is k / 2 on both sides, which makes the output larger by one.",
        "Lasagne/Lasagne pull request 438; keras-team/keras issue 1092",
        same_for_3_and_5,
        {"same_padding": half_a_kernel},
    ),
    Bug(
        "same forgets dilation",
        "The same padding of a dilated kernel is that of the plain one.",
        "root-project/root pull request 21685; williamyang1991/StyleGANEX issue 16",
        same_for_3_and_5,
        {"same_padding": same_without_dilation},
    ),
    Bug(
        "field forgets dilation",
        "A dilated layer sees as far as a plain one.",
        "frgfm/torch-scan issue 27; Fangyh09/pytorch-receptive-field issue 6",
        two_3x3_see_5x5,
        {"receptive_field": field_without_dilation},
    ),
    Bug(
        "field walked forwards",
        "The recursion that goes from the output back to the input is run from the input on: a pool doubles the field.",
        "frgfm/torch-scan pull request 33; weiliu89/caffe issue 164",
        two_3x3_see_5x5,
        {"receptive_field": field_walked_forwards},
    ),
]
