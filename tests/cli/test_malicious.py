"""Malicious inputs, all in one table: what is made, which command reads it, and what must come of it.

An input is rejected, with exit code 2 and one line that names it, says what is wrong and what would do.
No file appears, no command hangs, no memory fills.
"""

from __future__ import annotations

import functools
import pickle
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from command_line import assert_one_clear_line
from ledgers import small
from malicious_files import (
    ESCAPES,
    GOOD,
    Row,
    Trap,
    altered,
    assert_escaped,
    at,
    before,
    bounded,
    data_of,
    entries,
    file_of,
    files,
    forged,
    good_folder,
    linked,
    literal,
    no_files,
    npy,
    npz,
    of_x,
    packed,
    peak_of,
    saved,
    sparse,
    stated,
    tensors,
    with_crowded_directory,
    with_long_header,
    with_x_twice,
    zeros,
)
from recording import Recording

from crosscheck import commands
from crosscheck.escaping import FIRST, GAP, LAST

Run = Callable[..., tuple[int, str, str]]

PICKLE = pickle.dumps(Trap())
OBJECTS = saved(np.array([[Trap()]], dtype=object), allow_pickle=True)
X_TWICE = packed(Z=saved(-GOOD["X"])).replace(b"Z.npy", b"X.npy")
NO_NPZ = "is damaged, or no .npz file"
ARCHIVES = (
    Row("object-array-with-a-pickle", npz(lambda: packed(X=OBJECTS)), "X has dtype object; save it as"),
    Row("bare-pickle", npz(PICKLE), NO_NPZ),
    Row("pickle-for-an-array", npz(lambda: packed(X=PICKLE)), NO_NPZ),
    Row("structured-dtype", of_x(stated(descr="[('a', '<f8')]")), "X has dtype void64; save it"),
    Row("dtype-with-escapes", of_x(stated(descr=f"'{ESCAPES[:-1]}'")), r"descriptor: '\x1b]0;owned"),
    Row("code-in-a-header", of_x(stated("(__import__('os').system('touch hit'), 3)")), "malformed node"),
    Row("deep-parentheses", of_x(stated("(" * 9000)), NO_NPZ),
    Row("deep-signs", of_x(stated(f"({'-' * 9000}1,)")), NO_NPZ),
    Row("deep-sums", of_x(stated(f"({'1+' * 4000}1j,)")), NO_NPZ),
    Row("long-header", of_x(stated("(" * 50_000)), "Header info length"),
    Row("header-said-to-be-long", npz(with_long_header), NO_NPZ, most=2_000_000),
    Row("shape-beyond-64-bits", of_x(stated(f"({2**63}, 2)")), "numbers; at most 33554432 are judged"),
    Row("shape-empty-and-beyond-64-bits", of_x(stated(f"(0, {2**64})")), "none of length 0"),
    Row("shape-twice-negative", of_x(stated("(-2, -3)")), "X has shape (-2, -3); use two axes or more"),
    Row("shape-of-bools", of_x(stated("(True, 3)")), "an integer is required"),
    Row("axes-without-end", of_x(stated(f"({'1, ' * 70})")), "X has 70 axes; at most 16 are read"),
    Row("shape-larger-than-the-array", of_x(stated("(1000, 3)")), "EOF: reading array data"),
    Row("bomb-of-zeros", npz(lambda: zeros(4000)), "have 48000000 numbers; at most", most=10_000_000),
    Row("bomb-of-products", npz(lambda: zeros(1000)), "1000000000 products m·n·p; at most 33554432 are"),
    Row("name-twice", npz(X_TWICE), "holds 'X.npy' 2 times"),
    Row("names-of-one-entry", altered(header_offset=170), NO_NPZ),
    Row("names-with-escapes", npz(lambda: packed().replace(b"X.npy", b"\x1b[2J\x07")), r"holds '\x1b[2J"),
    Row("place-that-lies", altered(header_offset=2**60), NO_NPZ),
    Row("encrypted", altered(flag_bits=1), NO_NPZ),
    Row("compressed-as-numpy-never-does", altered(compress_type=zipfile.ZIP_LZMA), "NumPy never does"),
    Row("directory-crowded", npz(with_crowded_directory), "has a directory of 3", most=3_000_000),
    Row("truncated", npz(lambda: packed()[:-40]), NO_NPZ),
    Row("one-byte-changed", npz(lambda: packed()[:60] + b"!" + packed()[61:]), NO_NPZ),
    Row("a-terabyte", sparse("a.npz"), NO_NPZ),
    Row("the-systems-memory", linked("a.npz", "/proc/self/pagemap"), NO_NPZ),
)  # fmt: skip

NO_TENSORS = "is damaged, or no .safetensors file"
WITHOUT_NUMBERS = tensors(
    entries(
        X={"shape": (0, 2**64 - 1), "data_offsets": [0, 0]},
        y={"data_offsets": [0, 16]},
        W={"data_offsets": [16, 40]},
    ),
    bytes(40),
)
TENSORS = (
    Row("header-length-huge", tensors(entries(), size=2**64 - 1), "has a header of 18446744073709551615"),
    Row("header-crowded", tensors(b'{"a":[' + b"[]," * 2**20), "has a header of 31", most=10_000_000),
    Row("header-deep", tensors(b'{"X":' + b"[" * 100_000), "recursion limit exceeded"),
    Row("header-of-a-pickle", tensors(PICKLE), NO_TENSORS),
    Row("offsets-beyond-the-file", tensors(entries(X={"data_offsets": [0, 10**15]})), NO_TENSORS),
    Row("names-with-escapes", tensors({ESCAPES: entries()["X"]}, bytes(48)), r"holds '\x1b]0;owned\x07"),
    Row("names-without-end", tensors({"n" * 10**6: entries()["X"]}, bytes(48)), "it holds 'nnnnnn"),
    Row("name-twice", tensors(with_x_twice()), "holds 'X' 2 times"),
    Row("dtype-with-escapes", tensors(entries(X={"dtype": ESCAPES})), r"unknown variant `\x1b]0;owned"),
    Row("dtype-of-integers", tensors(entries(X={"dtype": "I64"})), "X has dtype I64; save it as one of"),
    Row("shape-empty-and-huge", WITHOUT_NUMBERS, "X has shape (0, 18446744073709551615);"),
    Row("axes-without-end", tensors(entries(X={"shape": [1] * 70 + [2, 3]})), "X has 72 axes; at most"),
    Row("truncated", tensors(entries(), bytes(80)), NO_TENSORS),
    Row("a-terabyte", sparse("a.safetensors"), "has 1099511627776 bytes; at most"),
    Row("the-systems-memory", linked("a.safetensors", "/proc/self/pagemap"), NO_TENSORS),
)  # fmt: skip


def text(name: str, case: str, says: str, most: int | None = None) -> Row:
    """The text of a case that is unusable."""
    return Row(name, lambda _: case, says, most)


NO_LISTS, NO_NUMBER = "X is not a rectangular nested list", "which is no number; use hexadecimal floats"
TEXTS = (
    text("code", literal("[[__import__('os').mkdir('hit')]]"), "X holds \"__import__('os')"),
    text("command", "$(touch hit):`touch hit`:;touch hit", "has 3 parts; use regime:seed:shape:layout:dtype"),
    text("shape-huge", "ordinary:0:99999999999x3x3:contiguous:float32", "numbers; at most 33554432"),
    text("shape-of-products", "ordinary:0:1x1000x1000x1000:contiguous:float32", "products m·n·p; at"),
    text("shape-beyond-64-bits", f"ordinary:0:{2**64}x3x1:contiguous:float32", "is unusable"),
    text("shape-in-other-digits", "ordinary:0:\u0661x3x1:contiguous:float32", "is unusable"),
    text("shape-without-end", f"ordinary:0:{'1x' * 60_000}1:contiguous:float32", "each at least 1"),
    text("seed-without-end", f"ordinary:{'9' * 10**5}:1x3x1:contiguous:float32", "is no whole number"),
    text("number-in-other-digits", literal("[[\u0661]]"), NO_NUMBER),
    text("number-without-end", literal(f"[[{'9' * 10**6}]]"), "beyond the largest float64, "),
    text("exponent-without-end", literal(f"[[0x1p{'9' * 10**5}]]"), NO_NUMBER),
    text("one-long-number-of-many", literal(f"[[{'0,' * 4000}{'0' * 9000}]]"), "do not fit", most=10_000_000),
    text("nul-for-a-file", "\0.npz", r"\x00.npz: no such file"),
    text("name-without-end", "n" * 10**5, "is neither a case such as"),
    text("escapes", literal(f"[[{ESCAPES}]]"), NO_LISTS),
    text("escapes-for-a-name", f"{ESCAPES}:0:1x3x1:contiguous:float32", r"'\x1b]0;owned\x07\x1b[2J\x9b2J"),
    text("two-lines", "ordinary:0\nAgreement:1x3x1:contiguous:float32", r"seed '0\nAgreement'"),
    text("deep", literal("[" * 50_000 + "1" + "]" * 50_000), "X is nested deeper than 16 lists"),
    text("deep-after-a-shallow-one", literal("[[1]," + "[" * 100_000), NO_LISTS),
    text("deeper-than-numpy", literal("[[]," + "[" * 100 + "]" * 101), NO_LISTS),
)  # fmt: skip

ledger = functools.partial(file_of, "bad.jsonl")
HEADER, CELL, FOOTER = 0, 1, -1
ONE_LINE = b'{"format":"gradient-crosscheck ledger","version":2,"text":"%s"}\n'
NO_LEDGER, OTHERWISE = (
    "is no ledger of this suite, or its beginning is damaged",
    "in another form than the suite writes",
)
TIME = b"2026-01-02T03:04:05Z"
FIGURE, DEEP = b'"0x1.8000000000000p+0"', b"[" * 100_000 + b"]" * 100_000
LEDGERS = (
    Row("pickle", ledger(PICKLE), NO_LEDGER),
    Row("utf-16", ledger(lambda: data_of(small()).decode().encode("utf-16")), NO_LEDGER),
    Row("deep-in-the-header", at(HEADER, b'"seed":0', b'"seed":' + DEEP), NO_LEDGER),
    Row("deep-in-a-line", before(1, b'{"kind":' + DEEP + b"}\n"), "line 2: "),
    Row("half-a-character", at(CELL, b'"core"', rb'"\ud800"'), "line 2: "),
    Row("half-a-character-in-bytes", at(CELL, b'"core"', b'"\xed\xa0\x80"'), "line 2: "),
    Row("escapes-for-a-kind", at(CELL, b'"cell"', rb'"\u001b[2J\u202e"'), r"Invalid value '\x1b[2J\u202e'"),
    Row("text-without-end-for-a-kind", at(CELL, b'"cell"', b'"' + b"x" * 10**6 + b'"'), "value 'xxxxxx"),
    Row("another-version", at(HEADER, b'"version":2', b'"version":1'), "version 1 of the format, and this"),
    Row("version-of-4,000-digits", at(HEADER, b'"version":2', b'"version":' + b"9" * 4000), "has version 99"),
    Row("negative-count", at(CELL, b'"cases":7', b'"cases":-7'), "Expected `int` >= 0"),
    Row("huge-count", at(CELL, b'"cases":7', b'"cases":1e400'), "Number out of range"),
    Row("code-for-a-number", at(CELL, FIGURE, b"\"__import__('os').system('touch hit')\""), "matching regex"),
    Row("huge-exponent", at(CELL, FIGURE, b'"0x1.8p+9999"'), "has a number that no float64 holds"),
    Row("time-beyond-the-calendar", at(HEADER, TIME, b"9999-12-31T23:59:59-12:00"), "that is not UTC"),
    Row("field-twice", at(CELL, b'"cases":7', b'"cases":8,"cases":7'), OTHERWISE),
    Row("unknown-field", at(CELL, b"{", b'{"extra":1,'), "unknown field `extra`"),
    Row("line-twice", forged(lambda lines: [lines[0], lines[1], *lines[1:]]), OTHERWISE),
    Row("lines-in-another-order", forged(lambda lines: [*lines[:3][::2], lines[1], *lines[3:]]), OTHERWISE),
    Row("no-header", forged(lambda lines: lines[1:]), NO_LEDGER),
    Row("another-count", at(FOOTER, b'"cells":2', b'"cells":3'), OTHERWISE),
    Row("another-digest", at(FOOTER, b'"results":"', b'"results":"0'), "matching regex"),
    Row("another-ending", at(FOOTER, b'"complete"', b'"finished"'), "has an end that this suite does not"),
    Row("a-terabyte", sparse("bad.jsonl"), "has 1099511627776 bytes; at most 67108864 are read"),
    Row("the-systems-memory", linked("bad.jsonl", "/proc/self/pagemap"), NO_LEDGER),
    *no_files("bad.jsonl"),
)  # fmt: skip
LARGE_LEDGERS = (
    Row("one-line", ledger(lambda: ONE_LINE % (b"x" * 20_000_000)), "has no end", 90_000_000),
    Row("lists", ledger(lambda: ONE_LINE % (b'","x":[' + b"[]," * 10**6 + b'[],"')), NO_LEDGER, 15_000_000),
    Row("lines", forged(lambda lines: [lines[0], b"{}\n" * 10**6, *lines[1:]]), "line 2: Object", 13_000_000),
)  # fmt: skip


def checking(given: str | Path, folder: Path) -> list[str | Path]:
    """Judge one input."""
    return ["check", given, "--only", "numpy", "--journal", folder / "journal"]


# A command, made from what is given and a folder with a good ledger.
Command = Callable[[str | Path, Path], list[str | Path]]
GATES: tuple[Command, ...] = (
    lambda given, folder: ["gate", given, folder / "good.jsonl"],
    lambda given, folder: ["gate", folder / "good.jsonl", given],
    lambda given, folder: ["gate", folder / "good.jsonl", given, "--accept", "why"],
)
REPORTS: tuple[Command, ...] = (
    lambda given, folder: ["report", given, "--output", folder / "page.html"],
    lambda given, folder: ["report", folder / "good.jsonl", given, "--output", folder / "page.html"],
)
# Files of tensors are opened by the code that opens archives: what is no file is tried with one of them.
READ_BY: dict[str, tuple[tuple[Row, ...], tuple[Command, ...]]] = {
    "check-npz": ((*ARCHIVES, *no_files("a.npz")), (checking,)),
    "check-safetensors": (TENSORS, (checking,)),
    "check-case": (TEXTS, (checking,)),
    "gate-and-report": (LEDGERS, (*GATES, *REPORTS)),
    "gate": (LARGE_LEDGERS, GATES[1:2]),
}
REJECTED = [
    pytest.param(row, each, id=f"{name}-{row.name}") for name, (rows, each) in READ_BY.items() for row in rows
]


@pytest.fixture(autouse=True)
def bounds() -> Iterator[None]:
    """A minute and 4 GiB of memory more: a command that hangs or swallows what it is given fails alone."""
    with bounded():
        yield


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder two levels down, with a good ledger, in which the commands run."""
    monkeypatch.chdir(good_folder(tmp_path))
    return Path.cwd()


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """The command in this process: exit code, output and complaints."""

    def command(*arguments: str | Path) -> tuple[int, str, str]:
        code = commands.run(list(map(str, arguments)))
        return (code, *capsys.readouterr())

    return command


@pytest.mark.parametrize(("row", "each"), REJECTED)
def test_what_is_malicious_is_rejected_by_one_line_and_leaves_nothing(
    row: Row, each: tuple[Command, ...], run: Run, folder: Path
) -> None:
    given = row.make(folder)
    named = (
        given.name if isinstance(given, Path) and given.name.isprintable() and len(given.name) < 100 else ""
    )
    there = files(folder)

    def assert_rejected(command: Command) -> None:
        code, printed, complaint = run(*command(given, folder))
        assert (code, printed) == (2, ""), complaint[:1000]
        assert_one_clear_line(complaint, row.says, named)
        assert_escaped(complaint)
        assert len(complaint) <= len("crosscheck: error: \n") + FIRST + len(GAP) + LAST
        assert files(folder) == there

    for command in each:
        if row.most is None:
            assert_rejected(command)
        else:
            assert peak_of(functools.partial(assert_rejected, command)) <= row.most
    if row in LEDGERS:
        assert_no_baseline(row, given, folder)
        assert files(folder) == there


def assert_no_baseline(row: Row, given: str | Path, folder: Path) -> None:
    """For ``pytest --gate`` it is a usage error, before anything is written."""
    options = {"gate": str(given), "ledger": str(folder / "new.jsonl")}
    recording = Recording(SimpleNamespace(getoption=options.get))  # type: ignore[arg-type]  # all that it asks
    with pytest.raises(pytest.UsageError) as error:
        recording.begin(folder / "new.jsonl")
    assert row.says in str(error.value)
    assert_escaped(str(error.value))


def with_more_and_lies(archive: zipfile.ZipFile) -> None:
    """Add what would do harm if it were unpacked, and say that there are more bytes than there are."""
    for name in (
        "../../evil.npy",
        str(Path.cwd() / "evil.npy"),
        "..\\evil.npy",
        "<script>alert(1)</script>.npy",
    ):
        archive.writestr(name, pickle.dumps(Trap()))
    archive.getinfo("../../evil.npy").external_attr = 0o120777 << 16  # a link
    archive.getinfo("X.npy").file_size = 2**60


def with_a_packed_size_that_lies(archive: zipfile.ZipFile) -> None:
    """Say that an array lies over all that follows it."""
    archive.getinfo("X.npy").compress_size = 2**60


def test_what_is_odd_and_harmless_is_judged(run: Run, folder: Path) -> None:
    old = npy("{'descr': '>f8', 'fortran_order': True, 'shape': (2L, 3L)}")  # as of Python 2
    given = npz(lambda: packed(with_more_and_lies, X=old))(folder)
    there = files(folder)
    code, printed, complaint = run(*checking(given, folder))
    assert (code, complaint) == (0, "")
    assert "Within bounds: numpy" in printed
    assert files(folder).keys() - there.keys() <= {folder / "journal"}


def test_an_array_that_lies_over_others_is_judged_or_refused_in_one_line(run: Run, folder: Path) -> None:
    """Newer releases of Python see it; older ones read no more than there is."""
    given = npz(lambda: packed(with_a_packed_size_that_lies))(folder)
    code, _, complaint = run(*checking(given, folder))
    if code:
        assert code == 2
        assert_one_clear_line(complaint, "is damaged", "Overlapped entries")
    else:
        assert complaint == ""
