"""``python -m tools.findings.releases PYTHON ... > tools/findings/releases.md``.

It makes the page's table of the releases of JAX that have each of its known faults: every interpreter
executes the pinned case of each fault.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import click

from adapters import spec_of
from adapters.errors import AdapterCrashed
from adapters.modes import parse
from adapters.process_adapter import ProcessAdapter
from adapters.process_options import ProcessOptions
from crosscheck.inputs import parse as parse_case
from crosscheck.judging.evaluation import Outcome, evaluate_and_judge
from crosscheck.judging.judge import Judge
from crosscheck.results.known import KnownDifferences

MODULE: Final = "tools.findings.releases"


class Fault(NamedTuple):
    """A fault of JAX.

    Attributes:
        case: the text of a case that shows it.
        mode: the name of a mode that has it.
        output: the output that is wrong; None if the process ends.
    """

    case: str
    mode: str
    output: str | None


# XLA cannot multiply arrays with eight axes in YNNPACK, and ends the process where it tries to.
ABORTS: Final = Fault(
    "ordinary:0:2x2x2x2x2x2x9x9x9:contiguous:float32", "jax-jit-row_loss-closed_W-vectors-2threads", None
)


def faults() -> list[Fault]:
    """Return the faults of JAX in the record of known differences, and the one that ends the process."""
    bugs = (e for e in KnownDifferences.shipped().entries if e.framework == "jax" and e.kind == "bug")
    return [*(Fault(bug.case, bug.mode, bug.output) for bug in bugs), ABORTS]


def outcome(fault: Fault, judge: Judge, python: str, journal: Path) -> Outcome:
    """Return the outcome of a fault's mode on its case, whose judge is given, under an interpreter."""
    options = ProcessOptions(journal)
    with ProcessAdapter.start(spec_of(parse(fault.mode)).under(python), options) as adapter:
        return evaluate_and_judge(adapter, judge)


def verdict(outcome: Outcome) -> str:
    """Return a verdict: right, how many elements are wrong, or that the process ended."""
    if outcome.failure is not None:
        return "**aborts**" if isinstance(outcome.failure, AdapterCrashed) else "**fails**"
    wrong = [(~outcome.judgements[name].admissible).sum() for name in outcome.disagreeing]
    return f"**{sum(wrong):,} wrong**" if wrong else "right"


def table(found: Sequence[tuple[Fault, dict[str, str]]]) -> Iterator[str]:
    """Yield the lines of the table in Markdown.

    Args:
        found: for each fault the verdicts, by release.
    """
    releases = list(found[0][1])
    yield f"| case | mode | {' | '.join(releases)} |"
    yield "|---" * (2 + len(releases)) + "|"
    for fault, verdicts in found:
        yield f"| `{fault.case}` | `{fault.mode}` | {' | '.join(verdicts[each] for each in releases)} |"


@click.command()
@click.argument("pythons", nargs=-1, required=True, metavar="PYTHON...")
@click.option("--journal", type=click.Path(path_type=Path), default=".crosscheck/journal", metavar="DIR")
def releases(pythons: tuple[str, ...], journal: Path) -> None:
    """Print the table, with a column for the release that each interpreter has."""
    found: list[tuple[Fault, dict[str, str]]] = []
    for fault in faults():
        judge = Judge(parse_case(fault.case).problem())
        outcomes = [outcome(fault, judge, python, journal) for python in pythons]
        found.append((fault, {each.description.version: verdict(each) for each in outcomes}))
    click.echo("\n".join(table(found)))


if __name__ == "__main__":
    releases()
