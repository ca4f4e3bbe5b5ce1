"""The networks of the lecture to the last connection, and that summary counts what is there."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nets
from minitensor import Tensor, concatenate, conv1d, dense, gradients, jacobian, max_pool1d, no_grad
from nets import Conv2d, Dense, Flatten, MaxPool2d, ReLU, Sequential, alexnet, lenet, lenet5, summary
from nets.layers.module import Module
from nets.models.lenet5 import TABLE, digit_codes
from nets.summary import counted
from nets.trace import trace

from .checks import raises, same
from .strategies import convolutions, local_layers, pools, reals, rngs, transposed_convolutions

# -- the numbers of the papers -----------------------------------------------------------------------------------------


def test_lenet5_has_the_parameters_and_connections_of_the_paper():
    result = summary(lenet5(), (1, 32, 32))
    rows = {row.name: row for row in result.rows}
    for name, shape, parameters, connections in [
        ("C1", (6, 28, 28), 156, 122_304),
        ("S2", (6, 14, 14), 12, 5_880),
        ("C3", (16, 10, 10), 1_516, 151_600),
        ("S4", (16, 5, 5), 32, 2_000),
        ("C5", (120, 1, 1), 48_120, 48_120),
        ("F6", (84,), 10_164, 10_164),
        ("output", (10,), 0, 840),
    ]:
        row = rows[name]
        assert (row.output_shape, row.parameters, row.connections) == (shape, parameters, connections)
    assert (result.parameters, result.connections) == (60_000, 340_908)
    assert rows["S4"].receptive_field == 16 and rows["C5"].receptive_field == 32


def test_lenet5_sees_the_maps_of_the_papers_table():
    """A map of S2 reaches a map of C3 if, and only if, table I of the paper has a cross there."""
    assert sum(map(len, TABLE)) == 60
    layer = lenet5().C3
    x = Tensor(np.random.default_rng(0).standard_normal((1, 6, 5, 5)))
    j = jacobian(lambda x: layer(x), x).data.reshape(16, 6, 25)
    for o, row in enumerate(TABLE):
        assert np.flatnonzero(j[o].any(axis=1)).tolist() == list(row)
    for lists, expected in [
        (TABLE[:6], "012 123 234 345 045 015"),
        (TABLE[6:12], "0123 1234 2345 0345 0145 0125"),
        (TABLE[12:15], "0134 1245 0235"),
        (TABLE[15:], "012345"),
    ]:
        assert " ".join("".join(map(str, row)) for row in lists) == expected


def test_the_codes_of_lenet5_are_ten_different_drawings():
    codes = digit_codes()
    assert codes.shape == (10, 84) and set(np.unique(codes)) == {-1.0, 1.0}
    distances = ((codes[:, None] - codes) ** 2).sum(axis=2)
    assert (distances[~np.eye(10, dtype=bool)] >= 4 * 6).all()  # at least six of the 84 pixels differ


@given(st.integers(1, 4), st.floats(0.1, 5), rngs)
def test_the_map_criterion_is_equation_9(n, j, rng):
    y, labels = rng.uniform(0, 10, (n, 10)), rng.integers(0, 10, n)
    expected = np.mean([y[p, k] + np.log(np.exp(-j) + np.exp(-y[p]).sum()) for p, k in enumerate(labels)])
    assert math.isclose(nets.map_criterion(Tensor(y), labels, j).item(), expected, rel_tol=1e-12)


def test_none_of_these_is_no_label():
    """The map criterion has one class more, which nothing can be."""
    with raises(IndexError, "from 0 to 1", "got 2"):
        nets.map_criterion(Tensor(np.ones((1, 2))), [2])


@given(rngs)
def test_a_radial_basis_unit_is_zero_at_its_code_and_nowhere_else(rng):
    layer = lenet5().output
    same(np.diag(layer(layer.codes).data), np.zeros(10, np.float32))
    assert (layer(reals(rng, [(3, 84)])[0]).data > 0).all()


def test_alexnet_has_the_numbers_of_2012():
    result = summary(alexnet(), (3, 227, 227))
    assert (result.parameters, result.macs, result.units) == (60_965_224, 724_406_816, 659_272)
    fields = {row.name: row.receptive_field for row in result.rows}
    names = ["conv1", "pool1", "conv2", "pool2", "conv3", "conv4", "conv5", "pool5"]
    assert [fields[name] for name in names] == [11, 19, 51, 67, 99, 131, 163, 195]


def test_alexnets_normalization_is_the_papers():
    """b_i = a_i / (k + alpha sum_j a_j^2)^beta, over the 5 maps around i, with k = 2, alpha = 1e-4, beta = 0.75."""
    a = np.random.default_rng(0).uniform(-50, 50, (1, 8, 1, 1))
    b = alexnet(classes=1).norm1(a).data
    for i in range(8):
        total = (a[0, max(i - 2, 0) : i + 3] ** 2).sum()
        assert math.isclose(b[0, i, 0, 0], a[0, i, 0, 0] / (2 + 1e-4 * total) ** 0.75, rel_tol=1e-12)


def test_lenet_has_61706_parameters():
    assert summary(lenet(), (1, 32, 32)).parameters == 61_706


# -- counting is counting ----------------------------------------------------------------------------------------------


def wires(layer: Module, shape: tuple[int, ...]) -> int:
    """How many pairs of an input and an output there are with a derivative that is not zero."""
    layer.astype(np.float64)
    with no_grad():
        layer.replace({p: Tensor(np.random.default_rng(0).uniform(1, 2, p.shape)) for p in layer.parameters()})
    x = Tensor(np.random.default_rng(1).uniform(1, 2, (1, *shape)))
    return int(np.count_nonzero(jacobian(layer, x).data))


def unpadded(settings):
    return {name: value for name, value in settings.items() if name != "padding"}


@given(convolutions(padding=0))
def test_the_connections_of_a_convolution_are_its_wires(g):
    layer = Conv2d(g.x[1], g.w[0], g.w[2:], **unpadded(g.settings), bias=False)
    row = summary(layer, g.x[1:]).rows[0]
    assert row.connections == row.macs == wires(layer, g.x[1:])
    assert row.output_shape == g.y[1:]


@given(st.data(), st.booleans())
def test_the_connections_of_local_and_tiled_layers_are_their_wires(data, tiled):
    g = data.draw(local_layers(2, tiled))
    padding = [2 * p for p in g.settings["padding"]]
    shape = (g.x[1], *(n + p for n, p in zip(g.x[2:], padding, strict=True)))  # as many windows, without padding
    settings = unpadded(g.settings)
    if tiled:
        layer = nets.TiledConv2d(g.x[1], g.w[0], g.w[4:], **settings, tiles=g.w[2:4], bias=False)
    else:
        layer = nets.LocallyConnected2d(g.x[1], g.w[0], shape[1:], g.w[4:], **settings, bias=False)
    assert summary(layer, shape).connections == wires(layer, shape)


@given(transposed_convolutions())
def test_the_connections_of_a_transposed_convolution_are_at_least_its_wires(g):
    """Where padding cuts the image, stamps fall off: they are counted, as those of a convolution on its margin are."""
    layer = nets.ConvTranspose2d(g.x[1], g.w[1] * g.settings["groups"], g.w[2:], **g.settings, bias=False)
    counted = summary(layer, g.x[1:]).connections
    assert counted >= wires(layer, g.x[1:])
    if not any(g.settings["padding"]):
        assert counted == wires(layer, g.x[1:])


@given(pools(names=("stride",)))
def test_the_connections_of_a_pool_are_its_wires(pool):
    layer = nets.AvgPool2d(pool.kernel_size, **pool.settings)
    assert summary(layer, pool.x[1:]).connections == wires(layer, pool.x[1:])


@pytest.mark.parametrize(
    "layer, shape",
    [
        (Dense(5, 3, bias=False), (5,)),
        (nets.Subsampling(2, 2), (2, 4, 4)),
        (nets.TableConv2d(4, TABLE[:2], 2), (4, 4, 4)),
    ],
    ids=["dense", "subsampling", "table"],
)
def test_the_connections_of_other_layers_are_their_wires_and_biases(layer, shape):
    row = summary(layer, shape).rows[0]
    biases = math.prod(row.output_shape) if getattr(layer, "bias", None) is not None else 0
    assert row.connections == wires(layer, shape) + biases


@st.composite
def stacks(draw) -> list[Module]:
    """Some layers with windows, of all kinds that change the receptive field."""

    def pair(least: int, most: int) -> tuple[int, int]:
        return draw(st.tuples(st.integers(least, most), st.integers(least, most)))

    makes = [
        lambda: Conv2d(1, 1, pair(1, 3), stride=pair(1, 2), dilation=pair(1, 2), padding=pair(0, 1)),
        lambda: nets.TiledConv2d(1, 1, pair(1, 3), stride=pair(1, 2), dilation=pair(1, 2), tiles=2),
        lambda: nets.AvgPool2d(pair(1, 3), stride=pair(1, 2)),
    ]
    return [draw(st.sampled_from(makes))() for _ in range(draw(st.integers(1, 3)))]


def seen_by(model: Module, unit: tuple[int, int], size: int) -> tuple[int, int]:
    """From the first input to the last with a derivative that is not zero, on each axis."""
    model.astype(np.float64).replace({p: Tensor(np.ones(p.shape)) for p in model.parameters()})
    x = Tensor(np.ones((1, 1, size, size)))
    y = model(x)
    seed = np.zeros(y.shape)
    seed[0, 0, y.shape[2] // 2 + unit[0], y.shape[3] // 2 + unit[1]] = 1
    (g,) = gradients(y, [x], seed)
    height, width = (int(np.ptp(axis)) + 1 for axis in np.nonzero(g.data)[2:])
    return height, width


@given(stacks())
def test_the_receptive_field_is_what_a_unit_in_the_middle_can_see(layers):
    model = Sequential(*layers)
    seen = seen_by(model, (0, 0), 40)
    field = summary(model, (1, 40, 40)).rows[-1].receptive_field
    assert field == (seen[0] if seen[0] == seen[1] else seen)


@given(st.integers(1, 3), st.integers(0, 4))
def test_the_receptive_field_of_a_transposed_convolution_is_the_most_that_its_units_can_see(stride, more):
    model = Sequential(nets.ConvTranspose2d(1, 1, stride + more, stride=stride))
    most = max(seen_by(model, (i, i), 8) for i in range(stride))
    row = summary(model, (1, 8, 8)).rows[0]
    assert (row.receptive_field, row.jump) == (most[0], 1 / stride)


@given(st.integers(1, 3))
def test_a_shared_layer_counts_its_parameters_once_and_its_connections_each_time(times):
    layer = Dense(3, 3)
    result = summary(Sequential(*[layer] * times), (3,))
    assert result.parameters == 12 and result.connections == 12 * times
    assert [row.name for row in result.rows] == [str(i) for i in range(times)]


class Made(Module):
    """A model from modules and a function of them."""

    def __init__(self, forward, **modules):
        for name, module in modules.items():
            setattr(self, name, module)
        self.call = forward

    def forward(self, x):
        return self.call(self, x)


def seen_at(model: Module, shape: tuple[int, ...], place: int) -> int:
    """How far the inputs along the last axis, for which the derivative of the output in one place is not 0, reach."""
    model.astype(np.float64).replace({p: Tensor(np.ones(p.shape)) for p in model.parameters()})
    x = Tensor(np.ones((1, *shape)))
    y = model(x)
    (g,) = gradients(y[..., place].sum(), [x])
    return int(np.ptp(np.nonzero(g.data)[-1])) + 1


def conv(k, **settings):
    return nets.Conv1d(1, 1, k, **settings)


@given(st.sampled_from([1, 3, 5]), st.sampled_from([1, 3, 5, 7]), st.integers(1, 2))
def test_each_branch_has_its_own_field_and_behind_them_is_what_they_see_together(a, b, dilation):
    layers = {
        "a": conv(a, padding=a // 2),
        "b": conv(b, padding=dilation * (b - 1) // 2, dilation=dilation),
        "after": conv(3, padding=1),
    }
    model = Made(lambda m, x: m.after(m.a(x) + m.b(x)), **layers)
    rows = {row.name: row.receptive_field for row in summary(model, (1, 40)).rows}
    assert (rows["a"], rows["b"]) == (a, dilation * (b - 1) + 1)
    assert rows["after"] == seen_at(model, (1, 40), 20)


@given(st.integers(0, 4))
def test_branches_that_look_to_different_sides_see_more_together(shift):
    """Zeros on the left move what the first unit sees to the left; the end of the row is cut off."""
    layers = {"a": conv(3, padding=shift), "b": conv(3), "after": conv(1)}
    model = Made(lambda m, x: m.after(m.a(x)[:, :, :10] + m.b(x)[:, :, :10]), **layers)
    assert summary(model, (1, 30)).rows[-1].receptive_field == seen_at(model, (1, 30), 5) == 3 + shift


@given(st.integers(1, 3), st.integers(1, 3), st.integers(0, 1))
def test_a_window_between_the_layers_is_seen_through(k, s, p):
    """A convolution and a pool that are called as functions."""
    model = Made(
        lambda m, x: m.after(max_pool1d(conv1d(m.a(x), np.ones((1, 1, k)), stride=s, padding=p), 2, stride=1)),
        a=conv(3, padding=1),
        after=conv(1),
    )
    row = summary(model, (1, 40)).rows[-1]
    assert (row.receptive_field, row.jump) == (2 + k + s, s)


def test_a_u_shaped_network_sees_what_both_ways_see():
    layers = {"down": conv(2, stride=2), "low": conv(3, padding=1), "skip": conv(3, padding=1), "head": conv(1)}

    def forward(m, x):
        low = m.low(m.down(x))  # (n, 1, 10)
        return m.head(concatenate([low, low], axis=2) * 0 + m.skip(x)) if low.shape[2] * 2 == x.shape[2] else x

    fields = [row.receptive_field for row in summary(Made(forward, **layers), (1, 20)).rows]
    assert fields == [2, 6, 3, 6]
    assert [row.jump for row in summary(Made(forward, **layers), (1, 20)).rows][:3] == [2, 2, 1]


@given(st.integers(2, 8))
def test_branches_with_other_axes_see_everything_together(size):
    """What one has of a row and the other of an image is no window."""
    model = Made(lambda m, x: m.after(m.a(x) + m.b(x.mean(2))), a=Conv2d(1, 1, 1), b=conv(1), after=ReLU())
    row = summary(model, (1, size, size)).rows[-1]
    assert (row.receptive_field, row.jump) == (size, None)


@pytest.mark.parametrize("build, shape", [(lenet, (1, 32, 32)), (alexnet, (3, 227, 227))])
def test_the_numbers_of_a_table_stand_below_each_other(build, shape):
    """Words begin at one place, numbers end at one; nothing is worked out unasked."""
    table, image = summary(build(), shape), np.zeros((1, *shape), np.float32)
    head, _, *lines = str(table).splitlines()
    for row, line in zip(table.rows, lines, strict=False):
        output = "x".join(map(str, row.output_shape))
        assert line.startswith(row.name) and line[head.index("output") :].startswith(output)
        for name in ("parameters", "connections", "macs"):
            end = head.index(name) + len(name)
            assert line[:end].endswith(f" {getattr(row, name):,}") and line[end : end + 1] in ("", " ")
    assert not table.explanation and not counted(build(), trace(build(), image)).explanation


@pytest.mark.parametrize("way", ["function", "unused"])
def test_the_total_is_the_models_own(way):
    """Also where a weight is used without a call of its layer, or not at all; the table says so."""

    def forward(m, x):
        return m.e(dense(x, m.d.weight, m.d.bias) if way == "function" else x)

    result = summary(Made(forward, d=Dense(4, 4), e=Dense(4, 3)), (4,))
    assert result.parameters == 20 + 15 and [row.name for row in result.rows] == ["e"]
    assert "20 of the parameters are in no row, since their layer is not called: d.weight, d.bias" in str(result)
    assert "20 of the parameters" in result._repr_html_()
    assert result.memory == 4 * (35 + 3)


def test_rows_are_named_where_they_are_called_and_counted_if_again():
    act, shared = ReLU(), Dense(3, 3)
    model = Made(lambda m, x: m.act(m.b(m.act(m.a(m.b(x))))), a=Sequential(inner=shared), b=shared, act=act)
    result = summary(model, (3,))
    assert [row.name for row in result.rows] == ["b", "a.inner", "act", "b#2", "act#2"]
    assert [row.parameters for row in result.rows] == [12, 0, 0, 0, 0]
    block = Sequential(conv=Dense(3, 3), act=act)
    names = [row.name for row in summary(Made(lambda m, x: m.block(m.block(x)), block=block), (3,)).rows]
    assert names == ["block.conv", "block.act", "block.conv#2", "block.act#2"]


@pytest.mark.parametrize("shape", [(2, 6), (2, 4, 4)])
def test_a_layer_that_joins_all_places_sees_everything(shape):
    """Found by trying it out: a mean over the places, a softmax over them; not what treats each place by itself."""
    axes = tuple(range(2, len(shape) + 1))
    size = shape[1:][0] if len(set(shape[1:])) == 1 else shape[1:]
    for join, field in [
        (lambda x: x - x.mean(axis=axes, keepdims=True), size),
        (lambda x: x.mean(axis=axes, keepdims=True), size),
        (lambda x: x.mean(axis=axes), size),
        (lambda x: x - x.mean(axis=1, keepdims=True), 1),
        (lambda x: x.reshape(x.shape[0], -1), 1),
    ]:
        layer = Made(lambda m, x, join=join: join(x))
        assert summary(Sequential(own=layer), shape).rows[0].receptive_field == field


def test_a_forward_that_was_set_on_an_instance_is_kept():
    """Also where the model fails."""
    layer = Dense(2, 2)
    layer.forward = twice = lambda x: x * 2
    summary(Sequential(layer), (2,))
    with raises(ValueError, "dense needs"):
        summary(Sequential(layer, Dense(3, 1)), (2,))
    assert layer.forward is twice and layer([1.0]).item() == 2


def test_what_is_no_tensor_is_no_output():
    with raises(TypeError, "returned tuple"):
        summary(Made(lambda m, x: (x, x)), (2,))


def test_summary_leaves_the_model_as_it_was():
    model = Sequential(Conv2d(1, 2, 3), nets.BatchNorm2d(2), nets.Dropout())
    model[2].eval()
    before, attributes = model.state_dict(), [list(vars(module)) for _, module in model.modules()]
    with raises(ValueError, "kernel (=3)"):
        summary(model, (1, 2, 2))
    summary(model, (1, 5, 5))
    for name, array in model.state_dict().items():
        same(array, before[name])
    assert model[1].training and not model[2].training
    after = [[name for name in vars(module) if name != "training"] for _, module in model.modules()]
    assert after == [[name for name in names if name != "training"] for names in attributes]


# -- worked out as on the board ----------------------------------------------------------------------------------------


def test_the_lectures_problem_is_worked_out():
    """32 x 32 x 1, six filters of 5 x 5 with padding 2, pooling by 2, ten outputs."""
    layers = {"conv": Conv2d(1, 6, 5, padding=2), "relu": ReLU(), "pool": MaxPool2d(2), "flat": Flatten()}
    model = Sequential(**layers, out=Dense(1536, 10))
    text = str(summary(model, (1, 32, 32), explain=True))
    for part in [
        "floor((32 + 2*2 - 1*(5 - 1) - 1) / 1) + 1",
        "Padding 2 = (5 - 1) / 2 keeps the size, since 5 is odd and the stride is 1.",
        "parameters = 6 (5*5*1 + 1) = 156",
        "parameters = 0: there is nothing to learn",
        "floor((32 + 2*0 - 1*(2 - 1) - 1) / 2) + 1",
        "parameters = (16*16*6 + 1) 10 = 15,370",
    ]:
        assert part in text


@pytest.mark.parametrize(
    "layer, shape, parts",
    [
        (Conv2d(3, 3, 5), (3, 32, 32), ["3 (5*5*3 + 1) = 228", "(One filter has 5*5*3 + 1 = 76"]),
        (Conv2d(1, 1, 3, stride=2), (1, 8, 8), ["leaves a rest of 1", "no window reads input 7"]),
        (Conv2d(1, 1, 3, stride=2, padding=1), (1, 9, 9), ["would keep the size at stride 1; at stride 2 it does not"]),
        (Conv2d(1, 1, 4, padding=2), (1, 9, 9), ["(4 - 1) / 2 = 1.5 is not a whole number"]),
        (Conv2d(1, 1, 3, padding=2, dilation=2), (1, 9, 9), ["2*(3 - 1) / 2 keeps the size"]),
        (Conv2d(1, 1, (2, 3), padding="same"), (1, 9, 9), ["0 before and 1 after", "(3 - 1) / 2 keeps the size"]),
        (nets.ConvTranspose2d(1, 2, 2, stride=2), (1, 7, 7), ["(7 - 1)*2", "weight 1*2*2*2 + bias 2 = 10"]),
    ],
)
def test_the_traps_are_named(layer, shape, parts):
    text = str(summary(layer, shape, explain=True))
    for part in parts:
        assert part in text


@given(st.integers(1, 6), st.integers(1, 3), st.integers(0, 6), st.integers(1, 3), st.integers(13, 20))
def test_what_is_said_of_padding_is_true(k, stride, padding, dilation, n):
    """It keeps the size where that is said, or would at stride 1; and where no two equal sides are said to, none do."""
    layer = Conv2d(1, 1, (k, 1), stride=(stride, 1), padding=(padding, 0), dilation=(dilation, 1))
    result = summary(layer, (1, n + dilation * (k - 1), 1), explain=True)
    size, total = n + dilation * (k - 1), dilation * (k - 1)
    text = result.explanation
    keeps_at_1 = 2 * padding == total and padding > 0
    assert (f"Padding {padding} = " in text and "keeps the size, since" in text) == (keeps_at_1 and stride == 1)
    assert ("would keep the size at stride 1" in text) == (keeps_at_1 and stride > 1)
    if "keeps the size" in text:
        assert result.rows[0].output_shape[1] == size
        assert f"since {k} is odd" in text if dilation == 1 else f"since {dilation}*({k} - 1) = {total} is even" in text
    if "no two equal sides keep the size" in text:
        assert total % 2 and all((size + 2 * p - total - 1) + 1 != size for p in range(20))


def test_each_axis_of_a_transposed_convolution_is_worked_out():
    layer = nets.ConvTranspose2d(2, 3, 2, stride=(2, 1), output_padding=(1, 0))
    text = str(summary(layer, (2, 4, 4), explain=True))
    for line in ("(4 - 1)*2 - 2*0 + 1*(2 - 1) + 1 + 1", "(4 - 1)*1 - 2*0 + 1*(2 - 1) + 1 + 0"):
        assert line in text


def test_a_summary_in_a_notebook_escapes_names():
    model = Sequential(**{"<b>&": Conv2d(1, 2, 3)})
    page = summary(model, (1, 5, 5), explain=True)._repr_html_()
    assert page.startswith("<table>") and "<b>" not in page and "&lt;b&gt;&amp;" in page


def test_memory_is_that_of_parameters_and_outputs():
    assert summary(Sequential(Dense(3, 2), ReLU()), (3,)).memory == 4 * (8 + 2 + 2)
    assert summary(Dense(3, 2).astype(np.float64), (3,)).memory == 8 * (8 + 2)


def test_forward_and_backward_of_alexnet_fit_in_two_gigabytes():
    """A batch of 4, measured where the system can say it: in a process of its own, since a peak never falls again."""
    pytest.importorskip("resource")
    program = (
        "import resource, numpy as np, minitensor as mt, nets\n"
        "model = nets.alexnet()\n"
        "loss = mt.cross_entropy(model(np.ones((4, 3, 227, 227), np.float32)), np.arange(4))\n"
        "mt.gradients(loss, model.parameters())\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
    )
    run = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    unit = 1 if sys.platform == "darwin" else 1024
    assert int(run.stdout) * unit < 2e9
