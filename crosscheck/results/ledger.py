"""The ledger: the results of a run in one file, which is complete or refused.

At the start of a run `begin` writes a file that `read` refuses as unfinished. So a file that an earlier run
left under the same name is never taken for the result of this one.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from adapters.errors import one_line
from crosscheck import files
from crosscheck.errors import UserError
from crosscheck.results.lines import (
    COMPLETE,
    FORMAT,
    INTERRUPTED,
    VERSION,
    Acceptance,
    Answers,
    AnyLine,
    CellLine,
    Fault,
    Footer,
    Header,
    Known,
    Line,
    Observation,
)
from crosscheck.results.summary import Cell, Summary, number_from_text, number_to_text
from crosscheck.text import escape_and_shorten

T = TypeVar("T", bound=Line)

MOST_BYTES: Final = 2**26  # a ledger of the suite has some 10^6; reading may take 20 times as much memory
# A placeholder in the footer while the checksum is computed.
UNKNOWN: Final = "0" * 64
# The place in the last line of the checksum of all bytes before it.
BEFORE, AFTER = b'"checksum":"', b'"}\n'

# In a fixed order, dictionaries and sets give the same bytes for the same content.
ENCODER: Final = msgspec.json.Encoder(enc_hook=number_to_text, order="deterministic")
DECODER: Final = msgspec.json.Decoder(AnyLine, dec_hook=number_from_text)


class LedgerError(UserError, ValueError):
    """A ledger cannot be used or written; the message is one line: which one, what is wrong, what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(escape_and_shorten(message))


@dataclass(frozen=True)
class Ledger:
    """The record of a run and its results.

    Attributes:
        header: the adapters, settings and environment of the run.
        cells: the summary of each cell.
        behaviours: the observations of probes, in any order.
        known: the known differences that concern an adapter of the run.
        faults: crashes, broken contracts and other faults beside wrong values.
        answers: the cases that adapters of a sweep answered and refused.
        acceptances: the records of its acceptances as a baseline, from the first to the last.
        ending: how the run ended: `COMPLETE` or `INTERRUPTED`.
        verdict: the run's exit code, 0 or 1.
    """

    header: Header
    cells: Mapping[Cell, Summary] = field(default_factory=dict)
    behaviours: Sequence[Observation] = ()
    known: Sequence[Known] = ()
    faults: Sequence[Fault] = ()
    acceptances: Sequence[Acceptance] = ()
    ending: str = COMPLETE
    verdict: int = 0
    answers: Sequence[Answers] = ()

    @property
    def results(self) -> str:
        """The digest of the results: equal for equal cases and versions, wherever and whenever computed."""
        return _digest(self._results())

    @property
    def problems(self) -> int:
        """The number of problems in all cells; a problem counts once for each output."""
        return sum(summary.problems for summary in self.cells.values())

    def _results(self) -> Iterator[Line]:
        """Yield the lines of the results, in an order that depends on their content only."""
        yield from (CellLine(cell=cell, summary=self.cells[cell]) for cell in sorted(self.cells))
        yield from sorted(self.behaviours, key=lambda b: (b.adapter, b.dtype, b.probe))
        yield from sorted(self.known, key=lambda k: k.name)

    def lines(self) -> Iterator[Line]:
        """Yield all lines except the footer."""
        yield self.header
        yield from self._results()
        yield from sorted(self.faults, key=lambda f: (f.who, f.what))
        yield from sorted(self.answers, key=lambda a: (a.adapter, a.output))
        yield from self.acceptances

    def footer(self, checksum: str = UNKNOWN) -> Footer:
        """Make the last line.

        Args:
            checksum: the checksum of everything before it.
        """
        return Footer(
            ending=self.ending,
            verdict=self.verdict,
            cells=len(self.cells),
            behaviours=len(self.behaviours),
            known=len(self.known),
            faults=len(self.faults),
            answers=len(self.answers),
            problems=self.problems,
            results=self.results,
            checksum=checksum,
        )


def encoded(line: Line) -> bytes:
    """Encode a line for the file."""
    return ENCODER.encode(line) + b"\n"


def _digest(lines: Iterator[Line]) -> str:
    sha = hashlib.sha256()
    for line in lines:
        sha.update(encoded(line))
    return sha.hexdigest()


class _Stated(msgspec.Struct):
    """The format and version that a first line states; decoding it ignores all other fields."""

    format: str
    version: int


def begin(path: Path, header: Header) -> None:
    """Write a ledger that says only that its run has begun.

    Raises:
        LedgerError: it cannot be written.
    """
    _replace(path, encoded(header))


def write(path: Path, ledger: Ledger) -> None:
    """Write a ledger; a process that reads the file meanwhile sees the old or the new one, never a part.

    Raises:
        LedgerError: the file cannot be written; an old file is left as it was.
    """
    data = b"".join(encoded(line) for line in ledger.lines()) + encoded(ledger.footer())
    body = data[: -len(UNKNOWN) - len(AFTER)]
    _replace(path, body + hashlib.sha256(body).hexdigest().encode() + AFTER)


def _replace(path: Path, data: bytes) -> None:
    try:
        files.replace(path, data)
    except OSError as error:
        raise LedgerError(f"{path}: the ledger cannot be written: {error.strerror or error}") from None


def read(path: Path) -> Ledger:
    """Read a ledger; nothing in it is executed, and no case is made.

    Raises:
        LedgerError: the file is missing, is no ledger or one of another version, belongs to a run that did
            not finish, or was cut off or edited.
    """
    try:
        return parse(_bytes(path))
    except LedgerError as error:
        raise LedgerError(f"{path}: {error}") from None
    except OSError as error:
        raise LedgerError(f"{path}: cannot be read: {error.strerror or error}") from None


def _bytes(path: Path) -> bytes:
    if not path.is_file():
        raise LedgerError("is no regular file" if path.exists() else "no such file")
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise LedgerError(f"has {size} bytes; at most {MOST_BYTES} are read; is it a ledger?")
    with path.open("rb") as file:
        return file.read(size)  # a limit is given, since a special file may have size 0 and no end


def parse(data: bytes) -> Ledger:
    """Decode the content of a file as a ledger.

    Raises:
        LedgerError: as for `read`, without the name of the file.
    """
    _check_version(data)
    footer = _sealed(data)
    lines = [_line(number, text) for number, text in enumerate(io.BytesIO(data), start=1)]
    ledger = _ledger(lines, footer)
    if b"".join(map(encoded, (*ledger.lines(), ledger.footer(footer.checksum)))) != data:
        raise LedgerError("says the same in another form than the suite writes; make it again")
    return ledger


def version_of(data: bytes) -> int | None:
    """Return the version of the format that the first line states; None if the data is no ledger."""
    try:
        stated = msgspec.json.decode(data.partition(b"\n")[0], type=_Stated)
    except (ValueError, RecursionError):
        return None
    return stated.version if stated.format == FORMAT else None


def _check_version(data: bytes) -> None:
    """Raise `LedgerError` unless the data is a ledger of this version; this is checked first."""
    version = version_of(data)
    if version is None:
        raise LedgerError("is no ledger of this suite, or its beginning is damaged; make it again")
    if version != VERSION:
        found = f"has version {version} of the format, and this suite reads {VERSION}"
        raise LedgerError(f"{found}; make it again with this suite, by the same command with --ledger")


def _sealed(data: bytes) -> Footer:
    """Decode the last line, after comparing its checksum with that of the bytes before it."""
    body, found, checksum = data.rpartition(BEFORE)
    last = data[data.rfind(b"\n", 0, -1) + 1 :]
    if not found or not last.startswith(b'{"kind":"footer"'):
        raise LedgerError("has no end: its run did not finish, or the file is cut off; run it again")
    if checksum != hashlib.sha256(body + BEFORE).hexdigest().encode() + AFTER:
        raise LedgerError("does not fit its checksum: it is cut off, damaged or edited; run it again")
    footer = _line(data.count(b"\n"), last)
    if not isinstance(footer, Footer) or footer.ending not in (COMPLETE, INTERRUPTED):
        raise LedgerError("has an end that this suite does not write; make it again")
    return footer


def _line(number: int, text: bytes) -> Line:
    try:
        return DECODER.decode(text)
    except (ValueError, RecursionError) as error:  # ValueError includes msgspec's errors and invalid UTF-8
        raise LedgerError(f"line {number}: {one_line(error)}; make it again") from None


def _ledger(lines: Sequence[Line], footer: Footer) -> Ledger:
    """Make the ledger of these lines."""
    if not isinstance(lines[0], Header):
        raise LedgerError("does not begin with a header; make it again")
    cells = {line.cell: line.summary for line in _of(CellLine, lines)}
    accepted = tuple(_of(Acceptance, lines))
    if any(moment.utcoffset() != timedelta(0) for moment in (lines[0].created, *(a.when for a in accepted))):
        raise LedgerError("has a time that is not UTC; make it again")
    return Ledger(
        lines[0],
        cells,
        tuple(_of(Observation, lines)),
        tuple(_of(Known, lines)),
        tuple(_of(Fault, lines)),
        accepted,
        footer.ending,
        footer.verdict,
        tuple(_of(Answers, lines)),
    )


def _of(kind: type[T], lines: Sequence[Line]) -> Iterator[T]:
    return (line for line in lines if isinstance(line, kind))
