"""Chapter 5.  Pooling: windows, maxima and means.

Each function below says in its first line what holds.  For which cases is yours to say: put a @given above it, add its
arguments, and write it down.  It must pass for the right engine, and fail for some of the bugs:

    python -m tests.exercises run 5
    python -m tests.exercises hint 5

You may write further properties: any function test_...(engine, ...) is graded.

    max_pool1d(x, k, *, stride=None, padding=0)    x (N, C, W); without a stride, windows lie side by side
    max_pool2d(x, (kh, kw), *, stride=(sh, sw), padding=(ph, pw))
    avg_pool1d(x, k, *, stride=None, padding=0, ceil_mode=False, count_include_pad=True)
    lp_pool1d(x, k, *, norm=2)    (sum of |x|^p)^(1/p), for p = norm
    maxout(x, pieces)    x (N, C): the largest of each run of `pieces` channels

A tie may send its gradient to any of the largest cells, or share it among them.

pool_lines() draws settings that fit: line.n cells, line.k, line.stride, line.padding, and line.m, the number of places.
Without the padding, take line.n + 2 * line.padding cells.  same(a, b) where numbers are only chosen, close(a, b) where
they are computed: a third is not exact.
"""

# ruff: noqa: F401 (you will need these)
from tests.exercises.kit import close, given, inner, np, pool_lines, reals, same, st, values, whole


def test_max_pooling_finds_the_largest(engine):
    """Each output is the largest of the cells of x in its window; the margin never wins."""


def test_windows_lie_side_by_side_unless_told(engine):
    """Without a stride the windows do not overlap."""


def test_two_dimensions_are_one_after_the_other(engine):
    """The largest of a window is the largest of its rows' largest: pool along each axis by itself."""


def test_what_flows_in_flows_out(engine):
    """Max pooling hands each gradient to some cell of its window: each image gets back what its outputs got."""


def test_nan_is_not_lost(engine):
    """A window with a NaN in it has no largest value: the output is NaN, so that the mistake is seen."""


def test_the_mean_of_equals_is_their_value(engine):
    """If the margin does not count, the mean of a constant picture is that constant, in partial windows too."""


def test_what_lies_beyond_the_margin_never_counts(engine):
    """Without a margin, a last window that reaches beyond the input (ceil_mode) is the mean of what it does see."""


def test_the_gradient_of_a_mean_is_its_adjoint(engine):
    """A mean is linear: <pool(x), g> = <x, dx>."""


def test_a_norm_does_not_know_signs(engine):
    """pool(-x) = pool(x) = pool(|x|), for every norm."""


def test_maxout_takes_the_largest_of_each_run(engine):
    """Output channel o is the largest of the channels o * pieces, ..., o * pieces + pieces - 1."""
