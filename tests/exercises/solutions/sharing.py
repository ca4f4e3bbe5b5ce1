"""Chapter 4: sharing and sparsity."""

import nets
from minitensor import Tensor
from tests.exercises.kit import convolutions, given, np, same, st, values, whole


@given(case=convolutions(groups=2))
def test_a_bias_moves_its_own_channel(engine, case):
    """conv(x, w, b) - conv(x, w) is b[o], at every place of channel o of every image."""
    moved = values(engine.conv1d(case.x, case.w, case.b, **case.settings))
    rest = values(engine.conv1d(case.x, case.w, **case.settings))
    same(moved - rest, np.broadcast_to(case.b.reshape(-1, 1), rest.shape))


@given(case=convolutions())
def test_equal_kernels_everywhere_are_a_convolution(engine, case):
    """A locally connected layer with the same kernel at each place is a convolution."""
    o, c, k = case.w.shape
    places = case.lines[0].m
    kernels = np.broadcast_to(case.w.reshape(o, c, 1, k), (o, c, places, k))
    same(engine.locally_connected1d(case.x, kernels, **case.settings), engine.conv1d(case.x, case.w, **case.settings))


@given(case=convolutions(), data=st.data())
def test_each_place_uses_its_own_kernel(engine, case, data):
    """With only one kernel that is not 0, only its place can be different from 0; there it is a convolution."""
    o, c, k = case.w.shape
    places = case.lines[0].m
    here = data.draw(st.integers(0, places - 1))
    kernels = np.zeros((o, c, places, k))
    kernels[:, :, here] = case.w
    expected = values(engine.conv1d(case.x, case.w, **case.settings)) * (np.arange(places) == here)
    same(engine.locally_connected1d(case.x, kernels, **case.settings), expected)


@given(case=convolutions(), data=st.data())
def test_the_gradient_of_a_shared_kernel_is_the_sum_over_its_places(engine, case, data):
    """Give each place a copy of the kernel: the copies' gradients add up to that of the shared one."""
    o, c, k = case.w.shape
    w = engine.tensor(case.w)
    copies = engine.tensor(np.repeat(case.w.reshape(o, c, 1, k), case.lines[0].m, axis=2))
    shared = engine.conv1d(case.x, w, **case.settings)
    unshared = engine.locally_connected1d(case.x, copies, **case.settings)
    seed = data.draw(whole(*shared.shape))
    (dw,), (dcopies,) = engine.gradients(shared, [w], seed), engine.gradients(unshared, [copies], seed)
    same(dw, values(dcopies).sum(axis=2))


@given(case=convolutions(groups=3))
def test_groups_are_convolutions_side_by_side(engine, case):
    """Each group of output channels sees its own group of input channels, as if the others were not there."""
    g = case.settings["groups"]
    alone = {**case.settings, "groups": 1}
    parts = [
        values(engine.conv1d(x, w, **alone))
        for x, w in zip(np.split(case.x, g, axis=1), np.split(case.w, g), strict=True)
    ]
    same(engine.conv1d(case.x, case.w, **case.settings), np.concatenate(parts, axis=1))


@given(c=st.integers(1, 3), o=st.integers(1, 3), k=st.integers(1, 5), groups=st.integers(1, 3), bias=st.booleans())
def test_the_number_of_parameters_is_the_size_of_the_arrays(engine, c, o, k, groups, bias):
    """A layer learns as many numbers as its weight and its bias have elements."""
    layer = nets.Conv1d(groups * c, groups * o, k, groups=groups, bias=bias)
    size = layer.weight.size + (layer.bias.size if bias else 0)
    assert engine.conv_parameters(groups * c, groups * o, k, groups, bias) == size


@given(st.integers(1, 3), st.integers(1, 3))
def test_using_a_layer_again_adds_no_parameters(engine, width, uses):
    """A model that uses a layer several times has the parameters of the layer."""
    layer = nets.Dense(width, width)
    assert engine.count_parameters(nets.Sequential(*[layer] * uses)) == width * width + width


@given(whole(2, 2), whole(2, 2), whole(2), st.integers(1, 3))
def test_a_step_moves_a_shared_parameter_once(engine, weight, slope, bias_slope, uses):
    """After a step p is p - rate * g, once, and what was one parameter is one parameter still."""
    layer = nets.Dense(2, 2).astype(np.float64)
    layer.replace({layer.weight: Tensor(weight)})
    twin = nets.Dense(2, 2).astype(np.float64)
    twin.weight, twin.bias = layer.weight, layer.bias
    model = nets.Sequential(*[layer] * uses, twin)
    engine.sgd_step(model, [Tensor(slope), Tensor(bias_slope)], 0.5)
    assert layer.weight is twin.weight
    same(layer.weight, weight - 0.5 * slope)
    same(layer.bias, -0.5 * bias_slope)
