"""Diagnosis by equation probes (`crosscheck.explain.probes`): which equation an adapter computes wrongly.

As a function of y, Δ = (ŷ − y)·ŷ(1 − ŷ) is a line with root ŷ, from (13), and slope −ŷ(1 − ŷ), from (14–16).
So a few labels at each of a few z show which of the two is wrong. With X = 1 a term that depends on W, such
as a penalty, looks like one that depends on z; with X = 2 and W = z/2 it does not. A hypothesis about a fault
is accepted if undoing the fault brings the result of every equation probe back into its admissible set.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from crosscheck.explain.delta import missing_factors, wrong_delta, wrong_row
from crosscheck.explain.disagreement import Disagreement
from crosscheck.explain.element import EQUATIONS, Element, EquationDiagnosis, at
from crosscheck.explain.probes import (
    GRID_Y,
    OWN,
    EquationProbes,
    evaluate_alone,
    evaluate_doubled,
    evaluate_probes,
)
from crosscheck.explain.weighted_sum import wrong_z
from crosscheck.judging.evaluation import CheckedAdapter, Outcome
from crosscheck.text import format_number, format_set
from reference.types import Bool, Float64

SIGMA: Final = "(10.2) σ(z) = 1/(1 + e^-z)"
ALONE: Final = "by probes (X = 1: z = W, ∂L/∂W = Δ): "
# Factors that typical mistakes in a formula leave behind, and the equation that contains that constant.
FACTORS: Final = {-1.0: "dL_dyhat", 2.0: "dL_dyhat", 0.5: "dL_dyhat", -2.0: "dL_dyhat", -0.5: "dL_dyhat"}
GRID: Final = slice(OWN, -1)  # the probes whose labels are those of GRID_Y
SYMBOLS: Final = {"y_hat": "ŷ", "loss": "L", "grad": "Δ"}


def by_probes(adapter: CheckedAdapter, disagreement: Disagreement) -> EquationDiagnosis:
    """Diagnose the first equation that differs, as far as equation probes can distinguish equations.

    Raises:
        AdapterCrashed, AdapterMisbehaved, NotImplementedError: the adapter does not evaluate the probes.
    """
    element, outcome = disagreement.element, disagreement.outcome
    probes = evaluate_probes(adapter, element)
    if probes.outside["y_hat"].any():
        found, first = wrong_z(adapter, probes), _first_wrong_probe(probes, "y_hat")
        if found is not None:
            return EquationDiagnosis(EQUATIONS["z"], f"by probes: {found}, so X·W is wrong; {first}")
        return EquationDiagnosis(SIGMA, ALONE + first)
    if element.output == "y_hat" or _y_hat_is_off(adapter, outcome, element):
        if not probes.own:
            right = f"σ is right {_probed_at(probes)}; no probe has this element's z and y, since one is nan"
            return EquationDiagnosis("(10.2) or (10.3): σ of nan, or the sum X·W", f"{ALONE}{right}")
        return EquationDiagnosis(
            EQUATIONS["z"], f"{ALONE}σ is right {_probed_at(probes)}, so the sum X·W is not"
        )
    if element.output in ("loss", "row_loss"):
        return _loss(probes)
    return _gradient(adapter, probes, disagreement)


def _y_hat_is_off(adapter: CheckedAdapter, outcome: Outcome, element: Element) -> bool:
    """Whether ŷ lies outside its set at an element on which the disagreeing element depends."""
    if outcome.outputs is None or outcome.outputs.y_hat is None:
        return False
    claims = adapter.description.arithmetic[element.format.name]
    inside = element.judge.sets(claims)["y_hat"].contains(outcome.outputs.y_hat.astype(np.float64))
    return not inside[element.sources].all()


def _loss(probes: EquationProbes) -> EquationDiagnosis:
    if not probes.outside["loss"].any():
        right = f"L of one element is right {_probed_at(probes)}"
        return EquationDiagnosis(EQUATIONS["loss"], f"{ALONE}{right}, so the sum over elements is not")
    factor = _constant(probes, "loss")
    times = "" if factor is None else f"L is {factor:.17g} × exact at every probe; "
    return EquationDiagnosis(EQUATIONS["loss"], ALONE + times + _first_wrong_probe(probes, "loss"))


def _gradient(
    adapter: CheckedAdapter, probes: EquationProbes, disagreement: Disagreement
) -> EquationDiagnosis:
    if not probes.outside["grad"].any():
        if fault := wrong_delta(adapter, disagreement.element):
            return EquationDiagnosis(EQUATIONS[fault[0]], f"by probes (X = I: z = W, ∂L/∂W = Δ): {fault[1]}")
        if row := wrong_row(adapter, disagreement.element):
            return EquationDiagnosis(EQUATIONS["delta"], f"{row}; {ALONE}Δ is right {_probed_at(probes)}")
        return EquationDiagnosis(EQUATIONS["grad"], f"{ALONE}Δ is right {_probed_at(probes)}, so Xᵀ·Δ is not")
    if "grad" not in (found_twice := evaluate_doubled(adapter, probes)):
        raise NotImplementedError("no ∂L/∂W")  # left out by values, which is against the contract
    doubled, differs = found_twice["grad"]
    if differs.any():
        i = int(np.argmax(differs))
        got, once = (format_number(float(a[i]), probes.format) for a in (doubled, probes.got["grad"]))
        where = f"at z = {probes.z[i]:.9g}, y = {probes.y[i]:.9g}"
        found = f"with X = 2 and W = z/2, {where}, ∂L/∂W is {got}, not twice the {once} of X = 1 and W = z"
        return EquationDiagnosis(EQUATIONS["grad"], f"by probes: {found}, so it is not Xᵀ·Δ")
    factor = _constant(probes, "grad")
    if factor is not None:
        name, alone = FACTORS.get(factor, "delta"), ""
        if name == "delta" and _is_right_alone(adapter, probes):
            name, alone = "grad", "and right in a stack of one; "
        found = f"Δ is {factor:.17g} × exact at every probe; {alone}{_unexplained(factor, disagreement)}"
        return EquationDiagnosis(EQUATIONS[name], ALONE + found + _first_wrong_probe(probes, "grad"))
    name, found = next(_hypotheses(probes))
    return EquationDiagnosis(EQUATIONS[name], f"{ALONE}{found}; {_first_wrong_probe(probes, 'grad')}")


def _is_right_alone(adapter: CheckedAdapter, probes: EquationProbes) -> bool:
    """Whether the first probe whose ∂L/∂W is wrong is right as the only network of a stack."""
    place = int(np.argmax(probes.outside["grad"]))
    grad = evaluate_alone(adapter, probes, place).grad
    return grad is not None and bool(
        at(probes.sets["grad"], (place,)).contains(grad.astype(np.float64)).all()
    )


def _constant(probes: EquationProbes, name: str) -> float | None:
    """Return a factor c such that got / c is admissible at every equation probe; None if there is none."""
    got, exact = probes.got[name], probes.exact[name]
    with np.errstate(all="ignore"):
        ratios = (got / exact)[np.isfinite(got / exact) & (exact != 0)]
        candidates = [*FACTORS, *([float(np.median(ratios))] if ratios.size else [])]
        good = (c for c in candidates if c and probes.sets[name].contains(got / c).all())
        return next(good, None)


def _unexplained(factor: float, disagreement: Disagreement) -> str:
    """Return a phrase about a second fault if the factor does not explain the original case; else empty."""
    element, got = disagreement.original
    one = element.set_of(disagreement.outcome.description.arithmetic[element.format.name])
    if one.contains(np.asarray(got / factor)):
        return ""
    also = ", as in the document's commented-out variant of (19)" if factor == -1 else ""
    return f"the original case shows that {EQUATIONS['grad']} differs too{also}; "


def _hypotheses(probes: EquationProbes) -> Iterator[tuple[str, str]]:
    """Yield the faults that explain the results, the simplest first, each as a quantity and a sentence."""
    yield from missing_factors(probes)
    with np.errstate(all="ignore"):
        if _depends_on_z(probes):
            yield "dyhat_dz", "Δ has a factor that depends on z and not on y"
        yield from _wrong_roots(probes, probes.exact["dyhat_dz"])
        yield from _changed_labels(probes)
    yield from _by_location(probes)


def _depends_on_z(probes: EquationProbes) -> bool:
    """Whether Δ is right but for a factor for each z, which is the same at every label.

    The factor is computed at the label 0.
    """
    got, exact = probes.got["grad"][GRID], probes.exact["grad"][GRID]
    factor = np.repeat((got / exact)[:: len(GRID_Y)], len(GRID_Y))
    corrected = at(probes.sets["grad"], (GRID,)).contains(got / factor).all()
    return bool(corrected and probes.outside["grad"][GRID].any())


def _wrong_roots(probes: EquationProbes, slope: Float64) -> Iterator[tuple[str, str]]:
    """Yield the fault that Δ, a line in y, has the right slope and is 0 at another y than ŷ, if it fits."""
    table = (probes.got["grad"], probes.sets["grad"].radius, slope, probes.exact["y_hat"])
    got, radius, want, y_hat = (a[GRID].reshape(-1, len(GRID_Y)) for a in table)  # a row for each z
    fall = got[:, 0] - got[:, 1]
    if (
        probes.outside["grad"][GRID].any()
        and (np.abs(fall - want[:, 0]) <= radius[:, 0] + radius[:, 1]).all()
    ):
        roots = got[:, 0] / fall
        i = int(np.argmax(np.abs(roots - y_hat[:, 0])))
        vanishes = f"vanishes at y = {roots[i]:.9g} instead of ŷ = {y_hat[i, 0]:.9g}"
        yield "dL_dyhat", f"Δ has the right slope in y, and {vanishes}"


def _changed_labels(probes: EquationProbes) -> Iterator[tuple[str, str]]:
    """Yield the fault that Δ is right for other labels, which depend on y and not on z, if it fits."""
    slope = probes.exact["dyhat_dz"]
    table = (probes.exact["y_hat"] - probes.got["grad"] / slope, probes.sets["grad"].radius / slope)
    labels, radius = (a[GRID].reshape(-1, len(GRID_Y)) for a in table)  # a row for each z
    low, high = (labels - radius).max(0), (labels + radius).min(0)
    if probes.outside["grad"][GRID].any() and (low <= high).all():
        i = int(np.argmax(np.maximum(low - GRID_Y, GRID_Y - high)))
        label = f"y = {GRID_Y[i]:g} acts as {(low[i] + high[i]) / 2:.9g}"
        yield "dL_dyhat", f"Δ is right but for its labels: {label} at every z"


def _by_location(probes: EquationProbes) -> Iterator[tuple[str, str]]:
    """Yield a fault that says where Δ is right and where it is wrong, if nothing simpler explains it."""
    wrong = probes.outside["grad"]
    at_own_z, grid = np.split(wrong[GRID], [len(GRID_Y)])
    if wrong[0] != wrong[-1]:
        yield "delta", "Δ of the same z and y is right at one place of the stack and wrong at another"
    elif grid.any():
        yield "delta", "ŷ and L are right, Δ is not, and no single factor explains it"
    elif at_own_z.all():
        yield "dyhat_dz", f"Δ is right at z = 0, ±1, ±3 and wrong at z = {probes.z[0]:.9g} whatever y is"
    elif at_own_z.any():
        labels = ", ".join(f"{y:g}" for y, wrong in zip(GRID_Y, at_own_z, strict=True) if wrong)
        yield (
            "dL_dyhat",
            f"Δ is right at z = 0, ±1, ±3, and at z = {probes.z[0]:.9g} wrong with y = {labels} only",
        )
    else:
        yield (
            "dL_dyhat",
            "Δ is right at z = 0, ±1, ±3 and at its own z with y = 0, 1, ½, wrong with its own y",
        )


def _probed_at(probes: EquationProbes) -> str:
    return f"at {'its own z = ' + format(probes.z[0], '.9g') + ' and at ' if probes.own else ''}z = 0, ±1, ±3"


def _first_wrong_probe(probes: EquationProbes, name: str) -> str:
    """Describe the first equation probe that is wrong, in numbers, and say how many are wrong."""
    wrong: Bool = probes.outside[name]
    i = int(np.argmax(wrong))
    got, exact = format_number(float(probes.got[name][i]), probes.format), float(probes.exact[name][i])
    one = at(probes.sets[name], (i,))
    within = f"admissible {format_set(one, probes.format)}"
    want = within if np.isnan(exact) else f"exact {exact:.17g}"
    where = f"at z = {probes.z[i]:.9g}, y = {probes.y[i]:.9g}"
    return f"{where} {SYMBOLS[name]} is {got}, {want} ({int(wrong.sum())} of {wrong.size} probes)"
