"""The metamorphic relations hold for the closed form, and each is broken by an adapter planted for it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import relations
from relations import RELATIONS, STEP_BY_STEP, Observed, Relation, VacuousError

import adapters
from crosscheck.inputs import Case, Literal
from crosscheck.inputs.regimes import REGIMES
from crosscheck.judging.evaluation import InProcessAdapter
from reference.admissible import AdmissibleSet
from reference.formats import FORMATS
from reference.types import Array
from tests.faulty_adapters import wrong

SHAPE = (64, 7, 3, 2)
ALL = {**RELATIONS, STEP_BY_STEP.name: STEP_BY_STEP}
NO = np.zeros((), bool)


def smoothed(X: Array, y: Array, W: Array) -> wrong.Result:
    """Labels drawn towards ½, as label smoothing does."""
    half, quarter = y.dtype.type(0.5), y.dtype.type(0.25)
    return wrong.right(X, y + quarter * (half - y), W)


def filled(X: Array, y: Array, W: Array) -> wrong.Result:
    """A small number in place of every zero of X in the backward pass."""
    y_hat, loss, _ = wrong.right(X, y, W)
    backward = np.where(X == 0, X.dtype.type(2.0**-4), X)
    return y_hat, loss, wrong.product(wrong.turned(backward), (y_hat - y) * y_hat * (1 - y_hat))


def averaged(X: Array, y: Array, W: Array) -> wrong.Result:
    """The mean over rows in place of their sum."""
    y_hat, loss, grad = wrong.right(X, y, W)
    rows = X.dtype.type(X.shape[-2])
    return y_hat, loss / rows, grad / rows


def lopsided(X: Array, y: Array, W: Array) -> wrong.Result:
    """∂ŷ/∂z twice as large where ŷ is above ½."""
    y_hat, loss, _ = wrong.right(X, y, W)
    factor = np.where(y_hat > y_hat.dtype.type(0.5), 2, 1).astype(X.dtype)
    return y_hat, loss, wrong.product(wrong.turned(X), (y_hat - y) * y_hat * (1 - y_hat) * factor)


def unrounded(X: Array, y: Array, W: Array) -> wrong.Result:
    """All in float64, and rounded when it is returned, as a program that fuses its operations may."""
    y_hat, loss, grad = wrong.right(*(array.astype(np.float64) for array in (X, y, W)))
    return y_hat.astype(X.dtype), loss.astype(X.dtype), grad.astype(X.dtype)


PLANTED = {
    "labels_equal_outputs": smoothed,
    "zero_column": filled,
    "rows_add_up": averaged,
    "mirrored": lopsided,
}


def planted(evaluate: Any, *dtypes: str) -> InProcessAdapter:
    return InProcessAdapter(wrong.Planted("adapter", evaluate, *dtypes))


def single(value: float, shape: tuple[int, int] = (2, 1)) -> Literal:
    """Two rows, all of whose numbers are the same."""
    X, y, W = np.full(shape, value), np.full((shape[0], 1), value), np.full((shape[1], 1), value)
    return Literal("float64", X, y, W)


@pytest.mark.long
@pytest.mark.untraced
@pytest.mark.parametrize("regime", [*REGIMES, "mixed"])
@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("relation", ALL.values(), ids=ALL)
def test_the_closed_form_keeps_all_relations_everywhere(relation: Relation, dtype: str, regime: str) -> None:
    assert (
        relation.violations(InProcessAdapter(adapters.load("numpy")), Case(regime, 3, SHAPE, dtype=dtype))
        == []
    )


@pytest.mark.parametrize(
    "case",
    [
        *(
            Case("ordinary", 3, (2, 3, 4, 3, 1), layout, "float32")
            for layout in ("broadcast", "strided", "transposed")
        ),
        Case("ordinary", 3, (4, 3, 2)),
    ],
    ids=lambda case: case.text,
)
@pytest.mark.parametrize("relation", ALL.values(), ids=ALL)
def test_the_relations_hold_in_any_layout_of_any_stack_and_without(relation: Relation, case: Case) -> None:
    assert relation.violations(InProcessAdapter(adapters.load("numpy")), case) == []


@pytest.mark.long
@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("name", RELATIONS)
def test_a_planted_adapter_breaks_its_own_relation_and_no_other(name: str, dtype: str) -> None:
    case = Case("ordinary", 3, SHAPE, dtype=dtype)
    broken = {
        relation.name for relation in RELATIONS.values() if relation.violations(planted(PLANTED[name]), case)
    }
    assert broken == {name}


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_digits_kept_beside_the_loss_break_the_exact_relation_only(dtype: str) -> None:
    case, keeps = Case("ordinary", 3, SHAPE, dtype=dtype), planted(unrounded)
    assert [relation.name for relation in ALL.values() if relation.violations(keeps, case)] == [
        STEP_BY_STEP.name
    ]


@pytest.mark.parametrize("dtype", FORMATS)
def test_the_exact_relation_sees_what_the_bounds_leave_room_for(dtype: str) -> None:
    def nudged(X: Array, y: Array, W: Array) -> wrong.Result:
        y_hat, loss, grad = wrong.right(X, y, W)
        return y_hat, loss, grad + grad.dtype.type(FORMATS[dtype].least_subnormal)

    case = Case("ordinary", 3, SHAPE, dtype=dtype)
    assert RELATIONS["labels_equal_outputs"].violations(planted(nudged), case) == []
    assert STEP_BY_STEP.violations(planted(nudged), case)
    assert RELATIONS["zero_column"].violations(planted(nudged), case)


def test_a_violation_says_who_where_what_and_on_which_case() -> None:
    case = single(0.0)
    (sentence,) = RELATIONS["zero_column"].violations(
        planted(lambda *_: {"grad": np.full((1, 1), 0.5)}), case
    )
    where = "grad[0, 0]: got 0x1p-1, want 0x0p+0 (1 of 1 elements)"
    assert sentence == f"planted-adapter breaks zero_column at {where}; case {case.text}"


def test_a_violation_of_a_sum_gives_the_ends_of_what_is_allowed() -> None:
    found = RELATIONS["rows_add_up"].violations(planted(averaged), Case("ordinary", 3, SHAPE))
    assert [sentence.split(":")[0] for sentence in found] == [
        f"planted-adapter breaks rows_add_up at {place}" for place in ("loss[0]", "grad[0, 0, 0]")
    ]
    assert all(", want [" in sentence for sentence in found)


@pytest.mark.parametrize("name", ["rows_add_up", "mirrored"])
def test_what_is_no_number_where_one_is_due_is_a_violation(name: str) -> None:
    found = RELATIONS[name].violations(InProcessAdapter(wrong.nan), Case("ordinary", 3, SHAPE))
    assert any("grad[0, 0, 0]: got nan, want [" in sentence for sentence in found)


@pytest.mark.parametrize("output", ["y_hat", "row_loss"])
def test_a_row_that_is_wrong_in_a_part_only_breaks_rows_add_up(output: str) -> None:
    def rows(X: Array, y: Array, W: Array) -> dict[str, Array]:
        y_hat = wrong.forward(X, W)
        row_loss = np.sum(0.5 * (y - y_hat) ** 2, axis=-1)
        outputs = {"y_hat": y_hat, "row_loss": row_loss}
        return {output: outputs[output] / (1 if X.shape[-2] == SHAPE[1] else 2)}

    (sentence,) = RELATIONS["rows_add_up"].violations(planted(rows), Case("ordinary", 3, SHAPE))
    assert f"{output}[0, 0" in sentence


@pytest.mark.parametrize("relation", ALL.values(), ids=ALL)
def test_a_relation_that_could_check_nothing_says_so(relation: Relation) -> None:
    with pytest.raises(
        VacuousError, match=f"^{relation.name} finds nothing to check of planted-healthy on float64"
    ):
        relation.violations(InProcessAdapter(wrong.healthy), single(np.nan))


def only(name: str) -> Any:
    """A right network that returns one output."""
    return lambda *given: {name: dict(zip(("y_hat", "loss", "grad"), wrong.right(*given), strict=True))[name]}


ROWS = Case("ordinary", 3, SHAPE)
VACUOUS = {
    "y_hat alone": (RELATIONS["labels_equal_outputs"], only("y_hat"), ROWS),
    "loss alone": (RELATIONS["labels_equal_outputs"], only("loss"), ROWS),
    "y_hat alone, exactly": (STEP_BY_STEP, only("y_hat"), ROWS),
    "grad alone, exactly": (STEP_BY_STEP, only("grad"), ROWS),
    "loss alone, a column of zeros": (RELATIONS["zero_column"], only("loss"), ROWS),
    "a single row": (RELATIONS["rows_add_up"], wrong.right, Case("ordinary", 3, (4, 1, 3, 1))),
    "not judged": (RELATIONS["mirrored"], wrong.right, Case("ordinary", 3, (4, 2, 65, 1), dtype="bfloat16")),
}


@pytest.mark.parametrize(("relation", "evaluate", "case"), VACUOUS.values(), ids=VACUOUS)
def test_a_relation_without_the_outputs_rows_or_sets_that_it_needs_is_vacuous(
    relation: Relation, evaluate: Any, case: Case
) -> None:
    with pytest.raises(VacuousError, match="nothing to check"):
        relation.violations(planted(evaluate), case)


@pytest.mark.parametrize("relation", ALL.values(), ids=ALL)
def test_what_is_not_supported_is_not_judged_by_a_relation(relation: Relation) -> None:
    with pytest.raises(NotImplementedError, match="no stacks here"):
        relation.violations(InProcessAdapter(wrong.refuses), Case("ordinary", 3, SHAPE))
    with pytest.raises(NotImplementedError, match="has no float32"):
        relation.violations(planted(wrong.right, "float64"), Case("ordinary", 3, SHAPE, dtype="float32"))


@pytest.mark.parametrize(("sum_of_parts", "kept"), [(1.75, True), (1.75 + 2.0**-52, False)])
def test_a_sum_may_be_off_by_radii_and_centers_and_not_a_bit_more(sum_of_parts: float, kept: bool) -> None:
    whole, parts = (
        observed(0.75, 1.0, 0.25),
        (observed(1.0, 0.5, 0.25), observed(sum_of_parts - 1.0, 0.25, 0.25)),
    )
    (check,) = relations.check_signed_sum("loss", [(1, whole), *((-1, part) for part in parts)])
    assert check.applies
    assert check.holds == kept


def test_a_sum_beyond_the_largest_number_is_a_sum_like_any_other() -> None:
    whole, part = observed(-(2.0**1023), 2.0**1023, 2.0**1022), observed(2.0**1023, 2.0**1023, 2.0**1022)
    (check,) = relations.check_signed_sum("loss", [(1, whole), (-1, part), (-1, part)])
    assert (float(check.lo), float(check.hi)) == (-(2.0**1022), np.inf)
    assert not check.holds


def observed(got: float, center: float, radius: float) -> Observed:
    """One loss, and the interval that admits it."""
    interval = AdmissibleSet(np.array(center), np.array(radius), NO, NO, NO, NO, ~NO)
    return Observed({"loss": np.array(got)}, {"loss": interval})


@pytest.mark.parametrize("dtype", FORMATS)
def test_labels_of_the_mirrored_relation_are_all_nine_eighths(dtype: str) -> None:
    eighths = relations.eighths(Case("ordinary", 3, SHAPE, dtype=dtype).problem().y)
    assert set(eighths.ravel().tolist()) == set(range(9))
    assert ((eighths / 8).astype(FORMATS[dtype].dtype).astype(float) * 8 == eighths).all()
