"""The report in a browser: it shows what the ledger says, by mouse and by keys, and asks for nothing."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from ledgers import small
from report_ledgers import hostile_pair, planted

from crosscheck.report.cells import Key, cells_of
from crosscheck.report.page import page
from crosscheck.results.ledger import Ledger
from crosscheck.results.rows import Row

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the PATH: apt-get install chromium"),
    pytest.mark.xdist_group("chromium"),
    pytest.mark.long,
]
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

NARROW, WIDE = {"width": 390, "height": 844}, {"width": 1440, "height": 900}


@dataclass
class Window:
    """A page in the browser.

    Attributes:
        page: Playwright's.
        address: of the file.
        said: what the console got, errors and all.
        asked: the addresses of all requests.
    """

    page: Any
    address: str
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def button(self, key: Key) -> Any:
        """The button of a cell, found by what it is called."""
        return self.page.get_by_role("button", name=f"{key}: ")

    @property
    def focused(self) -> str:
        """What the element in focus is called."""
        return str(self.page.evaluate("document.activeElement.getAttribute('aria-label') || ''"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        # Without its sandbox, which containers do not allow, it opens nothing but files of these tests.
        opened = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    return planted()


@pytest.fixture(params=[NARROW, WIDE], ids=["narrow", "wide"])
def window(request: pytest.FixtureRequest, browser: Any, ledger: Ledger, tmp_path: Path) -> Iterator[Window]:
    yield from opened(browser, page(ledger, small()), tmp_path, viewport=request.param)


def opened(browser: Any, text: str, folder: Path, **options: Any) -> Iterator[Window]:
    file = folder / "report.html"
    file.write_text(text, "utf-8")
    tab = browser.new_page(**options)
    found = Window(tab, file.as_uri())
    tab.on("console", lambda message: found.said.append(message.text))
    tab.on("pageerror", lambda error: found.said.append(str(error)))
    tab.on("request", lambda request: found.asked.append(request.url))
    tab.goto(found.address)
    yield found
    tab.close()


def of_interest(ledger: Ledger) -> dict[Key, Row]:
    """The first cell of each verdict."""
    found: dict[str, Key] = {}
    cells = cells_of(ledger.cells)
    for key, row in cells.items():
        found.setdefault(row.verdict, key)
    return {key: cells[key] for key in found.values()}


def test_the_page_is_quiet_and_asks_for_nothing_but_itself(window: Window, ledger: Ledger) -> None:
    for key in of_interest(ledger):
        window.button(key).click()
        window.page.keyboard.press("Escape")
    assert (window.said, window.asked) == ([], [window.address])


def test_the_policy_is_in_force(window: Window) -> None:
    ran = window.page.evaluate(
        """() => {
            const script = document.createElement("script");
            script.textContent = "window.hit = 1";
            document.body.append(script);
            return window.hit === undefined;
        }"""
    )
    assert ran
    assert any("Content Security Policy" in line for line in window.said)


def test_a_cell_shows_the_numbers_of_the_ledger(window: Window, ledger: Ledger) -> None:
    for key, row in of_interest(ledger).items():
        window.button(key).click()
        told = window.page.locator("dialog").inner_text()
        summary = row.summary
        assert told.startswith(f"{key}: {row.verdict}")
        assert f"problems\n{summary.problems:,}" in told
        assert f"judged\n{row.judged:,}" in told
        for worst in filter(None, (summary.error, summary.share)):
            assert worst.value.hex().rstrip("0")[:8] in told
            assert worst.case in told
            assert f"check {worst.case}" in told
        for text in (*summary.failures, *summary.unsupported):
            assert " ".join(text.split()) in " ".join(told.split())
        window.page.keyboard.press("Escape")


def test_a_histogram_has_a_bar_for_each_bin(window: Window, ledger: Ledger) -> None:
    key, row = next((k, r) for k, r in of_interest(ledger).items() if r.verdict == "within bounds")
    window.button(key).click()
    bars = window.page.locator("dialog .bars rect").count()
    assert bars == len(row.summary.errors) + len(row.summary.shares)


def test_keys_move_between_cells_open_one_and_come_back(window: Window) -> None:
    keys = window.page.keyboard
    first = window.page.locator("#matrix button").first
    first.focus()
    start = window.focused
    keys.press("ArrowRight")
    beside = window.focused
    keys.press("ArrowDown")
    below = window.focused
    assert len({start, beside, below}) == 3
    keys.press("Enter")
    assert window.page.locator("dialog").is_visible()
    assert window.page.locator("#cell-title").inner_text() == below.split(", worst")[0]
    keys.press("Escape")
    assert not window.page.locator("dialog").is_visible()
    assert window.focused == below
    keys.press("ArrowUp")
    keys.press("ArrowLeft")
    assert window.focused == start
    keys.press("ArrowLeft")  # there is nothing: focus stays
    assert window.focused == start
    keys.press("End")
    keys.press("Home")
    assert window.focused == start


def test_the_matrix_is_one_stop_for_tab_and_its_focus_is_seen(window: Window) -> None:
    assert window.page.locator("#matrix button[tabindex='0']").count() == 1
    window.page.locator("#matrix button").first.focus()
    window.page.keyboard.press("ArrowRight")
    assert window.page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    window.page.keyboard.press("Tab")
    assert window.page.evaluate("!document.activeElement.closest('#matrix')")


def test_changes_are_opened_and_replayed_by_keys(window: Window) -> None:
    part = window.page.locator("section[aria-labelledby=changed]")
    regressions = part.locator("details", has_text="Regressions").first
    line = regressions.get_by_text("check ")
    regressions.locator("summary").first.focus()
    assert regressions.locator("table").is_visible()
    assert not line.first.is_visible()
    window.page.keyboard.press("Tab")
    window.page.keyboard.press("Enter")
    assert line.first.is_visible()
    window.page.keyboard.press("Shift+Tab")
    window.page.keyboard.press("Enter")
    assert not regressions.locator("table").is_visible()


def test_only_the_matrix_scrolls_sideways(window: Window, ledger: Ledger) -> None:
    overflow = """() => [...document.querySelectorAll("html, body, main *, dialog, dialog *")]
        .filter((node) => node.scrollWidth > node.clientWidth && node.clientWidth > 0
            && ["auto", "scroll"].includes(getComputedStyle(node).overflowX) && !node.closest(".scroller"))
        .map((node) => node.tagName)"""
    window.page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true })")
    assert window.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for key in of_interest(ledger):
        window.button(key).click()
        assert window.page.evaluate(overflow) == []
        window.page.keyboard.press("Escape")


def test_the_first_column_stays_when_the_matrix_scrolls(browser: Any, tmp_path: Path) -> None:
    for window in opened(browser, page(planted()), tmp_path, viewport={"width": 300, "height": 600}):
        window.page.evaluate("document.querySelector('.scroller').scrollLeft = 150")
        assert window.page.evaluate("document.querySelector('.scroller').scrollLeft") > 0
        lefts = "(name) => document.querySelector(name).getBoundingClientRect().left"
        scroller, column = (
            window.page.evaluate(lefts, name) for name in (".scroller", "tbody th[scope=row]")
        )
        assert scroller <= column < scroller + 8


@pytest.mark.parametrize("viewport", [NARROW, WIDE], ids=["narrow", "wide"])
def test_a_hostile_ledger_runs_nothing_and_breaks_nothing(
    viewport: dict[str, int], browser: Any, tmp_path: Path
) -> None:
    for window in opened(browser, page(*hostile_pair()), tmp_path, viewport=viewport):
        for button in window.page.locator("#matrix button").all():
            button.click()
            assert window.page.locator("dialog img, dialog script, dialog a").count() == 0
            window.page.keyboard.press("Escape")
        assert window.page.evaluate("window.hit === undefined")
        assert (window.said, window.asked) == ([], [window.address])
        assert window.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_colours_follow_the_reader(browser: Any, tmp_path: Path) -> None:
    paper = "getComputedStyle(document.body).backgroundColor"
    papers = {
        window.page.evaluate(paper)
        for scheme in ("light", "dark")
        for window in opened(browser, page(small()), tmp_path, color_scheme=scheme)
    }
    assert len(papers) == 2


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_marks_stand_out_from_their_colours(
    scheme: str, browser: Any, ledger: Ledger, tmp_path: Path
) -> None:
    for window in opened(browser, page(ledger, small()), tmp_path, color_scheme=scheme):
        pairs = window.page.evaluate(
            """() => [...document.querySelectorAll("#matrix button, .verdict, .changes *")].map((node) => {
                const style = getComputedStyle(node);
                return [style.color, style.backgroundColor];
            })"""
        )
        paper = window.page.evaluate("getComputedStyle(document.body).backgroundColor")
        for ink, ground in {tuple(pair) for pair in pairs}:
            behind = paper if ground == "rgba(0, 0, 0, 0)" else ground
            assert contrast(ink, behind) >= 4.5, (ink, behind)  # WCAG 2.2, 1.4.3


def contrast(one: str, other: str) -> float:
    """The ratio of two colours as WCAG 2.2 defines it."""
    dark, light = sorted(map(luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    """Relative luminance, as there."""
    parts = json.loads(f"[{colour[colour.index('(') + 1 : -1]}]")[:3]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (p / 255 for p in parts)]
    return float(0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2])
