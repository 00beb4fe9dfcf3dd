"""The input of a script: arrays written number by number, by formula, or packed, in their memory layout."""

from __future__ import annotations

import base64
import math
import textwrap
import zlib
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from crosscheck.explain.shrink import LISTED
from crosscheck.script.reproduction import NoScriptError, Reproduction
from reference.types import Array

LARGEST = 200_000  # the most characters that the packed numbers of a script may have
WIDTH = 100
AS_LONG = 11  # from this exponent on a power of two is written as 2.0**e
UNPACK = '''
def unpacked(text, checksum):
    """The bytes of an array, little-endian."""
    raw = zlib.decompress(base64.b64decode(text))
    if zlib.crc32(raw) != checksum:
        raise ValueError("an input cannot be rebuilt: its text has changed")
    return bytearray(raw)
'''


class Dialect(NamedTuple):
    """The code of a framework's script that makes an array; ``{}`` stands for its numbers or its name.

    Attributes:
        array, packed: code that makes an array from a list or from NumPy's array, or from bytes.
        swapped, view: code that exchanges the last two axes, in memory or as a view.
        layouts: code that gives an array each memory layout, by the layout, or by the layout and the name of
            the array; torch copies where it cannot take NumPy's view.
        free: the layouts whose arrays may be written with their axes exchanged.
    """

    array: str
    packed: str
    swapped: str
    view: str
    layouts: Mapping[str, str]
    free: tuple[str, ...]


TORCH = Dialect(
    "torch.tensor({}, dtype=dtype)",
    "torch.frombuffer({}, dtype=dtype).clone()",
    "{0} = {0}.mT.contiguous()",
    "{0} = {0}.mT",
    {
        **dict.fromkeys(
            ("transposed", "transposed_X of X", "transposed_W of W"), "{0} = {0}.mT.contiguous().mT"
        ),
        "padded": "{0} = torch.nn.functional.pad({0}, (1, {0}.shape[-1] % 2))[..., 1 : {0}.shape[-1] + 1]",
        "table of X": "X = torch.nn.functional.pad(X, (0, {p}))[..., :{n}]",
        "table of y": "y = torch.nn.functional.pad(y, ({n}, 0))[..., {n}:]",
        "odd_strides": "{0} = {0}[{first}].clone().as_strided({0}.shape, {strides})",
        "strided": "{0} = {0}.repeat_interleave(2, -1)[..., ::2]",
        "broadcast": "{0} = {0}[:1].expand({0}.shape) if ({0} == {0}[:1]).all() else {0}",
        **{
            f"offset{offset}": f"{{0}} = torch.cat([torch.zeros({offset} // {{0}}.itemsize, dtype=dtype), "
            f"{{0}}.flatten()])[{offset} // {{0}}.itemsize :].view({{0}}.shape)"
            for offset in (8, 32)
        },
    },
    ("contiguous", "offset8", "offset32", "reversed", "readonly"),
)
JAX = Dialect(
    "np.array({}, dtype=dtype)",
    "np.frombuffer({}, dtype=dtype)",
    "{0} = {0}.swapaxes(-1, -2)",
    "{0} = {0}.swapaxes(-1, -2)",
    {
        **dict.fromkeys(
            ("transposed", "transposed_X of X", "transposed_W of W"),
            "{0} = np.ascontiguousarray({0}.swapaxes(-1, -2)).swapaxes(-1, -2)",
        ),
        "padded": "{0} = np.pad({0}, [(0, 0)] * ({0}.ndim - 1) + [(1, {0}.shape[-1] % 2)])"
        "[..., 1 : {0}.shape[-1] + 1]",
        "table of X": "X = np.pad(X, [(0, 0)] * (X.ndim - 1) + [(0, {p})])[..., :{n}]",
        "table of y": "y = np.pad(y, [(0, 0)] * (y.ndim - 1) + [({n}, 0)])[..., {n}:]",
        "odd_strides": "{0} = np.lib.stride_tricks.as_strided({0}[{first}].copy(), {0}.shape, {bytes})",
        "strided": "{0} = np.repeat({0}, 2, -1)[..., ::2]",
        "reversed": "{0} = np.flip(np.flip({0}).copy())",
        "readonly": "{0}.flags.writeable = False",
        "broadcast": "{0} = np.broadcast_to({0}[:1], {0}.shape) if ({0} == {0}[:1]).all() else {0}",
        **{
            f"offset{offset}": f"{{0}} = np.concatenate([np.zeros({offset} // {{0}}.itemsize, dtype), "
            f"{{0}}.ravel()])[{offset} // {{0}}.itemsize :].reshape({{0}}.shape)"
            for offset in (8, 32)
        },
    },
    ("contiguous",),
)
DIALECTS = {"torch": TORCH, "jax": JAX}


def inputs(reproduction: Reproduction, names: str) -> str:
    """Write the lines that make the arrays of these names.

    Raises:
        NoScriptError: the text of the numbers would be too long.
    """
    mode, layout = reproduction.mode, reproduction.case.layout
    dialect, by_columns = DIALECTS[mode.framework], mode["convention"] == "columns"
    places = {name: line for name in names if (line := _placing(reproduction, name))}
    swapped = [name for name in names if name != "W" and by_columns and name not in places]
    lines = [line for name in names for line in _made(reproduction, name, swapped=name in swapped)]
    if sum(map(len, lines)) > LARGEST:
        raise NoScriptError(
            f"the input takes more than {LARGEST // 1000} kB of text: nothing shorter was found that fails"
        )
    if any("unpacked(" in line for line in lines):
        lines.insert(0, UNPACK)
    if places:
        lines.append(f"# The arrays lie in memory as {layout} views.")
        lines += places.values()
        if dialect is TORCH and 0 in reproduction.case.problem().W.strides and mode["derivative"] == "jvp":
            lines.append("W = W.clone(memory_format=torch.contiguous_format)  # as the adapter does")
        if by_columns:
            lines += [dialect.view.format(name) for name in places if name != "W"]
    return "\n".join(lines)


def _placing(reproduction: Reproduction, name: str) -> str | None:
    """Write the line that gives an array its memory layout; None if it stays where it was made."""
    case, mode = reproduction.case, reproduction.mode
    dialect, array = DIALECTS[mode.framework], getattr(case.problem(), name)
    code = dialect.layouts.get(case.layout) or dialect.layouts.get(f"{case.layout} of {name}")
    if code is None or (mode["convention"] == "columns" and name != "W" and case.layout in dialect.free):
        return None
    if case.layout == "odd_strides":
        plain = array.strides == np.empty(array.shape, array.dtype).strides
        if plain or (dialect is TORCH and min(array.strides) < 0):
            return None
    return code.format(
        name,
        n=case.shape[-2],
        p=case.shape[-1],
        first=", ".join(":1" if stride == 0 else ":" for stride in array.strides),
        strides=tuple(stride // array.itemsize for stride in array.strides),
        bytes=array.strides,
    )


def _made(reproduction: Reproduction, name: str, *, swapped: bool) -> Iterator[str]:
    """Yield the lines that make one array; if ``swapped``, with samples as columns."""
    array: Array = getattr(reproduction.case, name)
    filling, dialect = reproduction.fillings.get(name), DIALECTS[reproduction.mode.framework]
    if filling is None and array.size <= LISTED:
        numbers = _nested(np.swapaxes(array, -1, -2) if swapped else array)
        yield from textwrap.wrap(
            f"{name} = {dialect.array.format(numbers)}",
            WIDTH,
            subsequent_indent="    ",
            break_on_hyphens=False,
            break_long_words=False,
        )
        return
    if filling is not None:
        yield f"{name} = {dialect.array.format(filling.source(array.shape))}"
    else:
        yield from _packed(name, array, dialect)
    if swapped:
        yield dialect.swapped.format(name)


def _nested(array: Array) -> str:
    if array.ndim:
        return f"[{', '.join(_nested(part) for part in array)}]"
    return number(float(array))


def number(value: float) -> str:
    """Write a number so that Python reads it exactly."""
    if not math.isfinite(value):
        return {"nan": "math.nan", "inf": "math.inf", "-inf": "-math.inf"}[str(value)]
    significand, exponent = math.frexp(abs(value))
    if significand == 0.5 and abs(exponent - 1) >= AS_LONG:
        return f"{'-' * (value < 0)}2.0**{exponent - 1}"
    return repr(value)


def _packed(name: str, array: Array, dialect: Dialect) -> Iterator[str]:
    words = np.ascontiguousarray(array).view(f"u{array.itemsize}").astype(f"<u{array.itemsize}").tobytes()
    start, end = dialect.packed.split("{}")
    yield f"{name} = {start}unpacked("
    text = base64.b64encode(zlib.compress(words, 9)).decode()
    yield from (f'    "{line}"' for line in textwrap.wrap(text, WIDTH - 6))
    yield f"    , {zlib.crc32(words)}"
    yield f"){end}.reshape({array.shape})"
