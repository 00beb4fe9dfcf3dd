"""The report of a survey on the terminal: where adapters differ, and the input that shows it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from rich.console import Console
from rich.text import Text

from crosscheck.behaviours.probe import Probe
from crosscheck.results.lines import NO_VERDICT, Observation

ProbeRow = list[Observation]
DTYPE = 10  # the width of the column with the names of probes


def rows(observations: Sequence[Observation]) -> list[ProbeRow]:
    """Group the observations by probe and dtype, in the order in which these first occur."""
    found: dict[tuple[str, str], ProbeRow] = {}
    for observation in observations:
        found.setdefault((observation.probe, observation.dtype), []).append(observation)
    return list(found.values())


def differs(row: ProbeRow) -> bool:
    """Return whether two adapters answer differently; a missing answer is no difference."""
    return len({observation.value for observation in row if observation.seen}) > 1


def show(
    observations: Sequence[Observation],
    probes: Sequence[Probe],
    console: Console,
    *,
    crashes: Sequence[str] = (),
    everything: bool = False,
) -> None:
    """Print the report.

    Args:
        observations: the observations of all adapters.
        probes: the probes that were run, in the order in which they are shown.
        console: the console to print to.
        crashes: sentences on adapters that crashed, or that gave no answer in time, with `NO_VERDICT` before.
        everything: whether to show also the rows in which all adapters answer the same.
    """
    every = rows(observations)
    chosen = [row for row in every if (everything and any(each.seen for each in row)) or differs(row)]
    for probe in probes:
        own = [row for row in chosen if row[0].probe == probe.name]
        if own:
            console.print("")
            console.print(Text(f"{probe.name}: {probe.question}", "bold"))
            console.print(Text(f"bears on {probe.matters}"))
        for row in own:
            _whole(console, _row_lines(row, console.width))
    _section(console, "No answer:", _unanswered(observations))
    _section(console, "Crashed:", [line for line in crashes if not line.startswith(NO_VERDICT)])
    late = [line.removeprefix(NO_VERDICT) for line in crashes if line.startswith(NO_VERDICT)]
    _section(console, "No verdict:", late)
    console.print("")
    for line in _conclusion(every, everything=everything):
        console.print(Text(line))


def _whole(console: Console, lines: Iterable[str]) -> None:
    """Print lines without breaking them, so that they can be copied from the terminal."""
    for line in lines:
        console.print(Text(line), soft_wrap=True)


def _section(console: Console, title: str, lines: Sequence[str]) -> None:
    if lines:
        _whole(console, ["", title, *(f"  {line}" for line in lines)])


def _row_lines(row: ProbeRow, width: int) -> Iterator[str]:
    """Yield each value with the adapters that gave it, then the input."""
    values: dict[str, list[str]] = {}
    for observation in row:
        if observation.seen:
            values.setdefault(observation.value, []).append(observation.adapter)
    first = f"  {row[0].dtype:<{DTYPE}}"
    for value, adapters in values.items():
        yield textwrap.fill(
            f"{value}: {', '.join(adapters)}",
            width,
            initial_indent=first,
            subsequent_indent=" " * (len(first) + 2),
            break_on_hyphens=False,
        )
        first = " " * len(first)
    yield first + row[0].input


def _unanswered(observations: Sequence[Observation]) -> list[str]:
    """List each reason for a missing answer once, with its number of occurrences."""
    found: dict[str, list[Observation]] = {}
    for observation in observations:
        if not observation.seen:
            found.setdefault(f"{observation.adapter}: {observation.value}", []).append(observation)
    return [f"{reason} ({_where(missing)})" for reason, missing in found.items()]


def _where(missing: Sequence[Observation]) -> str:
    """Say at which probes an answer is missing: the name if it is one probe, otherwise their number."""
    names = list(dict.fromkeys(observation.probe for observation in missing))
    return names[0] if len(names) == 1 else f"{len(names)} probes"


def _conclusion(every: Sequence[ProbeRow], *, everything: bool) -> Iterator[str]:
    different = sum(map(differs, every))
    hidden = "" if everything or different == len(every) else "; --all shows the others"
    yield f"Adapters differ in {different} of {len(every)} rows, a probe in a dtype each{hidden}."
    if different or everything:
        yield "An input is a case: `crosscheck check INPUT` judges it."
