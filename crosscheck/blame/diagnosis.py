"""What probes tell: which equation of the document an adapter has wrong.

As a function of y, Δ = (ŷ − y)·ŷ(1 − ŷ) is a line with root ŷ, from (13), and slope −ŷ(1 − ŷ), from
(14–16). So a few labels at each of a few z tell the two apart. A hypothesis is accepted where undoing the
fault brings every probe back into its admissible set.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from crosscheck.blame.element import EQUATIONS, Element, Finding, at
from crosscheck.blame.probes import GRID_Y, OWN, Probes, ask
from crosscheck.blame.scene import Scene
from crosscheck.shown import admissible, number
from crosscheck.trial import Outcome, Subject
from reference.types import Bool, Float64

SIGMA: Final = "(10.2) σ(z) = 1/(1 + e^-z)"
ALONE: Final = "by probes (X = 1: z = W, ∂L/∂W = Δ): "
# Factors that a slip of the pen leaves behind, and the equation that has that constant.
FACTORS: Final = {-1.0: "dL_dyhat", 2.0: "dL_dyhat", 0.5: "dL_dyhat", -2.0: "dL_dyhat", -0.5: "dL_dyhat"}
GRID: Final = slice(OWN, -1)  # the probes whose labels are those of GRID_Y
SYMBOLS: Final = {"y_hat": "ŷ", "loss": "L", "grad": "Δ"}


def by_probes(subject: Subject, scene: Scene) -> Finding:
    """The first equation that differs, as far as probes can tell.

    Raises:
        AdapterDied, AdapterMisbehaved, NotImplementedError: the subject does not answer the probes.
    """
    element, outcome = scene.element, scene.culprit
    probes = ask(subject, element)
    if probes.outside["y_hat"].any():
        return Finding(SIGMA, ALONE + _shown(probes, "y_hat"))
    if element.output == "y_hat" or _y_hat_is_off(subject, outcome, element):
        if not probes.own:
            right = f"σ is right {_tried(probes)}; no probe has this element's z and y, since one is nan"
            return Finding("(10.2) or (10.3): σ of nan, or the sum X·W", f"{ALONE}{right}")
        return Finding(EQUATIONS["z"], f"{ALONE}σ is right {_tried(probes)}, so the sum X·W is not")
    if element.output in ("loss", "row_loss"):
        return _loss(probes)
    return _gradient(probes, scene)


def _y_hat_is_off(subject: Subject, outcome: Outcome, element: Element) -> bool:
    """Whether ŷ itself lies outside its set where the element depends on it."""
    if outcome.outputs is None or outcome.outputs.y_hat is None:
        return False
    claims = subject.description.arithmetic[element.format.name]
    inside = element.judge.sets(claims)["y_hat"].contains(outcome.outputs.y_hat.astype(np.float64))
    return not inside[element.sources].all()


def _loss(probes: Probes) -> Finding:
    if not probes.outside["loss"].any():
        right = f"L of one element is right {_tried(probes)}"
        return Finding(EQUATIONS["loss"], f"{ALONE}{right}, so the sum over elements is not")
    factor = _constant(probes, "loss")
    times = "" if factor is None else f"L is {factor:.17g} × exact at every probe; "
    return Finding(EQUATIONS["loss"], ALONE + times + _shown(probes, "loss"))


def _gradient(probes: Probes, scene: Scene) -> Finding:
    if not probes.outside["grad"].any():
        return Finding(EQUATIONS["grad"], f"{ALONE}Δ is right {_tried(probes)}, so Xᵀ·Δ is not")
    factor = _constant(probes, "grad")
    if factor is not None:
        name = FACTORS.get(factor, "delta")
        found = f"Δ is {factor:.17g} × exact at every probe; {_beyond(factor, scene)}"
        return Finding(EQUATIONS[name], ALONE + found + _shown(probes, "grad"))
    name, found = next(_hypotheses(probes))
    return Finding(EQUATIONS[name], f"{ALONE}{found}; {_shown(probes, 'grad')}")


def _constant(probes: Probes, name: str) -> float | None:
    """A factor c such that got / c is admissible at every probe."""
    got, exact = probes.got[name], probes.exact[name]
    with np.errstate(all="ignore"):
        ratios = (got / exact)[np.isfinite(got / exact) & (exact != 0)]
        candidates = [*FACTORS, *([float(np.median(ratios))] if ratios.size else [])]
        good = (c for c in candidates if c and probes.sets[name].contains(got / c).all())
        return next(good, None)


def _beyond(factor: float, scene: Scene) -> str:
    """Whether the factor explains the failing element as it came; a second fault is worth a word."""
    element, got = scene.came
    one = element.set_of(scene.culprit.description.arithmetic[element.format.name])
    if one.contains(np.asarray(got / factor)):
        return ""
    also = ", as in the document's commented-out variant of (19)" if factor == -1 else ""
    return f"the case as it came shows that {EQUATIONS['grad']} differs too{also}; "


def _hypotheses(probes: Probes) -> Iterator[tuple[str, str]]:
    """The faults that explain the probes, the simplest first: a quantity and a sentence."""
    got, whole = probes.got["grad"], probes.sets["grad"]
    p, slope = probes.exact["y_hat"], probes.exact["dyhat_dz"]
    with np.errstate(all="ignore"):
        q = np.where(p < 0.5, 1 - p, slope / p)  # 1 − ŷ without cancellation
        for missing, factor in (("(1 − ŷ)", q), ("ŷ", p), ("ŷ·(1 − ŷ)", slope)):
            if whole.contains(got * factor).all():
                yield "dyhat_dz", f"the factor {missing} is missing"
        if _depends_on_z(probes):
            yield "dyhat_dz", "Δ has a factor that depends on z and not on y"
        yield from _lines(probes, slope)
    yield from _by_place(probes)


def _depends_on_z(probes: Probes) -> bool:
    """Whether the probes agree with a Δ that is off by a factor for each z, taken from the label 0."""
    got, exact = probes.got["grad"][GRID], probes.exact["grad"][GRID]
    factor = np.repeat((got / exact)[:: len(GRID_Y)], len(GRID_Y))
    mended = at(probes.sets["grad"], (GRID,)).contains(got / factor).all()
    return bool(mended and probes.outside["grad"][GRID].any())


def _lines(probes: Probes, slope: Float64) -> Iterator[tuple[str, str]]:
    """Δ as a line in y with the right slope and a wrong root."""
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


def _by_place(probes: Probes) -> Iterator[tuple[str, str]]:
    """Nothing simpler: say where Δ is right and where it is not."""
    wrong = probes.outside["grad"]
    at_own_z, grid = np.split(wrong[GRID], [len(GRID_Y)])
    if wrong[0] != wrong[-1]:
        yield "delta", "Δ of the same z and y is right at one place of the stack and wrong at another"
    elif grid.any():
        yield "delta", "ŷ and L are right, Δ is not, and no single factor explains it"
    elif at_own_z.any():
        yield "dyhat_dz", f"Δ is right at z = 0, ±1, ±3 and wrong at z = {probes.z[0]:.9g} whatever y is"
    else:
        yield (
            "dL_dyhat",
            "Δ is right at z = 0, ±1, ±3 and at its own z with y = 0, 1, ½, wrong with its own y",
        )


def _tried(probes: Probes) -> str:
    return f"at {'its own z = ' + format(probes.z[0], '.9g') + ' and at ' if probes.own else ''}z = 0, ±1, ±3"


def _shown(probes: Probes, name: str) -> str:
    """The first probe that is wrong, in numbers, and how many are."""
    wrong: Bool = probes.outside[name]
    i = int(np.argmax(wrong))
    got, exact = number(float(probes.got[name][i]), probes.format), float(probes.exact[name][i])
    one = at(probes.sets[name], (i,))
    within = f"admissible {admissible(one, probes.format)}"
    want = within if np.isnan(exact) else f"exact {exact:.17g}"
    where = f"at z = {probes.z[i]:.9g}, y = {probes.y[i]:.9g}"
    return f"{where} {SYMBOLS[name]} is {got}, {want} ({int(wrong.sum())} of {wrong.size} probes)"
