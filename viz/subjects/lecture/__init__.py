"""The figures of the lecture, each a function of a few lines that computes what it shows.

What you can do here: go through `FIGURES`, or call one of them.

The docstring of a figure is its caption.  Sections are those of Goodfellow, Bengio and Courville, Deep Learning:
chapter 9 (https://www.deeplearningbook.org/contents/convnets.html), and chapter 6 for the computation graphs.
Read parts, convolution, variants, networks.
"""

from __future__ import annotations

from collections.abc import Callable

from ...drawing.figure import Figure
from .convolution import (
    all_steps_of_a_convolution,
    convolution_animated,
    convolution_in_letters,
    efficiency_of_edge_detection,
    filter_effects,
    four_kinds_of_pooling,
    growing_receptive_field,
    learned_invariance,
    max_pooling_invariance,
    one_step_of_a_convolution,
    parameter_sharing,
    pooling_with_stride,
    rotation_and_convolution,
    rotation_and_group_convolution,
    scale_and_convolution,
    sparse_and_dense_from_above,
    sparse_and_dense_from_below,
    three_stages,
    translation_and_convolution,
    translation_and_pooling,
    weights_with_letters,
)
from .networks import (
    alexnet_architecture,
    attention_over_five_tokens,
    graph_of_a_gradient,
    graph_of_an_expression,
    lenet5_architecture,
    lenet_architecture,
    non_linearities,
    residual_block,
    training_step_of_lenet,
    u_shaped_network,
    unrolled_recurrent_network,
)
from .variants import (
    a_volume,
    a_window_on_a_grid,
    arithmetic_of_convolution,
    arithmetic_of_transposed_convolution,
    channels_that_see_some_channels,
    checkerboard,
    down_sampling,
    effective_receptive_field,
    filters_and_feature_maps,
    its_solution,
    learned_filters,
    local_convolutional_and_full,
    local_tiled_and_convolutional,
    no_zero_padding,
    one_filter_through_three_channels,
    padding_on_a_grid,
    strides_and_dilation,
    the_problem,
    the_size_on_a_line,
    translation_and_stride,
    zero_padding,
)

SECTIONS: dict[str, dict[Callable[[], Figure], str]] = {  # the titles of the figures, in the order of the book
    "6.3 Hidden units": {
        non_linearities: "Four non-linearities and their derivatives",
    },
    "6.5 Back-propagation": {
        graph_of_an_expression: "The computation graph of one neuron",
        graph_of_a_gradient: "A gradient has a graph too",
        unrolled_recurrent_network: "A recurrent network, unrolled",
        training_step_of_lenet: "A training step of LeNet",
    },
    "9.1 The convolution operation": {
        convolution_in_letters: "Convolution, written in letters",
        one_step_of_a_convolution: "One step of a convolution",
        convolution_animated: "The window slides",
        all_steps_of_a_convolution: "All steps of a convolution",
        filter_effects: "What small kernels do to a photograph",
    },
    "9.2 Motivation": {
        sparse_and_dense_from_below: "Sparse and dense connections, seen from below",
        sparse_and_dense_from_above: "Sparse and dense connections, seen from above",
        growing_receptive_field: "The receptive field grows with depth",
        attention_over_five_tokens: "Attention over five tokens",
        parameter_sharing: "Parameter sharing",
        weights_with_letters: "Equal letters are equal weights",
        translation_and_convolution: "Translation and convolution commute",
        rotation_and_convolution: "Rotation and convolution do not commute",
        rotation_and_group_convolution: "Rotation and group convolution commute",
        scale_and_convolution: "Scaling and convolution do not commute",
        efficiency_of_edge_detection: "What edge detection costs",
    },
    "9.3 Pooling": {
        three_stages: "The three stages of a convolutional layer",
        max_pooling_invariance: "Max pooling and small translations",
        learned_invariance: "Learned invariance",
        pooling_with_stride: "Pooling with a stride",
        four_kinds_of_pooling: "Four kinds of pooling",
        translation_and_pooling: "Translation and pooling do not commute",
    },
    "9.5 Variants of the basic convolution function": {
        a_volume: "A layer is a block of units",
        one_filter_through_three_channels: "One filter through three channels",
        the_size_on_a_line: "The size of the output, on a line",
        the_problem: "A problem: how large is each layer?",
        its_solution: "Its solution, layer by layer",
        down_sampling: "A stride is a convolution with down-sampling",
        no_zero_padding: "Without padding a network shrinks",
        zero_padding: "Zero padding keeps the size",
        padding_on_a_grid: "Zero padding on a grid",
        local_convolutional_and_full: "Local, convolutional and full connections",
        local_tiled_and_convolutional: "Three degrees of sharing",
        strides_and_dilation: "Stride, dilation and padding",
        arithmetic_of_convolution: "Convolution arithmetic",
        arithmetic_of_transposed_convolution: "Transposed convolution arithmetic",
        checkerboard: "The checkerboard of a transposed convolution",
        a_window_on_a_grid: "A receptive field on a grid",
        effective_receptive_field: "The effective receptive field",
        filters_and_feature_maps: "Filters and feature maps",
        learned_filters: "Learned filters",
        channels_that_see_some_channels: "Which channels read which",
        translation_and_stride: "Translation and stride do not commute",
    },
    "9.11 Convolutional networks and the history of deep learning": {
        lenet5_architecture: "LeNet-5 (1998)",
        lenet_architecture: "LeNet in its modern form",
        residual_block: "A residual block",
        u_shaped_network: "A U-shaped network",
        alexnet_architecture: "AlexNet (2012)",
    },
}
FIGURES: tuple[tuple[str, str, Callable[[], Figure]], ...] = tuple(
    (section, title, draw) for section, figures in SECTIONS.items() for draw, title in figures.items()
)

IN_THE_BOOK: dict[str, str] = {  # the figure of chapter 6 or 9 that shows the same
    "convolution_in_letters": "9.1",
    "sparse_and_dense_from_below": "9.2",
    "sparse_and_dense_from_above": "9.3",
    "growing_receptive_field": "9.4",
    "parameter_sharing": "9.5",
    "efficiency_of_edge_detection": "9.6",
    "three_stages": "9.7",
    "max_pooling_invariance": "9.8",
    "learned_invariance": "9.9",
    "pooling_with_stride": "9.10",
    "lenet_architecture": "9.11",
    "down_sampling": "9.12",
    "no_zero_padding": "9.13, above",
    "zero_padding": "9.13, below",
    "local_convolutional_and_full": "9.14",
    "channels_that_see_some_channels": "9.15",
    "local_tiled_and_convolutional": "9.16",
}

ON_SLIDES: dict[str, str] = {  # where the lecture's slides have the same
    "translation_and_convolution": "slide 14",
    "filter_effects": "slide 16",
    "a_volume": "slide 18",
    "one_filter_through_three_channels": "slide 20",
    "the_size_on_a_line": "slide 21",
    "the_problem": "slides 38 to 40",
    "its_solution": "slides 38 to 40",
}
