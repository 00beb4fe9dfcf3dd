"""The comparison: who fails is out and the others go on; what was seen is counted and shown."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from rich.console import Console

from adapters import Spec
from adapters.errors import AdapterCrashed, AdapterError
from adapters.process_adapter import ProcessAdapter
from adapters.process_options import ProcessOptions
from crosscheck.compare.checks import check_alone, collect_violations, start_checks
from crosscheck.compare.session import compare
from crosscheck.explain.message import replay
from crosscheck.inputs import Case, parse
from crosscheck.judging.accuracy import exact_values
from crosscheck.judging.evaluation import CheckedAdapter, InProcessAdapter, evaluate_and_judge
from crosscheck.judging.judge import Judge
from crosscheck.plans.core import core_plan, problems_per_cell
from crosscheck.plans.plan import Plan, PlannedCase, cases_of
from crosscheck.pool import AdapterPool
from crosscheck.results.comparison import Comparison
from crosscheck.results.environment import header
from crosscheck.results.lines import AdapterFault, Fault
from crosscheck.results.record import Results
from crosscheck.results.rows import Row, rows
from crosscheck.results.summary import add, merged
from crosscheck.terminal.report import show
from reference.types import Array, Outputs
from tests.faulty_adapters import wrong
from tests.planted_faults import FAULTS

PLAN = core_plan(dtypes=("float32",), regimes=("ordinary", "zeros"), problems=7)
PER_CELL = problems_per_cell(7)


class Crashing(InProcessAdapter):
    """An adapter whose process crashes in its third call, and in every later one."""

    calls = 0

    def evaluate(self, X: Array, y: Array, W: Array) -> Outputs:
        """The adapter's outputs, twice."""
        self.calls += 1
        if self.calls > 2:
            journal = Path("crashing-3.safetensors")
            raise AdapterCrashed(self.description.name, "exited with status 0", journal, Path("crashing.log"))
        return super().evaluate(X, y, W)


class Refusing:
    """An adapter that has nothing."""

    name, framework, version, dtypes = "refusing", "none", "0", ("float32",)

    def evaluate(self, X: Array, y: Array, W: Array) -> Any:
        """Say why not."""
        raise NotImplementedError("it has no gradient")


def pool_of(*adapters: CheckedAdapter) -> AdapterPool:
    return AdapterPool({adapter.description.name: adapter for adapter in adapters}, strict=True)


def results_of(*adapters: CheckedAdapter, plan: Plan = PLAN) -> Results:
    with pool_of(*adapters) as pool:
        return compare(cases_of(plan.cases, pool.adapters), pool, lambda _: None)


def comparison_of(*adapters: CheckedAdapter, plan: Plan = PLAN, **options: Any) -> Comparison:
    said = [adapter.description for adapter in adapters]
    return Comparison(plan, said, results_of(*adapters, plan=plan), **options)


def row_of(results: Results, adapter: str, output: str) -> Row:
    (row,) = (row for row in rows(results.summaries) if (row.adapter, row.output) == (adapter, output))
    return row


def report_text(
    results: Results, adapters: Sequence[CheckedAdapter], *, width: int = 100, **options: Any
) -> str:
    console = Console(width=width, highlight=False, force_terminal=False)
    descriptions = [adapter.description for adapter in adapters]
    there = {f"tests.faulty_adapters.wrong:{adapter.description.name}": adapter for adapter in adapters}
    with console.capture() as said:
        show(Comparison(PLAN, descriptions, results, adapters=there, **options), console)
    return said.get()


def test_a_healthy_adapter_agrees_on_all_problems_of_the_plan() -> None:
    row = row_of(results_of(InProcessAdapter(wrong.healthy)), "planted-healthy", "grad")
    assert (row.verdict, row.summary.problems) == ("within bounds", 2 * PER_CELL)
    assert (row.judged, row.summary.not_judged) == (row.summary.elements, 0)


def test_a_wrong_adapter_disagrees_and_the_healthy_one_beside_it_agrees() -> None:
    results = results_of(InProcessAdapter(wrong.healthy), InProcessAdapter(wrong.sign))
    assert row_of(results, "planted-sign", "grad").verdict == "outside"
    assert row_of(results, "planted-sign", "loss").verdict == "within bounds"
    assert row_of(results, "planted-healthy", "grad").verdict == "within bounds"


def test_an_adapter_that_crashed_is_not_called_again_and_the_others_go_on() -> None:
    crashing = Crashing(wrong.sign)
    results = results_of(crashing, InProcessAdapter(wrong.healthy))
    row = row_of(results, "planted-sign", "all")
    assert crashing.calls == 3
    assert row.verdict == "failed"
    assert row.judged == 0
    heard = row_of(results, "planted-sign", "loss").summary.problems
    assert row.summary.not_run + row.summary.problems + heard == 2 * PER_CELL
    assert row_of(results, "planted-healthy", "grad").summary.problems == 2 * PER_CELL


def test_an_adapter_that_misbehaves_in_one_dtype_is_heard_in_the_others() -> None:
    plan = core_plan(dtypes=("float64", "float32"), regimes=("ordinary",), problems=3)

    class Half(wrong.Planted):
        def evaluate(self, X: Array, y: Array, W: Array) -> Any:
            return super().evaluate(X, y, W) if X.dtype == "float32" else None

    results = results_of(InProcessAdapter(Half("half", wrong.right)), plan=plan)
    verdicts = {row.dtype: row.verdict for row in rows(results.summaries)}
    assert verdicts == {"float64": "failed", "float32": "within bounds"}


def test_ctrl_c_leaves_what_was_found_so_far() -> None:
    def interrupt(case: Case) -> None:
        if case.regime == "zeros":
            raise KeyboardInterrupt

    with pool_of(InProcessAdapter(wrong.healthy)) as pool:
        results = compare(cases_of(PLAN.cases, pool.adapters), pool, interrupt)
    assert results.interrupted
    assert 0 < merged(results.summaries.values()).problems < 8 * PER_CELL
    assert "Interrupted after 5 of 8 cases" in report_text(results, [InProcessAdapter(wrong.healthy)])


def test_summaries_do_not_depend_on_how_the_plan_is_cut() -> None:
    cases = list(PLAN.cases)
    whole, parts = Results(), [Results(), Results()]
    for place, case in enumerate(cases):
        for results in (whole, parts[place % 2]):
            judge = Judge(case.problem())
            results.add(case, judge, [evaluate_and_judge(InProcessAdapter(wrong.sign), judge)])
    first, second = (part.summaries for part in parts)
    add(first, second)
    assert whole.summaries == first
    assert exact_values(Judge(cases[0].problem()), 0)


@pytest.mark.parametrize(
    ("adapters", "is_green"),
    [
        ([wrong.healthy], True),
        ([wrong.healthy, wrong.sign], False),
        ([wrong.healthy, wrong.raises], False),
        ([wrong.healthy, Refusing()], False),  # nothing judged is no agreement
    ],
    ids=["healthy", "sign", "raises", "refusing"],
)
def test_a_run_is_green_only_if_every_adapter_was_judged_and_agrees(
    adapters: list[Any], is_green: bool
) -> None:
    assert comparison_of(*map(InProcessAdapter, adapters)).is_green == is_green


def test_a_dtype_that_an_adapter_states_and_refuses_is_no_pass() -> None:
    def refusing(X: Array, y: Array, W: Array) -> Any:
        if X.dtype == "float32":
            raise NotImplementedError("no float32 today")
        return wrong.right(X, y, W)

    plan = core_plan(dtypes=("float64", "float32"), regimes=("ordinary",), problems=3)
    for dtypes, without in ((("float64", "float32"), ["planted-half in float32"]), (("float64",), [])):
        adapter = InProcessAdapter(wrong.Planted("half", refusing, *dtypes))
        comparison = comparison_of(adapter, plan=plan)
        assert (comparison.adapters_without_verdict, comparison.is_green) == (without, not without)


def test_an_adapter_that_the_plan_does_not_ask_in_a_dtype_is_judged_by_the_others() -> None:
    adapters = [InProcessAdapter(wrong.healthy), InProcessAdapter(wrong.late_result)]
    cases = {dtype: Case("ordinary", 1, (4, 1, 3, 1), dtype=dtype) for dtype in ("float32", "float64")}
    with pool_of(*adapters) as pool:
        one, two = pool.adapters
        planned = [PlannedCase(cases["float32"], (one, two)), PlannedCase(cases["float64"], (two,))]
        results = compare(planned, pool, lambda _: None)
    comparison = Comparison(PLAN, [adapter.description for adapter in adapters], results)
    assert comparison.adapters_without_verdict == []


@pytest.mark.parametrize("outputs", [("grad",), ("y_hat", "loss")])
def test_problems_are_counted_whatever_outputs_an_adapter_has(outputs: tuple[str, ...]) -> None:
    def some(X: Array, y: Array, W: Array) -> Any:
        every = dict(zip(("y_hat", "loss", "grad"), wrong.right(X, y, W), strict=True))
        return {name: every[name] for name in outputs}

    comparison = comparison_of(InProcessAdapter(wrong.Planted("some", some)))
    assert (comparison.evaluated, comparison.is_green) == (2 * PER_CELL, True)


def test_a_violation_of_the_contract_alone_makes_a_run_fail() -> None:
    said = [AdapterFault("planted-healthy", "float32: it changes its input\n    replay  crosscheck check")]
    comparison = comparison_of(InProcessAdapter(wrong.healthy), violations=said)
    assert not comparison.is_green
    head = header("compare", 0, {each.name: each for each in comparison.descriptions}, "crosscheck compare")
    assert comparison.ledger(head, ()).faults == (
        Fault(who="planted-healthy", what="float32: it changes its input"),
    )


def test_a_violation_of_the_contract_is_reported_with_the_line_that_replays_it() -> None:
    selector, case = "tests.faulty_adapters.wrong:counts_calls", "ordinary:0:1x2x3x2:contiguous:float32"
    with AdapterPool({selector: InProcessAdapter(wrong.counts_calls)}) as pool:
        ((who, line),) = collect_violations(Results(), list(start_checks(PLAN, pool)))
    assert who == "planted-counts-calls"
    assert line.startswith("float32: planted-counts-calls: call 3 with the input of call 2 changes grad")
    assert line.endswith(f"\n    replay  {replay(case, selector)}")


def test_the_report_tells_each_disagreement_once_and_counts_the_others() -> None:
    adapters = [InProcessAdapter(wrong.healthy), InProcessAdapter(wrong.sign)]
    text = report_text(results_of(*adapters), adapters)
    assert text.count("planted-sign is wrong: grad") == 1
    assert text.count("planted-sign float32 grad: ") == 1
    assert text.lstrip().startswith("Not all within bounds (outside: planted-sign): ")
    assert text.rstrip().splitlines()[-1].startswith("Not all within bounds: ")


def test_the_report_names_a_crash_once_with_its_journal() -> None:
    adapters = [Crashing(wrong.healthy), InProcessAdapter(wrong.sign)]
    text = " ".join(report_text(results_of(*adapters), adapters).split())
    assert text.count("planted-healthy failed in float32") == 1
    assert "exited with status 0; its input: crashing-3.safetensors" in text


def test_the_report_gives_a_reason_for_what_is_not_supported_once() -> None:
    adapters = [InProcessAdapter(wrong.healthy), InProcessAdapter(Refusing())]
    assert report_text(results_of(*adapters), adapters).count("it has no gradient") == 1


@pytest.mark.parametrize(
    ("details", "line"),
    [
        (False, "  float32, planted-healthy: zeros: loss all of it"),
        (True, "  float32, planted-healthy: ordinary: loss 25 %; zeros: loss all of it"),
    ],
    ids=["short", "details"],
)
def test_a_regime_of_which_nothing_was_judged_is_named_and_with_details_every_part(
    details: bool, line: str
) -> None:
    adapter = InProcessAdapter(wrong.healthy)
    results = results_of(adapter)
    for cell, summary in results.summaries.items():
        if cell.output == "loss":
            part = summary.elements * (4 if cell.regime == "zeros" else 1)
            results.summaries[cell] = replace(summary, elements=4 * summary.elements, not_judged=part)
    said = report_text(results, [adapter], with_details=details)
    assert line in said.replace("\N{NO-BREAK SPACE}", " ").splitlines()


def test_values_that_differ_within_bounds_are_counted_in_the_report() -> None:
    adapters = [
        InProcessAdapter(wrong.healthy),
        InProcessAdapter(wrong.Planted("near", wrong.scaled(1 + 2.0**-23))),
    ]
    results = results_of(*adapters)
    found = results.differences
    assert f"  {found.different:,} of {found.elements:,} numbers differ; " in report_text(results, adapters)
    assert 0 < found.different < found.elements


def test_a_result_that_is_right_alone_in_a_new_process_depends_on_earlier_calls(tmp_path: Path) -> None:
    targets = [f"tests.planted_faults:{name}" for name in ("plan_by_product", "last_row_dropped")]
    options = ProcessOptions(tmp_path)
    with AdapterPool.start([Spec(target, target) for target in targets], options) as pool:
        cases = [c for text in FAULTS["plan_by_product"].cases() if isinstance(c := parse(text), Case)]
        results = compare(cases_of(dict.fromkeys(cases), pool.adapters), pool, lambda _: None)
        (found,) = check_alone(results, pool, options)
        assert found.adapter == "planted-plan_by_product"
        assert "is within bounds alone in a new process, so its results depend on earlier calls" in found.text
        assert list(pool.unsteady) == [("planted-plan_by_product", "float64")]
        assert check_alone(results, pool, options) == []


@pytest.mark.parametrize(
    ("error", "interrupted"), [(AdapterError("gone"), False), (KeyboardInterrupt(), True)]
)
def test_a_case_that_cannot_be_evaluated_alone_stays_as_it_is(
    error: BaseException, interrupted: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, options = "tests.planted_faults:last_row_dropped", ProcessOptions(tmp_path)
    with AdapterPool.start([Spec(target, target)], options) as pool:
        case = Case("ordinary", 0, (2, 3, 3, 2))
        results = compare(cases_of({case: None}, pool.adapters), pool, lambda _: None)

        def start(*_: object) -> None:
            raise error

        monkeypatch.setattr(ProcessAdapter, "start", start)
        assert check_alone(results, pool, options) == []
        assert (results.interrupted, pool.unsteady) == (interrupted, {})
