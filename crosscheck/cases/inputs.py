"""The user's own X, y and W from a file: ``.npz`` or ``.safetensors``, as the journals are. Never pickle."""

from __future__ import annotations

import io
import json
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from math import prod
from pathlib import Path
from typing import IO, Any, Final

import numpy as np

from adapters.errors import one_line
from adapters.journal import DTYPES
from adapters.memory import memory_of
from crosscheck.cases.case import MOST_NUMBERS
from crosscheck.cases.literals import CaseError, Literal
from reference.formats import FORMATS
from reference.layouts import LAYOUTS, arrange
from reference.types import Array

NAMES: Final = ("X", "y", "W")
MOST_BYTES: Final = 8 * MOST_NUMBERS
MOST_HEADER: Final = 1 << 16  # bytes of the head of an .npy file; NumPy reads 10,000 characters of it
FROM_SAFETENSORS: Final = {code: dtype for dtype, code in DTYPES.items()}
# How NumPy compresses, if it does.
COMPRESSIONS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
# What zipfile and NumPy raise for archives and arrays that are damaged or encrypted.
DAMAGED: Final = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, MemoryError),
    *(ValueError, TypeError, KeyError, ArithmeticError, RuntimeError, SyntaxError),
)


class InputError(CaseError):
    """A file that cannot be used; the message is one line: which, what is wrong, what would do."""


def read(path: str | Path) -> Literal:
    """X, y and W from a file, as a case.

    A journal of an isolated adapter says how its arrays lay in memory; the case has that layout again. Every
    NaN becomes the one that the text of a case has.

    Args:
        path: a file ``.npz`` or ``.safetensors`` with arrays X ``[*stack, m, n]``, y ``[*stack, m, p]`` and
            W ``[*stack, n, p]`` of one floating dtype; bfloat16 from ``.safetensors`` only.

    Raises:
        InputError: the file is missing, damaged or too large, or its arrays are not that.
    """
    path = Path(path)
    reader = READERS.get(path.suffix)
    if reader is None:
        raise InputError(f"{path}: unknown kind of file {path.suffix!r}; use .npz or .safetensors")
    try:
        if not path.is_file():
            raise InputError("is no regular file" if path.exists() else "no such file")
        arrays, layout = reader(path)
        X, y, W = (_quiet(arrays[name]) for name in NAMES)
        return Literal(str(X.dtype), X, y, W, layout)
    except CaseError as error:
        raise InputError(f"{path}: {str(error).replace('the case says', 'X has')}") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None


def _quiet(array: Array) -> Array:
    """The array with one NaN for all: a signalling one makes a warning of each conversion."""
    with np.errstate(invalid="ignore"):
        return np.where(np.isnan(array), array.dtype.type(np.nan), array)


def _checked(name: str, dtype: str, shape: tuple[int, ...], fix: str) -> None:
    """Raise unless an array of this dtype and shape can be used; before any memory is taken for it."""
    if dtype not in FORMATS:
        raise InputError(f"{name} has dtype {dtype}; {fix}")
    if prod(shape) > MOST_NUMBERS:
        raise InputError(f"{name} has {prod(shape)} numbers; at most {MOST_NUMBERS} are read")


def _only(found: list[str], wanted: Callable[[str], str] = str) -> None:
    missing = [name for name in NAMES if wanted(name) not in found]
    if missing:
        there = ", ".join(map(repr, found[:8])) or "nothing"
        raise InputError(
            f"has no {', '.join(missing)}; it holds {there}; the arrays must be called X, y and W"
        )


def _npz(path: Path) -> tuple[Mapping[str, Array], str]:
    """The arrays of an archive of NumPy's."""
    try:
        with zipfile.ZipFile(path) as archive:
            _only(archive.namelist(), "{}.npy".format)
            return {name: _npy(name, archive) for name in NAMES}, "contiguous"
    except CaseError:
        raise
    except DAMAGED as error:
        raise InputError(f"is damaged, or no .npz file: {one_line(error, type(error).__name__)}") from None


def _npy(name: str, archive: zipfile.ZipFile) -> Array:
    """One array, its header read and checked before the rest."""
    if archive.getinfo(f"{name}.npy").compress_type not in COMPRESSIONS:
        raise InputError(f"{name} is compressed as NumPy never does; save it with np.savez")
    with archive.open(f"{name}.npy") as file:
        shape, dtype = _header(io.BytesIO(file.read(MOST_HEADER)))  # a length that lies takes no memory
    known = "object" if dtype.hasobject else dtype.name
    fix = "save it as one of float64, float32, float16"
    if dtype == np.dtype("V2"):
        known, fix = str(dtype), "NumPy loses bfloat16 in .npz; save it as .safetensors"
    _checked(name, known, shape, fix)
    with archive.open(f"{name}.npy") as file:
        array = np.lib.format.read_array(file, allow_pickle=False)
    return array.astype(dtype.newbyteorder("="), copy=False)


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and dtype from the head of an ``.npy`` file."""
    version = np.lib.format.read_magic(file)
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    if version not in readers:
        raise ValueError(f"version {version} of the .npy format")
    shape, _, dtype = readers[version](file)
    return shape, dtype


def _safetensors(path: Path) -> tuple[Mapping[str, Array], str]:
    """The arrays of a safetensors file, and the layout that a journal states."""
    from safetensors import SafetensorError, deserialize  # needed for these files only

    if path.stat().st_size > MOST_BYTES:
        raise InputError(f"has {path.stat().st_size} bytes; at most {MOST_BYTES} are read")
    data = path.read_bytes()
    try:
        found = dict(deserialize(data))  # type: ignore[no-untyped-call]  # it ships no types
    except (SafetensorError, ValueError) as error:
        raise InputError(
            f"is damaged, or no .safetensors file: {one_line(error, type(error).__name__)}"
        ) from None
    _only(list(found))
    arrays = {}
    for name in NAMES:
        dtype = FROM_SAFETENSORS.get(found[name]["dtype"], found[name]["dtype"])
        _checked(name, dtype, tuple(found[name]["shape"]), f"save it as one of {', '.join(FORMATS)}")
        flat = np.frombuffer(found[name]["data"], np.uint8).view(FORMATS[dtype].dtype)
        arrays[name] = flat.reshape(found[name]["shape"])
    return arrays, _stated_layout(data, arrays)


def _stated_layout(data: bytes, arrays: Mapping[str, Array]) -> str:
    """The layout in which all three arrays lie as the journal's header says; contiguous for other files."""
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    stated = (header.get("__metadata__") or {}).get("layout")
    for layout in LAYOUTS if stated else ():
        memory = {name: memory_of(arrange(array, layout)) for name, array in arrays.items()}
        if json.dumps(memory) == stated:
            return layout
    return "contiguous"


READERS: Final = {".npz": _npz, ".safetensors": _safetensors}
