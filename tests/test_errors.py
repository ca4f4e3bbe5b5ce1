"""Bad input is met where it enters, with an error that echoes the values."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import minitensor as mt
from minitensor import Tensor

from .checks import raises, same
from .strategies import shapes

ones = np.ones


def layers(axes):
    """name -> f(x, **settings), with a kernel of 3 taps on each axis that fits x (2, 4, 6, ...)."""
    k = (3,) * axes
    places = (4,) * axes
    kernels = {"conv": (6, 4, *k), "locally_connected": (5, 4, *places, *k), "tiled_conv": (5, 4, *k, *k)}
    if axes == 2:
        kernels["conv_transpose"] = (4, 5, *k)

    def layer(name, w):
        return lambda x, **settings: getattr(mt, name)(x, ones(w), **settings)

    return {f"{kind}{axes}d": layer(f"{kind}{axes}d", w) for kind, w in kernels.items()}


def pools(axes):
    names = ("max", "avg", "lp", "weighted_avg")
    return {f"{n}_pool{axes}d": lambda x, n=n, **s: getattr(mt, f"{n}_pool{axes}d")(x, 3, **s) for n in names}


LAYERS = {name: (f, (2, 4, *(6,) * axes)) for axes in (1, 2) for name, f in layers(axes).items()}
POOLS = {name: (f, (2, 4, *(6,) * axes)) for axes in (1, 2) for name, f in pools(axes).items()}
SETTINGS = [
    (name, setting)
    for name in {**LAYERS, **POOLS}
    for setting in ("stride", "padding", "dilation")
    if (setting == "stride" or name in LAYERS or name.startswith("max_pool")
        or (setting == "padding" and name.startswith("avg_pool")))
]  # fmt: skip


def call(name, shape=None, **settings):
    f, usual = {**LAYERS, **POOLS}[name]
    return f(ones(usual if shape is None else shape), **settings)


@pytest.mark.parametrize("name", [*LAYERS, *POOLS])
def test_the_usual_settings_work(name):
    """So that the tests below fail for the reason that they name."""
    call(name)


@pytest.mark.parametrize(("name", "setting"), SETTINGS)
@given(value=st.integers(-3, -1), axis=st.integers(0, 1))
def test_settings_are_not_too_small(name, setting, value, axis):
    """stride and dilation < 1, padding < 0: ValueError with name and value, also for one axis of two."""
    value += setting != "padding"
    with raises(ValueError, setting, f"={value}"):
        call(name, **{setting: value})
    if name.endswith("2d"):
        good = 0 if setting == "padding" else 1
        with raises(ValueError, setting, value):
            call(name, **{setting: (value, good) if axis == 0 else (good, value)})


@pytest.mark.parametrize(("name", "setting"), SETTINGS)
@pytest.mark.parametrize("value", [1.5, 2.0, "2", [1.5], np.array([0.5, 0.5])], ids=str)
def test_settings_are_whole_numbers(name, setting, value):
    """A fraction, a float or a word is an error with name and value, never rounded."""
    with raises((TypeError, ValueError), setting, value if isinstance(value, str) else ""):
        call(name, **{setting: value})


@pytest.mark.parametrize(("name", "setting"), SETTINGS)
@given(count=st.integers(0, 4))
def test_a_setting_has_a_number_for_each_axis(name, setting, count):
    """One for each spatial axis, or ValueError with the sequence that was given."""
    axes = int(name[-2])
    values = (1,) * count
    if count != axes:
        with raises(ValueError, setting, values):
            call(name, **{setting: values})


@pytest.mark.parametrize("name", [*LAYERS, *POOLS])
@given(shape=shapes(max_dims=5, min_side=4, max_side=5))
def test_an_image_has_its_axes(name, shape):
    """(N, C, W) or (N, C, H, W); another number of axes is a ValueError with the shape."""
    if len(shape) != int(name[-2]) + 2:
        with raises(ValueError, "(N, C, W)" if name.endswith("1d") else "(N, C, H, W)", shape):
            call(name, shape)


@pytest.mark.parametrize("name", LAYERS)
@given(axis=st.integers(1, 3))
def test_an_image_is_not_empty(name, axis):
    """No channels, no rows or no columns are a ValueError with the shape; no images are none (an empty batch)."""
    shape = list(LAYERS[name][1])
    shape[min(axis, len(shape) - 1)] = 0
    with raises(ValueError, "the input must be", "not empty", tuple(shape)):
        call(name, tuple(shape))


@given(st.integers(1, 3), st.integers(0, 2), st.integers(1, 3))
def test_a_kernel_is_no_larger_than_the_padded_image(n, padding, excess):
    """The error works out how large the image is with its margin."""
    room = n + 2 * padding
    shown = f"(={n} + 2 * {padding} = {room})" if padding else f"(={n})"
    with raises(ValueError, f"kernel (={room + excess})", f"covers {room + excess}, more than the input {shown}"):
        mt.conv1d(ones((1, 1, n)), ones((1, 1, room + excess)), padding=padding)
    assert mt.conv1d(ones((1, 1, n)), ones((1, 1, room)), padding=padding).shape == (1, 1, 1)


@pytest.mark.parametrize("name", LAYERS)
@given(channels=st.integers(1, 8))
def test_channels_are_those_of_the_kernel(name, channels):
    """Another number of channels than the kernel reads is a ValueError with both."""
    if channels != 4:
        usual = LAYERS[name][1]
        with raises(ValueError, "the kernel reads 4 channels", f"the input has {channels} (x"):
            call(name, (2, channels, *usual[2:]))


@pytest.mark.parametrize("name", [name for name in [*LAYERS, *POOLS] if name != "conv_transpose2d"])
@given(size=st.integers(1, 2), axis=st.integers(0, 1))
def test_a_kernel_is_no_larger_than_the_image(name, size, axis):
    """A kernel that does not fit on one axis is a ValueError with the kernel and the size; padding may make room."""
    usual = list(LAYERS.get(name, POOLS.get(name))[1])
    usual[-1 - axis % int(name[-2])] = size
    with raises(ValueError, "kernel (=3)", "covers 3", f"input (={size}"):
        call(name, tuple(usual))
    if "max_pool" in name or name.startswith(("conv", "tiled")):
        call(name, tuple(usual), padding=1)


@pytest.mark.parametrize("name", LAYERS)
@given(shape=shapes(max_dims=7, min_side=0, max_side=1))
def test_a_kernel_has_its_axes_and_is_not_empty(name, shape):
    """A kernel of another rank or without elements is a ValueError with its shape."""
    axes = int(name[-2])
    ndim = axes + 2 if name.startswith("conv") else 2 * axes + 2
    if len(shape) != ndim or 0 in shape:
        with raises(ValueError, f"kernel must have {ndim} axes", shape):
            getattr(mt, name)(ones((1, 1, *(1,) * axes)), ones(shape))


@pytest.mark.parametrize("name", LAYERS)
@given(shape=shapes(max_dims=4, max_side=6))
def test_a_bias_has_one_number_for_each_kernel(name, shape):
    """(O), or (O, places or tiles): another shape is a ValueError with both, and never broadcasts."""
    axes = int(name[-2])
    expected = {"conv": (6,), "conv_": (5,), "loca": (5, *(4,) * axes), "tile": (5, *(3,) * axes)}
    right = expected["conv_" if name.startswith("conv_") else name[:4]]
    x = LAYERS[name][1]
    if shape != right:
        with raises(ValueError, "b must have shape", right, shape):
            call(name, x, b=ones(shape))
    call(name, x, b=ones(right))


@pytest.mark.parametrize("axes", [1, 2])
@given(data=st.data())
def test_a_locally_connected_layer_has_a_kernel_for_each_place(axes, data):
    """Too few or too many kernels are a ValueError with both numbers."""
    layer = mt.locally_connected1d if axes == 1 else mt.locally_connected2d
    kernels, places = data.draw(st.tuples(*[st.tuples(*[st.integers(1, 5)] * axes)] * 2))
    x, w = ones((1, 1, *(n + 2 for n in places))), ones((1, 1, *kernels, *(3,) * axes))
    if kernels == places:
        assert layer(x, w).shape == (1, 1, *places)
    else:
        with raises(ValueError, w.shape, f"kernels for {kernels} places, the input has {places}"):
            layer(x, w)


@given(shapes(min_dims=1, max_dims=3), shapes(max_dims=3), st.none() | shapes(max_dims=2))
def test_dense_needs_shapes_that_fit(x, w, b):
    """x (..., C), w (O, C), b (O); anything else is a ValueError with the shapes."""
    if len(w) != 2 or x[-1] != w[1]:
        with raises(ValueError, x, w):
            mt.dense(ones(x), ones(w))
    elif b is not None and b != w[:1]:
        with raises(ValueError, "b must have shape", w[:1], b):
            mt.dense(ones(x), ones(w), ones(b))
    else:
        assert mt.dense(ones(x), ones(w), None if b is None else ones(b)).shape == (*x[:-1], w[0])


@given(st.integers(-2, 8))
def test_groups_divide_the_channels(groups):
    """Input and output channels must be divisible by groups, and groups be at least 1: ValueError with the numbers."""
    x, w = ones((1, 6, 5)), ones((4, max(1, 6 // max(groups, 1)), 2))
    if groups < 1:
        with raises(ValueError, f"groups (={groups}) must be at least 1"):
            mt.conv1d(x, w, groups=groups)
    elif 6 % groups or 4 % groups:
        which = "channels (=6)" if 6 % groups else "output channels (=4)"
        with raises(ValueError, f"{which} must be divisible by groups (={groups})"):
            mt.conv1d(x, w, groups=groups)
    else:
        assert mt.conv1d(x, w, groups=groups).shape == (1, 4, 4)
    if groups < 1 or 6 % groups:
        with raises(ValueError, f"groups (={groups})"):
            mt.conv_transpose2d(ones((1, 6, 2, 2)), ones((6, 1, 2, 2)), groups=groups)


@pytest.mark.parametrize("groups", [1.0, "1", (1,), None], ids=str)
def test_groups_is_a_whole_number(groups):
    """TypeError with the value."""
    with raises(TypeError, "groups", groups):
        mt.conv1d(ones((1, 1, 3)), ones((1, 1, 2)), groups=groups)
    with raises(TypeError, "groups", groups):
        mt.conv_transpose2d(ones((1, 1, 3, 3)), ones((1, 1, 2, 2)), groups=groups)


@given(st.integers(2, 4))
def test_same_padding_is_for_stride_1(stride):
    """padding="same" with a stride is a ValueError with the stride."""
    with raises(ValueError, 'padding="same"', stride):
        mt.conv1d(ones((1, 1, 5)), ones((1, 1, 3)), padding="same", stride=stride)


@pytest.mark.parametrize("bad", ["full", "SAME", ""])
def test_padding_and_its_mode_are_known_words(bad):
    """Another word is a ValueError that shows it, and the words that there are."""
    x, w = ones((1, 1, 5)), ones((1, 1, 3))
    with raises(ValueError, f"padding (={bad!r})", '"same"', '"valid"'):
        mt.conv1d(x, w, padding=bad)
    with raises(ValueError, f"padding_mode (={bad!r})", "'zeros'", "'circular'", "'reflect'"):
        mt.conv1d(x, w, padding_mode=bad)
    with raises(ValueError, f"mode (={bad!r})", "'constant'", "'wrap'", "'reflect'"):
        mt.pad(x, 1, mode=bad)


@given(st.integers(1, 4), st.integers(1, 4), st.integers(0, 3))
def test_output_padding_is_less_than_stride_or_dilation(stride, dilation, extra):
    """As in `sizes`, seen from the layer."""
    x, w = ones((1, 1, 2, 2)), ones((1, 1, 2, 2))
    if 0 < extra >= max(stride, dilation):
        with raises(ValueError, f"output_padding (={extra})", f"stride (={stride})", f"dilation (={dilation})"):
            mt.conv_transpose2d(x, w, stride=stride, dilation=dilation, output_padding=extra)
    else:
        mt.conv_transpose2d(x, w, stride=stride, dilation=dilation, output_padding=extra)


def test_padding_may_not_cut_everything_away():
    """A transposed convolution of which nothing is left is a ValueError with the numbers."""
    with raises(ValueError, "nothing is left", "input (=1)", "kernel (=3)", "padding (=2)", "-1"):
        mt.conv_transpose2d(ones((1, 1, 1, 1)), ones((1, 1, 3, 3)), padding=2)


@given(st.integers(1, 5), st.integers(1, 4))
def test_a_pool_pads_at_most_half_a_kernel(k, padding):
    """More padding is a ValueError with both numbers; half a kernel is allowed."""
    for pool in (mt.max_pool2d, mt.avg_pool2d):
        if 2 * padding > k:
            with raises(ValueError, f"padding (={padding})", "half", f"kernel (={k})"):
                pool(ones((1, 1, 6, 6)), k, padding=padding)
        else:
            pool(ones((1, 1, 6, 6)), k, padding=padding)


@pytest.mark.parametrize("name", POOLS)
@pytest.mark.parametrize("k", [0, -1, 1.5, "3", (3,) * 3, ()], ids=str)
def test_a_pool_has_a_kernel(name, k):
    """A kernel size below 1, no whole number or for another number of axes is an error with its value."""
    value = str(k)
    with raises((ValueError, TypeError), f"={value}" if not isinstance(k, str) else repr(k)):
        getattr(mt, name)(ones(POOLS[name][1]), k)


@pytest.mark.parametrize("bad", [0.5, 0, -1, np.inf, np.nan])
def test_a_norm_is_a_number_from_1(bad):
    """ValueError with the value; so for a bell without a width."""
    with raises(ValueError, f"norm (={bad})"):
        mt.lp_pool1d(ones((1, 1, 4)), 2, norm=bad)
    if not bad > 0:
        with raises(ValueError, f"sigma (={bad})"):
            mt.weighted_avg_pool1d(ones((1, 1, 4)), 2, sigma=bad)


@given(st.integers(1, 5), st.integers(-2, 4), st.integers(-4, 3))
def test_pieces_divide_the_channels(channels, pieces, axis):
    """ValueError with channels and pieces, or with an axis that is not there."""
    x = ones((2, channels))
    if not -2 <= axis < 2:
        with raises(ValueError, f"axis (={axis})", x.shape):
            mt.maxout(x, 1, axis)
    elif pieces < 1 or x.shape[axis] % pieces:
        with raises(ValueError, f"channels (={x.shape[axis]})", f"pieces (={pieces})"):
            mt.maxout(x, pieces, axis)


@given(st.integers(1, 4), st.lists(st.integers(-2, 6), min_size=1, max_size=4))
def test_labels_are_in_range(k, labels):
    """A label that is no class is an IndexError with all such labels."""
    wrong = sorted({c for c in labels if not 0 <= c < k})
    logits = ones((len(labels), k))
    if wrong:
        with raises(IndexError, f"from 0 to {k - 1}", ", ".join(map(str, wrong))):
            mt.cross_entropy(logits, labels)
    else:
        assert mt.cross_entropy(logits, labels).shape == ()


@pytest.mark.parametrize("labels", [[0.0, 1.0], [True, False], ["a", "b"], mt.Tensor([0.0, 1.0])], ids=str)
def test_labels_are_whole_numbers(labels):
    """Floats, booleans, words and Tensors are a TypeError."""
    with raises(TypeError, "labels must be whole numbers"):
        mt.cross_entropy(ones((2, 3)), labels)


@given(shapes(max_dims=3, min_side=0), shapes(max_dims=2, min_side=0))
def test_logits_and_labels_fit(logits, labels):
    """logits (N, K), labels (N), both at least 1: anything else is a ValueError with both shapes."""
    for fitting in (labels, logits[:1]):
        if len(logits) != 2 or fitting != logits[:1] or 0 in logits:
            with raises(ValueError, logits, fitting):
                mt.cross_entropy(ones(logits), np.zeros(fitting, int))


@given(shapes(max_dims=2), shapes(max_dims=2))
def test_only_equal_shapes_are_compared_or_stacked(a, b):
    """mean_squared_error and stack do not broadcast: ValueError with both shapes."""
    if a != b:
        with raises(ValueError, a, b):
            mt.mean_squared_error(ones(a), ones(b))
        with raises(ValueError, a, b):
            mt.stack([ones(a), ones(b)])


@given(st.lists(shapes(max_dims=3), max_size=3), st.integers(-4, 4))
@example(several=[(1,), ()], axis=-1)
def test_what_does_not_fit_is_not_joined(several, axis):
    """concatenate refuses what NumPy refuses, as a ValueError with the shapes and the axis."""
    try:
        np.concatenate([ones(shape) for shape in several], axis)
    except ValueError:
        with raises(ValueError, several, axis):
            mt.concatenate([ones(shape) for shape in several], axis)
    else:
        mt.concatenate([ones(shape) for shape in several], axis)


def test_nothing_is_not_stacked():
    """An empty list, or an axis out of range, is a ValueError."""
    with raises(ValueError, "[]"):
        mt.stack([])
    for axis in (2, -3):
        with raises(ValueError, axis, "(3,)"):
            mt.stack([ones(3), ones(3)], axis)


@given(shapes(max_dims=3), shapes(max_dims=3))
def test_matrices_that_do_not_fit_are_not_multiplied(a, b):
    """matmul refuses what NumPy refuses, as a ValueError with both shapes."""
    try:
        expected = (ones(a) @ ones(b)).shape
    except ValueError:
        with raises(ValueError, a, b):
            mt.matmul(ones(a), ones(b))
    else:
        assert mt.matmul(ones(a), ones(b)).shape == expected


@given(st.integers(2, 5), st.integers(2, 5), shapes(min_dims=2, max_dims=2))
def test_stacks_of_matrices_broadcast_or_are_refused(a, b, matrix):
    """Axes in front of the matrices must be as long as each other, or 1: ValueError with both shapes."""
    x, y = (a, *matrix), (b, *matrix[::-1])
    if a == b:
        assert mt.matmul(ones(x), ones(y)).shape == (a, matrix[0], matrix[0])
    else:
        with raises(ValueError, x, y, "the axes in front must broadcast"):
            mt.matmul(ones(x), ones(y))


@pytest.mark.parametrize(("spec", "shapes"), [
    ("ij,jk->ik", [(2, 3)]), ("ij->j", [(2, 3), (2, 3)]),  # the number of inputs
    ("ijk->i", [(2, 3)]), ("i->i", [(2, 3)]), ("...ijk", [(2, 3)]),  # the number of axes
    ("ij,jk->ik", [(2, 3), (4, 2)]), ("ii->i", [(2, 3)]),  # the lengths
    ("i->j", [(2,)]), ("i->ii", [(2,)]),  # the output
    ("i1->i", [(2, 2)]), ("i*->i", [(2, 2)]),  # the letters
    ("...i->i", [(2, 3)]), ("...i,i->", [(2, 3), (3,)]),  # what "..." stands for is kept
], ids=str)  # fmt: skip
def test_letters_and_axes_fit(spec, shapes):
    """einsum: what does not fit is a ValueError that shows the spec."""
    with raises(ValueError, spec):
        mt.einsum(spec, *map(ones, shapes))


@pytest.mark.parametrize("axes", [(0,), (0, 0), (0, 2), (0, 1, 2), (-3, 0)], ids=str)
def test_a_transpose_names_each_axis_once(axes):
    """ValueError with the axes and the shape."""
    with raises(ValueError, axes, (2, 3)):
        mt.transpose(ones((2, 3)), axes)


@pytest.mark.parametrize(
    ("refused", "said"),
    [
        (lambda: mt.matmul(2.0, ones((2, 2))), ["()", "(2, 2)", "a number"]),
        (lambda: mt.cross_entropy(ones((2, 0)), [0, 0]), ["(2, 0)", "K > 0"]),
        (lambda: mt.cross_entropy(ones((0, 2)), []), ["(0, 2)", "N > 0"]),
        (lambda: mt.cross_entropy(ones((2, 0)), ones((2, 0))), ["(2, 0)", "K > 0"]),
        (lambda: mt.cross_entropy(ones((2, 3)), [[0], [1, 2]]), ["[[0], [1, 2]]", "rectangular"]),
        (lambda: mt.arange(1, 2, 0), ["step (=0)"]),
        (lambda: mt.tile(ones(2), -1), ["times (=-1)", "negative"]),
        (lambda: mt.tile(ones(2), (2, -1)), ["times (=(2, -1))", "negative"]),
        (lambda: mt.finite.check_gradients(lambda: Tensor(1.0), order=1), ["nothing to check", "input"]),
        (lambda: mt.maxout(ones((1, 4)), -2), ["pieces (=-2)", "at least 1"]),
        (lambda: mt.windows(ones(2), (1, 1)), ["(1, 1)", "at least 2", "(2,)"]),
        (lambda: mt.pad(ones((2, 3)), [1, 2, 3]), ["[1, 2, 3]", "a number", "one for each axis"]),
    ],
)
def test_a_message_says_what_was_asked(refused, said):
    """The words name the condition that did not hold."""
    with raises(ValueError, *said):
        refused()


@pytest.mark.parametrize("widths", [[(1, 2)] * 3, [(1, 2, 3)] * 2, -1, (1, -1), [(0, 0), (-2, 0)]], ids=str)
def test_widths_are_pairs_for_each_axis_and_not_negative(widths):
    """ValueError with the widths."""
    with raises(ValueError, widths):
        mt.pad(ones((2, 3)), widths)


@pytest.mark.parametrize("call_", [
    lambda: mt.pad(ones(2), 1.5), lambda: mt.pad(ones(2), [(0.5, 1)]), lambda: mt.reshape(ones(4), 2.0, 2),
    lambda: mt.reshape(ones(4), "22"), lambda: mt.transpose(ones((2, 2)), 0.0, 1),
    lambda: mt.broadcast_to(ones(2), 2.5, 2), lambda: mt.windows(ones(4), 1.5), lambda: mt.maxout(ones((2, 2)), 1.0),
    lambda: mt.local_response_norm(ones((2, 2)), 1.5), lambda: mt.concatenate([ones(2)], axis=None),
    lambda: mt.stack([ones(2)], axis=0.0), lambda: mt.maxout(ones((2, 2)), 1, axis=None),
])  # fmt: skip
def test_lengths_and_axes_are_whole_numbers(call_):
    """A fraction or a word as a length, an axis or a width is a TypeError, and is not rounded."""
    with raises(TypeError, "whole number"):
        call_()


@pytest.mark.parametrize("call_", [
    partial(mt.conv1d, ones((1, 1, 4)), ones((1, 1, 2))), partial(mt.conv2d, ones((1, 1, 4, 4)), ones((1, 1, 2, 2))),
    partial(mt.conv_transpose1d, ones((1, 1, 4)), ones((1, 1, 2))), partial(mt.windows, ones(4), 2),
    partial(mt.locally_connected1d, ones((1, 1, 4)), ones((1, 1, 2, 2))), partial(mt.fold, ones((2, 2)), 4),
    partial(mt.tiled_conv1d, ones((1, 1, 4)), ones((1, 1, 2, 2))),
])  # fmt: skip
def test_only_a_pool_has_a_stride_that_may_be_left_out(call_):
    """None is the kernel size for a pool, and no number for anything else."""
    with raises(TypeError, "stride", "None", "whole number"):
        call_(stride=None)


@given(st.floats(max_value=-1e-300) | st.just(np.nan))
def test_what_is_added_to_a_variance_is_not_negative(eps):
    """Its root would be no number, and the output neither, without an error."""
    with raises(ValueError, f"eps (={eps})"):
        mt.batch_norm(ones((2, 1)), ones(1), ones(1), eps)


@given(st.floats(max_value=0) | st.just(np.nan))
def test_a_difference_is_taken_over_a_step(step):
    with raises(ValueError, f"step (={step})"):
        mt.finite.check_gradients(mt.exp, ones(2), step=step)


@pytest.mark.parametrize(("name", "wrong", "call_"), [
    ("tensors", 5, mt.stack), ("tensors", "ab", mt.concatenate), ("size", 5, lambda n: mt.Windows.over(n, 3)),
    ("places", 5, lambda m: mt.Windows.onto(m, 3)), ("layer", 3, lambda layer: mt.sizes.receptive_field([layer])),
    ("k", 1.0, lambda k: mt.diag(ones(3), k)), ("axis", (0, 1), lambda axis: mt.argmax(ones((2, 2)), axis)),
    ("parts", "a", lambda at: mt.split(ones(3), [1, at])), ("p", "0.5", lambda p: mt.dropout(ones(2), p, None)),
    ("norm", "2", lambda q: mt.lp_pool2d(ones((1, 1, 4, 4)), 2, norm=q)), ("operator", 5, mt.primitive),
    ("slope", "0.1", lambda slope: mt.leaky_relu(ones(2), slope)),
    ("ignore_index", 1.5, lambda i: mt.cross_entropy(ones((2, 2)), [0, 1], ignore_index=i)),
    ("it returned", "float", lambda _: mt.finite.slope(lambda x: 3.0, [ones(2)], [ones(2)])),
    ("not both", "(3, 2)", lambda n: mt.reshape(ones((2, 3)), 3, 2, shape=(3, 2))),
    ("not both", "[0, 1]", lambda n: mt.transpose(ones((2, 3)), 1, 0, axes=[0, 1])),
    ("eps", "a", lambda eps: mt.batch_norm(ones((2, 1)), ones(1), ones(1), eps)),
    ("rng", "int", lambda _: mt.finite.check_gradients(mt.exp, ones(2), rng=3)),
    ("sigma", "a", lambda sigma: mt.weighted_avg_pool2d(ones((1, 1, 4, 4)), 2, sigma=sigma)),
])  # fmt: skip
def test_an_argument_of_another_kind_is_named(name, wrong, call_):
    """A TypeError that says which argument it is about, and what it was."""
    with raises(TypeError, name, wrong):
        call_(wrong)


@pytest.mark.parametrize("call_", [
    lambda: mt.zeros(-1), lambda: mt.randn(2, -1), lambda: mt.windows(ones(3), ()), lambda: mt.fold(ones(3), ()),
    lambda: mt.Windows.over((), 3), lambda: mt.trace(ones(3)),
    lambda: mt.conv2d([[1.0], [1.0, 2.0]], ones((1, 1, 1, 1))),
], ids=["zeros", "randn", "windows", "fold", "over", "trace", "conv2d"])  # fmt: skip
def test_a_shape_that_cannot_be_is_shown(call_):
    """A ValueError in words of ours, with the shape."""
    with pytest.raises(ValueError, match=r"shape|size|rectangular"):
        call_()


@given(st.sampled_from(["wrap", "reflect"]), st.integers(0, 1))
def test_there_is_nothing_to_mirror(mode, n):
    """An axis with nothing to go round to, or no neighbour to mirror, is a ValueError with the shape."""
    x = ones((3, n))
    if n == 0 or mode == "reflect":
        with raises(ValueError, "axis 1", (3, n), mode):
            mt.pad(x, 1, mode)
    assert mt.pad(x, [(1, 1), (0, 0)], mode).shape == (5, n)


def test_windows_and_fold_check_what_fits():
    """A kernel that does not fit the input, or patches of another image: ValueError with the shapes."""
    with raises(ValueError, (2, 2), (3,)):
        mt.windows(ones(3), (2, 2))
    with raises(ValueError, "kernel (=4)", 3):
        mt.windows(ones(3), 4)
    with raises(ValueError, (4,), (3,), (2,)):
        mt.fold(ones((2, 2)), 4)
    with raises(ValueError, (3,), "2 axes of places"):
        mt.fold(ones(3), (2, 2))
    assert mt.windows(ones(4), np.int64(2)).shape == (3, 2)
    assert mt.fold(ones((3, 2)), np.int64(4)).shape == (4,)


def test_limits_are_in_order():
    """clip with low > high is a ValueError with both, also where only one of many limits is."""
    with raises(ValueError, "low (=2)", "high (=1)"):
        mt.clip(ones(2), 2, 1)
    with raises(ValueError, "low (=[0 3])", "high (=[1 2])"):
        mt.clip(ones(2), np.array([0, 3]), np.array([1, 2]))
    same(mt.clip(Tensor([5.0, 5.0]), np.array([0.0, 3.0]), np.array([1.0, 4.0])), np.array([1.0, 4.0]))


@pytest.mark.parametrize("value", [[1.0, 2.0], "1", None, np.ones(1)], ids=str)
def test_full_is_one_number_all_over(value):
    """Anything else is a TypeError with the value; a Tensor, whose graph would be lost, is told the way."""
    with raises(TypeError, "value", value):
        mt.full(2, value)
    with raises(TypeError, "value", "broadcast_to(value, (2,))"):
        mt.full(2, Tensor(1.0))
    assert mt.full(2, np.float32(0.5)).dtype == np.float32


def test_a_slope_is_a_number():
    """A Tensor, whose derivative would be lost, is a TypeError that says what to write."""
    with raises(TypeError, "slope", "maximum"):
        mt.leaky_relu(ones(2), Tensor(0.1))


@given(st.sampled_from(["constant", "wrap", "reflect"]), st.integers(0, 2))
def test_a_single_number_has_no_margin(mode, width):
    """There is no axis to pad."""
    assert mt.pad(Tensor(1.5), width, mode).item() == 1.5


@given(shapes(max_dims=3), shapes(max_dims=2), shapes(max_dims=2))
def test_batch_norm_has_a_scale_and_shift_for_each_channel(x, scale, shift):
    """x (N, C, ...), scale and shift (C): anything else is a ValueError with the shapes."""
    if len(x) < 2 or not scale == shift == x[1:2]:
        with raises(ValueError, x, scale, shift):
            mt.batch_norm(ones(x), ones(scale), ones(shift))


@pytest.mark.parametrize(("size", "shape"), [(0, (2, 2)), (-1, (2, 2)), (1, (2,)), (1, ())])
def test_local_response_norm_has_channels(size, shape):
    """A size < 1 or no channel axis is a ValueError with both."""
    with raises(ValueError, f"size (={size})", shape):
        mt.local_response_norm(ones(shape), size)


@pytest.mark.parametrize("p", [-0.1, 1.0, 2, np.nan])
def test_dropout_leaves_something(p):
    """p < 0 or p >= 1 is a ValueError with its value; a seed in place of a generator a TypeError."""
    with raises(ValueError, f"p (={p})"):
        mt.dropout(ones(2), p, np.random.default_rng(0))
    with raises(TypeError, "default_rng(seed)", "int"):
        mt.dropout(ones(2), 0.5, 0)
