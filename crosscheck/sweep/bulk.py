"""The bulk lane's judge: a verdict on every problem at the price of the filter, and a close look at a few.

Stacks are evaluated whole and judged in blocks that fit a core's cache. Every number is counted and marked;
the error in ulp and the share of the full set's bound are measured on a sample and on the worst suspects,
which are those with the largest shares of the filter's radius.
"""

from __future__ import annotations

import dataclasses
import heapq
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
import xxhash

from adapters.protocol import Description
from crosscheck.accuracy import best_known
from crosscheck.cases import Case, parse
from crosscheck.comparison.summarise import cell_of, summarise
from crosscheck.judge import OUTPUTS, Judge
from crosscheck.summary import CASES, Cell, Summary, Worst, mark_of
from crosscheck.trial import Outcome
from reference import filter as first
from reference.filter import SURE
from reference.types import Outputs, Problem
from reference.units import Units

# Numbers in X, y and W of the problems that are judged together, and so stay in a core's cache.
BLOCK: Final = 2**16
# Suspects of each adapter and output that get a close look.
SUSPECTS: Final = 4
# Beside them one problem of each case, so many places after the one before.
STRIDE: Final = 1021


class Row(NamedTuple):
    """One problem of a case that gets a close look.

    Attributes:
        case: the text.
        place: of the problem in its stack.
        problem: X, y and W, a stack of one.
        results: what every adapter returned for it, by what selects it.
    """

    case: str
    place: int
    problem: Problem
    results: Mapping[str, Outputs]


class Suspect(NamedTuple):
    """A problem by its largest share in one output; sorted by share, of equal ones the later is smaller."""

    share: float
    number: int
    row: Row


@dataclass
class Counts:
    """Of one output of one adapter.

    Attributes:
        cell: of it.
        judged: whether its sets are narrow enough to say something.
        totals: what is counted.
        suspects: the worst so far, a heap.
    """

    cell: Cell
    judged: bool
    totals: Counter[str] = field(default_factory=Counter)
    suspects: list[Suspect] = field(default_factory=list)

    @property
    def least(self) -> float:
        """What the share of one more suspect must exceed."""
        return self.suspects[0].share if len(self.suspects) == SUSPECTS else -1.0

    def suspect(self, suspect: Suspect) -> None:
        """Keep it as one of the worst."""
        keep = heapq.heappushpop if len(self.suspects) == SUSPECTS else heapq.heappush
        keep(self.suspects, suspect)


class Bulk:
    """Judges cases that differ in their seeds alone, and knows at the end what there was.

    Args:
        descriptions: of the adapters, by what selects them.
    """

    def __init__(self, descriptions: Mapping[str, Description]) -> None:
        self._descriptions = descriptions
        self._counts: dict[tuple[str, str], Counts] = {}
        self._sample: list[Row] = []

    def hear(self, case: Case, problem: Problem, results: Mapping[str, Outputs]) -> list[str]:
        """Judge what adapters returned for a case: those of whose numbers some are not admissible.

        Args:
            case: like those before it, with another seed and one stack axis.
            problem: its problem.
            results: by what selects the adapter; shapes and dtypes must already be right.
        """
        count = problem.stack_size
        step = max(1, BLOCK * count // sum(array.size for array in problem))
        wrong: dict[str, None] = {}
        with np.errstate(all="ignore"):
            for start in range(0, count, step):
                judge = Judge(Problem(*(a[start : start + step] for a in problem)))
                for name in results:
                    if not self._block(
                        case=case, judge=judge, name=name, start=start, problem=problem, results=results
                    ):
                        wrong[name] = None
        for name, outputs in results.items():
            self._mark(case, name, outputs)
        self._sample.append(_row(case, len(self._sample) * STRIDE % count, problem, results))
        return list(wrong)

    def _block(  # noqa: PLR0913, a block is all of that
        self,
        *,
        case: Case,
        judge: Judge,
        name: str,
        start: int,
        problem: Problem,
        results: Mapping[str, Outputs],
    ) -> bool:
        """Judge one adapter on one block: whether all of its numbers are admissible."""
        claims, stop = self._descriptions[name].arithmetic[case.dtype], start + judge.problem.stack_size
        part = Outputs(*(None if got is None else got[start:stop] for got in results[name]))
        shares, sure = judge.shares(part, claims), True
        for output, share in shares.items():
            got, center = getattr(part, output), getattr(judge.centers, output)
            counts = self._of(case, judge, name, output)
            counts.totals["equal"] += int(np.count_nonzero(got == center.astype(got.dtype, copy=False)))
            largest = float(np.max(share))
            sure &= largest <= SURE
            if not sure:  # where nothing bounds a result, its share is NaN, and says nothing
                largest = float(np.nanmax(share, initial=-1.0))
            if largest > counts.least:
                place = start + int(np.argwhere(share == largest)[0][0])
                counts.suspect(Suspect(largest, -len(self._sample), _row(case, place, problem, results)))
        return sure or all(one.admissible.all() for one in judge.judge(part, claims, shares).values())

    def _of(self, case: Case, judge: Judge, name: str, output: str) -> Counts:
        """The counts of an output, which begin here."""
        if (name, output) not in self._counts:
            said = self._descriptions[name]
            judged = first.judged(judge.wide, Units.of(judge.format, said.arithmetic[case.dtype]))
            cell = cell_of(case, Outcome(said), output)
            self._counts[name, output] = Counts(cell, judged[output])
        return self._counts[name, output]

    def _mark(self, case: Case, name: str, outputs: Outputs) -> None:
        """Count a case, and mark it and its results."""
        for output, got in zip(OUTPUTS, outputs, strict=True):
            if got is not None:
                counts = self._counts[name, output]
                text, content = case.text.encode(), np.ascontiguousarray(got).view(np.uint8)
                counts.totals["problems"] += len(got)
                counts.totals["elements"] += got.size
                counts.totals["cases"] += mark_of(text)
                counts.totals["bits"] += mark_of(text, xxhash.xxh3_128_digest(content.data))

    def summaries(self) -> dict[Cell, Summary]:
        """A summary for each output of each adapter, without what is wrong with it."""
        looked = self._close_look()
        return {
            counts.cell: dataclasses.replace(
                looked[counts.cell],
                problems=counts.totals["problems"],
                elements=counts.totals["elements"],
                equal=counts.totals["equal"],
                not_judged=0 if counts.judged else counts.totals["problems"],
                unknown=counts.totals["elements"]
                - looked[counts.cell].elements
                + looked[counts.cell].unknown,
                cases=counts.totals["cases"] % CASES,
                bits=counts.totals["bits"] % CASES,
                wrong_problems=0,
                wrong_elements=0,
            )
            for counts in self._counts.values()
        }

    def _close_look(self) -> dict[Cell, Summary]:
        """Accuracy and share of the bound on the suspects and the sample, as `summarise` has them."""
        suspects = [each.row for counts in self._counts.values() for each in counts.suspects]
        rows = list({(row.case, row.place): row for row in (*self._sample, *suspects)}.values())
        judge = Judge(
            Problem(*(np.concatenate(parts) for parts in zip(*(r.problem for r in rows), strict=True)))
        )
        best = best_known(judge)
        found: dict[Cell, Summary] = {}
        for name in rows[0].results:
            said = self._descriptions[name]
            columns = zip(*(row.results[name] for row in rows), strict=True)
            outputs = Outputs(*(None if parts[0] is None else np.concatenate(parts) for parts in columns))
            outcome = Outcome(said, outputs, judge.judge(outputs, said.arithmetic[judge.format.name]))
            made = summarise(parse(rows[0].case), judge, outcome, best)
            found |= {cell: _placed(summary, rows) for cell, summary in made.items()}
        return found


def _row(case: Case, place: int, problem: Problem, results: Mapping[str, Outputs]) -> Row:
    """The problem at a place; copies, since it outlives the case."""
    one = slice(place, place + 1)
    kept = {
        name: Outputs(*(None if got is None else got[one].copy() for got in outputs))
        for name, outputs in results.items()
    }
    return Row(case.text, place, Problem(*(array[one].copy() for array in problem)), kept)


def _placed(summary: Summary, rows: Sequence[Row]) -> Summary:
    """The summary with its worst values where they were seen: in the case and at the place of their row."""

    def of(worst: Worst | None) -> Worst | None:
        if worst is None:
            return None
        row = rows[worst.place[0]]
        return worst._replace(case=row.case, place=(row.place, *worst.place[1:]))

    return dataclasses.replace(summary, error=of(summary.error), share=of(summary.share))
