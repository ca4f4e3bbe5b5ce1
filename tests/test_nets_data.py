"""Data: digits, batches, distortions, and IDX files that may be hostile."""

from __future__ import annotations

import gzip
import math
import os
import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitensor.fast.memory import batch_last
from nets import Examples, batches, cifar10, digits, distort, mnist, read_idx, warp
from nets.data import idx as idx_files
from nets.data.cifar import DEVIATION, MEAN
from nets.data.distort import random_maps

from .checks import raises, same
from .strategies import rngs, shapes, whole

# -- digits and batches ------------------------------------------------------------------------------------------------


def test_digits_are_split_into_a_fifth_to_test_and_the_rest_to_learn_from():
    train, test = digits()
    assert train.images.shape == (1438, 1, 8, 8) and test.images.shape == (359, 1, 8, 8)
    assert train.images.dtype == np.float32
    assert np.unique(train.labels).tolist() == np.unique(test.labels).tolist() == list(range(10))
    assert train.images.min() == np.float32(-0.1) and train.images.max() == np.float32(1.175)
    assert not {image.tobytes() for image in train.images} & {image.tobytes() for image in test.images}


@pytest.mark.parametrize("size", [8, 15, 22, 32])
def test_enlarged_digits_keep_their_corners_and_stay_between_their_pixels(size):
    """Linear interpolation goes through the samples where it meets them: at 8 + 7k pixels, at every (k + 1)-th."""
    small, large = digits()[1].images, digits(size)[1].images
    assert large.shape == (359, 1, size, size) and large.dtype == np.float32
    same(large[..., [0, -1], 0], small[..., [0, -1], 0])
    if (size - 8) % 7 == 0:
        step = (size - 1) // 7
        np.testing.assert_allclose(large[..., ::step, ::step], small, atol=1e-6)
    assert large.min() >= small.min() - 1e-6 and large.max() <= small.max() + 1e-6


def test_digits_cannot_be_made_smaller():
    with raises(ValueError, "size (=7)", "8"):
        digits(7)


@given(st.integers(0, 20), st.integers(1, 8), st.none() | rngs)
def test_batches_hold_every_example_once_with_its_label(n, size, rng):
    data = Examples(10.0 * np.arange(n), np.arange(n))
    parts = list(batches(data, size, rng))
    labels = [label for part in parts for label in part.labels]
    assert sorted(labels) == list(range(n))
    assert rng is not None or labels == sorted(labels)
    assert [len(part.labels) for part in parts[:-1]] == [size] * (len(parts) - 1)
    for part in parts:
        same(part.images, 10.0 * part.labels)


def test_batches_of_what_does_not_belong_together_are_refused():
    with raises(ValueError, "batch_size (=0)"):
        batches(Examples(np.zeros(1), np.zeros(1)), 0)
    with raises(ValueError, "2 images", "3 labels"):
        batches(Examples(np.zeros(2), np.zeros(3)))
    with raises(TypeError, "train, test = digits()"):
        batches(digits())
    with raises(TypeError, "a pair, (images, labels)"):
        batches([np.zeros(2), np.zeros(2)])
    with raises(TypeError, "rng (=0)"):
        batches(Examples(np.zeros(1), np.zeros(1)), 1, rng=0)


# -- distortions -------------------------------------------------------------------------------------------------------

images = st.tuples(st.integers(1, 5), st.integers(1, 2), st.integers(1, 5), st.integers(1, 5))


def test_distortions_need_floats_and_a_generator():
    """Whole numbers, as a file has them, cannot be mixed; a seed would give the same maps at each step."""
    images = np.zeros((2, 1, 4, 4), np.uint8)
    with raises(TypeError, "floats", "uint8"):
        distort(images, np.random.default_rng(0))
    with raises(TypeError, "rng (=0)"):
        distort(images.astype(float), 0)


def warp_by_definition(images, matrices, shifts, fill):
    """Pixel by pixel."""
    n, _, height, width = images.shape
    share = math.ceil(n / len(matrices))
    centre = np.array([(height - 1) / 2, (width - 1) / 2])
    result = np.empty_like(images)
    for i in range(n):
        for place in np.ndindex(height, width):
            y, x = matrices[i // share] @ (np.array(place) - centre - shifts[i // share]) + centre
            total = 0.0
            for row in (math.floor(y), math.floor(y) + 1):
                for column in (math.floor(x), math.floor(x) + 1):
                    inside = 0 <= row < height and 0 <= column < width
                    value = images[i, :, row, column] if inside else fill
                    total = total + (1 - abs(y - row)) * (1 - abs(x - column)) * value
            result[i, :, place[0], place[1]] = total
    return result


@given(images, st.integers(1, 5), rngs)
def test_warping_in_groups_is_the_definition(shape, groups, rng):
    groups = min(groups, shape[0])
    x = rng.uniform(-1, 1, shape)
    matrices, shifts = rng.uniform(-1.5, 1.5, (groups, 2, 2)), rng.uniform(-2, 2, (groups, 2))
    expected = warp_by_definition(x, matrices, shifts, fill=0.5)
    np.testing.assert_allclose(warp(x, matrices, shifts, fill=0.5), expected, atol=1e-12)


@given(images, st.integers(-3, 3), st.integers(-3, 3), rngs)
def test_a_shift_by_whole_pixels_moves_them_and_fills_the_rest(shape, down, right, rng):
    (x,) = whole(rng, [shape])
    height, width = shape[2:]
    moved = np.full((*shape[:2], height + 6, width + 6), 7.0)
    moved[:, :, 3 + down : 3 + down + height, 3 + right : 3 + right + width] = x
    same(warp(x, np.eye(2)[None], np.array([[down, right]]), fill=7.0), moved[:, :, 3 : 3 + height, 3 : 3 + width])


@given(st.integers(1, 4), st.integers(1, 5), rngs)
def test_a_quarter_turn_is_numpys(n, size, rng):
    (x,) = whole(rng, [(n, 1, size, size)])
    quarter = np.array([[[0.0, 1.0], [-1.0, 0.0]]])
    same(warp(x, quarter, np.zeros((1, 2)), fill=7.0), np.rot90(x, axes=(2, 3)))


@given(images, st.integers(1, 6), rngs)
def test_no_distortion_changes_nothing(shape, share, rng):
    x = whole(rng, [shape])[0].astype(np.float32)
    same(distort(x, rng, degrees=0, scale=0, shear=0, shift=0, share=share), x)


@given(st.integers(1, 9), st.integers(1, 4), st.integers(0, 100))
def test_images_of_a_group_are_distorted_alike_and_groups_differ(n, share, seed):
    x = np.broadcast_to(np.arange(36.0).reshape(1, 1, 6, 6), (n, 1, 6, 6))
    y = distort(x, np.random.default_rng(seed), share=share)
    same(y, distort(x, np.random.default_rng(seed), share=share))
    groups = math.ceil(n / share)
    alike = [len(np.unique(y[i : i + math.ceil(n / groups)], axis=0)) for i in range(0, n, math.ceil(n / groups))]
    assert set(alike) == {1}
    assert len(np.unique(y, axis=0)) == len(alike)


@given(st.floats(1, 40), st.floats(0.1, 0.9), st.floats(0.1, 0.9), st.floats(0.1, 3), rngs)
def test_a_random_map_is_a_rotation_a_scale_and_a_slant_within_their_limits(degrees, scale, shear, shift, rng):
    """A = R S with S = [[1, 0], [k, 1]] / (1 + s): its second column is turned by R alone, its first is slanted too."""
    matrices, shifts = random_maps(rng, 50, degrees, scale, shear, shift)
    first, second = matrices[:, :, 0], matrices[:, :, 1]
    lengths = np.linalg.norm(second, axis=1)
    slants = (first * second).sum(axis=1) / lengths**2
    upright = first - slants[:, None] * second
    np.testing.assert_allclose(np.linalg.norm(upright, axis=1), lengths)
    np.testing.assert_allclose(np.linalg.det(matrices), lengths**2)
    angles = np.degrees(np.arctan2(-second[:, 0], second[:, 1]))
    for drawn, limit in (angles, degrees), (1 / lengths - 1, scale), (slants, shear), (shifts, shift):
        assert 0.5 * limit < np.abs(drawn).max() <= limit * (1 + 1e-9)


@given(images, rngs)
def test_distorted_images_stay_between_paper_and_ink_and_keep_their_dtype(shape, rng):
    x = rng.uniform(-0.1, 1.175, shape).astype(np.float32)
    y = distort(x, rng, degrees=40, scale=0.5, shear=0.5, shift=3)
    assert y.shape == shape and y.dtype == np.float32
    assert y.min() >= -0.1 - 1e-6 and y.max() <= 1.175 + 1e-6


@given(st.integers(1, 4), st.integers(1, 4), images, rngs)
def test_distorted_images_lie_in_memory_as_convolution_wants_them(groups, share, shape, rng):
    y = distort(np.zeros((groups * share, *shape[1:]), np.float32), rng, share=share)
    assert np.shares_memory(y, batch_last(y))


def test_a_list_of_images_is_distorted_as_an_array():
    images = [[[[0.0, 1.0], [2.0, 3.0]]]]
    same(distort(images, np.random.default_rng(0)), distort(np.array(images), np.random.default_rng(0)))


def test_impossible_distortions_are_refused():
    x, rng = np.zeros((2, 1, 4, 4)), np.random.default_rng(0)
    with raises(ValueError, "share (=0)"):
        distort(x, rng, share=0)
    with raises(ValueError, "scale (=1.0)"):
        distort(x, rng, scale=1.0)
    with raises(ValueError, (2, 4, 4)):
        distort(x[:, 0], rng)


# -- IDX files ---------------------------------------------------------------------------------------------------------

CODES = {"u1": 8, "i1": 9, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}


def idx(array: np.ndarray) -> bytes:
    header = bytes([0, 0, CODES[array.dtype.str[1:]], array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("idx") / "file"


@given(shapes(min_dims=1, min_side=0), st.sampled_from(sorted(CODES)), st.booleans(), rngs)
def test_an_array_survives_an_idx_file(path, shape, dtype, packed, rng):
    array = rng.integers(0, 100, shape).astype(dtype)
    path.write_bytes(gzip.compress(idx(array)) if packed else idx(array))
    same(read_idx(path), array)


@given(shapes(min_dims=1), st.booleans(), st.sampled_from([1, 2, 4, idx_files.CHUNK]), st.data())
def test_a_file_cut_short_or_too_long_is_refused(path, shape, packed, chunk, data):
    """In however many pieces it arrives, and with the lengths that there are and should be."""
    content = idx(np.zeros(shape, np.uint8))
    header, end = 4 + 4 * len(shape), data.draw(st.integers(0, len(content) - 1))
    why = (
        "begins with" if end < 4 else f"after {end - 4} of {header - 4} bytes" if end < header else f"{end - header} f"
    )
    for damaged, reason in (content[:end], why), (content + b"x", "and more follow"):
        path.write_bytes(gzip.compress(damaged) if packed else damaged)
        with pytest.MonkeyPatch.context() as patch, raises(ValueError, str(path), reason):
            patch.setattr(idx_files, "CHUNK", chunk)
            read_idx(path)


@given(shapes(min_dims=1), st.data())
def test_a_packed_file_cut_short_is_refused(path, shape, data):
    content = gzip.compress(idx(np.zeros(shape, np.uint8)))
    path.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
    with raises(ValueError, str(path)):
        read_idx(path)


@pytest.mark.parametrize("begin", [(0, 0, 8, 0), (0, 0, 7, 1), (0, 1, 8, 1), (1, 0, 8, 1)])
def test_a_file_begins_with_two_zeros_a_type_and_at_least_one_axis(path, begin):
    path.write_bytes(bytes(begin) + bytes(5))
    with raises(ValueError, str(path), f"begins with the bytes {list(begin)}"):
        read_idx(path)


@given(st.integers(1, 30), st.integers(0, 2))
def test_a_file_with_more_than_the_limit_is_refused(path, n, less):
    path.write_bytes(idx(np.zeros(n, np.uint8)))
    if less:
        with raises(ValueError, str(path), f"more than {n - less:,}"):
            read_idx(path, limit=n - less)
    else:
        assert len(read_idx(path, limit=n)) == n


@given(st.binary(max_size=40), st.booleans())
def test_any_bytes_give_an_array_or_a_clear_error(path, content, packed):
    path.write_bytes(gzip.compress(content) if packed else content)
    try:
        read_idx(path)
    except ValueError as error:
        assert str(path) in str(error)


def peak(path) -> int:
    tracemalloc.start()
    try:
        with raises(ValueError, str(path)):
            read_idx(path, limit=1 << 24)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("lengths", [(2**32 - 1,) * 4, (2**31, 2**31, 2), (1 << 24,), (1 << 12, 1 << 12)])
def test_a_header_that_lies_gets_no_memory(path, lengths):
    """Terabytes, more than 64 bits can count, and a size just within the limit: nothing is taken before it arrives."""
    path.write_bytes(bytes([0, 0, 8, len(lengths)]) + struct.pack(f">{len(lengths)}I", *lengths) + b"few")
    assert peak(path) < 4e6


def test_a_packed_file_cannot_deliver_more_than_its_header_says(path):
    path.write_bytes(gzip.compress(idx(np.zeros(3, np.uint8)) + bytes(1 << 26)))
    assert peak(path) < 4e6


def write_set(folder, images, labels, suffix="", packed=False):
    folder.mkdir()
    for part in ("train", "t10k"):
        for kind, array in (("images-idx3", images), ("labels-idx1", labels)):
            content = idx(array)
            name = f"{part}-{kind}-ubyte{suffix}"
            (folder / name).write_bytes(gzip.compress(content) if packed else content)


@pytest.mark.parametrize("packed", [False, True])
def test_mnist_reads_any_set_of_its_kind(tmp_path, packed):
    rng = np.random.default_rng(0)
    pictures, labels = rng.integers(0, 256, (7, 5, 6), np.uint8), rng.integers(0, 10, 7, np.uint8)
    write_set(tmp_path / "set", pictures, labels, ".gz" * packed, packed)
    for images, names in mnist(tmp_path / "set", size=9):
        assert images.shape == (7, 1, 9, 9) and images.dtype == np.float32
        np.testing.assert_allclose(images[:, 0, 2:7, 1:7], -0.1 + 1.275 * (pictures / 255), atol=1e-6)
        assert (images[:, 0, :2] == np.float32(-0.1)).all() and (images[:, 0, :, 7:] == np.float32(-0.1)).all()
        same(names, labels.astype(np.int64))


def as_people_have_it(folder, kind, name, content):
    """One file of a data set in a folder of some kind."""
    (folder / name).parent.mkdir(exist_ok=True)
    if kind == "in a folder of its name":
        (folder / name).mkdir()
        (folder / name / name).write_bytes(content)
    elif kind == "in a folder of its name, beside another name":
        as_people_have_it(folder, "in a folder of its name", name, content)
        (folder / name.replace("-idx", ".idx")).write_bytes(content)
    elif kind == "packed only":
        (folder / f"{name}.gz").write_bytes(gzip.compress(content))
    else:
        (folder / name).write_bytes(content)
    if kind == "packed beside unpacked":
        (folder / f"{name}.gz").write_bytes(gzip.compress(content))
    if kind == "with a Mac's shadows":
        (folder / f"._{name}").write_bytes(b"\x00\x05\x16\x07")
        (folder / ".DS_Store").write_bytes(b"\x00")
    if kind == "with a prefix":
        (folder / name).rename(folder / f"emnist-letters-{name}")
    if kind == "called test":
        (folder / name).rename(folder / name.replace("t10k", "test"))


KINDS = [
    "packed only",
    "packed beside unpacked",
    "in a folder of its name",
    "in a folder of its name, beside another name",
    "with a Mac's shadows",
    "with a prefix",
    "called test",
]


@pytest.mark.parametrize("kind", KINDS)
def test_mnist_reads_folders_as_people_have_them(tmp_path, kind):
    rng = np.random.default_rng(0)
    pictures, labels = rng.integers(0, 256, (3, 28, 28), np.uint8), np.array([0, 1, 2], np.uint8)
    for part in "train", "t10k":
        as_people_have_it(tmp_path, kind, f"{part}-images-idx3-ubyte", idx(pictures))
        as_people_have_it(tmp_path, kind, f"{part}-labels-idx1-ubyte", idx(labels))
    for images, names in mnist(tmp_path):
        np.testing.assert_allclose(images[:, 0], -0.1 + 1.275 * (pictures / 255), atol=1e-6)
        same(names, labels.astype(np.int64))


@pytest.mark.parametrize("other", ["other labels", "damaged"])
def test_two_files_that_differ_are_never_taken_for_one(tmp_path, other):
    pictures, labels = np.zeros((3, 4, 4), np.uint8), np.zeros(3, np.uint8)
    write_set(tmp_path / "set", pictures, labels)
    content = gzip.compress(idx(labels + 1 if other == "other labels" else labels))
    (tmp_path / "set" / "train-labels-idx1-ubyte.gz").write_bytes(content[:-4] if other == "damaged" else content)
    with raises(ValueError, "several files for train-labels", "train-labels-idx1-ubyte.gz"):
        mnist(tmp_path / "set")
    (tmp_path / "set" / "train-labels-idx1-ubyte").unlink()  # by itself, it is read or refused for what it is
    if other == "damaged":
        with raises(ValueError, "cannot read", "train-labels-idx1-ubyte.gz"):
            mnist(tmp_path / "set")
    else:
        same(mnist(tmp_path / "set")[0].labels, labels.astype(np.int64) + 1)


def test_a_pipe_is_no_data_set(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with raises(ValueError, str(tmp_path / "pipe"), "no file"):
        read_idx(tmp_path / "pipe")


# -- CIFAR-10 ----------------------------------------------------------------------------------------------------------


def write_cifar(folder, images, labels):
    """Six files of the same records."""
    folder.mkdir(parents=True, exist_ok=True)
    content = np.concatenate([labels[:, None], images.reshape(len(images), -1)], axis=1).astype(np.uint8).tobytes()
    for name in (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"):
        (folder / f"{name}.bin").write_bytes(content)
    return content


@pytest.mark.parametrize("inside", [".", "cifar-10-batches-bin"])
@given(st.integers(1, 3), rngs)
def test_cifar10_reads_the_binary_version(tmp_path_factory, inside, n, rng):
    """Five files to learn from, in order, and one to test with; each colour is shifted and scaled by itself."""
    folder = tmp_path_factory.mktemp("cifar")
    images, labels = rng.integers(0, 256, (n, 3, 32, 32)), rng.integers(0, 10, n)
    write_cifar(folder / inside, images, labels)
    (train, names), (test, its) = cifar10(folder)
    same(names, np.tile(labels, 5))
    same(its, labels)
    same(train, np.tile(test, (5, 1, 1, 1)))
    assert test.dtype == np.float32 and test.shape == (n, 3, 32, 32)
    np.testing.assert_allclose(test * DEVIATION[:, None, None] + MEAN[:, None, None], images, atol=1e-3)


def test_the_colours_of_cifar10_are_scaled_by_the_published_numbers():
    """Mean and deviation of the training set, for pixels from 0 to 1."""
    np.testing.assert_allclose(MEAN / 255, [0.4914, 0.4822, 0.4465], atol=2e-4)
    np.testing.assert_allclose(DEVIATION / 255, [0.2470, 0.2435, 0.2616], atol=2e-4)


@given(st.sampled_from(["cut", "longer", "empty", "label"]), st.data())
def test_a_damaged_file_of_cifar10_is_refused(tmp_path_factory, damage, data):
    folder, rng = tmp_path_factory.mktemp("cifar"), np.random.default_rng(0)
    content = bytearray(write_cifar(folder, rng.integers(0, 256, (2, 3, 32, 32)), np.zeros(2, int)))
    name = data.draw(st.sampled_from(["data_batch_3.bin", "test_batch.bin"]))
    if damage == "cut":
        content = content[: data.draw(st.integers(1, len(content) - 1).filter(lambda n: n % 3073))]
    elif damage == "label":
        content[3073] = label = data.draw(st.integers(10, 255))
    content = {"longer": content + b"x", "empty": b""}.get(damage, content)
    (folder / name).write_bytes(content)
    parts = (
        [f"label of record 1 of {folder / name} is {label}"] if damage == "label" else [folder / name, "3,073 bytes"]
    )
    with raises(ValueError, *parts):
        cifar10(folder)


def test_a_file_of_cifar10_that_is_missing_is_named(tmp_path):
    with raises(FileNotFoundError, "data_batch_1.bin"):
        cifar10(tmp_path)


def test_a_mislabelled_or_mismatched_set_is_refused(tmp_path):
    pictures, labels = np.zeros((3, 4, 4), np.uint8), np.zeros(3, np.uint8)
    for number, (images, names, parts) in enumerate(
        [
            (labels, labels, ["train-images", "(N, H, W)", (3,)]),
            (pictures, pictures, ["train-labels", (3, 4, 4)]),
            (pictures, labels[:2], ["train-labels", "3 images", (2,)]),
            (pictures.astype(np.int32), labels, ["train-images", "int32"]),
            (np.zeros((3, 0, 4), np.uint8), labels, ["train-images", (3, 0, 4)]),
        ]
    ):
        folder = tmp_path / str(number)
        write_set(folder, images, names)
        with raises(ValueError, *parts):
            mnist(folder)
    write_set(tmp_path / "good", pictures, labels)
    with raises(ValueError, "size (=3)", "4 x 4"):
        mnist(tmp_path / "good", size=3)
    (tmp_path / "good" / "train-images.gz").write_bytes(b"")
    with raises(ValueError, "several", "train-images.gz"):
        mnist(tmp_path / "good")
    with raises(FileNotFoundError, "train-images"):
        mnist(tmp_path / "none")
