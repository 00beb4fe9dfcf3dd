"""The assertions on the adapters of a run, and the pinned cases that are tried every time."""

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


# Facts about the pinned versions, one smallest case each: implementations differ here, and all are right.
PINNED = (
    "float32:X=[[[0x1p-127]]]:y=[[[0x0p+0]]]:W=[[[0x1p+127]]]",  # subnormal operands: JAX flushes them
    "float32:X=[[[0x1p+0]]]:y=[[[0x0p+0]]]:W=[[[-0x1.6p+6]]]",  # a subnormal ŷ
    "float32:X=[[[0x1p-149]]]:y=[[[0x0p+0]]]:W=[[[inf]]]",  # subnormal times infinity
    "float32:X=[[[0x1p+127,0x1p+127,-0x1p+127,-0x1p+127]]]:y=[[[0x0p+0]]]:W=[[[0x1p+0],[0x1p+0],[0x1p+0],[0x1p+0]]]",
    "float32:X=[[[0x1p+24,0x1p+0,0x1p+0,0x1p+0,-0x1p+24]]]:y=[[[0x0p+0]]]:W=[[[0x1p+0],[0x1p+0],[0x1p+0],[0x1p+0],[0x1p+0]]]",
    "float32:X=[[[0x1p+0]]]:y=[[[0x1.8p+127]]]:W=[[[0x0p+0]]]",  # 2r overflows
    "float32:X=[[[0x1p+0]]]:y=[[[0x1p-1]]]:W=[[[0x0p+0]]]",  # the sign of a zero gradient
    "float32:X=[[[0x1p+0]]]:y=[[[0x0p+0]]]:W=[[[0x1.1p+4]]]",  # z = 17: all return 0, and all are wrong
    "float64:X=[[[0x1p+0]]]:y=[[[0x0p+0]]]:W=[[[0x1.4p+5]]]",  # the same at z = 40
    "float32:X=[[[0x1p+0]]]:y=[[[0x0p+0]]]:W=[[[-0x1.64p+6]]]",  # z = -89, where the literal form gives NaN
    "float64:X=[[[0x1p+0]]]:y=[[[0x0p+0]]]:W=[[[-0x1.63p+9]]]",  # z = -710, the same
    "float32:X=[[[0x1p-125]]]:y=[[[0x1p+100]]]:W=[[[0x0p+0]]]",  # forward mode underflows before r
    "float16:X=[[[0x1p+0]]]:y=[[[0x1.ffcp+15]]]:W=[[[0x0p+0]]]",  # L overflows
    "bfloat16:X=[[[0x1p+0,0x1p+0,0x1p+0]]]:y=[[[nan]]]:W=[[[0x1p+0],[0x1p+0],[0x1p+0]]]",  # NaN propagates
)
