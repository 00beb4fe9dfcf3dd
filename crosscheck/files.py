"""Files that are written completely or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from pathlib import Path


def replace(path: Path, data: bytes) -> None:
    """Write the file; a process that reads it meanwhile sees the old bytes or the new ones, never a part.

    When this function returns, the new bytes are on disk under that name.

    Raises:
        OSError: the file cannot be written, or is a device or a pipe; the old file is unchanged.
    """
    if path.exists() and not path.is_file():  # a rename would replace a device such as /dev/null by a file
        raise OSError(errno.EINVAL, "is no regular file", str(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        try:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            Path(file.name).chmod(0o644)
            Path(file.name).replace(path)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                Path(file.name).unlink()
            raise
    _sync_names(path.parent)


def _sync_names(directory: Path) -> None:
    """Write the names in a directory to disk, on systems where a directory can be opened for that."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with contextlib.suppress(OSError):  # some network file systems do not support it
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
