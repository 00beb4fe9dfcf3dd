"""`crosscheck check`: evaluate one case, or the user's own arrays, with all chosen adapters."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import click

from adapters import Spec
from adapters.errors import AdapterCrashed, AdapterError, JournalError, NoAnswer, one_line
from adapters.process_options import ProcessOptions
from crosscheck.exit_codes import ExitCode
from crosscheck.explain.differing import difference_lines
from crosscheck.explain.message import failure
from crosscheck.inputs import Case, CaseError, Literal
from crosscheck.inputs.files import read_case
from crosscheck.judging.accuracy import exact_values
from crosscheck.judging.contract import contract_violations
from crosscheck.judging.evaluation import CheckedAdapter, Outcome, judge_evaluation
from crosscheck.judging.judge import Judge
from crosscheck.pool import AdapterPool
from crosscheck.results.coverage import is_judged
from crosscheck.results.lines import AdapterFault
from crosscheck.terminal.case_table import heading, largest_error, table
from crosscheck.text import escape_control_characters, output_width, wrap_line

# For bisections: Python matches bytecode by second and size, which two versions of a file may share.
NO_BYTECODE = {"PYTHONDONTWRITEBYTECODE": "1"}


@dataclass
class CheckResult:
    """The results of all adapters on one case.

    Attributes:
        text: the case, or the name of the file.
        judge: the judge of the case.
        outcomes: the outcomes of all adapters that could be loaded.
        broken: the violations of the contract.
        crashed_on_load: for each adapter that crashed while it was loaded, by its spec's name, one sentence.
        late: for each adapter that gave no answer in time, by name, one sentence.
        adapters: the adapters that could be loaded, by the name that selects them.
        note: what the text of the case does not say of its numbers; may be empty.
    """

    text: str
    judge: Judge
    outcomes: list[Outcome] = field(default_factory=list)
    broken: list[AdapterFault] = field(default_factory=list)
    crashed_on_load: dict[str, str] = field(default_factory=dict)
    late: dict[str, str] = field(default_factory=dict)
    adapters: Mapping[str, CheckedAdapter] = field(default_factory=dict)
    note: str = ""

    def add_all(self, pool: AdapterPool) -> None:
        """Evaluate the case with the adapters of a pool, judge it, and check the contract."""
        self.adapters, problem = pool.adapters, self.judge.problem
        for selector, crash in pool.crashed.items():
            if isinstance(crash, NoAnswer):
                self.late[selector] = str(crash)
            else:
                self.crashed_on_load[selector] = str(crash)
        for name in pool.active:
            if (evaluation := pool.evaluate(name, problem)) is not None:
                outcome = judge_evaluation(self.judge, evaluation)
                self.outcomes.append(self._keeps_contract(pool, name, outcome))

    def _keeps_contract(self, pool: AdapterPool, name: str, outcome: Outcome) -> Outcome:
        """Add violations of the contract to `broken`; return the outcome, or the crash of such a check."""
        if outcome.failure is None and self.judge.format.name in outcome.description.dtypes:
            try:
                found = contract_violations(pool.adapters[name], self.judge.problem)
                self.broken += [AdapterFault(outcome.description.name, sentence) for sentence in found]
            except AdapterCrashed as crash:
                pool.retire(name, crash)
                outcome = Outcome(outcome.description, failure=crash)
        if isinstance(outcome.failure, NoAnswer):
            self.late[outcome.description.name] = str(outcome.failure)
        return outcome

    @property
    def is_bad(self) -> bool:
        """Whether an adapter is wrong, crashed or broke the contract; a time-out does not count."""
        return bool(self.broken or self.crashed_on_load or self._wrong_adapters)

    @property
    def _wrong_adapters(self) -> list[str]:
        """The names of the adapters that are outside their bounds, crashed or broke the contract."""
        off = [o for o in self.outcomes if not o.is_green and not isinstance(o.failure, NoAnswer)]
        return [o.description.name for o in off]

    @property
    def unjudged(self) -> list[str]:
        """The names of the adapters of which no output was judged."""
        return [o.description.name for o in self.outcomes if o.failure is None and not is_judged(o)]

    def lines(self) -> Iterator[str]:
        """Yield the paragraphs of the report."""
        exact, width = exact_values(self.judge), output_width(terminal=sys.stdout.isatty())
        yield "\n".join(wrap_line(self._verdict, width))
        yield "\n".join([heading(self.text, self.judge), *wrap_line(self.note, width)])
        yield table(self.judge, self.outcomes, exact, width)
        there = [outcome for outcome in self.outcomes if outcome.outputs is not None]
        if differing := list(difference_lines(self.judge, there)):
            lines = [line for each in differing for line in wrap_line(f"  {each}", width)]
            yield "\n".join(["Values differ, none outside its own bounds:", *lines])
        yield from ("\n".join(part) for part in self._notes if part)
        if not all(outcome.is_green for outcome in self.outcomes):
            yield failure(self.text, self.judge, self.outcomes, self.adapters)
        yield "\n".join(wrap_line(largest_error(self.judge, self.outcomes, exact), width))

    @property
    def _notes(self) -> tuple[list[str], ...]:
        """The paragraphs on what is not in the table."""
        there = [(o.description.name, o.unsupported) for o in self.outcomes if o.unsupported]
        return (
            [f"{name}: {sentence}" for name, sentence in self.crashed_on_load.items()],
            [f"contract: {each.text}" for each in self.broken],
            [f"no verdict: {sentence}" for sentence in self.late.values()],
            [f"not supported: {name}: {reason}" for name, reason in there],
        )

    @property
    def _verdict(self) -> str:
        names = [o.description.name for o in self.outcomes]
        if self.is_bad:
            others = [each.adapter for each in self.broken]
            wrong = list(dict.fromkeys([*self._wrong_adapters, *others, *self.crashed_on_load]))
            many = len(names) + len(self.crashed_on_load)
            return f"Not all within bounds: {len(wrong)} of {many} adapters off: {', '.join(wrong)}."
        if self.late:
            return f"No verdict on {', '.join(self.late)}: no answer in time."
        if len(self.unjudged) == len(names):
            return "Not judged: nothing of it could be."
        within = [name for name in names if name not in self.unjudged]
        said = f"Within bounds: {', '.join(within)}."
        return f"{said} Not judged: {', '.join(self.unjudged)}." if self.unjudged else said


def check(
    source: str, specs: Sequence[Spec], options: ProcessOptions, *, quietly: bool = False
) -> CheckResult:
    """Judge one case with all adapters, each in a process of its own, and print the report.

    Args:
        source: the case, or the file of one.
        specs: the specifications of the adapters.
        options: the journal's directory, the time limits, the environment and the turns.
        quietly: whether no report is printed.

    Raises:
        AdapterError: an adapter cannot be loaded.
        CaseError: the source is neither a case nor a usable file.
        JournalError: the journal cannot be written.
    """
    case = read_case(source)
    text = escape_control_characters(source.strip())
    if isinstance(case, Literal) and case.taken:
        click.echo(case.taken, err=True)
        text = case.text  # its hexadecimal floats are the numbers that were judged
    found = CheckResult(text, Judge(case.problem()), note=case.note if isinstance(case, Case) else "")
    with AdapterPool.start(specs, options) as pool:
        found.add_all(pool)
        for number, paragraph in enumerate(() if quietly else found.lines()):
            click.echo("\n" * bool(number) + paragraph)
    for note in options.turns.notes:
        click.echo(f"tried once more: {note}", err=True)
    return found


def check_and_show(
    source: str, specs: Sequence[Spec], options: ProcessOptions, *, bisect: bool = False
) -> int:
    """Judge one case and return the exit code.

    0: within bounds. 1: outside, a broken contract, a crash, or no answer in time. 2: nothing was judged.
    With ``bisect``, 0 and 1 mean the same, and 125 means that an adapter cannot be loaded or judged or gives
    no answer in time, or that the case cannot be used.

    Raises:
        AdapterError, CaseError, JournalError: as `check`; with ``bisect`` the exit code is 125 instead.
    """
    if bisect:
        options = replace(options, environment={**options.environment, **NO_BYTECODE})
    try:
        found = check(source, specs, options)
    except (AdapterError, CaseError, JournalError) as error:
        if not bisect:
            raise
        click.echo(f"crosscheck: cannot be judged: {one_line(error)}", err=True)
        return ExitCode.CANNOT_BE_JUDGED
    return check_exit_code(found, bisect=bisect)


def check_exit_code(found: CheckResult, *, bisect: bool) -> int:
    """Return the exit code for the result of a check, as `check_and_show` documents it."""
    if bisect and found.crashed_on_load:
        return ExitCode.CANNOT_BE_JUDGED
    if found.is_bad:
        return ExitCode.FAILED
    if bisect:
        return ExitCode.CANNOT_BE_JUDGED if found.unjudged or found.late else ExitCode.PASSED
    if found.late:
        return ExitCode.FAILED
    return ExitCode.UNUSABLE if len(found.unjudged) == len(found.outcomes) else ExitCode.PASSED
