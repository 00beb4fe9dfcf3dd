"""The report: what stands on the page is what stands in the ledger, and nothing of a ledger is ever code."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
import pytest
from ledger_pairs import CANNOT, PAIRS
from ledgers import CASE, cell, header, known, small, summary
from report_ledgers import ATTACK, SCRIPT_LINK, hostile, hostile_pair, planted

from crosscheck import commands
from crosscheck.message import replay
from crosscheck.report.cells import cells_of
from crosscheck.report.detail import exact_text
from crosscheck.report.matrix import mark_of
from crosscheck.report.page import digest, is_safe_link, page
from crosscheck.results.changes import ChangeKind, gate
from crosscheck.results.ledger import Ledger, begin, write
from crosscheck.results.summary import Number, Worst
from crosscheck.terminal.gate import verdict


class Page(HTMLParser):
    """The elements of a page, the texts of those that hold text alone, and the rows of its tables."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.inline: list[tuple[str, dict[str, str | None], str]] = []
        self.words: list[str] = []
        self.rows: list[list[str]] = []
        self._is_in_cell = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep it."""
        self.elements.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        if tag in ("th", "td"):
            self._is_in_cell = True
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        """A cell of a table ends."""
        self._is_in_cell &= tag not in ("th", "td")

    def handle_data(self, data: str) -> None:
        """Keep it with the element that it begins in."""
        tag, attributes = self.elements[-1] if self.elements else ("", {})
        if self.cdata_elem is not None:
            self.inline.append((tag, attributes, data))
        else:
            self.words.append(data)
            if self._is_in_cell:
                self.rows[-1][-1] += data

    @property
    def data(self) -> dict[str, Any]:
        """The page's data."""
        (text,) = (text for _, attributes, text in self.inline if attributes.get("id") == "data")
        read: dict[str, Any] = json.loads(text)
        return read

    @property
    def policy(self) -> str:
        """The page's policy."""
        (found,) = (a for tag, a in self.elements if tag == "meta" and "http-equiv" in a)
        return str(found["content"])


@pytest.fixture(scope="module")
def planted_page() -> tuple[Ledger, Page]:
    ledger = planted()
    return ledger, Page(page(ledger))


@pytest.mark.long
def test_each_cell_of_the_ledger_has_one_button_with_its_verdict(planted_page: tuple[Ledger, Page]) -> None:
    ledger, shown = planted_page
    entries = shown.data["cells"]
    buttons = [a for tag, a in shown.elements if tag == "button" and "data-n" in a]
    assert sorted(int(str(a["data-n"])) for a in buttons) == list(range(len(entries)))
    want = {tuple(key): row.verdict for key, row in cells_of(ledger.cells).items()}
    assert {tuple(entry["of"]): entry["verdict"] for entry in entries} == want
    for attributes in buttons:
        verdict = entries[int(str(attributes["data-n"]))]["verdict"]
        assert str(attributes["class"]).startswith(verdict.replace(" ", "-"))


@pytest.mark.long
def test_all_verdicts_of_wrong_adapters_are_there(planted_page: tuple[Ledger, Page]) -> None:
    found = {entry["verdict"] for entry in planted_page[1].data["cells"]}
    assert found >= {"within bounds", "outside", "known", "failed", "unsupported", "not run"}


def test_the_worst_error_is_reported_with_its_case_its_exact_value_and_its_replay_line(
    planted_page: tuple[Ledger, Page],
) -> None:
    ledger, shown = planted_page
    cells, data = cells_of(ledger.cells), shown.data
    (entry,) = (e for e in data["cells"] if e["of"] == ["planted-sign", "float32", "grad", "zeros"])
    worst = cells[next(key for key in cells if list(key) == entry["of"])].summary.error
    assert worst is not None
    own, number, line = entry["error"]
    case, true, _ = data["places"][number]
    said = dict(zip([data["labels"][at] for at in (own + true)[::2]], (own + true)[1::2], strict=True))
    assert (case, line) == (worst.case, replay(worst.case, "tests.faulty_adapters.wrong:planted-sign"))
    assert said["error"] == f"{float(worst.value)!r} ulp"
    assert float.fromhex(said["hexadecimal"]) == worst.value
    assert {"got", "exact", "admissible", "z", "element"} <= set(said)


@pytest.mark.long
def test_one_ledger_gives_the_same_bytes_each_time() -> None:
    ledger = planted()
    assert page(ledger, small()) == page(ledger, small())


@pytest.mark.parametrize(
    "ledgers",
    [(hostile(),), (hostile(), small()), hostile_pair()],
    ids=["alone", "not-compared", "compared"],
)
@pytest.mark.long
def test_nothing_of_a_hostile_ledger_becomes_an_element_or_an_attribute(ledgers: tuple[Ledger, ...]) -> None:
    harmless = Page(page(planted(), planted()))
    shown = Page(page(*ledgers))
    assert {tag for tag, _ in shown.elements} <= {tag for tag, _ in harmless.elements} | {"p", "a"}
    assert sum(tag == "script" for tag, _ in shown.elements) == 2
    attributes = {name for _, given in shown.elements for name in given}
    assert not {name for name in attributes if name.startswith("on") or name in ("style", "src")}
    assert not [a for tag, a in shown.elements if tag == "a" or "href" in a]


def test_what_a_hostile_ledger_says_is_still_read_in_full() -> None:
    shown = Page(page(hostile()))
    assert SCRIPT_LINK in shown.words
    kinds = {change.kind for change in gate(*reversed(hostile_pair())) if ATTACK in "".join(change)}
    assert kinds == set(ChangeKind)  # so that the pair attacks every table of changes
    assert [entry["of"][0] for entry in shown.data["cells"]] == [ATTACK] * 4
    assert {entry["said"][0] for entry in shown.data["cells"]} == {ATTACK}


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
    shown = Page(page(Ledger(header("torch"), known=(msgspec.structs.replace(known(), upstream=link),))))
    assert [a["href"] for tag, a in shown.elements if tag == "a"] == [link] * is_safe


def test_the_policy_allows_the_inline_blocks_by_their_hashes_and_nothing_else(
    planted_page: tuple[Ledger, Page],
) -> None:
    shown = planted_page[1]
    blocks = {
        tag: text for tag, attributes, text in shown.inline if "type" not in attributes and tag != "title"
    }
    assert set(blocks) == {"script", "style"}
    assert shown.policy == (
        f"default-src 'none'; script-src '{digest(blocks['script'])}'; "
        f"style-src '{digest(blocks['style'])}'; base-uri 'none'; form-action 'none'"
    )


def test_the_page_asks_for_nothing(planted_page: tuple[Ledger, Page]) -> None:
    asking = {"link", "img", "iframe", "object", "embed", "form", "base", "video", "audio", "use", "image"}
    assert not asking & {tag for tag, _ in planted_page[1].elements}
    style = next(text for tag, _, text in planted_page[1].inline if tag == "style")
    assert not re.search(r"url\(|@import", style)


def shown_changes(shown: Page) -> list[list[str]]:
    """The rows of the tables of changes, which stand before the matrix, without their headings."""
    matrix = next(place for place, row in enumerate(shown.rows) if row[:1] == ["dtype"])
    return [row for row in shown.rows[:matrix] if row[-1] != "now"]


GATED = [name for name in PAIRS if name != "not judged"]  # which judges nothing


@pytest.mark.parametrize("name", GATED)
def test_the_page_tells_the_very_changes_that_the_gate_tells(name: str) -> None:
    old, new, _ = PAIRS[name]
    found = gate(old, new)
    shown = Page(page(new, old))
    want = []
    for change in found:
        again = f" replay{replay(change.case, change.selector)}" if change.case else ""
        where = [f"{change.where}{again}"] if change.where else []
        want.append([*where, change.what, change.old, change.new])
    assert shown_changes(shown) == want
    assert verdict(found) in shown.words
    kinds = {"Regressions", "Improvements", "Other changes", "Changes of the environment"}
    assert len(kinds & set(shown.words)) == len({change.kind for change in found})


@pytest.mark.parametrize("name", CANNOT)
def test_what_the_gate_cannot_compare_is_reported_on_the_page_in_a_sentence(name: str) -> None:
    old, new, why = CANNOT[name]
    shown = Page(page(new, old))
    (said,) = (words for words in shown.words if words.startswith("Nothing was compared: "))
    assert re.search(why, said)
    assert len(shown.data["cells"]) == len(new.cells)  # the rest is there


@pytest.mark.parametrize(
    ("hi", "lo", "dtype", "text"),
    [
        (1 / 3, 0.0, "bfloat16", "0.33333; the nearest bfloat16 is 0x1.56p-2"),
        (1 / 3, 0.0, "float32", "0.3333333333; the nearest float32 is 0x1.555556p-2"),
        (1.0, 2.0**-60, "float64", "1.000000000000000001; the nearest float64 is 0x1p+0"),
        (0.0, 0.0, "float16", "0; the nearest float16 is 0x0p+0"),
    ],
)
def test_an_exact_value_is_written_with_the_digits_that_are_certain(
    hi: float, lo: float, dtype: str, text: str
) -> None:
    assert exact_text(hi, lo, dtype) == text


@pytest.mark.parametrize("text", [ATTACK, "ordinary:0:1x1x3x1", "float32:X=[[[[", ""])
def test_what_is_no_case_has_no_replay_line(text: str) -> None:
    worst = Worst(Number(3.0), text, (0, 0, 0), "ordinary")
    (entry,) = Page(page(Ledger(header("torch"), {cell(): summary(error=worst)}))).data["cells"]
    assert entry["error"][2] == ""


@pytest.mark.parametrize(
    ("value", "mark"),
    [
        (0.0, "0"),
        (0.5, ".5"),
        (1.0, "1.0"),
        (9.94, "9.9"),
        (9.96, "10"),
        (999.4, "999"),
        (999.9, "e2"),
        (7e44, "e44"),
    ],
)
def test_the_mark_of_an_error_has_at_most_four_characters(value: float, mark: str) -> None:
    assert mark_of(Worst(Number(value), CASE, (0,), "ordinary")) == mark


def test_the_command_writes_beside_the_ledger_or_where_it_is_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "run.ledger", small())
    assert commands.run(["report", str(tmp_path / "run.ledger")]) == 0
    other = tmp_path / "new" / "other.html"
    both = ["report", str(tmp_path / "run.ledger"), str(tmp_path / "run.ledger"), "--output", str(other)]
    assert commands.run(both) == 0
    assert sorted(path.name for path in tmp_path.rglob("*.*")) == ["other.html", "run.html", "run.ledger"]
    assert (tmp_path / "run.html").read_text("utf-8").startswith("<!doctype html>")
    assert "Report: " in capsys.readouterr().out


@pytest.mark.parametrize("wrong", ["missing", "begun", "older", "output", "unwritable"])
def test_what_cannot_be_used_is_one_line_and_leaves_everything_as_it_was(
    wrong: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, begun = tmp_path / "good.ledger", tmp_path / "begun.ledger"
    write(good, small())
    begin(begun, header("torch"))
    before = {path: path.read_bytes() for path in (good, begun)}
    choices: dict[str, list[str | Path]] = {
        "missing": [tmp_path / "none.ledger"],
        "begun": [begun],
        "older": [good, begun],
        "output": [begun.with_name("good.ledger"), "--output", good],
        "unwritable": [good, "--output", good / "page.html"],
    }
    assert commands.run(["report", *map(str, choices[wrong])]) == 2
    said = capsys.readouterr().err
    assert said.startswith("crosscheck: error: ")
    assert said.count("\n") == 1
    assert "internal" not in said
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
