"""Malicious inputs: what they are, a folder for commands that read them, and what must come of it."""

from __future__ import annotations

import hashlib
import os
import pickle
import resource
import signal
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from contextlib import chdir, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from command_line import assert_one_clear_line
from ledgers import small

from crosscheck.cli import commands
from crosscheck.results.ledger import AFTER, BEFORE, Ledger, encoded
from crosscheck.text import FIRST, GAP, LAST

Make = Callable[[Path], str | Path]
# The arguments of a command, made from what it is given and a folder with a good ledger.
Command = Callable[[str | Path, Path], list[str | Path]]

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


PICKLE = pickle.dumps(Trap())


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


def assert_escaped(printed: str) -> None:
    """Check that a text holds nothing but printable characters and the ends of lines."""
    assert {c for c in printed if not c.isprintable()} <= {"\n"}


def peak_of(call: Callable[[], object]) -> int:
    """Return the most memory in bytes that Python took at once during a call."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


class Workplace:
    """A folder two levels down, with a good ledger, in which commands run.

    Args:
        above: the folder two levels above.
        capsys: pytest's.
    """

    def __init__(self, above: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = above / "one" / "two"
        self.folder.mkdir(parents=True)
        put_file(self.folder / "good.jsonl", data_of(small()))
        self._capsys = capsys

    def run(self, *arguments: str | Path) -> tuple[int, str, str]:
        """Run the command in this process; return its exit code, its output and its complaints."""
        code = commands.run(list(map(str, arguments)))
        return (code, *self._capsys.readouterr())

    def files(self) -> dict[Path, tuple[int, ...]]:
        """Return the state of everything in the folder and two levels above; links are not followed."""
        stats = ((path, path.lstat()) for path in self.folder.parents[1].rglob("*"))
        return {path: (stat.st_mode, stat.st_ino, stat.st_size, stat.st_mtime_ns) for path, stat in stats}

    def assert_rejected(self, row: Row, *each: Command) -> None:
        """Check that each command rejects a malicious input by one line and leaves nothing behind."""
        given = row.make(self.folder)
        is_short = isinstance(given, Path) and given.name.isprintable() and len(given.name) < 100
        there = self.files()

        def assert_rejected(command: Command) -> None:
            code, printed, complaint = self.run(*command(given, self.folder))
            assert (code, printed) == (2, ""), complaint[:1000]
            assert_one_clear_line(complaint, row.says, Path(given).name if is_short else "")
            assert_escaped(complaint)
            assert len(complaint) <= len("crosscheck: error: \n") + FIRST + len(GAP) + LAST
            assert self.files() == there

        for command in each:
            if row.most is None:
                assert_rejected(command)
            else:
                assert peak_of(partial(assert_rejected, command)) <= row.most


@contextmanager
def bounded(place: Workplace) -> Iterator[Workplace]:
    """Go to the folder, and allow a minute and 4 GiB of memory more.

    A command that hangs or takes all memory fails alone.
    """

    def hung(*_: object) -> None:
        raise TimeoutError

    pages = int(Path("/proc/self/statm").read_text().split()[0])
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + (4 << 30), hard))
    handler = signal.signal(signal.SIGALRM, hung)
    signal.alarm(60)
    with chdir(place.folder):
        yield place
    signal.alarm(0)
    signal.signal(signal.SIGALRM, handler)
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
