"""Chapter 3.  Equivariance: f(g(x)) = g(f(x)), what moves with the picture.

Each function below says in its first line what holds, and draws the cases: write it down below that line.  It must
pass for the right engine, and fail for some of the bugs:

    python -m tests.exercises run 3
    python -m tests.exercises hint 3

You may write further properties: any function test_...(engine, ...) is graded.

    conv1d(x, w, b=None, *, stride, padding, dilation, padding_mode="zeros" or "circular")    x (N, C, W), w (O, C, k)
    conv2d, the same in two dimensions; a setting is a number, or a pair (rows, columns)
    tiled_conv1d(x, w)    w (O, C, t, k): kernel h % t belongs to place h

    y[n, o, h, w] = sum over c, i, j of x[n, c, h s + i d - p, w s + j d - p] * w[o, c, i, j]
"""

# ruff: noqa: F401 (you will need these)
from tests.exercises.kit import convolutions, given, np, same, st, values, whole


def roll(x, *shift):
    """x moved to the right (and down), round to the other side."""
    return np.roll(values(x), shift, axis=tuple(range(-len(shift), 0)))


@given(x=whole(1, 2, 5), w=whole(2, 2, 3), shift=st.integers(0, 4))
def test_on_a_ring_convolution_moves_with_the_picture(engine, x, w, shift):
    """With a circular margin, f(shift(x)) = shift(f(x)) for every shift."""


odd = st.sampled_from([1, 3])


@given(data=st.data(), k=st.tuples(odd, odd), size=st.tuples(st.integers(3, 4), st.integers(3, 4)))
def test_on_a_torus_convolution_moves_with_the_picture(engine, data, k, size):
    """The same in two dimensions, for kernels that are not square: the size stays, and the picture may be moved."""


@given(
    x=whole(1, 1, 6, 6), w=whole(1, 1, 1, 1), stride=st.tuples(st.sampled_from([1, 2, 3]), st.sampled_from([1, 2, 3]))
)
def test_a_stride_moves_by_one_place_for_s_pixels(engine, x, w, stride):
    """With stride s, a picture moved by s pixels gives an output moved by one place, on each axis by itself."""


@given(x=whole(1, 2, 4, 5), w=whole(2, 2, 2, 2))
def test_turning_picture_and_kernel_turns_the_output(engine, x, w):
    """conv(turn(x), turn(w)) = turn(conv(x, w)): what a convolution does not do by itself, it does with its kernel."""


@given(case=convolutions(axes=2, batch=1, channels=1), data=st.data())
def test_a_kernel_with_a_single_1_picks_a_window_cell(engine, case, data):
    """If w is 1 at tap (i, j) and 0 elsewhere, output (h, v) is the padded input at (h s + i d, v s + j d)."""


@given(case=convolutions(axes=2, batch=3))
def test_an_image_does_not_know_the_others(engine, case):
    """Each image of a batch gives what it gives alone."""


@given(case=convolutions(axes=2, channels=3))
def test_a_kernel_makes_its_own_channel(engine, case):
    """Output channel o comes from kernel o alone."""


@given(x=whole(1, 1, 5, 5), w=whole(1, 1, 2, 2), down=st.integers(0, 2), right=st.integers(0, 2))
def test_a_crop_of_the_picture_gives_a_crop_of_the_output(engine, x, w, down, right):
    """Without a margin: cut rows and columns off in front, and the same are cut off the output."""


@given(data=st.data(), tiles=st.integers(1, 3), turns=st.integers(1, 3))
def test_a_tiled_convolution_moves_by_its_period(engine, data, tiles, turns):
    """With t kernels that take turns, a picture moved by t pixels gives an output moved by t places (on a ring)."""
