"""What a comparison says on the terminal: versions, table, disagreements, and one line at the end."""

from __future__ import annotations

import math
import platform
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version

from rich.console import Console, RenderableType

from adapters.protocol import Description
from crosscheck.comparison import coverage, known
from crosscheck.comparison.engine import wrong_of
from crosscheck.comparison.planned import Planned
from crosscheck.comparison.result import Comparison
from crosscheck.comparison.table import Row, tables
from crosscheck.message import failure

# How many disagreements of one adapter and output are told in full; the others are counted.
TOLD = 1
# How many are told in full in all: each takes seconds to explain.
TOLD_IN_ALL = 16
# From so many adapters on they are counted, not listed.
MANY = 9
PIPED = 132  # columns, where nobody has a window


class _Quiet(Console):
    """A console that leaves a closed pipe to the command line."""

    def on_broken_pipe(self) -> None:
        """Pass it on; rich would end the process."""
        raise BrokenPipeError


def console_for(*, terminal: bool) -> Console:
    """Where the report goes; without a terminal it has no colours and long lines."""
    return _Quiet(width=None if terminal else PIPED, highlight=False, soft_wrap=False)


def heading(plan: Planned, descriptions: Sequence[Description]) -> Iterator[str]:
    """What is compared, with the versions."""
    yield f"Gradient Crosscheck {_version()}, Python {platform.python_version()}, seed {plan.seed}"
    yield plan.title
    if len(descriptions) < MANY:
        for said in descriptions:
            framework = "" if said.framework == said.name else f"{said.framework} "
            yield f"  {said.name}: {framework}{_where(said)}"
        return
    together = Counter((said.framework, _where(said)) for said in descriptions)
    for (framework, where), count in together.items():
        yield f"  {framework} {where}: {count} mode{'s' * (count > 1)}"


def _where(said: Description) -> str:
    """The version, and where and how it runs."""
    threads = "" if said.threads is None else f", {said.threads} thread{'s' * (said.threads > 1)}"
    return f"{said.version}, {said.device}{threads}"


def _version() -> str:
    try:
        return version("gradient-crosscheck")
    except PackageNotFoundError:
        return "(not installed)"


def show(comparison: Comparison, console: Console) -> None:
    """Print the report, from the table on."""
    draw(console, tables(comparison.table, console.width))
    if comparison.coverage:
        say(console, "", "Judged elements of ŷ, by mode, dtype and class of shapes:")
        draw(console, coverage.tables(comparison.coverage, console.width))
        notes = list(coverage.below(comparison.coverage))
        say(console, *[""] * bool(notes), *notes)
    for text in _disagreements(comparison):
        say(console, "", text)
    for title, lines in _sections(comparison):
        if lines:
            say(console, "", title, *(f"  {line}" for line in lines))
    say(console, "", *_measured(comparison.rows), _verdict(comparison))


def draw(console: Console, parts: Iterable[RenderableType]) -> None:
    """Print a table without spaces at the ends of its lines."""
    with console.capture() as captured:
        for part in parts:
            console.print(part)
    say(console, "", *(line.rstrip() for line in captured.get().splitlines()))


def say(console: Console, *lines: str) -> None:
    """Print the lines as they are."""
    for line in lines:
        console.out(line, highlight=False)


def _sections(comparison: Comparison) -> Iterator[tuple[str, list[str]]]:
    lines = comparison.table
    yield "Disagreements:", list(_counted(comparison.rows))
    yield from known.sections(comparison)
    yield "Died before the first call:", list(comparison.lost)
    yield "Against the contract:", list(comparison.violations)
    yield "No verdict:", comparison.no_verdict
    yield "Tried once more, and then answered:", list(comparison.tried_again)
    yield "Not judged, the admissible set is as wide as the trivial one:", _not_judged(lines)
    yield "Not supported:", _unsupported(lines)
    if comparison.plan.is_whole and not comparison.record.interrupted:
        plan = comparison.plan
        yield "Too generous:", comparison.record.support.too_generous(lambda name: plan.label(name) == name)
    yield "Not in the plan:", comparison.plan.lacking


def _not_judged(lines: Sequence[Row]) -> list[str]:
    return [
        f"{row.adapter} {row.dtype} {row.output}: {row.summary.not_judged:,} problems"
        for row in lines
        if row.summary.not_judged
    ]


def _unsupported(lines: Sequence[Row]) -> list[str]:
    """Each reason once."""
    found = [(f"{row.adapter} {row.dtype}", reason) for row in lines for reason in row.summary.unsupported]
    return [f"{who}: {reason}" for who, reason in dict.fromkeys(sorted(found))]


def _disagreements(comparison: Comparison) -> Iterator[str]:
    """The first findings of each adapter and output in full."""
    told: Counter[tuple[str, str]] = Counter()
    for finding in () if comparison.record.interrupted else comparison.record.findings:
        wrong = [each for outcome in finding.outcomes for each in sorted(wrong_of(outcome))]
        new = set([each for each in wrong if told[each] < TOLD][: TOLD_IN_ALL - told.total()])
        told.update(new)
        shown = [o for o in finding.outcomes if not wrong_of(o) or wrong_of(o) & new]
        if new:
            names = {outcome.description.name for outcome in shown}
            there = {n: s for n, s in comparison.subjects.items() if s.description.name in names}
            yield failure(finding.case.text, finding.judge, shown, there)


def _counted(lines: Sequence[Row]) -> Iterator[str]:
    """How many problems each output disagrees on, and the worst of them."""
    for row in lines:
        share = row.summary.share
        if row.verdict == "disagrees" and share is not None:
            known = row.summary.known_elements
            but = f", {known:,} of {row.summary.wrong_elements:,} elements known" if known else ""
            yield (
                f"{row.adapter} {row.dtype} {row.output}: {row.summary.wrong_problems:,} of"
                f" {row.summary.problems:,} problems{but}; the worst: {share.case} at {list(share.place)}"
            )


def _measured(lines: Sequence[Row]) -> Iterator[str]:
    """Of how many numbers the error is known, where it is not all."""
    elements, unknown = (sum(getattr(row.summary, name) for row in lines) for name in ("elements", "unknown"))
    if unknown:
        share = math.floor(1000 * (1 - unknown / elements)) / 10
        yield f"Errors in ulp: of {share:g} % of all numbers; the exact value of the others was not computed."


def _verdict(comparison: Comparison) -> str:
    """The last line."""
    record, plan = comparison.record, comparison.plan
    what = f"{comparison.evaluated:,} evaluated problems in {comparison.seconds:.1f} s"
    if record.interrupted:
        return f"Interrupted after {record.judged} of {len(plan)} cases: {what}; the table is of those."
    if comparison.reasons:
        return f"No agreement ({'; '.join(comparison.reasons)}): {what}."
    aside = ", known differences aside" if comparison.known else ""
    return f"Agreement of {_everybody(comparison.descriptions)}{aside}: {what}."


def _everybody(descriptions: Sequence[Description]) -> str:
    if len(descriptions) < MANY:
        return ", ".join(said.name for said in descriptions)
    counts = Counter(said.framework for said in descriptions)
    return ", ".join(f"{count} mode{'s' * (count > 1)} of {framework}" for framework, count in counts.items())
