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
from typing import Final

import numpy as np

from crosscheck.inert import told
from crosscheck.shown import hexadecimal
from reference.formats import FORMATS, Format
from reference.layouts import LAYOUTS, arrange
from reference.types import Array, Problem

DEEPEST = 16  # axes; NumPy itself has at least 32
NUMBER = re.compile(r"[^\[\],\s]+")
NUMBERS_ALLOWED = "use hexadecimal floats such as 0x1.8p-3, exact decimals, inf, -inf or nan"
# What fits into 8 GiB: to judge takes some 200 bytes for each number of X, y and W, and some 150 for each
# product of an input and a weight.
MOST_NUMBERS: Final = 2**25
MOST_PRODUCTS: Final = 2**25


class CaseError(ValueError):
    """A case that cannot be read or made; the message is one line: what was wrong, where, what is allowed."""

    def __init__(self, message: str) -> None:
        super().__init__(told(message))


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
        CaseError: dtypes or shapes that do not fit, an empty or too large array, an unknown layout or dtype.
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
        check_size(self.shape)

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


def check_size(shape: tuple[int, ...]) -> None:
    """Raise if ``(*stack, m, n, p)`` is more than can be judged."""
    *stack, m, n, p = shape
    numbers = (m * n + n * p + m * p) * math.prod(stack)
    if numbers > MOST_NUMBERS:
        raise CaseError(f"shape {joined(shape)} has {numbers} numbers; at most {MOST_NUMBERS} are judged")
    products = m * n * p * math.prod(stack)
    if products > MOST_PRODUCTS:
        raise CaseError(
            f"shape {joined(shape)} has {products} products m·n·p; at most {MOST_PRODUCTS} are judged"
        )


def joined(shape: tuple[int, ...]) -> str:
    """A shape as in a case."""
    return "x".join(map(str, shape))


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
        shape = np.array(json.loads(NUMBER.sub("0", text)), dtype=np.uint8).shape
    except (ValueError, RecursionError):
        raise CaseError(f"{name} is not a rectangular nested list such as [[0x1p+0,0x1p-1]]") from None
    numbers = [_number(token, name, format) for token in NUMBER.findall(text)]
    return np.array(numbers, dtype=np.float64).astype(format.dtype).reshape(shape)


def _number(token: str, name: str, format: Format) -> float:
    """One number, which the format must hold exactly."""
    try:
        token.encode("ascii")  # Python reads the digits of every script
        value = float.fromhex(token) if "x" in token.lower() else float(token)
    except (ValueError, OverflowError):
        raise CaseError(f"{name} holds {token!r}, which is no number; {NUMBERS_ALLOWED}") from None
    with np.errstate(over="ignore", under="ignore"):
        nearest = float(np.float64(value).astype(format.dtype))
    is_too_large = math.isinf(value) and "n" not in token.lower()  # such as 1e999
    if is_too_large or (value != nearest and not math.isnan(value)):
        near = hexadecimal(nearest)
        raise CaseError(f"{name} holds {token}, which is no {format.name}; the nearest is {near}")
    return value
