"""Cases from the arrays of a caller: nested lists, decimals, and arrays of any framework.

Lists go through the parser of literal cases (`crosscheck.inputs.literals`), so that a decimal is rounded as
`crosscheck check` rounds it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from adapters.protocol import shapes
from crosscheck.inputs.files import quiet
from crosscheck.inputs.literals import (
    NUMBER,
    NUMBERS_ALLOWED,
    CaseError,
    Literal,
    Rounded,
    one_of,
    parse_array,
    rounding_note,
)
from reference.formats import FORMATS
from reference.types import Array, Outputs, Problem
from reference.ulp import nearest

# Anything that a caller may pass as an array; `read` describes the conversion.
Numbers = ArrayLike | Decimal | Sequence[Any]

PROBLEM: Final = ("X", "y", "W")
OF_LISTS: Final = "float64"  # the dtype of Python's own numbers


class GivenArrays(NamedTuple):
    """The arrays that a caller gave.

    Attributes:
        literal: the problem.
        outputs: the outputs that a framework returned for the problem, in its dtype.
    """

    literal: Literal
    outputs: Outputs


def read(
    X: Numbers, y: Numbers, W: Numbers, outputs: Mapping[str, Numbers | None], dtype: str | None = None
) -> GivenArrays:
    """Convert a problem and outputs to arrays of one dtype; outputs that are None are left out.

    An array is a nested list of numbers or decimal strings, a NumPy array, or an object that NumPy converts
    by ``__array__`` or DLPack, such as a tensor of PyTorch or an array of JAX. The numbers of lists, and
    integers, are rounded once to the dtype.

    Args:
        X: ``[*stack, m, n]``.
        y: ``[*stack, m, p]``.
        W: ``[*stack, n, p]``.
        outputs: the outputs by name; see `reference.types.Outputs` for their shapes.
        dtype: name of a format; None: the dtype of the arrays, and float64 if there are only lists.

    Raises:
        CaseError: a value is no array, its dtype or shape does not fit, or the dtype cannot hold a number.
    """
    given = {"X": X, "y": y, "W": W, **{name: each for name, each in outputs.items() if each is not None}}
    found = {name: _array_or_list(name, value) for name, value in given.items()}
    chosen = _dtype_of(found, dtype)
    arrays: dict[str, Array] = {}
    rounded: list[Rounded] = []
    for name, value in found.items():
        arrays[name], note = _as_array(name, value, chosen)
        rounded.append(note)
    literal = Literal(chosen, arrays["X"], arrays["y"], arrays["W"], taken=rounding_note(rounded))
    want = shapes(Problem(literal.X, literal.y, literal.W))
    there = {name: array for name, array in arrays.items() if name not in PROBLEM}
    for name, array in there.items():
        if array.shape != want[name]:
            raise CaseError(f"{name} has shape {array.shape}, want {want[name]} for this X, y and W")
    return GivenArrays(literal, Outputs(**there))


def to_array(name: str, value: Numbers, dtype: str) -> Array:
    """Convert one array, of any shape, as `read` does.

    Raises:
        CaseError: as for `read`.
    """
    found = {name: _array_or_list(name, value)}
    return _as_array(name, found[name], _dtype_of(found, dtype))[0]


def _array_or_list(name: str, value: Any) -> Any:
    """Return a NumPy array of floating numbers, or else the list, number or text to read number by number."""
    if isinstance(value, (str, int, float, Decimal, list, tuple)) and not isinstance(value, np.generic):
        return value
    array = _from_framework(name, value)
    if array.dtype.kind in "iu":
        return array.tolist()
    if array.dtype.name not in FORMATS:
        raise CaseError(f"{name} has dtype {array.dtype}; use one of {', '.join(FORMATS)}")
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _from_framework(name: str, value: Any) -> Array:
    """Convert the array of a framework to a NumPy array."""
    try:
        if hasattr(value, "detach"):  # a tensor of PyTorch, which may have a graph or lie on a device
            value = value.detach().cpu()
            if (
                str(value.dtype) == "torch.bfloat16"
            ):  # torch does not convert bfloat16 to NumPy; float32 holds all of its numbers
                return np.asarray(value.float()).astype(FORMATS["bfloat16"].dtype)
        if hasattr(value, "__array__"):
            return np.asarray(value)
        if hasattr(value, "__dlpack__"):
            return np.from_dlpack(value)
    except Exception as error:  # the boundary to foreign code
        raise CaseError(
            f"{name} does not turn into a NumPy array: {type(error).__name__}: {error}"
        ) from error
    raise CaseError(f"{name} is of type {type(value).__name__}; use a nested list or an array")


def _dtype_of(found: Mapping[str, Any], dtype: str | None) -> str:
    """Return the dtype of a problem: the requested one, or else the only one among the arrays."""
    stated = {name: value.dtype.name for name, value in found.items() if isinstance(value, np.ndarray)}
    if dtype is None and len(set(stated.values())) > 1:
        listed = ", ".join(f"{name} {each}" for name, each in stated.items())
        raise CaseError(
            f"the arrays have several dtypes: {listed}; convert them to the one that was computed in"
        )
    chosen = dtype or next(iter(stated.values()), OF_LISTS)
    one_of(chosen, tuple(FORMATS), "dtype")
    for name, each in stated.items():
        if each != chosen:
            raise CaseError(f"{name} has dtype {each}, not the {chosen} that was asked for; convert it first")
    return chosen


def _as_array(name: str, value: Any, dtype: str) -> tuple[Array, Rounded]:
    """Return an array that shares no memory with the caller's, and how many decimals were rounded for it."""
    if isinstance(value, np.ndarray):
        return quiet(value), Rounded()
    return parse_array(_written(name, value, dtype), name, dtype)


def _written(name: str, value: Any, dtype: str) -> str:
    """Write nested lists as the text that the parser of literal cases reads."""
    if isinstance(value, str):
        return value
    if isinstance(value, (list, tuple)):
        return f"[{','.join(_entry(name, each, dtype) for each in value)}]"
    return _entry(name, value, dtype)


def _entry(name: str, value: Any, dtype: str) -> str:
    if hasattr(value, "tolist"):  # the list holds rows or numbers of a framework
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return _written(name, value, dtype)
    if isinstance(value, float):  # a binary number, which NumPy rounds
        near = float(nearest(value, 0.0, FORMATS[dtype]))
        return repr(value) if math.isinf(near) and math.isfinite(value) else near.hex()
    text = str(value)
    is_number = isinstance(value, (str, int, Decimal)) and not isinstance(value, bool)
    if not is_number or not NUMBER.fullmatch(text):
        raise CaseError(f"{name} holds {value!r}, which is no number; {NUMBERS_ALLOWED}")
    return text
