"""Two hints for each exercise: the first says where to look, the second how to write it."""

HINTS: dict[str, dict[str, tuple[str, str]]] = {
    "sizes": {
        "test_a_kernel_as_wide_as_the_input_has_one_place": (
            "The line stands in the text above: it asks the engine for the size, and says what it must be.",
            "assert engine.conv_output_size(d + 1, 2, dilation=d) == 1",
        ),
        "test_the_size_counts_windows": (
            "You need no formula: slide a window along the padded input and count for how many starts it still fits.",
            "Starts are 0, s, 2s, ...; a window that starts at a fits if a + d(k - 1) + 1 <= n + 2p.",
        ),
        "test_a_margin_is_a_longer_input": (
            "Ask the engine twice: once with padding, once for an input that is longer.",
            "size(n, k, s, p) == size(n + 2p, k, s).",
        ),
        "test_a_kernel_that_does_not_fit_is_an_error": (
            "Build the case so that it is always too large: choose k and d, and make n smaller than what they cover.",
            "refuses(engine.conv_output_size, n, k, stride, 0, dilation); try strides greater than 1 too.",
        ),
        "test_rounding_up_adds_a_window_that_starts_inside": (
            "Compare the size with and without ceil_mode. When may they differ, and by how much?",
            "One more if line.rest > 0 and its start, floor * s, lies before n + p. Draw with pool_lines().",
        ),
        "test_a_transposed_convolution_undoes_the_size": (
            "Several lengths n lead to the same m. line.rest says which of them it was.",
            "conv_transpose_output_size(m, k, s, p, rest, d) == n.",
        ),
        "test_same_padding_keeps_the_size": (
            "d(k - 1) cells are lost. Two equal sides can bring them back if that number is even.",
            "n + 2 p - d(k - 1) == n where it is even, a ValueError where it is odd.",
        ),
        "test_the_receptive_field_is_what_one_output_reads": (
            "Start from one position behind the last layer and ask what it reads; then what those read.",
            "From the last layer: positions = {place * s + tap * d for place in positions for tap in range(k)}.",
        ),
    },
    "gradients": {
        "test_each_taking_brings_a_gradient": (
            "What is the gradient of x[2] + x[2] + x[0]?",
            "gradients(take(x, places), [x]) counts: places.count(i) for element i.",
        ),
        "test_the_gradient_of_the_bias_is_a_sum": (
            "Use more than one image, and a seed that is not all ones.",
            "seed.sum(axis=(0, 2)); draw the seed with data.draw(whole(*y.shape)).",
        ),
        "test_the_gradient_by_the_input_is_the_adjoint": (
            "No finite differences are needed where a function is linear: its gradient is its adjoint.",
            "inner(y, seed) == inner(x, dx), exactly; convolutions() draws strides, margins and dilations.",
        ),
        "test_the_gradient_by_the_kernel_is_the_adjoint": (
            "The same law, by w; convolutions(axes=2, groups=2) draws kernels that are not square.",
            "inner(y, seed) == inner(w, dw).",
        ),
        "test_the_gradient_by_the_kernel_is_the_adjoint_in_one_dimension": (
            "The same law for conv1d. How many images do your cases have?",
            "inner(y, seed) == inner(w, dw) with conv1d and case.settings.",
        ),
        "test_a_dense_layer_takes_vectors_and_batches": (
            "batch is what stands before the channels in x's shape: nothing, (1,) or (3,).",
            "x = data.draw(whole(*batch, c)), w = data.draw(whole(o, c)); then the adjoint by w.",
        ),
        "test_gradients_are_slopes": (
            "Finite differences know what a derivative is. Which seed do you use?",
            "close(dx, numeric_gradient(f, x, seed)) with a drawn seed.",
        ),
        "test_gradients_over_a_batch_are_slopes": (
            "numeric_gradient needs a function of x alone. And what is 1 / sqrt(variance) of three equal images?",
            "lambda x: engine.batch_norm(x, np.ones(2), np.zeros(2), eps=1.0), with the seed; cross_entropy without.",
        ),
        "test_second_derivatives_are_slopes_of_the_first": (
            "gradients returns Tensors: differentiate them again, with a seed.",
            "close(second, numeric_gradient(first, x, seed)), where first(x) is the gradient of tanh at x.",
        ),
    },
    "equivariance": {
        "test_on_a_ring_convolution_moves_with_the_picture": (
            "np.roll is the shift; it goes round, so the margin must go round too.",
            'f = conv1d(x, w, padding=1, padding_mode="circular") for kernels of length 3.',
        ),
        "test_on_a_torus_convolution_moves_with_the_picture": (
            "Do not make everything square: draw both sides of the picture and of the kernel.",
            "padding=(kh // 2, kw // 2) keeps the size for odd kernels; check the shape before you compare.",
        ),
        "test_a_stride_moves_by_one_place_for_s_pixels": (
            "With stride s an output is one of s pixels. How far must the picture move?",
            "A 6 x 6 picture and a 1 x 1 kernel: roll by (sh, sw) and the output rolls by (1, 1).",
        ),
        "test_turning_picture_and_kernel_turns_the_output": (
            "np.rot90(x, axes=(2, 3)) turns pictures and kernels alike.",
            "conv2d(turn(x), turn(w)) == turn(conv2d(x, w)), without a margin.",
        ),
        "test_a_kernel_with_a_single_1_picks_a_window_cell": (
            "Laws of symmetry do not see a flipped kernel. A kernel with a single 1 does: what does it compute?",
            "padded[:, :, i * di :: si, j * dj :: sj], cut to the number of places.",
        ),
        "test_an_image_does_not_know_the_others": (
            "Compute a batch, then each of its images alone.",
            "same(together[n : n + 1], conv2d(x[n : n + 1], ...)).",
        ),
        "test_a_kernel_makes_its_own_channel": (
            "Compute all output channels, then each kernel alone.",
            "same(together[:, o : o + 1], conv2d(x, w[o : o + 1], ...)).",
        ),
        "test_a_crop_of_the_picture_gives_a_crop_of_the_output": (
            "Without a margin, shifting is cropping.",
            "conv2d(x[:, :, a:, b:], w) == conv2d(x, w)[:, :, a:, b:].",
        ),
        "test_a_tiled_convolution_moves_by_its_period": (
            "After how many places is the first kernel's turn again?",
            "With t kernels and a picture of t * turns pixels, roll by t.",
        ),
    },
    "sharing": {
        "test_a_bias_moves_its_own_channel": (
            "What does the bias change? Subtract what is there without it.",
            "The difference is b.reshape(-1, 1) everywhere, in each image; use groups too.",
        ),
        "test_equal_kernels_everywhere_are_a_convolution": (
            "Give a locally connected layer the same kernel at each place.",
            "kernels = np.broadcast_to(w.reshape(o, c, 1, k), (o, c, places, k)).",
        ),
        "test_each_place_uses_its_own_kernel": (
            "Let all kernels be 0 but one.",
            "The result is the convolution's at that place, and 0 elsewhere.",
        ),
        "test_the_gradient_of_a_shared_kernel_is_the_sum_over_its_places": (
            "Unshare it: a copy of the kernel for each place, each with its own gradient.",
            "dw == dcopies.sum(axis=2), for the same seed.",
        ),
        "test_groups_are_convolutions_side_by_side": (
            "Cut x and w into groups, convolve each, and lay the results side by side.",
            "np.split(x, g, axis=1), np.split(w, g), and np.concatenate(parts, axis=1).",
        ),
        "test_the_number_of_parameters_is_the_size_of_the_arrays": (
            "nets.Conv1d makes the arrays: count their elements.",
            "layer.weight.size + layer.bias.size; draw groups as well.",
        ),
        "test_using_a_layer_again_adds_no_parameters": (
            "nets.Sequential(layer, layer) uses one layer twice.",
            "count_parameters(nets.Sequential(*[layer] * uses)) does not depend on uses.",
        ),
        "test_a_step_moves_a_shared_parameter_once": (
            "Let two layers hold the same Tensor, make a step, and look at both.",
            "layer.weight is twin.weight still, and it is the old one minus rate * slope.",
        ),
    },
    "pooling": {
        "test_max_pooling_finds_the_largest": (
            "List the cells of each window and leave out those in the margin. Let x be negative sometimes.",
            "range(h * s - p, h * s - p + k), cells with 0 <= i < n, and max() of them.",
        ),
        "test_windows_lie_side_by_side_unless_told": (
            "Where does each window begin? Choose how many there are, and make x as long as that.",
            "x.reshape(1, 1, places, k).max(axis=3).",
        ),
        "test_two_dimensions_are_one_after_the_other": (
            "The largest of a rectangle is the largest of its rows' largest. Use different settings for each axis.",
            "Rows can stand in for channels: max_pool1d(x[0], ...) pools each row; exchange the axes and pool again.",
        ),
        "test_what_flows_in_flows_out": (
            "You cannot know who gets the gradient at a tie, but how much there is of it.",
            "For each image dx.sum(axis=2) is close to seed.sum(axis=2): shares may be thirds. Make many ties.",
        ),
        "test_nan_is_not_lost": (
            "Put one NaN into x.",
            "Exactly the windows that cover it are NaN.",
        ),
        "test_the_mean_of_equals_is_their_value": (
            "Which settings let a window see fewer than k cells?",
            "count_include_pad=False, with margins and with ceil_mode.",
        ),
        "test_what_lies_beyond_the_margin_never_counts": (
            "ceil_mode lets a last window reach beyond the input.",
            "Without padding, with the default count_include_pad: a constant picture stays constant.",
        ),
        "test_the_gradient_of_a_mean_is_its_adjoint": (
            "It is the law of chapter 2. Thirds are not exact; and which settings change what is divided by?",
            "inner(y, seed) and inner(x, dx) are close, for all settings.",
        ),
        "test_a_norm_does_not_know_signs": (
            "For which norms is x^p the same as |x|^p, so that nothing can be seen?",
            "close, not same, for norm 1, 2, 3: pool(-x) and pool(x), pool(|x|) and pool(x).",
        ),
        "test_maxout_takes_the_largest_of_each_run": (
            "Which channels compete? Those side by side.",
            "max(x[n, o * pieces : (o + 1) * pieces]).",
        ),
    },
    "engine": {
        "test_a_value_used_again_gets_more": (
            "x + x + x.",
            "The gradient is the number of times.",
        ),
        "test_any_program_has_its_slope": (
            "Draw a list of steps; each makes a new result of two earlier ones: values are used again, in any order.",
            "Compare with numeric_gradient of the same program.",
        ),
        "test_a_second_pass_gives_the_same": (
            "Ask for the same gradients twice.",
            "There must be an inner value: (x + y) * (x * x).",
        ),
        "test_every_operator_has_its_derivative": (
            "mean and maximum, behind another operator.",
            "Compare with numeric_gradient, away from the maximum's kink.",
        ),
        "test_a_number_may_stand_on_the_left": (
            "engine.subtract takes a number on either side.",
            "same(engine.subtract(number, t), number - x).",
        ),
        "test_a_gradient_looks_like_its_input": (
            "Add Tensors of different shapes and dtypes, and ask for a gradient by a Tensor that was not used.",
            "Shape and dtype of the input, each element z.size / t.size; zeros for the unused one.",
        ),
        "test_a_seed_is_what_arrives_first": (
            "The third argument of gradients.",
            "For x * y and the seed g: g * y and g * x.",
        ),
        "test_a_tensor_keeps_its_value": (
            "Change the array after the Tensor was made.",
            "x += 1; the Tensor and the gradient of t * t have the old values.",
        ),
        "test_gradients_do_not_share_their_arrays": (
            "A sum hands the same gradient to both of its inputs. What if one of them gets more later?",
            "(x z) + (x + y): y's gradient is 1, x's is 1 + z.",
        ),
        "test_a_gradient_can_be_differentiated": (
            "Gradients have recipes too.",
            "gradients(gradients(x * x)) is 2.",
        ),
        "test_a_long_chain_has_a_gradient": (
            "Thousands of operators, one after the other.",
            "Use @settings(max_examples=3) above @given: one case is enough, many are slow. More than 5000 steps.",
        ),
        "test_dropout_keeps_the_mean": (
            "What is left of an array of ones?",
            "Every value is 0 or 1 / (1 - p); the part of zeros is near p. Try other p than 0.5.",
        ),
        "test_softmax_knows_differences_only": (
            "Add the same number to all of x, a very large one.",
            "close(softmax(x + c), softmax(x)) for c up to 1e4, and down to -1e4.",
        ),
    },
    "operators": {
        "roll": ("Cut and join.", "concatenate([x[cut:], x[:cut]]) with cut = -shift % n."),
        "blur": ("You have just written roll.", "(roll(x, -1) + x + roll(x, 1)) / 3."),
        "output_size": ("Count the starts.", "(n + 2p - d(k - 1) - 1) // s + 1, after a look at its sign."),
        "leaky": (
            "See the docstring of minitensor.primitive.",
            "leaky.defvjp(lambda g, out, x: g * where(x > 0, 1, 0.1)).",
        ),
        "stable_softmax": ("Subtract something that changes nothing.", "x - x.data.max(), then exp."),
        "convolve": ("minitensor.windows shows all patches.", 'einsum("hi,i->h", windows(x, k), w).'),
        "stamp": ("The adjoint of windows is fold.", 'fold(einsum("h,i->hi", g, w), n).'),
        "pool": ("Reshape and reduce.", "x.reshape(-1, k).max(axis=1)."),
        "local": ("The kernel gained a letter.", 'einsum("hi,hi->h", windows(x, k), w).'),
        "turning": (
            "Turning picture and kernel turns the output. Then use all four kernels.",
            "Add the kernel's four turns up first.",
        ),
    },
}
