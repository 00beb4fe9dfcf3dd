"""Values to compare a result with: the exact values, the admissible sets, the closed form."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np

from crosscheck.api.judged import SHOWN, Claims, claims_of
from crosscheck.explain.element import at
from crosscheck.inputs import arrays
from crosscheck.inputs.arrays import Numbers
from crosscheck.inputs.literals import CaseError
from crosscheck.judging.judge import OUTPUTS, Judge
from crosscheck.text import format_element, format_set
from reference import network, oracle
from reference.admissible import AdmissibleSet
from reference.formats import FORMATS
from reference.types import Array, Float64, Outputs
from reference.ulp import error_in_ulp


class ExactArray(NamedTuple):
    """The exact values of one quantity.

    Attributes:
        balls: an object array of `flint.arb`, each an interval that is proven to contain the exact value and
            is accurate to 128 bits; NaN if an input is not finite.
        dtype: the dtype of the problem; its ulp is the unit of `error_in_ulp`.
    """

    balls: Array
    dtype: str

    @property
    def decimals(self) -> Array:
        """The values in decimal, with 25 digits each, as an object array of texts."""
        return np.array(np.frompyfunc(oracle.decimal, 1, 1)(self.balls), dtype=object)

    @property
    def nearest(self) -> Array:
        """The nearest numbers of the dtype; infinite beyond its largest number."""
        high, _ = oracle.to_floats(self.balls, FORMATS[self.dtype])
        return high.astype(FORMATS[self.dtype].dtype)

    def error_in_ulp(self, got: Numbers) -> Float64:
        """Return the distance of each number of an array from the exact value, in ulp of the exact value.

        Args:
            got: an array of the same dtype and shape.

        Raises:
            ValueError: the array has another dtype or shape.
        """
        array = arrays.to_array("got", got, self.dtype)
        if array.shape != self.balls.shape:
            raise CaseError(f"got has shape {array.shape}, want {self.balls.shape}")
        high, low = oracle.to_floats(self.balls)
        return error_in_ulp(array, high, low, FORMATS[self.dtype])

    def text(self, index: tuple[int, ...]) -> str:
        """Return one value in decimal, with 25 digits."""
        return oracle.decimal(self.balls[index])

    def __repr__(self) -> str:
        return "\n".join(_listed("", self.balls.shape, self.text))


@dataclass(frozen=True, eq=False, repr=False)
class ExactValues:
    """The exact values of the document's quantities; their text lists them in decimal.

    Attributes:
        z: X·W, ``[*stack, m, p]``.
        y_hat: ŷ (10.1–10.3), ``[*stack, m, p]``.
        dL_dyhat: ŷ − y (13), ``[*stack, m, p]``.
        dyhat_dz: ŷ·(1 − ŷ) (14–16), ``[*stack, m, p]``.
        delta: Δ (20), ``[*stack, m, p]``.
        loss: L, ``[*stack]``.
        row_loss: the loss of each row, ``[*stack, m]``.
        grad: ∂L/∂W (18–19), ``[*stack, n, p]``.
        note: one line on the decimals that were rounded; empty if there are none.
    """

    z: ExactArray
    y_hat: ExactArray
    dL_dyhat: ExactArray
    dyhat_dz: ExactArray
    delta: ExactArray
    loss: ExactArray
    row_loss: ExactArray
    grad: ExactArray
    note: str

    def __repr__(self) -> str:
        arrays: dict[str, ExactArray] = {name: getattr(self, name) for name in oracle.Exact._fields}
        lines = [line for name, a in arrays.items() for line in _listed(name, a.balls.shape, a.text)]
        return "\n".join(filter(None, [*lines, self.note]))


def _listed(name: str, shape: tuple[int, ...], text: Callable[[tuple[int, ...]], str]) -> Iterator[str]:
    """Yield the first elements of an array, one a line, and how many more there are."""
    count = math.prod(shape)
    for index in itertools.islice(np.ndindex(shape), SHOWN):
        yield f"{format_element(name, index)} = {text(index)}"
    if count > SHOWN:
        yield f"{count - SHOWN} more{f' of {name}' if name else ''}"


def exact_values(X: Numbers, y: Numbers, W: Numbers, *, dtype: str | None = None) -> ExactValues:
    """Compute what each equation of the document gives in exact arithmetic, by intervals of any precision.

    Args:
        X: ``[*stack, m, n]``; `crosscheck.api` says what an array may be.
        y: ``[*stack, m, p]``.
        W: ``[*stack, n, p]``.
        dtype: name of the dtype to which decimals are rounded; None for that of the arrays.

    Raises:
        ValueError: an array cannot be read, or has a dtype or shape that does not fit.

    Example:
        >>> from crosscheck import exact_values
        >>> exact_values([[1]], [[0.5]], [[2]]).grad
        [0, 0] = 0.03998125052807653126178074

    Source: `reference.oracle`, which computes with FLINT's arb.
    """
    given = arrays.read(X, y, W, {}, dtype)
    exact = oracle.evaluate(*given.literal.problem())
    found = {name: ExactArray(balls, given.literal.dtype) for name, balls in exact._asdict().items()}
    return ExactValues(**found, note=given.literal.taken)


@dataclass(frozen=True, eq=False, repr=False)
class AdmissibleSets:
    """The values that correct arithmetic could return, for each element; the text lists them.

    Attributes:
        y_hat, loss, grad, row_loss: the sets of each output, a `reference.admissible.AdmissibleSet`, with
            ``lo``, ``hi`` and ``contains(got)``.
        dtype: the dtype of the problem.
        note: one line on the decimals that were rounded; empty if there are none.
    """

    y_hat: AdmissibleSet
    loss: AdmissibleSet
    grad: AdmissibleSet
    row_loss: AdmissibleSet
    dtype: str
    note: str

    def text(self, output: str, index: tuple[int, ...]) -> str:
        """Return the set of one element as text: its intervals, infinities and NaN."""
        one = at(getattr(self, output), index)
        shown = format_set(one, FORMATS[self.dtype])
        return shown if one.judged else f"{shown}, all that it can be: not judged"

    def __repr__(self) -> str:
        lines: list[str] = []
        for name in OUTPUTS:
            shape = np.broadcast_shapes(*(part.shape for part in getattr(self, name)[:2]))
            lines += _listed(name, shape, partial(self.text, name))
        return "\n".join(filter(None, [*lines, self.note]))


def admissible_sets(
    X: Numbers,
    y: Numbers,
    W: Numbers,
    *,
    dtype: str | None = None,
    arithmetic: Claims = None,
) -> AdmissibleSets:
    """Compute the set of values that a correct implementation may return, for each element of each output.

    Args:
        X: ``[*stack, m, n]``; `crosscheck.api` says what an array may be.
        y: ``[*stack, m, p]``.
        W: ``[*stack, n, p]``.
        dtype: name of the dtype of the implementation; None for that of the arrays.
        arithmetic: what the implementation may do, as for `judge_outputs`.

    Raises:
        AdapterError: there is no such adapter, or its framework cannot be imported.
        ValueError: an array cannot be read, has a dtype or shape that does not fit, or a claim is unknown.

    Example:
        >>> from crosscheck import admissible_sets
        >>> admissible_sets([[1]], [[0.5]], [[2]], dtype="float32").grad.contains(0.0399812)
        array([[ True]])

    Source: docs/accuracy.md, which proves every term.
    """
    given = arrays.read(X, y, W, {}, dtype)
    sets = Judge(given.literal.problem()).sets(claims_of(arithmetic, given.literal.dtype))
    found = {name: sets[name] for name in OUTPUTS}
    return AdmissibleSets(**found, dtype=given.literal.dtype, note=given.literal.taken)


def reference_outputs(X: Numbers, y: Numbers, W: Numbers, *, dtype: str | None = None) -> Outputs:
    """Compute ŷ, L, ∂L/∂W and the loss of each row by the document's closed form, in floating point.

    Args:
        X: ``[*stack, m, n]``; `crosscheck.api` says what an array may be.
        y: ``[*stack, m, p]``.
        W: ``[*stack, n, p]``.
        dtype: name of the dtype of the computation; None for that of the arrays.

    Returns:
        A NamedTuple of NumPy arrays ``y_hat``, ``loss``, ``grad`` and ``row_loss`` of that dtype.

    Raises:
        ValueError: an array cannot be read, or has a dtype or shape that does not fit.

    Example:
        >>> from crosscheck import reference_outputs
        >>> reference_outputs([[1]], [[1]], [[0]]).grad
        array([[-0.125]])

    Source: equations (10.1), (20) and ∂L/∂W = Xᵀ·Δ, in `reference.network`.
    """
    return network.evaluate(*arrays.read(X, y, W, {}, dtype).literal.problem())
