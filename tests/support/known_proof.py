"""The proof of a known difference: its pinned case still fails by as much, and in the recorded way."""

from __future__ import annotations

import platform
from collections.abc import Callable
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np

from crosscheck.explain.element import Element, at
from crosscheck.inputs.regimes import REGIMES
from crosscheck.judging.evaluation import CheckedAdapter, Outcome, evaluate_and_judge
from crosscheck.judging.judge import Judge
from crosscheck.results.known import equal_arrays, in_regimes
from crosscheck.results.known_entry import Difference
from crosscheck.text import format_element, format_hex
from reference import oracle
from reference.arithmetic import Arithmetic
from reference.types import Problem


class Nature(NamedTuple):
    """How a kind of fault is recognised; the kinds are those of `crosscheck.results.known_entry.NATURES`.

    Attributes:
        holds: whether a wrong element with that value is of this kind, under an adapter's claims.
        words: what such an element is.
    """

    holds: Callable[[Judge, Element, float, Arithmetic], bool]
    words: str


def has_y_hat_of_another_row(network: Judge, element: Element, got: float, claims: Arithmetic) -> bool:
    """Whether the loss of row i is ½ Σ (y_i − ŷ_j)², admissibly computed, for some other row j."""
    X, y, W = network.problem
    (row,) = element.inner
    others = np.delete(X, row, axis=0)
    if not len(others):
        return False
    exchanged = Problem(others, np.repeat(y[[row]], len(others), axis=0), W)
    losses = Judge(exchanged).sets(claims)["row_loss"]
    return bool(losses.contains(np.full(len(others), got)).any())


def has_y_hat_of_the_first_input(network: Judge, element: Element, got: float, claims: Arithmetic) -> bool:
    """Whether the losses are ½ (y_j − σ(x_1·w_1j))², admissibly computed: z lacks the other inputs."""
    losses = of_the_first_input(network).sets(claims)[element.output]
    return bool(at(losses, element.inner).contains(np.array(got)))


@lru_cache(maxsize=1)
def of_the_first_input(network: Judge) -> Judge:
    """The judge of the network with the first input alone."""
    X, y, W = network.problem
    return Judge(Problem(X[:, :1], y, W[:1]))


RECOGNISED: Final = {
    "y_hat_of_another_row": Nature(has_y_hat_of_another_row, "the loss of its row with the ŷ of another row"),
    "y_hat_of_the_first_input": Nature(
        has_y_hat_of_the_first_input, "the loss with the ŷ of the first input alone"
    ),
}


def verify(entry: Difference, adapter: CheckedAdapter) -> str | None:
    """Evaluate an entry's pinned case again.

    The whole case is evaluated, since a fault may depend on its size; the oracle takes the one problem.
    What is returned may differ from all sightings: it must lie as far outside its set as the entry says.

    Args:
        entry: which the installed version of the framework falls under.
        adapter: the one that the entry names as its mode.

    Returns:
        None if the element differs as the entry says; otherwise one sentence on what is no longer true.

    Raises:
        ValueError: the entry says nothing about this adapter.
        AdapterCrashed: the adapter crashes before it describes itself.
    """
    said = adapter.description
    if said.name != entry.mode or not entry.concerns(said, platform.machine()):
        raise ValueError(f"{entry.name} says nothing about {said.name} of {said.framework} {said.version}")
    judge = Judge(entry.source.problem())
    element = Element(judge, entry.output, entry.index)
    outcome = evaluate_and_judge(adapter, judge)
    stale = _record(entry, element) or _result(entry, element, outcome) or _nature(entry, judge, outcome)
    return f"known difference {entry.name} is stale: {stale}" if stale else None


def _record(entry: Difference, element: Element) -> str | None:
    """Say what is wrong in the entry itself, independently of any adapter; None if nothing is."""
    where = format_element(entry.output, entry.index)
    for name in entry.equal or ():
        if name not in equal_arrays(element.judge.problem):
            return f"{name} of the case has several numbers, recorded as equal ones"
    if not in_regimes(element.judge, entry.output, entry.regimes)[entry.index]:
        return f"{where} lies in none of {', '.join(entry.regimes or REGIMES)}"
    exact = oracle.hexadecimal(element.ball, element.format)
    if _canonical(exact) != _canonical(entry.exact):
        return f"the exact {where} is {_canonical(exact)}, recorded {entry.exact}"
    return None


def _result(entry: Difference, element: Element, outcome: Outcome) -> str | None:
    """Say whether the difference at the pinned element is gone or smaller; None if it is neither."""
    where = format_element(entry.output, entry.index)
    if entry.output not in outcome.judgements:
        why = outcome.failure or outcome.unsupported or f"it has no {entry.output}"
        return f"{entry.mode} no longer returns {where}: {why}"
    got = element.got(outcome)
    if outcome.judgements[entry.output].admissible[entry.index]:
        return f"{where} no longer differs: it is {format_hex(got)}, admissible"
    share = element.share(got, _claims(outcome, element.judge))
    if share < entry.at_least:
        far = f"{share:.3g} times the bound, recorded as at least {entry.at_least:g}"
        return f"{where} differs by less: it is {format_hex(got)}, {far}"
    return None


def _nature(entry: Difference, judge: Judge, outcome: Outcome) -> str | None:
    """Name the first wrong element that is not of the entry's nature; None if there is none."""
    if entry.nature is None:
        return None
    nature, claims = RECOGNISED[entry.nature], _claims(outcome, judge)
    networks: dict[tuple[int, ...], Judge] = {}
    for index in np.argwhere(~outcome.judgements[entry.output].admissible):
        element = Element(judge, entry.output, tuple(map(int, index)))
        network = networks.get(element.problem_index) or element.alone
        networks[element.problem_index] = network
        got = element.got(outcome)
        if not nature.holds(network, element, got, claims):
            where = format_element(element.output, element.index)
            return f"{where} is {format_hex(got)}, and not {nature.words}"
    return None


def _claims(outcome: Outcome, judge: Judge) -> Arithmetic:
    return outcome.description.arithmetic[judge.format.name]


def _canonical(text: str) -> str:
    """A recorded number as `format_hex` writes it, the sign of a zero included."""
    return format_hex(float.fromhex(text))
