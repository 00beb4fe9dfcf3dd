"""Judge the outputs of a framework."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final, NamedTuple

import numpy as np

from adapters import load
from adapters.protocol import describe
from crosscheck.explain.element import Element
from crosscheck.explain.message import error_text
from crosscheck.inputs import Literal, arrays
from crosscheck.inputs.arrays import Numbers
from crosscheck.inputs.literals import CaseError, one_of
from crosscheck.judging.accuracy import errors, exact_values
from crosscheck.judging.judge import OUTPUTS, Judge, Verdict
from crosscheck.text import format_element, format_number, format_set, format_ulp
from reference import oracle
from reference.arithmetic import KAPPA, Arithmetic, default_arithmetic
from reference.formats import FORMATS
from reference.types import Array, Bool, Float64, Outputs

SHOWN: Final = 4  # how many elements of an output are shown one by one
GRAVEST: Final = (Verdict.OUTSIDE, Verdict.NOT_JUDGED, Verdict.WITHIN_BOUNDS)
Claims = str | Mapping[str, Any] | Arithmetic | None


class JudgedOutput(NamedTuple):
    """The verdict on one output; all arrays have the output's shape.

    Attributes:
        verdict: *outside* if an element is, else *within bounds* if one was judged, else *not judged*.
        got: the returned values.
        exact: the exact values as float64, accurate to 1/128 ulp; NaN if an input is not finite.
        error: the distance from the exact value in ulp, equally accurate; NaN if there is none.
        inside: which elements lie in their admissible set.
        judged: which elements have a verdict; the sets of the others hold all values that they can have.
        low, high: the least and the largest admissible values, float64.
    """

    verdict: Verdict
    got: Array
    exact: Float64
    error: Float64
    inside: Bool
    judged: Bool
    low: Float64
    high: Float64

    def __repr__(self) -> str:
        return self.summary

    @property
    def summary(self) -> str:
        """One line with the verdict, the number of elements, and the largest error."""
        size, outside = self.got.size, int(np.count_nonzero(~self.inside))
        many = f"{size} element{'s' * (size != 1)}"
        if self.verdict is Verdict.NOT_JUDGED:
            return f"not judged: {many}, whose sets hold all that they can be"
        parts = [f"{self.verdict.value}: {f'{outside} of {many}' if outside else many}"]
        if not self.judged.all():
            parts.append(f"{int(np.count_nonzero(~self.judged))} not judged")
        known = self.error[~np.isnan(self.error)]
        parts.append(
            f"largest error {format_ulp(float(known.max()))} ulp" if known.size else "no error in ulp"
        )
        return ", ".join(parts)


@dataclass(frozen=True, eq=False, repr=False)
class JudgedOutputs:
    """The verdict on a framework's outputs. Its text lists the first elements that are outside.

    Attributes:
        y_hat, loss, grad, row_loss: the verdict on each output; None if it was not given.
        problem: X, y and W as they were read; its ``text`` is the case that ``crosscheck check`` takes.
        text: the verdict, a line for each output, and the first elements that are outside.
    """

    y_hat: JudgedOutput | None
    loss: JudgedOutput | None
    grad: JudgedOutput | None
    row_loss: JudgedOutput | None
    problem: Literal
    text: str

    @property
    def verdict(self) -> Verdict:
        """The gravest of the outputs' verdicts: outside, then not judged, then within bounds."""
        found = {
            each.verdict for each in (self.y_hat, self.loss, self.grad, self.row_loss) if each is not None
        }
        return min(found, key=GRAVEST.index)

    @property
    def within_bounds(self) -> bool:
        """Whether every given output is within bounds; False if one was not judged."""
        return self.verdict is Verdict.WITHIN_BOUNDS

    def __bool__(self) -> bool:
        return self.within_bounds

    def __repr__(self) -> str:
        return self.text


def judge_outputs(  # noqa: PLR0913, the problem, the outputs by name, and how they were computed
    X: Numbers,
    y: Numbers,
    W: Numbers,
    *,
    y_hat: Numbers | None = None,
    loss: Numbers | None = None,
    grad: Numbers | None = None,
    row_loss: Numbers | None = None,
    dtype: str | None = None,
    arithmetic: Claims = None,
) -> JudgedOutputs:
    """Judge whether correct floating-point arithmetic could return each output, and how far off it is.

    Args:
        X: ``[*stack, m, n]``; `crosscheck.api` says what an array may be.
        y: ``[*stack, m, p]``.
        W: ``[*stack, n, p]``.
        y_hat: ŷ = σ(X·W), ``[*stack, m, p]``.
        loss: L = Σ ½(y − ŷ)², ``[*stack]``.
        grad: ∂L/∂W = Xᵀ·Δ, ``[*stack, n, p]``.
        row_loss: the loss of each row, ``[*stack, m]``.
        dtype: name of the dtype; None for that of the arrays.
        arithmetic: the claims from which the bounds follow: the name of an adapter of the suite, such as
            ``"jax-jit"``, for its claims (its framework is imported); or a mapping of fields of
            `reference.arithmetic.Arithmetic`; None for the closed form, which flushes nothing to zero and has
            no wider accumulator.

    Raises:
        AdapterError: there is no such adapter, or its framework cannot be imported.
        ValueError: no output is given, an array cannot be read, a dtype or shape does not fit, or a claim is
            unknown.

    Example:
        The factor (1 − ŷ) of (16) is forgotten:

        >>> from crosscheck import judge_outputs
        >>> judge_outputs([[1]], [["0.5"]], [[2]], grad=[["0.3354049"]], dtype="float32")
        Outside: grad.
          grad  outside: 1 of 1 element, largest error 7.93e+07 ulp
        grad[0, 0] in float32
          got         0x1.577462p-2 (0.3354049)
          exact       0.03998125052807653126178074
          error       7.93e+07 ulp off
          admissible  [0.03998109437, 0.03998140668]
        grad[0, 0]: 0.3354049 was taken as 0x1.577462p-2, the nearest float32

    Source of the bounds: docs/accuracy.md.
    """
    outputs = {"y_hat": y_hat, "loss": loss, "grad": grad, "row_loss": row_loss}
    if all(each is None for each in outputs.values()):
        raise CaseError(f"there is nothing to judge; give any of {', '.join(outputs)}")
    given = arrays.read(X, y, W, outputs, dtype)
    judge, claims = Judge(given.literal.problem()), claims_of(arithmetic, given.literal.dtype)
    judged = _judged(judge, given.outputs, claims)
    width = max(map(len, judged))
    lines = [_sentence(judged)]
    lines += [f"  {name:<{width}}  {each.summary}" for name, each in judged.items()]
    lines += [line for name, each in judged.items() for line in _outside(judge, name, each, claims)]
    lines += [given.literal.taken] * bool(given.literal.taken)
    found = {name: judged.get(name) for name in OUTPUTS}
    return JudgedOutputs(**found, problem=given.literal, text="\n".join(lines))


def claims_of(arithmetic: Claims, dtype: str) -> Arithmetic:
    """Return the claims that a caller's argument stands for."""
    if arithmetic is None:
        return default_arithmetic(FORMATS[dtype])
    if isinstance(arithmetic, Arithmetic):
        return arithmetic
    if isinstance(arithmetic, str):
        stated = describe(load(arithmetic)).arithmetic
        return stated[one_of(dtype, tuple(stated), f"dtype of {arithmetic}")]
    try:
        return Arithmetic(**{"kappa": KAPPA[dtype], **arithmetic})
    except (TypeError, ValueError) as error:
        known = ", ".join(field.name for field in fields(Arithmetic))
        raise CaseError(f"arithmetic is not understood: {error}; it has the fields {known}") from None


def _judged(judge: Judge, outputs: Outputs, claims: Arithmetic) -> dict[str, JudgedOutput]:
    judgements, sets, exact = judge.judge(outputs, claims), judge.sets(claims), exact_values(judge)
    errors_of = errors(outputs, exact, judge.format)
    found: dict[str, JudgedOutput] = {}
    for name, judgement in judgements.items():
        got = getattr(outputs, name)
        low, high = (np.broadcast_to(end, got.shape) for end in (sets[name].lo, sets[name].hi))
        error, _ = errors_of[name]
        inside = np.asarray(judgement.admissible)
        found[name] = JudgedOutput(
            judgement.verdict, got, exact[name].hi, error, inside, np.asarray(judgement.decided), low, high
        )
    return found


def _sentence(judged: Mapping[str, JudgedOutput]) -> str:
    """Return a sentence with the outputs by their verdicts, the gravest first."""
    named = {v: [name for name, each in judged.items() if each.verdict is v] for v in GRAVEST}
    parts = [
        f"{verdict.value.capitalize()}: {', '.join(names)}." for verdict, names in named.items() if names
    ]
    return " ".join(parts)


def _outside(judge: Judge, name: str, judged: JudgedOutput, claims: Arithmetic) -> list[str]:
    """Return the lines on the first elements that are outside, as the message of a failure shows them."""
    indices = [tuple(map(int, index)) for index in np.argwhere(~judged.inside)]
    lines: list[str] = []
    for index in indices[:SHOWN]:
        element, got = Element(judge, name, index), float(judged.got[index])
        exact = "none: an input is not finite" if np.isnan(element.exact[0]) else oracle.decimal(element.ball)
        lines += [
            f"{format_element(name, index)} in {element.format.name}",
            f"  got         {format_number(got, element.format)}",
            f"  exact       {exact}",
            f"  error       {error_text(element, got)}",
            f"  admissible  {format_set(element.set_of(claims), element.format)}",
        ]
    left = len(indices) - SHOWN
    return lines + [f"{left} more of {name} outside"] * (left > 0)
