"""The account of a run adds up over processes, and says when a run is not green."""

from __future__ import annotations

import pytest

from crosscheck.account import Account
from crosscheck.regimes import REGIMES


def account_of(**counts: dict[str, int]) -> Account:
    account = Account()
    account.add(counts)
    return account


def test_accounts_of_several_processes_add_up() -> None:
    one = account_of(problems={"numpy": 2}, not_judged={"numpy bfloat16 loss": 1})
    one.add(account_of(problems={"numpy": 3, "torch": 0}, deaths={"torch: killed": 1}).plain())
    assert list(one.lines()) == [
        "problems: numpy 5, torch 0",
        "not judged: numpy bfloat16 loss, 1 numbers: their sets hold all that they can be",
        "died: torch: killed",
    ]


def test_a_regime_that_nothing_fell_into_is_told_beside_the_others() -> None:
    first = account_of(regimes={"ordinary": 1200, "zeros": 7})
    first.add(account_of(regimes={"ordinary": 34}).plain())
    counts = {**dict.fromkeys(REGIMES, "0"), "ordinary": "1,234", "zeros": "7"}
    told = ", ".join(f"{name} {count}" for name, count in counts.items())
    assert list(first.lines())[-1] == f"judged elements of ŷ by regime: {told}"


@pytest.mark.parametrize(
    ("account", "is_green"),
    [
        (account_of(), True),
        (account_of(asked={"numpy": 1}, judged={"numpy": 1}), True),
        (account_of(asked={"numpy": 1}), False),
        (account_of(asked={"numpy": 1}, judged={"torch": 1}), False),
        (account_of(deaths={"numpy: killed": 1}), False),
        (account_of(no_verdict={"numpy: gave no answer": 1}), False),
        (account_of(asked={"numpy": 1}, judged={"numpy": 1}, tried_again={"numpy: slow": 1}), True),
    ],
    ids=["nothing asked", "judged", "without a verdict", "another judged", "dead", "late", "late once"],
)
def test_a_run_with_a_death_or_without_a_verdict_is_not_green(account: Account, is_green: bool) -> None:
    assert account.is_green is is_green
