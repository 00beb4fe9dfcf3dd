"""The record of known differences is read or refused in one line; no entry outlives its date or its use."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from known_entries import (
    ENTRY,
    HALF,
    LAST_DAY,
    LATER,
    TURNED,
    assert_refused,
    entry,
    file_of,
    heard,
    record,
    toml,
)

from crosscheck.evaluation import InProcessAdapter
from crosscheck.results.known import KnownDifferences, KnownError
from tests.faulty_adapters import wrong


def test_a_file_is_read_as_its_entries(tmp_path: Path) -> None:
    hazard = {**ENTRY, "name": "literal-form", "kind": "hazard", "expires": None, "regimes": ["zeros"]}
    path = file_of(tmp_path, toml({**ENTRY, "shape": {"m": ">=1"}}) + toml(hazard))
    want = (
        entry(shape={"m": ">=1"}),
        entry(name="literal-form", kind="hazard", expires=None, regimes=["zeros"]),
    )
    assert KnownDifferences.read(path).entries == want


def test_the_shipped_file_can_be_read() -> None:
    assert KnownDifferences.shipped().entries


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[difference", "is no TOML: "),
        ("a = " + "[" * 5000, "is no TOML: "),
        (f"a = {'1' * 5000}", "is no TOML: "),
        ("[[differences]]\n", "unknown key 'differences'; the file holds tables [[difference]] only"),
        ("[difference]\n", "difference is no list of tables; write [[difference]]"),
        ("difference = [1]\n", "difference is no list of tables"),
        (toml(ENTRY) * 2, "2 entries are called 'turned-sign'; give each a name of its own"),
        (toml(ENTRY) + toml({**ENTRY, "name": None}), "entry number 2: Object missing required field `name`"),
        (toml({**ENTRY, "name": 3}), "entry number 1: Expected `str`, got `int` - at `$.name`"),
    ],
    ids=[
        "cut",
        "deep",
        "endless",
        "other-key",
        "one-table",
        "numbers",
        "one-name",
        "no-name",
        "number-as-name",
    ],
)
def test_a_file_that_cannot_be_used_is_one_clear_line(text: str, words: str, tmp_path: Path) -> None:
    assert_refused(file_of(tmp_path, text), words)


def test_a_file_that_is_not_there_or_no_text_is_one_clear_line(tmp_path: Path) -> None:
    assert_refused(tmp_path / "none.toml", "cannot be read: No such file")
    assert_refused(tmp_path, "cannot be read: Is a directory")
    (tmp_path / "latin.toml").write_bytes(b"# \xff")
    assert_refused(tmp_path / "latin.toml", "is no TOML: 'utf-8' codec can't decode")


@given(data=st.data())
def test_whatever_characters_are_wrong_there_is_a_record_or_a_known_error(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    text = list(toml({**ENTRY, "shape": {"m": ">=1"}, "regimes": ["zeros"]}))
    for _ in range(data.draw(st.integers(1, 3))):
        text[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.characters(exclude_categories=["Cs"]))
    path = file_of(tmp_path_factory.mktemp("fuzz"), "".join(text))
    with suppress(KnownError):
        KnownDifferences.read(path).applicable([TURNED.description])


def test_the_entries_that_concern_nobody_present_are_not_applicable() -> None:
    jax = entry(name="of-jax", framework="jax")
    later = entry(name="of-later", **LATER)
    elsewhere = entry(name="of-elsewhere", platform=["pdp11"])
    known = record(jax, entry(), later, elsewhere)
    assert known.applicable([TURNED.description, InProcessAdapter(wrong.nan).description]) == (entry(),)
    assert known.applicable([InProcessAdapter(wrong.relative_error_float64).description]) == ()


@pytest.mark.parametrize(("days", "is_over"), [(-1, False), (0, False), (1, True)])
def test_an_entry_holds_until_the_end_of_its_last_day(days: int, is_over: bool, tmp_path: Path) -> None:
    today = LAST_DAY + timedelta(days)
    known = KnownDifferences.read(file_of(tmp_path, toml(ENTRY)), today)
    assert known.expired() == KnownDifferences(known.entries).expired(today) == known.entries * is_over
    assert heard(TURNED, HALF, known)[2].is_green is not is_over


def test_a_hazard_never_expires() -> None:
    hazard = entry(kind="hazard", regimes=["zeros"], expires=None)
    assert record(hazard, today=date.max).expired() == ()
    assert heard(TURNED, HALF, record(hazard, today=date.max))[2].is_green


def test_without_a_date_it_is_today(tmp_path: Path) -> None:
    past = file_of(tmp_path, toml({**ENTRY, "expires": date(2020, 2, 29)}))
    assert len(KnownDifferences.read(past).expired()) == 1


def test_an_entry_that_matches_nothing_is_reported() -> None:
    idle, busy = entry(name="idle", regimes=["zeros"]), entry()
    ordinary = "float32:X=[[0x1p+0]]:y=[[0x0p+0]]:W=[[0x1p+0]]"
    known = record(idle, busy, entry(name="of-jax", framework="jax"))
    found = [heard(TURNED, ordinary, known)[2]]
    assert known.unmatched(found, [TURNED.description]) == (idle,)
    assert known.unmatched([], [TURNED.description]) == (idle, busy)
    assert known.unmatched([], []) == ()
    assert replace(known, today=date.max).unmatched([], [TURNED.description]) == ()


def test_an_entry_is_missed_only_in_a_release_where_it_was_sighted() -> None:
    known = record(entry())
    for version, missed in {"1.0": 1, "1.0+cpu": 1, "1.0.7": 0, "2.0": 0}.items():
        said = replace(TURNED.description, version=version)
        assert len(known.unmatched([], [said])) == missed, version
