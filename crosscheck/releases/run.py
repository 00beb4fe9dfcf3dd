"""`crosscheck releases`: runs a plan under each release, and prints each step, a table, and what is wrong."""

from __future__ import annotations

import hashlib
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from adapters import AdapterError, Spec
from adapters.process_options import ProcessOptions
from crosscheck.compare.session import compare_under
from crosscheck.console import console_for, draw, say
from crosscheck.exit_codes import ExitCode
from crosscheck.explain.message import replay
from crosscheck.plans.plan import Plan, per_interpreter
from crosscheck.releases.environments import ReleaseEnvironment
from crosscheck.releases.history import Trace, faults, sentences, traces, verdicts
from crosscheck.releases.versions import ReleasesError
from crosscheck.results.changes import gate, has_regressed
from crosscheck.results.environment import suite
from crosscheck.results.ledger import Ledger, LedgerError, read, write
from crosscheck.results.rows import WITHIN_BOUNDS
from crosscheck.terminal.gate import show, verdict
from crosscheck.terminal.table import STYLES

FOLDER: Final = Path(".crosscheck") / "releases"
MEGABYTE: Final = 1e6

# Returns the specifications of the adapters under an interpreter.
Specs = Callable[[str], Sequence[Spec]]


def releases_and_show(  # noqa: PLR0913, each is a choice of its own, by name
    plan: Plan,
    environments: Sequence[ReleaseEnvironment],
    specs_under: Specs,
    options: ProcessOptions,
    *,
    shared: bool = False,
    again: bool = False,
    remove: bool = False,
) -> int:
    """Run the plan under each release that has no ledger of it, print what changes, and return the exit code.

    A release that cannot be installed or run is named and left out. The exit code is 1 if the newest release
    is worse than the one before it or was not judged, and 2 if none was judged.

    Args:
        plan: the cases, the same under every release.
        environments: those of the releases, the oldest first.
        specs_under: the specifications of the adapters under an interpreter.
        options: the journal's directory, the time limits, the environment and the turns.
        shared: whether adapters share a process.
        again: whether releases that have a ledger are run again.
        remove: whether each environment is removed after its run.

    Raises:
        JournalError: the journal cannot be written.
        LedgerError: a ledger cannot be written.
    """
    console = console_for(terminal=sys.stdout.isatty())
    say(console, plan.title, _sizes(environments))
    ledgers: dict[str, Ledger] = {}
    for place, environment in enumerate(environments, start=1):
        title = f"{environment.framework} {environment.release} ({place} of {len(environments)})"
        try:
            ledger = _ledger(plan, environment, specs_under, options, shared=shared, again=again)
        except (ReleasesError, AdapterError) as reason:
            say(console, f"{title}: left out: {reason}")
            continue
        finally:
            if remove:
                environment.remove()
        ledgers[environment.release] = ledger
        say(console, f"{title}: {ledger.problems:,} problems, results {ledger.results[:16]}")
    if not ledgers:
        return ExitCode.UNUSABLE
    is_worse = _show(ledgers, environments, console)
    if (newest := environments[-1].release) not in ledgers:
        say(console, "", f"The newest release, {newest}, was not judged.")
        return ExitCode.FAILED
    return ExitCode.FAILED if is_worse else ExitCode.PASSED


def _sizes(environments: Sequence[ReleaseEnvironment]) -> str:
    """Say how many environments are made, and what they take as far as it is known."""
    missing = [each for each in environments if not each.is_made]
    made = [each.size for each in environments if each.is_made]
    one = f"about {max(made) / MEGABYTE:,.0f} MB each" if made else "the first shows how large they are"
    free = shutil.disk_usage(Path.cwd()).free / MEGABYTE
    kept = f"{len(made)} environments are there"
    return f"{kept}, {len(missing)} to be made ({one}); {free:,.0f} MB are free" if missing else f"{kept}."


def path_of(plan: Plan, environment: ReleaseEnvironment) -> Path:
    """Return the file of a release's ledger, whose name has a digest of the suite's version and the plan."""
    lines = [
        suite(),
        *(f"{case.text} {names}" for case, names in (*plan.cases.items(), *plan.contract.items())),
    ]
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()[:12]
    return FOLDER / f"{environment.folder.name}-{digest}.jsonl"


def _ledger(  # noqa: PLR0913, as `releases_and_show`
    plan: Plan,
    environment: ReleaseEnvironment,
    specs_under: Specs,
    options: ProcessOptions,
    *,
    shared: bool,
    again: bool,
) -> Ledger:
    """Return the ledger of a release: the one that is there, or that of a run."""
    path = path_of(plan, environment)
    if path.is_file() and not again:
        try:
            return read(path)
        except LedgerError:
            path.unlink()  # of another version of the format
    environment.make()
    specs = specs_under(environment.python)
    ledger = compare_under(per_interpreter(plan, specs), specs, options, shared=shared)
    if not ledger.problems:
        why = "; ".join(f"{fault.who}: {fault.what}" for fault in ledger.faults)
        raise ReleasesError(f"nothing was judged: {why}")
    path.parent.mkdir(parents=True, exist_ok=True)
    write(path, ledger)
    return ledger


def _show(
    ledgers: Mapping[str, Ledger], environments: Sequence[ReleaseEnvironment], console: Console
) -> bool:
    """Print the steps, the table and what is wrong since when; return whether the last step is worse."""
    is_worse, framework = False, environments[0].framework
    for (was, old), (now, new) in pairwise(ledgers.items()):
        say(console, "", f"From {framework} {was} to {now}:")
        changes = gate(old, new)
        is_worse = has_regressed(changes)
        show(changes, console, [verdict(changes, was, now)])
    found, wrong, releases = verdicts(ledgers), traces(ledgers), list(ledgers)
    draw(console, [_table(found, releases)])
    lines = [*sentences(wrong, releases), *faults(ledgers), *_replays(wrong, environments)]
    if not lines:
        is_judged = all(each == dict.fromkeys(releases, WITHIN_BOUNDS) for each in found.values())
        more = "" if is_judged else " Not everything was judged, as the table says."
        lines = [f"Nothing is wrong in {framework} {releases[0]} to {releases[-1]}.{more}"]
    say(console, "", *lines)
    return is_worse


def _table(found: Mapping[str, Mapping[str, str]], releases: Sequence[str]) -> Table:
    """Return the table of verdicts; adapters that are within bounds in every release share a row."""
    right = dict.fromkeys(releases, WITHIN_BOUNDS)
    off = {name: each for name, each in found.items() if each != right}
    table = Table("adapter", *releases, box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="")
    for name, each in off.items():
        words = (each.get(release, "-") for release in releases)
        table.add_row(name, *(Text(word, STYLES.get(word, "")) for word in words))
    if others := found.keys() - off.keys():
        table.add_row(
            f"{len(others)} other{'s' * (len(others) > 1)}",
            *(Text(word, STYLES[word]) for word in right.values()),
        )
    return table


def _replays(wrong: Sequence[Trace], environments: Sequence[ReleaseEnvironment]) -> list[str]:
    """Return for each adapter that is wrong the command that shows its worst case again."""
    pythons = {each.release: each.python for each in environments}
    first = {trace.adapter: trace for trace in reversed(wrong)}
    return [
        f"replay  {replay(trace.worst.case, f'{name}@{pythons[trace.wrong[0]]}')}"
        for name, trace in sorted(first.items())
        if trace.worst is not None
    ]
