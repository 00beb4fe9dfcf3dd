"""The account of a run adds up over processes, and says when a run is not green."""

from __future__ import annotations

import pytest

from crosscheck.account import Account


def account_of(**counts: dict[str, int]) -> Account:
    account = Account()
    account.add(counts)
    return account


def test_accounts_of_several_processes_add_up() -> None:
    one = account_of(problems={"numpy": 2}, not_judged={"numpy bfloat16 loss": 1})
    one.add(account_of(problems={"numpy": 3, "torch": 0}, deaths={"torch: killed": 1}).plain())
    assert list(one.lines()) == [
        "problems: numpy 5, torch 0",
        "not judged: numpy bfloat16 loss, 1 problems: the set is trivially wide",
        "died: torch: killed",
    ]


@pytest.mark.parametrize(
    ("account", "is_green"),
    [
        (account_of(), True),
        (account_of(asked={"numpy": 1}, judged={"numpy": 1}), True),
        (account_of(asked={"numpy": 1}), False),
        (account_of(asked={"numpy": 1}, judged={"torch": 1}), False),
        (account_of(deaths={"numpy: killed": 1}), False),
    ],
    ids=["nothing asked", "judged", "without a verdict", "another judged", "dead"],
)
def test_a_run_with_a_death_or_without_a_verdict_is_not_green(account: Account, is_green: bool) -> None:
    assert account.is_green is is_green
