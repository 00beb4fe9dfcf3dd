"""The record of known differences: what is refused, what an entry covers, and until when it holds."""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

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
    setting,
    toml,
)

from crosscheck.judging.evaluation import InProcessAdapter
from crosscheck.results.known import KnownDifferences, KnownError
from crosscheck.results.known_entry import fits, is_among, released
from tests.faulty_adapters import wrong


def test_a_file_is_read_as_its_entries(tmp_path: Path) -> None:
    hazard = {**ENTRY, "name": "literal-form", "kind": "hazard", "expires": None, "regimes": ["zeros"]}
    path = file_of(tmp_path, toml({**ENTRY, "shape": {"m": ">=1"}}) + toml(hazard))
    assert KnownDifferences.read(path).entries == (entry(shape={"m": ">=1"}), entry(**hazard))
    assert KnownDifferences.shipped().entries


BAD_FILES: dict[str, tuple[str, str]] = {
    "cut": ("[[difference", "is no TOML: "),
    "deep": ("a = " + "[" * 5000, "is no TOML: "),
    "endless": (f"a = {'1' * 5000}", "is no TOML: "),
    "other-key": (
        "[[differences]]\n",
        "unknown key 'differences'; the file holds tables [[difference]] only",
    ),
    "one-table": ("[difference]\n", "difference is no list of tables; write [[difference]]"),
    "numbers": ("difference = [1]\n", "difference is no list of tables"),
    "one-name": (toml(ENTRY) * 2, "2 entries are called 'turned-sign'; give each a name of its own"),
    "no-name": (
        toml(ENTRY) + toml({**ENTRY, "name": None}),
        "entry number 2: Object missing required field `name`",
    ),
    "number-as-name": (
        toml({**ENTRY, "name": 3}),
        "entry number 1: Expected `str`, got `int` - at `$.name`",
    ),
}


@pytest.mark.parametrize(("text", "words"), BAD_FILES.values(), ids=BAD_FILES)
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


SEEN = ENTRY["sightings"][0]
BAD: dict[str, tuple[dict[str, Any], str]] = {
    "unknown-field": ({"framwork": "x"}, "unknown field 'framwork'; use one of name, kind, framework, "),
    "missing-field": ({"reason": None}, "Object missing required field `reason`"),
    "type": ({"framework": 1}, "Expected `str`, got `int` - at `$.framework`"),
    "type-in-a-list": ({"index": [0, "0"]}, "Expected `int`, got `str` - at `$.index[1]`"),
    "text-for-a-list": ({"modes": "planted-*"}, "Expected `array`, got `str` - at `$.modes`"),
    "empty-list": ({"modes": []}, "Expected `array` of length >= 1 - at `$.modes`"),
    "empty-text": ({"reason": " "}, r"matching regex '\\S' - at `$.reason`"),
    "name-of-two-words": ({"name": "turned sign"}, "Expected `str` matching regex"),
    "name-of-two-lines": ({"name": "turned\nsign"}, "entry 'turned\\nsign': Expected `str` matching"),
    "kind": ({"kind": "feature"}, "unknown kind 'feature'; use one of bug, hazard"),
    "bug-for-ever": ({"expires": None}, "a bug expires; write expires = 2030-12-31"),
    "hazard-anywhere": ({"kind": "hazard", "expires": None}, "a hazard lies in known regimes; name them"),
    "hazard-with-an-end": ({"kind": "hazard"}, "a hazard never expires; leave expires out"),
    "date-as-text": ({"expires": "2030-12-31"}, "Expected `date | null`, got `str` - at `$.expires`"),
    "link": ({"upstream": "http://x.org"}, "Expected `str` matching regex '^https://"),
    "versions": ({"versions": "since 1.0"}, "versions 'since 1.0' is no specifier as PEP 440 has them"),
    "no-versions": ({"versions": ""}, "versions '' is no specifier"),
    "endless-version": ({"versions": f">={'1' * 5000}"}, "is no specifier"),
    "dtype": ({"dtypes": ["float23"]}, "unknown dtype 'float23'; use one of float64, float32,"),
    "output": ({"outputs": ["gradient"]}, "unknown output 'gradient'; use one of y_hat, loss, grad,"),
    "pinned-output": ({"output": "gradient"}, "unknown output 'gradient'; use one of y_hat,"),
    "regime": ({"regimes": ["odd"]}, "unknown regime 'odd'; use one of ordinary, non_finite,"),
    "axis": ({"shape": {"k": ">1"}}, "unknown axis of shape 'k'; use one of stack, m, n, p"),
    "size": ({"shape": {"m": "~=1"}}, "shape: m '~=1' is no comparison; compare with whole numbers by <"),
    "no-size": ({"shape": {"m": ">=1,"}}, "shape: m '>=1,' is no comparison"),
    "array": ({"equal": ["Z"]}, "unknown array 'Z'; use one of X, y, W"),
    "case": ({"case": "odd:1:1x1x1:contiguous:float32"}, "unknown regime 'odd'; use one of ordinary,"),
    "code": ({"case": "float32:X=[[exit()]]:y=[[0]]:W=[[0]]"}, "X holds 'exit()', which is no number"),
    "another-dtype": ({"dtypes": ["float64"]}, "the case has dtype float32, which the entry does not"),
    "another-output": ({"output": "loss"}, "the case has output loss, which the entry does not cover"),
    "another-mode": ({"mode": "jax"}, "mode 'jax' matches none of the entry's modes: planted-*"),
    "another-shape": ({"shape": {"n": "==2"}}, "the case has shape 1x1x1; the entry covers n ==2"),
    "index-outside": ({"index": [0, 1]}, "index [0, 1] is no element of grad, whose shape is (1, 1)"),
    "index-from-the-end": ({"index": [0, -1]}, "index [0, -1] is no element of grad"),
    "index-of-a-row": ({"index": [0]}, "index [0] is no element of grad"),
    "decimal": ({"sightings": [{**SEEN, "got": "-0.125"}]}, "got '-0.125' is no number; write a hexadecimal"),
    "too-large": ({"exact": "0x1p+9999"}, "exact '0x1p+9999' is no number"),
    "another-format": (
        {"exact": "0x1.0000001p+0"},
        "exact 0x1.0000001p+0 is no float32; the nearest is 0x1p+0",
    ),
    "format-of-a-sighting": (
        {"sightings": [{**SEEN, "got": "0x1.0000001p+0"}]},
        "got 0x1.0000001p+0 is no float32",
    ),
    "never-sighted": ({"sightings": []}, "Expected `array` of length >= 1 - at `$.sightings`"),
    "sighting-elsewhere": ({"sightings": [{**SEEN, "version": "1.1"}]}, "version 1.1 is none of >=1.0,<1.1"),
    "sighting-without-cpu": (
        {"sightings": [{**SEEN, "cpu": ""}]},
        "matching regex '\\\\S' - at `$.sightings[0].cpu`",
    ),
    "inside-its-set": ({"at_least": 0.5}, "Expected `float` >= 1.0 - at `$.at_least`"),
    "no-distance": ({"at_least": None}, "Object missing required field `at_least`"),
    "distance-is-nan": ({"at_least": math.nan}, "Expected `float` >= 1.0 - at `$.at_least`"),
    "nature": ({"nature": "odd"}, "unknown nature 'odd'; use one of y_hat_of_another_row"),
    "nature-elsewhere": (
        {"nature": "y_hat_of_another_row"},
        "is one of row_loss; the entry's output is grad",
    ),
}


@pytest.mark.parametrize(("changes", "words"), BAD.values(), ids=BAD)
def test_an_unusable_entry_is_one_clear_line(changes: dict[str, Any], words: str, tmp_path: Path) -> None:
    assert_refused(file_of(tmp_path, toml({**ENTRY, **changes})), "known.toml: entry '", words)


@pytest.mark.parametrize(
    ("version", "want"),
    [
        ("2.13.0", "2.13.0"),
        ("2.13.0+cpu", "2.13.0+cpu"),
        ("2.13.0.post1", "2.13.0.post1"),
        ("2.13.0a0+git0123abc", "2.13.0"),
        ("0.11.0.dev20261101", "0.11.0"),
        ("1.0rc2", "1.0"),
    ],
)
def test_a_development_version_counts_as_the_release_that_it_leads_to(version: str, want: str) -> None:
    assert released(version) == want


@pytest.mark.parametrize(
    ("version", "versions", "is_in"),
    [
        ("2.13.0a0+git0123abc", ">=2.13", True),
        ("2.13.0a0+git0123abc", "<2.13", False),
        ("0.11.0.dev20261101", ">=0.10.2,<0.11", False),
        ("2.13.0+cpu", "==2.13.0", True),
        ("2.13.0+cpu", "<=2.13.0", True),
        ("0.10.2", ">=0.10.2,<0.10.3", True),
        ("0.10.3", ">=0.10.2,<0.10.3", False),
        ("0.9.9", ">=0.10", False),
        ("nightly build", ">=0", False),
    ],
)
def test_a_version_is_compared_as_pep_440_says(version: str, versions: str, is_in: bool) -> None:
    assert is_among(version, versions) is is_in


@pytest.mark.parametrize(
    ("shape", "wanted", "is_in"),
    [
        ((7, 5, 3), {}, True),
        ((7, 5, 3), {"stack": "==1", "m": "==7", "n": "==5", "p": "==3"}, True),
        ((4, 2, 7, 5, 3), {"stack": "==8"}, True),
        ((4, 2, 7, 5, 3), {"stack": "<8"}, False),
        ((16384, 1, 1), {"m": ">=16385,<65536"}, False),
        ((16385, 1, 1), {"m": ">=16385,<65536"}, True),
        ((65535, 1, 1), {"m": ">=16385, <65536"}, True),
        ((65536, 1, 1), {"m": ">=16385,<65536"}, False),
        ((10, 1, 1), {"m": ">9"}, True),
        ((9, 1, 1), {"m": "!=9"}, False),
        ((9, 1, 2), {"m": "==9", "p": "<=1"}, False),
        ((4, 2, 9, 1, 2), {"y_hat": "==144"}, True),
        ((9, 1, 2), {"y_hat": "<18"}, False),
    ],
)
def test_a_shape_is_compared_axis_by_axis(
    shape: tuple[int, ...], wanted: dict[str, str], is_in: bool
) -> None:
    assert fits(shape, wanted) is is_in


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({}, {"dtype": "float64"}),
        ({}, {"output": "loss"}),
        ({"shape": {"m": "<=1"}}, {"shape": (2, 1, 1)}),
        ({"equal": ["W", "X"]}, {"equal": frozenset({"y", "W"})}),
        ({"platform": ["x86_64"]}, {"machine": "arm64"}),
        ({"modes": ["planted-s*"]}, {"description": InProcessAdapter(wrong.nan).description}),
        ({}, {"description": replace(TURNED.description, framework="jax")}),
        ({}, {"description": replace(TURNED.description, version="1.1")}),
    ],
    ids=["dtype", "output", "shape", "numbers", "machine", "mode", "framework", "version"],
)
def test_an_entry_covers_nothing_outside_of_it(changes: dict[str, Any], where: dict[str, Any]) -> None:
    assert entry(**changes).applies(setting())
    assert not entry(**changes).applies(setting(**where))


@pytest.mark.parametrize(
    ("version", "is_seen"),
    [("1.0", True), ("1.0+cpu", True), ("1.0rc1", True), ("1.0.1", False), ("odd", False)],
)
def test_an_entry_is_sighted_in_every_build_of_a_release_that_it_names(version: str, is_seen: bool) -> None:
    assert entry().is_sighted(version) is is_seen
