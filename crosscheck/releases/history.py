"""What the ledgers of several releases say together: which adapters are wrong in which of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from crosscheck.results.ledger import Ledger
from crosscheck.results.lines import NO_VERDICT
from crosscheck.results.rows import FAILED, KNOWN, LATE, OUTSIDE, Row, rows
from crosscheck.results.summary import EVERY, Worst, merged

# The verdicts that count as wrong: a known difference is one that is recorded already.
WRONG: Final = (OUTSIDE, FAILED, KNOWN)
GRAVEST: Final = (OUTSIDE, FAILED, LATE, KNOWN)


class Trace(NamedTuple):
    """One output of an adapter in one dtype, in every release of a run.

    Attributes:
        adapter, dtype, output: what it is.
        verdicts: the verdict in each release that was run; a release without this output is left out.
        known: the names of the known differences that cover what is wrong.
        worst: where the largest share of the bound was seen, in the first release that is wrong.
    """

    adapter: str
    dtype: str
    output: str
    verdicts: Mapping[str, str]
    known: tuple[str, ...]
    worst: Worst | None

    @property
    def wrong(self) -> list[str]:
        """The releases in which it is wrong, the oldest first."""
        return [release for release, verdict in self.verdicts.items() if verdict in WRONG]


def traces(ledgers: Mapping[str, Ledger]) -> list[Trace]:
    """Return the outputs that are wrong in at least one release, in the order of the adapters.

    Args:
        ledgers: by release, the oldest first.
    """
    lines = {release: {row[:3]: row for row in rows(ledger.cells)} for release, ledger in ledgers.items()}
    found = []
    for key in dict.fromkeys(key for there in lines.values() for key in there):
        there = {release: each[key] for release, each in lines.items() if key in each}
        wrong = [row for row in there.values() if row.verdict in WRONG]
        if wrong:
            known = sorted({name.partition(":")[0] for row in wrong for name in row.summary.known})
            said = {release: row.verdict for release, row in there.items()}
            found.append(Trace(*key, said, tuple(known), wrong[0].summary.share))
    return found


def verdicts(ledgers: Mapping[str, Ledger]) -> dict[str, dict[str, str]]:
    """Return the gravest verdict of every adapter in every release, by adapter, then by release.

    A fault beside wrong values counts, too: a broken contract, or an adapter that could not be loaded.
    """
    found: dict[str, dict[str, str]] = {}
    for release, ledger in ledgers.items():
        groups: dict[str, list[Row]] = {}
        for row in rows(ledger.cells):
            groups.setdefault(row.adapter, []).append(row)
        words = {
            adapter: [Row(adapter, "", EVERY, merged(row.summary for row in each)).verdict]
            for adapter, each in groups.items()
        }
        for fault in ledger.faults:
            word = LATE if fault.what.startswith(NO_VERDICT) else FAILED
            words.setdefault(fault.who, []).append(word)
        for adapter, each in words.items():
            gravest = next((word for word in GRAVEST if word in each), each[0])
            found.setdefault(adapter, {})[release] = gravest
    return found


def sentences(found: Sequence[Trace], releases: Sequence[str]) -> Iterator[str]:
    """Say for each output since when it is wrong, and when it is right again.

    Args:
        found: the outputs that are wrong somewhere.
        releases: those that were run, the oldest first.
    """
    for trace in found:
        wrong = trace.wrong
        known = (
            f" (known difference{'s' * (len(trace.known) > 1)} {', '.join(trace.known)})"
            if trace.known
            else ""
        )
        yield f"{trace.adapter} {trace.dtype} {trace.output}: {since(wrong, releases)}{known}"


def faults(ledgers: Mapping[str, Ledger]) -> Iterator[str]:
    """Say each fault beside wrong values, with the release that it was found in."""
    for release, ledger in ledgers.items():
        yield from (f"{fault.who} in {release}: {fault.what}" for fault in ledger.faults)


def since(wrong: Sequence[str], releases: Sequence[str]) -> str:
    """Say in which releases something is wrong: the first, and the first after it that is right.

    Args:
        wrong: the releases in which it is wrong, at least one.
        releases: all that were run, the oldest first.
    """
    first = releases.index(wrong[0])
    right = [release for release in releases[first:] if release not in wrong]
    if len(wrong) == len(releases):
        return f"wrong in all of {releases[0]} to {releases[-1]}"
    begins = f"first wrong in {wrong[0]}" if first else f"wrong since {wrong[0]} or before"
    if not right:
        return f"{begins}, and still in {releases[-1]}"
    again = [release for release in wrong if releases.index(release) > releases.index(right[0])]
    return f"{begins}, right in {right[0]}" + f", wrong again in {', '.join(again)}" * bool(again)
