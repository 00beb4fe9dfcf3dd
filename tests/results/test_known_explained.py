"""What a known difference covers is counted, what none covers is shown, and a failure is never covered."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from known_entries import HALF, TURNED, TWO, entry, heard, match_of

from crosscheck.cases import Case
from crosscheck.cases.strategies import cases
from crosscheck.evaluation import InProcessAdapter
from crosscheck.judge import Judge
from crosscheck.regimes import REGIMES, classify
from crosscheck.results.known import KnownDifferences, KnownMatch, in_regimes
from tests.faulty_adapters import wrong


@given(
    case=cases("float32", shapes=((2, 3, 3, 2), (3, 2, 2))), chosen=st.sets(st.sampled_from(list(REGIMES)))
)
def test_an_element_is_in_the_regimes_of_the_y_hat_that_it_depends_on(case: Case, chosen: set[str]) -> None:
    judge = Judge(case.problem())
    places = classify(*judge.problem, judge.format)
    for output, axes in {"y_hat": "ik", "loss": "", "grad": "jk", "row_loss": "i"}.items():
        got = in_regimes(judge, output, chosen)
        assert got.shape == getattr(judge.centers, output).shape
        for index in np.ndindex(got.shape):
            named = dict(zip(axes, index[len(index) - len(axes) :], strict=True))
            stack = index[: len(index) - len(axes)]
            sources = places[(*stack, named.get("i", slice(None)), named.get("k", slice(None)))]
            assert got[index] == any(list(REGIMES)[place] in chosen for place in np.ravel(sources))


def test_what_is_covered_is_counted_and_what_is_not_is_shown() -> None:
    found = match_of(TURNED, TWO, entry(regimes=["zeros"]))
    assert found.covered == {"turned-sign": 1}
    np.testing.assert_array_equal(found.uncovered["grad"], [[[False]], [[True]]], strict=True)
    assert not found.is_green


def test_a_run_is_green_once_every_wrong_element_is_covered() -> None:
    found = match_of(TURNED, TWO, entry(regimes=["zeros"]), entry(name="others", regimes=["ordinary"]))
    assert found == KnownMatch({"turned-sign": 1, "others": 1}, {})
    assert found.is_green


def test_entries_that_overlap_both_count() -> None:
    found = match_of(TURNED, TWO, entry(regimes=["zeros"]), entry(name="all"))
    assert found.covered == {"turned-sign": 1, "all": 2}
    assert found.is_green


def test_an_output_that_no_entry_names_stays_uncovered() -> None:
    found = match_of(InProcessAdapter(wrong.missing_half), HALF, entry())
    assert found.covered == {"turned-sign": 1}
    assert {name: mask.tolist() for name, mask in found.uncovered.items()} == {"loss": True}


def test_an_entry_does_not_stretch_to_another_shape_or_dtype() -> None:
    narrow = entry(shape={"stack": "==1"})
    assert match_of(TURNED, HALF, narrow).is_green
    assert not match_of(TURNED, TWO, narrow).is_green
    assert not match_of(TURNED, HALF.replace("float32", "float64"), narrow).is_green


def test_what_agrees_needs_no_explanation() -> None:
    assert match_of(InProcessAdapter(wrong.healthy), TWO, entry()) == KnownMatch({}, {})


def test_a_failure_is_never_covered() -> None:
    found = match_of(InProcessAdapter(wrong.raises), HALF, entry())
    assert found == KnownMatch({}, {}, failed=True)
    assert not found.is_green


@given(case=cases("float32", shapes=((4, 2, 3, 2), (2, 3, 1))))
def test_an_empty_record_covers_nothing(case: Case) -> None:
    for adapter in (wrong.sign, wrong.nan_in_saturation, wrong.healthy):
        _, outcome, found = heard(InProcessAdapter(adapter), case.text, KnownDifferences())
        wrongly = {n: ~j.admissible for n, j in outcome.judgements.items() if not j.admissible.all()}
        assert found.covered == {}
        assert found.is_green is outcome.is_green
        np.testing.assert_equal(found.uncovered, wrongly)
