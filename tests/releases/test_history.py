"""Since when something is wrong, and since when it is right again."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ledgers import CASE, cell, header, summary

from crosscheck.releases.history import faults, sentences, since, traces, verdicts
from crosscheck.results.ledger import Ledger
from crosscheck.results.lines import Fault

RELEASES = ["1.0", "1.1", "2.0", "2.1"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (["1.1"], "first wrong in 1.1, right in 2.0"),
        (["1.1", "2.0"], "first wrong in 1.1, right in 2.1"),
        (["2.1"], "first wrong in 2.1, and still in 2.1"),
        (["1.0"], "wrong since 1.0 or before, right in 1.1"),
        (["1.0", "2.0", "2.1"], "wrong since 1.0 or before, right in 1.1, wrong again in 2.0, 2.1"),
        (RELEASES, "wrong in all of 1.0 to 2.1"),
    ],
)
def test_the_first_wrong_and_the_first_right_release_are_named(wrong: list[str], said: str) -> None:
    assert since(wrong, RELEASES) == said


def ledger(**wrong: int) -> Ledger:
    """A ledger in which so many elements of each adapter are wrong; those of `known` are known."""
    return Ledger(
        header(*wrong),
        {
            cell(name): summary(
                wrong_elements=count,
                known_elements=count * (name == "known"),
                known={"entry:ordinary": count} if name == "known" and count else {},
            )
            for name, count in wrong.items()
        },
    )


HISTORY = {
    "1.0": ledger(torch=0, other=0, known=0),
    "1.1": ledger(torch=3, other=0, known=2),
    "2.0": ledger(torch=0, other=0, known=2),
}


def test_what_is_wrong_somewhere_has_its_verdict_in_every_release() -> None:
    found = traces(HISTORY)
    assert [(t.adapter, t.dtype, t.output, list(t.verdicts.values())) for t in found] == [
        ("torch", "float32", "grad", ["within bounds", "outside", "within bounds"]),
        ("known", "float32", "grad", ["within bounds", "known", "known"]),
    ]
    assert [t.worst.case for t in found if t.worst] == [CASE, CASE]
    assert list(sentences(found, list(HISTORY))) == [
        "torch float32 grad: first wrong in 1.1, right in 2.0",
        "known float32 grad: first wrong in 1.1, and still in 2.0 (known difference entry)",
    ]


def with_fault(who: str, what: str, **wrong: int) -> Ledger:
    return replace(ledger(**wrong), faults=(Fault(who=who, what=what),))


def test_a_fault_beside_values_is_no_agreement() -> None:
    history = {
        "1.0": with_fault("torch", "misbehaved: changed its input", torch=0),
        "1.1": with_fault("other", "exited with status 7", torch=0),
        "2.0": with_fault("torch", "no verdict: gave no answer within 60 s", torch=0),
    }
    assert verdicts(history) == {
        "torch": {"1.0": "failed", "1.1": "within bounds", "2.0": "no verdict"},
        "other": {"1.1": "failed"},
    }
    assert traces(history) == []
    assert list(faults(history)) == [
        "torch in 1.0: misbehaved: changed its input",
        "other in 1.1: exited with status 7",
        "torch in 2.0: no verdict: gave no answer within 60 s",
    ]


def test_an_adapter_has_its_gravest_verdict() -> None:
    assert verdicts(HISTORY)["other"] == dict.fromkeys(HISTORY, "within bounds")
    assert list(verdicts(HISTORY)["torch"].values()) == ["within bounds", "outside", "within bounds"]
