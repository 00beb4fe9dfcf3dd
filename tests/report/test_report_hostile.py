"""The report of a ledger that attacks its reader: all is shown as text, and nothing of it is ever code."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
from hostile_ledgers import CASES, SAYINGS, SCRIPT_LINK, ledger_of
from ledgers import ENVIRONMENT, cell, header, known, small, summary
from malicious_files import Workplace, bounded, data_of, peak_of, put_file
from msgspec.structs import replace
from report_pages import Page

from crosscheck.report.page import is_safe_link, page
from crosscheck.results.changes import ChangeKind, gate
from crosscheck.results.ledger import Ledger
from crosscheck.results.lines import Fault
from crosscheck.results.summary import Number, Worst


@pytest.fixture
def place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Workplace]:
    """A folder with a good ledger, in which the commands run with bounds."""
    with bounded(Workplace(tmp_path, capsys)) as found:
        yield found


def page_of(place: Workplace, *texts: str) -> Page:
    """The page of a ledger that says these, compared with a harmless one."""
    put_file(place.folder / "new.jsonl", data_of(ledger_of(*texts)))
    there = place.files().keys()
    code, _, complaint = place.run("report", "new.jsonl", "good.jsonl", "--output", "page.html")
    assert (code, complaint) == (0, "")
    assert place.files().keys() - there <= {place.folder / "page.html"}
    return Page((place.folder / "page.html").read_text("utf-8"))


def words(count: int) -> list[str]:
    """That many harmless words."""
    return [f"word {number}" for number in range(count)]


def assert_as_harmless(texts: list[str], place: Workplace) -> None:
    """Check that the page of a ledger that says these is built as that of one which says as many words."""
    want, got = page_of(place, *words(len(texts))), page_of(place, *texts)
    assert (got.kinds, got.code) == (want.kinds, want.code)
    assert len(got.code) == 2


def test_a_page_has_the_same_elements_and_the_same_code_whatever_a_ledger_says(place: Workplace) -> None:
    assert_as_harmless([*SAYINGS.values()], place)


@pytest.mark.long
@pytest.mark.parametrize("name", SAYINGS)
def test_a_page_is_harmless_where_a_ledger_says_the_same_everywhere(name: str, place: Workplace) -> None:
    assert_as_harmless([SAYINGS[name]], place)


@pytest.mark.parametrize("baseline", [(), (small(),)], ids=["alone", "not-compared"])
def test_nothing_of_a_hostile_ledger_that_is_not_compared_is_an_element_or_a_link(
    baseline: tuple[Ledger, ...],
) -> None:
    def shown(*texts: str) -> Page:
        ledger = ledger_of(*texts)
        header = replace(ledger.header, profile=texts[0])
        return Page(page(dataclasses.replace(ledger, header=header), *baseline))

    got, want = shown(*SAYINGS.values()), shown(*words(len(SAYINGS)))
    assert (got.kinds, got.code) == (want.kinds, want.code)
    assert not [given for tag, given in got.elements if tag == "a" or "href" in given]


def older(new: Ledger) -> Ledger:
    """A baseline of the same adapter, from which everything that a gate compares has changed."""
    ((place, found),) = new.cells.items()
    return dataclasses.replace(
        new,
        header=replace(new.header, environment=ENVIRONMENT, adapters=()),
        cells={place: replace(found, wrong_elements=1)},
        behaviours=tuple(replace(each, value="kept") for each in new.behaviours),
        known=(),
        faults=(*new.faults, Fault(who="again", what="again")),
    )


def test_what_a_hostile_ledger_says_is_still_read_in_full() -> None:
    new = ledger_of(SCRIPT_LINK)
    shown = Page(page(new, older(new)))
    assert SCRIPT_LINK in shown.words
    kinds = {change.kind for change in gate(older(new), new)}
    assert kinds == set(ChangeKind)  # so that every table of changes is attacked
    (entry,) = shown.data["cells"]
    assert (entry["of"][0], entry["said"][0]) == (SCRIPT_LINK, SCRIPT_LINK)


@pytest.mark.parametrize(
    ("link", "is_safe"),
    [
        ("https://example.org/1", True),
        ("http://example.org/1", False),
        (SCRIPT_LINK, False),
        ("data:text/html,x", False),
        (" https://example.org", False),
        ("//example.org", False),
        ("https:///x", False),
        ("https://[", False),
    ],
    ids=["https", "http", "javascript", "data", "blank", "no-scheme", "no-host", "unreadable"],
)
def test_a_link_is_one_only_if_it_is_https(link: str, is_safe: bool) -> None:
    assert is_safe_link(link) == is_safe
    shown = Page(page(Ledger(header("torch"), known=(replace(known(), upstream=link),))))
    assert [a["href"] for tag, a in shown.elements if tag == "a"] == [link] * is_safe


@pytest.mark.parametrize(
    "text",
    [*CASES.values(), SAYINGS["page"], "ordinary:0:1x1x3x1", "float32:X=[[[[", ""],
    ids=[*CASES, "attack", "parts", "literal", "empty"],
)
def test_what_is_no_case_has_no_replay_line_and_takes_no_memory(text: str) -> None:
    def entries() -> None:
        worst = Worst(Number(3.0), text, (0, 0, 0), "ordinary")
        (entry,) = Page(page(Ledger(header("torch"), {cell(): summary(error=worst)}))).data["cells"]
        assert entry["error"][2] == ""

    assert peak_of(entries) <= 50_000_000
