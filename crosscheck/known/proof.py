"""The proof of a known difference: its pinned case still fails by as much, and in the recorded way."""

from __future__ import annotations

import platform

import numpy as np

from crosscheck.blame.element import Element
from crosscheck.judge import Judge
from crosscheck.known.entry import Difference
from crosscheck.known.explained import touched
from crosscheck.known.nature import NATURES
from crosscheck.regimes import REGIMES
from crosscheck.shown import hexadecimal, place
from crosscheck.trial import Outcome, Subject, run
from reference import oracle
from reference.arithmetic import Arithmetic


def prove(entry: Difference, subject: Subject) -> str | None:
    """Evaluate an entry's pinned case again.

    The whole case is evaluated, since a fault may depend on its size; the oracle takes the one problem.
    What is returned may differ from all sightings: it must lie as far outside its set as the entry says.

    Args:
        entry: which the installed version of the framework falls under.
        subject: the adapter that the entry names as its mode.

    Returns:
        None if the element differs as the entry says; otherwise one sentence that says what is stale.

    Raises:
        ValueError: the entry says nothing about this subject.
        AdapterDied: the subject dies before it says who it is.
    """
    said = subject.description
    if said.name != entry.mode or not entry.concerns(said, platform.machine()):
        raise ValueError(f"{entry.name} says nothing about {said.name} of {said.framework} {said.version}")
    judge = Judge(entry.source.problem())
    element = Element(judge, entry.output, entry.index)
    outcome = run(subject, judge)
    stale = _record(entry, element) or _result(entry, element, outcome) or _nature(entry, judge, outcome)
    return f"known difference {entry.name} is stale: {stale}" if stale else None


def _record(entry: Difference, element: Element) -> str | None:
    """What the record says wrongly, whatever an adapter returns."""
    where = place(entry.output, entry.index)
    if not touched(element.judge, entry.output, entry.regimes)[entry.index]:
        return f"{where} lies in none of {', '.join(entry.regimes or REGIMES)}"
    exact = oracle.hexadecimal(element.ball, element.format)
    if _canonical(exact) != _canonical(entry.exact):
        return f"the exact {where} is {_canonical(exact)}, recorded {entry.exact}"
    return None


def _result(entry: Difference, element: Element, outcome: Outcome) -> str | None:
    """What speaks against the difference at the pinned element: it is gone, or smaller."""
    where = place(entry.output, entry.index)
    if entry.output not in outcome.judgements:
        why = outcome.failure or outcome.unsupported or f"it has no {entry.output}"
        return f"{entry.mode} no longer returns {where}: {why}"
    got = element.got(outcome)
    if outcome.judgements[entry.output].admissible[entry.index]:
        return f"{where} no longer differs: it is {hexadecimal(got)}, admissible"
    share = element.share(got, _claims(outcome, element.judge))
    if share < entry.at_least:
        far = f"{share:.3g} times the bound, recorded as at least {entry.at_least:g}"
        return f"{where} differs by less: it is {hexadecimal(got)}, {far}"
    return None


def _nature(entry: Difference, judge: Judge, outcome: Outcome) -> str | None:
    """The first wrong element that is not of the entry's nature."""
    if entry.nature is None:
        return None
    nature, claims = NATURES[entry.nature], _claims(outcome, judge)
    for index in zip(*np.nonzero(~outcome.judgements[entry.output].admissible), strict=True):
        element = Element(judge, entry.output, tuple(map(int, index)))
        got = element.got(outcome)
        if not nature.holds(element, got, claims):
            where = place(element.output, element.index)
            return f"{where} is {hexadecimal(got)}, and not {nature.words}"
    return None


def _claims(outcome: Outcome, judge: Judge) -> Arithmetic:
    return outcome.description.arithmetic[judge.format.name]


def _canonical(text: str) -> str:
    """A recorded number as `hexadecimal` writes it, the sign of a zero included."""
    return hexadecimal(float.fromhex(text))
