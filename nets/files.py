"""Files that many may read and write at once, and that others have made.

What you can do here: have one `opened` to be read, or `replacing` another when it is complete, and `check_writable`
long before.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO


def opened(path: str | os.PathLike[str]) -> BinaryIO:
    """The file, to read from; raises OSError if it cannot be opened, ValueError for a device or a pipe.

    >>> opened(os.devnull)
    Traceback (most recent call last):
    ValueError: /dev/null is no file, but a device or a pipe
    """
    mode = os.stat(path).st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):  # to open a pipe would wait for somebody to write to it
        raise ValueError(f"{path} is no file, but a device or a pipe")
    return open(path, "rb")


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """A new file to write to, which takes the place of the one at path when the block has ended without an error.

    It has the permissions of the old one.  A link stays a link, and the file that it leads to is replaced.  Where the
    system has files without a name, this is one until it is complete, so that a process that is killed leaves nothing
    behind; elsewhere it is called ".NAME.*.part" until then.
    Raises OSError where it cannot be written, ValueError for a path that is there and no file; both name the path.
    """
    target = Path(os.path.realpath(path))  # where a link leads to
    part = target.with_name(f".{target.name[:100]}.{secrets.token_hex(8)}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        old = target.stat() if target.exists() else None
        if old and stat.S_ISDIR(old.st_mode):
            raise IsADirectoryError(errno.EISDIR, "it is a folder")
        if old and not stat.S_ISREG(old.st_mode):
            raise ValueError(f"cannot save {path}: it is no file, but a device or a pipe")
        if old and not os.access(target, os.W_OK):
            raise PermissionError(errno.EACCES, "it must not be written to")
        mode = stat.S_IMODE(old.st_mode) if old else 0o666
        with _created(target.parent, part, mode) as file:
            if old and hasattr(os, "fchown"):  # not on Windows
                with suppress(PermissionError):  # a file of somebody else becomes ours
                    os.fchown(file.fileno(), old.st_uid, old.st_gid)
                os.fchmod(file.fileno(), mode)  # also what the umask has taken away
            yield file
            file.flush()
            os.fsync(file.fileno())
            if not part.exists():  # give it one; with a src_dir_fd, Python follows the link under /proc to the file
                os.link(f"/proc/self/fd/{file.fileno()}", part, src_dir_fd=file.fileno())
        os.replace(part, target)
    except OSError as error:
        reason = error.strerror or error
        raise OSError(error.errno or errno.EIO, f"cannot save {path}: {reason}") from error
    finally:
        with suppress(OSError):  # as a rule, it is not there
            part.unlink()


def _created(folder: Path, part: Path, mode: int) -> BinaryIO:
    """A new file in the folder, without a name if possible, else called `part`."""
    if hasattr(os, "O_TMPFILE") and os.path.isdir("/proc/self/fd"):  # Linux
        with suppress(OSError):  # not every file system has them
            return open(os.open(folder, os.O_TMPFILE | os.O_RDWR, mode), "wb")
    return open(os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR | getattr(os, "O_BINARY", 0), mode), "wb")


def check_writable(path: str | os.PathLike[str]) -> None:
    """Raise what `replacing` this file would raise; its folder is made, and what is there stays as it is."""
    with suppress(Unchanged), replacing(path):
        raise Unchanged


class Unchanged(Exception):
    """Raised to leave a file as it is."""
