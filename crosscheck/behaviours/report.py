"""What a survey says on the terminal: where adapters differ, and the input that shows it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from rich.console import Console
from rich.text import Text

from adapters.protocol import Description
from crosscheck.behaviours.probe import Observation, Probe
from crosscheck.ledger.records import NO_VERDICT

ProbeRow = list[Observation]
DTYPE = 10  # columns for its name


def heading(descriptions: Sequence[Description]) -> Iterator[str]:
    """The adapters, with the versions of their frameworks."""
    for said in descriptions:
        yield f"  {said.name}: {said.framework} {said.version}, {said.device}"


def rows(observations: Sequence[Observation]) -> list[ProbeRow]:
    """The observations of each probe in each dtype, in the order in which they were first seen."""
    found: dict[tuple[str, str], ProbeRow] = {}
    for observation in observations:
        found.setdefault((observation.probe, observation.dtype), []).append(observation)
    return list(found.values())


def differs(row: ProbeRow) -> bool:
    """Whether two adapters answer differently; having no answer is no difference."""
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
        observations: of all adapters.
        probes: those that were run, in the order in which it is shown.
        console: where to.
        crashes: sentences on the adapters that crashed, or, after `NO_VERDICT`, gave no answer in time.
        everything: show the rows in which all adapters answer the same, too.
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
    _section(console, "Died:", [line for line in crashes if not line.startswith(NO_VERDICT)])
    late = [line.removeprefix(NO_VERDICT) for line in crashes if line.startswith(NO_VERDICT)]
    _section(console, "No verdict:", late)
    console.print("")
    for line in _conclusion(every, everything=everything):
        console.print(Text(line))


def _whole(console: Console, lines: Iterable[str]) -> None:
    """Lines that are not broken, however long: a terminal folds them, and they can be copied."""
    for line in lines:
        console.print(Text(line), soft_wrap=True)


def _section(console: Console, title: str, lines: Sequence[str]) -> None:
    if lines:
        _whole(console, ["", title, *(f"  {line}" for line in lines)])


def _row_lines(row: ProbeRow, width: int) -> Iterator[str]:
    """Each value and who gave it, then the input."""
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
    """Each reason once, with how often it was given."""
    found: dict[str, list[Observation]] = {}
    for observation in observations:
        if not observation.seen:
            found.setdefault(f"{observation.adapter}: {observation.value}", []).append(observation)
    return [f"{reason} ({_where(missing)})" for reason, missing in found.items()]


def _where(missing: Sequence[Observation]) -> str:
    """The only probe, or how many there are."""
    names = list(dict.fromkeys(observation.probe for observation in missing))
    return names[0] if len(names) == 1 else f"{len(names)} probes"


def _conclusion(every: Sequence[ProbeRow], *, everything: bool) -> Iterator[str]:
    different = sum(map(differs, every))
    hidden = "" if everything or different == len(every) else "; --all shows the others"
    yield f"Adapters differ in {different} of {len(every)} rows, a probe in a dtype each{hidden}."
    if different or everything:
        yield "An input is a case: `crosscheck check INPUT` judges it."
