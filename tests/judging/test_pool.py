"""The pool: an adapter that crashes is out and named, the others go on; a summary counts what was judged."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from agreement import DisagreementError, explained

from adapters import AdapterError, Spec
from adapters.errors import AdapterCrashed, AdapterMisbehaved, NoAnswer
from adapters.process_options import ProcessOptions
from crosscheck.explain.message import replay
from crosscheck.inputs import Case
from crosscheck.inputs.regimes import REGIMES
from crosscheck.judging.evaluation import InProcessAdapter
from crosscheck.pool import CRASHED, LATE, AdapterPool
from crosscheck.results.run_summary import RunSummary
from reference.formats import FORMATS
from reference.types import Problem
from tests.faulty_adapters import deaths, wrong

# With one xdist worker: its fixture takes seconds.
pytestmark = pytest.mark.xdist_group("pool")

STACK = Case("ordinary", 5, (7, 1, 3, 1)).problem()
UNLUCKY = STACK._replace(W=STACK.W * 0 + deaths.UNLUCKY)
TIMEOUT = 1.0  # seconds, for the one that hangs
FATES = {
    "segfault": "killed by signal 11 (SIGSEGV)",
    "exits": "exited with status 0",
    "killed": "killed by signal 9 (SIGKILL)",
}
SLOW = "gave no answer within 1 s, nor within 2 s when tried once more alone (load "


def spec(module: str, name: str) -> Spec:
    target = f"tests.faulty_adapters.{module}:{name}"
    return Spec(target, target)


def started(*specs: Spec, journal: Path) -> AdapterPool:
    return AdapterPool.start(specs, ProcessOptions(journal, TIMEOUT, compile_timeout=TIMEOUT))


@pytest.fixture(scope="module")
def after_crashes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AdapterPool]:
    """A pool of a healthy adapter, three that crashed on their unlucky input, and one that hangs there."""
    specs = [spec("wrong", "healthy"), *(spec("deaths", name) for name in (*FATES, "endless"))]
    pool = started(*specs, journal=tmp_path_factory.mktemp("journal"))
    assert pool.results(STACK).is_green
    assert pool.unreported_crashes() == {}
    pool.results(UNLUCKY)
    yield pool
    pool.close()


@pytest.mark.long
def test_an_adapter_that_crashes_is_out_and_the_others_go_on(after_crashes: AdapterPool) -> None:
    assert after_crashes.active == ["tests.faulty_adapters.wrong:healthy"]
    heard = after_crashes.results(STACK)
    assert [outcome.description.name for outcome in heard.outcomes] == ["planted-healthy"]
    assert heard.is_green


@pytest.mark.long
@pytest.mark.parametrize("name", FATES)
def test_the_summary_names_what_crashed_and_where_its_input_is(name: str, after_crashes: AdapterPool) -> None:
    target = f"tests.faulty_adapters.deaths:{name}"
    crash = after_crashes.crashed[target]
    assert (crash.adapter, crash.how) == (f"planted-{name}", FATES[name])
    assert f"crashed: {target}: planted-{name} {FATES[name]}; its input: {crash.journal}" in "\n".join(
        after_crashes.run_summary.lines()
    )


@pytest.mark.long
def test_a_crash_is_told_once_with_the_line_that_replays_it(after_crashes: AdapterPool) -> None:
    crashes = after_crashes.unreported_crashes()
    assert {what: len(lines) for what, lines in crashes.items()} == {CRASHED: len(FATES), LATE: 1}
    for (name, crash), text in zip(
        after_crashes.crashed.items(), [*crashes[CRASHED], *crashes[LATE]], strict=True
    ):
        assert text.startswith(str(crash))
        assert text.endswith(replay(str(crash.journal), name))
    assert after_crashes.unreported_crashes() == {}


@pytest.mark.long
def test_who_gives_no_answer_in_time_is_out_without_a_verdict(after_crashes: AdapterPool) -> None:
    target = "tests.faulty_adapters.deaths:endless"
    assert isinstance(after_crashes.crashed[target], NoAnswer)
    told = [line for line in after_crashes.run_summary.lines() if target in line]
    assert [line.partition(SLOW)[0] for line in told] == [f"no verdict: {target}: planted-endless "]
    assert not after_crashes.run_summary.is_green


def test_a_crash_while_loading_leaves_the_others_in_the_pool(tmp_path: Path) -> None:
    pool = started(spec("import_exit", "any"), spec("wrong", "healthy"), journal=tmp_path)
    assert list(pool.adapters) == ["tests.faulty_adapters.wrong:healthy"]
    (text,) = pool.unreported_crashes()[CRASHED]
    assert text.startswith(
        "tests.faulty_adapters.import_exit:any exited with status 0; before its first call; "
    )
    assert pool.results(STACK).is_green
    pool.close()


def test_an_adapter_that_cannot_be_loaded_ends_the_pool_and_every_child(tmp_path: Path) -> None:
    with pytest.raises(AdapterError, match="the planted framework is not here"):
        started(spec("wrong", "healthy"), spec("import_error", "any"), journal=tmp_path)
    assert list(tmp_path.glob("*healthy*")) == []  # a child that was closed leaves no file


def test_two_adapters_of_one_name_are_refused(tmp_path: Path) -> None:
    ours, yours = (Spec(name, "adapters.closed_form:closed_form") for name in ("numpy", "yours"))
    with pytest.raises(AdapterError, match=r"^two adapters are called 'numpy'; rename yours"):
        started(ours, yours, journal=tmp_path)
    assert list(tmp_path.iterdir()) == []


def seated(**adapters: Any) -> AdapterPool:
    """A pool in this process."""
    return AdapterPool({name: InProcessAdapter(adapter) for name, adapter in adapters.items()})


def summary_lines(pool: AdapterPool, *problems: Problem) -> list[str]:
    for problem in problems:
        pool.results(problem)
    return list(pool.run_summary.lines())


def by_regime(**counts: int) -> str:
    told = ", ".join(f"{name} {counts.get(name, 0):,}" for name in REGIMES)
    return f"judged elements of ŷ by regime: {told}"


def test_problems_and_elements_are_counted_for_each_adapter() -> None:
    lines = summary_lines(seated(one=wrong.healthy, two=wrong.sign), *[STACK] * 300)
    assert lines == ["problems: planted-healthy 2,100, planted-sign 2,100", by_regime(ordinary=4200)]


@pytest.mark.parametrize("dtype", FORMATS)
def test_elements_are_counted_in_every_regime(dtype: str) -> None:
    case = Case("mixed", 0, (40, 2, 3, 2), dtype=dtype)
    pool = seated(one=wrong.healthy, two=wrong.refuses)
    result = pool.results(case.problem())
    judged = result.outcomes[0].judgements["y_hat"].decided
    counts = np.bincount(result.judge.places[judged], minlength=len(REGIMES)).tolist()
    assert pool.run_summary.regimes == dict(zip(REGIMES, counts, strict=True))
    assert pool.run_summary.regimes.total() > 0.9 * judged.size
    assert all(pool.run_summary.regimes[name] for name in REGIMES)


def test_what_is_not_supported_is_told_once_and_not_counted() -> None:
    narrow = wrong.Planted("narrow", wrong.right, "float32")
    lines = summary_lines(seated(healthy=wrong.healthy, narrow=narrow, refuses=wrong.refuses), STACK, STACK)
    assert lines == [
        "problems: planted-healthy 14, planted-narrow 0, planted-refuses 0",
        "not supported: planted-narrow float64: planted-narrow has no float64",
        "not supported: planted-refuses float64: no stacks here",
        by_regime(ordinary=14),
        "without a verdict: planted-narrow: nothing that it was asked could be judged",
        "without a verdict: planted-refuses: nothing that it was asked could be judged",
    ]


def test_what_is_not_judged_is_counted_by_output() -> None:
    many = Case("ordinary", 5, (3, 70, 1, 1), dtype="bfloat16").problem()
    pool = seated(healthy=wrong.healthy)
    assert pool.results(many).is_green
    assert summary_lines(pool, STACK, many) == [
        "problems: planted-healthy 13",
        "not judged: planted-healthy bfloat16 loss, 6 numbers: their sets hold all that they can be",
        "not judged: planted-healthy bfloat16 grad, 6 numbers: their sets hold all that they can be",
        by_regime(ordinary=419, near_label=6, saturated_low=2),
    ]


def test_an_adapter_is_without_a_verdict_only_if_it_was_asked_and_never_judged() -> None:
    pool = seated(healthy=wrong.healthy, refuses=wrong.refuses, raises=wrong.raises)
    assert pool.run_summary.adapters_without_verdict == []
    pool.results(STACK)
    assert pool.run_summary.adapters_without_verdict == ["planted-refuses"]  # the one that raises has failed


@pytest.mark.parametrize("adapter", [wrong.sign, wrong.raises, wrong.wrong_shape])
def test_a_result_is_not_green_if_one_output_is_wrong(adapter: wrong.Planted) -> None:
    heard = seated(healthy=wrong.healthy, wrong=adapter).results(STACK)
    assert not heard.is_green
    assert [outcome.is_green for outcome in heard.outcomes] == [True, False]


def test_misbehaviour_is_no_crash() -> None:
    pool = seated(raises=wrong.raises)
    for _ in range(2):
        (outcome,) = pool.results(STACK).outcomes
        assert isinstance(outcome.failure, AdapterMisbehaved)
    assert (pool.crashed, pool.unreported_crashes()) == ({}, {})


def test_a_crash_that_somebody_else_saw_retires_the_adapter() -> None:
    pool, crash = seated(one=wrong.healthy), AdapterCrashed("one", "exited with status 0", None, Path("log"))
    pool.retire("one", crash)
    assert (pool.active, pool.unreported_crashes()) == ([], {CRASHED: [str(crash)]})
    assert pool.results(STACK).outcomes == ()


def test_a_disagreement_that_does_not_come_again_is_explained_all_the_same() -> None:
    pool, case = seated(sign=wrong.sign), Case("ordinary", 5, (7, 1, 3, 1))
    inner = ExceptionGroup("flaky", [DisagreementError(case, pool.results(case.problem()))])
    with pytest.raises(pytest.fail.Exception, match=r"^planted-sign is outside on grad\n"), explained(pool):
        raise ExceptionGroup("twice", [ValueError("first"), inner])


def test_other_errors_are_not_explained_away() -> None:
    for error in (ValueError("strategy"), ExceptionGroup("both", [ValueError("strategy")])):
        with pytest.raises(type(error)) as raised, explained(seated()):
            raise error
        assert raised.value is error


def run_summary_of(**counts: dict[str, int]) -> RunSummary:
    run_summary = RunSummary()
    run_summary.add(counts)
    return run_summary


def test_the_summaries_of_several_processes_add_up() -> None:
    one = run_summary_of(problems={"numpy": 2}, not_judged={"numpy bfloat16 loss": 1})
    one.add(run_summary_of(problems={"numpy": 3, "torch": 0}, crashes={"torch: killed": 1}).plain())
    assert list(one.lines()) == [
        "problems: numpy 5, torch 0",
        "not judged: numpy bfloat16 loss, 1 numbers: their sets hold all that they can be",
        "crashed: torch: killed",
    ]


def test_a_regime_that_nothing_fell_into_is_reported_beside_the_others() -> None:
    first = run_summary_of(regimes={"ordinary": 1200, "zeros": 7})
    first.add(run_summary_of(regimes={"ordinary": 34}).plain())
    counts = {**dict.fromkeys(REGIMES, "0"), "ordinary": "1,234", "zeros": "7"}
    told = ", ".join(f"{name} {count}" for name, count in counts.items())
    assert list(first.lines())[-1] == f"judged elements of ŷ by regime: {told}"


@pytest.mark.parametrize(
    ("run_summary", "is_green"),
    [
        (run_summary_of(), True),
        (run_summary_of(answered={"numpy": 1}, judged={"numpy": 1}), True),
        (run_summary_of(answered={"numpy": 1}), False),
        (run_summary_of(answered={"numpy": 1}, judged={"torch": 1}), False),
        (run_summary_of(crashes={"numpy: killed": 1}), False),
        (run_summary_of(no_verdict={"numpy: gave no answer": 1}), False),
        (run_summary_of(answered={"numpy": 1}, judged={"numpy": 1}, tried_again={"numpy: slow": 1}), True),
    ],
    ids=["nothing asked", "judged", "without a verdict", "another judged", "dead", "late", "late once"],
)
def test_a_run_with_a_crash_or_no_verdict_is_not_green(run_summary: RunSummary, is_green: bool) -> None:
    assert run_summary.is_green is is_green
