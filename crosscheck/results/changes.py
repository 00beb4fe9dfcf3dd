"""The changes between two ledgers, each with its old and new value and a case.

A change is a regression if a verdict became worse, if a probe no longer has an answer of `PROMISES`, or if
something is missing. A larger worst error is one only where the same cases ran on the same kind of machine,
and only if the adapter's numbers changed: for equal numbers the worst error may differ as well, since the
oracle evaluates only a sample of the problems. Where numbers are different but not worse, the change names
the difference between the environments that explains them, if there is one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from crosscheck.results.environment import EXTENSIONS, cause_of, environment_differences
from crosscheck.results.ledger import Ledger, LedgerError
from crosscheck.results.lines import COMPLETE, MISBEHAVED, Header, Observation
from crosscheck.results.rows import Row
from crosscheck.results.summary import Cell, Summary, Worst
from crosscheck.text import format_distinct

# The verdicts from the worst to the best; those on the same step are equally good.
STEPS: Final = {
    "outside": 0,
    "failed": 0,
    "no verdict": 1,
    "not run": 1,
    "not judged": 1,
    "unsupported": 1,
    "known": 2,
    "within bounds": 3,
}
# The answers of probes that count as promises; any other answer is neither good nor bad.
SAME_BITS: Final = "the same bits"  # another CPU uses other kernels, whose bits are equally good
PROMISES: Final = (SAME_BITS, "kept")
# The facts that may change with the machine, the version or the number of threads while nothing is wrong.
NUMBERS: Final = ("bits", "worst ulp", "behaviour")
# The identity of a cell, without versions, devices and threads, which may change.
Place = tuple[str, str, str, str, str, str]
NAMES: Final = ("adapter", "dtype", "regime", "output", "shape", "layout")


class ChangeKind(StrEnum):
    """The kinds of change."""

    REGRESSION = "regression"
    IMPROVEMENT = "improvement"
    CHANGE = "change"
    ENVIRONMENT = "environment"


class Change(NamedTuple):
    """One difference between two ledgers.

    Attributes:
        kind: the kind of the change, which says whether it is for the worse.
        where: the adapter, dtype, regime and so on that changed.
        what: the name of the fact that changed.
        old, new: the values of the fact; ``-`` for none.
        case: an input that shows the change; empty where there is none.
        adapter: the adapter that the case is for.
        selector: the selector of that adapter.
        dtype: the dtype of the numbers; empty where the change is not about numbers.
        cause: the difference between the environments that explains the change; empty if there is none.
    """

    kind: ChangeKind
    where: str
    what: str
    old: str
    new: str
    case: str = ""
    adapter: str = ""
    selector: str = ""
    dtype: str = ""
    cause: str = ""

    @property
    def is_explained(self) -> bool:
        """Whether the environment explains the change, and nothing is worse."""
        return self.kind is ChangeKind.CHANGE and bool(self.cause)


def changes(old: Ledger, new: Ledger) -> list[Change]:
    """List all changes, regressions first, each kind in the order of adapters, dtypes and regimes."""
    found = [
        *_environment(old.header, new.header),
        *_cells(old, new),
        *_behaviours(old, new),
        *_known(old, new),
        *_faults(old, new),
    ]
    ordered = sorted(found, key=lambda change: tuple(ChangeKind).index(change.kind))
    was, now = old.header, new.header
    return [
        each._replace(
            selector=_selector(each.adapter, now, was),
            cause=cause_of(was, now, each.adapter) if each.dtype and each.what in NUMBERS else "",
        )
        for each in ordered
    ]


def _selector(adapter: str, *headers: Header) -> str:
    chosen = (one.selector for header in headers for one in header.adapters if one.name == adapter)
    return next(chosen, adapter)


# --------------------------------------------------------------------------------------- environment


def _environment(old: Header, new: Header) -> Iterator[Change]:
    was, now = _facts(old), _facts(new)
    for name in sorted({*was, *now}):
        before, after = was.get(name, "-"), now.get(name, "-")
        if before != after:
            values = _cpus(before, after) if name == "cpu" else (before, after)
            yield Change(ChangeKind.ENVIRONMENT, "", name, *values)


def _cpus(before: str, after: str) -> tuple[str, str]:
    """Describe both CPUs, each with the extensions that the other does not have."""
    shared = {word for word in {*before.split()} & {*after.split()} if word.startswith(EXTENSIONS)}
    old, new = (" ".join(word for word in cpu.split() if word not in shared) for cpu in (before, after))
    return old or "-", new or "-"


def _facts(header: Header) -> dict[str, str]:
    there = header.environment
    return {
        "suite": header.suite,
        "profile": header.profile,
        "seed": str(header.seed),
        "python": there.python,
        "platform": there.platform,
        "cpu": there.cpu,
        "blas": there.blas,
        **there.packages,
        **there.variables,
        **{f"adapter {one.name}": one.about for one in header.adapters},
    }


# --------------------------------------------------------------------------------------------- cells


def place_of(cell: Cell) -> Place:
    """Return the identity of a cell, without its versions, devices and threads."""
    return cell.adapter, cell.dtype, cell.regime, cell.output, cell.shape, cell.layout


def _cells(old: Ledger, new: Ledger) -> Iterator[Change]:
    was = {place_of(cell): summary for cell, summary in old.cells.items()}
    now = {place_of(cell): summary for cell, summary in new.cells.items()}
    yield from _removed(ChangeKind.REGRESSION, was, now)
    yield from _removed(ChangeKind.CHANGE, now, was)
    for place in sorted(now.keys() - was.keys()):
        row = Row(place[0], place[1], place[3], now[place])
        if not STEPS[row.verdict]:
            yield _changed(ChangeKind.REGRESSION, place, "verdict", ("-", row.verdict), now[place].share)
    places = was.keys() & now.keys()
    alike = {
        name: not environment_differences(old.header, new.header, name)
        for name in {place[0] for place in places}
    }
    for place in sorted(places):
        yield from _cell(place, was[place], now[place], alike=alike[place[0]])


def _removed(
    kind: ChangeKind, was: Mapping[Place, Summary], now: Mapping[Place, Summary]
) -> Iterator[Change]:
    """Yield a change for each thing in ``was`` that ``now`` lacks, from a whole adapter down to one cell."""
    there = {place[:length] for place in now for length in range(1, len(NAMES) + 1)}
    counts: dict[tuple[str, ...], int] = {}
    for place in was:
        if place not in now:
            length = next(k for k in range(1, len(NAMES) + 1) if place[:k] not in there)
            counts[place[:length]] = counts.get(place[:length], 0) + was[place].problems
    for name, count in sorted(counts.items()):
        problems = f"{count:,} problems"
        before, after = (problems, "-") if kind is ChangeKind.REGRESSION else ("-", problems)
        yield Change(kind, " ".join(name), NAMES[len(name) - 1], before, after)


def _cell(place: Place, was: Summary, now: Summary, *, alike: bool) -> Iterator[Change]:
    """Yield the changes of one cell: its verdict, or if that is the same, counts and numbers."""
    if was == now:
        return
    adapter, dtype, _, output, *_ = place
    before, after = (Row(adapter, dtype, output, summary) for summary in (was, now))
    step = STEPS[after.verdict] - STEPS[before.verdict]
    if before.verdict != after.verdict:
        kind = (
            ChangeKind.CHANGE if not step else ChangeKind.REGRESSION if step < 0 else ChangeKind.IMPROVEMENT
        )
        worst = (now if step < 0 else was).share
        yield _changed(kind, place, "verdict", (before.verdict, after.verdict), worst)
        return
    if now.problems < was.problems:
        yield _changed(ChangeKind.REGRESSION, place, "problems", (f"{was.problems:,}", f"{now.problems:,}"))
    elif after.judged < before.judged:
        yield _changed(ChangeKind.REGRESSION, place, "judged", (f"{before.judged:,}", f"{after.judged:,}"))
    elif after.judged > before.judged and now.problems == was.problems:
        yield _changed(ChangeKind.IMPROVEMENT, place, "judged", (f"{before.judged:,}", f"{after.judged:,}"))
    if was.cases != now.cases:
        return
    if was.wrong_elements != now.wrong_elements:
        grew = now.wrong_elements > was.wrong_elements
        kind = ChangeKind.REGRESSION if grew else ChangeKind.IMPROVEMENT
        counts = f"{was.wrong_elements:,}", f"{now.wrong_elements:,}"
        yield _changed(kind, place, "elements outside", counts, now.share if grew else was.share)
    if was.bits != now.bits:
        yield _moved(place, was, now, alike=alike)


def _moved(place: Place, was: Summary, now: Summary, *, alike: bool) -> Change:
    """Make the change of a cell with other numbers for the same cases: of its worst error or of its bits."""
    old, new = (0.0 if s.error is None else s.error.value for s in (was, now))
    if old == new:
        return _changed(ChangeKind.CHANGE, place, "bits", _shares(was, now))
    kind = ChangeKind.CHANGE
    if alike:
        kind = ChangeKind.REGRESSION if new > old else ChangeKind.IMPROVEMENT
    return _changed(kind, place, "worst ulp", format_distinct(old, new), now.error or was.error)


def _shares(was: Summary, now: Summary) -> tuple[str, str]:
    """Say how many elements have the bits of the reference; if both numbers are equal, add digests."""
    old, new = (f"{s.equal:,} of {s.elements:,} as the reference" for s in (was, now))
    if old != new:
        return old, new
    marks = [f"{s.bits:014x}" for s in (was, now)]  # of 53 bits
    end = next(i for i, (a, b) in enumerate(zip(*marks, strict=True), 1) if a != b)
    return f"{old}, mark {marks[0][:end]}", f"{new}, mark {marks[1][:end]}"


def _changed(
    kind: ChangeKind, place: Place, what: str, values: tuple[str, str], worst: Worst | None = None
) -> Change:
    case = worst.case if worst else ""
    return Change(kind, " ".join(place), what, *values, case, adapter=place[0], dtype=place[1])


# ----------------------------------------------------------------------------------------- the rest


def _behaviours(old: Ledger, new: Ledger) -> Iterator[Change]:
    was, now = ({(b.adapter, b.dtype, b.probe): b for b in each.behaviours} for each in (old, new))
    silent = {one.name for one in new.header.adapters} - {b.adapter for b in new.behaviours}
    for name in sorted(silent & {b.adapter for b in old.behaviours}):
        yield Change(ChangeKind.REGRESSION, name, "behaviours", "asked", "-")
    asked, before_it = ({(b.adapter, b.dtype) for b in each.behaviours} for each in (new, old))
    for key in sorted({*was, *now}):
        before, after = was.get(key), now.get(key)
        if before is not None and after is not None:
            if before.value != after.value:
                alike = not environment_differences(old.header, new.header, key[0])
                yield _behaviour(key, before, after, alike=alike)
        elif before is not None and key[:2] in asked:
            yield Change(
                ChangeKind.REGRESSION, " ".join(key), "behaviour", before.value, "-", before.input, key[0]
            )
        elif after is not None and key[:2] in before_it:
            yield Change(ChangeKind.CHANGE, " ".join(key), "behaviour", "-", after.value, after.input, key[0])


def _behaviour(key: Sequence[str], before: Observation, after: Observation, *, alike: bool) -> Change:
    step = _rank(after) - _rank(before)
    if not alike and after.seen and SAME_BITS in (before.value, after.value):
        step = 0 if _rank(after) else step
    kind = ChangeKind.CHANGE if not step else ChangeKind.REGRESSION if step < 0 else ChangeKind.IMPROVEMENT
    values = before.value, after.value
    return Change(kind, " ".join(key), "behaviour", *values, after.input, adapter=key[0], dtype=key[1])


def _rank(behaviour: Observation) -> int:
    if behaviour.value.startswith(MISBEHAVED):
        return 0
    return 1 if not behaviour.seen else 3 if behaviour.value in PROMISES else 2


def _known(old: Ledger, new: Ledger) -> Iterator[Change]:
    was, now = ({entry.name: entry for entry in each.known} for each in (old, new))
    for name in sorted({*was, *now}):
        before, after = was.get(name), now.get(name)
        if before is None and after is not None:
            covered = f"{sum(after.covered.values()):,} elements"
            yield Change(ChangeKind.CHANGE, name, "known difference", "-", covered, after.case, after.mode)
        elif before is not None and after is None:
            covered = f"{sum(before.covered.values()):,} elements"
            yield Change(ChangeKind.CHANGE, name, "known difference", covered, "-", before.case, before.mode)


def _faults(old: Ledger, new: Ledger) -> Iterator[Change]:
    """Yield the changes of faults; they are compared by number, since their texts differ between runs."""
    was, now = (Counter(fault.who for fault in each.faults) for each in (old, new))
    for fault in new.faults:
        if now[fault.who] > was[fault.who]:
            yield Change(ChangeKind.REGRESSION, fault.who, "fault", "-", fault.what)
    for fault in old.faults:
        if now[fault.who] < was[fault.who]:
            yield Change(ChangeKind.IMPROVEMENT, fault.who, "fault", fault.what, "-")
    if old.verdict != new.verdict:
        kind = ChangeKind.REGRESSION if new.verdict else ChangeKind.IMPROVEMENT
        said = ("within bounds", "not all within bounds")
        yield Change(kind, "the run", "verdict", said[bool(old.verdict)], said[bool(new.verdict)])


def gate(baseline: Ledger, new: Ledger) -> list[Change]:
    """List what changed from a baseline to a new ledger.

    Raises:
        LedgerError: a ledger cannot be compared: its run was interrupted or judged nothing, or the two have
            different profiles.
    """
    for name, ledger in (("the baseline", baseline), ("the new ledger", new)):
        if ledger.ending != COMPLETE:
            raise LedgerError(f"{name} is of a run that was interrupted; run it to its end")
        rows = (Row(cell.adapter, cell.dtype, cell.output, s) for cell, s in ledger.cells.items())
        if not any(row.judged for row in rows):
            raise LedgerError(f"{name} is of a run that judged nothing; there is nothing to gate")
    was, now = baseline.header.profile, new.header.profile
    if was != now:
        raise LedgerError(f"the baseline is of profile {was}, the new ledger of {now}; gate equal profiles")
    return changes(baseline, new)


def has_regressed(found: Sequence[Change]) -> bool:
    """Whether any change is for the worse."""
    return any(change.kind is ChangeKind.REGRESSION for change in found)
