"""Optimizers: what each formula promises, as laws on whole trajectories."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitensor import Tensor, gradients
from nets import SGD, Adam, Dense, Module, Sequential, constant, cosine, one_cycle

from .checks import raises, same
from .strategies import rngs, shapes, whole

rates = st.sampled_from([0.5, 0.25, 0.125])


class Point(Module):
    """A parameter by itself: a place in a landscape."""

    def __init__(self, w: np.ndarray) -> None:
        self.w = Tensor(w, name="w")


def descend(make, start, gradient, steps=4):
    """The places that an optimizer comes through, for a gradient that is a function of the place."""
    point = Point(start)
    optimizer = make(point)
    places = []
    for _ in range(steps):
        optimizer.step([Tensor(gradient(point.w.data))])
        places.append(point.w.data)
    return np.array(places)


@given(rates, rngs)
def test_gradient_descent_on_a_parabola_shrinks_by_the_same_factor_at_each_step(rate, rng):
    """L = |w|^2 / 2 has the gradient w, so w after t steps is (1 - r)^t w: exact for whole numbers and rates 1/2^k."""
    (start,) = whole(rng, [(3,)])
    places = descend(lambda p: SGD(p, rate), start, lambda w: w)
    for t, place in enumerate(places, start=1):
        same(place, start * (1 - rate) ** t)


@given(rates, rates, rngs)
def test_weight_decay_is_the_derivative_of_a_penalty(rate, decay, rng):
    """Decaying in the optimizer, or adding decay / 2 |w|^2 to the loss: the same steps."""
    start, slope = whole(rng, [(4,), (4,)])

    def penalised(w):
        t = Tensor(w)
        return gradients((t * slope).sum() + decay / 2 * (t * t).sum(), [t])[0].data

    with_decay = descend(lambda p: SGD(p, rate, weight_decay=decay), start, lambda w: slope)
    same(with_decay, descend(lambda p: SGD(p, rate), start, penalised))


@given(rates, st.sampled_from([0.5, 0.75]), st.booleans(), rngs)
def test_momentum_is_a_sum_over_all_earlier_gradients(rate, m, nesterov, rng):
    """v_t = sum_s m^(t-s) g_s; plain momentum steps by r v, Nesterov's by r (g + m v), which is v one step ahead."""
    start, *slopes = whole(rng, [(3,)] * 5)
    stream = iter(slopes)
    places = descend(lambda p: SGD(p, rate, momentum=m, nesterov=nesterov), start, lambda w: next(stream))
    w = start
    for t in range(4):
        v = sum(m ** (t - s) * slopes[s] for s in range(t + 1))
        w = w - rate * (slopes[t] + m * v if nesterov else v)
        same(places[t], w)


@given(st.sampled_from([2.0**10, 2.0**-10]), rngs)
def test_adam_does_not_see_how_large_gradients_are(scale, rng):
    """Both running means scale with g, so their ratio does not, but for eps."""
    start, *slopes = whole(rng, [(3,)] * 5)

    def trajectory(factor):
        stream = iter(slopes)
        return descend(lambda p: Adam(p, 0.1, eps=1e-30), start, lambda w: factor * next(stream))

    np.testing.assert_allclose(trajectory(scale), trajectory(1.0), rtol=1e-9, atol=1e-12)


@given(rngs)
def test_adam_with_a_constant_gradient_goes_at_the_learning_rate(rng):
    start, slope = whole(rng, [(3,), (3,)])
    places = descend(lambda p: Adam(p, 0.1, eps=1e-30), start, lambda w: slope)
    for t, place in enumerate(places, start=1):
        np.testing.assert_allclose(place, start - 0.1 * t * np.sign(slope), atol=1e-9)


@given(rates, st.sampled_from([0.0, 0.5, 1.0]), rngs)
def test_a_schedule_scales_the_step(rate, scale, rng):
    start, slope = whole(rng, [(3,), (3,)])
    a, b = Point(start), Point(start)
    SGD(a, rate).step([Tensor(slope)], scale)
    SGD(b, rate * scale).step([Tensor(slope)])
    same(a.w, b.w)


@given(rates, shapes(max_dims=2), st.permutations([np.float32, np.float64]), rngs)
def test_a_step_is_of_the_parameters_dtype(rate, shape, dtypes, rng):
    """w - r g for a parameter of any shape, also a single number, in its own dtype; g is left as it was."""
    w, g = rng.normal(size=shape).astype(dtypes[0]), whole(rng, [shape])[0].astype(dtypes[1])
    point, gradient = Point(w), Tensor(g)
    SGD(point, rate).step([gradient])
    same(point.w, (w - rate * g).astype(w.dtype))
    same(gradient, g)


@given(st.sampled_from(["velocity", "mean"]), st.integers(1, 3))
def test_an_optimizer_does_not_apply_to_a_changed_model_what_it_remembers(name, width):
    """Where a layer was exchanged for one of another size: a ValueError with both shapes, and nothing has changed."""
    model = Sequential(body=Dense(2, 4), head=Dense(4, 5))
    optimizer = SGD(model, 0.5, momentum=0.5) if name == "velocity" else Adam(model)
    model.head = Dense(4, width)
    before, state = model.parameters(), optimizer.state_dict()
    with raises(ValueError, name, "(5, 4)", f"({width}, 4)"):
        optimizer.step([Tensor(np.ones(p.shape, np.float32)) for p in before])
    assert model.parameters() == before
    assert all(np.array_equal(array, state[key]) for key, array in optimizer.state_dict().items())


MAKES = {
    "sgd": lambda p: SGD(p, 0.1),
    "momentum": lambda p: SGD(p, 0.1, momentum=0.9),
    "nesterov": lambda p: SGD(p, 0.1, momentum=0.9, nesterov=True, weight_decay=0.1),
    "adam": lambda p: Adam(p, 0.1, weight_decay=0.1),
}


@pytest.mark.parametrize("name", MAKES)
@given(st.integers(0, 4), rngs)
def test_an_optimizer_goes_on_from_its_state_as_if_nothing_had_been(name, cut, rng):
    make = MAKES[name]
    start, *slopes = [a.astype(np.float32) for a in whole(rng, [(3,)] * 6)]
    through, first, second = Point(start), Point(start), Point(start)
    optimizers = [make(p) for p in (through, first, second)]
    for i, slope in enumerate(slopes):
        if i == cut:
            second.load_state_dict(first.state_dict())
            optimizers[2].load_state_dict(optimizers[1].state_dict())
        optimizers[0].step([Tensor(slope)])
        optimizers[1 if i < cut else 2].step([Tensor(slope)])
    same(second.w, through.w)
    assert second.w.dtype == np.float32


@pytest.mark.parametrize("name", MAKES)
def test_a_step_gives_a_new_tensor_and_leaves_the_old_one_alone(name):
    model = Dense(2, 2)
    old, value = model.weight, model.weight.data.copy()
    MAKES[name](model).step([Tensor(np.ones(p.shape)) for p in model.parameters()])
    assert model.weight is not old
    same(old, value)


@pytest.mark.parametrize("name", MAKES)
def test_parameters_lie_in_reading_order_after_a_step(name):
    """As they do when they come from a file: else a product may add up in another order, and differ in its last bit."""
    model = Dense(2, 3)
    model.replace({model.weight: Tensor(np.asfortranarray(np.ones((3, 2), np.float32)))})
    assert not model.weight.data.flags.c_contiguous
    MAKES[name](model).step([Tensor(np.asfortranarray(np.ones(p.shape))) for p in model.parameters()])
    assert model.weight.data.flags.c_contiguous and model.weight.dtype == np.float32


def test_gradients_that_do_not_fit_are_refused():
    model = Dense(2, 3)
    with raises(ValueError, "(3, 2)", "(2, 3)"):
        SGD(model).step([Tensor(np.ones((2, 3))), Tensor(np.ones(3))])
    with raises(ValueError, "(3, 2)"):
        SGD(model).step([])
    with raises(TypeError, "must be Tensors"):
        SGD(model).step([np.ones((3, 2)), np.ones(3)])
    optimizer = SGD(model)
    optimizer.step(Tensor(np.ones(p.shape)) for p in model.parameters())  # a generator will do
    assert optimizer.steps == 1


def test_an_optimizer_is_made_for_a_model():
    """Not for a list of parameters, as elsewhere: it could not give the model other ones."""
    with raises(TypeError, "SGD(model, 0.1)", "list"):
        SGD(Dense(2, 3).parameters(), 0.1)


def test_the_state_of_another_optimizer_is_refused():
    with raises(ValueError, "velocity.0"):
        SGD(Dense(2, 2)).load_state_dict(SGD(Dense(2, 2), momentum=0.5).state_dict())
    with raises(ValueError, "mean.0"):
        Adam(Dense(2, 2)).load_state_dict(Adam(Dense(2, 3)).state_dict())


@pytest.mark.parametrize(
    "settings", [{"learning_rate": -1}, {"weight_decay": -1}, {"momentum": 1.0}, {"nesterov": True}]
)
def test_impossible_settings_of_sgd_are_refused(settings):
    with raises(ValueError, f"(={next(iter(settings.values()))})" if "nesterov" not in settings else "momentum (=0.0)"):
        SGD(Dense(1, 1), **settings)


@pytest.mark.parametrize("settings", [{"betas": (0.9, 1.0)}, {"betas": (-0.1, 0.5)}, {"eps": 0.0}])
def test_impossible_settings_of_adam_are_refused(settings):
    with raises(ValueError, f"(={next(iter(settings.values()))})"):
        Adam(Dense(1, 1), **settings)


@pytest.mark.parametrize("schedule", [one_cycle, cosine, constant])
@given(st.floats(0, 1))
def test_a_schedule_stays_between_0_and_1(schedule, progress):
    assert 0 <= schedule(progress) <= 1


@given(st.floats(0, 1), st.floats(0, 1))
def test_one_cycle_goes_up_for_a_quarter_and_then_down(a, b):
    early, late = sorted((a, b))
    if late <= 0.25:
        assert one_cycle(early) <= one_cycle(late)
    if early >= 0.25:
        assert one_cycle(early) >= one_cycle(late)
