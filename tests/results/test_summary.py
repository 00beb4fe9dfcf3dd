"""Summaries: they merge in any order, survive JSON, and say what happened in a case."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.errors import NoAnswer
from crosscheck.explain.element import Element
from crosscheck.inputs import Case, parse
from crosscheck.inputs.regimes import REGIMES
from crosscheck.judging.accuracy import RESOLUTION, errors, exact_values
from crosscheck.judging.evaluation import InProcessAdapter, Outcome, evaluate_and_judge
from crosscheck.judging.judge import AXES, Judge
from crosscheck.results.measure import described, histogram, regime_at, summarise
from crosscheck.results.record import Results
from crosscheck.results.summary import EVERY, HASHES, Number, Summary, Worst, merged
from crosscheck.text import format_set
from reference.admissible import AdmissibleSet
from reference.formats import FORMATS
from reference.ulp import ulp
from tests.faulty_adapters import wrong

counts = st.integers(min_value=0, max_value=10**12)
worsts = st.none() | st.builds(
    Worst,
    # few values, so that ties between cases and places happen
    value=(st.sampled_from([0.0, 0.5, 1.0, math.inf]) | st.floats(min_value=0)).map(Number),
    case=st.sampled_from(["a:0", "b:1"]),
    place=st.tuples(st.integers(0, 3), st.integers(0, 3)),
    regime=st.sampled_from(tuple(REGIMES)),
)
histograms = st.dictionaries(st.sampled_from(["zero", "-3", "0", "7", "inf"]), st.integers(1, 10**9))
reasons = st.frozensets(st.sampled_from(["no stack", "no bfloat16"]))
# all but the hashes, which are added modulo a number
COUNTS = [name for name, kind in Summary.__annotations__.items() if kind == "Count" and name not in HASHES]
summaries = st.builds(
    Summary,
    **dict.fromkeys(COUNTS, counts),
    error=worsts,
    well_conditioned_error=worsts,
    share=worsts,
    errors=histograms,
    well_conditioned_errors=histograms,
    shares=histograms,
    known=st.dictionaries(st.sampled_from(["sign:zeros", "a:ordinary", "b:zeros"]), st.integers(1, 10**9)),
    unsupported=reasons,
    failures=reasons,
    no_verdict=reasons,
)


def summary_of(text: str, adapter: object, output: str) -> Summary:
    """The summary of one output of an adapter on one case."""
    case = parse(text)
    judge = Judge(case.problem())
    found = summarise(case, judge, evaluate_and_judge(InProcessAdapter(adapter), judge), exact_values(judge))
    (summary,) = (each for cell, each in found.items() if cell.output == output)
    return summary


@pytest.mark.long
@given(summaries, summaries, summaries)
def test_merging_is_associative_commutative_and_has_an_identity(a: Summary, b: Summary, c: Summary) -> None:
    assert merged((merged((a, b)), c)) == merged((a, merged((b, c))))
    assert merged((a, b)) == merged((b, a))
    assert merged((a, Summary())) == a == merged((Summary(), a))


@given(summaries, summaries)
def test_merging_adds_every_count_and_what_each_known_difference_covers(a: Summary, b: Summary) -> None:
    both = merged((a, b))
    for name in COUNTS:
        assert getattr(both, name) == getattr(a, name) + getattr(b, name)
    assert both.known == Counter(a.known) + Counter(b.known)


def test_a_histogram_counts_every_value_but_nan() -> None:
    got = histogram(np.array([0.0, 0.25, 0.4, 1.0, 3.0, np.inf, np.nan, 2.0**-200]))
    assert got == {"zero": 1, "-2": 2, "0": 1, "1": 1, "inf": 1, "-80": 1}


@pytest.mark.parametrize(
    ("got", "admissible", "want"),
    [
        (1.5, True, 0.5),
        (3.0, False, 2.0),
        (0.5, False, math.inf),  # within the radius, and inadmissible by another rule
        (math.nan, False, math.inf),
        (math.inf, True, math.nan),  # admitted as an infinity: no share
    ],
)
def test_the_share_is_the_distance_in_radii(got: float, admissible: bool, want: float) -> None:
    one = np.array([False])
    full = AdmissibleSet(np.array([1.0]), np.array([1.0]), one, one, one, one, np.array([True]))
    found = full.share(np.array([got]), np.array([admissible]))
    assert np.array_equal(found, [want], equal_nan=True)


@pytest.mark.parametrize("output", AXES)
def test_the_regime_of_an_element_is_that_of_what_it_depends_on(output: str) -> None:
    case = Case("saturated_low", 3, (5, 2, 3, 2), dtype="float32")
    judge = Judge(case.problem())
    index = {"y_hat": (4, 1, 0), "loss": (4,), "grad": (4, 2, 0), "row_loss": (4, 1)}[output]
    around = {
        "y_hat": judge.places[4, 1, 0],
        "loss": judge.places[4],
        "grad": judge.places[4, :, 0],
        "row_loss": judge.places[4, 1],
    }[output]
    assert regime_at(judge, output, index) in {tuple(REGIMES)[place] for place in np.ravel(around)}


def test_the_worst_is_the_element_that_the_case_shows_again() -> None:
    text = "ordinary:5:64x2x33x1:contiguous:float32"
    worst = summary_of(text, wrong.sign, "grad").share
    assert worst is not None
    judge = Judge(parse(worst.case).problem())
    outcome = evaluate_and_judge(InProcessAdapter(wrong.sign), judge)
    assert outcome.outputs is not None
    assert outcome.outputs.grad is not None
    full = judge.sets(outcome.description.arithmetic["float32"])["grad"]
    share = np.abs(outcome.outputs.grad.astype(np.float64) - full.center) / full.radius
    assert worst.value == share.max() == share[worst.place]


TWO_FIGURES = 2 * 2.0**-50  # `reference.ulp.error_in_ulp` gives each of two figures within a factor 1 ± 2^-50


def assert_is_exact(found: tuple[float, float], element: Element) -> None:
    """The sum of the pair is the oracle's value, as exactly as exact values are known."""
    hi, lo = element.exact
    assert abs((found[0] - hi) + (found[1] - lo)) <= RESOLUTION * ulp(hi, element.format, lo)


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("shape", [(64, 2, 33, 1), (7, 3, 2)], ids=["stack", "no stack"])
def test_a_worst_value_keeps_what_was_returned_the_exact_value_z_and_the_set(
    dtype: str, shape: tuple[int, ...]
) -> None:
    case = Case("ordinary", 5, shape, dtype=dtype)
    judge = Judge(case.problem())
    results = Results()
    results.add(case, judge, [evaluate_and_judge(InProcessAdapter(wrong.sign), judge)])
    for cell, found in results.summaries.items():
        worst = found.error
        assert worst is not None
        assert worst.got is not None
        assert worst.exact is not None
        assert worst.z is not None
        index = worst.place if len(shape) > 3 else worst.place[1:]
        element = Element(judge, cell.output, index)
        error, _ = element.ulp_error(worst.got)
        assert abs(error - worst.value) <= RESOLUTION + worst.value * TWO_FIGURES
        assert_is_exact(worst.exact, element)
        z = judge.reference.z[element.sources]
        assert worst.z == (z.min(), z.max())
        claims = InProcessAdapter(wrong.sign).description.arithmetic[dtype]
        assert worst.admissible == format_set(element.set_of(claims), judge.format)


@pytest.mark.parametrize("output", AXES)
def test_the_exact_value_of_a_share_is_that_of_the_oracle(output: str) -> None:
    judge = Judge(Case("mixed", 3, (40, 2, 3, 2), dtype="float64").problem())
    outcome = evaluate_and_judge(InProcessAdapter(wrong.healthy), judge)
    claims = outcome.description.arithmetic["float64"]
    place = (17, 1, 1)[: AXES[output] + 1] if output != "grad" else (17, 2, 1)
    worst = described(Worst(Number(0.5), "", place, ""), judge, claims, output, (0.0, math.nan, 0.0))
    assert worst.exact is not None
    assert_is_exact(worst.exact, Element(judge, output, place))


@pytest.mark.parametrize(("adapter", "is_wrong"), [(wrong.sign, True), (wrong.healthy, False)])
def test_a_summary_counts_what_lies_outside(adapter: object, is_wrong: bool) -> None:
    got = summary_of("ordinary:5:64x2x33x1:contiguous:float32", adapter, "grad")
    assert (got.problems, got.elements) == (64, 64 * 33)
    assert (got.wrong_problems > 32, got.wrong_elements > 32 * 33) == (is_wrong, is_wrong)
    assert sum(got.shares.values()) == got.elements


def test_what_is_not_judged_is_counted() -> None:
    got = summary_of("ordinary:5:4x64x8x3:contiguous:bfloat16", wrong.healthy, "loss")
    assert (got.problems, got.not_judged) == (4, 4)


def test_elements_that_are_not_judged_are_counted_beside_others_that_are() -> None:
    """In bfloat16 sums of 64 may be anything: of so many samples ŷ is judged and ∂L/∂W is not."""
    text = "ordinary:5:4x64x8x3:contiguous:bfloat16"
    elements = {name: summary_of(text, wrong.healthy, name) for name in ("y_hat", "grad")}
    assert {name: each.not_judged for name, each in elements.items()} == {"y_hat": 0, "grad": 4 * 8 * 3}


@pytest.mark.parametrize("regime", ["ordinary", "cancelling"])
def test_well_conditioned_elements_have_a_count_a_worst_error_and_a_histogram(regime: str) -> None:
    case = Case(regime, 5, (64, 1, 3, 1), dtype="float32")
    judge = Judge(case.problem())
    values, outcome = exact_values(judge), evaluate_and_judge(InProcessAdapter(wrong.healthy), judge)
    narrow = judge.sets(outcome.description.arithmetic["float32"])["grad"].well_conditioned(judge.format)
    (found,) = (s for c, s in summarise(case, judge, outcome, values).items() if c.output == "grad")
    assert outcome.outputs is not None
    error = errors(outcome.outputs, values, judge.format)["grad"][0][narrow]
    assert found.well_conditioned == error.size == sum(found.well_conditioned_errors.values())
    assert found.well_conditioned_errors == histogram(error)
    assert found.well_conditioned_error is not None
    assert found.error is not None
    assert found.well_conditioned_error.value == error.max() <= found.error.value
    assert 0 < found.well_conditioned < found.elements


def test_an_element_whose_exact_value_is_unknown_is_not_counted_as_well_conditioned() -> None:
    case = Case("ordinary", 5, (64, 1, 3, 1), dtype="float64")
    judge = Judge(case.problem())
    unknown = {
        name: known._replace(precision=np.zeros_like(known.precision))
        for name, known in exact_values(judge).items()
    }
    found = summarise(case, judge, evaluate_and_judge(InProcessAdapter(wrong.healthy), judge), unknown)
    assert {summary.well_conditioned for summary in found.values()} == {0}


def test_who_gave_no_answer_has_no_verdict_and_no_failure() -> None:
    late = NoAnswer("slow", (1.0, 10.0), "load 8", None, Path("slow.log"))
    case = Case("ordinary", 5, (2, 1, 3, 1), dtype="float32")
    outcome = Outcome(InProcessAdapter(wrong.healthy).description, failure=late)
    (found,) = summarise(case, Judge(case.problem()), outcome, {}).values()
    assert (len(found.failures), list(found.no_verdict)) == (0, [str(late)])


@pytest.mark.parametrize(
    ("adapter", "dtype", "is_failure"),
    [(wrong.raises, "float32", True), (wrong.float32_inside_float64, "bfloat16", False)],
)
def test_a_case_without_outputs_has_a_summary_with_why(adapter: object, dtype: str, is_failure: bool) -> None:
    got = summary_of(f"ordinary:5:1x2x3x2:contiguous:{dtype}", adapter, EVERY)
    assert (bool(got.failures), bool(got.unsupported)) == (is_failure, not is_failure)
