"""docs/glossary.md: few words, in order, and for each regime an example that lies in it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from crosscheck.inputs import parse
from crosscheck.inputs.regimes import REGIMES, classify
from reference.formats import FORMATS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "glossary.md").read_text("utf-8")
WORDS, EXAMPLES = PAGE.split("## The ten regimes")
MOST_WORDS = 20
MOST_SENTENCES = 2


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


def test_an_example_of_another_regime_would_be_noticed() -> None:
    assert regimes_of(EXAMPLE_OF["zeros"].replace("0,1", "2,1")) == {"ordinary"}
