"""Chapter 1.  Sizes: how large an output is.

Each function below says in its first line what holds, and draws the cases: write it down below that line.  It must
pass for the right engine, and fail for some of the bugs:

    python -m tests.exercises run 1
    python -m tests.exercises hint 1

The first is done in a minute: it is the line

    assert engine.conv_output_size(d + 1, 2, dilation=d) == 1

You may write further properties: any function test_...(engine, ...) is graded.

The letters, along one axis:  n input length   k kernel   s stride   p padding on each side   d dilation
m places.  A dilated kernel covers d (k - 1) + 1 cells.

    engine.conv_output_size(n, k, stride=1, padding=0, dilation=1, ceil_mode=False)
    engine.conv_transpose_output_size(n, k, stride=1, padding=0, output_padding=0, dilation=1)
    engine.same_padding(k, dilation=1)
    engine.receptive_field([(k, stride, dilation), ...])        the first layer first

lines() draws a Line: line.n, .k, .stride, .padding, .dilation, which fit each other; line.m places; and line.rest, the
cells that the last window leaves over.  pool_lines() draws those that a pool allows (padding of at most half a kernel).
refuses(f, ...) is whether f(...) is a ValueError.
"""

# ruff: noqa: F401 (you will need these)
from tests.exercises.kit import given, lines, pool_lines, refuses, st


@given(d=st.integers(1, 5))
def test_a_kernel_as_wide_as_the_input_has_one_place(engine, d):
    """A kernel of 2 with dilation d covers d + 1 cells, so in an input of d + 1 cells it has one place."""


def count_windows(line):
    """Slide a window along the padded input, one stride at a time, for as long as it fits."""


@given(lines())
def test_the_size_counts_windows(engine, line):
    """The output has as many places as a window finds when it is slid along the padded input."""


@given(line=lines(dilation=1), padding=st.integers(0, 4))
def test_a_margin_is_a_longer_input(engine, line, padding):
    """Padding p on both sides is the same as an input that is 2p longer, without padding."""


@given(k=st.integers(2, 5), stride=st.integers(1, 4), dilation=st.integers(1, 3), data=st.data())
def test_a_kernel_that_does_not_fit_is_an_error(engine, k, stride, dilation, data):
    """A kernel that covers more than the input is a ValueError, whatever the stride."""


@given(pool_lines())
def test_rounding_up_adds_a_window_that_starts_inside(engine, line):
    """With ceil_mode there is one more window where something is left over, if it starts in the input or left of it."""


@given(lines())
def test_a_transposed_convolution_undoes_the_size(engine, line):
    """n -> convolution -> m -> transposed convolution -> n, if the rest is given as output_padding."""


@given(n=st.integers(1, 9), k=st.integers(1, 7), dilation=st.integers(1, 4))
def test_same_padding_keeps_the_size(engine, n, k, dilation):
    """With same_padding on both sides the size stays, at stride 1; where that cannot be, it is a ValueError."""


layers = st.lists(st.tuples(st.integers(1, 4), st.integers(1, 3), st.integers(1, 3)), max_size=4)


@given(layers)
def test_the_receptive_field_is_what_one_output_reads(engine, layers):
    """Walk back from one output, layer by layer, and note which positions it reads: from the first to the last."""
