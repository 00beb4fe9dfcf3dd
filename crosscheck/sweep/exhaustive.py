"""The exhaustive sweep: X = 1, and W runs through every value of a format, so that z = W and ∂L/∂W = Δ.

In the 16-bit formats errors are measured from the exact value (`crosscheck.judging.accuracy`). In float32
they are measured from the float64 reference, whose own error is below 2^-24 ulp of float32. A result is
counted as a tie where that error leaves open whether it is the nearest number.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from crosscheck.inputs import Case
from crosscheck.inputs.sources import LABELS
from crosscheck.inputs.thresholds import saturation
from crosscheck.judging.accuracy import exact_values
from crosscheck.judging.evaluation import CheckedAdapter, Outcome
from crosscheck.judging.judge import Judge
from crosscheck.results.measure import cell_of, class_of
from crosscheck.results.summary import Cell, add
from crosscheck.sweep.error_statistics import ErrorStatistics, Part, ReferenceValues, well_conditioned
from crosscheck.sweep.job import ShardResult
from crosscheck.sweep.result_groups import digest_of
from crosscheck.sweep.shard import Shard, rows_of
from reference.arithmetic import Arithmetic
from reference.formats import FORMATS, Format
from reference.types import Bool, Outputs, Problem

# float64 is left out, since it has too many values.
DTYPES: Final = ("float16", "bfloat16", "float32")
# The numbers of values in a shard, in a case, and in a block, whose arrays fit into a core's cache.
SHARD: Final = 2**24
CASE: Final = 2**20
BLOCK: Final = 2**16
# The class of shapes that the cells name: that of one problem, without the size of the stack.
SHAPE: Final = class_of((1, 1, 1))
# With one row the row loss equals the loss, so it is left out unless an adapter returns other bits for it.
MEASURED: Final = ("y_hat", "loss", "grad")
# Into how many intervals a binade of float32 between 2^FIRST and 2^LAST is divided; all others stay whole.
STEPS: Final = 16
FIRST, LAST = -3, 7


class Interval(NamedTuple):
    """A range of neighbouring values whose results are counted in the same cells.

    Attributes:
        start, stop: the first bit pattern, and the one after the last.
        name: the regime and the values at both ends.
    """

    start: int
    stop: int
    name: str


def intervals(format: Format) -> list[Interval]:
    """Divide the values of a format at the ends of regimes and into parts of binades, by bit pattern."""
    steps = STEPS if format.dtype.itemsize == 4 else 1
    sizes = {0.0, format.least_normal, saturation(format), np.inf}
    sizes |= {2.0**e * (1 + k / steps) for e in range(FIRST, LAST) for k in range(steps)} | {2.0**LAST}
    edges = sorted({int(_bits(size, format)) for size in sizes})
    half = 1 << 8 * format.dtype.itemsize - 1
    return [
        Interval(sign + start, sign + stop, _name(start, stop, sign, format))
        for sign in (0, half)
        for start, stop in pairwise([*edges, half])
    ]


def _bits(size: float, format: Format) -> Any:
    return np.array(size, format.dtype).view(f"u{format.dtype.itemsize}")


def _value(bits: int, format: Format) -> float:
    return float(np.array(bits, f"u{format.dtype.itemsize}").view(format.dtype))


def _name(start: int, stop: int, sign: int, format: Format) -> str:
    low = _value(start, format)
    if np.isinf(low):
        return "non_finite"
    ends = f"{low:.6g} {_value(stop, format):.6g}" if not sign else f"-{_value(stop, format):.6g} -{low:.6g}"
    if low < format.least_normal:
        return f"subnormal {ends}"
    if low < np.array(saturation(format), format.dtype):
        return f"ordinary {ends}"
    return f"saturated_{'low' if sign else 'high'} {ends}"


class Exhaustive(Struct, frozen=True, tag="exhaustive"):
    """The kind of sweep that tries every value of the formats.

    Attributes:
        dtypes: the dtypes of the cases; float64 is not possible.
    """

    dtypes: tuple[str, ...] = DTYPES
    seed: int = 0
    profile: str = "sweep exhaustive"

    @property
    def ranges(self) -> list[tuple[str, int, int]]:
        """The dtype, the seed of the first problem and the number of problems of each shard."""
        found: list[tuple[str, int, int]] = []
        for dtype in self.dtypes:
            patterns = 1 << 8 * FORMATS[dtype].dtype.itemsize
            labels = len(LABELS) if patterns < SHARD else 1
            size = min(SHARD, patterns)
            found += [(dtype, start, size) for start in range(0, labels * patterns, size)]
        return found

    def __len__(self) -> int:
        return len(self.ranges)

    def problems(self, shard: int) -> int:
        """Return the number of problems of a shard."""
        return self.ranges[shard][2]

    def run(
        self, shard: int, adapters: Mapping[str, CheckedAdapter], *, careful: bool = False
    ) -> ShardResult:
        """Compute a shard; see `SweepKind.run`."""
        dtype, start, size = self.ranges[shard]
        work = _ExhaustiveShard(adapters, FORMATS[dtype], careful=careful)
        for seed in range(start, start + size, CASE):
            work.add_case(Case("every", seed, (min(CASE, size), 1, 1, 1), dtype=dtype))
        work.finish()
        return work.result(size)


class _ExhaustiveShard(Shard):
    """The evaluation and judgement of one shard, which has one format."""

    def __init__(
        self, adapters: Mapping[str, CheckedAdapter], format: Format, *, careful: bool = False
    ) -> None:
        super().__init__(adapters, careful=careful)
        self._format, self._intervals = format, intervals(format)
        self._statistics: dict[Cell, ErrorStatistics] = {}

    def add_case(self, case: Case) -> None:
        """Evaluate a case, and judge the results interval by interval and block by block."""
        problem = case.problem()
        with self.check_inputs_unchanged(case, problem):
            returned = self.evaluated(case, problem)
        results = {name: _without_equal_row_loss(got) for name, got in returned.items()}
        first = case.seed % (1 << 8 * self._format.dtype.itemsize)
        for interval in self._intervals:
            start, stop = max(interval.start - first, 0), min(interval.stop - first, case.shape[0])
            for begin in range(start, stop, BLOCK):
                rows = slice(begin, min(begin + BLOCK, stop))
                part = Case("every", case.seed + begin, (rows.stop - begin, 1, 1, 1), dtype=case.dtype)
                block = _Block(case, part, rows, interval.name, Judge(Problem(*(a[rows] for a in problem))))
                self._judge(block, {name: rows_of(got, rows) for name, got in results.items()})

    def _judge(self, block: _Block, results: Mapping[str, Outputs]) -> None:
        """Judge every number of a block, and measure its error."""
        outcomes = {name: self.outcome(block.judge, name, got) for name, got in results.items()}
        if self._format.dtype.itemsize == 2:
            self.add_outcomes(block.part, block.judge, outcomes, exact_values(block.judge), block.regime)
            return
        self._by_reference(block, outcomes)
        for name, outcome in outcomes.items():
            if outcome.disagreeing:
                self.add_disagreements(block.part, block.judge, name, outcome, block.regime)

    def _by_reference(self, block: _Block, outcomes: Mapping[str, Outcome]) -> None:
        """Add counts, hashes and errors, which are measured from the float64 reference."""
        there = dict.fromkeys(name for outcome in outcomes.values() for name in outcome.judgements)
        exact = {name: ReferenceValues(getattr(block.judge.centers, name), self._format) for name in there}
        is_well_conditioned: dict[Arithmetic, dict[str, Bool]] = {}
        for outcome in outcomes.values():
            claims = outcome.description.arithmetic[block.case.dtype]
            if claims not in is_well_conditioned:
                is_well_conditioned[claims] = well_conditioned(block.judge, claims, exact)
            for name, judgement in outcome.judgements.items():
                cell = cell_of(block.case, outcome.description, name)
                cell = replace(cell, regime=block.regime, shape=SHAPE)
                statistics = self._statistics.setdefault(cell, ErrorStatistics())
                statistics.counts["not_judged"] += judgement.not_judged
                part = Part(block.judge, claims, name, block.case.text, block.rows.start, block.regime)
                statistics.add(
                    getattr(outcome.outputs, name), exact[name], part, is_well_conditioned[claims][name]
                )

    def finish(self) -> None:
        """Add the counts and errors from the reference to the cells, at the end of the shard."""
        add(
            self.cells,
            {cell: statistics.summary() for cell, statistics in self._statistics.items()},
        )


class _Block(NamedTuple):
    """Neighbouring values of one interval.

    Attributes:
        case: the case that was evaluated.
        part: a case with the values of this block only.
        rows: the place of these values in the case.
        regime: the name of the interval, which the cells have as their regime.
        judge: the judge of the part.
    """

    case: Case
    part: Case
    rows: slice
    regime: str
    judge: Judge


def _without_equal_row_loss(outputs: Outputs) -> Outputs:
    """Return the outputs, without the row losses if they equal the losses bit for bit."""
    loss, rows = outputs.loss, outputs.row_loss
    if loss is None or rows is None or digest_of(loss) != digest_of(rows):
        return outputs
    return outputs._replace(row_loss=None)
