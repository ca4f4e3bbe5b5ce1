"""Modules: what belongs to one, what sharing means, and that a layer is its function with its own parameters."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from functools import partial
from inspect import signature
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minitensor as mt
import nets
from minitensor import Tensor
from nets import Dense, Flatten, Module, Sequential, Tanh
from nets.layers.weighted import Shapes, Weighted

from .checks import raises, same
from .strategies import convolutions, local_layers, pools, reals, rngs, transposed_convolutions, whole


class Tied(Module):
    """Two layers with one weight, as an autoencoder may have."""

    def __init__(self, n: int) -> None:
        self.first, self.second = Dense(n, n), Dense(n, n)
        self.second.weight = self.first.weight

    def forward(self, x: Tensor) -> Tensor:
        return self.second(self.first(x))


def values(shape, rng):
    return Tensor(whole(rng, [shape])[0].astype(np.float32))


# -- a layer is its function -------------------------------------------------------------------------------------------


def settle(layer: Module, rng: np.random.Generator) -> Module:
    """The layer with whole numbers as parameters, so that sums are exact."""
    layer.load_state_dict({name: whole(rng, [a.shape])[0] for name, a in layer.state_dict().items()})
    return layer


@given(st.data(), rngs, st.sampled_from([1, 2]), st.booleans())
def test_a_convolution_layer_is_the_function_with_its_parameters(data, rng, axes, bias):
    g = data.draw(convolutions(axes))
    layer_type, function = [(nets.Conv1d, mt.conv1d), (nets.Conv2d, mt.conv2d)][axes - 1]
    layer = settle(layer_type(g.x[1], g.w[0], g.w[2:], **g.settings, bias=bias), rng)
    x = values(g.x, rng)
    assert layer.weight.shape == g.w
    same(layer(x), function(x, layer.weight, layer.bias, **g.settings))


@given(st.data(), rngs)
def test_layers_along_one_axis_and_three_are_those_along_two(data, rng):
    """With other axes of length 1."""
    g = data.draw(convolutions(1))
    (c, n), (o, _, k) = g.x[1:], g.w
    x, settings = values(g.x, rng), {name: g.settings[name] for name in ("stride", "dilation", "groups")}
    flat, deep = settle(nets.Conv1d(c, o, k, **settings), rng), nets.Conv3d(c, o, (1, 1, k), **deepened(settings))
    deep.load_state_dict({"weight": flat.weight.data.reshape(deep.weight.shape), "bias": flat.bias.data})
    if n >= settings["dilation"][0] * (k - 1) + 1:
        same(deep(x.reshape(g.x[0], c, 1, 1, n)).data.reshape(flat(x).shape), flat(x))
    up, plane = nets.ConvTranspose1d(c, o * c, k, groups=c), nets.ConvTranspose2d(c, o * c, (1, k), groups=c)
    plane.load_state_dict({"weight": up.weight.data.reshape(plane.weight.shape), "bias": up.bias.data})
    np.testing.assert_allclose(plane(x.reshape(g.x[0], c, 1, n)).data.reshape(up(x).shape), up(x).data, atol=1e-5)


def deepened(settings):
    """Settings of one axis as those of three, of which the first two are as usual."""
    return {name: value if name == "groups" else (1, 1, *value) for name, value in settings.items()}


@given(transposed_convolutions(), rngs, st.booleans())
def test_a_transposed_convolution_layer_is_the_function_with_its_parameters(g, rng, bias):
    groups = g.settings["groups"]
    out_channels = g.w[1] * groups
    layer = settle(nets.ConvTranspose2d(g.x[1], out_channels, g.w[2:], **g.settings, bias=bias), rng)
    x = values(g.x, rng)
    same(layer(x), mt.conv_transpose2d(x, layer.weight, layer.bias, **g.settings))


@given(st.data(), rngs, st.sampled_from([1, 2]), st.booleans(), st.booleans())
def test_a_local_or_tiled_layer_is_the_function_with_its_parameters(data, rng, axes, tiled, bias):
    g = data.draw(local_layers(axes, tiled))
    x, c, o = values(g.x, rng), g.x[1], g.w[0]
    kernel = g.w[2 + axes :]
    if tiled:
        layer_type, function = [(nets.TiledConv1d, mt.tiled_conv1d), (nets.TiledConv2d, mt.tiled_conv2d)][axes - 1]
        layer = layer_type(c, o, kernel, **g.settings, bias=bias, tiles=g.w[2 : 2 + axes])
    else:
        layer_type, function = [
            (nets.LocallyConnected1d, mt.locally_connected1d),
            (nets.LocallyConnected2d, mt.locally_connected2d),
        ][axes - 1]
        layer = layer_type(c, o, g.x[2:], kernel, **g.settings, bias=bias)
    settle(layer, rng)
    assert layer.weight.shape == g.w
    same(layer(x), function(x, layer.weight, layer.bias, **g.settings))


POOLS = {
    "MaxPool": ("max_pool", ("stride", "padding", "dilation", "ceil_mode")),
    "AvgPool": ("avg_pool", ("stride", "padding", "ceil_mode", "count_include_pad")),
    "LPPool": ("lp_pool", ("stride",)),
    "WeightedAvgPool": ("weighted_avg_pool", ("stride",)),
}


@pytest.mark.parametrize("name", POOLS)
@given(st.data(), rngs, st.sampled_from([1, 2]))
def test_a_pool_is_the_function(name, data, rng, axes):
    function, names = POOLS[name]
    pool = data.draw(pools(axes, names))
    layer = getattr(nets, f"{name}{axes}d")(pool.kernel_size, **pool.settings)
    x = values(pool.x, rng)
    same(layer(x), getattr(mt, f"{function}{axes}d")(x, pool.kernel_size, **pool.settings))


FUNCTIONS = [
    (nets.ReLU(), mt.relu),
    (nets.LeakyReLU(), mt.leaky_relu),
    (nets.LeakyReLU(0.25), lambda x: mt.leaky_relu(x, 0.25)),
    (nets.GELU(), mt.gelu),
    (nets.Softplus(), mt.softplus),
    (nets.Sigmoid(), mt.sigmoid),
    (nets.Tanh(), mt.tanh),
    (nets.Softmax(), mt.softmax),
    (nets.Softmax(1), lambda x: mt.softmax(x, axis=1)),
    (nets.LogSoftmax(axis=2), lambda x: mt.log_softmax(x, axis=2)),
    (nets.Maxout(3), lambda x: mt.maxout(x, 3)),
    (nets.Maxout(3, axis=3), lambda x: mt.maxout(x, 3, axis=3)),
    (nets.Identity(), lambda x: x),
    (nets.Flatten(), lambda x: x.reshape(2, 54)),
    (nets.GlobalAvgPool(), lambda x: x.mean((2, 3))),
    (nets.LocalResponseNorm(5, 0.1, 0.5, 2.0), lambda x: mt.local_response_norm(x, 5, 0.1, 0.5, 2.0)),
]


@pytest.mark.parametrize("layer, function", FUNCTIONS, ids=lambda f: repr(f) if isinstance(f, Module) else "")
@given(rngs)
def test_a_layer_without_weights_is_the_function(layer, function, rng):
    """With its settings, which its repr gives back; and there is nothing to learn."""
    x = Tensor(reals(rng, [(2, 6, 3, 3)])[0])
    same(layer(x), function(x))
    same(eval(repr(layer), vars(nets))(x), function(x))
    assert not layer.state_dict()


@given(rngs)
def test_a_scaled_tanh_is_the_papers(rng):
    x = Tensor(reals(rng, [(2, 6, 3, 3)])[0])
    np.testing.assert_allclose(nets.Tanh(1.7159, 2 / 3)(x).data, 1.7159 * np.tanh(2 / 3 * x.data), rtol=1e-12)


@given(st.integers(1, 3), st.integers(1, 3), st.booleans(), rngs)
def test_a_residual_adds_what_its_layers_make_to_what_its_shortcut_passes_on(n, m, bias, rng):
    """So the gradient has one more path: that of x itself."""
    body, x = Dense(n, n, bias, rng=rng).astype(np.float64), Tensor(reals(rng, [(2, n)])[0])
    block = nets.Residual(body)
    same(block(x), body(x) + x)
    jacobian, its = (mt.jacobian(f, x[0:1]).data.reshape(n, n) for f in (block, body))
    np.testing.assert_allclose(jacobian, its + np.eye(n), atol=1e-12)
    first, second = Dense(n, m, rng=rng), Dense(n, m, rng=rng)
    same(nets.Residual(first, shortcut=second)(x), first(x) + second(x))
    if m != n:
        with raises(ValueError, (2, m), (2, n)):
            nets.Residual(first)(x)


def test_a_residual_does_not_broadcast():
    with raises(ValueError, (2, 1), (2, 3)):
        nets.Residual(Dense(3, 1))(np.ones((2, 3)))


@given(st.integers(1, 3), st.lists(st.integers(1, 3), min_size=1, max_size=3), rngs)
def test_layer_norm_gives_each_example_mean_0_and_variance_1(n, shape, rng):
    """Whatever the others in the batch are; then scale and shift, element by element."""
    layer, x = nets.LayerNorm(shape).astype(np.float64), 3 + 10 * rng.normal(size=(n, 2, *shape))
    y, axes = layer(x).data, tuple(range(-len(shape), 0))
    np.testing.assert_allclose(y.mean(axes), 0, atol=1e-9)
    expected = x.var(axes) / (x.var(axes) + 1e-5)
    np.testing.assert_allclose(y.var(axes), expected, atol=1e-9)
    np.testing.assert_allclose(layer(x[:1]).data, y[:1], atol=1e-12)
    scale, shift = reals(rng, [tuple(shape), tuple(shape)])
    layer.load_state_dict({"scale": scale, "shift": shift})
    np.testing.assert_allclose(layer(x).data, y * scale + shift, atol=1e-9)
    with raises(ValueError, ", ".join(map(str, shape)), (n, *shape[:-1], shape[-1] + 1)):
        layer(np.ones((n, *shape[:-1], shape[-1] + 1)))


@given(st.integers(2, 4), st.integers(1, 3), st.integers(0, 3), rngs)
def test_batch_norm_1d_is_that_of_2d_on_an_image_of_one_row(n, c, width, rng):
    """For (N, C) and (N, C, W), in training and in use."""
    layer, other = nets.BatchNorm1d(c).astype(np.float64), nets.BatchNorm2d(c).astype(np.float64)
    x = rng.normal(size=(n, c, width) if width else (n, c))
    for _ in range(2):
        same(layer(x).data.reshape(n, c, 1, -1), other(x.reshape(n, c, 1, -1)))
        same(layer.running_var, other.running_var)
        layer.eval(), other.eval()
    with raises(ValueError, f"(N, {c}) or (N, {c}, W)", (n, c, 1, 1)):
        layer(x[..., None, None] if not width else x[:, :, :1, None])


@given(st.integers(1, 4), st.integers(1, 4), st.integers(1, 3), st.integers(1, 3), st.booleans())
def test_the_repr_of_a_layer_makes_such_a_layer_again(c, o, k, stride, bias):
    layers = [
        nets.Dense(c, o, bias=bias),
        nets.Conv2d(c, o, k, stride=stride, padding=k // 2, bias=bias),
        nets.LocallyConnected1d(c, o, 3 + k, k, stride=stride),
        nets.TiledConv2d(c, o, k, tiles=(1, stride)),
        nets.Conv2d(c, o, (k, k + 1), stride=(stride, 1), padding="same" if stride == 1 else 0),
        nets.ConvTranspose2d(c, o, k, stride, output_padding=stride - 1),
        nets.MaxPool2d(k, stride=stride, ceil_mode=bias),
        nets.Tanh(1.0 + k),
        nets.Dropout(1 / (1 + k)),
        nets.BatchNorm2d(c),
        nets.BatchNorm1d(c, momentum=0.5),
        nets.LayerNorm(c),
        nets.LayerNorm((c, o), eps=0.1),
    ]
    for layer in layers:
        again = eval(repr(layer), vars(nets))
        assert repr(again) == repr(layer)
        shapes = [p.shape for p in layer.parameters()]
        assert [p.shape for p in again.parameters()] == shapes
    assert repr(Sequential(*layers)).count("\n") == len(layers) + 1


def test_settings_are_tuples_with_a_number_for_each_axis():
    """Once, when a layer is made: so whoever reads them need not ask again."""
    layers = [
        nets.Conv2d(1, 1, 3, stride=np.int64(2)),
        nets.Conv1d(1, 1, [3], stride=(2,)),
        nets.MaxPool2d(3, [2, 2]),
        nets.LocallyConnected2d(1, 1, 5, 3, stride=2),
        nets.ConvTranspose2d(1, 1, 3, 2),
        nets.TiledConv2d(1, 1, 3, 2),
    ]
    for layer in layers:
        axes = layer.axes
        assert (layer.kernel_size, layer.stride, layer.padding) == ((3,) * axes, (2,) * axes, (0,) * axes)
        assert all(type(number) is int for number in layer.stride)
    for pool in nets.MaxPool2d(3, 1, "same"), nets.AvgPool2d(3, 1, "same"), nets.TiledConv2d(1, 1, 3, padding="same"):
        assert pool(np.ones((1, 1, 5, 5))).shape == (1, 1, 5, 5)
    with raises(ValueError, "same", "stride (3, 3)"):
        nets.AvgPool2d(3, padding="same")
    assert nets.MaxPool2d(3).stride is None and nets.Conv2d(1, 1, 3, padding="same").padding == "same"


# -- parameters and state ----------------------------------------------------------------------------------------------


def test_parameters_are_float32_until_said_otherwise():
    layers = [nets.Dense(2, 2), nets.Conv1d(2, 2, 2), nets.ConvTranspose2d(2, 2, 2), nets.BatchNorm2d(2)]
    model = Sequential(*layers, nets.LocallyConnected2d(1, 1, 3, 2), nets.TiledConv1d(1, 1, 2))
    assert {a.dtype for a in model.state_dict().values()} == {np.dtype(np.float32)}
    assert {a.dtype for a in model.astype(np.float64).state_dict().values()} == {np.dtype(np.float64)}


@given(st.integers(1, 4), rngs)
def test_a_shared_parameter_is_listed_once_and_stays_shared(n, rng):
    model = Tied(n)
    names = ["first.weight", "first.bias", "second.bias"]
    assert [name for name, _ in model.named_parameters()] == names == list(model.state_dict())
    ones = [Tensor(np.ones(p.shape, np.float32)) for p in model.parameters()]
    for change in (
        lambda: nets.SGD(model, 0.5, momentum=0.5).step(ones),
        lambda: nets.Adam(model, 0.5).step(ones),
        lambda: model.load_state_dict(Tied(n).state_dict()),
        lambda: model.astype(np.float64),
    ):
        before = model.first.weight
        change()
        assert model.first.weight is model.second.weight
        assert model.first.weight is not before
        assert model.first.weight.name == "weight"


@given(st.integers(1, 4), rngs)
def test_the_gradient_of_a_shared_parameter_is_the_sum_over_its_places(n, rng):
    tied, untied = Tied(n).astype(np.float64), Sequential(first=Dense(n, n), second=Dense(n, n)).astype(np.float64)
    untied.load_state_dict({**tied.state_dict(), "second.weight": tied.first.weight.data})
    x = Tensor(reals(rng, [(3, n)])[0])
    of_tied = dict(zip(tied.state_dict(), mt.gradients(tied(x).sum(), tied.parameters()), strict=True))
    of_untied = dict(zip(untied.state_dict(), mt.gradients(untied(x).sum(), untied.parameters()), strict=True))
    total = of_untied["first.weight"].data + of_untied["second.weight"].data
    np.testing.assert_allclose(of_tied["first.weight"].data, total, atol=1e-12)


@given(st.integers(1, 3))
def test_a_state_makes_another_model_the_same(n):
    def build():
        return Sequential(conv=nets.Conv2d(1, n, 3), norm=nets.BatchNorm2d(n), flat=nets.Flatten(), out=Dense(n, 2))

    model, other = build(), build()
    x = np.ones((4, 1, 3, 3), np.float32)
    model(x)  # moves the running means, which are part of the state
    other.load_state_dict(model.state_dict())
    same(other.eval()(x), model.eval()(x))


def test_a_state_is_a_copy():
    """Later learning does not reach it, and writing to it does not reach the model."""
    model, x = nets.BatchNorm2d(1), np.arange(4, dtype=np.float32).reshape(4, 1, 1, 1)
    state = model.state_dict()
    before = copy.deepcopy(state)
    model(x)
    for name, array in before.items():
        same(array, state[name])
    state = model.state_dict()
    mean = model.running_mean.copy()
    state["running_mean"][...] = 7
    same(model.running_mean, mean)


@given(st.integers(1, 3), rngs)
def test_a_deep_copy_is_a_model_of_its_own(n, rng):
    """It computes the same, shares what the original shares, and learns without it."""
    model = Tied(n)
    twin, x = copy.deepcopy(model), values((2, n), rng)
    before = model(x)
    same(twin(x), before)
    assert twin.second.weight is twin.first.weight
    twin.replace({parameter: Tensor(parameter.data + 1) for parameter in twin.parameters()})
    same(model(x), before)
    assert not any(parameter in model.parameters() for parameter in twin.parameters())


def test_the_state_of_another_model_is_refused_and_changes_nothing():
    model = Dense(2, 3)
    before = model.state_dict()
    weight, bias = np.zeros((3, 2)), np.zeros(3)
    for state, parts in [
        ({"weight": weight}, ["lacks bias"]),
        ({"weight": weight, "bias": bias, "extra": bias}, ["no extra"]),
        ({"weight": weight, "bias": np.zeros(4)}, ["bias", (3,), (4,)]),
        ({"weight": weight.T, "bias": bias}, ["weight", (3, 2), (2, 3)]),
        ({"weight": weight, "bias": bias, 3: bias}, ["no 3"]),
        ({"weight": weight, "bias": np.array([0.0, 1e39, 0.0])}, ["bias (= 1e+39)", "float32"]),
        ({"weight": weight, "bias": [0, 10**39, 0]}, ["bias", "float32"]),
    ]:
        with raises(ValueError, *parts):
            model.load_state_dict(state)
        for name, array in model.state_dict().items():
            same(array, before[name])


def test_train_and_eval_reach_every_module():
    model = Sequential(Sequential(nets.Dropout(), inner=Sequential(Tanh())), nets.BatchNorm2d(1))
    for mode, method in (False, model.eval), (True, model.train):
        assert method() is model
        assert all(module.training is mode for _, module in model.modules())


def test_sequential_names_its_layers_and_finds_them():
    model = Sequential(Tanh(), Dense(2, 2), out=Dense(2, 1))
    assert [name for name, _ in model.children()] == ["0", "1", "out"]
    assert model[0] is model["0"] and model[-1] is model.out is model["out"] and len(model) == 3
    assert list(model) == [model[i] for i in range(3)]
    assert [name for name, _ in model.named_parameters()] == ["1.weight", "1.bias", "out.weight", "out.bias"]
    for key in (3, -4, "2"):
        with raises((IndexError, KeyError), repr(key), "['0', '1', 'out']"):
            model[key]


@given(st.integers(0, 4), st.slices(4))
def test_a_slice_of_a_sequential_has_the_same_layers_under_the_same_names(n, part):
    model = Sequential(**{f"layer{i}": Tanh() for i in range(n)})
    assert isinstance(model[part], Sequential) and model[part].children() == model.children()[part]


def test_in_use_every_layer_computes_so_and_afterwards_as_before():
    model = Sequential(nets.Dropout(), nets.BatchNorm2d(1).eval())
    with raises(KeyError, "stop"), model.in_use():
        assert not any(module.training for _, module in model.modules())
        raise KeyError("stop")
    assert [module.training for module in model] == [True, False] and model.training


def test_a_buffer_may_have_the_name_of_an_argument():
    class Centred(Module):
        def __init__(self, mean=None):
            self.mean = np.zeros(2)

    assert repr(Centred()) == "Centred(mean=array([0., 0.]))"


def test_what_cannot_be_a_layer_is_refused():
    with raises(TypeError, "layer 1", "tanh"):
        Sequential(Tanh(), np.tanh)
    with raises(ValueError, "'train'"):
        Sequential(train=Tanh())
    with raises(ValueError, "two layers", "'0'"):  # as the slices of another one would bring with them
        Sequential(Tanh(), **dict(Sequential(Dense(1, 1)).children()))
    with raises(AttributeError, "no 'C2'", "C1"):
        Sequential(C1=Tanh()).C2  # noqa: B018
    with raises(NotImplementedError, "Module", "forward"):
        Module()(1.0)


def test_what_is_no_model_is_refused_by_all_that_takes_one(tmp_path):
    """And what is no optimizer, with the value: a class is a frequent slip."""
    data = nets.Examples(np.ones((2, 3), np.float32), np.array([0, 1]))
    layer = Dense(3, 2)
    optimizer = nets.SGD(layer)
    nets.save(tmp_path / "it.npz", layer, optimizer)
    for wrong in (3, Dense, layer.forward):
        for use in (
            lambda x: nets.summary(x, (3,)),
            lambda x: nets.trace.trace(x, data.images),
            lambda x: nets.export(x, tmp_path / "it.py", (3,)),
            lambda x: nets.fit(x, data, epochs=1, progress=False),
            lambda x: nets.evaluate(x, data),
            lambda x: nets.predict(x, data.images),
            lambda x: nets.learn(x, optimizer, *data),
            lambda x: nets.save(tmp_path / "other.npz", x),
            lambda x: nets.load(tmp_path / "it.npz", x),
            lambda x: Sequential(x),
            lambda x: nets.Residual(layer, shortcut=x),
        ):
            with pytest.raises(TypeError, match="Module"):
                use(wrong)
    for wrong in (3, nets.SGD, layer):
        for use in (
            lambda x: nets.fit(layer, data, epochs=1, progress=False, optimizer=x),
            lambda x: nets.learn(layer, x, *data),
            lambda x: nets.save(tmp_path / "other.npz", layer, x),
            lambda x: nets.load(tmp_path / "it.npz", layer, x),
        ):
            with raises(TypeError, "optimizer (=", "is no Optimizer"):
                use(wrong)
    assert not (tmp_path / "other.npz").exists()


@pytest.mark.parametrize("wrong", [None, 3, [("weight", 1)]])
def test_a_state_is_a_mapping(wrong):
    layer = Dense(1, 1)
    for holder in (layer, nets.SGD(layer)):
        with raises(TypeError, "state (=", "is no Mapping"):
            holder.load_state_dict(wrong)


@pytest.mark.parametrize("wrong", [None, 3.0, np.zeros((1, 1))])
def test_a_parameter_is_replaced_by_a_tensor_or_not_at_all(wrong):
    layer = Dense(1, 1)
    weight, bias = layer.parameters()
    with raises(TypeError, "is no Tensor"):
        layer.replace({bias: Tensor([1.0]), weight: wrong})
    with raises(TypeError, "a parameter to replace (=1)", "is no Tensor"):
        layer.replace({bias: Tensor([1.0]), 1: Tensor([1.0])})
    assert layer.weight is weight and layer.bias is bias


@pytest.mark.parametrize("number", [np.inf, -np.inf, np.nan])
def test_a_state_may_hold_what_is_not_finite(number):
    """As the mask of an attention does; it is the same in each dtype."""
    layer = Dense(1, 1)
    layer.load_state_dict({"weight": [[number]], "bias": [0]})
    same(layer.weight, np.array([[number]], np.float32))


def test_impossible_layers_are_refused_when_they_are_made():
    for make, parts in [
        (lambda: Dense(0, 1), ["in_features (=0)"]),
        (lambda: nets.Conv2d(5, 4, 3, groups=2), ["in_channels (=5)", "groups (=2)"]),
        (lambda: nets.Conv2d(4, 5, 3, groups=2), ["out_channels (=5)", "groups (=2)"]),
        (lambda: nets.Conv2d(1, 1, 0), ["kernel_size (=0)"]),
        (lambda: nets.Conv2d(1, 1, (1, 2, 3)), ["kernel_size (=(1, 2, 3))"]),
        (lambda: nets.LocallyConnected2d(1, 1, 2, 3), ["kernel (=3)", "2"]),
        (lambda: nets.TiledConv2d(1, 1, 3, tiles=0), ["tiles (=0)"]),
        (lambda: nets.Dropout(1.0), ["p (=1.0)"]),
        (lambda: nets.BatchNorm2d(1, eps=0.0), ["eps (=0.0)"]),
        (lambda: nets.BatchNorm1d(0), ["channels (=0)"]),
        (lambda: nets.LayerNorm((2, 0)), ["shape (=0)"]),
        (lambda: nets.LayerNorm(()), ["shape (=())"]),
        (lambda: nets.resnet(blocks=0), ["blocks (=0)"]),
        (lambda: nets.Maxout(0), ["pieces (=0)"]),
        (lambda: nets.LocalResponseNorm(0), ["size (=0)"]),
        (lambda: nets.TableConv2d(2, [(0,), (0, 2)], 3), ["(0, 2)"]),
        (lambda: nets.TableConv2d(2, [], 3), ["maps (=0)"]),
        (lambda: nets.Conv1d(1, 1, 3, stride=0), ["stride (=0)"]),
        (lambda: nets.Conv2d(1, 1, 3, padding=(0, -1)), ["padding (=(0, -1))"]),
        (lambda: nets.Conv2d(1, 1, 3, padding="full"), ["padding (='full')"]),
        (lambda: nets.Conv2d(1, 1, 3, stride=2, padding="same"), ["stride (2, 2)"]),
        (lambda: nets.Conv2d(1, 1, 3, dilation=0), ["dilation (=0)"]),
        (lambda: nets.Conv2d(1, 1, 3, padding_mode="mirror"), ["padding_mode (='mirror')", "'reflect'"]),
        (lambda: nets.ConvTranspose2d(1, 1, 3, output_padding=-1), ["output_padding (=-1)"]),
        (lambda: nets.TiledConv2d(1, 1, 3, stride=(1, 0)), ["stride (=(1, 0))"]),
        (lambda: nets.MaxPool2d(0), ["kernel_size (=0)"]),
        (lambda: nets.MaxPool1d((2, 2)), ["kernel_size (=(2, 2))"]),
        (lambda: nets.AvgPool2d(2, padding=-1), ["padding (=-1)"]),
        (lambda: nets.LPPool2d(2, stride=0), ["stride (=0)"]),
        (lambda: nets.WeightedAvgPool2d((2, 0)), ["kernel_size (=(2, 0))"]),
        (lambda: nets.MaxPool2d(2, padding=2), ["padding (=2)", "kernel (=2)"]),
        (lambda: nets.AvgPool3d(2, padding=(0, 0, 2)), ["padding (=2)", "kernel (=2)"]),
        (lambda: nets.LPPool2d(2, norm=0.5), ["norm (=0.5)"]),
        (lambda: nets.WeightedAvgPool1d(2, sigma=0), ["sigma (=0)"]),
        (lambda: nets.ConvTranspose2d(1, 1, 3, 2, output_padding=2), ["output_padding (=2)", "stride (=2)"]),
        (lambda: nets.LiftingConv2d(1, 1, (3, 2)), ["kernel_size (=(3, 2))"]),
        (lambda: Dense(1, 2, init=lambda *given: np.ones(3)), ["shape (2, 1)", "(3,)"]),
        (lambda: nets.RadialBasis([1.0, -1.0]), ["(K, I)", "(2,)"]),
    ]:
        with raises(ValueError, *parts):
            make()


WINDOWED = [
    (partial(nets.Conv1d, 1, 1), ["kernel_size", "stride", "padding", "dilation", "groups"]),
    (partial(nets.ConvTranspose2d, 1, 1), ["kernel_size", "stride", "padding", "output_padding", "dilation"]),
    (partial(nets.LocallyConnected1d, 1, 1), ["kernel_size", "input_size", "stride", "padding", "dilation"]),
    (partial(nets.TiledConv2d, 1, 1), ["kernel_size", "stride", "padding", "dilation", "tiles"]),
    (partial(nets.GroupConv2d, 1, 1), ["kernel_size", "padding"]),
    (nets.MaxPool2d, ["kernel_size", "padding", "dilation"]),
    (nets.LPPool1d, ["kernel_size"]),
]


@pytest.mark.parametrize("make, name", [(make, name) for make, names in WINDOWED for name in names])
@pytest.mark.parametrize("value", [None, 1.5, (1, None)])
def test_a_setting_that_is_no_whole_number_is_refused_when_the_layer_is_made(make, name, value):
    """Only the stride of a pool may be None; it is the kernel then."""
    fitting = {"kernel_size": 3, "input_size": 5} if "input_size" in signature(make).parameters else {"kernel_size": 3}
    with pytest.raises((TypeError, ValueError), match=rf"{name} \(="):
        make(**{**fitting, name: value})


@dataclass(eq=False, repr=False)
class Scaled(Weighted):
    """A layer of the reader's own that does not ask about its bias."""

    n: int

    def shapes(self):
        return Shapes((self.n,), (self.n,), 1, 1)


@given(st.integers(1, 5))
def test_what_has_no_setting_for_its_bias_has_one(n):
    same(Scaled(n).bias, np.zeros(n, np.float32))


NUMBERS = [
    *[(nets.LeakyReLU, "slope"), (nets.Tanh, "amplitude"), (nets.Tanh, "slope"), (nets.Dropout, "p")],
    *[(nets.Softmax, "axis"), (nets.LogSoftmax, "axis"), (partial(nets.Maxout, 2), "axis")],
    *[(partial(nets.LocalResponseNorm, 2), name) for name in ("alpha", "beta", "k")],
    *[(partial(nets.BatchNorm2d, 2), name) for name in ("eps", "momentum")],
    *[(partial(nets.LayerNorm, 2), "eps"), (partial(nets.LPPool2d, 2), "norm")],
    (partial(nets.WeightedAvgPool1d, 2), "sigma"),
]


@pytest.mark.parametrize("make, name", NUMBERS)
@pytest.mark.parametrize("value", ["0.5", None, (1, 2), np.ones(2)], ids=repr)
def test_a_setting_that_is_no_number_is_refused_when_the_layer_is_made(make, name, value):
    with raises(TypeError, f"{name} (="):
        make(**{name: value})


@pytest.mark.parametrize("make, name", NUMBERS)
@pytest.mark.parametrize("kind", [np.float32, np.float64, np.int64])
def test_a_setting_may_be_a_number_of_numpys_and_float32_stays_so(make, name, kind):
    """As it does beside a number of Python's."""
    layer = make(**{name: np.int64(1) if name == "axis" else kind(name in ("eps", "norm", "sigma"))})
    assert type(getattr(layer, name)) in (int, float)
    assert layer(np.ones((3, 2, 4, 2)[: 3 if "1d" in f"{make}" else 4], np.float32)).dtype == np.float32


@pytest.mark.parametrize("make", [nets.ConvTranspose1d, nets.LiftingConv2d])
def test_a_transposed_and_a_group_convolution_have_padding_in_numbers_only(make):
    with raises(TypeError, "padding (='same')", "whole number"):
        make(1, 1, 3, padding="same")


@pytest.mark.parametrize("make", [Dense, nets.Conv2d, nets.Subsampling])
def test_a_seed_is_no_generator(make):
    """Taken for one, 0 would be no generator at all, and the weights different each time."""
    size = (2, 2, 3)[: 3 if make is nets.Conv2d else 2]
    with raises(TypeError, "rng (=0)", "default_rng(seed)"):
        make(*size, rng=0)
    with raises(TypeError, "rng (=0)"):
        nets.Dropout(rng=0)


def test_what_has_no_batch_axis_cannot_be_flattened():
    with raises(ValueError, "(N, ...)", "()"):
        Flatten()(1.0)


def test_a_layer_refuses_another_number_of_channels():
    with raises(ValueError, "(N, 1, H, W)", "(1, 3, 4, 4)"):
        nets.Subsampling(1, 2)(np.ones((1, 3, 4, 4)))
    with raises(ValueError, "(N, 3)", "(2, 1)"):
        nets.RadialBasis([[1.0, -1.0, 1.0]])(np.zeros((2, 1)))


def test_a_refused_batch_leaves_the_running_means_alone():
    layer = nets.BatchNorm2d(1)
    with raises(ValueError, "(0, 1, 2, 2)"):
        layer(np.zeros((0, 1, 2, 2)))
    assert layer.running_mean == 0 and layer.running_var == 1


# -- what is found, and what it is called ------------------------------------------------------------------------------

leaves = st.sampled_from(["layer", "parameter", "buffer", "setting"])
containers = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.tuples(inner, inner) | st.dictionaries(st.sampled_from("ab"), inner),
    max_leaves=6,
)


class Holder(Module):
    """A module with things in lists, tuples and dicts."""

    def __init__(self, plan) -> None:
        self.names = []
        self.held = self.built(plan, "held")

    def built(self, plan, path):
        if isinstance(plan, (list, tuple)):
            return type(plan)(self.built(part, f"{path}.{i}") for i, part in enumerate(plan))
        if isinstance(plan, dict):
            return {key: self.built(part, f"{path}.{key}") for key, part in plan.items()}
        if plan != "setting":
            self.names.append(f"{path}.weight" if plan == "layer" else path)
        makes = {
            "layer": lambda: Dense(1, 1, bias=False),
            "parameter": lambda: Tensor([1.0]),
            "buffer": np.ones(1).copy,
        }
        return makes.get(plan, lambda: 1)()


@given(containers)
def test_lists_tuples_and_dicts_are_walked_at_any_depth(plan):
    """Each parameter has its path as its name; it is saved, replaced, converted, and in use with all others."""
    model = Holder(plan)
    state = model.state_dict()
    assert sorted(state) == sorted(model.names)
    model.load_state_dict({name: array + 1 for name, array in state.items()})
    for name, array in model.state_dict().items():
        same(array, state[name] + 1)
    model.replace({p: Tensor(p.data * 0) for p in model.parameters()})
    assert not any(p.data.any() for p in model.parameters())
    model.astype(np.float32).eval()
    assert {array.dtype for array in model.state_dict().values()} <= {np.dtype(np.float32)}
    assert not any(module.training for _, module in model.modules())
    assert repr(model).count("Dense(1, 1, bias=False)") == sum(name.endswith("weight") for name in model.names)


def test_a_named_tuple_stays_one_and_a_shared_list_stays_shared():
    class Pair(NamedTuple):
        a: Tensor
        b: Tensor

    model = Module()
    model.pair, model.layers = Pair(Tensor(1.0), Tensor(2.0)), [Tanh(), Dense(1, 1)]
    layers = model.layers
    model.replace({p: Tensor(p.data + 1) for p in model.parameters()})
    assert isinstance(model.pair, Pair) and (model.pair.a.item(), model.pair.b.item()) == (2.0, 3.0)
    assert model.layers is layers


@given(st.lists(st.from_regex("[A-Z][1-9]", fullmatch=True), min_size=1, max_size=4, unique=True))
def test_an_error_says_in_which_layer_it_was(names):
    """From the inside out, and it is the layer's own error."""
    layer = nets.Dense(3, 2)
    with pytest.raises(ValueError, match="dense needs") as alone:
        layer(np.zeros((1, 4), np.float32))
    for name in names:
        layer = nets.Sequential(**{f"before_{name}": nets.ReLU(), name: layer})
    with pytest.raises(ValueError, match="dense needs") as found:
        layer(np.zeros((1, 4), np.float32))
    assert str(found.value) == str(alone.value)
    kinds = ["Dense", *["Sequential"] * len(names)]
    assert found.value.__notes__ == [f"in {name}: {kind}" for name, kind in zip(names, kinds, strict=False)]


def test_layers_in_a_set_have_no_names():
    model = Module()
    model.layers = {Dense(1, 1)}
    with raises(TypeError, "layers", "set", "list"):
        model.parameters()


def test_a_module_is_no_part_of_itself():
    model = Sequential(inner=Sequential(Tanh()))
    model.inner.parent = model
    for ask in model.parameters, model.eval, model.state_dict:
        with raises(ValueError, "inner.parent", "part of itself"):
            ask()


@pytest.mark.parametrize("name", [name for name in vars(Module) if callable(getattr(Module, name))])
@pytest.mark.parametrize("value", [Tanh(), Tensor(1.0), np.ones(1), [Tanh()], {}, None], ids=lambda v: type(v).__name__)
def test_a_method_of_every_module_is_not_hidden_by_what_is_stored(name, value):
    if not (name.startswith("__") and name.endswith("__")):
        with raises(ValueError, repr(name), "every Module has a method"):
            setattr(Module(), name, value)


def test_a_forward_of_ones_own_may_be_stored():
    layer = Tanh()
    layer.forward = lambda x: x * 2
    assert layer(1.0).item() == 2


def test_two_layers_never_share_a_name():
    for name in "a.b", "", ".":
        with raises(ValueError, repr(name), "dot"):
            Sequential(**{name: Tanh()})
    model = Module()
    model.blocks = {"a": {"b": Dense(1, 1)}, "a.b": Dense(1, 1)}
    with raises(ValueError, "'blocks.a.b.weight'"):
        model.state_dict()


@given(st.sampled_from([np.int64, np.uint8, np.bool_]), st.sampled_from([np.float32, np.float64]))
def test_astype_changes_floats_and_leaves_whole_numbers(kind, dtype):
    model = Module()
    model.index, model.mean, model.w = np.array([1, 0], kind), np.zeros(2), Tensor([1.0])
    model.astype(dtype)
    assert [model.index.dtype, model.mean.dtype, model.w.dtype] == [kind, dtype, dtype]


def test_a_module_may_take_several_inputs_and_settings():
    class Weighted(Module):
        def forward(self, x, y, *, factor=1):
            return factor * (x - y)

    assert Weighted()([3.0], 1.0, factor=2).data.tolist() == [4.0]


@given(st.integers(1, 4))
def test_one_value_in_each_channel_has_no_variance(c):
    """It is refused in training, where the output would be the shift whatever comes in; in use it is as good as any."""
    layer, x = nets.BatchNorm2d(c), np.full((1, c, 1, 1), 5.0, np.float32)
    with raises(ValueError, "one value", (1, c, 1, 1)):
        layer(x)
    assert not layer.running_mean.any()
    assert layer.eval()(x).shape == x.shape


# -- layers that remember ----------------------------------------------------------------------------------------------


@given(st.integers(2, 5), st.integers(1, 3), rngs)
def test_batch_norm_in_use_is_batch_norm_of_the_population_it_has_seen(n, c, rng):
    """With momentum 1 it remembers one batch, and then differs from training by the n / (n - 1) of the variance."""
    layer = nets.BatchNorm2d(c, eps=1e-12, momentum=1.0).astype(np.float64)
    x = Tensor(reals(rng, [(n, c, 2, 2)])[0])
    in_training = layer(x).data
    np.testing.assert_allclose(in_training.mean((0, 2, 3)), 0, atol=1e-7)
    np.testing.assert_allclose(layer.eval()(x).data, in_training * np.sqrt((4 * n - 1) / (4 * n)), rtol=1e-6)


@given(st.floats(0, 0.9), st.integers(0, 2**32 - 1))
def test_dropout_keeps_the_mean_in_training_and_everything_in_use(p, seed):
    layer = nets.Dropout(p, rng=np.random.default_rng(seed))
    x = Tensor(np.ones(2000))
    y = layer(x).data
    assert set(np.unique(y)) <= {0.0, 1 / (1 - p)}
    assert abs(y.mean() - 1) < 6 * np.sqrt(p / (1 - p) / 2000) + 1e-9  # six standard deviations
    same(layer.eval()(x), x)


@given(st.sampled_from([nets.he_normal, nets.he_uniform, nets.glorot_normal, nets.glorot_uniform]), rngs)
def test_initial_weights_have_the_variance_they_promise(init, rng):
    fan_in, fan_out = 60, 100
    weights = init(rng, (fan_out, fan_in), fan_in, fan_out)
    variance = 2 / fan_in if "he" in init.__name__ else 2 / (fan_in + fan_out)
    assert weights.dtype == np.float32 and weights.shape == (fan_out, fan_in)
    assert abs(weights.mean()) < 6 * np.sqrt(variance / weights.size)
    assert abs(weights.var() / variance - 1) < 0.12


def test_relu_layers_keep_the_size_of_a_signal_with_he_and_lose_it_without():
    """What init.py says, tried: thirty layers deep, with and without the 2 of 2 / fan_in."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((200, 100)).astype(np.float32)

    def spread(init):
        layers = [layer for _ in range(30) for layer in (Dense(100, 100, init=init, rng=rng), nets.ReLU())]
        return float(Sequential(*layers)(x).data.std())

    assert 0.1 < spread(nets.he_normal) < 10
    assert spread(nets.glorot_normal) < 1e-3
