"""The adapters of a run: calls one at a time or many at once, and the crashes of adapters."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from types import MappingProxyType, TracebackType
from typing import NamedTuple, Self

from adapters import Spec
from adapters.errors import AdapterCrashed, AdapterError, AdapterMisbehaved, NoAnswer
from adapters.process_adapter import ProcessAdapter, WorkerProcesses
from adapters.process_options import ProcessOptions
from adapters.protocol import Description
from adapters.repeated import CallResult, Calls
from crosscheck.explain.message import replay
from crosscheck.inputs import Case, Literal
from crosscheck.judging.contract import check_contract
from crosscheck.judging.evaluation import (
    CheckedAdapter,
    Evaluation,
    Outcome,
    check_unique_names,
    evaluate,
    judge_evaluation,
)
from crosscheck.judging.judge import Judge
from crosscheck.judging.variants import Variants
from crosscheck.results.record import Results
from crosscheck.results.run_summary import RunSummary
from reference.types import Array, Outputs, Problem

# How many numbers of problems and results may wait to be judged, some 100 MB: no process waits for long.
AHEAD = 2**24
CRASHED = "an adapter crashed; the others went on"
LATE = "no verdict: an adapter gave no answer in time; the others went on"


class RetiredAdapter:
    """Takes the place of an adapter that crashed or gave no answer in time: each call raises that error.

    A call of the adapter itself would start its process again, only to crash or to hang once more.
    """

    def __init__(self, description: Description, crash: AdapterCrashed) -> None:
        self.description, self._crash = description, crash

    def evaluate(self, X: Array, y: Array, W: Array) -> Outputs:
        """Raise the adapter's crash again."""
        del X, y, W
        raise self._crash

    def evaluate_each(self, problems: Problem, calls: Calls) -> list[CallResult]:
        """Raise the adapter's crash again."""
        del problems, calls
        raise self._crash

    def trace(self, X: Array, y: Array, W: Array) -> dict[str, Array]:
        """Raise the adapter's crash again."""
        del X, y, W
        raise self._crash


class CaseResult(NamedTuple):
    """The results for one problem: its judge, and an outcome for each adapter that evaluated it."""

    judge: Judge
    outcomes: tuple[Outcome, ...]

    @property
    def is_green(self) -> bool:
        """Whether no result is wrong; crashes do not count, since `AdapterPool` reports them."""
        return all(o.is_green or isinstance(o.failure, AdapterCrashed) for o in self.outcomes)


class Pending(NamedTuple):
    """A case with its calls in progress.

    Attributes:
        case: a case of a plan.
        problem: the problem made from the case.
        calls: by the adapter's name, the future evaluation; None for an adapter that is not called any more.
    """

    case: Case
    problem: Problem
    calls: list[tuple[str, Future[Evaluation | None]]]

    @property
    def numbers(self) -> int:
        """A rough count of the numbers in the problem and its results, each taken to be as large."""
        return sum(array.size for array in self.problem) * (1 + len(self.calls))


class AdapterPool:
    """The adapters of a run, by the name of their spec.

    An adapter that crashes or gives no answer in time is retired: it is not called again; the others go on.

    Attributes:
        adapters: the adapters that started, in order; a `RetiredAdapter` in place of each retired one.
        crashed: the crash or time-out of each adapter that had one, while it was loaded or later.
        record: the results that `results` has counted.
        unsteady: for an adapter whose results depend on other calls, by its name and the dtype, the
            violations of the contract; they explain its disagreements.
    """

    def __init__(
        self,
        adapters: Mapping[str, CheckedAdapter] = MappingProxyType({}),
        keys: Mapping[str, Hashable] = MappingProxyType({}),
        *,
        strict: bool = False,
    ) -> None:
        """Make a pool of adapters that exist already; their owner closes them.

        Args:
            adapters: the adapters by name.
            keys: for each adapter a key, equal for adapters that share a process; by default none share one.
            strict: whether an adapter that breaks the contract is not called again in that dtype.
        """
        self.adapters: dict[str, CheckedAdapter] = dict(adapters)
        self.crashed: dict[str, AdapterCrashed] = {}
        self.record = Results(is_measured=False)
        self._strict = strict
        self._refused: set[tuple[str, str]] = set()
        self.unsteady: dict[tuple[str, str], list[str]] = {}
        self._broken: set[tuple[str, str]] = set()  # the adapters and dtypes with a violation of the contract
        self._reported: set[str] = set()
        self._resources = ExitStack()
        self._start: Callable[[Spec], ProcessAdapter] | None = None
        self._threads: dict[Hashable, ThreadPoolExecutor] = {}
        self._keys: dict[str, Hashable] = dict(keys)

    @classmethod
    def start(
        cls, specs: Sequence[Spec], options: ProcessOptions, *, shared: bool = False, strict: bool = False
    ) -> Self:
        """Start the adapters in processes of this pool; one that crashes meanwhile is in `crashed`.

        Args:
            specs: the adapters to start; `load` adds others.
            options: the journal's directory, the time limits, the environment and the turns.
            shared: whether adapters with one process key share a process; otherwise each has its own.
            strict: as for the pool.

        Raises:
            AdapterError: an adapter cannot be loaded, or two have the same name.
            JournalError: the journal cannot be written.
        """
        pool = cls(strict=strict)
        with pool._resources as resources:
            if shared:
                pool._start = resources.enter_context(WorkerProcesses(options)).adapter
            else:
                pool._start = lambda spec: pool._resources.enter_context(ProcessAdapter.start(spec, options))
            started = {spec: pool._start(spec) for spec in specs}  # starts all; `description` waits for each
            for spec, adapter in started.items():
                pool._add(spec.name, adapter, spec.process_key if shared else spec.name)
            check_unique_names(pool.descriptions.values())
            pool._resources = resources.pop_all()
        return pool

    def load(self, spec: Spec) -> CheckedAdapter:
        """Return the adapter, and start it if it has not been started yet.

        Raises:
            AdapterError, JournalError: as `start`.
            AdapterCrashed: the adapter crashed or gave no answer in time, now or before.
        """
        if spec.name not in self.adapters and spec.name not in self.crashed:
            if self._start is None:
                raise AdapterError(f"no process for {spec.name}: this pool was given its adapters")
            self._add(spec.name, self._start(spec), spec.process_key)
        if spec.name in self.crashed:
            raise self.crashed[spec.name]
        return self.adapters[spec.name]

    def _add(self, name: str, adapter: CheckedAdapter, key: Hashable) -> None:
        """Add an adapter to the pool once its process has described it."""
        try:
            _ = adapter.description
        except AdapterCrashed as crash:
            self.crashed[name] = crash
        else:
            self.adapters[name], self._keys[name] = adapter, key

    @property
    def descriptions(self) -> dict[str, Description]:
        """The descriptions of the adapters that started, by the name of their spec."""
        return {name: adapter.description for name, adapter in self.adapters.items()}

    @property
    def active(self) -> list[str]:
        """The names of the adapters that are still called."""
        return [name for name in self.adapters if name not in self.crashed]

    def evaluate(self, name: str, problem: Problem) -> Evaluation | None:
        """Evaluate a problem with an adapter, and wait for the result.

        Returns:
            The evaluation; None if the adapter is not called any more, after a crash or a violation.
        """
        dtype = problem.X.dtype.name
        if not self._is_asked(name, dtype):
            return None
        evaluation = evaluate(self.adapters[name], problem)
        if isinstance(evaluation.failure, AdapterCrashed):
            self.retire(name, evaluation.failure)
        elif self._strict and isinstance(evaluation.failure, AdapterMisbehaved):
            self._refused.add((name, dtype))
        return evaluation

    def _is_asked(self, name: str, dtype: str) -> bool:
        """Whether to evaluate the adapter; yes if it lacks the dtype, since that makes no call."""
        has_dtype = dtype in self.adapters[name].description.dtypes
        return not has_dtype or (name not in self.crashed and (name, dtype) not in self._refused)

    def results(self, problem: Problem) -> CaseResult:
        """Evaluate a problem with every active adapter in turn; judge and count the results."""
        judge = Judge(problem)
        evaluations = [self.evaluate(name, problem) for name in self.active]
        outcomes = tuple(judge_evaluation(judge, one) for one in evaluations if one is not None)
        self.record.add(Literal(judge.format.name, *problem), judge, outcomes)
        return CaseResult(judge, outcomes)

    @property
    def run_summary(self) -> RunSummary:
        """The summary of `results`, and the crashes."""
        names = [said.name for said in self.descriptions.values()]
        return RunSummary.of(self.record, self.crashed, names)

    def submit(self, name: str, problem: Problem) -> Future[Evaluation | None]:
        """Call `evaluate` later, after earlier submissions to the same process; return without waiting."""
        return self._thread(name).submit(self.evaluate, name, problem)

    def stream(self, planned_cases: Iterable[tuple[Case, Sequence[str]]]) -> Iterator[Pending]:
        """Yield the cases in order, each with its calls; up to `AHEAD` numbers are submitted in advance.

        Args:
            planned_cases: cases, each with the names of the adapters that evaluate it.
        """
        waiting: deque[Pending] = deque()
        ahead = 0
        for case, names in planned_cases:
            problem = case.problem()
            waiting.append(Pending(case, problem, [(name, self.submit(name, problem)) for name in names]))
            ahead += waiting[-1].numbers
            while waiting and ahead > AHEAD:
                ahead -= waiting[0].numbers
                yield waiting.popleft()
        while waiting:
            yield waiting.popleft()

    def submit_contract(self, name: str, variants: Variants) -> Future[list[str]]:
        """Check the contract after earlier submissions; the future has a sentence for each violation.

        The future raises `NoAnswer` if the adapter gave no answer in time.
        """
        return self._thread(name).submit(self._violations, name, variants)

    def _thread(self, name: str) -> ThreadPoolExecutor:
        """Return the thread for an adapter's process, which executes one call at a time."""
        key = self._keys.setdefault(name, name)
        if key not in self._threads:
            self._threads[key] = ThreadPoolExecutor(1, thread_name_prefix=str(key))
        return self._threads[key]

    def _violations(self, name: str, variants: Variants) -> list[str]:
        dtype = variants.problem.X.dtype.name
        has_dtype = dtype in self.adapters[name].description.dtypes
        if not has_dtype or not self._is_asked(name, dtype) or (name, dtype) in self._broken:
            return []  # a second problem of a dtype would show the same
        try:
            found, is_steady = check_contract(self.adapters[name], variants)
        except AdapterCrashed as crash:
            self.retire(name, crash)
            if isinstance(crash, NoAnswer):
                raise
            return [str(crash)]
        if found:
            self._broken.add((name, dtype))
        if not is_steady:
            self.unsteady[self.adapters[name].description.name, dtype] = found
        return found

    def retire(self, name: str, crash: AdapterCrashed) -> None:
        """Stop calling an adapter that crashed or gave no answer in time."""
        self.crashed[name] = crash
        self.adapters[name] = RetiredAdapter(self.adapters[name].description, crash)

    def unreported_crashes(self) -> dict[str, list[str]]:
        """Return the crashes since the last call, each with the command that replays it if a call crashed.

        They are grouped under `CRASHED`, or `LATE` for adapters that gave no answer in time.
        """
        new = {name: crash for name, crash in self.crashed.items() if name not in self._reported}
        self._reported |= new.keys()
        found: dict[str, list[str]] = {}
        for name, crash in new.items():
            again = "" if crash.journal is None else f"\n  replay  {replay(str(crash.journal), name)}"
            found.setdefault(LATE if isinstance(crash, NoAnswer) else CRASHED, []).append(f"{crash}{again}")
        return found

    def close(self) -> None:
        """Cancel all calls that have not begun, and end the processes of this pool."""
        for thread in self._threads.values():
            thread.shutdown(wait=False, cancel_futures=True)
        self._resources.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
