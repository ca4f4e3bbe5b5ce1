"""The laws of chapter 7: properties that get the student's operator as their argument.

They are loaded as a student's file is, by `grade.load`, so that they are tried as often and shrunk as the runner says.
"""

from __future__ import annotations

from typing import Any

import minitensor as mt
from minitensor import Tensor, gradients
from tests.exercises.kit import (
    close,
    convolutions,
    given,
    inner,
    lines,
    np,
    numeric_gradient,
    reals,
    same,
    st,
    values,
    whole,
)


def gradient(f: Any, x: Any, seed: Any = None) -> Any:
    x = Tensor(x)
    return gradients(f(x), [x], seed)[0].data


# 1 roll(x, shift)


@given(x=whole(5), a=st.integers(-7, 7), b=st.integers(-7, 7))
def rolls_add_up(roll: Any, x: Any, a: int, b: int) -> None:
    """roll(roll(x, a), b) = roll(x, a + b), and roll(x, 0) = x."""
    same(roll(roll(x, a), b), roll(x, a + b))
    same(roll(x, 0), x)


@given(x=whole(5))
def a_roll_by_one_moves_to_the_right(roll: Any, x: Any) -> None:
    """roll(x, 1)[i] = x[i - 1]."""
    same(roll(x, 1), x[[4, 0, 1, 2, 3]])


@given(x=whole(5), g=whole(5), shift=st.integers(-7, 7))
def the_gradient_rolls_back(roll: Any, x: Any, g: Any, shift: int) -> None:
    """The gradient of roll(x, shift) for the seed g is roll(g, -shift)."""
    same(gradient(lambda x: roll(x, shift), x, g), roll(g, -shift))


# 2 blur(x): each element becomes the mean of itself and its two neighbours, on a ring


@given(x=whole(6).map(lambda x: 3 * x), shift=st.integers(0, 5))
def a_blur_moves_with_the_picture(blur: Any, x: Any, shift: int) -> None:
    """blur(roll(x)) = roll(blur(x))."""
    close(blur(np.roll(x, shift)), np.roll(values(blur(x)), shift))


@given(x=whole(6), y=whole(6))
def a_blur_is_linear_and_its_own_adjoint(blur: Any, x: Any, y: Any) -> None:
    """blur(x + 2y) = blur(x) + 2 blur(y), and <blur(x), y> = <x, blur(y)>."""
    close(blur(x + 2 * y), values(blur(x)) + 2 * values(blur(y)))
    close(inner(blur(x), y), inner(x, blur(y)))


@given(x=whole(6))
def a_blur_keeps_the_sum_and_reaches_three_cells(blur: Any, x: Any) -> None:
    """The sum stays; a single 1 becomes three equal numbers."""
    close(values(blur(x)).sum(), x.sum())
    close(blur(np.eye(6)[2]), [0, 1 / 3, 1 / 3, 1 / 3, 0, 0])


@given(x=whole(6), g=whole(6))
def the_gradient_of_a_blur_is_blurred(blur: Any, x: Any, g: Any) -> None:
    """Being its own adjoint, it has the gradient blur(g) for the seed g."""
    close(gradient(blur, x, g), blur(g))


# 3 output_size(n, k, stride, padding, dilation)


@given(lines())
def an_exact_fit_has_m_places(output_size: Any, line: Any) -> None:
    """(m - 1) s + d (k - 1) + 1 - 2p inputs, and a rest of less than s, give m places."""
    assert output_size(line.n, line.k, line.stride, line.padding, line.dilation) == line.m


@given(line=lines(), more=st.integers(0, 3))
def a_stride_more_is_a_place_more(output_size: Any, line: Any, more: int) -> None:
    """s more inputs make one more place."""
    n, *rest = line.n, line.k, line.stride, line.padding, line.dilation
    assert output_size(n + more * line.stride, *rest) == output_size(n, *rest) + more


@given(k=st.integers(2, 5), stride=st.integers(1, 4), dilation=st.integers(1, 3))
def too_large_is_a_value_error(output_size: Any, k: int, stride: int, dilation: int) -> None:
    """A kernel that covers one cell more than the input is a ValueError."""
    try:
        size = output_size(dilation * (k - 1), k, stride, 0, dilation)
    except ValueError:
        return
    raise AssertionError(f"a kernel that does not fit has size {size}")


# 4 leaky(x): a primitive of your own, x where x > 0, else x / 10


@given(x=whole(4))
def leaky_has_its_values(leaky: Any, x: Any) -> None:
    """x where x > 0, else x / 10."""
    close(leaky(x), np.where(x > 0, x, x / 10))


@given(x=reals(4).map(lambda x: np.where(np.abs(x) < 0.1, 1.0, x)), g=whole(4))
def leaky_has_its_slope(leaky: Any, x: Any, g: Any) -> None:
    """Its gradient is its slope, for every seed, and its second derivative is 0."""
    close(gradient(leaky, x, g), numeric_gradient(leaky, x, g))
    t = Tensor(x)
    (first,) = gradients((leaky(t) * t).sum(), [t])
    close(gradients(first, [t])[0], 2 * np.where(x > 0, 1, 0.1))


# 5 stable_softmax(x), of a vector


@given(x=reals(4), c=st.sampled_from([-1e5, -1.0, 0.0, 1.0, 1e5]))
def softmax_is_a_distribution_and_knows_differences_only(stable_softmax: Any, x: Any, c: float) -> None:
    """Positive numbers with sum 1; softmax(x + c) = softmax(x)."""
    y = values(stable_softmax(x + c))
    assert (y > 0).all()
    close(y.sum(), 1.0)
    close(y, stable_softmax(x))


@given(x=reals(4))
def ratios_are_exponentials(stable_softmax: Any, x: Any) -> None:
    """softmax(x)[i] / softmax(x)[j] = exp(x[i] - x[j])."""
    y = values(stable_softmax(x))
    close(y[1:] / y[:-1], np.exp(np.diff(x)))


@given(x=reals(4), g=whole(4))
def softmax_has_its_slope(stable_softmax: Any, x: Any, g: Any) -> None:
    """Its gradient is its slope."""
    close(gradient(stable_softmax, x, g), numeric_gradient(stable_softmax, x, g))


# 6 convolve(x, w): x (n), w (k), made of Tensor operators


@given(x=whole(6), w=whole(3), v=whole(3))
def convolve_is_linear_in_the_kernel(convolve: Any, x: Any, w: Any, v: Any) -> None:
    """convolve(x, w + 2v) = convolve(x, w) + 2 convolve(x, v)."""
    same(convolve(x, w + 2 * v), values(convolve(x, w)) + 2 * values(convolve(x, v)))


@given(x=whole(6), i=st.integers(0, 2))
def a_single_1_picks(convolve: Any, x: Any, i: int) -> None:
    """With w = 1 at i and 0 elsewhere, output h is x[h + i]."""
    same(convolve(x, np.eye(3)[i]), x[i : i + 4])


@given(x=whole(6), w=whole(2), g=whole(5))
def both_gradients_are_adjoints(convolve: Any, x: Any, w: Any, g: Any) -> None:
    """<convolve(x, w), g> = <x, dx> = <w, dw>."""
    tx, tw = Tensor(x), Tensor(w)
    y = convolve(tx, tw)
    dx, dw = gradients(y, [tx, tw], g)
    assert inner(y, g) == inner(x, dx) == inner(w, dw)


# 7 stamp(g, w, n): the adjoint of convolve by its input


@given(x=whole(6), w=whole(3), g=whole(4))
def stamp_is_the_adjoint(stamp: Any, x: Any, w: Any, g: Any) -> None:
    """<convolve(x, w), g> = <x, stamp(g, w, 6)>, for minitensor's own convolution."""
    y = mt.conv1d(x[None, None], w[None, None]).data[0, 0]
    assert inner(y, g) == inner(x, stamp(g, w, 6))


@given(g=whole(3), w=whole(2), seed=whole(4))
def the_gradient_of_stamp_convolves(stamp: Any, g: Any, w: Any, seed: Any) -> None:
    """The adjoint of the adjoint is the convolution: the gradient of stamp by g, for a seed, convolves the seed."""
    same(gradient(lambda g: stamp(g, w, 4), g, seed), mt.conv1d(seed[None, None], w[None, None])[0, 0])


# 8 pool(x, k): the largest of each k neighbours side by side; x (n), n a multiple of k


@given(data=st.data(), k=st.integers(1, 3), places=st.integers(1, 3))
def a_pool_is_one_of_its_window_and_no_less(pool: Any, data: Any, k: int, places: int) -> None:
    """Each output is in its window, and not less than anything there."""
    x = data.draw(whole(k * places))
    y = values(pool(x, k))
    assert y.shape == (places,)
    for window, largest in zip(x.reshape(places, k), y, strict=True):
        assert largest in window
        assert (largest >= window).all()


@given(x=whole(6), g=whole(3))
def a_pool_pays_once(pool: Any, x: Any, g: Any) -> None:
    """Each window gets back what its output got, and only its largest cells get any of it."""
    dx = gradient(lambda x: pool(x, 2), x, g)
    close(dx.reshape(3, 2).sum(axis=1), g)
    assert not dx[x < np.repeat(x.reshape(3, 2).max(axis=1), 2)].any()


# 9 local(x, w): a kernel of its own for each place; x (n), w (places, k)


@given(case=convolutions(batch=1, channels=1))
def tied_it_is_a_convolution(local: Any, case: Any) -> None:
    """With the same kernel everywhere it is minitensor's convolution."""
    x, w = case.x[0, 0], case.w[0, 0]
    if len(x) >= len(w):
        expected = mt.conv1d(x[None, None], w[None, None])[0, 0]
        same(local(x, np.tile(w, (expected.shape[0], 1))), expected)


@given(x=whole(5), w=whole(4, 2), h=st.integers(0, 3), shift=whole(2))
def each_kernel_has_its_place(local: Any, x: Any, w: Any, h: int, shift: Any) -> None:
    """Changing kernel h changes output h, by <change, window h>, and no other."""
    changed = w.copy()
    changed[h] += shift
    expected = np.zeros(4)
    expected[h] = shift @ x[h : h + 2]
    same(values(local(x, changed)) - values(local(x, w)), expected)


@given(x=whole(5), w=whole(4, 2), g=whole(4))
def the_gradients_of_local_are_adjoints(local: Any, x: Any, w: Any, g: Any) -> None:
    """<local(x, w), g> = <x, dx> = <w, dw>."""
    tx, tw = Tensor(x), Tensor(w)
    y = local(tx, tw)
    dx, dw = gradients(y, [tx, tw], g)
    assert inner(y, g) == inner(x, dx) == inner(w, dw)


# 10 turning(x, w): x (n, n), w (k, k): something that a quarter turn of the picture turns, and nothing more


@given(x=whole(4, 4), w=whole(2, 2))
def it_turns_with_the_picture(turning: Any, x: Any, w: Any) -> None:
    """turning(turn(x), w) = turn(turning(x, w)), which a convolution does not do."""
    same(turning(np.rot90(x).copy(), w), np.rot90(values(turning(x, w))))


@given(x=whole(4, 4), w=whole(2, 2), y=whole(4, 4), v=whole(2, 2))
def it_is_linear_in_both(turning: Any, x: Any, w: Any, y: Any, v: Any) -> None:
    """In the picture and in the kernel."""
    same(turning(x + y, w), values(turning(x, w)) + values(turning(y, w)))
    same(turning(x, w + v), values(turning(x, w)) + values(turning(x, v)))


@given(w=whole(2, 2), row=st.integers(1, 2), column=st.integers(1, 2))
def every_tap_counts(turning: Any, w: Any, row: int, column: int) -> None:
    """A single 1 in the middle gives an output with the sum 4 * sum(w), in at most 3 x 3 cells."""
    x = np.zeros((4, 4))
    x[row, column] = 1
    y = values(turning(x, w))
    assert y.shape == (3, 3)
    assert y.sum() == 4 * w.sum()


@given(x=whole(4, 4), w=whole(2, 2), g=whole(3, 3))
def the_gradients_of_turning_are_adjoints(turning: Any, x: Any, w: Any, g: Any) -> None:
    """<turning(x, w), g> = <x, dx> = <w, dw>."""
    tx, tw = Tensor(x), Tensor(w)
    y = turning(tx, tw)
    dx, dw = gradients(y, [tx, tw], g)
    assert inner(y, g) == inner(x, dx) == inner(w, dw)
