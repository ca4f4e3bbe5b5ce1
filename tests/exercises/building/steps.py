"""The sixteen steps: what each is called, what it adds to the engine, and the laws that then hold.

What is told of a step stands in texts/NN.md, in four parts: the text, "## Hint", "## Better hint" and "## Afterwards".
"""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import NamedTuple

from .laws import arrays, graph, images, learning
from .laws.common import Law

HERE = Path(__file__).parent

EMPTY = '''"""My engine for deep learning, from an empty file.  The only import is NumPy."""
'''


class Step(NamedTuple):
    """A step: the names that it adds to engine.py, and the laws about them."""

    number: int
    title: str
    adds: tuple[str, ...]
    laws: tuple[Law, ...]

    def text(self) -> str:
        return self.parts()[0]

    def hints(self) -> tuple[str, str]:
        return self.parts()[1], self.parts()[2]

    def afterwards(self) -> str:
        return self.parts()[3]

    @functools.cache  # noqa: B019 (there are sixteen)
    def parts(self) -> list[str]:
        told = (HERE / "texts" / f"{self.number:02}.md").read_text(encoding="utf-8")
        return [part.strip() for part in re.split(r"^## .*\n", told, flags=re.M)]

    def our_lines(self) -> str:
        """This step in solution.py, as it runs when the later ones are not there yet."""
        return without_later(sections()[self.number - 1].strip("\n"), self.number)


@functools.cache
def sections() -> list[str]:
    """The text of solution.py, step by step."""
    return re.split(r"^# === .*\n", (HERE / "solution.py").read_text(encoding="utf-8"), flags=re.M)[1:]


def without_later(text: str, steps: int) -> str:
    """The lines of so many steps; `gradients` calls `fit`, which comes with step 8, and before that does without."""
    share = "fit(rule(sums[t]), x.shape)  # fit comes with step 8"
    return text if steps >= 8 else text.replace(share, "rule(sums[t])")


STEPS = [
    Step(number, title, tuple(adds.split()), laws)
    for number, (title, adds, laws) in enumerate(
        [
            (
                "a value and its recipe",
                "Tensor tensor",
                (
                    graph.a_tensor_holds_floats,
                    graph.a_tensor_keeps_a_copy,
                    graph.a_tensor_keeps_its_recipe,
                    graph.recipes_are_not_shared,
                    graph.tensors_are_told_apart,
                ),
            ),
            (
                "adding and multiplying",
                "add multiply",
                (
                    graph.sums_and_products_have_their_values,
                    graph.recipes_name_the_inputs,
                    graph.rules_are_the_chain_rule,
                    graph.what_flows_back_has_a_recipe,
                    graph.signs_are_operators,
                    graph.a_difference_has_its_rules,
                ),
            ),
            (
                "history",
                "history",
                (
                    graph.history_has_everything_once,
                    graph.history_goes_from_y_to_the_leaves,
                    graph.history_is_quick_where_paths_are_many,
                    graph.history_of_a_long_chain_needs_no_stack,
                ),
            ),
            (
                "gradients",
                "gradients",
                (
                    graph.gradients_are_exact,
                    graph.the_seed_is_ones_unless_given,
                    graph.what_was_not_used_gets_zeros,
                    graph.asking_again_gives_the_same,
                    graph.inner_values_have_gradients_too,
                    graph.a_gradient_can_be_differentiated,
                    graph.gradients_of_a_long_chain,
                ),
            ),
            (
                "functions of one number",
                "power exp log tanh relu",
                (
                    graph.functions_have_their_values,
                    graph.functions_have_their_slopes,
                    graph.powers_have_slopes_at_0,
                    graph.quotients_have_values_and_slopes,
                    graph.what_is_no_longer_used_is_freed,
                ),
            ),
            (
                "the derivative of a derivative",
                "bend",
                (
                    graph.bend_is_exact_for_powers,
                    graph.bend_mixes_what_f_mixes,
                    graph.bend_is_the_slope_of_the_gradient,
                ),
            ),
            (
                "sums and their adjoint",
                "reshape total spread mean",
                (
                    arrays.reshape_keeps_the_numbers_in_their_order,
                    arrays.total_sums_along_axes,
                    arrays.spread_repeats_along_axes,
                    arrays.mean_is_a_single_number,
                    arrays.sums_inside_a_function_have_slopes,
                ),
            ),
            (
                "broadcasting",
                "fit",
                (
                    arrays.fit_sums_what_was_repeated,
                    arrays.a_gradient_has_the_shape_of_its_input,
                    arrays.broadcasting_has_second_derivatives,
                ),
            ),
            (
                "transpose and matmul",
                "transpose matmul",
                (
                    arrays.transpose_exchanges_axes,
                    arrays.a_product_of_matrices_is_linear_in_both,
                    arrays.the_at_sign_works_on_both_sides,
                    arrays.products_of_matrices_have_second_derivatives,
                ),
            ),
            ("take and put", "take put", (arrays.taking_twice_brings_two_shares, arrays.take_and_put_are_adjoints)),
            (
                "a loss",
                "log_softmax cross_entropy",
                (
                    arrays.log_softmax_has_its_values,
                    arrays.log_softmax_of_scores_far_apart,
                    arrays.log_softmax_has_its_slopes,
                    arrays.cross_entropy_is_the_mean_loss,
                ),
            ),
            (
                "windows and fold",
                "windows fold",
                (
                    images.windows_show_each_place,
                    images.fold_adds_each_window_where_it_was_read,
                    images.windows_and_fold_are_adjoints,
                ),
            ),
            (
                "convolution",
                "pad conv2d",
                (
                    images.pad_puts_a_margin_around,
                    images.conv2d_is_the_sum_over_a_window,
                    images.conv2d_has_three_gradients,
                ),
            ),
            (
                "max pooling",
                "max_pool2d",
                (images.a_pool_takes_the_largest_and_pays_it, images.a_pool_in_the_middle_has_gradients),
            ),
            (
                "layers and steps",
                "Module Conv Dense sgd",
                (
                    learning.parameters_are_found_once,
                    learning.dense_is_a_product_and_a_bias,
                    learning.conv_is_a_conv2d,
                    learning.weights_begin_at_random,
                    learning.sgd_steps_downhill_with_momentum,
                    learning.momentum_is_nine_tenths,
                ),
            ),
            (
                "a network that reads",
                "LeNet train accuracy",
                (
                    learning.the_network_gives_ten_scores,
                    learning.accuracy_is_the_share_that_is_right,
                    learning.every_image_is_shown_each_round,
                    learning.a_step_knows_the_steps_before,
                    learning.every_parameter_learns,
                    learning.it_learns_what_it_is_shown,
                ),
            ),
        ],
        start=1,
    )
]
