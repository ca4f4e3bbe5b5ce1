"""Chapter 6.  The engine: backpropagation itself.

Each function below says in its first line what holds.  For which cases is yours to say: put a @given above it, add its
arguments, and write it down.  It must pass for the right engine, and fail for some of the bugs:

    python -m tests.exercises run 6
    python -m tests.exercises hint 6

You may write further properties: any function test_...(engine, ...) is graded.

    tensor(array)   gradients(output, [x, ...], seed=None)
    add(x, y)   subtract(x, y)   multiply(x, y)   maximum(x, y)   mean(x)   softmax(x)   dropout(x, p, rng)

A Tensor has .data, .shape, .size, .dtype.  A gradient has the shape and dtype of its input, is a Tensor that can be
differentiated again, and is 0 for a Tensor that was not used.
"""

# ruff: noqa: F401 (you will need these)
from tests.exercises.kit import close, given, np, numeric_gradient, reals, same, settings, st, values, whole


def test_a_value_used_again_gets_more(engine):
    """x + x + ... + x has the gradient `times`."""


def test_any_program_has_its_slope(engine):
    """Compute by a list of random steps, each from two earlier values: the gradient is what finite differences say."""


def test_a_second_pass_gives_the_same(engine):
    """Gradients are of the output, not of how often they were asked for."""


def test_every_operator_has_its_derivative(engine):
    """The gradients of mean, maximum and a product are their slopes, even behind another operator."""


def test_a_number_may_stand_on_the_left(engine):
    """number - x is number - x."""


def test_a_gradient_looks_like_its_input(engine):
    """It has the input's shape and dtype, also where the input was broadcast; an unused Tensor has a gradient of 0."""


def test_a_seed_is_what_arrives_first(engine):
    """The gradients of x * y for the seed g are g * y and g * x."""


def test_a_tensor_keeps_its_value(engine):
    """Changing the array that a Tensor was made of changes neither the Tensor nor a gradient."""


def test_gradients_do_not_share_their_arrays(engine):
    """(x + y) + x z: x gets two shares, y only one, though the first share is the same for both."""


def test_a_gradient_can_be_differentiated(engine):
    """The gradient of x * x is 2 x, and its gradient is 2."""


def test_a_long_chain_has_a_gradient(engine):
    """One operator after the other, thousands of them: the derivative of the last by the first is 1."""


def test_dropout_keeps_the_mean(engine):
    """What is left is divided by 1 - p, and a part p is left out (give or take)."""


def test_softmax_knows_differences_only(engine):
    """softmax(x + c) = softmax(x), however large c is."""
