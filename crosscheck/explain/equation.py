"""The adapters that are wrong, and the first equation of the document at which a wrong adapter differs."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from adapters.errors import AdapterCrashed, AdapterMisbehaved
from adapters.memory import memory_of
from adapters.protocol import shapes
from crosscheck.explain.diagnosis import by_probes
from crosscheck.explain.disagreement import Disagreement
from crosscheck.explain.element import BEFORE, EQUATIONS, Element, EquationDiagnosis, at
from crosscheck.judging.evaluation import CheckedAdapter, Outcome, evaluate_and_judge
from crosscheck.judging.judge import Judge
from crosscheck.text import format_element, format_number, format_set
from reference import bounds, oracle, stable
from reference.admissible import AdmissibleSet
from reference.arithmetic import Arithmetic
from reference.formats import FORMATS
from reference.layouts import arrange
from reference.types import Array
from reference.units import KAPPA_REFERENCE

REFERENCE = "the reference"


def outliers(element: Element, outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    """Return the names of those that are wrong at the element.

    These are the adapters outside their sets, and the reference if the exact value lies outside a set that
    must contain it.
    """
    outside = [
        outcome.description.name
        for outcome in outcomes
        if element.output in outcome.judgements
        and not outcome.judgements[element.output].admissible[element.index]
    ]
    claims = {o.description.arithmetic[element.format.name] for o in outcomes if o.judgements}
    return (*outside, *([REFERENCE] if reference_is_wrong(element, claims) else []))


def reference_is_wrong(element: Element, claims: Collection[Arithmetic]) -> bool:
    """Whether the exact value lies outside the reference's own set, or outside that of one of the claims."""
    if np.isnan(element.exact[0]):
        return False
    one = element.alone.problem
    own = bounds.admissible(stable.widen(one), FORMATS["float64"], Arithmetic(KAPPA_REFERENCE))
    sets = [own[element.output], *(element.alone.sets(each)[element.output] for each in claims)]
    shape = shapes(one)[element.output]
    return not all(
        oracle.inside(*one, {element.output: (np.broadcast_to(s.lo, shape), np.broadcast_to(s.hi, shape))})[
            element.output
        ][element.inner]
        for s in sets
    )


def first_equation(adapter: CheckedAdapter, disagreement: Disagreement) -> EquationDiagnosis:
    """Return the first equation of the document at which the adapter leaves the admissible set.

    The adapter's own trace decides if it can, otherwise equation probes do.
    """
    try:
        return (
            _by_contract(adapter, disagreement)
            or _by_trace(adapter, disagreement.outcome, disagreement.element)
            or by_probes(adapter, disagreement)
        )
    except (AdapterMisbehaved, AdapterCrashed, NotImplementedError) as failure:
        return EquationDiagnosis("not known", f"neither a trace nor probes could be had: {failure}")


def _by_contract(adapter: CheckedAdapter, disagreement: Disagreement) -> EquationDiagnosis | None:
    """Diagnose a fault that no equation explains: a result of another call, or memory read wrongly."""
    if disagreement.contract_violations:
        return EquationDiagnosis(
            "none: the adapter breaks the contract", "; ".join(disagreement.contract_violations)
        )
    judge, output = disagreement.element.judge, disagreement.element.output
    problem, plain = judge.problem, arrange(judge.problem, "contiguous")
    again = evaluate_and_judge(adapter, judge).judgements.get(output)
    if again is not None and again.admissible.all():
        return EquationDiagnosis(
            "none: the adapter breaks the contract",
            f"called again with the same input, it returns {output} within its set: results depend on more"
            " than the input",
        )
    if [memory_of(a) for a in plain] == [memory_of(a) for a in problem]:
        return None
    if output in evaluate_and_judge(adapter, Judge(plain)).disagreeing:
        return None
    return EquationDiagnosis(
        "none: the layout of memory", f"with the same numbers in contiguous memory {output} is right"
    )


def _by_trace(adapter: CheckedAdapter, outcome: Outcome, element: Element) -> EquationDiagnosis | None:
    """Diagnose the first traced quantity outside its set; None if a quantity before it is not traced."""
    if not adapter.description.traces or outcome.outputs is None:
        return None
    known: dict[str, Array | None] = dict(adapter.trace(*element.judge.problem))
    known["y_hat"] = outcome.outputs.y_hat
    sets = element.judge.sets(adapter.description.arithmetic[element.format.name])
    for name in BEFORE[element.output]:
        if known.get(name) is None:
            return None
        differs = _first_outside(name, known[name], sets[name], element)
        if differs:
            return EquationDiagnosis(EQUATIONS[name], f"by trace: {differs}")
    before = ", ".join(BEFORE[element.output])
    return EquationDiagnosis(
        EQUATIONS[element.output], f"by trace: {before} within their sets, {element.output} is not"
    )


def _first_outside(name: str, got: Array | None, whole: AdmissibleSet, element: Element) -> str | None:
    """Say where a traced quantity leaves its set, among the elements that matter; None if it does not."""
    values = np.asarray(got).astype(np.float64)
    inside = np.broadcast_to(whole.contains(values), values.shape)
    wrong = [tuple(map(int, i)) for i in np.argwhere(_mask(element, values.shape) & ~inside)]
    if not wrong:
        return None
    one = at(whole, wrong[0])
    shown = format_number(float(values[wrong[0]]), element.format)
    within = format_set(one, element.format)
    return f"{format_element(name, wrong[0])} is {shown}, admissible {within}"


def _mask(element: Element, shape: tuple[int, ...]) -> Array:
    mask = np.zeros(shape, bool)
    mask[element.sources] = True
    return mask
