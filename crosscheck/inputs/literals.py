"""Problems written out number by number: exact in every dtype, on one line, without spaces.

    float32:X=[[0x1p-127]]:y=[[0x0p+0]]:W=[[0x1p+127]]
    float64:X=[[0x1p+0]]:y=[[nan]]:W=[[-inf]]:layout=strided

Nested lists give the shape, stack axes included. A number is a hexadecimal float, which the dtype must hold
exactly, a decimal, which is rounded to the nearest number of the dtype, inf, -inf or nan; a NaN's sign and
payload are not kept. What the suite writes has hexadecimal floats only.
"""

from __future__ import annotations

import difflib
import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NamedTuple

import numpy as np

from crosscheck.errors import UserError
from crosscheck.text import escape_and_shorten, format_element, format_hex, format_number
from reference.formats import FORMATS, Format
from reference.layouts import LAYOUTS, arrange
from reference.types import Array, Problem
from reference.ulp import nearest

DEEPEST = 16  # axes; NumPy itself has at least 32
NUMBER = re.compile(r"[^\[\],\s]+")
NUMBERS_ALLOWED = "use hexadecimal floats such as 0x1.8p-3, decimals, inf, -inf or nan"
# The limits that keep judging within 8 GiB: it takes some 200 bytes for each number of X, y and W, and
# some 150 for each product of an input and a weight.
MOST_NUMBERS: Final = 2**25
MOST_PRODUCTS: Final = 2**25


class CaseError(UserError, ValueError):
    """A case cannot be read or made; the message is one line: what is wrong, where, and what is allowed."""

    def __init__(self, message: str) -> None:
        super().__init__(escape_and_shorten(message))


@dataclass(frozen=True, eq=False)
class Literal:
    """One stack of problems given by its numbers.

    Attributes:
        dtype: name of the format.
        X: ``[*stack, m, n]``.
        y: ``[*stack, m, p]``.
        W: ``[*stack, n, p]``.
        layout: one of `LAYOUTS`.
        taken: one line on decimals that were rounded, since the dtype does not hold them; empty if none were.

    Raises:
        CaseError: dtypes or shapes that do not fit, an empty or too large array, an unknown layout or dtype.
    """

    dtype: str
    X: Array
    y: Array
    W: Array
    layout: str = "contiguous"
    taken: str = ""

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
            f"{name}={_to_text(array)}" for name, array in zip("XyW", (self.X, self.y, self.W), strict=True)
        )
        layout = () if self.layout == "contiguous" else (f"layout={self.layout}",)
        return ":".join((self.dtype, *arrays, *layout))

    def problem(self) -> Problem:
        """Copy the arrays into the layout; ``contiguous`` means 64-byte aligned as well."""
        return arrange(Problem(self.X, self.y, self.W), self.layout)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Literal) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)


def one_of(value: str, allowed: tuple[str, ...], what: str) -> str:
    """Return the value if it is allowed; else raise a `CaseError` with the allowed values and the nearest."""
    if value not in allowed:
        near = difflib.get_close_matches(value[:60], allowed, n=1)
        close = f"; did you mean {near[0]!r}?" if near else ""
        raise CaseError(f"unknown {what} {value!r}; use one of {', '.join(allowed)}{close}")
    return value


def check_size(shape: tuple[int, ...]) -> None:
    """Raise `CaseError` if the shape ``(*stack, m, n, p)`` is too large to be judged."""
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
    """Write a shape as in the text of a case, such as ``8192x1x3x1``."""
    return "x".join(map(str, shape))


def _check_shapes(X: tuple[int, ...], y: tuple[int, ...], W: tuple[int, ...]) -> None:
    """Raise `CaseError` unless the shapes are those of one stack of networks."""
    if (X[:-2], X[-2], X[-1]) != (y[:-2], y[-2], W[-2]) or (W[:-2], W[-1]) != (y[:-2], y[-1]):
        raise CaseError(
            f"shapes X {X}, y {y}, W {W} do not fit; use [*stack, m, n], [*stack, m, p], [*stack, n, p]"
        )


def _to_text(array: Array) -> str:
    """Write an array as nested lists of hexadecimal floats."""
    if array.ndim:
        return f"[{','.join(_to_text(part) for part in array)}]"
    return format_hex(float(array))


def parse_literal(text: str) -> Literal:
    """Read the text of a `Literal`.

    Raises:
        CaseError: the text is no literal case; the message says where, and what is allowed.
    """
    dtype, *fields = text.split(":")
    one_of(dtype, tuple(FORMATS), "dtype")
    names = [entry.partition("=")[0] for entry in fields]
    if names not in (["X", "y", "W"], ["X", "y", "W", "layout"]):
        raise CaseError(
            f"a literal case is dtype:X=[[..]]:y=[[..]]:W=[[..]][:layout=..], not with the parts {names}"
        )
    values = [entry.partition("=")[2] for entry in fields]
    read = [_read(value, name, FORMATS[dtype]) for name, value in zip("XyW", values, strict=False)]
    (X, _), (y, _), (W, _) = read
    (layout,) = values[3:] or ["contiguous"]
    return Literal(dtype, X, y, W, layout, rounding_note(rounded for _, rounded in read))


class Rounded(NamedTuple):
    """The number of decimals that were rounded, and the description of the first one."""

    many: int = 0
    first: str = ""


def rounding_note(rounded: Iterable[Rounded]) -> str:
    """Describe in one line how decimals of several arrays were rounded; empty if none of them was."""
    there = [each for each in rounded if each.many]
    more = sum(each.many for each in there) - 1
    return f"{there[0].first}{f'; {more:,} more likewise' if more else ''}" if there else ""


def parse_array(text: str, name: str, dtype: str) -> tuple[Array, Rounded]:
    """Read one array, with any number of axes, from nested lists of numbers or from one number.

    Args:
        text: the text, such as ``[[0.1,0x1p-1]]``, with numbers as in a `Literal`.
        name: the name of the array in messages.
        dtype: name of the format.

    Raises:
        CaseError: as for `parse_literal`.
    """
    return _read(text, name, FORMATS[one_of(dtype, tuple(FORMATS), "dtype")])


def _read(text: str, name: str, format: Format) -> tuple[Array, Rounded]:
    """Read an array from nested lists of numbers.

    Raises:
        CaseError: the text is no array, or a number is hexadecimal and not in the format, or too large.
    """
    if text.count("[", 0, text.find("]") + 1) > DEEPEST:
        raise CaseError(f"{name} is nested deeper than {DEEPEST} lists")
    try:
        shape = np.array(json.loads(NUMBER.sub("0", text)), dtype=np.uint8).shape
    except (ValueError, RecursionError):
        raise CaseError(f"{name} is not a rectangular nested list such as [[0x1p+0,0x1p-1]]") from None
    tokens = NUMBER.findall(text)
    hi, lo = np.array([_number(token, name) for token in tokens]).reshape(-1, 2).T
    with np.errstate(invalid="ignore"):
        near = nearest(hi, lo, format)
    rounded = np.flatnonzero((near != hi) & ~np.isnan(hi) | (lo != 0))
    for at in rounded:
        if _is_hexadecimal(tokens[at]) or math.isinf(near[at]):
            raise CaseError(_why_not(_where(name, at, shape), tokens[at], float(near[at]), format))
    array = near.astype(format.dtype).reshape(shape)
    if not rounded.size:
        return array, Rounded()
    at = rounded[0]
    where, value = _where(name, at, shape), format_hex(float(near[at]))
    first = escape_and_shorten(f"{where}: {tokens[at]} was taken as {value}, the nearest {format.name}")
    return array, Rounded(rounded.size, first)


def _where(name: str, at: Any, shape: tuple[int, ...]) -> str:
    return format_element(name, tuple(map(int, np.unravel_index(at, shape))))


def _why_not(where: str, token: str, near: float, format: Format) -> str:
    """Say why a format cannot hold a number; a hexadecimal number must be exact."""
    if _is_hexadecimal(token):
        return f"{where} is {token}, which is no {format.name}; the nearest is {format_hex(near)}"
    largest = format_number(format.largest, format)
    return f"{where} is {token}, beyond the largest {format.name}, {largest}; write inf for infinity"


def _number(token: str, name: str) -> tuple[float, float]:
    """Return the float64 nearest to a number, and the sign of the rest."""
    try:
        token.encode("ascii")  # Python also accepts digits of other scripts
        if _is_hexadecimal(token):
            return float.fromhex(token), 0.0
        value, exact = float(token), Decimal(token)
    except (ValueError, OverflowError, InvalidOperation):
        raise CaseError(f"{name} holds {token!r}, which is no number; {NUMBERS_ALLOWED}") from None
    if math.isnan(value):
        return value, 0.0
    rounded = Decimal(value)  # without rounding
    return value, float((exact > rounded) - (exact < rounded))


def _is_hexadecimal(token: str) -> bool:
    return "x" in token.lower()
