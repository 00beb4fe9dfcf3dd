"""Malicious files, and how to make them: what is no file, archives, tensors, texts of cases and ledgers."""

from __future__ import annotations

import hashlib
import io
import json
import os
import resource
import signal
import struct
import tracemalloc
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from ledgers import small

from crosscheck.ledger import Ledger
from crosscheck.ledger.file import AFTER, BEFORE
from crosscheck.ledger.ledger import encoded

Make = Callable[[Path], str | Path]

GOOD = {"X": np.arange(6.0).reshape(2, 3), "y": np.ones((2, 1)), "W": np.ones((3, 1))}
# Escape sequences: a title, a screen cleared twice, the direction of writing.
ESCAPES = "\x1b]0;owned\x07\x1b[2J\x9b2J\u202e"


class Row(NamedTuple):
    """One malicious input.

    Attributes:
        name: of the test.
        make: writes it into a folder; returns what the command is given for it.
        says: words of the one line that rejects it.
        most: bytes that the command may take for it, where another reader would take many more.
    """

    name: str
    make: Make
    says: str
    most: int | None = None


class Trap:
    """An object that creates a file when it is unpickled."""

    def __reduce__(self) -> Any:
        return os.system, ("touch hit",)


def put_file(path: Path, data: bytes) -> Path:
    """Write a file and return its path."""
    path.write_bytes(data)
    return path


def file_of(name: str, data: bytes | Callable[[], bytes]) -> Make:
    """Make a file of this name with these bytes."""
    return lambda folder: put_file(folder / name, data if isinstance(data, bytes) else data())


def pipe(name: str) -> Make:
    """Make a pipe that nobody writes to."""

    def make(folder: Path) -> Path:
        os.mkfifo(folder / name)
        return folder / name

    return make


def linked(name: str, target: str) -> Make:
    """Make a symbolic link."""

    def make(folder: Path) -> Path:
        (folder / name).symlink_to(target)
        return folder / name

    return make


def sparse(name: str) -> Make:
    """Make a file of a terabyte that takes no room on the disk."""

    def make(folder: Path) -> Path:
        with (folder / name).open("wb") as file:
            file.truncate(2**40)
        return folder / name

    return make


def folder_of(name: str) -> Make:
    """Make a folder with the name of a file."""

    def make(folder: Path) -> Path:
        (folder / name).mkdir()
        return folder / name

    return make


def no_files(name: str) -> tuple[Row, ...]:
    """Return what a reader of a file with this name may find in its place."""
    return (
        Row("folder", folder_of(name), "is no regular file"),
        Row("pipe", pipe(name), "is no regular file"),
        Row("device-without-end", linked(name, "/dev/zero"), "is no regular file"),
        Row("link-to-itself", linked(name, name), "no such file"),
        Row("name-too-long", lambda folder: folder / ("x" * 300 + name), "File name too long"),
        Row("name-with-escapes", lambda folder: folder / (ESCAPES + name), rf"\x1b[2J\x9b2J\u202e{name}"),
        Row("name-of-two-lines", lambda folder: folder / f"a\ncrosscheck: error: {name}", "no such file"),
        Row("name-that-is-no-text", lambda folder: folder / f"\udcff{name}", rf"\udcff{name}: no such file"),
    )  # fmt: skip


def npy(head: str, body: bytes = bytes(48)) -> bytes:
    """Return the bytes of a NumPy array with this header."""
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode("latin-1") + body


def stated(shape: str = "(2, 3)", descr: str = "'<f8'") -> str:
    """Return the header of an array with this shape and dtype."""
    return f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}}}\n"


def saved(array: Any, **options: Any) -> bytes:
    """Return an array as NumPy saves it."""
    file = io.BytesIO()
    np.save(file, array, **options)
    return file.getvalue()


def packed(change: Callable[[zipfile.ZipFile], None] = lambda _: None, **arrays: bytes) -> bytes:
    """Return an archive of good arrays but for these, changed before its directory is written."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {**{name: saved(array) for name, array in GOOD.items()}, **arrays}.items():
            archive.writestr(f"{name}.npy", data)
        change(archive)
    return file.getvalue()


def npz(data: bytes | Callable[[], bytes]) -> Make:
    """Make a file ``a.npz`` with these bytes."""
    return file_of("a.npz", data)


def of_x(head: str) -> Make:
    """Make an archive in which X has this header."""
    return npz(lambda: packed(X=npy(head)))


def altered(**values: int) -> Make:
    """Make an archive whose directory says this of X."""

    def change(archive: zipfile.ZipFile) -> None:
        for name, value in values.items():
            setattr(archive.getinfo("X.npy"), name, value)

    return npz(lambda: packed(change))


def with_crowded_directory(count: int = 60_000) -> bytes:
    """Return an archive with this number of entries in its directory."""
    data = packed()
    start, end = data.index(b"PK\x01\x02"), data.rindex(b"PK\x05\x06")
    entries = data[start:end] * (count // 3)
    tail = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 9, 9, len(entries), start, 0)
    return data[:start] + entries + tail


def with_long_header() -> bytes:
    """Return an archive of some kilobytes whose X has a header of 32 MiB."""
    size = 1 << 25
    return packed(X=b"\x93NUMPY\x02\x00" + struct.pack("<I", size) + b" " * size)


def zeros(side: int) -> bytes:
    """Return an archive of square arrays of zeros."""
    one = saved(np.zeros((side, side), "<f2"))
    return packed(X=one, y=one, W=one)


def tensors(head: Any, body: bytes = bytes(88), *, size: int | None = None) -> Make:
    """Make a file ``a.safetensors``: its header, as it is or as JSON, and the bytes of its arrays."""
    text = head if isinstance(head, bytes) else json.dumps(head).encode()
    return file_of("a.safetensors", struct.pack("<Q", len(text) if size is None else size) + text + body)


def entries(**changed: dict[str, Any]) -> dict[str, Any]:
    """Return the header of a good file with some fields changed."""
    found: dict[str, Any] = {}
    at = 0
    for name, array in GOOD.items():
        ends = [at, at := at + array.nbytes]
        found[name] = {"dtype": "F64", "shape": list(array.shape), "data_offsets": ends}
    return {name: {**found.get(name, {}), **changed.get(name, {})} for name in {**found, **changed}}


def with_x_twice() -> bytes:
    """Return a header in which X stands twice."""
    return json.dumps(entries())[:-1].encode() + b"," + json.dumps({"X": entries()["X"]})[1:].encode()


def literal(number: str) -> str:
    """Return a case with this for X."""
    return f"float64:X={number}:y=[[1]]:W=[[1]]"


def sealed(lines: Iterable[bytes]) -> bytes:
    """Return a ledger of these lines with a checksum that fits, as somebody can make who knows the format."""
    body, _, _ = b"".join(lines).rpartition(BEFORE)
    return body + BEFORE + hashlib.sha256(body + BEFORE).hexdigest().encode() + AFTER


def data_of(ledger: Ledger) -> bytes:
    """Return a ledger as it is written."""
    return sealed(map(encoded, (*ledger.lines(), ledger.footer())))


def forged(change: Callable[[list[bytes]], list[bytes]]) -> Make:
    """Make a ledger ``bad.jsonl`` with other lines."""

    def make(folder: Path) -> Path:
        lines = data_of(small()).splitlines(keepends=True)
        changed = change(list(lines))
        assert changed != lines
        return put_file(folder / "bad.jsonl", sealed(changed))

    return make


def at(number: int, old: bytes, new: bytes) -> Make:
    """Make a ledger in which one thing in one line is another."""

    def change(lines: list[bytes]) -> list[bytes]:
        lines[number] = lines[number].replace(old, new, 1)
        return lines

    return forged(change)


def before(number: int, *more: bytes) -> Make:
    """Make a ledger with more lines."""
    return forged(lambda lines: [*lines[:number], *more, *lines[number:]])


def good_folder(above: Path) -> Path:
    """Make a folder two levels down with a good ledger, ``good.jsonl``; return its path."""
    found = above / "one" / "two"
    found.mkdir(parents=True)
    put_file(found / "good.jsonl", data_of(small()))
    return found


def files(folder: Path) -> dict[Path, tuple[int, ...]]:
    """Return the state of everything in a folder and two levels above; links are not followed."""
    stats = ((path, path.lstat()) for path in folder.parents[1].rglob("*"))
    return {path: (stat.st_mode, stat.st_ino, stat.st_size, stat.st_mtime_ns) for path, stat in stats}


def assert_escaped(printed: str) -> None:
    """Check that a text holds nothing but printable characters and the ends of lines."""
    assert {c for c in printed if not c.isprintable()} <= {"\n"}


@contextmanager
def bounded() -> Iterator[None]:
    """Allow a minute and 4 GiB of memory more: a command that hangs or takes all memory fails alone."""

    def hung(*_: object) -> None:
        raise TimeoutError

    pages = int(Path("/proc/self/statm").read_text().split()[0])
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + (4 << 30), hard))
    handler = signal.signal(signal.SIGALRM, hung)
    signal.alarm(60)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, handler)
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def peak_of(call: Callable[[], object]) -> int:
    """Return the most memory in bytes that Python took at once during a call."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
