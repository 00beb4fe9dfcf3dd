"""The pages of the documentation: links lead somewhere, files exist, and the glossary is short and true."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from documented import FENCE, ROOT, SPAN, documents

from crosscheck.inputs import SOURCES, parse
from crosscheck.inputs.regimes import REGIMES, classify
from crosscheck.inputs.structured import STRUCTURES
from reference.formats import FORMATS

LINK = re.compile(r"\]\(([^)\s]+)\)")
MOST_LINES = 200  # of the README
FILE = re.compile(
    r"`((?:adapters|baselines|benchmarks|crosscheck|docs|reference|tests|tools)/[\w./-]+\.\w+)`"
)
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
WORDS, EXAMPLES, OTHERS = re.split(r"\n## .*", (ROOT / "docs" / "glossary.md").read_text("utf-8"))
MOST_WORDS = 20
MOST_SENTENCES = 2


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


def rows(text: str) -> list[list[str]]:
    """The cells of the rows of a table, without its heading."""
    found = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in found[2:]]


MEANINGS = {row[0]: row[1] for row in rows(WORDS)}
EXAMPLE_OF = {regime: example.strip("`") for regime, _, example in rows(EXAMPLES)}


def regimes_of(example: str) -> set[str]:
    """The regimes of the elements of ŷ of an example."""
    places = classify(*parse(f"float32:{example}").problem(), FORMATS["float32"])
    return {list(REGIMES)[place] for place in places.ravel().tolist()}


def test_the_glossary_has_few_words_in_alphabetical_order() -> None:
    assert 0 < len(MEANINGS) <= MOST_WORDS
    assert list(MEANINGS) == sorted(MEANINGS)


@pytest.mark.parametrize("word", MEANINGS)
def test_a_word_is_defined_in_one_or_two_sentences(word: str) -> None:
    text = re.sub(r" \([^)]*\)+", "", MEANINGS[word])
    assert 1 <= len(re.findall(r"[.;](?= |$)", text)) <= MOST_SENTENCES


def test_every_regime_has_an_example_in_the_order_of_classify() -> None:
    ordinary, *others = REGIMES
    assert list(EXAMPLE_OF) == [*others, ordinary]


@pytest.mark.parametrize("regime", EXAMPLE_OF)
def test_the_example_of_a_regime_lies_in_it(regime: str) -> None:
    assert regimes_of(EXAMPLE_OF[regime]) == {regime}


def test_the_glossary_has_every_other_source_and_every_structure() -> None:
    _, sources, structures = OTHERS.split("|---|---|")
    names = [row.split("|")[1].strip() for row in sources.splitlines() if row.startswith("|")]
    assert names[:-1] == [name for name in SOURCES if name not in REGIMES]  # the last is a heading
    meanings = [row.strip("|").split("|") for row in structures.splitlines() if row.startswith("|")]
    assert [[cell.strip() for cell in row] for row in meanings] == [
        [name, structure.meaning] for name, structure in STRUCTURES.items()
    ]


def test_an_example_of_another_regime_would_be_noticed() -> None:
    assert regimes_of(EXAMPLE_OF["zeros"].replace("0,1", "2,1")) == {"ordinary"}
