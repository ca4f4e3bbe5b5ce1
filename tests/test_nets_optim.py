"""Optimizers: what each formula promises, as laws on whole trajectories."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitensor import Tensor, gradients
from nets import (
    SGD,
    Adam,
    AdamW,
    Dense,
    Flatten,
    Module,
    Sequential,
    clip_norm,
    constant,
    cosine,
    one_cycle,
    step_decay,
    value_and_grad,
)

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


@given(rates, st.permutations([0.5, 0.75, 0.875]), rates, st.sampled_from([0.0, 0.5]), rngs)
def test_adam_is_algorithm_1_of_the_paper(rate, betas, eps, decay, rng):
    """With each beta in its place: means of the gradients so far and of their squares, each divided by its weights."""
    (b1, b2, _), (start, *slopes) = betas, whole(rng, [(3,)] * 5)
    stream = iter(slopes)
    places = descend(
        lambda p: Adam(p, rate, betas=(b1, b2), eps=eps, weight_decay=decay), start, lambda w: next(stream)
    )
    w, seen = start, []
    for t, place in enumerate(places, start=1):
        seen.append(slopes[t - 1] + decay * w)
        first, second = ([(1 - b) * b ** (t - s) for s in range(1, t + 1)] for b in (b1, b2))
        mean = sum(weight * d for weight, d in zip(first, seen, strict=True)) / sum(first)
        square = sum(weight * d**2 for weight, d in zip(second, seen, strict=True)) / sum(second)
        w = w - rate * mean / (np.sqrt(square) + eps)
        np.testing.assert_allclose(place, w, rtol=1e-12, atol=1e-12)


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
    "adamw": lambda p: AdamW(p, 0.1, weight_decay=0.1),
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


def everything(point, optimizer):
    """What a step changes, as bytes."""
    state = {**point.state_dict(), **optimizer.state_dict()}
    return {name: (array.dtype, np.asarray(array).tobytes()) for name, array in state.items()}


@pytest.mark.parametrize("name", MAKES)
@given(st.sampled_from([np.nan, np.inf, -np.inf, 3e38]), st.sampled_from([1.0, 1e3]), st.integers(0, 3), rngs)
def test_a_step_never_makes_a_parameter_or_its_memory_infinite(name, slope, scale, before, rng):
    """It is refused, names the parameter, and leaves parameters, memory and count as they were; without a warning."""
    point = Sequential(first=Point(np.ones(2, np.float32)), second=Point(np.ones(3, np.float32)))
    optimizer = MAKES[name](point)
    for _ in range(before):
        optimizer.step([Tensor(rng.normal(size=p.shape)) for p in point.parameters()])
    state = everything(point, optimizer)
    slopes = [Tensor(np.ones(2, np.float32)), Tensor(np.full(3, slope, np.float32))]
    try:
        optimizer.step(slopes, scale=scale)
    except ValueError as error:
        assert "second.w" in str(error) and everything(point, optimizer) == state
    assert all(np.isfinite(array).all() for array in (*point.state_dict().values(), *optimizer.state_dict().values()))
    if not math.isfinite(slope):
        with raises(ValueError, "second.w"):
            optimizer.step(slopes)


@given(st.floats(1, 2.0**126, width=32))
def test_a_step_to_a_large_number_is_taken(size):
    """Also where its square is infinite."""
    point = Point(np.ones(2, np.float32))
    SGD(point, 1.0).step([Tensor(np.full(2, -size, np.float32))])
    assert (point.w.data == np.float32(1) + np.float32(size)).all()


@pytest.mark.parametrize("name", MAKES)
@given(st.integers(0, 2))
def test_a_step_that_fails_half_way_changes_nothing(name, failing):
    model = Sequential(*(Point(np.ones(2)) for _ in range(3)))
    optimizer = MAKES[name](model)
    update, calls = optimizer.update, iter(range(3))

    def failing_update(*arguments):
        if next(calls) == failing:
            raise ArithmeticError("of the user's own")
        return update(*arguments)

    slopes = [Tensor(np.ones(2))] * 3
    optimizer.step(slopes)
    state = everything(model, optimizer)
    optimizer.update = failing_update
    with raises(ArithmeticError, "of the user's own"):
        optimizer.step(slopes)
    assert everything(model, optimizer) == state


@pytest.mark.parametrize("make", [SGD, Adam, AdamW])
@given(st.sampled_from([np.float64, np.float32, np.float16, float]))
def test_settings_may_be_numpys_numbers(make, number):
    """What is remembered keeps the parameters' dtype, and the repr says plain numbers."""
    point = Point(np.ones(2, np.float32))
    settings = {"momentum": number(0.5)} if make is SGD else {"betas": (number(0.5), number(0.75)), "eps": number(0.25)}
    optimizer = make(point, number(0.5), weight_decay=number(0.25), **settings)
    optimizer.step([Tensor(np.ones(2))], number(0.5))
    arrays = [*point.state_dict().values(), *(a for name, a in optimizer.state_dict().items() if name != "steps")]
    assert {array.dtype for array in arrays} == {np.dtype(np.float32)}
    assert "float" not in repr(optimizer) and "learning_rate=0.5" in repr(optimizer)


@pytest.mark.parametrize("make", [SGD, Adam, AdamW])
def test_nothing_to_learn_is_an_error(make):
    for model in Flatten(), Sequential(), Sequential(Flatten()):
        with raises(ValueError, type(model).__name__, "nothing to learn"):
            make(model)


@given(rates, rates, rngs)
def test_adamw_decays_by_a_part_that_no_gradient_changes(rate, decay, rng):
    """AdamW on w is Adam without decay on (1 - r decay) w, for any stream of gradients."""
    start, *slopes = whole(rng, [(3,)] * 5)
    decayed, plain = Point(start), Point(start)
    one, other = AdamW(decayed, rate, weight_decay=decay), Adam(plain, rate)
    for slope in slopes:
        plain.replace({plain.w: Tensor((1 - rate * decay) * plain.w.data)})
        one.step([Tensor(slope)])
        other.step([Tensor(slope)])
        same(decayed.w, plain.w)


@given(st.lists(shapes(max_dims=2), min_size=1, max_size=4), st.floats(0.1, 100), rngs)
def test_clipped_gradients_are_at_most_so_long_and_point_where_they_did(all_shapes, largest, rng):
    slopes = [Tensor(rng.normal(size=shape)) for shape in all_shapes]
    clipped = clip_norm(slopes, largest)
    flat, short = (np.concatenate([g.data.ravel() for g in gs]) for gs in (slopes, clipped))
    norm = np.linalg.norm(flat)
    np.testing.assert_allclose(short, flat * min(1, largest / norm), rtol=1e-12, atol=1e-300)
    if norm <= largest:
        assert clipped == slopes
    exact = [Tensor([3.0]), Tensor([0.0, 4.0])]
    assert clip_norm(exact, 5.0) == exact and clip_norm(exact, 4.0) != exact  # what is as long as allowed is left alone


@pytest.mark.parametrize("name", MAKES)
@pytest.mark.parametrize("scale", [-1, math.inf, math.nan])
def test_a_step_against_the_schedule_is_refused_and_changes_nothing(name, scale):
    point = Point(np.ones(2))
    optimizer = MAKES[name](point)
    with raises(ValueError, f"scale (={scale})"):
        optimizer.step([Tensor([1.0, 1.0])], scale)
    assert optimizer.steps == 0
    same(point.w, np.ones(2))


@pytest.mark.parametrize("number", [math.inf, math.nan])
def test_gradients_without_a_length_cannot_be_made_shorter(number):
    with raises(ValueError, f"the norm {number}"):
        clip_norm([Tensor([1.0, number])], 1.0)


@pytest.mark.parametrize("settings", [{"falls": -1}, {"factor": 0}, {"factor": -0.5}])
def test_a_schedule_falls_by_a_part_and_not_less_than_never(settings):
    ((name, value),) = settings.items()
    with raises(ValueError, f"{name} (={value})"):
        step_decay(0.5, **settings)


@pytest.mark.parametrize("largest", [0, -1, math.nan])
def test_a_norm_to_clip_to_is_positive(largest):
    with raises(ValueError, f"largest (={largest})"):
        clip_norm([Tensor([1.0])], largest)


@given(st.integers(1, 3), rngs)
def test_value_and_grad_gives_the_value_and_the_gradients(n, rng):
    """Of a model, in the order of its parameters, and of a Tensor; neither has a recipe."""
    model, x = Dense(n, 2).astype(np.float64), rng.normal(size=(3, n))

    def loss(model, x):
        return (model(x) ** 2).sum()

    value, slopes = value_and_grad(loss)(model, x)
    expected = loss(model, x)
    same(value, expected)
    for slope, its in zip(slopes, gradients(expected, model.parameters()), strict=True):
        same(slope, its)
        assert not slope.inputs and not value.inputs
    same(value_and_grad(lambda x: (x * x).sum())(x)[1], 2 * x)
    with raises(ValueError, "one number", (3, 2)):
        value_and_grad(lambda m: m(x))(model)
    with raises(ValueError, "one number", "float"):
        value_and_grad(lambda m: 1.0)(model)


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
    with raises(ValueError, "3 differ"):
        SGD(Dense(2, 2)).load_state_dict({"steps": 0, 3: 1})


def test_a_state_that_the_dtype_cannot_hold_is_refused_and_changes_nothing():
    optimizer = SGD(Dense(1, 1), momentum=0.5)
    optimizer.step([Tensor([[1.0]]), Tensor([1.0])])
    before = optimizer.state_dict()
    with raises(ValueError, "velocity.1", "-1e+39", "float32"):
        optimizer.load_state_dict({"steps": 5, "velocity.0": np.zeros((1, 1)), "velocity.1": np.array([-1e39])})
    for name, array in optimizer.state_dict().items():
        same(array, before[name])


@pytest.mark.parametrize(
    "settings",
    [{"learning_rate": -1}, {"learning_rate": math.inf}, {"weight_decay": -1}, {"momentum": 1.0}, {"nesterov": True}],
)
def test_impossible_settings_of_sgd_are_refused(settings):
    with raises(ValueError, f"(={next(iter(settings.values()))})" if "nesterov" not in settings else "momentum (=0.0)"):
        SGD(Dense(1, 1), **settings)


@pytest.mark.parametrize(
    "settings",
    [
        *[{"betas": betas} for betas in [(0.9, 1.0), (-0.1, 0.5), (0.9,), (0.9, 0.9, 0.9)]],
        *[{"eps": eps} for eps in (0.0, math.inf)],
    ],
)
def test_impossible_settings_of_adam_are_refused(settings):
    with raises(ValueError, f"(={next(iter(settings.values()))})"):
        Adam(Dense(1, 1), **settings)


def test_a_state_with_a_negative_number_of_steps_is_refused():
    optimizer = Adam(Dense(1, 1))
    before = optimizer.state_dict()
    with raises(ValueError, "-1 steps"):
        optimizer.load_state_dict({**before, "steps": np.array(-1)})
    assert optimizer.steps == 0


@pytest.mark.parametrize("schedule", [one_cycle, cosine, constant, step_decay])
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


def one_cycle_of_pytorch(t, steps, part=0.25, start=25.0, end=1e4):
    """torch.optim.lr_scheduler.OneCycleLR with cosines: two phases that end at steps part T - 1 and T - 1."""
    first, last = part * steps - 1, steps - 1
    low, high, begin, length = (1 / start, 1, 0, first) if t <= first else (1, 1 / start / end, first, last - first)
    return high + (low - high) / 2 * (1 + math.cos(math.pi * (t - begin) / length))


@given(st.integers(8, 3000), st.data())
def test_one_cycle_is_pytorchs_but_for_one_step(steps, data):
    t = data.draw(st.integers(0, steps - 1))
    assert abs(one_cycle(t / steps) - one_cycle_of_pytorch(t, steps)) <= 6.1 / steps


@given(st.integers(1, 5), st.sampled_from([0.5, 0.25]), st.integers(1, 20), st.data())
def test_a_step_decay_falls_so_often_by_the_factor_and_else_stays(falls, factor, length, data):
    """With as many steps in each part: after k parts, factor^k."""
    t = data.draw(st.integers(0, length * (falls + 1) - 1))
    assert step_decay(t / (length * (falls + 1)), factor=factor, falls=falls) == factor ** (t // length)
