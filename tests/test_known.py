"""Known differences cover what they say and nothing else, and do not outlive their date or their evidence."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from planted import wrong

from crosscheck.cases import Case, parse
from crosscheck.cases.strategies import cases
from crosscheck.judge import Judge
from crosscheck.known import Difference, Explained, KnownDifferences, KnownError, Setting, prove
from crosscheck.known.explained import touched
from crosscheck.known.fields import fits, is_among, released
from crosscheck.regimes import REGIMES, classify
from crosscheck.trial import Direct, Outcome, Subject, run
from reference.types import Array

SHIPPED = Path(__file__).with_name("known_differences.toml")
LAST_DAY = date(2030, 12, 31)
# ŷ = ½ exactly, so that whoever computes it gets the same bits: ∂L/∂W = ½·½·½, planted with its sign turned.
HALF = "float32:X=[[0x1p+0]]:y=[[0x0p+0]]:W=[[0x0p+0]]"
# The same, and a second problem that is ordinary.
TWO = "float32:X=[[[0x1p+0]],[[0x1p+0]]]:y=[[[0x0p+0]],[[0x0p+0]]]:W=[[[0x0p+0]],[[0x1p+0]]]"
ENTRY: dict[str, Any] = {
    "name": "turned-sign",
    "framework": "planted",
    "versions": ">=1.0,<1.1",
    "modes": ["planted-*"],
    "dtypes": ["float32"],
    "outputs": ["grad"],
    "case": HALF,
    "mode": "planted-sign",
    "output": "grad",
    "index": [0, 0],
    "got": "-0x1p-3",
    "exact": "0x1p-3",
    "reason": "The sign is turned.",
    "expires": LAST_DAY,
}
TURNED = Direct(wrong.sign)


def toml(fields: Mapping[str, Any]) -> str:
    """One table; a field that is None is left out."""
    lines = [f"{key} = {_value(value)}" for key, value in fields.items() if value is not None]
    return "\n".join(["[[difference]]", *lines, ""])


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{key} = {_value(each)}' for key, each in value.items())} }}"
    return value.isoformat() if isinstance(value, date) else json.dumps(value)


def file_of(folder: Path, text: str) -> Path:
    (folder / "known.toml").write_text(text, "utf-8")
    return folder / "known.toml"


def entry(**changes: Any) -> Difference:
    """The entry of this module with some fields changed; None leaves one out."""
    fields = {key: value for key, value in {**ENTRY, **changes}.items() if value is not None}
    return msgspec.convert(fields, Difference, builtin_types=(date,))


def record(*entries: Difference, today: date = LAST_DAY) -> KnownDifferences:
    return KnownDifferences(entries, today)


def setting(subject: Subject = TURNED, **changes: Any) -> Setting:
    return Setting(subject.description, "float32", "grad", (1, 1, 1), "x86_64")._replace(**changes)


def heard(subject: Subject, text: str, known: KnownDifferences) -> tuple[Judge, Outcome, Explained]:
    """A subject on one case, and what is known of that."""
    case = parse(text)
    judge = Judge(case.problem())
    outcome = run(subject, judge)
    return judge, outcome, known.explain(judge, outcome, case.shape)


def explained(subject: Subject, text: str, *entries: Difference) -> Explained:
    return heard(subject, text, record(*entries))[2]


# ---------------------------------------------------------------------------------------------- files


def test_a_file_is_read_as_its_entries(tmp_path: Path) -> None:
    hazard = {**ENTRY, "name": "literal-form", "kind": "hazard", "expires": None, "regimes": ["zeros"]}
    path = file_of(tmp_path, toml({**ENTRY, "shape": {"m": ">=1"}}) + toml(hazard))
    want = (
        entry(shape={"m": ">=1"}),
        entry(name="literal-form", kind="hazard", expires=None, regimes=["zeros"]),
    )
    assert KnownDifferences.read(path).entries == want


def test_the_shipped_file_can_be_read() -> None:
    KnownDifferences.read(SHIPPED)


def test_the_example_in_the_shipped_file_is_a_complete_entry_that_holds(tmp_path: Path) -> None:
    lines = SHIPPED.read_text("utf-8").splitlines()
    example = [line.removeprefix("#") for line in lines if line.startswith("#     ")]
    (found,) = KnownDifferences.read(file_of(tmp_path, "\n".join(example))).entries
    assert all(getattr(found, name) is not None for name in Difference.__struct_fields__)
    assert all(f" {name} = " in "\n".join(example) for name in Difference.__struct_fields__)
    here = msgspec.structs.replace(found, platform=None)
    assert prove(here, Direct(wrong.missing_one_minus)) is None


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
    "case": ({"case": "odd:1:1x1x1:contiguous:float32"}, "unknown regime 'odd'; use one of ordinary,"),
    "code": ({"case": "float32:X=[[exit()]]:y=[[0]]:W=[[0]]"}, "X holds 'exit()', which is no number"),
    "another-dtype": ({"dtypes": ["float64"]}, "the case has dtype float32, which the entry does not"),
    "another-output": ({"output": "loss"}, "the case has output loss, which the entry does not cover"),
    "another-mode": ({"mode": "jax"}, "mode 'jax' matches none of the entry's modes: planted-*"),
    "another-shape": ({"shape": {"n": "==2"}}, "the case has shape 1x1x1; the entry covers n ==2"),
    "index-outside": ({"index": [0, 1]}, "index [0, 1] is no element of grad, whose shape is (1, 1)"),
    "index-from-the-end": ({"index": [0, -1]}, "index [0, -1] is no element of grad"),
    "index-of-a-row": ({"index": [0]}, "index [0] is no element of grad"),
    "decimal": ({"got": "-0.125"}, "got '-0.125' is no number; write a hexadecimal float such as"),
    "too-large": ({"exact": "0x1p+9999"}, "exact '0x1p+9999' is no number"),
    "another-format": ({"got": "0x1.0000001p+0"}, "got 0x1.0000001p+0 is no float32; the nearest is 0x1p+0"),
}


@pytest.mark.parametrize("name", BAD)
def test_an_entry_that_cannot_be_used_is_one_clear_line(name: str, tmp_path: Path) -> None:
    changes, words = BAD[name]
    assert_refused(file_of(tmp_path, toml({**ENTRY, **changes})), "known.toml: entry '", words)


def assert_refused(path: Path, *words: str) -> None:
    """Reading it is a `KnownError` of one line, which names the file and has the words."""
    with pytest.raises(KnownError) as found:
        KnownDifferences.read(path)
    assert str(found.value).startswith(f"{path}: ")
    assert "\n" not in str(found.value)
    assert all(each in str(found.value) for each in words), str(found.value)


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


# ----------------------------------------------------------------------------------------- predicates


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
        ({"platform": ["x86_64"]}, {"machine": "arm64"}),
        ({"modes": ["planted-s*"]}, {"description": Direct(wrong.nan).description}),
        ({}, {"description": replace(TURNED.description, framework="jax")}),
        ({}, {"description": replace(TURNED.description, version="1.1")}),
    ],
    ids=["dtype", "output", "shape", "machine", "mode", "framework", "version"],
)
def test_an_entry_covers_nothing_outside_of_it(changes: dict[str, Any], where: dict[str, Any]) -> None:
    assert entry(**changes).covers(setting(), ["ordinary"])
    assert not entry(**changes).covers(setting(**where), ["ordinary"])


def test_an_entry_with_regimes_covers_what_depends_on_one_of_them() -> None:
    narrow = entry(regimes=["zeros", "overflow"])
    assert narrow.covers(setting(), ["ordinary", "zeros"])
    assert not narrow.covers(setting(), ["ordinary", "saturated_low"])


def test_the_entries_that_concern_nobody_present_are_not_applicable() -> None:
    jax = entry(name="of-jax", framework="jax")
    later = entry(name="of-later", versions=">=2")
    elsewhere = entry(name="of-elsewhere", platform=["pdp11"])
    known = record(jax, entry(), later, elsewhere)
    assert known.applicable([TURNED.description, Direct(wrong.nan).description]) == (entry(),)
    assert known.applicable([Direct(wrong.relative_error_float64).description]) == ()


# ---------------------------------------------------------------------------------------- explanation


@given(
    case=cases("float32", shapes=((2, 3, 3, 2), (3, 2, 2))), chosen=st.sets(st.sampled_from(list(REGIMES)))
)
def test_an_element_is_touched_by_the_regimes_of_the_y_hat_that_it_depends_on(
    case: Case, chosen: set[str]
) -> None:
    judge = Judge(case.problem())
    places = classify(*judge.problem, judge.format)
    for output, axes in {"y_hat": "ik", "loss": "", "grad": "jk", "row_loss": "i"}.items():
        got = touched(judge, output, chosen)
        assert got.shape == getattr(judge.centers, output).shape
        for index in np.ndindex(got.shape):
            named = dict(zip(axes, index[len(index) - len(axes) :], strict=True))
            stack = index[: len(index) - len(axes)]
            sources = places[(*stack, named.get("i", slice(None)), named.get("k", slice(None)))]
            assert got[index] == any(list(REGIMES)[place] in chosen for place in np.ravel(sources))


def test_what_is_covered_is_counted_and_what_is_not_is_shown() -> None:
    found = explained(TURNED, TWO, entry(regimes=["zeros"]))
    assert found.covered == {"turned-sign": 1}
    np.testing.assert_array_equal(found.uncovered["grad"], [[[False]], [[True]]], strict=True)
    assert not found.is_green


def test_a_run_is_green_once_every_wrong_element_is_covered() -> None:
    found = explained(TURNED, TWO, entry(regimes=["zeros"]), entry(name="others", regimes=["ordinary"]))
    assert found == Explained({"turned-sign": 1, "others": 1}, {})
    assert found.is_green


def test_entries_that_overlap_both_count() -> None:
    found = explained(TURNED, TWO, entry(regimes=["zeros"]), entry(name="all"))
    assert found.covered == {"turned-sign": 1, "all": 2}
    assert found.is_green


def test_an_output_that_no_entry_names_stays_uncovered() -> None:
    found = explained(Direct(wrong.missing_half), HALF, entry())
    assert found.covered == {"turned-sign": 1}
    assert {name: mask.tolist() for name, mask in found.uncovered.items()} == {"loss": True}


def test_an_entry_does_not_stretch_to_another_shape_or_dtype() -> None:
    narrow = entry(shape={"stack": "==1"})
    assert explained(TURNED, HALF, narrow).is_green
    assert not explained(TURNED, TWO, narrow).is_green
    assert not explained(TURNED, HALF.replace("float32", "float64"), narrow).is_green


def test_what_agrees_needs_no_explanation() -> None:
    assert explained(Direct(wrong.healthy), TWO, entry()) == Explained({}, {})


def test_a_failure_is_never_covered() -> None:
    found = explained(Direct(wrong.raises), HALF, entry())
    assert found == Explained({}, {}, failed=True)
    assert not found.is_green


@given(case=cases("float32", shapes=((4, 2, 3, 2), (2, 3, 1))))
def test_an_empty_record_covers_nothing(case: Case) -> None:
    for adapter in (wrong.sign, wrong.nan_in_saturation, wrong.healthy):
        _, outcome, found = heard(Direct(adapter), case.text, KnownDifferences())
        wrongly = {n: ~j.admissible for n, j in outcome.judgements.items() if not j.admissible.all()}
        assert found.covered == {}
        assert found.is_green is outcome.is_green
        np.testing.assert_equal(found.uncovered, wrongly)


# --------------------------------------------------------------------------------------------- expiry


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


# ---------------------------------------------------------------------------------------------- proof


LOSS = {"outputs": ["loss"], "output": "loss", "index": [], "got": "0x1p-2", "mode": "planted-missing-half"}


@pytest.mark.parametrize(
    ("changes", "subject"),
    [({}, TURNED), ({"case": TWO, "index": [0, 0, 0]}, TURNED), (LOSS, Direct(wrong.missing_half))],
    ids=["alone", "in-a-stack", "loss"],
)
def test_evidence_that_holds_is_no_news(changes: dict[str, Any], subject: Direct) -> None:
    assert prove(entry(**changes), subject) is None


def test_a_nan_proves_a_nan() -> None:
    assert prove(entry(mode="planted-nan", got="nan"), Direct(wrong.nan)) is None


def returning(name: str, grad: Callable[[Array], Any]) -> Direct:
    return Direct(wrong.Planted(name, lambda X, y, W: {"grad": grad(wrong.right(X, y, W)[2])}))


def test_the_exact_value_of_what_is_not_finite_is_nan() -> None:
    case, ones = HALF.replace("y=[[0x0p+0]]", "y=[[nan]]"), returning("ones", np.ones_like)
    assert prove(entry(case=case, mode="planted-ones", got="0x1p+0", exact="nan"), ones) is None


MENDED, WORSE = returning("mended", np.abs), returning("worse", lambda grad: -4 * grad)
WITHOUT = Direct(wrong.Planted("without", lambda X, y, W: {"loss": wrong.right(X, y, W)[1]}))


@pytest.mark.parametrize(
    ("changes", "subject", "why"),
    [
        ({}, MENDED, "grad[0, 0] no longer differs: it is 0x1p-3, admissible, recorded -0x1p-3"),
        ({}, WORSE, "grad[0, 0] differs in another way: it is -0x1p-1, recorded -0x1p-3"),
        ({}, Direct(wrong.nan), "grad[0, 0] differs in another way: it is nan, recorded -0x1p-3"),
        ({"got": "nan"}, TURNED, "grad[0, 0] differs in another way: it is -0x1p-3, recorded nan"),
        ({"exact": "0x1p-2"}, TURNED, "the exact grad[0, 0] is 0x1p-3, recorded 0x1p-2"),
        ({"exact": "nan"}, TURNED, "the exact grad[0, 0] is 0x1p-3, recorded nan"),
        ({"regimes": ["ordinary", "overflow"]}, TURNED, "grad[0, 0] lies in none of ordinary, overflow"),
        ({}, Direct(wrong.raises), "planted-raises no longer returns grad[0, 0]: planted-raises raised"),
        ({}, Direct(wrong.refuses), "planted-refuses no longer returns grad[0, 0]: no (1, 1) (1, 1)"),
        ({}, WITHOUT, "planted-without no longer returns grad[0, 0]: it has no grad"),
    ],
    ids=["mended", "worse", "nan", "no-nan", "exact", "no-exact", "regime", "raises", "refuses", "without"],
)
def test_stale_evidence_is_told_in_one_sentence(changes: dict[str, Any], subject: Direct, why: str) -> None:
    said = prove(entry(mode=subject.description.name, **changes), subject)
    assert (said or "").startswith(f"known difference turned-sign is stale: {why}")


def test_the_sign_of_a_zero_is_part_of_the_evidence() -> None:
    vanished = returning("vanished", lambda g: g * 0)
    assert prove(entry(mode="planted-vanished", got="0x0p+0"), vanished) is None
    assert "another way: it is 0x0p+0" in str(prove(entry(mode="planted-vanished", got="-0x0p+0"), vanished))


@pytest.mark.parametrize(
    ("changes", "subject"),
    [({}, Direct(wrong.nan)), ({"versions": ">=2"}, TURNED), ({"platform": ["pdp11"]}, TURNED)],
    ids=["mode", "version", "machine"],
)
def test_an_entry_is_proved_only_by_the_adapter_that_it_is_about(
    changes: dict[str, Any], subject: Direct
) -> None:
    with pytest.raises(ValueError, match="turned-sign says nothing about planted-"):
        prove(entry(**changes), subject)
