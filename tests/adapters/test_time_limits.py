"""Time is no fault: what is slow is tried once more alone, and if that is slow too there is no verdict."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from command_line import crosscheck

from adapters import AdapterError, NoAnswer, Spec
from adapters.process_adapter import ProcessAdapter
from adapters.process_options import LONGER, ProcessOptions, Turns, load
from crosscheck.check import CheckResult, check_exit_code
from crosscheck.compare.checks import collect_violations, start_checks
from crosscheck.compare.session import compare
from crosscheck.inputs import Case
from crosscheck.judging.evaluation import InProcessAdapter
from crosscheck.judging.judge import Judge
from crosscheck.plans.plan import cases_of
from crosscheck.pool import AdapterPool
from crosscheck.results.comparison import Comparison
from crosscheck.results.record import Results
from reference.types import Array, Outputs
from tests.cli.test_compare import PLAN, pool_of, report_text
from tests.faulty_adapters import wrong
from tests.faulty_adapters.slow import MARK

TIMEOUT = 0.5  # seconds, of the adapters that hang or seem to compile
CASE = Case("ordinary", 5, (7, 1, 3, 1))
LATE = NoAnswer("planted-healthy", (1.0, 2.0), "load 9.0 on 2 cores", None, Path("slow.log"))


@contextmanager
def slow(name: str, folder: Path, compile_timeout: float) -> Iterator[tuple[ProcessAdapter, list[str]]]:
    """A slow adapter, and the notes on what was tried once more."""
    target = f"tests.faulty_adapters.slow:{name}"
    environment = {MARK: str(folder / "mark")}
    given = ProcessOptions(folder / "journal", TIMEOUT, environment, compile_timeout=compile_timeout)
    with ProcessAdapter.start(Spec(target, target), given) as adapter:
        yield adapter, given.turns.notes


@pytest.mark.long
def test_what_is_slow_once_is_answered_and_noted(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    mark.touch()
    with slow("once", tmp_path, compile_timeout=60.0) as (adapter, notes):
        adapter.evaluate(*CASE.problem())  # the first call with a shape has time to compile
        mark.unlink()
        assert adapter.evaluate(*CASE.problem()).y_hat is not None
    words = (
        r"planted-once gave no answer within 0\.5 s \(load .* on \d+ cores?\); tried once more alone it took"
    )
    assert [bool(re.match(words, note)) for note in notes] == [True]
    assert list((tmp_path / "journal").iterdir()) == []


@pytest.mark.long
def test_what_is_always_slow_has_no_verdict_and_says_how_busy_the_machine_was(tmp_path: Path) -> None:
    with slow("always", tmp_path, compile_timeout=TIMEOUT) as (adapter, notes):
        with pytest.raises(NoAnswer) as late:
            adapter.evaluate(*CASE.problem())
        assert notes == []
    assert late.value.seconds == (TIMEOUT, TIMEOUT * LONGER)
    assert f"({late.value.load}); its input: " in str(late.value)
    assert re.fullmatch(r"load \d+\.\d on \d+ cores?", load())


@pytest.mark.long
def test_a_first_call_with_a_shape_may_take_as_long_as_compiling(tmp_path: Path) -> None:
    with slow("second", tmp_path, compile_timeout=60.0) as (adapter, notes):
        adapter.evaluate(*CASE.problem())
        adapter.evaluate(*Case("ordinary", 5, (8, 1, 3, 1)).problem())
        assert notes == []  # each took three times the limit of a call
        adapter.evaluate(*CASE.problem())
        assert "gave no answer within 0.5 s" in notes[0]


def unhindered() -> None:
    """Nothing ends the wait for a turn."""


def test_who_is_alone_waits_for_those_at_work_and_lets_nobody_begin() -> None:
    turns, order = Turns(), list[str]()
    begun, may_end = threading.Event(), threading.Event()

    def at_work() -> None:
        with turns.beside_others(unhindered):
            begun.set()
            may_end.wait()
            order.append("first")

    def alone() -> None:
        with turns.alone(unhindered):
            order.append("alone")

    def later() -> None:
        with turns.beside_others(unhindered):
            order.append("later")

    with ThreadPoolExecutor(3) as threads:
        calls = [threads.submit(at_work)]
        begun.wait()
        calls.append(threads.submit(alone))
        while not turns._waiting:
            pass
        calls.append(threads.submit(later))
        may_end.set()
        for call in calls:
            call.result()
    assert order == ["first", "alone", "later"]


@pytest.mark.parametrize("how", ["alone", "beside_others"])
def test_whose_call_is_not_wanted_any_more_waits_no_longer(how: str) -> None:
    turns = Turns()

    def closed() -> None:
        raise AdapterError("closed")

    with turns.alone(unhindered), pytest.raises(AdapterError, match="closed"), getattr(turns, how)(closed):
        pass
    with turns.alone(unhindered):  # it left nothing behind
        pass


class Late(InProcessAdapter):
    """An adapter that gives no answer in time from some call on."""

    def __init__(self, answers: int) -> None:
        super().__init__(wrong.healthy)
        self.answers = answers

    def evaluate(self, X: Array, y: Array, W: Array) -> Outputs:
        """The outputs, or none."""
        if not self.answers:
            raise LATE
        self.answers -= 1
        return super().evaluate(X, y, W)


def test_a_comparison_without_an_answer_is_not_green_and_blames_nobody() -> None:
    adapter = Late(1)
    with pool_of(adapter, InProcessAdapter(wrong.late_result)) as pool:
        results = compare(cases_of(PLAN.cases, ["planted-healthy"]), pool, lambda _: None)
    assert not Comparison(PLAN, [adapter.description], results).is_green
    text = report_text(results, [adapter])
    assert "\nNo verdict:\n  planted-healthy gave no answer within 1 s, nor within 2 s" in text
    assert "Not all within bounds (no verdict: planted-healthy)" in text
    for word in ("Against the contract", "failed", "outside:", "Died", "is wrong"):
        assert word not in text


def test_a_contract_that_was_not_answered_in_time_is_not_broken() -> None:
    results, adapter = Results(), Late(1)
    with pool_of(adapter) as pool:
        broken = collect_violations(results, list(start_checks(PLAN, pool)))
    assert broken == []
    ((who, line),) = results.late
    assert who == "planted-healthy"
    assert line.startswith(str(LATE))


@pytest.mark.parametrize("answers", [0, 1, 2])
def test_a_check_without_an_answer_is_no_verdict(answers: int) -> None:
    found = CheckResult(CASE.text, Judge(CASE.problem()))
    found.add_all(AdapterPool({"slow": Late(answers)}))
    printed = "\n\n".join(found.lines())
    assert "No verdict on planted-healthy: no answer in time." in printed
    assert f"no verdict: {LATE}" in printed
    assert "off:" not in printed
    assert (check_exit_code(found, bisect=False), check_exit_code(found, bisect=True)) == (1, 125)


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "code", "lines"),
    [
        (
            "once",
            0,
            [
                "Tried once more, and then answered:\n  planted-once gave no answer within 2 s (load ",
                "Within bounds: numpy, planted-once",
            ],
        ),
        ("always", 1, ["No verdict:\n  planted-always gave no answer within 2 s, nor within 4 s"]),
    ],
)
def test_a_comparison_notes_what_is_slow_once_and_has_no_verdict_on_what_always_is(
    name: str, code: int, lines: list[str], tmp_path: Path
) -> None:
    limits = ["--compile-timeout", "2", "--timeout", "2", "--journal", str(tmp_path / "journal")]
    cases = ["--problems", "7", "--dtype", "float32", "--regime", "ordinary"]
    adapters = ["--only", "numpy", "--adapter", f"tests.faulty_adapters.slow:{name}"]
    found = crosscheck("compare", *adapters, *cases, *limits, PLANTED_SLOW=str(tmp_path / "mark"))
    assert found.returncode == code
    assert [line for line in lines if line not in found.stdout] == []
