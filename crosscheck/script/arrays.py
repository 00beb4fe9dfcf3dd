"""The input of a script: arrays written number by number, by formula, or packed, in their memory layout."""

from __future__ import annotations

import base64
import math
import textwrap
import zlib
from collections.abc import Iterator, Sequence

import numpy as np

from crosscheck.explain.shrink_values import LISTED
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
# The code that gives an array each memory layout; torch's code copies where it cannot take NumPy's view.
TORCH_LAYOUTS = {
    "transposed": "{0} = {0}.mT.contiguous().mT",
    "strided": "{0} = {0}.repeat_interleave(2, -1)[..., ::2]",
    "broadcast": "{0} = {0}[:1].expand({0}.shape) if ({0} == {0}[:1]).all() else {0}",
    "offset8": "{0} = torch.cat([torch.zeros(8 // {0}.itemsize, dtype=dtype), {0}.flatten()])"
    "[8 // {0}.itemsize :].view({0}.shape)",
}
JAX_LAYOUTS = {
    "transposed": "{0} = np.ascontiguousarray({0}.swapaxes(-1, -2)).swapaxes(-1, -2)",
    "strided": "{0} = np.repeat({0}, 2, -1)[..., ::2]",
    "reversed": "{0} = np.flip(np.flip({0}).copy())",
    "readonly": "{0}.flags.writeable = False",
    "broadcast": "{0} = np.broadcast_to({0}[:1], {0}.shape) if ({0} == {0}[:1]).all() else {0}",
    "offset8": "{0} = np.concatenate([np.zeros(8 // {0}.itemsize, dtype), {0}.ravel()])"
    "[8 // {0}.itemsize :].reshape({0}.shape)",
}


def inputs(reproduction: Reproduction, names: str) -> Iterator[str]:
    """Yield the lines that make the arrays of these names.

    Raises:
        NoScriptError: the text of the numbers would be too long.
    """
    is_torch = reproduction.mode.framework == "torch"
    layouts = TORCH_LAYOUTS if is_torch else JAX_LAYOUTS
    place = layouts.get(reproduction.case.layout)
    made = [
        line for name in names for line in _made(reproduction, name, swapped=_is_swapped(reproduction, name))
    ]
    if sum(map(len, made)) > LARGEST:
        raise NoScriptError(
            f"the input takes more than {LARGEST // 1000} kB of text: nothing shorter was found that fails"
        )
    if any("unpacked(" in line for line in made):
        yield from UNPACK.splitlines()
        yield ""
    yield from made
    if place:
        yield f"# The arrays lie in memory as {reproduction.case.layout} views."
        late = [name for name in names if not _is_swapped(reproduction, name)]
        yield from (place.format(name) for name in late)
        if is_torch and reproduction.case.layout == "broadcast" and reproduction.mode["derivative"] == "jvp":
            yield "W = W.clone(memory_format=torch.contiguous_format)  # as the adapter does"
        if reproduction.mode["convention"] == "columns":
            yield from (_swap(name, is_torch=is_torch) for name in late if name != "W")
    if not is_torch:
        listed = ", ".join(names)
        yield f"{listed} = (jax.device_put(array) for array in ({listed}))"
    elif reproduction.mode["device"] == "cuda":
        yield from (f'{name} = {name}.to("cuda")' for name in names)


def _is_swapped(reproduction: Reproduction, name: str) -> bool:
    """Return whether the array is written with samples as columns, in a layout without an order of axes."""
    free = ("contiguous", "offset8") if reproduction.mode.framework == "torch" else ("contiguous",)
    copied = reproduction.mode.framework == "torch" and reproduction.case.layout not in TORCH_LAYOUTS
    return (
        name != "W"
        and reproduction.mode["convention"] == "columns"
        and (copied or reproduction.case.layout in free)
    )


def _swap(name: str, *, is_torch: bool) -> str:
    return f"{name} = {name}.mT" if is_torch else f"{name} = {name}.swapaxes(-1, -2)"


def _made(reproduction: Reproduction, name: str, *, swapped: bool) -> list[str]:
    """Return the lines that make one array."""
    array: Array = getattr(reproduction.case, name)
    filling, is_torch = reproduction.fillings.get(name), reproduction.mode.framework == "torch"
    if filling is None and array.size <= LISTED:
        return _listed(name, np.swapaxes(array, -1, -2) if swapped else array, is_torch=is_torch)
    if filling is not None:
        source = filling.source(array.shape)
        bracketed = f"({source})" if "%" in source else source
        made = f"torch.tensor({source}, dtype=dtype)" if is_torch else f"{bracketed}.astype(dtype)"
        lines = [f"{name} = {made}"]
    else:
        lines = _packed(name, array, is_torch=is_torch)
    if swapped:
        lines.append(f"{name} = {name}.mT.contiguous()" if is_torch else _swap(name, is_torch=False))
    return lines


def _listed(name: str, array: Array, *, is_torch: bool) -> list[str]:
    maker = "torch.tensor" if is_torch else "np.array"
    line = f"{name} = {maker}({_nested(array)}, dtype=dtype)"
    return textwrap.wrap(
        line, WIDTH, subsequent_indent="    ", break_on_hyphens=False, break_long_words=False
    )


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


def _packed(name: str, array: Array, *, is_torch: bool) -> list[str]:
    words = np.ascontiguousarray(array).view(f"u{array.itemsize}").astype(f"<u{array.itemsize}").tobytes()
    text = base64.b64encode(zlib.compress(words, 9)).decode()
    maker = "torch.frombuffer({}, dtype=dtype).clone()" if is_torch else "np.frombuffer({}, dtype=dtype)"
    lines: Sequence[str] = textwrap.wrap(text, WIDTH - 6)
    start, end = maker.split("{}")
    return [
        f"{name} = {start}unpacked(",
        *(f'    "{line}"' for line in lines),
        f"    , {zlib.crc32(words)}",
        f"){end}.reshape({array.shape})",
    ]
