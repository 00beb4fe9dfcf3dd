"""The message of a failure: which adapter is wrong, at which number, by how much, and how to replay it."""

from __future__ import annotations

import math
import shlex
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import numpy as np

from adapters import is_ours
from adapters.errors import NoAnswer
from adapters.protocol import Description
from crosscheck.explain import first_equation, outliers
from crosscheck.explain.disagreement import Disagreement, DisagreementAnalysis
from crosscheck.explain.element import Element
from crosscheck.inputs.regimes import REGIMES, classify
from crosscheck.judging.claims import admitting, described
from crosscheck.judging.evaluation import CheckedAdapter, Outcome
from crosscheck.judging.judge import Judge, Verdict
from crosscheck.text import (
    format_bound_used,
    format_element,
    format_hex,
    format_number,
    format_set,
    format_ulp,
)
from reference import oracle
from reference.admissible import AdmissibleSet
from reference.ulp import Category

WIDTH = 100  # columns
LABEL = 14
INSTALLED = Path(".venv/bin/crosscheck")  # the command as `make setup` installs it, below the checkout
MARGIN = "  "
CATEGORIES = {
    Category.OVERFLOW: "infinite where the exact value is not",
    Category.UNDEFINED: "not a number",
    Category.LOST_TO_ZERO: "lost to zero",
}


def failure(
    text: str,
    judge: Judge,
    outcomes: Sequence[Outcome],
    adapters: Mapping[str, CheckedAdapter],
    unsteady: Mapping[tuple[str, str], Sequence[str]] = MappingProxyType({}),
) -> str:
    """Return a message of several lines with everything needed to act on the failures in one case.

    Args:
        text: the case, or the file that it came from.
        judge: the judge of the case.
        outcomes: the outcomes of all adapters.
        adapters: those that can evaluate again, by the name or ``package.module:object`` that selects them.
        unsteady: by an adapter's name and the dtype, known violations of the contract that explain it.
    """
    analysis = DisagreementAnalysis(text, judge, outcomes, adapters, unsteady)
    blocks = [_failed(analysis, outcome) for outcome in outcomes if outcome.failure is not None]
    blocks += [
        _disagreement(analysis, disagreement)
        for outcome in outcomes
        for disagreement in analysis.disagreements(outcome)
    ]
    return "\n\n".join([_headline(outcomes), *blocks])


def replay(text: str, selector: str) -> str:
    """Return the command that judges a case with one adapter in a fresh process."""
    option = "--only" if is_ours(selector) else "--adapter"
    return f"{_command()} check {shlex.quote(text)} {option} {shlex.quote(selector)}"


def _command() -> str:
    """Return the path of the command ``crosscheck``, for a line that a user pastes into a shell.

    In the folder of a checkout it is `INSTALLED`, elsewhere the command beside this Python interpreter.
    """
    there = INSTALLED if INSTALLED.is_file() else Path(sys.executable).with_name("crosscheck")
    return shlex.quote(str(there))


def _headline(outcomes: Sequence[Outcome]) -> str:
    wrong = [
        f"{o.description.name} is outside on {', '.join(o.disagreeing)}" for o in outcomes if o.disagreeing
    ]
    failed = [
        f"{o.description.name} {'gave no answer' if _is_late(o) else 'failed'}"
        for o in outcomes
        if o.failure is not None
    ]
    return textwrap.fill("; ".join(wrong + failed) or "no adapter is outside", WIDTH, break_on_hyphens=False)


def _is_late(outcome: Outcome) -> bool:
    """Whether the outcome has no verdict because the adapter gave no answer in time."""
    return isinstance(outcome.failure, NoAnswer)


def _line(label: str, text: str, *, wrap: bool = True) -> str:
    """Format one labelled entry, with its text in a column of its own."""
    first = f"{MARGIN}{label:<{LABEL}}"
    if not wrap:
        return first + text
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=" " * len(first),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _who(description: Description) -> str:
    """Return the framework, its version, its device and its threads as text."""
    threads = description.threads
    counted = "" if threads is None else f", {threads} thread{'s' if threads != 1 else ''}"
    return f"{description.framework} {description.version}, {description.device}{counted}"


def _failed(analysis: DisagreementAnalysis, outcome: Outcome) -> str:
    """Return the block of the message about an adapter that gave no result."""
    description, dtype = outcome.description, analysis.judge.format.name
    who = description.name
    lines = [
        f"no verdict on {who} in {dtype}" if _is_late(outcome) else f"{who} failed in {dtype}",
        _line("adapter", _who(description)),
        _line("what", str(outcome.failure)),
    ]
    selector = analysis.selectors.get(description.name, description.name)
    return "\n".join([*lines, _line("replay", replay(analysis.text, selector), wrap=False)])


def _disagreement(analysis: DisagreementAnalysis, disagreement: Disagreement) -> str:
    """Return the block of the message about one output of one adapter."""
    element, description = disagreement.element, disagreement.outcome.description
    where = format_element(element.output, element.index)
    header = f"{description.name} is wrong: {where} in {element.format.name}"
    lines = [
        header,
        _line("adapter", _who(description)),
        *_numbers(disagreement),
        *_circumstances(disagreement),
        *_outliers_and_equation(analysis, disagreement),
    ]
    selector = analysis.selectors.get(description.name, description.name)
    return "\n".join([*lines, _line("replay", replay(disagreement.text, selector), wrap=False)])


def _numbers(disagreement: Disagreement) -> Iterator[str]:
    """Yield the lines for got, want, the error, the admissible set, and the share of the bound."""
    element, format = disagreement.element, disagreement.element.format
    claims = disagreement.outcome.description.arithmetic[format.name]
    got = element.got(disagreement.outcome)
    one = element.set_of(claims)
    yield _line("got", format_number(got, format))
    yield _line("want", _want(element, one))
    yield _line("error", error_text(element, got))
    yield _line("admissible", format_set(one, format))
    used = (
        "no figure: nothing but nan is admissible"
        if one.must
        else format_bound_used(element.share(got, claims))
    )
    yield _line("bound used", used)


def _want(element: Element, one: AdmissibleSet) -> str:
    """Return the exact value as text; if the input is not finite, ``nan`` or a note that there is none."""
    if math.isnan(element.exact[0]):
        return "nan" if one.must else "no exact value, since the input is not finite"
    nearest = oracle.hexadecimal(element.ball, element.format)
    rounded = format_hex(float.fromhex(nearest))
    return f"{rounded}, the {element.format.name} nearest to the exact {oracle.decimal(element.ball)}"


def error_text(element: Element, got: float) -> str:
    """Return the error of a value in ulp, and what else is wrong with it, as text."""
    if math.isnan(element.exact[0]):
        return "not measured: no exact value"
    error, kind = element.ulp_error(got)
    words = CATEGORIES.get(kind)
    figure = "" if math.isnan(error) else f"{format_ulp(error)} ulp off"
    return ", ".join(filter(None, (figure, words)))


def _circumstances(disagreement: Disagreement) -> Iterator[str]:
    """Yield the lines for the regime, the extent, and the results of the other adapters."""
    element = disagreement.element
    here, before = regimes(element), regimes(disagreement.original[0])
    yield _line("regime", here if here == before else f"{here}; in the original case: {before}")
    stacked = len(element.problem_index) > 0 and element.judge.problem.X.shape[0] > 1
    how = "; nothing smaller was found that shows it" if stacked else ""
    how = "; reduced here to the smallest input that shows it" if disagreement.is_shrunk else how
    yield _line("extent", f"{disagreement.extent}{how}")
    for label, other in zip(["others", *[""] * len(disagreement.others)], disagreement.others, strict=False):
        yield _line(label, _other(element, other))
    if claims := admitting(element.judge, disagreement.outcome):
        yield _line("claim", f"within bounds if it claims {described(claims)}")
    trivial = [n for n, j in disagreement.outcome.judgements.items() if j.verdict is Verdict.NOT_JUDGED]
    if trivial:
        yield _line("not judged", f"{', '.join(trivial)}: the sets hold all that these can be")


def regimes(element: Element) -> str:
    """Return the regimes of the elements of ŷ on which this one depends; *ordinary* comes last."""
    places = classify(*element.alone.problem, element.format)[element.sources[len(element.problem_index) :]]
    names = list(REGIMES)
    found = sorted({int(i) for i in np.ravel(places)}, key=lambda i: i or len(names))
    return "; ".join(f"{names[i]} ({REGIMES[names[i]].meaning})" if i else names[i] for i in found)


def _other(element: Element, outcome: Outcome) -> str:
    """Return the result and the verdict of another adapter at the same element."""
    name, got = outcome.description.name, element.got(outcome)
    if element.output not in outcome.judgements:
        return f"{name}: {outcome.failure or outcome.unsupported or f'it has no {element.output}'}"
    inside = bool(outcome.judgements[element.output].admissible[element.index])
    judged = bool(outcome.judgements[element.output].decided[element.index])
    verdict = (Verdict.WITHIN_BOUNDS if judged else Verdict.NOT_JUDGED) if inside else Verdict.OUTSIDE
    return f"{name}: {format_number(got, element.format)}, {verdict.value}, {error_text(element, got)}"


def _outliers_and_equation(analysis: DisagreementAnalysis, disagreement: Disagreement) -> Iterator[str]:
    """Yield the lines for the outliers and for the first equation that differs."""
    outcomes = (disagreement.outcome, *disagreement.others)
    yield _line("outlier", ", ".join(outliers(disagreement.element, outcomes)))
    adapter = analysis.adapter_of(disagreement.outcome)
    if adapter is None:
        yield _line("equation", "not known: the adapter no longer answers")
        return
    diagnosis = first_equation(adapter, disagreement)
    yield _line("equation", f"{diagnosis.equation}")
    yield _line("evidence", diagnosis.evidence)
