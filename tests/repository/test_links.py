"""Every link of the documentation to a file or a heading leads there, and every file that it names exists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from documented import FENCE, ROOT, SPAN, documents

LINK = re.compile(r"\]\(([^)\s]+)\)")
MOST_LINES = 200  # of the README
FILE = re.compile(
    r"`((?:adapters|baselines|benchmarks|crosscheck|docs|reference|tests|tools)/[\w./-]+\.\w+)`"
)
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def anchors(text: str) -> set[str]:
    """The anchors that GitHub gives to the headings of a page."""
    found = set()
    for heading in HEADING.findall(FENCE.sub("", text)):
        name = re.sub(r"[^\w\- ]", "", heading.lower().replace("`", ""))
        found.add(name.replace(" ", "-"))
    return found


def dead(page: Path, text: str) -> Iterator[str]:
    """The links of a page that lead nowhere; addresses of other sites are not looked at."""
    for target in LINK.findall(SPAN.sub("", FENCE.sub("", text))):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        file = page.parent / path if path else page
        if not file.exists() or (anchor and anchor not in anchors(file.read_text("utf-8"))):
            yield target


@pytest.mark.parametrize("page", documents(), ids=lambda page: page.name)
def test_every_link_to_a_file_or_a_heading_leads_there(page: Path) -> None:
    assert list(dead(page, page.read_text("utf-8"))) == []


def absent(text: str) -> list[str]:
    """The files of this repository that a page names and that are not there."""
    return [name for name in FILE.findall(FENCE.sub("", text)) if not (ROOT / name).exists()]


@pytest.mark.parametrize("page", documents(), ids=lambda page: page.name)
def test_every_file_that_a_page_names_exists(page: Path) -> None:
    assert absent(page.read_text("utf-8")) == []


def test_a_file_that_is_named_and_absent_is_found() -> None:
    assert absent("`docs/glossary.md`, `tests/test_nothing.py`") == ["tests/test_nothing.py"]


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= MOST_LINES


def test_the_readme_leads_to_the_equations_the_agreement_test_and_the_words() -> None:
    targets = LINK.findall(FENCE.sub("", (ROOT / "README.md").read_text("utf-8")))
    assert {"reference/network.py", "docs/equations.md", "docs/glossary.md"} <= set(targets)
    assert [target for target in targets if target.endswith("/test_agreement.py")]


def test_a_link_that_leads_nowhere_is_found() -> None:
    planted = "[a](docs/accuracy.md#sums) [b](docs/nothing.md) [c](docs/accuracy.md#no-such-heading)"
    assert list(dead(ROOT / "README.md", planted)) == ["docs/nothing.md", "docs/accuracy.md#no-such-heading"]
