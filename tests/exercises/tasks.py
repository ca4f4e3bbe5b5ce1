"""The other direction: ten operators to write, each under laws that are given.

The laws are in laws.py; together they leave one operator, or only operators that nobody could complain about.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

LAWS = Path(__file__).with_name("laws.py")


class Task(NamedTuple):
    name: str
    signature: str
    laws: list[str]  # names of functions in laws.py
    without: tuple[str, ...] = ()  # functions that would do the whole exercise


CONVOLUTIONS = ("conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv", "tiled_conv1d",
                "tiled_conv2d", "locally_connected1d", "locally_connected2d")  # fmt: skip
POOLS = ("max_pool1d", "max_pool2d", "max_pool3d", "max_pool", "maxout")
TURNING = [
    "it_turns_with_the_picture",
    "it_is_linear_in_both",
    "every_tap_counts",
    "the_gradients_of_turning_are_adjoints",
]

TASKS = [
    Task("roll", "roll(x, shift)", ["rolls_add_up", "a_roll_by_one_moves_to_the_right", "the_gradient_rolls_back"]),
    Task(
        "blur",
        "blur(x)",
        [
            "a_blur_moves_with_the_picture",
            "a_blur_is_linear_and_its_own_adjoint",
            "a_blur_keeps_the_sum_and_reaches_three_cells",
            "the_gradient_of_a_blur_is_blurred",
        ],
    ),
    Task(
        "output_size",
        "output_size(n, k, stride, padding, dilation)",
        ["an_exact_fit_has_m_places", "a_stride_more_is_a_place_more", "too_large_is_a_value_error"],
    ),
    Task("leaky", "leaky(x)", ["leaky_has_its_values", "leaky_has_its_slope"]),
    Task(
        "stable_softmax",
        "stable_softmax(x)",
        ["softmax_is_a_distribution_and_knows_differences_only", "ratios_are_exponentials", "softmax_has_its_slope"],
    ),
    Task(
        "convolve",
        "convolve(x, w)",
        ["convolve_is_linear_in_the_kernel", "a_single_1_picks", "both_gradients_are_adjoints"],
        CONVOLUTIONS,
    ),
    Task("stamp", "stamp(g, w, n)", ["stamp_is_the_adjoint", "the_gradient_of_stamp_convolves"], CONVOLUTIONS),
    Task("pool", "pool(x, k)", ["a_pool_is_one_of_its_window_and_no_less", "a_pool_pays_once"], POOLS),
    Task(
        "local",
        "local(x, w)",
        ["tied_it_is_a_convolution", "each_kernel_has_its_place", "the_gradients_of_local_are_adjoints"],
        ("locally_connected1d", "locally_connected2d"),
    ),
    Task("turning", "turning(x, w)", TURNING),
]
