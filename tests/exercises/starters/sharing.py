"""Chapter 4.  Sharing and sparsity: which parameters are one, and which wires exist.

Each function below says in its first line what holds, and draws the cases: write it down below that line.  It must
pass for the right engine, and fail for some of the bugs:

    python -m tests.exercises run 4
    python -m tests.exercises hint 4

You may write further properties: any function test_...(engine, ...) is graded.

    conv1d(x, w, b=None, *, stride, padding, dilation, groups)   x (N, C, W), w (O, C/groups, k), b (O)
    locally_connected1d(x, w, b=None, *, stride, padding, dilation)   w (O, C, places, k): a kernel for each place
    conv_parameters(in_channels, out_channels, kernel_size, groups=1, bias=True)   how many numbers it learns
    count_parameters(model)   how many numbers a model of `nets` learns
    sgd_step(model, gradients, rate)   p - rate * g for each of model.parameters()

Layers to build models of: nets.Dense(in, out), nets.Conv1d(in, out, k, groups=..., bias=...), nets.Sequential(...).
"""

# ruff: noqa: F401 (you will need these)
import nets
from minitensor import Tensor
from tests.exercises.kit import convolutions, given, np, same, st, values, whole


@given(case=convolutions(groups=2))
def test_a_bias_moves_its_own_channel(engine, case):
    """conv(x, w, b) - conv(x, w) is b[o], at every place of channel o of every image."""


@given(case=convolutions())
def test_equal_kernels_everywhere_are_a_convolution(engine, case):
    """A locally connected layer with the same kernel at each place is a convolution."""


@given(case=convolutions(), data=st.data())
def test_each_place_uses_its_own_kernel(engine, case, data):
    """With only one kernel that is not 0, only its place can be different from 0; there it is a convolution."""


@given(case=convolutions(), data=st.data())
def test_the_gradient_of_a_shared_kernel_is_the_sum_over_its_places(engine, case, data):
    """Give each place a copy of the kernel: the copies' gradients add up to that of the shared one."""


@given(case=convolutions(groups=3))
def test_groups_are_convolutions_side_by_side(engine, case):
    """Each group of output channels sees its own group of input channels, as if the others were not there."""


@given(c=st.integers(1, 3), o=st.integers(1, 3), k=st.integers(1, 5), groups=st.integers(1, 3), bias=st.booleans())
def test_the_number_of_parameters_is_the_size_of_the_arrays(engine, c, o, k, groups, bias):
    """A layer learns as many numbers as its weight and its bias have elements."""


@given(st.integers(1, 3), st.integers(1, 3))
def test_using_a_layer_again_adds_no_parameters(engine, width, uses):
    """A model that uses a layer several times has the parameters of the layer."""


@given(whole(2, 2), whole(2, 2), whole(2), st.integers(1, 3))
def test_a_step_moves_a_shared_parameter_once(engine, weight, slope, bias_slope, uses):
    """After a step p is p - rate * g, once, and what was one parameter is one parameter still."""
