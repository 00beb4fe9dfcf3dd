"""Malicious arrays and texts of cases, all in one table: what is made, and what must come of it.

An input is rejected, with exit code 2 and one line that names it, says what is wrong and what would do.
No file appears, no command hangs, no memory fills.
"""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from malicious_files import (
    ESCAPES,
    PICKLE,
    Make,
    Row,
    Trap,
    Workplace,
    bounded,
    file_of,
    linked,
    literal,
    no_files,
    sparse,
)

GOOD = {"X": np.arange(6.0).reshape(2, 3), "y": np.ones((2, 1)), "W": np.ones((3, 1))}


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


def with_bare_x(archive: zipfile.ZipFile) -> None:
    """Add a pickle called X."""
    archive.writestr("X", PICKLE)


def of_version_3(array: Any) -> bytes:
    """Return an array with a header of version 3.0."""
    file = io.BytesIO()
    np.lib.format.write_array(file, array, (3, 0))
    return file.getvalue()


OBJECTS_3 = of_version_3(np.array([[Trap()]], dtype=object))
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
    Row("name-with-suffix-and-without", npz(lambda: packed(with_bare_x)), "holds 'X' 2 times"),
    Row("pickle-without-suffix", npz(lambda: packed(with_bare_x).replace(b"X.npy", b"Z.npy")), NO_NPZ),
    Row("object-array-of-version-3", npz(lambda: packed(X=OBJECTS_3)), "X has dtype object; save it as"),
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

# Files of tensors are opened by the code that opens archives: what is no file is tried with one of them.
READ = {"npz": (*ARCHIVES, *no_files("a.npz")), "safetensors": TENSORS, "case": TEXTS}
REJECTED = [pytest.param(row, id=f"{name}-{row.name}") for name, rows in READ.items() for row in rows]


def checking(given: str | Path, folder: Path) -> list[str | Path]:
    """Judge one input."""
    return ["check", given, "--only", "numpy", "--journal", folder / "journal"]


@pytest.fixture
def place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Workplace]:
    """A folder with a good ledger, in which the commands run with bounds."""
    with bounded(Workplace(tmp_path, capsys)) as found:
        yield found


@pytest.mark.parametrize("row", REJECTED)
def test_what_is_malicious_is_rejected_by_one_line_and_leaves_nothing(row: Row, place: Workplace) -> None:
    place.assert_rejected(row, checking)


def with_more_and_lies(archive: zipfile.ZipFile) -> None:
    """Add what would do harm if it were unpacked, and say that there are more bytes than there are."""
    for name in (
        "../../evil.npy",
        str(Path.cwd() / "evil.npy"),
        "..\\evil.npy",
        "<script>alert(1)</script>.npy",
    ):
        archive.writestr(name, PICKLE)
    archive.getinfo("../../evil.npy").external_attr = 0o120777 << 16  # a link
    archive.getinfo("X.npy").file_size = 2**60


def test_what_is_odd_and_harmless_is_judged(place: Workplace) -> None:
    old = npy("{'descr': '>f8', 'fortran_order': True, 'shape': (2L, 3L)}")  # as of Python 2
    given = npz(lambda: packed(with_more_and_lies, X=old))(place.folder)
    there = place.files()
    code, printed, complaint = place.run(*checking(given, place.folder))
    assert (code, complaint) == (0, "")
    assert "Within bounds: numpy" in printed
    assert place.files().keys() - there.keys() <= {place.folder / "journal"}
