"""The matrix: every mode of every framework on the cases of the plan, with nothing wrong that is unknown."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from adapters import Spec
from crosscheck.inputs import Case
from crosscheck.judging.evaluation import InProcessAdapter, Outcome
from crosscheck.plans.items import Item
from crosscheck.pool import AdapterPool
from crosscheck.pytest_plugin.matrix_run import MatrixRun, never_judged
from crosscheck.results.coverage import NOT_JUDGED
from reference.types import Array
from tests.faulty_adapters import hidden, wrong

SMALL = (Case("ordinary", 0, (2, 7, 3, 2), dtype="float32"), Case("ordinary", 0, (7, 3, 2), dtype="float32"))
LARGE = Case("ordinary", 0, (4095, 3, 1), dtype="float32")
PLANTED = Spec("planted", "tests.faulty_adapters.wrong:healthy")


def agreeing(matrix: MatrixRun, spec: Spec, item: Item) -> Iterator[tuple[Case, Outcome]]:
    """The mode on every case; an element outside its set that is no known difference fails the test."""
    for case in item.cases:
        if spec.name in matrix.pool.crashed:
            pytest.fail(f"it crashed earlier: {matrix.pool.crashed[spec.name]}", pytrace=False)
        outcome, known_match = matrix.add(spec, case)
        if not known_match.is_green:
            pytest.fail(matrix.failure_message(spec, case, outcome), pytrace=False)
        yield case, outcome


def assert_agrees_and_is_judged(matrix: MatrixRun, spec: Spec, item: Item) -> None:
    """Nothing is wrong that is unknown, and something is right: refusing every case is no agreement.

    A refusal that depends on values is against the contract.
    """
    silent = never_judged(agreeing(matrix, spec, item))
    name = matrix.pool.descriptions[spec.name].name
    found = [each for each in matrix.results.refusals.by_values() if each.refusal[:2] == (name, item.dtype)]
    if silent or found:
        lines = [f"{item.mode} {item.dtype}: {line}" for line in silent]
        pytest.fail("\n".join([*lines, *(each.sentence for each in found)]), pytrace=False)


@pytest.mark.untraced
def test_a_mode_agrees_at_every_shape_in_every_layout_on_every_kind_of_input(
    matrix: MatrixRun, spec: Spec, named_item: Item
) -> None:
    assert_agrees_and_is_judged(matrix, spec, named_item)


@pytest.mark.untraced
def test_a_combination_of_factors_agrees(matrix: MatrixRun, spec: Spec, combined_item: Item) -> None:
    assert_agrees_and_is_judged(matrix, spec, combined_item)


def outcome_of(adapter: wrong.Planted, *cases: Case) -> str:
    """What is said against a planted adapter on these cases; empty where it passes."""
    pool = AdapterPool({PLANTED.name: InProcessAdapter(adapter)})
    try:
        item = Item("planted", cases[0].dtype, cases)
        assert_agrees_and_is_judged(MatrixRun(pool), PLANTED, item)
    except pytest.fail.Exception as failed:
        return str(failed)
    return ""


def refusing(refused: Callable[[Array], bool], *dtypes: str) -> wrong.Planted:
    """A healthy adapter that refuses some X."""

    def evaluate(X: Array, y: Array, W: Array) -> wrong.Result:
        if refused(X):
            raise NotImplementedError("not here")
        return wrong.right(X, y, W)

    return wrong.Planted("refusing", evaluate, *dtypes)


@pytest.mark.parametrize(
    ("adapter", "want"),
    [
        (refusing(lambda _: False), []),
        (refusing(lambda X: X.ndim > 2 and len(X) == 2), []),
        (refusing(lambda X: X.dtype == "float32"), ["none of 2 small", "none of 1 large"]),
        (refusing(lambda X: X.shape[-2] > 4000), ["none of 1 large"]),
        (refusing(lambda X: X.shape[-2] < 4000), ["none of 2 small"]),
        (wrong.refuses, ["none of 2 small", "none of 1 large"]),
    ],
    ids=["nothing", "one of two", "a dtype", "all large", "all small", "everything"],
)
def test_a_mode_that_refuses_all_cases_of_a_size_is_failed(adapter: wrong.Planted, want: list[str]) -> None:
    said = outcome_of(adapter, *SMALL, LARGE)
    assert [line.partition(" cases was judged: ")[0] for line in said.splitlines()] == [
        f"planted float32: {each}" for each in want
    ]


def test_a_mode_that_refuses_by_values_is_failed() -> None:
    cases = [Case(regime, 0, (8, 2, 3, 2), dtype="float32") for regime in ("ordinary", "saturated_high")]
    assert f"at {cases[1].text}, but not at {cases[0].text}" in outcome_of(hidden.refuses_saturated, *cases)


def test_the_reasons_of_the_refusals_are_reported() -> None:
    said = outcome_of(refusing(lambda _: True), *SMALL)
    assert said == "planted float32: none of 2 small cases was judged: not here"


def test_a_mode_whose_outputs_have_trivial_sets_only_is_not_judged() -> None:
    def loss_only(X: Array, y: Array, W: Array) -> dict[str, Array]:
        return {"loss": wrong.right(X, y, W)[1]}

    wide = Case("ordinary", 5, (4, 64, 8, 3), dtype="bfloat16")
    assert NOT_JUDGED in outcome_of(wrong.Planted("loss", loss_only), wide)


def test_a_dtype_that_an_adapter_does_not_list_is_not_asked_of_it() -> None:
    assert outcome_of(refusing(lambda _: True, "float64"), *SMALL, LARGE) == ""
