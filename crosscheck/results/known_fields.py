"""Readers of an entry's texts: versions, sizes and numbers. Each error message says what is allowed."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Final

import numpy as np
from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from crosscheck.formatting import format_hex
from reference.formats import Format

SIZE_NAMES: Final = ("stack", "m", "n", "p")
COMPARISON: Final = re.compile(r"\s*(<|<=|>|>=|==|!=)\s*[0-9]{1,12}\s*")  # sizes have up to 12 digits
NUMBER: Final = re.compile(r"-?0x[0-9a-f](\.[0-9a-f]+)?p[+-]?[0-9]{1,4}|-?inf|nan")


def released(version: str) -> str:
    """Return the release that a version counts as: for a development version, the release that it leads to.

    Otherwise 2.13.0a0+git would not match ``>=2.13``, although it contains what 2.13 will contain.

    Raises:
        InvalidVersion: the text is no version as PEP 440 defines it.
    """
    read = Version(version)
    return read.base_version if read.is_prerelease else str(read)


def is_among(version: str, versions: str) -> bool:
    """Whether a framework's version matches a specifier; one that PEP 440 does not allow never does."""
    try:
        return specifiers(versions).contains(released(version))
    except InvalidVersion:
        return False


def is_same(version: str, other: str) -> bool:
    """Whether two versions are builds of one release; a version that PEP 440 does not allow never is."""
    try:
        return Version(released(version)).public == Version(released(other)).public
    except InvalidVersion:
        return False


def specifiers(text: str) -> SpecifierSet:
    """Read a specifier of versions.

    Raises:
        ValueError: the text is no specifier, or it is empty, which would silently match every version.
    """
    try:
        read = SpecifierSet(text)
        read.contains("0")  # some invalid numbers are detected only here
    except ValueError:
        read = SpecifierSet()
    if not len(read):
        raise ValueError(f"versions {text!r} is no specifier as PEP 440 has them; write '>=0.10.2,<0.10.3'")
    return read


def comparisons(axis: str, text: str) -> SpecifierSet:
    """Read the comparisons of the size of one axis.

    Raises:
        ValueError: the text contains no such comparisons.
    """
    if not all(COMPARISON.fullmatch(part) for part in text.split(",")):
        allowed = "compare with whole numbers by <, <=, >, >=, == or !=, as in '>=16385,<65536'"
        raise ValueError(f"shape: {axis} {text!r} is no comparison; {allowed}")
    return SpecifierSet(text)


def fits(shape: tuple[int, ...], wanted: Mapping[str, str]) -> bool:
    """Whether ``(*stack, m, n, p)`` has the wanted sizes; stack is the product of its axes, or 1."""
    *stack, m, n, p = shape
    sizes = dict(zip(SIZE_NAMES, (math.prod(stack), m, n, p), strict=True))
    return all(comparisons(axis, text).contains(str(sizes[axis])) for axis, text in wanted.items())


def number(field: str, text: str, format: Format) -> float:
    """Read a recorded number.

    Raises:
        ValueError: the text is no hexadecimal float, or no number of the format.
    """
    try:
        value = float.fromhex(text) if NUMBER.fullmatch(text) else None
    except OverflowError:
        value = None
    if value is None:
        raise ValueError(
            f"{field} {text!r} is no number; write a hexadecimal float such as 0x1.8p-3, inf, -inf or nan"
        )
    with np.errstate(over="ignore", under="ignore"):
        nearest = float(np.float64(value).astype(format.dtype))
    if value != nearest and not math.isnan(value):
        raise ValueError(f"{field} {text} is no {format.name}; the nearest is {format_hex(nearest)}")
    return value
