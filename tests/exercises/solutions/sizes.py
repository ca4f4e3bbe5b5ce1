"""Chapter 1: sizes."""

from tests.exercises.kit import given, lines, pool_lines, refuses, st


@given(d=st.integers(1, 5))
def test_a_kernel_as_wide_as_the_input_has_one_place(engine, d):
    """A kernel of 2 with dilation d covers d + 1 cells, so in an input of d + 1 cells it has one place."""
    assert engine.conv_output_size(d + 1, 2, dilation=d) == 1


def count_windows(line):
    """Slide a window along the padded input, one stride at a time, for as long as it fits."""
    span = line.dilation * (line.k - 1) + 1
    start, windows = 0, 0
    while start + span <= line.n + 2 * line.padding:
        windows += 1
        start += line.stride
    return windows


@given(lines())
def test_the_size_counts_windows(engine, line):
    """The output has as many places as a window finds when it is slid along the padded input."""
    size = engine.conv_output_size(line.n, line.k, line.stride, line.padding, line.dilation)
    assert size == count_windows(line)


@given(line=lines(dilation=1), padding=st.integers(0, 4))
def test_a_margin_is_a_longer_input(engine, line, padding):
    """Padding p on both sides is the same as an input that is 2p longer, without padding."""
    padded = engine.conv_output_size(line.n, line.k, line.stride, padding + line.padding)
    assert padded == engine.conv_output_size(line.n + 2 * (padding + line.padding), line.k, line.stride)


@given(k=st.integers(2, 5), stride=st.integers(1, 4), dilation=st.integers(1, 3), data=st.data())
def test_a_kernel_that_does_not_fit_is_an_error(engine, k, stride, dilation, data):
    """A kernel that covers more than the input is a ValueError, whatever the stride."""
    n = data.draw(st.integers(1, dilation * (k - 1)))
    assert refuses(engine.conv_output_size, n, k, stride, 0, dilation)


@given(pool_lines())
def test_rounding_up_adds_a_window_that_starts_inside(engine, line):
    """With ceil_mode there is one more window where something is left over, if it starts in the input or left of it."""
    floor = engine.conv_output_size(line.n, line.k, line.stride, line.padding)
    ceil = engine.conv_output_size(line.n, line.k, line.stride, line.padding, ceil_mode=True)
    starts_inside = floor * line.stride < line.n + line.padding
    assert ceil == floor + (line.rest > 0 and starts_inside)


@given(lines())
def test_a_transposed_convolution_undoes_the_size(engine, line):
    """n -> convolution -> m -> transposed convolution -> n, if the rest is given as output_padding."""
    back = engine.conv_transpose_output_size(line.m, line.k, line.stride, line.padding, line.rest, line.dilation)
    assert back == line.n


@given(n=st.integers(1, 9), k=st.integers(1, 7), dilation=st.integers(1, 4))
def test_same_padding_keeps_the_size(engine, n, k, dilation):
    """With same_padding on both sides the size stays, at stride 1; where that cannot be, it is a ValueError."""
    if dilation * (k - 1) % 2:
        assert refuses(engine.same_padding, k, dilation)
    else:
        padding = engine.same_padding(k, dilation)
        assert n + 2 * padding - dilation * (k - 1) == n


layers = st.lists(st.tuples(st.integers(1, 4), st.integers(1, 3), st.integers(1, 3)), max_size=4)


@given(layers)
def test_the_receptive_field_is_what_one_output_reads(engine, layers):
    """Walk back from one output, layer by layer, and note which positions it reads: from the first to the last."""
    positions = {0}
    for k, stride, dilation in reversed(layers):
        positions = {place * stride + tap * dilation for place in positions for tap in range(k)}
    assert engine.receptive_field(layers) == max(positions) - min(positions) + 1
