"""Checkpoints: they appear complete or not at all, cannot do harm, and are shared by many."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nets import (
    SGD,
    Adam,
    Dense,
    Flatten,
    Sequential,
    fit,
    load,
    save,
)

from .checks import raises, same
from .test_nets_train import same_state, small_data, small_model


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    file = tmp_path_factory.mktemp("checkpoint") / "model.npz"
    model = small_model()
    save(file, model, SGD(model, momentum=0.9), {"epoch": 3})
    return file


def test_a_checkpoint_gives_back_model_optimizer_and_notes(checkpoint):
    model, other = small_model(), small_model(seed=1)
    optimizer = SGD(other, momentum=0.9)
    assert load(checkpoint, other, optimizer) == {"epoch": 3}
    same_state(model, other)
    assert load(checkpoint, other) == {"epoch": 3}


def test_a_checkpoint_is_an_ordinary_npz_without_pickle(checkpoint):
    with np.load(checkpoint, allow_pickle=False) as arrays:
        same(arrays["model.5.weight"], small_model()[5].weight)


def test_a_checkpoint_of_another_model_is_refused_and_changes_nothing(checkpoint):
    for other, parts in [
        (Sequential(Flatten(), Dense(64, 10)), ["another model", "model.0.weight"]),
        (small_model(), ["another model", "optimizer.mean.0"]),
        (small_model().astype(np.float64), ["float64"]),
    ]:
        before = other.state_dict()
        optimizer = Adam(other) if "optimizer.mean.0" in parts else None
        with raises(ValueError, str(checkpoint), *parts):
            load(checkpoint, other, optimizer)
        for name, array in other.state_dict().items():
            same(array, before[name])


@given(st.data())
def test_a_checkpoint_with_any_damage_is_refused_and_changes_nothing(checkpoint, tmp_path_factory, data):
    content = bytearray(checkpoint.read_bytes())
    damaged = tmp_path_factory.mktemp("damaged") / "model.npz"
    if data.draw(st.booleans()):
        content = content[: data.draw(st.integers(0, len(content) - 1))]
    else:
        content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    damaged.write_bytes(content)
    model, untouched = small_model(seed=1), small_model(seed=1)
    try:
        load(damaged, model)
    except ValueError as error:
        assert str(damaged) in str(error)
        same_state(model, untouched)
    else:
        same_state(model, small_model())  # the damage was in what nobody reads, such as a date


@pytest.mark.parametrize("content", [lambda data: data + b"x", lambda data: data[:-1]], ids=["long", "short"])
def test_an_array_of_another_length_than_its_header_says_is_refused(tmp_path, content):
    model, file = Dense(2, 2), tmp_path / "model.npz"
    save(file, model)
    with zipfile.ZipFile(file) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["model.bias.npy"] = content(parts["model.bias.npy"])
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    with raises(ValueError, str(file), "model.bias should have 8 bytes"):
        load(file, model)


def test_a_checkpoint_that_unpacks_to_gigabytes_is_refused_without_reading_them(tmp_path):
    model = Dense(2, 2)
    file = tmp_path / "bomb.npz"
    save(file, model)
    with zipfile.ZipFile(file) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["notes.npy"] += bytes(1 << 27)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    with raises(ValueError, str(file), "notes"):
        load(file, model)


def test_a_checkpoint_that_cannot_be_written_leaves_the_old_one(tmp_path, monkeypatch):
    file = tmp_path / "model.npz"
    save(file, small_model())
    before = file.read_bytes()

    def full(descriptor):
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with raises(OSError, "no space"):
        save(file, small_model(seed=1))
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]


def test_threads_and_processes_that_save_at_once_lose_nothing(tmp_path):
    """Whoever loads meanwhile finds one of the files that were saved, and no other file is left over."""
    file, model, errors = tmp_path / "model.npz", small_model(), []
    save(file, model)
    program = "import sys, nets; [nets.save(sys.argv[1], nets.Dense(1, 1)) for _ in range(30)]"
    others = [subprocess.Popen([sys.executable, "-c", program, tmp_path / "other.npz"]) for _ in range(2)]

    def work(rank: int) -> None:
        try:
            for i in range(30):
                save(file, model, notes={"rank": rank, "i": i})
                load(file, small_model())
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(rank,)) for rank in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors and [other.wait() for other in others] == [0, 0]
    load(tmp_path / "other.npz", Dense(1, 1))
    assert sorted(os.listdir(tmp_path)) == ["model.npz", "other.npz"]


def test_a_process_that_is_killed_while_it_saves_leaves_the_old_file_and_no_other(tmp_path):
    if not hasattr(os, "O_TMPFILE"):
        pytest.skip("this system has no files without a name")
    file = tmp_path / "model.npz"
    program = (
        "import os, sys, nets\n"
        "model = nets.Dense(1, 1)\n"
        "nets.save(sys.argv[1], model)\n"
        "os.fsync = lambda file: os.kill(os.getpid(), 9)\n"
        "nets.save(sys.argv[1], model, notes={'second': True})\n"
    )
    assert subprocess.run([sys.executable, "-c", program, file]).returncode == -signal.SIGKILL
    assert load(file, Dense(1, 1)) == {} and os.listdir(tmp_path) == ["model.npz"]


@pytest.mark.parametrize("nameless", [True, False])
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644, 0o660])
def test_a_file_that_is_replaced_keeps_its_permissions(tmp_path, monkeypatch, nameless, mode):
    if not nameless:
        monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    file, new = tmp_path / "model.npz", tmp_path / "new.npz"
    save(new, Dense(1, 1))
    new.with_name("usual").touch()
    assert new.stat().st_mode == new.with_name("usual").stat().st_mode
    save(file, Dense(1, 1))
    file.chmod(mode)
    save(file, Dense(1, 1))
    assert file.stat().st_mode & 0o777 == mode


def test_a_link_stays_a_link(tmp_path):
    """To a file that is there, or not there yet."""
    (tmp_path / "folder").mkdir()
    file, link = tmp_path / "folder" / "model.npz", tmp_path / "link.npz"
    link.symlink_to(file)
    for i in range(2):
        save(link, Dense(1, 1), notes={"i": i})
        assert link.is_symlink() and load(file, Dense(1, 1)) == {"i": i}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with a name")
def test_what_is_no_file_is_neither_read_nor_replaced(tmp_path):
    """A pipe would wait for ever, and a device or a pipe would become a file."""
    pipe, ends = tmp_path / "pipe", os.openpty()
    os.mkfifo(pipe)
    device = os.ttyname(ends[1])  # of our own: if this failed, one of the machine's would be lost
    for path in pipe, device:
        for use in save, load:
            with raises(ValueError, str(path), "no file"):
                use(path, Dense(1, 1))
    assert pipe.is_fifo() and Path(device).is_char_device()
    for end in ends:
        os.close(end)
    with raises(IsADirectoryError, str(tmp_path)):
        save(tmp_path, Dense(1, 1))


def test_a_checkpoint_that_cannot_be_written_is_told_before_the_first_epoch(tmp_path):
    """With its path, and without a trace."""
    (tmp_path / "file").touch()
    for path in tmp_path / "file" / "model.npz", tmp_path:
        learnt = []
        with raises(OSError, str(path)):
            fit(small_model(), small_data(), checkpoint=path, schedule=learnt.append, progress=False)
        assert not learnt
    assert os.listdir(tmp_path) == ["file"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), json_values))
def test_notes_that_were_saved_are_given_back(tmp_path_factory, notes):
    file = tmp_path_factory.mktemp("notes") / "model.npz"
    save(file, Dense(1, 1), notes=notes)
    assert load(file, Dense(1, 1)) == notes


def test_notes_that_would_not_be_given_back_are_refused(tmp_path):
    file = tmp_path / "model.npz"
    with raises(ValueError, "bytes", "notes"):
        save(file, Dense(1, 1), notes={"long": "x" * (1 << 24)})
    with raises(ValueError, "two keys", '"1": 2'):
        save(file, Dense(1, 1), notes={"1": 1, 1: 2})
    with raises(TypeError, "set"):
        save(file, Dense(1, 1), notes={"a set": {1}})
    assert not file.exists()
