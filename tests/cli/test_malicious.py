"""Malicious inputs, all in one place: what is made, which command reads it, and what must come of it.

An input is rejected, with exit code 2 and one line that names it, says what is wrong and what would do; or
what it says is shown, and is nothing but text. Either way no file appears, no command hangs, no memory fills.
"""

from __future__ import annotations

import dataclasses
import functools
import gzip
import hashlib
import html
import io
import itertools
import json
import os
import pickle
import re
import resource
import shlex
import shutil
import signal
import struct
import tracemalloc
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pytest
from command_line import assert_one_clear_line, python
from ledgers import cell, header, small, summary
from msgspec.structs import replace
from recording import Recording

from crosscheck import commands
from crosscheck.escaping import FIRST, GAP, LAST, escape_control_characters
from crosscheck.results.ledger import AFTER, BEFORE, Ledger, encoded, read
from crosscheck.results.lines import Acceptance, Fault
from crosscheck.results.summary import Number, Worst

Run = Callable[..., tuple[int, str, str]]
Make = Callable[[Path], str | Path]

GOOD = {"X": np.arange(6.0).reshape(2, 3), "y": np.ones((2, 1)), "W": np.ones((3, 1))}
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ESCAPES = "\x1b]0;owned\x07\x1b[2J\x9b2J\u202e"  # a title, a screen cleared twice, the direction of writing


class Row(NamedTuple):
    """One malicious input.

    Attributes:
        name: of the test.
        make: writes it into a folder; what the command is given for it.
        says: words of the one line that rejects it.
        most: bytes that the command may take for it, where another reader would take many more.
    """

    name: str
    make: Make
    says: str
    most: int | None = None


# -------------------------------------------------------------------------- what is no file, or no end


def put_file(path: Path, data: bytes) -> Path:
    """A file."""
    path.write_bytes(data)
    return path


def pipe(name: str) -> Make:
    """A pipe that nobody writes to."""

    def make(folder: Path) -> Path:
        os.mkfifo(folder / name)
        return folder / name

    return make


def linked(name: str, target: str) -> Make:
    """A symbolic link."""

    def make(folder: Path) -> Path:
        (folder / name).symlink_to(target)
        return folder / name

    return make


def sparse(name: str) -> Make:
    """A file of a terabyte that takes no room on the disk."""

    def make(folder: Path) -> Path:
        with (folder / name).open("wb") as file:
            file.truncate(2**40)
        return folder / name

    return make


def folder_of(name: str) -> Make:
    """A folder with the name of a file."""

    def make(folder: Path) -> Path:
        (folder / name).mkdir()
        return folder / name

    return make


def no_files(name: str) -> tuple[Row, ...]:
    """What a reader of a file with this name may find in its place."""
    return (
        Row("folder", folder_of(name), "is no regular file"),
        Row("pipe", pipe(name), "is no regular file"),
        Row("device-without-end", linked(name, "/dev/zero"), "is no regular file"),
        Row("link-to-nothing", linked(name, "nothing"), "no such file"),
        Row("link-to-itself", linked(name, name), "no such file"),
        Row("name-too-long", lambda folder: folder / ("x" * 300 + name), "File name too long"),
        Row("name-with-escapes", lambda folder: folder / (ESCAPES + name), rf"\x1b[2J\x9b2J\u202e{name}"),
        Row("name-of-two-lines", lambda folder: folder / f"a\ncrosscheck: error: {name}", "no such file"),
        Row("name-that-is-no-text", lambda folder: folder / f"\udcff{name}", rf"\udcff{name}: no such file"),
    )  # fmt: skip


# ------------------------------------------------------------------------------ files with X, y and W


def npy(head: str, body: bytes = bytes(48)) -> bytes:
    """An array of NumPy's with this header."""
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode("latin-1") + body


def stated(shape: str = "(2, 3)", descr: str = "'<f8'") -> str:
    """A header that says so."""
    return f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}}}\n"


def saved(array: Any, **options: Any) -> bytes:
    """An array as NumPy saves it."""
    file = io.BytesIO()
    np.save(file, array, **options)
    return file.getvalue()


def packed(change: Callable[[zipfile.ZipFile], None] = lambda _: None, **arrays: bytes) -> bytes:
    """An archive with these arrays instead of the good ones, changed before its directory is written."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {**{name: saved(array) for name, array in GOOD.items()}, **arrays}.items():
            archive.writestr(f"{name}.npy", data)
        change(archive)
    return file.getvalue()


def npz(data: bytes | Callable[[], bytes]) -> Make:
    """A file ``a.npz`` with these bytes."""

    def make(folder: Path) -> Path:
        path = folder / "a.npz"
        path.write_bytes(data if isinstance(data, bytes) else data())
        return path

    return make


def of_x(head: str) -> Make:
    """An archive in which X has this header."""
    return npz(lambda: packed(X=npy(head)))


class Trap:
    """What makes a file when it is unpickled."""

    def __reduce__(self) -> Any:
        return os.system, ("touch hit",)


def pickled() -> bytes:
    """An archive whose X is a pickle."""
    return packed(X=saved(np.array([[Trap()]], dtype=object), allow_pickle=True))


def altered(**values: int) -> Callable[[], bytes]:
    """An archive whose directory says this of X."""

    def change(archive: zipfile.ZipFile) -> None:
        for name, value in values.items():
            setattr(archive.getinfo("X.npy"), name, value)

    return lambda: packed(change)


def link() -> bytes:
    """An archive whose X is a symbolic link."""

    def change(archive: zipfile.ZipFile) -> None:
        archive.getinfo("X.npy").external_attr = 0o120777 << 16

    return packed(change, X=b"/dev/zero")


def twice() -> bytes:
    """An archive with two arrays called X."""
    return packed(Z=saved(-GOOD["X"])).replace(b"Z.npy", b"X.npy")


def crowded(count: int = 60_000) -> bytes:
    """An archive with so many entries in its directory."""
    data = packed()
    start, end = data.index(b"PK\x01\x02"), data.rindex(b"PK\x05\x06")
    entries = data[start:end] * (count // 3)
    tail = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 9, 9, len(entries), start, 0)
    return data[:start] + entries + tail


def long_head() -> bytes:
    """An archive whose X has a header of 32 MiB, in some kilobytes."""
    size = 1 << 25
    return packed(X=b"\x93NUMPY\x02\x00" + struct.pack("<I", size) + b" " * size)


def zeros(side: int, dtype: str = "<f2") -> bytes:
    """An archive of square arrays of zeros."""
    one = saved(np.zeros((side, side), dtype))
    return packed(X=one, y=one, W=one)


NO_NPZ = "is damaged, or no .npz file"
ARCHIVES = (
    Row("object-array-with-a-pickle", npz(pickled), "X has dtype object; save it as one of float64,"),
    Row("bare-pickle", npz(pickle.dumps(Trap())), NO_NPZ),
    Row("pickle-for-an-array", npz(lambda: packed(X=pickle.dumps(Trap()))), NO_NPZ),
    Row("structured-dtype", of_x(stated(descr="[('a', '<f8')]")), "X has dtype void64; save it"),
    Row("structured-dtype-of-objects", of_x(stated(descr="[('a', '|O')]")), "X has dtype object"),
    Row("dtype-of-arrays", of_x(stated(descr="('<f8', (2,))")), "X has dtype void128"),
    Row("dtype-of-huge-arrays", of_x(stated(descr="('<f8', (1000000000,))")), "is damaged"),
    Row("dtype-with-escapes", of_x(stated(descr=f"'{ESCAPES[:-1]}'")), r"descriptor: '\x1b]0;owned"),
    Row("code-for-a-header", of_x("__import__('os').system('touch hit')"), "malformed node"),
    Row("code-in-a-header", of_x(stated("(__import__('os').system('touch hit'), 3)")), "malformed node"),
    Row("deep-parentheses", of_x(stated("(" * 9000)), NO_NPZ),
    Row("deep-lists", of_x("[" * 9000 + "]" * 900), NO_NPZ),
    Row("deep-signs", of_x(stated(f"({'-' * 9000}1,)")), NO_NPZ),
    Row("deep-sums", of_x(stated(f"({'1+' * 4000}1j,)")), NO_NPZ),
    Row("long-header", of_x(stated("(" * 50_000)), "Header info length"),
    Row("header-said-to-be-long", npz(long_head), NO_NPZ, most=2_000_000),
    Row("shape-huge", of_x(stated("(1000000, 1000000)")), "have 1000000000005 numbers; at most 33554432"),
    Row("shape-beyond-64-bits", of_x(stated(f"({2**63}, 2)")), "numbers; at most 33554432 are judged"),
    Row("shape-empty-and-beyond-64-bits", of_x(stated(f"(0, {2**64})")), "none of length 0"),
    Row("shape-negative", of_x(stated("(-2, 3)")), "X has shape (-2, 3); use two axes or more"),
    Row("shape-twice-negative", of_x(stated("(-2, -3)")), "X has shape (-2, -3); use two axes or more"),
    Row("shape-of-bools", of_x(stated("(True, 3)")), "an integer is required"),
    Row("axes-without-end", of_x(stated(f"({'1, ' * 70})")), "X has 70 axes; at most 16 are read"),
    Row("shape-larger-than-the-array", of_x(stated("(1000, 3)")), "EOF: reading array data"),
    Row("bomb-of-products", npz(lambda: zeros(1000)), "1000000000 products m·n·p; at most 33554432 are"),
    Row("link-in-an-archive", npz(link), NO_NPZ),
    Row("name-twice", npz(twice), "holds 'X.npy' 2 times"),
    Row("names-of-one-entry", npz(altered(header_offset=170)), NO_NPZ),
    Row("names-outside-alone", npz(lambda: packed().replace(b"X.npy", b"/../x")), "has no X; it holds"),
    Row("names-with-escapes", npz(lambda: packed().replace(b"X.npy", b"\x1b[2J\x07")), r"holds '\x1b[2J"),
    Row("place-that-lies", npz(altered(header_offset=2**60)), NO_NPZ),
    Row("encrypted", npz(altered(flag_bits=1)), NO_NPZ),
    Row("compressed-as-numpy-never-does", npz(altered(compress_type=zipfile.ZIP_LZMA)), "NumPy never does"),
    Row("directory-crowded", npz(crowded), "has a directory of 3", most=3_000_000),
    Row("truncated", npz(lambda: packed()[:-40]), NO_NPZ),
    Row("one-byte-changed", npz(lambda: packed()[:60] + b"!" + packed()[61:]), NO_NPZ),
    Row("empty", npz(b""), NO_NPZ),
    Row("random-bytes", npz(np.random.default_rng(0).bytes(5000)), NO_NPZ),
    Row("web-page", npz(b"<!doctype html><script>alert(1)</script>"), "File is not a zip file"),
    Row("a-terabyte", sparse("a.npz"), NO_NPZ),
    Row("the-systems-memory", linked("a.npz", "/proc/self/pagemap"), NO_NPZ),
)  # fmt: skip


def tensors(head: Any, body: bytes = bytes(88), *, size: int | None = None) -> Make:
    """A file ``a.safetensors``: its header, as it is or as JSON, and the bytes of its arrays."""

    def make(folder: Path) -> Path:
        text = head if isinstance(head, bytes) else head() if callable(head) else json.dumps(head).encode()
        path = folder / "a.safetensors"
        path.write_bytes(struct.pack("<Q", len(text) if size is None else size) + text + body)
        return path

    return make


def entries(**changed: dict[str, Any]) -> dict[str, Any]:
    """The header of a good file, but for what is said."""
    found: dict[str, Any] = {}
    at = 0
    for name, array in GOOD.items():
        ends = [at, at := at + array.nbytes]
        found[name] = {"dtype": "F64", "shape": list(array.shape), "data_offsets": ends}
    return {name: {**found.get(name, {}), **changed.get(name, {})} for name in {**found, **changed}}


def x_twice() -> bytes:
    """A header in which X stands twice."""
    return json.dumps(entries())[:-1].encode() + b"," + json.dumps({"X": entries()["X"]})[1:].encode()


def without_numbers(*shape: int) -> Make:
    """A file whose X has this shape, and no numbers."""
    rest = {"y": {"data_offsets": [0, 16]}, "W": {"data_offsets": [16, 40]}}
    return tensors(entries(X={"shape": shape, "data_offsets": [0, 0]}, **rest), bytes(40))


NO_TENSORS = "is damaged, or no .safetensors file"
TENSORS = (
    Row("header-length-huge", tensors(entries(), size=2**64 - 1), "has a header of 18446744073709551615"),
    Row("header-length-beyond-the-file", tensors(entries(), size=1000), NO_TENSORS),
    Row("header-crowded", tensors(b'{"a":[' + b"[]," * 2**20), "has a header of 31", most=10_000_000),
    Row("header-deep", tensors(b'{"X":' + b"[" * 100_000), "recursion limit exceeded"),
    Row("header-of-deep-lists", tensors(b"[" * 100_000 + b"]" * 100_000), NO_TENSORS),
    Row("header-no-text", tensors(b"\xff\xfe{\x00}\x00"), NO_TENSORS),
    Row("header-of-a-pickle", tensors(pickle.dumps(Trap())), NO_TENSORS),
    Row("offsets-beyond-the-file", tensors(entries(X={"data_offsets": [0, 10**15]})), NO_TENSORS),
    Row("offsets-negative", tensors(entries(X={"data_offsets": [-1, 47]})), NO_TENSORS),
    Row("offsets-that-overlap", tensors(entries(y={"data_offsets": [0, 16]})), "invalid offset"),
    Row("offsets-backwards", tensors(entries(X={"data_offsets": [48, 0]})), NO_TENSORS),
    Row("names-of-a-web-page", tensors({"<script>": entries()["X"]}, bytes(48)), "it holds '<script>'"),
    Row("names-with-escapes", tensors({ESCAPES: entries()["X"]}, bytes(48)), r"holds '\x1b]0;owned\x07"),
    Row("names-without-end", tensors({"n" * 10**6: entries()["X"]}, bytes(48)), "it holds 'nnnnnn"),
    Row("name-twice", tensors(x_twice), "holds 'X' 2 times"),
    Row("dtype-that-lies", tensors(entries(X={"dtype": "F32"})), NO_TENSORS),
    Row("dtype-with-escapes", tensors(entries(X={"dtype": ESCAPES})), r"unknown variant `\x1b]0;owned"),
    Row("dtype-of-integers", tensors(entries(X={"dtype": "I64"})), "X has dtype I64; save it as one of"),
    Row("shape-huge", tensors(entries(X={"shape": [2**60, 2**60]})), NO_TENSORS),
    Row("shape-negative", tensors(entries(X={"shape": [-2, -3]})), NO_TENSORS),
    Row("shape-empty-and-huge", without_numbers(0, 2**64 - 1), "X has shape (0, 18446744073709551615);"),
    Row("shape-empty-and-too-large", without_numbers(2**62, 0), "X has shape (4611686018427387904, 0);"),
    Row("axes-without-end", tensors(entries(X={"shape": [1] * 70 + [2, 3]})), "X has 72 axes; at most"),
    Row("truncated", tensors(entries(), bytes(80)), NO_TENSORS),
    Row("followed-by-more", tensors(entries(), bytes(96)), NO_TENSORS),
    Row("empty", lambda folder: put_file(folder / "a.safetensors", b""), NO_TENSORS),
    Row("web-page", lambda folder: put_file(folder / "a.safetensors", b"<!doctype html>"), "has a header of"),
    Row("a-terabyte", sparse("a.safetensors"), "has 1099511627776 bytes; at most"),
    Row("the-systems-memory", linked("a.safetensors", "/proc/self/pagemap"), NO_TENSORS),
)  # fmt: skip


# ------------------------------------------------------------------------------------- texts of cases


def text(name: str, case: str, says: str, most: int | None = None) -> Row:
    """A case that is no good."""
    return Row(name, lambda _: case, says, most)


def literal(number: str) -> str:
    """A case with this for X."""
    return f"float64:X={number}:y=[[1]]:W=[[1]]"


NO_LISTS, NO_NUMBER = "X is not a rectangular nested list", "which is no number; use hexadecimal floats"
TEXTS = (
    text("code", literal("[[__import__('os').mkdir('hit')]]"), "X holds \"__import__('os')"),
    text("command", "$(touch hit):`touch hit`:;touch hit", "has 3 parts; use regime:seed:shape:layout:dtype"),
    text("shape-huge", "ordinary:0:99999999999x3x3:contiguous:float32", "numbers; at most 33554432"),
    text("shape-of-products", "ordinary:0:1x1000x1000x1000:contiguous:float32", "products m·n·p; at"),
    text("shape-negative", "ordinary:0:-1x3x1:contiguous:float32", "shape '-1x3x1' is unusable"),
    text("shape-beyond-64-bits", f"ordinary:0:{2**64}x3x1:contiguous:float32", "is unusable"),
    text("shape-in-other-digits", "ordinary:0:\u0661x3x1:contiguous:float32", "is unusable"),
    text("shape-without-end", f"ordinary:0:{'1x' * 60_000}1:contiguous:float32", "each at least 1"),
    text("seed-without-end", f"ordinary:{'9' * 10**5}:1x3x1:contiguous:float32", "is no whole number"),
    text("seed-in-other-digits", "ordinary:\u0663:1x3x1:contiguous:float32", "is no whole number"),
    text("number-in-other-digits", literal("[[\u0661]]"), NO_NUMBER),
    text("number-without-end", literal(f"[[{'9' * 10**6}]]"), "beyond the largest float64, "),
    text("number-beyond-the-format", literal("[[1e999]]"), "X[0, 0] is 1e999, beyond the largest float64, "),
    text("exponent-without-end", literal(f"[[0x1p{'9' * 10**5}]]"), NO_NUMBER),
    text("one-long-number-of-many", literal(f"[[{'0,' * 4000}{'0' * 9000}]]"), "do not fit", most=10_000_000),
    text("nul", literal("[[1\0]]"), r"X holds '1\x00'"),
    text("nul-for-a-file", "\0.npz", r"\x00.npz: no such file"),
    text("name-without-end", "n" * 10**5, "is neither a case such as"),
    text("escapes", literal(f"[[{ESCAPES}]]"), NO_LISTS),
    text("escapes-for-a-name", f"{ESCAPES}:0:1x3x1:contiguous:float32", r"'\x1b]0;owned\x07\x1b[2J\x9b2J"),
    text("two-lines", "ordinary:0\nAgreement:1x3x1:contiguous:float32", r"seed '0\nAgreement'"),
    text("half-a-character", "ordinary\udcff:0:1x3x1:contiguous:float32", r"unknown regime 'ordinary\udcff'"),
    text("deep", literal("[" * 50_000 + "1" + "]" * 50_000), "X is nested deeper than 16 lists"),
    text("deep-without-an-end", literal("[" * 100_000), NO_LISTS),
    text("deep-after-a-shallow-one", literal("[[1]," + "[" * 100_000), NO_LISTS),
    text("deeper-than-numpy", literal("[[]," + "[" * 100 + "]" * 101), NO_LISTS),
)  # fmt: skip


# --------------------------------------------------------------------------------------------- ledgers


def sealed(lines: Iterable[bytes]) -> bytes:
    """A ledger of these lines with a checksum that fits: what somebody can make who knows the format."""
    body, _, _ = b"".join(lines).rpartition(BEFORE)
    return body + BEFORE + hashlib.sha256(body + BEFORE).hexdigest().encode() + AFTER


def data_of(ledger: Ledger) -> bytes:
    """A ledger as it is written."""
    return sealed(map(encoded, (*ledger.lines(), ledger.footer())))


def plain(data: bytes | Callable[[], bytes]) -> Make:
    """A file ``bad.jsonl`` with these bytes."""
    return lambda folder: put_file(folder / "bad.jsonl", data if isinstance(data, bytes) else data())


def forged(change: Callable[[list[bytes]], list[bytes]]) -> Make:
    """A ledger with other lines."""

    def make(folder: Path) -> Path:
        lines = data_of(small()).splitlines(keepends=True)
        changed = change(list(lines))
        assert changed != lines
        return put_file(folder / "bad.jsonl", sealed(changed))

    return make


def at(number: int, old: bytes, new: bytes) -> Make:
    """A ledger in which one thing in one line is another."""

    def change(lines: list[bytes]) -> list[bytes]:
        lines[number] = lines[number].replace(old, new, 1)
        return lines

    return forged(change)


def before(number: int, *more: bytes) -> Make:
    """A ledger with more lines."""
    return forged(lambda lines: [*lines[:number], *more, *lines[number:]])


HEADER, CELL, FOOTER = 0, 1, -1
ONE_LINE = b'{"format":"gradient-crosscheck ledger","version":3,"text":"%s"}\n'
NO_LEDGER, OTHERWISE = (
    "is no ledger of this suite, or its beginning is damaged",
    "in another form than the suite writes",
)
TIME = b"2026-01-02T03:04:05Z"
FIGURE, DEEP = b'"0x1.8000000000000p+0"', b"[" * 100_000 + b"]" * 100_000
LEDGERS = (
    Row("pickle", plain(pickle.dumps(Trap())), NO_LEDGER),
    Row("gzip", plain(gzip.compress(b'{"kind":"header"}\n')), NO_LEDGER),
    Row("archive", plain(packed), NO_LEDGER),
    Row("web-page", plain(b"<!doctype html>\n<script>alert(1)</script>\n"), NO_LEDGER),
    Row("utf-16", plain(lambda: data_of(small()).decode().encode("utf-16")), NO_LEDGER),
    Row("mark-of-the-order-of-bytes", before(0, b"\xef\xbb\xbf"), NO_LEDGER),
    Row("nothing-but-nul", plain(bytes(10_000)), NO_LEDGER),
    Row("nothing-but-lines", plain(b"\n" * 10_000), NO_LEDGER),
    Row("deep-first", before(0, DEEP, b"\n"), NO_LEDGER),
    Row("deep-in-the-header", at(HEADER, b'"seed":0', b'"seed":' + DEEP), NO_LEDGER),
    Row("deep-in-a-line", before(1, b'{"kind":' + DEEP + b"}\n"), "line 2: "),
    Row("deep-in-a-field-that-is-no-field", at(CELL, b"{", b'{"x":' + DEEP + b","), "line 2: "),
    Row("no-utf-8", before(1, b"\xff\xfe\n"), "line 2: "),
    Row("half-a-character", at(CELL, b'"core"', rb'"\ud800"'), "line 2: "),
    Row("half-a-character-in-bytes", at(CELL, b'"core"', b'"\xed\xa0\x80"'), "line 2: "),
    Row("nul-in-a-text", at(CELL, b'"core"', b'"co\0re"'), "line 2: "),
    Row("escape-in-a-text", at(CELL, b'"core"', b'"\x1b[2J"'), "line 2: "),
    Row("escapes-for-a-kind", at(CELL, b'"cell"', rb'"\u001b[2J\u202e"'), r"Invalid value '\x1b[2J\u202e'"),
    Row("escapes-for-a-field", at(CELL, b"{", rb'{"\u001b[2J":1,'), r"unknown field `\x1b[2J`"),
    Row("escapes-for-a-version", at(HEADER, b'"version":3', rb'"version":"\u001b[2J"'), NO_LEDGER),
    Row("text-without-end-for-a-kind", at(CELL, b'"cell"', b'"' + b"x" * 10**6 + b'"'), "value 'xxxxxx"),
    Row("another-version", at(HEADER, b'"version":3', b'"version":1'), "version 1 of the format, and this"),
    Row("version-of-a-million-digits", at(HEADER, b'"version":3', b'"version":' + b"9" * 10**6), NO_LEDGER),
    Row("version-of-4,000-digits", at(HEADER, b'"version":3', b'"version":' + b"9" * 4000), "has version 99"),
    Row("number-of-a-million-digits", at(HEADER, b'"seed":0', b'"seed":' + b"9" * 10**6), "Integer value"),
    Row("number-of-a-huge-exponent", at(HEADER, b'"seed":0', b'"seed":1e999'), "Number out of range"),
    Row("number-for-a-text", at(CELL, b'"core"', b"7"), "Expected `str`, got `int`"),
    Row("text-for-a-number", at(CELL, b'"cases":7', b'"cases":"7"'), "Expected `int`, got `str`"),
    Row("negative-count", at(CELL, b'"cases":7', b'"cases":-7'), "Expected `int` >= 0"),
    Row("huge-count", at(CELL, b'"cases":7', b'"cases":1e400'), "Number out of range"),
    Row("code-for-a-number", at(CELL, FIGURE, b"\"__import__('os').system('touch hit')\""), "is no number"),
    Row("huge-exponent", at(CELL, FIGURE, b'"0x1.8p+9999"'), "is a number that no float64 holds"),
    Row("figure-of-a-million-digits", at(CELL, FIGURE, b'"0x1.' + b"8" * 10**6 + b'p+0"'), OTHERWISE),
    Row("time-of-no-zone", at(HEADER, TIME, TIME[:-1]), "has a time that is not UTC"),
    Row("time-beyond-the-calendar", at(HEADER, TIME, b"9999-12-31T23:59:59-12:00"), "that is not UTC"),
    Row("field-twice", at(CELL, b'"cases":7', b'"cases":8,"cases":7'), OTHERWISE),
    Row("unknown-field", at(CELL, b"{", b'{"extra":1,'), "unknown field `extra`"),
    Row("unknown-kind", at(CELL, b'"cell"', b'"sell"'), "Invalid value 'sell'"),
    Row("space", at(HEADER, b":", b": "), OTHERWISE),
    Row("line-missing", forged(lambda lines: [lines[0], *lines[2:]]), OTHERWISE),
    Row("line-twice", forged(lambda lines: [lines[0], lines[1], *lines[1:]]), OTHERWISE),
    Row("lines-in-another-order", forged(lambda lines: [*lines[:3][::2], lines[1], *lines[3:]]), OTHERWISE),
    Row("line-empty", before(1, b"\n"), "line 2: "),
    Row("no-header", forged(lambda lines: lines[1:]), NO_LEDGER),
    Row("two-headers", forged(lambda lines: [lines[0], *lines]), OTHERWISE),
    Row("two-ends", forged(lambda lines: [*lines, lines[-1]]), OTHERWISE),
    Row("another-count", at(FOOTER, b'"cells":2', b'"cells":3'), OTHERWISE),
    Row("another-digest", at(FOOTER, b'"results":"', b'"results":"0'), "matching regex"),
    Row("another-ending", at(FOOTER, b'"complete"', b'"finished"'), "has an end that this suite does not"),
    Row("a-terabyte", sparse("bad.jsonl"), "has 1099511627776 bytes; at most 67108864 are read"),
    Row("the-systems-memory", linked("bad.jsonl", "/proc/self/pagemap"), NO_LEDGER),
    *no_files("bad.jsonl"),
)  # fmt: skip
LARGE_LEDGERS = (
    Row("one-line-of-20-megabytes", plain(lambda: ONE_LINE % (b"x" * 20_000_000)), "has no end", 90_000_000),
    Row("lists", plain(lambda: ONE_LINE % (b'","x":[' + b"[]," * 10**6 + b'[],"')), NO_LEDGER, 15_000_000),
    Row("lines", forged(lambda lines: [lines[0], b"{}\n" * 10**6, *lines[1:]]), "line 2: Object", 13_000_000),
)  # fmt: skip


# --------------------------------------------------------------------------------- which command reads it


def checking(given: str | Path, folder: Path) -> list[str | Path]:
    """Judge one input."""
    return ["check", given, "--only", "numpy", "--journal", folder / "journal"]


# Each from what is given and a folder with a good ledger.
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
READ_BY: dict[str, tuple[tuple[Row, ...], tuple[Command, ...]]] = {
    "check-npz": ((*ARCHIVES, *no_files("a.npz")), (checking,)),
    "check-safetensors": ((*TENSORS, *no_files("a.safetensors")), (checking,)),
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


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder two levels down, with a good ledger, in which the commands run."""
    found = tmp_path / "one" / "two"
    found.mkdir(parents=True)
    put_file(found / "good.jsonl", data_of(small()))
    monkeypatch.chdir(found)
    return found


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """The command in this process: exit code, output and complaints."""

    def command(*arguments: str | Path) -> tuple[int, str, str]:
        code = commands.run(list(map(str, arguments)))
        return (code, *capsys.readouterr())

    return command


def files(folder: Path) -> dict[Path, tuple[int, ...]]:
    """Everything in a folder and two levels above, as it is there; links are not followed."""
    stats = ((path, path.lstat()) for path in folder.parents[1].rglob("*"))
    return {path: (stat.st_mode, stat.st_ino, stat.st_size, stat.st_mtime_ns) for path, stat in stats}


def assert_escaped(printed: str) -> None:
    """Nothing but signs on paper and the ends of lines."""
    assert {c for c in printed if not c.isprintable()} <= {"\n"}


def peak_of(call: Callable[[], None]) -> int:
    """The most memory that Python took at once during a call."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


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


# --------------------------------------------------------------------------- what a good ledger may say

SAYINGS = {
    "page": "</script><script>hit=1</script><img src=x onerror='window.hit=2'>\"onfocus=\"window.hit=3",
    "comment": "--><!--<!--><svg/onload=window.hit=4>]]></style></textarea></title><base href=//example.org>",
    "template": "{{ 7 * 7 }}{% for x in y %}{# %}${7*7}{0}%s%n",
    "address": "javascript:window.hit=5//https://example.org",
    "markup": "[red]x[/red] [/] [link=https://example.org]x[/link] :boom: [bold",
    "escapes": ESCAPES + "\x1b]8;;https://example.org\x07x\x1b]8;;\x07\x07\x08\x7f",
    "lines": "a\nb\r\nc\u2028d\x85e\x0bf\tg",
    "nul": "a\0b",
    "markdown": "|`a` *b* _c_ ![i](https://example.org) [x](j:1) <img> @all #1 $x$ www.example.org\n# h\n||",
    "shell": '\'; touch hit; $(touch hit) `touch hit` "$HOME" && touch hit # \\',
    "options": "--adapter=os:system",
    "paths": "../../../hit",
    "digits": "9" * 5000,
}
# What is made again for a page, if it is a case.
CASES = {
    "too-large": "ordinary:0:99999999999x3x3:contiguous:float32",
    "too-many-products": "ordinary:0:1x1000x1000x1000:contiguous:float32",
    "deep": literal("[[1]," + "[" * 50_000),
    "one-long-number": literal(f"[[{'0,' * 4000}{'0' * 9000}]]"),
}
KEPT = ("format", "profile", "ending")


def saying(thing: Any, texts: Iterator[str]) -> Any:
    """The same with the next of these for every text in it."""

    def replaced(part: Any) -> Any:
        return saying(part, texts)

    match thing:
        case str():
            return next(texts)
        case dict():
            return {replaced(key): replaced(value) for key, value in thing.items()}
        case Worst():
            return replace(thing, case=next(texts), regime=next(texts), admissible=next(texts))
        case tuple() | frozenset():
            return type(thing)(map(replaced, thing))
        case Ledger() | msgspec.Struct():
            change: Any = replace if isinstance(thing, msgspec.Struct) else dataclasses.replace
            names = [name for name in type(thing).__annotations__ if name not in KEPT]
            return change(thing, **{name: replaced(getattr(thing, name)) for name in names})
    return thing


def ledger_of(*texts: str) -> Ledger:
    """A ledger that says these wherever it says anything, with a line of each kind and a disagreement."""
    share = Worst(Number(3.0), "x", (0, 0, 0), "x")
    wrong = summary(
        wrong_problems=1, wrong_elements=2, share=share, failures=frozenset({"x"}), known={"x": 1}
    )
    full = dataclasses.replace(
        small(),
        cells={cell(): wrong},
        faults=(Fault(who="x", what="x"),),
        acceptances=(Acceptance(when=header().created, why="x", changes=("x",)),),
    )
    found: Ledger = saying(full, itertools.cycle(texts))
    return found


@pytest.mark.parametrize("name", SAYINGS)
def test_the_gate_shows_what_a_ledger_says_and_nothing_of_it_is_obeyed(
    name: str, run: Run, folder: Path
) -> None:
    said = SAYINGS[name]
    put_file(folder / "new.jsonl", data_of(ledger_of(said)))
    there = files(folder)
    code, printed, complaint = run("gate", "good.jsonl", "new.jsonl", "--summary", "summary.md")
    assert (code, complaint) == (1, "")
    assert files(folder).keys() - there.keys() == {folder / "summary.md"}
    assert_escaped(printed)
    (line,) = (line for line in printed.splitlines() if line.lstrip().startswith("replay "))
    assert shlex.split(line)[2:] == [
        "check",
        escape_control_characters(said),
        "--adapter",
        escape_control_characters(said),
    ]
    assert_harmless((folder / "summary.md").read_text("utf-8"), said)


def assert_harmless(markdown: str, said: str) -> None:
    """A title, a verdict and a table of six columns, which say this, and of which nothing is active."""
    assert_escaped(markdown)
    title, _, _, _, *table = markdown.splitlines()
    assert title == "## good.jsonl and new.jsonl"
    assert {line.count("|") for line in table} == {7}
    assert not re.search(r"[<>`*_\[\]\\~@!$]|(?<!&)#|://|www\.", "".join(table))
    cells = {html.unescape(part.strip()) for line in table for part in line.split("|")}
    assert escape_control_characters(" ".join(said.split())) in cells


def test_a_profile_that_does_not_fit_is_reported_by_one_line(run: Run, folder: Path) -> None:
    for said in SAYINGS.values():
        put_file(folder / "new.jsonl", data_of(Ledger(header("torch", profile=said), small().cells)))
        code, _, complaint = run("gate", "good.jsonl", "new.jsonl")
        assert code == 2
        assert_one_clear_line(complaint, "the baseline is of profile compare, the new ledger of ")
        assert_escaped(complaint)


class Elements(HTMLParser):
    """The elements of a page with the names of their attributes, and all that is code."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: Counter[tuple[str, ...]] = Counter()
        self.code: list[str] = []
        self.last: tuple[str, ...] = ()
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep it."""
        self.last = (tag, *(name for name, _ in attrs))
        self.found[self.last] += 1

    def handle_data(self, data: str) -> None:
        """Keep what the browser runs."""
        if self.last in (("script",), ("style",)):
            self.code.append(data)


def page_of(run: Run, folder: Path, *texts: str) -> str:
    """The page of a ledger that says these, compared with a harmless one."""
    put_file(folder / "new.jsonl", data_of(ledger_of(*texts)))
    code, _, complaint = run("report", "new.jsonl", "good.jsonl", "--output", "page.html")
    assert (code, complaint) == (0, "")
    return (folder / "page.html").read_text("utf-8")


def test_a_page_has_the_same_elements_and_the_same_code_whatever_a_ledger_says(
    run: Run, folder: Path
) -> None:
    assert_as_harmless(tuple(SAYINGS.values()), run, folder)


@pytest.mark.long
@pytest.mark.parametrize("name", SAYINGS)
def test_a_page_is_harmless_where_a_ledger_says_the_same_everywhere(
    name: str, run: Run, folder: Path
) -> None:
    assert_as_harmless((SAYINGS[name],), run, folder)


def assert_as_harmless(texts: tuple[str, ...], run: Run, folder: Path) -> None:
    """The page of a ledger that says these is built as that of one which says as many words."""
    want = Elements(page_of(run, folder, *(f"word {number}" for number, _ in enumerate(texts))))
    there = files(folder)
    got = Elements(page_of(run, folder, *texts))
    assert (got.found, got.code) == (want.found, want.code)
    assert files(folder).keys() == there.keys()


def test_a_case_that_cannot_be_made_again_takes_a_page_no_memory(run: Run, folder: Path) -> None:
    def made() -> None:
        page_of(run, folder, *CASES.values())

    page_of(run, folder, "word")  # what is imported stays
    assert peak_of(made) <= 50_000_000


@pytest.mark.long
@pytest.mark.xdist_group("chromium")
@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the PATH: apt-get install chromium")
def test_a_browser_runs_nothing_of_a_ledger_and_asks_nobody(run: Run, folder: Path) -> None:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    page_of(run, folder, *SAYINGS.values())
    address, asked, said = (folder / "page.html").as_uri(), [], []
    resource.setrlimit(
        resource.RLIMIT_AS, resource.getrlimit(resource.RLIMIT_AS)[1:] * 2
    )  # it takes terabytes
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        page.goto(address)
        for button in page.locator("#matrix button").all():
            button.click()
            page.keyboard.press("Escape")
        assert page.evaluate("window.hit === undefined")
        browser.close()
    assert (asked, said) == ([address], [])


# -------------------------------------------------------------------------------- where a baseline may lie


def beyond(data: bytes | None) -> Make:
    """A link to a file elsewhere, which holds this; None: which is not there."""

    def make(folder: Path) -> Path:
        if data is not None:
            put_file(folder.parent / "elsewhere", data)
        (folder / "base.jsonl").symlink_to(folder.parent / "elsewhere")
        return folder / "base.jsonl"

    return make


def closed(folder: Path) -> Path:
    """A baseline in a folder that takes no files."""
    if os.geteuid() == 0:
        pytest.skip("nothing is closed to root")
    (folder / "closed").mkdir(mode=0o555)
    return folder / "closed" / "base.jsonl"


# By name: it, and what the complaint says; None: it is accepted.
BASELINES: dict[str, tuple[Make, str | None]] = {
    "new": (lambda folder: folder / "more" / "base.jsonl", None),
    "link-to-a-baseline": (beyond(data_of(small())), None),
    "link-to-nothing": (beyond(None), None),
    "link-to-something-else": (beyond(b"export PATH\n"), NO_LEDGER),
    "below-a-file": (lambda folder: folder / "good.jsonl" / "base.jsonl", "cannot be written"),
    "in-a-closed-folder": (closed, "cannot be written: Permission denied"),
    "in-a-folder-of-the-system": (
        lambda _: "/proc/base.jsonl",
        "/proc/base.jsonl: the ledger cannot be written",
    ),
    "folder": (folder_of("base.jsonl"), "is no regular file"),
    "pipe": (pipe("base.jsonl"), "is no regular file"),
    "device": (lambda _: "/dev/null", "/dev/null: is no regular file"),
    "name-too-long": (lambda folder: folder / ("x" * 300), "cannot be written: File name too long"),
}


@pytest.mark.parametrize("name", BASELINES)
def test_a_baseline_is_replaced_whole_or_not_at_all_and_never_through_a_link(
    name: str, run: Run, folder: Path
) -> None:
    make, says = BASELINES[name]
    given = make(folder)
    there = files(folder)
    code, _, complaint = run(
        "gate", given, "good.jsonl", "--accept", "because \udcff"
    )  # bytes that are no text
    now = files(folder)
    if says is None:
        assert (code, complaint) == (0, "")
        assert not Path(given).is_symlink()
        assert [each.why for each in read(Path(given)).acceptances] == [r"because \udcff"]
        assert {path for path in now if now[path] != there.get(path)} - {folder} <= {
            Path(given),
            Path(given).parent,
        }
    else:
        assert code == 2
        assert_one_clear_line(complaint, says)
        assert now == there


# ----------------------------------------------------------------------- how much memory a process takes

# The high-water mark of the system; that of `getrusage` would be the one of pytest.
MEASURED = """
import re, resource, sys
resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
from crosscheck.commands import run
code = run(sys.argv[1:])
print(int(re.search(r"VmHWM: *(.*) kB", open("/proc/self/status").read())[1]) // 1024)
sys.exit(code)
"""
MIB = 1 << 20
# What takes a while to make. Megabytes that the process may take: it needs 60 itself.
LARGE: dict[str, tuple[Command, Make, str, int]] = {
    "bomb-of-zeros": (checking, npz(lambda: zeros(5000)), "have 75000000 numbers; at most", 120),
    "bomb-of-products": (checking, npz(lambda: zeros(1000)), "1000000000 products m·n·p; at most", 120),
    "directory-crowded": (checking, npz(lambda: crowded(10**6)), "has a directory of ", 120),
    "header-crowded": (checking, tensors(lambda: b'{"a":[' + b"[]," * 30 * MIB), "has a header of ", 120),
    "one-line": (GATES[0], plain(lambda: ONE_LINE % (b"x" * 60 * MIB)), "has no end", 400),
    "lists": (
        GATES[0],
        plain(lambda: ONE_LINE % (b'","x":[' + b"[]," * 20 * MIB + b'[]],"y":"')),
        "has no end",
        400,
    ),
    "lines": (GATES[0], forged(lambda lines: [lines[0], b"{}\n" * 20 * MIB, *lines[1:]]), "line 2: ", 400),
}


@pytest.mark.long
@pytest.mark.parametrize("name", LARGE)
def test_what_is_large_is_rejected_without_taking_as_much_memory(name: str, folder: Path) -> None:
    command, make, says, most = LARGE[name]
    found = python("-c", MEASURED, *map(str, command(make(folder), folder)))
    assert found.returncode == 2
    assert_one_clear_line(found.stderr, says)
    assert int(found.stdout) <= most
