"""The comparison of the matrix: each case once, for all its modes, in processes that they share."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from command_line import crosscheck
from pytest_runs import adapter
from tracing import untraced

from adapters import NAMED, AdapterError
from adapters.modes import parse
from crosscheck import pool
from crosscheck.compare import session
from crosscheck.inputs import Case
from crosscheck.judging.evaluation import InProcessAdapter
from crosscheck.judging.judge import Judge
from crosscheck.plans.combinations import all_combinations
from crosscheck.plans.items import combined_items, named_items
from crosscheck.plans.matrix import matrix_plan, selected
from crosscheck.plans.plan import Plan, PlannedCase, cases_of
from crosscheck.plans.shapes import CLASSES
from crosscheck.pool import AdapterPool
from crosscheck.results import record
from crosscheck.results.measure import BUDGET, oracle_budget
from crosscheck.results.summary import merged
from crosscheck.terminal import report
from crosscheck.terminal.report import heading
from reference.formats import FORMATS
from reference.types import Array, Problem
from tests.cli.test_compare import report_text, results_of
from tests.faulty_adapters import wrong

# With one xdist worker: its fixture takes seconds.
pytestmark = pytest.mark.xdist_group("comparison")

ALL = tuple(FORMATS)
COMBINATION = "jax-jit-row_loss-closed_W-vectors"
CASES = [Case("ordinary", seed, (5, 2, 3, 1), dtype="float32") for seed in range(3)]


def chosen(*only: str, dtypes: tuple[str, ...] = ALL, thorough: bool = False) -> Plan:
    return matrix_plan([spec.name for spec in selected(only, (), dtypes)], dtypes, thorough=thorough)


def modes_of(plan: Plan) -> set[str]:
    return {name for names in plan.cases.values() for name in names or ()}


# ------------------------------------------------------------------------------------------- the plan


@pytest.mark.long
@pytest.mark.parametrize("thorough", [False, True])
def test_every_mode_meets_the_cases_of_its_items_and_no_others(thorough: bool) -> None:
    plan = chosen(thorough=thorough)
    items = [*named_items(NAMED, thorough=thorough), *combined_items(thorough=thorough)]
    want = {(item.mode, case) for item in items for case in item.cases}
    got = [(name, case) for case, names in plan.cases.items() for name in names or ()]
    assert len(got) == len(set(got))
    assert set(got) == want
    assert plan.is_whole


@pytest.mark.long
def test_every_case_comes_once_and_the_small_ones_first() -> None:
    plan = chosen("torch")
    cases = list(plan.cases)
    sizes = [Judge(case.problem()).problem.X.size for case in cases if case.shape[-1] == 1]
    assert len(cases) == len(set(cases))
    assert sizes == sorted(sizes)


def test_who_did_not_start_meets_nobody() -> None:
    planned_cases = list(cases_of(chosen("numpy").cases, ["numpy"]))
    assert {name for planned in planned_cases for name in planned.names} == {"numpy"}
    assert len(planned_cases) == len(chosen("numpy").cases)


# By what is chosen: the modes with names among it, and whether combinations are among it.
CHOSEN: dict[str, tuple[set[str], bool]] = {
    "torch-compile": ({"torch-compile"}, False),
    "torch-jvp": ({"torch-jvp"}, False),  # a combination, and a mode with a name
    "numpy": ({"numpy", "numpy-2threads", "numpy-out"}, False),
    "jax-jit-v*": ({"jax-jit-vmap", "jax-jit-vmap-jacfwd"}, True),
    "jax-jit-scan-vectors-2threads": ({"jax-jit-scan-vectors-2threads"}, False),  # in neither list
    COMBINATION: (set(), True),
}


@pytest.mark.parametrize("only", CHOSEN)
def test_only_takes_names_patterns_and_frameworks_of_modes_and_combinations(only: str) -> None:
    plan = chosen(only)
    assert (modes_of(plan) - set(plan.labels), bool(plan.labels)) == CHOSEN[only]
    assert not plan.is_whole


def test_a_mode_outside_every_list_meets_every_class_of_small_shapes_with_compiled_modes() -> None:
    plan = chosen("jax-jit-scan-vectors-2threads", dtypes=("float32",))
    assert {case.dtype for case in plan.cases} == {"float32"}
    assert modes_of(plan) == {"jax-jit-scan-vectors-2threads"}
    assert len(plan.cases) > 10


def test_dtypes_narrow_the_cases_and_the_combinations() -> None:
    plan = chosen("torch", dtypes=("float16",))
    assert {case.dtype for case in plan.cases} == {"float16"}
    assert set(plan.labels) <= {name for name, dtype in all_combinations() if dtype == "float16"}
    assert not plan.is_whole


def test_a_combination_without_a_case_in_these_dtypes_is_a_mistake() -> None:
    with pytest.raises(AdapterError, match="no case in float16"):
        chosen(COMBINATION, dtypes=("float16",))


def test_combinations_of_a_framework_share_a_label_and_modes_with_names_have_their_own() -> None:
    plan = chosen()
    counts = Counter(plan.label(name) for name in modes_of(plan))
    assert {label for label, count in counts.items() if count == 1} == set(NAMED)
    for framework in ("torch", "jax"):
        own = [name for name in plan.labels if parse(name).framework == framework]
        assert counts[f"{framework}: {len(own)} combinations"] == len(own)


def test_the_contract_is_checked_on_modes_with_names_in_every_dtype() -> None:
    checked = chosen().contract
    assert [case.dtype for case in checked] == list(FORMATS)
    assert all(names == NAMED for names in checked.values())


def test_the_coverage_of_a_mode_tells_every_class_of_shapes_apart() -> None:
    assert chosen().classes == tuple(CLASSES)


# ------------------------------------------------------------------------------------------ the engine


class Watched(InProcessAdapter):
    """An adapter that remembers its calls, and whether another one was under way."""

    lock = threading.Lock()

    def __init__(self, name: str, overlaps: list[str]) -> None:
        super().__init__(wrong.Planted(name, wrong.right))
        self.calls: list[Problem] = []
        self.overlaps = overlaps

    def evaluate(self, X: Array, y: Array, W: Array) -> Any:
        """The outputs, and a note where two calls overlap."""
        if not self.lock.acquire(blocking=False):
            self.overlaps.append(self.description.name)
            return super().evaluate(X, y, W)
        try:
            self.calls.append(Problem(X, y, W))
            threading.Event().wait(0.01)
            return super().evaluate(X, y, W)
        finally:
            self.lock.release()


def sharing(adapters: Sequence[Watched]) -> AdapterPool:
    """A pool of adapters that share a process."""
    names = [adapter.description.name for adapter in adapters]
    return AdapterPool(dict(zip(names, adapters, strict=True)), dict.fromkeys(names, "one process"))


def test_a_case_has_one_judge_and_is_given_to_those_who_meet_it(monkeypatch: pytest.MonkeyPatch) -> None:
    judged: list[Problem] = []

    class Counted(Judge):
        def __init__(self, problem: Problem) -> None:
            judged.append(problem)
            super().__init__(problem)

    monkeypatch.setattr(session, "Judge", Counted)
    adapters = [Watched(name, []) for name in ("a", "b")]
    one, two = (adapter.description.name for adapter in adapters)
    planned_cases = [
        PlannedCase(CASES[0], (one,)),
        PlannedCase(CASES[1], (one, two)),
        PlannedCase(CASES[2], (two,)),
    ]
    with sharing(adapters) as shared:
        results = session.compare(planned_cases, shared, lambda _: None)
    assert len(judged) == results.judged == 3
    assert [len(adapter.calls) for adapter in adapters] == [2, 2]
    assert adapters[0].calls[1].X is adapters[1].calls[0].X
    assert {cell.adapter for cell in results.summaries} == {one, two}
    assert merged(results.summaries.values()).problems == 4 * 5 * 3  # calls, problems, outputs


def test_those_who_share_a_process_are_called_one_at_a_time() -> None:
    overlaps: list[str] = []
    adapters = [Watched(name, overlaps) for name in "abc"]
    with sharing(adapters) as shared:
        planned_cases = [PlannedCase(case, tuple(shared.adapters)) for case in CASES]
        session.compare(planned_cases, shared, lambda _: None)
    assert overlaps == []
    assert sum(len(adapter.calls) for adapter in adapters) == 9


def test_as_much_is_handed_in_ahead_as_memory_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    handed: list[Case] = []

    def planned_cases() -> Any:
        for case in CASES:
            handed.append(case)
            yield PlannedCase(case, ("planted-healthy",))

    healthy = AdapterPool({"planted-healthy": InProcessAdapter(wrong.healthy)})
    for ahead, want in ((0, [1, 2, 3]), (2**24, [3, 3, 3])):
        handed.clear()
        before: list[int] = []
        monkeypatch.setattr(pool, "AHEAD", ahead)
        session.compare(planned_cases(), healthy, lambda _, seen=before: seen.append(len(handed)))  # type: ignore[misc]
        assert before == want
    healthy.close()


def test_a_large_case_is_judged_without_the_oracle() -> None:
    cases = [Case("cancelling", 0, shape, dtype="float64") for shape in ((64, 2, 33, 1), (65535, 3, 1))]
    assert [oracle_budget(Judge(case.problem())) for case in cases] == [BUDGET, 0]


# -------------------------------------------------------------------------------------------- a whole run


def test_many_modes_are_counted_in_the_heading_and_few_are_listed() -> None:
    said = [InProcessAdapter(wrong.Planted(f"p{i}", wrong.right)).description for i in range(12)]
    few, many = (list(heading(matrix_plan(NAMED), said[:count])) for count in (2, 12))
    assert few[2:] == ["  planted-p0: planted 1.0, cpu", "  planted-p1: planted 1.0, cpu"]
    assert many[2:] == ["  planted 1.0, cpu: 12 modes"]


def test_the_heading_lists_the_claims_of_an_adapter_from_outside_with_their_sources() -> None:
    claims = {"kappa": 9.0, "flush": True, "sources": {"flush": "https://example.org/flush"}}
    adapter = wrong.Planted("claiming", wrong.right, "float32", "float16")
    adapter.arithmetic = lambda dtype: claims | ({"u_acc": 2.0**-24} if dtype == "float16" else {})  # type: ignore[attr-defined]
    _, _, *lines = heading(matrix_plan(NAMED), [InProcessAdapter(adapter).description])
    assert lines[1:] == [
        "    claims kappa = 9.0 in float32, float16: no source is named",
        "    claims flush in float32, float16: https://example.org/flush",
        "    claims u_acc = 2^-24 in float16: no source is named",
    ]


def planted(count: int, of: Any = wrong.right) -> list[InProcessAdapter]:
    return [InProcessAdapter(wrong.Planted(f"p{i}", of)) for i in range(count)]


def test_many_adapters_that_agree_are_counted_in_the_first_line() -> None:
    adapters = planted(9)
    assert "Within bounds: 9 modes of planted: " in report_text(results_of(*adapters), adapters)


def test_a_finding_keeps_all_that_are_wrong_and_a_few_that_are_right() -> None:
    results = results_of(*planted(12), InProcessAdapter(wrong.sign))
    names = [outcome.description.name for outcome in results.failing_cases[0].outcomes]
    assert names[0] == "planted-sign"
    assert len(names) == 1 + record.MOST_AGREEING


def test_so_many_disagreements_are_reported_in_full_and_every_one_is_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(report, "MOST_MESSAGES", 2)
    adapters = planted(4, wrong.scaled(-1))
    text = report_text(results_of(*adapters), adapters)
    assert text.count(" is wrong: grad") == 2
    assert text.count(" float32 grad: ") == 4


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """NumPy's modes in float32, and in float16 beside adapters from outside that are wrong and that crash."""
    outside = adapter("wrong:sign", "deaths:always")
    journal = str(tmp_path_factory.mktemp("journal"))
    options = ["compare", "--matrix", "--only", "numpy", "--coverage", "--journal", journal]
    with untraced():
        healthy = crosscheck(*options, "--dtype", "float32")
    return healthy, crosscheck(*options, "--dtype", "float16", *outside)


@pytest.mark.long
def test_the_matrix_of_one_framework_agrees_and_has_no_gap_without_a_reason(run: Any) -> None:
    healthy, _ = run
    assert (healthy.returncode, healthy.stderr) == (0, "")
    lines = healthy.stdout.splitlines()
    assert lines[1].startswith("The matrix: 3 modes and 0 combinations of factors")
    assert "Within bounds: numpy, numpy-2threads, numpy-out: " in healthy.stdout
    assert [line.split()[:3] for line in lines if line.startswith("numpy-2threads ")][1:] == [
        ["numpy-2threads", "float32", shapes] for shapes in CLASSES
    ]
    assert "nothing explains" not in healthy.stdout
    assert max(map(len, lines)) <= 132


@pytest.mark.long
def test_what_is_wrong_or_crashes_in_the_matrix_is_reported_and_the_others_go_on(run: Any) -> None:
    _, broken = run
    said = " ".join(broken.stdout.split())
    assert broken.returncode == 1
    assert "planted-sign is wrong: grad" in said
    assert said.count("float16: planted-always exited with status 0") == 1
    assert "Not all within bounds (outside: planted-sign; nothing judged: planted-always; " in said
    assert "it failed or gave no answer in time, or was not asked again after that" in said
    assert "nothing explains" not in said
    agreeing = [
        line for line in broken.stdout.splitlines() if line.startswith("numpy") and "within bounds" in line
    ]
    assert len(agreeing) == 3
