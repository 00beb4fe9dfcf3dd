"""The report of a comparison on the terminal: versions, verdict, table, and what was outside."""

from __future__ import annotations

import math
import platform
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import fields
from typing import Any

from rich.console import Console

from adapters import is_ours
from adapters.protocol import Description
from crosscheck.console import draw, say
from crosscheck.explain.message import failure, replay
from crosscheck.plans.plan import Plan
from crosscheck.results.comparison import Comparison
from crosscheck.results.environment import suite
from crosscheck.results.known_entry import Difference
from crosscheck.results.record import wrong_of
from crosscheck.results.rows import OUTSIDE, Row, merge_outputs
from crosscheck.terminal import coverage
from crosscheck.terminal.table import sentence, tables
from crosscheck.text import wrap_line
from reference.arithmetic import default_arithmetic
from reference.formats import FORMATS

# Only the framework's authors can say what its arithmetic is meant to be.
CLAIM_IT = "if the framework is meant to compute so, claim it and name the source: docs/adapters.md says how"
# How many failing cases of one adapter and output get a message; the others are only counted.
MOST_PER_OUTPUT = 1
# How many messages a report has at most, since each takes seconds to make.
MOST_MESSAGES = 16
# From this number of adapters on, they are counted instead of listed.
MANY = 9
NBSP = "\N{NO-BREAK SPACE}"


def heading(plan: Plan, descriptions: Sequence[Description]) -> Iterator[str]:
    """Yield the lines on what is compared, with the versions."""
    yield f"Gradient Crosscheck {suite()}, Python {platform.python_version()}, seed {plan.seed}"
    yield plan.title
    if len(descriptions) < MANY:
        for said in descriptions:
            framework = "" if said.framework == said.name else f"{said.framework} "
            yield f"  {said.name}: {framework}{_where(said)}"
            if not is_ours(said.name):
                yield from _claims(said)
        return
    together = Counter((said.framework, _where(said)) for said in descriptions)
    for (framework, where), count in together.items():
        yield f"  {framework} {where}: {count} mode{'s' * (count > 1)}"


def _where(said: Description) -> str:
    """Return the version, the device and the threads of an adapter as text."""
    threads = "" if said.threads is None else f", {said.threads} thread{'s' * (said.threads > 1)}"
    return f"{said.version}, {said.device}{threads}"


def _claims(said: Description) -> Iterator[str]:
    """Yield a line for each claim of an adapter that is not the default, with its source."""
    found: dict[tuple[str, str], list[str]] = {}
    for dtype, claims in said.arithmetic.items():
        default = default_arithmetic(FORMATS[dtype])
        for each in (field.name for field in fields(claims) if field.compare):
            value = getattr(claims, each)
            if value != getattr(default, each):
                what = each if value is True else f"{each} = {_value(value)}"
                found.setdefault((what, claims.sources.get(each, "no source is named")), []).append(dtype)
    for (what, source), dtypes in found.items():
        yield f"    claims {what} in {', '.join(dtypes)}: {source}"


def _value(value: Any) -> str:
    """Return a power of two below 1 as such, and any other value as it is."""
    is_power = isinstance(value, float) and 0 < value < 1 and math.frexp(value)[0] == 0.5
    return f"2^{math.frexp(value)[1] - 1}" if is_power else f"{value}"


def show(comparison: Comparison, console: Console) -> None:
    """Print the report: the verdict, the table, and the sections below it."""
    say(console, "", *wrap_line(_verdict(comparison), console.width))
    draw(console, tables(comparison.table, console.width, details=comparison.with_details))
    if comparison.coverage:
        say(console, "", "Judged elements of ŷ, by mode, dtype and class of shapes:")
        draw(console, coverage.tables(comparison.coverage, console.width))
        notes = list(coverage.below(comparison.coverage))
        say(console, *[""] * bool(notes), *notes)
    for text in _disagreements(comparison):
        say(console, "", text)
    for title, lines in _sections(comparison):
        if lines:
            say(console, "", title, *(each for line in lines for each in _entry(line, console.width)))
    say(console, "", *wrap_line(_measured(comparison.rows), console.width))
    say(console, *wrap_line(_end(comparison), console.width))


def _entry(text: str, width: int) -> list[str]:
    """Wrap the first line of an entry; the lines after it are commands to paste, and stay unchanged."""
    first, *others = text.splitlines()
    return [*wrap_line(f"  {first}", width), *others]


def _sections(comparison: Comparison) -> Iterator[tuple[str, list[str]]]:
    lines = comparison.table
    yield "Outside:", list(_counted(comparison.rows))
    missing = comparison.results.missing_claims.lines()
    yield "Within bounds by a claim that is not made:", [*missing, *[CLAIM_IT] * bool(missing)]
    yield from _known(comparison)
    yield "Crashed before the first call:", [each.text for each in comparison.crashed_on_load]
    yield "Against the contract:", [*(each.text for each in comparison.violations), *_by_values(comparison)]
    yield "No verdict:", [each.text for each in comparison.no_verdict]
    yield "Tried once more, and then answered:", list(comparison.tried_again)
    yield "Not run after a failure:", _not_run(lines)
    yield "Not judged, where a set holds all that a number can be:", _not_judged(comparison)
    yield "Different values, each within its own bounds:", _different(comparison)
    yield "Not supported:", _unsupported(comparison)
    if comparison.plan.is_whole and not comparison.results.interrupted:
        plan = comparison.plan
        yield (
            "Claims that no result needed:",
            comparison.results.claim_evidence.unneeded_claims(lambda name: plan.label(name) == name),
        )
    yield "Not in the plan:", list(comparison.plan.unsupported)


def _not_run(lines: Sequence[Row]) -> list[str]:
    """Return how many problems were not given to each adapter after a failure."""
    return [
        f"{row.adapter} {row.dtype}: {row.summary.not_run:,} problems" for row in lines if row.summary.not_run
    ]


def _not_judged(comparison: Comparison) -> list[str]:
    """List the regimes and outputs of which nothing was judged; with details, also shares in percent.

    Adapters with the same text share a line.
    """
    found: dict[tuple[str, str], list[str]] = {}
    for row in merge_outputs(comparison.table):
        if row.summary.not_judged and (what := _shares(comparison, row)):
            found.setdefault((row.dtype, what), []).append(row.adapter)
    return [f"{dtype}, {', '.join(who)}: {what}" for (dtype, what), who in found.items()]


def _different(comparison: Comparison) -> list[str]:
    """Return how often adapters differ, and how often only a claim keeps an adapter within bounds."""
    found, label = comparison.results.differences, comparison.plan.label
    if not found.different:
        return []
    claimed: Counter[tuple[str, str, str]] = Counter()
    for (name, dtype, claims), count in found.by_claim.items():
        claimed[label(name), dtype, claims] += count
    what = f"{found.different:,} of {found.elements:,} numbers differ; `check` of an input says why"
    return [what] + [
        f"{name} {dtype}: {count:,} of its numbers are within bounds by its claim only ({claims})"
        for (name, dtype, claims), count in claimed.items()
        if count
    ]


def _shares(comparison: Comparison, row: Row) -> str:
    """Return, for each regime of cases, the share of each output that was not judged, if there is any."""
    label = comparison.plan.label
    found: dict[str, dict[str, tuple[int, int]]] = {}
    for cell, summary in comparison.results.summaries.items():
        if (label(cell.adapter), cell.dtype) == (row.adapter, row.dtype):
            of = found.setdefault(cell.regime, {})
            left, all_of_it = of.get(cell.output, (0, 0))
            of[cell.output] = left + summary.not_judged, all_of_it + summary.elements
    texts = {
        regime: ", ".join(
            f"{output} {_percent(left, whole)}"
            for output, (left, whole) in outputs.items()
            if left and (left == whole or comparison.with_details)
        )
        for regime, outputs in found.items()
    }
    if len(texts) > 1 and all(texts.values()) and len(set(texts.values())) == 1:
        return f"every regime: {next(iter(texts.values()))}"
    return "; ".join(f"{regime}: {what}" for regime, what in texts.items() if what)


def _percent(part: int, whole: int) -> str:
    """Format a share such that it is rounded neither to 0 nor, unless it is all, to 100 percent."""
    if part == whole:
        return "all of it"
    share = 100 * part / whole
    return f"<0.1{NBSP}%" if share < 0.1 else f"{min(share, 99.9):.3g}{NBSP}%"


def _unsupported(comparison: Comparison) -> list[str]:
    """Return each reason once, with the problems or with the cases that are refused, and where these are."""
    found, label = dict[tuple[str, str, str], Counter[tuple[str, str]]](), comparison.plan.label
    for refusal, cases in comparison.results.refusals.counted():
        key = label(refusal.adapter), refusal.dtype, refusal.text
        found.setdefault(key, Counter()).update(cases)
    for row in comparison.table:
        for reason in row.summary.unsupported:
            found.setdefault((row.adapter, row.dtype, reason), Counter())
    return sorted(
        f"{who} {dtype}: {what}{_where_refused(cases)}" for (who, dtype, what), cases in found.items()
    )


def _where_refused(cases: Counter[tuple[str, str]]) -> str:
    """Return the number of cases of a refusal with their classes of shapes and regimes; empty for none."""
    if not cases:
        return ""
    by_class, by_regime = Counter[str](), Counter[str]()
    for (shapes, regime), count in cases.items():
        by_class[shapes] += count
        by_regime[regime] += count
    parts = (", ".join(f"{name} {count:,}" for name, count in each.items()) for each in (by_class, by_regime))
    return f" ({cases.total():,} case{'s' * (cases.total() > 1)}: {'; '.join(parts)})"


def _by_values(comparison: Comparison) -> list[str]:
    """Return an entry for each refusal by values, with the commands that replay both cases."""
    selectors = {each.description.name: name for name, each in comparison.adapters.items()}
    return [
        "\n    replay  ".join(
            [
                each.sentence,
                *(
                    replay(case.text, selectors.get(each.refusal.adapter, each.refusal.adapter))
                    for case in (each.refused, each.answered)
                ),
            ]
        )
        for each in comparison.refused_by_values
    ]


def _disagreements(comparison: Comparison) -> Iterator[str]:
    """Yield the messages for the first failing cases of each adapter and output."""
    shown_before: Counter[tuple[str, str]] = Counter()
    for failing_case in () if comparison.results.interrupted else comparison.results.failing_cases:
        wrong = [each for outcome in failing_case.outcomes for each in sorted(wrong_of(outcome))]
        new = set(
            [each for each in wrong if shown_before[each] < MOST_PER_OUTPUT][
                : MOST_MESSAGES - shown_before.total()
            ]
        )
        shown_before.update(new)
        shown = [o for o in failing_case.outcomes if not wrong_of(o) or wrong_of(o) & new]
        if new:
            names = {outcome.description.name for outcome in shown}
            there = {n: s for n, s in comparison.adapters.items() if s.description.name in names}
            text = failing_case.case.text
            yield failure(text, failing_case.judge, shown, there, comparison.unsteady)


def _counted(lines: Sequence[Row]) -> Iterator[str]:
    """Yield, for each output that is outside, on how many problems it is, and the worst of them."""
    for row in lines:
        share = row.summary.share
        if row.verdict == OUTSIDE and share is not None:
            known = row.summary.known_elements
            but = f", {known:,} of {row.summary.wrong_elements:,} elements known" if known else ""
            yield (
                f"{row.adapter} {row.dtype} {row.output}: {row.summary.wrong_problems:,} of"
                f" {row.summary.problems:,} problems{but}; the worst: {share.case} at {list(share.place)}"
            )


def _measured(lines: Sequence[Row]) -> str:
    """Return a sentence with the share of numbers whose error is known; empty if all are."""
    elements, unknown = (sum(getattr(row.summary, name) for row in lines) for name in ("elements", "unknown"))
    if not unknown:
        return ""
    share = math.floor(1000 * (1 - unknown / elements)) / 10
    return f"Errors in ulp: of {share:g} % of all numbers; the exact value of the others was not computed."


def _verdict(comparison: Comparison) -> str:
    """Return the first line of the report, with the verdict."""
    results, who = comparison.results, _everybody(comparison.descriptions)
    said = sentence(who, comparison.reasons, comparison.rows, known=bool(comparison.known))
    if results.interrupted:
        return (
            f"Interrupted after {results.judged} of {len(comparison.plan.cases)} cases,"
            f" and this is of those. {said}"
        )
    return said


def _end(comparison: Comparison) -> str:
    """Return the last line: the verdict in a few words, the number of problems, and the time."""
    what = f"{comparison.evaluated:,} evaluated problems in {comparison.seconds:.1f} s"
    if comparison.results.interrupted:
        return f"Interrupted: {what}."
    return f"{'Not all within' if comparison.reasons else 'Within'} bounds: {what}."


def _everybody(descriptions: Sequence[Description]) -> str:
    if len(descriptions) < MANY:
        return ", ".join(said.name for said in descriptions)
    counts = Counter(said.framework for said in descriptions)
    return ", ".join(f"{count} mode{'s' * (count > 1)} of {framework}" for framework, count in counts.items())


def _known(comparison: Comparison) -> Iterator[tuple[str, list[str]]]:
    """Yield the sections of the report on known differences, each as a title and lines."""
    entries = [entry for entry in comparison.results.known.entries if entry.name in comparison.known]
    bugs, hazards = ([e for e in entries if e.kind == kind] for kind in ("bug", "hazard"))
    yield "Known differences:", [_about_known(comparison, entry) for entry in bugs]
    yield "Hazards, as expected:", [_about_known(comparison, entry) for entry in hazards]
    yield "Known differences that matched nothing:", [entry.name for entry in comparison.unmatched]
    yield (
        "Known differences that have expired, and cover nothing any more:",
        [f"{entry.name}: on {entry.expires}" for entry in comparison.expired],
    )


def _about_known(comparison: Comparison, entry: Difference) -> str:
    """Return one entry with its number of covered elements: a hazard's by regime, a bug's with its link."""
    counts = comparison.known[entry.name]
    total = f"{entry.name}: {counts.total():,} element{'s' * (counts.total() != 1)}"
    if entry.kind == "bug":
        return f"{total}; {entry.upstream or entry.reason}"
    return f"{total}: {', '.join(f'{regime} {count:,}' for regime, count in counts.most_common())}"
