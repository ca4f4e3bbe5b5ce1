"""How large an output is, how much of the input it sees: every formula against counting windows one by one."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitensor import Tensor, avg_pool2d, checks, conv1d, conv2d, conv_transpose2d, gradients, max_pool1d, max_pool2d
from minitensor.sizes import (
    conv_output_size,
    conv_transpose_output_size,
    explain,
    receptive_field,
    receptive_field_and_jump,
    same_padding,
    unreached,
)

from .naive import window_positions
from .strategies import Line, lines, pool_lines, pools, rngs, transposed_convolutions, whole, whole_numbers

settings = ("n", "k", "stride", "padding", "dilation")
USUAL = {"stride": 1, "padding": 0, "dilation": 1}
layers = st.lists(st.tuples(*[st.integers(1, 3)] * 3), max_size=4)


def of(line: Line) -> dict[str, int]:
    return {name: getattr(line, name) for name in settings}


# -- convolution and pooling -------------------------------------------------------------------------------------------


@given(lines(places=6, kernel=5), pool_lines(dilation=3))
def test_conv_output_size_counts_windows(line, pool_line):
    """The formula gives as many places as a window finds when it is slid along; rounded up too, where pools can be."""
    assert conv_output_size(**of(line)) == len(window_positions(*of(line).values(), False))
    assert conv_output_size(**of(pool_line), ceil_mode=True) == len(window_positions(*of(pool_line).values(), True))


@given(lines())
def test_conv_output_size_rounds_down(line):
    """Up to s - 1 inputs more than m windows need do not make room for another."""
    assert conv_output_size(**of(line)) == line.m


@given(pool_lines(dilation=3))
def test_ceil_mode_adds_at_most_one_window(line):
    """Rounding up adds one window where a rest is left that begins inside the input or its left margin, else none."""
    extra = conv_output_size(**of(line), ceil_mode=True) - line.m
    starts_inside = line.m * line.stride - line.padding < line.n
    assert extra == (line.rest > 0 and starts_inside)


@given(lines(), st.booleans())
def test_unreached_are_the_inputs_in_no_window(line, ceil_mode):
    """unreached and the windows together are all of the input, and have nothing in common."""
    read = {i for window in window_positions(*of(line).values(), ceil_mode) for i in window}
    assert unreached(**of(line), ceil_mode=ceil_mode) == [i for i in range(line.n) if i not in read]


@given(lines(padding=0, places=3), lines(padding=1, places=3))
def test_conv2d_has_the_size_that_sizes_says(rows, columns):
    """The layer and the formula agree, on each axis by itself."""
    x, w = np.zeros((1, 1, rows.n, columns.n)), np.zeros((1, 1, rows.k, columns.k))
    both = {name: (getattr(rows, name), getattr(columns, name)) for name in settings[2:]}
    assert conv2d(x, w, **both).shape[2:] == (rows.m, columns.m)


@given(pools(2, ("stride", "padding", "dilation", "ceil_mode")))
def test_max_pool_has_the_size_that_sizes_says(pool):
    """The pool and the formula agree, ceil_mode included."""
    axes = zip(pool.x[2:], pool.kernel_size, *(pool.settings[name] for name in settings[2:]), strict=True)
    expected = tuple(conv_output_size(*axis, pool.settings["ceil_mode"]) for axis in axes)
    assert max_pool2d(np.zeros(pool.x), pool.kernel_size, **pool.settings).shape[2:] == expected


@given(pool_lines())
def test_pools_step_by_their_kernel_unless_told(line):
    """stride=None means the kernel size, for each pool."""
    x = np.zeros((1, 1, line.n, line.n))
    for pool in max_pool2d, avg_pool2d:
        assert pool(x, line.k, padding=line.padding).shape == pool(x, line.k, stride=line.k, padding=line.padding).shape


@given(st.integers(1, 9), st.integers(1, 5), st.integers(1, 3))
def test_same_keeps_the_size(n, k, dilation):
    """padding="same" at stride 1 gives an output as long as the input, for odd and even kernels."""
    assert conv1d(np.zeros((1, 1, n)), np.zeros((1, 1, k)), padding="same", dilation=dilation).shape == (1, 1, n)


@given(whole_numbers((1, 1, 5)), whole_numbers((1, 1, 4)))
def test_same_pads_the_odd_cell_at_the_end(x, w):
    """An even kernel has one cell of margin more behind than in front."""
    padded = np.pad(x, [(0, 0), (0, 0), (1, 2)])
    assert np.array_equal(conv1d(x, w, padding="same").data, conv1d(padded, w).data)


@given(st.integers(1, 4).map(lambda h: 2 * h - 1), st.integers(1, 9), st.integers(1, 3))
def test_same_padding_keeps_the_size(k, n, dilation):
    """With same_padding on both sides an odd kernel keeps every size."""
    assert conv_output_size(n, k, padding=same_padding(k, dilation), dilation=dilation) == n


@given(st.integers(1, 4).map(lambda h: 2 * h), st.integers(0, 2).map(lambda h: 2 * h + 1))
def test_an_even_kernel_has_no_same_padding(k, dilation):
    """Two equal sides cannot give an odd number of cells; the error says what each side would need."""
    total = dilation * (k - 1)
    with pytest.raises(ValueError, match=rf"kernel \(={k}\).*pad {total // 2} before and {total - total // 2} after"):
        same_padding(k, dilation)


@given(lines(), st.sets(st.sampled_from([*USUAL])))
def test_settings_left_out_are_the_usual_ones(line, left_out):
    """Stride and dilation 1, no padding, rounding down: in every size, and in how it is explained."""
    full = {**of(line), "n": line.n + 2 * line.padding, **{name: USUAL[name] for name in left_out}}
    some = {name: value for name, value in full.items() if name not in left_out}
    for function, more in (
        (conv_output_size, {"ceil_mode": False}),
        (unreached, {"ceil_mode": False}),
        (conv_transpose_output_size, {"output_padding": 0}),
    ):
        assert function(**some) == function(**full, **more)
        if function is not unreached:
            assert explain(function, **some) == explain(function, **full, **more)
    odd = 2 * line.k - 1
    assert same_padding(odd) == same_padding(odd, 1)
    assert explain(same_padding, odd) == explain(same_padding, odd, 1)


# -- transposed convolution --------------------------------------------------------------------------------------------


@given(lines(padding=2))
def test_conv_transpose_undoes_the_size(line):
    """n -> conv -> m -> transposed conv -> n, with the rest as output_padding: every size is reached."""
    setting = (line.m, line.k, line.stride, line.padding)
    if line.n > line.rest:
        assert conv_transpose_output_size(*setting, 0, line.dilation) == line.n - line.rest
    else:
        with pytest.raises(ValueError, match=f"nothing is left: .* an output of {line.n - line.rest}"):
            conv_transpose_output_size(*setting, 0, line.dilation)
    assert conv_transpose_output_size(line.m, line.k, line.stride, line.padding, line.rest, line.dilation) == line.n


@given(transposed_convolutions())
def test_conv_transpose2d_has_the_size_that_sizes_says(g):
    """The layer and the formula agree, for every output_padding that is allowed, on each axis by itself."""
    assert conv_transpose2d(np.zeros(g.x), np.zeros(g.w), **g.settings).shape == g.y
    names = ("stride", "padding", "output_padding", "dilation")
    axes = zip(g.x[2:], g.w[2:], *(g.settings[name] for name in names), strict=True)
    assert tuple(conv_transpose_output_size(*axis) for axis in axes) == g.y[2:]


@given(st.integers(1, 3), st.integers(0, 4), st.data(), rngs)
def test_what_output_padding_adds_beyond_the_image_is_zeros(k, padding, data, rng):
    """Also where padding has cut away all that was stamped: then the output is zeros, and its derivatives are."""
    extra = data.draw(st.integers(max(0, 2 * padding - k + 1), 2 * padding + 2))  # so that something is left
    stride, size = data.draw(st.integers(extra + 1, extra + 3)), k + extra - 2 * padding
    x, w = (Tensor(a) for a in whole(rng, [(1, 1, 1, 1), (1, 1, k, 1)]))
    settings = {"stride": (stride, 1), "padding": (padding, 0), "output_padding": (extra, 0)}
    y = conv_transpose2d(x, w, **settings)
    stamped = np.append((x.data * w.data)[0, 0, :, 0], np.zeros(extra))[padding:]
    assert np.array_equal(y.data[0, 0, :, 0], stamped[:size])
    inside = (np.arange(k) >= padding) & (np.arange(k) < padding + size)
    assert gradients(y, [x])[0].item() == w.data[0, 0, inside].sum()
    assert np.array_equal(gradients(y, [w])[0].data[0, 0, :, 0], x.item() * inside)


# -- receptive field ---------------------------------------------------------------------------------------------------


@given(layers)
def test_receptive_field_is_where_the_derivative_is_not_zero(stack):
    """One output depends on inputs that span exactly the receptive field, and its neighbour on those a jump further."""
    field, jump = receptive_field_and_jump(stack)
    x = Tensor(np.zeros((1, 1, field + jump)))
    y = x
    for k, s, d in stack:
        y = conv1d(y, np.ones((1, 1, k)), stride=s, dilation=d)
    assert y.shape == (1, 1, 2)
    for place in range(2):
        (seen,) = np.nonzero(gradients(y[0, 0, place], [x])[0].data[0, 0])
        assert (seen[0], seen[-1]) == (place * jump, place * jump + field - 1)


@given(layers, layers)
def test_jumps_multiply_and_fields_compose(first, second):
    """A stack of stacks: the jumps multiply, and the second field counts in jumps of the first."""
    (r1, j1), (r2, j2) = receptive_field_and_jump(first), receptive_field_and_jump(second)
    assert receptive_field_and_jump(first + second) == (r1 + (r2 - 1) * j1, j1 * j2)
    assert receptive_field(first) == r1


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(1, 3)), max_size=3))
def test_a_layer_of_two_numbers_is_not_dilated(stack):
    """(kernel, stride) means (kernel, stride, 1)."""
    full = [(*layer, 1) for layer in stack]
    assert receptive_field(stack) == receptive_field(full)
    assert explain(receptive_field, stack) == explain(receptive_field, full)


# -- explanations ------------------------------------------------------------------------------------------------------


def evaluate(step: str) -> int:
    """A line of arithmetic as printed, worked out by Python (with // for a division that is rounded)."""
    if rounded := re.match(r"(floor|ceil)\((.*) / (\d+)\)(.*)", step):
        mode, top, bottom, rest = rounded.groups()
        return eval(f"({top}) // {bottom}{rest}" if mode == "floor" else f"-(-({top}) // {bottom}){rest}")
    return eval(step.replace("/", "//"))


@given(lines(), st.booleans())
def test_every_step_of_an_explanation_is_true(line, ceil_mode):
    """Each line of arithmetic has the value of the line after it; the last is the answer, or says why it is less."""
    text = explain(conv_output_size, **of(line), ceil_mode=ceil_mode)
    answer = conv_output_size(**of(line), ceil_mode=ceil_mode)
    values = {evaluate(step) for step in re.findall(r"^(?:output| {6}) = (.*)$", text, re.M)[1:]}
    (value,) = values
    if value != answer:
        assert f"would start beyond the input, so it is left out: {answer}." in text
        assert value == answer + 1


@given(lines(), st.booleans())
def test_explanations_name_the_inputs_that_no_window_reads(line, ceil_mode):
    """The numbers named are those of `unreached`, and nothing is said where nothing is left over."""
    text = explain(conv_output_size, **of(line), ceil_mode=ceil_mode)
    missed = unreached(**of(line), ceil_mode=ceil_mode)
    named = re.search(r"no window reads (inputs?) ([\d, ]+) \(", text)
    assert (list(map(int, named[2].split(", "))) if named else []) == missed
    assert (named[1] if named else "") == ("", "input", "inputs")[min(len(missed), 2)]
    room = line.n + 2 * line.padding - line.dilation * (line.k - 1) - 1
    assert (f"leaves a rest of {line.rest}" in text) == (line.rest > 0) == (room % line.stride > 0)


@given(lines())
def test_explanations_say_how_far_a_partial_window_reaches(line):
    """A last window that ends beyond the margin is named, with the number of cells."""
    for ceil_mode, padding in itertools.product((False, True), range(line.k // 2 + 1)):
        setting = {**of(line), "n": line.n + 2 * line.padding, "padding": padding}
        text = explain(conv_output_size, **setting, ceil_mode=ceil_mode)
        last = window_positions(*setting.values(), ceil_mode)[-1][-1]
        beyond = last - (setting["n"] + padding - 1)
        reached = re.findall(r"The last window is partial: it reaches (-?\d+) beyond the padded input.", text)
        assert reached == ([str(beyond)] if beyond > 0 else [])
        all_read = not unreached(*setting.values(), ceil_mode)
        reasons = {True: "a partial window covers what is left over", False: "only padding is left over"}
        for partial, reason in reasons.items():
            expected = "leaves a rest" in text and all_read and (beyond > 0) == partial
            assert (f"every input is read, {reason}." in text) == expected


@given(lines())
def test_the_explanation_of_conv_transpose_is_true(line):
    """Each step has the same value, and where several lengths have m places under a convolution, they are all named."""
    setting = {name: value for name, value in of(line).items() if name != "n"}
    text = explain(conv_transpose_output_size, line.m, output_padding=line.rest, **setting)
    assert {evaluate(step) for step in re.findall(r"^(?:output| {6}) = (.*)$", text, re.M)[1:]} == {line.n}
    found = re.search(r"makes (\d+) of any length from (\d+) to (\d+)", text)
    least = max(1, line.dilation * (line.k - 1) + 1 - 2 * line.padding)  # where the kernel fits
    lengths = [n for n in range(least, line.n + line.stride) if conv_output_size(n, **setting) == line.m]
    assert (found is not None) == (len(lengths) > 1)
    if found:
        assert [int(number) for number in found.groups()] == [line.m, lengths[0], lengths[-1]]


@given(layers)
def test_the_explanation_of_a_receptive_field_ends_in_it(stack):
    """One line for each layer; each starts from the field and jump that the one before it ended with."""
    assert explain(receptive_field, stack) == explain(receptive_field, layers=iter(stack))
    lines_ = explain(receptive_field, stack).splitlines()[1:]
    field, jump = 1, 1
    for text, number in zip(lines_, range(1, len(stack) + 1), strict=True):
        r, j = re.fullmatch(rf"layer {number}: r = (.*), j = (.*)", text).groups()
        assert r.startswith(f"{field} + ")
        assert j.startswith(f"{jump}*")
        (field, *_), (jump, *_) = [{eval(part) for part in steps.split(" = ")} for steps in (r, j)]
        assert (field, jump) == receptive_field_and_jump(stack[:number])


def test_explain_takes_same_padding_and_bare_numbers():
    """Without a function the numbers are those of conv_output_size; another function is refused by name."""
    assert explain(7, 3, stride=2) == explain(conv_output_size, 7, 3, stride=2)
    assert explain(same_padding, 5, 3).splitlines()[1:] == ["        = 3*(5 - 1) / 2", "        = 6"]
    with pytest.raises(ValueError, match=r"can explain conv_output_size, .*; got 'len'"):
        explain(len, 3)


# -- what cannot be ----------------------------------------------------------------------------------------------------

bad = st.integers(-3, 0)


@given(lines(), st.sampled_from(["n", "k", "stride", "dilation"]), bad)
def test_lengths_and_steps_are_at_least_1(line, name, value):
    """n, k, stride, dilation < 1 are ValueErrors that name the setting and its value, in every formula."""
    message = rf"{name} \(={value}\) must be at least 1"
    for function in conv_output_size, conv_transpose_output_size, unreached:
        with pytest.raises(ValueError, match=message):
            function(**{**of(line), name: value})
    if name != "n":
        layer = {**of(line), name: value}
        with pytest.raises(ValueError, match=message):
            receptive_field([(layer["k"], layer["stride"], layer["dilation"])])
    if name in ("k", "dilation"):
        with pytest.raises(ValueError, match=message):
            same_padding(**{"k": 3, name: value})


@given(lines(), st.integers(-3, -1))
def test_padding_is_not_negative(line, padding):
    """A negative padding is a ValueError with its value."""
    for function in conv_output_size, conv_transpose_output_size:
        with pytest.raises(ValueError, match=rf"padding \(={padding}\) must be at least 0"):
            function(**{**of(line), "padding": padding})
    with pytest.raises(ValueError, match=rf"output_padding \(={padding}\) must be at least 0"):
        conv_transpose_output_size(3, 3, output_padding=padding)


@given(lines(), st.integers(1, 3))
def test_a_kernel_larger_than_the_padded_input_has_no_place(line, excess):
    """The error echoes the kernel, its dilation, what it covers and the padded input; exactly as large is allowed."""
    span = line.dilation * (line.k - 1) + 1
    n = span - 2 * line.padding
    if n >= 1:
        assert conv_output_size(**{**of(line), "n": n}) == 1
    if n - excess >= 1:
        message = rf"kernel \(={line.k}\) with dilation \(={line.dilation}\) covers {span}.*{span - excess}\)"
        with pytest.raises(ValueError, match=message):
            conv_output_size(**{**of(line), "n": n - excess})


@given(lines(), st.integers(0, 2))
def test_output_padding_is_less_than_stride_or_dilation(line, excess):
    """More than stride or dilation covers is a ValueError with all three values; 0 always fits."""
    most = max(line.stride, line.dilation)
    if most > 1:
        conv_transpose_output_size(line.m, line.k, line.stride, 0, most - 1, line.dilation)
    extra = most + excess
    message = rf"output_padding \(={extra}\).*stride \(={line.stride}\) or dilation \(={line.dilation}\)"
    with pytest.raises(ValueError, match=message):
        conv_transpose_output_size(line.m, line.k, line.stride, line.padding, extra, line.dilation)


@given(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3))
def test_something_must_be_left_of_a_transposed_output(n, k, stride):
    """Padding that cuts everything away is a ValueError that says how much is left; one cell is enough."""
    full = (n - 1) * stride + k
    padding = (full + 1) // 2
    if full % 2:
        assert conv_transpose_output_size(n, k, stride, (full - 1) // 2) == 1
    with pytest.raises(ValueError, match=rf"padding \(={padding}\) give an output of {full - 2 * padding}"):
        conv_transpose_output_size(n, k, stride, padding)


@pytest.mark.parametrize("value", [1.5, 2.0, "3", None, (1,)])
@pytest.mark.parametrize("name", settings)
def test_sizes_are_whole_numbers(name, value):
    """A setting that is no whole number is a TypeError with its name and value."""
    with pytest.raises(TypeError, match=re.escape(f"{name} (={value!r}) must be a whole number")):
        conv_output_size(**{**dict.fromkeys(settings, 3), "padding": 0, name: value})


@pytest.mark.parametrize("layer", [(3,), (3, 1, 1, 1), ()])
def test_a_layer_is_two_or_three_numbers(layer):
    """Anything else is a ValueError that shows it."""
    with pytest.raises(ValueError, match=re.escape(f"got {layer!r}")):
        receptive_field([layer])


@given(st.lists(st.integers(1, 3), max_size=4), st.integers(1, 3))
def test_a_setting_is_a_number_or_one_for_each_axis(values, axes):
    """One number stands for all axes; a sequence must have one for each, or is a ValueError that shows it."""
    assert checks.per_axis("stride", 2, axes) == (2,) * axes
    if len(values) == axes:
        for kind in (list, tuple, np.array):
            assert checks.per_axis("stride", kind(values), axes) == tuple(values)
    else:
        with pytest.raises(ValueError, match=re.escape(f"stride (={values})")):
            checks.per_axis("stride", values, axes)


@given(st.sampled_from([np.int8, np.uint8, np.uint16]), st.integers(60, 120), st.integers(1, 100), st.integers(50, 100))
def test_sizes_have_no_largest_number(kind, n, k, padding):
    """NumPy's short integers are whole numbers like others, and do not overflow."""
    small = [kind(number) for number in (n, k, 1, padding)]
    for function in (conv_output_size, conv_transpose_output_size):
        assert outcome(function, *small) == outcome(function, n, k, 1, padding)
    assert outcome(same_padding, *small[:2]) == outcome(same_padding, n, k)
    assert outcome(receptive_field, [tuple(small[:2])] * 3) == outcome(receptive_field, [(n, k)] * 3)


def outcome(function, *args):
    """What it returns, and of which type; or what its error says."""
    try:
        result = function(*args)
    except ValueError as error:
        return str(error)
    return result, type(result)


@given(pool_lines())
def test_pools_in_1d_and_2d_agree_on_sizes(line):
    """An image one pixel high is a line."""
    x = np.zeros((1, 1, line.n))
    flat = max_pool1d(x, line.k, stride=line.stride, padding=line.padding)
    high = max_pool2d(x[:, :, None], (1, line.k), stride=(1, line.stride), padding=(0, line.padding))
    assert high.shape == (*flat.shape[:2], 1, *flat.shape[2:])
