"""The assertions on the adapters of a run, and the message of what fails them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from adapters.errors import AdapterCrashed
from crosscheck.cases import Case, Literal
from crosscheck.contract import contract_violations
from crosscheck.message import failure, replay
from crosscheck.panel import Hearing, Panel


class DisagreementError(AssertionError):
    """A hearing that is not green, before anyone has asked why: the message costs more than the verdict."""

    def __init__(self, case: Case | Literal, hearing: Hearing) -> None:
        super().__init__(case.text)
        self.case, self.hearing = case, hearing


def assert_all_agree(panel: Panel, case: Case | Literal) -> None:
    """Every adapter on the same problem: all are judged, then one failure names all that disagree."""
    hearing = panel.hear(case.problem())
    if not hearing.is_green:
        raise DisagreementError(case, hearing)


@contextmanager
def explained(panel: Panel) -> Iterator[None]:
    """Turn the disagreement that is left at the end, the smallest, into the message that says why.

    Where an adapter answers differently the next time, Hypothesis wraps the disagreement into a group.
    """
    found: DisagreementError | None = None
    try:
        yield
    except DisagreementError as error:
        found = error
    except BaseExceptionGroup as group:
        found = next(_disagreements(group), None)
        if found is None:
            raise
    if found is not None:
        text = failure(found.case.text, found.hearing.judge, found.hearing.outcomes, panel.adapters)
        raise pytest.fail.Exception(text, pytrace=False) from None


def _disagreements(group: BaseExceptionGroup) -> Iterator[DisagreementError]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _disagreements(error)
        elif isinstance(error, DisagreementError):
            yield error


def assert_keeps_the_contract(panel: Panel, name: str, case: Case) -> None:
    """One adapter beyond its values: the sentences that say how it breaks the contract, and a replay line."""
    if name not in panel.adapters:
        pytest.skip(f"not run, it died earlier: {panel.crashed[name]}")
    try:
        found = contract_violations(panel.adapters[name], case.problem())
    except AdapterCrashed as crash:
        panel.retire(name, crash)
        return
    if found:
        pytest.fail("\n".join([*found, f"  replay  {replay(case.text, name)}"]), pytrace=False)
