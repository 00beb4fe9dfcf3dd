"""The proof of a known difference: its pinned case still fails, and still fails in the recorded way."""

from __future__ import annotations

import platform

from crosscheck.blame.element import Element
from crosscheck.judge import Judge
from crosscheck.known.entry import Difference
from crosscheck.known.explained import touched
from crosscheck.regimes import REGIMES
from crosscheck.shown import hexadecimal, place
from crosscheck.trial import Outcome, Subject, run
from reference import oracle


def prove(entry: Difference, subject: Subject) -> str | None:
    """Evaluate an entry's pinned case again.

    The whole case is evaluated, since a fault may depend on its size; the oracle takes the one problem.

    Args:
        entry: which the installed version of the framework falls under.
        subject: the adapter that the entry names as its mode.

    Returns:
        None if the element differs as recorded; otherwise one sentence that says what is stale.

    Raises:
        ValueError: the entry says nothing about this subject.
        AdapterDied: the subject dies before it says who it is.
    """
    said = subject.description
    if said.name != entry.mode or not entry.concerns(said, platform.machine()):
        raise ValueError(f"{entry.name} says nothing about {said.name} of {said.framework} {said.version}")
    judge = Judge(entry.source.problem())
    element = Element(judge, entry.output, entry.index)
    stale = _record(entry, element) or _result(entry, element, run(subject, judge))
    return f"known difference {entry.name} is stale: {stale}" if stale else None


def _record(entry: Difference, element: Element) -> str | None:
    """What the record says wrongly, whatever an adapter returns."""
    where = place(entry.output, entry.index)
    if not touched(element.judge, entry.output, entry.regimes)[entry.index]:
        return f"{where} lies in none of {', '.join(entry.regimes or REGIMES)}"
    exact = _canonical(oracle.hexadecimal(element.ball, element.format))
    if exact != _canonical(entry.exact):
        return f"the exact {where} is {exact}, recorded {entry.exact}"
    return None


def _result(entry: Difference, element: Element, outcome: Outcome) -> str | None:
    """What the adapter does otherwise than recorded."""
    where = place(entry.output, entry.index)
    if entry.output not in outcome.judgements:
        why = outcome.failure or outcome.unsupported or f"it has no {entry.output}"
        return f"{entry.mode} no longer returns {where}: {why}"
    got = hexadecimal(element.got(outcome))
    if outcome.judgements[entry.output].admissible[entry.index]:
        return f"{where} no longer differs: it is {got}, admissible, recorded {entry.got}"
    if got != _canonical(entry.got):
        return f"{where} differs in another way: it is {got}, recorded {entry.got}"
    return None


def _canonical(text: str) -> str:
    """A recorded number as `hexadecimal` writes it, the sign of a zero included."""
    return hexadecimal(float.fromhex(text))
