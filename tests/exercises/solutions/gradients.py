"""Chapter 2: gradients."""

from tests.exercises.kit import close, convolutions, given, inner, np, numeric_gradient, reals, same, st, whole


@given(x=whole(4), places=st.lists(st.integers(0, 3), min_size=1, max_size=6))
def test_each_taking_brings_a_gradient(engine, x, places):
    """Take some elements of x, some of them twice: the gradient counts how often each was taken."""
    x = engine.tensor(x)
    (dx,) = engine.gradients(engine.take(x, places), [x])
    same(dx, [places.count(i) for i in range(4)])


@given(case=convolutions(), data=st.data())
def test_the_gradient_of_the_bias_is_a_sum(engine, case, data):
    """A bias is added to every place of every image, so its gradient is the sum of all gradients of its channel."""
    b = engine.tensor(case.b)
    y = engine.conv1d(case.x, case.w, b, **case.settings)
    seed = data.draw(whole(*y.shape))
    (db,) = engine.gradients(y, [b], seed)
    same(db, seed.sum(axis=(0, 2)))


@given(case=convolutions(), data=st.data())
def test_the_gradient_by_the_input_is_the_adjoint(engine, case, data):
    """Convolution is linear in x, so <conv(x, w), g> = <x, dx>, where dx is the gradient by x for the seed g."""
    x = engine.tensor(case.x)
    y = engine.conv1d(x, case.w, **case.settings)
    seed = data.draw(whole(*y.shape))
    (dx,) = engine.gradients(y, [x], seed)
    assert inner(y, seed) == inner(x, dx)


@given(case=convolutions(axes=2, groups=2), data=st.data())
def test_the_gradient_by_the_kernel_is_the_adjoint(engine, case, data):
    """It is linear in w too: <conv(x, w), g> = <w, dw>; try it in two dimensions, with groups."""
    w = engine.tensor(case.w)
    y = engine.conv2d(case.x, w, **case.settings)
    seed = data.draw(whole(*y.shape))
    (dw,) = engine.gradients(y, [w], seed)
    assert inner(y, seed) == inner(w, dw)


@given(case=convolutions(), data=st.data())
def test_the_gradient_by_the_kernel_is_the_adjoint_in_one_dimension(engine, case, data):
    """The same for conv1d and a batch of images."""
    w = engine.tensor(case.w)
    y = engine.conv1d(case.x, w, **case.settings)
    seed = data.draw(whole(*y.shape))
    (dw,) = engine.gradients(y, [w], seed)
    assert inner(y, seed) == inner(w, dw)


@given(data=st.data(), batch=st.sampled_from([(), (1,), (3,)]), c=st.integers(1, 3), o=st.integers(1, 3))
def test_a_dense_layer_takes_vectors_and_batches(engine, data, batch, c, o):
    """<dense(x, w), g> = <w, dw>, for a single vector as for a batch of them."""
    x, w = data.draw(whole(*batch, c)), engine.tensor(data.draw(whole(o, c)))
    y = engine.dense(x, w)
    seed = data.draw(whole(*y.shape))
    (dw,) = engine.gradients(y, [w], seed)
    assert inner(y, seed) == inner(w, dw)


@given(x=reals(3), seed=whole(3))
def test_gradients_are_slopes(engine, x, seed):
    """The gradients of tanh and softmax are what finite differences say, for any seed."""
    for f in engine.tanh, engine.softmax:
        t = engine.tensor(x)
        (dx,) = engine.gradients(f(t), [t], seed)
        close(dx, numeric_gradient(f, x, seed))


@given(x=reals(3, 2), seed=whole(3, 2), labels=st.lists(st.integers(0, 1), min_size=3, max_size=3))
def test_gradients_over_a_batch_are_slopes(engine, x, seed, labels):
    """Batch normalization and cross-entropy mix the images of a batch; their gradients are slopes all the same."""
    x = x + np.array([[0.0], [1.0], [2.5]])  # a batch of equal images has no variance to divide by
    t = engine.tensor(x)
    (dx,) = engine.gradients(engine.cross_entropy(t, labels), [t])
    close(dx, numeric_gradient(lambda x: engine.cross_entropy(x, labels), x))

    def normalized(x):
        return engine.batch_norm(x, [1.0, 2.0], [0.0, 1.0], eps=1.0)

    (dx,) = engine.gradients(normalized(t), [t], seed)
    close(dx, numeric_gradient(normalized, x, seed))


@given(x=reals(3), seed=whole(3))
def test_second_derivatives_are_slopes_of_the_first(engine, x, seed):
    """A gradient can be differentiated again: the slope of tanh's derivative is what the second gradient says."""

    def first(x):
        t = engine.tensor(x) if isinstance(x, np.ndarray) else x
        return engine.gradients(engine.tanh(t), [t])[0]

    t = engine.tensor(x)
    (second,) = engine.gradients(first(t), [t], seed)
    close(second, numeric_gradient(first, x, seed))
