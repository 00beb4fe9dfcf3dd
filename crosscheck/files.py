"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from pathlib import Path


def replace(path: Path, data: bytes) -> None:
    """Write the file; who reads it meanwhile sees what was there or the new bytes, never a part.

    When this returns the new bytes are on disk under that name.

    Raises:
        OSError: it cannot be written, or is a device or a pipe; what was there is still there.
    """
    if path.exists() and not path.is_file():  # a rename would put a file in the place of /dev/null
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
    """Have the names in a directory on disk, where a directory can be opened for that."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with contextlib.suppress(OSError):  # some file systems of networks have no such
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
