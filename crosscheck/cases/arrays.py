"""Arrays that a caller holds, as a case: nested lists, decimals, and arrays of any framework.

Lists go through the parser of literal cases (`crosscheck.cases.literals`), so that a decimal is rounded as
`crosscheck check` rounds it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from adapters.results import shapes
from crosscheck.cases.inputs import quiet
from crosscheck.cases.literals import (
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

# What a caller may have for an array; `read` says what is made of it.
Numbers = ArrayLike | Decimal | Sequence[Any]

PROBLEM: Final = ("X", "y", "W")
OF_LISTS: Final = "float64"  # the dtype of Python's own numbers


class Given(NamedTuple):
    """What a caller gave.

    Attributes:
        literal: the problem.
        outputs: what a framework returned for it, in the dtype of the problem.
    """

    literal: Literal
    outputs: Outputs


def read(
    X: Numbers, y: Numbers, W: Numbers, outputs: Mapping[str, Numbers | None], dtype: str | None = None
) -> Given:
    """A problem and outputs as arrays of one dtype; what is None is left out of the outputs.

    An array is a nested list of numbers or decimal strings, a NumPy array, or what turns into one by
    ``__array__`` or DLPack, as tensors of PyTorch and arrays of JAX do. The numbers of lists, and integers,
    are rounded once to the dtype.

    Args:
        X: ``[*stack, m, n]``.
        y: ``[*stack, m, p]``.
        W: ``[*stack, n, p]``.
        outputs: by name; see `reference.types.Outputs` for their shapes.
        dtype: name of a format; None: that of the arrays, and float64 where there are lists only.

    Raises:
        CaseError: an array is none, its dtype or shape does not fit, or a number cannot be had in the dtype.
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
    return Given(literal, Outputs(**there))


def to_array(name: str, value: Numbers, dtype: str) -> Array:
    """One such array, of any shape.

    Raises:
        CaseError: as `read`.
    """
    found = {name: _array_or_list(name, value)}
    return _as_array(name, found[name], _dtype_of(found, dtype))[0]


def _array_or_list(name: str, value: Any) -> Any:
    """A NumPy array of floating numbers, or what is read number by number: a list, a number, a text."""
    if isinstance(value, (str, int, float, Decimal, list, tuple)) and not isinstance(value, np.generic):
        return value
    array = _from_framework(name, value)
    if array.dtype.kind in "iu":
        return array.tolist()
    if array.dtype.name not in FORMATS:
        raise CaseError(f"{name} has dtype {array.dtype}; use one of {', '.join(FORMATS)}")
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _from_framework(name: str, value: Any) -> Array:
    """The array of a framework as NumPy's."""
    try:
        if hasattr(value, "detach"):  # a tensor of PyTorch, which may have a graph or lie on a device
            value = value.detach().cpu()
            if (
                str(value.dtype) == "torch.bfloat16"
            ):  # it does not hand these to NumPy; float32 holds them all
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
    """The dtype of a problem: the one that was asked for, else the only one that there is."""
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
    """An array that nobody else has, and how many decimals were rounded for it."""
    if isinstance(value, np.ndarray):
        return quiet(value), Rounded()
    return parse_array(_written(name, value, dtype), name, dtype)


def _written(name: str, value: Any, dtype: str) -> str:
    """The text of nested lists, as the parser of literal cases reads it."""
    if isinstance(value, str):
        return value
    if isinstance(value, (list, tuple)):
        return f"[{','.join(_entry(name, each, dtype) for each in value)}]"
    return _entry(name, value, dtype)


def _entry(name: str, value: Any, dtype: str) -> str:
    if hasattr(value, "tolist"):  # a row or a number of some framework in a list
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return _written(name, value, dtype)
    if isinstance(value, float):  # it is a binary number already, and is rounded as NumPy rounds it
        near = float(nearest(value, 0.0, FORMATS[dtype]))
        return repr(value) if math.isinf(near) and math.isfinite(value) else near.hex()
    text = str(value)
    is_number = isinstance(value, (str, int, Decimal)) and not isinstance(value, bool)
    if not is_number or not NUMBER.fullmatch(text):
        raise CaseError(f"{name} holds {value!r}, which is no number; {NUMBERS_ALLOWED}")
    return text
