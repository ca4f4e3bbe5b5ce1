"""What was learnt, in a file that outlives the program.

What you can do here: `save` a model and its optimizer, and `load` them.

The file is an ordinary .npz (a zip of .npy arrays): "model.C1.weight", "optimizer.velocity.0", and so on, and "notes",
a text in JSON.  A file is not trusted: nothing in it is executed, and since the model says which arrays there must be,
and of which size, nothing else is read.
"""

from __future__ import annotations

import errno
import io
import json
import os
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from minitensor.tensor import Array

from ..files import opened, replacing
from ..layers.module import Module, check_kind
from .optim import Optimizer

NOTES_LIMIT = 1 << 24  # bytes
NUMPYS_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, LookupError, ValueError, RuntimeError)  # what a damaged zip raises


def save(
    path: str | os.PathLike[str],
    model: Module,
    optimizer: Optimizer | None = None,
    notes: Mapping[str, Any] | None = None,
) -> None:
    """Write the state of a model, of its optimizer if there is one, and notes (anything that JSON can hold).

    The folder is made if need be.  The file appears complete or not at all: whatever was there before stays until the
    new one is on the disk.  A file that is replaced leaves its permissions to the new one; a link stays a link, and
    the file that it leads to is replaced.  Threads and processes may save to one path: the last one wins.
    Raises OSError where the file cannot be written, ValueError for a path that is there and no file (a device, a pipe),
    and for notes that `load` would not give back; TypeError for notes that JSON cannot hold.

    >>> import tempfile
    >>> from nets import Dense
    >>> folder = tempfile.TemporaryDirectory()
    >>> model, other = Dense(3, 2), Dense(3, 2)
    >>> save(folder.name + "/model.npz", model, notes={"accuracy": 0.99})
    >>> load(folder.name + "/model.npz", other)
    {'accuracy': 0.99}
    >>> bool((model.weight.data == other.weight.data).all())
    True
    >>> folder.cleanup()
    """
    arrays = {name: np.array(array, order="C") for name, array in _state(model, optimizer).items()}
    arrays["notes"] = np.frombuffer(_text(dict(notes or {})), np.uint8)
    with replacing(path) as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]


def _text(notes: dict[str, Any]) -> bytes:
    """The notes in JSON; ValueError unless they can be read again."""
    text = json.dumps(notes)
    if len(text) > NOTES_LIMIT:
        raise ValueError(f"the notes take {len(text):,} bytes, and more than {NOTES_LIMIT:,} would not be read again")
    if json.dumps(json.loads(text)) != text:  # 1 and "1" are the same key in JSON
        raise ValueError(f"two keys of the notes are the same in JSON: {text[:200]}")
    return text.encode()


def load(path: str | os.PathLike[str], model: Module, optimizer: Optimizer | None = None) -> dict[str, Any]:
    """Give a model, and an optimizer if there is one, the state in a file of `save`, and return the notes.

    An optimizer's state in the file is left out if no optimizer is given.
    Raises OSError where it cannot be opened, or ValueError for one that is damaged, no file (a device, a pipe), or
    belongs to another model; then nothing has changed.
    """
    wanted = _state(model, optimizer)
    with _opened(path) as archive:
        there = {name.removesuffix(".npy") for name in archive.namelist()}
        if optimizer is None:
            there = {name for name in there if not name.startswith("optimizer.")}
        if different := sorted(there ^ {*wanted, "notes"}):
            raise ValueError(f"it belongs to another model: {', '.join(different)} should be in both or in none")
        arrays = {name: _read(archive, name, array) for name, array in wanted.items()}
        notes = _read_notes(archive)
    if optimizer is not None:  # first, since it may refuse what fits the model
        optimizer.load_state_dict(_part(arrays, "optimizer."))
    model.load_state_dict(_part(arrays, "model."))
    return notes


def load_notes(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The notes alone; raises what `load` raises for a damaged file."""
    with _opened(path) as archive:
        return _read_notes(archive)


@contextmanager
def _opened(path: str | os.PathLike[str]) -> Iterator[zipfile.ZipFile]:
    try:
        with opened(path) as file, zipfile.ZipFile(file) as archive:
            if unknown := {info.compress_type for info in archive.infolist()} - NUMPYS_METHODS:
                raise ValueError(f"its arrays are compressed by methods {sorted(unknown)}, which NumPy does not use")
            yield archive
    except DAMAGE as error:
        raise ValueError(f"cannot load {path}: {error}") from error
    except OSError as error:
        if error.errno == errno.EINVAL:  # the archive says that a part of it lies before its beginning
            raise ValueError(f"cannot load {path}: it is cut short") from error
        raise


def _state(model: Module, optimizer: Optimizer | None) -> dict[str, Array]:
    check_kind("model", model, Module)
    state = {f"model.{name}": array for name, array in model.state_dict().items()}
    if optimizer is not None:
        check_kind("optimizer", optimizer, Optimizer)
        state |= {f"optimizer.{name}": array for name, array in optimizer.state_dict().items()}
    return state


def _part(arrays: Mapping[str, Array], prefix: str) -> dict[str, Array]:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def _read(archive: zipfile.ZipFile, name: str, like: Array) -> Array:
    """An array that must have the shape and dtype of another: then its header is known, to the last byte."""
    header = _header(like.shape, like.dtype)
    with archive.open(f"{name}.npy") as file:
        if file.read(len(header)) != header:
            raise ValueError(f"{name} is not {like.dtype} of shape {like.shape}, as it is in this model")
        data = file.read(like.nbytes + 1)  # one more than there may be; reaching the end checks the checksum
    if len(data) != like.nbytes:
        raise ValueError(f"{name} should have {like.nbytes} bytes")
    return np.frombuffer(data, like.dtype).reshape(like.shape)


def _read_notes(archive: zipfile.ZipFile) -> dict[str, Any]:
    with archive.open("notes.npy") as file:
        data = file.read(NOTES_LIMIT + 1)
    header_length = len(_header((0,), np.dtype(np.uint8)))
    text = data[header_length:]
    if len(data) > NOTES_LIMIT or data[:header_length] != _header((len(text),), np.dtype(np.uint8)):
        raise ValueError("its notes are damaged")
    notes = json.loads(text)
    if not isinstance(notes, dict):
        raise ValueError("its notes are damaged")
    return notes


def _header(shape: tuple[int, ...], dtype: np.dtype[Any]) -> bytes:
    """How a .npy file with such an array begins."""
    file = io.BytesIO()
    facts = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, facts)
    return file.getvalue()
