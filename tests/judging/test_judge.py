"""The verdict: three values, the same by the filter as by the full set, for any stack."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from crosscheck.inputs import Case
from crosscheck.inputs.regimes import REGIMES
from crosscheck.judging.judge import OUTPUTS, Judge, Judgement, Verdict
from reference import bounds, exact, network, unjudged
from reference import filter as first
from reference.admissible import AdmissibleSet
from reference.arithmetic import Arithmetic, default_arithmetic
from reference.formats import FORMATS, Format
from reference.types import Array, Outputs, Problem
from reference.units import Units

FLOAT64 = FORMATS["float64"]
CLAIMS = default_arithmetic(FLOAT64)
STACK = Case("ordinary", 5, (16, 2, 3, 2)).problem()
NARROW = Case("ordinary", 5, (16, 2, 3, 2), dtype="float32").problem()


def centers(judge: Judge) -> Outputs:
    """The reference's own values, which are always admissible."""
    return Outputs(*(np.array(getattr(judge.centers, name)) for name in OUTPUTS))


def verdicts(problem: Problem, outputs: Outputs) -> dict[str, Verdict]:
    judge = Judge(problem)
    judged = judge.judge(outputs, default_arithmetic(judge.format))
    return {name: judgement.verdict for name, judgement in judged.items()}


def alone(name: str, got: Array) -> Outputs:
    return Outputs(**{name: got})


def wide(format: Format, m: int) -> Problem:
    """A problem of so many rows, all of them 0·0 with the label 0."""
    return Problem(*(np.zeros(shape, format.dtype) for shape in ((1, m, 1), (1, m, 1), (1, 1, 1))))


@pytest.mark.parametrize("name", OUTPUTS)
@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf, -1e300, 1e300])
def test_one_wrong_element_is_a_disagreement_of_its_output_alone(name: str, wrong: float) -> None:
    judge = Judge(STACK)
    outputs = centers(judge)
    got = getattr(outputs, name)
    got[(7,) + (1,) * (got.ndim - 1)] = wrong
    want = dict.fromkeys(OUTPUTS, Verdict.WITHIN_BOUNDS) | {name: Verdict.OUTSIDE}
    judged = judge.judge(outputs, CLAIMS)
    assert {n: judgement.verdict for n, judgement in judged.items()} == want
    assert np.argwhere(~judged[name].admissible).tolist() == [[7] + [1] * (got.ndim - 1)]


@pytest.mark.parametrize(("m", "want"), [(60, Verdict.WITHIN_BOUNDS), (61, Verdict.NOT_JUDGED)])
def test_a_set_as_wide_as_the_trivial_one_is_not_judged(m: int, want: Verdict) -> None:
    # ν(m + 2) = (m + 3)·2^-8, and a little more, reaches ¼ at m = 61
    loss = np.array([m / 8], FORMATS["bfloat16"].dtype)
    assert verdicts(wide(FORMATS["bfloat16"], m), alone("loss", loss)) == {"loss": want}


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -0.5, 1e6])
def test_outside_a_set_that_is_not_judged_is_still_a_disagreement(wrong: float) -> None:
    loss = np.array([wrong], FORMATS["bfloat16"].dtype)
    problem = wide(FORMATS["bfloat16"], 100)
    assert verdicts(problem, alone("loss", loss)) == {"loss": Verdict.OUTSIDE}


@pytest.mark.parametrize("name", OUTPUTS)
def test_what_the_filter_leaves_is_decided_by_the_full_set(name: str) -> None:
    # values in float64 lie between the two radii of float32, which differ by little
    judge, claims = Judge(NARROW), default_arithmetic(FORMATS["float32"])
    full, radius = judge.sets(claims)[name], getattr(judge.radii(Units.of(judge.format, claims))[0], name)
    got, there = getattr(centers(judge), name), (3,) + (0,) * (full.center.ndim - 1)
    for distance, want in (
        ((radius + full.radius)[there] / 2, Verdict.WITHIN_BOUNDS),
        (full.radius[there] * (1 + 2.0**-20), Verdict.OUTSIDE),
    ):
        assert distance > radius[there]
        got[there] = full.center[there] + distance
        judgement = judge.judge(alone(name, got), claims)[name]
        assert judgement.verdict is want
        assert np.flatnonzero(~judgement.filtered).tolist() == [3]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """For how many problems the full set was computed, call by call."""
    calls: list[int] = []
    real = bounds.admissible

    def counted(problem: Problem, *rest: object) -> dict[str, AdmissibleSet]:
        calls.append(len(problem.X))
        return real(problem, *rest)  # type: ignore[arg-type]  # handed on as they came

    monkeypatch.setattr(bounds, "admissible", counted)
    return calls


def test_the_full_set_is_computed_for_the_problems_that_the_filter_leaves_only(
    asked: list[int],
) -> None:
    judge = Judge(STACK)
    outputs = centers(judge)
    judge.judge(outputs, CLAIMS)
    assert asked == []
    assert outputs.grad is not None
    outputs.grad[[2, 9, 9], [0, 0, 1]] = np.inf
    judge.judge(outputs, CLAIMS)
    assert asked == [2]


@pytest.mark.parametrize("regime", ["ordinary", "overflow", "non_finite", "subnormal"])
@pytest.mark.parametrize("stack", [(12,), (3, 4), (1, 2, 1, 6)])
def test_the_form_of_the_stack_changes_no_judgement(regime: str, stack: tuple[int, ...]) -> None:
    problem = Case(regime, 5, (12, 2, 3, 2), dtype="float32").problem()
    outputs = Outputs(*(np.asarray(a) for a in network.evaluate(*problem)))
    assert outputs.grad is not None
    outputs.grad[5, 1, 1] = -1.25
    stacked = Problem(*(a.reshape((*stack, *a.shape[1:])) for a in problem))
    got = Judge(stacked).judge(
        Outputs(*(None if a is None else a.reshape((*stack, *a.shape[1:])) for a in outputs)),
        default_arithmetic(FORMATS["float32"]),
    )
    want = Judge(problem).judge(outputs, default_arithmetic(FORMATS["float32"]))
    for name, judgement in want.items():
        np.testing.assert_array_equal(got[name].admissible.ravel(), judgement.admissible.ravel())
        np.testing.assert_array_equal(got[name].filtered, judgement.filtered)


@pytest.mark.parametrize("wrong", [False, True])
def test_a_problem_without_a_stack_is_judged(wrong: bool) -> None:
    problem = Problem(*(a[0] for a in STACK))
    outputs = centers(Judge(problem))
    if wrong:
        outputs = outputs._replace(loss=np.asarray(outputs.loss) + 1.0)
    want = dict.fromkeys(OUTPUTS, Verdict.WITHIN_BOUNDS) | ({"loss": Verdict.OUTSIDE} if wrong else {})
    assert verdicts(problem, outputs) == want


@pytest.mark.parametrize(
    "shape", [(0, 1, 3, 1), (4, 0, 3, 1), (4, 1, 0, 1), (4, 1, 3, 0)], ids=["stack", "m", "n", "p"]
)
def test_an_empty_problem_is_refused(shape: tuple[int, int, int, int]) -> None:
    stack, m, n, p = shape
    empty = Problem(np.ones((stack, m, n)), np.ones((stack, m, p)), np.ones((stack, n, p)))
    shapes = f"X {(stack, m, n)}, y {(stack, m, p)}, W {(stack, n, p)}"
    with pytest.raises(ValueError, match=rf"^{re.escape(f'an empty problem cannot be judged: {shapes}')}$"):
        Judge(empty)


def test_a_wrong_row_loss_is_seen_where_the_whole_loss_hides_it() -> None:
    problem = Case("ordinary", 5, (1, 64, 8, 1), dtype="float32").problem()
    outputs = centers(Judge(problem))
    assert outputs.row_loss is not None
    least = int(np.argmin(outputs.row_loss[0]))
    outputs.row_loss[0, least] *= 1.25
    moved = outputs._replace(loss=outputs.row_loss.sum(-1))
    assert verdicts(problem, moved)["row_loss"] is Verdict.OUTSIDE
    assert verdicts(problem, moved)["loss"] is Verdict.WITHIN_BOUNDS


def test_an_output_that_is_not_there_is_not_judged_by_name() -> None:
    outputs = centers(Judge(STACK))
    assert set(verdicts(STACK, outputs._replace(row_loss=None, loss=None))) == {"y_hat", "grad"}


def test_adapters_with_equal_claims_share_what_the_judge_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    computed: list[first.Factors] = []
    real = first.radii

    def counted(problem: Problem, reference: object, factors: first.Factors, rounded: Array) -> first.Radii:
        computed.append(factors)
        return real(problem, reference, factors, rounded)  # type: ignore[arg-type]  # handed on as it came

    monkeypatch.setattr(first, "radii", counted)
    judge = Judge(STACK)
    outputs, other_source = centers(judge), replace(CLAIMS, sources={"kappa": "another source"})
    less = replace(CLAIMS, kappa=CLAIMS.kappa - 1)
    for claims in (CLAIMS, other_source, less, replace(CLAIMS, flush=True)):
        judge.judge(outputs, claims)
    assert computed == [first.Factors.of(Units.of(FLOAT64, each), judge.wide) for each in (CLAIMS, less)]
    assert judge.sets(CLAIMS) is judge.sets(other_source)


@pytest.mark.parametrize("claims", [CLAIMS, replace(CLAIMS, u_in=2.0**-11)], ids=["default", "tf32"])
def test_what_adapters_share_is_computed_once_for_exact_and_once_for_rounded_inputs(
    claims: Arithmetic,
) -> None:
    judge, units = Judge(STACK), Units.of(FLOAT64, claims)
    others = Units.of(FLOAT64, replace(claims, u_in=0.0 if claims.u_in else 2.0**-11))
    for shared in (judge.rounded, judge.sizes):
        assert shared(units) is shared(units)
        assert shared(units) is not shared(others)
    rounded = exact.rounded_size(judge.wide, judge.reference.T, units)
    assert np.array_equal(judge.rounded(units), rounded)
    assert judge.sizes(units) == unjudged.Sizes.of(judge.wide, judge.reference, rounded)
    assert judge.judged(claims) is judge.judged(claims)


def test_the_nearest_outputs_are_those_of_the_reference_rounded_in_silence() -> None:
    given = Case("huge_label", 5, (16, 2, 3, 2), dtype="float16").problem()
    judge = Judge(given)
    with np.errstate(all="ignore"):
        wanted = [a.astype(np.float16) for a in judge.centers]
    with np.errstate(over="raise", invalid="raise"):
        found = judge.nearest
    assert [a.dtype for a in found] == [np.float16] * 4
    assert all(np.array_equal(*pair) for pair in zip(found, wanted, strict=True))
    assert np.isinf(found.loss).any()
    same = Judge(STACK)
    assert all(one is other for one, other in zip(same.nearest, same.centers, strict=True))


def test_elements_are_counted_by_regime_and_regimes_without_any_are_left_out() -> None:
    judge = Judge(Case("mixed", 5, (64, 2, 3, 2)).problem())
    names = [list(REGIMES)[place] for place in judge.places.ravel()]
    assert judge.regimes == {name: names.count(name) for name in REGIMES if name in names}
    assert len(judge.regimes) > 2
    chosen = judge.places == judge.places[0, 0, 0]
    assert judge.regimes_of(chosen) == {names[0]: names.count(names[0])}


@pytest.mark.parametrize(
    ("admissible", "judged", "left"),
    [("11", "11", 0), ("11", "10", 1), ("01", "00", 1), ("01", "01", 0), ("00", "00", 0)],
)
def test_an_element_has_no_verdict_if_it_is_admissible_and_not_judged(
    admissible: str, judged: str, left: int
) -> None:
    allowed, decidable = (np.array([digit == "1" for digit in digits]) for digits in (admissible, judged))
    judgement = Judgement(allowed, decidable, np.ones(1, np.bool_))
    assert judgement.not_judged == left == np.count_nonzero(~judgement.decided)
