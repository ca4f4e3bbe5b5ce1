"""Chapter 2.  Gradients: right values, wrong derivatives.

Each function below says in its first line what holds, and draws the cases: write it down below that line.  It must
pass for the right engine, and fail for some of the bugs:

    python -m tests.exercises run 2
    python -m tests.exercises hint 2

You may write further properties: any function test_...(engine, ...) is graded.

    x = engine.tensor(array)                          a Tensor, to differentiate by
    y = engine.conv1d(x, w, b, stride=..., ...)       or another function
    (dx,) = engine.gradients(y, [x], seed)            the gradient of sum(seed * y); seed has the shape of y

    take(x, places)   conv1d conv2d (x, w, b=None, *, stride, padding, dilation, groups)
    dense(x, w)       x (..., C), w (O, C)
    tanh(x)           softmax(x)           cross_entropy(x, labels): a single number, so it needs no seed
    batch_norm(x, scale, shift, eps)       x (N, C), scale and shift (C), divides by sqrt(variance + eps)

    numeric_gradient(f, x, seed)           what gradients should say, for f(x), a function of an array:
                                           engine.tanh, or lambda x: engine.cross_entropy(x, labels)

convolutions() draws a case that fits: engine.conv1d(case.x, case.w, case.b, **case.settings), with x (N, C, W),
w (O, C/groups, k), b (O).  data.draw(whole(*y.shape)) draws a seed.  All values are small whole numbers, so where a law
is about a linear function both sides are exactly equal.
"""

# ruff: noqa: F401 (you will need these)
from tests.exercises.kit import close, convolutions, given, inner, np, numeric_gradient, reals, same, st, whole


@given(x=whole(4), places=st.lists(st.integers(0, 3), min_size=1, max_size=6))
def test_each_taking_brings_a_gradient(engine, x, places):
    """Take some elements of x, some of them twice: the gradient counts how often each was taken."""


@given(case=convolutions(), data=st.data())
def test_the_gradient_of_the_bias_is_a_sum(engine, case, data):
    """A bias is added to every place of every image, so its gradient is the sum of all gradients of its channel."""


@given(case=convolutions(), data=st.data())
def test_the_gradient_by_the_input_is_the_adjoint(engine, case, data):
    """Convolution is linear in x, so <conv(x, w), g> = <x, dx>, where dx is the gradient by x for the seed g."""


@given(case=convolutions(axes=2, groups=2), data=st.data())
def test_the_gradient_by_the_kernel_is_the_adjoint(engine, case, data):
    """It is linear in w too: <conv(x, w), g> = <w, dw>; try it in two dimensions, with groups."""


@given(case=convolutions(), data=st.data())
def test_the_gradient_by_the_kernel_is_the_adjoint_in_one_dimension(engine, case, data):
    """The same for conv1d and a batch of images."""


@given(data=st.data(), batch=st.sampled_from([(), (1,), (3,)]), c=st.integers(1, 3), o=st.integers(1, 3))
def test_a_dense_layer_takes_vectors_and_batches(engine, data, batch, c, o):
    """<dense(x, w), g> = <w, dw>, for a single vector as for a batch of them."""


@given(x=reals(3), seed=whole(3))
def test_gradients_are_slopes(engine, x, seed):
    """The gradients of tanh and softmax are what finite differences say, for any seed."""


@given(x=reals(3, 2), seed=whole(3, 2), labels=st.lists(st.integers(0, 1), min_size=3, max_size=3))
def test_gradients_over_a_batch_are_slopes(engine, x, seed, labels):
    """Batch normalization and cross-entropy mix the images of a batch; their gradients are slopes all the same."""


@given(x=reals(3), seed=whole(3))
def test_second_derivatives_are_slopes_of_the_first(engine, x, seed):
    """A gradient can be differentiated again: the slope of tanh's derivative is what the second gradient says."""
