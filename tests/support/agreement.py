"""The assertions on the adapters of a run, and the messages of their failures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from adapters.errors import AdapterCrashed
from crosscheck.explain.message import failure, replay
from crosscheck.inputs import Case, Literal
from crosscheck.judging.contract import contract_violations
from crosscheck.pool import AdapterPool, CaseResult


class DisagreementError(AssertionError):
    """A disagreement without an explanation yet, since the explanation costs more time than the verdict."""

    def __init__(self, case: Case | Literal, result: CaseResult) -> None:
        super().__init__(case.text)
        self.case, self.result = case, result


def assert_all_agree(pool: AdapterPool, case: Case | Literal) -> None:
    """Evaluate a problem with every adapter and judge all of them; one failure names all that disagree."""
    result = pool.results(case.problem())
    if not result.is_green:
        raise DisagreementError(case, result)


@contextmanager
def explained(pool: AdapterPool) -> Iterator[None]:
    """Turn the smallest disagreement, which Hypothesis raises at the end, into an explained failure.

    If an adapter answers differently the next time, Hypothesis wraps the disagreement in an ExceptionGroup.
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
        text = failure(found.case.text, found.result.judge, found.result.outcomes, pool.adapters)
        raise pytest.fail.Exception(text, pytrace=False) from None


def _disagreements(group: BaseExceptionGroup) -> Iterator[DisagreementError]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _disagreements(error)
        elif isinstance(error, DisagreementError):
            yield error


def assert_keeps_the_contract(pool: AdapterPool, name: str, case: Case) -> None:
    """Check that an adapter keeps the contract; the failure says how it breaks it, with a replay line."""
    if name not in pool.active:
        pytest.skip(f"not run, it crashed earlier: {pool.crashed[name]}")
    try:
        found = contract_violations(pool.adapters[name], case.problem())
    except AdapterCrashed as crash:
        pool.retire(name, crash)
        return
    if found:
        pytest.fail("\n".join([*found, f"  replay  {replay(case.text, name)}"]), pytrace=False)
