"""Chapter 6: the engine."""

from tests.exercises.kit import close, given, np, numeric_gradient, reals, same, settings, st, values, whole


@given(x=whole(2), times=st.integers(1, 5))
def test_a_value_used_again_gets_more(engine, x, times):
    """x + x + ... + x has the gradient `times`."""
    x = engine.tensor(x)
    y = x
    for _ in range(times - 1):
        y = engine.add(y, x)
    (dx,) = engine.gradients(y, [x])
    same(dx, [times, times])


steps = st.lists(
    st.tuples(st.sampled_from(["add", "multiply", "maximum", "subtract"]), st.integers(0, 9), st.integers(0, 9))
)


@given(x=reals(2), program=steps.filter(len))
def test_any_program_has_its_slope(engine, x, program):
    """Compute by a list of random steps, each from two earlier values: the gradient is what finite differences say."""
    x[1] = x[0] + 0.7  # far enough from each other for a maximum

    def run(x):
        results = [x[0], x[1]]
        for name, a, b in program[:6]:
            left, right = results[a % len(results)], results[b % len(results)]
            if name == "maximum" and abs(float(values(left)) - float(values(right))) < 0.01:
                continue  # where both are equal the slope is a choice
            result = getattr(engine, name)(left, right)
            if abs(float(values(result))) < 20:  # a number that grows is no case for finite differences
                results.append(result)
        return results[-1]

    leaves = [engine.tensor(x[0]), engine.tensor(x[1])]
    y = run(leaves)
    found = engine.gradients(y, leaves)
    close(
        [g.item() for g in found], numeric_gradient(lambda x: run([engine.tensor(x[0]), engine.tensor(x[1])]), x), 1e-4
    )


@given(x=whole(2), y=whole(2))
def test_a_second_pass_gives_the_same(engine, x, y):
    """Gradients are of the output, not of how often they were asked for."""
    x, y = engine.tensor(x), engine.tensor(y)
    z = engine.multiply(engine.add(x, y), engine.multiply(x, x))
    first, second = engine.gradients(z, [x, y]), engine.gradients(z, [x, y])
    for a, b in zip(first, second, strict=True):
        same(a, b)


@given(x=reals(3), y=reals(3))
def test_every_operator_has_its_derivative(engine, x, y):
    """The gradients of mean, maximum and a product are their slopes, even behind another operator."""
    y = y + 3  # a maximum far from its kink: max(x, y) = y would hide x, so both are tried below

    def f(x):
        square = engine.multiply(x, x)
        return engine.add(engine.mean(square), engine.mean(engine.maximum(square, engine.subtract(x, y))))

    t = engine.tensor(x)
    (dx,) = engine.gradients(f(t), [t])
    close(dx, numeric_gradient(lambda x: f(engine.tensor(x)), x), 1e-5)


@given(x=whole(3), number=st.integers(-3, 3))
def test_a_number_may_stand_on_the_left(engine, x, number):
    """number - x is number - x."""
    same(engine.subtract(number, engine.tensor(x)), number - x)
    same(engine.subtract(engine.tensor(x), number), x - number)


shapes = st.sampled_from([(), (1,), (3,), (2, 1), (1, 3), (2, 3)])


@given(data=st.data(), a=shapes, b=shapes, dtype=st.sampled_from([np.float32, np.float64]))
def test_a_gradient_looks_like_its_input(engine, data, a, b, dtype):
    """It has the input's shape and dtype, also where the input was broadcast; an unused Tensor has a gradient of 0."""
    x, y = (engine.tensor(data.draw(whole(*shape)).astype(dtype)) for shape in (a, b))
    unused = engine.tensor(data.draw(whole(2)))
    z = engine.add(x, y)
    dx, dy, zero = engine.gradients(z, [x, y, unused])
    for t, g in (x, dx), (y, dy):
        assert g.dtype == t.dtype
        same(g, np.full(t.shape, z.size / t.size))
    same(zero, np.zeros(2))


@given(x=whole(3), y=whole(3), seed=whole(3))
def test_a_seed_is_what_arrives_first(engine, x, y, seed):
    """The gradients of x * y for the seed g are g * y and g * x."""
    x, y = engine.tensor(x), engine.tensor(y)
    dx, dy = engine.gradients(engine.multiply(x, y), [x, y], seed)
    same(dx, seed * y.data)
    same(dy, seed * x.data)


@given(x=whole(3))
def test_a_tensor_keeps_its_value(engine, x):
    """Changing the array that a Tensor was made of changes neither the Tensor nor a gradient."""
    before = x.copy()
    t = engine.tensor(x)
    y = engine.multiply(t, t)
    x += 1
    same(t, before)
    same(engine.gradients(y, [t])[0], 2 * before)


@given(x=whole(2), y=whole(2), z=whole(2))
def test_gradients_do_not_share_their_arrays(engine, x, y, z):
    """(x + y) + x z: x gets two shares, y only one, though the first share is the same for both."""
    x, y, z = engine.tensor(x), engine.tensor(y), engine.tensor(z)
    product = engine.multiply(x, z)
    dx, dy = engine.gradients(engine.add(product, engine.add(x, y)), [x, y])
    same(dx, 1 + z.data)
    same(dy, [1, 1])


@given(x=whole(2))
def test_a_gradient_can_be_differentiated(engine, x):
    """The gradient of x * x is 2 x, and its gradient is 2."""
    t = engine.tensor(x)
    (first,) = engine.gradients(engine.multiply(t, t), [t])
    (second,) = engine.gradients(first, [t])
    same(second, [2, 2])


@settings(max_examples=3)
@given(length=st.integers(6000, 8000))
def test_a_long_chain_has_a_gradient(engine, length):
    """One operator after the other, thousands of them: the derivative of the last by the first is 1."""
    x = engine.tensor(0.0)
    y = x
    for _ in range(length):
        y = engine.add(y, 1.0)
    same(engine.gradients(y, [x])[0], 1.0)


@given(seed=st.integers(0, 99), p=st.sampled_from([0.0, 0.25, 0.5, 0.75]))
def test_dropout_keeps_the_mean(engine, seed, p):
    """What is left is divided by 1 - p, and a part p is left out (give or take)."""
    y = values(engine.dropout(np.ones(400), p, np.random.default_rng(seed)))
    close(y[y != 0], np.full((y != 0).sum(), 1 / (1 - p)))
    assert abs((y == 0).mean() - p) < 0.2


@given(x=reals(3), shift=st.sampled_from([-1e4, -100.0, 0.0, 100.0, 1e4]))
def test_softmax_knows_differences_only(engine, x, shift):
    """softmax(x + c) = softmax(x), however large c is."""
    close(engine.softmax(x + shift), engine.softmax(x))
