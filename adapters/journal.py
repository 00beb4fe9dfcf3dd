"""The journal: the input of a call, written to disk before the call as a file that `safetensors` opens.

The layout is eight bytes with the length of the header, the header in JSON, and the arrays in C order.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from adapters.errors import JournalError
from adapters.memory import contiguous_bytes
from reference.formats import FORMATS
from reference.types import Array, Problem

DTYPES = {"float64": "F64", "float32": "F32", "float16": "F16", "bfloat16": "BF16"}
HEADER_ALIGNMENT = 8

_serial = itertools.count()


def write_all(file: int, parts: Iterable[bytes | memoryview]) -> int:
    """Write the parts one after another from the start of the file; return the number of bytes written."""
    at = 0
    for part in parts:
        view = memoryview(part)
        while view:
            written = os.pwrite(file, view, at)
            at, view = at + written, view[written:]
    return at


def read_into(file: int, array: Array, at: int) -> None:
    """Fill a flat array of bytes from the file.

    Raises:
        EOFError: the file ends before the array does.
    """
    view = array.data
    while view:
        count = os.preadv(file, [view], at)
        if not count:
            raise EOFError("the file is shorter than its header says")
        at, view = at + count, view[count:]


def read_arrays(file: int, stated: Iterable[tuple[str, str, Iterable[int]]]) -> dict[str, Array]:
    """Read the arrays that lie one after another in the file; `stated` has their names, dtypes and shapes."""
    found, at = {}, 0
    for name, dtype, shape in stated:
        found[name] = np.empty(tuple(shape), FORMATS[dtype].dtype)
        read_into(file, found[name].reshape(-1).view(np.uint8), at)
        at += found[name].nbytes
    return found


def header(problem: Problem, metadata: Mapping[str, str]) -> bytes:
    """Return the first bytes of a safetensors file with X, y and W, padded so that the arrays are aligned."""
    entries: dict[str, object] = {"__metadata__": dict(metadata)}
    at = 0
    for name, array in problem._asdict().items():
        ends = [at, at := at + array.nbytes]
        entries[name] = {"dtype": DTYPES[array.dtype.name], "shape": list(array.shape), "data_offsets": ends}
    text = json.dumps(entries, separators=(",", ":")).encode()
    text += b" " * (-len(text) % HEADER_ALIGNMENT)
    return len(text).to_bytes(8, "little") + text


class Journal:
    """A file that is written anew before each call, and kept under another name if the call fails.

    Attributes:
        path: the file with the input of the current call, which survives if this process crashes too.
    """

    def __init__(self, directory: Path, name: str) -> None:
        """Create the file.

        Raises:
            JournalError: the directory cannot be made or written.
        """
        self.path = directory / f"{_label(name)}.{os.getpid()}.{next(_serial)}.safetensors"
        with self._fault("cannot keep a journal in", directory):
            directory.mkdir(parents=True, exist_ok=True)
            self._file = _new(self.path)

    def write(self, problem: Problem, metadata: Mapping[str, str]) -> int:
        """Write the problem; return the offset in bytes at which its arrays begin.

        Raises:
            JournalError: the disk is full, or the file cannot be written for another reason.
        """
        head = header(problem, metadata)
        with self._fault("cannot write", self.path):
            os.ftruncate(self._file, write_all(self._file, [head, *map(contiguous_bytes, problem)]))
        return len(head)

    def keep(self, adapter: str, call: int) -> Path:
        """Rename the file to ``<adapter>-<call>.safetensors``, or the next free such name; create a new one.

        Raises:
            JournalError: the file cannot be renamed, or the new one cannot be created.
        """
        with self._fault("cannot keep", self.path):
            kept = self._free_name(_label(adapter), call)
            self.path.replace(kept)
            fresh = _new(self.path)  # before the old one is closed: `close` needs one that is open
            os.close(self._file)
            self._file = fresh
        return kept

    def close(self) -> None:
        """Remove the file, since no call is in progress."""
        os.close(self._file)
        self.path.unlink(missing_ok=True)

    def _free_name(self, label: str, call: int) -> Path:
        """Return a free path, reserved against other processes by creating an empty file there."""
        names = (f"{label}-{call}{f'-{copy}' if copy else ''}.safetensors" for copy in itertools.count())
        for kept in map(self.path.with_name, names):
            with contextlib.suppress(FileExistsError):
                os.close(_new(kept))
                return kept
        raise AssertionError  # the names do not end

    @staticmethod
    @contextlib.contextmanager
    def _fault(what: str, path: Path) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise JournalError(f"{what} {path}: {error.strerror}") from error


def _label(name: str) -> str:
    """Return the name with ``_`` in place of every character that a file name should not have."""
    return re.sub(r"[^\w.-]", "_", name)


def _new(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
