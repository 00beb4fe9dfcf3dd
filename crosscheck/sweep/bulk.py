"""The bulk judge: it judges every problem with the cheap filter, and measures the errors of a few problems.

Stacks are evaluated whole, and judged in blocks whose arrays fit into a core's cache. Results of several
adapters that have the same bits under the same claims are judged once. Equal bits are recognised by equal
128-bit digests, which different results share once in 2^128 pairs. Every number is counted and hashed. The
error in ulp and the share of the bound (of `reference.bounds`) are measured on a sample and on candidates:
the problems with the largest shares of the filter's radius, at most one from each case.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from adapters.protocol import Description, present
from crosscheck.inputs import Case, parse
from crosscheck.judging.accuracy import exact_values
from crosscheck.judging.evaluation import Outcome
from crosscheck.judging.judge import Judge
from crosscheck.results.measure import add_measured, cell_of, summarise
from crosscheck.results.summary import CASES, WORST, Cell, Summary, Worst, add
from crosscheck.sweep.result_groups import (
    Candidate,
    Counts,
    ProblemResults,
    ResultGroup,
    digest_of,
    problem_results,
)
from reference import filter as first
from reference.arithmetic import Arithmetic
from reference.types import Array, Outputs, Problem

# How many output numbers one block has: few enough that its arrays stay in a core's cache, and enough that
# the overhead of NumPy's calls is small.
BLOCK: Final = 2**17
# The sample has one problem from each case; its place moves on by this many problems from case to case.
STRIDE: Final = 1021


class BulkJudge:
    """Judges cases that differ in their seeds alone, and summarises them at the end.

    Args:
        descriptions: the descriptions of the adapters, by selector.
    """

    def __init__(self, descriptions: Mapping[str, Description]) -> None:
        self._descriptions = descriptions
        self._counts: dict[tuple[str, str], Counts] = {}
        self._sample: list[ProblemResults] = []

    def judge(
        self, case: Case, problem: Problem, results: Mapping[str, Outputs]
    ) -> dict[str, NDArray[np.intp]]:
        """Judge the results of a case; return, by adapter, the places of problems with inadmissible numbers.

        Args:
            case: a case that differs from the earlier ones in its seed alone, with one stack axis.
            problem: the arrays of the case.
            results: the outputs by selector of the adapter; their shapes and dtypes must already be checked.
                An adapter, or an output, may be missing.
        """
        count = problem.stack_size
        *_, m, n, p = case.shape
        step = max(1, BLOCK // (m * p + 1 + n * p + m))
        groups, wrong = self._groups(case, results), dict[str, list[NDArray[np.intp]]]()
        with np.errstate(all="ignore"):
            for start in range(0, count, step):
                rows = slice(start, min(start + step, count))
                judge = Judge(Problem(*(array[rows] for array in problem)))
                for name, by_output in groups.items():
                    part = Outputs(**{output: getattr(results[name], output)[rows] for output in by_output})
                    claims = self._descriptions[name].arithmetic[case.dtype]
                    for who, places in _judge_block(judge, part, claims, by_output, start):
                        wrong.setdefault(who, []).append(places)
        for name, by_output in groups.items():
            for output, each in by_output.items():
                self._add_group(case, problem, results, getattr(results[name], output), each)
        self._sample.append(problem_results(case, len(self._sample) * STRIDE % count, problem, results))
        return {name: np.unique(np.concatenate(wrong[name])) for name in results if name in wrong}

    def _groups(self, case: Case, results: Mapping[str, Outputs]) -> dict[str, dict[str, ResultGroup]]:
        """Group equal results; each group is stored under the first adapter and output that returned them."""
        found: dict[str, dict[str, ResultGroup]] = {}
        known: dict[tuple[Arithmetic, str, bytes], ResultGroup] = {}
        for name, outputs in results.items():
            claims = self._descriptions[name].arithmetic[case.dtype]
            for output, got in outputs._asdict().items():
                if got is None:
                    continue
                digest = digest_of(got)
                # With one row, the row loss has the set of the loss; with more rows, the digests differ.
                same = "loss" if output == "row_loss" else output
                if (claims, same, digest) not in known:
                    known[claims, same, digest] = found.setdefault(name, {})[output] = ResultGroup(digest)
                known[claims, same, digest].add(name, self._counts_of(case, name, output))
        return found

    def _add_group(
        self, case: Case, problem: Problem, results: Mapping[str, Outputs], got: Array, group: ResultGroup
    ) -> None:
        """Add a group's results to the counts of its adapters, and its worst problem to their candidates."""
        digest = digest_of(got, some_nan=True) if group.some_nan else group.digest
        row = None if group.place is None else problem_results(case, group.place, problem, results)
        for counts in group.counts:
            counts.add(case.text, got, digest)
            counts.totals["equal"] += group.equal
            counts.totals["not_judged"] += group.not_judged
            if row is not None and group.share > counts.threshold:
                counts.add_candidate(Candidate(group.share, -len(self._sample), row))

    def _counts_of(self, case: Case, name: str, output: str) -> Counts:
        """Return the counts of an output, and start them at its first case."""
        if (name, output) not in self._counts:
            said = self._descriptions[name]
            self._counts[name, output] = Counts(cell_of(case, said, output))
        return self._counts[name, output]

    def summaries(self) -> dict[Cell, Summary]:
        """Return a summary of each output of each adapter, with no counts of inadmissible results yet."""
        looked = self._close_look()
        return {
            counts.cell: replace(
                looked[counts.cell],
                problems=counts.totals["problems"],
                elements=counts.totals["elements"],
                equal=counts.totals["equal"],
                not_judged=counts.totals["not_judged"],
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
        """Measure accuracy and share of the bound on the candidates and the sample, with `summarise`."""
        candidates = [each.row for counts in self._counts.values() for each in counts.candidates]
        rows = list({(row.case, row.place): row for row in (*self._sample, *candidates)}.values())
        found: dict[Cell, Summary] = {}
        for places, names in self._by_rows(rows).items():
            add(found, self._measured([rows[place] for place in places], names))
        return found

    def _by_rows(self, rows: Sequence[ProblemResults]) -> dict[tuple[int, ...], list[str]]:
        """Group the adapters by the places of rows for which they have the same outputs.

        All are in one group, with all rows, unless an adapter lacks outputs of some rows.
        """
        groups: dict[tuple[int, ...], list[str]] = {}
        for name in self._descriptions:
            by_outputs: dict[tuple[str, ...], list[int]] = {}
            for place, row in enumerate(rows):
                if name in row.results:
                    by_outputs.setdefault(tuple(present(row.results[name])), []).append(place)
            for places in by_outputs.values():
                groups.setdefault(tuple(places), []).append(name)
        return groups

    def _measured(self, rows: Sequence[ProblemResults], names: Sequence[str]) -> dict[Cell, Summary]:
        """Measure the results of adapters that have the same outputs for each of the rows."""
        judge = Judge(
            Problem(*(np.concatenate(parts) for parts in zip(*(r.problem for r in rows), strict=True)))
        )
        exact = exact_values(judge)
        found: dict[Cell, Summary] = {}
        for name in names:
            said = self._descriptions[name]
            columns = zip(*(row.results[name] for row in rows), strict=True)
            outputs = Outputs(*(None if parts[0] is None else np.concatenate(parts) for parts in columns))
            outcome = Outcome(said, outputs, judge.judge(outputs, said.arithmetic[judge.format.name]))
            made = summarise(parse(rows[0].case), judge, outcome, exact)
            add_measured(found, made, judge, outcome, exact)
        return {cell: _with_places(summary, rows) for cell, summary in found.items()}


def _judge_block(
    judge: Judge, part: Outputs, claims: Arithmetic, by_output: Mapping[str, ResultGroup], start: int
) -> Iterator[tuple[str, NDArray[np.intp]]]:
    """Judge the block that begins at ``start``; yield adapters with inadmissible results, and the places."""
    shares = judge.shares(part, claims)
    largest = shares.largest()
    for output, each in by_output.items():
        got, nearest, share, most = (
            getattr(of, output) for of in (part, judge.nearest, shares.parts, largest)
        )
        each.add_block(got, nearest, share, most, start)
    if all(most <= first.SURE for most in largest):
        for output, judged in judge.judged(claims).items():
            if output in by_output:
                by_output[output].not_judged += judged.size - int(np.count_nonzero(judged))
        return
    for output, judgement in judge.judge(part, claims, shares).items():
        by_output[output].not_judged += judgement.not_judged
        outside = ~judgement.admissible.reshape(judge.problem.stack_size, -1).all(-1)
        if outside.any():
            places = start + np.flatnonzero(outside)
            yield from ((who, places) for who in by_output[output].adapters)


def _with_places(summary: Summary, rows: Sequence[ProblemResults]) -> Summary:
    """Return the summary with the worst values' cases and places replaced by the original ones."""

    def of(worst: Worst | None) -> Worst | None:
        if worst is None:
            return None
        row = rows[worst.place[0]]
        return replace(worst, case=row.case, place=(row.place, *worst.place[1:]))

    placed: dict[str, Any] = {name: of(getattr(summary, name)) for name in WORST}
    return replace(summary, **placed)
