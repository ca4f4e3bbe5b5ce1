"""Chapter 3: equivariance."""

from tests.exercises.kit import convolutions, given, np, same, st, values, whole


def roll(x, *shift):
    """x moved to the right (and down), round to the other side."""
    return np.roll(values(x), shift, axis=tuple(range(-len(shift), 0)))


@given(x=whole(1, 2, 5), w=whole(2, 2, 3), shift=st.integers(0, 4))
def test_on_a_ring_convolution_moves_with_the_picture(engine, x, w, shift):
    """With a circular margin, f(shift(x)) = shift(f(x)) for every shift."""

    def f(x):
        return engine.conv1d(x, w, padding=1, padding_mode="circular")

    same(f(roll(x, shift)), roll(f(x), shift))


odd = st.sampled_from([1, 3])


@given(data=st.data(), k=st.tuples(odd, odd), size=st.tuples(st.integers(3, 4), st.integers(3, 4)))
def test_on_a_torus_convolution_moves_with_the_picture(engine, data, k, size):
    """The same in two dimensions, for kernels that are not square: the size stays, and the picture may be moved."""
    x, w = data.draw(whole(1, 1, *size)), data.draw(whole(1, 1, *k))
    shift = data.draw(st.tuples(st.integers(0, 3), st.integers(0, 3)))

    def f(x):
        return engine.conv2d(x, w, padding=(k[0] // 2, k[1] // 2), padding_mode="circular")

    assert f(x).shape == x.shape
    same(f(roll(x, *shift)), roll(f(x), *shift))


@given(
    x=whole(1, 1, 6, 6), w=whole(1, 1, 1, 1), stride=st.tuples(st.sampled_from([1, 2, 3]), st.sampled_from([1, 2, 3]))
)
def test_a_stride_moves_by_one_place_for_s_pixels(engine, x, w, stride):
    """With stride s, a picture moved by s pixels gives an output moved by one place, on each axis by itself."""

    def f(x):
        return engine.conv2d(x, w, stride=stride)

    same(f(roll(x, *stride)), roll(f(x), 1, 1))


@given(x=whole(1, 2, 4, 5), w=whole(2, 2, 2, 2))
def test_turning_picture_and_kernel_turns_the_output(engine, x, w):
    """conv(turn(x), turn(w)) = turn(conv(x, w)): what a convolution does not do by itself, it does with its kernel."""

    def turn(x):
        return np.rot90(values(x), axes=(2, 3))

    same(engine.conv2d(turn(x), turn(w)), turn(engine.conv2d(x, w)))


@given(case=convolutions(axes=2, batch=1, channels=1), data=st.data())
def test_a_kernel_with_a_single_1_picks_a_window_cell(engine, case, data):
    """If w is 1 at tap (i, j) and 0 elsewhere, output (h, v) is the padded input at (h s + i d, v s + j d)."""
    (si, sj), (pi, pj), (di, dj) = (case.settings[name] for name in ("stride", "padding", "dilation"))
    i, j = (data.draw(st.integers(0, k - 1)) for k in case.w.shape[2:])
    w = np.zeros(case.w.shape)
    w[0, 0, i, j] = 1
    padded = np.pad(case.x, [(0, 0), (0, 0), (pi, pi), (pj, pj)])
    rows, columns = case.lines
    expected = padded[:, :, i * di :: si, j * dj :: sj][:, :, : rows.m, : columns.m]
    same(engine.conv2d(case.x, w, **case.settings), expected)


@given(case=convolutions(axes=2, batch=3))
def test_an_image_does_not_know_the_others(engine, case):
    """Each image of a batch gives what it gives alone."""
    together = values(engine.conv2d(case.x, case.w, **case.settings))
    for n in range(len(case.x)):
        same(together[n : n + 1], engine.conv2d(case.x[n : n + 1], case.w, **case.settings))


@given(case=convolutions(axes=2, channels=3))
def test_a_kernel_makes_its_own_channel(engine, case):
    """Output channel o comes from kernel o alone."""
    together = values(engine.conv2d(case.x, case.w, **case.settings))
    for o in range(len(case.w)):
        same(together[:, o : o + 1], engine.conv2d(case.x, case.w[o : o + 1], **case.settings))


@given(x=whole(1, 1, 5, 5), w=whole(1, 1, 2, 2), down=st.integers(0, 2), right=st.integers(0, 2))
def test_a_crop_of_the_picture_gives_a_crop_of_the_output(engine, x, w, down, right):
    """Without a margin: cut rows and columns off in front, and the same are cut off the output."""
    same(engine.conv2d(x[:, :, down:, right:], w), values(engine.conv2d(x, w))[:, :, down:, right:])


@given(data=st.data(), tiles=st.integers(1, 3), turns=st.integers(1, 3))
def test_a_tiled_convolution_moves_by_its_period(engine, data, tiles, turns):
    """With t kernels that take turns, a picture moved by t pixels gives an output moved by t places (on a ring)."""
    x, w = data.draw(whole(1, 1, tiles * turns)), data.draw(whole(1, 1, tiles, 1))

    def f(x):
        return engine.tiled_conv1d(x, w)

    same(f(roll(x, tiles)), roll(f(x), tiles))
