"""Problems written out number by number: exact in every dtype, on one line, without spaces.

    float32:X=[[0x1p-127]]:y=[[0x0p+0]]:W=[[0x1p+127]]
    float64:X=[[0x1p+0]]:y=[[nan]]:W=[[-inf]]:layout=strided

Nested lists give the shape, stack axes included. A number is a hexadecimal float, a decimal that the dtype
holds exactly, inf, -inf or nan; a NaN's sign and payload are not kept.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass

import numpy as np

from crosscheck.shown import hexadecimal
from reference.formats import FORMATS, Format
from reference.layouts import LAYOUTS, arrange
from reference.types import Array, Problem

DEEPEST = 16  # axes; NumPy itself has at least 32
NUMBER = re.compile(r"[^\[\],\s]+")
NUMBERS_ALLOWED = "use hexadecimal floats such as 0x1.8p-3, exact decimals, inf, -inf or nan"


class CaseError(ValueError):
    """A case that cannot be read or made; the message is one line: what was wrong, where, what is allowed."""


@dataclass(frozen=True, eq=False)
class Literal:
    """One stack of problems given by its numbers.

    Attributes:
        dtype: name of the format.
        X: ``[*stack, m, n]``.
        y: ``[*stack, m, p]``.
        W: ``[*stack, n, p]``.
        layout: one of `LAYOUTS`.

    Raises:
        CaseError: dtypes or shapes that do not fit, an empty array, an unknown layout or dtype.
    """

    dtype: str
    X: Array
    y: Array
    W: Array
    layout: str = "contiguous"

    def __post_init__(self) -> None:
        one_of(self.dtype, tuple(FORMATS), "dtype")
        one_of(self.layout, LAYOUTS, "layout")
        for name, array in (("X", self.X), ("y", self.y), ("W", self.W)):
            if array.dtype != FORMATS[self.dtype].dtype:
                raise CaseError(f"{name} has dtype {array.dtype}; the case says {self.dtype}")
            if array.ndim < 2 or not array.size:
                raise CaseError(f"{name} has shape {array.shape}; use two axes or more, none of length 0")
        _check_shapes(self.X.shape, self.y.shape, self.W.shape)

    @property
    def format(self) -> Format:
        """The format of all three arrays."""
        return FORMATS[self.dtype]

    @property
    def shape(self) -> tuple[int, ...]:
        """``(*stack, m, n, p)``."""
        return (*self.X.shape, self.W.shape[-1])

    @property
    def text(self) -> str:
        """The line that `parse` reads back to the same bytes."""
        arrays = (
            f"{name}={_written(array)}" for name, array in zip("XyW", (self.X, self.y, self.W), strict=True)
        )
        layout = () if self.layout == "contiguous" else (f"layout={self.layout}",)
        return ":".join((self.dtype, *arrays, *layout))

    def problem(self) -> Problem:
        """The arrays, copied into the layout; ``contiguous`` is 64-byte aligned."""
        return Problem(*(arrange(array, self.layout) for array in (self.X, self.y, self.W)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Literal) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)


def one_of(value: str, allowed: tuple[str, ...], what: str) -> str:
    """The value, if it is allowed; otherwise a `CaseError` that lists what is."""
    if value not in allowed:
        raise CaseError(f"unknown {what} {value!r}; use one of {', '.join(allowed)}")
    return value


def _check_shapes(X: tuple[int, ...], y: tuple[int, ...], W: tuple[int, ...]) -> None:
    """Raise unless the shapes are those of one stack of networks."""
    if (X[:-2], X[-2], X[-1]) != (y[:-2], y[-2], W[-2]) or (W[:-2], W[-1]) != (y[:-2], y[-1]):
        raise CaseError(
            f"shapes X {X}, y {y}, W {W} do not fit; use [*stack, m, n], [*stack, m, p], [*stack, n, p]"
        )


def _written(array: Array) -> str:
    """Nested lists of hexadecimal floats."""
    if array.ndim:
        return f"[{','.join(_written(part) for part in array)}]"
    return hexadecimal(float(array))


def parse_literal(text: str) -> Literal:
    """Read the text of a `Literal`.

    Raises:
        CaseError: what was wrong, where, and what is allowed.
    """
    dtype, *fields = text.split(":")
    one_of(dtype, tuple(FORMATS), "dtype")
    names = [entry.partition("=")[0] for entry in fields]
    if names not in (["X", "y", "W"], ["X", "y", "W", "layout"]):
        raise CaseError(
            f"a literal case is dtype:X=[[..]]:y=[[..]]:W=[[..]][:layout=..], not with the parts {names}"
        )
    values = [entry.partition("=")[2] for entry in fields]
    X, y, W = (_read(value, name, FORMATS[dtype]) for name, value in zip("XyW", values, strict=False))
    return Literal(dtype, X, y, W, *values[3:])


def _read(text: str, name: str, format: Format) -> Array:
    """An array from nested lists of numbers."""
    if text.count("[", 0, text.find("]") + 1) > DEEPEST:
        raise CaseError(f"{name} is nested deeper than {DEEPEST} lists")
    try:
        nested = json.loads(NUMBER.sub(lambda token: json.dumps(token.group()), text))
        tokens = np.array(nested, dtype=np.str_)
    except ValueError:
        raise CaseError(f"{name} is not a rectangular nested list such as [[0x1p+0,0x1p-1]]") from None
    numbers = [_number(str(token), name, format) for token in tokens.flat]
    return np.array(numbers, dtype=np.float64).astype(format.dtype).reshape(tokens.shape)


def _number(token: str, name: str, format: Format) -> float:
    """One number, which the format must hold exactly."""
    try:
        value = float.fromhex(token) if "x" in token.lower() else float(token)
    except (ValueError, OverflowError):
        raise CaseError(f"{name} holds {token!r}, which is no number; {NUMBERS_ALLOWED}") from None
    with np.errstate(over="ignore", under="ignore"):
        nearest = float(np.float64(value).astype(format.dtype))
    if value != nearest and not math.isnan(value):
        near = hexadecimal(nearest)
        raise CaseError(f"{name} holds {token}, which is no {format.name}; the nearest is {near}")
    return value
