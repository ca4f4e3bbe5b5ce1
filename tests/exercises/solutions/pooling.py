"""Chapter 5: pooling."""

from tests.exercises.kit import close, given, inner, np, pool_lines, reals, same, st, values, whole


@given(line=pool_lines(), data=st.data())
def test_max_pooling_finds_the_largest(engine, line, data):
    """Each output is the largest of the cells of x in its window; the margin never wins."""
    x = data.draw(whole(1, 1, line.n))
    y = values(engine.max_pool1d(x, line.k, stride=line.stride, padding=line.padding))
    windows = [range(h * line.stride - line.padding, h * line.stride - line.padding + line.k) for h in range(line.m)]
    same(y, [[[max(x[0, 0, i] for i in window if 0 <= i < line.n) for window in windows]]])


@given(k=st.integers(1, 4), places=st.integers(1, 3), data=st.data())
def test_windows_lie_side_by_side_unless_told(engine, k, places, data):
    """Without a stride the windows do not overlap."""
    x = data.draw(whole(1, 1, places * k))
    same(engine.max_pool1d(x, k), x.reshape(1, 1, places, k).max(axis=3))


@given(rows=pool_lines(), columns=pool_lines(), data=st.data())
def test_two_dimensions_are_one_after_the_other(engine, rows, columns, data):
    """The largest of a window is the largest of its rows' largest: pool along each axis by itself."""
    x = data.draw(whole(1, 1, rows.n, columns.n))
    y = engine.max_pool2d(
        x, (rows.k, columns.k), stride=(rows.stride, columns.stride), padding=(rows.padding, columns.padding)
    )
    wide = values(engine.max_pool1d(x[0], columns.k, stride=columns.stride, padding=columns.padding))
    tall = engine.max_pool1d(wide.swapaxes(1, 2), rows.k, stride=rows.stride, padding=rows.padding)
    same(y, values(tall).swapaxes(1, 2)[None])


@given(line=pool_lines(), data=st.data())
def test_what_flows_in_flows_out(engine, line, data):
    """Max pooling hands each gradient to some cell of its window: each image gets back what its outputs got."""
    x = engine.tensor(data.draw(whole(2, 1, line.n, low=0, high=2)))
    y = engine.max_pool1d(x, line.k, stride=line.stride, padding=line.padding)
    seed = data.draw(whole(*y.shape))
    (dx,) = engine.gradients(y, [x], seed)
    close(values(dx).sum(axis=2), seed.sum(axis=2))


@given(x=whole(1, 1, 4), hole=st.integers(0, 3), k=st.integers(1, 4))
def test_nan_is_not_lost(engine, x, hole, k):
    """A window with a NaN in it has no largest value: the output is NaN, so that the mistake is seen."""
    x[0, 0, hole] = np.nan
    y = values(engine.max_pool1d(x, k, stride=1))[0, 0]
    assert [np.isnan(v) for v in y] == [h <= hole < h + k for h in range(len(y))]


@given(line=pool_lines(), extra=st.integers(0, 2), ceil_mode=st.booleans(), value=st.integers(1, 3))
def test_the_mean_of_equals_is_their_value(engine, line, extra, ceil_mode, value):
    """If the margin does not count, the mean of a constant picture is that constant, in partial windows too."""
    x = np.full((1, 1, line.n + extra), float(value))
    y = engine.avg_pool1d(
        x, line.k, stride=line.stride, padding=line.padding, ceil_mode=ceil_mode, count_include_pad=False
    )
    close(y, np.full(y.shape, float(value)))


@given(line=pool_lines(), value=st.integers(1, 3))
def test_what_lies_beyond_the_margin_never_counts(engine, line, value):
    """Without a margin, a last window that reaches beyond the input (ceil_mode) is the mean of what it does see."""
    x = np.full((1, 1, line.n), float(value))
    y = engine.avg_pool1d(x, min(line.k, line.n), stride=line.stride, ceil_mode=True)
    close(y, np.full(y.shape, float(value)))


@given(line=pool_lines(), ceil_mode=st.booleans(), include=st.booleans(), data=st.data())
def test_the_gradient_of_a_mean_is_its_adjoint(engine, line, ceil_mode, include, data):
    """A mean is linear: <pool(x), g> = <x, dx>."""
    x = engine.tensor(data.draw(whole(1, 1, line.n)))
    y = engine.avg_pool1d(
        x, line.k, stride=line.stride, padding=line.padding, ceil_mode=ceil_mode, count_include_pad=include
    )
    seed = data.draw(whole(*y.shape))
    (dx,) = engine.gradients(y, [x], seed)
    close(inner(y, seed), inner(x, dx))


@given(x=reals(1, 1, 4), norm=st.sampled_from([1, 2, 3]), k=st.integers(1, 4))
def test_a_norm_does_not_know_signs(engine, x, norm, k):
    """pool(-x) = pool(x) = pool(|x|), for every norm."""
    y = values(engine.lp_pool1d(np.abs(x), k, norm=norm))
    close(engine.lp_pool1d(x, k, norm=norm), y)
    close(engine.lp_pool1d(-x, k, norm=norm), y)


@given(data=st.data(), runs=st.integers(1, 3), pieces=st.integers(1, 3))
def test_maxout_takes_the_largest_of_each_run(engine, data, runs, pieces):
    """Output channel o is the largest of the channels o * pieces, ..., o * pieces + pieces - 1."""
    x = data.draw(whole(2, runs * pieces))
    same(engine.maxout(x, pieces), [[max(row[o * pieces : (o + 1) * pieces]) for o in range(runs)] for row in x])
