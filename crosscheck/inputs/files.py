"""Read X, y and W from the user's ``.npz`` and ``.safetensors`` files; journals are such files, too.

Pickled arrays are refused, since reading them would execute code.
"""

from __future__ import annotations

import io
import json
import os
import struct
import tokenize
import warnings
import zipfile
import zlib
from collections import Counter
from collections.abc import Container, Mapping
from math import prod
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

import numpy as np

from adapters.errors import one_line
from adapters.journal import DTYPES
from adapters.memory import memories_of
from crosscheck.inputs.case import Case, parse
from crosscheck.inputs.literals import DEEPEST, MOST_NUMBERS, CaseError, Literal
from reference.formats import FORMATS
from reference.layouts import LAYOUTS, arrange
from reference.types import Array, Problem

EXAMPLE: Final = "ordinary:7:64x1x3x1:contiguous:float32"
NAMES: Final = ("X", "y", "W")
MOST_DIRECTORY: Final = 1 << 20  # bytes of a directory or header; an entry takes more in memory
FEWER: Final = f"at most {MOST_DIRECTORY} are read; save X, y and W alone"
MOST_BYTES: Final = 8 * MOST_NUMBERS + MOST_DIRECTORY
MOST_HEADER: Final = 1 << 16  # bytes of the header of an .npy file; NumPy reads 10,000 characters of it
FROM_SAFETENSORS: Final = {code: dtype for dtype, code in DTYPES.items()}
# The ways of compression that NumPy uses.
COMPRESSIONS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
# The readers of headers by version. 3.0 differs from 2.0 in the encoding of names of fields, and X has none.
HEADERS: Final = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
    (3, 0): np.lib.format.read_array_header_2_0,
}
# The exceptions that zipfile and NumPy raise for archives and arrays that are damaged or encrypted.
DAMAGED: Final = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, MemoryError),
    *(ValueError, TypeError, LookupError, ArithmeticError, RuntimeError, SyntaxError, tokenize.TokenError),
)


class InputError(CaseError):
    """A file cannot be used; the message is one line: which file, what is wrong, and what to do instead."""


def read_case(source: str) -> Case | Literal:
    """Read a case from its text, or from a file with X, y and W.

    Raises:
        CaseError: the source is neither a case nor a usable file; the message is one line.
    """
    path = Path(source)
    if path.suffix.lower() in READERS:
        return read(path)
    if ":" in source:
        return parse(source)
    if not os.path.exists(source):  # noqa: PTH110, Path raises for a long name
        raise CaseError(f"{source!r} is neither a case such as {EXAMPLE} nor a file .npz or .safetensors")
    return read(path)


def read(path: str | Path) -> Literal:
    """Read X, y and W from a file, as a case.

    A journal of an adapter in its own process states the memory layout of its arrays, which the case keeps.
    Every NaN becomes the quiet NaN that the text of a case stands for.

    Args:
        path: a file ``.npz`` or ``.safetensors`` with arrays X ``[*stack, m, n]``, y ``[*stack, m, p]`` and
            W ``[*stack, n, p]`` of one floating dtype; bfloat16 from ``.safetensors`` only.

    Raises:
        InputError: the file is missing, damaged or too large, or its arrays have other dtypes or shapes.
    """
    path = Path(path)
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise InputError(f"{path}: unknown kind of file {path.suffix!r}; use .npz or .safetensors")
    try:
        if not path.is_file():
            raise InputError("is no regular file" if path.exists() else "no such file")
        arrays, layout = reader(path)
        X, y, W = (quiet(arrays[name]) for name in NAMES)
        return Literal(str(X.dtype), X, y, W, layout)
    except CaseError as error:
        raise InputError(f"{path}: {str(error).replace('the case says', 'X has')}") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None


def quiet(array: Array) -> Array:
    """Replace every NaN by the same quiet NaN, since signalling ones cause a warning at each conversion."""
    with np.errstate(invalid="ignore"):
        return np.where(np.isnan(array), array.dtype.type(np.nan), array)


class _Stated(NamedTuple):
    """The dtype and shape that a file states for an array.

    Attributes:
        shape, dtype: of the array.
        fix: the advice in the message if a case cannot have that dtype.
    """

    shape: tuple[int, ...]
    dtype: str
    fix: str


def _check(stated: Mapping[str, _Stated]) -> None:
    """Raise `CaseError` unless arrays of these dtypes and shapes can be used; no memory is taken before."""
    for name, (shape, dtype, fix) in stated.items():
        if dtype not in FORMATS:
            raise InputError(f"{name} has dtype {dtype}; {fix}")
        if len(shape) > DEEPEST:
            raise InputError(f"{name} has {len(shape)} axes; at most {DEEPEST} are read")
        if not all(size > 0 for size in shape):
            raise InputError(f"{name} has shape {shape}; use two axes or more, none of length 0")
    numbers = sum(prod(one.shape) for one in stated.values())
    if numbers > MOST_NUMBERS:
        raise InputError(f"{', '.join(stated)} have {numbers} numbers; at most {MOST_NUMBERS} are judged")


def _only(found: list[str], there: Container[str]) -> None:
    """Raise `InputError` unless X, y and W are there; the message lists the names that were found."""
    missing = [name for name in NAMES if name not in there]
    if missing:
        held = ", ".join(f"{name[:60]!r}" for name in found[:8]) or "nothing"
        raise InputError(
            f"has no {', '.join(missing)}; it holds {held}; the arrays must be called X, y and W"
        )


def _unique(names: list[str]) -> None:
    """Raise `InputError` if a name occurs twice."""
    seen = Counter(names)
    if len(seen) < len(names):
        name, count = seen.most_common(1)[0]
        raise InputError(f"holds {name[:60]!r} {count} times; save it again, with each name once")


class _LimitedFile(io.FileIO):
    """A file that refuses to read more than `MOST_DIRECTORY` bytes at a time, as `zipfile` may ask for."""

    def read(self, size: int | None = -1, /) -> bytes:
        """Read up to ``size`` bytes; raise `InputError` if these are more than `MOST_DIRECTORY`."""
        if size is not None and size > MOST_DIRECTORY:
            raise InputError(f"has a directory of {size} bytes; {FEWER}")
        return super().read(-1 if size is None else size)


def _npz(path: Path) -> tuple[Mapping[str, Array], str]:
    """Read the arrays of an ``.npz`` file."""
    try:
        # an odd header of an array may cause warnings
        with _LimitedFile(path) as file, zipfile.ZipFile(file) as archive, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            members = _members(archive.namelist())
            _check({name: _stated(name, members[name], archive) for name in NAMES})
            return {name: _npy(members[name], archive) for name in NAMES}, "contiguous"
    except CaseError:
        raise
    except DAMAGED as error:
        why = one_line(error, type(error).__name__)
        raise InputError(f"is damaged, or no .npz file: {why}; save it again with np.savez") from None


def _members(found: list[str]) -> dict[str, str]:
    """Return the member of the archive for each array: X.npy as NumPy writes it, or X, which it reads too.

    Raises:
        InputError: an array is missing, or there twice.
    """
    _unique(found)
    wanted = [name for name in found if name.removesuffix(".npy") in NAMES]
    _unique([name.removesuffix(".npy") for name in wanted])
    members = {name.removesuffix(".npy"): name for name in wanted}
    _only(found, members)
    return members


def _stated(name: str, member: str, archive: zipfile.ZipFile) -> _Stated:
    """Read the dtype and shape in the header of one array."""
    if archive.getinfo(member).compress_type not in COMPRESSIONS:
        raise InputError(f"{name} is compressed as NumPy never does; save it with np.savez")
    with archive.open(member) as file:
        shape, dtype = _header(io.BytesIO(file.read(MOST_HEADER)))  # a false length takes no memory
    if dtype == np.dtype("V2"):
        return _Stated(shape, str(dtype), "NumPy loses bfloat16 in .npz; save it as .safetensors")
    known = "object" if dtype.hasobject else dtype.name
    return _Stated(shape, known, "save it as one of float64, float32, float16")


def _npy(member: str, archive: zipfile.ZipFile) -> Array:
    """Read one array, whose header has been checked."""
    with archive.open(member) as file:
        array = np.lib.format.read_array(file, allow_pickle=False)
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Read shape and dtype from the header of an ``.npy`` file."""
    version = np.lib.format.read_magic(file)
    if version not in HEADERS:
        raise ValueError(f"version {version} of the .npy format")
    shape, _, dtype = HEADERS[version](file)
    return shape, dtype


def _safetensors(path: Path) -> tuple[Mapping[str, Array], str]:
    """Read the arrays of a safetensors file, and the layout that a journal states."""
    from safetensors import SafetensorError, deserialize  # slow to import

    size = path.stat().st_size
    if size > MOST_BYTES:
        raise InputError(f"has {size} bytes; at most {MOST_BYTES} are read")
    with path.open("rb") as file:
        length = file.read(8)
        head = int.from_bytes(length, "little")
        if head > MOST_DIRECTORY:
            raise InputError(f"has a header of {head} bytes; {FEWER}")
        data = length + file.read(size)  # a limit, since a special file may have no end
    try:
        found = dict(deserialize(data))  # type: ignore[no-untyped-call]  # it ships no types
    except (SafetensorError, ValueError) as error:
        why = one_line(error, type(error).__name__)
        raise InputError(
            f"is damaged, or no .safetensors file: {why}; save it again with safetensors"
        ) from None
    header = json.loads(data[8 : 8 + head], object_pairs_hook=_once)  # valid, as `deserialize` read it
    _only(list(found), found)
    fix = f"save it as one of {', '.join(FORMATS)}"
    stated = {
        name: _Stated(tuple(one["shape"]), FROM_SAFETENSORS.get(one["dtype"], one["dtype"]), fix)
        for name, one in ((name, found[name]) for name in NAMES)
    }
    _check(stated)
    arrays = {
        name: np.frombuffer(found[name]["data"], FORMATS[dtype].dtype).reshape(shape)
        for name, (shape, dtype, _) in stated.items()
    }
    return arrays, _stated_layout(header, arrays)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make the object of a header; a repeated name is an error, since readers differ on which one counts."""
    _unique([name for name, _ in pairs])
    return dict(pairs)


def _stated_layout(header: Mapping[str, Any], arrays: Mapping[str, Array]) -> str:
    """Find the layout whose memory order the journal's header states; contiguous for other files."""
    stated = (header.get("__metadata__") or {}).get("layout")
    for layout in LAYOUTS if stated else ():
        if json.dumps(memories_of(arrange(Problem(**arrays), layout))) == stated:
            return layout
    return "contiguous"


READERS: Final = {".npz": _npz, ".safetensors": _safetensors}
